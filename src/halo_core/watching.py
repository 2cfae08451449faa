"""Room: the score of an action, read inside the transaction. Takes: a transaction, a request. Gives: what to record.

Which score is in force for an agent, its session's profile, and what both say of the action at hand. Never: decides;
lets an action pass because a score could not be made (`score_unavailable`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.circumstances import Usual, circumstances_of
from halo_core.behaviour.memory import head, take_head
from halo_core.behaviour.model import Model
from halo_core.behaviour.profile import Act
from halo_core.behaviour.score import assess, note
from halo_core.behaviour.scoring import Rules, Scoring, Terms, moved_by
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, ActionKind, Link
from halo_core.store import SessionState, Tx, rows

__all__ = ["BASELINE_DOMAIN", "MODEL_DOMAIN", "TERMS_DOMAIN", "USUAL_DOMAIN", "Scores", "Watched", "rules_of"]

BASELINE_DOMAIN: Final = "halo/baseline/v1"
MODEL_DOMAIN: Final = "halo/model/v1"
TERMS_DOMAIN: Final = "halo/scoring/v1"
USUAL_DOMAIN: Final = "halo/usual/v1"
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
        partial: it has more values than were read.
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
    partial: bool = False


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
            rules = rules_of(name, lambda part, domain: _blob(tx, part, domain))
            known = Scoring(rules, Baseline.from_bytes(_blob(tx, rules.terms.baseline, BASELINE_DOMAIN)))
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[name] = known
        return known

    def beside(self, tx: Tx, request: AccessRequest, state: SessionState, chain: Iterable[Link]) -> bool:
        """Whether a request's agent, which is not scored, acts for one that is, or in a session in which one did."""
        if request.kind not in _WATCHED:
            return False
        if state.watched:
            return True
        agents = {link.agent for link in chain} - {request.subject.agent}
        return any(self.name(tx, agent) for agent in agents)

    def watch(
        self, tx: Tx, request: AccessRequest, args: Mapping[str, Any], state: SessionState, name: str, *, at_us: int
    ) -> Watched:
        """Score an action that is decided at `at_us`; it then counts as made."""
        if not name or request.kind not in _WATCHED or request.problem:
            return Watched(name)
        try:
            return self._watched(tx, request, args, state, name, at_us=at_us)
        except (HaloError, KeyError, ValueError, ArithmeticError, RecursionError) as exc:
            # INVARIANT: FAILCLOSED - where a score is in force, an action without one does not run.
            return Watched(
                name, problem="score_unavailable" if not isinstance(exc, RecursionError) else "decision_error"
            )

    def _watched(
        self, tx: Tx, request: AccessRequest, args: Mapping[str, Any], state: SessionState, name: str, *, at_us: int
    ) -> Watched:
        scoring, profile = self.of(tx, name), tx.profile(state)
        rules = scoring.rules
        act = Act(request.resource.id, request.kind, request.resource.impact, args)
        found = assess(profile, act, scoring.baseline, rules.model)
        judged = rules.judge(found.margin, circumstances_of(request, at_us, state.refused))
        note(profile, found)
        told = head(profile)
        take_head(profile, told)  # in memory and out of the store it is the same
        factors = tuple(moved_by(found.factors(rules.model), judged.strange, rules.model)) if judged.band else ()
        look = found.look
        return Watched(
            name, found.values, judged.risk, judged.band, factors, told, look.named, found.wealth, partial=look.cut
        )


def rules_of(name: str, blob: Callable[[str, str], bytes]) -> Rules:
    """The rules of a score, by its name; `blob` gives the bytes of a name and domain.

    Raises:
        BadInput: a part is something else.
    """
    terms = Terms.from_bytes(blob(name, TERMS_DOMAIN))
    usual = Usual.from_bytes(blob(terms.usual, USUAL_DOMAIN)) if terms.usual else Usual()
    return Rules(terms, Model.from_bytes(blob(terms.model, MODEL_DOMAIN)), usual)


def _blob(tx: Tx, name: str, domain: str) -> bytes:
    data = tx.blob(name)
    if data is None or canonical.digest(domain, data) != name:
        raise KeyError(name)
    return data
