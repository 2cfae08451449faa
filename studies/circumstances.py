"""Circumstances of SYNTHETIC agents: the weight of ordinary sessions, and of those from elsewhere, at night, too far.

    python studies/circumstances.py
    python studies/circumstances.py --agents 500 --json

No record that is at hand tells from where and at which hours agents were attacked. So agents are drawn by rules, by
those who wrote the score: a month to learn from, a month of ordinary sessions weighed, and of each session one action
with each planted circumstance. The figures say that this part does what it is meant to do, and nothing about a real
agent. Weights are bits of evidence; `risk` is what they make of the shipped model's median of ordinary sessions, and of
the strangest twentieth.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from halo_core.baselines import load_shipped_model
from halo_core.risk.circumstances import Circumstances, UsualCircumstances, fit_usual_circumstances
from halo_core.risk.model import RiskModel

__all__ = ["main"]

_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_DAYS: Final = 30
_FIRST_SEED: Final = 100
_SAYS: Final = "synthetic: drawn by rules, by those who wrote the score; says nothing about a real agent"
_HOURS: Final[Mapping[str, Sequence[int]]] = {
    "one server, office hours": range(8, 18),
    "one server, a nightly run": (2,),
    "one server, day and night": range(24),
    "a laptop, mornings and some evenings": (8, 9, 10, 11, 20),
    "pods with new names, office hours": range(8, 18),
}
_PLANTED: Final[Mapping[str, Callable[[Circumstances], Circumstances]]] = {
    "another host": lambda at: replace(at, host="elsewhere"),
    "twelve hours later": lambda at: replace(at, ts_us=at.ts_us + 12 * _HOUR_US),
    "both": lambda at: replace(at, host="elsewhere", ts_us=at.ts_us + 12 * _HOUR_US),
    "a system never reached": lambda at: replace(at, system="payroll", resource="tool_call pay"),
    "a resource never used": lambda at: replace(at, resource="tool_call export"),
    "after three refusals": lambda at: replace(at, refused=3),
    "all of these": lambda at: replace(
        at, ts_us=at.ts_us + 12 * _HOUR_US, host="elsewhere", system="payroll", resource="tool_call pay", refused=3
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--agents", type=int, default=40, help="of each way to run (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    options = parser.parse_args(argv)
    model = load_shipped_model()
    figures: dict[str, Any] = {"says": _SAYS, "agents": options.agents, "days": _DAYS}
    for way in _HOURS:
        bits: dict[str, list[int]] = defaultdict(list)
        for number in range(options.agents):
            _weighed(way, Random(f"{way} {_FIRST_SEED + number}"), bits)
        figures[way] = {kind: _told(weights, model) for kind, weights in bits.items()}
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _show(figures)
    return 0


def _weighed(way: str, rng: Random, bits: dict[str, list[int]]) -> None:
    """Weights, in sixteenths of a bit, of one agent's second month; of a session the most that one action has."""
    usual = fit_usual_circumstances(_month(way, rng, 0))
    for session in _month(way, rng, _DAYS):
        bits["ordinary"].append(max(_weight(usual, at) for at in session))
        one = rng.choice(session)
        for kind, planted in _PLANTED.items():
            bits[kind].append(_weight(usual, planted(one)))


def _weight(usual: UsualCircumstances, at: Circumstances) -> int:
    return sum(item.weight for item in usual.find_unusual(at))


def _month(way: str, rng: Random, first: int) -> Iterator[list[Circumstances]]:
    """Sessions of thirty days; some tools and one system are seldom used, one session in fifteen has a refusal."""
    hours, nightly = _HOURS[way], len(_HOURS[way]) == 1
    for day in range(first, first + _DAYS):
        if day % 7 > 4 and "office" in way:
            continue
        host = f"pod-{rng.randrange(10**6)}" if "pods" in way else "server"
        for _ in range(1 if nightly else rng.randint(3, 9)):
            hour = rng.choice(hours) if rng.random() > 0.02 else rng.randrange(24)  # somebody works late
            start_us = day * _DAY_US + hour * _HOUR_US + rng.randrange(_HOUR_US)
            refused = int(rng.random() < 1 / 15)
            yield [_act(rng, start_us + step * 1_000_000, host, refused * step) for step in range(rng.randint(1, 6))]


def _act(rng: Random, ts_us: int, host: str, refused: int) -> Circumstances:
    tool = min(int(rng.expovariate(0.5)), 11)
    system, labels = ("hr", ("pii",)) if tool > 8 else ("crm", ("pii",)) if tool % 2 else ("mail", ())
    return Circumstances(ts_us, host, "agent.py", system, labels, f"tool_call tool-{tool}", min(refused, 1))


def _told(weights: Sequence[int], model: RiskModel) -> dict[str, Any]:
    ranked = sorted(weights)
    median = ranked[len(ranked) // 2]
    return {
        "sessions": len(ranked),
        "weighed": round(sum(weight > 0 for weight in ranked) / len(ranked), 4),
        "above_4_bits": round(sum(weight > 64 for weight in ranked) / len(ranked), 4),
        "median_bits": median / 16,
        "highest_bits": ranked[-1] / 16,
        "risk": [model.risk_of(model.usual_margins[at] + median * model.margin_per_sixteenth) for at in (50, 95)],
    }


def _show(figures: Mapping[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(f"{figures['agents']} agents of each kind, {figures['days']} days; {figures['says']}")
    for way in _HOURS:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(way)
        for title in ("weighed", "> 4 bits", "median", "highest", "risk"):
            table.add_column(title, justify="right", no_wrap=True)
        for kind, row in figures[way].items():
            shares = (f"{row['weighed']:.1%}", f"{row['above_4_bits']:.1%}")
            bits = (f"{row['median_bits']:.1f}", f"{row['highest_bits']:.1f}")
            table.add_row(f"  {kind}", *shares, *bits, "{}, {}".format(*row["risk"]))
        console.print(table, "")


if __name__ == "__main__":
    sys.exit(main())
