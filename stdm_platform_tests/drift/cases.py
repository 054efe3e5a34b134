"""The drifts: what changes at the source, and what is to become of it.

Belongs here: the table. Does not: how a case is tried (`test_battery.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from stdm_platform.catalog import dmo
from stdm_platform.guard import Severity
from stdm_platform_tests.drift.world import HELD, NEW, on_day, some_rows, source, table

BOTH = ("arrow", "json")


@dataclass(frozen=True)
class Case:
    """One change at the source and what has to follow.

    `kind` is that of the one drift that has to stand, "" for none; `check` that of the contract, or
    `vocabulary` or `quarantine`. `words` have to be in the drift's action. `old` and `new` are in
    it exactly, or None for any. `per_transport` is `new` where transports spell types differently.
    """

    of: str
    name: str
    severity: Severity
    kind: str = ""
    column: str = ""
    old: str | None = ""
    new: str | None = ""
    check: str = ""
    status: Literal["published", "refused", "failed"] = "published"
    settings: Mapping[str, Any] = field(default_factory=dict)
    sql: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    transports: tuple[str, ...] = ("arrow",)
    since_rows: bool = False
    """The first day is that of the rows, not that of the look."""
    besides: frozenset[str] = frozenset()
    """Kinds of news that the same change brings."""

    @property
    def classes(self) -> str:
        """The class of the drift, for the report."""
        return self.kind or self.check


def by_turns(name: str) -> tuple[str, ...]:
    """Both transports for the largest object, one for each of the others."""
    if name == "steps":
        return BOTH
    return ("json",) if name in ("sessions", "interactions", "moments") else ("arrow",)


def cases() -> list[Case]:
    """All of them."""
    return [
        *new_columns(),
        *missing_columns(),
        *types(),
        *objects(),
        *letters(),
        *vocabularies(),
        *broken_rows(),
    ]


def new_columns() -> list[Case]:
    def case(name: str, column: str, kind: str, served: str) -> Case:
        return Case(
            name,
            f"a new column {column}",
            "news",
            "new_column",
            column,
            "",
            served,
            sql=(f'ALTER TABLE {table(name)} ADD COLUMN "{column}" {kind}',),
            words=("Nothing is lost.", f'"{column}"', f"entries/{name}.py"),
            transports=by_turns(name),
        )

    return [
        case("sessions", "ssot__SentimentScore__c", "DOUBLE", "Double"),
        case("steps", "ssot__TokenCount__c", "BIGINT", "BigInt"),
        case("messages", "ssot__Language__c", "VARCHAR", "Varchar"),
        case("moments", "unprefixed__c", "TIMESTAMPTZ", "TimestampTZ"),
    ]


def missing_columns() -> list[Case]:
    found = []
    for reference in (
        "sessions.channel_type",
        "participants.agent_type",
        "interactions.topic_api_name",
        "steps.error_message_text",
        "messages.content_text",
        "moments.ended_at",
    ):
        name, column = reference.split(".")
        named = source(name, column)
        found.append(
            Case(
                name,
                f"{column} is gone",
                "warn",
                "missing_optional_column",
                named,
                named,
                "",
                settings={"hide_columns": [reference]},
                words=("null in the lake", "other_sources"),
                transports=BOTH if name in ("sessions", "steps") else ("json",),
            )
        )
    for reference, transports in (
        ("sessions.session_id", BOTH),
        ("sessions.started_at", ("json",)),
        ("steps.interaction_id", ("arrow",)),
        ("interactions.started_at", ("json",)),
        ("messages.sent_at", ("arrow",)),
        ("participants.session_id", ("json",)),
        ("moments.moment_id", ("arrow",)),
    ):
        name, column = reference.split(".")
        named = source(name, column)
        found.append(
            Case(
                name,
                f"the required {column} is gone",
                "block",
                "missing_required_column",
                named,
                named,
                "",
                status="failed",
                settings={"hide_columns": [reference]},
                words=("other_sources", "entries/"),
                transports=transports,
            )
        )
    for reference, new in (
        ("sessions.session_id", "ssot__SessionId__c"),
        ("steps.started_at", "ssot__StartTime__c"),
    ):
        name, column = reference.split(".")
        named = source(name, column)
        found.append(
            Case(
                name,
                f"the required {column} has an unknown name",
                "block",
                "missing_required_column",
                named,
                named,
                new,
                status="failed",
                settings={"rename_columns": {reference: new}},
                words=(f'other_sources=("{new}",)', f"entries/{name}.py"),
                transports=by_turns(name),
            )
        )
    return found


def types() -> list[Case]:
    found = []
    for reference in ("sessions.started_at", "steps.ended_at", "messages.message_started_at"):
        name, column = reference.split(".")
        found.append(
            Case(
                name,
                f"{column} has no zone any more",
                "warn",
                "type_changed",
                source(name, column),
                "TimestampTZ",
                "Timestamp",
                settings={"column_types": {reference: "TIMESTAMP"}},
                words=('still read as "timestamp"',),
                transports=BOTH,
            )
        )
    for reference, words in (
        ("sessions.started_at", "change it back"),
        ("steps.started_at", "change it back"),
        ("messages.sent_at", "change it back"),
        ("interactions.ended_at", 'write "text"'),
    ):
        name, column = reference.split(".")
        found.append(
            Case(
                name,
                f"{column} is served as text",
                "block",
                "type_changed",
                source(name, column),
                "TimestampTZ",
                "Varchar",
                check="column_type",
                status="refused",
                settings={"column_types": {reference: "VARCHAR"}},
                words=(words,),
                transports=by_turns(name),
            )
        )
    for name, column, readable in (
        ("sessions", "session_id", True),
        ("messages", "interaction_id", True),
        ("steps", "step_type", False),
    ):
        named = source(name, column)
        number = f'CAST(row_number() OVER () AS BIGINT) AS "{named}"'
        found.append(
            Case(
                name,
                f"{column} is a number",
                "warn" if readable else "block",
                "type_changed",
                named,
                "Varchar",
                "BigInt",
                check="" if readable else "column_type",
                status="published" if readable else "refused",
                sql=(
                    f'CREATE OR REPLACE TABLE {table(name)} AS SELECT * REPLACE ({number}) FROM "kept_{name}"',
                ),
                words=('still read as "text"',)
                if readable
                else ('write "number"', "CATALOG_VERSION"),
                transports=by_turns(name),
            )
        )
    return found


def objects() -> list[Case]:
    found = []
    for name, new in (
        ("sessions", "ssot__AIAgentSessionRecord__dlm"),
        ("steps", "ssot__AIAgentStep__dlm"),
        ("moments", "ssot__AiAgentMomentV2__dlm"),
    ):
        found.append(
            Case(
                name,
                "has an unknown name",
                "block",
                "object_gone",
                "",
                dmo(name).objects[0],
                "",
                status="failed",
                settings={"rename_objects": {name: new}},
                words=("objects=(", f"entries/{name}.py"),
                transports=by_turns(name),
            )
        )
    for name in ("interactions", "messages", "participants"):
        found.append(
            Case(
                name,
                "is gone",
                "block",
                "object_gone",
                "",
                dmo(name).objects[0],
                "",
                status="failed",
                settings={"hide_objects": [name]},
                words=("still see it",),
                transports=("json",) if name == "messages" else ("arrow",),
            )
        )
    for name in ("sessions", "participants", "interactions", "steps", "messages", "moments"):
        old, new = dmo(name).objects
        found.append(
            Case(
                name,
                "is of the newer family",
                "news",
                "family_changed",
                "",
                old,
                new,
                settings={"families": {name: "std"}},
                besides=frozenset({"mixed_families"}),
                words=("Nothing has to be done",),
                transports=BOTH if name in ("sessions", "steps") else ("json",),
            )
        )
    return found


def letters() -> list[Case]:
    found = []
    for reference, new in (
        ("sessions.session_id", "ssot__ID__c"),
        ("steps.interaction_id", "ssot__AIAgentInteractionId__c"),
        ("messages.content_text", "SSOT__CONTENTTEXT__C"),
    ):
        name, column = reference.split(".")
        found.append(
            Case(
                name,
                f"{column} is spelled in other letters",
                "news",
                "column_casing",
                new,
                source(name, column),
                new,
                settings={"rename_columns": {reference: new}},
                words=("Nothing has to be done",),
                transports=by_turns(name),
            )
        )
    step = dmo("steps")["step_name"]
    found.append(
        Case(
            "steps",
            "step_name has its other known name",
            "news",
            "column_renamed",
            step.other_sources[0],
            step.source,
            step.other_sources[0],
            settings={"rename_columns": {"steps.step_name": step.other_sources[0]}},
            besides=frozenset({"mixed_families"}),
            words=("Nothing has to be done",),
            transports=BOTH,
        )
    )
    return found


def vocabularies() -> list[Case]:
    found = []
    for reference, value in (
        ("sessions.channel_type", "WhatsApp"),
        ("participants.participant_role", "SUPERVISOR"),
        ("interactions.interaction_type", "HANDOFF"),
        ("steps.step_type", 'A "NEW" STEP'),
        ("messages.content_type", "AUDIO"),
        ("sessions.end_type", "BOUNCED"),
    ):
        name, column = reference.split(".")
        named = source(name, column)
        said = value.replace('"', '\\"')
        found.append(
            Case(
                name,
                f"{column} has a value that is new",
                "news",
                "new_value",
                named,
                "",
                value,
                check="vocabulary",
                since_rows=True,
                sql=(
                    f"UPDATE {table(name)} SET \"{named}\" = '{value}' WHERE {some_rows(name, NEW, 2)}",
                ),
                words=(f'add Value("{said}"', f'Column("{column}"'),
                transports=BOTH if name == "steps" else ("arrow",),
            )
        )
    for reference, old, value in (
        ("steps.step_type", "LLM_STEP", "LlmStep"),
        ("interactions.interaction_type", "TURN", "EXCHANGE"),
        ("messages.message_type", "Input", "Inputs"),
    ):
        name, column = reference.split(".")
        named = source(name, column)
        found.append(
            Case(
                name,
                f"{column} has another word for {old}",
                "warn",
                "value_replaced",
                named,
                "" if value == "EXCHANGE" else old,
                value,
                since_rows=True,
                sql=(
                    f"UPDATE {table(name)} SET \"{named}\" = '{value}' "
                    f"WHERE {on_day(name, NEW)} AND \"{named}\" = '{old}'",
                ),
                words=(f'add Value("{value}"', "do not know it", f"stg_{name}"),
                transports=("json",) if name == "messages" else ("arrow",),
            )
        )
    return found


def broken_rows() -> list[Case]:
    found = []
    for name in ("sessions", "participants", "steps", "messages", "moments"):
        entry = dmo(name)
        few = f"INSERT INTO {table(name)} SELECT * FROM {table(name)} WHERE {{}}"
        both = tuple(few.format(some_rows(name, day, 2)) for day in (HELD, NEW))
        found.append(
            Case(
                name,
                "keys stand twice",
                "block",
                column=entry[entry.key].source,
                check="unique_key",
                status="refused",
                sql=both,
                words=("two streams write the same rows",),
                transports=BOTH if name == "steps" else ("json",),
            )
        )
    for reference, transports in (
        ("sessions.session_id", BOTH),
        ("steps.step_id", ("arrow",)),
        ("messages.interaction_id", BOTH),
        ("participants.session_id", ("json",)),
    ):
        name, column = reference.split(".")
        named = source(name, column)
        emptied = f'UPDATE {table(name)} SET "{named}" = NULL WHERE {{}}'
        few = Case(
            name,
            f"a few {column} are null",
            "warn",
            column=named,
            check="quarantine",
            sql=tuple(emptied.format(some_rows(name, day, 2)) for day in (HELD, NEW)),
            words=("mend the stream",),
            transports=transports,
        )
        found.append(few)
        found.append(
            replace(
                few,
                name=f"most {column} are null",
                severity="block",
                check="not_null",
                status="refused",
                sql=tuple(emptied.format(on_day(name, day)) for day in (HELD, NEW)),
            )
        )
    return found


def ids(each: Sequence[Case]) -> list[str]:
    """A name for each."""
    return [f"{case.of}: {case.name}" for case in each]
