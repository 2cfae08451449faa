"""What a model call says of its conversation: the user's words, and the items that were there before the run.

The user's words are the input of LangChain's outermost run, which a process-wide callback handler records
(`_RootObserver`). Nodes, tools, middleware and summarisers inside the run may write human messages too; those are not
the user's. If the host asks a model directly, that call is the outermost run.
"""

from __future__ import annotations

import dataclasses
import functools
import marshal
import sys
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeGuard
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackManager, BaseCallbackHandler
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.outputs import ChatResult, LLMResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import register_configure_hook
from langgraph.types import Command, Send
from pydantic import BaseModel

from halo_core.enforcement.activities import (
    Activity,
    begin_run_activity,
    current_run_activity,
    end_run_activity,
    note_answer,
    run_activity_value,
)
from halo_core.enforcement.exposure import describe_calls
from halo_core.enforcement.model_inputs import Message, join_calls
from halo_core.enforcement.session_context import current_session, in_body
from halo_core.enforcement.text_cache import TextCache
from halo_core.model import HistoryItem, HistoryRole, Provenance
from halo_core.quick_dataclass import dataclass
from halo_langchain._translate import get_message_text, read_attribute

_MAX_DEPTH: Final = 8
_MAX_PARTS: Final = 10_000  # of a root run's input
_PROVIDER_BLOCKS: Final = ("_tool_result", "_tool_call_output")
_PROVIDER_CALLS: Final = frozenset(
    {
        "server_tool_result",
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "mcp_call",
        "mcp_list_tools",
        "computer_call_output",
        "local_shell_call_output",
        "search_result",
    }
)
_PROVIDER_METADATA: Final = ("citations", "grounding_metadata", "search_results", "tool_outputs", "executed_tools")
"""Where providers say what their own tools have found."""


class ShownMessage(NamedTuple):
    """What a decision needs of a message, read once.

    Args:
        base: the framework's class that says whose it is.
        kind: its type.
        id: its id; empty for none.
        text: its words.
        calls: the calls that it asks for, normalized; empty for none.
        call_lines: the same as they are recorded of a model's input.
        is_unnamed_human: it may be a user's; a named one, or one marked by middleware, holds others' words.
        kind_and_text: both, by which a decided call recognises it on its way to the model.
        key: by which the message is recognised.
        recorded: it, as it is recorded of a model's input.
        item: it, as an item of the conversation that this run has added; None where it is none.
        given_item: the same as one that was there before the run.
    """

    base: type[BaseMessage]
    kind: str
    id: Any
    text: str
    calls: str
    call_lines: str
    is_unnamed_human: bool
    kind_and_text: tuple[str, str]
    key: tuple[str, str, str]
    recorded: Message
    item: HistoryItem | None
    given_item: HistoryItem | None


_GET_KEY: Final = attrgetter("key")
_BASES: Final = (SystemMessage, HumanMessage, ToolMessage, AIMessage)
_MAX_DUMPED: Final = 4_096
"""Bytes of the calls and blocks of a message up to which it is remembered."""
_MAX_NAMES: Final = 512
"""The same for its type and ids."""
_KNOWN: Final[TextCache[tuple[Any, ...], ShownMessage]] = TextCache()
"""Messages by all that `_read` reads of them: each model call of a conversation shows the same ones again."""


def read_message(message: BaseMessage) -> ShownMessage:
    """Read a message; one whose values were read before is not read again."""
    value = _get_value(message)
    known = _KNOWN.get(value) if value is not None else None
    if known is None:
        known = _read(message)
        # INVARIANT: a message that somebody changed meanwhile is not kept as what it was before.
        is_same = value is not None and value == _get_value(message)
        if value is not None and is_same and sum(map(len, filter(None, value[1:4]))) <= _MAX_NAMES:
            _KNOWN.keep(value, known.recorded.text, known)
    return known


