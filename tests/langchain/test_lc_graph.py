"""`guard(graph)`: what runs inside is decided, and to everybody else the graph is the one that it was."""

from __future__ import annotations

import asyncio
import functools
import inspect
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableLambda, ensure_config
from langchain_core.tools import tool
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import CachePolicy, Command, RetryPolicy, interrupt
from typing_extensions import TypedDict

from halo_core.enforcement.guards import get_guard
from halo_core.errors import ConfigError, Denied
from halo_core.model import EntryKind, Impact
from halo_langchain import Halo, HandOff, Resource
from halo_langchain.testing import ScriptedModel, call

READ = Resource(impact=Impact.READ, source_trust=900)


def joined(left: list[str], right: list[str]) -> list[str]:
    return [*left, *(word for word in right if word not in left)]


class State(TypedDict, total=False):
    seen: Annotated[list[str], joined]


def say(word: str) -> Any:
    def speak(state: State) -> dict[str, Any]:
        return {"seen": [word]}

    return speak


def inner(word: str = "inner") -> Any:
    return StateGraph(State).add_node("work", say(word)).add_edge(START, "work").compile(name=word)


def team(**options: Any) -> Any:
    """start → triage (a function) → worker (a graph) → end."""
    builder = StateGraph(State).add_node("triage", say("triage")).add_node("worker", inner())
    return builder.add_edge(START, "triage").add_edge("triage", "worker").compile(**options)


def toolbox(ran: list[Any]) -> list[Any]:
    @tool
    def add(a: int, b: int) -> int:
        """Add."""
        ran.append((a, b))
        return a + b

    return [add]


def asked(*calls: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"messages": [call("go", *calls, id="m")]}


def run(graph: Any, given: Any, *, awaited: bool, config: Any = None) -> Any:
    return asyncio.run(graph.ainvoke(given, config)) if awaited else graph.invoke(given, config)


# the copy


def test_the_copy_is_of_the_same_class_and_the_original_is_not_changed(world):
    graph = team()
    bound = {name: node.bound for name, node in graph.nodes.items()}
    guarded = world.halo.guard(graph)
    assert isinstance(guarded, type(graph))
    assert type(guarded).__name__ == type(graph).__name__
    assert guarded is not graph
    assert {name: node.bound for name, node in graph.nodes.items()} == bound
    assert get_guard(graph) is None
    assert get_guard(guarded).original is graph
    graph.invoke({"seen": []})
    assert world.decisions() == []


def test_a_guarded_graph_is_left_as_it_is(world):
    guarded = world.halo.guard(team())
    assert world.halo.guard(guarded) is guarded


def test_a_copy_with_another_configuration_stays_guarded(world):
    guarded = world.halo.guard(team()).with_config(tags=["t"])
    assert get_guard(guarded) is not None
    assert guarded.invoke({"seen": []})["seen"] == ["triage", "inner"]
    assert world.effects("worker") == ["allow"]


def test_a_node_that_holds_a_graph_is_an_agent_also_through_a_function(world):
    held = inner("held")

    def asks(state: State) -> dict[str, Any]:
        return held.invoke({"seen": []})

    graph = StateGraph(State).add_node("asks", asks).add_edge(START, "asks").compile()
    world.halo.guard(graph).invoke({"seen": []})
    assert world.effects("asks") == ["allow"]


def test_other_nodes_become_agents_by_name(world):
    graph = world.halo.guard(team(), agents=["triage"])
    graph.invoke({"seen": []})
    assert world.effects("triage") == ["allow"]
    assert world.effects("worker") == ["allow"]


@pytest.mark.parametrize("field", ["agents", "give"])
def test_a_name_that_is_no_node_is_refused_with_the_one_meant(world, field):
    told = {"agents": ["triag"]} if field == "agents" else {"give": {"workr": HandOff(to=())}}
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(team(), **told)
    assert refused.value.code == "no_such_agent"
    assert ("`triage`" if field == "agents" else "`worker`") in refused.value.remedy


