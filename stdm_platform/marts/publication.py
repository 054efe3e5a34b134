"""Publish a build: a new generation of mart files, then the views on it, then the pointer to it.

Belongs here: exporting touched days, linking untouched ones, `marts.duckdb`, `marts/current`, and
removing old generations. Does not: building (`dbt_command.py`).

Nobody sees a generation before it is whole: it gets its name last. The view file is swapped in one
step, then the pointer. A crash between the two leaves readers on a whole new generation while the
pointer, which decides what is due, still means the old one: the days are built once more.
"""

from __future__ import annotations

import json
import shutil
import uuid
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from stdm_platform.errors import MartError
from stdm_platform.lake import files
from stdm_platform.marts import observing
from stdm_platform.marts.contract import VIEW, view_sql
from stdm_platform.marts.digests import models_digest
from stdm_platform.marts.engine import connect_to_warehouse, export_memory
from stdm_platform.marts.preparation import Inputs, sql_text
from stdm_platform.marts.sketch import macros_sql
from stdm_platform.marts.store import DAY_PREFIX, Generation, MartDay, MartStore
from stdm_platform.settings import Settings

KEEP_REPLACED = timedelta(hours=24)
"""An open reader still finds its files that long after its generation was replaced."""

READABLE_STORAGE = "v1.5.0"
"""Storage version of `marts.duckdb`: DuckDB 1.5 clients read it too."""

REPLACED_MARK = ".replaced_at"
FOOTER_PREFIX = "stdm."


def publish(
    store: MartStore, inputs: Inputs, now: datetime, settings: Settings | None = None
) -> Generation:
    """Make what the warehouse holds visible, together with all untouched days.

    The caller holds the lock. A mart that this build did not make keeps its files, and its
    touched days stay due.
    """
    before = store.current()
    numbers = [generation.number for generation in store.generations()]
    number = max(numbers, default=0) + 1
    _remove_drafts(store)
    draft = store.folder / f".draft-{uuid.uuid4().hex[:12]}"
    files.make_folder(draft)
    built = _export(store, inputs, draft, now, settings)
    if before is not None:
        _link_untouched(before, draft, inputs, built)
    files.sync_tree(draft)
    generation = Generation(number, store.folder / f"gen-{number}", built_days=inputs.days)
    files.move(draft, generation.path)
    files.sync_folder(store.folder)
    write_views(store, generation)
    _point_to(store, generation)
    _mark_replaced(store, generation, now)
    remove_old_generations(store, now)
    return generation


def write_views(store: MartStore, generation: Generation) -> None:
    """Swap in a `marts.duckdb` whose views read this generation, from any working directory."""
    draft = store.marts_db.with_name(f".{store.marts_db.name}.{uuid.uuid4().hex[:12]}")
    try:
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute(
                f"attach {sql_text(draft)} as published (storage_version '{READABLE_STORAGE}')"
            )
            for mart in generation.marts():
                connection.execute(_view(generation, mart))
            connection.execute(view_sql("published"))
            connection.execute(macros_sql("published"))
            lake = store.data_dir / "lake"
            if any(lake.glob("*/date=*/*.parquet")):  # a view on nothing cannot be made
                connection.execute(observing.view_sql("published", lake))
            connection.execute("detach published")
        files.sync_file(draft)
        draft.replace(store.marts_db)
        files.sync_folder(store.data_dir)
    finally:
        draft.unlink(missing_ok=True)
        draft.with_name(draft.name + ".wal").unlink(missing_ok=True)


def mend(store: MartStore) -> bool:
    """Write the views anew when they do not read the current generation: the directory moved.

    Returns whether anything was written. `stdm doctor` calls it.
    """
    with store.lock():
        current = store.current()
        if current is None or _views_read(store, current):
            return False
        write_views(store, current)
        return True


def remove_old_generations(store: MartStore, now: datetime) -> list[int]:
    """Remove generations that were replaced long enough ago; never the current one."""
    current = store.current()
    removed = []
    for generation in store.generations():
        mark = generation.path / REPLACED_MARK
        if current is None or generation.number == current.number or not mark.exists():
            continue
        if now - datetime.fromisoformat(mark.read_text()) > KEEP_REPLACED:
            grave = store.folder / f".draft-{uuid.uuid4().hex[:12]}"
            files.move(generation.path, grave)  # half a generation never has a generation's name
            files.remove_tree(grave)
            removed.append(generation.number)
    return removed


