"""Whether an agent still works as it used to: the habits of each session, compared with those of its past.

`SessionHabits` counts how an agent works (how many steps, which arguments it fills in, how it writes). This differs
between models and settings, and hardly between sessions of one agent at the same task. `DriftMonitor` takes each
session's habits, less what is usual for the same request in the `DriftReference`, along the directions in which agents
differ (learnt offline), smooths them exponentially, and raises an alarm at a squared distance (a multivariate EWMA).

`halo_core.behaviour.session_drift` runs it on live sessions, `studies/drift.py` measures it.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, repeat
from math import isqrt
from typing import Any, Final

from halo_core.quick_dataclass import dataclass

_MAX_TEXT_LENGTH: Final = 4096  # characters of a text that are looked at
_MAX_DEPTH: Final = 8
_MAX_REMEMBERED: Final = 256


HABITS: Final = {
    "steps": "actions in a session",
    "acts": "actions that do more than read",
    "tools": "different tools in a session",
    "repeats": "actions made twice",
    "failed": "actions that failed or were refused",
    "together": "actions asked for in one message",
    "filled": "arguments filled in, for each action",
    "empty": "arguments given empty, for each action",
    "words": "words of its texts, for each text",
    "lines": "lines of its texts, for each text",
    "marks": "exclamation marks, lists and headings, for each text",
    "greets": "texts that greet or sign",
    "schemes": "links written with their scheme, of all links",
    "decimals": "numbers written with decimals, of all numbers",
    "plain": "texts without a full stop at the end, of all texts",
    "ahead": "reading before the first act",
}
"""Id of each habit, and a sentence for people."""
_SCALE: Final = 64
_NUMBERS: Final = (int, float)
_LISTS: Final = (list, tuple)
_CONTAINERS: Final = (dict, list, tuple, Mapping)  # asking for a Mapping takes longest
SHAPE_COUNTS: Final = "filled empty numbers decimals links schemes texts words lines marks greets plain".split()
"""What is counted of the arguments of an action, in order; see `describe_arguments`."""
_GREETINGS: Final = ("hi ", "hi,", "hello", "dear ", "best regards", "regards,", "thank you", "thanks", "sincerely")


@dataclass
class SessionHabits:
    """Counts of one session; `to_vector` is what is compared."""

    counts: dict[str, int] = field(default_factory=dict)
    tools: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    turns: set[int] = field(default_factory=set)
    call_shapes: set[str] = field(default_factory=set)

    def record_action(self, tool: str, args: Mapping[str, Any], *, reads: bool, failed: bool, turn: int) -> None:
        """Count an action; `turn` is the number of the message that asked for it."""
        self._count("steps")
        self._count("acts", int(not reads))
        if reads and not self.counts.get("acts"):
            self._count("ahead")
        self._count("failed", int(failed))
        if len(self.tools) < _MAX_REMEMBERED:
            self.tools.add(tool)
        counts, call, way = describe_arguments(tool, args)
        self._count("repeats", int(call in self.calls))
        if len(self.calls) < _MAX_REMEMBERED:
            self.calls.add(call)
        if len(self.call_shapes) < _MAX_REMEMBERED:
            self.call_shapes.add(way)
        if len(self.turns) < _MAX_REMEMBERED:
            self.turns.add(turn)
        for name, amount in zip(SHAPE_COUNTS, counts, strict=True):
            self._count(name, amount)

    def _count(self, name: str, amount: int = 1) -> None:
        self.counts[name] = min(self.counts.get(name, 0) + amount, 2**31)

    def to_vector(self) -> tuple[int, ...]:
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
        return tuple([_scale_logarithmically(shares.get(habit, get(habit, 0) * _SCALE)) for habit in HABITS])


@lru_cache(maxsize=4096)
def _scale_logarithmically(number: int) -> int:
    """64ths of log2(1 + number / 64), exactly."""
    return (((number + _SCALE) ** 64) >> (6 * 64)).bit_length() - 1


def describe_arguments(tool: str, args: Mapping[str, Any]) -> tuple[tuple[int, ...], str, str]:
    """How an action was written: counts of its arguments, the action as a text, and which arguments are filled in.

    It runs once for each action, so it makes no call of its own for a leaf.

    Args:
        tool: id of the resource.
        args: arguments of the action.

    Returns:
        One number for each of `SHAPE_COUNTS`; the tool with its arguments; the tool with the names of those filled in.
    """
    filled = []
    for name, value in args.items():
        if not (value is None or value in ("", [], {})):
            filled.append(name)
    numbers, decimals, texts = _split_leaves(args)
    links = schemes = words = lines = marks = greets = plain = sentences = 0
    for text in texts:
        if " " not in text:
            if "://" in text or text.startswith("www."):
                links += 1
                schemes += "://" in text
            continue
        low = text.lower()
        sentences += 1
        words += len(text.split())
        lines += text.count("\n") + 1
        marks += text.count("!") + text.count("\n- ") + text.count("**") + text.count("\n#") + text.count("\n* ")
        for word in _GREETINGS:
            greets += word in low
        plain += not text.rstrip().endswith((".", "!", "?"))
    empty = len(args) - len(filled)
    counts = (len(filled), empty, numbers, decimals, links, schemes, sentences, words, lines, marks, greets, plain)
    call = f"{tool}\x1f{str(dict(args))[:_MAX_TEXT_LENGTH]}"
    return counts, call, f"{tool}({','.join(sorted(filled))})"


def _split_leaves(args: Mapping[str, Any]) -> tuple[int, int, list[str]]:
    """Numbers among the leaves of arguments, decimals among those, and its texts, cut; in no order."""
    numbers = decimals = 0
    texts: list[str] = []
    waiting: list[tuple[Any, int]] = [(args, 0)]
    while waiting:
        value, depth = waiting.pop()
        if type(value) is str:  # what most are
            texts.append(value[:_MAX_TEXT_LENGTH])
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, _NUMBERS):
            numbers += 1
            decimals += isinstance(value, float)
        elif isinstance(value, str) or not isinstance(value, _CONTAINERS):
            texts.append(str(value)[:_MAX_TEXT_LENGTH])
        elif depth < _MAX_DEPTH:
            items = value if isinstance(value, _LISTS) else list(value.values())
            waiting += zip(items[:_MAX_REMEMBERED], repeat(depth + 1))
    return numbers, decimals, texts


UNIT: Final = 1024
_SPREAD_DIVISOR: Final = 16
_MAX_DEVIATION: Final = 3 * UNIT
_PRIOR_SESSIONS: Final = 4
"""Sessions that the whole reference counts for beside those of the same request."""
WAY_WEIGHT: Final = 1331
"""1/1024 with which new and missing ways count, beside each other direction."""


@dataclass(frozen=True, slots=True)
class DriftAxes:
    """Directions, learnt offline.

    Args:
        rows: one row of weights for each direction, in 1/1024 of a standard deviation within one agent.
        keep: 1/1024 that the smoothing keeps of what was before, the slower of two.
        limits: squared distance at which an alarm starts, one for each smoothing.
        keeps: the smoothings.
        joint_limits: the same for distances that take into account what goes together; see `DriftReference.joint`.
    """

    rows: tuple[tuple[int, ...], ...]
    keeps: tuple[int, ...]
    limits: tuple[int, ...]
    joint_limits: tuple[int, ...]

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        rows = [list(row) for row in self.rows]
        limits = {"joint_limits": list(self.joint_limits), "limits": list(self.limits)}
        return {"keeps": list(self.keeps), "rows": rows, **limits}

    @classmethod
    def from_plain(cls, members: Mapping[str, Any]) -> DriftAxes:
        """Inverse of `to_plain`."""
        rows = tuple(tuple(map(int, row)) for row in members["rows"])
        keeps, limits, joint = (tuple(map(int, members[name])) for name in ("keeps", "limits", "joint_limits"))
        return cls(rows, keeps, limits, joint)


@dataclasses.dataclass(frozen=True, slots=True)  # a quick dataclass allows no classes derived from it
class DriftSession:
    """What is compared of one session.

    Args:
        request: fingerprint of what the user asked for.
        habits: `SessionHabits.to_vector`.
        call_shapes: fingerprints of the ways it went: a tool with the arguments that it filled in.
    """

    request: int
    habits: tuple[int, ...]
    call_shapes: frozenset[int] = frozenset()


@dataclass(frozen=True)
class DriftReference:
    """What is usual: along each direction, of all sessions and of those with one request, with their number.

    Args:
        means: mean of all sessions, in 1/1024; the last two are shares of new and of missing ways.
        tasks: request → (sessions, sums along the directions).
        call_shapes: request → way → sessions that went it.
        spread: mean square of what is left once the usual is taken away, for each of them.
        joint: weights of the products of two directions in a squared distance, in 1/1024, for each pair in order; they
            are the inverse of how the directions go together in this identity's own sessions. Empty in references of
            the earlier form, where each direction counts for itself.
    """

    means: tuple[int, ...]
    tasks: Mapping[int, tuple[int, tuple[int, ...]]]
    call_shapes: Mapping[int, Mapping[int, int]]
    spread: tuple[int, ...]
    joint: tuple[int, ...] = ()

    def scale_deviation(self, deviation: Sequence[int], way_weight: int) -> list[int]:
        """A deviation in 1/1024 of what is usual along each direction, bounded so that no one session decides."""
        scaled = [item * UNIT // isqrt(max(spread, 1)) for item, spread in zip(deviation, self.spread, strict=True)]
        scaled = [max(min(item, _MAX_DEVIATION), -_MAX_DEVIATION) for item in scaled]
        scaled[-2:] = [item * way_weight // UNIT for item in scaled[-2:]]  # new and missing ways
        return scaled

    def square(self, means: Sequence[int]) -> int:
        """Squared length of smoothed deviations, in 1/1024 squared."""
        if not self.joint:
            return sum([item * item for item in means])
        pairs = combinations_with_replacement(means, 2)
        return max(sum([weight * a * b for weight, (a, b) in zip(self.joint, pairs, strict=True)]), 0) // UNIT

    def compute_deviation(self, axes: DriftAxes, session: DriftSession, *, member: bool = False) -> tuple[int, ...]:
        """How far a session is from what is usual for its request; of a `member`, from the others."""
        point = project_habits(axes, session.habits)
        times, sums = self.tasks.get(session.request, (0, (0,) * len(point)))
        if member:
            times, sums = times - 1, tuple(total - part for total, part in zip(sums, point, strict=True))
        usual = [
            (total + _PRIOR_SESSIONS * mean) // (times + _PRIOR_SESSIONS)
            for total, mean in zip(sums, self.means, strict=False)
        ]
        call_shape_deviation = self._compute_call_shape_deviation(session, times, member=member)
        return (*[a - b for a, b in zip(point, usual, strict=True)], *call_shape_deviation)

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """All of it in a fixed order, as it is stored."""
        numbers = [*self.means, *self.spread, len(self.tasks)]
        for request, (times, sums) in sorted(self.tasks.items()):
            ways = self.call_shapes.get(request, {})
            numbers += (request, times, *sums, len(ways))
            for way, count in sorted(ways.items()):
                numbers += (way, count)
        return tuple(numbers)

    def _compute_call_shape_deviation(self, session: DriftSession, times: int, *, member: bool) -> tuple[int, int]:
        if not times or not session.call_shapes:
            return 0, 0
        counts, call_shapes = self.call_shapes.get(session.request, {}), session.call_shapes
        others = {shape: count - (member and shape in call_shapes) for shape, count in counts.items()}
        new = sum(not others.get(shape, 0) for shape in call_shapes) * UNIT // len(call_shapes)
        usual = [shape for shape, count in others.items() if 2 * count > times]
        missing = sum(shape not in call_shapes for shape in usual) * UNIT // len(usual) if usual else 0
        return new - self.means[-2], missing - self.means[-1]


def project_habits(axes: DriftAxes, vector: Sequence[int]) -> tuple[int, ...]:
    """Habits along the directions, in 1/1024."""
    return tuple([sum([weight * number for weight, number in zip(row, vector, strict=True)]) for row in axes.rows])


def fit_reference(axes: DriftAxes, sessions: Sequence[DriftSession], *, is_joint: bool = True) -> DriftReference:
    """The reference of ordinary sessions; at least one.

    Args:
        axes: directions.
        sessions: what is usual.
        is_joint: directions are weighed by how they go together.
    """
    points = [project_habits(axes, session.habits) for session in sessions]
    means = tuple(sum(column) // len(points) for column in zip(*points, strict=True))
    tasks: dict[int, tuple[int, tuple[int, ...]]] = {}
    call_shapes: dict[int, Counter[int]] = {}
    for session, point in zip(sessions, points, strict=True):
        times, sums = tasks.get(session.request, (0, (0,) * len(means)))
        tasks[session.request] = (times + 1, tuple(a + b for a, b in zip(sums, point, strict=True)))
        call_shapes.setdefault(session.request, Counter()).update(session.call_shapes)
    first = DriftReference((*means, 0, 0), tasks, call_shapes, ())
    deviations = [first.compute_deviation(axes, session, member=True) for session in sessions]
    shares = tuple(sum(row[index] for row in deviations) // len(deviations) for index in (-2, -1))
    reference = replace(first, means=(*means, *shares))
    rows = [reference.compute_deviation(axes, session, member=True) for session in sessions]
    spread = tuple(
        max(sum(item * item for item in column) // len(rows), UNIT**2 // _SPREAD_DIVISOR)
        for column in zip(*rows, strict=True)
    )
    reference = replace(reference, spread=spread)
    return replace(reference, joint=_weigh_jointly(reference, rows)) if is_joint else reference


def _weigh_jointly(reference: DriftReference, rows: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Weights of pairs of directions: the inverse of their correlations, each shrunk by half.

    Without them a deviation along two directions that go together in an identity's own sessions would count twice, and
    one that sets them apart too little. Sixty sessions tell little of a correlation, and a matrix shrunk by half can
    always be inverted.
    """
    scaled = [reference.scale_deviation(row, WAY_WEIGHT) for row in rows]
    columns = list(zip(*scaled, strict=True))
    squares = [max(sum(item * item for item in column), 1) for column in columns]
    matrix = [
        [
            Fraction(UNIT)
            if at == other
            else Fraction(_dot(columns[at], columns[other]) * UNIT // (2 * isqrt(squares[at] * squares[other])))
            for other in range(len(columns))
        ]
        for at in range(len(columns))
    ]
    inverse = _invert(matrix)
    places = combinations_with_replacement(range(len(columns)), 2)
    return tuple([round(inverse[at][other] * UNIT * UNIT) * (1 if at == other else 2) for at, other in places])


def _dot(one: Sequence[int], other: Sequence[int]) -> int:
    """The dot product of two rows."""
    return sum(a * b for a, b in zip(one, other, strict=True))


def _invert(matrix: Sequence[Sequence[Fraction]]) -> list[list[Fraction]]:
    """Inverse of a positive definite matrix, exactly (Gauss and Jordan), so that every machine finds the same."""
    size = len(matrix)
    rows = [[*row, *(Fraction(at == other) for other in range(size))] for at, row in enumerate(matrix)]
    for at in range(size):
        rows[at] = [item / rows[at][at] for item in rows[at]]
        for other in range(size):
            if other != at:
                factor = rows[other][at]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[at], strict=True)]
    return [row[size:] for row in rows]


