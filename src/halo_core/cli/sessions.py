"""Room: sessions and their accounts, for verbs that show them. Takes: a store. Gives: who spent what. Never: writes.

What is live stands in the session's row; what was handed back stands in the entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from halo_core import canonical
from halo_core.errors import ConfigError, PassportError, Tampered
from halo_core.model import EntryKind, Envelope, Link, LinkKind
from halo_core.oversight.evidence import links_of
from halo_core.query import entries
from halo_core.store import Account, SessionState
from halo_core.store.reader import Reader

__all__ = ["LIVE", "Node", "Tree", "agents_of", "chosen", "links", "sessions_of", "trees"]

LIVE: Final = "live"
_DAY_US: Final = 86_400_000_000
_NAMED: Final = 5


@dataclass(slots=True)
class Node:
    """One decaying link of a session with its account.

    Args:
        account: as it stands, or as it last stood.
        link: in force, or the last there was.
        status: `live`, `handed back`, or `withdrawn` where its giver could give it no longer.
        below: what was handed on under it.
    """

    account: Account
    link: Link
    status: str = LIVE
    below: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Tree:
    """What a session holds under one standing link.

    Args:
        standing: the link that its sessions begin with.
        day: unit → what today's sessions used of its quota.
        roots: session links.
    """

    standing: Link
    day: Mapping[str, int]
    roots: tuple[Node, ...]


# which session


def agents_of(state: SessionState) -> tuple[str, ...]:
    """Agents with a live link, those that came by themselves first."""
    named = [account.agent for account in sorted(state.links, key=lambda account: bool(account.parent))]
    return tuple(dict.fromkeys(named))


def sessions_of(reader: Reader, tenant: str, agent: str = "") -> list[SessionState]:
    """Sessions in which somebody, or this agent, has a passport; the newest last.

    Raises:
        Tampered: a row cannot be read.
    """
    states = [_state(data, name) for whose, name, _, data in reader.states() if whose == tenant]
    found = [state for state in states if state.links and agent in ("", *agents_of(state))]
    return sorted(found, key=lambda state: (state.view.high_water_us, state.view.id))


def _state(data: Any, name: str) -> SessionState:
    try:
        return SessionState.from_bytes(data)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Tampered(
            "session_altered", f"the row of session `{name}` cannot be read", remedy="run `halo verify`"
        ) from exc


def chosen(found: list[SessionState], name: str) -> SessionState | None:
    """The session of this id, or the one whose id starts so; without a name the newest, None where there is none.

    Raises:
        ConfigError: `no_such_session`, none or several.
    """
    if not name:
        return found[-1] if found else None
    ids = [state.view.id for state in found]
    hits = [state for state in found if state.view.id == name] or [
        state for state in found if state.view.id.startswith(name)
    ]
    if len(hits) == 1:
        return hits[0]
    near = get_close_matches(name, ids, 1)
    known = f"the newest are {', '.join(ids[: -_NAMED - 1 : -1])}" if ids else "none has begun"
    what = f"{len(hits)} sessions begin with" if hits else "no session is called"
    raise ConfigError(
        "no_such_session",
        f"{what} `{name[:64]}`",
        field="SESSION",
        remedy=f"did you mean `{near[0]}`" if near else known,
    )


# what it holds


def links(reader: Reader, tenant: str, hashes: list[str]) -> tuple[Link, ...]:
    """The links of these hashes, root first, as the store keeps them.

    Raises:
        Tampered: one is missing, or is not what its hash says.
    """
    try:
        return links_of(reader, tenant, hashes)
    except PassportError as exc:
        raise Tampered("passport_altered", f"a passport cannot be read: {exc}", remedy="run `halo verify`") from exc


def trees(reader: Reader, tenant: str, state: SessionState, now_us: int, agent: str = "") -> list[Tree]:
    """What a session holds, a tree for each standing link; of one agent if it is named.

    Raises:
        Tampered: a link or a sum is not what it should be.
    """
    nodes = {node.account.handle: node for node in _nodes(reader, tenant, state)}
    roots: dict[str, list[Node]] = {}
    for node in nodes.values():
        above = nodes.get(node.account.parent)
        if above is not None:
            above.below.append(node)
        elif node.status == LIVE:
            roots.setdefault(node.account.root, []).append(node)
    found = []
    for root, below in roots.items():
        kept = tuple(node for node in below if agent in ("", *_agents(node)))
        if kept:
            standing = links(reader, tenant, [root])[0]
            found.append(Tree(standing, _day(reader, tenant, standing, now_us), kept))
    return found


def _agents(node: Node) -> Iterator[str]:
    yield node.account.agent
    for child in node.below:
        yield from _agents(child)


def _nodes(reader: Reader, tenant: str, state: SessionState) -> Iterator[Node]:
    for account in state.links:
        path = [item.hash for item in state.path(account.handle)]
        yield Node(account, links(reader, tenant, [account.root, *path])[-1])
    yield from _closed(reader, tenant, state)


def _closed(reader: Reader, tenant: str, state: SessionState) -> Iterator[Node]:
    """Hand-off links that are live no longer, by the entries: each with what was last known of its account."""
    made: dict[str, Mapping[str, Any]] = {}
    spent: dict[str, dict[str, tuple[int, int]]] = {}
    back = set()
    kinds = (EntryKind.PASSPORT, EntryKind.DECISION, EntryKind.HANDBACK)
    for found in entries(reader, tenant, kinds, state.view.id):
        body = found.entry.body
        if found.entry.kind is EntryKind.PASSPORT:
            made[body["hash"]] = {**body, "at_us": found.entry.ts_us}
        elif found.entry.kind is EntryKind.DECISION:
            for handle, unit, held, done in body["after"]["budgets"]:
                spent.setdefault(handle, {})[unit] = (held, done)
        else:
            for closed in body["closed"]:
                back.add(closed["handle"])
                spent[closed["handle"]] = {unit: (held, done) for unit, held, done in closed["spent"]}
    live = {account.handle for account in state.links}
    last = {body["handle"]: body for body in made.values() if body["kind"] == LinkKind.HANDOFF.value}
    for handle, body in last.items():
        if handle not in live:
            path = _path(made, body["hash"])
            link = links(reader, tenant, path)[-1]
            sums = tuple((unit, held, done) for unit, (held, done) in sorted(spent.get(handle, {}).items()))
            envelope = Envelope(link=handle, epoch=link.epoch, since_us=body["at_us"], spent=sums)
            parent = made[body["parent"]]["handle"] if body["parent"] in made else ""
            account = Account(handle, body["hash"], path[0], parent, body["agent"], envelope)
            yield Node(account, link, "handed back" if handle in back else "withdrawn")


def _path(made: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    path = [name]
    while path[0] in made and made[path[0]]["parent"] not in path:
        path.insert(0, made[path[0]]["parent"])
    return path


def _day(reader: Reader, tenant: str, standing: Link, now_us: int) -> dict[str, int]:
    used = {quota.unit: 0 for quota in standing.quotas}
    for whose, account, _, data in reader.quotas():
        if (whose, account) != (tenant, standing.envelope):
            continue
        try:
            plain: Any = canonical.loads(bytes(data))
            if plain["day"] >= now_us // _DAY_US:
                used.update({unit: amount for unit, amount in plain["used"] if unit in used})
        except (KeyError, TypeError, ValueError) as exc:
            raise Tampered("quota_altered", "the day's sums cannot be read", remedy="run `halo verify`") from exc
    return used
