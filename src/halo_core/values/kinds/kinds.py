"""Kinds of values, and their canonical forms.

    Form("email", "ana@x.example")   # of `Ana@X.example`, `mailto:ana@x.example` and `Ana <ana@x.example>`

Two spellings have the same form only if every system that receives them delivers to the same place. docs/values.md
lists the canonical spelling of each kind.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple


class Kind(StrEnum):
    """What a value names."""

    ACCOUNT = "account"
    EMAIL = "email"
    URL = "url"
    HOST = "host"
    TELEPHONE = "telephone"
    HANDLE = "handle"
    PATH = "path"
    AMOUNT = "amount"
    DATE = "date"
    PROGRAM = "program"
    TEXT = "text"


TARGET_KINDS: Final = frozenset(
    {Kind.ACCOUNT, Kind.EMAIL, Kind.URL, Kind.HOST, Kind.TELEPHONE, Kind.PATH, Kind.PROGRAM}
)
"""Kinds whose values are always targets, whatever the argument is called. A handle is a target if declared."""
PLACES: Final = frozenset({Kind.URL, Kind.HOST})
"""Kinds of values that are places at a host."""


class Form(NamedTuple):
    """A canonical spelling.

    Args:
        domain: which spellings are compared: `iban`, `digits`, `joint` (bank code and account number), `email`, `url`,
            `host`, `site` (registrable domain), `path`, `amount`, `date`, `numbered` (a short number and its noun),
            `listed` (a word or short number that is an item of a trusted lookup), `item` (an id in one), `skeleton`
            (how an address looks);
            of texts of the user alone `verb` (stem of a word that asks for an act), `named` and `thing` (words used as
            names), `ceiling` (amounts up to the sum), `stated` (a payee and an amount), `id_number`.
        text: the canonical spelling.
    """

    domain: str
    text: str


make_form: Final[Callable[[tuple[str, str]], Form]] = partial(tuple.__new__, Form)
"""Make a form of its members. Faster than the constructor of a named tuple, which is a Python function."""

MAX_FORMS: Final = 4_096
"""Most forms of one text that are kept."""
SUSPICION_DOMAINS: Final = frozenset({"skeleton", "site"})
"""Domains that never vouch for a value. They only raise suspicion or describe a value."""

CARRIED_DOMAINS: Final = frozenset({"iban", "digits", "joint", "email", "url", "host"})
"""Domains of values that name one place; an item of a conversation carries them into a later session."""
MAX_CARRIED: Final = 64
"""Most values that one item carries."""

ANY_SITE: Final = Form("site", "")
"""Form of every text that names a registrable domain."""
RESPELLED: Final = "respelled"
"""Flag: the value is vouched for in another spelling."""
SUSPICIOUS: Final = "suspicious"
"""Flag: hidden characters, look-alike letters, user information before a host, `..` in a path, an encoded value."""
SAME_SITE: Final = "same_site"
"""Flag: the value is not vouched for, but another address of its registrable domain is."""
