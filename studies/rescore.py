"""Make recorded scores again, here and on another Python: are 10,000 scored decisions the same to the bit?

    python studies/rescore.py
    python studies/rescore.py --python python3.13 --json

Recorded sessions (made-up ones where there are no data) go through the real enforcement in a fresh home, each role's
agent scored with the model that comes with Halo against a baseline of the other fold's ordinary sessions. Then another
process, and with --python another Python in an environment of its own (made once, in --cache), replays every decision
as `halo replay --all` does, and makes features, margin, risk, band and factors again from requests, arguments and
results. All of it must be what the ledger holds, and the same on both.

Exit: 0 all is identical, 1 something is not, 2 it could not be measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from halo_core.baselines import SessionHistory, fit_score, load_shipped_model, put_in_force
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Denied, HaloError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Budget, Resource
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_studies.data_folder import add_data_option
from halo_studies.recordings.labelled_sessions import BadData, Event, Session, looks_of, read

__all__ = ["main"]

_REPOSITORY: Final = Path(__file__).resolve().parents[1]
_OTHER: Final = {"A": "B", "B": "A"}
_MOST_HISTORY: Final = 150


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    try:
        pythons = [sys.executable, *([_environment(options.python, options.cache)] if options.python else [])]
        with tempfile.TemporaryDirectory(prefix="halo-rescore-") as name:
            home, acts = Path(name) / "home", Path(name) / "acts.jsonl"
            sessions, source = _sessions(options.data, options.decisions, options.seed)
            made = _record(home, acts, sessions, options.decisions)
            runs = [_again(python, home, acts, seed) for seed, python in enumerate(pythons, 1)]
    except (BadData, HaloError, OSError, RuntimeError) as exc:
        sys.stderr.write(f"rescore: {exc}\n")
        return 2
    wrong = _wrong(runs, options.decisions)
    found = {"held": not wrong, "recorded": made, "runs": runs, "source": source, "wrong": wrong}
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        _show(found)
    return 1 if wrong else 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "halo-rescore"
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_data_option(parser, "traces")
    parser.add_argument("--decisions", type=int, default=10_000, help="scored decisions at least (default %(default)s)")
    parser.add_argument("--python", default="", metavar="EXE", help="another Python, by name or path")
    parser.add_argument("--cache", type=Path, default=cache, help="where its environment is (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of sessions (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _sessions(folder: Path | None, decisions: int, seed: int) -> tuple[list[Session], str]:
    """Sessions in the order in which they are chosen."""
    if folder is None or not (folder / "sessions.jsonl.gz").is_file():
        return list(_made_up(decisions)), "made up: there are no recorded sessions"
    sessions = [session for session in read(folder) if session.fold in _OTHER and session.events]
    random.Random(seed).shuffle(sessions)  # a sample, no secret
    return sessions, "recorded sessions"


def _made_up(decisions: int) -> Iterator[Session]:
    for number in range(decisions // 3 + 200):
        who = f"person{number % 23}@bank.example"
        to = who if number % 5 else f"mallory{number}@elsewhere.example"
        rows = (
            ("list_files", {"folder": f"/reports/{number % 11}"}, f"report-{number % 7}.pdf for {who}, ask {to}"),
            ("read_file", {"path": f"/reports/{number % 11}/report-{number % 7}.pdf"}, f"balance {number * 37}.50"),
            ("send_email", {"recipients": [to], "body": f"balance {number * 37}.5 as asked"}, "sent"),
        )
        events = tuple(Event("tool_call", tool, args, result, "", None, 0) for tool, args, result in rows)
        names = dict.fromkeys(("source", "model", "defense", "goal", "attack"), "")
        yield Session(
            **names,
            id=f"made-up-{number}",
            suite="clerk",
            task=f"clerk/{number % 40}",
            fold="AB"[number % 2],
            label="benign",
            requests=(f"send report {number % 7} to {who}",),
            events=events,
        )


def _record(home: Path, acts: Path, sessions: Sequence[Session], decisions: int) -> int:
    """Scored decisions made, in the log of `home`; what was asked, in `acts`."""
    agents = {(session.suite, session.fold): f"{session.suite}-{session.fold}" for session in sessions}
    tools = _tools(sessions)
    made = 0
    with Progress(console=Console(stderr=True), transient=True) as bar, acts.open("w", encoding="utf-8") as out:
        fitting = bar.add_task("fitting baselines", total=len(agents))
        opened: dict[str, HaloBase] = {}
        try:
            for (suite, fold), agent in agents.items():
                opened[agent] = _opened(home, agent)
                history = [s for s in sessions if (s.suite, s.fold, s.label) == (suite, _OTHER[fold], "benign")]
                _score(home, agent, history[:_MOST_HISTORY])
                bar.advance(fitting)
            task = bar.add_task("deciding", total=decisions)
            for session in sessions:
                rows = _drive(opened[agents[session.suite, session.fold]], session, tools)
                out.write(json.dumps({"acts": rows, "request": session.requests[0]}) + "\n")
                made += len(rows)
                bar.update(task, completed=min(made, decisions))
                if made >= decisions:
                    break
        finally:
            for halo in opened.values():
                halo.close()
    return made


def _tools(sessions: Sequence[Session]) -> dict[tuple[str, str, str], set[str]]:
    """(role, kind, tool) → names of arguments that it ever had."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for session in sessions:
        for event in session.events:
            found.setdefault((session.suite, event.kind, event.tool), set()).update(event.args)
    return found


