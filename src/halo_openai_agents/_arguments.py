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

from halo_core.enforcement import Ticket
from halo_core.enforcement.arguments import BoundArguments, copy_arguments, same_value

__all__ = ["ArgumentReader", "ModelArguments", "bind_call", "build_call_arguments", "read_closure"]

_JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


@dataclass(frozen=True, slots=True)
class ModelArguments:
    """Arguments of one call as the model wrote them.

    Args:
        text: the JSON.
        raw: what it says.
        bound_arguments: what is decided.
        reader: who read it.
    """

    text: str
    raw: Mapping[str, Any]
    bound_arguments: BoundArguments
    reader: ArgumentReader

    def to_executed_json(self, ticket: Ticket) -> str:
        """The JSON to run with: as it came, unless an obligation changed an argument."""
        decided, names = self.bound_arguments.decision_values, self.reader.get_parameter_names()
        changed = {name: value for name, value in ticket.args.items() if not same_value(value, decided.get(name))}
        if not changed and ticket.args.keys() == decided.keys():
            return self.text
        keys = {field: key for key, field in names.items()}
        unchanged_values = {key: value for key, value in self.raw.items() if names.get(key, key) in ticket.args}
        return json.dumps({**unchanged_values, **{keys.get(name, name): value for name, value in changed.items()}})

    def prepare_values(self, ticket: Ticket, text: str) -> PreparedFunctionArguments | None:
        """The very values that were decided, as the SDK's own step before a call makes them; None of other tools.

        INVARIANT: what runs was decided: no validator, default or alias is asked a second time.
        """
        reader = self.reader
        if reader.schema is None or reader.owner is None:
            return None
        args, kwargs = reader.schema.to_call_args(
            cast("Any", SimpleNamespace(**self.bound_arguments.get_executed_arguments(ticket)))
        )
        return PreparedFunctionArguments(reader.owner, text, args, kwargs)

    def matches_decision(self, ticket: Ticket, text: str) -> bool:
        """Whether a tool that reads a text reads exactly what may run."""
        return text is self.text or same_value(
            self.reader.parse_text(text).bound_arguments.decision_values, dict(ticket.args)
        )


@dataclass(frozen=True, slots=True)
class ArgumentReader:
    """Reads the arguments of one tool.

    Args:
        schema: of the function that a `function_tool` was made of; None of any other tool.
        json_schema: the JSON schema of any other tool.
        owner: the SDK's step that makes a call's values of its JSON.
    """

    schema: FuncSchema | None
    json_schema: Mapping[str, Any]
    owner: object = None

    @classmethod
    def for_tool(cls, tool: FunctionTool) -> ArgumentReader:
        """The reader of a tool."""
        cells = read_closure(getattr(tool.on_invoke_tool, "_invoke_tool_impl", None))
        schema_cell = cells.get("schema")
        schema = schema_cell if isinstance(schema_cell, FuncSchema) else None
        return cls(schema, tool.params_json_schema, cells.get("_prepare_arguments"))

    def get_parameter_names(self) -> dict[str, str]:
        """By the key in the JSON, the parameter of the function, where these differ."""
        fields = self.schema.params_pydantic_model.model_fields if self.schema is not None else {}
        keys = {name: field.validation_alias or field.alias for name, field in fields.items()}
        return {key: name for name, key in keys.items() if isinstance(key, str)}

    def parse_text(self, text: str) -> ModelArguments:
        """Arguments as the SDK hands them on."""
        try:
            raw = json.loads(text, object_pairs_hook=_build_object, parse_constant=_reject_constant) if text else {}
        except (ValueError, RecursionError):
            return ModelArguments(text, {}, BoundArguments({}, {}, "invalid_arguments"), self)
        if not isinstance(raw, dict):
            return ModelArguments(text, {}, BoundArguments({}, {}, "invalid_arguments"), self)
        return ModelArguments(text, raw, self.validate(raw), self)

    def validate(self, raw: Mapping[str, Any]) -> BoundArguments:
        """Parsed arguments, after validation: with the values and defaults that the function would get."""
        if self.schema is None:
            problem = "" if _matches_schema(raw, self.json_schema) else "invalid_arguments"
            decided, copies, copy_problem = copy_arguments(raw)
            return BoundArguments(decided, copies, problem or copy_problem)
        kind = self.schema.params_pydantic_model
        try:
            parsed = kind(**raw)
        except Exception:  # noqa: BLE001  a validator may raise anything: the call does not fit
            return BoundArguments(dict(raw), dict(raw), "invalid_arguments")
        return BoundArguments(*copy_arguments({name: getattr(parsed, name) for name in kind.model_fields}))


def read_closure(function: object) -> dict[str, Any]:
    """What a function of the SDK's holds, by name."""
    code = getattr(function, "__code__", None)
    cells = getattr(function, "__closure__", None) or ()
    names = code.co_freevars if code is not None else ()
    cells_by_name = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            cells_by_name[name] = cell.cell_contents
        except ValueError:  # not filled yet
            continue
    return cells_by_name


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice, so its value is ambiguous")
    return fields


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _matches_schema(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether arguments have the names and, at the top, the types of a schema; patterns and links are not followed."""
    properties = schema.get("properties") or {}
    if any(name not in raw for name in schema.get("required") or ()):
        return False
    if schema.get("additionalProperties") is False and any(name not in properties for name in raw):
        return False
    return all(_has_type(value, properties.get(name)) for name, value in raw.items())


def _has_type(value: Any, spec: Any) -> bool:
    declared = spec.get("type") if isinstance(spec, Mapping) else None
    names = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    if not names or any(name not in _JSON_TYPES for name in names):
        return True
    return any(
        isinstance(value, _JSON_TYPES[name]) and (name == "boolean" or type(value) is not bool) for name in names
    )


# a call in Python


def bind_call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundArguments:
    """Arguments bound by signature; what the SDK would have put in is handed on as it is."""
    try:
        signature = inspect.signature(function)
        bound_arguments = signature.bind(*args, **kwargs)
    except (TypeError, ValueError):
        return BoundArguments({}, {}, "invalid_arguments")
    bound_arguments.apply_defaults()
    chosen: dict[str, Any] = {}
    injected: dict[str, Any] = {}
    for name, value in bound_arguments.arguments.items():
        if isinstance(value, RunContextWrapper):
            injected[name] = value
        elif signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            chosen.update(value)
        else:
            chosen[name] = value
    passed_names = frozenset(bound_arguments.arguments)
    return BoundArguments(*copy_arguments(chosen), injected, len(args), passed_names)


def build_call_arguments(
    function: Callable[..., Any], bound_arguments: BoundArguments, executed: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments for the function."""
    remaining = {**executed, **bound_arguments.injected}
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for index, (name, parameter) in enumerate(inspect.signature(function).parameters.items()):
        if (
            name not in bound_arguments.named_parameters
            or name not in remaining
            or parameter.kind is inspect.Parameter.VAR_KEYWORD
        ):
            continue
        value = remaining.pop(name)
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound_arguments.by_position:
            positional.append(value)
        else:
            keywords[name] = value
    return tuple(positional), {**keywords, **remaining}
