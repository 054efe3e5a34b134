"""STDM Platform: turns the traces of AI agents into tables that people can trust and query.

The rooms, in the order in which data passes them: `catalog` says what a DMO is, `data360` asks the
org, `extraction` fetches windows, `guard` checks them, `lake` keeps them, `marts` builds and
publishes tables with dbt, `insight` asks those, `orchestration` and `cli` run it all. `sandbox` is
a local org to try it on.
"""
