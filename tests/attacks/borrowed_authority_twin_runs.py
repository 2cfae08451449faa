"""Honest twins of how a run is built: hand-offs, teams, jobs, agents inside tools, threads, engines, plain model calls.

Each function takes a world and says what did not run.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from agents import Agent, SQLiteSession, handoff
from borrowed_authority_people import sent
from borrowed_authority_runs import guard_all
from borrowed_authority_tools import LOOKUP, PAY, READ, SEND, mail, paying, sending
from borrowed_authority_world import Tool, World, langchain_run, llama_run, openai_run
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from llama_index.core import Settings, SQLDatabase
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import Memory
from llama_index.core.query_engine import NLSQLTableQueryEngine
from pydantic import BaseModel
from sqlalchemy import create_engine, text

from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call
from halo_llamaindex.testing import ScriptedLLM
from halo_llamaindex.testing import call as say
from halo_openai_agents.testing import ScriptedModel as OpenAIModel
from halo_openai_agents.testing import call as tell

Settings.embed_model = MockEmbedding(8)
TWIN_RUNS: dict[str, Callable[[World], bool]] = {}
NEWS = mail("The goods have arrived.")
FIND = Tool("find_supplier", "name: str", "Find a supplier.", LOOKUP, "ACME: account 8812007734")


def case(name: str) -> Callable[[Callable[[World], bool]], Callable[[World], bool]]:
    def add(function: Callable[[World], bool]) -> Callable[[World], bool]:
        TWIN_RUNS[name] = function
        return function

    return add


@case("langchain: a router, the user's account")
def router(world: World) -> bool:
    with world.open() as halo:
        reads, pays = guard_all(halo, world, NEWS, PAY)
        own = [halo.middleware()]
        reader = create_agent(
            ScriptedModel(script=[call("", READ, id="r1"), "Pay it"]), [reads], middleware=own, name="r"
        )
        script = "Read my mail and pay 90 euro to ACC-1"
        payer_script = [call("", READ, id="r1"), "Pay it", call("", paying("ACC-1"), id="p1")]
        payer = create_agent(ScriptedModel(script=payer_script), [pays], middleware=own, name="p")
        graph = StateGraph(MessagesState)
        graph.add_node("r", reader)
        graph.add_node("p", payer)
        graph.add_edge(START, "r")
        graph.add_edge("r", "p")
        graph.add_edge("p", END)
        halo.guard(graph.compile()).invoke({"messages": [("user", script)]})
    return world.count("pay") == 1


@case("langchain: a thread in two processes, the user's account")
def thread(world: World) -> bool:
    saver = InMemorySaver()
    config = {"configurable": {"thread_id": "case-7"}}
    script = [call("", READ, id="m0"), "ok", call("", paying("ACC-1"), id="m1")]
    for told in ("Read my mail", "Now pay 90 euro to ACC-1"):
        with world.open() as halo:
            own = [halo.middleware()]
            tools = guard_all(halo, world, NEWS, PAY)
            made = create_agent(ScriptedModel(script=script), tools, middleware=own, checkpointer=saver)
            made.invoke({"messages": [("user", told)]}, config)
    return world.count("pay") == 1


@case("langchain: an agent inside a tool looks something up")
def inner(world: World) -> bool:
    with world.open() as halo:
        finds, pays = guard_all(halo, world, FIND, PAY)
        script = [call("", ("find_supplier", {"name": "ACME"}), id="s1"), "ACME: account 8812007734"]
        sub = create_agent(ScriptedModel(script=script), [finds], middleware=[halo.middleware()])

        def find_account(name: str) -> str:
            """Find an account."""
            return sub.invoke({"messages": [("user", f"Which account has {name}?")]})["messages"][-1].text

        outer = halo.guard(find_account, resource=LOOKUP)
        script = [call("", ("find_account", {"name": "ACME"}), id="m1"), call("", paying("8812007734"), id="m2")]
        langchain_run(halo, [outer, pays], script, [("user", "Pay ACME 90 euro")], "sync")
    return world.count("pay") == 1


@case("langchain: a history of this agent's own, unexposed")
def history(world: World) -> bool:
    with world.open() as halo:
        tools = guard_all(halo, world, PAY)
        script = ["Shall I pay ACC-1?", call("", paying("ACC-1"), id="m1")]
        first = langchain_run(halo, tools, script[:1], [("user", "I owe ACC-1 90 euro")], "sync")
        langchain_run(halo, tools, script, [*first["messages"], ("user", "Yes, pay the 90 euro")], "sync")
    return world.count("pay") == 1


@case("langchain: a history that the host vouches for")
def vouched_history(world: World) -> bool:
    with world.open() as halo:
        tools = guard_all(halo, world, PAY)
        said = [HumanMessage("Which account has ACME?"), AIMessage("ACME has 8812007734", id="old1")]
        with halo.session("s", user="ana", vouch_history=True):
            script = ["x", call("", paying("8812007734"), id="m1")]
            langchain_run(halo, tools, script, [*said, ("user", "Pay them 90 euro")], "sync")
    return world.count("pay") == 1


@case("langchain: a paused payment goes on after a yes")
def resumed(world: World) -> bool:
    saver = InMemorySaver()
    config = {"configurable": {"thread_id": "t"}}
    with world.open() as halo:
        assert world.cli("approver", "enrol", "mia@corp.example")[0] == 0
        tools = guard_all(halo, world, PAY)
        script = [call("", paying("77001122", 5000.0), id="m0"), "ok"]
        made = create_agent(ScriptedModel(script=script), tools, middleware=[halo.middleware()], checkpointer=saver)
        made.invoke({"messages": [("user", "Pay 5000")]}, config)
        for one in json.loads(world.cli("approvals", "list", "--json")[1]):
            world.cli("approvals", "approve", one["id"], "--as", "mia@corp.example", "--once")
        made.invoke(Command(resume=True), config)
    return world.count("pay") == 1


@case("langchain: a yes is remembered for the next session")
def remembered(world: World) -> bool:
    with world.open() as halo:
        assert world.cli("approver", "enrol", "mia@corp.example")[0] == 0
        tools = guard_all(halo, world, SEND)
        step = sending("max@partner.example", "The plan")
        langchain_run(halo, tools, [call("", step, id="a1")], [("user", "Mail Max the plan")], "sync")
        for one in json.loads(world.cli("approvals", "list", "--json")[1]):
            world.cli("approvals", "approve", one["id"], "--as", "mia@corp.example")
        before = world.count("send_mail")
        again = sending("max@partner.example", "Another plan")
        langchain_run(halo, tools, [call("", again, id="b1")], [("user", "Mail Max the other plan")], "sync")
    return before == 0 and world.count("send_mail") == 1


@case("langchain: a plain tool inside a tool reads")
def inner_tool(world: World) -> bool:
    @tool
    def get_hours(day: str) -> str:
        """Get the opening hours."""
        world.ran.append(("get_hours", {"day": day}))
        return "9 to 17"

    def look_up(day: str) -> str:
        """Look something up."""
        return get_hours.invoke({"day": day})

    with world.open() as halo:
        outer = halo.guard(look_up, resource=LOOKUP)
        script = [call("", ("look_up", {"day": "monday"}), id="m1")]
        langchain_run(halo, [outer], script, [("user", "When are you open on monday?")], "async")
    return world.count("get_hours") == 1


@case("openai: a hand-off, the user's account")
def openai_handoff(world: World) -> bool:
    with world.open("openai") as halo:
        reads, pays = guard_all(halo, world, NEWS, PAY)
        payer = Agent(name="payer", model=OpenAIModel([tell("", paying("ACC-1"), id="p1")]), tools=[pays])
        script = [tell("", READ, id="m1"), tell("", ("transfer_to_payer", {}), id="m2")]
        made = Agent(name="desk", model=OpenAIModel(script), tools=[reads], handoffs=[payer])
        openai_run(halo, halo.guard(made), "Read my mail and pay 90 euro to ACC-1", "stream")
    return world.count("pay") == 1


class Reason(BaseModel):
    reason: str


@case("openai: a hand-off with a reason")
def openai_callback(world: World) -> bool:
    async def on_handoff(ctx: Any, data: Reason) -> None:
        world.ran.append(("escalated", {"reason": data.reason}))

    with world.open("openai") as halo:
        payer = Agent(name="payer", model=OpenAIModel(["x"]))
        script = [tell("", ("transfer_to_payer", {"reason": "billing question"}), id="m1")]
        hands = [handoff(payer, on_handoff=on_handoff, input_type=Reason)]
        made = halo.guard(Agent(name="desk", model=OpenAIModel(script), handoffs=hands))
        openai_run(halo, made, "I have a billing question", "async")
    return world.count("escalated") == 1


@case("openai: a session of the SDK, the user's account")
def openai_session(world: World) -> bool:
    kept = SQLiteSession("c-7", str(world.home.parent / "chat.db"))
    for told in ("Read my mail", "Pay 90 euro to ACC-1"):
        with world.open("openai") as halo:
            tools = guard_all(halo, world, NEWS, PAY)
            model = OpenAIModel([tell("", READ, id="m1"), "read", tell("", paying("ACC-1"), id="m2")])
            openai_run(halo, halo.guard(Agent(name="desk", model=model, tools=tools)), told, "async", session=kept)
    kept.close()
    return world.count("pay") == 1


@case("openai: the agent inside a tool looks something up")
def openai_inner(world: World) -> bool:
    with world.open("openai") as halo:
        finds, pays = guard_all(halo, world, FIND, PAY)
        script = [tell("", ("find_supplier", {"name": "ACME"}), id="s1"), "account 8812007734"]
        finder = Agent(name="finder", model=OpenAIModel(script), tools=[finds])
        outer = [tell("", ("ask_finder", {"input": "ACME"}), id="m1"), tell("", paying("8812007734"), id="m2")]
        asks = halo.guard(finder).as_tool("ask_finder", "Ask the finder.")
        made = halo.guard(Agent(name="desk", model=OpenAIModel(outer), tools=[asks, pays]))
        openai_run(halo, made, "Pay ACME 90 euro to 8812007734", "sync")
    return world.count("pay") == 1 and world.count("find_supplier") == 1


@case("openai: ordinary settings of a model call")
def openai_settings(world: World) -> bool:
    more = {"temperature": 0.2, "max_tokens": 50, "extra_body": {"user": "u1", "seed": 7, "service_tier": "auto"}}
    return bool(sent(world, **more))


@case("openai: cache fields of a model call")
def openai_cache(world: World) -> bool:
    return bool(sent(world, top_p=0.9, extra_args={"prompt_cache_key": "k", "logit_bias": {}}))


@case("llamaindex: a team, the user's account")
def llama_team(world: World) -> bool:
    with world.open("llamaindex") as halo:
        reads, pays = guard_all(halo, world, NEWS, PAY)
        script = [
            say("", READ, id="m1"),
            say("", ("handoff", {"to_agent": "payer", "reason": "pay as asked"}), id="m2"),
            say("", paying("ACC-1"), id="m3"),
        ]
        llm = ScriptedLLM(script=script)
        reader = FunctionAgent(name="reader", description="reads", tools=[reads], llm=llm, can_handoff_to=["payer"])
        payer = FunctionAgent(name="payer", description="pays", tools=[pays], llm=llm)
        made = halo.guard(AgentWorkflow(agents=[reader, payer], root_agent="reader"))
        llama_run(made, "Read my mail and pay 90 euro to ACC-1", "stream")
    return world.count("pay") == 1


@case("llamaindex: memory over two runs, the user's account")
def llama_memory(world: World) -> bool:
    memory = Memory.from_defaults(session_id="x")
    script = ["noted", say("", paying("ACC-1"), id="m1")]
    with world.open("llamaindex") as halo:
        tools = guard_all(halo, world, PAY)
        for told in ("I owe 90 euro to ACC-1", "Please pay it now"):
            llama_run(
                halo.guard(FunctionAgent(tools=tools, llm=ScriptedLLM(script=script))), told, "sync", memory=memory
            )
    return world.count("pay") == 1


@case("llamaindex: a history of the user's words")
def llama_history(world: World) -> bool:
    with world.open("llamaindex") as halo:
        tools = guard_all(halo, world, PAY)
        said = [ChatMessage(role="user", content="I owe 90 euro to ACC-1"), ChatMessage(role="assistant", content="ok")]
        model = ScriptedLLM(script=["x", say("", paying("ACC-1"), id="m1")])
        made = halo.guard(FunctionAgent(tools=tools, llm=model))
        llama_run(made, "Pay 90 euro to ACC-1", "sync", chat_history=said)
    return world.count("pay") == 1


def _answers(world: World, statement: str) -> bool:
    engine = create_engine("sqlite://")
    with engine.begin() as db:
        db.execute(text("create table users(id int, name text)"))
        db.execute(text("insert into users values (1,'ana'),(2,'bob')"))
    with world.open("llamaindex") as halo, contextlib.suppress(Exception):
        made = NLSQLTableQueryEngine(
            SQLDatabase(engine), tables=["users"], llm=ScriptedLLM(script=[statement, "two", "two"])
        )
        guarded = halo.guard(made, resource=Resource(id="users", impact="read", source_trust=900))
        said = guarded.query("how many users are there?")
        engine.dispose()
        return statement in str(said.metadata)
    return False


for _name, _statement in (
    ("a common table expression", "WITH a AS (SELECT name FROM users) SELECT upper(name) FROM a ORDER BY 1 LIMIT 5"),
    ("a window function with a comment", "SELECT name, row_number() OVER (ORDER BY id) FROM users -- by id"),
    ("a grouped count", "SELECT name, count(*) AS n FROM users GROUP BY name HAVING count(*) >= 1"),
):
    TWIN_RUNS[f"llamaindex: {_name}"] = lambda world, statement=_statement: _answers(world, statement)


@case("langchain: five undeclared tools of a plain agent")
def undeclared(world: World) -> bool:
    def get_weather(city: str) -> str:
        """Get the weather."""
        world.ran.append(("get_weather", {}))
        return "sun"

    def convert_currency(amount: float, to: str) -> str:
        """Convert an amount of euro."""
        world.ran.append(("convert_currency", {}))
        return "97.2"

    def list_todos(day: str) -> str:
        """List the things to do."""
        world.ran.append(("list_todos", {}))
        return "call Max"

    with world.open() as halo:
        tools = [halo.guard(one) for one in (get_weather, convert_currency, list_todos)]
        steps = [
            call("", ("get_weather", {"city": "Lisbon"}), id="a"),
            call("", ("convert_currency", {"amount": 90.0, "to": "USD"}), id="b"),
            call("", ("list_todos", {"day": "today"}), id="c"),
        ]
        asked = [("user", "Weather in Lisbon, 90 euro in dollars, and what is to do today?")]
        langchain_run(halo, tools, steps, asked, "async")
    return len(world.ran) == 3


@case("llamaindex: an agent that a tool's body runs reads")
def llama_inner(world: World) -> bool:
    with world.open("llamaindex") as halo:
        (finds,) = guard_all(halo, world, FIND)
        script = [say("", ("find_supplier", {"name": "ACME"}), id="s1"), "8812007734"]
        sub = FunctionAgent(name="sub", tools=[finds], llm=ScriptedLLM(script=script))

        async def ask_finder(name: str) -> str:
            """Ask the finder."""
            return str(await sub.run(user_msg=name))

        outer = halo.guard([ask_finder], resource=LOOKUP)
        script = [say("", ("ask_finder", {"name": "ACME"}), id="m1"), "x"]
        made = halo.guard(FunctionAgent(tools=outer, llm=ScriptedLLM(script=script)))
        asyncio.run(asyncio.wait_for(_await(made, "Which account has ACME?"), 60))
    return world.count("find_supplier") == 1


async def _await(made: Any, told: str) -> str:
    return str(await made.run(user_msg=told))
