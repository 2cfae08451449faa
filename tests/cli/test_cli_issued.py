"""What was issued is what counts: the manifest in the ledger, not a file that may have changed since."""

from __future__ import annotations

import json
import os
from contextlib import closing

import pytest

from halo_core.errors import ConfigError, Gap, Tampered
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact
from halo_core.store.reader import Reader
from halo_world import SURFACE, attack, bodies, cli, db_of, policy_folder, schema, tool, url_of, verified

MANIFEST = """version: 1
tools:
  refund: {impact: payment, amount: amount, unit: EUR, targets: [account]}
agents:
  desk:
    owner: ana@bank
    tools:
      refund: {account: {one_of: [A-1]}, amount: {max: 50}}
    budgets:
      EUR: {session: "60.00", ceiling: "120.00", per_day: "500.00"}
    approvers: [mia@bank]
"""
ARGUMENTS = {"account": {"type": "string"}, "amount": {"type": "integer"}}


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / "agents.yaml").write_text(MANIFEST)
    return folder


def opened(home, **options):
    return HaloBase.local("desk", home=home, policy=policy_folder(home), quiet=True, mode="enforce", **options)


def unit(halo):
    return halo.register(ActionKind.TOOL_CALL, "refund", schema=schema(ARGUMENTS)).unit


def issued(home, *more):
    code, out, err = cli("passport", "issue", "desk", *more, home=home)
    assert code == 0, err
    return out


def test_a_file_without_its_unit_changes_nothing_until_it_is_issued(home):
    issued(home)
    path = home / "agents.yaml"
    for text in (MANIFEST.replace(", unit: EUR", ""), "version: 1\nagents: [broken", None):
        path.unlink() if text is None else path.write_text(text)
        with opened(home) as halo:
            assert unit(halo) == "EUR"
    path.write_text(MANIFEST.replace("unit: EUR", "unit: USD").replace("      EUR:", "      USD:"))
    issued(home)
    with opened(home) as halo:
        assert unit(halo) == "USD"
    assert verified(home) == 0


def test_a_manifest_of_the_working_directory_is_what_the_app_goes_by(home, tmp_path, monkeypatch):
    (home / "agents.yaml").rename(tmp_path / "agents.yaml")
    monkeypatch.chdir(tmp_path)
    issued(home)
    monkeypatch.chdir(home)
    with opened(home) as halo:
        assert unit(halo) == "EUR"


def test_what_is_issued_is_followed_when_the_declarations_are_read_again(home):
    with opened(home) as halo:
        assert unit(halo) == "EUR"
        (home / "agents.yaml").write_text(MANIFEST.replace("EUR", "USD"))
        assert unit(halo) == "EUR"
        issued(home)
        halo._declarations.refresh()
        assert unit(halo) == "USD"


def test_only_the_home_declares_until_something_is_issued(home):
    (home / "agents.yaml").write_text("version: 1\nagents: [broken")
    with pytest.raises(ConfigError):
        opened(home)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        (
            "UPDATE blob SET bytes=CAST(bytes || 'x' AS BLOB) WHERE hash IN (SELECT manifest FROM standing)",
            Tampered,
        ),
        ("DELETE FROM blob WHERE hash=(SELECT manifest FROM standing)", Gap),
    ],
)
def test_a_manifest_that_is_not_as_it_was_issued_is_not_gone_by(home, statement, error):
    issued(home)
    with closing(attack(db_of(home))) as database:
        database.execute(statement)
        database.commit()
    with pytest.raises(error):
        opened(home)
    assert verified(home) != 0


def test_a_row_that_names_another_manifest_is_tampering(home):
    issued(home)
    assert verified(home) == 0
    with closing(attack(db_of(home))) as database:
        database.execute("UPDATE standing SET manifest=''")
        database.commit()
    assert verified(home) == 11


@pytest.mark.parametrize("statement", ["UPDATE standing SET origin='derived', manifest=''", "DELETE FROM standing"])
def test_a_row_that_denies_what_was_issued_brings_no_file_back(home, statement):
    issued(home)
    (home / "agents.yaml").write_text(MANIFEST.replace(", unit: EUR", ""))
    with closing(attack(db_of(home))) as database:
        database.execute(statement)
        database.commit()
    with opened(home) as halo:
        assert unit(halo) == "EUR"


