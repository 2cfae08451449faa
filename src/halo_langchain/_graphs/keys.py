"""Room: what a command from outside writes. Takes: commands, a graph. Gives: what is not its caller's to write.

LangGraph writes an update that stands in a graph's input to any channel, and by some of them it says what runs next.
Never: decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, get_type_hints

from langchain.agents.middleware.types import OmitFromSchema
from langgraph.types import Command, Send

__all__ = ["smuggled"]

_BRANCH: Final = "branch:to:"
_ROOT: Final = "__root__"  # the only channel of a state that is no mapping


def smuggled(value: Any, graph: Any) -> Iterator[str]:
    """Names of the nodes and channels that a command, or a list of these, writes to past the graph's state.

    Args:
        value: what comes from outside.
        graph: whose state may be written; None where a graph inside it knows its own keys.
    """
    items = value if isinstance(value, list | tuple) and not isinstance(value, Command) else [value]
    for command in items:
        if isinstance(command, Command) and command.update:
            keys = _written(graph) if graph is not None else None
            for key, what in command._update_as_tuples():  # noqa: SLF001  what LangGraph itself asks
                if not _may(str(key), keys):
                    yield _reached(str(key), what)


def _may(key: str, keys: frozenset[str] | None) -> bool:
    # INVARIANT: no name that LangGraph keeps for itself, whatever a state calls its own.
    if key != _ROOT and key.startswith(("__", "branch:", "join:")):
        return False
    return keys is None or key in keys


def _reached(key: str, value: Any) -> str:
    """The node that a key or a value names, else the key."""
    return value.node if isinstance(value, Send) else key.removeprefix(_BRANCH)


def _written(graph: Any) -> frozenset[str]:
    """Keys of a graph's state that a caller may write: those of its own schema but for the private ones."""
    builder = getattr(graph, "builder", None)
    if builder is None:
        named = graph.input_channels
        return frozenset([named] if isinstance(named, str) else named)
    schema = builder.state_schema
    return frozenset(builder.schemas[schema]) - _private(schema)


def _private(schema: Any) -> set[str]:
    """Keys that `create_agent` takes from no caller."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except Exception:  # noqa: BLE001  a schema whose annotations cannot be read marks none of them
        return set()
    return {name for name, hint in hints.items() if _omitted(hint)}


def _omitted(hint: Any) -> bool:
    """Whether the annotation, inside `NotRequired` and `Required` too, says that it is no input."""
    if any(isinstance(mark, OmitFromSchema) and mark.input for mark in getattr(hint, "__metadata__", ())):
        return True
    return any(_omitted(inner) for inner in getattr(hint, "__args__", ()))
