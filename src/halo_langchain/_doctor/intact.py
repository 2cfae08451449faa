"""Room: whether a guarded copy still is what `guard` made. Takes: a copy, its gate. Gives: yes or no.

A gate says that somebody guarded an object, not that every way in leads past it: a class may have entry points of its
own, and a field can be set afterwards. Never: runs anything of the app's, decides.
"""

from __future__ import annotations

import types
from typing import Any, Final

from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.pregel import Pregel

from halo_core.pep.gate import Gate
from halo_langchain._doctor.walk import closed_over, held, is_a, module_of

__all__ = ["intact"]

_OURS: Final = "halo_langchain._"
_MANY: Final = ("batch", "abatch", "stream", "astream")
_FUNCTIONS: Final = ("func", "coroutine")
_WAYS: Final[tuple[tuple[type[Any], tuple[str, ...], tuple[str, ...]], ...]] = (
    (BaseTool, ("run", "arun"), ("invoke", "ainvoke")),
    (BaseRetriever, ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents"), _MANY),
    (BaseLanguageModel, ("invoke", "ainvoke", "stream", "astream", "_generate", "_agenerate"), _MANY),
    (Pregel, ("stream", "astream"), ("invoke", "ainvoke")),
)
"""Of each kind: methods that must be ours, and methods that must be ours or the framework's."""


def intact(x: Any, gate: Gate) -> bool:
    """Whether the ways into a guarded copy are the guard's own, or the framework's that lead to those."""
    own = held(x)
    for kind, ours, through in _WAYS:
        if is_a(x, kind):
            if own.keys() & {*ours, *through}:
                return False
            wrapped = all(_ours(_method(x, name)) for name in ours)
            if not wrapped or not all(_known(_method(x, name)) for name in through):
                return False
    return _functions(x, own, gate) if is_a(x, BaseTool) else True


def _functions(x: Any, own: dict[str, Any], gate: Gate) -> bool:
    """Of a tool: its body, which is a method, the functions that it holds, or both."""
    functions = [own[name] for name in _FUNCTIONS if own.get(name) is not None] if is_a(x, Tool, StructuredTool) else []
    if not all(_ours(item) and any(value is gate for _, value in closed_over(item)) for item in functions):
        return False
    return (bool(functions) or _ours(_method(x, "_run"))) and all(
        _known(_method(x, name)) for name in ("_run", "_arun")
    )


def _method(x: Any, name: str) -> Any:
    """A method as the class has it."""
    return next((kind.__dict__[name] for kind in type(x).__mro__ if name in kind.__dict__), None)


def _ours(function: Any) -> bool:
    return is_a(function, types.FunctionType) and module_of(function).startswith(_OURS)


def _known(function: Any) -> bool:
    """Whether a method is ours or the framework's own, which leads to ours."""
    return _ours(function) or module_of(function).partition(".")[0] in {"langchain_core", "langgraph"}
