"""Verbs that change what runs: `halo status`, `observe`, `enforce`, `stop`, `lift` and `revoke`.

A change of mode is a signed entry, and running processes follow at their next decision. `enforce` raises the floor of
the home, and `observe` waives it for a time.

A stop goes to a file of the home first and then to the ledger, so it holds whatever is wrong with the database. A lift
goes to the ledger first: nothing is let go that is not written down.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from typer import Option

from halo_core.cli.context import (
    ApproverKeyHomeOption,
    SignAsOption,
    SignedOption,
    StoreContext,
    WhyOption,
    parse_duration,
    store_verb,
    warn_unwritten,
)
from halo_core.cli.evidence import answer_question
from halo_core.cli.first_day import lead_through_first_day, print_plan
from halo_core.cli.operators import Signing
from halo_core.cli.rendering import (
    EFFECT_STYLE,
    Exit,
    console,
    print_note,
    safe_text,
    say,
    say_plainly,
)
from halo_core.cli.used_grants import narrow_grants, propose_grants
from halo_core.clock import SystemClock, format_iso
from halo_core.content.redaction import mask_reason
from halo_core.enforcement.suspension import find_suspended_scope
from halo_core.errors import ConfigError
from halo_core.evidence.answers import Period
from halo_core.evidence.questions_oversight import answer_stop_drill
from halo_core.floors import read_host_floor
from halo_core.ledger import decode_entry
from halo_core.model import SUSPENSIONS, EntryKind, Mode, Stop
from halo_core.oversight import restrictions
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.control_acts import make_raise, make_waiver, raise_floor, waive_floor
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.stop_files import STOPS_FOLDER, StopFiles
from halo_core.store.reader import read_entries
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.control import UNPROVEN, ControlActView, ControlView, RestrictionView, load_control, load_statuses
from halo_core.views.inventory import count_stopped, require_known_target
from halo_core.views.wording import format_count

_MAX_PAST: Final = 5  # waivers that are over, in a status
_MAX_ROWS: Final = 40
_MAX_STOPPED: Final = 20
_DEV_NOTE: Final = (
    "assurance dev: the keys are where the agent runs. Enforce mode prevents what the model decides; what code in the "
    "agent's process could do besides (switch the mode, sign, answer) the log shows as evidence and does not prevent"
)


@store_verb(tenant=False)
def status(*, store: StoreContext) -> None:
    """Show mode, floor, waiver and who set them, and the number of decisions, by tenant."""
    statuses = load_statuses(store.url, store.home, SystemClock().now_us())
    if store.print_json(statuses):
        return
    for tenant, item in statuses.items():
        say(f"[bold]{tenant}[/]  mode [bold]{item.mode or '?'}[/]  ", safe_text(store.url))
        if item.store_id:
            say(safe_text(f"  store id {item.store_id}"))
        if item.control is None:
            say("  [yellow]the mode is that of an unproven row[/]: this home trusts no log of the tenant")
        else:
            _print_control(item.control)
        say(f"  decisions {sum(item.decisions.values()):,} in {format_count(item.sessions, 'session')}")
        effect_texts = (f"[{EFFECT_STYLE[effect]}]{effect}[/] {n:,}" for effect, n in item.effects.items())
        say("  " + ("  ".join(effect_texts) or "no decisions yet"))
        if item.sightings:
            say(f"  [bold red]{item.sightings:,}[/] unguarded actions seen: halo log")
        if item.loosened:
            names = ", ".join(item.loosened[:_MAX_PAST]) + (", ..." if len(item.loosened) > _MAX_PAST else "")
            say("  [yellow]declared or made milder without an issued passport:[/] ", safe_text(names))
            say("    halo passport history --raises")


def _print_control(control: ControlView) -> None:
    set_by = control.set_by
    setter_text = f", set {format_iso(set_by.at_us)} by {_describe_who(set_by)}" if set_by is not None else ""
    say(safe_text(f"  floor {control.floor}, of the {control.floor_source}{setter_text}"))
    if control.waiver is not None:
        waiver = control.waiver
        text = f"waived until {format_iso(waiver.until_us)} by {_describe_who(waiver)}: {waiver.why}"
        say("  ", safe_text(text, style="bold yellow"))
    for item in control.past[:_MAX_PAST]:
        outcome = f"without effect ({item.problem})" if item.problem else f"over, was until {format_iso(item.until_us)}"
        style = "bold red" if item.problem else "dim"
        say("  ", safe_text(f"waiver {item.entry} {outcome}, by {_describe_who(item)}", style=style))
    for restriction in control.restrictions:
        say("  ", safe_text(_describe_restriction(restriction), style="bold red"))
    for person in control.people:
        say(safe_text(f"  enrolled {person}"))
    if control.unenrolled:
        names = ", ".join(kid[:8] for kid in control.unenrolled)
        say("  [bold red]in authorities.json without an entry[/]: ", safe_text(names))
    if control.renamed:
        names = ", ".join(kid[:8] for kid in control.renamed)
        say("  [bold red]in authorities.json under another name than enrolled[/]: ", safe_text(names))
    if control.differences:
        say(f"  [bold red]{control.differences}[/] rows of control differed from their signed entries: halo verify")
    _print_signed(control)


def _print_signed(control: ControlView) -> None:
    """Print how many answers and overrides people signed, and whether that is proven."""
    for what, counts in (("answers to questions", control.answers), ("overrides", control.overrides)):
        if counts:
            text = ", ".join(f"{count:,} {proof}" for proof, count in sorted(counts.items()))
            say(safe_text(f"  {what}: {text}"))
    if any(counts.get(UNPROVEN) for counts in (control.acts, control.answers, control.overrides)):
        say("  [dim]unproven (dev): code that runs as the agent could have done it; it is evidence, not prevention[/]")


def _describe_restriction(item: RestrictionView) -> str:
    """What is stopped, suspended or revoked, since when, by whom and why."""
    word = {"revocation": "revoked"}.get(item.kind, "suspended" if item.scope in SUSPENSIONS else "stopped")
    what = f"{item.scope.removeprefix('suspended_')} {item.target}".strip()
    who = f" by {item.by}" if item.by else ", in a file of the home without an entry"
    since = "from" if item.since_us > SystemClock().now_us() else "since"  # a suspension begins after its notice
    return f"{word} {what}, {since} {format_iso(item.since_us)}{who}" + (f": {item.why}" if item.why else "")


def _describe_who(act: ControlActView) -> str:
    signers = f", signed by {', '.join(act.signers)}" if act.signers else ""
    return f"{act.by}{signers}, {act.proof}"


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
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Lead through what was observed, and switch to enforce mode: denied actions do not run.

    Goes through the tools and retrievers that nobody declared: what each seems to do and why, what that would
    have asked or refused so far, and one answer for each; writes the manifest, and shows the difference. Enforce mode
    is the floor from then on, whatever an application asks for.
    """
    tenant = store.resolve_tenant()  # raises for a store or tenant that does not exist, which opening would make
    enforced_since = _describe_enforced(store, tenant)
    if plan or store.json:
        print_plan(store, tenant, agent, enforced_since=enforced_since)
        if grants and not store.json:
            propose_grants(store, tenant, agent, tight=tight)
            say("nothing was written: `halo enforce --grants` asks about these grants")
        return Exit.OK
    if enforced_since:
        say(safe_text(f"already in enforce mode {enforced_since}"))
    first_day = lead_through_first_day(store, tenant, agent=agent, yes=yes, is_enforcing=bool(enforced_since))
    if not first_day.goes_on:
        say("nothing was changed")
        return Exit.FAILED
    if grants and not narrow_grants(store, tenant, agent, tight=tight, yes=yes, widen=widen):
        say("nothing was changed")
        return Exit.FAILED
    with store.open_log() as (reader, _):
        stopped, ran = count_stopped(reader, tenant)
    _print_stopped(stopped, first_day.shown)
    with store.open_store(tenant) as opened:
        signing = Signing(store, opened, signed, sign_as, key_home)
        act = signing.sign(make_raise(opened.commit(lambda tx: tx.load_store_id()), tenant), needed=0)
        is_raised = opened.commit(lambda tx: raise_floor(tx, store.actor, act.tokens))
    calls = f"{sum(stopped.values()):,} of the {format_count(ran, 'call')} that ran so far would not have run"
    state = "enforce mode is on" if is_raised else "enforce mode was on, nothing was switched"
    say(f"{state}; {calls if ran else 'no call ran so far, so nothing says what it will stop'}")
    if ran:
        say("(according to the rules and declarations at that time; run in observe mode again to check other ones)")
    print_note(_DEV_NOTE)
    return Exit.OK


