"""Room: the baseline of an identity or role. Takes: looks of ordinary sessions. Gives: counts to compare with.

Everything is counted twice, in tasks (different requests) and in sessions. INVARIANT: robust to a poisoned history -
what one task alone has shown is not known, unless it is a hundredth of all sessions: one sloppy or steered run makes
nothing ordinary. Names and values are kept as keyed fingerprints. Pure, and canonical JSON both ways. Never: I/O, a
clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Final

from halo_core import canonical
from halo_core.behaviour.look import Look
from halo_core.behaviour.sight import Came, Sight, mark, place
from halo_core.behaviour.values import Value
from halo_core.errors import BadInput

__all__ = ["Baseline", "Ground", "fit", "levels", "mark"]

_FORM: Final = "halo-baseline-1"
_SMOOTH: Final = 2
_MOST_REMEMBERED: Final = 2048


@dataclass(frozen=True)
class Baseline:
    """What is ordinary.

    Args:
        tasks: different requests seen.
        sessions: sessions seen.
        known: fingerprint → (tasks, sessions) that showed it.
        rates: fingerprint of a place → (new, all): of the values that tasks brought there, those no other task brought.
        words: word of a tool → number of tools that have it.
    """

    tasks: int = 0
    sessions: int = 0
    known: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    rates: Mapping[int, tuple[int, int]] = field(default_factory=dict, repr=False)
    words: Mapping[str, int] = field(default_factory=dict, repr=False)
    tools: int = 0
    _remembered: dict[object, list[int]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def remembered(self, name: object, make: Callable[[], list[int]]) -> list[int]:
        """What a function of this baseline and `name` gives, from memory where it was asked before; bounded."""
        found = self._remembered.get(name)
        if found is None:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[name] = make()
        return found

    def seen(self, print_: int) -> bool:
        """Whether it is known: from two tasks, or a hundredth of the sessions (two of ten or more)."""
        found = self.known.get(print_)
        return found is not None and (found[0] >= 2 or found[1] >= self._bar)

    @cached_property
    def _bar(self) -> int:
        return max(-(-self.sessions // 100), 2) if self.sessions >= 10 else 1

    def share(self, print_: int) -> int:
        """Thousandths of the tasks that showed it."""
        return self.known.get(print_, (0, 0))[0] * 1000 // max(self.tasks, 1)

    def novelty(self, places: Sequence[int]) -> int:
        """Thousandths of values that are new at a place; places go from exact to general, smoothing one another."""
        rate = 500
        for each in reversed(places):
            new, every = self.rates.get(each, (0, 0))
            rate = (new * 1000 + rate * _SMOOTH) // (every + _SMOOTH)
        return max(rate, 1)

    def to_bytes(self) -> bytes:
        """Canonical JSON; `hash` is of these bytes."""
        return canonical.dumps(
            {
                "form": _FORM,
                "known": {f"{print_:012x}": list(counts) for print_, counts in self.known.items()},
                "rates": {f"{print_:012x}": list(counts) for print_, counts in self.rates.items()},
                "sessions": self.sessions,
                "tasks": self.tasks,
                "tools": self.tools,
                "words": sorted([word, times] for word, times in self.words.items()),
            }
        )

    @property
    def hash(self) -> str:
        """Content address."""
        return "sha256:" + sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Baseline:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            plain = canonical.loads(data)
            _of_form(plain["form"])
            known, rates = (
                {int(print_, 16): (int(first), int(second)) for print_, (first, second) in plain[name].items()}
                for name in ("known", "rates")
            )
            words = {str(word): int(times) for word, times in plain["words"]}
            return cls(int(plain["tasks"]), int(plain["sessions"]), known, rates, words, int(plain["tools"]))
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise BadInput("bad_baseline", "not a baseline", field="baseline", remedy="fit it again") from exc


def _of_form(form: object) -> None:
    if form != _FORM:
        raise ValueError(form)


class Ground:
    """Fingerprints under which a value is counted, each made when it is asked for."""

    __slots__ = ("_key", "_look", "_sight", "_text", "value")

    def __init__(self, look: Look, sight: Sight, key: bytes) -> None:
        self._look, self._sight, self._key = look, sight, key
        self._text = f"{sight.print:x}"
        self.value = mark("v", look.tool, sight.value.place, self._text, key=key)

    @property
    def elsewhere(self) -> Iterator[int]:
        """The value at any place of its name, and anywhere."""
        yield mark("w", self._sight.value.leaf, self._text, key=self._key)
        yield mark("x", self._text, key=self._key)

    @property
    def general(self) -> Iterator[int]:
        """What it belongs to, there and anywhere; nothing of a value that belongs to nothing."""
        if general := self._sight.value.general:
            yield mark("g", self._look.tool, self._sight.value.place, general, key=self._key)
            yield mark("h", general, key=self._key)

    @property
    def flow(self) -> int:
        """That this place takes values from that tool's results."""
        return mark("f", self._sight.source, self._look.tool, self._sight.value.place, key=self._key)