def test_one_agent_is_not_given_two_different_terms(world):
    world.halo.guard(team(), give={"worker": HandOff(to=())})
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(team(), give={"worker": HandOff()})
    assert refused.value.code == "terms_taken"


def test_agents_and_terms_belong_to_graphs_and_a_graph_is_no_resource(world):
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(toolbox([]), agent="a")
    assert refused.value.code == "not_a_graph"
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(team(), resource=READ)
    assert refused.value.code == "resource_of_graph"


# nothing else changes


def both(world: Any) -> tuple[Any, Any]:
    return team(), world.halo.guard(team())


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["values", "updates", "debug", "custom", "tasks", ["values", "updates"]])
@pytest.mark.parametrize("subgraphs", [False, True])
def test_streams_say_the_same(world, mode, subgraphs):
    def plain(parts: Any) -> list[Any]:
        return [_stable(part) for part in parts]

    before, after = both(world)
    options = {"stream_mode": mode, "subgraphs": subgraphs}
    assert plain(after.stream({"seen": []}, **options)) == plain(before.stream({"seen": []}, **options))


async def test_asynchronous_streams_and_events_say_the_same(world):
    before, after = both(world)
    for options in ({"stream_mode": "values"}, {"stream_mode": "updates", "subgraphs": True}):
        assert [_stable(x) async for x in after.astream({"seen": []}, **options)] == [
            _stable(x) async for x in before.astream({"seen": []}, **options)
        ]

    async def events(graph: Any) -> list[Any]:
        found = graph.astream_events({"seen": []}, version="v2")
        return [(e["event"], e["name"], e["tags"], _stable(e["data"])) async for e in found]

    assert await events(after) == await events(before)


def _stable(value: Any) -> Any:
    """A part of a stream without ids and times."""
    if isinstance(value, dict):
        unstable = ("id", "timestamp", "checkpoint_id", "run_id", "thread_id")
        return {key: _stable(item) for key, item in value.items() if key not in unstable}
    if isinstance(value, list | tuple):
        return [_stable(item) for item in value]
    return value.split(":")[0] if isinstance(value, str) else value


def test_drawings_schemas_and_subgraphs_are_the_same(world):
    before, after = both(world)
    for xray in (False, True):
        assert after.get_graph(xray=xray).draw_mermaid() == before.get_graph(xray=xray).draw_mermaid()
    assert after.get_graph().to_json() == before.get_graph().to_json()
    assert after.get_input_jsonschema() == before.get_input_jsonschema()
    assert [name for name, _ in after.get_subgraphs()] == [name for name, _ in before.get_subgraphs()]
    assert all(get_guard(graph) is not None for _, graph in after.get_subgraphs())


def test_state_history_and_checkpoint_namespaces_are_the_same(world):
    config = {"configurable": {"thread_id": "1"}}
    found = []
    for graph in (team(checkpointer=InMemorySaver()), world.halo.guard(team(checkpointer=InMemorySaver()))):
        graph.invoke({"seen": []}, config)
        graph.update_state(config, {"seen": ["more"]}, as_node="triage")
        snapshot = graph.get_state(config)
        spaces = sorted(
            {c.config["configurable"]["checkpoint_ns"].split(":")[0] for c in graph.checkpointer.list(None)}
        )
        found.append((snapshot.values, snapshot.next, len(list(graph.get_state_history(config))), spaces))
        assert graph.invoke(None, config)["seen"] == ["triage", "inner", "more"]
    assert found[0] == found[1]


def test_an_interrupted_subgraph_goes_on_under_the_guard(world):
    def ask(state: State) -> dict[str, Any]:
        return {"seen": [interrupt("who?")]}

    sub = StateGraph(State).add_node("ask", ask).add_edge(START, "ask").compile()
    graph = StateGraph(State).add_node("worker", sub).add_edge(START, "worker").compile(checkpointer=InMemorySaver())
    guarded = world.halo.guard(graph)
    config = {"configurable": {"thread_id": "1"}}
    assert guarded.invoke({"seen": []}, config)["__interrupt__"][0].value == "who?"
    assert guarded.get_state(config, subgraphs=True).tasks[0].state.next == ("ask",)
    assert guarded.invoke(Command(resume="me"), config)["seen"] == ["me"]
    assert world.effects("worker") == ["allow", "allow"]
    assert world.outcomes() == ["paused", "success"]


