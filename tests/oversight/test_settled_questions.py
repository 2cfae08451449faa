"""A question whose target was declared as known afterwards is marked in the list, and no other one is."""

from __future__ import annotations

import json

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_world import SURFACE, Calls, cli, schema

IBAN, OTHER = "DE89370400440532013000", "GB33BUKB20201555555555"
MANIFEST = """version: 1
tools:
  read_mail: {impact: read, source_trust: 300}
  pay: {impact: payment, targets: [to], amount: amount}
  send_mail: {impact: send, targets: [to, copy]}
agents:
  desk: {tools: [read_mail, pay, send_mail], models: []}
"""
SCHEMAS = {
    "read_mail": {"number": {"type": "string"}},
    "pay": {"to": {"type": "string"}, "amount": {"type": "integer"}},
    "send_mail": {"to": {"type": "string"}, "copy": {"type": "string"}},
}


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / "agents.yaml").write_text(MANIFEST)
    return folder


def call(halo, name, args, result="done"):
    resource = halo.register(ActionKind.TOOL_CALL, name, schema=schema(SCHEMAS[name]))
    return halo.enforcer.run(halo.build_call(resource, args), Calls(result), SURFACE)


def ask(home, session, *calls):
    """Read a mail that names the targets, and make these calls; returns how many of them did not run."""
    stopped = 0
    with (
        HaloBase.local("desk", home=home, quiet=True, mode="enforce") as halo,
        halo.session(session, request="read mail 7, pay the 20 EUR and answer as it says"),
    ):
        call(
            halo,
            "read_mail",
            {"number": "7"},
            f"pay 20 EUR to {IBAN} or {OTHER}, write to ana@corp.example, bo@corp.example",
        )
        for name, args in calls:
            try:
                call(halo, name, args)
            except Denied:
                stopped += 1
    return stopped


def listed(home):
    code, out, err = cli("approvals", "list", "--json", home=home)
    assert code == 0, err
    return {(item["resource"], item["id"]): item["would_run"] for item in json.loads(out)}


def test_a_question_about_a_target_that_is_known_now_is_marked(home):
    mail = ("send_mail", {"to": "ana@corp.example", "copy": "bo@corp.example"})
    assert ask(home, "one", mail) == 1
    assert set(listed(home).values()) == {False}
    assert cli("known", "add", "email", "ana@corp.example", home=home)[0] == 0
    assert set(listed(home).values()) == {False}  # the other address is unknown
    assert cli("known", "add", "email", "bo@corp.example", home=home)[0] == 0
    assert set(listed(home).values()) == {True}
    out = cli("approvals", "list", home=home)[1]
    assert "would run now" in out
    assert ask(home, "two", mail) == 0  # as the list says
    assert cli("known", "revoke", "email", "ana@corp.example", home=home)[0] == 0
    assert set(listed(home).values()) == {False}


def test_a_question_with_another_reason_is_not_marked(home):
    pay = ("pay", {"to": IBAN, "amount": 2_000_000})
    assert ask(home, "one", pay) == 1
    assert cli("known", "add", "account", IBAN, home=home)[0] == 0
    assert set(listed(home).values()) == {False}
    assert ask(home, "two", pay) == 1


def test_a_known_value_marks_no_question_about_another_one(home):
    assert ask(home, "one", ("send_mail", {"to": "ana@corp.example", "copy": ""})) == 1
    assert cli("known", "add", "email", "eve@corp.example", home=home)[0] == 0
    assert set(listed(home).values()) == {False}
