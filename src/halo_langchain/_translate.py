"""LangChain's objects in plain terms: names of models and tools, schemas, the agent that a hand-off tool leads to.

A guard stands at the last step before an action. A class that overrides an entry point need not come to that step: it
is decided where it is entered, and where that cannot be done (`refuse_overridden_entry_points`) it is not guarded.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.tools import BaseTool, Tool
from pydantic import BaseModel

from halo_core.enforcement.guards import clean_name, refuse_overridden_attributes, refuse_overriding_class
from halo_core.errors import Denied

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

# Dicts of these types are called in this process (a bare schema is); any other type names a tool of the provider.
_CLIENT_TYPES: Final = (None, "function", "custom")
# A dict of nothing but these declares functions of this process, in the form of two providers.
_DECLARATION_KEYS: Final = frozenset(("function_declarations", "functionDeclarations", "toolSpec"))


# names


def model_name(model: Any) -> str:
    """Resource id of a model: the name its tracing says, else the attribute that holds one, else its class."""
    model = _read_attribute(model, "bound") or model
    try:
        traced = model._get_ls_params().get("ls_model_name")  # noqa: SLF001  the very source of what callbacks see
    except Exception:  # noqa: BLE001  a model without tracing parameters still has a name
        traced = None
    if isinstance(traced, str) and traced:
        return clean_name(traced)
    names = (getattr(model, key, None) for key in ("model", "model_name", "model_id"))
    return clean_name(next((name for name in names if isinstance(name, str) and name), type(model).__name__))


def _read_attribute(model: Any, name: str) -> Any:
    """An attribute, None without; an object of pydantic takes its time to say that it has none."""
    if isinstance(model, BaseModel) and not model.__pydantic_extra__ and not _declares(type(model), name):
        return model.__dict__.get(name)
    return getattr(model, name, None)


@functools.lru_cache(maxsize=1024)
def _declares(kind: type, name: str) -> bool:
    return any(name in vars(base) for base in kind.__mro__)


def tool_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of tools in any of the forms a model is given: tools, functions, schemas."""
    return [_tool_name(item) for item in tools or ()]


def _tool_name(item: Any) -> str:
    if isinstance(item, Mapping):
        inner = item.get("function")
        name = item.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None) or item.get("type")
        name = name or next(iter(item), None)
    else:
        name = getattr(item, "name", None) or getattr(item, "__name__", None)
    return str(name or type(item).__name__)


def hosted_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of the tools that the model's provider runs itself, where nobody can decide them."""
    return [_tool_name(item) for item in tools or () if not _is_client_side(item)]


def _is_client_side(item: Any) -> bool:
    if not isinstance(item, Mapping):
        return isinstance(item, BaseTool) or callable(item)
    present_keys = {name for name, value in item.items() if value is not None}
    if present_keys and present_keys <= _DECLARATION_KEYS:
        return True
    is_named = bool(present_keys & {"name", "function"}) or {"title", "properties"} <= present_keys
    return is_named and item.get("type") in _CLIENT_TYPES


def bound_tools(model: Any, settings: Any = None) -> list[Any]:
    """Tools that a model call carries beside its own list: bound to the model, or among its settings."""
    collected: list[Any] = []
    while model is not None:
        for options in (_read_attribute(model, "kwargs"), _read_attribute(model, "model_kwargs"), settings):
            tools = options.get("tools") if isinstance(options, Mapping) else None
            collected.extend(tools if isinstance(tools, list | tuple) else [] if tools is None else [tools])
        model, settings = _read_attribute(model, "bound"), None
    return collected


# schemas


def tool_schema(tool: BaseTool, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of what a tool's caller chooses; of injected arguments only those named as `hidden`."""
    schema = _read_call_schema(tool)
    return _keep_ascii_properties(
        {**schema, "properties": {**{name: {} for name in hidden}, **(schema.get("properties") or {})}}
    )


def _read_call_schema(tool: BaseTool) -> dict[str, Any]:
    if isinstance(tool, Tool) and tool.args_schema is None:
        return {"properties": dict(tool.args)}
    schema = tool.tool_call_schema
    try:
        if isinstance(schema, dict):
            json_schema = schema
        elif issubclass(schema, BaseModel):
            json_schema = schema.model_json_schema(by_alias=False)
        else:
            json_schema = schema.schema(by_alias=False)
    except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema; its name is enough
        fields = getattr(schema, "model_fields", None) or getattr(schema, "__fields__", {})
        json_schema = {"properties": {name: {} for name in fields}}
    plain_schema: dict[str, Any] = json.loads(json.dumps(json_schema, default=str))
    return plain_schema


def retriever_schema(retriever: BaseRetriever, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a retriever's arguments; open where it takes more than a query."""
    properties = {name: {"type": "string" if name == "query" else "integer"} for name in arguments}
    parameters = set(inspect.signature(type(retriever)._get_relevant_documents).parameters)  # noqa: SLF001  what we wrap
    return {"additionalProperties": bool(parameters - {"self", "query", "run_manager"}), "properties": properties}


def _keep_ascii_properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    ascii_properties = {
        name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name
    }
    # A passport cannot name such an argument; the grant is open then, and a policy sees the values all the same.
    extra = {} if len(ascii_properties) == len(properties) else {"additionalProperties": True}
    return {**schema, "properties": ascii_properties, **extra}


# messages


def list_message_texts(messages: Iterable[BaseMessage]) -> tuple[tuple[str, str], ...]:
    """Kind and text of every message: enough to know a model call again."""
    return tuple((message.type, str(message.text)) for message in messages)


def build_refusal(call: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolMessage:
    """A denial or a pause as the framework's own error message: reason and remedy, for the model to read."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolMessage(content=text, tool_call_id=call.get("id") or "", name=call["name"], status="error")


_DESTINATION_KEY: Final = "__handoff_destination"


def get_handoff_agent(tool: BaseTool) -> str:
    """Name of the agent that a tool hands off to, empty of any other tool.

    INVARIANT: no server hands off. A tool whose arguments came as a JSON schema was described elsewhere (MCP), and so
    was its metadata: what it says there of an agent would give it that agent's grant, and results that taint nothing.
    """
    if isinstance(tool.args_schema, dict):
        return ""
    agent = (tool.metadata or {}).get(_DESTINATION_KEY)
    return clean_name(agent) if isinstance(agent, str) and agent else ""


FRAMEWORK: Final = "langchain_core."
"""LangChain's own classes are known to come to the last step before an action, where guards decide."""

UNGUARDED_ENTRY_POINTS: Final = (
    "transform",
    "atransform",
    "batch_as_completed",
    "abatch_as_completed",
    "stream_events",
    "astream_events",
    "astream_log",
)
"""Entry points of any runnable that nobody can decide where a class overrides them."""


def refuse_overridden_entry_points(
    obj: Any, guarded_names: Iterable[str], unguarded_names: Iterable[str], remedy: str
) -> None:
    """Refuse an object that can be entered where nothing decides.

    Args:
        obj: what is to be guarded.
        guarded_names: entry points that a guarded class decides, whoever made them.
        unguarded_names: those that it cannot.
        remedy: what to do instead.

    Raises:
        ConfigError: its class overrides one of `unguarded_names`, or the object has one of either for itself.
    """
    unguarded_names = (*unguarded_names, *UNGUARDED_ENTRY_POINTS)
    refuse_overriding_class(type(obj), unguarded_names, FRAMEWORK, remedy)
    refuse_overridden_attributes(obj, (*guarded_names, *unguarded_names), remedy)