def _get_value(message: BaseMessage) -> tuple[Any, ...] | None:
    """All that `_read` reads of a message, by value; None for one of another class, or with values of other types."""
    kind = type(message)
    if kind not in _BASES or message.__pydantic_extra__:
        return None
    get = message.__dict__.get  # where these classes have all that they hold
    content, calls = get("content"), get("tool_calls")
    name, own_id, call_id = get("type"), get("id"), get("tool_call_id")
    if not (
        type(name) is str and (own_id is None or type(own_id) is str) and (call_id is None or type(call_id) is str)
    ):
        return None
    is_text, dumped = type(content) is str, b""
    if calls or not is_text:
        try:
            # Version 2 writes equal values as equal bytes, and whatever differs in value or type as others.
            dumped = marshal.dumps((calls, None if is_text else content), 2)
        except ValueError:  # values of other types
            return None
        if len(dumped) > _MAX_DUMPED:
            return None
    is_others = kind is HumanMessage and (bool(get("name")) or "lc_source" in message.additional_kwargs)
    return kind, name, own_id, call_id, content if is_text else None, dumped, is_others


def _read(message: BaseMessage) -> ShownMessage:
    base = next((kind for kind in _BASES if isinstance(message, kind)), BaseMessage)
    kind, text, calls = message.type, get_message_text(message), read_attribute(message, "tool_calls")
    described, lines = _write_calls(calls) if calls else ("", "")
    recorded = Message(kind, text + lines if isinstance(message, AIMessage) else text)
    items = [_make_item(message, text, described, is_given=is_given) for is_given in (False, True)]
    is_unnamed = isinstance(message, HumanMessage) and not message.name and "lc_source" not in message.additional_kwargs
    key = kind, text, described
    own_id = message.id or ""
    return ShownMessage(base, kind, own_id, text, described, lines, is_unnamed, (kind, text), key, recorded, *items)


def _write_calls(calls: Iterable[Any]) -> tuple[str, str]:
    """The calls of a message as `describe_calls` and `join_calls` write them."""
    described = describe_calls((str(item.get("name")), item.get("args")) for item in calls)
    return described, join_calls("", ((item.get("name"), item.get("args")) for item in calls))


def _make_item(message: BaseMessage, text: str, calls: str, *, is_given: bool) -> HistoryItem | None:
    if isinstance(message, HumanMessage):
        return HistoryItem(HistoryRole.USER, text, is_given=is_given)
    if isinstance(message, ToolMessage):
        return HistoryItem(
            HistoryRole.RESULT, text, id=read_attribute(message, "tool_call_id") or "", is_given=is_given
        )
    if not isinstance(message, AIMessage):
        return None
    role = HistoryRole.CALLS if calls else HistoryRole.REPLY
    return HistoryItem(role, text, calls, is_given=is_given) if text or calls else None


@dataclass(frozen=True, slots=True)
class RunInput:
    """The input of the outermost run.

    Args:
        user_texts: the user's words, each a message or a value of the input.
        keys: keys of the messages in it (`ShownMessage.key`); None where it is the very messages that are shown.
    """

    user_texts: tuple[str, ...] = ()
    keys: frozenset[tuple[str, str, str]] | None = frozenset()

    @classmethod
    def from_value(cls, value: Any) -> RunInput:
        """Read the input of a run from whatever a runnable takes."""
        return cls.from_messages([read_message(item) for item in _iterate_messages(value, _MAX_DEPTH)])

    @classmethod
    def from_messages(cls, shown: Sequence[ShownMessage]) -> RunInput:
        """Read the input of a run from its messages."""
        shown = shown[:_MAX_PARTS]
        return cls(_list_user_texts(shown), frozenset(map(_GET_KEY, shown)))

    @classmethod
    def from_shown(cls, shown: Sequence[ShownMessage]) -> RunInput:
        """Like `from_messages`, for a model call that is itself the outermost run."""
        return cls(_list_user_texts(shown), None) if len(shown) <= _MAX_PARTS else cls.from_messages(shown)

    def find_user_texts(self, text: str) -> list[str]:
        """The user's texts in a human message: all of it, or texts inserted into it."""
        if text in self.user_texts:
            return [text]
        return [item for item in self.user_texts if item and item in text]


