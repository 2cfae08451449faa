"""Room: a score in force for one identity: a model, a baseline, the limits that suit it. Takes: looks. Gives: risk.

Never: I/O, a clock, floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.features import features
from halo_core.behaviour.look import Look
from halo_core.behaviour.model import TOP, Model
from halo_core.errors import BadInput, CanonicalError

__all__ = ["Scored", "Scoring", "Terms", "band_of", "moved"]

_FORM: Final = "halo-scoring-1"
_FALL: Final = 8  # of a session's risk, an eighth falls away with each action
_REFUSED: Final = 60  # what a refusal adds


@dataclass(frozen=True, slots=True)
class Scored:
    """What behaviour says of one action.

    Args:
        values: its features, in their order.
        sums: what the session's sums become once it was decided.
    """

    values: tuple[int, ...]
    sums: list[int]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is in force for an identity, by content address.

    Args:
        model: hash of the model.
        baseline: hash of the baseline.
        elevated: risk (0..1000) above which about 5% of its ordinary sessions have an action.
        high: the same of 1%.
        sessions: ordinary sessions that the baseline was fitted on.
        tasks: different requests among them.
    """

    model: str
    baseline: str
    elevated: int
    high: int
    sessions: int
    tasks: int

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps({"form": _FORM, **{name: getattr(self, name) for name in self.__dataclass_fields__}})

    @classmethod
    def from_bytes(cls, data: bytes) -> Terms:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            plain = canonical.loads(data)
            form, found = plain.pop("form"), cls(**plain)
            limits = (found.elevated, found.high, found.sessions, found.tasks)
            if form == _FORM and all(type(item) is int for item in limits) and found.elevated <= found.high:
                return found
        except (CanonicalError, AttributeError, KeyError, TypeError) as exc:
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

    def measure(self, look: Look, sums: Sequence[int], key: bytes) -> Scored:
        """Features of an action."""
        found = features(look, self.baseline, sums, key)
        return Scored(found.values, found.sums)

    def risk(self, values: Sequence[int]) -> int:
        """Risk of an action, 0..1000."""
        return self.model.risk(values)

    def band(self, risk: int) -> int:
        """0 ordinary, 1 elevated, 2 high."""
        return band_of(risk, self.terms.elevated, self.terms.high)

    def factors(self, values: Sequence[int]) -> tuple[Mapping[str, Any], ...]:
        """The three features that moved the risk most, in words."""
        return tuple(factor.to_plain() for factor in self.model.factors(values))


def band_of(risk: int, elevated: int, high: int) -> int:
    """0 ordinary, 1 above `elevated`, 2 above `high`."""
    return int(risk > elevated) + int(risk > high)


def moved(before: int, risk: int, *, refused: bool) -> int:
    """A session's risk after one more action, 0..1000: it rises at once and falls slowly; refusals add to it."""
    left = before - -(-before // _FALL)
    return min(max(left, risk) + (_REFUSED if refused else 0), TOP)
