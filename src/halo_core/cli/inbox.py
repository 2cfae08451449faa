"""`halo approvals` and `halo break-glass`: the inbox of questions, their signed answers, and remembered answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import (
    ApproverKeyHomeOption,
    AsOption,
    SignAsOption,
    SignedOption,
    StoreContext,
    WhyOption,
    parse_duration,
    store_verb,
)
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.operators import Signing
from halo_core.cli.question_page import QuestionPage, describe_argument, lay_out_rows, load_page
from halo_core.cli.rendering import safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.durations import DAY_S, SECOND_US
from halo_core.errors import ConfigError
from halo_core.evidence.questions_rights import answer_approvals
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.approvals import ApprovalAnswer, answer
from halo_core.oversight.arguments import ArgumentView
from halo_core.oversight.inbox import InboxItem, encode_page, list_inbox
from halo_core.oversight.override_list import Override, list_overrides
from halo_core.oversight.remembered import (
    DEFAULT_LIFETIME_S,
    DEFAULT_USES,
    RememberTerms,
    can_be_remembered,
    grant_break_glass,
    is_denial,
    list_remembered,
    make_denial_end,
    revoke_remembered,
)
from halo_core.oversight.requests import ApprovalRequest, read_exact_arguments
from halo_core.oversight.signed_entries import Opener
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader
from halo_core.views import select_fields
from halo_core.views.settled_questions import SettledQuestions
from halo_core.views.wording import (
    escape_unprintable,
    format_amount,
    format_limit,
    format_percent,
    format_sum,
    parse_amount,
)

app = typer.Typer(help="List and answer what waits for a person.", no_args_is_help=True)

_MAX_LISTED: Final = 60  # characters of a value in a list

IdArgument = Annotated[str, Argument(help="Id of the request, or the first characters of it.")]


@store_verb(app, "list")
def list_questions(
    *,
    everything: Annotated[bool, Option("--all", help="Include answered, used and expired requests.")] = False,
    store: StoreContext,
) -> None:
    """List what waits for an answer: calls, held acts, new tools, re-authorizations. Equal calls are one question."""
    from halo_core.cli.reversals import describe_override, is_open  # noqa: PLC0415  it imports the facade

    now_us = SystemClock().now_us()
    with store.open_log() as (reader, owner):
        items = list_inbox(reader, owner, now_us, everything=everything)
        contents = store.open_contents(reader, is_shown=False)
        settled = _list_settled(items, SettledQuestions(reader, contents, store.home, owner))
        opener = contents.open
        overrides = [item for item in _list_overrides(reader, store, owner, opener, now_us) if is_open(item)]
    names = ("kind", "session", "asked_us", "expires_us")
    if store.print_json(
        [
            {
                "id": item.id,
                "ids": [row.id for row in item.rows],
                **select_fields(item.rows[0], *names),
                **select_fields(item.summary, "agent", "codes", "held", "resource"),
                "status": item.status,
                "what": item.kind,
                "would_run": item.id in settled,
            }
            for item in items
        ]
        + [{**item.to_plain(), "what": "override"} for item in overrides]
    ):
        return
    with store.open_log() as (reader, owner):
        opener = store.open_contents(reader).open
        for item in items:
            exact = read_exact_arguments(reader, owner, item.summary, opener)
            for line in _describe_item(item, exact, is_settled=item.id in settled):
                say(safe_text(line))
    _say_batches(items)
    for override in overrides:
        for line in describe_override(override):
            say(safe_text(escape_unprintable(line)))
    if not items and not overrides:
        say("no request waits for an answer")


def _list_overrides(reader: Reader, store: StoreContext, tenant: str, opener: Opener, now_us: int) -> list[Override]:
    """The overrides of the log; none if the home trusts no key of it, so that questions are listed all the same."""
    try:
        return list(list_overrides(reader, store.home, tenant, opener=opener, now_us=now_us))
    except ConfigError:
        return []


def _list_settled(items: Sequence[InboxItem], questions: SettledQuestions) -> frozenset[str]:
    """Ids of the questions whose calls would run now, since their targets have become known."""
    waiting = [item for item in items if item.status == "pending" and item.kind in ("call", "held act")]
    return frozenset(item.id for item in waiting if questions.would_run(item.summary.decision))


def _describe_item(item: InboxItem, exact: Sequence[ArgumentView], *, is_settled: bool) -> Iterator[str]:
    row, detail = item.rows[0], item.summary
    yield f"{item.id}  {item.status}, until {format_iso(row.expires_us)}"
    requested_right = "one call" if item.kind == "call" else item.kind
    codes = ", ".join(detail.codes) or "no reason that can be read"
    others = f" and {len(item.rows) - 1} more" if len(item.rows) > 1 else ""
    agent, session, resource = (escape_unprintable(text) for text in (detail.agent, row.session, detail.resource))
    yield f"  {agent or '?'}, session {session}{others}: {requested_right}, `{resource or '?'}` ({codes})"
    if exact:
        yield f"  {escape_unprintable(', '.join(map(_describe_exact, exact)))}"
    if is_settled:
        yield "  would run now: its targets have become known; in a new run nobody is asked"
    if item.status == "pending":
        yield f"  answer: halo approvals approve {item.id} --as NAME"


def _describe_exact(item: ArgumentView) -> str:
    """A target with the first words on where it came from, or the amount, on one line of a list."""
    value = item.value if len(item.value) <= _MAX_LISTED else f"{item.value[: _MAX_LISTED - 1]}…"
    origin = f" ({item.came_from.partition(':')[0]})" if item.came_from else ""
    return f"{item.name} {value}{origin}"


def _say_batches(items: Sequence[InboxItem]) -> None:
    sessions: dict[str, int] = {}
    for item in items:
        for row in item.rows if (item.kind, item.status) == ("held act", "pending") else ():
            sessions[row.session] = sessions.get(row.session, 0) + 1
    for session, count in sessions.items():
        if count > 1:
            text = f"{count} held acts of session {session}: halo approvals approve --held {session} --as NAME"
            say(safe_text(escape_unprintable(text)))


@store_verb(app, "show")
def show_question(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, Option("--reveal", help="Show content unmasked.")] = False,
    store: StoreContext,
) -> None:
    """Show a request: the exact targets and amount, where each came from, who asks, why, and similar answers."""
    page = load_page(store, id, reveal=reveal)
    store.record_access("reveal" if reveal else "read", {"request": page.question.row.id})
    if not store.print_json({**page.question.to_plain(), "asked": page.asked, "similar": dict(page.similar)}):
        for line in page.lines:
            say(safe_text(line))


def _describe_approval(question: ApprovalRequest, answered: ApprovalAnswer) -> str:
    limits = [f"{item.unit} up to {format_limit(item.unit, item.subtree, item.decimals)}" for item in answered.budgets]
    return (
        f"session {question.session} continues as epoch {question.epoch}: "
        f"{', '.join([*limits, f'authority {format_percent(answered.authority)}'])}"
    )


@store_verb(app, "stats")
def show_statistics(
    *,
    by_approver: Annotated[
        bool, Option("--by-approver", help="Figures of each person in place of the questions.")
    ] = False,
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List every action that needed a person: who decided, how fast, and the digest of what they were shown."""
    question = partial(answer_approvals, by_approver=by_approver)
    return answer_question(store, "approvals stats", read_period(from_, to), question, by_approver=by_approver)


