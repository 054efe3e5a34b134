"""Full sizes of what the suite shows small, each a module with a command line of its own.

Belongs here: commands that measure and prove for minutes, print a table and end with 1 when a promise is
broken. Does not: what the suite runs.

    python -m stdm_platform_tests.benchmarks [--scale small|day|history]     extraction against the floor
    python -m stdm_platform_tests.benchmarks.interruptions  a large day, killed and resumed
    python -m stdm_platform_tests.benchmarks.contracts      what the checks add to a million rows
    python -m stdm_platform_tests.benchmarks.backfill       what Dagster adds to a range
    python -m stdm_platform_tests.benchmarks.simulation     30 days of ticks against a running org
    python -m stdm_platform_tests.benchmarks.volume_org     only the org, to try things on
"""
