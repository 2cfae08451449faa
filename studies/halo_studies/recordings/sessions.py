"""Recorded agent sessions as a re-drive needs them: read from a folder, sampled by label and suite, with learnt grants.

The folder holds `sessions.jsonl.gz`, and optionally `controls.jsonl.gz` (sessions whose user asks for what an attacker
asks for elsewhere) and `results.jsonl.gz` (full results by `rid`). Each file has one JSON object a line.
"""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

__all__ = [
    "BadData",
    "Event",
    "Session",
    "call_id",
    "grants_for",
    "grants_of_suite",
    "load",
    "rows",
    "sample",
    "tools_of",
]

_BAD_ARGUMENTS: Final = " for Input schema for "
"""Stands in a recorded error where the arguments did not fit the tool's schema, so that no guard would see the call."""
_NO_SUCH_TOOL: Final = "Invalid tool"
"""How a recorded error starts when the model named a tool that its suite does not have."""


class BadData(Exception):
    """The folder holds no recorded sessions, or something else."""


@dataclass(frozen=True, slots=True)
class Event:
    """One recorded action; `result` is its whole text, `error` what was raised instead of it."""

    kind: str
    tool: str
    args: Mapping[str, Any]
    turn: int
    result: str
    error: str
    malicious: bool

    @property
    def is_malformed(self) -> bool:
        """Whether the tool's own schema refused the arguments: nobody is asked about what cannot run."""
        return _BAD_ARGUMENTS in self.error


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session.

    Args:
        id: its own.
        suite: the role.
        fold: half of the tasks that it belongs to.
        label: benign, control, attacked_hijacked, attacked_partial or attacked_resisted.
        request: what the user asked for.
        events: in order.
        model: that acted.
        goal: of the attacker, empty if none.
    """

    id: str
    suite: str
    fold: str
    label: str
    request: str
    events: tuple[Event, ...]
    model: str = ""
    goal: str = ""

    def turns(self) -> Iterator[list[tuple[int, Event]]]:
        """Events of one model message after another, each with its index."""
        for _, group in itertools.groupby(enumerate(self.events), key=lambda pair: pair[1].turn):
            yield list(group)


def call_id(session: str, index: int) -> str:
    """Id of a session's action, unique in the run."""
    return f"{session}-{index}"


def load(folder: Path) -> list[Session]:
    """Read a folder.

    Raises:
        BadData: what is missing, or which line cannot be read.
    """
    path = folder / "sessions.jsonl.gz"
    if not path.is_file():
        raise BadData(f"no recorded sessions in `{folder}`: give the folder that holds sessions.jsonl.gz")
    texts = {row["rid"]: row["text"] for row in rows(folder / "results.jsonl.gz")}
    sessions = [_session(row, texts, path) for row in rows(path)]
    controls = folder / "controls.jsonl.gz"
    sessions += [_session({**row, "label": "control"}, texts, controls) for row in rows(controls)]
    return sessions


def rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield json.loads(line)
            except ValueError as exc:
                raise BadData(f"`{path}` line {number} is not JSON: {exc}") from exc


def _session(row: Mapping[str, Any], texts: Mapping[str, str], path: Path) -> Session:
    try:
        label = "attacked_partial" if row.get("partial") else row["label"]
        events = tuple(_event(item, texts) for item in row["events"])
        goal = f"{row['suite']}/{row['injection_task_id']}" if row.get("injection_task_id") else ""
        who = row["id"], row["suite"], row["fold"], label, row["user_prompt"]
        return Session(*who, events, row.get("model") or "", goal)
    except (KeyError, TypeError) as exc:
        raise BadData(f"`{path}` session `{row.get('id', '?')}`: {exc!r}") from exc


def _event(row: Mapping[str, Any], texts: Mapping[str, str]) -> Event:
    if not isinstance(row["args"], dict):
        raise TypeError(f"arguments of `{row['tool']}` are not an object")
    text = texts.get(row.get("rid") or "", row.get("result_excerpt") or "")
    return Event(row["kind"], row["tool"], row["args"], row["turn"], text, row["error"] or "", bool(row["malicious"]))


def sample(sessions: Sequence[Session], limit: int, seed: int) -> list[Session]:
    """`limit` sessions, proportional to the strata (suite, label), at least one of each while they last.

    The same seed gives the same sessions, and a smaller limit a part of a larger one's. 0 takes all.
    """
    if not limit:
        return list(sessions)
    draw = random.Random(seed)
    strata: dict[tuple[str, str], list[Session]] = {}
    for session in sorted(sessions, key=lambda item: item.id):
        strata.setdefault((session.suite, session.label), []).append(session)
    placed = []
    for _, members in sorted(strata.items()):
        draw.shuffle(members)
        placed += [(i / len(members), draw.random(), session) for i, session in enumerate(members)]
    placed.sort(key=lambda item: item[:2])
    return [session for _, _, session in placed[:limit]]


def tools_of(sessions: Iterable[Session]) -> dict[str, dict[str, str]]:
    """Suite → its tools → their kind; names that a model made up are in no list."""
    found: dict[str, dict[str, str]] = {}
    for session in sessions:
        for event in session.events:
            if not event.error.startswith(_NO_SUCH_TOOL):
                found.setdefault(session.suite, {})[event.tool] = event.kind
    return found


def grants_for(sessions: Iterable[Session], suite: str, fold: str) -> dict[str, set[str]]:
    """Tools and argument names that benign sessions of the suite's other fold used: what this fold's agent may do."""
    granted: dict[str, set[str]] = {}
    for session in sessions:
        if session.label == "benign" and session.suite == suite and session.fold != fold:
            for event in session.events:
                granted.setdefault(event.tool, set()).update(event.args)
    return granted


def grants_of_suite(sessions: Iterable[Session], suite: str, _fold: str) -> dict[str, set[str]]:
    """Every tool of a suite with every argument that some session gave it, without names that a model made up."""
    granted: dict[str, set[str]] = {}
    for session in sessions:
        for event in session.events if session.suite == suite else ():
            if not event.error.startswith(_NO_SUCH_TOOL):
                granted.setdefault(event.tool, set()).update(event.args)
    return granted
