"""Room: sessions and their accounts, for the verbs that show them. Takes: a store. Gives: who spent what. Never: writes.

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
from halo_core.store import SessionState
from halo_core.store.reader import Reader

__all__ = ["LIVE", "Node", "Opened", "SessionOf", "agents_of", "chosen", "day_used", "links", "opened", "sessions_of"]

LIVE: Final = "live"
_DAY_US: Final = 86_400_000_000
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class SessionOf:
    """A session's row."""

    state: SessionState

    @property
    def id(self) -> str:
        """Its id."""
        return self.state.view.id

    @property
    def agents(self) -> tuple[str, ...]:
        """Who has a live link in it, each once, whoever came by itself first."""
        return agents_of(self.state)


@dataclass(slots=True)
class Node:
    """One decaying link of a session with its account.

    Args:
        handle: name of the account within the session.
        agent: who holds it.
        link: in force, or the last there was.
        envelope: its counters.
        status: `live`, `handed back`, or `withdrawn` where the giver could give it no longer.
        parent: handle of the account above, empty for a session link.
        children: links below it.
    """

    handle: str
    agent: str
    link: Link
    envelope: Envelope
    status: str
    parent: str
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session's tree under one standing link.

    Args:
        state: its row.
        standing: the link the sessions of this agent begin with.
        day: (unit, used) of today's quotas.
        roots: session links, each with what was handed on below it.
    """

    state: SessionState
    standing: Link
    day: Mapping[str, int]
    roots: tuple[Node, ...]


def agents_of(state: SessionState) -> tuple[str, ...]:
    """Agents with a live link, those that came by themselves first."""
    named = [account.agent for account in sorted(state.links, key=lambda account: bool(account.parent))]
    return tuple(dict.fromkeys(named))


def sessions_of(reader: Reader, tenant: str, agent: str = "") -> list[SessionOf]:
    """Sessions of a tenant in which somebody has a passport, the newest last.

    Raises:
        Tampered: a row cannot be read.
    """
    found = []
    for whose, name, _, data in reader.states():
        if whose == tenant:
            one = SessionOf(_state(data, name))
            if one.agents and agent in ("", *one.agents):
                found.append(one)
    return sorted(found, key=lambda one: (one.state.view.high_water_us, one.id))


def _state(data: Any, name: str) -> SessionState:
    try:
        return SessionState.from_bytes(data)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise Tampered(
            "session_altered", f"the row of session `{name}` cannot be read", remedy="run `halo verify`"
        ) from exc


def chosen(found: list[SessionOf], name: str, agent: str = "") -> SessionOf | None:
    """The session of this id, or whose id starts so; without a name the newest, None where there is none.

    Raises:
        ConfigError: `no_such_session`, none or several.
    """
    if not name:
        return found[-1] if found else None
    exact = [one for one in found if one.id == name]
    hits = exact or [one for one in found if one.id.startswith(name)]
    if len(hits) == 1:
        return hits[0]
    ids = [one.id for one in found]
    near = get_close_matches(name, ids, 1)
    known = f"the newest are {', '.join(ids[: -_SHOWN - 1 : -1])}" if ids else "none has begun"
    of = f" of `{agent[:64]}`" if agent else ""
    raise ConfigError(
        "no_such_session",
        f"{len(hits) or 'no'} session{'s' if len(hits) > 1 else ''}{of} begin{'' if hits else 's'} with `{name[:64]}`",
        field="SESSION",
        remedy=f"did you mean `{near[0]}`" if near else known,
    )


def links(reader: Reader, tenant: str, hashes: list[str]) -> tuple[Link, ...]:
    """The links of these hashes, root first, as the store keeps them.

    Raises:
        Tampered: one is missing, or is not what its hash says.
    """
    try:
        return links_of(reader, tenant, hashes)
    except PassportError as exc:
        raise Tampered("passport_altered", f"a passport cannot be read: {exc}", remedy="run `halo verify`") from exc


def opened(reader: Reader, tenant: str, one: SessionOf, agent: str = "") -> list[Opened]:
    """The trees of a session, one for each standing link that somebody came with; of one agent if it is named.

    Raises:
        Tampered: a link is not what its hash says.
    """
    nodes = {node.handle: node for node in _nodes(reader, tenant, one)}
    for node in nodes.values():
        if node.parent in nodes:
            nodes[node.parent].children.append(node)
    trees: dict[str, list[Node]] = {}
    roots = {account.handle: account.root for account in one.state.links}
    for node in nodes.values():
        if not node.parent and node.handle in roots and agent in ("", *_names(node)):
            trees.setdefault(roots[node.handle], []).append(node)
    found = []
    for root, below in trees.items():
        standing = links(reader, tenant, [root])[0]
        found.append(Opened(one.state, standing, {}, tuple(below)))
    return found


def _names(node: Node) -> Iterator[str]:
    yield node.agent
    for child in node.children:
        yield from _names(child)


def _nodes(reader: Reader, tenant: str, one: SessionOf) -> Iterator[Node]:
    for account in one.state.links:
        path = [item.hash for item in one.state.path(account.handle)]
        link = links(reader, tenant, [account.root, *path])[-1]
        yield Node(account.handle, account.agent, link, account.envelope, LIVE, account.parent)
    yield from _closed(reader, tenant, one)


def _closed(reader: Reader, tenant: str, one: SessionOf) -> Iterator[Node]:
    """Hand-off links that are live no longer, by the entries: each with what was last known of its account."""
    live = {account.handle for account in one.state.links}
    made: dict[str, Mapping[str, Any]] = {}
    handle_of: dict[str, str] = {}
    spent: dict[str, dict[str, tuple[int, int]]] = {}
    back = set()
    kinds = (EntryKind.PASSPORT, EntryKind.DECISION, EntryKind.HANDBACK)
    for found in entries(reader, tenant, kinds, one.id):
        body = found.entry.body
        if found.entry.kind is EntryKind.PASSPORT:
            handle_of[body["hash"]] = body["handle"]
            if body["kind"] == LinkKind.HANDOFF.value:
                made[body["handle"]] = {**body, "at_us": found.entry.ts_us}
        elif found.entry.kind is EntryKind.DECISION:
            for handle, unit, held, done in body["after"]["budgets"]:
                spent.setdefault(handle, {})[unit] = (held, done)
        else:
            for closed in body["closed"]:
                back.add(closed["handle"])
                spent[closed["handle"]] = {unit: (held, done) for unit, held, done in closed["spent"]}
    parents = {name: body["parent"] for name, body in _by_hash(reader, tenant, one.id).items()}
    for handle, body in made.items():
        if handle not in live:
            link = links(reader, tenant, _path(parents, body["hash"]))[-1]
            counters = tuple((unit, *sums) for unit, sums in sorted(spent.get(handle, {}).items()))
            envelope = Envelope(link=handle, epoch=link.epoch, since_us=body["at_us"], spent=counters)
            status = "handed back" if handle in back else "withdrawn"
            yield Node(handle, body["agent"], link, envelope, status, handle_of.get(body["parent"], ""))


def _by_hash(reader: Reader, tenant: str, session: str) -> dict[str, Mapping[str, Any]]:
    found = entries(reader, tenant, (EntryKind.PASSPORT,), session)
    return {item.entry.body["hash"]: item.entry.body for item in found}


def _path(parents: Mapping[str, str], name: str) -> list[str]:
    path = [name]
    while path[0] in parents and parents[path[0]] not in path:
        path.insert(0, parents[path[0]])
    return path


def day_used(reader: Reader, tenant: str, standing: Link, now_us: int) -> dict[str, int]:
    """What was used today of each quota of a standing link.

    Raises:
        Tampered: the row cannot be read.
    """
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
