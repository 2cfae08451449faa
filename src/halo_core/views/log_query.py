"""Entries of the log by what they are about: time, session, agent, user, tool, effect, data label.

    select_entries(reader, tenant, LogFilter(agent="loan-desk", effects=frozenset({"deny"})), last=50)

A search reads the compact rows and the parts that they name, and expands only what it returns, so that a log of 100,000
entries is searched in well under a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any, Final

import orjson

from halo_core.errors import ConfigError, Tampered
from halo_core.model import ActionKind, Effect, EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import NO_END, LoggedEntry, Reader

_KINDS: Final = (EntryKind.DECISION.value, EntryKind.SHADOW.value)
_MAX_COMPARED: Final = 1000  # entries whose names are compared with one that was not found
_WINDOW: Final = 20_000  # rows that are read at once, from the end of the log
_FRAME: Final = b'"frame":"'
_RESOURCE: Final = b'"resource":"'
_HASH_CHARS: Final = 44
EFFECTS: Final = (*(effect.value for effect in Effect), "none")
"""Words for `LogFilter.effects`; `none` is an action that nobody decided."""
ACTION_KINDS: Final = tuple(kind.value for kind in ActionKind)
"""Words for `LogFilter.kinds`."""


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries are wanted; every condition that is set must hold.

    Args:
        session: name or reference of the session.
        agent: id of the acting agent.
        user: name or reference of the person it acted for.
        tool: id of the tool, retriever, model or agent; `*` stands for any characters.
        effects: any of `EFFECTS`; empty for all.
        label: a data label of the resource.
        kinds: any of `ACTION_KINDS`; empty for all.
        ran: whether it ran; None for both.
        since_us: entries from this time on, microseconds since the epoch.
        until_us: entries before this time.
    """

    session: str = ""
    agent: str = ""
    user: str = ""
    tool: str = ""
    effects: frozenset[str] = field(default_factory=frozenset[str])
    label: str = ""
    since_us: int = 0
    until_us: int = NO_END
    kinds: frozenset[str] = field(default_factory=frozenset[str])
    ran: bool | None = None

    def __post_init__(self) -> None:
        """Check the effects and kinds.

        Raises:
            ConfigError: `bad_effect`, `bad_kind`.
        """
        _require_known(self.effects, EFFECTS, "effect")
        _require_known(self.kinds, ACTION_KINDS, "kind")


def _require_known(words: frozenset[str], known: tuple[str, ...], name: str) -> None:
    unknown = sorted(words.difference(known))
    if unknown:
        remedy = f"use one of {', '.join(known)}"
        raise ConfigError(f"bad_{name}", f"`{unknown[0][:32]}` is no {name}", field=name, remedy=remedy)


def select_entries(
    reader: Reader, tenant: str, wanted: LogFilter, *, last: int = NO_END, since: int = 0
) -> list[LoggedEntry]:
    """The newest decisions and sightings that are wanted, in log order.

    Args:
        reader: the store; with names it takes and shows names of sessions and people.
        tenant: owner of the log.
        wanted: which entries.
        last: maximum number of entries.
        since: only entries from this position on.
    """
    matcher, session = _Matcher(reader, tenant, wanted), find_session_reference(reader, tenant, wanted.session)
    newest: list[LoggedEntry] = []
    until, start = NO_END, reader.next_index(tenant)
    while until > since and len(newest) < last:
        start = max(since, start - _WINDOW)
        rows = reader.bodies(tenant, _KINDS, session, (start, until), (wanted.since_us, wanted.until_us))
        positions = [index for index, kind, body in rows if matcher.matches(kind, body)]
        found = (item for index in reversed(positions) for item in _read_at(reader, tenant, index))
        # Whether it ran follows from the mode and the effect, so only an expanded entry says it.
        fitting = (item for item in found if wanted.ran in (None, has_run(item.entry)))
        newest += islice(fitting, last - len(newest))
        until = start
    return newest[::-1]


def has_run(entry: LedgerEntry) -> bool:
    """Whether an action ran: one that was decided, or one that nobody decided."""
    return not entry.body.get("refused") if entry.kind is EntryKind.SHADOW else bool(entry.body["dispatched"])


def find_session_reference(reader: Reader, tenant: str, name: str) -> str:
    """The reference of a session, given its name or reference.

    Adapters put `thread:` in front of a thread's id; the name may lack it or have it.
    """
    references = [reader.find_session(tenant, item) for item in (name, f"thread:{name}", name.removeprefix("thread:"))]
    return next((item for item in references if name and reader.has_session(tenant, item)), references[0])


def find_similar_names(reader: Reader, tenant: str, wanted: LogFilter) -> list[str]:
    """Names of sessions, agents and tools among the newest entries that are similar to those of the filter, sorted."""
    if not (wanted.session or wanted.agent or wanted.tool):
        return []
    sessions, agents, tools = _list_newest_names(reader, tenant, with_sessions=bool(wanted.session))
    similar: set[str] = set()
    searched = (wanted.session.removeprefix("thread:"), sessions), (wanted.agent, agents), (wanted.tool, tools)
    for name, known_names in searched:
        if name and name not in known_names:
            similar.update(known_names[item] for item in get_close_matches(name, known_names, n=3))
            similar.update([full for short, full in sorted(known_names.items()) if short.startswith(name)][:3])
    return sorted(similar)


