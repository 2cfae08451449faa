"""What only an untrusted source adds to an act that the user asked for: how much, how long, and what else.

"Mute the alert for an hour" does not ask for `mute(hours=8760)`. "Archive the project" does not ask for
`archive_and_purge`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import GRAVE_IMPACTS, CallView
from halo_core.values.kinds.argument_names import (
    name_of_argument,
    names_field,
    names_note,
    names_remark,
    names_somebody,
    names_thing,
    split_argument_name,
)
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.number_uses import names_paper
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import COMMON_NAME_PARTS, FURTHER_VERBS, STOP_WORDS, VERBS, find_asking_verbs
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_extents import goes_beyond
from halo_core.values.provenance.record_lists import RECORD_NOUNS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.tool_verbs import CLASS_WORDS
from halo_core.values.sketches.sketch import has_user_mark

_EXTENT_KINDS: Final = frozenset({Kind.AMOUNT, Kind.DATE})
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_CONDITION_KINDS: Final = frozenset({Kind.HANDLE, Kind.TEXT})
_MAX_CONDITION: Final = 40  # characters
_NOT_CONDITION_NAMES: Final = frozenset(
    "currency name date label tag product item sku article description city country".split()
)
"""Words of arguments for what is paid, or its currency."""
_VERBS: Final = VERBS | FURTHER_VERBS
_MIN_WORD: Final = 4  # letters
_MIN_ABBREVIATION: Final = 3  # letters that an abbreviation has at least


def is_extended_by_untrusted(view: CallView, keys: Collection[str] = ()) -> bool:
    """Whether an untrusted source decides how far a grave act goes, or alone mentions what else its tool does.

    Args:
        view: of the call, in a session that was exposed.
        keys: pointers of the leaves that are keys of mappings.
    """
    if view.resource.impact is Impact.PAYMENT:
        fields = {pointer for pointer in keys if names_field(view.texts.get(pointer, ""))}
        return any(_is_untrusted_condition(leaf, view) for leaf in view.traced if leaf.pointer not in fields)
    if view.resource.impact not in GRAVE_IMPACTS:
        return False
    is_further = any(_is_untrusted_extent(leaf, view) for leaf in view.traced)
    return is_further or _joins_unasked_act(view) or _has_untrusted_word_in_name(view)


def _is_untrusted_extent(leaf: TracedLeaf, view: CallView) -> bool:
    """Whether a number or a date of a call comes from an untrusted source, or contradicts the user."""
    if leaf.kind not in _EXTENT_KINDS or leaf.is_target or names_remark(name_of_argument(leaf.pointer)):
        return False
    if leaf.origin is Provenance.NOVEL:
        return goes_beyond(leaf.pointer, leaf.kind, view.texts.get(leaf.pointer, ""), view.sketch)
    return leaf.origin in _UNTRUSTED_ORIGINS


def _is_untrusted_condition(leaf: TracedLeaf, view: CallView) -> bool:
    """Whether an untrusted source decides how a payment is made: repeatedly, with a voucher, with extras."""
    if leaf.kind not in _CONDITION_KINDS or leaf.origin not in _UNTRUSTED_ORIGINS or leaf.is_target:
        return False
    name = name_of_argument(leaf.pointer)
    if len(view.texts.get(leaf.pointer, "")) > _MAX_CONDITION or names_note(leaf.pointer) or names_remark(name):
        return False
    words = split_argument_name(name)
    return not (names_somebody(name) or names_paper(words) or not _NOT_CONDITION_NAMES.isdisjoint(words))


def _joins_unasked_act(view: CallView) -> bool:
    """Whether the tool's name joins two verbs (`reboot_and_wipe`), and the user asked for only one of them."""
    return any(stems and not view.sketch.was_asked(stems) for stems in _list_joined_acts(view.resource.id))


@lru_cache(maxsize=2048)
def _list_joined_acts(tool: str) -> tuple[frozenset[str], ...]:
    """List, for each part of a tool's name that `and` joins, the stems by which people ask for it."""
    parts = "_".join(split_argument_name(tool)).split("_and_")
    if len(parts) < 2:
        return ()
    return tuple(
        frozenset[str]().union(*(find_asking_verbs(stem) for stem in split_name(part.replace("_", " "))))
        for part in parts
    )


def _has_untrusted_word_in_name(view: CallView) -> bool:
    """Whether only an untrusted source wrote a word of the tool's name that is neither its verb nor its object.

    A mail asks for a default, the user for two hours, and the tool is `heat_default(zone)`.
    """
    named = {name_of_argument(leaf.pointer) for leaf in view.traced}.union(view.resource.targets)
    words = _list_further_words(view.resource.id, view.resource.impact, tuple(sorted(named)))
    return any(
        view.sketch.was_in_untrusted_text(word)
        and not has_user_mark(view.sketch.look_up_marks([word, *list_inflected(word)]))
        for word in words
    )


@lru_cache(maxsize=2048)
def _list_further_words(tool: str, impact: Impact, arguments: tuple[str, ...]) -> tuple[str, ...]:
    """List the words of a tool's name that are neither its verb nor its object.

    Empty if no argument's name says what the tool acts on (`close_ticket(id)`), since then the tool's name does.
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
        and not any(singularize(word)[:_MIN_ABBREVIATION] == other[:_MIN_ABBREVIATION] for other in named)
        and all(
            stem not in _VERBS and stem not in CLASS_WORDS[impact] and stem not in COMMON_NAME_PARTS
            for stem in split_name(word)
        )
    )


_GENERIC: Final = frozenset("id number no nr name key ref value uid uuid target object item".split())
"""Words of an argument's name that do not say what is named or numbered."""
