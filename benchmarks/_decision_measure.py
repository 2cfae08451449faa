"""Time one agent's decisions beside the floors: a bare commit and a signature.

Every figure is taken in the same run as its floor, call by call in random order, since machines are noisy: the disk
alone drifts by half between minutes. Four things are timed:

    whole      begin and settle as users get them: the transaction also holds the outcome of the action before
    decision   the same with nothing else waiting for a transaction
    commit     the bare insert
    signature  PyNaCl over the same bytes
"""

from __future__ import annotations

import random
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from _decision_floor import Floor
from _decision_stages import CommitClock, Stages
from _decision_world import PER_SESSION, SURFACE, Work, World
from halo_core.errors import Denied, Pending
from halo_core.store import deferred

__all__ = ["Agent", "cpu", "latency", "stages", "warm"]

_BLOCKS: Final = 5
_UNTOUCHED: Final = frozenset({"allow", "monitor"})


class Agent:
    """One agent's calls, and what became of them."""

    def __init__(self, world: World, mix: str, *, per_session: int = PER_SESSION) -> None:
        self.effects: Counter[str] = Counter()
        self._enforcer = world.halo.enforcer
        self._store = world.halo.store
        self._work: Iterator[Work] = world.work(mix, per_session=per_session)

    def next(self) -> Work:
        """The next call."""
        return next(self._work)

    def drive(self, work: Work) -> None:
        """Decide, and settle at once: the action itself takes no time."""
        try:
            ticket = self._enforcer.begin(work.call)
        except Pending:
            self.effects["challenge"] += 1
        except Denied:
            self.effects["deny"] += 1
        else:
            assert ticket.context is not None
            self.effects[ticket.context.decision.effect.value] += 1
            ticket.succeed(work.result, SURFACE)

    def flush(self) -> None:
        """Record what waits."""
        self._store.flush()

    def check(self, mix: str) -> None:
        """The mix of effects is what the figures claim: a model that starts denying skips half of the work."""
        found = set(self.effects)
        wanted = found <= _UNTOUCHED if mix != "denied" else "deny" in found and bool(found & _UNTOUCHED)
        assert wanted, dict(self.effects)
        denied = self.effects["deny"] / self.effects.total()
        assert mix != "denied" or 0.4 < denied < 0.6, dict(self.effects)


def warm(agent: Agent, floor: Floor, times: int = 200) -> None:
    """Caches, pages and the write-ahead log are as in a process that has been running for a while."""
    for _ in range(times):
        agent.drive(agent.next())
        floor.commit()
        floor.sign()


@contextmanager
def _no_reading_thread() -> Iterator[None]:
    """Results are read by the thread that is timed.

    Without idle time the store's thread would read them while a floor is timed: a signature and a commit let other
    threads run, so the floor would look dearer and the decision cheaper than they are.
    """
    before, deferred.MAX_UNPREPARED = deferred.MAX_UNPREPARED, 0
    try:
        yield
    finally:
        deferred.MAX_UNPREPARED = before


def latency(agent: Agent, floor: Floor, *, rounds: int, gap_s: float, seed: int) -> dict[str, Any]:
    """Wall time of the four, interleaved.

    Args:
        agent: whose calls.
        floor: what they are compared with.
        rounds: how often each is timed.
        gap_s: idle time before each.
        seed: of the order.
    """
    draw = random.Random(seed)
    taken: dict[str, list[list[float]]] = {name: [[] for _ in range(_BLOCKS)] for name in _KINDS}
    with nullcontext() if gap_s else _no_reading_thread():
        for i in range(rounds):
            for name in draw.sample(_KINDS, len(_KINDS)):
                work = agent.next() if name in ("whole", "decision") else None
                if name == "decision":
                    agent.flush()
                if gap_s:
                    time.sleep(gap_s)
                taken[name][i * _BLOCKS // rounds].append(_time(_step(name, agent, floor, work)))
    found: dict[str, Any] = {name: _summary(blocks) for name, blocks in taken.items()}
    sign, commit = found["signature"]["p50"], found["commit"]
    for name in ("whole", "decision"):
        # By block as well, so that the spread of the ratio itself is known.
        ratios = [
            (statistics.median(block) - statistics.median(base)) / statistics.median(signed)
            for block, base, signed in zip(taken[name], taken["commit"], taken["signature"], strict=True)
        ]
        found[name]["excess_signatures"] = round((found[name]["p50"] - commit["p50"]) / sign, 2)
        found[name]["excess_signatures_blocks"] = [round(min(ratios), 2), round(max(ratios), 2)]
        found[name]["p99_over_commit_p99"] = round(found[name]["p99"] / commit["p99"], 2)
        found[name]["p50_over_commit_p50"] = round(found[name]["p50"] / commit["p50"], 2)
    return found


_KINDS: Final = ("whole", "decision", "commit", "signature")


def _step(name: str, agent: Agent, floor: Floor, work: Work | None) -> Callable[[], None]:
    if work is not None:
        return lambda: agent.drive(work)
    return floor.commit if name == "commit" else floor.sign


def _time(step: Callable[[], None]) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def _summary(blocks: Sequence[Sequence[float]]) -> dict[str, Any]:
    everything = sorted(value for block in blocks for value in block)
    middles = [statistics.median(block) for block in blocks]
    return {
        "p50": round(statistics.median(everything) * 1e6, 1),
        "p99": round(everything[min(len(everything) - 1, int(len(everything) * 0.99))] * 1e6, 1),
        "p50_blocks": [round(min(middles) * 1e6, 1), round(max(middles) * 1e6, 1)],
        "times": len(everything),
    }


def cpu(agent: Agent, floor: Floor, *, rounds: int, seed: int) -> dict[str, Any]:
    """CPU time of this thread for a decision, COMMIT left out, in signatures."""
    draw = random.Random(seed)
    taken: dict[str, list[float]] = {"whole": [], "decision": [], "signature": []}
    with CommitClock() as clock, _no_reading_thread():
        for _ in range(rounds):
            for name in draw.sample(list(taken), len(taken)):
                work = agent.next()
                if name == "decision":
                    agent.flush()
                before, begun = clock.cpu, time.thread_time()
                if name == "signature":
                    floor.sign()
                else:
                    agent.drive(work)
                taken[name].append(time.thread_time() - begun - (clock.cpu - before))
    middle = {name: statistics.median(values) for name, values in taken.items()}
    return {
        "us": {name: round(value * 1e6, 1) for name, value in middle.items()},
        "signatures": round(middle["decision"] / middle["signature"], 2),
        "signatures_with_outcome": round(middle["whole"] / middle["signature"], 2),
    }


def stages(agent: Agent, *, rounds: int) -> dict[str, float]:
    """Median µs by stage of the whole decision."""
    found = Stages()
    with found.on(), _no_reading_thread():
        for _ in range(rounds):
            work = agent.next()
            found.forget()
            found.round(_time(lambda work=work: agent.drive(work)))  # type: ignore[misc]
    return found.medians()
