"""One HTML document out of a template, data, a style sheet and scripts, which allows nothing else.

Belongs here: escaping, hashes, the content security policy. Does not: what stands on a page.

The policy stands in the page itself, so it holds for a file too: nothing may be loaded from anywhere, sent
anywhere, framed or navigated to by a form; scripts and styles are those with the hashes that it names. A data
block is no script to a browser. Sources: Content Security Policy Level 3, sections 2.3.1 and 8; HTML standard,
4.12.1.3 "Restrictions for contents of script elements".
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stdm_platform.harmless import harmless_lines
from stdm_platform.pages.library import ASSETS

NEVER_IN_SCRIPTS = ("</script", "<!--", "\r")
"""What would end a script early, or make its hash another after the browser has read it."""


def document(template: str, data: Any, *, style: str, scripts: Sequence[str], **values: Any) -> str:
    """The document of a template in `assets/`; all text is UTF-8 without lone surrogates.

    `data` becomes the JSON of the data block, `style` and `scripts` are the text of the one style sheet and
    of the scripts, in their order; `values` are for the template, which escapes them.
    """
    page = _environment().get_template(template)
    return page.render(
        policy=policy(style, scripts),
        data=json_block(data),
        style=Markup(style),  # noqa: S704  our own file
        scripts=[_script(each) for each in scripts],
        **values,
    )


def policy(style: str, scripts: Sequence[str]) -> str:
    """The content security policy that allows these and nothing else."""
    allowed = " ".join(_hash(each) for each in scripts) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def json_block(data: Any) -> Markup:
    r"""JSON for a data block: it cannot end its element, and holds nothing that would steer a reader.

    >>> print(json_block({"text": "</script>"}))
    {"text":"\u003c/script>"}
    """
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False, default=str)
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704  no < is left in it


@cache
def asset(name: str) -> str:
    """The text of a file of ours in `assets/`."""
    return (ASSETS / name).read_text(encoding="utf-8")


def _script(text: str) -> Markup:
    for each in NEVER_IN_SCRIPTS:
        if each in text.lower():
            raise ValueError(f"A script of the page holds {each!r}.")
    return Markup(text)  # noqa: S704  our own file, or the library's


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(ASSETS, encoding="utf-8"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: harmless_lines(value) if type(value) is str else value,
    )
