"""What a session keeps of a text that it has been shown: marks of tokens and forms, and words in order.

Every text leaves marks of its tokens and of the forms in it. Of an untrusted text, so do the values hidden in it. Only
the user's texts and what trusted lookups brought are kept in order as well, since only they vouch for values.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.decoded_readings import generate_hidden_texts, holds_code
from halo_core.values.forms import find_forms
from halo_core.values.implied_orders import find_ended_words
from halo_core.values.kinds import CARRIED_DOMAINS, MAX_CARRIED, MAX_FORMS, SUSPICION_DOMAINS, Form, make_form
from halo_core.values.known_rows import fingerprint_ended, fingerprint_rows
from halo_core.values.lexicon import STOP_WORDS
from halo_core.values.listed_items import find_completed_names, find_listed_forms, find_listed_paths
from halo_core.values.named_records import Parties, fingerprint_named_records
from halo_core.values.normalization import compact
from halo_core.values.number_uses import find_number_uses
from halo_core.values.numbered import MIN_DIGITS
from halo_core.values.sketch import (
    KNOWN,
    Sketch,
    extract_tokens,
    fingerprint_forms,
    fingerprint_words,
)
from halo_core.values.spans import fingerprint_text_in_order
from halo_core.values.user_texts import MAX_OWN_CHARS, drop_forbidden

_MAX_KEY_LENGTH: Final = 96  # characters of an argument that is a key of a lookup
_MAX_KEY_WORDS: Final = 12
_MAX_TRUSTED_READ: Final = 65_536  # characters of a text of ours whose forms are kept, or which vouch
_MAX_HIDDEN_READ: Final = 4_096  # characters of a hidden text


def fingerprint_text(
    key: bytes,
    text: str,
    *,
    find_hidden: bool = False,
    vouching: bool = False,
    without: Collection[str] = (),
    forms: set[Form] | None = None,
) -> frozenset[int]:
    """Keyed fingerprints of the tokens and forms of a text.

    Args:
        key: of the sketch.
        text: the text.
        find_hidden: those of values that are encoded in it as well; of an untrusted text, since they raise suspicion.
        vouching: it vouches for values, so that the registrable domains it names are kept.
        without: tokens that are left out.
        forms: those in the text where they were looked for already, neither vouching nor hidden ones.
    """
    words = set(extract_tokens(text))
    if forms is None:
        # What stands behind is not vouched for; an untrusted text is read to its end.
        forms = find_forms(text if find_hidden else text[:_MAX_TRUSTED_READ], vouching=vouching)
    if find_hidden:
        for hidden in generate_hidden_texts(text):
            words.update(extract_tokens(hidden))
            if hidden.isalnum():  # groups joined, which has no form but that of a number
                forms |= {Form("digits", hidden)} if hidden.isdigit() and len(hidden) >= MIN_DIGITS else set()
            elif len(forms) < MAX_FORMS:
                forms |= find_forms(hidden[:_MAX_HIDDEN_READ])
    tokens = words.difference(without)
    if len(tokens) < len(words):
        # A form that is made of a word left out is left out with it.
        dropped = "\0".join([word if word.isalnum() and word.isascii() else compact(word) for word in words - tokens])
        found, forms = forms, set()
        for form in found:
            value = form.text
            letters = value.lower() if value.isascii() and value.isalnum() else compact(value)
            if letters not in dropped:
                forms.add(form)
    ended = fingerprint_ended(key, find_ended_words(text)) if vouching else ()
    return frozenset((*fingerprint_words(key, tokens), *fingerprint_forms(key, forms), *ended))


def fingerprint_whole_text(key: bytes, text: str, *, is_vouched: bool) -> int:
    """Keyed fingerprint by which a session knows a user's text that it has been shown before."""
    return fingerprint_forms(key, [Form("vouched" if is_vouched else "message", text)])[0]


class ResultMarks(NamedTuple):
    """What a session keeps of a result.

    Args:
        marks: of its tokens and forms.
        known: of the forms that a trusted lookup brought.
        spans: words in order, of a trusted lookup.
        carried: those of `known` that the result carries into a later session, at most `MAX_CARRIED`.
    """

    marks: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    spans: bytes = b""
    carried: tuple[int, ...] = ()


NO_MARKS: Final = ResultMarks()
"""What a session keeps of nothing."""


