"""The canonical forms of the values in a text, and of the value of an argument.

    find_forms("Mail Ana@X.example")          # {Form("email", "ana@x.example"), ...}
    parse_argument("mailto:ana@x.example")    # [ArgumentValue(kind=email, forms=(Form("email", "ana@x.example"),))]

A value of an argument is vouched for if one of its forms is among the forms of a vouching text. So two spellings of
one address match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache, partial
from itertools import filterfalse, islice
from typing import Final, NamedTuple

from halo_core.values.kinds import numbers
from halo_core.values.kinds.addresses import (
    canonicalize_email,
    canonicalize_host,
    canonicalize_path,
    find_registrable_domain,
    has_file_ending,
    has_public_suffix,
    looks_like_path,
    parse_url,
)
from halo_core.values.kinds.amounts import canonicalize_amounts, trim_number
from halo_core.values.kinds.argument_values import is_program
from halo_core.values.kinds.dates import find_date_forms
from halo_core.values.kinds.kinds import ANY_SITE, MAX_FORMS, SUSPICIOUS, TARGET_KINDS, Form, Kind, make_form
from halo_core.values.kinds.number_uses import find_number_uses
from halo_core.values.kinds.numbered import MIN_DIGITS, singularize, to_argument_noun
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import REQUEST_WORDS_BY_IMPACT
from halo_core.values.language.normalization import has_invisible, make_skeleton
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
MAX_ITEMS: Final = 64
"""Most values of one leaf that are judged."""
_MAX_NAME: Final = 4_096  # characters of a leaf that is more than a text

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
        forms += list_ceiling_forms(user_text)
        forms += find_lone_number_forms(permitted)
        forms += find_share_forms(write_number_words(permitted), partial(find_forms, amounts=False))
        forms += find_id_numbers(permitted)
        forms += find_spelt_ids(permitted)
        forms += find_posted_accounts(permitted)
        forms += find_number_uses(permitted)
        forms += find_named_sorts(permitted)
        forms += find_exact_dates(permitted)
    stated = list_stated_payments(permitted)
    forms += stated
    forms += find_given_payments(write_number_words(drop_quoted(permitted)), partial(find_forms, amounts=False))
    if stated and stems.isdisjoint(_PAYING_WORDS) and not list_ceiling_forms(user_text):
        forms += list_stated_ceilings(stated)
    forms += find_stated_extents(permitted)
    forms += find_stated_decisions(write_number_words(permitted))
    forms += find_stated_acts(permitted, user_text)
    forms += find_whole_orders(write_number_words(permitted), user_text)
    forms += find_named_shapes(write_number_words(permitted))
    forms += find_mentioned_values(permitted)
    forms += find_program_cuts(permitted)
    forms += find_spoken_days(permitted)
    forms += find_written_patterns(permitted)
    forms += find_composed_paths(permitted)
    return permitted + rest


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


class ArgumentValue(NamedTuple):
    """One value of an argument.

    Args:
        kind: what it names.
        text: as it is written.
        forms: a vouching text that holds any of these forms vouches for the value; empty if only the exact words do.
        in_words: a text that holds its words in order vouches for it too.
        flags: `suspicious` if it is written in a misleading way.
        host: of an address, empty for others.
    """

    kind: Kind
    text: str
    forms: tuple[Form, ...] = ()
    in_words: bool = False
    flags: tuple[str, ...] = ()
    host: str = ""


_LIST_SEPARATOR: Final = compile_later(r"[,;\n|]+")
_LIST_WRAPPING: Final = " \t\"'[]"
_URL_START: Final = compile_later(r"(?:[a-zA-Z][a-zA-Z0-9+.-]{0,31}:)?(?://|\\\\)|https?:", re.IGNORECASE)
_HOST: Final = compile_later(
    r"(?:[\w-]{1,63}[.。．｡]){1,8}(?:(?=[^\W\d_])[\w-]{2,63}[.。]?|(?<=[0-9]\.)[0-9]{1,3})(?::[0-9]{1,5})?"
)
_HOST_END: Final = compile_later(r"[/?#]")
# Time zones (IANA) and media types (RFC 6838).
_NO_PATH: Final = compile_later(
    r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)/[A-Za-z_+-]+[0-9]{0,2}"
    r"(?:/[A-Za-z_]+)?|(?:application|audio|image|text|video)/[a-z0-9.+-]+"
)
_HOST_NAMES: Final = frozenset("domain endpoint host hostname ip link node server site uri url webpage website".split())
"""Words of arguments that hold a host, in the singular."""
_MAIL_SIGN: Final = compile_later(r"\S\s?[@＠]\s?\S|=\?[\w-]+\?[bqBQ]\?")
_MAIL_NAMES: Final = frozenset(
    "to cc bcc recipient receiver email mail address attendee participant invitee guest member forward contact".split()
)
"""Words of arguments that hold e-mail addresses, in the singular."""
_PROSE_NAMES: Final = frozenset(
    "note text body content message title subject description comment summary memo query q question fact reply".split()
)
_URL_NAMES: Final = frozenset("url uri link href website webpage endpoint webhook callback".split())
"""Words of arguments that hold addresses of pages, in the singular."""
_NUMBER_AS_HOST: Final = compile_later(r"(?:0x[0-9a-fA-F]+|[0-9]+)(?:[:/].*)?")
_PLACE_SIGN: Final = compile_later(r"[.:]|^[0-9]+$")
_MAX_LIST: Final = 2_048  # characters of addresses
_NAME_CHARACTER: Final = compile_later(r"[^\W_]")


def parse_argument(text: str, name_words: Iterable[str] = (), *, is_target: bool = False) -> list[ArgumentValue]:
    """Parse a leaf into its values: each item of a list of addresses or numbers, otherwise the leaf as a whole.

    Args:
        text: of the leaf.
        name_words: words of the argument's name, in lower case.
        is_target: the argument is declared a target.
    """
    names = _singularize_all(tuple(name_words))
    stripped = text.strip()
    if len(stripped) > _MAX_NAME:
        if not names.isdisjoint(_MAIL_NAMES) and _MAIL_SIGN.search(stripped) is not None:
            return [ArgumentValue(Kind.EMAIL, text, in_words=True)]
        return [ArgumentValue(Kind.PROGRAM if is_program(stripped, names) else Kind.TEXT, text, in_words=True)]
    if _LIST_SEPARATOR.search(stripped) is not None:
        items = _parse_list(stripped, names, is_target=is_target)
        if len(items) > MAX_ITEMS:
            # INVARIANT: TOTAL - the values of a longer list are not judged one by one: it is vouched for as a whole.
            return [ArgumentValue(items[0].kind, text, (), in_words=True)]
        if len(items) > 1:
            return items
    return [_parse_value(stripped, names, is_target=is_target)]


def _parse_list(text: str, names: frozenset[str], *, is_target: bool) -> list[ArgumentValue]:
    """Parse a list of addresses or numbers, up to one more than `MAX_ITEMS`; empty if an item is something else."""
    items: list[ArgumentValue] = []
    for piece in _LIST_SEPARATOR.split(text):
        item_text = piece.strip(_LIST_WRAPPING)
        if item_text:
            item = _parse_value(item_text, names, is_target=is_target)
            if not item.forms or item.kind not in TARGET_KINDS:
                return []  # as of most texts with a comma, whose further parts are not read
            items.append(item)
            if len(items) > MAX_ITEMS:
                break
    return items


@lru_cache(maxsize=2048)
def _singularize_all(words: tuple[str, ...]) -> frozenset[str]:
    """Put the words of an argument's name into the singular. Cached: there are few names, and no values in them."""
    return frozenset(map(singularize, words))


