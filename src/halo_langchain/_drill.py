"""`halo drill` for LangChain: finds the tools and models of an application, replaces their bodies, and runs its graph.

It finds them as `halo doctor` does. A body is replaced at the innermost function that the tool holds, and a model at
the methods of its class by which every call reaches the provider.
"""

from __future__ import annotations

import asyncio
import json
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel
from langgraph.pregel.remote import RemoteGraph
from langgraph.store.memory import InMemoryStore

from halo_core.doctor import Cover, FindingKind, find_guard, list_originals
from halo_core.drill import CannotPlant, Desk, FunctionStubs, Step, ToolFacts, Turn
from halo_core.drill.stubs import find_problem, list_subclasses
from halo_core.drill.tools import describe_tool
from halo_core.enforcement.stand_ins import find_original
from halo_core.object_graph import get_attributes, get_module_name, is_a, unwrap
from halo_langchain._decision_models import DECISION_MODELS
from halo_langchain._doctor import AppExaminer, find_handoff_target
from halo_langchain._remote_graphs import find_remote_name
from halo_langchain._translate import tool_schema

try:
    from langchain_core import decisions
except ImportError:  # an older LangChain, which calls nothing that needs it
    decisions = None  # type: ignore[assignment]

_FUNCTION_FIELDS: Final = ("func", "coroutine")
_BODY_METHODS: Final = ("_run", "_arun")
_MODEL_METHODS: Final = ("_generate", "_agenerate", "_stream", "_astream")
_DECISION_METHODS: Final = ("_classify", "_aclassify")
_REMOTE_METHODS: Final = ("stream", "astream")
_REMOTE_PROBLEM: Final = "it runs on a server: drill the graph that is deployed there"
_MAX_STEPS: Final = 60


def open_drill(obj: Any, *, name: str = "") -> Driver:
    """The driver of an application.

    Args:
        obj: a graph, such as `create_agent` makes.
        name: what to call it.
    """
    return Driver(obj, name)


@dataclass(frozen=True, slots=True, eq=False)
class _FoundTool:
    """A tool, the tool whose body it is in, the graphs around it there, and its cover."""

    tool: BaseTool
    owner: str
    graphs: tuple[Any, ...]
    cover: Cover


class _Finder(AppExaminer):
    """Finds tools and models, and for each the tool whose body it is in."""

    def __init__(self, name: str = "") -> None:
        super().__init__(name)
        self.found_tools: list[_FoundTool] = []
        self.found_models: list[BaseChatModel] = []
        self.found_remotes: list[RemoteGraph] = []
        self.found_graphs: list[Pregel[Any, Any, Any, Any]] = []
        self.code: list[str] = []
        self._owners: list[str] = []
        self._graphs: list[Any] = []
        self._open_ids: set[int] = set()

    def examine(self, obj: Any, where: str, cover: Cover) -> None:
        """Note a tool or a model, then look into it.

        A graph that a tool of its own leads back to is left out there, or its tools would count as those of the body.
        """
        if id(obj) in self._open_ids:
            return
        if is_a(obj, BaseTool):
            owner = self._owners[-1] if self._owners else ""
            self.found_tools.append(_FoundTool(obj, owner, tuple(self._graphs), cover))
            graphs, self._graphs = self._graphs, []
            self._owners.append(self.describe(obj)[2])
            super().examine(obj, where, cover)
            self._owners.pop()
            self._graphs = graphs
            return
        if is_a(obj, Pregel):
            self.found_graphs.append(obj)
            self._note_nodes(obj)
            self._graphs.append(obj)
            self._open_ids.add(id(obj))
            super().examine(obj, where, cover)
            self._open_ids.discard(id(obj))
            self._graphs.pop()
            return
        if is_a(obj, BaseChatModel):
            self.found_models.append(obj)
        elif is_a(obj, RemoteGraph):
            self.found_remotes.append(obj)
        elif is_a(obj, AgentMiddleware) and not self._owners and self.explorer.is_app_module(get_module_name(obj)):
            self.code.append(f"middleware `{type(obj).__name__}`")
        super().examine(obj, where, cover)

    def _note_nodes(self, graph: Any) -> None:
        """Note nodes that run functions of the application."""
        if self._owners:
            return
        for name, node in (get_attributes(graph).get("nodes") or {}).items():
            function = get_attributes(get_attributes(node).get("bound")).get("func")
            inner, _ = unwrap(function)
            if is_a(inner, types.FunctionType) and self.explorer.is_app_module(get_module_name(inner)):
                self.code.append(f"node `{name}`")


