from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster

from halo_core.model import EntryKind
from halo_langchain import Halo
from halo_world import LogTail, call_ref, turn_ref, unblocking

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

@id("t.dropped")
@effect("restrict")
@obligation("drop_documents(300)")
forbid (principal, action, resource) when { resource.labels.contains("dropped") };
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
            return self._entries(kind, resource)
        finally:
            self._guard.activate()

    def _entries(self, kind: EntryKind, resource: str) -> list[Any]:
        self.halo.store.flush()
        found = self._log.entries(kind)
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

    def effects(self, resource: str) -> list[str]:
        return [e.body["decision"]["effect"] for e in self.decisions(resource)]

    def reasons(self, resource: str) -> list[list[str]]:
        return [[r["code"] for r in e.body["decision"]["reasons"]] for e in self.decisions(resource)]

    def outcomes(self) -> list[str]:
        return [e.body["status"] for e in self.entries(EntryKind.OUTCOME)]


@pytest.fixture
def make_world(tmp_path: Path, unblocked: BlockBuster) -> Iterator[Any]:
    made: list[World] = []

    def make(mode: str = "enforce", policy: str = POLICY, **kwargs: Any) -> World:
        made.append(World(tmp_path / f"w{len(made)}", unblocked, mode, policy, **kwargs))
        return made[-1]

    yield make
    for item in made:
        item.halo.close()


@pytest.fixture
def world(make_world: Any) -> World:
    return make_world()


@pytest.fixture(autouse=True)
def unblocked() -> Iterator[BlockBuster]:
    """Whatever blocks a running event loop raises."""
    with unblocking() as guard:
        yield guard
