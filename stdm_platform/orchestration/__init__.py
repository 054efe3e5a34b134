"""Dagster: partitioned assets, asset checks, jobs, schedules, and the instance they run in.

Belongs here: what Dagster has to know, kept thin; each asset calls the room that does the work
(`extraction` for DMOs, `marts` for dbt). Does not: SQL, HTTP, Parquet, or anything that the `stdm`
command could not call as well.

    dmo_assets.py, mart_assets.py   assets and their checks; day_events.py  data versions of their days
    watermark.py, ticks.py, jobs.py what is due becomes runs; the nightly schedule
    schema_asset.py, drift_sensor.py, drift_page.py  what changed at the source, shown and told
    freshness.py, promises.py       who is late, as checks and notices
    failures.py, liveness.py        runs that failed, and runs whose process is gone
    instance.py, event_log.py       the instance of a data directory, and how its events are written

Importing this package costs nothing; importing one of its modules imports Dagster.
"""
