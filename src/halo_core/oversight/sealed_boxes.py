"""Boxes of sealed content: finding those that name a person, choosing those to erase, keeping the keys of the others.

finder = NameFinder(["Grete Baum", "C-4711"])
choose_boxes(rows, ring, selection, choose, find_hold)     what is erased, and what a hold keeps
keep_boxes(rows, ring, selection, selection.boxes)         the keys of what stays beside it
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.errors import ConfigError
from halo_core.ledger import BoxKeys, find_box_key, open_sealed, read_subject, split_boxes, unwrap_key
from halo_core.oversight.legal_holds import LegalHold
from halo_core.quick_dataclass import dataclass
from halo_core.store.content_keys import strip_number

MIN_NAME: Final = 2
"""Shortest name that is searched for, characters."""
MAX_NAMES: Final = 32
_MAX_NESTING: Final = 4


# names in texts


def fold_text(text: str) -> str:
    """A text as names are compared: compatibility forms, no case, no invisible characters, single blanks."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if not folded.isascii():
        folded = "".join(char for char in folded if unicodedata.category(char) != "Cf")
    return " ".join(folded.split())


class NameFinder:
    """Finds names in what was sealed, as whole words.

    Args:
        names: names by which a subject is known.

    Raises:
        ConfigError: `bad_subject`, a name is too short, or there are too many.
    """

    def __init__(self, names: Iterable[str]) -> None:
        folded = sorted({fold_text(name) for name in names} - {""}, key=len, reverse=True)
        if len(folded) > MAX_NAMES or any(len(name) < MIN_NAME for name in folded):
            problem = f"a name has fewer than {MIN_NAME} characters, or there are more than {MAX_NAMES}"
            raise ConfigError("bad_subject", problem, field="subject", remedy="give the whole name, account or address")
        self.names = tuple(folded)
        self._pattern = re.compile("|".join(map(_make_pattern, folded))) if folded else None

    def matches_text(self, text: str) -> bool:
        """Whether a text contains one of the names."""
        folded = fold_text(text)
        # Substring search is faster than the pattern, and most texts hold no name at all.
        is_near = any(name in folded for name in self.names)
        return is_near and self._pattern is not None and self._pattern.search(folded) is not None

    def matches(self, data: bytes) -> bool:
        """Whether bytes contain one of the names.

        They are read as UTF-8 text, with up to four levels of the escapes of JSON, URLs and HTML undone wherever they
        stand; as JSON; and as a token (JWT), whose payload is read likewise.
        """
        if self._pattern is None:
            return False
        text = data.decode("utf-8", "replace")
        if self.matches_text(text) or ("\\" in text and self._matches_json(text, 0)) or self._matches_token(text):
            return True
        for _ in range(_MAX_NESTING):
            if "+" in text and "%" in text and self.matches_text(urllib.parse.unquote_plus(text)):
                return True
            unescaped = unescape_text(text)
            if unescaped == text:
                return False
            if self.matches_text(unescaped):
                return True
            text = unescaped
        return False

    def _matches_json(self, text: str, depth: int) -> bool:
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            return False
        waiting = [tree]
        while waiting:
            item = waiting.pop()
            if isinstance(item, dict):
                waiting += [*item.keys(), *item.values()]
            elif isinstance(item, list):
                waiting += item
            elif isinstance(item, str):
                if self.matches_text(item):
                    return True
                if depth < _MAX_NESTING and "\\" in item and self._matches_json(item, depth + 1):
                    return True
        return False

    def _matches_token(self, text: str) -> bool:
        parts = text.split(".") if text.startswith("eyJ") else []
        try:
            payload = base64.urlsafe_b64decode(parts[1] + "==") if len(parts) == 3 else b""
        except (binascii.Error, ValueError):
            return False
        return bool(payload) and self.matches(payload)


