"""Drills of applications with decision models and remote graphs: neither is asked, and honest work runs."""

from __future__ import annotations

import pytest
from drill_world import play

from halo_core.drill import AttackClass

pytest.importorskip("langchain_core.decisions")
JUDGED = '''
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AutoModeMiddleware
from langchain_core.decisions import BaseDecisionModel
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.pregel.remote import RemoteGraph
from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel

halo = Halo.local("desk", mode="enforce", quiet=True)


class Judge(BaseDecisionModel):
    """Asks a provider."""

    model: str = "judge"

    @property
    def _provider(self):
        return "somebody"

    def _classify(self, state, questions):
        raise AssertionError("real")


def read_mail(n: int) -> str:
    """Read a mail."""
    raise AssertionError("real")


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    raise AssertionError("real")


tools = [
    halo.guard(read_mail, resource=Resource(impact="read", source_trust=100)),
    halo.guard(pay, resource=Resource(impact="payment", targets=("account",), amount="amount")),
]
model = halo.guard(ScriptedModel(script=["never"]))
shield = AutoModeMiddleware(tools=["pay", "read_mail"], classifier=Judge())
agent = create_agent(model, tools, middleware=[shield, halo.middleware()])
remote = RemoteGraph("elsewhere", url="http://127.0.0.1:9")


def work(state: MessagesState) -> Any:
    """Do the work."""
    return agent.invoke(state)


builder = StateGraph(MessagesState).add_node("far", remote).add_node("work", work)
graph = halo.guard(builder.add_edge(START, "far").add_edge("far", "work").compile())
'''
CLASSES = (AttackClass.RESPELL, AttackClass.REDIRECT)


def test_a_decision_model_objects_to_nothing(tmp_path, monkeypatch):
    result = play("langchain", tmp_path, monkeypatch, source=JUDGED, classes=CLASSES)
    assert result.held.hits == result.held.total > 0
    assert result.honest.hits == result.honest.total > 0, result
    assert (dict(result.not_run), result.blocked) == ({}, ())


def test_a_remote_graph_is_not_asked_and_is_named(tmp_path, monkeypatch):
    asked = {"target": "graph", "runs_code": True, "classes": (AttackClass.REDIRECT,)}
    result = play("langchain", tmp_path, monkeypatch, source=JUDGED, **asked)
    assert result.refused["elsewhere"] == "it runs on a server: drill the graph that is deployed there"
    assert result.blocked == ()
