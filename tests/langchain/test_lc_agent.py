"""`create_agent` with Halo in it: guard, middleware and callback together decide everything once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, interrupt

from counts import is_thorough
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.delegation import register_agent_resource
from halo_core.errors import Denied
from halo_core.model import EntryKind, Impact
from halo_core.replay import Replayer, ReplayStatus
from halo_core.store.reader import Reader, SealedContents
from halo_core.verification import verify_store
from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call

pytestmark = pytest.mark.smoke

READ = Resource(impact=Impact.READ, source_trust=900)
FORBIDDEN = Resource(impact=Impact.READ, labels=("forbidden",))
ASKED = Resource(impact=Impact.PAYMENT, labels=("asked",))


@pytest.fixture
def ran() -> list[Any]:
    return []


def tools(ran: list[Any]) -> dict[str, Any]:
    @tool
    def look(q: str) -> str:
        """Look."""
        ran.append(("look", q))
        return f"seen {q}"

    @tool
    async def alook(q: str) -> str:
        """Look."""
        ran.append(("alook", q))
        return f"seen {q}"

    @tool
    def pay(to: str, amount: int) -> str:
        """Pay."""
        ran.append(("pay", to, amount))
        return "paid"

    return {"look": look, "alook": alook, "pay": pay}


def agent(world: Any, script: list[AIMessage], guarded: list[Any], **kwargs: Any) -> Any:
    return create_agent(ScriptedModel(script=script), guarded, middleware=[world.halo.middleware()], **kwargs)


def ask(text: str = "look at x") -> dict[str, Any]:
    return {"messages": [HumanMessage(text)]}


def answers(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(m.status, m.text) for m in result["messages"] if isinstance(m, ToolMessage)]


async def run_all(built: Any, given: dict[str, Any], config: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    async def streamed() -> Any:
        return [x async for x in built.astream(given, config, stream_mode="values")][-1]

    thread = asyncio.to_thread
    return [
        await built.ainvoke(given, config),
        await streamed(),
        (await built.abatch([given], config))[0],
        await thread(built.invoke, given, config),
        await thread(lambda: list(built.stream(given, config, stream_mode="values"))[-1]),
        await thread(lambda: built.batch([given], config)[0]),
    ]


async def test_everything_together_is_decided_once(world, ran):
    t = tools(ran)
    guarded = world.halo.guard([t["look"], t["alook"]], resource=READ)
    script = [call("looking", ("look", {"q": "x"}), id="m1")]
    built = agent(world, script, guarded)
    results = await run_all(built, ask(), {"callbacks": [world.halo.callback()]})
    assert [answers(r) for r in results] == [[("success", "seen x")]] * 6
    assert ran == [("look", "x")] * 6
    kinds = Counter(e.body["request"]["kind"] for e in world.decisions())
    assert kinds == {"inference": 12, "tool_call": 6}
    assert Counter(world.outcomes()) == {"success": 18}


async def test_coroutine_tools_too(world, ran):
    guarded = world.halo.guard([tools(ran)["alook"]], resource=READ)
    built = agent(world, [call("looking", ("alook", {"q": "x"}), id="m1")], guarded)
    result = await built.ainvoke(ask(), {"callbacks": [world.halo.callback()]})
    assert answers(result) == [("success", "seen x")]
    assert Counter(e.body["request"]["kind"] for e in world.decisions()) == {"inference": 2, "tool_call": 1}


async def test_a_denial_is_a_message_and_the_run_goes_on(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=FORBIDDEN)
    built = agent(world, [call("looking", ("look", {"q": "x"}), id="m1")], guarded)
    for result in await run_all(built, ask()):
        (answer,) = answers(result)
        assert answer[0] == "error"
        assert answer[1].startswith("deny `look`")
        assert "policy_denied" in answer[1]
        assert result["messages"][-1].text == "done"
    assert ran == []


async def test_without_the_middleware_a_denial_ends_the_run(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=FORBIDDEN)
    built = create_agent(ScriptedModel(script=[call("looking", ("look", {"q": "x"}), id="m1")]), guarded)
    with pytest.raises(Denied):
        await built.ainvoke(ask())
    assert ran == []


def test_a_pause_says_its_id(world, ran):
    guarded = world.halo.guard([tools(ran)["pay"]], resource=ASKED)
    built = agent(world, [call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")], guarded)
    ((status, text),) = answers(built.invoke(ask()))
    (request,) = world.entries(EntryKind.APPROVAL_REQUEST)
    assert status == "error"
    assert text.startswith(f"pending {request.id}")
    assert ran == []


def test_parallel_calls_are_judged_singly(world, ran):
    t = tools(ran)
    guarded = [world.halo.guard(t["look"], resource=READ), world.halo.guard(t["pay"], resource=FORBIDDEN)]
    script = [
        call("both", ("look", {"q": "a"}), ("pay", {"to": "bo", "amount": 1}), ("look", {"q": "b"}), id="m1"),
    ]
    found = answers(agent(world, script, guarded).invoke(ask()))
    assert [status for status, _ in found] == ["success", "error", "success"]
    assert sorted(ran) == [("look", "a"), ("look", "b")]
    assert sorted(world.effects("look")) == ["allow", "allow"]


async def test_a_tool_that_is_not_there(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    built = agent(world, [call("hm", ("rm_rf", {"path": "/"}), id="m1")], guarded)
    for result in await run_all(built, ask()):
        ((status, text),) = answers(result)
        assert (status, "unknown_tool" in text, "look" in text) == ("error", True, True)
    assert world.reasons("rm_rf") == [["unknown_tool"]] * 6


async def test_arguments_that_do_not_validate(world, ran):
    guarded = world.halo.guard([tools(ran)["pay"]], resource=READ)
    built = agent(world, [call("hm", ("pay", {"to": "bo", "amount": "much"}), id="m1")], guarded)
    for result in await run_all(built, ask()):
        ((status, text),) = answers(result)
        assert status == "error"
        assert "amount" in text
    assert world.reasons("pay") == [["invalid_arguments"]] * 6
    assert ran == []


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_an_unguarded_tool_counts_as_undeclared(make_world, ran, mode):
    world = make_world(mode=mode)
    script = [call("looking", ("look", {"q": "x"}), id="m1")]
    result = agent(world, script, [tools(ran)["look"]]).invoke(ask(), {"callbacks": [world.halo.callback()]})
    assert answers(result) == [("success", "seen x")]
    assert world.effects("look") == ["allow"]
    assert world.halo.find_registered("look").classified != "declared"


def test_an_unguarded_tool_is_granted_by_nobody_where_grants_are_given(make_world, ran):
    world = make_world(grants={})
    script = [call("looking", ("look", {"q": "x"}), id="m1")]
    ((status, text),) = answers(agent(world, script, [tools(ran)["look"]]).invoke(ask()))
    assert (status, "tool_not_granted" in text) == ("error", True)
    assert ran == []


@pytest.mark.parametrize("same", [True, False])
def test_what_was_granted_to_a_guarded_tool_is_not_granted_to_another_of_its_name(world, ran, same):
    original = tools(ran)["look"]
    world.halo.guard(original, resource=READ)
    other = original if same else tools(ran)["look"]
    script = [call("looking", ("look", {"q": "x"}), id="m1")]
    ((status, text),) = answers(agent(world, script, [other]).invoke(ask()))
    assert (status, "needs_guard" in text) == ("error", True)
    assert ran == []


def test_middleware_inside_ours_cannot_change_what_runs(world, ran):
    class Swap(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tool_call={**request.tool_call, "args": {"q": "swapped"}}))

    (world.home / "rules" / "t.cedar").write_text(NO_SWAP)
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    built = create_agent(
        ScriptedModel(script=[call("l", ("look", {"q": "x"}), id="m1")]),
        guarded,
        middleware=[world.halo.middleware(), Swap()],
    )
    ((status, _text),) = answers(built.invoke(ask()))
    assert status == "error"
    assert ran == []


def test_middleware_inside_ours_cannot_put_another_tool_into_a_guarded_graph(world, ran):
    class Swap(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tool=tools(ran)["look"]))

    script = [call("l", ("look", {"q": "x"}), id="m1")]
    made = create_agent(
        ScriptedModel(script=script), [tools(ran)["look"]], middleware=[world.halo.middleware(), Swap()]
    )
    ((status, text),) = answers(world.halo.guard(made).invoke(ask()))
    assert (status, "needs_guard" in text) == ("error", True)
    assert ran == []


@pytest.mark.parametrize("guarded", [True, False])
def test_a_server_does_not_name_an_agent_for_its_tool(world, ran, guarded):
    """MCP adapters keep what a server says of its tool as the tool's metadata, and its arguments as a JSON schema."""
    register_agent_resource(world.halo, "bob")
    theirs = StructuredTool(
        name="leak",
        description="Look.",
        args_schema={"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
        func=lambda q: ran.append(q) or "leaked",
        metadata={"readOnlyHint": True, "__handoff_destination": "bob"},
    )
    used = [world.halo.guard(theirs)] if guarded else [theirs]
    ((status, _),) = answers(agent(world, [call("l", ("leak", {"q": "x"}), id="m1")], used).invoke(ask()))
    assert (status, ran) == ("success", ["x"])
    assert (world.decisions("bob"), len(world.decisions("leak"))) == ([], 1)


FAILING = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action, resource) when { context.args.none == 1 };
"""

NO_SWAP = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action == Action::"look", resource)
when { context.args has q && context.args.q == "swapped" };
"""

