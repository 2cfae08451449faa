"""Redaction of secrets (`Redactor`). Arguments are never changed in place.

A secret is recognised by the name of its argument (`credential_names`), or by a pattern in a text (`secret_patterns`).
`seal` is for what is decided upon and stored: each secret becomes `halo:secret:` and 16 hex digits of its keyed digest,
so that equal secrets stay equal and nothing else is revealed. `mask` is for what people look at, `hide` for what a
policy wants redacted before it runs or is passed on.

The time is linear in the input: expressions are RE2, or of a form in which the standard library cannot backtrack.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from halo_core.content.credential_names import mark_secrets
from halo_core.content.personal_data import (
    list_card_digits,
    looks_like_pan,
    mask_pan,
    mask_personal_data,
)
from halo_core.content.secret_patterns import SHORTEST_SECRET, find_secret_spans, holds_no_secret
from halo_core.crypto.canonical import MAX_DEPTH, MAX_NODES
from halo_core.errors import CanonicalError

if TYPE_CHECKING:
    from halo_core.crypto.keys import Digester

SEAL_PREFIX: Final = "halo:secret:"
"""How a sealed secret begins."""
_SEAL: Final = re.compile(r"halo:secret:[0-9a-f]{16}")
_SEAL_BYTES: Final = re.compile(rb"(halo:secret:[0-9a-f]{16})")
_DOMAIN: Final = "halo.secret"
# Each round replaces at least one span; a text that is still changing after this many was built to be.
_MAX_ROUNDS: Final = 4
_PLACEHOLDER: Final = "[secret]"
_LEAF_TYPES: Final = (str, int, float, bytes, type(None))
# Names of arguments are shorter than the tokens that could hide in one.
_MIN_SEALED_KEY: Final = 16


class Redactor:
    """Replaces secrets in arguments and masks personal data in views.

    Deterministic, idempotent and bounded: at most `canonical.MAX_DEPTH` deep and `canonical.MAX_NODES` values.

    Args:
        digester: keyed digests, so that a short secret cannot be guessed from its mark.
    """

    __slots__ = ("_digester",)

    def __init__(self, digester: Digester) -> None:
        self._digester = digester

    @classmethod
    def for_views(cls) -> Redactor:
        """A redactor that only masks; masks contain no digest, so it needs no secret."""
        from halo_core.crypto.keys import Digester  # noqa: PLC0415  only views need one made here

        return cls(Digester(bytes(32)))

    def holds_no_secret(self, texts: Iterable[str]) -> bool:
        """Whether no text holds a well-known secret, by one search over all of them together.

        Where it says no, a text may still hold none: each has to be searched then.
        """
        # A line break ends no word that a pattern begins at, so what matches in one text matches in all together.
        return holds_no_secret("\n".join(texts).encode("utf-8", "surrogatepass"))

    def seal(self, args: Mapping[str, Any], *, texts_searched: bool = False) -> dict[str, Any]:
        """Deep copy of arguments with every secret replaced; lists and tuples become lists.

        A leaf below a name that says it is a credential is replaced whole, inside any other text only the secret is.
        None and the empty text are left. With `texts_searched` the caller knows from `holds_no_secret` that no text in
        it, names included, holds a secret.

        Raises:
            CanonicalError: `too_deep` or `too_large`.
        """
        copy: dict[str, Any] = _SealingCopy(self, texts_searched=texts_searched).copy_value(args, secret=False, depth=0)
        return copy

    def seal_text(self, text: str) -> str:
        """Text with well-known secrets replaced (keys of providers, tokens, private keys, passwords in URLs)."""
        if len(text) < SHORTEST_SECRET:
            return text
        data = text.encode("utf-8", "surrogatepass")
        if holds_no_secret(data):  # as nearly all do: no round is needed for these
            return data.decode("utf-8", "surrogatepass")
        for _ in range(_MAX_ROUNDS):
            sealed = self._seal_once(data)
            # INVARIANT: idempotent, since what is returned is a fixed point of the pass.
            if sealed is data or sealed == data:
                return data.decode("utf-8", "surrogatepass")
            data = sealed
        return self._make_seal(b"s" + data)

    def _seal_once(self, data: bytes) -> bytes:
        if b"halo:secret:" not in data:
            return self._seal_segment(data)
        # Marks are never looked into: a pattern that swallowed one would hash a hash.
        parts = _SEAL_BYTES.split(data)
        # Searched together, as in `holds_no_secret`, since most have none left.
        if holds_no_secret(b"\n".join(parts[::2])):
            return data
        return b"".join(part if i % 2 else self._seal_segment(part) for i, part in enumerate(parts))

    def _seal_segment(self, data: bytes) -> bytes:
        parts: list[bytes] = []
        done = 0
        for start, end in find_secret_spans(data):
            parts += data[done:start], self._make_seal(b"s" + data[start:end]).encode("ascii")
            done = end
        return b"".join((*parts, data[done:])) if parts else data

    def _make_seal(self, data: bytes) -> str:
        return f"{SEAL_PREFIX}{self._digester.digest(_DOMAIN, data).rpartition(':')[2][:16]}"

    def _seal_leaf(self, value: object) -> object:
        if value is None or (isinstance(value, str | bytes) and not value):
            return value
        if isinstance(value, str):
            text = str.__str__(value)
            return text if _SEAL.fullmatch(text) else self._make_seal(b"s" + text.encode("utf-8", "surrogatepass"))
        if isinstance(value, bytes):
            return self._make_seal(b"b" + value)
        if isinstance(value, int):  # hex, because decimal text of a huge integer is refused by Python
            return self._make_seal(b"i" + f"{type(value) is bool:d}{int(value):x}".encode("ascii"))
        if isinstance(value, float):
            return self._make_seal(b"f" + float.__repr__(value).encode("ascii"))
        # Of an unknown object nothing but its type is certain to be the same in the next process.
        return self._make_seal(b"o" + type(value).__qualname__.encode("utf-8", "surrogatepass"))

    def mask(self, text: str) -> str:
        """Mask secrets, IBANs, card numbers, e-mail addresses and phone numbers in a text for people."""
        return mask_personal_data(_SEAL.sub(_PLACEHOLDER, self.seal_text(text)))

    def hide(self, text: str) -> str:
        """Like `mask`, repeated until nothing changes; returns the same object if nothing does."""
        hidden = text
        for _ in range(_MAX_ROUNDS):
            before, hidden = hidden, self.mask(hidden)
            if hidden == before:
                return text if hidden == text else hidden
        return _PLACEHOLDER

    def hide_value(self, value: Any, *, secret: bool = False) -> Any:
        """Copy a JSON value with every text hidden; container types and keys stay.

        What stands below a name that says it is a credential (or all of it when `secret`) is hidden whole. A number is
        hidden where it reads as a card number; it becomes text then.
        """
        if not isinstance(value, Mapping | list | tuple):
            return self._hide_leaf(value, secret=secret)
        hidden = {
            key: self.hide_value(item, secret=secret or is_marked)
            for key, item, is_marked in mark_secrets(value, self.hide)
        }
        if isinstance(value, Mapping):
            return hidden
        return list(hidden.values()) if isinstance(value, list) else tuple(hidden.values())

    def _hide_leaf(self, value: Any, *, secret: bool) -> Any:
        if value is None or isinstance(value, bool) or (isinstance(value, str | bytes) and not value):
            return value
        if isinstance(value, bytes):
            text = value.decode("utf-8", "surrogateescape")
            hidden = _PLACEHOLDER if secret else self.hide(text)
            return value if hidden is text else hidden.encode("utf-8", "surrogateescape")
        if secret:
            return _PLACEHOLDER
        if isinstance(value, int | float):
            digits = list_card_digits(value)
            return mask_pan(digits) if looks_like_pan(digits) else value
        return self.hide(str.__str__(value)) if isinstance(value, str) else value


_MAX_REASON: Final = 500  # characters


def mask_reason(text: str) -> str:
    """A person's reason as entries may hold it: with secrets and personal data masked, and shortened."""
    masked = Redactor.for_views().mask(text)
    return masked if len(masked) <= _MAX_REASON else masked[: _MAX_REASON - 1] + "…"


