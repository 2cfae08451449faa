"""LangChain's own standard tests for tools and retrievers, on guarded ones."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, tool
from langchain_tests.integration_tests import RetrieversIntegrationTests, ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from halo_core.enforcement.guards import get_guard

pytestmark = pytest.mark.smoke


@tool
def multiply(a: int, b: int) -> int:
    """Multiply two numbers."""
    return a * b


@tool(response_format="content_and_artifact")
async def square(a: int) -> tuple[str, int]:
    """Square a number."""
    return str(a * a), a * a


class Root(BaseTool):
    name: str = "root"
    description: str = "Cube root of a cube."

    def _run(self, cube: int) -> int:
        return round(cube ** (1 / 3))


class Shelf(BaseRetriever):
    k: int = 2

    def _get_relevant_documents(self, query: str, *, run_manager: Any, k: int | None = None) -> list[Document]:
        return [Document(f"{query} {i}") for i in range(k if k is not None else self.k)]


class _Guarded:
    @pytest.fixture(autouse=True)
    def _opened(self, world):
        self.halo = world.halo
        with self.halo.session():
            yield

    def guarded(self, original):
        made = self.halo.guard(original)
        assert get_guard(made) is not None
        return made


class _Multiply(_Guarded):
    @property
    def tool_constructor(self):
        return self.guarded(multiply)

    @property
    def tool_invoke_params_example(self):
        return {"a": 2, "b": 3}


class _Square(_Guarded):
    @property
    def tool_constructor(self):
        return self.guarded(square)

    @property
    def tool_invoke_params_example(self):
        return {"a": 2}


class _Root(_Guarded):
    @property
    def tool_constructor(self):
        return self.guarded(Root())

    @property
    def tool_invoke_params_example(self):
        return {"cube": 27}


class TestAFunctionTool(_Multiply, ToolsUnitTests):
    pass


class TestAFunctionToolInUse(_Multiply, ToolsIntegrationTests):
    pass


class TestAnArtifactTool(_Square, ToolsUnitTests):
    pass


class TestAToolOfAClassOfItsOwn(_Root, ToolsUnitTests):
    pass


class TestAToolOfAClassOfItsOwnInUse(_Root, ToolsIntegrationTests):
    pass


class TestARetriever(_Guarded, RetrieversIntegrationTests):
    @property
    def retriever_constructor(self) -> Any:
        return lambda **params: self.guarded(Shelf(**params))

    @property
    def retriever_query_example(self) -> str:
        return "freight rates"
