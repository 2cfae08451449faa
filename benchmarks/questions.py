"""What an auditor's questions cost in time and memory on a large ledger.

    python benchmarks/questions.py
    python benchmarks/questions.py --entries 1000000 --json
    python benchmarks/questions.py --entries 1000000 --keep FOLDER --only report

The ledger begins with entries that were made through the store: sessions of calls with their outcomes, under a policy
of 100 rules. They are then written again and again, as further writers with keys of their own and in further sessions,
until there are enough: signed, chained and under a checkpoint as any other. Each question is asked by its command in a
process of its own; CPU time, wall time and the largest resident memory are printed, with those of the processes that it
starts. Reports on all frameworks, an evidence pack and the verifier that it carries are measured as well. With `--keep`
the ledger stays, and is taken again.

Exit: 0 measured, 1 a question took more than `--seconds` of wall time or `--megabytes`, or ended with a strange code.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table

import verification
from _decision_calls import name_parties
from halo_core.crypto.keys import Ed25519Signer, KeyStore, encode_base64
from halo_core.evidence import halo_verify
from halo_core.evidence.controls import FRAMEWORKS
from halo_core.ledger import encode_entry, format_vkey, make_vkey, writer_name
from halo_core.ledger.checkpoints import read_anchors
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.config import StoreConfig
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.store import Store

__all__ = ["main"]

_BASE_ENTRIES: Final = 5_000
_COLUMNS: Final = "tenant, w, ws, idx, kind, session, ts_us, once, mark, body, signatures, sealed, marks"
_PAYEE: Final = name_parties(0)[1]
_VERIFIER: Final = "halo_verify.py"
_LOG_FILTERS: Final = (
    [],
    ["--agent", "office"],
    ["--agent", "nobody"],
    ["--user", "user-1"],
    ["--tool", "pay*"],
    ["--tool", "nothing"],
    ["--effect", "deny"],
    ["--effect", "none"],
    ["--label", "pii"],
    ["--session", "{session}"],
    ["--since", "30d"],
    ["--until", "2020-01-01"],
)
QUESTIONS: Final = {
    **{" ".join(["log", *words]): ["log", *words] for words in _LOG_FILTERS},
    "who-touched": ["who-touched", "--system", "erp"],
    "who-touched --prove": ["who-touched", "--system", "erp", "--prove"],
    "who-touched, an unknown label": ["who-touched", "--label", "chd"],
    "reach": ["reach", "--agent", "office"],
    "sample": ["sample", "--n", "25", "--seed", "7"],
    "denials": ["denials"],
    "denials --with-disposition": ["denials", "--with-disposition"],
    "access-log": ["access-log"],
    "failures": ["failures"],
    "metrics": ["metrics"],
    "alerts sla": ["alerts", "sla"],
    "verify --since": ["verify", "--since", "../kept.json"],
    "sample of the last minute": ["sample", "--n", "25", "--seed", "7", "--from", "1m"],
    "show": ["show", "100"],
    "replay": ["replay", "100"],
    "explain": ["explain", "--subject", _PAYEE],
    "disclose": ["disclose", "{session}", "--output", "disclosed.json"],
    "inventory": ["inventory", "show"],
    "review show": ["review", "show", "{review}"],
    "review status": ["review", "status"],
    "grants unused": ["grants", "unused", "--days", "90"],
    "passport history --raises": ["passport", "history", "--raises"],
    "policy history --separation": ["policy", "history", "--separation"],
    "approvals stats": ["approvals", "stats"],
    "reversals": ["reversals"],
    "erase --dry-run": ["erase", "--subject", "user-1", "--named", _PAYEE, "--dry-run"],
    "retention status": ["retention", "status"],
    "export csv": ["export", "csv", "--output", "decisions.csv"],
    "export ocsf": ["export", "ocsf", "--output", "events.jsonl"],
    **{f"report {name}": ["report", "--framework", name, "--output", f"{name}.html"] for name in FRAMEWORKS},
    "pack make": ["pack", "make", "--output", "pack.zip"],
    "halo_verify.py pack.zip who-touched": ["pack.zip", "who-touched", "--label", "pii", "--key", "{key}"],
}
"""Name → words of the command, in a folder beside that of the ledger. The last one needs the pack of the one before."""
_CHILD: Final = """
import json, os, re, resource, sys, time
from pathlib import Path
out, sys.stdout = sys.stdout, open("/dev/null", "w")  # first: what is imported may take sys.stdout as a default
if sys.argv[1].endswith(".py"):
    sys.path.insert(0, os.path.dirname(sys.argv.pop(1)))
    from halo_verify import main as run
