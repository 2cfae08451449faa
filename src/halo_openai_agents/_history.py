"""What a model call says of its conversation: the user's words, and the items that were there before the run.

The user's words are the input of the SDK's outermost run. Text that a run inside it, an input filter, a hand-off or a
tool's body puts into a user message is not the user's. If the host asks a model directly, that call is the outermost
run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents import ModelResponse, RunState

from halo_core.enforcement.session_context import TriggeringMessage, current_session, in_body
from halo_core.model import HistoryItem, HistoryRole, Provenance
from halo_openai_agents._items import OWN_KINDS, ItemKey, ReadItem, read_item, read_items
from halo_openai_agents._results import (
    extract_item_text,
    extract_message_text,
    get_field,
    get_real_id,
    to_input_items,
)

_SYSTEM_ROLES: Final = ("system", "developer")
_LINKS: Final = (("previous_response_id", "response"), ("conversation_id", "conversation"))


@dataclass(frozen=True, slots=True)
class RunInput:
    """The input of the outermost run.

    Args:
        user_texts: the user's words, a text for each message.
        keys: keys of its items.
    """

    user_texts: frozenset[str] = frozenset()
    keys: frozenset[ItemKey] = frozenset()

    @classmethod
    def from_value(cls, run_input: Any) -> RunInput:
        """Read the input of a run or a model."""
        if isinstance(run_input, RunState):
            run_input = run_input._original_input  # noqa: SLF001  what it was begun with; nothing public says it
        return cls.from_items(read_items(to_input_items(run_input)))

    @classmethod
    def from_items(cls, items: Iterable[ReadItem]) -> RunInput:
        """Read it from its items."""
        texts = [item.text for item in items if item.text and item.role == "user"]
        return cls(frozenset(texts), frozenset([item.key for item in items]))


EMPTY_INPUT: Final = RunInput()


def find_asking_message(items: Sequence[Any], run_input: RunInput) -> TriggeringMessage:
    """The message that leads to a model call."""
    last = items[-1] if items else None
    if last is None:
        return TriggeringMessage()
    text = extract_message_text(last)
    is_by_user = get_field(last, "role") == "user" and not in_body() and text in run_input.user_texts
    text = text or extract_item_text(get_field(last, "output") or "")
    return TriggeringMessage(get_real_id(last, "id"), kind="user" if is_by_user else "message", text=text)


def find_known_origins(
    system: str | None, items: Iterable[ReadItem], run_input: RunInput
) -> tuple[tuple[str, Provenance], ...]:
    """Texts in a model's input whose origin is known; user messages not by the user count as nobody's.

    Args:
        system: the agent's instructions.
        items: what the model is shown.
        run_input: what the outermost run was started with.
    """
    if in_body():
        return ()
    origins: list[tuple[str, Provenance]] = [(system, Provenance.SYSTEM)] if system else []
    for item in items:
        if item.role in _SYSTEM_ROLES:
            origins.append((item.text, Provenance.SYSTEM))
        elif item.role == "user":
            origins.append((item.text, Provenance.USER if item.text in run_input.user_texts else Provenance.NOVEL))
    return tuple(origins)


def list_history(items: Iterable[ReadItem], run_input: RunInput, values: Mapping[str, Any]) -> tuple[HistoryItem, ...]:
    """The conversation so far: items, and ids of other stores with parts of it.

    Args:
        items: what the model is shown.
        run_input: what the outermost run was started with.
        values: arguments of the model's method.
    """
    history = _join_items(items, run_input.keys)
    for name, kind in _LINKS:
        value = values.get(name)
        if isinstance(value, str) and value:
            history.append(HistoryItem(HistoryRole.LINK, id=f"{kind}:{value}"))
    return tuple(history)


def list_session_link(name: str) -> tuple[HistoryItem, ...]:
    """The SDK's session, if the host opened a Halo session with another name around it."""
    session = current_session()
    if not name or session is None or not session.is_opened_by_host:
        return ()
    return (HistoryItem(HistoryRole.LINK, id=name, is_opening=True),)


def _join_items(items: Iterable[ReadItem], given: Collection[ItemKey] | None = None) -> list[HistoryItem]:
    """The items of a conversation; what a model said at once, calls included, is one item.

    Args:
        items: read.
        given: keys of the items that were there before the run; None where all count as such.
    """
    history: list[HistoryItem] = []
    calls: list[str] = []
    words, were_given = "", True
    for item in items:
        is_given = given is None or item.key in given
        if item.call:
            were_given = (were_given or not (words or calls)) and is_given
            calls.append(item.call)
            continue
        if item.kind == "reasoning":
            continue
        if words or calls:
            history.append(_make_said(words, calls, is_given=were_given))
            calls = []
        is_answer = item.role == "assistant"
        words, were_given = (item.text, is_given) if is_answer else ("", True)
        if not is_answer and (other := _make_item(item, is_given=is_given)) is not None:
            history.append(other)
    if words or calls:
        history.append(_make_said(words, calls, is_given=were_given))
    return history


def _make_said(words: str, calls: list[str], *, is_given: bool) -> HistoryItem:
    if calls:
        return HistoryItem(HistoryRole.CALLS, words, "\n".join(calls), is_given=is_given)
    return HistoryItem(HistoryRole.REPLY, words, is_given=is_given)


def _make_item(item: ReadItem, *, is_given: bool) -> HistoryItem | None:
    if item.role == "user":
        return HistoryItem(HistoryRole.USER, item.text, is_given=is_given)
    if item.kind.endswith("_output"):
        return HistoryItem(HistoryRole.RESULT, item.output, id=item.call_id, is_given=is_given)
    if item.kind not in OWN_KINDS and item.is_from_model:
        return HistoryItem(HistoryRole.RECALLED, item.recalled, is_given=is_given)
    return None


def read_answer(response: ModelResponse) -> tuple[HistoryItem, ...]:
    """The parts of a model's answer that join the conversation, and what its provider's tools found."""
    history = [
        item
        for item in _join_items(map(read_item, response.output))
        if item.role in (HistoryRole.REPLY, HistoryRole.CALLS)
    ]
    provider_results = "\n".join(_iterate_provider_results(response.output))
    if provider_results:
        history.append(HistoryItem(HistoryRole.PROVIDER_RESULT, provider_results))
    if response.response_id:
        history.append(HistoryItem(HistoryRole.LINK, id=f"response:{response.response_id}"))
    return tuple(history)


def _iterate_provider_results(output: Iterable[Any]) -> Iterator[str]:
    for item in output:
        if str(get_field(item, "type") or "") not in OWN_KINDS:
            yield extract_item_text(item)
        for part in get_field(item, "content") or ():
            annotations = get_field(part, "annotations")
            if annotations:
                yield extract_item_text(annotations)
