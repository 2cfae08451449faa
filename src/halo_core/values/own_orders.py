"""Orders after exposure that no list of verbs has, where nobody but the user can have meant the act.

"Knock 20 off invoice 4410" asks for `issue_credit_note(4410, 20)` if the user orders nothing else, the call holds no
value of an untrusted source, and no untrusted source names its target or its act.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.argument_names import split_argument_name
from halo_core.values.asked_objects import is_other_act_ordered
from halo_core.values.call_view import CallView
from halo_core.values.known_rows import is_pointed_out
from halo_core.values.lexicon import FURTHER_VERBS, LEAST_LEVELS, VERBS, find_asking_verbs, stem_all
from halo_core.values.opposite_acts import TAKING_STEMS
from halo_core.values.result_origins import VOUCHED_ORIGINS
from halo_core.values.sketch import extract_tokens, has_user_mark
from halo_core.values.text import split_name
from halo_core.values.tool_verbs import CLASS_WORDS, list_loose_stems
from halo_core.values.traced_leaves import TracedLeaf
from halo_core.values.unlisted_orders import LIGHT_VERBS, LOOKING_UP, UNLISTED_CHANGE, UNLISTED_ORDER
from halo_core.values.wishes import WISH

_PUTTING: Final = stem_all("put let say tell mean treat like keep leave go come fly travel")
_OTHER_ACTS: Final = (
    frozenset().union(VERBS, FURTHER_VERBS, *CLASS_WORDS.values()) - LOOKING_UP - LIGHT_VERBS - _PUTTING
)
"""Stems of verbs by which the user orders a certain act."""
_ORDERS: Final = {
    Impact.PAYMENT: frozenset((UNLISTED_ORDER, UNLISTED_CHANGE, WISH)),
    Impact.ADMIN: frozenset((UNLISTED_ORDER, UNLISTED_CHANGE, WISH)),
    Impact.EXECUTE: frozenset((UNLISTED_ORDER, UNLISTED_CHANGE)),
    Impact.DELETE: frozenset((UNLISTED_ORDER,)),
}
_CHANGING: Final = stem_all(
    "change update edit modify adjust correct amend lend loan set raise increase lift lower reduce decrease"
)
"""Stems of verbs that do not say what becomes of the values that come with them."""
_MAX_WORDS: Final = 16  # of targets
_ENDINGS: Final = ("", "e", "s", "es", "d", "ed", "ing", "y", "ies", "ied", "led", "ling", "al", "ion", "ation", "ment")
_UNTRUSTED: Final = (Provenance.UNTRUSTED, Provenance.MIXED)


def is_own_order(view: CallView, targets: Sequence[TracedLeaf], pointed: frozenset[int]) -> bool:
    """Whether the user orders something by words that no list has, and nobody else can have meant this act.

    INVARIANT: VOUCH - each target is the user's or of a row that he named, and no untrusted source named it, another
    value of the call, or the act.

    Args:
        view: the call.
        targets: of the call.
        pointed: numbers of the sources whose results the user pointed at.
    """
    resource, sketch = view.resource, view.sketch
    orders = _ORDERS.get(resource.impact)
    if orders is None or not targets or sketch.saturated:
        return False
    if any(leaf.origin in _UNTRUSTED for leaf in view.traced):
        return False
    begins_with_verb = not (VERBS | FURTHER_VERBS).isdisjoint(split_name(resource.id.split("_")[0]))
    if not begins_with_verb and is_other_act_ordered(sketch, _drop_nouns_of_targets(resource), resource.impact):
        return False  # "design a door pass" orders no `door_pass`
    loose = list_loose_stems(resource.id, resource.impact)
    changing = _CHANGING if _sets_users_values(view) else frozenset[str]()
    others = _OTHER_ACTS - loose - changing - _list_stems_of_targets(view, targets)
    if not sketch.was_asked(orders | loose | changing) or sketch.was_asked(others):
        return False
    for leaf in targets:
        text = view.texts.get(leaf.pointer, "")
        if _is_named_by_others(view, text) or not (
            is_pointed_out(sketch, text, leaf.origin, leaf.places, pointed) or _is_wanted(view, text)
        ):
            return False
    return not any(map(sketch.was_in_untrusted_text, _list_words_of_act(resource.id, resource.impact)))


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


def _is_named_by_others(view: CallView, text: str) -> bool:
    words = list(extract_tokens(text))
    return bool(words) and all(map(view.sketch.was_in_untrusted_text, words))


def _is_wanted(view: CallView, text: str) -> bool:
    """Whether the user wrote each word of a known target, or it is only the right to read."""
    words = list(extract_tokens(text))
    return bool(words) and (
        LEAST_LEVELS.issuperset(words) or all(has_user_mark([mark]) for mark in view.sketch.look_up_marks(words))
    )


@lru_cache(maxsize=512)
def _list_words_of_act(tool: str, impact: Impact) -> Collection[str]:
    """List the words by which somebody may order the act of a tool, in all their forms."""
    verbs = frozenset(split_name(tool)) & (VERBS | FURTHER_VERBS)
    stems = frozenset[str]().union(*map(find_asking_verbs, verbs))
    if impact in (Impact.DELETE, Impact.EXECUTE):
        stems |= CLASS_WORDS[impact]
    return tuple(sorted({f"{stem}{ending}" for stem in stems for ending in _ENDINGS}))
