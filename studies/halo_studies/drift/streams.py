"""Streams of ordinary sessions of one identity, with or without a change.

An identity is a role with a model and a defence. User tasks are matched: the same tasks are as likely before a change
as after it, so that the mix of the workload is not the signal. Sessions are drawn with replacement.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from halo_core.behaviour.event import BehaviourEvent
from halo_core.behaviour.tally import SessionTally
from halo_core.model import Impact
from halo_core.risk.drift import DriftSession as Watched
from halo_core.risk.drift import SessionHabits
from halo_core.training.feature_tables import hash_to_number
from halo_core.values.provenance.result_origins import TRUST_FLOOR
from halo_studies.recordings.labelled_sessions import Event, Session, act_of
from halo_studies.recordings.tools import resource_of

__all__ = ["CHANGES", "Point", "Pool", "Stream", "pools_of", "streams"]

CHANGES: Final = ("null", "model", "defence", "gradual")
REFERENCE: Final = 60
BEFORE: Final = 30
AFTER: Final = 120
NULL: Final = 200
_LEAST_TASKS: Final = 5
_LEAST: Final = 12
_SLOPE: Final = 60


@dataclass(frozen=True, slots=True)
class Point(Watched):
    """Request, habits, ways and measures of one session, whether it acted after untrusted content, and the session."""

    values: tuple[int, ...] = ()
    is_exposed: bool = False
    session: Session | None = None


@dataclass(frozen=True)
class Pool:
    """Ordinary sessions of one identity, by task."""

    suite: str
    model: str
    defence: str
    tasks: dict[str, list[Point]]

    @property
    def size(self) -> int:
        """Sessions."""
        return sum(map(len, self.tasks.values()))


@dataclass(frozen=True)
class Stream:
    """Reference, and what came afterwards; from index `change` on it is another agent, -1 if it never is."""

    kind: str
    suite: str
    reference: tuple[Point, ...]
    after: tuple[Point, ...]
    change: int


def point_of(session: Session) -> Point:
    """What drift looks at of one recorded session."""
    habits, tally = SessionHabits(), SessionTally()
    for event in session.events:
        act = act_of(event)
        reads = act.impact is Impact.READ
        habits.record_action(event.tool, event.args, reads=reads, failed=bool(event.error), turn=event.turn)
        # Records have no times and no keyed objects: only the counts of the tally say anything.
        tally = tally.advance(BehaviourEvent(event.tool, impact=act.impact.value)).with_outcome(
            failed=bool(event.error)
        )
    ways = frozenset(map(hash_to_number, habits.call_shapes))
    is_exposed = any(_brings_content(event) for event in session.events[:-1])
    return Point(hash_to_number(session.task), habits.to_vector(), ways, tally.values, is_exposed, session)


def _brings_content(event: Event) -> bool:
    resource = resource_of(event.tool, event.kind)
    return not event.error and (resource is None or resource.trust < TRUST_FLOOR)


def pools_of(sessions: Iterable[Session]) -> list[Pool]:
    """Identities with enough ordinary sessions (benign, or attacked and resisted)."""
    found: dict[tuple[str, str, str], dict[str, list[Point]]] = defaultdict(lambda: defaultdict(list))
    for session in sessions:
        if session.label in ("benign", "resisted") and session.events:
            point = point_of(session)
            found[session.suite, session.model, session.defense][session.task].append(point)
    pools = [Pool(*name, dict(tasks)) for name, tasks in sorted(found.items())]
    return [pool for pool in pools if pool.size >= _LEAST and len(pool.tasks) >= _LEAST_TASKS]


def streams(pools: Sequence[Pool], kind: str, number: int, seed: int) -> list[Stream]:
    """`number` streams of a kind, spread over the pairs of identities that there are."""
    draw = random.Random(f"{kind}:{seed}")
    pairs = [(one, other) for one in pools for other in pools if _pair(one, other, kind)]
    draw.shuffle(pairs)
    return [_stream(*pairs[at % len(pairs)], kind, draw) for at in range(number)] if pairs else []


def _pair(one: Pool, other: Pool, kind: str) -> bool:
    if kind == "null":
        return one is other
    if one.suite != other.suite or len(one.tasks.keys() & other.tasks.keys()) < _LEAST_TASKS:
        return False
    if kind == "defence":
        return one.model == other.model and one.defence != other.defence
    return one.model != other.model and one.defence == other.defence


def _stream(one: Pool, other: Pool, kind: str, draw: random.Random) -> Stream:
    tasks = sorted(one.tasks.keys() & other.tasks.keys())

    def points(pool: Pool, number: int) -> list[Point]:
        return [draw.choice(pool.tasks[draw.choice(tasks)]) for _ in range(number)]

    reference = tuple(points(one, REFERENCE))
    if kind == "null":
        return Stream(kind, one.suite, reference, tuple(points(one, NULL)), -1)
    before = points(one, BEFORE)
    if kind != "gradual":
        return Stream(kind, one.suite, reference, (*before, *points(other, AFTER)), BEFORE)
    mixed = [points(other if draw.random() < at / _SLOPE else one, 1)[0] for at in range(AFTER)]
    return Stream(kind, one.suite, reference, (*before, *mixed), BEFORE)
