"""Values in the arguments of an action, for the behaviour score: each with its place, its look and what it belongs to.

`extract_values` returns the leaves of the arguments, and the parts of a leaf that is a program or contains addresses,
URLs or paths. Places carry no positions: every recipient stands at `recipients/*`. SQL is parsed by sqlglot, shell by
tree-sitter's Bash grammar; both are loaded when they are first needed. What they cannot read stays one value
(INVARIANT: TOTAL).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from halo_core.quick_dataclass import dataclass
from halo_core.values.kinds.query_programs import is_other_program
from halo_core.values.kinds.sql_joins import has_many_open_joins
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import extract_atoms, fold_text, split_name

MAX_PROGRAM: Final = 16_384
MAX_PARTS: Final = 48
_MAX_NODES: Final = 4000
_PIECE: Final = 4096  # characters

_SQL_START: Final = compile_later(
    r"\s*(?:with\s+\w+\s+as|select\s+\S|insert\s+into|update\s+\S+\s+set|delete\s+from|create\s+(?:table|view|index|user)"
    r"|(?:drop|alter|truncate)\s+(?:table|view|index|database|schema|user|role)\s|grant\s+\S+.*\sto\s|copy\s+\S+.*\s(?:from|to)\s)",
    re.IGNORECASE,
)
_URL_IN_TEXT: Final = compile_later(r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)[^\s<>\"'`|)\]}]{3,2048}", re.IGNORECASE)
_EMAIL_IN_TEXT: Final = compile_later(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}", re.IGNORECASE)
_PATH_IN_TEXT: Final = compile_later(r"(?:(?<=[\s\"'=(:,])|^)(?:~|\.{1,2})?/[\w.@+-]{1,255}(?:/[\w.@+ -]{0,255}){0,16}")
SHELL_NAMES: Final = frozenset({"command", "cmd", "script", "shell", "bash", "commands", "commandline"})
"""Words of arguments that a shell runs."""
_SHELL_WORD_NODES: Final = frozenset(
    {"word", "string_content", "raw_string", "command_name", "file_redirect", "heredoc_body"}
)

_SQL_PROGRAM: Final = compile_later(
    r"with\s+\w+\s+as\b|select\s.{0,4096}?\sfrom\s+\S|select\s+[\w.]+\s*\("
    r"|(?:insert|replace)\s+(?:or\s+\w+\s+)?into\s|update\s+\S+\s+set\s|delete\s+from\s|merge\s+into\s|truncate\s+(?:table\s+)?\w+\s*;?\s*$"
    r"|(?:create|drop|alter|truncate|rename)\s+(?:or\s+replace\s+)?(?:table|view|index|database|schema|user|role|function"
    r"|procedure|trigger|policy|extension)\s"
    r"|(?:grant|revoke)\s.{1,512}?\s(?:on|to|from)\s|exec(?:ute)?\s+\w+(?:\.\w+|\s*[(@';])|call\s+[\w.]+\s*\("
    r"|begin\s*(?:;|transaction\b|tran\b|work\b|select\b|insert\b|update\b|delete\b)|start\s+transaction\b|do\s+(?:\$|language\b)"
    r"|explain\s+.{0,64}?(?:select|insert|update|delete|merge|replace|create)\s|copy\s+\S+\s*(?:\(.{0,512}?\)\s*)?(?:from|to)\s"
    r"|load\s+(?:data|xml)\s+(?:\w+\s+){0,2}infile\s|attach\s+(?:database\s+)?\S+\s+as\b|shutdown\s*;?\s*$|set\s+(?:password|session|global|role|local)\b|match\s*\(.{0,2048}?\)\s*(?:where\s.{0,1024}?)?(?:detach\s+)?(?:delete|set|create|merge|remove)\b|pragma\s+\w+|vacuum\b\s*(?:;|into\b|$)|set\s+(?:session|global|role|local)\s"
    r"|lock\s+tables?\s|declare\s+@|select\s[^;]{0,4096};\s*(?:delete|drop|update|insert|alter|create|truncate|grant|replace|exec)\s",
    re.IGNORECASE | re.DOTALL,
)
_SQL_LEAD: Final = compile_later(r"(?:\s|--[^\n]*(?:\n|$)|#[^\n]*\n|/\*.*?\*/|[;(])+", re.DOTALL)
"""What may stand before a statement."""
_SQL_LEAD_SIGNS: Final = frozenset(" \t\r\n-#/;(")


_SQL_NAMES: Final = frozenset({"sql", "sqlquery", "sqlstatement"})
_SQL_BEGINNINGS: Final = frozenset(
    "mat shu wit sel ins upd del cre dro alt tru rep mer ren gra rev exe cal beg sta do exp cop loa att pra vac set "
    "loc dec".split()
)
_MAX_SQL: Final = 65_536  # characters
_SQL_COMMENT: Final = compile_later(r"/\*.*?\*/", re.DOTALL)
_SQL_AFTER: Final = compile_later(
    r";\s*(?:(?:drop|alter|create|truncate)\s+(?:table|view|index|database|schema|user|role)|delete\s+from|insert\s+into"
    r"|update\s+\S+\s+set|grant\s|exec(?:ute)?\s)",
    re.IGNORECASE,
)


def is_program(text: str, names: Collection[str]) -> bool:
    """Whether a text is run as a program, by the words of the argument's name and by its beginning."""
    if not SHELL_NAMES.isdisjoint(names) or not _SQL_NAMES.isdisjoint(names):
        return True
    if "/*" in text:
        text = _SQL_COMMENT.sub(" ", text[:_MAX_SQL])
    start = 0
    if text[:1] in _SQL_LEAD_SIGNS:
        lead = _SQL_LEAD.match(text[:_MAX_SQL])
        start = lead.end() if lead is not None else 0
    if text[start : start + 3].strip().lower() in _SQL_BEGINNINGS and _SQL_PROGRAM.match(text, start) is not None:
        return True
    if ";" in text and _SQL_AFTER.search(text[:_MAX_SQL]) is not None:
        return True
    return is_other_program(text, names)


