"""Further shapes of LangChain applications: commands to parents, agents that route themselves, pauses, decision models.

As in `test_apps_shapes.py`: each runs as observed and enforced, guarded or under the callback alone, and what ran by
its own counters is what the log says was decided.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from app_models import Answers, model
from counting import Actions, assert_all_decided, count_questions, declare, list_refusals, list_undecided
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelRetryMiddleware,
    SummarizationMiddleware,
    ToolRetryMiddleware,
    after_model,
)
from langchain.agents.structured_output import ProviderStrategy
from langchain.tools import ToolRuntime
from langchain_core.chat_history import InMemoryChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda, RunnableParallel
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import CachePolicy, Command, RetryPolicy, Send, interrupt
from lc_app_parts import ASKED, THREAD, WAYS, Shelf, looks_once, make_look
from pydantic import BaseModel
from typing_extensions import TypedDict

from halo_langchain import Halo
from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
App = tuple[Any, Any]
"""A graph and what it is asked."""


class Topics(TypedDict):
    """Topics, and what was found of each."""

    topics: list[str]
    found: Annotated[list[str], operator.add]


def a_subgraph_that_sends_to_its_parent(actions: Actions) -> App:
    """The planner is a graph of its own; it fans out to workers that stand beside it."""
    look, planner = make_look(actions), model(actions, "rain,wind", name="planner")

    def plan(_state: Topics) -> Command[Any]:
        topics = planner.invoke("plan").text.split(",")
        return Command(graph=Command.PARENT, goto=[Send("work", {"topics": [item]}) for item in topics])

    def work(state: Topics) -> Any:
        worker = model(actions, "done", name="worker")
        return {"found": [worker.invoke(look.invoke({"q": state["topics"][0]})).text]}

    inner = StateGraph(Topics).add_node("plan", plan).add_edge(START, "plan").compile()
    graph = StateGraph(Topics).add_node("planning", inner, destinations=("work",)).add_node("work", work)
    graph.add_node("join", lambda state: {"found": [str(len(state["found"]))]}, defer=True)
    graph.add_edge(START, "planning").add_edge("work", "join")
    return graph.compile(), {"topics": [], "found": []}


def agents_that_send_each_other_on(actions: Actions) -> App:
    """Tools that name the next agent, as the documentation of hand-offs writes them, two of them in one turn."""

    def send_to(name: str) -> Any:
        @tool(f"go_to_{name}")
        def go(runtime: ToolRuntime) -> Command[Any]:
            """Let another one go on."""
            actions.note("tool_call", f"go_to_{name}")
            last = next(item for item in reversed(runtime.state["messages"]) if isinstance(item, AIMessage))
            answer = ToolMessage("over to you", tool_call_id=runtime.tool_call_id)
            return Command(goto=name, graph=Command.PARENT, update={"messages": [last, answer]})

        return go

    first = looks_once(actions, "first-model", ("go_to_second", {}))
    second = looks_once(actions, "second-model", ("look", {"q": "rain"}))
    agents = {
        "first": create_agent(first, [send_to("second")], name="first"),
        "second": create_agent(second, [make_look(actions), send_to("first")], name="second"),
    }
    graph = StateGraph(MessagesState).add_edge(START, "first")
    for name, agent in agents.items():
        graph.add_node(name, agent, destinations=tuple(agents))
    return graph.compile(), ASKED


def tools_that_read_and_write_what_runs_them(actions: Actions) -> App:
    """A tool with its runtime, one with a hidden call id that writes a command, and a node between them."""

    @tool
    def note_down(words: str, call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
        """Note something down."""
        actions.note("tool_call", "note_down")
        return Command(update={"messages": [ToolMessage(words, tool_call_id=call_id)]})

    @tool
    def ask_again(q: str, runtime: ToolRuntime) -> str:
        """Ask a cheaper model about what was said."""
        actions.note("tool_call", "ask_again")
        chain = RunnableParallel(
            one=model(actions, "wet", name="cheap"), two=RunnableLambda(lambda text: len(str(text)))
        )
        return str(chain.invoke([HumanMessage(q)], runtime.config)["two"])

    tools = [note_down, ask_again]
    calls = (("note_down", {"words": "rain"}), ("ask_again", {"q": "rain?"}))
    bound = looks_once(actions, "agent-model", *calls).bind_tools(tools)
    graph = StateGraph(MessagesState).add_node("ask", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools)).add_edge(START, "ask").add_edge("tools", "ask")
    graph.add_conditional_edges("ask", tools_condition)
    return graph.compile(), ASKED


class Weather(BaseModel):
    """An answer with a shape."""

    wet: bool


def an_answer_in_the_providers_shape(actions: Actions) -> App:
    script = call("look", ("look", {"q": "rain"}), id="m1"), '{"wet": true}'
    shaped = ProviderStrategy(schema=Weather)
    return create_agent(model(actions, *script, name="m"), [make_look(actions)], response_format=shaped), ASKED


def nodes_that_are_tried_again_and_kept(actions: Actions) -> App:
    """A node that fails at first, one whose answer is kept for the second time, and one that waits for both."""
    shelf, look, tried = Shelf(actions=actions), make_look(actions), []

    def find(_state: Topics) -> Any:
        found = shelf.invoke("rain")[0].page_content
        tried.append(found)
        if len(tried) == 1:
            raise ConnectionError("later")
        return {"found": [found]}

    def weigh(_state: Topics) -> Any:
        return {"found": [look.invoke({"q": "wind"})]}

    graph = StateGraph(Topics)
    graph.add_node("find", find, retry_policy=RetryPolicy(initial_interval=0.01, jitter=False))
    graph.add_node("weigh", weigh, cache_policy=CachePolicy(key_func=lambda *_args, **_kwargs: "same"))
    graph.add_node("again", weigh).add_node("sum_up", lambda s: {"found": [str(len(s["found"]))]}, defer=True)
    graph.add_edge(START, "find").add_edge(START, "weigh").add_edge("weigh", "again")
    graph.add_edge("again", "sum_up").add_edge("find", "sum_up")
    return graph.compile(cache=InMemoryCache()), {"topics": [], "found": []}


def middleware_that_tries_again_and_sums_up(actions: Actions) -> App:
    failed: list[str] = []

    @tool
    def fails(q: str) -> str:
        """Look something up where it fails at first."""
        actions.note("tool_call", "fails")
        if not failed:
            failed.append(q)
            raise ConnectionError("later")
        return q

    @after_model
    def second_thoughts(_state: Any, _runtime: Any) -> None:
        model(actions, "fine", name="second-thoughts").invoke("Is it fine?")

    around: list[AgentMiddleware[Any, Any]] = [
        SummarizationMiddleware(
            model=Answers(actions=actions, answers=["rain"]), trigger=("messages", 3), keep=("messages", 2)
        ),
        ToolRetryMiddleware(max_retries=2, initial_delay=0.0, tools=["fails"]),
        ModelRetryMiddleware(max_retries=1, initial_delay=0.0),
        second_thoughts,
    ]
    script = call("go", ("fails", {"q": "rain"}), id="m1"), call("on", ("look", {"q": "wind"}), id="m2"), "wet"

    class Patient(type(model(actions))):  # type: ignore[misc]  # of the scripted model
        """Says its script by what it was asked, since what was said before is summed up."""

        said: list[int] = []  # noqa: RUF012  a field

        def _generate(self, messages: Any, *args: Any, **kwargs: Any) -> Any:
            self.said.append(1)
            before = [AIMessage("x")] * (len(self.said) - 1)
            return super()._generate([*before], *args, **kwargs)

    asked = Patient(script=list(script), actions=actions, model_name="m", said=[])
    return create_agent(asked, [fails, make_look(actions)], middleware=around), ASKED


def a_conversation_that_is_kept(actions: Actions) -> App:
    """Messages of a session are kept by a runnable, inside a node; asked twice."""
    kept = InMemoryChatMessageHistory()
    prompt = ChatPromptTemplate.from_messages([MessagesPlaceholder("history"), ("human", "{q}")])
    chat = RunnableWithMessageHistory(
        prompt | model(actions, "wet", "windy", name="m"),
        lambda _session: kept,
        input_messages_key="q",
        history_messages_key="history",
    )
    look = make_look(actions)

    def talk(state: MessagesState) -> Any:
        config: Any = {"configurable": {"session_id": "one"}}
        chat.invoke({"q": look.invoke({"q": "rain"})}, config)
        return {"messages": [chat.invoke({"q": state["messages"][-1].text}, config)]}

    return StateGraph(MessagesState).add_node("talk", talk).add_edge(START, "talk").compile(), ASKED


def agents_in_a_batch(actions: Actions) -> App:
    """A node that runs an agent for several questions at once."""
    agent = create_agent(looks_once(actions, "inner-model"), [make_look(actions)], name="inner")
    questions = [{"messages": [("user", f"{n}?")]} for n in range(3)]

    def work(_state: MessagesState) -> Any:
        return {"messages": [found["messages"][-1] for found in agent.batch(questions)]}

    return StateGraph(MessagesState).add_node("work", work).add_edge(START, "work").compile(), ASKED


APPS: list[Callable[[Actions], App]] = [
    a_subgraph_that_sends_to_its_parent,
    agents_that_send_each_other_on,
    tools_that_read_and_write_what_runs_them,
    an_answer_in_the_providers_shape,
    nodes_that_are_tried_again_and_kept,
    middleware_that_tries_again_and_sums_up,
    a_conversation_that_is_kept,
    agents_in_a_batch,
]
READS = ("look", "fails", "ask_again")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", APPS)
def test_each_shape_does_what_the_log_says(tmp_path, build, way, is_guarded, mode):
    home, actions = tmp_path / "home", Actions()
    declare(
        home,
        *(f"{name}: {{impact: read, source_trust: 900, idempotent: true}}" for name in READS),
        *(f"{name}: {{impact: write, reversal: undo}}" for name in ("note_down", "go_to_first", "go_to_second")),
    )
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        graph, given = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        WAYS[way](halo.guard(graph) if is_guarded else graph, given, config)
    assert actions.count("inference", "tool_call")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])


# pauses


class Asking(TypedDict):
    """What was found before and after a person was asked."""

    found: Annotated[list[str], operator.add]


def a_pause_in_a_subgraph(actions: Actions) -> tuple[Any, Any, Any]:
    """What runs before the question runs again when it is answered, as the framework says."""
    look, before, after = (make_look(actions), *(model(actions, "wet", name=name) for name in ("before", "after")))

    def ask(_state: Asking) -> Any:
        said = before.invoke(look.invoke({"q": "rain"})).text
        answer = interrupt({"said": said})
        return {"found": [after.invoke(str(answer)).text]}

    inner = StateGraph(Asking).add_node("ask", ask).add_edge(START, "ask").compile()
    graph = (
        StateGraph(Asking)
        .add_node("inner", inner)
        .add_node("end", lambda _state: {"found": [look.invoke({"q": "end"})]})
    )
    graph.add_edge(START, "inner").add_edge("inner", "end").add_edge("end", END)
    return graph.compile(checkpointer=InMemorySaver()), {"found": []}, Command(resume="yes")


def a_person_who_edits_a_call(actions: Actions) -> tuple[Any, Any, Any]:
    agent = create_agent(
        looks_once(actions, "agent-model", ("look", {"q": "rain"}), ("look", {"q": "sun"})),
        [make_look(actions)],
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"look": True})],
        checkpointer=InMemorySaver(),
    )
    edited = {"type": "edit", "edited_action": {"name": "look", "args": {"q": "wind"}}}
    return agent, ASKED, Command(resume={"decisions": [edited, {"type": "reject", "message": "no"}]})


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("build", [a_pause_in_a_subgraph, a_person_who_edits_a_call])
def test_a_run_that_goes_on_after_a_person_did_what_the_log_says(tmp_path, build, way, is_guarded, mode):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900, idempotent: true}")
    with Halo.local("desk", mode=mode, home=home, quiet=True) as halo:
        graph, given, answer = build(actions)
        config = THREAD if is_guarded else {**THREAD, "callbacks": [halo.callback()]}
        app = halo.guard(graph) if is_guarded else graph
        WAYS[way](app, given, config)
        WAYS[way](app, answer, config)
        assert app.get_state(THREAD).next == ()
    assert actions.count("tool_call")
    assert_all_decided(home, actions)
    assert list_refusals(home) == []
    assert (count_questions(home), list_undecided(home)) == (0, [])
