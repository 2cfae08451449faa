"""`halo approver`, `halo approvals`, `halo keys`: what people see and sign; never a secret."""

from __future__ import annotations

import base64
import json

import pytest
from oversight_world import PAN, ask, at, opened, opened_tiring, pay

from halo_core.authorities import Authorities
from halo_core.clock import SystemClock
from halo_core.crypto.keys import Ed25519Signer, KeyStore
from halo_core.errors import Denied, Pending
from halo_core.model import EntryKind
from halo_core.oversight import keys as issuers
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, found, tool, verified

FOREVER = 2**51


@pytest.fixture
def desk(home):
    """A question, and a folder for the keys of people."""
    request = ask(home)
    return home, request, str(home.parent / "people")


def enrol(home, keys, name="mia"):
    code, out, err = cli("approver", "enrol", name, "--key-home", keys, "--by", "admin", home=home)
    assert code == 0, err
    return out


def retire(home, key_id, *options):
    """Retire a key whose thumbprint may begin with a dash."""
    return cli("keys", "retire", *options, "--home", str(home), "--", key_id)


def test_enrol_list_withdraw(desk):
    home, _, keys = desk
    assert "has no approver" in cli("approver", "list", home=home)[1]
    out = enrol(home, keys)
    assert "the agents' process can read it there" not in out
    assert "the agents' process can read it there" in cli("approver", "enrol", "bob", home=home)[1]
    public = base64.b64encode(Ed25519Signer.generate().public_key).decode()
    # Where two are enrolled, enrolling a third takes both.
    command = ("approver", "enrol", "eve", "--public-key", public, "--key-home", str(keys))
    code, _, err = cli(*command, "--as", "mia", home=home)
    assert (code, "[signatures_needed]" in err, "halo operator sign enrol" in err) == (10, True, True)
    assert cli(*command, "--as", "mia", "--as", "bob", home=home)[0] == 0
    rows = json.loads(cli("approver", "list", "--json", home=home)[1])
    assert [(row["name"], row["live"]) for row in rows] == [("bob", True), ("eve", True), ("mia", True)]
    code, out, _ = cli("approver", "withdraw", "mia", home=home)
    assert (code, "withdrawn mia" in out) == (0, True)
    assert "withdrawn 20" in cli("approver", "list", home=home)[1]
    assert cli("approver", "withdraw", "mia", home=home)[0] == 64
    acts = [(b["act"], b["name"]) for b in bodies(home, EntryKind.AUTHORITY) if b.get("role") == "approver"]
    assert acts == [("enrol", "mia"), ("enrol", "bob"), ("enrol", "eve"), ("withdraw", "mia")]
    assert verified(home) == 0


def test_a_withdrawal_holds_without_a_ledger(desk):
    home, _, keys = desk
    enrol(home, keys)
    db_of(home).rename(home / "elsewhere")
    code, _, err = cli("approver", "withdraw", "mia", home=home)
    assert (code, "THE LEDGER COULD NOT BE WRITTEN" in err) == (0, True)
    assert Authorities(home).load("local").approver_keys(FOREVER) == {}
    assert not db_of(home).exists()


@pytest.mark.parametrize("key", ["nonsense", "AAAA", base64.b64encode(bytes([1] + [0] * 31)).decode()])
def test_a_bad_key_is_not_enrolled(desk, key):
    home, *_ = desk
    assert cli("approver", "enrol", "mia", "--public-key", key, home=home)[0] == 64
    assert Authorities(home).load("local").approvers == {}


