"""Extracts the texts of results of any shape, for digests, provenance and filters.

`TextExtractor` returns every leaf and key on a line of its own, since an encoding such as JSON would hide words behind
its escapes. It also decides by these texts which documents stay. What a document says about itself is not believed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import Any, Final

from halo_core.enforcement.arguments import NETWORK_TYPES, get_fields, is_url
from halo_core.enforcement.obligations import KeepDocument

DROPPED_NOTICE: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"
_ID_FIELDS: Final = ("id", "node_id", "doc_id", "id_")
GetLabels = Callable[[Any], Iterable[str]]

TIME_TYPES: Final = (dt.date, dt.time, dt.timedelta)
"""They say when, and hold nobody's words."""
# What `str` says of them is all that they hold.
_ATOMIC_TYPES: Final = (type(None), Number, uuid.UUID, PurePath, *TIME_TYPES, *NETWORK_TYPES)

_TEXT_TYPES: Final = (str, bytes, bytearray)
_SEQUENCE_TYPES: Final = (list, tuple)
_SET_TYPES: Final = (set, frozenset)
_PLAIN_LEAVES: Final = frozenset((bool, float, int, type(None)))


def find_document_id(document: Any) -> str:
    """The id of a retrieved document or node; empty if it has none or it cannot be read."""
    try:
        document = getattr(document, "node", document)
        document_id = next(
            (value for name in _ID_FIELDS if isinstance(value := getattr(document, name, None), str)), ""
        )
    except Exception:  # noqa: BLE001  INVARIANT: TOTAL - an object of the caller's that misbehaves
        return ""
    return document_id


class TextExtractor:
    """Extracts the texts of results.

    Args:
        part_getters: what objects of the framework's own say, by their classes, those of a base after those of the
            classes derived from it; ids, scores and locations do not.
    """

    __slots__ = ("_part_getters",)

    def __init__(self, *part_getters: tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Sequence[Any]]]) -> None:
        self._part_getters = {
            kind: get_parts
            for kinds, get_parts in part_getters
            for kind in (kinds if isinstance(kinds, tuple) else (kinds,))
        }

    def may_keep(self, document: Any, keep: KeepDocument, get_labels: GetLabels | None = None) -> bool:
        """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label.

        Args:
            document: a document, or any other part of a result.
            keep: whether one with this text and these labels stays.
            get_labels: what data it holds, beside what is found in its text.
        """
        try:
            labels = get_labels(document) if get_labels is not None else ()
            label_names = tuple(labels)
        except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - nobody can say what is in it
            return False
        # A text is no list of labels, though it can be read letter by letter.
        if isinstance(labels, str) or not all(isinstance(name, str) for name in label_names):
            return False
        texts: list[str] = []
        try:
            is_whole = self._collect(document, texts)
        except Exception:  # noqa: BLE001  as above
            return False
        return is_whole and keep("\n".join(texts), label_names, find_document_id(document))

    def filter_documents(
        self, documents: Sequence[Any], keep: KeepDocument, get_labels: GetLabels | None = None
    ) -> tuple[list[Any], int]:
        """The documents that stay (the same list if all do), and how many do not."""
        remaining = [item for item in documents if self.may_keep(item, keep, get_labels)]
        dropped = len(documents) - len(remaining)
        return (remaining if dropped or not isinstance(documents, list) else documents), dropped

    def filter_parts(self, result: Any, keep: KeepDocument, *, replace: Callable[[Any, str], Any]) -> tuple[Any, int]:
        """A tool's result without documents that may not be used; a result that is no list stays or goes whole.

        Args:
            result: result of a tool.
            keep: whether a document with this text and these labels stays.
            replace: makes a notice in the result's own shape.
        """
        if isinstance(result, list):
            return self.filter_documents(result, keep)
        if self.may_keep(result, keep):
            return result, 0
        return replace(result, DROPPED_NOTICE), len(result) if isinstance(result, tuple) else 1

    def extract_text(self, value: Any) -> str:
        """The whole text of a value."""
        if type(value) is str:
            return value
        return self.join_texts(self.list_leaves, value)

    def join_texts(self, find_texts: Callable[[Any], Iterable[str]], value: Any) -> str:
        """Join the texts that `find_texts` finds in a value by lines; `str(value)` if that fails."""
        try:
            return "\n".join(find_texts(value))
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return str(value)

    def is_readable(self, value: Any) -> bool:
        """Whether `extract_text` returns everything in a value, with no opaque object left."""
        try:
            return self._collect(value, [])
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return False

    def list_leaves(self, value: Any) -> list[str]:
        """Each leaf and each key of a value as text, in order."""
        texts: list[str] = []
        self._collect(value, texts)
        return texts

    def _collect(self, value: Any, texts: list[str]) -> bool:
        """Add each leaf and key as text; returns whether these texts are all that the value holds."""
        kind = type(value)
        if kind is str:
            texts.append(value)
            return True
        if kind in _PLAIN_LEAVES:
            texts.append(str(value))
            return True
        parts: Iterable[Any]
        # First the classes that are known: an abstract one takes its time to say no.
        if (get_parts := self._part_getters.get(kind)) is not None:
            parts = [item for item in get_parts(value) if item is not None]
        elif isinstance(value, _TEXT_TYPES):
            texts.append(value if isinstance(value, str) else value.decode("utf-8", "replace"))
            return True
        elif isinstance(value, Mapping):
            parts = [part for key, item in value.items() for part in (key, item)]
        elif isinstance(value, _SEQUENCE_TYPES):
            parts = value
        elif isinstance(value, _SET_TYPES):
            parts = sorted(value, key=repr)
        elif (inner := self._get_contents(value)) is not None:
            return self._collect(inner, texts)
        else:
            texts.append(_to_text(value))
            return isinstance(value, _ATOMIC_TYPES) or is_url(value)
        is_whole = True
        for part in parts:
            is_whole &= self._collect(part, texts)
        return is_whole

    def _get_contents(self, value: Any) -> Any:
        """The contents of an object; None for a leaf."""
        for kind, get_parts in self._part_getters.items():
            if isinstance(value, kind):
                return [item for item in get_parts(value) if item is not None]
        if (fields := get_fields(value)) is not None:
            return fields
        return [value.value] if isinstance(value, Enum) else None


def _to_text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  it can be shown in another way
        return repr(value)


def replace_plain_result(result: Any, notice: str) -> Any:
    """A notice with the shape of a plain value."""
    if isinstance(result, list):
        return [notice]
    if isinstance(result, bytes):
        return notice.encode()
    return {"notice": notice} if isinstance(result, Mapping) else notice
