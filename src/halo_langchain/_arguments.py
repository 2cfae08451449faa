"""Room: arguments of a call: bound by signature, snapshotted, made plain. Takes: args, kwargs. Gives: a `Bound`.

Never: runs anything, keeps anything.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import functools
import inspect
import ipaddress
import typing
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

import pydantic
import pydantic_core
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, Tool
from langgraph.prebuilt import ToolRuntime
from pydantic.v1 import BaseModel as BaseModelV1

from halo_core.pep import Ticket

__all__ = ["Binder", "Bound", "plain", "unchanged"]

_FRAMEWORK: Final = frozenset(("run_manager", "callbacks"))
_TEXTS: Final = (
    uuid.UUID,
    PurePath,
    pydantic.AnyUrl,
    pydantic_core.Url,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    dt.timedelta,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """Arguments of one invocation.

    Args:
        decided: plain values under the names of the signature, for the decision.
        own: the same arguments as objects that nobody else holds.
        problem: reason code where they cannot be decided.
        injected: what the framework filled in; it is handed on as it is.
        by_position: how many were passed by position; the callable gets them in the same way.
    """

    decided: dict[str, Any]
    own: dict[str, Any]
    problem: str = ""
    injected: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    by_position: int = 0

    def executed(self, ticket: Ticket) -> dict[str, Any]:
        """What the action runs with: the snapshot, with every argument that an obligation changed."""
        # INVARIANT: what runs was decided; an argument is taken from the snapshot only while it is untouched.
        return {
            name: self.own[name] if unchanged(value, self.decided.get(name)) else value
            for name, value in ticket.args.items()
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Binder:
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: of the callable, without `self`.
        injected: parameters that the framework fills in: never decided, never changed.
        defaulted: parameters whose default is decided as if it had been given.
        rename: parameter → name that the tool's schema has for it.
    """

    signature: inspect.Signature
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
        return cls(signature, _injected(tool, function), known, rename)

    def split(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
        """Snapshot of the arguments, with the injected ones beside it.

        Raises:
            TypeError: they do not fit the signature.
        """
        bound = self.signature.bind(*args, **kwargs)
        mine: dict[str, Any] = {}
        injected: dict[str, Any] = {}
        for name, parameter in self.signature.parameters.items():
            if name in bound.arguments:
                value = bound.arguments[name]
            elif name in self.defaulted and parameter.default is not parameter.empty:
                value = parameter.default
            else:
                continue
            self._sort(parameter, value, mine, injected)
        return dataclasses.replace(_snapshot(mine), injected=injected, by_position=len(args))

    def _sort(self, parameter: inspect.Parameter, value: Any, mine: dict[str, Any], injected: dict[str, Any]) -> None:
        items = value.items() if parameter.kind is inspect.Parameter.VAR_KEYWORD else ((parameter.name, value),)
        for name, item in items:
            shown = self.rename.get(name, name)
            if name in self.injected:
                injected[name] = item
            elif shown in mine:
                raise TypeError(f"two arguments are called `{shown}`")
            else:
                mine[shown] = item

    def join(self, bound: Bound, executed: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the callable, passed the way they came."""
        left = {**executed, **bound.injected}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(self.signature.parameters.items()):
            shown = self.rename.get(name, name)
            if parameter.kind is inspect.Parameter.VAR_KEYWORD or shown not in left:
                continue
            value = left.pop(shown)
            if parameter.kind is _MANY:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound.by_position:
                positional.append(value)
            else:
                keywords[name] = value
        return tuple(positional), {**keywords, **left}


_MANY: Final = inspect.Parameter.VAR_POSITIONAL


def _injected(tool: BaseTool, function: Callable[..., Any]) -> frozenset[str]:
    """Names the framework fills in, by the function's annotations and by the tool's schema."""
    try:
        inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
        hints = typing.get_type_hints(inner, include_extras=True)
    except Exception:  # noqa: BLE001  a name that cannot be resolved: the framework's own reading is asked below
        hints = dict(getattr(function, "__annotations__", {}))
    found = {name for name, hint in hints.items() if hint is RunnableConfig or _is_injected(hint)}
    found |= set(getattr(tool, "_injected_args_keys", frozenset()))
    if not isinstance(tool.args_schema, dict):
        found |= _fields(tool.get_input_schema()) - _fields(tool.tool_call_schema)
    return frozenset(found | _FRAMEWORK)


def _is_injected(hint: Any) -> bool:
    base = typing.get_origin(hint) or hint
    if isinstance(base, type) and issubclass(base, ToolRuntime):
        return True
    marks = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return any(
        isinstance(mark, InjectedToolArg) or (isinstance(mark, type) and issubclass(mark, InjectedToolArg))
        for mark in marks
    )


def _fields(schema: Any) -> set[str]:
    return set(getattr(schema, "model_fields", None) or getattr(schema, "__fields__", {}))


def _snapshot(arguments: dict[str, Any]) -> Bound:
    try:
        own = copy.deepcopy(arguments)
        return Bound({name: plain(value) for name, value in own.items()}, own)
    except RecursionError:
        return Bound({}, arguments, "arguments_too_large")
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return Bound({}, arguments, "invalid_arguments")


def unchanged(value: Any, decided: Any) -> bool:
    """Whether an argument came back from the decision as it went in."""
    return type(value) is type(decided) and bool(value == decided)


def plain(value: Any) -> Any:
    """A value as the decision reads it; what has no plain form stays as it is, and is refused."""
    if isinstance(value, Enum):  # before its base: a member of a `StrEnum` is a `str` too
        return plain(value.value)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: plain(item) for key, item in value.items()}
        return [[plain(key), plain(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, pydantic.BaseModel | BaseModelV1):
        return {name: plain(item) for name, item in value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, pydantic.SecretStr | pydantic.SecretBytes):
        return {"secret": value.get_secret_value()}  # the name makes the redactor seal it
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, _TEXTS) else value


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value.adjusted()) > 300:
        return str(value)
    # An amount must stay a number, or a rule about amounts would not see it.
    return int(value) if value == value.to_integral_value() else float(value)
