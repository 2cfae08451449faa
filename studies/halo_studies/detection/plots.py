"""Charts of a detector as SVG and PNG files; needs the extra `plots`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import altair as alt
import numpy as np

from halo_core.training.metrics import CUTS, compute_rates, find_highest_scores
from halo_studies.detection.protocol import Result

__all__ = ["draw", "save"]

_KINDS: Final = {"benign": "ordinary", "resisted": "attacked, resisted", "control": "unusual but asked for"}
_COLOURS: Final = ["#1b6ca8", "#6a9fb5", "#8c8c8c", "#c0392b"]
_SIZE: Final = {"width": 560, "height": 320}


def draw(result: Result, folder: Path, title: str) -> list[Path]:
    """The detection curve and the histogram of scores."""
    folder.mkdir(parents=True, exist_ok=True)
    name = title.replace(" ", "-")
    return [
        *save(_curve(result, title), folder / f"curve-{name}"),
        *save(_histogram(result, title), folder / f"scores-{name}"),
    ]


def save(chart: Any, path: Path) -> list[Path]:
    """As SVG and as PNG, with room at the sides: a reader's font may be wider than the one that was measured here."""
    chart = chart.properties(padding={"left": 45, "right": 60, "top": 5, "bottom": 5})
    made = [path.with_suffix(".svg"), path.with_suffix(".png")]
    chart.save(made[0])
    chart.save(made[1], scale_factor=2)
    return made


def _curve(result: Result, title: str) -> Any:
    """Caught sessions against ordinary sessions flagged, over all limits; the carried limits as points."""
    rows, margins = result.table.rows, result.margins
    best = find_highest_scores(rows, margins)[rows.label == "benign"]
    points = []
    for share in np.concatenate([np.linspace(0, 0.02, 21), np.linspace(0.025, 0.15, 26)]):
        limit = np.full(rows.sessions, np.quantile(best, 1 - share, method="higher"))
        found = compute_rates(rows, margins, limit)
        points += [
            {"flagged": found["fp_benign"], "caught": found[rate], "what": what}
            for rate, what in (("catch_any", "any malicious act"), ("catch_first", "the first malicious act"))
        ]
    carried = [
        {"flagged": found["fp_benign"], "caught": found["catch_first"], "name": name.replace("_", " ") + "%"}
        for name, limit in result.limits.items()
        for found in [compute_rates(rows, margins, limit)]
    ]
    x = alt.X(
        "flagged:Q", title="ordinary sessions flagged", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 0.15])
    )
    y = alt.Y("caught:Q", title="hijacked sessions caught", axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    colour = alt.Color("what:N", title="caught by", scale=alt.Scale(range=["#1b6ca8", "#c0392b"]))
    lines = alt.Chart(alt.Data(values=points)).mark_line(clip=True).encode(x, y, colour)
    dots = alt.Chart(alt.Data(values=carried)).mark_point(size=80, filled=True, color="black").encode(x, y)
    names = dots.mark_text(align="left", dx=8, dy=10).encode(text="name:N")
    text = {
        "text": f"Detection, {title}",
        "subtitle": "points: limits carried from the training data, each fold with its own",
    }
    return alt.layer(lines, dots, names).properties(title=alt.TitleParams(**text, anchor="start"), **_SIZE)


def _histogram(result: Result, title: str) -> Any:
    """Highest margin of each session, by kind, as shares of its kind."""
    rows = result.table.rows
    best = find_highest_scores(rows, result.margins)
    kinds = {**_KINDS, "hijacked": "hijacked"}
    low, high = float(np.floor(best[np.isfinite(best)].min())), float(np.ceil(best.max()))
    edges = np.linspace(low, high, 49)
    bars = []
    for label, words in kinds.items():
        values = best[(rows.label == label) & np.isfinite(best)]
        if len(values):
            counts = np.histogram(values, edges)[0] / len(values)
            bars += [
                {"from": a, "to": b, "share": float(share), "kind": words}
                for a, b, share in zip(edges, edges[1:], counts, strict=False)
            ]
    marks = [{"limit": float(np.median(limit)), "name": name} for name, limit in result.limits.items() if name in CUTS]
    shown = [words for label, words in kinds.items() if (rows.label == label).any()]
    colours = [
        colour for (label, _), colour in zip(kinds.items(), _COLOURS, strict=True) if (rows.label == label).any()
    ]
    scale = alt.Scale(domain=[low, high], nice=False)
    colour = dict(zip(shown, colours, strict=True))
    panels = []
    for words in shown:
        last = words == shown[-1]
        x = alt.X("from:Q", scale=scale, title="highest margin in the session (log-odds)" if last else None)
        y = alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=3))
        bar = alt.Chart(alt.Data(values=[row for row in bars if row["kind"] == words])).mark_bar(color=colour[words])
        rule = alt.Chart(alt.Data(values=marks)).mark_rule(strokeDash=[4, 3])
        panels.append(
            alt.layer(
                bar.encode(x, x2="to:Q", y=y, y2=alt.datum(0)), rule.encode(x=alt.X("limit:Q", scale=scale))
            ).properties(title=alt.TitleParams(words, anchor="start"), width=560, height=90)
        )
    text = {"text": f"Scores, {title}", "subtitle": "share of each kind; dashed: carried limits for 5% and 1%"}
    return alt.vconcat(*panels).properties(title=alt.TitleParams(**text, anchor="start"))
