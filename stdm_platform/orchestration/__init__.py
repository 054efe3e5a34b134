"""Dagster: partitioned assets, asset checks, jobs, schedules, and the instance they run in.

Belongs here: what Dagster has to know, kept thin; each asset calls the room that does the work
(`extraction` for DMOs, `marts` for dbt). Does not: SQL, HTTP, Parquet, or anything that the `stdm`
command could not call as well.

Importing this package costs nothing; importing one of its modules imports Dagster.
"""
