"""Room: how far an agent reached. Takes: decisions, grants. Gives: granted against used, systems, hours, refusals.

Of the score these are the circumstances (`behaviour.circumstances`), counted here for people. Never: decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from halo_core.cli.words import cell
from halo_core.model import Grants
from halo_core.query import Found

__all__ = ["Reach"]

_SHOWN: Final = 6
_US: Final = 1_000_000
_STOPS: Final = ("deny", "challenge")


@dataclass(slots=True)
class Reach:
    """What one agent did, by what it did it to, from where and when."""

    actions: int = 0
    used: dict[str, Counter[str]] = field(default_factory=dict)
    systems: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    outside: Counter[str] = field(default_factory=Counter)

    def take(self, found: Found) -> None:
        """One decision. What did not run reached nothing; why not is counted."""
        body = found.entry.body
        request, resource = body["request"], body["request"]["resource"]
        origin = request["context"]["origin"]
        self.actions += 1
        self.hours[datetime.fromtimestamp(found.entry.ts_us // _US, UTC).hour] += 1
        self.origins[f"{origin['host']} {origin['process']}"] += 1
        if body["dispatched"]:
            self.used.setdefault(request["kind"], Counter())[resource["id"]] += 1
            self.systems.update(filter(None, (resource["system"],)))
            self.labels.update(resource["labels"])
        reasons = body["decision"]["reasons"]
        self.outside.update({item["code"] for item in reasons if item["effect"] in _STOPS})

    def unused(self, granted: Grants) -> list[str]:
        """Granted resources that no action reached, as kind and id."""
        return sorted(
            f"{kind.value} {name}"
            for kind, resources in granted.items()
            for name in resources
            if name not in self.used.get(kind.value, ())
        )

    def to_plain(self, granted: Grants | None) -> dict[str, Any]:
        """For programs; `unused` is None where no passport of its own is on record."""
        return {
            "actions": self.actions,
            "hours": {str(hour): times for hour, times in sorted(self.hours.items())},
            "labels": _sorted(self.labels),
            "origins": _sorted(self.origins),
            "outside": _sorted(self.outside),
            "systems": _sorted(self.systems),
            "unused": None if granted is None else self.unused(granted),
            "used": {kind: _sorted(names) for kind, names in sorted(self.used.items())},
        }

    def lines(self, granted: Grants | None) -> Iterator[str]:
        """For people."""
        used = Counter({f"{kind} {name}": times for kind, names in self.used.items() for name, times in names.items()})
        if granted is None:
            yield f"used      {_most(used)}; no passport of its own says what it was granted"
        else:
            total, left = sum(map(len, granted.values())), self.unused(granted)
            rest = f"; never used: {_some(left)}" if left else ""
            yield f"used      {total - len(left)} of {total} granted resources{rest}"
        for title, counts in (("systems", self.systems), ("labels", self.labels), ("from", self.origins)):
            if counts:
                yield f"{title:<9} {_most(counts)}"
        yield f"hours     {', '.join(f'{hour:02}' for hour in sorted(self.hours))} UTC"
        if self.outside:
            yield f"stopped   {_most(self.outside)}"


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _most(counts: Counter[str]) -> str:
    rest = len(counts) - _SHOWN
    shown = [f"{cell(name).plain} {times}" for name, times in counts.most_common(_SHOWN)]
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "") if shown else "nothing"


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(cell(name).plain for name in names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
