"""What a session was shown, as fingerprints (`Sketch`); and fingerprints of untrusted values that an agent stored.

    sketch.look_up_marks(["ana"])        # [1]: the user wrote "ana"
    sketch.look_up_forms([Form("iban", "DE89370400440532013000")])   # [4]: only an untrusted source wrote it

A mark is the keyed fingerprint of one token (a word, a number, an address), with one bit for each origin that it was
seen in, and the number of the first source that contained it (from 1; 0 for a source without a number). A sketch
of `MAX_MARKS` marks is saturated: words that it does not hold then count as untrusted.

The forms of `halo_core.values.provenance.forms` have marks of their own, and so have the values that trusted lookups
returned (`LOOKED_UP`). Single tokens never vouch for a value, since an untrusted source could combine them. A value is
vouched for by its form, or by its words in order, which `Sketch.spans` keeps.

An untrusted value that an agent stored in a memory, a file or a mailbox later comes back from a trusted source. It is
recognized by fingerprints of runs of five words, and of single distinctive words (an address, an account, a link). A
paraphrase is not recognized.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress, islice, repeat
from operator import not_
from typing import Final, cast

from halo_core.errors import BadInput
from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import start_keyed_hash
from halo_core.values.sketches.spans import TOKEN_BYTES, Spans
from halo_core.values.sketches.withdrawn_orders import NOTHING_WITHDRAWN, ROW, TAKEN_ALL, Withdrawal, unpack_withdrawal

MAX_MARKS: Final = 20_000
MAX_TEXT: Final = 262_144  # characters of one text that are read
_MAX_TOKEN: Final = 512
_SHORT_TEXT_LENGTH: Final = 4096  # characters
_MAX_CACHED_WORD_LENGTH: Final = 16  # letters of a word that is remembered
_CACHE_SIZE: Final = 8192  # words

_FINGERPRINT_BYTES: Final = 7
MARK_BYTES: Final = 8
"""Bytes of a packed mark."""
MAX_SOURCE_INDEX: Final = 31
"""Largest number of a source in a session; all later sources share it."""
SOURCE_SHIFT: Final = 3
"""Bits of a mark below the number of its source."""
_ORIGIN_MASK: Final = 7
ORIGIN_BITS: Final = {Provenance.USER: 1, Provenance.SYSTEM: 2, Provenance.UNTRUSTED: 4}
USER_BIT: Final = ORIGIN_BITS[Provenance.USER]
SYSTEM_BIT: Final = ORIGIN_BITS[Provenance.SYSTEM]
_UNTRUSTED_BIT: Final = ORIGIN_BITS[Provenance.UNTRUSTED]
_TRUSTED_BITS: Final = USER_BIT | SYSTEM_BIT

# A comma ends a token unless it groups thousands.
_CHARACTERS: Final = r"[^\s,;()\[\]{}<>\"'`|=*]+"
_TOKEN: Final = compile_later(rf"{_CHARACTERS}(?:(?<=[0-9]),(?=[0-9]{{3}}(?![0-9])){_CHARACTERS})*")
_NUMBER: Final = compile_later(r"[+-]?[0-9][0-9,]*(\.[0-9]+)?")
_NUMERIC: Final = frozenset("0123456789+-")
_EDGE_CHARACTERS: Final = ".:!?-_#$€£%…"

Marks = dict[int, int]
"""Fingerprint (56 bits) → origins (3 bits), number of the first source (5 bits)."""


def includes_untrusted(mark: int) -> bool:
    """Whether an untrusted source wrote the word of a mark, even if others wrote it too."""
    return bool(mark & _UNTRUSTED_BIT)


def extract_tokens(text: str) -> Iterable[str]:
    """Split a text into tokens in small letters; numbers lose thousands separators and trailing zeros."""
    folded = text[:MAX_TEXT].casefold()
    if len(folded) > _SHORT_TEXT_LENGTH:
        return _extract_tokens_lazily(folded)
    raw_tokens = _TOKEN.findall(folded)
    if len(folded) > _MAX_TOKEN:
        if max(map(len, raw_tokens), default=0) > _MAX_TOKEN:
            return list(_extract_tokens_lazily(folded))
    elif all(map(str.isalpha, raw_tokens)):
        return raw_tokens
    tokens = []
    for raw in raw_tokens:
        if raw.isalpha():
            tokens.append(raw)
            continue
        token = raw.strip(_EDGE_CHARACTERS)
        if token:
            is_odd_number = token[0] in _NUMERIC and not (token.isascii() and token.isdigit())
            tokens.append(_normalize_number(token) if is_odd_number else token)
    return tokens


def _extract_tokens_lazily(folded: str) -> Iterator[str]:
    # One by one, so that a caller who needs only the first words of a long text does not pay for all.
    for match in _TOKEN.finditer(folded):
        token = match.group().strip(_EDGE_CHARACTERS)[:_MAX_TOKEN]
        if token:
            yield _normalize_number(token) if token[0] in _NUMERIC else token


def find_token_places(text: str) -> Iterator[tuple[int, int]]:
    """Find where each token of `extract_tokens` begins and ends in the text, with the punctuation around it."""
    for match in _TOKEN.finditer(text[:MAX_TEXT]):
        if match.group().strip(_EDGE_CHARACTERS):
            yield match.span()


def _normalize_number(token: str) -> str:
    if token.isascii() and token.isdigit():
        return token
    match = _NUMBER.fullmatch(token)
    if match is None:
        return token
    digits = token.replace(",", "").lstrip("+")
    return digits.rstrip("0").rstrip(".") if match.group(1) else digits


def fingerprint_words(key: bytes, words: Iterable[str]) -> list[int]:
    """Compute the keyed 56-bit fingerprint of each word, in their order.

    Without the key, nobody can test a guess against a stored sketch.
    """
    cache, keyed = _fingerprint_cache(key), start_keyed_hash(key, _FINGERPRINT_BYTES)
    words = list(words)
    fingerprints = list(map(cache.get, words, repeat(0)))
    for place, word in compress(enumerate(words), map(not_, fingerprints)):
        state = keyed.copy()
        state.update(word.encode("utf-8", "replace"))
        fingerprint = fingerprints[place] = int.from_bytes(state.digest())
        # Words of the language come again and again. Names, numbers and whatever could be a secret are not kept.
        if len(word) <= _MAX_CACHED_WORD_LENGTH and word.isalpha() and word.isascii():
            if len(cache) >= _CACHE_SIZE:
                cache.clear()
            cache[word] = fingerprint
    return fingerprints


@lru_cache(maxsize=16)
def _fingerprint_cache(_key: bytes) -> dict[str, int]:
    """Cached fingerprints of plain words under a key."""
    return {}


SHOWN: Final = "form"
"""Use of the marks of forms that a shown text contained."""
LOOKED_UP: Final = "known"
"""Use of the marks of forms that a trusted lookup returned as values."""


def fingerprint_forms(key: bytes, forms: Iterable[Form], use: str = SHOWN) -> list[int]:
    """Compute keyed 56-bit fingerprints of forms, in their order.

    Args:
        key: of the sketch.
        forms: the forms.
        use: `SHOWN` or `LOOKED_UP`. The fingerprints of one form for the two uses differ.
    """
    keyed, from_bytes = start_keyed_hash(key, _FINGERPRINT_BYTES), int.from_bytes
    fingerprints = []
    for domain, text in forms:
        state = keyed.copy()
        state.update(f"{use}\0{domain}\0{text}".encode("utf-8", "replace"))
        fingerprints.append(from_bytes(state.digest()))
    return fingerprints


@lru_cache(maxsize=1024)
def _fingerprint_verbs(key: bytes, stems: frozenset[str]) -> tuple[int, ...]:
    """Fingerprint stems of verbs, cached: they are a fixed vocabulary and words of tool names, never values."""
    return tuple(fingerprint_forms(key, [make_form(("verb", stem)) for stem in stems]))


def has_user_mark(marks: Iterable[int]) -> bool:
    """Whether the user wrote something with one of these marks."""
    return any(map(USER_BIT.__and__, marks))


def has_trusted_mark(marks: Iterable[int]) -> bool:
    """Whether the user or the system wrote something with one of these marks."""
    return any(map(_TRUSTED_BITS.__and__, marks))


def has_only_untrusted_mark(marks: Iterable[int]) -> bool:
    """Whether one of these marks belongs to something that only untrusted content contained."""
    return _UNTRUSTED_BIT in map(_ORIGIN_MASK.__and__, marks)


def count_only_untrusted_marks(marks: Iterable[int]) -> int:
    """Count the marks of what only untrusted content contained; see `has_only_untrusted_mark`."""
    return list(map(_ORIGIN_MASK.__and__, marks)).count(_UNTRUSTED_BIT)


class Sketch:
    """What one session was shown, in memory; `pack_marks` and `unpack_marks` carry additions to and from the store.

    `has_untrusted` says whether an untrusted source was read. `spans` holds the words in order of the texts that
    vouch for values: the user's, and the results of trusted lookups.
    """

    __slots__ = ("_for_act", "has_untrusted", "key", "last_request", "marks", "saturated", "spans", "withdrawn")

    def __init__(self, key: bytes) -> None:
        self.last_request: frozenset[int] | None = None
        """Fingerprints of the user's request that was added last; no mark is ever removed."""
        self.key = key[:64]
        """Key of its fingerprints."""
        self.marks: Marks = {}
        self.saturated = False
        self.has_untrusted = False
        self.spans: dict[Provenance, Spans] = {Provenance.USER: Spans(), Provenance.KNOWN: Spans()}
        self.withdrawn = NOTHING_WITHDRAWN
        """What the user took back."""
        self._for_act: tuple[int, Sketch] | None = None

    @property
    def may_hold_untrusted(self) -> bool:
        """Whether a looked-up mark can be untrusted: an untrusted source was read, or the sketch is saturated."""
        return self.has_untrusted or self.saturated

    def are_not_trusted(self, values: Sequence[str | Form]) -> list[bool]:
        """For each word or form, whether neither the user nor the system nor a trusted lookup wrote it."""
        return [not mark & _TRUSTED_BITS for mark in self.look_up(values)]

    def look_up(self, values: Sequence[str | Form]) -> list[int]:
        """Look up the marks of words, or of forms; all values have to be of one kind."""
        if values and isinstance(values[0], str):
            return self.look_up_marks(cast("Sequence[str]", values))
        return self.look_up_forms(cast("Sequence[Form]", values))

    def are_only_untrusted(self, values: Sequence[str | Form]) -> list[bool]:
        """For each word or form, whether only untrusted content contained it."""
        untrusted = ORIGIN_BITS[Provenance.UNTRUSTED]
        return [mark & _ORIGIN_MASK == untrusted for mark in self.look_up(values)]

    def compute_additions(
        self, fingerprints: Iterable[int], origin: Provenance, *, vouched: bool = False, source_number: int = 0
    ) -> Marks:
        """Compute the marks that a text would add or change, without adding them.

        Args:
            fingerprints: of the text.
            origin: `user`, `system` or `untrusted`.
            vouched: the host itself declares the text as the user's words (`halo.session(request=...)`).
            source_number: number of the source, 0 to `MAX_SOURCE_INDEX`.
        """
        bit, first = ORIGIN_BITS[origin], ORIGIN_BITS[origin] | source_number << SOURCE_SHIFT
        untrusted_bit, marks = ORIGIN_BITS[Provenance.UNTRUSTED], self.marks
        wanted = set(fingerprints)
        new = wanted.difference(marks)
        if self.saturated and origin is Provenance.USER and not vouched:
            # INVARIANT: VOUCH - where untrusted text is missing from the sketch, a new word may be repeated from it.
            new.clear()
        if len(new) > (room := max(MAX_MARKS - len(marks), 0)):
            self.saturated = True
            new = set(islice(new, room))
        added: Marks = dict.fromkeys(new, first)
        for fingerprint in wanted.intersection(marks):
            mark = marks[fingerprint]
            if not mark & bit and (vouched or bit == untrusted_bit or mark & _ORIGIN_MASK != untrusted_bit):
                # INVARIANT: what only an untrusted source contained does not become trusted because other texts repeat
                # it, such as a receipt, or a prompt that it was pasted into. Only the host can vouch for it.
                added[fingerprint] = mark | bit
        return added

    def merge(self, added: Marks) -> None:
        """Add marks; a mark never loses an origin."""
        self._for_act = None
        marks, added_bits = self.marks, 0
        for fingerprint, bits in added.items():
            marks[fingerprint] = marks.get(fingerprint, 0) | bits
            added_bits |= bits
        self.has_untrusted = self.has_untrusted or bool(added_bits & ORIGIN_BITS[Provenance.UNTRUSTED])
        self.saturated = self.saturated or len(self.marks) >= MAX_MARKS

    def withdraw(self, row: Withdrawal) -> None:
        """Note what the user took back, or ordered again."""
        users = frozenset[int]()
        if row.kind == TAKEN_ALL:
            users = frozenset([fingerprint for fingerprint, mark in self.marks.items() if mark & USER_BIT])
        self.withdrawn = self.withdrawn.after(row, users, self.spans[Provenance.USER].texts)
        self._for_act = None

    def for_act(self) -> Sketch:
        """The sketch as it would be if the user had not written what he took back; itself if that is nothing.

        INVARIANT: VOUCH - an order that the user took back asks for nothing, and its values vouch for no act. For
        reading they stay the user's, in the whole sketch.
        """
        withdrawn, user_spans = self.withdrawn, self.spans[Provenance.USER]
        if not withdrawn.marks and not withdrawn.standing:
            return self
        if self._for_act is None or self._for_act[0] != user_spans.texts:
            sketch = Sketch(self.key)
            sketch.marks = {
                fingerprint: mark & ~USER_BIT if fingerprint in withdrawn.marks else mark
                for fingerprint, mark in self.marks.items()
                if fingerprint not in withdrawn.marks or mark & _ORIGIN_MASK != USER_BIT
            }
            sketch.spans = {**self.spans, Provenance.USER: user_spans.replace(withdrawn.standing)}
            self._for_act = user_spans.texts, sketch
        sketch = self._for_act[1]
        sketch.saturated, sketch.has_untrusted = self.saturated, self.has_untrusted
        return sketch

    def look_up_forms(self, forms: Iterable[Form]) -> list[int]:
        """Look up the mark of each form in the texts that were shown; 0 if none contained it."""
        return list(map(self.marks.get, fingerprint_forms(self.key, forms), repeat(0)))

    def was_in_untrusted_text(self, word: str) -> bool:
        """Whether untrusted content contained a word, even if other texts contained it too."""
        return bool(self.look_up_marks([word])[0] & _UNTRUSTED_BIT)

    def was_asked(self, stems: frozenset[str]) -> bool:
        """Whether the user wrote a verb with one of these stems."""
        marks = map(self.marks.get, _fingerprint_verbs(self.key, stems), repeat(0))
        return any(map(USER_BIT.__and__, marks))

    def look_up_known(self, forms: Iterable[Form]) -> list[int]:
        """Look up the mark of each form in the results of trusted lookups; 0 if none contained it."""
        return list(map(self.marks.get, fingerprint_forms(self.key, forms, LOOKED_UP), repeat(0)))

    def look_up_marks(self, words: Iterable[str]) -> list[int]:
        """Look up the mark of each word; 0 if it was never seen (4, untrusted, if the sketch is saturated)."""
        unknown = ORIGIN_BITS[Provenance.UNTRUSTED] if self.saturated else 0
        return list(map(self.marks.get, fingerprint_words(self.key, words), repeat(unknown)))


