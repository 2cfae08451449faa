"""Sessions and their accounts: who spent what.

What is live stands in the session's row; what was handed back stands in the entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import ConfigError, PassportError, Tampered
from halo_core.model import EntryKind, Envelope, Link, LinkKind
from halo_core.oversight.requests import load_links
from halo_core.store import Account, SessionState
from halo_core.store.log import read_entries
from halo_core.store.reader import Reader, Stream

LIVE: Final = "live"
_DAY_US: Final = 86_400_000_000
_MAX_SUGGESTIONS: Final = 5


@dataclass(slots=True)
class LinkNode:
    """One decaying link of a session with its account.

    Args:
        account: as it stands, or as it last stood.
        link: in force, or the last there was.
        status: `live`, `handed back`, or `withdrawn` where its giver could give it no longer.
        children: what was handed on under it.
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
        day: unit → what today's sessions used of its quota.
        roots: session links.
    """

    standing_link: Link
    day: Mapping[str, int]
    roots: tuple[LinkNode, ...]


# which session


def list_live_agents(state: SessionState) -> tuple[str, ...]:
    """Agents with a live link, those that came by themselves first."""
    agents = [account.agent for account in sorted(state.links, key=lambda account: bool(account.parent))]
    return tuple(dict.fromkeys(agents))


def load_sessions(reader: Reader, tenant: str, agent: str = "") -> list[SessionState]:
    """Sessions in which somebody, or this agent, has a passport; the newest last.

    Raises:
        Tampered: a row cannot be read.
    """
    states = [
        _parse_state(data, name) for owner, name, _, data in reader.rows(Stream.SESSION_STATES) if owner == tenant
    ]
    live_states = [state for state in states if state.links and agent in ("", *list_live_agents(state))]
    return sorted(live_states, key=lambda state: (state.view.high_water_us, state.view.id))


def _parse_state(data: Any, name: str) -> SessionState:
    try:
        return SessionState.from_bytes(data)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Tampered(
            "session_altered", f"the row of session `{name}` cannot be read", remedy="run `halo verify`"
        ) from exc


def choose_session(states: list[SessionState], name: str) -> SessionState | None:
    """The session of this id, or the one whose id starts so; without a name the newest, None where there is none.

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
    """The links of these hashes, root first, as the store keeps them.

    Raises:
        Tampered: one is missing, or is not what its hash says.
    """
    try:
        return load_links(reader, tenant, hashes)
    except PassportError as exc:
        raise Tampered("passport_altered", f"a passport cannot be read: {exc}", remedy="run `halo verify`") from exc


def load_trees(reader: Reader, tenant: str, state: SessionState, now_us: int, agent: str = "") -> list[PassportTree]:
    """What a session holds, a tree for each standing link; of one agent if it is named.

    Raises:
        Tampered: a link or a sum is not what it should be.
    """
    nodes = {node.account.handle: node for node in _load_nodes(reader, tenant, state)}
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
            session_trees.append(
                PassportTree(standing_link, _load_day_usage(reader, tenant, standing_link, now_us), selected)
            )
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
    """Hand-off links that are live no longer, by the entries: each with what was last known of its account."""
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


def _load_day_usage(reader: Reader, tenant: str, standing_link: Link, now_us: int) -> dict[str, int]:
    used = {quota.unit: 0 for quota in standing_link.quotas}
    for owner, account, _, data in reader.rows(Stream.QUOTAS):
        if (owner, account) != (tenant, standing_link.envelope):
            continue
        try:
            fields: Any = canonical.loads(bytes(data))
            if fields["day"] >= now_us // _DAY_US:
                used.update({unit: amount for unit, amount in fields["used"] if unit in used})
        except (KeyError, TypeError, ValueError) as exc:
            raise Tampered("quota_altered", "the day's sums cannot be read", remedy="run `halo verify`") from exc
    return used
