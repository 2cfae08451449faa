"""Verifies many signatures at once (check 7): in threads, or in processes where there are many.

libsodium releases the interpreter lock, so threads run beside the pass over entries. But each signature waits for that
lock twice, so processes are faster once they have started. Each process has a pipe of its own: an executor would pass
every batch through two more threads, which wait for the same lock.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

from halo_core.crypto.keys import find_wrong_signatures
from halo_core.ledger.reader import EntryKey
from halo_core.ledger.report import Collector, format_entry_name

_BATCH: Final = 256
_MIN_SHARED: Final = 4096
"""Signatures after which it pays to start processes."""
_WAITING: Final = 2
"""Batches that wait for each thread or process at most."""


class SignatureJob(NamedTuple):
    """One signature to verify, and the entry to report if it is wrong."""

    public: bytes
    text: bytes
    signature: bytes
    key: EntryKey
    entry: str


_Signed = tuple[bytes, bytes, bytes]  # public key, text, signature


class _Workers(Protocol):
    """Verifies batches of signatures; results come in the order of the batches."""

    count: int

    def submit(self, batch: list[_Signed]) -> None:
        """Begin a batch."""
        ...

    def collect(self) -> list[int]:
        """Wait for the oldest batch; the indexes of its wrong signatures."""
        ...

    def close(self) -> None:
        """End the workers without waiting for results."""
        ...


class _Threads:
    def __init__(self, count: int) -> None:
        self.count = count
        self._pool = ThreadPoolExecutor(count, "halo-verify")
        self._running: deque[Future[list[int]]] = deque()

    def submit(self, batch: list[_Signed]) -> None:
        self._running.append(self._pool.submit(find_wrong_signatures, batch))

    def collect(self) -> list[int]:
        return self._running.popleft().result()

    def close(self) -> None:
        self._pool.shutdown()


class _Processes:
    """Processes that take batches in turn.

    Each answers its batches in order, so the oldest batch is the next answer of the process that got it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._started: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []
        self._submitted = self._collected = 0
        # Spawned, since the caller may have threads and an open database.
        context = multiprocessing.get_context("spawn")
        for _ in range(count):
            mine, other = context.Pipe()
            process = context.Process(target=_verify_batches, args=(other,), daemon=True)
            process.start()
            other.close()
            self._started.append((process, mine))

    def submit(self, batch: list[_Signed]) -> None:
        self._started[self._submitted % self.count][1].send(batch)
        self._submitted += 1

    def collect(self) -> list[int]:
        pipe = self._started[self._collected % self.count][1]
        self._collected += 1
        try:
            wrong: list[int] = pipe.recv()
        except EOFError as exc:
            raise ChildProcessError("a process that verifies signatures has ended") from exc
        return wrong

    def close(self) -> None:
        for process, pipe in self._started:
            pipe.close()
            process.join()


def _verify_batches(pipe: Connection) -> None:
    """The main loop of one process; ends when the other end of its pipe is closed."""
    while True:
        try:
            batch: list[_Signed] = pipe.recv()
        except EOFError:
            return
        pipe.send(find_wrong_signatures(batch))


class SignatureQueue:
    """Verifies signatures, and reports wrong ones in the order they were queued.

    Args:
        out: takes the findings.
        threads: how many verify.
        processes: how many do so in place of the threads once there are many signatures; below 2 for none.
    """

    def __init__(self, out: Collector, threads: int, processes: int = 1) -> None:
        self._out = out
        self._processes = processes
        self._workers: _Workers = _Threads(threads)
        self._batch: list[SignatureJob] = []
        self._taken = 0
        self._running: deque[list[SignatureJob]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish every job, even if the pass ended with an error."""
        try:
            self._submit()
            self._collect(0)
        finally:
            self._workers.close()

    def add(self, job: SignatureJob) -> None:
        """Queue a job."""
        self._batch.append(job)
        if len(self._batch) >= _BATCH:
            self._submit()

    def _submit(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        self._taken += len(batch)
        if self._processes > 1 and self._taken > _MIN_SHARED and isinstance(self._workers, _Threads):
            self._collect(0)
            self._workers.close()
            self._workers = _Processes(self._processes)
        # INVARIANT: at most `_WAITING` batches are on the way to a process, so neither end waits for the other to read.
        self._collect(_WAITING * self._workers.count - 1)
        self._workers.submit([job[:3] for job in batch])
        self._running.append(batch)

    def _collect(self, max_pending: int) -> None:
        """Wait for results until at most this many batches are left."""
        while len(self._running) > max_pending:
            batch = self._running.popleft()
            self._report(batch, self._workers.collect())

    def _report(self, batch: Sequence[SignatureJob], wrong: Sequence[int]) -> None:
        self._out.passed[7] += len(batch) - len(wrong)
        for i in wrong:
            where = f"{format_entry_name(batch[i].key)} columns body, signatures"
            self._out.add_tampered(7, where, "the signature is not the writer's", "bad_signature", batch[i].entry)
