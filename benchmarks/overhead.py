"""What Halo costs where it stands in a framework, its decisions excluded.

    python benchmarks/overhead.py
    python benchmarks/overhead.py --rounds 5000 --json --framework openai-agents
    python benchmarks/overhead.py --profile "tool, invoke"

Each case is a pair, with and without, in random order; the time inside the enforcement point is taken off. Goals are
held against the thread's own CPU time in the hot condition (see `_overhead_measure.py`), since other processes move
that least. What a decision costs: `decision.py`.

Exit: 0 within the goals, 1 one is missed, or a check failed.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import platform
import pstats
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from _overhead_measure import Case, Decisions, figures, measure
from halo_core.facade import HaloBase

__all__ = ["main", "table"]

_POLICY: Final = '@id("overhead.all")\npermit (principal, action, resource);\n'
_FRAMEWORKS: Final = ("langchain", "llamaindex", "openai-agents")
_ROUNDS: Final = 2000
_PER_SESSION: Final = 100  # pairs, so that no session's authority decays


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="halo-overhead-") as name, _halo(options.framework, Path(name)) as halo:
        try:
            found = asyncio.run(_all(halo, options))
        except AssertionError as exc:
            sys.stderr.write(f"overhead: a check failed: {exc}\n")
            return 1
    if options.json:
        machine = {"python": platform.python_version(), "system": platform.platform()}
        sys.stdout.write(json.dumps({"cases": found, "machine": machine}, indent=2) + "\n")
    elif not options.profile:
        Console().print(table(found))
    return 0 if all(item["held"] for item in found) else 1


def table(found: Sequence[dict[str, Any]]) -> Table:
    """A row for each case, microseconds."""
    shown = Table("case", title="overhead per call in microseconds, decisions excluded (p50 / p95)")
    for title in ("goal", "hot CPU", "hot wall", "live CPU", "live wall", "plain, hot"):
        shown.add_column(title, justify="right")
    for item in found:
        goal = item["goal_us"]
        said = "" if goal is None else f"{goal:.0f}" if item["held"] else f"{goal:.0f} missed"
        cells = [_cell(item[heat][clock]) for heat in ("hot", "live") for clock in ("cpu_us", "wall_us")]
        shown.add_row(item["case"], said, *cells, f"{item['hot']['wall_us']['plain_p50']:.0f}")
    return shown


def _cell(figure: dict[str, float]) -> str:
    return f"{figure['p50']:.0f} / {figure['p95']:.0f}"


@contextmanager
def _halo(framework: str, folder: Path) -> Iterator[HaloBase]:
    rules = folder / "rules"
    rules.mkdir()
    (rules / "all.cedar").write_text(_POLICY, "utf-8")
    facade: type[HaloBase] = import_module(_module(framework, "halo")).Halo
    with facade.local("overhead", home=folder / "halo", mode="enforce", policy=rules, quiet=True) as halo:
        yield halo


async def _all(halo: HaloBase, options: argparse.Namespace) -> list[dict[str, Any]]:
    found = []
    decisions = Decisions(halo.enforcer)
    for case in _chosen(halo, options.framework, options.profile or options.case):
        with ExitStack() as stack:
            renew = _sessions(halo, stack)
            renew()
            if options.profile:
                await _profile(case, decisions, options.rounds, renew)
                continue
            how = {"rounds": options.rounds, "seed": options.seed, "between": renew}
            hot = figures(await measure(case, decisions, hot=True, **how))
            live = figures(await measure(case, decisions, hot=False, **how))
        held = case.goal_us is None or hot["cpu_us"]["p50"] <= case.goal_us
        found.append({"case": case.name, "goal_us": case.goal_us, "held": held, "hot": hot, "live": live})
    return found


def _module(framework: str, head: str) -> str:
    return f"{head}_{framework.replace('-', '_')}"


def _chosen(halo: HaloBase, framework: str, wanted: str) -> Iterator[Case]:
    with halo.session():  # an agent runs to make the requests
        known = list(import_module(_module(framework, "_overhead")).cases(halo))
    yield from (case for case in known if wanted in case.name)


def _sessions(halo: HaloBase, stack: ExitStack) -> Any:
    """What opens a new session every few pairs, and writes what waits, so that no clock runs meanwhile."""
    used = 0

    def renew() -> None:
        nonlocal used
        if used % _PER_SESSION == 0:
            stack.pop_all().close()
            stack.enter_context(halo.session())
        used += 1
        halo.store.flush()

    return renew


async def _profile(case: Case, decisions: Decisions, rounds: int, renew: Any) -> None:
    profile = cProfile.Profile()
    one = Case(case.name, lambda: None, case.guarded, None, None)
    profile.enable()
    await measure(one, decisions, rounds=rounds, seed=0, hot=True, between=renew)
    profile.disable()
    pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats("halo_|_overhead", 40)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--framework", choices=_FRAMEWORKS, default="langchain")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="pairs for each case (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (default %(default)s)")
    parser.add_argument("--case", default="", help="only cases with this in their name")
    parser.add_argument("--profile", default="", metavar="CASE", help="profile such cases instead")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
