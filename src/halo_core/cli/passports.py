"""Room: `halo passport attenuate | export`. Takes: a chain, the holder's key. Gives: a chain. Never: asks a store.

Whoever holds the last link's key may hand on less than it has, offline; a verifier sees it link by link.

Room: `halo passport revoke | history`. Takes: a store. Gives: a revocation; what became of an agent's passports.

Never: decides; takes a revocation back.

Room: `halo passport`: issue, inspect, verify here, the other verbs beside it. Takes: a manifest, a store, a file.

Gives: passports, and pages that somebody who answers for an agent can read. Never: decides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, DecimalException
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from halo_core.authorities import parse_public_key
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.controls import ByOption, WhyOption, commit, resolve_actor
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.ids import RandomIds
from halo_core.crypto.keys import KeyStore, agent_key_name
from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, ManifestError
from halo_core.model import Budget, EntryKind, Grants, Link, LinkKind
from halo_core.oversight.restrictions import revoke as revoke_now
from halo_core.passports import link_to_claims, mint_handoff
from halo_core.store.log import read_entries, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.issuing import IssuedPassport, issue, plan
from halo_core.views.manifests import (
    classify_resources,
    find_manifest,
    load_catalogue,
    load_issued_manifest,
    note_other_manifest,
    note_unenrolled_approvers,
    read_manifest,
)
from halo_core.views.passport_changes import CHANGE_STYLE, Change, diff_passports
from halo_core.views.passports import (
    Check,
    StoredChain,
    build_chain_table,
    build_no_such_error,
    decode_unverified,
    find_chain,
    format_utc_minute,
    iterate_standing_entries,
    list_revocations,
    load_current_passport,
    read_tokens,
    render_passport,
    run_checks,
    write_tokens,
)
from halo_core.views.wording import safe_text, shorten_hash

__all__ = [
    "app",
    "attenuate_passport",
    "export_chain",
    "print_changes",
    "print_findings",
    "revoke_passport",
    "show_history",
]


_MICROSECONDS: Final = 1_000_000

KeyHomeOption = Annotated[
    Path | None, typer.Option("--key-home", help="Folder of the signing key (default: the home).")
]


def attenuate_passport(
    file: Annotated[Path, typer.Argument(metavar="TOKEN_FILE", help="A session's chain, from `halo passport export`.")],
    *,
    to: Annotated[str, typer.Option("--to", metavar="AGENT", help="The agent that receives the narrower link.")],
    to_key: Annotated[
        str, typer.Option("--to-key", help="The receiver's public key in base64 (default: its key in the home).")
    ] = "",
    tools: Annotated[
        list[str] | None, typer.Option("--tools", help="Grant only this resource; can be repeated.")
    ] = None,
    budget: Annotated[list[str] | None, typer.Option("--budget", help="UNIT=AMOUNT; can be repeated.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Output file for the chain (default: print it).")] = None,
    home: HomeOption = None,
    key_home: KeyHomeOption = None,
) -> int:
    """Derive a narrower link for another agent. This works offline and needs only the last holder's key."""
    folder, _ = resolve_store(home, "")
    tokens = read_tokens(file)
    links = decode_unverified(tokens)
    parent = links[-1]
    if parent.kind is LinkKind.STANDING:
        raise ConfigError(
            "bad_depth",
            "only a session link can be handed off",
            field="TOKEN_FILE",
            remedy="export the session's chain with `halo passport export SESSION`",
        )
    keys = KeyStore(key_home or folder)
    token = mint_handoff(
        parent=parent,
        parent_token=tokens[-1],
        signer=keys.signer(_find_agent_key(keys, parent.agent)),
        now_s=SystemClock().now_us() // _MICROSECONDS,
        jti=RandomIds().new_entry_id(),
        agent=to,
        holder_public_key=parse_public_key(to_key) if to_key else keys.signer(_find_agent_key(keys, to)).public_key,
        grants=_select_grants(parent, tools) if tools else None,
        budgets=_lower_budgets(parent, budget) if budget else None,
        hand_off_to=sorted(set(parent.hand_off_to) - {to}),
    )
    longer = [*tokens, token]
    chain = decode_unverified(longer)
    text = write_tokens(out, longer, chain)
    view = console(stderr=out is None)
    view.print(build_chain_table(chain[-2:]))
    if out is None:
        sys.stdout.write(text)
    else:
        view.print("written to ", safe_text(str(out)), sep="")
    return Exit.OK


def _find_agent_key(keys: KeyStore, agent: str) -> str:
    name = agent_key_name(agent)
    if name not in keys.names():
        raise ConfigError(
            "no_key",
            f"`{keys.home}` has no key of `{agent[:64]}`",
            field="key-home",
            remedy="give the folder of the key with `--key-home`, or the receiver's public key with `--to-key`",
        )
    return name