@store_verb(app, "approve")
def approve(
    ids: Annotated[
        list[str] | None, Argument(metavar="[ID]...", help="Ids of requests, or the first characters of them.")
    ] = None,
    *,
    name: AsOption = "",
    why: WhyOption = "",
    held: Annotated[str, Option("--held", metavar="SESSION", help="All held acts of a session.")] = "",
    once: Annotated[bool, Option("--once", help="Approve this call only; remember nothing.")] = False,
    days: Annotated[
        int | None, Option("--days", help="Remember it, for so long (default: 90 days).", show_default=False)
    ] = None,
    uses: Annotated[
        int | None, Option("--uses", help="Remember it, for at most so many calls (default: 100).", show_default=False)
    ] = None,
    up_to: Annotated[
        str, Option("--up-to", metavar="AMOUNT", help="Remember it, up to this sum (default: ten times this amount).")
    ] = "",
    with_amount: Annotated[
        bool,
        Option(
            "--with-amount",
            help="Of a large payment: remember its amount as well. As much within 24 hours then goes to this target "
            "unasked, on the same terms (currency, how often).",
        ),
    ] = False,
    raised: Annotated[
        list[str] | None,
        Option(
            "--raise",
            metavar="UNIT=AMOUNT",
            help="New limit of the session, in all. Without it, the limit that ran out is raised once more by what a "
            "session starts with, never above the ceiling; the others stay.",
        ),
    ] = None,
    lasts: Annotated[str, Option("--for", help="How long the answer stays valid if it is not used.")] = "1h",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Approve requests, and remember the answer for later calls to the same target. Prints what it approves."""
    keeps = with_amount or bool(up_to) or days is not None or uses is not None
    if once and keeps:
        problem = "`--once` remembers nothing"
        raise ConfigError("usage", problem, field="once", remedy="leave it out, or the options on what is remembered")
    max_amount = parse_amount(up_to, 4, field="up-to", example="500.00", shown=up_to) if up_to else None
    lifetime_s = DEFAULT_LIFETIME_S if days is None else days * DAY_S
    terms = RememberTerms(lifetime_s, DEFAULT_USES if uses is None else uses, max_amount, with_amount)
    pages = [load_page(store, question_id) for question_id in _select_ids(store, ids or [], held)]
    options = _AnswerOptions(name, why, lasts, key_home, None if once else terms, tuple(raised or ()))
    _record_answers(store, pages, options, approve=True)


def _select_ids(store: StoreContext, ids: Sequence[str], held_session: str) -> list[str]:
    if bool(ids) == bool(held_session):
        problem = "give the ids of requests, or `--held SESSION`"
        raise ConfigError("no_such_request", problem, field="id", remedy="see `halo approvals list`")
    if not held_session:
        return list(ids)
    with store.open_log() as (reader, tenant):
        items = list_inbox(reader, tenant, SystemClock().now_us(), session=held_session)
    chosen = [item.id for item in items if item.kind == "held act"]
    if not chosen:
        problem = f"no held act of session `{held_session[:64]}` waits for an answer"
        raise ConfigError("no_such_request", problem, field="held", remedy="see `halo approvals list`")
    return chosen


@store_verb(app, "deny")
def deny(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption = "",
    why: Annotated[str, Option("--why", help="The reason; it is recorded in the ledger.")],
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Deny a request.

    Exactly this call stays denied for the rest of its session. If the application names no sessions, it stays denied
    for a day in later runs of the agent for the same user. In other sessions the call is asked about again. A no
    cannot be lifted earlier.
    """
    _record_answers(store, [load_page(store, id)], _AnswerOptions(name, why, "1h", key_home), approve=False)


@dataclass(frozen=True, slots=True)
class _AnswerOptions:
    """Options of `approve` and `deny`, as given."""

    name: str
    why: str
    lasts: str
    key_home: Path | None
    terms: RememberTerms | None = None
    raised: tuple[str, ...] = ()

    def parse_limits(self, question: ApprovalRequest) -> dict[str, int]:
        """New limits of the session, by unit."""
        decimals = {item.unit: item.decimals for item in question.budgets}
        limits = {}
        for text in self.raised:
            unit, _, amount = text.partition("=")
            limits[unit] = parse_amount(amount, decimals.get(unit, 0), field="raise", example="USD=50.00", shown=text)
        return limits


def _record_answers(
    store: StoreContext, pages: Sequence[QuestionPage], options: _AnswerOptions, *, approve: bool
) -> None:
    results = []
    with store.open_store(store.resolve_tenant()) as opened:
        for page in pages:
            # Equal calls are one question, so one answer is for all of them; it is remembered once.
            for place, request in enumerate(page.equal_ids):
                answered = answer(
                    opened,
                    KeyStore(options.key_home or store.home),
                    store.home,
                    request_id=request,
                    approver=options.name,
                    approve=approve,
                    why=options.why,
                    raised=options.parse_limits(page.question),
                    now_us=opened.clock.now_us(),
                    lifetime_s=parse_duration(options.lasts, "for"),
                    terms=options.terms if place == 0 else None,
                    shown_page=encode_page(page.lines),
                )
                results.append((page, answered))
    names = ("request", "status", "approver", "key_id", "entry", "expires_s", "authority", "remembered")
    trees = [
        {
            **select_fields(answered, *names),
            "limits": {item.unit: format_amount(item.subtree, item.decimals) for item in answered.budgets},
        }
        for _, answered in results
    ]
    if store.print_json(trees[0] if len(trees) == 1 else trees):
        return
    for page, answered in results:
        terms = options.terms
        _say_answer(page, answered, terms, _list_signers(store, answered), is_approved=approve)


def _list_signers(store: StoreContext, answered: ApprovalAnswer) -> list[str]:
    """Names of those whose remembered answers hold for the same scope as this one; empty if it was not remembered."""
    if not answered.remembered:
        return []
    with store.open_log() as (reader, tenant):
        opener = store.open_contents(reader, is_shown=False).open
        items = list(list_remembered(reader, store.home, tenant, opener=opener, now_us=SystemClock().now_us()))
    scope = next((item.scope for item in items if item.id == answered.remembered), "")
    valid = (item for item in items if item.scope == scope and item.status in ("active", "waiting"))
    return list(dict.fromkeys(item.approver for item in valid))


def _say_answer(
    page: QuestionPage,
    answered: ApprovalAnswer,
    terms: RememberTerms | None,
    signers: Sequence[str],
    *,
    is_approved: bool,
) -> None:
    question = page.question
    say(
        safe_text(
            f"{answered.status} by {answered.approver}: {question.action} `{escape_unprintable(question.resource)}`"
        )
    )
    if not is_approved:
        if question.row.kind == "call":
            say("  the same call is denied for the rest of its session, and for a day in later runs of the agent")
        return
    rows = [
        (item.name, describe_argument(item.value, item.came_from))
        for item in question.arguments
        if item.is_target or not any(argument.is_target for argument in question.arguments)
    ]
    for line in lay_out_rows((f"  {name}", value) for name, value in rows):
        say(safe_text(line))
    if question.row.kind == "reauthorization":
        say(safe_text(f"  {_describe_approval(question, answered)}"))
    if answered.status != "confirmed":
        say(f"  valid once, until {format_iso(answered.expires_s * SECOND_US)}; it is checked again when it is used")
    if question.held:
        say("  the act is held: it runs at the next `halo.release()`, or the next start of a process that has the tool")
    if answered.remembered and terms is not None:
        _say_remembered(question, answered, terms, signers)
    elif question.row.kind == "call":
        is_about_target = can_be_remembered(question)
        why = "the answer is for this call alone" if is_about_target else "the question is not about a target"
        say(f"  nothing is remembered: {why}")


def _say_remembered(
    question: ApprovalRequest, answered: ApprovalAnswer, terms: RememberTerms, signers: Sequence[str]
) -> None:
    until = format_iso((SystemClock().now_us() // SECOND_US + terms.lifetime_s) * SECOND_US)
    undo = safe_text(f"halo approvals revoke {answered.remembered}")
    limit = terms.limit_sum(question.amount or 0)
    total = f" and {format_sum(limit)} in all" if limit else ""
    say(f"  remembered until {until} for at most {terms.max_uses} calls{total}; undo: ", undo)
    if terms.with_amount:
        say(f"  with its amount: up to {format_sum(question.amount or 0)} within 24 hours, on the same terms")
    if question.people_needed > 1:
        if len(signers) >= question.people_needed:
            say(safe_text(f"  it counts now (approved by {' and '.join(signers)})"))
        else:
            command = safe_text(f"halo approvals approve {question.row.id} --as SECOND")
            say("  it counts once a second person has approved the same: ", command)


# what is remembered


@store_verb(app, "remembered")
def show_remembered(
    *,
    everything: Annotated[bool, Option("--all", help="Include revoked and expired answers.")] = False,
    store: StoreContext,
) -> None:
    """List remembered and emergency answers: whose, for what, until when, and how often they were used."""
    with store.open_log() as (reader, tenant):
        opener = store.open_contents(reader).open
        items = list(list_remembered(reader, store.home, tenant, opener=opener, now_us=SystemClock().now_us()))
    listed_items = [item for item in items if everything or item.status in ("active", "waiting")]
    if store.print_json([item.to_plain() for item in listed_items]):
        return
    for item in listed_items:
        say(safe_text(f"{item.id}  {item.status}, by {item.approver}, until {format_iso(item.expires_us)}"))
        is_standing = item.kind == "standing"
        coverage = f"`{item.resource}` as {item.role}" if is_standing else f"everything of {item.role} but money"
        used = f"{item.uses} of {item.max_uses} uses"
        sums = f", {format_sum(item.spent)} of {format_sum(item.max_amount)}" if item.max_amount else ""
        limit_text = f", up to {format_sum(item.max_each)} within 24 hours" if item.max_each else ""
        say(safe_text(escape_unprintable(f"  {coverage}: {used}{sums}{limit_text}")))
        for line in lay_out_rows((f"  {name}", str(value)) for name, value in item.targets.items()):
            say(safe_text(line))
    if not listed_items:
        say("nothing is remembered")


@store_verb(app, "revoke", by=True)
def revoke_answer(
    id: Annotated[str, Argument(help="Id of a remembered answer, or the first characters of it.")],  # noqa: A002
    *,
    why: WhyOption = "",
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Revoke a remembered or emergency answer or an override, from the next decision on.

    An override that forbids ends only with a signature, with two where two people are enrolled.
    """
    with store.open_log() as (reader, tenant):
        opener = store.open_contents(reader, is_shown=False).open
        remembered_answers = list_remembered(reader, store.home, tenant, opener=opener, now_us=SystemClock().now_us())
        ids = [item.id for item in remembered_answers if id and item.id.startswith(id)]
    answer_id = ids[0] if len(ids) == 1 else id
    with store.open_store(store.resolve_tenant()) as opened:
        tokens: tuple[str, ...] = ()
        if opened.commit(lambda tx: is_denial(tx, answer_id)):
            act = opened.commit(lambda tx: make_denial_end(tx, answer_id))
            tokens = Signing(store, opened, signed, sign_as, key_home).sign(act, needed=1).tokens
        commit_or_record_refusal(
            opened,
            lambda tx: revoke_remembered(tx, answer_id, by=store.actor, why=why, signed=tokens),
            "revoke answer",
            store.actor,
        )
    if not store.print_json({"id": answer_id, "status": "revoked"}):
        say_plainly(f"revoked {answer_id}")


@store_verb()
def break_glass(
    agent: Annotated[str, Argument(help="The agent whose questions are answered with yes for a while.")],
    *,
    minutes: Annotated[int, Option("--minutes", help="For how long, 1 to 60.")],
    reason: Annotated[str, Option("--reason", help="Why; it is recorded and sent as an alert.")],
    name: AsOption = "",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Answer every question of an agent with yes for some minutes, except about money. Signed, and sent as an alert."""
    with store.open_store(store.resolve_tenant()) as opened:
        granted = grant_break_glass(
            opened,
            KeyStore(key_home or store.home),
            store.home,
            agent=agent,
            approver=name,
            lifetime_s=minutes * 60,
            why=reason,
            now_us=opened.clock.now_us(),
        )
    if not store.print_json({"agent": agent, "id": granted, "minutes": minutes}):
        say("[bold red]break glass[/] for ", safe_text(agent), f": {minutes} minutes, nothing about money; end it: ")
        say_plainly(f"halo approvals revoke {granted}")
