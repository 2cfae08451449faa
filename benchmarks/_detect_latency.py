"""Room: what a score costs. Takes: sessions and a model. Gives: microseconds per event. Never: judges."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any, Final

import numpy as np
from nacl.signing import SigningKey

from _detect_data import KEY, Session, act_of, unwrapped
from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.features import features
from halo_core.behaviour.look import look_at
from halo_core.behaviour.model import Model
from halo_core.behaviour.profile import Profile

__all__ = ["measured"]

_STAGES: Final = ("look", "features", "score", "explain", "decided", "observe")


def measured(
    sessions: list[Session], baselines: dict[str, Baseline], model: Model, events: int = 3000
) -> dict[str, Any]:
    """p50 and p99 of each stage, in microseconds, one PyNaCl signature in turn with them.

    `decided` is look, features and score together, what stands on the decision path; `observe` reads a result, off it.
    """
    key = SigningKey(bytes(32))
    times: dict[str, list[float]] = {stage: [] for stage in (*_STAGES, "signature")}
    for session in sessions:
        profile = Profile(KEY)
        for text in session.requests:
            profile.asked(text)
        for event in session.events:
            _one(profile, event, baselines[session.suite], model, times)
            at = time.perf_counter_ns()
            key.sign(b"x" * 1800)
            times["signature"].append((time.perf_counter_ns() - at) / 1000)
        if len(times["score"]) >= events:
            break
    return {name: _two(row) for name, row in times.items() if row} | {"events": len(times["score"])}


def _one(profile: Profile, event: Any, baseline: Baseline, model: Model, times: dict[str, list[float]]) -> None:
    act = act_of(event)
    clock = time.perf_counter_ns
    marks = [clock()]
    look = look_at(profile, act)
    marks.append(clock())
    found = features(look, baseline, profile.sums, KEY)
    marks.append(clock())
    model.risk(found.values)
    marks.append(clock())
    model.factors(found.values)
    marks.append(clock())
    profile.acted(look.tool, look.made, acts=not look.reads, sums=found.sums)
    text = unwrapped(event.result or event.error)
    begun = clock()
    profile.observe(event.tool, text, named=look.named)
    end = clock()
    took = [(b - a) / 1000 for a, b in pairwise(marks)]
    for stage, micros in zip(("look", "features", "score", "explain"), took, strict=True):
        times[stage].append(micros)
    times["decided"].append(sum(took[:3]))
    times["observe"].append((end - begun) / 1000)


def _two(row: list[float]) -> dict[str, float]:
    p50, p99 = np.quantile(row, (0.5, 0.99))
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}