def _describe_enforced(store: StoreContext, tenant: str) -> str:
    """Since when a tenant is in enforce mode, and by whom; empty if it is not, or no entry says so."""
    try:
        with store.open_log() as (reader, _):
            control = load_control(reader, store.home, tenant, read_host_floor(), SystemClock().now_us())
    except ConfigError:  # the home trusts no log of the tenant
        return ""
    if control.mode != Mode.ENFORCE or control.set_by is None:
        return ""
    return f"since {format_iso(control.set_by.at_us)}, set by {_describe_who(control.set_by)}"


def _print_stopped(stopped: Counter[tuple[str, tuple[str, ...]]], shown: Collection[str]) -> None:
    """Print the calls that ran in observe mode and would not have in enforce mode, without what was shown before."""
    rows = [row for row in stopped.most_common(_MAX_STOPPED) if row[0][0] not in shown]
    if rows:
        say("ran in observe mode, and would not have run in enforce mode:")
    for (resource, codes), count in rows:
        reasons = ", ".join(get_reason_text(code).title for code in codes)
        say_plainly(f"  {count:>5} x {resource}: {reasons}")


@store_verb(json=False)
def observe(
    *,
    lasts: Annotated[str, Option("--for", help="How long, at most 7d: for example 30m, 1h or 1d.")] = "",
    why: WhyOption = "",
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Waive the floor for a time: every action runs and is recorded, whatever the decision, until the waiver ends.

    A waiver is signed by an enrolled person, by two where two are enrolled. Stops and revocations apply.
    """
    tenant = store.resolve_tenant()
    with store.open_store(tenant) as opened:
        control = opened.commit(lambda tx: tx.load_control())
        if control.mode is Mode.OBSERVE:
            waived = "waived already" if control.recorded is Mode.ENFORCE else "observe already"
            say(f"the floor of this home is {waived}: no waiver was needed, and nothing was recorded")
            say("[bold yellow]actions RUN[/] whatever the decision, unless the application asks for enforce mode")
            return
        host = read_host_floor()
        if host.mode is Mode.ENFORCE:
            problem = f"the floor of this host is `enforce` ({host.source}), which no home can lower"
            raise ConfigError("host_floor", problem, field="floor", remedy="change it there, as the host's operator")
        signing = Signing(store, opened, signed, sign_as, key_home)
        if signed is None and not (lasts and why.strip()):
            problem = "the floor of this home is `enforce`; lowering it takes an end and a reason"
            raise ConfigError(
                "no_reason", problem, field="for", remedy='give both: `halo observe --for 1h --why "..."`'
            )
        now_us = opened.clock.now_us()
        until_us = (now_us // 1_000_000 + (parse_duration(lasts, "for") if lasts else 0)) * 1_000_000
        act = signing.sign(make_waiver(control.store, tenant, until_us, mask_reason(why)), needed=1)
        until_us = int(act.terms["until_s"]) * 1_000_000
        commit_or_record_refusal(
            opened,
            lambda tx: waive_floor(tx, until_us, str(act.terms["why"]), store.actor, act.tokens),
            "waive",
            store.actor,
        )
    say(f"[bold yellow]observe mode[/] is on until {format_iso(until_us)}: actions RUN whatever the decision")


_STOP_OPTIONS: Final = "`--agent`, `--session`, `--tool`, `--user`, `--all`, or `--tenant` alone"
_REVOKE_OPTIONS: Final = "`--agent`, `--session`, `--key`, `--link`, or `--tenant` alone"

AllOption = Annotated[bool, Option("--all", help="Everything in this home.")]
AgentOption = Annotated[str, Option("--agent", help="One agent, and all agents that act through it.")]
SessionOption = Annotated[str, Option("--session", help="One session.")]
UserOption = Annotated[str, Option("--user", help="One person or service account: every agent while it acts for them.")]
ToolOption = Annotated[str, Option("--tool", help="One tool, retriever or model, for all agents.")]


@store_verb(by=True)
def stop(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    user: UserOption = "",
    why: WhyOption = "",
    drill: Annotated[
        bool, Option("--drill", help="A test: watch what runs afterwards, and say how long it took until nothing did.")
    ] = False,
    watch: Annotated[str, Option("--watch", help="With --drill: how long to watch.")] = "5s",
    lift_again: Annotated[bool, Option("--lift", help="With --drill: lift the stop at the end.")] = False,
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Stop an agent, a session, a tool, a person, a tenant (`--tenant NAME` alone) or everything, from now on."""
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, user=user, tenant=store.tenant
    )
    if not drill and (lift_again or signed or sign_as):
        problem, remedy = "a stop takes no signature, and lifts nothing", "add `--drill`, or use `halo lift`"
        raise ConfigError("usage", problem, field="lift", remedy=remedy)
    stop_order = Stop(scope, target, SystemClock().now_us())
    why = mask_reason(why or ("drill" if drill else ""))
    if drill:
        signing = _DrillSigning(signed, sign_as, key_home, lift_again=lift_again)
        return _run_drill(store, stop_order, why, parse_duration(watch, "watch"), signing)
    return _print_stop(store, stop_order, _put_stop_in_force(store, stop_order, why))


