"""`halo budget` and `halo authority`: what a session spent and may still do, as text, as JSON, as a picture."""

from __future__ import annotations

import json
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from halo_core.authorities import Authorities, approver_key_name
from halo_core.cli.budget_page import bar
from halo_core.custody import HandOff
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.keys import KeyStore
from halo_core.model import Budget, Decay, EntryKind, Impact, Quota, Terms
from halo_core.oversight import answer
from halo_core.oversight.enrolment import enrol
from halo_core.standing import Limits
from halo_core.testing import FixedClock
from halo_world import POLICY, SURFACE, Calls, attack, bodies, cli, db_of, policy_folder, tool

HOUR = 3600
FLOORS = {
    "admin": 600_000,
    "delete": 500_000,
    "execute": 500_000,
    "payment": 500_000,
    "read": 20_000,
    "send": 300_000,
    "unknown": 400_000,
    "write": 200_000,
}
LIMITS = Limits(
    terms=Terms(
        budgets=(
            Budget("USD", 300_00, 400_00, 2),
            Budget("risk", 500, 500),
            Budget("step", 60, 60),
            Budget("time", 8 * HOUR, 8 * HOUR),
        ),
        decay=Decay(1_000_000, 4 * HOUR, 100, 2_000, 20_000, tuple(sorted(FLOORS.items()))),
        lifetime_s=30 * 24 * HOUR,
    ),
    quotas=(Quota("USD", 1_000_00, 2),),
    ceilings=(
        Budget("USD", 300_00, 900_00, 2),
        Budget("risk", 1_500, 1_500),
        Budget("step", 180, 180),
        Budget("time", 24 * HOUR, 24 * HOUR),
    ),
)


def run(halo, resource, args):
    try:
        halo.enforcer.run(halo.call(resource, args), Calls(), SURFACE)
    except Pending as waits:
        return waits.pending_id
    except Denied:
        pass
    return ""


def work(home):
    """A session of five hours: a hand-off within a hand-off, a payment that stops, a second epoch."""
    clock = FixedClock()
    with HaloBase.local(
        "desk", home=home, mode="enforce", policy=policy_folder(home, POLICY), quiet=True, clock=clock, limits=LIMITS
    ) as halo:
        pay = tool(halo, "pay", impact=Impact.PAYMENT, unit="USD", targets=("to",))
        look = tool(halo, "lookup")
        with halo.session("early"):
            run(halo, pay, {"amount": 70, "to": "ACC-1"})
            with halo.hand_off("reader"):
                run(halo, look, {"q": "first"})
        with halo.session("long", request="pay ACC-1"):
            for _ in range(4):
                clock.advance(20 * 60)
                run(halo, look, {"q": "x"})
            run(halo, pay, {"amount": 90, "to": "ACC-1"})
            small = HandOff(budgets=(Budget("USD", 50_00, 50_00, 2), Budget("step", 9, 9)))
            with halo.hand_off("planner", give=small):
                clock.advance(15 * 60)
                run(halo, pay, {"amount": 20, "to": "ACC-1"})
                with halo.hand_off("reader"):
                    clock.advance(15 * 60)
                    run(halo, look, {"q": "y"})
            clock.advance(2 * HOUR)
            request = run(halo, pay, {"amount": 10, "to": "ACC-1"})
            allow(halo, home, request, clock)
            clock.advance(10 * 60)
            run(halo, pay, {"amount": 10, "to": "ACC-1"})
            with halo.hand_off("planner", give=small):
                clock.advance(HOUR / 2)
                run(halo, look, {"q": "z"})
                halo.store.flush()
                yield home


def allow(halo, home, request, clock):
    people = KeyStore(home.parent / "people")
    key = people.signer(approver_key_name("mia")).public_key
    enrol(halo.store, Authorities(home), name="mia", public_key=key, by="admin", now_us=clock.now_us())
    answer(halo.store, people, home, request_id=request, approver="mia", approve=True, now_us=clock.now_us())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The second hand-off is live while the tests look."""
    yield from work(tmp_path_factory.mktemp("budget") / "home")
