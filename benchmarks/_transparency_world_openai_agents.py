"""Guard the agents and tools of the SDK's own tests in a home where everything is allowed.

An agent is guarded where it is run, the same copy each time as long as nobody changed it or what it reaches. What an
MCP server lists is accepted at once, as an operator does: the tests' servers share a name and list other tools each
time.
"""

from __future__ import annotations

import functools
import uuid
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from agents import Agent, FunctionTool, Handoff

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.enforcement.guards import get_guard
from halo_core.enforcement.mcp_listings import NOT_ACCEPTED, ListedTool, McpListings
from halo_core.enforcement.steps import Steps, TwoWayStep
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Mode, Resource
from halo_core.oversight.mcp_tools import McpTool, accept_tools
from halo_openai_agents import Halo

__all__ = ["PermitAll", "plain"]

# Upstream tests repeat calls under one id, as a retry does; Halo repeats only what is declared harmless.
_AGAIN: Final = Resource(idempotent=True)
_WRAPPED: Final = frozenset({"tools", "handoffs", "mcp_servers", "model"})
_IDENTITY: Final = "_function_approval_identity"  # the SDK's, of an agent object
_TAKEN: Final = frozenset({"bad_resource_id", "resource_id_taken"})


class _AcceptedListings(McpListings):
    """Accepts what a server lists as soon as it is listed."""

    def _admit(
        self,
        server: str,
        tools: Sequence[ListedTool],
        addable: frozenset[str] = frozenset(),
        *,
        grows: bool = False,
    ) -> Steps[Mapping[str, str]]:
        problems = yield from super()._admit(server, tools, addable, grows=grows)
        if NOT_ACCEPTED not in problems.values():
            return problems
        forms = self._listings[server].forms.items()
        chosen = [McpTool(server, name, form, text, 0) for text, (name, form) in forms]
        accept = functools.partial(accept_tools, digester=self._digester, tools=chosen, by="operator", why="listed")
        yield TwoWayStep(self._store.commit, self._store.acommit, accept)
        return (yield from super()._admit(server, tools, addable, grows=grows))


class PermitAll(Halo):
    """A Halo that grants whatever it is shown, under a name of its own where a name is taken."""

    def __init__(self, *, mode: Mode | None, **more: Any) -> None:
        super().__init__(mode=mode, **more)
        digester = Digester(KeyStore(self.home).secret("digest"))
        self.mcp_listings = _AcceptedListings(self.store, digester, mode, self.record_shadow)

    def find_declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """Everything may be repeated."""
        return super().find_declared(name, *kinds) or _AGAIN

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Resource:
        """As the facade's; with an id of its own where the name can name no resource, or another's."""
        told: dict[str, Any] = {"description": description, "schema": schema, **more}
        try:
            return super().register(kind, name, resource=resource, **told)
        except ConfigError as exc:
            if exc.code not in _TAKEN:
                raise
        id_ = f"shown-{self._ids.new_short_id()}"
        return super().register(kind, id_, resource=replace(resource or _AGAIN, id=id_), **told)

    def once(self, agent: Agent[Any]) -> Agent[Any]:
        """The guarded copy of an agent; the agent itself where it cannot be guarded."""
        known: dict[int, tuple[Any, Any, Any]] = self.__dict__.setdefault("_shown", {})
        if plain(agent) is not agent and id(plain(agent)) not in known:
            return agent  # one that another one led to
        agent = plain(agent)
        parts = [_parts(item) for item in _reached(agent)]
        if id(agent) not in known or known[id(agent)][1] != parts:
            known[id(agent)] = (agent, parts, self._copy(agent, lambda: self.guard(agent)))
        made = known[id(agent)][2]
        for item in _reached(made):
            _follow(item)
        return made

    def tool(self, tool: FunctionTool) -> FunctionTool:
        """The guarded copy of a tool."""
        return self._copy(tool, lambda: self.guard(tool))

    def _copy(self, x: Any, give: Callable[[], Any]) -> Any:
        made = x
        with suppress(ConfigError, AttributeError):  # what is half made cannot be either
            made = give()
        return made


def plain(agent: Any) -> Any:
    """What a guarded agent is a copy of."""
    gate = get_guard(agent) if isinstance(agent, Agent) else None
    return agent if gate is None else gate.original


def _parts(agent: Agent[Any]) -> list[Any]:
    """What guarding wraps in an agent, by identity."""
    lists = (agent.tools, agent.handoffs, agent.mcp_servers)
    return [id(agent), id(agent.model), *([id(item) for item in found] for found in lists)]


def _follow(made: Agent[Any]) -> None:
    """A copy becomes what its original has become: a host that has only the guarded one would have changed that.

    What the SDK was told to approve of one, it approves of the other.
    """
    original = plain(made)
    if original is made:
        return
    for name, value in vars(original).items():
        if name not in _WRAPPED and not name.startswith("_"):
            vars(made)[name] = value
    known = ((item, vars(item).get(_IDENTITY)) for item in (original, made))
    mark = next((found[1] for item, found in known if found and found[0]() is item), uuid.uuid4().hex)
    for item in (original, made):
        vars(item)[_IDENTITY] = weakref.ref(item), mark


def _reached(agent: Agent[Any], known: dict[int, Any] | None = None) -> Iterator[Agent[Any]]:
    known = {} if known is None else known
    if id(agent) in known:
        return
    known[id(agent)] = agent
    yield agent
    for item in agent.handoffs:
        found = item._agent_ref() if isinstance(item, Handoff) and item._agent_ref else item  # noqa: SLF001
        if isinstance(found, Agent):
            yield from _reached(found, known)
    for tool in agent.tools:
        found = getattr(tool, "_agent_instance", None)
        if isinstance(found, Agent):
            yield from _reached(found, known)
