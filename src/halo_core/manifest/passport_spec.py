"""The content of an agent's passport: exact grants and limits.

Patterns are expanded here, when the passport is issued. A tool that is registered later is not covered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from difflib import get_close_matches
from functools import partial
from typing import Any, Protocol

from halo_core.manifest.agents import Agent
from halo_core.manifest.fields import SECTIONS, find_best_matches, is_pattern, matches
from halo_core.manifest.grant_rules import GrantRule
from halo_core.manifest.nodes import did_you_mean, printable
from halo_core.model import (
    ANY_OTHER,
    RESERVED_UNITS,
    ActionKind,
    Budget,
    Constraint,
    Grants,
    Quota,
    Resource,
    SessionTerms,
)
from halo_core.quick_dataclass import dataclass

_ANYTHING = {ANY_OTHER: Constraint.anything()}
_MAX_LISTED = 8
_SECTION_OF_KIND = {kind: section for section, kind in SECTIONS.items()}


class RegisteredResource(Protocol):
    """A registered resource (`halo_core.enforcement.registry.RegisteredResource`)."""

    @property
    def resource(self) -> Resource:
        """The resource itself, as it was registered."""
        ...

    @property
    def schema(self) -> Mapping[str, Any]:
        """JSON schema of its arguments."""
        ...

    def wildcard_grant(self) -> dict[str, Constraint]:
        """Every argument of the schema."""
        ...


Catalogue = Mapping[ActionKind, Mapping[str, tuple[Resource, RegisteredResource | None]]]
"""Resources by action kind and name, each with its registration where there is one."""


@dataclass(frozen=True, slots=True)
class PassportSpec:
    """The content of one agent's standing passport.

    Args:
        principal: the accountable party.
        owner: the responsible person, empty if nobody was named.
        grants: constraints by action kind and exact resource id.
        labels: data labels allowed, None for any.
        ceilings: budgets that re-authorization may raise a session to.
        lifetime_s: seconds that it is valid.
        facts: purpose, privilege, regulated and approvers, for the inventory.
        notes: what is allowed but probably not meant, for whoever issues it.
    """

    agent: str
    tenant: str
    principal: str
    owner: str
    grants: Grants
    labels: tuple[str, ...] | None
    ceilings: tuple[Budget, ...]
    quotas: tuple[Quota, ...]
    terms: SessionTerms
    hand_off_to: tuple[str, ...]
    lifetime_s: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def expand_grants(
    agent: Agent, catalogue: Catalogue, *, tenant: str, principal: str, allow_unspent: bool
) -> PassportSpec:
    """Expand an agent's grants; with `allow_unspent` a budget that nothing spends is noted instead of refused.

    Raises:
        ManifestError: a grant names nothing that is known, an argument no tool has, a unit without a budget or
            a budget whose unit nothing spends.
    """
    grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    notes: list[str] = []
    for kind in _SECTION_OF_KIND:
        granted = _expand_kind(agent, kind, catalogue.get(kind, {}), notes)
        if granted:
            grants[kind] = granted
    if agent.hand_off:
        grants[ActionKind.HANDOFF] = {name: dict(_ANYTHING) for name in agent.hand_off}
    spent = _collect_spent_units(agent, grants, catalogue, notes)
    _check_unspent(agent, spent, notes, allow_unspent=allow_unspent)
    notes += _note_unchecked(grants, catalogue)
    agent.item.report.raise_findings()
    return PassportSpec(
        agent=agent.id,
        tenant=tenant,
        principal=principal,
        owner=agent.owner,
        grants=grants,
        labels=agent.data_scope,
        ceilings=agent.limits.ceilings,
        quotas=agent.limits.quotas,
        terms=SessionTerms(agent.limits.session, agent.decay, agent.session_lifetime_s),
        hand_off_to=agent.hand_off,
        lifetime_s=agent.lifetime_s,
        facts={
            "approvers": list(agent.approvers),
            "privilege": agent.privilege,
            "purpose": agent.purpose,
            "regulated": list(agent.regulated),
        },
        notes=tuple(notes),
    )


def _expand_kind(
    agent: Agent,
    kind: ActionKind,
    resources: Mapping[str, tuple[Resource, RegisteredResource | None]],
    notes: list[str],
) -> dict[str, Mapping[str, Constraint]]:
    """The grants of one action kind by resource; without a section, only models are granted."""
    if kind not in agent.rules:
        if kind is not ActionKind.INFERENCE:
            return {}
        if not resources:
            notes.append(
                "no model is known yet, so none is granted: run the app once in observe mode, or list `models`"
            )
        return {name: dict(_ANYTHING) for name in sorted(resources)}
    rules = {rule.pattern: rule for rule in agent.rules[kind]}
    for rule in rules.values():
        _check_known(rule, resources, _SECTION_OF_KIND[kind])
    granted: dict[str, Mapping[str, Constraint]] = {}
    for name in sorted(resources):
        chosen = find_best_matches(rules, name)
        if len(chosen) > 1:
            # INVARIANT: FAILCLOSED - an ambiguous grant is refused.
            both = f"`{printable(chosen[0])}` and `{printable(chosen[1])}`"
            rules[chosen[0]].item.fail(f"{both} apply equally to `{name}`", f"add a line for `{name}` itself")
        elif chosen:
            granted[name] = _expand_arguments(rules[chosen[0]], name, resources[name])
    return granted


def _check_known(rule: GrantRule, resources: Mapping[str, object], section: str) -> None:
    """Report a rule that names no known resource."""
    if is_pattern(rule.pattern):
        if not any(matches(rule.pattern, name) for name in resources):
            otherwise = "run the app once in observe mode to register its tools, or declare them in `tools`"
            rule.item.fail(f"`{printable(rule.pattern)}` matches none of the known {section}", otherwise)
    elif rule.pattern not in resources:
        otherwise = f"declare it in `{section}`, or run the app once in observe mode"
        rule.item.fail(
            f"none of the {section} is named `{printable(rule.pattern)}`",
            partial(did_you_mean, rule.pattern, resources, otherwise),
        )


def _expand_arguments(
    rule: GrantRule, name: str, known: tuple[Resource, RegisteredResource | None]
) -> Mapping[str, Constraint]:
    """What a rule grants for the arguments of one resource; reports what does not fit its schema."""
    resource, registered = known
    if rule.arguments is None:
        return registered.wildcard_grant() if registered is not None else dict(_ANYTHING)
    if registered is None:
        return _check_undeclared(rule, name, resource, rule.arguments)
    if registered.schema.get("properties"):
        _check_arguments(rule, name, rule.arguments, registered.schema)
    return dict(rule.arguments)


def _check_arguments(rule: GrantRule, name: str, granted: Mapping[str, Constraint], schema: Mapping[str, Any]) -> None:
    """Report arguments missing in the schema, and required ones that are not granted."""
    arguments = sorted(schema["properties"])
    members = rule.item.mapping()
    for argument in granted:
        if argument not in arguments and argument != ANY_OTHER and not schema.get("additionalProperties"):
            message = f"`{printable(name)}` has no argument `{printable(argument)}`"
            members.get(argument, rule.item).fail(message, partial(did_you_mean, argument, arguments))
    if ANY_OTHER not in granted:
        for missing in sorted(set(schema.get("required", ())) - set(granted)):
            needed = f"`{printable(str(missing))}`"
            message = f"`{printable(name)}` needs {needed}, which is not granted: every call would be denied"
            rule.item.fail(message, f"add `{printable(str(missing))}: any`")


def _check_undeclared(
    rule: GrantRule, name: str, resource: Resource, arguments: Mapping[str, Constraint]
) -> Mapping[str, Constraint]:
    """Compare the arguments of a tool not registered yet with the manifest's declaration."""
    granted_names = {argument for argument in arguments if argument != ANY_OTHER}
    declared_names = {*resource.targets, *([resource.amount] if resource.amount else [])}
    members = rule.item.mapping()
    for argument in sorted(granted_names - declared_names):
        close = get_close_matches(argument, sorted(declared_names - granted_names), 1, 0.8)
        if close:
            message = (
                f"`{printable(argument)}` is not what `tools` declares for `{printable(name)}`: `{printable(close[0])}`"
            )
            remedy = f"did you mean `{printable(close[0])}`; if it has both, run the app once to register them"
            members.get(argument, rule.item).fail(message, remedy)
    return dict(arguments)


