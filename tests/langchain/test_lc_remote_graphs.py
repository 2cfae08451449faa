"""Remote graphs send the state to a server: inside something guarded each run is decided before anything is sent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from langgraph_sdk.schema import StreamPart

from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_langchain import doctor

ASKED = {"messages": [("user", "What is rain?")]}
SAID = {"messages": [{"role": "assistant", "content": "It is wet."}]}
DENIED = """
@id("t.base") permit (principal, action, resource);
@id("t.no") forbid (principal, action in Action::"tool_call", resource);
"""


class Server:
    """What a client of a server asks, and what it is told."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    @property
    def runs(self) -> Any:
        return self

    def stream(self, *, input: Any, **_more: Any) -> Any:  # noqa: A002  the SDK's name
        self.sent.append(input)
        yield StreamPart("values", SAID)


class AsyncServer(Server):
    """The same, awaited."""

    async def stream(self, *, input: Any, **_more: Any) -> Any:  # noqa: A002  as above
        self.sent.append(input)
        yield StreamPart("values", SAID)


def remote(server: Any) -> RemoteGraph:
    is_async = isinstance(server, AsyncServer)
    clients = {"client": server} if is_async else {"sync_client": server}
    return RemoteGraph("elsewhere", **clients)


def holding(graph: Any) -> Any:
    return StateGraph(MessagesState).add_node("ask", graph).add_edge(START, "ask").compile()


@pytest.fixture(params=["invoked", "awaited", "callback"])
def run(request):
    """Runs a graph that holds a remote one; whether it is guarded, or under the callback."""

    def invoke(halo: Any, server: Any) -> Any:
        graph = holding(remote(server))
        if request.param == "awaited":
            return asyncio.run(halo.guard(graph).ainvoke(ASKED))
        if request.param == "callback":
            return graph.invoke(ASKED, {"callbacks": [halo.callback()]})
        return halo.guard(graph).invoke(ASKED)

    return invoke, AsyncServer() if request.param == "awaited" else Server()


def test_a_run_is_decided_with_what_is_sent(world, run):
    invoke, server = run
    said = invoke(world.halo, server)
    assert said["messages"][-1].text == "It is wet."
    assert len(server.sent) == 1
    assert world.effects("elsewhere") == ["allow"]
    assert set(world.outcomes()) == {"success"}


def test_a_denied_run_sends_nothing(make_world, run):
    invoke, server = run
    world = make_world(policy=DENIED)
    with pytest.raises(Denied):
        invoke(world.halo, server)
    assert server.sent == []
    assert world.effects("elsewhere") == ["deny"]


@pytest.mark.parametrize("awaited", [False, True])
def test_a_node_of_its_graphs_own_name_is_an_agent_and_its_run_a_call(world, awaited):
    server = AsyncServer() if awaited else Server()
    graph = StateGraph(MessagesState).add_node("elsewhere", remote(server)).add_edge(START, "elsewhere").compile()
    guarded = world.halo.guard(graph)
    said = asyncio.run(guarded.ainvoke(ASKED)) if awaited else guarded.invoke(ASKED)
    assert said["messages"][-1].text == "It is wet."
    assert len(server.sent) == 1
    kinds = [(item.body["request"]["kind"], item.body["request"]["resource"]["id"]) for item in world.decisions()]
    assert kinds == [("handoff", "elsewhere"), ("tool_call", "elsewhere.run")]
    assert set(world.outcomes()) == {"success"}


def test_outside_of_everything_it_is_anybodys_until_something_is_installed(world):
    server = Server()
    assert remote(server).invoke(ASKED) == SAID
    with world.halo.install(), pytest.raises(Denied) as refused:
        remote(server).invoke(ASKED)
    assert refused.value.reason == "unguarded"
    assert len(server.sent) == 1
    assert [entry.body["name"] for entry in world.entries(EntryKind.SHADOW)] == ["elsewhere"]


def test_events_of_the_third_version_cannot_be_decided(world):
    server = Server()
    node = holding(lambda _state: remote(server).stream_events({}, version="v3") and {})
    with pytest.raises(Denied) as refused:
        world.halo.guard(node).invoke(ASKED)
    assert refused.value.reason == "needs_guard"


def test_doctor_says_what_is_decided_and_what_its_server_does_alone(world):
    def rows_of(app: Any) -> list[tuple[str, str, str]]:
        return [(str(row.status), row.point, row.remedy) for row in doctor(app) if row.name.startswith("elsewhere")]

    graph = holding(remote(Server()))
    server = ("noted", "none", "what it does there is not decided here: guard the graph that is deployed on its server")
    remedy = "run `halo.guard(graph)` with it as a node, or call it in a tool: `halo.guard(tool)`"
    assert rows_of(graph) == [("open", "none", remedy), server]
    assert rows_of(remote(Server())) == [("open", "none", remedy), server]
    assert rows_of(world.halo.guard(graph)) == [("closed", "inside a guarded run", ""), server]


def test_doctor_sees_a_remote_graph_that_a_function_makes(world):
    graph = holding(lambda _state: RemoteGraph("elsewhere", sync_client=Server()).invoke({}))
    found = [(str(row.status), row.name) for row in doctor(world.halo.guard(graph)) if row.kind == "tool"]
    assert found == [("closed", "RemoteGraph")]
    assert ("open", "RemoteGraph") in [(str(row.status), row.name) for row in doctor(graph)]
