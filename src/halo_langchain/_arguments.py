"""The arguments of a tool's function: which of them are decided, who fills in the others, and how they are passed.

A `Binder` is made once for each function of a guarded tool. It takes a call apart into the arguments that are decided
and those that the framework or the host injects, and puts it together again with the decided ones.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, Tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime

from halo_core.enforcement.arguments import BoundArguments, copy_arguments, same_value, to_json_outline, to_json_value

HANDLER_NAMES: Final = frozenset(("run_manager", "callbacks"))
"""Filled in under these names where the signature has them; a caller may pass one where it has not."""

_FRAMEWORK_MARKERS: Final = (InjectedToolCallId,)
_NODE_MARKERS: Final = (InjectedState, InjectedStore)
_Names = frozenset[str]


def list_settable_arguments(tool: BaseTool, functions: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """Names of the hidden arguments that whoever calls the tool can set all the same."""
    return frozenset().union(*(classify_hidden_arguments(tool, function)[2] for function in functions))


def classify_hidden_arguments(tool: BaseTool, function: Callable[..., Any]) -> tuple[_Names, _Names, _Names]:
    """Names that the framework fills in, that a tool node does, and that any caller can set, though hidden."""
    schema = None if isinstance(tool.args_schema, dict) else tool.get_input_schema()
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    hints = {**_read_type_hints(schema), **_read_type_hints(inner)}
    framework = {name for name, hint in hints.items() if _is_framework(hint)}
    node = {name for name, hint in hints.items() if _has_marker(hint, _NODE_MARKERS)}
    injected = {name for name, hint in hints.items() if _is_injected(hint)} | node
    injected |= set(getattr(tool, "_injected_args_keys", frozenset()))
    if schema is not None:
        injected |= _list_field_names(schema) - _list_field_names(tool.tool_call_schema)
    return frozenset(framework), frozenset(node), frozenset(injected - framework - HANDLER_NAMES)


def _read_type_hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # noqa: BLE001  a name that cannot be resolved: the framework's own reading is asked too
        return dict(getattr(thing, "__annotations__", {}))


def _is_framework(hint: Any) -> bool:
    base = typing.get_origin(hint) or hint
    if isinstance(base, type) and issubclass(base, ToolRuntime):
        return True
    return RunnableConfig in (hint, *typing.get_args(hint)) or _has_marker(hint, _FRAMEWORK_MARKERS)


def _is_injected(hint: Any) -> bool:
    return _has_marker(hint, (InjectedToolArg,))


def _has_marker(hint: Any, kinds: tuple[type[Any], ...]) -> bool:
    markers = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return any(
        isinstance(marker, kinds) or (isinstance(marker, type) and issubclass(marker, kinds)) for marker in markers
    )


def _list_field_names(schema: Any) -> set[str]:
    # A class of today's kind without fields is not asked for the old name: that warns.
    fields = getattr(schema, "model_fields", None)
    return set(fields if fields is not None else getattr(schema, "__fields__", {}))


_MANY: Final = inspect.Parameter.VAR_POSITIONAL


@dataclasses.dataclass(frozen=True, slots=True)
class Binder:
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: of the callable, without `self`.
        framework_filled: parameters that the framework itself fills in, over whatever a caller gave: not decided.
        node_filled: parameters that a tool node fills in, over whatever the call had: decided where none called.
        injected: parameters hidden from the model that a host fills in; but whoever makes the call can.
        defaulted: parameters whose default is decided as if it had been given.
        rename: parameter → name that the tool's schema has for it.
    """

    signature: inspect.Signature
    framework_filled: frozenset[str]
    node_filled: frozenset[str]
    injected: frozenset[str]
    defaulted: frozenset[str]
    rename: Mapping[str, str]

    @classmethod
    def for_tool(
        cls, tool: BaseTool, function: Callable[..., Any], schema_names: frozenset[str], *, method: bool = False
    ) -> Binder:
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
        if isinstance(tool, Tool) and not method and parameters and parameters[0].name not in schema_names:
            # A single-input tool calls its function by position; the schema knows the argument by another name.
            rename = {parameters[0].name: next(iter(tool.args), parameters[0].name)}
        return cls(signature, *classify_hidden_arguments(tool, function), schema_names, rename)

    def fill_missing(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments, and None for each that the framework has yet to fill in."""
        required_parameters = (
            p for p in self.signature.parameters.values() if p.name in self.framework_filled | HANDLER_NAMES
        )
        return {**{p.name: None for p in required_parameters if p.default is p.empty}, **kwargs}

    def bind_call(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, by_tool_node: bool = False
    ) -> BoundArguments:
        """Snapshot of the arguments, with the injected ones beside it; `by_tool_node` where a tool node made the call.

        Raises:
            TypeError: they do not fit the signature.
        """
        signature_binding = self.signature.bind(*args, **kwargs)
        sorted_arguments = _SortedArguments(
            self.framework_filled | self.node_filled if by_tool_node else self.framework_filled
        )
        named_parameters = set()
        for name, parameter in self.signature.parameters.items():
            if name in signature_binding.arguments:
                value = signature_binding.arguments[name]
            elif name in self.defaulted and parameter.default is not parameter.empty:
                value = parameter.default
            else:
                continue
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                for key, item in value.items():
                    self._sort_argument(key, item, sorted_arguments)
            else:
                named_parameters.add(name)
                self._sort_argument(name, value, sorted_arguments, parameter)
        return BoundArguments(
            *copy_arguments(sorted_arguments.decided, sorted_arguments.partly_decided),
            sorted_arguments.injected,
            len(args),
            frozenset(named_parameters),
        )

    def _sort_argument(
        self, name: str, value: Any, sorted_arguments: _SortedArguments, parameter: inspect.Parameter | None = None
    ) -> None:
        schema_name = self.rename.get(name, name)
        if name in sorted_arguments.passed_through or (
            parameter is not None and self._is_passed_through(parameter, value)
        ):
            sorted_arguments.injected[name] = value
        elif schema_name in sorted_arguments.decided or schema_name in sorted_arguments.partly_decided:
            raise TypeError(f"two arguments are named `{schema_name}`")
        elif name not in self.injected:
            sorted_arguments.decided[schema_name] = value
        else:
            # INVARIANT: whatever the model can set is decided; what it cannot (an object) goes on beside it.
            json_value = _to_json_or_empty(value)
            if not isinstance(json_value, bool | int | float | str | bytes | list | dict | None):
                sorted_arguments.injected[name] = value
            elif same_value(to_json_outline(json_value), json_value):
                sorted_arguments.decided[schema_name] = value
            else:
                sorted_arguments.partly_decided[schema_name] = value, to_json_outline(json_value)

    def _is_passed_through(self, parameter: inspect.Parameter, value: Any) -> bool:
        """A handler under its own name, or a hidden argument at its default: nobody chose it."""
        if isinstance(value, ToolRuntime):
            return True
        if parameter.name in HANDLER_NAMES:
            json_value = _to_json_or_empty(value)
            is_live = not same_value(to_json_outline(json_value), json_value)
            return is_live or (value is None and parameter.name not in self.defaulted)
        return parameter.name in self.injected and (
            parameter.default is value or same_value(_to_json_or_empty(value), _to_json_or_empty(parameter.default))
        )

    def build_call_arguments(
        self, bound_arguments: BoundArguments, executed: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the callable, passed the way they came."""
        remaining = {**executed, **bound_arguments.injected}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(self.signature.parameters.items()):
            schema_name = name if name in bound_arguments.injected else self.rename.get(name, name)
            if name not in bound_arguments.named_parameters or schema_name not in remaining:
                continue  # a keyword that is called like it stays a keyword
            value = remaining.pop(schema_name)
            if parameter.kind is _MANY:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound_arguments.by_position:
                positional.append(value)
            else:
                keywords[name] = value
        return tuple(positional), {**keywords, **remaining}


@dataclasses.dataclass(slots=True)
class _SortedArguments:
    """Arguments of one call; `passed_through` are not decided, `partly_decided` are (value, its decided form)."""

    passed_through: frozenset[str]
    decided: dict[str, Any] = dataclasses.field(default_factory=dict)
    partly_decided: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    injected: dict[str, Any] = dataclasses.field(default_factory=dict)


def _to_json_or_empty(value: Any) -> Any:
    try:
        return to_json_value(value)
    except Exception:  # noqa: BLE001  too deep, or it misbehaves: the snapshot finds out, and refuses it
        return []
