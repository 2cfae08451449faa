"""Room: the class of a guarded tool that is no function. Takes: a tool's class. Gives: one whose ways in are decided.

Never: decides itself, holds anything of one tool.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from llama_index.core.tools import BaseTool, FunctionTool, ToolOutput

from halo_core.pep.gate import is_made, required
from halo_llamaindex._context import kind_with
from halo_llamaindex._tools.run import arun_gated, run_gated

__all__ = ["BINDER", "entry_class", "own_entries"]

BINDER: Final = "_halo_binder"
_WAYS: Final = ("__call__", "call", "acall")
_FRAMEWORK: Final = "llama_index.core.tools."


def own_entries(kind: type[BaseTool]) -> bool:
    """Whether a kind of function tool has entry points of its own, which need not come to its function."""
    return any(_maker(kind, name) is not FunctionTool for name in _WAYS)


def _maker(kind: type[Any], name: str) -> type[Any] | None:
    return next((base for base in kind.__mro__ if name in base.__dict__ and not is_made(base)), None)


def _shaped(tool: BaseTool, result: Any) -> Any:
    """A result recalled from the ledger as the tool would give it."""
    if not isinstance(result, str):
        return result
    return ToolOutput(content=result, tool_name=tool.metadata.get_name(), raw_input={}, raw_output=result)


def _way(kind: type[BaseTool], name: str) -> Callable[..., Any]:
    function = getattr(kind, name)

    if name == "acall":

        @functools.wraps(function)
        async def acall(self: Any, *args: Any, **kwargs: Any) -> Any:
            gate, binder = required(self), self.__dict__[BINDER]
            return _shaped(
                self, await arun_gated(gate, binder, functools.partial(function, self), args, kwargs, descends=True)
            )

        return acall

    @functools.wraps(function)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, binder = required(self), self.__dict__[BINDER]
        return _shaped(self, run_gated(gate, binder, functools.partial(function, self), args, kwargs, descends=True))

    return call


@functools.lru_cache(maxsize=256)
def entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `__call__`, `call` and `acall` are decided, once for each call however they lead to each other."""
    return kind_with(kind, {name: _way(kind, name) for name in _WAYS if hasattr(kind, name)})
