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
