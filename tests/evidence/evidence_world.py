"""What the tests of questions share: a log made by real enforcement, and its decisions read from the raw rows.

`raw_decisions` shares no code with Halo: SQL, JSON and base64 alone, after docs/ledger-format.md.
"""

from __future__ import annotations

import base64
import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied, Pending
from halo_core.evidence.audit_log import AuditLog
from halo_core.facade import HaloBase
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, cli, db_of, policy_folder, tool, url_of

WORK = (("lookup", {"q": "a"}), ("watched", {"q": "b"}), ("wipe", {"path": "/"}), ("pay", {"amount": 500, "to": "x"}))
LABELS = {"lookup": ("chd", "pii"), "pay": ("financial",)}
SYSTEMS = {"lookup": "core", "pay": "bank"}


def make_home(home: Path) -> Path:
    """Two agents for two people and nobody; a payment that a person approved, and that then ran; an alert."""
    keys = KeyStore(home.parent / "keys-mia")
    for agent in ("clerk", "auditor"):
        with open_halo(agent, home) as halo:
            tools = register(halo)
            for session, user in (("one", "ana"), ("two", "bob"), ("three", "")):
                with halo.session(f"{agent}-{session}", user=user):
                    for name, args in WORK:
                        with contextlib.suppress(Denied, Pending):
                            halo.enforcer.run(halo.build_call(tools[name], args), Calls(), SURFACE)
    public = base64.b64encode(keys.signer("approver-mia").public_key).decode()
    ok(cli("approver", "enrol", "mia", "--public-key", public, home=home))
    as_mia = ("--as", "mia", "--key-home", str(keys.home))
    asked = json.loads(ok(cli("approvals", "list", "--json", home=home)))
    ok(cli("approvals", "approve", asked[0]["id"], *as_mia, home=home))
    with open_halo("clerk", home) as halo:
        tools = register(halo)
        with halo.session("clerk-one", user="ana"), contextlib.suppress(Denied, Pending):
            halo.enforcer.run(halo.build_call(tools["pay"], dict(WORK)["pay"]), Calls(), SURFACE)
    ok(cli("break-glass", "clerk", "--minutes", "5", "--reason", "a test", *as_mia, home=home))
    return home


def open_halo(agent: str, home: Path, **options: Any) -> HaloBase:
    settings: dict[str, Any] = {"mode": "enforce", "policy": policy_folder(home), "quiet": True, **options}
    return HaloBase.local(agent, home=home, **settings)


def register(halo: HaloBase) -> dict[str, Any]:
    return {name: tool(halo, name, labels=LABELS.get(name, ()), system=SYSTEMS.get(name, "")) for name, _ in WORK}


def ok(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert code == 0, (out, err)
    return out


def answer(home: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of a command."""
    code, out, err = cli(*words, "--json", home=home)
    assert out, err
    return code, json.loads(out)


@contextlib.contextmanager
def open_log(home: Path, query: str = "halo test", url: str = "") -> Iterator[AuditLog]:
    with Reader(url or url_of(home)) as reader:
        reader.use_names(home)
        yield AuditLog(reader, "local", home=home, now_us=0, query=query)


def raw(home: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with contextlib.closing(sqlite3.connect(db_of(home))) as connection:
        return connection.execute(query, values).fetchall()


def raw_entries(home: Path, kind: str) -> list[dict[str, Any]]:
    """Entries of a kind from the signed texts, with id and position."""
    rows = raw(home, "SELECT idx, w, ws, body FROM entry ORDER BY idx")
    trees = [(index, f"{w}-{ws}", w, json.loads(text)) for index, w, ws, text in rows]
    return [
        {"index": index, "id": name, "w": w, "ts_us": tree["ts_us"], "session": tree.get("session", ""), **tree["body"]}
        for index, name, w, tree in trees
        if tree["kind"] == kind
    ]


def raw_decisions(home: Path) -> list[dict[str, Any]]:
    """Decisions with their parts, and the status of their outcome (None where there is none)."""
    blobs = dict(raw(home, "SELECT hash, bytes FROM blob"))

    def part(name: str) -> dict[str, Any]:
        return json.loads(blobs["sha256:" + base64.b64decode(name).hex()])

    statuses = {}
    for item in raw_entries(home, "outcome"):
        place = item["decision"]
        name = f"{item['w']}-{place}" if isinstance(place, int) else f"{place['w']}-{place['ws']}"
        statuses[name] = item.get("status", "success")
    found = []
    for item in raw_entries(home, "decision"):
        frame, resource = part(item["frame"]), part(item["resource"])
        effect = item.get("decision", {}).get("effect", "allow")
        found.append(
            {
                "agent": frame["agent"],
                "effect": effect,
                "id": item["id"],
                "index": item["index"],
                "labels": resource["labels"],
                "let_run": item.get("dispatched", effect in ("allow", "monitor", "restrict")),
                "resource": resource["id"],
                "session": item["session"],
                "status": statuses.get(item["id"]),
                "system": resource["system"],
                "ts_us": item["ts_us"],
                "user": frame.get("user", ""),
            }
        )
    return found
