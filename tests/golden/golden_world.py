"""Unpack a golden ledger and describe it by what `halo` prints about it.

The command line and the entries' own fields are used, so that renaming the engine's internals changes little here.
Titles and sentences are left out: wording may change, what is found may not.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import lzma
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import typer

from counts import is_thorough
from halo_core.cli.main import app, main
from halo_core.crypto.keys import KeyStore
from halo_core.store.reader import Reader, SealedContents
from halo_core.views import to_json
from halo_core.views.entries import load_entry

LEDGERS = Path(__file__).parent / "ledgers"
DATABASE = "halo.db"
PACKED = "halo.db.xz"
BESIDE = ("trust.json", "anchor.json", "content.key")
"""Files of the home that verification and replay read: the log's public key, the anchor, the key of sealed content."""


def names() -> list[str]:
    return sorted(path.parent.name for path in LEDGERS.glob(f"*/{PACKED}"))


def expected(name: str) -> dict[str, Any]:
    return json.loads((LEDGERS / name / "expected.json").read_text(encoding="utf-8"))


def unpack(name: str, home: Path, ledgers: Path = LEDGERS) -> Path:
    """Put a golden ledger into `home`, a folder that is not there yet."""
    home.mkdir(mode=0o700)
    for file in BESIDE:
        (home / file).write_bytes((ledgers / name / file).read_bytes())
        (home / file).chmod(0o600)
    (home / DATABASE).write_bytes(lzma.decompress((ledgers / name / PACKED).read_bytes()))
    return home


@cache
def _parser() -> Any:
    """The command line, built once: `main` builds it for every call."""
    return typer.main.get_command(app)


def _show(*argv: str, home: Path) -> Any:
    """What `halo show` prints as JSON; raises what it raises."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        _parser().main(args=["show", *argv, "--json", "--home", str(home)], standalone_mode=False)
    return json.loads(out.getvalue())


def halo(*argv: str, home: Path) -> tuple[int, str, str]:
    """Run `halo`; exit code, stdout, stderr."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([*argv, "--home", str(home)])
            code = 0
        except SystemExit as exc:
            code = int(exc.code or 0)
    return code, *(stream.buffer.getvalue().decode() for stream in (out, err))


def digest(value: Any) -> str:
    """SHA-256 of a JSON value (or of bytes), printed one way."""
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return hashlib.sha256(value).hexdigest()


def observe(home: Path) -> dict[str, Any]:
    """What the code at hand says of the ledger in `home`."""
    tenants = _tenants(home)
    return {
        "notes": _notes(home),
        "verify": _verification(home),
        "logs": {tenant: _log(home, tenant) for tenant in tenants},
    }


def _tenants(home: Path) -> list[str]:
    return sorted(json.loads((home / "trust.json").read_text(encoding="utf-8")))


def _notes(home: Path) -> dict[str, Any]:
    """Digest of all entries as they lie in the database: the fixture itself, whatever code reads it."""
    with contextlib.closing(sqlite3.connect(home / DATABASE)) as database:
        rows = database.execute("SELECT tenant, w, ws, body, signatures FROM entry ORDER BY tenant, w, ws").fetchall()
    total = hashlib.sha256()
    for *place, text, signatures in rows:
        total.update(digest([*place, *(base64.b64encode(part).decode() for part in (text, signatures))]).encode())
    return {"count": len(rows), "sha256": total.hexdigest()}


def _answer(*argv: str, home: Path) -> tuple[int, Any]:
    """Exit code and JSON; where there is none, the code of the error."""
    code, out, err = halo(*argv, "--json", home=home)
    if out:
        return code, json.loads(out)
    found = re.search(r"\[([a-z_]+)\]\s", err)
    return code, {"error": found[1] if found else err}


