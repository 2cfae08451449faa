"""Translates the SDK's objects: their guards, names and schemas, who runs them, and the arguments of tool calls.

`ArgumentReader` reads the JSON that a model wrote; `FunctionBinder` binds a call of the function behind a tool.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, Final

from agents import (
    ApplyPatchTool,
    CodeInterpreterTool,
    ComputerTool,
    CustomTool,
    FileSearchTool,
    FunctionTool,
    Handoff,
    HostedMCPTool,
    ImageGenerationTool,
    LocalShellTool,
    Model,
    ProgrammaticToolCallingTool,
    RunContextWrapper,
    ShellTool,
    ToolSearchTool,
    WebSearchTool,
)
from agents._function_tool_arguments import PreparedFunctionArguments
from agents.function_schema import FuncSchema
from agents.tracing import get_current_trace

from halo_core.enforcement.arguments import ArgumentBinder, BoundArguments, copy_arguments, same_value
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.guards import (
    CLIENT_TOOL_TYPES,
    GuardMetadata,
    drop_unnameable_properties,
    get_guard,
    to_plain_schema,
)
from halo_core.object_graph import iterate_closure
from halo_core.quick_dataclass import dataclass

GUARD_ATTRIBUTE: Final = "_halo_guard"


def attach_to_invoker(invoker: Any, guard: GuardMetadata) -> None:
    """Attach a guard to a tool's invoker.

    A tool is a dataclass: whoever replaces this field has taken the guard away, and whoever changes another has not.
    """
    setattr(invoker, GUARD_ATTRIBUTE, guard)


_RUNNING_FIELDS: Final[Mapping[type[Any], str]] = {
    FunctionTool: "on_invoke_tool",
    CustomTool: "on_invoke_tool",
    ShellTool: "executor",
    LocalShellTool: "executor",
    ApplyPatchTool: "editor",
    ComputerTool: "computer",
}
"""Fields in which tools have what runs."""


def find_guard(thing: Any) -> GuardMetadata | None:
    """The guard of a tool, a model, an agent or a hand-off; None if there is none, or no longer."""
    runs = next((name for kind, name in _RUNNING_FIELDS.items() if isinstance(thing, kind)), "")
    if not runs and not isinstance(thing, Model):
        return get_guard(thing)
    # A guarded model shares the state of its original, so its class has the guard.
    guard = getattr(getattr(thing, runs, None) if runs else type(thing), GUARD_ATTRIBUTE, None)
    return guard if isinstance(guard, GuardMetadata) else None


HOSTED_TYPES: Final = (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    ProgrammaticToolCallingTool,
    ToolSearchTool,
    WebSearchTool,
)
"""Tools that the model's provider runs itself."""

NATIVE_TYPES: Final = (ApplyPatchTool, ComputerTool, CustomTool, LocalShellTool, ShellTool)
"""Tools that the SDK runs in this process by ways of its own, past every function tool."""


def is_hosted(tool: Any) -> bool:
    """Whether the model's provider runs a tool, so that this process cannot decide it."""
    if isinstance(tool, ShellTool):
        environment = tool.environment
        return isinstance(environment, Mapping) and environment.get("type") != "local"
    if isinstance(tool, Mapping):
        return tool.get("type") not in CLIENT_TOOL_TYPES
    return isinstance(tool, HOSTED_TYPES)


def is_native(tool: Any) -> bool:
    """Whether the SDK runs a tool in this process without a function tool around it."""
    return isinstance(tool, NATIVE_TYPES) and not is_hosted(tool)


def get_display_name(thing: Any) -> str:
    """The name of a tool, a hand-off, a server or an agent."""
    if isinstance(thing, Mapping):
        return str(thing.get("name") or thing.get("type") or "unnamed")
    names = (getattr(thing, key, None) for key in ("tool_name", "name"))
    return next((name for name in names if isinstance(name, str) and name), type(thing).__name__)


def tool_names(tools: Iterable[Any], handoffs: Iterable[Handoff[Any, Any]] = ()) -> list[str]:
    """Names that a model may call."""
    return [get_display_name(item) for item in (*tools, *handoffs)]


def native_names(tools: Iterable[Any]) -> list[str]:
    """Names of unguarded tools of a model call that run in this process."""
    return [
        get_display_name(item)
        for item in tools
        if not isinstance(item, FunctionTool | Handoff | Mapping) and not is_hosted(item) and find_guard(item) is None
    ]


def tool_schema(tool: FunctionTool) -> dict[str, Any]:
    """JSON schema of a tool's arguments."""
    try:
        schema = to_plain_schema(tool.params_json_schema)
    except Exception:  # noqa: BLE001  a schema that is no JSON still is a tool's; its calls are decided all the same
        schema = {}
    return drop_unnameable_properties(schema)


