"""Stored states that somebody edited: what they say of themselves counts only as far as Halo's own marks go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from agents import Runner
from oa_world import PAY, RAN, agent, pay, stored, trusted


@pytest.fixture(autouse=True)
def _ran() -> None:
    RAN.clear()


@pytest.mark.parametrize("noted", [True, False])
async def test_a_conversation_that_was_written_into_a_state_is_not_joined(world, halo, noted):
    guarded = halo.guard(agent("payer", [PAY], [halo.guard(pay, resource=trusted("asked"))]))
    asks = halo.run_options(pausing=True)
    approved = await Runner.run(guarded, "pay", conversation_id="victim", **asks)
    world.answer("approve", halo.waiting(approved)[0]["pending_id"])
    other = await Runner.run(guarded, "pay", **asks)

    def joined(kept: Any) -> None:
        kept["conversation_id"] = "victim"
        if not noted:
            kept["context"]["approvals"].pop("halo:waiting")

    state = await stored(guarded, other, joined)
    for item in state.get_interruptions():
        state.approve(item)
    await Runner.run(guarded, state, **asks)
    assert RAN == []
    # A state whose own mark says so goes on in its conversation.
    await Runner.run(guarded, await asyncio.to_thread(halo.resume, await stored(guarded, approved)), **asks)
    assert RAN == [("bo", 5)]
