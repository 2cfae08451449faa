"""Room: where a gate is held: a tool's at what invokes it, a model's in its class. Takes: things. Gives: their gates.

A tool is a dataclass, and what invokes it one of its fields: whoever puts another one there has taken the guard away,
and whoever changes another field has not. Never: decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agents import FunctionTool, Model

from halo_core.model import ActionKind
from halo_core.pep.gate import Gate, gate_of

__all__ = ["GATE", "Strange", "gate_at", "put_at"]

GATE: Final = "_halo_gate"


@dataclass(frozen=True, slots=True, eq=False)
class Strange(Gate):
    """What stands before a tool that nobody has guarded: its resource says what it is called, and nothing else."""

    def taken(self) -> bool:
        """Whether it is called as something else is, which was registered or declared.

        INVARIANT: a grant, and what a policy knows by a name, are of that, and of nothing that is called so.
        """
        name = self.resource.id
        return self.halo.registered(name) is not None or self.halo.declared(name, *ActionKind) is not None


def put_at(invoker: Any, gate: Gate) -> None:
    """Fix a gate to what invokes a tool."""
    setattr(invoker, GATE, gate)


def gate_at(thing: Any) -> Gate | None:
    """What stands before a tool, a model, an agent or a hand-off; None where nothing does, or does no longer."""
    if not isinstance(thing, FunctionTool | Model):
        return gate_of(thing)
    # A guarded model shares the state of its original, so its class holds the gate.
    found = getattr(thing.on_invoke_tool if isinstance(thing, FunctionTool) else type(thing), GATE, None)
    return found if isinstance(found, Gate) else None
