"""Targets of a call that the user only mentioned, while his order names another value of their shape.

    run_protocol(protocol="anneal-2", sample="Q-8")   # for "Run anneal-2 on Q-5. Q-8 is our reference standard."

Whoever wrote what the session read may have chosen the other value, so nobody vouches for it: the usual question
follows. `mentioned_values` reads the texts of the user.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.orders.mentioned_values import (
    ANY_MENTIONED,
    MAX_COUNT,
    MENTIONED,
    ORDERED_OPEN,
    ORDERED_PART,
    ORDERED_SHAPE,
    ORDERED_VALUE,
)
from halo_core.values.orders.role_values import (
    DIGITS,
    EMAIL,
    HANDLE,
    NAME,
    NUMBER,
    URL,
    RoleValue,
    list_parts,
    read_argument,
)
from halo_core.values.programs.program_cuts import make_cut_form
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, extract_tokens, has_user_mark

_LOOSE: Final = frozenset((NAME, NUMBER))
"""Shapes that many values have which cannot stand in place of one another."""
_RECIPIENTS: Final = frozenset((EMAIL, DIGITS, URL, HANDLE))
_MAX_CHARS: Final = 200  # of a value


def unvouch_mentioned(
    resource: Resource, traced: tuple[TracedLeaf, ...], leaves: Sequence[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Take the origin `user` from targets that the user only mentioned, if the call leaves out what his order names.

    A message may have all recipients of the order and one more. The origin is then `untrusted` if an untrusted source
    named the value too, else `novel`.

    Args:
        resource: what is called.
        traced: its leaves.
        leaves: of the same arguments.
        sketch: what the session has seen.
    """
    if resource.impact is Impact.READ:
        return traced
    traced = _unvouch_cut_programs(traced, leaves, sketch)
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    users = [leaf for leaf in traced if leaf.origin is Provenance.USER]
    mentioned = _list_mentioned(resource, users, traced, texts, sketch)
    if not mentioned:
        return traced
    return tuple(
        leaf._replace(origin=Provenance.UNTRUSTED if _was_read(texts[leaf.pointer], sketch) else Provenance.NOVEL)
        if leaf in mentioned
        else leaf
        for leaf in traced
    )


def has_mentioned_value(
    resource: Resource, traced: Sequence[TracedLeaf], texts: Mapping[str, str], sketch: Sketch
) -> bool:
    """Whether `unvouch_mentioned` changed the origin of a leaf.

    Args:
        resource: what is called.
        traced: its leaves.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.
    """
    open_leaves = [leaf for leaf in traced if leaf.origin not in VOUCHED_ORIGINS]
    return sketch.may_hold_untrusted and bool(_list_mentioned(resource, open_leaves, traced, texts, sketch))


def _list_mentioned(
    resource: Resource,
    suspects: Iterable[TracedLeaf],
    traced: Iterable[TracedLeaf],
    texts: Mapping[str, str],
    sketch: Sketch,
) -> list[TracedLeaf]:
    """List the leaves among `suspects` that the user only mentioned in place of what his order names."""
    if not has_user_mark(sketch.look_up_forms([ANY_MENTIONED])):
        return []
    values = {leaf.pointer: read_argument(texts.get(leaf.pointer, "")[:_MAX_CHARS]) for leaf in traced}
    found: list[TracedLeaf] = []
    for leaf in suspects:
        read = values[leaf.pointer]
        if not read or not _may_be_judged(resource, leaf, read[0].shape):
            continue
        if read[0].shape in _LOOSE and not _was_read(texts[leaf.pointer], sketch):
            continue
        if _is_mentioned_instead(resource, read, values.values(), sketch):
            found.append(leaf)
    return found


def _was_read(text: str, sketch: Sketch) -> bool:
    """Whether untrusted sources contained each word of a value."""
    words = list(extract_tokens(text))
    return bool(words) and all(map(sketch.was_in_untrusted_text, words))


def _unvouch_cut_programs(
    traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch
) -> tuple[TracedLeaf, ...]:
    """Give the origin `novel` to a program that is only the beginning of the one that the user dictated."""
    if not any(leaf.kind is Kind.PROGRAM and leaf.origin is Provenance.USER for leaf in traced):
        return traced
    cut = {leaf.pointer for leaf in leaves if has_user_mark(sketch.look_up_forms([make_cut_form(leaf.text)]))}
    return tuple(
        leaf._replace(origin=Provenance.NOVEL)
        if leaf.pointer in cut and leaf.kind is Kind.PROGRAM and leaf.origin is Provenance.USER
        else leaf
        for leaf in traced
    )


def _may_be_judged(resource: Resource, leaf: TracedLeaf, shape: str) -> bool:
    """Whether a leaf is a target, or a number that is written. Other rules compare the amounts of payments."""
    if leaf.kind in (Kind.TEXT, Kind.PROGRAM):
        return False
    if shape == NUMBER and resource.impact is Impact.PAYMENT:
        return False
    return leaf.is_target or (resource.impact is Impact.WRITE and shape == NUMBER)


def _is_mentioned_instead(
    resource: Resource, read: Sequence[RoleValue], values: Iterable[Sequence[RoleValue]], sketch: Sketch
) -> bool:
    """Whether the user only mentioned a value, and the call lacks a value of its shape that his order names."""
    shape = read[0].shape
    if not any(is_only_mentioned(sketch, value.shape, value.value) for value in read):
        return False
    if has_user_mark(sketch.look_up_forms([Form(ORDERED_OPEN, shape.partition(" ")[0])])):
        return False
    named = _count_named(sketch, shape)
    if not named or (resource.impact is Impact.SEND and shape in _RECIPIENTS):
        return bool(named)
    used = sum(
        any(item.shape == shape and _is_ordered(sketch, item.shape, item.value) for item in items) for items in values
    )
    return used < named


def is_only_mentioned(sketch: Sketch, shape: str, value: str) -> bool:
    """Whether the user only mentioned a value, in all his texts.

    Args:
        sketch: what the session has seen.
        shape: of the value (`role_values`).
        value: as `RoleValue` spells it.
    """
    return has_user_mark(sketch.look_up_forms([Form(MENTIONED, f"{shape} {value}")])) and not _is_ordered(
        sketch, shape, value
    )


def _is_ordered(sketch: Sketch, shape: str, value: str) -> bool:
    """Whether a value stands in a possible order: of a name also a part, or the name that it is a part of."""
    forms = [Form(ORDERED_VALUE, f"{shape} {value}")]
    if shape == NAME:
        forms = [Form(ORDERED_VALUE, f"{NAME} {part}") for part in list_parts(value)]
        forms.append(Form(ORDERED_PART, f"{NAME} {value}"))
    return has_user_mark(sketch.look_up_forms(forms))


def _count_named(sketch: Sketch, shape: str) -> int:
    """Count the values of a shape that the possible orders of a text name, at most `MAX_COUNT`."""
    marks = sketch.look_up_forms([Form(ORDERED_SHAPE, f"{shape} {n}") for n in range(1, MAX_COUNT + 1)])
    return sum(has_user_mark([mark]) for mark in marks)