# caches, retries


def test_a_node_cache_is_off_in_the_copy_and_that_is_said_once(world, capsys):
    world.halo._quiet = False
    graph = StateGraph(State).add_node("worker", inner(), cache_policy=CachePolicy()).add_edge(START, "worker")
    compiled = graph.compile(cache=InMemoryCache())
    guarded = world.halo.guard(compiled)
    for _ in range(2):
        guarded.invoke({"seen": []})
    assert world.effects("worker") == ["allow", "allow"]
    assert compiled.nodes["worker"].cache_policy is not None
    world.halo.guard(compiled)
    assert capsys.readouterr().err.count("the cache of `worker` is off") == 1


def test_a_denial_is_not_retried_and_an_error_is(world):
    attempts = []

    def flaky(state: State) -> dict[str, Any]:
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionError
        return {"seen": ["done"]}

    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    graph = StateGraph(State).add_node("worker", flaky, retry_policy=policy).add_edge(START, "worker").compile()
    assert world.halo.guard(graph, agents=["worker"]).invoke({"seen": []})["seen"] == ["done"]
    assert world.effects("worker") == ["allow", "allow"]


def test_a_denied_entry_is_asked_once_whatever_the_retry_policy(make_world):
    world = make_world(grants={})
    policy = RetryPolicy(max_attempts=3, initial_interval=0.001, jitter=False)
    graph = StateGraph(State).add_node("worker", say("x"), retry_policy=policy).add_edge(START, "worker").compile()
    with pytest.raises(Denied) as denied:
        world.halo.guard(graph, agents=["worker"]).invoke({"seen": []})
    assert denied.value.reason == "handoff_not_allowed"
    assert world.effects("worker") == ["deny"]


# sessions, and what is kept


def test_a_run_without_a_thread_has_a_session_of_its_own(world):
    guarded = world.halo.guard(team(), agents=["triage"])
    guarded.invoke({"seen": []})
    guarded.invoke({"seen": []})
    sessions = [e.body["request"]["context"] for e in world.decisions()]
    assert {s["session_source"] for s in sessions} == {"run"}
    assert len({s["session"] for s in sessions}) == 2
    assert [s["session"] for s in sessions[:2]] == [sessions[0]["session"]] * 2


def test_a_thread_is_a_session_and_so_is_one_that_the_host_opened(world):
    guarded = world.halo.guard(team())
    guarded.invoke({"seen": []}, {"configurable": {"thread_id": "7"}})
    with world.halo.session("mine"):
        guarded.invoke({"seen": []}, {"configurable": {"thread_id": "7"}})
    assert [e.session for e in world.decisions()] == ["thread:7", "mine"]


def test_nothing_of_the_passport_or_the_session_is_persisted(world):
    saver = InMemorySaver()
    with world.halo.session("mine-and-secret"):
        world.halo.guard(team(checkpointer=saver)).invoke({"seen": []}, {"configurable": {"thread_id": "1"}})
    kept = repr((saver.storage, saver.writes, saver.blobs))
    kept += repr([(c.config, c.checkpoint, c.metadata, c.pending_writes) for c in saver.list(None)])
    told = [e.body for e in world.entries(EntryKind.PASSPORT) if "handle" in e.body]
    assert {body["agent"] for body in told} == {"desk", "worker"}
    handles = [body["handle"] for body in told]
    digests = [body["hash"] for body in told]
    for secret in ("halo", "mine-and-secret", *handles, *digests, *(e.id for e in world.decisions())):
        assert secret not in kept


