"""Overrides of decisions: signing and recording them, and their review by a second person.

An override is a token in the table of answers (`halo_core.passports.standing_answer`), which a decision verifies and
applies (`halo_core.decision.answers`). The checks here only prevent signatures that would have no effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.content.redaction import SEAL_PREFIX, mask_reason
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, KeyStore, Signer, encode_base64
from halo_core.decision.answers import (
    ANY_ROLE,
    OVERRIDE_ALLOW,
    OVERRIDE_DENY,
    is_answerable,
    make_denied_scope,
    needs_two_people,
)
from halo_core.decision.bindings import find_exposure, make_question_binding
from halo_core.durations import DAY_US, SECOND_US
from halo_core.enforcement.reversals import make_refusal
from halo_core.enforcement.standing_answers import compute_denied_targets
from halo_core.errors import ConfigError, Denied
from halo_core.ledger.tree import leaf_hash
from halo_core.model import AccessRequest, Actor, Effect, EntryKind, LedgerEntry, Link, Reason, same_person
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.approver_acts import (
    make_token,
    record_token,
    require_enrolled,
    require_lifetime,
    require_outside_chain,
    require_reason,
    sign_terms,
)
from halo_core.oversight.keys import load_signer
from halo_core.oversight.override_list import list_overrides
from halo_core.oversight.signed_entries import decode_signed_entry, load_links, load_rules
from halo_core.passports.standing_answer import (
    MAX_OVERRIDE_S,
    MAX_USES,
    StandingToken,
    peek_standing_answer,
)
from halo_core.policy import PolicyBundle
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import find_entry, find_subject_id, make_kind_error
from halo_core.store.reader import LoggedEntry, Reader, SealedContents
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import find_denied_targets

DEFAULT_OVERRIDE_S: Final = 3600
DEFAULT_REVIEW_DAYS: Final = 7
MAX_REVIEW_DAYS: Final = 90
VERDICTS: Final = ("upheld", "withdrawn")


@dataclass(frozen=True, slots=True)
class GrantedOverride:
    """An override that was recorded.

    Args:
        id: id of the override.
        status: `active`, or `waiting` for a second person.
        covers: `call` or `target`.
        expires_us: end of its validity, microseconds since the epoch.
        review_by_us: time by which another person has to review it, microseconds since the epoch.
        people: how many people it takes.
    """

    id: str
    status: str
    covers: str
    expires_us: int
    review_by_us: int
    people: int


def grant_override(
    store: Store,
    keys: KeyStore,
    home: Path,
    *,
    decision: str,
    approver: str,
    allow: bool,
    why: str,
    lifetime_s: int = DEFAULT_OVERRIDE_S,
    review_days: int = DEFAULT_REVIEW_DAYS,
) -> GrantedOverride:
    """Override a decision for some time: let exactly this call run once, or forbid the call or its target.

    Args:
        store: store with the log.
        keys: key folder with the approver's key, preferably not the agents'.
        home: folder of the authorities.
        decision: index or id of the decision, or the start of the id; or the id of the question that it asks.
        approver: who does it: enrolled, outside the chain.
        allow: whether the refused or asked call may run; if not, the call is forbidden.
        why: the reason.
        lifetime_s: time for which it is valid, seconds.
        review_days: days within which a second person has to review it.

    Raises:
        ConfigError: `no_reason`, `bad_lifetime`, `no_such_entry`, `not_a_decision`, `no_approver_key`,
            `already_overridden`, `content_closed`.
        Denied: `approver_not_enrolled`, `approver_in_chain`, `not_overridable`.
        Tampered: what was recorded was changed.
        CannotDecide: it could not be made durable.
    """
    require_reason(why)
    require_lifetime(lifetime_s, MAX_OVERRIDE_S)
    if not 0 < review_days <= MAX_REVIEW_DAYS:
        problem, remedy = f"`{review_days}` days is not a valid time", f"use 1 to {MAX_REVIEW_DAYS}"
        raise ConfigError("bad_lifetime", problem, field="review-days", remedy=remedy)
    signer = load_signer(store.tenant, keys, home, approver, store.clock.now_us())
    overridden = _load_decision(store, home, decision)
    direction, kind = ("allow", OVERRIDE_ALLOW) if allow else ("deny", OVERRIDE_DENY)

    def job(tx: Transaction) -> GrantedOverride:
        require_enrolled(tx, approver, signer)
        require_outside_chain(tx, overridden.entry, approver, signer, overridden.links)
        people, covers, scope = overridden.find_allowed_scope() if allow else (1, *overridden.find_denied_scope(store))
        earlier = _list_in_force(tx, kind, scope)
        _require_first_signature(earlier, approver, signer, people)
        token = _make_override_token(tx, store, approver, overridden, kind=kind, scope=scope, lifetime_s=lifetime_s)
        review_by_us = tx.clock.now_us() + review_days * DAY_US
        override = record_token(
            tx,
            EntryKind.OVERRIDE,
            overridden.entry,
            token,
            signer,
            members={
                "covers": covers,
                "direction": direction,
                "links": [["overrides", overridden.entry.id]],
                "op": "grant",
                "review_by_us": review_by_us,
                "why": mask_reason(why),
            },
            place=overridden.place,
            people=people,
        )
        status = "active" if len(earlier) + 1 >= people else "waiting"
        return GrantedOverride(override, status, covers, token.expires_at_s * SECOND_US, review_by_us, people)

    return commit_or_record_refusal(store, job, f"override {direction}", approver, {"decision": overridden.entry.id})


def _make_override_token(
    tx: Transaction,
    store: Store,
    approver: str,
    overridden: _OverriddenDecision,
    *,
    kind: str,
    scope: str,
    lifetime_s: int,
) -> StandingToken:
    """What the approver signs: one run of exactly this call, or no run of what the scope covers for anybody."""
    allow = kind == OVERRIDE_ALLOW
    return make_token(
        tx,
        store,
        approver,
        kind=kind,
        scope=scope,
        role=overridden.request.subject.agent if allow else ANY_ROLE,
        resource=overridden.request.resource.id,
        lifetime_s=lifetime_s,
        max_uses=1 if allow else MAX_USES,
    )


def _require_first_signature(earlier: Sequence[StandingToken], approver: str, signer: Signer, people: int) -> None:
    if any(same_person(approver, item.approver) or item.key_id == signer.key_id for item in earlier):
        problem = f"`{approver[:64]}` has signed this override already"
        remedy = "let a second person sign it" if people > len(earlier) else "see `halo overrides`"
        raise ConfigError("already_overridden", problem, field="as", remedy=remedy)


@dataclass(frozen=True, slots=True)
class _OverriddenDecision:
    """A recorded decision with what an override of it is checked against and bound to.

    Args:
        entry: the entry of the decision, verified.
        place: writer, sequence and leaf hash of that entry.
        request: what was decided.
        links: the passport of the decision, standing link first.
        rules: hash of the rules in force then.
        rule_ids: ids of these rules.
        args: the arguments; None if they were erased or there is no key.
    """

    entry: LedgerEntry
    place: Mapping[str, Any]
    request: AccessRequest
    links: tuple[Link, ...]
    rules: str
    rule_ids: frozenset[str]
    args: Mapping[str, Any] | None

    def find_allowed_scope(self) -> tuple[int, str, str]:
        """How many people have to sign to let the call run, what that covers (`call`), and the digest of its scope.

        Raises:
            Denied: `not_overridable`, the call was allowed, or has reasons that no override sets aside; each is named.
        """
        body = self.entry.body
        if Effect(body["decision"]["effect"]).runs:
            raise make_refusal("not_overridable", "the call was allowed; `--deny` forbids it")
        reasons = [Reason(**item) for item in body["decision"]["reasons"]]
        fixed = [item for item in reasons if not Effect(item.effect).runs and not self._is_overridable(item)]
        if fixed:
            words = (f"{item.code} ({_WHY_FIXED.get(item.code, _describe_source(item))})" for item in fixed)
            raise make_refusal("not_overridable", ", ".join(words))
        snapshot = body["snapshot"]
        exposure = find_exposure(snapshot["provenance"], snapshot["targets"], is_tainted=snapshot["session"]["tainted"])
        scope = make_question_binding(self.request, self.links, self.rules, exposure=exposure, is_held=False)
        return (2 if needs_two_people(self.request.resource) else 1), "call", scope

    def _is_overridable(self, reason: Reason) -> bool:
        return is_answerable(reason) or reason.source in self.rule_ids

    def find_denied_scope(self, store: Store) -> tuple[str, str]:
        """What an override that forbids covers, and the digest of its scope.

        It covers the targets of the call (`target`) where the call names some, else exactly this call (`call`).

        Raises:
            ConfigError: `content_closed`.
        """
        resource, tenant = self.request.resource, store.tenant
        if self.args is None:
            problem, remedy = (
                "the arguments of the decision were erased, or there is no key",
                "use the home of its agent",
            )
            raise ConfigError("content_closed", problem, field="home", remedy=remedy)
        is_plain = SEAL_PREFIX.encode() not in canonical.encode(self.args)
        digester = Digester(store.keys.secret("digest"))
        names = find_denied_targets(resource, self.args) if is_plain else ()
        targets = compute_denied_targets(digester, names)
        if targets:
            return "target", make_denied_scope(tenant, resource.id, targets)
        return "call", make_denied_scope(tenant, resource.id, self.request.args_digest)


_WHY_FIXED: Final = {
    "already_dispatched": "it ran",
    "approval_denied": "a person said no",
    "authority_decayed": "re-authorize the session",
    "budget_exceeded": "re-authorize the session",
    "class_ceiling": "issue another passport",
    "policy_error": "mend the policy",
    "policy_no_permit": "no rule permits it; change the policy",
    "quota_exceeded": "wait, or issue another passport",
    "revoked": "a revocation is permanent",
    "stopped": "lift the stop",
    "suspended": "lift the suspension",
    "tool_not_granted": "issue another passport",
}
"""Reason code → why no override sets it aside, or what to do instead."""


def _describe_source(reason: Reason) -> str:
    return f"from {reason.source}" if reason.source else "no rule"


def _load_decision(store: Store, home: Path, decision: str) -> _OverriddenDecision:
    tenant = store.tenant
    with store.open_reader() as reader:
        logged = find_entry(reader, tenant, decision)
        entry = decode_signed_entry(reader, home, tenant, logged.note)
        if entry.kind is EntryKind.APPROVAL_REQUEST and (asking := find_subject_id(entry)):
            logged = find_entry(reader, tenant, asking)
            entry = decode_signed_entry(reader, home, tenant, logged.note)
        if entry.kind is not EntryKind.DECISION:
            raise make_kind_error(decision, entry, "id")
        body = entry.body
        contents = SealedContents.with_home_key(reader, store.keys)
        data = contents.open(entry, "args")
        request = AccessRequest.from_plain(body["request"], {})
        return _OverriddenDecision(
            entry=entry,
            place=_make_place(logged),
            request=request,
            links=load_links(reader, tenant, body["snapshot"]["chain"]),
            rules=load_rules(reader, tenant, body["snapshot"]["policy"]),
            rule_ids=_list_rules(reader, tenant, body["snapshot"]["policy"]),
            args=None if data is None else canonical.from_plain(canonical.loads(data)),
        )


def _make_place(logged: LoggedEntry) -> dict[str, Any]:
    return {"leaf": encode_base64(leaf_hash(logged.note)), "w": logged.entry.writer, "ws": logged.entry.seq}


def _list_rules(reader: Reader, tenant: str, policy: str) -> frozenset[str]:
    bundle = PolicyBundle.from_bytes(reader.blob(tenant, policy) or b"")
    return frozenset(item.id for item in bundle.parse())


def review_override(
    store: Store, keys: KeyStore, home: Path, *, override: str, reviewer: str, verdict: str, why: str
) -> None:
    """Record a second person's review of an override; `withdrawn` ends it at once.

    Args:
        store: store with the log.
        keys: key folder with the reviewer's key.
        home: folder of the authorities.
        override: id of the override.
        reviewer: enrolled, and none of those who signed it.
        verdict: one of `VERDICTS`.
        why: the reason.

    Raises:
        ConfigError: `no_reason`, `bad_verdict`, `no_such_override`, `no_approver_key`, `already_reviewed`.
        Denied: `approver_not_enrolled`, `reviewer_signed_it`.
        CannotDecide: it could not be made durable.
    """
    require_reason(why)
    if verdict not in VERDICTS:
        raise ConfigError(
            "bad_verdict", f"`{verdict[:32]}` is no verdict", field="review", remedy="use upheld, withdrawn"
        )
    signer = load_signer(store.tenant, keys, home, reviewer, store.clock.now_us())
    with store.open_reader() as reader:
        opener, now_us = SealedContents.with_home_key(reader, store.keys).open, store.clock.now_us()
        overrides = {item.id: item for item in list_overrides(reader, home, store.tenant, opener=opener, now_us=now_us)}
    entry = overrides.get(override)
    if entry is None:
        problem, remedy = f"there is no override `{override[:64]}`", "see `halo overrides`"
        raise ConfigError("no_such_override", problem, field="id", remedy=remedy)
    if (entry.direction, verdict) == ("deny", "withdrawn") and entry.status in ("active", "waiting"):
        # INVARIANT: REV - one reviewer does not end what takes as many people as a lift.
        problem, remedy = "it still forbids", f"end it first: `halo approvals revoke {override}`, signed as a lift is"
        raise Denied("signatures_needed", problem, remedy=remedy)
    if entry.review in VERDICTS:
        raise ConfigError("already_reviewed", f"it was {entry.review}", field="id", remedy="see `halo overrides --all`")
    # INVARIANT: nobody reviews an override that they have signed, be it under another name.
    signed = [item for item in overrides.values() if item.scope == entry.scope]
    if any(item.key_id == signer.key_id or same_person(item.by, reviewer) for item in signed):
        message = f"`{reviewer[:64]}` has signed it"
        raise Denied("reviewer_signed_it", message, remedy="let another approver review it")

    def job(tx: Transaction) -> None:
        require_enrolled(tx, reviewer, signer)
        terms: dict[str, str | int] = {"override": override, "verdict": verdict}
        # A reviewed override that is over leaves the table, so that no later decision looks for it.
        is_over = tx.clock.now_us() >= entry.expires_us or entry.status in ("used", "revoked")
        ends = (verdict == "withdrawn" or is_over) and StandingAnswerTable(tx).revoke(override)
        body = {
            "answer": override,
            "ends": ends,
            "op": "review",
            "signed": [sign_terms(tx, store, "review_override", terms, signer)],
            "verdict": verdict,
            "why": mask_reason(why),
        }
        tx.append(Draft(EntryKind.OVERRIDE, entry.session, body, actor=Actor(reviewer, "approver-key")))

    commit_or_record_refusal(store, job, "review override", reviewer, {"override": override[:64]})


def _list_in_force(tx: Transaction, kind: str, scope: str) -> list[StandingToken]:
    """The overrides of a kind and scope that hold now, one for each signer."""
    tokens = [peek_standing_answer(row.token) for row in StandingAnswerTable(tx).find_active(scope) if row.kind == kind]
    return [item for item in tokens if tx.clock.now_us() < item.expires_at_s * SECOND_US]
