"""Room: what travels with one model call, from its decision to the method that sends it. Takes: calls. Gives: context.

A call is decided at the outermost of the model's methods that it passes (`chat_with_tools` comes down to `chat`). The
decision goes down in a context variable, to one of those below. Never: decides, lets one decision serve two calls.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole

from halo_core.pep import Call, Ticket
from halo_core.pep.gate import Gate
from halo_core.pep.names import clean_name
from halo_llamaindex._context import body
from halo_llamaindex._models.inference import inference
from halo_llamaindex._translate import carried_tools

__all__ = ["Asked", "Decided", "below", "sending"]

_READY: Final = "ready"
_RUNNING: Final = "running"
_DONE: Final = "done"
_TAKING: Final = threading.Lock()


@dataclass(slots=True, eq=False)
class Decided:
    """One decided call on its way down.

    Args:
        gate: of the model.
        ticket: the decision.
        state: `ready` while one method below may take it, `running` while the one that took it is at work, `done` then.
    """

    gate: Gate
    ticket: Ticket
    state: str = _READY

    def end(self) -> None:
        """Let nothing pass any more: tasks and threads that were started inside hold this too."""
        self.state = _DONE


_DECIDED: Final[ContextVar[Decided | None]] = ContextVar("halo_llamaindex_decided", default=None)


@contextmanager
def below(gate: Gate, *, lazily: bool = False) -> Iterator[bool]:
    """Whether this call comes down from one that was decided.

    It is under way in the block, and one that gives a stream `lazily` until the stream of the decided one ends.
    """
    found = _DECIDED.get()
    if found is None or found.gate is not gate or found.state == _DONE:
        yield False
        return
    with _TAKING:
        mine, found.state = found.state == _READY, _RUNNING
    try:
        yield True  # one method of the model that calls another runs under the decision of the first
    finally:
        if mine and not lazily:
            found.end()


@contextmanager
def sending(decided: Decided | None) -> Iterator[None]:
    """Around whatever of a model's own code runs for a decided call."""
    token = _DECIDED.set(decided)
    try:
        with body():
            yield
    finally:
        _DECIDED.reset(token)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it will be made: nobody else holds these lists.

    Args:
        method: of the model.
        name: the model's, in this call.
        messages: what it is shown.
        tools: what it may call.
        args: of the method.
        kwargs: of the method.
    """

    method: str
    name: str
    messages: list[ChatMessage]
    tools: list[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @classmethod
    def of(cls, gate: Gate, model: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Asked:
        """A call of one of the model's methods."""
        args = tuple(_own(item) for item in args)
        kwargs = {name: _own(value) for name, value in kwargs.items()}
        messages, tools = _told(method, args, kwargs)
        chosen = next((value for key in ("model", "model_name") if isinstance(value := kwargs.get(key), str)), "")
        tools = [*tools, *carried_tools(model, kwargs if not method.endswith("_with_tools") else {})]
        return cls(method, clean_name(chosen) if chosen else gate.name, messages, tools, args, kwargs)

    def decided(self, gate: Gate, ticket: Ticket) -> Decided:
        """The decision as it goes down; a method that itself sends has nothing below that may send once more."""
        return Decided(gate, ticket, _READY if self.method.endswith("_with_tools") else _RUNNING)

    def call(self, gate: Gate) -> Call:
        """The call to decide."""
        return inference(
            gate.halo, self.name, self.messages, self.tools, gate.resource if self.name == gate.name else None
        )


def _own(given: Any) -> Any:
    """Messages and tools that stay as they were decided, whoever goes on writing into the caller's."""
    if isinstance(given, ChatMessage):
        return given.model_copy()
    if not isinstance(given, list | tuple):
        return given
    return [item.model_copy() if isinstance(item, ChatMessage) else item for item in given]


def _told(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[ChatMessage], list[Any]]:
    if method.endswith("_with_tools"):
        named = dict(zip(("tools", "user_msg", "chat_history"), args, strict=False)) | dict(kwargs)
        history, said = named.get("chat_history"), named.get("user_msg")
        return [*_messages(history), *_messages(said)], _tools(named.get("tools"))
    if method.endswith("complete"):
        return _messages(args[0] if args else kwargs.get("prompt")), []
    return _messages(args[0] if args else kwargs.get("messages")), []


def _messages(given: Any) -> list[ChatMessage]:
    if given is None:
        return []
    items = given if isinstance(given, list | tuple) else [given]
    return [
        item if isinstance(item, ChatMessage) else ChatMessage(role=MessageRole.USER, content=str(item))
        for item in items
    ]


def _tools(given: Any) -> list[Any]:
    items = given if isinstance(given, list | tuple) else [] if given is None else [given]
    return [item for item in items if item is not None]
