"""Halo for LangChain and LangGraph: guarded copies of tools, retrievers, models and graphs, a middleware, a callback.

    halo = Halo.local(agent="loan-desk", user="ana@bank")
    agent = create_agent(model, tools=halo.guard(tools), middleware=[halo.middleware()])   # ours last
    chain.invoke(q, config={"callbacks": [halo.callback()]})
    retriever = halo.guard(vectorstore.as_retriever())
    graph = halo.guard(graph)   # swarms, supervisors: every hand-off is decided

This package translates; `halo_core` decides.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, Unpack, overload

from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langgraph.pregel import Pregel

from halo_core.enforcement.guards import get_guard
from halo_core.enforcement.reversals import PastAct, ReversalOptions, Reverser, refuse_reversal_options
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.facade import HaloBase, HandOff, HostedTool, Limits, guard_all, make_schema_error
from halo_core.model import ActionKind, Impact, Order, Resource, Reversal
from halo_langchain._agents import guard_graph
from halo_langchain._callback import HaloCallback
from halo_langchain._decision_models import guard_decision_model, is_decision_model
from halo_langchain._doctor import doctor, report_undecided
from halo_langchain._executors import find_executor_kind, guard_executor
from halo_langchain._first_seen import FirstSeen
from halo_langchain._history import observe_roots
from halo_langchain._mcp import ServerTools
from halo_langchain._middleware import HaloMiddleware
from halo_langchain._models import guard_model, is_model
from halo_langchain._nested_runs import StartedGraphs, note_callback_use, watch_nested_runs
from halo_langchain._orders import ModelOrderReader
from halo_langchain._results import Labels
from halo_langchain._retrievers import guard_retriever
from halo_langchain._tools import guard_tool
from halo_langchain._translate import as_tool, hosted_names
from halo_langchain._tripwire import InstalledTripwire, install

__all__ = [
    "ActionKind",
    "Denied",
    "Halo",
    "HandOff",
    "HostedTool",
    "Impact",
    "Limits",
    "Order",
    "PastAct",
    "Pending",
    "Resource",
    "Reversal",
    "doctor",
]

R = TypeVar("R", bound=BaseRetriever)
M = TypeVar("M", bound=BaseLanguageModel[Any] | RunnableBinding[Any, Any])
T = TypeVar("T", bound=BaseTool)
G = TypeVar("G", bound=Pregel[Any, Any, Any, Any])


class Halo(HaloBase):
    """One LangChain agent, governed. Open it with `Halo.local(agent=...)`."""

    framework = "langchain"

    def __init__(self, **options: Any) -> None:
        observe_roots()
        watch_nested_runs()
        super().__init__(**options)
        self.first_seen = FirstSeen(self)
        self.started_graphs = StartedGraphs(self)
        self.server_tools = ServerTools(self)

    @overload
    def guard(self, x: R, *, resource: Resource | None = None, labels: Labels | None = None) -> R: ...

    @overload
    def guard(self, x: M, *, resource: Resource | None = None) -> M: ...

    @overload
    def guard(self, x: T, *, resource: Resource | None = None, **reversal: Unpack[ReversalOptions]) -> T: ...

    @overload
    def guard(
        self, x: Callable[..., Any], *, resource: Resource | None = None, **reversal: Unpack[ReversalOptions]
    ) -> BaseTool: ...

    @overload
    def guard(
        self, x: Sequence[BaseTool | Callable[..., Any]], *, resource: Resource | None = None
    ) -> list[BaseTool]: ...

    @overload
    def guard(
        self,
        x: G,
        *,
        resource: Resource | None = None,
        agents: Collection[str] | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
    ) -> G: ...

    def guard(  # noqa: C901  one branch for each kind of object
        self,
        x: Any,
        *,
        resource: Resource | None = None,
        agents: Collection[str] | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
        labels: Labels | None = None,
        **reversal: Unpack[ReversalOptions],
    ) -> Any:
        """Return a guarded copy of a tool, a function (as a tool), a list of these, a retriever, a model or a graph.

        Objects that run the statements of a model can be guarded too: a `SQLDatabase`, a graph store, a `PythonREPL`.
        The copy is registered and, unless `grants=` says otherwise, granted to this agent. Its calls are decided at the
        last step before they run: after validation, with the arguments as executed. Tools, models, retrievers and
        graphs that start inside it are decided too, guarded or not. The original is neither changed nor guarded.

        Args:
            x: the object to guard.
            resource: what it is: impact, labels, source trust, targets. What you leave out is guessed, and the guess is
                logged. With `kind=ActionKind.RETRIEVAL` a tool counts as a retrieval.
            agents: for a graph: names of nodes that are agents, beside those that hold a graph.
            give: for a graph: agent → how much of its own another agent gives it with a hand-off; everything by
                default. The terms hold for one hand-off: each entry gives them again, charged to the giver.
            agent: for a graph: the agent that the graph as a whole is; running it is then a hand-off to that agent.
            labels: for a retriever: a function that returns data labels of a document, in addition to those of the
                registration and those found in its text. If it fails, the document counts as having all labels.
            reversal: for one tool or function, how its effects are taken back: `undo=` or `compensate=`, a function of
                the `PastAct`, which `halo reverse` runs, or `irreversible=True`.

        Raises:
            HostedTool: the model's provider runs it (a dict such as `{"type": "web_search"}`).
            ConfigError: it cannot be guarded; the message says what can.
        """
        if labels is not None and not isinstance(x, BaseRetriever):
            raise ConfigError("no_documents", "only a retriever can have labels", field="labels", remedy="omit it")
        watch_nested_runs()
        reverser = Reverser.from_options(reversal)
        if not (isinstance(x, BaseTool) or inspect.isfunction(x) or inspect.ismethod(x)):
            refuse_reversal_options(reverser)
        if isinstance(x, Pregel):
            return report_undecided(
                self, guard_graph(self, x, agents=agents, give=give, agent=agent, resource=resource)
            )
        if agents or give or agent:
            raise ConfigError(
                "not_a_graph", "agents and terms are for graphs only", field="x", remedy="omit them, or pass a graph"
            )
        if isinstance(x, BaseRetriever):
            self.replace_first_seen(x, x.get_name())
            return guard_retriever(self, x, resource, labels)
        if is_model(x) or is_decision_model(x):
            return (guard_model if is_model(x) else guard_decision_model)(self, x, resource)
        if find_executor_kind(x) is not None:
            return guard_executor(self, x, resource)
        if isinstance(x, list | tuple):
            self.server_tools.admit(x)
            return guard_all(self.guard, x, resource, _find_refusal)
        if isinstance(x, dict):
            raise make_schema_error(hosted_names([x]))
        if inspect.isfunction(x) or inspect.ismethod(x):
            x = as_tool(x)
        if isinstance(x, BaseTool):
            return guard_tool(self, x, resource, reverser=reverser)
        raise _make_unsupported_error(x)

    def replace_first_seen(self, x: Any, name: str) -> None:
        """Replace what was registered for a tool or retriever at first sight, since it is guarded now."""
        if get_guard(x) is None and self.first_seen.give_way(name):
            self._registry.remove(name)

    def order_reader(self, model: BaseLanguageModel[Any]) -> ModelOrderReader:
        """Return a reader of the user's orders, which asks a model that is shown his words and nothing else.

        What it reads goes into `halo.session(orders=...)`. Its model calls are decided and recorded in sessions of
        their own.

        Args:
            model: a model, guarded or not; a small one is enough.
        """
        return ModelOrderReader(self, model)

    def middleware(self) -> HaloMiddleware:
        """Return the middleware for `create_agent`. Put it last, so that it sees each call in its final form.

        - It decides model calls.
        - It returns denials and pauses to the model as error messages.
        - It decides unguarded tools as undeclared. One with the name of a guarded tool is refused, because a grant is
          for the tool that was guarded and not for its name.
        - It records calls that reach no tool.
        - It opens a session for each run.

        What other middleware starts is decided if the agent itself is guarded: `halo.guard(agent)`.
        """
        watch_nested_runs()
        return HaloMiddleware(self)

    def callback(self) -> HaloCallback:
        """Return the callback handler for plain chains. It decides unguarded objects, and registers them when met.

        It can block, pause and drop documents; it cannot rewrite arguments, so what a policy asks of that kind is
        denied with `needs_guard`. Plain functions and fresh contexts walk around it; `callbacks=[]` on a call inside
        the chain does not.
        """
        watch_nested_runs()
        note_callback_use()
        return self.nested_callback

    def install(self) -> InstalledTripwire:
        """Watch the whole process, so that nothing runs undecided.

        Every tool, retriever and model call of LangChain that is neither guarded nor under a `halo.callback()` is
        recorded as a shadow entry, and in enforce mode refused with `unguarded`. Several tripwires may be installed:
        each lets pass what another `Halo` guards.

        It sees runs, and calls of methods and functions of LangChain's objects. Tools of a model's provider, raw SDK
        clients and plain functions are neither.

        Returns:
            A handle with `uninstall()`; as a context manager it uninstalls at the block's end.

        Raises:
            CannotDecide: the mode in force cannot be read.
        """
        return install(self, self._mode)

    @functools.cached_property
    def nested_callback(self) -> HaloCallback:
        """The callback of this Halo; always the same object, so that a run that gets it twice is decided once."""
        return HaloCallback(self)


def _find_refusal(item: Any) -> ConfigError | None:
    return make_schema_error(hosted_names([item])) if isinstance(item, dict) else None


def _make_unsupported_error(x: Any) -> ConfigError:
    remedy = "pass a tool, a function, a list of these, a retriever, a model or a graph"
    if isinstance(x, Runnable):
        remedy += "; for a chain, guard its parts or use `halo.callback()`"
    return ConfigError("not_guardable", f"`{type(x).__name__}` cannot be guarded", field="x", remedy=remedy)
