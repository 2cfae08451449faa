"""Room: the loan desk of `halo demo`, in the OpenAI Agents SDK. Takes: a folder. Gives: two sessions in its ledger.

Never: reaches a network.
"""

from halo_core.desk import AGENT, RESEARCH, SESSION, USER
from halo_openai_agents.demo.desk import run_desk

__all__ = ["AGENT", "RESEARCH", "SESSION", "USER", "run_desk"]
