"""What verifying, replaying and starting up cost, beside bare loops over the same bytes.

    python benchmarks/verification.py
    python benchmarks/verification.py --entries 200000 --memory --json

A ledger is made through the store: sessions of calls with their outcomes, under a policy of 100 rules. Then each
figure is taken in turn with its floor, in CPU time of the same process, and the best of a few rounds counts:

    hash        `verify_store` without signatures, beside SHA-256 over the same notes
    signature   what `signatures=True` adds to that, beside PyNaCl over the same texts
    replay      `Replayer.replay_all`, beside parsing, deciding and encoding the same decisions
    start       `halo --help` and `import halo_core.facade`, beside `import pydantic`

Wall time on all cores is shown as well, and says little on a shared machine. A ledger that does not verify, or a
decision that replays to other bytes, ends the run.

Exit: 0 measured, 1 a check failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from _decision_measure import Agent
from _decision_world import open_world
from _verification_floor import cpu_s, load_decisions, load_notes
from halo_core.crypto.keys import KeyStore
from halo_core.replay import Replayer, ReplayStatus, replay_log
from halo_core.store.reader import Reader, SealedContents
from halo_core.verification import verify_store

__all__ = ["main"]

_DENIED_EVERY: Final = 10  # calls: one session in ten is of the mix with denials
_START_RUNS: Final = 5
_STARTS: Final = {
    "nothing": "pass",
    "pydantic": "from pydantic import BaseModel",
    "facade": "import halo_core.facade",
    "help": "from halo_core.cli.main import main; main(['--help'])",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parse_options(argv)
    with tempfile.TemporaryDirectory(prefix="halo-verification-", dir=options.dir) as name:
        home, tenant = _build_ledger(Path(name), options.entries)
        try:
            figures = _measure(home, tenant, options)
        except AssertionError as exc:
            sys.stderr.write(f"verification: a check failed: {exc}\n")
            return 1
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=20_000, help="of the ledger (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each figure (default %(default)s)")
    parser.add_argument("--replays", type=int, default=4000, help="decisions replayed (default %(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="(default: one for each core)")
    parser.add_argument("--memory", action="store_true", help="also the largest heap of a verification (slow)")
    parser.add_argument("--dir", type=Path, help="where the ledger goes (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _build_ledger(folder: Path, entries: int) -> tuple[Path, str]:
    """A ledger of about that many entries, through the store; its home and its tenant."""
    world = open_world(folder / "world")
    try:
        allowed, denied = Agent(world, "allowed"), Agent(world, "denied")
        with Reader(world.halo.store.config.url) as reader:
            tenant = reader.tenants()[0]
        done = calls = 0
        while done < entries:
            for _ in range(100):
                calls += 1
                agent = denied if calls // 20 % _DENIED_EVERY == 0 else allowed
                agent.drive(agent.next())
            allowed.flush()
            with Reader(world.halo.store.config.url) as reader:
                done = reader.next_index(tenant)
    finally:
        world.halo.close()
    return folder / "world" / "home", tenant


def _measure(home: Path, tenant: str, options: argparse.Namespace) -> dict[str, Any]:
    url = _find_url(home)
    with Reader(url) as reader:
        entries = reader.next_index(tenant)
        figures = {
            "entries": entries,
            "verify": _measure_verify(url, home, reader, tenant, options),
            "replay": _measure_replay(url, home, reader, tenant, options),
        }
    figures["start_cpu_s"] = _measure_starts()
    if options.memory:
        figures["memory_mb"] = _measure_memory(url, home)
    figures["machine"] = {"cores": os.cpu_count(), "python": platform.python_version()}
    return figures


def _find_url(home: Path) -> str:
    return f"sqlite:///{next(path for path in home.rglob('*.db'))}"


def _measure_verify(
    url: str, home: Path, reader: Reader, tenant: str, options: argparse.Namespace
) -> dict[str, float | int]:
    notes = load_notes(reader, tenant)
    entries = len(notes.notes)

    def verify(*, signatures: bool = False, fast: bool = False, processes: int = 1) -> None:
        report = verify_store(url, home, signatures=signatures, fast=fast, processes=processes)
        assert report.exit_code == 0, report.findings[:3]

    best: dict[str, float] = {}
    for _ in range(options.rounds):
        for name, work in {
            "hash": notes.hash_all,
            "tree": lambda: verify(fast=True),
            "whole": verify,
            "signature": notes.verify_all,
            "signed": lambda: verify(signatures=True),
        }.items():
            best[name] = min(best.get(name, 1e9), cpu_s(work))
    start = time.perf_counter()
    verify(signatures=True, processes=options.processes)
    wall_s = time.perf_counter() - start
    return {
        "note_bytes": sum(map(len, notes.notes)) // entries,
        "hash_us": _per_item_us(best["hash"], entries),
        "tree_us": _per_item_us(best["tree"], entries),
        "whole_us": _per_item_us(best["whole"], entries),
        "signature_us": _per_item_us(best["signature"], entries),
        "signed_us": _per_item_us(best["signed"], entries),
        "entries_per_cpu_s": round(entries / best["whole"]),
        "share_of_hash": round(best["hash"] / best["whole"], 3),
        "share_of_signature": round(best["signature"] / (best["signed"] - best["whole"]), 3),
        "signed_share_of_signature": round(best["signature"] / best["signed"], 3),
        "signed_entries_per_s": round(entries / wall_s),
        "signed_share_of_signature_all_cores": round(best["signature"] / options.processes / wall_s, 3),
    }


def _measure_replay(
    url: str, home: Path, reader: Reader, tenant: str, options: argparse.Namespace
) -> dict[str, float | int]:
    contents = SealedContents.with_home_key(reader, KeyStore(home))
    floor = load_decisions(reader, contents, tenant, options.replays)
    decisions = len(floor.inputs)
    best: dict[str, float] = {}

    def replay() -> None:
        _check_replay(list(_take(Replayer(reader, contents, tenant).replay_all(), decisions)))

    for _ in range(options.rounds):
        best["floor"] = min(best.get("floor", 1e9), cpu_s(floor.decide_all))
        best["replay"] = min(best.get("replay", 1e9), cpu_s(replay))
    start = time.perf_counter()
    results = list(replay_log(url, home, tenant, processes=options.processes))
    wall_s = time.perf_counter() - start
    _check_replay(results)
    return {
        "decisions": len(results),
        "floor_us": _per_item_us(best["floor"], decisions),
        "replay_us": _per_item_us(best["replay"], decisions),
        "decisions_per_cpu_s": round(decisions / best["replay"]),
        "share_of_floor": round(best["floor"] / best["replay"], 3),
        "decisions_per_s": round(len(results) / wall_s),
        "share_of_floor_all_cores": round(best["floor"] / decisions * len(results) / options.processes / wall_s, 3),
    }


def _take(results: Any, count: int) -> Any:
    return (item for _, item in zip(range(count), results, strict=False))


def _check_replay(results: Sequence[Any]) -> None:
    counts = Counter(item.status for item in results)
    assert results, "no decision was replayed"
    assert set(counts) == {ReplayStatus.IDENTICAL}, counts


def _per_item_us(seconds: float, items: int) -> float:
    return round(seconds / items * 1e6, 2)


def _measure_starts() -> dict[str, float]:
    """CPU seconds of a fresh interpreter for each of `_STARTS`, the least of a few runs.

    As after an installation, bytecode is there: a run of its own writes it, wherever this process was told not to.
    """
    best = dict.fromkeys(_STARTS, 1e9)
    with tempfile.TemporaryDirectory(prefix="halo-verification-") as bytecode:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = bytecode
        for number in range(_START_RUNS + 1):
            for name, code in _STARTS.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                subprocess.run(  # noqa: S603  our own
                    [sys.executable, "-c", code], stdout=subprocess.DEVNULL, env=environment, check=False
                )
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                if number:
                    best[name] = min(best[name], round(taken, 3))
    return best | {"facade_over_pydantic": round(best["facade"] - best["pydantic"], 3)}


def _measure_memory(url: str, home: Path) -> float:
    """Largest heap of one verification with signatures, in MB."""
    tracemalloc.start()
    try:
        verify_store(url, home, signatures=True)
        return round(tracemalloc.get_traced_memory()[1] / 1e6, 1)
    finally:
        tracemalloc.stop()


def _print(figures: dict[str, Any]) -> None:
    console = Console()
    verify, replay, start = figures["verify"], figures["replay"], figures["start_cpu_s"]
    cores = figures["machine"]["cores"]
    table = Table(title=f"{figures['entries']:,} entries of {verify['note_bytes']} bytes", title_justify="left")
    for name in ("", "CPU µs", "floor µs", "share of the floor", "per second"):
        table.add_column(name, justify="left" if not name else "right")
    hashed, signature = verify["hash_us"], verify["signature_us"]
    rate = f"{verify['entries_per_cpu_s']:,} a core"
    added = round(verify["signed_us"] - verify["whole_us"], 2)
    rows = (
        ("tree alone", verify["tree_us"], hashed, hashed / verify["tree_us"], ""),
        ("verify", verify["whole_us"], hashed, verify["share_of_hash"], rate),
        ("what --signatures adds", added, signature, verify["share_of_signature"], ""),
        ("verify --signatures", verify["signed_us"], signature, verify["signed_share_of_signature"], ""),
        (
            f"verify --signatures, {cores} cores",
            "",
            "",
            verify["signed_share_of_signature_all_cores"],
            f"{verify['signed_entries_per_s']:,}",
        ),
        (
            "replay",
            replay["replay_us"],
            replay["floor_us"],
            replay["share_of_floor"],
            f"{replay['decisions_per_cpu_s']:,} a core",
        ),
        (
            f"replay, {cores} cores",
            "",
            "",
            replay["share_of_floor_all_cores"],
            f"{replay['decisions_per_s']:,}",
        ),
    )
    for name, cpu, base, share, per_second in rows:
        table.add_row(name, str(cpu), str(base), f"{share:.0%}", per_second)
    console.print(table)
    starts = Table(title="start, CPU s", title_justify="left")
    for name in start:
        starts.add_column(name.replace("_", " "), justify="right")
    starts.add_row(*(f"{value:.2f}" for value in start.values()))
    console.print(starts)
    if "memory_mb" in figures:
        console.print(f"largest heap of a verification: {figures['memory_mb']} MB")


if __name__ == "__main__":
    sys.exit(main())
