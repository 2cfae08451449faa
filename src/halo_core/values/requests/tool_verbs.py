"""The words by which people ask for an act of a tool: the verb in its name, and words of its class of acts.

list_asking_stems("pay_invoice", Impact.PAYMENT)  # "pay", "settle", "transfer" and others
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Resource, Reversal
from halo_core.values.language.foreign_words import find_act_of_tool
from halo_core.values.language.lexicon import (
    ALL_VERBS,
    FURTHER_REQUEST_WORDS,
    LOOSE,
    LOOSE_REQUEST_WORDS,
    REQUEST_WORDS_BY_IMPACT,
    find_asking_verbs,
    find_loose_verbs,
    stem_all,
)
from halo_core.values.language.opposite_acts import drop_opposites
from halo_core.values.language.text import split_name
from halo_core.values.requests.asked_acts import ASKING_SOMEBODY, HANDED_OVER

_WRITE_WORDS: Final = stem_all(
    "add arrange book complete create enter fill log make note open plan put record register reserve save schedule set "
    "store update write"
)
"""Words by which people ask for a write, whatever the name of the tool."""
_GRAVE: Final = frozenset({Impact.DELETE, Impact.EXECUTE, Impact.ADMIN})
_IMPACTFUL: Final = frozenset({Impact.PAYMENT, Impact.SEND, Impact.DELETE, Impact.EXECUTE, Impact.ADMIN})
CLASS_WORDS: Final = {
    **{
        impact: REQUEST_WORDS_BY_IMPACT[impact.value] | FURTHER_REQUEST_WORDS.get(impact.value, frozenset())
        for impact in _IMPACTFUL
    },
    Impact.WRITE: _WRITE_WORDS,
}
"""Class of acts → stems of the words by which people ask for one."""
_PAYING_VERBS: Final = stem_all("pay refund reimburse charge debit transfer wire remit credit")
_APPOINTING: Final = stem_all("assign appoint")
_ORDERING_VERBS: Final = stem_all("order buy book purchase procure reorder restock replenish refill")
_GRANTED: Final = stem_all("access permission permissions right rights")
"""Nouns in names of tools without a verb that give somebody what the noun says: `portal_access`."""
_GRANTING: Final = stem_all("grant share")


@lru_cache(maxsize=2048)
def list_asking_stems(tool: str, impact: Impact) -> frozenset[str]:
    """List the stems of the words by which people ask for an act of a tool; none if its name has no verb for it.

    Args:
        tool: its name, such as `pay_invoice`.
        impact: its class of acts.
    """
    words = split_name(tool)
    verbs = {*words, *map(_drop_particle, words)}
    if impact in _GRAVE:
        # `mail_drop` is no mail: where one of its words is a verb of the tool's class, others such as nouns are none.
        class_stems = CLASS_WORDS[impact] | LOOSE_REQUEST_WORDS.get(impact.value, frozenset())
        verbs = verbs & class_stems & ALL_VERBS or verbs
    stems = frozenset[str]().union(*map(find_asking_verbs, verbs))
    if not stems:
        acts = find_act_of_tool(tool.lower().split("_"))
        stems = frozenset[str]().union(*(find_asking_verbs(stem) for act in acts for stem in split_name(act)))
    if not stems and impact is Impact.ADMIN and not _GRANTED.isdisjoint(words):
        stems = frozenset().union(*map(find_asking_verbs, _GRANTING))
    if not stems and impact in _IMPACTFUL and impact is not Impact.SEND:
        return frozenset()
    stems |= CLASS_WORDS.get(impact, frozenset())
    if impact is Impact.SEND:
        # Whoever asks to do what Bob writes lets Bob be answered; an entry that tells its guests is put or scheduled.
        stems |= {HANDED_OVER, ASKING_SOMEBODY} | (_WRITE_WORDS if _begins_with_write(words) else frozenset())
    return drop_opposites(words, stems, impact)


def list_class_stems(tool: str, impact: Impact) -> frozenset[str]:
    """List the stems of the words by which people ask for acts of a class, without the opposites of this tool."""
    return drop_opposites(split_name(tool), CLASS_WORDS.get(impact, frozenset()), impact)


def list_declared_stems(resource: Resource) -> frozenset[str]:
    """List the same stems for a tool without a verb in its name, by its declaration.

    Such a tool is asked for by words of paying, if it pays a given amount; by words of ordering, if it is an unpriced
    order; and by words of appointing, if its act can be undone and it is named after the target that does something
    (`crane_operator(operator)`).
    """
    if resource.classified != "declared":
        return frozenset()
    if resource.impact is Impact.ADMIN:
        is_appointing = resource.reversal is Reversal.UNDO and resource.id.lower().split("_")[-1] in resource.targets
        return _APPOINTING if is_appointing else frozenset()
    if resource.impact is not Impact.PAYMENT:
        return frozenset()
    stems = _PAYING_VERBS if resource.amount else _ORDERING_VERBS if resource.targets else frozenset()
    return drop_opposites(split_name(resource.id), stems, Impact.PAYMENT)


def _begins_with_write(words: Sequence[str]) -> bool:
    """Whether the first word of a tool's name is a verb of writing; the second word behind the name of a system."""
    if not words or words[0] in _WRITE_WORDS:
        return bool(words)
    return words[0] not in ALL_VERBS and words[1:2] != [] and words[1] in _WRITE_WORDS


@lru_cache(maxsize=2048)
def list_loose_stems(tool: str, impact: Impact) -> frozenset[str]:
    """List further stems of words that have other meanings too. They ask for an act only before exposure."""
    stems = list_asking_stems(tool, impact)
    loose = LOOSE_REQUEST_WORDS.get(impact.value, frozenset()) if stems else frozenset()
    return loose.union(*map(find_loose_verbs, split_name(tool)), (LOOSE + stem for stem in stems))


def _drop_particle(word: str) -> str:
    """Reduce a word that ends in a particle to its verb: `payout` to pay."""
    return next((word.removesuffix(end) for end in ("out", "off", "up", "in") if word.endswith(end)), word)
