"""Jobs for `Store.commit` that append entries about unused grants: notice, removal, restoring by a person."""

from __future__ import annotations

from collections.abc import Sequence

from halo_core.model import Actor, EntryKind
from halo_core.store import Draft, Transaction

GrantName = tuple[str, str]
"""Kind of action and id of the resource."""


def give_notice(tx: Transaction, agent: str, grants: Sequence[GrantName], removed_from_us: int, by: Actor) -> None:
    """Record that grants will be removed if nobody uses them until then."""
    _record(tx, "notice", agent, grants, by, removed_from_us=removed_from_us)


def record_removal(
    tx: Transaction, agent: str, grants: Sequence[GrantName], by: Actor, *, before: str, after: str
) -> None:
    """Record that grants were removed: hashes of the passport that had them and of the one that has not."""
    _record(tx, "remove", agent, grants, by, before=before, after=after)


def record_restoring(tx: Transaction, agent: str, grants: Sequence[GrantName], by: Actor, *, after: str) -> None:
    """Record that a person restored grants."""
    _record(tx, "restore", agent, grants, by, after=after)


def _record(tx: Transaction, op: str, agent: str, grants: Sequence[GrantName], by: Actor, **facts: int | str) -> None:
    body = {"agent": agent, "grants": [list(item) for item in grants], "op": op, **facts}
    tx.append(Draft(EntryKind.GRANTS, "", body, actor=by))
