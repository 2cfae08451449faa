"""The module that guarded copies name as theirs when they are serialized, and from which none can be restored.

A serialized context names the class of each object in it. The class of a guarded copy has the name of the class that it
guards, so without this module the object would be restored without its guard.
"""

from __future__ import annotations

from typing import Any, NoReturn

from halo_core.errors import ConfigError


def forbid_restoring(guarded: Any) -> None:
    """Make the deserialization of a guarded copy fail, so that it does not return as its original."""
    guarded.__dict__["__module__"] = __name__


def __getattr__(name: str) -> NoReturn:
    if name.startswith("__"):
        raise AttributeError(name)
    raise ConfigError(
        "not_restorable",
        f"a guarded `{name}` was saved in a context and cannot be restored",
        field="ctx",
        remedy="save the original object, and guard it where the context is restored",
    )
