"""The alert that a break-glass answer raises says what it is, and nothing about a session that nobody had."""

from __future__ import annotations

from halo_core.alerts.messages import AgentAlert
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, cli, found, policy_folder, tool


def test_it_says_that_questions_are_answered_for_a_while(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo, halo.session("one"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    as_mia = ("--as", "mia", "--key-home", str(tmp_path / "keys"))
    assert cli("approver", "enrol", "mia", *as_mia[2:], home=home)[0] == 0
    line = ("break-glass", "clerk", "--minutes", "5", "--reason", "outage", *as_mia)
    assert cli(*line, home=home)[0] == 0
    (entry,) = found(home, EntryKind.ALERT)
    alert = AgentAlert.from_entry(entry)
    assert alert.sentence == (
        "risk 1000 of 1000, agent `clerk`: a person answers its questions with yes for a while: "
        "break glass, see `halo approvals remembered`"
    )
    out = cli("alerts", home=home)[1]
    assert "break glass, see `halo approvals remembered`" in out
    assert "the session as a whole" not in out
    shown = cli("show", str(entry.index), home=home)[1]
    assert "yes for a while" in shown
    assert "seq 0" not in shown
