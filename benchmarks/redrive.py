"""Re-drive recorded agent sessions through a real framework, with Halo in front of every tool and model call.

    python benchmarks/redrive.py --limit 1000
    python benchmarks/redrive.py --limit 1000 --json --db sqlite:///.halo/halo.db

A scripted model says the recorded calls, tools return the recorded results; each agent (a suite's role, in one fold)
holds grants learnt from the benign sessions of the *other* fold. The script goes on after every effect. It must hold
that each recorded action has one decision, and each body that ran an earlier durable decision and one outcome.

Exit: 0 it held, 1 it did not, 2 there is nothing to drive.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from _redrive_data import BadData, Session, grants_for, load, sample, tools_of
from _redrive_langchain import LangChain
from _redrive_report import measure, read
from _redrive_witness import Witness
from halo_core.errors import HaloError
from halo_core.facade import default_home, default_url
from halo_core.store.reader import Reader

__all__ = ["main"]

_TENANT: Final = "local"
_SHOWN: Final = 12
_DRIVERS: Final = {"langchain": LangChain}
_COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    home, db = _where(options)
    try:
        everything = load(options.data)
        chosen = sample(everything, options.limit, options.seed)
        figures, wrong = _run(everything, chosen, options.framework, home=home, db=db)
    except (BadData, HaloError) as exc:
        sys.stderr.write(f"redrive: {exc}\n")
        return 2
    figures |= {"db": db, "home": str(home), "held": not wrong}
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _print(figures)
    for text in wrong:
        sys.stderr.write(f"redrive: {text}\n")
    return 1 if wrong else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    shared = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("HALO_DATA", str(shared))) / "traces"
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=folder, help="folder with sessions.jsonl.gz (default %(default)s)")
    parser.add_argument("--framework", choices=sorted(_DRIVERS), default="langchain")
    parser.add_argument("--limit", type=_size, default=200, help="sessions, 0 for all (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default %(default)s)")
    parser.add_argument("--db", metavar="URL", default="", help="store (default: a fresh folder, which is kept)")
    parser.add_argument("--home", type=Path, help="keys, policy, anchor (with --db: HALO_HOME, else .halo)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _size(text: str) -> int:
    if (size := int(text)) < 0:
        raise argparse.ArgumentTypeError("give a number of sessions, or 0 for all")
    return size


def _where(options: argparse.Namespace) -> tuple[Path, str]:
    if options.home is not None:
        home = options.home
    else:
        home = default_home() if options.db else Path(tempfile.mkdtemp(prefix="halo-redrive-"))
    return home, options.db or default_url(home)


def _run(
    everything: Sequence[Session], chosen: Sequence[Session], framework: str, *, home: Path, db: str
) -> tuple[dict[str, Any], list[str]]:
    run = secrets.token_hex(4)  # ids of their own, so that one store takes several runs
    driven = [(f"redrive.{run}.{session.id}", session) for session in chosen]
    broken: list[str] = []
    with Witness(db, _TENANT) as witness:
        begun = time.perf_counter()
        _drive(everything, driven, framework, witness, broken, home=home, db=db)
        seconds = time.perf_counter() - begun
    with Reader(db) as reader:
        return measure(read(reader, _TENANT, f"redrive.{run}."), witness, driven, broken, seconds)


def _drive(
    everything: Sequence[Session],
    driven: Sequence[tuple[str, Session]],
    framework: str,
    witness: Witness,
    broken: list[str],
    *,
    home: Path,
    db: str,
) -> None:
    tools = tools_of(everything)
    roles: dict[tuple[str, str], list[tuple[str, Session]]] = {}
    for name, session in driven:
        roles.setdefault((session.suite, session.fold), []).append((name, session))
    with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("driving", total=len(driven))
        for (suite, fold), sessions in sorted(roles.items()):
            bar.update(task, description=f"{suite} {fold}")
            granted = grants_for(everything, suite, fold)
            agent = f"{suite}-{fold}".lower()
            with _DRIVERS[framework](
                agent, tools=tools.get(suite, {}), granted=granted, witness=witness, db=db, home=home
            ) as driver:
                for name, session in sessions:
                    try:
                        driver.drive(session, name)
                    except Exception as exc:  # noqa: BLE001  one session that breaks is counted, the others go on
                        broken.append(f"{session.id}: {type(exc).__name__}: {exc}")
                    bar.advance(task)


def _print(figures: dict[str, Any]) -> None:
    view = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    grid = Table(show_header=False, box=None)
    for name, value in figures.items():
        if name not in ("stopped", "reasons", "home"):
            words = ", ".join(f"{k} {v:,}" for k, v in value.items()) if isinstance(value, dict) else str(value)
            grid.add_row(name, words)
    view.print(grid)
    table = Table(title="by label, in sessions")
    columns = ("sessions", "untouched", "with_malicious_act", "first_act_stopped", "every_act_stopped")
    for name in ("label", *columns):
        table.add_column(name.replace("_", " "), justify="left" if name == "label" else "right")
    for label, row in figures["stopped"].items():
        table.add_row(label, *(f"{row[name]:,}" for name in columns))
    view.print(table)
    why = Table(title="what touched benign sessions")
    why.add_column("rule or check: tool")
    why.add_column("sessions", justify="right")
    for reason, times in list(figures["reasons"].get("benign", {}).items())[:_SHOWN]:
        why.add_row(reason, f"{times:,}")
    view.print(why)
    view.print(f"check it: halo verify --db {figures['db']} --home {figures['home']}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
