"""Room: `halo budget`. Takes: a store. Gives: what a session may still spend, link by link. Never: writes, decides.

standing passport ── day quotas, over all sessions
└─ session link ── what this session may spend, and the ceiling that no re-authorization passes
   └─ hand-off links ── less than that; what they spend is spent by everybody above as well
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.authority import authority_of
from halo_core.cli.budget_page import page
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.sessions import LIVE, Node, Tree, agents_of, chosen, sessions_of, trees
from halo_core.cli.words import cell, percent
from halo_core.clock import SystemClock, iso
from halo_core.model import Envelope, Link
from halo_core.query import one_tenant
from halo_core.store import SessionState
from halo_core.store.reader import Reader

__all__ = ["AgentOption", "SessionArgument", "budget"]

_US: Final = 1_000_000

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id of a session, or its start (default: the newest).")
]
AgentOption = Annotated[str, typer.Option("--agent", help="Only sessions and links of this agent.")]


def budget(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    everything: Annotated[bool, typer.Option("--all", help="A table of all sessions.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Show what a session spent and may still spend, down every hand-off."""
    _, url = where(home, db)
    now_us = SystemClock().now_us()
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        found = sessions_of(reader, whose, agent)
        state = chosen(found, session)
        wanted = found if everything else [state] if state is not None else []
        told = [_told(one, trees(reader, whose, one, now_us, agent), now_us) for one in wanted]
    if json:
        print_json(told if everything else told[0] if told else None)
    elif not told:
        whose = f"no session of `{agent[:64]}`" if agent else "no session"
        console().print(f"{whose} has a passport in force: nothing ran yet", markup=False)
    elif everything:
        console().print(_table(told))
    else:
        view = console()
        for line in page(told[0], min(view.width, 100)):
            view.print(line)
    return Exit.OK


# what is told


@dataclass(frozen=True, slots=True)
class _Above:
    """What the links above leave: unit → amount, their accounts, their names."""

    left: dict[str, int]
    decaying: tuple[tuple[Link, Envelope], ...] = ()
    names: tuple[str, ...] = ()


def _told(state: SessionState, found: list[Tree], now_us: int) -> dict[str, Any]:
    view = state.view
    now_us = max(now_us, view.high_water_us)
    standing = [_standing(tree, age_s=(now_us - view.opened_us) // _US, now_us=now_us) for tree in found]
    return {
        "agents": list(agents_of(state)),
        "first": _first(standing, view.steps),
        "now_us": now_us,
        "opened_us": view.opened_us,
        "seen_us": view.high_water_us,
        "session": view.id,
        "standing": standing,
        "steps": view.steps,
    }


def _standing(tree: Tree, *, age_s: int, now_us: int) -> dict[str, Any]:
    link = tree.standing
    quotas = [
        {
            "decimals": quota.decimals,
            "left": max(quota.per_day - tree.day[quota.unit], 0),
            "per_day": quota.per_day,
            "unit": quota.unit,
            "used": tree.day[quota.unit],
        }
        for quota in link.quotas
    ]
    above = _Above({quota.unit: max(quota.per_day - tree.day[quota.unit], 0) for quota in link.quotas})
    ceilings = {item.unit: item.subtree for item in link.budgets}
    return {
        "agent": link.agent,
        "hash": link.hash,
        "links": [_node(node, above, ceilings, age_s=age_s, now_us=now_us) for node in tree.roots],
        "owner": link.owner,
        "principal": link.principal,
        "quotas": quotas,
        "until_s": link.expires_at_s,
    }


def _node(node: Node, above: _Above, ceilings: dict[str, int], *, age_s: int, now_us: int) -> dict[str, Any]:
    account, link, live = node.account, node.link, node.status == LIVE
    units = [_unit(item, account.envelope, above, ceilings, age_s=age_s) for item in link.budgets]
    decaying = (*above.decaying, (link, account.envelope))
    below = _Above({item["unit"]: item["left"] for item in units}, decaying, (*above.names, account.agent))
    return {
        "agent": account.agent,
        "authority": _authority(decaying, now_us) if live else None,
        "debits": list(above.names),
        "epoch": account.envelope.epoch,
        "handle": account.handle,
        "hash": link.hash,
        "kind": link.kind.value,
        # A ceiling is the session link's: a hand-off is narrowed for good.
        "links": [_node(child, below, {}, age_s=age_s, now_us=now_us) for child in node.below],
        "status": node.status,
        "units": units,
        "until_s": link.expires_at_s,
    }


def _unit(item: Any, envelope: Envelope, above: _Above, ceilings: dict[str, int], *, age_s: int) -> dict[str, Any]:
    reserved, committed = next(((held, done) for unit, held, done in envelope.spent if unit == item.unit), (0, 0))
    if item.unit == "time":
        committed = age_s
    own = max(item.subtree - reserved - committed, 0)
    return {
        "ceiling": ceilings.get(item.unit),
        "committed": committed,
        "decimals": item.decimals,
        "left": min(own, above.left.get(item.unit, own)),
        "limit": item.subtree,
        "per_action": item.per_action,
        "reserved": reserved,
        "unit": item.unit,
    }


def _authority(decaying: Sequence[tuple[Link, Envelope]], now_us: int) -> int:
    return min(authority_of(link.decay, account, now_us) for link, account in decaying if link.decay is not None)


# which runs out first


def _first(standing: list[dict[str, Any]], steps: int) -> dict[str, Any] | None:
    """The limit of the live links that is used up the most, None where nothing was spent."""
    worst: dict[str, Any] | None = None
    for link, unit in _limits(standing):
        used = unit["used"]
        left = max(unit["limit"] - used, 0)
        if used <= 0 or (worst is not None and used * worst["limit"] <= worst["used"] * unit["limit"]):
            continue
        actions = left * steps // used if unit["unit"] != "time" else None
        worst = {
            "actions": actions,
            "agent": link["agent"],
            "decimals": unit["decimals"],
            "kind": link.get("kind", "standing"),
            "left": left,
            "limit": unit["limit"],
            "unit": unit["unit"],
            "used": used,
        }
    return worst


def _limits(standing: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for tree in standing:
        for quota in tree["quotas"]:
            yield tree, {**quota, "limit": quota["per_day"]}
        stack = list(tree["links"])
        while stack:
            link = stack.pop(0)
            if link["status"] == LIVE:
                yield from ((link, {**unit, "used": unit["committed"] + unit["reserved"]}) for unit in link["units"])
                stack += link["links"]


def _table(told: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("session", "agents", "epoch", "steps", "authority", "runs out first", "last seen"):
        table.add_column(title, overflow="fold", no_wrap=title not in ("session", "agents"))
    for one in told:
        roots = [link for tree in one["standing"] for link in tree["links"]]
        first = one["first"]
        table.add_row(
            cell(one["session"]),
            cell(", ".join(one["agents"])),
            ", ".join(str(link["epoch"]) for link in roots),
            f"{one['steps']:,}",
            ", ".join(percent(link["authority"]) for link in roots),
            cell(f"{first['unit']}, {100 * first['used'] // max(first['limit'], 1)}% used") if first else "-",
            iso(one["seen_us"])[:19] + "Z",
        )
    return table
