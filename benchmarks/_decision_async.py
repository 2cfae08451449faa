"""Measure decisions per second and the lag of the event loop with many agents on one loop."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from _decision_world import SURFACE, World, open_world
from halo_core.enforcement.enforcer import FunctionAction
from halo_core.enforcement.flow import arun
from halo_core.errors import Denied, Pending

__all__ = ["agents"]

_BEAT_S: Final = 0.002


def agents(
    folder: Path, counts: Mapping[int, float], *, rules: int, seconds: float, blocks: int, seed: int
) -> dict[str, Any]:
    """Throughput and loop lag for each number of agents, in random order of blocks.

    Each block has a ledger of its own: in one for all, so many calls would be more than the agent usually does, and
    its authority would fall.

    Args:
        folder: where the ledgers go.
        counts: number of agents → think time between an agent's calls in seconds, as well as without any.
        rules: in the policy.
        seconds: of one block.
        blocks: of each kind.
        seed: of the order.
    """
    plans = sorted({(count, think) for count, pause in counts.items() for think in (0.0, pause)})
    order = [plan for plan in plans for _ in range(blocks)]
    random.Random(seed).shuffle(order)
    rates: dict[tuple[int, float], list[float]] = {plan: [] for plan in plans}
    lags: dict[tuple[int, float], list[float]] = {plan: [] for plan in plans}
    idle = asyncio.run(_idle(seconds))
    for number, plan in enumerate(order):
        world = open_world(folder / str(number), rules=rules)
        rate, lag = asyncio.run(_block(world, *plan, seconds))
        world.halo.close()
        rates[plan].append(rate)
        lags[plan] += lag
    return {
        "idle_lag_ms_p99": _p99(idle),
        "runs": [
            {
                "agents": plan[0],
                "think_ms": round(plan[1] * 1e3),
                "per_s": round(statistics.median(rates[plan])),
                "per_s_blocks": [round(min(rates[plan])), round(max(rates[plan]))],
                "loop_lag_ms_p50": round(statistics.median(lags[plan] or [0.0]) * 1e3, 2),
                "loop_lag_ms_p99": _p99(lags[plan]),
            }
            for plan in plans
        ],
    }


def _p99(lags: list[float]) -> float:
    ordered = sorted(lags) or [0.0]
    return round(ordered[int(len(ordered) * 0.99)] * 1e3, 2)


async def _idle(seconds: float) -> list[float]:
    lags: list[float] = []
    beat = asyncio.create_task(_heart(lags))
    await asyncio.sleep(seconds)
    beat.cancel()
    return lags


async def _heart(lags: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _BEAT_S
        await asyncio.sleep(_BEAT_S)
        lags.append(loop.time() - due)


async def _block(world: World, count: int, think_s: float, seconds: float) -> tuple[float, list[float]]:
    lags: list[float] = []
    done = [0] * count
    end = time.perf_counter() + seconds
    beat = asyncio.create_task(_heart(lags))
    begun = time.perf_counter()
    await asyncio.gather(*(_agent(world, i, done, end, think_s) for i in range(count)))
    took = time.perf_counter() - begun
    beat.cancel()
    return sum(done) / took, lags


async def _agent(world: World, number: int, done: list[int], end: float, think_s: float) -> None:
    # Agents do not think in step.
    if think_s:
        await asyncio.sleep(random.uniform(0, think_s))
    for work in world.work("allowed", agent=number):
        if time.perf_counter() >= end:
            return

        async def execute(_args: Mapping[str, Any], result: str = work.result) -> str:
            return result

        try:
            await arun(FunctionAction(world.halo.enforcer, work.call, execute, SURFACE))
        except (Denied, Pending) as exc:  # fewer calls would be counted, and others than the figures claim
            raise AssertionError(f"a call of agent {number} did not run: {exc}") from exc
        done[number] += 1
        if think_s:
            await asyncio.sleep(think_s)
