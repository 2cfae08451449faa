"""What a model call says of its conversation: the user's words, and the items that were there before the run.

The user's words are those that the host passed to the outermost workflow. Text that a step, a hand-off, a memory block
or a tool's body puts into a user message is not the user's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    MessageRole,
)
from llama_index.core.memory import BaseMemory, StaticMemoryBlock

from halo_core.enforcement.activities import note_answer
from halo_core.enforcement.exposure import TRUST_FLOOR
from halo_core.enforcement.session_context import in_body
from halo_core.model import ActionKind, HistoryItem, HistoryRole, Provenance
from halo_llamaindex._messages import ReadMessage, read_message
from halo_llamaindex._results import extract_message_text, extract_text
from halo_llamaindex._runs import KnownTexts, current_run_context

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_RESULT_ROLES: Final = (MessageRole.TOOL, MessageRole.FUNCTION)
_MODEL_ROLES: Final = (MessageRole.ASSISTANT, MessageRole.CHATBOT, MessageRole.MODEL)
_PROVIDER_KEYS: Final = ("built_in_tool_calls", "citations", "annotations", "search_results", "server_tool_results")
"""Members of a message or an answer where providers say what their own tools have found."""
_PROVIDER_BLOCKS: Final = ("CitableBlock", "CitationBlock")
_EARLIER_MARK: Final = "earlier"


def make_earlier_mark(halo: Halo, read: ReadMessage) -> str:
    """Keyed digest that marks a message as older than the run."""
    return halo.make_keyed_digest(f"{_EARLIER_MARK} {read.role} {read.all_text}")


def find_known_origins(messages: Iterable[ChatMessage]) -> KnownTexts:
    """Texts whose origin is known; user messages not by the user count as nobody's."""
    if in_body():
        return ()
    context = current_run_context()
    user_texts = context.run.user_texts if context.run is not None else ()
    origins = [*context.known_texts]
    for message in messages:
        if message.role != MessageRole.USER:
            continue
        text = extract_message_text(message)
        own = [text] if text in user_texts else [item for item in user_texts if item and item in text]
        origins += [(item, Provenance.USER) for item in own]
        if text not in own:
            origins.append((text, Provenance.NOVEL))
    return tuple(origins)


def is_user_message(message: ChatMessage) -> bool:
    """Whether a message holds words from the outermost run's input."""
    run = current_run_context().run
    if message.role != MessageRole.USER or in_body() or run is None:
        return False
    return extract_message_text(message) in run.user_texts


def list_history(halo: Halo, messages: Sequence[ReadMessage]) -> tuple[HistoryItem, ...]:
    """The conversation so far, and the memories with parts of it."""
    context = current_run_context()
    is_direct = context.run is None and not in_body()

    def is_given(read: ReadMessage) -> bool:
        return is_direct or make_earlier_mark(halo, read) in context.earlier_marks

    items = [_make_item(read, is_given=is_given(read)) for read in messages if read.role in _ROLES]
    memories = context.run.memories if context.run is not None else []
    return (*(item for item in items if item is not None), *memories)


_ROLES: Final = frozenset(role.value for role in (*_RESULT_ROLES, *_MODEL_ROLES, MessageRole.USER))
_ROLES_OF_RESULTS: Final = frozenset(role.value for role in _RESULT_ROLES)


def _make_item(read: ReadMessage, *, is_given: bool) -> HistoryItem | None:
    if read.role == "user":
        return HistoryItem(HistoryRole.USER, read.text, is_given=is_given)
    if read.role in _ROLES_OF_RESULTS:
        return HistoryItem(HistoryRole.RESULT, read.text, id=read.call_id, is_given=is_given)
    role = HistoryRole.CALLS if read.calls else HistoryRole.REPLY
    return HistoryItem(role, read.text, read.calls, is_given=is_given) if read.text or read.calls else None


def message_id(message: ChatMessage) -> str:
    """The id of a message, or of the call that it answers; empty if it has neither."""
    ids = (message.additional_kwargs.get(key) for key in ("id", "message_id", "tool_call_id"))
    return next((item for item in ids if isinstance(item, str) and item), "")


# memories


async def list_memories(halo: Halo, memory: Any, messages: Sequence[ChatMessage]) -> list[HistoryItem]:
    """What a memory adds to a conversation besides its messages.

    A block of it is a source: its words are the system's own where a retrieval of the block's name is declared with a
    trust at or above the floor. Otherwise a memory whose conversation was never exposed is known by its session id; and
    of a static block nobody here knows who wrote it.

    Args:
        halo: who decides.
        memory: memory of the run.
        messages: what it gave for the run.
    """
    blocks = [block for block in getattr(memory, "memory_blocks", None) or () if not _is_trusted(halo, block.name)]
    if not isinstance(memory, BaseMemory) or not blocks:
        return []
    own_texts = {extract_message_text(message) for message in await memory.aget_all()}
    added = "\n".join(text for message in messages if (text := extract_message_text(message)) not in own_texts)
    if added and any(isinstance(block, StaticMemoryBlock) for block in blocks):
        return [HistoryItem(HistoryRole.RECALLED, added)]
    link = f"memory:{getattr(memory, 'session_id', '')}"
    return [HistoryItem(HistoryRole.LINK, added, id=link, is_opening=not added)]


def _is_trusted(halo: Halo, name: str) -> bool:
    declared = halo.find_declared(name, ActionKind.RETRIEVAL) or halo.find_registered(name)
    return declared is not None and declared.kind is ActionKind.RETRIEVAL and declared.trust >= TRUST_FLOOR


# what a model has said


def read_answer(answer: Any) -> tuple[HistoryItem, ...]:
    """The parts of a model's answer that join the conversation, and what its provider's tools found."""
    if isinstance(answer, CompletionResponse):
        return (HistoryItem(HistoryRole.REPLY, answer.text),) if answer.text else ()
    if not isinstance(answer, ChatResponse):
        return ()
    note_answer(message_id(answer.message))
    item = _make_item(read_message(answer.message), is_given=True)
    provider_results = "\n".join(_iterate_provider_results(answer))
    provider = (HistoryItem(HistoryRole.PROVIDER_RESULT, provider_results),) if provider_results else ()
    return (*((item,) if item is not None else ()), *provider)


def _iterate_provider_results(answer: ChatResponse) -> Iterator[str]:
    for block in answer.message.blocks:
        if type(block).__name__ in _PROVIDER_BLOCKS:
            yield extract_text(block.model_dump(exclude_none=True))
    for holder in (answer.message.additional_kwargs, answer.additional_kwargs):
        for key in _PROVIDER_KEYS:
            if results := holder.get(key):
                yield extract_text(results)
