"""The DMOs that are assets: those of STDM_TABLES, else all.

Belongs here: the choice, made once as the code location loads. Does not: the catalog.
"""

from __future__ import annotations

from stdm_platform.catalog import chosen_dmos
from stdm_platform.settings import load_settings

ASSET_DMOS = chosen_dmos(load_settings().table_names(), of="STDM_TABLES:")
