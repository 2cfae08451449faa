"""Room: arguments that a tool hides from the model. Takes: a tool, a function. Gives: who fills them in.

Never: runs anything, keeps anything.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterable
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime

__all__ = ["HANDLERS", "filled_in", "settable"]

HANDLERS: Final = frozenset(("run_manager", "callbacks"))
"""Filled in under these names where the signature has them; a caller may pass one where it has not."""

_FRAMEWORK: Final = (InjectedToolCallId,)
_NODE: Final = (InjectedState, InjectedStore)
_Names = frozenset[str]


def settable(tool: BaseTool, functions: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """Names of the hidden arguments that whoever calls the tool can set all the same."""
    return frozenset().union(*(filled_in(tool, function)[2] for function in functions))


def filled_in(tool: BaseTool, function: Callable[..., Any]) -> tuple[_Names, _Names, _Names]:
    """Names that the framework fills in, that a tool node does, and that any caller can set, though hidden."""
    schema = None if isinstance(tool.args_schema, dict) else tool.get_input_schema()
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    hints = {**_hints(schema), **_hints(inner)}
    framework = {name for name, hint in hints.items() if _is_framework(hint)}
    node = {name for name, hint in hints.items() if _marked(hint, _NODE)}
    host = {name for name, hint in hints.items() if _is_injected(hint)} | node
    host |= set(getattr(tool, "_injected_args_keys", frozenset()))
    if schema is not None:
        host |= _fields(schema) - _fields(tool.tool_call_schema)
    return frozenset(framework), frozenset(node), frozenset(host - framework - HANDLERS)


def _hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # noqa: BLE001  a name that cannot be resolved: the framework's own reading is asked too
        return dict(getattr(thing, "__annotations__", {}))


def _is_framework(hint: Any) -> bool:
    base = typing.get_origin(hint) or hint
    if isinstance(base, type) and issubclass(base, ToolRuntime):
        return True
    return RunnableConfig in (hint, *typing.get_args(hint)) or _marked(hint, _FRAMEWORK)


def _is_injected(hint: Any) -> bool:
    return _marked(hint, (InjectedToolArg,))


def _marked(hint: Any, kinds: tuple[type[Any], ...]) -> bool:
    marks = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return any(isinstance(mark, kinds) or (isinstance(mark, type) and issubclass(mark, kinds)) for mark in marks)


def _fields(schema: Any) -> set[str]:
    # A class of today's kind without fields is not asked for the old name: that warns.
    found = getattr(schema, "model_fields", None)
    return set(found if found is not None else getattr(schema, "__fields__", {}))
