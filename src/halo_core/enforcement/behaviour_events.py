"""Builds the `BehaviourEvent` of an action: which objects it touches, what it reaches, and how much leaves with it.

Objects are the identifiers, paths, accounts and addresses among its arguments, at any depth. A few words of prose are
no object. A word or a number is an identifier by the name of its argument or field; so is a long whole number that is
no amount, and a word in a read of labelled data that names nobody otherwise.

An object is related to the request if the user vouches for it, or by lineage: if it stands in a short result of an
action on related objects. An object that first appeared in a long result, which counts as a list, stays unrelated,
whatever the agent does with it afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from halo_core.behaviour.axes import ALARM
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject, fingerprint_text
from halo_core.behaviour.settings import join_named_setting, join_setting
from halo_core.crypto.keys import Digester
from halo_core.enforcement.action_facts import is_related_source
from halo_core.enforcement.state_words import list_state_words
from halo_core.model import Impact, Provenance, Resource
from halo_core.risk.action_risk import DRIFT_ALARM_WEALTH
from halo_core.store.known_values import KnownValues
from halo_core.store.transaction import Transaction
from halo_core.values.kinds.addresses import canonicalize_host, find_own_domain, parse_url
from halo_core.values.kinds.argument_names import name_of_argument, names_thing
from halo_core.values.kinds.kinds import Kind
from halo_core.values.language.text import split_name
from halo_core.values.provenance.leaves import KEY, Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import SOURCE_SHIFT, USER_BIT

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext

MAX_RELATED_RESULT: Final = 4_096
"""Characters of a result from which it counts as a list, whatever it was asked for."""
_MAX_OBJECTS: Final = 256  # of one action
_PERSONAL: Final = frozenset({Kind.ACCOUNT, Kind.EMAIL, Kind.TELEPHONE})
_OBJECTS: Final = frozenset({*_PERSONAL, Kind.HANDLE, Kind.HOST, Kind.PATH, Kind.URL})
_NUMBERS: Final = frozenset({Kind.AMOUNT, Kind.DATE})
_PLACES: Final = frozenset({Kind.HOST, Kind.URL})
_REACHING: Final = frozenset({Impact.ADMIN, Impact.PAYMENT, Impact.SEND, Impact.UNKNOWN})
_KEEPING: Final = frozenset({Impact.READ, Impact.WRITE, Impact.DELETE})
"""Impacts of which a number is money only if the declaration names its unit: a meter shows values as well."""
_IDENTIFYING: Final = frozenset(
    split_name(word)[-1]
    for word in "account applicant asset beneficiary booking borrower card case claim client contract customer "
    "document driver email employee file guest handle iban id ids identifier incident invoice isin key loan login "
    "matter member mrn no nos nr number order owner parcel passenger patient payee person pnr policy recipient record "
    "ref reference reservation shipment sku slug ssn student subscriber tenant ticket tracking uid user username uuid "
    "vehicle vin".split()
)
"""Words at the end of an argument's name that make a number in it, or a word, an identifier; stemmed."""
_NAMING: Final = _IDENTIFYING | {split_name("name")[-1]}
_POSTAL: Final = frozenset(split_name(word)[-1] for word in "plz postal postcode zip zipcode".split())
_KEY_DIGITS: Final = 5
"""Digits from which on a whole number is an identifier, if neither its name nor its type makes it an amount."""
_MAX_WORDS: Final = 512  # of one text
_SEPARATORS: Final = re.compile(r"[\s,;:!?()\[\]\"']+|\.(?=\s|$)")
_PATH_SEPARATORS: Final = re.compile(r"[\s/\\]+|\.(?=\w{1,5}$)")
_PARTS: Final = re.compile(r"[-_:#./\s]+")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_SHORT_KEY: Final = re.compile(r"(?=.*\d)(?=.*[^\W\d_])\w{2,24}")
_NOTE_BLANKS: Final = 3
"""A text with at least as many blanks is longer than a state or a name."""
_DATE_DIGITS: Final = 4
"""Digits of the longest number in a date."""
_MAX_PARTS: Final = 6  # of a key that is put together
_MAX_SETTING: Final = 40
"""Characters of a value that is set; what is longer is a text of its own each time."""
_MAX_SETTINGS: Final = 16  # of one action
_NAMED_PATH: Final = re.compile(r"(?:^|[\s/\\.])(?=[\w#:-]{0,64}\d)(?=[\w#:-]{0,64}[^\W\d_])[\w#:-]{4}")
_IDENTIFIER: Final = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./#:-]{4,64}|[^@\s]{1,64}@[^@\s]{3,128}|\d{7,34}")
"""A word with letters and digits, an address, or a long number; no date, time or amount."""
_PERSONAL_WORD: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{3,128}|[a-z]{0,4}\d{7,34}")
"""Such an address or number, also with a country in front."""


