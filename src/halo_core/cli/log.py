"""`halo log`: decisions, and actions that ran without one, by what they are about."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
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
from halo_core.model import AccessRequest, EntryKind
from halo_core.oversight.arguments import ArgumentView, describe_arguments
from halo_core.store.reader import NO_END, LoggedEntry
from halo_core.views.log_query import ACTION_KINDS, EFFECTS, LogFilter, find_similar_names, select_entries
from halo_core.views.wording import escape_unprintable, format_ran

_TITLES: Final = ("action", "resource", "effect", "ran", "why")
_NARROW_TITLES: Final = ("#", "time", "resource", "effect", "ran", "why")
_WIDE: Final = 120  # columns from which on each line has the whole time and the session
_POLL_S: Final = 0.5
_MAX_TARGET: Final = 60  # characters of a target in a row
_RAN: Final = {"": None, "yes": True, "no": False}

ExactArguments = Mapping[int, Sequence[ArgumentView]]


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
    kind: Annotated[
        str, Option("--kind", help=f"Only these kinds, with commas between them: {', '.join(ACTION_KINDS)}.")
    ] = "",
    ran: Annotated[str, Option("--ran", metavar="yes|no", help="Only what ran, or only what did not.")] = "",
    targets: Annotated[
        bool, Option("--targets", help="Show targets and amount, where there are any. That is recorded as a reading.")
    ] = False,
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
    if ran not in _RAN:
        raise ConfigError("bad_answer", f"`{ran[:32]}` is not yes or no", field="ran", remedy="use yes or no")
    effects, kinds = (frozenset(filter(None, words.split(","))) for words in (effect, kind))
    times_us = (parse_time(since, 0, "since", now_us), parse_time(until, NO_END, "until", now_us))
    wanted = LogFilter(session, agent, user, tool, effects, label, *times_us, kinds, _RAN[ran])
    with store.open_log() as (reader, tenant):
        position = reader.next_index(tenant)
        records = select_entries(reader, tenant, wanted, last=last)
        similar = find_similar_names(reader, tenant, wanted) if not (records or follow or store.json) else []
    if not follow:
        if not records and not store.json:
            say("no entry matches", safe_text(f"; similar names: {', '.join(similar)}" if similar else ""))
        else:
            exact = _read_exact_arguments(store, records) if targets else None
            if not store.print_json([_to_json(item, exact) for item in records]):
                say(_build_table(records, exact))
                _print_what_is_left_out(exact)
        return
    several = len({_find_agent(item) for item in records} - {"-"}) > 1
    _print_followed(store, records, targets=targets, several=several, is_first=True)
    try:
        for records in _follow(store, wanted, position):
            _print_followed(store, records, targets=targets, several=several)
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
    store: StoreContext, records: Sequence[LoggedEntry], *, targets: bool, several: bool, is_first: bool = False
) -> None:
    """One JSON document a line, or rows with their titles above the first."""
    exact = _read_exact_arguments(store, records) if targets else None
    if store.json:
        for item in records:
            print_json(_to_json(item, exact), compact=True)
    elif records or is_first:
        say(_build_table(records, exact, with_titles=is_first, several=several))
        if is_first:
            _print_what_is_left_out(exact)


def _print_what_is_left_out(exact: ExactArguments | None) -> None:
    """Say what a narrow terminal does not show, and of which zone the times are."""
    if console().width < _WIDE:
        columns = "date, session and action" if exact is None else "date, session, action and why"
        say(f"[dim]times are UTC; {_WIDE} columns or --json also show {columns}[/]")


def _read_exact_arguments(store: StoreContext, records: Sequence[LoggedEntry]) -> ExactArguments:
    """Index of each decision → its targets and amount, where it has any and they can be opened."""
    exact = {}
    with store.open_log() as (reader, _):
        opener = store.open_contents(reader).open
        for item in records:
            if item.entry.kind is EntryKind.DECISION:
                body = item.entry.body
                resource = AccessRequest.from_plain(body["request"], {}).resource
                if resource.targets or resource.amount:
                    sealed = opener(item.entry, "args")
                    views = describe_arguments(resource, body["snapshot"], sealed, reveal=False)
                    exact[item.index] = [view for view in views if view.is_target]
    return exact


def _to_json(item: LoggedEntry, exact: ExactArguments | None) -> dict[str, Any]:
    views = () if exact is None else exact.get(item.index, ())
    arguments = {"arguments": {view.name: view.value for view in views}} if exact is not None else {}
    return {"index": item.index, **item.entry.to_json(), **arguments}


def _build_table(
    records: Sequence[LoggedEntry],
    exact: ExactArguments | None = None,
    *,
    with_titles: bool = True,
    several: bool | None = None,
) -> Table:
    """A row for each entry.

    The column of agents is left out where all entries are of one; on a narrow terminal session and date are, too, and
    beside targets the reasons.

    Args:
        records: the entries.
        exact: targets and amount of each, to be shown; None shows none.
        with_titles: whether the titles are printed.
        several: whether to show agents; None shows them where the entries are of several.
    """
    if several is None:
        several = len({_find_agent(item) for item in records} - {"-"}) > 1
    is_wide = console().width >= _WIDE
    titles = ("#", "time", "session", *_TITLES) if is_wide else _NARROW_TITLES
    position = 3 if is_wide else 2
    titles = (*titles[:position], *(("agent",) if several else ()), *titles[position:])
    has_why = is_wide or exact is None
    if exact is not None:
        titles = (*titles[:-3], "target", "amount", *titles[-3 : None if has_why else -1])
    table = build_table(titles, no_wrap=set(titles) - {"why", "resource", "session", "agent", "target"})
    table.show_header = with_titles
    for item in records:
        session, action, *cells = _build_cells(item)
        agent = (escape(_find_agent(item)),) if several else ()
        when = format_iso(item.entry.ts_us)
        start = (when, session, *agent, action) if is_wide else (when[11:19], *agent)
        reached = () if exact is None else _build_exact_cells(exact.get(item.index, ()))
        table.add_row(str(item.index), *start, cells[0], *reached, *cells[1 : None if has_why else -1])
    return table


def _build_exact_cells(views: Sequence[ArgumentView]) -> tuple[Text, Text]:
    shown = [
        (view.is_amount, view.value if len(view.value) <= _MAX_TARGET else f"{view.value[: _MAX_TARGET - 1]}…")
        for view in views
    ]
    target, amount = (", ".join(value for is_amount, value in shown if is_amount is wanted) for wanted in (False, True))
    return safe_text(escape_unprintable(target) or "-"), safe_text(escape_unprintable(amount) or "-")


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
