"""What `halo enforce` prints of the resources that nobody declared, of findings, and of the manifest's changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

from rich.text import Text

from halo_core.cli.rendering import CHANGE_STYLE, console, safe_text, say, say_with_path
from halo_core.model import ActionKind, Impact, Resource
from halo_core.reasons import get_reason_text
from halo_core.views.first_day import (
    OWN_RECORDS,
    UNTRUSTED_SOURCE,
    FirstDay,
    ManifestEdit,
    ObservedResource,
    Outcomes,
    find_approving_verb,
)
from halo_core.views.wording import format_count

_MAX_DIFF: Final = 120  # lines
_MAX_CODES: Final = 2
_MAX_FINDINGS: Final = 20
_LABEL: Final = 10  # columns of the names of fields
STEP: Final = 7  # columns in front of them
_NOBODY_SAYS: Final = "nothing says what it does; until somebody does, it is judged by its arguments"
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


def print_head(day: FirstDay) -> None:
    """Print how much was observed."""
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


def print_resource(number: int, total: int, item: ObservedResource, outcomes: Outcomes | None) -> None:
    """Print a resource with its guess, and what happens to its calls: as it is, and with the guess (`outcomes`)."""
    resource = item.resource
    kind = "" if resource.kind is ActionKind.TOOL_CALL else f" ({resource.kind.value})"
    used = f"{format_count(item.recorded.calls, 'call')}, {format_count(item.sessions, 'session')}"
    say(safe_text(f"{f'{number}/{total}':<{STEP}}"), safe_text(f"{resource.id}{kind}", "bold"), f"  {used}")
    print_field("guess", _describe_guess(resource))
    print_field("why", item.why or "what it retrieves changes nothing")
    if hint := _describe_retrieval(resource) or describe_approval(resource):
        print_field("note", hint)
    _print_calls(item, outcomes)


def _describe_retrieval(resource: Resource) -> str:
    """What the answer about a retriever covers, and what the answer about the tool around it covers; empty if none."""
    if resource.kind is not ActionKind.RETRIEVAL:
        return ""
    owner = resource.id.rpartition("/")[0]
    if owner:
        return f"it runs inside `{owner}`: if you skip it, the answer about `{owner}` covers its documents too"
    return "this answer is about its documents; a tool that uses it is asked about by itself, for what it returns"


def describe_approval(resource: Resource) -> str:
    """That a tool which seems to approve something is better declared as `admin` than as `write`; empty if not."""
    verb = find_approving_verb(resource.id) if resource.impact in (Impact.WRITE, Impact.UNKNOWN) else ""
    if not verb:
        return ""
    return f"to {verb} takes effect for others, so `admin` fits better than `write`, which is rarely asked about"


def _print_calls(item: ObservedResource, outcomes: Outcomes | None) -> None:
    """Print what happens to the calls of a resource as it is, and with the guess as its declaration."""
    now = item.recorded
    if outcomes is None and not item.is_guessed:
        print_outcomes("now", now)
        print_field("later", _NOBODY_SAYS)
    elif outcomes is None or not (now.stopped or outcomes.stopped or outcomes.unread):
        print_outcomes("calls", now)
    else:
        print_outcomes("now", now)
        print_outcomes("accepted", outcomes)


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


def print_outcomes(name: str, outcomes: Outcomes) -> None:
    """Print what happens to the calls of a resource, as a field."""
    if not outcomes.calls:
        text = "none so far"
    elif not outcomes.stopped:
        text = f"each of {outcomes.calls:,} calls runs" if outcomes.calls > 1 else "it runs"
    else:
        text = f"{_describe_stops(outcomes)} of {format_count(outcomes.calls, 'call')}: {_describe_codes(outcomes)}"
    if outcomes.unread:
        text += f"; {outcomes.unread:,} cannot be decided again"
    style = "magenta" if outcomes.asked and not outcomes.denied else "red" if outcomes.denied else "green"
    print_field(name, text, style if outcomes.calls else "")


def _describe_stops(outcomes: Outcomes) -> str:
    parts = [f"asks {outcomes.asked:,}"] * bool(outcomes.asked) + [f"refuses {outcomes.denied:,}"] * bool(
        outcomes.denied
    )
    return " and ".join(parts)


def _describe_codes(outcomes: Outcomes) -> str:
    by_count = sorted(outcomes.codes, key=lambda code: (-outcomes.codes[code], code))
    titles = [get_reason_text(code).title for code in by_count[:_MAX_CODES]]
    return ", ".join(titles) + (", ..." if len(outcomes.codes) > _MAX_CODES else "")


def print_hint(text: str) -> None:
    """Print a remark, folded and indented."""
    out = console()
    for line in safe_text(text, "dim").wrap(out, max(20, min(out.width, 100) - STEP)):
        out.print(" " * STEP, line, sep="", soft_wrap=True)


def print_field(name: str, text: str, style: str = "") -> None:
    """Print a field's name and its text, folded with a hanging indent."""
    out = console()
    indent = STEP + _LABEL
    lines = safe_text(text, style).wrap(out, max(20, min(out.width, 100) - indent))
    for number, line in enumerate(lines or [Text("")]):
        head = Text(f"{' ' * STEP}{name:<{_LABEL}}", "dim") if number == 0 else Text(" " * indent)
        out.print(head, line, sep="", soft_wrap=True)


def print_findings(day: FirstDay) -> None:
    """Print what no declaration settles, with a remedy for each kind."""
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


def print_difference(edit: ManifestEdit) -> None:
    """Print how the manifest changes."""
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
