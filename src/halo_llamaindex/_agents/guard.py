"""Room: guarded workflows. Takes: agents, teams of them, an app's own workflows. Gives: copies that are governed.

The copy asks guarded models, decides its agents' tool calls, and enters each agent of a team by a hand-off. Never:
decides itself, changes the original, guards a tool: what nobody guarded is granted by nobody.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentWorkflow, CodeActAgent
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.agent.workflow.codeact_agent import EXECUTE_TOOL_NAME
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Workflow

from halo_core.errors import ConfigError
from halo_core.facade import HandOff
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, gate_of, put_gate
from halo_core.pep.handoff import HANDED, agent_resource, known_agent
from halo_core.pep.names import clean_name
from halo_llamaindex._agents.at import Plan
from halo_llamaindex._agents.kind import PLAN, guarded_class, ways_of
from halo_llamaindex._guarded import not_restorable
from halo_llamaindex._models.guard import guard_model
from halo_llamaindex._own import refuse_own
from halo_llamaindex._tools.guard import gated_copy

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["guard_workflow"]

_TOOLS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_STALE: Final = ("_validation_result", "_broker_config")


def guard_workflow(
    halo: Halo,
    workflow: Workflow,
    *,
    agent: str = "",
    give: Mapping[str, HandOff] | None = None,
    resource: Resource | None = None,
) -> Workflow:
    """A guarded copy of a workflow.

    Args:
        halo: who decides.
        workflow: an agent, a team of agents, or a workflow of the app's own.
        agent: the agent that it is as a whole; to run it is then a hand-off to that agent.
        give: how much of its own whoever hands off gives, by agent.
        resource: what `agent` is.

    Raises:
        ConfigError: another Halo guards it, terms are for nobody in it, or it has entry points of its own.
    """
    gate = gate_of(workflow)
    if gate is not None and gate.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere",
            f"another Halo guards `{gate.name}`",
            field="x",
            remedy="guard the workflow itself, once for each Halo",
        )
    if gate is not None:
        if not (agent or give or resource):
            return workflow
        workflow = gate.original
    refuse_own(workflow, ways_of(type(workflow)))
    team = isinstance(workflow, AgentWorkflow) and len(workflow.agents) > 1
    names = list(workflow.agents) if team and isinstance(workflow, AgentWorkflow) else []
    _terms(halo, give or {}, {*names, *([agent] if agent else ())})
    for name in names:
        agent_resource(halo, name)
    if agent:
        agent_resource(halo, agent, resource)
    elif resource is not None:
        raise ConfigError("not_an_agent", "a workflow has no resource", field="resource", remedy="name it: `agent=`")
    guarded: Workflow = _copied(halo, workflow)
    agentic = isinstance(workflow, AgentWorkflow | BaseWorkflowAgent)
    guarded.__dict__[PLAN] = Plan(halo, team=team, agent=agent, prompts=_prompts(workflow, team=team), agentic=agentic)
    name = agent or getattr(workflow, "name", "") or type(workflow).__name__
    not_restorable(guarded)
    put_gate(guarded, Gate(halo, workflow, name, known_agent(halo, clean_name(name)), HANDED))
    return guarded


def _terms(halo: Halo, give: Mapping[str, HandOff], there: set[str]) -> None:
    for name, terms in give.items():
        if name not in there:
            raise ConfigError(
                "no_such_agent",
                f"`{name}` is no agent here",
                field="give",
                remedy=f"one of: {', '.join(sorted(there))}",
            )
        halo.terms.add(name, terms)


def _code(halo: Halo, workflow: CodeActAgent, tool: Any) -> Any:
    """The tool that the framework makes of what executes code, and names itself: granted if that very function is."""
    known, function = halo.registered(EXECUTE_TOOL_NAME), workflow.code_execute_fn
    its_own = (
        isinstance(tool, FunctionTool)
        and tool.real_fn is function
        # INVARIANT: a grant is of what was guarded, not of whatever has its name.
        and halo.functions.get(EXECUTE_TOOL_NAME) == function
    )
    mine = its_own and tool.metadata.name == EXECUTE_TOOL_NAME and gate_of(tool) is None
    return gated_copy(halo, tool, known) if mine and known is not None and known.kind in _TOOLS else tool


def _copied(halo: Halo, workflow: Any) -> Any:
    guarded = copy.copy(workflow)
    kind: type[Workflow] = type(workflow)
    object.__setattr__(guarded, "__class__", guarded_class(kind))
    for name in _STALE:
        if name in guarded.__dict__:
            guarded.__dict__[name] = None
    if isinstance(workflow, BaseWorkflowAgent):
        guarded.__dict__["llm"] = guard_model(halo, workflow.llm, None)
        if isinstance(workflow, CodeActAgent):
            guarded.__dict__["tools"] = [_code(halo, workflow, tool) for tool in workflow.tools or ()]
    if isinstance(workflow, AgentWorkflow):
        guarded.__dict__["agents"] = {name: guard_workflow(halo, item) for name, item in workflow.agents.items()}
    return guarded


def _prompts(workflow: Any, *, team: bool) -> dict[str, str]:
    if isinstance(workflow, AgentWorkflow):
        found = {name: item.system_prompt for name, item in workflow.agents.items()}
        if not team:
            found = dict.fromkeys(("",), next(iter(found.values())))
    else:
        found = {"": getattr(workflow, "system_prompt", None)}
    return {name: prompt for name, prompt in found.items() if isinstance(prompt, str) and prompt}
