"""`halo policy backtest`, `history` and `approve`: what another policy would decide, and who approved a policy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Final

from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text
from typer import Argument, Option

from halo_core.backtest import BacktestResult, Change, Selection, backtest_log
from halo_core.cli.context import (
    ApproverKeyHomeOption,
    StoreContext,
    parse_time,
    show_progress,
    store_verb,
    write_text_file,
)
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.ledger import policy_app
from halo_core.cli.operators import Signing
from halo_core.cli.rendering import Exit, build_table, fail, print_note, safe_text, say, say_plainly
from halo_core.clock import SystemClock
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError, PolicyError
from halo_core.evidence.questions_rights import answer_policy_history
from halo_core.model import EntryKind, same_person
from halo_core.oversight.access import commit_or_record_refusal
from halo_core.oversight.control_acts import make_policy_approval, record_policy_approval
from halo_core.policy import PolicyBundle
from halo_core.policy.score_limits import ScoreLimits, ScoreRules, apply_score_limits, find_score_rules
from halo_core.processes import count_cores
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import NO_END
from halo_core.views.backtest import (
    SEQUENCE_NOTE,
    BacktestReport,
    TransitionGroup,
    UndecidedDecision,
    summarize_backtest,
)
from halo_core.views.frontier_chart import draw_frontier_chart, format_limits
from halo_core.views.score_frontier import (
    PER_CENT,
    FrontierBuilder,
    FrontierPoint,
    ScoreFrontier,
    find_attack_sessions,
)
from halo_core.views.wording import format_count

__all__ = ["policy_app"]  # with these verbs

_MAX_ROWS: Final = 40
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?")
_LIMITS: Final = re.compile(r"([0-9]{1,4}),([0-9]{1,4})")
_TITLES: Final = {
    Change.TOWARDS_RUNNING: "[bold red]towards running[/]",
    Change.NEW_QUESTION: "[magenta]new questions[/]",
    Change.NEW_DENIAL: "[bold]new denials[/]",
    Change.NEW_RESTRICTION: "[yellow]new restrictions[/]",
    Change.MARK: "[cyan]marked, or no longer marked[/]",
    Change.REASONS: "[dim]same effect, other reasons[/]",
}


@store_verb(policy_app, "backtest")
def backtest(
    new: Annotated[
        Path | None,
        Argument(metavar="NEW", help="Folder of .cedar files, or one file (default: policy in the home)."),
    ] = None,
    *,
    since: Annotated[
        str, Option("--from", metavar="TIME", help="Only decisions from this time on (ISO 8601, UTC).")
    ] = "",
    until: Annotated[str, Option("--to", metavar="TIME", help="Only decisions before this time.")] = "",
    agent: Annotated[str, Option("--agent", help="Only decisions of this agent.")] = "",
    limits: Annotated[
        str, Option("--limits", metavar="ELEVATED,HIGH", help="Limits (0..1000) of the rules of the score alone.")
    ] = "",
    ask_at_most: Annotated[
        str,
        Option(
            "--ask-at-most", metavar="SHARE", help="Propose such limits that ask in at most this share of sessions."
        ),
    ] = "",
    svg: Annotated[
        Path | None, Option("--svg", metavar="FILE", help="With `--ask-at-most`: write a chart to this file.")
    ] = None,
    write: Annotated[
        Path | None, Option("--write", metavar="FOLDER", help="With `--limits`: write the policy to a new folder.")
    ] = None,
    store: StoreContext,
) -> int:
    """Decide all recorded decisions again under another policy, and list what changes: `deny → allow` first.

    Exit 0: nothing moves towards running. 1: something does. 2: cannot tell (erased or unverifiable inputs, no
    decisions).
    """
    selection = Selection(parse_time(since, 0, "from"), parse_time(until, NO_END, "to"), agent)
    at_most = parse_share(ask_at_most) if ask_at_most else None
    for name, value, needed, given in (
        ("svg", svg, "--ask-at-most", ask_at_most),
        ("write", write, "--limits", limits),
    ):
        if value is not None and not given:
            raise ConfigError("usage", f"`--{name}` needs `{needed}`", field=name, remedy=f"add `{needed}`")
    try:
        candidate = _load_candidate(new or store.home / "policy", limits)
    except PolicyError as exc:
        return fail(exc, Exit.USAGE)  # not 1, which says that decisions move towards running
    if at_most is not None:
        _require_movable(candidate.rules)
    clock = SystemClock()
    started_us = clock.mono_us()
    report = _run(store, candidate, selection, at_most)
    elapsed_us = clock.mono_us() - started_us
    if write is not None:
        _write_policy(candidate, write)
    if svg is not None and report.frontier is not None:
        write_text_file(svg, draw_frontier_chart(report.frontier), "svg")
    speed = round(report.decisions * SECOND_US / max(elapsed_us, 1))
    if not store.print_json(report.to_json() | {"decisions_per_s": speed}):
        _print_report(report, speed)
        for path in filter(None, (svg, write)):
            say_plainly(f"written to {path}")
    if report.changes[Change.TOWARDS_RUNNING]:
        return Exit.FAILED
    return Exit.CANNOT_TELL if report.undecided or not report.decisions else Exit.OK


@dataclass(frozen=True, slots=True)
class _Candidate:
    """The policy to decide with: file name → Cedar text, and its rules that read the score."""

    sources: dict[str, str]
    rules: ScoreRules


@store_verb(policy_app, "history")
def show_history(
    *,
    separation: Annotated[
        bool, Option("--separation", help="Whether somebody other than its author approved each version.")
    ] = False,
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """List the versions of the policy: when in force, put there by whom, approved by whom, tested how."""
    question = partial(answer_policy_history, separation=separation)
    return answer_question(store, "policy history", read_period(from_, to), question, separation=separation)


@store_verb(policy_app, "approve")
def approve(
    folder: Annotated[Path | None, Argument(metavar="[FOLDER]", help="Policy folder (default: the home's).")] = None,
    *,
    name: Annotated[str, Option("--as", help="Your enrolled name.")],
    author: Annotated[str, Option("--author", help="Who wrote the rules.")] = "",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Approve the rules of a folder, signed with your key; best before they are put in force."""
    bundle = PolicyBundle.load([folder or store.home / "policy"], {})
    with store.open_store(store.resolve_tenant()) as opened:
        act = opened.commit(lambda tx: make_policy_approval(tx, bundle.rules, author))
        signed = Signing(store, opened, None, [name], key_home).sign(act, needed=1)
        commit_or_record_refusal(
            opened,
            lambda tx: record_policy_approval(tx, bundle.rules, author, name, signed.tokens),
            "policy",
            store.actor,
        )
    if not store.print_json({"approver": name, "author": author, "policy": bundle.rules}):
        say_plainly(f"approved by {name}: rules {bundle.rules}")
        if author and same_person(author, name):
            print_note("its author approved it: `halo policy history --separation` lists that as a finding")


