"""Time what an adapter adds to a call, without the decision.

The two calls of a pair run in random order, one after the other. The time inside the enforcement point (`begin`,
`abegin`, `queue_outcome`, handing back) is taken off; what is left is translation. Two conditions:

    hot   the enforcement point answers at once, with the verdict of a decision made before: the code of an adapter as
          it runs in a loop, like the hook it is compared with. Goals are held against this one.
    live  every call is decided, durably: between two calls there is a commit, so all code and data are cold

Two clocks: `cpu_us` is the thread's own, which another process moves little; `wall_us` is what a user waits.
"""

from __future__ import annotations

import gc
import inspect
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Enforcer, Ticket
from halo_core.enforcement.steps import Steps
from halo_core.model import ActionKind

__all__ = ["Case", "Decisions", "figures", "measure", "quantile"]

_US: Final = 1e6
_WARM: Final = 50


@dataclass(frozen=True, slots=True)
class Case:
    """One place where Halo stands.

    Args:
        name: as shown.
        plain: the call without Halo, or under a hook that does nothing.
        guarded: the same with Halo; both may be coroutine functions.
        goal_us: most that the difference may be at the median; None where none was set.
        decides: how many decisions the guarded call takes; None where that is not asked.
    """

    name: str
    plain: Callable[[], Any]
    guarded: Callable[[], Any]
    goal_us: float | None
    decides: int | None = 1


Span = tuple[float, float]  # seconds of wall time, seconds of this thread's CPU


def _now() -> Span:
    return time.perf_counter(), time.thread_time()


def _since(start: Span) -> Span:
    wall, cpu = _now()
    return wall - start[0], cpu - start[1]


class Decisions:
    """How long the enforcement point took since it was last asked, and how often it decided.

    Attributes:
        hot: whether it answers with the verdict it gave before.
    """

    def __init__(self, enforcer: Enforcer) -> None:
        self.count = 0
        self.hot = False
        self._known: dict[tuple[ActionKind, str], Ticket] = {}
        self._wall = self._cpu = 0.0
        for name in ("begin", "queue_outcome"):
            setattr(enforcer, name, self._timed(getattr(enforcer, name), counts=name == "begin"))
        enforcer.abegin = self._atimed(enforcer.abegin)  # type: ignore[method-assign]
        enforcer.hand_back = self._timed_steps(enforcer.hand_back)  # type: ignore[method-assign]

    def take(self) -> tuple[Span, int]:
        """Time and number, and start anew."""
        taken = (self._wall, self._cpu), self.count
        self._wall, self._cpu, self.count = 0.0, 0.0, 0
        return taken

    # The clocks stand first and last, and nothing is shared between the two: what surrounds them counts as overhead.

    def _timed(self, function: Callable[..., Any], *, counts: bool) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            start = _now()
            try:
                if not counts:
                    return None if self.hot else function(*args, **kwargs)
                self.count += 1
                again = self._again(args[0]) if self.hot else None
                return again or self._kept(args[0], function(*args, **kwargs))
            finally:
                self._add(start)

        return call

    def _timed_steps(self, function: Callable[..., Steps[Any]]) -> Callable[..., Steps[Any]]:
        def steps(*args: Any) -> Steps[Any]:
            start = _now()
            try:
                return None if self.hot else (yield from function(*args))
            finally:
                self._add(start)

        return steps

    def _atimed(self, function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def acall(*args: Any, **kwargs: Any) -> Any:
            start = _now()
            try:
                self.count += 1
                again = self._again(args[0]) if self.hot else None
                return again or self._kept(args[0], await function(*args, **kwargs))
            finally:
                self._add(start)

        return acall

    def _add(self, start: Span) -> None:
        wall, cpu = _since(start)
        self._wall += wall
        self._cpu += cpu

    def _kept(self, call: Call, ticket: Ticket) -> Ticket:
        self._known[call.resource.kind, call.resource.id] = ticket
        return ticket

    def _again(self, call: Call) -> Ticket | None:
        """A ticket like the one this resource got before, for these arguments; its outcome goes nowhere."""
        known = self._known.get((call.resource.kind, call.resource.id))
        if known is None or known.context is None:
            return None
        return Ticket(call.args, replace(known.context, args=call.args), known._outcomes)  # noqa: SLF001  as it was


async def measure(
    case: Case, decisions: Decisions, *, rounds: int, seed: int, hot: bool, between: Callable[[], None]
) -> list[tuple[Span, Span]]:
    """Pairs (plain, guarded without its decision).

    Args:
        case: what.
        decisions: of the enforcer that decides the guarded call.
        rounds: pairs, after a warm-up.
        seed: of the order.
        hot: see above.
        between: called after each pair, with no clock running.

    Raises:
        AssertionError: the guarded call was not decided as often as the case says, so the figure would mean nothing.
    """
    order = random.Random(seed)
    pairs: list[tuple[Span, Span]] = []
    collecting = gc.isenabled()
    gc.disable()
    try:
        for index in range(_WARM + rounds):
            decisions.hot = hot and index > 0
            spans: dict[bool, Span] = {}
            for guarded in order.sample((False, True), 2):
                decisions.take()
                call = case.guarded if guarded else case.plain
                start = _now()
                result = call()
                if inspect.isawaitable(result):
                    await result
                wall, cpu = _since(start)
                (decided_wall, decided_cpu), count = decisions.take()
                wanted = case.decides if guarded else 0
                assert wanted in (None, count), f"{case.name}: {count} decisions"
                spans[guarded] = wall - decided_wall, cpu - decided_cpu
            if index >= _WARM:
                pairs.append((spans[False], spans[True]))
            between()
            if index % 200 == 0:
                gc.collect()
    finally:
        if collecting:
            gc.enable()
    return pairs


def figures(pairs: Sequence[tuple[Span, Span]]) -> dict[str, Any]:
    """Overheads in microseconds: medians and 95th percentiles of the pairs' differences."""
    found: dict[str, Any] = {}
    for place, clock in enumerate(("wall_us", "cpu_us")):
        over = [guarded[place] - plain[place] for plain, guarded in pairs]
        found[clock] = {
            "p50": round(quantile(over, 0.5) * _US, 1),
            "p95": round(quantile(over, 0.95) * _US, 1),
            "plain_p50": round(quantile([plain[place] for plain, _ in pairs], 0.5) * _US, 1),
        }
    return found


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which a share `q` lies (nearest rank).

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, round(q * (len(ranked) - 1))))]
