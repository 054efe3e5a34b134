"""What Data 360 serves in single values, turned into what it means, as the staging models do.

Belongs here: sentinels, encoded JSON, topics, error signs of one value. Does not: frames of rows, SQL (its
twin is `dbt_models/macros/source_values.sql`; a test compares the two on the sandbox org).

Source: Data 360 page, sections 4.6 and 7.5.
"""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SENTINELS = frozenset({"", "NOT_SET", "UNSET_VALUE", "None"})
TOPIC_SUFFIX = re.compile(r"_(16[A-Za-z0-9]{13}([A-Za-z0-9]{3})?|PlannerPreview-[0-9A-Za-z-]+)$")
ERROR_STATES = frozenset({"error", "failed", "failure"})
ENTITIES = {"&quot;": '"', "&#34;": '"', "&#39;": "'", "&lt;": "<", "&gt;": ">", "&amp;": "&"}
"""In the order in which they are decoded: the ampersand last, so that one level goes and no more."""
LONGEST_LITERAL = 100_000
"""Characters of Python text that are still parsed; the parser's cost grows faster than the text."""


@dataclass(frozen=True)
class VariableChange:
    """One variable that a step changed; `None` before means new, `None` after means gone."""

    name: str
    before: Any
    after: Any


def known(value: str | None) -> str | None:
    """The value, or None where it says that there is none.

    >>> known("NOT_SET") is None, known("x")
    (True, 'x')
    """
    return None if value is None or value in SENTINELS else value


def spoken(text: str | None) -> str | None:
    """What was said, with HTML entities decoded; None only where it says NOT_SET, as people say "None" too.

    >>> spoken("None"), spoken("&lt;b&gt; &amp;quot;"), spoken("NOT_SET")
    ('None', '<b> &quot;', None)
    """
    if text is None or text == "NOT_SET":
        return None
    for entity, character in ENTITIES.items():
        text = text.replace(entity, character)
    return text


def topic_of(value: str | None) -> str | None:
    """A topic without its planner suffix.

    >>> topic_of("Returns_16jHu000000kQ1x"), topic_of("Returns_PlannerPreview-1f"), topic_of("")
    ('Returns', 'Returns', None)
    """
    value = known(value)
    return None if value is None else TOPIC_SUFFIX.sub("", value)


def decoded_json(text: str | None) -> Any:
    """What JSON text says, plain or HTML-escaped; None when it is neither.

    >>> decoded_json('{&quot;a&quot;:1}'), decoded_json("{'a': 1}")
    ({'a': 1}, None)
    """
    text = known(text)
    if text is None:
        return None
    for form in (text, html.unescape(text)):
        try:
            return json.loads(form)
        except (ValueError, RecursionError):
            continue
    return None


def decoded(text: str | None) -> Any:
    """As `decoded_json`, and Python text too, which some orgs write; None when it is prose.

    >>> decoded("{'passed': True}")
    {'passed': True}
    """
    value = decoded_json(text)
    if value is not None or known(text) is None or len(str(text)) > LONGEST_LITERAL:
        return value
    try:
        return ast.literal_eval(html.unescape(str(text)))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def variables_of(text: str | None) -> dict[str, Any] | None:
    """Variables by name; None when none are given, or the text holds no names."""
    value = decoded(text)
    return {str(name): each for name, each in value.items()} if isinstance(value, dict) else None


def variable_changes(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[VariableChange, ...]:
    """What changed from one snapshot to the next, by name; nothing when one of them is not known.

    >>> variable_changes({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4})
    (VariableChange(name='b', before=2, after=3), VariableChange(name='c', before=None, after=4))
    """
    if before is None or after is None:
        return ()
    return tuple(
        VariableChange(name, before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )


def error_status(step_type: str | None, output: str | None) -> str | None:
    """What an action's output says of its failure; None when it says nothing of one.

    >>> error_status("ACTION_STEP", '{"mgr.tool.status": "error"}')
    'error'
    """
    if step_type is None or step_type.upper() != "ACTION_STEP":
        return None
    said = decoded_json(output)
    if not isinstance(said, dict):
        return None
    state = said.get("mgr.tool.status")
    response = said.get("actionResponse")
    if state is None and isinstance(response, dict):
        state = response.get("__action_execution_status__")
    return str(state).lower() if str(state).lower() in ERROR_STATES else None
