"""Pages for people: one HTML file each, whole in itself, that needs neither server nor network.

Belongs here: what stands on a page, its scripts, styles and the chart library, and the policy that forbids it
everything else. Does not: questions to the marts that a command or notebook asks too (`insight`), writing files
and printing (`cli`).

    report.py                   the report: its sections, and the page around them
    at_a_glance.py … costs.py   one section each: SQL on the marts → figures
    figures.py, asked.py        what a figure is: definition, denominator, age of its data, chart, tables
    ground.py                   what the figures rest on: days, objects, how far they are held
    session.py, turn_parts.py   the page of one session
    document.py, library.py     one document of template, data, styles and scripts; its policy
    assets/                     templates, scripts, styles, the chart library as it was published

Data is text on these pages: what a stranger typed goes through a template that escapes everything, or as JSON
into `textContent`. The policy allows no script but ours, by its hash, and no request at all.
"""

from __future__ import annotations

from stdm_platform.pages.report import report_page
from stdm_platform.pages.session import session_page

__all__ = ["report_page", "session_page"]
