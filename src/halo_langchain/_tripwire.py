"""The tripwire of a process: refuses, or in observe mode records, runs that no guard decides.

It is a callback handler that LangChain adds to every run, also in raw threads and under `callbacks=[]`. It makes no
decisions. Runs that a guard has claimed pass, and runs with a `halo.callback()` among their handlers are left to that
callback; all others are refused or recorded. Asynchronous calls of text models are never left to a callback, because
LangChain does not report their start to other handlers once one of them runs inline.

It cannot see what starts no run and is behind no entry point: the vector store behind a retriever, tools that a
model's provider runs, a provider's own SDK, plain functions, a text model's answer out of the cache, a graph node's
too. Code that sets the hook's variable, or LangChain's list of hooks, takes it away. Of a tool or retriever whose
class overrides `run` or `invoke`, the first run of its name passes, since such a class starts its runs as it likes.
It waits for no ledger in an event loop, and reads no argument values (except the words of a model call that a
middleware decided, to know it).
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool
from langchain_core.tracers.context import register_configure_hook

from halo_core.enforcement import shadow_activity
from halo_core.enforcement.guards import clean_name
from halo_core.enforcement.shadow_activity import ModeWatch, record_shadow, refuse_unguarded
from halo_core.model import Mode
from halo_langchain._body_calls import UNGUARDED_OBSERVERS as UNGUARDED_BODY_OBSERVERS
from halo_langchain._body_calls import UNGUARDED_WATCHES
from halo_langchain._callback import HaloCallback
from halo_langchain._decision_models import UNGUARDED_OBSERVERS
from halo_langchain._remote_graphs import UNGUARDED_OBSERVERS as UNGUARDED_REMOTE_OBSERVERS
from halo_langchain._runs import DECIDED_RUN_OBSERVERS, RunStart, claim_run_for_any, find_starting_object

if TYPE_CHECKING:
    from halo_langchain import Halo

_MAX_OPEN: Final = 10_000
_FRAMEWORKS: Final = ("langgraph", "langchain_create_agent")
_UNNAMED: Final = "LangGraph"  # what the framework calls a graph that was given no name


@dataclass(slots=True, eq=False)
class _GraphRun:
    """One run of a graph, with what was seen in it, inner graphs included."""

    name: str
    run_id: UUID
    parent: _GraphRun | None
    has_guarded: bool = False
    has_unguarded: bool = False
    has_run: bool = False


@dataclass(frozen=True, slots=True)
class _ChainRun:
    """A running chain: the outermost chain's name, and its graph."""

    chain_name: str
    graph: _GraphRun | None


class ChainRuns:
    """The running chains of this process, at most the latest 10,000."""

    def __init__(self) -> None:
        self._open_runs: OrderedDict[UUID, _ChainRun] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, run_id: UUID, parent: UUID | None, name: str, event: Mapping[str, Any]) -> None:
        """Note that a chain starts; `event` holds its `metadata` and `tags`."""
        with self._lock:
            parent_run = self._open_runs.get(parent) if parent is not None else None
            graph = parent_run.graph if parent_run is not None else None
            if _is_graph(name, event, nested=graph is not None):
                graph = _GraphRun(name, run_id, graph)
            self._open_runs[run_id] = _ChainRun(parent_run.chain_name if parent_run is not None else name, graph)
            while len(self._open_runs) > _MAX_OPEN:
                self._open_runs.popitem(last=False)

    def end(self, run_id: UUID) -> _GraphRun | None:
        """Note that a chain ended; returns its graph if that turned out to be a shadow agent."""
        with self._lock:
            run = self._open_runs.pop(run_id, None)
            graph = run.graph if run is not None else None
            if graph is None or graph.run_id != run_id or graph.has_guarded or not graph.has_unguarded:
                return None
            return graph

    def record_action(self, parent: UUID | None, *, guarded: bool, refused: bool = False) -> None:
        """Note a guarded or unguarded call inside `parent`, and whether it was refused there."""
        with self._lock:
            run = self._open_runs.get(parent) if parent is not None else None
            graph = run.graph if run is not None else None
            while graph is not None:
                if guarded:
                    graph.has_guarded = True
                else:
                    graph.has_unguarded = True
                    graph.has_run = graph.has_run or not refused
                graph = graph.parent

    def describe_place(self, parent: UUID | None, metadata: Mapping[str, Any]) -> str:
        """Names given by developers, without values: graph and node, else the chain, else nothing."""
        with self._lock:
            run = self._open_runs.get(parent) if parent is not None else None
        graph = run.graph.name if run is not None and run.graph is not None else metadata.get("lc_agent_name")
        candidates = [graph, metadata.get("langgraph_node")]
        names = [clean_name(name) for name in candidates if isinstance(name, str) and name]
        if not names and run is not None and run.chain_name:
            names = [clean_name(run.chain_name)]
        return "/".join(names)


