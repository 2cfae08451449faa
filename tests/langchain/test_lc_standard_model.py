"""LangChain's own standard tests for chat models, on a guarded one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_tests.unit_tests import ChatModelUnitTests
from lc_models import Streaming

from halo_langchain import Halo

HALOS: list[Halo] = []


@pytest.fixture(scope="module", autouse=True)
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home: Path = tmp_path_factory.mktemp("standard")
    with Halo.local("desk", home=home, mode="observe", quiet=True) as halo:
        HALOS.append(halo)
        yield
    HALOS.clear()


class Guarded(Streaming):
    """Made, as the tests make a model, by its class."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return HALOS[0].guard(Streaming(*args, **kwargs))


class TestStandard(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> Any:
        return Guarded

    @property
    def has_tool_calling(self) -> bool:
        return True

    @property
    def has_structured_output(self) -> bool:
        return True
