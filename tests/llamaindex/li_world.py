"""What the LlamaIndex tests share: a Halo over a store of its own, a shelf of documents, runs of agents."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import MessageRole
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.workflow import Context
from workflows.events import WorkflowIdleEvent

from framework_world import FrameworkWorld
from halo_core.model import EntryKind, Resource
from halo_llamaindex import Halo, HaloChallenge
from halo_llamaindex.testing import ScriptedLLM, call

MASK_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.masked") @effect("restrict") @obligation("redact_output()")
forbid (principal, action in Action::"inference", resource);
"""
CARD = "4111 1111 1111 1111"


def trusted(*labels: str, **declared: Any) -> Resource:
    return Resource(**{"impact": "read", "source_trust": 900, "labels": labels, **declared})


class World(FrameworkWorld):
    def __init__(self, home: Path, mode: str, policy: str, **kwargs: Any) -> None:
        super().__init__(Halo, home, mode, policy, **kwargs)
        self.home = self.store_home

    def kinds(self) -> list[tuple[str, str]]:
        return [(e.body["request"]["resource"]["id"], e.body["decision"]["effect"]) for e in self.decisions()]

    def sightings(self) -> list[tuple[str, str]]:
        return [(e.body["kind"], e.body["name"]) for e in self.entries(EntryKind.SHADOW)]


class Shelf(BaseRetriever):
    """Stands for an index."""

    def __init__(self, *nodes: Any, read: list[str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._nodes = [TextNode(text=item) if isinstance(item, str) else item for item in nodes]
        self.read = [] if read is None else read

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        self.read.append(query_bundle.query_str)
        return [NodeWithScore(node=node, score=1.0) for node in self._nodes]


class Team:
    """Scripted members see one conversation, so each counts its own messages."""


class Member(ScriptedLLM):
    """A model that knows its own messages in a conversation of several, and counts how often it was asked."""

    speaker: str = ""
    asked: Any = None

    def next_message(self, messages: Sequence[Any]) -> Any:
        if self.asked is not None:
            self.asked.append(self.speaker)
        said = super().next_message(messages)
        said.additional_kwargs["speaker"] = self.speaker
        return said

    def is_own(self, message: Any) -> bool:
        return super().is_own(message) and message.additional_kwargs.get("speaker", "") == self.speaker


def hands(to: str, id: str = "h1") -> Any:  # noqa: A002  the message's
    return call("over", ("handoff", {"to_agent": to, "reason": "it knows"}), id=id)


def run(workflow: Any, words: str = "go on", **kwargs: Any) -> Any:
    """Run a workflow to its end."""

    async def go() -> Any:
        return await workflow.run(user_msg=words, **kwargs)

    return asyncio.run(go())


def told(workflow: Any, words: str = "go on", **kwargs: Any) -> tuple[list[str], str]:
    """Run a workflow to its end: what its model was told of its calls, and the last words."""

    async def go() -> tuple[list[str], str]:
        handler = workflow.run(user_msg=words, **kwargs)
        result = await handler
        memory = await handler.ctx.store.get("memory")
        texts = [str(m.content) for m in await memory.aget_all() if m.role == MessageRole.TOOL]
        return texts, str(result.response.content)

    return asyncio.run(go())


async def until_idle(handler: Any) -> list[HaloChallenge]:
    """Read a run's events until it waits or ends: the questions it shows."""
    asked: list[HaloChallenge] = []
    async for event in handler.stream_events(expose_internal=True):
        if isinstance(event, HaloChallenge):
            asked.append(event)
        if isinstance(event, WorkflowIdleEvent) and asked:
            break
    return asked


async def paused(workflow: Any, words: str = "go on") -> tuple[list[HaloChallenge], dict[str, Any]]:
    """Run a workflow until it waits: its questions, and what is kept of it."""
    handler = workflow.run(user_msg=words, ctx=Context(workflow))
    asked = await until_idle(handler)
    kept = handler.ctx.to_dict()
    await handler.cancel_run()
    return asked, kept
