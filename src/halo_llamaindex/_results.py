"""Surfaces: how the results of tools, retrievers and models are read, filtered, redacted and withheld.

A result is never changed in place, and what a document says of itself is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, MessageRole, TextBlock
from llama_index.core.schema import BaseNode, NodeWithScore, TextNode
from llama_index.core.tools import ToolOutput

from halo_core.enforcement import Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_llamaindex._texts import extract_text, is_readable, redact_value

KeepDocument = Callable[[str, tuple[str, ...]], bool]
Labels = Callable[[BaseNode], Iterable[str]]

_WITHHELD_NOTICE: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"


# documents


def _no_labels(_node: BaseNode) -> Iterable[str]:
    return ()


def make_documents_surface(labels: Labels | None = None) -> Surface[list[NodeWithScore]]:
    """The surface of a retriever; `labels` says what data a node holds, beside what is found in its text."""
    get_labels = labels or _no_labels

    def filter_documents(nodes: Sequence[NodeWithScore], keep: KeepDocument) -> tuple[list[NodeWithScore], int]:
        allowed = [item for item in nodes if _may_keep_document(item, keep, get_labels)]
        return allowed, len(nodes) - len(allowed)

    return Surface(extract_text, filter_documents, redact_value, _replace_documents)


def make_table_surface(documents: Surface[list[NodeWithScore]]) -> Surface[tuple[Any, ...]]:
    """The surface of a retriever over tables, which gives its documents, and beside them the rows that they are of."""

    def get_query(metadata: Any) -> dict[str, Any]:
        return {key: item for key, item in dict(metadata).items() if key == "sql_query"}

    def filter_table(table_result: tuple[Any, ...], keep: KeepDocument) -> tuple[tuple[Any, ...], int]:
        nodes, metadata = table_result
        allowed, dropped = documents.filter(nodes, keep) if documents.filter is not None else ([], len(nodes))
        rows = {key: item for key, item in dict(metadata).items() if key != "sql_query"}
        allowed = allowed or _replace_documents(
            nodes, _WITHHELD_NOTICE
        )  # the framework's engines over tables cannot do with none
        return (allowed, metadata if not dropped and _may_keep(rows, keep) else get_query(metadata)), dropped

    def withhold_table(table_result: tuple[Any, ...], notice: str) -> tuple[Any, ...]:
        return _replace_documents(table_result[0], notice), dict.fromkeys(get_query(table_result[1]), notice)

    return Surface(extract_text, filter_table, redact_value, withhold_table)


def _may_keep_document(item: NodeWithScore, keep: KeepDocument, labels: Labels) -> bool:
    try:
        host_labels = labels(item.node)
        label_names = tuple(host_labels)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - nobody can say what is in it
        return False
    is_valid = not isinstance(host_labels, str) and all(
        isinstance(label, str) for label in label_names
    )  # letters are no labels
    return is_valid and _may_keep(item, keep, label_names)


def _may_keep(value: Any, keep: KeepDocument, label_names: tuple[str, ...] = ()) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label."""
    return is_readable(value) and keep(extract_text(value), label_names)


def _replace_documents(_nodes: Sequence[NodeWithScore], notice: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=notice))]


# tools


def _filter_parts(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """A tool's result without the documents that may not be used: single ones of a list, otherwise all or nothing."""
    if isinstance(result, list):
        allowed = [item for item in result if _may_keep(item, keep)]
        return (result if len(allowed) == len(result) else allowed), len(result) - len(allowed)
    count = len(result) if isinstance(result, tuple) else 1
    return (result, 0) if _may_keep(result, keep) else (_replace_result(result, _WITHHELD_NOTICE), count)


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape of the tool's result, or text if only the tool can make that shape."""
    if isinstance(result, ToolOutput):
        return ToolOutput(
            content=notice, tool_name=result.tool_name, raw_input=result.raw_input, raw_output=notice,
            is_error=result.is_error,
        )  # fmt: skip
    if isinstance(result, TextBlock):
        return TextBlock(text=notice)
    if isinstance(result, NodeWithScore):
        return _replace_documents([], notice)[0]
    if isinstance(result, list):
        return [_replace_result(result[0], notice)] if result and isinstance(result[0], NodeWithScore) else [notice]
    if isinstance(result, bytes):
        return notice.encode()
    return {"notice": notice} if isinstance(result, Mapping) else notice


TOOL_RESULT_SURFACE: Final[Surface[Any]] = Surface(extract_text, _filter_parts, redact_value, _replace_result)
"""What a tool's function returns, or the `ToolOutput` of a tool that is no function."""


# models


def _replace_answer(answer: Any, notice: str) -> Any:
    """A model's answer without anything it said; it asks for nothing to be called.

    Raises:
        TypeError: it is in none of the framework's forms.
    """
    if isinstance(answer, ChatResponse):
        message_id = {key: item for key, item in answer.message.additional_kwargs.items() if key == "id"}
        message = ChatMessage(role=MessageRole.ASSISTANT, content=notice, additional_kwargs=message_id)
        return ChatResponse(message=message, delta=notice if answer.delta is not None else None)
    if isinstance(answer, CompletionResponse):
        return CompletionResponse(text=notice, delta=notice if answer.delta is not None else None)
    raise TypeError(f"a `{type(answer).__name__}` is not an answer of a model")


MODEL_SURFACE: Final[Surface[Any]] = Surface(
    extract_text, None, partial(redact_value, is_tool=lambda _name: True), _replace_answer
)
"""Of `ChatResponse` and `CompletionResponse`, whose calls are all decided when they are made."""


def make_model_surface(halo: HaloBase) -> Surface[Any]:
    """As `MODEL_SURFACE`, but only calls of registered tools count as decided: others may be the shape of an answer."""

    def is_tool(name: str) -> bool:
        resource = halo.find_registered(name)
        return (resource is not None and resource.kind is not ActionKind.INFERENCE) or name == "handoff"

    return replace(MODEL_SURFACE, redact=partial(redact_value, is_tool=is_tool))
