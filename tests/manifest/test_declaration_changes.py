"""How two manifests differ: each field of a declaration, and what else a manifest says of an agent."""

from __future__ import annotations

import pytest

from halo_core.manifest import load_manifest
from halo_core.model import ActionKind
from halo_core.views.declaration_changes import describe_declaration, diff_manifests

PART = "WIDENED in part"
PAY = "{impact: payment, amount: sum, targets: [to, bank], unit: EUR, reversal: compensate}"


def manifest(tools="{}", agent="", head=""):
    return load_manifest(
        f"version: 1\n{head}tools: {tools}\nagents:\n  desk: {{owner: ana@bank, tools: {{}}{agent}}}\n"
    )


def diff(old, new, granted=()):
    grants = {ActionKind.TOOL_CALL: {name: {} for name in granted}}
    return [item.text() for item in diff_manifests(old, new, "desk", grants)]


def directions(old, new):
    """Field → how it changed, of the tool `x`."""
    lines = diff(manifest(f"{{x: {old}}}"), manifest(f"{{x: {new}}}"))
    return {line.partition(", ")[2].partition(": ")[0]: line.partition(": ")[2].partition(", ")[0] for line in lines}


@pytest.mark.parametrize(
    ("old", "new", "field", "there", "back"),
    [
        ("{impact: read}", "{impact: read, source_trust: 301}", "source trust", "WIDENED", "narrowed"),
        ("{impact: read, source_trust: 100}", "{impact: read}", "source trust", "WIDENED", "narrowed"),
        ("{impact: send}", "{impact: write}", "impact", "WIDENED", "narrowed"),
        ("{impact: write}", "{impact: read, reversal: irreversible}", "impact", "WIDENED", "narrowed"),
        ("{impact: admin}", "{impact: send}", "impact", "WIDENED", "WIDENED in part"),
        ("{impact: payment}", "{impact: unknown}", "impact", PART, PART),
        ("{impact: send}", "{impact: send, reversal: undo}", "reversal", "WIDENED", "narrowed"),
        ("{impact: write, reversal: compensate}", "{impact: write, reversal: undo}", "reversal", "WIDENED", "narrowed"),
        ("{impact: send, targets: [a, b]}", "{impact: send, targets: [a]}", "targets", "WIDENED", "narrowed"),
        ("{impact: send}", "{impact: send, targets: [a]}", "targets", PART, PART),
        ("{impact: send, targets: [a, b]}", '{impact: send, targets: ["a b"]}', "targets", PART, PART),  # one text
        (
            "{impact: send, targets: [a]}",
            "{impact: send, targets: [b]}",
            "targets",
            PART,
            PART,
        ),
        (
            "{impact: payment, amount: a}",
            "{impact: payment, amount: b}",
            "amount",
            PART,
            PART,
        ),
        (
            "{impact: execute, programs: {a: sql, b: shell}}",
            "{impact: execute, programs: {a: sql}}",
            "programs",
            "WIDENED",
            "WIDENED in part",
        ),
        (
            "{impact: execute, programs: {a: shell}}",
            "{impact: execute, programs: {a: text}}",
            "programs",
            PART,
            PART,
        ),
        ("{impact: read}", "{impact: read, own_places: [/srv/hr]}", "own places", "WIDENED", "narrowed"),
        (
            "{impact: read, own_places: [/srv/hr]}",
            "{impact: read, own_places: [/srv]}",
            "own places",
            "WIDENED",
            "narrowed",
        ),
        ("{impact: read, labels: [pii, chd]}", "{impact: read, labels: [pii]}", "labels", "WIDENED", "narrowed"),
        ("{impact: read, system: a}", "{impact: read, system: b}", "system", PART, PART),
        ("{impact: write}", "{impact: write, idempotent: true}", "idempotent", "WIDENED", "narrowed"),
        ("{impact: execute}", "{impact: execute, contained: true}", "contained", "WIDENED", "narrowed"),
        ('{impact: read, costs: {USD: "2"}}', '{impact: read, costs: {USD: "0.5"}}', "costs", "WIDENED", "narrowed"),
        ('{impact: read, costs: {USD: "2"}}', "{impact: read}", "costs", "WIDENED", "narrowed"),
        (
            "{impact: payment, amount: a, unit: EUR}",
            "{impact: payment, amount: a}",
            "unit",
            "WIDENED",
            "narrowed",
        ),
    ],
)
def test_a_change_of_each_field_has_a_direction(old, new, field, there, back):
    assert directions(old, new)[field] == there
    assert directions(new, old)[field] == back


