"""`halo demo`: the loan desk shows each effect, and checks its own ledger."""

from __future__ import annotations

import pytest

from halo_core.model import EntryKind
from halo_world import bodies, cli, verified

pytest.importorskip("langchain")


def test_the_demo_shows_every_effect_and_checks_itself(tmp_path):
    home = tmp_path / "demo"
    code, out, err = cli("demo", home=home)
    assert code == 0, out + err
    for word in ("allow", "monitor", "restrict", "challenge", "deny", "verify", "replay", "caught", "Try next"):
        assert word in out
    assert verified(home, signatures=True) == 0
    today = [body for body in bodies(home, EntryKind.DECISION) if body["request"]["context"]["session"] == "today"]
    ran = {
        (body["request"]["resource"]["id"], body["decision"]["effect"]): body["dispatched"]
        for body in today
        if body["request"]["kind"] != "inference"
    }
    assert ran["pay", "deny"] is False
    assert ran["pay", "challenge"] is False
    assert ran["pay", "allow"] is True
    assert ran["customer-uploads", "restrict"] is True
    assert ran["credit_score", "monitor"] is True
    assert ran["list_applications", "restrict"] is True
    assert cli("demo", home=home)[0] == 0  # again, from the beginning


def test_the_demo_clears_nothing_but_a_demo(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious").write_text("x")
    (tmp_path / "mine" / "trust.json").write_text("{}")  # as a real home has
    assert cli("demo", home=tmp_path / "mine")[0] == 64
    assert (tmp_path / "mine" / "precious").exists()
