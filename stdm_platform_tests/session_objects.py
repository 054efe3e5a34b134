"""The six objects of a session, which most tests are about; `catalog`, `guard` and demo tests try all.

Belongs here: the choice. Does not: what is tried with it. Most of what is tested treats objects alike, and 27
of them would make each extraction, build and process of the suite four times as long.
"""

from __future__ import annotations

from stdm_platform.catalog import chosen_dmos

NAMES = ("sessions", "participants", "interactions", "steps", "messages", "moments")
SESSION_DMOS = chosen_dmos(NAMES, of="the tests'")
TABLES = {"STDM_TABLES": ",".join(NAMES)}
"""The variable by which commands, assets and sensors are about them."""
