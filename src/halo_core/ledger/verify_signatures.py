"""Room: signature jobs in batches. Takes: keys, texts, signatures. Gives: findings. Never: I/O.

libsodium releases the interpreter lock while it verifies, so a few threads use the cores that are there.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, Self

from halo_core.keys import verify
from halo_core.ledger.report import Collector, name_of

__all__ = ["Job", "SignatureQueue"]

_BATCH: Final = 256


class Job(NamedTuple):
    """One signature to verify and what to call it when it is wrong."""

    public: bytes
    text: bytes
    signature: bytes
    key: tuple[str, str, int]
    entry: str


class SignatureQueue:
    """Verifies jobs on `threads` threads; at most two batches per thread wait."""

    def __init__(self, out: Collector, threads: int) -> None:
        self._out = out
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "halo-verify") if threads > 1 else None
        self._batch: list[Job] = []
        self._running: deque[Future[list[Job]]] = deque()
        self._count = 0

    def __enter__(self) -> Self:
        """Open the queue."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish every job, also when the pass ended with an error."""
        self._submit()
        while self._running:
            self._collect()
        if self._pool is not None:
            self._pool.shutdown()

    def add(self, job: Job) -> None:
        """Queue a job."""
        self._batch.append(job)
        if len(self._batch) >= _BATCH:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        self._count += len(batch)
        if self._pool is None:
            self._report(_wrong(batch), len(batch))
            return
        self._running.append(self._pool.submit(_wrong, batch))
        while len(self._running) > 2 * self._threads:
            self._collect()
        self._out.passed[7] += len(batch)

    def _collect(self) -> None:
        wrong = self._running.popleft().result()
        self._report(wrong, 0)
        self._out.passed[7] -= len(wrong)

    def _report(self, wrong: list[Job], count: int) -> None:
        self._out.passed[7] += count - (len(wrong) if count else 0)
        for job in wrong:
            # (7) signatures
            what = "the signature is not the writer's"
            self._out.tampered(7, f"{name_of(job.key)} column body", what, "bad_signature", job.entry)


def _wrong(batch: list[Job]) -> list[Job]:
    return [job for job in batch if not verify(job.public, job.text, job.signature)]
