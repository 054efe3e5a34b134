"""What it cost: the models that the agent called, the credits it used, and the rows that observing it read.

Belongs here: the section with its SQL. Does not: prices (a seed of dbt).
"""

from __future__ import annotations

from dataclasses import replace

from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import Drawn, Section, by_day, table_of

LLM = """
    select
        counted_from,
        provider,
        model,
        sum(calls)::bigint as calls,
        sum(calls_with_tokens)::bigint as calls_with_tokens,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        sum(priced_calls)::bigint as priced_calls,
        sum(priced_cost_usd) as priced_cost_usd
    from llm_usage
    where {where}
    group by counted_from, provider, model
    order by calls desc, provider, model
"""
LLM_BY_DAY = """
    select
        session_date,
        sum(calls)::bigint as calls,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        sum(priced_calls)::bigint as priced_calls,
        sum(priced_cost_usd) as priced_cost_usd
    from llm_usage
    where {where}
    group by session_date
    order by session_date
"""
CREDITS = """
    select
        usage_type,
        model,
        is_billable,
        is_metered,
        sum(usage_rows)::bigint as usage_rows,
        sum(quantity) as quantity,
        sum(total_tokens)::bigint as total_tokens
    from credit_usage
    where {where}
    group by usage_type, model, is_billable, is_metered
    order by usage_rows desc, usage_type, model
"""
OBSERVING = """
    select
        object_name,
        sum(readings)::bigint as readings,
        sum(rows_read)::bigint as rows_read,
        case when count(rows_processed) = count(*) then sum(rows_processed) end::bigint as rows_processed
    from observing_cost
    where {where}
    group by object_name
    order by rows_read desc, object_name
"""
OBSERVING_BY_DAY = OBSERVING.replace("object_name", "session_date").replace("rows_read desc, ", "")
LLM_WORDS = Words(
    "llm-usage",
    "Models that the agent called",
    "Calls and tokens as the gateway recorded them; where gateway requests are not held, LLM steps are counted and "
    "tokens and cost are not known. Cost is tokens times the prices in dbt_models/seeds/llm_prices.csv, which are "
    "examples to be edited.",
    "tokens are of calls with tokens, cost is of priced calls; other calls are left out, not free",
    ("gateway_requests", "gateway_responses"),
)
CREDIT_WORDS = Words(
    "credit-usage",
    "Credits that the agent used",
    "Usage as the org accounts it, by type, model and billing flags.",
    "usage rows of the scope's days",
    ("genai_usage",),
)
OBSERVING_WORDS = Words(
    "observing-cost",
    "What observing it cost",
    "Rows that were read from Data 360 for these days, by object and over all readings, from the footers of the lake. "
    "Data 360 bills the rows that it processed, which may be more than the rows that it returned.",
    "readings of windows of these days, of all agents; unknown when one reading does not say",
)


def costs(asker: Asker) -> Section:
    """What it cost: `llm_usage`, `credit_usage` and `observing_cost`."""
    return Section(
        "costs-section",
        "What it cost",
        (
            asker.figure(LLM_WORDS, lambda: _llm(asker)),
            asker.figure(CREDIT_WORDS, lambda: _credits(asker)),
            asker.figure(OBSERVING_WORDS, lambda: _observing(asker)),
        ),
    )


def _llm(asker: Asker) -> Drawn:
    daily = asker.rows(LLM_BY_DAY)
    names = {"prompt_tokens": "prompt tokens", "completion_tokens": "completion tokens"}
    chart = None
    if daily["prompt_tokens"].is_not_null().any():
        chart = by_day(
            "stack", asker.ground.axis, daily, names, unit="count",
            colours={"prompt_tokens": "blue", "completion_tokens": "orange"}, title="Tokens by day",
        )  # fmt: skip
    tables = (
        table_of(asker.rows(LLM), "Calls by model, most first", mart="llm_usage"),
        table_of(daily, "Calls, tokens and cost by day", mart="llm_usage", is_long=True),
    )
    return Drawn(tables, chart, (asker.said(LLM), asker.said(LLM_BY_DAY)))


def _credits(asker: Asker) -> Drawn:
    table = table_of(asker.rows(CREDITS), "Usage by type and model", mart="credit_usage")
    return Drawn((table,), sql=(asker.said(CREDITS),))


def _observing(asker: Asker) -> Drawn:
    of_days = {"has_preview": False}
    ground = asker.ground.scope
    plain = Asker(asker.store, asker.ground) if ground.agent is None else _without_agent(asker)
    daily = plain.rows(OBSERVING_BY_DAY, **of_days)
    names = {"rows_read": "rows read", "rows_processed": "rows processed (billed)"}
    colours = {"rows_read": "blue", "rows_processed": "orange"}
    chart = by_day("lines", asker.ground.axis, daily, names, unit="count", colours=colours, title="Rows by day")  # fmt: skip
    said = {
        "object_name": "Object of the org.",
        "readings": "Readings of windows; a window that is read again counts again.",
        "rows_read": "Rows that the readings returned.",
        "rows_processed": "Rows that Data 360 processed, which it bills.",
    }
    tables = (
        table_of(plain.rows(OBSERVING, **of_days), "Rows by object, most first", said=said),
        table_of(daily, "Rows by day", said=said, is_long=True),
    )
    said_sql = tuple(plain.said(each, **of_days) for each in (OBSERVING, OBSERVING_BY_DAY))
    return Drawn(tables, chart, said_sql)


def _without_agent(asker: Asker) -> Asker:
    """Footers know no agents: reading an object costs the same whoever speaks in it."""
    scope = replace(asker.ground.scope, agent=None)
    return Asker(asker.store, replace(asker.ground, scope=scope))
