"""Room: rows of `halo doctor`. Takes: a thing, where it is. Gives: findings. Never: walks, runs anything."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from halo_core.coverage import Finding, Kind, Status
from halo_core.errors import HaloError
from halo_core.model import Mode
from halo_core.pep.gate import Gate
from halo_openai_agents._runner import watching

__all__ = ["HOW", "Look", "Rows"]

HOW: Final = {
    Kind.AGENT: "use `halo.guard(agent)`, and run that one",
    Kind.HANDOFF: "use `halo.guard(agent)` on the agent that hands off",
    Kind.MODEL: "use `halo.guard(model)`, or `halo.guard(agent)` on the agent that has it",
    Kind.TOOL: "use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it",
}
"""What to do about what nothing decides."""


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    found: list[Finding] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)

    def add(self, kind: Kind, name: str, where: str, point: str, status: Status, remedy: str = "") -> None:  # noqa: PLR0917  a row
        """One row."""
        self.found.append(Finding(kind, name, where, point, status, remedy))

    def closed(self, kind: Kind, name: str, where: str, point: str, remedy: str = "") -> None:
        """A row about something that is decided, or refused."""
        self.add(kind, name, where, point, Status.CLOSED, remedy)

    def note(self, kind: Kind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", Status.NOTED, remedy)

    def undecided(self, kind: Kind, name: str, where: str, remedy: str = "") -> None:
        """A row about something that no guard decides: the process's tripwire may refuse it."""
        installed = watching()
        if not installed:
            self.add(kind, name, where, "none", Status.OPEN, remedy or HOW[kind])
            return
        with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
            if any(watch.mode() is Mode.ENFORCE for watch in installed):
                self.closed(kind, name, where, "tripwire (refused)")
                return
        point = "tripwire, observe mode: recorded only"
        self.add(kind, name, where, point, Status.OPEN, remedy or HOW[kind])

    def ungranted(self, kind: Kind, name: str, where: str, halo: Any, resource: str) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        if halo.registered(resource) is None:
            self.note(kind, name, where, f"no passport grants it: in enforce mode every call is denied; {HOW[kind]}")


class Look(Protocol):
    """One look at an app, as each kind of thing goes on with it."""

    rows: Rows

    def visit(self, x: Any, where: str, within: Gate | None) -> None:
        """Look at anything; `within` is the gate of the agent that has it."""

    def inside(self, x: Any, where: str) -> None:
        """Look at what it holds."""