# arguments


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
    """Arguments of one call as written by the model.

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
        decided = self.bound_arguments.decision_values
        if same_value(dict(ticket.args), decided):
            return self.text
        names = self.reader.get_parameter_names()
        changed = {name: value for name, value in ticket.args.items() if not same_value(value, decided.get(name))}
        keys = {field: key for key, field in names.items()}
        unchanged_values = {key: value for key, value in self.raw.items() if names.get(key, key) in ticket.args}
        return json.dumps({**unchanged_values, **{keys.get(name, name): value for name, value in changed.items()}})

    def prepare_values(self, ticket: Ticket, text: str) -> PreparedFunctionArguments | None:
        """The decided values as the SDK prepares them before a call; None for tools without that step.

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
        schema: schema of the function that a `function_tool` was made of; None for any other tool.
        json_schema: the JSON schema of any other tool.
        owner: the SDK's step that makes a call's values of its JSON.
    """

    schema: FuncSchema | None
    json_schema: Mapping[str, Any]
    owner: object = None

    @classmethod
    def for_tool(cls, tool: FunctionTool) -> ArgumentReader:
        """Create the reader of a tool."""
        cells = read_closure(getattr(tool.on_invoke_tool, "_invoke_tool_impl", None))
        schema_cell = cells.get("schema")
        schema = schema_cell if isinstance(schema_cell, FuncSchema) else None
        return cls(schema, tool.params_json_schema, cells.get("_prepare_arguments"))

    def get_parameter_names(self) -> dict[str, str]:
        """Names of the function's parameters, by JSON key, if they differ."""
        fields = self.schema.params_pydantic_model.model_fields if self.schema is not None else {}
        keys = {name: field.validation_alias or field.alias for name, field in fields.items()}
        return {key: name for name, key in keys.items() if isinstance(key, str)}

    def parse_text(self, text: str) -> ModelArguments:
        """Parse arguments as the SDK passes them."""
        try:
            raw = _DECODER.decode(text) if text else {}
        except (ValueError, RecursionError):
            raw = None
        if not isinstance(raw, dict):
            return ModelArguments(text, {}, BoundArguments({}, {}, "invalid_arguments"), self)
        return ModelArguments(text, raw, self.validate(raw), self)

    def validate(self, raw: Mapping[str, Any]) -> BoundArguments:
        """Validate parsed arguments; the result has the values and defaults that the function receives."""
        if self.schema is None:
            problem = "" if _matches_schema(raw, self.json_schema) else "invalid_arguments"
            decided, copies, copy_problem = copy_arguments(raw)
            return BoundArguments(decided, copies, problem or copy_problem)
        kind = self.schema.params_pydantic_model
        try:
            parsed = kind(**raw)
        except Exception:  # noqa: BLE001  a validator may raise anything: the call does not fit
            return BoundArguments(dict(raw), dict(raw), "invalid_arguments")
        values: dict[str, Any] = {}
        for name in type(parsed).__pydantic_fields__:  # what `model_fields` returns, which asks twice
            values[name] = getattr(parsed, name)
        return BoundArguments(*copy_arguments(values))


def read_closure(function: object) -> dict[str, Any]:
    """Closure variables of an SDK function, by name; empty for any other function."""
    return dict(iterate_closure(function)) if isinstance(function, types.FunctionType) else {}


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name occurs twice, so its value is ambiguous")
    return fields


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_build_object, parse_constant=_reject_constant)


def _matches_schema(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    """Whether arguments have a schema's names and top-level types; patterns and references are not followed."""
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


# calls in Python


class FunctionBinder(ArgumentBinder):
    """Takes the arguments of one function apart by its signature."""

    __slots__ = ()

    def bind_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundArguments:
        """Bind arguments by name; objects that the SDK injects are passed on unchanged."""
        try:
            passed, defaults, keywords = self.sort_by_name(args, kwargs)
        except TypeError:
            return BoundArguments({}, {}, "invalid_arguments")
        parameters = self.signature.parameters.items()
        empty = {name: () for name, item in parameters if item.kind is item.VAR_POSITIONAL and name not in keywords}
        arguments = {**empty, **defaults, **passed, **keywords}
        injected = {name: value for name, value in arguments.items() if isinstance(value, RunContextWrapper)}
        chosen = {name: value for name, value in arguments.items() if name not in injected}
        names = {name: name for name in (*empty, *defaults, *passed)}
        return BoundArguments(*copy_arguments(chosen), injected, len(args), names)


def find_sdk_trace_id() -> str:
    """Id of the SDK's current trace without the prefix `trace_`; empty if there is none or tracing is off."""
    trace = get_current_trace()
    return trace.trace_id.removeprefix("trace_") if trace is not None and trace.trace_id != "no-op" else ""
