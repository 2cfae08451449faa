"""A model that code inside a guarded run asks by itself, and that cannot be guarded there, is no way around."""

from __future__ import annotations

from typing import Any

import pytest
from agents import ModelSettings, ModelTracing, function_tool
from counting import Actions, count_decided, declare, list_undecided
from oa_app_parts import CountingModel, looks_once, open_halo, run

from halo_core.errors import Denied
from halo_core.model import ActionKind


async def ask_directly(model: CountingModel, *, streamed: bool) -> Any:
    given: tuple[Any, ...] = ("", "Check this.", ModelSettings(), [], None, [], ModelTracing.DISABLED)
    more: dict[str, Any] = {"previous_response_id": None, "conversation_id": None, "prompt": None}
    if not streamed:
        return await model.get_response(*given, **more)
    return [event async for event in model.stream_response(*given, **more)]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(("name", "resource_id"), [("look", "model.look"), ("other", "other")])
@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_model_under_the_name_of_a_tool_is_decided(tmp_path, mode, name, resource_id, streamed):
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}")
    inner = CountingModel(actions, ["fine"], name)

    @function_tool(failure_error_function=lambda _context, error: f"failed: {error}")
    async def look(q: str) -> str:
        """Look something up."""
        await ask_directly(inner, streamed=streamed)
        return f"about {q}"

    with open_halo(home, mode) as halo:
        agent = halo.guard(looks_once(actions, "outer", is_named=False, tools=[look]))
        await run(agent, "go", **halo.run_options())
    decided = count_decided(home, "inference")
    assert decided["inference", resource_id] == actions.names("inference").count(name) == 1
    assert list_undecided(home) == []


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_model_that_cannot_be_guarded_is_refused_or_recorded(tmp_path, mode, streamed):
    """Both names that a model could have belong to tools."""
    home, actions = tmp_path / "home", Actions()
    declare(home, "look: {impact: read, source_trust: 900}")
    inner = CountingModel(actions, ["fine"], "taken")
    refusals: list[str] = []

    @function_tool
    async def look(q: str) -> str:
        """Look something up."""
        try:
            await ask_directly(inner, streamed=streamed)
        except Denied as exc:
            refusals.append(exc.reason)
        return f"about {q}"

    with open_halo(home, mode) as halo:
        for name in ("taken", "model.taken"):
            halo.register(ActionKind.TOOL_CALL, name)
        agent = halo.guard(looks_once(actions, "outer", is_named=False, tools=[look]))
        await run(agent, "go", **halo.run_options())
    is_refused = mode == "enforce"
    assert actions.names("inference").count("taken") == (not is_refused)
    assert refusals == ["unguarded"] * is_refused
    assert list_undecided(home) == [("model", "taken", is_refused)]
