"""Redacts results: a copy in the same shape with masked texts, or the same object if nothing changes."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
import math
import operator
import uuid
from collections.abc import Callable, Container, Mapping, MutableMapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, Self, TypeVar

from halo_core.content.credential_names import is_credential, is_credential_header, is_credential_member
from halo_core.content.personal_data import list_card_digits, looks_like_pan
from halo_core.enforcement.arguments import NETWORK_TYPES, copy_with_fields, get_fields, is_secret, is_url
from halo_core.enforcement.result_texts import TIME_TYPES
from halo_core.model import ActionKind

MaskText = Callable[[str], str]
T = TypeVar("T")

_PLACEHOLDER: Final = "[secret]"
# They say when, which or where, and hold nobody's words.
_WORDLESS_TYPES: Final = (type(None), bool, complex, uuid.UUID, *TIME_TYPES, *NETWORK_TYPES)
_TEXT_AND_NUMBER_TYPES: Final = (str, bytes, bytearray, int, float, Decimal)
# Where a block of a message has its words.
_TEXT_MEMBERS: Final = ("text", "thinking", "reasoning")
# Which call it is; the answer to it says the same.
_CALL_ID_MEMBERS: Final = frozenset({"id", "call_id", "index", "type"})
_ARGUMENT_MEMBERS: Final = frozenset({"args", "arguments", "input", "partial_json"})
_MAX_DIGITS: Final = 400  # digits; Python reads no integer of more than 4,300, others do


def is_decided_tool(halo: Any, name: str) -> bool:
    """Whether a name belongs to a tool whose calls are decided; others may be a model's output schema."""
    resource = halo.find_registered(name)
    return resource is not None and resource.kind is not ActionKind.INFERENCE


def _is_no_tool(_name: str) -> bool:
    return False


