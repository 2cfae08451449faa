"""Type checks of `halo_langchain`: every overload of `guard`, and what is put into agents and chains."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_type

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool, StructuredTool
from langchain_core.vectorstores import VectorStore, VectorStoreRetriever
from langgraph.graph import MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph

from halo_core.testing import CountingIds, FixedClock
from halo_langchain import Denied, Halo, HandOff, HostedTool, Impact, Limits, PastAct, Pending, Resource, doctor
from halo_langchain.testing import ScriptedModel, call

Graph = CompiledStateGraph[MessagesState, None, MessagesState, MessagesState]
MONEY = Resource(impact=Impact.PAYMENT, targets=("account",), amount="amount")


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount} to {account}"


def refund(act: PastAct) -> str:
    return f"refunded {act.args['amount']}"


async def look(account: str) -> str:
    """Look at an account."""
    return account


def labels(document: Document) -> list[str]:
    return [document.page_content]


def opening() -> None:
    with Halo.local("desk", limits=Limits(), clock=FixedClock(), ids=CountingIds()) as halo:
        assert_type(halo, Halo)
    assert_type(Halo.local(agent="desk", user="ana@bank"), Halo)
    assert_type(halo.Denied, type[Denied])
    assert_type(halo.Pending, type[Pending])
    Halo.local("desk", limits=7)  # type: ignore[arg-type]


# guard


def functions(halo: Halo, plain: Callable[..., str]) -> None:
    assert_type(halo.guard(pay), BaseTool)
    assert_type(halo.guard(look), BaseTool)
    assert_type(halo.guard(plain), BaseTool)
    assert_type(halo.guard(pay, resource=MONEY), BaseTool)
    assert_type(halo.guard(pay, undo=refund), BaseTool)
    assert_type(halo.guard(pay, resource=MONEY, compensate=refund), BaseTool)
    assert_type(halo.guard(pay, irreversible=True), BaseTool)
    halo.guard(pay, undo=pay)  # type: ignore[arg-type]
    halo.guard([pay], undo=refund)  # type: ignore[call-overload]
    halo.guard(pay, MONEY)  # type: ignore[call-overload]
    halo.guard(pay, give={})  # type: ignore[call-overload]
    halo.guard(pay, resource="payment")  # type: ignore[call-overload]


def tools(halo: Halo, tool: BaseTool, structured: StructuredTool) -> None:
    assert_type(halo.guard(tool), BaseTool)
    assert_type(halo.guard(structured), StructuredTool)
    assert_type(halo.guard(structured, resource=MONEY), StructuredTool)
    halo.guard(tool, labels=labels)  # type: ignore[call-overload]
    halo.guard(tool, agents=["alice"])  # type: ignore[call-overload]


def lists(halo: Halo, tool: BaseTool, structured: StructuredTool) -> None:
    assert_type(halo.guard([pay, tool]), list[BaseTool])
    assert_type(halo.guard((pay, structured)), list[BaseTool])
    assert_type(halo.guard([structured], resource=MONEY), list[BaseTool])
    halo.guard([{"type": "web_search"}])  # type: ignore[list-item]
    halo.guard([tool], agent="desk")  # type: ignore[call-overload]


def retrievers(halo: Halo, retriever: BaseRetriever, store: VectorStore) -> None:
    assert_type(halo.guard(retriever), BaseRetriever)
    assert_type(halo.guard(store.as_retriever()), VectorStoreRetriever)
    assert_type(halo.guard(retriever, resource=Resource(source_trust=900), labels=labels), BaseRetriever)
    halo.guard(retriever, labels=["pii"])  # type: ignore[call-overload]
    halo.guard(retriever, give={})  # type: ignore[call-overload]
    halo.guard(store)  # type: ignore[call-overload]


def models(halo: Halo, model: BaseChatModel, bound: RunnableBinding[LanguageModelInput, AIMessage]) -> None:
    assert_type(halo.guard(model), BaseChatModel)
    assert_type(halo.guard(ScriptedModel(script=["hello"])), ScriptedModel)
    assert_type(halo.guard(model, resource=Resource(id="model")), BaseChatModel)
    assert_type(halo.guard(bound), RunnableBinding[LanguageModelInput, AIMessage])
    halo.guard(model, labels=labels)  # type: ignore[call-overload]
    halo.guard(model, agent="desk")  # type: ignore[call-overload]


def graphs(halo: Halo, graph: Graph, builder: StateGraph[MessagesState]) -> None:
    assert_type(halo.guard(graph), Graph)
    assert_type(halo.guard(graph, agents=["alice"], give={"bob": HandOff(lifetime_s=60)}, agent="team"), Graph)
    assert_type(halo.guard(graph, resource=Resource(id="team")), Graph)
    halo.guard(builder)  # type: ignore[call-overload]
    halo.guard(graph, give={"bob": 60})  # type: ignore[dict-item]
    halo.guard(graph, agents=7)  # type: ignore[call-overload]
    halo.guard(graph, labels=labels)  # type: ignore[call-overload]


def nothing_to_guard(halo: Halo, chain: Runnable[str, str]) -> None:
    halo.guard()  # type: ignore[call-overload]
    halo.guard(7)  # type: ignore[call-overload]
    halo.guard(None)  # type: ignore[call-overload]
    halo.guard("pay")  # type: ignore[arg-type]
    halo.guard(chain)  # type: ignore[call-overload]
    halo.guard({"type": "web_search"})  # type: ignore[call-overload]


# what is put into agents, chains and the process


def hooks(halo: Halo, model: BaseChatModel, chain: Runnable[str, str]) -> None:
    agent = create_agent(halo.guard(model), tools=halo.guard([pay, look]), middleware=[halo.middleware()])
    agent = halo.guard(agent)
    assert_type(chain.invoke("hello", config={"callbacks": [halo.callback()]}), str)
    halo.middleware().no_such_name  # type: ignore[attr-defined]
    halo.callback().no_such_name  # type: ignore[attr-defined]
    halo.middleware("last")  # type: ignore[call-arg]


def installing(halo: Halo) -> None:
    handle = halo.install()
    assert_type(handle.uninstall(), None)
    with halo.install() as installed:
        assert_type(installed.halo, Halo)
    handle.no_such_name  # type: ignore[attr-defined]


def sessions(halo: Halo) -> None:
    with halo.session("case-7", user="ana@bank", request="Pay 90 to ACC-1") as session:
        assert_type(session.id, str)


def examined(graph: Graph) -> None:
    for finding in doctor(graph, name="team"):
        assert_type(finding.where, str)
        assert_type(finding.remedy, str)
    doctor()  # type: ignore[call-arg]
    doctor(graph, name=7)  # type: ignore[arg-type]


def scripted() -> None:
    assert_type(call("Paying.", ("pay", {"account": "ACC-1"}), id="m1"), AIMessage)
    ScriptedModel(script=[call("Paying.", id="m1"), "done"])
    call("Paying.", "pay", id="m1")  # type: ignore[arg-type]
    call("Paying.")  # type: ignore[call-arg]


def refused(error: HostedTool) -> None:
    assert_type(error.code, str)
