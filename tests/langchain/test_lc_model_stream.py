"""Streams of guarded models: untouched where nothing restricts them, whole where something does, always recorded."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from lc_models import SENT, WORDS, Own, Plain, Streaming, Texts

from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_langchain import Resource

ALLOWED = '@id("p") permit(principal, action, resource);'
NO_MODELS = ALLOWED + '@id("n") forbid(principal, action in Action::"inference", resource);'
HELD = NO_MODELS.replace('@id("n")', '@id("r") @effect("restrict") @obligation("hold_output()")')
MASKED = HELD.replace("hold_output", "redact_output")


@pytest.fixture(autouse=True)
def fresh() -> None:
    SENT.clear()


@pytest.fixture
def allowing(make_world: Any) -> Any:
    return make_world(policy=ALLOWED)


def made(first: str, *words: str) -> bool:
    """Whether this, and no more, has been made."""
    return [first, *(f"word {word}" for word in words)] == SENT


def texts(parts: Any) -> list[str]:
    return [str(getattr(part, "content", part)) for part in parts]


def test_the_first_chunk_comes_before_the_second_is_made(allowing):
    for kind in (Streaming, Own):
        SENT.clear()
        stream = allowing.halo.guard(kind()).stream("q")
        assert SENT == []
        assert next(stream).content == WORDS[0]
        assert made("stream", WORDS[0])
        assert next(stream).content == WORDS[1]
        assert made("stream", WORDS[0], WORDS[1])
        stream.close()


def test_the_first_chunk_comes_before_the_second_is_made_asynchronously(allowing):
    async def first() -> list[str]:
        stream = guarded.astream("q")
        await anext(stream)
        sent = list(SENT)
        await stream.aclose()
        return sent

    guarded = allowing.halo.guard(Streaming())
    assert asyncio.run(first()) == ["stream", f"word {WORDS[0]}"]


def test_chunks_are_the_models_own(allowing):
    chunks = [ChatGenerationChunk(message=AIMessageChunk(word)) for word in WORDS]

    class Kept(Plain):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            yield from chunks

    assert all(a is b for a, b in zip(allowing.halo.guard(Kept())._stream([]), chunks, strict=True))
    assert texts(allowing.halo.guard(Texts()).stream("q")) == list(WORDS)


def test_a_stream_is_recorded_when_it_ends(allowing):
    stream = allowing.halo.guard(Streaming()).stream("q")
    assert allowing.outcomes() == []
    next(stream)
    assert (len(allowing.decisions()), allowing.outcomes()) == (1, [])
    list(stream)
    assert allowing.outcomes() == ["success"]


@pytest.mark.parametrize("kind", [Streaming, Own, Texts])
def test_a_stream_left_early_is_recorded_as_cancelled(allowing, kind):
    guarded = allowing.halo.guard(kind())
    closed, dropped = guarded.stream("q"), guarded.stream("q")
    next(closed)
    next(dropped)
    closed.close()
    del dropped
    gc.collect()

    async def early() -> None:
        stream = guarded.astream("q")
        await anext(stream)
        await stream.aclose()
        async for _ in guarded.astream("q"):
            break

    asyncio.run(early())
    assert allowing.outcomes() == ["cancelled"] * 4


def test_a_cancelled_task_is_recorded_as_cancelled(allowing):
    class Slow(Own):
        async def _astream(self, *args: Any, **kwargs: Any) -> Any:
            yield ChatGenerationChunk(message=AIMessageChunk("a"))
            await asyncio.sleep(60)

    async def cancelled() -> None:
        async def read() -> None:
            async for _ in guarded.astream("q"):
                begun.set()

        begun = asyncio.Event()
        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    guarded = allowing.halo.guard(Slow())
    asyncio.run(cancelled())
    assert allowing.outcomes() == ["cancelled"]


def test_a_stream_that_breaks_is_recorded_as_an_error(allowing):
    class Broken(Plain):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            yield ChatGenerationChunk(message=AIMessageChunk("a"))
            raise ValueError("no")

    guarded = allowing.halo.guard(Broken())
    with pytest.raises(ValueError, match="no"):
        list(guarded.stream("q"))

    async def read() -> None:
        async for _ in guarded.astream("q"):
            pass

    with pytest.raises(ValueError, match="no"):
        asyncio.run(read())
    assert allowing.outcomes() == ["error", "error"]


def test_an_empty_stream_is_the_models_error_and_recorded(allowing, make_world):
    class Empty(Plain):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            yield from ()

    for world in (allowing, make_world(policy=HELD)):
        with pytest.raises(ValueError, match="No generation chunks"):
            list(world.halo.guard(Empty()).stream("q"))
        assert world.outcomes() == ["success"]


def test_a_stream_that_is_restricted_comes_in_one_piece(make_world):
    for policy, shown in ((HELD, "withheld"), (MASKED, "e-mail")):
        world = make_world(policy=policy)
        for kind in (Streaming, Own, Texts):
            parts = [text for text in texts(world.halo.guard(kind()).stream("q")) if text]
            assert len(parts) == 1, kind
            assert shown in parts[0]


def test_text_models_tell_their_callbacks_the_restricted_token(make_world):
    class Listener(BaseCallbackHandler):
        def on_llm_new_token(self, token: str, **_kwargs: Any) -> None:
            heard.append(token)

    heard: list[str] = []
    guarded = make_world(policy=MASKED).halo.guard(Texts(callbacks=[Listener()]))
    list(guarded.stream("q"))
    asyncio.run(every(guarded.astream("q")))
    assert len(heard) == 2
    assert "quartz" not in "".join(heard)


async def every(source: Any) -> list[Any]:
    return [item async for item in source]


def test_context_does_not_leak_to_whoever_reads(allowing):
    """Between two chunks the reader is in nobody's call."""
    from halo_core.enforcement.session_context import in_body
    from halo_langchain._model_calls import _DECIDED_CALL
    from halo_langchain._runs import current_claim

    guarded = allowing.halo.guard(Streaming())
    for _ in guarded.stream("q"):
        assert not in_body()
        assert _DECIDED_CALL.get() is None
        assert current_claim(allowing.halo, "model", "fake-chat") is None
        before = len(allowing.decisions())
        guarded.invoke("q")
        assert len(allowing.decisions()) == before + 1


