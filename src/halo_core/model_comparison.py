"""Compares models on recorded actions: what another model would have said, from the features in the entries.

A recorded decision takes part only if it replays to its bytes. The other model's risk and band replace the recorded
ones, and the same policy decides again; the risk of the session is carried on as the other model would have. What
another decision would have changed later in a session (exposure, budgets, authority) is not followed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Final

from halo_core.decision.checks import decide
from halo_core.model import Decision, Effect
from halo_core.quick_dataclass import dataclass
from halo_core.replay import Inputs, RecordedDecision, Replayer
from halo_core.risk.action_risk import ActionRisk, RiskRules, compute_next_session_risk
from halo_core.risk.circumstances import read_circumstances

HELD: Final = frozenset({Effect.CHALLENGE, Effect.DENY})
"""Effects under which an action does not run unasked."""


@dataclass(frozen=True, slots=True)
class ScoredEffect:
    """A model's score of an action, and the resulting effect.

    Args:
        risk: 0..1000.
        band: 0 ordinary, 1 elevated, 2 high.
        effect: effect of the decision.
    """

    risk: int
    band: int
    effect: Effect

    @property
    def is_held(self) -> bool:
        """Whether the action was asked or denied."""
        return self.effect in HELD


@dataclass(frozen=True, slots=True)
class ComparedAction:
    """One recorded action under two models.

    Args:
        index: position of its decision in the log.
        id: id of the decision's entry.
        session: session of the action.
        agent: that acted.
        resource: that it used.
        recorded: effect with the model in force at the time.
        other: effect with the other model.
    """

    index: int
    id: str
    session: str
    agent: str
    resource: str
    recorded: ScoredEffect
    other: ScoredEffect


@dataclass(slots=True)
class ModelComparer:
    """Computes the scores of other models, decision by decision in log order.

    Args:
        replayer: reads what the decisions were made on.
        rules: agent → the other score.
        skipped: why → number of scored actions of these agents that cannot be compared.
    """

    replayer: Replayer
    rules: Mapping[str, RiskRules]
    skipped: Counter[str] = field(default_factory=Counter)
    _session_risks: dict[str, int] = field(default_factory=dict)

    def compare_all(self, since: int = 0) -> Iterator[ComparedAction | None]:
        """Every decision from the position `since` on; None for those that are not compared."""
        for recorded in self.replayer.read_decisions(since):
            yield self.compare(recorded)

    def compare(self, recorded: RecordedDecision) -> ComparedAction | None:
        """One decision; None if it has no score, is another agent's, or cannot be compared."""
        plain = recorded.recorded
        agent = plain.request["subject"]["agent"]
        rules = self.rules.get(agent)
        if rules is None or plain.snapshot["risk"] is None:
            return None
        if len(plain.snapshot.get("features", ())) < rules.model.feature_count:
            self.skipped["recorded by a version with fewer features"] += 1
            return None
        replayed, inputs = self.replayer.replay_recorded(recorded)
        if inputs is None:
            self.skipped[f"replay: {replayed.status.value}"] += 1
            return None
        judged, decision = self._decide(inputs, rules, recorded.entry.session)
        snapshot = inputs.snapshot
        return ComparedAction(
            index=recorded.position,
            id=recorded.entry.id,
            session=recorded.entry.session,
            agent=agent,
            resource=plain.request["resource"]["id"],
            recorded=ScoredEffect(snapshot.risk or 0, snapshot.band, inputs.decision.effect),
            other=ScoredEffect(judged.risk, judged.band, decision.effect),
        )

    def _decide(self, inputs: Inputs, rules: RiskRules, session: str) -> tuple[ActionRisk, Decision]:
        request, snapshot, _ = inputs
        before = self._session_risks.get(session, snapshot.session_risk)
        circumstances = read_circumstances(request, snapshot.time_us, snapshot.refused)
        judged = rules.compute_action_risk(rules.model.compute_margin(snapshot.features), circumstances)
        decision = decide(request, replace(snapshot, risk=judged.risk, band=judged.band, session_risk=before))
        self._session_risks[session] = compute_next_session_risk(before, judged.risk, refused=not decision.effect.runs)
        return judged, decision
