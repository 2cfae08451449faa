"""Room: answers to challenges. Takes: a store, an approver's key, a yes or no. Gives: a signed answer. Never: runs it.

The enforcer trusts the token alone and checks again when it is presented; what is refused here spares a person a
signature that would serve nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from halo_core.authorities import Authorities, approver_key_name
from halo_core.binding import session_name
from halo_core.errors import ConfigError, Denied
from halo_core.keys import Ed25519Signer, KeyStore
from halo_core.model import Budget, EntryKind, same_person
from halo_core.oversight.actions import words
from halo_core.oversight.questions import Question, Spending, ask
from halo_core.passport.approval import in_chain, mint_approval
from halo_core.store import Draft, Store, Tx
from halo_core.store.reader import Reader
from halo_core.store.rows import Approvals

__all__ = ["MAX_LIFETIME_S", "Answered", "answer"]

MAX_LIFETIME_S: Final = 86_400
"""Longest time an answer may lie unused, seconds."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is durable.

    Args:
        request: id of the challenge.
        status: `approved` or `denied`.
        approver: who answered.
        key_id: thumbprint of the key that signed.
        entry: id of the entry that holds the answer.
        expires_s: until when it may lie unused, seconds since the epoch.
        token: the signed form.
        budgets: of an approved re-authorization, the session's limits from then on.
        authority: of one, where its authority begins anew, millionths; else 0.
    """

    request: str
    status: str
    approver: str
    key_id: str
    entry: str
    expires_s: int
    token: str = field(repr=False)
    budgets: tuple[Budget, ...] = ()
    authority: int = 0


def answer(
    store: Store,
    keys: KeyStore,
    home: Path,
    *,
    request_id: str,
    approver: str,
    approve: bool,
    why: str = "",
    raise_: Mapping[str, int] | None = None,
    now_us: int,
    lifetime_s: int = 3600,
) -> Answered:
    """Answer a challenge as an enrolled approver, durably.

    Args:
        store: whose log; opened with the home's own keys.
        keys: where the approver's key is, which should not be the home of the agents' keys.
        home: folder with authorities.json and trust.json.
        request_id: the request's id, or its start.
        approver: name, as enrolled.
        approve: yes or no.
        why: in the approver's words.
        raise_: for a re-authorization, unit → the session's new limit in all, in the unit's own decimals. A limit
            that ran out and is not named is raised by what a session starts with, up to the ceiling; others stay.
        now_us: microseconds since the epoch.
        lifetime_s: how long the answer may lie unused, seconds.

    Raises:
        ConfigError: `no_such_request`, `no_approver_key`, `bad_lifetime`, `already_spent`.
        Denied: `not_pending`, `request_expired`, `approver_not_enrolled`, `approver_in_chain`, `budget_widened`,
            `budget_units_changed`.
        Tampered: `request_altered`, the request is not what was signed.
        CannotDecide: it could not be made durable.
    """
    if not 0 < lifetime_s <= MAX_LIFETIME_S:
        raise ConfigError(
            "bad_lifetime", f"`{lifetime_s}` seconds is no lifetime of an answer", field="for", remedy="at most 24h"
        )
    with Reader(store.config.url) as reader:
        question = ask(reader, home, store.tenant, request_id, opened=lambda *_: None, now_us=now_us)
    _still_open(question.row.status, question.row.expires_us, now_us)
    signer = _signer(store.tenant, keys, home, approver, now_us)
    _outside(approver, signer.public_key, question)
    budgets = _budgets(question, raise_ or {}) if approve else ()
    job = _Answer(store, question, approver, signer, approve, words(why), budgets, now_us, lifetime_s)
    answered: Answered = store.commit(job)
    return answered


@dataclass(frozen=True, slots=True)
class _Answer:
    store: Store
    question: Question
    approver: str
    signer: Ed25519Signer
    approve: bool
    why: str
    budgets: tuple[Budget, ...]
    now_us: int
    lifetime_s: int

    def __call__(self, tx: Tx) -> Answered:
        """Mint, keep, say so; all or nothing."""
        approvals, asked = Approvals(tx), self.question.row
        row = approvals.get(asked.id)
        # Read again under the write lock: somebody else may have answered since it was shown.
        _still_open(row.status if row is not None else "missing", asked.expires_us, self.now_us)
        verdict = "approve" if self.approve else "deny"
        token = self._token(tx, verdict)
        status = "approved" if self.approve else "denied"
        if not approvals.answer(asked.id, status, token):
            raise _not_pending("answered")
        body = {
            "answer": verdict,
            "approver": self.approver,
            "binding": asked.binding,
            "epoch": self.question.epoch,
            "kid": self.signer.key_id,
            "kind": asked.kind,
            "request": asked.id,
            "session": asked.session,
            "token": token,
            "why": self.why,
        }
        entry = tx.append(Draft(EntryKind.APPROVAL, asked.session, body)).entry
        expires_s = self.now_us // 1_000_000 + self.lifetime_s
        return Answered(
            asked.id,
            status,
            self.approver,
            self.signer.key_id,
            entry.id,
            expires_s,
            token,
            self.budgets,
            _authority(self.question) if self.approve else 0,
        )

    def _token(self, tx: Tx, verdict: str) -> str:
        question = self.question
        return mint_approval(
            signer=self.signer,
            tenant=tx.tenant,
            audience=tx.control().store,
            approver=self.approver,
            request=question.row.id,
            kind=question.row.kind,
            answer=verdict,
            session=session_name(question.row.session),
            binding=question.row.binding,
            now_s=self.now_us // 1_000_000,
            lifetime_s=self.lifetime_s,
            jti=self.store.ids.entry(),
            epoch=question.epoch,
            authority=_authority(question),
            budgets=self.budgets,
        )


def _authority(question: Question) -> int:
    terms = question.links[0].terms if question.links else None
    return terms.decay.authority if question.row.kind == "reauthorization" and terms is not None else 0


def _still_open(status: str, expires_us: int, now_us: int) -> None:
    if status != "pending":
        raise _not_pending(status)
    if expires_us <= now_us:
        raise Denied("request_expired", "the time to answer is over", remedy="let the agent ask again")


def _not_pending(status: str) -> Denied:
    return Denied("not_pending", f"the request does not wait for an answer: {status}", remedy="see `halo approvals`")


def _signer(tenant: str, keys: KeyStore, home: Path, approver: str, now_us: int) -> Ed25519Signer:
    enrolled = Authorities(home).load(tenant).approver_keys(now_us)
    mine = {kid for kid, (name, _) in enrolled.items() if name == approver}
    if not mine:
        raise _not_enrolled(approver, "is not enrolled")
    name = approver_key_name(approver)
    if name not in keys.names():  # a signer would be made on the spot otherwise
        raise ConfigError(
            "no_approver_key", f"`{keys.home}` holds no `{name}.key`", field="key-home", remedy="give its folder"
        )
    signer = keys.signer(name)
    if signer.key_id not in mine:
        raise _not_enrolled(approver, "is enrolled with another key")
    return signer


def _not_enrolled(approver: str, why: str) -> Denied:
    return Denied("approver_not_enrolled", f"`{approver[:64]}` {why}", remedy="run `halo approver enrol`")


def _outside(approver: str, public_key: bytes, question: Question) -> None:
    # INVARIANT: EPOCH - nobody in the chain, and nobody it acts for, answers for it.
    asking = any(same_person(approver, name) for name in (question.user, *question.identities) if name)
    if asking or in_chain(approver, public_key, question.links):
        raise Denied(
            "approver_in_chain",
            f"`{approver[:64]}` is part of the chain that asks",
            remedy="ask somebody who neither owns the agent nor works through it",
        )


def _budgets(question: Question, raised: Mapping[str, int]) -> tuple[Budget, ...]:
    known = {item.unit: item for item in question.budgets}
    unknown = sorted(raised.keys() - known.keys()) if question.row.kind == "reauthorization" else sorted(raised)
    if unknown:
        raise Denied(
            "budget_units_changed",
            f"`{unknown[0][:32]}` is no unit of what is asked",
            remedy="see the units with `halo approvals show`",
        )
    if question.row.kind != "reauthorization":
        return ()
    # Every unit is named, so that what an earlier answer raised stays raised.
    return tuple(
        _budget(item, _raised(item, raised[unit]) if unit in raised else _renewed(question, item))
        for unit, item in sorted(known.items())
    )


def _raised(item: Spending, limit: int) -> int:
    if 0 <= limit <= item.spent and item.spent:
        raise ConfigError(
            "already_spent",
            f"`{item.unit}`: {item.told(item.spent)} is already spent, so a limit of {item.told(limit)} gives nothing",
            field="raise",
            remedy=f"the limit is of the session in all: name more, up to {item.told(item.most)}",
        )
    return limit


def _renewed(question: Question, item: Spending) -> int:
    """A limit that nobody named: as it is, but what ran out gets once more what a session starts with."""
    short = any(reason.code == "budget_exceeded" and reason.detail == item.unit for reason in question.reasons)
    return min(item.limit + item.start if short else item.limit, item.most)


def _budget(item: Spending, limit: int) -> Budget:
    # INVARIANT: EPOCH - no answer passes the ceilings of the standing passport.
    if not 0 <= limit <= item.most:
        side = "above" if limit > 0 else "no limit within"
        raise Denied(
            "budget_widened",
            f"{item.told(limit)} is {side} the ceiling of {item.told(item.most)} {item.unit}",
            remedy="raise it less, or issue another standing passport",
        )
    per_action = limit if item.unit == "time" else min(item.per_action, limit)
    return Budget(item.unit, per_action, limit, item.decimals)
