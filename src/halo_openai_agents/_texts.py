"""What goes into a model and what comes out of it, as texts: who asked, what is known of their origin, which calls."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from agents import ModelResponse
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from halo_core.enforcement.result_texts import TextExtractor
from halo_core.enforcement.session_context import TriggeringMessage
from halo_core.model import Provenance

_MAX_DIGITS: Final = 400  # digits; Python reads no integer of more than 4,300, others do


def parse_json(text: str) -> tuple[Any, bool]:
    """Parse a text that its reader may take for JSON, and say whether a name occurs twice in an object.

    Raises:
        ValueError: it is none.
        RecursionError: it is too deep.
    """
    repeats: list[bool] = []

    def build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeats.append(len(dict(pairs)) != len(pairs))
        return dict(pairs)

    value = json.loads(text, strict=False, parse_int=_parse_integer, object_pairs_hook=build_object)
    return value, any(repeats)


def _parse_integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _MAX_DIGITS else digits


EXTRACTOR: Final = TextExtractor()
_TEXT_PART_TYPES: Final = ("input_text", "output_text", "text", "refusal", "summary_text")
_SYSTEM_ROLES: Final = ("system", "developer")
_PLACEHOLDER_ID: Final = "__fake_id__"  # the SDK's, for providers that name nothing


def to_input_items(model_input: Any) -> list[Any]:
    """Input of a model call as items."""
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    return list(model_input) if isinstance(model_input, list | tuple) else []


def count_messages(items: Iterable[Any]) -> int:
    """Count the messages in input items; everything that a model said at once, with its calls, is one."""
    from_model = [_is_from_model(item) for item in items]
    return sum(not (current and previous) for previous, current in zip([False, *from_model], from_model, strict=False))


def _is_from_model(item: Any) -> bool:
    kind = str(_get_field(item, "type") or "")
    return _get_field(item, "role") == "assistant" or kind == "reasoning" or kind.endswith("_call")


def _get_field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _extract_message_text(item: Any) -> str:
    """Text of a message item."""
    content = _get_field(item, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else []
    texts = (
        _get_field(part, "text") or _get_field(part, "refusal")
        for part in parts
        if _get_field(part, "type") in _TEXT_PART_TYPES
    )
    return "\n".join(text for text in texts if isinstance(text, str))


def find_asking_message(items: Sequence[Any], *, nested: bool) -> TriggeringMessage:
    """The message that asks for a model call; if `nested`, a tool's body wrote it, not a user."""
    last = items[-1] if items else None
    if last is None:
        return TriggeringMessage()
    is_by_user = _get_field(last, "role") == "user" and not nested
    text = _extract_message_text(last) or EXTRACTOR.extract_text(_get_field(last, "output") or "")
    return TriggeringMessage(_get_real_id(last, "id"), kind="user" if is_by_user else "message", text=text)


def find_known_origins(
    system: str | None, items: Iterable[Any], *, known_call_ids: frozenset[str] | None, nested: bool
) -> tuple[tuple[str, Provenance], ...]:
    """Find the texts in the input whose origin is known.

    Args:
        system: the agent's instructions.
        items: what the model is shown.
        known_call_ids: ids of the calls that this session has made; what another tool said, nobody here has read. None
            where the session goes on from earlier runs, which have recorded what they read.
        nested: whether a tool's body wrote the input, and so neither the user nor the system.
    """
    origins: list[tuple[str, Provenance]] = []
    if system and not nested:
        origins.append((system, Provenance.SYSTEM))
    for item in items:
        role, kind = _get_field(item, "role"), str(_get_field(item, "type") or "")
        if kind.endswith("_output"):
            if known_call_ids is not None and _get_field(item, "call_id") not in known_call_ids:
                origins.append((EXTRACTOR.extract_text(_get_field(item, "output")), Provenance.UNTRUSTED))
        elif nested:
            continue
        elif role in _SYSTEM_ROLES:
            origins.append((_extract_message_text(item), Provenance.SYSTEM))
        elif role == "user":
            origins.append((_extract_message_text(item), Provenance.USER))
    return tuple(origins)


# responses


def extract_words(response: ModelResponse) -> str:
    """All text of a response, with its calls and their arguments."""
    return EXTRACTOR.join_texts(_iter_words, response.output)


def _iter_words(output: Iterable[Any]) -> Iterator[str]:
    for item in output:
        if isinstance(item, ResponseFunctionToolCall):
            yield item.name
            yield from _iter_argument_texts(item.arguments)
        elif isinstance(item, ResponseOutputMessage):
            yield (text := _extract_message_text(item))
            if "\\" in text:  # its escapes hide words from whoever does not parse it
                yield from _iter_argument_texts(text)
        else:
            yield from EXTRACTOR.iterate_leaves(item)


def _iter_argument_texts(arguments: str | None) -> Iterator[str]:
    text = arguments or ""  # some providers leave it out where there are none
    try:
        yield from EXTRACTOR.iterate_leaves(parse_json(text)[0])
    except (ValueError, RecursionError):
        yield text


def get_function_calls(response: ModelResponse) -> list[ResponseFunctionToolCall]:
    """Function calls that a response asks for."""
    return [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]


def identify_turn(response: ModelResponse, items: Sequence[Any] = ()) -> tuple[str, str]:
    """Id and text of a response, as what asks for the calls in it.

    The id is the provider's; if there is none, a digest of what the model was shown, so that the same conversation has
    the same turn in every process.
    """
    text = "\n".join(_extract_message_text(item) for item in response.output if isinstance(item, ResponseOutputMessage))
    ids = (_get_real_id(response, "response_id"), *(_get_real_id(item, "id") for item in response.output))
    turn_id = next(filter(None, ids), "")
    if not turn_id:
        digest_input = json.dumps(list(items), default=str, sort_keys=True).encode("utf-8", "replace")
        turn_id = f"turn-{hashlib.sha256(digest_input).hexdigest()[:24]}"
    return turn_id, text


def _get_real_id(item: Any, name: str) -> str:
    value = _get_field(item, name)
    return value if isinstance(value, str) and value != _PLACEHOLDER_ID else ""
