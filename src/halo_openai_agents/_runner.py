"""The runner around the SDK's own, the configuration of its runs, and run hooks that refuse what carries no guard.

A guarded agent runs in a session, with guarded models: it is entered at the beginning of the run and left at its end.
An agent without a guard runs untouched, unless a tripwire is installed or the run uses Halo's configuration
(`Halo.run_options`). An agent that code inside a guarded run starts (a tool's body, a guardrail, a hook) is guarded on
the spot and acts under its own name.

The hooks of a tripwire make no decisions: objects with a guard pass, and are decided there. The hooks do not see what
the SDK runs without one: tools that are called directly, the provider's own tools, and clients.
"""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from agents import Agent, Model, RunConfig, RunHooks, RunResult, RunResultStreaming, RunState
from agents.exceptions import AgentsException
from agents.lifecycle import RunHooksBase
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from agents.run_config import ToolErrorFormatterArgs
from agents.run_context import RunContextWrapper
from agents.run_internal.model_provider_lifecycle import (
    _close_runner_owned_model_provider,
    _normalize_run_config_for_runner,
)
from agents.run_internal.tool_execution import build_litellm_json_tool_call

from halo_core.enforcement.activities import current_run_activity, run_activity_scope
from halo_core.enforcement.guards import choose_model_name, clean_name, get_guard
from halo_core.enforcement.session_context import (
    NO_SESSION,
    ContextVarScope,
    Session,
    current_delegation,
    current_delegation_session,
    current_session,
    is_lost_thread,
)
from halo_core.enforcement.shadow_activity import InstalledTripwire, ModeWatch, record_shadow, refuse_unguarded
from halo_core.enforcement.stand_ins import make_stand_in
from halo_core.errors import ConfigError, Denied
from halo_core.model import Mode
from halo_openai_agents._models import GuardedProvider, guard_model
from halo_openai_agents._pause import load_session, load_turn
from halo_openai_agents._results import identify_turn
from halo_openai_agents._runs import AgentRun, current_run, find_enclosing_halo, find_run, find_run_input, run_scope
from halo_openai_agents._translate import find_guard, get_display_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo


_STRUCTURED_ANSWER_MODULE: Final = build_litellm_json_tool_call.__module__


class Unguarded(Denied, AgentsException):
    """Unguarded code was refused. Also of the SDK's error class, so that it leaves a run unchanged."""

    run_data = None


class Tripwire(RunHooks[Any]):
    """Refuses unguarded calls, or records them in observe mode, then calls the host's own hooks.

    Args:
        watches: who watches.
        inner: the host's hooks.
        model: the model of the run, where its configuration names one for all agents.
    """

    def __init__(self, watches: Sequence[ModeWatch], inner: RunHooks[Any] | None = None, model: Any = None) -> None:
        self._watches = tuple(watches)
        self._inner = inner or RunHooks()
        self._model = model

    def with_watches(self, watches: Sequence[ModeWatch]) -> Tripwire:
        """A copy with more watches."""
        watched_ids = {id(watch.halo) for watch in self._watches}
        added = [watch for watch in watches if id(watch.halo) not in watched_ids]
        return Tripwire((*self._watches, *added), self._inner, self._model) if added else self

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        """A turn of an agent begins.

        Raises:
            Unguarded: nothing decides it.
        """
        self._check_start("agent", agent)
        if (run := find_run(None, context)) is not None:
            run.current_agent = agent
        await self._inner.on_agent_start(context, agent)

    async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
        """A model is asked; raises as `on_agent_start`."""
        model = self._model if isinstance(self._model, Model) else agent.model
        # A name is looked up by the run's provider, whose models are guarded.
        if isinstance(model, Model):
            self._check_start("model", model, agent)
        await self._inner.on_llm_start(context, agent, system_prompt, input_items)

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        """A tool starts; raises as `on_agent_start`."""
        # A tool that the SDK makes on the spot for an answer with a shape gives back what it is given.
        if getattr(getattr(tool, "on_invoke_tool", None), "__module__", "") != _STRUCTURED_ANSWER_MODULE:
            self._check_start("tool", tool, agent)
        await self._inner.on_tool_start(context, agent, tool)

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        """An agent was handed to; raises as `on_agent_start`, and where no hand-off of ours led there."""
        run = find_run(None, context)
        # INVARIANT: the receiver's guard decides what it does; only that of a hand-off decides that it is reached.
        self._check_start("agent", to_agent, from_agent, was_handed_off=run is None or run.handoff_target is to_agent)
        await self._inner.on_handoff(context, from_agent, to_agent)

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        await self._inner.on_agent_end(context, agent, output)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        await self._inner.on_llm_end(context, agent, response)

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        await self._inner.on_tool_end(context, agent, tool, result)

    def _check_start(self, kind: str, thing: Any, agent: Any = None, *, was_handed_off: bool = True) -> None:
        # INVARIANT: what passes here carries a guard, of whichever Halo, which decides.
        if (was_handed_off and find_guard(thing) is not None) or not self._watches:
            return
        name = choose_model_name(thing) if kind == "model" else clean_name(get_display_name(thing))
        refused = any(watch.mode() is Mode.ENFORCE for watch in self._watches)
        where = clean_name(agent.name) if isinstance(agent, Agent) else ""
        record_shadow(self._watches, kind, name, where, refused=refused)
        if refused:
            refuse_unguarded(name, Unguarded)


