"""Translation between LlamaIndex's values and plain ones: names, schemas, tools that a provider runs, refusals."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.tools import BaseTool, ToolOutput
from llama_index.core.tools.types import BaseToolAsyncAdapter

from halo_core.enforcement.guards import clean_name
from halo_core.errors import Denied

OVERRIDE_REMEDY: Final = "write a class that overrides the method"
"""Remedy for an object that has an entry point as an attribute."""
# Dicts of these types are called in this process; any other type names a tool of the provider.
_CLIENT_TYPES: Final = (None, "function", "custom")
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
    """Resource id of a model: the name that its metadata says, else the attribute that holds one, else its class."""
    try:
        metadata_name = model.metadata.model_name
    except Exception:  # noqa: BLE001  a model whose metadata cannot be read still has a name
        metadata_name = ""
    names = (
        metadata_name if metadata_name != "unknown" else "",
        *(getattr(model, key, None) for key in ("model", "model_name")),
    )
    return clean_name(next((name for name in names if isinstance(name, str) and name), type(model).__name__))


def tool_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of tools in any of the forms a model is given: tools, functions, schemas."""
    return [_tool_name(item) for item in tools or ()]


def _tool_name(item: Any) -> str:
    if isinstance(item, Mapping):
        inner = item.get("function")
        name = item.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None) or item.get("type")
        name = name or next(iter(item), None)
    elif isinstance(item, BaseTool):
        name = item.metadata.name
    else:
        name = getattr(item, "name", None) or getattr(item, "__name__", None)
    return str(name or type(item).__name__)


def hosted_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of the tools that the model's provider runs itself, where nobody can decide them."""
    return [_tool_name(item) for item in tools or () if not _is_client_side(item)]


def _is_client_side(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return isinstance(item, BaseTool) or callable(item)
    has_name = bool({name for name, value in item.items() if value is not None} & {"name", "function"})
    return has_name and item.get("type") in _CLIENT_TYPES


def collect_tools(model: Any, settings: Mapping[str, Any]) -> list[Any]:
    """Tools that a model call carries: those of the call, and those that the model itself holds."""
    tools = to_list(settings.get("tools"))
    for name in _TOOL_FIELDS:
        tools += to_list(getattr(model, name, None))
    for name in _SETTINGS_FIELDS:
        extra = getattr(model, name, None)
        tools += to_list(extra.get("tools")) if isinstance(extra, Mapping) else []
    return tools


def to_list(tools: Any) -> list[Any]:
    """What a framework takes as one, as several or as None, as a list."""
    return list(tools) if isinstance(tools, list | tuple) else [] if tools is None else [tools]


# schemas


def tool_schema(tool: BaseTool, host_names: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of what a tool's caller chooses, with the names of what its host has chosen already."""
    try:
        declared = json.loads(json.dumps(tool.metadata.get_parameters_dict(), default=str))
    except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema; its name is enough
        fields = getattr(tool.metadata.fn_schema, "model_fields", {})
        declared = {"properties": {name: {} for name in fields}}
    variadic, takes_any_keyword = _find_variadic_parameters(tool)
    properties = {name: spec for name, spec in (declared.get("properties") or {}).items() if name not in variadic}
    schema = {**declared, "properties": {**{name: {} for name in host_names}, **properties}}
    return _drop_unnameable_properties(
        {**schema, "additionalProperties": True} if takes_any_keyword and not properties else schema
    )


def _find_variadic_parameters(tool: BaseTool) -> tuple[set[str], bool]:
    """Parameters of a tool's function that stand for any number of arguments, and whether it takes any keyword."""
    function = getattr(tool, "_real_fn", None)
    if function is None:
        return set(), False
    try:
        kinds = {name: item.kind for name, item in inspect.signature(function).parameters.items()}
    except (TypeError, ValueError):
        return set(), True
    variadic = {name for name, kind in kinds.items() if kind in (_VAR_POSITIONAL, _VAR_KEYWORD)}
    return variadic, _VAR_KEYWORD in kinds.values()


def _drop_unnameable_properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    nameable = {name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name}
    # A passport cannot name such an argument; the grant is open then, and a policy sees the values all the same.
    openness = {} if len(nameable) == len(properties) else {"additionalProperties": True}
    return {**schema, "properties": nameable, **openness}


# refusals


def build_refusal(name: str, args: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolOutput:
    """A denial or a pause as the framework's own error: reason and remedy, for the model to read."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolOutput(
        content=text, tool_name=name, raw_input=dict(args), raw_output=text, is_error=True, exception=denied
    )
