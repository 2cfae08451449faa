"""`halo drill` for the OpenAI Agents SDK: finds tools and models, replaces their bodies, and runs the agent.

It finds them as `halo doctor` does. A tool's body is the function that it was made of; a model is replaced at the
methods of its class by which the runner reaches it. An agent as a tool runs as it is, with its model replaced.
"""

from __future__ import annotations

import asyncio
import json
import os
import types
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final
from uuid import uuid4

from agents import Agent, FunctionTool, Model, ModelResponse, ModelSettings, RunConfig, Runner
from agents import tool as sdk
from agents.tool_context import ToolContext

from halo_core.doctor import Cover, list_originals
from halo_core.drill import CannotPlant, Desk, FunctionStubs, Step, ToolFacts, Turn
from halo_core.drill.stubs import find_problem, list_subclasses
from halo_core.drill.tools import describe_tool
from halo_core.enforcement.stand_ins import find_original
from halo_core.object_graph import get_attributes, get_module_name, is_a, unwrap
from halo_openai_agents._agents import get_inner_agent
from halo_openai_agents._doctor import CODE_FIELDS, AppExaminer
from halo_openai_agents._models import build_response, iter_events
from halo_openai_agents._tools import build_schema
from halo_openai_agents._translate import find_guard
from halo_openai_agents.testing import Message

_WRAPPED_MARK: Final = sdk._FUNCTION_TOOL_WRAPPED_CALLABLE_MARKER  # noqa: SLF001  the SDK's only link to the function
_MODEL_METHODS: Final = ("get_response", "stream_response")
_MAX_TURNS: Final = 60
_TRACING_VARIABLE: Final = "OPENAI_AGENTS_DISABLE_TRACING"
_KEY_VARIABLE: Final = "OPENAI_API_KEY"


def open_drill(obj: Any, *, name: str = "") -> Driver:
    """The driver of an application.

    Args:
        obj: an agent.
        name: what to call it.
    """
    return Driver(obj, name)


