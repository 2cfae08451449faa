"""What only an untrusted source wishes of an act that the user asked for: how much, how long, and what besides.

Whoever asks to mute an alert for an hour asks for no year of it, and whoever asks to archive a project does not ask to
purge it as well (`archive_and_purge`).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.argument_names import (
    name_of_argument,
    names_field,
    names_note,
    names_remark,
    names_somebody,
    names_thing,
    split_argument_name,
)
from halo_core.values.asked_acts import CLASS_WORDS
from halo_core.values.call_view import GRAVE_IMPACTS, CallView
from halo_core.values.inflections import list_inflected
from halo_core.values.kinds import Kind
from halo_core.values.lexicon import COMMON_NAME_PARTS, FURTHER_VERBS, STOP_WORDS, VERBS, find_asking_verbs
from halo_core.values.number_uses import names_paper
from halo_core.values.numbered import singularize
from halo_core.values.record_lists import RECORD_NOUNS
from halo_core.values.sketch import has_user_mark
from halo_core.values.stated_extents import goes_beyond
from halo_core.values.text import split_name
from halo_core.values.traced_leaves import TracedLeaf

_EXTENTS: Final = frozenset({Kind.AMOUNT, Kind.DATE})
_FOREIGN_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_WAYS: Final = frozenset({Kind.HANDLE, Kind.TEXT})
_MAX_WAY: Final = 40  # characters
_NO_WAYS: Final = frozenset("currency name date label tag product item sku article description city country".split())
"""Words of arguments that say what is paid for, or in what."""
_VERBS: Final = VERBS | FURTHER_VERBS
_MIN_WORD: Final = 4  # letters
_ABBREVIATED: Final = 3  # letters that an abbreviation has at least


def is_extended_by_others(view: CallView, keys: Collection[str] = ()) -> bool:
    """Whether an untrusted source says how far a grave act goes, or alone speaks of what else its tool does.

    Args:
        view: of the call, in a session that was exposed.
        keys: pointers of the leaves that are keys of mappings.
    """
    if view.resource.impact is Impact.PAYMENT:
        fields = {pointer for pointer in keys if names_field(view.texts.get(pointer, ""))}
        return any(_is_condition_of_others(leaf, view) for leaf in view.traced if leaf.pointer not in fields)
    if view.resource.impact not in GRAVE_IMPACTS:
        return False
    is_further = any(_is_extent_of_others(leaf, view) for leaf in view.traced)
    return is_further or _does_unasked_act(view) or _does_others_wish(view)


def _is_extent_of_others(leaf: TracedLeaf, view: CallView) -> bool:
    """Whether a number or a date of a call is that of an untrusted source, or no one that the user said."""
    if leaf.kind not in _EXTENTS or leaf.is_target or names_remark(name_of_argument(leaf.pointer)):
        return False
    if leaf.origin is Provenance.NOVEL:
        return goes_beyond(leaf.pointer, leaf.kind, view.texts.get(leaf.pointer, ""), view.sketch)
    return leaf.origin in _FOREIGN_ORIGINS


def _is_condition_of_others(leaf: TracedLeaf, view: CallView) -> bool:
    """Whether an untrusted source says how a payment is made: again and again, by a voucher, with extras."""
    if leaf.kind not in _WAYS or leaf.origin not in _FOREIGN_ORIGINS or leaf.is_target:
        return False
    name = name_of_argument(leaf.pointer)
    if len(view.texts.get(leaf.pointer, "")) > _MAX_WAY or names_note(leaf.pointer) or names_remark(name):
        return False
    words = split_argument_name(name)
    return not (names_somebody(name) or names_paper(words) or not _NO_WAYS.isdisjoint(words))


def _does_unasked_act(view: CallView) -> bool:
    """Whether the tool's name joins two verbs (`reboot_and_wipe`), of which the user asked for one alone."""
    return any(stems and not view.sketch.was_asked(stems) for stems in _list_joined_acts(view.resource.id))


@lru_cache(maxsize=2048)
def _list_joined_acts(tool: str) -> tuple[frozenset[str], ...]:
    """For each part of a tool's name that `and` joins, the stems by which people ask for it."""
    parts = "_".join(split_argument_name(tool)).split("_and_")
    if len(parts) < 2:
        return ()
    return tuple(
        frozenset[str]().union(*(find_asking_verbs(stem) for stem in split_name(part.replace("_", " "))))
        for part in parts
    )


def _does_others_wish(view: CallView) -> bool:
    """Whether a word of the tool's name is neither its verb nor its object, and only an untrusted source has it.

    `heat_default(zone)` where a mail asks for a default, and the user for two hours.
    """
    named = {name_of_argument(leaf.pointer) for leaf in view.traced}.union(view.resource.targets)
    words = _list_further_words(view.resource.id, view.resource.impact, tuple(sorted(named)))
    return any(
        view.sketch.has_untrusted_said(word)
        and not has_user_mark(view.sketch.look_up_marks([word, *list_inflected(word)]))
        for word in words
    )


@lru_cache(maxsize=2048)
def _list_further_words(tool: str, impact: Impact, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Words of a tool's name that say neither what is done nor what to.

    None where no argument's name says what the tool acts on (`close_ticket(id)`), since then the tool's name does.
    """
    named = {singularize(word) for name in arguments for word in split_argument_name(name)}
    if named <= _GENERIC:
        return ()
    return tuple(
        word
        for word in split_argument_name(tool)
        if len(word) >= _MIN_WORD
        and word not in STOP_WORDS
        and singularize(word) not in RECORD_NOUNS
        and not names_thing(word)
        and not names_somebody(word)
        and not any(singularize(word)[:_ABBREVIATED] == other[:_ABBREVIATED] for other in named)
        and all(
            stem not in _VERBS and stem not in CLASS_WORDS[impact] and stem not in COMMON_NAME_PARTS
            for stem in split_name(word)
        )
    )


_GENERIC: Final = frozenset("id number no nr name key ref value uid uuid target object item".split())
"""Words of an argument's name that do not say of what it is the name or the number."""
