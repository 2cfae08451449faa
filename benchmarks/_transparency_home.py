"""Create a home where everything is allowed, for a framework's own tests.

Each test gets an agent and a tenant of its own in one store: what the agents of a tenant do with nobody's request adds
up, and hundreds of tests are nobody's requests.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final, Generic, TypeVar

from halo_core.facade import HaloBase, Limits
from halo_core.manifest import DEFAULT_TERMS
from halo_core.model import EntryKind
from halo_core.store.reader import Reader, read_entries

__all__ = ["World"]

_POLICY: Final = '@id("transparency.all")\npermit (principal, action, resource);\n'

H = TypeVar("H", bound=HaloBase)


class World(Generic[H]):
    """One store, and an agent for each test.

    Args:
        kind: whose agents they are.
    """

    def __init__(self, kind: type[H]) -> None:
        self._kind = kind
        self.home = Path(tempfile.mkdtemp(prefix="halo-transparency-"))
        self.policy = self.home / "rules"
        self.policy.mkdir()
        (self.policy / "all.cedar").write_text(_POLICY, "utf-8")
        self._opened = 0
        self._between = self._open()  # for what is made while tests are collected
        self._current: H | None = None

    @property
    def halo(self) -> H:
        """Of the test that runs, else of none."""
        return self._current or self._between

    def start(self) -> None:
        """A test begins."""
        self._current = self._open()

    def stop(self) -> None:
        """A test ended."""
        if self._current is not None:
            self._current.close()
        self._current = None

    def close(self) -> Counter[str]:
        """Close everything; decisions by effect."""
        self.stop()
        self._between.close()
        with Reader(f"sqlite:///{self.home / 'halo' / 'halo.db'}") as reader:
            found = (item for name in reader.tenants() for item in read_entries(reader, name, (EntryKind.DECISION,)))
            return Counter(item.entry.body["decision"]["effect"] for item in found)

    def _open(self) -> H:
        self._opened += 1
        return self._kind.local(
            f"t{self._opened}",
            tenant=f"t{self._opened}",
            home=self.home / "halo",
            mode="enforce",
            policy=self.policy,
            limits=Limits(DEFAULT_TERMS),
            quiet=True,
        )
