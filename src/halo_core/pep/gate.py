"""Room: the gate, what a guarded object carries. Takes: an object, its registration. Gives: where it is decided.

Never: decides, runs anything.
"""

from __future__ import annotations

import types
import weakref
from dataclasses import dataclass
from typing import Any, Final

from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Resource
from halo_core.passport import is_resource_id
from halo_core.pep.obligations import Surface

__all__ = ["Gate", "Strange", "gate_of", "is_made", "put_gate", "required", "resource_name", "subclass"]

_GATE: Final = "_halo_gate"
_MADE: Final[weakref.WeakSet[type[Any]]] = weakref.WeakSet()


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """What stands before one guarded object.

    Args:
        halo: who decides, the adapter's own `Halo`.
        original: the object as it was handed in.
        name: its name as the framework says it.
        resource: as registered.
        surface: how its results are read.
    """

    halo: Any
    original: Any
    name: str
    resource: Resource
    surface: Surface[Any]

    def __deepcopy__(self, _memo: dict[int, Any]) -> Gate:
        """A copy of a guarded object stays behind the same gate."""
        return self

    def problem(self) -> str:
        """Reason code of why nothing behind it may run; empty where that is decided call by call."""
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class Strange(Gate):
    """What stands before a tool that nobody has guarded: its resource says what it is called, and nothing else."""

    def problem(self) -> str:
        """`needs_guard` where something else of that name was registered or declared.

        INVARIANT: a grant, and what a policy knows by a name, are of that, and of nothing that is called so.
        """
        name = self.resource.id
        taken = self.halo.registered(name) is not None or self.halo.declared(name, *ActionKind) is not None
        return "needs_guard" if taken else ""


def put_gate(guarded: Any, gate: Gate) -> None:
    """Fix a gate to an object: beside its fields, so that copies keep it and no schema shows it."""
    guarded.__dict__[_GATE] = gate


def gate_of(guarded: Any) -> Gate | None:
    """The gate of a guarded object, None of anything else."""
    found = getattr(guarded, "__dict__", {}).get(_GATE)
    return found if isinstance(found, Gate) else None


def required(guarded: Any) -> Gate:
    """The gate of an object of a guarded class.

    Raises:
        Denied: it was copied in a way that lost its gate.
    """
    gate = gate_of(guarded)
    if gate is None:
        raise Denied("needs_guard", "this copy of a guarded object has lost its guard", remedy="guard it again")
    return gate


def resource_name(resource: Resource | None, name: str) -> str:
    """Id under which an object is registered.

    Raises:
        ConfigError: it can name no resource.
    """
    wanted = (resource.id if resource is not None else "") or name
    if not is_resource_id(wanted):
        raise ConfigError(
            "bad_resource_id",
            f"`{wanted[:64]}` cannot name a resource",
            field="resource",
            remedy="give it a plain ASCII id: `resource=Resource(id=...)`",
        )
    return wanted


def subclass(kind: type[Any], members: dict[str, Any]) -> type[Any]:
    """A subclass that calls itself what its parent is called: names show in traces and error messages."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    body = {**names, "__annotations__": {}, **members}
    made = types.new_class(kind.__name__, (kind,), {}, lambda namespace: namespace.update(body))
    _MADE.add(made)
    return made


def is_made(kind: type[Any]) -> bool:
    """Whether a class is one of `subclass`."""
    return kind in _MADE
