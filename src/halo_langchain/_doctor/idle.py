"""Room: what `halo doctor` passes by: data, and what runs nothing of an app's. Takes: any object. Gives: yes or no.

Never: runs anything of the app's.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import types
from typing import Any, Final

from langchain_core.caches import BaseCache
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage
from langchain_core.stores import BaseStore
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.store.base import BaseStore as GraphStore

from halo_core.facade import HaloBase
from halo_core.pep.gate import Gate
from halo_langchain._callback import HaloCallback
from halo_langchain._doctor.walk import container, framework, is_a, module_of, plain

__all__ = ["SERVICES", "empty"]

_SILENT: Final = (
    BaseMessage,
    Document,
    HaloBase,
    HaloCallback,
    Gate,
    asyncio.AbstractEventLoop,
    contextvars.Context,
    logging.Logger,
    types.CodeType,
    types.FrameType,
    types.ModuleType,
    types.TracebackType,
)
_DATA: Final = (BaseCache, BaseChatMessageHistory, BaseCheckpointSaver, BaseStore, GraphStore)
"""Where the framework's own keep what was said; the app's own are looked into."""
SERVICES: Final = frozenset(("_abc", "halo_core", "langsmith"))
"""Packages whose objects run nothing of an app's."""
_CONTAINERS: Final = (dict, frozenset, list, set, tuple)


def empty(x: Any) -> bool:
    """Whether there is nothing in it to look at; such things count for nothing."""
    if plain(x) or is_a(x, *_SILENT) or (is_a(x, *_DATA) and framework(module_of(x))):
        return True
    return type(x) in _CONTAINERS and all(plain(item) or is_a(item, *_SILENT) for _, item in container(x) or ())
