"""Acts of tools without a verb in their names, which the user orders by naming the values of the call.

    payroll_line(employee="E-1204", amount=250)    # "add a bonus of 250 for E-1204 to the payroll"
    express(article="P-33", quantity=2)            # "order 2 of the article P-33"

No verb says what such a tool does, so the user has to say the rest: each target in the clause of the order, each
number and day, and in that clause a word of the tool's name or a verb for acts of its class.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument, names_note, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_objects import (
    APPOINTING_VERBS,
    are_appointments_covered,
    is_act_ordered_by_noun,
    is_ordered,
    is_wanted_less,
)
from halo_core.values.requests.tool_verbs import list_class_stems
from halo_core.values.sketches.sketch import extract_tokens

_EXTENT_KINDS: Final = (Kind.AMOUNT, Kind.DATE)
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_GRAVE: Final = (Impact.PAYMENT, Impact.ADMIN, Impact.EXECUTE)
_MIN_NOUN: Final = 4  # letters
_MAX_VALUE_WORDS: Final = 32


def is_ordered_with_values(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the user orders something with all values of a call, so that no other act can be meant.

    Args:
        view: of the call of a tool without a verb in its name.
        targets: of the call.
    """
    texts = [view.texts.get(leaf.pointer, "").strip() for leaf in targets]
    if not targets or any(leaf.origin is not Provenance.USER for leaf in targets):
        return False
    if any(_is_value_of_others(leaf) for leaf in view.traced):
        return False
    stems = list_class_stems(view.resource.id, view.resource.impact)
    by_class = [stem for stem in stems if view.sketch.was_asked(frozenset((stem,)))]
    if _wants_less_of_target(view, targets):
        return False
    if appoints_more_than_call(view):
        by_class = [stem for stem in by_class if stem not in APPOINTING_VERBS]
    if by_class and all(is_ordered(view.sketch, text, by_class) for text in texts):
        return True
    documents = split_argument_name(view.resource.id)
    return all(is_ordered(view.sketch, text, documents=documents) for text in texts) and _is_noun_ordered(view)


def _wants_less_of_target(view: CallView, targets: Sequence[TracedLeaf]) -> bool:
    """Whether the user names a target only to want it less, later or no more.

    "Cancel her bonus" does not ask for `bonus(employee)`. A deletion is what the user wants then.
    """
    is_deletion = view.resource.impact is Impact.DELETE
    return not is_deletion and any(is_wanted_less(view.sketch, view.texts.get(leaf.pointer, "")) for leaf in targets)


def appoints_more_than_call(view: CallView) -> bool:
    """Whether a call is an act of administration, and the user assigns or appoints more than the call says.

    Args:
        view: of the call of a tool without a verb in its name, called after who does something (`crane_operator`).
    """
    if view.resource.impact is not Impact.ADMIN:
        return False
    names = [name_of_argument(leaf.pointer) for leaf in view.traced]
    nouns = {word for name in (view.resource.id, *names) for word in split_argument_name(name)}
    values = [word for text in view.texts.values() for word in islice(extract_tokens(text), _MAX_VALUE_WORDS)]
    forms = [form for noun in nouns for form in list_inflected(noun)]
    return not are_appointments_covered(view.sketch, [*nouns, *forms, *values])


def _is_value_of_others(leaf: TracedLeaf) -> bool:
    """Whether a number or a day is not the user's, or another value comes from an untrusted source."""
    if leaf.kind in _EXTENT_KINDS:
        return leaf.origin is not Provenance.USER
    return leaf.origin in _UNTRUSTED_ORIGINS and not names_note(leaf.pointer)


def _is_noun_ordered(view: CallView) -> bool:
    """Whether a word of the tool's name stands in a clause by which the user orders something."""
    nouns = [
        word for word in split_argument_name(view.resource.id) if len(word) >= _MIN_NOUN and word not in STOP_WORDS
    ]
    # "Pay author AU-3 an advance" orders no `author_clawback(author)`.
    named = {word for name in view.resource.targets for word in split_argument_name(name)}
    nouns = [noun for noun in nouns if noun not in named] or nouns
    forms = [form for noun in nouns for form in (noun, *list_inflected(noun))]
    is_grave = view.resource.impact in _GRAVE
    return any(
        is_ordered(view.sketch, form, documents=nouns) and (not is_grave or is_act_ordered_by_noun(view.sketch, form))
        for form in forms
    )
