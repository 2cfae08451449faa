"""Known values that an item of a conversation carries from the session in which it was made into a later one.

An item is a model's reply, its calls, or a tool's result. It carries keyed fingerprints of whole values in it that
were vouched for in its session. Only values that name one place are carried: accounts, telephone numbers, e-mail
addresses, hosts and URLs. Single words are not carried, so neither are names, and no two parts can make up a value.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import CARRIED_DOMAINS, MAX_CARRIED, Form
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.observed_text import ResultMarks
from halo_core.values.sketches.sketch import LOOKED_UP, USER_BIT, Sketch, fingerprint_forms
from halo_core.values.sketches.spans import TOKEN_BYTES

_MAX_COMPARED: Final = 256  # values of one text that are looked up
_MAX_READ: Final = 32_768  # characters of one text
_MAX_CALL_WORDS: Final = 1_024
_NO_WORDS: Final = bytes(TOKEN_BYTES)  # the end of a text: no value stands there

FormPrints = tuple[tuple[int, int], ...]
"""Two fingerprints of each value: as it stands in a text, and as a known value."""


def fingerprint_carried(key: bytes, *texts: str) -> FormPrints:
    """Fingerprint the values that an item may carry; each text is read by itself.

    Args:
        key: of the sketch.
        texts: the texts.
    """
    found: set[Form] = set()
    for text in texts:
        if text:
            found |= find_forms(text[:_MAX_READ], amounts=False)
    forms = sorted([form for form in found if form.domain in CARRIED_DOMAINS])[:_MAX_COMPARED]
    if not forms:
        return ()
    return tuple(zip(fingerprint_forms(key, forms), fingerprint_forms(key, forms, LOOKED_UP), strict=True))


def fingerprint_call_words(key: bytes, calls: str) -> FormPrints:
    """Fingerprint the values among the words of calls. Their order has no meaning, so each word is read by itself."""
    words = islice(dict.fromkeys(calls.split()), _MAX_CALL_WORDS)
    return fingerprint_carried(key, *(word for word in words if any(map(str.isdigit, word))))


def find_known(sketch: Sketch, prints: FormPrints) -> list[int]:
    """Select the fingerprints of values that are vouched for in a session.

    INVARIANT: VOUCH - an item carries nothing that was not known where it was made.

    Args:
        sketch: what the session has seen.
        prints: of the values, from `fingerprint_carried`.
    """
    find_mark = sketch.marks.get
    found: list[int] = []
    for form, known in prints:
        if find_mark(form, 0) & USER_BIT or known in sketch.marks:
            found.append(known)
    return found[:MAX_CARRIED]


def make_known_marks(fingerprints: Iterable[int]) -> ResultMarks:
    """Make what a session keeps of the values that an item carried into it."""
    return ResultMarks(known=frozenset(fingerprints), spans=_NO_WORDS)
