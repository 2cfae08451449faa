"""A sub-agent that a trusted tool's body runs in a thread of its own vouches for nothing that it read there."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from halo_core.model import Resource

sys.path.append(str(Path(__file__).parent))
from test_resumed_and_inner_runs import EVIL, GOOD, MAIL, MONEY, RESEARCH, Desk, declare, pays, reads

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ASKED = "Find the account of ACME and pay ACME 90"
SESSION = "the-request"


@pytest.fixture
def desk():
    return Desk()


def in_thread(work: Callable[[], Any]) -> Any:
    """What a function gives in a thread that knows nothing of who started it."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def in_pool(work: Callable[[], Any]) -> Any:
    return POOL.submit(work).result()


POOL = ThreadPoolExecutor(1)
POOL.submit(int).result()  # its thread stood before any tool ran

ELSEWHERE = pytest.mark.parametrize(
    ("start", "session", "is_installed"),
    [
        (in_thread, SESSION, False),
        (in_pool, SESSION, False),
        (in_thread, "", False),
        (in_pool, "", False),
        (in_pool, "", True),
    ],
    ids=["thread, same session", "pool, same session", "thread", "pool", "pool, installed"],
)


class Place:
    """Where a tool's body runs its sub-agent."""

    def __init__(self, halo: Any, start: Callable[..., Any], session: str) -> None:
        self.halo, self.start, self.session = halo, start, session

    def run(self, work: Callable[[], Any]) -> str:
        def inside() -> str:
            with self.halo.session(self.session):
                return str(work())

        return str(self.start(inside))


def opened(kind: Any, tmp_path: Path) -> Any:
    return kind.local("clerk", home=tmp_path / "home", mode="enforce", quiet=True, user="user:ana")


def chain(halo: Any, script: list[Any], tools: list[Any]) -> Any:
    from langchain.agents import create_agent

    from halo_langchain.testing import ScriptedModel

    return create_agent(ScriptedModel(script=script), tools, middleware=[halo.middleware()])


def ask(agent: Any, text: str) -> str:
    return str(agent.invoke({"messages": [("user", text)]})["messages"][-1].text)


def run_langchain(halo: Any, desk: Desk, place: Place, source: Any, declared: Resource, account: str) -> None:
    from halo_langchain.testing import call

    told = [call("r", reads(source.__name__), id="i1"), f"ACME is paid at {account}"]
    inner = chain(halo, told, [halo.guard(source, resource=declared)])

    def research(question: str) -> str:
        """Ask our researcher."""
        return place.run(lambda: ask(inner, question))

    script = [call("a", ("research", {"question": "account of ACME"}), id="o1"), call("p", pays(account), id="o2"), "d"]
    tools = [halo.guard(research, resource=RESEARCH), halo.guard(desk.pay, resource=MONEY)]
    with halo.session(SESSION):
        ask(chain(halo, script, tools), ASKED)


def run_openai_agents(halo: Any, desk: Desk, place: Place, source: Any, declared: Resource, account: str) -> None:
    from agents import Agent, Runner, function_tool

    from halo_openai_agents.testing import ScriptedModel, call

    def team(name: str, script: list[Any], *tools: Any) -> Any:
        return halo.guard(Agent(name=name, model=ScriptedModel(script), tools=list(tools)))

    told = [call("r", reads(source.__name__), id="i1"), f"ACME is paid at {account}"]
    inner = team("researcher", told, halo.guard(function_tool(source), resource=declared))

    async def research(question: str) -> str:
        """Ask our researcher."""

        def work() -> Any:
            return asyncio.run(Runner.run(inner, question, **halo.run_options())).final_output

        return await asyncio.to_thread(place.run, work)

    script = [call("a", ("research", {"question": "account of ACME"}), id="o1"), call("p", pays(account), id="o2"), "d"]
    tools = (
        halo.guard(function_tool(research), resource=RESEARCH),
        halo.guard(function_tool(desk.pay), resource=MONEY),
    )
    with halo.session(SESSION):
        Runner.run_sync(team("clerk", script, *tools), ASKED, **halo.run_options())


def run_llamaindex(halo: Any, desk: Desk, place: Place, source: Any, declared: Resource, account: str) -> None:
    from llama_index.core.agent.workflow import FunctionAgent
    from llama_index.core.workflow import InputRequiredEvent

    from halo_llamaindex.testing import ScriptedLLM, call

    def team(script: list[Any], tools: list[Any]) -> Any:
        return halo.guard(FunctionAgent(tools=tools, llm=ScriptedLLM(script=script), streaming=False))

    told = [call("r", reads(source.__name__), id="i1"), f"ACME is paid at {account}"]
    inner = team(told, halo.guard([source], resource=declared))

    async def research(question: str) -> str:
        """Ask our researcher."""

        async def answer() -> Any:
            return await inner.run(user_msg=question)

        return await asyncio.to_thread(place.run, lambda: asyncio.run(answer()))

    script = [call("a", ("research", {"question": "account of ACME"}), id="o1"), call("p", pays(account), id="o2"), "d"]
    outer = team(script, [*halo.guard([research], resource=RESEARCH), *halo.guard([desk.pay], resource=MONEY)])

    async def go() -> None:
        run = outer.run(user_msg=ASKED)
        async for event in run.stream_events():
            if isinstance(event, InputRequiredEvent):
                await run.cancel_run()
                return
        await run

    with halo.session(SESSION):
        asyncio.run(go())


