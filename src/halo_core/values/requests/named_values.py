"""What a text of the user names: files, accounts, ids, patterns. Then it asks for no other one of that sort.

find_named_sorts("forward mail 12 and ticket T-19")   # the sorts "t" and "message"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later

NAMED_FILE: Final = Form("named_file", "")
"""The user names a file."""
NAMED_ACCOUNT: Final = Form("named_account", "")
"""The user names an account, or an address for payments."""
DICTATED: Final = Form("dictated", "")
"""The user dictates a text, behind a colon or in quotation marks."""
_DICTATED: Final = compile_later(
    r"\w:\s+[^\W\d]\w*(?:[^\w\n]+\w+){2}|[\"“„«][^\W_]+(?:[^\w\n\"”“»]+\w+){2}|(?<!\w)['‘]\w+(?:[^\w\n'’]+\w+){2}"
)
_FILE: Final = compile_later(
    r"(?<![\w@/])[\w-]{1,64}\.(?:pdf|docx?|xlsx?|csv|txt|md|pptx?|zip|png|jpe?g|odt|ods|json|xml)\b"
    r"|\b(?i:documents?|docs?|files?|reports?|contracts?|photos?|pictures?)\s[\"'“„«]?(?:[A-Z][\w-]*[0-9-]|[A-Za-z]+[-_]?[0-9])"
)
_ACCOUNT: Final = compile_later(
    r"\b[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3}"
    r"|\b(?i:accounts?|iban|konto|bank(?: details)?|compte|cuenta|conto)\b[^.!?\n0-9]{0,40}"
    r"[0-9](?:[ -]?[0-9]){7}"
    r"|\b(?i:pay|pays|paid|paying|payments?|checkout|billing|donations?|invoices?)\b[^.!?\n]{0,60}"
    r"(?:https?://|\bwww\.|(?<![\w@.])[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}/)"
)


def find_named_values(text: str) -> Iterator[Form]:
    """Find out whether a text names a file, says how to pay or dictates a text.

    `NAMED_FILE` (`r.pdf`, "the document Plan-7"), `NAMED_ACCOUNT` and `DICTATED` say so.
    """
    if _FILE.search(text) is not None:
        yield NAMED_FILE
    if _ACCOUNT.search(text) is not None:
        yield NAMED_ACCOUNT
    if _DICTATED.search(text) is not None:
        yield DICTATED


_MAX_IDS: Final = 64
ID_OF_SORT: Final = compile_later(r"(?<![\w/.@-])([A-Za-z]{1,8})[-_/#]?[0-9][\w-]{0,15}(?![\w@-])")
_NUMBERED: Final = compile_later(
    r"([^\W\d_]{3,24})(?: (?:no|nr|number|id)\.?)? #?[0-9]{1,6}(?![\w.,]?[0-9])", re.IGNORECASE
)


def find_named_sorts(text: str) -> Iterator[Form]:
    """Find the sorts of what the user names by an id or a number: `T` of T-19, "mail" of "mail 12".

    The empty sort says that something is named by a number.
    """
    for match in islice(ID_OF_SORT.finditer(text), _MAX_IDS):
        yield make_form(("id_sort", match[1].lower()))
    for match in islice(_NUMBERED.finditer(text), _MAX_IDS):
        yield make_form(("number_sort", to_numbered_noun(singularize(match[1].lower()))))
        yield make_form(("number_sort", ""))


_NAMED_SORT: Final = compile_later(
    r"\b(tables?|sheets?|lists?|folders?|albums?|reports?|documents?|datasets?|databases?|collections?|projects?|boards?"
    r"|playlists?|galler(?:y|ies)|repos?|repositor(?:y|ies)|branch(?:es)?|buckets?|indexe?s?|wikis?|pages?|views?|threads?"
    r"|messages?|templates?|forms?|surveys?|records?|tabelle|liste|ordner)"
    r" (?:(?:called|named|titled|namens) )?[\"'“„«]?([^\W\d_][\w-]*)",
    re.IGNORECASE,
)
_BEFORE_SORT: Final = compile_later(
    r"\b(?:the|our|my|this) [\"'“„«]?([^\W\d_][\w-]+)[\"'”“»]? (table|sheet|list|folder|album|report|dataset|database"
    r"|collection|project|board|playlist|repo|repository|branch|bucket|index|view|template|form|survey)\b",
    re.IGNORECASE,
)
_NO_NAMES: Final = STOP_WORDS | frozenset(
    "where with about over under between whole entire last latest newest next first new old current same other right "
    "wrong full short long complete final attached enclosed following above below says say that which who".split()
)


def find_named_nouns(text: str) -> Iterator[Form]:
    """Find the nouns of which the user names one: `table` of "the rows of the table visits"."""
    for pattern, noun, name in ((_NAMED_SORT, 1, 2), (_BEFORE_SORT, 2, 1)):
        for match in islice(pattern.finditer(text), _MAX_IDS):
            if match[name].lower() not in _NO_NAMES:
                yield make_form(("named_noun", singularize(match[noun].lower())))


_PATTERN: Final = compile_later(r"[^\s\"'`“”„«»<>,;()]*[*%][^\s\"'`“”„«»<>,;()]*")
_WILDCARD: Final = compile_later(r"(?<![^\W_])[*%]|[*%](?![^\W_])")
"""A star for any characters. Between letters and digits it is a part of an id: `DE*ACM*E0441`."""


def find_written_patterns(text: str) -> Iterator[Form]:
    """Find the patterns that the user writes: `2019-*.jpg`."""
    if _WILDCARD.search(text) is None:
        return
    for match in islice(_PATTERN.finditer(text), _MAX_IDS):
        if _WILDCARD.search(match[0]) is not None:
            yield make_form(("pattern", match[0].rstrip(".:!?")))
