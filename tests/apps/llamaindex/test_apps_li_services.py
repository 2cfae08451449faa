"""LlamaIndex applications as services run them, compared with the same run ungoverned.

Requests that stream, jobs from a queue, work that goes on after the answer, a person who answers through a stored
context, engines made of retrievers, re-rankers and chats. What ran by the application's own counters is what the log
says was decided, it is what ran without Halo, and what comes out is the same.
"""

import asyncio
import contextvars
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from counting import Actions
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from li_app_parts import CountedShelf, Guard, Run, answering, check_as_ungoverned, scripted
from llama_index.core.agent.workflow import AgentStream, AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import CompletionResponse, CompletionResponseGen, LLMMetadata
from llama_index.core.chat_engine import CondensePlusContextChatEngine
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.memory import Memory
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.tools import FunctionTool, QueryEngineTool
from llama_index.core.workflow import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    JsonSerializer,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)

from halo_llamaindex.testing import call

pytestmark = pytest.mark.filterwarnings("ignore::Warning")
LOOKS = ("look_up", {"q": "rain"})


def make_look(actions: Actions) -> FunctionTool:
    def look_up(q: str) -> str:
        """Look something up."""
        actions.note("tool_call", "look_up")
        return f"about {q}"

    return FunctionTool.from_defaults(look_up)


def looks_once(actions: Actions, name: str, *calls: Any) -> Any:
    return scripted(actions, call("go", *(calls or (LOOKS,)), id=f"{name}-1"), "wet", name=name)


# requests


def a_server_that_streams_words(guard: Guard, actions: Actions) -> Run:
    """Requests at once, each streamed word by word with a memory of its own."""
    agent = guard(FunctionAgent(tools=guard([make_look(actions)]), llm=looks_once(actions, "m"), streaming=True))
    app = FastAPI()

    @app.get("/chat/{name}")
    async def chat(name: str) -> StreamingResponse:
        async def read() -> Any:
            handler = agent.run(f"What is {name}?", memory=Memory.from_defaults(session_id=name))
            async for event in handler.stream_events():
                if isinstance(event, AgentStream):
                    yield event.delta
            yield f" = {await handler}"

        return StreamingResponse(read())

    async def go() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app") as client:
            return [found.text for found in await asyncio.gather(*(client.get(f"/chat/{name}") for name in "abc"))]

    return go


def jobs_from_a_queue(guard: Guard, actions: Actions) -> Run:
    """Threads that were started before take jobs from a queue: an agent in a loop of each, and a synchronous engine."""
    agent = guard(FunctionAgent(tools=guard([make_look(actions)]), llm=looks_once(actions, "m")))
    shelf = CountedShelf(actions, "rain is wet", name="CountedShelf")
    engine = guard(RetrieverQueryEngine.from_args(shelf, llm=answering(actions)))
    jobs: queue.Queue[str | None] = queue.Queue()
    done: list[str] = []

    async def ask(words: str) -> str:
        return str(await agent.run(words))

    def work() -> None:
        while (job := jobs.get()) is not None:
            done.append(f"{job}: {asyncio.run(ask(job))} {engine.query(job)}")

    def go() -> Any:
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for job in ["rain", "wind", "snow", *[None] * len(threads)]:
            jobs.put(job)
        for thread in threads:
            thread.join(60)
        with ThreadPoolExecutor(2) as pool:
            return sorted(done), [str(found) for found in pool.map(engine.query, ["fog", "hail"])]

    return go


def work_that_goes_on_after_the_answer(guard: Guard, actions: Actions) -> Run:
    """A tool that starts an agent in a task, which ends after the run that started it."""
    research = FunctionAgent(name="research", tools=[make_look(actions)], llm=looks_once(actions, "inner"))
    started: list[Any] = []

    async def start_research(q: str) -> str:
        """Start a research in the background."""
        actions.note("tool_call", "start_research")

        async def work() -> str:
            await asyncio.sleep(0.05)
            return str(await research.run(q))

        started.append(asyncio.create_task(work()))
        return "started"

    tools = guard([FunctionTool.from_defaults(async_fn=start_research)])
    agent = guard(FunctionAgent(tools=tools, llm=looks_once(actions, "m", ("start_research", {"q": "rain"}))))

    async def go() -> Any:
        said = str(await agent.run("rain?"))
        return said, await asyncio.gather(*started)

    return go


