"""Which policies can apply to an action: by their scope, and by the first conjuncts of their conditions.

Most rules begin with what they are about, `resource.impact == "payment" && ...`, and the resource of a call is known
before Cedar is asked. Cedar reads conditions from left to right and stops at the first that is false, so a policy whose
first conjuncts are false for a resource neither matches nor fails: it is left out for that resource.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from halo_core.model import ActionKind
from halo_core.policy.schema import ENTITY_TYPES

if TYPE_CHECKING:
    from halo_core.policy.parsing import Policy


def may_hold(policy_json: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """Whether the conditions may hold; False only if they are false before any part that could fail is evaluated.

    Args:
        policy_json: Cedar's JSON form of the policy.
        facts: attributes of the resource that are always there, and their values.
    """
    conditions = policy_json.get("conditions") or ()
    if not conditions or conditions[0]["kind"] != "when":
        return True
    for part in _split_conjuncts(conditions[0]["body"]):
        truth = _evaluate_conjunct(part, facts)
        if truth is None:
            # INVARIANT: FAILCLOSED - keep the policy if a part is unknown: evaluating it could fail, which denies.
            return True
        if not truth:
            return False
    return True


def _split_conjuncts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    both = node.get("&&")
    if both is None:
        yield node
    else:
        yield from _split_conjuncts(both["left"])
        yield from _split_conjuncts(both["right"])


def _evaluate_conjunct(node: Mapping[str, Any], facts: Mapping[str, str]) -> bool | None:
    """Truth of `resource.x == "word"` or `["word", ...].contains(resource.x)`; None for any other node."""
    if "==" in node:
        left_side, right = node["=="]["left"], node["=="]["right"]
        for attribute, literal in ((left_side, right), (right, left_side)):
            fact, word = _look_up_fact(attribute, facts), literal.get("Value")
            if fact is not None and isinstance(word, str):
                return fact == word
    if "contains" in node:
        fact, items = _look_up_fact(node["contains"]["right"], facts), node["contains"]["left"].get("Set")
        if fact is not None and items is not None:
            words = [item.get("Value") for item in items]
            return fact in words if all(isinstance(word, str) for word in words) else None
    return None


def _look_up_fact(node: Mapping[str, Any], facts: Mapping[str, str]) -> str | None:
    access = node.get(".")
    if access is None or access["left"] != {"Var": "resource"}:
        return None
    return facts.get(access["attr"])


def applies(policy: Policy, action: str, resource: str, kind: ActionKind) -> bool:
    """Whether the policy's scope can match this action and resource; True if the scope is not understood."""
    reached_entity = (ENTITY_TYPES[kind], resource)
    return _scope_matches(
        policy.cedar_json["action"], {("Action", action), ("Action", kind.value)}, ("Action", action)
    ) and _scope_matches(policy.cedar_json["resource"], {reached_entity}, reached_entity)


def may_reach_kind(policy: Policy, kind: ActionKind, elsewhere: Collection[str]) -> bool:
    """Whether the policy's scope can match some action of a kind; True if that is not certain.

    Args:
        policy: the policy.
        kind: the kind.
        elsewhere: actions that are known to be of other kinds.
    """
    action, resource = policy.cedar_json["action"], policy.cedar_json["resource"]
    named_actions = _named_entities(action)
    if named_actions and action["op"] in ("==", "in"):
        others = {item.value for item in ActionKind} - {kind.value}
        if all(name in elsewhere or name in others for _, name in named_actions):
            return False
    types = {name for name, _ in _named_entities(resource)} or {resource.get("entity_type", ENTITY_TYPES[kind])}
    return ENTITY_TYPES[kind] in types


def _named_entities(scope: Mapping[str, Any]) -> set[tuple[str, str]]:
    entities = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    return {(item["type"], item["id"]) for item in entities}


def _scope_matches(scope: Mapping[str, Any], ancestors: set[tuple[str, str]], entity: tuple[str, str]) -> bool:
    uids = _named_entities(scope)
    match scope["op"]:
        case "==":
            return entity in uids
        case "in":
            return bool(uids & ancestors)
        case "is":
            return bool(scope["entity_type"] == entity[0])
        case _:
            return True
