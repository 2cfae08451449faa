"""What another process writes is in force at the very next decision of every running process. Invariants: REV, ENV.

Workers hold what they read in memory (`store/image.py`). In turn, a stop, a revocation, a change of mode and a spent
budget are committed here, and the next decision of each worker is looked at; likewise when a stop is lifted and the
mode goes back. In hot rounds the workers decide all the time; in calm ones nobody writes between a worker's last
decision and the change.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from foreign_worker import AGENT, SESSION_CENTS, attempt, open_halo

from counts import is_thorough
from halo_core.facade import HaloBase
from halo_core.model import Stop
from halo_core.oversight.control_acts import raise_floor
from halo_core.oversight.restrictions import lift, revoke, stop
from halo_world import cli, verified
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

WORKERS = 8 if is_thorough() else 3
TRIES = int(os.environ.get("HALO_FOREIGN_TRIES") or (10_000 if is_thorough() else 36))
"""Decisions that are looked at."""


class Worker:
    """A running process of `foreign_worker.py`; `ask` sends a command, `answer` waits for what it says."""

    def __init__(self, home: Path) -> None:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        line = [*find_python(), str(Path(__file__).with_name("foreign_worker.py")), str(home)]
        self._process = subprocess.Popen(line, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command: str) -> None:
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        return self._process.stdout.readline().strip()

    def end(self) -> int:
        self._process.stdin.close()
        code = self._process.wait(300)
        self._process.stdout.close()
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running(home: Path, count: int) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        workers = [Worker(home) for _ in range(count)]
        for worker in workers:
            stack.callback(worker.kill)
        assert [worker.answer() for worker in workers] == ["ready"] * count
        yield workers
        assert [worker.end() for worker in workers] == [0] * count


def run_verb(home: Path, *terms: str) -> None:
    """Run a verb of `halo`, as a person does."""
    code, out, err = cli(*terms, home=home)
    if code != 0:
        pytest.fail(f"`halo {' '.join(terms)}` exited with {code}\nstdout: {out}\nstderr: {err}", pytrace=False)


def changes_of(halo: HaloBase, kind: str, session: str) -> Iterator[tuple[str, str]]:
    """Make each change of a round; after it, the tool to probe and what must become of its next call."""
    if kind == "stop":
        halo.store.commit(lambda tx: stop(tx, Stop("agent", AGENT, 1), "mia", "odd"))
        yield "lookup", "stopped"
        halo.store.commit(lambda tx: lift(tx, "agent", AGENT, "mia", "found"))
        yield "lookup", "ran"
    elif kind == "revocation":
        halo.store.commit(lambda tx: revoke(tx, "session", session, "mia", "lost"))
        yield "lookup", "revoked"
    elif kind == "mode":
        run_verb(halo.home, "observe", "--for", "1h", "--why", "a test")
        yield "wipe", "ran"
        # What `halo enforce` does at its end; before that it reads the whole log, which grows from round to round.
        assert halo.store.commit(lambda tx: raise_floor(tx, "mia"))
        yield "wipe", "grave_impact"
    else:
        with halo.session(session):
            for _ in range(SESSION_CENTS // 100_00):
                assert attempt(halo, "pay", amount=100) == "ran"
        yield "pay", "budget_exceeded"


def prepare(workers: Sequence[Worker], session: str, *, hot: bool) -> None:
    """Each has decided in the session; calm ones one after the other, so that the last sees nothing else written."""
    if hot:
        for worker in workers:
            worker.ask(f"session {session} hot")
        assert [worker.answer() for worker in workers] == ["ran"] * len(workers)
        return
    for worker in workers:
        worker.ask(f"session {session} calm")
        assert worker.answer() == "ran"


def probe(workers: Sequence[Worker], tool: str, *, hot: bool) -> list[str]:
    """What became of the next call of each; calm ones in reverse, so that the first saw nothing but the change."""
    if not hot:
        answers = []
        for worker in reversed(workers):
            worker.ask(f"probe {tool}")
            answers.append(worker.answer())
        return answers
    for worker in workers:
        worker.ask(f"probe {tool}")
    return [worker.answer() for worker in workers]


@pytest.mark.slow
def test_what_another_process_writes_is_in_force_at_the_next_decision(home):
    tries = 0
    with open_halo(home) as halo, running(home, WORKERS) as workers:
        run_verb(home, "enforce", "--yes")
        number = 0
        while tries < TRIES:
            number += 1
            kind = ("stop", "revocation", "mode", "budget")[number % 4]
            hot = number // 4 % 2 == 0
            order = workers[number % WORKERS :] + workers[: number % WORKERS]
            session = f"{kind}-{number}"
            prepare(order, session, hot=hot)
            for tool, wanted in changes_of(halo, kind, session):
                answers = probe(order, tool, hot=hot)
                tries += len(answers)
                misses = [(kind, session, hot, wanted, answer) for answer in answers if answer != wanted]
                assert misses == [], f"after {tries} tries"
    assert tries >= TRIES
    assert verified(home) == 0