def test_the_session_of_a_run_is_in_no_metadata(world):
    seen = []

    def look(state: State) -> dict[str, Any]:
        seen.append(ensure_config())
        return {}

    graph = StateGraph(State).add_node("look", look).add_edge(START, "look").compile()
    world.halo.guard(graph).invoke({"seen": []})
    assert seen[0]["configurable"]["__halo_session"].startswith("run-")
    assert "run-" not in repr(seen[0]["metadata"])


# tool nodes


def tool_graph(node: ToolNode) -> Any:
    return StateGraph(MessagesState).add_node("tools", node).add_edge(START, "tools").add_edge("tools", END).compile()


def answers(result: Any) -> list[tuple[str, str]]:
    return [(m.status, m.text) for m in result["messages"] if isinstance(m, ToolMessage)]


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("handled", [True, False, "oops", ValueError])
def test_a_tool_node_refuses_what_nobody_granted_whoever_handles_its_errors(make_world, handled, awaited):
    world = make_world(grants={})
    ran: list[Any] = []
    guarded = world.halo.guard(tool_graph(ToolNode(toolbox(ran), handle_tool_errors=handled)))
    given = asked(("add", {"a": 1, "b": 2}))
    result = run(guarded, given, awaited=awaited)
    ((status, text),) = answers(result)
    assert status == "error"
    assert "tool_not_granted" in text
    assert ran == []
    assert world.effects("add") == ["deny"]


def test_a_guarded_tool_in_a_tool_node_is_decided_once(world):
    ran: list[Any] = []
    node = ToolNode(world.halo.guard(toolbox(ran), resource=READ))
    result = world.halo.guard(tool_graph(node)).invoke(asked(("add", {"a": 1, "b": 2})))
    assert answers(result) == [("success", "3")]
    assert len(world.decisions("add")) == 1
    assert world.decisions("add")[0].body["request"]["context"]["turn"] == world.refer_turn("m")


def test_a_wrapper_of_the_users_runs_outside_of_the_decision(world):
    ran: list[Any] = []

    def more(request: Any, handler: Any) -> Any:
        changed = {**request.tool_call, "args": {"a": 5, "b": 5}}
        return handler(request.override(tool_call=changed))

    node = ToolNode(world.halo.guard(toolbox(ran), resource=READ), wrap_tool_call=more)
    result = world.halo.guard(tool_graph(node)).invoke(asked(("add", {"a": 1, "b": 2})))
    assert answers(result) == [("success", "10")]
    assert ran == [(5, 5)]
    assert len(world.decisions("add")) == 1


def test_errors_of_a_tool_go_the_way_they_went(world):
    @tool
    def breaks() -> str:
        """Break."""
        raise LookupError("gone")

    guarded = world.halo.guard(breaks, resource=READ)
    given = asked(("breaks", {}))
    with pytest.raises(LookupError):
        world.halo.guard(tool_graph(ToolNode([guarded]))).invoke(given)
    for handled in (True, "oops", LookupError):
        before = tool_graph(ToolNode([breaks], handle_tool_errors=handled)).invoke(given)
        after = world.halo.guard(tool_graph(ToolNode([guarded], handle_tool_errors=handled))).invoke(given)
        assert answers(after) == answers(before)


def test_a_call_of_no_tool_is_recorded_and_answered(world):
    result = world.halo.guard(tool_graph(ToolNode(toolbox([])))).invoke(asked(("nothing", {})))
    ((status, text),) = answers(result)
    assert (status, "unknown_tool" in text) == ("error", True)
    assert world.reasons("nothing") == [["unknown_tool"]]


def test_a_tool_node_inside_a_sequence_is_guarded(make_world):
    world = make_world(grants={})
    ran: list[Any] = []
    sequence = RunnableLambda(lambda state: state) | ToolNode(toolbox(ran))
    graph = StateGraph(MessagesState).add_node("tools", sequence).add_edge(START, "tools").compile()
    result = world.halo.guard(graph).invoke(asked(("add", {"a": 1, "b": 2})))
    assert answers(result)[0][0] == "error"
    assert ran == []


