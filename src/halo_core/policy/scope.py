"""Room: policy scope. Takes: a policy, an action, a resource. Gives: whether the scope can match. Never: evaluates."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from halo_core.model import ActionKind
from halo_core.policy.schema import ENTITY_TYPES

if TYPE_CHECKING:
    from halo_core.policy.parse import Policy

__all__ = ["applies", "reaches"]


def applies(policy: Policy, action: str, resource: str, kind: ActionKind) -> bool:
    """Whether the policy's scope can match this action and resource; True where the scope is not understood."""
    reached = (ENTITY_TYPES[kind], resource)
    return _scope(policy.plain["action"], {("Action", action), ("Action", kind.value)}, ("Action", action)) and _scope(
        policy.plain["resource"], {reached}, reached
    )


def reaches(policy: Policy, kind: ActionKind, elsewhere: Collection[str]) -> bool:
    """Whether the policy's scope can match some action of a kind; True where that is not certain.

    Args:
        policy: the policy.
        kind: the kind.
        elsewhere: actions that are known to be of other kinds.
    """
    action, resource = policy.plain["action"], policy.plain["resource"]
    named = _named(action)
    if named and action["op"] in ("==", "in"):
        others = {item.value for item in ActionKind} - {kind.value}
        if all(name in elsewhere or name in others for _, name in named):
            return False
    types = {name for name, _ in _named(resource)} or {resource.get("entity_type", ENTITY_TYPES[kind])}
    return ENTITY_TYPES[kind] in types


def _named(scope: Mapping[str, Any]) -> set[tuple[str, str]]:
    named = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    return {(item["type"], item["id"]) for item in named}


def _scope(scope: Mapping[str, Any], ancestors: set[tuple[str, str]], own: tuple[str, str]) -> bool:
    uids = _named(scope)
    match scope["op"]:
        case "==":
            return own in uids
        case "in":
            return bool(uids & ancestors)
        case "is":
            return bool(scope["entity_type"] == own[0])
        case _:
            return True
