"""What a decision costs, in things that can be counted: calls, SQL statements, commits, bytes in the database, memory.

    python tests/costs/measure.py            print the table beside the baseline
    python tests/costs/measure.py --write WHY   write a new baseline, with the reason for it

Times wobble with the machine and are left to benchmarks/decision.py.
"""

from __future__ import annotations

import argparse
import json
import platform
import sqlite3
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from itertools import count, cycle
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from halo_core.enforcement import planner
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import Impact
from halo_core.store import checkpoint_signer, committer, deferred
from halo_world import db_of, policy_folder, tool

BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.05
"""By how much a count may rise before the test fails."""
MEMORY_TOLERANCE = 0.15
"""The same of memory, which other threads of the process allocate meanwhile."""
SURFACE = Surface(text=str)
_WARM = 60
_CALLS = 80
_PER_SESSION = 20
_SMALL = 9
_RESULT = (
    "order 4812 of 2026-03-04: 3 x paper A4, 1 x toner, 129.40 EUR, shipped to Hauptstr. 12, carrier reference AT128812"
)

Counts = dict[str, float]


class Bench:
    """An open Halo in enforce mode, with the standard calls."""

    def __init__(self, home: Path) -> None:
        home.parent.mkdir(parents=True)
        self.home = home
        self.halo = HaloBase.local(
            "clerk", user="ana", home=home, mode="enforce", policy=policy_folder(home), quiet=True
        )
        self._tools = {
            "lookup": tool(self.halo, "lookup"),
            "note": tool(self.halo, "note", source_trust=100),
            "pay": tool(self.halo, "pay", impact=Impact.PAYMENT, targets=("to",)),
            "wipe": tool(self.halo, "wipe", impact=Impact.DELETE),
        }
        self._number = count()

    def calls(self) -> Mapping[str, Callable[[], object]]:
        """The standard calls, by name."""
        return {
            "read": lambda: self._run("lookup", {"q": f"open orders number {next(self._number)}"}),
            "read untrusted": lambda: self._run("note", {"q": f"page {next(self._number)}"}),
            "pay": lambda: self._run("pay", {"to": f"AT6119043002345{next(self._number):05d}", "amount": _SMALL}),
            "denied": lambda: self._run("wipe", {"path": f"/srv/{next(self._number)}"}),
            "challenged": lambda: self._run("pay", {"to": f"AT6119043002346{next(self._number):05d}", "amount": 900}),
        }

    def read_alone(self) -> None:
        """A read in a session of its own, which ends after it: the agent's profile is advanced for each."""
        number = next(self._number)
        request = f"Please look up our open orders, number {number}."
        with self.halo.session(f"alone-{number}", request=request):
            call = self.halo.build_call(self._tools["lookup"], {"q": f"open orders number {number}"})
            assert self.halo.enforcer.run(call, lambda _: _RESULT, SURFACE) == _RESULT

    def read_in_turn(self, sessions: int) -> Callable[[], object]:
        """A read in each of some sessions in turn, each with a request of its own."""
        turns = cycle(range(sessions))

        def read() -> None:
            turn = next(turns)
            self._run(
                "lookup", {"q": f"open orders number {next(self._number)}"}, f"turn-{turn}", f" Desk {turn} asks."
            )

        return read

    def _run(self, name: str, args: Mapping[str, Any], session: str = "", words: str = "") -> None:
        number = next(self._number)
        call = Call(
            self._tools[name],
            args,
            session=session or f"s-{name}-{number // (2 * _PER_SESSION)}",
            session_source="host",
            turn=f"turn-{number}",
            call_id=f"call-{number}",
            trigger="message",
            trigger_text=f"I will now use {name}.",
            request=f"Please look up our open orders and pay what is due.{words}",
        )
        ran: list[Mapping[str, Any]] = []
        with suppress(Denied, Pending):
            self.halo.enforcer.run(call, lambda given: ran.append(given) or _RESULT, SURFACE)
        # A call that is decided otherwise than meant would cost something else.
        assert bool(ran) is (name in ("lookup", "note") or args.get("amount") == _SMALL), name


def measure(folder: Path) -> dict[str, Counts]:
    """Counts of each standard call with its outcome, averages over some calls."""
    found = {}
    for name in ("read", "read untrusted", "pay", "denied", "challenged"):
        bench = Bench(folder / name.replace(" ", "-") / "home")
        with bench.halo, _no_background_work():
            found[name] = _measure_call(bench, bench.calls()[name])
    bench = Bench(folder / "alone" / "home")
    with bench.halo, _no_background_work():
        found["read alone"] = _measure_call(bench, bench.read_alone)
    return found