def read_result(
    key: bytes,
    text: str,
    origin: Provenance,
    arguments: Sequence[str] = (),
    nouns: Sequence[str] = (),
    *,
    argument_words: Iterable[Iterable[str]] | None = None,
    brings_places: bool = True,
    are_arguments_users: bool = False,
    lists_records: bool = True,
    is_named_list: bool = False,
    own_domain: str = "",
    parties: Parties = frozenset(),
    is_of_one: bool = False,
    is_filtered_list: bool = False,
) -> ResultMarks:
    """Read a result for what a session keeps of it.

    Args:
        key: of the sketch.
        text: what was returned, as much as a reader may have seen.
        origin: as `origin_of_result` gives it.
        arguments: texts of all arguments.
        nouns: of what a lookup lists the numbers (`find_nouns_of_result`).
        argument_words: all tokens of each argument, where they are known already.
        brings_places: False where accounts and addresses in it are not known, as in the answer of a write.
        are_arguments_users: the user wrote each argument.
        lists_records: the call asked for a list, so that its rows say whose a record is.
        is_named_list: the name of the source says that it lists records (`names_list`).
        own_domain: mail domain of the user; empty where it is none's own.
        parties: of whom the call asked for records (`find_parties`).
        is_of_one: it lists what belongs to one thing or person whom the user named (`lists_of_one`).
        is_filtered_list: the arguments of the call say that it lists records (`lists_by_filters`).
    """
    if not text:
        return NO_MARKS
    if origin is Provenance.UNTRUSTED:
        marks = fingerprint_text(key, text, find_hidden=True)
        if lists_records:
            marks |= {
                *fingerprint_named_records(
                    key,
                    text,
                    is_named_list=is_named_list,
                    own_domain=own_domain,
                    parties=parties,
                    is_of_one=is_of_one,
                    is_filtered_list=is_filtered_list,
                )
            }
        return ResultMarks(marks)
    # Words that a trusted source merely repeats from the arguments are left out.
    forms = find_forms(text[:_MAX_TRUSTED_READ])
    words = list(map(extract_tokens, arguments) if argument_words is None else argument_words)
    given = set(chain.from_iterable(words))
    marks = fingerprint_text(key, text, without=given, forms=forms)
    if origin is not Provenance.KNOWN:
        return ResultMarks(marks)
    if not brings_places:
        forms = {form for form in forms if not _names_place(form)}
    known = fingerprint_known_text(
        key, text, arguments, forms, nouns, given_words=given, are_arguments_users=are_arguments_users
    )
    return ResultMarks(marks, *known)


_PLACES: Final = CARRIED_DOMAINS - {"digits"}
_MAX_ID_DIGITS: Final = 6  # a longer number may be an account's or a telephone's


def _names_place(form: Form) -> bool:
    return form.domain in _PLACES or (form.domain == "digits" and len(form.text) > _MAX_ID_DIGITS)


def fingerprint_vouching_text(sketch: Sketch, text: str, *, is_vouched: bool) -> bytes:
    """The words of a user's text in order, without what it forbids.

    A text with quotes may forbid something in what it dictates, and is kept whole.

    Args:
        sketch: what the session has seen before.
        text: the text.
        is_vouched: the host says that these are the user's words. Else what only an untrusted source has said before is
            nobody's.
    """
    if _QUOTING.search(text) is None:
        text = drop_forbidden(text[:MAX_OWN_CHARS], keeps_bad=True) + text[MAX_OWN_CHARS:]
    return fingerprint_text_in_order(text, sketch.key, None if is_vouched else _ForeignWords(sketch))


_QUOTING: Final = re.compile(r"[\"`“”„«»{}<>]")


class _ForeignWords:
    """Says which tokens only an untrusted source has said."""

    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch

    def __call__(self, tokens: Sequence[str]) -> list[bool]:
        if not self._sketch.marks:
            return [False] * len(tokens)
        foreign = {token: self._is_foreign(token) for token in set(tokens)}
        return [foreign[token] for token in tokens]

    def _is_foreign(self, token: str) -> bool:
        if not any(map(str.isalnum, token)) or token.casefold() in STOP_WORDS:
            return False
        words = list(islice(extract_tokens(token), 4))
        masks = self._sketch.look_up_marks(words) if words else []
        is_users = bool(masks) and all(mask & 1 for mask in masks)
        return not is_users and any(mask & 7 == 4 for mask in masks)


def is_lookup_key(text: str) -> bool:
    """Whether an argument can only choose among what a source holds: short, and nothing in it can be decoded."""
    return len(text) <= _MAX_KEY_LENGTH and len(text.split()) <= _MAX_KEY_WORDS and not holds_code(text)


_MAX_SYLLABLE: Final = 2  # letters that are in another word by chance
_ITEM: Final = re.compile(r"(?<![\w./@-])(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{2,31}(?![\w/@-]|\.\w)")
"""An id of letters and digits. Where it stands says nothing more of it, so that a later session can know it."""
_ITEM_IN_ASCII: Final = re.compile(
    r"(?<![A-Za-z0-9_./@-])(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{2,31}"
    r"(?![A-Za-z0-9_/@-]|\.[A-Za-z0-9_])"
)
"""The same in a text of ASCII characters: what is no class of Unicode is found faster."""
_ITEM_DOMAINS: Final = frozenset(("item", "listed", "numbered"))


