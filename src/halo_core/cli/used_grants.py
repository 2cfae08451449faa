"""The part of `halo enforce --grants`: proposes grants from what was used, shows the changes, and issues passports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.cli.context import StoreContext
from halo_core.cli.output import confirm
from halo_core.cli.passports import print_changes, refuse_widening
from halo_core.cli.rendering import CHANGE_STYLE, safe_text, say, wrap_question
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import ActionKind
from halo_core.oversight.issuing import apply_manifest
from halo_core.views.grant_proposals import ProposedGrants, list_proposals
from halo_core.views.passport_changes import PreparedGrants, prepare_grants
from halo_core.views.wording import describe_arguments, shorten_hash

_MAX_ROWS: Final = 40


def narrow_grants(store: StoreContext, tenant: str, agent: str, *, tight: bool, yes: bool, widen: bool) -> bool:
    """Propose grants from what was used, show what would change, ask, and issue passports; False if not confirmed."""
    prepared = propose_grants(store, tenant, agent, tight=tight)
    if not widen:
        refuse_widening(prepared, remedy="remove it from the manifest, or use `--widen`")
    question = wrap_question(f"write these grants to {prepared.path} and issue the passports?", "y/N")
    if not (yes or confirm(question)):
        return False
    wanted = [(passport, planned.describe_changes()) for passport, planned in prepared.planned]
    for link in apply_manifest(store.url, store.home, prepared.path, prepared.manifest, wanted):
        say("[bold]issued[/] ", safe_text(f"{link.agent} {shorten_hash(link.hash)}"))
    return True


def propose_grants(store: StoreContext, tenant: str, agent: str, *, tight: bool) -> PreparedGrants:
    """Propose grants from what was used, and show what would change; writes nothing."""
    with store.open_reader() as reader:
        proposals = list_proposals(reader, store.open_contents(reader), tenant, tight=tight)
    proposals = [item for item in proposals if agent in ("", item.proposal.agent)]
    if not proposals:
        problem, remedy = "there are no recorded decisions", "run the app in observe mode first"
        raise ConfigError("nothing_used", problem, field="agent", remedy=remedy)
    for item in proposals:
        _print_proposal(item)
    prepared = prepare_grants(store.url, store.home, tenant, proposals, SystemClock().now_us())
    _print_plan(prepared)
    return prepared


def _print_plan(prepared: PreparedGrants) -> None:
    say("manifest: ", safe_text(str(prepared.path)))
    for wanted, planned in prepared.planned:
        print_changes(planned, safe_text(planned.link.agent, "bold"), " would be issued, ")
        for note in wanted.notes:
            say("  [yellow]note[/] ", safe_text(note))


def _print_proposal(proposed: ProposedGrants) -> None:
    """Print which grants of an agent would be removed, kept and narrowed."""
    usage = proposed.proposal
    used = [item for item in usage.used if item.kind is not ActionKind.HANDOFF]  # the manifest declares hand-offs
    granted = {(kind, name) for kind, resources in usage.granted.items() for name in resources}
    granted_uses = [item for item in used if proposed.first or (item.kind, item.name) in granted]
    unused = [item for item in usage.list_unused() if item[0] is not ActionKind.HANDOFF]
    summary = "no passport yet" if proposed.first else f"granted {len(unused) + len(granted_uses)}"
    removed = ("this one" if len(unused) == 1 else f"these {len(unused)}") if unused else "nothing"
    say(safe_text(usage.agent, "bold"), f": {summary}, used {len(granted_uses)}: {removed} would be removed")
    for kind, name in unused[:_MAX_ROWS]:
        say("  ", safe_text(f"- {_format_resource(kind, name)}", style=CHANGE_STYLE["-"]))
    if len(unused) > _MAX_ROWS:
        say(f"  … and {len(unused) - _MAX_ROWS} more")
    for item in granted_uses:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_format_resource(item.kind, item.name)} ({item.calls:,} calls): {describe_arguments(rules)}"
        say(safe_text(line))
    not_granted = [(item.kind, item.name, item.calls) for item in used if item not in granted_uses]
    _print_left_out("used before, not granted now", not_granted)
    _print_left_out("denied every time", usage.refused)
    if usage.unread:
        say(f"  [yellow]arguments of {usage.unread:,} calls could not be decrypted[/]")


def _print_left_out(why: str, resources: Sequence[tuple[ActionKind, str, int]]) -> None:
    for kind, name, count in resources:
        line = f"  {why}, not proposed: {_format_resource(kind, name)} ({count:,} calls)"
        say(safe_text(line, style="yellow"))


def _format_resource(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"
