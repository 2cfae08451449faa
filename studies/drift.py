"""How soon a changed agent is noticed, session over session, and how often an unchanged one raises an alarm.

    python studies/drift.py --data DIR --json
    python studies/drift.py --data DIR --data DIR --streams 200 --plots out/
    python studies/drift.py --data DIR --profile --json
    python studies/drift.py --data DIR --live --streams 5 --json

Streams of ordinary sessions of one identity: 60 for reference, 30 more, then another model, another defence, or a
gradual move to another model; user tasks are matched before and after. Directions and limits come from the other roles'
identities and their null streams (leave one role out); false alarms are counted on other null streams of 200 sessions.
With `--profile` the drift that profiles keep is measured: the same habits and the trend of the measures, in two
sessions in a row, of sessions without untrusted content and of all, as the next session meets it. With `--live` all of
it happens in Halo: each stream's sessions are decided, run and recorded on a home of its own, the reference in observe
mode and all later ones in enforce mode, and alarms are those in the ledger. It takes seconds for each stream; `--kind`
and `--suite` choose some.

Exit: 0 measured, 2 the data is missing or has too few identities.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.behaviour.session_drift import SessionDrift
from halo_core.risk.drift import WAY_WEIGHT, DriftAxes, DriftMonitor, fit_reference
from halo_studies.drift.axes import axes_of, with_limits
from halo_studies.drift.live import LiveRun, LiveSetting, run_live, sum_up, tools_by_suite
from halo_studies.drift.streams import CHANGES, Pool, Stream, pools_of, streams
from halo_studies.recordings.labelled_sessions import BadData, Session, read

__all__ = ["main"]

_SHARE: Final = 0.07
_NULL_LIVE: Final = 400


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--streams", type=int, default=200, help="of each kind and role (default %(default)s)")
    parser.add_argument("--share", type=float, default=_SHARE, help="nominal false alarms (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write a chart as SVG (extra `plots`)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    parser.add_argument("--profile", action="store_true", help="measure the drift that profiles keep")
    parser.add_argument("--live", action="store_true", help="through the whole enforcement path")
    parser.add_argument("--mode", choices=("enforce", "observe"), default="enforce", help="live, after the reference")
    parser.add_argument("--kind", action="append", choices=CHANGES, help="live: only these changes")
    parser.add_argument("--suite", action="append", help="live: only these roles")
    options = parser.parse_args(argv)
    try:
        sessions = [session for folder in options.data for session in read(folder)]
        pools = pools_of(sessions)
    except (BadData, OSError) as exc:
        sys.stderr.write(f"drift: {exc}\n")
        return 2
    if len({pool.suite for pool in pools}) < 2:
        sys.stderr.write("drift: too few identities: ordinary sessions of at least two roles are needed\n")
        return 2
    if options.live:
        sys.stdout.write(json.dumps(_measure_live(pools, sessions, options), indent=1) + "\n")
        return 0
    figures, example = _measure(pools, options.streams, options.share, options.seed, profile=options.profile)
    if options.plots:
        from halo_studies.drift.plots import draw  # noqa: PLC0415  needs the extra `plots`

        draw(example, figures, options.plots)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 1) + "\n")
    return 0


def _measure(
    pools: Sequence[Pool], number: int, share: float, seed: int, *, profile: bool = False
) -> tuple[dict[str, Any], dict[str, list[list[int]]]]:
    found: dict[str, list[int | None]] = {kind: [] for kind in CHANGES}
    by_suite: dict[str, dict[str, Any]] = {}
    example: dict[str, list[list[int]]] = {kind: [] for kind in CHANGES}
    for suite in sorted({pool.suite for pool in pools}):
        others = [pool for pool in pools if pool.suite != suite]
        own = [pool for pool in pools if pool.suite == suite]
        axes = with_limits(axes_of(others), streams(others, "null", 4 * number, seed), share)
        here: dict[str, list[int | None]] = {}
        for kind in CHANGES:
            made = streams(own, kind, number, seed + 1)
            paths = [_profile_path(axes, stream) if profile else _path(axes, stream) for stream in made]
            example[kind] += paths[:20]
            here[kind] = [_delay(path, stream) for path, stream in zip(paths, made, strict=True)]
            found[kind] += here[kind]
        by_suite[suite] = {kind: _figures(kind, delays) for kind, delays in here.items() if delays}
    figures: dict[str, Any] = {kind: _figures(kind, delays) for kind, delays in found.items() if delays}
    figures["per_suite"] = by_suite
    figures["protocol"] = {
        "profile": profile,
        "identities": len(pools),
        "nominal": share,
        "reference": 60,
        "seed": seed,
        "streams": {kind: len(delays) for kind, delays in found.items()},
    }
    return figures, example


def _measure_live(pools: Sequence[Pool], sessions: Sequence[Session], options: argparse.Namespace) -> dict[str, Any]:
    """As `_measure`, through the enforcement path; axes and limits are those of the other roles as well."""
    how, tools = LiveSetting(options.mode), tools_by_suite(sessions)
    found: dict[str, list[LiveRun]] = {kind: [] for kind in options.kind or CHANGES}
    by_suite: dict[str, dict[str, Any]] = {}
    for suite in sorted({pool.suite for pool in pools} & set(options.suite or tools)):
        others = [pool for pool in pools if pool.suite != suite]
        axes = with_limits(axes_of(others), streams(others, "null", _NULL_LIVE, options.seed), options.share)
        own = [pool for pool in pools if pool.suite == suite]
        here: dict[str, list[LiveRun]] = {kind: [] for kind in found}
        for kind, runs in here.items():
            for stream in streams(own, kind, options.streams, options.seed + 1):
                runs.append(run_live(stream, tools[suite], axes, how))
                sys.stderr.write(f"{suite} {kind} {len(runs)}: alarm {runs[-1].first_alarm}, change {stream.change}\n")
            found[kind] += runs
        by_suite[suite] = {kind: sum_up(runs) for kind, runs in here.items() if runs}
    figures: dict[str, Any] = {kind: sum_up(runs) for kind, runs in found.items() if runs}
    return figures | {"per_suite": by_suite, "protocol": {"mode": how.mode, "reference": 60, "seed": options.seed}}


def _path(axes: DriftAxes, stream: Stream) -> list[int]:
    """Thousandths of the limit reached after each session."""
    reference, watch, path = fit_reference(axes, stream.reference), DriftMonitor(), []
    for session in stream.after:
        watch = watch.advance(axes, reference, session, way_weight=WAY_WEIGHT)
        path.append(watch.worst_share)
    return path


def _profile_path(axes: DriftAxes, stream: Stream) -> list[int]:
    """As `_path`, of the two drifts that a profile keeps, as each session meets them; an alarm changes nothing."""
    (unexposed, every), path = (SessionDrift(), SessionDrift()), []
    for point in (*stream.reference, *stream.after):
        path.append(max(unexposed.share, every.share) if point.is_exposed else unexposed.share)
        every = every.advance(every.habits.make_comparable(point), point.values, learns=True, axes=axes)
        if not point.is_exposed:
            comparable = unexposed.habits.make_comparable(point)
            unexposed = unexposed.advance(comparable, point.values, learns=True, axes=axes)
    return path[len(stream.reference) :]


def _delay(path: Sequence[int], stream: Stream) -> int | None:
    """Sessions from the change to the alarm; for a null stream to any alarm. None without one, or with one before."""
    first = next((at for at, share in enumerate(path) if share >= 1000), None)
    if first is None or first < stream.change:
        return None
    return first - max(stream.change, 0) + 1


def _figures(kind: str, delays: Sequence[int | None]) -> dict[str, Any]:
    known = [delay for delay in delays if delay is not None]
    share = round(len(known) / len(delays), 4)
    if kind == "null":
        return {"false_alarms_per_200": share, "streams": len(delays)}
    return {
        "detected": share,
        "median_delay": statistics.median(known) if known else None,
        "streams": len(delays),
    }


if __name__ == "__main__":
    sys.exit(main())
