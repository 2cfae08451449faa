"""Values that writes set, by where they set them: `absence_enter.kind` is `leave`, and the request said so.

Whoever falsifies the record that a request names writes a value that neither the request nor ordinary work accounts
for. A *setting* is 48 bits: its place (tool and argument) and its value, which is `NAMED` where the request said it.
Where an identity has hardly ever set anything new at a place, something new there is surprising (Good, The Population
Frequencies of Species, 1953).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from halo_core.risk.model import log2_ratio_in_sixteenths

NAMED: Final = 0
"""In place of a value that the request names."""
_VALUE_BITS: Final = 24
_VALUE: Final = 2**_VALUE_BITS - 1
_OPEN: Final = 16
"""Values of a place from which on it is taken for one where anything may stand; no more of them are kept."""
_MOST: Final = 128  # sixteenths of a bit


class PlaceCounts(NamedTuple):
    """What is known of a place.

    Args:
        times: how often sessions have set anything there.
        lone: values that one session alone has set.
        values: different values.
    """

    times: int = 0
    lone: int = 0
    values: int = 0


def join_setting(place: int, value: int) -> int:
    """A setting, of fingerprints of place and value."""
    return (place & _VALUE) << _VALUE_BITS | (value & _VALUE or 1)


def join_named_setting(place: int) -> int:
    """The setting of a value that the request names."""
    return (place & _VALUE) << _VALUE_BITS | NAMED


def count_places(times: Mapping[int, int]) -> dict[int, PlaceCounts]:
    """What is known of each place, given how many sessions have shown each setting."""
    places: dict[int, PlaceCounts] = {}
    for setting, shown in times.items():
        before, is_named = places.get(setting >> _VALUE_BITS, PlaceCounts()), setting & _VALUE == NAMED
        places[setting >> _VALUE_BITS] = PlaceCounts(
            before.times + shown, before.lone + (shown == 1 and not is_named), before.values + (not is_named)
        )
    return places


def weigh_setting(places: Mapping[int, PlaceCounts], setting: int) -> int:
    """How surprising a setting is that was never shown, in sixteenths of a bit."""
    known = places.get(setting >> _VALUE_BITS)
    if known is None or known.values >= _OPEN or setting & _VALUE == NAMED:
        return 0
    return min(log2_ratio_in_sixteenths(known.times + 2, known.lone + 1), _MOST)


def list_superfluous(ranked: Iterable[int]) -> list[int]:
    """The settings to drop, oldest first, at places that have too many of them."""
    ranked = list(ranked)
    counts: dict[int, int] = {}
    for setting in ranked:
        counts[setting >> _VALUE_BITS] = counts.get(setting >> _VALUE_BITS, 0) + (setting & _VALUE != NAMED)
    superfluous = []
    for setting in ranked:
        if counts[setting >> _VALUE_BITS] > _OPEN and setting & _VALUE != NAMED:
            counts[setting >> _VALUE_BITS] -= 1
            superfluous.append(setting)
    return superfluous