def _list_newest_names(reader: Reader, tenant: str, *, with_sessions: bool) -> Iterator[dict[str, str]]:
    """Names of sessions, of agents and of tools in the newest decisions: text that is compared → name."""
    read_part = reader.part_reader(tenant)
    sessions, frames, resources = set[str](), set[str](), set[str]()
    until = reader.next_index(tenant)
    span = (max(0, until - _MAX_COMPARED), until)
    for _, _, text in reader.bodies(tenant, (EntryKind.DECISION.value,), "", span, (0, NO_END)):
        with suppress(KeyError, TypeError, ValueError):  # the entry cannot be read
            entry = orjson.loads(text)
            frames.add(entry["body"]["frame"])
            resources.add(entry["body"]["resource"])
            sessions.add(entry["session"])
    shown = {reader.show_session(tenant, session) for session in sessions} if with_sessions else set[str]()
    yield {name.removeprefix("thread:"): name for name in shown}
    for hashes, field_name in ((frames, "agent"), (resources, "id")):
        yield {name: name for item in hashes if (name := str(read_part(item)[field_name]))}


def _read_at(reader: Reader, tenant: str, index: int) -> Iterator[LoggedEntry]:
    note = reader.note_at_index(tenant, index)
    if note is not None:
        yield reader.read_note(index, note)


class _Matcher:
    """Compares rows with a filter; whether a part fits is remembered for all entries that name it."""

    def __init__(self, reader: Reader, tenant: str, wanted: LogFilter) -> None:
        self._read_part = reader.part_reader(tenant)
        self._wanted = wanted
        self._users = reader.find_person(wanted.user)
        self._frames: dict[str, bool] = {}
        self._resources: dict[str, bool] = {}
        self._unwanted: set[bytes] = set()
        # What is compared with each part that an entry names: of the resource first, since there are fewer of them.
        members = ((_RESOURCE, wanted.tool or wanted.label), (_FRAME, wanted.agent or wanted.user))
        self._members = tuple(member for member, is_compared in members if is_compared)
        # The text of a decision names its effect, unless that is `allow`: then the effect cannot be searched for.
        is_named = wanted.effects and Effect.ALLOW.value not in wanted.effects
        self._effect_members = [f'"effect":"{effect}"'.encode() for effect in wanted.effects] if is_named else []

    def matches(self, kind: str, text: bytes) -> bool:
        """Whether an entry is wanted, given its kind and its signed text."""
        if kind == EntryKind.DECISION and self._is_plainly_unwanted(text):
            return False
        try:
            body = orjson.loads(text)["body"]
            return self._is_wanted_sighting(body) if kind == EntryKind.SHADOW else self._is_wanted_decision(body)
        except (KeyError, TypeError, ValueError, Tampered):
            return True  # an entry that cannot be read is selected; reading it raises the error

    def _is_plainly_unwanted(self, text: bytes) -> bool:
        """Whether a decision's bytes show without parsing that it has no wanted effect, or only unwanted parts.

        Quotes inside strings are escaped, so what looks like a member is one, though perhaps of another object in the
        entry. If there are several, or what one names is wanted or not known yet, the entry is parsed.
        """
        if not text.endswith(b"}"):
            return False  # cut off
        if self._effect_members and not any(member in text for member in self._effect_members):
            return True
        return any(self._names_unwanted(text, member) for member in self._members)

    def _names_unwanted(self, text: bytes, member: bytes) -> bool:
        """Whether an entry has one such member, and what it names is known not to be wanted."""
        start = text.find(member) + len(member)
        name = text[start : start + _HASH_CHARS]
        return name in self._unwanted and text.find(member, start) < 0

    def _is_wanted_sighting(self, body: Mapping[str, Any]) -> bool:
        wanted = self._wanted
        if wanted.agent or wanted.user or wanted.label or (wanted.effects and "none" not in wanted.effects):
            return False
        is_of_kind = not wanted.kinds or body.get("kind") in wanted.kinds
        return is_of_kind and (not wanted.tool or fnmatchcase(str(body.get("name", "")), wanted.tool))

    def _is_wanted_decision(self, body: Mapping[str, Any]) -> bool:
        effect = body.get("decision", {}).get("effect", Effect.ALLOW.value)
        if self._wanted.effects and effect not in self._wanted.effects:
            return False
        return self._is_wanted_part(body["resource"], self._resources, self._is_wanted_resource) and (
            self._is_wanted_part(body["frame"], self._frames, self._is_wanted_frame)
        )

    def _is_wanted_part(self, name: str, known: dict[str, bool], is_wanted: Callable[[Any], bool]) -> bool:
        if name not in known:
            known[name] = is_wanted(self._read_part(name))
            if not known[name]:
                self._unwanted.add(name.encode())
        return known[name]

    def _is_wanted_frame(self, frame: Mapping[str, Any]) -> bool:
        wanted = self._wanted
        return wanted.agent in ("", frame["agent"]) and (not wanted.user or frame.get("user") in self._users)

    def _is_wanted_resource(self, resource: Mapping[str, Any]) -> bool:
        wanted = self._wanted
        is_labelled = not wanted.label or wanted.label in resource["labels"]
        is_of_kind = not wanted.kinds or resource["kind"] in wanted.kinds
        return is_labelled and is_of_kind and (not wanted.tool or fnmatchcase(resource["id"], wanted.tool))
