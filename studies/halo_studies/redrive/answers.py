"""Answers that approvers gave in a replay, kept and applied as Halo does it (`halo_core.decision.answers`).

Each question is answered with yes and the defaults of `halo approvals approve`. An agent of a suite is one role.
Nothing expires, and one person is enough also where two are needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from halo_core.model import TARGET_CODES
from halo_core.oversight.remembered import AMOUNT_FACTOR, DEFAULT_USES
from halo_core.values.answer_scope import AnswerScope
from halo_studies.redrive.offline import Act

__all__ = ["Answers"]


@dataclass(slots=True)
class _Answer:
    """A yes, in ten-thousandths, with what it served so far."""

    max_amount: int
    uses: int = 0
    spent: int = 0


class Answers:
    """What approvers answered to questions of honest sessions."""

    def __init__(self) -> None:
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
        if act.scope and not TARGET_CODES.isdisjoint(act.codes):
            kept = self._answers.setdefault((suite, act.event.tool, act.scope), [])
            kept.append(_Answer((act.amount or 0) * AMOUNT_FACTOR))

    def _find(self, suite: str, act: Act) -> _Answer | None:
        if not act.scope or not act.are_targets_covered or not TARGET_CODES.issuperset(act.codes):
            return None
        if act.moves_money and act.amount is None:
            return None
        kept: Iterable[_Answer] = self._answers.get((suite, act.event.tool, act.scope), ())
        fits = (item for item in kept if item.uses < DEFAULT_USES and item.spent + (act.amount or 0) <= item.max_amount)
        return next(fits, None)
