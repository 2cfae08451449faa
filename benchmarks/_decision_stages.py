"""Measures where the time of a decision goes: `Stages` times functions of the engine, `CommitClock` the COMMIT.

Functions are wrapped for as long as the measurement lasts; a stage's time is its own, without the stages inside it.
Wrapping costs about a microsecond a call, so the sum lies above what an unwrapped decision takes.
"""

from __future__ import annotations

import functools
import importlib
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from halo_core import failpoints

__all__ = ["STAGES", "CommitClock", "Stages"]

# Stage → where it happens. A name that is gone is left out, so that a change elsewhere does not stop the benchmark.
STAGES: Final[tuple[tuple[str, str], ...]] = (
    ("translate", "halo_core.enforcement.preparer:Preparer.prepare"),
    ("redact", "halo_core.content.redaction:Redactor.seal"),
    ("redact", "halo_core.content.redaction:Redactor.seal_text"),
    ("arguments canonical", "halo_core.crypto.canonical:encode"),
    ("begin", "halo_core.store.database:Database.begin"),
    ("session reads", "halo_core.enforcement.jobs:read_session"),
    ("snapshot reads", "halo_core.enforcement.jobs:build_snapshot"),
    ("plan", "halo_core.enforcement.planner:Planner.decide"),
    ("provenance", "halo_core.enforcement.snapshot_builder:trace_call"),
    ("texts seen", "halo_core.enforcement.snapshot_builder:record_observation"),
    ("texts seen", "halo_core.enforcement.outcome_job:record_observation"),
    ("texts seen", "halo_core.enforcement.outcome_job:record_conversation"),
    ("result text", "halo_core.enforcement.outcome_job:_read_result_text"),
    ("behaviour", "halo_core.enforcement.snapshot_builder:read_behaviour"),
    ("behaviour", "halo_core.enforcement.outcome_job:OutcomeJob._update_tallies"),
    ("facts", "halo_core.enforcement.planner:read_facts"),
    ("facts", "halo_core.enforcement.snapshot_builder:read_facts"),
    ("payment windows", "halo_core.enforcement.snapshot_builder:read_payment_facts"),
    ("session opened", "halo_core.enforcement.planner:load_active_chain"),
    ("decide", "halo_core.enforcement.jobs:decide"),
    ("policy", "halo_core.policy.engine:CedarPolicy.answer"),
    ("cedar", "cedarpy:is_authorized_batch"),
    ("append", "halo_core.store.transaction:Transaction.append"),
    ("seal content", "halo_core.store.transaction:seal"),
    ("encode and sign", "halo_core.store.writers:encode_entry"),
    ("signature", "halo_core.crypto.keys:Ed25519Signer.sign"),
    ("inserts", "halo_core.store.row_access:RowAccess.insert"),
    ("inserts", "halo_core.store.row_access:RowAccess.insert_rows"),
    ("transaction", "halo_core.store.store:Store.commit"),
    ("passport chain", "halo_core.enforcement.passport_store:PassportStore.load_chain"),
    ("price and charge", "halo_core.enforcement.jobs:charge_account"),
    ("state bytes", "halo_core.store.session_state:SessionState.to_bytes"),
    ("session state", "halo_core.store.transaction:Transaction.put_session"),
    ("session state", "halo_core.store.session_state:SessionState.make_commitment"),
    ("bodies", "halo_core.model.snapshot:Snapshot.to_plain"),
    ("bodies", "halo_core.model.request:AccessRequest.to_plain"),
    ("bodies", "halo_core.model.decision:Decision.to_plain"),
    ("outcome job", "halo_core.enforcement.outcome_job:OutcomeJob.__call__"),
    ("settle", "halo_core.enforcement.enforcer:Enforcer.queue_outcome"),
)


class Stages:
    """Time by stage; `with stages.on():` around what is measured, `stages.round()` after each decision."""

    def __init__(self) -> None:
        self._now: dict[str, float] = {}
        self._inside: list[float] = []
        self._rounds: list[dict[str, float]] = []
        self._at = 0.0
        self._thread = threading.get_ident()

    @contextmanager
    def on(self) -> Iterator[Stages]:
        """Wrap the functions, and unwrap them again."""
        undo: list[Callable[[], None]] = []
        for stage, place in STAGES:
            module, _, path = place.partition(":")
            *outer, name = path.split(".")
            owner: Any = importlib.import_module(module)
            for part in outer:
                owner = getattr(owner, part, None)
            known = vars(owner).get(name) if owner is not None else None
            if callable(known):  # a class or static method would lose what it is bound to
                setattr(owner, name, self._timed(stage, known))
                undo.append(functools.partial(setattr, owner, name, known))
        failpoints.arm_failpoints(self._point)
        try:
            yield self
        finally:
            failpoints.arm_failpoints(None)
            for step in reversed(undo):
                step()

    def _timed(self, stage: str, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(wrapped)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self._thread:  # the store's own thread
                return wrapped(*args, **kwargs)
            inside = self._inside
            inside.append(0.0)
            begun = time.perf_counter()
            try:
                return wrapped(*args, **kwargs)
            finally:
                self._add(stage, time.perf_counter() - begun, inside.pop())

        return timed

    def _add(self, stage: str, took: float, nested: float) -> None:
        self._now[stage] = self._now.get(stage, 0.0) + took - nested
        if self._inside:
            self._inside[-1] += took

    def _point(self, name: str) -> None:
        if threading.get_ident() != self._thread:
            return
        if name == "before_commit":
            self._at = time.perf_counter()
        elif name == "after_commit":
            self._add("commit", time.perf_counter() - self._at, 0.0)

    def round(self, whole: float) -> None:
        """One decision is over; `whole` is what it took, in seconds."""
        self._now["rest"] = whole - sum(self._now.values())
        self._now["whole, wrapped"] = whole
        self._rounds.append(self._now)
        self._now = {}

    def forget(self) -> None:
        """Drop what happened between two decisions."""
        self._now = {}
        self._inside.clear()

    def medians(self) -> dict[str, float]:
        """Median µs of each stage, largest first."""
        names = {name for item in self._rounds for name in item}
        found = {name: statistics.median(item.get(name, 0.0) for item in self._rounds) * 1e6 for name in names}
        return {name: round(value, 1) for name, value in sorted(found.items(), key=lambda pair: -pair[1])}


class CommitClock:
    """CPU and wall time spent in COMMIT, by the failpoints on both sides of it."""

    def __init__(self) -> None:
        self.cpu = self.wall = 0.0
        self._cpu = self._wall = 0.0
        self._thread = threading.get_ident()

    def __enter__(self) -> Self:
        """Listen."""
        failpoints.arm_failpoints(self._point)
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop listening."""
        failpoints.arm_failpoints(None)

    def _point(self, name: str) -> None:
        if threading.get_ident() != self._thread:
            return
        if name == "before_commit":
            self._cpu, self._wall = time.thread_time(), time.perf_counter()
        elif name == "after_commit":
            self.cpu += time.thread_time() - self._cpu
            self.wall += time.perf_counter() - self._wall
