"""`halo reverse` on the command line: ordered, carried out by an application at once, refused, confirmed."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from acts_world import enrolled, opened, run, tool
from oversight_world import people

from halo_core.home import relocated_homes
from halo_core.model import Reversal
from halo_world import cli, verified

APP = "reversible_app:halo"


@pytest.fixture
def paid(home, monkeypatch):
    """Ids of a payment whose refund works, and of one whose refund fails."""
    monkeypatch.setenv("HALO_HOME", str(home))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.chdir(Path(__file__).parent)
    with opened(home) as halo:
        pay = tool(halo, "pay", lambda act: None, Reversal.COMPENSATE)
        ids = [run(halo, pay, to="acct-1", amount=amount) for amount in (40, 13)]
    enrolled(home)
    yield ids
    app = sys.modules.pop("reversible_app", None)
    if app is not None:
        app.halo.close()


def reverse(home, decision, *options):
    keys = ("--as", "mia", "--key-home", str(people(home).home), "--why", "wrong account")
    return cli("reverse", decision, *keys, *options, home=home)


def test_an_order_waits_for_the_application(home, paid):
    code, text, _ = reverse(home, paid[0], "--json")
    assert (code, json.loads(text)["status"]) == (0, "ordered")
    code, _, error = reverse(home, paid[0])
    assert (code, "already_ordered" in error) == (64, True)
    code, text, _ = cli("reversals", "--json", home=home)
    assert (code, json.loads(text)["rows"][0]["status"]) == (0, "ordered")


def test_an_application_carries_out_what_waits(home, paid):
    """As the order itself says: give the same command again, with the application."""
    code, text, _ = reverse(home, paid[0])
    assert (code, f"now: halo reverse {paid[0]} " in text) == (0, True)
    (order,) = re.findall(r"halo approvals revoke ([0-9a-f-]{36});", text)
    code, text, error = reverse(home, paid[0], "--app", APP, "--json")
    assert (code, error) == (0, "")
    assert json.loads(text) == {"decision": paid[0], "order": order, "result": "refunded", "status": "reversed"}
    assert (home / "undone").read_text().split() == [paid[0]]


def test_without_any_there_is_nothing_to_judge(home, paid):
    code, text, _ = cli("reversals", "--json", home=home)
    answer = json.loads(text)
    assert (code, answer["verdict"], answer["rows"]) == (2, "cannot_tell", [])
    assert answer["findings"] == ["nobody asked for a reversal or an override in this period"]


def test_an_application_carries_it_out_at_once(home, paid):
    code, text, _ = reverse(home, paid[0], "--app", APP)
    assert (code, "refunded" in text) == (0, True)
    assert (home / "undone").read_text().split() == [paid[0]]
    code, _, error = reverse(home, paid[0], "--app", APP)
    assert (code, "already_reversed" in error) == (10, True)
    code, text, _ = cli("reversals", "--json", home=home)
    rows = json.loads(text)["rows"]
    assert (code, [row["status"] for row in rows]) == (0, ["reversed", "refused: already_reversed"])
    assert [(row["decision"], row["tool"]) for row in rows] == [(paid[0], "pay")] * 2
    shown = cli("show", paid[0], home=home)[1]
    assert "it can be compensated" in shown
    assert "reversal" in shown
    assert verified(home, signatures=True) == 0


def test_while_its_agent_is_stopped_another_one_is_asked_for(home, paid):
    """Nobody has to lift a stop in the middle of the night in order to take back what the agent did."""
    assert cli("stop", "--agent", "clerk", home=home)[0] == 0
    code, _, error = reverse(home, paid[0], "--app", APP)
    assert (code, "[stopped]" in error) == (10, True)
    assert "another `Halo` that guards the tool" in " ".join(error.split())
    assert "halo lift" not in error
    ordered, tried = json.loads(cli("reversals", "--json", home=home)[1])["rows"]
    assert (ordered["status"], tried["status"]) == ("ordered", "refused: stopped")
    assert (tried["decision"], tried["tool"]) == (paid[0], "pay")


def test_what_a_person_ordered_is_no_exception_to_an_auditor(home, paid):
    assert reverse(home, paid[0], "--app", APP)[0] == 0
    for words in (
        ("report", "--check", "least_privilege"),
        ("report", "--check", "admin_acts"),
        ("reach", "--agent", "clerk"),
    ):
        code, text, _ = cli(*words, "--json", home=home)
        assert (code, json.loads(text)["findings"]) == (0, []), words


def test_a_failure_is_said_and_confirmed_by_a_person(home, paid):
    code, text, _ = reverse(home, paid[1], "--app", APP)
    assert (code, "the bank is closed" in text, "--confirm" in text) == (1, True, True)
    assert cli("reversals", home=home)[0] == 1
    assert reverse(home, paid[1], "--confirm", "maybe")[0] == 64
    assert reverse(home, paid[1], "--confirm", "done")[0] == 0
    assert cli("reversals", home=home)[0] == 0
    assert reverse(home, paid[1])[0] == 10


def test_a_drill_on_a_copy_takes_nothing_back(home, paid):
    """Its store is a copy that holds the same orders."""
    reverse(home, paid[0])
    undone = []

    class Here:
        def locate(self, folder, url):
            return folder, url

        def add(self, halo):
            pass

    with relocated_homes(Here()), opened(home) as halo:
        tool(halo, "pay", undone.append, Reversal.COMPENSATE)
        with halo.session("s"):
            assert halo.release() == []
    assert undone == []


def test_a_refused_order_names_the_decision_and_its_tool(home, paid):
    with opened(home) as halo:
        booked = run(halo, tool(halo, "book"), to="acct-1", amount=40)
    assert reverse(home, booked)[0] == 10
    (row,) = json.loads(cli("reversals", "--json", home=home)[1])["rows"]
    assert (row["status"].partition(":")[0], row["decision"], row["tool"]) == ("refused", booked, "book")
