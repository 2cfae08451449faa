"""The agents of a manifest: their budgets, how their authority falls, and who answers for them, with the defaults.

    budgets:
      step: {session: 40, ceiling: 120, per_day: 2000}       # or `step: 40`
      USD: {per_action: "500.00", session: "2000.00", ceiling: "5000.00", per_day: "20000.00", decimals: 2}
      time: 2h

An amount is a whole number of 10**-decimals of its unit. `halo_core.manifest.grant_rules` reads the grants of an agent.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from functools import partial
from typing import Any, Final, TypeVar

from halo_core.durations import DAY_S
from halo_core.manifest.defaults import (
    DEFAULT_ANSWER_WAIT_S,
    DEFAULT_BUDGETS,
    DEFAULT_CEILINGS,
    DEFAULT_DECAY,
    DEFAULT_HOLD_S,
    DEFAULT_LIFETIME_S,
    DEFAULT_NOTICE_S,
    DEFAULT_REMOVAL_NOTICE_DAYS,
    DEFAULT_SESSION_LIFETIME_S,
    DEFAULT_UNUSED_DAYS,
    MIN_SUSPENSION_RISK,
    SuspensionRule,
    UnusedGrants,
)
from halo_core.manifest.fields import (
    SECTIONS,
    read_amount,
    read_duration,
    read_integer,
    read_names,
    read_percent,
    read_texts,
    read_word,
)
from halo_core.manifest.grant_rules import MAX_NAME, GrantRule, read_rules
from halo_core.manifest.nodes import Item, did_you_mean, printable
from halo_core.model import (
    MAX_BANDS,
    RESERVED_UNITS,
    UNIT_NAME,
    ActionKind,
    Budget,
    Decay,
    Impact,
    Quota,
    same_person,
)
from halo_core.quick_dataclass import dataclass

_Limit = TypeVar("_Limit", Budget, Quota)
_MAX_TIME_S: Final = 30 * DAY_S
_MAX_HALF_LIFE_S: Final = 366 * DAY_S
_LIMIT_FIELDS: Final = {
    "step": ("session", "ceiling", "per_day"),
    "risk": ("per_action", "session", "ceiling", "per_day"),
    "time": ("session", "ceiling"),
}
_MONEY_FIELDS: Final = ("per_action", "session", "ceiling", "per_day", "decimals")
_DECAY_FIELDS: Final[dict[str, tuple[str, Callable[[Item], int | None]]]] = {
    "authority": ("authority", read_percent),
    "half_life": ("half_life_s", lambda item: read_duration(item, _MAX_HALF_LIFE_S)),
    "steps": ("half_life_steps", lambda item: read_integer(item, 1)),
    "risk": ("half_life_risk", lambda item: read_integer(item, 1)),
    "reauthorize_below": ("reauthorize_below", read_percent),
}
"""Field of the section `decay` → field of `Decay`, reader."""
PRIVILEGES: Final = ("low", "standard", "high", "critical")
_NEEDS_OWNER: Final = frozenset({"high", "critical"})
_MAX_LIFETIME_S: Final = 366 * DAY_S
_MAX_SESSION_S: Final = 30 * DAY_S
_MAX_HOLD_S: Final = 30 * DAY_S
_MAX_NOTICE_S: Final = 30 * DAY_S
_UNUSED_ACTIONS: Final = ("propose", "remove")


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Budgets of a session, ceilings of re-authorization and quotas per day, each sorted by unit."""

    session: tuple[Budget, ...] = DEFAULT_BUDGETS
    ceilings: tuple[Budget, ...] = DEFAULT_CEILINGS
    quotas: tuple[Quota, ...] = ()


def read_budgets(item: Item | None) -> AgentLimits:
    """The section `budgets`, with defaults for `step` and `risk`."""
    session = {budget.unit: budget for budget in DEFAULT_BUDGETS}
    ceilings = {budget.unit: budget for budget in DEFAULT_CEILINGS}
    quotas = {}
    for unit, member in item.mapping().items() if item is not None else ():
        if not UNIT_NAME.fullmatch(unit):
            member.fail("a unit must be a letter followed by up to 31 letters, digits or `_`", "for example USD")
            continue
        limits = _read_unit(unit, member)
        if limits is not None:
            session[unit], ceilings[unit], quota = limits
            if quota is not None:
                quotas[unit] = quota
    return AgentLimits(_sort_by_unit(session), _sort_by_unit(ceilings), _sort_by_unit(quotas))


def _sort_by_unit(limits: Mapping[str, _Limit]) -> tuple[_Limit, ...]:
    return tuple(limits[unit] for unit in sorted(limits))


