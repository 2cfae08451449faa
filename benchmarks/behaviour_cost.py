"""What profile, drift and score cost of a decision: in signatures, or in Python calls, for reads and for other actions.

    python benchmarks/behaviour_cost.py
    python benchmarks/behaviour_cost.py --decisions 100000 --json --out figures.json
    python benchmarks/behaviour_cost.py --calls

An office agent with a profile of its own and a score in force looks things up, writes messages and pays invoices, as in
`decision.py`. Three parts are timed inside the whole decision, by CPU of the deciding thread:

    profile   the session's tally, the comparison with profile, role and tenant, and what of it the session keeps;
              drift over sessions is part of it
    score     reading the action, features, trees, the session's e-process
    fold      a session that ends goes into the profiles; a mean over the session's decisions

Each median is given in signatures over as many bytes as in `decision.py`, timed in turn with the decisions, and for
the first and the last tenth of the decisions: the ratio of both says whether the cost stays flat. With --calls Python
calls are counted instead, which are the same on any machine. Reads should take at most 3 signatures, others at most 7.

So many payments within minutes are unusual, so in a long run some calls are asked about. The effects of all decisions
are printed beside the figures, and an action that was not scored fails a check.

Exit: 0 measured, 1 a check failed.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from _decision_floor import Floor, open_floor
from _decision_measure import Agent
from _decision_world import PER_SESSION, World, open_world
from halo_core.baselines import collect_sessions, fit_score, load_shipped_model, put_in_force
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement import jobs, planner, session_folds, snapshot_builder
from halo_core.enforcement.risk_assessor import RiskAssessor
from halo_core.model import Impact
from halo_core.store.reader import Reader, SealedContents

__all__ = ["main"]

_PARTS: Final[tuple[tuple[str, Any, str], ...]] = (
    ("profile", snapshot_builder, "read_behaviour"),
    ("profile", jobs, "record_behaviour"),
    ("profile", planner, "plan_behaviour"),
    ("score", RiskAssessor, "assess"),
    ("fold", session_folds, "fold_session"),
)
_HISTORY: Final = 150
_GOALS: Final = {"read": 3.0, "other": 7.0}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--decisions", type=int, default=4_000, help="(default %(default)s)")
    parser.add_argument("--history", type=int, default=_HISTORY, help="sessions before (default %(default)s)")
    parser.add_argument("--calls", action="store_true", help="count Python calls, and time nothing")
    parser.add_argument("--dir", type=Path, help="where the databases go (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--out", type=Path, help="write the JSON there too")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="halo-behaviour-", dir=options.dir) as name:
        try:
            figures = _measure(Path(name), options)
        except AssertionError as exc:
            sys.stderr.write(f"behaviour_cost: a check failed: {exc}\n")
            return 1
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


class _Meter:
    """What the parts of the current decision have taken: microseconds of this thread's CPU, or Python calls."""

    def __init__(self, *, counts_calls: bool) -> None:
        self.now: dict[str, float] = defaultdict(float)
        self._counts_calls = counts_calls
        self._calls = 0

    @contextmanager
    def on(self) -> Iterator[None]:
        """Wrap the functions for the length of a block."""
        patches = [patch.object(owner, name, self._wrap(part, getattr(owner, name))) for part, owner, name in _PARTS]
        for item in patches:
            item.start()
        try:
            yield
        finally:
            for item in patches:
                item.stop()

    def _wrap(self, part: str, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(wrapped)
        def measured(*args: Any, **kwargs: Any) -> Any:
            if self._counts_calls:
                self._calls = 0
                sys.setprofile(self._note)
                try:
                    return wrapped(*args, **kwargs)
                finally:
                    sys.setprofile(None)
                    self.now[part] += self._calls
            begun = time.thread_time_ns()
            try:
                return wrapped(*args, **kwargs)
            finally:
                self.now[part] += (time.thread_time_ns() - begun) / 1000

        return measured

    def _note(self, _frame: Any, event: str, _arg: Any) -> None:
        self._calls += event == "call"


def _measure(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    world = open_world(folder / "world")
    try:
        before = Agent(world, "allowed")
        for number in range(options.history * PER_SESSION):
            work = before.next()
            before.drive(work)
            if number % PER_SESSION == PER_SESSION - 1:
                world.halo.end_session(work.call.session)
        before.flush()
        _put_score_in_force(world, folder / "world" / "home")
        with open_floor(folder / "floor", 1) as floor:
            return _run(world, floor, options)
    finally:
        world.halo.close()


def _put_score_in_force(world: World, home: Path) -> None:
    keys, store = KeyStore(home), world.halo.store
    key = keys.secret("sketch")
    with Reader(store.config.url) as reader:
        contents = SealedContents.with_home_key(reader, keys)
        lived = collect_sessions(reader, contents, "local", ["office"], key, note=lambda: None)
    found = fit_score(lived, load_shipped_model(), key)
    store.commit(lambda tx: put_in_force(tx, "office", found, "benchmark"))


def _run(world: World, floor: Floor, options: argparse.Namespace) -> dict[str, Any]:
    agent = Agent(world, "allowed")
    meter = _Meter(counts_calls=options.calls)
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in _GOALS}
    signatures, folds = [], []
    with meter.on():
        for number in range(options.decisions):
            work = agent.next()
            meter.now.clear()
            agent.drive(work)
            if number % PER_SESSION == PER_SESSION - 1:
                world.halo.end_session(work.call.session)
                agent.flush()
            folds.append(meter.now.pop("fold", 0.0))
            taken["read" if work.call.resource.impact is Impact.READ else "other"].append(dict(meter.now))
            begun = time.thread_time_ns()
            floor.sign()
            signatures.append((time.thread_time_ns() - begun) / 1000)
    agent.flush()
    assert all("score" in row for rows in taken.values() for row in rows[1:]), "an action was not scored"
    unit = 1.0 if options.calls else statistics.median(signatures)
    figures: dict[str, Any] = {
        "unit": "calls" if options.calls else "signatures",
        "decisions": options.decisions,
        "effects": dict(agent.effects),
    }
    if not options.calls:
        figures["signature_us"] = round(unit, 1)
    for name, rows in taken.items():
        sums = [sum(row.values()) for row in rows]
        tenth = max(len(sums) // 10, 1)
        figures[name] = {
            "profile": round(statistics.median(row.get("profile", 0.0) for row in rows) / unit, 2),
            "score": round(statistics.median(row.get("score", 0.0) for row in rows) / unit, 2),
            "together": round(statistics.median(sums) / unit, 2),
            "last_tenth_over_first": round(statistics.median(sums[-tenth:]) / statistics.median(sums[:tenth]), 3),
        }
    return figures | {"fold_for_each_decision": round(statistics.mean(folds) / unit, 2)}


def _print(figures: dict[str, Any]) -> None:
    unit = figures["unit"]
    table = Table("", "profile", "score", "together", "last tenth over first", title=f"{unit}, medians")
    for name, goal in _GOALS.items():
        row = figures[name]
        more = f" (goal {goal:g})" if unit == "signatures" else ""
        shown = (row["profile"], row["score"], f"{row['together']}{more}", row["last_tenth_over_first"])
        table.add_row(name, *map(str, shown))
    view = Console()
    view.print(table)
    view.print(f"folds of sessions, for each decision: {figures['fold_for_each_decision']} {unit}")
    shares = (f"{effect} {100 * count / figures['decisions']:.2f}%" for effect, count in figures["effects"].items())
    view.print(f"effects of {figures['decisions']} decisions: {', '.join(shares)}")


if __name__ == "__main__":
    sys.exit(main())
