"""Room: policy scope. Takes: a policy, an action, a resource. Gives: whether the scope can match. Never: evaluates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from halo_core.policy.schema import ENTITY_TYPES

if TYPE_CHECKING:
    from halo_core.model import ActionKind
    from halo_core.policy.parse import Policy

__all__ = ["applies"]


def applies(policy: Policy, action: str, resource: str, kind: ActionKind) -> bool:
    """Whether the policy's scope can match this action and resource; True where the scope is not understood."""
    reached = (ENTITY_TYPES[kind], resource)
    return _scope(policy.plain["action"], {("Action", action), ("Action", kind.value)}, ("Action", action)) and _scope(
        policy.plain["resource"], {reached}, reached
    )


def _scope(scope: Mapping[str, Any], ancestors: set[tuple[str, str]], own: tuple[str, str]) -> bool:
    named = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    uids = {(item["type"], item["id"]) for item in named}
    match scope["op"]:
        case "==":
            return own in uids
        case "in":
            return bool(uids & ancestors)
        case "is":
            return bool(scope["entity_type"] == own[0])
        case _:
            return True
