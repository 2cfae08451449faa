"""A worker process of `peers.py`: it makes calls when it is asked to, and answers how long each took.

`serve` is the worker's side, `Worker` the side of the process that asks. Nothing here imports Halo, since a peer's
worker runs in an environment of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Turn", "Worker", "serve"]


@dataclass(frozen=True, slots=True)
class Turn:
    """Some calls made one after the other.

    Args:
        wall_us: of each call.
        cpu_us: of the whole worker process since its last turn, with its threads.
    """

    wall_us: Sequence[float]
    cpu_us: float


def serve(call: Callable[[], object], finish: Callable[[], Mapping[str, Any]]) -> None:
    """Answer numbers on stdin: so many calls are made, 0 finishes.

    Args:
        call: makes one call.
        finish: checks what was made; its answer goes to the other side.
    """
    answers = sys.stdout
    sys.stdout = sys.stderr  # what a product prints is no answer
    _answer(answers, {"ready": True})
    last_us = _cpu_us()
    for line in sys.stdin:
        times, clock = int(line), time.perf_counter_ns
        if not times:
            _answer(answers, finish())
            return
        taken = []
        for _ in range(times):
            begun = clock()
            call()
            taken.append((clock() - begun) / 1000)
        now_us = _cpu_us()
        _answer(answers, {"wall_us": taken, "cpu_us": now_us - last_us})
        last_us = now_us


def _cpu_us() -> float:
    return time.process_time_ns() / 1000


def _answer(stream: Any, value: Mapping[str, Any]) -> None:
    stream.write(json.dumps(value) + "\n")
    stream.flush()


class Worker:
    """A worker process.

    Args:
        command: starts it.
        environment: of the process.

    Raises:
        ChildProcessError: it ended instead of answering; its own words are on stderr.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=dict(environment)
        )
        self._read()

    def run(self, times: int) -> Turn:
        """Make some calls, at least one."""
        answer = self._ask(times)
        return Turn(answer["wall_us"], answer["cpu_us"])

    def finish(self) -> dict[str, Any]:
        """What the worker found when it checked its calls; it ends."""
        answer = self._ask(0)
        self._process.wait(60)
        return answer

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _ask(self, times: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{times}\n")
            self._process.stdin.flush()
        except BrokenPipeError as exc:
            raise ChildProcessError("a worker has ended") from exc
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"a worker ended with exit code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
