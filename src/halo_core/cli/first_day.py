"""The dialogue of `halo enforce`: it goes through what was observed, tool by tool, and writes the manifest.

`lead_through_first_day` shows each undeclared tool and retriever with the guessed declaration, its reason, and what
would have happened to its calls so far. It takes one answer for each, shows how the manifest changes, and writes it.
The caller switches the mode.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Final

import typer
from rich.text import Text

from halo_core.cli.context import StoreContext
from halo_core.cli.output import confirm
from halo_core.cli.rendering import CHANGE_STYLE, console, safe_text, say, say_with_path, wrap_question
from halo_core.errors import ConfigError
from halo_core.manifest import format_declaration
from halo_core.model import ActionKind, Impact, Resource
from halo_core.oversight.issuing import write_manifest
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.views.first_day import (
    OWN_RECORDS,
    UNTRUSTED_SOURCE,
    FirstDay,
    ManifestEdit,
    ObservedResource,
    Outcomes,
    ResourceName,
    Source,
    count_declared,
    declare,
    edit_manifest,
    find_approving_verb,
    load_first_day,
)
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.wording import format_count

_MAX_DIFF: Final = 120  # lines
_MAX_CODES: Final = 2
_MAX_FINDINGS: Final = 20
_LABEL: Final = 10  # columns of the names of fields
_STEP: Final = 7  # columns in front of them
_NOBODY_SAYS: Final = "nothing says what it does; until somebody does, it is judged by its arguments"
_ANSWERS: Final = "[a]ccept [c]hange [o]wn [u]ntrusted [s]kip [b]ack [q]uit [?]"
_HELP: Final[dict[str, str]] = {
    "a": "accept the guess; what it returns counts as written by others",
    "c": "change the class, and which arguments are targets and amount",
    "o": "accept; only your own systems write what it returns",
    "u": "accept; others write what it returns, and the manifest says so",
    "s": "skip: it stays undeclared",
    "b": "back to the tool before this one",
    "q": "quit: nothing is written, and the mode stays as it is",
}
_WAYS: Final[dict[str, tuple[str, str]]] = {
    "no_request": (
        "Used nothing that a user is known to have written, so that each target is a question",
        "where the request begins: `with halo.session(request=...)`, unless your application passes it as a message",
    ),
    "hosted_tool": (
        "Tools that the model's provider runs: they are refused in enforce mode",
        "remove them from the request, or declare and grant `hosted:NAME` under `tools`",
    ),
    "mcp_tool_not_accepted": (
        "Tools that an MCP server added or changed since its first listing: nobody accepted them",
        "halo mcp list, then halo mcp accept SERVER TOOL",
    ),
    "unknown_model_field": (
        "Fields of model requests that nobody knows: each is one question",
        "halo known add model_field NAME",
    ),
}
_UNGUARDED: Final = (
    "Ran without a guard, so that nobody decided it: refused where a guard can refuse it",
    "`halo doctor MODULE:OBJECT` says for each of them what to guard",
)


@dataclass(slots=True)
class _Dialogue:
    """What was observed, and the answers so far.

    Args:
        store: the store of the verb.
        day: what was observed.
        agent: the only agent that is looked at; empty for all.
        answers: resource → its declaration.
        skipped: resources that stay undeclared.
    """

    store: StoreContext
    day: FirstDay
    agent: str
    answers: dict[ResourceName, Resource] = field(default_factory=dict)
    skipped: list[ObservedResource] = field(default_factory=list)

    def count_outcomes(self, answers: dict[ResourceName, Resource]) -> dict[ResourceName, Outcomes]:
        """What would have happened to the recorded calls with these declarations."""
        return count_declared(self.store.url, self.store.home, self.day, answers, agent=self.agent)


def load_observed(store: StoreContext, tenant: str, agent: str) -> FirstDay:
    """What was observed so far, without the resources that the manifest declares."""
    manifest = read_manifest_if_any(store.home, None)
    if manifest is not None and manifest.tenant != tenant:
        manifest = None  # it is another tenant's; `edit_manifest` refuses to write into it
    with store.open_log() as (reader, _):
        return load_first_day(reader, tenant, manifest, agent=agent)


def print_plan(store: StoreContext, tenant: str, agent: str, *, enforced_since: str = "") -> None:
    """Print what `--yes` would accept and how it would change the manifest; write nothing.

    Args:
        store: the verb's home and store.
        tenant: owner of the log.
        agent: only what this agent used; empty for all.
        enforced_since: since when the home is in enforce mode, in words; empty if it is not.
    """
    dialogue = _Dialogue(store, load_observed(store, tenant, agent), agent)
    _accept_all(dialogue)
    outcomes = dialogue.count_outcomes(dialogue.answers)
    edit = _edit(dialogue) if dialogue.answers else None
    if store.json:
        store.print_json(
            dialogue.day.to_json()
            | {
                "declarations": [
                    {
                        "declaration": format_declaration(declared),
                        "id": name,
                        "kind": kind.value,
                        "would_meet": outcomes[kind, name].to_json(),
                    }
                    for (kind, name), declared in sorted(dialogue.answers.items())
                ],
                "manifest": str(edit.path) if edit is not None else "",
                "skipped": [item.resource.id for item in dialogue.skipped],
            }
        )
        return
    _print_head(dialogue.day)
    for number, item in enumerate(dialogue.day.resources, 1):
        _print_resource(number, len(dialogue.day.resources), item, outcomes.get(item.name))
    _print_findings(dialogue.day)
    if edit is not None:
        _print_difference(edit)
    if dialogue.day.resources:
        say("nothing was written: run `halo enforce` to answer, or `halo enforce --yes` to accept these guesses")
    else:
        then = (
            f"already in enforce mode {enforced_since}" if enforced_since else "`halo enforce` switches to enforce mode"
        )
        say(safe_text(f"nothing was written, and there is nothing to answer: {then}"))


@dataclass(frozen=True, slots=True)
class FirstDayResult:
    """How the dialogue ended.

    Args:
        goes_on: whether to switch to enforce mode.
        shown: ids of resources whose calls were shown.
    """

    goes_on: bool
    shown: frozenset[str] = frozenset()


def lead_through_first_day(
    store: StoreContext, tenant: str, *, agent: str, yes: bool, is_enforcing: bool = False
) -> FirstDayResult:
    """Ask about each undeclared tool and retriever, and write the manifest.

    Without a terminal nobody is asked: `yes` accepts every guess, and otherwise all stay undeclared.

    Args:
        store: the verb's home and store.
        tenant: owner of the log.
        agent: only what this agent used; empty for all.
        yes: accept every guess.
        is_enforcing: whether the home is in enforce mode already.

    Raises:
        ConfigError: the manifest cannot be read, edited or written.
    """
    day = load_observed(store, tenant, agent)
    dialogue = _Dialogue(store, day, agent)
    is_asking = not yes and bool(day.resources) and sys.stdin.isatty() and sys.stdout.isatty()
    if is_asking or yes:
        _print_head(day)
    if yes:
        _accept_all(dialogue)
        outcomes = dialogue.count_outcomes(dialogue.answers)
        for number, item in enumerate(day.resources, 1):
            _print_resource(number, len(day.resources), item, outcomes.get(item.name))
    elif is_asking:
        if not _ask_about_all(dialogue):
            return FirstDayResult(goes_on=False)
    elif day.resources:
        names = ", ".join(item.resource.id for item in day.resources[:5])
        more = f" and {len(day.resources) - 5} more" if len(day.resources) > 5 else ""
        say(safe_text(f"undeclared: {names}{more}; `halo enforce --plan` shows them, `--yes` accepts the guesses"))
    _print_findings(day)
    shown_tools = frozenset(item.resource.id for item in day.resources) if is_asking or yes else frozenset()
    return FirstDayResult(_write(dialogue, is_asking=is_asking, is_enforcing=is_enforcing), shown_tools)


def _accept_all(dialogue: _Dialogue) -> None:
    for item in dialogue.day.resources:
        if item.is_guessed:
            dialogue.answers[item.name] = declare(item)
        else:
            dialogue.skipped.append(item)


def _ask_about_all(dialogue: _Dialogue) -> bool:
    """Ask about each resource; returns False if the person quit."""
    items = dialogue.day.resources
    accepted = dialogue.count_outcomes({item.name: declare(item) for item in items if item.is_guessed})
    answers: list[Resource | None] = []
    while len(answers) < len(items):
        item = items[len(answers)]
        _print_resource(len(answers) + 1, len(items), item, accepted.get(item.name))
        declared = _ask_about(dialogue, item, is_first=not answers)
        if declared is _QUIT:
            return False
        if declared is _BACK:
            answers.pop()
        else:
            answers.append(declared)
        say()
    for item, declared in zip(items, answers, strict=True):
        if declared is None:
            dialogue.skipped.append(item)
        else:
            dialogue.answers[item.name] = declared
    return True


_QUIT: Final = Resource(id="quit")
_BACK: Final = Resource(id="back")


def _ask_about(dialogue: _Dialogue, item: ObservedResource, *, is_first: bool) -> Resource | None:
    """Ask about one resource: its declaration, None to skip it, `_QUIT` to end, `_BACK` for the resource before."""
    usual, pad = "a" if item.is_guessed else "c", " " * _STEP
    acts: dict[str, Callable[[], Resource | None]] = {
        "a": lambda: declare(item),
        "c": lambda: _ask_for_changes(dialogue, item),
        "o": lambda: declare(item, Source.OWN),
        "u": lambda: declare(item, Source.UNTRUSTED),
        "s": lambda: None,
        "b": lambda: _BACK,
        "q": lambda: _QUIT,
    }
    while True:
        answer = typer.prompt(wrap_question(f"{pad}{_ANSWERS}", usual), default=usual).strip().lower()[:1]
        if answer == "?":
            for letter, text in _HELP.items():
                say(pad, safe_text(f"{letter}  {text}", style="dim"))
        elif answer not in acts:
            say(pad, "[yellow]please answer with one of a, c, o, u, s, b and q; ? explains them[/]")
        elif answer == "b" and is_first:
            say(pad, "[yellow]this is the first one[/]")
        else:
            try:
                return acts[answer]()
            except _BackToAnswers:
                continue
            except ConfigError as exc:
                say(pad, safe_text(f"{exc.message}; {exc.remedy}", style="yellow"))


class _BackToAnswers(Exception):
    """Raised when a person who is changing a guess goes back to the choice of an answer."""


def _ask_for_changes(dialogue: _Dialogue, item: ObservedResource) -> Resource:
    """Ask for class, targets and amount of a resource; returns its declaration.

    Raises:
        ConfigError: the person named an argument that the tool does not have.
        _BackToAnswers: the person goes back.
    """
    guessed, pad = item.resource, " " * _STEP
    impacts = [impact.value for impact in Impact if impact is not Impact.UNKNOWN]
    _print_hint("read changes nothing, write can be undone, send reaches others, admin changes who may do what")
    if hint := _describe_approval(guessed):
        _print_hint(hint)
    _print_hint("b goes back to the answers above")
    usual = guessed.impact.value if guessed.impact is not Impact.UNKNOWN else "b"
    impact = _ask_word(f"{pad}class ({', '.join(impacts)})", usual, impacts)
    targets = guessed.targets
    if item.arguments and impact != Impact.READ.value:
        _print_hint(f"its arguments are {', '.join(item.arguments)}")
        question = "which of them say where money or data goes, or what it acts on"
        text = _ask_argument(item, question, ",".join(guessed.targets))
        targets = tuple(sorted({name.strip() for name in text.split(",")} - {"", "-"}))
    amount = guessed.amount
    if item.arguments and impact == Impact.PAYMENT.value:
        amount = _ask_argument(item, "which of them holds the amount", guessed.amount)
        amount = "" if amount == "-" else amount
    declared = declare(item, impact=Impact(impact), targets=targets, amount=amount)
    _print_outcomes("then", dialogue.count_outcomes({item.name: declared})[item.name])
    return declared


def _ask_word(question: str, usual: str, words: list[str]) -> str:
    while True:
        answer: str = typer.prompt(wrap_question(question, usual), default=usual).strip().lower()
        if answer == "b":
            raise _BackToAnswers
        if answer in words:
            return answer
        say(" " * _STEP, "[yellow]please answer with one of these words, or with b to go back[/]")


def _ask_argument(item: ObservedResource, question: str, usual: str) -> str:
    usual = usual or "-"
    question = wrap_question(f"{' ' * _STEP}{question} (- for none)", usual)
    text: str = typer.prompt(question, default=usual).strip()
    if text == "b" and "b" not in item.arguments:
        raise _BackToAnswers
    return text


def _edit(dialogue: _Dialogue) -> ManifestEdit:
    with dialogue.store.open_log() as (reader, _):
        contents = dialogue.store.open_contents(reader)
        return edit_manifest(reader, contents, dialogue.store.home, dialogue.day, dialogue.answers)


def _write(dialogue: _Dialogue, *, is_asking: bool, is_enforcing: bool) -> bool:
    """Show how the manifest changes and write it; returns False if the person does not confirm."""
    if not dialogue.answers:
        return True
    edit = _edit(dialogue)
    _print_difference(edit)
    if is_asking:
        _print_totals(dialogue)
        question = wrap_question(f"write {edit.path}{'' if is_enforcing else ' and switch to enforce mode'}?", "Y/n")
        if not confirm(question, default=True):
            return False
    write_manifest(edit.path, edit.after)
    skipped = f", {len(dialogue.skipped)} left undeclared" if dialogue.skipped else ""
    written = f"wrote {edit.path}: {format_count(len(dialogue.answers), 'declaration')}{skipped}"
    say_with_path(written)
    if dialogue.day.issued:
        agents = " ".join(dialogue.day.issued)
        say("[yellow]note[/] ", safe_text(f"{agents}: in force once it is issued: halo passport issue AGENT"))
    say("[yellow]note[/] restart the application: it reads declarations when it starts")
    own_records = sorted(
        name for (_, name), declared in dialogue.answers.items() if declared.source_trust == OWN_RECORDS
    )
    if own_records:
        say(
            "[yellow]note[/] what agents wrote into these records after reading other people's words, in observe mode "
            "too, still counts as other people's words when it is read again; once you have looked at it:"
        )
        for name in own_records:
            say_with_path(f"  halo known clear {name}")
    return True


def _print_totals(dialogue: _Dialogue) -> None:
    outcomes = dialogue.count_outcomes(dialogue.answers)
    before = sum(
        item.recorded.asked + item.recorded.denied for item in dialogue.day.resources if item.name in dialogue.answers
    )
    after = sum(item.asked + item.denied for item in outcomes.values())
    calls = sum(item.calls for item in outcomes.values())
    say(
        f"of {format_count(calls, 'call')} so far, {before:,} would have waited without these declarations, "
        f"and {after:,} with them"
    )
    if unread := sum(item.unread for item in outcomes.values()):
        say(f"[dim]{unread:,} of them cannot be decided again: what they were decided by is not there any more[/]")


# the page


def _print_head(day: FirstDay) -> None:
    agents = ", ".join(day.agents) or "no agent yet"
    observed_text = f": {format_count(day.decisions, 'decision')} in {format_count(day.sessions, 'session')}"
    say(safe_text(agents, "bold"), f"{observed_text}, {day.asked:,} would have waited or been refused")
    undeclared = sum(item.resource.kind is ActionKind.TOOL_CALL for item in day.resources)
    others = len(day.resources) - undeclared
    summary = f"{format_count(undeclared, 'tool')} and {format_count(others, 'retriever')}"
    say(f"{summary} that nobody declared; {day.declared:,} declared")
    if day.resources:
        trust = f"(source trust {UNTRUSTED_SOURCE}), own records as {OWN_RECORDS}"
        say(f"[dim]results count as other people's words {trust}[/]")
    say()


def _print_resource(number: int, total: int, item: ObservedResource, outcomes: Outcomes | None) -> None:
    resource = item.resource
    kind = "" if resource.kind is ActionKind.TOOL_CALL else f" ({resource.kind.value})"
    used = f"{format_count(item.recorded.calls, 'call')}, {format_count(item.sessions, 'session')}"
    say(safe_text(f"{f'{number}/{total}':<{_STEP}}"), safe_text(f"{resource.id}{kind}", "bold"), f"  {used}")
    _print_field("guess", _describe_guess(resource))
    _print_field("why", item.why or "what it retrieves changes nothing")
    if hint := _describe_retrieval(resource) or _describe_approval(resource):
        _print_field("note", hint)
    _print_calls(item, outcomes)


def _describe_retrieval(resource: Resource) -> str:
    """What the answer about a retriever covers, and what the answer about the tool around it covers; empty if none."""
    if resource.kind is not ActionKind.RETRIEVAL:
        return ""
    owner = resource.id.rpartition("/")[0]
    if owner:
        return f"it runs inside `{owner}`: if you skip it, the answer about `{owner}` covers its documents too"
    return "this answer is about its documents; a tool that uses it is asked about by itself, for what it returns"


def _describe_approval(resource: Resource) -> str:
    """That a tool which seems to approve something is better declared as `admin` than as `write`; empty if not."""
    verb = find_approving_verb(resource.id) if resource.impact in (Impact.WRITE, Impact.UNKNOWN) else ""
    if not verb:
        return ""
    return f"to {verb} takes effect for others, so `admin` fits better than `write`, which is rarely asked about"


def _print_calls(item: ObservedResource, outcomes: Outcomes | None) -> None:
    """Print what happens to the calls of a resource as it is, and with the guess as its declaration."""
    now = item.recorded
    if outcomes is None and not item.is_guessed:
        _print_outcomes("now", now)
        _print_field("later", _NOBODY_SAYS)
    elif outcomes is None or not (now.stopped or outcomes.stopped or outcomes.unread):
        _print_outcomes("calls", now)
    else:
        _print_outcomes("now", now)
        _print_outcomes("accepted", outcomes)


def _describe_guess(resource: Resource) -> str:
    if resource.impact is Impact.UNKNOWN:
        return "none"
    parts = [resource.impact.value]
    is_deletion = resource.impact is Impact.DELETE
    if resource.targets:
        names = ", ".join(f"`{name}`" for name in resource.targets)
        parts.append(f"{'deletes what' if is_deletion else 'goes to'} {names}{' names' if is_deletion else ''}")
    elif is_deletion:
        parts.append("no argument says what it deletes, so each call is asked about")
    elif resource.impact in (Impact.PAYMENT, Impact.SEND):
        parts.append("no argument says where it goes")
    if resource.amount:
        parts.append(f"amount in `{resource.amount}`")
    parts += [f"`{argument}` is {language}" for argument, language in resource.programs]
    return "; ".join(parts)


def _print_outcomes(name: str, outcomes: Outcomes) -> None:
    if not outcomes.calls:
        text = "none so far"
    elif not outcomes.stopped:
        text = f"each of {outcomes.calls:,} calls runs" if outcomes.calls > 1 else "it runs"
    else:
        text = f"{_describe_stops(outcomes)} of {format_count(outcomes.calls, 'call')}: {_describe_codes(outcomes)}"
    if outcomes.unread:
        text += f"; {outcomes.unread:,} cannot be decided again"
    style = "magenta" if outcomes.asked and not outcomes.denied else "red" if outcomes.denied else "green"
    _print_field(name, text, style if outcomes.calls else "")


def _describe_stops(outcomes: Outcomes) -> str:
    parts = [f"asks {outcomes.asked:,}"] * bool(outcomes.asked) + [f"refuses {outcomes.denied:,}"] * bool(
        outcomes.denied
    )
    return " and ".join(parts)


def _describe_codes(outcomes: Outcomes) -> str:
    by_count = sorted(outcomes.codes, key=lambda code: (-outcomes.codes[code], code))
    titles = [get_reason_text(code).title for code in by_count[:_MAX_CODES]]
    return ", ".join(titles) + (", ..." if len(outcomes.codes) > _MAX_CODES else "")


def _print_hint(text: str) -> None:
    out = console()
    for line in safe_text(text, "dim").wrap(out, max(20, min(out.width, 100) - _STEP)):
        out.print(" " * _STEP, line, sep="", soft_wrap=True)


def _print_field(name: str, text: str, style: str = "") -> None:
    """Print a field's name and its text, folded with a hanging indent."""
    out = console()
    indent = _STEP + _LABEL
    lines = safe_text(text, style).wrap(out, max(20, min(out.width, 100) - indent))
    for number, line in enumerate(lines or [Text("")]):
        head = Text(f"{' ' * _STEP}{name:<{_LABEL}}", "dim") if number == 0 else Text(" " * indent)
        out.print(head, line, sep="", soft_wrap=True)


