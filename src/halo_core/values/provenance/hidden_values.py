"""Whether untrusted content contained a value that nobody vouches for, also in a disguise.

A value may be encoded, cut into pieces, or written with look-alike letters, so that it is not found in the content
that it came from. So its readings (`generate_argument_readings`) are looked up as well, within a budget for each
call.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.kinds import SUSPICIOUS, Form
from halo_core.values.language.decoded_readings import generate_argument_readings
from halo_core.values.language.normalization import make_skeleton
from halo_core.values.provenance.argument_forms import ArgumentValue
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.result_origins import TRUST_ORDER
from halo_core.values.provenance.vouching import READ_LENGTH
from halo_core.values.sketches.sketch import (
    Sketch,
    count_only_untrusted_marks,
    extract_tokens,
    has_only_untrusted_mark,
    has_trusted_mark,
)

_MAX_READ_LEAVES: Final = 24  # leaves of a call whose readings are looked up
_MAX_READINGS: Final = 64  # of one leaf
_MAX_READING_WORDS: Final = 1024  # of all readings of a call
_MAX_FORM_TEXT: Final = 1024  # characters of a reading in which forms are looked for
_MAX_READING_FORMS: Final = 64
_MAX_WORD: Final = 64  # characters


class HiddenValueFinder:
    """Looks the values of one call up in untrusted content.

    Args:
        sketch: what the session has seen.
        leaf_count: leaves of the call.
    """

    __slots__ = ("_leaves_left", "_sketch", "_words_left")

    def __init__(self, sketch: Sketch, leaf_count: int) -> None:
        self._sketch = sketch
        self._leaves_left = min(leaf_count, _MAX_READ_LEAVES)
        self._words_left = _MAX_READING_WORDS

    def judge(
        self,
        text: str,
        values: list[ArgumentValue],
        word_marks: list[int],
        origin: Provenance,
        flags: set[str],
        *,
        is_read: bool,
        is_target: bool,
    ) -> Provenance:
        """Return the origin of a leaf, lowered if an untrusted source contained a part of it.

        Args:
            text: of the leaf.
            values: that its text is parsed into.
            word_marks: marks of its words.
            origin: by who vouches for it.
            flags: takes `suspicious` if a part is hidden, or the value looks like one that is vouched for.
            is_read: look for hidden values. False for amounts and dates.
            is_target: it is a target.
        """
        # A mark can be foreign where an untrusted source was seen, or where what is unknown counts as one's.
        untrusted_count = count_only_untrusted_marks(word_marks) if self._sketch.may_hold_untrusted else 0
        if untrusted_count and untrusted_count == len(word_marks):
            return Provenance.UNTRUSTED
        worst = Provenance.MIXED if untrusted_count and origin is not Provenance.SYSTEM else origin
        if not is_read or self._leaves_left <= 0:
            return worst
        self._leaves_left -= 1
        if len(values) == 1 and not values[0].forms and not self._sketch.has_untrusted:
            return worst
        hidden, is_lookalike = self._judge_readings(text, values, is_target=is_target)
        if hidden is not None or is_lookalike:
            flags.add(SUSPICIOUS)
        return worst if hidden is None else max(hidden, worst, key=TRUST_ORDER.__getitem__)

    def _judge_readings(
        self, text: str, values: list[ArgumentValue], *, is_target: bool
    ) -> tuple[Provenance | None, bool]:
        """Look up the readings of a leaf.

        Args:
            text: of the leaf.
            values: that its text is parsed into.
            is_target: it says where something goes.

        Returns:
            The origin, or None where no untrusted source said a reading; and whether the leaf looks like an address of
            somebody else, trusted or not.
        """
        looks = [
            Form("skeleton", make_skeleton(form.text))
            for value in values
            for form in value.forms
            if form.domain in ("email", "host")
        ]
        is_lookalike = False
        if looks:
            marks = self._sketch.look_up_forms(looks)
            if has_only_untrusted_mark(marks):
                return Provenance.UNTRUSTED, True
            is_lookalike = has_trusted_mark(marks)
        if self._sketch.has_untrusted:
            for reading in islice(generate_argument_readings(text, is_value=is_target), _MAX_READINGS):
                if self._words_left <= 0:
                    break
                origin = self._judge_reading(reading)
                if origin is not None:
                    return origin, True
        return None, is_lookalike

    def _judge_reading(self, reading: str) -> Provenance | None:
        if reading.isalpha() and reading.isascii() and len(reading) <= _MAX_WORD:
            words = [reading.casefold()]
        else:
            words = list(islice(extract_tokens(reading[:READ_LENGTH]), self._words_left))
        self._words_left -= len(words)
        marks = self._sketch.look_up_marks(words) if words else []
        untrusted_count = count_only_untrusted_marks(marks)
        if untrusted_count:
            return Provenance.UNTRUSTED if untrusted_count == len(marks) else Provenance.MIXED
        if reading.isalpha():
            return None
        forms = islice(find_forms(reading[:_MAX_FORM_TEXT]), _MAX_READING_FORMS)
        return Provenance.UNTRUSTED if has_only_untrusted_mark(self._sketch.look_up_forms(forms)) else None