NO_MODELS = """
@id("p") permit(principal, action, resource);
@id("n") forbid(principal, action in Action::"inference", resource);
"""


def test_a_denied_model_call_ends_the_run(make_world, ran):
    world = make_world(policy=NO_MODELS)
    built = agent(world, [], world.halo.guard([tools(ran)["look"]], resource=READ))
    with pytest.raises(Denied):
        asyncio.run(built.ainvoke(ask()))
    with pytest.raises(Denied):
        built.invoke(ask())
    assert world.effects("scripted") == ["deny", "deny"]


def test_a_tool_of_the_provider_is_refused_by_name(world, ran):
    built = agent(world, [], [{"type": "web_search", "name": "web_search"}])
    with pytest.raises(Denied) as denied:
        built.invoke(ask())
    assert denied.value.reason == "hosted_tool"


def test_a_policy_that_fails_blocks_the_agent(make_world, ran):
    world = make_world(policy=FAILING)
    built = agent(world, [call("l", ("look", {"q": "x"}), id="m1")], world.halo.guard([tools(ran)["look"]]))
    with pytest.raises(Denied):
        built.invoke(ask())
    assert ran == []


async def test_a_closed_ledger_blocks_the_agent(world, ran):
    built = agent(world, [call("l", ("look", {"q": "x"}), id="m1")], world.halo.guard([tools(ran)["look"]]))
    await asyncio.to_thread(world.halo.close)
    with pytest.raises(Denied) as denied:
        await built.ainvoke(ask())
    assert denied.value.reason == "ledger_closed"
    assert ran == []


