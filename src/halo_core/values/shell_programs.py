"""What a shell command does, by tree-sitter's Bash grammar: only a closed list of commands is judged.

INVARIANT: FAILCLOSED - whatever else stands in a program makes it opaque: it may do anything.
"""

from __future__ import annotations

import re
from typing import Any, Final

from halo_core.values.argument_values import load_bash_parser, to_bash_ascii
from halo_core.values.lexicon import stem_all
from halo_core.values.program_effects import MAX_NAMED, MAX_NODES, OPAQUE, Program, ProgramEffect

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
# Nodes of the Bash grammar that only group or quote. What runs something else (a substitution, a function, a
# here-document, an assignment in front of a command) is in no list, so that it makes a program opaque.
_GROUPING_NODES: Final = frozenset({"program", "pipeline", "list", "comment", "&&", "||", ";", "|", "\n"})
_WORD_NODES: Final = frozenset({"word", "raw_string", "string", "number", "concatenation"})


def judge_shell(text: str) -> Program:  # noqa: PLR0911  one return for each reason
    """What a shell command does; raises for text that the grammar cannot take."""
    if "`" in text or "$" in text or _ODD_CHARACTERS.search(text) is not None:
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
        if visited > MAX_NODES:
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
    if len(named) > MAX_NAMED or (verbs and _CHANGES_FOLDER.search(text) is not None):
        return OPAQUE  # after `cd`, a name is another place
    return Program(ProgramEffect.ACTS if verbs else ProgramEffect.READS, tuple(named), tuple(verbs))


_ODD_CHARACTERS: Final = re.compile(r"[^\x20-\x7e\t\n]")
"""What a shell takes for a letter and this grammar for a space, such as a carriage return, among others."""
_CHANGES_FOLDER: Final = re.compile(r"(?:^|[;&|\s])(?:cd|pushd|popd)\b")


def _judge_command(node: Any, named: dict[str, None]) -> list[frozenset[str]] | None:
    """The verbs of one command, whose paths and hosts are added to `named`; None for one that is not understood."""
    words = [_read_word(child) for child in node.children]
    if not words or not all(words):
        return None
    command = words[0]
    options, operands = _split_words(words[1:])
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
    named.update(dict.fromkeys(word for word in operands if verbs or "/" in word))
    if command == "uniq" and len(operands) > 1:
        return None  # its second file is written
    return verbs


def _split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """Options and operands: `-` alone is a file, and so is everything behind `--`."""
    end = words.index("--") if "--" in words else len(words)
    options = [word for word in words[:end] if word.startswith("-") and word != "-"]
    return options, [word for word in words[:end] if word not in options] + words[end + 1 :]


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
