"""Facts about the texts of a call: they carry labelled data, or places and programs that nobody vouched for."""

from __future__ import annotations

import re
from collections.abc import Container
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import CallView, words_of
from halo_core.values.facts.chosen_otherwise import gives_untrusted_right
from halo_core.values.kinds.addresses import has_public_suffix
from halo_core.values.kinds.kinds import PLACES, SUSPICIOUS, Form, Kind
from halo_core.values.language.decoded_readings import generate_hidden_texts, holds_code
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_extents import states_extent
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import SOURCE_SHIFT, USER_BIT, extract_tokens

_MAX_WORDS: Final = 32  # of a hidden text
_MAX_EMBEDDED: Final = 4_096  # characters of a text in which addresses are looked for
_MIN_ENCODED: Final = 4  # characters of a word that an encoded text carries
_MIN_ACCOUNT: Final = 7  # digits in a text that may be an account
_COMPUTING_VERBS: Final = stem_all("count classify detect tokenize measure compare summarize")
_REACHING_WORDS: Final = frozenset(
    "to via and then remote online cloud external api webhook callback url http slack teams discord telegram sms "
    "server upload notify".split()
)
"""Words of a tool's name that say that it hands on what it is given."""
_REACHABLE_DOMAINS: Final = frozenset({"digits", "email", "host", "iban", "joint"})
"""Domains of forms in a text that name where something may go."""
_ASSIGNMENT: Final = compile_later(r"[=&]|(?<=\w):(?!//)")  # `account=4711`, `site:host`
_PROGRAM_SIGN: Final = compile_later(
    r"__\w+__|\b(?:import|exec|eval|system|popen|subprocess|spawn)\b[^\n]{0,40}\("
    r"|\b(?:curl|wget|nc|bash|sh|powershell)\s+[-\w./:]"
    r"|\b(?:delete\s+from|drop\s+table|insert\s+into|update\s+\w+\s+set|truncate\s+table)\b",
    re.IGNORECASE,
)


def carries_labelled(view: CallView, queries: Container[TracedLeaf], labelled: frozenset[int]) -> bool:
    """Whether a search or an address carries a value of labelled data that the user did not write.

    Args:
        view: the call.
        queries: its leaves that hold words to search for.
        labelled: numbers of the sources whose resource is labelled.
    """
    is_undeclared = view.resource.classified != "declared"
    return any(
        leaf.origin is not Provenance.USER
        and (is_undeclared or leaf.kind in PLACES or leaf in queries)
        and (not labelled.isdisjoint(leaf.places) or _hides_labelled(view, leaf, labelled))
        for leaf in view.traced
    )


def _hides_labelled(view: CallView, leaf: TracedLeaf, labelled: frozenset[int]) -> bool:
    """Whether a leaf contains an encoded text with a value of labelled data."""
    text = view.texts.get(leaf.pointer, "")[:_MAX_EMBEDDED]
    words_of_text = frozenset(extract_tokens(text))
    for hidden in generate_hidden_texts(text):
        words = [word for word in extract_tokens(hidden) if len(word) >= _MIN_ENCODED and word not in words_of_text]
        masks = [*view.sketch.look_up_marks(words[:_MAX_WORDS])]
        if words:
            masks += view.sketch.look_up_forms(find_forms(hidden))
        if any(not mask & USER_BIT and mask >> SOURCE_SHIFT in labelled for mask in masks):
            return True
    return False


def names_foreign(view: CallView) -> bool:
    """Whether a text of a call names an address, a host or an account that nobody vouched for, or resembles a program.

    For a tool that nobody declared: any of its texts may say where something goes. So may a right that an untrusted
    source chose for somebody, whatever the tool's name says that it does.
    """
    if gives_untrusted_right(view):
        return True
    if view.resource.impact is not Impact.READ and any(_is_untrusted_extent(view, leaf) for leaf in view.traced):
        return True
    return any(
        _names_unvouched_place(view, leaf)
        for leaf in view.traced
        if leaf.origin not in VOUCHED_ORIGINS and leaf.kind not in (Kind.AMOUNT, Kind.DATE)
    )


def _is_untrusted_extent(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether a number or a day comes from an untrusted source, and the user wrote another one."""
    return (
        leaf.kind in (Kind.AMOUNT, Kind.DATE)
        and leaf.origin in (Provenance.UNTRUSTED, Provenance.MIXED)
        and states_extent(view.sketch, leaf.kind)
    )


def _names_unvouched_place(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether this leaf does so; see `names_foreign`."""
    text, impact = view.texts.get(leaf.pointer, "")[:_MAX_EMBEDDED], view.resource.impact
    if leaf.kind is Kind.HANDLE and leaf.origin is Provenance.UNTRUSTED and impact is not Impact.READ:
        return True
    if SUSPICIOUS in leaf.flags or _PROGRAM_SIGN.search(text) is not None or holds_code(text):
        return True
    if leaf.kind is Kind.TEXT and impact is Impact.READ and _computes(view.resource.id):
        return False
    found = find_forms(_ASSIGNMENT.sub(" ", text), amounts=False)
    forms = [form for form in found if form.domain in _REACHABLE_DOMAINS and _is_reachable(form)]
    return any(
        not mask & USER_BIT and not known
        for mask, known in zip(view.sketch.look_up_forms(forms), view.sketch.look_up_known(forms), strict=True)
    )


def _is_reachable(form: Form) -> bool:
    """Whether a form in a text names something that can be reached. A word with a dot in it need not be a host."""
    if form.domain != "host":
        return form.domain != "digits" or len(form.text) >= _MIN_ACCOUNT
    return has_public_suffix(form.text.partition(":")[0])


@lru_cache(maxsize=2048)
def _computes(tool: str) -> bool:
    """Whether a tool's name says that it computes something from a text, and sends it nowhere."""
    return not _COMPUTING_VERBS.isdisjoint(split_name(tool)[:1]) and _REACHING_WORDS.isdisjoint(words_of(tool))
