"""The result of a drill as typed values: counts and intervals by class, holes, and the body of its entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from halo_core.drill.cases import AttackClass
from halo_core.drill.diagnosis import Hole
from halo_core.drill.running import CaseResult, CaseStatus
from halo_core.intervals import compute_wilson_interval
from halo_core.quick_dataclass import dataclass

_PER_MILLE: Final = 1000
_MAX_TARGET: Final = 200


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases, as counts.

    Args:
        hits: number of hits.
        total: number of all.
    """

    hits: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval by Wilson's method."""
        return compute_wilson_interval(self.hits, self.total)

    def reaches(self, threshold: float) -> bool:
        """Whether the share is a threshold or more; true for a share of nothing."""
        return self.hits >= threshold * self.total

    def to_json(self) -> dict[str, Any]:
        """Counts, and the interval with four digits."""
        low, high = self.interval
        return {"hits": self.hits, "high": round(high, 4), "low": round(low, 4), "total": self.total}


@dataclass(frozen=True, slots=True)
class ClassScore:
    """Results of one class.

    Args:
        attack_class: which.
        held: attacks that did not get through.
        honest: twins that ran.
        not_run: cases that could not be played.
    """

    attack_class: AttackClass
    held: Share
    honest: Share
    not_run: int

    def to_json(self) -> dict[str, Any]:
        """A tree of plain values."""
        return {
            "class": str(self.attack_class),
            "held": self.held.to_json(),
            "honest": self.honest.to_json(),
            "not_run": self.not_run,
        }


@dataclass(frozen=True, slots=True)
class Digests:
    """The subject of a drill, as digests.

    Args:
        application: over its tools as the drill found them, and the file that defines it.
        policy: hash of the policy in force.
        manifest: digest of the manifest in the home; empty if there is none.
    """

    application: str
    policy: str
    manifest: str


@dataclass(frozen=True, slots=True)
class DrillResult:
    """The result of a drill.

    Args:
        target: `MODULE:OBJECT`.
        seed: seed of all planted values.
        digests: digests of the drill's subject.
        scores: scores by class.
        holes: what let attacks through.
        interrupted: honest cases that did not run: name → reasons.
        refused: tools that were not drilled: name → why.
        not_run: cases that could not be played: why → how many.
        blocked: effects of the application's own code that were refused.
        thresholds: shares that must be held, and must run.
        sessions: how many honest sessions were read from the ledger.
    """

    target: str
    seed: int
    digests: Digests
    scores: tuple[ClassScore, ...]
    holes: tuple[Hole, ...]
    interrupted: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]
    not_run: Mapping[str, int]
    blocked: tuple[str, ...]
    thresholds: tuple[float, float]
    sessions: int = 0

    @property
    def held(self) -> Share:
        """Share of all attacks that were held."""
        return _add(score.held for score in self.scores)

    @property
    def honest(self) -> Share:
        """Share of all honest cases that ran."""
        return _add(score.honest for score in self.scores)

    @property
    def is_reached(self) -> bool:
        """Whether every class held enough of the attacks that were run, and enough honest work ran."""
        held, honest = self.thresholds
        return all(score.held.reaches(held) for score in self.scores) and self.honest.reaches(honest)

    @property
    def is_complete(self) -> bool:
        """Whether every case was run, among them an attack."""
        return bool(self.held.total) and not self.not_run

    @property
    def passed(self) -> bool:
        """Whether the thresholds are reached and all cases were run: a case not run proves nothing."""
        return self.is_reached and self.is_complete

    def to_json(self) -> dict[str, Any]:
        """A tree of plain values."""
        return {
            "blocked": list(self.blocked),
            "complete": self.is_complete,
            "classes": [score.to_json() for score in self.scores],
            "digests": {
                "application": self.digests.application,
                "manifest": self.digests.manifest,
                "policy": self.digests.policy,
            },
            "held": self.held.to_json(),
            "holes": [
                {
                    "attacks": hole.attacks,
                    "classes": [str(item) for item in hole.classes],
                    "code": str(hole.code),
                    "fix": hole.fix,
                    "tool": hole.tool,
                }
                for hole in self.holes
            ],
            "honest": self.honest.to_json(),
            "interrupted": {name: list(reasons) for name, reasons in self.interrupted.items()},
            "not_run": dict(self.not_run),
            "passed": self.passed,
            "refused": dict(self.refused),
            "seed": self.seed,
            "sessions": self.sessions,
            "target": self.target,
            "thresholds": {"held": self.thresholds[0], "honest": self.thresholds[1]},
        }

    def to_entry_body(self) -> dict[str, Any]:
        """The body of the entry `drill`: digests, seed, counts and holes; integers and texts alone."""
        held, honest = self.thresholds
        return {
            "application": self.digests.application,
            "classes": {
                str(score.attack_class): {
                    "attacks": score.held.total,
                    "held": score.held.hits,
                    "honest": score.honest.total,
                    "not_run": score.not_run,
                    "ran": score.honest.hits,
                }
                for score in self.scores
            },
            "complete": self.is_complete,
            "holes": sorted({f"{hole.code}:{hole.tool}" for hole in self.holes}),
            "manifest": self.digests.manifest,
            "passed": self.passed,
            "policy": self.digests.policy,
            "refused": sorted(self.refused),
            "seed": self.seed,
            "sessions": self.sessions,
            "target": self.target[:_MAX_TARGET],
            "thresholds": {"held": round(held * _PER_MILLE), "honest": round(honest * _PER_MILLE)},
        }


def score_classes(results: Sequence[CaseResult]) -> tuple[ClassScore, ...]:
    """Scores of the classes that have cases, in the order of `AttackClass`."""
    counts = Counter((item.case.attack_class, item.status) for item in results)

    def count(attack_class: AttackClass, *statuses: CaseStatus) -> int:
        return sum(counts[attack_class, status] for status in statuses)

    return tuple(
        ClassScore(
            item,
            Share(count(item, CaseStatus.HELD), count(item, CaseStatus.HELD, CaseStatus.ESCAPED)),
            Share(count(item, CaseStatus.RAN), count(item, CaseStatus.RAN, CaseStatus.INTERRUPTED)),
            count(item, CaseStatus.NOT_RUN),
        )
        for item in AttackClass
        if count(item, *CaseStatus)
    )


def _add(shares: Iterable[Share]) -> Share:
    parts = list(shares)
    return Share(sum(item.hits for item in parts), sum(item.total for item in parts))