_SPANS_ROW: Final = b"\xff\xff\xff\xff"
"""Beginning of a row with words in order. A row of marks begins with its length, which is less."""
_SPANS_ORIGINS: Final = (Provenance.USER, Provenance.KNOWN)


def pack_spans(origin: Provenance, packed: bytes) -> bytes:
    """Pack the words of a text in order into a row for the store."""
    return b"%b%b%b" % (_SPANS_ROW, bytes([_SPANS_ORIGINS.index(origin)]), packed)


def add_spans_row(sketch: Sketch, row: bytes) -> bool:
    """Add a row to a sketch if it holds words in order; return whether it does.

    Raises:
        BadInput: these are other bytes.
    """
    if not row.startswith(_SPANS_ROW):
        return False
    start = len(_SPANS_ROW) + 1
    if len(row) < start or row[start - 1] >= len(_SPANS_ORIGINS) or (len(row) - start) % TOKEN_BYTES:
        problem = "a row of the session's words is invalid"
        raise BadInput("bad_profile", problem, field="spans", remedy="run `halo verify`")
    sketch.spans[_SPANS_ORIGINS[row[start - 1]]].add(row[start:])
    return True


def add_withdrawal_row(sketch: Sketch, row: bytes) -> bool:
    """Add a row to a sketch if it says what the user took back; return whether it does.

    Raises:
        BadInput: these are other bytes.
    """
    if not row.startswith(ROW):
        return False
    try:
        sketch.withdraw(unpack_withdrawal(row))
    except ValueError as exc:
        problem = "a row of what the user took back is invalid"
        raise BadInput("bad_profile", problem, field="withdrawn", remedy="run `halo verify`") from exc
    return True


