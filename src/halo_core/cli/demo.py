"""`halo demo`: a governed run of the loan desk, told as a story, verified, replayed and tampered with. Offline.

The agents run in this process; whoever answers their challenge runs `halo approvals approve` in another one.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from typer import Option

from halo_core import demo
from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.cli.rendering import EFFECT_STYLE, PASSED_MARKS, Exit, say, say_plainly
from halo_core.cli.sessions import authority, budget
from halo_core.clock import SystemClock
from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.facade import default_url
from halo_core.model import EntryKind
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.requests import list_requests
from halo_core.reasons import get_reason_text
from halo_core.replay import Replayer, ReplayStatus
from halo_core.store.config import StoreConfig
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.store.store import Store
from halo_core.verification import verify_store

_KINDS: Final = (EntryKind.DECISION, EntryKind.APPROVAL, EntryKind.HANDBACK)
_COLUMNS: Final = ("#", "action", "on", "decision", "left", "why")
_MAX_WIDTH: Final = 56
_MILLIONTHS_PER_PERCENT: Final = 10_000
_TENANT: Final = "local"
_APPROVER: Final = "mia@bank"
_HALO_CODE: Final = "from halo_core.cli import main; main()"
_MARKER_FILE: Final = "demo"
_REPORT: Final = "remove `.halo-demo/` and run it again; if it fails again, report it as a defect"
"""File that marks a folder as made by the demo, which may clear it."""


def print_story(reader: Reader, contents: SealedContents, tenant: str, session: str, agent: str) -> LoggedEntry:
    """Print what a session tried; returns its first denial.

    Raises:
        ConfigError: nothing was denied.
    """
    table = Table(
        title="a customer's letter tells the agent to pay another account; these are the agent's attempts",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_justify="left",
    )
    for name in _COLUMNS:
        justify: Literal["left", "right"] = "right" if name in ("#", "left") else "left"
        folds = name in ("on", "why")
        table.add_column(name, overflow="fold", no_wrap=not folds, justify=justify, max_width=_MAX_WIDTH)
    mask = Redactor.for_views().mask
    records = list(read_entries(reader, tenant, _KINDS, session))
    thoughts = 0
    for item in records:
        body = item.entry.body
        if item.entry.kind is not EntryKind.DECISION:
            table.add_row(str(item.index), *_build_oversight_row(item))
        elif (body["request"]["kind"], body["decision"]["effect"]) == ("inference", "allow"):
            thoughts += 1  # the model between two actions: twenty times the same row
        else:
            table.add_row(str(item.index), *_build_row(item, mask(_format_args(contents, item)), agent))
    say(table)
    say(f"and {thoughts} model calls in between, each decided and allowed")
    _print_counters(records)
    denied = [item for item in records if item.entry.kind is EntryKind.DECISION and _read_effect(item) == "deny"]
    if not denied:
        raise ConfigError("demo_failed", "the demo failed: nothing was denied", remedy=_REPORT)
    return denied[0]


def _read_effect(record: LoggedEntry) -> str:
    return str(record.entry.body["decision"]["effect"])


def _build_row(record: LoggedEntry, args: str, agent: str) -> tuple[str, ...]:
    body = record.entry.body
    request, effect = body["request"], _read_effect(record)
    actor = request["subject"]["agent"]
    deeper = "" if actor == agent else f"[bold]{escape(actor)}[/]: "
    remaining = body["after"]["authority"]
    return (
        request["kind"],
        f"{deeper}{escape(request['resource']['id'])} [dim]{escape(args)}[/]",
        f"{'✓' if body['dispatched'] else '✗'} [{EFFECT_STYLE[effect]}]{effect}[/]",
        f"{remaining // _MILLIONTHS_PER_PERCENT}%" if remaining is not None else "",
        escape(_format_reason(body)),
    )


def _build_oversight_row(record: LoggedEntry) -> tuple[str, ...]:
    """An answer or a hand-back, which are no decisions of the agent's."""
    body = record.entry.body
    if record.entry.kind is EntryKind.APPROVAL:
        approver = f"by [bold]{escape(body['actor'])}[/]"
        new = f"epoch {body['epoch']}: full authority again"
        return "approval", approver, f"✓ {body['answer']}", "", f"in another process; {escape(new)}"
    names = escape(", ".join(closed["agent"] for closed in body["closed"]))
    why = f"its link is closed; what it spent stays charged to {escape(body['to']['agent'])}"
    return "hand-back", names, "", "", why


def _format_args(contents: SealedContents, record: LoggedEntry) -> str:
    sealed = contents.open(record.entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}
    return ", ".join(map(str, args.values()))


