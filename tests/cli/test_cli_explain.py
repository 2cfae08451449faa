"""`halo policy explain`: each check with its answer, and the smallest change; never a value, never "drop the rule"."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Impact
from halo_world import POLICY, SURFACE, Calls, cli, found, policy_folder, tool

MANIFEST = """version: 1
tools:
  pay: {impact: payment, amount: amount, unit: USD, targets: [to]}
agents:
  desk:
    owner: ana@bank
    data_scope: [pii]
    tools:
      pay: {to: {one_of: [ACC-1, ACC-2]}, amount: {max: 500}}
      lookup: any
      wipe: any
      watched: any
    budgets:
      USD: {per_action: "300.00", session: "400.00", per_day: "700.00"}
    decay: {steps: 6}
"""
CALLS = [
    ("fine", "pay", {"amount": 20, "to": "ACC-1"}),
    ("value", "pay", {"amount": 20, "to": "SECRET-9"}),
    ("missing", "pay", {"amount": 20}),
    ("extra", "lookup", {"q": "x", "limit": 3}),
    ("tool", "query", {"q": "x", "limit": 3}),
    ("label", "watched", {"q": "x"}),
    ("policy", "wipe", {"path": "/SECRET"}),
    ("challenge", "pay", {"amount": 101, "to": "ACC-1"}),
    ("once", "pay", {"amount": 301, "to": "ACC-1"}),
    ("spend", "pay", {"amount": 90, "to": "ACC-2"}),
    ("decayed", "pay", {"amount": 1, "to": "ACC-1"}),
    ("over", "pay", {"amount": 90, "to": "ACC-2"}),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Home, and the index of each call's decision."""
    home = tmp_path_factory.mktemp("explain") / "home"
    policy = policy_folder(home, POLICY)
    with HaloBase.local("desk", home=home, mode="observe", policy=policy, quiet=True) as halo:
        for name in ("lookup", "query", "wipe", "watched"):
            tool(halo, name)
        tool(halo, "pay")
        halo._agent_credentials.current(halo._registry)
    (home / "agents.yaml").write_text(MANIFEST)
    assert cli("passport", "issue", "desk", home=home)[0] == 0
    with HaloBase.local("desk", home=home, mode="enforce", policy=policy, quiet=True) as halo:
        pay = tool(halo, "pay", impact=Impact.PAYMENT, unit="USD", targets=("to",))
        watched = tool(halo, "watched", labels=("chd",))
        for name, resource, args in CALLS:
            chosen = {"pay": pay, "watched": watched}.get(resource) or tool(halo, resource)
            with halo.session(
                f"s-{name}" if name not in ("spend", "decayed") else "s-spend", request="pay ACC-1 ACC-2"
            ):
                for _ in range({"spend": 3, "decayed": 6, "over": 5}.get(name, 1)):
                    run(halo, chosen, args)
        with halo.session(""):
            run(halo, pay, {"amount": 1, "to": "ACC-1"})
    by_name = {}
    for item in found(home, EntryKind.DECISION):
        by_name[item.entry.session.removeprefix("s-")] = item.index
    return home, by_name


def run(halo, resource, args):
    try:
        halo.enforcer.run(halo.build_call(resource, args), Calls(), SURFACE)
    except Denied:
        return


def explained(told, name):
    home, by_name = told
    code, out, err = cli("policy", "explain", str(by_name[name]), home=home)
    assert code == 0, err
    plain = json.loads(cli("policy", "explain", str(by_name[name]), "--json", home=home)[1])
    return re.sub(r" +", " ", out), plain


def failed(plain):
    return [step["number"] for step in plain["steps"] if step["passed"] is False]


def test_a_call_that_ran_shows_every_check(told):
    out, plain = explained(told, "fine")
    assert (plain["effect"], failed(plain), plain["changes"]) == ("allow", [], [])
    assert [step["number"] for step in plain["steps"]] == list(range(1, 13))
    assert "no check objected" in out
    assert "payment needs 50%" in out
    assert "USD 20.00 of 400.00" in out
    assert "it ran (enforce mode)" in out


@pytest.mark.parametrize(
    ("name", "steps", "lines"),
    [
        ("value", [5], ['`to` of `pay` may be one of "ACC-1", "ACC-2"', "widen it in the manifest of desk"]),
        ("missing", [5], ['pass `to`, which may be one of "ACC-1", "ACC-2"']),
        ("extra", [5], ['lookup: {limit: any, "q": any}', "then run `halo passport issue desk`"]),
        ("tool", [5], ["agents:", 'query: {limit: any, "q": any}', "then run `halo passport issue desk`"]),
        ("label", [6], ["data_scope: [chd, pii]"]),
        ("policy", [7], ["`never` (test.cedar:11) forbids this; ask the owner of that rule", '@id("never")']),
        ("challenge", [7], ["an approval, which `ask` (test.cedar:8) requires", "halo approvals list"]),
        ("once", [7, 10], ["use a smaller amount", "change `budgets` of USD in the manifest of desk"]),
    ],
)
def test_each_refusal_names_its_check_and_the_smallest_change(told, name, steps, lines):
    out, plain = explained(told, name)
    assert failed(plain) == steps
    assert "what would have allowed it" in out
    for line in lines:
        assert line in out, out
    assert plain["changes"]


