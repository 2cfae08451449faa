"""The leaves of arguments: every text and number in them, with its tokens and its field.

    parse_leaves({"to": {"name": "Ana", "amount": 20}})
    # /to/0 "name" (a key)    /to/1 "Ana" (field name)    /to/2 "amount" (a key)    /to/3 "20" (field amount)

Origins are found only for leaves, so nothing outside of them is judged.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from halo_core.values.kinds.argument_names import (
    name_of_argument,
    names_amount,
    names_field,
    names_note_field,
    split_argument_name,
)
from halo_core.values.language.lexicon import GRANTING_SWITCHES, LEAST_LEVELS, LEVEL_NAMES
from halo_core.values.sketches.sketch import MAX_TEXT, extract_tokens

MAX_LEAVES: Final = 256
MAX_LEAF_WORDS: Final = 1024
"""Tokens of one leaf that are compared."""
MAX_CALL_WORDS: Final = 4096
"""Tokens of all leaves of a call that are compared."""
KEY: Final = "\0"
"""Field of a leaf that is itself a key of a mapping."""
_CONTAINER_TYPES: Final = (Mapping, list, tuple)
_JSON_STARTS: Final = ("{", "[")
_MAX_JSON: Final = 65_536  # characters of a text that is parsed


class Leaf(NamedTuple):
    """A leaf of the arguments.

    Args:
        pointer: its place: `/argument`, or `/argument/3` for the fourth leaf of an argument with parts.
        text: its text.
        words: its tokens, at most as many as are compared.
        is_amount: the argument is a number by its type or its name, and no target unless it is declared one.
        is_cut: not all of it was read.
        field: the key under which it stands in a mapping; `KEY` for a key; empty outside of mappings, and for a key
            whose item is only a right (`{"customers": true}`).
    """

    pointer: str
    text: str
    words: list[str]
    is_amount: bool = False
    is_cut: bool = False
    field: str = ""


def parse_leaves(args: Mapping[str, Any]) -> tuple[Leaf, ...]:
    """Parse arguments into leaves with their tokens; one more than `MAX_LEAVES` at most, so that a cut is noticed."""
    leaves: list[Leaf] = []
    words_left = MAX_CALL_WORDS
    for pointer, text, field in islice(extract_leaves(args), MAX_LEAVES + 1):
        most = min(words_left, MAX_LEAF_WORDS)
        words = list(islice(extract_tokens(text), most + 1)) if most else []
        is_cut = len(words) > most or not most or len(text) > MAX_TEXT
        is_amount = names_amount(field) if field else _is_amount(name_of_argument(pointer), args)
        leaves.append(Leaf(pointer, text, words[:most], is_amount, is_cut, field))
        words_left -= len(words[:most])
    return tuple(leaves)


def _is_amount(name: str, args: Mapping[str, Any]) -> bool:
    value = args.get(name)
    return isinstance(value, float) or (isinstance(value, int) and names_amount(name))


def is_beside_target(leaf: Leaf) -> bool:
    """Whether a part of a declared target is no target: the name of a field, or a note in one.

    Of `{"iban": "DE89…", "memo": "rent"}` these are each key and `rent`.
    """
    if not leaf.field:
        return False
    if leaf.field == KEY:
        return names_field(leaf.text)
    return leaf.is_amount or names_note_field(leaf.field)


def holds_right(leaf: Leaf, name: str) -> bool:
    """Whether an argument or a field such as `role` holds more than the right to read.

    Args:
        leaf: of the argument.
        name: of the argument.
    """
    if LEVEL_NAMES.isdisjoint(split_argument_name(leaf.field if leaf.field not in ("", KEY) else name)):
        return False
    return not LEAST_LEVELS.issuperset(split_argument_name(leaf.text))


def extract_leaves(args: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Iterate over (pointer, text, field) of each leaf; see `Leaf`.

    None, booleans and empty texts are no leaves; keys of mappings are. A switch that grants something and is on
    (`is_admin=True`) is one leaf with that word. A text that is a JSON object or array has the leaves of that, since
    a tool will read it so. A pointer counts the leaves of an argument and contains none of its keys: names inside a
    value are content, and stay out of the record.
    """
    for name, value in args.items():
        pointer = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if type(value) is str and may_be_json(value) and (parsed := _parse_json(value)) is not None:
            value = parsed  # noqa: PLW2901  what the tool will read
        if value is True:
            for word in list_granted(name):
                yield pointer, word, ""
        elif type(value) is str or not isinstance(value, _CONTAINER_TYPES):
            for text in extract_texts(value):
                yield pointer, text, ""
        else:
            for i, (text, field) in enumerate(extract_fields(value)):
                yield f"{pointer}/{i}", text, field


