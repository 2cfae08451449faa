"""What a remembered answer covers: the scope of a call.

A person answers "yes, and also in future". The answer is kept for a scope (`find_answer_scope`):

- of each call, its targets;
- of a deletion, an act of administration, a program or an unknown act, also all other arguments exactly as they are;
- of a message, also the files that it carries;
- of a read, the host in place of each URL.

Amounts and free text are not part of a scope. A call without a target has no scope, so no answer to it is kept.

The same module finds what tells two payments apart (`find_distinguishing_values`), which values an operator can declare
as known (`list_declarable`), and what a message of the user says of a value or an act (`names_value`, `asks_for`).
Whether two spellings are one value is decided by `halo_core.values.provenance.forms` alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from typing import Any, Final

from halo_core.model import Impact, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.values.facts.call_view import is_unpriced_order
from halo_core.values.kinds.addresses import canonicalize_email, canonicalize_host
from halo_core.values.kinds.argument_names import (
    name_of_argument,
    names_amount,
    names_field,
    names_remark,
    split_argument_name,
)
from halo_core.values.kinds.dates import is_date
from halo_core.values.kinds.kinds import SUSPICIOUS, TARGET_KINDS, Form, Kind
from halo_core.values.kinds.numbered import MIN_DIGITS
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT, SECRET_WORDS, SENSITIVE_WORDS
from halo_core.values.language.normalization import has_invisible
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.argument_forms import ArgumentValue, parse_argument
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.leaves import KEY, extract_fields, extract_texts
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_acts import find_asked_stems

MAX_VALUES: Final = 64
"""Most targets, or objects, of one scope; a call with more of them has no scope."""
_MAX_MESSAGES: Final = 64
"""Messages of users for which a function remembers what it found."""
_MAX_PROSE_CHARS: Final = 80
_MAX_PROSE_WORDS: Final = 4
KNOWN_KINDS: Final = ("account", "domain", "email", "handle", "host", "model_field")
"""Kinds of values that an operator can declare as known."""
_GRAVE: Final = frozenset({Impact.ADMIN, Impact.DELETE, Impact.EXECUTE, Impact.UNKNOWN})
"""Classes of acts whose scope includes all arguments."""
_GUARDED_WORDS: Final = SECRET_WORDS | SENSITIVE_WORDS
"""Words of a path to a file of secrets, whose read has no scope."""


@dataclass(frozen=True, slots=True)
class AnswerScope:
    """What an answer would cover, in canonical forms; empty where no answer can be kept.

    Args:
        targets: forms of the targets, sorted; of a read, a host in place of each URL.
        objects: `name=form` of the other arguments that belong to the scope, sorted.
    """

    targets: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.targets or self.objects)


def identify_values(text: str) -> tuple[str, ...]:
    """List each value in the text of an argument as `domain:form`, which is equal for two spellings of one value.

    A value without a canonical form, or one that is written in a misleading way, is listed as it is written: `text:…`.
    """
    values = parse_argument(text, (), is_target=True)
    return tuple(
        f"{value.forms[0].domain}:{value.forms[0].text}"
        if value.forms and SUSPICIOUS not in value.flags
        else f"text:{_spell_plainly(value.text)}"
        for value in values
    )


def _spell_plainly(text: str) -> str:
    """Spell a name with single blanks and without `@` or `#` in front, and a short number without leading zeros."""
    plain = " ".join(text.split())
    plain = plain[1:] if plain[:1] in ("@", "#") else plain
    return str(int(plain)) if plain.isascii() and plain.isdigit() and len(plain) < MIN_DIGITS else plain


_REFUSING: Final = compile_later(
    r"\b(?:stop|don't|dont|not|never|cancel|without|no longer|instead of)\b|\?\s*$", re.IGNORECASE
)


@lru_cache(maxsize=_MAX_MESSAGES)
def asks_for(text: str, impact: Impact) -> bool:
    """Whether a message asks for an act of a class, and neither forbids it nor asks a question."""
    return _REFUSING.search(text) is None and speaks_of_act(text, impact)


@lru_cache(maxsize=_MAX_MESSAGES)
def speaks_of_act(text: str, impact: Impact) -> bool:
    """Whether a message has a word that asks for an act of a class, even in a question or beside a prohibition."""
    words = REQUEST_WORDS_BY_IMPACT[impact.value]
    return not words.isdisjoint(find_asked_stems(text)) or not words.isdisjoint(find_foreign_acts(text))


def to_canonical_form(kind: str, text: str) -> str:
    """Return the canonical form of a value that an operator declares, equal for two spellings of it.

    Args:
        kind: one of `KNOWN_KINDS`.
        text: the value as it was written.

    Returns:
        The form; empty if the text is no value of this kind.
    """
    text = text.strip()
    if has_invisible(text):
        return ""
    if kind == "email":
        return canonicalize_email(text) or ""
    if kind in ("host", "domain"):
        return canonicalize_host(text) or ""
    if kind == "account":
        (value, *others) = parse_argument(text, (), is_target=True)
        has_form = value.kind is Kind.ACCOUNT and value.forms and not others
        return value.forms[0].text if has_form else text
    return text


def list_known_names(value: ArgumentValue) -> tuple[tuple[str, str], ...]:
    """List the kind and form of each declaration that would make a value known.

    A declared own domain makes the addresses at it known. A declared host makes the `https` URLs on it known. Neither
    covers subdomains.
    """
    if value.flags or (value.host and not value.forms):
        return ()
    if value.kind is Kind.EMAIL:
        email = tuple(("email", form.text) for form in value.forms[:1])
        return (*email, ("domain", value.host)) if value.host else email
    if value.kind in (Kind.URL, Kind.HOST):
        host = re.split(r"[/?#]", value.forms[0].text.removeprefix("https://"), maxsplit=1)[0] if value.forms else ""
        # A URL with another scheme or port leads elsewhere.
        return tuple((kind, host) for kind in ("host", "domain") if host and host == value.host)
    if value.kind in (Kind.ACCOUNT, Kind.TELEPHONE):
        return tuple(("account", form.text) for form in value.forms)
    if value.kind is Kind.HANDLE:
        spelled = value.text.strip()
        texts = filter(None, dict.fromkeys((spelled, spelled.lstrip("#@"))))
        return tuple((kind, text) for text in texts for kind in ("handle", "account"))
    return ()


def list_declarable(text: str) -> list[tuple[str, str]]:
    """List the kind and text with which an operator would declare each value of an argument; of a URL, its host."""
    return [_to_declarable(value) for value in parse_argument(text, (), is_target=True)]


def _to_declarable(value: ArgumentValue) -> tuple[str, str]:
    if value.kind in (Kind.URL, Kind.HOST):
        return "host", value.host
    if value.kind is Kind.EMAIL:
        return "email", value.text
    return ("account" if value.kind in (Kind.ACCOUNT, Kind.TELEPHONE) else "handle"), value.text


def find_answer_scope(resource: Resource, args: Mapping[str, Any]) -> AnswerScope:
    """Find the scope of a call with these arguments."""
    targets, rest = _split_arguments(resource, args)
    # INVARIANT: BIND - white space and a sign in front are spelling in a name, and code in a program.
    programs = [f"{name}={_digest_exactly(args[name])}" for name, _ in resource.list_programs() if name in args]
    if resource.impact is Impact.READ:
        return _find_read_scope(targets, programs)
    objects: list[str] = []
    if resource.impact in _GRAVE:
        if resource.impact is Impact.EXECUTE:  # a program may look like a path
            rest = {name: value for name, value in args.items() if name not in (*resource.targets, resource.amount)}
        objects = [f"{name}={_digest_exactly(value)}" for name, value in rest.items()]
    elif resource.impact is Impact.SEND:
        objects = [f"{name}={_describe_files(value)}" for name, value in rest.items() if _holds_path(value)]
    if len(targets) > 1:  # a yes to a transfer from A to B is none to a transfer from B to A
        objects += [f"{name}>{','.join(sorted(_identify_all({name: value})))}" for name, value in targets.items()]
    return _make_scope(_identify_all(targets), objects, programs)


def _find_read_scope(targets: Mapping[str, Any], programs: Iterable[str]) -> AnswerScope:
    """Find the scope of a read: the hosts of its URLs, whatever their paths and queries, and its other targets.

    A read that reaches neither a host nor a path has no scope.

    INVARIANT: BIND - a yes to the read of a file of secrets is kept for no other read.
    """
    names: list[str] = []
    others: list[str] = []
    for text in _list_texts(targets):
        for value, name in zip(parse_argument(text, (), is_target=True), identify_values(text), strict=True):
            if value.kind is Kind.URL:
                names.append(_name_host(value))
            elif value.kind is Kind.PATH:
                is_guarded = value.forms and not _GUARDED_WORDS.isdisjoint(split_name(value.forms[0].text))
                names.append("" if is_guarded or value.flags or not value.forms else f"path:{value.forms[0].text}")
            else:
                others.append(name)
    return _make_scope(iter([*names, *others]), (), programs) if names and all(names) else AnswerScope()


def _name_host(value: ArgumentValue) -> str:
    """Name the host of a URL, with scheme and port unless these are `https` and 443; empty if the URL misleads."""
    if not value.host or not value.forms or value.flags:
        return ""
    scheme, _, rest = value.forms[0].text.partition("://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return f"host:{authority}" if scheme == "https" else f"host:{scheme}://{authority}"


def find_denied_targets(resource: Resource, args: Mapping[str, Any]) -> tuple[str, ...]:
    """Name each target by which an override can forbid a call: of a URL that is read, the host.

    The names are sorted.
    """
    targets, _ = _split_arguments(resource, args)
    names = set()
    for text in _list_recipients(targets):
        for value, name in zip(parse_argument(text, (), is_target=True), identify_values(text), strict=True):
            is_host = resource.impact is Impact.READ and value.kind is Kind.URL and value.host
            names.add(f"host:{value.host}" if is_host else name)
    return tuple(sorted(names))


def find_amount_terms(resource: Resource, args: Mapping[str, Any]) -> tuple[str, ...]:
    """List the arguments that decide what an amount means and how often it is paid: `currency=EUR`, `recurring=True`.

    These are all arguments except targets, the amount, remarks, days and the number of a bill. An answer to an amount
    holds only for the same terms.
    """
    _, rest = _split_arguments(resource, args)
    terms = (f"{name}={_describe(value)}" for name, value in rest.items() if not _is_free(name, value))
    return tuple(sorted(terms))


_BILL_WORDS: Final = frozenset("bill invoice receipt".split())
_NUMBERING_WORDS: Final = frozenset("id no nr number num ref reference".split())
_TERM_WORDS: Final = frozenset(
    "account count currency every frequency iban interval payee period rate recipient times to unit".split()
)
"""Words in the names of arguments that say who is paid, how often, or in which currency or unit."""
_END_WORDS: Final = frozenset("end ends expires expiry final last stop through to until".split())
"""Words in the names of arguments that say until when something is paid."""


def _is_free(name: str, value: Any) -> bool:
    """Whether an argument of a payment can change without a change of how much is paid."""
    if value in (None, "") or (names_remark(name) and _TERM_WORDS.isdisjoint(split_argument_name(name))):
        return True
    if not isinstance(value, str):
        return False
    words = frozenset(split_argument_name(name))
    is_day = is_date(value) and _END_WORDS.isdisjoint(words)  # the last day decides how often something is paid
    is_bill = not _BILL_WORDS.isdisjoint(words) and words <= _BILL_WORDS | _NUMBERING_WORDS
    return is_day or (len(value.split()) == 1 and is_bill)


def covers_targets(resource: Resource, args: Mapping[str, Any], traced: Iterable[TracedLeaf]) -> bool:
    """Whether each target that nobody vouched for belongs to the scope of a call.

    INVARIANT: BIND - a yes to the address of a message allows nothing else that the message carries.
    """
    covered = _list_covered_arguments(resource, args)
    return all(
        name_of_argument(leaf.pointer) in covered
        for leaf in traced
        if leaf.is_target and leaf.origin not in VOUCHED_ORIGINS
    )


def _list_covered_arguments(resource: Resource, args: Mapping[str, Any]) -> frozenset[str]:
    """List the arguments whose values belong to the scope of a call. An answer allows nothing about the others."""
    if resource.impact in _GRAVE:
        return frozenset(args)
    targets, rest = _split_arguments(resource, args)
    files = (name for name, value in rest.items() if resource.impact is Impact.SEND and _holds_path(value))
    return frozenset(targets).union(files)


def _holds_path(value: Any) -> bool:
    """Whether an argument of a message holds the path of a file, which the recipient will be able to read."""
    texts = islice(extract_texts(value), MAX_VALUES)
    return any(item.kind is Kind.PATH for text in texts if not _is_prose(text) for item in parse_argument(text))


def _describe_files(value: Any) -> str:
    """Name the files in an argument of a message. `/a.pdf` and `[{"type": "file", "path": "/a.pdf"}]` give the same."""
    texts = (text for text, field in extract_fields(value) if not _is_key_or_format(text, field))
    return ",".join(sorted({item for text in texts for item in identify_values(text)}))


_FORM_WORDS: Final = frozenset("content encoding file format kind media mime type".split())
"""Words in the names of fields that say in which format a file is sent."""
_FILE_FIELDS: Final = _FORM_WORDS | frozenset("attachment document filename id name path url".split())
_FORMS: Final = frozenset("attachment base64 document file image inline pdf text utf-8".split())
_IDENTIFIER: Final = compile_later(r"[A-Za-z_-]{1,40}")
_MEDIA_TYPE: Final = compile_later(
    r"(?:application|audio|font|image|message|model|multipart|text|video)/[a-z0-9.+-]{1,64}"
)


def _is_key_or_format(text: str, field: str) -> bool:
    """Whether a leaf in the description of a file is a key or the format of the file, and so names no file."""
    if field == KEY:
        return _IDENTIFIER.fullmatch(text) is not None and _FILE_FIELDS.issuperset(split_argument_name(text))
    words = split_argument_name(field)
    is_form = bool(words) and _FORM_WORDS.issuperset(words) and words not in (("file",), ("content",))
    return is_form and (text.lower() in _FORMS or _MEDIA_TYPE.fullmatch(text.lower()) is not None)


def _split_arguments(resource: Resource, args: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split arguments into targets, by their declaration or the kind of their values, and the others.

    The amount is in neither part.
    """
    targets = {
        name: value
        for name, value in args.items()
        if value not in (None, "")
        and name != resource.amount
        and (name in resource.targets or _holds_target(resource, value))
    }
    return targets, {name: value for name, value in args.items() if name not in targets and name != resource.amount}


