"""SIGKILL at every failpoint, then what is left; invariants CRASH and AUDIT.

The worker process makes real calls; its tool appends its call id to a file, fsynced, and each call that returned is
acknowledged to another. The judge reopens what was left. `python tests/store/crash_worker.py --cycles 200` prints a
table; `test_crash.py` runs a few cycles of each point.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from halo_core import failpoints
from halo_core.enforcement import Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.store.reader import Reader, read_entries
from halo_core.verification import verify_store

AGENT = "crasher"
READ = Resource(impact=Impact.WRITE, source_trust=900)


def line(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def work(folder: Path, point: str, nth: int, run: int) -> None:
    """Make calls until the `nth` time `point` is reached, and die there."""
    seen = 0

    def strike(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm_failpoints(strike)
    halo = HaloBase.local(AGENT, home=folder / "home", mode="enforce", quiet=True)
    tool = halo.register(ActionKind.TOOL_CALL, "note", resource=READ, schema={"properties": {"id": {"type": "string"}}})

    def body(args: dict[str, str]) -> str:
        line(folder / "ran", args["id"])
        return "noted"

    with halo.session("crash"):
        for i in range(40):
            name = f"{run}-{i}"
            halo.enforcer.run(halo.build_call(tool, {"id": name}, call_id=name), body, Surface(str))
            line(folder / "acknowledged", name)
            if i % 5 == 0:
                halo.store.checkpoint()
    os._exit(7)  # the point was never reached


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def judge(folder: Path) -> dict[str, int]:
    """Reopen and count what must be zero, and what happened."""
    home = folder / "home"
    url = f"sqlite:///{home / 'halo.db'}"
    with HaloBase.local(AGENT, home=home, mode="enforce", quiet=True):
        pass
    ran, acknowledged = lines(folder / "ran"), lines(folder / "acknowledged")
    let_run: Counter[str] = Counter()
    places = {}
    outcomes: Counter[str] = Counter()
    settled = set()
    with Reader(url) as reader:
        for found in read_entries(reader, "local", (EntryKind.DECISION, EntryKind.OUTCOME)):
            body = found.entry.body
            if found.entry.kind is EntryKind.DECISION:
                if body["dispatched"]:
                    let_run[body["request"]["context"]["call_id"]] += 1
                    places[found.entry.writer, found.entry.seq] = body["request"]["context"]["call_id"]
            else:
                outcomes[body["status"]] += 1
                settled.add(places.get((body["decision"]["w"], body["decision"]["ws"])))
    return {
        "ran without a decision": len(set(ran) - set(let_run)),
        "ran twice": len(ran) - len(set(ran)),
        "acknowledged and lost": len(set(acknowledged) - set(let_run)),
        "let run twice": sum(count > 1 for count in let_run.values()),
        "without an outcome": len(set(let_run) - settled),
        "verify exit": verify_store(url, home, signatures=True).exit_code,
        "ran": len(ran),
        "outcome unknown": outcomes["unknown"],
    }


MUST_BE_ZERO = (
    "ran without a decision",
    "ran twice",
    "acknowledged and lost",
    "let run twice",
    "without an outcome",
    "verify exit",
)


def cycle(folder: Path, point: str, nth: int, run: int) -> bool:
    """One life of the worker; True if it was killed at its point."""
    process = subprocess.run(
        [sys.executable, __file__, "--work", str(folder), point, str(nth), str(run)], check=False, timeout=120
    )
    assert process.returncode in (-signal.SIGKILL, 7), process.returncode
    return process.returncode == -signal.SIGKILL


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", nargs=4)
    parser.add_argument("--cycles", type=int, default=200)
    args = parser.parse_args()
    if args.work:
        folder, point, nth, run = args.work
        work(Path(folder), point, int(nth), int(run))
    bad, killed = 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(args.cycles):
            point = failpoints.POINTS[number % len(failpoints.POINTS)]
            folder = Path(scratch) / point
            folder.mkdir(exist_ok=True)
            killed += cycle(folder, point, 1 + number % 7, number)
        for point in failpoints.POINTS:
            found = judge(Path(scratch) / point)
            bad += sum(found[name] for name in MUST_BE_ZERO)
            print(f"{point:18} {found}")  # noqa: T201  a script
    print(f"{killed} of {args.cycles} workers killed at their point; {bad} violations")  # noqa: T201  a script
    return 1 if bad or killed < args.cycles * 0.8 else 0


if __name__ == "__main__":
    raise SystemExit(main())
