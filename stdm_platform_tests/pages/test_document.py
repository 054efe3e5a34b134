"""A page allows itself nothing but its own scripts and styles, and shows strangers' text as text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

from stdm_platform.pages.document import asset, document, json_block
from stdm_platform.pages.library import ASSETS, ECHARTS, ECHARTS_SHA256

OUR_SCRIPTS = sorted(ASSETS.glob("*.js"))
MARKUP_SINKS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc", "setTimeout(\"", "fetch(", "XMLHttpRequest")  # fmt: skip
OUTSIDE = ("http:", "https:", "//cdn", "url(", "@import")


def made(data: object = None, scripts: tuple[str, ...] = ("let a = 1;",)) -> str:
    return document("bare.html", data, style="b{color:red}", scripts=scripts, title="t")


@pytest.fixture(autouse=True)
def bare_template(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest template, so that only the document is tried."""
    from jinja2 import DictLoader

    from stdm_platform.pages.document import _environment

    text = (
        '<meta content="{{ policy }}"><style>{{ style }}</style><b title="{{ title }}">{{ title }}</b>'
        "{{ data }}{% for script in scripts %}<script>{{ script }}</script>{% endfor %}"
    )
    monkeypatch.setattr(_environment(), "loader", DictLoader({"bare.html": text}))


def hash_of(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def test_the_policy_forbids_all_but_what_the_page_holds() -> None:
    page = made(scripts=("let a = 1;", "let b = 2;"))
    said = html.unescape(re.search(r'<meta content="([^"]*)"', page)[1])  # type: ignore[index]
    assert said.split("; ") == [
        "default-src 'none'",
        f"script-src {hash_of('let a = 1;')} {hash_of('let b = 2;')}",
        f"style-src {hash_of('b{color:red}')}",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_the_hashes_are_those_of_the_text_that_the_browser_reads() -> None:
    page = made(scripts=(asset("tables.js"),))
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert hash_of(script) in html.unescape(page)


@pytest.mark.parametrize("text", ["</script>", "a<!-- b", "line\r\n", "</SCRIPT >"])
def test_a_script_that_would_end_early_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="script"):
        made(scripts=(text,))


@pytest.mark.parametrize(
    "hostile",
    ["</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029", "\ud800 alone", "x" * 10**6, "]]>", "\x00"],
)  # fmt: skip
def test_hostile_text_goes_through_the_data_block_unharmed_and_harmless(hostile: str) -> None:
    block = str(json_block({"text": hostile}))
    assert "<" not in block
    assert block.isascii()
    assert json.loads(block)["text"] == hostile


def test_a_template_escapes_what_it_is_given_and_shows_what_would_steer_a_reader() -> None:
    page = document("bare.html", None, style="", scripts=(), title='"><img src=x>\u202e\ud800')
    assert "<img" not in page
    assert "&lt;img src=x&gt;&lt;U+202E&gt;&lt;U+D800&gt;" in page
    page.encode()


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_block({"share": float("nan")})


def test_the_chart_library_is_the_file_that_was_published() -> None:
    assert hashlib.sha256(ECHARTS.read_bytes()).hexdigest() == ECHARTS_SHA256
    assert {path.name for path in ECHARTS.parent.iterdir()} == {
        "echarts.min.js", "LICENSE", "LICENSE-d3", "LICENSE-zrender", "NOTICE",
    }  # fmt: skip
    assert "Apache License" in (ECHARTS.parent / "LICENSE").read_text()


def test_a_changed_chart_library_is_refused(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathlib import Path

    from stdm_platform.pages import library

    changed = Path(str(tmp_path)) / "echarts.min.js"
    changed.write_bytes(ECHARTS.read_bytes() + b" ")
    monkeypatch.setattr(library, "ECHARTS", changed)
    with pytest.raises(RuntimeError, match="not Apache ECharts"):
        library.chart_library.__wrapped__()


@pytest.mark.parametrize("path", OUR_SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_ours_makes_markup_of_text_or_asks_anybody(path: object) -> None:
    text = asset(getattr(path, "name"))  # noqa: B009
    assert [each for each in (*MARKUP_SINKS, *OUTSIDE) if each in text] == []


@pytest.mark.parametrize("name", ["page.css", "session.css"])
def test_no_style_of_ours_loads_anything(name: str) -> None:
    assert [each for each in OUTSIDE if each in asset(name)] == []
