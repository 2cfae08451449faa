"""Which parts of a text repeat what a model said, or wrote into a call, while it was exposed to untrusted content.

`fingerprint_model_words` makes keyed fingerprints of such a text: of the whole, of runs of neighbouring words, of
single words that may name something, and of the canonical forms of its values, so that another spelling of a value is
found too. `split_repeats` finds them in another text, whoever sends it.

What the session knows from the user, the system or a trusted lookup is left out, and so are runs of common words: a
user who writes an ordinary phrase repeats nobody.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate, compress, islice
from typing import Final

from halo_core.quick_dataclass import dataclass
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.lexicon import STOP_WORDS, VERBS
from halo_core.values.language.text import generate_spellings, normalize_atom
from halo_core.values.provenance.forms import find_forms
from halo_core.values.sketches.sketch import extract_tokens, find_token_places, fingerprint_words, is_distinctive

REPEAT_BYTES: Final = 7
"""Bytes of a fingerprint."""
_MAX_RUNS: Final = 24  # fingerprints of runs of one text; of more the smallest
_MAX_VALUES: Final = 64  # of single words of one text, of forms in it
_MAX_WORDS: Final = 60_000
_SHORT_RUN: Final = 3  # words, of a short text
_LONG_RUN: Final = 5  # words
_SHORT_TEXT: Final = 24  # words
_SPELLED_TEXT: Final = 4096  # characters of a text whose other spellings are looked at
_MIN_DIGITS: Final = 4
_MASK: Final = (1 << 8 * REPEAT_BYTES) - 1
_COMPARED_DOMAINS: Final = frozenset(("iban", "digits", "joint", "email", "url", "host", "path"))
"""Domains of forms that name one thing. Amounts and dates stand in many texts."""


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text in two parts.

    Args:
        own: parts of it, in order, that repeat nothing. Words of two parts never stood side by side.
        repeated: what a model wrote before.
    """

    own: tuple[str, ...]
    repeated: str


def fingerprint_model_words(
    key: bytes, text: str, are_not_trusted: Callable[[Sequence[str | Form]], list[bool]], *, is_argument: bool
) -> frozenset[int]:
    """Fingerprint a text that a model wrote while it was exposed.

    Args:
        key: of the fingerprints.
        text: what it wrote.
        are_not_trusted: tells of words, or of forms of values, whether they are neither the user's nor the
            system's.
        is_argument: it is an argument of a tool, where a single plain word may be a name.
    """
    words = list(islice(extract_tokens(text), _MAX_WORDS))
    forms = _find_compared_forms(text)
    theirs = set(compress(forms, are_not_trusted(list(forms))))
    # A word of a value that the user gave in another spelling is the user's.
    ours = "\0".join(_compact(form.text) for form in forms - theirs)
    is_word_not_trusted: dict[str, bool] = {}
    short_values = []
    distinct = list(dict.fromkeys(words))
    for word, is_theirs in zip(distinct, are_not_trusted(distinct), strict=True):
        is_word_not_trusted[word] = is_theirs and not _is_common(word)
        if is_word_not_trusted[word] and is_short_value(word):
            is_word_not_trusted[word] = _compact(word) not in ours
            short_values.append(word)
    not_trusted = list(map(is_word_not_trusted.__getitem__, words))
    found = set(sorted([_fingerprint_form(key, form) for form in theirs])[:_MAX_VALUES])
    if not any(not_trusted):
        return frozenset(found)
    numbers = fingerprint_words(key, words)
    if is_argument or len(words) >= _LONG_RUN:
        found.add(_fingerprint_whole(key, words))
    is_small_number = [word.isdigit() and len(word) < _MIN_DIGITS for word in words]
    for length in (_SHORT_RUN, _LONG_RUN) if is_argument and len(words) <= _SHORT_TEXT else (_LONG_RUN,):
        distinct_runs = _find_distinct_runs(not_trusted, is_small_number, length)
        runs = {run for (_, run), is_kept in zip(_iterate_runs(numbers, length), distinct_runs, strict=True) if is_kept}
        found.update(sorted(runs)[:_MAX_RUNS])
    named = words if is_argument and len(words) == 1 else short_values
    values = [_fingerprint_value(key, word) for word in named if is_word_not_trusted[word]]
    found.update(sorted(values)[:_MAX_VALUES])
    return frozenset(found)


def split_repeats(key: bytes, text: str, contains: Callable[[int], bool]) -> SplitText:
    """Split a text into its own parts and those that repeat a model's text.

    Args:
        key: of the fingerprints.
        text: to be split.
        contains: whether a fingerprint is known.
    """
    words = list(islice(extract_tokens(text), _MAX_WORDS))
    if not words:
        return SplitText((text,), "")
    if contains(_fingerprint_whole(key, words)):
        return SplitText((), text)
    repeated = [contains(_fingerprint_value(key, word)) for word in words]
    numbers = fingerprint_words(key, words)
    for length in (_SHORT_RUN, _LONG_RUN):
        for i, run in _iterate_runs(numbers, length):
            if contains(run):
                repeated[i : i + length] = [True] * len(repeated[i : i + length])
    forms = _find_known_forms(key, text, contains)
    own, taken = ((text,), []) if not any(repeated) and not forms else _divide(text, repeated, forms)
    for part in own:
        hidden = _find_respelled(key, part, contains)
        if hidden or (forms and _find_known_forms(key, part, contains)):
            # What stands there in another spelling cannot be taken out of the words around it.
            return SplitText((), " ".join([text, *(form.text for form in sorted(forms)), hidden]))
    return SplitText(own, " ".join([*taken, *(form.text for form in sorted(forms))]))


