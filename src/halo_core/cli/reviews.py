"""`halo review` and `halo inventory`: who answers for which grant, and which agents there are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import (
    ManifestOption,
    StoreContext,
    WhyOption,
    parse_duration,
    parse_end,
    store_verb,
)
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.grants import KeyHomeOption, issue_grants
from halo_core.cli.output import confirm
from halo_core.cli.rendering import Exit, build_table, print_note, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import RandomIds
from halo_core.durations import DAY_US
from halo_core.errors import ConfigError, make_read_error
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.grant_uses import GrantUse, PlayedBack, count_uses, play_back
from halo_core.evidence.questions_inventory import (
    MAX_LIST_BYTES,
    answer_inventory,
    answer_reviews,
    measure_reach,
    read_foreign_list,
    suggest_tier,
)
from halo_core.model import ActionKind, GrantName, Grants
from halo_core.oversight.grants import (
    classify_agent,
    close_review,
    open_review,
    record_answers,
    record_comparison,
    record_reminder,
    record_removal,
)
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader
from halo_core.views.access_reviews import ReviewCycle, load_reviews
from halo_core.views.grant_proposals import Proposal, ProposedGrants
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.passports import StoredChain, iterate_standing_entries, load_current_passport
from halo_core.views.wording import format_count

_EVIDENCE_DAYS: Final = 90

app = typer.Typer(help="Access reviews: who answers for which grant of which agent, until when.", no_args_is_help=True)
inventory_app = typer.Typer(
    help="Agents, their reach and their classes, and what ran ungoverned.", no_args_is_help=True
)

ReviewArgument = Annotated[str, Argument(metavar="REVIEW", help="Id of the review, or its first characters.")]
DaysOption = Annotated[int, Option("--days", min=1, help="Days of the log that count as evidence of use.")]


@store_verb(app, "open", by=True)
def open_cycle(
    *,
    agent: Annotated[
        list[str] | None, Option("--agent", help="Only this agent; may be repeated (default: all).")
    ] = None,
    reviewer: Annotated[str, Option("--reviewer", help="Name of the person who has to answer.")],
    due: Annotated[str, Option("--due", help="Until when: 2026-12-31, or in 14d.")],
    store: StoreContext,
) -> None:
    """Open a review of the grants of agents, as they are now."""
    now_us = SystemClock().now_us()
    due_us = parse_end(due, "due", now_us)
    if due_us <= now_us:
        raise ConfigError("bad_time", f"`{due[:32]}` is over", field="due", remedy="use a date to come, or 14d")
    with store.open_log() as (reader, tenant):
        names = agent or sorted({str(item.entry.body["agent"]) for item in iterate_standing_entries(reader, tenant)})
        grants = {name: _list_grants(reader, tenant, name) for name in names}
    unknown = [name for name in agent or () if not grants[name]]
    if unknown:
        remedy = "see `halo agents`"
        raise ConfigError("no_such_agent", f"`{unknown[0][:64]}` has no grants", field="agent", remedy=remedy)
    review = RandomIds().new_short_id()
    remaining_grants = {name: items for name, items in grants.items() if items}
    store.commit(
        lambda tx: open_review(tx, review, reviewer=reviewer, due_us=due_us, grants=remaining_grants, by=store.actor)
    )
    total = sum(map(len, remaining_grants.values()))
    if not store.print_json({"agents": sorted(remaining_grants), "due_us": due_us, "grants": total, "review": review}):
        say_plainly(
            f"review {review}: {format_count(total, 'grant')} of {format_count(len(remaining_grants), 'agent')}"
        )
        print_note(f"{reviewer} answers until {format_iso(due_us)[:10]}: `halo review show {review}`")


def _list_grants(reader: Reader, tenant: str, agent: str) -> list[GrantName]:
    stored = load_current_passport(reader, tenant, agent)
    granted = {} if stored is None else stored.links[0].grants
    return [(kind.value, name) for kind, resources in sorted(granted.items()) for name in sorted(resources)]


def _find(reader: Reader, tenant: str, review: str) -> ReviewCycle:
    matching_reviews = [item for item in load_reviews(reader, tenant) if review and item.id.startswith(review)]
    if len(matching_reviews) != 1:
        problem = (
            f"no review is `{review[:32]}`" if not matching_reviews else f"several reviews begin with `{review[:32]}`"
        )
        raise ConfigError("no_such_review", problem, field="REVIEW", remedy="see `halo review list`")
    return matching_reviews[0]


@store_verb(app, "list")
def list_cycles(*, store: StoreContext) -> None:
    """List the reviews: due, answered and closed."""
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        cycles = load_reviews(reader, tenant)
    if store.print_json([item.to_json() for item in cycles]):
        return
    table = build_table(("review", "agents", "grants", "open", "revoked", "due", "state"), gap=2)
    for item in cycles:
        state = "closed" if item.closed_us else item.find_problem(now_us) or "open"
        revoked = sum(verdict == "revoke" for verdict in item.answers.values())
        agents = safe_text(", ".join(sorted(item.grants)))
        counts = (str(len(item.list_grants())), str(len(item.list_unanswered())), str(revoked))
        table.add_row(item.id, agents, *counts, format_iso(item.due_us)[:10], state)
    say(table) if cycles else say("no review was opened; see `halo review open --help`")


@store_verb(app, "show")
def show_cycle(review: ReviewArgument, *, days: DaysOption = _EVIDENCE_DAYS, store: StoreContext) -> None:
    """Show each grant under review with the evidence of its use, and the answers so far."""
    from_us = SystemClock().now_us() - days * DAY_US
    with store.open_log() as (reader, tenant):
        cycle = _find(reader, tenant, review)
        log = AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us())
        uses = count_uses(log, from_us)
    rows = [(agent, grant, uses.get((agent, grant), GrantUse())) for agent, grant in cycle.list_grants()]
    evidence = [
        {"agent": agent, "grant": list(grant), **use._asdict(), "verdict": cycle.answers.get((agent, grant), "")}
        for agent, grant, use in rows
    ]
    if store.print_json(cycle.to_json() | {"evidence": evidence}):
        return
    say_plainly(f"review {cycle.id}, due {format_iso(cycle.due_us)[:10]}, use in the last {days} days")
    table = build_table(("agent", "grant", "ran", "refused", "asked", "people", "last used", "answer"), gap=2)
    for agent, (kind, name), use in rows:
        text = name if kind == ActionKind.TOOL_CALL.value else f"{kind} {name}"
        counts = (str(use.calls), str(use.refused), str(use.questions), str(use.people))
        last = format_iso(use.last_us)[:10] if use.last_us else "before, or never"
        answer = cycle.answers.get((agent, (kind, name)), "-")
        table.add_row(safe_text(agent), safe_text(text), *counts, last, answer)
    say(table)
    if not cycle.closed_us:
        print_note(f"answer: `halo review answer {cycle.id} --agent AGENT --keep NAME … --revoke NAME … --why …`")


@store_verb(app, "answer", by=True)
def answer_cycle(
    review: ReviewArgument,
    *,
    agent: Annotated[str, Option("--agent", help="Whose grants (default: the only agent of the review).")] = "",
    keep: Annotated[
        list[str] | None, Option("--keep", help="Name of a resource; may be repeated; * for all open.")
    ] = None,
    revoke: Annotated[list[str] | None, Option("--revoke", help="Name of a resource; may be repeated.")] = None,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Keep or revoke grants, as the reviewer (`--by`)."""
    with store.open_log() as (reader, tenant):
        cycle = _find(reader, tenant, review)
    if cycle.closed_us:
        raise ConfigError(
            "review_closed", f"the review {cycle.id} is closed", field="REVIEW", remedy="open another one"
        )
    wanted = agent or next(iter(cycle.grants)) if len(cycle.grants) == 1 or agent else ""
    if wanted not in cycle.grants:
        problem = f"`{agent[:64]}` is not under review" if agent else "the review is of several agents"
        raise ConfigError(
            "no_such_agent", problem, field="agent", remedy=f"use one of {', '.join(sorted(cycle.grants))}"
        )
    revoked = _select(cycle, wanted, revoke or (), "revoke")
    confirmed = {
        item: verdict for item, verdict in _select(cycle, wanted, keep or (), "keep").items() if item not in revoked
    }
    answers = confirmed | revoked
    if not answers:
        raise ConfigError("usage", "no grant was named", field="keep", remedy="add `--keep NAME` or `--revoke NAME`")
    act = partial(record_answers, review=cycle.id, answers=answers, reviewer=cycle.reviewer, why=why, by=store.actor)
    store.commit(act)
    unanswered = len([item for item in cycle.list_unanswered() if item not in answers])
    if not store.print_json({"answered": len(answers), "open": unanswered, "review": cycle.id}):
        say_plainly(
            f"{format_count(len(confirmed), 'grant')} kept, {len(revoked)} revoked, {unanswered} without an answer"
        )
        if not unanswered:
            print_note(f"close it: `halo review close {cycle.id}`")


