"""Count which pairs of `RAIDS` are held and which twins run: `raid_figures.py A|B [framework ...]`."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from test_raid_variants import RAIDS
from variant_raids import half
from variant_world import FRAMEWORKS, run_case

warnings.simplefilter("ignore")


def main(wanted: str, frameworks: list[str], *, is_shown: bool) -> None:
    """Print the figures of one half; of half A also what failed."""
    held = ran = attacks = twins = 0
    for pair in RAIDS:
        if half(pair.name) != wanted:
            continue
        for framework in frameworks:
            with tempfile.TemporaryDirectory() as folder:
                outcome: Any = run_case(pair.attack, framework, Path(folder) / "a")
                attacks, held = attacks + 1, held + outcome.held
                if is_shown and not outcome.held:
                    print(f"OPEN  {framework} {pair.name}: {outcome.why[-1:]}")
                honest: Any = run_case(pair.twin, framework, Path(folder) / "b")
                twins, ran = twins + 1, ran + (not honest.missing)
                if is_shown and honest.missing:
                    print(f"ASKED {framework} {pair.name}: {honest.missing} {honest.why[-2:]}")
    print(f"half {wanted} {' '.join(frameworks)}: attacks held {held}/{attacks}, twins run {ran}/{twins}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:] or list(FRAMEWORKS), is_shown=sys.argv[1] == "A")
