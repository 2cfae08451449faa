"""Room: `halo passport`: issue, inspect, verify here, the other verbs beside it. Takes: a manifest, a store, a file.

Gives: passports, and pages that somebody who answers for an agent can read. Never: decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from halo_core.cli.common import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    where,
)
from halo_core.cli.issuing import Issued, issue, plan
from halo_core.cli.manifests import (
    catalogue,
    classified,
    find_manifest,
    issued_from,
    other_manifest,
    read_manifest,
    unasked,
)
from halo_core.cli.passport_checks import Check, checks
from halo_core.cli.passport_diff import STYLE, Change
from halo_core.cli.passport_files import (
    Kept,
    chain_at,
    current,
    no_such,
    peek,
    read_tokens,
    revocations,
    standing_entries,
)
from halo_core.cli.passport_hand import KeyHomeOption, attenuate, export
from halo_core.cli.passport_log import history, revoke
from halo_core.cli.passport_view import chain_table, page, when
from halo_core.cli.words import cell, short
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, ManifestError
from halo_core.passport import link_to_claims
from halo_core.pdp import revokes
from halo_core.query import one_tenant
from halo_core.store.reader import Reader

__all__ = ["app", "print_changes", "print_findings"]

app = typer.Typer(help="Issue, narrow, read, check and revoke passports.", no_args_is_help=True)
app.command("attenuate")(attenuate)
app.command("export")(export)
app.command("history")(history)
app.command("revoke")(revoke)

_US: Final = 1_000_000

ManifestOption = Annotated[
    Path | None, typer.Option("--manifest", help="The manifest (default: agents.yaml in the home, else here).")
]


@app.command("issue")
def issue_passport(
    agent: Annotated[str, typer.Argument(help="An agent of the manifest.")],
    *,
    manifest: ManifestOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    key_home: KeyHomeOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; sign and record nothing.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Issue an agent's standing passport from the manifest, and show how it differs from the one it has."""
    folder, url = where(home, db)
    try:
        path = find_manifest(folder, manifest)
        found = read_manifest(path)
        wanted, planned = plan(url, found, agent, SystemClock().now_us())
    except ManifestError as exc:
        return print_findings(exc)
    issued = planned if dry_run else issue(url, folder, wanted, found, key_home=key_home)
    notes = [*wanted.notes, *unasked(folder, wanted, SystemClock().now_us()), *other_manifest(path)]
    if json:
        print_json(_issued_plain(issued, dry_run=dry_run, notes=notes))
        return Exit.OK
    view = console()
    verb = "would be issued" if dry_run else "issued"
    view.print(f"[bold]{verb}[/] ", cell(f"{agent} {short(issued.link.hash)}".strip()), f"until {_until(issued)}")
    for note in notes:
        view.print("[yellow]note[/] ", cell(note), sep="")
    print_changes(view, issued)
    return Exit.OK


def _until(issued: Issued) -> str:
    return when(issued.link.expires_at_s)


def _issued_plain(issued: Issued, *, dry_run: bool, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "agent": issued.link.agent,
        "changes": [change._asdict() for change in issued.changes],
        "dry_run": dry_run,
        "expires_at_s": issued.link.expires_at_s,
        "hash": issued.link.hash,
        "notes": list(notes),
        "replaces": issued.before.hash if issued.before is not None else "",
    }


def print_changes(view: Console, issued: Issued) -> None:
    """Each difference on its own line."""
    if issued.before is None:
        view.print("it is the agent's first passport; it grants")
    elif not issued.changes:
        view.print(f"nothing changes against {short(issued.before.hash)}")
    else:
        view.print(f"against {short(issued.before.hash)}")
    for change in issued.changes:
        view.print("  ", _styled(change), sep="")


def _styled(change: Change) -> Text:
    style = "bold red" if "WIDENED" in change.how else STYLE[change.sign]
    return cell(change.text(), style=style)


