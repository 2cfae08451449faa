"""Policy cases: the starter policy, and cases that fail."""

from __future__ import annotations

import pytest
from starter_cases import STARTER

from halo_core.errors import PolicyError
from halo_core.model import Impact, Resource
from halo_core.policy import PolicyBundle
from halo_core.policy.cases import load_cases, run_case

CASES = load_cases(STARTER)


def test_each_starter_rule_has_a_case():
    bundle = PolicyBundle.load_starter()
    named = {reason.source for case in CASES for reason in run_case(case, bundle).reasons}
    assert {policy.id for policy in bundle.parse() if policy.grade is not None} <= named


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_starter_policy_does_what_it_says(case):
    result = run_case(case, PolicyBundle.load_starter())
    assert result.passed, result


def test_a_wrong_expectation_or_reason_fails():
    (case,) = load_cases('[[case]]\nname="x"\nresource="search"\nexpect="deny"\n')
    result = run_case(case, PolicyBundle.load_starter())
    assert (result.passed, result.expected, result.got) == (False, "deny", "allow")
    (case,) = load_cases('[[case]]\nname="x"\nresource="search"\nuses=0\nexpect="monitor"\nreason="large_amount"\n')
    assert not run_case(case, PolicyBundle.load_starter()).passed


def test_a_case_builds_on_the_registered_resource():
    (case,) = load_cases('[[case]]\nname="x"\nresource="zap"\nargs={eur=5000}\nexpect="challenge"\n')
    known = {"zap": Resource("zap", impact=Impact.PAYMENT, amount="eur")}
    assert run_case(case, PolicyBundle.load_starter(), known).passed
    assert not run_case(case, PolicyBundle.load_starter()).passed


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no cases"),
        ("[[case", "not toml"),
        ("case = 5", "no cases"),
        ('[[case]]\nname="x"\nresource="y"\n', "`expect` is missing"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nprovenence={}\n', "unknown member"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nuses="1"\n', "wrong type"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="alow"\n', "alow"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nprovenance={a="bad"}\n', "bad"),
        ('[[case]]\nname="x"\nresource="y"\nexpect="allow"\nimpact="bad"\n', "bad"),
    ],
)
def test_malformed_case_files_are_refused(text, word):
    with pytest.raises(PolicyError) as caught:
        load_cases(text)
    assert caught.value.code == "case_invalid"
    assert word in caught.value.message.lower()
    assert caught.value.remedy


@pytest.mark.parametrize(
    "member",
    ["risk = 1001", "risk = -1", "risk_band = 3", "refused = -1", "session_risk = 2000", "principal_risk = 1001"],
)
def test_a_number_out_of_range_is_no_case(member):
    with pytest.raises(PolicyError, match="out of range"):
        load_cases(f'[[case]]\nname="x"\nresource="x"\nexpect="allow"\n{member}\n')


def test_a_case_may_state_what_the_score_says():
    stated = "tainted = true\nrisk = 900\nrisk_band = 2\nsession_risk = 900\nrefused = 1\nunscored = false\n"
    stated += 'expect = "challenge"\n'
    (case,) = load_cases(f'[[case]]\nname="x"\nresource="x"\nreason="risk_high"\n{stated}')
    assert run_case(case, PolicyBundle.load_starter()).passed
