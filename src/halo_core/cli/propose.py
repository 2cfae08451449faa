"""Room: grants proposed from what was recorded, for `halo enforce --grants`. Takes: a reader. Gives: a diff.

Never: proposes more than an agent has; issues without being told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from halo_core.cli.issuing import MANIFEST, Issued, issue, manifest_text
from halo_core.cli.passport_diff import STYLE
from halo_core.cli.passport_files import current
from halo_core.cli.words import arguments, cell
from halo_core.entitlements import Proposal, proposal
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.manifest import load, with_grants
from halo_core.model import ANY_OTHER, ActionKind, Constraint, EntryKind, Grants
from halo_core.passport import meet
from halo_core.query import Contents, entries
from halo_core.registry import Registered
from halo_core.store.reader import Reader

__all__ = ["Proposed", "apply", "propose", "render"]

_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal for one agent, and the grants that it comes to within what the agent has."""

    proposal: Proposal
    grants: Grants


def propose(reader: Reader, contents: Contents, tenant: str, *, tight: bool = False) -> list[Proposed]:
    """One for each agent that acted, by name."""
    agents = sorted(
        {found.entry.body["request"]["subject"]["agent"] for found in entries(reader, tenant, (EntryKind.DECISION,))}
    )
    schemas = {
        (item.resource.kind, item.resource.id): item
        for item in (Registered.from_bytes(spec) for _, spec in reader.resources(tenant))
    }
    found = []
    for agent in agents:
        kept = current(reader, tenant, agent)
        granted = kept.links[0].grants if kept is not None else {}
        made = proposal(reader, contents, tenant, agent, granted=granted)
        found.append(Proposed(made, _within(made, schemas, tight=tight)))
    return found


def _within(made: Proposal, known: Mapping[tuple[ActionKind, str], Registered], *, tight: bool) -> Grants:
    """What was used, within what is granted. Other arguments of a tool's schema stay; with `tight` those it demands."""
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
    # A proposal takes away, it never adds.
    return meet(made.granted, wanted) if made.granted else wanted


def _required(item: Registered) -> set[str]:
    return set(item.schema.get("required", ()))


def render(view: Console, proposed: Proposed) -> None:
    """What would be taken, what kept, what narrowed."""
    made = proposed.proposal
    granted = sum(len(resources) for kind, resources in made.granted.items() if kind is not ActionKind.HANDOFF)
    unused = made.unused()
    view.print(cell(made.agent, "bold"), f": granted {granted}, used {len(made.used)}", sep="", end="")
    view.print(f": these {len(unused)} would go" if unused else ": nothing would go")
    for kind, name in unused[:_SHOWN]:
        view.print("  ", cell(f"- {_titled(kind, name)}", style=STYLE["-"]), sep="")
    if len(unused) > _SHOWN:
        view.print(f"  … and {len(unused) - _SHOWN} more")
    for item in made.used:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_titled(item.kind, item.name)} ({item.calls:,} calls): {arguments(rules)}"
        view.print(cell(line))
    for kind, name, count in made.refused:
        view.print(cell(f"  refused every time, not proposed: {_titled(kind, name)} ({count:,} calls)", style="yellow"))
    if made.unread:
        view.print(f"  [yellow]arguments of {made.unread:,} calls could not be opened[/]")


def _titled(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"


def apply(url: str, home: Path, tenant: str, proposed: list[Proposed], *, key_home: Path | None = None) -> list[Issued]:
    """Write the grants into the home's manifest and issue passports from it.

    Raises:
        ConfigError: the manifest there cannot be read or edited; nothing was written then.
    """
    path = home / MANIFEST
    text = manifest_text(path) if path.exists() else ""
    for item in proposed:
        text = with_grants(text, item.proposal.agent, item.grants, tenant=tenant, source=path.name)
    manifest = load(text, source=path.name)
    if manifest.tenant != tenant:
        raise ConfigError(
            "which_tenant", f"`{path}` is of tenant `{manifest.tenant[:64]}`", field="tenant", remedy=f"name {tenant}"
        )
    with Reader(url) as reader:
        known = [Registered.from_bytes(spec) for _, spec in reader.resources(tenant)]
    wanted = [manifest.standing(item.proposal.agent, known) for item in proposed]
    KeyStore(home)  # the folder, with its permissions checked
    _write(path, text)
    return [issue(url, home, item, manifest, key_home=key_home) for item in wanted]


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as exc:
        raise ConfigError("no_manifest", f"cannot write `{path}`: {exc.strerror}", field="manifest") from exc
