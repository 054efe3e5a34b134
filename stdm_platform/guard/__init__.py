"""Contracts derived from the catalog: types, nulls, unique key, clock, decodability, vocabulary.

Belongs here: whether the rows of one window may become visible, and the words in which a refusal
is told. Does not: decoding what an org serves (`extraction`), moving a refused file (`lake`),
showing a verdict (`orchestration`, `cli`).
"""

from stdm_platform.guard.contract import Contract
from stdm_platform.guard.gate import Gate
from stdm_platform.guard.kinds import is_accepted
from stdm_platform.guard.schema import pandera_schema
from stdm_platform.guard.verdict import Failure, Verdict

__all__ = ["Contract", "Failure", "Gate", "Verdict", "is_accepted", "pandera_schema"]
