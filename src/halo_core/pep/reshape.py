"""Room: results with other words in them. Takes: a result of any shape, a mask. Gives: a copy in the same shape.

Whatever holds no text to change is handed back as it is. Never: changes what it is given, passes on an object into
which it cannot look.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import ipaddress
import itertools
import math
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, Self

from halo_core.pep.objects import fields_of, is_link, is_secret, secret, with_fields
from halo_core.personal import looks_like_pan
from halo_core.sensitive import is_credential, is_header, names_secret

__all__ = ["Mask", "Walk", "rejoined", "stuck"]

Mask = Callable[[str], str]

_HIDDEN: Final = "[secret]"
_LONGEST_PAN: Final = 19  # digits
# They say when, which or where, and hold nobody's words.
_PLAIN: Final = (
    type(None),
    bool,
    complex,
    dt.date,
    dt.time,
    dt.timedelta,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    uuid.UUID,
)
_LEAVES: Final = (str, bytes, bytearray, int, float, Decimal)
# Where a block of a message has its words.
_WORDS: Final = ("text", "thinking", "reasoning")


@dataclasses.dataclass(frozen=True, slots=True)
class Walk:
    """One mask on its way through a result; `secret` below the name of a credential.

    What `value` returns is the same object where nothing changes. It raises TypeError at what nobody can look into, or
    what cannot be made with other words in it.
    """

    mask: Mask
    secret: bool = False

    def value(self, value: Any) -> Any:
        """Any value."""
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, Enum):  # before its base: a member of a `StrEnum` is a `str` too
            return self._fixed(value, str(value.value))
        if isinstance(value, _LEAVES):
            return self._number(value) if isinstance(value, int | float | Decimal) else self._text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple | set | frozenset):
            return self._many(value)
        return self.thing(value)

    # leaves

    def _text(self, value: Any, *, whole: bool = True) -> Any:
        text = value if isinstance(value, str) else bytes(value).decode("utf-8", "surrogateescape")
        text = str.__str__(text)
        masked = _HIDDEN if self.secret and whole and text else self.mask(text)
        if masked == text:
            return value
        return masked if isinstance(value, str) else type(value)(masked.encode("utf-8", "surrogateescape"))

    def _number(self, value: Any) -> Any:
        """It becomes text where it reads as a card number."""
        return _HIDDEN if self.secret else self._card(value)

    def _card(self, value: Any) -> Any:
        whole = math.isfinite(value) and abs(value) < 10**_LONGEST_PAN and value == int(value)
        digits = str(abs(int(value))) if whole else ""
        return self.mask(digits) if looks_like_pan(digits) else value

    def _fixed(self, value: Any, text: str) -> Any:
        """What has its words by its type."""
        if self.secret or self.mask(text) != text:
            raise stuck(value)
        return value

    # containers

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        named = names_secret(value, self.mask)
        changed = {
            self._key(key): (self._secret() if named and key == "value" else self._below(key)).value(item)
            for key, item in value.items()
        }
        if len(changed) != len(value):
            raise stuck(value)  # two keys are one when they are masked
        if all(key in value and changed[key] is value[key] for key in changed):
            return value
        if type(value) is dict:
            return changed
        made = copy.copy(value)
        if not isinstance(made, MutableMapping):
            raise stuck(value)
        made.clear()
        made.update(changed)
        return made

    def _key(self, key: Any) -> Any:
        if isinstance(key, str | bytes):
            return self._text(key, whole=False)
        if isinstance(key, int | float | Decimal):
            return self._card(key)
        return self._fixed(key, str(key))

    def _below(self, key: Any) -> Self:
        return self._secret() if isinstance(key, str) and is_credential(key) else self

    def _secret(self) -> Self:
        return dataclasses.replace(self, secret=True)

    def _many(self, value: Any) -> Any:
        items = list(value)
        pair = isinstance(value, list | tuple) and is_header(value, self.mask)
        changed = [(self._secret() if pair and i == 1 else self).value(item) for i, item in enumerate(items)]
        if isinstance(value, list | tuple):
            # A line end between them: numbers in a row are seldom one.
            changed = rejoined(changed, self.mask, between="\n", keep=True)
        if all(new is old for new, old in zip(changed, items, strict=True)):
            return value
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(changed)
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(changed)
        raise stuck(value)

    # objects

    def thing(self, value: Any) -> Any:
        """An object, by what it holds."""
        if is_secret(value):
            return secret(value, _HIDDEN if isinstance(value.get_secret_value(), str) else _HIDDEN.encode())
        if isinstance(value, PurePath) or is_link(value):
            return self._fixed(value, str(value))
        fields = fields_of(value)
        if fields is None:
            raise stuck(value)
        return self.fields(value, fields)

    def fields(self, value: Any, fields: Mapping[str, Any]) -> Any:
        """An object of which these are the fields that can say something.

        Raises:
            TypeError: a number that was promised would become text.
        """
        new = {name: self._below(name).value(item) for name, item in fields.items()}
        changed = {name: item for name, item in new.items() if item is not fields[name]}
        if any(isinstance(fields[name], int | float | Decimal) for name in changed):
            raise stuck(value)  # a number that was promised
        return with_fields(value, changed) if changed else value


def _spoken(item: Any) -> tuple[str, str] | None:
    """Where a text or a block that holds one has its words, and the words; None of anything else."""
    if isinstance(item, str):
        return _WORDS[0], str.__str__(item)
    if not isinstance(item, dict):
        return None
    return next(((key, item[key]) for key in _WORDS if isinstance(item.get(key), str)), None)


def _worded(item: Any, key: str, words: str) -> Any:
    return words if isinstance(item, str) else {**item, key: words}


def rejoined(items: list[Any], mask: Mask, *, between: str, keep: bool) -> list[Any]:
    """Neighbouring texts as one where only together they say what must be masked; the same list where none do.

    Args:
        items: each of them masked by itself.
        mask: what is done to a text.
        between: what is read between two of them.
        keep: whether there must be as many items as before: those whose words went to the first are left empty.
    """
    made: list[Any] = []
    told = [(item, _spoken(item)) for item in items]
    for key, run in itertools.groupby(told, key=lambda pair: pair[1] and pair[1][0]):
        pairs = list(run)
        part = [item for item, _ in pairs]
        joined = between.join(spoken[1] for _, spoken in pairs if spoken is not None)
        if key is not None and len(part) > 1 and (masked := mask(joined)) != joined:
            part = [_worded(part[0], key, masked), *(_worded(item, key, "") for item in part[1:] if keep)]
        made += part
    same = len(made) == len(items) and all(new is old for new, old in zip(made, items, strict=True))
    return items if same else made


def stuck(value: Any) -> TypeError:
    """What is raised of an object into which nobody can look."""
    return TypeError(f"a `{type(value).__name__}` cannot be made with other words in it")
