"""Remembered answers on the path of a decision: the scope of a call, the answers that cover it, and their uses.

A row of the table of quotas counts how often an answer was used and for how much; each entry commits to its state. An
answer is used only while signed entries grant it and none ends it, and while that row is the one that its newest use
left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision.answers import (
    ANY_ROLE,
    BREAK_GLASS,
    OVERRIDE_ALLOW,
    OVERRIDE_DENY,
    REVERSAL,
    STANDING,
    find_reversed_decision,
    make_break_glass_scope,
    make_denied_scope,
    make_reversal_scope,
)
from halo_core.decision.bindings import find_exposure, list_answer_bindings
from halo_core.durations import SECOND_US
from halo_core.errors import PassportError
from halo_core.ledger import commit_state
from halo_core.model import ANSWERED_CODES, AccessRequest, Decision, Impact, Resource, StandingAnswer
from halo_core.passports.standing_answer import MAX_USES, read_standing_answer
from halo_core.store.answer_entries import (
    find_denials_end_us,
    is_in_force,
    is_usage_committed,
    list_denials,
    remember_use,
)
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.cached_rows import AnswerRow
from halo_core.store.quota_rows import QuotaTable
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import (
    covers_targets,
    find_amount_terms,
    find_answer_scope,
    find_denied_targets,
)

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext
    from halo_core.enforcement.passport_reader import PassportReader


def compute_answer_scope(digester: Digester, role: str, resource: Resource, args: Mapping[str, Any]) -> str:
    """Keyed digest of what an answer to a call would cover; empty if no answer to it can be kept."""
    scope = find_answer_scope(resource, args)
    if not scope:
        return ""
    tree = [role, resource.id, resource.impact.value, list(scope.targets), list(scope.objects)]
    return digester.digest("halo/answer-scope/v1", canonical.dumps(tree))


def compute_amount_scope(digester: Digester, role: str, resource: Resource, args: Mapping[str, Any]) -> str:
    """Keyed digest of what an answer to a payment's amount would cover; empty if none can be kept."""
    scope = find_answer_scope(resource, args)
    if not scope or resource.impact is not Impact.PAYMENT:
        return ""
    tree = [role, resource.id, resource.unit, list(scope.targets), list(scope.objects)]
    return digester.digest("halo/amount-scope/v1", canonical.dumps([*tree, list(find_amount_terms(resource, args))]))


def compute_denied_scopes(digester: Digester, request: AccessRequest, args: Mapping[str, Any]) -> tuple[str, ...]:
    """Scopes under which an override may forbid a call: by one of its targets, by all of them, or itself.

    INVARIANT: FAILCLOSED - whatever else a call names, it reaches a target that is forbidden.
    """
    tenant, tool = request.subject.tenant, request.resource.id
    targets = find_denied_targets(request.resource, args)
    groups = dict.fromkeys((*((name,) for name in targets), targets))
    digests = (compute_denied_targets(digester, group) for group in groups)
    return tuple(make_denied_scope(tenant, tool, what) for what in (*digests, request.args_digest) if what)


def compute_denied_targets(digester: Digester, targets: Collection[str]) -> str:
    """Keyed digest of targets that an override forbids together; empty for none."""
    return digester.digest("halo/denied-targets/v1", canonical.dumps(list(targets))) if targets else ""


def may_have_answers(tx: Transaction) -> bool:
    """Whether an answer may cover a call; a cheap check in memory."""
    return tx.image.has_answers is not False or tx.image.denials_end_us != 0


def read_standing_answers(
    tx: Transaction, context: DecisionContext, *, digester: Digester, reader: PassportReader
) -> tuple[str, tuple[StandingAnswer, ...]]:
    """The scope of a call and the verified answers that cover it; empty if there are none.

    Args:
        tx: the transaction.
        context: the call, whose chain has been loaded.
        digester: keyed digests.
        reader: knows the approvers that are trusted.
    """
    table, request = StandingAnswerTable(tx), context.request
    if request.problem:
        return "", ()
    kinds = table.list_kinds(context.time_us)
    if context.time_us < find_denials_end_us(tx):
        kinds |= {OVERRIDE_DENY}
    if not kinds:
        return "", ()
    role, args = context.terms.role, context.recorded_args
    is_whole = covers_targets(request.resource, args, context.traced)
    scope = compute_answer_scope(digester, role, request.resource, args) if is_whole else ""
    scopes = _list_scopes(context, kinds, scope, digester)
    rows = [row for kind, name in scopes for row in table.find_active(name) if row.kind == kind]
    store, at_us = context.control.store, context.time_us
    amount_scope = partial(compute_amount_scope, digester, role, request.resource, args)
    verified = (
        _read_answer(tx, row, request, role, amount_scope, reader=reader, store=store, at_us=at_us) for row in rows
    )
    given = [item for item in verified if item is not None]
    if OVERRIDE_DENY in kinds:
        given += _list_denials_by_entry(tx, context, scopes, {item.id for item in given}, reader)
    answers = tuple(sorted(given, key=lambda item: item.id))
    return (scope, answers) if answers else ("", ())


