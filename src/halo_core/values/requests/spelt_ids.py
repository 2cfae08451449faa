"""Ids of letters and digits, versions and e-mail addresses that people spell otherwise than a system does.

    find_spelt_ids("close hd 8301 and HD8302")     # ("spelt_id", "HD8302"); "hd 8301" may be anything
    write_out_addresses("ana (at) corp.example")   # "ana@corp.example"
    list_spellings("hd-8301")                      # ["hd-8301", "hd8301", "hd_8301", ..., "8301"]

The letters, the digits and their order are the same, so no other record of a system is meant. Where letters and digits
stand apart, only capitals count: "mail 12" is no id.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.patterns import compile_later
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_MAX_IDS: Final = 64
_ID: Final = compile_later(r"([A-Za-z]{1,8})[ _/#-]?([0-9]{2,12})")
_IN_TEXT: Final = compile_later(
    r"(?<![\w./@-])(?:([A-Za-z]{1,8})[-_/#]?|([A-Z]{1,8}) )([0-9]{2,12})(?![\w@/-]|[.,:][0-9]|\.\w)"
)
_NO_ID: Final = frozenset(
    "AM AT BY CHF CZK DKK EUR GBP IN JPY NO NOK NR OF ON OR PLN PM SEK TO TRY UK UP US USD".split()
)
"""Capitals in front of a number that is no id."""
_VERSION: Final = compile_later(r"[vV]?([0-9]{1,6}(?:\.[0-9]{1,6}){1,3}(?:-[A-Za-z0-9.]{1,24})?)")
_SIGNS: Final = ("-", "", "_", "/", "#")
_SPELT_ADDRESS: Final = compile_later(
    r"(?<![\w.@+-])([A-Za-z0-9][\w.+-]{0,62}) ?(?:[\[(]\s?(?:at|ät)\s?[\])]) ?"
    r"([\w-]{1,63}(?:(?:\.| ?[\[(]\s?(?:dot|punkt)\s?[\])] ?)[\w-]{1,63}){1,6})(?![\w@-])"
    r"|(?<![\w.@+-])([A-Za-z0-9][\w.+-]{0,62}) at ([\w-]{1,63}(?: dot [\w-]{1,63}){1,4})(?![\w@-])"
)
_SPELT_SIGNS: Final = ("(at", "[at", "( at", "[ at", "(ät", "[ät", " dot ")
"""Every address that is spelt out contains one of these."""
_DOT: Final = compile_later(r" ?[\[(]\s?(?:dot|punkt)\s?[\])] ?| dot ")


def find_spelt_ids(text: str) -> Iterator[Form]:
    """Find the ids of letters and digits in a text of the user, however they are spelt."""
    for match in islice(_IN_TEXT.finditer(text), _MAX_IDS):
        letters = (match[1] or match[2]).upper()
        if match[1] is not None or letters not in _NO_ID:
            yield make_form(("spelt_id", letters + match[3]))


def is_spelt_otherwise(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote an id or a version in another spelling: "hd8301" for `HD-8301`, "v4.2" for `4.2`."""
    if (match := _ID.fullmatch(text)) is not None:
        is_spelt = has_user_mark(sketch.look_up_forms([Form("spelt_id", match[1].upper() + match[2])]))
        # INVARIANT: VOUCH - in the user's own words, and not in those of a text that was pasted.
        return is_spelt and any(is_written(sketch, spelling) for spelling in list_spellings(text))
    version = _VERSION.fullmatch(text)
    if version is None:
        return False
    return any(is_written(sketch, spelling) for spelling in (version[1], f"v{version[1]}"))


def list_spellings(token: str) -> list[str]:
    """List the tokens by which people may write an id, its digits alone last."""
    match = _ID.fullmatch(token)
    return [] if match is None else [*(match[1] + sign + match[2] for sign in _SIGNS), match[2]]


def write_out_addresses(text: str) -> str:
    """Write e-mail addresses that a text spells out with their signs: "ana (at) corp.example"."""
    if not any(map(text.lower().__contains__, _SPELT_SIGNS)):
        return text
    return _SPELT_ADDRESS.sub(lambda match: f"{match[1] or match[3]}@{_DOT.sub('.', match[2] or match[4])}", text)
