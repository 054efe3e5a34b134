"""The fault plan: which request is answered badly, how, and the record of it.

Belongs here: the plan, its JSON form, the choice of the fault for a request, the log of what was
served. Does not: the bytes of a bad answer (`fault_answers.py`) or closing connections
(`fault_layer.py`). The JSON form is `FAULT_PLAN_HELP` below.
"""

from __future__ import annotations

import fnmatch
import random
import re
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stdm_platform.errors import ArgumentError
from stdm_platform.sandbox.fault_kinds import ENDPOINT_KINDS, FAULT_PLAN_HELP, KINDS

LOG_LIMIT = 100_000
SPEC_FIELDS = {
    "kind", "on", "path", "method", "every", "probability", "first", "at", "times", "permanent",
}  # fmt: skip
PLAN_FIELDS = {"seed", "share", "faults"}


@dataclass
class Fault:
    """One fault of a plan: its kind, the requests it is for, and how often."""

    kind: str
    on: tuple[str, ...]
    path: str | None = None
    method: str | None = None
    every: int | None = None
    probability: float | None = None
    first: int | None = None
    at: tuple[int, ...] | None = None
    times: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    chosen: int = 0
    served: int = 0

    @classmethod
    def parse(cls, spec: Mapping[str, Any]) -> Fault:
        """The fault that a JSON object describes.

        Raises:
            ArgumentError: a field is unknown or its value cannot be meant.
        """
        kind = spec.get("kind")
        if kind not in KINDS:
            raise ArgumentError(
                f"fault kind {kind!r} is unknown.", action=f"Use one of: {', '.join(KINDS)}."
            )
        unknown = set(spec) - SPEC_FIELDS - set(KINDS[kind].details)
        if unknown:
            raise ArgumentError(
                f"fault {kind} has no field {', '.join(sorted(unknown))}.", action="See --help."
            )
        on = spec.get("on", "*")
        at = spec.get("at")
        try:
            re.compile(spec.get("path") or "")
            fault = cls(
                kind=kind,
                on=(on,) if isinstance(on, str) else tuple(on),
                path=spec.get("path"),
                method=spec.get("method"),
                every=_positive(spec, "every"),
                probability=None if (p := spec.get("probability")) is None else float(p),
                first=_positive(spec, "first"),
                at=None if at is None else tuple(int(number) for number in at),
                times=_positive(spec, "times"),
                details={
                    **KINDS[kind].details,
                    **{k: spec[k] for k in KINDS[kind].details if k in spec},
                },
            )
        except (TypeError, ValueError, re.error) as error:
            raise ArgumentError(f"fault {kind}: {error}.", action="See --help.") from error
        return fault

    def is_for(self, operation: str, method: str, path: str) -> bool:
        """Whether a request of this kind is one the fault is for."""
        return (
            any(fnmatch.fnmatch(operation, pattern) for pattern in KINDS[self.kind].operations)
            and any(fnmatch.fnmatch(operation, pattern) for pattern in self.on)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.times is None or self.chosen < self.times)
        )

    def is_due(self, rng: random.Random) -> bool:
        """Whether the next matching request gets the fault; counts the request."""
        number = self.seen
        self.seen += 1
        if self.every is not None and (number + 1) % self.every != 0:
            return False
        if self.first is not None and number >= self.first:
            return False
        if self.at is not None and number not in self.at:
            return False
        return self.probability is None or rng.random() < self.probability


def _positive(spec: Mapping[str, Any], name: str) -> int | None:
    value = spec.get(name)
    if value is None:
        return None
    if int(value) < 1:
        raise ValueError(f"{name} {value} is not 1 or more")
    return int(value)


class FaultPlan:
    """The faults in force, and the log of those that were served. Safe to share by threads."""

    def __init__(
        self, faults: Sequence[Fault] = (), *, seed: int = 1, share: float | None = None
    ) -> None:
        self.faults = list(faults)
        self.share = share
        self._rng = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._lock = threading.Lock()
        self._log: list[dict[str, Any]] = []
        self._counts: Counter[str] = Counter()

    @classmethod
    def parse(cls, plan: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> FaultPlan:
        """The plan that JSON describes.

        Raises:
            ArgumentError: the plan or one of its faults cannot be meant.
        """
        if not isinstance(plan, Mapping):
            plan = {"faults": plan}
        unknown = set(plan) - PLAN_FIELDS
        if unknown:
            raise ArgumentError(
                f"fault plan has no field {', '.join(sorted(unknown))}.", action="See --help."
            )
        share = plan.get("share")
        if share is not None and not (isinstance(share, int | float) and 0 <= share <= 1):
            raise ArgumentError(f"fault plan: share {share!r} is not 0 to 1.", action="See --help.")
        specs = plan.get("faults", [])
        if not isinstance(specs, list) or not all(isinstance(spec, dict) for spec in specs):
            raise ArgumentError("fault plan: faults is no list of objects.", action="See --help.")
        return cls(
            [Fault.parse(spec) for spec in specs], seed=int(plan.get("seed", 1)), share=share
        )

    def choose(self, operation: str, method: str, path: str) -> list[Fault]:
        """The faults of this request: at most one that answers it, the last; others bend the answer."""
        with self._lock:
            fitting = [fault for fault in self.faults if fault.is_for(operation, method, path)]
            if self.share is not None:
                if not fitting or self._rng.random() >= self.share:
                    return []
                # The one served least comes first, so that a short run meets them all.
                fitting = [min(fitting, key=lambda fault: fault.chosen)]
            chosen: list[Fault] = []
            for fault in fitting:
                if fault.is_due(self._rng):
                    fault.chosen += 1
                    chosen.append(fault)
                    if fault.kind not in ENDPOINT_KINDS:
                        break
            return chosen

    def record(self, fault: Fault, operation: str, method: str, path: str) -> None:
        """Note that a fault was really served."""
        entry = {
            "kind": fault.kind,
            "operation": operation,
            "method": method,
            "path": path,
            "time": datetime.now(UTC).isoformat(),
        }
        with self._lock:
            fault.served += 1
            self._counts[fault.kind] += 1
            if len(self._log) < LOG_LIMIT:
                self._log.append(entry)

    def report(self) -> dict[str, Any]:
        """The plan in force, the counts by kind, and the log of served faults."""
        with self._lock:
            return {
                "faults": [
                    {"kind": f.kind, "on": list(f.on), "seen": f.seen, "served": f.served}
                    for f in self.faults
                ],
                "served": dict(self._counts),
                "log": list(self._log),
            }


__all__ = ["FAULT_PLAN_HELP", "Fault", "FaultPlan"]