def _find_items(text: str) -> list[Form]:
    """Forms of the ids in a text that are no numbers, at most `MAX_CARRIED`."""
    pattern = _ITEM_IN_ASCII if text.isascii() else _ITEM
    ids = dict.fromkeys(map(itemgetter(0), islice(pattern.finditer(text), 4 * MAX_CARRIED)))
    return list(map(make_form, zip(repeat("item"), islice(ids, MAX_CARRIED))))


_MADE_NAME: Final = re.compile(r"[^\W\d_]{2,32}(?:[._-][^\W\d_]{2,32}){1,3}")
"""Words of letters that are put together as logins and names of tables are."""
_BESIDE_NOUN: Final = frozenset(("listed", "numbered"))


def _is_made(name: str, literal: str | None) -> bool:
    """Whether a source made a name of several words of its arguments, which the user wrote.

    Args:
        name: in the result.
        literal: the arguments as they are written, in small letters; None where not all of them are the user's.
    """
    return literal is not None and _MADE_NAME.fullmatch(name) is not None and name.casefold() not in literal


def fingerprint_known_text(
    key: bytes,
    text: str,
    arguments: Sequence[str],
    forms: Iterable[Form] | None = None,
    nouns: Sequence[str] = (),
    *,
    given_words: Collection[str] | None = None,
    are_arguments_users: bool = False,
) -> tuple[frozenset[int], bytes, tuple[int, ...]]:
    """Marks of the forms that a trusted lookup brought, its words in order, and those of the marks that are carried.

    What stands in the arguments is left out, but for names that the source made of several words of the user.

    INVARIANT: VOUCH - what a source repeats from its arguments is no news from that source.

    Args:
        key: of the sketch.
        text: the result.
        arguments: texts of all arguments.
        forms: those in the text, where they were looked for already.
        nouns: of what it lists the numbers.
        given_words: tokens of all arguments, where they are known already.
        are_arguments_users: the user wrote each argument, so `ingrid.falk` is the source's answer to "Ingrid Falk".
    """
    text = text[:_MAX_TRUSTED_READ]
    parts = list(map(compact, arguments))
    given = "\0".join(["".join(parts), *parts])
    # Both ways; what is compared is letters and digits alone, so it stands in one of the two.
    given = f"{given}\0{given[::-1]}"
    literal = "\0".join(arguments).casefold() if are_arguments_users else None

    # Each result is read this way, so these are loops: a comprehension is a call.
    brought: list[Form] = []
    for form in chain(find_forms(text) if forms is None else forms, find_listed_forms(text, nouns), _find_items(text)):
        if form.domain not in SUSPICION_DOMAINS:
            # The noun of a number, or the key of an item, is no part of what an argument gave.
            value = form.text.rpartition(" ")[2] if form.domain in _BESIDE_NOUN else form.text
            letters = value.lower() if value.isascii() and value.isalnum() else compact(value)
            if letters and (letters not in given or _is_made(value, literal)):
                brought.append(form)
    brought += find_number_uses(text)
    if arguments:
        brought += find_completed_names(text, given)
        brought += find_listed_paths(text, arguments)

    words = set(chain.from_iterable(map(extract_tokens, arguments))) if given_words is None else given_words

    rows = fingerprint_rows(key, text) if "\n" in text or text.startswith(("[", "{")) else ()
    known = fingerprint_forms(key, brought, KNOWN)
    return (
        frozenset(known).union(rows),
        fingerprint_text_in_order(text, key, partial(_find_repeated, given, literal, words)),
        _list_carried(brought, known),
    )


def _find_repeated(given: str, literal: str | None, words: Collection[str], tokens: Sequence[str]) -> list[bool]:
    """Which tokens of a result only repeat its arguments.

    Args:
        given: letters and digits of the arguments, without case.
        literal: see `_is_made`.
        words: their tokens.
        tokens: of the result.
    """
    found = list(map(given.__contains__, map(str.lower, tokens)))  # so far as for words and numbers in ASCII
    for place, token in enumerate(tokens):
        if len(token) <= _MAX_SYLLABLE and token.isalpha():
            found[place] = token.casefold() in words  # `EN` is no part of `open` that comes back
        elif token.isalnum() and token.isascii():
            continue
        elif len(token) == 1 and not token.isalnum():
            found[place] = False
        else:
            letters = compact(token)
            is_repeated = (not letters or letters in given) and any(map(str.isalnum, token))
            found[place] = is_repeated and not _is_made(token, literal)
    return found


def _list_carried(forms: Iterable[Form], marks: Iterable[int]) -> tuple[int, ...]:
    """Of the marks of forms those that a result carries into a later session: first addresses, sorted, then ids."""
    places: list[int] = []
    items: list[int] = []
    for form, mark in zip(forms, marks, strict=True):
        if form.domain in CARRIED_DOMAINS:
            places.append(mark)
        if form.domain in _ITEM_DOMAINS:
            items.append(mark)
    return tuple([*sorted(places), *items][:MAX_CARRIED])
