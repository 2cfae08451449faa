"""Room: surfaces, how results are read and made less. Takes: results of tools, retrievers and models. Gives: the same.

Never: decides what is taken away, changes what it is given, trusts what a document says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole, TextBlock
from llama_index.core.schema import BaseNode, NodeWithScore, TextNode
from llama_index.core.tools import ToolOutput

from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_core.pep import Surface
from halo_llamaindex._speech import reshaped
from halo_llamaindex._words import readable, text_of

__all__ = ["DROPPED", "MODEL", "TOOL_RESULT", "Labels", "documents_surface", "model_surface"]

Keep = Callable[[str, tuple[str, ...]], bool]
Labels = Callable[[BaseNode], Iterable[str]]

DROPPED: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"


# documents


def _own_labels(_node: BaseNode) -> Iterable[str]:
    return ()


def documents_surface(labels: Labels | None = None) -> Surface[list[NodeWithScore]]:
    """The surface of a retriever; `labels` says what data a node holds, beside what is found in its text."""
    of = labels or _own_labels

    def kept(nodes: Sequence[NodeWithScore], keep: Keep) -> tuple[list[NodeWithScore], int]:
        left = [item for item in nodes if _stays(item, keep, of)]
        return left, len(nodes) - len(left)

    return Surface(text_of, kept, reshaped, _no_documents)


def _stays(item: NodeWithScore, keep: Keep, labels: Labels) -> bool:
    try:
        said = labels(item.node)
        told = tuple(said)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - nobody can say what is in it
        return False
    labelled = not isinstance(said, str) and all(isinstance(label, str) for label in told)  # letters are no labels
    return labelled and _may(item, keep, told)


def _may(value: Any, keep: Keep, told: tuple[str, ...] = ()) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label."""
    return readable(value) and keep(text_of(value), told)


def _no_documents(_nodes: Sequence[NodeWithScore], notice: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=notice))]


# tools


def _kept_parts(result: Any, keep: Keep) -> tuple[Any, int]:
    """A tool's result without the documents that may not be used: those of a list, else all of it or nothing."""
    if isinstance(result, list):
        left = [item for item in result if _may(item, keep)]
        return (result if len(left) == len(result) else left), len(result) - len(left)
    count = len(result) if isinstance(result, tuple) else 1
    return (result, 0) if _may(result, keep) else (_no_result(result, DROPPED), count)


def _no_result(result: Any, notice: str) -> Any:
    """A notice in the shape that the tool promised; text, where the shape is one that only the tool can make."""
    if isinstance(result, ToolOutput):
        return ToolOutput(
            content=notice, tool_name=result.tool_name, raw_input=result.raw_input, raw_output=notice,
            is_error=result.is_error,
        )  # fmt: skip
    if isinstance(result, TextBlock):
        return TextBlock(text=notice)
    if isinstance(result, NodeWithScore):
        return _no_documents([], notice)[0]
    if isinstance(result, list):
        return [_no_result(result[0], notice)] if result and isinstance(result[0], NodeWithScore) else [notice]
    if isinstance(result, bytes):
        return notice.encode()
    return {"notice": notice} if isinstance(result, Mapping) else notice


TOOL_RESULT: Final[Surface[Any]] = Surface(text_of, _kept_parts, reshaped, _no_result)
"""What a tool's function returns, or the `ToolOutput` of a tool that is no function."""


# models


def _no_answer(answer: Any, notice: str) -> Any:
    """A model's answer without anything it said; it asks for nothing to be called.

    Raises:
        TypeError: it is in none of the framework's forms.
    """
    if isinstance(answer, ChatResponse):
        kept = {key: item for key, item in answer.message.additional_kwargs.items() if key == "id"}
        said = ChatMessage(role=MessageRole.ASSISTANT, content=notice, additional_kwargs=kept)
        return ChatResponse(message=said, delta=notice if answer.delta is not None else None)
    if isinstance(answer, CompletionResponse):
        return CompletionResponse(text=notice, delta=notice if answer.delta is not None else None)
    raise TypeError(f"a `{type(answer).__name__}` is no answer of a model")


MODEL: Final[Surface[Any]] = Surface(text_of, None, partial(reshaped, is_tool=lambda _name: True), _no_answer)
"""Of `ChatResponse` and `CompletionResponse`, whose calls are all decided when they are made."""


def model_surface(halo: HaloBase) -> Surface[Any]:
    """As `MODEL`, where only calls of what is registered are decided: any other may be the shape of an answer."""

    def is_tool(name: str) -> bool:
        found = halo.registered(name)
        return (found is not None and found.kind is not ActionKind.INFERENCE) or name == "handoff"

    return replace(MODEL, redact=partial(reshaped, is_tool=is_tool))
