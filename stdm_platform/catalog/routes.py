"""How the rows of each DMO are found from session ids: the catalog's references, walked.

Belongs here: which column leads to whom, in which order. Pure. Does not: SQL and batches
(`extraction`), filtering files (`lake`).

The walk goes down first: from sessions to what refers to them, and on to what refers to that. Only
then it goes up, to rows that reached ones refer to (the generation of a step, the tag of an
association), and down again from there. So a DMO that can be reached from below is never entered
from a row that many sessions share; one that a row owns (the generation of a step) is entered from
both sides, as some are logged under no session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from stdm_platform.catalog.entries import DMOS
from stdm_platform.catalog.model import Column, Dmo

ROOT = "sessions"


@dataclass(frozen=True)
class Link:
    """Rows whose `column` holds one of the values in `source_column` of the DMO `source`.

    Going down `column` refers to the key of the source; going up it is the key referred to.
    """

    column: str
    source: str
    source_column: str


@dataclass(frozen=True)
class Route:
    """A DMO and the links by which its rows are found; a row found by any of them belongs.

    `spare` links count only where an org has the columns of no other. The root has no link.
    """

    dmo: Dmo
    links: tuple[Link, ...] = ()
    spare: tuple[Link, ...] = ()


def routes_from_sessions(dmos: Sequence[Dmo] = DMOS) -> tuple[Route, ...]:
    """The routes of all DMOs that a session leads to, each after those that it starts from.

    A DMO that nothing connects with sessions has none.
    """
    keys = {dmo.name: dmo.key for dmo in dmos}
    routes = {dmo.name: Route(dmo) for dmo in dmos if dmo.name == ROOT}

    def down(dmo: Dmo) -> Route:
        reached = [each for each in dmo.columns if _leads_down(dmo, each, routes)]
        chosen = _enough(dmo, reached)
        above = [
            Link(dmo.key, other.name, each.name)
            for other in dmos
            for each in other.columns
            if each.owns and other.name in routes and dmo.name in _key_of(each)
        ]

        def links(columns: Iterable[Column]) -> list[Link]:
            return [
                Link(each.name, name, column or keys[name])
                for each in columns
                for name, column in _referred(each).items()
                if name in routes
            ]

        spare = [each for each in reached if each not in chosen]
        return Route(dmo, (*links(chosen), *above), tuple(links(spare)))

    def up(dmo: Dmo) -> Route:
        links = [
            Link(dmo.key, other.name, each.name)
            for other in dmos
            for each in other.columns
            if dmo.name in _key_of(each) and other.name in routes and other.name != dmo.name
        ]
        return Route(dmo, tuple(links))

    while True:
        _add(routes, dmos, down)
        before = len(routes)
        above = [up(dmo) for dmo in dmos if dmo.name not in routes]
        routes.update({route.dmo.name: route for route in above if route.links})
        if len(routes) == before:
            return tuple(routes.values())


def _add(routes: dict[str, Route], dmos: Sequence[Dmo], down: Callable[[Dmo], Route]) -> None:
    """Add what refers to reached DMOs, each once all that it may refer to is reached."""
    within = set(routes)
    while more := {dmo.name for dmo in dmos if _refers_to(dmo, within)} - within:
        within |= more
    waiting = [dmo for dmo in dmos if dmo.name in within and dmo.name not in routes]
    while waiting:
        ready = [dmo for dmo in waiting if not _refers_to(dmo, {each.name for each in waiting})]
        # Objects that refer to each other: the catalog lists parents before children.
        chosen = (ready or [dmo for dmo in waiting if _refers_to(dmo, routes)])[0]
        routes[chosen.name] = down(chosen)
        waiting.remove(chosen)


def _refers_to(dmo: Dmo, names: Iterable[str]) -> bool:
    return any(_leads_down(dmo, each, names) for each in dmo.columns)


def _leads_down(dmo: Dmo, column: Column, names: Iterable[str]) -> bool:
    # What a row owns is found from it, not the other way round.
    return not column.owns and any(name in names and name != dmo.name for name in _referred(column))


def _referred(column: Column) -> dict[str, str | None]:
    """The DMOs that a column may refer to, and by which column of theirs; None is the key."""
    if column.references is None:
        return {}
    return {
        column.references: column.references_column,
        **dict.fromkeys(column.or_references, None),
    }


def _key_of(column: Column) -> set[str]:
    """The DMOs whose key a column may hold."""
    return {name for name, by in _referred(column).items() if by is None}


def _enough(dmo: Dmo, reached: Sequence[Column]) -> list[Column]:
    """The fewest columns that find every row.

    A required session key alone does. Else the session's own key, which may be empty, and the
    parent's, whose row may land later than its children. Without a parent any of them may be set.
    """
    to_root = [each for each in reached if each.references == ROOT]
    whole = [each for each in to_root if each.required]
    if whole:
        return whole[:1]
    to_parent = [each for each in reached if each.name == dmo.parent]
    if not to_parent:
        return list(reached)
    return list(dict.fromkeys([*to_root, *to_parent]))
