"""What a model call of the SDK sends beside its messages, as the fields of one request.

`read_request_fields` gives what `halo_core.model_requests.judge_model_fields` judges: the settings of the call, the
tools that no function tool stands behind, the stored prompt, and what the model and its client add to each request.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Mapping
from typing import Any, Final

from agents import FunctionTool, Handoff, Model, ModelSettings
from agents.model_settings import MCPToolChoice
from openai import AsyncOpenAI, OpenAI

from halo_core.model_requests.tool_shapes import list_offered_tools
from halo_openai_agents._translate import get_display_name, is_hosted

_LOCAL_SETTINGS: Final = frozenset(("include_usage", "preserve_raw_usage", "retry", "timeout"))
"""Settings that the SDK itself uses, and sends to nobody."""
_WIRE_NAMES: Final[Mapping[str, str]] = {"response_include": "include"}
_HOSTED_CHOICES: Final = frozenset(
    "code_interpreter computer_use_preview file_search image_generation mcp programmatic_tool_calling web_search "
    "web_search_preview".split()
)
"""Words of `tool_choice` that the SDK turns into the choice of a tool of the provider's."""
_MULTI_AGENT_MODEL: Final = "OpenAIHostedMultiAgentModel"
"""The SDK's class of models whose requests let the provider run agents; its module is imported by who uses it."""
_CALL_FIELDS: Final = ("prompt", "previous_response_id", "conversation_id")
_CLIENT_FIELDS: Final = (("_custom_query", "extra_query"), ("_custom_headers", "extra_headers"))
"""Attributes in which a client keeps what it adds to each request, each with the field that adds the same."""


def read_request_fields(
    model: Model, values: Mapping[str, Any], function_names: Collection[str] = ()
) -> dict[str, Any]:
    """The fields of a request.

    Args:
        model: that is asked.
        values: arguments of its method, by name.
        function_names: names of the tools and hand-offs that are run here.
    """
    fields: dict[str, Any] = {"model": getattr(model, "model", None), **_read_settings(values.get("model_settings"))}
    if any(kind.__name__ == _MULTI_AGENT_MODEL for kind in type(model).__mro__):
        fields["multi_agent"] = {"enabled": True}
    tools = [_describe_tool(tool) for tool in values.get("tools") or () if _is_judged(tool)]
    if not isinstance(given := values.get("input"), str):
        tools += list_offered_tools(given or ())
    if tools:
        fields["tools"] = tools
    choice = fields.get("tool_choice")
    if isinstance(choice, MCPToolChoice):
        fields["tool_choice"] = {"type": "mcp", "server_label": choice.server_label, "name": choice.name}
    elif isinstance(choice, str) and choice in _HOSTED_CHOICES and choice not in function_names:
        fields["tool_choice"] = {"type": choice}
    client = next((item for item in vars(model).values() if isinstance(item, AsyncOpenAI | OpenAI)), None)
    for attribute, name in _CLIENT_FIELDS:
        added = getattr(client, attribute, None)
        if isinstance(added, Mapping) and added:
            own = fields.get(name)
            fields[name] = {**added, **(own if isinstance(own, Mapping) else {})}
    return fields | {name: values[name] for name in _CALL_FIELDS if values.get(name) is not None}


def _read_settings(settings: Any) -> dict[str, Any]:
    if not isinstance(settings, ModelSettings):
        return {} if settings is None else {"model_settings": settings}
    kind: Any = type(settings)
    names = _list_sent_settings(kind)
    return {wire_name: value for name, wire_name in names if (value := getattr(settings, name)) is not None}


@functools.lru_cache(maxsize=64)
def _list_sent_settings(kind: Any) -> tuple[tuple[str, str], ...]:
    """Fields of a class of settings that are sent, each with the name under which it is.

    A field that a subclass adds counts too; `extra_args` and the like are judged with what is in them.
    """
    names = [field.name for field in dataclasses.fields(kind) if field.name not in _LOCAL_SETTINGS]
    return tuple((name, _WIRE_NAMES.get(name, name)) for name in names)


def _is_judged(tool: Any) -> bool:
    return is_hosted(tool) or not isinstance(tool, FunctionTool | Handoff)


def describe_offered_tool(tool: Any) -> Any:
    """A tool or hand-off as sent to the model: its name, its description and its arguments' schema."""
    if isinstance(tool, FunctionTool):
        return {"name": tool.name, "description": tool.description, "parameters": tool.params_json_schema}
    if isinstance(tool, Handoff):
        schema = tool.input_json_schema
        return {"name": tool.tool_name, "description": tool.tool_description, "parameters": schema}
    return _describe_tool(tool)


def _describe_tool(tool: Any) -> Any:
    """A tool as sent: its kind, with the configuration that the SDK passes on."""
    if isinstance(tool, Mapping):
        return tool
    if not is_hosted(tool):
        return {"type": "custom", "name": get_display_name(tool)}  # run here, and decided as what it is
    config = getattr(tool, "tool_config", None)
    extra = {"environment": tool.environment} if hasattr(tool, "environment") else {}
    return {"type": get_display_name(tool), **extra, **(config if isinstance(config, Mapping) else {})}
