"""What a governed call costs beside a peer's, at the same number of rules: Microsoft's agent-governance-toolkit.

    python benchmarks/peers.py --install
    python benchmarks/peers.py
    python benchmarks/peers.py --rules 100 --calls 4000 --json

Halo decides, records decision and outcome, signs both and commits them to SQLite. The toolkit's `govern()` decides and
appends an HMAC to its file; `fsync` is added, so that both records are durable (see `_peers_toolkit.py`). Each runs in
a process of its own, and they take turns in random order within one run, since machines are noisy: what counts is the
ratio. A bare durable insert into SQLite is timed as well.

The toolkit is no dependency of Halo. `--install` puts it into an environment of its own below `build/`; without one,
the benchmark says so and ends. Both check what they recorded at the end.

Exit: 0 measured or skipped, 1 a check failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from _peers_turns import Turn, Worker

__all__ = ["main"]

TOOLKIT: Final = "agent-governance-toolkit-core==5.0.0"
_HERE: Final = Path(__file__).resolve().parent
_ENVIRONMENT: Final = _HERE.parent / "build" / "peers"
_RULES: Final = (10, 100)
_WORKERS: Final = ("halo", "toolkit", "commit")
_BLOCKS: Final = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _parse_options(argv)
    if options.install:
        _install(options.python)
    reason = _find_reason_to_skip(options.python)
    if reason:
        sys.stderr.write(f"peers: skipped, {reason}\n")
        return 0
    figures = []
    with tempfile.TemporaryDirectory(prefix="halo-peers-", dir=options.dir) as name:
        for rules in options.rules:
            try:
                figures.append(_measure(Path(name) / str(rules), rules, options))
            except ChildProcessError as exc:
                sys.stderr.write(f"peers: {exc}\n")
                return 1
    if options.json:
        sys.stdout.write(json.dumps({"toolkit": TOOLKIT, "runs": figures}, indent=2) + "\n")
    else:
        _print(figures)
    return 0


def _parse_options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--install", action="store_true", help=f"first install {TOOLKIT} with pip")
    parser.add_argument(
        "--python",
        type=Path,
        default=_ENVIRONMENT / "bin" / "python",
        help="of the environment that has the toolkit (default: below build/peers)",
    )
    parser.add_argument("--rules", type=int, nargs="+", default=_RULES, help="in the policies (default: 10 and 100)")
    parser.add_argument("--calls", type=int, default=2000, help="of each, for each number of rules")
    parser.add_argument(
        "--turn", type=int, default=10, help="calls that one makes before the next (default %(default)s)"
    )
    parser.add_argument("--gap-ms", type=float, default=0.0, help="idle time before each turn (default %(default)s)")
    parser.add_argument(
        "--warm", type=int, default=200, help="calls before the first that counts (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the order (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="where the records go (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _install(python: Path) -> None:
    environment = python.parent.parent
    if not python.exists():
        venv.create(environment, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", TOOLKIT]
    subprocess.run(command, check=True)  # noqa: S603  our own


def _find_reason_to_skip(python: Path) -> str:
    if not python.exists():
        return f"there is no `{python}`: run with --install once"
    command = [str(python), "-c", "from agentmesh.governance import govern"]
    if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603  our own
        return f"`{python}` cannot import the toolkit: run with --install once"
    return ""


def _measure(folder: Path, rules: int, options: argparse.Namespace) -> dict[str, Any]:
    # The toolkit has no reason to see how Halo was started, nor a path to its code.
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "HALO_"))}
    workers: dict[str, Worker] = {}
    try:
        for name in _WORKERS:
            python, environment = (options.python, plain) if name == "toolkit" else (sys.executable, os.environ)
            script = str(_HERE / f"_peers_{name}.py")
            # The toolkit warns about the name of its own package.
            command = [str(python), "-W", "ignore::DeprecationWarning", script, str(folder / name), str(rules)]
            workers[name] = Worker(command, environment)
        taken = _take_turns(workers, options)
        checks = {name: workers[name].finish() for name in ("halo", "toolkit")}
    finally:
        for worker in workers.values():
            worker.kill()
    return {"rules": rules, **_summarize(taken), "checks": checks}


def _take_turns(workers: Mapping[str, Worker], options: argparse.Namespace) -> dict[str, list[list[Turn]]]:
    """Turns of each worker in random order, in blocks."""
    for worker in workers.values():
        worker.run(options.warm)
    draw = random.Random(options.seed)
    turns = max(options.calls // options.turn, _BLOCKS)
    taken: dict[str, list[list[Turn]]] = {name: [[] for _ in range(_BLOCKS)] for name in workers}
    for number in range(turns):
        for name in draw.sample(_WORKERS, len(_WORKERS)):
            if options.gap_ms:
                time.sleep(options.gap_ms / 1000)
            taken[name][number * _BLOCKS // turns].append(workers[name].run(options.turn))
    return taken


def _summarize(taken: Mapping[str, Sequence[Sequence[Turn]]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, blocks in taken.items():
        calls = sorted(value for block in blocks for turn in block for value in turn.wall_us)
        figures[name] = {
            "p50_us": round(statistics.median(calls), 1),
            "p99_us": round(calls[int(len(calls) * 0.99)], 1),
            "cpu_us": round(sum(turn.cpu_us for block in blocks for turn in block) / len(calls), 1),
            "calls": len(calls),
        }
    halo, toolkit = figures["halo"], figures["toolkit"]
    by_block = [
        round(_median_us(ours) / _median_us(theirs), 2)
        for ours, theirs in zip(taken["halo"], taken["toolkit"], strict=True)
    ]
    figures["ratio"] = {name: round(halo[name] / toolkit[name], 2) for name in ("p50_us", "p99_us", "cpu_us")}
    figures["ratio"]["p50_blocks"] = [min(by_block), max(by_block)]
    return figures


def _median_us(block: Sequence[Turn]) -> float:
    return statistics.median(value for turn in block for value in turn.wall_us)


def _print(figures: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title=f"a call, µs; toolkit: {TOOLKIT} with fsync", title_justify="left")
    table.add_column("rules", justify="right")
    table.add_column("")
    for name in ("p50", "p99", "CPU"):
        table.add_column(name, justify="right")
    for run in figures:
        for name, words in (("halo", "Halo, with outcome"), ("toolkit", "toolkit"), ("commit", "bare commit")):
            item = run[name]
            table.add_row(str(run["rules"]), words, *(f"{item[key]:,.0f}" for key in ("p50_us", "p99_us", "cpu_us")))
        ratio, (low, high) = run["ratio"], run["ratio"]["p50_blocks"]
        p50 = f"{ratio['p50_us']:.2f} ({low:.2f} to {high:.2f})"
        table.add_row("", "Halo over toolkit", p50, f"{ratio['p99_us']:.2f}", f"{ratio['cpu_us']:.2f}")
        table.add_section()
    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    sys.exit(main())