def _is_graph(name: str, event: Mapping[str, Any], *, nested: bool) -> bool:
    metadata: Mapping[str, Any] = event.get("metadata") or {}
    tags: Sequence[str] = event.get("tags") or ()
    if metadata.get("ls_integration") not in _FRAMEWORKS or any(tag.startswith("graph:step") for tag in tags):
        return False
    # What runs inside a node inherits its metadata; of that, only what is called as graphs are is one.
    outermost = not nested and "langgraph_node" not in metadata
    return outermost or name in {_UNNAMED, metadata.get("lc_agent_name")}


class InstalledTripwire(shadow_activity.InstalledTripwire):
    """One installation of a Halo's tripwire."""

    halo: Halo


class Tripwire(BaseCallbackHandler):
    """Refuses, or in observe mode records, every tool, retriever and model call that nothing of Halo decides."""

    # A synchronous, inline handler that raises is the one kind that no way of calling walks around.
    raise_error = True

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # a plain attribute in the framework, which only reads it
        """Whether events come in the thread of the run: only while somebody watches."""
        return bool(_installed)

    ignore_chain = True
    """Chains are not actions."""

    def on_tool_start(self, serialized: dict[str, Any] | None, input_str: str, **event: Any) -> None:  # noqa: ARG002  the hook's form
        """A tool starts.

        Raises:
            Denied: nothing decides it (`unguarded`).
        """
        name = str((serialized or {}).get("name") or event.get("name") or "")
        self._check_start(RunStart("tool", event["run_id"], name, find_starting_object(BaseTool)), name, event)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, **event: Any) -> None:  # noqa: ARG002  as above
        """A retriever starts; raises as `on_tool_start`."""
        run_name = str(event.get("name") or (serialized or {}).get("name") or "")
        # A run name hides the retriever's own.
        start = RunStart("retriever", event["run_id"], source=find_starting_object(BaseRetriever))
        self._check_start(start, run_name, event)

    def on_chat_model_start(self, serialized: dict[str, Any] | None, messages: Any, **event: Any) -> None:
        """A chat model starts, or its cache answers; raises as `on_tool_start`."""
        flat_messages = [message for batch in messages for message in batch]
        start = RunStart("model", event["run_id"], source=serialized, messages=flat_messages)
        self._check_start(start, _find_model_name(serialized, event), event)

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: Any, **event: Any) -> None:  # noqa: ARG002  as above
        """A text model starts, or its cache answers; raises as `on_tool_start`."""
        start = RunStart("model", event["run_id"], source=serialized)
        self._check_start(start, _find_model_name(serialized, event), event)

    # parts

    def _check_start(self, start: RunStart, shown_name: str, event: Mapping[str, Any]) -> None:
        installed = get_watches()
        if not installed:
            return
        parent = event.get("parent_run_id")
        # INVARIANT: what passes here was claimed by a guard that decides this very run.
        if claim_run_for_any(start):
            _CHAIN_RUNS.record_action(parent, guarded=True)
            return
        refused = any(item.mode() is Mode.ENFORCE for item in installed)
        _CHAIN_RUNS.record_action(parent, guarded=False, refused=refused)
        shown_name = clean_name(shown_name)
        place = _CHAIN_RUNS.describe_place(parent, event.get("metadata") or {})
        record_shadow(installed, start.kind, shown_name, place, refused=refused)
        if refused:
            refuse_unguarded(shown_name)


