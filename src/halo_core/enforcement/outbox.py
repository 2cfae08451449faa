"""The outbox: acts that are held until somebody has answered for them.

    hold       the entry of a held act seals its arguments; a row says that it is held
    release    the call is decided again, with its answer and with the stops, revocations and authority of that moment
    end        it was released, it expired, or it was dropped because the answer was no

A call that names the same target or object as a held act is held behind it where it can wait as well, and is released
after it; otherwise it pauses. What would run unasked follows the answer to that act; after a no it is asked about. A
call that is equal to a held act is that act: it adds neither a row nor a question, and the act runs once.

INVARIANT: HELD - what is held runs at most once, as decided, or not at all. Its release is a decision under the request
id of the held call, so the ledger refuses a second one; the row changes in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, encode_base64
from halo_core.enforcement.call import Call
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.session_orders import SessionOrders
from halo_core.errors import CanonicalError, Gap, Tampered
from halo_core.model import ActionKind, EntryKind, Impact, Order, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import ApprovalTable, OutboxTable
from halo_core.store.cached_rows import MARK_BYTES, HeldRow
from halo_core.store.content_keys import open_content
from halo_core.store.drafts import Draft
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import find_distinguishing_values, identify_values
from halo_core.values.provenance.leaves import extract_texts

_MIN_OBJECT_CHARS: Final = 4
"""A shorter object says nothing of whether two calls have to do with each other."""
_CONTENT: Final = "held"


class OutboxView(NamedTuple):
    """What the outbox says of a call.

    Args:
        rests_on_held: an act of the session is held that has a target or an object in common with it.
        question: id of the one about the last such act.
        can_queue: it could be held behind that act.
        has_room: it could be held.
        equal: id of the held act of the session that it repeats; empty where there is none.
    """

    rests_on_held: bool = False
    question: str = ""
    can_queue: bool = False
    has_room: bool = False
    equal: str = ""


def read_outbox(tx: Transaction, context: DecisionContext, digester: Digester) -> OutboxView:
    """What the outbox says of a call."""
    resource, table = context.resource, OutboxTable(tx)
    if context.problem or resource.kind is not ActionKind.TOOL_CALL or not context.session:
        return OutboxView()
    if context.call.held_id:  # what it rests on is not held any more: `check_release`
        row = table.get(context.call.held_id)
        return OutboxView(row is not None and _follows_refused(tx, row))
    rows = _list_shared(table, context.session, context.recorded_args, digester)
    can_hold = resource.can_wait and table.has_room(context.session)
    has_room = can_hold and _is_storable(context)
    can_queue = bool(rows) and has_room and resource.impact is not Impact.READ
    # INVARIANT: HELD - an equal call is the same question, which one answer settles once.
    equal = next((row for row in rows if _is_equal(tx, row, context)), None) if can_queue else None
    if equal is not None:
        return OutboxView(True, equal.question, can_queue, has_room, equal.id)
    return OutboxView(bool(rows), rows[-1].question if rows else "", can_queue, has_room)


def _is_equal(tx: Transaction, row: HeldRow, context: DecisionContext) -> bool:
    """Whether a call repeats a held act: the same agent, tool and arguments."""
    is_same = (row.resource, row.agent) == (context.resource.id, context.request.subject.agent)
    return is_same and _read_args_digest(tx, row.id) == context.args_digest


def _list_shared(table: OutboxTable, session: str, args: Mapping[str, Any], digester: Digester) -> tuple[HeldRow, ...]:
    """The held acts of a session, oldest first, that have a target or an object in common with these arguments."""
    held_rows = table.list_held(session)
    marks = _mark_texts(digester, args) if held_rows else ()
    return tuple(row for row in held_rows if not row.mark_set.isdisjoint(marks))


def _is_storable(context: DecisionContext) -> bool:
    """Whether the arguments can be stored and read back unchanged, and hold no secret."""
    if context.original_args != context.sealed_args:
        return False
    try:
        back = canonical.from_plain(canonical.loads(canonical.encode(context.original_args)))
    except (CanonicalError, ValueError):
        return False
    return bool(back == context.original_args)


def _mark_texts(digester: Digester, args: Mapping[str, Any]) -> set[bytes]:
    return {mark for value in args.values() for text in extract_texts(value) for mark in _mark(digester, text)}


def _mark(digester: Digester, text: str) -> Iterator[bytes]:
    """Marks of the values in a text, equal for each spelling of a value."""
    for value in identify_values(text):
        folded = " ".join(value.casefold().split())
        digest = digester.digest("halo/held-mark", folded.encode("utf-8", "surrogatepass"))
        yield bytes.fromhex(digest.rpartition(":")[2])[:MARK_BYTES]


def _make_marks(digester: Digester, resource: Resource, args: Mapping[str, Any]) -> bytes:
    """Marks of the targets and objects of an act."""
    targets = {name: args[name] for name in resource.targets if name in args}
    named = find_distinguishing_values(resource, args).objects
    names = {item.partition("=")[0] for item in named} - {resource.amount}
    objects = [text for name in names for text in extract_texts(args[name]) if len(text) >= _MIN_OBJECT_CHARS]
    marks = _mark_texts(digester, targets) | {mark for text in objects for mark in _mark(digester, text)}
    return b"".join(sorted(marks))


def _describe_held_call(context: DecisionContext) -> dict[str, Any]:
    """What the call needs to be made again, exactly as it was decided."""
    call = context.call
    return {
        "acting_handle": call.acting_handle,
        "agents": list(call.agents),
        "args": canonical.to_plain(context.original_args),
        "call_id": context.request.context.call_id,
        "orders": _describe_orders(call.orders),
        "session": call.session,
        "session_source": call.session_source,
        "trigger": call.trigger,
        "turn": call.turn,
        "user": call.user,
    }


def hold_act(tx: Transaction, context: DecisionContext, question: str, digester: Digester, *, follows: bool) -> str:
    """Store a challenged act.

    Args:
        tx: the transaction.
        context: its decision.
        question: id of the one that asks about it.
        digester: keyed digests.
        follows: that question is about the act that it waits behind.

    Returns:
        Its id.
    """
    request, time_us = context.request, context.snapshot.time_us
    agent, resource = request.subject.agent, request.resource.id
    marks = _make_marks(digester, request.resource, context.recorded_args)
    expires_us = time_us + context.terms.hold_for_s * 1_000_000
    body = {
        "agent": agent,
        "args_digest": request.args_digest,
        "decision": context.entry_reference,
        "expires_us": expires_us,
        "held_us": time_us,
        "marks": encode_base64(marks),
        "op": "hold",
        "question": question,
        "resource": resource,
    }
    if follows:  # the answer is about one of them, and it may rest on each
        shared = _list_shared(OutboxTable(tx), context.session, context.recorded_args, digester)
        body["follows"] = [row.id for row in shared]
    content = {_CONTENT: canonical.dumps(_describe_held_call(context))}
    entry = tx.append(Draft(EntryKind.HELD, context.session, body, content, context.subject)).entry
    row = HeldRow(entry.id, context.session, agent, resource, question, "held", time_us, expires_us, marks)
    OutboxTable(tx).put(row)
    return entry.id


@dataclass(frozen=True, slots=True)
class HeldAct:
    """A held act that is ready to be released, or the reason why it cannot be.

    Args:
        row: as stored.
        call: the call as it was decided; None where it cannot be released now.
        status: `ready`, `waiting` (nobody has answered, or an act before it is held), `denied`, `expired` or `altered`.
    """

    row: HeldRow
    call: Call | None
    status: str


def load_held_acts(tx: Transaction, find_resource: Any, session: str | None = None) -> list[HeldAct]:
    """Held acts whose tool is registered here, oldest first; closes those that expired or were refused.

    Args:
        tx: the transaction.
        find_resource: name → the registered resource that this process can run, or None.
        session: name or reference of one session; None for all.
    """
    acts = []
    session = tx.resolve_session(session) if session is not None else None
    now_us = tx.clock.now_us()
    waiting_marks: dict[str, set[bytes]] = {}  # session -> marks of what stays held
    for row in OutboxTable(tx).list_held(session):
        resource = find_resource(row.resource)
        answer = ApprovalTable(tx).get(row.question)
        status = answer.status if answer is not None else "altered"
        if now_us >= row.expires_us:
            _end(tx, row, "expired")
            acts.append(HeldAct(row, None, "expired"))
            continue
        if status == "denied" and not _follows_refused(tx, row):
            _end(tx, row, "dropped")
            acts.append(HeldAct(row, None, "denied"))
            continue
        before = waiting_marks.setdefault(row.session, set())
        if status == "pending" or not row.mark_set.isdisjoint(before):
            acts.append(HeldAct(row, None, "waiting"))
        elif resource is not None:
            call = _load_call(tx, row, resource)
            acts.append(HeldAct(row, call, "ready" if call is not None else "altered"))
            if call is not None:
                continue
        before |= row.mark_set
    return acts


def _end(tx: Transaction, row: HeldRow, status: str) -> bool:
    if not OutboxTable(tx).end(row.id, status):
        return False
    tx.append(Draft(EntryKind.HELD, row.session, {"held": row.id, "op": status}))
    return True


def _load_call(tx: Transaction, row: HeldRow, resource: Resource) -> Call | None:
    """The call of a held act, from its proven entry; None if the entry is missing, altered or erased."""
    writer, _, seq = row.id.rpartition("-")
    try:
        entry = ProvenEntry.read(tx, writer, int(seq)).entry
        data = open_content(tx, entry, _CONTENT)
    except (Gap, Tampered, ValueError):
        return None
    body = entry.body
    claimed = tuple(body.get(name) for name in ("agent", "expires_us", "op", "question", "resource"))
    if data is None or claimed != (row.agent, row.expires_us, "hold", row.question, row.resource):
        return None
    stored = canonical.loads(data)
    return Call(
        resource=resource,
        args=canonical.from_plain(stored["args"]),
        session=stored["session"],
        session_source=stored["session_source"],
        user=stored["user"],
        turn=stored["turn"],
        call_id=stored["call_id"],
        trigger=stored["trigger"],
        acting_handle=stored["acting_handle"],
        agents=tuple(stored["agents"]),
        orders=_read_orders(stored["orders"]),
        held_id=row.id,
    )


def _describe_orders(listed: SessionOrders | None) -> list[list[Any]] | None:
    """Write the listed orders of a held call as `_read_orders` reads them."""
    return None if listed is None else [[order.tool, canonical.to_plain(order.args)] for order in listed.orders]


def _read_orders(stored: list[list[Any]] | None) -> SessionOrders | None:
    """Read the listed orders of a held call as they were stored; None if the host listed none."""
    if stored is None:
        return None
    return SessionOrders(tuple(Order.make(tool, canonical.from_plain(args)) for tool, args in stored))


def check_release(tx: Transaction, context: DecisionContext, digester: Digester) -> None:
    """Give a call that releases a held act a problem where that act may not run, or not yet."""
    held_id = context.call.held_id
    if not held_id:
        return
    row = OutboxTable(tx).get(held_id)
    problem = ""
    if row is None or row.status != "held" or _read_args_digest(tx, held_id) != context.args_digest:
        problem = "held_altered"
    elif tx.clock.now_us() >= row.expires_us:
        problem = "held_expired"
    elif _rests_on_earlier(tx, context, row, digester):
        problem = "held_before"
    if problem:
        context.refuse(problem)


def _rests_on_earlier(tx: Transaction, context: DecisionContext, row: HeldRow, digester: Digester) -> bool:
    """Whether an act that was held before this one, and is still held, has a target or an object in common with it."""
    shared = _list_shared(OutboxTable(tx), row.session, context.recorded_args, digester)
    return any((other.held_us, other.id) < (row.held_us, row.id) for other in shared)


def _read_args_digest(tx: Transaction, held_id: str) -> str:
    return str(_read_hold(tx, held_id).get("args_digest", ""))


def _follows_refused(tx: Transaction, row: HeldRow) -> bool:
    """Whether an act follows the answer to one before it, and any that it waited behind was refused or did not run."""
    before = _read_hold(tx, row.id).get("follows", ())
    if not before:
        return False
    answer, table = ApprovalTable(tx).get(row.question), OutboxTable(tx)
    if answer is None or answer.status in ("denied", "expired"):
        return True
    rows = map(table.get, before)
    return any(other is None or other.status not in ("held", "released") for other in rows)


def _read_hold(tx: Transaction, held_id: str) -> Mapping[str, Any]:
    """The proven entry of a held act; empty where it is missing or altered."""
    writer, _, seq = held_id.rpartition("-")
    try:
        return ProvenEntry.read(tx, writer, int(seq)).entry.body
    except (Gap, Tampered, ValueError):
        return {}


def record_release(tx: Transaction, context: DecisionContext) -> str:
    """Mark the held act of a running call as released; returns its id, empty if the call releases none."""
    held_id = context.call.held_id
    if held_id and context.runs and not OutboxTable(tx).end(held_id, "released"):
        raise Tampered("held_altered", "the act was released before", remedy="run `halo verify`")
    return held_id if context.runs else ""
