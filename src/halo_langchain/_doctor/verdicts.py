"""Room: what `halo doctor` knows of one thing. Takes: a thing. Gives: its gate, its name, who is called back for it.

Never: walks, runs anything of the app's, decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackManager

from halo_core.coverage import Kind
from halo_core.pep.gate import Gate, gate_of
from halo_core.pep.names import clean_name
from halo_langchain._callback import HaloCallback
from halo_langchain._doctor.intact import intact
from halo_langchain._doctor.walk import container, held, is_a

__all__ = ["CALLBACK", "NOTHING", "Cover", "calls_back", "gate", "guarded", "handoff_target", "named"]

CALLBACK: Final = "callback"


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded things at one place.

    Args:
        point: it, in words; empty where nothing does.
        kinds: which kinds it decides.
        hint: why it does not decide here although it stands here, as a remedy.
    """

    point: str = ""
    kinds: frozenset[Kind] = frozenset()
    hint: str = ""
    decided: bool = False
    """Whether this is the body of something that was decided."""
    halo: Any = None
    """Who decides, where something does."""


NOTHING: Final = Cover()


def gate(x: Any) -> Gate | None:
    """The gate of anything at all."""
    try:
        return gate_of(x)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def named(x: Any) -> str:
    """A name of an object that asks none of its code."""
    own = held(x)
    names = [own.get(key) for key in ("name", "model", "model_name", "model_id")]
    return clean_name(next((name for name in names if type(name) is str and name), type(x).__name__))


def guarded(x: Any) -> Gate | None:
    """The gate of a guarded copy that still is one."""
    found = gate(x)
    return found if found is not None and intact(x, found) else None


def handoff_target(tool: Any) -> str:
    """The agent that a hand-off tool hands over to; empty for any other tool."""
    found = gate(tool)
    metadata = held(found.original if found is not None else tool).get("metadata")
    target = metadata.get("__handoff_destination") if type(metadata) is dict else None
    return target if type(target) is str else ""


def calls_back(callbacks: Any) -> Any:
    """The Halo of the `halo.callback()` in a list or manager of callbacks; None where there is none."""
    if is_a(callbacks, BaseCallbackManager):
        callbacks = held(callbacks).get("handlers")
    return next((held(item).get("_halo") for _, item in container(callbacks) or () if is_a(item, HaloCallback)), None)
