"""Room: the tripwire of a process. Takes: start events of every run. Gives: a refusal for what nothing decides.

It is a callback handler that LangChain adds to every run by itself, in raw threads and under `callbacks=[]` too. It
decides nothing: what carries the mark of a guard passes, what has a `halo.callback()` among its handlers is left to
that, and the rest is refused (enforce mode) or recorded (observe mode). A text model called asynchronously is never
left to a callback: LangChain tells its other handlers nothing of that start once one of them runs inline.

It cannot see what starts no run: `.func` and `._run` of an unguarded tool, `_generate` of an unguarded model,
`_get_relevant_documents` of an unguarded retriever and the vector store behind it, tools that a model's provider runs,
a provider's own SDK, plain functions, a text model's answer out of the cache, a graph node's too. Code that sets the
hook's variable, or LangChain's list of hooks, takes it away. Of a tool or retriever whose class made `run` or `invoke`
anew, the first run of its name passes, since such a class starts its runs as it likes. Never: decides, waits for the
ledger in an event loop, reads argument values (but the words of a model call that a middleware decided, to know it).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from halo_core.errors import Denied, HaloError
from halo_core.model import Mode
from halo_core.pep.names import clean_name
from halo_core.reasons import text
from halo_langchain._callback import HaloCallback
from halo_langchain._context import Start, claimed_by_any
from halo_langchain._runs import Runs

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["Installed", "Tripwire", "install"]


class Installed:
    """One installation of a Halo's tripwire; the Halo watches while any of its installations is in place."""

    def __init__(self, halo: Halo, mode: Mode | None) -> None:
        self.halo = halo
        self._fixed = mode is not None
        self._last = mode or halo.mode

    def uninstall(self) -> None:
        """Take it away; a second time does nothing."""
        global _installed  # noqa: PLW0603  callbacks cannot be unregistered, so the handler asks here
        with _LOCK:
            _installed = tuple(item for item in _installed if item is not self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.uninstall()

    def mode(self) -> Mode:
        """The mode in force: as stored, or in an event loop, where nothing may wait, as it was last read."""
        if self._fixed:
            return self._last
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._read()
        else:
            with suppress(RuntimeError):  # the loop is closing down
                loop.run_in_executor(None, self._read)
        return self._last

    def _read(self) -> None:
        # What cannot be read now stays as it was last read, like a decision that cannot be made.
        self._last = self.halo.store.peek_mode() or self._last


class Tripwire(BaseCallbackHandler):
    """Refuses, or in observe mode records, every tool, retriever and model call that nothing of Halo decides."""

    # A synchronous, inline handler that raises is the one kind that no way of calling walks around.
    raise_error = True

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self._runs = runs

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # a plain attribute in the framework, which only reads it
        """While somebody watches; afterwards it must not get in the way of other handlers."""
        return bool(_installed)

    @property
    def ignore_chain(self) -> bool:
        """Chains are not actions."""
        return True

    def on_tool_start(self, serialized: dict[str, Any] | None, input_str: str, **event: Any) -> None:  # noqa: ARG002  the hook's form
        """A tool starts.

        Raises:
            Denied: nothing decides it (`unguarded`).
        """
        name = str((serialized or {}).get("name") or event.get("name") or "")
        self._meet(Start("tool", event["run_id"], name), name, event)

    def on_retriever_start(self, serialized: dict[str, Any] | None, query: str, **event: Any) -> None:  # noqa: ARG002  as above
        """A retriever starts; raises as `on_tool_start`."""
        shown = str(event.get("name") or (serialized or {}).get("name") or "")
        self._meet(Start("retriever", event["run_id"]), shown, event)  # a run name hides the retriever's own

    def on_chat_model_start(self, serialized: dict[str, Any] | None, messages: Any, **event: Any) -> None:
        """A chat model starts, or its cache answers; raises as `on_tool_start`."""
        shown = [message for batch in messages for message in batch]
        start = Start("model", event["run_id"], source=serialized, messages=shown)
        self._meet(start, _model_name(serialized, event), event)

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: Any, **event: Any) -> None:  # noqa: ARG002  as above
        """A text model starts, or its cache answers; raises as `on_tool_start`."""
        self._meet(Start("model", event["run_id"], source=serialized), _model_name(serialized, event), event)

    # parts

    def _meet(self, start: Start, shown: str, event: Mapping[str, Any]) -> None:
        here = _installed
        if not here:
            return
        parent = event.get("parent_run_id")
        # INVARIANT: what passes here carries the mark of a guard that decides this very run.
        if claimed_by_any(start):
            self._runs.saw(parent, guarded=True)
            return
        refused = any(item.mode() is Mode.ENFORCE for item in here)
        self._runs.saw(parent, guarded=False, refused=refused)
        shown = clean_name(shown)
        _sight(here, start.kind, shown, self._runs.place(parent, event.get("metadata") or {}), refused=refused)
        if refused:
            why = text("unguarded")
            raise Denied("unguarded", f"deny `{shown}`: {why.title}", remedy=why.remedy)