@contextmanager
def _no_background_work() -> Iterator[None]:
    """Nothing depends on a clock, a race or chance, and all work is counted.

    Outcomes are written with the call that comes next, results are read by whoever has them, no checkpoint is signed,
    and no planned decision is checked.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(committer, "_DEFER_S", 3600.0)
        patch.setattr(checkpoint_signer, "_INTERVAL_S", 3600.0)
        patch.setattr(checkpoint_signer, "_MAX_UNSIGNED", 1_000_000)
        patch.setattr(deferred, "MAX_UNPREPARED", 0)
        patch.setattr(planner, "check_interval", 2**40)
        yield


def measure_in_turn(home: Path, sessions: int) -> Counts:
    """Counts of a read where so many sessions take turns."""
    bench = Bench(home)
    with bench.halo, _no_background_work():
        return _measure_call(bench, bench.read_in_turn(sessions), warm=3 * sessions)


def _measure_call(bench: Bench, call: Callable[[], object], *, warm: int = _WARM) -> Counts:
    opened = bench.halo.store
    for _ in range(warm):
        call()
    opened.flush()
    before = _database_bytes(bench.home)
    calls = [0]
    statements: list[str] = []
    connection = opened._database.connection

    def count_call(_frame: object, event: str, _arg: object) -> None:
        calls[0] += event == "call"

    connection.set_trace_callback(statements.append)
    sys.setprofile(count_call)
    for _ in range(_CALLS):
        call()
    opened.flush()
    sys.setprofile(None)
    connection.set_trace_callback(None)
    grown = _database_bytes(bench.home) - before
    return {
        "python calls": round(calls[0] / _CALLS, 1),
        "SQL statements": round(len(statements) / _CALLS, 2),
        "commits": round(sum(text == "COMMIT" for text in statements) / _CALLS, 2),
        "bytes in the database": round(grown / _CALLS),
        "peak of memory, bytes": _measure_memory(call),
    }


def _database_bytes(home: Path) -> int:
    with closing(sqlite3.connect(db_of(home))) as database:
        return int(database.execute("SELECT sum(payload) FROM dbstat").fetchone()[0])


def _measure_memory(call: Callable[[], object]) -> int:
    peaks = []
    tracemalloc.start()
    for _ in range(9):
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        call()
        peaks.append(tracemalloc.get_traced_memory()[1] - before)
    tracemalloc.stop()
    return sorted(peaks)[len(peaks) // 2]


def load_baseline() -> dict[str, Any]:
    """The counts to compare with, the Python version they were taken on, and why they are what they are."""
    baseline: dict[str, Any] = json.loads(BASELINE.read_text("utf-8"))
    return baseline


def find_rises(counts: Mapping[str, Counts], baseline: Mapping[str, Counts]) -> list[str]:
    """A line for each count that rose by more than `TOLERANCE`."""
    return [
        f"{name}: {what} {value} instead of {baseline[name][what]}"
        for name, found in counts.items()
        for what, value in found.items()
        if value > baseline[name][what] * (1 + (MEMORY_TOLERANCE if "memory" in what else TOLERANCE))
    ]


def format_table(counts: Mapping[str, Counts], baseline: Mapping[str, Counts] | None) -> str:
    """The counts beside the baseline."""
    lines = [f"{'call':16}{'what':26}{'now':>12}{'baseline':>12}"]
    for name, found in counts.items():
        for what, value in found.items():
            old = (baseline or {}).get(name, {}).get(what, "")
            lines.append(f"{name:16}{what:26}{value:>12}{old:>12}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", metavar="WHY", help="write a new baseline, with the reason for it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counts = measure(Path(folder))
    baseline = load_baseline() if BASELINE.exists() else None
    sys.stdout.write(format_table(counts, baseline["counts"] if baseline else None) + "\n")
    if options.write:
        version = ".".join(platform.python_version_tuple()[:2])
        tree = {"counts": counts, "python": version, "why": options.write}
        BASELINE.write_text(json.dumps(tree, indent=1) + "\n", "utf-8")
        return 0
    return int(bool(baseline and find_rises(counts, baseline["counts"])))


if __name__ == "__main__":
    sys.exit(main())