def test_tools_of_a_tool_node_are_registered_said_and_granted(world, capsys):
    world.halo._quiet = False
    ran: list[Any] = []
    result = world.halo.guard(tool_graph(ToolNode(toolbox(ran)))).invoke(asked(("add", {"a": 1, "b": 2})))
    assert answers(result) == [("success", "3")]
    assert world.effects("add") == ["allow"]
    assert "`add` classified as" in capsys.readouterr().err


def test_finding_a_tool_again_does_not_change_what_was_declared_of_it(world):
    (declared,) = world.halo.guard(toolbox([]), resource=READ)
    guarded = world.halo.guard(tool_graph(ToolNode(toolbox([]))))
    assert world.halo.find_registered("add") == get_guard(declared).resource
    guarded.invoke(asked(("add", {"a": 1, "b": 2})))
    assert world.decisions("add")[0].body["request"]["resource"]["impact"] == "read"


def test_two_tools_of_one_name_with_other_arguments_are_refused_by_both_their_places(world):
    @tool("add")
    def other(words: str) -> str:
        """Add words."""
        return words

    graph = StateGraph(MessagesState).add_node("sums", tool_graph(ToolNode(toolbox([]))))
    graph.add_node("texts", tool_graph(ToolNode([other]))).add_edge(START, "sums")
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(graph.compile())
    assert refused.value.code == "resource_id_taken"
    assert "`texts > tools`" in refused.value.message
    assert "`sums > tools`" in refused.value.message


def test_a_tool_that_comes_while_the_node_runs_is_undeclared(world):
    ran: list[Any] = []
    (brought,) = toolbox(ran)

    def bring(request: Any, handler: Any) -> Any:
        return handler(request.override(tool=brought))

    node = ToolNode([], wrap_tool_call=bring)
    ((status, text),) = answers(world.halo.guard(tool_graph(node)).invoke(asked(("add", {"a": 1, "b": 2}))))
    assert (status, text, len(ran), len(world.decisions("add"))) == ("success", "3", 1, 1)


@pytest.mark.parametrize("awaited", [False, True])
def test_an_agent_with_the_middleware_inside_a_guarded_graph_decides_once(world, awaited):
    ran: list[Any] = []
    script = [call("go", ("add", {"a": 1, "b": 2}), ("nothing", {}), id="m1"), AIMessage("end")]
    tools = world.halo.guard(toolbox(ran), resource=READ)
    agent = create_agent(ScriptedModel(script=script), tools=tools, middleware=[world.halo.middleware()], name="clerk")
    graph = world.halo.guard(StateGraph(MessagesState).add_node("clerk", agent).add_edge(START, "clerk").compile())
    given = {"messages": [("user", "hi")]}
    result = run(graph, given, awaited=awaited)
    assert result["messages"][-1].text == "end"
    assert [len(world.decisions(name)) for name in ("clerk", "add", "nothing", "scripted")] == [1, 1, 1, 2]
    assert {e.body["request"]["subject"]["agent"] for e in world.decisions("add")} == {"clerk"}


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_what_the_middleware_records_of_a_call_that_cannot_be_made_the_node_does_not_record_again(
    make_world, mode, awaited
):
    world = make_world(mode)
    calls = call("go", ("add", {"a": "no number", "b": 2}), ("nothing", {}), id="m1")
    agent = create_agent(
        ScriptedModel(script=[calls, AIMessage("end")]),
        tools=world.halo.guard(toolbox([]), resource=READ),
        middleware=[world.halo.middleware()],
        name="clerk",
    )
    graph = world.halo.guard(StateGraph(MessagesState).add_node("clerk", agent).add_edge(START, "clerk").compile())
    run(graph, {"messages": [("user", "hi")]}, awaited=awaited)
    assert world.reasons("add") == [["invalid_arguments"]]
    assert world.reasons("nothing") == [["unknown_tool"]]


# observe mode


