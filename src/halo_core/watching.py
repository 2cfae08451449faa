"""Room: the score of an action, read inside the transaction. Takes: a transaction, a request. Gives: what to record.

Which score is in force for an agent, its session's profile, and what both say of the action at hand. Never: decides;
lets an action pass because a score could not be made (`score_unavailable`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.memory import head, take_head
from halo_core.behaviour.model import Model
from halo_core.behaviour.profile import Act
from halo_core.behaviour.score import assess, note
from halo_core.behaviour.scoring import Scoring, Terms
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, ActionKind
from halo_core.store import SessionState, Tx, rows

__all__ = ["BASELINE_DOMAIN", "MODEL_DOMAIN", "TERMS_DOMAIN", "Scores", "Watched"]

BASELINE_DOMAIN: Final = "halo/baseline/v1"
MODEL_DOMAIN: Final = "halo/model/v1"
TERMS_DOMAIN: Final = "halo/scoring/v1"
_WATCHED: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_MOST: Final = 16


@dataclass(frozen=True, slots=True)
class Watched:
    """What behaviour says of one action.

    Args:
        name: of the score in force, empty where there is none.
        values: features.
        risk: 0..1000, None where the action is not scored.
        band: of the risk.
        factors: what moved it, where it is not ordinary.
        head: of the session's profile after the action, empty where nothing is watched.
        named: everything that the action names stands in the request.
        wealth: of the session's e-process, in sixteenths of a bit.
        problem: reason code why there is no risk although there should be.
    """

    name: str = ""
    values: tuple[int, ...] = ()
    risk: int | None = None
    band: int = 0
    factors: tuple[Mapping[str, Any], ...] = ()
    head: str = ""
    named: bool = False
    wealth: int = 0
    problem: str = ""


@dataclass(slots=True)
class Scores:
    """Scores in force, read once for each hash. Bounded."""

    _known: dict[str, Scoring] = field(default_factory=dict)

    def name(self, tx: Tx, agent: str) -> str:
        """Which score is in force for an agent, empty for none."""
        return rows.Baselines(tx).get(agent)

    def of(self, tx: Tx, name: str) -> Scoring:
        """A score by name.

        Raises:
            HaloError: it is not what was put in force.
            KeyError: a part of it is missing.
        """
        known = self._known.get(name)
        if known is None:
            terms = Terms.from_bytes(_blob(tx, name, TERMS_DOMAIN))
            model = Model.from_bytes(_blob(tx, terms.model, MODEL_DOMAIN))
            known = Scoring(terms, model, Baseline.from_bytes(_blob(tx, terms.baseline, BASELINE_DOMAIN)))
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[name] = known
        return known

    def watch(self, tx: Tx, request: AccessRequest, args: Mapping[str, Any], state: SessionState, name: str) -> Watched:
        """Score an action; it then counts as made."""
        if not name or request.kind not in _WATCHED or request.problem:
            return Watched(name)
        try:
            return self._watched(tx, request, args, state, name)
        except (HaloError, KeyError, ValueError, ArithmeticError, RecursionError) as exc:
            # INVARIANT: FAILCLOSED - where a score is in force, an action without one does not run.
            return Watched(
                name, problem="score_unavailable" if not isinstance(exc, RecursionError) else "decision_error"
            )

    def _watched(
        self, tx: Tx, request: AccessRequest, args: Mapping[str, Any], state: SessionState, name: str
    ) -> Watched:
        scoring, profile = self.of(tx, name), tx.profile(state)
        act = Act(request.resource.id, request.kind, request.resource.impact, args)
        found = assess(profile, act, scoring.baseline, scoring.model)
        band = scoring.terms.band(found.margin)
        note(profile, found)
        told = head(profile)
        take_head(profile, told)  # in memory and out of the store it is the same
        factors = tuple(item.to_plain() for item in found.factors(scoring.model)) if band else ()
        return Watched(name, found.values, found.risk, band, factors, told, found.look.named, found.wealth)


def _blob(tx: Tx, name: str, domain: str) -> bytes:
    data = tx.blob(name)
    if data is None or canonical.digest(domain, data) != name:
        raise KeyError(name)
    return data
