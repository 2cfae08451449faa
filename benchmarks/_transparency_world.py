"""Guard the tools of a framework's own tests in a home where everything is allowed.

Whatever a test shows Halo is registered, and so granted.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from langchain_core.tools import BaseTool

from halo_core.enforcement.guards import MODEL_RESOURCE
from halo_core.errors import ConfigError
from halo_core.model import Resource
from halo_langchain import Halo
from halo_langchain._middleware import HaloMiddleware

__all__ = ["PermitAll", "guarded"]

# Upstream tests repeat calls under one id, as a retry does; Halo repeats only what is declared harmless.
_AGAIN: Final = Resource(idempotent=True)


class PermitAll(Halo):
    """A Halo that grants whatever it is shown, under a name of its own where a name is taken."""

    def shown(self, x: Any, *, give: Callable[[Resource], Any]) -> Any:
        """What `give` makes of it; with an id of its own where its name can name no resource, or another's."""
        try:
            return give(_AGAIN)
        except ConfigError as exc:
            if exc.code not in {"bad_resource_id", "resource_id_taken"}:
                return x  # it cannot be guarded, so it is left as it is
        return give(replace(_AGAIN, id=f"shown-{self._ids.new_short_id()}"))

    def once(self, x: Any) -> Any:
        """A guarded copy, the same each time: a model that two agents share is guarded before they are made."""
        known = self.__dict__.setdefault("_kept", {})
        if id(x) not in known:
            known[id(x)] = (
                x,
                self.shown(x, give=lambda given: self.guard(x, resource=replace(MODEL_RESOURCE, id=given.id))),
            )
        return known[id(x)][1]

    def middleware(self) -> HaloMiddleware:
        """As the facade's, but a tool that comes by is registered first: in this world nobody is refused."""
        return _Showing(self)


class _Showing(HaloMiddleware):
    """Guards each tool that comes by: a middleware of a test may bring one, and only what is guarded is granted."""

    name = HaloMiddleware.__name__

    def __init__(self, halo: PermitAll) -> None:
        super().__init__(halo)
        self._world = halo

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return super().wrap_tool_call(self._show(request), handler)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await super().awrap_tool_call(self._show(request), handler)

    def _show(self, request: Any) -> Any:
        return request if request.tool is None else request.override(tool=guarded([request.tool], self._world)[0])


def guarded(tools: Iterable[Any], halo: PermitAll) -> list[Any]:
    """The same tools, guarded; what the provider runs stays: a policy would have to refuse it."""
    return [
        item if isinstance(item, dict) else halo.shown(item, give=functools.partial(_guard_tool, halo, item))
        for item in tools
    ]


def _guard_tool(halo: Halo, item: BaseTool | Callable[..., Any], resource: Resource) -> Any:
    return halo.guard(item, resource=resource)
