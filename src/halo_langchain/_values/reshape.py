"""Room: results with other words in them. Takes: a result of any shape, a mask. Gives: a copy in the same shape.

Whatever holds no text to change is handed back as it is. Never: changes what it is given, passes on an object into
which it cannot look.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import ipaddress
import math
import uuid
from collections.abc import Callable, Mapping, MutableMapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

import pydantic
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langgraph.types import Send
from pydantic.v1 import BaseModel as BaseModelV1

from halo_core.sensitive import is_credential, is_header, looks_like_pan, names_secret

__all__ = ["reshaped"]

Mask = Callable[[str], str]

_HIDDEN: Final = "[secret]"
_LONGEST_PAN: Final = 19  # digits
# They say when, which or where, and hold nobody's words.
_PLAIN: Final = (
    type(None),
    bool,
    complex,
    dt.date,
    dt.time,
    dt.timedelta,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    uuid.UUID,
)
_LEAVES: Final = (str, bytes, bytearray, int, float, Decimal)
# What a model asks for is decided when it is run; it is asked for in several places.
_CALLS: Final = frozenset({"tool_calls", "invalid_tool_calls", "tool_call_chunks", "function_call"})
_CALL_BLOCKS: Final = frozenset({"tool_use", "tool_call", "tool_call_chunk", "function_call", "server_tool_call"})
_MEDIA: Final = frozenset({"image", "audio", "video", "file", "image_url", "input_audio", "document"})
_BINARY: Final = frozenset({"base64", "data", "image_url", "url", "input_audio"})
# The same words in pieces, which no mask would find.
_PIECES: Final = "logprobs"


def reshaped(value: Any, mask: Mask) -> Any:
    """A copy of a result with every text replaced by what `mask` makes of it; the same object if nothing changes.

    What stands below a name that says it is a credential is replaced whole, as `[secret]`.

    Raises:
        TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
    """
    return _Walk(mask).value(value)


@dataclasses.dataclass(frozen=True, slots=True)
class _Walk:
    """One mask on its way through a result; `secret` below the name of a credential."""

    mask: Mask
    secret: bool = False

    def value(self, value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, Enum):  # before its base: a member of a `StrEnum` is a `str` too
            return self._fixed(value, str(value.value))
        if isinstance(value, _LEAVES):
            return self._number(value) if isinstance(value, int | float | Decimal) else self._text(value)
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, list | tuple | set | frozenset):
            return self._many(value)
        return self._object(value)

    # leaves

    def _text(self, value: Any, *, whole: bool = True) -> Any:
        text = value if isinstance(value, str) else bytes(value).decode("utf-8", "surrogateescape")
        text = str.__str__(text)
        masked = _HIDDEN if self.secret and whole and text else self.mask(text)
        if masked == text:
            return value
        return masked if isinstance(value, str) else type(value)(masked.encode("utf-8", "surrogateescape"))

    def _number(self, value: Any) -> Any:
        """It becomes text where it reads as a card number."""
        if self.secret:
            return _HIDDEN
        whole = math.isfinite(value) and abs(value) < 10**_LONGEST_PAN and value == int(value)
        digits = str(abs(int(value))) if whole else ""
        return self.mask(digits) if looks_like_pan(digits) else value

    def _fixed(self, value: Any, text: str) -> Any:
        """What has its words by its type."""
        if self.secret or self.mask(text) != text:
            raise _stuck(value)
        return value

    # containers

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        named = names_secret(value, self.mask)
        changed = {
            self._key(key): (self._secret() if named and key == "value" else self._below(key)).value(item)
            for key, item in value.items()
        }
        if len(changed) != len(value):
            raise _stuck(value)  # two keys are one when they are masked
        if all(key in value and changed[key] is value[key] for key in changed):
            return value
        if type(value) is dict:
            return changed
        made = copy.copy(value)
        if not isinstance(made, MutableMapping):
            raise _stuck(value)
        made.clear()
        made.update(changed)
        return made

    def _key(self, key: Any) -> Any:
        if isinstance(key, str | bytes):
            return self._text(key, whole=False)
        return key if isinstance(key, int) else self._fixed(key, str(key))

    def _below(self, key: Any) -> _Walk:
        return self._secret() if isinstance(key, str) and is_credential(key) else self

    def _secret(self) -> _Walk:
        return _Walk(self.mask, secret=True)

    def _many(self, value: Any) -> Any:
        items = list(value)
        pair = isinstance(value, list | tuple) and is_header(value, self.mask)
        changed = [(self._secret() if pair and i == 1 else self).value(item) for i, item in enumerate(items)]
        if all(new is old for new, old in zip(changed, items, strict=True)):
            return value
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(changed)
        if isinstance(value, tuple) and hasattr(value, "_make"):
            return value._make(changed)
        raise _stuck(value)

    # objects

    def _object(self, value: Any) -> Any:
        if isinstance(value, BaseMessage):
            return self._message(value)
        if isinstance(value, Send):
            arg = self.value(value.arg)
            return value if arg is value.arg else _with(value, {"arg": arg})
        if isinstance(value, pydantic.SecretStr | pydantic.SecretBytes):
            hidden: Any = _HIDDEN if isinstance(value, pydantic.SecretStr) else _HIDDEN.encode()
            return type(value)(hidden)
        if isinstance(value, PurePath | pydantic.AnyUrl):
            return self._fixed(value, str(value))
        if isinstance(value, pydantic.BaseModel | BaseModelV1):
            return self._model(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return self._fields(value, {item.name: getattr(value, item.name) for item in dataclasses.fields(value)})
        raise _stuck(value)

    def _model(self, value: Any) -> Any:
        if isinstance(value, Generation):
            return self._generation(value)
        if isinstance(value, LLMResult | ChatResult):  # what else it tells is how it was made
            return self._fields(value, {"generations": value.generations})
        return self._fields(value, {**value.__dict__, **(getattr(value, "__pydantic_extra__", None) or {})})

    def _fields(self, value: Any, fields: Mapping[str, Any]) -> Any:
        new = {name: self._below(name).value(item) for name, item in fields.items()}
        changed = {name: item for name, item in new.items() if item is not fields[name]}
        if any(isinstance(fields[name], int | float | Decimal) for name in changed):
            raise _stuck(value)  # a number that was promised
        return _with(value, changed) if changed else value

    def _generation(self, value: Generation) -> Generation:
        if isinstance(value, ChatGeneration):
            message = self._message(value.message)
            update = {"message": message, "text": str(message.text)} if message is not value.message else {}
        else:
            text = self.value(value.text)
            update = {"text": text} if text is not value.text else {}
        info = self._pieces(value.generation_info, changed=True)
        return value.model_copy(update={**update, "generation_info": info}) if update else value

    def _message(self, message: BaseMessage) -> BaseMessage:
        """Its words; what it asks to be called is another decision, and how it was made says nothing."""
        update: dict[str, Any] = {"content": self._content(message.content)}
        told = {key: item for key, item in message.additional_kwargs.items() if key not in _CALLS}
        masked = self.value(told)
        if masked is not told:
            calls = {key: item for key, item in message.additional_kwargs.items() if key in _CALLS}
            update["additional_kwargs"] = {**calls, **masked}
        if isinstance(message, ToolMessage):
            update["artifact"] = self.value(message.artifact)
        changed = update["content"] is not message.content
        update["response_metadata"] = self._pieces(message.response_metadata, changed=changed)
        if all(item is getattr(message, name) for name, item in update.items()):
            return message
        return message.model_copy(update=update)

    def _content(self, content: Any) -> Any:
        if not isinstance(content, list):
            return self.value(content)
        changed = [self._block(block) for block in content]
        return content if all(new is old for new, old in zip(changed, content, strict=True)) else changed

    def _block(self, block: Any) -> Any:
        if not isinstance(block, dict) or block.get("type") in _CALL_BLOCKS:
            return self.value(block) if not isinstance(block, dict) else block
        aside = _BINARY if block.get("type") in _MEDIA else frozenset()
        told = {key: item for key, item in block.items() if key not in aside}
        masked = self.value(told)
        return block if masked is told else {**{key: block[key] for key in block if key in aside}, **masked}

    @staticmethod
    def _pieces(told: Any, *, changed: bool) -> Any:
        less = changed and isinstance(told, dict) and _PIECES in told
        return {key: item for key, item in told.items() if key != _PIECES} if less else told


def _with(value: Any, changed: Mapping[str, Any]) -> Any:
    """A copy of an object with some fields changed, whatever it is that keeps them."""
    if isinstance(value, pydantic.BaseModel):
        return value.model_copy(update=changed)
    if isinstance(value, BaseModelV1):
        return value.copy(update=dict(changed))
    made = copy.copy(value)
    for name, item in changed.items():
        object.__setattr__(made, name, item)
    return made


def _stuck(value: Any) -> TypeError:
    return TypeError(f"a `{type(value).__name__}` cannot be made with other words in it")
