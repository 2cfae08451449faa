"""The OpenAI Agents SDK keeps the contract of exposure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from agents import Agent, RunConfig, Runner, set_tracing_disabled
from agents.run_config import CallModelData, ModelInputData
from contract_driver import Say
from exposure_contract import ExposureContract, Talker

from halo_openai_agents import Denied, Halo, Pending, Resource
from halo_openai_agents.testing import Message, ScriptedModel

set_tracing_disabled(disabled=True)


class OpenAITalker:
    """See `exposure_contract.Talker`; a conversation goes on from the id of its last response."""

    facade = Halo
    shapes = ("run_sync", "run", "run_streamed")

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
        if place is not None:  # what was said before is with the provider
            script = [item for item in script if item.calls]
        said = [Message(item.words, item.calls, item.id or f"said-{i}") for i, item in enumerate(script)]
        agent = halo.guard(Agent(name="desk", model=ScriptedModel(said), tools=list(tools)))
        given: Any = [*({"role": role, "content": text} for role, text in history), {"role": "user", "content": told}]
        given = given if history else told

        def add(data: CallModelData[Any]) -> ModelInputData:
            items = list(data.model_data.input)
            if memory:
                items.insert(0, {"role": "user", "content": memory})
            if inserted and any(item.get("type") == "function_call_output" for item in items):
                items.append({"role": "user", "content": inserted})
            return ModelInputData(input=items, instructions=data.model_data.instructions)

        options = halo.run_options(run_config=RunConfig(call_model_input_filter=add))
        if place is not None:
            options["previous_response_id"] = place
        try:
            result = self._run(agent, shape, given, options)
        except (Denied, Pending):
            return "", place
        return str(result.final_output), result.last_response_id

    def _run(self, agent: Any, shape: str, given: Any, options: dict[str, Any]) -> Any:
        if shape == "run_sync":
            return Runner.run_sync(agent, given, **options)

        async def go() -> Any:
            if shape == "run":
                return await Runner.run(agent, given, **options)
            result = Runner.run_streamed(agent, given, **options)
            async for _ in result.stream_events():
                pass
            return result

        return asyncio.run(go())


class TestOpenAIAgents(ExposureContract):
    talker: ClassVar[Talker] = OpenAITalker()