def test_every_field_of_a_declaration_is_compared():
    full = (
        "{impact: payment, amount: sum, targets: [to], unit: EUR, reversal: undo, labels: [pii], system: bank, "
        'source_trust: 700, idempotent: true, contained: true, can_wait: true, costs: {USD: "1"}, '
        "own_places: [/srv], programs: {q: sql}}"
    )
    assert set(directions("{impact: read, reversal: irreversible}", full)) == {
        *("impact", "amount", "targets", "unit", "reversal", "labels", "system", "source trust", "idempotent"),
        *("contained", "can wait", "costs", "own places", "programs"),
    }


def test_a_declaration_that_comes_or_goes_is_a_difference():
    none, one = manifest(), manifest(f"{{x: {PAY}}}")
    (added,) = diff(none, one)
    assert added.startswith("+ x, declaration: payment, ")
    assert "targets bank to" in added
    (removed,) = diff(one, none)
    assert removed.startswith("~ x, declaration: WIDENED in part, payment, ")
    assert removed.endswith("→ undeclared")
    assert diff(None, one) == [added]
    (gone,) = diff(one, None)
    assert gone.startswith("~ manifest: WIDENED in part, ")
    assert diff(None, None) == []


def test_a_pattern_is_compared_once_and_a_name_in_place_of_it():
    old, new = manifest('{"crm_*": {impact: read}}'), manifest('{"crm_*": {impact: read, source_trust: 900}}')
    assert diff(old, new, ["crm_read", "crm_list"]) == ["~ crm_*, source trust: WIDENED, 300 → 900"]
    exact = manifest('{"crm_*": {impact: send}, crm_read: {impact: read}}')
    lines = diff(manifest('{"crm_*": {impact: send}}'), exact, ["crm_read", "crm_list"])
    assert [line for line in lines if "impact" in line] == ["~ crm_read, impact: WIDENED, send → read"]
    lines = diff(exact, manifest('{"crm_*": {impact: send}}'), ["crm_read"])
    assert "~ crm_read, impact: narrowed, read → send" in lines


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (", suspend_at: 900", "", "~ suspend_at: WIDENED, risk 900 → never"),
        (", suspend_at: 850", ", suspend_at: 900", "~ suspend_at: WIDENED, 850 → 900"),
        ("", ", suspend_at: 900", "~ suspend_at: narrowed, never → risk 900"),
        ("", ", role: clerk", "~ role: WIDENED in part, remembered answers of desk → of clerk"),
        ("", ", hold_for: 2d", "~ hold_for: WIDENED, 1 day → 2 days"),
        ("", ", answer_wait: 2m", "~ answer_wait: 1 minute → 2 minutes"),
        (", unused_grants: {action: remove}", "", "~ unused_grants: WIDENED, remove → propose"),
        ("", ", privilege: high", "~ privilege: standard → high"),
        ("", ", regulated: [pci]", "~ regulated: none → pci"),
    ],
)
def test_the_other_terms_of_an_agent_are_compared(old, new, line):
    assert diff(manifest(agent=old), manifest(agent=new)) == [line]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("{}", "{role: desk}", ["~ clerk, role: WIDENED in part, remembered answers of clerk → of desk"]),
        (None, "{role: desk}", ["~ clerk, role: WIDENED in part, remembered answers of clerk → of desk"]),
        ("{hold_for: 1h}", None, ["~ clerk, hold_for: WIDENED, 1 hour → 1 day"]),
        ("{suspend_at: 900}", "{}", []),  # counts by the clerk's own passport
        (None, "{}", []),
    ],
)
def test_terms_of_agents_that_act_through_this_one_are_compared(old, new, lines):
    texts = ("\n" if item is None else f"\n  clerk: {item}\n" for item in (old, new))
    before, after = (load_manifest(f"version: 1\nagents:\n  desk: {{tools: {{}}}}{text}") for text in texts)
    assert diff(before, after) == lines


def test_the_rule_about_people_is_compared():
    strict = manifest(head="people: {suspend_at: 900}\n")
    assert diff(strict, manifest()) == ["~ people, suspend_at: WIDENED, risk 900 → never"]


def test_a_read_is_described_without_what_is_usual():
    declared = manifest("{x: {impact: read, source_trust: 800}}").declared[ActionKind.TOOL_CALL]["x"]
    assert describe_declaration(declared) == "read, source trust 800"
