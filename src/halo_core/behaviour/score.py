"""Room: one action judged. Takes: a profile, an act, a baseline, a model. Gives: an assessment. Never: I/O, floats.

What a snapshot needs is `risk`, `values` and the model's hash: from those the score can be computed again without the
session (INVARIANT: REPLAY).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.drift import bet
from halo_core.behaviour.features import features
from halo_core.behaviour.look import Look, look_at
from halo_core.behaviour.model import Factor, Model
from halo_core.behaviour.profile import Act, Profile

__all__ = ["WEALTH", "Assessment", "assess", "note"]

WEALTH: Final = 5
"""Where the session's e-process stands among the sums of a profile."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """One action, judged.

    Args:
        look: the action against its session.
        values: features, in the order of `FEATURES`.
        margin: of the model, in micro-units; compared with `Model.limits` and with a limit suited to the identity.
        risk: 0..1000, calibrated.
        wealth: of the session's e-process with this action, in sixteenths of a bit: 16 * log2(1 / alpha) is an alarm at
            the rate alpha.
        sums: of the session once the action is decided.
    """

    look: Look
    values: tuple[int, ...]
    margin: int
    risk: int
    wealth: int
    sums: tuple[int, ...]

    def factors(self, model: Model, most: int = 3) -> tuple[Factor, ...]:
        """What moved the score, in words; computed when somebody asks."""
        return model.factors(self.values, most)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree of what a decision may record: no value of an argument is in it."""
        return {"margin": self.margin, "risk": self.risk, "values": list(self.values), "wealth": self.wealth}


def assess(profile: Profile, act: Act, baseline: Baseline, model: Model) -> Assessment:
    """Judge an action from what came before it; the profile stays as it is."""
    look = look_at(profile, act)
    measured = features(look, baseline, profile.sums, profile.key)
    margin = model.margin(measured.values)
    wealth = bet(profile.sums[WEALTH], model.surprise(margin))
    sums = (*measured.sums[:WEALTH], wealth, *measured.sums[WEALTH + 1 :])
    return Assessment(look, measured.values, margin, model.risk_of(margin), wealth, sums)


def note(profile: Profile, assessment: Assessment) -> None:
    """The action was decided: the session remembers it, whatever the decision was."""
    look = assessment.look
    profile.acted(look.tool, look.made, acts=not look.reads, sums=list(assessment.sums))
