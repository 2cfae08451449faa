"""What the tests of each framework's adapter share: a policy by labels, and a Halo whose ledger can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blockbuster import BlockBuster

from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import LogTail, call_ref, turn_ref

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

@id("t.masked")
@effect("restrict")
@obligation("redact_output()")
forbid (principal, action, resource) when { resource.labels.contains("masked") };

@id("t.nosecrets")
@effect("restrict")
@obligation("drop_labels(secret)")
forbid (principal, action, resource) when { resource.labels.contains("labelled") };
"""


class FrameworkWorld:
    """A Halo of one framework over a store of its own, and what its ledger says.

    Args:
        facade: the framework's `Halo`.
        home: a new folder; the store is in `halo` below it.
        guard: raises where the code under test blocks an event loop; not while the test reads.
        mode: `enforce` or `observe`.
        policy: rules in Cedar.
        kwargs: as for `Halo.local`.
    """

    def __init__(
        self,
        facade: type[HaloBase],
        home: Path,
        mode: str,
        policy: str,
        guard: BlockBuster | None = None,
        **kwargs: Any,
    ) -> None:
        self._guard = guard
        folder = home / "rules"
        folder.mkdir(parents=True)
        (folder / "t.cedar").write_text(policy)
        self.home = home
        self.store_home = home / "halo"
        self._log = LogTail(self.store_home)
        options = {"quiet": True, **kwargs}
        self.halo: Any = facade.local("desk", home=self.store_home, mode=mode, policy=folder, **options)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """The test may block: it is not the code under test."""
        if self._guard is not None:
            self._guard.deactivate()
        try:
            yield
        finally:
            if self._guard is not None:
                self._guard.activate()

    def entries(self, kind: EntryKind, resource: str = "") -> list[Any]:
        with self.reading():
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
        with self.reading():
            return refer(self.store_home, name)

    def decisions(self, resource: str = "") -> list[Any]:
        return self.entries(EntryKind.DECISION, resource)

    def effects(self, resource: str) -> list[str]:
        return [e.body["decision"]["effect"] for e in self.decisions(resource)]

    def reasons(self, resource: str) -> list[list[str]]:
        """Of each decision its reason codes."""
        return [[r["code"] for r in e.body["decision"]["reasons"]] for e in self.decisions(resource)]

    def outcomes(self) -> list[str]:
        return [e.body["status"] for e in self.entries(EntryKind.OUTCOME)]
