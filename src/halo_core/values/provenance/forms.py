"""The canonical forms of the values in a text; in a text of the user also the marks of what it asks for.

    find_forms("Mail Ana@X.example")    # {Form("email", "ana@x.example"), ...}

A value of an argument (`argument_forms`) is vouched for if one of its forms is among the forms of a vouching text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from itertools import filterfalse, islice
from typing import Final

from halo_core.values.kinds import numbers
from halo_core.values.kinds.addresses import (
    canonicalize_email,
    canonicalize_path,
    find_registrable_domain,
    has_file_ending,
    has_public_suffix,
    parse_url,
)
from halo_core.values.kinds.kinds import ANY_SITE, MAX_FORMS, Form, make_form
from halo_core.values.kinds.number_uses import find_number_uses
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT
from halo_core.values.language.normalization import make_skeleton
from halo_core.values.language.number_words import write_number_words
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.polite_orders import drop_courtesies
from halo_core.values.language.prohibitions import drop_confirmation_clauses
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.language.text import split_name
from halo_core.values.orders.mentioned_values import find_mentioned_values
from halo_core.values.orders.named_shapes import find_named_shapes
from halo_core.values.orders.stated_acts import find_stated_acts
from halo_core.values.orders.stated_decisions import find_stated_decisions
from halo_core.values.orders.stated_extents import find_stated_extents
from halo_core.values.orders.whole_orders import find_whole_orders
from halo_core.values.payments.given_payments import find_given_payments
from halo_core.values.payments.paid_amounts import find_ceiling_forms, find_lone_number_forms, find_share_forms
from halo_core.values.payments.stated_payments import (
    CORRECTED,
    HELD,
    STATED,
    find_stated_payments,
    list_stated_ceilings,
)
from halo_core.values.programs.dictated_commands import find_dictated_commands
from halo_core.values.programs.ordered_programs import find_ordered_programs
from halo_core.values.programs.program_cuts import find_program_cuts
from halo_core.values.requests.answered_senders import find_answered_numbers
from halo_core.values.requests.asked_acts import ASKING_SOMEBODY, HANDED_OVER, find_asked_stems, hands_over_tasks
from halo_core.values.requests.asked_objects import find_asked_objects
from halo_core.values.requests.composed_paths import find_composed_paths
from halo_core.values.requests.exact_dates import find_exact_dates
from halo_core.values.requests.implied_orders import find_implied_orders
from halo_core.values.requests.lookup_requests import find_purpose_forms
from halo_core.values.requests.mentioned_places import find_mentioned_places
from halo_core.values.requests.named_choices import find_named_choices
from halo_core.values.requests.named_values import (
    find_named_nouns,
    find_named_sorts,
    find_named_values,
    find_written_patterns,
)
from halo_core.values.requests.obtained_goods import find_obtained_goods
from halo_core.values.requests.order_counts import find_count_forms
from halo_core.values.requests.phrasal_verbs import asks_somebody, find_phrasal_verbs, find_wanted_acts
from halo_core.values.requests.quoted_addresses import find_quoted_addresses
from halo_core.values.requests.spelt_ids import find_spelt_ids, write_out_addresses
from halo_core.values.requests.spoken_days import find_spoken_days
from halo_core.values.requests.stated_rows import find_stated_rows
from halo_core.values.requests.topics import find_related_parts, find_role_words, find_topics
from halo_core.values.requests.unlisted_orders import find_unlisted_orders
from halo_core.values.requests.user_texts import (
    MAX_USER_CHARS,
    drop_forbidden,
    find_counts,
    find_id_numbers,
    find_named_words,
    find_persons,
    find_posted_accounts,
)
from halo_core.values.requests.wishes import find_wishes

MAX_READ: Final = 262_144  # characters of a text

_EMAIL_IN_TEXT: Final = compile_later(
    r"(?<![^\s<>(),;:\"\[\]'`*=|/])[^\s@<>(),;:\"\[\]'`*=|\\/]{1,64}@[\w-]{1,63}(?:[.。．｡][\w-]{1,63}){1,8}(?![\w@-])"
)
_URL_IN_TEXT: Final = compile_later(
    r"(?<![\w.+-])[a-zA-Z][a-zA-Z0-9+.-]{1,15}://[^\s<>\"`|]{1,2048}"
    r"|(?<![\w.@/:%+-])[\w-]{1,63}(?:[.。．｡][\w-]{1,63}){1,8}(?::[0-9]{1,5})?(?:[/?#][^\s<>\"`|]{0,2048})?(?![\w@])"
)
_PATH_IN_TEXT: Final = compile_later(r"(?<![\w.:/~%-])(?:~|\.{1,2})?/[^\s\"'`<>|*?,;:()\[\]{}]{1,1024}")
_FOLDERS_IN_TEXT: Final = compile_later(r"(?<![\w.:/~@%-])[\w.-]{1,128}(?:/[\w.@+-]{1,255}){1,16}/?(?![\w/])")
_CLOSING: Final = {")": "(", "]": "[", "}": "{"}
_URL_SCHEME: Final = compile_later(r"[a-zA-Z][a-zA-Z0-9+.-]{0,31}:")
_HAS_DIGIT: Final = compile_later(r"\d")


def find_forms(text: str, *, vouching: bool = False, amounts: bool = True) -> set[Form]:
    """Find the forms of the values in a text, at most `MAX_FORMS`.

    Args:
        text: the text; `MAX_READ` characters of it are read.
        vouching: the text vouches for values. Then also forms that only matter in such a text, such as registrable
            domains and verbs that ask for an act.
        amounts: also amounts, and short numbers with their nouns.
    """
    text = write_out_addresses(text[:MAX_READ])
    forms: list[Form] = []
    if vouching:
        text = _find_user_forms(text, forms)
    # Addresses hold no blanks, so they are looked for only in the words that could be some.
    search = _ADDRESS_SIGN.search
    if search(text) is not None:
        odd_words = filterfalse(_ADDRESS_SIGNS.isdisjoint, filterfalse(str.isalnum, text.split()))
        parts = [word for word in odd_words if len(word) > 2 and search(word) is not None and not _is_decimal(word)]
        if parts:
            words = _GLUED_SENTENCE.sub(_split_sentence, "\n".join(parts))
            if "@" in words:
                forms += islice(_find_email_forms(words), MAX_FORMS)
            _find_url_forms(words, forms, vouching=vouching)
            if "/" in words:
                _find_path_forms(words, forms)
    if _HAS_DIGIT.search(text) is not None:
        numbers.find_number_forms(text, forms, amounts=amounts)
    return set(forms[:MAX_FORMS])


_PAYING_WORDS: Final = REQUEST_WORDS_BY_IMPACT["payment"]


def _find_user_forms(text: str, forms: list[Form]) -> str:
    """Find what a user's message asks for, and how it uses its words and numbers.

    Args:
        text: the message. Its first `MAX_USER_CHARS` characters are read.
        forms: takes the forms.

    Returns:
        The message without the parts that forbid something, whose values it does not vouch for.
    """
    user_text, rest = text[:MAX_USER_CHARS], text[MAX_USER_CHARS:]
    stems, is_only_foreign = _find_asking_stems(user_text, rest)
    forms += [make_form(("verb", stem)) for stem in stems]
    permitted = drop_forbidden(user_text)
    in_digits = write_number_words(permitted)
    forms += dict.fromkeys(find_named_words(permitted))
    forms += find_persons(permitted, has_cases=is_only_foreign)
    forms += find_counts(permitted)
    forms += find_count_forms(permitted)
    forms += find_asked_objects(permitted)
    forms += find_topics(permitted)
    forms += find_answered_numbers(permitted)
    for find_programs in (find_ordered_programs, find_dictated_commands):
        # Without its beginning, "Never again: rm -rf x" is a command.
        forms += set(find_programs(permitted)).intersection(find_programs(user_text))
    forms += find_stated_rows(permitted)
    forms += find_related_parts(permitted)
    forms += find_role_words(permitted)
    forms += find_named_values(permitted)
    forms += find_named_nouns(permitted)
    forms += find_named_choices(permitted)
    forms += find_phrasal_verbs(drop_confirmation_clauses(permitted))
    forms += find_wanted_acts(permitted)
    forms += find_obtained_goods(permitted)
    forms += find_purpose_forms(permitted)
    forms += find_quoted_addresses(permitted)
    forms += find_mentioned_places(permitted, find_forms)
    if _HAS_DIGIT.search(write_number_words(user_text)) is not None:
        forms += _find_numbers_of_user(user_text, permitted, in_digits)
    stated = list_stated_payments(permitted)
    forms += stated
    forms += find_given_payments(write_number_words(drop_quoted(permitted)), partial(find_forms, amounts=False))
    if stated and stems.isdisjoint(_PAYING_WORDS) and not list_ceiling_forms(user_text):
        forms += list_stated_ceilings(stated)
    forms += find_stated_extents(permitted)
    forms += find_stated_decisions(in_digits)
    forms += find_stated_acts(permitted, user_text)
    forms += find_whole_orders(in_digits, user_text)
    forms += find_named_shapes(in_digits)
    forms += find_mentioned_values(permitted)
    forms += find_program_cuts(permitted)
    forms += find_spoken_days(permitted)
    forms += find_written_patterns(permitted)
    forms += find_composed_paths(permitted)
    return permitted + rest


def _find_numbers_of_user(user_text: str, permitted: str, in_digits: str) -> list[Form]:
    """Find what a user's message uses its numbers as.

    Args:
        user_text: the message.
        permitted: the same without what it forbids.
        in_digits: that with its numbers in digits.
    """
    forms: list[Form] = []
    forms += list_ceiling_forms(user_text)
    forms += find_lone_number_forms(permitted)
    forms += find_share_forms(in_digits, partial(find_forms, amounts=False))
    forms += find_id_numbers(permitted)
    forms += find_spelt_ids(permitted)
    forms += find_posted_accounts(permitted)
    forms += find_number_uses(permitted)
    forms += find_named_sorts(permitted)
    forms += find_exact_dates(permitted)
    return forms


def _find_asking_stems(user_text: str, rest: str) -> tuple[set[str], bool]:
    """Find the stems of the words by which the user asks for acts, and whether none of these words is English.

    "Do not pay" asks for no act, and neither does a quotation.
    """
    asked = drop_courtesies(drop_quoted(drop_confirmation_clauses(drop_forbidden(user_text, keeps_bad=True))))
    english, foreign = find_asked_stems(asked + rest), find_foreign_acts(asked)
    stems = english.union(*map(split_name, foreign))
    if hands_over_tasks(asked):
        stems.add(HANDED_OVER)
    if asks_somebody(asked):
        stems.add(ASKING_SOMEBODY)
    stems |= find_unlisted_orders(asked) | find_wishes(asked)
    if not rest:
        stems |= find_implied_orders(user_text)
    return stems, bool(foreign) and not english


@lru_cache(maxsize=64)
def list_ceiling_forms(user_text: str) -> tuple[Form, ...]:
    """List the forms of the ceilings in a user's message.

    Cached, since it is read when it comes and again for each payment.
    """
    return tuple(find_ceiling_forms(write_number_words(user_text), partial(find_forms, amounts=False)))


@lru_cache(maxsize=64)
def list_stated_payments(permitted: str) -> tuple[Form, ...]:
    """List the forms of the payments that a user's message states.

    Args:
        permitted: the message without what it forbids.
    """
    return tuple(find_stated_payments(write_number_words(drop_quoted(permitted)), partial(find_forms, amounts=False)))


def states_payment(user_text: str) -> bool:
    """Whether a user's message states a payment, lets one wait for his yes, or corrects its account."""
    forms = list_stated_payments(drop_forbidden(user_text[:MAX_USER_CHARS]))
    return any(form.domain in (STATED, HELD, CORRECTED) for form in forms)


