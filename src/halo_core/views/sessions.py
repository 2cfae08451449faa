"""Sessions: who took part, what was spent and what may still be spent, link by link.

Live links are read from the session's row, links that were handed back from the entries.

standing passport ── day quotas, over all sessions
└─ session link ── what this session may spend, and the ceiling that no re-authorization passes
   └─ hand-off links ── less than that; what they spend is spent by all links above as well
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from difflib import get_close_matches
from typing import Any, Final

from halo_core.authority import compute_authority, renew_account
from halo_core.crypto import canonical
from halo_core.durations import DAY_US, SECOND_US
from halo_core.enforcement.passport_store import is_resumed_at
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError, PassportError, Tampered
from halo_core.model import Budget, EntryKind, Envelope, Impact, Link, LinkKind
from halo_core.oversight.signed_entries import load_links
from halo_core.quick_dataclass import dataclass
from halo_core.store.quota_rows import make_quota_account
from halo_core.store.reader import Reader, Stream, read_entries
from halo_core.store.session_state import Account, SessionState
from halo_core.views import View
from halo_core.views.next_limits import LiveChain, NextLimit, find_next_limit

LIVE: Final = "live"
_MAX_SUGGESTIONS: Final = 5


@dataclass(slots=True)
class LinkNode:
    """One decaying link of a session with its account.

    Args:
        account: its account; for a link that is gone, as last recorded.
        link: the link; the newest one of its epochs.
        status: `live`, `handed back`, or `withdrawn` (its parent was replaced or ended).
        children: links that were handed on under it.
    """

    account: Account
    link: Link
    status: str = LIVE
    children: list[LinkNode] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PassportTree:
    """What a session holds under one standing link.

    Args:
        standing_link: the link that its sessions begin with.
        day: unit → amount of its quota that was used today, over all sessions.
        roots: the session links.
        impacts: impact classes of the resources that the standing link grants.
    """

    standing_link: Link
    day: Mapping[str, int]
    roots: tuple[LinkNode, ...]
    impacts: frozenset[Impact] = frozenset()


# which session


def list_live_agents(state: SessionState) -> tuple[str, ...]:
    """Agents with a live link, those with a session link of their own first."""
    agents = [account.agent for account in sorted(state.links, key=lambda account: bool(account.parent))]
    return tuple(dict.fromkeys(agents))


def load_sessions(reader: Reader, tenant: str, agent: str) -> list[SessionState]:
    """Sessions in which any agent, or this one, has a live link; the newest last.

    Raises:
        Tampered: a row cannot be read.
    """
    states = [
        _name_session(reader, tenant, _parse_state(data, name))
        for owner, name, _, data in reader.rows(Stream.SESSION_STATES)
        if owner == tenant
    ]
    live_states = [state for state in states if state.links and agent in ("", *list_live_agents(state))]
    return sorted(live_states, key=lambda state: (state.view.high_water_us, state.view.id))


def _name_session(reader: Reader, tenant: str, state: SessionState) -> SessionState:
    if reader.names is None:
        return state
    return replace(state, view=replace(state.view, id=reader.names.show_session(tenant, state.view.id)))


def _parse_state(data: Any, name: str) -> SessionState:
    try:
        return SessionState.from_bytes(data)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Tampered(
            "session_altered", f"the row of session `{name}` cannot be read", remedy="run `halo verify`"
        ) from exc


def choose_session(states: list[SessionState], name: str) -> SessionState | None:
    """The session whose id is or starts with `name`; without a name the newest one, None if there is none.

    Raises:
        ConfigError: `no_such_session`, none or several.
    """
    if not name:
        return states[-1] if states else None
    ids = [state.view.id for state in states]
    hits = [state for state in states if state.view.id == name] or [
        state for state in states if state.view.id.startswith(name)
    ]
    if len(hits) == 1:
        return hits[0]
    matches = get_close_matches(name, ids, 1)
    newest_text = f"the newest are {', '.join(ids[: -_MAX_SUGGESTIONS - 1 : -1])}" if ids else "there is no session yet"
    problem = f"{len(hits)} sessions begin with" if hits else "no session is named"
    raise ConfigError(
        "no_such_session",
        f"{problem} `{name[:64]}`",
        field="SESSION",
        remedy=f"did you mean `{matches[0]}`" if matches else newest_text,
    )


# what it holds


def load_session_links(reader: Reader, tenant: str, hashes: list[str]) -> tuple[Link, ...]:
    """The stored links with these hashes, root first.

    Raises:
        Tampered: one is missing, or does not have its hash.
    """
    try:
        return load_links(reader, tenant, hashes)
    except PassportError as exc:
        raise Tampered("passport_altered", f"a passport cannot be read: {exc}", remedy="run `halo verify`") from exc


def load_trees(reader: Reader, tenant: str, state: SessionState, now_us: int, agent: str) -> list[PassportTree]:
    """The links of a session, a tree for each standing link; only trees with this agent, if one is named.

    Raises:
        Tampered: a link or a sum was changed.
    """
    nodes = {node.account.handle: node for node in _load_nodes(reader, tenant, state)}
    user = _find_user(reader, tenant, state)
    resources = [RegisteredResource.from_bytes(spec).resource for _, spec in reader.resources(tenant)]
    roots: dict[str, list[LinkNode]] = {}
    for node in nodes.values():
        parent = nodes.get(node.account.parent)
        if parent is not None:
            parent.children.append(node)
        elif node.status == LIVE:
            roots.setdefault(node.account.root, []).append(node)
    session_trees = []
    for root, root_nodes in roots.items():
        selected = tuple(node for node in root_nodes if agent in ("", *_iterate_agents(node)))
        if selected:
            standing_link = load_session_links(reader, tenant, [root])[0]
            day = _load_day_usage(reader, tenant, standing_link, user, now_us)
            grants = standing_link.grants
            impacts = frozenset(item.impact for item in resources if item.id in grants.get(item.kind, {}))
            session_trees.append(PassportTree(standing_link, day, selected, impacts))
    return session_trees


def _iterate_agents(node: LinkNode) -> Iterator[str]:
    yield node.account.agent
    for child in node.children:
        yield from _iterate_agents(child)


def _load_nodes(reader: Reader, tenant: str, state: SessionState) -> Iterator[LinkNode]:
    for account in state.links:
        path = [item.hash for item in state.path_to(account.handle)]
        yield LinkNode(account, load_session_links(reader, tenant, [account.root, *path])[-1])
    yield from _load_closed_nodes(reader, tenant, state)


def _load_closed_nodes(reader: Reader, tenant: str, state: SessionState) -> Iterator[LinkNode]:
    """Hand-off links that are no longer live, from the entries, each with its account as last recorded."""
    passports: dict[str, Mapping[str, Any]] = {}
    spent: dict[str, dict[str, tuple[int, int]]] = {}
    back = set()
    kinds = (EntryKind.PASSPORT, EntryKind.DECISION, EntryKind.HANDBACK)
    for record in read_entries(reader, tenant, kinds, state.view.id):
        body = record.entry.body
        if record.entry.kind is EntryKind.PASSPORT:
            passports[body["hash"]] = {**body, "at_us": record.entry.ts_us}
        elif record.entry.kind is EntryKind.DECISION:
            for handle, unit, reserved, done in body["after"]["budgets"]:
                spent.setdefault(handle, {})[unit] = (reserved, done)
        else:
            for closed in body["closed"]:
                back.add(closed["handle"])
                spent[closed["handle"]] = {unit: (reserved, done) for unit, reserved, done in closed["spent"]}
    live = {account.handle for account in state.links}
    last = {body["handle"]: body for body in passports.values() if body["kind"] == LinkKind.HANDOFF.value}
    for handle, body in last.items():
        if handle not in live:
            path = _trace_path(passports, body["hash"])
            link = load_session_links(reader, tenant, path)[-1]
            sums = tuple((unit, reserved, done) for unit, (reserved, done) in sorted(spent.get(handle, {}).items()))
            envelope = Envelope(link=handle, epoch=link.epoch, since_us=body["at_us"], spent=sums)
            parent = passports[body["parent"]]["handle"] if body["parent"] in passports else ""
            account = Account(handle, body["hash"], path[0], parent, body["agent"], envelope)
            yield LinkNode(account, link, "handed back" if handle in back else "withdrawn")


def _trace_path(passports: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    path = [name]
    while path[0] in passports and passports[path[0]]["parent"] not in path:
        path.insert(0, passports[path[0]]["parent"])
    return path


def _find_user(reader: Reader, tenant: str, state: SessionState) -> str:
    """Reference of the person for whom the session's newest decision was made; empty for nobody."""
    user = ""
    for record in read_entries(reader, tenant, (EntryKind.DECISION,), state.view.id):
        user = str(record.entry.body["request"]["subject"]["user"])
    return user