def _read_unit(unit: str, item: Item) -> tuple[Budget, Budget, Quota | None] | None:
    """Budget of a session, ceiling and quota of one unit; None if something is invalid."""
    members = item.mapping(_LIMIT_FIELDS.get(unit, _MONEY_FIELDS)) if item.is_mapping() else {"session": item}
    if "session" not in members:
        item.fail("`session` is missing", "add the amount that one session may spend")
        return None
    decimals: int | None = 0
    if unit not in RESERVED_UNITS:
        decimals = read_integer(members["decimals"], 0, 15) if "decimals" in members else 2
    if decimals is None:
        return None
    amounts: dict[str, int] = {}
    limits = {name: member for name, member in members.items() if name != "decimals"}
    for name, member in limits.items():
        if unit == "time":
            value = read_duration(member, _MAX_TIME_S)
        else:
            value = read_integer(member, 1) if unit in RESERVED_UNITS else read_amount(member, decimals)
        if value is not None:
            amounts[name] = value
    if len(amounts) != len(limits) or not _check_order(members, amounts):
        return None
    session, once, quota = amounts["session"], amounts.get("per_action"), amounts.get("per_day")
    ceiling = amounts.get("ceiling", session)
    return (
        Budget(unit, session if once is None else once, session, decimals),
        Budget(unit, ceiling if once is None else once, ceiling, decimals),
        None if quota is None else Quota(unit, quota, decimals),
    )


def _check_order(members: Mapping[str, Item], amounts: Mapping[str, int]) -> bool:
    """Whether an action fits into a session, and a session into its ceiling and a day."""
    session = amounts["session"]
    wrong = {
        "per_action": (amounts.get("per_action", session) > session, "is above the limit of the session"),
        "ceiling": (amounts.get("ceiling", session) < session, "is below the session's initial limit"),
        "per_day": (amounts.get("per_day", session) < session, "is below the limit of one session"),
    }
    for name, (is_wrong, message) in wrong.items():
        if is_wrong:
            members[name].fail(f"`{name}` {message}", "raise one or lower the other")
    return not any(is_wrong for is_wrong, _ in wrong.values())


def read_decay(item: Item | None, floors: Item | None, bands: Item | None) -> Decay:
    """The sections `decay`, `floors` and `bands`, with defaults for omitted parts."""
    members = item.mapping(_DECAY_FIELDS) if item is not None else {}
    values: dict[str, Any] = {}
    for name, member in members.items():
        field, read = _DECAY_FIELDS[name]
        value = read(member)
        if (name, value) == ("authority", 0):
            member.fail("an agent without authority cannot do anything", "write a share above 0%")
        elif value is not None:
            values[field] = value
    return replace(DEFAULT_DECAY, **values, floors=_read_floors(floors), bands=_read_bands(bands))


def _read_floors(item: Item | None) -> tuple[tuple[str, int], ...]:
    """The section `floors`: authority by impact class, sorted, with defaults for omitted ones."""
    floors, words = dict(DEFAULT_DECAY.floors), [impact.value for impact in Impact]
    for name, member in item.mapping().items() if item is not None else ():
        value = read_percent(member)
        if name not in words:
            member.fail("there is no such impact class", partial(did_you_mean, name, words))
        elif value is not None:
            floors[name] = value
    return tuple(sorted(floors.items()))


def _read_bands(item: Item | None) -> tuple[tuple[int, int], ...]:
    """The section `bands`: (risk points, ceiling of authority), in order."""
    bands: list[tuple[int, int]] = []
    for member in item.sequence() if item is not None else ():
        members = member.mapping(("risk", "authority"))
        if set(members) != {"risk", "authority"}:
            if member.is_mapping():
                member.fail("a band needs `risk` and `authority`", "for example `{risk: 200, authority: 40%}`")
            continue
        points, ceiling = read_integer(members["risk"], 1), read_percent(members["authority"])
        if points is None or ceiling is None:
            continue
        if bands and (points <= bands[-1][0] or ceiling >= bands[-1][1]):
            member.fail("bands must rise in risk and fall in authority", "put them in order")
            continue
        bands.append((points, ceiling))
    if item is not None and len(bands) > MAX_BANDS:
        item.fail(f"more than {MAX_BANDS} bands", "use fewer")
    return tuple(bands)


def read_suspension(item: Item) -> SuspensionRule | None:
    """The field `suspend_at`: a risk, or `{risk: 900, notice: 1h}`."""
    members = item.mapping(("risk", "notice")) if item.is_mapping() else {"risk": item}
    if "risk" not in members:
        item.fail("`risk` is missing", "write the risk from which on it is suspended, for example 900")
        return None
    risk = read_integer(members["risk"], MIN_SUSPENSION_RISK, 1000)
    notice_s = read_duration(members["notice"], _MAX_NOTICE_S) if "notice" in members else DEFAULT_NOTICE_S
    return None if risk is None or notice_s is None else SuspensionRule(risk, notice_s)


def _read_unused_grants(item: Item) -> UnusedGrants | None:
    """The field `unused_grants`."""
    members = item.mapping(("after_days", "action", "notice_days"))
    after = read_integer(members["after_days"], 1, 3660) if "after_days" in members else DEFAULT_UNUSED_DAYS
    notice = read_integer(members["notice_days"], 1, 365) if "notice_days" in members else DEFAULT_REMOVAL_NOTICE_DAYS
    action = read_word(members["action"], _UNUSED_ACTIONS) if "action" in members else "propose"
    return None if after is None or notice is None or action is None else UnusedGrants(after, action, notice)


