"""The Cedar schema of registered resources, and argument types from JSON schemas.

One Cedar action per registered resource, so that `context.args` has the types of that very tool: a misspelt tool or
argument fails validation instead of never matching. Each is a member of its kind's group; the group itself stands for
a resource that is not registered, so rules on kinds validate before the first tool is there.

    Action::"tool_call" | "retrieval" | "inference" | "handoff"      groups
    Action::"send_money" in Action::"tool_call"                       a resource
    Agent, Tool, Retriever, Model                                     principal and resources
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.model import ActionKind, Resource
from halo_core.policy.encoding import escape_key

__all__ = [
    "CONTEXT_ATTRIBUTES",
    "ENTITY_TYPES",
    "PRINCIPAL_ATTRIBUTES",
    "RESOURCE_ATTRIBUTES",
    "ArgTypes",
    "action_id",
    "build_cedar_schema",
    "infer_arg_types",
]

ArgTypes = Mapping[str, Mapping[str, str]]
"""Resource id → argument → `string`, `long`, `decimal`, `bool`, `set<...>` of these, or `any` (no Cedar type)."""

ENTITY_TYPES: Final[dict[ActionKind, str]] = {
    ActionKind.TOOL_CALL: "Tool",
    ActionKind.RETRIEVAL: "Retriever",
    ActionKind.INFERENCE: "Model",
    ActionKind.HANDOFF: "Agent",
}

_STRING: Final = {"type": "String"}
_LONG: Final = {"type": "Long"}
_BOOL: Final = {"type": "Boolean"}
_DECIMAL: Final = {"type": "Extension", "name": "decimal"}
_STRINGS: Final = {"type": "Set", "element": _STRING}
_SCALARS: Final[dict[str, dict[str, Any]]] = {
    "string": _STRING,
    "long": _LONG,
    "decimal": _DECIMAL,
    "bool": _BOOL,
}
_JSON_TYPES: Final = {"string": "string", "integer": "long", "number": "decimal", "boolean": "bool"}

RESOURCE_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "classified": _STRING,
    "idempotent": _BOOL,
    "impact": _STRING,
    "labels": _STRINGS,
    "reversal": _STRING,
    "source_trust": _LONG,
    "system": _STRING,
}
PRINCIPAL_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "assurance": _STRING,
    "tenant": _STRING,
    "user": _STRING,
    "user_assurance": _STRING,
}
CONTEXT_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    "amount": {**_DECIMAL, "required": False},
    "authority": _LONG,
    "budget_left": _LONG,
    "depth": _LONG,
    "epoch": _LONG,
    "first_use": _BOOL,
    "origins": _STRINGS,
    "pending": _LONG,
    "refused": _LONG,
    "risk": {**_LONG, "required": False},
    "risk_band": _LONG,
    "risk_spent": _LONG,
    "session_risk": _LONG,
    "session_source": _STRING,
    "sources": _STRINGS,
    "steps": _LONG,
    "tainted": _BOOL,
    "target_origins": _STRINGS,
    "target_sources": _STRINGS,
    "time_s": _LONG,
    "unscored": _BOOL,
    "user": _STRING,
    "uses": _LONG,
}
"""Context of every action, besides `args` and `provenance`, which depend on the resource."""

_GROUP_NAME: Final = re.compile(r"_*(?:" + "|".join(kind.value for kind in ActionKind) + ")")
_MAX_REFS: Final = 8


def action_id(resource_id: str) -> str:
    """Id of a resource's Cedar action: the resource id, with one more `_` where it would name a group.

    A tool called `retrieval` must not gain what rules grant to retrievals.
    """
    # INVARIANT: no resource's action is a group, and no two resources share one.
    return "_" + resource_id if _GROUP_NAME.fullmatch(resource_id) else resource_id


def infer_arg_types(json_schema: Mapping[str, Any]) -> dict[str, str]:
    """Type of each argument of a tool, from the JSON schema of its parameters.

    What Cedar cannot type (nested objects, mixed unions, lists of lists) is `any`. A malformed schema has no arguments.
    """
    properties = json_schema.get("properties")
    if not isinstance(properties, Mapping):
        return {}
    return {name: _infer_type(spec, json_schema, _MAX_REFS) for name, spec in sorted(properties.items())}


def _infer_type(spec: object, root: Mapping[str, Any], refs: int) -> str:
    if not isinstance(spec, Mapping) or refs == 0:
        return "any"
    if isinstance(reference := spec.get("$ref"), str):
        return _infer_type(_resolve_reference(reference, root), root, refs - 1)
    for union in ("anyOf", "oneOf", "allOf"):
        if isinstance(options := spec.get(union), list):
            return _common_type([_infer_type(option, root, refs - 1) for option in options if not _is_null(option)])
    if isinstance(values := spec.get("enum", [spec["const"]] if "const" in spec else None), list):
        return _common_type([_literal_type(value) for value in values if value is not None])
    return _infer_by_type(spec, root, refs)


def _infer_by_type(spec: Mapping[str, Any], root: Mapping[str, Any], refs: int) -> str:
    kinds = spec.get("type")
    if isinstance(kinds, list):
        return _common_type([_infer_type({**spec, "type": kind}, root, refs - 1) for kind in kinds if kind != "null"])
    if kinds == "array":
        inner = _infer_type(spec.get("items"), root, refs - 1)
        return f"set<{inner}>" if inner in _SCALARS else "any"
    return _JSON_TYPES.get(kinds, "any") if isinstance(kinds, str) else "any"


def _common_type(options: list[str]) -> str:
    distinct = set(options)
    # JSON has one kind of number: an integer or a number is a number.
    if distinct == {"long", "decimal"}:
        return "decimal"
    return distinct.pop() if len(distinct) == 1 else "any"


def _is_null(option: object) -> bool:
    return isinstance(option, Mapping) and option.get("type") == "null"


def _literal_type(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    return {str: "string", int: "long", float: "decimal"}.get(type(value), "any")


def _resolve_reference(reference: str, root: Mapping[str, Any]) -> object:
    node: object = root
    if not reference.startswith("#/"):
        return None
    for part in reference[2:].split("/"):
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node


def build_cedar_schema(resources: Iterable[Resource], types: ArgTypes) -> dict[str, Any]:
    """Cedar JSON schema for these resources; arguments without a Cedar type are left out."""
    actions: dict[str, dict[str, Any]] = {kind.value: _make_action_schema(kind, {}) for kind in ActionKind}
    for resource in sorted(resources, key=lambda item: (item.kind.value, item.id)):
        name = action_id(resource.id)
        actions[name] = {
            **_make_action_schema(resource.kind, types.get(resource.id, {})),
            "memberOf": [{"id": resource.kind.value}],
        }
    optional = {name: {**kind, "required": False} for name, kind in RESOURCE_ATTRIBUTES.items()}
    shapes = dict.fromkeys(("Tool", "Retriever", "Model"), RESOURCE_ATTRIBUTES)
    shapes["Agent"] = {**PRINCIPAL_ATTRIBUTES, **optional}
    return {
        "": {
            "entityTypes": {name: {"shape": _make_record_schema(shape)} for name, shape in shapes.items()},
            "actions": actions,
        }
    }


def _make_action_schema(kind: ActionKind, types: Mapping[str, str]) -> dict[str, Any]:
    args = {
        escape_key(name): {**_make_type_schema(text), "required": False}
        for name, text in types.items()
        if text != "any"
    }
    origins = {escape_key(name): {**_STRING, "required": False} for name in types}
    return {
        "appliesTo": {
            "principalTypes": ["Agent"],
            "resourceTypes": [ENTITY_TYPES[kind]],
            "context": _make_record_schema(
                {**CONTEXT_ATTRIBUTES, "args": _make_record_schema(args), "provenance": _make_record_schema(origins)}
            ),
        }
    }


def _make_type_schema(text: str) -> dict[str, Any]:
    if text.startswith("set<"):
        return {"type": "Set", "element": _SCALARS[text[4:-1]]}
    return _SCALARS[text]


def _make_record_schema(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Record", "attributes": dict(attributes)}