_make_value: Final = partial(tuple.__new__, ArgumentValue)  # a named tuple's own constructor is a Python function


def _parse_value(text: str, names: frozenset[str], *, is_target: bool) -> ArgumentValue:
    """Parse one value: find its kind, and its canonical forms if it is an address or a number.

    Args:
        text: of the value, without blanks around it.
        names: words of the argument's name, in the singular.
        is_target: the argument is declared a target.
    """
    if text.isalpha() and text.isascii():
        kind = Kind.PROGRAM if is_program(text, names) else Kind.HANDLE
        return ArgumentValue(kind, text, in_words=True)
    if not is_target and _PLAIN_AMOUNT.fullmatch(text) is not None:
        return ArgumentValue(Kind.AMOUNT, text, (make_form(("amount", trim_number(text))),))
    is_plain_ascii = text.isascii() and text.isprintable()  # as nearly all: nothing in it is invisible
    flags = (SUSPICIOUS,) if not is_plain_ascii and has_invisible(text) else ()
    if is_program(text, names):
        return ArgumentValue(Kind.PROGRAM, text, in_words=True, flags=flags)
    if text[:1] in "0+(" and "/" in text:
        text = numbers.unslash_telephones(text)
    is_plain = is_plain_ascii and _NEITHER_ADDRESS_NOR_NUMBER.fullmatch(text) is not None
    value = (
        None
        if is_plain
        else _parse_address(text, names, flags) or _parse_number(text, names, flags, is_target=is_target)
    )
    if value is not None:
        return value
    kind = Kind.HANDLE if len(text.split()) <= 4 and len(text) <= 128 and "\n" not in text else Kind.TEXT
    if len(text) <= _MAX_LIST:
        is_short = kind is Kind.HANDLE and names.isdisjoint(_PROSE_NAMES)
        names_mail = is_short or not names.isdisjoint(_MAIL_NAMES)
        if names_mail and _MAIL_SIGN.search(text) is not None:
            kind = Kind.EMAIL  # a mail system may read an address in it
        elif not names.isdisjoint(_URL_NAMES) and _PLACE_SIGN.search(text) is not None:
            kind = Kind.URL  # a client may read an address in it
    return _make_value((kind, text, (), True, flags, ""))