class _TextModelTripwire(Tripwire):
    """The tripwire for text models on an event loop, where a `halo.callback()` is not called."""

    ignore_agent = ignore_retriever = ignore_chat_model = True
    """The callback is told of these."""

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: Any, **event: Any) -> None:
        """A text model starts; raises as the tripwire's."""
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            super().on_llm_start(serialized, prompts, **event)


class _ChainObserver(BaseCallbackHandler):
    """Observes chains, also those in nodes, which inherit it; used only to say where an action ran."""

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # as above
        """Whether events come in the thread of the run, like the tripwire's."""
        return bool(_installed)

    def on_chain_start(self, serialized: dict[str, Any] | None, inputs: Any, **event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph begins."""
        if _installed:
            name = str(event.get("name") or (serialized or {}).get("name") or "")
            _CHAIN_RUNS.begin(event["run_id"], event.get("parent_run_id"), name, event)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph ended."""
        self._end_chain(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph failed."""
        self._end_chain(run_id)

    def _end_chain(self, run_id: UUID) -> None:
        graph = _CHAIN_RUNS.end(run_id)
        if graph is not None:
            name = clean_name(graph.name)
            record_shadow(get_watches(), "agent", name, name, refused=not graph.has_run)


def _find_model_name(serialized: Mapping[str, Any] | None, event: Mapping[str, Any]) -> str:
    """A model's name for people: from tracing, else its settings, else its class."""
    settings = event.get("invocation_params") or {}
    path = (serialized or {}).get("id") or []
    raw_name = (
        (event.get("metadata") or {}).get("ls_model_name")
        or settings.get("model")
        or settings.get("model_name")
        or (path[-1] if path else (serialized or {}).get("name") or "model")
    )
    return clean_name(str(raw_name))


_LOCK: Final = threading.Lock()
_CHAIN_RUNS: Final = ChainRuns()
_HANDLER: Final = Tripwire()
_TEXT_HANDLER: Final = _TextModelTripwire()
_CHAIN_HANDLER: Final = _ChainObserver()
# Defaults reach raw threads too, where nothing is set; one handler of each kind serves the process.
_TRIPWIRE: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_tripwire", default=_HANDLER)
_TEXT_TRIPWIRE: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_texts", default=_TEXT_HANDLER)
_CHAIN_OBSERVER: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_chains", default=_CHAIN_HANDLER)
_installed: Final[list[shadow_activity.InstalledTripwire]] = []
_registered = False


def install(halo: Halo, mode: Mode | None) -> InstalledTripwire:
    """Install the tripwire of a Halo.

    Args:
        halo: whose mode and ledger count.
        mode: the mode it was opened with; None follows the stored one.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """
    global _registered  # noqa: PLW0603  the framework's list of hooks is the process's too
    with _LOCK:
        if not _registered:
            register_configure_hook(_CHAIN_OBSERVER, inheritable=True)
            register_configure_hook(_TEXT_TRIPWIRE, inheritable=False)
            # LangChain leaves it out of a run that has a handler of this class: there `halo.callback()` decides. Every
            # run asks anew, and nothing is inherited: a run inside may bring a callback that its parent had not. Last,
            # since what stands behind a handler that raises is left unawaited.
            register_configure_hook(_TRIPWIRE, inheritable=False, handle_class=HaloCallback)
            UNGUARDED_OBSERVERS.append(partial(_check_unguarded, "model"))
            UNGUARDED_REMOTE_OBSERVERS.append(partial(_check_unguarded, "agent"))
            UNGUARDED_BODY_OBSERVERS.append(_check_unguarded)
            UNGUARDED_WATCHES.append(get_watches)
            DECIDED_RUN_OBSERVERS.append(lambda parent: _CHAIN_RUNS.record_action(parent, guarded=True))
            _registered = True
    return InstalledTripwire(halo, mode, _installed)


def _check_unguarded(kind: str, name: str) -> None:
    """Record or refuse an undecided decision model, remote graph or body call.

    No handler hears of one.
    """
    if installed := get_watches():
        refused = any(item.mode() is Mode.ENFORCE for item in installed)
        record_shadow(installed, kind, name, "", refused=refused)
        if refused:
            refuse_unguarded(name)


def get_watches() -> tuple[ModeWatch, ...]:
    """A copy of the installed watches, since another thread may remove one meanwhile."""
    return tuple(_installed)