# conversations


def a_person_between_two_hand_offs(guard: Guard, actions: Actions) -> Run:
    """A team whose second agent asks a person; the context is stored as JSON meanwhile and read back."""

    async def confirm(ctx: Context, q: str) -> str:
        """Ask a person."""
        actions.note("tool_call", "confirm")  # each time it begins: what waited begins again
        found = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix=q), waiter_id=q)
        return f"the person says {found.response}"

    first = FunctionAgent(
        name="first",
        description="Begins.",
        tools=guard([make_look(actions)]),
        llm=scripted(
            actions,
            call("a", LOOKS, id="f1"),
            call("b", ("handoff", {"to_agent": "second", "reason": "more"}), id="f2"),
            name="first-m",
        ),
        can_handoff_to=["second"],
    )
    second = FunctionAgent(
        name="second",
        description="Asks.",
        tools=guard([FunctionTool.from_defaults(async_fn=confirm)]),
        llm=scripted(
            actions, "unused", "unused", call("c", ("confirm", {"q": "sure?"}), id="s1"), "done", name="second-m"
        ),
        can_handoff_to=["first"],
    )
    team = guard(AgentWorkflow(agents=[first, second], root_agent="first"))

    async def go() -> Any:
        memory = Memory.from_defaults(session_id="case")
        handler = team.run(user_msg="rain?", memory=memory)
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                stored = handler.ctx.to_dict(serializer=JsonSerializer())
                await handler.cancel_run()
                break
        context = Context.from_dict(team, stored, serializer=JsonSerializer())
        handler = team.run(ctx=context)
        await handler.ctx.store.set("memory", memory)  # which is kept in a database, not in the context
        handler.ctx.send_event(HumanResponseEvent(response="yes"))
        return str(await handler)

    return go


class Draft(Event):
    text: str


def a_workflow_that_keeps_what_it_knows(guard: Guard, actions: Actions) -> Run:
    """A workflow of steps with state in its context, an agent in one of them, run twice with one context."""
    says = answering(actions, name="says")
    inner = FunctionAgent(name="inner", tools=guard([make_look(actions)]), llm=looks_once(actions, "inner-m"))

    class Flow(Workflow):
        @step
        async def draft(self, ctx: Context, ev: StartEvent) -> Draft:
            async with ctx.store.edit_state() as state:
                state["turns"] = state.get("turns", 0) + 1
            found = await asyncio.gather(*(says.acomplete(f"{ev.user_msg} {i}") for i in range(3)))
            return Draft(text=" ".join(map(str, found)))

        @step
        async def check(self, ctx: Context, ev: Draft) -> StopEvent:
            said = await inner.run(ev.text)
            return StopEvent(result=f"{said} {await ctx.store.get('turns')}")

    flow = guard(Flow(timeout=60))

    async def go() -> Any:
        context = Context(flow)
        first = str(await flow.run(user_msg="rain?", ctx=context))
        stored = Context.from_dict(flow, context.to_dict())
        return first, str(await flow.run(user_msg="wind?", ctx=stored))

    return go


# engines


_SHELF_BELOW = "CountedFusion/CountedShelf"