def _load_candidate(path: Path, limits: str) -> _Candidate:
    bundle = PolicyBundle.load([path])
    rules = find_score_rules(bundle.parse())
    if not limits:
        return _Candidate(dict(bundle.sources), rules)
    _require_movable(rules)
    return _Candidate(apply_score_limits(bundle.sources, parse_limits(limits)), rules)


def _require_movable(rules: ScoreRules) -> None:
    if not rules.movable:
        problem = "the policy has no rule that follows from the score alone and compares `context.risk_band`"
        remedy = "see `halo.risk.high` in the starter policy; rules that also read what is done keep their limits"
        raise ConfigError("no_score_rules", problem, field="NEW", remedy=remedy)


def _run(store: StoreContext, candidate: _Candidate, selection: Selection, at_most: int | None) -> BacktestReport:
    tenant = store.resolve_tenant()
    with store.open_reader() as reader:  # without names: results name sessions by reference
        total = reader.count(tenant, EntryKind.DECISION.value)
        attacks = find_attack_sessions(reader, tenant) if at_most is not None else frozenset()
    results: Iterable[BacktestResult | None] = backtest_log(
        store.url,
        store.home,
        tenant,
        candidate.sources,
        selection,
        with_outcomes=at_most is not None,
        processes=count_cores(),
    )
    builder = FrontierBuilder(attacks)
    columns = (TextColumn("deciding again"), BarColumn(), MofNCompleteColumn(), _SpeedColumn(), TimeElapsedColumn())
    with show_progress(*columns) as bar:
        results = bar.track(results, total=total)
        report = summarize_backtest(results if at_most is None else builder.watch(results))
    if at_most is not None:
        report.frontier = builder.build(candidate.rules, at_most)
    return report