def _load_day_usage(reader: Reader, tenant: str, standing_link: Link, user: str, now_us: int) -> dict[str, int]:
    used = {quota.unit: 0 for quota in standing_link.quotas}
    wanted = make_quota_account(standing_link, user)
    for owner, account, _, data in reader.rows(Stream.QUOTAS):
        if (owner, account) != (tenant, wanted):
            continue
        try:
            fields: Any = canonical.loads(bytes(data))
            if fields["day"] >= now_us // DAY_US:
                used.update({unit: amount for unit, amount in fields["used"] if unit in used})
        except (KeyError, TypeError, ValueError) as exc:
            raise Tampered("quota_altered", "the day's sums cannot be read", remedy="run `halo verify`") from exc
    return used


@dataclass(frozen=True, slots=True)
class UnitBudget:
    """One unit of a link; amounts are in units of 10**-decimals, `time` in seconds.

    Args:
        unit: the unit.
        decimals: decimals of its amounts.
        committed: amount that is spent.
        reserved: amount that is reserved for actions whose outcome is open.
        limit: highest amount that the link and all links below it may spend.
        left: amount that the link and all links above it leave.
        per_action: highest amount of one action.
        ceiling: limit that no re-authorization exceeds; None except for a session link.
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
        """Amount that is spent or reserved."""
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
        """Highest amount in a day."""
        return self.per_day


@dataclass(frozen=True, slots=True)
class LinkBudget:
    """A session or hand-off link with its budget.

    Args:
        agent: holder of the link.
        authority: authority of the chain now, millionths; None if the link is not live.
        debits: agents of the links above it, which are charged with what it spends, root first.
        epoch: epoch of its account.
        handle: name of its account.
        hash: hash of the link.
        kind: `session` or `handoff`.
        links: links below it.
        status: see `LinkNode`.
        units: its units.
        until_s: end of the link, seconds since the epoch.
    """

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
class SessionBudget(View):
    """What a session has spent and may spend, by standing link.

    Args:
        agents: agents with a live link.
        first: the limit that runs out first; None if nothing was spent.
        now_us: the time of the answer, microseconds since the epoch, as all times here.
        opened_us: when the session was opened.
        seen_us: newest time that the session has seen.
        session: name or reference of the session.
        standing: the standing links.
        steps: number of decisions.
    """

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
    if is_resumed_at(view.high_water_us, now_us) and not state.pending:
        trees = [replace(tree, roots=tuple(_renew_node(node, now_us) for node in tree.roots)) for tree in trees]
    age_s = (now_us - view.opened_us) // SECOND_US
    passports = tuple(_build_passport(tree, age_s, now_us) for tree in trees)
    return SessionBudget(
        agents=list_live_agents(state),
        first=find_next_limit(
            _iterate_limits(passports),
            tuple(_iterate_chains(trees)),
            steps=view.steps,
            tainted=view.tainted,
            now_us=now_us,
        ),
        now_us=now_us,
        opened_us=view.opened_us,
        seen_us=view.high_water_us,
        session=view.id,
        standing=passports,
        steps=view.steps,
    )


def _renew_node(node: LinkNode, now_us: int) -> LinkNode:
    """A live link and those below it with the accounts that they get when the next decision resumes the session."""
    if node.status != LIVE:
        return node
    envelope = renew_account(node.account.envelope, epoch=1, since_us=now_us)
    account = replace(node.account, envelope=envelope)
    return replace(node, account=account, children=[_renew_node(child, now_us) for child in node.children])


@dataclass(frozen=True, slots=True)
class _ParentLimits:
    """What the links above a link leave.

    Args:
        remaining: unit → amount left.
        ceilings: unit → ceiling of a session link.
        decaying: the decaying links above with their accounts.
        names: their agents.
    """

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
    # Only a session link has ceilings, since re-authorization cannot raise the limits of a hand-off.
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


def _iterate_chains(trees: Sequence[PassportTree]) -> Iterator[LiveChain]:
    """The chain from the session link to each live link."""
    for tree in trees:
        stack: list[tuple[LinkNode, tuple[Link, ...], tuple[Envelope, ...]]] = [(node, (), ()) for node in tree.roots]
        while stack:
            node, links, accounts = stack.pop(0)
            if node.status == LIVE:
                links, accounts = (*links, node.link), (*accounts, node.account.envelope)
                yield LiveChain(node.account.agent, node.link.kind.value, links, accounts, tree.impacts)
                stack += [(child, links, accounts) for child in node.children]


def _iterate_limits(passports: Sequence[PassportBudget]) -> Iterator[tuple[str, str, QuotaUsage | UnitBudget]]:
    for passport in passports:
        yield from ((passport.agent, "standing", quota) for quota in passport.quotas)
        stack = list(passport.links)
        while stack:
            link = stack.pop(0)
            if link.status == LIVE:
                yield from ((link.agent, link.kind, unit) for unit in link.units)
                stack += link.links
