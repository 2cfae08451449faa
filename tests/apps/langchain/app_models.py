"""Scripted models that count their calls, for the applications of this folder."""

from __future__ import annotations

from typing import Any

from counting import Actions
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from halo_langchain.testing import ScriptedModel


class CountedModel(ScriptedModel):
    """A scripted model whose calls are noted under its name."""

    actions: Any

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> Any:
        self.actions.note("inference", self.model_name)
        return super()._generate(messages, stop, run_manager, **kwargs)


class Answers(BaseChatModel):
    """Gives its answers in turn, whatever it is asked; then the last one again."""

    actions: Any
    answers: list[str]
    model_name: str = "answers"
    asked: int = 0

    @property
    def _llm_type(self) -> str:
        return "answers"

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_kwargs: Any) -> Any:
        self.actions.note("inference", self.model_name)
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        return ChatResult(generations=[ChatGeneration(message=AIMessage(answer))])


def model(actions: Actions, *script: AIMessage | str, name: str = "scripted") -> CountedModel:
    """A model that says this, message by message."""
    return CountedModel(script=list(script), actions=actions, model_name=name)
