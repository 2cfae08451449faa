"""Room: arguments of a call: bound by signature, snapshotted, made plain. Takes: args, kwargs. Gives: a `Bound`.

Never: runs anything, keeps anything.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, Tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime

from halo_core.pep import Ticket
from halo_langchain._values.mend import mended
from halo_langchain._values.plain import outline, plain, unchanged

__all__ = ["Binder", "Bound", "settable"]

# Filled in under these names where the signature has them; a caller may pass one where it has not.
_HANDLERS: Final = frozenset(("run_manager", "callbacks"))
_FRAMEWORK: Final = (InjectedState, InjectedStore, InjectedToolCallId)
_MANY: Final = inspect.Parameter.VAR_POSITIONAL


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


@dataclasses.dataclass(frozen=True, slots=True)
class Binder:
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: of the callable, without `self`.
        framework: parameters that the framework itself fills in, over whatever a caller gave: not decided.
        injected: parameters hidden from the model that a host fills in; but whoever makes the call can.
        defaulted: parameters whose default is decided as if it had been given.
        rename: parameter → name that the tool's schema has for it.
    """

    signature: inspect.Signature
    framework: frozenset[str]
    injected: frozenset[str]
    defaulted: frozenset[str]
    rename: Mapping[str, str]

    @classmethod
    def of(cls, tool: BaseTool, function: Callable[..., Any], known: frozenset[str], *, method: bool = False) -> Binder:
        """The binder of a tool's function, or of its `_run` when `method`."""
        try:
            signature = inspect.signature(function)
        except ValueError:  # a builtin without one
            signature = inspect.Signature(
                [inspect.Parameter(n, k) for n, k in (("args", _MANY), ("kwargs", inspect.Parameter.VAR_KEYWORD))]
            )
        parameters = list(signature.parameters.values())[1 if method else 0 :]
        signature = signature.replace(parameters=parameters)
        rename = {}
        if isinstance(tool, Tool) and not method and parameters and parameters[0].name not in known:
            # A single-input tool calls its function by position; the schema knows the argument by another name.
            rename = {parameters[0].name: next(iter(tool.args), parameters[0].name)}
        return cls(signature, *_filled_in(tool, function), known, rename)

    def split(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
        """Snapshot of the arguments, with the injected ones beside it.

        Raises:
            TypeError: they do not fit the signature.
        """
        bound = self.signature.bind(*args, **kwargs)
        sorted_ = _Sorted()
        named = set()
        for name, parameter in self.signature.parameters.items():
            if name in bound.arguments:
                value = bound.arguments[name]
            elif name in self.defaulted and parameter.default is not parameter.empty:
                value = parameter.default
            else:
                continue
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                for key, item in value.items():
                    self._sort(key, item, sorted_)
            else:
                named.add(name)
                self._sort(name, value, sorted_, parameter)
        return Bound(*_snapshot(sorted_), sorted_.injected, len(args), frozenset(named))

    def _sort(self, name: str, value: Any, into: _Sorted, parameter: inspect.Parameter | None = None) -> None:
        shown = self.rename.get(name, name)
        if name in self.framework or (parameter is not None and self._handed_on(parameter, value)):
            into.injected[name] = value
        elif shown in into.mine or shown in into.partly:
            raise TypeError(f"two arguments are called `{shown}`")
        elif name not in self.injected:
            into.mine[shown] = value
        else:
            # INVARIANT: whatever the model can set is decided; what it cannot (an object) goes on beside it.
            flat = _flat(value)
            if not isinstance(flat, bool | int | float | str | bytes | list | dict | None):
                into.injected[name] = value
            elif unchanged(outline(flat), flat):
                into.mine[shown] = value
            else:
                into.partly[shown] = value, outline(flat)

    def _handed_on(self, parameter: inspect.Parameter, value: Any) -> bool:
        """A handler under its own name, or a hidden argument at its default: nobody chose it."""
        if isinstance(value, ToolRuntime):
            return True
        if parameter.name in _HANDLERS:
            flat = _flat(value)
            live = not unchanged(outline(flat), flat)
            return live or (value is None and parameter.name not in self.defaulted)
        return parameter.name in self.injected and (
            parameter.default is value or unchanged(_flat(value), _flat(parameter.default))
        )

    def join(self, bound: Bound, executed: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the callable, passed the way they came."""
        left = {**executed, **bound.injected}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(self.signature.parameters.items()):
            shown = name if name in bound.injected else self.rename.get(name, name)
            if name not in bound.named or shown not in left:
                continue  # a keyword that is called like it stays a keyword
            value = left.pop(shown)
            if parameter.kind is _MANY:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound.by_position:
                positional.append(value)
            else:
                keywords[name] = value
        return tuple(positional), {**keywords, **left}


@dataclasses.dataclass(slots=True)
class _Sorted:
    """Arguments on their way into a `Bound`; `partly` are (value, what can be decided of it)."""

    mine: dict[str, Any] = dataclasses.field(default_factory=dict)
    partly: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    injected: dict[str, Any] = dataclasses.field(default_factory=dict)


def settable(tool: BaseTool, functions: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """Names of the hidden arguments that whoever calls the tool can set all the same."""
    return frozenset().union(*(_filled_in(tool, function)[1] for function in functions))


def _filled_in(tool: BaseTool, function: Callable[..., Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Names that the framework fills in and names that a host does, by the function's annotations and the schema."""
    schema = None if isinstance(tool.args_schema, dict) else tool.get_input_schema()
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    hints = {**_hints(schema), **_hints(inner)}
    framework = {name for name, hint in hints.items() if _is_framework(hint)}
    host = {name for name, hint in hints.items() if _is_injected(hint)}
    host |= set(getattr(tool, "_injected_args_keys", frozenset()))
    if schema is not None:
        host |= _fields(schema) - _fields(tool.tool_call_schema)
    return frozenset(framework), frozenset(host - framework - _HANDLERS)


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


def _flat(value: Any) -> Any:
    try:
        return plain(value)
    except Exception:  # noqa: BLE001  too deep, or it misbehaves: the snapshot finds out, and refuses it
        return []


def _snapshot(arguments: _Sorted) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Plain values, the same as objects of our own, and the reason code where they cannot be decided."""
    mine = arguments.mine
    try:
        own = copy.deepcopy(mine)
        decided = {name: plain(value) for name, value in own.items()}
    except RecursionError:
        return {}, mine, "arguments_too_large"
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return {}, mine, "invalid_arguments"
    for name, (value, shown) in arguments.partly.items():  # it holds a live object, so it is not copied
        own[name], decided[name] = value, shown
    return decided, own, ""
