"""Which limit of a session is reached first at the current rate: a budget, a quota, time or authority."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from halo_core.authority import RISK_POINTS, compute_effective_authority, find_floor
from halo_core.model import Envelope, Impact, Link
from halo_core.quick_dataclass import dataclass

_MOST_DECISIONS: Final = 10_000_000


class Limit(Protocol):
    """A counted limit of a link."""

    @property
    def unit(self) -> str:
        """The unit of its amounts."""

    @property
    def decimals(self) -> int:
        """Decimals of its amounts."""

    @property
    def used(self) -> int:
        """Amount that is spent or reserved."""

    @property
    def limit(self) -> int:
        """Highest amount that may be spent."""


@dataclass(frozen=True, slots=True)
class LiveChain:
    """The decaying links from a session link down to a live link, with their accounts.

    Args:
        agent: holder of the last link.
        kind: kind of the last link.
        links: the links.
        accounts: the account of each link.
        impacts: impact classes of the resources that the passport grants.
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
        actions: estimated number of decisions until it is reached, at the rate so far; None for time.
        agent: holder of the link.
        decimals: decimals of the amounts.
        kind: kind of the link; `standing` for a quota.
        left: amount left, in units of 10**-decimals; for authority, above what the class needs.
        limit: the whole amount, likewise.
        unit: unit of the budget or quota, or `authority`.
        used: amount used, likewise.
        impact: for authority, the class that stops; else empty.
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
    """The limit of the live links that leaves the fewest decisions; None if nothing was spent.

    Args:
        limits: (agent, kind of link, limit).
        chains: the live links with their decay.
        steps: decisions of the session so far.
        tainted: whether the session was exposed.
        now_us: the time, microseconds.
    """
    candidates = [
        (
            max(item.limit - item.used, 0) * steps // item.used,
            -item.used * 1_000_000 // max(item.limit, 1),
            i,
            counted_limits,
        )
        for i, (agent, kind, item) in enumerate(limits)
        if item.used > 0
        for counted_limits in [_make_counted(agent, kind, item, steps)]
    ]
    candidates += [
        (
            counted_limits.actions or 0,
            -counted_limits.used * 1_000_000 // max(counted_limits.limit, 1),
            -1 - i,
            counted_limits,
        )
        for i, chain in enumerate(chains)
        for counted_limits in [_find_authority_limit(chain, tainted=tainted, now_us=now_us)]
        if counted_limits is not None
    ]
    return min(candidates, key=lambda item: item[:3])[-1] if candidates else None


def _make_counted(agent: str, kind: str, item: Limit, steps: int) -> NextLimit:
    remaining = max(item.limit - item.used, 0)
    actions = remaining * steps // item.used if item.unit != "time" else None
    return NextLimit(actions, agent, item.decimals, kind, remaining, item.limit, item.unit, item.used)


def _find_authority_limit(chain: LiveChain, *, tainted: bool, now_us: int) -> NextLimit | None:
    """The impact class whose floor a link's authority reaches next; the lowest floor where it is below all of them."""
    account = chain.accounts[-1]
    steps_taken = account.total("step") - account.base_step
    if steps_taken <= 0 or not chain.impacts:
        return None
    risk_each = -(-(account.total("risk") - account.base_risk) // steps_taken)
    us_each = max(now_us - account.since_us, 0) // steps_taken

    def authority_after(decisions: int, impact: Impact) -> int:
        points = RISK_POINTS[impact] * (2 if tainted and impact is not Impact.READ else 1)
        charges = (("step", decisions + 1), ("risk", decisions * risk_each + points))
        return compute_effective_authority(chain.links, chain.accounts, now_us + decisions * us_each, charges)

    def count_decisions(impact: Impact) -> int:
        return find_largest(lambda decisions: authority_after(decisions, impact) >= levels[impact], _MOST_DECISIONS) + 1

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
    remaining = max(now - levels[impact], 0)
    return NextLimit(
        actions,
        chain.agent,
        4,
        chain.kind,
        remaining,
        max(full - levels[impact], 0),
        "authority",
        full - now,
        impact.value,
    )


def find_largest(holds: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` for which `holds`, which is true for 0 and false from some number on."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low
