"""Calls of guarded tools, as actions of the one flow: of a function that a tool holds, or of a tool's entry point."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from llama_index.core.tools import ToolOutput

from halo_core.enforcement import Call
from halo_core.enforcement.guarded_calls import GuardedCall
from halo_core.enforcement.guards import require_guard
from halo_core.errors import Denied
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._runs import body_values, make_nested_call_id, nested_call_values

BINDER_ATTRIBUTE: Final = "_halo_binder"


class ToolCall(LlamaIndexAction, GuardedCall):
    """A call of a function that a guarded tool holds."""

    call_id = ""

    def get_call_id(self, arguments: Mapping[str, Any]) -> str:
        """The same id when a step that waited is run again."""
        return make_nested_call_id(self.guard.resource.id, arguments)

    def build_call(self) -> Call:
        """As `GuardedCall`."""
        call = super().build_call()
        self.call_id = call.call_id
        return call

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """What the body calls by itself is counted for this call."""
        return *body_values(), *(nested_call_values(self.call_id) if self.outer_call is None else ())


class ToolEntryCall(ToolCall):
    """A call of a guarded tool's `__call__`, `call` or `acall`, which may come down to its function.

    Args:
        method: as the tool's class has it.
        tool: the guarded tool.
        args: as it was called.
        kwargs: as it was called.
    """

    def __init__(self, method: Callable[..., Any], tool: Any, *args: Any, **kwargs: Any) -> None:
        self.tool = tool
        guard, binder = require_guard(tool), tool.__dict__[BINDER_ATTRIBUTE]
        super().__init__(guard, binder, functools.partial(method, tool), args, kwargs, allows_reentry=True)

    def return_denied(self, denied: Denied) -> Any:
        """As `GuardedCall`, in the form in which a tool gives it."""
        earlier = super().return_denied(denied)
        if not isinstance(earlier, str):
            return earlier
        return ToolOutput(content=earlier, tool_name=self.tool.metadata.get_name(), raw_input={}, raw_output=earlier)
