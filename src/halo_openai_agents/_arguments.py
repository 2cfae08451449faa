"""Arguments of a tool call as they are decided and as they run.

`ArgumentReader` reads the JSON that a model wrote; `FunctionBinder` binds a call of the function behind a tool.
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from agents import FunctionTool, RunContextWrapper
from agents._function_tool_arguments import PreparedFunctionArguments
from agents.function_schema import FuncSchema

from halo_core.enforcement import Ticket
from halo_core.enforcement.arguments import BoundArguments, copy_arguments, same_value
from halo_core.object_graph import iterate_closure

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
        """The JSON to run with: unchanged, unless an obligation changed an argument."""
        decided, names = self.bound_arguments.decision_values, self.reader.get_parameter_names()
        changed = {name: value for name, value in ticket.args.items() if not same_value(value, decided.get(name))}
        if not changed and ticket.args.keys() == decided.keys():
            return self.text
        keys = {field: key for key, field in names.items()}
        unchanged_values = {key: value for key, value in self.raw.items() if names.get(key, key) in ticket.args}
        return json.dumps({**unchanged_values, **{keys.get(name, name): value for name, value in changed.items()}})

    def prepare_values(self, ticket: Ticket, text: str) -> PreparedFunctionArguments | None:
        """The decided values in the form that the SDK prepares before a call; None for tools without that step.

        INVARIANT: what runs was decided: no validator, default or alias is asked a second time.
        """
        reader = self.reader
        if reader.schema is None or reader.owner is None:
            return None
        values: Any = SimpleNamespace(**self.bound_arguments.get_executed_arguments(ticket))
        args, kwargs = reader.schema.to_call_args(values)
        return PreparedFunctionArguments(reader.owner, text, args, kwargs)

    def matches_decision(self, ticket: Ticket, text: str) -> bool:
        """Whether a tool that parses this text gets exactly the decided arguments."""
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
        """Make the reader of a tool."""
        cells = read_closure(getattr(tool.on_invoke_tool, "_invoke_tool_impl", None))
        schema_cell = cells.get("schema")
        schema = schema_cell if isinstance(schema_cell, FuncSchema) else None
        return cls(schema, tool.params_json_schema, cells.get("_prepare_arguments"))

    def get_parameter_names(self) -> dict[str, str]:
        """Names of the function's parameters, by the key in the JSON where the two differ."""
        fields = self.schema.params_pydantic_model.model_fields if self.schema is not None else {}
        keys = {name: field.validation_alias or field.alias for name, field in fields.items()}
        return {key: name for name, key in keys.items() if isinstance(key, str)}

    def parse_text(self, text: str) -> ModelArguments:
        """Parse arguments as the SDK passes them."""
        try:
            raw = json.loads(text, object_pairs_hook=_build_object, parse_constant=_reject_constant) if text else {}
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            return ModelArguments(text, {}, BoundArguments({}, {}, "invalid_arguments"), self)
        return ModelArguments(text, raw, self.validate(raw), self)

    def validate(self, raw: Mapping[str, Any]) -> BoundArguments:
        """Validate parsed arguments; the result has the values and defaults that the function would get."""
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
    """Variables that a function of the SDK's closes over, by name; none of anything else."""
    return dict(iterate_closure(function)) if isinstance(function, types.FunctionType) else {}


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


@dataclass(frozen=True, slots=True)
class FunctionBinder:
    """Takes the arguments of one function apart by its signature; see `guarded_calls.ArgumentBinder`."""

    function: Callable[..., Any]

    def bind_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundArguments:
        """Bind arguments by name; objects that the SDK injects are passed on unchanged."""
        try:
            signature = inspect.signature(self.function)
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
        self, bound_arguments: BoundArguments, executed: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the function."""
        remaining = {**executed, **bound_arguments.injected}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(inspect.signature(self.function).parameters.items()):
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