_JSON_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([\\\"/bfnrt]))")


def unescape_text(text: str) -> str:
    """Undo one level of the escapes of JSON, URLs and HTML anywhere in a text."""
    if "\\" in text:
        text = _JSON_ESCAPE.sub(_read_escape, text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if "%" in text:
        text = urllib.parse.unquote(text)
    return html.unescape(text) if "&" in text else text


def _read_escape(match: re.Match[str]) -> str:
    code, char = match.groups()
    if code:
        return chr(int(code, 16))
    return char if char in '\\"/' else " "


def _make_pattern(name: str) -> str:
    # A word ends where letters with case, or digits, end. Scripts without blanks between words have no such places.
    before = r"(?<![^\W_])" if _is_bounded(name[0]) else ""
    after = r"(?![^\W_])" if _is_bounded(name[-1]) else ""
    return before + re.escape(name) + after


def _is_bounded(char: str) -> bool:
    return char.isdigit() or char.lower() != char.upper()


# boxes


@dataclass(frozen=True, slots=True)
class StoredBox:
    """A box of sealed fields that is stored beside an entry.

    Args:
        writer: writer of the entry.
        seq: sequence of the entry.
        kind: kind of the entry.
        session: reference of the entry's session; empty for none.
        ts_us: time of the entry, microseconds since the epoch.
        subject: subject whose data key seals the box, with the number of that key.
        data: the box.
    """

    writer: str
    seq: int
    kind: str
    session: str
    ts_us: int
    subject: str
    data: bytes


def split_row(row: tuple[Any, ...]) -> Iterator[StoredBox]:
    """The boxes of a row: writer, sequence, kind, session, time, sealed content."""
    writer, seq, kind, session, ts_us, sealed = row
    for data in split_boxes(bytes(sealed)):
        yield StoredBox(writer, int(seq), str(kind), str(session), int(ts_us), read_subject(data), data)


class KeyRing:
    """Data keys of a tenant's subjects, each unwrapped when it is first needed.

    Args:
        kek: the content key in force, which wraps the data keys.
        tenant: tenant of the subjects.
        rows: (subject, wrapped key, commitment, erased at) of each row of the table `vault`.
    """

    def __init__(self, kek: bytes, tenant: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self.tenant = tenant
        self._kek = kek
        self.rows = {str(subject): (bytes(wrapped), bytes(commitment)) for subject, wrapped, commitment, _ in rows}
        self._keys: dict[str, bytes | BoxKeys | None] = {}

    def find(self, subject: str) -> bytes | BoxKeys | None:
        """The data key of a subject, or the box keys that were kept; None if it was erased."""
        if subject not in self._keys:
            wrapped, commitment = self.rows.get(subject, (b"", b""))
            self._keys[subject] = unwrap_key(self._kek, wrapped, commitment, self.tenant, subject)[0]
        return self._keys[subject]

    def open(self, box: StoredBox) -> Mapping[str, bytes]:
        """The fields of a box; nothing if it was erased."""
        key = self.find(box.subject)
        return {} if key is None else open_sealed(key, self.tenant, box.data)

    def find_box_key(self, box: StoredBox) -> tuple[bytes, bytes] | None:
        """Name and key of a box; None if it was erased."""
        key = self.find(box.subject)
        return None if key is None else find_box_key(key, box.data)


@dataclass(slots=True)
class Selection:
    """Which boxes are erased, and which box keys of the same subjects are kept.

    Args:
        whole: subjects, as boxes name them, whose keys are destroyed as a whole.
        boxes: further subject → names of its boxes that are erased.
        kept: those subjects → name and key of each box that stays.
        entries: (writer, sequence) of the entries concerned.
        held: boxes that a hold keeps, by hold.
        count: boxes that are erased.
    """

    whole: set[str] = field(default_factory=set)
    boxes: dict[str, set[bytes]] = field(default_factory=dict)
    kept: dict[str, dict[bytes, bytes]] = field(default_factory=dict)
    entries: set[tuple[str, int]] = field(default_factory=set)
    held: dict[LegalHold, int] = field(default_factory=dict)
    count: int = 0

    def copy(self) -> Selection:
        """A copy that can be extended without changing this one."""
        return Selection(
            set(self.whole),
            {name: set(boxes) for name, boxes in self.boxes.items()},
            {name: dict(keys) for name, keys in self.kept.items()},
            set(self.entries),
            dict(self.held),
            self.count,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing is erased."""
        return not (self.whole or self.boxes)


Choose = Callable[[StoredBox, KeyRing], bool]
"""Whether a box is to be erased."""
FindHold = Callable[[StoredBox, KeyRing], LegalHold | None]
"""The hold that keeps a box."""


def choose_boxes(
    rows: Iterable[tuple[Any, ...]],
    ring: KeyRing,
    selection: Selection,
    choose: Choose,
    find_hold: FindHold,
) -> None:
    """Add the boxes that are to be erased to a selection. A box that a hold keeps is only counted, in `held`."""
    for row in rows:
        for box in split_row(row):
            is_whole = box.subject in selection.whole
            if not is_whole and not choose(box, ring):
                continue
            box_key = ring.find_box_key(box)
            if box_key is None:
                continue  # it was erased before
            hold = find_hold(box, ring)
            if hold is not None:
                selection.held[hold] = selection.held.get(hold, 0) + 1
                continue
            selection.entries.add((box.writer, box.seq))
            selection.count += 1
            if not is_whole:
                selection.boxes.setdefault(box.subject, set()).add(box_key[0])


def keep_boxes(rows: Iterable[tuple[Any, ...]], ring: KeyRing, selection: Selection, subjects: Iterable[str]) -> None:
    """Add to a selection, for some of its subjects, the keys of their boxes that stay."""
    wanted = {name: selection.kept.setdefault(name, {}) for name in subjects}
    for row in rows if wanted else ():
        for box in split_row(row):
            if box.subject in wanted:
                box_key = ring.find_box_key(box)
                if box_key is not None and box_key[0] not in selection.boxes[box.subject]:
                    wanted[box.subject][box_key[0]] = box_key[1]


def make_hold_finder(
    holds: Iterable[LegalHold], names: Mapping[str, str], agents_of: Callable[[str], frozenset[str]]
) -> FindHold:
    """Make the function that finds the hold which keeps a box.

    Args:
        holds: the holds in force.
        names: reference of a held subject → its name, where that can be opened; boxes that name it are held, too.
        agents_of: gives the agents that decided in a session.
    """
    by_key = {(hold.scope, hold.target): hold for hold in holds}
    finders = [
        (by_key["subject", target], NameFinder([name]))
        for target, name in names.items()
        if ("subject", target) in by_key
    ]
    held_agents = [hold for hold in by_key.values() if hold.scope == "agent"]

    def find_hold(box: StoredBox, ring: KeyRing) -> LegalHold | None:
        matching = (
            by_key.get(("all", ""))
            or by_key.get(("subject", strip_number(box.subject)))
            or (by_key.get(("session", box.session)) if box.session else None)
        )
        if matching is None and held_agents and box.session:
            agents = agents_of(box.session)
            matching = next((hold for hold in held_agents if hold.target in agents), None)
        if matching is None and finders:
            fields = ring.open(box)
            matching = next((hold for hold, finder in finders if any(map(finder.matches, fields.values()))), None)
        return matching

    return find_hold
