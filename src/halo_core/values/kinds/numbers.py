"""Canonical spellings of accounts and telephone numbers, and all forms of numbers in a text.

    canonicalize_iban("de89 3704 0044 0532 0130 00")   # "DE89370400440532013000"
    canonicalize_digits("0049 (170) 123-4567")         # "+491701234567"

Digits may be grouped by blanks or hyphens. A row of groups in a text is one number as a whole; its parts are none, so
that neither the beginning nor the end of a long number says anything. A number of fewer than `MIN_DIGITS` digits counts
only together with the noun it stands beside (`numbered.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final

from halo_core.content.personal_data import IBAN_LENGTHS, is_iban, normalize_text
from halo_core.values.kinds.amounts import add_amount_forms
from halo_core.values.kinds.dates import add_date_forms
from halo_core.values.kinds.kinds import MAX_FORMS, Form, make_form
from halo_core.values.kinds.numbered import MIN_DIGITS, add_numbered_forms
from halo_core.values.language.patterns import compile_later

_MIN_GROUPED: Final = 7
"""Digits of a number in groups, at least."""
_MIN_INTERNATIONAL: Final = 11
"""Digits of a telephone number with country code and the prefix `00`, at least."""
_MAX_AREA_CODE: Final = 6  # digits
_MIN_NATIONAL, _MAX_NATIONAL = 8, 12  # digits of a telephone number without its country code
_MAX_DIGITS: Final = 40  # of one number
_MIN_IBAN: Final = 12  # letters and digits

# A search is fast where a pattern begins with the signs that it can begin with, so what must not stand before a number
# is looked at behind its first sign.
_IBAN_START: Final = compile_later(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ \n-]?[A-Za-z0-9])")
_DIGITS_BEHIND_LETTERS: Final = compile_later(r"[0-9](?<=[A-Za-z]{2}[0-9])[0-9]")
_IBAN_CHARACTERS: Final = compile_later(r"[A-Za-z0-9](?:[ \n-]?[A-Za-z0-9]){14,33}")
_IBAN_SHAPE: Final = compile_later(r"[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")
_DIGITS: Final = compile_later(r"[0-9]+")
_GROUPING: Final = compile_later(r"[ \n-]")
_DIGIT_RUN: Final = compile_later(
    r"[0-9+(](?<![A-Za-z0-9_#/=@.,+-][0-9+(])(?:(?<=[0-9])[0-9]*+|(?<=\+)\(?[0-9]++|(?<=\()[0-9]++)\)?"
    r"(?:(?:[ -]{1,2}\(?|\.(?=[0-9]{2}))[0-9]++\)?)*+"
    r"(?P<tail>[A-Za-z_@/]|[.,:-][0-9])?"
)
_AFTER_HASH: Final = compile_later(r"(?<![\w#])#([0-9]{5,40})(?![\w.,-]?[0-9]|[\w])")
_WHOLE_NUMBER: Final = compile_later(r"\+?[0-9(](?:[ .()/-]{0,2}[0-9]){3,39}\)?")
_HYPHENATED: Final = compile_later(r"[0-9]+(?:-[0-9]+)+")
_DATE_SHAPE: Final = compile_later(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}|[0-9]{1,2}[.-][0-9]{1,2}[.-](?:[0-9]{2}|[0-9]{4})")
_ADDRESS_SHAPE: Final = compile_later(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_SORT_CODE: Final = compile_later(r"[0-9](?<![0-9-][0-9])[0-9]-[0-9]{2}-[0-9]{2}(?![0-9-])")
BANK_WORDS: Final = (
    r"(?:sort[ -]?code|routing(?:[ -]?(?:number|no\.?|code))?|aba|bsb|blz|bank[ -]?code|transit(?:[ -]?number)?)"
)
_BANK_WORD_PARTS: Final = ("sort", "routing", "aba", "bsb", "blz", "bank", "transit")
_BANK_CODE: Final = compile_later(
    rf"\b{BANK_WORDS}\b\D{{0,12}}(?P<named>[0-9][0-9 -]{{3,12}}[0-9])(?![0-9])"
    rf"|(?<![0-9-])(?P<sort>[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}})(?![0-9-])",
    re.IGNORECASE,
)
_ACCOUNT: Final = r"([0-9]{6,17}(?![0-9])|[0-9]{2,5}(?:[ -][0-9]{2,5}){1,4}(?![0-9]|[ -][0-9]|[.,][0-9]))"
"""A number, perhaps in groups: `31 926 819`."""
_NEXT_ACCOUNT: Final = compile_later(rf"\D{{0,40}}?{_ACCOUNT}")
_PREVIOUS_ACCOUNT: Final = compile_later(rf"(?<![0-9])(?<![0-9][ -]){_ACCOUNT}[^0-9]{{1,40}}$")
_MIN_ACCOUNT: Final = 6  # digits of an account number behind a bank code
_SORT_AND_ACCOUNT: Final = compile_later(r"([0-9]{2}-?[0-9]{2}-?[0-9]{2})[ /,]{1,3}([0-9]{6,12})")
_SLASHED: Final = compile_later(
    r"(?<![\w/.+(-])((?:\+[1-9][0-9]{0,2} ?[1-9][0-9]{1,4}|\(?0[1-9][0-9]{1,4}\)?)) ?/ ?([0-9][0-9 -]{3,11}[0-9])"
    r"(?![\w/.,]*[\w/])"
)
"""A telephone number with a slash behind its area code, as it is written in German (DIN 5008 of old)."""
_TELEPHONE_START: Final = compile_later(r"\+|tel:|00[1-9]|\(|0[1-9]", re.IGNORECASE)


def canonicalize_iban(text: str) -> str | None:
    """Return capital letters and digits of an IBAN (ISO 13616), grouped or not; None if the text is something else."""
    spelt = text.strip()
    if len(spelt) < _MIN_IBAN or spelt[0].isdigit():
        return None
    if not spelt.isascii():
        spelt = normalize_text(spelt)
    bare = _GROUPING.sub("", spelt)
    if not (bare.isascii() and bare.isalnum()) or not _MIN_IBAN <= len(bare) <= 34:
        return None
    if is_iban(bare):
        return bare.upper()
    return bare if _IBAN_SHAPE.fullmatch(spelt) and bare[:2] in IBAN_LENGTHS else None


def canonicalize_digits(text: str) -> str | None:
    """Return the digits of a number that is grouped in any way, with a leading `+`; None for anything else."""
    text = text.strip()
    if not text.isascii():
        text = normalize_text(text)
    if text[:4].lower() == "tel:":
        text = text[4:]
    if not _WHOLE_NUMBER.fullmatch(text) or _DATE_SHAPE.fullmatch(text) or _ADDRESS_SHAPE.fullmatch(text):
        return None
    digits = "".join(filter(str.isdigit, text))
    return _spell_telephone("+" if text.startswith("+") else "", digits)


def _spell_telephone(plus: str, digits: str) -> str:
    """Digits with `+` in front; `00` before a country code means the same (ITU-T E.164 with prefix 00)."""
    if not plus and len(digits) >= _MIN_INTERNATIONAL and digits.startswith("00") and digits[2] != "0":
        return "+" + digits[2:]
    return plus + digits


def canonicalize_bank_account(text: str) -> str | None:
    """Return the spelling of bank code and account number that are written as one value: `12-34-56 12345678`."""
    text = text.strip()
    match = _SORT_AND_ACCOUNT.fullmatch(text if text.isascii() else normalize_text(text))
    return join_bank_account(match[1], match[2]) if match is not None else None


def join_bank_account(code: str, number: str) -> str:
    """Join a bank code and an account number."""
    first, second = ("".join(filter(str.isalnum, normalize_text(part))) for part in (code, number))
    return f"{first} {second}".upper()


_CODES_OF_NO_COUNTRY: Final = ("+800", "+808", "+87", "+881", "+882", "+883", "+888", "+979")
"""Codes of satellite, shared cost and premium numbers, which are national numbers of nobody."""


def looks_like_telephone(text: str) -> bool:
    """Whether digits are written as a telephone number is."""
    return _TELEPHONE_START.match(text.strip()) is not None


def list_national_forms(forms: Iterable[Form]) -> list[Form]:
    """List the forms of a telephone number without its country code: `0171...` of `+49171...`.

    The codes are up to three digits long (ITU-T E.164). None for a number without `+`, or with the code of no country.
    """
    national: list[Form] = []
    for form in forms:
        is_long = form.domain == "digits" and form.text.startswith("+") and len(form.text) > _MIN_NATIONAL + 1
        if is_long and not form.text.startswith(_CODES_OF_NO_COUNTRY):
            rests = [form.text[length:] for length in (2, 3, 4)]
            national += [make_form(("digits", f"0{rest}")) for rest in rests if rest[:1] != "0"]
            if form.text.startswith("+1"):
                national.append(make_form(("digits", rests[0])))
    return national


def unslash_telephones(text: str) -> str:
    """Replace the slash behind the area code of each telephone number by a blank."""
    return _SLASHED.sub(r"\1 \2", text) if "/" in text else text


def find_number_forms(text: str, forms: list[Form], *, amounts: bool = True) -> None:
    """Add the forms of all numbers in a text: accounts, telephone numbers, dates, amounts and numbered things.

    The places of one kind are blanked out before the next kind is searched. INVARIANT: VOUCH - a part of a longer
    number is neither an amount nor an id.

    Args:
        text: to be read.
        forms: takes the forms. Of those past `MAX_FORMS` at least one is added where there is any, so that the caller
            knows that there are more.
        amounts: whether to add amounts and numbered things.
    """
    if not text.isascii():
        text = normalize_text(text)
    text = unslash_telephones(text)
    taken: list[tuple[int, int]] = []
    _find_bank_accounts(text, taken, forms)
    _find_ibans(text, taken, forms)
    add_date_forms(text, taken, forms)
    if taken:
        text = _blank_out(text, taken)
        taken.clear()
    if "#" in text:
        forms += [make_form(("digits", match[1])) for match in islice(_AFTER_HASH.finditer(text), MAX_FORMS)]
    _find_digit_runs(text, taken, forms)
    if not amounts:
        return
    if taken:
        text = _blank_out(text, taken)
    add_amount_forms(text, forms)
    add_numbered_forms(text, forms)


def _blank_out(text: str, taken: list[tuple[int, int]]) -> str:
    """Replace the places in `taken` by `;`, which no number contains."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(taken):
        if end > done:
            parts += text[done : max(start, done)], ";" * (end - max(start, done))
            done = end
    return "".join((*parts, text[done:]))


