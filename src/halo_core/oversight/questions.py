"""Room: what an approver must see. Takes: a reader, an opener of sealed content. Gives: a Question. Never: answers.

INVARIANT: BIND - the binding that an answer signs is computed again from what is shown, so that nobody is shown one
call and signs for another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from halo_core.binding import call_binding, reauthorization_binding
from halo_core.errors import ConfigError, PassportError, Tampered
from halo_core.ledger import decode_entry
from halo_core.model import AccessRequest, Budget, Entry, EntryKind, Link
from halo_core.oversight.evidence import linked_entry, links_of, rules_of, signed_entry
from halo_core.reasons import text
from halo_core.redact import Redactor
from halo_core.store.reader import Reader
from halo_core.store.rows import ApprovalRow

__all__ = ["CLOSED", "Opener", "Question", "Spending", "Why", "ask", "questions"]

Opener = Callable[[Entry, str], bytes | None]
"""Opens one sealed field of an entry; None where it cannot."""

CLOSED: Final = "(erased, or the content key is not at hand)"


@dataclass(frozen=True, slots=True)
class Why:
    """One reason of the decision that asked."""

    code: str
    title: str
    detail: str
    source: str


@dataclass(frozen=True, slots=True)
class Spending:
    """One unit of a session, integers in units of 10**-decimals.

    Args:
        unit: name.
        decimals: of all numbers here.
        spent: reserved and committed so far.
        limit: of the session now.
        start: of a new epoch, unless it is raised.
        ceiling: which no raise passes; None where the standing passport names none, so that `start` is.
        per_action: of one action at the start.
    """

    unit: str
    decimals: int
    spent: int
    limit: int
    start: int
    ceiling: int | None
    per_action: int

    @property
    def most(self) -> int:
        """What a raise may come to."""
        return self.start if self.ceiling is None else self.ceiling

    def told(self, value: int) -> str:
        """An amount of this unit with its decimals."""
        return f"{Decimal(value).scaleb(-self.decimals):f}"


@dataclass(frozen=True, slots=True)
class Question:
    """A challenge as a person sees it.

    Args:
        row: where it stands.
        status: the row's, or `expired` where time is up.
        action: kind of action.
        resource: what is reached.
        impact: its class.
        agent: who acts.
        user: whom it acts for, as the host application says.
        identities: everybody along the chain, from the head down.
        reasons: why it asks.
        content: sealed field → text, masked.
        policy: hash of the policy in force.
        links: the passport, standing link first.
        budgets: units of the session.
        authority: that the session has left, millionths; None where unknown.
        epoch: for `reauthorization`, the one it would open.
        index: place of the request in the log.
        decision: id of the decision that asked.
    """

    row: ApprovalRow
    status: str
    action: str
    resource: str
    impact: str
    agent: str
    user: str
    identities: tuple[str, ...]
    reasons: tuple[Why, ...]
    content: Mapping[str, str]
    policy: str
    links: tuple[Link, ...]
    budgets: tuple[Spending, ...]
    authority: int | None
    epoch: int
    index: int
    decision: str

    def to_plain(self) -> dict[str, Any]:
        """For programs; without the links' tokens and the answer's."""
        row = asdict(self.row)
        del row["answer"]
        return {
            **row,
            "action": self.action,
            "agent": self.agent,
            "authority": self.authority,
            "budgets": [asdict(item) for item in self.budgets],
            "content": dict(self.content),
            "decision": self.decision,
            "epoch": self.epoch,
            "identities": list(self.identities),
            "impact": self.impact,
            "index": self.index,
            "passport": [link.hash for link in self.links],
            "policy": self.policy,
            "reasons": [asdict(item) for item in self.reasons],
            "resource": self.resource,
            "status": self.status,
            "user": self.user,
        }


def questions(reader: Reader, tenant: str, now_us: int) -> Iterator[tuple[ApprovalRow, str]]:
    """Every challenge with its status as of now, oldest first."""
    for values in reader.challenges(tenant):
        row = ApprovalRow(*values)
        yield row, _status(row, now_us)


def ask(
    reader: Reader, home: Path, tenant: str, request: str, *, opened: Opener, now_us: int, reveal: bool = False
) -> Question:
    """The challenge whose id is, or starts with, `request`.

    Args:
        reader: the store.
        home: folder with trust.json.
        tenant: whose log.
        request: id of the request entry, or its start.
        opened: opens sealed content.
        now_us: microseconds since the epoch.
        reveal: show content as it is, not masked.

    Raises:
        ConfigError: `no_such_request`, none or several; `no_trust`.
        Tampered: `request_altered`, what would be shown is not what was signed.
    """
    row = _row(reader, tenant, request)
    index, asked = _request(reader, home, tenant, row)
    decision = linked_entry(reader, tenant, asked.body.get("decision"))
    try:
        return _question(reader, row, index, asked, decision, opened=opened, now_us=now_us, reveal=reveal)
    except (IndexError, KeyError, PassportError, TypeError, ValueError) as exc:
        raise _altered(f"the request cannot be read ({type(exc).__name__})") from exc


def _status(row: ApprovalRow, now_us: int) -> str:
    return "expired" if row.status == "pending" and row.expires_us <= now_us else row.status


def _row(reader: Reader, tenant: str, request: str) -> ApprovalRow:
    found = [ApprovalRow(*values) for values in reader.challenges(tenant) if request and values[0].startswith(request)]
    if len(found) != 1:
        what = f"{len(found)} requests have an id that starts with" if found else "there is no request"
        raise ConfigError("no_such_request", f"{what} `{request[:64]}`", field="id", remedy="see `halo approvals list`")
    return found[0]


def _request(reader: Reader, home: Path, tenant: str, row: ApprovalRow) -> tuple[int, Entry]:
    wanted = row.id.encode("utf-8", "replace")
    for index, note in reader.notes(tenant, (EntryKind.APPROVAL_REQUEST.value,), row.session):
        if wanted in note and decode_entry(note).id == row.id:
            entry = signed_entry(reader, home, tenant, note)
            told = tuple(entry.body.get(name) for name in ("kind", "binding", "expires_us"))
            if (*told, entry.session) != (row.kind, row.binding, row.expires_us, row.session):
                raise _altered("the request's row is not what its entry says")
            return index, entry
    raise _altered("the request has no entry")


def _question(
    reader: Reader,
    row: ApprovalRow,
    index: int,
    asked: Entry,
    decision: Entry,
    *,
    opened: Opener,
    now_us: int,
    reveal: bool,
) -> Question:
    body = decision.body
    snapshot = body["snapshot"]
    links = links_of(reader, decision.tenant, snapshot["chain"])
    request = AccessRequest.from_plain(body["request"], {})
    epoch = int(asked.body["epoch"])
    if (
        decision.session != row.session
        or _binding(reader, row, request, links, snapshot["policy"], epoch=epoch) != row.binding
    ):
        raise _altered("the request is not bound to the call it shows")
    return Question(
        row=row,
        status=_status(row, now_us),
        action=request.kind.value,
        resource=request.resource.id,
        impact=request.resource.impact.value,
        agent=request.subject.agent,
        user=request.subject.user,
        identities=_identities(request, links),
        reasons=tuple(_why(reason) for reason in asked.body["reasons"]),
        content=_content(decision, opened, reveal=reveal),
        policy=snapshot["policy"],
        links=links,
        budgets=_spending(links, snapshot),
        authority=_authority(body),
        epoch=epoch,
        index=index,
        decision=decision.id,
    )


def _binding(
    reader: Reader, row: ApprovalRow, request: AccessRequest, links: tuple[Link, ...], policy: str, *, epoch: int
) -> str:
    if row.kind == "reauthorization":
        return reauthorization_binding(request.subject.tenant, row.session, links[0].agent, epoch)
    return call_binding(request, links, rules_of(reader, request.subject.tenant, policy))


def _identities(request: AccessRequest, links: tuple[Link, ...]) -> tuple[str, ...]:
    of_links = [name for link in links for name in (link.principal, link.owner, link.agent)]
    names = [request.subject.user, *request.subject.chain, *of_links, request.subject.agent]
    return tuple(dict.fromkeys(name for name in names if name))


def _why(reason: Mapping[str, Any]) -> Why:
    return Why(reason["code"], text(reason["code"]).title, reason["detail"], reason["source"])


def _content(decision: Entry, opened: Opener, *, reveal: bool) -> dict[str, str]:
    mask = Redactor.for_views().mask
    shown = {}
    for field in sorted(decision.content):
        data = opened(decision, field)
        plain = CLOSED if data is None else data.decode("utf-8", "replace")
        shown[field] = plain if reveal or data is None else mask(plain)
    return shown


def _spending(links: tuple[Link, ...], snapshot: Mapping[str, Any]) -> tuple[Spending, ...]:
    standing, session = (links[0] if links else None), (links[1] if len(links) > 1 else None)
    if standing is None or standing.terms is None:
        return ()
    envelopes = snapshot["envelopes"]
    spent = {unit: held + done for unit, held, done in envelopes[0]["spent"]} if envelopes else {}
    spent["time"] = max(snapshot["time_us"] - snapshot["session"]["opened_us"], 0) // 1_000_000
    ceilings, limits = _by_unit(standing.budgets), _by_unit(session.budgets if session else ())
    return tuple(
        Spending(
            unit=item.unit,
            decimals=item.decimals,
            spent=spent.get(item.unit, 0),
            limit=limits[item.unit].subtree if item.unit in limits else item.subtree,
            start=item.subtree,
            ceiling=ceilings[item.unit].subtree if item.unit in ceilings else None,
            per_action=item.per_action,
        )
        for item in standing.terms.budgets
    )


def _by_unit(budgets: tuple[Budget, ...]) -> dict[str, Budget]:
    return {item.unit: item for item in budgets}


def _authority(body: Mapping[str, Any]) -> int | None:
    found = body["after"].get("authority")
    return found if type(found) is int else None


def _altered(what: str) -> Tampered:
    return Tampered("request_altered", what, remedy="run `halo verify`, and answer nothing before it is whole")