@dataclasses.dataclass
class HaloRunConfig(RunConfig):
    """A configuration with guarded models.

    Args:
        halo: who decides.
        pausing: whether the host keeps the state of a run that pauses, and goes on with it.
        default_provider: the provider where the host named none; each run then has one of its own, closed when it ends.
    """

    halo: Any = None
    pausing: bool = False
    default_provider: Any = None

    def __deepcopy__(self, _memo: dict[int, Any]) -> HaloRunConfig:
        """Keep the same `Halo`, however often a configuration is copied."""
        return dataclasses.replace(self)

    @property
    def uses_default_provider(self) -> bool:
        """Whether the host has named no provider so far."""
        return self.default_provider is not None and self.model_provider is self.default_provider

    def with_own_provider(self) -> HaloRunConfig:
        """A copy for one run, with a provider that its inner runs share."""
        provider = GuardedProvider(self.halo, RunConfig().model_provider)
        return dataclasses.replace(self, model_provider=provider, default_provider=None)


def configure_run(
    halo: Halo, host_config: RunConfig | dict[str, Any] | None, *, reports_unknown_tools: bool, pausing: bool
) -> HaloRunConfig:
    """Extend the host's configuration by guarded models.

    Args:
        halo: who decides.
        host_config: the host's.
        reports_unknown_tools: whether a model hears of calls that reach no tool, and the run goes on; else the host's
            setting counts.
        pausing: see `HaloRunConfig`.
    """
    config, uses_default_provider = _normalize_run_config_for_runner(host_config)
    if isinstance(config, HaloRunConfig) and config.halo is halo:
        return config
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(RunConfig)}
    model, provider = config.model, config.model_provider
    if isinstance(model, Model):
        values["model"] = guard_model(halo, model, None)
    if not isinstance(provider, GuardedProvider):
        values["model_provider"] = GuardedProvider(halo, provider)
    elif provider.halo is not halo:  # whoever guards the agent decides what it asks, whosever configuration it is
        values["model_provider"] = GuardedProvider(halo, provider.inner)
    if reports_unknown_tools:
        values["tool_not_found_behavior"] = "return_error_to_model"
    values["tool_error_formatter"] = _make_error_formatter(halo, config.tool_error_formatter)
    return HaloRunConfig(
        **values,
        halo=halo,
        pausing=pausing,
        default_provider=values["model_provider"] if uses_default_provider else None,
    )


def _make_error_formatter(halo: Halo, inner: Any) -> Any:
    """Make the formatter that tells the model why a call without a tool was refused."""

    def format_error(args: ToolErrorFormatterArgs[Any]) -> Any:
        run = current_run(halo)
        if args.kind == "tool_not_found" and run is not None and args.call_id in run.refusals:
            return run.refusals[args.call_id]
        return inner(args) if inner is not None else None

    return format_error


_LOCK: Final = threading.Lock()
_INSTALLED: Final[list[InstalledTripwire]] = []


class HaloRunner(AgentRunner):
    """Runs agents with the wrapped runner, inside a session and with guarded models."""

    def __init__(self, inner: AgentRunner) -> None:
        self.inner = inner

    async def run(self, starting_agent: Agent[Any], input: Any, **kwargs: Any) -> RunResult:  # noqa: A002  the SDK's name
        """Run an agent."""
        starting_agent = _guard_started_agent(starting_agent, input)
        run, kwargs, owns_provider = _prepare_run(starting_agent, input, kwargs)
        if run is None:
            with _ungoverned_run_scope(kwargs), ContextVarScope((_PASSED, starting_agent)):
                return await self.inner.run(starting_agent, input, **kwargs)
        try:
            with run_scope(run), ContextVarScope((_PASSED, starting_agent)):
                result = await self.inner.run(starting_agent, input, **kwargs)
        except BaseException as exc:
            run.end(exc)
            raise
        finally:
            if owns_provider:
                await _close_runner_owned_model_provider(kwargs["run_config"].model_provider)
        run.end(paused=bool(result.interruptions))
        return result

    def run_streamed(self, starting_agent: Agent[Any], input: Any, **kwargs: Any) -> RunResultStreaming:  # noqa: A002  as above
        """Run an agent, and stream what happens."""
        starting_agent = _guard_started_agent(starting_agent, input)
        run, kwargs, owns_provider = _prepare_run(starting_agent, input, kwargs)
        if run is None:
            with _ungoverned_run_scope(kwargs), ContextVarScope((_PASSED, starting_agent)):
                return self.inner.run_streamed(starting_agent, input, **kwargs)
        with run_scope(run), ContextVarScope((_PASSED, starting_agent)):
            result = self.inner.run_streamed(starting_agent, input, **kwargs)
        if owns_provider:
            provider = kwargs["run_config"].model_provider
            result._ensure_model_provider_cleanup_on_completion(  # noqa: SLF001  as the SDK's own runner does
                lambda: _close_runner_owned_model_provider(provider)
            )
        task = result.run_loop_task
        if task is None:
            run.end()
            return result
        task.add_done_callback(lambda done: _end_streamed_run(run, result, done))
        return result


