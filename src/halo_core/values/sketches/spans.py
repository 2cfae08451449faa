"""The words in order of the texts that vouch for values, as keyed fingerprints, and the search for a value in them.

    spans.add(fingerprint_text_in_order("Pay Ana Lima", key))
    spans.find(fingerprint_tokens_in_order(["Ana", "Lima"], key))   # 2: as written
    spans.find(fingerprint_tokens_in_order(["Pay", "Lima"], key))   # 0: the words do not stand side by side

`Spans` keeps eight bytes for each token: six of the token without its case, two of the token as it is written. A text
contains a value if the value's tokens stand there one after another. So words from different places never make up a
value, however long it is. Without the key, nobody can test a guess against the stored bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import compress, count, islice, repeat
from operator import not_
from typing import Final

from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import start_keyed_hash

TOKEN_BYTES: Final = 8
"""Bytes of a stored token."""
_FOLDED: Final = 6  # bytes of it without its case
_EXACT: Final = TOKEN_BYTES - _FOLDED
MAX_TEXT_TOKENS: Final = 8_192
"""Most tokens of one text that are kept; later ones vouch for nothing."""
MAX_TOKENS: Final = 32_768
"""Tokens of a session that are kept of each origin."""
_MAX_TOKEN_LENGTH: Final = 512
_CACHE_SIZE: Final = 8_192
_MAX_CACHED_LENGTH: Final = 16

_SPLITTING: Final = r"\s\"“”„«»()\[\]{}<>,;|`=*!?…—，。、；"
# Ideographs and kana are written without blanks: each is a token.
_IDEOGRAPH: Final = "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_TOKEN: Final = compile_later(
    rf"\n|{_IDEOGRAPH}|[0-9](?:[^{_SPLITTING}]++|,(?=[0-9]{{3}}(?![0-9])))*+|[^{_SPLITTING}\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+|[^\s]"
)
_LEADING: Final = "#@'‘’.:"
_TRAILING: Final = ".:'’‘"
_POSSESSIVE: Final = compile_later(
    r"(.+)(['’]s)"
    r"|((?=[^a-z])\w{3,})(['’](?:[yns]?[ıiuüaeoö]|n[ıiuü]n|[ıiuü]n|[dt][ae]n?|y?l[ae]|y[ae]|l[ıiuü]|[dt][ae]ki))"
)
"""An English genitive, and Turkish endings behind a name or a number: `Atlas'ın`, `Porto'da`, `C-12'yi`."""
_LABELLED: Final = compile_later(r"([A-Za-z_]{2,32})(:)(?![/\\])(.+)")
SENTENCE_ENDS: Final = frozenset({"", "\n", ".", "!", "?", ":"})


def tokenize(text: str, most: int = MAX_TEXT_TOKENS) -> list[str]:
    """Split a text into tokens in order: words as they are written, and the signs around them, at most `most`."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    tokens: list[str] = []
    # A text has no more tokens than characters.
    words = _TOKEN.findall(text) if len(text) <= most else [match[0] for match in islice(_TOKEN.finditer(text), most)]
    for word in words:
        if word.isalnum() or len(word) == 1:
            tokens.append(word)
        else:
            _append_parts(word, tokens)
    return tokens[:most]


def _append_parts(word: str, tokens: list[str]) -> None:
    """Append a word, with the signs before and behind it as tokens of their own."""
    start, end = 0, len(word)
    while start < end and word[start] in _LEADING:
        tokens.append(word[start])
        start += 1
    signs: list[str] = []
    while end > start and word[end - 1] in _TRAILING:
        end -= 1
        signs.append(word[end])
    word = word[start:end]
    if word:
        labelled = _LABELLED.fullmatch(word) if ":" in word else None
        if labelled is not None:
            tokens += labelled[1], labelled[2]
            word = labelled[3]
        possessive = _POSSESSIVE.fullmatch(word) if "'" in word or "’" in word else None
        tokens += filter(None, possessive.groups()) if possessive is not None else (word,)
    tokens += reversed(signs)


@lru_cache(maxsize=16)
def _token_cache(_key: bytes) -> dict[str, bytes]:
    """Cached fingerprints of plain words under a key."""
    return {}


@lru_cache(maxsize=16)
def _start_token_hashes(key: bytes) -> tuple[blake2b, blake2b]:
    """Start the two hashes of a token, without its case and as it is written; they are copied, never updated."""
    folded, exact = start_keyed_hash(key, _FOLDED).copy(), start_keyed_hash(key, _EXACT).copy()
    folded.update(b"token\0")
    exact.update(b"exact\0")
    return folded, exact


def fingerprint_tokens_in_order(tokens: Iterable[str], key: bytes) -> bytes:
    """Fingerprint tokens one after another, each with `TOKEN_BYTES` bytes."""
    cache = _token_cache(key)
    keyed_folded, keyed_exact = _start_token_hashes(key)
    tokens = list(tokens)
    fingerprints = list(map(cache.get, tokens, repeat(b"")))
    for place, token in compress(enumerate(tokens), map(not_, fingerprints)):
        cut = token[:_MAX_TOKEN_LENGTH]
        folded, exact = keyed_folded.copy(), keyed_exact.copy()
        folded.update(cut.casefold().encode("utf-8", "replace"))
        exact.update(cut.encode("utf-8", "replace"))
        fingerprint = fingerprints[place] = folded.digest() + exact.digest()
        # Names, numbers and whatever could be a secret are not kept in memory.
        is_sign = len(cut) == 1 and not cut.isalnum()
        if is_sign or (len(cut) <= _MAX_CACHED_LENGTH and cut.isascii() and cut.islower() and cut.isalpha()):
            if len(cache) >= _CACHE_SIZE:
                cache.clear()
            cache[cut] = fingerprint
    return b"".join(fingerprints)


