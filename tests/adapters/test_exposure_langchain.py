"""LangChain keeps the contract of exposure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from contract_driver import Say
from exposure_contract import ExposureContract, Talker
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphInterrupt

from halo_langchain import Denied, Halo, Pending, Resource
from halo_langchain.testing import ScriptedModel, call


class Scripted(ScriptedModel):
    """Says its script from the beginning of each run, whatever the history."""

    before: int = 0

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        own = [m for m in messages if not isinstance(m, AIMessage)]
        spoken = [m for m in messages if isinstance(m, AIMessage)][self.before :]
        return super()._generate([*own, *spoken], stop, run_manager, **kwargs)


class Inserts(AgentMiddleware[Any, Any]):
    """A part of the application that writes a user message: at the beginning, or once a tool was called."""

    def __init__(self, text: str, *, after_tool: bool) -> None:
        super().__init__()
        self.text, self.after_tool = text, after_tool

    def before_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        messages = state["messages"]
        is_there = any(str(message.text) == self.text for message in messages)
        is_time = isinstance(messages[-1], ToolMessage) or not self.after_tool
        return {"messages": [HumanMessage(self.text)]} if self.text and is_time and not is_there else None


class LangChainTalker:
    """See `exposure_contract.Talker`."""

    facade = Halo
    shapes = ("invoke", "ainvoke", "stream")

    def guard(self, halo: Halo, function: Callable[..., Any], resource: Resource) -> Any:
        return halo.guard(function, resource=resource)

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
        before = sum(role == "assistant" for role, _ in history)
        model = Scripted(script=said, before=before)
        middleware = [Inserts(memory, after_tool=False), Inserts(inserted, after_tool=True)]
        saver, thread = place or (InMemorySaver(), f"t-{id(model)}")
        middleware = [item for item in middleware if item.text]
        if len(middleware) > 1:
            raise NotImplementedError
        built = create_agent(model, list(tools), middleware=[*middleware, halo.middleware()], checkpointer=saver)
        given = {"messages": [*history, ("user", told)]}
        config: Any = {"configurable": {"thread_id": thread}}
        state: Any = None
        try:
            if shape == "invoke":
                state = built.invoke(given, config)
            elif shape == "ainvoke":
                state = asyncio.run(built.ainvoke(given, config))
            else:
                state = list(built.stream(given, config, stream_mode="values"))[-1]
        except (Denied, Pending, GraphInterrupt):
            state = built.get_state(config).values
        return str(state["messages"][-1].text), (saver, thread)


class TestLangChain(ExposureContract):
    talker: ClassVar[Talker] = LangChainTalker()
