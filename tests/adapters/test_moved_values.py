"""In each framework, no value gains trust by being respelled, split, encoded or moved, and honest work still runs."""

from __future__ import annotations

from typing import ClassVar

import pytest
from exposure_contract import Talker
from moved_values_contract import MovedValuesContract
from test_exposure_langchain import LangChainTalker
from test_exposure_llamaindex import LlamaIndexTalker
from test_exposure_openai_agents import OpenAITalker

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


class TestLangChain(MovedValuesContract):
    talker: ClassVar[Talker] = LangChainTalker()


class TestLlamaIndex(MovedValuesContract):
    talker: ClassVar[Talker] = LlamaIndexTalker()


class TestOpenAIAgents(MovedValuesContract):
    talker: ClassVar[Talker] = OpenAITalker()
