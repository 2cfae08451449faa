"""`halo who-touched`, `reach`, `sample` and other questions of an auditor: their options, and how answers are printed.

A verb makes an answer with `answer_question` and returns its exit code: 0 the claim holds, 1 it does not,
2 cannot tell.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

from rich.cells import cell_len
from typer import Option

from halo_core.cli.context import StoreContext, parse_time, store_verb
from halo_core.cli.rendering import Exit, build_field_table, build_table, console, fail, safe_text, say
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError, Gap, NotVerified, make_read_error
from halo_core.evidence.answers import END_US, Answer, Period, Verdict, count_population, format_query
from halo_core.evidence.audit_log import AuditLog, DecisionFilter, ask
from halo_core.evidence.questions_access import answer_access_log, answer_reach, answer_sample, answer_who_touched
from halo_core.evidence.questions_operation import (
    answer_denials,
    answer_failures,
    answer_unchanged,
    find_note,
    list_signed_tenants,
)
from halo_core.evidence.questions_oversight import answer_metrics
from halo_core.model import ActionKind, Effect
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.wording import escape_unprintable, format_count

FromOption = Annotated[
    str, Option("--from", metavar="TIME", help="From this time on: 2026-11-01T08:30 (UTC), or 30m, 2h, 7d ago.")
]
ToOption = Annotated[str, Option("--to", metavar="TIME", help="Before this time, in the same forms (default: now).")]

_PEOPLE: Final = ("user", "person", "approver")
_SESSIONS: Final = ("session",)
_EFFECTS: Final = tuple(effect.value for effect in Effect)
_KINDS: Final = tuple(kind.value for kind in ActionKind)
_MAX_ROWS: Final = 1000
_GAP: Final = 2  # blanks between columns
_MAX_LINES: Final = 6  # of a cell of a table
_MAX_CHECKPOINT_FILE: Final = 1_000_000
_NO_LOG: Final = (*NO_LEDGER_CODES, "schema_version")
_VERDICTS: Final = {
    Verdict.HOLDS: "[bold green]holds[/]: ",
    Verdict.FAILS: "[bold red]does not hold[/]: ",
    Verdict.CANNOT_TELL: "[bold yellow]cannot tell[/]: ",
}


def read_period(from_: str, to: str) -> Period:
    """The period of `--from` and `--to`; by default from the beginning of the log until now.

    Raises:
        ConfigError: `bad_time`, `bad_period`.
    """
    now_us = SystemClock().now_us()
    period = Period(parse_time(from_, 0, "from", now_us), parse_time(to, now_us, "to", now_us))
    if period.to_us <= period.from_us:
        end = f"at `{to}`" if to else "now"
        problem = f"the period begins at `{from_}` and ends {end}, not later"
        raise ConfigError("bad_period", problem, field="from", remedy="give an earlier `--from`, or a later `--to`")
    return period


def open_log(store: StoreContext, reader: Reader, tenant: str, query: str) -> AuditLog:
    """The audit log, for a verb that reads it itself; `query` is the command in canonical form."""
    return AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us(), query=query)


def read_log_head(log: AuditLog, counted: tuple[int, str]) -> Answer:
    """The head of an answer that is about the whole log, with its entries, sessions and newest checkpoint.

    Args:
        log: reads the state of the log that was answered about.
        counted: number and name of what the answer shows, such as `(2, "entries")`.

    Returns:
        An answer that holds if the log verifies; else its finding says why that cannot be told.
    """

    def question(log: AuditLog, period: Period) -> Answer:
        entries, sessions = log.verified.size, log.reader.count_sessions(log.tenant)
        what = f"{counted[1]} of {format_count(entries, 'entry', 'entries')} in {format_count(sessions, 'session')}"
        return log.conclude(period, counted=counted[0], what=what, claim="the log verifies")

    return ask(log, Period(0, END_US), question)


def answer_question(
    store: StoreContext,
    verb: str,
    period: Period,
    question: Callable[[AuditLog, Period], Answer],
    **options: str | int | bool,
) -> int:
    """Ask a question, record that it was asked, and print the answer.

    Args:
        store: the store of the verb.
        verb: the command with its arguments, such as `alerts sla`.
        period: the period that is asked about.
        question: makes the answer from a log and the period.
        options: the options that were given, for the text of the query; people and sessions become references.

    Returns:
        The exit code.
    """
    try:
        with store.open_log() as (reader, tenant):
            log = AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us())
            named: dict[str, Any] = {
                name: log.refer_person(str(value))
                if name in _PEOPLE
                else log.refer_session(str(value))
                if name in _SESSIONS
                else value
                for name, value in options.items()
            }
            log.query = format_query(verb, period, **named)
            answer = ask(log, period, question)
    except NotVerified as exc:
        return fail(exc, Exit.CANNOT_TELL)
    except ConfigError as exc:
        if exc.code not in _NO_LOG and not _is_empty(store):
            raise
        return fail(exc, Exit.CANNOT_TELL)
    return print_answer(store, answer)


def _is_empty(store: StoreContext) -> bool:
    """Whether the store holds no log yet."""
    if store.tenant is not None:
        return False
    with Reader(store.url) as reader:
        return not reader.tenants()


def print_answer(store: StoreContext, answer: Answer) -> Exit:
    """Record that a question was asked, and print its answer; returns the exit code of its verdict."""
    store.record_access("read", {"query": answer.query}, answer.tenant)
    if not store.print_json(answer.to_json()):
        print_head(answer)
        say(_VERDICTS[answer.verdict], safe_text(answer.claim))
        for finding in answer.findings:
            say("  - ", safe_text(finding))
        _print_rows(answer)
        for note in answer.notes:
            say(safe_text(f"note: {note}", "dim"))
    return Exit(answer.verdict.exit_code)


def print_log_head(answer: Answer) -> None:
    """Print the head that `read_log_head` made, and why the log does not verify, if it does not."""
    print_head(answer)
    for finding in answer.findings:
        say(_VERDICTS[Verdict.CANNOT_TELL], safe_text(f"whether this is what was signed: {finding}"))


def print_head(answer: Answer) -> None:
    """Print what an answer is about: query, period, population, checkpoint and program."""
    population = answer.population
    places = f", positions {population.first_index} to {population.last_index}" if population.first_index >= 0 else ""
    head = f"{population.root} of {population.tree_size} entries" if population.tree_size else "none"
    if population.uncovered:
        head += f"; {population.uncovered} entries of the period are not covered yet"
    rows = (
        ("query", answer.query),
        ("tenant", answer.tenant),
        ("period", answer.period.describe()),
        ("population", f"{count_population(population.counted, population.what)}{places}"),
        ("checkpoint", head),
        ("tool", answer.tool),
    )
    say(build_field_table((name, safe_text(value)) for name, value in rows))


def _print_rows(answer: Answer) -> None:
    """Print the rows as a table; where that would break words or a cell has many lines, each row as a block."""
    if not answer.rows:
        return
    rows = [[_format_cell(row.get(name)) for name in answer.columns] for row in answer.rows[:_MAX_ROWS]]
    out = console()
    widths = [max(map(_measure_longest_word, cells)) for cells in zip(answer.columns, *rows, strict=True)]
    spare = out.width - sum(widths) - _GAP * (len(widths) - 1)
    longest = [max(map(cell_len, cells)) for cells in zip(*rows, strict=True)]
    is_wide = any(most > _MAX_LINES * (spare + width) for most, width in zip(longest, widths, strict=True))
    if out.soft_wrap or (spare >= 0 and not is_wide):
        table = build_table(answer.columns, gap=_GAP)
        for column, width in zip(table.columns, widths, strict=True):
            column.min_width = width
        for row in rows:
            table.add_row(*map(safe_text, row))
        out.print(table)
    else:
        for number, row in enumerate(rows, 1):
            say(f"[dim]row {number} of {len(answer.rows)}[/]")
            fields = zip(answer.columns, row, strict=True)
            say(build_field_table((f"  {name}", safe_text(value)) for name, value in fields))
    if len(answer.rows) > _MAX_ROWS:
        say(f"... and {len(answer.rows) - _MAX_ROWS} more rows: see `--json`")


def _measure_longest_word(text: str) -> int:
    return max(map(cell_len, escape_unprintable(text).split()), default=0)


def _format_cell(value: Any) -> str:
    if value is None or value in ("", [], ()):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, list | tuple):
        return str(value)
    words = [str(item) for item in value]
    return ("; " if any("," in item for item in words) else ", ").join(words)


AgentOption = Annotated[str, Option("--agent", help="Only what this agent did.")]


def read_effects(text: str) -> frozenset[str]:
    """The effects of `--effect`.

    Raises:
        ConfigError: `bad_effect`.
    """
    effects = frozenset(filter(None, text.split(",")))
    odd = sorted(effects.difference(_EFFECTS))
    if odd:
        remedy = f"use one of {', '.join(_EFFECTS)}"
        raise ConfigError("bad_effect", f"`{odd[0][:32]}` is no effect", field="effect", remedy=remedy)
    return effects


def filter_options(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb the options by which decisions are filtered, with the period; it receives them as `wanted`."""
    own_parameters = [
        item for item in inspect.signature(verb, eval_str=True).parameters.values() if item.name != "wanted"
    ]
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, keyword, default="", annotation=item) for name, item in _FILTERS.items()]

    @functools.wraps(verb)
    def run(**options: Any) -> int:
        filter_values = {name: options.pop(name, "") for name in _FILTERS}
        period = read_period(filter_values.pop("from_"), filter_values.pop("to"))
        effects = read_effects(filter_values.pop("effect"))
        return verb(wanted=DecisionFilter(period, effects=effects, **filter_values), **options)

    run.__signature__ = inspect.Signature([*own_parameters, *added])  # type: ignore[attr-defined]
    return run