def _select_grants(parent: Link, tools: Sequence[str]) -> Grants:
    granted_names = {name for resources in parent.grants.values() for name in resources}
    for name in tools:
        if name not in granted_names:
            close = get_close_matches(name, granted_names, 1)
            remedy = f"did you mean `{close[0]}`" if close else "see `halo passport inspect FILE`"
            raise ConfigError(
                "tool_not_granted", f"the chain does not grant `{name[:64]}`", field="tools", remedy=remedy
            )
    chosen = {
        kind: {name: rules for name, rules in tools_.items() if name in tools} for kind, tools_ in parent.grants.items()
    }
    return {kind: resources for kind, resources in chosen.items() if resources}


def _lower_budgets(parent: Link, wanted: Sequence[str]) -> tuple[Budget, ...]:
    limits = {item.unit: item for item in parent.budgets}
    for text in wanted:
        unit, _, value = text.partition("=")
        if unit not in limits:
            raise ConfigError(
                "unknown_unit",
                f"the chain has no budget in `{unit[:32]}`",
                field="budget",
                remedy=f"use {', '.join(limits)}",
            )
        most = _parse_amount(value, limits[unit].decimals)
        least = most if unit == "time" else min(limits[unit].per_action, most)
        limits[unit] = replace(limits[unit], subtree=most, per_action=least)
    return tuple(limits.values())


def _parse_amount(text: str, decimals: int) -> int:
    try:
        scaled = Decimal(text).scaleb(decimals)
        amount = int(scaled)
    except (DecimalException, ValueError, OverflowError):
        scaled, amount = Decimal(0), -1
    if amount < 0 or amount != scaled or amount >= 2**53:
        raise ConfigError("bad_amount", f"`{text[:64]}` is not an amount", field="budget", remedy="for example step=10")
    return amount