def _format_reason(body: Mapping[str, Any]) -> str:
    decision = body["decision"]
    reasons = [reason for reason in decision["reasons"] if reason["effect"] == decision["effect"]]
    # A detail of several words adds to the title; a single word is an id.
    detail = f": {reasons[0]['detail']}" if " " in reasons[0]["detail"] else ""
    words = get_reason_text(reasons[0]["code"]).title + detail
    obligations = ", ".join(f"{o['kind']} {o['name']} {o['value']}".replace("  ", " ") for o in decision["obligations"])
    return f"{words} ({obligations})" if obligations else words


def _print_counters(records: list[LoggedEntry]) -> None:
    """Print what the session's own account had spent before, during and after its first hand-off."""
    back = next((n for n, item in enumerate(records) if item.entry.kind is EntryKind.HANDBACK), None)
    decided = [item.entry.body if item.entry.kind is EntryKind.DECISION else {} for item in records]
    out = next((n for n, body in enumerate(decided) if body and body["request"]["kind"] == "handoff"), None)
    if back is None or out is None:
        return
    closed, to = records[back].entry.body["closed"][0], records[back].entry.body["to"]
    closed_spend = {unit: reserved + done for unit, reserved, done in closed["spent"]}
    accounts = {
        "before": _read_account(records[:out], to["handle"]),
        "handed back": _read_account(records[:back], to["handle"]),
        f"{closed['agent']}'s": closed_spend,
        "at the end": _read_account(records, to["handle"]),
    }
    table = Table(
        title=f"{closed['agent']}'s spending is charged to {to['agent']} too and is never reset",
        box=SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column(f"spent by {to['agent']}")
    for name in accounts:
        table.add_column(name, justify="right")
    for unit, words in (("step", "actions (step)"), ("risk", "risk points (risk)")):
        table.add_row(words, *(f"{account.get(unit, 0):,}" for account in accounts.values()))
    say()
    say(table)


def _read_account(records: list[LoggedEntry], handle: str) -> dict[str, int]:
    decisions = [item.entry.body for item in records if item.entry.kind is EntryKind.DECISION]
    budgets = decisions[-1]["after"]["budgets"] if decisions else []
    return {unit: reserved + done for link, unit, reserved, done in budgets if link == handle}


class Framework(StrEnum):
    """Frameworks that have an adapter, by the name of its extra."""

    LANGCHAIN = "langchain"
    LLAMAINDEX = "llamaindex"
    OPENAI_AGENTS = "openai-agents"


def run_demo(
    *,
    framework: Annotated[
        Framework | None,
        Option("--framework", help="Framework of the demo's agents (default: the first one installed)."),
    ] = None,
    folder: Annotated[Path, Option("--home", help="Folder for the demo's keys and ledger; it is created anew.")] = Path(
        ".halo-demo"
    ),
) -> int:
    """Run a governed loan desk agent, and show what it attempted, what was decided, and how to verify it."""
    framework = framework or _find_installed_framework()
    run_desk = _load_desk(framework)
    _reset_folder(folder)
    say(
        Panel.fit(
            f"[bold]{demo.AGENT}[/] acts for [bold]{demo.USER}[/] and may hand off to [bold]{demo.RESEARCH}[/]. "
            "The models are\nscripted, everything else is real: agent graphs, retrievers, tools. Halo\n"
            "decides each retrieval, tool call, hand-off and inference [bold]before[/] it runs.\n"
            "Each one lowers the session's authority; below 50% payments stop.",
            title=f"a loan desk on {framework.value}, enforce mode, offline",
        )
    )
    run_desk(folder, lambda: _approve_in_another_process(folder, demo.SESSION))
    with Reader(default_url(folder)) as reader:
        reader.use_names(folder)
        contents = SealedContents.with_home_key(reader, KeyStore(folder))
        denied = print_story(reader, contents, _TENANT, demo.SESSION, demo.AGENT)
    checks = [_check_verification(folder), _check_replay(folder), _check_tampering(folder, denied)]
    halo = "halo" if shutil.which("halo") else sys.argv[0]
    _print_command(f"{halo} budget --home {folder}")
    budget(demo.SESSION, home=folder)
    _print_command(f"{halo} authority --home {folder}")
    authority(demo.SESSION, home=folder)
    say()
    say(f"Try next: [bold]{halo} show {denied.index} --home {folder}[/]   one decision, from request to reason")
    return Exit.OK if all(checks) else Exit.FAILED


def _find_installed_framework() -> Framework:
    """The first framework that is installed; where none is, the first of all, whose absence names what to install."""
    packages = zip(Framework, ("langchain", "llama_index", "agents"), strict=True)
    return next((framework for framework, package in packages if find_spec(package) is not None), Framework.LANGCHAIN)


def _load_desk(framework: Framework) -> Callable[[Path, Callable[[], None]], str]:
    extra = framework.value
    try:
        adapter_demo = import_module(f"halo_{extra.replace('-', '_')}.demo")
    except ModuleNotFoundError as exc:
        problem = f"the demo runs an agent of `{extra}`, but `{exc.name}` is not installed"
        remedy = f"run `pip install '.[{extra}]'` in the checkout of Halo, or choose another with --framework"
        raise ConfigError("no_framework", problem, field="framework", remedy=remedy) from exc
    run_desk: Callable[[Path, Callable[[], None]], str] = adapter_demo.run_desk
    return run_desk


def _print_command(command: str) -> None:
    say()
    say(f"[bold]$ {command}[/]")


def _reset_folder(folder: Path) -> None:
    if folder.exists():
        # Only what a demo made: a real home is never cleared.
        if not (folder / _MARKER_FILE).exists():
            problem = f"`{folder}` is not a folder of the demo"
            raise ConfigError("not_a_demo", problem, field="home", remedy="choose another folder")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True)
    (folder / _MARKER_FILE).touch()


