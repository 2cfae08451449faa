"""`halo grants`: grants that nobody uses, their removal after a notice, and restoring them.

Run `halo grants unused --apply` once a day. It gives notice and removes where the manifest says `unused_grants:
{action: remove}`; elsewhere it only proposes.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.evidence import open_log, print_head, read_log_head
from halo_core.cli.output import confirm
from halo_core.cli.passports import print_changes, refuse_widening
from halo_core.cli.rendering import Exit, build_table, fail, print_note, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.durations import DAY_US
from halo_core.errors import ConfigError, NotVerified
from halo_core.evidence.answers import Answer, format_query
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.grant_uses import AgentUnusedGrants, UnusedGrant, list_unused_grants, load_removed_grants
from halo_core.model import ActionKind, Grants
from halo_core.oversight.grants import give_notice, record_removal, record_restoring
from halo_core.oversight.issuing import issue, write_manifest
from halo_core.views.grant_proposals import Proposal, ProposedGrants
from halo_core.views.passport_changes import prepare_grants
from halo_core.views.passports import load_current_passport
from halo_core.views.wording import format_count, shorten_hash

app = typer.Typer(help="Grants that nobody uses: list, remove and restore them.")
_MAX_ROWS: Final = 100

AgentArgument = Annotated[str, Argument(metavar="AGENT", help="The agent's id.")]
DaysOption = Annotated[
    int | None,
    Option("--days", min=1, help="Days without a use (default: of the manifest, else 90).", show_default=False),
]
KeyHomeOption = Annotated[Path | None, Option("--key-home", help="Folder of the issuer's key, if not the home.")]
YesOption = Annotated[bool, Option("--yes", help="Do not ask.")]


@store_verb(app, "unused")
def list_unused(
    *,
    agent: Annotated[str, Option("--agent", help="Only this agent.")] = "",
    days: DaysOption = None,
    apply: Annotated[
        bool, Option("--apply", help="Give notice, and remove what is due, where the manifest says `remove`.")
    ] = False,
    key_home: KeyHomeOption = None,
    store: StoreContext,
) -> int:
    """List the grants that were not used for long; with --apply do what the manifest says.

    Exit 2: the log does not verify, so nobody can tell what was used.
    """
    if apply and days is not None:
        problem = "with `--apply` the manifest says after how many days"
        raise ConfigError("bad_days", problem, field="days", remedy="write `unused_grants: {after_days: N}` there")
    now_us = SystemClock().now_us()
    query = format_query("grants unused", agent=agent, days=days or 0, apply=apply)
    try:
        unused_by_agent, head = _read_unused(store, query, now_us, agent=agent, days=days)
        removed = [_apply(store, head.tenant, item, key_home) for item in unused_by_agent] if apply else []
        if apply:
            unused_by_agent, head = _read_unused(store, query, now_us, agent=agent)
    except NotVerified as exc:
        return fail(exc, Exit.CANNOT_TELL)
    answer = {"agents": [item.to_json() for item in unused_by_agent], "head": head.to_json(), "removed": sum(removed)}
    if store.print_json(answer):
        return Exit.OK
    print_head(head)
    _print_unused(unused_by_agent, days)
    if apply:
        say_plainly(f"removed: {format_count(sum(removed), 'grant')}; `halo grants restore AGENT` restores them")
    return Exit.OK


def _read_unused(
    store: StoreContext, query: str, now_us: int, *, agent: str, days: int | None = None
) -> tuple[list[AgentUnusedGrants], Answer]:
    """The unused grants, and the head of the answer.

    Raises:
        NotVerified: the log does not verify.
    """
    with store.open_log() as (reader, tenant):
        log = open_log(store, reader, tenant, query)
        unused_by_agent = list_unused_grants(log, now_us, agent=agent, days=days)
        use_count = sum(item.total for item in unused_by_agent)
        unit = f"grants of {format_count(len(unused_by_agent), 'agent')}, and uses"
        return unused_by_agent, read_log_head(log, (use_count, unit))


def _print_unused(unused_by_agent: list[AgentUnusedGrants], days: int | None) -> None:
    if not unused_by_agent:
        say_plainly("no agent has a passport yet; run your app once, or `halo passport issue AGENT`")
        return
    table = build_table(("agent", "grant", "last used", "granted", "what follows"), gap=2)
    rows = [(item, grant) for item in unused_by_agent for grant in item.unused]
    for item, grant in rows[:_MAX_ROWS]:
        used = format_iso(grant.used_us)[:10] if grant.used_us else "never"
        since = format_iso(grant.granted_us)[:10]
        table.add_row(safe_text(item.agent), safe_text(grant.text), used, since, _describe_next(item, grant))
    if rows:
        say(table)
    if len(rows) > _MAX_ROWS:
        say(f"... {len(rows) - _MAX_ROWS} more; use `--json` to see all")
    for item in unused_by_agent:
        after = item.rule.after_days if days is None else days
        number = len(item.unused)
        say_plainly(f"{item.agent}: {number} of {format_count(item.total, 'grant')} not used for {after} days")
        if item.total and item.oldest_us > item.now_us - after * DAY_US:
            since = format_iso(item.oldest_us)[:10]
            say_plainly(f"  none has been held for so long, the oldest since {since}")
            say_plainly(f"  what it has not used yet: halo reach --agent {item.agent}")


def _describe_next(item: AgentUnusedGrants, grant: UnusedGrant) -> str:
    if not item.is_issued:
        return "its passport follows the code: stop guarding it"
    if item.rule.action != "remove":
        return f"`halo grants remove {item.agent}`"
    if not grant.removed_from_us:
        return "notice with `--apply`"
    return f"removed from {format_iso(grant.removed_from_us)[:10]} on"


def _apply(store: StoreContext, tenant: str, item: AgentUnusedGrants, key_home: Path | None) -> int:
    """Give notice to an agent, and remove what is due; returns how many grants were removed."""
    new = item.list_unnoticed()
    if new:
        removed_from_us = item.now_us + item.rule.notice_days * 86_400_000_000
        names = [(grant.kind, grant.name) for grant in new]
        store.commit(lambda tx: give_notice(tx, item.agent, names, removed_from_us, store.actor))
    due = item.list_due()
    if due:
        _remove(store, tenant, item, due, key_home)
    return len(due)


def _remove(
    store: StoreContext, tenant: str, item: AgentUnusedGrants, removed: tuple[UnusedGrant, ...], key_home: Path | None
) -> None:
    """Write the manifest without these grants, issue a passport from it, and record the removal."""
    after = issue_grants(store, tenant, item.without(removed), key_home)
    names = [(grant.kind, grant.name) for grant in removed]
    store.commit(lambda tx: record_removal(tx, item.agent, names, store.actor, before=item.passport, after=after))


def issue_grants(
    store: StoreContext,
    tenant: str,
    proposed: ProposedGrants,
    key_home: Path | None,
    *,
    restored: Collection[str] = (),
) -> str:
    """Write the manifest with these grants, and issue a passport from it; returns the passport's hash.

    Args:
        store: the verb's home and store.
        tenant: owner of the log.
        proposed: the grants.
        key_home: folder of the issuer's key; the home if None.
        restored: names of the resources that may be granted anew.

    Raises:
        ConfigError: `widened`, somebody has changed the manifest so that it allows more besides.
    """
    prepared = prepare_grants(store.url, store.home, tenant, [proposed], SystemClock().now_us())
    # INVARIANT: what else the file says by now comes into force with the new passport, and nobody was shown it.
    remedy = f"undo it in {prepared.path}, or put it in force first: `halo passport issue {proposed.proposal.agent}`"
    refuse_widening(prepared, remedy=remedy, restored=restored)
    ((wanted, planned),) = prepared.planned
    write_manifest(prepared.path, prepared.manifest.text)
    changes = planned.describe_changes()
    link = issue(store.url, store.home, wanted, prepared.manifest, changes=changes, key_home=key_home)
    if not store.json:
        say("[bold]issued[/] ", safe_text(f"{link.agent} {shorten_hash(link.hash)}"))
    return link.hash


@store_verb(app, "remove", by=True)
def remove_grants(
    agent: AgentArgument,
    *,
    days: DaysOption = None,
    yes: YesOption = False,
    key_home: KeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Remove the grants that an agent did not use for long, now: in the manifest, and with a new passport."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        log = AuditLog(reader, tenant, home=store.home, now_us=now_us)
        unused_by_agent = list_unused_grants(log, now_us, agent=agent, days=days)
    item = next(iter(unused_by_agent), None)
    if item is None or not item.unused:
        say_plainly(f"{agent} has no grant that was not used for so long")
        return Exit.FAILED
    if not item.is_issued:
        problem = f"the passport of `{agent}` follows what its code guards"
        raise ConfigError("not_issued", problem, field="agent", remedy="issue one: `halo enforce --grants`")
    if not store.json:
        for grant in item.unused:
            say("  - ", safe_text(grant.text, "red"))
    if not (yes or store.json or confirm(f"remove {format_count(len(item.unused), 'grant')} of {agent}?")):
        say("nothing was changed")
        return Exit.FAILED
    _remove(store, tenant, item, item.unused, key_home)
    store.print_json({"agent": agent, "removed": [[grant.kind, grant.name] for grant in item.unused]})
    return Exit.OK


@store_verb(app, "restore", by=True)
def restore_grants(
    agent: AgentArgument,
    names: Annotated[list[str] | None, Argument(metavar="[NAME...]", help="Only these resources.")] = None,
    *,
    yes: YesOption = False,
    key_home: KeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Restore grants that were removed because nobody used them, with the constraints that they had."""
    with store.open_log() as (reader, tenant):
        removed = load_removed_grants(reader, tenant, agent)
        current = load_current_passport(reader, tenant, agent)
    wanted = [(kind, name) for kind, name in removed.names if not names or name in names]
    if not wanted or current is None:
        say_plainly(f"nothing was removed from {agent} that could be restored; see `halo grants unused`")
        return Exit.FAILED
    granted = current.links[0].grants
    proposed = ProposedGrants(Proposal(agent, granted, ()), _join(granted, removed.grants, wanted))
    prepared = prepare_grants(store.url, store.home, tenant, [proposed], SystemClock().now_us())
    if not store.json:
        for _, planned in prepared.planned:
            print_changes(planned)
    if not (yes or store.json or confirm(f"restore {format_count(len(wanted), 'grant')} of {agent}?")):
        say("nothing was changed")
        return Exit.FAILED
    after = issue_grants(store, tenant, proposed, key_home, restored=[name for _, name in wanted])
    store.commit(lambda tx: record_restoring(tx, agent, wanted, store.actor, after=after))
    if not store.print_json({"agent": agent, "restored": [list(item) for item in wanted]}):
        print_note("restart the agent's processes, so that they use the new passport")
    return Exit.OK


def _join(granted: Grants, removed: Grants, wanted: list[tuple[str, str]]) -> Grants:
    """The granted resources together with the wanted ones among the removed."""
    joined = {kind: dict(resources) for kind, resources in granted.items()}
    for kind, name in wanted:
        joined.setdefault(ActionKind(kind), {})[name] = removed[ActionKind(kind)][name]
    return joined