def test_a_spent_budget_and_a_spent_quota_are_told_in_numbers(told):
    out, plain = explained(told, "over")
    assert 10 in failed(plain)
    assert "USD: 360.00 used, 90.00 requested, the limit is 400.00" in out
    assert re.search(r"USD: 6[0-9]{2}\.00 used today, 90\.00 requested, the limit is 700\.00", out), out
    assert "USD: 301.00 requested, limit 300.00" in explained(told, "once")[0]


@pytest.mark.parametrize("name", ["fine", "challenge", "policy", "over"])
def test_show_and_explain_give_the_same_authority_and_budgets(told, name):
    home, by_name = told
    shown = cli("show", str(by_name[name]), home=home)[1]
    out, _ = explained(told, name)
    authority = re.search(r"^authority +(.*)$", shown, re.MULTILINE)[1]
    assert re.fullmatch(r"[0-9.]+% before, [0-9.]+% after", authority)
    assert f"authority: {authority}" in out
    spent = re.search(r"^spent +epoch 1: (.*), after it$", shown, re.MULTILINE)[1]
    amounts = dict(re.findall(r"(risk|step|USD) ([0-9.]+)", spent))
    if (budgets := re.search(r"budgets and quotas: (.*?), after it", out, re.DOTALL)) is not None:
        for unit, amount in re.findall(r"(risk|step|USD) ([0-9.]+)", budgets[1]):
            assert amount == amounts.get(unit, amount if not float(amount) else "")
    assert ("if it had run" in out) is (name != "fine")


@pytest.mark.parametrize("line", [("policy", "explain"), ("keys", "report")])
def test_eighty_columns_are_enough_and_no_line_ends_in_blanks(told, monkeypatch, line):
    home, by_name = told
    more = [str(by_name["over"])] if line[0] == "policy" else []
    wide = cli(*line, *more, home=home)[1]
    monkeypatch.setenv("COLUMNS", "80")
    narrow = cli(*line, *more, home=home)[1]
    for text in (wide, narrow):
        assert [row for row in text.splitlines() if row != row.rstrip()] == []
    assert max(map(len, narrow.splitlines())) <= 80
    assert max(map(len, wide.splitlines())) > 80
    if line[0] == "policy":
        assert "".join(narrow.split()) == "".join(wide.split())
    else:
        assert set(re.findall(r"(?<!\S)[\w-]{43}(?!\S)", wide)) <= set(narrow.split())


def test_lost_authority_asks_for_a_re_authorization(told):
    out, plain = explained(told, "spend")
    assert 9 in failed(plain)
    assert "re-authorize the session" in out
    assert "payment needs 50%" in out


def test_no_value_is_ever_shown_and_no_rule_is_to_be_dropped(told):
    for name in told[1]:
        out, plain = explained(told, name)
        assert "SECRET" not in out + json.dumps(plain), name
        assert not re.search(r"\b(remove|delete|drop|disable)\b.{0,30}(rule|policy|forbid)", out), name


def test_what_is_no_decision_cannot_be_explained(told):
    home, _ = told
    code, _, err = cli("policy", "explain", "0", home=home)
    assert (code, "[not_a_decision]" in err) == (64, True)
    code, _, err = cli("policy", "explain", "9999", home=home)
    assert (code, "[no_such_entry]" in err) == (64, True)


def test_a_decision_is_explained_without_the_content_key(told, tmp_path):
    home, by_name = told
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    (copy / "content.key").unlink()
    code, out, err = cli("policy", "explain", str(by_name["tool"]), home=copy)
    assert code == 0, err
    assert 'query: {"**": any}' in out
    assert not (copy / "content.key").exists()


def test_checks_after_the_end_were_not_asked(told, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(told[0], home)
    shutil.copytree(told[0].parent / f"{told[0].name}-policy", tmp_path / "home-policy")
    assert cli("passport", "revoke", "desk", "--why", "gone", home=home)[0] == 0
    with HaloBase.local("desk", home=home, mode="enforce", policy=policy_folder(home, POLICY), quiet=True) as halo:
        with halo.session("late"):
            run(halo, tool(halo, "lookup"), {"q": "x"})
        index = found(home, EntryKind.DECISION)[-1].index
    plain = json.loads(cli("policy", "explain", str(index), "--json", home=home)[1])
    assert failed(plain) == [3]
    assert [step["number"] for step in plain["steps"] if step["passed"] is None] == list(range(4, 13))
    assert "not checked" in cli("policy", "explain", str(index), home=home)[1]
