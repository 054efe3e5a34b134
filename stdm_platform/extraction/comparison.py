"""Hold one window file against what the source says of its window.

Belongs here: what kind of difference there is, if any. Does not: the figures (`figures.py`), asking
(`day_verification.py`), what a difference means for a user (`discrepancy.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from stdm_platform.errors import LakeError
from stdm_platform.extraction.figures import Figures, figures_of_file, rewritten_columns
from stdm_platform.extraction.shape import SourceShape
from stdm_platform.lake import Evidence, Window, WindowFile

Kind = Literal["equal", "damaged", "doubled", "more", "fewer", "rewritten", "replaced"]
"""damaged: the file does not hold what was written. doubled: a key stands twice at the source. more,
fewer: rows at the source. rewritten: as many rows, other values. replaced: the file is gone."""

Held = tuple[WindowFile, Evidence]


@dataclass(frozen=True)
class WindowCheck:
    """What was found of one window; `columns` are source names of rewritten values."""

    file: WindowFile
    said: Evidence
    kind: Kind
    source: Figures | None = None
    lake: Figures | None = None
    columns: tuple[str, ...] = ()


def compared(shape: SourceShape, held: Held, source: Figures) -> WindowCheck:
    """What the source's figures of a window say against its file.

    Raises:
        LakeError: the disk refuses to read.
    """
    file, said = held
    try:
        lake, checksum = figures_of_file(file.path, shape.dmo, Window.of_day(file.day))
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
    names = rewritten_columns(shape.dmo, source, lake, left_out)
    kind: Kind = "rewritten" if names else "equal"
    if lake.rows != source.rows:
        kind = "more" if source.rows > lake.rows else "fewer"
    if source.keys < source.rows:
        kind = "doubled"
    if _is_other(checksum, said.checksum):
        kind = "damaged"
    columns = tuple(shape.columns[name] for name in names)
    return WindowCheck(file, said, kind, source, lake, columns)


def _is_other(checksum: str, written: str) -> bool:
    """Whether the rows are not those that were written; another version of Polars cannot tell."""
    same_algorithm = checksum.partition(":")[0] == written.partition(":")[0]
    return same_algorithm and checksum != written
