"""Room: `halo demo`. Takes: nothing. Gives: a governed run, verified, replayed, tampered with. Offline."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from halo_core import canonical
from halo_core.cli.common import EFFECT_STYLE, Exit, console
from halo_core.errors import ConfigError
from halo_core.facade import default_url
from halo_core.keys import KeyStore
from halo_core.model import EntryKind
from halo_core.query import Contents, Found, entries
from halo_core.reasons import text
from halo_core.redact import Redactor
from halo_core.replay import Replayer, Status
from halo_core.store.reader import Reader
from halo_core.verification import verify_store

__all__ = ["demo"]

_TENANT: Final = "local"
_MARK: Final = "demo"
"""File that says: a demo made this folder and may clear it."""


def demo(
    *,
    folder: Annotated[Path, typer.Option("--home", help="Folder for the demo's keys and ledger; made anew.")] = Path(
        ".halo-demo"
    ),
) -> int:
    """A loan desk agent, governed: what it tried, what was decided, and how anybody can check that."""
    view = console()
    _clear(folder)
    try:
        desk = import_module("halo_langchain.demo")
    except ModuleNotFoundError as exc:
        raise ConfigError(
            "no_langchain", "the demo drives a LangChain agent", remedy="pip install 'halo-agents[langchain]'"
        ) from exc
    view.print(
        Panel(
            f"[bold]{desk.AGENT}[/] acts for [bold]{desk.USER}[/]. Its model is scripted, everything else is real: the "
            "agent graph, the retrievers, the tools.\nHalo decides each retrieval, tool call and inference [bold]before"
            "[/] it runs, and writes it down.",
            title="a loan desk, enforce mode, offline",
        )
    )
    ran = desk.run_desk(folder)
    with Reader(default_url(folder)) as reader:
        denied = _story(reader, folder, ran["session"])
    checks = [_whole(folder), _same(folder), _tampered(folder, denied)]
    view.print()
    halo = "halo" if shutil.which("halo") else sys.argv[0]
    view.print(f"Try next: [bold]{halo} show {denied.index} --home {folder}[/]   one decision, from request to reason")
    return Exit.OK if all(checks) else Exit.FAILED


def _clear(folder: Path) -> None:
    if folder.exists():
        # Only what a demo made: a real home is never cleared.
        if not (folder / _MARK).exists():
            raise ConfigError("not_a_demo", f"`{folder}` is not a demo's folder", field="home", remedy="name another")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / _MARK).touch()


def _story(reader: Reader, folder: Path, session: str) -> Found:
    table = Table(
        title="a customer's letter tells the agent to pay another account: what it tried, in order",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in ("#", "action", "on", "decision", "ran", "why"):
        table.add_column(name, overflow="fold", no_wrap=name in ("#", "action", "decision", "ran"))
    contents = Contents.at(reader, KeyStore(folder))
    mask = Redactor.for_views().mask
    first_denied: Found | None = None
    thoughts = 0
    for found in entries(reader, _TENANT, (EntryKind.DECISION,), session):
        body = found.entry.body
        effect = body["decision"]["effect"]
        if effect == "deny" and first_denied is None:
            first_denied = found
        if (body["request"]["kind"], effect) == ("inference", "allow"):
            thoughts += 1  # the model between two actions: ten times the same row
            continue
        shown = mask(_args(contents, found))
        table.add_row(
            str(found.index),
            body["request"]["kind"],
            f"{body['request']['resource']['id']} [dim]{escape(shown)}[/]",
            f"[{EFFECT_STYLE[effect]}]{effect}[/]",
            "yes" if body["dispatched"] else "[bold]no[/]",
            _why(body),
        )
    console().print(table)
    console().print(f"and {thoughts} model calls in between, each decided and allowed")
    if first_denied is None:
        raise ConfigError("demo_failed", "nothing was denied, which is not what the demo is for")
    return first_denied


def _args(contents: Contents, found: Found) -> str:
    sealed = contents.open(found.entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}
    return ", ".join(f"{name}={value}" for name, value in args.items())


def _why(body: Mapping[str, Any]) -> str:
    decision = body["decision"]
    reason = next(r for r in decision["reasons"] if r["effect"] == decision["effect"])
    words = text(reason["code"]).title
    narrowed = ", ".join(f"{o['kind']} {o['name']} {o['value']}".replace("  ", " ") for o in decision["obligations"])
    return f"{words} ({narrowed})" if narrowed else words


def _whole(folder: Path) -> bool:
    report = verify_store(default_url(folder), folder, signatures=True)
    size = report.heads[_TENANT].size
    whole = report.exit_code == Exit.OK
    console().print(f"{_mark(whole)} verify: {size} entries, signed, chained and in the tree; exit {report.exit_code}")
    return whole


def _same(folder: Path) -> bool:
    with Reader(default_url(folder)) as reader:
        results = list(Replayer(reader, Contents.at(reader, KeyStore(folder)), _TENANT).all())
    same = sum(result.status is Status.IDENTICAL for result in results)
    all_same = same == len(results) > 0
    console().print(f"{_mark(all_same)} replay: {same} of {len(results)} decisions decided again, to the same bytes")
    return all_same


def _tampered(folder: Path, denied: Found) -> bool:
    """Turn the denial into an approval in a copy of the database, as somebody with write access would."""
    copy = folder / "tampered-copy.db"
    with sqlite3.connect(folder / "halo.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("DROP TRIGGER entry_append_only")
        forged = denied.note.replace(b'"effect":"deny"', b'"effect":"allow"', 1)
        target.execute(
            "UPDATE entry SET body=? WHERE tenant=? AND w=? AND ws=?",
            (forged, _TENANT, denied.entry.writer, denied.entry.seq),
        )
    report = verify_store(f"sqlite:///{copy}", folder)
    named = [f for f in report.findings if denied.entry.id in (f.entry, f.where) or f"/{denied.entry.seq}" in f.where]
    caught = bool(named) and report.exit_code == Exit.TAMPERED
    view = console()
    what = f"in a copy, the denial #{denied.index} was rewritten to an approval"
    view.print(f"{_mark(caught)} tampering: {what}; {'caught' if caught else 'NOT caught'}:")
    for finding in named[:2]:
        view.print(f"    {finding.kind}: {finding.where}: {finding.what}", markup=False)
    return caught


def _mark(good: bool) -> str:  # noqa: FBT001  one mark, two states
    return "[green]✓[/]" if good else "[bold red]✗[/]"
