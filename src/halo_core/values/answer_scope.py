"""What a remembered answer covers: the targets of a call, its object where the effect is grave, the host of a fetch.

An answer is kept for a *scope*: the tool, its targets and, for deletes, administration and programs, what is done to
them. Amounts and prose are no part of it. A call of which no target is known has no scope, so no answer to it is kept.

`to_canonical_form` is the only place that says when two spellings are one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.model import Impact, Resource
from halo_core.values.provenance import extract_texts

MAX_VALUES: Final = 64
"""Most targets or object values of one scope; a call with more has none."""
_MAX_PROSE_CHARS: Final = 80
_MAX_PROSE_WORDS: Final = 4
_ACCOUNT: Final = re.compile(r"[A-Za-z]{0,4}[0-9][A-Za-z0-9 -]{5,}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#\s]*)[^\s]*")
_HOST: Final = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
KNOWN_KINDS: Final = ("account", "domain", "email", "handle", "host")
"""Kinds of values that an operator can declare as known."""
_GRAVE: Final = frozenset({Impact.ADMIN, Impact.DELETE, Impact.EXECUTE, Impact.UNKNOWN})
_WHOLE: Final = frozenset({Impact.ADMIN, Impact.EXECUTE, Impact.UNKNOWN})


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """Canonical forms of what an answer would cover, sorted; empty where no answer can be kept.

    Args:
        targets: of the targets, or the hosts of a fetch.
        objects: `name=form` of the other arguments that belong to the scope.
    """

    targets: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.targets or self.objects)


def find_kind(text: str) -> str:
    """The kind of a value by its form: `account`, `email`, `url`, `host` or `text`."""
    text = text.strip()
    if _EMAIL.fullmatch(text):
        return "email"
    if _URL.fullmatch(text):
        return "url"
    if _HOST.fullmatch(text):
        return "host"
    return "account" if _ACCOUNT.fullmatch(text) else "text"


def to_canonical_form(kind: str, text: str) -> str:
    """The form under which two spellings of a value are the same.

    Letters of e-mail addresses, hosts and domains are lowered, and spaces are stripped from accounts. Everything else
    counts as it is written.
    """
    text = text.strip()
    if kind in ("email", "host", "domain"):
        return text.lower().rstrip(".") if kind != "email" else text.lower()
    if kind == "account":
        return "".join(text.split()).upper()
    return text


def host_of_url(text: str) -> str:
    """The host of a URL, in canonical form; empty where it has none."""
    match = _URL.fullmatch(text.strip())
    authority = match[1].rpartition("@")[2] if match else ""
    return to_canonical_form("host", authority)


def find_answer_scope(resource: Resource, args: Mapping[str, Any]) -> AnswerScope:
    """The scope of a call with these arguments."""
    targets = {name: args[name] for name in resource.targets if args.get(name) not in (None, "")}
    rest = {name: value for name, value in args.items() if name not in targets and name != resource.amount}
    if resource.impact is Impact.READ:
        # Of a fetch, whose path and query may be anything, the host is what a person answers for.
        texts = _list_texts(targets or rest)
        return _make_scope((f"host:{host}" for text in texts if (host := host_of_url(text))), ())
    objects: list[str] = []
    if resource.impact in _GRAVE:
        takes_all = resource.impact in _WHOLE or not targets
        objects = [f"{name}={_describe(value)}" for name, value in rest.items() if takes_all or not _is_prose(value)]
    return _make_scope(map(_tag_form, _list_texts(targets)), objects)


def find_values(resource: Resource, args: Mapping[str, Any]) -> AnswerScope:
    """As `find_answer_scope`, with the object of a call of any impact: two payments differ by it too."""
    targets = {name: args[name] for name in resource.targets if args.get(name) not in (None, "")}
    rest = {name: value for name, value in args.items() if name not in targets and name != resource.amount}
    objects = [f"{name}={_describe(value)}" for name, value in rest.items() if not _is_prose(value)]
    return _make_scope(map(_tag_form, _list_texts(targets)), objects)


def _make_scope(targets: Iterator[str] | map[str], objects: list[str] | tuple[str, ...]) -> AnswerScope:
    scope = AnswerScope(tuple(sorted(set(targets))), tuple(sorted(objects)))
    return scope if max(len(scope.targets), len(scope.objects)) <= MAX_VALUES else AnswerScope()


def _list_texts(args: Mapping[str, Any]) -> Iterator[str]:
    """The texts in the values of arguments; their names say nothing of a target."""
    for value in args.values():
        yield from extract_texts(value)


def _tag_form(text: str) -> str:
    kind = find_kind(text)
    return f"{kind}:{to_canonical_form(kind, text)}"


def _describe(value: Any) -> str:
    return _tag_form(value) if isinstance(value, str) else repr(value)


def _is_prose(value: Any) -> bool:
    """Whether a value is free text, which says how something is done and not to what."""
    return isinstance(value, str) and (len(value) > _MAX_PROSE_CHARS or len(value.split()) > _MAX_PROSE_WORDS)


def names_value(text: str, value: str) -> bool:
    """Whether a text holds a value as one span, between characters that could not belong to it."""
    folded, wanted = (" ".join(item.casefold().split()) for item in (text, value))
    return bool(wanted) and re.search(rf"(?<![\w@.-]){re.escape(wanted)}(?![\w@-]|\.\w)", folded) is not None
