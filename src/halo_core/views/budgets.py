"""What a session spent and may still spend, link by link.

standing passport ── day quotas, over all sessions
└─ session link ── what this session may spend, and the ceiling that no re-authorization passes
   └─ hand-off links ── less than that; what they spend is spent by all links above as well
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from halo_core.authority import compute_authority
from halo_core.model import Budget, Envelope, Link
from halo_core.store import SessionState
from halo_core.views import View
from halo_core.views.sessions import LIVE, LinkNode, PassportTree, list_live_agents

_US_PER_S: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitBudget:
    """One unit of a link, in the unit's smallest parts.

    Args:
        unit: `time` in seconds, else what is counted.
        decimals: of its amounts.
        committed: spent.
        reserved: held for actions whose outcome is open.
        limit: most that the link may spend, with all below it.
        left: what the link and all above it leave.
        per_action: most at once.
        ceiling: limit that no re-authorization passes; None but for a session link.
    """

    unit: str
    decimals: int
    committed: int
    reserved: int
    limit: int
    left: int
    per_action: int
    ceiling: int | None

    @property
    def used(self) -> int:
        """Spent or held."""
        return self.committed + self.reserved


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """One unit of a standing link's day quota."""

    unit: str
    decimals: int
    used: int
    per_day: int
    left: int

    @property
    def limit(self) -> int:
        """Most in a day."""
        return self.per_day


@dataclass(frozen=True, slots=True)
class LinkBudget:
    """A session or hand-off link: its authority in millionths, and who above it pays for what it spends."""

    agent: str
    authority: int | None
    debits: tuple[str, ...]
    epoch: int
    handle: str
    hash: str
    kind: str
    links: tuple[LinkBudget, ...]
    status: str
    units: tuple[UnitBudget, ...]
    until_s: int


@dataclass(frozen=True, slots=True)
class PassportBudget:
    """A standing link with the links of the session below it."""

    agent: str
    hash: str
    links: tuple[LinkBudget, ...]
    owner: str
    principal: str
    quotas: tuple[QuotaUsage, ...]
    until_s: int


@dataclass(frozen=True, slots=True)
class NextLimit:
    """The limit that is used up the most, and about how many decisions it leaves; None for time."""

    actions: int | None
    agent: str
    decimals: int
    kind: str
    left: int
    limit: int
    unit: str
    used: int


@dataclass(frozen=True, slots=True)
class SessionBudget(View):
    """See the module; `first` is None where nothing was spent."""

    agents: tuple[str, ...]
    first: NextLimit | None
    now_us: int
    opened_us: int
    seen_us: int
    session: str
    standing: tuple[PassportBudget, ...]
    steps: int


def build_session_budget(state: SessionState, trees: Sequence[PassportTree], now_us: int) -> SessionBudget:
    """The budget of a session at a time, microseconds since the epoch."""
    view = state.view
    now_us = max(now_us, view.high_water_us)
    age_s = (now_us - view.opened_us) // _US_PER_S
    passports = tuple(_build_passport(tree, age_s, now_us) for tree in trees)
    return SessionBudget(
        agents=list_live_agents(state),
        first=_find_next_limit(passports, view.steps),
        now_us=now_us,
        opened_us=view.opened_us,
        seen_us=view.high_water_us,
        session=view.id,
        standing=passports,
        steps=view.steps,
    )


@dataclass(frozen=True, slots=True)
class _ParentLimits:
    """What the links above leave: unit → amount, their accounts, their names."""

    remaining: Mapping[str, int]
    ceilings: Mapping[str, int] = field(default_factory=dict)
    decaying: tuple[tuple[Link, Envelope], ...] = ()
    names: tuple[str, ...] = ()


def _build_passport(tree: PassportTree, age_s: int, now_us: int) -> PassportBudget:
    link, day = tree.standing_link, tree.day
    quotas = tuple(
        QuotaUsage(item.unit, item.decimals, day[item.unit], item.per_day, max(item.per_day - day[item.unit], 0))
        for item in link.quotas
    )
    parent = _ParentLimits(
        {item.unit: item.left for item in quotas}, {item.unit: item.subtree for item in link.budgets}
    )
    links = tuple(_build_link(node, parent, age_s, now_us) for node in tree.roots)
    return PassportBudget(link.agent, link.hash, links, link.owner, link.principal, quotas, link.expires_at_s)


def _build_link(node: LinkNode, parent: _ParentLimits, age_s: int, now_us: int) -> LinkBudget:
    account, link = node.account, node.link
    units = tuple(_build_unit(item, account.envelope, parent, age_s) for item in link.budgets)
    decaying = (*parent.decaying, (link, account.envelope))
    # A ceiling is the session link's: a hand-off is narrowed for good.
    limits = _ParentLimits({item.unit: item.left for item in units}, {}, decaying, (*parent.names, account.agent))
    return LinkBudget(
        agent=account.agent,
        authority=_compute_chain_authority(decaying, now_us) if node.status == LIVE else None,
        debits=parent.names,
        epoch=account.envelope.epoch,
        handle=account.handle,
        hash=link.hash,
        kind=link.kind.value,
        links=tuple(_build_link(child, limits, age_s, now_us) for child in node.children),
        status=node.status,
        units=units,
        until_s=link.expires_at_s,
    )


def _build_unit(item: Budget, envelope: Envelope, parent: _ParentLimits, age_s: int) -> UnitBudget:
    spent = {unit: (reserved, done) for unit, reserved, done in envelope.spent}
    reserved, committed = spent.get(item.unit, (0, 0))
    committed = age_s if item.unit == "time" else committed
    own_remaining = max(item.subtree - reserved - committed, 0)
    return UnitBudget(
        unit=item.unit,
        decimals=item.decimals,
        committed=committed,
        reserved=reserved,
        limit=item.subtree,
        left=min(own_remaining, parent.remaining.get(item.unit, own_remaining)),
        per_action=item.per_action,
        ceiling=parent.ceilings.get(item.unit),
    )


def _compute_chain_authority(decaying: Sequence[tuple[Link, Envelope]], now_us: int) -> int:
    return min(compute_authority(link.decay, account, now_us) for link, account in decaying if link.decay is not None)


def _find_next_limit(passports: Sequence[PassportBudget], steps: int) -> NextLimit | None:
    """The limit of the live links that is used up the most, None where nothing was spent."""
    worst: NextLimit | None = None
    for agent, kind, item in _iterate_limits(passports):
        if item.used > 0 and (worst is None or item.used * worst.limit > worst.used * item.limit):
            remaining = max(item.limit - item.used, 0)
            actions = remaining * steps // item.used if item.unit != "time" else None
            worst = NextLimit(actions, agent, item.decimals, kind, remaining, item.limit, item.unit, item.used)
    return worst


def _iterate_limits(passports: Sequence[PassportBudget]) -> Iterator[tuple[str, str, QuotaUsage | UnitBudget]]:
    for passport in passports:
        yield from ((passport.agent, "standing", quota) for quota in passport.quotas)
        stack = list(passport.links)
        while stack:
            link = stack.pop(0)
            if link.status == LIVE:
                yield from ((link.agent, link.kind, unit) for unit in link.units)
                stack += link.links
