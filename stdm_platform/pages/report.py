"""The report: one page of figures over a range of session days.

Belongs here: which sections there are, in which order, and the page around them. Does not: their SQL.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from stdm_platform.harmless import harmless
from stdm_platform.insight import Scope
from stdm_platform.marts import MartStore
from stdm_platform.pages.action_figures import actions_and_errors
from stdm_platform.pages.asked import Asker
from stdm_platform.pages.at_a_glance import at_a_glance
from stdm_platform.pages.costs import costs
from stdm_platform.pages.document import asset, document
from stdm_platform.pages.figures import Chart, Section
from stdm_platform.pages.foundations import foundations
from stdm_platform.pages.ground import Ground, ground_of
from stdm_platform.pages.latency import latency
from stdm_platform.pages.library import ECHARTS_VERSION, chart_library
from stdm_platform.pages.outcomes import outcomes
from stdm_platform.pages.quality_figures import quality
from stdm_platform.pages.routing import routing

SECTIONS = (routing, outcomes, latency, actions_and_errors, quality, foundations, costs)


def report_page(store: MartStore, scope: Scope, made_at: datetime) -> str:
    """The report as one HTML document in UTF-8; `made_at` (UTC) is the instant that it is said to be of.

    Of a scope without sessions it says that nothing is there, and what is held instead. What cannot be told
    because its object was never extracted or its mart is not there is said in its place.

    Raises:
        NotExtractedError: no marts were published yet.
    """
    ground = ground_of(store, scope, made_at)
    asker = Asker(store, ground)
    sections = () if ground.is_empty else tuple(_drawn(section(asker)) for section in SECTIONS)
    charts = {
        figure.key: figure.drawn.chart
        for section in sections
        for figure in section.figures
        if figure.drawn is not None and figure.drawn.chart is not None
    }
    return document(
        "report.html",
        {"charts": charts},
        style=asset("page.css"),
        scripts=[chart_library(), asset("tables.js"), asset("charts.js")] if sections else [],
        title=_title(scope),
        scope=scope,
        range_said=_range_said(ground),
        made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
        ground=ground,
        held_said=_held_said(ground),
        tiles=() if ground.is_empty else at_a_glance(asker),
        sections=sections,
        library=f"Apache ECharts {ECHARTS_VERSION}",
    )


def _drawn(section: Section) -> Section:
    """The section with charts only where there is something to draw."""
    return replace(
        section,
        figures=tuple(
            replace(figure, drawn=replace(figure.drawn, chart=None))
            if figure.drawn is not None and _is_blank(figure.drawn.chart)
            else figure
            for figure in section.figures
        ),
    )


def _is_blank(chart: Chart | None) -> bool:
    if chart is None or chart["kind"] == "many":
        return chart is None or not chart["charts"]
    if chart["kind"] == "sankey":
        return not chart["variants"]
    return all(value is None for series in chart["series"] for value in series["values"])


def _title(scope: Scope) -> str:
    return f"Agent report{f' · {harmless(scope.agent)}' if scope.agent else ''}"


def _range_said(ground: Ground) -> str:
    scope = ground.scope
    if scope.since is None and scope.until is None and not ground.is_empty:
        return f"{ground.facts['first_day']} to {ground.facts['last_day']}, all days held"
    first = scope.since.isoformat() if scope.since else "the first day held"
    if scope.until is None:
        return f"{first} to the last day held"
    if scope.since is not None and scope.until <= scope.since:
        return f"{first} until {scope.until.isoformat()} (an empty range)"
    return f"{first} to {(scope.until - timedelta(days=1)).isoformat()}"


def _held_said(ground: Ground) -> str:
    if ground.all_days is None:
        return "No session is held at all: the marts are there, and every day that was extracted had none."
    first, last = ground.all_days
    return f"Sessions are held from {first} to {last}."
