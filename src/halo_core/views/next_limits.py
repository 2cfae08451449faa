"""What of a session runs out first, at the rate of its decisions so far: a budget, a quota, time or authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from halo_core.authority import RISK_POINTS, compute_effective_authority, find_floor
from halo_core.model import Envelope, Impact, Link

_MOST_DECISIONS: Final = 10_000_000


class Limit(Protocol):
    """A counted limit of a link."""

    @property
    def unit(self) -> str:
        """Its unit."""

    @property
    def decimals(self) -> int:
        """Of its amounts."""

    @property
    def used(self) -> int:
        """Spent or held."""

    @property
    def limit(self) -> int:
        """Most that may be spent."""


@dataclass(frozen=True, slots=True)
class LiveChain:
    """The decaying links from a session link down to a live link, with their accounts.

    Args:
        agent: who holds the last of them.
        kind: of the last of them.
        links: the links.
        accounts: their accounts.
        impacts: impact classes of what its passport grants.
    """

    agent: str
    kind: str
    links: tuple[Link, ...]
    accounts: tuple[Envelope, ...]
    impacts: frozenset[Impact]


@dataclass(frozen=True, slots=True)
class NextLimit:
    """The limit that stops something soonest.

    Args:
        actions: about how many decisions it leaves at the rate so far; None for time.
        agent: holder of the link.
        decimals: of the amounts.
        kind: of the link, `standing` for a quota.
        left: what is left, in the unit's smallest parts; of authority, down to what the class needs.
        limit: the whole of it.
        unit: of a budget or quota, or `authority`.
        used: what is gone.
        impact: of authority, the class that stops; empty otherwise.
    """

    actions: int | None
    agent: str
    decimals: int
    kind: str
    left: int
    limit: int
    unit: str
    used: int
    impact: str = ""


def find_next_limit(
    limits: Iterable[tuple[str, str, Limit]], chains: Sequence[LiveChain], *, steps: int, tainted: bool, now_us: int
) -> NextLimit | None:
    """The limit of the live links that leaves the fewest decisions; None where nothing was spent.

    Args:
        limits: (agent, kind of link, limit).
        chains: the live links with their decay.
        steps: decisions of the session so far.
        tainted: whether the session was exposed.
        now_us: the time, microseconds.
    """
    candidates = [
        (max(item.limit - item.used, 0) * steps // item.used, -item.used * 1_000_000 // max(item.limit, 1), i, found)
        for i, (agent, kind, item) in enumerate(limits)
        if item.used > 0
        for found in [_make_counted(agent, kind, item, steps)]
    ]
    candidates += [
        (found.actions or 0, -found.used * 1_000_000 // max(found.limit, 1), -1 - i, found)
        for i, chain in enumerate(chains)
        for found in [_find_authority_limit(chain, tainted=tainted, now_us=now_us)]
        if found is not None
    ]
    return min(candidates, key=lambda item: item[:3])[-1] if candidates else None


def _make_counted(agent: str, kind: str, item: Limit, steps: int) -> NextLimit:
    left = max(item.limit - item.used, 0)
    actions = left * steps // item.used if item.unit != "time" else None
    return NextLimit(actions, agent, item.decimals, kind, left, item.limit, item.unit, item.used)


def _find_authority_limit(chain: LiveChain, *, tainted: bool, now_us: int) -> NextLimit | None:
    """The class of actions that a link's authority stops next; the least demanding one where all have stopped."""
    account = chain.accounts[-1]
    taken = account.total("step") - account.base_step
    if taken <= 0 or not chain.impacts:
        return None
    risk_each = -(-(account.total("risk") - account.base_risk) // taken)
    us_each = max(now_us - account.since_us, 0) // taken

    def authority_after(decisions: int, impact: Impact) -> int:
        points = RISK_POINTS[impact] * (2 if tainted and impact is not Impact.READ else 1)
        charges = (("step", decisions + 1), ("risk", decisions * risk_each + points))
        return compute_effective_authority(chain.links, chain.accounts, now_us + decisions * us_each, charges)

    def count_decisions(impact: Impact) -> int:
        return _find_largest(lambda decisions: authority_after(decisions, impact) >= levels[impact]) + 1

    levels = {impact: find_floor(chain.links, impact) for impact in chain.impacts}
    possible = [impact for impact, level in levels.items() if level > 0 and authority_after(0, impact) >= level]
    if not possible:
        impact, actions = min(levels, key=lambda item: (levels[item], item.value)), 0
    else:
        counts = {item: count_decisions(item) for item in possible}
        impact = min(possible, key=lambda item: (counts[item], item.value))
        actions = counts[impact]
    full = min(link.decay.authority for link in chain.links if link.decay is not None)
    now = compute_effective_authority(chain.links, chain.accounts, now_us)
    left = max(now - levels[impact], 0)
    return NextLimit(
        actions, chain.agent, 4, chain.kind, left, max(full - levels[impact], 0), "authority", full - now, impact.value
    )


def _find_largest(holds: Callable[[int], bool]) -> int:
    """The largest number up to `_MOST_DECISIONS` for which it holds; it holds for 0, and falls once."""
    low, high = 0, _MOST_DECISIONS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
