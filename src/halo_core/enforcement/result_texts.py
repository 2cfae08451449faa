"""Extracts the texts of results of any shape, for digests, provenance and filters.

`TextExtractor` returns every leaf and key on a line of its own, since an encoding such as JSON would hide words behind
its escapes. It also decides by these texts which documents stay. What a document says about itself is not believed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
        part_getters: what objects of the framework's own say, by their class; ids, scores and locations do not.
    """

    __slots__ = ("_part_getters",)

    def __init__(self, *part_getters: tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Sequence[Any]]]) -> None:
        self._part_getters = part_getters

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
        return self.is_readable(document) and keep(self.extract_text(document), label_names, find_document_id(document))

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
        return self.join_texts(self.iterate_leaves, value)

    def join_texts(self, iterate_texts: Callable[[Any], Iterator[str]], value: Any) -> str:
        """Join the texts that `iterate_texts` finds in a value by lines; `str(value)` if that fails."""
        try:
            return "\n".join(iterate_texts(value))
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return str(value)

    def is_readable(self, value: Any) -> bool:
        """Whether `extract_text` returns everything in a value, with no opaque object left."""
        try:
            return all(is_whole for _, is_whole in self._walk(value))
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return False

    def iterate_leaves(self, value: Any) -> Iterator[str]:
        """Each leaf and each key of a value as text, in order."""
        return (text for text, _ in self._walk(value))

    def _walk(self, value: Any) -> Iterator[tuple[str, bool]]:
        """Each leaf and key as text, and whether that text is all that it holds."""
        if isinstance(value, str | bytes | bytearray):
            yield value if isinstance(value, str) else value.decode("utf-8", "replace"), True
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._walk(key)
                yield from self._walk(item)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                yield from self._walk(item)
        elif (inner := self._get_contents(value)) is not None:
            yield from self._walk(inner)
        else:
            yield _to_text(value), isinstance(value, _ATOMIC_TYPES) or is_url(value)

    def _get_contents(self, value: Any) -> Any:
        """The contents of an object; None for a leaf."""
        for kind, get_parts in self._part_getters:
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