class _SealingCopy:
    """Makes one deep copy, counting values so that the time is bounded."""

    __slots__ = ("_nodes", "_redactor", "_texts_searched")

    def __init__(self, redactor: Redactor, *, texts_searched: bool) -> None:
        self._nodes = 0
        self._redactor = redactor
        self._texts_searched = texts_searched

    def copy_value(self, value: Any, *, secret: bool, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CanonicalError("too_large", f"more than {MAX_NODES} values", remedy="pass large data by reference")
        if depth > MAX_DEPTH:
            raise CanonicalError("too_deep", f"nested deeper than {MAX_DEPTH}", remedy="send a less nested value")
        if isinstance(value, _LEAF_TYPES):
            return self._copy_leaf(value, secret=secret)
        if not isinstance(value, Mapping | list | tuple):
            return self._copy_leaf(value, secret=secret)
        copy: dict[Any, Any] = {}
        for key, item, is_marked in mark_secrets(value):
            is_sealed = isinstance(key, str) and len(key) >= _MIN_SEALED_KEY and not self._texts_searched
            name = self._redactor.seal_text(key) if is_sealed else key
            copy[name] = self.copy_value(item, secret=secret or is_marked, depth=depth + 1)
        return copy if isinstance(value, Mapping) else list(copy.values())

    def _copy_leaf(self, value: Any, *, secret: bool) -> Any:
        if secret:
            return self._redactor._seal_leaf(value)  # noqa: SLF001 - the walk is a part of its Redactor
        if not isinstance(value, str):
            return value
        text = str.__str__(value)
        return text if self._texts_searched else self._redactor.seal_text(text)
