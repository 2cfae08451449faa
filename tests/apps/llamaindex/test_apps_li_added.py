"""What an application adds to its objects after the guard: decided, or refused when enforced and named when observed.

Real applications go on building: a plugin appends a tool, a start-up hook an agent to a team, a test a retriever to an
engine. What ran by its own counters is in the log as decided.
"""

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from counting import Actions, count_decided, declare, list_undecided
from li_app_parts import CountedShelf, answering, open_halo, scripted
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.chat_engine import ContextChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.objects import ObjectRetriever
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import RetrieverQueryEngine, RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.selectors import LLMSingleSelector
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow, step

from halo_llamaindex import Resource
from halo_llamaindex.testing import call

LIBRARY = Resource(id="library", impact="read", source_trust=900)
LATE = ("late_tool", {"q": "rain"})
Built = tuple[Any, Callable[[Any], Any], dict[str, Any]]
"""What is guarded, what is done to its guarded copy, and further options of the guard."""


class Shelf(CountedShelf):
    """One source."""


class LateShelf(CountedShelf):
    """Another."""


def make_tool(actions: Actions, name: str = "late_tool") -> FunctionTool:
    def late(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", name)
        return f"about {q}"

    return FunctionTool.from_defaults(late, name=name)


def asking(actions: Actions, *calls: Any, name: str = "agent-model") -> Any:
    return scripted(actions, call("go", *(calls or (LATE,)), id=f"{name}-1"), "wet", name=name)


def asking_late(actions: Actions) -> Any:
    """A model that is asked when others have spoken: its place in the script counts their messages."""
    return scripted(actions, "", call("go", LATE, id="late-1"), "wet", name="late-model")


def a_tool_of_an_agent(actions: Actions) -> Built:
    agent = FunctionAgent(tools=[make_tool(actions, "look")], llm=asking(actions))
    return agent, lambda guarded: guarded.tools.append(make_tool(actions)), {}


def a_tool_of_an_agent_in_a_team(actions: Actions) -> Built:
    first = FunctionAgent(name="first", description="First.", tools=[make_tool(actions, "look")], llm=asking(actions))
    second = FunctionAgent(name="second", description="Second.", tools=[], llm=scripted(actions, "hi", name="m2"))
    team = AgentWorkflow(agents=[first, second], root_agent="first")
    return team, lambda guarded: guarded.agents["first"].tools.append(make_tool(actions)), {}


def make_team(actions: Actions, receiver: str) -> AgentWorkflow:
    goes = call("over", ("handoff", {"to_agent": receiver, "reason": "rain"}), id="f1")
    first = FunctionAgent(name="first", description="First.", llm=scripted(actions, goes, name="first-model"))
    second = FunctionAgent(name="second", description="Second.", llm=scripted(actions, "hi", name="m2"))
    return AgentWorkflow(agents=[first, second], root_agent="first")


def an_agent_of_a_team(actions: Actions) -> Built:
    team = make_team(actions, "late")

    def add(guarded: Any) -> None:
        guarded.agents["late"] = FunctionAgent(
            name="late", description="Late.", tools=[make_tool(actions)], llm=asking_late(actions)
        )

    return team, add, {}


def an_agent_in_place_of_another(actions: Actions) -> Built:
    team = make_team(actions, "second")

    def add(guarded: Any) -> None:
        guarded.agents["second"] = FunctionAgent(
            name="second", description="Late.", tools=[make_tool(actions)], llm=asking_late(actions)
        )

    return team, add, {}


def a_retriever_of_tools(actions: Actions) -> Built:
    class Tools(ObjectRetriever[Any]):
        """Finds the late tool."""

        def __init__(self) -> None: ...

        def retrieve(self, _words: Any) -> Any:
            return [make_tool(actions)]

        async def aretrieve(self, _words: Any) -> Any:
            return [make_tool(actions)]

    agent = ReActAgent(
        tools=[make_tool(actions, "look")],
        llm=scripted(
            actions,
            'Thought: I need it.\nAction: late_tool\nAction Input: {"q": "rain"}',
            "Thought: I can answer.\nAnswer: wet",
            name="agent-model",
        ),
    )

    def add(guarded: Any) -> None:
        guarded.__dict__["tool_retriever"] = Tools()

    return agent, add, {}


def a_model_of_an_agent(actions: Actions) -> Built:
    agent = FunctionAgent(tools=[], llm=scripted(actions, "hi", name="m"))

    def add(guarded: Any) -> None:
        guarded.llm = scripted(actions, "wet", name="late-model")

    return agent, add, {}


def a_step_of_a_workflow(actions: Actions) -> Built:
    late, shelf, says = make_tool(actions), LateShelf(actions, "wet", name="LateShelf"), answering(actions, name="late")

    class Flow(Workflow):
        """Does what it is told to."""

        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str(await self.act()))

        async def act(self) -> str:
            return "nothing"

    async def act() -> str:
        await late.acall(q="rain")
        await shelf.aretrieve("rain")
        return str(await says.achat([ChatMessage("rain?")]))

    def add(guarded: Any) -> None:
        guarded.act = act

    return Flow(timeout=60), add, {}


