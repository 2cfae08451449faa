"""Room: model calls, for the guard, the middleware and the callback alike. Takes: messages and tools. Gives: a call.

Never: decides, reads a model's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue

from halo_core.model import ActionKind, Resource
from halo_core.pep import Call
from halo_core.pep.names import MODEL_RESOURCE, MODEL_SCHEMA
from halo_core.session import Asking, asking
from halo_langchain._context import in_body
from halo_langchain._translate import hosted_names, tool_names
from halo_langchain._values.texts import seen_of, words_of

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["RESTRICTABLE", "Carried", "inference", "messages_of", "prompts_of"]

RESTRICTABLE: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it: inside the model."""

_DECLARATIONS: Final = ("function_declarations", "functionDeclarations")


def inference(
    halo: Halo,
    name: str,
    messages: Sequence[BaseMessage],
    tools: list[Any] | None,
    *,
    earlier: frozenset[str] = frozenset(),
    resource: Resource | None = None,
    abilities: tuple[str, ...] = ("pause",),
) -> Call:
    """A model call; the model is registered on first sight, and a tool its provider would run is a problem.

    Args:
        halo: who decides.
        name: the model's name, as the framework says it.
        messages: what it is shown.
        tools: what it may call, in any of the framework's forms.
        earlier: ids of tool messages that no call of this session produced.
        resource: the model as it was guarded; None looks its name up.
        abilities: what the caller can carry out. Nothing narrows a prompt: what a policy asks of that kind is denied.
    """
    registered = resource or halo.registered(name)
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
            abilities=abilities,
            seen=seen_of(messages, earlier=earlier, nested=in_body()),
        )


def _kind(message: BaseMessage) -> str:
    return "user" if isinstance(message, HumanMessage) and not message.name and not in_body() else "message"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a model call is decided on: enough to know it again at the model.

    Args:
        words: kind and text of every message.
        names: names of its tools.
        hosted: names of those that the provider runs.
    """

    words: tuple[tuple[str, str], ...]
    names: frozenset[str]
    hosted: frozenset[str]

    @classmethod
    def of(cls, messages: Iterable[BaseMessage], tools: Iterable[Any], more: Iterable[str] = ()) -> Carried:
        """What these messages and tools are decided on, with `more` names that the framework adds on the way."""
        tools = list(tools)
        return cls(words_of(messages), frozenset((*_names(tools), *more)), frozenset(hosted_names(tools)))

    def covers(self, other: Carried) -> bool:
        """Whether a call that arrives is the one that was decided, or the same with less."""
        return self.words == other.words and other.names <= self.names and other.hosted <= self.hosted


def _names(tools: Iterable[Any]) -> Iterator[str]:
    """Names of tools, of those too that one provider declares many to a dict and another under a key of its own."""
    for tool in tools:
        inner = tool.get("toolSpec") if isinstance(tool, Mapping) else None
        lists = [tool.get(key) for key in _DECLARATIONS] if isinstance(tool, Mapping) else []
        declared = [item for found in lists if isinstance(found, list) for item in found]
        yield from tool_names(declared or [inner if isinstance(inner, Mapping) else tool])


def messages_of(model: Any, given: Any) -> list[BaseMessage]:
    """What a model is shown, in whichever form a method of its takes it."""
    items = given if isinstance(given, list | tuple) else [given]
    if _are_messages(items):
        return list(items)
    if isinstance(model, BaseChatModel):
        with suppress(Exception):  # an input of a form of its own is text, as any prompt that code composed
            return list(model._convert_input(given).to_messages())  # noqa: SLF001  as its entry points do
    # A prompt that was composed as text: nobody knows which of its words are the user's.
    texts = [item.to_string() if isinstance(item, PromptValue) else str(item) for item in items]
    return [HumanMessage(text, name="prompt") for text in texts]


def prompts_of(given: Any) -> list[Any]:
    """The prompts of a call that can have several of them."""
    items = given if isinstance(given, list | tuple) else []
    several = all(isinstance(item, PromptValue) for item in items)
    return list(items) if several or all(isinstance(i, list | tuple) and _are_messages(i) for i in items) else []


def _are_messages(items: Any) -> bool:
    return all(isinstance(item, BaseMessage) for item in items)
