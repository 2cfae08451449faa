"""SIGKILL at every failpoint and at any moment, then what is left; invariants CRASH and AUDIT.

The worker process makes real calls; its tool appends its call id to a file, fsynced, and each call that returned is
acknowledged to another. After each kill, what was left is verified as it is; the judge reopens it.
`python tests/store/crash_worker.py --cycles 200` prints a table; `test_crash.py` runs a few cycles of each point.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from halo_core import failpoints
from halo_core.enforcement import Surface
from halo_core.errors import ConfigError, NotVerified
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.store.reader import Reader, read_entries
from halo_core.verification import verify_store

AGENT = "crasher"
READ = Resource(impact=Impact.WRITE, source_trust=900)
ANYWHERE = "anywhere"
"""The point of a worker that is killed from outside, at a random moment of its life."""
POINTS = (*failpoints.POINTS, ANYWHERE)


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
    return live([__file__, "--work", str(folder), point, str(nth), str(run)], folder, point, run) == -signal.SIGKILL


def live(arguments: Sequence[str], folder: Path, point: str, run: int, env: Mapping[str, str] | None = None) -> int:
    """Run a worker until it dies, or kill it at the random moment that belongs to this run; its exit code."""
    acknowledged = len(lines(folder / "acknowledged"))
    process = subprocess.Popen([sys.executable, *arguments], env=env)
    try:
        if point == ANYWHERE:
            draw = random.Random(run)
            calls = draw.randrange(-3, 20)
            if calls < 0:  # while it starts and opens the store
                time.sleep(draw.uniform(0.2, 1.0))
            while len(lines(folder / "acknowledged")) < acknowledged + calls and process.poll() is None:
                time.sleep(0.001)
            time.sleep(draw.uniform(0, 0.005))
            process.kill()
        code = process.wait(120)
    finally:
        process.kill()
        process.wait()
    assert code in (-signal.SIGKILL, 7, 8), code
    return code


def false_alarms(folder: Path) -> list[str]:
    """Findings of `halo verify` in what a killed process has left, before anybody opens it again."""
    home = folder / "home"
    try:
        report = verify_store(f"sqlite:///{home / 'halo.db'}", home, signatures=True)
    except ConfigError:  # killed before there was a ledger
        return []
    except NotVerified as exc:
        return [exc.message]
    return [finding.message for finding in report.findings]


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
            point = POINTS[number % len(POINTS)]
            folder = Path(scratch) / point
            folder.mkdir(exist_ok=True)
            killed += cycle(folder, point, 1 + number % 7, number)
            alarms = false_alarms(folder)
            bad += len(alarms)
            if alarms:
                print(f"{point:18} cycle {number}: {alarms[:3]}", flush=True)  # noqa: T201  a script
        for point in POINTS[: args.cycles]:
            found = judge(Path(scratch) / point)
            bad += sum(found[name] for name in MUST_BE_ZERO)
            print(f"{point:18} {found}")  # noqa: T201  a script
    print(f"{killed} of {args.cycles} workers killed at their point; {bad} violations")  # noqa: T201  a script
    return 1 if bad or killed < args.cycles * 0.8 else 0


if __name__ == "__main__":
    raise SystemExit(main())
