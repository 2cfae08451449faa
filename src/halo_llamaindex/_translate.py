"""Translates LlamaIndex's objects: names, schemas, tools that a provider runs, refusals, and arguments of tool calls.

LlamaIndex passes what the model wrote to the function as it is. Here, arguments that do not fit the tool's schema are
refused, and a value that fits only when read as another type (`"5"` for a number) is passed on as that type.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import pydantic
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.llms import LLM
from llama_index.core.tools import BaseTool, ToolOutput
from llama_index.core.tools.types import BaseToolAsyncAdapter
from llama_index.core.workflow import Context
from pydantic.fields import FieldInfo

from halo_core.enforcement.arguments import (
    ArgumentBinder,
    BoundArguments,
    copy_arguments,
    has_json_form,
    read_signature,
    same_value,
    to_json_or_empty,
    to_json_outline,
)
from halo_core.enforcement.guards import (
    CLIENT_TOOL_TYPES,
    choose_model_name,
    drop_unnameable_properties,
    get_tool_name,
    to_list,
    to_plain_schema,
)
from halo_core.enforcement.model_inputs import select_parameters
from halo_core.errors import Denied
from halo_core.model_requests import ModelFields, judge_model_fields
from halo_core.model_requests.hosted_names import find_bearing_tool, names_stored_content
from halo_core.model_requests.known_fields import FieldShape, list_known_fields, normalize_field

OVERRIDE_REMEDY: Final = "write a class that overrides the method"
"""Remedy for an object that has an entry point as an attribute."""
# Where an LLM of LlamaIndex holds what its provider runs, beside the tools of a call.
_TOOL_FIELDS: Final = ("built_in_tools", "built_in_tool", "tools")
_SETTINGS_FIELDS: Final = ("additional_kwargs", "generation_config")
_VAR_POSITIONAL: Final = inspect.Parameter.VAR_POSITIONAL
_VAR_KEYWORD: Final = inspect.Parameter.VAR_KEYWORD


# names


def unwrap_tool(tool: Any) -> Any:
    """The tool inside LlamaIndex's adapter for synchronous tools."""
    while type(tool) is BaseToolAsyncAdapter:
        tool = tool.base_tool
    return tool


def model_name(model: BaseLLM) -> str:
    """Resource id of a model: its name in the metadata, else from an attribute, else its class name."""
    try:
        metadata_name = model.metadata.model_name
    except Exception:  # noqa: BLE001  a model whose metadata cannot be read still has a name
        metadata_name = ""
    known_name = metadata_name if metadata_name != "unknown" else ""
    return choose_model_name(model, known_name, attributes=("model", "model_name"))


def hosted_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of tools that the model's provider runs, where nobody can decide them."""
    return [get_tool_name(item) for item in tools or () if not _is_client_side(item)]


