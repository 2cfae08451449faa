"""How two manifests differ in what they declare of tools, retrievers and models, and in an agent's other terms.

A passport puts the text in force that it was issued from, so this belongs to what a new passport changes. Where nobody
can tell which of two declarations is stricter, the change counts as wider (`PARTLY_WIDENED`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final, NamedTuple

from halo_core.manifest import DEFAULT_ANSWER_WAIT_S, DEFAULT_HOLD_S, Manifest, SuspensionRule, UnusedGrants
from halo_core.manifest.fields import find_best_matches, is_pattern
from halo_core.model import ActionKind, Grants, Impact, Resource, Reversal
from halo_core.views import wording
from halo_core.views.changes import NARROWED, PARTLY_WIDENED, WIDENED, Change, compare_numbers

_TITLES: Final = {ActionKind.TOOL_CALL: ""}
_UNDECLARED_TRUST: Final = 300
_SOFTNESS: Final = (Reversal.IRREVERSIBLE, Reversal.COMPENSATE, Reversal.UNDO, Reversal.NONE_NEEDED)
_MILDEST: Final = (Impact.READ, Impact.WRITE)
_RANKS: Final = {impact: rank for rank, impact in enumerate(Impact)}
_PLAIN: Final = {
    ActionKind.INFERENCE: Resource(kind=ActionKind.INFERENCE, impact=Impact.READ, reversal=Reversal.NONE_NEEDED),
}
"""What is registered where nothing is declared and nothing is guessed either, by action kind."""


def diff_manifests(before: Manifest | None, after: Manifest | None, agent: str, granted: Grants) -> list[Change]:
    """Every difference between two manifests that changes what is allowed, or how answers and risks are treated.

    Args:
        before: the manifest in force so far; None if there is none.
        after: the manifest that comes into force; None for a passport that was issued without one.
        agent: whose passport it is.
        granted: the grants of the old and the new passport, whose names patterns may declare.
    """
    if after is None:
        is_gone = f"{PARTLY_WIDENED}, {wording.shorten_hash(before.hash)} → none" if before is not None else ""
        return [Change("~", "manifest", is_gone)] if is_gone else []
    if before is not None and before.hash == after.hash:
        return []
    changes = [*_diff_declarations(before, after, granted), *_diff_terms(before, after, agent)]
    return changes if before is None else [*changes, *_diff_inventory(before, after, agent)]


def _diff_declarations(before: Manifest | None, after: Manifest, granted: Grants) -> Iterator[Change]:
    for kind in ActionKind:
        old = before.declared.get(kind, {}) if before is not None else {}
        new = after.declared.get(kind, {})
        names = {*old, *new, *granted.get(kind, {})}
        for name in sorted(names):
            old_key, new_key = _find_key(old, name), _find_key(new, name)
            if name not in (old_key, new_key) and (old_key == new_key or not old_key):
                continue  # the pattern has a line of its own
            title = f"{_TITLES.get(kind, f'{kind.value} ')}{name}"
            yield from diff_declaration(title, old.get(old_key), new.get(new_key), kind)


def _find_key(declared: Mapping[str, Resource], name: str) -> str:
    """The name or pattern under which a resource is declared; empty if it is not. A pattern stands for itself."""
    if is_pattern(name):
        return name if name in declared else ""
    chosen = find_best_matches(declared, name)
    return chosen[0] if len(chosen) == 1 else ""


def diff_declaration(title: str, old: Resource | None, new: Resource | None, kind: ActionKind) -> Iterator[Change]:
    """How two declarations of one resource differ.

    Args:
        title: what it is called.
        old: the declaration so far; None for none.
        new: the new one; None for none.
        kind: the action kind that uses it.
    """
    old, new = old or _PLAIN.get(kind), new or _PLAIN.get(kind)
    if old is None and new is not None:
        yield Change("+", f"{title}, declaration", describe_declaration(new))
    elif new is None and old is not None:
        # A guess takes its place, which nobody has looked at and which may be milder.
        how = f"{PARTLY_WIDENED}, {describe_declaration(old)} → undeclared"
        yield Change("~", f"{title}, declaration", how)
    elif old is not None and new is not None:
        for name, (read, compare) in _FIELDS.items():
            if _get_value(old, name) != _get_value(new, name):
                direction = compare(old, new)
                text = f"{read(old) or 'none'} → {read(new) or 'none'}"
                yield Change("~", f"{title}, {name}", f"{direction}, {text}" if direction else text)


def _get_value(resource: Resource, name: str) -> object:
    """The value of a field as it is compared, since two values may have one text."""
    if name == "source trust":
        return _read_trust(resource)
    value = getattr(resource, name.replace(" ", "_"))
    return frozenset(value) if isinstance(value, tuple) else value


def describe_declaration(resource: Resource) -> str:
    """A declaration in words: its class, and each field that it sets."""
    parts = [resource.impact.value]
    for name, (read, _) in _FIELDS.items():
        text = read(resource)
        is_usual = name == "reversal" and (resource.impact is Impact.READ) == (text == Reversal.NONE_NEEDED.value)
        if name == "source trust" and resource.source_trust is None:
            continue
        if name != "impact" and text and not is_usual:
            parts.append(name if text == "yes" else f"{name} {text}")
    return ", ".join(parts)


# the directions of the fields


def _compare_trust(old: Resource, new: Resource) -> str:
    return WIDENED if _read_trust(new) > _read_trust(old) else NARROWED


def _read_trust(resource: Resource) -> int:
    return _UNDECLARED_TRUST if resource.source_trust is None else resource.source_trust


def _compare_impact(old: Resource, new: Resource) -> str:
    """Reads and writes are milder than the rest; of two others, each may be asked about where the other one is not."""
    ranks = [_RANKS[item.impact] for item in (old, new)]
    if Impact.UNKNOWN in (old.impact, new.impact):
        return PARTLY_WIDENED
    if ranks[1] < ranks[0]:
        return WIDENED
    return NARROWED if old.impact in _MILDEST else PARTLY_WIDENED


def _compare_reversal(old: Resource, new: Resource) -> str:
    return WIDENED if _SOFTNESS.index(new.reversal) > _SOFTNESS.index(old.reversal) else NARROWED


def _compare_targets(old: Resource, new: Resource) -> str:
    """Each target has to be vouched for; where none is named, each argument may be one, or guesses are."""
    before, after = set(old.targets), set(new.targets)
    if before and before < after:
        return NARROWED
    return WIDENED if after and after < before else PARTLY_WIDENED


def _compare_labels(old: Resource, new: Resource) -> str:
    before, after = set(old.labels), set(new.labels)
    return NARROWED if before < after else WIDENED if after < before else PARTLY_WIDENED


def _compare_places(old: Resource, new: Resource) -> str:
    added = [place for place in new.own_places if not any(_is_below(place, other) for other in old.own_places)]
    return WIDENED if added else NARROWED


def _is_below(place: str, folder: str) -> bool:
    return place == folder or place.startswith(f"{folder}/")


def _compare_programs(old: Resource, new: Resource) -> str:
    return WIDENED if set(new.programs) < set(old.programs) else PARTLY_WIDENED


def _compare_unit(old: Resource, new: Resource) -> str:
    return WIDENED if not new.unit else PARTLY_WIDENED if old.unit else NARROWED


def _compare_costs(old: Resource, new: Resource) -> str:
    before, after = ({unit: Decimal(amount) for unit, amount in item.costs} for item in (old, new))
    cheaper = any(after.get(unit, 0) < amount for unit, amount in before.items())
    return WIDENED if cheaper else NARROWED


def _compare_flag(name: str) -> Callable[[Resource, Resource], str]:
    return lambda _, new: WIDENED if getattr(new, name) else NARROWED


def _always(word: str) -> Callable[[Resource, Resource], str]:
    return lambda *_: word


def _show_flag(name: str) -> Callable[[Resource], str]:
    return lambda resource: "yes" if getattr(resource, name) else ""


_FIELDS: Final[dict[str, tuple[Callable[[Resource], str], Callable[[Resource, Resource], str]]]] = {
    "impact": (lambda item: item.impact.value, _compare_impact),
    "targets": (lambda item: " ".join(sorted(item.targets)), _compare_targets),
    "amount": (lambda item: item.amount, _always(PARTLY_WIDENED)),
    "unit": (lambda item: item.unit, _compare_unit),
    "costs": (lambda item: " ".join(f"{amount} {unit}" for unit, amount in sorted(item.costs)), _compare_costs),
    "programs": (lambda item: " ".join(f"{name} ({word})" for name, word in item.programs), _compare_programs),
    "reversal": (lambda item: item.reversal.value, _compare_reversal),
    "source trust": (lambda item: str(_read_trust(item)), _compare_trust),
    "own places": (lambda item: " ".join(item.own_places), _compare_places),
    "labels": (lambda item: " ".join(sorted(item.labels)), _compare_labels),
    "system": (lambda item: item.system, _always(PARTLY_WIDENED)),
    "idempotent": (_show_flag("idempotent"), _compare_flag("idempotent")),
    "contained": (_show_flag("contained"), _compare_flag("contained")),
    "can wait": (_show_flag("can_wait"), _always("")),
}
"""Name of a field → its text, and what a change of it means: narrowed, WIDENED, or nothing of the kind."""


# the other terms of an agent


class _Terms(NamedTuple):
    """What a manifest says of one agent beside its passport; by default as of an agent that it does not name."""

    role: str
    hold_for_s: int = DEFAULT_HOLD_S
    answer_wait_s: int = DEFAULT_ANSWER_WAIT_S
    suspend_at: SuspensionRule | None = None
    unused_grants: UnusedGrants = UnusedGrants()


def _read_terms(agent: str, manifest: Manifest | None) -> _Terms:
    section = manifest.agents.get(agent) if manifest is not None else None
    if section is None:
        return _Terms(agent)
    return _Terms(*(getattr(section, name) for name in _Terms._fields))


def _diff_terms(before: Manifest | None, after: Manifest, agent: str) -> Iterator[Change]:
    """Differences in what the manifest says of an agent, and that its passport does not hold."""
    people = before.suspend_people_at if before is not None else None
    yield from _diff_suspension("people, suspend_at", people, after.suspend_people_at)
    for name in sorted({*(before.agents if before is not None else ()), *after.agents, agent}):
        # An agent that acts through this one is answered by the same text.
        title = "" if name == agent else f"{name}, "
        yield from _diff_answer_terms(title, _read_terms(name, before), _read_terms(name, after))
    old, new = _read_terms(agent, before), _read_terms(agent, after)
    yield from _diff_suspension("suspend_at", old.suspend_at, new.suspend_at)
    unused, kept = old.unused_grants, new.unused_grants
    if unused.action != kept.action:
        yield Change.of_limit("unused_grants", unused.action, kept.action, wider=kept.action == "propose")
    yield from compare_numbers("unused_grants, days", unused.after_days, kept.after_days, str)
    yield from compare_numbers("unused_grants, notice days", unused.notice_days, kept.notice_days, str)


def _diff_answer_terms(title: str, old: _Terms, new: _Terms) -> Iterator[Change]:
    """Differences in how answers to an agent's questions are kept, and how long its acts wait for one."""
    if old.role != new.role:
        yield Change("~", f"{title}role", f"{PARTLY_WIDENED}, remembered answers of {old.role} → of {new.role}")
    yield from compare_numbers(f"{title}hold_for", old.hold_for_s, new.hold_for_s, wording.format_duration)
    if old.answer_wait_s != new.answer_wait_s:
        texts = (wording.format_duration(item.answer_wait_s) for item in (old, new))
        yield Change("~", f"{title}answer_wait", " → ".join(texts))