else:
    from halo_core.cli.main import run
wall, cpu = time.perf_counter(), time.process_time()
code = run(sys.argv[1:])
wall, others = time.perf_counter() - wall, resource.getrusage(resource.RUSAGE_CHILDREN)
figures = {"code": int(code), "wall_s": wall, "cpu_s": time.process_time() - cpu + others.ru_utime + others.ru_stime}
status = Path("/proc/self/status")  # what getrusage says begins with the memory of the parent
most = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text()) if status.exists() else None
figures["megabytes"] = int(most[1]) / 1024 if most else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
if others.ru_utime:  # as if each of the processes had been as large as the largest
    figures["megabytes"] += os.cpu_count() * others.ru_maxrss / 1024
out.write(json.dumps(figures))
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Make the ledger, ask, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=100_000, help="of the ledger (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="most for a question (default %(default)s)")
    parser.add_argument("--megabytes", type=float, default=500.0, help="most for a question (default %(default)s)")
    parser.add_argument("--dir", type=Path, help="where the ledger goes (default: the system's temporary folder)")
    parser.add_argument("--keep", type=Path, help="folder in which the ledger stays, and is found by a later run")
    parser.add_argument("--only", default="", help="only questions whose name holds this")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    options = parser.parse_args(argv)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="halo-questions-", dir=options.dir)))
        figures = _measure(options.keep or scratch / "ledger", scratch, options.entries, options.only)
    if options.json:
        sys.stdout.write(json.dumps({"entries": options.entries, "questions": figures}, indent=2) + "\n")
    else:
        _print(options.entries, figures)
    is_good = all(
        item["code"] in (0, 1, 2) and item["wall_s"] <= options.seconds and item["megabytes"] <= options.megabytes
        for item in figures.values()
    )
    return 0 if is_good else 1


def _measure(ledger: Path, scratch: Path, entries: int, only: str) -> dict[str, dict[str, float]]:
    """Make the ledger, unless it is there, and ask every question whose name holds `only`."""
    home = ledger / "world" / "home"
    if not (ledger / "kept.json").exists():
        home, tenant = verification._build_ledger(ledger, min(entries, _BASE_ENTRIES))  # noqa: SLF001
        kept = (home / "anchor.json").read_bytes()
        grow_ledger(home, tenant, entries)
        (ledger / "kept.json").write_bytes(kept)
    work = scratch / "work"
    work.mkdir()
    (scratch / "kept.json").write_bytes((ledger / "kept.json").read_bytes())
    names = _find_names(home)
    wanted = {name: [word.format(**names) for word in words] for name, words in QUESTIONS.items() if only in name}
    return {name: _ask(home, work, words) for name, words in wanted.items()}


def _find_names(home: Path) -> dict[str, str]:
    """What the words of a question name: a session, a review that is open, and the log's key."""
    with closing(sqlite3.connect(home / "halo.db")) as connection:
        (session,) = connection.execute(
            "SELECT session FROM entry WHERE session<>'' AND session NOT LIKE '-%' GROUP BY session"
            " ORDER BY count(*) DESC, session LIMIT 1"
        ).fetchone()
        opened = connection.execute("SELECT body FROM entry WHERE kind='review' ORDER BY idx LIMIT 1").fetchone()
    if opened is None:
        _ask(home, home, ["review", "open", "--agent", "office", "--reviewer", "vera", "--due", "14d"])
        return _find_names(home)
    ((_, key),) = load_trusted_keys(home).items()
    return {"key": key, "review": orjson.loads(opened[0])["body"]["id"], "session": session}