_READERS: Final[Mapping[str, Callable[[Item], Any]]] = {
    "answer_wait": lambda item: read_duration(item, _MAX_HOLD_S),
    "approvers": read_texts,
    "data_scope": lambda item: read_texts(item, labels=True),
    "hold_for": lambda item: read_duration(item, _MAX_HOLD_S),
    "lifetime": lambda item: read_duration(item, _MAX_LIFETIME_S),
    "owner": lambda item: item.text(most=256),
    "privilege": lambda item: read_word(item, PRIVILEGES),
    "purpose": lambda item: item.text(),
    "regulated": lambda item: read_texts(item, labels=True),
    "role": lambda item: item.text(most=MAX_NAME),
    "session_lifetime": lambda item: read_duration(item, _MAX_SESSION_S),
    "suspend_at": read_suspension,
    "unused_grants": _read_unused_grants,
}
_AGENT_FIELDS: Final = (*_READERS, *SECTIONS, "bands", "budgets", "decay", "floors", "hand_off")


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent of a manifest, before its grants are expanded.

    Args:
        owner: the responsible person, who is never an approver; empty if nobody was named.
        privilege: one of `PRIVILEGES`.
        data_scope: data labels it may reach, None for any.
        regulated: regulations that its data falls under (`pci`, `gdpr`), for the inventory.
        rules: grants by action kind; a kind without an entry was not named.
        approvers: names of those who are asked for approval.
        lifetime_s: seconds that its passport is valid.
        role: agents of one role share the answers that are remembered for them.
        hold_for_s: seconds for which an act that can wait is held for an answer.
        answer_wait_s: seconds that a run waits for an answer where nobody reads that it waits.
        suspend_at: from which risk on it is suspended; None for never.
        unused_grants: what becomes of grants that it does not use.
    """

    id: str
    owner: str
    purpose: str
    privilege: str
    data_scope: tuple[str, ...] | None
    regulated: tuple[str, ...]
    rules: Mapping[ActionKind, tuple[GrantRule, ...]]
    limits: AgentLimits
    decay: Decay
    hand_off: tuple[str, ...]
    approvers: tuple[str, ...]
    lifetime_s: int
    session_lifetime_s: int
    role: str
    hold_for_s: int
    answer_wait_s: int
    item: Item
    suspend_at: SuspensionRule | None = None
    unused_grants: UnusedGrants = field(default_factory=UnusedGrants)


def read_agent(name: str, item: Item, *, agents: Collection[str], principal: str) -> Agent:
    """Read the section of one agent; `agents` are the ids of all agents of the manifest."""
    members = item.mapping(_AGENT_FIELDS)
    values = {key: _READERS[key](member) for key, member in members.items() if key in _READERS}
    fields = {key: value for key, value in values.items() if value is not None}
    agent = Agent(
        id=name,
        owner=fields.get("owner", ""),
        purpose=fields.get("purpose", ""),
        privilege=fields.get("privilege", "standard"),
        data_scope=fields.get("data_scope"),
        regulated=fields.get("regulated", ()),
        rules={kind: read_rules(members[key]) for key, kind in SECTIONS.items() if key in members},
        limits=read_budgets(members.get("budgets")),
        decay=read_decay(members.get("decay"), members.get("floors"), members.get("bands")),
        hand_off=(read_names(members["hand_off"], agents, "agent") or ()) if "hand_off" in members else (),
        approvers=fields.get("approvers", ()),
        lifetime_s=fields.get("lifetime", DEFAULT_LIFETIME_S),
        session_lifetime_s=fields.get("session_lifetime", DEFAULT_SESSION_LIFETIME_S),
        role=fields.get("role", name),
        hold_for_s=fields.get("hold_for", DEFAULT_HOLD_S),
        answer_wait_s=fields.get("answer_wait", DEFAULT_ANSWER_WAIT_S),
        item=item,
        suspend_at=fields.get("suspend_at"),
        unused_grants=fields.get("unused_grants", UnusedGrants()),
    )
    _check_agent(agent, members, principal)
    return agent


def _check_agent(agent: Agent, members: Mapping[str, Item], principal: str) -> None:
    """Report contradictions in an agent: a missing owner, a hand-off to itself, an approver in its chain."""
    if agent.privilege in _NEEDS_OWNER and not agent.owner and "owner" not in members:
        agent.item.fail(
            f"an agent of {agent.privilege} privilege needs an `owner`", "name the person who is responsible for it"
        )
    if agent.id in agent.hand_off:
        members["hand_off"].fail("an agent cannot hand off to itself", "remove it")
    chain = {"owner": agent.owner, "agent": agent.id, "principal": principal}
    for approver in agent.approvers:
        for role, somebody in chain.items():
            if somebody and same_person(approver, somebody):
                # INVARIANT: BIND - such an answer would be refused at run time.
                members["approvers"].fail(
                    f"`{printable(approver)}` is the {role} and cannot approve", "name a person outside the chain"
                )