@lru_cache(maxsize=2048)
def list_granted(name: str) -> tuple[str, ...]:
    """List what a switch with this name grants: `admin` for `is_admin`."""
    return tuple([word for word in split_argument_name(name) if word in GRANTING_SWITCHES])


def extract_fields(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """Iterate over (text, field) of all leaves of a value, in the order of `extract_texts`.

    Args:
        value: any value of an argument.
        field: the key under which it stands.
    """
    if isinstance(value, Mapping | _JsonObject):
        for key, item in value.items() if isinstance(value, Mapping) else value:
            name = str.__str__(key) if isinstance(key, str) else str(key)
            yield name, ("" if _is_right(item) else KEY)
            yield from extract_fields(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from extract_fields(item, field)
    else:
        for text in extract_texts(value):
            parsed = _parse_json(text) if may_be_json(text) else None
            if parsed is None:
                yield text, field
            else:
                yield from extract_fields(parsed, field)


def _is_right(item: Any) -> bool:
    """Whether an item says only that, or how much, is allowed of what its key names: `{"customers": true}`.

    The key is then what is granted, and not the name of a field.
    """
    if isinstance(item, Mapping | _JsonObject):
        names = [name for name, _ in (item.items() if isinstance(item, Mapping) else item)]
        return all(isinstance(name, str) and not LEVEL_NAMES.isdisjoint(split_argument_name(name)) for name in names)
    return item is True


def extract_texts(value: Any) -> Iterator[str]:
    """Iterate over the texts of all leaves and keys of a value, in order; a text that is JSON is one, unparsed."""
    if type(value) is str:  # what most are; asking for a Mapping takes longest
        if value and not value.isspace():
            yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str.__str__(key) if isinstance(key, str) else str(key)
            yield from extract_texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from extract_texts(item)
    elif isinstance(value, str):
        if value.strip():
            yield value
    elif value is not None and not isinstance(value, bool):
        yield str(value)


# texts that are JSON


class _JsonObject(list[tuple[str, Any]]):
    """The members of a JSON object, also those that have the same name."""


def may_be_json(text: str) -> bool:
    """Whether a text begins like a JSON object or array, or a Python literal, with texts in it."""
    return text.lstrip()[:1] in _JSON_STARTS and ('"' in text or "'" in text)


def _parse_json(text: str) -> Any:
    """Parse a text that is JSON, several lines of it, or a Python literal; None for other texts.

    Members with the same name are all kept, since readers disagree on which of them counts.
    """
    if len(text) > _MAX_JSON:
        return None
    text = text.strip()
    for parse in (_parse_document, _parse_lines, _parse_literal):
        try:
            parsed = parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        return parsed if isinstance(parsed, _CONTAINER_TYPES) else None
    return None


def _parse_document(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_JsonObject)


def _parse_lines(text: str) -> Any:
    return [_parse_document(line) for line in text.splitlines() if line.strip()]


def _parse_literal(text: str) -> Any:
    """Parse a Python literal.

    INVARIANT: FAILCLOSED - one with a comment is no literal: what a tool gets has the comment, and a shell may run it.

    Raises:
        ValueError: the text is none.
    """
    if "#" in text and any(token.type == tokenize.COMMENT for token in _tokenize(text)):
        raise ValueError("a comment")
    return ast.literal_eval(text)


def _tokenize(text: str) -> Iterator[tokenize.TokenInfo]:
    try:
        yield from tokenize.generate_tokens(io.StringIO(text).readline)
    except tokenize.TokenError as exc:
        raise ValueError(str(exc)) from exc
