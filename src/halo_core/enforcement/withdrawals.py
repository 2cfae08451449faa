"""What becomes of the user's earlier orders when a message of his is recorded: he takes them back, or renews them.

`note_user_text` is called once for each message. Most have no word by which people take something back and name nothing
of an earlier message again, and are only remembered. Otherwise the earlier texts are revised
(`halo_core.values.withdrawals.withdrawals`), and a row of the
session says which marks give no authority any more. Nothing but a text of the user's own gets here.

Memory holds the newest texts only. What a withdrawal says of an earlier one that is not known, as after a restart,
takes the authority of all unknown texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from typing import Final

from halo_core.enforcement.decision_context import ObservedText
from halo_core.model import Provenance
from halo_core.store.image import UserText
from halo_core.store.session_state import SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.provenance.observed_text import (
    fingerprint_text,
    fingerprint_vouching_text,
    fingerprint_whole_text,
)
from halo_core.values.requests.user_texts import MAX_USER_CHARS
from halo_core.values.sketches.sketch import Sketch
from halo_core.values.sketches.withdrawn_orders import GIVEN, MAX_TAKEN, RENEWED, TAKEN, TAKEN_ALL, Withdrawal
from halo_core.values.withdrawals.message_clauses import may_renew
from halo_core.values.withdrawals.withdrawals import Revision, may_withdraw, revise

_UNNUMBERED: Final = 2**31
"""Number of what stands of a text whose own number is not known."""


def note_user_text(
    tx: Transaction, state: SessionState, sketch: Sketch, observed: ObservedText, *, number: int
) -> SessionState:
    """Remember a message of the user, and record what it takes back or orders again; returns the session's state.

    Args:
        tx: the transaction.
        state: the session's.
        sketch: what the session has seen, the message included.
        observed: the message.
        number: of the message among the texts of the sketch; -1 if it has no words there.
    """
    text = observed.text[:MAX_USER_CHARS]
    told = list(tx.image.user_texts.get(state.view.id, ()))
    earlier = next((item for item in told if item.text == text), None)
    told = [item for item in told if item.text != text]
    if earlier is not None and number < 0:
        number = earlier.number
    elif earlier is not None and earlier.takes_back:  # what it took back was rolled back
        told = [item._replace(standing=item.before) for item in told]
    own = UserText(text, text, number, text, is_cut=len(observed.text) > len(text))
    has_withdrawn = bool(sketch.withdrawn.marks or sketch.withdrawn.standing)
    revision = None
    if may_withdraw(text, (item.standing for item in told)) or (has_withdrawn and may_renew(text)):
        last = told[-1] if told else own
        revision = revise(
            [item.standing for item in told],
            text,
            follows_withdrawal=last.takes_back,
            follows_bare=last.is_bare,
            has_unknown=bool(unknown := _list_unknown_texts(sketch, [*told, own])),
        )
    if revision is not None:
        recorder = _Recorder(tx, state, sketch, observed, told, own, unknown)
        if recorder.record(revision):
            return recorder.state
    tx.image.remember_user_texts(state.view.id, [*told, own])
    return _give_again(tx, state, sketch, observed, number) if has_withdrawn else state


def _give_again(
    tx: Transaction, state: SessionState, sketch: Sketch, observed: ObservedText, number: int
) -> SessionState:
    """Give what a message orders its authority again, if it was taken back before."""
    withdrawn = sketch.withdrawn
    marks = withdrawn.marks & {*observed.fingerprints, observed.text_mark}
    standing = {}
    if number in withdrawn.standing or observed.text_mark in withdrawn.marks:
        packed = fingerprint_vouching_text(sketch, observed.text, is_vouched=observed.is_vouched)
        standing = {number if number >= 0 else _UNNUMBERED + len(withdrawn.standing): packed}
    if not marks and not standing:
        return state
    return tx.add_withdrawal_row(state, Withdrawal(GIVEN, tx.clock.now_us(), marks, standing))


class _Recorder:
    """Records a revision: in the texts that memory holds, and in rows of the session."""

    def __init__(  # noqa: PLR0917  private, one caller
        self,
        tx: Transaction,
        state: SessionState,
        sketch: Sketch,
        observed: ObservedText,
        told: Sequence[UserText],
        own: UserText,
        unknown: Sequence[int],
    ) -> None:
        self.state = state
        self._tx = tx
        self._sketch = sketch
        self._observed = observed
        self._told = told
        self._own = own
        self._unknown = unknown

    def record(self, revision: Revision) -> bool:
        """Record it; returns whether it says anything of what is known here."""
        is_changed = revision.message != self._own.text or revision.told != tuple(item.standing for item in self._told)
        if revision.renews and not is_changed:
            return self._renew()
        latest = max((item.number for item in self._told), default=-1)
        is_bare_about_unknown = revision.is_bare and (
            max(self._unknown, default=-1) > latest or not self._changes_order(revision)
        )
        takes_unknown = bool(self._unknown) and (is_bare_about_unknown or bool(revision.objects))
        if not (is_changed or takes_unknown):
            return False
        told = [
            item._replace(standing=standing, before=item.standing)
            for item, standing in zip(self._told, revision.told, strict=True)
        ]
        own = self._own._replace(standing=revision.message, takes_back=True, is_bare=revision.is_bare)
        texts = [*told, own]
        row = None if takes_unknown else self._compute_row(texts)
        self._add(row or self._compute_whole_row(texts))
        self._tx.image.remember_user_texts(self.state.view.id, [*told, own])
        return True

    def _add(self, row: Withdrawal) -> None:
        self.state = self._tx.add_withdrawal_row(self.state, row)

    def _renew(self) -> bool:
        """Give back what the last withdrawal took back; return whether there is one."""
        withdrawn = self._sketch.withdrawn
        if not withdrawn.marks and not withdrawn.standing:
            return False
        now_us = self._tx.clock.now_us()
        self._add(Withdrawal(RENEWED, now_us))
        told = [item._replace(standing=item.before, takes_back=False) for item in self._told]
        self._tx.image.remember_user_texts(self.state.view.id, [*told, self._own])
        marks = self._sketch.withdrawn.marks & self._observed.fingerprints
        if marks:
            self._add(Withdrawal(GIVEN, now_us, marks))
        return True

    def _changes_order(self, revision: Revision) -> bool:
        return any(item.standing != standing for item, standing in zip(self._told, revision.told, strict=True))

    def _compute_row(self, texts: Sequence[UserText]) -> Withdrawal | None:
        """Compute the row of a withdrawal; None if it would be too long, or a text is not known to its end."""
        changed = [item for item in texts if item.standing != item.text]
        if any(item.is_cut for item in changed):
            return None
        gone, kept = self._read(item.text for item in changed), self._read(item.standing for item in texts)
        marks = (gone | self._sketch.withdrawn.marks) - kept
        marks |= {
            fingerprint_whole_text(self._sketch.key, item.text, is_vouched=is_vouched)
            for item in changed
            if not item.takes_back
            for is_vouched in (True, False)
        }
        if len(marks) > MAX_TAKEN:
            return None
        standing = {item.number: self._pack(item.standing) for item in changed if item.number >= 0}
        return Withdrawal(TAKEN, self._tx.clock.now_us(), frozenset(marks), standing)

    def _compute_whole_row(self, texts: Sequence[UserText]) -> Withdrawal:
        """Compute the row of a withdrawal of all that does not stand in a text that is known."""
        standing = {item.number: self._pack(item.standing) for item in texts if item.number >= 0}
        kept = self._read(item.standing for item in texts)
        return Withdrawal(TAKEN_ALL, self._tx.clock.now_us(), frozenset(kept), standing)

    def _read(self, texts: Iterable[str]) -> set[int]:
        """Compute the fingerprints of texts, as they were computed when the texts came."""
        own = self._own
        read = (
            self._observed.fingerprints if text == own.text and not own.is_cut else _read_text(self._sketch.key, text)
            for text in texts
            if text.strip()
        )
        return set(chain.from_iterable(read))

    def _pack(self, text: str) -> bytes:
        if not text.strip():
            return b""
        return fingerprint_vouching_text(self._sketch, text, is_vouched=self._observed.is_vouched)


@lru_cache(maxsize=32)
def _read_text(key: bytes, text: str) -> frozenset[int]:
    """Compute the fingerprints of a text of the user; cached, since a text may be revised more than once."""
    return fingerprint_text(key, text, vouching=True)


def _list_unknown_texts(sketch: Sketch, known: Iterable[UserText]) -> list[int]:
    """List the numbers of the user's earlier texts that memory does not hold."""
    numbers = {item.number for item in known}
    return [number for number in range(sketch.spans[Provenance.USER].texts) if number not in numbers]
