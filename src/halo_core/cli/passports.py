"""`halo agents` and `halo passport`: agents and their passports; issuing, narrowing, verifying, revoking."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from halo_core.authorities import parse_public_key
from halo_core.cli.context import KeyHomeOption, ManifestOption, StoreContext, WhyOption, store_verb
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.rendering import (
    CHANGE_STYLE,
    PASSED_MARKS,
    Exit,
    build_field_table,
    build_table,
    console,
    safe_text,
    say,
)
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore, RandomIds, make_agent_key_name
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError
from halo_core.evidence.questions_raises import answer_raises
from halo_core.evidence.questions_rights import answer_after_revocation
from halo_core.model import EntryKind, Link, LinkKind
from halo_core.oversight.issuing import issue
from halo_core.oversight.restrictions import revoke as revoke_now
from halo_core.passports import mint_handoff
from halo_core.store.reader import read_entries
from halo_core.views.inventory import AgentRow, classify_resources, list_agents, load_catalogue
from halo_core.views.manifests import (
    find_manifest,
    load_issued_manifest,
    note_other_manifest,
    read_manifest,
    read_manifest_if_any,
)
from halo_core.views.passport_changes import (
    IssuedPassport,
    PreparedGrants,
    load_history,
    note_unenrolled_approvers,
    plan,
)
from halo_core.views.passports import (
    build_no_such_error,
    compare_links,
    decode_unverified,
    describe_passport,
    find_chain,
    find_passport,
    find_widenings,
    lower_budgets,
    read_tokens,
    run_checks,
    select_grants,
    write_tokens,
)
from halo_core.views.wording import format_link_kind, format_utc_minute, shorten_hash

_WARNING_STATES: Final = ("revoked", "expired", "none", "unreadable")
_WIDE_COLUMNS: Final = 110
"""Width of the terminal from which on the purpose is shown, columns."""


@store_verb()
def agents(*, manifest: ManifestOption = None, store: StoreContext) -> None:
    """List all agents that were declared, have a passport, or have acted."""
    declared = read_manifest_if_any(store.home, manifest)
    with store.open_log() as (reader, tenant):
        rows = list_agents(reader, tenant, declared, SystemClock().now_us())
    if store.print_json(rows):
        return
    say(_build_table(rows, wide=console().width >= _WIDE_COLUMNS))
    unlisted = [row.agent for row in rows if row.listed is False]
    if unlisted:
        say(
            f"[yellow]{len(unlisted)} not in the manifest[/]: add them to agents.yaml, or revoke them: ",
            safe_text(", ".join(unlisted)),
        )


def _build_table(rows: list[AgentRow], *, wide: bool) -> Table:
    titles = ["agent", "owner", "privilege", "passport", "until", "ran", "last seen", *(["purpose"] if wide else [])]
    table = build_table(titles, no_wrap=set(titles) - {"owner", "purpose"})
    for row in rows:
        style = "yellow" if row.listed is False else "bold"
        table.add_row(
            safe_text(row.agent + (" (!)" if row.listed is False else ""), style),
            safe_text(row.owner or "nobody", "" if row.owner else "dim"),
            safe_text(row.privilege or "-"),
            safe_text(row.passport, "yellow" if row.passport in _WARNING_STATES else ""),
            format_utc_minute(row.until_s)[:10] if row.until_s else "-",
            f"{row.uses:,}/{row.decisions:,}",
            format_iso(row.last_us)[:10] if row.last_us else "never",
            *([safe_text(row.purpose or "-")] if wide else []),
        )
    return table


app = typer.Typer(help="Issue, narrow, show, verify and revoke passports.", no_args_is_help=True)


@store_verb(app, "attenuate", db=False, tenant=False, json=False)
def attenuate_passport(
    file: Annotated[Path, Argument(metavar="TOKEN_FILE", help="A session's chain, from `halo passport export`.")],
    *,
    to: Annotated[str, Option("--to", metavar="AGENT", help="The agent that receives the narrower link.")],
    to_key: Annotated[
        str, Option("--to-key", help="The receiver's public key in base64 (default: its key in the home).")
    ] = "",
    tools: Annotated[list[str] | None, Option("--tools", help="Grant only this resource; can be repeated.")] = None,
    budget: Annotated[list[str] | None, Option("--budget", help="UNIT=AMOUNT; can be repeated.")] = None,
    out: Annotated[Path | None, Option("--out", help="Output file for the chain (default: print it).")] = None,
    key_home: KeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Derive a narrower link for another agent. This works offline and needs only the last holder's key."""
    tokens = read_tokens(file)
    links = decode_unverified(tokens)
    parent = links[-1]
    if parent.kind is LinkKind.STANDING:
        problem = "only a session link can be handed off"
        remedy = "export the session's chain with `halo passport export SESSION`"
        raise ConfigError("bad_depth", problem, field="TOKEN_FILE", remedy=remedy)
    keys = KeyStore(key_home or store.home)
    token = mint_handoff(
        parent=parent,
        parent_token=tokens[-1],
        signer=keys.signer(_find_agent_key(keys, parent.agent)),
        now_s=SystemClock().now_us() // SECOND_US,
        jti=RandomIds().new_token_id(),
        agent=to,
        holder_public_key=parse_public_key(to_key) if to_key else keys.signer(_find_agent_key(keys, to)).public_key,
        grants=select_grants(parent, tools) if tools else None,
        budgets=lower_budgets(parent, budget) if budget else None,
        hand_off_to=sorted(set(parent.hand_off_to) - {to}),
    )
    longer = [*tokens, token]
    chain = decode_unverified(longer)
    text = write_tokens(out, longer, chain)
    view = console(stderr=out is None)
    view.print(_build_chain_table(chain[-2:]))
    if out is None:
        sys.stdout.write(text)
    else:
        view.print("written to ", safe_text(str(out)), sep="")


