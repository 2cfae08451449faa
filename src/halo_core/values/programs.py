"""What a program in an argument does: whether it only reads, and the hosts, paths and tables that it names.

    judge_program("rm /tmp/a", Language.SHELL)    # acts, names the path /tmp/a, asks for `delete`

SQL is parsed by sqlglot, shell by tree-sitter's Bash grammar. Only a closed list of commands and statements is judged.
INVARIANT: FAILCLOSED - whatever else stands in a program, or cannot be parsed, makes it opaque: it may do anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

from halo_core.values.argument_values import MAX_PROGRAM, load_bash_parser, to_bash_ascii
from halo_core.values.languages import Language
from halo_core.values.lexicon import stem_all
from halo_core.values.python_programs import only_computes

_MAX_NODES: Final = 2_000
_MAX_NAMED: Final = 32
_CACHE_SIZE: Final = 256
_MAX_CACHED_LENGTH: Final = 2_048


class ProgramEffect(StrEnum):
    """How much of a program's effect is known: it only reads, it acts on what it names, or it could do anything."""

    READS = "reads"
    ACTS = "acts"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Program:
    """What one program does.

    Args:
        effect: see `ProgramEffect`.
        named: hosts, paths and tables that it names, as they are written.
        verbs: of each thing that it does, the stems by which a user asks for that; empty of one that only reads.
    """

    effect: ProgramEffect
    named: tuple[str, ...] = ()
    verbs: tuple[frozenset[str], ...] = ()


OPAQUE: Final = Program(ProgramEffect.OPAQUE)
_READING_COMMANDS: Final = frozenset(
    "basename cat cd column comm cut df diff dirname du echo egrep false fgrep grep head id ls nl "
    "printf pwd realpath stat tac tail test tr true uname uniq wc which whoami".split()
)
_WRITING_OPTIONS: Final = {
    "file": ("C",),
    "find": ("delete", "exec", "execdir", "fls", "fprint", "fprint0", "fprintf", "ok", "okdir"),
    "sort": ("o", "S", "T"),
    "tree": ("o", "R"),
}
"""Commands that read but for these options; of `find` they are whole words."""
_ACTING_COMMANDS: Final = {
    name: stem_all(verbs)
    for name, verbs in {
        "cp": "copy duplicate clone",
        "mkdir": "create make new add",
        "mv": "move rename relocate",
        "rm": "delete remove erase clean clear",
        "rmdir": "delete remove erase clean clear",
        "touch": "create make new",
    }.items()
}
_STATEMENT_VERBS: Final = {
    "alter": stem_all("change alter modify update"),
    "create": stem_all("create make add new"),
    "delete": stem_all("delete remove erase clean clear"),
    "drop": stem_all("drop delete remove"),
    "insert": stem_all("insert add save record store"),
    "truncatetable": stem_all("truncate empty clear delete"),
    "update": stem_all("update change set modify edit"),
}
_READING_STATEMENTS: Final = frozenset({"select", "union", "intersect", "except", "describe", "show"})
_UNREADABLE_NODES: Final = ("Anonymous", "AnonymousAggFunc", "Command", "Into", "Lock")
# Databases disagree on where these begin or end a comment or a text, so that one runs what another one skips.
_AMBIGUOUS_SIGNS: Final = ("\\", "/*", "--", "#", "$$", "[", "`", "://")
# Nodes of the Bash grammar that only group or quote. What runs something else (a substitution, a function, a
# here-document, an assignment in front of a command) is in no list, so that it makes a program opaque.
_GROUPING_NODES: Final = frozenset({"program", "pipeline", "list", "comment", "&&", "||", ";", "|", "\n"})
_WORD_NODES: Final = frozenset({"word", "raw_string", "string", "number", "concatenation"})


def judge_program(text: str, language: str) -> Program:
    """What a program does.

    Args:
        text: the program.
        language: what it is written in.
    """
    if len(text) > MAX_PROGRAM:
        return OPAQUE
    if len(text) > _MAX_CACHED_LENGTH:
        return _judge(text, language)
    return _judge_cached(text, language)


@lru_cache(maxsize=_CACHE_SIZE)
def _judge_cached(text: str, language: str) -> Program:
    return _judge(text, language)


def _judge(text: str, language: str) -> Program:
    try:
        if language == Language.PYTHON:
            return Program(ProgramEffect.READS) if only_computes(text) else OPAQUE
        if language == Language.SHELL:
            return _judge_shell(text)
        return _judge_sql(text) if language == Language.SQL else OPAQUE
    except Exception:  # noqa: BLE001  INVARIANT: TOTAL - what a parser cannot read may do anything
        return OPAQUE


