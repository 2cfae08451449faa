"""The record of a model call: its input and output, and the items of a conversation as an adapter names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, as its decision records it: texts only by digest.

    Args:
        provider: who runs the model, such like `openai`; empty if unknown.
        version: the model's version as its provider names it; empty if unknown.
        messages: reference of each message in order (`halo_core.references`, 22 characters).
        system: digest of the part that holds the system prompt, empty for none.
        tools: digest of the part that holds the tools' schemas, empty for none.
        parameters: temperature and the like, a canonical tree.
    """

    provider: str = ""
    version: str = ""
    messages: tuple[str, ...] = ()
    system: str = ""
    tools: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "messages": list(self.messages),
            "parameters": dict(self.parameters),
            "provider": self.provider,
            "system": self.system,
            "tools": self.tools,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> ModelCall:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "messages": tuple(tree["messages"])})


class HistoryRole(StrEnum):
    """The kind of an item of a conversation."""

    USER = "user"
    """A user message."""
    REPLY = "reply"
    """What a model said, without tool calls."""
    CALLS = "calls"
    """A model's message with tool calls."""
    RESULT = "result"
    """A tool's result."""
    LINK = "link"
    """The id of something that holds more of the conversation: a response, a thread, a memory."""
    RECALLED = "recalled"
    """A text that a memory added, of which nobody here knows who wrote it."""
    PROVIDER_RESULT = "provider_result"
    """The result of a tool that the model's provider ran."""


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One item of a conversation.

    Args:
        role: what it is.
        text: its words; of a message with calls, what it says beside them.
        calls: names and arguments of a message's calls, as one text.
        id: for a result, the id of its call; for a link, kind and id (`response:resp_1`).
        is_given: it was there when the outermost run began. Anything else is looked up only in a session's first
            action: what a run adds itself is known from the session.
        is_opening: for a link: an unknown id names something new and empty.
    """

    role: HistoryRole
    text: str = ""
    calls: str = ""
    id: str = ""
    is_given: bool = True
    is_opening: bool = False