@dataclass(frozen=True, slots=True)
class DriftMonitor:
    """State of the detector after an identity's sessions so far.

    Args:
        count: sessions watched.
        means: smoothed deviation along each direction, for each smoothing.
        worst_share: largest share of a limit reached by the last session, in thousandths: 1000 is an alarm.
    """

    count: int = 0
    means: tuple[tuple[int, ...], ...] = field(default_factory=tuple)
    worst_share: int = 0

    def advance(
        self,
        axes: DriftAxes,
        reference: DriftReference,
        session: DriftSession,
        *,
        member: bool = False,
        way_weight: int = UNIT,
    ) -> DriftMonitor:
        """The state after one more session; a `member` of the reference is compared with the others.

        Args:
            axes: directions and limits.
            reference: what is usual.
            session: what is compared with it.
            member: whether it is one of the reference sessions.
            way_weight: 1/1024 with which new and missing ways count.
        """
        deviation = reference.compute_deviation(axes, session, member=member)
        scaled, limits = reference.scale_deviation(deviation, way_weight), axes.limits
        if reference.joint:
            limits = axes.joint_limits
        means, worst = [], 0
        before = self.means or tuple((0,) * len(scaled) for _ in axes.keeps)
        for keep, limit, old in zip(axes.keeps, limits, before, strict=True):
            new = tuple([(keep * a + (UNIT - keep) * b) // UNIT for a, b in zip(old, scaled, strict=True)])
            means.append(new)
            worst = max(worst, compute_distance(reference, new, keep, self.count + 1) * 1000 // max(limit, 1))
        return DriftMonitor(self.count + 1, tuple(means), worst)

    @property
    def is_alarm(self) -> bool:
        """Whether the identity no longer behaves as it used to."""
        return self.worst_share >= 1000


def compute_distance(reference: DriftReference, means: Sequence[int], keep: int, count: int) -> int:
    """Squared distance from the reference, in 1/1024 of the variance that so many smoothed sessions have."""
    return reference.square(means) // _compute_variance(keep, min(count, 256))


@lru_cache(maxsize=2048)
def _compute_variance(keep: int, count: int) -> int:
    """Variance that so many smoothed sessions have, in 1/1024."""
    remaining = UNIT
    for _ in range(count):
        remaining = remaining * keep * keep // (UNIT * UNIT)
    return max((UNIT - keep) * (UNIT - remaining) // (UNIT + keep), 1)
