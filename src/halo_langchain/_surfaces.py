"""Room: surfaces, how results are read and made less. Takes: results of tools, retrievers and models. Gives: the same.

Never: decides what is taken away, changes what it is given, trusts what a document says of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk
from langchain_core.tools import BaseTool
from langgraph.types import Command

from halo_core.model import ActionKind
from halo_core.pep import Surface
from halo_langchain._values.speech import reshaped
from halo_langchain._values.texts import documents_text, model_output, readable, result_text

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

__all__ = [
    "DOCUMENTS",
    "DROPPED",
    "MODEL",
    "TOOL_RESULT",
    "Labels",
    "documents_surface",
    "model_surface",
    "tool_surface",
]

Keep = Callable[[str, tuple[str, ...]], bool]
Labels = Callable[[Document], Iterable[str]]

DROPPED: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"
# What a message says of itself that is no part of the answer.
_KEPT_FACTS: Final = frozenset({"finish_reason", "model_name", "model_provider", "stop_reason", "token_usage"})


# documents


def _own_labels(_document: Document) -> Iterable[str]:
    return ()


def documents_surface(labels: Labels | None = None) -> Surface[list[Document]]:
    """The surface of a retriever; `labels` says what data a document holds, beside what is found in its text."""
    of = labels or _own_labels

    def kept(documents: Sequence[Document], keep: Keep) -> tuple[list[Document], int]:
        left = [item for item in documents if _stays(item, keep, of)]
        return left, len(documents) - len(left)

    return Surface(documents_text, kept, reshaped, _no_documents)


def _stays(document: Document, keep: Keep, labels: Labels) -> bool:
    try:
        said = labels(document)
        told = tuple(said)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - nobody can say what is in it
        return False
    # A text is no list of labels, though it can be read letter by letter.
    return not isinstance(said, str) and all(isinstance(item, str) for item in told) and _may(document, keep, told)


def _may(value: Any, keep: Keep, told: tuple[str, ...] = ()) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label."""
    return readable(value) and keep(result_text(value), told)


def _no_documents(_documents: Sequence[Document], notice: str) -> list[Document]:
    return [Document(notice)]


DOCUMENTS: Final[Surface[list[Document]]] = documents_surface()


# tools


def _kept_parts(result: Any, keep: Keep) -> tuple[Any, int]:
    """A tool's result without the documents that may not be used: those of a list, else all of it or nothing."""
    if isinstance(result, list):
        left = [item for item in result if _may(item, keep)]
        return (result if len(left) == len(result) else left), len(result) - len(left)
    if isinstance(result, ToolMessage):
        (content, artifact), dropped = _kept_artifact((result.content, result.artifact), keep)
        return (result.model_copy(update={"content": content, "artifact": artifact}) if dropped else result), dropped
    count = len(result) if isinstance(result, tuple) else 1
    return (result, 0) if _may(result, keep) else (_no_result(result, DROPPED), count)


def _kept_artifact(result: Any, keep: Keep) -> tuple[Any, int]:
    """As `_kept_parts`, of content and artifact: the content tells what the artifact holds."""
    if not isinstance(result, tuple) or len(result) != 2:
        return _kept_parts(result, keep)
    artifact = result[1]
    left, dropped = _kept_parts(artifact, keep) if isinstance(artifact, list) else (artifact, 0)
    if dropped == 0 and _may(result, keep):
        return result, 0
    return (DROPPED, (left or None) if dropped else None), dropped or 1


def _no_result(result: Any, notice: str) -> Any:
    """A notice in the shape that the tool promised; text, where the shape is one that only the tool can make."""
    if isinstance(result, BaseMessage):
        return _no_message(result, notice)
    if isinstance(result, list):
        return [Document(notice)] if result and all(isinstance(item, Document) for item in result) else [notice]
    if isinstance(result, bytes):
        return notice.encode()
    if isinstance(result, Mapping):
        return {"notice": notice}
    return _no_update(result, notice) if isinstance(result, Command) else notice


def _no_pair(_result: Any, notice: str) -> Any:
    return notice, None


