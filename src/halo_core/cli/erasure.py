"""Verbs about how long content is kept: `halo erase`, `halo retention` and `halo hold`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import (
    ApproverKeyHomeOption,
    SignAsOption,
    SignedOption,
    StoreContext,
    WhyOption,
    parse_duration,
    store_verb,
)
from halo_core.cli.operators import Signing
from halo_core.cli.rendering import Exit, safe_text, say, say_plainly
from halo_core.clock import format_iso
from halo_core.durations import DAY_S
from halo_core.errors import ConfigError
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.control_acts import SignedAct
from halo_core.oversight.erasure import Erased, erase, finish_erasure, require_own_content_key
from halo_core.oversight.erasure_plan import ErasurePlan, ErasureRequest, plan_erasure, plan_retention
from halo_core.oversight.legal_holds import (
    RECORD_CLASSES,
    RETENTION_FLOORS,
    Governance,
    HoldTarget,
    find_record_class,
    lift_hold,
    load_governance,
    make_erase_terms,
    make_hold_lift,
    make_schedule_terms,
    scan_log,
    set_hold,
    set_schedule,
)
from halo_core.references import is_reference
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_core.views.inventory import require_known_target
from halo_core.views.wording import format_count, format_entries

retention_app = typer.Typer(
    help="How long sealed content is kept, by record class, and erasing what is past it.", no_args_is_help=True
)
hold_app = typer.Typer(help="Legal holds: what may not be erased.", no_args_is_help=True)

KeepContentKeyOption = Annotated[
    bool,
    Option(
        "--keep-content-key",
        help="Do not replace the home's content key; older copies of the database can still be opened with it.",
    ),
]
_DAYS: Final = re.compile(r"[0-9]{1,6}d")
_OLDEST: Final = "SELECT kind, min(ts_us), count(*) FROM entry WHERE tenant=? GROUP BY kind"
_ENTRIES_STAY: Final = "entries, digests and proofs stay: what is erased is what they seal"


@store_verb(by=True)
def erase_subject(
    *,
    subject: Annotated[str, Option("--subject", help="Name of the person, customer or account, or a reference.")],
    named: Annotated[
        list[str] | None,
        Option("--named", help="Another name of the subject: account, number, address; may be repeated."),
    ] = None,
    own_only: Annotated[
        bool, Option("--own-only", help="Only what is sealed for the subject, not what names it elsewhere.")
    ] = False,
    why: WhyOption = "",
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would be erased; write nothing.")] = False,
    keep_content_key: KeepContentKeyOption = False,
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Erase the sealed content of a person, customer or account. It cannot be undone, and the log stays provable.

    Content that names several subjects is erased whole. Exit 0: erased. 1: there is no record of the subject.
    """
    if not subject.strip():
        raise ConfigError("bad_subject", "no subject is given", field="subject", remedy="give `--subject NAME`")
    request = ErasureRequest(subject.strip(), tuple(named or ()), why, whole_log=not own_only)
    with store.open_store(store.resolve_tenant()) as opened:
        with store.open_reader() as reader:
            plan = plan_erasure(reader, opened, request)
        if not plan.is_known:
            return _say_no_record(store)
        if dry_run:
            _print_plan(store, plan)
            return Exit.OK
        store_id = opened.commit(lambda tx: tx.load_store_id())
        if not keep_content_key:
            require_own_content_key(opened)
        act = SignedAct("erase", make_erase_terms(plan.reference, plan.names), store_id, opened.tenant)
        tokens = _sign(Signing(store, opened, signed, sign_as, key_home), act)
        erased = commit_or_record_refusal(
            opened, lambda tx: erase(tx, plan, store.actor, tokens, rotate=not keep_content_key), "erase", store.actor
        )
        unfinished = finish_erasure(opened)
    _print_erased(store, erased, plan, unfinished)
    return Exit.OK


def _sign(signing: Signing, act: SignedAct) -> tuple[str, ...]:
    """Signatures of an erasure: one where anybody is enrolled, none otherwise."""
    with signing.store.open_reader() as reader:
        governance = load_governance(signing.opened, reader)
    return signing.sign(act, needed=governance.history.count_needed("erase")).tokens


