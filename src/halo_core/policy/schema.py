"""The Cedar schema of registered resources, and argument types from JSON schemas.

There is one Cedar action for each registered resource, so that `context.args` has the types of that very tool: a
misspelt tool or argument fails validation instead of never matching. Each is a member of its kind's group. The group
itself stands for a resource that is not registered, so rules on kinds can be validated before the first tool exists.

    Action::"tool_call" | "retrieval" | "inference" | "handoff"      groups
    Action::"send_money" in Action::"tool_call"                       a resource
    Agent, Tool, Retriever, Model                                     principal and resources
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.model import ActionKind, Fact, Resource
from halo_core.policy.encoding import escape_key

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
_SCALARS: Final[dict[str, dict[str, Any]]] = {"string": _STRING, "long": _LONG, "decimal": _DECIMAL, "bool": _BOOL}
_JSON_TYPES: Final = {"string": "string", "integer": "long", "number": "decimal", "boolean": "bool"}

RESOURCE_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    **dict.fromkeys(("classified", "impact", "reversal", "system"), _STRING),
    **dict.fromkeys(("contained", "idempotent"), _BOOL),
    "labels": _STRINGS,
    "source_trust": _LONG,
}
PRINCIPAL_ATTRIBUTES: Final = dict.fromkeys(("assurance", "tenant", "user", "user_assurance"), _STRING)
# fmt: off
CONTEXT_ATTRIBUTES: Final[dict[str, dict[str, Any]]] = {
    **{name: {**_DECIMAL, "required": False} for name in ("amount", "principal_sum", "target_paid", "target_sum")},
    "risk": {**_LONG, "required": False},
    **dict.fromkeys(("first_use", "repeated", "tainted", "unscored", "vouched", *map(str, Fact)), _BOOL),
    **dict.fromkeys(("program", "session_source", "user"), _STRING),
    **dict.fromkeys(
        ("origins", "sources", "target_flags", "target_kinds", "target_origins", "target_sources"), _STRINGS
    ),
    **dict.fromkeys((
        "agent_risk", "authority", "budget_left", "depth", "drift", "epoch", "pending", "principal_risk", "refused",
        "risk_band", "risk_behaviour", "risk_context", "risk_entitlement", "risk_scope", "risk_spent", "session_risk",
        "steps", "time_s", "unusual", "uses", "volume",
    ), _LONG),
}
# fmt: on
"""Context of every action, besides `args` and `provenance`, which depend on the resource."""

_GROUP_NAME: Final = re.compile(r"_*(?:" + "|".join(kind.value for kind in ActionKind) + ")")
_MAX_REFS: Final = 8


def action_id(resource_id: str) -> str:
    """Id of a resource's Cedar action: the resource id, with `_` appended if it would equal a group's name.

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
        action = _make_action_schema(resource.kind, types.get(resource.id, {}))
        actions[action_id(resource.id)] = {**action, "memberOf": [{"id": resource.kind.value}]}
    optional = {name: {**kind, "required": False} for name, kind in RESOURCE_ATTRIBUTES.items()}
    shapes = dict.fromkeys(("Tool", "Retriever", "Model"), RESOURCE_ATTRIBUTES)
    shapes["Agent"] = {**PRINCIPAL_ATTRIBUTES, **optional}
    entity_types = {name: {"shape": _make_record_schema(shape)} for name, shape in shapes.items()}
    return {"": {"entityTypes": entity_types, "actions": actions}}


def _make_action_schema(kind: ActionKind, types: Mapping[str, str]) -> dict[str, Any]:
    schemas = {**_SCALARS, **{f"set<{name}>": {"type": "Set", "element": item} for name, item in _SCALARS.items()}}
    args = {escape_key(name): {**schemas[text], "required": False} for name, text in types.items() if text != "any"}
    origins = {escape_key(name): {**_STRING, "required": False} for name in types}
    record = {**CONTEXT_ATTRIBUTES, "args": _make_record_schema(args), "provenance": _make_record_schema(origins)}
    context = _make_record_schema(record)
    return {"appliesTo": {"principalTypes": ["Agent"], "resourceTypes": [ENTITY_TYPES[kind]], "context": context}}


def _make_record_schema(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Record", "attributes": dict(attributes)}
