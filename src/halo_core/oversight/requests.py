"""Challenges as an approver sees them: `load_request` verifies and collects everything that an answer will be bound to.

INVARIANT: BIND - what a person is shown was signed by a writer that the log's key certified, and the binding that an
answer signs is computed from what is shown; so nobody sees one call and signs for another.

`summarize_requests` is for lists: it reads entries without verifying signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from halo_core.decision.answers import count_needed_approvers
from halo_core.decision.bindings import (
    ENDING_SOURCES,
    find_exposure,
    make_question_binding,
    make_reauthorization_binding,
)
from halo_core.errors import ConfigError, HaloError, PassportError
from halo_core.ledger import decode_entry
from halo_core.model import (
    BEHAVIOUR_CODES,
    AccessRequest,
    EntryKind,
    LedgerEntry,
    Link,
    describe_deviation,
)
from halo_core.oversight.arguments import ArgumentView, describe_arguments
from halo_core.oversight.signed_entries import (
    Opener,
    decode_signed_entry,
    load_linked_entry,
    load_links,
    load_rule_texts,
    load_rules,
    make_altered_error,
    open_masked_content,
)
from halo_core.policy.payment_sums import SUM_CODES, describe_sum
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.store.entry_lookup import require_placed
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.reader import Reader


@dataclass(frozen=True, slots=True)
class RequestReason:
    """One reason of the decision that led to a request."""

    code: str
    title: str
    detail: str
    source: str


@dataclass(frozen=True, slots=True)
class Spending:
    """One budget unit of a session; amounts are integers in units of 10**-decimals.

    Args:
        spent: reserved and committed so far.
        limit: limit of the session now.
        start: limit of a new epoch, unless it is raised.
        ceiling: the highest limit; None if the standing passport sets none, and then it is `start`.
        per_action: limit of one action at the start.
    """

    unit: str
    decimals: int
    spent: int
    limit: int
    start: int
    ceiling: int | None
    per_action: int

    @property
    def max_limit(self) -> int:
        """The highest limit that an answer can set."""
        return self.start if self.ceiling is None else self.ceiling

    def format_amount(self, value: int) -> str:
        """An amount of this unit with its decimals."""
        return f"{Decimal(value).scaleb(-self.decimals):f}"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A challenge as shown to an approver.

    Args:
        status: the row's, or `expired` where its time is over.
        session: name of the session, or its reference.
        user: whom it acts for, as the host application asserted; name or reference.
        identities: everybody along the chain, from the head down.
        content: sealed field → text, masked.
        links: the passport, standing link first.
        authority: authority that the session has left, millionths; None if unknown.
        epoch: for `reauthorization`, the epoch that it would begin.
        index: position of the request in the log.
        scope: digest of what a remembered answer would cover, empty if none can be kept.
        amount_scope: the same of one to a large amount; empty if the question is not about one.
        role: role under which it would be kept.
        amount: amount of a payment, in ten-thousandths; None for other calls.
        held: the act is held, and its caller went on.
        people_needed: how many people must approve a scope before an answer to it is remembered.
        reversal: how the effect can be taken back afterwards, as it was declared or guessed.
        can_reverse: whether the process that asked has a callable that does so.
        arguments: targets and amount as they are, and every other argument masked; with where each came from.
        args_digest: keyed digest of the arguments.
    """

    row: ApprovalRow
    status: str
    action: str
    resource: str
    impact: str
    agent: str
    session: str
    user: str
    identities: tuple[str, ...]
    reasons: tuple[RequestReason, ...]
    content: Mapping[str, str]
    policy: str
    links: tuple[Link, ...]
    budgets: tuple[Spending, ...]
    authority: int | None
    epoch: int
    index: int
    decision: str
    scope: str
    amount_scope: str
    role: str
    amount: int | None
    held: bool
    people_needed: int
    reversal: str
    can_reverse: bool
    arguments: tuple[ArgumentView, ...]
    args_digest: str

    def to_plain(self) -> dict[str, Any]:
        """The request for JSON, without tokens."""
        tree = {name: getattr(self, name) for name in self.__slots__ if name not in ("row", "links")}
        return {
            **{name: value for name, value in asdict(self.row).items() if name != "answer"},
            **tree,
            "arguments": [asdict(item) for item in self.arguments],
            "budgets": [asdict(item) for item in self.budgets],
            "content": dict(self.content),
            "identities": list(self.identities),
            "passport": [link.hash for link in self.links],
            "reasons": [asdict(item) for item in self.reasons],
        }


def list_requests(reader: Reader, tenant: str, now_us: int) -> Iterator[tuple[ApprovalRow, str]]:
    """Every challenge with its status as of now, oldest first."""
    for row in reader.challenges(tenant):
        names = reader.names
        named = row if names is None else replace(row, session=names.show_session(tenant, row.session))
        yield named, _current_status(row, now_us)