def pack_marks(marks: Marks) -> bytes:
    """Pack marks as eight bytes each: fingerprint, origins and source number, sorted."""
    numbers = sorted([fingerprint << 8 | bits for fingerprint, bits in marks.items()])
    return struct.pack(f">{len(numbers)}Q", *numbers)


def unpack_marks(data: bytes) -> Marks:
    """Inverse of `pack_marks`."""
    if len(data) % MARK_BYTES:
        raise ValueError(f"{len(data)} bytes are no whole number of marks")
    return {number >> 8: number & 0xFF for number in struct.unpack(f">{len(data) // MARK_BYTES}Q", data)}


MAX_TAINTED_FINGERPRINTS: Final = 500_000
"""Fingerprints that a tenant's store keeps; past it every result counts as untrusted."""
MAX_FINGERPRINTS_PER_VALUE: Final = 64
"""Most fingerprints of each kind for one value. Of a longer value the smallest ones, so that every part has some."""
_RUN_LENGTH: Final = 5  # words
_MAX_WORDS: Final = 60_000
_DATE_OR_TIME: Final = compile_later(r"\d{4}-\d\d-\d\d\S*|\d{1,2}[:.]\d\d\S*|\d{1,2}/\d{1,2}/\d{2,4}")
_RECORD_NUMBER: Final = compile_later(r"[a-z]{1,4}(?:[-_#/][a-z0-9]{1,8}){0,2}[-_#/][0-9]{3,8}")
_MAX_RECORD_NUMBER: Final = 14
_DISTINCTIVE_WORD: Final = compile_later(r"[^@\s]+@[^@\s]+|\w+://\S+|(?=\S*\d)(?=\S*[a-z])\S{8,}|\d{9,}")


