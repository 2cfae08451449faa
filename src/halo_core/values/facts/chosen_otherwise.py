"""Targets and fields of a call that an untrusted source chose, although the user named others for the same act.

close_ticket(ticket="HD-8377")      # for "close HD-8419", and only a mail names HD-8377
open_issue(project="public")        # for "the project is mobile-app", and only a mail names `public`
"""

from __future__ import annotations

from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import find_nouns_of_number, name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.lexicon import LEAST_LEVELS, find_asking_verbs, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.named_choices import FIELD_NOUNS, NUMBERING, PLACED, RIGHTS
from halo_core.values.requests.unlisted_orders import LOOKING_UP
from halo_core.values.sketches.sketch import has_user_mark

_MAX_VALUE_WORDS: Final = 4  # of a field
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_ID_OF_SORT: Final = compile_later(r"([A-Za-z]{1,8})[-_/#]?[0-9][\w-]{0,15}")
_CLOSING: Final = stem_all("close resolve solve complete finish end archive shut settle done")


def is_chosen_otherwise(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether an untrusted source chose a value, and the user named another one for the same act.

    Args:
        view: the call.
        leaf: the value.
    """
    if leaf.origin not in _UNTRUSTED_ORIGINS:
        return False
    text = view.texts.get(leaf.pointer, "").strip()
    if len(text.split()) > _MAX_VALUE_WORDS:
        return False
    nouns = frozenset(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
    forms = [Form("field_value", noun) for noun in sorted(nouns & FIELD_NOUNS)]
    sorts = _list_sorts(view.resource.id, leaf, text)
    if sorts:
        stems = _list_stems(view.resource.id)
        forms += [Form("acted_sort", f"{stem} {sort}") for stem in stems for sort in sorts]
    if forms and has_user_mark(view.sketch.look_up_forms(forms)):
        return True
    return not nouns.isdisjoint(FIELD_NOUNS) and _leaves_out_named_place(view)


def _leaves_out_named_place(view: CallView) -> bool:
    """Whether the user named places, and the call has none of them."""
    places = [Form("placed", text.strip().lower()) for text in view.texts.values()]
    named, *given = view.sketch.look_up_forms([PLACED, *places])
    return has_user_mark([named]) and not has_user_mark(given)


def gives_untrusted_right(view: CallView) -> bool:
    """Whether an untrusted source chose the right of somebody whom the call names, other than to read."""
    return any(
        leaf.origin in _UNTRUSTED_ORIGINS
        and not RIGHTS.isdisjoint(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
        and not LEAST_LEVELS.issuperset(view.texts.get(leaf.pointer, "").lower().split())
        and any(other.is_target for other in view.traced if other is not leaf)
        for leaf in view.traced
    )


def _list_sorts(tool: str, leaf: TracedLeaf, text: str) -> list[str]:
    """List the sorts of an id: `hd` of HD-8377, `ticket` of a number under `ticket`."""
    match = _ID_OF_SORT.fullmatch(text)
    if match is not None:
        return [match[1].lower()]
    digits = text.lstrip("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 7):
        return []
    name = name_of_argument(leaf.pointer)
    nouns = {to_numbered_noun(singularize(word)) for word in split_argument_name(name)} - NUMBERING
    return sorted({*nouns, *find_nouns_of_number(tool, name), ""})


def _list_stems(tool: str) -> list[str]:
    """List the stems of the verbs by which people ask for what a tool does."""
    words = split_name(tool)
    stems = frozenset[str]().union(*map(find_asking_verbs, words)) - LOOKING_UP
    return sorted(stems | _CLOSING if not _CLOSING.isdisjoint(words) else stems)
