"""Room: messages and models' answers with other words in them. Takes: a result, a mask. Gives: a copy of its shape.

Never: changes what it is given, passes on an object into which it cannot look.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langgraph.types import Send

from halo_core.pep.reshape import Mask, Walk, rejoined

__all__ = ["reshaped"]

# What a model asks for is written in several places: members of a message, of what its provider adds, blocks.
_CALLS: Final = ("tool_calls", "invalid_tool_calls", "tool_call_chunks", "function_call")
_CALL_BLOCKS: Final = frozenset({"tool_use", "tool_call", "tool_call_chunk", "function_call"})
# Which call it is; the answer to it says the same.
_PLACE: Final = frozenset({"id", "call_id", "index", "type"})
_ARGUMENTS: Final = frozenset({"args", "arguments", "input", "partial_json"})
_MEDIA: Final = frozenset({"image", "audio", "video", "file", "image_url", "input_audio", "document"})
_BINARY: Final = frozenset({"base64", "data", "file", "file_data", "image_url", "input_audio", "source", "url"})
_BASE64: Final = re.compile(r"(data:[\w.+/-]*(?:;[\w.+=-]*)*;base64,)?([A-Za-z0-9+/_-]{32,}={0,2})")
_STANDARD: Final = str.maketrans("-_", "+/")
_LETTERS: Final = re.compile(r"[A-Za-z]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
# An id that the framework or a provider made up holds no words.
_MADE_UP: Final = re.compile(r"(?:[A-Za-z_]{1,16}-{1,2})?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-[0-9]{1,3})?")
# The same words in pieces, which no mask would find.
_PIECES: Final = "logprobs"


def _no_tool(_name: str) -> bool:
    return False


def reshaped(value: Any, mask: Mask, is_tool: Callable[[str], bool] = _no_tool) -> Any:
    """A copy of a result with every text replaced by what `mask` makes of it; the same object if nothing changes.

    What stands below a name that says it is a credential is replaced whole, as `[secret]`.

    Args:
        value: a result of any shape.
        mask: what is made of a text.
        is_tool: whether a call of this name is decided when it is made: the arguments of such a call in a model's
            message stay as they are.

    Raises:
        TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
    """
    return _Speech(mask, is_tool=is_tool).value(value)


@dataclasses.dataclass(frozen=True, slots=True)
class _Speech(Walk):
    is_tool: Callable[[str], bool] = _no_tool

    # No `super()`: a class with slots is made twice, and means the first.

    def thing(self, value: Any) -> Any:
        if isinstance(value, BaseMessage):
            return self._message(value)
        if isinstance(value, Generation):
            return self._generation(value)
        if isinstance(value, LLMResult | ChatResult):
            told = self._facts(value.llm_output)
            made: Any = self.fields(value, {"generations": value.generations})
            return made if told is value.llm_output else made.model_copy(update={"llm_output": told})
        return self.fields(value, {"arg": value.arg}) if isinstance(value, Send) else Walk.thing(self, value)

    def _generation(self, value: Generation) -> Generation:
        if isinstance(value, ChatGeneration):
            message = self._message(value.message)
            update = {"message": message, "text": str(message.text)} if message is not value.message else {}
        else:
            text = self.value(value.text)
            update = {"text": text} if text is not value.text else {}
        info = self._facts(value.generation_info, changed=bool(update))
        update |= {"generation_info": info} if info is not value.generation_info else {}
        return value.model_copy(update=update) if update else value

    def _facts(self, told: Any, *, changed: bool = False) -> Any:
        """How it was made, without what nobody can read, and without pieces of words that were masked."""
        if not isinstance(told, Mapping):
            return self.value(told)
        made: dict[Any, Any] = {}
        for key, item in told.items():
            if key == _PIECES:
                continue
            try:
                made |= self._mapping({key: item})
            except TypeError:
                changed = True
        changed = changed or any(key not in told or made[key] is not told[key] for key in made)
        return made if changed else told

    # messages

    def _message(self, message: BaseMessage) -> BaseMessage:
        speaks = isinstance(message, AIMessage)
        update: dict[str, Any] = {
            "content": self._content(message.content, speaks=speaks),
            "additional_kwargs": self._added(message.additional_kwargs, speaks=speaks),
            "name": self.value(message.name),
        }
        if message.id is not None and not _MADE_UP.fullmatch(message.id):
            update["id"] = self.value(message.id)
        if isinstance(message, ToolMessage):
            update["artifact"] = self.value(message.artifact)
        if isinstance(message, AIMessage):
            update |= {name: self._calls(getattr(message, name)) for name in ("tool_calls", "invalid_tool_calls")}
        if isinstance(message, AIMessageChunk):
            update["tool_call_chunks"] = self._calls(message.tool_call_chunks)
        changed = any(item is not getattr(message, name) for name, item in update.items())
        update["response_metadata"] = self._facts(message.response_metadata, changed=changed)
        if all(item is getattr(message, name) for name, item in update.items()):
            return message
        return message.model_copy(update=update)

    def _added(self, told: dict[str, Any], *, speaks: bool) -> dict[str, Any]:
        if not speaks:
            return cast("dict[str, Any]", self._mapping(told))
        calls: dict[str, Any] = {key: self._calls(told[key]) for key in _CALLS if key in told}
        rest = {key: item for key, item in told.items() if key not in _CALLS}
        masked = self._mapping(rest)
        return told if masked is rest and all(calls[key] is told[key] for key in calls) else {**calls, **masked}

    def _content(self, content: Any, *, speaks: bool) -> Any:
        if not isinstance(content, list):
            return self.value(content)
        changed = [self._block(block, speaks=speaks) for block in content]
        changed = rejoined(changed, self.mask, between="", keep=False)
        same = len(changed) == len(content) and all(new is old for new, old in zip(changed, content, strict=True))
        return content if same else changed

    def _block(self, block: Any, *, speaks: bool) -> Any:
        if not isinstance(block, dict):
            return self.value(block)
        kind = block.get("type")
        if speaks and isinstance(kind, str) and kind in _CALL_BLOCKS:
            return self._call(block)
        return self._media(block) if isinstance(kind, str) and kind in _MEDIA else self.value(block)

    # what it asks for

    def _calls(self, calls: Any) -> Any:
        if isinstance(calls, dict):
            return self._call(calls)
        if not isinstance(calls, list):
            return self.value(calls)
        changed = [self._call(item) if isinstance(item, dict) else self.value(item) for item in calls]
        return calls if all(new is old for new, old in zip(changed, calls, strict=True)) else changed

    def _call(self, call: dict[Any, Any], *, tool: bool = False) -> dict[Any, Any]:
        """One call: which one it is stays, and what it hands to a tool that decides it."""
        inner = call.get("function")
        name = call.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        tool = tool or (isinstance(name, str) and self.is_tool(name))
        made = {key: self._member(key, item, tool=tool) for key, item in call.items()}
        return call if all(made[key] is call[key] for key in call) else made

    def _member(self, key: Any, item: Any, *, tool: bool) -> Any:
        if key in _PLACE or (tool and (key == "name" or key in _ARGUMENTS)):
            return item
        if key == "function" and isinstance(item, dict):
            return self._call(item, tool=tool)
        return self._arguments(item) if key in _ARGUMENTS else self._below(key).value(item)

    def _arguments(self, given: Any) -> Any:
        """Arguments, which some providers write as JSON in a text: its names are read too."""
        if not isinstance(given, str):
            return self.value(given)
        try:
            found = json.loads(given)
        except (ValueError, RecursionError):
            return self.value(given)
        if not isinstance(found, dict | list):
            return self.value(given)
        masked = self.value(found)
        # Some names stand in a text twice, and the reader of a name sees one of them.
        return self.value(given if masked is found else json.dumps(masked, ensure_ascii=False))

    # what is no text

    def _media(self, block: dict[Any, Any]) -> Any:
        made = {key: self._piece(item) if key in _BINARY else self._entry(key, item) for key, item in block.items()}
        return block if all(made[key] is block[key] for key in block) else made

    def _entry(self, key: Any, item: Any) -> Any:
        masked = self._mapping({key: item})
        if key not in masked:
            raise TypeError("a block cannot be made under another name")
        return masked[key]

    def _piece(self, item: Any) -> Any:
        if isinstance(item, dict):
            return self._media(item)
        if isinstance(item, bytes | bytearray):
            return item if _words(bytes(item)) is None else self.value(item)
        if not isinstance(item, str) or (match := _BASE64.fullmatch(item)) is None or not _LETTERS.search(match[2]):
            return self.value(item)
        head, packed = match[1] or "", match[2]
        try:
            data = base64.b64decode(packed.translate(_STANDARD), validate=True)
        except binascii.Error:
            return self.value(item)
        words = _words(data)
        if words is None or (masked := self.value(words)) is words:
            return item
        return head + base64.b64encode(masked.encode()).decode()


def _words(data: bytes) -> str | None:
    """The text that bytes are, None of anything that is no text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
