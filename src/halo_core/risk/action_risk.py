"""Risk of one action and of a session, 0..1000: how much it looks like hijacked work.

`assess_action` computes the features of an action against its session and the model's margin; `RiskRules` adds the
weight of unusual circumstances to the margin and turns the sum into a risk and its band. A snapshot that holds the
features, the circumstances and the hash of the terms is enough to compute the risk again (INVARIANT: REPLAY).

A session's risk is at least that of its riskiest recent action, falls by an eighth with each action, and rises by a
fixed amount with each refusal: `compute_next_session_risk` is applied once for each decided action.

Beside it runs an e-process, a bet against "this is ordinary work" that grows with each unlikely action. By Ville's
inequality ordinary work passes a wealth of 1/alpha with probability alpha at most, however long it goes on, as far as
the tail probabilities are true.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, CanonicalError, require
from halo_core.quick_dataclass import dataclass
from halo_core.risk.baseline import Baseline
from halo_core.risk.circumstances import CircumstanceEvidence, Circumstances, UsualCircumstances
from halo_core.risk.features import compute_features
from halo_core.risk.model import MAX_FACTORS, MAX_RISK, Factor, RiskModel
from halo_core.risk.observation import ActionObservation, observe_action
from halo_core.risk.profile import Profile, ProposedAction


@dataclass(frozen=True, slots=True)
class ActionAssessment:
    """The assessment of one action.

    Args:
        observation: the action against its session.
        values: features, in the order of `FEATURES`.
        margin: of the model, in micro-units; compared with `RiskModel.limits` and with a limit suited to the identity.
        risk: 0..1000, calibrated.
        wealth: of the session's e-process with this action, in sixteenths of a bit: 16 * log2(1 / alpha) is an alarm at
            the rate alpha.
        sums: sums of the session once the action is decided.
    """

    observation: ActionObservation
    values: tuple[int, ...]
    margin: int
    risk: int
    wealth: int
    sums: tuple[int, ...]


WEALTH_INDEX: Final = 5
"""Where the wealth of the session's e-process stands among `Profile.sums`."""
DRIFT_ALARM_WEALTH: Final = 160
"""Wealth (sixteenths of a bit) from which on it is an alarm: one ordinary session in 1,024 gets there."""
_DECAY_DIVISOR: Final = 8
_REFUSAL_RISK: Final = 60


def compute_next_session_risk(before: int, action_risk: int, *, refused: bool) -> int:
    """The session risk after one more action, 0..1000."""
    remaining = before - -(-before // _DECAY_DIVISOR)
    return min(max(remaining, action_risk) + (_REFUSAL_RISK if refused else 0), MAX_RISK)


def update_wealth(wealth: int, surprise: int) -> int:
    """The wealth after one more action, in sixteenths of a bit, never below zero, so that late trouble counts in full.

    Args:
        wealth: wealth before the action.
        surprise: -log2 of the probability of anything as strange in ordinary work, in sixteenths of a bit.

    The bet is the calibrator p^(-1/2)/2, whose mean is one where p is uniform: log2 of it is surprise/2 - 1.
    """
    return max(wealth + surprise // 2 - 16, 0)


def assess_action(profile: Profile, act: ProposedAction, baseline: Baseline, model: RiskModel) -> ActionAssessment:
    """Assess an action by what came before it; the profile is not changed."""
    observation = observe_action(profile, act)
    values, sums = compute_features(observation, baseline, profile.sums, profile.key)
    margin = model.compute_margin(values)
    before = profile.sums[WEALTH_INDEX]
    wealth = update_wealth(before, model.surprise_of(margin))
    if observation.is_listed:  # a list makes one thing to do of many actions: they are no evidence beside each other
        wealth = min(wealth, before)
    sums[WEALTH_INDEX] = wealth
    return ActionAssessment(observation, values, margin, model.risk_of(margin), wealth, tuple(sums))


def record_assessment(profile: Profile, assessment: ActionAssessment) -> None:
    """Record in the profile that the action was decided, whatever the decision was."""
    observation = assessment.observation
    profile.record_action(
        observation.tool, observation.action_fingerprint, acts=not observation.is_read, sums=list(assessment.sums)
    )


_FORM: Final = "halo-scoring-2"
_OLD_FORM: Final = "halo-scoring-1"  # without circumstances


@dataclass(frozen=True, slots=True)
class ScoringTerms:
    """The scoring in force for an identity: hashes of its parts, limits and what they were fitted on.

    Args:
        model: hash of the model.
        baseline: hash of the baseline.
        elevated: margin above which about 5% of its ordinary sessions have an action, in micro-units.
        high: the same of 1%.
        risks: `elevated` and `high` as risks, 0..1000, for people.
        sessions: ordinary sessions that the baseline was fitted on.
        tasks: different requests among them.
        usual: hash of the usual circumstances, empty if none are compared.
    """

    model: str
    baseline: str
    elevated: int
    high: int
    risks: tuple[int, int]
    sessions: int
    tasks: int
    usual: str = ""

    def find_band(self, margin: int) -> int:
        """Band of a margin: 0 ordinary, 1 elevated, 2 high."""
        return int(margin > self.elevated) + int(margin > self.high)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        facts = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if not self.usual:  # the bytes that were put in force before there were any
            del facts["usual"]
        form = _FORM if self.usual else _OLD_FORM
        return canonical.dumps({"form": form, **facts, "risks": list(self.risks)})

    @classmethod
    def from_bytes(cls, data: bytes) -> ScoringTerms:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            members = canonical.loads(data)
            form = members.pop("form")
            low, high = members.pop("risks")
            terms = cls(**members, risks=(low, high))
            limits = (terms.elevated, terms.high, terms.sessions, terms.tasks, low, high)
            is_valid = (
                form in (_FORM, _OLD_FORM)
                and (form == _FORM) is ("usual" in members)
                and type(terms.usual) is str
                and all(type(item) is int for item in limits)
                and terms.elevated <= terms.high
            )
            require(is_valid, "not what was written")
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            problem, remedy = "not the terms of a score", "run `halo baseline fit` again"
            raise BadInput("bad_baseline", problem, field="baseline", remedy=remedy) from exc
        return terms


@dataclass(frozen=True, slots=True)
class ActionRisk:
    """Risk of an action, 0..1000, its band (0 ordinary, 1 elevated, 2 high), and its unusual circumstances."""

    risk: int
    band: int
    evidence: tuple[CircumstanceEvidence, ...]


@dataclass(frozen=True)
class RiskRules:
    """What turns features and circumstances into a risk; a replay needs nothing else."""

    terms: ScoringTerms
    model: RiskModel
    usual: UsualCircumstances

    def compute_action_risk(self, margin: int, circumstances: Circumstances) -> ActionRisk:
        """The risk of an action: the model's margin plus the weight of its unusual circumstances."""
        evidence = self.usual.find_unusual(circumstances)
        margin += sum(item.weight for item in evidence) * self.model.margin_per_sixteenth
        return ActionRisk(self.model.risk_of(margin), self.terms.find_band(margin), evidence)


@dataclass(frozen=True)
class ActiveScoring:
    """The scoring in force for one identity."""

    rules: RiskRules
    baseline: Baseline


def explain_action_risk(
    features: Iterable[Factor], evidence: Iterable[CircumstanceEvidence], model: RiskModel
) -> list[dict[str, Any]]:
    """The strongest factors of an action and its circumstances, as a decision records them."""
    both = [*(item.to_plain(model.margin_per_sixteenth) for item in evidence), *map(asdict, features)]
    return sorted(both, key=lambda item: -int(item["moved"]))[:MAX_FACTORS]
