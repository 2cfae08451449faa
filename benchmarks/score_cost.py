"""What a score costs, stage by stage, in CPU and in signatures; beside another version, with the same outputs or not.

    python benchmarks/score_cost.py --data DIR
    python benchmarks/score_cost.py --data DIR --against ../older/src --json

Recorded sessions are scored with the model that comes with Halo against a baseline of each role's ordinary sessions:
look, features, trees, explanation, reading of the result, and one PyNaCl signature in turn with them; of all actions,
and apart of those that only read and of all others (what nobody can class is among those). With --against the same
sessions go through the code of another source folder as well, in a process of its own, a few sessions here, a few
there; features, sums, margins, risks and factors of both must be the same to the bit.

Exit: 0 measured (and the same), 1 outputs differ, 2 the data is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.append(str(Path(__file__).resolve().parents[1] / "studies"))

from halo_core.baselines import load_shipped_model
from halo_core.risk.baseline import Baseline, fit_baseline
from halo_studies.detection.latency import STAGES, Clocked, apart, summed
from halo_studies.recordings.labelled_sessions import KEY, BadData, Session, looks_of, read

__all__ = ["main"]

_HERE: Final = Path(__file__).resolve()
_HISTORY: Final = 150
_CHUNK: Final = 20  # sessions
_OURS: Final = _HERE.parents[1] / "src"


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    try:
        sessions = _chosen(options.data, options.sessions)
    except (BadData, OSError) as exc:
        sys.stderr.write(f"score_cost: {exc}\n")
        return 2
    if options.worker:
        return _work(sessions, _baselines(options.data))
    sources = {"this": _OURS, **({"other": options.against} if options.against else {})}
    runs = _run(options, sources, range(0, len(sessions), _CHUNK))
    same = len({run["digest"] for run in runs.values()}) == 1
    found = {"runs": runs, "same": same}
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        _show(found)
    return 0 if same else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--sessions", type=int, default=1_000, help="evenly chosen (default %(default)s)")
    parser.add_argument("--against", type=Path, metavar="SRC", help="source folder of another version")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _chosen(folder: Path, most: int) -> list[Session]:
    sessions = read(folder)
    return sessions[:: max(len(sessions) // most, 1)][:most]


def _baselines(folder: Path) -> dict[str, Baseline]:
    roles: dict[str, list[Session]] = {}
    for session in read(folder):
        if session.label == "benign":
            roles.setdefault(session.suite, []).append(session)
    return {
        role: fit_baseline([[look for _, look in looks_of(session)] for session in rows[:_HISTORY]], KEY)
        for role, rows in roles.items()
    }


def _run(options: argparse.Namespace, sources: Mapping[str, Path], starts: range) -> dict[str, Any]:
    workers = {name: _worker(options, source) for name, source in sources.items()}
    times: dict[str, dict[str, list[float]]] = {name: {stage: [] for stage in STAGES} for name in workers}
    reads: dict[str, list[bool]] = {name: [] for name in workers}
    digests = dict.fromkeys(workers, "")
    for start in track(starts, "scoring", console=Console(stderr=True), transient=True):
        for name, (_, ask, answers) in workers.items():
            ask.write(f"{start}\n")
            ask.flush()
            answer = json.loads(answers.readline())
            digests[name] = answer["digest"]
            reads[name] += answer["reads"]
            for stage, row in answer["times"].items():
                times[name][stage] += row
    for process, ask, _ in workers.values():
        ask.close()
        process.wait()
    return {
        name: {**summed(times[name]), "classes": apart(times[name], reads[name]), "digest": digests[name]}
        for name in workers
    }


def _worker(options: argparse.Namespace, source: Path) -> tuple[subprocess.Popen[str], IO[str], IO[str]]:
    line = [sys.executable, str(_HERE), "--worker", "--data", str(options.data), "--sessions", str(options.sessions)]
    env = {**os.environ, "PYTHONPATH": str(source.resolve())}
    process = subprocess.Popen(  # noqa: S603  this very script
        line, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process without pipes")
    return process, process.stdin, process.stdout


def _work(sessions: Sequence[Session], baselines: Mapping[str, Baseline]) -> int:
    """Score so many sessions from each index that is asked for."""
    clocked = Clocked(baselines, load_shipped_model())
    for line in sys.stdin:
        for session in sessions[int(line) : int(line) + _CHUNK]:
            if session.suite in baselines:
                clocked.run(session)
        answer = {"digest": clocked.digest.hexdigest(), "reads": clocked.reads, "times": clocked.times}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        clocked.times, clocked.reads = {stage: [] for stage in STAGES}, []
    return 0


def _show(found: Mapping[str, Any]) -> None:
    runs, view = found["runs"], Console()
    view.print(_table("all", list(runs), list(runs.values())))
    for kind in runs["this"]["classes"]:
        view.print(_table(kind, list(runs), [run["classes"][kind] for run in runs.values()]))
    if "other" in runs:
        view.print("outputs the same to the bit" if found["same"] else "outputs differ")


def _table(kind: str, names: Sequence[str], runs: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        "CPU, µs",
        *(f"{name} {what}" for name in names for what in ("p50", "p99", "in sig.")),
        title=f"{kind}: {runs[0]['events']} actions",
    )
    for stage in STAGES:
        table.add_row(stage, *(str(run[stage][what]) for run in runs for what in ("p50", "p99", "signatures")))
    return table


if __name__ == "__main__":
    sys.exit(main())
