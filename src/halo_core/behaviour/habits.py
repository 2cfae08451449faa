"""Room: habits, how an agent goes about its work. Takes: the actions of a session. Gives: integers. Never: I/O, floats.

Not what it did but how: how many steps, how many arguments it fills in and how, how it writes. They differ between
models and settings, and hardly between sessions of one agent at the same task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["HABITS", "Habit", "Habits"]

_CUT: Final = 4096  # characters of a text that are looked at
_DEEPEST: Final = 8
_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit: `id`, and a sentence for people."""

    id: str
    words: str


HABITS: Final = (
    Habit("steps", "actions in a session"),
    Habit("acts", "actions that do more than read"),
    Habit("tools", "different tools in a session"),
    Habit("repeats", "actions made twice"),
    Habit("failed", "actions that failed or were refused"),
    Habit("together", "actions asked for in one message"),
    Habit("filled", "arguments filled in, for each action"),
    Habit("empty", "arguments given empty, for each action"),
    Habit("words", "words of its texts, for each text"),
    Habit("lines", "lines of its texts, for each text"),
    Habit("marks", "exclamation marks, lists and headings, for each text"),
    Habit("greets", "texts that greet or sign"),
    Habit("schemes", "links written with their scheme, of all links"),
    Habit("decimals", "numbers written with decimals, of all numbers"),
    Habit("plain", "texts without a full stop at the end, of all texts"),
    Habit("ahead", "reading before the first act"),
)
_SCALE: Final = 64
_GREETS: Final = ("hi ", "hi,", "hello", "dear ", "best regards", "regards,", "thank you", "thanks", "sincerely")


@dataclass
class Habits:
    """Counts of one session; `vector` is what is compared."""

    counts: dict[str, int] = field(default_factory=dict)
    tools: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)

    def did(self, tool: str, args: Mapping[str, Any], *, reads: bool, failed: bool, turn: int) -> None:
        """An action was made. `turn` counts the messages that asked for actions."""
        self._add("steps")
        self._add("acts", int(not reads))
        if reads and not self.counts.get("acts"):
            self._add("ahead")
        self._add("failed", int(failed))
        if len(self.tools) < _MOST:
            self.tools.add(tool)
        made = f"{tool}\x1f{str(dict(args))[:_CUT]}"
        self._add("repeats", int(made in self.made))
        if len(self.made) < _MOST:
            self.made.add(made)
        names = sorted(name for name, value in args.items() if not (value is None or value in ("", [], {})))
        if len(self.ways) < _MOST:
            self.ways.add(f"{tool}({','.join(names)})")
        if len(self.turns) < _MOST:
            self.turns.add(turn)
        for value in args.values():
            self._add("empty" if value is None or value in ("", [], {}) else "filled")
        for leaf in _leaves(args, 0):
            self._leaf(leaf)

    def _add(self, name: str, much: int = 1) -> None:
        self.counts[name] = min(self.counts.get(name, 0) + much, 2**31)

    def _leaf(self, leaf: Any) -> None:
        if isinstance(leaf, bool) or leaf is None:
            return
        if isinstance(leaf, int | float):
            self._add("numbers")
            self._add("decimals", int(isinstance(leaf, float)))
            return
        text = str(leaf)[:_CUT]
        if " " not in text:
            if "://" in text or text.startswith("www."):
                self._add("links")
                self._add("schemes", int("://" in text))
            return
        self._text(text)

    def _text(self, text: str) -> None:
        low = text.lower()
        self._add("texts")
        self._add("words", len(text.split()))
        self._add("lines", text.count("\n") + 1)
        self._add(
            "marks", text.count("!") + text.count("\n- ") + text.count("**") + text.count("\n#") + text.count("\n* ")
        )
        self._add("greets", sum(word in low for word in _GREETS))
        self._add("plain", int(not text.rstrip().endswith((".", "!", "?"))))

    def vector(self) -> tuple[int, ...]:
        """One number for each of `HABITS`, in 64ths of a unit on a scale on which doubling is one step."""
        get = self.counts.get
        steps, texts = max(get("steps", 0), 1), max(get("texts", 0), 1)
        shares = {
            "tools": len(self.tools) * _SCALE,
            "together": (get("steps", 0) - len(self.turns)) * _SCALE,
            "filled": get("filled", 0) * _SCALE // steps,
            "empty": get("empty", 0) * _SCALE // steps,
            "schemes": get("schemes", 0) * _SCALE // max(get("links", 0), 1),
            "decimals": get("decimals", 0) * _SCALE // max(get("numbers", 0), 1),
        }
        for name in ("words", "lines", "marks", "greets", "plain"):
            shares[name] = get(name, 0) * _SCALE // texts
        return tuple(_steps(shares.get(habit.id, get(habit.id, 0) * _SCALE)) for habit in HABITS)


def _steps(number: int) -> int:
    """64ths of log2(1 + number / 64), exactly."""
    return (((number + _SCALE) ** 64) >> (6 * 64)).bit_length() - 1


def _leaves(value: Any, deep: int) -> Iterator[Any]:
    if deep > _DEEPEST:
        return
    items: Sequence[Any]
    if isinstance(value, Mapping):
        items = list(value.values())[:_MOST]
    elif isinstance(value, list | tuple):
        items = value[:_MOST]
    else:
        yield value
        return
    for item in items:
        yield from _leaves(item, deep + 1)
