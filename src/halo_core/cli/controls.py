"""Verbs that change what runs: `halo status`, `observe`, `enforce`, `stop`, `lift` and `revoke`.

A change of mode is recorded. Running processes that were not given a mode of their own follow at their next decision.

A stop goes to a file of the home first and then to the ledger, so it holds whatever is wrong with the database. A lift
goes to the ledger first: nothing is let go that is not written down.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import typer
from typer import Option

from halo_core.cli.context import StoreContext, WhyOption, store_verb, warn_unwritten
from halo_core.cli.first_day import lead_through_first_day, print_plan
from halo_core.cli.passports import print_changes
from halo_core.cli.rendering import CHANGE_STYLE, EFFECT_STYLE, Exit, print_note, safe_text, say, say_plainly
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Actor, EntryKind, Mode, Stop
from halo_core.oversight import requests
from halo_core.oversight.issuing import apply_manifest
from halo_core.stop_files import StopFiles
from halo_core.store import Draft, Transaction
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.inventory import (
    ProposedGrants,
    count_stopped,
    list_proposals,
    load_statuses,
    require_known_target,
)
from halo_core.views.passport_changes import PreparedGrants, prepare_grants
from halo_core.views.wording import describe_arguments, shorten_hash

_MAX_ROWS: Final = 40
_MAX_STOPPED: Final = 20
_DEV_NOTE: Final = (
    "assurance dev: the keys are where the agent runs. Enforce mode prevents what the model decides; what code in the "
    "agent's process could do besides (switch the mode, sign, answer) the log shows as evidence and does not prevent"
)


@store_verb(tenant=False)
def status(*, store: StoreContext) -> None:
    """Show the mode and the number of decisions, by tenant."""
    statuses = load_statuses(store.url)
    if store.print_json(statuses):
        return
    for tenant, item in statuses.items():
        say(f"[bold]{tenant}[/]  mode [bold]{item.mode or '?'}[/]  {store.url}")
        say(f"  decisions {sum(item.decisions.values()):,} in {item.sessions:,} sessions")
        effect_texts = (f"[{EFFECT_STYLE[effect]}]{effect}[/] {n:,}" for effect, n in item.effects.items())
        say("  " + ("  ".join(effect_texts) or "no decisions yet"))
        if item.sightings:
            say(f"  [bold red]{item.sightings:,}[/] unguarded actions seen: halo log")


@store_verb()
def enforce(
    *,
    plan: Annotated[
        bool, Option("--plan", help="Show what was observed, each guess and what it would change; write nothing.")
    ] = False,
    grants: Annotated[bool, Option("--grants", help="First narrow passports to the resources that were used.")] = False,
    tight: Annotated[
        bool, Option("--tight", help="With --grants: narrow to the argument values that were used, too.")
    ] = False,
    agent: Annotated[
        str, Option("--agent", help="Only what this agent used; with --grants: only for this agent.")
    ] = "",
    widen: Annotated[
        bool, Option("--widen", help="With --grants: also issue passports that allow more than before.")
    ] = False,
    yes: Annotated[bool, Option("--yes", help="Do not ask: accept every guess, and with --grants the grants.")] = False,
    store: StoreContext,
) -> int:
    """Lead through what was observed, and switch to enforce mode: denied actions do not run.

    Goes through the tools and retrievers that nobody declared: what each seems to do and why, what that would
    have asked or refused so far, and one answer for each; writes the manifest, and shows the difference.
    """
    tenant = store.resolve_tenant()  # never a switch for a store or tenant that is not there: opening would make it
    if plan or store.json:
        print_plan(store, tenant, agent)
        return Exit.OK
    first_day = lead_through_first_day(store, tenant, agent=agent, yes=yes)
    if not first_day.goes_on:
        say("nothing was changed")
        return Exit.FAILED
    if grants and not _narrow_grants(store, tenant, agent, tight=tight, yes=yes, widen=widen):
        say("nothing was changed")
        return Exit.FAILED
    with store.open_log() as (reader, _):
        stopped = count_stopped(reader, tenant)
    for (resource, codes), count in stopped.most_common(_MAX_STOPPED):
        if resource not in first_day.shown:
            say_plainly(f"  {count:>5} x {resource}: {', '.join(codes)}")
    switch_mode(store, tenant, Mode.ENFORCE)
    say(f"enforce mode is on; {sum(stopped.values()):,} of the calls so far would not have run")
    say("(according to the rules and declarations at that time; run in observe mode again to check other ones)")
    print_note(_DEV_NOTE)
    return Exit.OK


@store_verb(json=False)
def observe(*, store: StoreContext) -> None:
    """Switch to observe mode: every action runs and is recorded, whatever the decision. Stops and revocations apply."""
    switch_mode(store, store.resolve_tenant(), Mode.OBSERVE)
    say("[bold yellow]observe mode[/] is on: actions RUN whatever the decision")


def _narrow_grants(store: StoreContext, tenant: str, agent: str, *, tight: bool, yes: bool, widen: bool) -> bool:
    """Show what was used of what is granted and all that would change, ask, and issue passports of that."""
    with Reader(store.url) as reader:
        proposals = list_proposals(reader, store.open_contents(reader), tenant, tight=tight)
    proposals = [item for item in proposals if agent in ("", item.proposal.agent)]
    if not proposals:
        problem, remedy = "there are no recorded decisions", "run the app in observe mode first"
        raise ConfigError("nothing_used", problem, field="agent", remedy=remedy)
    for item in proposals:
        _print_proposal(item)
    prepared = prepare_grants(store.url, store.home, tenant, proposals, SystemClock().now_us())
    _print_plan(prepared, widen=widen)
    if not (yes or typer.confirm(f"write these grants to {prepared.path} and issue the passports?")):
        return False
    wanted = [(passport, planned.describe_changes()) for passport, planned in prepared.planned]
    for link in apply_manifest(store.url, store.home, prepared.path, prepared.manifest, wanted):
        say("[bold]issued[/] ", safe_text(f"{link.agent} {shorten_hash(link.hash)}"))
    return True


def _print_plan(prepared: PreparedGrants, *, widen: bool) -> None:
    say("manifest: ", safe_text(str(prepared.path)))
    for wanted, planned in prepared.planned:
        say(safe_text(planned.link.agent, "bold"), " would be issued, ", end="")
        print_changes(planned)
        for note in wanted.notes:
            say("  [yellow]note[/] ", safe_text(note))
    wider = [
        f"{planned.link.agent}: {item.text()}" for _, planned in prepared.planned for item in planned.list_widenings()
    ]
    if wider and not widen:
        problem = f"the manifest allows more than the passport: {wider[0][:200]}"
        remedy = "remove it from the manifest, or use `--widen`"
        raise ConfigError("widened", problem, field="grants", remedy=remedy)


def switch_mode(store: StoreContext, tenant: str, mode: Mode) -> None:
    """Record another mode of a tenant; its processes follow at their next decision."""
    with store.open_store(tenant) as opened:
        opened.commit(lambda tx: _set_mode(tx, mode, store.actor))


def _set_mode(tx: Transaction, mode: Mode, actor: Actor) -> None:
    control = tx.load_control()
    if control.mode is not mode:
        tx.put_control(replace(control, version=control.version + 1, mode=mode))
        tx.append(Draft(EntryKind.MODE, "", {"from": control.mode.value, "to": mode.value}, actor=actor))


def _print_proposal(proposed: ProposedGrants) -> None:
    """What would be taken, what kept, what narrowed."""
    usage = proposed.proposal
    used = [item for item in usage.used if item.kind is not ActionKind.HANDOFF]  # hand-offs are the manifest's to say
    granted = {(kind, name) for kind, resources in usage.granted.items() for name in resources}
    granted_uses = [item for item in used if proposed.first or (item.kind, item.name) in granted]
    unused = [item for item in usage.list_unused() if item[0] is not ActionKind.HANDOFF]
    summary = "no passport yet" if proposed.first else f"granted {len(unused) + len(granted_uses)}"
    removed = ("this one" if len(unused) == 1 else f"these {len(unused)}") if unused else "nothing"
    say(safe_text(usage.agent, "bold"), f": {summary}, used {len(granted_uses)}: {removed} would be removed")
    for kind, name in unused[:_MAX_ROWS]:
        say("  ", safe_text(f"- {_format_resource(kind, name)}", style=CHANGE_STYLE["-"]))
    if len(unused) > _MAX_ROWS:
        say(f"  … and {len(unused) - _MAX_ROWS} more")
    for item in granted_uses:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_format_resource(item.kind, item.name)} ({item.calls:,} calls): {describe_arguments(rules)}"
        say(safe_text(line))
    left_out = [
        *(
            ("used before, not granted now", item.kind, item.name, item.calls)
            for item in used
            if item not in granted_uses
        ),
        *(("denied every time", *item) for item in usage.refused),
    ]
    for why, kind, name, count in left_out:
        line = f"  {why}, not proposed: {_format_resource(kind, name)} ({count:,} calls)"
        say(safe_text(line, style="yellow"))
    if usage.unread:
        say(f"  [yellow]arguments of {usage.unread:,} calls could not be decrypted[/]")


def _format_resource(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"


_STOP_OPTIONS: Final = "`--agent`, `--session`, `--tool`, `--all`, or `--tenant` alone"
_REVOKE_OPTIONS: Final = "`--agent`, `--session`, `--key`, `--link`, or `--tenant` alone"

AllOption = Annotated[bool, Option("--all", help="Everything in this home.")]
AgentOption = Annotated[str, Option("--agent", help="One agent, and all agents that act through it.")]
SessionOption = Annotated[str, Option("--session", help="One session.")]
ToolOption = Annotated[str, Option("--tool", help="One tool, retriever or model, for all agents.")]


@store_verb(by=True)
def stop(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Stop an agent, a session, a tool, a tenant (`--tenant NAME` alone) or everything, from the next decision on."""
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=store.tenant
    )
    stop_order = Stop(scope, target, SystemClock().now_us())
    why = requests.mask_reason(why)
    new = StopFiles(store.home).set(stop_order, store.actor.name, why, tenant=store.tenant or "")
    problem, is_known = "", True
    try:
        if scope not in ("all", "tenant"):
            with store.open_log() as (reader, tenant):
                is_known = reader.has_target(tenant, scope, target)
        new = store.commit(lambda tx: requests.stop(tx, stop_order, store.actor, why)) or new
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the stop holds
        problem = str(exc)
    ledger = {"file": True, "ledger": not problem, "new": new, "problem": problem}
    if store.print_json({**ledger, "scope": scope, "target": target}):
        return
    say(f"[bold red]stopped[/] {scope} ", safe_text(f"{target} {'' if new else '(it was stopped already)'}"))
    if not is_known:
        say(f"[yellow]note[/]: this store has no {scope} with that name; check the spelling")
    if problem:
        warn_unwritten("the stop is in force through its file", problem)