def _select(cycle: ReviewCycle, agent: str, names: Iterable[str], verdict: str) -> dict[tuple[str, GrantName], str]:
    """The grants of an agent that have these names; `*` stands for all that nobody answered."""
    chosen: dict[tuple[str, GrantName], str] = {}
    for name in names:
        if name == "*" and verdict == "keep":
            matches = [grant for owner, grant in cycle.list_unanswered() if owner == agent]
        else:
            matches = [grant for grant in cycle.grants[agent] if name in (grant[1], f"{grant[0]} {grant[1]}")]
        if not matches and name != "*":
            remedy = f"see `halo review show {cycle.id}`"
            raise ConfigError("no_such_grant", f"`{agent}` has no grant `{name[:64]}`", field=verdict, remedy=remedy)
        chosen.update({(agent, grant): verdict for grant in matches})
    return chosen


@store_verb(app, "close", by=True)
def close_cycle(
    review: ReviewArgument,
    *,
    days: DaysOption = _EVIDENCE_DAYS,
    yes: Annotated[bool, Option("--yes", help="Do not ask.")] = False,
    key_home: KeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Close a review: play the narrower grants back over history, issue the passports, and record the end."""
    plan = _plan_closing(store, review, days)
    if not store.json:
        for item in plan.played:
            _print_played(item, days)
    if plan.played and not (yes or store.json or confirm("issue these passports and close the review?")):
        say("nothing was changed")
        return Exit.FAILED
    passports = _issue_narrowed(store, plan, key_home)
    review_id = plan.cycle.id
    with store.open_log() as (reader, tenant):
        if _find(reader, tenant, review_id).answers != plan.cycle.answers:
            problem = f"answers to the review {review_id} changed meanwhile; it stays open"
            raise ConfigError("review_not_answered", problem, field="REVIEW", remedy="close it again")
    store.commit(lambda tx: close_review(tx, review_id, passports, store.actor))
    if not store.print_json(
        {"passports": passports, "played": [item.to_json() for item in plan.played], "review": review_id}
    ):
        say_plainly(f"review {review_id} is closed; {format_count(len(plan.narrowed), 'passport')} issued")
        if plan.narrowed:
            print_note("restart the agents' processes, so that they use the new passports")
    return Exit.OK


@dataclass(frozen=True, slots=True)
class _ClosingPlan:
    """What closing a review changes.

    Args:
        tenant: owner of the log.
        cycle: the review, with an answer for every grant.
        passports: agent → hash of its passport now.
        narrowed: agent → the grants that remain, of each agent that loses some.
        played: for each of these, what the remaining grants would have done to its past actions.
    """

    tenant: str
    cycle: ReviewCycle
    passports: Mapping[str, str]
    narrowed: Mapping[str, Grants]
    played: Sequence[PlayedBack]


def _plan_closing(store: StoreContext, review: str, days: int) -> _ClosingPlan:
    """Work out what closing a review changes; `days` of the log count as evidence.

    Raises:
        ConfigError: it is closed or has grants without an answer (`review_not_answered`), or a passport that it narrows
            was not issued.
    """
    now_us = SystemClock().now_us()
    with store.open_log() as (reader, tenant):
        cycle = _find(reader, tenant, review)
        _require_answered(cycle)
        current = {name: load_current_passport(reader, tenant, name) for name in cycle.grants}
        narrowed = {
            name: _drop(stored.links[0].grants, revoked)
            for name, stored in current.items()
            if stored is not None and (revoked := cycle.list_revoked(name))
        }
        for name in narrowed:
            _require_issued(name, current[name])
        contents = store.open_contents(reader, is_shown=False)
        log, from_us = AuditLog(reader, tenant, home=store.home, now_us=now_us), now_us - days * DAY_US
        played = [play_back(log, contents, name, grants=grants, from_us=from_us) for name, grants in narrowed.items()]
    passports = {name: stored.links[0].hash for name, stored in current.items() if stored is not None}
    return _ClosingPlan(tenant, cycle, passports, narrowed, played)


def _require_answered(cycle: ReviewCycle) -> None:
    unanswered = len(cycle.list_unanswered())
    if cycle.closed_us or unanswered:
        problem = "is closed" if cycle.closed_us else f"has {format_count(unanswered, 'grant')} without an answer"
        remedy = "open another one" if cycle.closed_us else f"see `halo review show {cycle.id}`"
        raise ConfigError("review_not_answered", f"the review {cycle.id} {problem}", field="REVIEW", remedy=remedy)


def _issue_narrowed(store: StoreContext, plan: _ClosingPlan, key_home: Path | None) -> dict[str, str]:
    """Issue the narrower passports, record each removal, and return agent → hash of its passport afterwards."""
    passports = dict(plan.passports)
    for name, grants in plan.narrowed.items():
        before = passports[name]
        proposed = ProposedGrants(Proposal(name, grants, ()), grants)
        passports[name] = issue_grants(store, plan.tenant, proposed, key_home)
        revoked = plan.cycle.list_revoked(name)
        record = partial(
            record_removal, agent=name, grants=revoked, by=store.actor, before=before, after=passports[name]
        )
        store.commit(record)
    return passports


def _require_issued(agent: str, stored: StoredChain | None) -> None:
    """Refuse to narrow a passport that was derived from code: the next start would derive the revoked grants again.

    Raises:
        ConfigError: `not_issued`.
    """
    if stored is None or stored.entry is None or stored.entry.body.get("origin") != "issued":
        problem = f"the passport of `{agent}` follows what its code guards"
        raise ConfigError("not_issued", problem, field="agent", remedy="issue one: `halo enforce --grants`")


def _drop(granted: Grants, gone: Iterable[GrantName]) -> Grants:
    """The granted resources without those that are gone."""
    removed = set(gone)
    remaining = {
        kind: {name: rules for name, rules in resources.items() if (kind.value, name) not in removed}
        for kind, resources in granted.items()
    }
    return {kind: resources for kind, resources in remaining.items() if resources}


def _print_played(item: PlayedBack, days: int) -> None:
    say_plainly(f"{item.agent}: {format_count(item.ran, 'action')} ran in the last {days} days")
    for kind, name, code, calls in item.refused:
        say("  - ", safe_text(f"{calls} of {kind} {name} would have been refused ({code})", "yellow"))
    if item.is_clean:
        say("  [green]✓[/] all of them would have run under the new passport")
    if item.unread:
        print_note(f"the arguments of {item.unread} cannot be opened; only their resources were compared")


@store_verb(app, "remind")
def remind(
    *, within: Annotated[str, Option("--within", help="Also what is due within this time.")] = "7d", store: StoreContext
) -> int:
    """List open reviews that are due soon or overdue, and record the reminder. Exit 1 if there are any."""
    now_us = SystemClock().now_us()
    limit_us = now_us + parse_duration(within, "within") * 1_000_000
    with store.open_log() as (reader, tenant):
        due = [item for item in load_reviews(reader, tenant) if not item.closed_us and item.due_us <= limit_us]
    for item in due:
        days_left = (item.due_us - now_us) // DAY_US
        store.commit(partial(record_reminder, review=item.id, days_left=days_left, by=store.actor))
    rows = [{"due_us": item.due_us, "review": item.id, "reviewer": item.reviewer_name} for item in due]
    if not store.print_json(rows):
        for item in due:
            when = "was due" if item.due_us < now_us else "is due"
            open_count = format_count(len(item.list_unanswered()), "grant")
            due_day = format_iso(item.due_us)[:10]
            line = f"review {item.id} of {item.reviewer_name} {when} {due_day}: {open_count} to answer"
            say(safe_text(line))
        if not due:
            say("no review is due")
    return Exit.FAILED if due else Exit.OK


@store_verb(app, "status")
def status(*, from_: FromOption = "", to: ToOption = "", store: StoreContext) -> int:
    """Say whether a review is overdue or was closed late, with the passports that resulted."""
    return answer_question(store, "review status", read_period(from_, to), answer_reviews)


@store_verb(inventory_app, "show")
def show_inventory(
    *,
    compare: Annotated[
        Path | None,
        Option("--compare", metavar="CSV", help="List of a gateway or identity provider, with a column `agent`."),
    ] = None,
    manifest: ManifestOption = None,
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List agents with owner, purpose, reach, models, prompts and state, and what ran without a decision."""
    foreign, digest = _read_list(compare)
    declared = read_manifest_if_any(store.home, manifest)
    question = partial(answer_inventory, manifest=declared, foreign=foreign)
    options = {"compare": f"sha256:{digest}"} if compare else {}
    code = answer_question(store, "inventory show", read_period(from_, to), question, **options)
    if foreign is not None and compare is not None:
        with store.open_log() as (reader, tenant):
            agents_with_passports = {str(item.entry.body["agent"]) for item in iterate_standing_entries(reader, tenant)}
        missing = [name for name in foreign if name not in agents_with_passports]
        act = partial(record_comparison, digest=digest, source=compare.name, missing=missing, by=store.actor)
        store.commit(act)
    return code


def _read_list(path: Path | None) -> tuple[list[str] | None, str]:
    if path is None:
        return None, ""
    try:
        data = path.read_bytes()[: MAX_LIST_BYTES + 1]
    except OSError as exc:
        remedy = "give the CSV file of the other system"
        raise make_read_error(path, exc, field="compare", code="bad_list", remedy=remedy) from exc
    try:
        text = data.decode("utf-8")
    except UnicodeError as exc:
        problem, remedy = f"`{path}` is no text in UTF-8", "save it as CSV in UTF-8"
        raise ConfigError("bad_list", problem, field="compare", remedy=remedy) from exc
    if len(data) > MAX_LIST_BYTES:
        raise ConfigError(
            "bad_list", f"`{path}` is too large", field="compare", remedy=f"at most {MAX_LIST_BYTES} bytes"
        )
    return read_foreign_list(text), hashlib.sha256(data).hexdigest()


@store_verb(inventory_app, "classify", by=True)
def classify(
    agent: Annotated[str, Argument(metavar="AGENT", help="The agent's id.")],
    tier: Annotated[str, Argument(metavar="TIER", help="low, medium or high.")],
    *,
    why: WhyOption = "",
    manifest: ManifestOption = None,
    store: StoreContext,
) -> None:
    """Confirm the class of an agent, which the inventory suggests by what it did; a lower one needs a reason."""
    declared = read_manifest_if_any(store.home, manifest)
    section: Mapping[str, object] = declared.agents if declared is not None else {}
    with store.open_log() as (reader, tenant):
        log = AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us())
        period = read_period("", "")
        reach = measure_reach(log, period, agent)
        if not reach.decisions and agent not in section and load_current_passport(reader, tenant, agent) is None:
            raise ConfigError(
                "no_such_agent", f"`{agent[:64]}` is not known", field="AGENT", remedy="see `halo agents`"
            )
        regulated = tuple(getattr(section.get(agent), "regulated", ()))
        suggested = suggest_tier(reach.impacts, reach.labels, regulated)
    act = partial(classify_agent, agent=agent, tier=tier, suggested=suggested, why=why, by=store.actor)
    store.commit(act)
    if not store.print_json({"agent": agent, "suggested": suggested, "tier": tier}):
        say_plainly(f"{agent}: {tier} (suggested: {suggested})")