def test_observe_runs_everything(make_world, ran):
    world = make_world(mode="observe")
    t = tools(ran)
    guarded = [world.halo.guard(t["look"], resource=FORBIDDEN), world.halo.guard(t["pay"], resource=ASKED)]
    script = [call("l", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 1}), ("nope", {}), id="m1")]
    found = answers(agent(world, script, guarded).invoke(ask()))
    assert [status for status, _ in found] == ["success", "success", "error"]
    assert "nope is not a valid tool" in found[2][1]
    assert len(ran) == 2
    assert world.effects("look") == ["deny"]
    assert world.effects("pay") == ["challenge"]


def test_sessions_of_host_thread_and_run(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    script = [call("l", ("look", {"q": "x"}), id="m1")]
    built = agent(world, script, guarded)
    first = built.invoke(ask())
    built.invoke(ask())
    agent(world, script, guarded, checkpointer=InMemorySaver()).invoke(ask(), {"configurable": {"thread_id": "t1"}})
    with world.halo.session("mine", user="bo"):
        built.invoke(ask())
    assert "halo_session" not in first
    contexts = [e.body["request"]["context"] for e in world.decisions()]
    assert [c["session_source"] for c in contexts] == ["run"] * 6 + ["thread"] * 3 + ["host"] * 3
    assert [len({c["session"] for c in contexts[i : i + 3]}) for i in (0, 3, 6, 9)] == [1, 1, 1, 1]
    assert contexts[0]["session"] != contexts[3]["session"]
    assert [world.decisions()[i].session for i in (6, 9)] == ["thread:t1", "mine"]


def test_who_asked_is_recorded(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    script = [call("because I must", ("look", {"q": "x"}), id="m1")]
    agent(world, script, guarded, system_prompt="be good").invoke(ask())
    model, looked, _ = world.decisions()
    assert looked.body["request"]["context"]["turn"] == world.refer_turn("m1")
    assert looked.body["request"]["context"]["call_id"] == world.refer_call("m1-call-0")
    assert looked.body["request"]["context"]["trigger"]["kind"] == "message"
    assert model.body["request"]["context"]["trigger"]["kind"] == "user"
    assert looked.body["snapshot"]["provenance"] == [["/q", "novel"]]  # one letter names nothing


@pytest.mark.parametrize(
    ("message", "origin"),
    [
        (HumanMessage("the code is zebra77"), "user"),
        (SystemMessage("the code is zebra77"), "system"),
        (HumanMessage("the code is zebra77", name="researcher"), "novel"),
        (HumanMessage("the code is zebra77", additional_kwargs={"lc_source": "summarization"}), "novel"),
        (AIMessage("the code is zebra77"), "untrusted"),  # nobody here has said it
    ],
)
def test_whose_words_are_whose(world, ran, message, origin):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    script = [call("hm", ("look", {"q": "zebra77"}), id="m1")]
    if isinstance(message, AIMessage):
        script = [AIMessage("not used"), *script]
    agent(world, script, guarded).invoke({"messages": [message, HumanMessage("go on")]})
    (looked,) = world.decisions("look")
    assert looked.body["snapshot"]["provenance"] == [["/q", origin]]


def test_what_a_model_says_does_not_taint(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    script = [call("zebra77 it is", ("look", {"q": "zebra77"}), id="m1"), call("", ("look", {"q": "zebra77"}), id="m2")]
    agent(world, script, guarded).invoke(ask())
    last = world.decisions("look")[-1].body["snapshot"]
    assert last["session"]["tainted"] is False
    assert last["provenance"] == [["/q", "novel"]]  # the tool has only repeated it


def test_the_same_call_again_in_the_same_turn_gives_the_recorded_result(world, ran):
    class Twice(AgentMiddleware):
        def wrap_tool_call(self, request: Any, handler: Any) -> Any:
            handler(request)
            return handler(request)

    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    built = create_agent(
        ScriptedModel(script=[call("l", ("look", {"q": "x"}), id="m1")]),
        guarded,
        middleware=[Twice(), world.halo.middleware()],
    )
    assert answers(built.invoke(ask())) == [("success", "seen x")]
    assert ran == [("look", "x")]
    assert world.reasons("look")[-1][0] == "already_dispatched"


def test_the_same_call_in_another_turn_runs(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)

    def same(turn: str) -> AIMessage:
        message = call("l", ("look", {"q": "x"}), id=turn)
        message.tool_calls[0]["id"] = "call_0"
        return message

    # With the middleware the turn is the message's id, without it LangGraph's step.
    agent(world, [same("m1"), same("m2")], guarded).invoke(ask())
    create_agent(ScriptedModel(script=[same("m1"), same("m2")]), guarded).invoke(ask())
    assert len(ran) == 4


def test_a_plain_tool_node_is_guarded_too(world, ran):
    t = tools(ran)
    guarded = [world.halo.guard(t["look"], resource=READ), world.halo.guard(t["pay"], resource=FORBIDDEN)]
    graph = ToolNode(guarded, handle_tool_errors=True)
    message = call("b", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 1}), id="m1")
    built = StateGraph(MessagesState).add_node("t", graph).set_entry_point("t").compile()
    found = answers(built.invoke({"messages": [message]}))
    assert [status for status, _ in found] == ["success", "error"]
    assert ran == [("look", "x")]


async def test_a_cancelled_tool_is_recorded_as_such(world):
    started = asyncio.Event()

    @tool
    async def wait(q: str) -> str:
        """Wait."""
        started.set()
        await asyncio.sleep(60)
        return q

    guarded = world.halo.guard([wait], resource=READ)
    task = asyncio.create_task(agent(world, [call("w", ("wait", {"q": "x"}), id="m1")], guarded).ainvoke(ask()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "cancelled" in world.outcomes()


async def test_many_agents_on_one_loop_finish(world, ran):
    t, agents = tools(ran), 64 if is_thorough() else 24
    guarded = world.halo.guard([t["look"], t["alook"]], resource=READ)

    async def one(i: int) -> list[tuple[str, str]]:
        script = [
            call("a", ("look", {"q": f"a{i}"}), ("alook", {"q": f"b{i}"}), id=f"{i}-1"),
            call("b", ("alook", {"q": f"c{i}"}), id=f"{i}-2"),
        ]
        return answers(await agent(world, script, guarded).ainvoke(ask(), {"callbacks": [world.halo.callback()]}))

    found = await asyncio.wait_for(asyncio.gather(*(one(i) for i in range(agents))), 120)
    assert found == [[("success", f"seen {c}{i}") for c in "abc"] for i in range(agents)]
    decisions = world.decisions()
    assert Counter(e.body["request"]["kind"] for e in decisions) == {"inference": 3 * agents, "tool_call": 3 * agents}
    assert len({e.body["request"]["context"]["session"] for e in decisions}) == agents
    assert world.outcomes() == ["success"] * 6 * agents


@pytest.mark.parametrize("idempotent", [True, False])
def test_a_tool_that_interrupts_itself_goes_on(world, idempotent):
    """LangGraph runs the body again from the top on resume; the outcome `paused` says that it had only asked."""

    @tool
    def confirm(q: str) -> str:
        """Confirm."""
        return str(interrupt(q))

    resource = Resource(impact=Impact.READ, source_trust=900, idempotent=idempotent)
    script = [call("c", ("confirm", {"q": "ok?"}), id="m1")]
    built = agent(world, script, [world.halo.guard(confirm, resource=resource)], checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "t"}}
    assert built.invoke(ask(), config)["__interrupt__"]
    ((_, text),) = answers(built.invoke(Command(resume="yes"), config))
    assert text == "yes"


def test_a_person_who_edits_a_call_is_decided_on_what_they_wrote(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    built = create_agent(
        ScriptedModel(script=[call("l", ("look", {"q": "x"}), id="m1")]),
        guarded,
        middleware=[HumanInTheLoopMiddleware(interrupt_on={"look": True}), world.halo.middleware()],
        checkpointer=InMemorySaver(),
    )
    config = {"configurable": {"thread_id": "t"}}
    built.invoke(ask(), config)
    assert world.decisions("look") == []
    edited = {"type": "edit", "edited_action": {"name": "look", "args": {"q": "edited"}}}
    built.invoke(Command(resume={"decisions": [edited]}), config)
    assert ran == [("look", "edited")]
    assert world.effects("look") == ["allow"]


def test_the_ledger_of_an_agent_verifies_and_replays(world, ran):
    t = tools(ran)
    guarded = [world.halo.guard(t["look"], resource=READ), world.halo.guard(t["pay"], resource=ASKED)]
    script = [call("l", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 1}), ("nope", {}), id="m1")]
    agent(world, script, guarded).invoke(ask())
    world.halo.close()
    home = world.home / "halo"
    url = f"sqlite:///{home / 'halo.db'}"
    assert verify_store(url, home, signatures=True).exit_code == 0
    reader = Reader(url)
    replayed = list(Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), "local").replay_all())
    assert [item.status for item in replayed] == [ReplayStatus.IDENTICAL] * 5


async def test_streamed_tokens_pass_through(world, ran):
    guarded = world.halo.guard([tools(ran)["look"]], resource=READ)
    built = agent(world, [AIMessage("three small words")], guarded)
    words = [m.text async for m, _ in built.astream(ask(), stream_mode="messages") if isinstance(m, AIMessage)]
    assert "".join(words) == "three small words"


def test_a_tool_call_in_a_nested_agent_stays_in_the_session(world, ran):
    inner = agent(
        world, [call("l", ("look", {"q": "x"}), id="i1")], world.halo.guard([tools(ran)["look"]], resource=READ)
    )

    @tool
    def delegate(task: str) -> str:
        """Delegate."""
        return str(inner.invoke(ask(task))["messages"][-1].text)

    outer = agent(world, [call("d", ("delegate", {"task": "x"}), id="o1")], world.halo.guard([delegate], resource=READ))
    outer.invoke(ask())
    assert len({e.body["request"]["context"]["session"] for e in world.decisions()}) == 1
    assert ran == [("look", "x")]