def _find_ibans(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    for digits in _DIGITS_BEHIND_LETTERS.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        start = _IBAN_START.match(text, digits.start() - 2)
        if start is None:
            continue
        length = IBAN_LENGTHS.get(start[0][:2].upper())
        if length is None:
            continue
        match = _IBAN_CHARACTERS.match(text, start.start())
        if match is not None:
            bare = _GROUPING.sub("", match[0])[:length]
            end = _find_end(text, start.start(), len(bare))
            if is_iban(bare) and not text[end : end + 1].isalnum():
                taken.append((start.start(), end))
                forms.append(make_form(("iban", bare.upper())))
                continue
        shape = _IBAN_SHAPE.match(text, start.start())
        if shape is not None:
            taken.append(shape.span())
            forms.append(make_form(("iban", _GROUPING.sub("", shape[0]))))


def _find_end(text: str, start: int, length: int) -> int:
    """Find the end of the first `length` letters and digits from `start` on."""
    place = start
    for _ in range(length):
        while text[place] in " \n-":
            place += 1
        place += 1
    return place


def _find_digit_runs(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    for match in _DIGIT_RUN.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        run, tail = match[0], match["tail"]
        if len(run) < MIN_DIGITS and run.isdigit():
            continue  # it counts with its noun alone
        groups = _DIGITS.findall(run[: -len(tail)] if tail else run)
        if tail:
            groups.pop()  # it goes on as something else: `5th`, `10:30`
        elif _ADDRESS_SHAPE.fullmatch(run):
            continue
        if not groups:
            continue
        if "." in run and len(groups) == 2:
            continue  # `10000.00` is an amount
        if len(groups) > 1 or len(groups[0]) >= MIN_DIGITS:
            _read_groups(match, groups, taken, forms)


def _read_groups(match: re.Match[str], groups: list[str], taken: list[tuple[int, int]], forms: list[Form]) -> None:
    """Add forms of digits in groups: of one number, or of each group.

    Args:
        match: of `_DIGIT_RUN`.
        groups: its groups of digits.
        taken: takes its place if it can be nothing else.
        forms: takes the forms.
    """
    run = match[0]
    plus, total = "+" if run.startswith("+") else "", sum(map(len, groups))
    is_international = bool(plus) or (run.startswith("00") and total >= _MIN_INTERNATIONAL)
    is_one = is_international or _is_regular(groups) or _is_national(groups, total)
    if len(groups) > 1 and _MIN_GROUPED <= total <= _MAX_DIGITS and is_one:
        # `100 000 000` can be an amount, and is looked for as one as well.
        if is_international or any(len(group) != 3 for group in groups[1:]):
            taken.append(match.span())
        forms.append(make_form(("digits", _spell_telephone(plus, "".join(groups)))))
    elif len(groups) > 1 and MIN_DIGITS <= total <= _MAX_DIGITS and _HYPHENATED.fullmatch(run) is not None:
        forms.append(make_form(("digits", "".join(groups))))  # `2026-17` is one number, `88-4410-7` another
    else:
        for i, group in enumerate(groups):
            if MIN_DIGITS <= len(group) <= _MAX_DIGITS:
                forms.append(make_form(("digits", _spell_telephone(plus if not i else "", group))))


def _is_regular(groups: list[str]) -> bool:
    """Whether groups of digits are written as one number: all of one digit, or all of two to six."""
    sizes = {len(group) for group in groups}
    return sizes == {1} or (min(sizes) >= 2 and max(sizes) <= 6)


def _is_national(groups: list[str], total: int) -> bool:
    """Whether groups of digits are a telephone number with its area code behind the prefix `0` (ITU-T E.123)."""
    code, *others = groups
    is_code = code[0] == "0" and code[1:2] not in ("", "0") and len(code) <= _MAX_AREA_CODE
    return is_code and _MIN_NATIONAL <= total <= _MAX_NATIONAL and all(len(group) > 1 for group in others)


def _find_bank_accounts(text: str, taken: list[tuple[int, int]], forms: list[Form]) -> None:
    """Add forms of bank codes, and of each with the account number beside it (`12-34-56 12345678`)."""
    if _SORT_CODE.search(text) is None and not any(map(text.lower().__contains__, _BANK_WORD_PARTS)):
        return
    for match in _BANK_CODE.finditer(text):
        if len(forms) >= MAX_FORMS:
            return
        code = match["named"] or match["sort"]
        after = _NEXT_ACCOUNT.match(text, match.end(), match.end() + 80)
        if after is not None and sum(map(str.isdigit, after[1])) < _MIN_ACCOUNT:
            after = None
        before = _PREVIOUS_ACCOUNT.search(text[max(match.start() - 60, 0) : match.start()])
        # INVARIANT: VOUCH - a code belongs to one number. With one on either side it is the one that follows.
        other = after or before
        if other is not None:
            forms.append(make_form(("joint", join_bank_account(code, other[1]))))
        if match["sort"]:
            taken.append(match.span("sort"))
        forms.append(make_form(("digits", "".join(filter(str.isdigit, code)))))
