"""Type checks of `halo_llamaindex`: every overload of `guard`, the observer, the challenge."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_type

from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.evaluation import BaseEvaluator
from llama_index.core.llms import LLM, ChatMessage
from llama_index.core.memory import BaseMemory
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import BaseNode
from llama_index.core.tools import BaseTool, FunctionTool, QueryEngineTool
from llama_index.core.types import BasePydanticProgram
from llama_index.core.workflow import Workflow
from pydantic import BaseModel

from halo_core.testing import CountingIds, FixedClock
from halo_llamaindex import (
    Denied,
    Halo,
    HaloChallenge,
    HandOff,
    HostedTool,
    Impact,
    Limits,
    PastAct,
    Pending,
    Resource,
    doctor,
)
from halo_llamaindex.testing import ScriptedLLM, call

MONEY = Resource(impact=Impact.PAYMENT, targets=("account",), amount="amount")


class Answer(BaseModel):
    """What a program makes."""

    text: str


def pay(account: str, amount: float) -> str:
    """Pay an amount to an account."""
    return f"paid {amount} to {account}"


def refund(act: PastAct) -> str:
    return f"refunded {act.args['amount']}"


async def look(account: str) -> str:
    """Look at an account."""
    return account


def labels(node: BaseNode) -> list[str]:
    return [node.get_content()]


def opening() -> None:
    with Halo.local("desk", limits=Limits(), clock=FixedClock(), ids=CountingIds()) as halo:
        assert_type(halo, Halo)
    assert_type(Halo.local(agent="desk", user="ana@bank"), Halo)
    assert_type(halo.Denied, type[Denied])
    assert_type(halo.Pending, type[Pending])
    Halo.local("desk", limits=7)  # type: ignore[arg-type]


# guard


def functions(halo: Halo, plain: Callable[..., str]) -> None:
    assert_type(halo.guard(pay), FunctionTool)
    assert_type(halo.guard(look), FunctionTool)
    assert_type(halo.guard(plain), FunctionTool)
    assert_type(halo.guard(pay, resource=MONEY), FunctionTool)
    assert_type(halo.guard(pay, undo=refund), FunctionTool)
    assert_type(halo.guard(pay, resource=MONEY, compensate=refund), FunctionTool)
    assert_type(halo.guard(pay, irreversible=True), FunctionTool)
    halo.guard(pay, undo=pay)  # type: ignore[arg-type]
    halo.guard([pay], undo=refund)  # type: ignore[call-overload]
    halo.guard(pay, MONEY)  # type: ignore[call-overload]
    halo.guard(pay, give={})  # type: ignore[call-overload]
    halo.guard(pay, labels=labels)  # type: ignore[call-overload]
    halo.guard(pay, resource="payment")  # type: ignore[call-overload]


def tools(halo: Halo, tool: BaseTool, function: FunctionTool, engine: QueryEngineTool) -> None:
    assert_type(halo.guard(tool), BaseTool)
    assert_type(halo.guard(function), FunctionTool)
    assert_type(halo.guard(function, resource=MONEY), FunctionTool)
    assert_type(halo.guard(engine), QueryEngineTool)
    halo.guard(tool, labels=labels)  # type: ignore[call-overload]
    halo.guard(tool, agent="desk")  # type: ignore[call-overload]


def lists(halo: Halo, tool: BaseTool, llm: LLM) -> None:
    assert_type(halo.guard([pay, tool]), list[BaseTool])
    assert_type(halo.guard((pay, look), resource=MONEY), list[BaseTool])
    guarded = halo.guard([pay, look])
    assert_type(guarded, list[BaseTool])
    FunctionAgent(tools=halo.guard([pay, look]), llm=llm)
    halo.guard([{"type": "web_search"}])  # type: ignore[list-item]
    halo.guard([tool], agent="desk")  # type: ignore[call-overload]
    halo.guard([7])  # type: ignore[list-item]


def retrievers(halo: Halo, retriever: BaseRetriever, index: VectorStoreIndex) -> None:
    assert_type(halo.guard(retriever), BaseRetriever)
    assert_type(halo.guard(index.as_retriever(), resource=Resource(source_trust=900), labels=labels), BaseRetriever)
    halo.guard(retriever, labels=["pii"])  # type: ignore[call-overload]
    halo.guard(retriever, give={})  # type: ignore[call-overload]
    halo.guard(index)  # type: ignore[call-overload]


def engines(halo: Halo, query: BaseQueryEngine, chat: BaseChatEngine, index: VectorStoreIndex) -> None:
    assert_type(halo.guard(query), BaseQueryEngine)
    assert_type(halo.guard(index.as_query_engine(), resource=Resource(id="handbook"), labels=labels), BaseQueryEngine)
    assert_type(halo.guard(chat), BaseChatEngine)
    halo.guard(query, agent="reader")  # type: ignore[call-overload]


def components(
    halo: Halo,
    memory: BaseMemory,
    evaluator: BaseEvaluator,
    postprocessor: BaseNodePostprocessor,
    synthesizer: BaseSynthesizer,
    program: BasePydanticProgram[Answer],
) -> None:
    assert_type(halo.guard(memory), BaseMemory)
    assert_type(halo.guard(evaluator), BaseEvaluator)
    assert_type(halo.guard(postprocessor), BaseNodePostprocessor)
    assert_type(halo.guard(synthesizer), BaseSynthesizer)
    assert_type(halo.guard(program), BasePydanticProgram[Answer])


def models(halo: Halo, llm: LLM) -> None:
    assert_type(halo.guard(llm), LLM)
    assert_type(halo.guard(ScriptedLLM(script=["hello"])), ScriptedLLM)
    assert_type(halo.guard(llm, resource=Resource(id="model")), LLM)
    halo.guard(llm, labels=labels)  # type: ignore[call-overload]
    halo.guard(llm, agent="desk")  # type: ignore[call-overload]


def workflows(halo: Halo, workflow: Workflow, agent: FunctionAgent, team: AgentWorkflow) -> None:
    assert_type(halo.guard(workflow), Workflow)
    assert_type(halo.guard(agent), FunctionAgent)
    assert_type(halo.guard(team, give={"bob": HandOff(lifetime_s=60)}, agent="team"), AgentWorkflow)
    assert_type(halo.guard(team, resource=Resource(id="team")), AgentWorkflow)
    halo.guard(team, give={"bob": 60})  # type: ignore[dict-item]
    halo.guard(team, labels=labels)  # type: ignore[call-overload]


def nothing_to_guard(halo: Halo) -> None:
    halo.guard()  # type: ignore[call-overload]
    halo.guard(7)  # type: ignore[call-overload]
    halo.guard(None)  # type: ignore[call-overload]
    halo.guard("pay")  # type: ignore[arg-type]
    halo.guard({"type": "web_search"})  # type: ignore[call-overload]


# what is put into the process


def observing(halo: Halo) -> None:
    handle = halo.observe()
    assert_type(handle.uninstall(), None)
    with halo.install() as installed:
        assert_type(installed.uninstall(), None)
    handle.no_such_name  # type: ignore[attr-defined]
    installed.no_such_name  # type: ignore[attr-defined]
    halo.middleware()  # type: ignore[attr-defined]


def sessions(halo: Halo) -> None:
    with halo.session("case-7", user="ana@bank", request="Pay 90 to ACC-1") as session:
        assert_type(session.id, str)


def examined(team: AgentWorkflow) -> None:
    for finding in doctor(team, name="team"):
        assert_type(finding.where, str)
        assert_type(finding.remedy, str)
    doctor()  # type: ignore[call-arg]
    doctor(team, name=7)  # type: ignore[arg-type]


def challenged(challenge: HaloChallenge) -> None:
    assert_type(challenge.pending_id, str)
    assert_type(challenge.answer_with, str)


def scripted() -> None:
    assert_type(call("Paying.", ("pay", {"account": "ACC-1"}), id="m1"), ChatMessage)
    ScriptedLLM(script=[call("Paying.", id="m1"), "done"])
    call("Paying.", "pay", id="m1")  # type: ignore[arg-type]
    call("Paying.")  # type: ignore[call-arg]


def refused(error: HostedTool) -> None:
    assert_type(error.code, str)
