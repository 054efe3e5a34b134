"""Tell people that something failed, is late or has recovered. Knows nothing of Dagster.

Belongs here: what a notice says, and the ways to send it (log, webhook, one of your own). Does not:
deciding that something is worth a notice (`orchestration`).

    notice.py    what is said; masked before anybody sends it
    log.py       the way that is always there
    webhook.py   JSON to `STDM_WEBHOOK_URL`
    sending.py   which ways the settings ask for, and sending without ever raising

A way of your own: `STDM_NOTIFIER=my_package.my_module:factory`. The factory takes the `Settings` and
gives an object with `send(notice: Notice) -> None`, which raises when it could not send.
"""

from stdm_platform.notify.notice import Notice
from stdm_platform.notify.sending import Notifier, Senders, senders_of

__all__ = ["Notice", "Notifier", "Senders", "senders_of"]
