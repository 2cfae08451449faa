"""Room: what a guarded workflow is handed after it was guarded. Takes: memories, swapped models. Gives: guarded ones.

Never: decides, changes what is the host's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.memory import BaseMemory

from halo_core.pep.gate import gate_of
from halo_llamaindex._held import guard_holder
from halo_llamaindex._models.guard import guard_model

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["guarded_memory", "guarded_models"]


def guarded_memory(halo: Halo, memory: Any) -> Any:
    """A memory that asks guarded models; the very same where it asks none."""
    return guard_holder(halo, memory, None, None) if isinstance(memory, BaseMemory) else memory


def guarded_models(halo: Halo, workflow: Any) -> None:
    """Guard a model that was put into a guarded agent, or a copy of one, afterwards."""
    agents = workflow.agents.values() if isinstance(workflow, AgentWorkflow) else (workflow,)
    for agent in agents:
        if isinstance(agent, BaseWorkflowAgent) and gate_of(agent.llm) is None:
            agent.__dict__["llm"] = guard_model(halo, agent.llm, None)