def parse_json(text: str) -> tuple[Any, bool]:
    """Parse a text that its reader may take for JSON; also returns whether an object has a name twice.

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


def prefer_original(original: T, changed: T) -> T:
    """The original list or mapping if the other one has identical items, else the other one."""
    old: Any = original
    new: Any = changed
    if isinstance(original, Mapping):
        is_same = old.keys() == new.keys() and all(new[key] is old[key] for key in old)
    else:
        is_same = len(old) == len(new) and all(map(operator.is_, old, new))
    return original if is_same else changed


@dataclasses.dataclass(frozen=True, slots=True)
class ValueRedactor:
    """Applies a mask to a result. A value below a credential's name is replaced as a whole by `[secret]`.

    Args:
        mask: what is made of a text.
        is_tool: whether a call of this name is decided when it is made: the arguments of such a call in a model's
            answer stay as they are.
        is_secret: whether it stands below the name of a credential.
    """

    mask: MaskText
    is_tool: Callable[[str], bool] = _is_no_tool
    is_secret: bool = False

    @classmethod
    def redact(cls, value: Any, mask: MaskText, is_tool: Callable[[str], bool] = _is_no_tool) -> Any:
        """Like `redact_value` of a redactor with this mask."""
        return cls(mask, is_tool).redact_value(value)

    def redact_value(self, value: Any) -> Any:
        """A copy of any value with every text masked; the same object if nothing changes.

        Raises:
            TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
        """
        if isinstance(value, _WORDLESS_TYPES):
            return value
        if isinstance(value, Enum):  # before its base: a member of a `StrEnum` is a `str` too
            return self._require_unmasked(value, str(value.value))
        if isinstance(value, _TEXT_AND_NUMBER_TYPES):
            return self._redact_number(value) if isinstance(value, int | float | Decimal) else self._redact_text(value)
        if isinstance(value, Mapping):
            return self._redact_mapping(value)
        if isinstance(value, list | tuple | set | frozenset):
            return self._redact_sequence(value)
        return self.redact_object(value)

    # leaves

    def _redact_text(self, value: Any, *, hide_secret: bool = True) -> Any:
        text = value if isinstance(value, str) else bytes(value).decode("utf-8", "surrogateescape")
        text = str.__str__(text)
        masked = _PLACEHOLDER if self.is_secret and hide_secret and text else self.mask(text)
        if masked == text:
            return value
        return masked if isinstance(value, str) else type(value)(masked.encode("utf-8", "surrogateescape"))

    def _redact_number(self, value: Any) -> Any:
        """A number; replaced by a text if it reads as a card number."""
        return _PLACEHOLDER if self.is_secret else self._redact_card_number(value)

    def _redact_card_number(self, value: Any) -> Any:
        digits = list_card_digits(value) if math.isfinite(value) else ""
        return self.mask(digits) if looks_like_pan(digits) else value

    def _require_unmasked(self, value: Any, text: str) -> Any:
        """Return a value whose text cannot be replaced; fails if it would have to be."""
        if self.is_secret or self.mask(text) != text:
            raise make_unreadable_error(value)
        return value

    # containers

    def _redact_mapping(self, value: Mapping[Any, Any]) -> Any:
        is_credential_pair = is_credential_member(value, self.mask)
        changed = {
            self._redact_key(key): (
                self._for_secret() if is_credential_pair and key == "value" else self._for_member(key)
            ).redact_value(item)
            for key, item in value.items()
        }
        if len(changed) != len(value):
            raise make_unreadable_error(value)  # two keys are one when they are masked
        if prefer_original(value, changed) is value:
            return value
        if type(value) is dict:
            return changed
        copied = copy.copy(value)
        if not isinstance(copied, MutableMapping):
            raise make_unreadable_error(value)
        copied.clear()
        copied.update(changed)
        return copied

    def _redact_key(self, key: Any) -> Any:
        if isinstance(key, str | bytes):
            return self._redact_text(key, hide_secret=False)
        if isinstance(key, int | float | Decimal):
            return self._redact_card_number(key)
        return self._require_unmasked(key, str(key))

    def _for_member(self, key: Any) -> Self:
        return self._for_secret() if isinstance(key, str) and is_credential(key) else self

    def _for_secret(self) -> Self:
        return dataclasses.replace(self, is_secret=True)

    def _redact_sequence(self, value: Any) -> Any:
        items = list(value)
        is_header_pair = isinstance(value, list | tuple) and is_credential_header(value, self.mask)
        changed = [
            (self._for_secret() if is_header_pair and i == 1 else self).redact_value(item)
            for i, item in enumerate(items)
        ]
        if isinstance(value, list | tuple):
            # A line end between them: numbers in a row are seldom one.
            changed = mask_joined_texts(changed, self.mask, between="\n", keep=True)
        if prefer_original(items, changed) is items:
            return value
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(changed)
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(changed)
        raise make_unreadable_error(value)

    # objects

    def redact_object(self, value: Any) -> Any:
        """Redact an object by its contents."""
        if is_secret(value):
            is_text = isinstance(value.get_secret_value(), str)
            return type(value)(_PLACEHOLDER if is_text else _PLACEHOLDER.encode())
        if isinstance(value, PurePath) or is_url(value):
            return self._require_unmasked(value, str(value))
        fields = get_fields(value)
        if fields is None:
            raise make_unreadable_error(value)
        return self.redact_fields(value, fields)

    def redact_fields(self, value: Any, fields: Mapping[str, Any]) -> Any:
        """Redact an object in which only these fields hold text.

        Raises:
            TypeError: a number that was promised would become text.
        """
        new = {name: self._for_member(name).redact_value(item) for name, item in fields.items()}
        changed = {name: item for name, item in new.items() if item is not fields[name]}
        if any(isinstance(fields[name], int | float | Decimal) for name in changed):
            raise make_unreadable_error(value)  # a number that was promised
        return copy_with_fields(value, changed) if changed else value

    # answers of models

    def redact_metadata(self, metadata: Any, *, changed: bool = False) -> Any:
        """Redact the metadata of an answer; `changed` tells that a word of the answer was masked.

        What nobody can read is removed, and where something changed, its words in pieces, which no mask would find.
        """
        if not isinstance(metadata, Mapping):
            return self.redact_value(metadata)
        redacted: dict[Any, Any] = {}
        for key, item in metadata.items():
            if key == "logprobs":
                continue
            try:
                redacted |= self.redact_member(key, item)
            except TypeError:
                changed = True
        changed = changed or any(key not in metadata or redacted[key] is not metadata[key] for key in redacted)
        return redacted if changed else metadata

    def redact_member(self, key: Any, item: Any) -> Mapping[Any, Any]:
        """Redact one member of a mapping, with its name."""
        return {**self._redact_mapping({key: item})}

    def redact_provider_members(
        self, members: dict[str, Any], call_keys: Container[str], id_keys: Container[str] = ()
    ) -> dict[str, Any]:
        """Redact what a provider adds to a message: calls under some keys; ids under others stay."""
        redacted = {
            key: self.redact_tool_calls(item) if key in call_keys else item
            for key, item in members.items()
            if key in call_keys or key in id_keys
        }
        others_redacted = self._redact_mapping({key: item for key, item in members.items() if key not in redacted})
        return prefer_original(members, {**redacted, **others_redacted})

    def redact_tool_calls(self, calls: Any) -> Any:
        """Redact the calls that a model asks for: one or a list."""
        return (
            prefer_original(calls, [self.redact_tool_call(item) for item in calls])
            if isinstance(calls, list)
            else self.redact_tool_call(calls)
        )

    def redact_tool_call(self, call: Any, *, is_decided: bool = False) -> Any:
        """Redact one call, except its id and the arguments of a tool whose calls are decided."""
        if not isinstance(call, dict):
            return self.redact_value(call)
        function = call.get("function")
        name = call.get("name") or (function.get("name") if isinstance(function, dict) else None)
        is_decided = is_decided or (isinstance(name, str) and self.is_tool(name))
        return prefer_original(
            call, {key: self._redact_call_member(key, item, is_decided=is_decided) for key, item in call.items()}
        )

    def _redact_call_member(self, key: Any, item: Any, *, is_decided: bool) -> Any:
        if key in _CALL_ID_MEMBERS or (is_decided and (key == "name" or key in _ARGUMENT_MEMBERS)):
            return item
        if key == "function" and isinstance(item, dict):
            return self.redact_tool_call(item, is_decided=is_decided)
        if key in _ARGUMENT_MEMBERS and isinstance(item, str):  # some providers write them as JSON in a text
            return self.redact_json(item)
        return self._for_member(key).redact_value(item)

    def redact_json(self, text: str) -> Any:
        """Redact a text; if it is JSON, redact every value in it, however it is escaped."""
        try:
            parsed, has_repeats = parse_json(text)
        except (ValueError, RecursionError):
            return self._redact_text(text)
        masked = self.redact_value(parsed)
        # INVARIANT: whoever parses it reads nothing that was not looked at: escapes, and names that stand twice.
        is_same = masked is parsed and not has_repeats
        return self._redact_text(text if is_same else json.dumps(masked, ensure_ascii=False))


def _find_text(item: Any) -> tuple[str, str] | None:
    """Member and text of a text or of a block that holds one; None for anything else."""
    if isinstance(item, str):
        return _TEXT_MEMBERS[0], str.__str__(item)
    if not isinstance(item, dict):
        return None
    return next(((key, item[key]) for key in _TEXT_MEMBERS if isinstance(item.get(key), str)), None)


def _replace_text(item: Any, key: str, words: str) -> Any:
    return words if isinstance(item, str) else {**item, key: words}


def mask_joined_texts(items: list[Any], mask: MaskText, *, between: str, keep: bool) -> list[Any]:
    """Mask adjacent texts as one where only their joined text needs masking; the same list if none does.

    Args:
        items: each of them masked by itself.
        mask: what is done to a text.
        between: what is read between two of them.
        keep: whether there must be as many items as before: those whose words went to the first are left empty.
    """
    result: list[Any] = []
    texts = [(item, _find_text(item)) for item in items]
    for key, run in itertools.groupby(texts, key=lambda pair: pair[1] and pair[1][0]):
        pairs = list(run)
        part = [item for item, _ in pairs]
        joined = between.join(found_text[1] for _, found_text in pairs if found_text is not None)
        if key is not None and len(part) > 1 and (masked := mask(joined)) != joined:
            part = [_replace_text(part[0], key, masked), *(_replace_text(item, key, "") for item in part[1:] if keep)]
        result += part
    return prefer_original(items, result)


def mask_joined_parts(
    parts: list[Any],
    kind: type[Any],
    mask: MaskText,
    replace_text: Callable[[Any, str], Any],
    *,
    between: str = "",
) -> list[Any]:
    """Mask the texts of one message's parts as one where only the joined text needs it; else the same list.

    Args:
        parts: each of them masked by itself.
        kind: class of those that have a `text`.
        mask: what is done to a text.
        replace_text: makes a part with another text.
        between: what is read between two of them.
    """
    texts = [part.text for part in parts if isinstance(part, kind)]
    joined = between.join(texts)
    if len(texts) < 2 or (masked := mask(joined)) == joined:
        return parts
    new_texts = itertools.chain([masked], itertools.repeat(""))
    return [replace_text(part, next(new_texts)) if isinstance(part, kind) else part for part in parts]


def make_unreadable_error(value: Any) -> TypeError:
    """The error for an object that cannot be read or rebuilt."""
    return TypeError(f"a `{type(value).__name__}` cannot be made with other words in it")