@store_verb(by=True)
def lift(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Lift a stop. `--all` also removes stop files that cannot be read."""
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=store.tenant
    )
    files = StopFiles(store.home)
    filed = files.count(scope, target, tenant=store.tenant or "")
    recorded = True
    try:
        # INVARIANT: AUDIT - first the entry, then the file goes.
        lifted = store.commit(lambda tx: requests.lift(tx, scope, target, store.actor, why, filed=filed > 0))
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        lifted, recorded = filed > 0, False
    files.lift(scope, target, tenant=store.tenant or "")
    remaining = files.read(store.tenant or "")
    left = [[item.scope, item.target] for item in remaining]
    if store.print_json({"left": left, "lifted": bool(lifted), "recorded": recorded}):
        return
    subject = "everything" if scope == "all" else f"{scope} {target}"
    say_plainly(f"lifted {scope} {target}".rstrip() if lifted else f"there was no stop of {subject}")
    if lifted and not recorded:
        warn_unwritten("the stop file was removed, and this is not recorded", "there is no ledger here")
    for item in remaining:
        say("[yellow]still stopped[/] from a file: ", safe_text(f"{item.scope} {item.target}"))


@store_verb(by=True)
def revoke(
    *,
    agent: AgentOption = "",
    session: SessionOption = "",
    key: Annotated[str, Option("--key", help="Thumbprint of a key: everything that it signed or holds.")] = "",
    link: Annotated[str, Option("--link", help="Hash or id of a link, and everything derived from it.")] = "",
    unknown: Annotated[bool, Option("--unknown", help="Allow a name that is not known here.")] = False,
    why: Annotated[str, Option("--why", help="The reason (required); it is recorded in the ledger.")] = "",
    store: StoreContext,
) -> None:
    """Revoke permanently. Afterwards issue a new passport or open a new session; an agent id cannot be used again."""
    scope, target = _choose_target(
        _REVOKE_OPTIONS, everything=False, agent=agent, session=session, key=key, link=link, tenant=store.tenant
    )
    if not why.strip():
        problem = "a revocation is permanent and needs a reason"
        remedy = 'give the reason: `--why "..."`'
        raise ConfigError("no_reason", problem, field="why", remedy=remedy)
    if not unknown:
        with store.open_log() as (reader, tenant):
            require_known_target(reader, store.home, tenant, scope, target)
    new = store.commit(lambda tx: requests.revoke(tx, scope, target, store.actor, why))
    if not store.print_json({"new": bool(new), "scope": scope, "target": target}):
        say_plainly(f"revoked {scope} {target}{'' if new else ' (it was already)'}")


def _choose_target(options: str, *, everything: bool, tenant: str | None, **targets: str) -> tuple[str, str]:
    candidates = [(scope, target) for scope, target in targets.items() if target] + [("all", "")] * everything
    if not candidates and tenant:
        return "tenant", tenant
    if len(candidates) != 1:
        problem = f"{len(candidates)} targets are given" if candidates else "no target is given"
        raise ConfigError("bad_stop", problem, field="scope", remedy=f"give one: {options}")
    return candidates[0]
