"""`halo demo`: the loan desk shows each effect, and checks its own ledger."""

from __future__ import annotations

import pytest

from halo_core.model import EntryKind
from halo_world import bodies, cli, codes, found, verified

pytest.importorskip("langchain")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """(home, what was printed) of one run."""
    home = tmp_path_factory.mktemp("demo") / "home"
    code, out, err = cli("demo", home=home)
    assert code == 0, out + err
    return home, out


def today(home, *kinds):
    return [item.entry for item in found(home, *kinds) if item.entry.session == "today"]


def test_the_demo_shows_every_effect_and_checks_itself(demo):
    home, out = demo
    for word in ("allow", "monitor", "restrict", "challenge", "deny", "verify", "replay", "caught", "Try next"):
        assert word in out
    assert "✗" not in "".join(line for line in out.splitlines() if line.startswith(("✓", "✗")))
    assert verified(home, signatures=True) == 0
    ran = {
        (body["request"]["resource"]["id"], body["decision"]["effect"]): body["dispatched"]
        for body in (entry.body for entry in today(home, EntryKind.DECISION))
        if body["request"]["kind"] != "inference"
    }
    assert ran["pay", "deny"] is False
    assert ran["pay", "challenge"] is False
    assert ran["pay", "allow"] is True
    assert ran["customer-uploads", "restrict"] is True
    assert ran["credit_score", "monitor"] is True
    assert ran["list_applications", "restrict"] is True


def test_the_demos_authority_decays_until_somebody_outside_re_authorizes(demo):
    home, out = demo
    pays = [entry for entry in today(home, EntryKind.DECISION) if entry.body["request"]["resource"]["id"] == "pay"]
    decayed, again = pays[-2:]
    assert (codes(decayed.body), decayed.body["dispatched"]) == (["authority_decayed"], False)
    assert again.body["dispatched"]
    assert [entry.body["snapshot"]["envelopes"][0]["epoch"] for entry in (decayed, again)] == [1, 2]
    (answer,) = today(home, EntryKind.APPROVAL)
    assert (answer.body["answer"], answer.body["kind"]) == ("approve", "reauthorization")
    assert answer.writer not in {entry.writer for entry in pays}  # another process
    # Whoever answers keeps its key apart, and its counters go on.
    assert not list(home.glob("approver*"))
    before, after = ({unit: done for _, unit, _, done in entry.body["after"]["budgets"]} for entry in (decayed, again))
    assert after["step"] > before["step"]
    assert "mia@bank" in out


def test_the_demos_research_agent_has_less_and_hands_back_what_it_spent(demo):
    home, out = demo
    own = [
        entry.body
        for entry in today(home, EntryKind.DECISION)
        if entry.body["request"]["subject"]["agent"] == "research"
    ]
    refused = next(body for body in own if body["request"]["resource"]["id"] == "pay")
    assert refused["decision"]["effect"] == "deny"
    assert "tool_not_granted" in codes(refused)
    assert len(refused["snapshot"]["chain"]) == 3
    (back,) = today(home, EntryKind.HANDBACK)
    assert [item["agent"] for item in back.body["closed"]] == ["research"]
    for words in ("hand-off, handed back; loan-desk spent this too", "spent by loan-desk", "research's"):
        assert words in out


def test_the_demo_ends_with_its_budgets_and_its_curve(demo):
    _, out = demo
    for words in (
        "runs out first",
        "GBP today",
        "50% payment delete execute",
        "epoch 2, mia@bank",
        "payment actions stop",
    ):
        assert words in out


def test_the_demo_starts_again_from_the_beginning(demo):
    home, _ = demo
    count = len(bodies(home))
    assert cli("demo", home=home)[0] == 0
    assert len(bodies(home)) == count


def test_the_demo_clears_nothing_but_a_demo(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("x")
    (tmp_path / "mine" / "trust.json").write_text("{}")  # as a real home has
    assert cli("demo", home=tmp_path / "mine")[0] == 64
    assert (tmp_path / "mine" / "precious").exists()
