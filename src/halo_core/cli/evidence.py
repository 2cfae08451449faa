"""`halo who-touched`, `reach`, `sample` and other questions of an auditor: their options, and how answers are printed.

A verb makes an answer with `answer_question` and returns its exit code: 0 the claim holds, 1 it does not,
2 cannot tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from typer import Option

from halo_core.cli.context import StoreContext, parse_time
from halo_core.cli.rendering import Exit, build_field_table, build_table, console, fail, safe_text, say
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError, NotVerified
from halo_core.evidence.answers import Answer, Period, Verdict, format_moment, format_query
from halo_core.evidence.room import QueryRoom, ask

FromOption = Annotated[
    str, Option("--from", metavar="TIME", help="From this time on: 2026-11-01T08:30 (UTC), or 30m, 2h, 7d ago.")
]
ToOption = Annotated[str, Option("--to", metavar="TIME", help="Before this time, in the same forms (default: now).")]

_PEOPLE: Final = ("user", "person", "approver")
_SESSIONS: Final = ("session",)
_MAX_ROWS: Final = 1000
_NO_LOG: Final = ("no_database", "no_store", "which_tenant", "schema_version")
_VERDICTS: Final = {
    Verdict.HOLDS: "[bold green]holds[/]: ",
    Verdict.FAILS: "[bold red]does not hold[/]: ",
    Verdict.CANNOT_TELL: "[bold yellow]cannot tell[/]: ",
}


def read_period(from_: str, to: str, now_us: int | None = None) -> Period:
    """The period of `--from` and `--to`; by default from the beginning of the log until now.

    Raises:
        ConfigError: `bad_time`.
    """
    now_us = SystemClock().now_us() if now_us is None else now_us
    return Period(parse_time(from_, 0, "from", now_us), parse_time(to, now_us, "to", now_us))


def answer_question(
    store: StoreContext,
    verb: str,
    period: Period,
    question: Callable[[QueryRoom, Period], Answer],
    **options: str | int | bool,
) -> int:
    """Ask a question, record that it was asked, and print the answer.

    Args:
        store: of the verb.
        verb: of the command, with its arguments.
        period: that is asked about.
        question: takes the room and the period.
        options: that were given, for the text of the query; people and sessions become references.

    Returns:
        The exit code.
    """
    try:
        with store.open_log() as (reader, tenant):
            room = QueryRoom(reader, tenant, home=store.home, now_us=SystemClock().now_us())
            named: dict[str, Any] = {
                name: room.refer_person(str(value))
                if name in _PEOPLE
                else room.refer_session(str(value))
                if name in _SESSIONS
                else value
                for name, value in options.items()
            }
            room.query = format_query(verb, period, **named)
            answer = ask(room, period, question)
    except NotVerified as exc:
        return fail(exc, Exit.CANNOT_TELL)
    except ConfigError as exc:
        if exc.code not in _NO_LOG:
            raise
        return fail(exc, Exit.CANNOT_TELL)
    return print_answer(store, answer)


def print_answer(store: StoreContext, answer: Answer) -> Exit:
    """Record that a question was asked, and print its answer; the exit code of its verdict."""
    store.record_access("read", {"query": answer.query}, answer.tenant)
    if not store.print_json(answer.to_json()):
        _print_head(answer)
        say(_VERDICTS[answer.verdict], safe_text(answer.claim))
        for finding in answer.findings:
            say("  - ", safe_text(finding))
        _print_rows(answer)
        for note in answer.notes:
            say(safe_text(f"note: {note}", "dim"))
    return Exit(answer.verdict.exit_code)


def _print_head(answer: Answer) -> None:
    period, population = answer.period, answer.population
    span = f"{format_moment(period.from_us) or '-'} to {format_moment(period.to_us) or '-'} (UTC, end excluded)"
    places = f", positions {population.first_index} to {population.last_index}" if population.first_index >= 0 else ""
    head = f"{population.root} of {population.tree_size} entries" if population.tree_size else "none"
    if population.uncovered:
        head += f"; {population.uncovered} entries of the period are not covered yet"
    rows = (
        ("query", answer.query),
        ("tenant", answer.tenant),
        ("period", span),
        ("population", f"{population.counted} {population.what}{places}"),
        ("checkpoint", head),
        ("tool", answer.tool),
    )
    say(build_field_table((name, safe_text(value)) for name, value in rows))


def _print_rows(answer: Answer) -> None:
    if not answer.rows:
        return
    table = build_table(answer.columns, gap=2)
    for row in answer.rows[:_MAX_ROWS]:
        table.add_row(*(safe_text(_format_cell(row.get(name))) for name in answer.columns))
    console().print(table)
    if len(answer.rows) > _MAX_ROWS:
        say(f"... and {len(answer.rows) - _MAX_ROWS} more rows: see `--json`")


def _format_cell(value: Any) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