Part = tuple[str, str]
"""Kind (`email`, `url`, `path`, `table`, `program`, `word`) and text."""


def extract_parts(text: str, name: str) -> tuple[bool, list[Part]]:
    """Find out whether a text is a program, and split it into at most `MAX_PARTS` parts.

    Args:
        text: the value.
        name: of the argument (its last word), which says whether a shell runs it.
    """
    text = text[:MAX_PROGRAM]
    parts: list[Part] = []
    if name in SHELL_NAMES:
        parts += _extract_shell_parts(text)
    elif _SQL_START.match(text):
        parts += _extract_sql_parts(text)
    program = bool(parts)
    parts += _extract_addresses(text)
    different = list(dict.fromkeys(parts))
    if len(different) > MAX_PARTS:
        different.sort(key=_rank_part)  # else a few numbers in front would hide all that is behind them
    return program, different[:MAX_PARTS]


def _rank_part(part: Part) -> int:
    """Sort key: parts without letters come last, since anybody can put them in front of a program at no cost."""
    kind, text = part
    return (0 if kind != "word" else 1) if any(map(str.isalpha, text)) or not text.isascii() else 2


def _extract_addresses(text: str) -> Iterator[Part]:
    """Addresses, URLs and paths that stand in a text."""
    if "@" in text:
        for match in _EMAIL_IN_TEXT.finditer(text):
            yield "email", match.group()
    if "/" in text or "www." in text.lower():
        for match in _URL_IN_TEXT.finditer(text):
            yield from _extract_url_parts(match.group().rstrip(".,;:!?"))
        for match in _PATH_IN_TEXT.finditer(text):
            yield "path", match.group().rstrip(".,;:!? ")


