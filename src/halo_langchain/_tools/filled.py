"""Room: what a tool node fills in. Takes: the frame of an entry point. Gives: whether this very call comes from one.

State and store are the graph's where a `ToolNode` puts them into a call: it throws away what the call had under their
names. Anybody else who calls the tool has chosen them. The arguments of a call do not tell the two apart, nor does a
configuration, which all code of a step has; the code that makes the call does. Never: decides, reads an argument.
"""

from __future__ import annotations

import types
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from langgraph.prebuilt import ToolNode

from halo_langchain._context import During

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate

__all__ = ["by_node", "emptied", "filled", "filling"]

_CODE: Final = frozenset(
    function.__code__ for function in vars(ToolNode).values() if isinstance(function, types.FunctionType)
)
_FILLED: Final[ContextVar[Gate | None]] = ContextVar("halo_langchain_filled", default=None)


def by_node(frame: types.FrameType | None) -> bool:
    """Whether a tool node called the function of this frame; no, where frames cannot be read."""
    return frame is not None and frame.f_back is not None and frame.f_back.f_code in _CODE


def filling(gate: Gate, *, node: bool) -> During[Any]:
    """Around an entry point of a guarded tool: who called it, where that is not known from the one above."""
    return During((_FILLED, gate if node or filled(gate) else None))


def emptied(*, but: bool = False) -> During[Any]:
    """Around the body of a decided tool: what it calls, nobody fills in; `but` where it is yet on its way there."""
    return During((_FILLED, _FILLED.get() if but else None))


def filled(gate: Gate) -> bool:
    """Whether a tool node has filled in what it does in the call at hand."""
    return _FILLED.get() is gate
