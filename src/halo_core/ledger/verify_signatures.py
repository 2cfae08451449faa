"""Verification of many signatures at once (check 7): in threads, and in processes where there are many.

libsodium releases the interpreter lock meanwhile, so threads run beside the pass over entries. But each signature waits
for that lock twice, so processes are faster as soon as they have started.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from types import TracebackType
from typing import Final, NamedTuple, Self

from halo_core.crypto.keys import find_wrong_signatures
from halo_core.ledger.reader import EntryKey
from halo_core.ledger.report import Collector, format_entry_name

_BATCH: Final = 256
_MIN_SHARED: Final = 4096
"""Signatures after which it pays to start processes."""


class SignatureJob(NamedTuple):
    """One signature to verify, and the entry to report if it is wrong."""

    public: bytes
    text: bytes
    signature: bytes
    key: EntryKey
    entry: str


class SignatureQueue:
    """Verifies signatures, and reports those that are wrong in the order in which they came.

    At most two batches wait for each thread or process.

    Args:
        out: takes the findings.
        threads: how many verify.
        processes: how many do so in place of the threads once there are many signatures; below 2 for none.
    """

    def __init__(self, out: Collector, threads: int, processes: int = 1) -> None:
        self._out = out
        self._workers = threads
        self._processes = processes
        self._pools: list[Executor] = [ThreadPoolExecutor(threads, "halo-verify")]
        self._batch: list[SignatureJob] = []
        self._taken = 0
        self._running: deque[tuple[Future[list[int]], list[SignatureJob]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish every job, even if the pass ended with an error."""
        self._submit()
        while self._running:
            self._collect()
        for pool in self._pools:
            pool.shutdown()

    def add(self, job: SignatureJob) -> None:
        """Queue a job."""
        self._batch.append(job)
        if len(self._batch) >= _BATCH:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        self._taken += len(batch)
        if self._processes > 1 and self._taken > _MIN_SHARED and len(self._pools) == 1:
            # Spawned, since the caller may have threads and an open database.
            self._pools.append(ProcessPoolExecutor(self._processes, multiprocessing.get_context("spawn")))
            self._workers = self._processes
        self._running.append((self._pools[-1].submit(find_wrong_signatures, [job[:3] for job in batch]), batch))
        while len(self._running) > 2 * self._workers:
            self._collect()

    def _collect(self) -> None:
        future, batch = self._running.popleft()
        wrong = future.result()
        self._out.passed[7] += len(batch) - len(wrong)
        for i in wrong:
            where = f"{format_entry_name(batch[i].key)} columns body, signatures"
            self._out.add_tampered(7, where, "the signature is not the writer's", "bad_signature", batch[i].entry)
