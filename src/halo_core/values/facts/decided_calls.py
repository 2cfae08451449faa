"""Calls that do what the user decided by saying so.

    decide_request(number="LR-311", answer="approved")    # for "LR-311 is fine with me"
    remove_from_group(person="Jo", group="blue-room")     # for "get Jo out of blue-room"

No verb of the tool has to be in the text. What counts is that the statement by which the user decides names each
target of the call, that the tool and its values say the same decision, and that the user wrote each other value.

`stated_decisions` reads the texts of the user and leaves marks of three domains in the sketch:

    decided          "yes lr-311"                       # a decision, and a word that its statement names
    decided_both     "out blue-room jo"                 # a decision, and two words of one statement
    decided_words    "out 2 jo", "out 2 blue-room"      # a decision, how many words its statement has, and each of them
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.argument_names import name_of_argument, names_note, names_remark, split_argument_name
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_decisions import (
    IN,
    MAX_COUNTED,
    NO,
    OFF,
    ON,
    OPEN,
    OUT,
    RETRACTED,
    SHUT,
    WITHHELD,
    YES,
    list_telling_words,
)
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch, extract_tokens, has_user_mark

_DECIDED_IMPACTS: Final = (Impact.ADMIN, Impact.EXECUTE)
"""What a call does that the user can ask for by a decision."""
_MAX_WORDS: Final = 8  # of a target
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_VERBS: Final = {
    YES: stem_all("approve accept grant allow permit authorize authorise endorse okay"),
    NO: stem_all("reject decline refuse deny disapprove veto dismiss"),
    OPEN: stem_all("unlock open unbolt unbar"),
    SHUT: stem_all("lock shut close bolt"),
    IN: stem_all("add invite assign enroll enrol admit register join onboard include"),
    OUT: stem_all("remove revoke kick unassign evict expel exclude unenroll unenrol offboard uninvite"),
    ON: stem_all("enable activate reactivate unblock unfreeze reinstate resume unsuspend"),
    OFF: stem_all("disable deactivate suspend block freeze pause"),
}
"""Decision → stems of the verbs in names of tools that carry it out."""
_OPPOSITES: Final = {
    YES: (NO,),
    NO: (YES,),
    OPEN: (SHUT, OFF),
    SHUT: (OPEN, ON),
    IN: (OUT,),
    OUT: (IN,),
    ON: (OFF, SHUT),
    OFF: (ON, OPEN),
}
"""Decision → what contradicts it."""
_DIRECTIONS: Final = frozenset((IN, OUT, ON, OFF))
"""Decisions by words of many meanings. A call is only decided if it accounts for each word of the statement."""
_COUNTED: Final = _DIRECTIONS | {OPEN, SHUT}
"""Decisions that only contradict a call if it accounts for each word of their statement."""
_VALUES: Final = {
    YES: _VERBS[YES] | stem_all("approved accepted granted allowed permitted authorized yes ok true positive agreed"),
    NO: _VERBS[NO] | stem_all("rejected declined refused denied disapproved vetoed dismissed no false negative"),
}
"""Decision → stems of the values that say it."""
_NAMES_OF_ANSWERS: Final = frozenset(
    "answer decision verdict outcome result response status state approved accepted granted approve accept action"
    " resolution vote reply approval".split()
)
"""Words in the names of arguments that hold a decision."""


def judge_decision(
    resource: Resource,
    args: Mapping[str, Any],
    traced: Sequence[TracedLeaf],
    texts: Mapping[str, str],
    sketch: Sketch,
) -> bool | None:
    """Judge whether the user decided what a call does.

    INVARIANT: VOUCH - one statement of the user names each target and each number of the call, and the decision. No
    value of the call comes from an untrusted source.

    Args:
        resource: what is acted on.
        args: the real arguments.
        traced: their leaves with their origins.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.

    Returns:
        True if the user decided it, False if he decided the opposite or took the decision back, None if neither.
    """
    if resource.impact not in _DECIDED_IMPACTS or sketch.saturated or any(x.kind is Kind.PROGRAM for x in traced):
        return None
    answers = [leaf for leaf in traced if _find_answer(leaf, texts)]
    decision = _find_decision(resource, args, [_find_answer(leaf, texts) for leaf in answers])
    targets = [leaf for leaf in traced if leaf.is_target and leaf not in answers]
    if not decision or not targets:
        return None
    named = list_telling_words(word for leaf in targets for word in _list_words(texts.get(leaf.pointer, "")))
    if not named or any(leaf.origin is not Provenance.USER for leaf in targets):
        return None
    call_words = {*named, *split_name(resource.id), *(word for name in args for word in split_argument_name(name))}
    if _is_contradicted(sketch, decision, named, call_words):
        return False
    others = [leaf for leaf in traced if leaf not in answers and not leaf.is_target]
    numbers = [leaf for leaf in others if leaf.kind is Kind.AMOUNT]
    said = [*named, *(word for leaf in numbers for word in _list_words(texts.get(leaf.pointer, "")))]
    call_words |= {word for leaf in others if not _is_note(leaf) for word in _list_words(texts[leaf.pointer])}
    is_decided = _is_said_together(sketch, decision, said) and all(map(_is_users_or_note, others))
    is_decided = is_decided and (decision not in _DIRECTIONS or _is_accounted_for(sketch, decision, said, call_words))
    return True if is_decided and not _is_left_open(sketch, decision, named) else None


def vouch_for_decision(
    resource: Resource,
    args: Mapping[str, Any],
    traced: tuple[TracedLeaf, ...],
    leaves: Sequence[Leaf],
    sketch: Sketch,
) -> tuple[TracedLeaf, ...]:
    """Give the value that says what the user decided the origin `user`: `approved` for "LR-311 is fine with me"."""
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    if not judge_decision(resource, args, traced, texts, sketch):
        return traced
    return tuple(leaf._replace(origin=Provenance.USER) if _find_answer(leaf, texts) else leaf for leaf in traced)


def _find_answer(leaf: TracedLeaf, texts: Mapping[str, str]) -> str:
    """Return the decision that a value says: `YES` of `answer="approved"`; empty if it says none."""
    if _NAMES_OF_ANSWERS.isdisjoint(split_argument_name(name_of_argument(leaf.pointer))):
        return ""
    words = split_name(texts.get(leaf.pointer, "").strip())
    return next((decision for decision, values in _VALUES.items() if words and values.issuperset(words)), "")


def _find_decision(resource: Resource, args: Mapping[str, Any], answers: Sequence[str]) -> str:
    """Return what a call decides, or an empty text if its parts say different decisions, or none.

    Its parts are the name of the tool (`approve_leave`), switches (`approved=False`) and values (`answer="granted"`).
    """
    words = split_name(resource.id)
    said = {decision for decision, verbs in _VERBS.items() if not verbs.isdisjoint(words)}
    for name, value in args.items():
        if isinstance(value, bool):
            named = [d for d in (YES, NO) if not _VALUES[d].isdisjoint(split_name(name))]
            said.update(named if value else [_OPPOSITES[decision][0] for decision in named])
    said.update(answers)
    return said.pop() if len(said) == 1 else ""


def _is_users_or_note(leaf: TracedLeaf) -> bool:
    """Whether a value is vouched for, or is a remark of the model that names nothing."""
    if leaf.kind is Kind.AMOUNT:  # whose number the statement says, if only as a word
        return leaf.origin not in _UNTRUSTED_ORIGINS
    if leaf.kind is Kind.DATE:
        return leaf.origin is Provenance.USER
    return leaf.origin in VOUCHED_ORIGINS or (leaf.origin not in _UNTRUSTED_ORIGINS and _is_note(leaf))


def _is_note(leaf: TracedLeaf) -> bool:
    """Whether a value is a remark, by the name of its argument: `note`, `reason`."""
    return names_note(leaf.pointer) or names_remark(name_of_argument(leaf.pointer))


def _list_words(text: str) -> list[str]:
    return [word.strip("@#'’") for word in extract_tokens(text)][:_MAX_WORDS]


def _is_said(sketch: Sketch, decision: str, words: Sequence[str]) -> bool:
    """Whether each word stands in a statement of this decision."""
    marks = sketch.look_up_forms([Form("decided", f"{decision} {word}") for word in words])
    return all(has_user_mark([mark]) for mark in marks)


def _is_said_together(sketch: Sketch, decision: str, words: Sequence[str]) -> bool:
    """Whether all words stand in one statement of this decision."""
    pairs = combinations(sorted(set(words)), 2)
    marks = sketch.look_up_forms([Form("decided_both", f"{decision} {a} {b}") for a, b in pairs])
    return _is_said(sketch, decision, words) and all(has_user_mark([mark]) for mark in marks)


def _is_accounted_for(sketch: Sketch, decision: str, said: Sequence[str], call_words: Collection[str]) -> bool:
    """Whether the call has all words of a statement of this decision.

    "Get Jo into the calendar of blue-room" is not accounted for by `add_to_space(person="Jo", space="blue-room")`.

    Args:
        sketch: what the session has seen.
        decision: of the statement.
        said: words that the statement must have.
        call_words: of the name of the tool, and of the names and values of its arguments.
    """
    for count in range(1, MAX_COUNTED + 1):
        forms = [Form("decided_words", f"{decision} {count} {word}") for word in sorted(call_words)]
        marks = sketch.look_up_forms(forms)
        found = {word for word, mark in zip(sorted(call_words), marks, strict=True) if has_user_mark([mark])}
        if found.issuperset(said) and len(found) >= count:
            return True
    return False


def _is_contradicted(sketch: Sketch, decision: str, named: Sequence[str], call_words: Collection[str]) -> bool:
    """Whether the user decided the opposite or took the decision back, and never made it."""
    return not _is_said(sketch, decision, named) and any(
        _is_said(sketch, other, named)
        and (other not in _COUNTED or _is_accounted_for(sketch, other, named, call_words))
        for other in (*_OPPOSITES[decision], RETRACTED)
    )


def _is_left_open(sketch: Sketch, decision: str, words: Sequence[str]) -> bool:
    """Whether the user also decided the opposite of this, took it back, or left it for later.

    An id says which thing is meant, so only the ids are compared. If there is none, all words are.
    """
    words = [word for word in words if any(map(str.isdigit, word))] or words
    return any(_is_said(sketch, other, words) for other in (WITHHELD, RETRACTED, *_OPPOSITES[decision]))
