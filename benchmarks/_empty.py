"""A middleware that does nothing: what Halo's middleware is compared with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from langchain.agents.middleware import AgentMiddleware

__all__ = ["Empty"]


class Empty(AgentMiddleware[Any, Any, Any]):
    """Stands where `HaloMiddleware` does: what LangChain does otherwise with it is not Halo's doing."""

    def before_agent(self, state: Any, runtime: Any) -> None:
        del state, runtime

    async def abefore_agent(self, state: Any, runtime: Any) -> None:
        del state, runtime

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(request)

    async def awrap_model_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await handler(request)

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        return handler(request)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        return await handler(request)