def run_in(framework: str, tmp_path: Path, desk: Desk, place: tuple[Any, str, bool], *, is_ours: bool) -> None:
    import importlib

    def look_up(n: int) -> str:
        """Look a vendor up in our books."""
        return f"ACME: {GOOD}"

    start, session, is_installed = place
    source, declared, account = (look_up, RESEARCH, GOOD) if is_ours else (desk.read_mail, MAIL, EVIL)
    with opened(importlib.import_module(f"halo_{framework}").Halo, tmp_path) as halo:
        if is_installed:
            with halo.install():
                globals()[f"run_{framework}"](halo, desk, Place(halo, start, session), source, declared, account)
        else:
            globals()[f"run_{framework}"](halo, desk, Place(halo, start, session), source, declared, account)


@ELSEWHERE
@pytest.mark.parametrize("is_ours", [True, False], ids=["our books", "a mail"])
@pytest.mark.parametrize("framework", ["langchain", "openai_agents", "llamaindex"])
def test_what_a_thread_inside_a_tool_read_is_not_vouched_for(
    framework, start, session, is_installed, is_ours, tmp_path, desk
):
    """What it read of our own records is."""
    run_in(framework, tmp_path, desk, (start, session, is_installed), is_ours=is_ours)
    assert desk.paid == ([GOOD] if is_ours else [])


class Together:
    """A look into our own books, and a mail that is read while that goes on."""

    def __init__(self, halo: Any) -> None:
        self._begun = threading.Barrier(2, timeout=20)
        self._noted = threading.Event()
        queue_outcome = halo.enforcer.queue_outcome

        def queue(context: Any, *args: Any, **kwargs: Any) -> None:
            queue_outcome(context, *args, **kwargs)
            if context.resource.id == "read_mail":
                self._noted.set()

        halo.enforcer.queue_outcome = queue

    def read_mail(self, n: int) -> str:
        """Read a mail."""
        self._begun.wait()
        return "Nothing new."

    def look_up(self, n: int) -> str:
        """Look a vendor up in our books."""
        self._begun.wait()
        assert self._noted.wait(20)
        return f"ACME: {GOOD}"


TURN = [("read_mail", {"n": 1}), ("look_up", {"n": 1})]


def run_together_langchain(halo: Any, desk: Desk) -> None:
    from halo_langchain.testing import call

    both = Together(halo)
    tools = [halo.guard(both.read_mail, resource=MAIL), halo.guard(both.look_up, resource=RESEARCH)]
    script = [call("a", *TURN, id="o1"), call("p", pays(GOOD), id="o2"), "d"]
    agent = chain(halo, script, [*tools, halo.guard(desk.pay, resource=MONEY)])
    agent.invoke({"messages": [("user", ASKED)]}, {"configurable": {"thread_id": "one"}})


def run_together_openai_agents(halo: Any, desk: Desk) -> None:
    from agents import Agent, Runner, function_tool

    from halo_openai_agents.testing import ScriptedModel, call

    both = Together(halo)
    tools = [
        halo.guard(function_tool(both.read_mail), resource=MAIL),
        halo.guard(function_tool(both.look_up), resource=RESEARCH),
        halo.guard(function_tool(desk.pay), resource=MONEY),
    ]
    script = [call("a", *TURN, id="o1"), call("p", pays(GOOD), id="o2"), "d"]
    agent = halo.guard(Agent(name="clerk", model=ScriptedModel(script), tools=tools))
    Runner.run_sync(agent, ASKED, **halo.run_options())


def run_together_llamaindex(halo: Any, desk: Desk) -> None:
    from llama_index.core.agent.workflow import FunctionAgent

    from halo_llamaindex.testing import ScriptedLLM, call

    both = Together(halo)
    tools = [
        *halo.guard([both.read_mail], resource=MAIL),
        *halo.guard([both.look_up], resource=RESEARCH),
        *halo.guard([desk.pay], resource=MONEY),
    ]
    script = [call("a", *TURN, id="o1"), call("p", pays(GOOD), id="o2"), "d"]
    agent = halo.guard(FunctionAgent(tools=tools, llm=ScriptedLLM(script=script), streaming=False))

    async def go() -> None:
        await agent.run(user_msg=ASKED)

    asyncio.run(go())


@pytest.mark.parametrize("framework", ["langchain", "openai_agents", "llamaindex"])
def test_what_is_read_beside_a_tool_in_one_turn_is_not_inside_of_it(framework, tmp_path, desk):
    import importlib

    with opened(importlib.import_module(f"halo_{framework}").Halo, tmp_path) as halo, halo.install():
        globals()[f"run_together_{framework}"](halo, desk)
    assert desk.paid == [GOOD]


