"""The leaves of arguments: every text and number in them, with its tokens and the field that it stands in."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from halo_core.values.foreign_words import to_numbered_noun
from halo_core.values.lexicon import LEVEL_NAMES
from halo_core.values.numbers import singularize
from halo_core.values.sketch import MAX_TEXT, extract_tokens

MAX_LEAVES: Final = 256
MAX_LEAF_WORDS: Final = 1024
"""Tokens of one leaf that are compared."""
MAX_CALL_WORDS: Final = 4096
"""Tokens of all leaves of a call that are compared."""
_CONTAINER_TYPES: Final = (Mapping, list, tuple)


def extract_leaves(args: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(place, text, field) of each leaf that carries something; None, booleans and empty text carry nothing.

    The place is `/argument`, and `/argument/3` for the fourth leaf of an argument with parts: names inside a value are
    content and stay out of the record. A mapping's keys are leaves as well. The field is the key under which a leaf
    stands in a mapping, `KEY` for a key that is itself the leaf, and empty for others and for a key with
    nothing but a right. A text that is a JSON object or array has the parts of that.
    """
    for name, value in args.items():
        top = f"/{name.replace('~', '~0').replace('/', '~1')}"
        if type(value) is str and may_be_json(value) and (parsed := _parse_json(value)) is not None:
            value = parsed  # noqa: PLW2901  what the tool will read
        if type(value) is str or not isinstance(value, _CONTAINER_TYPES):
            for text in extract_texts(value):
                yield top, text, ""
        else:
            for i, (text, field) in enumerate(extract_fields(value)):
                yield f"{top}/{i}", text, field


KEY: Final = "\0"
"""Field of a leaf that is a key of a mapping."""
_JSON_STARTS: Final = ("{", "[")
_MAX_JSON: Final = 65_536  # characters


def may_be_json(text: str) -> bool:
    """Whether a text begins as a JSON object or array, or a Python literal, with texts in it."""
    return text.lstrip()[:1] in _JSON_STARTS and ('"' in text or "'" in text)


