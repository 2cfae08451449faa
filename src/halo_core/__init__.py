"""Halo governs AI agents as privileged identities: every action is decided before it runs.

The names below are the public interface. They load on first use, so that `import halo_core` stays cheap. Everything
else is internal and may change.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from halo_core.enforcement.call import Call
    from halo_core.enforcement.enforcer import Enforcer, Surface
    from halo_core.errors import (
        BadInput,
        CannotDecide,
        ConfigError,
        Denied,
        Gap,
        HaloError,
        NotVerified,
        Pending,
        PolicyError,
        Tampered,
    )
    from halo_core.facade import HaloBase
    from halo_core.model import (
        ActionKind,
        Constraint,
        ConstraintKind,
        Decision,
        Effect,
        Impact,
        Mode,
        Order,
        Resource,
        Reversal,
    )
    from halo_core.verification import verify_store

__all__ = [
    "ActionKind",
    "BadInput",
    "Call",
    "CannotDecide",
    "ConfigError",
    "Constraint",
    "ConstraintKind",
    "Decision",
    "Denied",
    "Effect",
    "Enforcer",
    "Gap",
    "HaloBase",
    "HaloError",
    "Impact",
    "Mode",
    "NotVerified",
    "Order",
    "Pending",
    "PolicyError",
    "Resource",
    "Reversal",
    "Surface",
    "Tampered",
    "verify_store",
]

_PUBLIC_NAMES = {
    "errors": "BadInput CannotDecide ConfigError Denied Gap HaloError NotVerified Pending PolicyError Tampered",
    "facade": "HaloBase",
    "model": "ActionKind Constraint ConstraintKind Decision Effect Impact Mode Order Resource Reversal",
    "enforcement.call": "Call",
    "enforcement.enforcer": "Enforcer Surface",
    "verification": "verify_store",
}
_MODULE_OF = {name: f"halo_core.{module}" for module, names in _PUBLIC_NAMES.items() for name in names.split()}


if not TYPE_CHECKING:  # else every misspelt name would be an `Any`

    def __getattr__(name: str) -> Any:
        """Load a public name on first use (PEP 562)."""
        module = _MODULE_OF.get(name)
        if module is None:
            raise AttributeError(f"module `halo_core` has no public name `{name}`")
        return getattr(import_module(module), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