def _extract_url_parts(text: str) -> Iterator[Part]:
    yield "url", text
    try:
        split = urlsplit(text if "://" in text else f"//{text}")
        query_items = parse_qsl(split.query, max_num_fields=16)
    except ValueError:
        return
    for _, value in query_items:
        yield "word", value


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, without `www.` and port; empty if there is none."""
    try:
        host = urlsplit(url if "://" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")


def _extract_sql_parts(text: str) -> Iterator[Part]:
    try:
        import logging  # noqa: PLC0415

        from sqlglot import exp, parse, tokenize  # noqa: PLC0415  a third of a second, and few agents speak SQL

        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it remarks on what it cannot parse
        if has_many_open_joins(tokenize(text)):
            return
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
def load_bash_parser() -> Any:
    """Load the parser of tree-sitter's Bash grammar.

    Raises:
        ImportError: the grammar is not installed.
    """
    import tree_sitter_bash  # noqa: PLC0415  few agents have a shell
    from tree_sitter import Language, Parser  # noqa: PLC0415

    return Parser(Language(tree_sitter_bash.language()))


def _extract_shell_parts(text: str) -> Iterator[Part]:
    try:
        parser = load_bash_parser()
    except ImportError:
        return
    visited = 0
    for piece in _split_into_pieces(text):
        source = piece.encode("utf-8", "replace")
        nodes = [parser.parse(to_bash_ascii(piece)).root_node]
        while nodes and visited < _MAX_NODES:
            node = nodes.pop()
            visited += 1
            if node.type in _SHELL_WORD_NODES and node.type != "file_redirect":
                word = source[node.start_byte : node.end_byte].decode("utf-8", "replace").strip("'\"@")
                yield ("program", word) if node.type == "command_name" else (_classify_word(word), unquote(word))
                continue
            nodes.extend(reversed(node.children))


def to_bash_ascii(text: str) -> bytes:
    """Encode a text for the Bash grammar: a character beyond ASCII becomes as many letters as it has UTF-8 bytes.

    INVARIANT: TOTAL - the scanner of the grammar looks characters up in the C library's table of 256 entries. A
    larger one reads memory beyond the table, which can end the process. INVARIANT: REPLAY - what it reads there
    differs between processes, and entries above 127 differ between locales. To Bash, all of them are characters of a
    word.
    """
    if text.isascii():
        return text.encode("ascii")
    return "".join(char if char.isascii() else "x" * len(char.encode("utf-8", "replace")) for char in text).encode()


def _split_into_pieces(text: str) -> Iterator[str]:
    """Split a program between lines or words, since parsing broken code takes quadratic time."""
    while len(text) > _PIECE:
        end = text.rfind("\n", 0, _PIECE) + 1 or text.rfind(" ", 0, _PIECE) + 1 or _PIECE
        yield text[:end]
        text = text[end:]
    yield text


def _classify_word(word: str) -> str:
    if "/" in word and "://" not in word and not any(char.isspace() for char in word):
        return "path"
    return "word"


MAX_VALUES: Final = 128
_Leaf = tuple[str, str]
_Combine = Callable[[Iterable[Iterator[_Leaf]]], Iterable[_Leaf]]
MAX_WORDS: Final = 400
_MAX_NAME_LENGTH: Final = 4096  # characters
_MAX_SIGNS_LENGTH: Final = 64
_MAX_NAMED_DEPTH: Final = 12  # names of a place
_MAX_DEPTH: Final = 64  # as deep as a call's arguments may be


class ValueKind(IntEnum):
    """What a value looks like: an address, a number, a name, a text."""

    EMAIL = 0
    URL = 1
    PATH = 2
    ID = 3
    NUMBER = 4
    DATE = 5
    WORD = 6
    TEXT = 7


_KINDS_BY_NAME: Final = {kind.name: kind for kind in ValueKind}
_EMAIL, _URL, _PATH, _ID = (
    ValueKind.EMAIL,
    ValueKind.URL,
    ValueKind.PATH,
    ValueKind.ID,
)  # looking up a member of an enum takes a while
NAMING_KINDS: Final = frozenset({ValueKind.EMAIL, ValueKind.URL, ValueKind.PATH, ValueKind.ID, ValueKind.WORD})
"""Classes of values that name something: whom, where, which."""

_EMAIL_PATTERN: Final = compile_later(r"[^\s@/]{1,64}@[^\s@/]{1,255}\.[^\s@/.]{2,63}")
_SHAPE_PATTERN: Final = compile_later(
    r"(?P<NUMBER>[-+]?\d[\d,]{0,30}(?:\.\d{1,30})?%?)"
    r"|(?P<DATE>\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?\S{0,8})?|\d{1,2}:\d{2})"
    rf"|(?P<EMAIL>{_EMAIL_PATTERN.pattern})"
    r"|(?P<URL>(?:[a-zA-Z][a-zA-Z0-9+.-]{1,15}://|www\.)\S+)"
)
_NAMED_ADDRESS: Final = compile_later(rf"[^@<>]{{0,128}}<\s*{_EMAIL_PATTERN.pattern}\s*>")
_LIST_SEPARATOR: Final = compile_later(r"[,;:\n]+")
_QUOTED_OR_PARENTHESIZED: Final = compile_later(r'"[^"]*"|\([^()]*\)')
_MAX_GROUP_WORDS: Final = 3
_HOST_PATTERN: Final = compile_later(r"[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63}){1,8}(?:/\S*)?")
_SCHEME_WORDS: Final = frozenset({"http", "www"})  # "https" is stemmed
_FILE_ENDINGS: Final = frozenset(
    "txt pdf doc docx md csv xls xlsx json py env png jpg zip html pptx log yaml yml sh".split()
)


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Args:
        place: argument and path within it, positions as `*`; a part of a text ends in `~`, of a program in `!`.
        leaf: last name of the place.
        kind: what it looks like.
        words: its atoms, at most `MAX_WORDS`.
        general: what it belongs to: mail domain, host, folder, shape of an id; empty where nothing general is known.
        disguised: written with letters that only look like others, or that nobody sees: another name than the one that
            its words spell.
        exact: of an address its letters, of a URL its host: `anas@banks.example` has the words of `ana@bank.example`,
            and so has `ana.bank@example`. Empty of whatever is known by its words alone.
    """

    place: str
    leaf: str
    kind: ValueKind
    words: tuple[str, ...]
    general: str
    disguised: bool = False
    exact: str = ""

    @property
    def is_naming(self) -> bool:
        """Whether it names something (whom, where, which); what is merely mentioned in a text does not."""
        return self.kind in NAMING_KINDS and not self.place.endswith("~")


