"""Room: the class of guarded graphs, what stands before a run. Takes: a graph's class. Gives: a subclass.

A run from outside begins at the start of the graph or at an agent; one that belongs to no session gets one of its own;
one of a graph that is itself an agent acts as that agent. Never: decides, keeps anything.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables import ensure_config
from langgraph.constants import END
from langgraph.errors import GraphBubbleUp

from halo_core.model import ActionKind
from halo_core.pep.gate import put_gate, required, subclass
from halo_core.pep.handoff import HANDED
from halo_core.pep.names import unknown
from halo_core.session import current_session, inside_agent
from halo_langchain._graphs.keys import smuggled
from halo_langchain._graphs.nodes import aentered, entered, placed, targets
from halo_langchain._graphs.stepping import astepped, stepped
from halo_langchain._pause import abegin, begin
from halo_langchain._sessions import own_run, thread_session, under_link

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from halo_core.pep import Call
    from halo_langchain import Halo

__all__ = ["Own", "graph_class", "put_own"]

_OWN: Final = "_halo_graph"
_NAMESPACE: Final = "checkpoint_ns"  # LangGraph's, where a configuration names a graph inside


@dataclass(frozen=True, slots=True)
class Own:
    """What a guarded graph knows of itself: the nodes that are agents, and the agent that it is as a whole."""

    agents: frozenset[str]
    agent: str = ""


def put_own(guarded: Any, own: Own) -> None:
    """Fix it to a graph, beside its fields."""
    guarded.__dict__[_OWN] = own


@functools.lru_cache(maxsize=64)
def graph_class(kind: type[Any]) -> type[Any]:
    @functools.wraps(kind.stream)
    def stream(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002  the framework's name
        own, halo = self.__dict__[_OWN], required(self).halo
        config = _in_run(self, halo, config)
        _refuse(self, [input], config)
        run = functools.partial(kind.stream, self, input, **kwargs)
        yield from stepped(_as_agent(halo, own, config, run)) if own.agent or _lost(config) else run(config)

    @functools.wraps(kind.astream)
    async def astream(self: Any, input: Any, config: Any = None, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: A002  as above
        own, halo = self.__dict__[_OWN], required(self).halo
        config = _in_run(self, halo, config)
        await _arefuse(self, [input], config)
        run = functools.partial(kind.astream, self, input, **kwargs)
        parts = astepped(_aas_agent(halo, own, config, run)) if own.agent or _lost(config) else run(config)
        async for part in parts:
            yield part

    @functools.wraps(kind.bulk_update_state)
    def update(self: Any, config: Any, supersteps: Any) -> Any:
        steps = [list(step) for step in supersteps]
        _refuse(self, _written(steps), config)
        return kind.bulk_update_state(self, config, steps)

    @functools.wraps(kind.abulk_update_state)
    async def aupdate(self: Any, config: Any, supersteps: Any) -> Any:
        steps = [list(step) for step in supersteps]
        await _arefuse(self, _written(steps), config)
        return await kind.abulk_update_state(self, config, steps)

    @functools.wraps(kind.copy)
    def again(self: Any, update: dict[str, Any] | None = None) -> Any:
        made = kind.copy(self, update)
        put_own(made, self.__dict__[_OWN])
        put_gate(made, required(self))
        return made

    members = {
        "stream": stream,
        "astream": astream,
        "bulk_update_state": update,
        "abulk_update_state": aupdate,
        "copy": again,
    }
    made: type[Any] = subclass(kind, members)
    return made


def _in_run(graph: Any, halo: Halo, config: RunnableConfig | None) -> RunnableConfig | None:
    """The configuration of a run, with a session of its own where it belongs to no other."""
    if current_session() is not None or inside_agent() is not None:
        return config
    if thread_session(graph.config or {}) or thread_session(ensure_config(config)):
        return config
    made: RunnableConfig = own_run(config, halo.run_session())
    return made


def _lost(config: RunnableConfig | None) -> bool:
    """Whether the run was begun by what lost the context of the node it belongs to."""
    session = thread_session(ensure_config(config)) if current_session() is None else None
    return session is not None and not session.id


def _written(supersteps: Iterable[Iterable[Any]]) -> list[Any]:
    """What a host writes into a graph's state: a command there says what runs next."""
    return [write[0] for step in supersteps for write in step]


def _refuse(graph: Any, given: Iterable[Any], config: RunnableConfig | None) -> None:
    """Refuse what would begin, from outside, at a node that is nobody's entry.

    Raises:
        Denied: it would; that is recorded.
    """
    halo, names = required(graph).halo, _foreign(graph, given, config)
    if names:
        with placed(config, task=True):
            for name in names:
                begin(halo, _call(halo, name)).succeed(None, HANDED)


async def _arefuse(graph: Any, given: Iterable[Any], config: RunnableConfig | None) -> None:
    """As `_refuse`, from a coroutine."""
    halo, names = required(graph).halo, _foreign(graph, given, config)
    if names:
        with placed(config, task=True):
            for name in names:
                (await abegin(halo, _call(halo, name))).succeed(None, HANDED)


def _foreign(graph: Any, given: Iterable[Any], config: RunnableConfig | None) -> list[str]:
    own: Own = graph.__dict__[_OWN]
    inner = bool(((config or {}).get("configurable") or {}).get(_NAMESPACE))  # of a graph inside, which knows its keys
    found: list[str] = []
    for item in given:
        found.extend(name for name in targets(item) if name not in own.agents and name != END)
        found.extend(smuggled(item, None if inner else graph))
    return found


def _call(halo: Halo, name: str) -> Call:
    return replace(halo.call(unknown(name, ActionKind.HANDOFF), {"task": ""}), problem="foreign_goto")


def _as_agent(halo: Halo, own: Own, config: RunnableConfig | None, run: Any) -> Iterator[Any]:
    with placed(config, task=True), ExitStack() as stack:
        entry = None if _acts(halo, own) else stack.enter_context(entered(halo, own.agent, ""))
        try:
            yield from run(under_link(config) if entry is not None and entry.handle else config)
        except GraphBubbleUp:
            if entry is not None:
                entry.keep()
            raise


async def _aas_agent(halo: Halo, own: Own, config: RunnableConfig | None, run: Any) -> AsyncIterator[Any]:
    with placed(config, task=True):
        async with AsyncExitStack() as stack:
            entry = None if _acts(halo, own) else await stack.enter_async_context(aentered(halo, own.agent, ""))
            try:
                async for part in run(under_link(config) if entry is not None and entry.handle else config):
                    yield part
            except GraphBubbleUp:
                if entry is not None:
                    entry.keep()
                raise


def _acts(halo: Halo, own: Own) -> bool:
    """Whether no agent is to be entered: the graph is none, or acts already, since its node in a graph entered it."""
    return not own.agent or halo.acting_agent() == own.agent