def _end_streamed_run(run: AgentRun, result: RunResultStreaming, task: Any) -> None:
    error = None if task.cancelled() else task.exception()
    if task.cancelled():
        error = asyncio.CancelledError()
    run.end(error or result.run_loop_exception, paused=bool(result.interruptions))


# A runner that code of the application makes for itself stands beside the default one.
_PASSED: Final[ContextVar[Any]] = ContextVar("halo_openai_passed", default=None)
"""The agent without a guard that Halo's runner hands to the SDK's."""
_SDK_RUN: Final = AgentRunner.run
_SDK_RUN_STREAMED: Final = AgentRunner.run_streamed


def _is_started_past_halo(agent: Agent[Any]) -> bool:
    """Whether an unguarded agent starts inside a guarded run without Halo's runner."""
    return find_enclosing_halo() is not None and find_guard(agent) is None and _PASSED.get() is not agent


async def _run_started(self: AgentRunner, starting_agent: Agent[Any], input: Any, **kwargs: Any) -> RunResult:  # noqa: A002  the SDK's name
    if _is_started_past_halo(starting_agent):
        return await HaloRunner(self).run(starting_agent, input, **kwargs)
    with ContextVarScope((_PASSED, None)):
        return await _SDK_RUN(self, starting_agent, input, **kwargs)


def _run_streamed_started(
    self: AgentRunner,
    starting_agent: Agent[Any],
    input: Any,  # noqa: A002  as above
    **kwargs: Any,
) -> RunResultStreaming:
    if _is_started_past_halo(starting_agent):
        return HaloRunner(self).run_streamed(starting_agent, input, **kwargs)
    with ContextVarScope((_PASSED, None)):
        return _SDK_RUN_STREAMED(self, starting_agent, input, **kwargs)


def install_runner() -> None:
    """Wrap the process's default runner in Halo's, and observe what other runners start inside it, once."""
    with _LOCK:
        runner = get_default_agent_runner()
        if not isinstance(runner, HaloRunner):
            set_default_agent_runner(HaloRunner(runner))
        if AgentRunner.run is _SDK_RUN:
            AgentRunner.run = make_stand_in(_SDK_RUN, _run_started, is_async=True)  # type: ignore[method-assign]
            AgentRunner.run_streamed = make_stand_in(_SDK_RUN_STREAMED, _run_streamed_started)  # type: ignore[method-assign]


def get_watches() -> tuple[ModeWatch, ...]:
    """The tripwires in place."""
    return tuple(_INSTALLED)


# one run


def _guard_started_agent(agent: Agent[Any], run_input: Any) -> Agent[Any]:
    """The agent to run; an unguarded one started inside a guarded run is guarded by that run's Halo."""
    halo = find_enclosing_halo()
    if halo is None or isinstance(run_input, RunState) or find_guard(agent) is not None:
        return agent
    try:
        guarded: Agent[Any] = halo.guard_started(agent)
    except ConfigError as exc:  # the tripwire refuses it, or notes that it ran
        halo.notify_once(f"`{clean_name(agent.name)}` cannot be guarded where it is started: {exc}")
        return agent
    return guarded