def test_questions_are_listed_shown_and_answered(desk):
    home, request, keys = desk
    enrol(home, keys)
    code, out, _ = cli("approvals", "list", home=home)
    assert (code, request in out, "pending" in out) == (0, True, True)
    assert json.loads(cli("approvals", "list", "--json", home=home)[1])[0]["id"] == request
    code, out, _ = cli("approvals", "show", request[:14], home=home)
    assert code == 0
    for word in ("allow this one call", "pay", "5000", "user:ana", "large_amount", "…1111"):
        assert word in out
    assert PAN not in out
    assert PAN in cli("approvals", "show", request, "--reveal", home=home)[1]
    assert PAN not in cli("approvals", "show", request, "--json", home=home)[1]
    line = ("approvals", "approve", request, "--as", "mia", "--key-home", keys, "--for", "30m")
    code, out, _ = cli(*line, home=home)
    assert (code, "approved by mia" in out) == (0, True)
    assert cli("approvals", "list", home=home)[1].strip() == "no request waits for an answer"
    assert "approved" in cli("approvals", "list", "--all", home=home)[1]
    code, _, err = cli(*line, home=home)
    assert (code, "[not_pending]" in err) == (10, True)
    with opened(home) as halo:
        assert len(pay(halo)) == 1
    assert verified(home) == 0


def test_who_approved_what_ran_is_in_one_answer(desk):
    home, request, keys = desk
    enrol(home, keys)
    assert cli("approvals", "approve", request, "--as", "mia", "--key-home", keys, "--why", "seen", home=home)[0] == 0
    shown = cli("approvals", "show", request, home=home)[1]
    assert "approved by mia (approver-key), " in shown
    assert ": seen" in shown
    assert "halo approvals approve" not in shown  # nothing is left to answer
    with opened(home) as halo:
        pay(halo)
    decision = found(home, EntryKind.DECISION)[-1].entry.id
    assert f"{decision}, " in cli("approvals", "show", request, home=home)[1]
    code, shown, _ = cli("show", decision, home=home)
    assert (code, f"mia (yes to the question {request})" in shown) == (0, True)
    kinds = [part["entry"]["kind"] for part in json.loads(cli("show", decision, "--json", home=home)[1])]
    assert kinds == ["decision", "approval_request", "approval", "outcome"]


def test_a_question_that_nobody_answered_says_so(desk, monkeypatch):
    home, request, _ = desk
    later_us = SystemClock().now_us() + 3 * 86_400_000_000
    monkeypatch.setattr(SystemClock, "now_us", lambda _: later_us)
    shown = cli("approvals", "show", request, home=home)[1]
    assert "answered          │ by nobody in time" in shown
    assert "halo approvals approve" not in shown


def test_a_question_is_folded_at_eighty_columns_and_loses_nothing(desk, monkeypatch):
    home, request, _ = desk
    wide = cli("approvals", "show", request, home=home)[1]
    monkeypatch.setenv("COLUMNS", "80")
    narrow = cli("approvals", "show", request, home=home)[1]
    assert max(map(len, narrow.splitlines())) <= 80
    # Each folded line has the bar of its value again.
    assert "".join(narrow.replace("│", "").split()) == "".join(wide.replace("│", "").split())
    assert [row for row in (wide + narrow).splitlines() if row != row.rstrip()] == []


def test_deny_from_the_shell(desk):
    home, request, keys = desk
    enrol(home, keys)
    line = ("approvals", "deny", request, "--as", "mia", "--key-home", keys)
    assert cli(*line, home=home)[0] == 64  # a reason is needed
    code, out, _ = cli(*line, "--why", "not ours", "--json", home=home)
    told = json.loads(out)
    assert (code, told["status"], "token" in told) == (0, "denied", False)
    with opened(home) as halo, pytest.raises(Denied) as caught:
        pay(halo)
    assert caught.value.reason == "approval_denied"


