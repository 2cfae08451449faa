"""The dialogue of `halo enforce`: it goes through what was observed, tool by tool, and writes the manifest.

`lead_through_first_day` shows each undeclared tool and retriever with the guessed declaration, its reason, and what
would have happened to its calls so far. It takes one answer for each, shows how the manifest changes, and writes it.
The caller switches the mode.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from typing import Final

import typer

from halo_core.cli.context import StoreContext
from halo_core.cli.first_day_page import (
    STEP,
    describe_approval,
    print_difference,
    print_field,
    print_findings,
    print_head,
    print_hint,
    print_outcomes,
    print_resource,
)
from halo_core.cli.output import confirm
from halo_core.cli.rendering import safe_text, say, say_with_path, wrap_question
from halo_core.content.personal_data import mask_card_numbers
from halo_core.errors import ConfigError
from halo_core.manifest import format_declaration
from halo_core.model import Impact, Resource
from halo_core.oversight.issuing import write_manifest
from halo_core.oversight.known import find_stored
from halo_core.quick_dataclass import dataclass
from halo_core.views.first_day import (
    OWN_RECORDS,
    FirstDay,
    ManifestEdit,
    ObservedResource,
    Outcomes,
    ReleasedCall,
    ResourceName,
    Source,
    count_declared,
    declare,
    edit_manifest,
    list_released,
    load_first_day,
)
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.wording import escape_unprintable, format_count

_MAX_RELEASED: Final = 8
_MAX_TARGETS: Final = 3
_MAX_TEXT: Final = 60  # characters of the targets of a call
_CONDITION: Final = "right only if nobody outside can write to what it reads"
_ANSWERS: Final = "[a]ccept [c]hange [o]wn [u]ntrusted [s]kip [b]ack [q]uit [?]"
_HELP: Final[dict[str, str]] = {
    "a": "accept the guess; what it returns counts as written by others",
    "c": "change the class, and which arguments are targets and amount",
    "o": "accept; only your own systems write what it returns, nobody outside",
    "u": "accept; others write what it returns, and the manifest says so",
    "s": "skip: it stays undeclared",
    "b": "back to the tool before this one",
    "q": "quit: nothing is written, and the mode stays as it is",
}


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
        return count_declared(
            self.store.url, self.store.home, self.day, answers, agent=self.agent, find_stored=self.find_stored
        )

    def list_released(self, answers: dict[ResourceName, Resource], source: ResourceName) -> list[ReleasedCall]:
        """The recorded calls that run because a declaration among these makes the results of a source trusted."""
        return list_released(
            self.store.url,
            self.store.home,
            self.day,
            answers,
            source,
            agent=self.agent,
            find_stored=self.find_stored,
        )

    def find_stored(self, values: Collection[tuple[Resource, str]]) -> frozenset[tuple[str, str]]:
        """Find the values that exposed sessions have stored."""
        with self.store.open_store(self.day.tenant) as opened:
            return opened.commit(lambda tx: find_stored(tx, values))


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
    print_head(dialogue.day)
    for number, item in enumerate(dialogue.day.resources, 1):
        print_resource(number, len(dialogue.day.resources), item, outcomes.get(item.name))
    print_findings(dialogue.day)
    if edit is not None:
        print_difference(edit)
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
        print_head(day)
    if yes:
        _accept_all(dialogue)
        outcomes = dialogue.count_outcomes(dialogue.answers)
        for number, item in enumerate(day.resources, 1):
            print_resource(number, len(day.resources), item, outcomes.get(item.name))
    elif is_asking:
        if not _ask_about_all(dialogue):
            return FirstDayResult(goes_on=False)
    elif day.resources:
        names = ", ".join(item.resource.id for item in day.resources[:5])
        more = f" and {len(day.resources) - 5} more" if len(day.resources) > 5 else ""
        say(safe_text(f"undeclared: {names}{more}; `halo enforce --plan` shows them, `--yes` accepts the guesses"))
    print_findings(day)
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
        print_resource(len(answers) + 1, len(items), item, accepted.get(item.name))
        if item.resource.impact is Impact.READ:
            _print_consequence(dialogue, item, _collect_answers(items, answers))
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


def _collect_answers(
    items: Sequence[ObservedResource], answers: Sequence[Resource | None]
) -> dict[ResourceName, Resource]:
    """The declarations so far, and the guesses about what comes after them."""
    collected = {item.name: declared for item, declared in zip(items, answers, strict=False) if declared is not None}
    return collected | {item.name: declare(item) for item in items[len(answers) :] if item.is_guessed}


def _print_consequence(dialogue: _Dialogue, item: ObservedResource, answers: dict[ResourceName, Resource]) -> None:
    """Print on which condition `o` is right, and which recorded calls it lets run."""
    name = item.resource.id
    released = dialogue.list_released({**answers, item.name: declare(item, Source.OWN)}, item.name)
    if not released:
        print_field("o", f"{_CONDITION}; it lets no recorded call run that would wait otherwise")
        return
    dialogue.store.record_reading(dialogue.day.tenant)
    counts = Counter(_describe_released(call) for call in released)
    calls = [f"{text} ({count})" if count > 1 else text for text, count in counts.most_common(_MAX_RELEASED)]
    more = f", and {len(counts) - _MAX_RELEASED} others" if len(counts) > _MAX_RELEASED else ""
    number = "this call" if len(released) == 1 else f"these {len(released):,} calls"
    print_field("o", f"{_CONDITION}; it lets {number} run: {', '.join(calls)}{more}", "yellow")
    if stored := sum(call.is_stored for call in released):
        waits = f"{stored:,} of them wait{'s' if stored == 1 else ''} until `halo known clear {name}`"
        print_field("", f"{waits}: an exposed session wrote such values")


def _describe_released(call: ReleasedCall) -> str:
    targets = ", ".join(mask_card_numbers(text) for text in call.targets[:_MAX_TARGETS])
    shown = targets if len(targets) <= _MAX_TEXT else f"{targets[: _MAX_TEXT - 1]}…"
    return escape_unprintable(f"{call.resource} to {shown}" if shown else call.resource)


_QUIT: Final = Resource(id="quit")
_BACK: Final = Resource(id="back")


def _ask_about(dialogue: _Dialogue, item: ObservedResource, *, is_first: bool) -> Resource | None:
    """Ask about one resource: its declaration, None to skip it, `_QUIT` to end, `_BACK` for the resource before."""
    usual, pad = "a" if item.is_guessed else "c", " " * STEP
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
    guessed, pad = item.resource, " " * STEP
    impacts = [impact.value for impact in Impact if impact is not Impact.UNKNOWN]
    print_hint("read changes nothing, write can be undone, send reaches others, admin changes who may do what")
    if hint := describe_approval(guessed):
        print_hint(hint)
    print_hint("b goes back to the answers above")
    usual = guessed.impact.value if guessed.impact is not Impact.UNKNOWN else "b"
    impact = _ask_word(f"{pad}class ({', '.join(impacts)})", usual, impacts)
    targets = guessed.targets
    if item.arguments and impact != Impact.READ.value:
        print_hint(f"its arguments are {', '.join(item.arguments)}")
        question = "which of them say where money or data goes, or what it acts on"
        text = _ask_argument(item, question, ",".join(guessed.targets))
        targets = tuple(sorted({name.strip() for name in text.split(",")} - {"", "-"}))
    amount = guessed.amount
    if item.arguments and impact == Impact.PAYMENT.value:
        amount = _ask_argument(item, "which of them holds the amount", guessed.amount)
        amount = "" if amount == "-" else amount
    declared = declare(item, impact=Impact(impact), targets=targets, amount=amount)
    print_outcomes("then", dialogue.count_outcomes({item.name: declared})[item.name])
    return declared


def _ask_word(question: str, usual: str, words: list[str]) -> str:
    while True:
        answer: str = typer.prompt(wrap_question(question, usual), default=usual).strip().lower()
        if answer == "b":
            raise _BackToAnswers
        if answer in words:
            return answer
        say(" " * STEP, "[yellow]please answer with one of these words, or with b to go back[/]")


def _ask_argument(item: ObservedResource, question: str, usual: str) -> str:
    usual = usual or "-"
    question = wrap_question(f"{' ' * STEP}{question} (- for none)", usual)
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
    print_difference(edit)
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
    if stored := sum(item.stored for item in outcomes.values()):
        say(
            f"{stored:,} of the latter: an exposed session wrote such values, so that they come back as other people's "
            "words until `halo known clear`"
        )
    if unread := sum(item.unread for item in outcomes.values()):
        say(f"[dim]{unread:,} of them cannot be decided again: what they were decided by is not there any more[/]")