_FILTERS: Final[dict[str, Any]] = {
    "agent": AgentOption,
    "user": Annotated[str, Option("--user", help="Only what was done for this person: name or reference.")],
    "tool": Annotated[
        str, Option("--tool", help="Only this tool, retriever, model or agent; `*` stands for any characters.")
    ],
    "system": Annotated[str, Option("--system", help="Only resources of this system.")],
    "label": Annotated[str, Option("--label", help="Only resources with this data label, for example chd.")],
    "effect": Annotated[
        str, Option("--effect", help=f"Only these effects, with commas between them: {', '.join(_EFFECTS)}.")
    ],
    "session": Annotated[str, Option("--session", help="Only this session: its name or its reference.")],
    "from_": FromOption,
    "to": ToOption,
}


def list_filters(wanted: DecisionFilter) -> dict[str, str]:
    """The options from which a filter was made, as a query names them."""
    return {
        "agent": wanted.agent,
        "effect": ",".join(sorted(wanted.effects)),
        "label": wanted.label,
        "session": wanted.session,
        "system": wanted.system,
        "tool": wanted.tool,
        "user": wanted.user,
    }


@store_verb()
@filter_options
def who_touched(
    *,
    wanted: DecisionFilter,
    prove: Annotated[bool, Option("--prove", help="Also show that none is missing.")] = False,
    store: StoreContext,
) -> int:
    """List every agent that reached data with a label, for whom, with what effect, and whether it ran."""
    if not (wanted.label or wanted.system or wanted.tool):
        remedy = "give `--label`, `--system` or `--tool`"
        raise ConfigError("usage", "nothing was named that may have been reached", field="label", remedy=remedy)
    question = partial(answer_who_touched, wanted=wanted, prove=prove)
    return answer_question(store, "who-touched", wanted.period, question, **list_filters(wanted), prove=prove)


