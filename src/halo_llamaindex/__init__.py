"""Halo for LlamaIndex: guarded copies of tools, retrievers, LLMs, engines and workflows.

    halo = Halo.local(agent="loan-desk", user="ana@bank")
    agent = halo.guard(FunctionAgent(tools=halo.guard(tools), llm=llm))   # asks a guarded LLM, pauses, refuses
    team = halo.guard(AgentWorkflow(agents=[...], root_agent="front"))    # every hand-off is decided
    retriever = halo.guard(index.as_retriever(), resource=Resource(id="handbook", source_trust=900))
    engine = halo.guard(query_engine)                                     # what it holds is guarded

It translates; `halo_core` decides and records.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.indices.base import BaseIndex
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.workflow import Workflow

from halo_core.enforcement.guards import get_guard, refuse_overridden_attributes, require_guard
from halo_core.enforcement.originals import Originals
from halo_core.enforcement.reversals import PastAct, ReversalOptions, Reverser, refuse_reversal_options
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.facade import HaloBase, HandOff, HostedTool, Limits, guard_all, make_schema_error
from halo_core.model import ActionKind, Impact, Order, Resource, Reversal
from halo_llamaindex._agents import guard_workflow
from halo_llamaindex._components import COMPONENT_TYPES, ENGINE_TYPES, Component, guard_component, make_retriever_copier
from halo_llamaindex._doctor import doctor
from halo_llamaindex._executors import guard_executor, is_executor
from halo_llamaindex._inner_calls import InnerGuards, install_hooks
from halo_llamaindex._mcp import admit_tools
from halo_llamaindex._models import guard_model
from halo_llamaindex._observer import InstalledObserver, observe_roots
from halo_llamaindex._orders import ModelOrderReader
from halo_llamaindex._pause import HaloChallenge
from halo_llamaindex._results import Labels
from halo_llamaindex._retrievers import guard_retriever
from halo_llamaindex._tools import TOOL_ENTRY_POINTS, as_tool, guard_tool, list_parts
from halo_llamaindex._translate import OVERRIDE_REMEDY, hosted_names, unwrap_tool

__all__ = [
    "ActionKind",
    "Denied",
    "Halo",
    "HaloChallenge",
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

W = TypeVar("W", bound=Workflow)
C = TypeVar("C", bound=BaseRetriever | Component)
M = TypeVar("M", bound=BaseLLM)
T = TypeVar("T", bound=BaseTool)

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    # Lists are invariant, and agents take a `list[BaseTool | Callable]`: so that
    # `FunctionAgent(tools=halo.guard(tools))` type-checks.
    L = TypeVarWithDefault("L", BaseTool, "BaseTool | Callable[..., Any]", default=BaseTool)


class Halo(HaloBase):
    """One LlamaIndex agent, governed. Open it with `Halo.local(agent=...)`."""

    framework = "llamaindex"

    def __init__(self, **options: Any) -> None:
        observe_roots()
        super().__init__(**options)

    @overload
    def guard(
        self,
        x: W,
        *,
        resource: Resource | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
    ) -> W: ...

    @overload
    def guard(  # type: ignore[overload-overlap]  # a `BasePydanticProgram` can be called too, but is no function
        self, x: C, *, resource: Resource | None = None, labels: Labels | None = None
    ) -> C: ...

    @overload
    def guard(self, x: M, *, resource: Resource | None = None) -> M: ...

    @overload
    def guard(self, x: T, *, resource: Resource | None = None, **reversal: Unpack[ReversalOptions]) -> T: ...

    @overload
    def guard(
        self, x: Callable[..., Any], *, resource: Resource | None = None, **reversal: Unpack[ReversalOptions]
    ) -> FunctionTool: ...

    @overload
    def guard(self, x: Sequence[BaseTool | Callable[..., Any]], *, resource: Resource | None = None) -> list[L]: ...

    def guard(
        self,
        x: Any,
        *,
        resource: Resource | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
        labels: Labels | None = None,
        **reversal: Unpack[ReversalOptions],
    ) -> Any:
        """Return a guarded copy of a tool, a function (as a tool), a list of these, a retriever, an LLM or a workflow.

        What acts is registered and, unless `grants=` says otherwise, granted to this agent. Its calls are decided at
        the
        last step before they run: after validation, with the arguments as executed. A query engine, a chat engine and
        the like act through the objects that they hold, so these are guarded in the copy. The original is neither
        changed nor guarded.

        Args:
            x: the object to guard. In a workflow the LLMs of its agents are guarded, but not its tools: guard them
                yourself.
            resource: what it is: impact, labels, source trust, targets. What you leave out is guessed, and the guess is
                logged. With `kind=ActionKind.RETRIEVAL` a tool counts as a retrieval. For an engine it describes the
                retriever.
            give: for a workflow: agent → how much of its own another agent gives it with a hand-off; everything by
                default. The terms hold for one hand-off: each entry gives them again, charged to the giver.
            agent: for a workflow: the agent that it is as a whole; running it is then a hand-off to that agent.
            labels: for a retriever or engine: a function that returns data labels of a node, in addition to those of
                the registration and those found in its text. If it fails, the node counts as having all labels.
            reversal: for one tool or function, how its effects are taken back: `undo=` or `compensate=`, a function of
                the `PastAct`, which `halo reverse` runs, or `irreversible=True`.

        Raises:
            HostedTool: the model's provider runs it (a dict such as `{"type": "web_search"}`).
            ConfigError: it cannot be guarded; the message says what can.
        """
        install_hooks()
        reverser = Reverser.from_options(reversal)
        if not (isinstance(x, BaseTool) or inspect.isfunction(x) or inspect.ismethod(x)):
            refuse_reversal_options(reverser)
        if isinstance(x, Workflow):
            _require(labels is None, "labels", "only a retriever can have labels")
            return guard_workflow(self, x, agent=agent, give=give, resource=resource)
        _require(not agent and not give, "give", "agents and terms are for workflows only")
        if isinstance(x, BaseRetriever):
            return guard_retriever(
                self, x, resource, labels, copy_original=make_retriever_copier(self, resource, labels)
            )
        if isinstance(x, ENGINE_TYPES) or (isinstance(x, COMPONENT_TYPES) and not isinstance(x, BaseTool)):
            return guard_component(self, x, resource, labels)
        _require(labels is None, "labels", "only a retriever can have labels")
        return self._guard_part(x, resource, reverser)

    def order_reader(self, model: BaseLLM) -> ModelOrderReader:
        """Return a reader of the user's orders, which asks a LLM that is shown his words and nothing else.

        What it reads goes into `halo.session(orders=...)`. Its LLM calls are decided and recorded in sessions of
        their own.

        Args:
            model: a LLM, guarded or not; a small one is enough.
        """
        return ModelOrderReader(self, model)

    def observe(self) -> InstalledObserver:
        """Record what runs in this process without a guard, in the ledger and on stderr.

        LlamaIndex's instrumentation cannot stop a call, so nothing is refused here, not even in enforce mode. Guard the
        objects that it names.

        Returns:
            A handle with `uninstall()`; as a context manager it uninstalls at the block's end.
        """
        return InstalledObserver(self)

    def install(self) -> InstalledObserver:
        """Like `observe`: LlamaIndex does not allow refusing what `install` of the other adapters refuses."""
        self.notify_once(
            "LlamaIndex does not allow refusing a run: install() only observes; guard the objects that it reports"
        )
        return self.observe()

    def guard_entered_object(self, retriever: Any, part: Any) -> Any:
        """Guard an object that a guarded retriever enters by itself: a query engine there asks a model."""
        guard = require_guard(retriever)
        return guard_component(self, part, guard.resource, None) if isinstance(part, ENGINE_TYPES) else part

    def _guard_part(self, x: Any, resource: Resource | None, reverser: Reverser | None) -> Any:
        if isinstance(x, BaseLLM):
            return guard_model(self, x, resource)
        if isinstance(x, list | tuple):
            admit_tools(self, x)
            return guard_all(self.guard, x, resource, _find_refusal)
        if isinstance(x, Mapping):
            raise make_schema_error(hosted_names([x]))
        if isinstance(x, BaseTool):
            tool = unwrap_tool(x)
            refuse_overridden_attributes(tool, TOOL_ENTRY_POINTS, OVERRIDE_REMEDY)
            is_guarded = get_guard(tool) is not None
            if not is_guarded and not isinstance(tool, FunctionTool):  # what it holds acts by itself
                tool = guard_component(self, tool, None, None, f"{tool.metadata.get_name()}.retriever")
            return guard_tool(self, tool, resource, reverser)
        if is_executor(x):
            return guard_executor(self, x, resource)
        if inspect.isfunction(x) or inspect.ismethod(x):
            return guard_tool(self, as_tool(x), resource, reverser)
        raise _make_unsupported_error(x)

    @functools.cached_property
    def functions_by_tool(self) -> dict[str, Callable[..., Any]]:
        """Function of each registered tool that has one, by the tool's name."""
        return {}

    @functools.cached_property
    def originals(self) -> Originals:
        """The tools that were guarded, by name."""
        return Originals(list_parts)

    @functools.cached_property
    def inner_guards(self) -> InnerGuards:
        """Guards of objects that were used inside guarded objects."""
        return InnerGuards(self)


def _require(condition: bool, field: str, message: str) -> None:  # noqa: FBT001  a condition
    if not condition:
        raise ConfigError("not_of_this", message, field=field, remedy="omit it")


def _find_refusal(item: Any) -> ConfigError | None:
    return make_schema_error(hosted_names([item])) if isinstance(item, Mapping) else None


def _make_unsupported_error(x: Any) -> ConfigError:
    remedy = (
        "pass a tool, a function, a list of these, a retriever, an LLM, a workflow, a query engine or a SQL database"
    )
    if isinstance(x, BaseIndex):
        remedy += "; for an index, guard each result of `index.as_retriever()` or `index.as_query_engine()`"
    return ConfigError("not_guardable", f"`{type(x).__name__}` cannot be guarded", field="x", remedy=remedy)
