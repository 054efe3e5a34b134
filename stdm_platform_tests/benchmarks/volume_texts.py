"""The words of the volume org's steps: as compressible as real conversations are.

Belongs here: making prompts and phrases, adding them to steps, the gzip ratio of texts. Does not: any other
row. Of a real agent's texts a part comes again and again (its instructions, its tools), the rest is new; so
each step is padded with the beginning of one of a few prompts and with phrases drawn from very many.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable
from pathlib import Path

import duckdb

from stdm_platform.catalog import Column, Dmo, dmo

STEP_CHARACTERS = 600
"""The least characters of text in each step."""

PROMPTS, PHRASES, PHRASE_WORDS = 12, 65_536, 5
NEW_PHRASES = 1
"""Phrases drawn anew for each step; this decides the gzip ratio."""

SYLLABLES = ("ba", "con", "der", "el", "fi", "gra", "hol", "in", "ker", "lo", "mer", "no", "pas", "re",
             "ser", "ti", "un", "ver", "wo", "ze")  # fmt: skip
WORDS = 3_000
STEPS = dmo("steps")


def create_texts(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Make the temporary tables `prompts` and `phrases`."""
    draw = random.Random(seed)  # words, not secrets
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(WORDS)]
    prompts = [" ".join(draw.choices(words, k=STEP_CHARACTERS // 3)) for _ in range(PROMPTS)]
    phrases = [" ".join(draw.choices(words, k=PHRASE_WORDS)) for _ in range(PHRASES)]
    for name, texts in (("prompts", prompts), ("phrases", phrases)):
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT row_number() OVER () - 1 AS i, text "
            "FROM (SELECT unnest(?::VARCHAR[]) AS text)",
            [texts],
        )


def padded_steps(source: str) -> str:
    """A query like `source` (all columns of steps) with at least `STEP_CHARACTERS` in each row's text."""
    given, said = (_quoted(STEPS[name]) for name in ("input_value_text", "output_value_text"))
    key = f"hash({_quoted(STEPS[STEPS.key])})"
    drawn = [f"CAST((({key} >> {16 * n}) % {PHRASES}) AS BIGINT)" for n in range(NEW_PHRASES)]
    joins = "\n".join(f"JOIN phrases f{n} ON f{n}.i = r.draw{n}" for n in range(NEW_PHRASES))
    new = " || ' ' || ".join(f"f{n}.text" for n in range(NEW_PHRASES))
    kept = f"CASE WHEN {given} IN ('', 'NOT_SET') THEN 0 ELSE length({given}) END"
    lacking = f"greatest(0, {STEP_CHARACTERS} - {kept} - length({said}))"
    words = f"left({new} || ' ' || p.text, CAST(r.lacking AS BIGINT))"
    return f"""
        SELECT r.* REPLACE (CASE
            WHEN r.lacking = 0 THEN r.{given}
            WHEN r.{given} LIKE '{{"%' THEN r.{given}[:-2] || ',"context":"' || {words} || '"}}'
            WHEN r.{given} LIKE '{{&quot;%' THEN r.{given}[:-2] || ',&quot;context&quot;:&quot;' || {words} || '&quot;}}'
            WHEN r.{given} LIKE '{{%' THEN r.{given}[:-2] || ', ''context'': ''' || {words} || '''}}'
            WHEN r.{given} IN ('', 'NOT_SET') THEN {words}
            ELSE r.{given} || ' ' || {words} END AS {given})
        FROM (SELECT *, {lacking} AS lacking, CAST({key} % {PROMPTS} AS BIGINT) AS prompt,
                {", ".join(f"{sql} AS draw{n}" for n, sql in enumerate(drawn))}
            FROM ({source})) r
        JOIN prompts p ON p.i = r.prompt
        {joins}"""


def gzip_ratio(texts: Iterable[str]) -> float:
    """Bytes of the texts, a line each, over their bytes in gzip."""
    content = "\n".join(texts).encode()
    return len(content) / len(gzip.compress(content))


def step_texts(con: duckdb.DuckDBPyConnection, steps: Dmo, limit: int = 20_000) -> list[str]:
    """The texts of the first steps of an org's file, in the order in which it serves them."""
    given, said = (_quoted(steps[name]) for name in ("input_value_text", "output_value_text"))
    rows = con.execute(f'SELECT {given}, {said} FROM "{steps.objects[0]}" LIMIT {limit}').fetchall()
    return [text for row in rows for text in row if text]


def texts_of(path: Path) -> list[str]:
    """The texts of a file of chat transcripts (messages with `content`), in their order."""
    found: list[str] = []

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("content"), str):
                found.append(value["content"])
            else:
                for each in value.values():
                    walk(each)
        elif isinstance(value, list):
            for each in value:
                walk(each)

    walk(json.loads(path.read_text()))
    return found


def _quoted(column: Column) -> str:
    return f'"{column.source}"'
