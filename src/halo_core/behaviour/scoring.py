"""Room: a score in force for one identity: a model, a baseline, the limits that suit it. Takes: terms. Gives: bands.

Never: I/O, a clock, floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from halo_core import canonical
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.model import TOP, Model
from halo_core.errors import BadInput, CanonicalError

__all__ = ["DRIFTING", "Scoring", "Terms", "moved"]

_FORM: Final = "halo-scoring-1"
_FALL: Final = 8  # of a session's risk, an eighth falls away with each action
_REFUSED: Final = 60  # what a refusal adds
DRIFTING: Final = 160
"""Wealth of a session's e-process (sixteenths of a bit) at which it is an alarm: one ordinary session in 1,024."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is in force for an identity, by content address.

    Args:
        model: hash of the model.
        baseline: hash of the baseline.
        elevated: margin above which about 5% of its ordinary sessions have an action, in micro-units.
        high: the same of 1%.
        risks: `elevated` and `high` as risks, 0..1000, for people.
        sessions: ordinary sessions that the baseline was fitted on.
        tasks: different requests among them.
    """

    model: str
    baseline: str
    elevated: int
    high: int
    risks: tuple[int, int]
    sessions: int
    tasks: int

    def band(self, margin: int) -> int:
        """0 ordinary, 1 elevated, 2 high."""
        return int(margin > self.elevated) + int(margin > self.high)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return canonical.dumps({"form": _FORM, **facts, "risks": list(self.risks)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Terms:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            plain = canonical.loads(data)
            form = plain.pop("form")
            low, high = plain.pop("risks")
            found = cls(**plain, risks=(low, high))
            limits = (found.elevated, found.high, found.sessions, found.tasks, low, high)
            if form == _FORM and all(type(item) is int for item in limits) and found.elevated <= found.high:
                return found
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bad() from exc
        raise _bad()


def _bad() -> BadInput:
    return BadInput("bad_baseline", "not the terms of a score", field="baseline", remedy="`halo baseline fit` again")


@dataclass(frozen=True)
class Scoring:
    """A score in force."""

    terms: Terms
    model: Model
    baseline: Baseline


def moved(before: int, risk: int, *, refused: bool) -> int:
    """A session's risk after one more action, 0..1000: it rises at once and falls slowly; refusals add to it."""
    left = before - -(-before // _FALL)
    return min(max(left, risk) + (_REFUSED if refused else 0), TOP)