def grow_ledger(home: Path, tenant: str, entries: int) -> None:
    """Write the longest chain of a ledger again, by further writers in further sessions, until there are enough."""
    keys = KeyStore(home)
    with closing(sqlite3.connect(home / "halo.db")) as connection:
        (writer,) = connection.execute("SELECT w FROM entry GROUP BY w ORDER BY count(*) DESC LIMIT 1").fetchone()
        base = connection.execute(f"SELECT {_COLUMNS} FROM entry WHERE w=? ORDER BY ws", (writer,)).fetchall()  # noqa: S608
        (size,) = connection.execute("SELECT max(idx)+1 FROM entry").fetchone()
        shift_us = base[-1][6] - base[0][6]
        while size < entries:
            again = f"{size:012x}"
            rows = _write_again(base, tenant, again, keys, (size, (size // len(base) + 1) * shift_us))
            rows = rows[: entries - size] if size + len(rows) > entries else rows
            marks = ",".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO entry ({_COLUMNS}) VALUES ({marks})", rows)  # noqa: S608
            opened, last = orjson.loads(rows[0][9]), rows[-1]
            closed_us = last[6] if last[4] == EntryKind.WRITER_CLOSE else None
            values = (tenant, again, opened["body"]["vkey"], rows[0][6], closed_us)
            connection.execute("INSERT INTO writer VALUES (?,?,?,?,?)", values)
            connection.commit()
            size += len(rows)
    url = f"sqlite:///{home / 'halo.db'}"
    with closing(Store(StoreConfig(url, home, tenant), keys)) as store:
        store.checkpoint()
    assert read_anchors(home / "anchor.json")


def _write_again(
    base: Sequence[tuple[Any, ...]], tenant: str, writer: str, keys: KeyStore, place: tuple[int, int]
) -> list[tuple[Any, ...]]:
    """The rows of a chain as another writer's; `place` is the first position, and how much later it is."""
    signer, log = Ed25519Signer.generate(), keys.signer("log")
    leaf, rows = "", []
    for number, row in enumerate(base):
        tree = orjson.loads(row[9])
        kind, session = row[4], f"{row[5][:-6]}{writer[-6:]}" if row[5] else ""
        tree |= {"prev": leaf, "ts_us": row[6] + place[1]} | ({"session": session} if session else {})
        body = tree["body"]
        if kind == EntryKind.WRITER_OPEN:
            body["vkey"] = format_vkey(make_vkey(writer_name(tenant, writer), signer.public_key))
        elif kind == EntryKind.WRITER_CLOSE:
            body["writer"] = writer
        elif isinstance(body.get("decision"), dict) and "ws" in body["decision"]:
            body["decision"]["w"] = writer
        entry = LedgerEntry.from_plain(tree, tenant=tenant, writer=writer)
        signed = encode_entry(entry, signer, log=log if number == 0 else None)
        leaf = encode_base64(signed.leaf)
        again = (tenant, writer, row[2], place[0] + number, kind, session, tree["ts_us"], None, row[8])
        rows.append((*again, signed.text, signed.signatures, row[11], row[12]))
    return rows


def _ask(home: Path, folder: Path, words: Sequence[str]) -> dict[str, float]:
    """Ask one question in a process of its own."""
    is_pack = words[0] == "pack.zip"
    command = [str(halo_verify.__file__), *words] if is_pack else [*words, "--json", "--home", str(home)]
    if command[:2] in (["report", "--framework"], ["export", "csv"], ["export", "ocsf"]):
        command.remove("--json")
    line = [sys.executable, "-c", _CHILD, *command]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  our own words
    if done.returncode:
        raise SystemExit(f"questions: {' '.join(words)}: {done.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _print(entries: int, figures: dict[str, dict[str, float]]) -> None:
    table = Table("question", "exit", "wall s", "CPU s", "MB", title=f"{entries:,} entries")
    for name, item in figures.items():
        table.add_row(name, f"{item['code']:.0f}", *(f"{item[key]:.1f}" for key in ("wall_s", "cpu_s", "megabytes")))
    Console().print(table)


if __name__ == "__main__":
    start = time.perf_counter()
    code = main()
    sys.stderr.write(f"{time.perf_counter() - start:.0f} s in all\n")
    sys.exit(code)
