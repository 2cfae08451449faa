"""Deciding on a large ledger while another process opens it and a third verifies it: `measure_beside`."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Final

from _decision_measure import Agent
from _decision_world import World, open_world
from halo_core.verification import verify_store

__all__ = ["measure_beside"]

_CALLS_OF_AN_OPENER: Final = 5


def measure_beside(folder: Path, world: World, *, opens: int) -> dict[str, Any]:
    """Decide here until the store was opened so often, and verified at least once, by two other processes.

    Args:
        folder: of the store.
        world: it, opened in this process.
        opens: how often it is opened, each time by an agent that was not there before and makes five calls.

    Returns:
        Decisions here and their longest stall, the same of the agents that opened, times of opening and verifying, and
        all effects, of which none may be a denial.
    """
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Semaphore(0), context.Event()
    answers: Queue[tuple[str, float, dict[str, int]]] = context.Queue()
    others = [
        context.Process(target=_open_again_and_again, args=(folder, opens, ready, answers)),
        context.Process(target=_verify_until_told, args=(folder, ready, stop, answers)),
    ]
    for process in others:
        process.start()
    for _ in others:
        ready.acquire()
    agent = Agent(world, "allowed")
    walls: list[float] = []
    taken: dict[str, list[float]] = {"open": [], "first_calls": [], "verify": []}
    effects: dict[str, int] = {}
    while any(process.is_alive() for process in others) or not answers.empty():
        work = agent.next()
        begun = time.perf_counter()
        agent.drive(work)
        walls.append(time.perf_counter() - begun)
        while not answers.empty():
            name, seconds, found = answers.get()
            taken[name].append(seconds)
            for effect, count in found.items():
                effects[effect] = effects.get(effect, 0) + count
        if len(taken["open"]) >= opens and taken["verify"]:
            stop.set()
    for process in others:
        process.join()
        assert process.exitcode == 0, process.exitcode
    # A tenant with so much done within minutes is asked about; nothing may be denied, as it would be for a busy ledger.
    assert "deny" not in {**effects, **agent.effects}, (effects, agent.effects)
    return {
        "decisions": len(walls),
        "effects": ", ".join(f"{effect} {count:,}" for effect, count in agent.effects.most_common()),
        "p50_ms": _ms(statistics.median(walls)),
        "longest_stall_ms": _ms(max(walls)),
        "opens": len(taken["open"]),
        "open_p50_ms": _ms(statistics.median(taken["open"])),
        "open_longest_ms": _ms(max(taken["open"])),
        "calls_of_openers": sum(effects.values()),
        "longest_stall_of_openers_ms": _ms(max(taken["first_calls"])),
        "verifications": len(taken["verify"]),
        "verify_s": round(statistics.median(taken["verify"]), 1),
        "denied": 0,
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _open_again_and_again(
    folder: Path, opens: int, ready: Any, answers: Queue[tuple[str, float, dict[str, int]]]
) -> None:
    ready.release()
    for number in range(opens):
        begun = time.perf_counter()
        world = open_world(folder, agent=f"late-{number}")
        opened = time.perf_counter()
        agent = Agent(world, "allowed")
        longest = 0.0
        for _ in range(_CALLS_OF_AN_OPENER):
            work = agent.next()
            started = time.perf_counter()
            agent.drive(work)
            longest = max(longest, time.perf_counter() - started)
        world.halo.close()
        answers.put(("first_calls", longest, dict(agent.effects)))
        answers.put(("open", opened - begun, {}))


def _verify_until_told(
    folder: Path, ready: Any, stop: Event, answers: Queue[tuple[str, float, dict[str, int]]]
) -> None:
    ready.release()
    home = folder / "home"
    while not stop.is_set():
        begun = time.perf_counter()
        report = verify_store(f"sqlite:///{home / 'halo.db'}", home)
        assert report.exit_code == 0, report.findings[:3]
        answers.put(("verify", time.perf_counter() - begun, {}))
