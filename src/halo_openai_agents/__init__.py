"""Halo for the OpenAI Agents SDK.

halo = Halo.local(agent="loan-desk", user="ana@bank")
agent = halo.guard(agent)   # its tools, hand-offs, agents as tools, MCP servers, its model
result = await Runner.run(agent, "...", **halo.run_options())
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, cast, overload

from agents import (
    Agent,
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    Handoff,
    LocalShellTool,
    Model,
    RunConfig,
    RunHooks,
    RunState,
    ShellTool,
    function_tool,
)
from agents.lifecycle import RunHooksBase
from agents.mcp import MCPServer
from agents.result import RunResultBase

from halo_core.enforcement.originals import Originals
from halo_core.enforcement.reversals import PastAct, ReversalOptions, Reverser, refuse_reversal_options
from halo_core.enforcement.shadow_activity import InstalledTripwire, ModeWatch
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.facade import HaloBase, HandOff, HostedTool, Limits, guard_all, make_hosted_tool_error
from halo_core.model import ActionKind, Impact, Order, Resource, Reversal
from halo_openai_agents._agents import guard_agent
from halo_openai_agents._doctor import doctor
from halo_openai_agents._inner_calls import InnerGuards, watch_inner_calls
from halo_openai_agents._mcp import guard_server
from halo_openai_agents._models import guard_model
from halo_openai_agents._native_tools import guard_native_tool
from halo_openai_agents._orders import ModelOrderReader
from halo_openai_agents._pause import resume, waiting
from halo_openai_agents._runner import Tripwire, configure_run, install, install_runner
from halo_openai_agents._tools import guard_tool, list_parts
from halo_openai_agents._translate import find_sdk_trace_id, get_display_name, is_hosted, is_native

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

A = TypeVar("A", bound=Agent[Any])
M = TypeVar("M", bound=Model)
S = TypeVar("S", bound=MCPServer)
N = TypeVar("N", ApplyPatchTool, ComputerTool[Any], CustomTool, LocalShellTool, ShellTool)

if TYPE_CHECKING:
    from agents import Tool
    from typing_extensions import TypeVar as TypeVarWithDefault

    # Lists are invariant, and `Agent` takes a `list[Tool]`: so that `Agent(tools=halo.guard(tools))` type-checks.
    L = TypeVarWithDefault("L", FunctionTool, Tool, default=FunctionTool)


class Halo(HaloBase):
    """Agents of the OpenAI Agents SDK, governed. Open it with `Halo.local(agent=...)`."""

    framework = "openai-agents"

    @functools.cached_property
    def originals(self) -> Originals:
        """The tools that were guarded, by name."""
        return Originals(list_parts)

    def find_trace_id(self) -> str:
        """Id of OpenTelemetry's trace, else of the SDK's, 32 lowercase hex digits; empty for none."""
        return super().find_trace_id() or find_sdk_trace_id()

    @overload
    def guard(
        self,
        x: A,
        *,
        resource: Resource | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
        grants: bool = True,
    ) -> A: ...

    @overload
    def guard(self, x: M, *, resource: Resource | None = None) -> M: ...

    @overload
    def guard(self, x: S, *, resource: Resource | None = None) -> S: ...

    @overload
    def guard(
        self,
        x: FunctionTool | Callable[..., Any],
        *,
        resource: Resource | None = None,
        **reversal: Unpack[ReversalOptions],
    ) -> FunctionTool: ...

    @overload
    def guard(self, x: N, *, resource: Resource | None = None) -> N: ...

    @overload
    def guard(self, x: Sequence[FunctionTool | Callable[..., Any]], *, resource: Resource | None = None) -> list[L]: ...

    def guard(
        self,
        x: Any,
        *,
        resource: Resource | None = None,
        give: Mapping[str, HandOff] | None = None,
        agent: str = "",
        grants: bool = True,
        **reversal: Unpack[ReversalOptions],
    ) -> Any:
        """Return a guarded copy of an agent and all that it reaches, a tool, a function, a list, a model or a server.

        The copy is registered and, unless `grants=` of `Halo.local` says otherwise, granted to this agent. Its calls
        are decided at the last step before they run, with the arguments as executed. The original is neither changed
        nor guarded.

        Args:
            x: the object to guard. An agent is copied together with the agents that it hands off to or uses as tools,
                also in a circle.
            resource: what it is: impact, labels, source trust, targets. What you leave out is guessed, and the guess is
                logged. With `kind=ActionKind.RETRIEVAL` a tool counts as a retrieval. For an MCP server it describes
                each of its tools.
            give: for an agent: agent → how much of its own another agent gives it with a hand-off; everything by
                default.
            agent: for an agent: the name under which it acts. By default an agent with hand-offs acts under its own
                name, and a single agent as whoever runs it.
            grants: for an agent: whether its unguarded tools are granted too; if not, each of their calls is refused
                (`tool_not_granted`).
            reversal: for one tool or function, how its effects are taken back: `undo=` or `compensate=`, a function of
                the `PastAct`, which `halo reverse` runs, or `irreversible=True`.

        Raises:
            HostedTool: the model's provider runs it (`WebSearchTool()`).
            ConfigError: it cannot be guarded; the message says what can.
        """
        install_runner()
        watch_inner_calls()
        reverser = Reverser.from_options(reversal)
        if isinstance(x, FunctionTool) or inspect.isfunction(x) or inspect.ismethod(x):
            tool = x if isinstance(x, FunctionTool) else function_tool(x)
            _require_tool_options(give, agent, grants=grants)
            return guard_tool(self, tool, resource, reverser=reverser)
        refuse_reversal_options(reverser)
        if isinstance(x, Agent):
            return guard_agent(self, x, resource, give=give, name=agent, grants=grants)
        _require_tool_options(give, agent, grants=grants)
        if isinstance(x, list | tuple):
            return guard_all(self.guard, x, resource, _find_refusal)
        kinds = ((Model, guard_model), (MCPServer, guard_server))
        guard_part: Callable[..., Any] | None = next((guard for kind, guard in kinds if isinstance(x, kind)), None)
        guard_part = guard_native_tool if guard_part is None and is_native(x) else guard_part
        if guard_part is None:
            raise _make_unsupported_error(x)
        return guard_part(self, x, resource)

    def guard_started(self, agent: A) -> A:
        """Return a guarded copy of an agent that code inside a guarded run starts; it acts under its own name.

        Tools in it are granted as `guard` grants them. One that cannot be, since another tool has its name, is refused.

        Raises:
            ConfigError: it cannot be guarded.
        """
        return cast("A", guard_agent(self, agent, None, name=agent.name, keeps_names=True))

    @functools.cached_property
    def inner_guards(self) -> InnerGuards:
        """Guarded copies of objects that code inside guarded runs used directly."""
        return InnerGuards(self)

    def order_reader(self, model: Model | str) -> ModelOrderReader:
        """Return a reader of the user's orders, which asks a model that is shown his words and nothing else.

        What it reads goes into `halo.session(orders=...)`. Its model calls are decided and recorded in sessions of
        their own.

        Args:
            model: a model, guarded or not, or the name of one; a small one is enough.
        """
        return ModelOrderReader(self, model)

    def run_options(
        self,
        *,
        run_config: RunConfig | dict[str, Any] | None = None,
        hooks: RunHooks[Any] | None = None,
        pausing: bool = False,
    ) -> dict[str, Any]:
        """Return keyword arguments for `Runner.run`, `run_sync` and `run_streamed`, to be used with the host's own.

        With them, a run continues after a call that reaches no tool, and its model reads why the call failed. Models
        that are given by name are guarded. Agents, tools and models without a guard are refused (`unguarded`).

        Args:
            run_config: the host's configuration; it is copied.
            hooks: the host's hooks; they are called for what is not refused.
            pausing: whether the host keeps the state of a paused run (`result.to_state()`) and resumes it. A challenge
                then becomes an interruption; see `waiting` and `resume`. Otherwise the model reads that the call waits,
                and the run goes on.

        Raises:
            CannotDecide: the mode in force cannot be read.
        """
        install_runner()
        watch_inner_calls()
        config = configure_run(self, run_config, reports_unknown_tools=True, pausing=pausing)
        if hooks is not None and not isinstance(hooks, RunHooksBase):
            return {"run_config": config, "hooks": hooks}  # the SDK refuses them, and the run
        return {"run_config": config, "hooks": Tripwire((ModeWatch(self, self._mode),), hooks, config.model)}

    def waiting(self, result: RunResultBase | RunState[Any]) -> list[dict[str, str]]:
        """List the open questions of a run: the id of each, its subject and reason, and how to answer it."""
        return waiting(self, result)

    def resume(self, result: RunResultBase | RunState[Any]) -> RunState[Any]:
        """Return the state to pass to the runner again, with the answers in the ledger; other questions stay open.

        Approvals that the host sets in the state have no effect: each call is decided again when it runs.

        Raises:
            CannotDecide: the ledger cannot be read.
        """
        return resume(self, result)

    def install(self) -> InstalledTripwire:
        """Watch the whole process, so that nothing runs undecided.

        Every agent, tool and model without a guard is recorded as a shadow entry, and in enforce mode refused with
        `unguarded`, in every run and in runs inside runs. Several tripwires may be installed: each lets pass what
        another `Halo` guards.

        It does not see what starts no run: tools that are called directly, tools of a model's provider, raw clients and
        plain functions.

        Returns:
            A handle with `uninstall()`; as a context manager it uninstalls at the block's end.

        Raises:
            CannotDecide: the mode in force cannot be read.
        """
        return install(self, self._mode)

    @functools.cached_property
    def servers_by_tool(self) -> dict[str, tuple[Any, ...]]:
        """Which MCP server each registered tool of one belongs to, by its name."""
        return {}


def _require_tool_options(give: Mapping[str, HandOff] | None, agent: str, *, grants: bool) -> None:
    if give or agent or not grants:
        raise ConfigError("not_an_agent", "terms and names are for agents only", field="x", remedy="pass an agent")


def _find_refusal(item: Any) -> ConfigError | None:
    return _make_unsupported_error(item) if is_hosted(item) else None


def _make_unsupported_error(x: Any) -> ConfigError:
    if is_hosted(x):
        return make_hosted_tool_error(get_display_name(x))
    if isinstance(x, Handoff):
        remedy = "guard the agent that has the hand-off"
        return ConfigError("not_guardable", "a hand-off cannot be guarded without its agent", field="x", remedy=remedy)
    remedy = "pass an agent, a tool, a function, a list of these, a model or an MCP server"
    return ConfigError("not_guardable", f"`{type(x).__name__}` cannot be guarded", field="x", remedy=remedy)
