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
from halo_core.model import ActionKind, Impact, Resource, Reversal
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
        """A guarded copy of a tool, a function (it becomes a tool), a list of these, a retriever, a model or a graph.

        Also of what runs the statements that a model writes: a `SQLDatabase`, a graph store, `PythonREPL`. The copy is
        registered, granted to this agent unless `grants=` says otherwise, and decided at its last step:
        after validation, with the arguments as executed. The original is not changed, and not guarded. What starts
        inside of it (tools, models, retrievers, graphs) is decided too, guarded or not.

        Args:
            x: what to guard.
            resource: what it is: impact, labels, source trust, targets. Guessed and said where it is not given. With
                `kind=ActionKind.RETRIEVAL` a tool counts as a retrieval.
            agents: of a graph: names of nodes that are agents, beside those that hold a graph.
            give: of a graph: how much of its own whoever hands off gives, by agent; everything where it is not said.
                Terms are for one hand-off: each entry gives them anew, and all of it is charged to the giver's own.
            agent: of a graph: the agent that it is as a whole; to run it anywhere is then a hand-off to that agent.
            labels: of a retriever: the data labels of a document that it returns, beside those of its registration and
                those found in its text. It can only add. A document for which it fails is taken to have them all.
            reversal: of one tool or function, how its effects are taken back: `undo=` or `compensate=`, a function of
                the `PastAct`, which `halo reverse` runs, or `irreversible=True`.

        Raises:
            HostedTool: the provider runs it (a dict such as `{"type": "web_search"}`).
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
        """Forget what was registered of a tool or retriever at first sight: it is guarded now, with what it is."""
        if get_guard(x) is None and self.first_seen.give_way(name):
            self._registry.remove(name)

    def middleware(self) -> HaloMiddleware:
        """Middleware for `create_agent`; put it last, so that it sees what the others made of a call.

        It decides model calls, shows denials and pauses to the model as error messages, decides tools that nobody
        guarded as undeclared (one that is called like a guarded tool is refused: a grant is of what was guarded, not of
        its name), records calls that reach no tool, and opens a session for each run. What other middleware starts by
        itself is decided where the agent is guarded: `halo.guard(agent)`.
        """
        watch_nested_runs()
        return HaloMiddleware(self)

    def callback(self) -> HaloCallback:
        """Callback handler for plain chains: decides what carries no guard, and registers it at first sight.

        It can block, pause and drop documents; it cannot rewrite arguments, so what a policy asks of that kind is
        denied with `needs_guard`. `.func`, `._run` and fresh contexts walk around it; `callbacks=[]` on a call inside
        the chain does not.
        """
        watch_nested_runs()
        note_callback_use()
        return self.nested_callback

    def install(self) -> InstalledTripwire:
        """Watch the whole process: what nothing of Halo decides does not run.

        Every tool, retriever and model call of LangChain that is neither guarded nor under a `halo.callback()` is
        refused with `unguarded` in enforce mode, and in both modes recorded as a shadow entry. Several may be
        installed: what one of them guards, all let pass.

        It sees runs. `.func` and `._run` of unguarded objects, tools of a model's provider, raw SDK clients and plain
        functions start none.

        Returns:
            A handle with `uninstall()`; as a context manager it uninstalls at the block's end.

        Raises:
            CannotDecide: the mode in force cannot be read.
        """
        return install(self, self._mode)

    @functools.cached_property
    def nested_callback(self) -> HaloCallback:
        """The callback of this Halo, one and the same: installed in two places, it still decides a run once."""
        return HaloCallback(self)


def _find_refusal(item: Any) -> ConfigError | None:
    return make_schema_error(hosted_names([item])) if isinstance(item, dict) else None


def _make_unsupported_error(x: Any) -> ConfigError:
    remedy = "pass a tool, a function, a list of these, a retriever, a model or a graph"
    if isinstance(x, Runnable):
        remedy += "; for a chain, guard its parts or use `halo.callback()`"
    return ConfigError("not_guardable", f"`{type(x).__name__}` cannot be guarded", field="x", remedy=remedy)
