"""Tools, retrievers and models without Halo that note in `RAN` that they ran."""

from __future__ import annotations

from typing import Any

from langchain_core.documents import Document
from langchain_core.language_models import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool

RAN: list[str] = []


@tool
def look(q: str) -> str:
    """Look."""
    RAN.append("look")
    return f"seen {q}"


@tool
async def alook(q: str) -> str:
    """Look."""
    RAN.append("alook")
    return f"seen {q}"


class Shelf(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        RAN.append("shelf")
        return [Document("one"), Document("two")]


class AsyncShelf(Shelf):
    async def _aget_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return self._get_relevant_documents(query, run_manager=run_manager)


class Chat(FakeListChatModel):
    def _call(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("chat")
        return super()._call(*args, **kwargs)

    def _stream(self, *args: Any, **kwargs: Any) -> Any:
        RAN.append("chat")
        yield from super()._stream(*args, **kwargs)

    async def _astream(self, *args: Any, **kwargs: Any) -> Any:
        RAN.append("chat")
        async for item in super()._astream(*args, **kwargs):
            yield item


class Text(FakeListLLM):
    def _call(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("text")
        return super()._call(*args, **kwargs)

    async def _acall(self, *args: Any, **kwargs: Any) -> str:
        RAN.append("text")
        return await super()._acall(*args, **kwargs)