def _holds_target(resource: Resource, value: Any) -> bool:
    """Whether a value is of a kind that says where something goes. The files that a message carries are no targets."""
    kinds = TARGET_KINDS - {Kind.PATH} if resource.impact is Impact.SEND else TARGET_KINDS
    return any(item.kind in kinds for text in islice(extract_texts(value), MAX_VALUES) for item in parse_argument(text))


def _digest_exactly(value: Any) -> str:
    """Return the digest of a value as it is; of a text, without the white space around it."""
    return sha256(repr(value.strip() if isinstance(value, str) else value).encode()).hexdigest()[:32]


def find_distinguishing_values(
    resource: Resource, args: Mapping[str, Any], unvouched: Collection[str] = ()
) -> AnswerScope:
    """Find the values that tell a call from another call of the same tool: of its targets and of its other arguments.

    Two payments with the same values are the same payment, made twice. Free text is no difference, and neither is the
    count of an unpriced order: a message asks for each thing once, in one call.

    Args:
        resource: what is called.
        args: its arguments.
        unvouched: names of arguments whose values nobody vouched for. A remark in one of them is in the model's own
            words, so it is no difference.
    """
    targets, rest = _split_arguments(resource, args)
    objects = [
        f"{name}={_describe(value)}"
        for name, value in rest.items()
        if not _is_prose(value)
        and not (name in unvouched and names_remark(name))
        and not (is_unpriced_order(resource) and names_amount(name))
    ]
    recipients = (name for text in _list_recipients(targets) for name in identify_values(text))
    return _make_scope(recipients, objects)


