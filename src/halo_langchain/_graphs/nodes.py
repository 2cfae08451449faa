"""Room: what stands before one node of a guarded graph. Takes: a node's runnable. Gives: one that is entered.

Every node runs in its run's session. A node that is an agent is entered by a hand-off to it, however the graph came
there, and what it hands on by itself is decided before the graph goes there. Never: decides, mints, keeps anything.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.runnables import Runnable, ensure_config
from langgraph.errors import GraphBubbleUp, ParentCommand
from langgraph.types import Command, Send

from halo_core.errors import Pending
from halo_core.pep.handoff import HANDED, deciding, known_agent, with_terms
from halo_core.pep.names import clean_name
from halo_core.session import current_session, in_session
from halo_langchain._pause import abegin, begin, heard, taken_back, unasked, withdrawn
from halo_langchain._sessions import step_of, thread_session, under_link

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from halo_core.handing import Entry
    from halo_core.pep import Call
    from halo_langchain import Halo

__all__ = ["Place", "aentered", "entered", "node", "placed", "targets"]

_NAMESPACE: Final = "checkpoint_ns"  # LangGraph's, in the configuration of a node


@dataclass(frozen=True, slots=True)
class Place:
    """Where a guarded node stands.

    Args:
        halo: who decides.
        name: of the node.
        agents: the nodes of its graph that are agents.
    """

    halo: Halo
    name: str
    agents: frozenset[str]

    @property
    def agent(self) -> str:
        """The node's name as an agent's."""
        return clean_name(self.name)


def node(bound: Runnable[Any, Any], place: Place) -> Runnable[Any, Any]:
    """What stands before a node."""
    base = _Agent if place.name in place.agents else _Node
    return _class(base, type(bound))(bound, place)


@contextmanager
def placed(config: Mapping[str, Any] | None, *, task: bool = False) -> Iterator[None]:
    """The session of a run, where the host opened none; with `task`, of one that LangGraph itself did not begin."""
    known = current_session() is not None
    session = None if known else thread_session(ensure_config(config), task=task)  # type: ignore[arg-type]
    if session is None:
        yield
        return
    with in_session(session):
        yield


# entering an agent


@contextmanager
def entered(halo: Halo, agent: str, call_id: str) -> Iterator[Any]:
    """Run the block as an agent.

    Raises:
        Denied: nobody may hand off to it from here.
        Pending: somebody has to be asked first, and nothing here can be resumed.
        GraphInterrupt: somebody has to be asked first, and the graph waits.
    """
    with ExitStack() as stack:
        try:
            heard(halo)
            entry = stack.enter_context(halo.entering(agent, call_id=call_id, give=halo.terms.of(agent)))
        except Pending as pending:
            if withdrawn(halo, _call(halo, agent, call_id), pending):
                halo.enforcer.begin(taken_back(_call(halo, agent, call_id), pending))
            raise
        unasked(answered=entry.answered)
        yield entry


@asynccontextmanager
async def aentered(halo: Halo, agent: str, call_id: str) -> AsyncIterator[Any]:
    """As `entered`, from a coroutine."""
    async with AsyncExitStack() as stack:
        try:
            heard(halo)
            entry = await stack.enter_async_context(halo.aentering(agent, call_id=call_id, give=halo.terms.of(agent)))
        except Pending as pending:
            if withdrawn(halo, _call(halo, agent, call_id), pending):
                await halo.enforcer.abegin(taken_back(_call(halo, agent, call_id), pending))
            raise
        unasked(answered=entry.answered)
        yield entry


# the nodes


class _Node(Runnable[Any, Any]):
    """Runs a node in the session of its run; to everybody else it is what it stands before."""

    def __init__(self, bound: Runnable[Any, Any], place: Place) -> None:
        self.bound = bound
        self.place = place
        self.name = getattr(bound, "name", None)

    def __getattr__(self, name: str) -> Any:
        """What else its runnable has, for those who look into a graph."""
        if name in ("bound", "place") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.bound, name)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """The node's own name."""
        return self.bound.get_name(suffix, name=name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        """Run the node."""
        heard(self.place.halo, config)
        with placed(config):
            return self.bound.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """Run the node."""
        heard(self.place.halo, config)
        with placed(config):
            return await self.bound.ainvoke(input, config, **kwargs)


class _Agent(_Node):
    """Enters the agent, runs it under its own link, and decides what it hands on."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """Run the agent.

        Raises:
            Denied: nobody may hand off to it from here, or it may not hand off to where it wants to.
        """
        halo, step = self.place.halo, step_of(ensure_config(config))
        left: ParentCommand | None = None
        result = None
        with placed(config), entered(halo, self.place.agent, step) as entry, deciding() as handed:
            try:
                result = self.bound.invoke(input, _of(entry, config), **kwargs)
            except ParentCommand as parting:
                left = parting
            except GraphBubbleUp:
                entry.keep()
                raise
            for call in self._handing(result if left is None else self._command(left, config), handed, step):
                begin(halo, call).succeed(None, HANDED)
            if left is not None or self._goes_on(result):
                entry.keep()
        if left is not None:
            raise left
        return result

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """As `invoke`."""
        halo, step = self.place.halo, step_of(ensure_config(config))
        left: ParentCommand | None = None
        result = None
        with placed(config), deciding() as handed:
            async with aentered(halo, self.place.agent, step) as entry:
                try:
                    result = await self.bound.ainvoke(input, _of(entry, config), **kwargs)
                except ParentCommand as parting:
                    left = parting
                except GraphBubbleUp:
                    entry.keep()
                    raise
                for call in self._handing(result if left is None else self._command(left, config), handed, step):
                    (await abegin(halo, call)).succeed(None, HANDED)
                if left is not None or self._goes_on(result):
                    entry.keep()
        if left is not None:
            raise left
        return result

    def _command(self, left: ParentCommand, config: RunnableConfig | None) -> Command[Any] | None:
        """The command, if it is for another node of this graph and not for a graph above."""
        command = left.args[0]
        namespace = str((ensure_config(config).get("configurable") or {}).get(_NAMESPACE, ""))
        return command if command.graph in (namespace, _recast(namespace), self.place.name) else None

    def _goes_on(self, result: Any) -> bool:
        """Whether the result itself says which agent comes next, here or in the graph above."""
        above = any(item.graph == Command.PARENT and item.goto for item in _commands(result))
        return above or any(name in self.place.agents for name in targets(result))

    def _handing(self, result: Any, handed: set[str], step: str) -> Iterable[Call]:
        """Hand-offs that nothing has decided yet; back to itself is none."""
        halo, done = self.place.halo, {*handed, self.place.agent}
        for name in targets(result):
            agent = clean_name(name)
            if name in self.place.agents and agent not in done:
                done.add(agent)
                yield _call(halo, agent, f"{step}>{agent}" if step else "")


def _of(entry: Entry, config: RunnableConfig | None) -> Any:
    """The configuration of what an agent runs."""
    return under_link(config if config is not None else ensure_config()) if entry.handle else config


def _call(halo: Halo, agent: str, call_id: str) -> Call:
    return with_terms(halo, halo.call(known_agent(halo, agent), {"task": ""}, call_id=call_id))


def _commands(value: Any) -> list[Command[Any]]:
    items = value if isinstance(value, list | tuple) and not isinstance(value, Command) else [value]
    return [item for item in items if isinstance(item, Command)]


def targets(value: Any) -> list[str]:
    """Names of the nodes of the same graph that a command, a send, or a list of these goes to."""
    found: list[Any] = [value] if isinstance(value, Send) else []
    for command in _commands(value):
        if command.graph != Command.PARENT:
            found.extend(command.goto if isinstance(command.goto, list | tuple) else [command.goto])
    return [item.node if isinstance(item, Send) else str(item) for item in found]


def _recast(namespace: str) -> str:
    """LangGraph's name of a graph without the ids of its tasks."""
    return "|".join(part.split(":")[0] for part in namespace.split("|") if not part.isdigit())


@functools.lru_cache(maxsize=256)
def _class(base: type[_Node], kind: type[Any]) -> type[_Node]:
    """Class of a node that calls itself what it stands before: names show in drawings."""
    return type(kind.__name__, (base,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})
