"""What a decision costs: in one process, embedded, durable in SQLite, with a policy of 100 rules.

    python benchmarks/decision.py --quick
    python benchmarks/decision.py --json --out figures.json
    python benchmarks/decision.py --profile
    python benchmarks/decision.py --memory 20000

Absolute times say little on a shared machine. What is compared with the goals are ratios to two floors, timed call by
call in random order within the same run: a bare durable SQLite insert of an entry's bytes, and a PyNaCl signature over
them. The effects of all calls are checked, so that no figure comes from a path that does less.

Exit: 0 measured, 1 a check failed.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import resource
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from _decision_async import agents
from _decision_floor import Floor, open_floor
from _decision_measure import Agent, cpu, latency, stages, warm
from _decision_world import RULES, World, open_world

__all__ = ["main"]

_GAPS: Final = {"hot": 0.0, "gap5": 0.005, "gap50": 0.05}
_FULL: Final = {"hot": 4000, "gap5": 1000, "gap50": 300}
_QUICK: Final = {"hot": 800, "gap5": 200, "gap50": 50}
_THINK: Final = {1: 0.05, 32: 0.05, 256: 0.05}
_FULL_BLOCKS: Final = (2.0, 5)
_QUICK_BLOCKS: Final = (1.0, 2)
"""Seconds of a block of many agents, and blocks of each kind."""
_SAMPLES: Final = 10


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    with tempfile.TemporaryDirectory(prefix="halo-decision-", dir=options.dir) as name:
        folder = Path(name)
        world = open_world(folder / "world", rules=options.rules)
        try:
            if options.profile:
                _profile(world)
                return 0
            figures = _memory(world, options.memory) if options.memory else _measure(world, folder, options)
        except AssertionError as exc:
            sys.stderr.write(f"decision: a check failed: {exc}\n")
            return 1
        finally:
            world.halo.close()
    if options.out is not None:
        options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="under a minute, wider spread")
    parser.add_argument("--rules", type=int, default=RULES, help="in the policy (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="where the databases go (default: the system's temporary folder)")
    parser.add_argument("--no-async", action="store_true", help="one agent only")
    parser.add_argument("--profile", action="store_true", help="cProfile of the whole decision, and nothing else")
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="memory over N decisions, and nothing else")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--out", type=Path, help="write the JSON there too")
    return parser.parse_args(argv)


def _measure(world: World, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    rounds = _QUICK if options.quick else _FULL
    agent = Agent(world, "allowed")
    _walk(agent, 100)
    size = _entry_size(folder / "world")
    effects: dict[str, Counter[str]] = {"allowed": Counter(agent.effects), "denied": Counter()}
    with open_floor(folder / "floor", size) as floor:
        found = _one_agent(folder, floor, rounds, effects, options)
        many = {}
        if not options.no_async:
            seconds, blocks = _QUICK_BLOCKS if options.quick else _FULL_BLOCKS
            many = agents(
                folder / "async", _THINK, rules=options.rules, seconds=seconds, blocks=blocks, seed=options.seed
            )
    return _headline(found, many) | {
        "latency_us": found["latency"],
        "cpu": found["cpu"],
        "stages_us": found["stages"],
        "async": many,
        "effects": {mix: dict(counted) for mix, counted in effects.items()},
        "entry_bytes": size,
        "rules": options.rules,
        "machine": _machine(),
    }


def _walk(agent: Agent, times: int) -> None:
    for _ in range(times):
        agent.drive(agent.next())
    agent.flush()


def _one_agent(
    folder: Path, floor: Floor, rounds: dict[str, int], effects: dict[str, Counter[str]], options: argparse.Namespace
) -> dict[str, Any]:
    """Take each figure from an agent of its own: thousands of payments of one agent would be asked about as unusual."""

    def measure(name: str, mix: str, figure: Callable[[Agent], Any]) -> Any:
        world = open_world(folder / name, rules=options.rules)
        try:
            agent = Agent(world, mix)
            warm(agent, floor)
            measured = figure(agent)
            agent.check(mix)
        finally:
            world.halo.close()
        effects[mix] += agent.effects
        return measured

    def time_regime(name: str, mix: str, count: int, seed: int) -> Any:
        gap_s = _GAPS.get(name, 0.0)
        return measure(name, mix, lambda agent: latency(agent, floor, rounds=count, gap_s=gap_s, seed=seed))

    hot, seed = rounds["hot"], options.seed
    regimes = {name: time_regime(name, "allowed", rounds[name], seed + i) for i, name in enumerate(_GAPS)}
    regimes["hot_denied"] = time_regime("hot_denied", "denied", hot // 4, seed + 9)
    return {
        "latency": regimes,
        "cpu": measure("cpu", "allowed", lambda agent: cpu(agent, floor, rounds=hot // 2, seed=seed)),
        "stages": measure("stages", "allowed", lambda agent: stages(agent, rounds=hot // 2)),
    }


def _headline(found: dict[str, Any], many: dict[str, Any]) -> dict[str, Any]:
    regimes = found["latency"]
    runs = {(item["agents"], item["think_ms"]): item for item in many.get("runs", ())}
    headline: dict[str, Any] = {
        "excess_signatures_p50": {name: regimes[name]["whole"]["excess_signatures"] for name in _GAPS},
        "excess_signatures_p50_decision": {name: regimes[name]["decision"]["excess_signatures"] for name in _GAPS},
        "whole_p99_over_commit_p99": {name: regimes[name]["whole"]["p99_over_commit_p99"] for name in _GAPS},
        "cpu_signatures": found["cpu"]["signatures"],
        "cpu_signatures_with_outcome": found["cpu"]["signatures_with_outcome"],
    }
    if runs:
        # Busy with 32, and 256 that pause as agents do.
        headline["loop_lag_ms_p99"] = {"32": runs[32, 0]["loop_lag_ms_p99"], "256": runs[256, 50]["loop_lag_ms_p99"]}
        headline["per_s"] = {str(count): runs[count, 0]["per_s"] for count in _THINK}
        headline["throughput_32_over_1"] = round(runs[32, 0]["per_s"] / runs[1, 0]["per_s"], 2)
    return headline


def _entry_size(folder: Path) -> int:
    """Median bytes of a decision's entry."""
    with sqlite3.connect(folder / "home" / "halo.db") as connection:
        rows = connection.execute(
            "SELECT length(body) FROM entry WHERE kind='decision' ORDER BY 1 LIMIT 1 "
            "OFFSET (SELECT count(*) / 2 FROM entry WHERE kind='decision')"
        ).fetchall()
    connection.close()
    return int(rows[0][0])


