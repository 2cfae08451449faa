"""Room: strict JSON (RFC 8259, in the canonical profile). Takes: bytes. Gives: one object. Never: interprets it.

Looked for in turn: depth, duplicate members, floats, integers of 2**53 and more, lone surrogates, any other spelling
than the canonical one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from halo_core import canonical
from halo_core.errors import CanonicalError, PassportError

__all__ = ["parse_object"]

_INT_LIMIT: Final = 2**53
_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse_object(payload: bytes) -> Mapping[str, Any]:
    """Parse one object in canonical form.

    Raises:
        PassportError: `too_deep`, `malformed_json`, `dup_member`, `non_integer_number`, `int_range`, `surrogate`,
            `noncanonical_json` or `claims_shape`.
    """
    if _depth(payload) > canonical.MAX_DEPTH:
        raise PassportError("too_deep", f"claims are nested deeper than {canonical.MAX_DEPTH}")
    try:
        plain = canonical.loads(payload)
    except CanonicalError as exc:
        plain = _explain(payload, exc)
    if type(plain) is not dict:
        raise PassportError("claims_shape", "claims are one object")
    return plain


def _depth(payload: bytes) -> int:
    if payload.count(b"[") + payload.count(b"{") <= canonical.MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(payload):
        token = match[0]
        depth += (token in b"[{") - (token in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _explain(payload: bytes, cause: CanonicalError) -> Any:
    """Say which rule of strict JSON was broken.

    Where a member name that is not ASCII is all that is wrong the tree is returned: no member set has such a name, so
    `claims_to_link` refuses it and says what it was taken for (a homoglyph of a tool is `bad_tool_id`).
    """
    try:
        plain = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_int=_integer,
            parse_float=_not_integer,
            parse_constant=_not_integer,
        )
    except (ValueError, RecursionError):
        raise PassportError("malformed_json", "claims are not JSON") from cause
    if _has_surrogate(plain):
        raise PassportError("surrogate", "a lone surrogate is not text") from cause
    if json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() != payload:
        raise PassportError("noncanonical_json", "claims are not in canonical form") from cause
    return plain


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise PassportError("dup_member", "a member is given twice")
    return members


def _integer(text: str) -> int:
    # Sixteen digits and a sign hold every permitted integer; int() of more may cost quadratic time.
    if len(text) > 17 or not -_INT_LIMIT < int(text) < _INT_LIMIT:
        raise PassportError("int_range", "an integer is not below 2**53")
    return int(text)


def _not_integer(_text: str) -> NoReturn:
    raise PassportError("non_integer_number", "a number is not an integer")


def _has_surrogate(plain: Any) -> bool:
    if isinstance(plain, dict):
        return any(_has_surrogate(key) or _has_surrogate(item) for key, item in plain.items())
    if isinstance(plain, list):
        return any(map(_has_surrogate, plain))
    return isinstance(plain, str) and _LONE_SURROGATE.search(plain) is not None
