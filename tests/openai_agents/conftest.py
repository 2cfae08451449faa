"""Fixtures of the tests of the OpenAI Agents adapter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from agents import set_tracing_disabled
from agents.run import AgentRunner, set_default_agent_runner
from blockbuster import BlockBuster

from framework_world import POLICY, FrameworkWorld
from halo_core.model import EntryKind
from halo_openai_agents import Halo
from halo_world import cli, unblocking


class World(FrameworkWorld):
    def __init__(self, home: Path, guard: BlockBuster, mode: str, policy: str, **kwargs: Any) -> None:
        super().__init__(Halo, home, mode, policy, guard, **kwargs)

    def order(self) -> list[str]:
        return [e.body["request"]["resource"]["id"] for e in self.decisions()]

    def codes(self, resource: str) -> list[str]:
        """The reason codes of all its decisions."""
        return [code for codes in self.reasons(resource) for code in codes]

    def chains(self, resource: str) -> list[list[str]]:
        return [list(e.body["request"]["subject"]["chain"]) for e in self.decisions(resource)]

    def sessions(self) -> set[str]:
        return {e.session for e in self.decisions()}

    def shadows(self) -> list[tuple[str, str, bool]]:
        return [(e.body["kind"], e.body["name"], e.body["refused"]) for e in self.entries(EntryKind.SHADOW)]

    def run(self, *words: str) -> None:
        """A command of `halo` on this home."""
        with self.reading():
            code, out, err = cli(*words, home=self.store_home)
        assert code == 0, (out, err)

    def answer(self, verb: str, pending: str) -> None:
        with self.reading():
            cli("approver", "enrol", "mia@bank", home=self.store_home)
        self.run("approvals", verb, pending, "--as", "mia@bank", *(("--why", "no") if verb == "deny" else ()))


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
