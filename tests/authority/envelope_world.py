"""What the tests of envelopes share: small limits, tools that spend, an approver, what a store says was spent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from chain_world import sign_approval
from halo_core.authorities import Authorities
from halo_core.crypto.keys import Ed25519Signer, KeyStore
from halo_core.decision.bindings import make_reauthorization_binding
from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.enforcer import Surface
from halo_core.facade import HaloBase
from halo_core.ledger.commitments import digest_answer
from halo_core.model import ActionKind, Actor, Budget, Decay, EntryKind, Impact, Resource, Reversal, SessionTerms, Stop
from halo_core.oversight import restrictions
from halo_core.oversight.keys import enrol_approver
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.store.session_state import SessionState
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_core.testing import FixedClock
from halo_world import url_of

RULES = """
@id("base") permit (principal, action, resource);
@id("ask") @effect("challenge") @reason("grave_impact") forbid (principal, action, resource == Tool::"wire");
"""
SURFACE = Surface(text=str)
RUTH = Ed25519Signer(b"ruth".ljust(32, b"."))
TEAM = ("planner", "researcher", "writer")
"""Whom the clerk may hand off to, and each of them further."""

_DECLARED = {
    "lookup": {"impact": Impact.READ},
    "note": {"impact": Impact.WRITE},
    "mail": {"impact": Impact.SEND},
    "pay": {"impact": Impact.PAYMENT, "amount": "amount", "unit": "USD"},
    "wire": {"impact": Impact.PAYMENT, "amount": "amount", "unit": "USD"},
}
_ARGS = {"type": "object", "properties": {"amount": {}, "q": {}}}


def floors(default: int = 100_000, **named: int) -> tuple[tuple[str, int], ...]:
    """Floors by impact, `default` where nothing is named."""
    return tuple(sorted((impact.value, named.get(impact.value, default)) for impact in Impact))


DECAY = Decay(1_000_000, 3600, 1000, 100_000, 50_000, floors())
BUDGETS = (Budget("USD", 50_00, 100_00, 2), Budget("risk", 1_000, 100_000), Budget("step", 1, 1000))


def limits(*budgets: Budget, decay: Decay = DECAY, lifetime_s: int = 86_400, **more: Any) -> Limits:
    """Limits of the clerk; budgets of the units given in place of the usual ones."""
    mine = {item.unit: item for item in (*BUDGETS, *budgets)}
    return Limits(SessionTerms(tuple(mine[unit] for unit in sorted(mine)), decay, lifetime_s), **more)


def opened(home: Path, clock: FixedClock | None = None, limit: Limits | None = None, **more: Any) -> HaloBase:
    """The clerk, enforcing, with every tool and every hand-off registered."""
    folder = home.parent / f"{home.name}-rules"
    folder.mkdir(parents=True, exist_ok=True)
    rules = folder / "rules.cedar"
    if not rules.exists():  # another process may be reading it
        rules.write_text(RULES)
    halo = HaloBase.local(
        **{
            "agent": "clerk",
            "home": home,
            "mode": "enforce",
            "policy": folder,
            "quiet": True,
            "user": "user:ana",
            "clock": clock or FixedClock(),
            "limits": limit or limits(),
            "deadline_s": 60.0,
            **more,
        }
    )
    for name in _DECLARED:
        tool(halo, name)
    for name in TEAM:
        agent(halo, name)
    return halo


def tool(halo: HaloBase, name: str, **changes: Any) -> Resource:
    declared = {"source_trust": 900, "reversal": Reversal.NONE_NEEDED, **_DECLARED.get(name, {}), **changes}
    return halo.register(ActionKind.TOOL_CALL, name, resource=Resource(**declared), schema=_ARGS)


def agent(halo: HaloBase, name: str) -> Resource:
    handed = Resource(kind=ActionKind.HANDOFF, impact=Impact.READ, reversal=Reversal.NONE_NEEDED, source_trust=500)
    schema = {"type": "object", "properties": {"task": {"type": "string"}}}
    return halo.register(ActionKind.HANDOFF, name, resource=handed, schema=schema)


def call(halo: HaloBase, name: str = "lookup", *, call_id: str = "", **args: Any):
    """A call of a registered tool in the context's session, with the arguments given."""
    resource = halo.find_registered(name)
    assert resource is not None
    return halo.build_call(resource, args, call_id=call_id)


def run(halo: HaloBase, name: str = "lookup", *, call_id: str = "", surface: Surface[Any] = SURFACE, **args: Any):
    """Run it; its result is `done`."""
    return halo.enforcer.run(call(halo, name, call_id=call_id, **args), lambda _: "done", surface)


# approvers


def enrol(home: Path, name: str = "ruth", signer: Ed25519Signer = RUTH, tenant: str = "local") -> None:
    store = Store(StoreConfig(url_of(home), home, tenant), KeyStore(home))
    enrol_approver(store, Authorities(home), name=name, public_key=signer.public_key, by="admin", now_us=0)
    store.close()


def pending(halo: HaloBase, session: str) -> list[ApprovalRow]:
    return halo.store.commit(lambda tx: ApprovalTable(tx).list_pending(tx.references.of_session(session)))