class Driver:
    """A LangChain application in a drill.

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
        self.problem = "" if isinstance(app, Pregel) else f"`{name or type(app).__name__}` is no graph"
        self._tools: dict[str, BaseTool] = {}
        self._bodies: dict[int, tuple[types.FunctionType, list[str]]] = {}
        self.tools: Sequence[ToolFacts] = [*self._describe_tools()]
        if not self.problem and not self.tools:
            self.problem = f"`{name}` has no tools"

    # what there is

    def _describe_tools(self) -> Iterator[ToolFacts]:
        seen: set[tuple[str, str]] = set()
        for item in self._finder.found_tools:
            tool, owner, cover = item.tool, item.owner, item.cover
            if find_handoff_target(tool) or (tool.name, owner) in seen:
                continue
            seen.add((tool.name, owner))
            guard = self._finder.find_intact_guard(tool)
            functions = self._list_bodies(tool)
            problem = next(filter(None, map(find_problem, functions)), "") if functions else "its body was not found"
            if not problem and not owner and len(item.graphs) > 1:
                problem = f"agent `{item.graphs[-1].name}` has it: drill that agent by itself"
            for function in functions:
                self._bodies.setdefault(id(function), (function, []))[1].append(tool.name)
            self._tools.setdefault(tool.name, tool)
            yield describe_tool(
                tool.name,
                guard.resource if guard is not None else None,
                tool_schema(list_originals(tool)[-1]),
                tool.description,
                is_guarded=guard is not None or FindingKind.TOOL in cover.kinds,
                owner=owner,
                problem=problem,
                remedy=self._finder.remedies[FindingKind.TOOL],
            )
        for name in dict.fromkeys(map(find_remote_name, self._finder.found_remotes)):
            if (name, "") not in seen:
                yield describe_tool(name, None, {}, is_guarded=True, problem=_REMOTE_PROBLEM)

    def _list_bodies(self, tool: BaseTool) -> list[types.FunctionType]:
        """The innermost functions of a tool and its originals, without the guard's and the framework's own."""
        bodies: list[Any] = []
        for item in list_originals(tool):
            attributes = get_attributes(item)
            fields = [attributes[name] for name in _FUNCTION_FIELDS if attributes.get(name) is not None]
            bodies += [unwrap(field)[0] for field in fields]
            base = StructuredTool if is_a(item, StructuredTool) else Tool if is_a(item, Tool) else BaseTool
            for name in _BODY_METHODS:
                method = getattr(type(item), name)
                if method is not getattr(base, name):
                    bodies.append(unwrap(find_original(method))[0])
        return list({id(body): body for body in bodies if not self._finder.is_ours(body)}.values())

    # replacing

    def install(self, stubs: FunctionStubs, desk: Desk) -> None:
        """Replace bodies of tools, methods of models, and stores of conversations."""
        desk.run_inner = self._run_inner
        self._desk = desk
        for function, names in self._bodies.values():
            if not find_problem(function):
                stubs.replace(function, partial(self._answer_tool, desk, names))
        for kind in list_subclasses(BaseChatModel):
            self._replace_methods(stubs, kind, _MODEL_METHODS, partial(_answer_model, desk))
        for base in DECISION_MODELS:
            for kind in list_subclasses(base):
                self._replace_methods(stubs, kind, _DECISION_METHODS, _classify)
        self._replace_methods(stubs, RemoteGraph, _REMOTE_METHODS, _answer_remote_graph)
        for graph in self._finder.found_graphs:
            # What keeps conversations may be a database of the application's.
            for holder in list_originals(graph):
                if holder.checkpointer not in {None, True, False}:
                    holder.checkpointer = InMemorySaver()
                if holder.store is not None:
                    holder.store = InMemoryStore()

    def _replace_methods(
        self, stubs: FunctionStubs, kind: type[Any], names: Sequence[str], answer: Callable[[str, Any], Any]
    ) -> None:
        """Replace methods of a class by a function that takes the method's name and the arguments."""
        for name in names:
            function, _ = unwrap(find_original(kind.__dict__.get(name)))
            if is_a(function, types.FunctionType) and not self._finder.is_ours(function):
                stubs.replace(function, partial(answer, name))

    def _answer_tool(self, desk: Desk, names: Sequence[str], arguments: Mapping[str, Any]) -> Any:
        plain = {key: value for key, value in arguments.items() if key not in {"self", "run_manager", "config"}}
        answer = desk.take_tool_call(names, plain)
        has_artifact = getattr(self._tools.get(names[0]), "response_format", "") == "content_and_artifact"
        return (answer, None) if has_artifact else answer

    # running

    def expand(self, steps: Sequence[Step]) -> Sequence[Step | None]:
        """The steps as they are: the agent's model takes them, and the body of each tool is replaced."""
        return steps

    def run_turn(self, turn: Turn) -> None:
        """Run the graph once, in a new thread."""
        messages = [*turn.history, ("user", turn.user)]
        config: Any = {"configurable": {"thread_id": f"drill-{uuid4()}"}, "recursion_limit": _MAX_STEPS}
        if any(_is_only_awaited(item.tool) for item in self._finder.found_tools):
            asyncio.run(self._app.ainvoke({"messages": messages}, config))
        else:
            self._app.invoke({"messages": messages}, config)

    def run_hosted(self, turn: Turn, fields: Mapping[str, Any]) -> None:
        """Call a guarded model with more fields."""
        guarded = [item for item in self._finder.found_models if find_guard(item) is not None]
        if not guarded:
            raise CannotPlant(
                "no model is guarded by itself, and a middleware takes no fields of a request; to test it, build the "
                "agent with the guarded model: `create_agent(halo.guard(model), ...)`"
            )
        guarded[0].bind(**fields).invoke([("user", turn.user)])

    def _run_inner(self, owner: str, step: Step) -> Any:
        """Make the call inside a tool's body: of a tool that it holds, through the framework's own entry point."""
        for item in self._finder.found_tools:
            if item.tool.name == step.tool and item.owner == owner:
                with self._desk.follow([step]) as script:
                    if item.graphs:
                        state = item.graphs[0].invoke({"messages": [("user", "Do it.")]})
                        return str(state["messages"][-1].content)
                    script.take_step()
                    return _call_inner_tool(item.tool, dict(step.arguments))
        raise CannotPlant(f"`{step.tool}` is not in the body of `{owner}`")


