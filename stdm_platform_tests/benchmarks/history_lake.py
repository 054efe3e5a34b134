"""A lake of many days, written straight into its own room: rows made by SQL, footers by the product.

Belongs here: rows of any number of days, seeded, as plausible as a measurement needs. Does not: measuring
(`history.py`), plausible conversations (the sandbox's generator).

Every window goes by way of `Lake.stage`, `StagedWindow.close` and `Lake.publish`, so checksums, names and
evidence are those of an extraction; only the contract's word is given without looking. Keys are of the
seventh kind of UUID unless `scattered`: then keys tell nothing of their time, the worst for every index.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from random import Random

import duckdb

from stdm_platform.catalog import Dmo
from stdm_platform.guard import Verdict
from stdm_platform.lake import Lake, Reading, Window
from stdm_platform.lake.row_file import file_schema
from stdm_platform_tests.session_objects import SESSION_DMOS

ORG_ID = "00Dxx0000000001EAA"
LAST_DAY = date(2026, 1, 31)
READ_AT = datetime(2026, 3, 1, tzinfo=UTC)
TURNS, STEPS_OF_TURN = 5, 5
STEPS_OF_SESSION = TURNS * STEPS_OF_TURN + 1
WRITERS = 2
BATCH_ROWS = 16_384
ONE_DAY = timedelta(days=1)

SHAPE = """
create macro tail(key) as lpad(lower(hex(hash(key, {seed}))), 16, '0');
create macro rest(key) as concat('-7', tail(key)[13:15], '-8', tail(key)[14:16], '-', tail(key)[1:12]);
create macro topic_of(key) as 'Topic_' || (hash(key, {seed}) % 12) || '_16jHu0000000TrX';
create table sessions as
    select n, (n * 86_000_000 // {sessions}) + (hash(n, {seed}) % 60_000)::int as begun from range({sessions}) as numbers (n);
create table turns as
    select n, begun, turn, begun + turn * 60_000 as asked from sessions, range({turns} + 1) as numbers (turn);
create table of_sessions as
    select (begun >= 86_400_000)::int * 86_400_000 as back, begun - back as session_id_off, rest('s' || n) as session_id_tail,
        begun - back as started_at_off, begun - back + {turns} * 60_000 as ended_at_off,
        'E & O' as channel_type, 'NOT_SET' as end_type, 'NOT_SET' as variable_text,
    from sessions order by started_at_off;
create table of_participants as
    select (begun >= 86_400_000)::int * 86_400_000 as back, begun - back as participant_id_off, rest('p' || who || n) as participant_id_tail,
        begun - back as session_id_off, rest('s' || n) as session_id_tail, begun - back as started_at_off,
        case who when 0 then 'USER' else 'AGENT' end as participant_role,
        case who when 1 then 'Agent_' || (n % 7) end as agent_api_name,
        case who when 1 then 'v1' end as agent_version_api_name,
    from sessions, range(2) as numbers (who) order by started_at_off;
create table of_interactions as
    select (asked >= 86_400_000)::int * 86_400_000 as back, asked - back as interaction_id_off, rest('i' || turn || '-' || n) as interaction_id_tail,
        begun - back as session_id_off, rest('s' || n) as session_id_tail,
        asked - 60_000 - back as previous_interaction_id_off,
        case when turn > 0 then rest('i' || (turn - 1) || '-' || n) end as previous_interaction_id_tail,
        asked - back as started_at_off, asked - back + 20_000 as ended_at_off,
        case when turn < {turns} then 'TURN' else 'SESSION_END' end as interaction_type,
        case when turn < {turns} then topic_of(turn || '-' || n) else 'NOT_SET' end as topic_api_name,
        'NOT_SET' as attribute_text,
    from turns order by started_at_off;
create table of_messages as
    select asked + who * 20_000 as sent, (sent >= 86_400_000)::int * 86_400_000 as back,
        sent - back as message_id_off, rest('m' || who || turn || '-' || n) as message_id_tail,
        asked - back as interaction_id_off, rest('i' || turn || '-' || n) as interaction_id_tail,
        begun - back as session_id_off, rest('s' || n) as session_id_tail, sent - back as sent_at_off,
        case who when 0 then 'Input' else 'Output' end as message_type, 'TEXT' as content_type,
        'Where is my order ' || n as content_text,
    from turns, range(2) as numbers (who) where turn < {turns} order by sent_at_off;
create table of_steps as
    select asked + step * 3000 as begins, (begins >= 86_400_000)::int * 86_400_000 as back,
        begins - back as step_id_off, rest('t' || step || turn || '-' || n) as step_id_tail,
        asked - back as interaction_id_off, rest('i' || turn || '-' || n) as interaction_id_tail,
        begins - 3000 - back as previous_step_id_off,
        case when step > 0 then rest('t' || (step - 1) || turn || '-' || n) end as previous_step_id_tail,
        begins - back as started_at_off, begins - back + 2000 as ended_at_off,
        case when turn = {turns} then 'SESSION_END'
            else ['LLM_STEP', 'TOPIC_STEP', 'LLM_STEP', 'ACTION_STEP', 'LLM_STEP'][step + 1] end as step_type,
        case when turn = {turns} then ['CLOSED_USER_REQUEST', 'CLOSED_TRANSFERRED'][n % 5 // 4 + 1]
            else 'Prompt_' || step end as step_name,
        prose(step_id_tail, {text} // 2) as input_value_text,
        case when step_type = 'ACTION_STEP'
            then '{{"mgr.tool.status":"' || case when n % 50 = 0 then 'error' else 'success' end
                || '","said":"' || prose(step_id_tail || 'o', {text} // 2) || '"}}'
            else prose(step_id_tail || 'o', {text} // 2) end as output_value_text,
        case when n % 97 = 0 and step = 4 then 'Error: not found' else 'NOT_SET' end as error_message_text,
    from turns, range({steps}) as numbers (step) where turn < {turns} or step = 0 order by started_at_off;
create table of_moments as
    select (begun >= 86_400_000)::int * 86_400_000 as back, begun - back as moment_id_off, rest('o' || n) as moment_id_tail,
        begun - back as session_id_off, rest('s' || n) as session_id_tail, begun - back as started_at_off,
        'Agent_' || (n % 7) as agent_api_name, 'Asked for an order' as request_summary_text,
    from sessions order by started_at_off;
create macro hex7(instant) as '0' || lower(hex(instant));
create macro uuid7(instant, tail) as concat(hex7(instant)[1:8], '-', hex7(instant)[9:12], tail);
create macro scattered(instant, tail) as cast(cast(md5(tail || instant) as uuid) as varchar);
"""
PROSE = """
create macro sentence(number) as {sentences}[(number % {count})::int + 1];
create macro words(number) as concat(
    sentence(number), sentence(number // 512), sentence(number // 262_144), sentence(number // 134_217_728));
create macro prose(key, length) as words(hash(key, {seed}))[1:length];
"""
"""Text of up to 300 characters: sentences that the key decides."""
SENTENCES, SENTENCE = 512, 75
TEXT = (
    "the order of my son was never sent from your store and it has to come before monday or i want "
    "the money back please look at what is said in policy about late parcels agent status account"
)


@dataclass(frozen=True)
class Shape:
    """How large the lake is: steps of each day, days, characters of text on each step."""

    steps_of_day: int
    days: int
    text: int = 24
    scattered: bool = False
    seed: int = 1

    @property
    def sessions_of_day(self) -> int:
        """As many as have so many steps."""
        return max(1, self.steps_of_day // STEPS_OF_SESSION)

    def held_days(self) -> list[date]:
        """The days, oldest first."""
        return [LAST_DAY - back * ONE_DAY for back in reversed(range(self.days))]


def make_lake(data_dir: Path, shape: Shape, days: Sequence[date]) -> None:
    """Write these days, by two processes."""
    with ProcessPoolExecutor(WRITERS, get_context("spawn")) as pool:
        for _ in pool.map(
            write_day, [data_dir] * len(days), [shape] * len(days), days, chunksize=4
        ):
            pass


def write_day(data_dir: Path, shape: Shape, day: date) -> None:
    """Write one day of every object: what its clock says of the sessions of this day and the one before."""
    lake, rows = Lake(data_dir), _pattern(shape)
    for entry in SESSION_DMOS:
        _publish(lake, rows, entry, day, "scattered" if shape.scattered else "uuid7")


@cache
def _pattern(shape: Shape) -> duckdb.DuckDBPyConnection:
    """One day's rows, with instants and keys as milliseconds from midnight; made once in a process."""
    rows = duckdb.connect(config={"threads": 1, "memory_limit": "3GB"})
    rows.execute("set timezone = 'UTC'; set enable_progress_bar = false")
    rows.execute(_prose(shape.seed))
    facts = {"turns": TURNS, "steps": STEPS_OF_TURN, "text": shape.text, "seed": shape.seed}
    rows.execute(SHAPE.format(sessions=shape.sessions_of_day, **facts))
    return rows


def _publish(
    lake: Lake, rows: duckdb.DuckDBPyConnection, entry: Dmo, day: date, key_macro: str
) -> None:
    window, schema = Window.of_day(day), file_schema(entry)
    midnight = int(window.start.timestamp() * 1000)
    made = {row[0] for row in rows.execute(f"describe of_{entry.name}").fetchall()}
    columns = []
    for name in (column.name for column in entry.columns):
        if f"{name}_tail" in made:
            key = f"{key_macro}({midnight} + {name}_off, {name}_tail)"
            columns.append(f"case when {name}_tail is null then 'NOT_SET' else {key} end")
        elif f"{name}_off" in made:
            columns.append(f"make_timestamp(({midnight} + {name}_off) * 1000)")
        else:
            columns.append(name if name in made else "null")
    reader = rows.sql(f"select {', '.join(columns)} from of_{entry.name}").to_arrow_reader(
        BATCH_ROWS
    )
    with lake.stage(entry, window) as staged:
        for batch in reader:
            staged.write(batch.rename_columns(schema.names).cast(schema))
        reading = Reading(READ_AT, "history", "0" * 64, staged.rows, "arrow", staged.rows, window)
        proof = Verdict(entry.name, window, staged.rows)
        staged.close(org_id=ORG_ID, reading=reading, settled=True, proof=proof)
        lake.publish(entry.name, day, [staged])


def _prose(seed: int) -> str:
    draws = Random(seed)
    said = [
        " ".join(draws.choices(TEXT.split(), k=30))[: SENTENCE - 1] + " " for _ in range(SENTENCES)
    ]
    return PROSE.format(sentences=said, count=SENTENCES, seed=seed)


def rows_held(lake: Lake) -> dict[str, int]:
    """Rows of each object, as the footers say."""
    held = {}
    for entry in SESSION_DMOS:
        said = [lake.evidence_of_day(entry.name, day) for day in lake.days(entry.name)]
        held[entry.name] = sum(evidence.rows for windows in said for _, evidence in windows)
    return held
