"""Workers of the tests of both engines: `engine_worker.py HOME URL WHAT …`."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from engine_world import Place, once
from envelope_world import changed, floors, limits

from halo_core import failpoints
from halo_core.errors import CannotDecide, Denied
from halo_core.model import Budget
from halo_world import SURFACE, Calls, tool
from profile_world import USERS, Desk

FLAT = changed(half_life_s=10**8, half_life_steps=10**8, half_life_risk=10**9, floors=floors(0), reauthorize_below=0)


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def envelope(steps: int):
    """Limits of which only the number of steps matters."""
    most = (Budget("USD", 10**9, 10**9, 2), Budget("risk", 10**6, 10**9), Budget("step", 1, steps))
    return limits(*most, decay=FLAT, ceilings=most)


def spend(place: Place, name: str, calls: int, steps: int) -> None:
    """Call in one session that all workers share, and say which calls ran; a busy ledger is asked again."""
    with place.open(limits=envelope(steps), deadline_s=60.0) as halo:
        say("ready")
        sys.stdin.readline()
        for number in range(calls):
            call_id = f"{name}-{number}"
            for _ in range(20):
                body = Calls()
                try:
                    once(halo, body, "shared", call_id=call_id)
                except Denied as exc:
                    say(exc.reason, call_id, len(body))
                    if exc.reason not in ("ledger_busy", "ledger_unreachable"):
                        break
                else:
                    say("ran", call_id, len(body))
                    break


def wander(place: Place, name: str, calls: int) -> None:
    """Call in sessions of its own."""
    with place.open(deadline_s=60.0) as halo:
        say("ready")
        sys.stdin.readline()
        for number in range(calls):
            once(halo, session=f"{name}-{number % 3}", call_id=f"{name}-{number}")
            say("ran", f"{name}-{number}")


def endure(place: Place, name: str, calls: int) -> None:
    """As `wander`, and go on when the ledger cannot be reached."""
    with place.open(deadline_s=5.0) as halo:
        say("ready")
        sys.stdin.readline()
        for number in range(calls):
            body = Calls()
            try:
                once(halo, body, session=f"{name}-{number % 3}", call_id=f"{name}-{number}")
            except Denied as exc:
                say(exc.reason, f"{name}-{number}", len(body))
                time.sleep(0.05)
            else:
                say("ran", f"{name}-{number}", len(body))


def obey(place: Place) -> None:
    """Call whenever told to, and say what came of it."""
    with place.open() as halo:
        say("ready")
        for line in sys.stdin:
            try:
                once(halo, session="obedient", call_id=line.strip())
            except (Denied, CannotDecide) as exc:
                say(exc.code)
            else:
                say("ran")


def die(place: Place, point: str) -> None:
    """Run one call, and die in the body of the second, or at a failpoint."""
    halo = place.open()
    once(halo, call_id="first")
    halo.store.flush()

    def strike(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.arm_failpoints(strike)
    with halo.session("s"):
        halo.enforcer.run(
            halo.build_call(tool(halo, "lookup"), {"q": "b"}),
            lambda args: os.kill(os.getpid(), signal.SIGKILL),
            SURFACE,
        )


def rob(place: Place) -> None:
    """Read customers whom nobody named, and die before the session ends."""
    halo = place.open(policy=None)
    desk = Desk(halo)
    with halo.session("robbed", user=USERS[0], request="Please look up customer C-1"):
        for number in range(40):
            desk.run("find_customer", {"id": f"C-{1000 + number}"}, "one open order")
        halo.store.flush()
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    here = Place(Path(sys.argv[1]), sys.argv[2])
    {"spend": spend, "wander": wander, "endure": endure, "obey": obey, "die": die, "rob": rob}[sys.argv[3]](
        here, *(int(item) if item.isdecimal() else item for item in sys.argv[4:])
    )