def _list_user_texts(shown: Iterable[ShownMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([item.text for item in shown if item.is_unnamed_human]))


def _iterate_messages(value: Any, depth: int) -> Iterator[BaseMessage]:
    if depth <= 0 or value is None or isinstance(value, bool | int | float | bytes):
        return
    if isinstance(value, BaseMessage):
        yield value
    elif isinstance(value, str):
        if value.strip():
            yield HumanMessage(value)
    elif isinstance(value, PromptValue):
        yield from value.to_messages()
    elif _is_message_like(value):
        try:
            yield from convert_to_messages([value])
        except Exception:  # noqa: BLE001  it only looked like one
            yield from (HumanMessage(part) for part in _list_parts(value) if isinstance(part, str))
    else:
        for part in _list_parts(value):
            yield from _iterate_messages(part, depth - 1)


def _is_message_like(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "content" in value and ("role" in value or "type" in value)
    return isinstance(value, tuple) and len(value) == 2 and all(isinstance(item, str) for item in value)


def _list_parts(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Command | Send):
        return (value.arg,) if isinstance(value, Send) else (value.update, value.resume)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, item.name, None) for item in dataclasses.fields(value)]
    if isinstance(value, BaseModel):
        return [getattr(value, name, None) for name in type(value).model_fields]
    return ()


# the outermost run

_RUN_INPUT: Final[ContextVar[RunInput | None]] = ContextVar("halo_langchain_input", default=None)


_TEXT_MODEL_START: Final = AsyncCallbackManager.on_llm_start.__code__


_MAX_OPEN_CHAINS: Final = 10_000
_OPEN_CHAINS: Final[OrderedDict[UUID, tuple[Activity, RunInput | None]]] = OrderedDict()
"""The outermost run of each chain that has not ended, and what that was started with. A step that is abandoned leaves
its chain here until it is the oldest of too many."""
_OPEN_CHAINS_LOCK: Final = threading.Lock()


