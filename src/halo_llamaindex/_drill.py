"""`halo drill` for LlamaIndex: finds tools and LLMs, replaces their bodies, and runs the agent or the team.

It finds them as `halo doctor` does. A tool's body is the function that it was made of; an LLM is replaced at the
innermost functions of its chat methods, and at the one that reads calls out of an answer.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final
from uuid import uuid4

from llama_index.core.agent.workflow import AgentWorkflow, BaseWorkflowAgent, FunctionAgent
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.workflow import Context, InputRequiredEvent

from halo_core.doctor import Cover, find_guard, list_originals
from halo_core.drill import CannotPlant, Desk, FunctionStubs, Step, ToolFacts, Turn
from halo_core.drill.stubs import find_problem, list_subclasses
from halo_core.drill.tools import describe_tool
from halo_core.enforcement.stand_ins import find_original
from halo_core.object_graph import get_attributes, is_a, unwrap
from halo_llamaindex._doctor import AppExaminer
from halo_llamaindex._translate import tool_schema

_CHAT_METHODS: Final = ("chat", "achat", "stream_chat", "astream_chat")
_READING_METHOD: Final = "get_tool_calls_from_response"
_MAX_WRAPPERS: Final = 20
_NOT_SCRIPTED: Final = "only agents that call functions can follow a script: `FunctionAgent`, or a team of these"


def open_drill(obj: Any, *, name: str = "") -> Driver:
    """The driver of an application.

    Args:
        obj: a `FunctionAgent` or an `AgentWorkflow`.
        name: what to call it.
    """
    return Driver(obj, name)


def _find_innermost(function: Any) -> Any:
    """The function inside decorators that keep it as `__wrapped__`."""
    for _ in range(_MAX_WRAPPERS):
        function, _extras = unwrap(function)
        function = find_original(function)
        inner = get_attributes(function).get("__wrapped__") or getattr(function, "__wrapped__", None)
        if inner is None:
            return function
        function = inner
    return function


class _Finder(AppExaminer):
    """Finds tools, and for each the tool whose body it is in and the agent that has it."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.found_tools: list[tuple[BaseTool, str, Any, Cover]] = []
        self._owners: list[str] = []
        self._agents: list[Any] = []
        self._open_ids: set[int] = set()

    def examine(self, obj: Any, where: str, cover: Cover) -> None:
        """Note a tool, then look into it."""
        if not is_a(obj, BaseTool):
            super().examine(obj, where, cover)
            return
        owner = self._owners[-1] if self._owners else ""
        self.found_tools.append((obj, owner, self._agents[-1] if self._agents else None, cover))
        agents, self._agents = self._agents, []
        self._owners.append(self.describe(obj)[2])
        super().examine(obj, where, cover)
        self._owners.pop()
        self._agents = agents

    def examine_agent_parts(self, agent: Any, where: str, cover: Cover) -> None:
        """Like the base class, with the agent noted.

        One that a tool of its own leads back to is left out there, or its tools would count as those of the body.
        """
        if id(agent) in self._open_ids:
            return
        self._agents.append(agent)
        self._open_ids.add(id(agent))
        super().examine_agent_parts(agent, where, cover)
        self._open_ids.discard(id(agent))
        self._agents.pop()


