"""Room: translation between LangChain's values and plain ones. Takes: framework objects. Gives: texts, schemas, names.

Never: decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import BaseTool, Tool
from langgraph.types import Command
from pydantic import BaseModel

from halo_core.errors import Denied
from halo_core.model import ActionKind, Impact, Provenance, Resource, Reversal
from halo_core.pep import Surface

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

__all__ = [
    "DOCUMENTS",
    "DROPPED",
    "MODEL_RESOURCE",
    "MODEL_SCHEMA",
    "TOOL_RESULT",
    "clean_name",
    "documents_text",
    "hosted_names",
    "model_name",
    "model_output",
    "refusal",
    "result_text",
    "retriever_schema",
    "seen_of",
    "tool_names",
    "tool_schema",
    "tool_surface",
    "unknown",
]

_NAME: Final = re.compile(r"[^A-Za-z0-9_.:/@ -]")
_MAX_NAME: Final = 128
# Dicts of these types are called in this process (a bare schema is); any other type names a tool of the provider.
_CLIENT_TYPES: Final = (None, "function", "custom")
DROPPED: Final = "the documents were withheld: their source is below the trust floor"

MODEL_RESOURCE: Final = Resource(
    impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True, classified="guessed"
)
MODEL_SCHEMA: Final[dict[str, Any]] = {
    "properties": {"messages": {"type": "integer"}, "tools": {"items": {"type": "string"}, "type": "array"}},
    "type": "object",
}


# names


def clean_name(text: str) -> str:
    """A name as resource ids may be: what they may not hold becomes `_`, at most 128 characters."""
    return _NAME.sub("_", text)[:_MAX_NAME].strip(" ") or "unnamed"


def model_name(model: Any) -> str:
    """Resource id of a model: the name its tracing says, else the attribute that holds one, else its class."""
    model = getattr(model, "bound", model)
    try:
        traced = model._get_ls_params().get("ls_model_name")  # noqa: SLF001  the very source of what callbacks see
    except Exception:  # noqa: BLE001  a model without tracing parameters still has a name
        traced = None
    names = [traced, *(getattr(model, key, None) for key in ("model", "model_name", "model_id"))]
    return clean_name(next((name for name in names if isinstance(name, str) and name), type(model).__name__))


def tool_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of tools in any of the forms a model is given: tools, functions, schemas."""
    return [_tool_name(item) for item in tools or ()]


def _tool_name(item: Any) -> str:
    if isinstance(item, Mapping):
        inner = item.get("function")
        name = item.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None) or item.get("type")
    else:
        name = getattr(item, "name", None) or getattr(item, "__name__", None)
    return str(name or type(item).__name__)


def hosted_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of the tools that the model's provider runs itself, where nobody can decide them."""
    return [
        _tool_name(item) for item in tools or () if isinstance(item, Mapping) and item.get("type") not in _CLIENT_TYPES
    ]


# schemas


def tool_schema(tool: BaseTool, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of what a tool's caller chooses; of injected arguments only those named as `hidden`."""
    found = _shown_schema(tool)
    return _ascii({**found, "properties": {**dict.fromkeys(hidden, {}), **(found.get("properties") or {})}})


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


# texts


def result_text(result: Any) -> str:
    """What a result says, as text: of messages their content, of a state update its messages, else JSON."""
    if isinstance(result, Command):
        result = result.update
    if isinstance(result, Mapping) and isinstance(result.get("messages"), list):
        result = result["messages"]
    if isinstance(result, list | tuple) and result and all(isinstance(i, BaseMessage | Document) for i in result):
        return "\n\n".join(map(_item_text, result))
    return _item_text(result)


def _item_text(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, BaseMessage):
        return _message_text(item)
    if isinstance(item, Document):
        return item.page_content
    return item.model_dump_json() if isinstance(item, BaseModel) else json.dumps(item, default=str, ensure_ascii=False)


def _message_text(message: BaseMessage) -> str:
    calls = getattr(message, "tool_calls", None)
    text = str(message.text) or ("" if isinstance(message.content, str) else json.dumps(message.content, default=str))
    return "\n".join([text, json.dumps(calls, default=str, ensure_ascii=False)] if calls else [text])


def documents_text(documents: Sequence[Document]) -> str:
    """Texts of documents, joined."""
    return "\n\n".join(document.page_content for document in documents)


def model_output(response: Any) -> str:
    """What a model said, from a `ModelResponse` of the middleware or an `LLMResult` of a callback."""
    if isinstance(response, BaseMessage):
        return _message_text(response)
    if (inner := getattr(response, "model_response", None)) is not None:
        return model_output(inner)
    if (result := getattr(response, "result", None)) is not None:
        return "\n".join(_message_text(message) for message in result)
    parts = [item for generations in getattr(response, "generations", ()) for item in generations]
    return "\n".join(_message_text(m) if (m := getattr(p, "message", None)) is not None else p.text for p in parts)


def seen_of(messages: Iterable[BaseMessage]) -> tuple[tuple[str, Provenance], ...]:
    """The user's and the system's own words among messages.

    A human message that carries a name or says that middleware wrote it (a summary of what was read, another agent's
    report) holds somebody else's words, and is not counted as the user's.
    """
    found = []
    for message in messages:
        if isinstance(message, SystemMessage):
            found.append((str(message.text), Provenance.SYSTEM))
        elif isinstance(message, HumanMessage) and not message.name and "lc_source" not in message.additional_kwargs:
            found.append((str(message.text), Provenance.USER))
    return tuple(found)


# surfaces


def _no_documents(documents: list[Document]) -> tuple[list[Document], int]:
    return [], len(documents)


def _no_result(result: Any) -> tuple[Any, int]:
    """A tool's result without what it read, in the shape that the tool promised."""
    count = len(result) if isinstance(result, list | tuple) else 1
    if isinstance(result, list):
        return [], count
    if isinstance(result, ToolMessage):
        return result.model_copy(update={"content": DROPPED, "artifact": None}), count
    return DROPPED, count


def _no_artifact(_result: Any) -> tuple[Any, int]:
    return (DROPPED, None), 1


DOCUMENTS: Final[Surface[list[Document]]] = Surface(documents_text, _no_documents)
TOOL_RESULT: Final[Surface[Any]] = Surface(result_text, _no_result)
_WITH_ARTIFACT: Final[Surface[Any]] = Surface(
    lambda result: result_text(result[0] if isinstance(result, tuple) and result else result), _no_artifact
)


def tool_surface(tool: BaseTool) -> Surface[Any]:
    """How a tool's results are read: of (content, artifact) only the content reaches the model."""
    return _WITH_ARTIFACT if tool.response_format == "content_and_artifact" else TOOL_RESULT


def refusal(call: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolMessage:
    """A denial or a pause as the framework's own error message: reason and remedy, for the model to read."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolMessage(content=text, tool_call_id=call.get("id") or "", name=call["name"], status="error")


def unknown(name: str, kind: ActionKind) -> Resource:
    """A resource that nobody registered: nobody granted it, so the decision is no."""
    return Resource(id=clean_name(name), kind=kind, source_trust=0, classified="unknown")
