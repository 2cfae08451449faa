"""Fake models that count what they send, and every way there is to call one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.language_models import LLM, BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    Generation,
    GenerationChunk,
    LLMResult,
)
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable
from langchain_core.tools import tool
from pydantic import BaseModel

SECRET = "write to miriam.quartz@example.com now"
WORDS = ("write to ", "miri", "am.quartz@exam", "ple.com", " now")
SENT: list[str] = []


@tool
def look(q: str) -> str:
    """Look."""
    return f"seen {q}"


class Answer(BaseModel):
    """An answer."""

    word: str


class Plain(BaseChatModel):
    """Generates, and streams nothing."""

    model_name: str = "fake-chat"
    answer: str = SECRET

    @property
    def _llm_type(self) -> str:
        return "fake"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> Any:
        SENT.append("generate")
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.answer))])

    def bind_tools(self, tools: Any, **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[{"type": "function", "function": {"name": _name(item)}} for item in tools], **kwargs)


def _name(item: Any) -> str:
    if isinstance(item, dict):
        return str(item.get("name") or item.get("type"))
    return str(getattr(item, "name", None) or item.__name__)


class Streaming(Plain):
    """Streams word by word, and tells its own callbacks."""

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> Any:
        SENT.append("stream")
        for word in WORDS:
            SENT.append(f"word {word}")
            chunk = ChatGenerationChunk(message=AIMessageChunk(word))
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


class Own(Streaming):
    """Asynchronous by its own methods."""

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        SENT.append("agenerate")
        await asyncio.sleep(0)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.answer))])

    async def _astream(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        SENT.append("astream")
        for word in WORDS:
            await asyncio.sleep(0)
            yield ChatGenerationChunk(message=AIMessageChunk(word))


class Collecting(Streaming):
    """Generates by collecting its own stream, as providers do."""

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        text = "".join(str(c.message.content) for c in self._stream(messages, stop, run_manager, **kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


class Falling(Plain):
    """Streams by generating, and generates again asynchronously through its own stream."""

    def _stream(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        found = self._generate(messages, stop, run_manager, **kwargs)
        yield ChatGenerationChunk(message=AIMessageChunk(str(found.generations[0].message.content)))

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> Any:
        text = "".join([str(chunk.message.content) async for chunk in self._astream(messages, *args, **kwargs)])
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])


class Text(LLM):
    """A text model of one method."""

    model: str = "fake-text"

    @property
    def _llm_type(self) -> str:
        return "fake-text"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> str:
        SENT.append("call")
        return SECRET


class Texts(BaseLLM):
    """A text model that takes several prompts, and streams."""

    model: str = "fake-texts"

    @property
    def _llm_type(self) -> str:
        return "fake-texts"

    def _generate(self, prompts: list[str], stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> Any:
        SENT.append("generate")
        return LLMResult(generations=[[Generation(text=SECRET)] for _ in prompts])

    def _stream(self, prompt: str, stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> Iterator[Any]:
        SENT.append("stream")
        for word in WORDS:
            chunk = GenerationChunk(text=word)
            if run_manager:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk


CHATS = (Plain, Streaming, Own, Collecting, Falling)
TEXTS = (Text, Texts)


def awaited(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda model: asyncio.run(function(model))


async def _all(source: Any) -> list[Any]:
    return [item async for item in source]


async def _v3(model: Any) -> Any:
    return [event async for event in await model.astream_events("q", version="v3")]


def said(model: Any, message: str = "q") -> Any:
    from langchain_core.messages import HumanMessage

    return [HumanMessage(message)]


WAYS: dict[str, Callable[[Any], Any]] = {
    "invoke": lambda m: m.invoke("q"),
    "ainvoke": awaited(lambda m: m.ainvoke("q")),
    "batch": lambda m: m.batch(["q"]),
    "abatch": awaited(lambda m: m.abatch(["q"])),
    "batch as completed": lambda m: list(m.batch_as_completed(["q"])),
    "stream": lambda m: list(m.stream("q")),
    "astream": awaited(lambda m: _all(m.astream("q"))),
    "astream_events": awaited(lambda m: _all(m.astream_events("q", version="v2"))),
    "astream_log": awaited(lambda m: _all(m.astream_log("q"))),
    "bind": lambda m: m.bind(stop=["x"]).invoke("q"),
    "with_config": lambda m: m.with_config(tags=["t"]).invoke("q"),
    "with_retry": lambda m: m.with_retry(stop_after_attempt=1).invoke("q"),
    "pipe": lambda m: (ChatPromptTemplate.from_template("{x}") | m).invoke({"x": "q"}),
    "pipe stream": lambda m: list((ChatPromptTemplate.from_template("{x}") | m).stream({"x": "q"})),
    "apipe": awaited(lambda m: (ChatPromptTemplate.from_template("{x}") | m).ainvoke({"x": "q"})),
    "generate_prompt": lambda m: m.generate_prompt([m._convert_input("q")]),
    "agenerate_prompt": awaited(lambda m: m.agenerate_prompt([m._convert_input("q")])),
}
CHAT_WAYS: dict[str, Callable[[Any], Any]] = {
    "generate": lambda m: m.generate([said(m)]),
    "agenerate": awaited(lambda m: m.agenerate([said(m)])),
    "_generate": lambda m: m._generate(said(m)),
    "_agenerate": awaited(lambda m: m._agenerate(said(m))),
    "_generate_with_cache": lambda m: m._generate_with_cache(said(m)),
    "bind_tools": lambda m: m.bind_tools([look]).invoke("q"),
    "bind_tools stream": lambda m: list(m.bind_tools([look]).stream("q")),
    "structured": lambda m: m.with_structured_output(Answer, include_raw=True).invoke("q"),
    "streaming invoke": lambda m: m.invoke("q", stream=True),
    "streaming ainvoke": awaited(lambda m: m.ainvoke("q", stream=True)),
}
STREAM_WAYS: dict[str, Callable[[Any], Any]] = {
    "_stream": lambda m: list(m._stream(said(m))),
    "_astream": awaited(lambda m: _all(m._astream(said(m)))),
    "stream_events v3": lambda m: list(m.stream_events("q", version="v3")),
    "astream_events v3": awaited(_v3),
}
TEXT_WAYS: dict[str, Callable[[Any], Any]] = {
    "generate": lambda m: m.generate(["q"]),
    "agenerate": awaited(lambda m: m.agenerate(["q"])),
    "_generate": lambda m: m._generate(["q"]),
    "_agenerate": awaited(lambda m: m._agenerate(["q"])),
}
CALL_WAYS: dict[str, Callable[[Any], Any]] = {
    "_call": lambda m: m._call("q"),
    "_acall": awaited(lambda m: m._acall("q")),
}
TEXT_STREAM_WAYS: dict[str, Callable[[Any], Any]] = {
    "_stream": lambda m: list(m._stream("q")),
    "_astream": awaited(lambda m: _all(m._astream("q"))),
}


def ways() -> Iterator[tuple[Any, str]]:
    """Every model with every way to call it."""
    for kind in CHATS:
        streams = STREAM_WAYS if kind is not Plain else {}
        yield from ((kind, name) for name in {**WAYS, **CHAT_WAYS, **streams})
    for kind in TEXTS:
        more = CALL_WAYS if kind is Text else TEXT_STREAM_WAYS
        yield from ((kind, name) for name in {**WAYS, **TEXT_WAYS, **more})


def go(kind: Any, name: str, model: Any) -> Any:
    """Call a model in one of its ways."""
    if issubclass(kind, BaseChatModel):
        return {**WAYS, **CHAT_WAYS, **STREAM_WAYS}[name](model)
    return {**WAYS, **TEXT_WAYS, **CALL_WAYS, **TEXT_STREAM_WAYS}[name](model)
