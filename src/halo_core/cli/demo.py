"""Room: `halo demo`. Takes: nothing. Gives: a governed run, verified, replayed, tampered with. Offline.

The agents run in this process; whoever answers their challenge runs `halo approvals approve` in another one.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.panel import Panel

from halo_core import desk
from halo_core.authorities import Authorities, approver_key_name
from halo_core.cli.authority import authority
from halo_core.cli.budget import budget
from halo_core.cli.common import Exit, console
from halo_core.cli.demo_story import story
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.facade import default_url
from halo_core.keys import KeyStore
from halo_core.oversight import enrol, questions
from halo_core.query import Contents, Found
from halo_core.replay import Replayer, Status
from halo_core.store import Store, StoreConfig
from halo_core.store.reader import Reader
from halo_core.verification import verify_store

__all__ = ["demo"]


_TENANT: Final = "local"
_APPROVER: Final = "mia@bank"
_HALO: Final = "from halo_core.cli import main; main()"
_MARK: Final = "demo"
"""File that says: a demo made this folder and may clear it."""


class Framework(StrEnum):
    """Frameworks that have an adapter, by the name of its extra."""

    LANGCHAIN = "langchain"
    LLAMAINDEX = "llamaindex"
    OPENAI_AGENTS = "openai-agents"


def demo(
    *,
    framework: Annotated[
        Framework | None,
        typer.Option("--framework", help="Which framework's agents run the desk (default: the first installed)."),
    ] = None,
    folder: Annotated[Path, typer.Option("--home", help="Folder for the demo's keys and ledger; made anew.")] = Path(
        ".halo-demo"
    ),
) -> int:
    """A loan desk agent, governed: what it tried, what was decided, and how anybody can check that."""
    view = console()
    framework = framework or _installed()
    run_desk = _desk_of(framework)
    _clear(folder)
    view.print(
        Panel.fit(
            f"[bold]{desk.AGENT}[/] acts for [bold]{desk.USER}[/] and may hand off to [bold]{desk.RESEARCH}[/]. "
            "The models are\nscripted, everything else is real: agent graphs, retrievers, tools. Halo\n"
            "decides each retrieval, tool call, hand-off and inference [bold]before[/] it runs.\n"
            "Each takes some of the session's authority; below 50% it pays nothing.",
            title=f"a loan desk on {framework.value}, enforce mode, offline",
        )
    )
    run_desk(folder, lambda: _somebody_looks(folder, desk.SESSION))
    with Reader(default_url(folder)) as reader:
        contents = Contents.at(reader, KeyStore(folder))
        denied = story(reader, contents, _TENANT, desk.SESSION, desk.AGENT)
    checks = [_whole(folder), _same(folder), _tampered(folder, denied)]
    halo = "halo" if shutil.which("halo") else sys.argv[0]
    _rule(f"{halo} budget --home {folder}")
    budget(desk.SESSION, home=folder)
    _rule(f"{halo} authority --home {folder}")
    authority(desk.SESSION, home=folder)
    view.print()
    view.print(f"Try next: [bold]{halo} show {denied.index} --home {folder}[/]   one decision, from request to reason")
    return Exit.OK if all(checks) else Exit.FAILED


def _installed() -> Framework:
    """The first framework that is here; the first of all where none is, which then says what to install."""
    packages = {
        Framework.LANGCHAIN: "langchain",
        Framework.LLAMAINDEX: "llama_index",
        Framework.OPENAI_AGENTS: "agents",
    }
    return next((name for name, package in packages.items() if find_spec(package) is not None), Framework.LANGCHAIN)


def _desk_of(framework: Framework) -> Callable[[Path, Callable[[], None]], str]:
    extra = framework.value
    try:
        found = import_module(f"halo_{extra.replace('-', '_')}.demo")
    except ModuleNotFoundError as exc:
        raise ConfigError(
            "no_framework",
            f"the demo drives an agent of `{extra}`, and `{exc.name}` is not installed",
            field="framework",
            remedy=f"pip install 'halo-agents[{extra}]', or choose another with --framework",
        ) from exc
    run_desk: Callable[[Path, Callable[[], None]], str] = found.run_desk
    return run_desk


def _rule(command: str) -> None:
    view = console()
    view.print()
    view.print(f"[bold]$ {command}[/]")


def _clear(folder: Path) -> None:
    if folder.exists():
        # Only what a demo made: a real home is never cleared.
        if not (folder / _MARK).exists():
            raise ConfigError("not_a_demo", f"`{folder}` is not a demo's folder", field="home", remedy="name another")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / _MARK).touch()


def _somebody_looks(folder: Path, session: str) -> None:
    """Enrol an approver, and let it re-authorize the session: in a process of its own, with a key kept apart."""
    people = folder / "people"
    store = Store(StoreConfig(default_url(folder), folder, _TENANT), KeyStore(folder))
    try:
        key = KeyStore(people).signer(approver_key_name(_APPROVER)).public_key
        now_us = store.clock.now_us()
        enrol(store, Authorities(folder), name=_APPROVER, public_key=key, by="the demo", now_us=now_us)
    finally:
        store.close()
    with Reader(default_url(folder)) as reader:
        waiting = [
            row.id
            for row, status in questions(reader, _TENANT, SystemClock().now_us())
            if (row.session, row.kind, status) == (session, "reauthorization", "pending")
        ]
    if not waiting:
        raise ConfigError("demo_failed", "nothing waits for a re-authorization, which is not what the demo is for")
    line = ["approvals", "approve", waiting[-1], "--as", _APPROVER, "--why", "the fee is due"]
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-c", _HALO, *line, "--key-home", str(people), "--home", str(folder)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    if done.returncode != Exit.OK:
        raise ConfigError("demo_failed", f"the session was not re-authorized: {done.stderr.strip()[:500]}")


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
