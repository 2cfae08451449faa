"""Room: where a gate is held: a tool's at what invokes it, a model's in its class. Takes: things. Gives: their gates.

A tool is a dataclass, and what invokes it one of its fields: whoever puts another one there has taken the guard away,
and whoever changes another field has not. Never: decides.
"""

from __future__ import annotations

from typing import Any, Final

from agents import FunctionTool, Model

from halo_core.pep.gate import Gate, gate_of

__all__ = ["GATE", "gate_at", "put_at"]

GATE: Final = "_halo_gate"


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
