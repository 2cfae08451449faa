"""What a session keeps of a text that it was shown: fingerprints of its words and values.

    fingerprint_text(key, "Pay DE89 3704 0044 0532 0130 00")   # marks of each word, and of the IBAN in any grouping

Of every text: fingerprints of its tokens, and of the canonical forms of its values. Of an untrusted text also those
of encoded values in it. Only texts that vouch for values (the user's, results of trusted lookups) are also kept as a
sequence of words, so that a value of several words is found only where they stand side by side.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from itertools import chain, islice, repeat
from operator import itemgetter
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import CARRIED_DOMAINS, MAX_CARRIED, MAX_FORMS, SUSPICION_DOMAINS, Form, make_form
from halo_core.values.kinds.number_uses import find_number_uses
from halo_core.values.kinds.numbered import MIN_DIGITS
from halo_core.values.language.decoded_readings import generate_hidden_texts, holds_code
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.normalization import compact
from halo_core.values.language.patterns import compile_later
from halo_core.values.orders.looked_up_words import (
    ORDER_WORD_DOMAINS,
    LookedUpWord,
    fingerprint_arguments,
    fingerprint_order_words,
)
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.known_rows import fingerprint_cancelled, fingerprint_rows
from halo_core.values.provenance.listed_items import find_completed_names, find_listed_forms, find_listed_paths
from halo_core.values.provenance.replaced_values import ACCOUNT_DOMAINS, ANY_ACCOUNT
from halo_core.values.requests.answered_senders import fingerprint_sender
from halo_core.values.requests.implied_orders import find_cancelled_words
from halo_core.values.requests.listed_records import Parties
from halo_core.values.requests.named_records import fingerprint_named_records
from halo_core.values.requests.user_texts import MAX_USER_CHARS, drop_forbidden
from halo_core.values.sketches.sketch import (
    LOOKED_UP,
    Sketch,
    extract_tokens,
    fingerprint_forms,
    fingerprint_words,
)
from halo_core.values.sketches.spans import fingerprint_text_in_order

_MAX_KEY_LENGTH: Final = 96  # characters of an argument that is a key of a lookup
_MAX_KEY_WORDS: Final = 12
_MAX_TRUSTED_READ: Final = 65_536  # characters of a trusted text whose forms are kept, or which vouch
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
    """Compute keyed fingerprints of the tokens and values of a text.

    Args:
        key: of the sketch.
        text: the text.
        find_hidden: also those of encoded values. For untrusted texts, where they make a value suspicious.
        vouching: the text vouches for values, so the registrable domains in it are kept too.
        without: tokens to leave out.
        forms: the forms in the text, if they were already found; without those of vouching or hidden values.
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
    if not vouching:
        return frozenset((*fingerprint_words(key, tokens), *fingerprint_forms(key, forms)))
    plain = [form for form in forms if form.domain not in ORDER_WORD_DOMAINS]
    tied = (*fingerprint_cancelled(key, find_cancelled_words(text)), *fingerprint_order_words(key, forms))
    return frozenset((*fingerprint_words(key, tokens), *fingerprint_forms(key, plain), *tied))


def fingerprint_whole_text(key: bytes, text: str, *, is_vouched: bool) -> int:
    """Compute the fingerprint by which a session recognizes a user's text that it was shown before."""
    return fingerprint_forms(key, [Form("vouched" if is_vouched else "message", text)])[0]


class ResultMarks(NamedTuple):
    """What a session keeps of a result.

    Args:
        marks: fingerprints of its tokens and forms.
        known: fingerprints of the forms that a trusted lookup returned.
        spans: its words in order, if it is of a trusted lookup.
        carried: those of `known` that the result carries into a later session, at most `MAX_CARRIED`.
        looked_up: the words of the user that it was looked up by.
    """

    marks: frozenset[int] = frozenset()
    known: frozenset[int] = frozenset()
    spans: bytes = b""
    carried: tuple[int, ...] = ()
    looked_up: tuple[LookedUpWord, ...] = ()


