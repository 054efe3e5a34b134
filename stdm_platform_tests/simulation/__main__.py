"""More seeds than the suite lives: `python -m stdm_platform_tests.simulation --seeds 20 --days 5`.

Belongs here: the command. Each seed is proven as in the suite; one that fails ends it with its words.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from stdm_platform_tests.simulation.lives import DAYS, assert_all_was_met, assert_seed_is_proven


def main() -> None:
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many (20)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--days", type=int, default=DAYS, help=f"of hourly ticks ({DAYS})")
    wanted = parser.parse_args()
    met: set[tuple[str, str]] = set()
    for seed in range(wanted.first, wanted.first + wanted.seeds):
        with tempfile.TemporaryDirectory(prefix="stdm-simulation-") as folder:
            met |= assert_seed_is_proven(seed, Path(folder) / "data", days=wanted.days)
    assert_all_was_met(met)
    print(f"{wanted.seeds} seeds: after the settle time the lake is the source")


if __name__ == "__main__":
    main()
