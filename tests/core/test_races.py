"""Many callers on one envelope: never more than its limits, and every refusal has a reason. Invariants: ENV."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

from envelope_world import SURFACE, call, changed, codes, floors, found, ledger_totals, limits, opened, spent, state_of

from halo_core.clock import SystemClock
from halo_core.enforcement.enforcer import FunctionAction
from halo_core.enforcement.flow import arun
from halo_core.errors import Denied, Pending
from halo_core.model import Budget, EntryKind
from halo_core.verification import verify_store
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

SHARE = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 3  # in the process of a worker too
STEPS = 600 // SHARE
DOLLARS = 200 // SHARE
# Nothing but the budgets is short here, and a refused attempt costs no more than there is.
DECAY = changed(half_life_s=10**8, half_life_steps=10**8, half_life_risk=10**9, floors=floors(0), reauthorize_below=0)
MOST = (
    Budget("USD", 1_00, DOLLARS * 100, 2),
    Budget("risk", 1_000_000, 1_000_000),
    Budget("step", 1, STEPS),
)
LIMITS = limits(*MOST, decay=DECAY, ceilings=MOST)


def open_here(home):
    return opened(home, SystemClock(), LIMITS)


def judge(halo, home, reasons: Counter, ran: Counter) -> None:
    """Counters, entries, effects and refusals all tell the same."""
    state = state_of(halo, "s")
    steps, dollars = spent(halo, "s", "step"), spent(halo, "s", "USD")
    assert steps == ran.total() <= STEPS
    assert dollars == 100 * ran["pay"] <= DOLLARS * 100
    assert steps == STEPS  # not one less either: what was free was given
    assert ran["pay"] == DOLLARS
    assert {*reasons} == {"budget_exceeded"}
    items = found(home, EntryKind.DECISION, EntryKind.OUTCOME)
    decisions = [item.entry.body for item in items if item.entry.kind is EntryKind.DECISION]
    assert sum(body["dispatched"] for body in decisions) == steps
    denied = [codes(body) for body in decisions if not body["dispatched"]]
    assert len(denied) == reasons.total()
    assert all(found_ and {*found_} <= {"budget_exceeded"} for found_ in denied)
    (head,) = state.links
    totals = ledger_totals(items)[head.handle]
    assert {unit: head.envelope.total(unit) for unit in totals} == totals


def attempts(number: int) -> list[str]:
    """More of both than there is room for, mixed."""
    return ["pay" if (number + i) % 2 else "lookup" for i in range(18 // SHARE)]


def go(halo, names, ran, reasons, lock) -> None:
    with halo.session("s"):
        for name in names:
            try:
                halo.enforcer.run(call(halo, name, **({"amount": 1} if name == "pay" else {})), lambda _: "x", SURFACE)
            except (Denied, Pending) as exc:
                with lock:
                    reasons[exc.reason] += 1
            else:
                with lock:
                    ran[name] += 1


@pytest.mark.slow
def test_64_threads_spend_exactly_what_there_is(home):
    halo = open_here(home)
    ran, reasons, lock = Counter(), Counter(), threading.Lock()
    threads = [threading.Thread(target=go, args=(halo, attempts(n), ran, reasons, lock)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    judge(halo, home, reasons, ran)
    halo.close()
    assert verify_store(f"sqlite:///{home / 'halo.db'}", home).exit_code == 0


@pytest.mark.slow
async def test_256_coroutines_spend_exactly_what_there_is(home):
    halo = open_here(home)
    ran, reasons = Counter(), Counter()

    async def one(number: int) -> None:
        for name in attempts(number)[: 6 // SHARE]:
            args = {"amount": 1} if name == "pay" else {}
            try:
                await arun(FunctionAction(halo.enforcer, call(halo, name, **args), body, SURFACE))
            except (Denied, Pending) as exc:
                reasons[exc.reason] += 1
            else:
                ran[name] += 1

    async def body(_):
        await asyncio.sleep(0)
        return "x"

    with halo.session("s"):
        await asyncio.gather(*(one(number) for number in range(256)))
    await asyncio.to_thread(judge, halo, home, reasons, ran)
    halo.close()
    assert verify_store(f"sqlite:///{home / 'halo.db'}", home).exit_code == 0


@pytest.mark.slow
def test_two_processes_spend_exactly_what_there_is(home):
    with open_here(home):
        pass  # keys and policy are there before both come
    line = [*find_python(), __file__, str(home)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = [subprocess.Popen(line, env=env, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [worker.communicate(timeout=300)[0].split() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    ran = Counter({"lookup": sum(int(words[0]) for words in told), "pay": sum(int(words[1]) for words in told)})
    reasons = Counter(word for words in told for word in words[2:])
    with open_here(home) as halo:
        judge(halo, home, reasons, ran)
    assert all(int(words[0]) + int(words[1]) for words in told)  # both had some
    assert verify_store(f"sqlite:///{home / 'halo.db'}", home).exit_code == 0


@pytest.mark.slow
def test_children_side_by_side_spend_exactly_what_their_parent_has(home):
    halo = open_here(home)
    ran, reasons, lock = Counter(), Counter(), threading.Lock()

    def under(to: str) -> None:
        with halo.session("s"), halo.hand_off(to):
            for _ in range(150 // SHARE):
                try:
                    halo.enforcer.run(call(halo, "pay", amount=1), lambda _: "x", SURFACE)
                except (Denied, Pending) as exc:
                    with lock:
                        reasons[exc.reason] += 1
                else:
                    with lock:
                        ran["pay"] += 1

    threads = [threading.Thread(target=under, args=(to,)) for to in ("planner", "researcher", "writer")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran["pay"] == DOLLARS
    assert spent(halo, "s", "USD") == DOLLARS * 100
    assert reasons == Counter({"budget_exceeded": 3 * (150 // SHARE) - DOLLARS})
    halo.close()
    assert verify_store(f"sqlite:///{home / 'halo.db'}", home).exit_code == 0


def test_one_call_id_from_many_threads_runs_once(home):
    halo = open_here(home)
    ran, reasons, lock = Counter(), Counter(), threading.Lock()

    def once() -> None:
        try:
            with halo.session("s"):
                halo.enforcer.run(call(halo, "pay", amount=1, call_id="one"), lambda _: "x", SURFACE)
        except Denied as exc:
            with lock:
                reasons[exc.reason] += 1
        else:
            with lock:
                ran["pay"] += 1

    threads = [threading.Thread(target=once) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (ran["pay"], reasons) == (1, Counter({"already_dispatched": 15}))
    assert spent(halo, "s", "USD") == 1_00
    halo.close()


def main() -> None:
    """A process of its own: what it ran and why it was refused, on stdout."""
    ran, reasons, lock = Counter(), Counter(), threading.Lock()
    with open_here(Path(sys.argv[1])) as halo:
        go(halo, ["pay", "lookup"] * (210 // SHARE), ran, reasons, lock)
    print(ran["lookup"], ran["pay"], *reasons.elements())  # noqa: T201  read by the test


if __name__ == "__main__":
    main()
