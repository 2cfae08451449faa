"""Several arguments that are one value together: a sort code and an account number, a first and a last name.

    find_joined_values([("sort_code", "12-34-56"), ("account", "12345678")])
    # leaves 0 and 1: the account 12-34-56 12345678

Each part can stand in a vouching text although the whole does not: the code of one account with the number of
another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.kinds.numbers import join_bank_account
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.argument_forms import ArgumentValue, parse_argument

_MAX_PART: Final = 256  # characters of a part
_MAX_ADJACENT: Final = 32  # short leaves that are joined
_MAX_ROW: Final = 3  # leaves that are joined at a time
_MIN_PIECE: Final = 4  # characters of a part of a number
_MIN_PIECES: Final = 8  # characters of a number that was put together
_MAX_PIECES: Final = 40
_YEAR: Final = compile_later(r"(?:19|20)[0-9]{2}")
_SPLIT_NUMBER: Final = compile_later(r"[A-Za-z]{0,4}[0-9]+(?:[ -][0-9]+)?")

_BANK_NAMES: Final = frozenset({"sort", "rout", "aba", "bsb", "blz", "transit", "bankcod", "bank"})
_ACCOUNT_NAMES: Final = frozenset({"account", "acct", "accountnumb"})
_NUMBER_NAMES: Final = frozenset({"number", "no", "nr"})
"""Stems of names that hold an account beside a bank code, where none is called one."""
_FIRST_NAMES: Final = frozenset({"first", "given", "forenam", "firstnam"})
_LAST_NAMES: Final = frozenset({"last", "family", "surnam", "lastnam"})
_LOCAL_NAMES: Final = frozenset({"local", "localpart", "mailbox", "user", "usernam"})
_DOMAIN_NAMES: Final = frozenset({"domain", "host", "hostnam", "server"})
_FAMILIES: Final = (
    ("bank", _BANK_NAMES, _ACCOUNT_NAMES),
    ("name", _FIRST_NAMES, _LAST_NAMES),
    ("email", _LOCAL_NAMES, _DOMAIN_NAMES),
)


@lru_cache(maxsize=2048)
def _find_roles(name: str) -> tuple[tuple[str, int], ...]:
    """Find the families that an argument's name belongs to, and whether it is the first or the second part."""
    words = frozenset(split_name(name))
    return tuple(
        (family, part)
        for family, *parts in _FAMILIES
        for part, names in enumerate(parts)
        if not words.isdisjoint(names)
    )


def names_part(name: str) -> bool:
    """Whether an argument is named like a part of a value, such as the code of a bank or a first name."""
    return bool(_find_roles(name))


def _assign_roles(named: Sequence[tuple[str, str]]) -> dict[tuple[str, int], int]:
    """Assign the leaves to the parts of each family; if several have the same name, the first one counts."""
    roles: dict[tuple[str, int], int] = {}
    for i, (name, text) in enumerate(named):
        for role in _find_roles(name):
            if len(text) <= _MAX_PART:
                roles.setdefault(role, i)
    code = roles.get(("bank", 0))
    if code is not None and ("bank", 1) not in roles:
        numbers = (i for i, (name, _) in enumerate(named) if not _NUMBER_NAMES.isdisjoint(split_name(name)))
        number = next((i for i in numbers if i != code and len(named[i][1]) <= _MAX_PART), None)
        if number is not None:
            roles["bank", 1] = number
    return roles


def find_joined_values(named: Sequence[tuple[str, str]]) -> Iterator[tuple[tuple[int, int], list[ArgumentValue]]]:
    """Find pairs of leaves that are one value together: their positions, and the spellings of the value.

    Args:
        named: (name of the argument, text) of each leaf.
    """
    roles = _assign_roles(named)
    if len(roles) < 2:
        return
    for family, *_ in _FAMILIES:
        first, second = roles.get((family, 0)), roles.get((family, 1))
        if first is not None and second is not None and first != second:
            values = _join(family, named[first][1].strip(), named[second][1].strip())
            if values:
                yield (first, second), values


def _join(family: str, first: str, second: str) -> list[ArgumentValue]:
    if family == "bank":
        if not any(map(str.isdigit, first)):
            return []  # the name of a bank
        return [ArgumentValue(Kind.ACCOUNT, f"{first} {second}", (Form("joint", join_bank_account(first, second)),))]
    if family == "email":
        if "@" in first or "." not in second:
            return []
        return parse_argument(f"{first}@{second}")
    names = (f"{first} {second}", f"{second}, {first}", f"{second} {first}")
    return [ArgumentValue(Kind.HANDLE, name, (), in_words=True) for name in names]


def iter_adjacent(short: Sequence[int], texts: Sequence[str]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Iterate over rows of adjacent short leaves (two, three, all of them): their positions and their joined text."""
    short = short[:_MAX_ADJACENT]
    for size in range(2, min(_MAX_ROW, len(short)) + 1):
        for start in range(len(short) - size + 1):
            members = tuple(short[start : start + size])
            if members[-1] - members[0] == size - 1:
                yield members, "".join(texts[i].strip() for i in members)
    if len(short) > _MAX_ROW:
        yield tuple(short), "".join(texts[i].strip() for i in short)


def find_joined_form(text: str) -> Form | None:
    """Find the form of a number or an address that was split into parts."""
    if text.isascii() and text.isdigit():
        return Form("digits", text)
    address = canonicalize_email(text) if "@" in text else None
    return Form("email", address) if address is not None else None


def list_pieces(text: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """List the pairs of pieces that make up a number or an address, each as the tokens of a text.

    "44400" and "02228" of `4440002228`; "max@" and "haulier.example" of `max@haulier.example`. Of a local part and a
    domain, one has the sign with it: otherwise, any word of a text would be an address at any domain.
    """
    if "@" in text:
        local, _, domain = text.partition("@")
        is_address = local and "." in domain and "@" not in domain
        return [((f"{local}@",), (domain,)), ((local,), ("@", domain))] if is_address else []
    if not _MIN_PIECES <= len(text) <= _MAX_PIECES or _SPLIT_NUMBER.fullmatch(text) is None:
        return []
    first, _, second = text.replace("-", " ").partition(" ")
    joined = first + second
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for place in (len(first),) if second else range(_MIN_PIECE, len(joined) - _MIN_PIECE + 1):
        found.append(((joined[:place],), (joined[place:],)))  # noqa: PERF401  a comprehension is a call
    return found


def is_piece(piece: str) -> bool:
    """Whether a part of a number is long enough to be kept by itself, and no year, which is in most texts."""
    return len(piece) >= _MIN_PIECE and _YEAR.fullmatch(piece) is None


def make_number(piece: str) -> ArgumentValue:
    """Make the value of a piece of a number."""
    return ArgumentValue(Kind.ACCOUNT, piece, (Form("digits", piece),))