class CountedFusion(QueryFusionRetriever):
    """Counts its own queries."""

    def __init__(self, actions: Actions, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._actions = actions

    def _retrieve(self, query_bundle: Any) -> Any:
        self._actions.note("retrieval", "CountedFusion")
        return super()._retrieve(query_bundle)

    async def _aretrieve(self, query_bundle: Any) -> Any:
        self._actions.note("retrieval", "CountedFusion")
        return await super()._aretrieve(query_bundle)


def an_engine_of_all_parts(guard: Guard, actions: Actions) -> Run:
    """Queries that are fused over two shelves, re-ranked by a model, answered, chatted with, and a tool of an agent."""
    says = answering(
        actions, {"search queries": "rain\nwind", "relevant": "Doc: 1, Relevance: 9", "standalone": "rain"}, name="says"
    )
    shelves = [CountedShelf(actions, f"{name} is wet", name=_SHELF_BELOW) for name in ("one", "two")]
    fused = CountedFusion(actions, shelves, llm=says, num_queries=3, use_async=False, mode="reciprocal_rerank")
    rerank = LLMRerank(llm=says, choice_batch_size=5, top_n=2)
    engine = guard(RetrieverQueryEngine.from_args(fused, llm=says, node_postprocessors=[rerank]))
    chat = guard(CondensePlusContextChatEngine.from_defaults(fused, llm=says, node_postprocessors=[rerank]))
    tool = QueryEngineTool.from_defaults(engine, name="ask_shelves", description="Ask the shelves.")
    agent = guard(FunctionAgent(tools=guard([tool]), llm=looks_once(actions, "m", ("ask_shelves", {"input": "rain"}))))

    async def go() -> Any:
        actions.note("tool_call", "ask_shelves")
        streamed = await chat.astream_chat("rain?")
        words = "".join([word async for word in streamed.async_response_gen()])
        return str(await engine.aquery("rain?")), words, str(chat.chat("and wind?")), str(await agent.run("rain?"))

    return go


class VendorLLM(CustomLLM):
    """A model class of the application's own: completions alone, over several deployments."""

    actions: Any
    answers: list[str]

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="vendor")

    def _answer(self, prompt: str) -> str:
        self.actions.note("inference", "vendor")
        return self.answers[1 if "about rain" in prompt else 0]

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **_kwargs: Any) -> CompletionResponse:  # noqa: FBT001, FBT002
        return CompletionResponse(text=self._answer(prompt))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **_kwargs: Any) -> CompletionResponseGen:  # noqa: FBT001, FBT002
        def parts() -> CompletionResponseGen:
            text = ""
            for word in self._answer(prompt).split(" "):
                text += f"{word} "
                yield CompletionResponse(text=text, delta=f"{word} ")

        return parts()


def a_model_of_the_applications_own(guard: Guard, actions: Actions) -> Run:
    """It reasons in words for an agent, answers for an engine, and is asked by itself in each way."""
    thinks = 'Thought: I look.\nAction: look_up\nAction Input: {"q": "rain"}'
    vendor = VendorLLM(actions=actions, answers=[thinks, "Thought: I know.\nAnswer: wet"])
    agent = guard(ReActAgent(tools=guard([make_look(actions)]), llm=vendor))
    plain = VendorLLM(actions=actions, answers=["so", "so"])
    shelf = CountedShelf(actions, "wet", name="CountedShelf")
    asked, engine = (
        guard(plain),
        guard(RetrieverQueryEngine.from_args(shelf, llm=plain, streaming=True)),
    )

    async def go() -> Any:
        parts = [part.delta async for part in await asked.astream_complete("a")]
        chat = [str(part.delta) for part in asked.stream_chat([])]
        return str(await agent.run("rain?")), parts, chat, str(engine.query("rain?")), str(await asked.acomplete("b"))

    return go


APPS = [
    a_server_that_streams_words,
    jobs_from_a_queue,
    work_that_goes_on_after_the_answer,
    a_person_between_two_hand_offs,
    a_workflow_that_keeps_what_it_knows,
    an_engine_of_all_parts,
    a_model_of_the_applications_own,
]
READS = ("look_up", "start_research", "confirm", "ask_shelves")


@pytest.mark.matrix
@pytest.mark.parametrize("mode", ["observe", "enforce"])
@pytest.mark.parametrize("build", APPS, ids=lambda item: item.__name__)
def test_each_service_runs_as_without_halo(tmp_path, build, mode):
    # Threads that plain code starts which has called something guarded, as other tests have here, are inside of that.
    contextvars.Context().run(check_as_ungoverned, tmp_path / "home", build, mode, READS)
