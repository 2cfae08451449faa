"""Access reviews: each cycle with its grants, the evidence of their use, the answers, and what is due.

for cycle in load_reviews(reader, tenant): ...
uses = count_uses(reader, tenant, from_us)
played = play_back(reader, contents, tenant, "clerk", grants=grants, from_us=from_us)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.errors import ConfigError, PassportError
from halo_core.ledger import decode_entry
from halo_core.model import ActionKind, EntryKind, GrantName, Grants
from halo_core.passports.grants import find_violation
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.views import View
from halo_core.views.inventory import list_acting_agents
from halo_core.views.passports import find_chain

_MAX_REFUSALS: Final = 200
_MAX_NAMED: Final = 10


@dataclass(slots=True)
class ReviewCycle(View):
    """One access review.

    Args:
        id: of the review.
        index: position of the entry that opened it.
        opened_us: when, microseconds since 1970.
        due_us: until when it has to be answered.
        reviewer: reference of the person who has to answer.
        reviewer_name: the name, where it can be opened; else the reference.
        opened_by: reference of the person who opened it.
        grants: agent → its grants when it was opened.
        answers: agent and grant → `keep` or `revoke`, the newest.
        reasons: agent and grant → why.
        answered_us: when the newest answer was given; 0 for none.
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
    opened_by: str
    grants: dict[str, tuple[GrantName, ...]]
    answers: dict[tuple[str, GrantName], str] = field(default_factory=dict)
    reasons: dict[tuple[str, GrantName], str] = field(default_factory=dict)
    answered_us: int = 0
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
        """Why the review is an exception, in words; empty where it is none."""
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
    """Add the next entry of the log that is about a review; the review, None where none was opened.

    Entries may be anybody's whose process can write to the log. Of a review count: who opened it first, answers of its
    reviewer to grants that are under review, and its first end; nothing after that.

    Args:
        cycles: id → review, as the entries before leave them.
        index: position of the entry.
        body: as it is signed, people by reference.
        ts_us: time of the entry.
    """
    review = str(body.get("id", ""))
    cycle = cycles.get(review)
    # An entry without the form of its kind says nothing; it must not end a report either.
    with suppress(AttributeError, KeyError, TypeError, ValueError):
        if body["op"] == "open" and cycle is None:
            grants = {
                str(agent): tuple((kind, name) for kind, name in items) for agent, items in body["grants"].items()
            }
            people = (str(body["reviewer"]), str(body["reviewer"]), str(body.get("actor", "")))
            cycle = cycles[review] = ReviewCycle(review, index, ts_us, int(body["due_us"]), *people, grants)
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
        cycle.answered_us = ts_us
    elif body["op"] == "close":
        cycle.closed_us = ts_us
        cycle.passports = {str(agent): str(name) for agent, name in body.get("passports", {}).items()}
    elif body["op"] == "remind":
        cycle.reminded_us = ts_us


def find_kept_grants(reader: Reader, tenant: str, cycle: ReviewCycle) -> Iterator[str]:
    """What is wrong, where the passport that a review ended with does not lack what the reviewer revoked."""
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
        kept = [name for kind, name in revoked if name in granted.get(ActionKind(kind), {})]
        if kept:
            names = ", ".join(f"`{name}`" for name in kept[:_MAX_NAMED])
            yield f"ended with a passport of `{agent}` that still grants {names}"


class GrantUse(NamedTuple):
    """How a grant was used.

    Args:
        calls: actions that ran on it.
        refused: actions on it that were denied or that nobody approved.
        last_us: the newest that ran; 0 for none.
        people: for how many people.
        questions: how many of its decisions asked a person.
    """

    calls: int = 0
    refused: int = 0
    last_us: int = 0
    people: int = 0
    questions: int = 0


def count_uses(reader: Reader, tenant: str, from_us: int) -> dict[tuple[str, GrantName], GrantUse]:
    """Agent and grant → how it was used since a time. What runs under an agent uses the agent's grants too."""
    counted: dict[tuple[str, GrantName], list[Any]] = {}
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        if record.entry.ts_us < from_us:
            continue
        body = record.entry.body
        request, effect = body["request"], body["decision"]["effect"]
        subject, grant = request["subject"], (request["kind"], request["resource"]["id"])
        for agent in list_acting_agents(subject):
            row = counted.setdefault((agent, grant), [0, 0, 0, set(), 0])
            if body["dispatched"]:
                row[0] += 1
                row[2] = max(row[2], record.entry.ts_us)
                row[3].add(subject["user"])
            else:
                row[1] += 1
            row[4] += effect == "challenge"
    return {item: GrantUse(row[0], row[1], row[2], len(row[3] - {""}), row[4]) for item, row in counted.items()}


@dataclass(frozen=True, slots=True)
class PlayedBack(View):
    """What proposed grants would have done to what an agent really did.

    Args:
        agent: whose.
        ran: actions that ran in the period.
        unread: of those, how many have arguments that cannot be opened, so that only their resource was compared.
        refused: (kind, resource, code, calls) that would have been refused.
    """

    agent: str
    ran: int
    unread: int
    refused: tuple[tuple[str, str, str, int], ...]

    @property
    def is_clean(self) -> bool:
        """Whether everything that ran would have run."""
        return not self.refused


def play_back(
    reader: Reader, contents: SealedContents, tenant: str, agent: str, *, grants: Grants, from_us: int
) -> PlayedBack:
    """Compare every action of an agent that ran since a time with proposed grants.

    Args:
        reader: the store.
        contents: opens the arguments.
        tenant: whose log.
        agent: whose actions, and those of agents under it.
        grants: as they are proposed.
        from_us: the time.
    """
    ran = unread = 0
    refused: dict[tuple[str, str, str], int] = {}
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        body = record.entry.body
        request = body["request"]
        agents = list_acting_agents(request["subject"])
        kind = ActionKind(request["kind"])
        if record.entry.ts_us < from_us or agent not in agents or not body["dispatched"] or kind is ActionKind.HANDOFF:
            continue
        ran += 1
        sealed = contents.open(record.entry, "args")
        name = request["resource"]["id"]
        args: Mapping[str, Any] = {} if sealed is None else canonical.from_plain(canonical.loads(sealed))
        unread += sealed is None
        found = find_violation(grants, kind, name, args)
        if found is not None and (sealed is not None or found.code == "tool_not_granted"):
            key = (kind.value, name, found.code)
            refused[key] = refused.get(key, 0) + 1
    rows = sorted(((*key, count) for key, count in refused.items()), key=lambda row: (-row[3], row))
    return PlayedBack(agent, ran, unread, tuple(rows[:_MAX_REFUSALS]))