def _find_agent_key(keys: KeyStore, agent: str) -> str:
    name = make_agent_key_name(agent)
    if name not in keys.names():
        problem = f"`{keys.home}` has no key of `{agent[:64]}`"
        remedy = "give the folder of the key with `--key-home`, or the receiver's public key with `--to-key`"
        raise ConfigError("no_key", problem, field="key-home", remedy=remedy)
    return name


@store_verb(app, "export", json=False)
def export_chain(
    session: Annotated[str, Argument(help="Id of the session.")],
    *,
    agent: Annotated[
        str, Option("--agent", help="The agent whose chain is exported (default: the last one that acted).")
    ] = "",
    out: Annotated[Path | None, Option("--out", help="Output file for the chain (default: print it).")] = None,
    store: StoreContext,
) -> None:
    """Export the chain of a session's last decision. It cannot be used without the holder's key."""
    with store.open_log() as (reader, tenant):
        hashes: list[str] = []
        for record in read_entries(reader, tenant, (EntryKind.DECISION,), session):
            if agent in ("", record.entry.body["request"]["subject"]["agent"]):
                hashes = record.entry.body["snapshot"]["chain"] or hashes
        stored = find_chain(reader, tenant, hashes[-1]) if hashes else None
    if stored is None:
        raise ConfigError(
            "no_such_session", f"session `{session[:64]}` has no decision", field="session", remedy="see `halo log`"
        )
    text = write_tokens(out, list(stored.tokens), stored.links)
    if out is None:
        sys.stdout.write(text)


@store_verb(app, "revoke", json=False, by=True)
def revoke_passport(
    name: Annotated[
        str,
        Argument(metavar="HASH|JTI|AGENT", help="A passport, or an agent with all its present and future passports."),
    ],
    *,
    why: WhyOption,
    store: StoreContext,
) -> None:
    """Permanently revoke a passport, or every passport of an agent, from the next decision on.

    A revoked passport (HASH, JTI) can be replaced with `halo passport issue`. A revoked AGENT cannot get a new
    passport; use another id.
    """
    with store.open_log() as (reader, tenant):
        agents = {record.entry.body["agent"] for record in read_entries(reader, tenant, (EntryKind.PASSPORT,))}
        stored = None if name in agents else find_chain(reader, tenant, name)
        if name not in agents and stored is None:
            raise build_no_such_error(reader, tenant, name, agents)
    scope, target = ("agent", name) if stored is None else ("link", stored.links[-1].hash)
    done = store.commit(lambda tx: revoke_now(tx, scope, target, store.actor, why), tenant=tenant)
    subject, after = f"every passport of {name}", "the agent is permanently revoked: use another id"
    if stored is not None:
        subject = f"passport {shorten_hash(target)} of {stored.links[-1].agent}"
        after = "issue a new one: `halo passport issue`"
    verb = "[bold]revoked[/] " if done else "already revoked: "
    say(verb, safe_text(subject), ", and everything derived from it")
    say(f"[dim]{after}[/]")


