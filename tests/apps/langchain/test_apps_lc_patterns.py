"""Patterns of chains and agents as LangChain's guides have them, compared with the same run ungoverned.

As in `test_apps_lc_templates.py`: fallbacks, retries, alternatives, shapes of answers, rankings, middleware.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from app_models import Answers, CountedModel, model
from counting import Actions
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    LLMToolEmulator,
    ModelFallbackMiddleware,
    PIIMiddleware,
    TodoListMiddleware,
    dynamic_prompt,
)
from langchain.tools import ToolRuntime
from langchain_classic.output_parsers import OutputFixingParser
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import (
    ConfigurableField,
    RunnableBranch,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import create_react_agent
from lc_app_parts import ASKED, MORE_WAYS, App, Shelf, check_as_ungoverned, looks_once, make_look

from halo_langchain.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


class Overloaded(CountedModel):
    """Is asked, and fails."""

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        super()._generate(*args, **kwargs)
        raise ValueError("overloaded")


def last_words(given: Any) -> str:
    messages = given["messages"]
    return messages[-1][1] if isinstance(messages[-1], tuple) else str(messages[-1].text)


def as_messages(text: Any) -> dict[str, Any]:
    return {"messages": [AIMessage(str(text))]}


def models_that_stand_in_for_bound_ones(actions: Actions) -> App:
    """A model with tools whose stand-in has the same tools, in the loop of a chain."""
    look = make_look(actions)
    fails = Overloaded(script=["x"], actions=actions, model_name="fails")
    asks = looks_once(actions, "stands-in")
    both = fails.bind_tools([look]).with_fallbacks([asks.bind_tools([look])])

    def run_tools(said: AIMessage) -> list[Any]:
        return [said, *(look.invoke(made) for made in said.tool_calls)]

    loop = RunnableLambda(last_words) | both | RunnableLambda(run_tools) | both
    return loop | RunnableLambda(lambda said: {"messages": [said]}), ASKED


def tools_that_are_tried_again(actions: Actions) -> App:
    """A tool that fails once, and a chain with its own stand-in."""
    tried: list[str] = []

    @tool
    def look(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look")
        tried.append(q)
        if tried.count(q) % 2:
            raise ValueError("not now")
        return f"about {q}"

    again: Any = look.with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    return RunnableLambda(lambda _g: {"q": "rain"}) | again | RunnableLambda(as_messages), ASKED


def alternatives_by_configuration(actions: Actions) -> App:
    """A model that is chosen, and one whose field is set, by the configuration."""
    cheap: Any = Answers(actions=actions, answers=["cheap"], model_name="cheap")
    dear = Answers(actions=actions, answers=["dear"], model_name="dear")
    chosen = cheap.configurable_alternatives(ConfigurableField(id="llm"), default_key="cheap", dear=dear)
    named = Answers(actions=actions, answers=["named"], model_name="named").configurable_fields(
        answers=ConfigurableField(id="answers")
    )
    prompt = ChatPromptTemplate.from_template("{q}")
    return (
        RunnableLambda(lambda given: {"q": last_words(given)})
        | RunnableParallel(
            a=prompt | chosen.with_config(configurable={"llm": "dear"}),
            b=prompt | chosen,
            c=prompt | named.with_config(configurable={"answers": ["other"]}),
        )
        | RunnableLambda(lambda found: as_messages({k: found[k].text for k in sorted(found)}))
    ), ASKED


def parsers_that_ask_again(actions: Actions) -> App:
    """A parser that lets a model mend what another said."""
    says = Answers(actions=actions, answers=["not json"], model_name="says")
    mends = Answers(actions=actions, answers=['{"a": 1}'], model_name="mends")
    parser = OutputFixingParser.from_llm(llm=mends, parser=JsonOutputParser())
    return RunnableLambda(last_words) | says | StrOutputParser() | parser | RunnableLambda(as_messages), ASKED


def tools_with_artifacts(actions: Actions) -> App:
    """A tool that gives documents beside its text, which a node reads."""

    @tool(response_format="content_and_artifact")
    def look(q: str) -> tuple[str, list[Document]]:
        """Look something up."""
        actions.note("tool_call", "look")
        return f"about {q}", [Document(f"long text of {q}")]

    agent = create_agent(looks_once(actions, "m"), [look])

    def run(state: MessagesState) -> Any:
        found = agent.invoke(state)
        kept = [m.artifact for m in found["messages"] if isinstance(m, ToolMessage)]
        return as_messages(kept[0][0].page_content)

    return StateGraph(MessagesState).add_node("run", run).add_edge(START, "run").compile(), ASKED


def routes_by_meaning(actions: Actions) -> App:
    """A classifier, branches, and a default."""
    judges = Answers(actions=actions, answers=["weather"], model_name="judges")
    look = make_look(actions)
    weather = RunnableLambda(lambda _x: {"q": "rain"}) | look
    other = Answers(actions=actions, answers=["other"], model_name="other") | StrOutputParser()
    branch = RunnableBranch((lambda x: x["topic"] == "weather", weather), RunnableLambda(lambda _x: "?") | other)
    head = RunnableLambda(lambda given: {"q": last_words(given)})
    topic = RunnableLambda(lambda x: x["q"]) | judges | StrOutputParser()
    return head | RunnablePassthrough.assign(topic=topic) | branch | RunnableLambda(as_messages), ASKED


def fused_rankings(actions: Actions) -> App:
    """Questions that are written anew, a retrieval for each, and one ranking."""
    writes = Answers(actions=actions, answers=["rain\nwind"], model_name="writes")
    answers = Answers(actions=actions, answers=["wet"], model_name="answers")

    def fuse(found: list[list[Document]]) -> str:
        return " ".join(sorted({item.page_content for items in found for item in items}))

    queries = RunnableLambda(last_words) | writes | StrOutputParser() | RunnableLambda(str.splitlines)
    return queries | Shelf(actions=actions).map() | fuse | answers | RunnableLambda(lambda m: {"messages": [m]}), ASKED


def a_made_up_answer_that_is_looked_for(actions: Actions) -> App:
    """A document that a model makes up is searched for, with the question passed through."""
    makes_up = Answers(actions=actions, answers=["rain is dry"], model_name="makes-up")
    answers = Answers(actions=actions, answers=["wet"], model_name="answers")
    prompt = ChatPromptTemplate.from_messages([("system", "{context}"), ("human", "{q}")])
    found = {
        "context": RunnableLambda(last_words) | makes_up | StrOutputParser() | Shelf(actions=actions),
        "q": RunnableLambda(last_words),
    }
    return found | prompt | answers | RunnableLambda(lambda m: {"messages": [m]}), ASKED


def summaries_in_layers(actions: Actions) -> App:
    """Chunks are summed up in batches, and the summaries again."""
    sums_up = Answers(actions=actions, answers=["s"], model_name="sums-up")

    def climb(given: Any, config: Any) -> Any:
        texts = [last_words(given)] * 4
        while len(texts) > 1:
            texts = [m.text for m in sums_up.batch(texts, {**config, "max_concurrency": 2})][::2]
        return as_messages(texts[0])

    return RunnableLambda(climb), ASKED


def an_agent_with_middleware_of_all_kinds(actions: Actions) -> App:
    """A list of things to do, a stand-in for the model, masked data, a prompt for each call."""

    @dynamic_prompt
    def prompt(_request: Any) -> str:
        return "Be brief."

    fails = Overloaded(script=["x"], actions=actions, model_name="fails")
    todo = ("write_todos", {"todos": [{"content": "look", "status": "pending"}]})
    stands_in = model(
        actions, call("x", todo, id="t1"), call("y", ("look", {"q": "rain"}), id="t2"), "wet", name="stands-in"
    )
    middleware = [TodoListMiddleware(), ModelFallbackMiddleware(stands_in), PIIMiddleware("email"), prompt]
    actions.note("tool_call", "write_todos")
    return create_agent(fails, [make_look(actions)], middleware=middleware), ASKED


def tools_that_a_model_plays(actions: Actions) -> App:
    """A tool whose result a model makes up."""
    plays = Answers(actions=actions, answers=["about rain"], model_name="plays")

    @tool
    def look(q: str) -> str:
        """Look something up."""
        raise AssertionError("is played")

    return create_agent(
        looks_once(actions, "m"), [look], middleware=[LLMToolEmulator(tools=["look"], model=plays)]
    ), ASKED


class Counts(AgentMiddleware[Any, Any]):
    """Asks a model before and after each turn."""

    def __init__(self, judge: Any, look: Any) -> None:
        super().__init__()
        self.judge, self.look = judge, look

    def before_model(self, state: Any, runtime: Any) -> Any:
        self.judge.invoke("may it?")

    def after_model(self, state: Any, runtime: Any) -> Any:
        self.look.invoke({"q": "after"})

    async def awrap_model_call(self, request: Any, handler: Any) -> Any:
        return await handler(request)

    def wrap_model_call(self, request: Any, handler: Any) -> Any:
        return handler(request.override(model_settings={"temperature": 0}))


def a_judge_around_each_turn(actions: Actions) -> App:
    judge = Answers(actions=actions, answers=["yes"], model_name="judge")
    look = make_look(actions)
    return create_agent(looks_once(actions, "m"), [look], middleware=[Counts(judge, look)]), ASKED


def an_agent_by_its_older_name(actions: Actions) -> App:
    """With hooks before and after the model, and a prompt that is called."""
    asks, look = looks_once(actions, "m"), make_look(actions)

    def before(state: Any) -> Any:
        return {"llm_input_messages": state["messages"][-3:]}

    return create_react_agent(asks, [look], prompt=lambda s: s["llm_input_messages"], pre_model_hook=before), ASKED


def tools_that_start_their_runtime(actions: Actions) -> App:
    """A tool that runs an agent with its runtime's configuration, and streams it."""
    inner = create_agent(looks_once(actions, "inner-m"), [make_look(actions)], name="inner")

    @tool
    def delegate(q: str, runtime: ToolRuntime) -> str:
        """Ask another agent."""
        actions.note("tool_call", "delegate")
        states = list(inner.stream({"messages": [("user", q)]}, runtime.config, stream_mode="values"))
        return str(states[-1]["messages"][-1].text)

    return create_agent(looks_once(actions, "m", ("delegate", {"q": "rain"})), [delegate]), ASKED


