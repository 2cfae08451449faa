"""Checks of the fields of a model request: tools that the provider runs, and fields that are not known.

An adapter judges the request (`halo_core.model_requests`) and adds the result to the arguments of the call, so that an
approval is bound to it. `hosted_tools` are refused unless every link grants the tool `hosted:<name>`. `model_fields`
are asked about until somebody accepts the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.model import AccessRequest, ActionKind, Effect, Reason, Snapshot
from halo_core.model.resource import HOSTED_PREFIX
from halo_core.passports import find_violation

HOSTED_ARGUMENT: Final = "hosted_tools"
FIELDS_ARGUMENT: Final = "model_fields"
MODEL_FIELD_ARGUMENTS: Final = frozenset({HOSTED_ARGUMENT, FIELDS_ARGUMENT})
"""Arguments of a model call that no grant names: they are judged here."""
ACCEPTED_KIND: Final = "model_field"
"""Kind of known value under which a field is accepted."""


def select_granted_arguments(request: AccessRequest) -> Mapping[str, Any]:
    """Select the arguments that a grant of the resource constrains."""
    args = request.args
    if request.kind is not ActionKind.INFERENCE or MODEL_FIELD_ARGUMENTS.isdisjoint(args):
        return args
    return {name: value for name, value in args.items() if name not in MODEL_FIELD_ARGUMENTS}


def list_hosted_resources(request: AccessRequest) -> list[str]:
    """List the resource ids of the tools that the model's provider would run in this call."""
    return [f"{HOSTED_PREFIX}{name}" for name in _list_names(request, HOSTED_ARGUMENT)]


def list_model_fields(request: AccessRequest) -> list[str]:
    """List the fields of a model request that are in no list, each as `Class.field`."""
    return _list_names(request, FIELDS_ARGUMENT)


def _list_names(request: AccessRequest, argument: str) -> list[str]:
    if request.kind is not ActionKind.INFERENCE:
        return []
    names = request.args.get(argument, ())
    return [str(name) for name in names] if isinstance(names, list | tuple) else [str(names)]


def check_model_fields(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    """Return the reasons about the fields of a model request; empty for any other action."""
    if request.kind is not ActionKind.INFERENCE or MODEL_FIELD_ARGUMENTS.isdisjoint(request.args):
        return []
    reasons = []
    for resource in list_hosted_resources(request):
        name = resource.removeprefix(HOSTED_PREFIX)
        # What a provider calls its tool with cannot be held against a grant that limits arguments, so that one does
        # not allow it.
        refused = (find_violation(link.grants, ActionKind.TOOL_CALL, resource, {}) for link in snapshot.chain)
        if any(item is not None for item in refused):
            reasons.append(Reason("hosted_tool", "request", name))
        else:
            reasons.append(Reason("hosted_tool_offered", "request", name, Effect.MONITOR.value))
    fields = snapshot.new_fields
    reasons += [Reason("unknown_model_field", "request", name, Effect.CHALLENGE.value) for name in fields]
    return reasons
