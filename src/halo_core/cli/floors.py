"""Room: the floors of a session. Takes: a curve, a time. Gives: what is still possible, and until when. Never: I/O.

An action is possible while the authority after its own charge is at or above its class's floor, as `pdp.limits` has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from halo_core.authority import RISK_POINTS, authority_of, floor_of
from halo_core.cli.curve import Curve
from halo_core.cli.words import duration
from halo_core.model import Impact

__all__ = ["Floor", "by_level", "classes", "floors", "outlook", "rough", "soonest"]

_US: Final = 1_000_000
_GONE: Final = 64  # halvings after which nothing is left


@dataclass(frozen=True, slots=True)
class Floor:
    """What an action of an impact class needs, and how long it stays possible.

    Args:
        impact: the class.
        level: authority needed, after the action's own charge.
        used: the session's passport grants something of the class.
        possible: one would be possible now.
        seconds: until none is, were nothing done; None where none is, or always will be.
        actions: how many more actions like those of this epoch until none is; None as above.
    """

    impact: Impact
    level: int
    used: bool
    possible: bool
    seconds: int | None
    actions: int | None


def floors(told: Curve, now_us: int, used: Iterable[Impact]) -> list[Floor]:
    """Every impact class with its floor, the highest first."""
    wanted = set(used)
    found = []
    for impact in Impact:
        level = floor_of((told.link,), impact)
        seconds, actions = possible_until(told, impact, level, now_us)
        possible = seconds is not None or actions is not None or _possible(told, impact, level, now_us)
        found.append(Floor(impact, level, impact in wanted, possible, seconds, actions))
    return sorted(found, key=lambda item: (-item.level, -RISK_POINTS[item.impact], item.impact.value))


def possible_until(told: Curve, impact: Impact, level: int, now_us: int) -> tuple[int | None, int | None]:
    """(seconds, actions) for which an action of a class stays possible; None where it is not, or always is."""
    decay = told.link.decay
    if decay is None or level <= 0 or not _possible(told, impact, level, now_us):
        return None, None
    pace = told.pace()
    seconds = _last(lambda n: _possible(told, impact, level, now_us + n * _US), _GONE * decay.half_life_s)
    actions = _last(
        lambda n: _possible(told, impact, level, now_us, steps=n, risk=n * pace), _GONE * decay.half_life_steps
    )
    return seconds, actions


def _possible(told: Curve, impact: Impact, level: int, time_us: int, *, steps: int = 0, risk: int = 0) -> bool:
    points = RISK_POINTS[impact] * (2 if told.tainted and impact is not Impact.READ else 1)
    decay = told.link.decay
    return (
        decay is not None and authority_of(decay, told.account, time_us, steps=steps + 1, risk=risk + points) >= level
    )


def _last(holds: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` for which it holds; it holds for 0, and falls once."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


# in words


def by_level(found: Sequence[Floor]) -> Mapping[int, list[Floor]]:
    """Floors of one level together, the highest first."""
    levels: dict[int, list[Floor]] = {}
    for item in found:
        levels.setdefault(item.level, []).append(item)
    return levels


def classes(found: Sequence[Floor]) -> str:
    """Impact classes by name."""
    names = [item.impact.value for item in found]
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def soonest(found: Sequence[Floor]) -> tuple[tuple[int, int], list[Floor]]:
    """(actions, seconds) left of the used classes that stop next, and those classes."""
    going = [item for item in found if item.used and item.actions is not None]
    least = min(((item.actions or 0, item.seconds or 0) for item in going), default=(0, 0))
    return least, [item for item in going if (item.actions, item.seconds) == least]


def outlook(told: Curve, found: Sequence[Floor], now_us: int) -> str:
    """What stops next, of what the passport grants; what has stopped."""
    if now_us // _US >= told.link.expires_at_s:
        return "the session's passport has run out: nothing runs under it any more"
    stopped = [item for item in found if item.used and not item.possible]
    (actions, seconds), nearest = soonest(found)
    lines = []
    if stopped:
        lines.append(f"{classes(stopped)} actions have stopped until somebody re-authorizes the session")
    if nearest:
        stop = "actions stop" if not stopped else "actions follow"
        count = actions + 1
        lines.append(
            f"{classes(nearest)} {stop} in {rough(seconds + 1)}, or after {count:,} more "
            f"decision{'s' if count > 1 else ''} like those so far"
        )
    return "; ".join(lines) or "nothing that its passport grants ever stops"


def rough(seconds: int) -> str:
    """A time to its two largest units at most, minutes if it is hours."""
    for size in (86_400, 3_600, 60):
        if seconds >= 2 * size:
            smaller = max(size // 60, 1) if size == 3_600 else size
            return duration(seconds // smaller * smaller)
    return duration(seconds)