def _say_no_record(store: StoreContext) -> int:
    # No similar names: they would tell the caller whose data the log holds.
    if not store.print_json({"record": False}):
        say_plainly("there is no record of this subject")
    return Exit.FAILED


def _count_boxes(boxes: int, entries: int) -> str:
    return f"{format_count(boxes, 'sealed box', 'sealed boxes')} of {format_entries(entries)}"


def _print_plan(store: StoreContext, plan: ErasurePlan) -> None:
    selection = plan.selection
    tree = {
        "boxes": selection.count,
        "clear": plan.clear,
        "entries": len(selection.entries),
        "held": sum(selection.held.values()),
        "keys": len(selection.whole),
        "record": True,
        "subject": plan.reference,
        "subjects_partly": len(selection.boxes),
    }
    if store.print_json(tree):
        return
    say_plainly(f"would erase {_count_boxes(selection.count, len(selection.entries))}")
    say_plainly("  a box holds what one entry seals for one person: arguments, outputs, prompts or names")
    say_plainly(f"  {format_count(len(selection.whole), 'data key')} of the subject, with all that it opens")
    others = format_count(len(selection.boxes), "other subject")
    say_plainly(f"  single boxes of {others} that name the subject, each box whole")
    for hold, count in selection.held.items():
        words = f"{format_count(count, 'box', 'boxes')} by {hold.scope} {hold.target} ({hold.entry})"
        say("  [bold yellow]held[/]: ", safe_text(words))
    if selection.held:
        say_plainly("  so it would be refused (`legal_hold`): lift the hold first, with `halo hold lift`")
    _print_clear(plan)


def _print_clear(plan: ErasurePlan) -> None:
    for place, count in sorted(plan.clear.items()):
        say("  [yellow]stays in clear[/]: ", safe_text(f"{place} ({format_count(count, 'time')})"))


def _print_erased(store: StoreContext, erased: Erased, plan: ErasurePlan, unfinished: str) -> None:
    tree = {
        "boxes": erased.boxes,
        "clear": plan.clear,
        "content_key": "replaced" if erased.rotated else "kept",
        "entries": erased.entries,
        "entry": erased.entry,
        "held": erased.held,
        "keys": erased.keys,
        "left": unfinished,
        "record": True,
        "rows": erased.rows,
        "subject": erased.subject,
    }
    if store.print_json(tree):
        return
    if not erased.entry:
        say_plainly("there was nothing to erase")
    else:
        say_plainly(f"erased {_count_boxes(erased.boxes, erased.entries)}, recorded as {erased.entry}")
        destroyed = f"{format_count(erased.keys, 'data key')} and {format_count(erased.rows, 'row')}"
        say_plainly(f"  destroyed: {destroyed}; {_ENTRIES_STAY}")
    if erased.held:
        say("  [bold yellow]kept by legal holds[/]: ", safe_text(format_count(erased.held, "box", "boxes")))
    _print_clear(plan)
    if erased.entry and not erased.rotated:
        say("  [bold yellow]the content key was kept[/]: older copies of the database can be opened with this home")
    if erased.entry:
        say_plainly("  not in reach: exports, packs and copies of database and home together; destroy those yourself")
    if unfinished:
        say("  [yellow]left[/]: ", safe_text(unfinished))


# retention