def test_who_is_refused_is_told_why(desk):
    home, request, keys = desk
    enrol(home, keys, "ana")
    line = ("approvals", "approve", request, "--key-home", keys)
    code, _, err = cli(*line, "--as", "ana", home=home)
    assert (code, "[approver_in_chain]" in err) == (10, True)
    code, _, err = cli(*line, "--as", "mia", home=home)
    assert (code, "[approver_not_enrolled]" in err) == (10, True)
    enrol(home, keys)
    for more in (("--for", "soon"), ("--for", "2d"), ("--raise", "USD=lots"), ("--raise", "USD=1e400")):
        assert cli(*line, "--as", "mia", *more, home=home)[0] == 64, more
    assert cli(*line, "--as", "mia", "--raise", "USD=5", home=home)[0] == 10
    assert cli("approvals", "show", "nonsense", home=home)[0] == 64


def test_a_changed_question_is_exit_11(desk):
    home, request, keys = desk
    enrol(home, keys)
    attack(db_of(home)).execute("UPDATE approval SET binding='x'")
    assert cli("approvals", "show", request, home=home)[0] == 11
    assert cli("approvals", "approve", request, "--as", "mia", "--key-home", keys, home=home)[0] == 11


def test_a_raise_is_in_the_units_of_the_passport(home):
    with opened_tiring(home) as halo:
        for _ in range(300):
            try:
                pay(halo, amount=1)
            except Denied as exc:
                request = exc.pending_id
                break
    keys = str(home.parent / "people")
    enrol(home, keys)
    out = cli("approvals", "show", request, home=home)[1]
    for word in ("continue the session as epoch 2", "budget step", "can be raised to", "left"):
        assert word in out, out
    shown = json.loads(cli("approvals", "show", request, "--json", home=home)[1])
    item = next(item for item in shown["budgets"] if item["unit"] == "step")
    line = ("approvals", "approve", request, "--as", "mia", "--key-home", keys)
    ceiling = item["ceiling"]
    assert cli(*line, "--raise", f"step={ceiling + 1}", home=home)[0] == 10
    assert cli(*line, "--raise", f"step={ceiling}", home=home)[0] == 0
    with opened_tiring(home) as halo:
        assert len(pay(halo, amount=1)) == 1
    assert verified(home) == 0


# keys


