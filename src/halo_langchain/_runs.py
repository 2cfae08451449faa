"""Room: where an action runs, for the tripwire. Takes: start and end events of chains. Gives: a place, shadow agents.

A shadow agent is a graph in which something ran, or was refused, unguarded, and nothing was guarded; that is known
when its run ends. Never: decides, reads inputs or outputs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from halo_core.pep.names import clean_name

__all__ = ["Runs", "Shadow"]

_MAX_OPEN: Final = 10_000
_FRAMEWORKS: Final = ("langgraph", "langchain_create_agent")
_UNNAMED: Final = "LangGraph"  # what the framework calls a graph that was given no name


@dataclass(frozen=True, slots=True)
class Shadow:
    """A graph that turned out to be a shadow agent; `refused` when nothing unguarded ran in it."""

    name: str
    refused: bool


@dataclass(slots=True, eq=False)
class _Graph:
    """One run of a graph: what was seen inside it, graphs inside it included."""

    name: str
    root: UUID
    above: _Graph | None
    guarded: bool = False
    unguarded: bool = False
    ran: bool = False


@dataclass(frozen=True, slots=True)
class _Run:
    """A chain under way: the outermost chain's name, and the graph it belongs to."""

    chain: str
    graph: _Graph | None


class Runs:
    """The chains under way in this process, the latest 10,000 of them."""

    def __init__(self) -> None:
        self._open: OrderedDict[UUID, _Run] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, run_id: UUID, parent: UUID | None, name: str, event: Mapping[str, Any]) -> None:
        """A chain begins; `event` holds its `metadata` and `tags`."""
        with self._lock:
            above = self._open.get(parent) if parent is not None else None
            graph = above.graph if above is not None else None
            if _is_graph(name, event, nested=graph is not None):
                graph = _Graph(name, run_id, graph)
            self._open[run_id] = _Run(above.chain if above is not None else name, graph)
            while len(self._open) > _MAX_OPEN:
                self._open.popitem(last=False)

    def end(self, run_id: UUID) -> Shadow | None:
        """A chain ended: its graph if that turned out to be a shadow agent."""
        with self._lock:
            run = self._open.pop(run_id, None)
            graph = run.graph if run is not None else None
            if graph is None or graph.root != run_id or graph.guarded or not graph.unguarded:
                return None
            return Shadow(graph.name, refused=not graph.ran)

    def saw(self, parent: UUID | None, *, guarded: bool, refused: bool = False) -> None:
        """Something guarded, or unguarded, was called inside `parent`, and refused there or not."""
        with self._lock:
            run = self._open.get(parent) if parent is not None else None
            graph = run.graph if run is not None else None
            while graph is not None:
                if guarded:
                    graph.guarded = True
                else:
                    graph.unguarded = True
                    graph.ran = graph.ran or not refused
                graph = graph.above

    def place(self, parent: UUID | None, metadata: Mapping[str, Any]) -> str:
        """Graph and node, else the chain, else nothing: names that developers gave, no values."""
        with self._lock:
            run = self._open.get(parent) if parent is not None else None
        graph = run.graph.name if run is not None and run.graph is not None else metadata.get("lc_agent_name")
        found = [graph, metadata.get("langgraph_node")]
        names = [clean_name(name) for name in found if isinstance(name, str) and name]
        if not names and run is not None and run.chain:
            names = [clean_name(run.chain)]
        return "/".join(names)


def _is_graph(name: str, event: Mapping[str, Any], *, nested: bool) -> bool:
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    tags: Sequence[str] = event.get("tags") or ()
    if metadata.get("ls_integration") not in _FRAMEWORKS or any(tag.startswith("graph:step") for tag in tags):
        return False
    # What runs inside a node inherits its metadata; of that, only what is called as graphs are is one.
    outermost = not nested and "langgraph_node" not in metadata
    return outermost or name in {_UNNAMED, metadata.get("lc_agent_name")}
