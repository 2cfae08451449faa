"""Guarded models of LlamaIndex: the copies, and their calls, complete or streamed, as actions of the one flow.

A call is decided at the outermost of the model's methods that it passes (`chat_with_tools` calls `chat`). A context
variable carries the decision to the methods below (`_DecidedCall`). A stream is passed on as it arrives. If the answer
may have to be restricted, nothing is passed on before all of it was read.

Only messages that a guarded workflow vouches for count as the user's or the system's: LlamaIndex writes retrieved text
into user and system messages, so the role of a message does not say who wrote it.

The other methods of an LLM (`predict`, `stream`, `structured_predict`, `predict_and_call`, `as_structured_llm`) call
the methods listed here and are decided there. A `structured_predict` that a provider overrides is decided on entry.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
    TextBlock,
)

from halo_core.enforcement import flow
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.guarded_calls import make_governed_methods
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    clean_name,
    get_guard,
    list_tool_names,
    overrides_entry_point,
    refuse_other_halo,
    refuse_overridden_attributes,
    refuse_overriding_class,
    require_guard,
    to_list,
)
from halo_core.enforcement.model_inputs import Message, ModelInput, SchemaTexts
from halo_core.enforcement.session_context import ContextVarScope, TriggeringMessage
from halo_core.enforcement.steps import astream, stream
from halo_core.model import Resource
from halo_core.model_requests.tool_shapes import list_offered_tools
from halo_llamaindex._history import find_known_origins, is_user_message, list_history, message_id, read_answer
from halo_llamaindex._mcp import list_server_texts
from halo_llamaindex._messages import ReadMessage, read_messages
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._results import extract_message_text, make_model_surface
from halo_llamaindex._runs import body_values, inner_values, make_spanless_subclass
from halo_llamaindex._serialization import forbid_restoring
from halo_llamaindex._translate import (
    OVERRIDE_REMEDY,
    collect_tools,
    describe_tool,
    judge_request,
    model_name,
    read_model_facts,
)

if TYPE_CHECKING:
    from halo_llamaindex import Halo


_ABILITIES: Final = ("hold_output", "pause", "redact_output")


def _make_asking_message(messages: Sequence[ChatMessage]) -> TriggeringMessage:
    """The last message; it counts as the user's if a guarded workflow vouches for its text."""
    if not messages:
        return TriggeringMessage()
    last, text = messages[-1], extract_message_text(messages[-1])
    kind = "user" if is_user_message(last) else "message"
    return TriggeringMessage(message_id(last), kind=kind, text=text)


def _describe_input(
    messages: Iterable[ReadMessage], tools: Sequence[Any], facts: tuple[str, str, Mapping[str, Any]]
) -> ModelInput:
    """The model's input, for the record."""
    given = [Message(item.role, item.whole_text) for item in messages]
    system = "\n".join(item.text for item in given if item.role == MessageRole.SYSTEM.value)
    return ModelInput(given, system, tuple(map(_TOOL_SCHEMAS.describe, tools)), *facts)


_TOOL_SCHEMAS: Final = SchemaTexts(describe_tool)
_STRUCTURED_PREDICT: Final = "structured_predict"
_READY: Final = "ready"
_RUNNING: Final = "running"
_DONE: Final = "done"
_CLAIM_LOCK: Final = threading.Lock()


@dataclass(slots=True, eq=False)
class _DecidedCall:
    """A decided call, as seen by the methods that it calls.

    Args:
        guard: guard of the model.
        ticket: the decision.
        state: `ready` while one method below may take it, `running` while the one that took it is at work, `done` then.
    """

    guard: GuardMetadata
    ticket: Ticket
    state: str = _READY

    def end(self) -> None:
        """Let nothing pass any more, since tasks and threads started inside hold this too."""
        self.state = _DONE


_CURRENT_CALL: Final[ContextVar[_DecidedCall | None]] = ContextVar("halo_llamaindex_decided", default=None)


def _find_outer_call(guard: GuardMetadata) -> _DecidedCall | None:
    """The decided call of the same model around the current call."""
    outer_call = _CURRENT_CALL.get()
    return outer_call if outer_call is not None and outer_call.guard is guard and outer_call.state != _DONE else None


@contextmanager
def _inner_call_scope(outer_call: _DecidedCall, *, is_lazy: bool) -> Iterator[None]:
    """Run a method under the decision of the method that called it; its own calls run under it as well.

    Where it returns a stream (`is_lazy`), the call is under way until the stream of the decided one ends.
    """
    with _CLAIM_LOCK:
        is_claimed_here, outer_call.state = outer_call.state == _READY, _RUNNING
    try:
        yield
    finally:
        if is_claimed_here and not is_lazy:
            outer_call.end()


def _sending_scope(decided: _DecidedCall) -> ContextVarScope:
    """The scope of a model's own code during a decided call."""
    return ContextVarScope((_CURRENT_CALL, decided), *body_values(), *inner_values(decided.guard.halo))