def fingerprint_stored_values(key: bytes, values: Iterable[str], known_numbers: Collection[str] = ()) -> frozenset[int]:
    """Fingerprint stored values with 56 bits each, at most 2 x `MAX_FINGERPRINTS_PER_VALUE` for a value.

    Args:
        key: of the tenant.
        values: texts.
        known_numbers: words, from `list_record_numbers`, that get no fingerprint of their own in any of the
            values.
    """
    fingerprints: set[int] = set()
    for value in values:
        words = _extract_words(value)
        fingerprints.update(
            sorted(_fingerprint_runs(key, words))[:MAX_FINGERPRINTS_PER_VALUE],
            sorted(_fingerprint_names(key, [word for word in words if word not in known_numbers]))[
                :MAX_FINGERPRINTS_PER_VALUE
            ],
        )
    return frozenset(fingerprints)


def list_record_numbers(text: str) -> frozenset[str]:
    """List the words of a text that number records, such as `o-309091`.

    Addresses, links and words as long as an IBAN are excluded.
    """
    return frozenset(
        word
        for word in _extract_words(text)
        if len(word) <= _MAX_RECORD_NUMBER and _RECORD_NUMBER.fullmatch(word) is not None
    )


def iter_text_fingerprints(key: bytes, text: str) -> Iterator[int]:
    """Compute every fingerprint that `fingerprint_stored_values` could have kept of a part of this text."""
    words = _extract_words(text)
    yield from _fingerprint_names(key, words)
    yield from _fingerprint_runs(key, words)


