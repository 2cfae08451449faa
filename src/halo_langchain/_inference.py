"""Room: model calls, for the middleware and the callback alike. Takes: messages and tools. Gives: a call to decide.

Never: decides, reads a model's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage, HumanMessage

from halo_core.model import ActionKind
from halo_core.pep import Call
from halo_core.session import Asking, asking
from halo_langchain._context import in_body
from halo_langchain._texts import seen_of
from halo_langchain._translate import MODEL_RESOURCE, MODEL_SCHEMA, hosted_names, tool_names

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["inference"]


def inference(
    halo: Halo,
    name: str,
    messages: list[BaseMessage],
    tools: list[Any] | None,
    *,
    earlier: frozenset[str] = frozenset(),
) -> Call:
    """A model call; the model is registered on first sight, and a tool its provider would run is a problem."""
    registered = halo.registered(name)
    if registered is None or registered.kind is not ActionKind.INFERENCE:
        registered = halo.register(ActionKind.INFERENCE, name, resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": len(messages), "tools": tool_names(tools)}
    problem = "hosted_tool" if hosted_names(tools) else ""
    last = messages[-1] if messages else None
    by = Asking(last.id or "", kind=_kind(last), text=str(last.text)) if last is not None else Asking()
    with asking(by):
        return halo.call(
            registered,
            args,
            problem=problem,
            abilities=("pause",),  # nothing here narrows a prompt: what a policy asks of that kind is denied
            seen=seen_of(messages, earlier=earlier, nested=in_body()),
        )


def _kind(message: BaseMessage) -> str:
    return "user" if isinstance(message, HumanMessage) and not message.name and not in_body() else "message"
