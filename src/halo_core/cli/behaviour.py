"""Output of `halo risk` about agents over their sessions, and about people and service accounts; with charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from halo_core.cli.context import StoreContext, write_text_file
from halo_core.cli.rendering import RISK_BANDS, build_table, console, safe_text, say, say_plainly
from halo_core.clock import format_iso
from halo_core.errors import ConfigError
from halo_core.views.agent_behaviour import (
    ALARM,
    PARTS,
    AgentBehaviour,
    DoneAct,
    format_measure,
    load_agent_behaviour,
)
from halo_core.views.behaviour_charts import draw_drift_chart, draw_parts_chart, draw_timeline_chart
from halo_core.views.people_risk import PersonRisk
from halo_core.views.risk import draw_sparkline
from halo_core.views.wording import format_minute

_MAX_ROWS: Final = 40
_WIDE_COLUMNS: Final = 120
_NARROW_SESSIONS: Final = 16
_MAX_LIMITS: Final = 8
_MAX_DONE: Final = 20
_MAX_TIMELINE: Final = 20
_HIGH: Final = 700
_ELEVATED: Final = 400
CHARTS: Final[Mapping[str, Callable[[AgentBehaviour], str]]] = {
    "timeline": draw_timeline_chart,
    "drift": draw_drift_chart,
    "parts": draw_parts_chart,
}


def write_behaviour_chart(store: StoreContext, agent: str, kind: str, path: Path) -> None:
    """Draw one agent's sessions.

    Raises:
        ConfigError: `bad_chart`, there is no such chart; `no_agent`; `no_sessions`, nothing to draw yet.
    """
    draw = CHARTS.get(kind)
    if draw is None:
        problem = f"`{kind[:32]}` is not a chart"
        raise ConfigError("bad_chart", problem, field="chart", remedy=f"use one of {', '.join(CHARTS)}, score")
    if not agent:
        remedy = "give the agent: `halo risk AGENT`"
        raise ConfigError("no_agent", "a chart shows one agent", field="agent", remedy=remedy)
    with store.open_log() as (reader, tenant):
        agent_behaviour = next(iter(load_agent_behaviour(reader, tenant, agent)), None)
    if agent_behaviour is None or not agent_behaviour.points:
        problem = f"no session of `{agent}` has ended yet" if agent_behaviour else f"the log has no action of `{agent}`"
        remedy = "a session counts when its run or its `halo.session` ends, or after 15 minutes without an action"
        raise ConfigError("no_sessions", problem, field="agent", remedy=remedy)
    write_text_file(path, draw(agent_behaviour), "svg")
    say_plainly(f"written to {path}")


def print_agents(agents: Sequence[AgentBehaviour]) -> None:
    """A row for each agent, the riskiest first; on a narrow terminal with its reasons in lines below."""
    listed_agents = [item for item in agents if item.points or item.done or item.problem]
    if not listed_agents:
        return
    is_wide = console().width >= _WIDE_COLUMNS
    titles = ("agent", "carried risk", "since", "sessions", "the last sessions")
    reasons = ("why", "what was done last")
    table = build_table((*titles, *reasons) if is_wide else titles, right=("carried risk", "sessions"), gap=2)
    lines = []
    for item in sorted(listed_agents, key=lambda found: (-found.risk, found.agent))[:_MAX_ROWS]:
        since = format_minute(item.since_us) if item.since_us else "-"
        points = item.points if is_wide else item.points[-_NARROW_SESSIONS:]
        shares = draw_sparkline(min(point.share, ALARM) for point in points)
        why, done = item.problem or next(iter(item.why), ""), item.done[-1].what if item.done else ""
        cells = (safe_text(item.agent), _style_risk(item.risk), since, str(item.sessions[0]), shares)
        table.add_row(*cells, *((safe_text(why or "-"), safe_text(done or "-")) if is_wide else ()))
        lines += [f"{item.agent}: {words}" for words in (why, f"{done} (done last)" if done else "") if words]
    say(table)
    for line in () if is_wide else lines:
        say(safe_text(line))
    if len(listed_agents) > _MAX_ROWS:
        say(f"... {len(listed_agents) - _MAX_ROWS} more agents; use `--json` to see all")


def _style_risk(risk: int) -> str:
    style = "bold red" if risk >= _HIGH else "yellow" if risk >= _ELEVATED else ""
    return f"[{style}]{risk}[/]" if style else str(risk)


def print_agent(item: AgentBehaviour) -> None:
    """One agent in detail."""
    if item.problem:
        say("[bold red]not known[/]: ", safe_text(item.problem))
    if item.problem and not item.points:
        return
    if not item.points:
        say_plainly("  no session has ended yet: what is usual is learnt when `halo.session` or a run ends")
        return
    watched_sessions, learned = item.sessions
    say_plainly(f"sessions  {watched_sessions:,}, what is usual is learnt from {learned:,} of them")
    carried = f"carried   {item.risk} of 1000"
    say_plainly(carried + (f", since {format_minute(item.since_us)} UTC" if item.since_us else ""))
    for words in item.why[:_MAX_LIMITS]:
        say("          ", safe_text(words))
    for name, risk in sorted(item.carried.items(), key=lambda pair: (-pair[1], pair[0]))[:_MAX_LIMITS]:
        say("          ", safe_text(f"{risk:>4} when it acts for {name or 'nobody'}"))
    parts = ", ".join(f"{name} {item.parts.get(name, 0)}" for name in PARTS)
    say_plainly(f"parts     {parts} (of 1000, the highest of the last session)")
    say_plainly(f"drift     {item.drift / 10:g}% of an alarm, over sessions")
    for place, limit in enumerate(item.limits[:_MAX_LIMITS]):
        most, last, up_to = (format_measure(limit, value) for value in (limit.most, limit.last, limit.limit))
        title = "limits" if not place else ""
        say_plainly(
            f"{title:<9} {limit.words}: up to {up_to} is usual; {most} at most of late, {last} in the last session"
        )
    _print_timeline(item)
    _print_done(item.done)


def _print_timeline(item: AgentBehaviour) -> None:
    rows = [point for point in item.points if point.alarms or point.verdict != "ordinary"]
    for place, point in enumerate(rows[-_MAX_TIMELINE:]):
        title = "timeline" if not place else ""
        alarms = "; ".join(point.alarms) or "no alarm"
        session = f"{point.session} for {point.principal}" if point.principal else point.session
        text = f"{format_minute(point.ts_us)} {session}: {point.verdict}, risk {point.risk} after it; {alarms}"
        say(f"{title:<9} ", safe_text(text))
    if len(rows) > _MAX_TIMELINE:
        say(f"          ... and {len(rows) - _MAX_TIMELINE} sessions before; use `--json`")


def _print_done(done: Sequence[DoneAct]) -> None:
    for place, act in enumerate(done[-_MAX_DONE:]):
        title = "done" if not place else ""
        by = f", by {act.by}" if act.by else ", by the rules"
        say(f"{title:<9} ", safe_text(f"{format_minute(act.ts_us)} {act.what}{by}"))


def print_people(people: Sequence[PersonRisk], *, all_of_them: bool) -> None:
    """A row for each person or service account, the riskiest first; without `all_of_them` those that stand out."""
    listed_people = [item for item in people if all_of_them or item.band or item.done or item.problem]
    if listed_people:
        titles = ("person or service", "kind", "risk", "", "since", "why", "what was done last")
        table = build_table(titles, right=("risk",), gap=2)
        for item in listed_people[:_MAX_ROWS]:
            table.add_row(
                safe_text(item.name),
                item.kind,
                str(item.risk),
                RISK_BANDS[item.band],
                format_minute(item.since_us) if item.since_us else "-",
                safe_text(item.problem or "; ".join(item.why) or "-"),
                safe_text(item.done[-1].what if item.done else "-"),
            )
        say(table)
    if len(listed_people) > _MAX_ROWS:
        say(f"... {len(listed_people) - _MAX_ROWS} more; use `--json` to see all")
    if len(people) > len(listed_people):
        unlisted = len(people) - len(listed_people)
        say_plainly(f"{unlisted} more people and services without anything unusual; see `halo risk --people`")
    if all_of_them and not people:
        say_plainly("no events of people are followed; start with `halo identity follow FILE`, see docs/identities.md")


def print_person(item: PersonRisk) -> None:
    """One person or service account in detail."""
    if item.problem:
        say(
            "[bold red]not known[/]: ", safe_text(f"{item.problem}: run `halo verify`, then `halo identity clear NAME`")
        )
    say(safe_text(item.name, "bold"), f" ({item.kind}): {RISK_BANDS[item.band]}, {item.risk} of 1000")
    if item.since_us:
        say_plainly(f"since     {format_minute(item.since_us)} UTC")
    for words in item.why:
        say("why       ", safe_text(words))
    ordinary, elevated, high = item.bands
    say_plainly(f"events    {item.events:,}: {ordinary:,} ordinary, {elevated:,} elevated, {high:,} high")
    if item.last_us:
        say_plainly(f"newest    {format_iso(item.last_us)}")
    for place, change in enumerate(item.history[-_MAX_TIMELINE:]):
        title = "history" if not place else ""
        say(f"{title:<9} ", safe_text(f"{format_minute(change.ts_us)} {change.risk:>4}  {', '.join(change.factors)}"))
    _print_done(item.done)
    if item.band:
        say_plainly("next      ask them, then `halo identity clear NAME`; `--attack` if somebody else used the account")