def test_streams_side_by_side_keep_apart(allowing):
    guarded = allowing.halo.guard(Streaming())
    streams = [guarded.stream("q") for _ in range(3)]
    for _ in WORDS:
        for stream in streams:
            next(stream)
    for stream in streams:
        list(stream)
    assert (len(allowing.decisions()), allowing.outcomes()) == (3, ["success"] * 3)


def test_a_stream_outside_is_recorded_with_its_words(allowing):
    list(allowing.halo.guard(Streaming()).stream("q"))
    (entry,) = allowing.entries(EntryKind.OUTCOME)
    assert entry.body["output_len"] == len("".join(WORDS))


class Native(BaseChatModel):
    """Streams protocol events itself."""

    model_name: str = "native"

    @property
    def _llm_type(self) -> str:
        return "native"

    def _generate(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _stream_chat_model_events(self, messages: Any, **_kwargs: Any) -> Any:
        SENT.append("events")
        yield {"event": "message-start", "role": "ai", "id": "n1"}
        yield {"event": "content-block-start", "index": 0, "content": {"type": "text", "text": ""}}
        for word in WORDS:
            yield {"event": "content-block-delta", "index": 0, "delta": {"type": "text-delta", "text": word}}
        yield {"event": "content-block-finish", "index": 0, "content": {"type": "text", "text": "".join(WORDS)}}
        yield {"event": "message-finish"}

    async def _astream_chat_model_events(self, messages: Any, **kwargs: Any) -> Any:
        for event in self._stream_chat_model_events(messages, **kwargs):
            yield event


@pytest.mark.parametrize("kind", [Native, Streaming])
def test_protocol_events_are_decided_and_restricted(make_world, kind):
    async def aread(model: Any) -> str:
        stream = await model.astream_events("q", version="v3")
        return str([event async for event in stream]) + str(await stream)

    def read(model: Any) -> str:
        stream = model.stream_events("q", version="v3")
        assert isinstance(stream, ChatModelStream)
        return str(list(stream)) + str(stream.output)

    for policy in (ALLOWED, HELD, MASKED):
        world = make_world(policy=policy)
        guarded = world.halo.guard(kind(callbacks=[world.halo.callback()]) if policy == ALLOWED else kind())
        for text in (read(guarded), asyncio.run(aread(guarded))):
            assert ("quartz" in text) == (policy == ALLOWED)
            assert ("miri" in text) == (policy == ALLOWED)
        assert len(world.decisions()) == 2
        assert world.outcomes() == ["success"] * 2
    SENT.clear()
    guarded = make_world(policy=NO_MODELS).halo.guard(kind())
    with pytest.raises(Denied):
        read(guarded)
    with pytest.raises(Denied):
        asyncio.run(aread(guarded))
    assert SENT == []


def look(q: str) -> str:
    """Look."""
    return q


def test_tool_calls_in_pieces_survive_and_are_held_back(allowing, make_world):
    message = AIMessage("", tool_calls=[{"name": "look", "args": {"q": "miriam.quartz@example.com"}, "id": "c1"}])

    class Calling(Plain):
        def _stream(self, *args: Any, **kwargs: Any) -> Any:
            parts = [("look", '{"q": "miriam.qu'), (None, 'artz@example.com"}')]
            for name, words in parts:
                chunk = {"name": name, "args": words, "id": "c1" if name else None, "index": 0}
                yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[chunk]))

    def merged(model: Any) -> Any:
        total = None
        for chunk in model.stream("q"):
            total = chunk if total is None else total + chunk
        return total

    assert merged(allowing.halo.guard(Calling())).tool_calls[0]["args"] == message.tool_calls[0]["args"]
    registered = make_world(policy=MASKED).halo
    registered.guard(look, resource=Resource(impact="read"))
    masked = merged(registered.guard(Calling()))
    assert masked.tool_calls == message.tool_calls  # what it asks of a tool is decided at the tool
    answer = merged(make_world(policy=MASKED).halo.guard(Calling()))
    assert "miriam" not in str(answer.tool_calls)  # what no tool is called is an answer
    held = merged(make_world(policy=HELD).halo.guard(Calling()))
    assert held.tool_calls == []


async def test_nothing_blocks_the_loop(allowing):
    guarded = allowing.halo.guard(Own())
    await guarded.ainvoke("q")
    assert texts([chunk async for chunk in guarded.astream("q")])[: len(WORDS)] == list(WORDS)
    await guarded.agenerate([[HumanMessage("q")]])
    sync_inside = allowing.halo.guard(Streaming())
    await sync_inside.ainvoke("q")
    async for _ in sync_inside.astream("q"):
        pass
    await allowing.halo.guard(Texts()).ainvoke("q")
    assert len(allowing.decisions()) == 6


def test_a_fake_of_the_framework_streams_as_before(allowing):
    plain = GenericFakeChatModel(messages=iter([AIMessage("one two three")]))
    guarded = allowing.halo.guard(GenericFakeChatModel(messages=iter([AIMessage("one two three")])))
    assert texts(plain.stream("q")) == texts(guarded.stream("q"))
