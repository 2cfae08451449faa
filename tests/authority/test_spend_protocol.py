"""Which way of spending is safe: every interleaving, crash and retry of a small world, breadth first.

Two children under one session with a limit of 2, four operations, each retried after a crash. Five protocols that look
reasonable each lose money or run something twice; the one that is built does not. Its steps call the code itself, so
that what is explored is what runs. `python tests/authority/test_spend_protocol.py` prints the table.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # run as a script

from chain_world import chain, verify
from halo_core.authority import charge_account, find_shortfalls, settle_account
from halo_core.model import Budget, Envelope

STANDING, SESSION, HANDED = (
    replace(link, budgets=(Budget("USD", 2, 2),) if link.decay else ()) for link in verify(chain(3))
)
LIMIT = 2
PARENT_OF = (0, 0, 1, 1)
RESERVES = (2, 1, 1, 1)  # the first reserves more than it turns out to cost
COST = 1
CRASHES = 2
ROOT = Envelope("session", 1, 0)
CHILDREN = (Envelope("left", 1, 0), Envelope("right", 1, 0))


@dataclass(frozen=True)
class World:
    """What is durable (accounts, known request ids), what only a process remembers (`ops`), what happened outside."""

    root: Envelope = ROOT
    children: tuple[Envelope, ...] = CHILDREN
    known: frozenset[int] = frozenset()
    ops: tuple[str, ...] = ("new",) * 4
    effects: tuple[int, ...] = (0,) * 4
    crashes: int = 0

    def accounts(self, op: int) -> tuple[Envelope, Envelope]:
        return self.root, self.children[PARENT_OF[op]]

    def at(self, op: int, place: str, **changes) -> World:
        ops = (*self.ops[:op], place, *self.ops[op + 1 :])
        return replace(self, ops=ops, **changes)

    def ran(self, op: int, place: str) -> World:
        effects = (*self.effects[:op], self.effects[op] + 1, *self.effects[op + 1 :])
        return self.at(op, place, effects=effects, known=self.known | {op})

    def with_accounts(self, op: int, root: Envelope, child: Envelope) -> World:
        children = [*self.children]
        children[PARENT_OF[op]] = child
        return replace(self, root=root, children=tuple(children))

    def overspent(self) -> bool:
        return sum(self.effects) * COST > LIMIT

    def twice(self) -> bool:
        return max(self.effects) > 1


Steps = Iterator[tuple[str, World]]
Protocol = Callable[[World, int], Steps]


def fits(world: World, op: int, *, child_only: bool = False) -> bool:
    links, accounts = (STANDING, SESSION, HANDED), world.accounts(op)
    if child_only:
        links, accounts = (STANDING, HANDED), accounts[1:]
    return not find_shortfalls(links, accounts, (("USD", RESERVES[op]),), opened_us=0, time_us=0)


def charge(world: World, op: int) -> World:
    return world.with_accounts(op, *(charge_account(item, (("USD", RESERVES[op]),)) for item in world.accounts(op)))


def settle(world: World, op: int) -> World:
    done = (settle_account(item, (("USD", RESERVES[op]),), {"USD": COST}) for item in world.accounts(op))
    return world.with_accounts(op, *done)


def release(world: World, op: int) -> World:
    """What no code of ours does: take a reservation back."""

    def freed(item: Envelope) -> Envelope:
        ((unit, held, done),) = item.spent
        return replace(item, spent=((unit, max(held - RESERVES[op], 0), done),))

    return world.with_accounts(op, *map(freed, world.accounts(op)))


# the protocols: what one operation may do next


def check_then_act(world: World, op: int) -> Steps:
    match world.ops[op]:
        case "new" if op not in world.known and fits(world, op):
            yield "check", world.at(op, "checked")
        case "checked":
            yield "act", charge(world, op).ran(op, "ran")
        case "ran":
            yield "settle", settle(world, op).at(op, "ended")


def child_counter_only(world: World, op: int) -> Steps:
    match world.ops[op]:
        case "new" if op not in world.known and fits(world, op, child_only=True):
            root, child = world.accounts(op)
            child = charge_account(child, (("USD", RESERVES[op]),))
            yield "reserve", world.with_accounts(op, root, child).at(op, "dispatched", known=world.known | {op})
        case "dispatched":
            yield "act", world.ran(op, "ran")
        case "ran":
            root, child = world.accounts(op)
            child = settle_account(child, (("USD", RESERVES[op]),), {"USD": COST})
            yield "settle", world.with_accounts(op, root, child).at(op, "ended")


def charge_after_effect(world: World, op: int) -> Steps:
    match world.ops[op]:
        case "new" if op not in world.known and fits(world, op):
            yield "check and act", world.ran(op, "ran")  # one at a time: not even a race is needed
        case "ran":
            yield "charge", settle(charge(world, op), op).at(op, "ended")


def release_on_timeout(world: World, op: int) -> Steps:
    match world.ops[op]:
        case "new" if op not in world.known and fits(world, op):
            yield "reserve", charge(world, op).at(op, "reserved", known=world.known | {op})
        case "reserved":
            yield "act", world.ran(op, "ran")
            yield "time out", release(world, op).at(op, "slow")
        case "slow":  # it was not dead, only slow
            yield "act", world.ran(op, "ended")
        case "ran":
            yield "settle", settle(world, op).at(op, "ended")


def without_request_id(world: World, op: int) -> Steps:
    match world.ops[op]:
        case "new" if fits(world, op):
            yield "reserve", charge(world, op).at(op, "reserved")
        case "reserved":
            yield "act", world.ran(op, "ran")
        case "ran":
            yield "settle", settle(world, op).at(op, "ended")


def as_built(world: World, op: int) -> Steps:
    """One transaction checks and charges every ancestor and makes the dispatch durable; only then the effect."""
    match world.ops[op]:
        case "new" if op not in world.known and fits(world, op):
            yield "dispatch", charge(world, op).at(op, "dispatched", known=world.known | {op})
        case "dispatched":
            yield "act", world.ran(op, "ran")
        case "ran":
            yield "settle", settle(world, op).at(op, "ended")


PROTOCOLS: dict[str, tuple[Protocol, str]] = {
    "check, then act": (check_then_act, "overspend"),
    "child counter only": (child_counter_only, "overspend"),
    "charge after the effect": (charge_after_effect, "overspend"),
    "reserve, release on timeout": (release_on_timeout, "overspend"),
    "reserve without a request id": (without_request_id, "double effect"),
    "as built": (as_built, ""),
}


def crash(world: World) -> World:
    """The process dies: what it remembered is gone, and every operation that had not ended is tried again."""
    ops = tuple("ended" if place == "ended" else "new" for place in world.ops)
    return replace(world, ops=ops, crashes=world.crashes + 1)


def following(world: World, protocol: Protocol) -> Steps:
    for op in range(len(world.ops)):
        for name, after in protocol(world, op):
            yield f"{name} {op}", after
    if world.crashes < CRASHES and any(place not in ("new", "ended") for place in world.ops):
        yield "crash", crash(world)


@dataclass(frozen=True)
class Explored:
    states: int
    worlds: frozenset[World]
    violation: str = ""
    trace: tuple[str, ...] = ()


def explore(protocol: Protocol) -> Explored:
    """Breadth first, so that the trace of a violation is a shortest one."""
    start = World()
    came: dict[World, tuple[World, str] | None] = {start: None}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        if world.overspent() or world.twice():
            return Explored(
                len(came), frozenset(came), "double effect" if world.twice() else "overspend", _trace(came, world)
            )
        for name, after in following(world, protocol):
            if after not in came:
                came[after] = (world, name)
                queue.append(after)
    return Explored(len(came), frozenset(came))


def _trace(came: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    names = []
    while (step := came[world]) is not None:
        world, name = step
        names.append(name)
    return tuple(reversed(names))


@pytest.mark.parametrize("name", [name for name, (_, fault) in PROTOCOLS.items() if fault])
def test_a_protocol_with_a_gap_is_found_out(name):
    protocol, fault = PROTOCOLS[name]
    found = explore(protocol)
    assert found.violation == fault
    assert found.trace  # the shortest way there


def test_the_protocol_that_is_built_neither_overspends_nor_runs_twice():
    found = explore(as_built)
    assert found.violation == ""
    assert found.states > 100  # it was not stopped by being too careful
    assert max(sum(world.effects) for world in found.worlds) == LIMIT
    assert max(world.crashes for world in found.worlds) == CRASHES


def test_what_is_built_keeps_its_counters_in_every_state():
    for world in explore(as_built).worlds:
        root = world.root.total("USD")
        assert sum(world.effects) * COST <= root <= LIMIT  # nothing that happened is uncharged
        assert root == sum(child.total("USD") for child in world.children)  # each child's spending is its parent's
        for _, after in following(world, as_built):
            for before, then in zip((world.root, *world.children), (after.root, *after.children), strict=True):
                done = {unit: committed for unit, _, committed in then.spent}
                assert all(done[unit] >= committed for unit, _, committed in before.spent)


def test_a_crash_gives_nothing_back():
    for world in explore(as_built).worlds:
        after = crash(world)
        assert (after.root, after.children, after.known) == (world.root, world.children, world.known)


def main() -> None:
    for name, (protocol, _) in PROTOCOLS.items():
        found = explore(protocol)
        result = f"{found.violation}: {', '.join(found.trace)}" if found.violation else "all invariants hold"
        print(f"{name:30} {found.states:6} states  {result}")  # noqa: T201  a script


if __name__ == "__main__":
    main()
