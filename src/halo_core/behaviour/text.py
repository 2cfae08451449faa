"""Room: words of a text, for comparison. Takes: any text. Gives: atoms and their fingerprints. Never: I/O, a clock.

An atom is a run of letters and digits, folded: case, width, ligatures, characters nobody sees and letters that only
look Latin make no difference; numbers lose separators and trailing zeros, English words their endings. A text is kept
as the keyed fingerprints of its atoms in order, four bytes each, so that looking for a value in it is a search of
bytes, and without the key nobody can test a guess against a stored text.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b64decode
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Final

__all__ = [
    "ATOM_BYTES",
    "MAX_ATOMS",
    "MAX_READ",
    "atoms",
    "count",
    "decoded",
    "find",
    "fold",
    "is_plain",
    "keyed",
    "name_words",
    "normal",
    "print_of",
    "prints",
]

ATOM_BYTES: Final = 4
MAX_ATOMS: Final = 4096  # of one text
MAX_READ: Final = 65_536  # characters of one text that are looked at
_LONGEST: Final = 128  # characters of an atom
_REMEMBERED: Final = 16_384

# A number may group thousands and have decimals; the bound keeps the search linear.
_ATOM: Final = re.compile(r"[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?(?![^\W_])|[^\W_]+")
_NAME: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+|[^\W\da-zA-Z_]+")
_ENCODED: Final = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/_-]{24,4096}={0,2}")

_UNSEEN: Final = re.compile(
    "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164"
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\U000e0000-\\U000e0fff]"
)
_LIKE_LATIN: Final = str.maketrans(
    "аеорсухіјѕһԁԛԝɡαορνιτκυχϲАВЕКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwgaopvitkuxcabekmhopctxabezhikmnoptyx",
)


def fold(text: str) -> str:
    """The text as it looks: compatibility forms, case, invisible characters and lookalikes folded.

    At most `MAX_READ`.
    """
    text = text[:MAX_READ]
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text)[: 2 * MAX_READ]
    return _UNSEEN.sub("", text).translate(_LIKE_LATIN).casefold()


def atoms(text: str, most: int = MAX_ATOMS) -> list[str]:
    """Atoms of a text in order, at most `most`."""
    return [normal(match[0][:_LONGEST]) for match in islice(_ATOM.finditer(fold(text)), most)]


def name_words(name: str) -> list[str]:
    """Atoms of a tool's or an argument's name: `sendEmail_v2` is send, email, v, 2."""
    return [normal(word.lower()) for word in _NAME.findall(name[:256])]


@lru_cache(maxsize=_REMEMBERED)
def _stem(word: str) -> str:
    if len(word) < 4 or not word.isascii():
        return word
    for ending, instead in (("ies", "y"), ("ing", ""), ("sses", "ss"), ("ed", ""), ("es", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: len(word) - len(ending)] + instead
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def normal(atom: str) -> str:
    """An atom as it is compared: its stem, or its number."""
    if atom.isalpha():
        return _stem(atom) if len(atom) < 20 else atom
    if "," in atom or "." in atom:
        atom = atom.replace(",", "")
        if "." in atom:
            atom = atom.rstrip("0").rstrip(".")
    return atom


@lru_cache(maxsize=16)
def _known(_key: bytes) -> dict[str, bytes]:
    """Fingerprints of words under a key: plain words only, nothing that could be a secret."""
    return {}


def is_plain(atom: str) -> bool:
    """Whether it is a word of a language, which may be remembered: nothing that could be a secret is."""
    return len(atom) <= 16 and atom.isalpha() and atom.isascii()


@lru_cache(maxsize=32)
def _started(key: bytes, size: int) -> blake2b:
    """A fingerprint that has read its key and nothing else: it is copied, never fed."""
    return blake2b(digest_size=size, key=key[:64])


def keyed(data: bytes, key: bytes, size: int) -> bytes:
    """Keyed fingerprint of bytes, `size` bytes long."""
    state = _started(key, size).copy()
    state.update(data)
    return state.digest()


def print_of(atom: str, key: bytes) -> bytes:
    """Keyed fingerprint of one atom, `ATOM_BYTES` long."""
    known = _known(key)
    found = known.get(atom)
    if found is None:
        found = keyed(atom.encode("utf-8", "replace"), key, ATOM_BYTES)
        if is_plain(atom):
            if len(known) >= _REMEMBERED:
                known.clear()
            known[atom] = found
    return found


def prints(words: list[str], key: bytes) -> bytes:
    """Fingerprints of atoms, one after another."""
    known = _known(key).get
    return b"".join([known(word) or print_of(word, key) for word in words])


def find(needle: bytes, hay: bytes, start: int = 0) -> int:
    """Where the atoms of `needle` stand one after another in `hay`, from atom `start` on; -1 if nowhere."""
    at = hay.find(needle, start * ATOM_BYTES) if needle else -1
    while at >= 0 and at % ATOM_BYTES:
        at = hay.find(needle, at + 1)
    return at // ATOM_BYTES if at >= 0 else -1


def count(packed: bytes) -> int:
    """Number of atoms."""
    return len(packed) // ATOM_BYTES


def decoded(text: str, most: int = 8) -> list[str]:
    """What base64 in a text says, where it says text: an encoded value is still the one it came from."""
    found = []
    for match in _ENCODED.finditer(text[:MAX_READ]):
        raw = match.group().rstrip("=").replace("-", "+").replace("_", "/")
        try:
            plain = b64decode(raw + "=" * (-len(raw) % 4), validate=True).decode("utf-8")
        except ValueError:
            continue
        if sum(char.isprintable() or char.isspace() for char in plain) == len(plain):
            found.append(plain)
        if len(found) >= most:
            break
    return found
