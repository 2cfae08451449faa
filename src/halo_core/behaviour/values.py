"""Room: values of an action's arguments. Takes: arguments. Gives: values with place, class and general form.

Never: I/O.

A value is a leaf of the arguments, or a part of a leaf that is a program or holds addresses, URLs or paths. Places
carry no positions: every recipient stands at `recipients/*`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Final

from halo_core.behaviour.programs import MAX_PROGRAM, host_of, parts
from halo_core.behaviour.text import atoms, fold, name_words

__all__ = ["MAX_VALUES", "Kind", "Value", "kind_of", "values_of"]

MAX_VALUES: Final = 128
_Leaf = tuple[str, str]
_Mix = Callable[[Iterable[Iterator[_Leaf]]], Iterable[_Leaf]]
MAX_WORDS: Final = 400
_LONGEST_NAME: Final = 4096  # characters
_LONGEST_SIGNS: Final = 64
_DEEPEST: Final = 12  # names of a place
_FARTHEST: Final = 64  # as deep as a call's arguments may be


class Kind(IntEnum):
    """What a value looks like."""

    EMAIL = 0
    URL = 1
    PATH = 2
    ID = 3
    NUMBER = 4
    DATE = 5
    WORD = 6
    TEXT = 7


_KINDS: Final = {kind.name: kind for kind in Kind}
_EMAIL, _URL, _PATH, _ID = Kind.EMAIL, Kind.URL, Kind.PATH, Kind.ID  # looking up a member of an enum takes a while
NAMING: Final = frozenset({Kind.EMAIL, Kind.URL, Kind.PATH, Kind.ID, Kind.WORD})
"""Classes of values that name something: whom, where, which."""

_MAIL: Final = re.compile(r"[^\s@/]{1,64}@[^\s@/]{1,255}\.[^\s@/.]{2,63}")
_SHAPE: Final = re.compile(
    r"(?P<NUMBER>[-+]?\d[\d,]{0,30}(?:\.\d{1,30})?%?)"
    r"|(?P<DATE>\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?\S{0,8})?|\d{1,2}:\d{2})"
    rf"|(?P<EMAIL>{_MAIL.pattern})"
    r"|(?P<URL>(?:[a-zA-Z][a-zA-Z0-9+.-]{1,15}://|www\.)\S+)"
)
_NAMED: Final = re.compile(rf"[^@<>]{{0,128}}<\s*{_MAIL.pattern}\s*>")
_BETWEEN: Final = re.compile(r"[,;:\n]+")
_ASIDE: Final = re.compile(r'"[^"]*"|\([^()]*\)')
_GROUP_WORDS: Final = 3
_HOST: Final = re.compile(r"[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63}){1,8}(?:/\S*)?")
_SCHEME: Final = frozenset({"http", "www"})  # "https" is stemmed
_FILES: Final = frozenset("txt pdf doc docx md csv xls xlsx json py env png jpg zip html pptx log yaml yml sh".split())


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
    kind: Kind
    words: tuple[str, ...]
    general: str
    disguised: bool = False
    exact: str = ""

    @property
    def naming(self) -> bool:
        """Whether it names something (whom, where, which); what merely stands in a text names nothing."""
        return self.kind in NAMING and not self.place.endswith("~")


def values_of(args: Mapping[str, Any]) -> tuple[list[Value], bool]:
    """Values of the arguments, sorted by name, at most `MAX_VALUES`, and whether there are more.

    What is empty, true or false is none. INVARIANT: a long list hides nothing that stands beside it - where not all are
    taken, members of a mapping are taken in turn, and half of the room before the parts of any.
    """
    found = _taken(_leaves(args, "", 0, chain.from_iterable))
    if len(found) <= MAX_VALUES:
        return found, False
    whole = _taken(_leaves(args, "", 0, _in_turn), parted=False)[: MAX_VALUES // 2]
    parted = (value for value in _taken(_leaves(args, "", 0, _in_turn)) if value not in whole)
    return [*whole, *islice(parted, MAX_VALUES - len(whole))], True


def _taken(leaves: Iterable[tuple[str, str]], *, parted: bool = True) -> list[Value]:
    found: list[Value] = []
    for place, text in leaves:
        value = _value(place, _last_name(place), text, kind_of(text))
        if value is not None:
            found.append(value)
            found.extend(_parts(value, text) if parted else ())
        if len(found) > MAX_VALUES:
            break
    return found


def _in_turn(streams: Iterable[Iterator[_Leaf]]) -> Iterator[_Leaf]:
    """The first of each, then the second of each, and so on; of the first so many that can have a place."""
    left = list(islice(streams, MAX_VALUES))
    while left:
        going = []
        for stream in left:
            for leaf in islice(stream, 1):
                going.append(stream)
                yield leaf
        left = going


def _leaves(value: Any, place: str, deep: int, mixed: _Mix) -> Iterator[_Leaf]:
    if value is None or isinstance(value, bool) or deep > _FARTHEST:
        return
    named = deep < _DEEPEST  # what lies deeper is read as well, and stands where its parent does
    if isinstance(value, str):
        if value.strip():
            yield place, value
    elif isinstance(value, Mapping):
        # In an order of their own: a fit reads them from the log, where they are sorted, a decision as they were given.
        members = sorted(((str(name), item) for name, item in value.items()), key=itemgetter(0))
        yield from mixed(_leaves(item, _below(place, name, named), deep + 1, mixed) for name, item in members)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item, f"{place}/*" if named else place, deep + 1, mixed)
    elif isinstance(value, bytes):
        yield place, value[:65_536].decode("utf-8", "replace")
    else:
        yield place, str(value)[:65_536]


def _below(place: str, name: str, named: bool) -> str:  # noqa: FBT001  private, one caller
    if not named:
        return place
    return f"{place}/{name[:64]}" if place else name[:64]


@lru_cache(maxsize=1024)
def _last_name(place: str) -> str:
    names = [name for name in place.split("/") if name != "*"]
    words = name_words(names[-1]) if names else []
    return words[-1] if words else ""


def kind_of(text: str) -> Kind:
    """What a text looks like."""
    text = text.strip()
    if len(text) > 2048:
        return Kind.TEXT
    shape = _SHAPE.fullmatch(text)
    if shape is not None and shape.lastgroup:
        return _KINDS[shape.lastgroup]
    if len(text.split(None, 1)) < 2:
        return _one_word(text)
    return Kind.PATH if text.startswith(("/", "~/")) and "\n" not in text else Kind.TEXT


def _one_word(text: str) -> Kind:
    if _HOST.fullmatch(text):
        last = text.split("/", 1)[0].rpartition(".")[2].lower()
        return Kind.PATH if last in _FILES else Kind.URL
    if "/" in text or text.startswith(("~", ".")):
        return Kind.PATH
    return Kind.ID if sum(map(str.isdigit, text)) >= 3 or len(text) > 32 else Kind.WORD


def _value(place: str, leaf: str, text: str, kind: Kind) -> Value | None:
    # What has neither letters nor digits is no less a value: `/` and `*` name everything.
    words = tuple(atoms(text, MAX_WORDS)) or _signs(text)
    if kind is _URL:
        words = words[sum(word in _SCHEME for word in words[:2]) :] or words
    disguised = kind in NAMING and not text.isascii() and _disguised(text[:_LONGEST_NAME])
    plain = text.strip().lower()
    if not words:
        return None
    return Value(place, leaf, kind, words, _general(kind, plain, words), disguised, _exact(kind, plain))


def _signs(text: str) -> tuple[str, ...]:
    signs = "".join(fold(text).split())[:_LONGEST_SIGNS]
    return (signs,) if signs else ()


def _exact(kind: Kind, text: str) -> str:
    if kind is _EMAIL:
        return unicodedata.normalize("NFC", text)
    return host_of(text) if kind is _URL else ""


def _disguised(text: str) -> bool:
    return unicodedata.normalize("NFC", text).casefold() != fold(text)


def _general(kind: Kind, text: str, words: tuple[str, ...]) -> str:
    if kind is _EMAIL:
        return "@" + text.rpartition("@")[2][:255]
    if kind is _URL:
        return "//" + ".".join(host_of(text).rsplit(".", 3)[-2:])
    if kind is _PATH:
        return "/" + text.strip("/").rpartition("/")[0][:255]
    if kind is _ID:
        return "#" + "".join(char for char in words[0][:4] if char.isalpha()) + f":{len(words[0])}"
    return ""


_PART: Final = {"email": Kind.EMAIL, "url": Kind.URL, "path": Kind.PATH}
_WITHOUT_PARTS: Final = frozenset({Kind.NUMBER, Kind.DATE, Kind.EMAIL, Kind.PATH})


def _parts(whole: Value, text: str) -> Iterator[Value]:
    if whole.kind in _WITHOUT_PARTS:
        return
    program, found_parts = parts(text, whole.leaf)
    if not found_parts:
        return
    behind = "!" if program else "" if _addresses(text) else "~"
    for kind, part in found_parts:
        if part == text:
            continue
        found = _value(whole.place + behind, whole.leaf, part, _PART.get(kind, kind_of(part)))
        if found is not None:
            yield found


def _addresses(text: str) -> bool:
    """Whether a text is a list of addresses as mail programs read one: each of them is a value like any other."""
    if "@" not in text:
        return False
    return all(map(_listed, _BETWEEN.split(_ASIDE.sub("", text[:MAX_PROGRAM]))))


def _listed(piece: str) -> bool:
    words = piece.split()
    if "@" not in piece:  # of a group, or of a name with a comma
        return len(words) <= _GROUP_WORDS
    return _NAMED.fullmatch(piece.strip()) is not None or all(map(_MAIL.fullmatch, words))
