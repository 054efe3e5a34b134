"""Write what is derived from the models: the contract on published columns, and where columns come from.

Belongs here: the two files `dbt_models/mart_columns.csv` and `column_lineage.csv`. Does not: building marts (`stdm extract` and Dagster do).
"""

from __future__ import annotations

from stdm_platform.marts.column_lineage import LINEAGE_FILE, lineage_text
from stdm_platform.marts.column_tracing import traced_columns
from stdm_platform.marts.contract import CONTRACT_FILE, contract_text, enforced_columns

if __name__ == "__main__":
    CONTRACT_FILE.write_text(contract_text(enforced_columns()))
    LINEAGE_FILE.write_text(lineage_text(traced_columns()))
