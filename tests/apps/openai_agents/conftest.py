"""Applications of the SDK run without tracing, each with the SDK's own runner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from agents import set_tracing_disabled
from agents.run import AgentRunner, set_default_agent_runner


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    set_tracing_disabled(True)
    set_default_agent_runner(AgentRunner())
    yield
    set_default_agent_runner(None)
