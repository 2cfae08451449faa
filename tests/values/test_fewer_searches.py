"""What is searched for in one go, or not at all, is found as if each of it had been looked for."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.values.kinds import number_uses
from halo_core.values.kinds.kinds import TARGET_KINDS, Form
from halo_core.values.language import text as text_module
from halo_core.values.language.text import normalize_atom, split_name
from halo_core.values.payments import paid_amounts
from halo_core.values.provenance import argument_forms, forms, known_rows
from halo_core.values.provenance.known_rows import fingerprint_rows
from halo_core.values.sketches import sketch, spans
from halo_core.values.sketches.sketch import fingerprint_forms, fingerprint_words

KEY = b"k" * 32

# what a number is used as

USE_PATTERNS = {
    name: getattr(number_uses, name)
    for name in ("_ACCOUNT_BEFORE", "_AMOUNT_BEFORE", "_PHONE_BEFORE", "_CALLED_BEFORE", "_PAPER_BEFORE")
}
USE_WORDS = (
    "account acct a/c IBAN bank konto kontonummer rekening amount total sum is of price invoice PO pos order no nr id #"
    " licence license telephone phone tel cellphone call ring sms text fax the at on now to for EUR usd TRY kr $ code"
    " счёт телефон téléphone zł lamp Ana 2026 12 9 : = ' ( . , ; \n -"
).split(" ")
SAID = st.lists(st.sampled_from(USE_WORDS), max_size=9).map(" ".join)
BEHIND = st.sampled_from(("", " EUR", " EUR 90", " kg", "%", " of them", ".", " points 7", "€"))


@pytest.mark.share(2)
@pytest.mark.parametrize("name", sorted(USE_PATTERNS))
@given(st.data())
@settings(max_examples=count(200, fewest=15), deadline=None)
def test_a_text_that_says_what_a_number_is_may_say_it(name, data):
    text = data.draw(SAID) + data.draw(st.from_regex(re.compile(USE_PATTERNS[name].pattern, re.IGNORECASE)))
    if USE_PATTERNS[name].search(text) is not None:
        assert number_uses._may_say_use(text)


@given(SAID, st.sampled_from(("", " ", ": ")), BEHIND)
@settings(max_examples=count(3000, fewest=200), deadline=None)
def test_a_number_is_used_as_what_all_searches_say(before, end, behind):
    before = before[-60:] + end
    found = number_uses._find_use(before, behind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(number_uses, "_may_say_use", lambda _: True)
        patch.setattr(number_uses, "_MONEY_LENGTH", 1_000)
        assert found == number_uses._find_use(before, behind)


def test_a_text_without_such_words_is_not_searched_for_them(monkeypatch):
    monkeypatch.delattr(number_uses._PAPER_BEFORE.__class__, "search")
    assert number_uses.find_number_uses("due on 4440002228, 88120 EUR") == [
        Form("open", "4440002228"),
        Form("only", "amount 88120"),
    ]


# rows of lists


def list_plainly(key, text):
    """The fingerprints of rows as they are defined: of each row each word, and each id in each of its uses."""
    rows = list(known_rows._iterate_rows(text[: known_rows._MAX_READ]))[: known_rows._MAX_ROWS]
    if len(rows) < 2:
        return set()
    read = [known_rows._parse_row(cells) for cells in rows]
    times = Counter(word for row in read for word in row.words)
    parts = Counter(part for row in read for part in row.related_parts)
    (in_list,) = fingerprint_forms(key, [known_rows._LIST])
    found = set()
    for row in read:
        of = lambda domain, texts: fingerprint_forms(key, [Form(domain, text) for text in texts])  # noqa: E731
        own = [word for word in row.words if times[word] == 1][: known_rows._MAX_WORDS]
        names = [word for word in own if row.words[word] and not known_rows.names_nobody(word)]
        persons = of("person", names)
        marks = fingerprint_words(key, [*own, *(f"{name}s" for name in names)]) + persons
        found |= {in_list ^ mark for mark in marks}
        shared = [word for word in row.words if times[word] > 1 and word in row.all_words][
            : known_rows._MAX_SHARED_WORDS
        ]
        alone = [part for part in row.related_parts if parts[part] == 1][: known_rows._MAX_RELATED_PARTS]
        for domain, tied in (
            ("row", marks),
            ("described_row", of("described", [word for word in own if word in row.name_words])),
            ("shared_row", fingerprint_words(key, shared)),
            ("person_row", persons),
            ("akin_row", of("akin", alone)),
        ):
            found |= {item ^ mark for item in of(domain, row.ids) for mark in tied}
    return found


def list_words_plainly(cells):
    """Words that tell a row apart, its words outside of addresses, those of its name, and its parts."""
    words = {}
    name_words = set()
    for cell in cells:
        found = re.findall(r"[^\W\d_]+", cell[: known_rows._MAX_CELL])
        if "@" not in cell and not name_words and any(word[0].isupper() and len(word) >= 3 for word in found):
            name_words = {word.casefold() for word in found}
        for word in found:
            folded = word.casefold()
            is_name = word[0].isupper() and len(word) >= 3 and known_rows.is_topic(folded.ljust(4, "x"))
            if known_rows.is_topic(folded) or is_name or word in known_rows._SHORT_NAMES:
                words[folded] = words.get(folded, False) or word[0].isupper()
    spoken = [word.casefold() for cell in cells if "@" not in cell for word in re.findall(r"[^\W\d_]+", cell[:256])]
    every = [word.casefold() for cell in cells for word in re.findall(r"[^\W\d_]+", cell[:256])]
    related_parts = [word for word in every if len(word) >= 4 and known_rows.is_describing(word)]
    return words, set(spoken), name_words, [part for word in related_parts for part in (word[:4], word[-4:])]


CELLS = st.lists(
    st.sampled_from(
        "5120 INV-8812 vm-web-1 lamp Lamp chair open Nadia Rahimi|nrahimi|ana@corp.example|HR|QA|Ana|Bo|wine|Straße|"
        "Hahn GmbH|Nord Host|B-CS 1402|5Q0 698 151 D|AT61 1904 3002 3457 3201|4440002228|v1.2|1.0.3|the|pay|İnci|"
        "Boss Interiors|March|ID 7|stay 881 Bruno|stay: 881|#77 poster|ada lovelace|x|-|  |2026-03-07".replace(
            " lamp Lamp chair open ", "|lamp|Lamp|chair|open|"
        ).split("|")
    ),
    min_size=1,
    max_size=5,
)
LISTS = st.lists(CELLS, max_size=6)


@given(LISTS, st.sampled_from((" | ", "; ", "\t", "  ")), st.booleans())
@settings(max_examples=count(1000, fewest=60), deadline=None)
def test_rows_are_tied_to_their_words_as_if_each_were_looked_for(rows, sign, as_json):
    text = "\n".join(map(sign.join, rows))
    if as_json:
        text = json.dumps([{str(at): cell for at, cell in enumerate(row)} for row in rows], ensure_ascii=False)
    assert fingerprint_rows(KEY, text) == list_plainly(KEY, text)


@given(CELLS)
@settings(max_examples=count(1000, fewest=60), deadline=None)
def test_a_row_is_read_once_for_all_that_it_says(cells):
    row = known_rows._parse_row(cells)
    words, named, name_words, related_parts = list_words_plainly(cells)
    assert words.items() <= row.words.items()
    assert all(not has_capital for word, has_capital in row.words.items() if word not in words)
    assert (row.all_words, row.name_words, list(row.related_parts)) == (
        named,
        name_words,
        list(dict.fromkeys(related_parts)),
    )


def test_no_id_is_hashed_for_a_use_that_nothing_is_tied_in(monkeypatch):
    hashed = []
    fingerprint = known_rows.fingerprint_forms

    def note(key, forms, *use):
        forms = list(forms)
        hashed.extend(form.domain for form in forms)
        return fingerprint(key, forms, *use)

    monkeypatch.setattr(known_rows, "fingerprint_forms", note)
    assert fingerprint_rows(KEY, "5120 | bb\n5123 | cc") == set()
    assert hashed == ["rows"]


# words of a text


def split_into_tokens_plainly(text):
    """The tokens of a text, each read by itself."""
    found = []
    for match in sketch._TOKEN.finditer(text[: sketch.MAX_TEXT].casefold()):
        token = match[0].strip(sketch._EDGE_CHARACTERS)[: sketch._MAX_TOKEN]
        if token:
            found.append(sketch._normalize_number(token))
    return found


def split_in_order_plainly(word):
    """The tokens of a word with signs around it, where both of its parts are searched for in each word."""
    tokens, signs = [], []
    while word and word[0] in spans._LEADING:
        tokens.append(word[0])
        word = word[1:]
    while word and word[-1] in spans._TRAILING:
        signs.append(word[-1])
        word = word[:-1]
    if word:
        labelled = spans._LABELLED.fullmatch(word)
        if labelled is not None:
            tokens += labelled[1], labelled[2]
            word = labelled[3]
        possessive = spans._POSSESSIVE.fullmatch(word)
        tokens += [part for part in possessive.groups() if part] if possessive is not None else [word]
    return [*tokens, *reversed(signs)]


WRITTEN = (
    "ana Ana's Atlas’ın Porto'da C-12'yi key:value Re:12 http://x.example #general @bob 12 +12 -3.50 1,500.00 007 3.0."
    " €5 5€ $1,200 10% (x) v1.2 ²3 ٣ \uff11\uff12 x. ... a:b:c :x' a_b 1'000 İ ß 'tis"
).split()
PIECES = st.lists(st.sampled_from((*WRITTEN, "x" * 300, "9" * 600, "y." * 260, "a" * 520)), max_size=9)


@given(PIECES, st.sampled_from((" ", ", ", "\n", ": ")))
@settings(max_examples=count(2000, fewest=150), deadline=None)
def test_a_text_has_the_tokens_that_each_word_has(pieces, sign):
    text = sign.join(pieces)
    assert list(sketch.extract_tokens(text)) == split_into_tokens_plainly(text)


BEFORE = st.sampled_from(("", "#", "'", "ab:", "Re:", "a:", "ab:cd:", "http:/"))
ENDINGS = st.sampled_from(("", "", "'s", "’s", "'ın", "’yi", "'", ".", "’s.", "s'", ":"))


@given(st.tuples(BEFORE, st.sampled_from(("Atlas", "C-12", "ana", "x", "12", "Ana's")), ENDINGS).map("".join))
@settings(max_examples=count(2000, fewest=150), deadline=None)
def test_a_word_in_order_is_split_as_if_each_part_were_searched_for(word):
    tokens = []
    spans._append_parts(word, tokens)
    assert tokens == split_in_order_plainly(word)


@given(st.text("abcdefgstuyEÉßABC1_-²", max_size=9) | st.sampled_from(("cities", "running", "x" * 300, "ﬁles")))
@settings(max_examples=count(2000, fewest=150), deadline=None)
def test_a_name_of_one_word_is_split_like_any_other(name):
    assert split_name(name) == [normalize_atom(word.lower()) for word in text_module._NAME.findall(name[:256])]


# lists in an argument


PLACES = st.sampled_from(("ana@x.example", "ana＠x.example", "DE89370400440532013000", "/srv/a"))
ITEMS = st.sampled_from(
    (
        "ana@x.example",
        "x.example",
        "https://x.example/a",
        "/srv/a",
        "DE89370400440532013000",
        "20 EUR",
        "Dear Pat",
        "",
        " ",
    )
)


@given(
    st.lists(ITEMS, max_size=5) | st.lists(PLACES, max_size=5),
    st.sampled_from((", ", ";", "\n")),
    st.integers(1, 40),
    st.booleans(),
)
@settings(max_examples=count(1000, fewest=100), deadline=None)
def test_a_list_is_read_as_if_all_its_items_were(items, sign, times, is_target):
    text = sign.join(items * times)
    parse = lambda part: argument_forms._parse_value(part, frozenset(), is_target=is_target)  # noqa: E731
    pieces = [
        piece.strip(argument_forms._LIST_WRAPPING) for piece in argument_forms._LIST_SEPARATOR.split(text.strip())
    ]
    parsed = [parse(piece) for piece in pieces if piece][: argument_forms.MAX_ITEMS + 1]
    if len(parsed) > 1 and all(item.kind in TARGET_KINDS and item.forms for item in parsed):
        whole = argument_forms.ArgumentValue(parsed[0].kind, text, (), in_words=True)
        wanted = parsed if len(parsed) <= argument_forms.MAX_ITEMS else [whole]
    else:
        wanted = [parse(text.strip())]
    assert argument_forms.parse_argument(text, is_target=is_target) == wanted


# amounts below a ceiling


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.sampled_from((None, "ana")))
@settings(max_examples=count(1000, fewest=100), deadline=None)
def test_an_amount_is_below_a_ceiling_that_any_interval_covers(amount, ceiling, key):
    written = set(paid_amounts._cover(ceiling, key))
    look_up = lambda asked: [form in written for form in asked]  # noqa: E731
    assert paid_amounts._is_in_any_interval(amount, look_up, key) is (amount <= ceiling)


# addresses in a text


SIGNED_WORDS = (
    "129.15 1.5 .5 5. 1.2.3 10.0.0.1 x.example ana@x.example /srv/a a/b \\\\host\\x https://x.example/a 1,5 12.30,"
    " (2.5) Hauptstr. e.g. corp.com.They \uff11\uff12.\uff15 ²3.4 1.5. corp。com www．corp．com ana＠x.example @ana 0.0"
).split()
WORDS_WITH_SIGNS = st.lists(st.sampled_from(SIGNED_WORDS), max_size=8)


@given(WORDS_WITH_SIGNS, st.booleans())
@settings(max_examples=count(2000, fewest=150), deadline=None)
def test_a_number_with_decimals_is_no_address_wherever_it_stands(words, vouching):
    text = " ".join(words)
    found = forms.find_forms(text, vouching=vouching)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "_is_decimal", lambda _: False)
        patch.setattr(forms, "_ADDRESS_SIGNS", frozenset(text))
        assert forms.find_forms(text, vouching=vouching) == found
