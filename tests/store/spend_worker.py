"""SIGKILL while agents spend under hand-offs, then what is left; invariants CRASH, MONO, ENV.

The worker pays, itself and through those it hands off to; its tool writes what it paid to a file, fsynced, and each
call that returned is acknowledged in another. The judge reopens what was left and adds everything up again.
`python tests/store/spend_worker.py --cycles 300` prints a table; `test_spend_crash.py` runs a few cycles of each point.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

from crash_worker import POINTS, kill_many, line, lines, live
from envelope_world import call, changed, floors, found, ledger_totals, limits, opened

from halo_core import failpoints
from halo_core.clock import SystemClock
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Denied, Pending
from halo_core.model import Budget, EntryKind
from halo_core.references import References
from halo_core.verification import verify_store

SESSION = "spend"
MONEY = 5_000_00
MOST = (
    Budget("USD", 5_00, MONEY, 2),
    Budget("risk", 1_000_000, 1_000_000),
    Budget("step", 1, 100_000),
)
DECAY = changed(half_life_s=10**8, half_life_steps=10**8, half_life_risk=10**9, floors=floors(0), reauthorize_below=0)
LIMITS = limits(*MOST, decay=DECAY, ceilings=MOST)


def work(folder: Path, point: str, nth: int, run: int) -> None:
    """Spend until the `nth` time `point` is reached, and die there."""
    seen = 0

    def strike(name: str) -> None:
        nonlocal seen
        seen += name == point
        if seen == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    halo = opened(folder / "home", SystemClock(), LIMITS)
    failpoints.arm_failpoints(strike)

    def pay(name: str, amount: int) -> None:
        def body(args: dict[str, object]) -> int:
            line(folder / "paid", f"{name}:{amount}")
            return amount

        # Every other payment turns out to cost a dollar less than was reserved.
        cost = amount * 100 - (100 if amount % 2 else 0)
        request = call(halo, "pay", call_id=name, amount=amount, q=name)
        halo.enforcer.run(request, body, Surface(str, cost=lambda _: {"USD": cost}))
        line(folder / "acknowledged", name)

    try:
        with halo.session(SESSION):
            for i in range(8):
                pay(f"{run}-{i}-own", 1 + i % 3)
                with halo.hand_off("planner"):
                    pay(f"{run}-{i}-planner", 2)
                    with halo.hand_off("researcher"):
                        pay(f"{run}-{i}-researcher", 1)
                if i % 3 == 0:
                    halo.store.checkpoint()
    except (Denied, Pending) as exc:
        if exc.reason != "budget_exceeded":
            raise
        os._exit(8)  # the money is all spent, as it should be at some time
    os._exit(7)  # the point was never reached


def judge(folder: Path) -> dict[str, int]:
    """Reopen and count what must be zero, and what happened."""
    home = folder / "home"
    with opened(home, SystemClock(), LIMITS) as halo:
        state = halo.store.commit(lambda tx: tx.load_session(tx.references.of_session(SESSION)))
    references = References.of_home(home)
    assert references is not None
    paid = [(references.of_call(name), amount) for name, amount in (item.split(":") for item in lines(folder / "paid"))]
    real = sum(100 * int(amount) - (100 if int(amount) % 2 else 0) for _, amount in paid)
    items = found(home, EntryKind.DECISION, EntryKind.OUTCOME)
    let_run, outcomes, reserved = Counter(), Counter(), 0
    places, unknown = {}, 0
    for item in items:
        body = item.entry.body
        if item.entry.kind is EntryKind.DECISION:
            if body["dispatched"]:
                let_run[body["request"]["context"]["call_id"]] += 1
                places[item.entry.writer, item.entry.seq] = dict(body["decision"]["charges"]).get("USD", 0)
        else:
            outcomes[body["status"]] += 1
            if body["status"] == "unknown":
                unknown += places[body["decision"]["w"], body["decision"]["ws"]]
    if state is None:  # killed before anything was durable
        head, totals = None, {}
    else:
        head = state.session_account("clerk")
        totals = ledger_totals(items)
    spent = {unit: (held, done) for unit, held, done in head.envelope.spent} if head else {}
    reserved = spent.get("USD", (0, 0))[0]
    mine = {unit: held + done for unit, (held, done) in spent.items()}
    acknowledged = {references.of_call(name) for name in lines(folder / "acknowledged")}
    return {
        "paid without a decision": len({name for name, _ in paid} - set(let_run)),
        "paid twice": len(paid) - len({name for name, _ in paid}),
        "acknowledged and lost": len(acknowledged - set(let_run)),
        "un-spent": max(real - sum(spent.get("USD", (0, 0))), 0),
        "counters are not the entries'": int(mine != (dict(totals.get(head.handle, {})) if head else {})),
        "indeterminate not charged": int(reserved != unknown),
        "over the limit": max(sum(spent.get("USD", (0, 0))) - MONEY, 0),
        "verify exit": verify_store(f"sqlite:///{home / 'halo.db'}", home, signatures=True).exit_code,
        "paid": len(paid),
        "cents": real,
        "indeterminate": unknown,
        "outcome unknown": outcomes["unknown"],
    }


MUST_BE_ZERO = (
    "paid without a decision",
    "paid twice",
    "acknowledged and lost",
    "un-spent",
    "counters are not the entries'",
    "indeterminate not charged",
    "over the limit",
    "verify exit",
)


def cycle(folder: Path, point: str, nth: int, run: int, python: Sequence[str] = (sys.executable,)) -> bool:
    """One life of the worker; True if it was killed at its point."""
    command = [*python, __file__, "--work", str(folder), point, str(nth), str(run)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return live(command, folder, point, run, env) == -signal.SIGKILL


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", nargs=4)
    parser.add_argument("--cycles", type=int, default=300)
    args = parser.parse_args()
    if args.work:
        folder, point, nth, run = args.work
        work(Path(folder), point, int(nth), int(run))
    return kill_many(args.cycles, choose_nth, cycle, judge, MUST_BE_ZERO, at_least=0.5)


def choose_nth(number: int, point: str) -> int:
    """A later time for what is reached often."""
    turn = number // len(POINTS)
    is_rare = point.startswith(("checkpoint", "before_anchor", "after_anchor"))
    return 1 + turn % 3 if is_rare else 1 + (turn * 7) % 31


if __name__ == "__main__":
    raise SystemExit(main())