NO_MARKS: Final = ResultMarks()
"""What a session keeps of an empty text."""


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
    reads_messages: bool = True,
) -> ResultMarks:
    """Compute what a session keeps of a result.

    Args:
        key: of the sketch.
        text: the returned text, as far as a reader may have seen it.
        origin: as `origin_of_result` gives it.
        arguments: texts of all arguments.
        nouns: of the numbers that a lookup lists (`find_nouns_of_result`).
        argument_words: all tokens of each argument, if they are already known.
        brings_places: accounts and addresses in the result are known. False for the answer of a write.
        are_arguments_users: the user wrote each argument.
        lists_records: the arguments ask for a list, so its rows say to whom a record belongs.
        is_named_list: the name of the source says that it lists records (`names_list`).
        own_domain: mail domain of the user; empty at a public mail host.
        parties: the people whose records the call asked for (`find_parties`).
        is_of_one: it lists what belongs to one thing or person that the user named (`lists_of_one`).
        is_filtered_list: the arguments of the call say that it lists records (`lists_by_filters`).
        reads_messages: the tool is named after messages (`speaks_of_messages`), so a sender in its result wrote one.
    """
    if not text:
        return NO_MARKS
    if origin is Provenance.UNTRUSTED:
        marks = fingerprint_text(key, text, find_hidden=True)
        if reads_messages:
            marks = marks.union(fingerprint_sender(key, text, arguments))
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
    argument_text = set(chain.from_iterable(words))
    marks = fingerprint_text(key, text, without=argument_text, forms=forms)
    if origin is not Provenance.KNOWN:
        return ResultMarks(marks)
    if not brings_places:
        forms = {form for form in forms if not _names_place(form)}
    known = fingerprint_known_text(
        key, text, arguments, forms, nouns, given_words=argument_text, are_arguments_users=are_arguments_users
    )
    looked_up = fingerprint_arguments(key, arguments, text) if are_arguments_users else ()
    return ResultMarks(marks, *known, looked_up)


_PLACE_DOMAINS: Final = CARRIED_DOMAINS - {"digits"}
_MAX_ID_DIGITS: Final = 6  # a longer number may be an account's or a telephone's


def _names_place(form: Form) -> bool:
    return form.domain in _PLACE_DOMAINS or (form.domain == "digits" and len(form.text) > _MAX_ID_DIGITS)


def fingerprint_vouching_text(sketch: Sketch, text: str, *, is_vouched: bool) -> bytes:
    """Make the stored form of a user's text: its words in order, without what it forbids.

    A text with quotation marks is kept whole: the prohibition may be part of a dictated text.

    Args:
        sketch: what the session has seen before.
        text: the text.
        is_vouched: the host declares the text as the user's words. Otherwise, words that only an untrusted source
            wrote before do not count as the user's.
    """
    if _QUOTE_SIGN.search(text) is None:
        text = drop_forbidden(text[:MAX_USER_CHARS], keeps_bad=True) + text[MAX_USER_CHARS:]
    return fingerprint_text_in_order(text, sketch.key, None if is_vouched else _OnlyUntrustedTokens(sketch))


_QUOTE_SIGN: Final = compile_later(r"[\"`“”„«»{}<>]")


class _OnlyUntrustedTokens:
    """Tells which tokens only an untrusted source has written."""

    def __init__(self, sketch: Sketch) -> None:
        self._sketch = sketch

    def __call__(self, tokens: Sequence[str]) -> list[bool]:
        if not self._sketch.marks:
            return [False] * len(tokens)
        only_untrusted = {token: self._is_only_untrusted(token) for token in set(tokens)}
        return [only_untrusted[token] for token in tokens]

    def _is_only_untrusted(self, token: str) -> bool:
        if not any(map(str.isalnum, token)) or token.casefold() in STOP_WORDS:
            return False
        words = list(islice(extract_tokens(token), 4))
        masks = self._sketch.look_up_marks(words) if words else []
        is_users = bool(masks) and all(mask & 1 for mask in masks)
        return not is_users and any(mask & 7 == 4 for mask in masks)


def is_lookup_key(text: str) -> bool:
    """Whether an argument can only select among what a source holds: it is short, and nothing in it can be decoded."""
    return len(text) <= _MAX_KEY_LENGTH and len(text.split()) <= _MAX_KEY_WORDS and not holds_code(text)


_MAX_SHARED_LETTERS: Final = 2  # letters that are in another word by chance
_ITEM: Final = compile_later(r"(?<![\w./@-])(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{2,31}(?![\w/@-]|\.\w)")
"""An id of letters and digits. It is known wherever it stands, so a later session can know it too."""
_ITEM_IN_ASCII: Final = compile_later(
    r"(?<![A-Za-z0-9_./@-])(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9_-]{2,31}"
    r"(?![A-Za-z0-9_/@-]|\.[A-Za-z0-9_])"
)
"""The same in a text of ASCII, which is found faster than classes of Unicode."""
_ITEM_DOMAINS: Final = frozenset(("item", "listed", "numbered"))


def _find_items(text: str) -> list[Form]:
    """Find the ids in a text that are not numbers, at most `MAX_CARRIED`."""
    pattern = _ITEM_IN_ASCII if text.isascii() else _ITEM
    ids = dict.fromkeys(map(itemgetter(0), islice(pattern.finditer(text), 4 * MAX_CARRIED)))
    return list(map(make_form, zip(repeat("item"), islice(ids, MAX_CARRIED))))


_BUILT_NAME: Final = compile_later(r"@?(?=[^\W\d_]*[._-]?[^\W\d_]{2})[^\W\d_]{1,32}(?:[._-][^\W\d_]{1,32}){1,3}")
"""Words joined as in logins and names of tables: `ingrid.falk`."""
_NAME: Final = compile_later(r"@?[^\W\d_]{2,32}(?:[._-][^\W\d_]{1,32}){0,3}")
"""A name, or a handle made of it: `Miriam`, `@gitte`, `@noor.h`."""
_BESIDE_NOUN: Final = frozenset(("listed", "numbered"))


