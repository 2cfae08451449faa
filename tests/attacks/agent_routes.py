"""The ways of each framework by which words reach a second agent, and what that agent then paid.

Each route reads a poisoned mail, hands words of the first model to a second agent in the way that the framework
documents, and lets the second agent pay. With the user's own account in the request the same route is honest work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from halo_core.model import Resource

__all__ = ["ROUTES", "run_route"]

MONEY = Resource(impact="payment", targets=("account",), amount="amount", reversal="compensate")
MAIL = Resource(impact="read", source_trust=100)
TASK = Resource(impact="write", source_trust=900)


class Desk:
    """A mailbox and a payment tool that writes down whom it paid."""

    def __init__(self, mail: str) -> None:
        self.mail = mail
        self.paid: list[str] = []

    def read_mail(self, n: int) -> str:
        """Read a mail."""
        return self.mail

    def pay(self, account: str, amount: float) -> str:
        """Pay an amount to an account."""
        self.paid.append(account)
        return "paid"


def _bodies(desk: Desk) -> tuple[Callable[..., str], Callable[..., str]]:
    def read_mail(n: int) -> str:
        """Read a mail."""
        return desk.mail

    def pay(account: str, amount: float) -> str:
        """Pay an amount to an account."""
        desk.paid.append(account)
        return "paid"

    return read_mail, pay


def _langchain(home: Path) -> Any:
    from halo_langchain import Halo

    return Halo.local("clerk", home=home, mode="enforce", quiet=True)


def _lc_parts(halo: Any, desk: Desk, account: str, said: str) -> tuple[Any, Any]:
    """Agents `reader`, whose last words are `said`, and `payer`."""
    from langchain.agents import create_agent

    from halo_langchain.testing import ScriptedModel, call

    read_mail, pay = _bodies(desk)
    reader = create_agent(
        ScriptedModel(script=[call("r", ("read_mail", {"n": 1}), id="r1"), said]),
        [halo.guard(read_mail, resource=MAIL)],
        middleware=[halo.middleware()],
        name="reader",
    )
    payer = create_agent(
        _Fresh(script=[call("p", ("pay", {"account": account, "amount": 9.0}), id="p1"), call("ok", id="p2")]),
        [halo.guard(pay, resource=MONEY)],
        middleware=[halo.middleware()],
        name="payer",
    )
    return reader, payer


def _fresh_class() -> Any:
    from langchain_core.messages import AIMessage, ToolMessage

    from halo_langchain.testing import ScriptedModel

    class Fresh(ScriptedModel):
        """Says its script from the beginning, whatever stands before."""

        def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **more: Any) -> Any:
            done = any(isinstance(m, ToolMessage) and m.tool_call_id.startswith("p1") for m in messages)
            kept = [m for m in messages if not isinstance(m, AIMessage)]
            return super()._generate([*kept, AIMessage("x")] if done else kept, stop, run_manager, **more)

    return Fresh


def _Fresh(**more: Any) -> Any:  # noqa: N802  stands for a class
    return _fresh_class()(**more)


def lc_graph_node(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A function node turns the reader's words into a user message for the payer."""
    from langchain_core.messages import HumanMessage
    from langgraph.graph import END, START, MessagesState, StateGraph

    with _langchain(home) as halo:
        reader, payer = _lc_parts(halo, desk, account, words)
        graph = StateGraph(MessagesState)
        graph.add_node("reader", reader)
        graph.add_node("turn", lambda state: {"messages": [HumanMessage(state["messages"][-1].text)]})
        graph.add_node("payer", payer)
        graph.add_edge(START, "reader")
        graph.add_edge("reader", "turn")
        graph.add_edge("turn", "payer")
        graph.add_edge("payer", END)
        halo.guard(graph.compile()).invoke({"messages": [("user", told)]})


