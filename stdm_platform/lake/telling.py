"""Turn an error of the disk into one that a user can act on.

Belongs here: the wording of disk errors. Does not: retrying; a disk error ends the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from stdm_platform.errors import LakeError

ACTION = (
    "Every day holds its old windows or its new ones, whole. Free space or mend rights, run again."
)


@contextmanager
def telling(place: str) -> Iterator[None]:
    """Raise disk and Parquet errors as a LakeError that names the place, like `steps of <day>`."""
    try:
        yield
    except LakeError as error:
        raise error.during(place) from error.__cause__
    except (OSError, pa.ArrowException) as error:
        raise LakeError(f"The disk refused: {error}.", action=ACTION).during(place) from error
