"""Jobs for `Store.commit` that record decisions of people about grants: access reviews, unused grants, the inventory.

A review is a cycle: it is opened with a reviewer, a due date and the grants that are reviewed; each grant is kept or
revoked; it is closed when every grant has an answer. The command that closes the review issues the resulting passports
first. See SP 800-53 AC-2(j) and AC-6(7), PCI DSS 7.2.4 and 7.2.5.1.

Unused grants are removed only after a notice. A person may restore removed grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.errors import ConfigError, Denied
from halo_core.model import Actor, EntryKind, GrantName
from halo_core.store.drafts import Draft
from halo_core.store.transaction import Transaction

MAX_GRANTS: Final = 2000
MAX_WHY: Final = 500
TIERS: Final = ("low", "medium", "high")
"""Classes of agents in the inventory, by what they could do."""


def open_review(
    tx: Transaction,
    review: str,
    *,
    reviewer: str,
    due_us: int,
    grants: Mapping[str, Sequence[GrantName]],
    by: Actor,
) -> None:
    """Record that a review was opened.

    Args:
        tx: the transaction.
        review: its id.
        reviewer: name of the person who has to answer.
        due_us: time by which the reviewer has to answer, microseconds since the epoch.
        grants: agent → its grants.
        by: who opens it.

    Raises:
        ConfigError: `bad_review`, there is nothing to review, or too much for one review.
    """
    total = sum(map(len, grants.values()))
    if not 0 < total <= MAX_GRANTS:
        problem = "no agent has a grant to review" if not total else f"{total} grants are too many for one review"
        raise ConfigError("bad_review", problem, field="agent", remedy=f"review 1 to {MAX_GRANTS} grants at once")
    reference = tx.references.of_person(reviewer)
    tree = {agent: [list(item) for item in items] for agent, items in sorted(grants.items())}
    body = {"due_us": due_us, "grants": tree, "id": review, "of": "grants", "op": "open", "reviewer": reference}
    sealed = ((reference, {"reviewer": reviewer.encode()}),)
    tx.append(Draft(EntryKind.REVIEW, "", body, others=sealed, actor=by))


def record_answers(
    tx: Transaction,
    review: str,
    answers: Mapping[tuple[str, GrantName], str],
    *,
    reviewer: str,
    why: str,
    by: Actor,
) -> None:
    """Record that grants are kept or revoked, an entry each.

    Args:
        tx: the transaction.
        review: its id.
        answers: agent and grant → `keep` or `revoke`.
        reviewer: reference of the person who has to answer.
        why: the reason.
        by: who answers.

    Raises:
        Denied: `not_the_reviewer`.
        ConfigError: `no_reason`, a grant is revoked without one.
    """
    if tx.references.of_person(by.name) != reviewer:
        remedy = "answer as that person (the account, or `--by NAME`), or open another review with `--reviewer`"
        raise Denied("not_the_reviewer", f"the review {review} is another person's", remedy=remedy)
    if "revoke" in answers.values() and not why.strip():
        raise ConfigError("no_reason", "a grant is revoked without a reason", field="why", remedy="add `--why`")
    for (agent, grant), answer in sorted(answers.items()):
        body: dict[str, Any] = {"agent": agent, "grant": list(grant), "id": review, "op": answer}
        if why:
            body["why"] = why[:MAX_WHY]
        tx.append(Draft(EntryKind.REVIEW, "", body, actor=by))


def close_review(tx: Transaction, review: str, passports: Mapping[str, str], by: Actor) -> None:
    """Record that a review is closed; `passports` is agent → hash of the passport that it has now."""
    body = {"id": review, "op": "close", "passports": dict(sorted(passports.items()))}
    tx.append(Draft(EntryKind.REVIEW, "", body, actor=by))


def record_reminder(tx: Transaction, review: str, days_left: int, by: Actor) -> None:
    """Record that a reviewer was reminded; `days_left` is negative where the review is overdue."""
    tx.append(Draft(EntryKind.REVIEW, "", {"days_left": days_left, "id": review, "op": "remind"}, actor=by))


def classify_agent(tx: Transaction, agent: str, tier: str, *, suggested: str, why: str, by: Actor) -> None:
    """Record the class of an agent that a person confirmed.

    Raises:
        ConfigError: `bad_tier`; `no_reason`, it is below what was suggested and no reason is given.
    """
    if tier not in TIERS:
        raise ConfigError(
            "bad_tier", f"`{tier[:32]}` is no class", field="tier", remedy=f"use one of {', '.join(TIERS)}"
        )
    if suggested in TIERS and TIERS.index(tier) < TIERS.index(suggested) and not why.strip():
        problem = f"`{tier}` is below the suggested `{suggested}`"
        raise ConfigError("no_reason", problem, field="why", remedy="add `--why`")
    body = {"agent": agent, "op": "classify", "suggested": suggested, "tier": tier, "why": why[:MAX_WHY]}
    tx.append(Draft(EntryKind.INVENTORY, "", body, actor=by))


def record_comparison(tx: Transaction, *, digest: str, source: str, missing: Sequence[str], by: Actor) -> None:
    """Record that the inventory was compared with another system's list.

    Args:
        tx: the transaction.
        digest: SHA-256 of the list.
        source: name of its file.
        missing: names in it that no agent here has.
        by: who compared.
    """
    body = {"digest": digest, "missing": list(missing)[:MAX_GRANTS], "op": "compare", "source": source[:MAX_WHY]}
    tx.append(Draft(EntryKind.INVENTORY, "", body, actor=by))


def give_notice(tx: Transaction, agent: str, grants: Sequence[GrantName], removed_from_us: int, by: Actor) -> None:
    """Record that grants will be removed if nobody uses them before `removed_from_us`, microseconds since the epoch."""
    _append_grants_entry(tx, "notice", agent, grants, by, removed_from_us=removed_from_us)


def record_removal(
    tx: Transaction, agent: str, grants: Sequence[GrantName], by: Actor, *, before: str, after: str
) -> None:
    """Record that grants were removed; `before` and `after` are hashes of the passports with and without them."""
    _append_grants_entry(tx, "remove", agent, grants, by, before=before, after=after)


def record_restoring(tx: Transaction, agent: str, grants: Sequence[GrantName], by: Actor, *, after: str) -> None:
    """Record that a person restored grants; `after` is the hash of the passport that has them again."""
    _append_grants_entry(tx, "restore", agent, grants, by, after=after)


def _append_grants_entry(
    tx: Transaction, op: str, agent: str, grants: Sequence[GrantName], by: Actor, **facts: int | str
) -> None:
    body = {"agent": agent, "grants": [list(item) for item in grants], "op": op, **facts}
    tx.append(Draft(EntryKind.GRANTS, "", body, actor=by))
