"""The SDK's objects in plain terms: their guards, names and schemas, and who runs them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    ModelSettings,
    ProgrammaticToolCallingTool,
    ShellTool,
    ToolSearchTool,
    WebSearchTool,
)

from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard

GUARD_ATTRIBUTE: Final = "_halo_guard"


def attach_to_invoker(invoker: Any, guard: GuardMetadata) -> None:
    """Attach a guard to what invokes a tool.

    A tool is a dataclass: whoever replaces this field has taken the guard away, and whoever changes another has not.
    """
    setattr(invoker, GUARD_ATTRIBUTE, guard)


def find_guard(thing: Any) -> GuardMetadata | None:
    """The guard of a tool, a model, an agent or a hand-off; None where there is none, or no longer."""
    if not isinstance(thing, FunctionTool | Model):
        return get_guard(thing)
    # A guarded model shares the state of its original, so its class has the guard.
    guard = getattr(thing.on_invoke_tool if isinstance(thing, FunctionTool) else type(thing), GUARD_ATTRIBUTE, None)
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

_CLIENT_TYPES: Final = (None, "function", "custom")


def is_hosted(tool: Any) -> bool:
    """Whether the model's provider runs a tool, so that nothing in this process can decide it."""
    if isinstance(tool, ShellTool):
        environment = tool.environment
        return isinstance(environment, Mapping) and environment.get("type") != "local"
    if isinstance(tool, Mapping):
        return tool.get("type") not in _CLIENT_TYPES
    return isinstance(tool, HOSTED_TYPES)


def is_native(tool: Any) -> bool:
    """Whether the SDK runs a tool here without a function tool around it."""
    return isinstance(tool, NATIVE_TYPES) and not is_hosted(tool)


def get_display_name(thing: Any) -> str:
    """The name of a tool, a hand-off, a server or an agent."""
    if isinstance(thing, Mapping):
        return str(thing.get("name") or thing.get("type") or "unnamed")
    names = (getattr(thing, key, None) for key in ("tool_name", "name"))
    return next((name for name in names if isinstance(name, str) and name), type(thing).__name__)


def tool_names(tools: Iterable[Any], handoffs: Iterable[Handoff[Any, Any]] = ()) -> list[str]:
    """Names of what a model may call."""
    return [get_display_name(item) for item in (*tools, *handoffs)]


def hosted_names(tools: Iterable[Any], settings: ModelSettings | None = None) -> list[str]:
    """Names of the provider's tools in a model call: in its list of tools, or in its settings."""
    return [get_display_name(item) for item in (*tools, *_find_settings_tools(settings)) if is_hosted(item)]


def native_names(tools: Iterable[Any], settings: ModelSettings | None = None) -> list[str]:
    """Names of the tools of a model call that are neither function tools nor the provider's."""
    odd = [item for item in tools if not isinstance(item, FunctionTool | Handoff) and not is_hosted(item)]
    return [get_display_name(item) for item in (*odd, *_find_settings_tools(settings)) if not is_hosted(item)]


def _find_settings_tools(settings: ModelSettings | None) -> list[Any]:
    """Tools that settings add to a request directly."""
    extra_tools: list[Any] = []
    for name in ("extra_args", "extra_body"):
        extra = getattr(settings, name, None)
        tools = extra.get("tools") if isinstance(extra, Mapping) else None
        extra_tools.extend(tools if isinstance(tools, list | tuple) else [] if tools is None else [tools])
    return extra_tools


def model_name(model: Any) -> str:
    """Resource id of a model: the attribute that holds its name, else its class."""
    names = (getattr(model, key, None) for key in ("model", "model_name", "model_id"))
    return clean_name(next((str(name) for name in names if isinstance(name, str) and name), type(model).__name__))


def tool_schema(tool: FunctionTool) -> dict[str, Any]:
    """JSON schema of a tool's arguments."""
    try:
        schema = json.loads(json.dumps(tool.params_json_schema, default=str))
    except Exception:  # noqa: BLE001  a schema that is no JSON still is a tool's; its calls are decided all the same
        schema = {}
    properties = schema.get("properties") or {}
    nameable = {name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name}
    # A passport cannot name such an argument; the grant is open then, and a policy sees the values all the same.
    openness = {} if len(nameable) == len(properties) else {"additionalProperties": True}
    return {**schema, "properties": nameable, **openness}
