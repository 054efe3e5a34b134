"""Send notices in every way that the settings ask for; never raise.

Belongs here: `Notifier`, choosing, and what becomes of a way that fails. Does not: any one way.

A notice that cannot be sent must not fail the run or the tick that it is about: each failure is
logged and given back as a sentence, and the other ways go on.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from typing import Protocol

from stdm_platform.errors import ArgumentError, StdmError
from stdm_platform.notify.log import LogNotifier
from stdm_platform.notify.notice import LONGEST_REASON, Notice, masker_of
from stdm_platform.notify.webhook import WebhookNotifier
from stdm_platform.settings import Settings

logger = logging.getLogger(__name__)


class Notifier(Protocol):
    """One way to tell people."""

    def send(self, notice: Notice) -> None:
        """Send it, within seconds; raise when that is not possible."""


class Senders:
    """All ways of the settings as one."""

    def __init__(self, settings: Settings, notifiers: Iterable[Notifier]) -> None:
        self._masker = masker_of(settings)
        self._notifiers = tuple(notifiers)

    def send(self, notices: Iterable[Notice]) -> list[str]:
        """Send each notice in each way, masked.

        A way that has failed once is not tried with the notices that follow: it would take as long
        again for each of them.

        Returns:
            a sentence for each way that failed, without secrets.
        """
        masked = [notice.masked(self._masker) for notice in notices]
        problems = [self._send_by(notifier, masked) for notifier in self._notifiers]
        return [problem for problem in problems if problem is not None]

    def _send_by(self, notifier: Notifier, notices: list[Notice]) -> str | None:
        for number, notice in enumerate(notices):
            try:
                notifier.send(notice)
            except Exception as error:  # noqa: BLE001  # of anybody's making; a notice never fails a tick
                problem = self._problem(notifier, error, len(notices) - number)
                logger.error("%s", problem)  # noqa: TRY400  # a trace could hold the address
                return problem
        return None

    def _problem(self, notifier: Notifier, error: Exception, unsent: int) -> str:
        name = getattr(notifier, "name", type(notifier).__name__)
        said = str(error) if isinstance(error, StdmError) else type(error).__name__
        said = said if name in said else f"{name}: {said}"
        text = f"{unsent} of the notices could not be sent: {said}"
        return self._masker.line(text, keep_literals=True, longest=LONGEST_REASON)


def senders_of(settings: Settings) -> Senders:
    """The log, the webhook of `STDM_WEBHOOK_URL`, and what `STDM_NOTIFIER` names."""
    found: list[Notifier] = [LogNotifier()]
    if settings.webhook_url is not None:
        found.append(WebhookNotifier(settings.webhook_url.get_secret_value()))
    if settings.notifier is not None:
        found.append(_Named(settings))
    return Senders(settings, found)


class _Named:
    """The notifier of `STDM_NOTIFIER`, made when it is needed: a wrong name must fail no tick."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.name = f"STDM_NOTIFIER={settings.notifier}"

    def send(self, notice: Notice) -> None:
        """Make it and let it send."""
        module, _, factory = (self._settings.notifier or "").partition(":")
        try:
            make = getattr(importlib.import_module(module), factory)
        except (ImportError, AttributeError, ValueError):
            raise ArgumentError(
                "there is no such factory.", action="Name it like my_package.my_module:factory."
            ) from None
        notifier: Notifier = make(self._settings)
        notifier.send(notice)
