"""Random sessions with hand-offs, restarts, clocks, answers and stops, checked against the ledger.

Nothing here asks the code what was spent: each step's new entries are added up again, over the tree of links that the
passport entries tell of. Invariants: MONO, CLOSE, SUB, ENV, ONCE, EPOCH, REV. `HALO_MACHINE_RUNS=1000` does more.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from counts import count

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

import itertools

from envelope_world import (
    SURFACE,
    TEAM,
    agent,
    changed,
    enrol,
    floors,
    found,
    lift,
    limits,
    opened,
    pending,
    revoke,
    sign,
    state_of,
    stop,
    tool,
)

from halo_core.authority import compute_authority, compute_effective_authority
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.hand_offs import HandOff
from halo_core.enforcement.steps import drive
from halo_core.errors import Denied, Pending
from halo_core.model import RESERVED_UNITS, ActionKind, Budget, Constraint, EntryKind, Envelope
from halo_core.passports import find_violation, verify_chain
from halo_core.testing import FixedClock
from halo_core.verification import verify_store

RUNS = int(os.environ.get("HALO_MACHINE_RUNS", count(40, fewest=10)))
STEPS = 15
SEEN: Counter[str] = Counter()

WILD = Constraint.anything()
DECAY = changed(
    authority=900_000,
    half_life_s=3600,
    half_life_steps=60,
    half_life_risk=600,
    floors=floors(60_000, payment=250_000),
    bands=((200, 500_000),),
)
BUDGETS = (Budget("USD", 60_00, 100_00, 2), Budget("risk", 500, 900), Budget("step", 1, 40))
LIMITS = limits(
    *BUDGETS, decay=DECAY, lifetime_s=30 * 86_400, ceilings=tuple(replace(b, subtree=2 * b.subtree) for b in BUDGETS)
)

amounts = st.one_of(
    st.integers(-5, 70),
    st.decimals(0, 60, places=3).map(str),
    st.floats(0, 60),
    st.sampled_from([None, True, "NaN", "1e3", "60.01", 2**60]),
)
gifts = st.builds(
    HandOff,
    grants=st.none()
    | st.just({ActionKind.TOOL_CALL: {"lookup": {"**": WILD}, "root": {"**": WILD}, "pay": {"amount": WILD}}}),
    labels=st.sampled_from([None, (), ("pii",)]),
    budgets=st.sampled_from(
        [
            (),
            (Budget("USD", 10**9, 10**9, 2),),
            (Budget("USD", 20_00, 20_00, 2),),
            (Budget("step", 9, 9),),
            (Budget("USD", 500, 500, 0),),
        ]
    ),
    decay=st.sampled_from(
        [
            None,
            changed(
                authority=1_000_000, half_life_s=10**9, half_life_steps=10**9, floors=floors(0), reauthorize_below=0
            ),
            changed(authority=500_000, half_life_steps=10),
        ]
    ),
    lifetime_s=st.sampled_from([None, 10**12, 10**6, 60]),
    to=st.sampled_from([None, (), TEAM, ("root", "planner")]),
)
PROBES = [
    (ActionKind.TOOL_CALL, name, args)
    for name in ("lookup", "note", "pay", "wire", "mail", "root", "later")
    for args in ({}, {"q": "a"}, {"amount": 5}, {"amount": 5, "q": "a"}, {"x": 1})
] + [(ActionKind.HANDOFF, name, {"task": "a"}) for name in (*TEAM, "root")]


class Ledger:
    """What the entries say, added up from the first to the last."""

    def __init__(self) -> None:
        self.read = 0
        self.spent: dict[str, Counter[str]] = {}  # handle → unit → spent, over the tree
        self.committed: dict[str, dict[str, int]] = {}
        self.parent: dict[str, str] = {}  # handle → handle
        self.handle: dict[str, str] = {}  # hash → handle
        self.decided: dict[tuple[str, int], tuple[str, dict[str, int]]] = {}
        self.dispatched: Counter[str] = Counter()
        self.epoch = 1
        self.approved: set[int] = set()
        self.session: int | None = None  # authority of the session link, in its epoch
        self.time_us = 0
        self.held: set[tuple[str, str]] = set()

    def tree(self, handle: str) -> list[str]:
        path = [handle]
        while self.parent[path[-1]]:
            path.append(self.parent[path[-1]])
        return path

    def take(self, items, links_of) -> None:
        for item in items[self.read :]:
            entry, body = item.entry, item.entry.body
            match entry.kind:
                case EntryKind.PASSPORT if body["kind"] != "standing":
                    self.passport(body)
                case EntryKind.APPROVAL if body["kind"] == "reauthorization" and body["answer"] == "approve":
                    self.approved.add(body["epoch"])
                case EntryKind.STOP | EntryKind.REVOCATION:
                    self.held.add((body["scope"], body["target"]))
                case EntryKind.LIFT:
                    self.held.discard((body["scope"], body["target"]))
                case EntryKind.DECISION:
                    self.decision((entry.writer, entry.seq), body, links_of)
                case EntryKind.OUTCOME if body["status"] != "unknown":
                    self.outcome(body)
        self.read = len(items)

    def passport(self, body) -> None:
        handle, above = body["handle"], self.handle.get(body["parent"], "")
        self.handle[body["hash"]] = handle
        assert self.parent.setdefault(handle, above) == above  # a link keeps its place
        self.spent.setdefault(handle, Counter())

    def decision(self, place, body, links_of) -> None:
        snapshot, charges = body["snapshot"], dict(body["decision"]["charges"])
        if not snapshot["chain"]:
            assert not body["dispatched"]
            assert not charges
            return
        SEEN["decisions"] += 1
        chain = links_of(tuple(snapshot["chain"]))
        path = self.tree(self.handle[chain[-1].hash])[::-1]
        before = [Envelope.from_plain(plain) for plain in snapshot["envelopes"]]
        assert [envelope.link for envelope in before] == path
        self.counters(before)
        if charges and body["decision"]["effect"] == "deny":
            assert [*charges] == ["risk"]
        for handle in path:
            for unit, amount in charges.items():
                assert amount >= 0
                self.spent[handle][unit] += amount
        self.within(chain, path, charges, ran=body["dispatched"])
        self.authority(chain, before, charges, snapshot["time_us"], body)
        self.decided[place] = (path[-1], charges if body["dispatched"] else {})
        if body["dispatched"]:
            self.ran(chain, body)

    def counters(self, before) -> None:
        for envelope in before:
            mine = {unit: total for unit, total in self.spent[envelope.link].items() if total}
            assert {unit: envelope.total(unit) for unit, *_ in envelope.spent if envelope.total(unit)} == mine
            known = self.committed.setdefault(envelope.link, {})
            for unit, _, done in envelope.spent:  # MONO: over clocks, restarts, epochs and hand-backs
                assert done >= known.get(unit, 0)
                known[unit] = done

    def within(self, chain, path, charges, *, ran) -> None:
        """ENV: after this charge no limit of the chain is passed, unless a result itself cost more."""
        for link, handle in zip(chain[1:], path, strict=True):
            most = {budget.unit: budget for budget in link.budgets}
            for unit, amount in charges.items():
                assert self.spent[handle][unit] <= most[unit].subtree, (handle, unit)
                if ran:
                    assert amount <= most[unit].per_action

    def authority(self, chain, before, charges, time_us, body) -> None:
        assert time_us >= self.time_us
        self.time_us = time_us
        head = before[0]
        if head.epoch != self.epoch:
            assert head.epoch == self.epoch + 1  # EPOCH: one at a time, and only where somebody said so
            assert head.epoch in self.approved
            self.epoch, self.session = head.epoch, None
            SEEN["epochs"] += 1
        assert {link.epoch for link in chain[1:]} == {envelope.epoch for envelope in before} == {self.epoch}
        assert chain[1].decay.authority <= DECAY.authority  # never above the first grant
        for low, high in zip(chain[2:], chain[1:], strict=False):
            assert low.decay.authority <= high.decay.authority
        spent = [charge(envelope, charges) for envelope in before]
        left = compute_authority(chain[1].decay, spent[0], time_us)
        assert self.session is None or left <= self.session  # MONO
        self.session = left
        parts = [compute_effective_authority(chain[: n + 2], spent[: n + 1], time_us) for n in range(len(spent))]
        assert parts == sorted(parts, reverse=True)  # CLOSE, all the way down
        assert body["after"]["authority"] == parts[-1]
        if body["dispatched"]:
            impact = body["request"]["resource"]["impact"]
            assert all(parts[-1] >= dict(link.decay.floors)[impact] for link in chain[1:])

    def ran(self, chain, body) -> None:
        SEEN["ran"] += 1
        SEEN[f"depth {len(chain) - 1}"] += 1
        request = body["request"]
        self.dispatched[request["request_id"]] += 1
        assert self.dispatched[request["request_id"]] == 1  # ONCE
        names = {("agent", link.agent) for link in chain} | {("link", link.hash) for link in chain}
        assert not self.held & (names | {("session", request["context"]["session"])})  # REV
        for above, below in itertools.pairwise(chain):  # SUB
            assert {*below.hand_off_to} <= {*above.hand_off_to}
            assert below.expires_at_s <= above.expires_at_s
            for probe in PROBES:
                if find_violation(below.grants, *probe) is None:
                    assert find_violation(above.grants, *probe) is None, probe

    def outcome(self, body) -> None:
        handle, charges = self.decided[body["decision"]["w"], body["decision"]["ws"]]
        for unit, amount in body["actual"]:
            assert unit not in RESERVED_UNITS
            for above in self.tree(handle):
                self.spent[above][unit] += amount - charges[unit]


def charge(envelope: Envelope, charges) -> Envelope:
    spent = {unit: envelope.total(unit) for unit, *_ in envelope.spent}
    for unit, amount in charges.items():
        spent[unit] = spent.get(unit, 0) + amount
    return replace(envelope, spent=tuple((unit, 0, amount) for unit, amount in sorted(spent.items())))


class Life(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        SEEN["runs"] += 1
        self.home = Path(tempfile.mkdtemp(prefix="halo-life-")) / "home"
        self.clock = FixedClock()
        self.path: list[tuple[str, str]] = []  # (handle, agent), from the first hand-off down
        self.tickets: list = []
        self.sent: list = []
        self.later = 0
        self.revoked = False
        self.stops: set[str] = set()
        self.ledger = Ledger()
        self.chains: dict[tuple[str, ...], tuple] = {}
        self.halo = opened(self.home, self.clock, LIMITS)
        enrol(self.home)

    def call(self, name, args, call_id=""):
        with self.halo.session("s"):
            made = self.halo.build_call(self.halo.find_registered(name), args, call_id=call_id)
        if not self.path:
            return made
        return replace(made, acting_handle=self.path[-1][0], agents=tuple(name for _, name in self.path))

    def attempt(self, call, **more):
        """A ticket, or None where it was refused; nothing else is ever raised."""
        SEEN["attempts"] += 1
        try:
            ticket = self.halo.enforcer.begin(replace(call, **more))
        except (Denied, Pending) as exc:
            SEEN[exc.reason] += 1
            note(exc.reason)
            return None
        self.sent.append(call)
        return ticket

    @rule(name=st.sampled_from(["lookup", "lookup", "note", "mail"]), q=st.text(max_size=3))
    def read(self, name, q) -> None:
        ticket = self.attempt(self.call(name, {"q": q}))
        if ticket is not None:
            ticket.succeed("done", SURFACE)

    @rule(amount=amounts, cost=st.sampled_from([None, 0, 1_00, 90_00]))
    def pay(self, amount, cost) -> None:
        ticket = self.attempt(self.call("pay", {"amount": amount}))
        if ticket is not None:
            self.finish_with(ticket, cost)

    @rule(amount=st.integers(0, 60))
    def start_paying(self, amount) -> None:
        ticket = self.attempt(self.call("pay", {"amount": amount}))
        if ticket is not None:
            self.tickets.append(ticket)

    @precondition(lambda self: self.tickets)
    @rule(cost=st.sampled_from([None, 0, 5_00, 70_00]), fails=st.booleans())
    def finish(self, cost, fails) -> None:
        ticket = self.tickets.pop()
        if fails:
            ticket.fail(TimeoutError())
        else:
            self.finish_with(ticket, cost)

    @staticmethod
    def finish_with(ticket, cost) -> None:
        tell = None if cost is None else (lambda _: {"USD": cost, "step": 0, "risk": 0})
        ticket.succeed("done", Surface(str, cost=tell))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data) -> None:
        call = data.draw(st.sampled_from(self.sent))
        with_id = replace(call, call_id="again")
        first = self.attempt(with_id)
        assert self.attempt(with_id) is None  # ONCE, whoever was first
        if first is not None:
            first.fail(ValueError())

    @rule(seconds=st.sampled_from([1, 60, 900, 3600, 20_000]))
    def forward(self, seconds) -> None:
        self.clock.advance(seconds)

    @rule(seconds=st.sampled_from([1, 60, 3600, 10**6]))
    def back(self, seconds) -> None:
        self.clock.advance(-seconds)

    @rule()
    def restart(self) -> None:
        self.halo.close()
        self.tickets.clear()
        SEEN["restarts"] += 1
        self.halo = opened(self.home, self.clock, LIMITS)
        for number in range(self.later):
            tool(self.halo, f"later-{number}")

    @precondition(lambda self: not self.revoked)
    @rule()
    def guard_later(self) -> None:
        tool(self.halo, f"later-{self.later}")
        self.later += 1

    @rule(to=st.sampled_from([*TEAM, "clerk"]), give=gifts)
    def hand_off(self, to, give) -> None:
        if to == "clerk" and not self.path:
            return
        if self.halo.find_registered(to) is None:
            agent(self.halo, to)
        ticket = self.attempt(self.call(to, {"task": "x"}), hand_off=give)
        if ticket is None:
            return
        SEEN["hand-offs"] += 1
        handle = ticket.context.handle
        agents = [name for _, name in self.path]
        if to == "clerk":
            self.path = []
        elif to in agents:
            self.path = self.path[: agents.index(to) + 1]
            assert self.path[-1][0] == handle  # a pop, and no new link
        else:
            self.path.append((handle, to))
        ticket.succeed("handed", SURFACE)

    @precondition(lambda self: self.path)
    @rule(forget=st.booleans())
    def hand_back(self, forget) -> None:
        handle, _ = self.path[-1]
        drive(self.halo.enforcer.hand_back(self.halo.store.references.of_session("s"), handle))
        late = self.call("lookup", {})
        assert self.attempt(late) is None
        self.path.pop()

    @rule(
        authority=st.sampled_from([1, 300_000, 1_000_000]),
        usd=st.sampled_from([None, 0, 150_00, 10**9]),
        answer=st.sampled_from(["approve", "approve", "deny"]),
    )
    def answer(self, authority, usd, answer) -> None:
        for row in pending(self.halo, "s"):
            again = row.kind == "reauthorization"
            more = {"authority": authority} if again and answer == "approve" else {}
            if again and usd is not None and answer == "approve":
                more["budgets"] = (Budget("USD", usd, usd, 2),)
            assert sign(self.halo, row, answer=answer, **more)

    @rule(amount=st.integers(0, 60))
    def wire(self, amount) -> None:
        ticket = self.attempt(self.call("wire", {"amount": amount}))
        if ticket is not None:
            self.finish_with(ticket, None)

    @rule(who=st.sampled_from([*TEAM, "clerk", "s"]))
    def stop_or_lift(self, who) -> None:
        scope = "session" if who == "s" else "agent"
        held = who in self.stops
        assert (lift if held else stop)(self.halo, scope, who)
        self.stops ^= {who}

    @precondition(lambda self: not self.revoked and self.path)
    @rule(data=st.data(), scope=st.sampled_from(["link", "agent"]))
    def revoke(self, data, scope) -> None:
        self.revoked = True
        handle, name = data.draw(st.sampled_from(self.path))
        accounts = state_of(self.halo, "s").path_to(handle)
        if accounts:
            revoke(self.halo, scope, accounts[-1].hash if scope == "link" else name)

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "halo"):
            return
        self.whole = False
        self.halo.store.flush()
        self.ledger.take(found(self.home), self.links_of)
        self.whole = True

    def links_of(self, hashes):
        if hashes not in self.chains:

            def read(tx):
                return [tx.load_blob(name).decode() for name in hashes], tx.load_control().store

            tokens, store = self.halo.store.commit(read)
            load_trusted = self.halo._agent_credentials.passport_store.reader.load_trusted
            trusted = self.halo.store.commit(lambda tx: load_trusted(tx, 2**52))
            self.chains[hashes] = verify_chain(tokens, trusted=trusted, audience=store, tenant="local")
        return self.chains[hashes]

    def teardown(self) -> None:
        if not hasattr(self, "halo"):
            return
        try:
            self.halo.close()
            if self.whole:  # else what went wrong is told already
                self.ledger.take(found(self.home), self.chains.__getitem__)
                assert verify_store(f"sqlite:///{self.home / 'halo.db'}", self.home).exit_code == 0
        finally:
            shutil.rmtree(self.home.parent, ignore_errors=True)


@pytest.mark.slow
def test_whatever_a_session_lives_through_its_limits_hold():
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
    print(dict(sorted(SEEN.items())))  # noqa: T201  shown with -s
    assert SEEN["ran"] > RUNS  # it was not all refused
    assert SEEN["hand-offs"] > 0
