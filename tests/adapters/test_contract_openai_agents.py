"""The OpenAI Agents SDK keeps the adapter contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest
from contract import AdapterContract
from contract_driver import Driver
from openai_agents_driver import OpenAIAgentsDriver

pytestmark = pytest.mark.smoke


class TestOpenAIAgents(AdapterContract):
    driver: ClassVar[Driver] = OpenAIAgentsDriver()


def test_every_case_that_the_page_names_is_here():
    page = Path(__file__).parents[2] / "docs" / "openai-agents.md"
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./tests/adapters/contract\.py\)", page.read_text(encoding="utf-8"))
    assert named
    assert [case for case in named if not hasattr(AdapterContract, case)] == []
