"""What the tests of the core share: a policy, a tool that keeps a list of its calls, looks into a store."""

from __future__ import annotations

import contextlib
import io
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from blockbuster import BlockBuster, blockbuster_ctx

from halo_core.cli.main import run as cli_run
from halo_core.enforcement.enforcer import Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, LedgerEntry, Resource, Reversal
from halo_core.references import References
from halo_core.store.drafts import Draft
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.store.standing_passports import StandingTable
from halo_core.store.transaction import Transaction
from halo_core.verification import verify_store

POLICY = """
@id("base") permit (principal, action, resource);
@id("watch") @effect("monitor") @reason("first_use") forbid (principal, action, resource == Tool::"watched");
@id("limit") @effect("restrict") @obligation("clamp(limit, 50)") @reason("clamped")
forbid (principal, action, resource == Tool::"query");
@id("floor") @effect("restrict") @obligation("drop_documents(300)") @reason("low_source_trust")
forbid (principal, action in Action::"retrieval", resource) when { resource.source_trust < 300 };
@id("ask") @effect("challenge") @reason("large_amount")
forbid (principal, action, resource == Tool::"pay")
when { context has amount && context.amount.greaterThan(decimal("100.0")) };
@id("never") @reason("grave_impact") forbid (principal, action, resource == Tool::"wipe");
"""

READ = Resource(impact=Impact.READ, source_trust=600, reversal=Reversal.NONE_NEEDED)
SURFACE = Surface(text=str)
SCHEMAS = {
    "lookup": {"q": {"type": "string"}},
    "watched": {"q": {"type": "string"}},
    "query": {"limit": {"type": "integer"}, "q": {"type": "string"}},
    "pay": {"amount": {"type": "integer"}, "to": {"type": "string"}},
    "note": {"q": {"type": "string"}},
    "wipe": {"path": {"type": "string"}},
}


def schema(properties: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), **more}


def policy_folder(home: Path, text: str = POLICY) -> Path:
    folder = home.parent / f"{home.name}-policy"
    folder.mkdir(exist_ok=True)
    file = folder / "test.cedar"
    if not file.exists() or file.read_text() != text:
        file.write_text(text)
    return folder


def tool(halo: HaloBase, name: str, **changes: Any) -> Resource:
    """A registered tool; its classification is declared, so that nothing is guessed."""
    amount = "amount" if name == "pay" else ""
    declared = {
        "impact": Impact.READ,
        "source_trust": 600,
        "reversal": Reversal.NONE_NEEDED,
        "amount": amount,
        **changes,
    }
    return halo.register(
        ActionKind.TOOL_CALL, name, resource=Resource(**declared), schema=schema(SCHEMAS.get(name, {}))
    )


class Calls(list):
    """A tool body that writes down what it was run with."""

    def __init__(self, result: Any = "done") -> None:
        super().__init__()
        self.result = result

    def __call__(self, args: Mapping[str, Any]) -> Any:
        self.append(dict(args))
        return self.result

    async def later(self, args: Mapping[str, Any]) -> Any:
        return self(args)


def db_of(home: Path) -> Path:
    return home / "halo.db"


def url_of(home: Path) -> str:
    return f"sqlite:///{db_of(home)}"


def found(home: Path, *kinds: Any) -> list[LoggedEntry]:
    """Entries as anybody can read them while Halo is open."""
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        return list(read_entries(reader, reader.tenants()[0], kinds))


class LogTail:
    """Entries of a home's only tenant by kind, each read and decoded once: for tests that look after every call."""

    def __init__(self, home: Path, tenant: str = "local", *, names: bool = True) -> None:
        self._home, self._tenant, self._names = home, tenant, names
        self._read: dict[EntryKind, list[LoggedEntry]] = {}

    def entries(self, kind: EntryKind) -> list[LedgerEntry]:
        """All entries of a kind, in log order."""
        logged = self._read.setdefault(kind, [])
        with Reader(url_of(self._home)) as reader:
            if self._names:
                reader.use_names(self._home)
            since = logged[-1].index + 1 if logged else 0
            logged.extend(read_entries(reader, self._tenant, (kind,), since=since))
        return [item.entry for item in logged]


def session_ref(home: Path, name: str) -> str:
    """What stands for a session in the store of this home."""
    references = References.of_home(home)
    assert references is not None
    return references.of_session(name)


def call_ref(home: Path, name: str) -> str:
    """What stands for a framework's id of a call in the store of this home."""
    references = References.of_home(home)
    assert references is not None
    return references.of_call(name)


def turn_ref(home: Path, name: str) -> str:
    """What stands for a framework's id of a message in the store of this home."""
    references = References.of_home(home)
    assert references is not None
    return references.of_turn(name)


def person_ref(home: Path, name: str) -> str:
    """What stands for a person in the store of this home."""
    references = References.of_home(home)
    assert references is not None
    return references.of_person(name)


def bodies(home: Path, *kinds: Any) -> list[Mapping[str, Any]]:
    return [item.entry.body for item in found(home, *kinds)]


def put_standing(tx: Transaction, agent: str, name: str, **facts: Any) -> None:
    """Put a standing passport in force for an agent, as issuing does: by an entry, and its row."""
    body = {"agent": agent, "hash": name, "kind": "standing", "origin": "issued", **facts}
    tx.append(Draft(EntryKind.PASSPORT, "", body))
    StandingTable(tx).put(agent, name, "issued")


def codes(body: Mapping[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["decision"]["reasons"]]


def verified(home: Path, **options: Any) -> int:
    return verify_store(url_of(home), home, **options).exit_code


def attack(path: Path, **options: Any) -> sqlite3.Connection:
    """A connection as an attacker with the file would open it: no triggers in the way.

    In its statements `ref('s')` is what stands for session `s`.
    """
    connection = sqlite3.connect(path, isolation_level=None, **options)
    connection.create_function("ref", 1, lambda name: session_ref(path.parent, name))
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def cli(*argv: str, home: Path | None = None) -> tuple[int, str, str]:
    """Run `halo`; exit code, stdout, stderr."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True), io.StringIO()
    line = [*argv, *(["--home", str(home)] if home is not None else [])]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli_run(line)
    out.flush()
    return int(code), out.buffer.getvalue().decode(), err.getvalue()


def python(*argv: str) -> list[str]:
    return [sys.executable, *argv]


@contextlib.contextmanager
def unblocking(*modules: str) -> Iterator[BlockBuster]:
    """Raise where code of these modules (any, where none is named) would block a running event loop."""
    with blockbuster_ctx(list(modules) or None) as guard:
        # What measures coverage locks on the first line of each file, in whichever thread runs it.
        guard.functions["threading.Lock.acquire"].can_block_in("coverage/collector.py", {"lock_data"})
        yield guard
