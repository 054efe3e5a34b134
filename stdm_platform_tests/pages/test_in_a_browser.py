"""Pages from `file://` in headless Chromium, under their own policy: drawn, harmless, and alone."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest

from stdm_platform.insight import Scope, query
from stdm_platform.insight.session_record import Moment, Turn
from stdm_platform.pages import report_page, session_page
from stdm_platform_tests.pages.browser import NARROW, Browser, Opened
from stdm_platform_tests.pages.records import at, long_record, message, record, step
from stdm_platform_tests.pages.written_marts import write_marts

NOW = datetime(2026, 1, 9, 12, tzinfo=UTC)
TAGS = '<img src=x onerror="document.title=1"><script>document.title = 1</script></script><svg onload=alert(1)>'
HOSTILE = {
    "tags": TAGS,
    "direction": "user\u202etxt.exe\u2066",
    "lone surrogate": "a\ud800b",
    "controls": "a\x00b\x1b[2J",
    "template": "{{7*7}} {b|c} ${1}",
}
SHOWN = {
    "tags": TAGS,
    "direction": "user<U+202E>txt.exe<U+2066>",
    "lone surrogate": "a<U+D800>b",
    "controls": "a\u2400b\u241b[2J",
    "template": "{{7*7}} {b|c} ${1}",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stdm_platform.insight.actions.require", lambda *_: None)
        return report_page(write_marts(tmp_path_factory.mktemp("browser")), Scope(), NOW)


def is_alone(opened: Opened) -> bool:
    """Whether nothing but the file itself was asked for, and the console has nothing to say."""
    assert opened.console == []
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    return len(opened.requests) == 1


@pytest.mark.parametrize(("width", "is_dark"), [(1400, False), (NARROW, True)])
def test_a_report_is_drawn_and_asks_nobody(
    browser: Browser, page: str, width: int, is_dark: bool
) -> None:
    opened = browser.open(page, width=width, is_dark=is_dark)
    assert is_alone(opened)
    drawn = opened.value(
        "Array.from(document.querySelectorAll('[data-chart]'), (place) => place.querySelectorAll('svg path').length)"
    )
    assert len(drawn) == 10
    assert min(drawn) > 3
    assert opened.value("document.documentElement.scrollWidth") <= width
    ground = opened.value("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(16, 21, 27)") == is_dark


def test_the_numbers_that_a_reader_sees_are_those_of_sql(
    browser: Browser, page: str, tmp_path: Path
) -> None:
    store = write_marts(tmp_path)
    opened = browser.open(page)
    sql = opened.value("document.querySelector('#latency code').textContent")
    said = query(store, sql)
    rows = [[str(value) for value in row] for row in said.iter_rows()]
    assert opened.cells("latency") == rows
    count = query(store, "select count(*) as n from session_summary where is_preview is not true")
    assert opened.text(".tile .number") == f"{count['n'][0]:,}"


def test_tables_are_sorted_by_number_from_the_keyboard(browser: Browser, page: str) -> None:
    opened = browser.open(page)
    opened.value(
        """(() => { const heading = document.querySelectorAll('#actions thead th')[3];
        heading.querySelector('button').focus(); heading.querySelector('button').click(); })()"""
    )
    errors = [row[3] for row in opened.cells("actions")]
    assert errors == sorted(errors, key=int, reverse=True)
    assert opened.value("document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"  # fmt: skip


def test_a_screen_reader_finds_landmarks_headings_captions_and_names(
    browser: Browser, page: str
) -> None:
    opened = browser.open(page)
    assert opened.value(
        "['header', 'nav', 'main', 'footer'].every((tag) => document.querySelector(tag))"
    )
    levels = opened.value("Array.from(document.querySelectorAll('h1, h2, h3'), (each) => Number(each.tagName[1]))")  # fmt: skip
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    for nameless in (
        "table:not(:has(caption))",
        "th:not([scope])",
        "article:not(:has(table)) [data-chart]",
        "[role=region]:not([aria-label])",
    ):
        assert opened.value(f"document.querySelectorAll('{nameless}').length") == 0, nameless
    labels = opened.value("Array.from(document.querySelectorAll('[data-chart] svg'), (svg) => svg.closest('[aria-label]') !== null)")  # fmt: skip
    assert labels
    assert all(labels)


def test_hostile_names_are_drawn_as_text_in_a_report(browser: Browser, tmp_path: Path) -> None:
    store = write_marts(tmp_path)
    with duckdb.connect(str(store.marts_db)) as connection:
        for mart, column in (("topic_routing", "to_topic"), ("action_summary", "action_name")):
            connection.execute(f"create table t as from {mart}")
            connection.execute(f"drop view {mart}")
            connection.execute(f"alter table t rename to {mart}")
            connection.execute(f"update {mart} set {column} = ? || {column}", [TAGS + "\u202e{b|c}"])  # fmt: skip
    opened = browser.open(report_page(store, Scope(), NOW))
    assert is_alone(opened)
    assert opened.value("document.title").startswith("Agent report")
    assert opened.value("document.querySelectorAll('img, main script').length") == 0
    drawn = opened.value("document.querySelector('[data-chart=routing]').textContent")
    assert "<img src=x" in drawn


def hostile_session() -> str:
    events = [
        message(f"m{number}", "t1", number, "Input", text)
        for number, text in enumerate(HOSTILE.values())
    ]
    long = step("s1", "t1", 50, 10, "ACTION_STEP", TAGS, input="y" * 1_000_000, output=TAGS, error=TAGS, is_error=True)  # fmt: skip
    turn = Turn(1, "t1", "TURN", TAGS, "before", at(0), at(100), (*events, long))
    moment = Moment("m", at(0), None, "Bot", TAGS, TAGS, "javascript:alert(1)")
    made = record((turn,), moments=(moment,), agent=TAGS, links={"owner": "javascript:alert(2)"})
    return session_page(made, NOW)


def test_hostile_text_of_a_session_is_shown_as_text(browser: Browser) -> None:
    opened = browser.open(hostile_session())
    assert is_alone(opened)
    opened.value("document.querySelectorAll('.event').forEach((row) => { row.open = true; })")
    browser._wait(0.2)
    said = opened.value("Array.from(document.querySelectorAll('.event'), (row) => (row.querySelector('pre') || {}).textContent)")  # fmt: skip
    for name, shown in SHOWN.items():
        assert shown in said, name
    assert opened.value("document.querySelectorAll('main img, main script, main a[href^=javascript]').length") == 0  # fmt: skip
    assert opened.value("document.title").startswith("Session ")
    assert is_alone(opened)


def test_a_megabyte_is_cut_and_shown_whole_on_demand(browser: Browser) -> None:
    opened = browser.open(hostile_session())
    lengths = opened.value(
        """(async () => { const row = document.querySelector('.event.failed'); row.open = true;
        await new Promise((done) => setTimeout(done, 100));
        const button = row.querySelector('button'), block = button.previousElementSibling;
        const before = block.textContent.length; button.click(); return [before, block.textContent.length]; })()"""
    )
    assert lengths == [4001, 1_000_000]


def test_a_session_of_10_000_steps_is_whole(
    browser: Browser,
) -> None:
    opened = browser.open(session_page(long_record(10_000), NOW))
    assert opened.value("document.querySelectorAll('.event').length") == 10_000
    assert opened.value("document.querySelectorAll('.event.failed').length") == 20


def test_the_table_of_very_many_turns_is_made_when_it_is_opened(browser: Browser) -> None:
    rows = "document.querySelectorAll('#turns tbody tr').length"
    few = browser.open(session_page(long_record(500, turns=500), NOW))
    assert few.value(rows) == 500
    many = browser.open(session_page(long_record(501, turns=501), NOW))
    assert many.value(rows) == 0
    assert (
        many.value("document.querySelector('#turns summary').textContent")
        == "Table of all 501 turns"
    )
    opened = f"""new Promise((done) => {{ const fold = document.querySelector('#turns details');
        fold.addEventListener('toggle', () => done({rows})); fold.open = true; }})"""
    assert many.value(opened) == 501
    assert many.value("document.querySelectorAll('#turns th button').length") > 0


def test_the_watch_sees_requests_where_no_policy_forbids_them(browser: Browser) -> None:
    """The tests above could not fail otherwise."""
    asked: list[str] = []

    class Canary(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        image = f'<img src="http://127.0.0.1:{server.server_port}/seen">'
        policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
        opened = browser.open(f"<!doctype html><p>{image}</p>")
        assert any(url.endswith("/seen") for url in opened.requests)
        assert "/seen" in asked
        asked.clear()
        forbidden = browser.open(f"<!doctype html>{policy}<p>{image}</p>")
        assert asked == []
        assert any("Content Security Policy" in line for line in forbidden.console)
    finally:
        server.shutdown()
        server.server_close()
