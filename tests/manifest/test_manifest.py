"""`agents.yaml`: what it means, and how it says what is wrong. The example is the one of docs/manifest.md."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from manifest_world import EXAMPLE

from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.manifest import DEFAULT_TERMS, Manifest, ManifestError, load_manifest, replace_grants
from halo_core.manifest.agents import (
    DEFAULT_BUDGETS,
    DEFAULT_CEILINGS,
    DEFAULT_DECAY,
    DEFAULT_LIFETIME_S,
    DEFAULT_SESSION_LIFETIME_S,
)
from halo_core.model import ANY_OTHER, ActionKind, Budget, Constraint, Impact, Quota, Resource, Reversal
from halo_core.passports.claims import budgets_to_json, decay_to_json, parse_budgets, parse_decay, terms_to_json

TOOL = ActionKind.TOOL_CALL
HEAD = "version: 1\nagents:\n  desk:\n"


def registered(name, *arguments, kind=TOOL, required=(), extra=False, **changes):
    schema = {"properties": {a: {"type": "string"} for a in arguments}, "required": list(required)}
    if extra:
        schema["additionalProperties"] = True
    return RegisteredResource(Resource(id=name, kind=kind, **changes), schema)


CATALOGUE = [
    registered("pay_invoice", "account", "amount", impact=Impact.WRITE),
    registered("read_ticket", "number"),
    registered("crm_get", "id"),
    registered("crm_delete", "id"),
    registered("gpt", "messages", kind=ActionKind.INFERENCE),
]


def desk(*lines):
    return HEAD + "".join(f"    {line}\n" for line in lines)


def refused(text, catalogue=None, agent="desk"):
    """Findings as `line:column path: message`."""
    with pytest.raises(ManifestError) as caught:
        load_manifest(text).build_passport_spec(agent, catalogue or [])
    error = caught.value
    assert isinstance(error, ConfigError)
    assert re.match(r"agents\.yaml:\d+:\d+: ", error.message), error.message
    assert str(error).startswith("agents.yaml:")
    return [f"{f.line}:{f.column} {f.path}: {f.message}" for f in error.findings]


# what it means


def test_the_documented_example_says_what_it_says():
    manifest = load_manifest(EXAMPLE)
    assert (manifest.tenant, manifest.principal) == ("local", "bank:acme")
    issue = manifest.build_passport_spec("loan-desk", CATALOGUE)
    assert (issue.agent, issue.owner, issue.labels) == ("loan-desk", "ana@bank.example", ("pii",))
    assert issue.grants == {
        TOOL: {
            "crm_delete": {"id": Constraint.matches("C-[0-9]+")},
            "pay_invoice": {"account": Constraint.one_of("ACC-1", "ACC-2"), "amount": Constraint.between(1, 500)},
            "read_ticket": {"number": Constraint.anything()},
        },
        ActionKind.INFERENCE: {"gpt": {"messages": Constraint.anything()}},
        ActionKind.HANDOFF: {"clerk": {ANY_OTHER: Constraint.anything()}},
    }
    assert issue.terms.budgets == (
        Budget("USD", 500_00, 2000_00, 2),
        Budget("risk", 600, 600),
        Budget("step", 40, 40),
        Budget("time", 7200, 7200),
    )
    assert issue.ceilings == (
        Budget("USD", 500_00, 5000_00, 2),
        Budget("risk", 600, 600),
        Budget("step", 120, 120),
        Budget("time", 21600, 21600),
    )
    assert issue.quotas == (Quota("USD", 20_000_00, 2), Quota("step", 2000))
    decay = issue.terms.decay
    assert (decay.authority, decay.half_life_s, decay.half_life_steps, decay.half_life_risk) == (10**6, 1800, 20, 200)
    assert (decay.reauthorize_below, decay.bands) == (50_000, ((200, 400_000),))
    assert dict(decay.floors) == {**dict(DEFAULT_DECAY.floors), "payment": 500_000, "read": 50_000}
    assert (issue.lifetime_s, issue.terms.lifetime_s, issue.hand_off_to) == (90 * 86400, 8 * 3600, ("clerk",))
    assert issue.facts == {
        "approvers": ["mia@bank.example"],
        "privilege": "high",
        "purpose": "answers customers and pays small refunds",
        "regulated": ["gdpr", "pci"],
    }
    assert issue.notes == ()


def test_what_is_left_out_has_generous_defaults_that_a_passport_can_hold():
    issue = load_manifest("version: 1\nagents: {desk: {}}").build_passport_spec("desk", [])
    assert (issue.tenant, issue.principal, issue.owner, issue.labels) == ("local", "tenant:local", "", None)
    assert (issue.grants, issue.hand_off_to) == ({}, ())
    assert (issue.terms, issue.ceilings, issue.quotas) == (DEFAULT_TERMS, DEFAULT_CEILINGS, ())
    assert (issue.lifetime_s, issue.terms.lifetime_s) == (DEFAULT_LIFETIME_S, DEFAULT_SESSION_LIFETIME_S)
    assert parse_decay(decay_to_json(DEFAULT_DECAY), "") == DEFAULT_DECAY
    assert parse_budgets(budgets_to_json(DEFAULT_BUDGETS), "") == DEFAULT_BUDGETS
    assert terms_to_json(issue.terms)["life"] == 30 * 86400
    assert set(dict(DEFAULT_DECAY.floors)) == {impact.value for impact in Impact}


def test_a_declaration_by_name_goes_before_the_longest_pattern():
    manifest = load_manifest(EXAMPLE)
    assert manifest.find_resource("crm_get").impact is Impact.READ
    assert manifest.find_resource("crm_get").reversal is Reversal.NONE_NEEDED
    assert manifest.find_resource("crm_delete").impact is Impact.DELETE
    assert manifest.find_resource("other") is None
    assert manifest.find_resource("pay_invoice", ActionKind.RETRIEVAL) is None
    assert manifest.find_resource("gpt", ActionKind.INFERENCE).kind is ActionKind.INFERENCE
    nested = load_manifest("version: 1\ntools: {'a*': {impact: read}, 'ab*': {impact: write}}\nagents: {x: {}}")
    assert nested.find_resource("abc").impact is Impact.WRITE
    exact = load_manifest("version: 1\ntools: {'ab*': {impact: write}, ab: {impact: read}}\nagents: {x: {}}")
    assert exact.find_resource("ab").impact is Impact.READ  # though the pattern says as much of it
    alike = load_manifest("version: 1\ntools: {'a*b': {}, 'ab*': {}}\nagents: {x: {}}")
    with pytest.raises(ConfigError, match="equally"):
        alike.find_resource("abb")


def test_a_pattern_is_expanded_over_what_is_known_and_nothing_else():
    manifest = load_manifest(desk('tools: ["crm_*"]'))
    issue = manifest.build_passport_spec("desk", CATALOGUE)
    assert set(issue.grants[TOOL]) == {"crm_get", "crm_delete"}
    assert set(manifest.build_passport_spec("desk", [registered("crm_get", "id")]).grants[TOOL]) == {"crm_get"}
    closest = load_manifest(desk("tools:", '  "crm_*": any', "  crm_get: {id: {exact: 3}}")).build_passport_spec(
        "desk", CATALOGUE
    )
    assert closest.grants[TOOL]["crm_get"] == {"id": Constraint.exactly(3)}
    assert closest.grants[TOOL]["crm_delete"] == {"id": Constraint.anything()}
    open_tool = load_manifest(desk("tools: [t]")).build_passport_spec("desk", [registered("t", "a", extra=True)])
    assert set(open_tool.grants[TOOL]["t"]) == {"a", ANY_OTHER}
    unregistered = load_manifest("version: 1\ntools: {t: {}}\n" + "agents: {desk: {tools: [t]}}").build_passport_spec(
        "desk", []
    )
    assert unregistered.grants[TOOL]["t"] == {ANY_OTHER: Constraint.anything()}


def test_models_are_granted_unless_they_are_named():
    gpt = registered("gpt", "messages", kind=ActionKind.INFERENCE)
    assert load_manifest(desk("tools: {}")).build_passport_spec("desk", [gpt]).grants[ActionKind.INFERENCE].keys() == {
        "gpt"
    }
    assert ActionKind.INFERENCE not in load_manifest(desk("models: []")).build_passport_spec("desk", [gpt]).grants
    assert "no model" in load_manifest(desk("tools: {}")).build_passport_spec("desk", []).notes[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("any", Constraint.anything()),
        ("{exact: 3}", Constraint.exactly(3)),
        ('{exact: "3"}', Constraint.exactly("3")),
        ("{exact: true}", Constraint.exactly(True)),
        ("{one_of: [a, 1, false]}", Constraint.one_of("a", 1, False)),
        ("{not_one_of: [a]}", Constraint.none_of("a")),
        ("{max: 500}", Constraint.between(None, 500)),
        ("{min: -5}", Constraint.between(-5, None)),
        ("{min: 1, max: 1}", Constraint.between(1, 1)),
        ("{prefix: /data/}", Constraint.starts_with("/data/")),
        ('{pattern: "[a-z]+"}', Constraint.matches("[a-z]+")),
    ],
)
def test_every_constraint(text, expected):
    issue = load_manifest(desk("tools:", f"  t: {{x: {text}}}")).build_passport_spec("desk", [registered("t", "x")])
    assert issue.grants[TOOL]["t"] == {"x": expected}


def test_circles_of_hand_offs_are_fine():
    manifest = load_manifest("version: 1\nagents:\n  a: {hand_off: [b]}\n  b: {hand_off: [a]}\n")
    assert manifest.build_passport_spec("a", []).grants[ActionKind.HANDOFF] == {"b": {ANY_OTHER: Constraint.anything()}}


# what is wrong, and where


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # budgets
        (["budgets:", "  step: 0"], "5:13 agents.desk.budgets.step: a whole number of at least 1 is expected"),
        (["budgets:", "  step: -4"], "5:13 agents.desk.budgets.step: a whole number of at least 1 is expected"),
        (['budgets: {step: "4"}'], "4:21 agents.desk.budgets.step: a whole number is expected"),
        (
            ["budgets:", "  step:", "    session: 40", "    ceiling: 20"],
            "7:18 agents.desk.budgets.step.ceiling: `ceiling` is below the session's initial limit",
        ),
        (
            ["budgets: {step: {session: 40, per_day: 39}}"],
            "4:44 agents.desk.budgets.step.per_day: `per_day` is below the limit of one session",
        ),
        (
            ['budgets: {USD: {session: "5.00", per_action: "5.01"}}'],
            "4:50 agents.desk.budgets.USD.per_action: `per_action` is above the limit of the session",
        ),
        (
            ["budgets: {USD: {session: 500.00}}"],
            "4:30 agents.desk.budgets.USD.session: a YAML number with a fraction is not exact",
        ),
        (['budgets: {USD: {session: "0.00"}}'], "4:30 agents.desk.budgets.USD.session: an amount must be above zero"),
        (['budgets: {USD: {session: "-1"}}'], "4:30 agents.desk.budgets.USD.session: `-1` is not an amount"),
        (['budgets: {USD: {session: "1.001"}}'], "4:30 agents.desk.budgets.USD.session: more than 2 decimals"),
        (["budgets: {USD: {ceiling: 5}}"], "4:20 agents.desk.budgets.USD: `session` is missing"),
        (["budgets: {U$D: 5}"], '4:20 agents.desk.budgets."U$D": a unit must be a letter'),
        (["budgets: {time: 2x}"], "4:21 agents.desk.budgets.time: `2x` is not a duration"),
        (["budgets: {time: {session: 2h, per_day: 3h}}"], "4:35 agents.desk.budgets.time.per_day: there is no field"),
        (["budgets: {step: {session: 1, decimals: 2}}"], "4:34 agents.desk.budgets.step.decimals: there is no field"),
        # decay
        (["decay: {half_life: 0s}"], "4:24 agents.desk.decay.half_life: `0s` is not a duration"),
        (["decay: {steps: 0}"], "4:20 agents.desk.decay.steps: a whole number of at least 1 is expected"),
        (["decay: {authority: 0%}"], "4:24 agents.desk.decay.authority: an agent without authority"),
        (["decay: {reauthorize_below: 0.05}"], "4:32 agents.desk.decay.reauthorize_below: `0.05` is not a share"),
        (["floors: {payments: 50%}"], "4:24 agents.desk.floors.payments: there is no such impact class"),
        (["floors: {payment: 101%}"], "4:23 agents.desk.floors.payment: `101%` is not a share"),
        (
            ["bands: [{risk: 9, authority: 40%}, {risk: 9, authority: 30%}]"],
            "4:40 agents.desk.bands[1]: bands must rise in risk",
        ),
        (
            ["bands: [{risk: 9, authority: 40%}, {risk: 10, authority: 40%}]"],
            "4:40 agents.desk.bands[1]: bands must rise in risk",
        ),
        # people
        (["privilege: high"], "4:5 agents.desk: an agent of high privilege needs an `owner`"),
        (["privilege: root", "owner: a"], "4:16 agents.desk.privilege: `root` is not a valid value here"),
        (["owner: ana", "approvers: [user:ANA]"], "5:16 agents.desk.approvers: `user:ANA` is the owner"),
        (["approvers: [desk]"], "4:16 agents.desk.approvers: `desk` is the agent and cannot approve"),
        (["approvers: [tenant:local]"], "4:16 agents.desk.approvers: `tenant:local` is the principal"),
        (["hand_off: [dsk]"], "4:16 agents.desk.hand_off[0]: there is no agent `dsk`"),
        (["hand_off: [desk]"], "4:15 agents.desk.hand_off: an agent cannot hand off to itself"),
        (["lifetime: 400d"], "4:15 agents.desk.lifetime: at most 366 days are possible"),
        (["session_lifetime: 31d"], "4:23 agents.desk.session_lifetime: at most 30 days are possible"),
        (["data_scope: [PII]"], "4:18 agents.desk.data_scope[0]: `PII` is not a valid label"),
        (["ownr: ana"], "4:5 agents.desk.ownr: there is no field `ownr`"),
        (["owner: ana", "owner: bob"], "5:5 agents.desk.owner: the key occurs twice"),
        # grants
        (["tools: lookup"], "4:12 agents.desk.tools: a list or a mapping is expected"),
        (["tools: [lookup, lookup]"], "4:21 agents.desk.tools[1]: `lookup` occurs twice"),
        (["tools: ['a;b']"], "4:13 agents.desk.tools[0]: `a;b` is not a valid name or pattern"),
        (["tools: {t: {x: 5}}"], "4:20 agents.desk.tools.t.x: a constraint is expected"),
        (["tools: {t: {x: {}}}"], "4:20 agents.desk.tools.t.x: exactly one kind of constraint is expected"),
        (["tools: {t: {x: {exact: 1, max: 3}}}"], "4:20 agents.desk.tools.t.x: exactly one kind"),
        (["tools: {t: {x: {max: 1.5}}}"], "4:26 agents.desk.tools.t.x.max: a number with a fraction is not exact"),
        (["tools: {t: {x: {max: '5'}}}"], "4:26 agents.desk.tools.t.x.max: a bound must be a whole number"),
        (["tools: {t: {x: {min: 5, max: 4}}}"], "4:20 agents.desk.tools.t.x: `min` is above `max`"),
        (["tools: {t: {x: {one_of: []}}}"], "4:29 agents.desk.tools.t.x.one_of: the list is empty"),
        (["tools: {t: {x: {one_of: [1, 1]}}}"], "4:20 agents.desk.tools.t.x: a value occurs twice"),
        (["tools: {t: {x: {prefix: 'https://a.b'}}}"], "4:20 agents.desk.tools.t.x: a URL prefix must include"),
        (["tools: {t: {x: {pattern: '(('}}}"], "4:20 agents.desk.tools.t.x: the pattern is not an RE2 expression"),
        (["tools: {t: {x: {oneof: [1]}}}"], "4:21 agents.desk.tools.t.x.oneof: there is no field `oneof`"),
        # YAML 1.1
        (["tools: {t: {x: {one_of: [NO]}}}"], "4:30 agents.desk.tools.t.x.one_of[0]: YAML reads `NO` as a truth value"),
        (["tools: {t: {on: any}}"], "4:17 agents.desk.tools.t: YAML reads `on` as a truth value"),
        (["tools: {t: {x: {exact: 010}}}"], "4:28 agents.desk.tools.t.x.exact: `010` is not a plain number"),
        (["tools: {t: {x: {exact: 1_000}}}"], "4:28 agents.desk.tools.t.x.exact: `1_000` is not a plain number"),
        (["tools: {t: {x: {exact: 1:30}}}"], "4:28 agents.desk.tools.t.x.exact: `1:30` is not a plain number"),
        (["tools: {t: {x: {exact: 9007199254740992}}}"], "4:28 agents.desk.tools.t.x.exact: `9007199254740992` is"),
        (
            ["tools: {t: {x: {exact: 2026-01-01}}}"],
            "4:28 agents.desk.tools.t.x.exact: YAML reads `2026-01-01` as a date",
        ),
        (["tools: {t: {x: {exact: }}}"], "4:27 agents.desk.tools.t.x.exact: the value is missing"),
        (["owner: 12"], "4:12 agents.desk.owner: YAML reads `12` as a number"),
        (["owner: yes"], "4:12 agents.desk.owner: YAML reads `yes` as a truth value"),
        (["purpose:"], "4:13 agents.desk.purpose: the value is missing"),
    ],
)
def test_an_error_names_its_line_column_and_field(lines, expected):
    found = refused(desk(*lines), [registered("t", "x"), registered("lookup")])
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1:1 : the manifest is empty"),
        ("# nothing\n", "1:1 : the manifest is empty"),
        ("agents: {a: {}}", "1:1 : `version` is missing"),
        ("version: 2\nagents: {a: {}}", "1:10 version: a whole number of at least 1 and at most 1"),
        ("version: 1\n", "1:1 : there are no `agents`"),
        ("version: 1\nagents: {}", "1:1 : there are no `agents`"),
        ("version: 1\nagents: [a]", "2:9 agents: a mapping is expected"),
        ("[1, 2]", "1:1 : a mapping is expected"),
        ('version: 1\nagents:\n  "a\\tb": {}\n', "3:3 agents: a printable text"),
        ("version: 1\nagents:\n  'a;b': {}\n", '3:10 agents."a;b": `a;b` is not a valid name in a passport'),
        ("version: 1\nagents:\n  a: &x {}\n  b: *x\n", "3:6 : anchors and aliases are not supported"),
        ("version: 1\nagents: !!map {a: {}}", "2:9 : tags are not supported"),
        ("version: 1\nagents: {a: {<<: {owner: x}}}", "2:14 agents.a: YAML reads `<<` as something else"),
        ("version: 1\nagents: {a: {}\n", "3:1 : this is not YAML: while parsing a flow mapping"),
        ("version: 1\nagents: {a: {}}\n---\nb: 1\n", "3:1 : this is not YAML"),
        ('version: 1\nagents: {a: {owner: "\\UFFFFFFFF"}}', "1:1 : this is not YAML"),
        ("version: 1\nagents:\n  a: {owner: \x00}\n", "3:14 : a character that YAML does not allow"),
        ("version: 1\nagents:\n  a: {owner: \ud800}\n", "3:14 : a character that YAML does not allow"),
        ("[" * 40, "1:17 : the manifest is nested too deep"),
        ("version: 1\ntools: {t: {impact: reed}}\nagents: {a: {}}", "2:21 tools.t.impact: `reed` is not a valid value"),
        ("version: 1\ntools: {t: {unit: USD}}\nagents: {a: {}}", "2:12 tools.t: a cost must be a unit"),
        (
            "version: 1\ntools: {t: {costs: {risk: 1}}}\nagents: {a: {}}",
            "2:20 tools.t.costs: `risk` is reserved for Halo",
        ),
        ("version: 1\ntools: {t: {costs: {USD: 0.02}}}\nagents: {a: {}}", "2:26 tools.t.costs.USD: a YAML number"),
        ("version: 1\ntools: {t: {source_trust: 1001}}\nagents: {a: {}}", "2:27 tools.t.source_trust: a whole"),
        ("version: 1\ntools: {t: {idempotent: yes}}\nagents: {a: {}}", "2:25 tools.t.idempotent: YAML reads `yes`"),
        ("version: 1\ntools: {t: {impact: read, impact: send}}\nagents: {a: {}}", "2:27 tools.t.impact: the key"),
    ],
)
def test_an_error_of_the_whole_file_has_its_place(text, expected):
    found = refused(text, agent="a")
    assert any(line.startswith(expected) for line in found), found


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["tools: [pay_invoise]"], "4:13 agents.desk.tools[0]: none of the tools is named `pay_invoise`"),
        (["tools:", "  'erp_*': any"], "5:16 agents.desk.tools.erp_*: `erp_*` matches none of the known tools"),
        (
            ["tools:", "  pay_invoice: {ammount: any}"],
            "5:30 agents.desk.tools.pay_invoice.ammount: `pay_invoice` has no",
        ),
        (["retrievers: [pay_invoice]"], "4:18 agents.desk.retrievers[0]: none of the retrievers is named"),
        (["tools:", "  'crm_g*': any", "  'crm_?e*': any"], "6:18 agents.desk.tools.crm_?e*: `crm_?e*` and `crm_g*`"),
    ],
)
def test_a_grant_of_what_nobody_knows_names_its_line(lines, expected):
    found = refused(desk(*lines), CATALOGUE)
    assert any(line.startswith(expected) for line in found), found


def test_a_grant_without_what_the_tool_demands_is_refused():
    needs = [registered("t", "a", "b", required=("a", "b"))]
    assert refused(desk("tools: {t: {a: any}}"), needs) == [
        "4:16 agents.desk.tools.t: `t` needs `b`, which is not granted: every call would be denied"
    ]
    assert load_manifest(desk('tools: {t: {a: any, "**": any}}')).build_passport_spec("desk", needs)


def test_what_is_granted_must_be_payable():
    pay = [registered("t", "amount", amount="amount", unit="EUR", costs=(("USD", "0.02"),))]
    assert refused(desk("tools: [t]", "budgets: {EUR: 5}"), pay) == [
        "4:5 agents.desk.budgets: `t` spends USD, which has no budget: every call would be denied"
    ]
    assert load_manifest(desk("tools: [t]", "budgets: {EUR: 5, USD: 1}")).build_passport_spec("desk", pay)


def test_what_can_never_run_is_noted():
    issue = load_manifest(desk("tools: [t]", "floors: {read: 100%}")).build_passport_spec(
        "desk", [registered("t", impact="read")]
    )
    assert any("can never run" in note for note in issue.notes)


def test_all_errors_are_told_at_once_in_file_order():
    text = desk("owner: 5", "privilege: root", "lifetime: x", "budgets: {step: 0}")
    with pytest.raises(ManifestError) as caught:
        load_manifest(text, source="other.yaml")
    findings = caught.value.findings
    assert [finding.line for finding in findings] == [4, 5, 6, 7]
    assert caught.value.message.startswith("other.yaml:4:12: agents.desk.owner: ")
    assert "(and 3 more)" in caught.value.message
    assert all(finding.remedy or "expected" in finding.message for finding in findings)
    assert caught.value.remedy == findings[0].remedy


def test_remedies_guess_what_was_meant():
    def remedy(text):
        with pytest.raises(ManifestError) as caught:
            load_manifest(text).build_passport_spec("desk", CATALOGUE)
        return caught.value.findings[0].remedy

    assert remedy(desk("ownr: ana")) == "did you mean `owner`"
    assert remedy(desk("tools: [pay_invoise]")) == "did you mean `pay_invoice`"
    assert remedy(desk("tools: {pay_invoice: {acount: any}}")) == "did you mean `account`"
    assert remedy(desk("hand_off: [desc]")) == "did you mean `desk`"
    with pytest.raises(ConfigError) as caught:
        load_manifest(desk("tools: []")).find_agent("desc")
    assert (caught.value.code, caught.value.remedy) == ("no_such_agent", "did you mean `desk`")


def test_a_small_text_never_becomes_a_large_value():
    bomb = "a: &a [x, x]\n" + "".join(f"{n}: &{n} [*{p}, *{p}]\n" for p, n in zip("abcdefgh", "bcdefghi", strict=True))
    assert refused(bomb) == ["1:4 : anchors and aliases are not supported"]
    assert refused("a: " + "x" * (1 << 20)) == ["1:1 : the manifest is larger than 1 MiB"]


# any text


@given(st.text(max_size=200))
def test_any_text_gives_a_manifest_or_its_errors(text):
    check_total(text)


YAMLISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "version agents tools models desk budgets step USD session decay floors bands owner hand_off x".split()
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(YAMLISH, YAMLISH)
def test_any_tree_gives_a_manifest_or_its_errors(agent, tools):
    tree = {"version": 1, "agents": {"desk": agent}, "tools": tools}
    check_total(yaml.safe_dump(tree, allow_unicode=True))


@given(st.data())
def test_any_edit_of_the_example_gives_a_manifest_or_its_errors(data):
    at = data.draw(st.integers(0, len(EXAMPLE)))
    end = data.draw(st.integers(at, min(len(EXAMPLE), at + 20)))
    check_total(EXAMPLE[:at] + data.draw(st.text(max_size=6)) + EXAMPLE[end:])


def outcome(make):
    try:
        return make(), ""
    except ConfigError as exc:
        return None, exc.message


def check_total(text):
    manifest, message = outcome(lambda: load_manifest(text))
    if manifest is None:
        assert re.match(r"agents\.yaml:\d+:\d+: ", message)
        return
    assert isinstance(manifest, Manifest)
    for agent in manifest.agents:
        issue, message = outcome(lambda agent=agent: manifest.build_passport_spec(agent, CATALOGUE))
        if issue is None:
            assert message.startswith("agents.yaml:")
            continue
        # Whatever was accepted a passport can hold.
        assert parse_decay(decay_to_json(issue.terms.decay), "") == issue.terms.decay
        assert parse_budgets(budgets_to_json(issue.terms.budgets), "") == issue.terms.budgets


# writing grants into one


def test_grants_are_written_and_everything_else_stays():
    grants = {
        TOOL: {
            "pay": {
                "to": Constraint.one_of("A", "no", 3, True),
                "n": Constraint.between(1, 5),
                ANY_OTHER: Constraint.anything(),
            }
        },
        ActionKind.RETRIEVAL: {"kb": {"query": Constraint.anything()}},
    }
    text = (
        "# ours\nversion: 1\nagents:\n  desk:\n    owner: ana  # she\n    tools: [a]\n\n    # after\n"
        "    lifetime: 1d\n  z: {}\n# end\n"
    )
    made = replace_grants(text, "desk", grants, tenant="local")
    for kept in ("# ours", "owner: ana  # she", "# after", "lifetime: 1d", "# end", "z: {}"):
        assert kept in made
    rules = {rule.pattern: rule.arguments for rule in load_manifest(made).agents["desk"].rules[TOOL]}
    assert rules == grants[TOOL]
    assert replace_grants(made, "desk", grants, tenant="local") == made
    added = replace_grants(text, "new", grants, tenant="local")
    assert {rule.pattern for rule in load_manifest(added).agents["new"].rules[TOOL]} == {"pay"}
    assert load_manifest(added).agents["desk"].owner == "ana"
    fresh = replace_grants("", "desk", {**grants, ActionKind.HANDOFF: {"clerk": {}}}, tenant="t")
    assert (load_manifest(fresh).tenant, load_manifest(fresh).agents["desk"].hand_off) == ("t", ("clerk",))


def test_a_manifest_on_one_line_is_left_alone():
    for text in ("version: 1\nagents: {desk: {}}\n", "version: 1\nagents:\n  desk: {owner: a}\n"):
        with pytest.raises(ConfigError) as caught:
            replace_grants(text, "desk", {TOOL: {"t": {}}}, tenant="local")
        assert caught.value.code == "manifest_layout"


VALUE = (
    st.text(max_size=8).filter(lambda text: text.isprintable() and text) | st.integers(-(2**40), 2**40) | st.booleans()
)


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9_.:/@-]{1,12}", fullmatch=True),
        st.dictionaries(
            st.from_regex(r"[!-~]{1,12}", fullmatch=True),
            st.just(Constraint.anything()) | VALUE.map(Constraint.exactly) | st.integers(0, 99).map(Constraint.between),
            max_size=3,
        ),
        max_size=3,
    )
)
def test_whatever_is_written_is_read_the_same(tools):
    made = replace_grants(EXAMPLE, "loan-desk", {TOOL: tools}, tenant="local")
    rules = {rule.pattern: dict(rule.arguments) for rule in load_manifest(made).agents["loan-desk"].rules[TOOL]}
    assert rules == tools


def test_programs_are_read_by_argument():
    programs = "{then: cypher, statement: sql/sqlite, other: gremlin}"
    text = f"version: 1\ntools:\n  run: {{impact: execute, programs: {programs}}}\nagents:\n  desk: {{}}\n"
    resource = load_manifest(text).find_resource("run")
    assert resource.programs == (("other", "gremlin"), ("statement", "sql/sqlite"), ("then", "cypher"))
