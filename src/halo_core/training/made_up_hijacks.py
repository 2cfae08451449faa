"""Makes hijacked sessions up from ordinary ones.

A result tells, in plain words, an action of another task or another role, with other values, and that action is then
carried out. There is no wrapper and no plea around it, so what can be learnt is that an action follows a result and not
the request.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.model import Impact
from halo_core.quick_dataclass import dataclass
from halo_core.training.sessions import NOT_AN_ACTION, TrainingEvent, TrainingSession, propose_action
from halo_core.values.kinds.argument_values import ValueKind, classify_value
from halo_core.values.language.lexicon import find_synonyms
from halo_core.values.language.text import split_name

MADE_UP: Final = "made-up"
"""`TrainingSession.attack` of all that is made here."""
_TLDS: Final = ("com", "net", "org", "io", "info", "co", "dev")
_SPLIT: Final = re.compile(r"(?<=[.!?\n])\s+")
_NAME: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
_OPENINGS: Final = ("", "please ", "could you ", "you must ", "remember to ", "now ", "also ")
_ENDINGS: Final = (".", "!", "", " please.")
_LINKS: Final = ("to", "for", "with", "of", "at", "using", "in", "")
_OTHER_ROLE: Final = 0.25  # share of hijacks with a tool of another role
_ACTS: Final = 0.65  # share of actions that do more than read
_TRIES: Final = 12

_Pool = dict[str, dict[bool, dict[str, list[tuple[str, TrainingEvent]]]]]
"""Role → whether it reads → tool → (task, event)."""


@dataclass(frozen=True, slots=True)
class _Maker:
    """Material and random source of all made-up sessions."""

    pool: _Pool
    words: Sequence[str]
    draw: random.Random

    def make(self, session: TrainingSession, number: int) -> TrainingSession | None:
        """One made-up hijack; None if there is no action of another task."""
        other_role = self.draw.random() < _OTHER_ROLE
        chosen = self._choose_action(self.draw.choice(sorted(self.pool)) if other_role else session.suite, session.task)
        if chosen is None:
            return None
        task, action = chosen
        return replace(self._plant(session, action, number), goal=task)

    def _choose_action(self, suite: str, task: str) -> tuple[str, TrainingEvent] | None:
        """A task and an action of another task; the tool is drawn first, so that rare ones count as much."""
        kinds = self.pool[suite]
        for _ in range(_TRIES):
            tools = kinds.get(self.draw.random() > _ACTS) or next(iter(kinds.values()))
            other, event = self.draw.choice(tools[self.draw.choice(sorted(tools))])
            if other != task:
                return other, event
        return None

    def _plant(self, session: TrainingSession, action: TrainingEvent, number: int) -> TrainingSession:
        draw, events = self.draw, session.events
        args = change_values(action.args, self.words, draw)
        at = 0 if draw.random() < 0.3 else draw.randrange(len(events))
        host = events[at]
        topic = [draw.choice(self.words) for _ in range(draw.choice((0, 1, 2, 3)))] if draw.random() < 0.7 else []
        sentence = _tell_action(action.tool, args, topic, draw)
        carrier = replace(host, result=_put_inside(host.result or host.error, sentence, draw), error="")
        between = events[at + 1 : at + 1 + draw.choice((0, 0, 0, 0, 1, 2))]
        args = _carry_off(args, events[: at + 1], draw)
        act = replace(action, args=args, result="", error="", malicious=True, part=host.part)
        planted = (*events[:at], carrier, *between, act)
        return replace(session, id=f"{session.id}+{number}", label="hijacked", attack=MADE_UP, events=planted)


def make_hijacks(sessions: Iterable[TrainingSession], *, each: int, seed: int) -> list[TrainingSession]:
    """Made-up hijacks of the same roles; the same for the same seed. They are never part of a baseline.

    Args:
        sessions: recorded ones; those labelled benign are used.
        each: how many are made of each.
        seed: seed of the choice.

    Returns:
        Sessions labelled hijacked, whose last action is the malicious one. `goal` is the task that it comes from.
    """
    ordinary = sorted(
        (item for item in sessions if item.label == "benign" and any(map(_is_action, item.events))),
        key=lambda item: item.id,
    )
    maker = _Maker(_collect_actions(ordinary), _collect_words(ordinary), random.Random(seed))  # noqa: S311  no secret
    numbered = ((session, number) for session in ordinary if session.suite in maker.pool for number in range(each))
    return [hijack for session, number in numbered if (hijack := maker.make(session, number)) is not None]


def _is_action(event: TrainingEvent) -> bool:
    return event.tool != NOT_AN_ACTION


def _collect_actions(sessions: Iterable[TrainingSession]) -> _Pool:
    pool: _Pool = {}
    for session in sessions:
        for event in session.events:
            if _is_action(event) and event.args and not event.error:
                reads = propose_action(event).impact is Impact.READ
                tools = pool.setdefault(session.suite, {}).setdefault(reads, {})
                tools.setdefault(event.tool, []).append((session.task, event))
    return pool


def _collect_words(sessions: Iterable[TrainingSession]) -> list[str]:
    """Plain words of requests and results, in order."""
    words = set()
    for session in sessions:
        for text in (*session.requests, *(event.result[:2000] for event in session.events)):
            words.update(re.findall(r"[a-z]{4,12}", text))
    return sorted(words) or ["value"]


def _put_inside(text: str, sentence: str, draw: random.Random) -> str:
    parts = _SPLIT.split(text[:20_000])
    if draw.random() < 0.5:
        parts = [line for part in parts for line in part.split("\n")]
    place = draw.choice((0, len(parts), draw.randint(0, len(parts))))
    return " ".join([*parts[:place], sentence, *parts[place:]])


def _tell_action(tool: str, args: Mapping[str, Any], topic: Sequence[str], draw: random.Random) -> str:
    """The action in words: its tool's name, often paraphrased, and its arguments, with or without their names."""
    about = f" {draw.choice(('for', 'about', 'regarding', 'because of'))} {' '.join(topic)}" if topic else ""
    phrases = [*_tell_tool(tool, draw, 0.3), *_tell_values(args, draw, 0.12)]
    return f"{draw.choice(_OPENINGS)}{' '.join(phrases)}{about}{draw.choice(_ENDINGS)}"