_GLUED_SENTENCE: Final = compile_later(
    r"(?<![\w-])(?<![\w-]\.)((?:[\w-]++\.)+[a-z]{2,})\.([A-Z][a-z]*)(?=[\s,;:!?']|$)"
)
"""Begins where a row of labels does: from each of its labels a long row would take the square of its time."""


def _split_sentence(match: re.Match[str]) -> str:
    """Separate two sentences without a blank between them: `www.corp.com.They sent`. A host keeps its last label."""
    host, word = match[1].lower(), match[2].lower()
    is_glued = has_public_suffix(host) and not has_public_suffix(f"{host}.{word}")
    return f"{match[1]}\n{match[2]}" if is_glued else match[0]


_DECIMAL: Final = compile_later(r"[0-9]+\.[0-9]+")
_ADDRESS_SIGN: Final = compile_later(r"[@/\\＠。．｡.](?:(?<!\.)|(?=\w))")
_ADDRESS_SIGNS: Final = frozenset("@/\\＠。．｡.")


def _is_decimal(word: str) -> bool:
    """Whether a word is a number with decimals, and so no address."""
    return word.isascii() and word[0] != "." and word[-1] != "." and word.replace(".", "", 1).isdigit()


def _find_email_forms(text: str) -> Iterator[Form]:
    for match in _EMAIL_IN_TEXT.finditer(text):
        address = canonicalize_email(match[0])
        if address is not None:
            yield make_form(("email", address))
            yield make_form(("skeleton", make_skeleton(address)))