def _no_update(command: Command[Any], notice: str) -> Command[Any]:
    """Where it leads, and its messages as notices; what it would have written or sent is gone."""
    update = command.update if isinstance(command.update, Mapping) else {}
    messages = update.get("messages")
    messages = messages if isinstance(messages, list | tuple) else [messages]
    answers = [_no_message(item, notice) for item in messages if isinstance(item, ToolMessage)]
    goto = command.goto if isinstance(command.goto, list | tuple) else [command.goto]
    return replace(
        command,
        update={"messages": answers} if answers else None,
        resume=None,
        goto=[item for item in goto if isinstance(item, str)],
    )


TOOL_RESULT: Final[Surface[Any]] = Surface(result_text, _kept_parts, reshaped, _no_result)
_WITH_ARTIFACT: Final[Surface[Any]] = Surface(result_text, _kept_artifact, reshaped, _no_pair)


def tool_surface(tool: BaseTool) -> Surface[Any]:
    """How a tool's results are read: all of it, the artifact too, which reaches whoever called."""
    return _WITH_ARTIFACT if tool.response_format == "content_and_artifact" else TOOL_RESULT


# models


def _no_message(message: BaseMessage, notice: str) -> BaseMessage:
    """A message with a notice for its words, under the same id; it asks for nothing to be called."""
    facts = {key: item for key, item in message.response_metadata.items() if key in _KEPT_FACTS}
    if isinstance(message, ToolMessage):
        return message.model_copy(
            update={"content": notice, "artifact": None, "additional_kwargs": {}, "response_metadata": facts}
        )
    if isinstance(message, AIMessage):
        kind = AIMessageChunk if isinstance(message, AIMessageChunk) else AIMessage
        said = kind(
            content=notice,
            id=message.id,
            name=message.name,
            usage_metadata=message.usage_metadata,
            response_metadata=facts,
        )
        if isinstance(message, AIMessageChunk):
            return said.model_copy(update={"chunk_position": message.chunk_position})
        return said
    return message.model_copy(update={"content": notice, "additional_kwargs": {}, "response_metadata": facts})


def _no_generation(part: Generation, notice: str) -> Generation:
    if isinstance(part, ChatGeneration):
        message: Any = _no_message(part.message, notice)
        return (ChatGenerationChunk if isinstance(part, ChatGenerationChunk) else ChatGeneration)(message=message)
    return (GenerationChunk if isinstance(part, GenerationChunk) else Generation)(text=notice)


def _no_answer(answer: Any, notice: str) -> Any:
    """A model's answer without anything it said, in each of the forms that the framework has for one.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(answer, BaseMessage):
        return _no_message(answer, notice)
    if (inner := getattr(answer, "model_response", None)) is not None:
        return replace(answer, model_response=_no_answer(inner, notice), command=None)
    if isinstance(messages := getattr(answer, "result", None), list):
        # A tool's answer would belong to a call that is no longer there.
        said = [_no_message(item, notice) for item in messages if not isinstance(item, ToolMessage)]
        return replace(answer, result=said, structured_response=None)
    if isinstance(generations := getattr(answer, "generations", None), list):
        less = [
            [_no_generation(item, notice) for item in part] if isinstance(part, list) else _no_generation(part, notice)
            for part in generations
        ]
        facts = answer.llm_output if isinstance(answer.llm_output, dict) else {}
        facts = {key: item for key, item in facts.items() if key in _KEPT_FACTS}
        return answer.model_copy(update={"generations": less, "llm_output": facts})
    raise TypeError(f"a `{type(answer).__name__}` is no answer of a model")


MODEL: Final[Surface[Any]] = Surface(model_output, None, partial(reshaped, is_tool=lambda _name: True), _no_answer)
"""Of `AIMessage`, `ModelResponse`, `ChatResult` and `LLMResult`, whose calls are all decided when they are made."""


def model_surface(halo: HaloBase) -> Surface[Any]:
    """As `MODEL`, where only calls of what is registered are decided: any other may be the shape of an answer."""

    def is_tool(name: str) -> bool:
        found = halo.registered(name)
        return found is not None and found.kind is not ActionKind.INFERENCE

    return replace(MODEL, redact=partial(reshaped, is_tool=is_tool))
