"""What a decision reads of an agent's behaviour over its sessions, and of the risk of the person it acts for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class DeviatingAxis:
    """One measure in which an agent deviates from its profile.

    Args:
        id: id of a measure, or of what is new.
        value: that it has.
        limit: that this identity's ordinary sessions keep to.
        words: the same for people.
    """

    id: str
    value: int
    limit: int
    words: str

    def to_plain(self) -> list[Any]:
        """Canonical tree."""
        return [self.id, self.value, self.limit, self.words]


@dataclass(frozen=True, slots=True)
class BehaviourView:
    """How far an agent is from its profile in a session, this action included. All are 0 without a deviation.

    Args:
        agent_risk: 0..1000, left over from alarms of past sessions, for the agent and whom it acts for.
        drift: 1000 is an alarm, in this session or over sessions.
        volume: 1000 is the identity's own limit, the largest share over all measures.
        unusual: 0..1000, the four parts in one number.
        behaviour: part, 0..1000: what is done differs from what is usual.
        entitlement: part: rights that slept are used.
        context: part: hour, host, program, system.
        scope: part: distance from the purpose and the request.
        axes: what deviates, sorted.
        problem: reason code why nothing is known of it, empty if it is.
    """

    agent_risk: int = 0
    drift: int = 0
    volume: int = 0
    unusual: int = 0
    behaviour: int = 0
    entitlement: int = 0
    context: int = 0
    scope: int = 0
    axes: tuple[DeviatingAxis, ...] = ()
    problem: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree, without default values."""
        tree: dict[str, Any] = {name: value for name in _NUMBERS if (value := getattr(self, name))}
        if self.axes:
            tree["axes"] = [item.to_plain() for item in self.axes]
        if self.problem:
            tree["problem"] = self.problem
        return tree

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> BehaviourView:
        """Inverse of `to_plain`."""
        if not tree:
            return NO_BEHAVIOUR
        numbers = {name: tree[name] for name in _NUMBERS if name in tree}
        return cls(
            **numbers,
            axes=tuple(DeviatingAxis(*item) for item in tree.get("axes", ())),
            problem=tree.get("problem", ""),
        )


def describe_deviation(snapshot: Mapping[str, Any]) -> str:
    """An agent's deviation in a recorded snapshot: each measure and its limit, the strongest first."""
    axes = snapshot.get("behaviour", {}).get("axes", ())
    return "; ".join(str(item[3]) for item in axes[:_MAX_SAID])


_MAX_SAID: Final = 3
_NUMBERS: Final = ("agent_risk", "behaviour", "context", "drift", "entitlement", "scope", "unusual", "volume")
NO_BEHAVIOUR: Final = BehaviourView()
"""Where nothing deviates."""


ELEVATED_PRINCIPAL_RISK: Final = 500
"""Risk at the tenant's own limit for an elevated event."""
HIGH_PRINCIPAL_RISK: Final = 800
"""Risk at the tenant's own limit for a high one."""
MAX_PRINCIPAL_RISK: Final = 1000
_MAX_WORDS: Final = 8
_MAX_WORD_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class PrincipalRisk:
    """Risk, from events elsewhere, of the person or service account for whom an agent acts.

    Args:
        risk: 0..1000; 500 is the tenant's limit for elevated, 800 for high. 0 where nothing is known.
        age_s: seconds since the newest event of the identity.
        words: why, without names or values, the strongest first.
        problem: code why the stored risk cannot be believed (`bad_principal_risk`); the risk is 1000 then.
    """

    risk: int = 0
    age_s: int = 0
    words: tuple[str, ...] = ()
    problem: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        tree: dict[str, Any] = {"age_s": self.age_s, "risk": self.risk, "words": list(self.words)}
        return {**tree, "problem": self.problem} if self.problem else tree

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any] | None) -> PrincipalRisk:
        """Inverse of `to_plain`; None gives `NO_PRINCIPAL_RISK`."""
        if not tree:
            return NO_PRINCIPAL_RISK
        return cls(tree["risk"], tree["age_s"], tuple(tree["words"]), tree.get("problem", ""))


NO_PRINCIPAL_RISK: Final = PrincipalRisk()
"""Nothing is known of the identity, or it did nothing unusual."""


def make_principal_risk(risk: int, age_s: int, words: tuple[str, ...]) -> PrincipalRisk:
    """A risk within its bounds; `NO_PRINCIPAL_RISK` if there is none."""
    if risk <= 0:
        return NO_PRINCIPAL_RISK
    clipped_words = tuple(item[:_MAX_WORD_LENGTH] for item in words[:_MAX_WORDS])
    return PrincipalRisk(min(risk, MAX_PRINCIPAL_RISK), max(age_s, 0), clipped_words)