def _print_findings(day: FirstDay) -> None:
    unguarded = [item for item in day.findings if item.kind not in _WAYS]
    groups = [([item for item in day.findings if item.kind == kind], texts) for kind, texts in _WAYS.items()]
    for items, (title, remedy) in [*groups, (unguarded, _UNGUARDED)]:
        if not items:
            continue
        say(f"[bold]{title}[/]")
        for item in items[:_MAX_FINDINGS]:
            kind = "" if item.kind in _WAYS else f"{item.kind} "
            place = f" ({item.where})" if item.where else ""
            say("  ", safe_text(f"{kind}{item.name}{place}", style="yellow"))
        if len(items) > _MAX_FINDINGS:
            say(f"  … and {len(items) - _MAX_FINDINGS} more; use `--json` to see all")
        say("  ", safe_text(f"try: {remedy}"))
        say()


def _print_difference(edit: ManifestEdit) -> None:
    say_with_path(str(edit.path) if edit.before else f"{edit.path}  (new)", "bold")
    _print_lines(_list_changed_lines(edit))
    say()


def _list_changed_lines(edit: ManifestEdit) -> list[str]:
    before, after = edit.before.splitlines(), edit.after.splitlines()
    lines = list(difflib.unified_diff(before, after, lineterm="", n=0))[2:]
    return [line for line in lines if not line.startswith("@@")]


def _print_lines(lines: Iterable[str]) -> None:
    printed_lines = list(lines)
    for line in printed_lines[:_MAX_DIFF]:
        say(safe_text(f"  {line[:1]} {line[1:]}", style=CHANGE_STYLE.get(line[:1], "")))
    if len(printed_lines) > _MAX_DIFF:
        say(f"  … and {len(printed_lines) - _MAX_DIFF} more lines")