class Driver:
    """A LlamaIndex application in a drill.

    Attributes:
        tools: facts of its tools.
        code: its own code that runs beside them; agents of the framework's own kinds run none.
        problem: why it cannot be drilled.
    """

    code: Sequence[str] = ()

    def __init__(self, app: Any, name: str) -> None:
        self._app = app
        self._finder = _Finder(name)
        self._finder.examine_app(app)
        agents = get_attributes(app).get("agents")
        self._agents = list(agents.values()) if isinstance(app, AgentWorkflow) and type(agents) is dict else [app]
        self.problem = ""
        if not isinstance(app, (AgentWorkflow, BaseWorkflowAgent)):
            self.problem = f"`{name or type(app).__name__}` is no agent"
        elif not all(isinstance(agent, FunctionAgent) for agent in self._agents):
            self.problem = _NOT_SCRIPTED
        self._bodies: dict[int, tuple[types.FunctionType, list[str]]] = {}
        self.tools: Sequence[ToolFacts] = [*self._describe_tools()]
        if not self.problem and not self.tools:
            self.problem = f"`{name}` has no tools"

    # what there is

    def _describe_tools(self) -> Iterator[ToolFacts]:
        seen: set[tuple[str, str]] = set()
        for tool, owner, agent, cover in self._finder.found_tools:
            name = tool.metadata.get_name()
            if (name, owner) in seen:
                continue
            seen.add((name, owner))
            guard = self._finder.find_intact_guard(tool)
            yield describe_tool(
                name,
                guard.resource if guard is not None else None,
                tool_schema(list_originals(tool)[-1]),
                tool.metadata.description,
                is_guarded=guard is not None or cover.halo is not None,
                owner=owner,
                problem=self._find_problem(tool, name, owner, agent),
                remedy="use `halo.guard(tool)` in its place",
            )

    def _find_problem(self, tool: BaseTool, name: str, owner: str, agent: Any) -> str:
        bodies = []
        for item in list_originals(tool):
            body = _find_innermost(get_attributes(item).get("_real_fn")) if is_a(item, FunctionTool) else None
            if body is not None and not self._finder.is_ours(body):
                bodies.append(body)
        for body in bodies:
            self._bodies.setdefault(id(body), (body, []))[1].append(name)
        if not bodies:
            return "its body is no function that can be replaced"
        root = getattr(self._app, "root_agent", None) if isinstance(self._app, AgentWorkflow) else None
        if not owner and agent is not None and root is not None and getattr(agent, "name", "") != root:
            return f"agent `{getattr(agent, 'name', '')}` has it: drill that agent by itself"
        return next(filter(None, map(find_problem, bodies)), "")

    # replacing

    def install(self, stubs: FunctionStubs, desk: Desk) -> None:
        """Replace the bodies of tools, and the chat methods of all loaded LLMs."""
        desk.run_inner = self._run_inner
        self._desk = desk
        for function, names in self._bodies.values():
            if not find_problem(function):
                stubs.replace(function, partial(self._answer_tool, desk, names, function))
        for kind in list_subclasses(BaseLLM):
            for name in (*_CHAT_METHODS, _READING_METHOD):
                method = _find_innermost(kind.__dict__.get(name))
                if is_a(method, types.FunctionType) and not self._finder.is_ours(method) and not find_problem(method):
                    answer = _read_calls if name == _READING_METHOD else partial(_answer_model, desk, name)
                    stubs.replace(method, answer)

    def _answer_tool(
        self, desk: Desk, names: Sequence[str], function: types.FunctionType, arguments: Mapping[str, Any]
    ) -> Any:
        plain = {key: value for key, value in arguments.items() if key not in {"self", "ctx"}}
        answer = desk.take_tool_call(names, plain)
        is_sync = not asyncio.iscoroutinefunction(function)
        return asyncio.run(answer) if is_sync and asyncio.iscoroutine(answer) else answer

    # running

    def expand(self, steps: Sequence[Step]) -> Sequence[Step | None]:
        """The steps as they are: the agent's model takes them, and the body of each tool is replaced."""
        return steps

    def run_turn(self, turn: Turn) -> None:
        """Run the agent or team once, in a new context."""
        asyncio.run(self._run(self._app, turn))

    def run_hosted(self, turn: Turn, fields: Mapping[str, Any]) -> None:
        """Call a guarded LLM of an agent with more fields."""
        held: list[Any] = [get_attributes(agent).get("llm") for agent in self._agents]
        models = [model for model in held if find_guard(model) is not None]
        if not models:
            raise CannotPlant(
                "no LLM is guarded by itself, and an agent takes no fields of a request; to test it, build the agent "
                "with the guarded LLM: `FunctionAgent(llm=halo.guard(llm), ...)`"
            )
        models[0].chat([ChatMessage(role="user", content=turn.user)], **fields)

    async def _run(self, agent: Any, turn: Turn) -> str:
        more: dict[str, Any] = {}
        if turn.history:
            more["chat_history"] = [ChatMessage(role=role, content=text) for role, text in turn.history]
        run = agent.run(user_msg=turn.user, ctx=Context(agent), **more)
        async for event in run.stream_events():
            if isinstance(event, InputRequiredEvent):  # a person is asked: the drill has none
                with suppress(Exception):
                    await run.cancel_run()
                return ""
        return str(await run)

    async def _run_inner(self, owner: str, step: Step) -> Any:
        """Make the call inside a tool's body: through the agent that it holds, else directly."""
        for tool, held_by, agent, _ in self._finder.found_tools:
            if tool.metadata.get_name() != step.tool or held_by != owner:
                continue
            with self._desk.follow([step]) as script:
                if agent is not None:
                    return await self._run(agent, Turn("Do it.", (step,)))
                script.take_step()
                call = getattr(tool, "acall", None) or tool
                result = call(**step.arguments)
                return str(await result if hasattr(result, "__await__") else result)
        raise CannotPlant(f"`{step.tool}` is not in the body of `{owner}`")


class _Stream:
    """Answers in one piece, for readers with or without an event loop."""

    def __init__(self, items: Sequence[Any]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self._items:
            yield item


def _answer_model(desk: Desk, method: str, _arguments: Mapping[str, Any]) -> Any:
    """An LLM's answer, in the form of one of its methods."""
    step = desk.take_model_request()
    text = "I will do that." if step is not None else "Done."
    blocks: list[Any] = [TextBlock(text=text)]
    if step is not None:
        blocks.append(
            ToolCallBlock(tool_call_id=f"call-{uuid4()}", tool_name=step.tool, tool_kwargs=dict(step.arguments))
        )
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks, additional_kwargs={"id": f"drill-{uuid4()}"})
    response = ChatResponse(message=message, delta=text)
    return _Stream([response]) if "stream" in method else response


def _read_calls(arguments: Mapping[str, Any]) -> list[ToolSelection]:
    """The calls in an answer of `_answer_model`."""
    message = arguments["response"].message
    return [
        ToolSelection(
            tool_id=block.tool_call_id or block.tool_name,
            tool_name=block.tool_name,
            tool_kwargs=block.tool_kwargs if isinstance(block.tool_kwargs, dict) else {},
        )
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]