def _copy_messages(argument: Any) -> Any:
    """Copy messages and tools, so that later changes to the caller's do not change what is sent."""
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
        tools = [item for item in to_list(arguments.get("tools")) if item is not None]
        return [*_to_messages(arguments.get("chat_history")), *_to_messages(arguments.get("user_msg"))], tools
    if method.endswith(_STRUCTURED_PREDICT):
        return _format_prompt(args, kwargs)
    if method.endswith("complete"):
        return _to_messages(args[0] if args else kwargs.get("prompt")), []
    return _to_messages(args[0] if args else kwargs.get("messages")), []


def _read_settings(method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a call, besides messages and tools, that may be sent to the provider."""
    if method.endswith(_STRUCTURED_PREDICT):  # what else it is given are parts of the prompt
        settings = kwargs.get("llm_kwargs", args[2] if len(args) > 2 else None)
        return dict(settings) if isinstance(settings, Mapping) else {}
    return {name: value for name, value in kwargs.items() if name not in _OWN_SETTINGS}


_OWN_SETTINGS: Final = frozenset((
    "allow_parallel_tool_calls", "chat_history", "formatted", "messages", "prompt", "tool_required", "tools",
    "user_msg", "verbose",
))  # fmt: skip
"""Parameters of the framework's own methods."""


def _format_prompt(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[list[ChatMessage], list[Any]]:
    """A prompt as it will be sent, and the answer's class, which a model sees as a tool."""
    arguments = dict(zip(("output_cls", "prompt", "llm_kwargs"), args, strict=False)) | dict(kwargs)
    output_class, prompt, _ = (arguments.pop(name, None) for name in ("output_cls", "prompt", "llm_kwargs"))
    try:
        messages = list(prompt.format_messages(**arguments)) if prompt is not None else []
    except Exception:  # noqa: BLE001  the method itself will say so
        messages = []
    return messages, [output_class] if output_class is not None else []


def _to_messages(prompt: Any) -> list[ChatMessage]:
    return [
        item if isinstance(item, ChatMessage) else ChatMessage(role=MessageRole.USER, content=str(item))
        for item in to_list(prompt)
    ]


_ANSWER_TYPES: Final = (ChatResponse, CompletionResponse)
_EMPTY_SURFACE: Final[Surface[str]] = Surface(str, None, lambda said, _mask: said, lambda said, _notice: said)
"""For a stream without any chunk."""


class ModelCall(LlamaIndexAction):
    """A call of a guarded model's method; a call made by a decided method is part of that one."""

    decided: _DecidedCall

    def __init__(self, method: Callable[..., Any], name: str, model: Any, *args: Any, **kwargs: Any) -> None:
        self.guard = guard = self.find_guard(model)
        self.halo = guard.halo
        self.method, self.name, self.model = method, name, model
        # Nobody else holds these lists, so what is sent is what was decided.
        self.args = tuple(_copy_messages(item) for item in args)
        self.kwargs = {key: _copy_messages(value) for key, value in kwargs.items()}
        self.is_stream = "stream" in name
        self.outer_call = outer_call = _find_outer_call(guard)
        decision = outer_call.ticket if outer_call is not None else None
        super().__init__(
            guard.halo.enforcer, None, guard.surface, decision=decision, records_outcome=outer_call is None
        )

    def find_guard(self, model: Any) -> GuardMetadata:
        """The guard of the model."""
        return require_guard(model)

    def build_call(self) -> Call:
        """The call to decide, with the tools its provider would run and unknown fields."""
        messages, tools = _read_messages_and_tools(self.name, self.args, self.kwargs)
        tools = [*tools, *collect_tools(self.model, {} if self.name.endswith("_with_tools") else self.kwargs)]
        settings = _read_settings(self.name, self.args, self.kwargs)
        offered = list_offered_tools(getattr(item, "additional_kwargs", None) for item in messages)
        fields, read = judge_request(self.model, settings, [*tools, *offered]), read_messages(messages)
        call: Call = self.halo.build_call(
            self._find_resource(),
            {"messages": len(messages), "tools": list_tool_names(tools), **fields.to_arguments()},
            abilities=_ABILITIES,
            shown_texts=(*find_known_origins(messages), *list_server_texts(tools)),
            history=list_history(self.halo, read),
            model=_describe_input(read, tools, read_model_facts(self.model, settings)),
            message=_make_asking_message(messages),
        )
        return call

    def _find_resource(self) -> Resource:
        """The model's resource; a model named by this call alone is registered on first sight."""
        names = (self.kwargs.get(key) for key in ("model", "model_name"))
        name = clean_name(next((item for item in names if isinstance(item, str) and item), self.guard.name))
        if name == self.guard.name:
            return self.guard.resource
        seen: Resource = self.halo.register_seen_model(name)
        return seen

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """A scope in which methods called by this one run under its decision."""
        if self.outer_call is not None:
            return _inner_call_scope(self.outer_call, is_lazy=self.is_stream)
        # A method that itself sends has nothing below it that may send once more.
        is_composed = self.name.endswith(("_with_tools", _STRUCTURED_PREDICT))
        self.decided = _DecidedCall(self.guard, ticket, _READY if is_composed else _RUNNING)
        return _sending_scope(self.decided)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  the arguments are not changed
        return self.method(self.model, *self.args, **self.kwargs)

    def finish(self, ticket: Ticket, result: Any) -> Any:
        """Record the answer; a stream continues as an `_AnswerStream`."""
        if self.outer_call is not None:
            return result  # restricted and recorded by the method that was decided
        if self.is_stream:
            source = aiter(result) if hasattr(result, "__aiter__") else iter(result)
            drive = astream if hasattr(result, "__aiter__") else stream
            return drive(flow.govern_stream(_AnswerStream(self.decided, self.surface, source)))
        self.decided.end()
        return super().finish(ticket, result)

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        if self.outer_call is not None:
            return error
        self.decided.end()
        return super().finish_failed(ticket, error)


class _AnswerStream(LlamaIndexAction, flow.GovernedStream):
    """The streamed answer to a decided call. Each chunk has all the text so far, or only the new text."""

    def __init__(self, decided: _DecidedCall, surface: Surface[Any], source: Any) -> None:
        self.halo = decided.guard.halo
        self.decided = decided
        self.source = source
        self.deltas: list[str] = []
        super().__init__(self.halo.enforcer, None, surface, decision=decided.ticket)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  it was started
        """The chunks of the model's answer, which has started already."""
        return self.source

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  it is in the decided call
        """The scope of the model's own code."""
        return _sending_scope(self.decided)

    def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Like `GovernedStream`; keeps only the last chunk."""
        self.deltas.append((part.delta or "") if isinstance(part, _ANSWER_TYPES) else "")
        self.parts.clear()
        return super().add_part(ticket, part)

    def merge_parts(self) -> Any:
        """The last chunk; if it lacks text, with the text of all chunks."""
        if not self.parts:
            self.surface = _EMPTY_SURFACE
            return ""
        streamed_text, last = "".join(self.deltas), self.parts[-1]
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

    def split_result(self, result: Any) -> Iterable[Any]:
        """The whole answer as one chunk."""
        if not self.parts:
            return ()
        if not isinstance(result, _ANSWER_TYPES):
            return (result,)  # an object, of which each chunk is the whole so far
        text = extract_message_text(result.message) if isinstance(result, ChatResponse) else result.text
        return (result.model_copy(update={"delta": text}),)

    def close(self) -> None:
        """End the decision: nothing more runs under it."""
        self.decided.end()


SENDING_METHODS: Final = tuple(
    f"{a}{stream}{way}"
    for a in ("", "a")
    for stream in ("", "stream_")
    for way in ("chat", "complete", "chat_with_tools")
)
"""The methods of an LLM that send something."""
_STRUCTURED_METHODS: Final = tuple(f"{a}{stream}structured_predict" for a in ("", "a") for stream in ("", "stream_"))
"""Methods that some providers override, to send by themselves."""
_COMPOSED_METHODS: Final = (
    "predict", "apredict", "stream", "astream", "predict_and_call", "apredict_and_call", "as_structured_llm",
)  # fmt: skip
"""Methods that only call the others; a provider's override of one cannot be decided."""
_FRAMEWORK: Final = "llama_index.core."


def guard_model(halo: Halo, model: BaseLLM, resource: Resource | None, *, is_part: bool = False) -> Any:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    guard = get_guard(model)
    refuse_other_halo(halo, guard, "model")
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    name = model_name(model)
    registered = halo.register_seen_model(name) if is_part else halo.register_model(name, resource)
    guard = _make_model_guard(halo, model, registered)
    refuse_overridden_attributes(model, (*SENDING_METHODS, *_STRUCTURED_METHODS), OVERRIDE_REMEDY)
    refuse_overriding_class(
        type(model), _COMPOSED_METHODS, _FRAMEWORK, "remove the override; the base class uses `chat` and `complete`"
    )
    guarded = model.model_copy()
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(model)))
    forbid_restoring(guarded)
    attach_guard(guarded, guard)
    return guarded


def make_seen_model_guard(halo: Halo, model: BaseLLM) -> GuardMetadata:
    """The guard of an unguarded model, made when it is first asked."""
    return _make_model_guard(halo, model, halo.register_seen_model(model_name(model)))


def _make_model_guard(halo: Halo, model: BaseLLM, registered: Resource) -> GuardMetadata:
    return GuardMetadata(halo, model, registered.id, registered, make_model_surface(halo, read_answer))


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseLLM]) -> type[BaseLLM]:
    names = [name for name in SENDING_METHODS if hasattr(kind, name)]
    # The framework's own come down to the ways above; a provider's may send by itself.
    names += [name for name in _STRUCTURED_METHODS if overrides_entry_point(kind, name, _FRAMEWORK)]
    return make_spanless_subclass(kind, make_governed_methods(kind, names, ModelCall))
