"""Room: the arguments of one call, snapshotted. Takes: arguments as objects. Gives: a `Bound`.

Never: runs anything, keeps anything.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from halo_core.pep.enforcer import Ticket
from halo_core.pep.mend import mended
from halo_core.pep.plain import plain, unchanged

__all__ = ["Bound", "snapshot"]

_ATOMS: Final = frozenset((str, int, float, bool, type(None)))  # plain already, and nobody can change one


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """Arguments of one invocation.

    Args:
        decided: plain values under the names of the signature, for the decision.
        own: the same arguments as objects that nobody else holds.
        problem: reason code where they cannot be decided.
        injected: what the framework filled in; it is handed on as it is.
        by_position: how many were passed by position; the callable gets them in the same way.
        named: parameters that have a value; whatever else there is came as `**kwargs`.
    """

    decided: dict[str, Any]
    own: dict[str, Any]
    problem: str = ""
    injected: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    by_position: int = 0
    named: frozenset[str] = frozenset()

    def executed(self, ticket: Ticket) -> dict[str, Any]:
        """What the action runs with: the snapshot, with every argument that an obligation changed."""
        # INVARIANT: what runs was decided; an argument is taken from the snapshot only while it is untouched.
        return {
            name: self.own[name] if unchanged(value, self.decided.get(name)) else mended(self.own[name], value)
            for name, value in ticket.args.items()
        }


def snapshot(
    arguments: Mapping[str, Any], live: Mapping[str, tuple[Any, Any]] | None = None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Plain values, the same as objects of our own, and the reason code where they cannot be decided.

    Args:
        arguments: by name.
        live: arguments that hold a live object and so are not copied, each with the plain form it is decided in.
    """
    mine = dict(arguments)
    if not live and all(type(value) in _ATOMS for value in mine.values()):
        return dict(mine), mine, ""
    try:
        own = copy.deepcopy(mine)
        decided = {name: plain(value) for name, value in own.items()}
    except RecursionError:
        return {}, mine, "arguments_too_large"
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return {}, mine, "invalid_arguments"
    for name, (value, shown) in (live or {}).items():
        own[name], decided[name] = value, shown
    return decided, own, ""
