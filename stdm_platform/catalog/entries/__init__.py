"""The catalog's entries, one module each, parents before children."""

from stdm_platform.catalog.entries.interactions import INTERACTIONS
from stdm_platform.catalog.entries.messages import MESSAGES
from stdm_platform.catalog.entries.moments import MOMENTS
from stdm_platform.catalog.entries.participants import PARTICIPANTS
from stdm_platform.catalog.entries.sessions import SESSIONS
from stdm_platform.catalog.entries.steps import STEPS

DMOS = (SESSIONS, PARTICIPANTS, INTERACTIONS, STEPS, MESSAGES, MOMENTS)

__all__ = ["DMOS"]
