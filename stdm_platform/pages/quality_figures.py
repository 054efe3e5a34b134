"""Quality signals: of how many checks how many are bad, and how that went day by day.

Belongs here: the section. Does not: what a signal is (`insight.signals`), its SQL (`insight.quality`).
"""

from __future__ import annotations

from stdm_platform.insight import quality_report
from stdm_platform.insight.signals import SIGNALS
from stdm_platform.pages.asked import Asker, Words
from stdm_platform.pages.figures import Drawn, Section, by_day, table_of

NEEDED = ("steps", "content_quality", "content_categories")
COLOURS = dict(zip(SIGNALS, ("blue", "red", "purple", "orange", "teal", "green"), strict=True))
TREND = """
    select
        session_date,
        signal,
        sum(checks)::bigint as checks,
        sum(flagged)::bigint as flagged,
        round(sum(flagged) / nullif(sum(checks), 0), 3) as flagged_share
    from quality_daily
    where {where}
    group by session_date, signal
    order by session_date, signal
"""
SIGNAL_WORDS = Words(
    "quality",
    "Quality signals",
    " ".join(f"{name}: {signal.definition}" for name, signal in SIGNALS.items())
    + " Sessions without any check are unknown and never count as good.",
    "; ".join(f"{name}: {signal.check}" for name, signal in SIGNALS.items()),
    NEEDED,
)
TREND_WORDS = Words(
    "quality-trend",
    "Quality by day",
    "Flagged part of each signal's checks by UTC day of the session. A gap is a day without a check.",
    "checks of the signal on the day: verdicts that can be read",
    NEEDED,
)


def quality(asker: Asker) -> Section:
    """How good the answers were: `quality_daily`."""
    return Section(
        "quality-section",
        "Quality",
        (
            asker.figure(SIGNAL_WORDS, lambda: _signals(asker)),
            asker.figure(TREND_WORDS, lambda: _trend(asker)),
        ),
    )


def _signals(asker: Asker) -> Drawn:
    rows = quality_report(asker.store, asker.ground.scope).drop("definition")
    first = ["signal", "state"]
    rows = rows.select(*first, *(name for name in rows.columns if name not in first))
    table = table_of(rows, "Quality signals", mart="quality_daily")
    return Drawn((table,), command=asker.command("quality-report"))


def _trend(asker: Asker) -> Drawn:
    rows = asker.rows(TREND)
    told = rows.filter(rows["flagged_share"].is_not_null())
    chart = None
    if not told.is_empty():
        wide = told.pivot(on="signal", index="session_date", values="flagged_share")
        names = {name: name.replace("_", " ") for name in SIGNALS if name in wide.columns}
        chart = by_day("lines", asker.ground.axis, wide, names, unit="share", colours=COLOURS, title=TREND_WORDS.title)  # fmt: skip
    table = table_of(rows, "Flagged share by day and signal", mart="quality_daily", is_long=True)
    notes = () if chart else ("No check was made on these days: nothing is known of any trend.",)
    return Drawn((table,), chart, (asker.said(TREND),), notes=notes)
