"""Charts of an agent over its sessions: well formed, self-contained, bounded, and safe with anybody's names."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from halo_core.behaviour.carried import SessionVerdict
from halo_core.views import charts
from halo_core.views.agent_behaviour import PARTS, AgentBehaviour, DoneAct, SessionPoint
from halo_core.views.behaviour_charts import draw_drift_chart, draw_parts_chart, draw_timeline_chart

DRAW = {"timeline": draw_timeline_chart, "drift": draw_drift_chart, "parts": draw_parts_chart}
DAY_US = 86_400_000_000
START_US = 1_790_000_000_000_000
HOSTILE = '</svg><script>alert("x")</script>\u202e&\x07' + "long" * 80
SVG = "{http://www.w3.org/2000/svg}"


def made(number: int, *, name: str = "session", agent: str = "clerk", seed: int = 1) -> AgentBehaviour:
    rng = random.Random(seed)
    points = []
    risk = 0
    for place in range(number):
        is_bad = number > 3 and place % 37 == 3
        risk = min(risk + 520, 1000) if is_bad else risk * 7 // 8
        points.append(
            SessionPoint(
                session=f"{name}-{place}",
                principal=f"ana-{place % 3}{name}",
                ts_us=START_US + place * DAY_US // 4,
                actions=5,
                share=rng.choice((3_000, 40_000)) if is_bad else rng.randrange(100, 900),
                measure=f"touched records {name}",
                drift=rng.randrange(1_200) if place > 60 else 0,
                alarms=(f"it touched 300 records, at most 9 is usual {name}",) if is_bad else (),
                verdict=rng.choice(("alarm", "attack", "cleared")) if is_bad else "ordinary",
                agent_risk=risk // 2,
                pair_risk=risk,
                parts=dict.fromkeys(PARTS, 900 if is_bad else rng.randrange(100)),
                unusual=950 if is_bad else rng.randrange(120),
            )
        )
    done = (
        DoneAct(START_US + number * DAY_US // 8, f"notice of a suspension: {name}"),
        DoneAct(START_US + number * DAY_US // 6, "the suspension was lifted", f"mia{name}"),
    )
    return AgentBehaviour(agent, (number, number), tuple(points), agent_risk=risk // 2, drift=432, done=done)


def parsed(kind: str, agent: AgentBehaviour) -> ET.Element:
    text = DRAW[kind](agent)
    root = ET.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert "<script" not in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in text
    return root


@pytest.mark.parametrize("kind", DRAW)
@pytest.mark.parametrize("number", [1, 2, 10, 500, 1500])
def test_any_number_of_sessions_is_drawn_within_the_plot(kind, number):
    root = parsed(kind, made(number))
    width, height = float(root.get("width")), float(root.get("height"))
    assert width == charts.CHART_WIDTH
    assert height < 900
    bars = [path for path in root.iter(f"{SVG}path") if path.get("stroke-width", "5") != "5"]
    assert len(bars) <= 6 * 220
    for item in root.iter(f"{SVG}text"):
        if item.get("y") is not None:
            assert 0 <= float(item.get("y")) <= height
            assert 0 <= float(item.get("x")) <= width


@pytest.mark.parametrize("kind", DRAW)
def test_names_are_shown_as_text_and_never_run(kind):
    root = parsed(kind, made(80, name=HOSTILE, agent=HOSTILE))
    words = "".join(root.itertext())
    assert "\u202e" not in words
    assert "\x07" not in words
    assert "alert" in words


@pytest.mark.parametrize("kind", ["timeline", "drift"])
def test_what_alarmed_is_named_beside_its_number(kind):
    agent = made(60)
    words = "\n".join("".join(item.itertext()) for item in parsed(kind, agent).iter(f"{SVG}text"))
    assert "1  session-3" in words
    assert "it touched 300 records" in words


def test_the_labels_of_the_signs_do_not_cover_each_other():
    root = parsed("timeline", made(500))
    places = [float(item.get("x")) for item in root.iter(f"{SVG}text") if item.get("class") == "stopped strong"]
    assert all(after - before >= 14 for before, after in pairwise(places))


def test_what_was_done_stands_in_the_picture():
    words = "".join(parsed("timeline", made(10)).itertext())
    assert "notice of a suspension" in words
    assert "by mia" in words


@pytest.mark.parametrize("verdict", SessionVerdict)
@pytest.mark.parametrize("kind", DRAW)
def test_a_session_of_any_verdict_is_drawn(kind, verdict):
    point = SessionPoint("s", "ana", START_US, 1, 2_000, "made actions", 0, ("it made 9",), verdict.value, 0, 300)
    words = "".join(parsed(kind, AgentBehaviour("clerk", (1, 1), (point,))).itertext())
    counted = {
        SessionVerdict.ORDINARY: "none with an alarm",
        SessionVerdict.OBSERVED: "1 with an alarm while observed",
        SessionVerdict.CLEARED: "1 with an alarm that a person cleared",
        SessionVerdict.ALARM: "1 with an alarm",
        SessionVerdict.ATTACK: "1 judged an attack",
    }
    assert kind != "timeline" or f"1 session, {counted[verdict]}. Bars" in words


@pytest.mark.parametrize("kind", DRAW)
def test_an_agent_without_anything_unusual_is_drawn(kind):
    quiet = SessionPoint("s", "", START_US, 1, 0, "made actions", 0, (), "ordinary", 0, 0)
    words = "".join(parsed(kind, AgentBehaviour("clerk", (1, 1), (quiet,))).itertext())
    assert "clerk" in words
