"""Microseconds of CPU that each stage of a score takes; also used by `benchmarks/score_cost.py`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
from nacl.signing import SigningKey

from halo_core.risk.baseline import Baseline
from halo_core.risk.features import compute_features
from halo_core.risk.model import RiskModel
from halo_core.risk.observation import observe_action
from halo_core.risk.profile import Profile
from halo_studies.recordings.labelled_sessions import KEY, Session, act_of, unwrapped

__all__ = ["STAGES", "Clocked", "apart", "measured", "summed"]

STAGES: Final = ("look", "features", "score", "explain", "decided", "observe", "signature")
"""`decided` is look, features and score together, what stands on the decision path; `explain` is what comes on top
where an action is not ordinary; `observe` reads a result, off the path."""
_CLASSES: Final = {"reads": True, "impactful": False}


class Clocked:
    """Sessions scored, stage by stage, one PyNaCl signature in turn with them; CPU of this thread alone.

    Args:
        baselines: by role.
        model: that scores.
    """

    def __init__(self, baselines: Mapping[str, Baseline], model: RiskModel) -> None:
        self.times: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self.reads: list[bool] = []
        self.digest = hashlib.sha256()
        self._baselines = baselines
        self._model = model
        self._key = SigningKey(bytes(32))

    def run(self, session: Session) -> None:
        """One session."""
        profile = Profile(KEY)
        for text in session.requests:
            profile.add_request_text(text)
        for event in session.events:
            self._one(profile, event, self._baselines[session.suite])

    def _one(self, profile: Profile, event: Any, baseline: Baseline) -> None:
        act = act_of(event)
        text = unwrapped(event.result or event.error)
        clock = time.thread_time_ns
        marks = [clock()]
        look = observe_action(profile, act)
        marks.append(clock())
        values, sums = compute_features(look, baseline, profile.sums, KEY)
        marks.append(clock())
        margin = self._model.compute_margin(values)
        risk = self._model.risk_of(margin)
        marks.append(clock())
        factors = self._model.find_factors(values)
        marks.append(clock())
        profile.record_action(look.tool, look.action_fingerprint, acts=not look.is_read, sums=sums)
        marks.append(clock())
        profile.observe_result(event.tool, text, named_by_request=look.named_by_request)
        marks.append(clock())
        self._key.sign(b"x" * 1800)
        marks.append(clock())
        took = [(b - a) / 1000 for a, b in pairwise(marks)]
        for stage, micros in zip(
            ("look", "features", "score", "explain", "", "observe", "signature"), took, strict=True
        ):
            if stage:
                self.times[stage].append(micros)
        self.times["decided"].append(sum(took[:3]))
        self.reads.append(look.is_read)
        parts = [(item.id, item.value, item.moved) for item in factors]
        self.digest.update(
            repr((values, sums, margin, risk, parts, look.action_fingerprint, look.named_by_request)).encode()
        )


def measured(
    sessions: list[Session], baselines: dict[str, Baseline], model: RiskModel, events: int = 3000
) -> dict[str, Any]:
    """p50 and p99 of each stage, in microseconds of CPU."""
    clocked = Clocked(baselines, model)
    for session in sessions:
        clocked.run(session)
        if len(clocked.times["score"]) >= events:
            break
    return summed(clocked.times)


def summed(times: Mapping[str, list[float]]) -> dict[str, Any]:
    """p50 and p99 of each stage, and how many signatures that is."""
    found: dict[str, Any] = {name: _two(row) for name, row in times.items() if row}
    one = found["signature"]["p50"]
    return {
        **{name: {**row, "signatures": round(row["p50"] / one, 1)} for name, row in found.items()},
        "events": len(times["score"]),
    }


def apart(times: Mapping[str, list[float]], reads: Sequence[bool]) -> dict[str, Any]:
    """As `summed`, of actions that only read, and of all others."""
    found = {}
    for name, kind in _CLASSES.items():
        rows = {
            stage: [took for took, is_read in zip(row, reads, strict=True) if is_read is kind]
            for stage, row in times.items()
        }
        if rows["score"]:
            found[name] = summed(rows)
    return found


def _two(row: list[float]) -> dict[str, float]:
    p50, p99 = np.quantile(row, (0.5, 0.99))
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}
