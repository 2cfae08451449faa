"""Room: manifest, values with a meaning. Takes: items. Gives: integers, words, names. Never: floats, rounding.

Each reader reports what is wrong and gives None, so that the rest of the file is still read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import partial
from typing import Final

from halo_core.manifest.nodes import Item, did_you_mean, printable
from halo_core.passports import is_resource_id

_DURATION: Final = re.compile(r"([1-9][0-9]{0,6})(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PERCENT: Final = re.compile(r"(0|[1-9][0-9]{0,2})(?:\.([0-9]{1,4}))?%")
_AMOUNT: Final = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,15}))?")
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,63}")
_LIMIT: Final = 2**53
_MAX_ITEMS: Final = 256


def read_integer(item: Item, low: int, high: int = _LIMIT - 1) -> int | None:
    """A whole number from `low` to `high`, in plain digits."""
    if item.kind() in ("str", ""):
        item.fail("a whole number is expected", "write plain digits, without quotes")
        return None
    value = item.scalar()
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        most = "" if high == _LIMIT - 1 else f" and at most {high:,}"
        item.fail(f"a whole number of at least {low:,}{most} is expected")
        return None
    return value


def read_boolean(item: Item) -> bool | None:
    """`true` or `false`."""
    value = item.scalar()
    if value is not None and not isinstance(value, bool):
        item.fail("`true` or `false` is expected", "write true or false")
        return None
    return value


def read_word(item: Item, words: Iterable[str]) -> str | None:
    """One of a few words."""
    value = item.text()
    choices = list(words)
    if value is not None and value not in choices:
        item.fail(f"`{printable(value)}` is not a valid value here", partial(did_you_mean, value, choices))
        return None
    return value


def read_texts(item: Item, *, labels: bool = False) -> tuple[str, ...] | None:
    """A list of distinct texts, in order of the alphabet; with `labels` lowercase ASCII."""
    if not _check_list(item):
        return None
    values: set[str] = set()
    for member in item.sequence():
        value = member.text(most=256)
        if value is None:
            continue
        if labels and not _LABEL.fullmatch(value):
            member.fail(f"`{printable(value)}` is not a valid label", "use lowercase letters, digits and `_ . : -`")
        elif value in values:
            member.fail(f"`{printable(value)}` occurs twice", "keep one of them")
        else:
            values.add(value)
    return tuple(sorted(values))


def _check_list(item: Item) -> bool:
    """Whether it is a list that is worth walking."""
    if not item.is_sequence():
        item.fail("a list is expected", "write `[one, two]`")
        return False
    if len(item.node.value) > _MAX_ITEMS:
        item.fail(f"more than {_MAX_ITEMS} items", "use fewer")
        return False
    return True


def read_names(item: Item, allowed: Collection[str], noun: str) -> tuple[str, ...] | None:
    """A list of known names."""
    if not _check_list(item):
        return None
    values: set[str] = set()
    for member in item.sequence():
        value = member.text(most=256)
        if value is None:
            continue
        if value not in allowed:
            member.fail(f"there is no {noun} `{printable(value)}`", partial(did_you_mean, value, allowed))
        elif value in values:
            member.fail(f"`{printable(value)}` occurs twice", "keep one of them")
        else:
            values.add(value)
    return tuple(sorted(values))


def check_name(item: Item, text: str) -> bool:
    """Whether a passport can name `text`."""
    if is_resource_id(text):
        return True
    item.fail(f"`{printable(text)}` is not a valid name in a passport", "use 1 to 128 of `A-Z a-z 0-9 _ . : / @ -`")
    return False


def read_duration(item: Item, most_s: int) -> int | None:
    """Seconds of `90s`, `30m`, `8h` or `90d`."""
    value = item.node.value if item.kind() in ("str", "int") else item.text()
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if value is None:
        return None
    if match is None:
        item.fail(f"`{printable(str(value))}` is not a duration", "write a number and s, m, h or d, for example `30m`")
        return None
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > most_s:
        item.fail(f"at most {most_s // 86_400} days are possible")
        return None
    return seconds


def read_percent(item: Item) -> int | None:
    """Millionths of `50%`."""
    value = item.node.value if item.kind() in ("int", "float") else item.text()
    if value is None:
        return None
    match = _PERCENT.fullmatch(value)
    millionths = int(match[1]) * 10_000 + int((match[2] or "").ljust(4, "0")) if match else -1
    if not 0 <= millionths <= 1_000_000:
        item.fail(f"`{printable(value)}` is not a share of full authority", "write 0% to 100%, for example `50%`")
        return None
    return millionths


def read_amount(item: Item, decimals: int) -> int | None:
    """A positive amount in units of 10**-decimals: digits, or a quoted decimal number; never a YAML float."""
    kind = item.kind()
    if kind == "float":
        item.fail("a YAML number with a fraction is not exact", f'quote it: `"{printable(item.node.value)}"`')
        return None
    if kind not in ("str", "int"):
        item.fail("an amount is expected", 'write it as text, for example `"500.00"`')
        return None
    match = _AMOUNT.fullmatch(item.node.value)
    if match is None:
        item.fail(f"`{printable(item.node.value)}` is not an amount", 'write a positive number, for example `"500.00"`')
        return None
    fraction = match[2] or ""
    if len(fraction) > decimals:
        item.fail(f"more than {decimals} decimals", "round it, or raise `decimals`")
        return None
    value: int = int(match[1]) * 10**decimals + int(fraction.ljust(decimals, "0") or "0")
    if not 0 < value < _LIMIT:
        item.fail("an amount must be above zero and below 2**53", "omit a unit to grant none of it")
        return None
    return value