class _Finder(AppExaminer):
    """Finds tools, and for each the tool whose body it is in and the agent that has it."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.found_tools: list[tuple[FunctionTool, str, Agent[Any] | None, Cover]] = []
        self.code: list[str] = []
        self._owners: list[str] = []
        self._agents: list[Agent[Any]] = []
        self._open_ids: set[int] = set()

    def examine(self, obj: Any, where: str, cover: Cover) -> None:
        """Note a tool, then look into it.

        An agent that a tool of its own leads back to is left out there, or its tools would count as those of the body.
        """
        if id(obj) in self._open_ids:
            return
        if is_a(obj, FunctionTool):
            owner = self._owners[-1] if self._owners else ""
            self.found_tools.append((obj, owner, self._agents[-1] if self._agents else None, cover))
            agents, self._agents = self._agents, []
            self._owners.append(obj.name)
            super().examine(obj, where, cover)
            self._owners.pop()
            self._agents = agents
        elif is_a(obj, Agent):
            if not self._owners:
                self._note_code(obj)
            self._agents.append(obj)
            self._open_ids.add(id(obj))
            super().examine(obj, where, cover)
            self._open_ids.discard(id(obj))
            self._agents.pop()
        else:
            super().examine(obj, where, cover)

    def _note_code(self, agent: Agent[Any]) -> None:
        """Note functions of the application that the runner calls besides tools."""
        for field in CODE_FIELDS:
            value = get_attributes(agent).get(field)
            items = value if isinstance(value, list) else [value]
            functions = [getattr(item, "guardrail_function", item) for item in items]
            if any(
                callable(item) and self.explorer.is_app_module(get_module_name(unwrap(item)[0])) for item in functions
            ):
                self.code.append(f"{field.replace('_', ' ')} of agent `{agent.name}`")


class Driver:
    """An application of the OpenAI Agents SDK in a drill.

    Attributes:
        tools: facts of its tools.
        code: its own code that runs beside them.
        problem: why it cannot be drilled.
    """

    def __init__(self, app: Any, name: str) -> None:
        self._app = app
        self._finder = _Finder(name)
        self._finder.examine_app(app)
        self.code: Sequence[str] = list(dict.fromkeys(self._finder.code))
        self.problem = "" if isinstance(app, Agent) else f"`{name or type(app).__name__}` is no agent"
        self._bodies: dict[int, tuple[types.FunctionType, list[str], bool]] = {}
        self._agent_tools: set[str] = set()
        self.tools: Sequence[ToolFacts] = [*self._describe_tools()]
        if not self.problem and not self.tools:
            self.problem = f"`{name}` has no tools"

    # what there is

    def _describe_tools(self) -> Iterator[ToolFacts]:
        seen: set[tuple[str, str]] = set()
        for tool, owner, agent, cover in self._finder.found_tools:
            if (tool.name, owner) in seen:
                continue
            seen.add((tool.name, owner))
            guard = find_guard(tool)
            yield describe_tool(
                tool.name,
                guard.resource if guard is not None else None,
                build_schema(list_originals(tool, find_guard)[-1]),
                tool.description,
                is_guarded=guard is not None or cover.halo is not None,
                owner=owner,
                problem=self._find_problem(tool, owner, agent),
                remedy="use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it",
            )

    def _find_problem(self, tool: FunctionTool, owner: str, agent: Agent[Any] | None) -> str:
        if get_inner_agent(tool) is not None:
            self._agent_tools.add(tool.name)
            return ""
        bodies = self._list_bodies(tool)
        for function, is_invoker in bodies:
            self._bodies.setdefault(id(function), (function, [], is_invoker))[1].append(tool.name)
        problem = next(filter(None, (find_problem(function) for function, _ in bodies)), "")
        if not bodies:
            problem = "its body runs elsewhere"
        if not problem and not owner and agent is not None and agent is not self._app:
            problem = f"agent `{agent.name}` has it: drill that agent by itself"
        return problem

    def _list_bodies(self, tool: FunctionTool) -> list[tuple[types.FunctionType, bool]]:
        """Functions of a tool and its originals, and whether each is an invoker with the SDK's signature."""
        bodies: dict[int, tuple[Any, bool]] = {}
        for item in list_originals(tool, find_guard):
            invoker = item.on_invoke_tool
            wrapped = getattr(getattr(invoker, "_invoke_tool_impl", None), _WRAPPED_MARK, None)
            function, _ = unwrap(wrapped if wrapped is not None else invoker)
            if not self._finder.is_ours(function) and not isinstance(
                function,
                sdk._FailureHandlingFunctionToolInvoker,  # noqa: SLF001  what `function_tool` makes
            ):
                bodies[id(function)] = function, wrapped is None
        return list(bodies.values())

    # replacing

    def install(self, stubs: FunctionStubs, desk: Desk) -> None:
        """Replace the bodies of tools, and the methods of all loaded models."""
        desk.run_inner = self._run_inner
        self._desk = desk
        os.environ.setdefault(_KEY_VARIABLE, "drill")  # a model by name asks for one before it is called
        os.environ[_TRACING_VARIABLE] = "1"
        for function, names, is_invoker in self._bodies.values():
            if not find_problem(function):
                stubs.replace(function, partial(self._answer_tool, desk, names, function, is_invoker))
        for kind in list_subclasses(Model):
            for name in _MODEL_METHODS:
                method, _ = unwrap(find_original(kind.__dict__.get(name)))
                if is_a(method, types.FunctionType) and not self._finder.is_ours(method):
                    stubs.replace(method, partial(_answer_model, desk, name))

    def _answer_tool(
        self,
        desk: Desk,
        names: Sequence[str],
        function: types.FunctionType,
        is_invoker: bool,  # noqa: FBT001
        arguments: Mapping[str, Any],
    ) -> Any:
        values = {key: item for key, item in arguments.items() if not isinstance(item, ToolContext) and key != "self"}
        if is_invoker:
            text = next((item for item in values.values() if isinstance(item, str)), "{}")
            values = json.loads(text or "{}")
        answer = desk.take_tool_call(names, values)
        is_sync = not asyncio.iscoroutinefunction(function)
        return asyncio.run(answer) if is_sync and asyncio.iscoroutine(answer) else answer

    # running

    def expand(self, steps: Sequence[Step]) -> list[Step | None]:
        """The steps of all models: an agent inside a tool takes its own step after the tool's call, and ends."""
        expanded: list[Step | None] = []
        for step in steps:
            is_inside = step.inner is not None and step.tool in self._agent_tools
            expanded += [step, step.inner, None] if is_inside else [step]
        return expanded

    def run_turn(self, turn: Turn) -> None:
        """Run the agent once."""
        self._run(turn, ModelSettings())

    def run_hosted(self, turn: Turn, fields: Mapping[str, Any]) -> None:
        """Run the agent with settings that add fields to its model requests."""
        known = {key: item for key, item in fields.items() if key in {"extra_body", "temperature"}}
        others = {key: item for key, item in fields.items() if key not in known}
        self._run(turn, ModelSettings(**known, extra_args=others or None))

    def _run(self, turn: Turn, settings: ModelSettings) -> None:
        items: list[Any] = [{"role": role, "content": text} for role, text in (*turn.history, ("user", turn.user))]
        config = RunConfig(tracing_disabled=True, model_settings=settings)
        asyncio.run(Runner.run(self._app, items, run_config=config, max_turns=_MAX_TURNS))

    async def _run_inner(self, owner: str, step: Step) -> Any:
        """Make the call inside a tool's body: through the agent that it holds, else directly."""
        for tool, held_by, agent, _ in self._finder.found_tools:
            if tool.name != step.tool or held_by != owner:
                continue
            with self._desk.follow([step]) as script:
                if agent is not None:
                    config = RunConfig(tracing_disabled=True)
                    return str((await Runner.run(agent, "Do it.", run_config=config)).final_output)
                script.take_step()
                text, call_id = json.dumps(dict(step.arguments)), f"call-{uuid4()}"
                context: Any = ToolContext(None, tool_name=tool.name, tool_call_id=call_id, tool_arguments=text)
                return await tool.on_invoke_tool(context, text)
        raise CannotPlant(f"`{step.tool}` is not in the body of `{owner}`")


def _answer_model(desk: Desk, method: str, _arguments: Mapping[str, Any]) -> Any:
    """A model's answer, in the form of one of its methods."""
    step = desk.take_model_request()
    calls = ((step.tool, dict(step.arguments)),) if step is not None else ()
    response: ModelResponse = Message("I will do that." if calls else "Done.", calls).response(f"drill-{uuid4()}")
    return list(iter_events(build_response(response, "drill"))) if method == "stream_response" else response
