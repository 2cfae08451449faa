"""Whether a decision stays as cheap as it was: large ledgers, long sessions, many rules, many agents.

    python benchmarks/flatness.py
    python benchmarks/flatness.py --entries 50000 --steps 2000 --agents 50 --beside 20000
    python benchmarks/flatness.py --only ledger beside --ledgers /var/tmp/ledgers --json --out figures.json

Each figure compares the same step where little has accumulated and where much has, in turns within one run:

    ledger    a decision with its outcome in a ledger of 10,000 and of 1,000,000 entries
    session   the first 1,000 actions of a session and the last 1,000 of 10,000
    rules     100 rules and 1,000
    agents    opening and ten calls by an agent that is new, in a store that knows 10 agents and in one that knows 1,000
    beside    deciding, opening and verifying at the same time, on 200,000 entries: denials, and the longest stall

While the large ledger is made, the memory of the process is sampled. The effects of all calls that are compared are
checked. The goal for the ratio of CPU is 1.2 at most; nothing but the effects is asserted. The whole run takes half an
hour.

Exit: 0 measured, 1 a check failed.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

from _decision_measure import Agent
from _decision_world import RULES, World, open_world
from _flatness_beside import measure_beside
from _flatness_pairs import compare
from halo_core.clock import Clock, SystemClock
from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.model import Budget
from halo_core.store.reader import Reader

__all__ = ["main"]

_SMALL_ENTRIES: Final = 10_000
_FEW_AGENTS: Final = 10
_SAMPLES: Final = 10
_DECISIONS_OF_AN_AGENT: Final = 4_000
_CALLS_OF_AN_AGENT: Final = 10
_BEGINNING_US: Final = 1_704_067_200_000_000
"""Time of the first entry of a ledger that is made: the beginning of 2024."""
_ENTRY_US: Final = 60_000_000
"""From one entry to the next, at most."""
_STEP_US: Final = 5_000_000
_PARTS: Final = ("ledger", "session", "rules", "agents", "beside")


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parse_options(argv)
    figures: dict[str, Any] = {}
    measures: dict[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
        "session": _measure_session,
        "rules": _measure_rules,
        "agents": _measure_agents,
        "ledger": _measure_ledger,
    }
    try:
        for name, measure in measures.items():
            # Both figures are taken of one ledger.
            if name in options.only or (name == "ledger" and "beside" in options.only):
                with _open_folder(name, options) as folder:
                    figures |= measure(folder, options)
                if options.out is not None:  # after each part, since the next one may take long
                    options.out.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    except AssertionError as exc:
        sys.stderr.write(f"flatness: a check failed: {exc}\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


@contextmanager
def _open_folder(part: str, options: argparse.Namespace) -> Iterator[Path]:
    """Where a part keeps its stores: a folder that is removed at the end, or that of the ledgers to be kept."""
    if part == "ledger" and options.ledgers is not None:
        yield options.ledgers
        return
    folder = Path(tempfile.mkdtemp(prefix=f"halo-flatness-{part}-", dir=options.dir))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=_PARTS, default=_PARTS, help="parts (default: all)")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the large ledger (default %(default)s)")
    parser.add_argument("--small", type=int, default=_SMALL_ENTRIES, help="of the small one (default %(default)s)")
    parser.add_argument("--beside", type=int, default=200_000, help="entries when others open it (default %(default)s)")
    parser.add_argument("--opens", type=int, default=20, help="of the store meanwhile (default %(default)s)")
    parser.add_argument("--steps", type=int, default=10_000, help="of the long session (default %(default)s)")
    parser.add_argument("--rules", type=int, default=1_000, help="of the large policy (default %(default)s)")
    parser.add_argument("--agents", type=int, default=1_000, help="of the store with many (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=1_000, help="of each comparison (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="where the databases go (default: the system's temporary folder)")
    parser.add_argument("--ledgers", type=Path, help="keep the two ledgers here; a later run goes on with them")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--out", type=Path, help="write the JSON there too, after each part")
    return parser.parse_args(argv)


def _measure_session(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The long session and sessions of at most a tenth of its steps, in one store."""
    world = open_world(folder / "world", limits=_endless_limits())
    try:
        tenth = max(options.steps // 10, 1)
        long, short = (Agent(world, "reads", per_session=steps) for steps in (options.steps, tenth))
        for _ in _track(range(options.steps - tenth), "session"):
            _walk(long)
        found = compare(lambda: _walk(short), lambda: _walk(long), rounds=tenth)
        for agent in (long, short):
            agent.check("reads")
            assert agent.effects.total() in (options.steps, tenth), agent.effects
    finally:
        world.halo.close()
    return {"session": found | {"sizes": [tenth, options.steps]}}


def _measure_rules(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    few, many = (open_world(folder / str(rules), rules=rules) for rules in (RULES, options.rules))
    try:
        agents = [Agent(world, "allowed") for world in (few, many)]
        for agent in agents:
            _walk(agent, 100)
        found = compare(lambda: _walk(agents[0]), lambda: _walk(agents[1]), rounds=options.rounds)
        for agent in agents:
            agent.check("allowed")
    finally:
        few.halo.close()
        many.halo.close()
    return {"rules": found | {"sizes": [RULES, options.rules]}}


def _measure_agents(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    made = {"few": 0, "many": 0}

    def act(name: str) -> None:
        made[name] += 1
        world = open_world(folder / name, agent=f"agent-{made[name]}")
        agent = Agent(world, "allowed")
        _walk(agent, _CALLS_OF_AN_AGENT)
        world.halo.close()
        agent.check("allowed")

    for _ in range(_FEW_AGENTS):
        act("few")
    rounds = max(options.agents // 50, 2)
    for _ in _track(range(options.agents - rounds), "agents"):
        act("many")
    found = compare(lambda: act("few"), lambda: act("many"), rounds=rounds)
    return {"agents": found | {"sizes": [_FEW_AGENTS, options.agents]}}


def _measure_ledger(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The small ledger grows by what is measured; the large one is made first."""
    small, large = folder / "small", folder / "large"
    figures: dict[str, Any] = {}
    if "beside" in options.only:
        _fill(large, options.beside)
        with _open(large) as world:
            found = measure_beside(large, world, opens=options.opens)
            figures["beside"] = {"entries": _count_entries(world)} | found
    if "ledger" in options.only:
        _fill(small, options.small)
        figures["memory"] = _fill(large, options.entries)
        with _go_on(small, "compared") as few, _go_on(large, "compared") as many:
            agents = [Agent(world, "allowed") for world in (few, many)]
            found = compare(lambda: _walk(agents[0]), lambda: _walk(agents[1]), rounds=options.rounds)
            figures["ledger"] = found | {"sizes": [_count_entries(world) for world in (few, many)]}
            for agent in agents:
                agent.check("allowed")
            # What is asked about in one ledger only is other work.
            effects = [dict(agent.effects) for agent in agents]
            assert effects[0] == effects[1], effects
    return figures


@contextmanager
def _open(folder: Path, agent: str = "office", clock: Clock | None = None) -> Iterator[World]:
    world = open_world(folder, agent=agent, clock=clock)
    try:
        yield world
    finally:
        world.halo.close()


@contextmanager
def _go_on(folder: Path, name: str) -> Iterator[World]:
    """A ledger in simulated time, after its last entry, and an agent that is new in it.

    A tenant that acts hundreds of thousands of times within an hour is unusual, and would be asked about. So would an
    agent of an earlier run that does again what it has not done for months.
    """
    present, last_us = _look_at_end(folder)
    clock = _QuickClock(max(_BEGINNING_US + present * _ENTRY_US, last_us))
    with _open(folder, f"{name}-{present}", clock) as world:
        yield world


class _QuickClock(SystemClock):
    """A wall clock that goes on by `_STEP_US` whenever it is read."""

    def __init__(self, start_us: int) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        self._now_us += _STEP_US
        return self._now_us


def _fill(folder: Path, entries: int) -> list[dict[str, float]]:
    """Decide until the ledger has so many entries; memory of the process at each tenth.

    Agents take turns, each of which is new.
    """
    samples: list[dict[str, float]] = []
    while True:
        present, _ = _look_at_end(folder)
        samples.append({"entries": present, "rss_mib": _rss_mib()})
        if present >= entries:
            return [*samples[: -1 : max(len(samples) // _SAMPLES, 1)], samples[-1]]
        with _go_on(folder, "clerk") as world:
            agent = Agent(world, "allowed")
            _walk(agent, min(_DECISIONS_OF_AN_AGENT, (entries - present + 1) // 2))  # each with its outcome
            agent.flush()


def _count_entries(world: World) -> int:
    with Reader(world.halo.store.config.url) as reader:
        return reader.next_index(reader.tenants()[0])


def _look_at_end(folder: Path) -> tuple[int, int]:
    """Entries of the ledger that a folder holds, and the time of the last one; zeros if it holds none."""
    database = folder / "home" / "halo.db"
    if not database.exists():
        return 0, 0
    with Reader(f"sqlite:///{database}") as reader:
        tenant = reader.tenants()[0]
        present = reader.next_index(tenant)
        last = reader.note_at_index(tenant, present - 1)
        return present, 0 if last is None else reader.read_entry(last).ts_us


def _walk(agent: Agent, times: int = 1) -> None:
    for _ in range(times):
        agent.drive(agent.next())


def _track(steps: range, title: str) -> Any:
    return track(steps, title, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _endless_limits() -> Limits:
    """Limits under which the long session does not end."""
    budgets = (Budget("risk", 10**6, 10**9), Budget("step", 10**6, 10**9))
    decay = replace(DEFAULT_TERMS.decay, half_life_steps=10**6, half_life_risk=10**8)
    return Limits(replace(DEFAULT_TERMS, budgets=budgets, decay=decay))


def _rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * resource.getpagesize() / 2**20, 1)


def _print(figures: dict[str, Any]) -> None:
    view = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    table = Table("", "small", "large", title="the same step, large over small", title_justify="left")
    for name in ("CPU", "of blocks", "p50", "p99", "large, CPU µs"):
        table.add_column(name, justify="right")
    for name in ("ledger", "session", "rules", "agents"):
        if name in figures:
            item = figures[name]
            ratio, sizes = item["ratio"], [f"{size:,}" for size in item["sizes"]]
            blocks = " to ".join(f"{value:.2f}" for value in ratio["cpu_blocks"])
            shown = [f"{ratio[key]:.2f}" for key in ("cpu_us", "p50_us", "p99_us")]
            table.add_row(name, *sizes, shown[0], blocks, *shown[1:], f"{item['large']['cpu_us']:,.0f}")
    view.print(table)
    if "memory" in figures:
        view.print("memory, MiB:", ", ".join(f"{row['entries']:,}: {row['rss_mib']}" for row in figures["memory"]))
    for name, value in figures.get("beside", {}).items():
        view.print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else format(value, ',')}")


if __name__ == "__main__":
    sys.exit(main())