def agents_as_parts_of_chains(actions: Actions) -> App:
    """Two agents in a parallel step, and a chain that is a tool of a third."""
    agents = {
        name: create_agent(looks_once(actions, f"m-{name}"), [make_look(actions)], name=name) for name in ("a", "b")
    }
    joined = RunnableParallel(agents) | RunnableLambda(
        lambda found: "+".join(x["messages"][-1].text for x in found.values())
    )
    as_tool = (RunnableLambda(lambda x: ASKED if x else None) | joined).as_tool(
        name="both", description="Ask both.", arg_types={"q": str}
    )
    actions.note("tool_call", "both")
    return create_agent(looks_once(actions, "m", ("both", {"q": "rain"})), [as_tool]), ASKED


APPS: list[Callable[[Actions], App]] = [
    models_that_stand_in_for_bound_ones,
    tools_that_are_tried_again,
    alternatives_by_configuration,
    parsers_that_ask_again,
    tools_with_artifacts,
    routes_by_meaning,
    fused_rankings,
    a_made_up_answer_that_is_looked_for,
    summaries_in_layers,
    an_agent_with_middleware_of_all_kinds,
    tools_that_a_model_plays,
    a_judge_around_each_turn,
    an_agent_by_its_older_name,
    tools_that_start_their_runtime,
    agents_as_parts_of_chains,
]


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("is_guarded", [True, False])
@pytest.mark.parametrize("way", MORE_WAYS)
@pytest.mark.parametrize("build", APPS)
def test_each_pattern_runs_as_without_halo(tmp_path, build, way, is_guarded, mode):
    check_as_ungoverned(tmp_path / "home", build, way, is_guarded=is_guarded, mode=mode)
