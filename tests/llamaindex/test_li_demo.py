"""`halo demo --framework llamaindex`: the same story as with the other frameworks."""

from __future__ import annotations

from halo_core import demo
from halo_core.model import EntryKind
from halo_world import cli, found, verified


def test_the_desk_shows_every_effect_and_checks_itself(tmp_path):
    home = tmp_path / "home"
    code, out, err = cli("demo", "--framework", "llamaindex", home=home)
    assert code == 0, out + err
    assert verified(home, signatures=True) == 0
    told = [item.entry.body for item in found(home, EntryKind.DECISION) if item.entry.session == demo.SESSION]
    effects = {
        (body["request"]["resource"]["id"], body["decision"]["effect"])
        for body in told
        if body["request"]["kind"] != "inference"
    }
    assert effects >= {
        ("pay", "deny"),
        ("pay", "challenge"),
        ("pay", "allow"),
        ("customer-uploads", "restrict"),
        ("list_applications", "restrict"),
        ("credit_score", "monitor"),
        (demo.RESEARCH, "allow"),
    }
    agents = {body["request"]["subject"]["agent"] for body in told}
    assert agents == {demo.AGENT, demo.RESEARCH}
