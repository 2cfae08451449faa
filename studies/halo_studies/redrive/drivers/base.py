"""The part of a driver that all frameworks share: it opens Halo for one agent and runs the agent's sessions.

A framework's driver adds how its agent is built, how a session is run, and what its tools are.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final, Self

from halo_core.clock import Clock
from halo_core.facade import HaloBase
from halo_core.model import Constraint, ConstraintKind, Resource
from halo_studies.recordings.sessions import Event, Session, call_id
from halo_studies.redrive.witness import Witness

__all__ = ["OPEN_SCHEMA", "STEPS", "Driver"]

OPEN_SCHEMA: Final = {"additionalProperties": True, "properties": {}, "type": "object"}
STEPS: Final = 10_000  # of an agent; the script ends before
_ANY: Final = Constraint(ConstraintKind.WILDCARD)


class Driver(ABC):
    """One agent: a suite's role, under an issued passport, or in one fold with grants learnt from the other.

    Args:
        agent: its id.
        tools: names and kinds of the suite's tools.
        granted: argument names by granted tool; None where the home holds a passport that was issued.
        resources: what a tool is, by name and kind; None for what the home's manifest declares.
        witness: is told of each body that runs.
        db: URL of the store.
        home: its keys.
        clock: of the decisions; None is the system's.
    """

    facade: ClassVar[type[HaloBase]]

    def __init__(
        self,
        agent: str,
        *,
        tools: dict[str, str],
        granted: dict[str, set[str]] | None,
        resources: Callable[[str, str], Resource | None],
        witness: Witness,
        db: str,
        home: Path,
        clock: Clock | None = None,
    ) -> None:
        self._events: dict[str, Event] = {}
        self._witness = witness
        grants = None
        if granted is not None:
            grants = {name: dict.fromkeys(sorted(args), _ANY) for name, args in granted.items()}
        self.halo: Any = self.facade.local(
            agent=agent, mode="enforce", db=db, home=home, grants=grants, quiet=True, clock=clock
        )
        self.build(
            agent,
            [self.halo.guard(self.tool(name), resource=resources(name, kind)) for name, kind in sorted(tools.items())],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.halo.close()

    def drive(self, session: Session, name: str) -> None:
        """Run one session to its end, under the id `name`."""
        self._events = {call_id(name, i): event for i, event in enumerate(session.events)}
        with self.halo.session(name):
            self.run(session, name)

    def event(self, this: str, name: str) -> Event:
        """The recorded event of a call that runs now, in the body of the tool `name`.

        Raises:
            AssertionError: it is another tool's.
        """
        self._witness.ran(this)
        event = self._events[this]
        if event.tool != name:
            raise AssertionError(f"`{name}` was called as `{event.tool}`")
        return event

    @abstractmethod
    def build(self, agent: str, guarded: list[Any]) -> None:
        """Make the framework's agent of these guarded tools."""

    @abstractmethod
    def tool(self, name: str) -> Any:
        """The framework's tool, whose body returns what was recorded."""

    @abstractmethod
    def run(self, session: Session, name: str) -> None:
        """Run the agent on a session, whose calls have the ids of `name`."""
