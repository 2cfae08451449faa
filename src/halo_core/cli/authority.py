"""Room: `halo authority`. Takes: a store. Gives: how a session's authority fell, and when what stops. Never: writes."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from halo_core.cli.budget import AgentOption, SessionArgument
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.curve import Curve, curve
from halo_core.cli.floors import Floor, floors, outlook
from halo_core.cli.plot import plot
from halo_core.cli.scene import headline, lay_out
from halo_core.cli.sessions import agents_of, chosen, links, sessions_of
from halo_core.cli.svg import draw
from halo_core.cli.words import cell
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import EntryKind, Impact, Link
from halo_core.query import entries, one_tenant
from halo_core.registry import Registered
from halo_core.store import SessionState
from halo_core.store.reader import Reader

__all__ = ["authority"]

_KINDS: Final = (EntryKind.DECISION, EntryKind.PASSPORT, EntryKind.APPROVAL, EntryKind.HANDBACK)
_WIDEST: Final = 100


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
        Axis | None, typer.Option("--by", help="What runs along the chart (default: what took more).")
    ] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Draw how a session's authority fell, the floors it falls through, and when what stops."""
    _, url = where(home, db)
    now_us = SystemClock().now_us()
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        state = chosen(sessions_of(reader, whose, agent), session)
        told = _curve(reader, whose, state, agent, now_us) if state is not None else None
        granted = _granted(reader, whose, told.link) if told is not None else set()
    if state is None or told is None:
        if json:
            print_json(None)
        else:
            console().print("no session has decided anything under a passport yet: nothing ran")
        return Exit.OK
    now_us = max(now_us, state.view.high_water_us)
    found = floors(told, now_us, granted)
    timed = None if by is None else by is Axis.TIME
    if svg is not None:
        scene = lay_out(told, found, now_us, timed=timed)
        title = headline(told.agent, state.view.id, scene, told.account.epoch)
        _write(svg, draw(scene, found, title, outlook(told, found, now_us)))
    if json:
        print_json(_plain(told, found, state.view.id, now_us))
    else:
        _print(told, found, state.view.id, now_us, timed=timed)
        if svg is not None:
            console().print(f"written to {svg}", markup=False)
    return Exit.OK


def _curve(reader: Reader, tenant: str, state: SessionState, agent: str, now_us: int) -> Curve | None:
    cache: dict[tuple[str, ...], tuple[Link, ...]] = {}

    def chain(hashes: list[str]) -> tuple[Link, ...]:
        key = tuple(hashes)
        if key not in cache:
            cache[key] = links(reader, tenant, hashes)
        return cache[key]

    roots = [account.agent for account in state.links if not account.parent]
    name = agent if agent in roots else (agents_of(state) or ("",))[0]
    now_us = max(now_us, state.view.high_water_us)
    return curve(entries(reader, tenant, _KINDS, state.view.id), name, chain, now_us)


def _granted(reader: Reader, tenant: str, link: Link) -> set[Impact]:
    """Classes of which the passport grants something."""
    known = [Registered.from_bytes(spec).resource for _, spec in reader.resources(tenant)]
    return {item.impact for item in known if item.id in link.grants.get(item.kind, {})}


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as exc:
        why, remedy = f"cannot write `{path}`: {exc.strerror}", "name a file in a folder that you can write to"
        raise ConfigError("no_file", why, field="svg", remedy=remedy) from exc


def _print(told: Curve, found: list[Floor], session: str, now_us: int, *, timed: bool | None) -> None:
    view = console()
    scene = lay_out(told, found, now_us, timed=timed)
    view.print(cell(headline(told.agent, session, scene, told.account.epoch), "bold"))
    for line in plot(scene, found, min(view.width, _WIDEST)):
        view.print(line)
    view.print(cell(outlook(told, found, now_us)))


def _plain(told: Curve, found: list[Floor], session: str, now_us: int) -> dict[str, Any]:
    return {
        "agent": told.agent,
        "authority": told.left(now_us),
        "epoch": told.account.epoch,
        "epochs": [
            {"approver": item.approver, "decisions": int(item.at[1]), "epoch": item.epoch, "time_us": item.at[0]}
            for item in told.epochs
        ],
        "floors": [{**asdict(item), "impact": item.impact.value} for item in found],
        "hand_offs": [
            {
                "agent": item.agent,
                "back_us": item.until[0] if item.until is not None else None,
                "handle": item.handle,
                "since_us": item.since[0],
                "trace": [{"authority": left, "time_us": at[0]} for at, left in item.trace],
            }
            for item in told.given
        ],
        "next": outlook(told, found, now_us),
        "now_us": now_us,
        "opened_us": told.opened_us,
        "points": [{**_without(asdict(dot)), "time_us": dot.at[0]} for dot in told.dots],
        "session": session,
        "until_s": told.link.expires_at_s,
    }


def _without(plain: dict[str, Any]) -> dict[str, Any]:
    del plain["at"]
    return plain
