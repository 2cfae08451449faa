"""Room: the runner around the SDK's own. Takes: runs. Gives: the same runs, in a session, entered and ended.

It stands before the process's default runner from the moment an agent is guarded. A run of an agent that carries no
guard goes through it untouched, unless a tripwire is installed or its configuration is Halo's. Never: decides, runs a
turn.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from agents import Agent, RunResult, RunResultStreaming, RunState
from agents.lifecycle import RunHooksBase
from agents.run import AgentRunner, get_default_agent_runner, set_default_agent_runner
from agents.run_context import RunContextWrapper
from agents.run_internal.model_provider_lifecycle import (
    _close_runner_owned_model_provider,
)

from halo_core.model import Mode
from halo_core.pep.gate import gate_of
from halo_core.session import Session, current_acting, current_session, inside_agent, is_raw_thread
from halo_openai_agents._items import turn_of
from halo_openai_agents._notes import noted_session, noted_turn
from halo_openai_agents._options import HaloRunConfig, configured
from halo_openai_agents._running import in_run
from halo_openai_agents._runs import Run
from halo_openai_agents._tripwire import Tripwire, Watch

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["HaloRunner", "Installed", "install", "stand", "watching"]

_LOCK: Final = threading.Lock()
_NOWHERE: Final = Session("", "none")
_installed: tuple[Installed, ...] = ()


class HaloRunner(AgentRunner):
    """Runs agents as the runner behind it does, with Halo around."""

    def __init__(self, inner: AgentRunner) -> None:
        self.inner = inner

    async def run(self, starting_agent: Agent[Any], input: Any, **kwargs: Any) -> RunResult:  # noqa: A002  the SDK's name
        """Run an agent."""
        run, kwargs, own = _around(starting_agent, input, kwargs)
        if run is None:
            return await self.inner.run(starting_agent, input, **kwargs)
        try:
            with in_run(run):
                result = await self.inner.run(starting_agent, input, **kwargs)
        except BaseException as exc:
            run.end(exc)
            raise
        finally:
            if own:
                await _close_runner_owned_model_provider(kwargs["run_config"].model_provider)
        run.end(paused=bool(result.interruptions))
        return result

    def run_streamed(self, starting_agent: Agent[Any], input: Any, **kwargs: Any) -> RunResultStreaming:  # noqa: A002  as above
        """Run an agent, and stream what happens."""
        run, kwargs, own = _around(starting_agent, input, kwargs)
        if run is None:
            return self.inner.run_streamed(starting_agent, input, **kwargs)
        with in_run(run):
            result = self.inner.run_streamed(starting_agent, input, **kwargs)
        if own:
            provider = kwargs["run_config"].model_provider
            result._ensure_model_provider_cleanup_on_completion(  # noqa: SLF001  as the SDK's own runner does
                lambda: _close_runner_owned_model_provider(provider)
            )
        task = result.run_loop_task
        if task is None:
            run.end()
            return result
        task.add_done_callback(lambda done: _ended(run, result, done))
        return result


def _ended(run: Run, result: RunResultStreaming, done: Any) -> None:
    error = None if done.cancelled() else done.exception()
    if done.cancelled():
        error = asyncio.CancelledError()
    run.end(error or result.run_loop_exception, paused=bool(result.interruptions))


def stand() -> None:
    """Stand before whatever runner is the process's default; once is enough."""
    with _LOCK:
        found = get_default_agent_runner()
        if not isinstance(found, HaloRunner):
            set_default_agent_runner(HaloRunner(found))


def watching() -> tuple[Watch, ...]:
    """Who watches the whole process."""
    return tuple(item.watch for item in _installed)


# one run


