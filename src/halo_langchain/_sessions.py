"""Room: which session a run of LangChain's belongs to. Takes: configurations, events. Gives: a session, or none.

A configuration travels where a context variable does not: handed to a thread of somebody's own it still names the
session, but not under which link its holder acts. Never: decides, opens a session.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import var_child_runnable_config

from halo_core.session import Session, inside_agent

__all__ = ["event_session", "own_run", "step_of", "thread_session", "under_link"]


class _RunSession(str):
    """Id of the session of a run; no caller's JSON makes one, so nobody chooses another's."""

    __slots__ = ()


class _Under(Enum):
    """What stands in a configuration that was made under a link."""

    LINK = "link"


_RUN: Final = "__halo_session"
_UNDER: Final = "__halo_under"
"""Keys of a configuration; LangGraph persists none that begins like these."""
_TASK: Final = "__pregel_task_id"  # LangGraph's, in the configuration of a node
_NOWHERE: Final = Session("", "none")


def own_run(config: Mapping[str, Any] | None, session: str) -> Any:
    """A configuration of a run that has a session of its own."""
    return _with(config, _RUN, _RunSession(session))


def under_link(config: Mapping[str, Any] | None) -> Any:
    """A configuration of what runs under a link: elsewhere than under one, nobody knows who acts."""
    return _with(config, _UNDER, _Under.LINK)


def _with(config: Mapping[str, Any] | None, key: str, value: Any) -> dict[str, Any]:
    told = config or {}
    return {**told, "configurable": {**(told.get("configurable") or {}), key: value}}


def thread_session(config: Mapping[str, Any] | None = None, *, task: bool = True) -> Session | None:
    """The session of LangGraph's `thread_id`, else of a guarded graph's run; one without an id where context was lost.

    Args:
        config: of the run; None is the one at hand.
        task: whether a configuration of a running node says that somebody is inside that node.
    """
    if inside_agent() is not None:
        return None  # the session is the link's
    configurable = (config if config is not None else ensure_config()).get("configurable") or {}
    around = var_child_runnable_config.get()
    under = (configurable, (around or {}).get("configurable") or {})
    # INVARIANT: SUB - a thread or context that the link was not carried into acts for nobody, not for the first agent.
    if any(found.get(_UNDER) is _Under.LINK for found in under) or (task and around is None and _TASK in configurable):
        return _NOWHERE
    thread, run = configurable.get("thread_id"), configurable.get(_RUN)
    if thread is not None and thread != "":
        return Session(f"thread:{thread}", "thread")
    return Session(str(run), "run") if type(run) is _RunSession else None


def event_session(metadata: Mapping[str, Any]) -> Session | None:
    """As `thread_session`, for who knows of a run only what its event tells."""
    told = {"thread_id": metadata.get("thread_id")} if metadata.get("thread_id") else {}
    task = {_TASK: ""} if "langgraph_step" in metadata else {}
    return thread_session({"configurable": {**(ensure_config().get("configurable") or {}), **told, **task}})


def step_of(config: Mapping[str, Any]) -> str:
    """LangGraph's name of the step at hand: the same when the step is resumed, another one for each turn."""
    step = (config.get("metadata") or {}).get("langgraph_checkpoint_ns", "")
    return f"step:{step}" if step else ""