def _parse_json(text: str) -> Any:
    """The parts of a text that is a JSON object or array, several in lines, or a Python literal; None for other texts.

    Members of one name are all kept, since readers disagree on which of them counts.
    """
    if len(text) > _MAX_JSON:
        return None
    text = text.strip()
    for parse in (_parse_members, _parse_lines, ast.literal_eval):
        try:
            parsed = parse(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        return parsed if isinstance(parsed, _CONTAINER_TYPES) else None
    return None


def _parse_members(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_Members)


def _parse_lines(text: str) -> Any:
    return [_parse_members(line) for line in text.splitlines() if line.strip()]


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object."""


def extract_fields(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    """(text, field) of all leaves and mapping keys of a value, in the order of `extract_texts`."""
    if isinstance(value, Mapping | _Members):
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
    """Whether a member says nothing, or only how much may be done by what its key names: `{"customers": true}`."""
    if isinstance(item, Mapping | _Members):
        names = [name for name, _ in (item.items() if isinstance(item, Mapping) else item)]
        return all(isinstance(name, str) and not LEVEL_NAMES.isdisjoint(split_argument_name(name)) for name in names)
    return item is True


def extract_texts(value: Any) -> Iterator[str]:
    """Texts of all leaves and mapping keys of a value, in order."""
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


class Leaf(NamedTuple):
    """A leaf of the arguments.

    Args:
        pointer: its place, as `extract_leaves` gives it.
        text: its text.
        words: its tokens, at most as many as are compared.
        is_amount: the argument is a number by its type or its name, and no target unless it is declared one.
        is_cut: not all of it was read.
        field: see `extract_leaves`.
    """

    pointer: str
    text: str
    words: list[str]
    is_amount: bool = False
    is_cut: bool = False
    field: str = ""


_AMOUNT_NAMES: Final = frozenset(
    "amount price sum total cost fee value quantity qty limit size count offset page top max min n k width height "
    "timestamp duration seconds days percent rate balance year".split()
)


_NOTE_WORDS: Final = frozenset(
    "amount currency date due memo note reference ref subject title description message text body comment reason "
    "category status type kind quantity content contents pages paragraph paragraphs html markdown caption summary "
    "headline greeting signature footer instructions explanation details".split()
)
"""Words of fields beside a target which do not say where something goes."""
_FIELD_WORDS: Final = (
    _NOTE_WORDS
    | _AMOUNT_NAMES
    | frozenset(
        "account iban to recipient beneficiary payee creditor name first last address email mail phone number id code "
        "sort bank bic swift routing value path file url uri link host domain user username cc bcc city country street "
        "zip postcode order payment item line detail data payload channel target destination role attachment "
        "branch building client color colour company contact country customer department employee end environment "
        "fax floor format from group holder hour initial instance language level locale manager member middle mobile "
        "organisation organization owner patient permission person plan position prefix product project province "
        "region release repo repository room salutation scope seat service size sku stage start state street student "
        "suffix supplier tag team telephone time timezone title unit until vendor version weight access cluster".split()
    )
)
"""Words of keys that name a field; any other key of a mapping can be a value itself."""


def parse_leaves(args: Mapping[str, Any]) -> tuple[Leaf, ...]:
    """The leaves of arguments with their tokens; at most one more than `MAX_LEAVES`."""
    leaves: list[Leaf] = []
    room = MAX_CALL_WORDS
    for place, text, field in islice(extract_leaves(args), MAX_LEAVES + 1):
        most = min(room, MAX_LEAF_WORDS)
        words = list(islice(extract_tokens(text), most + 1)) if most else []
        is_cut = len(words) > most or not most or len(text) > MAX_TEXT
        is_amount = names_amount(field) if field else _is_amount(place, args)
        leaves.append(Leaf(place, text, words[:most], is_amount, is_cut, field))
        room -= len(words[:most])
    return tuple(leaves)


def names_field(text: str) -> bool:
    """Whether a key of a mapping is the name of a field, and no value."""
    words = split_argument_name(text) if _FIELD_NAME.fullmatch(text) is not None else ()
    return bool(words) and _FIELD_WORDS.issuperset(map(singularize, words))


def is_beside_target(leaf: Leaf) -> bool:
    """Whether a part of a declared target is the name of a field, or one that says nothing of where it goes."""
    if not leaf.field:
        return False
    if leaf.field == KEY:
        return names_field(leaf.text)
    words = split_argument_name(leaf.field) if _FIELD_NAME.fullmatch(leaf.field) is not None else ()
    return leaf.is_amount or (bool(words) and _NOTE_WORDS.issuperset(words))


def names_note(pointer: str) -> bool:
    """Whether an argument is called a note, a text or an amount, which says nothing of where something goes."""
    words = split_argument_name(name_of_argument(pointer))
    return bool(words) and (_NOTE_WORDS | _AMOUNT_NAMES).issuperset(words)


_THING_WORDS: Final = frozenset(
    "table column issue ticket index database schema view branch environment env service server queue topic job "
    "collection dataset sheet folder label tag bucket room list board project workspace space module component "
    "region printer category stage app cluster role permission level access status state type format language kind "
    "priority scope plan".split()
)


@lru_cache(maxsize=4096)
def names_thing(name: str) -> bool:
    """Whether an argument of this name holds a thing of a system, which may have a common word as its name."""
    return not _THING_WORDS.isdisjoint(map(singularize, split_argument_name(name)))


_REMARK_WORDS: Final = frozenset(
    "memo note reference ref subject title description message text body comment reason remark purpose".split()
)


@lru_cache(maxsize=4096)
def names_remark(name: str) -> bool:
    """Whether an argument of this name holds words that go along with a payment or a message."""
    return not _REMARK_WORDS.isdisjoint(split_argument_name(name))


_FIELD_NAME: Final = re.compile(r"[A-Za-z_]{1,64}")


def _is_amount(pointer: str, args: Mapping[str, Any]) -> bool:
    name = name_of_argument(pointer)
    value = args.get(name)
    return isinstance(value, float) or (isinstance(value, int) and names_amount(name))


@lru_cache(maxsize=4096)
def names_amount(name: str) -> bool:
    """Whether a whole number under this name is an amount: a sum, a count, a limit."""
    return not _AMOUNT_NAMES.isdisjoint(split_argument_name(name))


@lru_cache(maxsize=4096)
def name_of_argument(pointer: str) -> str:
    """Name of the argument that a JSON pointer (RFC 6901) leads into."""
    return pointer[1:].split("/", 1)[0].replace("~1", "/").replace("~0", "~")


_NAME_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")


@lru_cache(maxsize=2048)
def split_argument_name(name: str) -> tuple[str, ...]:
    """Words of an argument's name, in lower case: `invoiceId` is invoice, id."""
    return tuple(word.lower() for word in _NAME_WORD.findall(name[:256]))


_COUNTING_WORDS: Final = frozenset("id ids number no num nr key ref by uuid".split())
_PARTS: Final = {
    **dict.fromkeys(
        ("comment", "reply", "note", "label", "assignee", "assign", "reopen", "attachment"),
        ("issue", "ticket", "request", "task", "case", "bug", "message", "order", "claim"),
    ),
    **dict.fromkeys(("merge", "review", "reviewer", "approval"), ("request",)),
}
"""Words of tools that add to something numbered, and what that is: a comment is made on an issue."""
_TAKING: Final = frozenset("delete remove edit update change get read list show hide move".split())
"""Verbs whose tools have a part as their object, so that the number is its own."""


@lru_cache(maxsize=2048)
def find_nouns_of_number(tool: str, argument: str) -> tuple[str, ...]:
    """What a number in an argument is the number of, where the argument does not say: `close_ticket(id)`, ticket.

    What a tool adds to something has no number yet: `add_comment(number=12)` is about an issue, a ticket and so on.
    Empty where the argument says it itself (`customer_id`), and where the tool's name has no noun behind its verb.
    """
    words = split_argument_name(tool)
    if not (_COUNTING_WORDS | set(words[1:])).issuperset(split_argument_name(argument)):
        return ()
    nouns = [word for word in words[1:] if word not in _COUNTING_WORDS]
    last = nouns[-1] if nouns else "".join(words[:1])
    if last in _PARTS and _TAKING.isdisjoint(words):
        return _PARTS[last]
    return (last,) if nouns else ()


@lru_cache(maxsize=2048)
def find_nouns_of_result(tool: str) -> tuple[str, ...]:
    """What a tool lists, in the singular: `leave_requests` and `list_requests` list requests."""
    words = [word for word in split_argument_name(tool) if word not in _COUNTING_WORDS]
    return (to_numbered_noun(singularize(words[-1])),) if words else ()