def load_request(
    reader: Reader, home: Path, tenant: str, request: str, *, opener: Opener, now_us: int, reveal: bool = False
) -> ApprovalRequest:
    """The challenge whose id is, or starts with, `request`; `reveal` returns its content unmasked.

    Raises:
        ConfigError: `no_such_request`, none or several; `no_trust`; `not_placed`.
        Tampered: `request_altered`, the request is not what was signed.
    """
    row = _find_row(reader, tenant, request)
    index, request_entry = _find_request_entry(reader, home, tenant, row)
    decision = load_linked_entry(reader, tenant, request_entry.body.get("decision"))
    try:
        return _build_request(reader, row, index, request_entry, decision, opener=opener, now_us=now_us, reveal=reveal)
    except (IndexError, KeyError, PassportError, TypeError, ValueError) as exc:
        raise make_altered_error(f"the request cannot be read ({type(exc).__name__})") from exc


def _current_status(row: ApprovalRow, now_us: int) -> str:
    return "expired" if row.status == "pending" and row.expires_us <= now_us else row.status


def _find_row(reader: Reader, tenant: str, request: str) -> ApprovalRow:
    rows = [row for row in reader.challenges(tenant) if request and row.id.startswith(request)]
    rows = [row for row in rows if row.id == request] or rows  # `3f2a-1` is the beginning of `3f2a-12` too
    if len(rows) != 1:
        message = f"{len(rows)} requests have an id that starts with" if rows else "there is no request"
        raise ConfigError(
            "no_such_request", f"{message} `{request[:64]}`", field="id", remedy="see `halo approvals list`"
        )
    return rows[0]


def _find_request_entry(reader: Reader, home: Path, tenant: str, row: ApprovalRow) -> tuple[int, LedgerEntry]:
    located = reader.find_note(tenant, row.id)
    if located is None:
        raise make_altered_error("the request has no entry")
    index, note = located
    entry = decode_signed_entry(reader, home, tenant, note)
    terms = (entry.kind, *(entry.body.get(name) for name in ("kind", "binding", "expires_us")), entry.session)
    if terms != (EntryKind.APPROVAL_REQUEST, row.kind, row.binding, row.expires_us, row.session):
        raise make_altered_error("the row of the request differs from its entry")
    return require_placed(entry, index), entry


def _build_request(
    reader: Reader,
    row: ApprovalRow,
    index: int,
    request_entry: LedgerEntry,
    decision: LedgerEntry,
    *,
    opener: Opener,
    now_us: int,
    reveal: bool,
) -> ApprovalRequest:
    body = decision.body
    snapshot, authority = body["snapshot"], body["after"].get("authority")
    links = load_links(reader, decision.tenant, snapshot["chain"])
    request = AccessRequest.from_plain(body["request"], {})
    epoch = int(request_entry.body["epoch"])
    binding = _compute_binding(
        reader, row, request, links, snapshot, epoch=epoch, is_held=request_entry.body.get("held") is True
    )
    if decision.session != row.session or binding != row.binding:
        raise make_altered_error("the request is not bound to the call that it shows")
    people = reader.names.show_people(decision) if reader.names is not None else {}
    return ApprovalRequest(
        row=row,
        status=_current_status(row, now_us),
        action=request.kind.value,
        resource=request.resource.id,
        impact=request.resource.impact.value,
        agent=request.subject.agent,
        session=reader.names.show_session(decision.tenant, row.session) if reader.names is not None else row.session,
        user=people.get(request.subject.user, request.subject.user),
        identities=tuple(people.get(name, name) for name in _collect_identities(request, links)),
        reasons=tuple(
            _read_reason(reader, decision.tenant, reason, snapshot) for reason in request_entry.body["reasons"]
        ),
        content=open_masked_content(decision, opener, reveal=reveal),
        policy=snapshot["policy"],
        links=links,
        budgets=_read_spending(links, snapshot),
        authority=authority if type(authority) is int else None,
        epoch=epoch,
        index=index,
        decision=decision.id,
        scope=str(request_entry.body.get("scope", "")),
        amount_scope=str(request_entry.body.get("amount_scope", "")),
        role=str(request_entry.body.get("role", request.subject.agent)),
        amount=request_entry.body.get("amount"),
        held=request_entry.body.get("held") is True,
        people_needed=count_needed_approvers(request.resource.impact, request.resource.reversal),
        reversal=request.resource.reversal.value,
        can_reverse=request.resource.can_reverse,
        arguments=describe_arguments(request.resource, snapshot, opener(decision, "args"), reveal=reveal),
        args_digest=request.args_digest,
    )


