"""Room: the gate of a tool, which stands where the tool is invoked. Takes: tools. Gives: their gates.

A tool is a dataclass, and what invokes it one of its fields: whoever puts another one there has taken the guard away,
and whoever changes another field has not. Never: decides.
"""

from __future__ import annotations

from typing import Any, Final

from agents import FunctionTool

from halo_core.pep.gate import Gate, gate_of

__all__ = ["gate_at", "put_at"]

_GATE: Final = "_halo_gate"


def put_at(invoker: Any, gate: Gate) -> None:
    """Fix a gate to what invokes a tool."""
    setattr(invoker, _GATE, gate)


def gate_at(thing: Any) -> Gate | None:
    """What stands before a tool, a model, an agent or a hand-off; None where nothing does, or does no longer."""
    if not isinstance(thing, FunctionTool):
        return gate_of(thing)
    found = getattr(thing.on_invoke_tool, _GATE, None)
    return found if isinstance(found, Gate) else None