def _is_client_side(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return isinstance(item, BaseTool) or callable(item)
    has_name = bool({name for name, value in item.items() if value is not None} & {"name", "function"})
    return has_name and item.get("type") in CLIENT_TOOL_TYPES


def collect_tools(model: Any, settings: Mapping[str, Any]) -> list[Any]:
    """Tools of a model call: those of the call, and those of the model."""
    tools = to_list(settings.get("tools"))
    for name in _TOOL_FIELDS:
        tools += to_list(getattr(model, name, None))
    for name in _SETTINGS_FIELDS:
        extra = getattr(model, name, None)
        tools += to_list(extra.get("tools")) if isinstance(extra, Mapping) else []
    return tools


def judge_request(model: Any, settings: Mapping[str, Any], tools: Iterable[Any]) -> ModelFields:
    """Judge the fields of a request: those of the call, those of the model, and tools that are dicts.

    Args:
        model: whose request it is.
        settings: settings of the call.
        tools: that it offers.
    """
    attributes = getattr(model, "__dict__", {})
    kind: Any = type(model)
    fields = {name: attributes[name] for name in _list_request_fields(kind) if name in attributes}
    schemas = [item for item in tools if not _is_client_side(item) or isinstance(item, Mapping)]
    return judge_model_fields({**fields, **settings, "tools": schemas or None}, kind.__name__)


def read_model_facts(model: Any, settings: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Provider, version and parameters of a model call, for the record.

    Args:
        model: whose request it is.
        settings: settings of the call.
    """
    kind: Any = type(model)
    attributes = getattr(model, "__dict__", {})
    names = getattr(kind, "model_fields", {})
    own = {name: attributes[name] for name in names if name in attributes and name not in _FRAMEWORK_FIELDS}
    extra = own.get("additional_kwargs")
    fields = {**(extra if isinstance(extra, Mapping) else {}), **own, **settings}
    version = next((item for name in _MODEL_FIELDS if isinstance(item := fields.get(name), str) and item), "")
    provider = getattr(kind, "__module__", "").removeprefix("llama_index.llms.").partition(".")[0]
    is_known = getattr(kind, "__module__", "").startswith("llama_index.llms.")
    return provider if is_known else "", version, select_parameters(fields, kind.__name__)


_MODEL_FIELDS: Final = ("model", "model_name", "model_id")
_FRAMEWORK_FIELDS: Final = frozenset(LLM.model_fields)


def describe_tool(tool: Any) -> dict[str, Any]:
    """The schema of a tool as sent to a model; for a structured answer's class, that class's schema."""
    metadata = getattr(tool, "metadata", None)
    if metadata is None:
        return {"name": get_tool_name(tool), "parameters": tool.model_json_schema()}
    parameters = metadata.get_parameters_dict()
    return {"name": metadata.name, "description": metadata.description, "parameters": parameters}


@functools.lru_cache(maxsize=256)
def _list_request_fields(kind: type[Any]) -> tuple[str, ...]:
    """Fields of a model class that its requests carry and that may offer a tool."""
    names = getattr(kind, "model_fields", {})
    known = list_known_fields(kind.__name__)
    return tuple(
        name
        for name in names
        if known.get(normalize_field(name)) in _BEARING_SHAPES or find_bearing_tool(name) or names_stored_content(name)
    )


_BEARING_SHAPES: Final = (FieldShape.BETAS, FieldShape.BODY, FieldShape.HEADERS, FieldShape.MODEL)


# schemas


def tool_schema(tool: BaseTool, host_names: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of the arguments that a tool's caller chooses, and the names of those its host has chosen."""
    try:
        declared = to_plain_schema(tool.metadata.get_parameters_dict())
    except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema; its name is enough
        fields = getattr(tool.metadata.fn_schema, "model_fields", {})
        declared = {"properties": {name: {} for name in fields}}
    variadic, takes_any_keyword = _find_variadic_parameters(tool)
    properties = {name: spec for name, spec in (declared.get("properties") or {}).items() if name not in variadic}
    schema = {**declared, "properties": {**{name: {} for name in host_names}, **properties}}
    return drop_unnameable_properties(
        {**schema, "additionalProperties": True} if takes_any_keyword and not properties else schema
    )


def _find_variadic_parameters(tool: BaseTool) -> tuple[set[str], bool]:
    """Variadic parameters of a tool's function, and whether it accepts any keyword."""
    function = getattr(tool, "_real_fn", None)
    if function is None:
        return set(), False
    kinds = {name: item.kind for name, item in read_signature(function).parameters.items()}
    variadic = {name for name, kind in kinds.items() if kind in (_VAR_POSITIONAL, _VAR_KEYWORD)}
    return variadic, _VAR_KEYWORD in kinds.values()


# refusals


def build_refusal(name: str, args: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolOutput:
    """A denial or pause as the framework's error: what the model is told."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolOutput(
        content=text, tool_name=name, raw_input=dict(args), raw_output=text, is_error=True, exception=denied
    )


# arguments


@dataclasses.dataclass(frozen=True, slots=True)
class Binder(ArgumentBinder):
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: signature of the callable.
        host_arguments: parameters that the host fixed when it made the tool, as it fixed them.
        schema: schema of the caller's arguments; None checks nothing.
    """

    host_arguments: Mapping[str, Any]
    schema: type[pydantic.BaseModel] | None

    @classmethod
    def for_tool(cls, tool: BaseTool, function: Callable[..., Any] | None) -> Binder:
        """The binder of a tool's function, or of a tool without one, which takes what its schema says."""
        schema = tool.metadata.fn_schema
        schema = schema if isinstance(schema, type) and issubclass(schema, pydantic.BaseModel) else None
        if schema is not None and not schema.__pydantic_complete__:
            # Its annotations are texts, which LlamaIndex leaves as they are: the function's module knows the names.
            names = getattr(inspect.unwrap(function), "__globals__", {}) if function is not None else {}
            schema.model_rebuild(raise_errors=False, _types_namespace=names)
        if function is None:
            return cls(_make_schema_signature(schema), {}, schema)
        return cls(read_signature(function), dict(getattr(tool, "partial_params", None) or {}), schema)

    def decides_default(self, name: str, default: Any) -> bool:
        is_known = self.schema is None or name in self.schema.model_fields
        return is_known and not isinstance(default, FieldInfo) and has_json_form(default)

    def bind_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundArguments:
        """Copy the arguments of a call, except those filled in by the framework and the host.

        A call that does not fit has a `problem`, and shows what of it can be shown.
        """
        try:
            passed, defaults, keywords = self.sort_by_name(args, kwargs)
        except TypeError:
            return BoundArguments(*_outline_arguments(kwargs), "invalid_arguments")
        if keywords.keys() & self.signature.parameters.keys():
            return BoundArguments(*_outline_arguments(kwargs), "invalid_arguments")
        chosen: dict[str, Any] = {}
        injected: dict[str, Any] = {}
        for name, value in {**passed, **keywords}.items():
            (injected if self._is_injected(name, value) else chosen)[name] = value
        chosen |= defaults
        decided, copies, problem = copy_arguments(chosen)
        if problem:
            return BoundArguments(*_outline_arguments(chosen), problem)
        coerced = self._coerce_to_schema(copies, decided)
        for name, value in (coerced or {}).items():
            if not same_value(value, decided[name]):
                decided[name] = copies[name] = value
        names = {name: name for name in (*passed, *defaults)}
        problem = "invalid_arguments" if coerced is None else ""
        return BoundArguments(decided, copies, problem, injected, len(args), names, frozenset(defaults))

    def _is_injected(self, name: str, value: Any) -> bool:
        """Whether it is a workflow's context or an object fixed by the host, which no model can choose."""
        if isinstance(value, Context):
            return True
        return not self._is_caller_chosen(name, value) and not has_json_form(value)

    def _coerce_to_schema(self, copies: Mapping[str, Any], decided: Mapping[str, Any]) -> dict[str, Any] | None:
        """Each value as the schema reads it, in its original shape; None if one does not fit."""
        if self.schema is None:
            return {}
        fields = self.schema.model_fields
        chosen = {
            name: value for name, value in copies.items() if name in fields and self._is_caller_chosen(name, value)
        }
        try:
            validated = self.schema.model_validate(chosen, by_alias=True, by_name=True)
        except pydantic.ValidationError as exc:
            errors = [error for error in exc.errors(include_url=False) if not self._is_host_provided(error)]
            return None if errors else {}
        except Exception:  # noqa: BLE001  a validator of the schema's own that misbehaves
            return None
        return {name: _coerce_leaves(decided[name], to_json_or_empty(getattr(validated, name))) for name in chosen}

    def _is_caller_chosen(self, name: str, value: Any) -> bool:
        return name not in self.host_arguments or self.host_arguments[name] is not value

    def _is_host_provided(self, error: Any) -> bool:
        """Whether the schema lacks an argument because the host provides it or it is variadic."""
        name = error["loc"][0] if error["loc"] else ""
        parameter = self.signature.parameters.get(name)
        is_variadic = parameter is not None and parameter.kind in (_VAR_POSITIONAL, _VAR_KEYWORD)
        return error["type"] == "missing" and (name in self.host_arguments or is_variadic)


def _make_schema_signature(schema: type[pydantic.BaseModel] | None) -> inspect.Signature:
    """Signature of a tool that is no function: the fields of its schema, and any other keyword."""
    names = list(schema.model_fields) if schema is not None else ["input"]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    usable = [name for name in names if name.isidentifier() and name not in ("args", "more")]
    fields = [inspect.Parameter(name, kind, default=_NO_DEFAULT) for name in usable]
    return inspect.Signature([*fields, inspect.Parameter("more", _VAR_KEYWORD)])


_NO_DEFAULT: Final = FieldInfo()  # a default that is decided nowhere


def _outline_arguments(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = {str(name): value for name, value in values.items() if not isinstance(value, Context)}
    return {name: to_json_outline(to_json_or_empty(value)) for name, value in shown.items()}, dict(values)


def _coerce_leaves(raw: Any, read: Any) -> Any:
    """A plain value with its leaves as the schema reads them; keys stay."""
    if isinstance(raw, Mapping) and isinstance(read, Mapping):
        return {key: _coerce_leaves(item, read[key]) if key in read else item for key, item in raw.items()}
    if isinstance(raw, list) and isinstance(read, list) and len(raw) == len(read):
        return [_coerce_leaves(item, new) for item, new in zip(raw, read, strict=True)]
    return raw if isinstance(raw, dict | list) or isinstance(read, dict | list) else read