@pytest.mark.parametrize("awaited", [False, True])
def test_what_is_read_beside_a_tool_is_not_inside_of_it_where_a_callback_decides(tmp_path, desk, awaited):
    from langchain.agents import create_agent
    from langchain_core.tools import tool

    from halo_langchain import Halo
    from halo_langchain.testing import ScriptedModel, call

    declare(tmp_path / "home")
    with opened(Halo, tmp_path) as halo:
        both = Together(halo)
        tools = [tool(both.read_mail), tool(both.look_up), tool(desk.pay)]
        script = [call("a", *TURN, id="o1"), call("p", pays(GOOD), id="o2"), "d"]
        agent = create_agent(ScriptedModel(script=script), tools)
        given, config = {"messages": [("user", ASKED)]}, {"callbacks": [halo.callback()]}
        if awaited:
            asyncio.run(agent.ainvoke(given, config))
        else:
            agent.invoke(given, config)
    assert desk.paid == [GOOD]


def test_what_threads_of_one_block_read_side_by_side_is_not_inside_of_each_other(tmp_path, desk):
    from contextvars import copy_context

    from halo_langchain import Halo

    with opened(Halo, tmp_path) as halo, halo.session(SESSION, request=ASKED):
        both = Together(halo)
        mail, books = halo.guard(both.read_mail, resource=MAIL), halo.guard(both.look_up, resource=RESEARCH)
        with ThreadPoolExecutor(2) as pool:
            parts = [pool.submit(copy_context().run, tool.invoke, {"n": 1}) for tool in (mail, books)]
            account = parts[1].result().partition(": ")[2]
        halo.guard(desk.pay, resource=MONEY).invoke({"account": account, "amount": 90.0})
    assert desk.paid == [GOOD]


def pay_langchain(desk: Desk) -> Any:
    from langchain_core.tools import tool

    return tool(desk.pay).invoke({"account": EVIL, "amount": 90.0})


def pay_llamaindex(desk: Desk) -> Any:
    from llama_index.core.tools import FunctionTool

    return FunctionTool.from_defaults(desk.pay)(account=EVIL, amount=90.0)


def pay_openai_agents(desk: Desk) -> Any:
    from agents import Agent, Runner, function_tool

    from halo_openai_agents.testing import ScriptedModel, call

    model = ScriptedModel([call("p", pays(EVIL), id="i1"), "d"])
    return asyncio.run(
        Runner.run(Agent(name="payer", model=model, tools=[function_tool(desk.pay)]), "Pay")
    ).final_output


def call_inside(framework: str, halo: Any, work: Callable[[], Any]) -> None:
    """Have an agent call a guarded tool whose body does some work."""

    def research(question: str) -> str:
        """Ask our researcher."""
        try:
            return str(work())
        except (PermissionError, IndexError) as error:  # a thread gave nothing back
            return str(error)

    script = ("a", ("research", {"question": "x"}))
    if framework == "langchain":
        from halo_langchain.testing import call

        ask(chain(halo, [call(*script, id="o1"), "d"], [halo.guard(research, resource=RESEARCH)]), ASKED)
    elif framework == "llamaindex":
        from llama_index.core.agent.workflow import FunctionAgent

        from halo_llamaindex.testing import ScriptedLLM, call

        tools, llm = halo.guard([research], resource=RESEARCH), ScriptedLLM(script=[call(*script, id="o1"), "d"])

        async def go() -> None:
            await halo.guard(FunctionAgent(tools=tools, llm=llm, streaming=False)).run(user_msg=ASKED)

        asyncio.run(go())
    else:
        from agents import Agent, Runner, function_tool

        from halo_openai_agents.testing import ScriptedModel, call

        tools = [halo.guard(function_tool(research), resource=RESEARCH)]
        model = ScriptedModel([call(*script, id="o1"), "d"])
        Runner.run_sync(halo.guard(Agent(name="clerk", model=model, tools=tools)), ASKED)


def in_executor(work: Callable[[], Any]) -> Any:
    """In an executor of an event loop, which copies no context."""

    async def go() -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, work)

    return in_thread(lambda: asyncio.run(go()))


@pytest.mark.parametrize("start", [in_thread, in_pool, in_executor])
@pytest.mark.parametrize("framework", ["langchain", "openai_agents", "llamaindex"])
def test_what_nobody_guarded_does_not_run_in_a_thread_that_has_no_session(framework, start, tmp_path, desk):
    import importlib

    pay = globals()[f"pay_{framework}"]
    with opened(importlib.import_module(f"halo_{framework}").Halo, tmp_path) as halo:
        call_inside(framework, halo, lambda: start(lambda: pay(desk)))
    assert desk.paid == []
    start(lambda: pay(desk))  # outside of anything guarded it is the application's own
    assert desk.paid == [EVIL]
