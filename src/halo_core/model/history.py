"""Items of a conversation as an adapter names them: what was there before an action, and what a model has just said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HistoryRole(StrEnum):
    """What an item of a conversation is."""

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
        calls: of a message with calls, names and arguments of these as one text.
        id: of a result, the id of its call; of a link, kind and id (`response:resp_1`).
        is_given: it was there when the outermost run began. Anything else is looked up only in a session's first
            action: what a run adds itself is known from the session.
        is_opening: of a link: an unknown id names something new and empty.
    """

    role: HistoryRole
    text: str = ""
    calls: str = ""
    id: str = ""
    is_given: bool = True
    is_opening: bool = False
