"""Room: the parts of an app as `halo doctor` judges them. Takes: a tool, retriever, LLM, workflow. Gives: rows.

Never: runs anything of the app's, decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.llms.structured_llm import StructuredLLM

from halo_core.coverage import Kind, Status
from halo_core.model import ActionKind
from halo_core.pep.gate import is_made
from halo_core.walk import held, is_a, module_of
from halo_llamaindex._doctor.intact import intact
from halo_llamaindex._doctor.rows import BODY, NOTHING, Cover, gate, named

if TYPE_CHECKING:
    from halo_llamaindex._doctor.app import Examiner

__all__ = ["engine", "index", "model", "retriever", "store", "tool", "workflow"]

_FUNCTIONS: Final = ("_fn", "_async_fn", "_real_fn", "_callback", "_async_callback")
_STORES: Final = ("_vector_store", "_index", "_docstore", "_storage_context", "_graph_store")
_AGENT: Final = frozenset(("llm", "tools", "tool_retriever"))


def _of(x: Any) -> tuple[Any, Any]:
    """A guarded copy's gate and original, if it still is one."""
    found = gate(x)
    whole = found is not None and intact(x, found)
    return (found, found.original) if found is not None and whole else (None, x)


def tool(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A tool, and what its body reaches."""
    found, original = _of(x)
    name = found.name if found is not None else named(x)
    closed = examiner.rows.judge(Kind.TOOL, x, where, cover, name)
    inside = f"{where} > tool `{name}`".lstrip(" >")
    body = BODY if closed else NOTHING
    if found is not None and found.resource.kind is ActionKind.RETRIEVAL:
        body = Cover(f"guarded tool `{name}`, a retrieval", frozenset((Kind.RETRIEVER,)), decided=True)
    own = held(original)
    for key in _FUNCTIONS:
        examiner.visit(own.get(key), inside, body)
    # What a tool over a retriever or an engine holds is guarded on the copy, not on the original.
    parts = held(x)
    more = ((key, value) for key, value in parts.items() if key not in (*_FUNCTIONS, "_metadata", "_halo_gate"))
    examiner.each(more, inside, body)
    examiner.members(type(original), inside, body)
    if module_of(own.get("_real_fn")).startswith("llama_index.tools.mcp"):
        remedy = "its client reaches every tool of its server: hand out tools only"
        examiner.rows.note(Kind.TOOL, f"{name} (MCP)", where, remedy)


def retriever(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A retriever, those inside it, and the store behind it."""
    found, original = _of(x)
    name = found.name if found is not None else named(x)
    closed = examiner.rows.judge(Kind.RETRIEVER, x, where, cover, name)
    place = f"{where} > retriever `{name}`".lstrip(" >")
    body = Cover(f"retriever `{name}`, which holds it", frozenset((Kind.RETRIEVER,)), decided=True)
    parts = held(x)
    for key in _STORES:
        if parts.get(key) is not None:
            examiner.visit(parts.pop(key), place, BODY)
    examiner.each(parts.items(), place, body if closed else NOTHING)
    examiner.members(type(original), place, BODY if closed else NOTHING)


def model(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """An LLM, tools that its provider runs, its client, a model inside it."""
    if is_a(x, StructuredLLM) and gate(x) is None:
        examiner.visit(held(x).get("llm"), where, cover)  # it is what it asks
        return
    found, original = _of(x)
    name = found.name if found is not None else named(x)
    closed = examiner.rows.judge(Kind.MODEL, x, where, cover, name)
    examiner.rows.hosted(original, where, closed=closed)
    examiner.rows.client(original, where)
    body = replace(BODY, point=f"LLM `{name}`, which asks it", kinds=frozenset((Kind.MODEL,))) if closed else NOTHING
    inner = held(original).get("llm")
    examiner.visit(inner, f"{where} > LLM `{name}`".lstrip(" >"), body)


def index(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """An index: whatever it makes is made anew, without a guard."""
    name = f"{type(x).__name__}.as_query_engine"
    remedy = "each call makes a fresh one: guard what it makes, `halo.guard(index.as_retriever())`"
    status = Status.NOTED if cover.decided else Status.OPEN
    examiner.rows.add(Kind.RETRIEVER, name, where, "none", status, remedy)


def store(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A vector store: asking it is a retrieval that carries no guard."""
    name = f"{type(x).__name__}.query"
    remedy = "asking the store itself is not decided: hand out a guarded retriever over it only"
    status = Status.NOTED if cover.decided else Status.OPEN
    examiner.rows.add(Kind.STORE, name, where, "none", status, remedy)


def engine(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A query or chat engine acts through what it holds."""
    examiner.each(held(x).items(), f"{where} > `{type(x).__name__}`".lstrip(" >"), cover)
    examiner.members(type(x), where, cover)


# workflows


def workflow(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """An agent, a team of them, or a workflow of the app's own."""
    found, original = _of(x)
    name = found.name if found is not None else named(x)
    team = is_a(x, AgentWorkflow)
    agentic = team or is_a(x, BaseWorkflowAgent)
    if found is not None or agentic:
        examiner.rows.judge(Kind.AGENT, x, where, NOTHING, name)
    place = f"{where} > workflow `{name}`".lstrip(" >")
    inside = cover
    if found is not None and agentic:
        inside = Cover("guarded workflow", frozenset((Kind.TOOL,)), halo=found.halo)
    if team:
        _team(examiner, x, place, inside, closed=found is not None)
    elif agentic:
        _agent(examiner, x, place, inside)
    more = ((key, item) for key, item in held(x).items() if not agentic or key not in _AGENT | {"agents"})
    examiner.each(more, place, NOTHING if agentic else cover)
    examiner.members(type(original), place, NOTHING)


def _team(examiner: Examiner, x: Any, where: str, cover: Cover, *, closed: bool) -> None:
    agents = held(x).get("agents")
    agents = agents if type(agents) is dict else {}
    for name, agent in agents.items():
        if len(agents) > 1:
            if closed:
                examiner.rows.add(Kind.HANDOFF, str(name), where, "guarded workflow", Status.CLOSED)
            else:
                examiner.rows.undecided(Kind.HANDOFF, str(name), where)
        place = f"{where} > agent `{name}`"
        _agent(examiner, agent, place, cover)
        if _own_call(agent):
            remedy = "a team calls the tools of its agents itself: this override is not asked in it"
            examiner.rows.note(Kind.AGENT, f"{name}._call_tool", where, remedy)
        examiner.members(type(gate(agent).original if gate(agent) is not None else agent), place, NOTHING)  # type: ignore[union-attr]


def _agent(examiner: Examiner, agent: Any, where: str, cover: Cover) -> None:
    own = held(agent)
    examiner.visit(own.get("tools"), where, cover)
    examiner.visit(own.get("llm"), where, NOTHING)
    finder = own.get("tool_retriever")
    if finder is not None:
        name = f"{type(finder).__name__} (finds tools)"
        if Kind.TOOL in cover.kinds:
            examiner.rows.add(Kind.TOOL, name, where, cover.point, Status.CLOSED)
        else:
            examiner.rows.undecided(Kind.TOOL, name, where, "what it finds is not known before: guard the workflow")
        examiner.visit(finder, where, replace(cover, decided=True))


def _own_call(agent: Any) -> bool:
    makers = (base for base in type(agent).__mro__ if "_call_tool" in base.__dict__ and not is_made(base))
    maker = next(makers, None)
    return maker is not None and not maker.__module__.startswith("llama_index.core.")