@lru_cache(maxsize=8192)
def _fingerprint(key: bytes, text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key[:64]).digest()) >> 1


@lru_cache(maxsize=1024)
def _is_identifier(name: str) -> bool:
    words = split_name(name)
    return bool(words) and words[-1] in _IDENTIFYING


@lru_cache(maxsize=1024)
def _names_something(name: str) -> bool:
    words = split_name(name)
    return bool(words) and words[-1] in _NAMING


def _is_prose(text: str, name: str, *, is_target: bool) -> bool:
    """Whether a short text is prose (a state, a remark, words around an identifier) and names no object itself.

    Args:
        text: text of the argument or field.
        name: name of the argument or field; `KEY` if the text is itself the name of a field.
        is_target: it is declared a target.
    """
    if name == KEY:
        return not _IDENTIFIER.fullmatch(text)
    if is_target:
        return False
    words = text.split()
    if len(words) == 1:
        return text.isalpha() and not _names_something(name)
    return not _names_something(name) or any(_IDENTIFIER.fullmatch(word) for word in words)


def _is_record_number(leaf: Leaf, name: str, resource: Resource) -> bool:
    """Whether a number identifies a record: by its argument's name, or because it is long and no amount."""
    if _is_identifier(name):
        return True
    text = leaf.text.strip()
    if len(text) < _KEY_DIGITS or not text.isdigit() or leaf.is_amount:
        return False
    return resource.amount not in (name, name_of_argument(leaf.pointer)) and _POSTAL.isdisjoint(split_name(name))


def build_event(tx: Transaction, context: DecisionContext, digester: Digester) -> BehaviourEvent:
    """The behaviour event of a call, after its session was read.

    Args:
        tx: the transaction.
        context: context of the call, after `read_session`, with its amount.
        digester: keyed digests of the home.
    """
    resource, origin, state = context.call.resource, context.origin, context.state
    key, impact = tx.image.sketch_key, resource.impact
    objects, destinations, prose, program, bytes_out = _sort_values(tx, context, digester)
    is_note = impact is Impact.WRITE and _is_note(context, objects)
    if impact is Impact.SEND or (impact is Impact.UNKNOWN and destinations):
        bytes_out = sum([len(leaf.text) for leaf in context.leaves])
        objects += _list_carried(tx, context, [leaf.words for leaf in context.leaves if len(leaf.words) > 1])
    elif prose:
        objects += _list_carried(tx, context, [_SEPARATORS.split(text) for _, _, text in prose])
        if not objects and impact is Impact.READ and resource.labels:
            objects += _list_words(tx, context, prose)
    if impact is Impact.WRITE:
        objects += _list_copied(tx, context)
    return BehaviourEvent(
        tool=resource.id,
        kind=resource.kind,  # members are texts; asking for `value` is two calls
        impact=impact,
        system=resource.system,
        labels=resource.labels,
        ts_us=context.time_us,
        host=origin.host,
        process=origin.process,
        principal=context.principal.reference,
        request=_fingerprint(key, context.user_request) if context.user_request else 0,
        objects=tuple(objects),
        destinations=tuple(destinations),
        bytes_out=bytes_out,
        amount=context.amount if impact not in _KEEPING or resource.unit else None,
        unit=resource.unit,
        is_exposed=state.view.tainted,
        resource=resource.id,
        hand_off_to=resource.id if context.call.hand_off is not None else "",
        program=program,
        words=list_state_words(tx, context) if impact is Impact.WRITE else (),
        settings=_list_settings(tx, context, prose) if impact is Impact.WRITE else (),
        session_risk=state.risk,
        surprise=_measure_surprise(context) if context.score_name else 0,
        is_note=is_note,
    )


def _is_note(context: DecisionContext, named: Sequence[TouchedObject]) -> bool:
    """Whether a write has no labels, a text of several words, and no argument that names anything but a page."""
    if context.call.resource.labels or not all(item.is_page for item in named):
        return False
    return any(leaf.text.count(" ") >= _NOTE_BLANKS for leaf in context.leaves)