def test_inspect_tells_what_the_issued_manifest_declares(home):
    issued(home)
    (home / "agents.yaml").write_text(MANIFEST.replace("impact: payment", "impact: read"))
    assert "may: payments" in cli("passport", "inspect", "desk", home=home)[1]
    given = ("--manifest", str(home / "agents.yaml"))
    assert "may: reads" in cli("passport", "inspect", "desk", *given, home=home)[1]


def test_the_manifest_is_kept_once_for_all_of_its_agents(home):
    (home / "agents.yaml").write_text(MANIFEST + "  clerk: {}\n")
    issued(home)
    assert cli("passport", "issue", "clerk", home=home)[0] == 0
    (body,) = bodies(home, EntryKind.MANIFEST)
    assert {item["manifest"] for item in bodies(home, EntryKind.PASSPORT)} == {body["hash"]}
    with Reader(url_of(home)) as reader:
        assert reader.blob("local", body["hash"]) == (home / "agents.yaml").read_bytes()


# what is said


def test_a_first_issue_says_all_of_it(home):
    out = issued(home)
    for line in (
        "+ refund: account: only",
        "+ EUR in a session: 60.00",
        "+ EUR if re-authorized: 120.00",
        "+ EUR in a day: 500.00",
        "+ authority: halves every day",
        "executions stop below 50%",
        "+ approvers: mia@bank",
        "+ lifetime: 90 days",
        "+ owner: ana@bank",
        "not enrolled, so their answers are not accepted: mia@bank",
        "arguments that could not be checked, because their tools are not registered yet: refund (account, amount);",
    ):
        assert line in out, line
    assert "+ EUR in a session: 60.00" in cli("passport", "history", "desk", home=home)[1]
    assert cli("approver", "enrol", "mia@bank", home=home)[0] == 0
    (home / "agents.yaml").write_text(MANIFEST.replace("[mia@bank]", "[mia@bank, bo@bank]"))
    out = issued(home)
    assert "not enrolled, so their answers are not accepted: bo@bank" in out
    assert "~ approvers: mia@bank → bo@bank, mia@bank" in out


def test_a_schema_that_is_known_now_takes_nothing_away(home):
    (home / "agents.yaml").write_text(
        MANIFEST.replace("refund: {account: {one_of: [A-1]}, amount: {max: 50}}", "refund: any")
    )
    assert "+ refund: any arguments" in issued(home)
    with opened(home) as halo, halo.session("s"):
        unit(halo)
        halo._agent_credentials.current(halo._registry)
    out = issued(home)
    assert "~ refund: narrowed, any arguments → account, amount (the tool's schema is known now)" in out
    assert "other arguments" not in out


def test_a_misspelt_argument_of_a_tool_that_never_ran_is_caught(home):
    (home / "agents.yaml").write_text(MANIFEST.replace("amount: {max: 50}", "amuont: {max: 50}"))
    code, _, err = cli("passport", "issue", "desk", "--dry-run", home=home)
    assert (code, "did you mean `amount`" in err) == (64, True)


# what is registered


@pytest.mark.parametrize("planted", [True, False])
def test_a_registration_that_the_log_does_not_bear_out_is_refused(home, planted):
    (home / "agents.yaml").write_text(MANIFEST.replace("      refund: {", '      "ref*": any\n      refund: {'))
    with opened(home) as halo:
        unit(halo)
        tool(halo, "lookup")
        halo._agent_credentials.current(halo._registry)
    with closing(attack(db_of(home))) as database:
        if planted:
            database.execute("INSERT INTO resource SELECT tenant, 'refund_all', spec FROM resource WHERE id='lookup'")
        else:
            database.execute("UPDATE resource SET spec=CAST(replace(spec, 'EUR', 'USD') AS BLOB) WHERE id='refund'")
        database.commit()
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert (code, "[registration_altered]" in err) == (11, True), err
    assert cli("enforce", "--grants", "--yes", home=home)[0] != 0


