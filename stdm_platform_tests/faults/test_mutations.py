"""No sync, no rename and no comparison of counts is there for nothing: without it a case fails.

The places are found in the code; one that is new and has no case here fails the first test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stdm_platform_tests.faults.actions import ACTIONS, Play
from stdm_platform_tests.faults.count_cases import COUNT_CASES
from stdm_platform_tests.faults.disk_cases import DISK_CASES
from stdm_platform_tests.faults.mutations import Place, count_places, disk_places, without
from stdm_platform_tests.faults.requests import in_memory

# where the call stands, and the action (of actions.py) or the case (of disk_cases.py) that needs it
NEEDED_BY = {
    "lake.files.make_private_folder": "a new directory",
    "lake.files.make_folder": "a refused tree",
    "lake.files.move": "the first day",
    "lake.files.sync_file": "the first day",
    "lake.files.sync_folder": "the first day",
    "lake.files.sync_tree": "a tree synced without syncfs",
    "lake.files.write_file": "the first day",
    "lake.files._copy": "a window without links",
    "lake.files._sync: fcntl": "a sync on macOS",
    "lake.files._sync: os": "the first day",
    "lake.linking.take_snapshot: files.exchange": "a snapshot",
    "lake.linking.take_snapshot: files.move": "a first snapshot",
    "lake.publishing.change_day": "the only file damaged",
    "lake.publishing._build: files.move": "a new day",
    "lake.publishing._build: files.sync_folder": "a new day",
    "lake.publishing._swap_in: files.exchange": "a damaged file",
    "lake.publishing._swap_in: files.sync_folder(target.parent)": "a damaged file",
    "lake.publishing._swap_in: files.sync_folder(aside.parent)": "a damaged file",
    "lake.publishing._swap_in: files.move": "a new day",
    "lake.publishing._swap_in: files.sync_folder(target.parent) (no. 2)": "a new day",
    "lake.publishing._swap_in: files.sync_folder(aside.parent) (no. 2)": "a new day",
    "lake.quarantine.QuarantineFile.end": "rows kept aside",
    "lake.quarantine.keep_aside": "rows kept aside",
    "lake.refusals.keep_refused": "a refused day",
    "lake.refusals.write_refusal": "a refused day",
    "lake.row_file.RowFile.end": "a tree",
    "lake.tree_staging.StagedTree._sync_names": "a refused tree",
    "lake.tree_staging.StagedTree.refuse": "a refused tree",
    "lake.trees.publish_tree": "a tree",
    "lake.trees.remove_superseded": "superseded trees go whole",
    "marts.publication.publish": "published marts",
    "marts.publication.write_views": "published marts",
    "marts.publication.remove_old_generations": "old generations go whole",
    "marts.publication._point_to": "published marts",
    "extraction.recall.replace_text": "an interrupted request goes on",
}
MISTAKES = (NameError, TypeError, AttributeError, SyntaxError, ImportError)
"""What a missing sync, rename or comparison never leads to."""
NO_CHECK_OF_COUNTS = {
    "lake.owner.OwnedLake.claim: held is not None and held != org_id": "`held` is an org",
    "data360.v3.V3Queries._columns: not chunk_count": "says that columns are unknown",
}


def case_of(place: Place) -> str | None:
    """The name of the case; the longest beginning of the place counts."""
    fitting = [key for key in NEEDED_BY if str(place).startswith(key)]
    return NEEDED_BY[max(fitting, key=len)] if fitting else None


@pytest.fixture(scope="module")
def cases() -> Iterator[dict[str, Callable[[], list[str]]]]:
    """Cases by name: each tells what is wrong."""
    with in_memory() as folder:
        made: dict[str, Callable[[], list[str]]] = {}
        for number, action in enumerate(ACTIONS):
            if action.name in NEEDED_BY.values():
                (folder / str(number)).mkdir()
                made[action.name] = checked_by(Play(action, folder / str(number)))
        for name, case in DISK_CASES.items():
            made[name] = in_new_folder(case)
        yield made


def checked_by(play: Play) -> Callable[[], list[str]]:
    play.is_impatient = True  # the first thing wrong is enough
    return play.run if play.action.is_cache else lambda: list(play.lose_power())


def in_new_folder(case: Callable[[Path], list[str]]) -> Callable[[], list[str]]:
    def call() -> list[str]:
        with in_memory() as folder:
            return case(folder)

    return call


def fails(case: Callable[[], list[str]]) -> bool:
    """Whether it finds something wrong, or ends in an error that is not a mistake in the case."""
    try:
        return bool(case())
    except MISTAKES:
        raise
    # Without a sync, rename or count check a case may end in any error of disk, Parquet, DuckDB or ours.
    except Exception:  # noqa: BLE001
        return True


def test_every_place_has_a_case() -> None:
    assert [str(place) for place in disk_places() if case_of(place) is None] == []
    known = COUNT_CASES.keys() | NO_CHECK_OF_COUNTS.keys()
    assert [str(place) for place in count_places() if str(place) not in known] == []
    assert len(disk_places()) >= 40
    assert len(count_places()) >= 8


def test_each_case_passes_as_the_code_is(cases: dict[str, Callable[[], list[str]]]) -> None:
    assert {name: wrong for name, case in cases.items() if (wrong := case())} == {}
    found = {name: case() for name, case in COUNT_CASES.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_its_case_fails_without_any_one_sync_or_rename(
    cases: dict[str, Callable[[], list[str]]],
) -> None:
    unnoticed = []
    for place in disk_places():
        name = case_of(place)
        assert name is not None
        with without(place):
            if not fails(cases[name]):
                unnoticed.append(f"{place} ({name})")
    assert not unnoticed, "\n".join(unnoticed)


def test_its_case_fails_without_any_one_check_of_counts() -> None:
    unnoticed = []
    for place in count_places():
        if str(place) in NO_CHECK_OF_COUNTS:
            continue
        with without(place):
            if not fails(COUNT_CASES[str(place)]):
                unnoticed.append(str(place))
    assert not unnoticed, "\n".join(unnoticed)
