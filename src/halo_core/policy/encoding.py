"""Encoding of argument values as Cedar JSON that is data only, never an entity.

Cedar reads `{"__entity": ...}` and `{"__extn": ...}` inside a context as an entity and as an extension value, refuses
null, floats and integers outside 64 bits, and knows sets but no lists. The mapping:

    bool, str              as they are (a string that looks like one of the tags below gets one more `$`)
    int                    Long while |n| < 2**63, else the string "$i:<digits>"
    float                  decimal, four digits, rounded away from zero; outside its range the string "$f:<repr>"
    None                   absent as an attribute, "$null" inside a list
    bytes                  the string "$b:<base64>"
    list, tuple            a set
    mapping                a record; a key that Cedar would interpret gets one more leading `_`

Rounding away from zero keeps limits on a magnitude effective: 1000.00001 is read as 1000.0001, which is above 1000. At
most it narrows what a rule with a limit lets through, by less than 0.0001.

If a JSON schema declares the type of an argument, the value is read as that type, since Cedar does not compare Long
with decimal. A value that does not fit is an `EncodingError`. If it were left out, a `forbid` that tests `context.args
has limit` would not apply to it. So the caller turns the error into a policy error, which denies.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import ROUND_UP, Context, Decimal
from typing import Any, Final

ABSENT: Final = object()
"""What `encode_value` returns for None: the attribute is left out."""
MAX_DEPTH: Final = 64
"""Deepest nesting; the JSON reader under Cedar stops at 128."""
MAX_NODES: Final = 100_000
_LONG_LIMIT: Final = 2**63
# Cedar's decimal is a 64-bit integer of ten-thousandths.
MAX_DECIMAL_INT: Final = _LONG_LIMIT // 10_000 - 1
MAX_AMOUNT: Final = 2**53 - 1
"""The largest amount that is recorded, and the largest sum, in ten-thousandths: the largest integer of a record."""
_DECIMAL_STEP: Final = Decimal("0.0001")
# An own context: the thread's one could round or trap differently and make two answers differ.
_ARITHMETIC: Final = Context(prec=60, rounding=ROUND_UP)
# `$`, `$$`, ... before a tag: one more `$` keeps strings and tags apart.
_LIKE_TAG: Final = re.compile(r"\$+(?:[ifb]:|null\Z)")
# The reserved keys and their escaped forms; one more `_` is injective.
_RESERVED: Final = re.compile(r"_{2,}(?:entity|extn|expr)")
_DECIMAL_NUMERAL: Final = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_MAX_AMOUNTS: Final = 256  # parts of one call
_PLAIN_TYPES: Final = (str, int, float, type(None))  # asking for a Mapping takes longest
_AMOUNT_NAMES: Final = ("amount", "sum", "value", "price", "total")


class EncodingError(ValueError):
    """The value has no safe Cedar form, or does not fit its declared type. The text never holds the value."""


def escape_key(key: str) -> str:
    """Spell a record key so that Cedar never interprets it: `__entity` becomes `___entity`."""
    # INVARIANT: no result is `__entity`, `__extn` or `__expr`, and no two keys have one result.
    return "_" + key if key.startswith("__") and _RESERVED.fullmatch(key) else key


def encode_value(value: object, declared: str = "") -> Any:
    """Cedar JSON of one value, read as its declared type where there is one (see the module).

    Raises:
        EncodingError: it does not fit its type, is too deep or too large, or is no JSON value.
    """
    if value is None:
        return ABSENT
    if declared.startswith("set<"):
        if not isinstance(value, list | tuple):
            raise EncodingError(f"cannot be read as {declared}")
        return [_encode_typed(item, declared[4:-1]) for item in value]
    if declared and declared != "any":
        return _encode_typed(value, declared)
    return _Encoder().encode(value, 0)


def encode_amount(value: object) -> dict[str, Any]:
    """Encode the amount at stake as a decimal: a number, or a string that is a plain decimal numeral.

    Raises:
        EncodingError: it cannot be read as an amount. An unreadable amount must not pass as no amount.
    """
    if isinstance(value, str) and _DECIMAL_NUMERAL.fullmatch(value):
        return _make_decimal(_quantize(Decimal(value)), "amount")
    return _make_decimal(_format_decimal(value), "amount")


def find_amount(args: Mapping[str, Any], name: str) -> Any:
    """The amount of a call: the argument with that name, else the sum of all nested parts with that name.

    Args:
        args: arguments of the call.
        name: as it is declared; empty for any part that is called an amount.

    Returns:
        None if there is none; of parts that are no numbers, the first of these, which cannot be read as an amount.
    """
    names = (name,) if name else _AMOUNT_NAMES
    parts = _list_amounts(args, names)
    if (value := args.get(name)) is not None:
        return _find_larger(value, parts) if parts else value
    if len(parts) <= 1:
        return parts[0] if parts else None
    total = _sum_amounts(parts)
    return "not an amount" if total is None else format(total, "f")


def _list_amounts(args: Mapping[str, Any], names: tuple[str, ...]) -> list[Any]:
    """The nested parts of arguments that have one of these names."""
    amounts: list[Any] = []
    pending: list[Any] = []
    for item in args.values():
        if not isinstance(item, _PLAIN_TYPES) and isinstance(item, Mapping | list | tuple):
            pending.append(item)  # noqa: PERF401  a comprehension is a call
    while pending and len(amounts) <= _MAX_AMOUNTS:
        item = pending.pop()
        for key, part in item.items() if isinstance(item, Mapping) else enumerate(item):
            if not isinstance(part, _PLAIN_TYPES) and isinstance(part, Mapping | list | tuple):
                pending.append(part)
            elif key in names and part is not None:
                amounts.append(part)
    return amounts


def _sum_amounts(parts: list[Any]) -> Decimal | None:
    """The sum of these parts; None if one is no amount, or there are too many."""
    try:
        amounts = [Decimal(encode_amount(part)["__extn"]["arg"]) for part in parts]
    except EncodingError:
        return None
    return sum(amounts, Decimal(0)) if len(parts) <= _MAX_AMOUNTS else None


def _find_larger(value: Any, parts: list[Any]) -> Any:
    """The larger of the amount beside the parts and their sum: one may hide the other."""
    total, own = _sum_amounts(parts), _sum_amounts([value])
    if total is None or own is None:
        return "not an amount"
    return value if abs(own) >= abs(total) else format(total, "f")


def read_amount(value: object) -> int | None:
    """An amount in ten-thousandths, rounded as `encode_amount`, at most `MAX_AMOUNT` either way.

    Returns:
        None if it cannot be read as one.
    """
    try:
        amount = int(Decimal(encode_amount(value)["__extn"]["arg"]) * 10_000)
    except EncodingError:
        return None
    return max(-MAX_AMOUNT, min(amount, MAX_AMOUNT))


def encode_sum(total: int) -> dict[str, Any]:
    """A sum in ten-thousandths as a decimal; a sum beyond Cedar's range becomes the limit of that range."""
    limit = MAX_DECIMAL_INT * 10_000
    return _make_decimal(format(Decimal(max(-limit, min(total, limit))).scaleb(-4), "f"), "sum")