def sign(
    halo: HaloBase,
    row: ApprovalRow,
    *,
    name: str = "ruth",
    signer: Ed25519Signer = RUTH,
    answer: str = "approve",
    status: str = "",
    **changes: Any,
) -> bool:
    """Answer a challenge as its approver would, and keep the answer; whether it was kept.

    `status` is what the row says of the answer, where that is not the truth.
    """
    again = row.kind == "reauthorization"
    control = halo.store.commit(lambda tx: tx.load_control())
    token = sign_approval(
        **{
            "signer": signer,
            "approver": name,
            "tenant": halo.store.tenant,
            "audience": control.store,
            "now_s": halo.store.clock.now_us() // 1_000_000,
            "lifetime_s": 3600,
            "jti": halo.store.ids.new_token_id(),
            "answer": answer,
            "kind": row.kind,
            "binding": row.binding,
            "request": row.id,
            "session": row.session,
            "epoch": epoch_of(halo, row) if again else 0,
            "authority": 1_000_000 if again and answer == "approve" else 0,
            **changes,
        }
    )
    status = status or ("approved" if answer == "approve" else "denied")
    body = {
        "answer": answer,
        "binding": row.binding,
        "epoch": epoch_of(halo, row) if again else 0,
        "kid": signer.key_id,
        "kind": row.kind,
        "request": row.id,
        "session": row.session,
        "token": digest_answer(token),
        "why": "",
    }

    def keep(tx: Transaction) -> bool:
        kept = ApprovalTable(tx).record_answer(row.id, status, token)
        if kept:
            sealed = ((tx.references.of_person(name), {"token": token.encode()}),)
            actor = Actor(name, "approver-key")
            tx.append(Draft(EntryKind.APPROVAL, row.session, body, others=sealed, actor=actor))
        return kept

    return halo.store.commit(keep)


def revoke(halo: HaloBase, scope: str, target: str) -> None:
    assert halo.store.commit(lambda tx: restrictions.revoke(tx, scope, target, "admin", "a test"))


def stop(halo: HaloBase, scope: str, target: str) -> bool:
    held = Stop(scope, target, halo.store.clock.now_us())
    return halo.store.commit(lambda tx: restrictions.stop(tx, held, "admin", "a test"))


def lift(halo: HaloBase, scope: str, target: str) -> bool:
    return halo.store.commit(lambda tx: restrictions.lift(tx, scope, target, "admin", "a test"))


def epoch_of(halo: HaloBase, row: ApprovalRow) -> int:
    """The epoch that a question is about; the binding says so."""
    for epoch in range(2, 200):
        if make_reauthorization_binding(halo.store.tenant, row.session, halo.agent, epoch) == row.binding:
            return epoch
    raise AssertionError("a question about no epoch")


# what is in the store


def state_of(halo: HaloBase, session: str) -> SessionState:
    """The session's row, with every outcome written."""
    halo.store.flush()
    state = halo.store.commit(lambda tx: tx.load_session(tx.references.of_session(session)))
    assert state is not None
    return state


def spent(halo: HaloBase, session: str, unit: str, handle: str = "") -> int:
    """Reserved and committed of one account, the session link's unless another is named."""
    state = state_of(halo, session)
    account = state.session_account(halo.agent) if not handle else state.path_to(handle)[-1]
    assert account is not None
    return account.envelope.total(unit)


def found(home: Path, *kinds: EntryKind, session: str = "") -> list[LoggedEntry]:
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        return list(read_entries(reader, reader.tenants()[0], kinds, session))


def bodies(home: Path, *kinds: EntryKind, session: str = "") -> list[Mapping[str, Any]]:
    return [item.entry.body for item in found(home, *kinds, session=session)]


def codes(body: Mapping[str, Any]) -> list[str]:
    return [reason["code"] for reason in body["decision"]["reasons"]]


def ledger_totals(items: Iterable[LoggedEntry]) -> dict[str, dict[str, int]]:
    """Account → unit → spent, added up again from decisions and outcomes alone."""
    totals: dict[str, dict[str, int]] = {}
    made: dict[tuple[str, int], tuple[dict[str, int], list[str]]] = {}
    for item in items:
        body = item.entry.body
        if item.entry.kind is EntryKind.DECISION:
            handles = [envelope["link"] for envelope in body["snapshot"]["envelopes"]]
            charges = dict(body["decision"]["charges"])
            for handle in handles:
                account = totals.setdefault(handle, {})
                for unit, amount in charges.items():
                    account[unit] = account.get(unit, 0) + amount
            if body["dispatched"]:
                made[item.entry.writer, item.entry.seq] = (charges, handles)
        elif item.entry.kind is EntryKind.OUTCOME and body["status"] != "unknown":
            charges, handles = made[body["decision"]["w"], body["decision"]["ws"]]
            for unit, amount in body["actual"]:
                for handle in handles:
                    totals[handle][unit] += amount - charges[unit]
    return totals


def changed(decay: Decay = DECAY, **changes: Any) -> Decay:
    return replace(decay, **changes)
