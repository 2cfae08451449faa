"""Room: a score in force for one identity: a model, a baseline, the limits that suit it. Takes: terms. Gives: bands.

Never: I/O, a clock, floats.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.circumstances import Circumstances, Evidence, Usual
from halo_core.behaviour.model import TOP, Factor, Model
from halo_core.errors import BadInput, CanonicalError

__all__ = ["DRIFTING", "Judged", "Rules", "Scoring", "Terms", "moved", "moved_by"]

_FORM: Final = "halo-scoring-2"
_BEFORE: Final = "halo-scoring-1"  # without circumstances
_FALL: Final = 8  # of a session's risk, an eighth falls away with each action
_REFUSED: Final = 60  # what a refusal adds
_FACTORS: Final = 3
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
        usual: hash of the usual circumstances, empty where none are compared.
    """

    model: str
    baseline: str
    elevated: int
    high: int
    risks: tuple[int, int]
    sessions: int
    tasks: int
    usual: str = ""

    def band(self, margin: int) -> int:
        """0 ordinary, 1 elevated, 2 high."""
        return int(margin > self.elevated) + int(margin > self.high)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if not self.usual:  # the bytes that were put in force before there were any
            del facts["usual"]
        form = _FORM if self.usual else _BEFORE
        return canonical.dumps({"form": form, **facts, "risks": list(self.risks)})

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
            if (form == _BEFORE) is ("usual" in plain):
                raise _bad()
            found = cls(**plain, risks=(low, high))
            limits = (found.elevated, found.high, found.sessions, found.tasks, low, high)
            if (
                form in (_FORM, _BEFORE)
                and type(found.usual) is str
                and all(type(item) is int for item in limits)
                and found.elevated <= found.high
            ):
                return found
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bad() from exc
        raise _bad()


def _bad() -> BadInput:
    return BadInput("bad_baseline", "not the terms of a score", field="baseline", remedy="`halo baseline fit` again")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a margin comes to, under the circumstances: `risk` 0..1000, its `band`, and what was not usual."""

    risk: int
    band: int
    strange: tuple[Evidence, ...]


@dataclass(frozen=True)
class Rules:
    """What makes a risk of features and circumstances; from these alone a decision's risk is made again."""

    terms: Terms
    model: Model
    usual: Usual

    def judge(self, margin: int, at: Circumstances) -> Judged:
        """The risk of an action: the model's margin of it, and the weight of what is not usual about it."""
        strange = self.usual.strange(at)
        margin += sum(item.weight for item in strange) * self.model.sixteenth
        return Judged(self.model.risk_of(margin), self.terms.band(margin), strange)


@dataclass(frozen=True)
class Scoring:
    """A score in force."""

    rules: Rules
    baseline: Baseline


def moved(before: int, risk: int, *, refused: bool) -> int:
    """A session's risk after one more action, 0..1000: it rises at once and falls slowly; refusals add to it."""
    left = before - -(-before // _FALL)
    return min(max(left, risk) + (_REFUSED if refused else 0), TOP)


def moved_by(features: Iterable[Factor], strange: Iterable[Evidence], model: Model) -> list[dict[str, Any]]:
    """What moved a score most, of the action itself and of its circumstances, as a decision records it."""
    both = [*(item.to_plain(model.sixteenth) for item in strange), *(item.to_plain() for item in features)]
    return sorted(both, key=lambda item: -int(item["moved"]))[:_FACTORS]
