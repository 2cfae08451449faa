"""Room: `halo budget`. Takes: a store. Gives: what a session may still spend, link by link. Never: writes, decides.

standing passport ── day quotas, over all sessions
└─ session link ── what this session may spend, and the ceiling that no re-authorization passes
   └─ hand-off links ── less than that; what they spend is spent by everybody above as well

Room: `halo authority`. Takes: a store. Gives: how a session's authority fell, and when what stops. Never: writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.authority import compute_authority
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.rendering import draw_terminal_chart, render_budget
from halo_core.clock import SystemClock, format_iso
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.model import EntryKind, Envelope, Impact, Link
from halo_core.store import SessionState
from halo_core.store.log import read_entries, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.authority_chart import draw_authority_chart
from halo_core.views.authority_curve import Curve, Floor, build_curve, compute_floors, describe_outlook
from halo_core.views.chart_layout import format_headline, lay_out
from halo_core.views.sessions import (
    LIVE,
    LinkNode,
    PassportTree,
    choose_session,
    list_live_agents,
    load_session_links,
    load_sessions,
    load_trees,
)
from halo_core.views.wording import format_percent, safe_text

__all__ = [
    "AgentOption",
    "SessionArgument",
    "authority",
    "budget",
]


_US_PER_S: Final = 1_000_000

SessionArgument = Annotated[
    str, typer.Argument(metavar="SESSION", help="Id of a session, or the first characters of it (default: the newest).")
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
    """Show what a session has spent and may still spend, for each hand-off."""
    _, url = resolve_store(home, db)
    now_us = SystemClock().now_us()
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        states = load_sessions(reader, tenant_name, agent)
        state = choose_session(states, session)
        wanted = states if everything else [state] if state is not None else []
        reports = [
            _session_to_json(item, load_trees(reader, tenant_name, item, now_us, agent), now_us) for item in wanted
        ]
    if json:
        print_json(reports if everything else reports[0] if reports else None)
    elif not reports:
        tenant_name = f"no session of `{agent[:64]}`" if agent else "no session"
        console().print(f"{tenant_name} has a passport in force", markup=False)
    elif everything:
        console().print(_build_table(reports))
    else:
        view = console()
        for line in render_budget(reports[0], min(view.width, 100)):
            view.print(line)
    return Exit.OK


# what is told


@dataclass(frozen=True, slots=True)
class _ParentLimits:
    """What the links above leave: unit → amount, their accounts, their names."""

    remaining: dict[str, int]
    decaying: tuple[tuple[Link, Envelope], ...] = ()
    names: tuple[str, ...] = ()


def _session_to_json(state: SessionState, session_trees: list[PassportTree], now_us: int) -> dict[str, Any]:
    view = state.view
    now_us = max(now_us, view.high_water_us)
    passports = [
        _tree_to_json(tree, age_s=(now_us - view.opened_us) // _US_PER_S, now_us=now_us) for tree in session_trees
    ]
    return {
        "agents": list(list_live_agents(state)),
        "first": _find_first_to_run_out(passports, view.steps),
        "now_us": now_us,
        "opened_us": view.opened_us,
        "seen_us": view.high_water_us,
        "session": view.id,
        "standing": passports,
        "steps": view.steps,
    }


def _tree_to_json(tree: PassportTree, *, age_s: int, now_us: int) -> dict[str, Any]:
    link = tree.standing_link
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
    parent = _ParentLimits({quota.unit: max(quota.per_day - tree.day[quota.unit], 0) for quota in link.quotas})
    ceilings = {item.unit: item.subtree for item in link.budgets}
    return {
        "agent": link.agent,
        "hash": link.hash,
        "links": [_node_to_json(node, parent, ceilings, age_s=age_s, now_us=now_us) for node in tree.roots],
        "owner": link.owner,
        "principal": link.principal,
        "quotas": quotas,
        "until_s": link.expires_at_s,
    }


def _node_to_json(
    node: LinkNode, parent: _ParentLimits, ceilings: dict[str, int], *, age_s: int, now_us: int
) -> dict[str, Any]:
    account, link, live = node.account, node.link, node.status == LIVE
    units = [_unit_to_json(item, account.envelope, parent, ceilings, age_s=age_s) for item in link.budgets]
    decaying = (*parent.decaying, (link, account.envelope))
    limits = _ParentLimits({item["unit"]: item["left"] for item in units}, decaying, (*parent.names, account.agent))
    return {
        "agent": account.agent,
        "authority": _compute_chain_authority(decaying, now_us) if live else None,
        "debits": list(parent.names),
        "epoch": account.envelope.epoch,
        "handle": account.handle,
        "hash": link.hash,
        "kind": link.kind.value,
        # A ceiling is the session link's: a hand-off is narrowed for good.
        "links": [_node_to_json(child, limits, {}, age_s=age_s, now_us=now_us) for child in node.children],
        "status": node.status,
        "units": units,
        "until_s": link.expires_at_s,
    }


def _unit_to_json(
    item: Any, envelope: Envelope, parent: _ParentLimits, ceilings: dict[str, int], *, age_s: int
) -> dict[str, Any]:
    reserved, committed = next(
        ((reserved_amount, done) for unit, reserved_amount, done in envelope.spent if unit == item.unit), (0, 0)
    )
    if item.unit == "time":
        committed = age_s
    own_remaining = max(item.subtree - reserved - committed, 0)
    return {
        "ceiling": ceilings.get(item.unit),
        "committed": committed,
        "decimals": item.decimals,
        "left": min(own_remaining, parent.remaining.get(item.unit, own_remaining)),
        "limit": item.subtree,
        "per_action": item.per_action,
        "reserved": reserved,
        "unit": item.unit,
    }


def _compute_chain_authority(decaying: Sequence[tuple[Link, Envelope]], now_us: int) -> int:
    return min(compute_authority(link.decay, account, now_us) for link, account in decaying if link.decay is not None)


# which runs out first


def _find_first_to_run_out(passports: list[dict[str, Any]], steps: int) -> dict[str, Any] | None:
    """The limit of the live links that is used up the most, None where nothing was spent."""
    worst: dict[str, Any] | None = None
    for link, unit in _iterate_limits(passports):
        used = unit["used"]
        remaining = max(unit["limit"] - used, 0)
        if used <= 0 or (worst is not None and used * worst["limit"] <= worst["used"] * unit["limit"]):
            continue
        actions = remaining * steps // used if unit["unit"] != "time" else None
        worst = {
            "actions": actions,
            "agent": link["agent"],
            "decimals": unit["decimals"],
            "kind": link.get("kind", "standing"),
            "left": remaining,
            "limit": unit["limit"],
            "unit": unit["unit"],
            "used": used,
        }
    return worst


def _iterate_limits(passports: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for tree in passports:
        for quota in tree["quotas"]:
            yield tree, {**quota, "limit": quota["per_day"]}
        stack = list(tree["links"])
        while stack:
            link = stack.pop(0)
            if link["status"] == LIVE:
                yield from ((link, {**unit, "used": unit["committed"] + unit["reserved"]}) for unit in link["units"])
                stack += link["links"]


def _build_table(reports: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("session", "agents", "epoch", "steps", "authority", "runs out first", "last seen"):
        table.add_column(title, overflow="fold", no_wrap=title not in ("session", "agents"))
    for report in reports:
        roots = [link for tree in report["standing"] for link in tree["links"]]
        first = report["first"]
        table.add_row(
            safe_text(report["session"]),
            safe_text(", ".join(report["agents"])),
            ", ".join(str(link["epoch"]) for link in roots),
            f"{report['steps']:,}",
            ", ".join(format_percent(link["authority"]) for link in roots),
            safe_text(f"{first['unit']}, {100 * first['used'] // max(first['limit'], 1)}% used") if first else "-",
            format_iso(report["seen_us"])[:19] + "Z",
        )
    return table


_KINDS: Final = (EntryKind.DECISION, EntryKind.PASSPORT, EntryKind.APPROVAL, EntryKind.HANDBACK)
_MAX_WIDTH: Final = 100


class Axis(StrEnum):
    """What runs along the chart."""

    TIME = "time"
    DECISIONS = "decisions"


def authority(
    session: SessionArgument = "",
    *,
    agent: AgentOption = "",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the chart as SVG.")] = None,
    by: Annotated[
        Axis | None, typer.Option("--by", help="The horizontal axis (default: the one that cost more authority).")
    ] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Draw a session's authority over time, its floors, and when which actions stop."""
    _, url = resolve_store(home, db)
    now_us = SystemClock().now_us()
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        state = choose_session(load_sessions(reader, tenant_name, agent), session)
        curve = _load_curve(reader, tenant_name, state, agent, now_us) if state is not None else None
        granted = _find_granted_impacts(reader, tenant_name, curve.link) if curve is not None else set()
    if state is None or curve is None:
        if json:
            print_json(None)
        else:
            console().print("no session has a decision under a passport yet")
        return Exit.OK
    now_us = max(now_us, state.view.high_water_us)
    floors = compute_floors(curve, now_us, granted)
    timed = None if by is None else by is Axis.TIME
    if svg is not None:
        scene = lay_out(curve, floors, now_us, timed=timed)
        title = format_headline(curve.agent, state.view.id, scene, curve.account.epoch)
        _write(svg, draw_authority_chart(scene, floors, title, describe_outlook(curve, floors, now_us)))
    if json:
        print_json(_curve_to_json(curve, floors, state.view.id, now_us))
    else:
        _print(curve, floors, state.view.id, now_us, timed=timed)
        if svg is not None:
            console().print(f"written to {svg}", markup=False)
    return Exit.OK


