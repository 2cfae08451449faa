"""A chart of drift over a stream of sessions as SVG and PNG; needs the extra `plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import altair as alt
import numpy as np

from halo_studies.detection.plots import save
from halo_studies.drift.streams import BEFORE

__all__ = ["draw"]

_WORDS: Final = {"null": "no change", "model": "another model", "defence": "another defence", "gradual": "gradual"}
_SHOWN: Final = 90


def draw(example: Mapping[str, Sequence[Sequence[int]]], figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """Share of the limit reached after each session: median and the middle half of the streams of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for kind, paths in example.items():
        if not paths:
            continue
        table = np.array([path[:_SHOWN] for path in paths], float) / 1000
        low, middle, high = np.quantile(table, (0.25, 0.5, 0.75), axis=0)
        rows += [
            {"session": at + 1, "low": low[at], "middle": middle[at], "high": high[at], "kind": _name(kind, figures)}
            for at in range(table.shape[1])
        ]
    order = [_name(kind, figures) for kind in _WORDS]
    x = alt.X("session:Q", title="sessions watched", scale=alt.Scale(domain=[0, _SHOWN]))
    scale = alt.Scale(type="sqrt", domain=[0, 8], clamp=True)
    base = alt.Chart(alt.Data(values=rows))
    band = base.mark_area(opacity=0.25).encode(x, alt.Y("low:Q", scale=scale, title="share of the limit"), y2="high:Q")
    line = base.mark_line().encode(x, alt.Y("middle:Q", scale=scale))
    limit = base.mark_rule(color="#c0392b", strokeDash=[4, 3]).encode(y=alt.datum(1))
    change = base.mark_rule(color="#555").encode(x=alt.datum(BEFORE))
    panels = [
        alt.layer(band, line, limit, change)
        .transform_filter(alt.datum.kind == name)
        .properties(title=alt.TitleParams(name, anchor="start", fontSize=10), width=280, height=160)
        for name in order
        if any(row["kind"] == name for row in rows)
    ]
    title = alt.TitleParams(
        "Drift, session over session",
        subtitle=f"grey: the change, after {BEFORE} sessions; dashed: the limit; band: the middle half of the streams",
        anchor="start",
    )
    return save(alt.concat(*panels, columns=2).properties(title=title), folder / "drift")


def _name(kind: str, figures: Mapping[str, Any]) -> str:
    found = figures[kind]
    if kind == "null":
        return f"{_WORDS[kind]}: {100 * found['false_alarms_per_200']:.0f}% alarm within 200 sessions"
    return f"{_WORDS[kind]}: {100 * found['detected']:.0f}% found, median {found['median_delay']:g} sessions"