def outermost_run_values(parent_run_id: object) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables for the outermost run of a chain; empty if already set or unknown.

    A stream that is read in a task for each part goes on in contexts that its beginning was not noted in.
    """
    known = _OPEN_CHAINS.get(parent_run_id)  # type: ignore[call-overload]  # None is no chain
    if known is None or known[0].is_over or known[0] is current_run_activity():
        return ()
    return run_activity_value(known[0]), (_RUN_INPUT, known[1])


def _note_chain(run_id: Any) -> None:
    activity = current_run_activity()
    if activity is None:
        return
    with _OPEN_CHAINS_LOCK:
        _OPEN_CHAINS[run_id] = activity, _RUN_INPUT.get()
        while len(_OPEN_CHAINS) > _MAX_OPEN_CHAINS:
            _OPEN_CHAINS.popitem(last=False)


class _RootObserver(BaseCallbackHandler):
    """Notes the start and input of root runs, for everything inside them."""

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # a plain attribute in the framework, which only reads it
        """Whether it runs inline; not for a text model on an event loop, where one inline handler silences others."""
        frame = sys._getframe(1)  # noqa: SLF001  who asks
        codes = (frame.f_code, frame.f_back.f_code if frame.f_back is not None else None)
        return _TEXT_MODEL_START not in codes

    ignore_llm = ignore_agent = ignore_retriever = ignore_chat_model = ignore_custom_event = ignore_retry = True

    def on_chain_start(self, serialized: dict[str, Any] | None, inputs: Any, **event: Any) -> None:  # noqa: ARG002  the hook's form
        """Note that a chain or graph starts."""
        parent_run_id = event.get("parent_run_id")
        if parent_run_id is None and _is_outermost():
            _RUN_INPUT.set(RunInput.from_value(inputs))
            begin_run_activity("langchain", event.get("run_id"), is_resumed=_is_resumption(inputs))
        for variable, value in outermost_run_values(parent_run_id):
            variable.set(value)
        _note_chain(event.get("run_id"))

    def on_chain_end(self, outputs: Any, **event: Any) -> None:  # noqa: ARG002  as above
        """Note that a chain or graph has ended."""
        self._end(event)

    def on_chain_error(self, error: BaseException, **event: Any) -> None:  # noqa: ARG002  as above
        """Like `on_chain_end`."""
        self._end(event)

    def _end(self, event: Mapping[str, Any]) -> None:
        run_id = event.get("run_id")
        with _OPEN_CHAINS_LOCK:
            known = _OPEN_CHAINS.pop(run_id, None)  # type: ignore[arg-type]  # None is no chain
        if event.get("parent_run_id") is None:
            end_run_activity(run_id, known[0] if known is not None else None)


def _is_resumption(inputs: Any) -> bool:
    """Whether a graph continues from its checkpoint."""
    return inputs is None or (isinstance(inputs, Command) and inputs.resume is not None)


def _is_outermost() -> bool:
    """Whether no run of LangChain and no decided action is around the current code."""
    return var_child_runnable_config.get() is None and not in_body()


_LOCK: Final = threading.Lock()
_OBSERVER: Final[ContextVar[Any | None]] = ContextVar(
    "halo_langchain_roots",
    default=_RootObserver(),  # noqa: B039  it has no state, and a default reaches raw threads
)
_registered = False


def observe_roots() -> None:
    """Have root runs noted from now on; once for the process."""
    global _registered  # noqa: PLW0603  the framework's list of hooks is the process's too
    with _LOCK:
        if not _registered:
            register_configure_hook(
                _OBSERVER, inheritable=True
            )  # since a node of a graph starts with what is inherited
            _wrap_chain_start()
            _registered = True


def _wrap_chain_start() -> None:
    """End an outermost run whose start fails: the framework reports no end of it, and plain code would go on in it.

    A start fails if the call is cancelled while an asynchronous handler is told of it, or if that raises. A synchronous
    manager tells `_RootObserver` last.
    """
    start = AsyncCallbackManager.on_chain_start

    @functools.wraps(start)
    async def on_chain_start(*args: Any, **kwargs: Any) -> Any:
        before = current_run_activity()
        try:
            return await start(*args, **kwargs)
        except BaseException:
            _end_unstarted(before)
            raise

    AsyncCallbackManager.on_chain_start = on_chain_start  # type: ignore[method-assign]


def _end_unstarted(before: Activity | None) -> None:
    """End the outermost run of this context, unless it was there before."""
    activity = current_run_activity()
    if activity is not None and activity is not before:
        with _OPEN_CHAINS_LOCK:
            _OPEN_CHAINS.pop(activity.run_id, None)  # type: ignore[call-overload]
        end_run_activity(activity.run_id)


def find_run_input(shown: Sequence[ShownMessage]) -> RunInput:
    """The input of the outermost run, for a model call with these messages."""
    if in_body():
        return RunInput()
    # What began before anybody looked, and what the host asks directly, is taken for the outermost run.
    noted = None if var_child_runnable_config.get() is None else _RUN_INPUT.get()
    return noted if noted is not None else RunInput.from_shown(shown)


# what a model call is shown


def find_known_origins(shown: Iterable[ShownMessage], run_input: RunInput) -> tuple[tuple[str, Provenance], ...]:
    """Texts in messages whose origin is known; texts of human messages not by the user count as nobody's.

    Args:
        shown: what a model is shown.
        run_input: what the outermost run was started with.
    """
    if in_body():
        return ()
    origins: list[tuple[str, Provenance]] = []
    for item in shown:
        text = item.text
        if item.base is SystemMessage:
            origins.append((text, Provenance.SYSTEM))
        elif item.base is HumanMessage:
            own = run_input.find_user_texts(text) if item.is_unnamed_human else ()
            origins += [(part, Provenance.USER) for part in own]
            if text not in own:
                origins.append((text, Provenance.NOVEL))
    return tuple(origins)


def list_history(shown: Iterable[ShownMessage], run_input: RunInput) -> tuple[HistoryItem, ...]:
    """The conversation so far, and its thread if the session has another name."""
    keys = run_input.keys
    items: list[HistoryItem] = []
    for item in shown:
        found = item.given_item if keys is None or item.key in keys else item.item
        if found is not None:
            items.append(found)
    return (*items, *_list_threads())


def _list_threads() -> list[HistoryItem]:
    """LangGraph's thread, if the host opened a session with another name around it."""
    config = var_child_runnable_config.get()
    thread = (config.get("configurable") or {}).get("thread_id") if config else None
    session = current_session() if thread else None
    if session is None or not session.is_opened_by_host:
        return []
    return [HistoryItem(HistoryRole.LINK, id=f"thread:{thread}", is_opening=True)]