def _load_curve(reader: Reader, tenant: str, state: SessionState, agent: str, now_us: int) -> Curve | None:
    cache: dict[tuple[str, ...], tuple[Link, ...]] = {}

    def chain(hashes: list[str]) -> tuple[Link, ...]:
        key = tuple(hashes)
        if key not in cache:
            cache[key] = load_session_links(reader, tenant, hashes)
        return cache[key]

    roots = [account.agent for account in state.links if not account.parent]
    name = agent if agent in roots else (list_live_agents(state) or ("",))[0]
    now_us = max(now_us, state.view.high_water_us)
    return build_curve(read_entries(reader, tenant, _KINDS, state.view.id), name, chain, now_us)


def _find_granted_impacts(reader: Reader, tenant: str, link: Link) -> set[Impact]:
    """Classes of which the passport grants something."""
    resources = [RegisteredResource.from_bytes(spec).resource for _, spec in reader.resources(tenant)]
    return {item.impact for item in resources if item.id in link.grants.get(item.kind, {})}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        why, remedy = f"cannot write `{path}`: {exc.strerror}", "choose a file in a writable folder"
        raise ConfigError("no_file", why, field="svg", remedy=remedy) from exc


def _print(curve: Curve, floors: list[Floor], session: str, now_us: int, *, timed: bool | None) -> None:
    view = console()
    scene = lay_out(curve, floors, now_us, timed=timed)
    view.print(safe_text(format_headline(curve.agent, session, scene, curve.account.epoch), "bold"))
    for line in draw_terminal_chart(scene, floors, min(view.width, _MAX_WIDTH)):
        view.print(line)
    view.print(safe_text(describe_outlook(curve, floors, now_us)))


def _curve_to_json(curve: Curve, floors: list[Floor], session: str, now_us: int) -> dict[str, Any]:
    return {
        "agent": curve.agent,
        "authority": curve.authority_at(now_us),
        "epoch": curve.account.epoch,
        "epochs": [
            {
                "approver": item.approver,
                "decisions": int(item.position[1]),
                "epoch": item.epoch,
                "time_us": item.position[0],
            }
            for item in curve.epochs
        ],
        "floors": [{**asdict(item), "impact": item.impact.value} for item in floors],
        "hand_offs": [
            {
                "agent": item.agent,
                "back_us": item.until[0] if item.until is not None else None,
                "handle": item.handle,
                "since_us": item.since[0],
                "trace": [{"authority": remaining, "time_us": position[0]} for position, remaining in item.trace],
            }
            for item in curve.hand_offs
        ],
        "next": describe_outlook(curve, floors, now_us),
        "now_us": now_us,
        "opened_us": curve.opened_us,
        "points": [{**_drop_position(asdict(dot)), "time_us": dot.position[0]} for dot in curve.points],
        "session": session,
        "until_s": curve.link.expires_at_s,
    }


def _drop_position(fields: dict[str, Any]) -> dict[str, Any]:
    del fields["position"]
    return fields