def _encode_typed(value: object, declared: str) -> Any:
    if declared == "decimal":
        return _make_decimal(_format_decimal(value), declared)
    if declared == "bool" and isinstance(value, bool):
        return value
    if declared == "string" and isinstance(value, str):
        return _encode_text(value)
    if declared == "long" and not isinstance(value, bool):
        # JSON schema: 5.0 is an integer.
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, int) and -_LONG_LIMIT < number < _LONG_LIMIT:
            return int(number)
    raise EncodingError(f"cannot be read as {declared}")


def _make_decimal(text: str | None, wanted: str) -> dict[str, Any]:
    if text is None:
        raise EncodingError(f"cannot be read as {wanted}")
    return {"__extn": {"fn": "decimal", "arg": text}}


def _format_decimal(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return f"{int(value)}.0000" if -MAX_DECIMAL_INT <= value <= MAX_DECIMAL_INT else None
    # NaN fails the comparison, so only finite values pass.
    if isinstance(value, float) and -MAX_DECIMAL_INT <= value <= MAX_DECIMAL_INT:
        return _quantize(Decimal(repr(float(value))))
    return None


def _quantize(number: Decimal) -> str | None:
    if not -MAX_DECIMAL_INT <= number <= MAX_DECIMAL_INT:
        return None
    return format(number.quantize(_DECIMAL_STEP, context=_ARITHMETIC), "f")


def _encode_text(value: str) -> str:
    text = _require_utf8(value, "holds a lone surrogate")
    return "$" + text if text.startswith("$") and _LIKE_TAG.match(text) else text


def _require_utf8(value: str, problem: str) -> str:
    text = str.__str__(value)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise EncodingError(problem) from exc
    return text


class _Encoder:
    """One walk over a value of no declared type, counting nodes so that the time is bounded."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes = 0

    def encode(self, value: object, depth: int) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise EncodingError(f"holds more than {MAX_NODES} values")
        if depth > MAX_DEPTH:
            raise EncodingError(f"is nested deeper than {MAX_DEPTH}")
        if isinstance(value, str):
            return _encode_text(value)
        if isinstance(value, Mapping):
            return self._encode_record(value, depth)
        if isinstance(value, list | tuple):
            return ["$null" if item is None else self.encode(item, depth + 1) for item in value]
        return _encode_scalar(value)

    def _encode_record(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise EncodingError("has a key that is not a string")
            if item is not None:
                record[escape_key(_require_utf8(key, "has a key with a lone surrogate"))] = self.encode(item, depth + 1)
        return record


def _encode_scalar(value: object) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if -_LONG_LIMIT < value < _LONG_LIMIT else f"$i:{_format_digits(int(value))}"
    if isinstance(value, float):
        text = _format_decimal(value)
        return _make_decimal(text, "decimal") if text is not None else f"$f:{float(value)!r}"
    if isinstance(value, bytes):
        return "$b:" + base64.b64encode(value).decode("ascii")
    raise EncodingError(f"holds a value of type `{type(value).__name__}`")


def _format_digits(value: int) -> str:
    # Longer numerals cost quadratic time, and the interpreter refuses them from 4,300 digits on.
    if value.bit_length() > 12_288:
        raise EncodingError("holds an integer of more than about 3,600 digits")
    return str(value)
