"""Readers of a manifest's values and of its declarations of tools, retrievers and models.

Each reader reports what is wrong with its item and returns None, so that the rest of the file is still read. A
declaration says of a resource what `guard(x, resource=Resource(...))` would, by name or by a pattern: `*` stands for
any run of characters, `?` for one, and no resource id can hold either. Numbers are read exactly, never as floats.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final

from halo_core.durations import DAY_S
from halo_core.errors import BadInput
from halo_core.manifest.nodes import Item, Remedy, did_you_mean, printable
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.passports import is_resource_id
from halo_core.values.programs.languages import SQL_DIALECTS

SECTIONS: Final = {
    "tools": ActionKind.TOOL_CALL,
    "retrievers": ActionKind.RETRIEVAL,
    "models": ActionKind.INFERENCE,
}
"""Section of a manifest, and of an agent in it, by action kind."""
_MAX_TRUST: Final = 1000
_READ_ONLY: Final = frozenset({ActionKind.RETRIEVAL, ActionKind.INFERENCE})
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.:/@ *?-]{1,128}")
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
    """A word out of `words`."""
    value = item.text()
    choices = list(words)
    if value is not None and value not in choices:
        item.fail(f"`{printable(value)}` is not a valid value here", partial(did_you_mean, value, choices))
        return None
    return value


def read_texts(item: Item, *, labels: bool = False) -> tuple[str, ...] | None:
    """A list of distinct texts, sorted; with `labels` each must be a label of lowercase ASCII."""

    def find_problem(value: str) -> tuple[str, Remedy] | None:
        if not labels or _LABEL.fullmatch(value):
            return None
        return f"`{printable(value)}` is not a valid label", "use lowercase letters, digits and `_ . : -`"

    return _read_list(item, find_problem)


def read_names(item: Item, allowed: Collection[str], noun: str) -> tuple[str, ...] | None:
    """A list of distinct names out of `allowed`, sorted."""

    def find_problem(value: str) -> tuple[str, Remedy] | None:
        if value in allowed:
            return None
        return f"there is no {noun} `{printable(value)}`", partial(did_you_mean, value, allowed)

    return _read_list(item, find_problem)


def _read_list(item: Item, find_problem: Callable[[str], tuple[str, Remedy] | None]) -> tuple[str, ...] | None:
    if not item.is_sequence():
        item.fail("a list is expected", "write `[one, two]`")
        return None
    if len(item.node.value) > _MAX_ITEMS:
        item.fail(f"more than {_MAX_ITEMS} items", "use fewer")
        return None
    values: set[str] = set()
    for member in item.sequence():
        value = member.text(most=256)
        if value is None:
            continue
        if (problem := find_problem(value)) is not None:
            member.fail(*problem)
            continue
        if value in values:
            member.fail(f"`{printable(value)}` occurs twice", "keep one of them")
        values.add(value)
    return tuple(sorted(values))


def check_name(item: Item, text: str) -> bool:
    """Whether `text` can be a name in a passport; reports it if not."""
    if is_resource_id(text):
        return True
    item.fail(f"`{printable(text)}` is not a valid name in a passport", "use 1 to 128 of `A-Z a-z 0-9 _ . : / @ -`")
    return False


def read_duration(item: Item, most_s: int) -> int | None:
    """Seconds of a duration written as `90s`, `30m`, `8h` or `90d`, at most `most_s`."""
    value = item.node.value if item.kind() in ("str", "int") else item.text()
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if value is None:
        return None
    if match is None:
        item.fail(f"`{printable(str(value))}` is not a duration", "write a number and s, m, h or d, for example `30m`")
        return None
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > most_s:
        item.fail(f"at most {most_s // DAY_S} days are possible")
        return None
    return seconds


def read_percent(item: Item) -> int | None:
    """A percentage (`50%`) in millionths."""
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
    if _is_inexact(item):
        return None
    if item.kind() not in ("str", "int"):
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


def _is_inexact(item: Item) -> bool:
    """Whether YAML reads a fraction as a float; reports it if so."""
    if item.kind() != "float":
        return False
    item.fail("a YAML number with a fraction is not exact", f'quote it: `"{printable(item.node.value)}"`')
    return True


def is_pattern(text: str) -> bool:
    """Whether `text` has a wildcard."""
    return "*" in text or "?" in text


def check_pattern(item: Item, text: str) -> bool:
    """Whether `text` could match a resource id; reports it if not."""
    if _PATTERN.fullmatch(text) and text == text.strip(" "):
        return True
    item.fail(f"`{printable(text)}` is not a valid name or pattern", "use `A-Z a-z 0-9 _ . : / @ -`, `*` and `?`")
    return False


def matches(pattern: str, name: str) -> bool:
    """Whether the whole of `name` matches, in quadratic time at worst: a pattern of `_PATTERN` has no `[`."""
    return fnmatchcase(name, pattern)


def find_best_matches(patterns: Iterable[str], name: str) -> list[str]:
    """The best-matching patterns of `name`: itself, else those with the most literal characters.

    More than one is ambiguous.
    """
    matching = [pattern for pattern in patterns if matches(pattern, name)]
    if name in matching:
        return [name]
    most = max(map(_count_literals, matching), default=0)
    return sorted(pattern for pattern in matching if _count_literals(pattern) == most)


def _count_literals(pattern: str) -> int:
    return sum(character not in "*?" for character in pattern)


def _read_costs(item: Item) -> tuple[tuple[str, str], ...]:
    costs = []
    for unit, member in item.mapping().items():
        if _is_inexact(member):
            continue
        value = member.scalar()
        if isinstance(value, bool):
            member.fail("a cost must be a number", 'for example `"0.02"`')
        elif value is not None:
            costs.append((unit, str(value)))
    return tuple(sorted(costs))


def _read_programs(item: Item) -> tuple[tuple[str, str], ...] | None:
    """The arguments that are programs, each with its language, sorted; None if this is no such mapping."""
    members = item.mapping()
    if not item.is_mapping():
        return None
    programs = []
    for argument, member in members.items():
        language = member.text(most=64)
        if language is None:
            return None
        family, _, dialect = language.partition("/")
        if family == "sql" and dialect and dialect not in SQL_DIALECTS:
            remedy = partial(did_you_mean, dialect, SQL_DIALECTS)
            member.fail(f"there is no SQL dialect `{printable(dialect)}`", remedy)
            return None
        programs.append((argument, language))
    return tuple(sorted(programs))


_RESOURCE_FIELDS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "amount": lambda item: item.text(most=128),
    "can_wait": read_boolean,
    "costs": _read_costs,
    "contained": read_boolean,
    "idempotent": read_boolean,
    "impact": lambda item: read_word(item, [impact.value for impact in Impact]),
    "labels": lambda item: read_texts(item, labels=True),
    "own_places": read_texts,
    "programs": _read_programs,
    "reversal": lambda item: read_word(item, [reversal.value for reversal in Reversal]),
    "source_trust": lambda item: read_integer(item, 0, _MAX_TRUST),
    "system": lambda item: item.text(most=128),
    "targets": read_texts,
    "unit": lambda item: item.text(most=32),
}


def read_declarations(item: Item, kind: ActionKind) -> dict[str, Resource]:
    """The declarations of one action kind, by name or pattern."""
    declarations = {}
    for pattern, member in item.mapping().items():
        if check_pattern(member, pattern) and (resource := _read_resource(member, kind)) is not None:
            declarations[pattern] = resource
    return declarations


def _read_resource(item: Item, kind: ActionKind) -> Resource | None:
    values: dict[str, Any] = {}
    members: dict[str, Item] = {}
    if item.kind() != "null":
        members = item.mapping(_RESOURCE_FIELDS)
        values = {name: _RESOURCE_FIELDS[name](member) for name, member in members.items()}
        if None in values.values() or len(members) != (len(item.node.value) if item.is_mapping() else -1):
            return None
    if kind in _READ_ONLY:
        values.setdefault("impact", Impact.READ.value)
    if values.get("impact") == Impact.READ.value:
        values.setdefault("reversal", Reversal.NONE_NEEDED.value)
    try:
        return Resource(kind=kind, **values)
    except BadInput as exc:
        members.get(exc.field, item).fail(exc.message, exc.remedy)
        return None
