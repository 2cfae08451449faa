"""The chart of an agent's risk: all of it is in the picture, readable with one action and with thousands."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ET
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import act, history, in_force, model_file, opened, tool

from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_core.views.risk_chart import draw_risk_chart
from halo_core.views.risk_history import RiskHistory, ScoredAction, SessionSpan, group_actions, group_limits
from halo_core.views.risk_history import build_history as read
from halo_world import SURFACE, Calls, cli, found

EVIL = '<script>x</script>&"\x1b[31m\u202e'
SIZES = [1, 2, 20, 130, 131, 2000, 20_000]


def told(count: int, per_session: int = 4, limits: tuple[int, int] | None = (333, 650), name: str = "s") -> RiskHistory:
    actions = []
    for i in range(count):
        risk = (0, 0, 400, 0, 900, 0, 10)[i % 7]
        actions.append(
            ScoredAction(
                index=i,
                ts_us=1_767_225_600_000_000 + i * 60_000_000,
                session=f"{name}-{i // per_session}",
                resource="share",
                effect=("allow", "allow", "challenge", "monitor", "deny")[i % 5],
                risk=risk,
                session_risk=min(risk + 50, 1000),
                band=(risk > 333) + (risk > 650),
                limits=limits,
                alert="action" if risk == 900 else "",
            )
        )
    spans = [
        SessionSpan(f"{name}-{n}", start, min(start + per_session, count))
        for n, start in enumerate(range(0, count, per_session))
    ]
    return RiskHistory("desk", tuple(actions), tuple(spans), (("things it names that are not known there", 3),))


def root(text: str) -> ET.Element:
    return ET.fromstring(text)


def words(element: ET.Element) -> list[str]:
    return [(item.text or "") for item in element.iter() if item.tag.endswith("}text")]


@pytest.mark.parametrize("count", SIZES)
def test_everything_lies_on_the_paper(count):
    picture = root(draw_risk_chart(told(count)))
    _, _, width, height = map(float, picture.attrib["viewBox"].split())
    for item in picture.iter():
        for name in ("x", "x1", "x2", "cx"):
            assert 0 <= float(item.attrib.get(name, 0)) <= width
        for name in ("y", "y1", "y2", "cy"):
            assert 0 <= float(item.attrib.get(name, 0)) <= height
        if "transform" in item.attrib:
            x, y = map(float, re.findall(r"translate\(([\d.-]+) ([\d.-]+)\)", item.attrib["transform"])[0])
            assert 0 <= x <= width
            assert 0 <= y <= height


@pytest.mark.parametrize("count", SIZES)
def test_it_stays_small_and_counts_every_alert(count):
    history = told(count)
    text = draw_risk_chart(history)
    assert len(text) < 150_000
    tips = re.findall(r"<title>(\d[\d,]*) alerts?</title>", text)
    assert sum(int(tip.replace(",", "")) for tip in tips) == sum(bool(item.alert) for item in history.actions)
    assert ("Each bar is" in text) == (count > 130)


@pytest.mark.parametrize(("count", "named"), [(4, 1), (40, 10), (400, 0)])
def test_sessions_are_named_and_parted_where_there_is_room(count, named):
    picture = root(draw_risk_chart(told(count)))
    assert sum(bool(re.fullmatch(r"s-\d+", word)) for word in words(picture)) == named
    parted = [item for item in picture.iter() if item.attrib.get("class") == "s-edge thin"]
    assert len(parted) == (count // 4 - 1 if named else 0)
    assert any("too many to mark" in word for word in words(picture)) == (named == 0)


@pytest.mark.parametrize("effect", ["deny", "challenge"])
def test_what_did_not_run_has_a_sign_or_a_lane(effect):
    said = {"deny": "denied", "challenge": "approval was requested"}[effect]
    assert said in words(root(draw_risk_chart(told(20))))
    assert said in words(root(draw_risk_chart(told(500))))
    assert f"<title>{effect}: " in draw_risk_chart(told(500))
    assert said not in words(root(draw_risk_chart(told(2))))


@given(low=st.integers(0, 1000), more=st.integers(0, 1000))
def test_limits_are_named_apart(low, more):
    pair = (low, min(low + more, 1000))
    picture = root(draw_risk_chart(told(8, limits=pair)))
    labels = [item for item in picture.iter() if re.fullmatch(r"(elevated|high) above \d+", item.text or "")]
    labels = [item for item in labels if item.tag.endswith("}text")]
    assert [item.text for item in labels] == [f"high above {pair[1]}", f"elevated above {pair[0]}"]
    assert all(float(two.attrib["y"]) - float(one.attrib["y"]) >= 15.9 for one, two in pairwise(labels))


def test_without_limits_there_are_none():
    assert "above" not in draw_risk_chart(told(8, limits=None))
    assert group_limits([None, (1, 2), (1, 2), None, (3, 4)]) == [(1, 3, (1, 2)), (4, 5, (3, 4))]


def test_somebody_elses_words_are_text():
    history = told(8, name=EVIL)
    text = draw_risk_chart(RiskHistory(EVIL, history.actions, history.spans, ((EVIL, 1),)))
    picture = root(text)
    tags = {item.tag.rpartition("}")[2] for item in picture.iter()}
    assert not tags & {"script", "foreignObject", "image", "use", "a"}
    assert "href" not in text
    assert "url(" not in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", text)


@given(count=st.integers(1, 3000), most=st.integers(1, 500))
def test_cells_hold_each_action_once(count, most):
    history = told(count)
    drawn = group_actions(history, most)
    assert len(drawn) <= most
    assert [item for cell in drawn for item in cell.actions] == list(history.actions)
    assert [cell.first for cell in drawn] == [cell.actions[0].index for cell in drawn]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    home = tmp_path_factory.mktemp("chart") / "home"
    history(home)
    in_force(home)
    with opened(home) as halo:
        for session in ("one", "two", "one"):
            with halo.session(session, request="share a report with the team"), suppress(Denied):
                exposing = tool(halo, "lookup", "q", source_trust=300)
                halo.enforcer.run(halo.build_call(exposing, {"q": "ana"}), Calls(), SURFACE)
                act(halo, "share", to="eve@elsewhere.example", file="/etc/passwd")
    assert cli("baseline", "drop", "desk", home=home)[0] == 0
    assert cli("baseline", "fit", "desk", "--model", str(model_file(home.parent)), home=home)[0] == 0
    with opened(home) as halo, halo.session("three", request="look"):
        act(halo, "lookup", q="ana")
    return home


def test_the_history_is_what_the_log_says(lived):
    kinds = (EntryKind.DECISION, EntryKind.ALERT, EntryKind.BASELINE)
    history = read("desk", found(lived, *kinds))
    assert [(span.session, span.end - span.start) for span in history.spans] == [("one", 4), ("two", 2), ("three", 1)]
    assert [item.effect for item in history.actions][:2] == ["allow", "challenge"]
    assert [item.risk for item in history.actions] == [0, 900, 0, 900, 0, 900, 0]
    assert [bool(item.alert) for item in history.actions] == [False, True, False, True, False, True, False]
    assert history.now == history.actions[-1].session_risk == 0
    assert all(item.limits is not None for item in history.actions)
    scored = [item for item in found(lived, EntryKind.DECISION) if item.entry.body["snapshot"]["risk"] is not None]
    assert sorted(item.index for item in history.actions) == [item.index for item in scored]
    assert read("nobody", found(lived, *kinds)).actions == ()


def test_it_is_written_and_says_where(lived, tmp_path):
    file = tmp_path / "risk.svg"
    code, out, err = cli("risk", "desk", "--svg", str(file), home=lived)
    assert (code, f"written to {file}" in out) == (0, True), err
    assert "7 scored actions, 3 sessions" in file.read_text()


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (("--svg", "x.svg"), "no_agent"),
        (("nobody", "--svg", "x.svg"), "no_score"),
        (("desk", "--svg", "no/x"), "no_file"),
    ],
)
def test_without_an_agent_a_score_or_a_place_there_is_no_chart(lived, tmp_path, monkeypatch, argv, problem):
    monkeypatch.chdir(tmp_path)
    code, _, err = cli("risk", *argv, home=shutil.copytree(lived, tmp_path / "home"))
    assert (code, problem in err) == (64, True), err
