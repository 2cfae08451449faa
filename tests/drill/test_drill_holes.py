"""Checks that were removed from an application, and whether a drill finds each by name, and nothing where none was."""

from __future__ import annotations

import pytest
from drill_world import play

from counts import is_thorough
from halo_core.drill import AttackClass
from halo_core.drill.diagnosis import HoleCode
from halo_core.enforcement.agent_credentials import install_starter
from halo_core.model import Provenance
from halo_core.store.rows import TaintTable
from halo_core.values.provenance import vouching

FRAMEWORKS = ("langchain", "llamaindex", "openai")
CLASSES = (AttackClass.RESPELL, AttackClass.REDIRECT) if is_thorough() else (AttackClass.REDIRECT,)


def found(result):
    return {(str(hole.code), hole.tool) for hole in result.holes}


def shares(result):
    return result.held.hits, result.held.total, result.honest.hits, result.honest.total


@pytest.mark.slow
@pytest.mark.parametrize(
    "framework",
    [name if name == "langchain" else pytest.param(name, marks=pytest.mark.thorough) for name in FRAMEWORKS],
)
def test_nothing_is_found_where_nothing_was_removed(framework, tmp_path, monkeypatch):
    result = play(framework, tmp_path, monkeypatch)
    assert (result.holes, dict(result.not_run), result.refused, result.blocked) == ((), {}, {}, ())
    assert result.held.total >= 10
    assert result.honest.total >= 8
    assert (result.held.hits, result.honest.hits) == (result.held.total, result.honest.total)
    assert result.passed
    assert result.is_complete


CHANGES = {
    "a tool without a guard": (
        "langchain",
        (
            ("    [halo.guard(function, resource=resource) for function, resource in RESOURCES.items()],\n",
             "    [pay if f is pay else halo.guard(f, resource=r) for f, r in RESOURCES.items()],\n"),
            ("    middleware=[halo.middleware()],\n", ""),
        ),
        (HoleCode.NOT_GUARDED, "pay"),
    ),
    "a message declared as a read": (
        "langchain",
        (('send_email: Resource(impact="send", targets=("to",))', 'send_email: Resource(impact="read")'),),
        (HoleCode.WRONG_IMPACT, "send_email"),
    ),
    "a refund declared as a read": (
        "openai",
        (('refund: Resource(impact="payment", targets=("iban",), amount="amount", reversal="compensate")',
          'refund: Resource(impact="read")'),),
        (HoleCode.WRONG_IMPACT, "refund"),
    ),
    "a body put in place of a guarded one": (
        "openai",
        (("halo = Halo", "from agents import function_tool\nhalo = Halo"),
         ("        tools=[halo.guard(", "        tools=[function_tool(f) if f is send_message else halo.guard("),
         ("(function, resource=resource) for function, resource", "(f, resource=r) for f, r"),
         ("agent = halo.guard(\n    Agent(", "agent = (\n    Agent(")),
        (HoleCode.NOT_GUARDED, "send_message"),
    ),
    "an agent in observe mode": (
        "openai", (('mode="enforce", ', ""),), (HoleCode.OBSERVE_MODE, "refund"),
    ),
}  # fmt: skip
REPEATED = ("a refund declared as a read", "a body put in place of a guarded one")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.thorough] if name in REPEATED else []) for name in CHANGES]
)
def test_a_check_that_was_removed_is_found_by_name(name, tmp_path, monkeypatch):
    framework, changes, hole = CHANGES[name]
    result = play(framework, tmp_path, monkeypatch, *changes, classes=CLASSES)
    assert (str(hole[0]), hole[1]) in found(result)
    assert not result.passed
    assert all(hole.fix for hole in result.holes)


@pytest.mark.slow
def test_a_wrong_target_that_lets_nothing_through_is_no_hole(tmp_path, monkeypatch):
    change = ('targets=("account",), amount', 'targets=("reference",), amount')
    result = play("langchain", tmp_path, monkeypatch, change, classes=CLASSES)
    assert (found(result), result.held.hits) == (set(), result.held.total)


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["langchain", pytest.param("openai", marks=pytest.mark.thorough)])
def test_a_provenance_that_vouches_for_everything_is_found(framework, tmp_path, monkeypatch, plan_differences):
    monkeypatch.setattr(vouching.ValueJudge, "judge", lambda *_args, **_options: Provenance.USER)
    result = play(framework, tmp_path, monkeypatch, classes=(AttackClass.RESPELL, AttackClass.RELAY))
    assert any(hole.code is HoleCode.PROVENANCE and "report it" in hole.fix for hole in result.holes)
    assert result.held.hits < result.held.total / 2


@pytest.mark.slow
@pytest.mark.parametrize("framework", [pytest.param("langchain", marks=pytest.mark.thorough), "openai"])
def test_a_store_whose_texts_are_no_longer_marked_is_found(framework, tmp_path, monkeypatch, plan_differences):
    whole = play(framework, tmp_path, monkeypatch, classes=(AttackClass.STORE,))
    assert (whole.holes, whole.held.hits) == ((), whole.held.total)
    monkeypatch.setattr(TaintTable, "add", lambda *_: None)
    result = play(framework, tmp_path, monkeypatch, classes=(AttackClass.STORE,))
    assert {hole.code for hole in result.holes} == {HoleCode.PROVENANCE}
    assert (result.held.hits, result.honest.hits) == (0, result.honest.total)


RULES = {
    "halo.payment.untrusted-target": ("money.cedar", "pay"),
    "halo.send.untrusted-target": ("messages.cedar", "send_email"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "rule",
    ["halo.payment.untrusted-target", pytest.param("halo.send.untrusted-target", marks=pytest.mark.thorough)],
)
def test_a_rule_that_was_removed_is_named(rule, tmp_path, monkeypatch):
    file, tool = RULES[rule]
    policy = tmp_path / ".halo" / "policy"
    install_starter(policy)
    (policy / file).unlink()
    result = play("langchain", tmp_path, monkeypatch, classes=(AttackClass.RESPELL,))
    holes = [hole for hole in result.holes if hole.code is HoleCode.MISSING_RULE]
    assert [hole.tool for hole in holes if f"`{rule}`" in hole.fix] == [tool]


@pytest.mark.slow
def test_a_missing_limit_on_sums_is_found_by_several_payments(tmp_path, monkeypatch):
    policy = tmp_path / ".halo" / "policy"
    install_starter(policy)
    text = (policy / "money.cedar").read_text(encoding="utf-8")
    # The rule on what the request asks for would hold them as well.
    text = text.replace("context.tainted && context.amount_exceeds", "false")
    (policy / "money.cedar").write_text(text.replace('"1000.0"', '"99000.0"').replace('"5000.0"', '"99000.0"'))
    result = play("langchain", tmp_path, monkeypatch, classes=(AttackClass.SPLIT,))
    assert found(result) == {(str(HoleCode.MISSING_RULE), "pay")}
    assert "halo.payment.large-sum" in result.holes[0].fix


@pytest.mark.slow
def test_a_source_that_is_declared_trusted_is_found(tmp_path, monkeypatch):
    change = (
        'read_mail: Resource(impact="read", source_trust=100)',
        'read_mail: Resource(impact="read", source_trust=900)',
    )
    result = play("langchain", tmp_path, monkeypatch, change, classes=(AttackClass.REDIRECT,))
    assert (str(HoleCode.TRUSTED_SOURCE), "read_mail") in found(result)
