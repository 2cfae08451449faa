"""A chart of the risks of synthetic identities as SVG and PNG; needs the extra `plots`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import altair as alt

from halo_studies.detection.plots import save
from halo_studies.identity.synthetic_events import ATTACKS, UNUSUAL

__all__ = ["draw"]

_BIN = 50


def draw(risks: Mapping[str, Sequence[int]], folder: Path) -> list[Path]:
    """Share of the identity-days of each kind that reach each risk."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = {"ordinary": "ordinary", **dict.fromkeys(ATTACKS, "attack"), **dict.fromkeys(UNUSUAL, "unusual, ordinary")}
    rows = [
        {"kind": kind.replace("_", " "), "group": group, "risk": at, "share": inside / len(risks[kind])}
        for kind, group in groups.items()
        if risks.get(kind)
        for at in range(0, 1000, _BIN)
        if (inside := sum(at <= min(risk, 999) < at + _BIN for risk in risks[kind]))
    ]
    order = [kind.replace("_", " ") for kind in groups]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_square(opacity=0.85)
        .encode(
            alt.X("risk:Q", title="highest risk of the day", scale=alt.Scale(domain=[-25, 1000], nice=False)),
            alt.Y("kind:N", title=None, sort=order),
            alt.Size(
                "share:Q", title="share of the days", legend=alt.Legend(format="%"), scale=alt.Scale(range=[8, 320])
            ),
            alt.Color(
                "group:N",
                title=None,
                sort=["ordinary", "unusual, ordinary", "attack"],
                scale=alt.Scale(range=["#1b6ca8", "#8c8c8c", "#c0392b"]),
            ),
        )
        .properties(
            width=520,
            height=300,
            title=alt.TitleParams(
                "Synthetic identities, a month", subtitle="drawn by rules, not observed anywhere", anchor="start"
            ),
        )
    )
    return save(chart, folder / "identities-synthetic")
