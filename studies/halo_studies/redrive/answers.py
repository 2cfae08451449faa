"""Answers that approvers gave in a replay, kept and applied as Halo does it (`halo_core.decision.answers`).

Each question is answered with yes and `halo approvals approve --remember`, or with its `--with-amount`. An agent of a
suite is one role. Nothing expires, one person is enough also where two are needed, and sessions are days apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from halo_core.model import AMOUNT_CODES, TARGET_CODES
from halo_core.oversight.remembered import AMOUNT_FACTOR, DEFAULT_USES
from halo_core.values.facts.answer_scope import AnswerScope
from halo_studies.redrive.offline import Act

__all__ = ["Answers"]


@dataclass(slots=True)
class _Answer:
    """A yes, in ten-thousandths, with what it served so far."""

    max_amount: int
    max_each: int = 0
    terms: tuple[str, ...] = ()
    uses: int = 0
    spent: int = 0


class Answers:
    """What approvers answered to questions of honest sessions.

    Args:
        with_amounts: they remember large amounts too.
    """

    def __init__(self, *, with_amounts: bool = False) -> None:
        self._with_amounts = with_amounts
        self._answers: dict[tuple[str, str, AnswerScope], list[_Answer]] = {}

    def settle(self, suite: str, act: Act) -> bool:
        """Whether a remembered answer settles all questions about an act; it then has served once more."""
        answer = self._find(suite, act)
        if answer is None:
            return False
        answer.uses += 1
        answer.spent += act.amount or 0
        return True

    def would_settle(self, suite: str, act: Act) -> bool:
        """Whether an answer covers an act, without any use of it."""
        return self._find(suite, act) is not None

    def add(self, suite: str, act: Act) -> None:
        """Remember a yes, where there is something to remember."""
        is_large = self._with_amounts and not AMOUNT_CODES.isdisjoint(act.codes) and act.amount is not None
        if act.scope and (is_large or not TARGET_CODES.isdisjoint(act.codes)):
            amount = act.amount or 0
            kept = self._answers.setdefault((suite, act.event.tool, act.scope), [])
            kept.append(_Answer(amount * AMOUNT_FACTOR, amount if is_large else 0, act.amount_terms))

    def _find(self, suite: str, act: Act) -> _Answer | None:
        if not act.scope or not act.are_targets_covered or not act.codes <= TARGET_CODES | AMOUNT_CODES:
            return None
        if act.moves_money and act.amount is None:
            return None
        kept: Iterable[_Answer] = self._answers.get((suite, act.event.tool, act.scope), ())
        return next((item for item in kept if self._fits(item, act)), None)

    @staticmethod
    def _fits(item: _Answer, act: Act) -> bool:
        amount = act.amount or 0
        is_within = item.uses < DEFAULT_USES and item.spent + amount <= item.max_amount
        asks_for_amount = not AMOUNT_CODES.isdisjoint(act.codes)
        return is_within and (not asks_for_amount or (amount <= item.max_each and item.terms == act.amount_terms))
