"""Parses plain arguments in one pass, as nearly all are: JSON values under ordinary names, without secrets.

`parse_plain_arguments` returns None for everything else (a float, a tuple, a class of the caller's, the name of a
credential, a text that looks like a secret, too much of anything). `Preparer` then takes a slower way, which gives the
same result for plain arguments.
"""

from __future__ import annotations

from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final, NamedTuple

from halo_core.content.credential_names import is_credential, is_credential_header, is_credential_member
from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.crypto.canonical import INT_LIMIT
from halo_core.errors import CanonicalError
from halo_core.values.kinds.argument_names import names_amount
from halo_core.values.provenance.leaves import (
    MAX_CALL_WORDS,
    MAX_LEAF_WORDS,
    MAX_LEAVES,
    Leaf,
    extract_fields,
    list_granted,
    may_be_json,
)
from halo_core.values.sketches.sketch import extract_tokens

_MAX_TEXT: Final = 65_536  # characters of one value
_MAX_NAME: Final = 128  # characters
_MAX_MEMBERS: Final = 1024  # of one list or mapping
_MAX_DEPTH: Final = 16
_make_leaf: Final = partial(tuple.__new__, Leaf)  # a named tuple's own constructor is a Python function


class PlainArguments(NamedTuple):
    """Arguments that are decided, recorded and executed unchanged.

    Args:
        args: a deep copy.
        encoded: its canonical bytes.
        leaves: its leaves with their tokens.
    """

    args: dict[str, Any]
    encoded: bytes
    leaves: tuple[Leaf, ...]


_make_parsed: Final = partial(tuple.__new__, PlainArguments)  # as above


class _NotPlainError(Exception):
    """Something in the arguments is not plain."""


def parse_plain_arguments(args: object, redactor: Redactor, beside: str) -> PlainArguments | None:
    """Parse arguments, and search them and the text kept with them for secrets; None if they are not plain."""
    leaves: list[Leaf] = []
    texts = [beside]
    try:
        copy = _copy_arguments(args, leaves, texts)
        encoded = canonical.dumps(copy)
    except (_NotPlainError, CanonicalError):  # the latter for a lone surrogate
        return None
    is_plain = len(leaves) <= MAX_LEAVES and redactor.holds_no_secret(texts)
    if is_plain and len(encoded) > MAX_LEAF_WORDS:  # a token has a byte at least
        counts = [len(leaf.words) for leaf in leaves]
        is_plain = max(counts, default=0) <= MAX_LEAF_WORDS and sum(counts) <= MAX_CALL_WORDS
    return _make_parsed((copy, encoded, tuple(leaves))) if is_plain else None


def _copy_arguments(args: Any, leaves: list[Leaf], texts: list[str]) -> dict[str, Any]:
    """Copy arguments, and list their leaves, their texts and their names."""
    if type(args) is not dict or ("value" in args and is_credential_member(args)):
        raise _NotPlainError
    copy: dict[str, Any] = {}
    for name, value in args.items():
        if type(name) is not str or len(name) > _MAX_NAME or not _is_plain_name(name):
            raise _NotPlainError
        kind = type(value)
        if kind is str:
            if len(value) > _MAX_TEXT or may_be_json(value):
                raise _NotPlainError
            texts.append(value)
            if value and not value.isspace():
                words = list(islice(extract_tokens(value), MAX_LEAF_WORDS + 1))
                leaves.append(_make_leaf((_make_pointer(name), value, words, False, False, "")))
        elif kind is int and -INT_LIMIT < value < INT_LIMIT:
            words = [str(abs(value))]
            leaves.append(_make_leaf((_make_pointer(name), str(value), words, names_amount(name), False, "")))
        elif kind is dict or kind is list:
            parts: list[str] = []
            value = _copy_container(value, parts, 1)  # noqa: PLW2901  the copy in place of the original
            leaves += _list_leaves(_make_pointer(name), value)
            texts += parts
        elif (kind is not bool and value is not None) or (value is True and list_granted(name)):
            raise _NotPlainError
        copy[name] = value
        texts.append(name)
    return copy


def _list_leaves(pointer: str, value: dict[str, Any] | list[Any]) -> list[Leaf]:
    leaves = []
    for i, (text, field) in enumerate(extract_fields(value)):
        words = list(islice(extract_tokens(text), MAX_LEAF_WORDS + 1))
        is_amount = bool(field) and names_amount(field)
        leaves.append(_make_leaf((f"{pointer}/{i}", text, words, is_amount, False, field)))
    return leaves


def _copy_container(value: Any, parts: list[str], depth: int) -> Any:
    """Copy a list or dict, and add its texts and keys to `parts`."""
    if depth > _MAX_DEPTH or len(parts) > MAX_LEAVES or len(value) > _MAX_MEMBERS or _holds_credential(value):
        raise _NotPlainError
    is_dict = type(value) is dict
    copy: dict[Any, Any] = {}
    for key, item in value.items() if is_dict else enumerate(value):
        if is_dict:
            if type(key) is not str or len(key) > _MAX_NAME or not _is_plain_name(key):
                raise _NotPlainError
            parts.append(key)
        kind = type(item)
        if kind is str and len(item) <= _MAX_TEXT:
            if item and not item.isspace():
                parts.append(item)
        elif kind is int and -INT_LIMIT < item < INT_LIMIT:
            parts.append(str(item))
        elif kind is dict or kind is list:
            item = _copy_container(item, parts, depth + 1)  # noqa: PLW2901  as above
        elif kind is not bool and item is not None:
            raise _NotPlainError
        copy[key] = item
    return copy if is_dict else list(copy.values())


def _holds_credential(value: Any) -> bool:
    """Whether a pair names a credential: `{"name": "password", "value": ...}`, `["Authorization", ...]`."""
    if type(value) is dict:
        return "value" in value and is_credential_member(value)
    return is_credential_header(value)


@lru_cache(maxsize=4096)
def _is_plain_name(name: str) -> bool:
    """Whether a name is already in canonical form and names no credential."""
    return name.isascii() and not name.startswith("$") and not is_credential(name)


@lru_cache(maxsize=4096)
def _make_pointer(name: str) -> str:
    """JSON pointer (RFC 6901) of an argument."""
    return f"/{name.replace('~', '~0').replace('/', '~1')}"
