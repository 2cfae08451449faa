"""`halo passport`, `halo agents`, `halo enforce --grants`: what is issued, shown, checked and taken."""

from __future__ import annotations

import base64
import json
import re
import shutil

import pytest

from halo_core.authorities import Authorities
from halo_core.cli import rendering
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.manifest import load_manifest
from halo_core.model import ActionKind, Constraint, EntryKind, Impact
from halo_core.store.reader import Reader, SealedContents
from halo_core.views import wording
from halo_core.views.grant_proposals import propose_grants
from halo_core.views.passport_changes import diff_passports
from halo_core.views.passports import decode_unverified, load_current_passport, read_tokens, run_checks
from halo_world import SURFACE, Calls, attack, cli, db_of, found, policy_folder, tool, url_of, verified

MANIFEST = """version: 1
tenant: local
tools:
  pay: {impact: payment, amount: amount, unit: USD, targets: [to]}
agents:
  desk:
    owner: ana@bank
    purpose: answers customers and pays small refunds
    privilege: high
    regulated: [pci]
    tools:
      pay: {to: {one_of: [ACC-1, ACC-2]}, amount: {max: 500}}
      lookup: any
    budgets:
      step: {session: 40, ceiling: 120, per_day: 2000}
      USD: {per_action: "500.00", session: "2000.00", ceiling: "5000.00", per_day: "20000.00"}
    decay: {half_life: 30m, steps: 20, risk: 200, reauthorize_below: 5%}
    hand_off: [clerk]
  clerk:
    tools: [lookup]
"""
FAR_US = 4_000_000_000_000_000


def opened(home, **options):
    return HaloBase.local("desk", home=home, policy=policy_folder(home), quiet=True, **options)


def act(halo, session, calls):
    done = []
    pay = tool(halo, "pay", impact=Impact.PAYMENT, unit="USD", targets=("to",)) if session != "first" else None
    with halo.session(session, user="ana", request="pay 20 to ACC-1 and 30 to ACC-2"):
        for name, args in calls:
            resource = pay if name == "pay" and pay is not None else tool(halo, name)
            try:
                halo.enforcer.run(halo.build_call(resource, args), Calls(), SURFACE)
                done.append("ran")
            except Denied as denied:
                done.append(denied.reason)
    return done