@store_verb()
def reach(
    *,
    agent: Annotated[str, Option("--agent", help="The agent.")] = "",
    user: Annotated[str, Option("--user", help="Or a person: name or reference.")] = "",
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List what an agent, or a person through agents, reached: systems, tools, labels, beside what was granted."""
    question = partial(answer_reach, agent=agent, user=user)
    return answer_question(store, "reach", read_period(from_, to), question, agent=agent, user=user)


@store_verb()
@filter_options
def sample(
    *,
    wanted: DecisionFilter,
    n: Annotated[int, Option("--n", help="How many decisions to draw.")] = 25,
    seed: Annotated[str, Option("--seed", help="Any text; the same seed draws the same decisions.")] = "",
    kind: Annotated[str, Option("--kind", help=f"Only actions of this kind: {', '.join(_KINDS)}.")] = "",
    store: StoreContext,
) -> int:
    """Count the decisions of a period, and draw some at random so that anybody can draw them again."""
    if kind and kind not in _KINDS:
        remedy = f"use one of {', '.join(_KINDS)}"
        raise ConfigError("bad_kind", f"`{kind[:32]}` is no kind of action", field="kind", remedy=remedy)
    question = partial(answer_sample, wanted=wanted, n=n, seed=seed, kind=kind)
    options = list_filters(wanted)
    return answer_question(store, "sample", wanted.period, question, **options, kind=kind, n=n, seed=seed)


@store_verb()
@filter_options
def denials(
    *,
    wanted: DecisionFilter,
    with_disposition: Annotated[
        bool, Option("--with-disposition", help="Also what followed: asked, answered, tried again, judged, stopped.")
    ] = False,
    store: StoreContext,
) -> int:
    """List refused and invalid attempts, and what followed each."""
    question = partial(answer_denials, wanted=wanted, with_disposition=with_disposition)
    options = list_filters(wanted)
    return answer_question(store, "denials", wanted.period, question, **options, with_disposition=with_disposition)


@store_verb()
def access_log(
    *,
    act: Annotated[str, Option("--act", help="Only this: read, reveal, export or refused.")] = "",
    person: Annotated[str, Option("--person", help="Only what this person did: name or reference.")] = "",
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List who read, revealed or exported contents and evidence, and who was refused."""
    question = partial(answer_access_log, act=act, person=person)
    return answer_question(store, "access-log", read_period(from_, to), question, act=act, person=person)


@store_verb()
def failures(*, from_: FromOption = "", to: ToOption = "", store: StoreContext) -> int:
    """Show when enforcement or recording failed or was switched off, by whom, and what agents did then."""
    return answer_question(store, "failures", read_period(from_, to), answer_failures)


@store_verb()
def metrics(*, agent: AgentOption = "", from_: FromOption = "", to: ToOption = "", store: StoreContext) -> int:
    """Show the figures of a period: decisions by effect, questions and answers, alerts and false alarms."""
    period = read_period(from_, to)
    question = partial(answer_metrics, wanted=DecisionFilter(period, agent))
    return answer_question(store, "metrics", period, question, agent=agent)


def answer_since(store: StoreContext, file: Path) -> int:
    """`halo verify --since FILE`: whether the log still contains every entry that a kept checkpoint covers.

    Raises:
        ConfigError: `no_file`, it cannot be read.
    """
    try:
        data = file.read_bytes()[:_MAX_CHECKPOINT_FILE]
    except OSError as exc:
        remedy = "give a file with a checkpoint, or an anchor.json"
        raise make_read_error(file, exc, field="since", remedy=remedy) from exc

    def question(log: AuditLog, period: Period) -> Answer:
        return answer_unchanged(log, period, find_note(log, data))

    def answer(tenant: str | None) -> int:
        if tenant is not None and tenant not in present:
            problem = f"the store holds no log of `{tenant}`, of which the file has a checkpoint"
            return fail(Gap("ledger_behind_anchor", problem, remedy="restore the newest copy"), Exit.FAILED)
        return answer_question(replace(store, tenant=tenant), "verify", read_period("", ""), question, since=file.name)

    try:
        with Reader(store.url) as reader:
            present = reader.tenants()
    except (ConfigError, NotVerified) as exc:
        return fail(exc, Exit.CANNOT_TELL)
    # The file names the tenant of its checkpoint; a copy of an anchor.json may hold checkpoints of several.
    tenants: list[str | None] = [*list_signed_tenants(data)]
    return max(answer(tenant) for tenant in tenants or [None])
