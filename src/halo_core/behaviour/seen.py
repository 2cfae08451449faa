"""The kinds of things that an action can show for the first time: tools, systems, labels, destinations, hours."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache
from typing import Final

from halo_core.behaviour.event import FINGERPRINT_BITS, BehaviourEvent, fingerprint_text, shorten_fingerprint
from halo_core.durations import HOUR_US
from halo_core.errors import require

_MAX_LABELS: Final = 16
_MAX_DESTINATIONS: Final = 64
_WIDTH: Final = 7  # bytes of a kind with its value


class SeenKind(IntEnum):
    """Kinds of things that can be seen for the first time."""

    TOOL = 0
    SYSTEM = 1
    LABEL = 2
    DESTINATION = 3
    HOST = 4
    PROCESS = 5
    HOUR = 6
    HAND_OFF = 7
    GRANT = 8
    PROGRAM = 9
    UNIT = 10
    IMPACT = 11
    WORD = 12
    """A word of a state that a write sets; nothing of it is a first time."""
    SETTING = 13
    """A value that a write sets, with its place (`settings`)."""
    LEAK = 14
    """A message about somebody whose labelled data was read, though the request does not concern them."""


SEEN_COUNT: Final = len(SeenKind)
MAX_SEEN: Final = (40, 16, 16, 32, 8, 8, 24, 12, 32, 16, 4, 8, 16, 24, 1)
"""Number of values of each kind that a session keeps; profiles learn no others."""
_HOUR: Final = int(SeenKind.HOUR) << FINGERPRINT_BITS
_DESTINATION: Final = int(SeenKind.DESTINATION) << FINGERPRINT_BITS
_WORD: Final = int(SeenKind.WORD) << FINGERPRINT_BITS
_SETTING: Final = int(SeenKind.SETTING) << FINGERPRINT_BITS
_VALUE: Final = (1 << FINGERPRINT_BITS) - 1
LEAKED: Final = int(SeenKind.LEAK) << FINGERPRINT_BITS | 1
"""The only value of `SeenKind.LEAK`."""


def join_seen(kind: int, value: int) -> int:
    """Kind and value as one number."""
    return kind << FINGERPRINT_BITS | value


def split_seen(number: int) -> tuple[int, int]:
    """Inverse of `join_seen`."""
    return number >> FINGERPRINT_BITS, number & _VALUE


@lru_cache(maxsize=4096)
def _join_names(labels: tuple[str, ...], *names: str) -> tuple[int, ...]:
    """Names of each of `_NAMED` kinds and labels, without the empty ones."""
    numbers = [join_seen(kind, fingerprint_text(name)) for kind, name in zip(_NAMED, names, strict=True) if name]
    return (*numbers, *(join_seen(SeenKind.LABEL, fingerprint_text(label)) for label in labels))


_NAMED: Final = (
    SeenKind.TOOL,
    SeenKind.IMPACT,
    SeenKind.SYSTEM,
    SeenKind.HOST,
    SeenKind.PROCESS,
    SeenKind.GRANT,
    SeenKind.HAND_OFF,
    SeenKind.PROGRAM,
    SeenKind.UNIT,
)


def hour_of(ts_us: int) -> int:
    """The hour of the day (UTC) of a time."""
    return ts_us // HOUR_US % 24


def list_seen(event: BehaviourEvent) -> tuple[int, ...]:
    """What an action shows of each kind, as numbers of `join_seen`: fingerprints, but hours as they are."""
    names = _join_names(
        event.labels[:_MAX_LABELS],
        event.tool,
        event.impact,
        event.system,
        event.host,
        event.process,
        event.resource,
        event.hand_off_to,
        event.program,
        event.unit if event.amount is not None else "",
    )
    hour = _HOUR | event.ts_us // HOUR_US % 24  # as `hour_of`
    if event.words:
        names = (*names, *[_WORD | word for word in event.words])
    if event.settings:
        names = (*names, *[_SETTING | setting for setting in event.settings])
    if not event.destinations:
        return (*names, hour)
    places = event.destinations[:_MAX_DESTINATIONS]
    return (*names, hour, *[_DESTINATION | shorten_fingerprint(place.fingerprint) for place in places])


def choose_kept(seen: frozenset[int], fresh: Iterable[int]) -> list[int]:
    """The part of `fresh` for which a session still has room."""
    counts, kept = [0] * SEEN_COUNT, []
    for number in seen:
        counts[number >> FINGERPRINT_BITS] += 1
    for number in fresh:
        kind = number >> FINGERPRINT_BITS
        if counts[kind] < MAX_SEEN[kind]:
            counts[kind] += 1
            kept.append(number)
    return kept


def group_seen(seen: Iterable[int]) -> tuple[set[int], ...]:
    """Values of each kind."""
    groups: tuple[set[int], ...] = tuple([set() for _ in range(SEEN_COUNT)])
    for number in seen:
        groups[number >> FINGERPRINT_BITS].add(number & _VALUE)  # as `split_seen`
    return groups


@lru_cache(maxsize=512)
def pack_seen(seen: frozenset[int]) -> str:
    """Text of what a session has shown."""
    return b64encode(b"".join([number.to_bytes(_WIDTH) for number in sorted(seen)])).decode("ascii")


def unpack_seen(text: str) -> frozenset[int]:
    """Inverse of `pack_seen`.

    Raises:
        ValueError: this is another text.
    """
    data = b64decode(text, validate=True)
    require(len(data) % _WIDTH == 0 and len(data) <= _WIDTH * sum(MAX_SEEN), "another number of bytes")
    seen = frozenset([int.from_bytes(data[at : at + _WIDTH]) for at in range(0, len(data), _WIDTH)])
    require(max(seen, default=0) >> FINGERPRINT_BITS < SEEN_COUNT, "an unknown kind")
    return seen