def repeats_as_whole(key: bytes, text: str, contains: Callable[[int], bool]) -> bool:
    """Whether a text is word for word what a model said or wrote into a call; never for fewer than three words."""
    words = list(islice(extract_tokens(text), _MAX_WORDS))
    return len(words) >= _SHORT_RUN and contains(_fingerprint_whole(key, words))


def _divide(text: str, repeated: list[bool], forms: Collection[Form]) -> tuple[tuple[str, ...], list[str]]:
    """Split a text at its repeated words and the words of its repeated forms."""
    places = list(islice(find_token_places(text), _MAX_WORDS))
    flags = [*repeated, *[True] * (len(places) - len(repeated))]
    _flag_forms([text[start:end] for start, end in places], flags, forms)
    own: list[str] = []
    taken: list[str] = []
    begin, has_words = 0, False
    for (start, end), is_repeated in zip(places, flags, strict=True):
        if not is_repeated:
            has_words = True
            continue
        if has_words:
            own.append(text[begin:start])
        taken.append(text[start:end])
        begin, has_words = end, False
    if has_words:
        own.append(text[begin : places[-1][1]])
    return tuple(own), taken


def _flag_forms(words: list[str], flags: list[bool], forms: Iterable[Form]) -> None:
    """Flag the words that together spell a form."""
    compact = [_compact(unicodedata.normalize("NFKC", word)) for word in words]
    joined = "".join(compact)
    owners = [i for i, word in enumerate(compact) for _ in word]
    for form in forms:
        spelled = _compact(form.text.partition("://")[2] or form.text)
        place = joined.find(spelled) if spelled else -1
        while place >= 0:
            for i in owners[place : place + len(spelled)]:
                flags[i] = True
            place = joined.find(spelled, place + len(spelled))


def _find_compared_forms(text: str) -> set[Form]:
    return {form for form in find_forms(text) if form.domain in _COMPARED_DOMAINS}


def _find_known_forms(key: bytes, text: str, contains: Callable[[int], bool]) -> set[Form]:
    return {form for form in _find_compared_forms(text) if contains(_fingerprint_form(key, form))}


def _compact(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def is_short_value(word: str) -> bool:
    """Whether a word (lower case) may name one thing: an address, a link, an account of a few digits."""
    return "@" in word or is_distinctive(word) or sum(map(str.isdigit, word)) >= _MIN_DIGITS


def _find_distinct_runs(not_trusted: list[bool], is_small_number: list[bool], length: int) -> Iterator[bool]:
    """For each run of this many words, whether it says more than an amount among common words.

    Digits in a row may spell a number.

    Args:
        not_trusted: of each word.
        is_small_number: whether a word is a number of few digits.
        length: of a run.
    """
    naming = [own and not is_small for own, is_small in zip(not_trusted, is_small_number, strict=True)]
    counted, named = list(accumulate(is_small_number, initial=0)), list(accumulate(naming, initial=0))
    for i in range(len(is_small_number) - length + 1):
        yield named[i + length] > named[i] or counted[i + length] - counted[i] == length


def _find_respelled(key: bytes, text: str, contains: Callable[[int], bool]) -> str:
    """Find a value of a model that stands in the text encoded, or in groups; empty if there is none."""
    if len(text) > _SPELLED_TEXT:
        return ""
    for form in generate_spellings(text):
        for word in islice(extract_tokens(form), _MAX_WORDS):
            if is_short_value(word) and contains(_fingerprint_value(key, word)):
                return word
    return ""


def _is_common(word: str) -> bool:
    if len(word) < 2 and not word.isdigit():
        return True
    atom = normalize_atom(word)
    return atom in STOP_WORDS or atom in VERBS


def _iterate_runs(numbers: list[int], length: int) -> Iterator[tuple[int, int]]:
    """Iterate over place and fingerprint of each run of this many words; the words' fingerprints are keyed already."""
    for i in range(len(numbers) - length + 1):
        value = length
        for number in numbers[i : i + length]:
            value = (value * 0x9E3779B97F4A7C15 + number) & 0xFFFFFFFFFFFFFFFF
            value ^= value >> 29
        yield i, value & _MASK


def _fingerprint_value(key: bytes, word: str) -> int:
    return _digest(key, "value", word)


def _fingerprint_form(key: bytes, form: Form) -> int:
    return _digest(key, form.domain, form.text)


def _fingerprint_whole(key: bytes, words: list[str]) -> int:
    return _digest(key, "whole", " ".join(words))


def _digest(key: bytes, kind: str, text: str) -> int:
    data = f"said\0{kind}\0{text}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=REPEAT_BYTES, key=key[:64]).digest())
