"""Remembered answers on the decision path: what a call's scope is, which answers cover it, and how often they served.

How often an answer served and for how much is a row of the table of quotas, to whose state each entry commits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision.answers import STANDING, break_glass_scope
from halo_core.errors import PassportError
from halo_core.model import AccessRequest, Decision, Resource, StandingAnswer
from halo_core.passports.standing_answer import read_standing_answer
from halo_core.store import Transaction, commit_state
from halo_core.store.answer_rows import AnswerRow, StandingAnswerTable
from halo_core.store.rows import QuotaTable
from halo_core.values import find_answer_scope

if TYPE_CHECKING:
    from halo_core.enforcement.passport_reader import PassportReader

_US: Final = 1_000_000
_USED_CODES: Final = frozenset({"break_glass", "remembered"})


def compute_answer_scope(digester: Digester, role: str, resource: Resource, args: Mapping[str, Any]) -> str:
    """Keyed digest of what an answer to a call would cover; empty where no answer to it can be kept."""
    scope = find_answer_scope(resource, args)
    if not scope:
        return ""
    tree = [role, resource.id, resource.impact.value, list(scope.targets), list(scope.objects)]
    return digester.digest("halo/answer-scope/v1", canonical.dumps(tree))


def read_standing_answers(
    tx: Transaction,
    request: AccessRequest,
    args: Mapping[str, Any],
    *,
    role: str,
    digester: Digester,
    reader: PassportReader,
    store: str,
    at_us: int,
) -> tuple[str, tuple[StandingAnswer, ...]]:
    """The scope of a call and the verified answers that cover it; empty where there are none.

    Args:
        tx: the transaction.
        request: what is decided.
        args: the real arguments.
        role: of the actor.
        digester: keyed digests.
        reader: knows the approvers that are trusted.
        store: the audience that an answer must name.
        at_us: time of the decision.
    """
    table = StandingAnswerTable(tx)
    if request.problem or not table.has_any:
        return "", ()
    scope = compute_answer_scope(digester, role, request.resource, args)
    emergency = break_glass_scope(tx.tenant, request.subject.agent)
    rows = [*(table.find_active(scope) if scope else ()), *table.find_active(emergency)]
    found = (_read_answer(tx, row, request, role, reader=reader, store=store, at_us=at_us) for row in rows)
    answers = tuple(sorted((item for item in found if item is not None), key=lambda item: item.id))
    return (scope, answers) if answers else ("", ())


def _read_answer(
    tx: Transaction,
    row: AnswerRow,
    request: AccessRequest,
    role: str,
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
    is_standing = token.kind == STANDING
    claimed = (token.id, token.kind, token.scope, token.tenant, token.role, token.resource)
    role, resource = (role, request.resource.id) if is_standing else (request.subject.agent, "")
    if claimed != (row.id, row.kind, row.scope, tx.tenant, role, resource) or store not in token.audience:
        return None
    uses, spent, _, _ = _read_usage(tx, row.id)
    return StandingAnswer(
        id=token.id,
        kind=token.kind,
        approver=token.approver,
        key_id=token.key_id,
        scope=token.scope,
        expires_us=token.expires_at_s * _US,
        uses=uses,
        max_uses=token.max_uses,
        spent=spent,
        max_amount=token.max_amount,
        granted_us=token.issued_at_s * _US,
        reference=tx.references.of_person(token.approver),
    )


def usage_account(answer: str) -> str:
    """Name of the row that counts the uses of an answer."""
    return f"answer:{answer}"


def _read_usage(tx: Transaction, answer: str) -> tuple[int, int, int, bytes]:
    """(uses, spent, version, bytes) of an answer's row."""
    stored = QuotaTable(tx).get(usage_account(answer))
    if stored is None:
        return 0, 0, 0, b""
    tree = canonical.loads(stored[1])
    return tree["uses"], tree["spent"], stored[0], stored[1]


def count_uses(tx: Transaction, decision: Decision, amount: int | None) -> list[dict[str, Any]]:
    """Count one use of each answer that a decision rests on; returns the commitments, by account."""
    commitments = []
    for answer in sorted({item.detail for item in decision.reasons if item.code in _USED_CODES}):
        uses, spent, version, before = _read_usage(tx, answer)
        data = canonical.dumps({"spent": spent + abs(amount or 0), "uses": uses + 1})
        account = usage_account(answer)
        QuotaTable(tx).put(account, version + 1, data)
        commitments.append({"account": account, **commit_state(version + 1, data, before=before)})
    return commitments