# revoked, unreadable


def test_a_revoked_agent_gets_no_other_passport(home):
    issued(home)
    assert "REVOKED" not in cli("passport", "inspect", "desk", home=home)[1]
    assert cli("passport", "revoke", "desk", "--why", "gone", home=home)[0] == 0
    code, out, _ = cli("passport", "inspect", "desk", home=home)
    assert (code, out.startswith("REVOKED agent desk")) == (0, True)
    assert json.loads(cli("passport", "inspect", "desk", "--json", home=home)[1])["revoked"] == ["agent desk"]
    for more in ([], ["--dry-run"]):
        code, _, err = cli("passport", "issue", "desk", *more, home=home)
        assert (code, "agent `desk` is permanently revoked" in err, "another id" in err) == (64, True, True)
    assert len(bodies(home, EntryKind.PASSPORT)) == 1


def test_a_revoked_passport_is_answered_by_a_new_one(home):
    issued(home)
    (first,) = bodies(home, EntryKind.PASSPORT)
    assert cli("passport", "revoke", first["hash"], "--why", "lost", home=home)[0] == 0
    assert cli("passport", "inspect", "desk", home=home)[1].startswith("REVOKED link")
    issued(home)
    assert "REVOKED" not in cli("passport", "inspect", "desk", home=home)[1]
    assert verified(home) == 0


def test_what_never_ends_is_not_read(home, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero"):
        for words in (("verify", path), ("issue", "desk", "--manifest", path)):
            code, _, err = cli("passport", *words, home=home)
            assert code == 64, words
            assert "not a regular file" in err or "there is no" in err


# enforce --grants


def ran(home, **declared):
    with opened(home) as halo, halo.session("s", request="refund 5 to A-1"):
        resource = tool(halo, "lookup", impact=Impact.READ, **declared)
        halo.enforcer.run(halo.build_call(resource, {"q": "x"}), lambda _: "done", SURFACE)


GRANTED = MANIFEST.replace("    budgets:", "      lookup: any\n    budgets:").replace(
    "tools:\n  refund", "tools:\n  lookup: {impact: read}\n  refund"
)


def test_grants_show_the_whole_difference_and_widen_nothing_unasked(home):
    (home / "agents.yaml").write_text(GRANTED)
    issued(home)
    ran(home)
    wide = GRANTED.replace('"60.00"', '"90.00"').replace("ana@bank", "eve@bank").replace("[mia@bank]", "[eva@bank]")
    (home / "agents.yaml").write_text(wide)
    code, out, err = cli("enforce", "--grants", "--yes", home=home)
    assert (code, "[widened]" in err) == (64, True)
    for line in (
        "desk: granted 2, used 1: this one would be removed",
        "~ EUR in a session: WIDENED, 60.00 → 90.00",
        "~ owner: ana@bank → eve@bank",
        "~ approvers: mia@bank → eva@bank",
        "no granted tool spends the budget EUR",
    ):
        assert line in out, line
    assert (home / "agents.yaml").read_text() == wide
    assert len(bodies(home, EntryKind.PASSPORT)) == 1 + len(
        [b for b in bodies(home, EntryKind.PASSPORT) if b["kind"] != "standing"]
    )
    assert cli("enforce", "--grants", "--yes", "--widen", home=home)[0] == 0
    assert "refund" not in cli("passport", "inspect", "desk", home=home)[1]


def test_grants_edit_the_manifest_of_the_working_directory_and_say_so(home, tmp_path, monkeypatch):
    (home / "agents.yaml").write_text(GRANTED)
    (home / "agents.yaml").rename(tmp_path / "agents.yaml")
    monkeypatch.chdir(tmp_path)
    issued(home)
    ran(home)
    code, out, err = cli("enforce", "--grants", "--yes", home=home)
    assert (code, "manifest: agents.yaml" in out) == (0, True), err
    assert not (home / "agents.yaml").exists()
    assert "refund: {account" not in (tmp_path / "agents.yaml").read_text()
