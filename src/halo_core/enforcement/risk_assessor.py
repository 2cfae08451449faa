"""The behaviour score of an action, computed inside the decision's transaction.

If a score is in force and cannot be computed, the action does not run (`score_unavailable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, ActionKind, Link
from halo_core.quick_dataclass import dataclass
from halo_core.risk.action_risk import (
    ActiveScoring,
    RiskRules,
    ScoringTerms,
    assess_action,
    explain_action_risk,
    record_assessment,
)
from halo_core.risk.baseline import Baseline, is_established
from halo_core.risk.circumstances import UsualCircumstances, read_circumstances
from halo_core.risk.feature_catalogue import FEATURE_INDEX
from halo_core.risk.model import RiskModel
from halo_core.risk.profile import ProposedAction, apply_head, pack_head
from halo_core.store import rows
from halo_core.store.session_state import SessionState
from halo_core.store.transaction import Transaction

BASELINE_DOMAIN: Final = "halo/baseline/v1"
MODEL_DOMAIN: Final = "halo/model/v1"
TERMS_DOMAIN: Final = "halo/scoring/v1"
USUAL_DOMAIN: Final = "halo/usual/v1"
SCORED_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_GENERAL_NEW: Final = FEATURE_INDEX["general_new"]
_MAX_SCORES: Final = 16


@dataclass(frozen=True, slots=True)
class RiskAssessment:
    """The behaviour score of one action.

    Args:
        score_name: name of the score in force, empty if there is none.
        features: features.
        risk: 0..1000, None if the action is not scored.
        band: band of the risk.
        factors: what moved it, where it is not ordinary.
        profile_head: head of the session's profile after the action, empty if nothing is watched.
        names_requested: everything that the action names stands in the request.
        drift: drift of the session's e-process, in sixteenths of a bit.
        problem: reason code why there is no risk although there should be.
        is_partial: it has more values than were read.
        is_established: several principals named all that it names, in unexposed sessions.
        knows_places: the baseline knows the host, the mail domain and the folder of each of its values.
    """

    score_name: str = ""
    features: tuple[int, ...] = ()
    risk: int | None = None
    band: int = 0
    factors: tuple[Mapping[str, Any], ...] = ()
    profile_head: str = ""
    names_requested: bool = False
    drift: int = 0
    problem: str = ""
    is_partial: bool = False
    is_established: bool = False
    knows_places: bool = False


UNSCORED: Final = RiskAssessment()
"""Where no score is in force."""


@dataclass(slots=True)
class RiskAssessor:
    """Computes scores; each model in force is read once."""

    _loaded: dict[str, ActiveScoring] = field(default_factory=dict)

    def find_score_name(self, tx: Transaction, agent: str) -> str:
        """Name of the score in force for an agent; empty if there is none."""
        name = tx.image.baselines.get(agent)
        return rows.BaselineTable(tx).get(agent) if name is None else name

    def load_score(self, tx: Transaction, name: str) -> ActiveScoring:
        """A score by name.

        Raises:
            HaloError: it is not what was put in force.
            KeyError: a part of it is missing.
        """
        scoring = self._loaded.get(name)
        if scoring is None:
            rules = load_rules(name, lambda part, domain: _read_blob(tx, part, domain))
            scoring = ActiveScoring(rules, Baseline.from_bytes(_read_blob(tx, rules.terms.baseline, BASELINE_DOMAIN)))
            if len(self._loaded) >= _MAX_SCORES:
                self._loaded.clear()
            self._loaded[name] = scoring
        return scoring

    def has_scored_neighbour(
        self, tx: Transaction, request: AccessRequest, state: SessionState, chain: Iterable[Link]
    ) -> bool:
        """Whether an unscored agent acts for a scored one, or in a session in which one acted."""
        if request.kind not in SCORED_KINDS:
            return False
        if state.watched:
            return True
        agents = {link.agent for link in chain} - {request.subject.agent}
        return any(self.find_score_name(tx, agent) for agent in agents)

    def assess(
        self,
        tx: Transaction,
        request: AccessRequest,
        args: Mapping[str, Any],
        state: SessionState,
        name: str,
        *,
        at_us: int,
    ) -> RiskAssessment:
        """Score an action decided at `at_us`, and add it to the session's profile."""
        if not name or request.kind not in SCORED_KINDS or request.problem:
            return RiskAssessment(name)
        try:
            scoring, profile = self.load_score(tx, name), tx.load_profile(state)
            rules = scoring.rules
            act = ProposedAction(request.resource.id, request.kind, request.resource.impact, args)
            score = assess_action(profile, act, scoring.baseline, rules.model)
            judgement = rules.compute_action_risk(score.margin, read_circumstances(request, at_us, state.refused))
            record_assessment(profile, score)
            profile_head = pack_head(profile)
            apply_head(profile, profile_head)  # in memory and out of the store it is the same
            factors = rules.model.find_factors(score.values) if judgement.band else ()
            return RiskAssessment(
                score_name=name,
                features=score.values,
                risk=judgement.risk,
                band=judgement.band,
                factors=tuple(explain_action_risk(factors, judgement.evidence, rules.model)) if judgement.band else (),
                profile_head=profile_head,
                names_requested=score.observation.named_by_request,
                drift=score.wealth,
                is_partial=score.observation.truncated,
                is_established=is_established(score.observation, scoring.baseline, profile.key),
                knows_places=score.values[_GENERAL_NEW] == 0 and not score.observation.truncated,
            )
        except (HaloError, KeyError, ValueError, ArithmeticError, RecursionError) as exc:
            # INVARIANT: FAILCLOSED - where a score is in force, an action without one does not run.
            problem = "decision_error" if isinstance(exc, RecursionError) else "score_unavailable"
            return RiskAssessment(name, problem=problem)


def load_rules(name: str, read_blob: Callable[[str, str], bytes]) -> RiskRules:
    """The rules of a score, by its name; `read_blob` returns the bytes of a name and domain.

    Raises:
        BadInput: a part is something else.
    """
    terms = ScoringTerms.from_bytes(read_blob(name, TERMS_DOMAIN))
    usual = UsualCircumstances.from_bytes(read_blob(terms.usual, USUAL_DOMAIN)) if terms.usual else UsualCircumstances()
    return RiskRules(terms, RiskModel.from_bytes(read_blob(terms.model, MODEL_DOMAIN)), usual)


def _read_blob(tx: Transaction, name: str, domain: str) -> bytes:
    data = tx.load_blob(name)
    if data is None or canonical.digest(domain, data) != name:
        raise KeyError(name)
    return data
