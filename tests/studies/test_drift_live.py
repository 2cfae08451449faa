"""Streams of recorded sessions through the enforcement path: what is counted, and that an obvious change is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("numpy", reason="the extra `train` is not installed")

import detection_world
from halo_core.behaviour.session_drift import REFERENCE_SESSIONS, load_axes
from halo_studies.drift.live import LiveSetting, run_live, sum_up, tools_by_suite
from halo_studies.drift.streams import Stream, point_of
from halo_studies.recordings.labelled_sessions import read


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    every = read(detection_world.write(tmp_path_factory.mktemp("recorded")))
    return [session for session in every if session.suite == "office" and session.label == "benign"]


def stream_of(sessions, reference, before, after):
    ordinary = [point_of(sessions[at % len(sessions)]) for at in range(reference + before)]
    return Stream("model", "office", tuple(ordinary[:reference]), (*ordinary[reference:], *after), before)


def work_otherwise(session):
    """The same session by an agent that looks three times and signs what it writes."""
    first, second = session.events
    written = {**second.args, "body": "Dear all,\n- minutes!\n- budget!\nHello and best regards! " * 4}
    return point_of(replace(session, events=(first, first, first, replace(second, args=written))))


def test_each_action_of_a_stream_is_decided_and_counted(sessions):
    stream = stream_of(sessions, 2, 2, [work_otherwise(sessions[0])])
    run = run_live(stream, tools_by_suite(sessions)["office"], load_axes(), LiveSetting())
    assert [dict(session.actions) for session in run.sessions] == [{"read": 1, "act": 1}] * 2 + [{"read": 3, "act": 1}]
    assert run.first_alarm is None
    assert run.delay is None
    assert all(session.authority for session in run.sessions)
    figures = sum_up([run])
    assert (figures["streams"], figures["detected"], figures["alarm_before"]) == (1, 0.0, 0)


@pytest.mark.thorough
def test_an_agent_that_works_otherwise_is_found_and_may_do_less(sessions):
    after = [work_otherwise(sessions[at % len(sessions)]) for at in range(40)]
    stream = stream_of(sessions, REFERENCE_SESSIONS, 5, after)
    run = run_live(stream, tools_by_suite(sessions)["office"], load_axes(), LiveSetting())
    assert run.delay is not None
    assert run.delay <= 20
    figures = sum_up([run])
    assert figures["before"]["act"]["by_behaviour"] == 0
    assert figures["after_alarm"]["act"]["by_behaviour"] > 0
