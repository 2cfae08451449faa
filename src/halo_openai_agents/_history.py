"""What a model call says of its conversation: the user's words, and the items that were there before the run.

The user's words are the input of the SDK's outermost run. Text that a run inside it, an input filter, a hand-off or a
tool's body puts into a user message is not the user's. If the host asks a model directly, that call is the outermost
run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from agents import ModelResponse, RunState

from halo_core.enforcement.exposure import describe_calls
from halo_core.enforcement.session_context import TriggeringMessage, current_session, in_body
from halo_core.model import HistoryItem, HistoryRole, Provenance
from halo_openai_agents._results import (
    extract_item_text,
    extract_message_text,
    get_field,
    get_real_id,
    is_from_model,
    to_input_items,
)

_SYSTEM_ROLES: Final = ("system", "developer")
_FUNCTION_CALL: Final = "function_call"
_NATIVE_CALLS: Final = frozenset(
    ("apply_patch_call", "computer_call", "custom_tool_call", "local_shell_call", "shell_call")
)
"""Calls of tools that are no function tools; what came of one is an item of its own, wherever it ran."""
_OWN_KINDS: Final = frozenset(
    {"", "message", "reasoning", "item_reference", "compaction", _FUNCTION_CALL, *_NATIVE_CALLS}
)
_LINKS: Final = (("previous_response_id", "response"), ("conversation_id", "conversation"))
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RunInput:
    """The input of the outermost run.

    Args:
        user_texts: the user's words, a text for each message.
        keys: keys of its items, as `_get_key` makes them.
    """

    user_texts: frozenset[str] = frozenset()
    keys: frozenset[_Key] = frozenset()

    @classmethod
    def from_value(cls, run_input: Any) -> RunInput:
        """Read the input of a run or a model."""
        if isinstance(run_input, RunState):
            run_input = run_input._original_input  # noqa: SLF001  what it was begun with; nothing public says it
        items = to_input_items(run_input)
        texts = (extract_message_text(item) for item in items if get_field(item, "role") == "user")
        return cls(frozenset(filter(None, texts)), frozenset(map(_get_key, items)))


EMPTY_INPUT: Final = RunInput()


def _get_key(item: Any) -> _Key:
    kind = str(get_field(item, "type") or "message")
    if kind == _FUNCTION_CALL:
        return kind, f"{get_field(item, 'call_id')} {get_field(item, 'name')} {get_field(item, 'arguments')}"
    if kind.endswith("_output"):
        return kind, f"{get_field(item, 'call_id')} {extract_item_text(get_field(item, 'output'))}"
    role = str(get_field(item, "role") or "")
    return f"{kind}/{role}", extract_message_text(item) or str(get_field(item, "id") or "")


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
    system: str | None, items: Iterable[Any], run_input: RunInput
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
        role = get_field(item, "role")
        if role in _SYSTEM_ROLES:
            origins.append((extract_message_text(item), Provenance.SYSTEM))
        elif role == "user":
            text = extract_message_text(item)
            origins.append((text, Provenance.USER if text in run_input.user_texts else Provenance.NOVEL))
    return tuple(origins)


def list_history(items: Iterable[Any], run_input: RunInput, values: Mapping[str, Any]) -> tuple[HistoryItem, ...]:
    """The conversation so far: items, and ids of other stores with parts of it.

    Args:
        items: what the model is shown.
        run_input: what the outermost run was started with.
        values: arguments of the model's method.
    """
    history = list(_iterate_items(items, lambda item: _get_key(item) in run_input.keys))
    for name, kind in _LINKS:
        value = values.get(name)
        if isinstance(value, str) and value:
            history.append(HistoryItem(HistoryRole.LINK, id=f"{kind}:{value}"))
    return tuple(history)


def list_session_link(name: str) -> tuple[HistoryItem, ...]:
    """The SDK's session, if the host opened a Halo session with another name around it."""
    session = current_session()
    if not name or session is None or session.source != "host":
        return ()
    return (HistoryItem(HistoryRole.LINK, id=name, is_opening=True),)


def _iterate_items(items: Iterable[Any], is_given: Any) -> Iterator[HistoryItem]:
    """The items of a conversation; what a model said at once, calls included, is one item."""
    calls: list[tuple[str, Any]] = []
    words, were_given = "", True
    for item in items:
        kind = str(get_field(item, "type") or "")
        if kind == _FUNCTION_CALL or kind in _NATIVE_CALLS:
            were_given = (were_given or not (words or calls)) and is_given(item)
            is_function = kind == _FUNCTION_CALL
            arguments = get_field(item, "arguments") if is_function else extract_item_text(item)
            calls.append((str(get_field(item, "name") if is_function else kind), arguments or ""))
            continue
        if kind == "reasoning":
            continue
        yield from _flush(words, calls, is_given=were_given)
        words, calls, were_given = "", [], is_given(item)
        if get_field(item, "role") == "assistant":
            words = extract_message_text(item)
        else:
            yield from _make_item(item, kind, is_given=were_given)
            were_given = True
    yield from _flush(words, calls, is_given=were_given)


def _flush(words: str, calls: list[tuple[str, Any]], *, is_given: bool) -> Iterator[HistoryItem]:
    if calls:
        yield HistoryItem(HistoryRole.CALLS, words, describe_calls(calls), is_given=is_given)
    elif words:
        yield HistoryItem(HistoryRole.REPLY, words, is_given=is_given)


def _make_item(item: Any, kind: str, *, is_given: bool) -> Iterator[HistoryItem]:
    role = get_field(item, "role")
    if role == "user":
        yield HistoryItem(HistoryRole.USER, extract_message_text(item), is_given=is_given)
    elif kind.endswith("_output"):
        text = extract_item_text(get_field(item, "output"))
        yield HistoryItem(HistoryRole.RESULT, text, id=str(get_field(item, "call_id") or ""), is_given=is_given)
    elif kind not in _OWN_KINDS and is_from_model(item):
        yield HistoryItem(HistoryRole.RECALLED, extract_item_text(item), is_given=is_given)


def read_answer(response: ModelResponse) -> tuple[HistoryItem, ...]:
    """The parts of a model's answer that join the conversation, and what its provider's tools found."""
    history = [
        item
        for item in _iterate_items(response.output, lambda _item: True)
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
        if str(get_field(item, "type") or "") not in _OWN_KINDS:
            yield extract_item_text(item)
        for part in get_field(item, "content") or ():
            annotations = get_field(part, "annotations")
            if annotations:
                yield extract_item_text(annotations)