def _export(
    store: MartStore, inputs: Inputs, draft: Path, now: datetime, settings: Settings | None
) -> set[str]:
    """Write one file per built mart and touched day; a day without rows gets an empty file."""
    with connect_to_warehouse(store, settings, read_only=True) as warehouse:
        warehouse.execute(f"set memory_limit = '{export_memory(settings)}'")
        columns: dict[str, list[str]] = {}
        for mart, column in warehouse.execute(
            """
            select table_name, column_name from information_schema.columns
            where table_schema = 'main' and table_name in (
                select table_name from information_schema.columns where column_name = 'session_date'
            ) and table_name in (select unnest(?::varchar[]))
            order by table_name, ordinal_position
            """,
            [list(inputs.marts)],
        ).fetchall():
            columns.setdefault(mart, []).append(column)
        for mart, names in columns.items():
            for day in inputs.days:
                path = (
                    draft
                    / mart
                    / f"{DAY_PREFIX}{day}"
                    / f"{inputs.digests[day]}-{inputs.models}.parquet"
                )
                path.parent.mkdir(parents=True)
                footer = {
                    "mart": mart,
                    "session_date": str(day),
                    "digest": inputs.digests[day],
                    "models": inputs.models,
                    "built_at": now.isoformat(),
                    "columns": json.dumps(names),
                }
                warehouse.execute(_copy(mart, day, path, footer))
    if not columns:
        raise MartError(
            "dbt built no mart.", action="Build at least one mart of `dbt_models/marts`."
        )
    return set(columns)


def _copy(mart: str, day: date, path: Path, footer: dict[str, str]) -> str:
    facts = ", ".join(f"'{FOOTER_PREFIX}{key}': {sql_text(value)}" for key, value in footer.items())
    return (
        f"copy (select * exclude (session_date) from main.{mart} where session_date = date '{day}' "
        f"order by all) to {sql_text(path)} (format parquet, compression zstd, kv_metadata {{{facts}}})"
    )


def _link_untouched(before: Generation, draft: Path, inputs: Inputs, built: set[str]) -> None:
    """Link what this build left alone; a mart that the project no longer has is left behind."""
    for mart in set(before.marts()).intersection(inputs.marts):
        for file in before.files(mart):
            if mart in built and file.day in inputs.days:
                continue
            path = file.path
            target = draft / mart / path.parent.name
            target.mkdir(parents=True, exist_ok=True)
            with files.opened_folder(path.parent) as descriptor:
                files.link(path.name, descriptor, target / path.name)


def _view(generation: Generation, mart: str) -> str:
    held = generation.files(mart)
    models = models_digest()
    newest = next((file for file in reversed(held) if file.models == models), held[-1])
    columns = ", ".join(json.loads(_footer(newest)["columns"]))
    pattern = sql_text(generation.path / mart / "*" / "*.parquet")
    # Only a generation that mixes models can mix columns; by name, every footer has to be opened.
    mixed = len({file.models for file in held}) > 1
    return (
        f"create view published.{mart} as select {columns} from read_parquet({pattern}, "
        f"hive_partitioning = true, hive_types = {{'session_date': date}}, "
        f"union_by_name = {str(mixed).lower()})"
    )


def _footer(file: MartDay) -> dict[str, str]:
    metadata = pq.read_metadata(file.path).metadata or {}
    return {
        key.decode().removeprefix(FOOTER_PREFIX): value.decode()
        for key, value in metadata.items()
        if key.startswith(FOOTER_PREFIX.encode())
    }


def _views_read(store: MartStore, generation: Generation) -> bool:
    try:
        with duckdb.connect(str(store.marts_db), read_only=True) as connection:
            texts = connection.execute(
                "select sql from duckdb_views() where not internal and view_name not in (?, ?)",
                [VIEW, observing.VIEW],
            ).fetchall()
    except duckdb.Error:
        return False
    folder = sql_text(generation.path)[:-1]
    return bool(texts) and all(f"{folder}/" in text for (text,) in texts)


def _point_to(store: MartStore, generation: Generation) -> None:
    draft = store.folder / f".current-{uuid.uuid4().hex[:12]}"
    draft.symlink_to(generation.path.name)
    draft.replace(store.current_link)
    files.sync_folder(store.folder)


def _mark_replaced(store: MartStore, current: Generation, now: datetime) -> None:
    for generation in store.generations():
        mark = generation.path / REPLACED_MARK
        if generation.number != current.number and not mark.exists():
            files.write_file(mark, now.isoformat().encode())


def _remove_drafts(store: MartStore) -> None:
    """What killed runs left: drafts never become visible, and only one publication runs at a time."""
    for path in store.folder.glob(".current-*"):
        path.unlink(missing_ok=True)
    for path in store.folder.glob(".draft-*"):
        shutil.rmtree(path)
    for path in store.data_dir.glob(f".{store.marts_db.name}.*"):
        path.unlink(missing_ok=True)