def test_observe_mode_lets_everything_run_and_records_it(make_world):
    world = make_world("observe", grants={})
    ran: list[Any] = []
    builder = StateGraph(MessagesState).add_node("tools", ToolNode(toolbox(ran))).add_node("worker", lambda _: {})
    builder.add_edge(START, "tools").add_edge("tools", "worker")
    world.halo.guard(builder.compile(), agents=["worker"]).invoke(asked(("add", {"a": 1, "b": 2})))
    assert ran == [(1, 2)]
    assert world.effects("add") == ["deny"]
    assert world.effects("worker") == ["deny"]


# what is refused at once


def test_two_nodes_that_would_be_one_agent_are_refused(world):
    graph = StateGraph(State).add_node("a?", say("x")).add_node("a!", say("y")).add_edge(START, "a?").compile()
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(graph, agents=["a?", "a!"])
    assert refused.value.code == "agents_alike"


def test_a_graph_that_another_halo_guards_is_refused_and_inside_another_graph_left_to_it(world, tmp_path):
    with Halo.local("other", home=tmp_path / "o", mode="enforce", grants={}, quiet=True) as other:
        guarded = other.guard(inner(), agents=["work"])
        with pytest.raises(ConfigError) as refused:
            world.halo.guard(guarded)
        assert refused.value.code == "guarded_elsewhere"
        graph = StateGraph(State).add_node("worker", guarded).add_edge(START, "worker").compile()
        with pytest.raises(Denied) as denied:
            world.halo.guard(graph).invoke({"seen": []})
    assert denied.value.reason == "handoff_not_allowed"
    assert (world.effects("worker"), world.effects("work")) == (["allow"], [])


def test_a_name_that_a_tool_has_is_not_an_agents(world):
    world.halo.guard(toolbox([]), resource=READ)
    graph = StateGraph(State).add_node("add", inner()).add_edge(START, "add").compile()
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(graph)
    assert refused.value.code == "resource_id_taken"


def test_a_tool_that_is_called_like_an_agent_is_not_granted_as_one(world):
    ran: list[Any] = []

    @tool
    def worker() -> str:
        """Work."""
        ran.append(1)
        return "done"

    world.halo.guard(team())
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(tool_graph(ToolNode([worker])))
    assert refused.value.code == "resource_id_taken"
    other = world.halo.guard(worker, resource=Resource(id="work", labels=("forbidden",)))
    result = world.halo.guard(tool_graph(ToolNode([other]))).invoke(asked(("worker", {})))
    assert answers(result)[0][0] == "error"
    assert ran == []


# graphs that functions hold


def through_a_closure(graph: Any) -> Any:
    def asks(state: MessagesState) -> Any:
        return graph.invoke(state)

    return asks


def through_a_helper(graph: Any) -> Any:
    helper = through_a_closure(graph)

    @functools.wraps(helper)
    def asks(state: MessagesState) -> Any:
        return helper(state)

    return asks


def by_default(graph: Any) -> Any:
    def asks(state: MessagesState, *, graph: Any = graph) -> Any:
        return graph.invoke(state)

    return asks


def applied(graph: Any, state: MessagesState) -> Any:
    return graph.invoke(state)


HELD = {
    "closure": through_a_closure,
    "helper": through_a_helper,
    "default": by_default,
    "partial": lambda graph: functools.partial(applied, graph),
    "partial keyword": lambda graph: functools.partial(lambda state, *, graph: graph.invoke(state), graph=graph),
    "method": lambda graph: graph.invoke,
    "lambda": lambda graph: RunnableLambda(through_a_closure(graph)),
    "sequence": lambda graph: RunnableLambda(lambda state: state) | through_a_closure(graph),
}


def held_graph(ran: list[Any], hold: Any) -> Any:
    graph = tool_graph(ToolNode(toolbox(ran)))
    return StateGraph(MessagesState).add_node("asks", hold(graph)).add_edge(START, "asks").compile()


