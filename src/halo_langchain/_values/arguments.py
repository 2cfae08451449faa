"""Room: arguments of a call: bound by signature, snapshotted, made plain. Takes: args, kwargs. Gives: a `Bound`.

Never: runs anything, keeps anything.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from langchain_core.tools import BaseTool, Tool
from langgraph.prebuilt import ToolRuntime

from halo_core.pep.bound import Bound, snapshot
from halo_core.pep.plain import outline, plain, unchanged
from halo_langchain._values.hidden import HANDLERS, filled_in

__all__ = ["Binder"]

_MANY: Final = inspect.Parameter.VAR_POSITIONAL


@dataclasses.dataclass(frozen=True, slots=True)
class Binder:
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: of the callable, without `self`.
        framework: parameters that the framework itself fills in, over whatever a caller gave: not decided.
        node: parameters that a tool node fills in, over whatever the call had: decided where no tool node called.
        injected: parameters hidden from the model that a host fills in; but whoever makes the call can.
        defaulted: parameters whose default is decided as if it had been given.
        rename: parameter → name that the tool's schema has for it.
    """

    signature: inspect.Signature
    framework: frozenset[str]
    node: frozenset[str]
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
        return cls(signature, *filled_in(tool, function), known, rename)

    def completed(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments, and None for each that the framework has yet to fill in."""
        needed = (p for p in self.signature.parameters.values() if p.name in self.framework | HANDLERS)
        return {**{p.name: None for p in needed if p.default is p.empty}, **kwargs}

    def split(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, filled: bool = False) -> Bound:
        """Snapshot of the arguments, with the injected ones beside it; `filled` where a tool node made the call.

        Raises:
            TypeError: they do not fit the signature.
        """
        bound = self.signature.bind(*args, **kwargs)
        sorted_ = _Sorted(self.framework | self.node if filled else self.framework)
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
        return Bound(*snapshot(sorted_.mine, sorted_.partly), sorted_.injected, len(args), frozenset(named))

    def _sort(self, name: str, value: Any, into: _Sorted, parameter: inspect.Parameter | None = None) -> None:
        shown = self.rename.get(name, name)
        if name in into.handed or (parameter is not None and self._handed_on(parameter, value)):
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
        if parameter.name in HANDLERS:
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
    """Arguments on their way into a `Bound`: `handed` on as they are; `partly` are (value, what is decided of it)."""

    handed: frozenset[str]
    mine: dict[str, Any] = dataclasses.field(default_factory=dict)
    partly: dict[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)
    injected: dict[str, Any] = dataclasses.field(default_factory=dict)


def _flat(value: Any) -> Any:
    try:
        return plain(value)
    except Exception:  # noqa: BLE001  too deep, or it misbehaves: the snapshot finds out, and refuses it
        return []