def _list_recipients(targets: Mapping[str, Any]) -> Iterator[str]:
    """List the texts in the values of targets, without names of fields, which all calls of the same shape share."""
    for value in targets.values():
        if isinstance(value, str):
            yield value
            continue
        for text, field in extract_fields(value):
            if field != KEY or not names_field(text):
                yield text


def _make_scope(targets: Iterator[str], objects: Iterable[str], programs: Iterable[str] = ()) -> AnswerScope:
    """Make a scope. Programs are part of it only if it has something else: alone, they name no target."""
    scope = AnswerScope(tuple(sorted(set(targets))), tuple(sorted(objects)))
    if scope:
        scope = AnswerScope(scope.targets, tuple(sorted({*scope.objects, *programs})))
    return scope if max(len(scope.targets), len(scope.objects)) <= MAX_VALUES else AnswerScope()


def _list_texts(args: Mapping[str, Any]) -> Iterator[str]:
    """List the texts in the values of arguments, with the names of fields in them."""
    for value in args.values():
        yield from extract_texts(value)


def _identify_all(args: Mapping[str, Any]) -> Iterator[str]:
    for text in _list_texts(args):
        yield from identify_values(text)


def _describe(value: Any) -> str:
    return ",".join(identify_values(value)) if isinstance(value, str) else repr(value)


def _is_prose(value: Any) -> bool:
    """Whether a value is free text, and so names nothing."""
    return isinstance(value, str) and (len(value) > _MAX_PROSE_CHARS or len(value.split()) > _MAX_PROSE_WORDS)


@lru_cache(maxsize=_MAX_MESSAGES)
def _read_message(text: str) -> frozenset[Form]:
    """Find the forms of the values in a message of the user; cached, since each payment of a session asks."""
    return frozenset(find_forms(text))


def names_value(text: str, value: str) -> bool:
    """Whether a message contains a value (from `identify_values`): its form, or its words side by side."""
    domain, _, form = value.partition(":")
    if domain != "text":
        return Form(domain, form) in _read_message(text)
    folded, wanted = (" ".join(item.casefold().split()) for item in (text, form))
    return bool(wanted) and re.search(rf"(?<![\w@.-]){re.escape(wanted)}(?![\w@-]|\.\w)", folded) is not None