def _list_denials_by_entry(
    tx: Transaction,
    context: DecisionContext,
    scopes: list[tuple[str, str]],
    known_ids: Collection[str],
    reader: PassportReader,
) -> Iterator[StandingAnswer]:
    """Overrides that forbid the call but have no valid row: their entries count."""
    denied = [scope for kind, scope in scopes if kind == OVERRIDE_DENY]
    denials = [item for scope in denied for item in list_denials(tx, scope, known_ids, context.time_us)]
    if not denials:
        return
    approvers = reader.load_trusted(tx, context.time_us).approvers
    for item in denials:
        if item.key_id not in approvers:  # as with a row: who is enrolled no longer forbids nothing
            continue
        approver = approvers[item.key_id][0]
        yield StandingAnswer(
            id=item.id,
            kind=OVERRIDE_DENY,
            approver=approver,
            key_id=item.key_id,
            scope=item.scope,
            expires_us=item.expires_us,
            uses=0,
            max_uses=MAX_USES,
            spent=0,
            max_amount=0,
            granted_us=0,
            reference=tx.references.of_person(approver),
        )


def _list_scopes(
    context: DecisionContext, kinds: frozenset[str], scope: str, digester: Digester
) -> list[tuple[str, str]]:
    """Kind and scope of each answer that may cover a call."""
    request, tenant = context.request, context.request.subject.tenant
    scopes = [(STANDING, scope)] if scope and STANDING in kinds else []
    if BREAK_GLASS in kinds:
        scopes.append((BREAK_GLASS, make_break_glass_scope(tenant, request.subject.agent)))
    if OVERRIDE_DENY in kinds:
        denied = compute_denied_scopes(digester, request, context.recorded_args)
        scopes += [(OVERRIDE_DENY, name) for name in denied]
    if OVERRIDE_ALLOW in kinds and context.chain:
        rules = context.policy.rules
        exposure = find_exposure(context.provenance, context.targets, is_tainted=context.state.view.tainted)
        own = list_answer_bindings(request, context.chain, rules, exposure=exposure)[:1]
        others = list_answer_bindings(request, context.chain, rules, exposure=exposure, asked_in="another")
        scopes += [(OVERRIDE_ALLOW, name) for name in (*own, *others)]
    decision = find_reversed_decision(request)
    if REVERSAL in kinds and decision:
        scopes.append((REVERSAL, make_reversal_scope(tenant, decision, request.resource.id, request.args_digest)))
    return scopes


def _read_answer(
    tx: Transaction,
    row: AnswerRow,
    request: AccessRequest,
    role: str,
    amount_scope: Callable[[], str],
    *,
    reader: PassportReader,
    store: str,
    at_us: int,
) -> StandingAnswer | None:
    # INVARIANT: BIND - the token is what counts: a row under another id, scope or kind answers nothing.
    try:
        token = read_standing_answer(row.token, reader.load_trusted(tx, at_us).approvers)
    except PassportError:
        return None
    roles = {STANDING: role, OVERRIDE_DENY: ANY_ROLE, REVERSAL: find_reversed_decision(request)}
    role, resource = roles.get(token.kind, request.subject.agent), request.resource.id
    resource = "" if token.kind == BREAK_GLASS else resource
    claimed = (token.id, token.kind, token.scope, token.tenant, token.role, token.resource)
    if claimed != (row.id, row.kind, row.scope, tx.tenant, role, resource) or store not in token.audience:
        return None
    if not is_in_force(tx, row) or (token.kind != OVERRIDE_DENY and not _is_usage_proven(tx, row.id)):
        return None
    uses, spent, _, _ = _read_usage(tx, row.id)
    return StandingAnswer(
        id=token.id,
        kind=token.kind,
        approver=token.approver,
        key_id=token.key_id,
        scope=token.scope,
        expires_us=token.expires_at_s * SECOND_US,
        uses=uses,
        max_uses=token.max_uses,
        spent=spent,
        max_amount=token.max_amount,
        granted_us=token.issued_at_s * SECOND_US,
        max_each=token.max_each if token.max_each and token.each_scope == amount_scope() else 0,
        reference=tx.references.of_person(token.approver),
    )


def make_usage_account(answer: str) -> str:
    """Name of the row that counts the uses of an answer."""
    return f"answer:{answer}"


def _is_usage_proven(tx: Transaction, answer: str) -> bool:
    """Whether an answer's usage row matches its entries; rows this process checked or wrote do."""
    account, known = make_usage_account(answer), tx.image.quotas
    if account in known:
        return True
    stored = QuotaTable(tx).get(account)
    if is_usage_committed(tx, account, *(stored or (0, b""))):
        return True
    del known[account]
    return False


def _read_usage(tx: Transaction, answer: str) -> tuple[int, int, int, bytes]:
    """(uses, spent, version, bytes) of an answer's row."""
    stored = QuotaTable(tx).get(make_usage_account(answer))
    if stored is None:
        return 0, 0, 0, b""
    tree = canonical.loads(stored[1])
    return tree["uses"], tree["spent"], stored[0], stored[1]


def count_uses(tx: Transaction, decision: Decision, amount: int | None) -> list[dict[str, Any]]:
    """Count one use of each answer that a decision rests on; returns the commitments, by account."""
    commitments = []
    for answer in sorted({item.detail for item in decision.reasons if item.code in ANSWERED_CODES}):
        uses, spent, version, before = _read_usage(tx, answer)
        data = canonical.dumps({"spent": spent + abs(amount or 0), "uses": uses + 1})
        account = make_usage_account(answer)
        QuotaTable(tx).put(account, version + 1, data)
        remember_use(tx, account, version + 1)
        commitments.append({"account": account, **commit_state(version + 1, data, before=before)})
    return commitments
