"""The risk of the person or service account at the head of a chain, as a decision reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

ELEVATED_PRINCIPAL_RISK: Final = 500
"""Risk at the tenant's own limit for an elevated event."""
HIGH_PRINCIPAL_RISK: Final = 800
"""Risk at the tenant's own limit for a high one."""
MAX_PRINCIPAL_RISK: Final = 1000
_MAX_WORDS: Final = 8
_MAX_WORD_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class PrincipalRisk:
    """What events elsewhere say of the person or service account for whom an agent acts.

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
    """A risk within its bounds; `NO_PRINCIPAL_RISK` where there is none."""
    if risk <= 0:
        return NO_PRINCIPAL_RISK
    kept = tuple(item[:_MAX_WORD_LENGTH] for item in words[:_MAX_WORDS])
    return PrincipalRisk(min(risk, MAX_PRINCIPAL_RISK), max(age_s, 0), kept)