@pytest.mark.parametrize("how", HELD)
def test_a_graph_that_a_function_holds_is_guarded_and_the_original_is_not(world, how):
    ran: list[Any] = []
    graph = held_graph(ran, HELD[how])
    guarded = world.halo.guard(graph)
    given = asked(("add", {"a": 1, "b": 2}))
    assert answers(graph.invoke(given)) == [("success", "3")]
    assert world.decisions() == []
    assert answers(guarded.invoke(given)) == [("success", "3")]
    assert [e.body["request"]["subject"]["chain"] for e in world.decisions("add")] == [["desk", "asks"]]
    assert answers(graph.invoke(given)) == [("success", "3")]
    assert len(world.decisions("add")) == 1
    for xray in (False, True):
        assert guarded.get_graph(xray=xray).draw_mermaid() == graph.get_graph(xray=xray).draw_mermaid()


def test_what_a_function_shares_with_others_it_shares_after_the_guard(world):
    graph, count = inner("held"), 0

    def asks(state: State) -> Any:
        nonlocal count
        count += 1
        return graph.invoke(state)

    compiled = StateGraph(State).add_node("asks", asks).add_edge(START, "asks").compile()
    world.halo.guard(compiled).invoke({"seen": []})
    compiled.invoke({"seen": []})
    assert count == 2
    made = world.halo.guard(compiled).nodes["asks"].bound.func
    assert (made.__name__, made.__qualname__, made.__module__) == (asks.__name__, asks.__qualname__, asks.__module__)
    assert made.__annotations__ == asks.__annotations__
    assert inspect.getclosurevars(asks).nonlocals["graph"] is graph
    assert get_guard(inspect.getclosurevars(made).nonlocals["graph"]).original is graph


def test_a_graph_whose_function_holds_the_graph_itself_is_copied_once(world):
    def asks(state: State) -> Any:
        return {"seen": ["end"]} if state["seen"] else graph.invoke({"seen": ["again"]})

    graph = StateGraph(State).add_node("asks", asks).add_edge(START, "asks").compile()
    guarded = world.halo.guard(graph)
    assert inspect.getclosurevars(guarded.nodes["asks"].bound.func).nonlocals["graph"] is guarded
    assert guarded.invoke({"seen": []})["seen"] == ["again", "end"]
    assert len(world.decisions("asks")) == 2


# what is said


def said(world: Any, graph: Any, capsys: Any) -> list[str]:
    capsys.readouterr()
    world.halo._quiet = False
    world.halo.guard(graph)
    return [line for line in capsys.readouterr().err.splitlines() if "not decided" in line]


def test_what_stays_undecided_is_said_once(world, capsys):
    class Store:
        """A graph store that nobody guards."""

        def query(self, query: str) -> Any: ...

        def get_schema(self) -> str: ...

    store = Store()
    clerk = create_agent(ScriptedModel(script=[]), tools=toolbox([]), name="clerk")

    def asks(_state: MessagesState) -> Any:
        return store.query("MATCH (n) DETACH DELETE n")

    builder = StateGraph(MessagesState).add_node("clerk", clerk).add_node("asks", asks)
    graph = builder.add_edge(START, "clerk").compile(name="office")
    line = "halo: not decided inside `office`: Store (runs statements) (tool); guard them, see `halo doctor`"
    assert said(world, graph, capsys) == [line]
    assert said(world, graph, capsys) == []


def test_nothing_is_said_where_all_is_decided(world, capsys):
    clerk = create_agent(ScriptedModel(script=[]), tools=toolbox([]), name="clerk")
    graph = StateGraph(MessagesState).add_node("clerk", clerk).add_edge(START, "clerk").compile()
    assert said(world, graph, capsys) == []


# the functional interface


@pytest.mark.parametrize("awaited", [False, True])
def test_an_entrypoint_is_guarded_like_any_graph(world, awaited):
    read = world.halo.guard(toolbox([])[0], resource=READ)

    @task
    def step(number: int) -> int:
        return read.invoke({"a": number, "b": 1})

    @entrypoint()
    def flow(number: int) -> int:
        return step(number).result()

    @entrypoint()
    async def aflow(number: int) -> int:
        return await step(number)

    assert run(world.halo.guard(aflow if awaited else flow), 3, awaited=awaited) == 4
    assert world.decisions("add")[0].body["request"]["context"]["session_source"] == "run"
