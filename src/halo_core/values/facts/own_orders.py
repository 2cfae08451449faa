"""Orders after exposure whose verb is in no list, where nobody but the user can have meant the act.

"Knock 20 off invoice 4410" asks for `issue_credit_note(4410, 20)` if all of this holds:

- the user orders nothing by a listed verb;
- the user named each target of the call;
- no value of the call comes from an untrusted source;
- no untrusted source contains a target of the call, or a word by which somebody could order the act.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import split_argument_name
from halo_core.values.language.lexicon import ALL_VERBS, FURTHER_VERBS, LEAST_LEVELS, VERBS, find_asking_verbs, stem_all
from halo_core.values.language.opposite_acts import TAKING_STEMS
from halo_core.values.language.text import split_name
from halo_core.values.provenance.known_rows import is_pointed_out
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.asked_objects import is_other_act_ordered
from halo_core.values.requests.tool_verbs import CLASS_WORDS, list_loose_stems
from halo_core.values.requests.unlisted_orders import (
    LIGHT_VERBS,
    LOOKING_UP,
    UNLISTED_CHANGE,
    UNLISTED_ORDER,
    UNLISTED_VERB,
    VAGUE_VERBS,
)
from halo_core.values.requests.wishes import LEAVING, REMOVAL, WISH
from halo_core.values.sketches.sketch import extract_tokens, has_user_mark

_OTHER_ACTS: Final = (
    frozenset().union(VERBS, FURTHER_VERBS, *CLASS_WORDS.values()) - LOOKING_UP - LIGHT_VERBS - VAGUE_VERBS
)
"""Stems of verbs by which the user would order another act."""
_ORDERS: Final = {
    Impact.PAYMENT: frozenset((UNLISTED_ORDER, UNLISTED_CHANGE, WISH)),
    Impact.ADMIN: frozenset((UNLISTED_ORDER, UNLISTED_CHANGE, WISH)),
    Impact.DELETE: frozenset((REMOVAL,)),
}
"""Class of a tool → the orders that ask for it. Only a verb of removal, which no list has, deletes something."""
_CHANGING: Final = stem_all(
    "change update edit modify adjust correct amend lend loan set raise increase lift lower reduce decrease"
)
"""Stems of verbs that do not say what becomes of the values that come with them."""
_MAX_WORDS: Final = 16  # of targets
_LEAVING_OPEN: Final = frozenset(
    UNLISTED_VERB + stem
    for stem in stem_all(
        "handle deal see sort tidy manage address process tackle look help assist support serve babysit mind"
        " welcome greet congratulate praise celebrate cheer whip"
    )
)
"""Verbs that leave the act to whoever describes it, or name none: "sort it out, mail 1 has the details"."""
_PAYING: Final = stem_all("pay settle transfer wire remit")
_TAKING_AWAY: Final = stem_all(
    "revoke remove lock block suspend disable deactivate ban terminate expire withdraw void freeze kick evict"
)
_ENDINGS: Final = ("", "e", "s", "es", "d", "ed", "ing", "y", "ies", "ied", "led", "ling", "al", "ion", "ation", "ment")
"""What may stand behind the stem of a verb: `refund`, `refunds`, `cancellation`."""
_UNTRUSTED: Final = (Provenance.UNTRUSTED, Provenance.MIXED)


def is_own_order(view: CallView, targets: Sequence[TracedLeaf], pointed: frozenset[int]) -> bool:
    """Whether the user orders something by a verb in no list, and nobody else can have meant this act.

    INVARIANT: VOUCH - the user wrote each target, or named the row that it is from. No untrusted source named a target,
    another value of the call, or the act.

    Args:
        view: the call.
        targets: of the call.
        pointed: numbers of the sources whose results the user pointed at.
    """
    resource, sketch = view.resource, view.sketch
    orders = _list_orders(resource)
    if not orders or not targets or sketch.saturated:
        return False
    if any(leaf.origin in _UNTRUSTED for leaf in view.traced) or sketch.was_asked(_LEAVING_OPEN):
        return False
    begins_with_verb = not ALL_VERBS.isdisjoint(split_name(resource.id.split("_")[0]))
    if not begins_with_verb and is_other_act_ordered(sketch, _drop_nouns_of_targets(resource), resource.impact):
        return False  # "design a door pass" orders no `door_pass`
    loose = list_loose_stems(resource.id, resource.impact)
    changing = _CHANGING if _sets_users_values(view) else frozenset[str]()
    # That the user removes something says not yet that it is the target: "scrap the draft about SB-40".
    wanted = orders if resource.impact is Impact.DELETE else orders | loose | changing
    others = _OTHER_ACTS - loose - changing - _list_stems_of_targets(view, targets)
    if not sketch.was_asked(wanted) or sketch.was_asked(others):
        return False
    for leaf in targets:
        text = view.texts.get(leaf.pointer, "")
        is_named = is_pointed_out(sketch, text, leaf.origin, leaf.places, pointed) or _is_written_or_least(view, text)
        if not is_named or _is_in_untrusted_text(view, text):
            return False
    return not any(map(sketch.was_in_untrusted_text, _list_words_of_act(resource.id, resource.impact)))


def _list_orders(resource: Resource) -> frozenset[str]:
    """The orders of no list that ask for the act of a tool; none if it needs a verb of a list."""
    orders, stems = _ORDERS.get(resource.impact, frozenset()), stem_all(" ".join(split_name(resource.id)))
    if not stems.isdisjoint(_PAYING):
        return frozenset()  # "knock 20 off it" settles nothing
    return orders - {WISH} | {LEAVING} if WISH in orders and not stems.isdisjoint(_TAKING_AWAY) else orders


def _drop_nouns_of_targets(resource: Resource) -> str:
    """Drop the words of a tool's name that say what its targets are, if others are left: `buyer` of `blacklist_buyer`.

    "Bar the buyer" orders an act of buyers, and not another one with a thing that the tool is named after.
    """
    nouns = {word for name in resource.targets for word in split_argument_name(name)}
    words = [word for word in resource.id.split("_") if nouns.isdisjoint(split_argument_name(word))]
    return "_".join(words) or resource.id


def _list_stems_of_targets(view: CallView, targets: Sequence[TracedLeaf]) -> frozenset[str]:
    """List the stems of the words of the targets, which name something: the service `checkout`, the team `Support`."""
    words = [word for leaf in targets for word in extract_tokens(view.texts.get(leaf.pointer, ""))]
    return frozenset().union(*map(split_name, words[:_MAX_WORDS]))


def _sets_users_values(view: CallView) -> bool:
    """Whether a call has several values, the user gave each of them, and it takes nothing away.

    "Change that" then says no more than the values do. One value alone does not say what is to be done with it.
    """
    resource = view.resource
    return (
        resource.impact is Impact.ADMIN
        and TAKING_STEMS.isdisjoint(split_name(resource.id))
        and len(view.traced) > 1
        and all(leaf.origin in VOUCHED_ORIGINS for leaf in view.traced)
        and any(leaf.origin is Provenance.USER for leaf in view.traced)
    )


def _is_in_untrusted_text(view: CallView, text: str) -> bool:
    """Whether untrusted sources contained each word of a target."""
    words = list(extract_tokens(text))
    return bool(words) and all(map(view.sketch.was_in_untrusted_text, words))


def _is_written_or_least(view: CallView, text: str) -> bool:
    """Whether the user wrote each word of a target, or the target is the right to read, which is the least right."""
    words = list(extract_tokens(text))
    return bool(words) and (
        LEAST_LEVELS.issuperset(words) or all(has_user_mark([mark]) for mark in view.sketch.look_up_marks(words))
    )


@lru_cache(maxsize=512)
def _list_words_of_act(tool: str, impact: Impact) -> Collection[str]:
    """List the words by which somebody may order the act of a tool, with each ending that they may have."""
    verbs = frozenset(split_name(tool)) & ALL_VERBS
    stems = frozenset[str]().union(*map(find_asking_verbs, verbs))
    if impact in (Impact.DELETE, Impact.EXECUTE):
        stems |= CLASS_WORDS[impact]
    return tuple(sorted({f"{stem}{ending}" for stem in stems for ending in _ENDINGS}))
