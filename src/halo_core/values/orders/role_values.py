"""Values of a text with their shapes, to tell which of them can stand in place of one another.

    list_role_values("Run anneal-2 on Q-5, mail ana@x.example")   # id anneal: anneal-2, id q: q-5, email: ana@x.example

Other than the forms of a value, which say when two spellings are the same value, a shape says of which sort a value is.
A name is one or several words with capitals, as they stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from halo_core.values.kinds.amounts import canonicalize_amounts
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.exact_dates import MONTHS

EMAIL: Final = "email"
URL: Final = "url"
HANDLE: Final = "handle"
IBAN: Final = "iban"
DIGITS: Final = "digits"
ID: Final = "id"
NUMBER: Final = "number"
NAME: Final = "name"
SHAPES: Final = (EMAIL, URL, HANDLE, IBAN, DIGITS, ID, NUMBER, NAME, "version", "path", "dotted", "joined")
_MAX_FOUND: Final = 32
_MAX_NAME: Final = 4  # words with capitals
_MAX_WORDS: Final = 6  # of a name
_VALUE: Final = compile_later(
    r"(?<![\w.@/-])(?=[^\s,;]*[0-9@#/._-])(?:(?P<url>[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s<>\"'`|)\]]{1,512})"
    r"|(?P<email>[^\s<>(),;:\"'\[\]@=]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
    r"|(?P<handle>[@#][^\W\d][\w.-]{1,38})"
    r"|(?P<iban>[A-Z]{2}[0-9]{2}(?: ?(?=[A-Z]{0,3}[0-9])[A-Z0-9]{1,4}){2,8})(?!\w)"
    r"|(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[:.][0-9]{2}(?=\W|$)(?![.,]?[0-9])"
    r"|[0-9]{1,2}[./][01]?[0-9][./](?:(?:19|20)?[0-9]{2})?(?![0-9]))"
    r"|(?P<version>v?[0-9]+(?:\.[0-9]+){2,3}(?:-[\w.]+)?)(?![\w/@])"
    r"|(?P<digits>\+?\(?[0-9](?:[ ()/-]{0,2}[0-9]){4,20})(?!\w|[.,][0-9])"
    r"|(?P<id>(?P<sort>[A-Za-z]{1,12})(?:[-_#][A-Za-z]{1,12}){0,3}[-_#]?[0-9][\w-]{0,15})(?![\w@/]|\.\w)"
    r"|(?P<path>(?:~|\.{1,2})?/?[\w.+-]+(?:/[\w.@+-]+)+/?)"
    r"|(?P<dotted>[A-Za-z][\w-]{0,30}(?:\.[A-Za-z][\w-]{0,30}){1,4})(?![\w@/])"
    r"|(?<!['’])(?P<joined>[a-z][a-z0-9]{0,20}(?:[-_][a-z0-9]{1,20}){1,4})(?![\w@/])"
    r"|(?<![:#'’])[$€£]?(?P<number>[0-9]+(?:[.,'’][0-9]{3})*(?:[.,][0-9]{1,2})?)(?![\w/]|[.,:-][0-9]))"
)
_SIGN: Final = compile_later(r"[0-9@#/._-]")
"""Every value but a name contains one of these."""
_CAPITAL: Final = compile_later(r"(?<![\w'’])[A-ZÀ-ÖØ-Þ\u0100-\u024F\u0370-\u052F](?:[\w-]|['’](?!s\b))*+(?! ?[#0-9])")
_BETWEEN: Final = compile_later(r" (?:(?:de|do|da|dos|das|del|della|dei|di|du|des|von|van|der|den|of|la|le|il) ){0,2}")
"""What may stand between two words of a name."""
_NO_NAMES: Final = frozenset(
    (*MONTHS, *"i monday tuesday wednesday thursday friday saturday sunday eur usd gbp iban".split())
)


class RoleValue(NamedTuple):
    """A value of a text.

    Args:
        shape: one of `SHAPES`; for an id with the letters in front of its digits: `id q`.
        value: the spelling that is compared.
        start: place of its first character.
        end: place behind its last character.
    """

    shape: str
    value: str
    start: int
    end: int


def list_role_values(text: str) -> list[RoleValue]:
    """List the values of a text that have a shape. Names are those within the text, not a capital at its beginning."""
    found: list[RoleValue] = []
    if _SIGN.search(text) is not None:
        for match in islice(_VALUE.finditer(text), _MAX_FOUND):
            found += _read_value(match)
    rest = text
    for value in found:
        rest = rest[: value.start] + "0" * (value.end - value.start) + rest[value.end :]
    return found if rest.isupper() else [*found, *islice(_find_names(rest), _MAX_FOUND)]


def _read_value(match: re.Match[str]) -> Iterator[RoleValue]:
    """Read one value; a number may have several readings, and a day or a time has none."""
    shape, written = match.lastgroup or "", match[0]
    if match["id"] is not None:
        yield RoleValue(f"{ID} {match['sort'].lower()}", written.casefold(), *match.span())
    elif shape == NUMBER:
        for number in canonicalize_amounts(match[NUMBER]):
            yield RoleValue(NUMBER, number, *match.span())
    elif shape == IBAN:
        yield RoleValue(IBAN, written.replace(" ", ""), *match.span())
    elif shape == DIGITS:
        digits = "".join(filter(str.isdigit, written))
        yield RoleValue(DIGITS, digits, *match.span())
    elif shape != "date":
        kept = written.rstrip(".,;:!?'’")
        yield RoleValue(shape, kept.casefold().rstrip("/"), match.start(), match.start() + len(kept))


def _find_names(text: str) -> Iterator[RoleValue]:
    """Find the words with capitals that stand side by side, also with "of" or the like between them."""
    run: list[re.Match[str]] = []
    for match in _CAPITAL.finditer(text):
        word = match[0].lower()
        is_name = match[0][0].isupper() and word not in _NO_NAMES and word[:2] not in ("i'", "i’")
        if run and (not is_name or _BETWEEN.fullmatch(text, run[-1].end(), match.start()) is None):
            yield _make_name(text, run)
            run = []
        if is_name and (run or word not in STOP_WORDS):
            run.append(match)
    if run:
        yield _make_name(text, run)


def _make_name(text: str, run: Sequence[re.Match[str]]) -> RoleValue:
    start, end = run[0].start(), run[:_MAX_NAME][-1].end()
    return RoleValue(NAME, text[start:end].casefold(), start, end)


def list_parts(name: str) -> list[str]:
    """List the words and the runs of words of a name, itself among them."""
    words = name.split()[:_MAX_WORDS]
    return [" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)]


def read_argument(text: str) -> list[RoleValue]:
    """Read the value of an argument: its readings if it is one value of a shape; else a name if it is only words."""
    stripped = text.strip()
    whole = [item for item in list_role_values(stripped) if item.end - item.start >= len(stripped) - 1]
    if whole or not stripped:
        return whole
    words = stripped.split()
    if len(words) > _MAX_WORDS or not all(word.replace("-", "").replace("'", "").isalpha() for word in words):
        return []
    return [RoleValue(NAME, " ".join(words).casefold(), 0, len(stripped))]
