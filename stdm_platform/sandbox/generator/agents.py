"""The agents of the sandbox org, its users, and the tables that the SQL joins them from.

Belongs here: who exists in the org. Does not: what they say (`bank/`), how often they meet
(`sessions.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from stdm_platform.sandbox.generator import bank
from stdm_platform.sandbox.generator.draws import bits, literal, member, text_list

CLASSIC = "classic"
NEWER = "newer"
USER_COUNT = 4_000
CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
FIRST_NAMES = [
    "Mia",
    "Noah",
    "Zoë",
    "Liam",
    "Aïcha",
    "Jürgen",
    "Olivia",
    "Søren",
    "Chidi",
    "Yuki",
    "Ana",
    "José",
    "Fatima",
    "Omar",
    "Priya",
    "Li",
    "Björn",
    "Łukasz",
    "Chloé",
    "Ivan",
    "Sofia",
    "Mateo",
    "Ingrid",
    "Kwame",
    "Leila",
    "Hugo",
    "Nadia",
    "Seán",
    "Greta",
    "Tariq",
]
SURNAMES = [
    "Li",
    "Okafor",
    "Müller",
    "García",
    "Novák",
    "Smith",
    "O'Neil",
    "Sato",
    "Rossi",
    "Dubois",
    "Kaya",
    "Silva",
    "Nguyen",
    "Brandt",
    "Haddad",
]


@dataclass(frozen=True)
class Agent:
    """An agent: which planner it runs on, how it names things, what it can talk about.

    `types` holds one agent type per version, oldest first. `suffixed` says whether its topics carry
    the planner suffix; `no_error` is what its steps hold where there was no error.
    """

    name: str
    planner: str
    template: str
    weight: float
    types: tuple[str, ...]
    topics: tuple[bank.Topic, ...]
    staff: bool = False
    greets: bool = False
    suffixed: bool = True
    no_error: str | None = "NOT_SET"


_SERVICE = ("EinsteinServiceAgent", "EinsteinServiceAgent")
AGENTS = (
    Agent("Airline_Concierge", CLASSIC, "Service_Agent", 34, _SERVICE, bank.AIRLINE_TOPICS),
    Agent(
        "Retail_Support", CLASSIC, "Service_Agent", 24, _SERVICE, bank.RETAIL_TOPICS, greets=True
    ),
    Agent("Travel_Care", NEWER, "NOT_SET", 22, _SERVICE, bank.TRAVEL_TOPICS),
    Agent(
        "Billing_Desk",
        NEWER,
        "NOT_SET",
        18,
        _SERVICE,
        bank.BILLING_TOPICS,
        greets=True,
        no_error=None,
    ),
    Agent(
        "IT_Helpdesk",
        CLASSIC,
        "Employee_Agent",
        1.3,
        ("Employee", "AgentforceEmployeeAgent"),
        bank.IT_TOPICS,
        staff=True,
    ),
    Agent(
        "Loyalty_Guide",
        NEWER,
        "NOT_SET",
        0.7,
        ("AgentforceServiceAgent", "AgentforceServiceAgent"),
        bank.LOYALTY_TOPICS,
        suffixed=False,
    ),
)
DELEGATING, DELEGATE = 2, 3
"""Travel_Care hands turns over to Billing_Desk: the sessions with two agents."""


def eighteen(fifteen: str) -> str:
    """The 18-character form of a 15-character Salesforce id."""
    checks = (
        sum(1 << place for place, letter in enumerate(fifteen[at : at + 5]) if letter.isupper())
        for at in (0, 5, 10)
    )
    return fifteen + "".join(CHECK_LETTERS[check] for check in checks)


def load_agents(con: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Make the work tables `work_agent`, `work_topic` and `work_user`."""
    con.execute(_agents_sql())
    con.execute(_topics_sql())
    con.execute(_users_sql(seed))


def _agents_sql() -> str:
    rows = []
    for number, agent in enumerate(AGENTS):
        for version, kind in enumerate(agent.types):
            planner = f"16jHu000{number:03d}kQ{version}x"
            rows.append(
                f"({number}, {version}, {literal(agent.name)}, {literal(f'v{version + 3}')},"
                f" {literal(agent.planner)}, {literal(kind)}, {literal(agent.template)}, {agent.staff},"
                f" {agent.greets}, {agent.suffixed}, {literal(agent.no_error)}, {literal(planner)},"
                f" {literal(eighteen(planner))}, {len(agent.topics)})"
            )
    return _made(
        "work_agent",
        "agent_no, version_no, agent_name, version_name, planner, agent_type, template, staff, greets,"
        " suffixed, no_error, planner_id15, planner_id18, topic_count",
        rows,
    )


def _topics_sql() -> str:
    rows = []
    for number, agent in enumerate(AGENTS):
        for place, topic in enumerate(agent.topics):
            actions = topic.actions
            errors = ", ".join(text_list(action.errors) for action in actions)
            rows.append(
                f"({number}, {place}, {literal(topic.name)}, {literal(topic.gist)},"
                f" {text_list(topic.utterances)}, {text_list(topic.answers)},"
                f" {text_list(action.name for action in actions)},"
                f" {text_list(action.argument for action in actions)},"
                f" {text_list(action.answer for action in actions)}, [{errors}])"
            )
    return _made(
        "work_topic",
        "agent_no, topic_place, topic_name, gist, utterances, answers, action_names,"
        " action_arguments, action_answers, action_errors",
        rows,
    )


def _users_sql(seed: int) -> str:
    """Users recur between sessions and days, so they depend on the seed alone."""
    key = f"hash('user/{seed}/' || n)"
    digits = f"upper(format('{{:016x}}', {bits(key, 'user id')})[:8])"
    return f"""
        CREATE OR REPLACE TEMP TABLE work_user AS
        WITH numbered AS (SELECT n, {digits} AS digits, {key} AS key FROM range({USER_COUNT}) t(n)),
        checked AS (
            SELECT *, {_check_letter("digits[1:3]", 2)} || {_check_letter("digits[4:8]", 0)} AS checks FROM numbered
        )
        SELECT n AS user_no,
            {member(text_list(FIRST_NAMES), "key", "first name")} AS first_name,
            {member(text_list(SURNAMES), "key", "surname")} AS surname,
            '0PAQy00' || digits AS customer_id15, '0PAQy00' || digits || 'O' || checks AS customer_id18,
            '005Qy00' || digits AS staff_id15, '005Qy00' || digits || 'I' || checks AS staff_id18,
            '1zkQy00' || digits || '000' AS individual_id
        FROM checked"""


def _check_letter(chars: str, offset: int) -> str:
    bit_sum = " + ".join(
        f"CASE WHEN {chars}[{place + 1}] BETWEEN 'A' AND 'Z' THEN {1 << (place + offset)} ELSE 0 END"
        for place in range(5 - offset)
    )
    return f"{literal(CHECK_LETTERS)}[1 + {bit_sum}]"


def _made(table: str, columns: str, rows: Iterable[str]) -> str:
    return f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM (VALUES {', '.join(rows)}) t({columns})"