_ADDRESS_PART: Final = compile_later(r"[.@:/\\~＠。．｡]")
"""Every address, every path and the beginning of every URL contain this."""
_NEGATIVE_DECIMAL: Final = compile_later(r"-[0-9]{1,6}\.[0-9]{1,6}")
"""A number, and not a host: no host begins with a hyphen."""


def _parse_address(  # noqa: C901, PLR0911, PLR0912  one for each kind
    text: str, names: frozenset[str], flags: tuple[str, ...]
) -> ArgumentValue | None:
    """Parse an e-mail address, URL, host or path; None if the text is none of them.

    An address that cannot be brought into a canonical form has no forms; it is suspicious if systems could read it
    in different ways.
    """
    if _ADDRESS_PART.search(text) is None and names.isdisjoint(_URL_NAMES):
        return None
    if "＠" in text:
        return ArgumentValue(Kind.EMAIL, text, (), False, (SUSPICIOUS,))  # some systems read it as `@`
    if "@" in text and "//" not in text and "\\" not in text:
        address = canonicalize_email(text)
        if address is not None:
            host = address.rpartition("@")[2]
            return ArgumentValue(Kind.EMAIL, text, (make_form(("email", address)),), False, flags, host)
        if len(text.split()) == 1 and not text.startswith("@"):
            return ArgumentValue(
                Kind.EMAIL, text, (), not flags, flags or ((SUSPICIOUS,) if text.count("@") > 1 else ())
            )
    if _URL_START.match(text) is not None and len(text.split()) <= 1:
        return _parse_url_argument(text, flags)
    if _NEGATIVE_DECIMAL.fullmatch(text) is not None and names.isdisjoint(_URL_NAMES):
        return None
    host, _, port = text.partition(":")
    is_place = not names.isdisjoint(_URL_NAMES)
    if is_place and _NUMBER_AS_HOST.fullmatch(text) is not None:
        return ArgumentValue(Kind.URL, text, (), not flags, flags or (SUSPICIOUS,))
    is_host = _HOST.fullmatch(text) is not None and (is_place or not has_file_ending(text))
    canonical = canonicalize_host(host) if is_host else None
    if canonical is not None and not port and _HOST_NAMES.isdisjoint(names) and not has_public_suffix(canonical):
        return None  # `ana.lima` is a name, unless the argument says that it is a host
    if is_host and (canonical is not None or not host.replace(".", "").isdigit()):
        if canonical is not None:
            form = make_form(("host", f"{canonical}:{port}" if port else canonical))
            return ArgumentValue(Kind.HOST, text, (form,), False, flags, canonical)
        return ArgumentValue(Kind.HOST, text, (), not flags, flags)
    head = _HOST_END.split(text, maxsplit=1)[0]
    if head != text and _HOST.fullmatch(head) is not None and not any(map(str.isspace, text)):
        return _parse_url_argument(text, flags)
    if _NO_PATH.fullmatch(text) is not None:
        return None
    if (looks_like_path(text) or (has_file_ending(text) and " " not in text)) and "\n" not in text:
        path = canonicalize_path(text)
        if path is None:
            return ArgumentValue(Kind.PATH, text, (), False, (SUSPICIOUS,))
        return ArgumentValue(Kind.PATH, text, (make_form(("path", path)),), True, flags)
    return None


