"""Whether a value of a call is the one that a listed order gives.

    are_equal_values("DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "iban", is_target=True)    # True
    are_equal_values("Hall C", "Hall D", "hall")                                                         # False

Containers are compared member by member, so two members that change places make another value.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.kinds.amounts import canonicalize_amounts, trim_number
from halo_core.values.kinds.argument_names import names_amount, names_somebody, names_thing, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.patterns import compile_later
from halo_core.values.programs.sql_programs import write_sql_tokens
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.leaves import Leaf

_CANONICAL_KINDS: Final = frozenset({Kind.EMAIL, Kind.URL, Kind.HOST, Kind.ACCOUNT, Kind.TELEPHONE})
"""Kinds whose values are equal if their canonical forms are."""
_GROUPED_KINDS: Final = frozenset({Kind.ACCOUNT, Kind.TELEPHONE})
_PLAIN_NUMBER: Final = compile_later(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,9})?")
_SWITCHES: Final = {"true": True, "false": False}
_CONTAINERS: Final = (Mapping, list, tuple)
_MAX_CACHED: Final = 2_048  # characters
_DIALLED_NAMES: Final = frozenset(
    "number numer nummer numero número phone telephone telefon tel mobile cell account konto compte cuenta card".split()
)
"""Words in names of arguments whose digits may stand in groups."""
_SORT_NAMES: Final = frozenset("group role team type kind class category plan tier".split())
"""Words in names of arguments that hold one of a few sorts, of which one may have the name of another in its own."""
_MAX_WRITTEN: Final = 4_096  # characters
_MOMENT: Final = compile_later(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(?::00)?(Z?)")
_MAX_ADDRESS: Final = 254  # characters
_MIN_NAME: Final = 2  # letters of a word of somebody's name
_LETTERS: Final = compile_later(r"[^\W\d_]+")
_NAME: Final = compile_later(r"[^\W\d_]+(?:[ '’-]+[^\W\d_]+|\. )*\.?")
_NUMBER_OF_RECORD: Final = compile_later(r"(?=.*[0-9])[\w -]{1,64}")


def are_equal_values(
    value: Any, ordered: Any, name: str, *, is_target: bool = False, is_unordered: bool = False
) -> bool:
    """Whether a value of a call is the one that an order gives.

    Spellings of an address, an account, a telephone number or an amount are one value. Other texts may differ in
    blanks, hyphens and underscores, in upper and lower case, and in one word of the argument's name in front or behind.
    An identifier, the name of a file and a path are exact.

    Args:
        value: of the call.
        ordered: of the order.
        name: of the argument, or of the member in it.
        is_target: it is declared as a target.
        is_unordered: if these are lists of plain values, their items may be in another order.
    """
    if isinstance(value, Mapping) or isinstance(ordered, Mapping):
        return (
            isinstance(value, Mapping)
            and isinstance(ordered, Mapping)
            and value.keys() == ordered.keys()
            and all(are_equal_values(value[key], ordered[key], str(key), is_target=is_target) for key in ordered)
        )
    items, ordered_items = _to_items(value), _to_items(ordered)
    if len(items) != len(ordered_items):
        return False
    if any(isinstance(item, _CONTAINERS) for item in (*items, *ordered_items)):
        are_lists = isinstance(value, list | tuple) and isinstance(ordered, list | tuple)
        return are_lists and all(
            are_equal_values(item, other, name, is_target=is_target)
            for item, other in zip(items, ordered_items, strict=True)
        )
    has_number = any(isinstance(item, int | float) for item in (*items, *ordered_items))
    keys, ordered_keys = (
        [_list_keys(item, name, is_target, is_unordered, has_number) for item in group]
        for group in (items, ordered_items)
    )
    if is_unordered:
        return _have_partners(keys, ordered_keys)
    return all(not one.isdisjoint(other) for one, other in zip(keys, ordered_keys, strict=True))


def _have_partners(keys: Sequence[frozenset[tuple[str, str]]], others: Sequence[frozenset[tuple[str, str]]]) -> bool:
    """Whether each item has an equal one of its own among the others, of which there are as many."""
    remaining = list(others)
    for one in keys:
        partner = next((other for other in remaining if not one.isdisjoint(other)), None)
        if partner is None:
            return False
        remaining.remove(partner)
    return True


def _to_items(value: Any) -> Sequence[Any]:
    """The items of a list; a value that is no list is one item, since tools take one for the other."""
    return value if isinstance(value, list | tuple) else (value,)


def _list_keys(value: Any, name: str, *flags: bool) -> frozenset[tuple[str, str]]:
    """List the keys of a plain value: two values are one if they have a key in common.

    Args:
        value: a text, a number, a switch or None.
        name: of its argument.
        flags: whether it is a target, whether lists may be in any order, whether it is compared with a number.
    """
    if isinstance(value, str):
        find_keys = _list_keys_of_text if len(value) <= _MAX_CACHED else _list_keys_of_text.__wrapped__
        return find_keys(value, name, *flags)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return frozenset((("number", trim_number(format(Decimal(str(value)), "f"))), ("text", str(value))))
    return frozenset((("constant", str(value)),))


@lru_cache(maxsize=1024)
def _list_keys_of_text(
    text: str,
    name: str,
    is_target: bool,  # noqa: FBT001  here and below: private, for the cache
    is_unordered: bool,  # noqa: FBT001
    has_number: bool,  # noqa: FBT001
) -> frozenset[tuple[str, str]]:
    """List the keys of a text; cached, since a call is compared with each order."""
    names = split_argument_name(name)
    values = parse_argument(text, names, is_target=is_target)
    if any(value.kind is Kind.PROGRAM for value in values):
        return frozenset((("program", write_sql_tokens(text) or text),))
    if all(value.kind in _CANONICAL_KINDS and value.forms and not value.flags for value in values) and (
        not any(value.kind in _GROUPED_KINDS for value in values) or _is_grouped(text, names)
    ):
        forms = [sorted(value.forms) for value in values]
        return frozenset((("forms", repr(sorted(forms) if is_unordered else forms)),))
    written = _write_words(text, names)
    keys = {("text", written)}
    if names_amount(name):
        if _PLAIN_NUMBER.fullmatch(written) is not None:
            keys.add(("number", trim_number(written)))
        elif has_number and len(amounts := canonicalize_amounts(text)) == 1:
            keys.add(("number", amounts[0].split(" ")[0]))  # of "312,40 EUR"
    if (switch := _SWITCHES.get(written)) is not None:
        keys.add(("constant", str(switch)))
    return frozenset(keys)


def _is_grouped(text: str, names: Sequence[str]) -> bool:
    """Whether the digits of a number may stand in groups: it is an IBAN, or its argument holds such numbers."""
    return text[:2].isalpha() or not _DIALLED_NAMES.isdisjoint(names)


def _write_words(text: str, names: Sequence[str]) -> str:
    """Write words in one spelling, without one word of the argument's name: "Building C" as `c` of `building`.

    A path is left as it is, and so is an identifier: a word with a digit, or with upper and lower case behind its first
    letter.
    """
    if len(text) > _MAX_WRITTEN:
        return text  # composing its signs may take the square of its length
    text = unicodedata.normalize("NFC", text)
    if "/" in text or "\\" in text:
        return text.strip()
    if (moment := _MOMENT.fullmatch(text.strip())) is not None:
        return f"{moment[1]} {moment[2]}{moment[3]}"
    if not any(sign.isdigit() or sign in "@." for sign in text):
        text = text.lstrip("#").replace("_", " ").replace("-", " ")
    words = text.split()
    if len(words) > 1 and len(names) == 1:  # of `branch_or_tag`, the word says which
        own_word = singularize(names[0])
        begins = singularize(words[0].lower()) == own_word
        ends = not begins and singularize(words[-1].lower()) == own_word
        words = words[begins : len(words) - ends]
    return " ".join(word if _is_identifier(word) else word.lower() for word in words)


def _is_identifier(word: str) -> bool:
    has_dot = "." in word[1:-1]
    return has_dot or any(map(str.isdigit, word)) or word[1:] not in (word[1:].lower(), word[1:].upper())


def are_looked_up(leaves: Sequence[Leaf], ordered: Any, name: str, *, is_target: bool, is_unordered: bool) -> bool:
    """Whether values that trusted lookups returned can be those of the persons or things that an order names.

    "Labor Wenger" for "wenger"; of a target also `f.diallo@corp.example` for "Fatou Diallo", and `C-30418` for "Tobias
    Winkelmann". Not for an argument that names a thing of a system, such as an environment or a group.

    Args:
        leaves: of one argument.
        ordered: what the order gives for it: a text, or a list of texts.
        name: of the argument.
        is_target: it is declared as a target.
        is_unordered: the values may be in another order.
    """
    names = list(ordered) if isinstance(ordered, list) else [ordered]
    if len(leaves) != len(names) or not all(isinstance(item, str) and _NAME.fullmatch(item) for item in names):
        return False
    is_thing = names_thing(name) or not _SORT_NAMES.isdisjoint(split_argument_name(name))
    if is_thing or not (is_target or names_somebody(name)):
        return False
    if not is_unordered:
        pairs = zip(leaves, names, strict=True)
        return all(_can_be_of(leaf.text, item, is_target=is_target) for leaf, item in pairs)
    for leaf in leaves:
        found = next((item for item in names if _can_be_of(leaf.text, item, is_target=is_target)), None)
        if found is None:
            return False
        names.remove(found)
    return True


def _can_be_of(value: str, name: str, *, is_target: bool) -> bool:
    """Whether a value can be the full name, the address or the number of who or what has a name.

    A full name has each word of the name. Any number can be somebody's.
    """
    words = [word for word in _LETTERS.findall(_to_plain_letters(name)) if len(word) >= _MIN_NAME]
    if not words:
        return False
    if _NAME.fullmatch(value) is not None:
        return set(words) <= set(_LETTERS.findall(_to_plain_letters(value)))
    if "@" in value:
        return is_target and _is_address_of(value, words)
    return is_target and _NUMBER_OF_RECORD.fullmatch(value) is not None


def _is_address_of(value: str, words: Sequence[str]) -> bool:
    """Whether an address has the last word of a name in front of the `@`, alone or with the first or its initial."""
    if len(value) > _MAX_ADDRESS or canonicalize_email(value) is None or len(value.split()) != 1:
        return False
    parts = _LETTERS.findall(_to_plain_letters(value.partition("@")[0]))
    first, last = words[0], words[-1]
    if last in parts:
        return len(words) == 1 or parts == [last] or first in parts or first[0] in parts
    return bool({first[0] + last, first + last, last + first[0], last + first}.intersection(parts))


def _to_plain_letters(text: str) -> str:
    """Letters without accents, in lower case."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).lower()
