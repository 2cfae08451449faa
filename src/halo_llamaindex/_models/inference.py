"""Room: model calls as requests. Takes: messages and tools. Gives: a call. Never: decides, reads a model's answer.

Of the words among messages only those count as the user's or the system's that a guarded workflow vouches for:
LlamaIndex writes retrieved text into user and system messages, so their role says nothing about who wrote them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole

from halo_core.model import ActionKind, Provenance, Resource
from halo_core.pep import Call
from halo_core.pep.names import MODEL_RESOURCE, MODEL_SCHEMA
from halo_core.session import Asking, asking
from halo_llamaindex._context import in_body, spoken
from halo_llamaindex._translate import hosted_names, tool_names
from halo_llamaindex._words import message_text

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["EARLIER", "inference", "message_id"]

_RESTRICTABLE: Final = ("hold_output", "pause", "redact_output")
_RESULTS: Final = (MessageRole.TOOL, MessageRole.FUNCTION)
EARLIER: Final = "earlier"
"""What the mark of a result that predates its session is made with."""


def message_id(message: ChatMessage) -> str:
    """The id that a message carries, of its own or of the call that it answers; empty of one without."""
    found = (message.additional_kwargs.get(key) for key in ("id", "message_id", "tool_call_id"))
    return next((item for item in found if isinstance(item, str) and item), "")


def inference(
    halo: Halo, name: str, messages: Sequence[ChatMessage], tools: list[Any], resource: Resource | None
) -> Call:
    """A model call; a tool that its provider would run is a problem.

    Args:
        halo: who decides.
        name: the model's name.
        messages: what it is shown.
        tools: what it may call, in any of the framework's forms.
        resource: the model as it was guarded; None registers its name on first sight.
    """
    registered = resource or halo.registered(name)
    if registered is None or registered.kind is not ActionKind.INFERENCE:
        registered = halo.register(ActionKind.INFERENCE, name, resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": len(messages), "tools": tool_names(tools)}
    last = messages[-1] if messages else None
    by = Asking(message_id(last), kind=_kind(last), text=message_text(last)) if last is not None else Asking()
    with asking(by):
        return halo.call(
            registered,
            args,
            problem="hosted_tool" if hosted_names(tools) else "",
            abilities=_RESTRICTABLE,
            seen=_seen(halo, messages),
        )


def _kind(message: ChatMessage) -> str:
    vouched = any(message_text(message) == text for text, origin in spoken()[0] if origin is Provenance.USER)
    return "user" if message.role == MessageRole.USER and vouched and not in_body() else "message"


def _seen(halo: Halo, messages: Sequence[ChatMessage]) -> tuple[tuple[str, Provenance], ...]:
    told, earlier = spoken()
    results = [message_text(message) for message in messages if earlier and message.role in _RESULTS]
    strange = [(text, Provenance.UNTRUSTED) for text in results if halo.word(EARLIER + text) in earlier]
    return (*told, *strange)