class Later(Event):
    """Works on in a step that is added later."""


def a_step_beside_the_class(actions: Actions) -> Built:
    late = make_tool(actions)

    class Flow(Workflow):
        """One of its steps is registered with the class later."""

        @step
        async def begin(self, ev: StartEvent) -> Later | StopEvent:
            return Later()

    def add(guarded: Any) -> None:
        @step(workflow=Flow)
        async def go_on(ev: Later) -> StopEvent:
            return StopEvent(result=str(await late.acall(q="rain")))

    return Flow(timeout=60), add, {}


def a_step_that_was_beside_the_class_before(actions: Actions) -> Built:
    app, add, options = a_step_beside_the_class(actions)
    add(app)
    return app, lambda _guarded: None, options


def a_step_of_the_guarded_class(actions: Actions) -> Built:
    late = make_tool(actions)

    class Flow(Workflow):
        """One of its steps is registered with the class of the copy."""

        @step
        async def begin(self, ev: StartEvent) -> Later | StopEvent:
            return Later()

    def add(guarded: Any) -> None:
        @step(workflow=type(guarded))
        async def go_on(ev: Later) -> StopEvent:
            return StopEvent(result=str(await late.acall(q="rain")))

    return Flow(timeout=60), add, {}


# engines


def make_engine(actions: Actions, shelf: Any, **more: Any) -> Any:
    return RetrieverQueryEngine.from_args(shelf, llm=answering(actions, name="reader"), **more)


def a_retriever_of_an_engine(actions: Actions) -> Built:
    def add(guarded: Any) -> None:
        guarded._retriever = LateShelf(actions, "wet", name="library/LateShelf")

    return make_engine(actions, Shelf(actions, "dry", name="library/Shelf")), add, {"resource": LIBRARY}


def a_postprocessor_of_an_engine(actions: Actions) -> Built:
    def add(guarded: Any) -> None:
        late = answering(actions, {"relevance": "Doc: 1, Relevance: 9"}, name="late-model")
        guarded._node_postprocessors.append(LLMRerank(llm=late, top_n=1))

    return make_engine(actions, Shelf(actions, "dry", name="library")), add, {"resource": LIBRARY}


def a_model_of_an_engine(actions: Actions) -> Built:
    def add(guarded: Any) -> None:
        guarded._response_synthesizer._llm = answering(actions, name="late-model")

    return make_engine(actions, Shelf(actions, "dry", name="library")), add, {"resource": LIBRARY}


def a_retriever_of_a_fusion(actions: Actions) -> Built:
    shelf = Shelf(actions, "dry", name="library/Shelf")
    fusion = QueryFusionRetriever([shelf], llm=answering(actions, name="writer"), num_queries=1, use_async=False)
    actions.note("retrieval", "library")  # the fused one, whose body is the framework's

    def add(guarded: Any) -> None:
        guarded._retriever._retrievers.append(LateShelf(actions, "wet", name="library/LateShelf"))
        guarded._retriever._retriever_weights = [0.5, 0.5]

    return make_engine(actions, fusion), add, {"resource": LIBRARY}


