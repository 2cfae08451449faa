"""Room: tools of runs that can pause. Takes: guarded tools. Gives: the same, whose challenges become interruptions.

Never: decides by itself, keeps a copy of what the host has changed since.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from agents import FunctionTool, RunContextWrapper
from agents.util._approvals import evaluate_function_tool_approval

from halo_core.errors import Pending
from halo_core.pep.bound import Bound
from halo_core.pep.gate import Gate
from halo_openai_agents._gates import gate_at
from halo_openai_agents._notes import note_pending
from halo_openai_agents._running import run_of
from halo_openai_agents._tools.arguments import Reader
from halo_openai_agents._tools.guard import invoker
from halo_openai_agents._tools.run import asked

__all__ = ["pausing"]

_TWIN: Final = "_halo_pausing"


def pausing(tool: FunctionTool) -> FunctionTool:
    """The same guarded tool as a run gets it whose host keeps its state: a challenge becomes an interruption."""
    gate = gate_at(tool)
    if gate is None:
        return tool
    fields = {name: value for name, value in vars(tool).items() if name != _TWIN}
    known: tuple[FunctionTool, dict[str, Any], FunctionTool] | None = tool.__dict__.get(_TWIN)
    if known is not None and known[0] is tool and _same(known[1], fields):
        return known[2]
    reader = Reader.of(gate.original)
    made = copy.copy(tool)
    made.__dict__.pop(_TWIN, None)
    # The SDK asks a person by itself about arguments that it has prepared and its own checks would change.
    made.on_invoke_tool = invoker(gate, made, reader, prepares=False)
    made.needs_approval = _approval(gate, tool, reader)
    tool.__dict__[_TWIN] = (tool, fields, made)
    return made


def _same(before: dict[str, Any], now: dict[str, Any]) -> bool:
    return before.keys() == now.keys() and all(now[name] is value for name, value in before.items())


def _approval(
    gate: Gate, tool: FunctionTool, reader: Reader
) -> Callable[[RunContextWrapper[Any], dict[str, Any], str], Awaitable[bool]]:
    async def needs_approval(context: RunContextWrapper[Any], params: dict[str, Any], call_id: str) -> bool:
        if tool.needs_approval is not False and await _own(tool, context, params, call_id):
            return True  # the host's own question comes first, and answers nothing of ours
        run = run_of(gate.halo, context)
        if run is None or not run.pausing:
            return False
        answer = await asked(gate, _bound(reader, params), run, call_id)
        if isinstance(answer.denied, Pending):
            note_pending(context, run.turn, call_id, gate.resource.id, answer.denied)
            return True
        run.answers[call_id] = answer
        return False

    return needs_approval


def _bound(reader: Reader, params: dict[str, Any]) -> Bound:
    return reader.values(copy.deepcopy(params))


async def _own(tool: FunctionTool, context: RunContextWrapper[Any], params: dict[str, Any], call_id: str) -> bool:
    """What the tool's own approval setting says, as the SDK reads it."""
    found = await evaluate_function_tool_approval(tool, context, json.dumps(params), call_id)
    return found.outcome != "invoke"
