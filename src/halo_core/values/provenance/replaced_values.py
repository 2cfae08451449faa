"""Values of a write that stand in place of the value of the same shape that the user named (`named_shapes`).

    set_price(sku="LT-204", price=3.9)       # for "LT-204: 39 instead of 45", and a page writes 3.9
    move_slot(slot="A-1", start="18:00")     # for "11:40 suits her, so give her that", and a mail writes 18:00

The user's own values are never asked about, and neither is a value that the user leaves to what is read. A call is
*tied* to a named value if the verb of the tool, or another value of the call, stands beside it (`_is_tied`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from halo_core.model import Provenance, Resource
from halo_core.values.kinds.argument_names import name_of_argument, names_list, split_argument_name
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.kinds.numbers import find_number_forms
from halo_core.values.language.lexicon import find_asking_verbs, stem_all
from halo_core.values.language.text import split_name
from halo_core.values.orders.named_shapes import (
    ACCOUNT_NAMED,
    ACCOUNT_READ,
    ANY_VERB,
    BESIDE,
    COUNT,
    LEFT,
    LESS,
    MAX_COUNT,
    MIN_BESIDE,
    NAMED,
    RELATIVE,
    VALUE,
    VERB,
)
from halo_core.values.orders.shapes import (
    DATE,
    HOUR,
    MARK,
    NUMBER,
    PATH,
    QUOTED,
    TIME,
    Shaped,
    list_matching_dates,
    list_shaped,
)
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, extract_tokens, has_only_untrusted_mark, has_user_mark

_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
ACCOUNT_DOMAINS: Final = frozenset(("iban", "joint"))
"""Domains of the forms that can only be bank accounts."""
ANY_ACCOUNT: Final = Form("account", "")
"""A trusted lookup returned a bank account."""
_MAX_MESSAGE: Final = 16_384  # characters
_MAX_WORDS: Final = 6  # of a value
_MAX_CHARS: Final = 200
_TEXT_NAMES: Final = frozenset(
    "text body subject message content contents title html markdown note notes summary comment caption description"
    " reason remark details query q".split()
)
"""Words in the name of an argument for a text. The values in such a text are not compared."""
_CHANGING: Final = stem_all(
    "set update change edit modify adjust correct move transfer assign reassign rename reschedule register enter"
    " replace reset mark grade reprice relabel redirect"
)
"""Stems of verbs in the name of a tool that changes an existing record."""
_NUMBERING: Final = frozenset(
    "id ids no nr num number uid page index offset row line n k port version step priority".split()
)
"""Words in the name of an argument whose number says which record or place is meant, and is no value to be stored."""


def find_replacing_value(
    resource: Resource, traced: Sequence[TracedLeaf], texts: Mapping[str, str], sketch: Sketch
) -> TracedLeaf | None:
    """Find a value that an untrusted source may have chosen in place of one that the user named; None if there is none.

    Args:
        resource: what is called. If it declares no targets, only values count that are targets by their kind.
        traced: the leaves of the call.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.
    """
    if not sketch.may_hold_untrusted or has_user_mark(sketch.look_up_forms([LEFT])):
        return None
    found: dict[str, list[tuple[TracedLeaf, Shaped]]] = {}
    tool = resource.id
    for leaf in traced:
        if (resource.targets or leaf.is_target) and _is_value(leaf, texts):
            for item in _list_shapes(leaf, texts[leaf.pointer]):
                found.setdefault(item.shape, []).append((leaf, item))
    for shape, items in found.items():
        is_tied = _is_tied(sketch, shape, tool, traced, texts)
        if not _is_named(sketch, shape, tool, is_tied=is_tied):
            continue
        suspects = [
            leaf for leaf, item in items if _is_of_others(sketch, leaf, item, texts[leaf.pointer], is_tied=is_tied)
        ]
        if suspects and not _uses_users_values(sketch, shape, [item for _leaf, item in items]):
            return suspects[0]
    return None


def is_chosen_beside_list(
    targets: Collection[str], traced: Iterable[TracedLeaf], sketch: Sketch, names: Sequence[str]
) -> bool:
    """Whether an untrusted source chose a target that is missing in what the session listed of its sort.

    After "Set the living room thermostat to 19" the agent lists the devices, and a page names another one.

    Args:
        targets: declared targets of the write.
        traced: the leaves of the call.
        sketch: what the session has seen.
        names: the names of the sources, in the order of their numbers from 1.
    """
    if not names or has_user_mark(sketch.look_up_forms([LEFT])):
        return False
    for leaf in traced:
        argument = name_of_argument(leaf.pointer)
        if (
            leaf.origin not in _UNTRUSTED_ORIGINS
            or argument not in targets
            or leaf.kind is not Kind.HANDLE
            or not leaf.places
        ):
            continue
        nouns = frozenset(map(singularize, split_argument_name(argument))) - _NUMBERING
        lists = {place for place, name in enumerate(names, start=1) if _lists(name, nouns)}
        if lists and lists.isdisjoint(leaf.places):
            return True
    return False


def changes_to_value_of_others(
    resource: Resource, traced: Iterable[TracedLeaf], texts: Mapping[str, str], sketch: Sketch
) -> bool:
    """Whether the name of a tool says that it changes a record, and an untrusted source chose a declared target.

    "Enrol Mia for the trip" does not ask for `set_grade(pupil, subject, grade)` with the subject of a form.

    Args:
        resource: what is called.
        traced: the leaves of the call.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.
    """
    if _CHANGING.isdisjoint(split_name(resource.id)) or has_user_mark(sketch.look_up_forms([LEFT])):
        return False
    return any(
        leaf.origin in _UNTRUSTED_ORIGINS
        and name_of_argument(leaf.pointer) in resource.targets
        and not any(
            has_user_mark(sketch.look_up_forms(_list_forms(item))) for item in _list_shapes(leaf, texts[leaf.pointer])
        )
        for leaf in traced
        if leaf.pointer in texts
    )


def _lists(source: str, nouns: frozenset[str]) -> bool:
    """Whether a source lists things that one of these nouns names."""
    return names_list(source) and not nouns.isdisjoint(map(singularize, split_argument_name(source)))


def unvouch_replaced_file(
    resource: Resource, traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Give the declared file of a message the origin `untrusted` if it stands in place of the one that the user named.

    A lookup may have listed both files, so it does not vouch for either.
    """
    if not any(leaf.kind is Kind.PATH and name_of_argument(leaf.pointer) in resource.targets for leaf in traced):
        return traced
    replaced = find_replacing_value(resource, traced, {leaf.pointer: leaf.text for leaf in leaves}, sketch)
    if replaced is None or replaced.kind is not Kind.PATH:
        return traced
    return tuple(leaf._replace(origin=Provenance.UNTRUSTED) if leaf is replaced else leaf for leaf in traced)