def _sort_values(
    tx: Transaction, context: DecisionContext, digester: Digester
) -> tuple[list[TouchedObject], list[Destination], list[tuple[TracedLeaf, str, str]], str, int]:
    """Sort the values of a call's arguments by their meaning to behaviour.

    Returns:
        The objects that they name; the destinations that they lead to; short texts that may be prose, each with its
        name and folded text; the name of the first program; and the bytes that go to the destinations.
    """
    resource, key = context.call.resource, tx.image.sketch_key
    objects: list[TouchedObject] = []
    destinations: list[Destination] = []
    prose: list[tuple[TracedLeaf, str, str]] = []
    program, bytes_out = "", 0
    leaves: dict[str, Leaf] = {}
    for leaf in context.leaves:  # a comprehension is a call
        leaves[leaf.pointer] = leaf
    reaches = resource.impact in _REACHING
    for traced in context.traced:
        if traced.pointer not in leaves:
            continue  # an argument without a value
        kind, leaf, traced_origin = traced.kind, leaves[traced.pointer], traced.origin
        if kind is Kind.PROGRAM:
            program = program or _name_program(leaf.text)
            continue
        name = leaf.field or name_of_argument(traced.pointer)
        if kind not in _OBJECTS and not (kind in _NUMBERS and _is_record_number(leaf, name, resource)):
            continue
        text = leaf.text.strip().casefold()
        if not text or len(objects) >= _MAX_OBJECTS:
            continue
        if kind is Kind.HANDLE and _is_prose(text, name, is_target=traced.is_target):
            prose.append((traced, name, text))
            continue
        is_requested = traced_origin is Provenance.USER
        is_related = is_requested or _is_related(tx, context, traced, text)
        is_page = kind is Kind.PATH and _is_page(text)
        objects.append(TouchedObject(_fingerprint(key, text), is_related, kind in _PERSONAL, is_requested, is_page))
        if kind in _PLACES or (reaches and traced.is_target):
            # What a lookup brought vouches for a destination only if the request has to do with it.
            is_vouched = is_requested or (is_related and traced_origin is Provenance.KNOWN)
            bytes_out += _add_destinations(
                tx, context, digester, destinations, kind=kind, text=text, is_vouched=is_vouched
            )
    return objects, destinations, prose, program, bytes_out


def _list_settings(
    tx: Transaction, context: DecisionContext, prose: Iterable[tuple[TracedLeaf, str, str]]
) -> tuple[int, ...]:
    """The values that a write sets, with their arguments: short texts and numbers that name no object.

    Args:
        tx: the transaction.
        context: context of the call.
        prose: short texts that are no object, as `_sort_values` gives them.
    """
    resource, key, settings = context.call.resource, tx.image.sketch_key, dict[int, None]()
    words, leaves = {traced.pointer for traced, _, _ in prose}, {leaf.pointer: leaf for leaf in context.leaves}
    for traced in context.traced:
        if traced.pointer not in leaves:
            continue  # an argument without a value
        leaf, origin = leaves[traced.pointer], traced.origin
        name = leaf.field or name_of_argument(traced.pointer)
        text = leaf.text.strip().casefold()
        is_plain = traced.kind not in _OBJECTS and not (
            traced.kind in _NUMBERS and _is_record_number(leaf, name, resource)
        )
        if not (is_plain or traced.pointer in words) or name == KEY or not 0 < len(text) <= _MAX_SETTING:
            continue
        if origin in (Provenance.UNTRUSTED, Provenance.MIXED):  # policies ask about what content chose
            continue
        place = fingerprint_text(f"{resource.id} {name}")
        is_named = origin is Provenance.USER
        settings[join_named_setting(place) if is_named else join_setting(place, _fingerprint(key, text))] = None
    return tuple(settings)[:_MAX_SETTINGS]


def _list_words(
    tx: Transaction, context: DecisionContext, prose: Iterable[tuple[TracedLeaf, str, str]]
) -> list[TouchedObject]:
    """The objects named by single words, where nothing else says whose data is read.

    Args:
        tx: the transaction.
        context: context of the call.
        prose: arguments without an identifier: traced, the name of the argument or field, and the text.
    """
    objects = []
    for traced, name, text in prose:
        if text.isalpha() and name != KEY and not names_thing(name):
            is_requested = traced.origin is Provenance.USER
            is_related = is_requested or _is_related(tx, context, traced, text)
            objects.append(TouchedObject(_fingerprint(tx.image.sketch_key, text), is_related, False, is_requested))
    return objects


def _is_related(tx: Transaction, context: DecisionContext, traced: TracedLeaf, text: str) -> bool:
    """Whether a value that the user did not write is related to the request."""
    sources = context.state.sources
    if traced.origin is Provenance.KNOWN and not traced.places:
        return True
    for place in traced.places:
        if place <= len(sources) and is_related_source(sources[place - 1]):
            return True
    if traced.kind is Kind.HANDLE and _is_composed(tx, context, text):
        return True
    if traced.kind is not Kind.PATH or not _NAMED_PATH.search(text):
        return False
    # A file that is named after something that the request names.
    return any(item.is_requested for item in _list_carried(tx, context, [_PATH_SEPARATORS.split(text)]))


