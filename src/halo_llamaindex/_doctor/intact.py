"""Room: whether a guarded copy still is what `guard` made. Takes: a copy, its gate. Gives: yes or no.

A gate says that somebody guarded an object, not that every way in leads past it: a field can be set afterwards. Never:
runs anything of the app's, decides.
"""

from __future__ import annotations

import types
from typing import Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.workflow import Workflow

from halo_core.pep.gate import Gate
from halo_core.walk import closed_over, held, is_a, module_of
from halo_llamaindex._agents.kind import ways_of
from halo_llamaindex._models.guard import WAYS

__all__ = ["intact"]

_OURS: Final = "halo_llamaindex._"
_FUNCTIONS: Final = ("_fn", "_async_fn", "_real_fn")
_RETRIEVER: Final = ("retrieve", "aretrieve", "_retrieve", "_aretrieve")
_ENTRIES: Final = ("__call__", "call", "acall")


def intact(x: Any, gate: Gate) -> bool:
    """Whether the ways into a guarded copy are the guard's own."""
    if is_a(x, FunctionTool):
        return not _shadowed(x, _ENTRIES) and all(_wrapped(held(x).get(name), gate) for name in _FUNCTIONS)
    ways = _ways(x)
    there = [name for name in ways if _method(x, name) is not None]
    return not _shadowed(x, ways) and bool(there) and all(_ours(_method(x, name)) for name in there)


def _ways(x: Any) -> tuple[str, ...]:
    if is_a(x, BaseTool):
        return _ENTRIES
    if is_a(x, BaseRetriever):
        return _RETRIEVER
    if is_a(x, BaseLLM):
        return WAYS
    return tuple(ways_of(type(x))) if is_a(x, Workflow) else ()


def _shadowed(x: Any, names: tuple[str, ...]) -> bool:
    return bool(held(x).keys() & set(names))


def _wrapped(function: Any, gate: Gate) -> bool:
    return _ours(function) and any(value is gate for _, value in closed_over(function))


def _method(x: Any, name: str) -> Any:
    """A method as the class has it."""
    return next((kind.__dict__[name] for kind in type(x).__mro__ if name in kind.__dict__), None)


def _ours(function: Any) -> bool:
    return is_a(function, types.FunctionType) and module_of(function).startswith(_OURS)
