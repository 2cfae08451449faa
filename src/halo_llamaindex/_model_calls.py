"""Room: model calls as requests. Takes: messages and tools. Gives: a call. Never: decides, reads a model's answer.

Of the words among messages only those count as the user's or the system's that a guarded workflow vouches for:
LlamaIndex writes retrieved text into user and system messages, so their role says nothing about who wrote them.

Room: what travels with one model call, from its decision to the method that sends it. Takes: calls. Gives: context.

A call is decided at the outermost of the model's methods that it passes (`chat_with_tools` comes down to `chat`). The
decision goes down in a context variable, to one of those below. Never: decides, lets one decision serve two calls.

Room: model calls, at once or as a stream. Takes: a gate, a method. Gives: what it returns, decided.

A stream passes through as it comes, unless what it says may have to be made less: then nothing of it is handed on
before all of it was read. Context variables are set around each step of a stream alone: a generator runs in its
reader's context. Never: decides by itself.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole, TextBlock

from halo_core.enforcement import Call, Surface, Ticket
from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA, GuardMetadata, clean_name
from halo_core.enforcement.session_context import TriggeringMessage, triggering_message_scope
from halo_core.errors import Denied
from halo_core.model import ActionKind, Provenance, Resource
from halo_llamaindex._pause import abegin_or_pause, begin_or_pause, finish_failed
from halo_llamaindex._runs import body_scope, get_known_texts, in_body
from halo_llamaindex._texts import extract_message_text
from halo_llamaindex._translate import collect_tools, hosted_names, tool_names

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = [
    "EARLIER_MARK",
    "DecidedCall",
    "PreparedCall",
    "aask",
    "aask_stream",
    "ask",
    "ask_stream",
    "build_inference_call",
    "message_id",
    "outer_call_scope",
    "sending_scope",
]


_ABILITIES: Final = ("hold_output", "pause", "redact_output")
_RESULT_ROLES: Final = (MessageRole.TOOL, MessageRole.FUNCTION)
EARLIER_MARK: Final = "earlier"
"""What the mark of a result that predates its session is made with."""


def message_id(message: ChatMessage) -> str:
    """The id that a message carries, of its own or of the call that it answers; empty of one without."""
    ids = (message.additional_kwargs.get(key) for key in ("id", "message_id", "tool_call_id"))
    return next((item for item in ids if isinstance(item, str) and item), "")


def build_inference_call(
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
    registered = resource or halo.find_registered(name)
    if registered is None or registered.kind is not ActionKind.INFERENCE:
        registered = halo.register(ActionKind.INFERENCE, name, resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": len(messages), "tools": tool_names(tools)}
    last = messages[-1] if messages else None
    asking_message = (
        TriggeringMessage(message_id(last), kind=_find_asking_kind(last), text=extract_message_text(last))
        if last is not None
        else TriggeringMessage()
    )
    with triggering_message_scope(asking_message):
        return halo.build_call(
            registered,
            args,
            problem="hosted_tool" if hosted_names(tools) else "",
            abilities=_ABILITIES,
            shown_texts=_find_known_origins(halo, messages),
        )


def _find_asking_kind(message: ChatMessage) -> str:
    is_vouched = any(
        extract_message_text(message) == text for text, origin in get_known_texts()[0] if origin is Provenance.USER
    )
    return "user" if message.role == MessageRole.USER and is_vouched and not in_body() else "message"


def _find_known_origins(halo: Halo, messages: Sequence[ChatMessage]) -> tuple[tuple[str, Provenance], ...]:
    known_texts, earlier_marks = get_known_texts()
    results = [extract_message_text(message) for message in messages if earlier_marks and message.role in _RESULT_ROLES]
    untrusted = [
        (text, Provenance.UNTRUSTED) for text in results if halo.make_keyed_digest(EARLIER_MARK + text) in earlier_marks
    ]
    return (*known_texts, *untrusted)


_STRUCTURED_PREDICT: Final = "structured_predict"
_READY: Final = "ready"
_RUNNING: Final = "running"
_DONE: Final = "done"
_CLAIM_LOCK: Final = threading.Lock()


@dataclass(slots=True, eq=False)
class DecidedCall:
    """One decided call on its way down.

    Args:
        guard: of the model.
        ticket: the decision.
        state: `ready` while one method below may take it, `running` while the one that took it is at work, `done` then.
    """

    guard: GuardMetadata
    ticket: Ticket
    state: str = _READY

    def end(self) -> None:
        """Let nothing pass any more: tasks and threads that were started inside hold this too."""
        self.state = _DONE


_CURRENT_CALL: Final[ContextVar[DecidedCall | None]] = ContextVar("halo_llamaindex_decided", default=None)


@contextmanager
def outer_call_scope(guard: GuardMetadata, *, is_lazy: bool = False) -> Iterator[bool]:
    """Whether this call comes down from one that was decided.

    It is under way in the block, and one that gives a stream `is_lazy` until the stream of the decided one ends.
    """
    outer_call = _CURRENT_CALL.get()
    if outer_call is None or outer_call.guard is not guard or outer_call.state == _DONE:
        yield False
        return
    with _CLAIM_LOCK:
        is_claimed_here, outer_call.state = outer_call.state == _READY, _RUNNING
    try:
        yield True  # one method of the model that calls another runs under the decision of the first
    finally:
        if is_claimed_here and not is_lazy:
            outer_call.end()


@contextmanager
def sending_scope(decided: DecidedCall | None) -> Iterator[None]:
    """Around whatever of a model's own code runs for a decided call."""
    token = _CURRENT_CALL.set(decided)
    try:
        with body_scope():
            yield
    finally:
        _CURRENT_CALL.reset(token)


