"""Notices in the log of the process that notices.

Belongs here: the way that needs no settings. Does not: where logs go.
"""

from __future__ import annotations

import logging

from stdm_platform.notify.notice import Notice

logger = logging.getLogger(__name__)

LEVELS = {"error": logging.ERROR, "warning": logging.WARNING, "info": logging.INFO}


class LogNotifier:
    """One line per notice, at the level of its severity."""

    name = "the log"

    def send(self, notice: Notice) -> None:
        """Log it."""
        logger.log(LEVELS[notice.severity], "%s", notice.text)
