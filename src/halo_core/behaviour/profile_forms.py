"""Forms of stored profiles: how a profile of each form was folded, and which of its numbers are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from halo_core.behaviour.known import is_dormant, was_dormant
from halo_core.behaviour.limits import SERIES
from halo_core.behaviour.measures import COUNT, INDEX, WINDOWED
from halo_core.behaviour.seen import SEEN_COUNT, SeenKind
from halo_core.behaviour.session_drift import DRIFT_TERMS, EARLIER_DRIFT_TERMS, DriftTerms

FOLD_FORM: Final = "halo-habits-11"
"""Names the form and the constants of the fold: bytes of one form are recomputed by code of that form only."""
EARLIER_FORM: Final = "halo-habits-2"
"""Form of older profiles, which are read, recomputed and gone on with.

They know neither `strangers` nor settings, nor for whom the agent acted. They count denials among the habits, and weigh
each direction of habits for itself. Only sessions with untrusted content and without an alarm move their second drift.
"""
FORMS: Final = (FOLD_FORM, EARLIER_FORM)
_STRANGERS: Final = INDEX["strangers"]
_Item = TypeVar("_Item")


STRANGERS_SERIES: Final = (_STRANGERS, COUNT + WINDOWED.index(_STRANGERS))
"""Places of limits of what no request leads to."""
SLOW_SERIES: Final = (*STRANGERS_SERIES, COUNT + WINDOWED.index(INDEX["refusals"]))
"""Places of limits that rise slowly (`limits.SLOW_STEP`): one a session would raise a sum's limit as fast as it."""


class FormTerms(NamedTuple):
    """What a form stores, and how it folds.

    Args:
        kinds: of `SeenKind` that it knows, from the first on.
        series: places of the limits that it has.
        slow: places of limits that rise slowly.
        windows: measures over recent sessions that it has, from the first on.
        is_dormant: when a grant slept, see `known.is_dormant`.
        drift: what its habits are held to.
    """

    kinds: int
    series: tuple[int, ...]
    slow: tuple[int, ...]
    windows: int
    is_dormant: Callable[[int, int, int], bool]
    drift: DriftTerms

    def pick(self, row: Sequence[int]) -> tuple[int, ...]:
        """The numbers that the form stores, out of one for each limit."""
        return tuple([row[at] for at in self.series])

    def fill(self, stored: Iterable[_Item], others: Sequence[_Item]) -> tuple[_Item, ...]:
        """One item for each limit: the stored one, or that of `others` for a limit that the form does not have."""
        stored_by_series = dict(zip(self.series, stored, strict=True))
        return tuple([stored_by_series.get(at, other) for at, other in enumerate(others)])


TERMS_OF_FORM: Final = {
    FOLD_FORM: FormTerms(SEEN_COUNT, tuple(range(SERIES)), SLOW_SERIES, len(WINDOWED), is_dormant, DRIFT_TERMS),
    EARLIER_FORM: FormTerms(
        SeenKind.IMPACT + 1,
        tuple(at for at in range(SERIES) if at not in STRANGERS_SERIES),
        (),
        len(WINDOWED) - 1,
        was_dormant,
        EARLIER_DRIFT_TERMS,
    ),
}