def _find_url_forms(text: str, forms: list[Form], *, vouching: bool) -> None:
    for match in _URL_IN_TEXT.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        if _DECIMAL.fullmatch(match[0]) is not None:
            continue  # a decimal: a host that ends in a number has four of them
        spelt = _trim(match[0])
        url = parse_url(spelt)
        if url is None or (not url.scheme and has_file_ending(spelt)):
            continue
        # A URL without a scheme may be read as either. One with `http` vouches for `https` too: the same host, safer.
        schemes = ("http", "https") if url.scheme in ("", "http") else (url.scheme,)
        forms += [make_form(("url", url._replace(scheme=scheme).spell(scheme))) for scheme in schemes]
        if not url.userinfo:
            port = f":{url.port}" if url.port else ""
            forms.append(make_form(("host", url.host + port)))
            forms.append(make_form(("skeleton", make_skeleton(url.host))))
            if vouching:
                forms += ANY_SITE, make_form(("site", find_registrable_domain(url.host)))


def _find_path_forms(text: str, forms: list[Form]) -> None:
    for pattern in (_PATH_IN_TEXT, _FOLDERS_IN_TEXT):
        for match in pattern.finditer(text):
            if len(forms) >= MAX_FORMS:
                return
            path = canonicalize_path(match[0].rstrip(".,;:!?"))
            if path is not None and path not in ("/", "."):
                forms.append(make_form(("path", path)))


def _trim(text: str) -> str:
    """Remove the punctuation behind a URL in a text."""
    while text:
        last = text[-1]
        if last in ".,;:!?'*" or (last in _CLOSING and text.count(last) > text.count(_CLOSING[last])):
            text = text[:-1]
        else:
            break
    return text