class _StopResult(NamedTuple):
    """What came of a stop.

    Args:
        is_new: whether it was not in force before.
        is_known: whether the store knows what it names.
        is_used: whether an application has used the home; nothing reads the stops of any other.
        problem: why the ledger does not hold it; empty if it does.
    """

    is_new: bool
    is_known: bool
    is_used: bool
    problem: str


def _put_stop_in_force(store: StoreContext, order: Stop, why: str) -> _StopResult:
    """Write the file of a stop, then its entry; the file holds even if the ledger cannot be written."""
    is_used = _is_used(store.home)
    is_new = StopFiles(store.home).set(order, store.actor.name, why, tenant=store.tenant or "")
    problem, is_known = "", True
    try:
        if order.scope not in ("all", "tenant"):
            with store.open_log() as (reader, tenant):
                is_known = reader.has_target(tenant, order.scope, order.target)
        is_new = store.commit(lambda tx: restrictions.stop(tx, order, store.actor, why)) or is_new
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the stop holds
        problem = str(exc)
    return _StopResult(is_new, is_known, is_used or not problem, problem)


def _print_stop(store: StoreContext, order: Stop, result: _StopResult) -> Exit:
    """Print what came of a stop; returns the exit code."""
    code = Exit.OK if result.is_used else Exit.CANNOT_TELL
    ledger = {"file": True, "ledger": not result.problem, "new": result.is_new, "problem": result.problem}
    if store.print_json({**ledger, "used": result.is_used, "scope": order.scope, "target": order.target}):
        return code
    if not result.is_used:
        return _warn_unused(store.home, f"{order.scope} {order.target}".strip())
    repeated = "" if result.is_new else "(it was stopped already)"
    say(f"[bold red]stopped[/] {order.scope} ", safe_text(f"{order.target} {repeated}"))
    if not result.is_known:
        where = {"agent": " (`halo agents`)", "tool": " (`halo log`)"}.get(order.scope, "")
        say(
            f"[yellow]note[/]: no {order.scope} of this store has that name, so nothing stopped; "
            f"check the spelling{where}"
        )
    if result.problem:
        warn_unwritten("the stop is in force through its file", result.problem)
    return code


