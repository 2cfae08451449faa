"""Room: translation between LangChain's values and plain ones. Takes: framework objects. Gives: texts, schemas, names.

Never: decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool, Tool
from pydantic import BaseModel

from halo_core.errors import Denied
from halo_core.pep.names import clean_name

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

__all__ = [
    "bound_tools",
    "hosted_names",
    "model_name",
    "refusal",
    "retriever_schema",
    "tool_names",
    "tool_schema",
]

# Dicts of these types are called in this process (a bare schema is); any other type names a tool of the provider.
_CLIENT_TYPES: Final = (None, "function", "custom")
# A dict of nothing but these declares functions of this process, in the form of two providers.
_DECLARING: Final = frozenset(("function_declarations", "functionDeclarations", "toolSpec"))


# names


def model_name(model: Any) -> str:
    """Resource id of a model: the name its tracing says, else the attribute that holds one, else its class."""
    model = _part(model, "bound") or model
    try:
        traced = model._get_ls_params().get("ls_model_name")  # noqa: SLF001  the very source of what callbacks see
    except Exception:  # noqa: BLE001  a model without tracing parameters still has a name
        traced = None
    if isinstance(traced, str) and traced:
        return clean_name(traced)
    names = (getattr(model, key, None) for key in ("model", "model_name", "model_id"))
    return clean_name(next((name for name in names if isinstance(name, str) and name), type(model).__name__))


def _part(model: Any, name: str) -> Any:
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
    given = {name for name, value in item.items() if value is not None}
    if given and given <= _DECLARING:
        return True
    named = bool(given & {"name", "function"}) or {"title", "properties"} <= given
    return named and item.get("type") in _CLIENT_TYPES


def bound_tools(model: Any, settings: Any = None) -> list[Any]:
    """Tools that a model call carries beside its own list: bound to the model, or among its settings."""
    found: list[Any] = []
    while model is not None:
        for more in (_part(model, "kwargs"), _part(model, "model_kwargs"), settings):
            tools = more.get("tools") if isinstance(more, Mapping) else None
            found.extend(tools if isinstance(tools, list | tuple) else [] if tools is None else [tools])
        model, settings = _part(model, "bound"), None
    return found


# schemas


def tool_schema(tool: BaseTool, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of what a tool's caller chooses; of injected arguments only those named as `hidden`."""
    found = _shown_schema(tool)
    return _ascii({**found, "properties": {**{name: {} for name in hidden}, **(found.get("properties") or {})}})


def _shown_schema(tool: BaseTool) -> dict[str, Any]:
    if isinstance(tool, Tool) and tool.args_schema is None:
        return {"properties": dict(tool.args)}
    schema = tool.tool_call_schema
    try:
        if isinstance(schema, dict):
            found = schema
        elif issubclass(schema, BaseModel):
            found = schema.model_json_schema(by_alias=False)
        else:
            found = schema.schema(by_alias=False)
    except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema; its name is enough
        fields = getattr(schema, "model_fields", None) or getattr(schema, "__fields__", {})
        found = {"properties": {name: {} for name in fields}}
    plain_schema: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain_schema


def retriever_schema(retriever: BaseRetriever, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a retriever's arguments; open where it takes more than a query."""
    properties = {name: {"type": "string" if name == "query" else "integer"} for name in arguments}
    taken = set(inspect.signature(type(retriever)._get_relevant_documents).parameters)  # noqa: SLF001  what we wrap
    return {"additionalProperties": bool(taken - {"self", "query", "run_manager"}), "properties": properties}


def _ascii(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties") or {}
    kept = {name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name}
    # A passport cannot name such an argument; the grant is open then, and a policy sees the values all the same.
    more = {} if len(kept) == len(properties) else {"additionalProperties": True}
    return {**schema, "properties": kept, **more}


# messages


def refusal(call: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolMessage:
    """A denial or a pause as the framework's own error message: reason and remedy, for the model to read."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolMessage(content=text, tool_call_id=call.get("id") or "", name=call["name"], status="error")
