"""The OpenAI Agents SDK keeps the adapter contract."""

from __future__ import annotations

from typing import ClassVar

from contract import AdapterContract
from contract_driver import Driver
from openai_agents_driver import OpenAIAgentsDriver


class TestOpenAIAgents(AdapterContract):
    driver: ClassVar[Driver] = OpenAIAgentsDriver()
