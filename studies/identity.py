"""People and service accounts: what imported events can carry, and a SYNTHETIC month with unusual timing and origin.

    python studies/identity.py
    python studies/identity.py --seeds 10 --json
    python studies/identity.py --data DIR --plots out/

First the recorded events (`events.jsonl.gz` in `--data`): read, fitted on the earlier half of each source, the later
scored. They are recordings of attacks without a history of ordinary work, so what is said of them are counts, neither a
detection rate nor a rate of false alarms. Then synthetic tenants: a month to learn from, the next one scored, some days
planted. Those rates say that the score does what it is meant to do, and nothing about a real tenant.

Exit: 0 done, 2 there is nothing to read.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import track
from rich.table import Table

from halo_core.durations import DAY_US
from halo_core.errors import BadInput
from halo_core.identities.event import IdentityEvent, parse_event
from halo_core.identities.event_risk import ComparisonBasis, EventScorer, fit_identity_baseline
from halo_studies.data_folder import add_data_option, parse_with_data
from halo_studies.identity.synthetic_events import ATTACKS, UNUSUAL, month

__all__ = ["main"]

_KEY: Final = b"benchmark: people and services".ljust(32, b".")
_FIRST_SEED: Final = 100  # the points were set while looking at seeds 0 to 2
_SAYS: Final = (
    "recordings of attacks, without a history of ordinary work: no detection rate and no rate of false alarms follows"
)
_SYNTHETIC: Final = "synthetic: drawn by rules, by those who wrote the score; says nothing about a real tenant"


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    try:
        recorded = _recorded(options.data)
    except (OSError, ValueError, KeyError) as exc:
        sys.stderr.write(f"identity: no events.jsonl.gz that can be read in `{options.data}`: {exc}\n")
        return 2
    risks: dict[str, list[tuple[int | None, int]]] = defaultdict(list)
    seeds = range(_FIRST_SEED, _FIRST_SEED + options.seeds)
    shown = track(seeds, "synthetic", console=Console(stderr=True), transient=True)
    limits = [_synthetic(seed, risks) for seed in shown]
    figures = {"recorded": recorded, "synthetic": {"says": _SYNTHETIC, "seeds": list(seeds), **_rates(risks, limits)}}
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _show(figures)
    if options.plots:
        from halo_studies.identity.plots import draw  # noqa: PLC0415  needs the extra `plots`

        draw({kind: [risk for risk, _ in rows if risk is not None] for kind, rows in risks.items()}, options.plots)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_data_option(parser, "identity", "events.jsonl.gz")
    parser.add_argument("--seeds", type=int, default=5, help="synthetic tenants (default %(default)s)")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write a chart as SVG (extra `plots`)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parse_with_data(parser, argv)


def _recorded(folder: Path) -> dict[str, Any]:
    """What the recorded events are, and what becomes of the later half of each source."""
    refused: Counter[str] = Counter()
    sources: dict[str, list[tuple[IdentityEvent, bool | None]]] = defaultdict(list)
    with gzip.open(folder / "events.jsonl.gz", "rt", encoding="utf-8") as lines:
        for text in lines:
            row = json.loads(text)
            try:
                sources[row["source"]].append((_event(row), row["malicious"]))
            except BadInput as exc:
                refused[f"{exc.field}: {exc.code}"] += 1
    found = {name: _source(sorted(rows, key=lambda row: row[0])) for name, rows in sorted(sources.items())}
    return {"says": _SAYS, "events": sum(map(len, sources.values())), "refused": dict(refused), "sources": found}


def _event(row: Mapping[str, Any]) -> IdentityEvent:
    action = str(row["action"] or "")
    service, colon, _ = action.partition(":")
    outcome = str(row["outcome"] or "unknown")
    return parse_event(
        {
            "time": str(row["ts"] or ""),
            "identity": str(row["principal"] or ""),
            "kind": "human" if row["principal_type"] == "FederatedUser" else str(row["principal_type"]),
            "action": action,
            "system": str(row.get("host") or "") or (service if colon else ""),
            "origin": str(row["origin"] or ""),
            # An error's name stands for how it failed.
            "outcome": outcome if outcome in ("success", "unknown") else "failure",
        }
    )


def _source(rows: Sequence[tuple[IdentityEvent, bool | None]]) -> dict[str, Any]:
    days: dict[str, set[int]] = defaultdict(set)
    labels: dict[str, set[bool]] = defaultdict(set)
    for event, malicious in rows:
        days[event.identity].add(event.ts_us // DAY_US)
        if malicious is not None:
            labels[event.identity].add(malicious)
    cut = len(rows) // 2
    earlier = [event for event, _ in rows[:cut]]
    scorer = EventScorer(fit_identity_baseline(earlier, _KEY), _KEY)
    basis: dict[str, Counter[str]] = defaultdict(Counter)
    for event, malicious in rows[cut:]:
        label = {True: "attack", False: "ordinary", None: "unlabelled"}[malicious]
        basis[label][scorer.score(event).basis.value] += 1
    known = {event.identity for event in earlier}
    attackers = [name for name, said in labels.items() if True in said]
    return {
        "attack_identities": len(attackers),
        "attack_identities_in_earlier_half": sum(name in known for name in attackers),
        "attack_identities_labelled_ordinary_too": sum(False in labels[name] for name in attackers),
        "days": len({event.ts_us // DAY_US for event, _ in rows}),
        "events": len(rows),
        "identities": len(days),
        "identities_of_five_days": sum(len(each) >= 5 for each in days.values()),
        "later_half": {label: dict(counts) for label, counts in sorted(basis.items())},
    }


def _synthetic(seed: int, risks: dict[str, list[tuple[int | None, int]]]) -> tuple[int, int]:
    """Learn a synthetic month, score the next: the highest risk of each identity on each day, with its band."""
    made = month(seed)
    book = fit_identity_baseline(sorted(made.learn), _KEY)
    scorer = EventScorer(book, _KEY)
    highest: dict[tuple[str, int], int | None] = {}
    for event in made.score:
        scored, place = scorer.score(event), (event.identity, event.ts_us // DAY_US)
        before = highest.get(place)
        highest[place] = (
            before if scored.basis is ComparisonBasis.TOO_LITTLE else max(before or 0, scored.event_risk or 0)
        )
    for place, risk in highest.items():
        band = 0 if risk is None else book.limits.find_band(risk)
        risks[made.planted.get(place, "ordinary")].append((risk, band))
    return book.limits.elevated, book.limits.high


def _rates(risks: Mapping[str, Sequence[tuple[int | None, int]]], limits: Sequence[tuple[int, int]]) -> dict[str, Any]:
    def of(kinds: Iterable[str]) -> dict[str, dict[str, int]]:
        return {
            kind: {
                "days": len(risks[kind]),
                "elevated": sum(band > 0 for _, band in risks[kind]),
                "high": sum(band > 1 for _, band in risks[kind]),
                "too_little_known": sum(risk is None for risk, _ in risks[kind]),
            }
            for kind in kinds
        }

    return {
        "limits": [list(pair) for pair in limits],
        "ordinary": of(["ordinary"])["ordinary"],
        "attacks": of(ATTACKS),
        "unusual_but_ordinary": of(UNUSUAL),
    }


def _show(figures: Mapping[str, Any]) -> None:
    view = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    recorded, synthetic = figures["recorded"], figures["synthetic"]
    view.print(f"{recorded['events']} recorded events read, refused: {recorded['refused'] or 'none'}")
    table = Table(box=SIMPLE_HEAD)
    for title in ("source", "events", "identities", "of 5 days", "attack identities", "in earlier half", "later half"):
        table.add_column(title, justify="left" if title in ("source", "later half") else "right")
    for name, row in recorded["sources"].items():
        later = "; ".join(
            f"{label}: " + ", ".join(f"{number} {basis}" for basis, number in counts.items())
            for label, counts in row["later_half"].items()
        )
        counts = ("events", "identities", "identities_of_five_days")
        attack = ("attack_identities", "attack_identities_in_earlier_half")
        table.add_row(name, *(str(row[key]) for key in (*counts, *attack)), later)
    view.print(table)
    view.print(recorded["says"])
    if not synthetic["seeds"]:
        return
    view.print(f"\n{synthetic['says']} (seeds {synthetic['seeds'][0]} to {synthetic['seeds'][-1]})")
    table = Table(box=SIMPLE_HEAD)
    for title in ("identity-days", "", "number", "above elevated", "above high"):
        table.add_column(title, justify="left" if title in ("identity-days", "") else "right")
    groups = {"attack": synthetic["attacks"], "unusual": synthetic["unusual_but_ordinary"]}
    rows = [("ordinary", "", synthetic["ordinary"])]
    rows += [(group, kind, row) for group, kinds in groups.items() for kind, row in kinds.items()]
    for group, kind, row in rows:
        shares = (f"{row[name] * 100 / max(row['days'], 1):.1f}%" for name in ("elevated", "high"))
        table.add_row(group, kind.replace("_", " "), str(row["days"]), *shares)
    view.print(table)


if __name__ == "__main__":
    sys.exit(main())