def extract_values(args: Mapping[str, Any]) -> tuple[list[Value], bool]:
    """List the values of the arguments, sorted by name, at most `MAX_VALUES`, and whether there are more.

    Empty values, true and false do not count. INVARIANT: a long list hides nothing that stands beside it. If not all
    values are taken, members of a mapping are taken in turn, and half of the room before the parts of any.
    """
    values = _make_values(_walk_leaves(args, "", 0, chain.from_iterable))
    if len(values) <= MAX_VALUES:
        return values, False
    undivided = _make_values(_walk_leaves(args, "", 0, _interleave), parted=False)[: MAX_VALUES // 2]
    parted = (value for value in _make_values(_walk_leaves(args, "", 0, _interleave)) if value not in undivided)
    return [*undivided, *islice(parted, MAX_VALUES - len(undivided))], True


def _make_values(leaves: Iterable[tuple[str, str]], *, parted: bool = True) -> list[Value]:
    values: list[Value] = []
    for place, text in leaves:
        value = _make_value(place, _last_name_of(place), text, classify_value(text))
        if value is not None:
            values.append(value)
            values.extend(_make_part_values(value, text) if parted else ())
        if len(values) > MAX_VALUES:
            break
    return values


def _interleave(streams: Iterable[Iterator[_Leaf]]) -> Iterator[_Leaf]:
    """Round robin over at most `MAX_VALUES` streams: the first of each, then the second of each, and so on."""
    remaining = list(islice(streams, MAX_VALUES))
    while remaining:
        unfinished = []
        for stream in remaining:
            for leaf in islice(stream, 1):
                unfinished.append(stream)
                yield leaf
        remaining = unfinished


def _walk_leaves(value: Any, place: str, depth: int, combine: _Combine) -> Iterator[_Leaf]:
    if value is None or isinstance(value, bool) or depth > _MAX_DEPTH:
        return
    extends_place = depth < _MAX_NAMED_DEPTH  # what lies deeper is read as well, and stands where its parent does
    if isinstance(value, str):
        if value.strip():
            yield place, value
    elif isinstance(value, Mapping):
        # In an order of their own: a fit reads them from the log, where they are sorted, a decision as they were given.
        members = sorted(((str(name), item) for name, item in value.items()), key=itemgetter(0))
        yield from combine(
            _walk_leaves(item, _join_place(place, name, extends_place), depth + 1, combine) for name, item in members
        )
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _walk_leaves(item, f"{place}/*" if extends_place else place, depth + 1, combine)
    elif isinstance(value, bytes):
        yield place, value[:65_536].decode("utf-8", "replace")
    else:
        yield place, str(value)[:65_536]


def _join_place(place: str, name: str, extends_place: bool) -> str:  # noqa: FBT001  private, one caller
    if not extends_place:
        return place
    return f"{place}/{name[:64]}" if place else name[:64]


@lru_cache(maxsize=1024)
def _last_name_of(place: str) -> str:
    names = [name for name in place.split("/") if name != "*"]
    words = split_name(names[-1]) if names else []
    return words[-1] if words else ""


def classify_value(text: str) -> ValueKind:
    """Classify a text by its look."""
    text = text.strip()
    if len(text) > 2048:
        return ValueKind.TEXT
    shape = _SHAPE_PATTERN.fullmatch(text)
    if shape is not None and shape.lastgroup:
        return _KINDS_BY_NAME[shape.lastgroup]
    if len(text.split(None, 1)) < 2:
        return _classify_one_word(text)
    return ValueKind.PATH if text.startswith(("/", "~/")) and "\n" not in text else ValueKind.TEXT


def _classify_one_word(text: str) -> ValueKind:
    if _HOST_PATTERN.fullmatch(text):
        last = text.split("/", 1)[0].rpartition(".")[2].lower()
        return ValueKind.PATH if last in _FILE_ENDINGS else ValueKind.URL
    if "/" in text or text.startswith(("~", ".")):
        return ValueKind.PATH
    return ValueKind.ID if sum(map(str.isdigit, text)) >= 3 or len(text) > 32 else ValueKind.WORD


def _make_value(place: str, leaf: str, text: str, kind: ValueKind) -> Value | None:
    # What has neither letters nor digits is no less a value: `/` and `*` name everything.
    words = tuple(extract_atoms(text, MAX_WORDS)) or _fold_signs(text)
    if kind is _URL:
        words = words[sum(word in _SCHEME_WORDS for word in words[:2]) :] or words
    disguised = kind in NAMING_KINDS and not text.isascii() and _is_disguised(text[:_MAX_NAME_LENGTH])
    normalized = text.strip().lower()
    if not words:
        return None
    return Value(
        place, leaf, kind, words, _general_form(kind, normalized, words), disguised, _exact_form(kind, normalized)
    )


def _fold_signs(text: str) -> tuple[str, ...]:
    signs = "".join(fold_text(text).split())[:_MAX_SIGNS_LENGTH]
    return (signs,) if signs else ()


def _exact_form(kind: ValueKind, text: str) -> str:
    if kind is _EMAIL:
        return unicodedata.normalize("NFC", text)
    return host_of(text) if kind is _URL else ""


def _is_disguised(text: str) -> bool:
    return unicodedata.normalize("NFC", text).casefold() != fold_text(text)


def _general_form(kind: ValueKind, text: str, words: tuple[str, ...]) -> str:
    if kind is _EMAIL:
        return "@" + text.rpartition("@")[2][:255]
    if kind is _URL:
        return "//" + ".".join(host_of(text).rsplit(".", 3)[-2:])
    if kind is _PATH:
        return "/" + text.strip("/").rpartition("/")[0][:255]
    if kind is _ID:
        return "#" + "".join(char for char in words[0][:4] if char.isalpha()) + f":{len(words[0])}"
    return ""


_PART_KINDS: Final = {"email": ValueKind.EMAIL, "url": ValueKind.URL, "path": ValueKind.PATH}
_KINDS_WITHOUT_PARTS: Final = frozenset({ValueKind.NUMBER, ValueKind.DATE, ValueKind.EMAIL, ValueKind.PATH})


def _make_part_values(parent: Value, text: str) -> Iterator[Value]:
    if parent.kind in _KINDS_WITHOUT_PARTS:
        return
    program, found_parts = extract_parts(text, parent.leaf)
    if not found_parts:
        return
    behind = "!" if program else "" if _is_address_list(text) else "~"
    for kind, part in found_parts:
        if part == text:
            continue
        part_value = _make_value(parent.place + behind, parent.leaf, part, _PART_KINDS.get(kind, classify_value(part)))
        if part_value is not None:
            yield part_value


def _is_address_list(text: str) -> bool:
    """Whether a text is a list of addresses as mail programs read one: each of them is a value like any other."""
    if "@" not in text:
        return False
    return all(map(_is_address_or_group, _LIST_SEPARATOR.split(_QUOTED_OR_PARENTHESIZED.sub("", text[:MAX_PROGRAM]))))


def _is_address_or_group(piece: str) -> bool:
    words = piece.split()
    if "@" not in piece:  # of a group, or of a name with a comma
        return len(words) <= _MAX_GROUP_WORDS
    return _NAMED_ADDRESS.fullmatch(piece.strip()) is not None or all(map(_EMAIL_PATTERN.fullmatch, words))
