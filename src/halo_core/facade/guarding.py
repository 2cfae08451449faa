"""What every adapter's `guard` shares: guarding all of a list or none, and refusing what cannot be guarded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from halo_core.errors import ConfigError
from halo_core.model import Resource


class HostedTool(ConfigError):
    """A tool that the model's provider runs: nothing in this process can decide it, so it is refused by name."""


def make_hosted_tool_error(name: str) -> HostedTool:
    """The refusal of a tool that the model's provider runs."""
    message = f"`{name}` is run by the model's provider, so Halo cannot control it"
    return HostedTool("hosted_tool", message, field="x", remedy="use a tool that runs in this process")


def make_schema_error(hosted_names: Sequence[str]) -> ConfigError:
    """The refusal of a dict in place of a tool; `hosted_names`: what of it the model's provider runs."""
    if hosted_names:
        return make_hosted_tool_error(hosted_names[0])
    message, remedy = "a schema without a function cannot be guarded", "guard the tool or function that runs"
    return ConfigError("nothing_to_guard", message, field="x", remedy=remedy)


def guard_all(
    guard: Callable[..., Any],
    items: Sequence[Any],
    resource: Resource | None,
    find_refusal: Callable[[Any], ConfigError | None],
) -> list[Any]:
    """Guard each of a list: all or none.

    Args:
        guard: the adapter's `Halo.guard`.
        items: what to guard.
        resource: what each of them is.
        find_refusal: why an item of the framework cannot be guarded; asked before the first is registered.

    Raises:
        ConfigError: one of them cannot be guarded, or they would share an id.
    """
    if resource is not None and resource.id and len(items) > 1:
        message = f"`{resource.id}` cannot be the id of {len(items)} objects"
        remedy = "omit `id`, or guard them one by one"
        raise ConfigError("resource_id_taken", message, field="resource", remedy=remedy)
    for item in items:
        refusal = find_refusal(item)
        if refusal is not None:
            raise refusal
    return [guard(item, resource=resource) for item in items]
