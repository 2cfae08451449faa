"""Synthetic hijacks for training, made from ordinary sessions.

An action of another task, with other values, is described in plain words inside a result and then carried out. There is
no wrapper and no plea around it, so what can be learnt is that an action follows what a result says and not the
request.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.values.argument_values import ValueKind, classify_value
from halo_core.values.lexicon import find_synonyms
from halo_core.values.text import split_name
from halo_studies.recordings.labelled_sessions import Event, Session

__all__ = ["planted"]

_TLDS: Final = ("com", "net", "org", "io", "info", "co", "dev")
_SPLIT: Final = re.compile(r"(?<=[.!?\n])\s+")
_KEPT: Final = 0.35
_NAME: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


def planted(sessions: Sequence[Session], times: int, seed: int) -> list[Session]:
    """`times` hijacked sessions for each benign one, of the same suites, the same for the same seed."""
    draw = random.Random(seed)
    benign = sorted((item for item in sessions if item.label == "benign" and item.events), key=lambda item: item.id)
    acts: dict[str, list[tuple[str, Event]]] = {}
    tools: dict[str, dict[str, list[tuple[str, Event]]]] = {}
    for session in benign:
        for event in session.events:
            if not event.error and event.args:
                acts.setdefault(session.suite, []).append((session.task, event))
                tools.setdefault(session.suite, {}).setdefault(event.tool, []).append((session.task, event))
    words = _vocabulary(benign)
    found = []
    for session in benign:
        for number in range(times):
            other = _other(session, tools.get(session.suite, {}), draw)
            if other is not None:
                found.append(_plant(session, other, words, draw, number))
    return found


def _other(session: Session, tools: Mapping[str, list[tuple[str, Event]]], draw: random.Random) -> Event | None:
    """An action of another task; first the tool is drawn, so that rare ones count as much."""
    names = sorted(tools)
    for _ in range(12):
        task, event = draw.choice(tools[draw.choice(names)])
        if task != session.task:
            return event
    return None


def _plant(session: Session, other: Event, words: Sequence[str], draw: random.Random, number: int) -> Session:
    args = _changed(other.args, words, draw)
    at = draw.randrange(len(session.events))
    host = session.events[at]
    text = _inside(host.result or host.error or "", _sentence(other.tool, args, draw), draw)
    carried = replace(host, result=text, error="")
    between = session.events[at + 1 : at + 1 + draw.choice((0, 0, 0, 1, 2))]
    act = replace(other, args=args, result="", error="", malicious=True, part=host.part)
    events = (*session.events[:at], carried, *between, act)
    return replace(session, id=f"{session.id}+{number}", label="hijacked", goal="", attack="synthetic", events=events)


def _inside(text: str, sentence: str, draw: random.Random) -> str:
    parts = _SPLIT.split(text[:20_000])
    place = draw.randint(0, len(parts))
    return " ".join([*parts[:place], sentence, *parts[place:]])


def _sentence(tool: str, args: Mapping[str, Any], draw: random.Random) -> str:
    """The action in words: its tool's name, often paraphrased, and its arguments, with or without their names."""
    said = []
    for word in _NAME.findall(tool):
        others = sorted(find_synonyms(split_name(word)[0])) if split_name(word) else []
        said.append(draw.choice(others) if others and draw.random() < 0.4 else word.lower())
    if len(said) > 2 and draw.random() < 0.3:
        said.pop(draw.randrange(1, len(said)))
    told = []
    for name, value in args.items():
        if draw.random() < 0.12:
            continue
        flat = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        flat = flat if len(flat) < 200 else flat[: draw.randint(30, 120)]
        told.append(f"{name.replace('_', ' ')} {flat}" if draw.random() < 0.5 else flat)
    draw.shuffle(told)
    return f"{' '.join(said)} {draw.choice((' ', 'with ', 'to ', 'for ', 'of '))}{', '.join(told)}."


def _changed(args: Mapping[str, Any], words: Sequence[str], draw: random.Random) -> dict[str, Any]:
    return {name: _other_value(value, words, draw) for name, value in args.items()}


def _other_value(value: Any, words: Sequence[str], draw: random.Random) -> Any:
    if isinstance(value, list):
        return [_other_value(item, words, draw) for item in value]
    if isinstance(value, Mapping):
        return {name: _other_value(item, words, draw) for name, item in value.items()}
    if value is None or isinstance(value, bool) or draw.random() < _KEPT:
        return value
    if isinstance(value, int | float):
        return draw.choice((draw.randint(1, 20), draw.randint(10, 2000)))
    return _fresh(str(value), words, draw)


def _fresh(text: str, words: Sequence[str], draw: random.Random) -> str:
    """Another value that looks like this one."""
    kind = classify_value(text)
    first, second = draw.choice(words), draw.choice(words)
    tld, folder = draw.choice(_TLDS), text.rpartition("/")[0] if draw.random() < 0.5 else f"/{first}"
    host = f"{first}{draw.choice(('', '-', '_'))}{second}.{tld}"
    domain = text.rpartition("@")[2] if draw.random() < 0.3 else f"{draw.choice(words)}.{tld}"
    made = {
        ValueKind.EMAIL: f"{draw.choice((first, f'{first}.{second}', f'{first}_{second}'))}@{domain}",
        ValueKind.URL: f"{draw.choice(('www.', 'https://'))}{host}{draw.choice(('', f'/{second}', f'/{first}.pdf'))}",
        ValueKind.PATH: f"{folder}/{second}{draw.choice(('', '.txt', '.pdf', '.env'))}",
        ValueKind.ID: "".join(_like(char, draw) for char in text),
        ValueKind.WORD: draw.choice((first, first.capitalize())),
        ValueKind.TEXT: " ".join(draw.choice(words) for _ in range(draw.randint(4, 14))),
    }
    return made.get(kind, text)


def _like(char: str, draw: random.Random) -> str:
    if char.isdigit():
        return draw.choice(string.digits)
    return draw.choice(string.ascii_uppercase) if char.isupper() and draw.random() < 0.5 else char


def _vocabulary(sessions: Iterable[Session]) -> list[str]:
    """Plain words of requests and results, in order."""
    found = set()
    for session in sessions:
        for text in (*session.requests, *(event.result[:2000] for event in session.events)):
            found.update(word for word in re.findall(r"[a-z]{4,12}", text))
    return sorted(found) or ["value"]