def _diff_inventory(before: Manifest, after: Manifest, agent: str) -> Iterator[Change]:
    """Differences in what the inventory says of an agent."""
    old, new = before.agents.get(agent), after.agents.get(agent)
    if old is None or new is None:
        return
    for name in ("purpose", "privilege"):
        texts = (str(getattr(item, name)) or "none" for item in (old, new))
        if getattr(old, name) != getattr(new, name):
            yield Change("~", name, " → ".join(texts))
    if old.regulated != new.regulated:
        texts = (", ".join(item.regulated) or "none" for item in (old, new))
        yield Change("~", "regulated", " → ".join(texts))


def _diff_suspension(name: str, old: SuspensionRule | None, new: SuspensionRule | None) -> Iterator[Change]:
    if old is None or new is None:
        if old != new:
            texts = ("never" if item is None else f"risk {item.risk}" for item in (old, new))
            yield Change.of_limit(name, *texts, wider=new is None)
        return
    yield from compare_numbers(name, old.risk, new.risk, str)
    yield from compare_numbers(f"{name}, notice", old.notice_s, new.notice_s, wording.format_duration)


# what a process registers


def diff_registration(old: Resource, new: Resource) -> list[Change]:
    """How a tool, retriever or model is registered otherwise than before; a declaration in place of a guess is new."""
    title = f"{_TITLES.get(new.kind, f'{new.kind.value} ')}{new.id}"
    before = old if old.classified == "declared" or old.kind is ActionKind.INFERENCE else None
    after = new if new.classified == "declared" or new.kind is ActionKind.INFERENCE else None
    if before is None and after is None:
        return []
    return list(diff_declaration(title, before, after, new.kind))


def is_covered(declared: Resource, registered: Resource) -> bool:
    """Whether a registration is no wider than a declaration, which a process first completes from guesses."""
    completed = replace(
        declared,
        id=registered.id,
        targets=declared.targets or registered.targets,
        amount=declared.amount or registered.amount,
        labels=tuple(sorted(set(declared.labels))),
        classified=registered.classified,
    )
    return not any(item.is_wider() for item in diff_declaration("", completed, registered, registered.kind))