def _opened(home: Path, agent: str) -> HaloBase:
    """Under limits that no session reaches."""
    budgets = (Budget("risk", 10**6, 10**9), Budget("step", 10**6, 10**9))
    decay = replace(DEFAULT_TERMS.decay, half_life_steps=10**6, half_life_risk=10**8)
    limits = Limits(replace(DEFAULT_TERMS, budgets=budgets, decay=decay))
    return HaloBase.local(agent, home=home, mode="enforce", quiet=True, limits=limits)


def _score(home: Path, agent: str, history: Sequence[Session]) -> None:
    keys = KeyStore(home)
    key = keys.secret("sketch")
    lived = [SessionHistory(session.id, [look for _, look in looks_of(session, key[:64])]) for session in history]
    found = fit_score(lived, load_shipped_model(), key)
    store = Store(StoreConfig(f"sqlite:///{home / 'halo.db'}", home, "local"), keys)
    store.open()
    try:
        store.commit(lambda tx: put_in_force(tx, agent, found, "benchmark"))
    finally:
        store.close()


def _drive(halo: HaloBase, session: Session, tools: Mapping[tuple[str, str, str], set[str]]) -> list[dict[str, Any]]:
    """The session's actions, each decided and where it may run; what is needed to score them again."""
    rows = []
    with halo.session(f"rescore-{session.id}", request=session.requests[0]):
        for event in session.events:
            resource = _registered(halo, event, tools[session.suite, event.kind, event.tool])
            output: str | None = None
            try:
                ticket = halo.enforcer.begin(halo.build_call(resource, event.args))
                entry = ticket.context.entry_id if ticket.context is not None else ""
                output = ticket.succeed(event.error or event.result, Surface(text=str))
            except Denied as exc:
                entry = exc.decision_id
            row = {"args": event.args, "id": entry, "impact": resource.impact.value, "kind": resource.kind.value}
            rows.append({**row, "output": output, "tool": resource.id})
    return rows


def _registered(halo: HaloBase, event: Event, names: set[str]) -> Resource:
    schema = {"type": "object", "properties": {name: {} for name in sorted(names)}}
    return halo.register(ActionKind(event.kind), event.tool, schema=schema)


def _environment(name: str, cache: Path) -> str:
    """Python of a virtual environment of that Python with this repository in it.

    Raises:
        RuntimeError: it cannot be made.
    """
    version = _called([name, "-c", "import platform; print(platform.python_version())"]).strip()
    folder = cache / f"python-{version}"
    python = folder / "bin" / "python"
    mark = hashlib.sha256((_REPOSITORY / "pyproject.toml").read_bytes() + str(_REPOSITORY).encode()).hexdigest()
    stamp = folder / "halo-wanted"
    if not stamp.is_file() or stamp.read_text("utf-8") != mark:
        _called([name, "-m", "venv", str(folder)])
        _called([str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "-e", str(_REPOSITORY)])
        stamp.write_text(mark, "utf-8")
    return str(python)


def _called(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  what the caller named
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise RuntimeError(f"`{' '.join(command[:4])} ...` failed: {words[-1] if words else done.returncode}")
    return done.stdout


def _again(python: str, home: Path, acts: Path, seed: int) -> dict[str, Any]:
    """What another process says, with another hash seed and in another time zone."""
    env = {"PATH": os.environ.get("PATH", ""), "PYTHONHASHSEED": str(seed), "TZ": "Asia/Kathmandu"}
    env["PYTHONPATH"] = os.pathsep.join((str(_REPOSITORY / "src"), str(_REPOSITORY / "studies")))
    with Console(stderr=True).status(f"again, on {python}"):
        done = subprocess.run(  # noqa: S603  our own module
            [python, "-m", "halo_studies.rescoring", str(home), str(acts)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"`{python}` could not: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _wrong(runs: Sequence[Mapping[str, Any]], wanted: int) -> list[str]:
    """What does not hold."""
    wrong = []
    for run in runs:
        name = f"Python {run['python']}"
        if run["rescored"] < wanted or run["scored"] != run["rescored"]:
            wrong.append(f"{name}: {run['rescored']} of {run['scored']} scored decisions made again, {wanted} wanted")
        if run["identical"] != run["rescored"]:
            wrong += [f"{name}: {run['rescored'] - run['identical']} differ", *run["differs"]]
        if run["replay"] != {"identical": run["decisions"]}:
            wrong.append(f"{name}: replay says {run['replay']} of {run['decisions']}")
    if len({run["digest"] for run in runs}) != 1:
        wrong.append("margins are not the same on both")
    return wrong


def _show(found: Mapping[str, Any]) -> None:
    table = Table("Python", "decisions", "replayed identical", "scored again", "identical", "digest")
    for run in found["runs"]:
        cells = (run["decisions"], run["replay"].get("identical", 0), run["rescored"], run["identical"])
        table.add_row(run["python"], *map(str, cells), run["digest"][:16])
    view = Console()
    view.print(table)
    view.print(f"{found['recorded']} scored decisions, {found['source']}")
    for text in found["wrong"]:
        sys.stderr.write(f"rescore: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