def _is_only_awaited(tool: BaseTool) -> bool:
    """Whether a tool has no other way to run, as those of MCP servers."""
    fields = get_attributes(tool)
    return fields.get("coroutine") is not None and fields.get("func") is None


def _call_inner_tool(tool: BaseTool, arguments: dict[str, Any]) -> Any:
    if not _is_only_awaited(tool):
        return tool.invoke(arguments)
    # The body at hand may run in an event loop, which waits for it.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(copy_context().run, asyncio.run, tool.ainvoke(arguments)).result()


def _answer_model(desk: Desk, method: str, _arguments: Mapping[str, Any]) -> Any:
    """A model's answer, in the form of one of its methods."""
    step = desk.take_model_request()
    calls: list[Any] = []
    if step is not None:
        calls = [{"name": step.tool, "args": dict(step.arguments), "id": f"call-{uuid4()}", "type": "tool_call"}]
    text = "I will do that." if calls else "Done."
    if method in {"_stream", "_astream"}:
        chunks: list[Any] = [
            {"name": item["name"], "args": json.dumps(item["args"]), "id": item["id"], "index": number}
            for number, item in enumerate(calls)
        ]
        message = AIMessageChunk(content=text, tool_call_chunks=chunks)
        return [ChatGenerationChunk(message=message)]
    return ChatResult(generations=[ChatGeneration(message=AIMessage(content=text, tool_calls=calls))])


def _classify(_method: str, arguments: Mapping[str, Any]) -> Any:
    """A decision model's answer without objections: no, the first choice, the lowest level, the whole image."""
    answers = {name: _answer_question(question) for name, question in arguments["questions"].items()}
    return decisions.ClassifierResponse.model_validate({"model": arguments["self"].model, "answers": answers})


def _answer_question(question: Any) -> dict[str, Any]:
    if question.type == "noul":
        return {"type": "noul", "noul": 0.0}
    if question.type == "choice":
        choice, *others = question.criteria
        shares = {choice: 1.0, **dict.fromkeys(others, 0.0)}
        return {"type": "choice", "choice": choice, "probabilities": shares, "confidence": 1.0}
    if question.type == "score":
        shares = {level: float(level == 0) for level in range(len(question.criteria))}
        legend = dict(enumerate(question.criteria))
        return {"type": "score", "score": 0.0, "legend": legend, "probabilities": shares, "confidence": 1.0}
    return {"type": "box", "box": {"top": 0.0, "bottom": 1.0, "left": 0.0, "right": 1.0}}


def _answer_remote_graph(_method: str, arguments: Mapping[str, Any]) -> list[Any]:
    """A remote graph's answer that it is done, in the form of the stream mode."""
    part: Any = {"messages": [{"role": "assistant", "content": "Done."}]}
    modes = arguments.get("stream_mode")
    if isinstance(modes, list):
        part = (modes[0] if modes else "values", part)
    if arguments.get("subgraphs"):
        part = ((), *part) if isinstance(part, tuple) else ((), part)
    return [part]
