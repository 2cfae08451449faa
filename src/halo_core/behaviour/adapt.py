"""Room: a limit that fits an identity. Takes: highest margins of ordinary sessions. Gives: a limit. Never: I/O, floats.

A limit carried over from elsewhere fits a workload badly that scores differently; one from a few own sessions is
noise. So both are mixed: the identity's own ordinary sessions count one each, what is usual elsewhere counts as so
many sessions more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["MOST_OWN", "PRIOR", "own_margins", "suited"]

PRIOR: Final = 100
"""Sessions that what is usual elsewhere counts for."""
MOST_OWN: Final = 1024


def own_margins(highest: Sequence[int]) -> tuple[int, ...]:
    """Highest margins of an identity's ordinary sessions, sorted and at most `MOST_OWN` of them, evenly chosen."""
    ranked = sorted(highest)
    if len(ranked) <= MOST_OWN:
        return tuple(ranked)
    return tuple(ranked[at * (len(ranked) - 1) // (MOST_OWN - 1)] for at in range(MOST_OWN))


def suited(own: Sequence[int], usual: Sequence[int], share: int, prior: int = PRIOR) -> int:
    """The limit above which `share` thousandths of the mixture's sessions lie, at most.

    Args:
        own: highest margin of each of the identity's ordinary sessions, each against a baseline without its own task.
        usual: the same elsewhere, as evenly spaced quantiles (`Model.usual`).
        share: thousandths.
        prior: sessions that `usual` counts for.
    """
    if not own and not usual:
        raise ValueError("nothing to set a limit by")
    # In common units: one own session weighs len(usual), one quantile weighs prior.
    each, every = max(len(usual), 1), len(own) * max(len(usual), 1) + (prior * len(usual) if usual else 0)
    rows = sorted([(margin, each) for margin in own] + [(margin, prior) for margin in usual], reverse=True)
    above, allowed = 0, every * share
    for margin, weight in rows:
        above += weight
        if above * 1000 > allowed:
            return margin
    return rows[-1][0]
