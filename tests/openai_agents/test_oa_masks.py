"""What a policy masks in an answer is masked, however the model wrote it."""

from __future__ import annotations

from typing import Any

import pytest
from agents import Agent, Runner
from oa_world import streamed
from openai.types.responses import ResponseOutputText
from pydantic import BaseModel

from halo_openai_agents.testing import Message, ScriptedModel

REDACTED = """
@id("t.base") permit (principal, action, resource);
@id("t.r") @effect("restrict") @obligation("redact_output()")
forbid (principal, action in Action::"inference", resource);
"""


class Note(BaseModel):
    note: str


class InParts(ScriptedModel):
    """Says each sentence in parts."""

    def say(self, model_input: Any) -> Any:
        answer = super().say(model_input)
        parts = answer.output[0].content[0].text.split("|")
        answer.output[0].content = [ResponseOutputText(type="output_text", text=p, annotations=[]) for p in parts]
        return answer


@pytest.mark.parametrize("run", [Runner.run, streamed])
@pytest.mark.parametrize(
    "words",
    [
        '{"note": "card 4111 1111 1111 1111"}',
        '{"note": "card 4111 1111 \\u0031111 1111"}',
        '{"note": "card 4111 1111 \\u0031111 1111", "more": 1' + "0" * 5000 + "}",
        '{"note": "4111 1111 \\u0031111 1111", "note": "card 4111 1111 \\u0031111 1111"}',
    ],
)
async def test_no_escape_hides_what_is_masked(make_world, run, words):
    halo = make_world(policy=REDACTED).halo
    guarded = halo.guard(Agent(name="a", model=ScriptedModel([Message(words)]), output_type=Note))
    result = await run(guarded, "go", **halo.run_options())
    assert result.final_output == Note(note="card [pan …1111]")
    assert "\\u0031" not in str(result.to_input_list())


@pytest.mark.parametrize("run", [Runner.run, streamed])
async def test_what_only_together_says_it_is_masked_together(make_world, run):
    halo = make_world(policy=REDACTED).halo
    words = ["card 4111 1111 |1111 1111 end", '{"note": "card 4111 1111 |\\u0031111 1111"}', "nothing| here"]
    results = []
    for said in words:
        guarded = halo.guard(Agent(name="a", model=InParts([said])))
        results.append((await run(guarded, "go", **halo.run_options())).final_output)
    assert results == ["card [pan …1111] end", '{"note": "card [pan …1111]"}', "nothing here"]
