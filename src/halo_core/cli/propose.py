"""Room: grants proposed from what was recorded, for `halo enforce --grants`. Takes: a reader. Gives: a diff.

Never: proposes more than an agent has; issues without being told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from halo_core.cli.issuing import Issued, issue, plan
from halo_core.cli.manifests import MANIFEST, find_manifest, manifest_text, registrations
from halo_core.cli.passport_diff import STYLE
from halo_core.cli.passport_files import current
from halo_core.cli.words import arguments, cell
from halo_core.entitlements import Proposal, proposal
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.manifest import Issue, Manifest, load, with_grants
from halo_core.model import ANY_OTHER, ActionKind, Constraint, EntryKind, Grants
from halo_core.passport import meet
from halo_core.query import Contents, entries
from halo_core.registry import Registered
from halo_core.store.reader import Reader

__all__ = ["Prepared", "Proposed", "apply", "prepare", "propose", "render"]

_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal for one agent, and the grants that it comes to within what the agent has."""

    proposal: Proposal
    grants: Grants
    first: bool = False
    """Whether the agent has no passport yet, so that there is nothing to stay within."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The manifest as it would be written, and the passports that it comes to."""

    path: Path
    text: str
    manifest: Manifest
    planned: tuple[tuple[Issue, Issued], ...]


def propose(reader: Reader, contents: Contents, tenant: str, *, tight: bool = False) -> list[Proposed]:
    """One for each agent that acted, by name."""
    agents = sorted(
        {found.entry.body["request"]["subject"]["agent"] for found in entries(reader, tenant, (EntryKind.DECISION,))}
    )
    schemas = {(item.resource.kind, item.resource.id): item for item in registrations(reader, tenant)}
    found = []
    for agent in agents:
        kept = current(reader, tenant, agent)
        granted = kept.links[0].grants if kept is not None else {}
        made = proposal(reader, contents, tenant, agent, granted=granted)
        wanted = _wanted(made, schemas, tight=tight)
        # A proposal takes away, it never adds.
        found.append(Proposed(made, meet(granted, wanted) if kept is not None else wanted, first=kept is None))
    return found


def _wanted(made: Proposal, known: Mapping[tuple[ActionKind, str], Registered], *, tight: bool) -> Grants:
    """What was used. Other arguments of a tool's schema stay; with `tight` those it demands."""
    wanted: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    for kind, resources in made.grants(tight=tight).items():
        for name, rules in resources.items():
            item = known.get((kind, name))
            if kind is ActionKind.TOOL_CALL and item is not None:
                kept = _required(item) if tight else set(item.arguments())
                rest = {word: rule for word, rule in item.wildcard_grant().items() if word in kept - rules.keys()}
                wanted.setdefault(kind, {})[name] = {**rest, **rules}
            elif kind is ActionKind.TOOL_CALL:
                wanted.setdefault(kind, {})[name] = rules
            else:  # queries and prompts are free text
                wanted.setdefault(kind, {})[name] = {ANY_OTHER: Constraint.anything()}
    return wanted


def _required(item: Registered) -> set[str]:
    return set(item.schema.get("required", ()))


def render(view: Console, proposed: Proposed) -> None:
    """What would be taken, what kept, what narrowed."""
    made = proposed.proposal
    own = [item for item in made.used if item.kind is not ActionKind.HANDOFF]  # hand-offs are the manifest's to say
    granted = {(kind, name) for kind, resources in made.granted.items() for name in resources}
    kept = [item for item in own if proposed.first or (item.kind, item.name) in granted]
    unused = [item for item in made.unused() if item[0] is not ActionKind.HANDOFF]
    held = "no passport yet" if proposed.first else f"granted {len(unused) + len(kept)}"
    view.print(cell(made.agent, "bold"), f": {held}, used {len(kept)}", sep="", end="")
    gone = "this one" if len(unused) == 1 else f"these {len(unused)}"
    view.print(f": {gone} would go" if unused else ": nothing would go")
    for kind, name in unused[:_SHOWN]:
        view.print("  ", cell(f"- {_titled(kind, name)}", style=STYLE["-"]), sep="")
    if len(unused) > _SHOWN:
        view.print(f"  … and {len(unused) - _SHOWN} more")
    for item in kept:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_titled(item.kind, item.name)} ({item.calls:,} calls): {arguments(rules)}"
        view.print(cell(line))
    for item in own:
        if item not in kept:
            line = (
                f"  used before, not granted now, not proposed: {_titled(item.kind, item.name)} ({item.calls:,} calls)"
            )
            view.print(cell(line, style="yellow"))
    for kind, name, count in made.refused:
        view.print(cell(f"  refused every time, not proposed: {_titled(kind, name)} ({count:,} calls)", style="yellow"))
    if made.unread:
        view.print(f"  [yellow]arguments of {made.unread:,} calls could not be opened[/]")


def _titled(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"


def prepare(url: str, home: Path, tenant: str, proposed: list[Proposed], now_us: int) -> Prepared:
    """The manifest with these grants, and what would be issued from it; nothing is written.

    It is the one that `halo passport issue` would read; where there is none, a new one in the home.

    Raises:
        ConfigError: the manifest there cannot be read or edited.
    """
    try:
        path = find_manifest(home, None)
        text = manifest_text(path)
    except ConfigError as exc:
        if exc.code != "no_manifest" or (home / MANIFEST).exists():
            raise
        path, text = home / MANIFEST, ""
    for item in proposed:
        text = with_grants(text, item.proposal.agent, item.grants, tenant=tenant, source=path.name)
    manifest = load(text, source=path.name)
    if manifest.tenant != tenant:
        raise ConfigError(
            "which_tenant", f"`{path}` is of tenant `{manifest.tenant[:64]}`", field="tenant", remedy=f"name {tenant}"
        )
    # Of a tool that is taken away its budget may stay: said, and no reason to stop here.
    planned = [plan(url, manifest, item.proposal.agent, now_us, spare=True) for item in proposed]
    return Prepared(path, text, manifest, tuple(planned))


def apply(url: str, home: Path, prepared: Prepared, *, key_home: Path | None = None) -> list[Issued]:
    """Write the manifest and issue passports from it.

    Raises:
        ConfigError: it cannot be written; nothing was issued then.
    """
    KeyStore(home)  # the folder, with its permissions checked
    _write(prepared.path, prepared.text)
    return [issue(url, home, wanted, prepared.manifest, key_home=key_home) for wanted, _ in prepared.planned]


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as exc:
        raise ConfigError("no_manifest", f"cannot write `{path}`: {exc.strerror}", field="manifest") from exc
