"""`halo log` by what ran and of which kind, and its columns of targets and amounts."""

from __future__ import annotations

import contextlib
import json

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_world import SURFACE, Calls, bodies, cli, policy_folder, schema

POLICY = """
@id("base") permit (principal, action, resource);
@id("much") forbid (principal, action == Action::"pay", resource)
when { context.args has amount && context.args.amount > 100 };
"""
IBAN = "DE89370400440532013000"


@pytest.fixture
def desk(home):
    """One payment that ran, one that was refused, and a look-up; then a refused one that ran in observe mode."""
    for mode, amounts in (("observe", (200,)), ("enforce", (75, 500))):
        opened = HaloBase.local("desk", home=home, mode=mode, policy=policy_folder(home, POLICY), quiet=True)
        with opened as halo, halo.session("s", request=f"Pay 75 to {IBAN}"):
            money = Resource(impact=Impact.PAYMENT, targets=("iban",), amount="amount")
            fields = {"iban": {"type": "string"}, "amount": {"type": "integer"}}
            pay = halo.register(ActionKind.TOOL_CALL, "pay", resource=money, schema=schema(fields))
            reading, query = Resource(impact=Impact.READ), schema({"query": {"type": "string"}})
            look = halo.register(ActionKind.RETRIEVAL, "look", resource=reading, schema=query)
            halo.enforcer.run(halo.build_call(look, {"query": "x"}), Calls(), SURFACE)
            for amount in amounts:
                with contextlib.suppress(Denied):
                    halo.enforcer.run(halo.build_call(pay, {"iban": IBAN, "amount": amount}), Calls(), SURFACE)
    return home


def listed(desk, *options):
    items = json.loads(cli("log", "--json", *options, home=desk)[1])
    return [(item["body"]["request"]["resource"]["id"], item["body"]["dispatched"]) for item in items]


def test_the_log_is_searched_for_what_ran_and_for_kinds(desk):
    look, ran, refused = ("look", True), ("pay", True), ("pay", False)
    assert listed(desk) == [look, ran, look, ran, refused]
    assert listed(desk, "--ran", "yes", "--kind", "tool_call") == [ran, ran]
    assert listed(desk, "--ran", "no") == [refused]
    assert listed(desk, "--kind", "retrieval,tool_call", "--last", "2") == [ran, refused]
    assert listed(desk, "--ran", "yes", "--last", "2") == [look, ran]
    assert listed(desk, "--kind", "inference") == []
    for option, code in (("--kind", "bad_kind"), ("--ran", "bad_answer")):
        exit_code, _, err = cli("log", option, "perhaps", home=desk)
        assert (exit_code, f"[{code}]" in err) == (64, True)


@pytest.mark.parametrize("columns", ["80", "160"])
def test_targets_and_amounts_are_columns_on_request_and_a_reading(desk, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    plain = cli("log", home=desk)[1]
    assert (IBAN in plain, bodies(desk, EntryKind.ACCESS)) == (False, [])
    lines = cli("log", "--targets", home=desk)[1].splitlines()
    if columns == "80":
        assert lines.pop() == "times are UTC; 120 columns or --json also show date, session, action and why"
    assert len(lines) == 6  # no row is wrapped
    assert max(map(len, lines)) <= int(columns)
    assert ["target" in lines[0], "amount" in lines[0], "why" in lines[0]] == [True, True, columns == "160"]
    assert [IBAN in line for line in lines[1:]] == [False, True, False, True, True]
    assert " 75 " in lines[4]
    assert [dict(body["what"]) for body in bodies(desk, EntryKind.ACCESS)] == [{"command": "log"}]
    items = json.loads(cli("log", "--targets", "--json", "--ran", "no", home=desk)[1])
    assert [item["arguments"] for item in items] == [{"iban": IBAN, "amount": "500"}]
