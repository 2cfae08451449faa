"""Room: the cold start. Takes: an identity's baseline and its role's. Gives: one baseline. Never: I/O, a clock, floats.

What others of the role ordinarily do counts for as many sessions as `PRIOR_SESSIONS` at most, so that an identity's own
history soon weighs more than its role's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from halo_core.behaviour.baseline import Baseline

__all__ = ["PRIOR_SESSIONS", "with_prior"]

PRIOR_SESSIONS: Final = 50


def with_prior(own: Baseline, role: Baseline, most: int = PRIOR_SESSIONS) -> Baseline:
    """The identity's own counts and the role's, the role's scaled down to `most` sessions; both under the same key.

    INVARIANT: robust to a poisoned history - scaling down makes nothing known that was not.
    """
    if not role.sessions:
        return own
    whole, part = max(role.sessions, most), most
    words = {word: max(own.words.get(word, 0), role.words.get(word, 0)) for word in {*own.words, *role.words}}
    return Baseline(
        own.tasks + role.tasks * part // whole,
        own.sessions + role.sessions * part // whole,
        _added(own.known, role.known, part, whole),
        _added(own.rates, role.rates, part, whole),
        words,
        max(own.tools, role.tools),
    )


def _added(
    own: Mapping[int, tuple[int, int]], role: Mapping[int, tuple[int, int]], part: int, whole: int
) -> dict[int, tuple[int, int]]:
    found = dict(own)
    for print_, (first, second) in role.items():
        scaled = first * part // whole, second * part // whole
        if scaled[1]:
            mine = found.get(print_, (0, 0))
            found[print_] = (mine[0] + scaled[0], mine[1] + scaled[1])
    return found
