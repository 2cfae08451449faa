from __future__ import annotations

import pytest

from halo_core.errors import PolicyError
from halo_core.model import Impact, Resource
from halo_core.policy import PolicyBundle
from halo_core.policy.checks import load_cases, run_case

STARTER = """
[[case]]
name = "reading is allowed"
resource = "search"
expect = "allow"
[[case]]
name = "a payment to an account from a document"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
expect = "deny"
reason = "untrusted_target"
[[case]]
name = "a payment to a traced account"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
expect = "allow"
[[case]]
name = "after exposure a new account counts as untrusted"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "novel" }
tainted = true
expect = "deny"
reason = "untraced_target"
[[case]]
name = "a new account alone"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "novel" }
expect = "allow"
[[case]]
name = "payments of a day to one recipient"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_to_target = 9900001
expect = "challenge"
reason = "large_sum"
[[case]]
name = "a day of payments that stays within the limit"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_to_target = 9900000
paid_by_principal = 49900000
expect = "allow"
[[case]]
name = "payments of a day for one user"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
paid_by_principal = 49900001
expect = "challenge"
reason = "large_sum"
[[case]]
name = "the same payment again"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 10 }
repeated = true
expect = "challenge"
reason = "repeated_payment"
[[case]]
name = "a large amount"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 1000.01 }
expect = "challenge"
reason = "large_amount"
[[case]]
name = "a large refund"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = -5000 }
expect = "challenge"
[[case]]
name = "exactly the limit"
resource = "send_money"
impact = "payment"
targets = ["to"]
amount = "eur"
args = { to = "DE89", eur = 1000 }
expect = "allow"
[[case]]
name = "nobody said where the money goes"
resource = "send_money"
impact = "payment"
amount = "eur"
args = { to = "DE89", eur = 10 }
provenance = { to = "untrusted" }
expect = "challenge"
reason = "untrusted_target"
[[case]]
name = "nobody said how much"
resource = "send_money"
impact = "payment"
targets = ["to"]
args = { to = "DE89", eur = 10 }
expect = "challenge"
[[case]]
name = "a delete is confirmed"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
expect = "challenge"
reason = "grave_impact"
[[case]]
name = "a delete that a document asked for"
resource = "rm"
impact = "delete"
reversal = "irreversible"
targets = ["path"]
args = { path = "/a" }
provenance = { path = "untrusted" }
expect = "deny"
[[case]]
name = "a delete that can be undone"
resource = "rm"
impact = "delete"
reversal = "undo"
expect = "allow"
[[case]]
name = "mail to an address from a document"
resource = "mail"
impact = "send"
targets = ["to"]
args = { to = "x@y" }
provenance = { to = "untrusted" }
expect = "challenge"
[[case]]
name = "an unknown tool"
resource = "zap"
impact = "unknown"
expect = "monitor"
reason = "unknown_impact"
[[case]]
name = "an unknown tool after exposure"
resource = "zap"
impact = "unknown"
tainted = true
expect = "challenge"
[[case]]
name = "first use"
resource = "search"
uses = 0
expect = "monitor"
reason = "first_use"
[[case]]
name = "a declared source below the floor"
resource = "web"
kind = "retrieval"
source_trust = 299
expect = "restrict"
reason = "low_source_trust"
[[case]]
name = "a declared source at the floor"
resource = "web"
kind = "retrieval"
source_trust = 300
expect = "allow"
[[case]]
name = "an undeclared source works"
resource = "web"
kind = "retrieval"
classified = "guessed"
expect = "allow"
"""

CASES = load_cases(STARTER)


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


@pytest.mark.parametrize("member", ["risk = 1001", "risk = -1", "risk_band = 3", "refused = -1", "session_risk = 2000"])
def test_a_number_out_of_range_is_no_case(member):
    with pytest.raises(PolicyError, match="out of range"):
        load_cases(f'[[case]]\nname="x"\nresource="x"\nexpect="allow"\n{member}\n')


def test_a_case_may_state_what_the_score_says():
    stated = 'risk = 900\nrisk_band = 2\nsession_risk = 900\nrefused = 1\nunscored = false\nexpect = "challenge"\n'
    (case,) = load_cases(f'[[case]]\nname="x"\nresource="x"\nreason="risk_high"\n{stated}')
    assert run_case(case, PolicyBundle.load_starter()).passed
