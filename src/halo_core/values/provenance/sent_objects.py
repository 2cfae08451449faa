"""What a message is about or contains, chosen by an untrusted source instead of the user.

    forward(mail_id=21, to="lea@x.example")     # for "forward mail 12 to lea@x.example", and a mail names 21
    mail_orders(customer="*", to=...)           # for "the orders of customer K-412"
    mail_rows(table="salaries", to=...)         # for "the rows of the table visits", and a mail names salaries

The recipient is vouched for, but somebody else chose what is sent. So these count as targets after exposure: an id, a
number or a name of a sort of which the user named another one; a number that the user wrote only for another act; and
a filter that leaves nothing out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.kinds.argument_names import name_of_argument, names_note, names_remark, split_argument_name
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.open_filters import FILTER_NAMES, leaves_nothing_out, wants_all
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_objects import is_asked_for_others
from halo_core.values.requests.named_values import ID_OF_SORT
from halo_core.values.requests.tool_verbs import list_asking_stems
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_MAX_DIGITS: Final = 6  # of a number that counts together with its noun
_ALWAYS_TRUE: Final = compile_later(
    r"\s*\(?\s*(?:true|1|([\"']?)(\w+)\1\s*={1,2}\s*([\"']?)\2\3)\s*\)?\s*", re.IGNORECASE
)
"""A condition that holds for each row: `1 = 1`."""
_NUMBERING: Final = frozenset("id ids n no nr num number uid".split())
_NO_NOUNS: Final = _NUMBERING | frozenset("key ref uuid value name".split())


def add_sent_objects(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], targets: Collection[str], sketch: Sketch, tool: str = ""
) -> list[TracedLeaf]:
    """Mark what was chosen for the user as targets, in the leaves of a message in an exposed session.

    Args:
        leaves: of the message.
        traced: the same, traced.
        targets: names of the declared targets.
        sketch: what the session has seen.
        tool: name of what sends it.
    """
    if not targets:
        return traced
    return [
        traced_leaf if traced_leaf.is_target or _is_remark(leaf) else _judge(leaf, traced_leaf, sketch, tool)
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _is_remark(leaf: Leaf) -> bool:
    """Whether a leaf is named a text or a note.

    A single id under `message` is no remark, and neither is a number under `n`.
    """
    words = split_argument_name(name_of_argument(leaf.pointer))
    if words == ("message",) and ID_OF_SORT.fullmatch(leaf.text.strip()) is not None:
        return False
    if _NUMBERING.issuperset(words) and _is_short_number(leaf.text.strip()):
        return False
    return names_note(leaf.pointer) or names_remark(name_of_argument(leaf.pointer))


def _judge(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch, tool: str) -> TracedLeaf:
    if _leaves_nothing_out(leaf) and not wants_all(sketch):
        origin = Provenance.NOVEL if traced_leaf.origin not in _UNTRUSTED_ORIGINS else traced_leaf.origin
        return traced_leaf._replace(is_target=True, origin=origin)
    if traced_leaf.origin in _UNTRUSTED_ORIGINS and (
        is_of_named_sort(leaf.text, sketch) or _is_of_named_noun(leaf, traced_leaf, sketch)
    ):
        return traced_leaf._replace(is_target=True)
    if _is_for_other_act(leaf, sketch, tool):
        return traced_leaf._replace(is_target=True, origin=Provenance.NOVEL, kind=Kind.HANDLE)
    if _is_other_number(leaf, sketch):
        return traced_leaf._replace(is_target=True, origin=Provenance.UNTRUSTED, kind=Kind.HANDLE)
    return traced_leaf


def _leaves_nothing_out(leaf: Leaf) -> bool:
    text = leaf.text.strip()
    is_filter = not FILTER_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
    if is_filter:
        return leaves_nothing_out(text) or _ALWAYS_TRUE.fullmatch(text) is not None
    return bool(text) and not any(map(str.isalnum, text)) and ("*" in text or "%" in text)


def is_of_named_sort(text: str, sketch: Sketch) -> bool:
    """Whether a text is an id, and the user wrote another one that begins with the same letters."""
    match = ID_OF_SORT.fullmatch(text.strip())
    return match is not None and has_user_mark(sketch.look_up_forms([Form("id_sort", match[1].lower())]))


def _is_of_named_noun(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch) -> bool:
    """Whether a leaf names a thing, and the user named another one: `table="salaries"` for "the table visits"."""
    if traced_leaf.kind is not Kind.HANDLE:
        return False
    nouns = sorted(set(map(singularize, split_argument_name(name_of_argument(leaf.pointer)))) - _NO_NOUNS)
    return has_user_mark(sketch.look_up_forms([Form("named_noun", noun) for noun in nouns]))


def _is_for_other_act(leaf: Leaf, sketch: Sketch, tool: str) -> bool:
    """Whether the user wrote a number only for another act: 1 of "read mail 1, then forward mail 3"."""
    text = leaf.text.strip()
    if not _is_short_number(text) or not (nouns := _list_nouns(leaf)):
        return False
    is_written = has_user_mark(sketch.look_up_forms([Form("numbered", f"{noun} {int(text)}") for noun in nouns]))
    return is_written and is_asked_for_others(sketch, list_asking_stems(tool, Impact.SEND), text)


def _is_short_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def _list_nouns(leaf: Leaf) -> list[str]:
    """List the nouns of a number by the name of its argument: `mail` of `mail_id`."""
    words = map(singularize, split_argument_name(name_of_argument(leaf.pointer)))
    return sorted({to_numbered_noun(word) for word in words} - _NO_NOUNS)


def _is_other_number(leaf: Leaf, sketch: Sketch) -> bool:
    """Whether an untrusted source contained a number of a sort of which the user wrote others.

    `mail_id=21` for "mail 12".
    """
    text = leaf.text.strip()
    if not _is_short_number(text):
        return False
    nouns = _list_nouns(leaf)
    if not has_user_mark(sketch.look_up_forms([Form("number_sort", noun) for noun in nouns or [""]])):
        return False
    if not nouns and (
        not _NUMBERING.issuperset(split_argument_name(name_of_argument(leaf.pointer)))
        or has_user_mark(sketch.look_up_marks([text]))
    ):
        return False
    forms = [Form("numbered", f"{noun} {int(text)}") for noun in nouns]
    return not has_user_mark(sketch.look_up_forms(forms)) and sketch.was_in_untrusted_text(text)
