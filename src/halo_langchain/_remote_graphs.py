"""Remote graphs: LangGraph's client of a graph that runs on a server, used like a graph, alone or as a node.

It sends the state away and brings back what somebody else's agent made of it, and starts no run that a callback hears
of. Inside something guarded, and in a chain under a `halo.callback()`, each of its runs is decided as a call of an
undeclared tool under its name, with what is sent as the argument `input`. As a node of a guarded graph it is an agent
of the node's name too; if that is its own name, the call is one of `NAME.run`.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from langgraph.pregel.remote import RemoteGraph

from halo_core.enforcement.arguments import copy_arguments
from halo_core.enforcement.flow import GovernedStream, govern_stream
from halo_core.enforcement.guards import TOOL_KINDS, clean_name, find_name_problem
from halo_core.enforcement.stand_ins import make_stand_in
from halo_core.enforcement.steps import astream, stream
from halo_core.errors import Denied
from halo_langchain._pause import LangChainAction
from halo_langchain._results import TOOL_RESULT_SURFACE

if TYPE_CHECKING:
    from halo_langchain import Halo

_DESCRIPTION: Final = "Runs a graph on a server."
UNGUARDED_OBSERVERS: Final[list[Callable[[str], None]]] = []
"""Told the name of a remote graph that nothing decides; may refuse it by raising."""


class _RemoteRun(LangChainAction, GovernedStream):
    """One run of a remote graph; its parts come from the server."""

    def __init__(self, halo: Halo, name: str, given: Any, function: Callable[[], Any]) -> None:
        self.halo = halo
        self.function = function
        sent, _, unreadable = copy_arguments({"input": given})
        arguments = sent if not unreadable else {"input": ""}
        resource = halo.first_seen.find_tool(_choose_run_name(halo, name), _DESCRIPTION, arguments)
        problem = unreadable or find_name_problem(halo, resource)
        call = halo.build_call(resource, arguments, problem=problem, abilities=("pause",))
        GovernedStream.__init__(self, halo.enforcer, call, TOOL_RESULT_SURFACE)

    def execute(self, ticket: Any) -> Any:  # noqa: ARG002  it is sent as it was decided
        """Start the run."""
        return self.function()

    def merge_parts(self) -> Any:
        """Everything that the server sent."""
        return list(self.parts)


def find_remote_name(graph: RemoteGraph) -> str:
    """The name under which runs of a remote graph are decided."""
    return clean_name(graph.name or graph.assistant_id)


def _choose_run_name(halo: Halo, name: str) -> str:
    """The name of a run: that of its graph, unless something else has it, as the agent has that a node is."""
    registered = halo.find_registered(name)
    return name if registered is None or registered.kind in TOOL_KINDS else clean_name(f"{name}.run")


@functools.cache
def watch_remote_graphs(find_halo: Callable[[Any], Any]) -> None:
    """Decide runs of remote graphs if `find_halo` returns a Halo; installed once for the process."""
    _watch_stream("stream", stream, find_halo)
    _watch_stream("astream", astream, find_halo)
    for name in ("stream_events", "astream_events"):
        if hasattr(RemoteGraph, name):
            _watch_events(name, find_halo)


def _watch_stream(name: str, drive_stream: Callable[..., Any], find_halo: Callable[[Any], Any]) -> None:
    original: Callable[..., Any] = getattr(RemoteGraph, name)

    def run_graph(self: RemoteGraph, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's
        halo = find_halo(config)
        if halo is None:
            _tell_observers(self)
            return original(self, input, config, **kwargs)
        given = copy.deepcopy(input)  # nobody else holds what is decided and sent
        run = functools.partial(original, self, given, config, **kwargs)
        return drive_stream(govern_stream(_RemoteRun(halo, find_remote_name(self), given, run)))

    setattr(RemoteGraph, name, make_stand_in(original, run_graph))


def _watch_events(name: str, find_halo: Callable[[Any], Any]) -> None:
    original: Callable[..., Any] = getattr(RemoteGraph, name)

    def stream_events(self: RemoteGraph, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        if kwargs.get("version", "v2") == "v3":  # any other comes to `stream`
            if find_halo(config) is not None:
                # INVARIANT: FAILCLOSED - the run is what the caller gets, before anything of it has happened.
                raise Denied(
                    "needs_guard",
                    f"the events of the remote graph `{find_remote_name(self)}` cannot be decided",
                    remedy="use `stream` or `astream`",
                )
            _tell_observers(self)
        return original(self, input, config, **kwargs)

    setattr(RemoteGraph, name, make_stand_in(original, stream_events))


def _tell_observers(graph: RemoteGraph) -> None:
    for observe in UNGUARDED_OBSERVERS:
        observe(find_remote_name(graph))