def _approve_in_another_process(folder: Path, session: str) -> None:
    """Enrol an approver, who re-authorizes the session in another process, with a key in a folder of its own."""
    people = folder / "people"
    key = KeyStore(people).signer(make_approver_key_name(_APPROVER)).public_key
    with closing(Store(StoreConfig(default_url(folder), folder, _TENANT), KeyStore(folder))) as store:
        now_us = store.clock.now_us()
        enrol_approver(store, Authorities(folder), name=_APPROVER, public_key=key, by="the demo", now_us=now_us)
    with Reader(default_url(folder)) as reader:
        reader.use_names(folder)
        waiting = [
            row.id
            for row, status in list_requests(reader, _TENANT, SystemClock().now_us())
            if (row.session, row.kind, status) == (session, "reauthorization", "pending")
        ]
    if not waiting:
        raise ConfigError("demo_failed", "the demo failed: no request waits for a re-authorization", remedy=_REPORT)
    line = ["approvals", "approve", waiting[-1], "--as", _APPROVER, "--why", "the fee is due"]
    done = subprocess.run(  # noqa: S603  this very program
        [sys.executable, "-c", _HALO_CODE, *line, "--key-home", str(people), "--home", str(folder)],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    if done.returncode != Exit.OK:
        problem = f"the session was not re-authorized: {done.stderr.strip()[:500]}"
        raise ConfigError("demo_failed", problem, remedy=_REPORT)


def _check_verification(folder: Path) -> bool:
    report = verify_store(default_url(folder), folder, signatures=True)
    size = report.heads[_TENANT].size
    passed, summary = report.exit_code == Exit.OK, f"{size} entries, signed, chained and in the tree"
    say(f"{PASSED_MARKS[passed]} verify: {summary}; exit {report.exit_code}")
    return passed


def _check_replay(folder: Path) -> bool:
    with Reader(default_url(folder)) as reader:
        reader.use_names(folder)
        results = list(Replayer(reader, SealedContents.with_home_key(reader, KeyStore(folder)), _TENANT).replay_all())
    same = sum(result.status is ReplayStatus.IDENTICAL for result in results)
    all_same = same == len(results) > 0
    say(f"{PASSED_MARKS[all_same]} replay: {same} of {len(results)} decisions replayed with identical bytes")
    return all_same


def _check_tampering(folder: Path, denied: LoggedEntry) -> bool:
    """Turn the denial into an approval in a copy of the database, as somebody with write access would."""
    copy = folder / "tampered-copy.db"
    with sqlite3.connect(folder / "halo.db") as source, sqlite3.connect(copy) as target:
        source.backup(target)
        target.execute("DROP TRIGGER entry_append_only")
        text = denied.note.partition(b"\n\n")[0]
        forged = text.replace(b'"effect":"deny"', b'"effect":"allow"', 1)
        target.execute(
            "UPDATE entry SET body=? WHERE tenant=? AND w=? AND ws=?",
            (forged, _TENANT, denied.entry.writer, denied.entry.seq),
        )
    report = verify_store(f"sqlite:///{copy}", folder)
    matching = [
        f for f in report.findings if denied.entry.id in (f.entry, f.where) or f"/{denied.entry.seq}" in f.where
    ]
    caught = bool(matching) and report.exit_code == Exit.TAMPERED
    change = f"in a copy, denial #{denied.index} was changed to an approval"
    say(f"{PASSED_MARKS[caught]} tampering: {change}; {'caught' if caught else 'NOT caught'}:")
    for finding in matching[:2]:
        say_plainly(f"    {finding.kind}: {finding.where}: {finding.what}")
    return caught
