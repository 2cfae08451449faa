"""Numbers in words, written in digits: "pay her ninety euros" is "pay her 90 euros".

English, German, Spanish and French, up to 999,999. A small number is written in digits only in front of a currency:
"one" and "two" mean many other things.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_ONES: Final = {
    word: number
    for number, words in enumerate(
        (
            "one ein eine eins uno una un une",
            "two zwei dos deux",
            "three drei tres trois",
            "four vier cuatro quatre",
            "five fünf cinco cinq",
            "six sechs seis",
            "seven sieben siete sept",
            "eight acht ocho huit",
            "nine neun nueve neuf",
            "ten zehn diez dix",
            "eleven elf once onze",
            "twelve zwölf doce douze",
            "thirteen dreizehn trece treize",
            "fourteen vierzehn catorce quatorze",
            "fifteen fünfzehn quince quinze",
            "sixteen sechzehn dieciséis seize",
            "seventeen siebzehn diecisiete",
            "eighteen achtzehn dieciocho",
            "nineteen neunzehn diecinueve",
        ),
        start=1,
    )
    for word in words.split()
}
_TENS: Final = {
    word: 10 * number
    for number, words in enumerate(
        (
            "twenty zwanzig veinte vingt vingts",
            "thirty dreißig dreissig treinta trente",
            "forty fourty vierzig cuarenta quarante",
            "fifty fünfzig cincuenta cinquante",
            "sixty sechzig sesenta soixante",
            "seventy siebzig setenta septante",
            "eighty achtzig ochenta huitante octante",
            "ninety neunzig noventa nonante",
        ),
        start=2,
    )
    for word in words.split()
}
_HUNDREDS: Final = {
    word: 100 * number
    for number, words in enumerate(
        (
            "cien ciento",
            "doscientos doscientas",
            "trescientos trescientas",
            "cuatrocientos cuatrocientas",
            "quinientos quinientas",
            "seiscientos seiscientas",
            "setecientos setecientas",
            "ochocientos ochocientas",
            "novecientos novecientas",
        ),
        start=1,
    )
    for word in words.split()
}
_SCALES: Final = {
    **dict.fromkeys(("hundred", "hundert", "cent", "cents"), 100),
    **dict.fromkeys(("thousand", "tausend", "mil", "mille"), 1_000),
}
_BEFORE_CENTS: Final = frozenset("deux trois quatre cinq six sept huit neuf".split())
"""Words behind which "cents" are hundreds in French. Elsewhere they are coins."""
_JOINING: Final = ("and", "und", "et", "y")
_VALUES: Final = {**_ONES, **_TENS, **_HUNDREDS}
_PARTS: Final = "|".join(sorted({*_VALUES, *_SCALES, *_JOINING}, key=lambda word: (-len(word), word)))
_NUMBER_WORD: Final = "|".join(sorted({*_VALUES, *_SCALES}, key=lambda word: (-len(word), word)))
_PART: Final = compile_later(_PARTS)
_WORDS: Final = CaselessPattern(
    rf"\b(?:an? (?=hundred|thousand))?(?:{_NUMBER_WORD})(?:(?:[ -]|(?<=[a-zß]))(?:{_PARTS}))*\b"
)
_LARGE: Final = CaselessPattern(
    r"teen|twelve|eleven|ty\b|ty-|hundred|thousand|zwölf|zehn|zig\b|ßig\b|ssig\b|hundert|tausend|vein|nta\b|cien|mil|cent"
    r"|vingt|nte\b|rante\b|ze\b|quin|(?:dos|eur|dollar|pound|franc)"
)
"""Texts with none of these have no number in words that is written in digits here."""
_CURRENCY: Final = compile_later(
    r" ?(?:[€$£]|(?:euros?|eur|usd|gbp|chf|dollars?|pounds?|bucks|quid|francs?|franken)\b)", re.IGNORECASE
)
_LEAST: Final = 13
"""Least number that is written in digits wherever it stands."""


def list_leading_words(number: int) -> list[str]:
    """List the words by which a number up to 100,000 may begin or be written: "eighty" for 80 and 85."""
    parts = {number, number - number % 10 if number < 100 else number // 100 * 100}
    words = [word for word, value in _VALUES.items() if value in parts]
    for scale, value in _SCALES.items():
        if number >= value and number % value == 0:
            words.append(scale)  # "five hundred"
    return words


_NOTES: Final = CaselessPattern(r"\ba (?:tenner|fiver)\b", needs=("tenner", "fiver"))


def _write_notes(text: str) -> str:
    """Write the names of notes as amounts: "a tenner" is "10 pounds"."""
    for name, amount in (("tenner", "10 pounds"), ("fiver", "5 pounds")):
        text = text.replace(f"a {name}", amount)
    return text


def write_number_words(text: str) -> str:
    """Write the numbers in words of a text in digits."""
    if _NOTES.search(text) is not None:
        text = _write_notes(text)
    if _LARGE.search(text) is None:
        return text
    parts: list[str] = []
    done = 0
    for match in _WORDS.finditer(text):
        value = _read(match[0].lower())
        if value >= _LEAST or (value and _CURRENCY.match(text, match.end()) is not None):
            parts += text[done : match.start()], str(value)
            done = match.end()
    return "".join((*parts, text[done:])) if parts else text


def _read(words: str) -> int:
    """Read a number in words; 0 if its words make up none."""
    total, group, last, before = 0, 0, 0, ""
    for word in _PART.findall(words):
        if word in _JOINING:
            continue
        if word == "cents" and before not in _BEFORE_CENTS:
            return 0
        before = word
        scale = _SCALES.get(word, 0)
        if scale == 1_000:
            total, group = total + max(group, 1) * scale, 0
        elif scale:
            group = max(group, 1) * scale
        else:
            value = _VALUES[word]
            if last and value >= last and not (value < 10 <= last) and not _is_german_or_french(value, last):
                return 0  # "five five five" is a row of digits
            group = group * value if (last, value) == (4, 20) else group + value  # "quatre-vingts"
            last = value
            continue
        last = 0
    return total + group


def _is_german_or_french(value: int, last: int) -> bool:
    """Whether a larger part may follow: `fünfundneunzig`, `quatre-vingts`."""
    return last < 10 <= value and value % 10 == 0