def export_chain(
    session: Annotated[str, typer.Argument(help="Id of the session.")],
    *,
    agent: Annotated[
        str, typer.Option("--agent", help="The agent whose chain is exported (default: the last one that acted).")
    ] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Output file for the chain (default: print it).")] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Export the chain of a session's last decision. It cannot be used without the holder's key."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        hashes: list[str] = []
        for record in read_entries(reader, tenant_name, (EntryKind.DECISION,), session):
            if agent in ("", record.entry.body["request"]["subject"]["agent"]):
                hashes = record.entry.body["snapshot"]["chain"] or hashes
        stored = find_chain(reader, tenant_name, hashes[-1]) if hashes else None
    if stored is None:
        raise ConfigError(
            "no_such_session", f"session `{session[:64]}` has no decision", field="session", remedy="see `halo log`"
        )
    text = write_tokens(out, list(stored.tokens), stored.links)
    if out is None:
        sys.stdout.write(text)
    return Exit.OK


def revoke_passport(
    name: Annotated[
        str,
        typer.Argument(
            metavar="HASH|JTI|AGENT", help="A passport, or an agent with all its present and future passports."
        ),
    ],
    *,
    why: WhyOption,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Permanently revoke a passport, or every passport of an agent, from the next decision on.

    A revoked passport (HASH, JTI) can be replaced with `halo passport issue`. A revoked AGENT cannot get a new
    passport; use another id.
    """
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        agents = {record.entry.body["agent"] for record in read_entries(reader, tenant_name, (EntryKind.PASSPORT,))}
        stored = None if name in agents else find_chain(reader, tenant_name, name)
    if name not in agents and stored is None:
        raise build_no_such_error(name, agents)
    scope, target = ("agent", name) if stored is None else ("link", stored.links[-1].hash)
    done = commit(url, folder, tenant_name, lambda tx: revoke_now(tx, scope, target, resolve_actor(by), why))
    subject = (
        f"every passport of {name}"
        if stored is None
        else f"passport {shorten_hash(target)} of {stored.links[-1].agent}"
    )
    view = console()
    view.print(
        "[bold]revoked[/] " if done else "already revoked: ",
        safe_text(subject),
        ", and everything derived from it",
        sep="",
    )
    after = (
        "the agent is permanently revoked: use another id"
        if stored is None
        else "issue a new one: `halo passport issue`"
    )
    view.print(f"[dim]{after}[/]")
    return Exit.OK


def show_history(
    agent: Annotated[str, typer.Argument(help="An agent.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """List every passport and revocation of an agent, with what changed."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        rows = _load_history(reader, tenant_name, agent)
        if not rows:
            raise build_no_such_error(
                agent, {record.entry.body["agent"] for record in iterate_standing_entries(reader, tenant_name)}
            )
    if json:
        print_json(rows)
        return Exit.OK
    view = console()
    for row in rows:
        view.print(
            f"[dim]{row['index']:>5} {row['time'][:19]}Z[/] [bold]{row['what']}[/] ", safe_text(row["name"]), sep=""
        )
        for line in row["changes"]:
            view.print("        ", safe_text(line, style=CHANGE_STYLE.get(line[:1], "")), sep="")
    return Exit.OK


def _load_history(reader: Reader, tenant: str, agent: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before: Link | None = None
    facts: Any = {}
    hashes = set()
    for record in read_entries(reader, tenant, (EntryKind.PASSPORT, EntryKind.REVOCATION)):
        body = record.entry.body
        row = {"changes": [], "index": record.index, "name": "", "time": format_iso(record.entry.ts_us)}
        if record.entry.kind is EntryKind.REVOCATION:
            if body.get("target") == agent or body.get("target") in hashes:
                by = f"{body.get('scope')} {shorten_hash(str(body.get('target')))} by {body.get('by')}: {body.get('why')}"
                rows.append({**row, "name": by, "what": "revoked"})
        elif body.get("agent") == agent:
            hashes.add(body["hash"])
            if body.get("kind", "standing") == "standing":
                link = _load_link(reader, tenant, body["hash"])
                row["changes"] = (
                    [] if link is None else [item.text() for item in diff_passports(before, link, facts, body)]
                )
                name = (
                    f"{shorten_hash(body['hash'])} until {format_utc_minute(link.expires_at_s)}"
                    if link
                    else shorten_hash(body["hash"])
                )
                rows.append({**row, "name": name, "what": body.get("origin", "derived")})
                before, facts = (link, body) if link is not None else (before, facts)
    return rows


def _load_link(reader: Reader, tenant: str, name: str) -> Link | None:
    stored = find_chain(reader, tenant, name)
    return stored.links[0] if stored is not None else None


app = typer.Typer(help="Issue, narrow, show, verify and revoke passports.", no_args_is_help=True)
app.command("attenuate")(attenuate_passport)
app.command("export")(export_chain)
app.command("history")(show_history)
app.command("revoke")(revoke_passport)

_US_PER_S: Final = 1_000_000

ManifestOption = Annotated[
    Path | None,
    typer.Option("--manifest", help="The manifest (default: agents.yaml in the home, else in the working directory)."),
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
        bool, typer.Option("--dry-run", help="Show what would change without signing or recording anything.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """Issue an agent's standing passport from the manifest, and show the differences from its current one."""
    folder, url = resolve_store(home, db)
    try:
        path = find_manifest(folder, manifest)
        parsed_manifest = read_manifest(path)
        wanted, planned = plan(url, parsed_manifest, agent, SystemClock().now_us())
    except ManifestError as exc:
        return print_findings(exc)
    issued = planned if dry_run else issue(url, folder, wanted, parsed_manifest, key_home=key_home)
    notes = [
        *wanted.notes,
        *note_unenrolled_approvers(folder, wanted, SystemClock().now_us()),
        *note_other_manifest(path),
    ]
    if json:
        print_json(_issued_to_json(issued, dry_run=dry_run, notes=notes))
        return Exit.OK
    view = console()
    verb = "would be issued" if dry_run else "issued"
    view.print(
        f"[bold]{verb}[/] ",
        safe_text(f"{agent} {shorten_hash(issued.link.hash)}".strip()),
        f"until {_format_expiry(issued)}",
    )
    for note in notes:
        view.print("[yellow]note[/] ", safe_text(note), sep="")
    print_changes(view, issued)
    return Exit.OK


def _format_expiry(issued: IssuedPassport) -> str:
    return format_utc_minute(issued.link.expires_at_s)


def _issued_to_json(issued: IssuedPassport, *, dry_run: bool, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "agent": issued.link.agent,
        "changes": [change._asdict() for change in issued.changes],
        "dry_run": dry_run,
        "expires_at_s": issued.link.expires_at_s,
        "hash": issued.link.hash,
        "notes": list(notes),
        "replaces": issued.before.hash if issued.before is not None else "",
    }


def print_changes(view: Console, issued: IssuedPassport) -> None:
    """Each difference on its own line."""
    if issued.before is None:
        view.print("this is the agent's first passport; it grants")
    elif not issued.changes:
        view.print(f"no change from {shorten_hash(issued.before.hash)}")
    else:
        view.print(f"against {shorten_hash(issued.before.hash)}")
    for change in issued.changes:
        view.print("  ", _style_change(change), sep="")


def _style_change(change: Change) -> Text:
    style = "bold red" if "WIDENED" in change.how else CHANGE_STYLE[change.sign]
    return safe_text(change.text(), style=style)


def print_findings(error: ManifestError) -> int:
    """Everything that is wrong with a manifest, on stderr; the exit code for it."""
    out = console(stderr=True)
    for finding in error.findings:
        out.print("[bold red]error[/] ", safe_text(finding.text(error.source)), sep="")
        if finding.remedy:
            out.print("  try: ", safe_text(finding.remedy), sep="")
    return Exit.USAGE


@app.command("inspect")
def inspect_passport(
    name: Annotated[str, typer.Argument(metavar="AGENT|HASH|FILE", help="An agent, a passport hash, or a file.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    manifest: ManifestOption = None,
    json: JsonOption = False,
) -> int:
    """Show a passport: agent, principal, validity, grants, budgets and decay."""
    folder, url = resolve_store(home, db)
    stored, tenant_name = _find_passport(name, url, tenant)
    if json:
        print_json(_stored_to_json(stored, _describe_revocations(stored, url, tenant_name)))
        return Exit.OK
    declared = (load_issued_manifest(stored, url, tenant_name) if manifest is None else None) or _load_manifest_or_none(
        folder, manifest
    )
    resources = classify_resources(declared, load_catalogue(url, tenant_name))
    view = console()
    for why in _describe_revocations(stored, url, tenant_name):
        view.print("[bold red]REVOKED[/] ", safe_text(why), ": every action under this passport is denied", sep="")
    facts = stored.entry.body if stored.entry is not None else {}
    view.print(render_passport(stored.links[-1], resources, facts, now_s=SystemClock().now_us() // _US_PER_S))
    if len(stored.links) > 1:
        view.print()
        view.print(
            "the chain; each link is within the previous one ([dim]=[/] the same, [yellow]↓[/] less, [red]✗[/] removed)"
        )
        view.print(build_chain_table(stored.links))
    if stored.entry is None:
        view.print("[yellow]read from a file, not verified[/]: verify it with `halo passport verify`")
    return Exit.OK


def _find_passport(name: str, url: str, tenant: str | None) -> tuple[StoredChain, str]:
    path = Path(name)
    if path.is_file():
        tokens = read_tokens(path)
        links = decode_unverified(tokens)
        return StoredChain(tuple(tokens), links), tenant or links[0].tenant
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        stored = load_current_passport(reader, tenant_name, name) or find_chain(reader, tenant_name, name)
        if stored is None:
            agents = {record.entry.body["agent"] for record in iterate_standing_entries(reader, tenant_name)}
            raise build_no_such_error(name, agents)
    return stored, tenant_name


def _describe_revocations(stored: StoredChain, url: str, tenant: str) -> list[str]:
    try:
        with Reader(url) as reader:
            matching = [
                item
                for item in list_revocations(reader, tenant)
                if revocation_applies(item, stored.links, stored.links[-1].txn)
            ]
    except ConfigError as exc:
        if exc.code in ("no_database", "no_store"):
            return []
        raise
    return [
        f"{item.scope} {shorten_hash(item.target)}" if item.scope == "link" else f"{item.scope} {item.target}"
        for item in matching
    ]


def _load_manifest_or_none(home: Path, path: Path | None) -> Manifest | None:
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError:
        if path is not None:
            raise
        return None


def _stored_to_json(stored: StoredChain, revoked: list[str]) -> dict[str, Any]:
    return {
        "chain": [{"claims": link_to_claims(link), "hash": link.hash} for link in stored.links],
        "entry": dict(stored.entry.body) if stored.entry is not None else None,
        "revoked": revoked,
        "verified": False,
    }


@app.command("verify")
def verify_passport(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File with a chain, one token per line, standing link first.")
    ],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Verify a chain step by step, as a decision does. Exit 0: valid. 1: not valid."""
    folder, url = resolve_store(home, db)
    steps = run_checks(read_tokens(file), folder, url, tenant, now_us=SystemClock().now_us())
    good = all(check.passed is not False for check in steps)
    if json:
        print_json({"good": good, "steps": [check._asdict() for check in steps]})
        return Exit.OK if good else Exit.FAILED
    view = console()
    for check in steps:
        view.print(
            _format_mark(check), " ", safe_text(check.what), f" [dim]{check.code}[/]" if check.code else "", sep=""
        )
    view.print("[green]valid[/]" if good else "[bold red]not valid[/]: every action under this passport is denied")
    return Exit.OK if good else Exit.FAILED


def _format_mark(check: Check) -> str:
    return {True: "[green]✓[/]", False: "[bold red]✗[/]", None: "[dim]-[/]"}[check.passed]