def levels(what: str, look: Look, value: Value, key: bytes) -> tuple[int, ...]:
    """A place and the more general ones behind it."""
    return _levels(what, look.tool, value.place, value.leaf, int(value.kind), key)


@lru_cache(maxsize=8192)
def _levels(what: str, tool: str, where: str, leaf: str, number: int, key: bytes) -> tuple[int, ...]:  # noqa: PLR0917  a memo
    kind = str(number)
    return (
        place(what, tool, where, key=key),
        place(what, "leaf", leaf, kind, key=key),
        place(what, "kind", kind, key=key),
        place(what, "all", key=key),
    )


def prints_of(look: Look, key: bytes) -> list[int]:
    """Everything one action shows of what is counted in tasks and sessions."""
    before = look.last[0] if look.last else ""
    names = ",".join(sorted({sight.value.place.split("/", 1)[0].rstrip("~!") for sight in look.sights}))
    asked = f"{look.request:x}"
    found = [
        mark("t", look.tool, key=key),
        mark("i", look.impact.value, key=key),
        mark("b", before, look.tool, key=key),
        mark("a", look.tool, names, key=key),
        mark("r", asked, key=key),
        mark("rt", asked, look.tool, key=key),
        mark("m", f"{look.made:x}", key=key),
    ]
    for ask in look.asks:
        found += [place("q", f"{ask:x}", key=key), place("qt", f"{ask:x}", look.tool, key=key)]
    for sight in look.sights:
        at = Ground(look, sight, key)
        found += [at.value, *at.elsewhere, *at.general, at.flow, mark("rv", asked, f"{sight.print:x}", key=key)]
    return found


def fit(sessions: Iterable[Sequence[Look]], key: bytes) -> Baseline:
    """The baseline of sessions, each the looks of its actions in order (their `request` is the task)."""
    counts = _Counts(key)
    for looks in sessions:
        if looks:
            counts.add(looks)
    return counts.baseline()


class _Counts:
    def __init__(self, key: bytes) -> None:
        self.key = key
        self.tasks: dict[int, set[int]] = {}
        self.times: dict[int, int] = {}
        self.requests: set[int] = set()
        self.sessions = 0
        self.pairs: dict[int, dict[int, set[int]]] = {}
        self.came: dict[int, list[int]] = {}
        self.names: dict[str, tuple[str, ...]] = {}

    def add(self, looks: Sequence[Look]) -> None:
        task = looks[0].request
        self.requests.add(task)
        self.sessions += 1
        shown: set[int] = set()
        for look in looks:
            shown.update(prints_of(look, self.key))
            self.names.setdefault(look.tool, look.words)
            for sight in look.sights:
                self._value(look, sight, task)
        for print_ in shown:
            self.tasks.setdefault(print_, set()).add(task)
            self.times[print_] = self.times.get(print_, 0) + 1

    def _value(self, look: Look, sight: Sight, task: int) -> None:
        for each in levels("n", look, sight.value, self.key):
            self.pairs.setdefault(each, {}).setdefault(sight.print, set()).add(task)
        if sight.value.general:
            print_ = mark(sight.value.general, key=self.key)
            for each in levels("ng", look, sight.value, self.key):
                self.pairs.setdefault(each, {}).setdefault(print_, set()).add(task)
        for each in levels("p", look, sight.value, self.key):
            row = self.came.setdefault(each, [0] * len(Came))
            row[sight.came] += 1

    def baseline(self) -> Baseline:
        rates = {}
        for each, values in self.pairs.items():
            every = sum(len(tasks) for tasks in values.values())
            rates[each] = (sum(len(tasks) == 1 for tasks in values.values()), every)
        for each, row in self.came.items():
            every = sum(row)
            for came, times in enumerate(row):
                rates[each + (came + 1 << 48)] = (every - times, every)
        words: dict[str, int] = {}
        for name in self.names.values():
            for word in set(name):
                words[word] = words.get(word, 0) + 1
        known = {print_: (len(tasks), self.times[print_]) for print_, tasks in self.tasks.items()}
        return Baseline(len(self.requests), self.sessions, known, rates, words, len(self.names))