def secrets_of(*folders):
    """Every way in which the secret of a key file could be spelt."""
    for folder in folders:
        for path in folder.glob("*.key"):
            text = path.read_text().split()[-1]
            raw = base64.b64decode(text)
            yield from (text, text.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="), raw.hex())


def test_the_report_names_every_key_and_shows_no_secret(desk):
    home, *_ = desk
    cli("approver", "enrol", "mia", home=home)
    code, out, _ = cli("keys", "report", home=home)
    assert code == 0
    for word in ("issuer", "log", "content", "agent-clerk", "approver-mia", "600", "standing passports"):
        assert word in out
    assert "this process could sign as issuer of tenant `local`" in out
    assert "this process could sign as approver `mia`" in out
    code, more, _ = cli("keys", "report", "--json", home=home)
    report = json.loads(more)
    kinds = {row["name"]: row["kind"] for row in report["keys"]}
    assert kinds == {path.stem: kinds[path.stem] for path in home.glob("*.key")}
    assert (kinds["issuer"], kinds["content"]) == ("ed25519", "secret")
    assert all(row["readable"] and row["mode"] == "600" for row in report["keys"])
    assert [row["role"] for row in report["trusted"]] == ["issuer", "approver"]
    assert report["logs"] == json.loads((home / "trust.json").read_text())
    assert f"  {report['logs']['local']}\n" in out
    for secret in secrets_of(home):
        assert secret not in out + more


def test_the_report_makes_nothing_and_tells_what_is_wrong(desk):
    home, *_ = desk
    (home / "issuer.key").chmod(0o644)
    (home / "odd.key").write_text("not a key")
    (home / "odd.key").chmod(0o600)
    before = sorted(path.name for path in home.iterdir())
    out = cli("keys", "report", home=home)[1]
    assert "`issuer.key`: " in out
    assert "`odd.key`: " in out
    assert sorted(path.name for path in home.iterdir()) == before
    code, _, err = cli("keys", "report", home=home / "nowhere")
    assert (code, "[no_home]" in err, (home / "nowhere").exists()) == (64, True, False)


def test_a_rotation_changes_the_issuer_and_keeps_the_old_one_for_a_while(desk):
    home, *_ = desk
    old = KeyStore(home).signer("issuer")
    code, out, _ = cli("keys", "rotate", "issuer", "--overlap", "7d", "--by", "admin", home=home)
    assert code == 0, out
    new = KeyStore(home).signer("issuer")
    kept = home / f"issuer-{old.key_id[:8].lower()}.key"
    assert new.key_id != old.key_id
    assert KeyStore(home).signer(kept.stem).key_id == old.key_id
    assert not (home / "issuer-next.key").exists()
    now = SystemClock().now_us()
    known = Authorities(home).load("local")
    assert set(known.issuer_keys(now)) == {old.key_id, new.key_id}
    assert set(known.issuer_keys(now + 7 * 86_400 * 1_000_000)) == {new.key_id}
    body = next(b for b in bodies(home, EntryKind.AUTHORITY) if b.get("act") == "rotate")
    assert (body["kid"], body["old"], body["actor"], body["role"]) == (new.key_id, old.key_id, "admin", "issuer")
    for secret in secrets_of(home):
        assert secret not in out
    with opened(home) as halo, halo.session("later"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    assert verified(home) == 0


def test_a_retired_issuer_is_trusted_no_more_and_its_kept_key_goes(desk):
    home, *_ = desk
    old = KeyStore(home).signer("issuer")
    assert cli("keys", "rotate", "issuer", home=home)[0] == 0
    kept = home / f"issuer-{old.key_id[:8].lower()}.key"
    assert kept.exists()
    code, out, _ = retire(home, old.key_id[:12])
    assert (code, f"retired issuer {old.key_id}" in out) == (0, True)
    assert old.key_id not in Authorities(home).load("local").issuer_keys(FOREVER)
    assert not kept.exists()
    assert (home / "issuer.key").exists()
    assert [b["act"] for b in bodies(home, EntryKind.AUTHORITY) if b.get("act") in ("rotate", "retire")] == [
        "rotate",
        "retire",
    ]
    for kid in ("", "nonsense"):
        assert cli("keys", "retire", kid, home=home)[0] == 64
    assert verified(home) == 0


def test_a_retirement_holds_without_a_ledger(desk):
    home, *_ = desk
    kid = KeyStore(home).signer("issuer").key_id
    db_of(home).rename(home / "elsewhere")
    code, _, err = cli("keys", "retire", kid, home=home)
    assert (code, "[issuer_in_use]" in err) == (64, True)
    assert set(Authorities(home).load("local").issuer_keys(FOREVER)) == {kid}
    code, out, err = cli("keys", "retire", kid, "--yes", home=home)
    assert "it was in use" in out
    assert (code, "THE LEDGER COULD NOT BE WRITTEN" in err) == (0, True)
    assert Authorities(home).load("local").issuer_keys(FOREVER) == {}


def test_a_thumbprint_that_begins_with_a_dash_is_no_option(desk):
    home, *_ = desk
    _, _, err = cli("keys", "retire", "-xyz", "--yes", home=home)
    assert "-xyz" in err
    assert "No such option" not in err


def test_a_rotation_that_cannot_be_recorded_changes_nothing(desk):
    home, *_ = desk
    before = KeyStore(home).signer("issuer").key_id
    db_of(home).rename(home / "elsewhere")
    assert cli("keys", "rotate", "issuer", home=home)[0] == 64
    assert KeyStore(home).signer("issuer").key_id == before
    assert set(Authorities(home).load("local").issuer_keys(FOREVER)) == {before}
    assert cli("keys", "rotate", "log", home=home)[0] == 64


def test_a_rotation_says_who_needs_what(desk):
    home, *_ = desk
    out = cli("keys", "rotate", "issuer", home=home)[1]
    assert "restart to get passports of the new issuer: clerk" in out
    assert "issue passports again" not in out


def test_issued_passports_are_to_be_issued_again_and_die_only_on_purpose(short):
    home, _ = short
    old = KeyStore(home).signer("issuer")
    code, _, err = cli("keys", "rotate", "issuer", "--overlap", "0", home=home)
    assert (code, "the passports of clerk become invalid now" in err, "--yes" in err) == (64, True, True)
    assert KeyStore(home).signer("issuer").key_id == old.key_id
    out = cli("keys", "rotate", "issuer", home=home)[1]
    assert "issue passports again before 20" in out
    assert "restart" not in out
    kept = home / f"issuer-{old.key_id[:8].lower()}.key"
    second = KeyStore(home).signer("issuer")
    assert cli("keys", "rotate", "issuer", "--overlap", "0", home=home)[0] == 0  # nobody holds one of that key
    assert KeyStore(home).signer(kept.stem).key_id == old.key_id  # until its own end
    assert not (home / f"issuer-{second.key_id[:8].lower()}.key").exists()
    assert verified(home) == 0


def test_a_rotation_that_removes_the_old_key_says_so(short):
    home, _ = short
    old = KeyStore(home).signer("issuer")
    out = cli("keys", "rotate", "issuer", "--overlap", "0", "--yes", home=home)[1]
    assert f"removed because it is no longer trusted: issuer-{old.key_id[:8].lower()}.key" in out
    assert "is kept" not in out
    assert "issue passports again now" in out


def test_two_keys_whose_thumbprints_begin_alike_are_kept_apart(tmp_path):
    keys = KeyStore(tmp_path / "k")
    mine, other = keys.signer("issuer"), keys.signer("other")
    (keys.home / "other.key").rename(keys.home / f"issuer-{mine.key_id[:8].lower()}.key")
    keys.signer("issuer-next")
    kept = issuers.swap_issuer_keys(keys)
    assert keys.signer(kept.stem).key_id == mine.key_id
    assert keys.signer(f"issuer-{mine.key_id[:8].lower()}").key_id == other.key_id


def test_a_retired_key_never_comes_back_by_a_rotation(desk):
    home, *_ = desk
    keys, known = KeyStore(home), Authorities(home)
    old = keys.signer("issuer")
    with opened(home, tenant="acme"):
        pass
    plain = json.loads((home / "authorities.json").read_text())
    plain.pop("acme", None)  # a tenant that never heard of the key
    (home / "authorities.json").write_text(json.dumps(plain))
    assert retire(home, old.key_id, "--yes", "--tenant", "local")[0] == 0
    ended = known.load("local").issuers[old.key_id].until_us
    assert cli("keys", "rotate", "issuer", "--yes", home=home)[0] == 0
    now = SystemClock().now_us()
    for tenant in ("local", "acme"):
        assert set(known.load(tenant).issuer_keys(now)) == {keys.signer("issuer").key_id}
    assert known.load("local").issuers[old.key_id].until_us == ended
    assert known.load("acme").issuers.keys() == {keys.signer("issuer").key_id}


def test_a_retired_key_put_in_the_place_of_the_next_is_refused(desk):
    home, *_ = desk
    known, spare = Authorities(home), KeyStore(home).signer("spare")
    known.retire_issuer("local", known.add_issuer("local", spare.public_key, 0), 5)
    before = KeyStore(home).signer("issuer").key_id
    (home / "spare.key").rename(home / "issuer-next.key")
    code, _, err = cli("keys", "rotate", "issuer", home=home)
    assert (code, "[key_retired]" in err) == (64, True)
    assert set(known.load("local").issuer_keys(FOREVER)) == {before}
    assert KeyStore(home).signer("issuer").key_id == before


def test_a_rotation_that_broke_off_is_finished_by_the_next(desk):
    home, *_ = desk
    keys = KeyStore(home)
    with at(home) as store:
        first = issuers.rotate_issuer(store, keys, Authorities(home), overlap_s=60, by="x", now_us=store.clock.now_us())
    assert cli("keys", "rotate", "issuer", home=home)[0] == 0
    assert keys.signer("issuer").key_id == first.new


def test_an_issuer_that_serves_another_database_is_not_rotated_behind_its_back(desk):
    home, *_ = desk
    Authorities(home).add_issuer("acme", KeyStore(home).signer("issuer").public_key, 0)
    code, _, err = cli("keys", "rotate", "issuer", home=home)
    assert (code, "[issuer_shared]" in err) == (64, True)


# what an answer gives


MANIFEST = """version: 1
tools:
  pay: {impact: payment, amount: amount, unit: EUR}
agents:
  clerk:
    owner: olga@bank
    tools: {pay: any}
    budgets:
      EUR: {per_action: "60.00", session: "60.00", ceiling: "100.00"}
"""


@pytest.fixture
def short(home):
    """A session that has spent 60.00 of 60.00 EUR and asks to go on."""
    with opened(home) as halo:
        tool(halo, "pay")
    (home / "agents.yaml").write_text(MANIFEST)
    code, _, err = cli("passport", "issue", "clerk", home=home)
    assert code == 0, err
    keys = str(home.parent / "people")
    with opened(home) as halo:
        chosen = tool(halo, "pay", impact="payment", unit="EUR")
        with halo.session("y-1"):
            halo.enforcer.run(halo.build_call(chosen, {"amount": 60, "to": "x"}), Calls(), SURFACE)
            with pytest.raises(Pending) as caught:
                halo.enforcer.run(halo.build_call(chosen, {"amount": 10, "to": "x"}), Calls(), SURFACE)
    enrol(home, keys)
    return home, ("approvals", "approve", caught.value.pending_id, "--as", "mia", "--key-home", keys)


def test_the_list_says_who_asks_for_what_and_why(short):
    home, line = short
    out = cli("approvals", "list", home=home)[1]
    for word in (line[2], "clerk, session y-1: re-authorization, `pay`", "budget_exceeded", "pending"):
        assert word in out, out
    (row,) = json.loads(cli("approvals", "list", "--json", home=home)[1])
    assert (row["agent"], row["resource"], "budget_exceeded" in row["codes"]) == ("clerk", "pay", True)


def test_a_re_authorization_says_what_it_gives(short):
    home, line = short
    code, out, err = cli(*line, home=home)
    assert code == 0, err
    assert "session y-1 continues as epoch 2: EUR up to 100.00, " in out
    assert "authority 100%" in out
    assert verified(home) == 0


def test_a_raise_is_held_against_what_is_spent_and_the_ceiling_in_decimals(short):
    home, line = short
    for amount in ("50", "60.00"):
        code, _, err = cli(*line, "--raise", f"EUR={amount}", home=home)
        assert (code, "60.00 is already spent" in err) == (64, True)
    code, _, err = cli(*line, "--raise", "EUR=500", home=home)
    assert (code, "500.00 is above the ceiling of 100.00 EUR" in err) == (10, True)
    assert cli("approvals", "list", home=home)[1].count("pending") == 1
    out = cli(*line, "--raise", "EUR=80", home=home)[1]
    assert "EUR up to 80.00" in out


def test_the_help_says_what_happens_without_a_raise():
    out = " ".join(cli("approvals", "approve", "--help")[1].replace("│", " ").split())
    assert "the limit that ran out is raised once more by what a session starts with, never above the ceiling" in out


@pytest.mark.parametrize("line", [("approve", "x"), ("deny", "x", "--why", "no")])
def test_an_answer_without_a_name_says_how_to_enrol(tmp_path, line):
    code, _, err = cli("approvals", *line, home=tmp_path)
    assert code == 64
    assert "halo approver enrol NAME" in err
