"""The words of a text for comparison (atoms), their keyed fingerprints, and other spellings of a text.

    extract_atoms("Paid 1,500.00 to Ana")   # ["paid", "1500", "to", "ana"]

An atom is a run of letters and digits, folded: case, width, ligatures, invisible characters and look-alike letters
make no difference; numbers lose separators and trailing zeros, English words their endings. A text is kept as the
fingerprints of its atoms in order, four bytes each. So a value is found in it by a search of bytes, and without the
key nobody can test a guess against a stored text.

`generate_spellings` undoes encodings and groupings: an agent that was told to pay `DE89 3704 0044 ...`, or to decode
what it has read, writes one word for the same value.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from array import array
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Final
from urllib.parse import unquote

from halo_core.values.language.normalization import INVISIBLE, LATIN_LOOKALIKES, normalize_bounded
from halo_core.values.language.patterns import compile_later

ATOM_BYTES: Final = 4
MAX_ATOMS: Final = 4096  # of one text
MAX_READ: Final = 65_536  # characters of one text that are looked at
_MAX_ATOM_LENGTH: Final = 128  # characters of an atom
_MAX_NAME: Final = 256  # characters of a name
_CACHE_SIZE: Final = 16_384

# A number may group thousands and have decimals; the bound keeps the search linear.
_ATOM: Final = compile_later(r"[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?(?![^\W_])|[^\W_]+")
_NAME: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\da-zA-Z_]+")
_PARTED_NAME: Final = compile_later(r"[A-Za-z0-9][A-Za-z0-9._-]{2,63}")
_NAME_PART: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_MAX_NAME_PARTS: Final = 8
_MAX_NAME_DIGITS: Final = 5
_ENCODED: Final = compile_later(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,4096}={0,2}")


def fold_text(text: str) -> str:
    """Reduce a text to its look: compatibility forms, case, invisible characters and look-alikes are folded.

    At most `MAX_READ` characters.
    """
    text = text[:MAX_READ]
    if text.isascii():
        return text.lower()
    text = normalize_bounded(text, 2 * MAX_READ)
    return INVISIBLE.sub("", text).translate(LATIN_LOOKALIKES).casefold()


def extract_atoms(text: str, most: int = MAX_ATOMS) -> list[str]:
    """Split a text into atoms in order, at most `most`."""
    return [normalize_atom(match[0][:_MAX_ATOM_LENGTH]) for match in islice(_ATOM.finditer(fold_text(text)), most)]


def split_name(name: str) -> list[str]:
    """Split a tool's or an argument's name into atoms: `sendEmail_v2` into send, email, v, 2."""
    if name.islower() and name.isalpha() and name.isascii() and len(name) <= _MAX_NAME:
        return [normalize_atom(name)]  # one word, as most
    return [normalize_atom(word.lower()) for word in _NAME.findall(name[:_MAX_NAME])]


@lru_cache(maxsize=_CACHE_SIZE)
def _stem_word(word: str) -> str:
    if len(word) < 4 or not word.isascii():
        return word
    for ending, instead in (("ies", "y"), ("ing", ""), ("sses", "ss"), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: len(word) - len(ending)] + instead
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def normalize_atom(atom: str) -> str:
    """Normalize an atom for comparison: to its stem, or its number."""
    if atom.isalpha():
        return _stem_word(atom) if len(atom) < 20 else atom
    if "," in atom or "." in atom:
        atom = atom.replace(",", "")
        if "." in atom:
            atom = atom.rstrip("0").rstrip(".")
    return atom


@lru_cache(maxsize=16)
def _fingerprint_cache(_key: bytes) -> dict[str, bytes]:
    """Fingerprints of words under a key: plain words only, nothing that could be a secret."""
    return {}


def is_plain_word(atom: str) -> bool:
    """Whether it may be cached: a plain word, nothing that could be a secret."""
    return len(atom) <= 16 and atom.isalpha() and atom.isascii()


@lru_cache(maxsize=32)
def start_keyed_hash(key: bytes, size: int) -> blake2b:
    """Start a hash that has read only its key: it is copied, never updated."""
    return blake2b(digest_size=size, key=key[:64])


def fingerprint_atom(atom: str, key: bytes) -> bytes:
    """Keyed fingerprint of one atom, `ATOM_BYTES` long."""
    cache = _fingerprint_cache(key)
    fingerprint = cache.get(atom)
    if fingerprint is None:
        state = start_keyed_hash(key, ATOM_BYTES).copy()
        state.update(atom.encode("utf-8", "replace"))
        fingerprint = state.digest()
        if is_plain_word(atom):
            if len(cache) >= _CACHE_SIZE:
                cache.clear()
            cache[atom] = fingerprint
    return fingerprint


def fingerprint_atoms(words: list[str], key: bytes) -> bytes:
    """Fingerprints of atoms, one after another."""
    cached = _fingerprint_cache(key).get
    return b"".join([cached(word) or fingerprint_atom(word, key) for word in words])


def unpack_fingerprints(packed: bytes) -> array[int]:
    """Fingerprints of atoms, packed one behind the other, as numbers."""
    row = array("I")
    row.frombytes(packed)
    return row


def fingerprint_bytes(data: bytes, key: bytes) -> int:
    """Keyed 48-bit fingerprint."""
    state = start_keyed_hash(key, 6).copy()
    state.update(data)
    return int.from_bytes(state.digest())


def fingerprint_strings(*parts: str, key: bytes) -> int:
    """Keyed 48-bit fingerprint of some strings together."""
    return fingerprint_bytes("\x1f".join(parts).encode("utf-8", "replace"), key)


@lru_cache(maxsize=32_768)
def fingerprint_names(*parts: str, key: bytes) -> int:
    """Like `fingerprint_strings`, cached: for names of tools, arguments and kinds, and never for values."""
    return fingerprint_strings(*parts, key=key)


def find_atoms(needle: bytes, hay: bytes, start: int = 0) -> int:
    """Find where the atoms of `needle` stand one after another in `hay`, from atom `start` on; -1 if nowhere."""
    offset = hay.find(needle, start * ATOM_BYTES) if needle else -1
    while offset >= 0 and offset % ATOM_BYTES:
        offset = hay.find(needle, offset + 1)
    return offset // ATOM_BYTES if offset >= 0 else -1


def count_atoms(packed: bytes) -> int:
    """Count atoms."""
    return len(packed) // ATOM_BYTES


_MAX_DECODED: Final = 8


def decode_base64(text: str) -> list[str]:
    """Decode the base64 texts in a text, at most `_MAX_DECODED`."""
    texts = []
    for match in _ENCODED.finditer(text[:MAX_READ]):
        raw = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            text_decoded = b64decode(raw + "=" * (-len(raw) % 4), validate=True).decode("utf-8")
        except ValueError:
            continue
        if sum(char.isprintable() or char.isspace() for char in text_decoded) == len(text_decoded):
            texts.append(text_decoded)
        if len(texts) >= _MAX_DECODED:
            break
    return texts


MAX_SPELLINGS: Final = 256
_MAX_SPELLING_INPUT: Final = 65_536  # characters
_MAX_SPELLING_LENGTH: Final = 4_096
_BASE64: Final = compile_later(r"[A-Za-z0-9+/_-]{12,4096}={0,2}")
_HEX: Final = compile_later(r"\b(?:0x)?([0-9a-fA-F]{16,4096})\b")
_PERCENT: Final = compile_later(r"%[0-9a-fA-F]{2}")
_LONG_RUN: Final = compile_later(r"[A-Za-z0-9+/_-]{12}")
"""Stands in whatever `_BASE64` or `_HEX` finds: one search where most texts have nothing, in place of two."""
_ENTITY: Final = compile_later(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,12});")
_SPOKEN: Final = compile_later(r"\s*[(\[{]?\s*\b(at|dot)\b\s*[)\]}]?\s*", re.IGNORECASE)
_DOT: Final = compile_later(r"\bdot\b", re.IGNORECASE)
_DOT_CONTEXT: Final = 96  # characters on each side of a spoken dot
# Groups of capitals and digits, or with a digit in each, so that common words do not match.
_GROUP: Final = r"(?:[A-Z0-9]{1,8}|(?=[A-Za-z]{0,7}[0-9])[A-Za-z0-9]{2,8})"
_GROUP_ROW: Final = compile_later(rf"(?<![A-Za-z0-9]){_GROUP}(?:[ .-]{_GROUP}(?![A-Za-z0-9])){{1,23}}")
_COULD_BE_GROUPS: Final = compile_later(r"[A-Z0-9][A-Za-z0-9]{0,7}[ .-][A-Za-z]{0,7}[A-Z0-9]")
"""Stands in whatever `_GROUP_ROW` finds that is long enough: a capital or a digit in each of two groups."""
_GROUP_SEPARATOR: Final = compile_later(r"[ .-]")
_DIGIT: Final = compile_later(r"[0-9]")
_MAX_GROUPS: Final = 12  # of one value, at most
_MIN_DECODED_LENGTH: Final = 8  # characters of what was encoded
_MIN_JOINED_LENGTH: Final = 10
_MAX_JOINED_LENGTH: Final = 40
_ZERO_WIDTH: Final = compile_later("[\u00ad\u200b-\u200f\u2060\ufeff]")


def generate_spellings(text: str) -> Iterator[str]:
    """Generate other spellings of a text: decoded, unescaped, joined; none of most texts."""
    text = text[:_MAX_SPELLING_INPUT]
    yield from islice(_generate_all_spellings(text), MAX_SPELLINGS)


def _generate_all_spellings(text: str) -> Iterator[str]:
    # INVARIANT: TOTAL - what is normalized is cut, since normalization makes a text up to 18 times as long.
    folded = _ZERO_WIDTH.sub("", normalize_bounded(text, _MAX_SPELLING_INPUT)) if not text.isascii() else text
    if folded != text:
        yield folded
    if "%" in text:
        # Word by word: a pattern of a word with an escape in it takes the square of a long word without one.
        yield from (unquote(word)[:_MAX_SPELLING_LENGTH] for word in text.split() if _PERCENT.search(word))
    if "&" in text and _ENTITY.search(text):
        yield html.unescape(text)[:_MAX_SPELLING_LENGTH]
    for match in _DOT.finditer(folded) if "dot" in folded.casefold() else ():
        surroundings = folded[max(match.start() - _DOT_CONTEXT, 0) : match.end() + _DOT_CONTEXT]
        yield _SPOKEN.sub(lambda word: "@" if word[1].lower() == "at" else ".", surroundings)
    if _PARTED_NAME.fullmatch(text) is not None:
        yield from _respell_name(text)
    if _LONG_RUN.search(text) is not None:
        yield from _decode_encoded_parts(text)
    if _COULD_BE_GROUPS.search(folded) is not None:
        yield from _join_groups(folded)


def _respell_name(name: str) -> Iterator[str]:
    """Respell a name with other signs between its parts: `mallory_77` for `mallory-77`; nothing for an IBAN."""
    parts = _NAME_PART.findall(name)
    is_number = any(part.isdigit() and len(part) > _MAX_NAME_DIGITS for part in parts)
    if 1 < len(parts) <= _MAX_NAME_PARTS and not is_number and not all(map(str.isdigit, parts)):
        yield from (other for other in (sign.join(parts) for sign in ("_", "-", ".", "")) if other != name)


def _decode_encoded_parts(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        yield from _decode_if_readable(bytes.fromhex(match[1][: len(match[1]) & ~1]))
    for match in _BASE64.finditer(text):
        packed = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(binascii.Error, ValueError):
            yield from _decode_if_readable(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))


def _decode_if_readable(data: bytes) -> Iterator[str]:
    with suppress(UnicodeDecodeError):
        text = data.decode()
        if text.isprintable() and len(text) >= _MIN_DECODED_LENGTH:
            yield text[:_MAX_SPELLING_LENGTH]


def _join_groups(text: str) -> Iterator[str]:
    """Join values written in groups: `DE89 3704 0044`, `4111-1111-1111-1111`; each part of a row that could be one."""
    for row in _GROUP_ROW.finditer(text):
        groups = _GROUP_SEPARATOR.split(row[0].casefold())
        for start in range(len(groups)):
            joined = groups[start]
            for group in groups[start + 1 : start + _MAX_GROUPS]:
                joined += group
                if _MIN_JOINED_LENGTH <= len(joined) <= _MAX_JOINED_LENGTH and _DIGIT.search(joined):
                    yield joined