def _parse_url_argument(text: str, flags: tuple[str, ...]) -> ArgumentValue:
    """Parse a URL; suspicious if it has user information, or systems could read it in different ways."""
    url = parse_url(text)
    if url is None:
        return ArgumentValue(Kind.URL, text, (), False, (SUSPICIOUS,))
    if url.userinfo:
        flags = (SUSPICIOUS,)
    return ArgumentValue(Kind.URL, text, (make_form(("url", url.spell("https"))),), False, flags, url.host)


_PLAIN_AMOUNT: Final = compile_later(r"[0-9]{1,6}(?:\.[0-9]{1,2})?")
_NEITHER_ADDRESS_NOR_NUMBER: Final = compile_later(
    r"[A-Za-z ,;!?'\"()_-]*|[A-Za-z]{3,}(?: [A-Za-z]+)+ [0-9]{1,9}"  # behind two words a number is no amount or date
)
_MONTH: Final = compile_later(r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])")  # six digits, and no account
_MAX_NUMBER: Final = 96  # characters of a number with its signs

# Names of arguments that hold a number without saying of what.
_GENERIC_NAMES: Final = frozenset({"id", "number", "no", "num", "key", "ref", "name", "target", "to", "value", "index"})


def _parse_number(  # noqa: PLR0911  one return for each kind
    text: str, names: frozenset[str], flags: tuple[str, ...], *, is_target: bool
) -> ArgumentValue | None:
    """Parse an account, telephone number, date or amount; None if the text is none of them.

    In a target, digits are the number of something or an account, and a date is not looked for.
    """
    if len(text) > _MAX_NUMBER or _HAS_DIGIT.search(text) is None:
        return None
    joint = numbers.canonicalize_bank_account(text)
    if joint is not None:
        return ArgumentValue(Kind.ACCOUNT, text, (make_form(("joint", joint)),), False, flags)
    iban = numbers.canonicalize_iban(text)
    if iban is not None:
        return ArgumentValue(Kind.ACCOUNT, text, (make_form(("iban", iban)),), False, flags)
    amounts = tuple([make_form(("amount", number)) for number in canonicalize_amounts(text)])
    digits = None if not is_target and _MONTH.fullmatch(text) is not None else numbers.canonicalize_digits(text)
    if digits is not None and len(digits) >= MIN_DIGITS and (is_target or not amounts or len(digits) >= 7):
        kind = Kind.TELEPHONE if numbers.looks_like_telephone(text) else Kind.ACCOUNT
        return ArgumentValue(kind, text, (make_form(("digits", digits)), *(() if is_target else amounts)), False, flags)
    dates = tuple(find_date_forms(text)) if 6 <= len(text) <= 32 and _HAS_DIGIT.search(text) else ()
    if (dates or _MONTH.fullmatch(text) is not None) and not is_target:
        return ArgumentValue(Kind.DATE, text, dates, True, flags)
    if not amounts and not (text.isascii() and text.isdigit()):
        return None
    if not is_target:
        return ArgumentValue(Kind.AMOUNT, text, amounts, False, flags)
    if text.isascii() and text.isdigit():
        nouns = {to_argument_noun(noun) for noun in names - _GENERIC_NAMES}
        return ArgumentValue(
            Kind.HANDLE,
            text,
            tuple([make_form(("numbered", f"{noun} {int(text)}")) for noun in sorted(nouns)]),
            False,
            flags,
        )
    return ArgumentValue(Kind.AMOUNT, text, amounts, False, flags)


def is_name(text: str) -> bool:
    """Whether words can name somebody or something: at least three letters or digits, or two letters."""
    characters = _NAME_CHARACTER.findall(text)
    return len(characters) >= 3 or (len(characters) == 2 and not any(map(str.isdigit, characters)))
