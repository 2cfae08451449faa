"""What an action costs at the 10th, 100th, 1,000th and 10,000th step of one session, with a score in force.

    python benchmarks/long_session.py
    python benchmarks/long_session.py --steps 1000 --words 200 --json

A desk of forty tools with a short history gets a score (the model that comes with Halo); then one session goes on and
on, each action through the real enforcement: decided, committed, run, its result read. CPU is this process's, a mean
over the last tenth of the steps to each mark (five at least), beside that of as long a session without a score. Then:
bytes of the session's stored state, and the first action of another process, which reads what the session has seen.

Nothing is asserted. Exit: 0 measured, 2 it could not be.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from nacl.signing import SigningKey
from rich.console import Console
from rich.progress import track
from rich.table import Table

from halo_core.baselines import collect_sessions, fit_score, load_shipped_model, put_in_force
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import HaloError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Budget, Impact, Resource
from halo_core.references import References
from halo_core.store.config import StoreConfig
from halo_core.store.reader import Reader, SealedContents
from halo_core.store.store import Store

__all__ = ["main"]

_AGENT: Final = "desk"
_TENANT: Final = "local"
_MARKS: Final = (10, 100, 1_000, 10_000, 100_000)
_TOOLS: Final = 40
_HISTORY: Final = 20
_SCHEMA: Final = {"type": "object", "properties": {"q": {"type": "string"}}}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="halo-long-") as name:
            found = _measure(Path(name), options.steps, options.words)
    except HaloError as exc:
        sys.stderr.write(f"long_session: {exc}\n")
        return 2
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        _show(found)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=10_000, help="of the session (default %(default)s)")
    parser.add_argument("--words", type=int, default=20, help="of each result (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _measure(home: Path, steps: int, words: int) -> dict[str, Any]:
    with _opened(home) as halo:
        for number in range(_HISTORY):
            with halo.session(f"old-{number}", request=f"look up person {number}"):
                _act(halo, number, words)
    _score(home)
    plain = _run(home, "plain", steps, words)
    _score(home)
    scored = _run(home, "long", steps, words)
    rows = [{**row, "without_us": other["cpu_us"]} for row, other in zip(scored, plain, strict=True)]
    begun = time.process_time_ns()
    with _opened(home) as halo, halo.session("long", request="look everybody up"):
        opened = time.process_time_ns()
        _act(halo, 0, words)
        again = time.process_time_ns() - opened
    return {
        "rows": rows,
        "taken_up_again": {"open_us": (opened - begun) // 1000, "first_action_us": again // 1000},
        "signature_us": _signature(),
        "words": words,
    }


def _run(home: Path, session: str, steps: int, words: int) -> list[dict[str, int]]:
    rows = []
    spent = [0] * (steps + 1)
    with _opened(home) as halo:
        with halo.session(f"warm-{session}", request="look everybody up"):
            for number in range(_TOOLS):
                _act(halo, number, words)
        for number in track(range(1, steps + 1), session, console=Console(stderr=True), transient=True):
            with halo.session(session, request="look everybody up"):
                begun = time.process_time_ns()
                _act(halo, number, words)
                spent[number] = time.process_time_ns() - begun
            if number in _MARKS:
                width = max(number // 10, 5)
                mean = sum(spent[number - width + 1 : number + 1]) / width / 1000
                rows.append({"step": number, "cpu_us": round(mean), **_stored(home, session)})
    return rows


def _opened(home: Path) -> HaloBase:
    """Limits under which the session does not end; it observes, since so long a session is unusual for the agent."""
    budgets = (Budget("risk", 10**6, 10**9), Budget("step", 10**6, 10**9))
    decay = replace(DEFAULT_TERMS.decay, half_life_steps=10**6, half_life_risk=10**8)
    limits = Limits(replace(DEFAULT_TERMS, budgets=budgets, decay=decay))
    return HaloBase.local(_AGENT, home=home, mode="observe", quiet=True, limits=limits)


def _act(halo: HaloBase, number: int, words: int) -> None:
    resource = Resource(impact=Impact.READ, source_trust=900)
    tool = halo.register(ActionKind.TOOL_CALL, f"lookup{number % _TOOLS}", resource=resource, schema=_SCHEMA)
    result = " ".join((f"person{number}@bank.example", *(f"w{number * 7 + at}" for at in range(words))))

    def body(_: Mapping[str, Any]) -> str:
        return result

    halo.enforcer.run(halo.build_call(tool, {"q": f"person{number}"}), body, Surface(text=str))


def _score(home: Path) -> None:
    keys = KeyStore(home)
    key, url = keys.secret("sketch"), f"sqlite:///{home / 'halo.db'}"
    with Reader(url) as reader:
        sessions = collect_sessions(
            reader, SealedContents.with_home_key(reader, keys), _TENANT, [_AGENT], key, note=lambda: None
        )
    found = fit_score(sessions, load_shipped_model(), key)
    store = Store(StoreConfig(url, home, _TENANT), keys)
    store.open()
    try:
        store.commit(lambda tx: put_in_force(tx, _AGENT, found, "benchmark"))
    finally:
        store.close()


def _stored(home: Path, session: str) -> dict[str, int]:
    references = References.of_home(home)
    if references is None:
        raise SystemExit(f"no keys in `{home}`")
    reference = references.of_session(session)
    database = sqlite3.connect(home / "halo.db")
    try:
        (state,) = database.execute("SELECT length(state) FROM session WHERE session=?", (reference,)).fetchone()
        count, most = database.execute(
            "SELECT count(*), max(length(marks)) FROM entry WHERE session=? AND marks IS NOT NULL", (reference,)
        ).fetchone()
    finally:
        database.close()
    return {"state_bytes": state, "rows": count, "largest_row_bytes": most}


def _signature() -> float:
    key = SigningKey(bytes(32))
    begun = time.process_time_ns()
    for _ in range(2_000):
        key.sign(b"x" * 1800)
    return round((time.process_time_ns() - begun) / 2_000_000, 1)


def _show(found: Mapping[str, Any]) -> None:
    table = Table("step", "CPU an action, µs", "without score", "state, bytes", "rows", "largest row, bytes")
    for row in found["rows"]:
        table.add_row(
            *map(str, (row["step"], row["cpu_us"], row["without_us"], row["state_bytes"])),
            *map(str, (row["rows"], row["largest_row_bytes"])),
        )
    view = Console()
    view.print(table)
    again = found["taken_up_again"]
    view.print(f"one PyNaCl signature {found['signature_us']} µs; results of {found['words']} words")
    view.print(f"another process: opened in {again['open_us']} µs, its first action {again['first_action_us']} µs")


if __name__ == "__main__":
    sys.exit(main())
