from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import set_tracing_disabled
from agents.run import AgentRunner, set_default_agent_runner
from blockbuster import BlockBuster

from halo_core.model import EntryKind
from halo_openai_agents import Halo
from halo_world import LogTail, call_ref, cli, turn_ref, unblocking

POLICY = """
@id("t.base")
permit (principal, action, resource);

@id("t.forbidden")
forbid (principal, action, resource) when { resource.labels.contains("forbidden") };

@id("t.asked")
@effect("challenge")
@reason("large_amount")
forbid (principal, action, resource) when { resource.labels.contains("asked") };

@id("t.clamped")
@effect("restrict")
@obligation("clamp(k, 2)")
forbid (principal, action, resource) when { resource.labels.contains("clamped") };
"""


class World:
    """A Halo over a store of its own, and what its ledger says."""

    def __init__(self, home: Path, guard: BlockBuster, mode: str, policy: str, **kwargs: Any) -> None:
        self._guard = guard
        home.mkdir()
        folder = home / "rules"
        folder.mkdir()
        (folder / "t.cedar").write_text(policy)
        self.home = home
        self._log = LogTail(home / "halo")
        self.halo = Halo.local("desk", home=home / "halo", mode=mode, policy=folder, quiet=True, **kwargs)

    def entries(self, kind: EntryKind, resource: str = "") -> list[Any]:
        self._guard.deactivate()  # the test reads, not the code under test
        try:
            self.halo.store.flush()
            found = self._log.entries(kind)
        finally:
            self._guard.activate()
        return [e for e in found if not resource or e.body["request"]["resource"]["id"] == resource]

    def refer_call(self, name: str) -> str:
        """What stands in the ledger for a framework's id of a call."""
        return self._refer(call_ref, name)

    def refer_turn(self, name: str) -> str:
        """What stands in the ledger for a framework's id of a message."""
        return self._refer(turn_ref, name)

    def _refer(self, refer: Callable[[Path, str], str], name: str) -> str:
        self._guard.deactivate()  # the test reads keys, not the code under test
        try:
            return refer(self.home / "halo", name)
        finally:
            self._guard.activate()

    def decisions(self, resource: str = "") -> list[Any]:
        return self.entries(EntryKind.DECISION, resource)

    def order(self) -> list[str]:
        return [e.body["request"]["resource"]["id"] for e in self.decisions()]

    def effects(self, resource: str) -> list[str]:
        return [e.body["decision"]["effect"] for e in self.decisions(resource)]

    def reasons(self, resource: str) -> list[str]:
        return [r["code"] for e in self.decisions(resource) for r in e.body["decision"]["reasons"]]

    def chains(self, resource: str) -> list[list[str]]:
        return [list(e.body["request"]["subject"]["chain"]) for e in self.decisions(resource)]

    def sessions(self) -> set[str]:
        return {e.session for e in self.decisions()}

    def outcomes(self) -> list[str]:
        return [e.body["status"] for e in self.entries(EntryKind.OUTCOME)]

    def shadows(self) -> list[tuple[str, str, bool]]:
        return [(e.body["kind"], e.body["name"], e.body["refused"]) for e in self.entries(EntryKind.SHADOW)]

    def run(self, *words: str) -> None:
        """A command of `halo` on this home."""
        self._guard.deactivate()
        try:
            code, out, err = cli(*words, home=self.home / "halo")
            assert code == 0, (out, err)
        finally:
            self._guard.activate()

    def answer(self, verb: str, pending: str) -> None:
        self._guard.deactivate()
        try:
            why = ("--why", "no") if verb == "deny" else ()
            cli("approver", "enrol", "mia@bank", home=self.home / "halo")
            code, out, err = cli("approvals", verb, pending, "--as", "mia@bank", *why, home=self.home / "halo")
            assert code == 0, (out, err)
        finally:
            self._guard.activate()


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    set_tracing_disabled(True)
    set_default_agent_runner(AgentRunner())
    yield
    set_default_agent_runner(None)


@pytest.fixture
def unblocked() -> Iterator[BlockBuster]:
    """Raise where our code would block a running event loop."""
    with unblocking("halo_core", "halo_openai_agents") as guard:
        yield guard


@pytest.fixture
def make_world(tmp_path: Path, unblocked: BlockBuster) -> Iterator[Any]:
    made: list[World] = []

    def make(mode: str = "enforce", policy: str = POLICY, **kwargs: Any) -> World:
        unblocked.deactivate()  # opening may wait for a disk
        try:
            made.append(World(tmp_path / f"w{len(made)}", unblocked, mode, policy, **kwargs))
        finally:
            unblocked.activate()
        return made[-1]

    yield make
    unblocked.deactivate()
    for world in made:
        world.halo.close()


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()


@pytest.fixture
def halo(world: World) -> Halo:
    return world.halo
