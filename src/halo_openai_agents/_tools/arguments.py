"""Room: arguments of a tool call: parsed, validated, made plain. Takes: JSON text, or a Python call. Gives: a `Bound`.

Never: runs a tool, keeps anything.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, cast

from agents import FunctionTool, RunContextWrapper
from agents._function_tool_arguments import PreparedFunctionArguments
from agents.function_schema import FuncSchema

from halo_core.pep import Ticket
from halo_core.pep.bound import Bound, snapshot
from halo_core.pep.plain import unchanged

__all__ = ["Given", "Reader", "called", "closure", "joined"]

_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


@dataclass(frozen=True, slots=True)
class Given:
    """Arguments of one call as the model wrote them.

    Args:
        text: the JSON.
        raw: what it says.
        bound: what is decided.
        reader: who read it.
    """

    text: str
    raw: Mapping[str, Any]
    bound: Bound
    reader: Reader

    def executed(self, ticket: Ticket) -> str:
        """The JSON to run with: as it came, unless an obligation changed an argument."""
        decided, names = self.bound.decided, self.reader.names()
        changed = {name: value for name, value in ticket.args.items() if not unchanged(value, decided.get(name))}
        if not changed and ticket.args.keys() == decided.keys():
            return self.text
        keys = {field: key for key, field in names.items()}
        kept = {key: value for key, value in self.raw.items() if names.get(key, key) in ticket.args}
        return json.dumps({**kept, **{keys.get(name, name): value for name, value in changed.items()}})

    def prepared(self, ticket: Ticket, text: str) -> PreparedFunctionArguments | None:
        """The very values that were decided, as the SDK's own step before a call makes them; None of other tools.

        INVARIANT: what runs was decided: no validator, default or alias is asked a second time.
        """
        reader = self.reader
        if reader.schema is None or reader.owner is None:
            return None
        args, kwargs = reader.schema.to_call_args(cast("Any", SimpleNamespace(**self.bound.executed(ticket))))
        return PreparedFunctionArguments(reader.owner, text, args, kwargs)

    def holds(self, ticket: Ticket, text: str) -> bool:
        """Whether a tool that reads a text reads exactly what may run."""
        return text is self.text or unchanged(self.reader.text(text).bound.decided, dict(ticket.args))


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the arguments of one tool.

    Args:
        schema: of the function that a `function_tool` was made of; None of any other tool.
        declared: the JSON schema of any other tool.
        owner: the SDK's step that makes a call's values of its JSON.
    """

    schema: FuncSchema | None
    declared: Mapping[str, Any]
    owner: object = None

    @classmethod
    def of(cls, tool: FunctionTool) -> Reader:
        """The reader of a tool."""
        held = closure(getattr(tool.on_invoke_tool, "_invoke_tool_impl", None))
        found = held.get("schema")
        schema = found if isinstance(found, FuncSchema) else None
        return cls(schema, tool.params_json_schema, held.get("_prepare_arguments"))

    def names(self) -> dict[str, str]:
        """By the key in the JSON, the parameter of the function, where these differ."""
        fields = self.schema.params_pydantic_model.model_fields if self.schema is not None else {}
        keys = {name: field.validation_alias or field.alias for name, field in fields.items()}
        return {key: name for name, key in keys.items() if isinstance(key, str)}

    def text(self, text: str) -> Given:
        """Arguments as the SDK hands them on."""
        try:
            raw = json.loads(text, object_pairs_hook=_object, parse_constant=_constant) if text else {}
        except (ValueError, RecursionError):
            return Given(text, {}, Bound({}, {}, "invalid_arguments"), self)
        if not isinstance(raw, dict):
            return Given(text, {}, Bound({}, {}, "invalid_arguments"), self)
        return Given(text, raw, self.values(raw), self)

    def values(self, raw: Mapping[str, Any]) -> Bound:
        """Parsed arguments, after validation: with the values and defaults that the function would get."""
        if self.schema is None:
            problem = "" if _fits(raw, self.declared) else "invalid_arguments"
            decided, own, odd = snapshot(raw)
            return Bound(decided, own, problem or odd)
        kind = self.schema.params_pydantic_model
        try:
            parsed = kind(**raw)
        except Exception:  # noqa: BLE001  a validator may raise anything: the call does not fit
            return Bound(dict(raw), dict(raw), "invalid_arguments")
        return Bound(*snapshot({name: getattr(parsed, name) for name in kind.model_fields}))


def closure(function: object) -> dict[str, Any]:
    """What a function of the SDK's holds, by name."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None) or ()
    names = code.co_freevars if code is not None else ()
    found = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            found[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice, and who reads it may take either")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _fits(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether arguments have the names and, at the top, the types of a schema; patterns and links are not followed."""
    properties = schema.get("properties") or {}
    if any(name not in raw for name in schema.get("required") or ()):
        return False
    if schema.get("additionalProperties") is False and any(name not in properties for name in raw):
        return False
    return all(_typed(value, properties.get(name)) for name, value in raw.items())


def _typed(value: Any, spec: Any) -> bool:
    wanted = spec.get("type") if isinstance(spec, Mapping) else None
    names = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    if not names or any(name not in _KINDS for name in names):
        return True
    return any(isinstance(value, _KINDS[name]) and (name == "boolean" or type(value) is not bool) for name in names)


# a call in Python


def called(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
    """Arguments bound by signature; what the SDK would have put in is handed on as it is."""
    try:
        signature = inspect.signature(function)
        bound = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        return Bound({}, {}, "invalid_arguments")
    bound.apply_defaults()
    mine: dict[str, Any] = {}
    injected: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if isinstance(value, RunContextWrapper):
            injected[name] = value
        elif signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            mine.update(value)
        else:
            mine[name] = value
    named = frozenset(bound.arguments)
    return Bound(*snapshot(mine), injected, len(args), named)


def joined(
    function: Callable[..., Any], bound: Bound, executed: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments for the function."""
    left = {**executed, **bound.injected}
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for index, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        if name not in bound.named or name not in left or parameter.kind is inspect.Parameter.VAR_KEYWORD:
            continue
        value = left.pop(name)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound.by_position:
            positional.append(value)
        else:
            keywords[name] = value
    return tuple(positional), {**keywords, **left}