def _is_page(path: str) -> bool:
    """Whether a path consists of words, and of numbers only if they are a date: `planning/month`, `notes/2026-06`."""
    parts = [part for part in _PARTS.split(path) if part]
    numbers = [part for part in parts if not part.isalpha()]
    return not numbers or (
        any(_YEAR.fullmatch(number) for number in numbers)
        and all(number.isdecimal() and len(number) <= _DATE_DIGITS for number in numbers)
    )


def _is_composed(tx: Transaction, context: DecisionContext, text: str) -> bool:
    """Whether a short key is a word of the request or is composed of such words.

    So is `8a` of "class 8a", which nobody vouches for under the name of `form`, and `20-early` of "an early shift in
    week 20".
    """
    parts = [part for part in _PARTS.split(text) if part]
    if not 0 < len(parts) <= _MAX_PARTS:
        return False
    if not (_SHORT_KEY.fullmatch(text) if len(parts) == 1 else any(part.isalpha() for part in parts)):
        return False
    return all(mask & USER_BIT for mask in tx.load_sketch(context.state).look_up_marks(parts))


def _measure_surprise(context: DecisionContext) -> int:
    """How close the session's e-process is to its alarm, in thousandths of the alarm; for a scored call."""
    return context.assessment.drift * ALARM // DRIFT_ALARM_WEALTH


def _list_carried(
    tx: Transaction, context: DecisionContext, texts: Iterable[Sequence[str]], *, is_copied: bool = False
) -> list[TouchedObject]:
    """The objects named in texts: identifiers, account numbers and addresses among their words.

    Args:
        tx: the transaction.
        context: context of the call.
        texts: words of each.
        is_copied: only addresses and long numbers, and what stands in the request or in a result that is known of.
    """
    named: list[str] = []
    for text in texts:
        for word in text[:_MAX_WORDS]:
            if not word.isalpha() and _IDENTIFIER.fullmatch(word):  # most are of letters alone, and no identifier
                named.append(word)  # noqa: PERF401  a comprehension is a call
    if not named:
        return []
    named = named[:_MAX_OBJECTS]
    key, sources = tx.image.sketch_key, context.state.sources
    carried = []
    for word, mask in zip(named, tx.load_sketch(context.state).look_up_marks(named), strict=True):
        place, is_requested = mask >> SOURCE_SHIFT, bool(mask & USER_BIT)
        if is_copied and not (place or is_requested or _PERSONAL_WORD.fullmatch(word)):
            continue
        is_related = is_requested or (0 < place <= len(sources) and is_related_source(sources[place - 1]))
        carried.append(TouchedObject(_fingerprint(key, word), is_related, "@" in word, is_requested))
    return carried


def _list_copied(tx: Transaction, context: DecisionContext) -> list[TouchedObject]:
    """The objects named in a text that is written: those it is about, and those the session has read.

    What an agent writes of its own accord, such as a program, is full of words that look like identifiers. The session
    keeps no words of what nobody asked for, so that addresses and account numbers have to say it.
    """
    texts = {traced.pointer for traced in context.traced if traced.kind is Kind.TEXT}
    written = [leaf.words for leaf in context.leaves if leaf.pointer in texts and len(leaf.words) > 1]
    return _list_carried(tx, context, written, is_copied=True) if written else []


def _name_program(text: str) -> str:
    """The first word of a program."""
    words = text[:64].split(maxsplit=1)
    return words[0].casefold() if words else ""


def _add_destinations(
    tx: Transaction,
    context: DecisionContext,
    digester: Digester,
    destinations: list[Destination],
    *,
    kind: Kind,
    text: str,
    is_vouched: bool,
) -> int:
    """Add the destinations of a value: host, address and domain, or account; returns the bytes sent with it."""
    key = tx.image.sketch_key
    if kind is Kind.EMAIL:
        domain = text.rpartition("@")[2]
        is_own = _is_own(tx, context, digester, domain)
        destinations.append(Destination(_fingerprint(key, text), is_own, is_vouched))
        destinations.append(Destination(_fingerprint(key, domain), is_own, is_vouched))
        return 0
    if kind in _PLACES:
        url = parse_url(text) if kind is Kind.URL else None
        host = url.host if url is not None else canonicalize_host(text)
        if not host:
            host = text[:256]
        is_own = _is_own(tx, context, digester, host)
        destinations.append(Destination(_fingerprint(key, host), is_own, is_vouched))
        return 0 if is_own or is_vouched else len(text)
    destinations.append(Destination(_fingerprint(key, text), False, is_vouched))
    return 0


def _is_own(tx: Transaction, context: DecisionContext, digester: Digester, domain: str) -> bool:
    """Whether a domain is the tenant's own: the user's, or one that the operator declared."""
    own = find_own_domain(context.principal.user)
    if own and (domain == own or domain.endswith("." + own)):
        return True
    known = KnownValues(tx, digester)
    return bool(known) and known.contains("domain", domain)
