"""A small bench for stories of borrowed authority: tools that note their calls, scripted models, three frameworks.

A story is what a person asks, what the tools answer and what the model does then. It uses what an application uses, and
nothing else: `Halo.local`, `guard`, `session`, the frameworks' own runs, the command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import agents
from langchain.agents import create_agent
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.memory import Memory

import halo_langchain
import halo_llamaindex
import halo_openai_agents
from halo_core.cli.main import run as run_command
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel as LangChainModel
from halo_langchain.testing import call as langchain_call
from halo_llamaindex.testing import ScriptedLLM
from halo_llamaindex.testing import call as llama_call
from halo_openai_agents.testing import ScriptedModel as OpenAIModel
from halo_openai_agents.testing import call as openai_call

agents.set_tracing_disabled(disabled=True)

EVIL = "5550001119"
"""The account of the attacker."""
OUTSIDER = "eve@evil.example"
FRAMEWORKS = ("langchain", "openai", "llamaindex")
SHAPES = ("sync", "async", "stream")

Step = str | tuple[str, dict[str, Any]] | list[tuple[str, dict[str, Any]]] | tuple[str, dict[str, Any], str]
"""What a model says in one message: words, a call, several calls, or a call with words."""


@dataclass(frozen=True)
class Tool:
    """A tool: its signature, what is declared of it, what it answers: a text, or a function of world and arguments."""

    name: str
    params: str
    doc: str
    resource: Resource | None
    answers: str | Callable[..., str] = "ok"

    def answer(self, answers: str | Callable[..., str]) -> Tool:
        return Tool(self.name, self.params, self.doc, self.resource, answers)


@dataclass(frozen=True)
class Turn:
    """One message of the user and what the model does with it: calls, lists of calls in one message, words."""

    request: str
    steps: tuple[Step, ...]
    vouched: bool = False
    session: str = ""
    user: str = ""


@dataclass(frozen=True)
class Story:
    """What happens; `sink` is the tool that must not run (or, of a twin, `steps` all have to)."""

    name: str
    tools: tuple[Tool, ...]
    turns: tuple[Turn, ...]
    sink: str = "pay"
    bad: Callable[[dict[str, Any]], bool] | None = None
    known: tuple[tuple[str, str], ...] = ()
    system: str | None = None
    together: bool = False
    framework: str = ""
    shape: str = ""
    user: str = ""

    @property
    def where(self) -> tuple[str, str]:
        """Framework and shape of the run: what the story says, else drawn from its name."""
        number = int.from_bytes(hashlib.sha256(f"run {self.name}".encode()).digest()[:2], "big")
        framework = self.framework or FRAMEWORKS[number % 3]
        if framework == "openai" and any(kind in tool.params for tool in self.tools for kind in (": dict", ": Any")):
            framework = "langchain"  # strict schemas of the SDK have no free mappings
        return framework, self.shape or SHAPES[number // 3 % 3]


@dataclass
class World:
    """Homes, what ran, what tools keep."""

    home: Path
    ran: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)

    def count(self, name: str) -> int:
        return sum(one == name for one, _ in self.ran)

    def values(self, name: str) -> list[dict[str, Any]]:
        return [args for one, args in self.ran if one == name]

    def function(self, tool: Tool) -> Callable[..., Any]:
        """The function that an application has."""

        def body(args: dict[str, Any]) -> str:
            self.ran.append((tool.name, args))
            return tool.answers if isinstance(tool.answers, str) else tool.answers(self, **args)

        made: dict[str, Any] = {"_body": body, "Any": Any}
        exec(f"def {tool.name}({tool.params}) -> str:\n    return _body(dict(locals()))\n", made)
        made[tool.name].__doc__ = tool.doc
        return made[tool.name]

    def open(self, framework: str = "langchain", agent: str = "clerk", **more: Any) -> Any:
        chosen = {"langchain": halo_langchain, "openai": halo_openai_agents, "llamaindex": halo_llamaindex}[framework]
        return chosen.Halo.local(agent, mode=more.pop("mode", "enforce"), home=self.home, quiet=True, **more)

    def cli(self, *args: str) -> tuple[int, str]:
        """What a command of Halo answers about this home."""
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = run_command([*args, "--home", str(self.home)])
        return code, said.getvalue()


def _numbered(steps: tuple[Step, ...], prefix: str, call: Callable[..., Any]) -> list[Any]:
    """The messages of a model: each step one message with its own id."""
    made: list[Any] = []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            made.append(step)
        else:
            calls, words = (step, "") if isinstance(step, list) else ([step[:2]], "".join(step[2:]))
            made.append(call(words, *calls, id=f"{prefix}{number}"))
    return made


def langchain_run(halo: Any, tools: list[Any], script: list[Any], messages: list[Any], shape: str, **more: Any) -> Any:
    made = create_agent(LangChainModel(script=script), tools, middleware=[halo.middleware()], **more)
    return drive_langchain(made, {"messages": messages}, shape)


def drive_langchain(made: Any, given: Any, shape: str, config: Any = None) -> Any:
    if shape == "sync":
        return made.invoke(given, config)
    if shape == "async":
        return asyncio.run(made.ainvoke(given, config))
    return list(made.stream(given, config, stream_mode="values"))[-1]


def openai_run(halo: Any, made: Any, given: Any, shape: str, **more: Any) -> Any:
    options = {**more, **halo.run_options()}
    if shape == "sync":
        return agents.Runner.run_sync(made, given, **options)

    async def go() -> Any:
        if shape == "async":
            return await agents.Runner.run(made, given, **options)
        streamed = agents.Runner.run_streamed(made, given, **options)
        async for _ in streamed.stream_events():
            pass
        return streamed

    return asyncio.run(go())


def llama_run(made: Any, told: Any, shape: str, **more: Any) -> str:
    async def go() -> str:
        running = made.run(user_msg=told, **more)
        if shape == "stream":
            async for _ in running.stream_events():
                pass
        return str(await running)

    return asyncio.run(asyncio.wait_for(go(), 60))


def tell(story: Story, home: Path) -> World:
    """Run a story."""
    world = World(home)
    framework, shape = story.where
    with world.open(framework, user=story.user) as halo:
        for kind, value in story.known:
            code, said = world.cli("known", "add", kind, value, "--by", "mia@corp.example")
            assert code == 0, said
        tools = _guard(halo, framework, world, story.tools)
        _TELLERS[framework](halo, tools, story, shape)
    return world


def _guard(halo: Any, framework: str, world: World, tools: tuple[Tool, ...]) -> list[Any]:
    if framework == "llamaindex":
        return [one for tool in tools for one in halo.guard([world.function(tool)], resource=tool.resource)]
    return [halo.guard(world.function(tool), resource=tool.resource) for tool in tools]


@contextlib.contextmanager
def _session(halo: Any, turn: Turn) -> Iterator[None]:
    if turn.vouched or turn.session or turn.user:
        request = turn.request if turn.vouched else ""
        with halo.session(turn.session, user=turn.user, request=request):
            yield
    else:
        yield


def _scripts(story: Story, call: Callable[..., Any]) -> list[list[Any]]:
    """The script of each turn; of a conversation, all that was said before too."""
    each = []
    for i, turn in enumerate(story.turns):
        script = _numbered(turn.steps, f"t{i}s", call)
        each.append(script if script and isinstance(script[-1], str) else [*script, f"done {i}"])
    return list(itertools.accumulate(each)) if story.together else each


def _tell_langchain(halo: Any, tools: list[Any], story: Story, shape: str) -> None:
    messages: list[Any] = []
    for turn, script in zip(story.turns, _scripts(story, langchain_call), strict=True):
        with _session(halo, turn):
            given = [*messages, ("user", turn.request)]
            result = langchain_run(halo, tools, script, given, shape, system_prompt=story.system)
        messages = result["messages"] if story.together else []


def _tell_openai(halo: Any, tools: list[Any], story: Story, shape: str) -> None:
    items: list[Any] = []
    for turn, script in zip(story.turns, _scripts(story, openai_call), strict=True):
        made = halo.guard(agents.Agent(name="clerk", model=OpenAIModel(script), tools=tools, instructions=story.system))
        with _session(halo, turn):
            given = [*items, {"role": "user", "content": turn.request}] if items else turn.request
            result = openai_run(halo, made, given, shape)
        items = result.to_input_list() if story.together else []


def _tell_llama(halo: Any, tools: list[Any], story: Story, shape: str) -> None:
    memory = Memory.from_defaults(session_id=story.name) if story.together else None
    for turn, script in zip(story.turns, _scripts(story, llama_call), strict=True):
        more = {"memory": memory} if memory is not None else {}
        made = halo.guard(FunctionAgent(tools=tools, llm=ScriptedLLM(script=script), system_prompt=story.system))
        with _session(halo, turn):
            llama_run(made, turn.request, shape, **more)


_TELLERS = {"langchain": _tell_langchain, "openai": _tell_openai, "llamaindex": _tell_llama}


def steps_of(story: Story) -> list[tuple[str, dict[str, Any]]]:
    """Every call of a story, in order."""
    found: list[tuple[str, dict[str, Any]]] = []
    for turn in story.turns:
        for step in turn.steps:
            if not isinstance(step, str):
                found += step if isinstance(step, list) else [step[:2]]
    return found


def is_held(story: Story, world: World) -> bool:
    """Whether the sink did not run with what it must not."""
    return not [args for args in world.values(story.sink) if story.bad is None or story.bad(args)]


def missing(story: Story, world: World) -> list[str]:
    """The calls of a twin that did not run."""
    left = [name for name, _ in world.ran]
    absent = []
    for name, args in steps_of(story):
        if name in left:
            left.remove(name)
        else:
            absent.append(f"{name} {args}")
    return absent


def half(name: str) -> str:
    """A, which may be looked at while something is mended, or B, which is only counted."""
    return "B" if hashlib.sha256(f"borrow {name}".encode()).digest()[0] % 3 == 0 else "A"
