"""Access reviews: each cycle with its grants, the answers, and what is due.

for cycle in load_reviews(reader, tenant): ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.errors import ConfigError, PassportError
from halo_core.ledger import decode_entry
from halo_core.model import ActionKind, EntryKind, GrantName
from halo_core.store.reader import Reader
from halo_core.views import View
from halo_core.views.passports import find_chain

_MAX_NAMED: Final = 10


@dataclass(slots=True)
class ReviewCycle(View):
    """One access review.

    Args:
        id: id of the review.
        index: position of the entry that opened it.
        opened_us: when it was opened, microseconds since the epoch, as all times here.
        due_us: time by which it has to be answered, microseconds since the epoch.
        reviewer: reference of the person who has to answer.
        reviewer_name: the name, where it can be opened; else the reference.
        grants: agent → its grants when it was opened.
        answers: agent and grant → `keep` or `revoke`, the newest.
        reasons: agent and grant → why.
        closed_us: when it was closed; 0 where it is open.
        passports: agent → hash of the passport after the review.
        reminded_us: when the reviewer was reminded last; 0 for never.
    """

    id: str
    index: int
    opened_us: int
    due_us: int
    reviewer: str
    reviewer_name: str
    grants: dict[str, tuple[GrantName, ...]]
    answers: dict[tuple[str, GrantName], str] = field(default_factory=dict)
    reasons: dict[tuple[str, GrantName], str] = field(default_factory=dict)
    closed_us: int = 0
    passports: dict[str, str] = field(default_factory=dict)
    reminded_us: int = 0

    def list_grants(self) -> list[tuple[str, GrantName]]:
        """Every grant under review with its agent, in order."""
        return [(agent, grant) for agent in sorted(self.grants) for grant in self.grants[agent]]

    def list_unanswered(self) -> list[tuple[str, GrantName]]:
        """Grants without an answer."""
        return [item for item in self.list_grants() if item not in self.answers]

    def list_revoked(self, agent: str) -> list[GrantName]:
        """Grants of an agent that the reviewer revoked."""
        return [grant for grant in self.grants.get(agent, ()) if self.answers.get((agent, grant)) == "revoke"]

    def find_problem(self, now_us: int) -> str:
        """Why the review is an exception, in words; empty if it is none."""
        if not self.closed_us and now_us > self.due_us:
            return "is overdue"
        if self.closed_us > self.due_us:
            return "was closed after its due date"
        return ""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "answers": [
                {"agent": agent, "grant": list(grant), "verdict": self.answers.get((agent, grant), "")}
                for agent, grant in self.list_grants()
            ],
            "closed_us": self.closed_us,
            "due_us": self.due_us,
            "id": self.id,
            "opened_us": self.opened_us,
            "passports": self.passports,
            "reminded_us": self.reminded_us,
            "reviewer": self.reviewer_name,
        }


def load_reviews(reader: Reader, tenant: str) -> list[ReviewCycle]:
    """Every review, in the order in which they were opened."""
    cycles: dict[str, ReviewCycle] = {}
    for index, note in reader.notes(tenant, (EntryKind.REVIEW.value,)):
        entry = decode_entry(note)  # as it is signed: people by reference
        cycle = take_review_entry(cycles, index, entry.body, entry.ts_us)
        if cycle is not None and cycle.index == index:
            cycle.reviewer_name = str(reader.read_note(index, note).entry.body["reviewer"])
    return list(cycles.values())


def take_review_entry(
    cycles: dict[str, ReviewCycle], index: int, body: Mapping[str, Any], ts_us: int
) -> ReviewCycle | None:
    """Apply the next entry of the log that is about a review.

    Any process that writes to the log can write such entries. Only these count: the first one that opens a review,
    answers of its reviewer to grants under review, and the first one that closes it; nothing after that.

    Args:
        cycles: id → review, as of the entry before; changed.
        index: position of the entry.
        body: the entry's signed body, which names people by reference.
        ts_us: time of the entry, microseconds since the epoch.

    Returns:
        The review; None if none with this id was opened.
    """
    review = str(body.get("id", ""))
    cycle = cycles.get(review)
    # An entry that does not have the form of its kind is ignored, so that it cannot make a report fail.
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        if body["op"] == "open" and cycle is None:
            grants = {
                str(agent): tuple((kind, name) for kind, name in items) for agent, items in body["grants"].items()
            }
            reviewer = str(body["reviewer"])
            cycle = cycles[review] = ReviewCycle(review, index, ts_us, int(body["due_us"]), reviewer, reviewer, grants)
        elif cycle is not None and not cycle.closed_us:
            _take_act(cycle, body, ts_us)
    return cycle


def _take_act(cycle: ReviewCycle, body: Mapping[str, Any], ts_us: int) -> None:
    if body["op"] in ("keep", "revoke"):
        kind, name = body["grant"]
        # INVARIANT: nobody but the reviewer answers, whoever wrote the entry.
        if body.get("actor") != cycle.reviewer or (kind, name) not in cycle.grants.get(body["agent"], ()):
            return
        item = (body["agent"], (kind, name))
        cycle.answers[item], cycle.reasons[item] = body["op"], str(body.get("why", ""))
    elif body["op"] == "close":
        cycle.closed_us = ts_us
        cycle.passports = {str(agent): str(name) for agent, name in body.get("passports", {}).items()}
    elif body["op"] == "remind":
        cycle.reminded_us = ts_us


def find_kept_grants(reader: Reader, tenant: str, cycle: ReviewCycle) -> Iterator[str]:
    """Sentences on agents whose passport after a review still grants what the reviewer revoked, or is missing."""
    for agent in sorted(cycle.grants):
        revoked = cycle.list_revoked(agent)
        if not revoked:
            continue
        names = ", ".join(f"`{name}`" for _, name in revoked[:_MAX_NAMED])
        try:
            chain = find_chain(reader, tenant, cycle.passports.get(agent, ""))
        except (ConfigError, PassportError):
            chain = None
        if chain is None or chain.links[-1].agent != agent:
            yield f"ended without a passport of `{agent}` that lacks {names}"
            continue
        granted = chain.links[-1].grants
        still_granted = [name for kind, name in revoked if name in granted.get(ActionKind(kind), {})]
        if still_granted:
            names = ", ".join(f"`{name}`" for name in still_granted[:_MAX_NAMED])
            yield f"ended with a passport of `{agent}` that still grants {names}"