@store_verb(retention_app, "set", by=True)
def set_retention(
    record_class: Annotated[str, Argument(metavar="CLASS", help=f"One of {', '.join(RECORD_CLASSES)}.")],
    *,
    keep: Annotated[str, Option("--keep", help="How long, in days: for example 400d. `0d` ends the schedule.")],
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Say how long the sealed content of a record class is kept; `halo retention apply` erases what is past it."""
    if not _DAYS.fullmatch(keep):
        problem = f"`{keep[:32]}` is no number of days"
        raise ConfigError("bad_retention", problem, field="keep", remedy="for example `--keep 400d`")
    days = parse_duration(keep, "keep") // DAY_S
    with store.open_store(store.resolve_tenant()) as opened:
        with store.open_reader() as reader:
            scan = scan_log(reader, opened.tenant)
        store_id = opened.commit(lambda tx: tx.load_store_id())
        act = SignedAct("erase", make_schedule_terms(record_class, days), store_id, opened.tenant)
        tokens = _sign(Signing(store, opened, signed, sign_as, key_home), act) if days else ()
        commit_or_record_refusal(
            opened,
            lambda tx: set_schedule(tx, scan, record_class, days, store.actor, signed=tokens),
            "erase",
            store.actor,
        )
    if not store.print_json({"class": record_class, "keep_days": days}):
        say_plainly(f"{record_class}: sealed content is kept {days} days" if days else f"{record_class}: no schedule")


@store_verb(retention_app, "status")
def show_retention(*, store: StoreContext) -> None:
    """Show schedules, the oldest record of each class, what is due, holds, and what frameworks ask for."""
    with store.open_store(store.resolve_tenant()) as opened, store.open_reader() as reader:
        plan, keep_days = plan_retention(reader, opened, opened.clock.now_us())
        oldest = _list_oldest(reader, opened.tenant)
    due = plan.selection
    tree = {
        "classes": {name: {"keep_days": keep_days.get(name), **oldest[name]} for name in RECORD_CLASSES},
        "due": {"boxes": due.count, "entries": len(due.entries), "held": sum(due.held.values())},
        "floors": dict(RETENTION_FLOORS),
        "holds": [{"entry": hold.entry, "scope": hold.scope, "target": hold.target} for hold in plan.holds],
    }
    if store.print_json(tree):
        return
    for name in RECORD_CLASSES:
        item, days = oldest[name], keep_days.get(name)
        since = format_iso(item["oldest_us"]) if item["oldest_us"] else "none"
        schedule_text = f"content kept {days} days" if days else "no schedule: content is kept"
        say_plainly(f"{name}: {format_entries(item['entries'])}, oldest {since}; {schedule_text}")
    say_plainly(
        f"due now: {due.count:,} boxes of {len(due.entries):,} entries; kept by holds {sum(due.held.values()):,}"
    )
    for hold in plan.holds:
        say_plainly(f"  hold {hold.scope} {hold.target}".rstrip() + f" since {format_iso(hold.since_us)}: {hold.why}")
    say_plainly(f"({_ENTRIES_STAY})")
    for source, text in RETENTION_FLOORS:
        say_plainly(f"  for information, {source}: {text}")


def _list_oldest(reader: Reader, tenant: str) -> dict[str, dict[str, Any]]:
    oldest: dict[str, dict[str, Any]] = {name: {"entries": 0, "oldest_us": 0} for name in RECORD_CLASSES}
    for kind, first_us, count in reader.stream(_OLDEST, tenant):
        item = oldest[find_record_class(str(kind))]
        item["entries"] += int(count)
        item["oldest_us"] = min(item["oldest_us"] or int(first_us), int(first_us))
    return oldest


@store_verb(retention_app, "apply", by=True)
def apply_retention(*, keep_content_key: KeepContentKeyOption = False, store: StoreContext) -> None:
    """Erase the sealed content that is past the time of its class, unless a hold keeps it; entries stay."""
    with store.open_store(store.resolve_tenant()) as opened:
        with store.open_reader() as reader:
            plan, _ = plan_retention(reader, opened, opened.clock.now_us())
        unfinished, erased = "", Erased(held=sum(plan.selection.held.values()))
        if not plan.selection.is_empty:
            if not keep_content_key:
                require_own_content_key(opened)
            erased = opened.commit(lambda tx: erase(tx, plan, store.actor, rotate=not keep_content_key))
            unfinished = finish_erasure(opened)
    _print_erased(store, erased, plan, unfinished)


# holds

_SubjectOption = Annotated[str, Option("--subject", help="A person, customer or account: name or reference.")]
_SessionOption = Annotated[str, Option("--session", help="One session.")]
_AgentOption = Annotated[str, Option("--agent", help="Every session in which this agent decided.")]
_AllOption = Annotated[bool, Option("--all", help="Everything of the tenant.")]


def _choose_hold(
    store: Store, reader: Reader, *, subject: str, session: str, agent: str, everything: bool
) -> HoldTarget:
    targets = [(scope, name) for scope, name in (("subject", subject), ("session", session), ("agent", agent)) if name]
    targets += [("all", "")] if everything else []
    if len(targets) != 1:
        problem, remedy = (
            f"{len(targets)} targets are given",
            "give one: `--subject`, `--session`, `--agent` or `--all`",
        )
        raise ConfigError("bad_hold", problem, field="scope", remedy=remedy)
    scope, name = targets[0]
    if scope == "session":
        return HoldTarget(scope, store.commit(lambda tx: tx.resolve_session(name)))
    if scope != "subject":
        return HoldTarget(scope, name)
    is_known = is_reference(name) and reader.vault(store.tenant, name) is not None
    return HoldTarget(scope, name) if is_known else HoldTarget(scope, store.references.of_person(name), name)


@store_verb(hold_app, "set", by=True)
def set_legal_hold(
    *,
    subject: _SubjectOption = "",
    session: _SessionOption = "",
    agent: _AgentOption = "",
    everything: _AllOption = False,
    unknown: Annotated[bool, Option("--unknown", help="Allow an agent or session that is not known here.")] = False,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Keep sealed content from being erased, until the hold is lifted."""
    if not why.strip():
        raise ConfigError("no_reason", "a legal hold needs a reason", field="why", remedy='give `--why "..."`')
    with store.open_store(store.resolve_tenant()) as opened:
        with store.open_reader() as reader:
            scan = scan_log(reader, opened.tenant)
            wanted = _choose_hold(opened, reader, subject=subject, session=session, agent=agent, everything=everything)
            if wanted.scope in ("agent", "session") and not unknown:  # a misspelt hold would keep nothing
                reader.use_names(store.home)
                written = session or agent
                require_known_target(reader, store.home, opened.tenant, wanted.scope, wanted.target, written=written)
        new = opened.commit(lambda tx: set_hold(tx, scan, wanted, why, store.actor))
    scope, target, _ = wanted
    if not store.print_json({"new": new, "scope": scope, "target": target}):
        say_plainly(f"legal hold of {scope} {target}".rstrip() + ("" if new else " (it was there already)"))


@store_verb(hold_app, "lift", by=True)
def lift_legal_hold(
    *,
    subject: _SubjectOption = "",
    session: _SessionOption = "",
    agent: _AgentOption = "",
    everything: _AllOption = False,
    why: WhyOption = "",
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """End a legal hold, with two signatures where two people are enrolled. Exit 2: there was none to end."""
    with store.open_store(store.resolve_tenant()) as opened:
        with store.open_reader() as reader:
            scan = scan_log(reader, opened.tenant)
            wanted = _choose_hold(opened, reader, subject=subject, session=session, agent=agent, everything=everything)
        scope, target, _ = wanted
        act = make_hold_lift(opened.commit(lambda tx: tx.load_store_id()), opened.tenant, scope, target)
        tokens = Signing(store, opened, signed, sign_as, key_home).sign(act, needed=0).tokens
        lifted = commit_or_record_refusal(
            opened, lambda tx: lift_hold(tx, scan, wanted, why, store.actor, signed=tokens), "lift", store.actor
        )
    if not store.print_json({"lifted": lifted, "scope": scope, "target": target}):
        subject = f"{scope} {target}".rstrip()
        absence = (
            f"there was no legal hold of {subject}, and nothing was changed; `halo hold list` shows those in force"
        )
        say_plainly(f"lifted the legal hold of {subject}" if lifted else absence)
    return Exit.OK if lifted else Exit.CANNOT_TELL


@store_verb(hold_app, "list")
def list_holds(*, store: StoreContext) -> None:
    """List the legal holds in force."""
    with store.open_store(store.resolve_tenant()) as opened, store.open_reader() as reader:
        governance: Governance = load_governance(opened, reader)
    holds = sorted(governance.holds.values(), key=lambda hold: hold.since_us)
    names = ("scope", "target", "since_us", "why", "entry")
    if store.print_json([{name: getattr(hold, name) for name in names} for hold in holds]):
        return
    for hold in holds:
        say_plainly(f"{hold.scope} {hold.target}".rstrip() + f" since {format_iso(hold.since_us)}: {hold.why}")
    if not holds:
        say_plainly("no legal hold is in force")
