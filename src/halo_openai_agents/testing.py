"""A scripted model, so that an agent runs offline in tests of one's own policies: only the model's words are given."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents import Model, ModelResponse
from agents.usage import Usage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from halo_openai_agents._models import build_response, iter_events
from halo_openai_agents._results import to_input_items


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a model.

    Args:
        words: its text.
        calls: function calls in it, each (name, arguments).
        id: id of the message; call i has the id `<id>-call-<i>`.
    """

    words: str
    calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    id: str = ""

    def response(self, id: str) -> ModelResponse:  # noqa: A002  the field's name
        """The message as a response of the SDK."""
        text = ResponseOutputText(type="output_text", text=self.words, annotations=[])
        message = ResponseOutputMessage(id=id, type="message", role="assistant", status="completed", content=[text])
        calls = [
            ResponseFunctionToolCall(
                id=f"{id}-item-{i}",
                call_id=f"{id}-call-{i}",
                name=name,
                arguments=json.dumps(dict(args)),
                type="function_call",
                status="completed",
            )
            for i, (name, args) in enumerate(self.calls)
        ]
        return ModelResponse(output=[message, *calls], usage=Usage(), response_id=id)


class ScriptedModel(Model):
    """Says the messages of `script` in order (a text is a message), whatever it is asked; then `done`.

    The place in the script is the number of its own messages in the conversation, by their ids, so a resumed or
    parallel run of another conversation starts where that one is. It streams word by word.
    """

    def __init__(self, script: Sequence[Message | str], *, model: str = "scripted") -> None:
        self.model = model
        self.script = script

    @property
    def script(self) -> list[Message]:
        """The messages it says."""
        return self._script

    @script.setter
    def script(self, script: Sequence[Message | str]) -> None:
        self._script = [Message(item) if isinstance(item, str) else item for item in script]

    def say(self, model_input: str | list[Any]) -> ModelResponse:
        """The next message in a conversation."""
        ids = [message.id or f"scripted-{i}" for i, message in enumerate(self._script)]
        said_ids = {
            item.get("id")
            for item in to_input_items(model_input)
            if isinstance(item, Mapping) and item.get("type") == "message"
        }
        place = len(said_ids.intersection(ids))
        if place < len(self._script):
            return self._script[place].response(ids[place])
        return Message("done").response(f"scripted-{place}")

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Say the next message."""
        return self.say(_get_input(args, kwargs))

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Say the next message, word by word."""
        for event in iter_events(build_response(self.say(_get_input(args, kwargs)), self.model)):
            yield event


def _get_input(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return args[1] if len(args) > 1 else kwargs["input"]


def call(words: str, *calls: tuple[str, Mapping[str, Any]], id: str) -> Message:  # noqa: A002  the field's name
    """A message that says `words` and calls functions, each given as (name, arguments)."""
    return Message(words, tuple(calls), id)