def _around(agent: Agent[Any], given: Any, kwargs: dict[str, Any]) -> tuple[Run | None, dict[str, Any], bool]:
    """The run that Halo sees to, what the SDK is told of it, and whether its provider ends with it; None for no run."""
    first = given._current_agent if isinstance(given, RunState) else agent  # noqa: SLF001  where it goes on
    config = kwargs.get("run_config")
    gate = gate_of(first)
    halo: Halo | None = gate.halo if gate is not None else getattr(config, "halo", None)
    watches = watching()
    if halo is None:
        if not watches:
            return None, kwargs, False
        return None, {**kwargs, "hooks": _tripped(kwargs.get("hooks"), watches, config)}, False
    config = configured(halo, config, tells=False, pausing=False)
    own = config.lends
    config = config.lent() if own else config
    mine = Watch(halo, halo.fixed_mode)
    hooks = _tripped(kwargs.get("hooks"), (*watches, mine), config)
    session, fresh = _session(halo, given, kwargs, config)
    run = Run(
        halo,
        session,
        current_acting(halo.agent, session.id),
        pausing=config.pausing,
        fresh=fresh,
        filters=config.handoff_input_filter is not None,
        first=given._starting_agent if isinstance(given, RunState) else agent,  # noqa: SLF001  as above
        at=first,
    )
    if isinstance(given, RunState):
        run.turn, run.text = _turn(given)
    return run, {**kwargs, "run_config": config, "hooks": hooks}, own


def _tripped(hooks: Any, watches: tuple[Watch, ...], config: Any) -> Any:
    """The host's hooks behind a tripwire; what is no run's hooks is left for the SDK to refuse."""
    if hooks is not None and not isinstance(hooks, RunHooksBase):
        return hooks
    if isinstance(hooks, Tripwire):
        return hooks.watched_by(watches)
    return Tripwire(watches, hooks, getattr(config, "model", None))


def _session(halo: Halo, given: Any, kwargs: dict[str, Any], config: HaloRunConfig) -> tuple[Session, bool]:
    """The session of a run, and whether it begins with it.

    INVARIANT: FAILCLOSED - a thread of somebody's own may work for anybody's request, and inside of an agent that was
    handed to; so there only the host names a session.
    """
    known = current_session()
    if known is not None:
        return known, False
    under = inside_agent()
    if is_raw_thread() or under is not None:
        here = halo.find_session()
        return (here if here.id == under else _NOWHERE), False
    thread = _thread(kwargs, config)
    if thread:
        return Session(thread, "thread"), False
    noted = noted_session(halo, given._context) if isinstance(given, RunState) else None  # noqa: SLF001  as above
    if noted is not None and noted in (Session(noted.id, "run"), Session(_stored(given), "thread")):
        return noted, False
    return Session(halo.run_session(), "run"), True


def _thread(kwargs: dict[str, Any], config: HaloRunConfig) -> str:
    """The conversation that a run belongs to, by the host's own name for it."""
    own = _name_of(kwargs.get("session"))
    names = (own, kwargs.get("conversation_id"), config.group_id)
    found = next((name for name in names if isinstance(name, str) and name), "")
    return f"thread:{found}" if found else ""


def _name_of(session: Any) -> Any:
    """The host's name for a session; None of one that is named when the first message is kept."""
    try:
        return getattr(session, "session_id", None)
    except ValueError:
        return None


def _stored(state: RunState[Any]) -> str:
    """The conversation that a state names: a reference, which whoever writes into the state may have changed."""
    return f"thread:{state._conversation_id}"  # noqa: SLF001  as above


def _turn(state: RunState[Any]) -> tuple[str, str]:
    """What asked for the calls that wait in a state."""
    responses = state._model_responses  # noqa: SLF001  as above
    named, text = turn_of(responses[-1]) if responses else ("", "")
    context = state._context  # noqa: SLF001  as above
    return (noted_turn(context) if isinstance(context, RunContextWrapper) else "") or named, text


# a tripwire for the whole process


class Installed:
    """One installation of a Halo's tripwire; the Halo watches while any of its installations is in place."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def uninstall(self) -> None:
        """Take it away; a second time does nothing."""
        global _installed  # noqa: PLW0603  the default runner is the process's too
        with _LOCK:
            _installed = tuple(item for item in _installed if item is not self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.uninstall()


def install(halo: Halo, mode: Mode | None) -> Installed:
    """Put the tripwire of a Halo in place.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """
    global _installed  # noqa: PLW0603  as above
    made = Installed(Watch(halo, mode))
    stand()
    with _LOCK:
        _installed = (*_installed, made)
    return made
