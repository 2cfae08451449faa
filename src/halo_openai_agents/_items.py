"""Room: what goes into a model and what comes out of it. Takes: input items, responses. Gives: texts, who asked.

Never: decides, changes what it is given, raises for odd values.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from agents import ModelResponse
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage

from halo_core.model import Provenance
from halo_core.pep.words import Words
from halo_core.session import Asking
from halo_openai_agents._json import parsed

__all__ = ["WORDS", "asked_by", "calls_of", "items_of", "messages", "seen_of", "turn_of", "words_of"]

WORDS: Final = Words()
_TEXTS: Final = ("input_text", "output_text", "text", "refusal", "summary_text")
_SYSTEM: Final = ("system", "developer")
_FAKE: Final = "__fake_id__"  # the SDK's, for providers that name nothing


def items_of(given: Any) -> list[Any]:
    """Input of a model call as items."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return list(given) if isinstance(given, list | tuple) else []


def messages(items: Iterable[Any]) -> int:
    """How many messages items make: what a model said at once, its calls with it, is one."""
    made = [_by_model(item) for item in items]
    return sum(not (mine and before) for before, mine in zip([False, *made], made, strict=False))


def _by_model(item: Any) -> bool:
    kind = str(_get(item, "type") or "")
    return _get(item, "role") == "assistant" or kind == "reasoning" or kind.endswith("_call")


def _get(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _spoken(item: Any) -> str:
    """Words of a message item."""
    content = _get(item, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else []
    texts = (_get(part, "text") or _get(part, "refusal") for part in parts if _get(part, "type") in _TEXTS)
    return "\n".join(text for text in texts if isinstance(text, str))


def asked_by(items: Sequence[Any], *, nested: bool) -> Asking:
    """The message that asks for a model call; with `nested` a tool's body wrote it, and no user."""
    last = items[-1] if items else None
    if last is None:
        return Asking()
    by_user = _get(last, "role") == "user" and not nested
    text = _spoken(last) or WORDS.text(_get(last, "output") or "")
    return Asking(_named(_get(last, "id")), kind="user" if by_user else "message", text=text)


def seen_of(
    system: str | None, items: Iterable[Any], *, known: frozenset[str] | None, nested: bool
) -> tuple[tuple[str, Provenance], ...]:
    """Words among the input whose origin is known.

    Args:
        system: the agent's instructions.
        items: what the model is shown.
        known: ids of the calls that this session has made; what another tool said, nobody here has read. None where the
            session goes on from earlier runs, which have recorded what they read.
        nested: whether a tool's body wrote the input, and so neither the user nor the system.
    """
    found: list[tuple[str, Provenance]] = []
    if system and not nested:
        found.append((system, Provenance.SYSTEM))
    for item in items:
        role, kind = _get(item, "role"), str(_get(item, "type") or "")
        if kind.endswith("_output"):
            if known is not None and _get(item, "call_id") not in known:
                found.append((WORDS.text(_get(item, "output")), Provenance.UNTRUSTED))
        elif nested:
            continue
        elif role in _SYSTEM:
            found.append((_spoken(item), Provenance.SYSTEM))
        elif role == "user":
            found.append((_spoken(item), Provenance.USER))
    return tuple(found)


# responses


def words_of(response: ModelResponse) -> str:
    """Everything a response says: its words, and what it asks for."""
    return WORDS.joined(_said, response.output)


def _said(output: Iterable[Any]) -> Iterator[str]:
    for item in output:
        if isinstance(item, ResponseFunctionToolCall):
            yield item.name
            yield from _arguments(item.arguments)
        elif isinstance(item, ResponseOutputMessage):
            yield (text := _spoken(item))
            if "\\" in text:  # its escapes hide words from whoever does not parse it
                yield from _arguments(text)
        else:
            yield from WORDS.leaves(item)


def _arguments(given: str | None) -> Iterator[str]:
    text = given or ""  # some providers leave it out where there are none
    try:
        yield from WORDS.leaves(parsed(text)[0])
    except (ValueError, RecursionError):
        yield text


def calls_of(response: ModelResponse) -> list[ResponseFunctionToolCall]:
    """Function calls that a response asks for."""
    return [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]


def turn_of(response: ModelResponse, items: Sequence[Any] = ()) -> tuple[str, str]:
    """Name and words of a response, as what asked for the calls in it.

    The name is the provider's own; where it gives none, a digest of what the model was shown: the same conversation is
    the same turn, in whichever process it goes on.
    """
    text = "\n".join(_spoken(item) for item in response.output if isinstance(item, ResponseOutputMessage))
    ids = (response.response_id, *(_get(item, "id") for item in response.output))
    named = next((name for name in map(_named, ids) if name), "")
    if not named:
        shown = json.dumps(list(items), default=str, sort_keys=True).encode("utf-8", "replace")
        named = f"turn-{hashlib.sha256(shown).hexdigest()[:24]}"
    return named, text


def _named(value: Any) -> str:
    return value if isinstance(value, str) and value != _FAKE else ""