def _note_unchecked(grants: Grants, catalogue: Catalogue) -> list[str]:
    """A note about arguments granted by name to tools whose schemas are not known yet."""
    unchecked = []
    for kind, resources in grants.items():
        for name, rules in sorted(resources.items()):
            named_arguments = sorted(rules.keys() - {ANY_OTHER})
            if named_arguments and kind in _SECTION_OF_KIND and catalogue.get(kind, {})[name][1] is None:
                unchecked.append(f"{name} ({', '.join(named_arguments)})")
    if not unchecked:
        return []
    more = f" and {len(unchecked) - _MAX_LISTED} more tools" if len(unchecked) > _MAX_LISTED else ""
    listing = ", ".join(unchecked[:_MAX_LISTED])
    reason = "because their tools are not registered yet"
    return [f"arguments that could not be checked, {reason}: {listing}{more}; run the app once, then issue again"]


def _check_unspent(agent: Agent, spent: set[str], notes: list[str], *, allow_unspent: bool) -> None:
    """Report budgets of units that no granted resource spends."""
    for budget in agent.limits.session:
        if budget.unit in RESERVED_UNITS or budget.unit in spent:
            continue
        message = f"no granted tool spends the budget {budget.unit}"
        if allow_unspent:
            notes.append(f"{message}: remove the budget, or the next issue is refused")
            continue
        place = agent.item.mapping().get("budgets", agent.item)
        place = place.mapping().get(budget.unit, place)
        place.fail(f"{message}: add `unit: {budget.unit}` to a tool", "or remove the budget")


def _collect_spent_units(agent: Agent, grants: Grants, catalogue: Catalogue, notes: list[str]) -> set[str]:
    """The units that the grants spend; reports units that no budget or authority can pay for."""
    spent: set[str] = set()
    units = {budget.unit for budget in agent.limits.session}
    floors = dict(agent.decay.floors)
    for kind, resources in grants.items():
        for name in resources:
            entry = catalogue.get(kind, {}).get(name)
            if entry is None:
                continue
            resource = entry[0]
            units_of = {unit for unit, _ in resource.costs} | ({resource.unit} - {""})
            spent |= units_of
            for unit in sorted(units_of):
                if unit not in units:
                    message = f"`{name}` spends {unit}, which has no budget: every call would be denied"
                    remedy = f"add `{unit}: {{session: ...}}`"
                    replace(agent.item, path=f"{agent.item.path}.budgets").fail(message, remedy)
            floor = max(floors[resource.impact.value], agent.decay.reauthorize_below)
            if floor >= agent.decay.authority:
                notes.append(f"`{name}` can never run: {resource.impact.value} needs as much authority as there is")
    return spent