USED = [
    ("lookup", {"q": "x"}),
    ("pay", {"amount": 20, "to": "ACC-1"}),
    ("pay", {"amount": 30, "to": "ACC-2"}),
    ("wipe", {"path": "/"}),
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A home whose agent ran once in observe mode; it has a derived passport for four tools."""
    home = tmp_path_factory.mktemp("passport") / "home"
    with opened(home, mode="observe") as halo:
        for name in ("lookup", "query", "pay", "wipe"):
            tool(halo, name)
        act(halo, "first", USED)
    return home


@pytest.fixture
def home(ran, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(ran, copy)
    shutil.copytree(ran.parent / f"{ran.name}-policy", tmp_path / "home-policy")
    (copy / "agents.yaml").write_text(MANIFEST)
    return copy


@pytest.fixture
def chain(home, tmp_path):
    """The chain of a session that ran on an issued passport, as a file."""
    assert cli("passport", "issue", "desk", home=home)[0] == 0
    with opened(home, mode="enforce") as halo:
        assert act(halo, "second", [("lookup", {"q": "x"})]) == ["ran"]
    path = tmp_path / "chain.txt"
    code, out, err = cli("passport", "export", "second", "--out", str(path), home=home)
    assert (code, out) == (0, ""), err
    return path


def standing(home, agent="desk"):
    with Reader(url_of(home)) as reader:
        return load_current_passport(reader, "local", agent)


# issue


def test_a_dry_run_shows_what_would_change_and_writes_nothing(home, tmp_path):
    before = len(found(home)), sorted(path.name for path in home.iterdir())
    code, out, _ = cli("passport", "issue", "desk", "--dry-run", home=home)
    assert code == 0
    assert "would be issued" in out
    for line in ("- query", "- wipe", "~ pay.amount: narrowed, anything → at most 500", "+ hand-off to clerk"):
        assert line in out
    for line in ("~ step in a session: narrowed, 100,000 → 40", "~ half-life: narrowed, 1 day → 30 minutes"):
        assert line in out
    assert "WIDENED" not in out
    assert (len(found(home)), sorted(path.name for path in home.iterdir())) == before
    fresh = tmp_path / "fresh"
    code, out, err = cli("passport", "issue", "clerk", "--dry-run", "--manifest", str(home / "agents.yaml"), home=fresh)
    assert (code, "none of the tools is named `lookup`" in err) == (64, True)
    assert not fresh.exists()


def test_an_issued_passport_is_recorded_whole_and_takes_the_place_of_the_derived_one(home):
    derived = standing(home)
    code, out, _ = cli("passport", "issue", "desk", home=home)
    assert code == 0
    assert out.startswith("issued ")
    link = standing(home).links[0]
    assert (link.owner, link.principal, link.hand_off_to) == ("ana@bank", "tenant:local", ("clerk",))
    assert link.grants[ActionKind.TOOL_CALL]["pay"]["to"] == Constraint.one_of("ACC-1", "ACC-2")
    assert link.envelope == derived.links[0].envelope  # what was spent today stays spent
    body = found(home, EntryKind.PASSPORT)[-1].entry.body
    assert (body["origin"], body["owner"], body["privilege"], body["regulated"]) == (
        "issued",
        "ana@bank",
        "high",
        ["pci"],
    )
    assert (body["replaces"], body["hash"]) == (derived.links[0].hash, link.hash)
    assert body["manifest"] == load_manifest(MANIFEST).hash
    assert "- query" in body["changes"]
    assert verified(home, signatures=True) == 0


def test_the_agent_stands_on_what_was_issued(home):
    cli("passport", "issue", "desk", home=home)
    with opened(home, mode="enforce") as halo:
        for name in ("lookup", "query", "wipe"):
            tool(halo, name)
        told = act(
            halo,
            "second",
            [("pay", {"amount": 20, "to": "ACC-1"}), ("pay", {"amount": 20, "to": "ACC-9"}), ("query", {"q": "x"})],
        )
    assert told == ["ran", "arg_violates", "tool_not_granted"]


def test_what_is_widened_is_said_loudly(home):
    cli("passport", "issue", "desk", home=home)
    wider = MANIFEST.replace("{max: 500}", "{max: 900}").replace("session: 40", "session: 60").replace("30m", "60m")
    (home / "agents.yaml").write_text(wider.replace("steps: 20", "steps: 10"))
    code, out, _ = cli("passport", "issue", "desk", "--json", home=home)
    told = {change["what"]: change["how"] for change in json.loads(out)["changes"]}
    assert code == 0
    assert told["pay.amount"] == "WIDENED, at most 500 → at most 900"
    assert told["step in a session"] == "WIDENED, 40 → 60"
    assert told["half-life"] == "WIDENED, 30 minutes → 1 hour"
    assert told["half-life in actions"] == "narrowed, 20 → 10"
    assert cli("passport", "issue", "desk", home=home)[1].count("no change") == 1


def test_an_issuer_that_the_home_does_not_trust_issues_nothing(home, tmp_path):
    stranger = KeyStore(tmp_path / "stranger")
    code, _, err = cli("passport", "issue", "desk", "--key-home", str(stranger.home), home=home)
    assert (code, "[no_issuer]" in err) == (64, True)
    signer = stranger.signer("issuer")
    before = standing(home).links[0].hash
    code, _, err = cli("passport", "issue", "desk", "--key-home", str(stranger.home), home=home)
    assert (code, "[unknown_key]" in err, standing(home).links[0].hash) == (64, True, before)
    Authorities(home).add_issuer("local", signer.public_key, 0)
    assert cli("passport", "issue", "desk", "--key-home", str(stranger.home), home=home)[0] == 0
    assert standing(home).links[0].key_id == signer.key_id
    # A home whose own issuer was taken away makes no other, and takes none from whoever puts a key there.
    (home / "issuer.key").unlink()
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert (code, "[no_issuer]" in err, (home / "issuer.key").exists()) == (64, True, False)
    KeyStore(home).signer("issuer")
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert (code, "[unknown_key]" in err) == (64, True)


def test_everything_wrong_with_a_manifest_is_printed(home):
    (home / "agents.yaml").write_text(MANIFEST.replace("session: 40", "session: 400"))
    code, out, err = cli("passport", "issue", "desk", home=home)
    assert (code, out) == (64, "")
    assert "error agents.yaml:15:37: agents.desk.budgets.step.ceiling" in err
    (home / "agents.yaml").write_text(MANIFEST.replace("lookup: any", "lokup: any"))
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert (code, "agents.yaml:13:14: agents.desk.tools.lokup" in err, "did you mean `lookup`" in err) == (
        64,
        True,
        True,
    )
    (home / "agents.yaml").write_text(MANIFEST)
    assert "did you mean `desk`" in cli("passport", "issue", "dsk", home=home)[2]
    (home / "agents.yaml").unlink()
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert (code, "[no_manifest]" in err) == (64, True)


# inspect


def test_a_passport_is_a_page_that_a_person_can_read(home):
    cli("passport", "issue", "desk", home=home)
    code, out, _ = cli("passport", "inspect", "desk", home=home)
    assert code == 0
    plain = re.sub(r" +", " ", out)
    for line in (
        "issued, epoch 1",
        "owner ana@bank",
        "purpose answers customers and pays small refunds",
        "privilege high",
        "90 days left",
        'may: payments pay amount: at most 500; to: one of "ACC-1", "ACC-2"',
        "reads lookup any q",
        "USD at most 500.00 per action, 2,000.00 in a session (5,000.00 if re-authorized), 20,000.00 in a day",
        "actions at most 40 in a session (120 if re-authorized), 2,000 in a day",
        "halves every 30 minutes, 20 actions or 200 risk points, in any combination",
        "payments, deletions and executions stop below 50%",
        "below 5% nothing runs until an approver re-authorizes the session",
        "hands off to clerk",
    ):
        assert line in plain, line
    name = standing(home).links[0].hash
    for other in (name, name.removeprefix("sha256:")[:12], standing(home).links[0].jti):
        assert cli("passport", "inspect", other, home=home)[1] == out
    rows = json.loads(cli("passport", "inspect", "desk", "--json", home=home)[1])
    assert rows["chain"][0]["hash"] == name
    assert rows["chain"][0]["claims"]["client_id"] == "desk"
    code, _, err = cli("passport", "inspect", "dsk", home=home)
    assert (code, "did you mean `desk`" in err) == (64, True)


def test_a_chain_shows_what_each_link_lost(home, chain, tmp_path):
    longer = tmp_path / "longer.txt"
    options = ["--tools", "lookup", "--budget", "step=10", "--out", str(longer)]
    KeyStore(home).signer("agent-clerk")
    code, _, err = cli("passport", "attenuate", str(chain), "--to", "clerk", *options, home=home)
    assert code == 0, err
    code, out, _ = cli("passport", "inspect", str(longer), home=home)
    rows = {line.split("  ")[0].strip(): re.sub(r" +", " ", line) for line in out.splitlines() if line.strip()}
    assert code == 0
    assert rows["pay"].count("✗") == 1
    assert "↓ at most 10 in a session" in rows["actions"]
    assert rows["within"].count("✓") == 2
    assert "not verified" in out


def test_words_of_a_passport_do_not_act_on_the_terminal(home):
    evil = "[bold red]x[/] \\\\[bold]y"
    (home / "agents.yaml").write_text(MANIFEST.replace("answers customers and pays small refunds", f"'{evil}'"))
    for line in (("issue", "desk"), ("inspect", "desk"), ("history", "desk")):
        code, out, err = cli("passport", *line, home=home)
        assert (code, "\x1b" in out) == (0, False), err
    assert "[bold red]x[/]" in cli("passport", "inspect", "desk", home=home)[1]
    assert "[bold red]x[/]" in cli("agents", home=home)[1]
    assert rendering.safe_text("a\x1b[31m\u202eb\u200b").plain == "a\\x1b[31m\\u202eb\\u200b"


# verify


def test_verify_tells_each_step(home, chain):
    code, out, _ = cli("passport", "verify", str(chain), home=home)
    assert code == 0
    lines = out.splitlines()
    assert [line[0] for line in lines] == ["✓"] * 6 + ["v"]
    assert "issuer that this home trusts" in lines[0]
    assert "within the standing link" in lines[1]
    steps = json.loads(cli("passport", "verify", str(chain), "--json", home=home)[1])
    assert steps["good"] is True
    assert all(step["passed"] for step in steps["steps"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda tokens: [tokens[0], tokens[1][:-4] + "AAAA"], "bad_sig"),
        (lambda tokens: [tokens[1]], "unknown_root_or_header"),
        (lambda tokens: [tokens[0], tokens[1], tokens[1]], "par_hash_mismatch"),
        (lambda tokens: [tokens[0] + "=", tokens[1]], "malformed_b64"),
    ],
)
def test_verify_names_the_step_that_fails(home, chain, tmp_path, change, code):
    path = tmp_path / "changed.txt"
    path.write_text("\n".join(change(read_tokens(chain))))
    exit_code, out, _ = cli("passport", "verify", str(path), home=home)
    assert exit_code == 1
    assert "✗" in out
    assert code in out
    assert "not valid" in out


def test_verify_asks_time_tenant_store_and_revocation(home, chain, tmp_path):
    tokens = read_tokens(chain)
    late = run_checks(tokens, home, url_of(home), None, now_us=FAR_US)
    assert [step.code for step in late if step.passed is False] == ["expired"]
    code, out, _ = cli("passport", "verify", str(chain), "--tenant", "acme", home=home)
    assert (code, "unknown_root_or_header" in out) == (1, True)  # another tenant trusts nobody
    database = attack(db_of(home))
    database.execute("UPDATE control SET store='elsewhere'")
    database.close()
    code, out, _ = cli("passport", "verify", str(chain), home=home)
    assert (code, "wrong_audience" in out) == (1, True)
    (tmp_path / "home" / "halo.db").unlink()
    code, out, _ = cli("passport", "verify", str(chain), home=home)
    assert (code, out.count("- ")) == (0, 2)  # without a store, neither it nor its revocations can be asked


def test_a_file_that_is_no_passport_is_refused(home, tmp_path):
    for text in ("", "# note\n", "x" * 200_000, "é"):
        path = tmp_path / "no.txt"
        path.write_text(text, encoding="utf-8")
        code, _, err = cli("passport", "verify", str(path), home=home)
        assert code == 64, text[:10]
        assert "error" in err
    assert cli("passport", "verify", str(tmp_path / "nowhere"), home=home)[0] == 64
    (tmp_path / "no.txt").write_text("not.a.token")
    assert cli("passport", "verify", str(tmp_path / "no.txt"), home=home)[0] == 1


# attenuate


def test_a_hand_off_link_is_made_offline_with_the_holders_key_alone(home, chain, tmp_path):
    away = KeyStore(tmp_path / "away")
    shutil.copy(home / "agent-desk.key", away.home)
    receiver = base64.b64encode(KeyStore(tmp_path / "clerk").signer("agent-clerk").public_key).decode()
    line = ["passport", "attenuate", str(chain), "--to", "clerk", "--to-key", receiver, "--tools", "lookup"]
    code, out, err = cli(*line, "--key-home", str(away.home), home=tmp_path / "nothing")
    assert code == 0, err
    assert not (tmp_path / "nothing" / "halo.db").exists()
    path = tmp_path / "longer.txt"
    path.write_text(out)
    assert cli("passport", "verify", str(path), home=home)[0] == 0
    link = decode_unverified(read_tokens(path))[-1]
    assert link.grants == {ActionKind.TOOL_CALL: {"lookup": {"q": Constraint.anything()}}}
    assert (link.agent, link.hand_off_to) == ("clerk", ())


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--to", "clerk", "--budget", "step=1000"], "budget_widened"),
        (["--to", "clerk", "--budget", "step=1.5"], "bad_amount"),
        (["--to", "clerk", "--budget", "EUR=5"], "unknown_unit"),
        (["--to", "clerk", "--tools", "wipe"], "tool_not_granted"),
        (["--to", "stranger", "--to-key", "KEY"], "handoff_not_allowed"),
        (["--to", "stranger"], "no_key"),
    ],
)
def test_nobody_hands_on_more_than_they_have(home, chain, options, code):
    key = base64.b64encode(KeyStore(home).signer("agent-clerk").public_key).decode()
    options = [key if item == "KEY" else item for item in options]
    exit_code, out, err = cli("passport", "attenuate", str(chain), *options, home=home)
    assert (exit_code, out) == (64, "")
    assert f"[{code}]" in err


def test_a_standing_link_is_not_handed_on(home, chain, tmp_path):
    path = tmp_path / "root.txt"
    path.write_text(read_tokens(chain)[0])
    assert "[bad_depth]" in cli("passport", "attenuate", str(path), "--to", "clerk", home=home)[2]
    code, _, err = cli("passport", "export", "second", "--out", str(path), home=home)
    assert (code, "[file_exists]" in err) == (64, True)  # nothing is written over
    assert "[no_such_session]" in cli("passport", "export", "nothing", home=home)[2]


# revoke, history, agents


@pytest.mark.parametrize("address", ["agent", "hash", "jti"])
def test_a_revoked_passport_serves_nothing(home, chain, address):
    link = standing(home).links[0]
    name = {"agent": "desk", "hash": link.hash, "jti": link.jti}[address]
    code, out, err = cli("passport", "revoke", name, "--why", "left the bank", "--by", "mia", home=home)
    assert code == 0, err
    assert "revoked" in out
    body = found(home, EntryKind.REVOCATION)[-1].entry.body
    assert (body["actor"], body["why"], body["scope"]) == (
        "mia",
        "left the bank",
        "agent" if address == "agent" else "link",
    )
    assert "already revoked" in cli("passport", "revoke", name, "--why", "again", home=home)[1]
    code, out, _ = cli("passport", "verify", str(chain), home=home)
    assert (code, "revoked" in out) == (1, True)
    with opened(home, mode="enforce") as halo:
        assert act(halo, "third", [("lookup", {"q": "x"})]) == ["revoked"]
    assert "revoked" in cli("agents", home=home)[1]
    out = cli("passport", "history", "desk", home=home)[1]
    assert "by mia: left the bank" in out


def test_revoking_what_is_not_there_says_what_is(home):
    code, _, err = cli("passport", "revoke", "dsk", "--why", "x", home=home)
    assert (code, "did you mean `desk`" in err, found(home, EntryKind.REVOCATION)) == (64, True, [])


def test_history_tells_every_passport_and_what_changed(home):
    cli("passport", "issue", "desk", home=home)
    rows = json.loads(cli("passport", "history", "desk", "--json", home=home)[1])
    assert [row["what"] for row in rows] == ["derived", "issued"]
    assert "- query" in rows[1]["changes"]
    assert cli("passport", "history", "nobody", home=home)[0] == 64


def test_the_inventory_marks_who_is_not_in_the_manifest(home):
    with HaloBase.local("stray", home=home, mode="observe", policy=policy_folder(home), quiet=True) as halo:
        act(halo, "first", [("lookup", {"q": "x"})])
    rows = {row["agent"]: row for row in json.loads(cli("agents", "--json", home=home)[1])}
    assert {name: row["listed"] for name, row in rows.items()} == {"clerk": True, "desk": True, "stray": False}
    assert {name: row["passport"] for name, row in rows.items()} == {
        "clerk": "none",
        "desk": "derived",
        "stray": "derived",
    }
    assert (rows["desk"]["uses"], rows["desk"]["decisions"], rows["desk"]["owner"]) == (4, 4, "ana@bank")
    out = cli("agents", home=home)[1]
    assert "stray (!)" in out
    assert "1 not in the manifest" in out
    (home / "agents.yaml").unlink()
    assert "(!)" not in cli("agents", home=home)[1]


# enforce --grants


def test_enforce_proposes_what_was_used_and_issues_it(home):
    (home / "agents.yaml").unlink()
    code, out, err = cli("enforce", "--grants", "--yes", home=home)
    assert code == 0, err
    assert "desk: granted 4, used 2: these 2 would be removed" in out
    for line in ("  - query", "  - wipe", "denied every time, not proposed: wipe (1 calls)", "issued desk"):
        assert line in out
    grants = standing(home).links[0].grants[ActionKind.TOOL_CALL]
    assert grants == {
        "lookup": {"q": Constraint.anything()},
        "pay": {"amount": Constraint.anything(), "to": Constraint.anything()},
    }
    assert load_manifest((home / "agents.yaml").read_text()).agents.keys() == {"desk"}
    assert '"to": any' in (home / "agents.yaml").read_text() or "to: any" in (home / "agents.yaml").read_text()
    assert json.loads(cli("status", "--json", home=home)[1])["local"]["mode"] == "enforce"
    assert verified(home) == 0


def test_tight_grants_pin_what_was_seen(home):
    code, _, err = cli("enforce", "--grants", "--tight", "--yes", "--agent", "desk", home=home)
    assert code == 0, err
    grants = standing(home).links[0].grants[ActionKind.TOOL_CALL]
    assert grants["pay"] == {"amount": Constraint.between(20, 30), "to": Constraint.one_of("ACC-1", "ACC-2")}
    assert "owner: ana@bank" in (home / "agents.yaml").read_text()  # the rest of the manifest stays


def test_nothing_changes_without_a_yes(home, monkeypatch):
    monkeypatch.setattr("typer.prompt", lambda _, default, **_options: default)
    before = (home / "agents.yaml").read_text(), standing(home).links[0].hash
    code, out, _ = cli("enforce", "--grants", home=home)
    assert (code, "nothing was changed" in out) == (1, True)
    assert ((home / "agents.yaml").read_text(), standing(home).links[0].hash) == before
    assert json.loads(cli("status", "--json", home=home)[1])["local"]["mode"] == "observe"
    code, _, err = cli("enforce", "--grants", "--yes", "--agent", "nobody", home=home)
    assert (code, "[nothing_used]" in err) == (64, True)


def test_a_refused_or_challenged_call_widens_and_pins_nothing(home):
    with opened(home, mode="enforce") as halo:
        tool(halo, "pay")
        told = act(halo, "first", [("pay", {"amount": 5000, "to": "EVE"}), ("wipe", {"path": "/etc"})])
    assert told == ["large_amount", "grave_impact"]
    with Reader(url_of(home)) as reader:
        keys = KeyStore(home)
        made = propose_grants(reader, SealedContents.with_home_key(reader, keys), "local", "desk")
        blind = propose_grants(reader, SealedContents(reader, None), "local", "desk")
    used = {item.name: item.arguments for item in made.used}
    assert used["pay"] == {"amount": Constraint.anything(), "to": Constraint.anything()}
    assert "wipe" not in used
    assert made.refused == ((ActionKind.TOOL_CALL, "wipe", 2),)
    assert blind.unread == sum(item.calls for item in blind.used)
    assert all(item.arguments == {} for item in blind.used)


# words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0 seconds"), (1, "1 second"), (90, "1 minute 30 seconds"), (7200, "2 hours"), (90 * 86400, "90 days")],
)
def test_durations_in_words(seconds, told):
    assert wording.format_duration(seconds) == told


def test_amounts_keep_their_decimals():
    assert [wording.format_amount(50000, 2), wording.format_amount(5, 2), wording.format_amount(1234, 0)] == [
        "500.00",
        "0.05",
        "1,234",
    ]
    assert [*map(wording.format_sum, (90_000_000, 1_234_500, 12_345, 0))] == ["9,000", "123.45", "1.2345", "0"]
    assert [wording.format_percent(500_000), wording.format_percent(1), wording.format_percent(1_000_000)] == [
        "50%",
        "0.0001%",
        "100%",
    ]


def test_a_passport_does_not_differ_from_itself(home):
    link = standing(home).links[0]
    assert diff_passports(link, link) == []
    assert {change.sign for change in diff_passports(None, link)} == {"+"}


def test_recorded_content_shows_floats_as_digits():
    recorded = '{"amount":{"$f":"90.0"},"low":{"$f":"-1e-09"},"text":"{\\"$f\\":\\"90.0\\"}"}'
    shown = '{"amount":90.0,"low":-1e-09,"text":"{\\"$f\\":\\"90.0\\"}"}'
    assert wording.format_content(recorded) == shown
