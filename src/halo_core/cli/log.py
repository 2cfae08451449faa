"""`halo log`: decisions, and actions that ran without one, by what they are about."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Annotated, Any, Final

from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer import Option

from halo_core.cli.context import StoreContext, parse_time, store_verb
from halo_core.cli.output import is_lost
from halo_core.cli.rendering import EFFECT_STYLE, build_table, console, print_json, safe_text, say
from halo_core.clock import SystemClock, format_iso
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.store.reader import NO_END, LoggedEntry
from halo_core.views.entries import format_ran
from halo_core.views.log_query import EFFECTS, LogFilter, find_similar_names, select_entries

_TITLES: Final = ("action", "resource", "effect", "ran", "why")
_NARROW_TITLES: Final = ("#", "time", "resource", "effect", "ran", "why")
_WIDE: Final = 120  # columns from which on each line has the whole time and the session
_POLL_S: Final = 0.5


@store_verb()
def log(
    *,
    session: Annotated[str, Option("--session", help="Only this session: its name or its reference.")] = "",
    agent: Annotated[str, Option("--agent", help="Only what this agent did.")] = "",
    user: Annotated[str, Option("--user", help="Only what was done for this person: name or reference.")] = "",
    tool: Annotated[
        str, Option("--tool", help="Only this tool, retriever, model or agent; `*` stands for any characters.")
    ] = "",
    effect: Annotated[
        str, Option("--effect", help=f"Only these effects, with commas between them: {', '.join(EFFECTS)}.")
    ] = "",
    label: Annotated[str, Option("--label", help="Only resources with this data label, for example pii.")] = "",
    since: Annotated[
        str,
        Option(
            "--since", "--from", metavar="TIME", help="From this time on: 2026-11-01T08:30 (UTC), or 30m, 2h, 7d ago."
        ),
    ] = "",
    until: Annotated[str, Option("--until", "--to", metavar="TIME", help="Before this time, in the same forms.")] = "",
    last: Annotated[int, Option("--last", help="Only the newest N entries that match.")] = 50,
    follow: Annotated[bool, Option("--follow", help="Go on with what is decided from now on, until Ctrl-C.")] = False,
    store: StoreContext,
) -> None:
    """List decisions, and actions that ran without a decision, in log order."""
    if last < 0:
        raise ConfigError("bad_count", f"`{last}` is no number of entries", field="last", remedy="use 0 or more")
    now_us = SystemClock().now_us()
    effects = frozenset(filter(None, effect.split(",")))
    times_us = (parse_time(since, 0, "since", now_us), parse_time(until, NO_END, "until", now_us))
    wanted = LogFilter(session, agent, user, tool, effects, label, *times_us)
    with store.open_log() as (reader, tenant):
        position = reader.next_index(tenant)
        records = select_entries(reader, tenant, wanted, last=last)
        similar = find_similar_names(reader, tenant, wanted) if not (records or follow or store.json) else []
    if not follow:
        if not records and not store.json:
            say("no entry matches", safe_text(f"; similar names: {', '.join(similar)}" if similar else ""))
        elif not store.print_json(list(map(_to_json, records))):
            say(_build_table(records))
        return
    several = len({_find_agent(item) for item in records} - {"-"}) > 1
    _print_followed(store, records, several=several, is_first=True)
    try:
        for records in _follow(store, wanted, position):
            _print_followed(store, records, several=several)
            if is_lost():
                return
    except KeyboardInterrupt:
        return


def _follow(store: StoreContext, wanted: LogFilter, position: int) -> Iterator[list[LoggedEntry]]:
    """Wait for entries that match, from a position on; each item holds those of one poll, and may be empty."""
    for _ in count():
        time.sleep(_POLL_S)
        with store.open_log() as (reader, tenant):
            upto = reader.next_index(tenant)
            if upto > position:
                yield select_entries(reader, tenant, wanted, since=position)
        position = max(upto, position)


def _print_followed(
    store: StoreContext, records: Sequence[LoggedEntry], *, several: bool, is_first: bool = False
) -> None:
    """One JSON document a line, or rows with their titles above the first."""
    if store.json:
        for item in records:
            print_json(_to_json(item), compact=True)
    elif records or is_first:
        say(_build_table(records, with_titles=is_first, several=several))


def _to_json(item: LoggedEntry) -> dict[str, Any]:
    return {"index": item.index, **item.entry.to_json()}


def _build_table(records: Sequence[LoggedEntry], *, with_titles: bool = True, several: bool | None = None) -> Table:
    """A row for each entry.

    The column of agents is left out where all entries are of one; on a narrow terminal session and date are, too.

    Args:
        records: the entries.
        with_titles: whether the titles are printed.
        several: whether to show agents; None shows them where the entries are of several.
    """
    if several is None:
        several = len({_find_agent(item) for item in records} - {"-"}) > 1
    is_wide = console().width >= _WIDE
    titles = ("#", "time", "session", *_TITLES) if is_wide else _NARROW_TITLES
    position = 3 if is_wide else 2
    titles = (*titles[:position], *(("agent",) if several else ()), *titles[position:])
    table = build_table(titles, no_wrap=set(titles) - {"why", "resource", "session", "agent"})
    table.show_header = with_titles
    for item in records:
        session, action, *cells = _build_cells(item)
        agent = (escape(_find_agent(item)),) if several else ()
        when = format_iso(item.entry.ts_us)
        start = (when, session, *agent, action) if is_wide else (when[11:19], *agent)
        table.add_row(str(item.index), *start, *cells)
    return table


def _find_agent(item: LoggedEntry) -> str:
    return "-" if item.entry.kind is EntryKind.SHADOW else str(item.entry.body["request"]["subject"]["agent"])


def _build_cells(item: LoggedEntry) -> tuple[str | Text, ...]:
    """The cells after time and agent: session, action, resource, effect, whether it ran, and why."""
    body = item.entry.body
    if item.entry.kind is EntryKind.SHADOW:
        kind, name = (safe_text(str(body.get(key, ""))) for key in ("kind", "name"))
        why = safe_text(": ".join(filter(None, ("unguarded", str(body.get("where", ""))))))
        return "-", kind, name, Text("none", "bold red"), format_ran(item.entry), why
    effect = body["decision"]["effect"]
    return (
        escape(item.entry.session),
        body["request"]["kind"],
        escape(body["request"]["resource"]["id"]),
        f"[{EFFECT_STYLE[effect]}]{effect}[/]",
        "yes" if body["dispatched"] else "no",
        ", ".join(dict.fromkeys(reason["code"] for reason in body["decision"]["reasons"])),
    )