def an_engine_of_a_router(actions: Actions) -> Built:
    router = RouterQueryEngine(
        LLMSingleSelector.from_defaults(
            llm=answering(actions, {"choice": '[{"choice": 1, "reason": "only"}]'}, name="selector")
        ),
        [
            QueryEngineTool.from_defaults(
                make_engine(actions, Shelf(actions, "dry", name="library/Shelf")), description="a"
            )
        ],
        llm=answering(actions, name="reader"),
    )

    def add(guarded: Any) -> None:
        guarded._query_engines[0] = make_engine(actions, LateShelf(actions, "wet", name="library/LateShelf"))

    return router, add, {"resource": LIBRARY}


def an_engine_of_questions(actions: Actions) -> Built:
    asks = '[{"sub_question": "what is rain?", "tool_name": "docs"}]'
    tool = QueryEngineTool.from_defaults(
        make_engine(actions, Shelf(actions, "dry", name="library/Shelf")), name="docs", description="Docs."
    )
    engine = SubQuestionQueryEngine.from_defaults(
        [tool],
        llm=answering(actions, name="reader"),
        question_gen=LLMQuestionGenerator.from_defaults(answering(actions, {"sub_question": asks}, name="asker")),
        use_async=False,
    )

    def add(guarded: Any) -> None:
        guarded._query_engines["docs"] = make_engine(actions, LateShelf(actions, "wet", name="library/LateShelf"))

    return engine, add, {"resource": LIBRARY}


def a_retriever_of_a_chat_engine(actions: Actions) -> Built:
    chat = ContextChatEngine.from_defaults(
        Shelf(actions, "dry", name="library/Shelf"),
        llm=answering(actions, name="reader"),
        memory=ChatMemoryBuffer.from_defaults(token_limit=1000),
    )

    def add(guarded: Any) -> None:
        guarded._retriever = LateShelf(actions, "wet", name="library/LateShelf")

    return chat, add, {"resource": LIBRARY}


RUNS = [
    a_tool_of_an_agent,
    a_tool_of_an_agent_in_a_team,
    an_agent_of_a_team,
    an_agent_in_place_of_another,
    a_retriever_of_tools,
    a_model_of_an_agent,
    a_step_of_a_workflow,
    a_step_beside_the_class,
    a_step_that_was_beside_the_class_before,
    a_step_of_the_guarded_class,
]
ENGINES = [
    a_retriever_of_an_engine,
    a_postprocessor_of_an_engine,
    a_model_of_an_engine,
    a_retriever_of_a_fusion,
    an_engine_of_a_router,
    an_engine_of_questions,
    a_retriever_of_a_chat_engine,
]


def ask(guarded: Any, *, awaited: bool) -> Any:
    names = ("achat", "chat") if hasattr(guarded, "chat") else ("aquery", "query")
    return asyncio.run(getattr(guarded, names[0])("rain?")) if awaited else getattr(guarded, names[1])("rain?")


async def run(guarded: Any) -> Any:
    return await asyncio.wait_for(_run(guarded), 60)


async def _run(guarded: Any) -> Any:
    return await guarded.run(user_msg="rain?")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize(
    ("build", "awaited"), [*((item, True) for item in RUNS), *itertools.product(ENGINES, (True, False))]
)
def test_what_is_added_later_is_decided(tmp_path, build, awaited, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}")
    with open_halo(home, mode) as halo:
        app, add, options = build(actions)
        guarded = halo.guard(app, **options)
        add(guarded)
        if build in RUNS:
            asyncio.run(run(guarded))
        else:
            ask(guarded, awaited=awaited)
    kinds = ("inference", "retrieval", "tool_call")
    undecided = actions.count(*kinds) - count_decided(home, *kinds)
    assert undecided == {}
    if mode == "observe":
        agents = (an_agent_of_a_team, an_agent_in_place_of_another)
        assert ("late_tool" in actions.names()) >= (build in agents)
        assert any("late" in name.lower() for _, name in actions.count())
        assert list_undecided(home) == []
