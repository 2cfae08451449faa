"""Words that say which items of a list are meant: "the second one", "the first two", "the last", "number 3".

find_ordinals("the first two").select(5)    # (0, 1)
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.user_texts import COUNTS

_ROWS: Final = (
    "first 1st erste ersten erstes erster premier première primero primera primer primo prima eerste primeiro primeira"
    " pierwszy pierwsza pierwsze första første první первый первую"
    "/second 2nd zweite zweiten zweites zweiter deuxième seconde segundo segunda secondo seconda tweede drugi druga"
    " drugie andra anden andre druhý druhou второй вторую"
    "/third 3rd dritte dritten drittes dritter troisième tercero tercera tercer terzo terza derde terceiro terceira"
    " trzeci trzecią tredje třetí третий третью"
    "/fourth 4th vierte vierten viertes quatrième cuarto cuarta quarto quarta vierde czwarty fjärde fjerde čtvrtý"
    "/fifth 5th fünfte fünften fünftes cinquième quinto quinta vijfde piąty femte pátý пятый"
    "/sixth 6th sechste sechsten sixième sexto sexta sesto sesta zesde szósty sjätte sjette šestý шестой"
    "/seventh 7th siebte siebten septième séptimo settimo zevende sétimo siódmy sjunde sedmý"
    "/eighth 8th achte achten huitième octavo ottavo achtste oitavo ósmy åttonde osmý"
).split("/")
_ORDINALS: Final = {word: place for place, row in enumerate(_ROWS) for word in row.split()}
_LAST: Final = frozenset(
    "last final latter letzte letzten letztes letzter dernier dernière último última ultimo ultima laatste ostatni"
    " ostatnią sista sidste siste poslední последний последнюю".split()
)
_NUMBERED: Final = compile_later(
    r"(?:\b(?:number|no\.?|nr\.?|item|point|numéro|número|numero|nummer|punkt)\s*|#)([0-9]{1,2})(?![\w-])"
)
_WORD: Final = compile_later(r"[^\W_]+")
_BOTH: Final = frozenset(("couple", "pair", "beiden", "ambos", "both"))


class Ordinals(NamedTuple):
    """Which items of a list are meant.

    Args:
        places: their places, from 0.
        first: how many from the beginning.
        last: how many from the end.
    """

    places: tuple[int, ...]
    first: int = 0
    last: int = 0

    def select(self, count: int) -> Collection[int]:
        """Return the places that are meant in a list with so many items, counted from 0."""
        chosen = {place for place in self.places if place < count}
        return tuple(sorted(chosen | {*range(min(self.first, count))} | {*range(max(count - self.last, 0), count)}))


def find_ordinals(phrase: str) -> Ordinals | None:
    """Find the ordinal numbers in a phrase; None if it has none."""
    small = phrase.lower()
    places = [int(match[1]) - 1 for match in _NUMBERED.finditer(small) if int(match[1])]
    words = _WORD.findall(small)
    first = last = 0
    for place, word in enumerate(words):
        count = _read_count("".join(words[place + 1 : place + 2])) or _read_count(
            "".join(words[max(place - 1, 0) : place])
        )
        if word in _LAST:
            last = max(last, count or 1)
        elif word == "former":
            first = max(first, 1)
        elif word in _ORDINALS and _ORDINALS[word] == 0 and count:
            first = max(first, count)
        elif word in _ORDINALS:
            places.append(_ORDINALS[word])
    return Ordinals(tuple(places), first, last) if places or first or last else None


def _read_count(word: str) -> int:
    if word in _BOTH:
        return 2
    if word.isdigit() and len(word) < 3:
        return int(word)
    return COUNTS.get(word, 0) if COUNTS.get(word, 0) > 1 else 0
