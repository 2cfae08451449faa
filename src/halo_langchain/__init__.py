"""Room: Halo for LangChain and LangGraph. Takes: tools, retrievers. Gives: guarded copies, a middleware, a callback.

    halo = Halo.local(agent="loan-desk", user="ana@bank")
    agent = create_agent(model, tools=halo.guard(tools), middleware=[halo.middleware()])   # ours last
    chain.invoke(q, config={"callbacks": [halo.callback()]})
    retriever = halo.guard(vectorstore.as_retriever())

Never: decides, keeps state, holds keys or policy: it translates, and `halo_core` decides.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from halo_core.errors import ConfigError, Denied, Pending
from halo_core.facade import HaloBase, HandOff, Limits
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_langchain._callback import HaloCallback
from halo_langchain._middleware import HaloMiddleware
from halo_langchain._retriever import guard_retriever
from halo_langchain._tools import as_tool, guard_tool
from halo_langchain._translate import hosted_names

__all__ = [
    "ActionKind",
    "Denied",
    "Halo",
    "HandOff",
    "HostedTool",
    "Impact",
    "Limits",
    "Pending",
    "Resource",
    "Reversal",
]

R = TypeVar("R", bound=BaseRetriever)


class HostedTool(ConfigError):
    """A tool that the model's provider runs: nothing in this process can decide it, so it is refused by name."""


class Halo(HaloBase):
    """One LangChain agent, governed. Open it with `Halo.local(agent=...)`."""

    framework = "langchain"
    Denied = Denied
    Pending = Pending

    @overload
    def guard(self, x: R, *, resource: Resource | None = None) -> R: ...

    @overload
    def guard(self, x: BaseTool | Callable[..., Any], *, resource: Resource | None = None) -> BaseTool: ...

    @overload
    def guard(
        self, x: Sequence[BaseTool | Callable[..., Any]], *, resource: Resource | None = None
    ) -> list[BaseTool]: ...

    def guard(self, x: Any, *, resource: Resource | None = None) -> Any:
        """A guarded copy of a tool, a function (it becomes a tool), a list of these, or a retriever.

        The copy is registered, granted to this agent unless `grants=` says otherwise, and decided at its last step:
        after validation, with the arguments as executed. The original is not changed, and not guarded.

        Args:
            x: what to guard.
            resource: what it is: impact, labels, source trust, targets. Guessed and said where it is not given. With
                `kind=ActionKind.RETRIEVAL` a tool counts as a retrieval.

        Raises:
            HostedTool: the provider runs it (a dict such as `{"type": "web_search"}`).
            ConfigError: it cannot be guarded; the message says what can.
        """
        if isinstance(x, BaseRetriever):
            return guard_retriever(self, x, resource)
        if isinstance(x, list | tuple):
            return self._guard_all(x, resource)
        if isinstance(x, dict):
            raise _dict_refused(x)
        if isinstance(x, BaseTool):
            return guard_tool(self, x, resource)
        if inspect.isfunction(x) or inspect.ismethod(x):
            return guard_tool(self, as_tool(x), resource)
        raise _unsupported(x)

    def _guard_all(self, items: Sequence[Any], resource: Resource | None) -> list[Any]:
        if resource is not None and resource.id and len(items) > 1:
            raise ConfigError(
                "resource_id_taken",
                f"`{resource.id}` cannot name {len(items)} things",
                field="resource",
                remedy="leave `id` out, or guard them one by one",
            )
        for item in items:  # all or none: refuse before the first is registered
            if isinstance(item, dict):
                raise _dict_refused(item)
        return [self.guard(item, resource=resource) for item in items]

    def middleware(self) -> HaloMiddleware:
        """Middleware for `create_agent`; put it last, so that it sees what the others made of a call.

        It decides model calls, shows denials and pauses to the model as error messages, decides tools that are not
        guarded, records calls that reach no tool, and opens a session for each run.
        """
        return HaloMiddleware(self)

    def callback(self) -> HaloCallback:
        """Callback handler for plain chains: decides what carries no guard.

        It can block, and drop documents; it cannot rewrite arguments or pause, so what a policy asks of that kind is
        denied with `needs_guard`. `callbacks=[]` on an inner call, `.func`, `._run` and raw threads walk around it.
        """
        return self._callback

    @functools.cached_property
    def _callback(self) -> HaloCallback:
        # One for each Halo: installed in two places, it still decides a run once.
        return HaloCallback(self)

    def argument_defaults(self, name: str) -> dict[str, Any]:
        """What the schema of a registered resource gives to arguments that a call leaves out."""
        found = self._registry.get(name)
        properties = found.schema.get("properties", {}) if found else {}
        return {key: spec["default"] for key, spec in properties.items() if "default" in spec}

    def run_session(self) -> str:
        """A fresh id for the session of one agent run."""
        return f"run-{self._ids.short()}"


def _dict_refused(tool: dict[str, Any]) -> ConfigError:
    hosted = hosted_names([tool])
    if hosted:
        return HostedTool(
            "hosted_tool",
            f"`{hosted[0]}` is run by the model's provider, so it cannot be decided here",
            field="x",
            remedy="use a tool that runs in this process",
        )
    return ConfigError(
        "nothing_to_guard",
        "a bare schema has no function to guard",
        field="x",
        remedy="guard the tool or function that does the work",
    )


def _unsupported(x: Any) -> ConfigError:
    remedy = "guard takes a tool, a function, a list of these, or a retriever"
    if isinstance(x, Runnable):
        remedy += "; models and chains are decided by `halo.middleware()` or `halo.callback()`"
    return ConfigError("not_guardable", f"`{type(x).__name__}` cannot be guarded", field="x", remedy=remedy)
