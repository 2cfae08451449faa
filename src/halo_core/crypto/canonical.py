"""Canonical bytes of values, for everything that is signed or hashed.

The profile is the subset of RFC 8785 in which sorted `orjson` output and JCS agree byte for byte: ASCII keys,
integers of magnitude below 2**53, no floats. What falls outside is carried by a tagged form, a one-member object:

    {"$f": "98.7"}            a float, by its shortest decimal (`repr`); NaN and infinities are refused
    {"$i": "9007199254740993"} an integer of magnitude 2**53 or more
    {"$b": "AAE="}            bytes, base64
    {"$m": [["ключ", 1]]}      a mapping with a non-ASCII key, or a key that starts with `$`

Two byte strings never mean one value: `loads` encodes what it parsed again and compares.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final, NoReturn

import orjson

from halo_core.errors import CanonicalError

INT_LIMIT: Final = 2**53
"""Integers are below this magnitude: an IEEE 754 double holds no larger ones exactly (RFC 8785, section 3.2.2.3)."""
# A decimal string longer than this is no number anybody meant; bounds the cost of int().
_MAX_DIGITS: Final = 4096
MAX_INTEGER_BITS: Final = _MAX_DIGITS * 3
"""Bits of an integer that has a canonical form; about 3,600 digits."""
MAX_DEPTH: Final = 64
MAX_NODES: Final = 100_000
# A record wraps values in tagged forms and in its own members; the parser's limit is 254.
_MAX_RECORD_DEPTH: Final = 240

_FLOAT: Final = re.compile(rb"[.]|[0-9][eE]")

_OPTIONS: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)

CanonicalTree = Any
"""A tree of dict (ASCII keys), list, str, int below 2**53, bool and None."""


def encode(value: object) -> bytes:
    """Bytes of any supported value in the canonical profile.

    Raises:
        CanonicalError: the value has no canonical form; `field` is the JSON pointer of the culprit.
    """
    return dumps(to_plain(value))


def dumps(tree: CanonicalTree) -> bytes:
    """Bytes of a tree that is in the profile already (our own records).

    Raises:
        CanonicalError: it was not.
    """
    try:
        return orjson.dumps(tree, option=_OPTIONS)
    except (TypeError, ValueError) as exc:  # orjson.JSONEncodeError is a TypeError
        raise CanonicalError("not_canonical", f"value has no canonical form: {exc}") from exc


def loads(data: bytes) -> CanonicalTree:
    """Parse canonical bytes to a plain tree; anything but the one canonical spelling is refused.

    Raises:
        CanonicalError: malformed JSON, or JSON that is not in canonical form.
    """
    try:
        tree = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise CanonicalError("malformed_json", f"not JSON: {exc}") from exc
    # INVARIANT: parse then print is the identity, so one meaning has one byte string.
    if not (_is_plainly_in_profile(data) or _in_profile(tree)) or dumps(tree) != data:
        raise CanonicalError("noncanonical_json", "JSON is not in canonical form")
    return tree


def _is_plainly_in_profile(data: bytes) -> bool:
    """Whether JSON is so simple that its tree need not be walked; False if that is not certain."""
    if not data.isascii() or b"\\" in data:
        return False
    # Without escapes, every other part between quotation marks is outside strings.
    outside = b"".join(data.split(b'"')[::2])
    is_shallow = outside.count(b"[") + outside.count(b"{") <= _MAX_RECORD_DEPTH
    return is_shallow and _FLOAT.search(outside) is None


def _in_profile(tree: CanonicalTree, depth: int = 0) -> bool:
    """Whether a parsed tree has ASCII keys, no floats and no more levels than a record may have."""
    kind = type(tree)
    if depth > _MAX_RECORD_DEPTH:
        return False
    if kind is dict:
        return all(key.isascii() and _in_profile(item, depth + 1) for key, item in tree.items())
    if kind is list:
        return all(_in_profile(item, depth + 1) for item in tree)
    return kind is not float


def digest(domain: str, data: bytes) -> str:
    """SHA-256 over `domain`, a NUL byte and `data`, as `sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(domain.encode("ascii") + b"\0" + data).hexdigest()


def to_plain(value: object) -> CanonicalTree:
    """Turn any supported value into a tree of the profile.

    Supported: None, bool, int, float (finite), str, bytes, mappings with string keys, lists and tuples, to a depth
    of `MAX_DEPTH` and `MAX_NODES` nodes.

    Raises:
        CanonicalError: with the JSON pointer of the culprit.
    """
    return _Encoder().to_tree(value, (), 0)


class _Encoder:
    """One walk over a value, counting nodes so that the time is bounded."""

    __slots__ = ("_nodes",)

    def __init__(self) -> None:
        self._nodes = 0

    def to_tree(self, value: object, path: tuple[str, ...], depth: int) -> CanonicalTree:
        self._count_node(path)
        if depth > MAX_DEPTH:
            raise _make_error(path, "too_deep", f"nested deeper than {MAX_DEPTH}")
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Mapping):
            return self._encode_mapping(value, path, depth)
        if isinstance(value, list | tuple):
            return [self.to_tree(item, (*path, str(i)), depth + 1) for i, item in enumerate(value)]
        return _encode_scalar(value, path)

    def _count_node(self, path: tuple[str, ...]) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise _make_error(path, "too_large", f"more than {MAX_NODES} values")

    def _encode_mapping(self, value: Mapping[Any, Any], path: tuple[str, ...], depth: int) -> CanonicalTree:
        pairs: list[tuple[str, CanonicalTree]] = []
        is_ordinary = True
        for key, item in value.items():
            if depth < MAX_DEPTH and type(key) is str and _is_plain(item) and key.isascii() and not key.startswith("$"):
                # Most members are plain leaves: no walk, no path.
                self._count_node(path)
                pairs.append((key, item))
                continue
            if not isinstance(key, str):
                raise _make_error(path, "not_canonical", f"a key of type `{type(key).__name__}` has no canonical form")
            is_ordinary = is_ordinary and key.isascii() and not key.startswith("$")
            pairs.append((_encode_text(key, path), self.to_tree(item, (*path, key), depth + 1)))
        if is_ordinary:
            return dict(pairs)
        # Sorted by UTF-8 bytes, which is code point order on every platform.
        pairs.sort(key=lambda pair: pair[0].encode("utf-8"))
        return {"$m": [[key, item] for key, item in pairs]}


def _is_plain(value: object) -> bool:
    """Whether a leaf is its own canonical tree."""
    if type(value) is str:
        return value.isascii()
    return value is None or type(value) is bool or (type(value) is int and -INT_LIMIT < value < INT_LIMIT)


def _encode_scalar(value: object, path: tuple[str, ...]) -> CanonicalTree:
    if isinstance(value, str):
        return _encode_text(value, path)
    if isinstance(value, int):
        return _encode_integer(int(value), path)
    if isinstance(value, float):
        return _encode_float(value, path)
    if isinstance(value, bytes):
        return {"$b": base64.b64encode(value).decode("ascii")}
    raise _make_error(path, "not_canonical", f"a value of type `{type(value).__name__}` has no canonical form")


def _encode_text(value: str, path: tuple[str, ...]) -> str:
    # A str subclass (an enum) may print as something else: take the characters.
    text = str.__str__(value)
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as exc:
            raise _make_error(path, "surrogate", "a lone surrogate is not text") from exc
    return text


def _encode_integer(value: int, path: tuple[str, ...]) -> CanonicalTree:
    if -INT_LIMIT < value < INT_LIMIT:
        return value
    if value.bit_length() > MAX_INTEGER_BITS:
        raise _make_error(path, "too_large", "an integer of more than about 3,600 digits")
    return {"$i": str(value)}


def _encode_float(value: float, path: tuple[str, ...]) -> CanonicalTree:
    if not math.isfinite(value):
        raise _make_error(path, "non_finite_number", f"`{value}` is not a number JSON can carry")
    return {"$f": repr(float(value))}


def from_plain(tree: CanonicalTree) -> Any:
    """Inverse of `to_plain`: tagged forms become floats, integers, bytes and mappings again.

    Raises:
        CanonicalError: an unknown or malformed tag, or one that `to_plain` would have spelt another way.
    """
    if isinstance(tree, dict):
        tag = next((key for key in tree if key.startswith("$")), None)
        if tag is None:
            return {key: from_plain(item) for key, item in tree.items()}
        # INVARIANT: a tagged form has one spelling too, so one value has one byte string.
        untag = _UNTAG.get(tag)
        if untag is None or len(tree) != 1:
            raise CanonicalError("malformed_json", f"unknown tagged form `{tag}`")
        try:
            return untag(tree[tag])
        except (TypeError, ValueError) as exc:
            raise CanonicalError("malformed_json", f"malformed tagged form `{tag}`") from exc
    if isinstance(tree, list):
        return [from_plain(item) for item in tree]
    return tree


def _untag_float(item: Any) -> float:
    value = float(_require_text(item))
    return value if math.isfinite(value) and repr(value) == item else _refuse_spelling()


def _untag_integer(item: Any) -> int:
    value = int(_require_text(item)[:_MAX_DIGITS])
    return value if str(value) == item and abs(value) >= INT_LIMIT else _refuse_spelling()


def _untag_bytes(item: Any) -> bytes:
    value = base64.b64decode(_require_text(item), validate=True)
    return value if base64.b64encode(value).decode("ascii") == item else _refuse_spelling()


def _untag_mapping(item: Any) -> dict[str, Any]:
    if not isinstance(item, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in item):
        _refuse_spelling()
    pairs = [(_require_text(key), value) for key, value in item]
    keys = [key.encode("utf-8") for key, _ in pairs]
    is_ordinary = all(key.isascii() and not key.startswith("$") for key, _ in pairs)
    if is_ordinary or any(earlier >= later for earlier, later in pairwise(keys)):
        _refuse_spelling()
    return {key: from_plain(value) for key, value in pairs}


def _require_text(item: Any) -> str:
    return item if isinstance(item, str) else _refuse_spelling()


def _refuse_spelling() -> NoReturn:
    raise ValueError("not the canonical spelling")


_UNTAG: Final[dict[str, Callable[[Any], Any]]] = {
    "$b": _untag_bytes,
    "$f": _untag_float,
    "$i": _untag_integer,
    "$m": _untag_mapping,
}


def _make_error(path: tuple[str, ...], code: str, message: str) -> CanonicalError:
    pointer = "/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in path[:8]) if path else ""
    return CanonicalError(code, message, field=pointer, remedy="send a plain JSON value")
