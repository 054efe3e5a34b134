"""Hold one window file against what the source says of its window.

Belongs here: what kind of difference there is, if any. Does not: the figures (`figures.py`), asking
(`day_verification.py`), what a difference means for a user (`discrepancy.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa

from stdm_platform.errors import DamagedFileError, LakeError
from stdm_platform.extraction.aside import Aside, aside_of_file, with_aside
from stdm_platform.extraction.figures import Figures, figures_of_file, rewritten_columns
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.lake import Evidence, Window, WindowFile

Kind = Literal["equal", "damaged", "doubled", "more", "fewer", "rewritten", "replaced"]
"""damaged: the file does not hold what was written. doubled: a key stands twice at the source. more,
fewer: rows at the source. rewritten: as many rows, other values. replaced: the file is gone."""

Held = tuple[WindowFile, Evidence]


@dataclass(frozen=True)
class WindowCheck:
    """What was found of one window.

    `columns` are source names of rewritten values, `aside` the rows of it kept in quarantine,
    `surplus` those at the source that repeat a key.
    """

    file: WindowFile
    said: Evidence
    kind: Kind
    source: Figures | None = None
    lake: Figures | None = None
    columns: tuple[str, ...] = ()
    aside: int = 0
    surplus: int = 0


def compared(
    shape: SourceShape, held: Held, source: Figures, quarantine: Path | None = None
) -> WindowCheck:
    """What the source's figures of a window say against its file, and the rows kept aside of it.

    Raises:
        LakeError: the disk refuses to read.
    """
    file, said = held
    kind: Kind
    try:
        midnight = Window.of_day(file.day)
        lake, checksum = figures_of_file(file.path, shape.dmo, midnight)
        aside = _aside(shape, held, quarantine)
    except DamagedFileError:
        kind = "damaged" if file.path.exists() else "replaced"
        return WindowCheck(file, said, kind, source if kind == "damaged" else None)
    except FileNotFoundError:
        return WindowCheck(file, said, "replaced")
    except OSError as error:
        if error.errno is None:  # Parquet's own complaint
            return WindowCheck(file, said, "damaged", source)
        raise LakeError(
            f"The disk refused: {error}.", action="Mend the disk, run again."
        ) from error
    except pa.ArrowException:
        return WindowCheck(file, said, "damaged", source)
    spelled = {name.lower() for name in said.absent_columns}
    left_out = [
        column.name
        for column in shape.dmo.columns
        if spelled.intersection(each.lower() for each in column.candidates)
    ]
    ours = with_aside(lake, aside)
    surplus = _with_key(shape, source, aside) - source.keys
    names = rewritten_columns(shape.dmo, source, ours, left_out)
    kind = "rewritten" if names else "equal"
    if ours.rows != source.rows:
        kind = "more" if source.rows > ours.rows else "fewer"
    if surplus > 0:
        kind = "doubled"
    if _is_other(checksum, said.checksum):
        kind = "damaged"
    columns = tuple(shape.columns[name] for name in names)
    return WindowCheck(file, said, kind, source, lake, columns, aside.rows, surplus)


def _aside(shape: SourceShape, held: Held, quarantine: Path | None) -> Aside:
    file, said = held
    if quarantine is None:
        return Aside()
    return aside_of_file(quarantine, shape.dmo, Window.of_day(file.day), said.quarantined_rows)


def _with_key(shape: SourceShape, source: Figures, aside: Aside) -> int:
    """Rows at the source that have a key: as it says itself, else as many as when it was read."""
    told = source.totals.get(shape.dmo.key)
    return source.rows - aside.keyless if told is None else told.values


def _is_other(checksum: str, written: str) -> bool:
    """Whether the rows are not those that were written; another version of Polars cannot tell."""
    same_algorithm = checksum.partition(":")[0] == written.partition(":")[0]
    return same_algorithm and checksum != written