_BOUNDARY: Final = bytes(TOKEN_BYTES)


def fingerprint_text_in_order(
    text: str, key: bytes, are_only_untrusted: Callable[[Sequence[str]], Sequence[bool]] | None = None
) -> bytes:
    """Make what is stored of a text that vouches for values.

    Args:
        text: the text.
        key: of the fingerprints.
        are_only_untrusted: tells of each token whether only untrusted content contained it. No value contains such a
            token.
    """
    tokens = tokenize(text)
    packed = fingerprint_tokens_in_order(tokens, key)
    if are_only_untrusted is not None:
        flags = are_only_untrusted(tokens)
        if any(flags):
            kept = bytearray(packed)
            for i in compress(count(), flags):
                kept[i * TOKEN_BYTES : (i + 1) * TOKEN_BYTES] = _BOUNDARY
                tokens[i] = ""
            packed = bytes(kept)
    # A capital at the beginning of a sentence says nothing about the case of the name.
    lowered: dict[str, None] = {}
    before = ""
    for token in tokens:
        if before in SENTENCE_ENDS and token[:1].isupper() and token[1:].islower() and token.isalpha():
            lowered[token.lower()] = None
        before = token
    if not lowered:
        return packed
    fingerprints = fingerprint_tokens_in_order(lowered, key)
    places = range(0, len(fingerprints), TOKEN_BYTES)
    return packed + b"".join([_BOUNDARY + fingerprints[i : i + TOKEN_BYTES] for i in places])


class Spans:
    """The token sequences of the texts of one origin in a session."""

    __slots__ = ("_exact", "_folded", "_starts", "is_full")

    def __init__(self) -> None:
        self._folded = bytearray()
        self._exact = bytearray()
        self._starts: list[int] = []
        self.is_full = False

    @property
    def texts(self) -> int:
        """Number of texts that were added."""
        return len(self._starts)

    def replace(self, standing: Mapping[int, bytes]) -> Spans:
        """Make the sequences without some texts, and with what stands of them.

        Args:
            standing: number of a text, from 0 → its packed tokens, empty if nothing stands.
        """
        spans = Spans()
        spans._folded, spans._exact = bytearray(self._folded), bytearray(self._exact)
        spans._starts, spans.is_full = [*self._starts], self.is_full
        ends = [*self._starts[1:], len(self)]
        for number in standing:
            if number < self.texts:
                start, end = self._starts[number], ends[number]
                spans._folded[start * _FOLDED : end * _FOLDED] = bytes((end - start) * _FOLDED)
                spans._exact[start * _EXACT : end * _EXACT] = bytes((end - start) * _EXACT)
        for packed in filter(None, standing.values()):
            spans.add(packed)
        return spans

    def __len__(self) -> int:
        """Number of tokens."""
        return len(self._exact) // _EXACT

    def add(self, packed: bytes) -> None:
        """Add the packed tokens of one text, from `fingerprint_text_in_order`.

        Tokens beyond `MAX_TOKENS` are left out.
        """
        self._starts.append(len(self))
        room = (MAX_TOKENS - len(self._exact) // _EXACT - 1) * TOKEN_BYTES
        self.is_full = self.is_full or room < len(packed)
        if room <= 0:
            return
        packed = packed[:room]
        count = len(packed) // TOKEN_BYTES
        folded, exact = bytearray(_FOLDED * count), bytearray(_EXACT * count)
        # Byte by byte of all tokens at once: a text has many tokens.
        for i in range(_FOLDED):
            folded[i::_FOLDED] = packed[i::TOKEN_BYTES]
        for i in range(_EXACT):
            exact[i::_EXACT] = packed[_FOLDED + i :: TOKEN_BYTES]
        self._folded += folded
        self._exact += exact
        # INVARIANT: VOUCH - no value stands in two texts at once.
        self._folded += bytes(_FOLDED)
        self._exact += bytes(_EXACT)

    def find(self, packed: bytes) -> int:
        """Find a value: 2 if its tokens stand side by side as written, 1 if only in another case, 0 if nowhere."""
        if not packed or not self._exact:
            return 0
        if self._folded.find(packed[:_FOLDED]) < 0:
            return 0  # as of most values: their first token stands nowhere
        places = range(0, len(packed), TOKEN_BYTES)
        folded = bytearray()
        for i in places:  # a comprehension is a call
            folded += packed[i : i + _FOLDED]
        best = 0
        offset = self._folded.find(folded)
        if offset < 0:
            return 0
        exact = b"".join([packed[i + _FOLDED : i + TOKEN_BYTES] for i in places])
        while offset >= 0:
            if offset % _FOLDED == 0:
                place = offset // _FOLDED * _EXACT
                if self._exact[place : place + len(exact)] == exact:
                    return 2
                best = 1
            offset = self._folded.find(folded, offset + 1)
        return best