def _read_reason(reader: Reader, tenant: str, reason: Mapping[str, str], snapshot: Mapping[str, Any]) -> RequestReason:
    code, detail = reason["code"], reason["detail"]
    if not detail and code in BEHAVIOUR_CODES:
        detail = describe_deviation(snapshot)
    if not detail and code in SUM_CODES:
        rules = load_rule_texts(reader, tenant, snapshot["policy"])
        detail = describe_sum(code, rules.get(reason["source"], ""), snapshot)
    return RequestReason(code, get_reason_text(code).title, detail, reason["source"])


def _compute_binding(
    reader: Reader,
    row: ApprovalRow,
    request: AccessRequest,
    links: tuple[Link, ...],
    snapshot: Mapping[str, Any],
    *,
    epoch: int,
    is_held: bool,
) -> str:
    if row.kind == "reauthorization":
        return make_reauthorization_binding(request.subject.tenant, row.session, links[0].agent, epoch)
    rules = load_rules(reader, request.subject.tenant, snapshot["policy"])
    exposure = find_exposure(snapshot["provenance"], snapshot["targets"], is_tainted=snapshot["session"]["tainted"])
    return make_question_binding(request, links, rules, exposure=exposure, is_held=is_held)


def _collect_identities(request: AccessRequest, links: tuple[Link, ...]) -> tuple[str, ...]:
    of_links = [name for link in links for name in (link.principal, link.owner, link.agent)]
    names = [request.subject.user, *request.subject.chain, *of_links, request.subject.agent]
    return tuple(dict.fromkeys(name for name in names if name))


def _read_spending(links: tuple[Link, ...], snapshot: Mapping[str, Any]) -> tuple[Spending, ...]:
    standing_link, session_link = (links[0] if links else None), (links[1] if len(links) > 1 else None)
    if standing_link is None or standing_link.terms is None:
        return ()
    envelopes = snapshot["envelopes"]
    spent = {unit: reserved + committed for unit, reserved, committed in envelopes[0]["spent"]} if envelopes else {}
    spent["time"] = max(snapshot["time_us"] - snapshot["session"]["opened_us"], 0) // 1_000_000
    ceilings = {item.unit: item.subtree for item in standing_link.budgets}
    limits = {item.unit: item.subtree for item in (session_link.budgets if session_link else ())}
    return tuple(
        Spending(
            unit=item.unit,
            decimals=item.decimals,
            spent=spent.get(item.unit, 0),
            limit=limits.get(item.unit, item.subtree),
            start=item.subtree,
            ceiling=ceilings.get(item.unit),
            per_action=item.per_action,
        )
        for item in standing_link.terms.budgets
    )


def read_exact_arguments(
    reader: Reader, tenant: str, summary: RequestSummary, opener: Opener
) -> tuple[ArgumentView, ...]:
    """Targets and amount of a summarized request, not verified; empty if they cannot be read."""
    try:
        decision = load_linked_entry(reader, tenant, summary.decision)
        resource = AccessRequest.from_plain(decision.body["request"], {}).resource
        views = describe_arguments(resource, decision.body["snapshot"], opener(decision, "args"), reveal=False)
    except (HaloError, KeyError, TypeError, ValueError):
        return ()  # `halo verify` reports what is wrong with it
    return tuple(view for view in views if view.is_target)


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """Agent, resource and reason codes of a request, not verified.

    `args_digest` is equal for equal arguments; `held`: the act is held, and its caller went on; `can_serve_others`: the
    answer is used by whichever run of the agent makes the same call next; `decision`: reference of the decision.
    """

    agent: str = ""
    resource: str = ""
    codes: tuple[str, ...] = ()
    args_digest: str = ""
    held: bool = False
    can_serve_others: bool = False
    decision: Any = None


def summarize_requests(reader: Reader, tenant: str) -> dict[str, RequestSummary]:
    """Id of each request → its summary; requests that cannot be read are left out."""
    summaries = {}
    for _, note in reader.notes(tenant, (EntryKind.APPROVAL_REQUEST.value,)):
        try:
            entry = decode_entry(note)
            summaries[entry.id] = _summarize(reader, tenant, entry)
        except (HaloError, KeyError, TypeError, ValueError):
            continue  # `halo verify` reports what is wrong with it
    return summaries


def _summarize(reader: Reader, tenant: str, entry: LedgerEntry) -> RequestSummary:
    decision = load_linked_entry(reader, tenant, entry.body["decision"])
    codes = tuple(dict.fromkeys(str(reason["code"]) for reason in entry.body["reasons"]))
    is_held = entry.body.get("held") is True
    source = decision.body["request"]["context"]["session_source"]
    return RequestSummary(
        agent=str(decision.body["request"]["subject"]["agent"]),
        resource=str(entry.body["resource"]),
        codes=codes,
        args_digest=str(entry.body["args_digest"]),
        held=is_held,
        can_serve_others=source in ENDING_SOURCES and not is_held and entry.body.get("kind") == "call",
        decision=entry.body["decision"],
    )