class _TextModels(Tripwire):
    """The tripwire for text models in an event loop, beside a `halo.callback()`, which is not told of them."""

    @property
    def ignore_agent(self) -> bool:
        """Tools are told to the callback."""
        return True

    @property
    def ignore_retriever(self) -> bool:
        """Retrievers are told to the callback."""
        return True

    @property
    def ignore_chat_model(self) -> bool:
        """Chat models are told to the callback."""
        return True

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: Any, **event: Any) -> None:
        """A text model starts; raises as the tripwire's."""
        with suppress(RuntimeError):
            asyncio.get_running_loop()
            super().on_llm_start(serialized, prompts, **event)


class _Chains(BaseCallbackHandler):
    """Hears of chains, in nodes too, which inherit it; only to say where an action ran."""

    def __init__(self, runs: Runs) -> None:
        super().__init__()
        self._runs = runs

    @property
    def run_inline(self) -> bool:  # type: ignore[override]  # as above
        """As the tripwire."""
        return bool(_installed)

    def on_chain_start(self, serialized: dict[str, Any] | None, inputs: Any, **event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph begins."""
        if _installed:
            name = str(event.get("name") or (serialized or {}).get("name") or "")
            self._runs.begin(event["run_id"], event.get("parent_run_id"), name, event)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph ended."""
        self._ended(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_event: Any) -> None:  # noqa: ARG002  as above
        """A chain or graph failed."""
        self._ended(run_id)

    def _ended(self, run_id: UUID) -> None:
        shadow = self._runs.end(run_id)
        if shadow is not None:
            name = clean_name(shadow.name)
            _sight(_installed, "agent", name, name, refused=shadow.refused)


def _sight(here: tuple[Installed, ...], kind: str, name: str, where: str, *, refused: bool) -> None:
    for halo in {id(item.halo): item.halo for item in here}.values():
        with suppress(HaloError):  # a ledger that is closed lets nothing more pass than an open one
            halo.sighted(kind, name, where, refused=refused)


def _model_name(serialized: Mapping[str, Any] | None, event: Mapping[str, Any]) -> str:
    """A model's name, for people: what tracing says, else its settings, else its class."""
    settings = event.get("invocation_params") or {}
    path = (serialized or {}).get("id") or []
    named = (
        (event.get("metadata") or {}).get("ls_model_name")
        or settings.get("model")
        or settings.get("model_name")
        or (path[-1] if path else (serialized or {}).get("name") or "model")
    )
    return clean_name(str(named))


_LOCK: Final = threading.Lock()
_RUNS: Final = Runs()
# Defaults reach raw threads too, where nothing is set; one handler of each kind serves the process.
_HOOK: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_tripwire", default=Tripwire(_RUNS))  # noqa: B039  meant
_TEXTS: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_texts", default=_TextModels(_RUNS))  # noqa: B039  meant
_CHAINS: Final[ContextVar[Any | None]] = ContextVar("halo_langchain_chains", default=_Chains(_RUNS))  # noqa: B039  meant
_installed: tuple[Installed, ...] = ()
_registered = False


def install(halo: Halo, mode: Mode | None) -> Installed:
    """Put the tripwire of a Halo in place.

    Args:
        halo: whose mode and ledger count.
        mode: the mode it was opened with; None follows the stored one.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """
    global _installed, _registered  # noqa: PLW0603  the framework's list of hooks is the process's too
    made = Installed(halo, mode)
    with _LOCK:
        if not _registered:
            register_configure_hook(_CHAINS, inheritable=True)
            register_configure_hook(_TEXTS, inheritable=False)
            # LangChain leaves it out of a run that has a handler of this class: there `halo.callback()` decides. Every
            # run asks anew, and nothing is inherited: a run inside may bring a callback that its parent had not. Last,
            # since what stands behind a handler that raises is left unawaited.
            register_configure_hook(_HOOK, inheritable=False, handle_class=HaloCallback)
            _registered = True
        _installed = (*_installed, made)
    return made