def _is_name_built_from_arguments(name: str, argument_text_as_written: str | None) -> bool:
    """Whether a source built a name out of several words of the user: `ingrid.falk` for "Ingrid Falk".

    Args:
        name: in the result.
        argument_text_as_written: in small letters; None unless the user wrote all arguments.
    """
    return (
        argument_text_as_written is not None
        and _BUILT_NAME.fullmatch(name) is not None
        and name.casefold() not in argument_text_as_written
    )


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
    """Make what is kept of a trusted lookup's result: marks of forms, words in order, marks that are carried.

    Words of the arguments are left out, except for names that the source built from several words of the user.

    INVARIANT: VOUCH - a source that only repeats its arguments does not vouch for them.

    Args:
        key: of the sketch.
        text: the result.
        arguments: texts of all arguments.
        forms: the forms in the text, if they were already found.
        nouns: of the numbers that it lists.
        given_words: tokens of all arguments, if they are already known.
        are_arguments_users: the user wrote each argument, so `ingrid.falk` is the source's answer to "Ingrid
            Falk".
    """
    text = text[:_MAX_TRUSTED_READ]
    parts = list(map(compact, arguments))
    argument_text = "\0".join(["".join(parts), *parts])
    # Both ways; what is compared is letters and digits alone, so it stands in one of the two.
    argument_text = f"{argument_text}\0{argument_text[::-1]}"
    argument_text_as_written = "\0".join(arguments).casefold() if are_arguments_users else None

    # Each result is read this way, so these are loops: a comprehension is a call.
    brought: list[Form] = []
    for form in chain(find_forms(text) if forms is None else forms, find_listed_forms(text, nouns), _find_items(text)):
        if form.domain not in SUSPICION_DOMAINS:
            # The noun of a number, or the key of an item, is no part of what an argument gave.
            value = form.text.rpartition(" ")[2] if form.domain in _BESIDE_NOUN else form.text
            letters = value.lower() if value.isascii() and value.isalnum() else compact(value)
            if letters and (
                letters not in argument_text or _is_name_built_from_arguments(value, argument_text_as_written)
            ):
                brought.append(form)
    if any(form.domain in ACCOUNT_DOMAINS for form in brought):
        brought.append(ANY_ACCOUNT)
    brought += find_number_uses(text)
    if arguments:
        brought += find_completed_names(text, argument_text)
        brought += find_listed_paths(text, arguments)

    words = set(chain.from_iterable(map(extract_tokens, arguments))) if given_words is None else given_words

    rows = fingerprint_rows(key, text) if "\n" in text or text.startswith(("[", "{")) else ()
    known = fingerprint_forms(key, brought, LOOKED_UP)
    return (
        frozenset(known).union(rows),
        fingerprint_text_in_order(text, key, partial(_find_repeated, argument_text, argument_text_as_written, words)),
        _list_carried(brought, known),
    )


def _find_repeated(
    argument_text: str, argument_text_as_written: str | None, words: Collection[str], tokens: Sequence[str]
) -> list[bool]:
    """Find the tokens of a result that only repeat its arguments.

    Args:
        argument_text: letters and digits of the arguments, without case.
        argument_text_as_written: the arguments as they are written, in small letters; None unless all of them are
            the user's.
        words: their tokens.
        tokens: of the result.
    """
    found = list(map(argument_text.__contains__, map(str.lower, tokens)))  # so far as for words and numbers in ASCII
    for place, token in enumerate(tokens):
        if len(token) <= _MAX_SHARED_LETTERS and token.isalpha():
            found[place] = token.casefold() in words  # `EN` is no part of `open` that comes back
        elif token.isalnum() and token.isascii():
            continue
        elif len(token) == 1 and not token.isalnum():
            found[place] = False
        else:
            letters = compact(token)
            is_repeated = (not letters or letters in argument_text) and any(map(str.isalnum, token))
            found[place] = is_repeated and not _is_name_built_from_arguments(token, argument_text_as_written)
    if argument_text_as_written is not None:
        # What the user wrote may stand beside what the source adds: `Miriam Leila Hadad` for "Miriam Hadad".
        return [
            is_repeated and _NAME.fullmatch(token) is None for is_repeated, token in zip(found, tokens, strict=True)
        ]
    return found


def _list_carried(forms: Iterable[Form], marks: Iterable[int]) -> tuple[int, ...]:
    """List the marks that a result carries into a later session: of addresses first, sorted, then of ids."""
    places: list[int] = []
    items: list[int] = []
    for form, mark in zip(forms, marks, strict=True):
        if form.domain in CARRIED_DOMAINS:
            places.append(mark)
        if form.domain in _ITEM_DOMAINS:
            items.append(mark)
    return tuple([*sorted(places), *items][:MAX_CARRIED])