def _verification(home: Path) -> dict[str, Any]:
    code, report = _answer("verify", "--signatures", home=home)
    if "error" in report:
        return {"exit": code, **report}
    return {
        "exit": code,
        "checks": [[check[key] for key in ("number", "passed", "failed", "skipped")] for check in report["checks"]],
        "findings": [
            {key: item[key] for key in ("kind", "check", "where", "code", "entry")} for item in report["findings"]
        ],
        "full": report["full"],
        "heads": report["heads"],
        "tampered": report["tampered"],
        "total": report["total"],
        "undetermined": len(report["undetermined"]),
        "warnings": len(report["warnings"]),
    }


def _log(home: Path, tenant: str) -> dict[str, Any]:
    entries, kinds = _entries(home, tenant)
    return {
        "kinds": kinds,
        "entries": entries,
        "decisions": _decisions(home, tenant),
        "replay": _replay(home, tenant),
    }


def _read_entries(home: Path, tenant: str) -> Iterator[Any]:
    """What `halo show` prints of one entry after the other; raises what it raises.

    By default only the first entry of each kind is read by the command, the others on one connection.
    """
    kinds: set[str] = set()
    with Reader(f"sqlite:///{home / DATABASE}") as reader:
        reader.use_names(home)
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        for index in count():
            parts = load_entry(reader, contents, tenant, str(index), reveal=True)
            shown = json.loads(json.dumps(to_json(parts)))
            kind = shown[0]["entry"]["kind"]
            if is_thorough() or kind not in kinds:
                assert shown == _show(str(index), "--reveal", "--tenant", tenant, home=home)
                kinds.add(kind)
            yield shown


def _entries(home: Path, tenant: str) -> tuple[Any, dict[str, int]]:
    """Every entry as `halo show` reads it, with its sealed content opened: number and one digest."""
    kinds: dict[str, int] = {}
    total = hashlib.sha256()
    ended = ""
    entries = _read_entries(home, tenant)
    while True:
        try:
            shown = next(entries)
        except Exception as exc:  # noqa: BLE001  what the reader raises is what is described
            ended = getattr(exc, "code", type(exc).__name__)
            break
        entry = shown[0]["entry"]
        kinds[entry["kind"]] = kinds.get(entry["kind"], 0) + 1
        opened = {name: text for name, text in shown[0]["content"].items() if not text.startswith("(erased")}
        # What came later and refers to it: the question on which it ran is described where its own entry is shown.
        related = [item["entry"]["id"] for item in shown[1:] if item["index"] > shown[0]["index"]]
        total.update(digest([shown[0]["index"], entry, opened, related]).encode())
    return {"count": sum(kinds.values()), "sha256": total.hexdigest(), "ended": ended}, kinds


def _decisions(home: Path, tenant: str) -> Any:
    code, lines = _answer("log", "--last", "1000000", "--tenant", tenant, home=home)
    if "error" in lines:
        return {"exit": code, **lines}
    return [_decision(line) for line in lines if line["kind"] == "decision"]


def _decision(line: dict[str, Any]) -> list[Any]:
    """Index, id, effect, reason codes and digest of the decision's bytes, which replay compares."""
    decision = line["body"]["decision"]
    codes = [reason["code"] for reason in decision["reasons"]]
    return [line["index"], line["id"], decision["effect"], codes, digest(decision)[:16]]


def _replay(home: Path, tenant: str) -> dict[str, Any]:
    code, found = _answer("replay", "--all", "--tenant", tenant, home=home)
    if "error" in found:
        return {"exit": code, **found}
    odd = [{key: item[key] for key in ("id", "status", "where")} for item in found["odd"]]
    return {"exit": code, "counts": found["counts"], "odd": odd}


def differences(old: Any, new: Any, where: str = "") -> list[str]:
    """Each place where two descriptions differ, as a line."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{where}/{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for i, (left, right) in pairs for line in differences(left, right, f"{where}/{i}")]
    return [] if old == new else [f"{where}: {old!r}, now {new!r}"]
