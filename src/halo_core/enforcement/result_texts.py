"""Texts of results, for digests, provenance and redaction, whatever shape a result has.

`TextExtractor` returns every leaf and key on lines of its own, since an encoding such as JSON would hide words behind
its escapes. `ValueRedactor` returns a copy in the same shape with other words in it, or the same object where nothing
changes.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import itertools
import math
import uuid
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from decimal import Decimal
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import Any, Final, Self

from halo_core.content.personal_data import card_digits, looks_like_pan
from halo_core.content.redaction import is_credential, is_credential_header, is_credential_member
from halo_core.enforcement.arguments import NETWORK_TYPES, copy_with_fields, get_fields, is_secret, is_url, make_secret

_TIME_TYPES: Final = (dt.date, dt.time, dt.timedelta)
# What `str` says of them is all that they hold.
_ATOMIC_TYPES: Final = (
    *(str, bytes, bytearray, type(None), Number, uuid.UUID, PurePath),
    *(*_TIME_TYPES, *NETWORK_TYPES),
)


class TextExtractor:
    """Extracts the texts of results.

    Args:
        get_parts: what an object of the framework's own says, None of any other object.
    """

    __slots__ = ("_get_parts",)

    def __init__(self, get_parts: Callable[[Any], Sequence[Any] | None] = lambda _value: None) -> None:
        self._get_parts = get_parts

    def extract_text(self, value: Any) -> str:
        """The whole text of a value."""
        return self.join_texts(self.iterate_leaves, value)

    def join_texts(self, iterate_texts: Callable[[Any], Iterator[str]], value: Any) -> str:
        """Join what `iterate_texts` finds in a value on lines; `str(value)` where it fails."""
        try:
            return "\n".join(iterate_texts(value))
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return str(value)

    def is_readable(self, value: Any) -> bool:
        """Whether `extract_text` returns everything in a value, so that no object in it is opaque."""
        try:
            return self._is_readable(value)
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return False

    def _is_readable(self, value: Any) -> bool:
        if isinstance(value, _ATOMIC_TYPES) or is_url(value):
            return True
        if isinstance(value, Mapping):
            return all(self._is_readable(key) and self._is_readable(item) for key, item in value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return all(map(self._is_readable, value))
        inner = self._get_contents(value)
        return inner is not None and self._is_readable(inner)

    def iterate_leaves(self, value: Any) -> Iterator[str]:
        """Each leaf and each key of a value as text, in order."""
        if isinstance(value, str | bytes | bytearray):
            yield value if isinstance(value, str) else value.decode("utf-8", "replace")
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.iterate_leaves(key)
                yield from self.iterate_leaves(item)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                yield from self.iterate_leaves(item)
        elif (inner := self._get_contents(value)) is not None:
            yield from self.iterate_leaves(inner)
        else:
            yield _to_text(value)

    def _get_contents(self, value: Any) -> Any:
        """The contents of an object, None for a leaf."""
        parts = self._get_parts(value)
        if parts is not None:
            return [item for item in parts if item is not None]
        if (fields := get_fields(value)) is not None:
            return fields
        return [value.value] if isinstance(value, Enum) else None


def _to_text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  it can be shown in another way
        return repr(value)


MaskText = Callable[[str], str]

_PLACEHOLDER: Final = "[secret]"
# They say when, which or where, and hold nobody's words.
_WORDLESS_TYPES: Final = (type(None), bool, complex, uuid.UUID, *_TIME_TYPES, *NETWORK_TYPES)
_TEXT_AND_NUMBER_TYPES: Final = (str, bytes, bytearray, int, float, Decimal)
# Where a block of a message has its words.
_TEXT_MEMBERS: Final = ("text", "thinking", "reasoning")


@dataclasses.dataclass(frozen=True, slots=True)
class ValueRedactor:
    """Applies a mask to a result; `is_secret` is set below the name of a credential.

    What `redact_value` returns is the same object where nothing changes. It raises TypeError at what nobody can look
    into, or what cannot be made with other words in it.
    """

    mask: MaskText
    is_secret: bool = False

    def redact_value(self, value: Any) -> Any:
        """Redact any value."""
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
        """A number; it becomes text where it reads as a card number."""
        return _PLACEHOLDER if self.is_secret else self._redact_card_number(value)

    def _redact_card_number(self, value: Any) -> Any:
        digits = card_digits(value) if math.isfinite(value) else ""
        return self.mask(digits) if looks_like_pan(digits) else value

    def _require_unmasked(self, value: Any, text: str) -> Any:
        """Return a value whose text cannot be replaced, unless it would have to be."""
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
        if all(key in value and changed[key] is value[key] for key in changed):
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
        if all(new is old for new, old in zip(changed, items, strict=True)):
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
            return make_secret(
                value, _PLACEHOLDER if isinstance(value.get_secret_value(), str) else _PLACEHOLDER.encode()
            )
        if isinstance(value, PurePath) or is_url(value):
            return self._require_unmasked(value, str(value))
        fields = get_fields(value)
        if fields is None:
            raise make_unreadable_error(value)
        return self.redact_fields(value, fields)

    def redact_fields(self, value: Any, fields: Mapping[str, Any]) -> Any:
        """Redact an object of which only these fields hold text.

        Raises:
            TypeError: a number that was promised would become text.
        """
        new = {name: self._for_member(name).redact_value(item) for name, item in fields.items()}
        changed = {name: item for name, item in new.items() if item is not fields[name]}
        if any(isinstance(fields[name], int | float | Decimal) for name in changed):
            raise make_unreadable_error(value)  # a number that was promised
        return copy_with_fields(value, changed) if changed else value


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
    """Mask neighbouring texts as one where only together they need it; returns the same list where none do.

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
    is_unchanged = len(result) == len(items) and all(new is old for new, old in zip(result, items, strict=True))
    return items if is_unchanged else result


def make_unreadable_error(value: Any) -> TypeError:
    """The error for an object that cannot be read or rebuilt."""
    return TypeError(f"a `{type(value).__name__}` cannot be made with other words in it")
