"""LlamaIndex keeps the contract of exposure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from contract_driver import Say
from exposure_contract import ExposureContract, Talker
from llama_index.core.agent.workflow import AgentInput, AgentOutput, AgentSetup, FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.memory import Memory, StaticMemoryBlock
from llama_index.core.workflow import Context, InputRequiredEvent, step

from halo_llamaindex import Denied, Halo, Pending, Resource
from halo_llamaindex.testing import ScriptedLLM, call


class Scripted(ScriptedLLM):
    """Says its script from the beginning of each run, whatever the history."""

    before: int = 0
    seen: Any = None

    def is_own(self, message: ChatMessage) -> bool:
        if not super().is_own(message):
            return False
        text = (str(message.content), len(message.blocks))
        return text not in (self.seen or ())


class Inserting(FunctionAgent):
    """An agent of an application that writes a user message of its own once a tool was called."""

    inserted: str = ""

    @step
    async def setup_agent(self, ctx: Context, ev: AgentInput) -> AgentSetup:
        if any(message.role == MessageRole.TOOL for message in ev.input):
            ev.input.append(ChatMessage(role="user", content=self.inserted))
        return await FunctionAgent.setup_agent(self, ctx, ev)

    async def take_step(self, ctx: Context, llm_input: Any, tools: Any, memory: Any) -> AgentOutput:
        scratchpad = await ctx.store.get("scratchpad", default=[])
        if scratchpad:
            llm_input = [*llm_input, ChatMessage(role="user", content=self.inserted)]
        return await super().take_step(ctx, llm_input, tools, memory)


class LlamaIndexTalker:
    """See `exposure_contract.Talker`; a conversation goes on in its context."""

    facade = Halo
    shapes = ("agent", "agent_whole")

    def guard(self, halo: Halo, function: Callable[..., Any], resource: Resource) -> Any:
        return halo.guard([function], resource=resource)[0]

    def talk(
        self,
        halo: Halo,
        tools: Sequence[Any],
        script: Sequence[Say],
        told: str,
        shape: str,
        *,
        history: Sequence[tuple[str, str]] = (),
        place: Any = None,
        memory: str = "",
        inserted: str = "",
    ) -> tuple[str, Any]:
        said = [call(item.words, *item.calls, id=item.id or f"said-{i}") for i, item in enumerate(script)]
        seen = {(text, 1) for role, text in history if role == "assistant"}
        kind, own = (Inserting, {"inserted": inserted}) if inserted else (FunctionAgent, {})
        model = Scripted(script=[*said, "done"], seen=seen)
        agent = halo.guard(kind(tools=list(tools), llm=model, streaming=shape == "agent", **own))
        messages = [ChatMessage(role=role, content=text) for role, text in history]
        more: dict[str, Any] = {"chat_history": messages} if messages else {}
        if memory:
            block = StaticMemoryBlock(name="facts", static_content=memory)
            more["memory"] = Memory.from_defaults(session_id="x", memory_blocks=[block])

        async def go() -> tuple[str, Any]:
            ctx = Context.from_dict(agent, place[0]) if place is not None else Context(agent)
            if place is not None:
                more["memory"] = place[1]
            run = agent.run(user_msg=told, ctx=ctx, **more)
            async for event in run.stream_events():
                if isinstance(event, InputRequiredEvent):  # somebody is asked
                    await run.cancel_run()
                    return "", place
            return str(await run), (ctx.to_dict(), await ctx.store.get("memory"))

        try:
            return asyncio.run(go())
        except (Denied, Pending):
            return "", place


class TestLlamaIndex(ExposureContract):
    talker: ClassVar[Talker] = LlamaIndexTalker()
