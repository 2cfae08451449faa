"""What a tool's description says of its class: the verbs that lead its sentences, and those that a sentence lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from halo_core.enforcement import guess_words as words
from halo_core.enforcement.guess_names import LISTING, TEXT_WORD, Finding, find_verb_class, is_milder
from halo_core.model import Impact

_SENTENCE_END: Final = re.compile(r"[.;:!?\n]+")
_MAX_LEAD: Final = 8  # words of a sentence among which its verb is looked for


def list_sentences(description: str) -> Iterator[list[str]]:
    """Words of each sentence without those in front of its verb; sentences that deny something are left out."""
    for sentence in _SENTENCE_END.split(description):
        said = [word.lower() for word in TEXT_WORD.findall(sentence)]
        if words.NEGATIONS.isdisjoint(said):
            while said and said[0] in words.FILLERS:
                said = said[1:]
            if said:
                yield said


def _list_bases(word: str) -> Iterator[str]:
    """A word as it stands, and without the ending of the third person."""
    yield word
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def judge_description(sentences: list[list[str]]) -> Finding | None:
    """The class by the first verb of the first sentence that has one."""
    for sentence in sentences[:2]:
        for word in sentence[:_MAX_LEAD]:
            for base in _list_bases(word):
                impact = find_verb_class(base) or (Impact.READ if base in words.READ_DESCRIPTION_VERBS else None)
                if (
                    impact in (Impact.SEND, Impact.WRITE)
                    and word != sentence[0]
                    and base not in words.PURE_VERBS[impact]
                ):
                    continue  # `mails`, `messages`: things here, and verbs only in front
                if base in words.PURCHASE_VERBS and word == sentence[0]:
                    impact = Impact.PAYMENT
                if impact is not None:
                    return Finding(impact, f"the description has `{word}`")
                if base in words.AMBIGUOUS_VERBS and word == sentence[0]:
                    return None
    return None


def find_graver(sentences: list[list[str]]) -> Finding | None:
    """The gravest verb that leads a sentence, or that a sentence lists after another."""
    gravest: Finding | None = None
    for sentence in sentences:
        led = _find_lead(sentence[0])
        listed = [
            found
            for before, word in pairwise(sentence)
            if before in LISTING and (found := _find_lead(word, pure=True)) is not None
        ]
        for item in ([led] if led is not None else []) + listed:
            if gravest is None or (item.impact and gravest.impact and is_milder(gravest.impact, item.impact)):
                gravest = item
    return gravest


def _find_lead(word: str, *, pure: bool = False) -> Finding | None:
    for base in _list_bases(word):
        impact = find_verb_class(base)
        if impact is not None and (not pure or base in words.PURE_VERBS[impact] or base in words.LISTED_VERBS):
            return Finding(impact, f"the description says `{word}`")
    return None