@store_verb(app, "history")
def show_history(
    name: Annotated[str, Argument(metavar="[AGENT]", help="An agent.")] = "",
    *,
    agent: Annotated[str, Option("--agent", help="The agent, as an option.")] = "",
    raises: Annotated[bool, Option("--raises", help="Every raise of privilege, and who approved it.")] = False,
    after_revocation: Annotated[
        bool, Option("--after-revocation", help="What the agent tried after it was revoked; exit 1 if anything ran.")
    ] = False,
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List every passport and revocation of an agent, with what changed; or raises, or what a revoked agent tried."""
    agent = agent or name
    if raises:
        question = partial(answer_raises, agent=agent)
        period = read_period(from_, to)
        return answer_question(store, "passport history", period, question, agent=agent, raises=True)
    if not agent:
        raise ConfigError("usage", "no agent is named", field="agent", remedy="name one, or give `--raises`")
    if after_revocation:
        question = partial(answer_after_revocation, agent=agent)
        period = read_period(from_, to)
        return answer_question(store, "passport history", period, question, agent=agent, after_revocation=True)
    _list_history(store, agent)
    return Exit.OK


def _list_history(store: StoreContext, agent: str) -> None:
    with store.open_log() as (reader, tenant):
        rows = load_history(reader, tenant, agent)
        if not rows:
            raise build_no_such_error(reader, tenant, agent)
    if store.print_json(rows):
        return
    for row in rows:
        say(f"[dim]{row.index:>5} {row.time[:19]}Z[/] [bold]{row.what}[/] ", safe_text(row.name))
        for line in row.changes:
            say("        ", safe_text(line, style=CHANGE_STYLE.get(line[:1], "")))


@store_verb(app, "issue", tenant=False)
def issue_passport(
    agent: Annotated[str, Argument(help="An agent of the manifest.")],
    *,
    manifest: ManifestOption = None,
    key_home: KeyHomeOption = None,
    dry_run: Annotated[
        bool, Option("--dry-run", help="Show what would change without signing or recording anything.")
    ] = False,
    store: StoreContext,
) -> None:
    """Issue an agent's standing passport from the manifest, and show the differences from its current one."""
    path = find_manifest(store.home, manifest)
    parsed, now_us = read_manifest(path), SystemClock().now_us()
    wanted, issued = plan(store.url, parsed, agent, now_us)
    if not dry_run:
        changes = issued.describe_changes()
        link = issue(store.url, store.home, wanted, parsed, changes=changes, key_home=key_home)
        issued = replace(issued, link=link)
    notes = [*wanted.notes, *note_unenrolled_approvers(store.home, wanted, now_us), *note_other_manifest(path)]
    if store.print_json({**issued.to_json(), "dry_run": dry_run, "notes": notes}):
        return
    name, until = f"{agent} {shorten_hash(issued.link.hash)}".strip(), format_utc_minute(issued.link.expires_at_s)
    say(f"[bold]{'would be issued' if dry_run else 'issued'}[/]  ", safe_text(name), f" until {until}")
    for note in notes:
        say("[yellow]note[/] ", safe_text(note))
    print_changes(issued)


def print_changes(issued: IssuedPassport, *title: RenderableType) -> None:
    """Print how a passport differs from the one before, a line each, after a line that begins with `title`."""
    if issued.before is None:
        say(*title, "this is the agent's first passport; it grants")
    elif not issued.changes:
        say(*title, f"no change from {shorten_hash(issued.before.hash)}")
    else:
        say(*title, f"against {shorten_hash(issued.before.hash)}")
    for change in issued.changes:
        style = "bold red" if "WIDENED" in change.how else CHANGE_STYLE[change.sign]
        say("  ", safe_text(change.text(), style=style))


def refuse_widening(prepared: PreparedGrants, *, remedy: str, restored: Collection[str] = ()) -> None:
    """Refuse to issue passports that allow more than before, other than grants of the resources in `restored`.

    Raises:
        ConfigError: `widened`.
    """
    wider = [
        f"{planned.link.agent}: {item.text()}"
        for _, planned in prepared.planned
        for item in planned.list_widenings()
        if item.sign != "+" or item.what.rpartition(" ")[2] not in restored
    ]
    if wider:
        problem = f"the manifest allows more than the passport: {wider[0][:200]}"
        raise ConfigError("widened", problem, field="grants", remedy=remedy)


@store_verb(app, "inspect")
def inspect_passport(
    name: Annotated[str, Argument(metavar="AGENT|HASH|FILE", help="An agent, a passport hash, or a file.")],
    *,
    manifest: ManifestOption = None,
    store: StoreContext,
) -> None:
    """Show a passport: agent, principal, validity, grants, budgets and decay."""
    passport = find_passport(name, store.url, store.tenant)
    if store.print_json(passport):
        return
    stored = passport.stored
    declared = load_issued_manifest(stored, store.url, passport.tenant) if manifest is None else None
    declared = declared or read_manifest_if_any(store.home, manifest, ignore_errors=True)
    resources = classify_resources(declared, load_catalogue(store.url, passport.tenant))
    for why in passport.revoked:
        say("[bold red]REVOKED[/] ", safe_text(why), ": every action under this passport is denied")
    facts = stored.entry.body if stored.entry is not None else {}
    now_s = SystemClock().now_us() // SECOND_US
    lines = [
        (title if index == 0 else "", safe_text(label, style="bold"), safe_text(text))
        for title, rows in describe_passport(stored.links[-1], resources, facts, now_s)
        for index, (label, text) in enumerate(rows)
    ]
    say(build_field_table(lines, {"no_wrap": True, "max_width": 28, "overflow": "ellipsis"}))
    if len(stored.links) > 1:
        marks = "[dim]=[/] the same, [yellow]↓[/] less, [red]✗[/] removed"
        say(f"\nthe chain; each link is within the previous one ({marks})")
        say(_build_chain_table(stored.links))
    if stored.entry is None:
        say("[yellow]read from a file, not verified[/]: verify it with `halo passport verify`")


@store_verb(app, "verify")
def verify_passport(
    file: Annotated[Path, Argument(metavar="FILE", help="File with a chain, one token per line, standing link first.")],
    *,
    store: StoreContext,
) -> int:
    """Verify a chain step by step, as a decision does. Exit 0: valid. 1: not valid."""
    steps = run_checks(read_tokens(file), store.home, store.url, store.tenant, now_us=SystemClock().now_us())
    good = all(check.passed is not False for check in steps)
    if not store.print_json({"good": good, "steps": steps}):
        for check in steps:
            code = f" [dim]{check.code}[/]" if check.code else ""
            say(PASSED_MARKS[check.passed], " ", safe_text(check.what), code)
        say("[green]valid[/]" if good else "[bold red]not valid[/]: every action under this passport is denied")
    return Exit.OK if good else Exit.FAILED


def _build_chain_table(chain: Sequence[Link]) -> Table:
    """A column for each link; what a link has less than the one before it is marked."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="dim", no_wrap=True)
    for link in chain:
        table.add_column(safe_text(f"{link.depth} {format_link_kind(link)}"), overflow="fold")
    table.add_row("agent", *(safe_text(link.agent, style="bold") for link in chain))
    table.add_row("link", *(shorten_hash(link.hash) for link in chain))
    table.add_row("until", *(format_utc_minute(link.expires_at_s) for link in chain))
    within = [
        safe_text(f"✗ {text}" if text else "✓", "bold red" if text else "green") for text in find_widenings(chain)
    ]
    table.add_row("within", "-", *within)
    for title, cells in compare_links(chain):
        table.add_row(title, *(_mark_change(cells[n - 1] if n else None, cell) for n, cell in enumerate(cells)))
    return table


def _mark_change(before: str | None, cell: str | None) -> Text:
    """A cell against the one before: `=` for the same, `↓` for another, `✗` for what is gone."""
    if cell is None:
        return Text("✗" if before is not None else "", style="red")
    if before is None:
        return safe_text(cell)
    return Text("=", style="dim") if cell == before else safe_text(f"↓ {cell}", style="yellow")
