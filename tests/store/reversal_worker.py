"""SIGKILL at every failpoint while reversals are carried out, then what is left; invariant REVERSE.

The judge pays, has each payment taken back by an order, lets workers carry the orders out that are killed, and looks at
what is left, as a person would: what stayed unknown is confirmed by what the callable wrote down.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from crash_worker import line, lines

from halo_core import failpoints
from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.reversals import PastAct, Reverser
from halo_core.errors import ConfigError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Resource, Reversal
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.reversal_orders import confirm_reversal, order_reversal
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_core.verification import verify_store

PAY = Resource(impact="write", source_trust=900)
POLICY = '@id("base") permit (principal, action, resource);'
ACTS = 2
"""Effects that are taken back in one life of the worker."""


def opened(folder: Path, url: str = "") -> tuple[HaloBase, Resource]:
    (folder / "policy").mkdir(parents=True, exist_ok=True)
    (folder / "policy" / "p.cedar").write_text(POLICY)
    more = {"db": url} if url else {}
    halo = HaloBase.local("payer", home=folder / "home", mode="enforce", quiet=True, policy=folder / "policy", **more)

    def undo(act: PastAct) -> str:
        line(folder / "undone", act.decision)
        return f"took {act.args['name']} back"

    schema = {"properties": {"name": {"type": "string"}}}
    reverser = Reverser(Reversal.UNDO, undo)
    tool = halo.register(ActionKind.TOOL_CALL, "pay", resource=PAY, schema=schema, reverser=reverser)
    return halo, tool


def pay_and_order(folder: Path, run: int, url: str = "") -> list[str]:
    """Ids of payments that ran, each with an order to take it back."""
    halo, tool = opened(folder, url)
    with halo:
        for i in range(ACTS):
            with halo.session(f"s-{run}-{i}"):
                ticket = halo.enforcer.begin(halo.build_call(tool, {"name": f"{run}-{i}"}))
                ticket.succeed("paid", Surface(str))
                line(folder / "paid", ticket.context.entry_id)
        halo.store.flush()
    paid = lines(folder / "paid")[-ACTS:]
    with_store(folder, lambda store, keys: [order(store, keys, folder, decision) for decision in paid], url)
    return paid


def with_store(folder: Path, act, url: str = ""):
    home, keys = folder / "home", KeyStore(folder / "people")
    store = Store(StoreConfig(url or f"sqlite:///{home / 'halo.db'}", home, "local"), KeyStore(home))
    try:
        if make_approver_key_name("mia") not in keys.names():
            key, now_us = keys.signer(make_approver_key_name("mia")).public_key, store.clock.now_us()
            enrol_approver(store, Authorities(home), name="mia", public_key=key, by="admin", now_us=now_us)
        return act(store, keys)
    finally:
        store.close()


def order(store: Store, keys: KeyStore, folder: Path, decision: str) -> str:
    return order_reversal(store, keys, folder / "home", decision=decision, approver="mia", why="wrong")


def work(folder: Path, point: str, nth: int) -> None:
    """Carry orders out until the `nth` time `point` is reached, and die there."""
    halo, _ = opened(folder)
    seen = 0

    def strike(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm_failpoints(strike)
    halo.release()
    halo.store.checkpoint()
    os._exit(7)  # the point was never reached


def cycle(folder: Path, point: str, nth: int, run: int, python: Sequence[str] = (sys.executable,)) -> bool:
    """One life of a worker, with new orders; True if it was killed at its point."""
    pay_and_order(folder, run)
    process = subprocess.run([*python, __file__, str(folder), point, str(nth)], check=False, timeout=120)
    assert process.returncode in (-signal.SIGKILL, 7), process.returncode
    return process.returncode == -signal.SIGKILL


def judge(folder: Path) -> dict[str, int]:
    """Carry out what is left, confirm what stayed unknown, and count what must be zero."""
    paid, told = lines(folder / "paid"), Counter(lines(folder / "undone"))
    halo, _ = opened(folder)
    with halo:
        statuses = Counter(item.status for item in halo.release())
        again = halo.release()
    undone = Counter(lines(folder / "undone"))
    unknown = 0
    for decision in paid:
        unknown += settle(folder, decision, done=undone[decision] > 0)
    halo, _ = opened(folder)
    with halo:
        halo.release()
    final = Counter(lines(folder / "undone"))
    url = f"sqlite:///{folder / 'home' / 'halo.db'}"
    return {
        "taken back twice": sum(count > 1 for count in final.values()),
        "never taken back": sum(final[decision] == 0 for decision in paid),
        "carried out again": len(again),
        "verify exit": verify_store(url, folder / "home", signatures=True).exit_code,
        "unknown": unknown,
        "before": sum(told.values()),
        "reversed": statuses["reversed"],
    }


def settle(folder: Path, decision: str, *, done: bool) -> int:
    """Confirm a reversal that stayed unknown, and order it again where it was not done; 1 if it was unknown."""

    def act(store: Store, keys: KeyStore) -> int:
        home = folder / "home"
        try:
            confirm_reversal(store, keys, home, decision=decision, approver="mia", done=done, why="looked it up")
        except ConfigError as exc:
            if exc.code != "nothing_to_confirm":
                raise
            return 0
        if not done:
            order(store, keys, folder, decision)
        return 1

    return with_store(folder, act)


MUST_BE_ZERO = ("taken back twice", "never taken back", "carried out again", "verify exit")

if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
