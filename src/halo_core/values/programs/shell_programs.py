"""What a shell command does, by tree-sitter's Bash grammar: only a closed list of commands is judged.

INVARIANT: FAILCLOSED - whatever else stands in a program makes it opaque: it may do anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from halo_core.values.kinds.argument_values import load_bash_parser, to_bash_ascii
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.programs.languages import MAX_NAMED, MAX_NODES, OPAQUE, Program, ProgramEffect

_READING_COMMANDS: Final = frozenset(
    "basename cat cd column comm cut df diff dirname du echo egrep false fgrep grep head id ls nl "
    "jq printf ps pwd realpath stat tac tail test tr true uname wc which whoami".split()
)
_WRITING_OPTIONS: Final = {
    "file": ("C",),
    "find": ("delete", "exec", "execdir", "fls", "fprint", "fprint0", "fprintf", "ok", "okdir"),
    "sort": ("o", "S", "T"),
    "tree": ("o", "R"),
}
"""Reading commands → their options that write; those of `find` are whole words."""
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


def judge_shell(text: str) -> Program:  # noqa: C901, PLR0911  one return for each reason
    """Find out what a shell command does; raises for text that the grammar cannot parse."""
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
        elif node.type == "redirected_statement":
            if not all(_is_harmless_redirect(child, named) for child in node.children[1:]):
                return OPAQUE
            pending.append(node.children[0])
        else:
            return OPAQUE
    if len(named) > MAX_NAMED or (verbs and _CHANGES_FOLDER.search(text) is not None):
        return OPAQUE  # after `cd`, a name is another place
    return Program(ProgramEffect.ACTS if verbs else ProgramEffect.READS, tuple(named), tuple(verbs))


_ODD_CHARACTERS: Final = compile_later(r"[^\x20-\x7e\t\n]")
"""Characters that a shell takes for letters and this grammar for spaces, such as a carriage return."""
_CHANGES_FOLDER: Final = compile_later(r"(?:^|[;&|\s])(?:cd|pushd|popd)\b")


def _judge_command(  # noqa: PLR0911  one return for each reason
    node: Any, named: dict[str, None]
) -> list[frozenset[str]] | None:
    """List the verbs of one command, and add its paths and hosts to `named`; None if it is not understood."""
    words = [_read_word(child) for child in node.children]
    if not words or not all(words):
        return None
    command = words[0]
    options, operands = _split_words(words[1:])
    if command in _JUDGED_COMMANDS:
        if not _JUDGED_COMMANDS[command](options, operands):
            return None
        verbs: list[frozenset[str]] = []
    elif command in _VERSIONED_COMMANDS:
        return [] if words[1:] in (["--version"], ["-V"]) else None
    elif command in _READING_COMMANDS or command in _WRITING_OPTIONS:
        if any(_writes(command, option) for option in options):
            return None
        verbs = []
    elif command in _ACTING_COMMANDS:
        if not all(_ACTING_OPTION.fullmatch(option) for option in options):
            return None  # `-t` and the long options can name another place
        if any(_PATTERN.search(word) for word in operands):
            return None  # names that the shell fills in
        verbs = [_ACTING_COMMANDS[command]]
    else:
        return None
    named.update(dict.fromkeys(word for word in operands if verbs or "/" in word))
    return verbs


def _reads_lines_once(options: list[str], operands: list[str]) -> bool:
    """Whether `uniq` writes no file: it would write its second file. A number may belong to an option."""
    numbers = sum(_UNIQ_NUMBER.fullmatch(option) is not None for option in options)
    numeric = [word for word in operands if word.isdigit()]
    return len(operands) - min(numbers, len(numeric)) <= 1


def _prints_date(options: list[str], operands: list[str]) -> bool:
    """Whether `date` prints: anything but a format sets the clock."""
    return all(option in _DATE_OPTIONS for option in options) and all(word.startswith("+") for word in operands)


def _prints_lines(options: list[str], operands: list[str]) -> bool:
    """Whether `sed` prints lines by their numbers; anything else in its language may write and run."""
    return options == ["-n"] and bool(operands) and _LINE_NUMBERS.fullmatch(operands[0]) is not None


def _searches_text(options: list[str], _operands: list[str]) -> bool:
    """Whether `rg` only searches: some of its long options run programs."""
    return all(_RG_OPTION.fullmatch(option) is not None for option in options)


_UNIQ_NUMBER: Final = compile_later(r"-[cdDiuz]*[fsw]")
_DATE_OPTIONS: Final = frozenset({"-u", "-R", "-I", "--utc", "--iso-8601", "--rfc-email"})
_LINE_NUMBERS: Final = compile_later(r"\d+(?:,\d+)?p")
_RG_OPTION: Final = compile_later(r"-[nilcwovFSsxHIuUaAeBCmgtTNp\d]+")
_JUDGED_COMMANDS: Final[dict[str, Callable[[list[str], list[str]], bool]]] = {
    "date": _prints_date,
    "rg": _searches_text,
    "sed": _prints_lines,
    "uniq": _reads_lines_once,
}
"""Commands that read where their options and operands say so."""
_VERSIONED_COMMANDS: Final = frozenset("cargo gcc git java node perl pip python python3 ruby rustc".split())


def _is_harmless_redirect(node: Any, named: dict[str, None]) -> bool:
    """Whether a redirection drops output, joins it, or reads one file."""
    if node.type != "file_redirect":
        return False
    parts = [child for child in node.children if child.type != "file_descriptor"]
    if len(parts) != 2:  # a second word may be an argument or a file
        return False
    sign, target = parts[0].type, parts[1].text.decode("ascii")
    if sign in (">", ">>"):
        return bool(target == "/dev/null")
    if sign == ">&":
        return target in ("1", "2")
    word = _read_word(parts[1])
    if sign != "<" or not word or word.startswith(("/dev/", "-", "&")):  # Bash opens connections by such names
        return False
    if "/" in word:
        named[word] = None
    return True


def _split_words(words: list[str]) -> tuple[list[str], list[str]]:
    """Options and operands: `-` alone is a file, and so is everything behind `--`."""
    end = words.index("--") if "--" in words else len(words)
    options = [word for word in words[:end] if word.startswith("-") and word != "-"]
    return options, [word for word in words[:end] if word not in options] + words[end + 1 :]


_PATTERN: Final = compile_later(r"[*?\[\]~]")
_ACTING_OPTION: Final = compile_later(r"-[rRfpvinauLHPd]{1,8}")


def _read_word(node: Any) -> str:
    """Read a word of a command without the quotes around it; empty if it is not understood."""
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
