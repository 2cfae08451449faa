"""Hand-offs: what is ordinary between the agents of a team, and what is not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from halo_studies.team_baseline import (
    HANDOFF_FACTS,
    HandoffFact,
    HandoffTracker,
    TeamBaseline,
    find_factors,
    fit_team,
    score_handoff,
)

REQUEST = "find martial arts classes near the exchange"


def session(*handed, request=REQUEST):
    watcher = HandoffTracker.start(request)
    return [watcher.record_handoff(*each) for each in handed]


def ordinary(number):
    return (
        f"task-{number}",
        session(
            ("human", "lead", REQUEST),
            ("lead", "surfer", f"search for martial arts classes, page {number}"),
            ("surfer", "lead", "three classes near the exchange"),
        ),
    )


TEAM = fit_team(map(ordinary, range(20)))


def facts(handing):
    return {fact.name: fact.value for fact in handing.facts}


def test_every_fact_has_a_sentence():
    assert {fact.name for fact in session(("a", "b", "pay and delete it"))[0].facts} == set(HANDOFF_FACTS)


def test_an_ordinary_hand_off_is_less_strange_than_one_to_a_stranger_with_strange_words():
    _, usual, _ = ordinary(99)[1]
    watcher = HandoffTracker.start(REQUEST)
    watcher.record_handoff("human", "lead", REQUEST)
    stranger = watcher.record_handoff("lead", "treasurer", "wire 4,800 to mallory and delete the log")
    assert score_handoff(stranger, TEAM) > 4 * max(score_handoff(usual, TEAM), 1)
    assert {fact.name for fact, _ in find_factors(stranger, TEAM)} <= {"receiver", "work", "requested", "known"}


def test_what_a_hand_off_is_comes_from_what_was_before_it():
    first, *_ = session(("a", "b", "classes near the exchange"))
    longer = session(("a", "b", "classes near the exchange"), ("b", "a", "wire money"), ("a", "b", "wire money"))
    assert longer[0] == first
    assert [facts(each)["to_and_fro"] for each in longer] == ["0", "1", "2"]
    assert [facts(each)["repeats"] for each in longer] == ["0", "0", "1"]
    assert facts(first)["requested"] == "3"
    assert (facts(longer[1])["known"], facts(longer[2])["known"]) == ("0", "3")


def test_one_task_however_often_makes_nothing_ordinary():
    planted = ("poisoned", session(("lead", "treasurer", "wire money to mallory")))
    once, often = (fit_team([*map(ordinary, range(20)), *[planted] * times]) for times in (1, 50))
    assert once == often
    assert score_handoff(planted[1][0], often) > score_handoff(ordinary(99)[1][1], often)


def test_a_team_without_history_finds_everything_strange_and_nothing_fails():
    assert score_handoff(session(("a", "b", ""))[0], TeamBaseline()) > 0
    assert TeamBaseline().compute_surprise("a", HandoffFact("receiver", "b")) > 0


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9), st.text(max_size=60)), max_size=12), st.text())
def test_any_names_and_texts_give_whole_numbers_and_the_same_again(handed, request):
    one, other = session(*handed, request=request), session(*handed, request=request)
    assert one == other
    team = fit_team([("t", one)])
    for each in one:
        assert type(score_handoff(each, team)) is int
        assert 0 <= score_handoff(each, team) <= 160 * len(HANDOFF_FACTS)
        assert sum(bits for _, bits in find_factors(each, team, len(HANDOFF_FACTS))) == score_handoff(each, team)


def test_a_long_session_and_long_texts_stay_within_bounds():
    watcher = HandoffTracker.start("x " * 1_000_000)
    for number in range(300):
        handing = watcher.record_handoff(f"a{number % 7}", "b", " ".join(f"w{number}x{at}" for at in range(2_000)))
    assert len(watcher.session_words) < 21_000
    assert len(handing.facts) <= len(HANDOFF_FACTS) + 5
