"""Strict reading of YAML: items that know their position, and the findings of what is wrong with a manifest.

Only the part of YAML is accepted that means what it looks like: no anchors and aliases (one line could stand for a
gigabyte), no tags, no merge keys, no duplicate keys. YAML 1.1 reads `no`, `010`, `1_000` and `1:30` as truth values and
numbers; each is refused with the spelling to use instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

import yaml

from halo_core.errors import ConfigError
from halo_core.quick_dataclass import dataclass

_MAX_BYTES: Final = 1 << 20
_MAX_DEPTH: Final = 16
_MAX_NODES: Final = 100_000
_MAX_LIST: Final = 4_096
_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_*?-]+")
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")
_MAX_FINDINGS: Final = 100
_MAX_SHOWN: Final = 64
_MAX_COMPARED: Final = 200
_MAX_GUESSES: Final = 20

Remedy = str | Callable[[], str]
"""What to do, or a function that finds out, since looking for a close word takes time."""


@dataclass(frozen=True, slots=True, order=True)
class ManifestFinding:
    """An error: line and column from 1, path of the field, message and remedy."""

    line: int
    column: int
    path: str
    message: str
    remedy: str = ""

    def text(self, source: str) -> str:
        """`agents.yaml:3:5: agents.clerk.owner: what is wrong`."""
        field = f"{self.path}: " if self.path else ""
        return f"{source}:{self.line}:{self.column}: {field}{self.message}"


class ManifestError(ConfigError):
    """A manifest was refused; the message shows the first finding, `findings` holds all in file order."""

    def __init__(self, source: str, findings: Iterable[ManifestFinding]) -> None:
        self.source = source
        self.findings = tuple(sorted(set(findings)))
        first = self.findings[0]
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        super().__init__("manifest", first.text(source) + more, remedy=first.remedy)


class FindingCollector:
    """Collects findings, so that a reader gets all of them at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._findings: list[ManifestFinding] = []
        self._guesses = 0

    def add(self, place: tuple[int, int], path: str, message: str, remedy: Remedy = "") -> None:
        """Note a finding, up to a hundred of them."""
        # INVARIANT: TOTAL - a hostile file is refused in a time that does not grow with what is wrong in it.
        if len(self._findings) >= _MAX_FINDINGS:
            return
        if not isinstance(remedy, str):
            self._guesses += 1
            remedy = remedy() if self._guesses <= _MAX_GUESSES else ""
        self._findings.append(ManifestFinding(*place, path, message, remedy))

    def raise_findings(self) -> None:
        """Raise the findings, if any.

        Raises:
            ManifestError: there were findings.
        """
        if self._findings:
            raise ManifestError(self._source, self._findings)


def printable(text: str) -> str:
    """A text of the file as short printable ASCII, for a message."""
    escaped = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return escaped if len(escaped) <= _MAX_SHOWN else escaped[: _MAX_SHOWN - 3] + "..."


def did_you_mean(word: str, candidates: Iterable[str], otherwise: str = "") -> str:
    """A remedy: the closest candidate, else `otherwise`, else all candidates.

    Of more than 200 candidates those with the same first letter are compared first.
    """
    words = sorted(candidates)
    compared = (
        words if len(words) <= _MAX_COMPARED else sorted(words, key=lambda item: item[:1] != word[:1])[:_MAX_COMPARED]
    )
    close = get_close_matches(word[:_MAX_SHOWN], [item for item in compared if len(item) <= 2 * _MAX_SHOWN], 1)
    if close:
        return f"did you mean `{printable(close[0])}`"
    return otherwise or (f"use one of {', '.join(printable(item) for item in words[:20])}" if words else "remove it")


class _RefusedYaml(Exception):
    def __init__(self, mark: Any, message: str, remedy: str) -> None:
        super().__init__(message)
        self.finding = ManifestFinding(mark.line + 1, mark.column + 1, "", message, remedy)