def _is_used(home: Path) -> bool:
    """Whether a home holds more than files of stops; one that cannot be looked into counts as used."""
    try:
        return any(path.name != STOPS_FOLDER for path in home.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _warn_unused(home: Path, what: str) -> Exit:
    """Say that a stop was written where nothing reads it, as in a wrong folder; returns the exit code."""
    out = console(stderr=True)
    problem = f"no application has used this home yet, so nothing that runs is stopped: `{home.absolute()}`"
    out.print("[bold red]NOTHING STOPPED[/]: ", safe_text(problem), sep="")
    out.print("  try: run this in the folder of the application, or give its home by `--home` or HALO_HOME")
    note = f"{what} is stopped for whatever opens this home later; `halo lift` ends that"
    out.print("  note: ", safe_text(note), sep="")
    return Exit.CANNOT_TELL


@dataclass(frozen=True, slots=True)
class _DrillSigning:
    """How the lift at the end of a drill is signed; `lift_again`: whether there is one."""

    signed: Path | None
    sign_as: list[str] | None
    key_home: Path | None
    lift_again: bool


def _run_drill(store: StoreContext, order: Stop, why: str, watch_s: int, signing: _DrillSigning) -> int:
    """Set a stop, watch for `watch_s` seconds, lift it if asked, and report how long it took until nothing ran."""
    if order.scope not in ("all", "tenant"):
        with store.open_log() as (reader, tenant):
            if not reader.has_target(tenant, order.scope, order.target):
                problem = f"this store has no {order.scope} `{order.target[:64]}`, so nothing can be tested"
                raise ConfigError("no_such_target", problem, field=order.scope, remedy="check the spelling")
    files = StopFiles(store.home)
    files.set(order, store.actor.name, why, tenant=store.tenant or "")
    if not store.commit(lambda tx: restrictions.stop(tx, order, store.actor, why, is_drill=True)):
        problem = f"{order.scope} `{order.target[:64]}` is stopped already"
        raise ConfigError("stopped_already", problem, field=order.scope, remedy="lift it first: `halo lift`")
    with store.open_log() as (reader, tenant):
        entry = list(read_entries(reader, tenant, (EntryKind.STOP,)))[-1].entry
        reference = decode_entry(reader.note_at(tenant, entry.writer, entry.seq) or b"").body["target"]
    time.sleep(watch_s)
    until_us = SystemClock().now_us() + 1
    if signing.lift_again:
        with store.open_store(store.resolve_tenant()) as opened:
            signed = Signing(store, opened, signing.signed, signing.sign_as, signing.key_home)
            _record_lift(store, signed, order.scope, order.target, "drill ended", filed=True)
        files.lift(order.scope, order.target, tenant=store.tenant or "")
    question = partial(answer_stop_drill, scope=order.scope, target=reference, stop_id=entry.id)
    period = Period(min(order.since_us, entry.ts_us), max(until_us, entry.ts_us + 1))
    options = {order.scope: reference or True}
    return answer_question(store, "stop", period, question, **options, drill=True)


@store_verb(by=True)
def lift(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    user: UserOption = "",
    why: WhyOption = "",
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Lift a stop or a suspension, with two signatures where two people are enrolled.

    `--all` also removes stop files that cannot be read. Exit 2: there was no such stop, and nothing was changed.
    """
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, user=user, tenant=store.tenant
    )
    files = StopFiles(store.home)
    filed = files.count(scope, target, tenant=store.tenant or "")
    is_recorded, is_unproven = True, False
    try:
        with store.open_store(store.resolve_tenant()) as opened:
            signing = Signing(store, opened, signed, sign_as, key_home)
            scope, target = opened.commit(lambda tx: find_suspended_scope(tx, scope, target, is_filed=filed > 0))
            # INVARIANT: AUDIT - first the entry, then the file goes.
            is_lifted = _record_lift(store, signing, scope, target, why, filed=filed > 0)
            is_unproven = is_lifted and not opened.commit(lambda tx: tx.load_history().changes[-1].is_proven)
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        is_lifted, is_recorded = filed > 0, False
    files.lift(scope, target, tenant=store.tenant or "")
    _print_lift(store, Stop(scope, target, 0), is_lifted=is_lifted, is_recorded=is_recorded, is_unproven=is_unproven)
    return Exit.OK if is_lifted else Exit.CANNOT_TELL


def _record_lift(store: StoreContext, signing: Signing, scope: str, target: str, why: str, *, filed: bool) -> bool:
    """Record a lift with its signatures; False if there was nothing to lift."""
    opened = signing.opened
    act = signing.sign(opened.commit(lambda tx: restrictions.make_lift(tx, scope, target)), needed=0)
    return bool(
        commit_or_record_refusal(
            opened,
            lambda tx: restrictions.lift(tx, scope, target, store.actor, why, filed=filed, signed=act.tokens),
            "lift",
            store.actor,
        )
    )


def _print_lift(store: StoreContext, stop: Stop, *, is_lifted: bool, is_recorded: bool, is_unproven: bool) -> None:
    remaining = StopFiles(store.home).read(store.tenant or "")
    remaining_stops = [[item.scope, item.target] for item in remaining]
    told = {"left": remaining_stops, "lifted": is_lifted, "proven": is_lifted and not is_unproven}
    if store.print_json({**told, "recorded": is_recorded}):
        return
    subject = "everything" if stop.scope == "all" else f"{stop.scope} {stop.target}"
    absence = f"there was no stop of {subject}, and nothing was changed; `halo status` lists what is stopped"
    say_plainly(f"lifted {stop.scope} {stop.target}".rstrip() if is_lifted else absence)
    if is_unproven:
        say("[yellow]unproven (dev)[/]: lifted, but signed by no proven person; to sign: `--as NAME --key-home FOLDER`")
    if is_lifted and not is_recorded:
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
    new = store.commit(lambda tx: restrictions.revoke(tx, scope, target, store.actor, why))
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
