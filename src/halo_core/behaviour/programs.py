"""Room: arguments that are programs. Takes: a text. Gives: its parts (files, hosts, tables, words).

Never: I/O, a clock.

Parsed by the parsers that others keep well: SQL by sqlglot, shell by tree-sitter's Bash grammar, URLs by the standard
library. They are loaded when the first such text comes; a text that they cannot read stays one value (INVARIANT:
TOTAL).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["MAX_PARTS", "MAX_PROGRAM", "host_of", "parts"]

MAX_PROGRAM: Final = 16_384
MAX_PARTS: Final = 48
_MAX_NODES: Final = 4000
_PIECE: Final = 4096  # characters

_SQL: Final = re.compile(
    r"\s*(?:with\s+\w+\s+as|select\s+\S|insert\s+into|update\s+\S+\s+set|delete\s+from|create\s+(?:table|view|index|user)"
    r"|(?:drop|alter|truncate)\s+(?:table|view|index|database|schema|user|role)\s|grant\s+\S+.*\sto\s|copy\s+\S+.*\s(?:from|to)\s)",
    re.IGNORECASE,
)
_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'`|)\]}]{3,2048}", re.IGNORECASE)
_MAIL: Final = re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.IGNORECASE)
_PATH: Final = re.compile(r"(?:(?<=[\s\"'=(:,])|^)(?:~|\.{1,2})?/[\w.@+-]{1,255}(?:/[\w.@+ -]{0,255}){0,16}")
_SHELL_NAMES: Final = frozenset({"command", "cmd", "script", "shell", "bash", "commands", "commandline"})
_WORDS: Final = frozenset({"word", "string_content", "raw_string", "command_name", "file_redirect", "heredoc_body"})

Part = tuple[str, str]
"""Kind (`email`, `url`, `path`, `table`, `program`, `word`) and text."""


def parts(text: str, name: str) -> tuple[bool, list[Part]]:
    """Whether a text is a program, and its parts, at most `MAX_PARTS`.

    Args:
        text: the value.
        name: of the argument (its last word), which says whether a shell runs it.
    """
    text = text[:MAX_PROGRAM]
    found: list[Part] = []
    if name in _SHELL_NAMES:
        found += _shell(text)
    elif _SQL.match(text):
        found += _sql(text)
    program = bool(found)
    found += _plain(text)
    different = list(dict.fromkeys(found))
    if len(different) > MAX_PARTS:
        different.sort(key=_padding)  # else a few numbers in front would hide all that is behind them
    return program, different[:MAX_PARTS]


def _padding(part: Part) -> int:
    """How little a part says: what anybody can put in front of a program at no cost comes last."""
    kind, text = part
    return (0 if kind != "word" else 1) if any(map(str.isalpha, text)) or not text.isascii() else 2


def _plain(text: str) -> Iterator[Part]:
    """Addresses, URLs and paths that stand in a text."""
    if "@" in text:
        for match in _MAIL.finditer(text):
            yield "email", match.group()
    if "/" in text or "www." in text.lower():
        for match in _URL.finditer(text):
            yield from _url(match.group().rstrip(".,;:!?"))
        for match in _PATH.finditer(text):
            yield "path", match.group().rstrip(".,;:!? ")


def _url(text: str) -> Iterator[Part]:
    yield "url", text
    try:
        split = urlsplit(text if "://" in text else f"//{text}")
        asked = parse_qsl(split.query, max_num_fields=16)
    except ValueError:
        return
    for _, value in asked:
        yield "word", value


def host_of(url: str) -> str:
    """Host of a URL in lower case, without `www.` and port; empty where there is none."""
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _sql(text: str) -> Iterator[Part]:
    try:
        import logging  # noqa: PLC0415

        from sqlglot import exp, parse  # noqa: PLC0415  a third of a second, and few agents speak SQL

        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it remarks on what it cannot parse
        for tree in parse(text):
            if tree is None:
                continue
            yield "program", tree.key
            for number, node in enumerate(tree.walk()):
                if number > _MAX_NODES:
                    break
                if isinstance(node, exp.Table):
                    yield "table", node.name
                elif isinstance(node, exp.Literal):
                    yield "word", node.name
    except Exception:  # noqa: BLE001  INVARIANT: TOTAL - what cannot be parsed stays one value
        return


@lru_cache(maxsize=1)
def _bash() -> Any:
    import tree_sitter_bash  # noqa: PLC0415  few agents have a shell
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))


def _shell(text: str) -> Iterator[Part]:
    try:
        parser = _bash()
    except ImportError:
        return
    seen = 0
    for piece in _pieces(text):
        source = piece.encode("utf-8", "replace")
        nodes = [parser.parse(source).root_node]
        while nodes and seen < _MAX_NODES:
            node = nodes.pop()
            seen += 1
            if node.type in _WORDS and node.type != "file_redirect":
                word = source[node.start_byte : node.end_byte].decode("utf-8", "replace").strip("'\"@")
                yield ("program", word) if node.type == "command_name" else (_kind(word), unquote(word))
                continue
            nodes.extend(reversed(node.children))


def _pieces(text: str) -> Iterator[str]:
    """A program in pieces, cut between lines, or words: what does not parse costs the square of its length."""
    while len(text) > _PIECE:
        end = text.rfind("\n", 0, _PIECE) + 1 or text.rfind(" ", 0, _PIECE) + 1 or _PIECE
        yield text[:end]
        text = text[end:]
    yield text


def _kind(word: str) -> str:
    if "/" in word and "://" not in word and not any(char.isspace() for char in word):
        return "path"
    return "word"