def print_findings(error: ManifestError) -> int:
    """Everything that is wrong with a manifest, on stderr; the exit code for it."""
    out = console(stderr=True)
    for finding in error.findings:
        out.print("[bold red]error[/] ", cell(finding.text(error.source)), sep="")
        if finding.remedy:
            out.print("  try: ", cell(finding.remedy), sep="")
    return Exit.USAGE


@app.command("inspect")
def inspect(
    name: Annotated[str, typer.Argument(metavar="AGENT|HASH|FILE", help="An agent, a passport's hash, or a file.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    manifest: ManifestOption = None,
    json: JsonOption = False,
) -> int:
    """Show a passport in words: who, for whom, until when, what it may do, spend and lose."""
    folder, url = where(home, db)
    kept, whose = _find(name, url, tenant)
    if json:
        print_json(_kept_plain(kept, _revoked(kept, url, whose)))
        return Exit.OK
    declared = (issued_from(kept, url, whose) if manifest is None else None) or _manifest_or_none(folder, manifest)
    known = classified(declared, catalogue(url, whose))
    view = console()
    for why in _revoked(kept, url, whose):
        view.print("[bold red]REVOKED[/] ", cell(why), ": a decision on this passport is a denial", sep="")
    facts = kept.entry.body if kept.entry is not None else {}
    view.print(page(kept.links[-1], known, facts, now_s=SystemClock().now_us() // _US))
    if len(kept.links) > 1:
        view.print()
        view.print("the chain, each link within the one before ([dim]=[/] the same, [yellow]↓[/] less, [red]✗[/] gone)")
        view.print(chain_table(kept.links))
    if kept.entry is None:
        view.print("[yellow]read from a file, not verified[/]: `halo passport verify` does that")
    return Exit.OK


def _find(name: str, url: str, tenant: str | None) -> tuple[Kept, str]:
    path = Path(name)
    if path.is_file():
        tokens = read_tokens(path)
        links = peek(tokens)
        return Kept(tuple(tokens), links), tenant or links[0].tenant
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        kept = current(reader, whose, name) or chain_at(reader, whose, name)
        if kept is None:
            known = {found.entry.body["agent"] for found in standing_entries(reader, whose)}
            raise no_such(name, known)
    return kept, whose


def _revoked(kept: Kept, url: str, tenant: str) -> list[str]:
    try:
        with Reader(url) as reader:
            found = [item for item in revocations(reader, tenant) if revokes(item, kept.links, kept.links[-1].txn)]
    except ConfigError as exc:
        if exc.code in ("no_database", "no_store"):
            return []
        raise
    return [
        f"{item.scope} {short(item.target)}" if item.scope == "link" else f"{item.scope} {item.target}"
        for item in found
    ]


def _manifest_or_none(home: Path, given: Path | None) -> Manifest | None:
    try:
        return read_manifest(find_manifest(home, given))
    except ConfigError:
        if given is not None:
            raise
        return None


def _kept_plain(kept: Kept, revoked: list[str]) -> dict[str, Any]:
    return {
        "chain": [{"claims": link_to_claims(link), "hash": link.hash} for link in kept.links],
        "entry": dict(kept.entry.body) if kept.entry is not None else None,
        "revoked": revoked,
        "verified": False,
    }


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A chain, one token a line, standing link first.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Check a chain step by step, as a decision would. Exit 0 good, 1 not."""
    folder, url = where(home, db)
    found = checks(read_tokens(file), folder, url, tenant, now_us=SystemClock().now_us())
    good = all(check.passed is not False for check in found)
    if json:
        print_json({"good": good, "steps": [check._asdict() for check in found]})
        return Exit.OK if good else Exit.FAILED
    view = console()
    for check in found:
        view.print(_mark(check), " ", cell(check.what), f" [dim]{check.code}[/]" if check.code else "", sep="")
    view.print("[green]good[/]" if good else "[bold red]not good[/]: a decision on this passport is a denial")
    return Exit.OK if good else Exit.FAILED


def _mark(check: Check) -> str:
    return {True: "[green]✓[/]", False: "[bold red]✗[/]", None: "[dim]-[/]"}[check.passed]
