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
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from halo_core import failpoints
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import CannotDecide, ConfigError, Denied, NotVerified
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.references import References
from halo_core.store.reader import Reader, read_entries
from halo_core.verification import verify_store

AGENT = "crasher"
READ = Resource(impact=Impact.WRITE, source_trust=900)
ANYWHERE = "anywhere"
"""The point of a worker that is killed from outside, at a random moment of its life."""
POINTS = (*failpoints.POINTS, ANYWHERE)
AWAY = ("ledger_busy", "ledger_unreachable", "ledger_unwritable")
"""Codes of a server that is away, or starting."""
_PATIENCE_S = 600  # on a busy machine a worker may wait for minutes


def line(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def url_of(folder: Path, url: str = "") -> str:
    """The URL of a server's database, else of the file of a folder's home."""
    return url or f"sqlite:///{folder / 'home' / 'halo.db'}"


def work(folder: Path, point: str, nth: int, run: int, url: str = "") -> None:
    """Make calls until the `nth` time `point` is reached, and die there; a server may be away meanwhile."""
    seen = 0

    def strike(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm_failpoints(strike)
    halo = HaloBase.local(AGENT, home=folder / "home", db=url_of(folder, url), mode="enforce", quiet=True)
    tool = halo.register(ActionKind.TOOL_CALL, "note", resource=READ, schema={"properties": {"id": {"type": "string"}}})

    def body(args: dict[str, str]) -> str:
        line(folder / "ran", args["id"])
        return "noted"

    names = [f"{run}-{i}" for i in range(40)]
    request = f"Please note {', '.join(names)}"  # a long one looks like a telephone number
    # A session goes on after a kill, but not until its authority is used up.
    with halo.session(f"crash-{run // 4}", request=request):
        for i, name in enumerate(names):
            try:
                halo.enforcer.run(halo.build_call(tool, {"id": name}, call_id=name), body, Surface(str))
                line(folder / "acknowledged", name)
                if i % 5 == 0:
                    halo.store.checkpoint()
            except (Denied, CannotDecide) as exc:
                if not url or exc.code not in AWAY:
                    raise
                time.sleep(0.05)
    os._exit(7)  # the point was never reached


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def judge(folder: Path, url: str = "") -> dict[str, int]:
    """Reopen and count what must be zero, and what happened."""
    home, url = folder / "home", url_of(folder, url)
    with HaloBase.local(AGENT, home=home, db=url, mode="enforce", quiet=True):
        pass
    references = References.of_home(home)
    assert references is not None
    ran, acknowledged = (
        [references.of_call(name) for name in lines(folder / file)] for file in ("ran", "acknowledged")
    )
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


def cycle(
    folder: Path, point: str, nth: int, run: int, python: Sequence[str] = (sys.executable,), url: str = ""
) -> bool:
    """One life of the worker; True if it was killed at its point."""
    arguments = [*python, __file__, "--url", url, "--work", str(folder), point, str(nth), str(run)]
    return live(arguments, folder, point, run) == -signal.SIGKILL


def live(command: Sequence[str], folder: Path, point: str, run: int, env: Mapping[str, str] | None = None) -> int:
    """Run a worker until it dies, or kill it at the random moment that belongs to this run; its exit code."""
    acknowledged = len(lines(folder / "acknowledged"))
    process = subprocess.Popen(command, env=env)
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
        code = process.wait(_PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    assert code in (-signal.SIGKILL, 7, 8), code
    return code


def false_alarms(folder: Path, url: str = "") -> list[str]:
    """Findings of `halo verify` in what a killed process has left, before anybody opens it again."""
    home = folder / "home"
    try:
        report = verify_store(url_of(folder, url), home, signatures=True)
    except ConfigError:  # killed before there was a ledger
        return []
    except NotVerified as exc:
        return [exc.message]
    return [f"{finding.where}: {finding.what}" for finding in report.findings]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", nargs=4)
    parser.add_argument("--url", default="")
    parser.add_argument("--cycles", type=int, default=200)
    args = parser.parse_args()
    if args.work:
        folder, point, nth, run = args.work
        work(Path(folder), point, int(nth), int(run), args.url)
    return kill_many(args.cycles, lambda number, _: 1 + number % 7, cycle, judge, MUST_BE_ZERO, at_least=0.8)


def kill_many(
    cycles: int,
    choose_nth: Callable[[int, str], int],
    cycle: Callable[[Path, str, int, int], bool],
    judge: Callable[[Path], Mapping[str, int]],
    must_be_zero: Collection[str],
    *,
    at_least: float,
) -> int:
    """Kill workers at every point in turn, verify after each, judge what is left, and print a table.

    Args:
        cycles: how many.
        choose_nth: number of the cycle and its point → how often the point is reached first.
        cycle: lets one worker live; whether it was killed.
        judge: counts what a folder holds.
        must_be_zero: names of counts.
        at_least: share of the workers that must have been killed.

    Returns:
        The exit code.
    """
    bad = killed = done = 0
    with tempfile.TemporaryDirectory() as scratch:
        try:
            for done in range(cycles):
                point = POINTS[done % len(POINTS)]
                folder = Path(scratch) / point
                folder.mkdir(exist_ok=True)
                killed += cycle(folder, point, choose_nth(done, point), done)
                alarms = false_alarms(folder)
                bad += len(alarms)
                if alarms:
                    print(f"{point:18} cycle {done}: {alarms[:3]}", flush=True)  # noqa: T201  a script
        finally:  # also of a run that is ended early
            for folder in sorted(Path(scratch).iterdir()):
                found = judge(folder)
                bad += sum(value for name, value in found.items() if name in must_be_zero)
                print(f"{folder.name:18} {found}", flush=True)  # noqa: T201  a script
            print(f"{killed} of {done + 1} workers killed at their point; {bad} violations")  # noqa: T201  a script
    return 1 if bad or killed < cycles * at_least else 0


if __name__ == "__main__":
    raise SystemExit(main())