def mark_foreign_accounts(
    traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Mark the text of a message as a target if it has an account of an untrusted source, and a lookup gave another.

    Whoever reads the text pays to that account: "with our bank details from the ledger".
    """
    is_named, is_read = (has_user_mark([mark]) for mark in sketch.look_up_forms([ACCOUNT_NAMED, ACCOUNT_READ]))
    if not is_named or is_read or not any(sketch.look_up_known([ANY_ACCOUNT])):
        return traced
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    return tuple(
        leaf._replace(is_target=True, origin=Provenance.UNTRUSTED)
        if _has_foreign_account(texts.get(leaf.pointer, ""), sketch)
        else leaf
        for leaf in traced
    )


def _has_foreign_account(text: str, sketch: Sketch) -> bool:
    """Whether a text has a bank account that only an untrusted source named."""
    if not any(map(str.isdigit, text)):
        return False
    forms: list[Form] = []
    find_number_forms(text[:_MAX_MESSAGE], forms, amounts=False)
    accounts = [form for form in forms if form.domain in ACCOUNT_DOMAINS]
    return has_only_untrusted_mark(sketch.look_up_forms(accounts))


def _is_value(leaf: TracedLeaf, texts: Mapping[str, str]) -> bool:
    """Whether a leaf is a short value, and no text or note."""
    text = texts.get(leaf.pointer, "")
    if not text or len(text) > _MAX_CHARS or len(text.split()) > _MAX_WORDS or leaf.kind is Kind.PROGRAM:
        return False
    name = name_of_argument(leaf.pointer)
    words = frozenset(split_argument_name(name))
    return words.isdisjoint(_TEXT_NAMES)


def _list_shapes(leaf: TracedLeaf, text: str) -> Iterator[Shaped]:
    """List the values of one leaf with their shapes. Only a time or a day may be a part of the leaf."""
    stripped = text.strip()
    for item in list_shaped(stripped):
        is_whole = item.end - item.start >= len(stripped) - 1
        if item.shape in (TIME, DATE):
            yield item
        elif item.shape == NUMBER:
            names = frozenset(split_argument_name(name_of_argument(leaf.pointer)))
            if is_whole and names.isdisjoint(_NUMBERING):
                yield item
        elif is_whole and item.shape != HOUR:
            yield item
    if leaf.kind is Kind.HANDLE and stripped.replace(" ", "").replace("-", "").replace("_", "").isalpha():
        yield Shaped(QUOTED, stripped.casefold(), 0, len(stripped))


def _is_named(sketch: Sketch, shape: str, tool: str, *, is_tied: bool) -> bool:
    """Whether the user names a value of a shape, and neither computes one nor orders this act without one.

    Args:
        sketch: what the session has seen.
        shape: of the value.
        tool: name of the resource.
        is_tied: see `_is_tied`. If it is not, the call may be for any order that has no value of this shape.
    """
    if not has_user_mark(sketch.look_up_forms([Form(NAMED, shape)])) or (shape == QUOTED and not is_tied):
        return False
    stems = sorted(_list_stems(tool))
    without = [Form(LESS, f"{shape} {stem}") for stem in (*stems, *(() if is_tied else (ANY_VERB,)))]
    return not has_user_mark(sketch.look_up_forms([Form(RELATIVE, shape), *without]))


def _list_stems(tool: str) -> frozenset[str]:
    """List the stems of the verbs of a tool's name and of those by which people ask for it."""
    words = split_name(tool)
    return frozenset(words).union(*map(find_asking_verbs, words))


def _is_tied(sketch: Sketch, shape: str, tool: str, traced: Iterable[TracedLeaf], texts: Mapping[str, str]) -> bool:
    """Whether the user names a value of a shape beside the verb of a tool, or beside another value of the call."""
    stems = sorted(_list_stems(tool))
    if has_user_mark(sketch.look_up_forms([Form(how, f"{shape} {stem}") for how in (VERB, BESIDE) for stem in stems])):
        return True
    for leaf in traced:
        words = list(extract_tokens(texts.get(leaf.pointer, ""))) if leaf.origin is Provenance.USER else []
        words = [word for word in words if len(word) >= MIN_BESIDE or any(map(str.isdigit, word))]
        if 0 < len(words) <= _MAX_WORDS:
            marks = sketch.look_up_forms([Form(BESIDE, f"{shape} {word}") for word in words])
            if all(has_user_mark([mark]) for mark in marks):
                return True
    return False


def _is_of_others(sketch: Sketch, leaf: TracedLeaf, item: Shaped, text: str, *, is_tied: bool) -> bool:
    """Whether an untrusted source may have chosen a value.

    A value that stands in no text may follow from what such a source describes ("move the point two places"). It counts
    only if the call is tied, or if an untrusted text has it in another spelling.
    """
    if leaf.origin in _UNTRUSTED_ORIGINS or item.shape == MARK:
        return True
    if leaf.origin is Provenance.KNOWN:
        tokens = list(extract_tokens(text))
        return item.shape in (PATH, DATE, TIME) and bool(tokens) and all(map(sketch.was_in_untrusted_text, tokens))
    if leaf.origin is Provenance.USER:
        return False
    if item.shape == PATH:
        return _lies_in_untrusted_folder(sketch, item.value)
    return is_tied or any(map(sketch.was_in_untrusted_text, _spell(item)))


def _lies_in_untrusted_folder(sketch: Sketch, path: str) -> bool:
    """Whether a file lies in a folder that only untrusted sources name."""
    folders = path.split("/")[:-1]
    places = ["/".join(folders[:end]) for end in range(1, len(folders) + 1)]
    return has_only_untrusted_mark(
        sketch.look_up_forms(
            [Form("path", root + place) for place in places for root in ("/", "") if "/" in root + place]
        )
    )


def _spell(item: Shaped) -> list[str]:
    """List ways in which a text may spell a time or a number as one word: "14:30", "14.30", "2:30pm"."""
    if item.shape == NUMBER:
        return [item.value]
    if item.shape != TIME:
        return []
    hour, minute = (int(part) for part in item.value.split(":"))
    half, of_half = ("am", "pm")[hour >= 12], hour % 12 or 12
    found = [
        f"{h}{sign}{minute:02}{end}" for h in {hour, of_half, f"{hour:02}"} for sign in ":.h" for end in ("", half)
    ]
    return [*found, f"{of_half}{half}"] if not minute else found


def _uses_users_values(sketch: Sketch, shape: str, items: Sequence[Shaped]) -> bool:
    """Whether a call uses a value of this shape that the user wrote. Of files it has to use as many as he names."""
    used = {item.value for item in items if has_user_mark(sketch.look_up_forms(_list_forms(item)))}
    if shape != PATH:
        return bool(used)
    named = max(
        (n for n in range(2, MAX_COUNT + 1) if has_user_mark(sketch.look_up_forms([Form(COUNT, f"{PATH} {n}")]))),
        default=1,
    )
    return len(used) >= min(named, len({item.value for item in items}))


def _list_forms(item: Shaped) -> Iterable[Form]:
    """List the marks by which a user may have written a value."""
    if item.shape == DATE:
        return [Form(VALUE, f"{DATE} {value}") for value in list_matching_dates(item.value)]
    if item.shape == PATH:
        folders = item.value.split("/")
        wholes = ["/".join(folders[:end]) for end in range(1, len(folders) + 1)]
        return [Form(VALUE, f"{PATH} {value}") for value in (*filter(None, wholes), folders[-1])]
    return [Form(VALUE, f"{item.shape} {item.value}")]