def _machine() -> dict[str, Any]:
    model = ""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}",
    }


def _profile(world: World) -> None:
    agent = Agent(world, "allowed")
    _walk(agent, 300)
    profile = cProfile.Profile()
    works = [agent.next() for _ in range(1000)]
    profile.enable()
    for work in works:
        agent.drive(work)
    profile.disable()
    for order in ("tottime", "cumtime"):
        pstats.Stats(profile, stream=sys.stdout).sort_stats(order).print_stats(40)


def _memory(world: World, decisions: int) -> dict[str, Any]:
    """Memory of the process over many decisions of sessions that end: it must not grow with them.

    After some 20,000 payments within minutes the agent is asked about as unusual, which is part of what is measured.
    """
    samples = []
    agent = Agent(world, "allowed")
    _walk(agent, 100)
    begun = time.perf_counter()
    for i in range(_SAMPLES):
        samples.append({"decisions": i * decisions // _SAMPLES, "rss_mib": _rss_mib()})
        for _ in range(decisions // _SAMPLES):
            agent.drive(agent.next())
    agent.flush()
    samples.append({"decisions": decisions, "rss_mib": _rss_mib()})
    return {
        "memory": samples,
        "effects": dict(agent.effects),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "per_s": round(decisions / (time.perf_counter() - begun)),
        "machine": _machine(),
    }


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


def _print(figures: dict[str, Any]) -> None:
    view = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    grid = Table(show_header=False, box=None)
    for name, value in figures.items():
        if name not in ("latency_us", "stages_us", "async", "memory"):
            grid.add_row(name.replace("_", " "), _words(value))
    view.print(grid)
    for title, rows in (
        ("latency, µs", _latency_rows(figures)),
        ("stages of the whole decision, µs (median)", [{"stage": k, "µs": v} for k, v in _of(figures, "stages_us")]),
        ("agents on one event loop", figures.get("async", {}).get("runs", [])),
        ("memory", figures.get("memory", [])),
    ):
        if rows:
            table = Table(title=title)
            for name in rows[0]:
                table.add_column(name.replace("_", " "), justify="left" if name in ("regime", "what") else "right")
            for row in rows:
                table.add_row(*(_words(value) for value in row.values()))
            view.print(table)


def _of(figures: dict[str, Any], name: str) -> list[tuple[str, Any]]:
    return list(figures.get(name, {}).items())


def _latency_rows(figures: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "regime": regime,
            "what": what,
            "p50": item["p50"],
            "p50 of blocks": item["p50_blocks"],
            "p99": item["p99"],
            "excess signatures": item.get("excess_signatures", ""),
            "of blocks": item.get("excess_signatures_blocks", ""),
            "p99 / commit": item.get("p99_over_commit_p99", ""),
        }
        for regime, kinds in _of(figures, "latency_us")
        for what, item in kinds.items()
    ]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(item)}" for name, item in value.items())
    if isinstance(value, list):
        return " to ".join(_words(item) for item in value)
    return f"{value:,}" if isinstance(value, int | float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
