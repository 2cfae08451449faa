"""What a session keeps of orders that were taken back: rows, and the sketch without them."""

from __future__ import annotations

import pytest

from halo_core.errors import BadInput
from halo_core.model import Provenance
from halo_core.values.kinds.kinds import Form
from halo_core.values.provenance.observed_text import fingerprint_text, fingerprint_vouching_text
from halo_core.values.sketches.sketch import Sketch, add_withdrawal_row, has_user_mark
from halo_core.values.sketches.spans import fingerprint_tokens_in_order
from halo_core.values.sketches.withdrawn_orders import (
    GIVEN,
    RENEWED,
    TAKEN,
    TAKEN_ALL,
    Withdrawal,
    pack_withdrawal,
    unpack_withdrawal,
)

KEY = b"k" * 32
D19 = fingerprint_tokens_in_order(["D-19"], KEY)


def write(sketch: Sketch, text: str) -> frozenset[int]:
    """The user writes a text; returns its marks."""
    prints = fingerprint_text(KEY, text, vouching=True)
    sketch.merge(sketch.compute_additions(prints, Provenance.USER, vouched=True))
    sketch.spans[Provenance.USER].add(fingerprint_vouching_text(sketch, text, is_vouched=True))
    return prints


@pytest.fixture
def sketch() -> Sketch:
    sketch = Sketch(KEY)
    write(sketch, "Mail Kim.")
    return sketch


def asks(sketch: Sketch) -> bool:
    return sketch.was_asked(frozenset(("delet",)))


def test_nothing_withdrawn_is_the_same_sketch(sketch: Sketch) -> None:
    assert sketch.for_act() is sketch


def test_what_is_taken_back_asks_for_no_act_and_stays_known(sketch: Sketch) -> None:
    marks = write(sketch, "Delete D-19.")
    row = Withdrawal(TAKEN, 1, marks, {1: b""})
    assert add_withdrawal_row(sketch, pack_withdrawal(row))
    act = sketch.for_act()
    assert asks(sketch)
    assert not asks(act)
    assert sketch.spans[Provenance.USER].find(D19)
    assert not act.spans[Provenance.USER].find(D19)
    assert has_user_mark(act.look_up_marks(["kim"])), "another text stands"
    assert has_user_mark(sketch.look_up_forms([Form("verb", "delet")]))


def test_untrusted_marks_stay(sketch: Sketch) -> None:
    marks = write(sketch, "Delete D-19.")
    sketch.merge(sketch.compute_additions(fingerprint_text(KEY, "D-19"), Provenance.UNTRUSTED, source_number=1))
    sketch.withdraw(Withdrawal(TAKEN, 1, marks, {1: b""}))
    assert sketch.for_act().was_in_untrusted_text("d-19")
    assert not has_user_mark(sketch.for_act().look_up_marks(["d-19"]))


def test_what_is_ordered_again_counts(sketch: Sketch) -> None:
    marks = write(sketch, "Delete D-19.")
    sketch.withdraw(Withdrawal(TAKEN, 1, marks, {1: b""}))
    again = write(sketch, "Please delete D-19 now.")
    sketch.withdraw(Withdrawal(GIVEN, 2, again & sketch.withdrawn.marks))
    assert asks(sketch.for_act())
    assert sketch.for_act().spans[Provenance.USER].find(D19)


def test_a_renewal_gives_back_the_last_withdrawal_only(sketch: Sketch) -> None:
    first, second = write(sketch, "Delete D-19."), write(sketch, "Reboot mx3.")
    sketch.withdraw(Withdrawal(TAKEN, 1, first, {1: b""}))
    sketch.withdraw(Withdrawal(TAKEN, 2, first | second, {1: b"", 2: b""}))
    sketch.withdraw(Withdrawal(RENEWED, 3))
    assert not asks(sketch.for_act())
    assert sketch.for_act().was_asked(frozenset(("reboot",)))


def test_everything_can_be_taken_back(sketch: Sketch) -> None:
    write(sketch, "Delete D-19.")
    kept = write(sketch, "Reboot mx3.")
    packed = fingerprint_vouching_text(sketch, "Reboot mx3.", is_vouched=True)
    sketch.withdraw(Withdrawal(TAKEN_ALL, 1, kept, {2: packed}))
    act = sketch.for_act()
    assert not asks(act)
    assert act.was_asked(frozenset(("reboot",)))
    assert not has_user_mark(act.look_up_marks(["kim"]))
    assert act.spans[Provenance.USER].find(fingerprint_tokens_in_order(["mx3"], KEY))


def test_memory_of_withdrawals_is_bounded(sketch: Sketch) -> None:
    for number in range(50):
        sketch.withdraw(Withdrawal(TAKEN, number, frozenset((number,))))
    depth, known = 0, sketch.withdrawn
    while known.before is not None:
        depth, known = depth + 1, known.before
    assert depth <= 8


@pytest.mark.parametrize("kind", [TAKEN, TAKEN_ALL, GIVEN, RENEWED])
def test_rows_survive_the_store(kind: int) -> None:
    row = Withdrawal(kind, 12, frozenset((3, 2**55)), {0: b"", 7: bytes(16)})
    assert unpack_withdrawal(pack_withdrawal(row)) == row


def test_other_bytes_are_refused(sketch: Sketch) -> None:
    packed = pack_withdrawal(Withdrawal(TAKEN, 12, frozenset((3,)), {0: bytes(8)}))
    for bad in (packed[:-1], packed + b"x", packed[:8], packed[:4] + b"\x09" + packed[5:]):
        with pytest.raises(BadInput):
            add_withdrawal_row(sketch, bad)
    assert not add_withdrawal_row(sketch, b"\xff\xff\xff\xff")
