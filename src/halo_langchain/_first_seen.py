"""Registers tools and retrievers that run under a callback, or inside something guarded, without a registration.

Such a tool counts as undeclared: its impact is guessed from its name, and policies judge it by its arguments. A
retriever counts as a read of an untrusted source; inside a guarded retriever it is registered under a name of its own
with the trust and labels of that retriever. A declaration of the name in the manifest takes precedence. Registering
grants nothing to an agent with an issued passport.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from halo_core.enforcement.guards import TOOL_KINDS, clean_name, get_guard, make_unregistered_resource
from halo_core.enforcement.originals import Originals, is_same_thing
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_langchain._known_tools import describe_known_tool
from halo_langchain._mcp import read_server_tool
from halo_langchain._tools import copy_with_guard, guard_tool, make_tool_schema
from halo_langchain._translate import get_handoff_agent, list_parts, takes_more_than_task, tool_schema

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool

    from halo_langchain import Halo
    from halo_langchain._runs import Enclosure

_MAX_NAMES: Final = 1_000
_MAX_COPIES: Final = 256
_OTHER: Final = "unguarded"


class FirstSeen:
    """Tools and retrievers that one Halo registered when it first saw them run. Thread-safe."""

    def __init__(self, halo: Halo) -> None:
        self._halo = halo
        self._arguments: dict[str, frozenset[str]] = {}  # seen so far, by tool
        self._sighted: dict[str, BaseTool] = {}  # the last that was seen to run, by name
        self._tools = Originals(list_parts)
        self._retrievers = Originals()
        self._copies: OrderedDict[int, tuple[BaseTool, BaseTool]] = OrderedDict()  # with the original, so that it stays
        self._lock = threading.RLock()

    def find_tool(
        self, name: str, description: str, arguments: Iterable[str], tool: BaseTool | None = None
    ) -> Resource:
        """The resource of a tool whose run shows name, description and arguments; with the tool, if known.

        It is registered for any arguments; each new one is part of the guess from then on.
        """
        name, original = clean_name(name), _find_original(tool)
        with self._lock:
            registered, known = self._halo.find_registered(name), self._arguments.get(name)
            if tool is not None:
                self._sighted[name] = original
            if registered is not None and known is None:
                is_tool = registered.kind in TOOL_KINDS and not self._tools.belongs_to_another(name, original)
                return registered if is_tool else make_unregistered_resource(name, ActionKind.TOOL_CALL)
            seen = frozenset(arguments) | (known or frozenset())
            if registered is not None and seen <= (known or frozenset()):
                return registered
            if known is None and len(self._arguments) >= _MAX_NAMES:
                return make_unregistered_resource(name, ActionKind.TOOL_CALL)
            known_resource, own = None, {}
            if tool is not None:
                own = make_tool_schema(tool)["properties"]
                seen |= frozenset(own)
                if self._halo.find_declared(name, *TOOL_KINDS) is None:
                    known_resource = describe_known_tool(tool)
            schema = {"additionalProperties": True, "properties": {**{item: {} for item in sorted(seen)}, **own}}
            try:
                resource = self._halo.register_tool(name, known_resource, description, schema)
            except ConfigError:
                return registered or make_unregistered_resource(name, ActionKind.TOOL_CALL)
            self._arguments[name] = seen
            return resource

    def note_guarded(self, name: str, tool: BaseTool, *, is_sighting: bool = False) -> None:
        """Note that a tool was guarded under a name; a tool only seen running has no grant of its own."""
        with self._lock:
            if not is_sighting:
                self._arguments.pop(name, None)
                self._sighted.pop(name, None)
                self._tools.note(name, tool)

    def note_guarded_retriever(self, name: str, retriever: BaseRetriever) -> None:
        """Like `note_guarded`, for a retriever."""
        with self._lock:
            self._arguments.pop(name, None)
            self._retrievers.note(name, retriever)

    def was_only_seen(self, name: str, tool: BaseTool) -> bool:
        """Whether a name is registered for this tool only because it was seen running; a declaration replaces it."""
        with self._lock:
            seen = self._sighted.get(name) if name in self._arguments else None
            return seen is not None and is_same_thing(list_parts(seen), list_parts(tool))

    def belongs_to_another(self, name: str, tool: BaseTool) -> bool:
        """Whether a name belongs to another guarded tool."""
        return self._tools.belongs_to_another(name, _find_original(tool))

    def find_retriever(
        self, name: str, enclosure: Enclosure | None, retriever: BaseRetriever | None = None
    ) -> Resource:
        """The resource of a retriever, by name; `enclosure` runs around it.

        One that is called like a guarded one, and is another, has a name of its own.
        """
        name = clean_name(name)
        with self._lock:
            if self._retrievers.belongs_to_another(name, _find_original(retriever)):
                name = clean_name(f"{name}.{_OTHER}")
            registered = self._halo.find_registered(name)
            if registered is not None:
                is_retriever = registered.kind is ActionKind.RETRIEVAL
                return registered if is_retriever else make_unregistered_resource(name, ActionKind.RETRIEVAL)
            declared = self._halo.find_declared(name, ActionKind.RETRIEVAL)
            outer = enclosure.resource if enclosure is not None else None
            if declared is None and outer is not None and outer.kind is ActionKind.RETRIEVAL:
                # It belongs to the retriever around it, and says nothing of others of its name.
                name = clean_name(f"{outer.id}/{name}")
                registered = self._halo.find_registered(name)
                declared = Resource(
                    impact=Impact.READ,
                    reversal=Reversal.NONE_NEEDED,
                    idempotent=True,
                    source_trust=outer.source_trust,
                    labels=outer.labels,
                    classified=outer.classified,
                )
            if registered is not None:
                return registered
            if not self._may_register(name):
                return make_unregistered_resource(name, ActionKind.RETRIEVAL)
            schema = {"additionalProperties": True, "properties": {"query": {"type": "string"}}}
            try:
                return self._halo.register(ActionKind.RETRIEVAL, name, resource=declared, schema=schema)
            except ConfigError:
                return make_unregistered_resource(name, ActionKind.RETRIEVAL)

    def give_way(self, name: str) -> bool:
        """Forget what was seen under a name that is guarded now; returns whether there was anything."""
        with self._lock:
            return self._arguments.pop(name, None) is not None

    def guard_tool(self, tool: BaseTool) -> BaseTool:
        """A guarded copy of a tool called by an agent; the same one for each call.

        INVARIANT: a grant is of what was guarded, and of nothing that is called so: where the name is that of a guarded
        tool, the copy is refused when it is called (`needs_guard`).
        """
        with self._lock:
            earlier = self._copies.get(id(tool))
            if earlier is not None:
                return earlier[1]
            served = get_guard(tool) is None and read_server_tool(tool) is not None
            if served:
                self._halo.server_tools.admit_met([tool], again=False)
            copied = guard_tool(self._halo, tool, None) if served else self._copy_tool(tool)
            self._copies[id(tool)] = tool, copied
            while len(self._copies) > _MAX_COPIES:
                self._copies.popitem(last=False)
            return copied

    def guard_started_tool(self, tool: BaseTool) -> BaseTool:
        """Like `guard_tool`, for a tool called by code; the original of a guarded tool has its grant."""
        name = clean_name(tool.name)
        if self._tools.has_name(name) and not self._tools.belongs_to_another(name, tool):
            return copy_with_guard(self._halo, tool, self._halo.find_registered(name))
        return self.guard_tool(tool)

    def _copy_tool(self, tool: BaseTool) -> BaseTool:
        halo, name = self._halo, tool.name
        registered = halo.find_registered(name)
        if get_guard(tool) is not None:
            return copy_with_guard(halo, tool)
        if get_handoff_agent(tool):
            if takes_more_than_task(tool) and registered is None:
                self.find_tool(name, tool.description, tool_schema(tool)["properties"])
            return copy_with_guard(halo, tool)
        if registered is not None:
            return copy_with_guard(halo, tool, registered if name in self._arguments else None)
        if not self._may_register(name, tool):
            return copy_with_guard(halo, tool)
        try:
            guarded = guard_tool(halo, tool, None, is_sighting=True)
        except ConfigError:
            return copy_with_guard(halo, tool)
        return guarded

    def _may_register(self, name: str, tool: BaseTool | None = None) -> bool:
        if name not in self._arguments and len(self._arguments) >= _MAX_NAMES:
            return False
        self._arguments.setdefault(name, frozenset())
        if tool is not None:
            self._sighted[name] = tool
        return True


def _find_original(x: Any) -> Any:
    """The original of a guarded copy; any other object itself."""
    guard = get_guard(x)
    return x if guard is None else guard.original


def get_description(serialized: Any) -> str:
    """The tool description that a run shows."""
    description = (serialized or {}).get("description")
    return description if isinstance(description, str) else ""