class _SpeedColumn(ProgressColumn):
    """Decisions per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed or 0
        return Text(f"{speed:,.0f} decisions/s")


def parse_share(text: str) -> int:
    """A share such as `3%` or `2.5%`, in hundredths of a per cent.

    Raises:
        ConfigError: `bad_share`, it is no share, or above 100%.
    """
    match = _PERCENT.fullmatch(text)
    share = int(match[1]) * PER_CENT + int((match[2] or "").ljust(2, "0")) if match is not None else -1
    if not 0 <= share <= 100 * PER_CENT:
        problem = f"`{text[:32]}` is not a share of sessions"
        raise ConfigError("bad_share", problem, field="ask-at-most", remedy="for example 3% or 2.5%")
    return share


def parse_limits(text: str) -> ScoreLimits:
    """The limits of `elevated` and `high` in a text such as `400,870`.

    Raises:
        ConfigError: `bad_limits`, the text is not two numbers.
        BadInput: `bad_limits`, the numbers are out of range or order.
    """
    match = _LIMITS.fullmatch(text)
    if match is None:
        problem = f"`{text[:32]}` are not two limits"
        raise ConfigError("bad_limits", problem, field="limits", remedy="use ELEVATED,HIGH, for example 400,870")
    return ScoreLimits(int(match[1]), int(match[2]))


def _write_policy(candidate: _Candidate, folder: Path) -> None:
    try:
        folder.mkdir()
    except FileExistsError as exc:
        remedy = "choose another folder; existing policies are not overwritten"
        raise ConfigError("folder_exists", f"`{folder}` already exists", field="write", remedy=remedy) from exc
    except OSError as exc:
        problem, remedy = f"cannot create `{folder}`: {exc.strerror}", "choose a folder in a writable place"
        raise ConfigError("no_folder", problem, field="write", remedy=remedy) from exc
    for name, text in candidate.sources.items():
        write_text_file(folder / name, text, "write")


def _print_report(report: BacktestReport, speed: int) -> None:
    compared = f"decided {format_count(report.decisions, 'decision')} again"
    say(f"{compared} in {format_count(len(report.sessions), 'session')}: {speed:,} decisions/s")
    for change, title in _TITLES.items():
        _print_groups(title, report.changes[change], [item for item in report.groups if item.change is change])
    say(f"{format_count(report.changes[Change.SAME], 'decision stays', 'decisions stay')} the same")
    _print_loads(report)
    if report.undecided:
        _print_undecided(report)
    if report.frontier is not None:
        _print_frontier(report.frontier)
    print_note(SEQUENCE_NOTE)


def _print_groups(title: str, number: int, groups: list[TransitionGroup]) -> None:
    if not groups:
        return
    say(f"{title}: {format_count(number, 'decision')}")
    table = build_table(("  before → after", "decisions", "sessions", "first", "resource", "rule"), right=_NUMBERS)
    for group in groups[:_MAX_ROWS]:
        table.add_row(
            f"  {group.before.value} → {group.after.value}",
            f"{group.decisions:,}",
            f"{len(group.sessions):,}",
            f"#{group.first}",
            safe_text(group.resource),
            safe_text(", ".join(group.rules)),
        )
    say(table)
    if len(groups) > _MAX_ROWS:
        say(f"  … and {len(groups) - _MAX_ROWS} more rows; use `--json` to see all")


_NUMBERS: Final = ("decisions", "sessions", "first")


def _print_loads(report: BacktestReport) -> None:
    table = build_table(("", "before", "after"), right=("before", "after"), gap=2)
    before, after = report.before, report.after
    rows = (
        ("sessions touched (denied, asked or restricted)", len(before.touched), len(after.touched)),
        ("sessions asked", len(before.asked), len(after.asked)),
    )
    for words, old, new in rows:
        table.add_row(words, f"{old:,}", f"{new:,}")
    questions = (f"{report.per_hundred_sessions(load.questions):.1f}" for load in (before, after))
    table.add_row("questions per 100 sessions", *questions)
    say(table)


def _print_undecided(report: BacktestReport) -> None:
    number = report.undecided.total()
    say(f"[bold yellow]cannot tell[/] for {format_count(number, 'decision')}; they are in no count above")
    for item in report.undecided_examples[:_MAX_ROWS]:
        _print_undecided_decision(item)
    if number > _MAX_ROWS:
        counts = ", ".join(f"{many:,} {status.value}" for status, many in sorted(report.undecided.items()))
        say(f"  … in all {counts}; use `--json` to see more")


def _print_undecided_decision(item: UndecidedDecision) -> None:
    say(f"  #{item.index} {item.id} [yellow]{item.status.value}[/] ", safe_text(item.problem))


def _print_frontier(frontier: ScoreFrontier) -> None:
    attacks = (f"of {format_count(frontier.attacks, 'attack')}",) if frontier.attacks else ()
    numbers = ("sessions asked", "questions", "asked or stopped", *attacks)
    say(f"[bold]limits of the score's rules[/]: {', '.join(frontier.rules.movable)}")
    table = build_table(("limits", *numbers, ""), right=numbers, gap=2)
    for point in (frontier.current, *frontier.points):
        attack_cells = (f"{point.attacks_held:,}",) if frontier.attacks else ()
        question_text = f"{point.asked:,} ({frontier.share_asked(point):.1f}%)"
        mark = "[green]proposed[/]" if point is frontier.proposed else ""
        table.add_row(
            format_limits(point), question_text, f"{point.questions:,}", f"{point.held:,}", *attack_cells, mark
        )
    say(table)
    if frontier.rules.fixed:
        say_plainly(f"these read the score too, and keep their limits: {', '.join(frontier.rules.fixed)}")
    _print_proposal(frontier, frontier.proposed)


def _print_proposal(frontier: ScoreFrontier, proposed: FrontierPoint | None) -> None:
    share = f"{frontier.at_most / PER_CENT:g}%"
    if proposed is None:
        least = frontier.share_asked(frontier.least)
        say(f"no limits ask in at most {share} of sessions: the other rules alone ask in {least:.1f}%, and they stay")
        return
    say(f"proposed: [bold]{format_limits(proposed)}[/] asks in {frontier.share_asked(proposed):.1f}% of sessions")
    say_plainly(f"  see what it changes: halo policy backtest --limits {format_limits(proposed)} --write FOLDER")
