"""SIGKILL at every failpoint while acts are held and released, then what is left; invariant HELD.

One worker holds acts, others release them; each is killed at its point. The judge answers what waits, releases what is
left, and counts. `python tests/store/outbox_worker.py --cycles 200` prints a table; `test_outbox_crash.py` runs a few.
The database is SQLite in the folder, or the one whose URL stands in the folder's file `database`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crash_worker import line, lines
from sqlalchemy import create_engine, text

from halo_core import failpoints
from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Held
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Resource
from halo_core.oversight.approvals import answer
from halo_core.oversight.keys import enrol_approver
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_core.verification import verify_store

SEND = Resource(impact="send", targets=("to",), source_trust=900, reversal="compensate", can_wait=True)
POLICY = """
@id("base") permit (principal, action, resource);
@id("ask") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"send");
"""
ACTS = 4
"""Acts held in one life of the worker."""


def database(folder: Path) -> str:
    """The URL of the store."""
    named = folder / "database"
    return named.read_text() if named.exists() else f"sqlite:///{folder / 'home' / 'halo.db'}"


def rows(folder: Path, query: str) -> list[Any]:
    """Rows of the store, read past Halo."""
    engine = create_engine(database(folder))
    try:
        with engine.connect() as connection:
            return list(connection.execute(text(query)))
    finally:
        engine.dispose()


def opened(folder: Path) -> tuple[HaloBase, Resource]:
    (folder / "policy").mkdir(parents=True, exist_ok=True)
    (folder / "policy" / "p.cedar").write_text(POLICY)
    halo = HaloBase.local(
        "crasher",
        home=folder / "home",
        db=database(folder),
        mode="enforce",
        quiet=True,
        policy=folder / "policy",
    )
    schema = {"properties": {"to": {"type": "string"}}}
    tool = halo.register(ActionKind.TOOL_CALL, "send", resource=SEND, schema=schema)

    def send(to: str) -> str:
        line(folder / "ran", to)
        return "sent"

    halo.register_runner(tool, send)
    return halo, tool


def hold(folder: Path, halo: HaloBase, tool: Resource, run: int) -> None:
    for i in range(ACTS):
        name = f"{run}-{i}"
        try:
            with halo.session(f"s-{name}"):
                halo.enforcer.run(halo.build_call(tool, {"to": name}), lambda _: "never", Surface(str))
        except Held:
            line(folder / "held", name)


def work(folder: Path, what: str, point: str, nth: int, run: int) -> None:
    """Hold or release acts until the `nth` time `point` is reached, and die there."""
    halo, tool = opened(folder)
    seen = 0

    def strike(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm_failpoints(strike)
    if what == "hold":
        hold(folder, halo, tool, run)
    else:
        halo.release()
        halo.store.checkpoint()
    os._exit(7)  # the point was never reached


def answer_all(folder: Path) -> None:
    """Approve every question that waits."""
    home, keys = folder / "home", KeyStore(folder / "people")
    waiting = [name for (name,) in rows(folder, "SELECT id FROM approval WHERE status='pending'")]
    store = Store(StoreConfig(database(folder), home, "local"), KeyStore(home))
    try:
        now_us = store.clock.now_us()
        if make_approver_key_name("mia") not in keys.names():
            key = keys.signer(make_approver_key_name("mia")).public_key
            enrol_approver(store, Authorities(home), name="mia", public_key=key, by="admin", now_us=now_us)
        for request in waiting:
            answer(store, keys, home, request_id=request, approver="mia", approve=True, now_us=store.clock.now_us())
    finally:
        store.close()


def judge(folder: Path) -> dict[str, int]:
    """Answer and release what is left, and count what must be zero."""
    home = folder / "home"
    answer_all(folder)
    halo, _ = opened(folder)
    with halo:
        halo.release()
        halo.release()
    ran, acknowledged = Counter(lines(folder / "ran")), set(lines(folder / "held"))
    statuses = Counter(status for (status,) in rows(folder, "SELECT status FROM outbox"))
    return {
        "ran twice": sum(count > 1 for count in ran.values()),
        "still held": statuses["held"],
        "acknowledged and not kept": max(len(acknowledged) - statuses.total(), 0),
        "ended but not released": statuses["expired"] + statuses["dropped"],
        "verify exit": verify_store(database(folder), home, signatures=True).exit_code,
        "ran": len(ran),
        "released": statuses["released"],
    }


MUST_BE_ZERO = ("ran twice", "still held", "acknowledged and not kept", "ended but not released", "verify exit")


def cycle(folder: Path, what: str, point: str, nth: int, run: int, python: Sequence[str] = (sys.executable,)) -> bool:
    """One life of a worker; True if it was killed at its point."""
    process = subprocess.run(
        [*python, __file__, "--work", str(folder), what, point, str(nth), str(run)], check=False, timeout=120
    )
    assert process.returncode in (-signal.SIGKILL, 7), process.returncode
    return process.returncode == -signal.SIGKILL


def kill_both(folder: Path, point: str, nth: int, run: int, python: Sequence[str] = (sys.executable,)) -> int:
    """One worker that holds and one that releases, each killed at its point; how many were."""
    killed = int(cycle(folder, "hold", point, nth, run, python))
    answer_all(folder)
    return killed + int(cycle(folder, "release", point, nth, run, python))


def main() -> int:
    """Run many cycles at every point, and print what is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", nargs=5)
    parser.add_argument("--cycles", type=int, default=len(failpoints.POINTS))
    options = parser.parse_args()
    if options.work:
        folder, what, point, nth, run = options.work
        work(Path(folder), what, point, int(nth), int(run))
    failed = 0
    for point in failpoints.POINTS:
        with tempfile.TemporaryDirectory() as folder:
            lives = max(1, options.cycles // len(failpoints.POINTS))
            killed = sum(kill_both(Path(folder), point, nth, run) for run, nth in enumerate((1, 3, 2, 5, 4) * lives))
            found = judge(Path(folder))
        failed += any(found[name] for name in MUST_BE_ZERO)
        sys.stdout.write(f"{point:<18} killed {killed:>3}  {found}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