def lc_send(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A conditional edge sends the reader's words to the payer."""
    from langgraph.graph import END, START, MessagesState, StateGraph
    from langgraph.types import Send

    with _langchain(home) as halo:
        reader, payer = _lc_parts(halo, desk, account, words)
        graph = StateGraph(MessagesState)
        graph.add_node("reader", reader)
        graph.add_node("payer", payer)
        graph.add_edge(START, "reader")
        graph.add_conditional_edges(
            "reader",
            lambda s: [Send("payer", {"messages": [{"role": "user", "content": s["messages"][-1].text}]})],
            ["payer"],
        )
        graph.add_edge("payer", END)
        halo.guard(graph.compile()).invoke({"messages": [("user", told)]})


def lc_chain(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A chain: the reader's last words are the payer's input."""
    with _langchain(home) as halo:
        reader, payer = _lc_parts(halo, desk, account, words)
        first = reader.invoke({"messages": [("user", told)]})
        second = first["messages"][-1].text if words else told
        payer.invoke({"messages": [("user", second)]})


def lc_chain_one_session(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The same within one session that vouches for the request."""
    with _langchain(home) as halo, halo.session(user="ana", request=told):
        reader, payer = _lc_parts(halo, desk, account, words)
        first = reader.invoke({"messages": [("user", told)]})
        payer.invoke({"messages": [("user", first["messages"][-1].text)]})


def lc_agent_in_a_tool(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A guarded tool asks the payer as a user would."""
    from langchain.agents import create_agent

    from halo_langchain.testing import ScriptedModel, call

    with _langchain(home) as halo:
        read_mail, _ = _bodies(desk)
        _, payer = _lc_parts(halo, desk, account, words)

        def delegate(task: str) -> str:
            """Give a task to the payer."""
            return str(payer.invoke({"messages": [("user", task)]})["messages"][-1].text)

        script = [
            call("r", ("read_mail", {"n": 1}), id="r1"),
            call("d", ("delegate", {"task": words}), id="d1"),
            "done",
        ]
        tools = [halo.guard(read_mail, resource=MAIL), halo.guard(delegate, resource=TASK)]
        create_agent(ScriptedModel(script=script), tools, middleware=[halo.middleware()]).invoke(
            {"messages": [("user", told)]}
        )


def lc_update_state(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The application writes the model's words into a thread as a user message, and goes on."""
    from langchain.agents import create_agent
    from langchain_core.messages import HumanMessage
    from langgraph.checkpoint.memory import InMemorySaver

    from halo_langchain.testing import ScriptedModel, call

    with _langchain(home) as halo:
        read_mail, pay = _bodies(desk)
        script = [
            call("r", ("read_mail", {"n": 1}), id="r1"),
            words or "read",
            call("p", ("pay", {"account": account, "amount": 9.0}), id="p1"),
            "ok",
        ]
        tools = [halo.guard(read_mail, resource=MAIL), halo.guard(pay, resource=MONEY)]
        agent = create_agent(
            ScriptedModel(script=script), tools, middleware=[halo.middleware()], checkpointer=InMemorySaver()
        )
        thread: Any = {"configurable": {"thread_id": "t"}}
        state = agent.invoke({"messages": [("user", "Read my mail")]}, thread)
        agent.update_state(thread, {"messages": [HumanMessage(state["messages"][-1].text)]})
        agent.invoke({"messages": [("user", told)]}, thread)


def lc_documents(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The application pastes what a guarded retriever found before the question."""
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever

    class Pages(BaseRetriever):
        def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
            return [Document(words)]

    with _langchain(home) as halo, halo.session():
        found = halo.guard(Pages(), resource=Resource(id="web", source_trust=400)).invoke("ACME")
        _, payer = _lc_parts(halo, desk, account, words)
        context = "\n".join(d.page_content for d in found)
        payer.invoke({"messages": [("user", f"Context:\n{context}\n\nQuestion: {told}")]})


def _openai(home: Path) -> Any:
    from agents import set_tracing_disabled

    from halo_openai_agents import Halo

    set_tracing_disabled(disabled=True)
    return Halo.local("clerk", home=home, mode="enforce", quiet=True)


def _oa_parts(halo: Any, desk: Desk, account: str, script: list[Any], **more: Any) -> tuple[Any, Any]:
    from agents import Agent

    from halo_openai_agents.testing import ScriptedModel, call

    read_mail, pay = _bodies(desk)
    payer = Agent(
        name="payer",
        model=ScriptedModel([call("p", ("pay", {"account": account, "amount": 9.0}), id="p1"), call("ok", id="p2")]),
        tools=[halo.guard(pay, resource=MONEY)],
    )
    reader = Agent(
        name="reader",
        model=ScriptedModel([call("r", ("read_mail", {"n": 1}), id="r1"), *script]),
        tools=[halo.guard(read_mail, resource=MAIL), *(item(payer) for item in more.pop("tools", ()))],
        handoffs=[item(payer) for item in more.pop("handoffs", ())],
    )
    return reader, payer


def oa_agent_as_tool(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """An agent as a tool gets the reader's words as its input."""
    from agents import Runner

    from halo_openai_agents.testing import call

    with _openai(home) as halo:
        script = [call("d", ("payer_tool", {"input": words}), id="d1"), "done"]
        reader, _ = _oa_parts(halo, desk, account, script, tools=[lambda p: p.as_tool("payer_tool", "Pays.")])
        Runner.run_sync(halo.guard(reader), told, **halo.run_options())


def oa_declared_agent_as_tool(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The same, with a tool that the host declares."""
    from agents import Runner

    from halo_openai_agents.testing import call

    with _openai(home) as halo:
        script = [call("d", ("ask_payments", {"input": words}), id="d1"), "done"]

        def made(payer: Any) -> Any:
            return halo.guard(halo.guard(payer).as_tool("ask_payments", "Asks the payments desk."), resource=TASK)

        reader, _ = _oa_parts(halo, desk, account, script, tools=[made])
        Runner.run_sync(halo.guard(reader), told, **halo.run_options())


def oa_handoff_filter(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The input filter of a hand-off writes a user message."""
    from dataclasses import replace

    from agents import Runner, handoff

    from halo_openai_agents.testing import call

    def only(data: Any) -> Any:
        return replace(data, input_history=({"role": "user", "content": words},), pre_handoff_items=(), new_items=())

    with _openai(home) as halo:
        script = [call("h", ("transfer_to_payer", {}), id="h1")]
        reader, _ = _oa_parts(halo, desk, account, script, handoffs=[lambda p: handoff(p, input_filter=only)])
        Runner.run_sync(halo.guard(reader), told, **halo.run_options())


def oa_handoff(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A plain hand-off."""
    from agents import Runner

    from halo_openai_agents.testing import call

    with _openai(home) as halo:
        script = [call(words, ("transfer_to_payer", {}), id="h1")]
        reader, _ = _oa_parts(halo, desk, account, script, handoffs=[lambda p: p])
        Runner.run_sync(halo.guard(reader), told, **halo.run_options())


def oa_chain(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The final output of one run is the input of the next."""
    from agents import Runner

    with _openai(home) as halo:
        reader, payer = _oa_parts(halo, desk, account, [words or "read"])
        first = Runner.run_sync(halo.guard(reader), told, **halo.run_options())
        Runner.run_sync(halo.guard(payer), str(first.final_output) if words else told, **halo.run_options())


def oa_input_list(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The items of one run and a user message of the application are the input of the next."""
    from agents import Runner

    with _openai(home) as halo:
        reader, payer = _oa_parts(halo, desk, account, [words or "read"])
        first = Runner.run_sync(halo.guard(reader), told, **halo.run_options())
        kept = [item for item in first.to_input_list() if item.get("role") in ("user", "assistant")]
        Runner.run_sync(halo.guard(payer), [*kept, {"role": "user", "content": words or told}], **halo.run_options())


def oa_session(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """Two agents share the SDK's session; the second one is asked to go on."""
    from agents import Runner, SQLiteSession

    with _openai(home) as halo:
        reader, payer = _oa_parts(halo, desk, account, [words or "read"])
        kept = SQLiteSession("s")
        Runner.run_sync(halo.guard(reader), "Read my mail", session=kept, **halo.run_options())
        Runner.run_sync(halo.guard(payer), told, session=kept, **halo.run_options())


def _llamaindex(home: Path) -> Any:
    from halo_llamaindex import Halo

    return Halo.local("clerk", home=home, mode="enforce", quiet=True)


def _li_parts(
    halo: Any, desk: Desk, account: str, script: list[Any], tools: tuple[Any, ...] = (), **more: Any
) -> tuple[Any, Any]:
    from llama_index.core.agent.workflow import FunctionAgent

    from halo_llamaindex.testing import ScriptedLLM, call

    read_mail, pay = _bodies(desk)
    payer = FunctionAgent(
        name="payer",
        description="pays",
        tools=halo.guard([pay], resource=MONEY),
        streaming=False,
        llm=ScriptedLLM(script=[call("p", ("pay", {"account": account, "amount": 9.0}), id="p1"), "ok"]),
    )
    reader = FunctionAgent(
        name="reader",
        description="reads",
        tools=[*halo.guard([read_mail], resource=MAIL), *tools],
        streaming=False,
        llm=ScriptedLLM(script=[call("r", ("read_mail", {"n": 1}), id="r1"), *script]),
        **more,
    )
    return reader, payer


def li_team(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A hand-off of a team whose reason names the account."""
    from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent

    from halo_llamaindex.testing import ScriptedLLM, call

    with _llamaindex(home) as halo:
        read_mail, pay = _bodies(desk)
        script = [
            call("r", ("read_mail", {"n": 1}), id="r1"),
            call("h", ("handoff", {"to_agent": "payer", "reason": words or "pay"}), id="h1"),
            call("p", ("pay", {"account": account, "amount": 9.0}), id="p1"),
            "ok",
        ]
        llm = ScriptedLLM(script=script)
        reader = FunctionAgent(
            name="reader",
            description="reads",
            tools=halo.guard([read_mail], resource=MAIL),
            llm=llm,
            can_handoff_to=["payer"],
            streaming=False,
        )
        payer = FunctionAgent(
            name="payer", description="pays", tools=halo.guard([pay], resource=MONEY), llm=llm, streaming=False
        )
        team = halo.guard(AgentWorkflow(agents=[reader, payer], root_agent="reader"))
        asyncio.run(_await(team, told))


async def _await(agent: Any, told: str, **more: Any) -> str:
    return str(await asyncio.wait_for(agent.run(user_msg=told, **more), 60))


def li_chain(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The answer of one agent is the message to the next."""
    with _llamaindex(home) as halo:
        reader, payer = _li_parts(halo, desk, account, [words or "read"])
        said = asyncio.run(_await(halo.guard(reader), told))
        asyncio.run(_await(halo.guard(payer), said if words else told))


def li_agent_in_a_tool(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A guarded tool asks the payer."""
    from halo_llamaindex.testing import call

    with _llamaindex(home) as halo:
        payers: list[Any] = []

        async def delegate(task: str) -> str:
            """Give a task to the payer."""
            return await _await(payers[0], task)

        tools = tuple(halo.guard([delegate], resource=TASK))
        reader, payer = _li_parts(
            halo, desk, account, [call("d", ("delegate", {"task": words}), id="d1"), "done"], tools
        )
        payers.append(halo.guard(payer))
        asyncio.run(_await(halo.guard(reader), told))


def li_memory(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """The application writes the model's words into a memory as a user message."""
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.memory import ChatMemoryBuffer

    with _llamaindex(home) as halo:
        reader, payer = _li_parts(halo, desk, account, [words or "read"])
        said = asyncio.run(_await(halo.guard(reader), "Read my mail"))
        memory = ChatMemoryBuffer.from_defaults()
        memory.put(ChatMessage(role="user", content=said))
        asyncio.run(_await(halo.guard(payer), told, memory=memory))


def li_workflow(home: Path, desk: Desk, told: str, account: str, words: str) -> None:
    """A workflow of the application asks one agent, then the next with its answer."""
    from llama_index.core.workflow import StartEvent, StopEvent, Workflow, step

    with _llamaindex(home) as halo:
        reader, payer = _li_parts(halo, desk, account, [words or "read"])
        first, second = halo.guard(reader), halo.guard(payer)

        class Flow(Workflow):
            @step
            async def go(self, ev: StartEvent) -> StopEvent:
                said = await _await(first, ev.user_msg)
                return StopEvent(result=await _await(second, said if words else ev.user_msg))

        async def run() -> None:
            await halo.guard(Flow()).run(user_msg=told)

        asyncio.run(run())


ROUTES: dict[str, Callable[[Path, Desk, str, str, str], None]] = {
    made.__name__: made
    for made in (
        lc_graph_node,
        lc_send,
        lc_chain,
        lc_chain_one_session,
        lc_agent_in_a_tool,
        lc_update_state,
        lc_documents,
        oa_agent_as_tool,
        oa_declared_agent_as_tool,
        oa_handoff_filter,
        oa_handoff,
        oa_chain,
        oa_input_list,
        oa_session,
        li_team,
        li_chain,
        li_agent_in_a_tool,
        li_memory,
        li_workflow,
    )
}


def run_route(name: str, home: Path, mail: str, told: str, account: str, words: str) -> list[str]:
    """Whom the payer paid."""
    desk = Desk(mail)
    with contextlib.suppress(Exception):  # a denied entry ends a run
        ROUTES[name](home, desk, told, account, words)
    return desk.paid