def _prepare_run(
    agent: Agent[Any], run_input: Any, kwargs: dict[str, Any]
) -> tuple[AgentRun | None, dict[str, Any], bool]:
    """The run if Halo governs it, the SDK's keyword arguments, and whether to close the provider with the run."""
    first_agent = run_input._current_agent if isinstance(run_input, RunState) else agent  # noqa: SLF001  where it goes on
    config = kwargs.get("run_config")
    guard = get_guard(first_agent)
    halo: Halo | None = guard.halo if guard is not None else getattr(config, "halo", None)
    watches = get_watches()
    outer = find_enclosing_halo() if halo is None else None
    if outer is not None:  # a stored state of an agent without a guard, or one that cannot be guarded
        watches = (*watches, ModeWatch(outer, outer.fixed_mode))
    if halo is None:
        if not watches:
            return None, kwargs, False
        return None, {**kwargs, "hooks": _wrap_hooks(kwargs.get("hooks"), watches, config)}, False
    config = configure_run(halo, config, reports_unknown_tools=False, pausing=False)
    owns_provider = config.uses_default_provider
    config = config.with_own_provider() if owns_provider else config
    own_watch = ModeWatch(halo, halo.fixed_mode)
    hooks = _wrap_hooks(kwargs.get("hooks"), (*watches, own_watch), config)
    session = _find_session(halo, run_input, kwargs, config)
    run = AgentRun(
        halo,
        session,
        current_delegation(halo.agent, session.id),
        pausing=config.pausing,
        run_input=find_run_input(run_input),
        thread=_find_thread(kwargs, config),
        filters_handoffs=config.handoff_input_filter is not None,
        first_agent=run_input._starting_agent if isinstance(run_input, RunState) else agent,  # noqa: SLF001  as above
        current_agent=first_agent,
    )
    if isinstance(run_input, RunState):
        run.is_resumed = True
        run.turn_id, run.turn_text = _find_turn(run_input)
    return run, {**kwargs, "run_config": config, "hooks": hooks}, owns_provider


def _wrap_hooks(hooks: Any, watches: tuple[ModeWatch, ...], config: Any) -> Any:
    """Put the host's hooks behind a tripwire; anything else is left for the SDK to refuse."""
    if hooks is not None and not isinstance(hooks, RunHooksBase):
        return hooks
    if isinstance(hooks, Tripwire):
        return hooks.with_watches(watches)
    return Tripwire(watches, hooks, getattr(config, "model", None))


def _find_session(halo: Halo, run_input: Any, kwargs: dict[str, Any], config: HaloRunConfig) -> Session:
    """The session of a run.

    INVARIANT: FAILCLOSED - a thread that was started inside a request may work for an agent that was handed to; so
    there only the host names a session.
    """
    current = current_session()
    if current is not None:
        return current
    agent_session = current_delegation_session()
    if is_lost_thread() or agent_session is not None:
        found_session = halo.find_session()
        return found_session if found_session.id == agent_session else NO_SESSION
    thread = _find_thread(kwargs, config)
    if thread:
        return Session(thread, "thread")
    if isinstance(run_input, RunState) and (stored := load_session(halo, run_input._context)) is not None:  # noqa: SLF001  as above
        # A reference, which whoever writes into the state may have changed.
        thread = f"thread:{run_input._conversation_id}"  # noqa: SLF001  as above
        # What the host named it may name again around the run that goes on; where it does not, it is the same session.
        if stored.is_opened_by_host or stored.source == "run" or stored == Session(thread, "thread"):
            return stored
    # Inside a run that nobody governs it is a part of that.
    outer = current_run_activity()
    return Session(outer.get_session_id(halo, halo.make_run_session_id) if outer else halo.make_run_session_id(), "run")


def _ungoverned_run_scope(kwargs: dict[str, Any]) -> ContextVarScope:
    """The scope of guarded tools and models in a run of an unguarded agent: its session, if any."""
    thread = _find_thread(kwargs, kwargs.get("run_config"))
    is_elsewhere = current_session() is not None or current_delegation_session() is not None or is_lost_thread()
    return run_activity_scope("openai-agents", Session(thread, "thread") if thread and not is_elsewhere else None)


def _find_thread(kwargs: dict[str, Any], config: Any) -> str:
    """The session id of a conversation named by the host; empty if it named none."""
    try:
        session_name = getattr(kwargs.get("session"), "session_id", None)
    except ValueError:  # of a session that is named when the first message is kept
        session_name = None
    for name in (session_name, kwargs.get("conversation_id"), getattr(config, "group_id", None)):
        if name and isinstance(name, str):
            return f"thread:{name}"
    return ""


def _find_turn(state: RunState[Any]) -> tuple[str, str]:
    """Id and words of the message that led to the open calls of a state."""
    responses = state._model_responses  # noqa: SLF001  as above
    turn_id, text = identify_turn(responses[-1]) if responses else ("", "")
    context = state._context  # noqa: SLF001  as above
    return (load_turn(context) if isinstance(context, RunContextWrapper) else "") or turn_id, text


def install(halo: Halo, mode: Mode | None) -> InstalledTripwire:
    """Let a Halo watch every run of the process.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """
    install_runner()
    return InstalledTripwire(halo, mode, _INSTALLED)