class _Loader(yaml.SafeLoader):
    """Composes nodes; refuses constructs that could expand a small text into a large one."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        self.nodes += 1
        # INVARIANT: TOTAL - refused before the recursion goes deeper or a node is built twice.
        if self.depth >= _MAX_DEPTH or self.nodes > _MAX_NODES:
            raise _RefusedYaml(event.start_mark, "the manifest is nested too deep or too large", "use less nesting")
        if isinstance(index, int) and index >= _MAX_LIST:
            raise _RefusedYaml(event.start_mark, f"a list of more than {_MAX_LIST:,} items", "use fewer")
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _RefusedYaml(event.start_mark, "anchors and aliases are not supported", "write the value in full")
        if event.tag is not None:
            raise _RefusedYaml(event.start_mark, "tags are not supported", "remove the tag")
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def read_document(text: str, source: str, report: FindingCollector) -> Item:
    """The root of a YAML document.

    Raises:
        ManifestError: the text is no YAML, too large, or uses what is refused.
    """
    if len(text.encode("utf-8", "replace")) > _MAX_BYTES:
        raise ManifestError(
            source, [ManifestFinding(1, 1, "", "the manifest is larger than 1 MiB", "write one manifest per tenant")]
        )
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except _RefusedYaml as exc:
        raise ManifestError(source, [exc.finding]) from exc
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        # ValueError: an escape of no character, a directive of a thousand digits.
        raise ManifestError(source, [_make_syntax_finding(exc, text)]) from exc
    if node is None:
        raise ManifestError(source, [ManifestFinding(1, 1, "", "the manifest is empty", "see docs/manifest.md")])
    return Item(node, "", report)


def _make_syntax_finding(exc: Exception, text: str) -> ManifestFinding:
    remedy = "indent with spaces and quote texts with `:` or `#` in them"
    if isinstance(exc, yaml.MarkedYAMLError):
        mark = exc.problem_mark or exc.context_mark
        place = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        words = " ".join(filter(None, (exc.context, exc.problem)))
        return ManifestFinding(*place, "", f"this is not YAML: {words}", remedy)
    if isinstance(exc, yaml.reader.ReaderError):
        before = text[: exc.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        return ManifestFinding(
            *place, "", "a character that YAML does not allow", "remove it, or write it as an escape"
        )
    return ManifestFinding(1, 1, "", "this is not YAML", remedy)


@dataclass(frozen=True, slots=True)
class Item:
    """A node with its path. Its readers report problems and then return None."""

    node: yaml.Node
    path: str
    report: FindingCollector

    @property
    def place(self) -> tuple[int, int]:
        """Line and column, from 1."""
        mark = self.node.start_mark
        return mark.line + 1, mark.column + 1

    def fail(self, message: str, remedy: Remedy = "") -> None:
        """Report a problem here."""
        self.report.add(self.place, self.path, message, remedy)

    def mapping(self, fields: Iterable[str] | None = None) -> dict[str, Item]:
        """Members by key, restricted to `fields` if given; empty if this is no mapping."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail("a mapping is expected", "write `key: value` lines below it")
            return {}
        allowed = None if fields is None else set(fields)
        members: dict[str, Item] = {}
        for key_node, value in self.node.value:
            key = Item(key_node, self.path, self.report)
            name = key.text()
            if name is None:
                continue
            member = Item(value, self._child_path(name), self.report)
            place = Item(key_node, member.path, self.report)
            if name in members:
                place.fail("the key occurs twice", "keep one of them")
            elif allowed is not None and name not in allowed:
                place.fail(f"there is no field `{printable(name)}`", partial(did_you_mean, name, allowed))
            else:
                members[name] = member
        return members

    def _child_path(self, name: str) -> str:
        segment = name if _PLAIN_KEY.fullmatch(name) else f'"{printable(name)}"'
        return f"{self.path}.{segment}" if self.path else segment

    def sequence(self) -> list[Item]:
        """Members of a list; empty if this is none."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("a list is expected", "write `[one, two]`")
            return []
        return [Item(value, f"{self.path}[{index}]", self.report) for index, value in enumerate(self.node.value)]

    def is_sequence(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    def scalar(self) -> str | int | bool | None:
        """A text, an integer below 2**53 or a truth value, as it is written."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("a single value is expected")
            return None
        raw, kind = self.node.value, self.kind()
        if kind == "str":
            return str(raw)
        if kind == "bool" and raw in ("true", "false"):
            return bool(raw == "true")
        if kind == "int" and _INTEGER.fullmatch(raw) and abs(int(raw)) < 2**53:
            return int(raw)
        self._fail_misread(raw, kind)
        return None

    def kind(self) -> str:
        """The YAML 1.1 type of the scalar: `str`, `int`, `bool`, ...; empty if it is no scalar."""
        if not isinstance(self.node, yaml.ScalarNode):
            return ""
        return str(self.node.tag).removeprefix(_TAG)

    def _fail_misread(self, raw: str, kind: str) -> None:
        printed = printable(raw)
        otherwise = (f"YAML reads `{printed}` as {'a date' if kind == 'timestamp' else 'something else'}", "quote it")
        message, remedy = {
            "null": ("the value is missing", "add a value, or remove the field"),
            "bool": (f"YAML reads `{printed}` as a truth value", f'write `"{printed}"`, or true or false'),
            "int": (f"`{printed}` is not a plain number, or it is too large", "write plain digits, or quote a text"),
            "float": ("a number with a fraction is not exact here", f'quote it: `"{printed}"`'),
        }.get(kind, otherwise)
        self.fail(message, remedy)

    def text(self, *, most: int = 1024) -> str | None:
        """A printable text of at most `most` characters that is not empty."""
        if not isinstance(self.node, yaml.ScalarNode):
            self.fail("a text is expected")
            return None
        raw, kind = self.node.value, self.kind()
        if kind == "int" or (kind == "bool" and raw in ("true", "false")):
            noun = "a number" if kind == "int" else "a truth value"
            self.fail(f"YAML reads `{printable(raw)}` as {noun}", f'write `"{printable(raw)}"`')
            return None
        value = self.scalar()
        if value is None:
            return None
        text = str(value)
        if not 1 <= len(text) <= most or not text.isprintable():
            self.fail(f"a printable text of 1 to {most} characters is expected")
            return None
        return text