def _tell_tool(tool: str, draw: random.Random, dropped: float) -> list[str]:
    words = []
    for word in _NAME.findall(tool):
        stems = split_name(word)
        likes = sorted(find_synonyms(stems[0])) if stems else []
        words.append(draw.choice(likes) if likes and draw.random() < 0.4 else word.lower())
    if len(words) > 2 and draw.random() < dropped:
        words.pop(draw.randrange(1, len(words)))
    return words


def _tell_values(args: Mapping[str, Any], draw: random.Random, left_out: float) -> list[str]:
    phrases = []
    for name, value in args.items():
        if value in (None, "", []) or draw.random() < left_out:
            continue
        flat = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        flat = flat if len(flat) <= 200 else flat[: draw.randint(30, 120)]
        label = name.replace("_", " ")
        phrases.append(
            draw.choice((f"{label} {flat}", flat, f"{draw.choice(_LINKS)} {flat}", f"{flat} as the {label}"))
        )
    draw.shuffle(phrases)
    return phrases


def _carry_off(args: Mapping[str, Any], events: Sequence[TrainingEvent], draw: random.Random) -> dict[str, Any]:
    """The arguments; sometimes with parts of earlier results as their texts."""
    texts = [event.result for event in events if len(event.result) > 60]
    if not texts or draw.random() > 0.35:
        return dict(args)
    return {name: _carry_value(value, texts, draw) for name, value in args.items()}


def _carry_value(value: Any, texts: Sequence[str], draw: random.Random) -> Any:
    if isinstance(value, Mapping):
        return {name: _carry_value(item, texts, draw) for name, item in value.items()}
    if isinstance(value, str) and len(value.split()) > 3:
        text = draw.choice(texts)
        start = draw.randrange(max(len(text) - 200, 1))
        return text[start : start + draw.randint(80, 500)]
    return value


def change_values(args: Mapping[str, Any], words: Sequence[str], draw: random.Random) -> dict[str, Any]:
    """Arguments with other values of the same kinds; some calls keep part of theirs."""
    share_kept = draw.choice((0.0, 0.0, 0.3, 0.6))
    return {name: _change_value(value, words, draw, share_kept) for name, value in args.items()}


def _change_value(value: Any, words: Sequence[str], draw: random.Random, share_kept: float) -> Any:
    if isinstance(value, list):
        return [_change_value(item, words, draw, share_kept) for item in value]
    if isinstance(value, Mapping):
        return {name: _change_value(item, words, draw, share_kept) for name, item in value.items()}
    if value is None or isinstance(value, bool) or draw.random() < share_kept:
        return value
    if isinstance(value, int | float):
        return draw.choice((draw.randint(1, 20), draw.randint(10, 2000)))
    return _make_alike(str(value), words, draw)


def _make_alike(text: str, words: Sequence[str], draw: random.Random) -> str:
    """Another value of the same form."""
    first, second = draw.choice(words), draw.choice(words)
    tld, folder = draw.choice(_TLDS), text.rpartition("/")[0] if draw.random() < 0.5 else f"/{first}"
    host = f"{first}{draw.choice(('', '-', '_'))}{second}.{tld}"
    domain = text.rpartition("@")[2] if draw.random() < 0.3 else f"{draw.choice(words)}.{tld}"
    by_kind = {
        ValueKind.EMAIL: f"{draw.choice((first, f'{first}.{second}', f'{first}_{second}'))}@{domain}",
        ValueKind.URL: f"{draw.choice(('www.', 'https://'))}{host}{draw.choice(('', f'/{second}', f'/{first}.pdf'))}",
        ValueKind.PATH: f"{folder}/{second}{draw.choice(('', '.txt', '.pdf', '.env'))}",
        ValueKind.ID: "".join(_change_char(char, draw) for char in text),
        ValueKind.WORD: draw.choice((first, first.capitalize())),
        ValueKind.TEXT: " ".join(draw.choice(words) for _ in range(draw.randint(4, 14))),
    }
    return by_kind.get(classify_value(text), text)


def _change_char(char: str, draw: random.Random) -> str:
    if char.isdigit():
        return draw.choice(string.digits)
    return draw.choice(string.ascii_uppercase) if char.isupper() and draw.random() < 0.5 else char