@dataclass(frozen=True, slots=True)
class PreparedCall:
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
    def from_arguments(
        cls, guard: GuardMetadata, model: Any, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> PreparedCall:
        """A call of one of the model's methods."""
        args = tuple(_copy_messages(item) for item in args)
        kwargs = {name: _copy_messages(value) for name, value in kwargs.items()}
        messages, tools = _read_messages_and_tools(method, args, kwargs)
        chosen = next((value for key in ("model", "model_name") if isinstance(value := kwargs.get(key), str)), "")
        tools = [*tools, *collect_tools(model, kwargs if not method.endswith("_with_tools") else {})]
        return cls(method, clean_name(chosen) if chosen else guard.name, messages, tools, args, kwargs)

    def to_decided_call(self, guard: GuardMetadata, ticket: Ticket) -> DecidedCall:
        """The decision as it goes down; a method that itself sends has nothing below that may send once more."""
        return DecidedCall(
            guard, ticket, _READY if self.method.endswith(("_with_tools", _STRUCTURED_PREDICT)) else _RUNNING
        )

    def build_call(self, guard: GuardMetadata) -> Call:
        """The call to decide."""
        return build_inference_call(
            guard.halo, self.name, self.messages, self.tools, guard.resource if self.name == guard.name else None
        )


def _copy_messages(argument: Any) -> Any:
    """Messages and tools that stay as they were decided, whoever goes on writing into the caller's."""
    if isinstance(argument, ChatMessage):
        return argument.model_copy()
    if not isinstance(argument, list | tuple):
        return argument
    return [item.model_copy() if isinstance(item, ChatMessage) else item for item in argument]


def _read_messages_and_tools(
    method: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[ChatMessage], list[Any]]:
    if method.endswith("_with_tools"):
        arguments = dict(zip(("tools", "user_msg", "chat_history"), args, strict=False)) | dict(kwargs)
        history, user_message = arguments.get("chat_history"), arguments.get("user_msg")
        return [*_to_messages(history), *_to_messages(user_message)], _to_tools(arguments.get("tools"))
    if method.endswith(_STRUCTURED_PREDICT):
        return _format_prompt(args, kwargs)
    if method.endswith("complete"):
        return _to_messages(args[0] if args else kwargs.get("prompt")), []
    return _to_messages(args[0] if args else kwargs.get("messages")), []


def _format_prompt(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[ChatMessage], list[Any]]:
    """A prompt as it will be sent, and the class of the answer, which a model sees as a tool."""
    arguments = dict(zip(("output_cls", "prompt", "llm_kwargs"), args, strict=False)) | dict(kwargs)
    output_class, prompt, _ = (
        arguments.pop("output_cls", None),
        arguments.pop("prompt", None),
        arguments.pop("llm_kwargs", None),
    )
    try:
        messages = list(prompt.format_messages(**arguments)) if prompt is not None else []
    except Exception:  # noqa: BLE001  the method itself will say so
        messages = []
    return messages, [output_class] if output_class is not None else []


def _to_messages(prompt: Any) -> list[ChatMessage]:
    if prompt is None:
        return []
    items = prompt if isinstance(prompt, list | tuple) else [prompt]
    return [
        item if isinstance(item, ChatMessage) else ChatMessage(role=MessageRole.USER, content=str(item))
        for item in items
    ]


def _to_tools(tools: Any) -> list[Any]:
    items = tools if isinstance(tools, list | tuple) else [] if tools is None else [tools]
    return [item for item in items if item is not None]


_ANSWER_TYPES: Final = (ChatResponse, CompletionResponse)
_EMPTY_SURFACE: Final[Surface[str]] = Surface(str, None, lambda said, _mask: said, lambda said, _notice: said)
"""Of a stream that said nothing."""

# at once


def ask(guard: GuardMetadata, function: Callable[..., Any], prepared: PreparedCall) -> Any:
    """Decide a call, make it, record it.

    Raises:
        Denied: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    with outer_call_scope(guard) as is_decided_above:
        if is_decided_above:
            return function(*prepared.args, **prepared.kwargs)
    ticket = begin_or_pause(guard.halo, prepared.build_call(guard))
    decided = prepared.to_decided_call(guard, ticket)
    try:
        with sending_scope(decided):
            result = function(*prepared.args, **prepared.kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, exc)
        if failed is exc:
            raise
    else:
        return ticket.succeed(result, guard.surface)
    finally:
        decided.end()
    raise failed


async def aask(guard: GuardMetadata, function: Callable[..., Awaitable[Any]], prepared: PreparedCall) -> Any:
    """As `ask`, for a coroutine function."""
    with outer_call_scope(guard) as is_decided_above:
        if is_decided_above:
            return await function(*prepared.args, **prepared.kwargs)
    ticket = await abegin_or_pause(guard.halo, prepared.build_call(guard))
    decided = prepared.to_decided_call(guard, ticket)
    try:
        with sending_scope(decided):
            result = await function(*prepared.args, **prepared.kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, exc)
        if failed is exc:
            raise
    else:
        return ticket.succeed(result, guard.surface)
    finally:
        decided.end()
    raise failed


# streams


def ask_stream(guard: GuardMetadata, function: Callable[..., Any], prepared: PreparedCall) -> Any:
    """As `ask`, of a method that returns a generator."""
    with outer_call_scope(guard, is_lazy=True) as is_decided_above:
        if is_decided_above:
            return function(*prepared.args, **prepared.kwargs)
    ticket = begin_or_pause(guard.halo, prepared.build_call(guard))
    decided = prepared.to_decided_call(guard, ticket)
    try:
        with sending_scope(decided):
            source = function(*prepared.args, **prepared.kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, exc)
        if failed is exc:
            raise
    else:
        return _iter_chunks(_DecidedStream(guard, ticket), decided, iter(source))
    raise failed


async def aask_stream(guard: GuardMetadata, function: Callable[..., Awaitable[Any]], prepared: PreparedCall) -> Any:
    """As `ask_stream`, of a coroutine function that returns an asynchronous generator."""
    with outer_call_scope(guard, is_lazy=True) as is_decided_above:
        if is_decided_above:
            return await function(*prepared.args, **prepared.kwargs)
    ticket = await abegin_or_pause(guard.halo, prepared.build_call(guard))
    decided = prepared.to_decided_call(guard, ticket)
    try:
        with sending_scope(decided):
            source = await function(*prepared.args, **prepared.kwargs)
    except BaseException as exc:
        failed = finish_failed(ticket, exc)
        if failed is exc:
            raise
    else:
        return _aiter_chunks(_DecidedStream(guard, ticket), decided, aiter(source))
    raise failed


def _iter_chunks(stream: _DecidedStream, decided: DecidedCall, source: Any) -> Generator[Any, None, None]:
    try:
        while True:
            with sending_scope(decided):
                try:
                    chunk = next(source)
                except StopIteration:
                    break
            if stream.add_chunk(chunk):
                yield chunk
        yield from stream.finish()
    except BaseException as exc:
        failed = stream.finish_failed(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided.end()
        if hasattr(source, "close"):
            source.close()
    raise failed


async def _aiter_chunks(stream: _DecidedStream, decided: DecidedCall, source: Any) -> AsyncGenerator[Any, None]:
    try:
        while True:
            with sending_scope(decided):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    break
            if stream.add_chunk(chunk):
                yield chunk
        for part in stream.finish():
            yield part
    except BaseException as exc:
        failed = stream.finish_failed(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided.end()
        if hasattr(source, "aclose"):
            await source.aclose()
    raise failed


class _DecidedStream:
    """What a stream has said so far."""

    def __init__(self, guard: GuardMetadata, ticket: Ticket) -> None:
        self._guard = guard
        self._ticket = ticket
        self._holds_output = ticket.holds_output
        self._deltas: list[str] = []
        self._last_chunk: Any = None
        self._is_recorded = False

    def add_chunk(self, chunk: Any) -> bool:
        """Keep a chunk in mind; whether it may be handed on now."""
        self._deltas.append((chunk.delta or "") if isinstance(chunk, _ANSWER_TYPES) else "")
        self._last_chunk = chunk
        return not self._holds_output

    def finish(self) -> list[Any]:
        """Record the whole; what is handed on of a stream that was held back."""
        self._is_recorded = True
        if self._last_chunk is None:
            self._ticket.succeed("", _EMPTY_SURFACE)
            return []
        answer = self._build_whole_answer()
        used = self._ticket.succeed(answer, self._guard.surface)
        if not self._holds_output:
            return []
        if not isinstance(used, _ANSWER_TYPES):
            return [used]  # an object, of which each piece is the whole so far
        text = extract_message_text(used.message) if isinstance(used, ChatResponse) else used.text
        return [used.model_copy(update={"delta": text})]

    def finish_failed(self, error: BaseException) -> BaseException:
        """Record that it broke off, or that its reader stopped; what may be raised."""
        return error if self._is_recorded and isinstance(error, Denied) else finish_failed(self._ticket, error)

    def _build_whole_answer(self) -> Any:
        """The last chunk, which says all that was said; where it does not, with all the pieces put together."""
        streamed_text, last = "".join(self._deltas), self._last_chunk
        if isinstance(last, ChatResponse):
            text = extract_message_text(last.message)
            if streamed_text and len(text) < len(streamed_text):
                message = last.message.model_copy()
                message.blocks = [
                    *(item for item in message.blocks if not isinstance(item, TextBlock)),
                    TextBlock(text=streamed_text),
                ]
                return last.model_copy(update={"message": message})
        elif isinstance(last, CompletionResponse) and len(last.text) < len(streamed_text):
            return last.model_copy(update={"text": streamed_text})
        return last
