"""Notices: what they say, how they travel, and that a receiver that is down disturbs nobody."""

from __future__ import annotations

import json
import logging
import sys
import types
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from stdm_platform.errors import UnavailableError
from stdm_platform.notify import Notice, senders_of
from stdm_platform.notify.webhook import ATTEMPTS, WebhookNotifier
from stdm_platform.settings import Settings
from stdm_platform_tests.notify.receiver import SECRET, Receiver, receiving

AT = datetime(2026, 1, 16, 2, 5, tzinfo=UTC)
NOTICE = Notice(
    "run_failed", "error", AT, "sessions of 2026-01-14: the org's answer was cut.",
    ("stdm/sessions",), ("2026-01-14",), "0123456789abcdef",
)  # fmt: skip


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(one_receiver: Receiver) -> Receiver:
    one_receiver.came.clear()
    one_receiver.answers.clear()
    return one_receiver


def settings(**given: Any) -> Settings:
    return Settings(**given)


def test_a_webhook_gets_asset_partition_reason_and_a_line_for_chats(receiver: Receiver) -> None:
    assert senders_of(settings(webhook_url=receiver.url)).send([NOTICE]) == []
    (came,) = receiver.notices()
    assert came == {
        "event": "run_failed",
        "severity": "error",
        "at": "2026-01-16T02:05:00Z",
        "asset": "stdm/sessions",
        "assets": ["stdm/sessions"],
        "partitions": ["2026-01-14"],
        "reason": "sessions of 2026-01-14: the org's answer was cut.",
        "run_id": "0123456789abcdef",
        "text": "[error] stdm/sessions of 2026-01-14: sessions of 2026-01-14: the org's answer "
        "was cut. (run 01234567)",
    }


def test_no_secret_of_the_settings_travels(receiver: Receiver) -> None:
    given = settings(
        webhook_url=receiver.url, consumer_key="3MVG9-konsument", private_key_passphrase="papagei"
    )
    reason = f"3MVG9-konsument papagei {receiver.url} Bearer 00Dxx0000000001!AQ.abc eyJhbGciOi.x.y"
    senders_of(given).send([Notice("run_failed", "error", AT, reason)])
    (came,) = receiver.came
    for secret in ("konsument", "papagei", SECRET, "!AQ", "eyJ"):
        assert secret not in came
    assert json.loads(came)["reason"] == "*** *** *** Bearer *** ***"


def test_a_receiver_that_stumbles_is_asked_again(receiver: Receiver) -> None:
    receiver.answers += [503, 429]
    assert senders_of(settings(webhook_url=receiver.url)).send([NOTICE]) == []
    assert len(receiver.came) == ATTEMPTS


@pytest.mark.parametrize("status", [302, 404, 410])
def test_an_answer_that_no_attempt_would_change_is_named_at_once(
    receiver: Receiver, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers += [status]
    (problem,) = senders_of(settings(webhook_url=receiver.url)).send([NOTICE, NOTICE])
    assert f"the webhook at 127.0.0.1 answered HTTP {status}. Look at the receiver" in problem
    assert problem.startswith("2 of the notices could not be sent")
    assert len(receiver.came) == 1
    assert SECRET not in problem + caplog.text


@pytest.mark.parametrize("failure", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError])
def test_a_receiver_that_is_down_is_said_in_the_log_without_its_path(
    failure: type[httpx.TransportError], caplog: pytest.LogCaptureFixture
) -> None:
    tried = []

    def broken(request: httpx.Request) -> httpx.Response:
        tried.append(request)
        raise failure(f"no way to {request.url}")

    notifier = WebhookNotifier(
        f"https://hooks.example.com/{SECRET}",
        http_transport=httpx.MockTransport(broken),
        sleep=lambda seconds: None,
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(UnavailableError) as raised:
        notifier.send(NOTICE)
    assert len(tried) == ATTEMPTS
    assert "the webhook at hooks.example.com failed 3 times" in str(raised.value)
    assert SECRET not in str(raised.value) + caplog.text


@pytest.mark.parametrize("url", ["nonsense/", "ftp://host/x", "http://[broken/", "http:///"])
def test_an_address_that_cannot_be_asked_fails_no_tick(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings().model_copy(update={"webhook_url": SecretStr(f"{url}{SECRET}")})  # unchecked
    (problem,) = senders_of(given).send([NOTICE])
    assert "STDM_WEBHOOK_URL" in problem
    assert SECRET not in problem + caplog.text


def test_the_address_is_not_logged_when_all_goes_well(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    given = settings(webhook_url=receiver.url)
    with caplog.at_level(logging.DEBUG):
        senders_of(given).send([NOTICE])
    assert "[error] stdm/sessions of 2026-01-14" in caplog.text
    assert SECRET not in caplog.text + repr(given)


def test_a_receiver_that_hangs_is_given_up_in_time_for_a_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import socket

    monkeypatch.setattr("stdm_platform.notify.webhook.SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, says nothing
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        (problem,) = senders_of(settings(webhook_url=url)).send([NOTICE, NOTICE])
        assert "3 times" in problem
        deaf.setblocking(False)
        for _ in range(3):
            deaf.accept()[0].close()
        with pytest.raises(BlockingIOError):
            deaf.accept()  # the second notice is not tried
    assert "ReadTimeout" in problem


def test_a_notifier_of_ones_own_is_used_beside_the_others(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Notice] = []
    module = types.ModuleType("somebodys_pager")
    module.make = lambda given: types.SimpleNamespace(send=sent.append)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "somebodys_pager", module)
    given = settings(webhook_url=receiver.url, notifier="somebodys_pager:make")
    assert senders_of(given).send([NOTICE]) == []
    assert sent == [NOTICE]
    assert len(receiver.came) == 1


@pytest.mark.parametrize("name", ["no_such_module:make", "json:no_such_factory", "json", ":x"])
def test_a_notifier_that_does_not_exist_is_named_and_the_others_go_on(
    receiver: Receiver, name: str
) -> None:
    given = settings(webhook_url=receiver.url).model_copy(update={"notifier": name})  # unchecked
    (problem,) = senders_of(given).send([NOTICE])
    assert f"STDM_NOTIFIER={name}" in problem
    assert len(receiver.came) == 1


def test_a_notifier_that_raises_shows_its_class_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(notice: Notice) -> None:
        raise RuntimeError(f"could not reach https://x/{SECRET}")

    module = types.ModuleType("broken_pager")
    module.make = lambda given: types.SimpleNamespace(send=fail)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "broken_pager", module)
    (problem,) = senders_of(settings(notifier="broken_pager:make")).send([NOTICE])
    assert problem.endswith("RuntimeError")


def test_a_long_range_is_named_by_its_ends() -> None:
    days = tuple(f"2026-01-{day:02}" for day in range(1, 32))
    notice = Notice("run_failed", "error", AT, "so it is.", ("a", "b", "c", "d", "e"), days)
    assert (
        notice.text == "[error] a, b, c and 2 more of 2026-01-01 to 2026-01-31 (31 days): so it is."
    )
    assert len(notice.as_json()["partitions"]) == 31
