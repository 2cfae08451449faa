"""The inbox: everything that waits for a person, as one list in which equal calls are one question.

`list_inbox` is for lists and reads entries without verifying signatures; `oversight.requests.load_request` proves the
one request that somebody is about to answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from halo_core.content.redaction import Redactor
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.oversight.requests import ApprovalRequest, RequestSummary, list_requests, summarize_requests
from halo_core.oversight.signed_entries import Opener
from halo_core.quick_dataclass import dataclass
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.reader import Reader, read_entries


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One question of the inbox.

    Args:
        kind: `call`, `held act`, `new tool` or `re-authorization`.
        status: status of the requests.
        rows: the requests that ask it, oldest first; several where the same call was made in several sessions.
        summary: agent, resource and reason codes.
    """

    kind: str
    status: str
    rows: tuple[ApprovalRow, ...]
    summary: RequestSummary

    @property
    def id(self) -> str:
        """Id of the oldest request, which stands for all of them."""
        return self.rows[0].id


def list_inbox(
    reader: Reader, tenant: str, now_us: int, *, everything: bool = False, session: str = ""
) -> list[InboxItem]:
    """The questions that wait for an answer, oldest first.

    Args:
        reader: the store.
        tenant: tenant of the requests.
        now_us: the present, microseconds since the epoch.
        everything: whether to include what was answered, was used or has expired.
        session: only requests of this session, by name or reference; empty for all.
    """
    if session and reader.names is not None:
        session = reader.names.show_session(tenant, session)
    rows = [
        item
        for item in list_requests(reader, tenant, now_us)
        if (everything or item[1] == "pending") and session in ("", item[0].session)
    ]
    details = summarize_requests(reader, tenant) if rows else {}
    groups: dict[tuple[str, ...], list[ApprovalRow]] = {}
    summaries: dict[tuple[str, ...], RequestSummary] = {}
    for row, status in rows:
        summary = details.get(row.id, RequestSummary())
        is_call = row.kind == "call" and bool(summary.args_digest)
        equal = (summary.agent, summary.resource, summary.args_digest) if is_call else (row.id,)
        key = (_name_kind(row, summary), status, *equal)
        groups.setdefault(key, []).append(row)
        summaries[key] = summary
    return [InboxItem(key[0], key[1], tuple(group), summaries[key]) for key, group in groups.items()]


def _name_kind(row: ApprovalRow, summary: RequestSummary) -> str:
    if row.kind == "reauthorization":
        return "re-authorization"
    if summary.held:
        return "held act"
    return "new tool" if "unknown_impact" in summary.codes else "call"


def find_equal_requests(reader: Reader, tenant: str, request: ApprovalRequest, now_us: int) -> tuple[str, ...]:
    """Ids of the pending requests that one answer covers: this one, and equal ones in other sessions.

    INVARIANT: BIND - not those whose answer any run could use: the call would run more than once for one yes.
    """
    items = list_inbox(reader, tenant, now_us)
    equal = next((item for item in items if any(row.id == request.row.id for row in item.rows)), None)
    details = summarize_requests(reader, tenant) if equal is not None and len(equal.rows) > 1 else {}
    others = [row.id for row in equal.rows if row.id != request.row.id] if equal is not None else []
    others = [name for name in others if not details.get(name, RequestSummary()).can_serve_others]
    return (request.row.id, *others)


def find_user_words(reader: Reader, tenant: str, session: str, opener: Opener, *, reveal: bool) -> str:
    """The user's request: the one the host vouched for at the start of the session, else its first message.

    Empty if neither was kept.
    """
    first = None
    for _, note in reader.notes(tenant, (EntryKind.DECISION.value,), session):
        entry = decode_entry(note)
        if "request" in entry.content:
            first = opener(entry, "request")
            break
        if first is None and "trigger" in entry.content:
            context = reader.read_entry(note).body["request"]["context"]
            first = opener(entry, "trigger") if context["trigger"]["kind"] == "user" else None
    if first is None:
        return ""
    text = first.decode("utf-8", "replace")
    return text if reveal else Redactor.for_views().mask(text)


def find_answers(reader: Reader, tenant: str, row: ApprovalRow) -> list[LedgerEntry]:
    """What people answered to a request, oldest first, and the decisions that read such an answer."""
    entries = read_entries(reader, tenant, (EntryKind.APPROVAL, EntryKind.DECISION), row.session)
    return [item.entry for item in entries if _read_request(item.entry) == row.id]


def _read_request(entry: LedgerEntry) -> str:
    """Id of the request that an entry answers, or on whose answer it was decided."""
    if entry.kind is EntryKind.APPROVAL:
        return str(entry.body.get("request", ""))
    approval = entry.body["snapshot"]["approval"]
    return str(approval["id"]) if approval else ""


def count_similar_answers(reader: Reader, tenant: str, request: ApprovalRequest, now_us: int) -> dict[str, int]:
    """How often requests of the same agent for the same tool were approved and denied before."""
    outcomes = {"approved": "approved", "used": "approved", "denied": "denied"}
    details = summarize_requests(reader, tenant)
    counts: Counter[str] = Counter()
    for row, status in list_requests(reader, tenant, now_us):
        summary = details.get(row.id, RequestSummary())
        is_similar = (summary.agent, summary.resource) == (request.agent, request.resource)
        if is_similar and row.id != request.row.id and status in outcomes:
            counts[outcomes[status]] += 1
    return dict(counts)


def encode_page(lines: Iterable[str]) -> bytes:
    """The page shown to an approver, as the answer's entry digests it."""
    return "\n".join(lines).encode("utf-8", "surrogatepass")
