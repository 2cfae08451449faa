"""The values of one argument of a call, with their kinds and canonical forms.

    parse_argument("mailto:ana@x.example")    # [ArgumentValue(kind=email, forms=(Form("email", "ana@x.example"),))]

A value is vouched for if one of its forms is among the forms of a vouching text (`forms`). So two spellings of one
address match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache, partial
from typing import Final, NamedTuple

from halo_core.values.kinds import numbers
from halo_core.values.kinds.addresses import (
    canonicalize_email,
    canonicalize_host,
    canonicalize_path,
    has_file_ending,
    has_public_suffix,
    looks_like_path,
    parse_url,
)
from halo_core.values.kinds.amounts import canonicalize_amounts, trim_number
from halo_core.values.kinds.argument_values import is_program
from halo_core.values.kinds.dates import find_date_forms
from halo_core.values.kinds.kinds import SUSPICIOUS, TARGET_KINDS, Form, Kind, make_form
from halo_core.values.kinds.numbered import MIN_DIGITS, singularize, to_argument_noun
from halo_core.values.language.normalization import has_invisible
from halo_core.values.language.patterns import compile_later

MAX_ITEMS: Final = 64
"""Most values of one leaf that are judged."""
_MAX_NAME: Final = 4_096  # characters of a leaf that is more than a text
_HAS_DIGIT: Final = compile_later(r"\d")


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
