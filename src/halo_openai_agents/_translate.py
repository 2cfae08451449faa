"""Room: translation between the SDK's values and plain ones. Takes: tools, models, agents. Gives: names, schemas.

Never: decides, keeps anything, raises for odd values.
"""

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
    ModelSettings,
    ProgrammaticToolCallingTool,
    ShellTool,
    ToolSearchTool,
    WebSearchTool,
)

from halo_core.pep.names import clean_name

__all__ = [
    "HOSTED",
    "NATIVE",
    "hosted_names",
    "is_hosted",
    "is_native",
    "model_name",
    "native_names",
    "thing_name",
    "tool_names",
    "tool_schema",
]

HOSTED: Final = (
    CodeInterpreterTool,
    FileSearchTool,
    HostedMCPTool,
    ImageGenerationTool,
    ProgrammaticToolCallingTool,
    ToolSearchTool,
    WebSearchTool,
)
"""Tools that the model's provider runs itself."""

NATIVE: Final = (ApplyPatchTool, ComputerTool, CustomTool, LocalShellTool, ShellTool)
"""Tools that the SDK runs in this process by ways of its own, past every function tool."""

_CLIENT_TYPES: Final = (None, "function", "custom")


def is_hosted(tool: Any) -> bool:
    """Whether the model's provider runs a tool, so that nothing in this process can decide it."""
    if isinstance(tool, ShellTool):
        environment = tool.environment
        return isinstance(environment, Mapping) and environment.get("type") != "local"
    if isinstance(tool, Mapping):
        return tool.get("type") not in _CLIENT_TYPES
    return isinstance(tool, HOSTED)


def is_native(tool: Any) -> bool:
    """Whether the SDK runs a tool here without a function tool around it."""
    return isinstance(tool, NATIVE) and not is_hosted(tool)


def thing_name(thing: Any) -> str:
    """What a tool, a hand-off, a server or an agent is called."""
    if isinstance(thing, Mapping):
        return str(thing.get("name") or thing.get("type") or "unnamed")
    names = (getattr(thing, key, None) for key in ("tool_name", "name"))
    return next((name for name in names if isinstance(name, str) and name), type(thing).__name__)


def tool_names(tools: Iterable[Any], handoffs: Iterable[Handoff[Any, Any]] = ()) -> list[str]:
    """Names of what a model may call."""
    return [thing_name(item) for item in (*tools, *handoffs)]


def hosted_names(tools: Iterable[Any], settings: ModelSettings | None = None) -> list[str]:
    """Names of the provider's tools that a model call carries, in its list or past it in its settings."""
    return [thing_name(item) for item in (*tools, *_smuggled(settings)) if is_hosted(item)]


def native_names(tools: Iterable[Any], settings: ModelSettings | None = None) -> list[str]:
    """Names of the tools of a model call that are no function tools and run here, or that nobody knows."""
    odd = [item for item in tools if not isinstance(item, FunctionTool | Handoff) and not is_hosted(item)]
    return [thing_name(item) for item in (*odd, *_smuggled(settings)) if not is_hosted(item)]


def _smuggled(settings: ModelSettings | None) -> list[Any]:
    """Tools that settings add to a request behind the SDK's back."""
    found: list[Any] = []
    for name in ("extra_args", "extra_body"):
        more = getattr(settings, name, None)
        tools = more.get("tools") if isinstance(more, Mapping) else None
        found.extend(tools if isinstance(tools, list | tuple) else [] if tools is None else [tools])
    return found


def model_name(model: Any) -> str:
    """Resource id of a model: the attribute that holds its name, else its class."""
    names = (getattr(model, key, None) for key in ("model", "model_name", "model_id"))
    return clean_name(next((str(name) for name in names if isinstance(name, str) and name), type(model).__name__))


def tool_schema(tool: FunctionTool) -> dict[str, Any]:
    """JSON schema of what a tool's caller chooses."""
    try:
        found = json.loads(json.dumps(tool.params_json_schema, default=str))
    except Exception:  # noqa: BLE001  a schema that is no JSON still is a tool's; its calls are decided all the same
        found = {}
    properties = found.get("properties") or {}
    kept = {name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name}
    # A passport cannot name such an argument; the grant is open then, and a policy sees the values all the same.
    more = {} if len(kept) == len(properties) else {"additionalProperties": True}
    return {**found, "properties": kept, **more}
