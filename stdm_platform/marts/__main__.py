"""Write `dbt_models/mart_columns.csv`, the contract on published columns, from the models' descriptions.

Belongs here: that one file. Does not: building marts (`stdm extract` and Dagster do).
"""

from __future__ import annotations

from stdm_platform.marts.contract import CONTRACT_FILE, contract_text, enforced_columns

if __name__ == "__main__":
    CONTRACT_FILE.write_text(contract_text(enforced_columns()))