def _extract_words(text: str) -> list[str]:
    return list(islice(extract_tokens(text), _MAX_WORDS))


def _fingerprint_runs(key: bytes, words: list[str]) -> list[int]:
    return _fingerprint_parts(
        key, b"run\0", [" ".join(words[i : i + _RUN_LENGTH]) for i in range(len(words) - _RUN_LENGTH + 1)]
    )


def _fingerprint_names(key: bytes, words: Iterable[str]) -> list[int]:
    return _fingerprint_parts(key, b"name\0", filter(is_distinctive, dict.fromkeys(words)))


def is_distinctive(word: str) -> bool:
    """Whether a word (lower case) names exactly one thing: an address, a link, an account; not a date or a time."""
    return _DISTINCTIVE_WORD.fullmatch(word) is not None and _DATE_OR_TIME.fullmatch(word) is None


def _fingerprint_parts(key: bytes, kind: bytes, texts: Iterable[str]) -> list[int]:
    keyed, from_bytes = start_keyed_hash(key, _FINGERPRINT_BYTES).copy(), int.from_bytes
    keyed.update(kind)
    fingerprints = []
    for text in texts:
        state = keyed.copy()
        state.update(text.encode("utf-8", "replace"))
        fingerprints.append(from_bytes(state.digest()))
    return fingerprints
