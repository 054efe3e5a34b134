"""Full sizes of what the suite shows small, each a module with a command line of its own.

Belongs here: commands that measure and prove for minutes, print a table and end with 1 when a promise is
broken. Does not: what the suite runs.

    python -m stdm_platform_tests.benchmarks.simulation     30 days of ticks against a running org
"""
