"""The starter policy, told to lean on a score: less is asked where the score is sure, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.errors import BadInput
from halo_core.model import Effect, Impact, Provenance, Reversal
from halo_core.policy import PolicyBundle, apply_risk_threshold
from halo_core.policy.cases import Case, run_case
from halo_core.policy.checks import check_bundle
from halo_core.policy.risk_thresholds import THRESHOLD_RULES
from halo_world import cli

STARTER = PolicyBundle.load_starter()


def leant(risk=200) -> PolicyBundle:
    return PolicyBundle({name: apply_risk_threshold(text, risk) for name, text in STARTER.sources.items()}, {})


LEANT = leant()
PAY = Case(
    "pay",
    "pay",
    "challenge",
    args={"to": "DE1", "amount": 5},
    given={"impact": Impact.PAYMENT, "targets": ("to",), "amount": "amount"},
    provenance={"to": Provenance.UNTRUSTED},
)


def effect(bundle, case) -> str:
    return run_case(case, bundle).got


def test_only_the_rules_that_may_lean_are_changed():
    before = {policy.id: policy for policy in STARTER.parse()}
    after = {policy.id: policy for policy in LEANT.parse()}
    assert before.keys() == after.keys() > THRESHOLD_RULES
    assert {name for name in before if before[name].text != after[name].text} == THRESHOLD_RULES
    assert check_bundle(LEANT, []) == []


def test_where_the_score_is_sure_they_say_nothing():
    assert effect(LEANT, replace(PAY, state={"risk": 199})) == "allow"
    assert effect(STARTER, replace(PAY, state={"risk": 199})) == "challenge"
    grave = Case("x", "wipe", "challenge", given={"impact": Impact.DELETE, "reversal": Reversal.IRREVERSIBLE})
    assert (effect(LEANT, grave), effect(LEANT, replace(grave, state={"risk": 10}))) == ("challenge", "allow")


@pytest.mark.parametrize("risk", [None, 200, 201, 1000])
def test_where_it_is_not_or_there_is_none_they_speak_as_ever(risk):
    assert effect(LEANT, replace(PAY, state={"risk": risk})) == "challenge"


def test_a_large_amount_is_asked_about_whatever_the_score_says():
    large = replace(PAY, args={"to": "DE1", "amount": 5000}, state={"risk": 0})
    assert effect(LEANT, large) == "challenge"


def test_the_scores_own_rules_do_not_lean():
    read = Case("x", "search", "challenge", tainted=True)
    assert effect(leant(1000), replace(read, state={"risk": 900, "band": 2})) == "challenge"
    unscored = replace(PAY, state={"unscored": True}, tainted=True, provenance={})
    assert effect(LEANT, unscored) == "challenge"


SOURCES = st.sampled_from(list(Provenance))


@given(
    st.sampled_from(list(Impact)),
    st.sampled_from(list(Reversal)),
    SOURCES,
    st.booleans(),
    st.booleans(),
    st.integers(0, 2),
    st.one_of(st.none(), st.integers(0, 1000)),
)
def test_it_never_asks_more_and_never_less_without_a_low_risk(impact, reversal, source, tainted, named, band, risk):
    targets = ("to",) if named else ()
    given_ = {"impact": impact, "reversal": reversal, "targets": targets, "amount": "amount"}
    state = {"band": band, "risk": risk}
    case = replace(PAY, given=given_, provenance={"to": source}, tainted=tainted, state=state)
    before, after = Effect(effect(STARTER, case)), Effect(effect(LEANT, case))
    assert after.severity <= before.severity
    if risk is None or risk >= 200:
        assert after is before


@pytest.mark.parametrize("risk", [0, -1, 1001])
def test_another_number_is_no_risk(risk, tmp_path):
    with pytest.raises(BadInput, match="is not a risk"):
        apply_risk_threshold("", risk)
    code, _, err = cli("policy", "starter", str(tmp_path / "new"), "--lean", str(risk))
    assert (code, "1..1000" in err) == (64, True)
    assert not list(tmp_path.iterdir())


def test_it_is_written_to_a_new_folder_and_over_none(tmp_path):
    folder = tmp_path / "some" / "policy"
    assert cli("policy", "starter", str(folder), "--lean", "200")[0] == 0
    assert PolicyBundle.load([folder]).sources == LEANT.sources
    (folder / "money.cedar").write_text("// mine")
    code, _, err = cli("policy", "starter", str(folder))
    assert (code, "not overwritten" in err, (folder / "money.cedar").read_text()) == (64, True, "// mine")
    assert cli("policy", "starter", str(tmp_path / "plain"))[0] == 0
    assert PolicyBundle.load([tmp_path / "plain"]).sources == STARTER.sources
