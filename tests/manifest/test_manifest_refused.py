"""Manifests that are refused: what nobody can have meant, and what was written to take time."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest

from halo_core.manifest import ManifestError, load_manifest
from halo_core.model import ActionKind

HEAD = "version: 1\nagents:\n"


def refused(text):
    with pytest.raises(ManifestError) as error:
        load_manifest(text)
    return error.value.findings


def counted(monkeypatch):
    """How often two words are compared."""
    seen = []
    plain = SequenceMatcher.set_seq1
    monkeypatch.setattr(SequenceMatcher, "set_seq1", lambda self, word: (seen.append(word), plain(self, word))[1])
    return seen


def test_thousands_of_misspelt_names_cost_no_more_than_a_few(monkeypatch):
    seen = counted(monkeypatch)
    text = HEAD + "".join(f"  agent-{i:05}:\n    hand_off: [agnet-{i:05}]\n" for i in range(3000))
    found = refused(text)
    assert len(found) == 100
    assert found[0].remedy == "did you mean `agent-00000`"
    assert len(seen) <= 20 * 201


def test_thousands_of_unknown_fields_cost_no_more_than_a_few(monkeypatch):
    seen = counted(monkeypatch)
    assert len(refused(HEAD + "  desk:\n" + "".join(f"    ownr{i}: x\n" for i in range(5000)))) == 100
    assert len(seen) <= 20 * 201


@pytest.mark.parametrize("field", ["approvers", "hand_off", "data_scope", "tools", "bands"])
def test_a_list_of_forty_thousand_is_refused_before_it_is_walked(field):
    listed = ", ".join(f"x{i}" for i in range(40_000))
    (finding,) = refused(f"{HEAD}  desk:\n    {field}: [{listed}]\n")
    assert (finding.message, finding.line) == ("a list of more than 4,096 items", 4)


@pytest.mark.parametrize("field", ["approvers", "hand_off", "data_scope"])
def test_a_list_longer_than_anybody_needs_is_one_finding(field):
    listed = ", ".join(["X!"] * 257)
    (finding,) = refused(f"{HEAD}  desk:\n    {field}: [{listed}]\n")
    assert (finding.message, finding.path) == ("more than 256 items", f"agents.desk.{field}")


BUDGET = HEAD + '  desk:\n    tools: [pay]\n    budgets:\n      EUR: "60.00"\n'


@pytest.mark.parametrize(
    ("declared", "spent"),
    [
        ("pay: {impact: payment}", False),
        ("pay: {impact: payment, amount: amount, unit: EUR}", True),
        ('pay: {impact: payment, costs: {EUR: "0.02"}}', True),
    ],
)
def test_a_budget_that_no_granted_tool_spends_is_a_slip(declared, spent):
    manifest = load_manifest(f"{BUDGET}tools:\n  {declared}\n  other: {{impact: payment, amount: amount, unit: EUR}}\n")
    if spent:
        assert "EUR" in {budget.unit for budget in manifest.build_passport_spec("desk", []).ceilings}
        return
    with pytest.raises(ManifestError) as error:
        manifest.build_passport_spec("desk", [])
    (finding,) = error.value.findings
    assert finding.message == "no granted tool spends the budget EUR: add `unit: EUR` to a tool"
    assert (finding.line, finding.path) == (6, "agents.desk.budgets.EUR")
    (note,) = [item for item in manifest.build_passport_spec("desk", [], allow_unspent=True).notes if "EUR" in item]
    assert note.startswith("no granted tool spends the budget EUR")


def test_an_argument_that_is_nearly_a_declared_one_is_a_slip():
    text = (
        HEAD + "  desk:\n    tools:\n      pay: {%s: {max: 5}}\ntools:\n  pay: {amount: amount, targets: [account]}\n"
    )
    with pytest.raises(ManifestError) as error:
        load_manifest(text % "amuont").build_passport_spec("desk", [])
    assert "did you mean `amount`" in error.value.findings[0].remedy
    issue = load_manifest(text % "reference").build_passport_spec("desk", [])
    assert issue.grants[ActionKind.TOOL_CALL]["pay"].keys() == {"reference"}
    assert any("could not be checked" in note and "pay (reference)" in note for note in issue.notes)


@pytest.mark.parametrize(
    ("programs", "message"),
    [
        ("{statement: sql/sqlit}", "there is no SQL dialect `sqlit`"),
        ("[statement]", "a mapping is expected"),
        ("{statement: 5}", None),
        ("{statement: [sql]}", None),
    ],
)
def test_programs_that_nobody_can_have_meant(programs, message):
    found = refused(f"version: 1\ntools:\n  run: {{programs: {programs}}}\n{HEAD.split(chr(10), 1)[1]}  desk: {{}}\n")
    assert message is None or found[0].message == message
    assert found[0].path.startswith("tools.run.programs")