def _judge_sql(text: str) -> Program:  # noqa: C901, PLR0911  one return for each reason
    if any(sign in text for sign in _AMBIGUOUS_SIGNS):
        return OPAQUE
    import logging  # noqa: PLC0415

    from sqlglot import exp, parse  # noqa: PLC0415  a third of a second, and few agents speak SQL

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it remarks on what it cannot parse
    tables: dict[str, None] = {}
    verbs: list[frozenset[str]] = []
    unreadable = tuple(getattr(exp, name) for name in _UNREADABLE_NODES if hasattr(exp, name))
    trees = parse(text)
    if not any(trees):
        return OPAQUE
    for tree in trees:
        if tree is None:
            continue
        if tree.key not in _READING_STATEMENTS and tree.key not in _STATEMENT_VERBS:
            return OPAQUE
        local: set[str] = {item.alias_or_name.casefold() for item in tree.find_all(exp.CTE)}
        for number, node in enumerate(tree.walk()):
            if number > _MAX_NODES or isinstance(node, unreadable):
                return OPAQUE
            # A statement inside of another one, such as `WITH x AS (DELETE ...) SELECT`, acts as well.
            if node.key in _STATEMENT_VERBS:
                verbs.append(_STATEMENT_VERBS[node.key])
            if isinstance(node, exp.Table):
                if not isinstance(node.this, exp.Identifier):
                    return OPAQUE  # a function that gives rows
                if node.name.casefold() not in local or node.db:
                    tables[node.name] = None
    if len(tables) > _MAX_NAMED:
        return OPAQUE
    return Program(ProgramEffect.ACTS if verbs else ProgramEffect.READS, tuple(tables), tuple(verbs))


def _judge_shell(text: str) -> Program:  # noqa: PLR0911  one return for each reason
    if "`" in text or "$" in text or not text.isascii():
        return OPAQUE
    root = load_bash_parser().parse(to_bash_ascii(text)).root_node
    if root.has_error:
        return OPAQUE
    named: dict[str, None] = {}
    verbs: list[frozenset[str]] = []
    pending, visited = [root], 0
    while pending:
        node = pending.pop()
        visited += 1
        if visited > _MAX_NODES:
            return OPAQUE
        if node.type == "command":
            found = _judge_command(node, named)
            if found is None:
                return OPAQUE
            verbs += found
        elif node.type in _GROUPING_NODES:
            pending += node.children
        else:
            return OPAQUE
    if len(named) > _MAX_NAMED or (verbs and _CHANGES_FOLDER.search(text) is not None):
        return OPAQUE  # after `cd`, a name is another place
    return Program(ProgramEffect.ACTS if verbs else ProgramEffect.READS, tuple(named), tuple(verbs))


_CHANGES_FOLDER: Final = re.compile(r"(?:^|[;&|\s])(?:cd|pushd|popd)\b")


def _judge_command(node: Any, named: dict[str, None]) -> list[frozenset[str]] | None:
    """The verbs of one command, whose paths and hosts are added to `named`; None for one that is not understood."""
    words = [_read_word(child) for child in node.children]
    if not words or not all(words):
        return None
    command, options = words[0], [word for word in words[1:] if word.startswith("-")]
    if command in _READING_COMMANDS or command in _WRITING_OPTIONS:
        if any(_writes(command, option) for option in options):
            return None
        verbs: list[frozenset[str]] = []
    elif command in _ACTING_COMMANDS:
        if not all(_ACTING_OPTION.fullmatch(option) for option in options):
            return None  # `-t` and the long options can name another place
        verbs = [_ACTING_COMMANDS[command]]
    else:
        return None
    named.update(dict.fromkeys(word for word in words[1:] if not word.startswith("-") and (verbs or "/" in word)))
    if command == "uniq" and len(words) - len(options) > 2:
        return None  # its second file is written
    return verbs


_ACTING_OPTION: Final = re.compile(r"-[rRfpvinauLHPd]{1,8}")


def _read_word(node: Any) -> str:
    """A word of a command without the quotes around it; empty for one that is not understood."""
    if node.type not in _WORD_NODES and node.type != "command_name":
        return ""
    word: str = node.text.decode("ascii")
    if node.type in ("raw_string", "string"):
        word = word[1:-1]
    # Quotes inside of a word hide what it is.
    return "" if any(sign in word for sign in "{}\n\\'\"") else word


def _writes(command: str, option: str) -> bool:
    """Whether an option of a reading command may write."""
    writing = _WRITING_OPTIONS.get(command)
    if writing is None:
        return False
    if command == "find":
        return option.removeprefix("-") in writing
    # Long options may be shortened, and short ones may stand together: `-ro` is `-r -o`.
    return option.startswith("--") or any(letter in option for letter in writing)
