"""An axis: one respect in which behaviour can deviate; and how the parts of a deviation are combined."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.quick_dataclass import dataclass

ALARM: Final = 1000
MAX_SHARE: Final = 1_000_000
PARTS: Final = {"behaviour": 1000, "entitlement": 800, "context": 900, "scope": 1000}
"""Thousandths with which each part enters `unusual`; set by hand."""


VOLUMES: Final = frozenset(("volume", "much", "slight"))
"""Kinds of axes that say that a limit was passed which a yes doubles."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One respect in which behaviour deviates.

    Args:
        id: a measure, `<measure>_recent`, `tenant_<measure>_recent`, `object_spread`, `first_<kind>`, `dormant_grant`,
            `habits`, `<measure>_trend` or `surprise`.
        value: what was measured.
        limit: what is usual; 0 where that is nothing.
        words: a sentence for people.
        share: of an alarm, in thousandths; for first times the weight, 1000 being ten bits.
        kind: `volume`, `drift`, `first`, `requested` (what the request accounts for: a volume of nothing but what it
            names one by one, or a kind of work that the agent never did, on what the request leads to), `narrowed`
            (a volume above a limit only as far as past alarms have narrowed it), `much` (a volume of work as such), or
            `slight` (likewise, where not even all that was tried is half as much again as the identity's own limit).
    """

    id: str
    value: int
    limit: int
    words: str
    share: int
    kind: str = "volume"

    @property
    def is_alarm(self) -> bool:
        """Whether it is an alarm by itself."""
        return self.share >= ALARM and self.kind != "first"

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @classmethod
    def from_plain(cls, members: Mapping[str, Any]) -> Axis:
        """Inverse of `to_plain`."""
        return cls(**members)


def combine_parts(parts: Mapping[str, int]) -> int:
    """The parts in one number, each with its weight."""
    together = 0
    for part, weight in PARTS.items():
        together = join_doubts(together, parts[part] * weight // ALARM)
    return together


def join_doubts(one: int, other: int) -> int:
    """Either of two independent doubts, in thousandths."""
    return ALARM - (ALARM - one) * (ALARM - other) // ALARM
