"""Room: other spellings of a text: encoded, taken apart, with look-alikes. Takes: a text. Gives: texts.

An agent that is told to pay `DE89 3704 0044 ...`, or to decode what it has read, makes one word of it; it is the same
value. Never: decides, I/O. Bounded: at most `MAX_FORMS` spellings of a text, each of at most 4,096 characters.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Final
from urllib.parse import unquote

__all__ = ["MAX_FORMS", "spellings"]

MAX_FORMS: Final = 256
_MAX_READ: Final = 65_536  # characters
_LONGEST: Final = 4_096
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{12,4096}={0,2}")
_HEX: Final = re.compile(r"\b(?:0x)?([0-9a-fA-F]{16,4096})\b")
_PERCENT: Final = re.compile(r"\S*%[0-9a-fA-F]{2}\S*")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[a-zA-Z]{2,12});")
_SPOKEN: Final = re.compile(r"\s*[(\[{]?\s*\b(at|dot)\b\s*[)\]}]?\s*", re.IGNORECASE)
_DOT: Final = re.compile(r"\bdot\b", re.IGNORECASE)
_AROUND: Final = 96  # characters on each side of a spoken dot
# Groups of capitals and digits, or with a digit in each: words of a language are none.
_GROUP: Final = r"(?:[A-Z0-9]{1,8}|(?=[A-Za-z]{0,7}[0-9])[A-Za-z0-9]{2,8})"
_ROW: Final = re.compile(rf"(?<![A-Za-z0-9]){_GROUP}(?:[ .-]{_GROUP}(?![A-Za-z0-9])){{1,23}}")
_BETWEEN: Final = re.compile(r"[ .-]")
_DIGIT: Final = re.compile(r"[0-9]")
_GROUPS: Final = 12  # of one value, at most
_SHORTEST: Final = 8  # characters of what was encoded
_SHORTEST_JOINED: Final = 10
_LONGEST_JOINED: Final = 40
_HIDDEN: Final = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def spellings(text: str) -> Iterator[str]:
    """What else a text says, beside itself; nothing of most texts."""
    text = text[:_MAX_READ]
    yield from islice(_all(text), MAX_FORMS)


def _all(text: str) -> Iterator[str]:
    folded = _HIDDEN.sub("", unicodedata.normalize("NFKC", text)) if not text.isascii() else text
    if folded != text:
        yield folded
    if "%" in text:
        yield from (unquote(found)[:_LONGEST] for found in _PERCENT.findall(text))
    if "&" in text and _ENTITY.search(text):
        yield html.unescape(text)[:_LONGEST]
    for match in _DOT.finditer(folded):
        near = folded[max(match.start() - _AROUND, 0) : match.end() + _AROUND]
        yield _SPOKEN.sub(lambda word: "@" if word[1].lower() == "at" else ".", near)
    yield from _decoded(text)
    yield from _joined(folded)


def _decoded(text: str) -> Iterator[str]:
    for match in _HEX.finditer(text):
        yield from _readable(bytes.fromhex(match[1][: len(match[1]) & ~1]))
    for match in _BASE64.finditer(text):
        packed = match[0].rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(binascii.Error, ValueError):
            yield from _readable(base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True))


def _readable(data: bytes) -> Iterator[str]:
    with suppress(UnicodeDecodeError):
        text = data.decode()
        if text.isprintable() and len(text) >= _SHORTEST:
            yield text[:_LONGEST]


def _joined(text: str) -> Iterator[str]:
    """Values written in groups: `DE89 3704 0044`, `4111-1111-1111-1111`; each part of a row that could be one."""
    for row in _ROW.finditer(text):
        groups = _BETWEEN.split(row[0].casefold())
        for start in range(len(groups)):
            joined = groups[start]
            for group in groups[start + 1 : start + _GROUPS]:
                joined += group
                if _SHORTEST_JOINED <= len(joined) <= _LONGEST_JOINED and _DIGIT.search(joined):
                    yield joined