# what a model has said


def read_answer(response: Any) -> tuple[HistoryItem, ...]:
    """The parts of a model's answer that join the conversation, and what its provider's tools found."""
    items: list[HistoryItem] = []
    for message in list_answers(response):
        note_answer(message.id or "")
        item = read_message(message).given_item
        items += [item] if item is not None else []
        if is_text_alone(message):  # as of most answers
            continue
        if provider_results := "\n".join(_iterate_provider_results(message)):
            items.append(HistoryItem(HistoryRole.PROVIDER_RESULT, provider_results))
    return tuple(items)


GENERATED_KINDS: Final = frozenset((ChatResult, LLMResult))
"""Results that hold generations and nothing else; pydantic takes its time to say so."""


def is_message(response: Any) -> TypeGuard[BaseMessage]:
    """Whether something is a message: an abstract class takes longer to say so."""
    return type(response) in _BASES or isinstance(response, BaseMessage)


def list_answers(response: Any) -> Sequence[BaseMessage]:
    """The messages of an answer, in any form of the framework's."""
    return (response,) if is_message(response) else tuple(_iterate_answers(response))


def _iterate_answers(response: Any) -> Iterator[BaseMessage]:
    if is_message(response):
        yield response
        return
    if type(response) not in GENERATED_KINDS:
        if (inner := getattr(response, "model_response", None)) is not None:
            yield from _iterate_answers(inner)
            return
        if isinstance(result := getattr(response, "result", None), list):
            yield from (item for item in result if isinstance(item, AIMessage))
            return
    for part in iterate_generations(response):
        message = getattr(part, "message", None)
        yield message if message is not None else AIMessage(str(part.text))


def iterate_generations(response: Any) -> Iterator[Any]:
    """The generations of a result, for one prompt or for several."""
    for generations in getattr(response, "generations", ()):
        yield from _to_list(generations)


def _to_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def is_text_alone(message: BaseMessage) -> bool:
    """Whether a message has no blocks, and nothing of the provider's beside its text and its calls."""
    return type(message.content) is str and not message.additional_kwargs and not message.response_metadata


def _iterate_provider_results(message: BaseMessage) -> Iterator[str]:
    for block in message.content if isinstance(message.content, list) else ():
        if not isinstance(block, Mapping):
            continue
        kind = str(block.get("type") or "")
        if kind in _PROVIDER_CALLS or kind.endswith(_PROVIDER_BLOCKS):
            yield from _iterate_words(block)
        for key in ("annotations", "citations"):
            yield from _iterate_words(block.get(key))
    for holder in (message.additional_kwargs, message.response_metadata):
        for key in _PROVIDER_METADATA if holder else ():
            yield from _iterate_words(holder.get(key))


def _iterate_words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _iterate_words(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _iterate_words(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
