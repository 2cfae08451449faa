"""Who may change what is enforced: operators with keys of their own, two people where two are enrolled, and entries."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from oversight_world import answers, ask, at, enrolled, people, refused

from halo_core.authorities import Authorities
from halo_core.errors import BadInput
from halo_core.facade import HaloBase
from halo_core.ledger.control_history import ControlHistory
from halo_core.model import EntryKind, Mode
from halo_core.oversight.control_acts import SignedAct
from halo_core.oversight.keys import enrol_approver
from halo_world import SURFACE, Calls, bodies, cli, found, policy_folder, tool, verified


@pytest.fixture
def desk(home: Path) -> Path:
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo, halo.session("s"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    return home


def ok(*argv: str, home: Path | None = None) -> str:
    code, out, err = cli(*argv, home=home)
    assert code == 0, (out, err)
    return out


def keys_of(home: Path, name: str) -> str:
    return str(home.parent / f"keys-{name}")


def enrol_apart(home: Path, name: str, *more: str) -> None:
    """An operator whose key was made on another host."""
    public = ok("operator", "key", name, "--key-home", keys_of(home, name)).strip()
    ok("operator", "enrol", name, "--public-key", public, *more, home=home)


def store_id(home: Path) -> str:
    return json.loads(ok("status", "--json", home=home))["local"]["store_id"]


def sign(home: Path, name: str, act: str, *options: str) -> Path:
    out = home.parent / f"{act}.json"
    where = ("--store", store_id(home), "--key-home", keys_of(home, name))
    ok("operator", "sign", act, *options, *where, "--as", name, "--out", str(out))
    return out


def control(home: Path) -> dict:
    return json.loads(ok("status", "--json", home=home))["local"]["control"]


def test_an_operator_signs_on_another_host_and_is_proven(desk):
    enrol_apart(desk, "ana")
    out = ok("observe", "--for", "1h", "--why", "a look", home=desk)
    assert "the floor of this home is observe already: no waiver was needed, and nothing was recorded" in out
    ok("enforce", home=desk)
    assert control(desk)["set_by"]["proof"] == "unproven (dev)"
    act = sign(desk, "ana", "waive", "--for", "1h", "--why", "restore of the index")
    ok("observe", "--signed", str(act), home=desk)
    waiver = control(desk)["waiver"]
    assert (waiver["signers"], waiver["proof"], waiver["why"]) == (["ana"], "proven", "restore of the index")
    act = sign(desk, "ana", "enforce")
    ok("enforce", "--signed", str(act), home=desk)
    assert (control(desk)["set_by"]["proof"], control(desk)["waiver"]) == ("proven", None)
    assert "2 proven" in ok("verify", home=desk)
    assert "ana (operator, proven)" in ok("status", home=desk)


def test_an_act_signed_on_the_agents_own_machine_is_unproven(desk):
    ok("enforce", home=desk)
    ok("observe", "--for", "1h", "--why", "a look", home=desk)
    assert control(desk)["waiver"]["proof"] == "unproven (dev)"
    out = ok("status", home=desk)
    assert "unproven (dev)" in out
    assert "evidence, not prevention" in out
    assert "unproven (dev)" in ok("verify", home=desk)


def test_where_two_are_enrolled_a_waiver_takes_both(desk):
    enrol_apart(desk, "ana")
    enrol_apart(desk, "ben")
    ok("enforce", home=desk)
    act = sign(desk, "ana", "waive", "--for", "1h", "--why", "x")
    code, _, err = cli("observe", "--signed", str(act), home=desk)
    assert (code, "[signatures_needed]" in err, "countersign" in err) == (10, True, True)
    assert control(desk)["waiver"] is None
    # The same person twice is one.
    ok("operator", "countersign", str(act), "--as", "ana", "--key-home", keys_of(desk, "ana"))
    assert cli("observe", "--signed", str(act), home=desk)[0] == 10
    shown = ok("operator", "countersign", str(act), "--as", "ben", "--key-home", keys_of(desk, "ben"))
    assert "why x" in shown
    ok("observe", "--signed", str(act), home=desk)
    assert sorted(control(desk)["waiver"]["signers"]) == ["ana", "ben"]
    refusals = [body for body in bodies(desk, EntryKind.ACCESS) if body["act"] == "refused"]
    assert [(body["refused"], body["code"]) for body in refusals] == [("waive", "signatures_needed")] * 2
    assert verified(desk) == 0


def test_the_public_key_and_its_thumbprint_are_the_same_on_both_hosts(desk):
    code, public, err = cli("operator", "key", "ana", "--key-home", keys_of(desk, "ana"))
    thumbprint = err.split()[-1]
    assert (code, len(public.split())) == (0, 1)
    shown = ok("operator", "enrol", "ana", "--public-key", public.strip(), home=desk)
    assert f"public key {public.strip()}, thumbprint {thumbprint}" in " ".join(shown.split())
    assert f"ana  thumbprint {thumbprint}" in ok("operator", "list", home=desk)


def test_an_act_signed_for_another_store_says_which_store_this_is(desk):
    enrol_apart(desk, "ana")
    ok("enforce", home=desk)
    assert f"store id {store_id(desk)}" in ok("status", home=desk)
    out = desk.parent / "waive.json"
    rest = ("--key-home", keys_of(desk, "ana"), "--as", "ana", "--out", str(out), "--for", "1h", "--why", "a look")
    code, _, err = cli("operator", "sign", "waive", "--store", "sqlite:///.halo/halo.db", *rest)
    assert (code, "[bad_store_id]" in err, "halo status" in err, out.exists()) == (64, True, True, False)
    ok("operator", "sign", "waive", "--store", "halo-store:other", *rest)
    code, _, err = cli("observe", "--signed", str(out), home=desk)
    assert (code, "[bad_signed_act]" in err) == (64, True)
    shown = " ".join(err.split())
    assert f"signed for the store `halo-store:other`, and this is `{store_id(desk)}`" in shown
    assert f"sign waive --for 1h --why 'a look' --store {store_id(desk)}" in shown
    ok("operator", "sign", "waive", "--store", store_id(desk), "--tenant", "bank", *rest)
    code, _, err = cli("observe", "--signed", str(out), home=desk)
    assert (code, "signed for the tenant `bank`, and this is `local`" in " ".join(err.split())) == (64, True)
    assert control(desk)["waiver"] is None
    ok("operator", "sign", "waive", "--store", store_id(desk), *rest)
    ok("observe", "--signed", str(out), home=desk)
    assert control(desk)["waiver"]["why"] == "a look"


def test_where_two_are_enrolled_lifting_a_stop_takes_both(desk):
    enrol_apart(desk, "ana")
    enrol_apart(desk, "ben")
    ok("stop", "--agent", "clerk", home=desk)  # stopping takes nobody
    assert cli("lift", "--agent", "clerk", home=desk)[0] == 10
    act = sign(desk, "ana", "lift", "--scope", "agent", "--target", "clerk")
    ok("operator", "countersign", str(act), "--as", "ben", "--key-home", keys_of(desk, "ben"))
    code, _, err = cli("lift", "--all", "--signed", str(act), home=desk)
    assert (code, "[bad_signed_act]" in err) == (64, True)  # signed for another stop
    assert "signed for scope `agent`, target `clerk`, and this is for scope `all`" in " ".join(err.split())
    out = ok("lift", "--agent", "clerk", "--signed", str(act), home=desk)
    assert ("still stopped" in out, "unproven" in out) == (False, False)
    assert verified(desk) == 0


def test_where_one_is_enrolled_an_unsigned_lift_is_unproven_and_says_so(desk):
    enrol_apart(desk, "ana")
    for signed, is_proven in (((), False), (("--as", "ana", "--key-home", keys_of(desk, "ana")), True)):
        ok("stop", "--agent", "clerk", home=desk)
        out = ok("lift", "--agent", "clerk", *signed, home=desk)
        assert ("unproven (dev)" in out) is not is_proven
        ok("stop", "--agent", "clerk", home=desk)
        assert json.loads(ok("lift", "--agent", "clerk", *signed, "--json", home=desk))["proven"] is is_proven
    assert verified(desk) == 0


def test_where_two_are_enrolled_enrolling_a_third_takes_both(desk):
    enrol_apart(desk, "ana")
    enrol_apart(desk, "ben")
    public = ok("operator", "key", "eve", "--key-home", keys_of(desk, "eve")).strip()
    assert cli("operator", "enrol", "eve", "--public-key", public, home=desk)[0] == 10
    act = sign(desk, "ben", "enrol", "--role", "operator", "--public-key", public)
    ok("operator", "countersign", str(act), "--as", "ana", "--key-home", keys_of(desk, "ana"))
    assert cli("approver", "enrol", "eve", "--public-key", public, "--signed", str(act), home=desk)[0] == 64
    ok("operator", "enrol", "eve", "--public-key", public, "--signed", str(act), home=desk)
    assert "eve (operator, proven)" in ok("status", home=desk)
    assert "ben (operator, unproven (dev))" in ok("status", home=desk)  # nobody proven enrolled ben
    assert verified(desk) == 0


def test_one_person_has_one_key_in_whatever_role(desk):
    enrol_apart(desk, "ana")
    code, _, err = cli("approver", "enrol", "ana", home=desk)
    assert (code, "[approver_exists]" in err) == (64, True)


def test_a_withdrawn_operators_waiver_ends(desk):
    enrol_apart(desk, "ana")
    ok("enforce", home=desk)
    ok("observe", "--signed", str(sign(desk, "ana", "waive", "--for", "1h", "--why", "x")), home=desk)
    with HaloBase.local("clerk", home=desk, policy=policy_folder(desk), quiet=True) as halo:
        assert halo.mode is Mode.OBSERVE
        ok("operator", "withdraw", "ana", home=desk)
        assert halo.mode is Mode.ENFORCE
    assert "withdrawn 20" in ok("operator", "list", home=desk)
    assert control(desk)["waiver"] is None


def test_a_signed_act_is_read_back_and_anything_else_refused(desk):
    enrol_apart(desk, "ana")
    text = sign(desk, "ana", "enforce").read_text()
    assert SignedAct.from_text(text).to_text() == text
    tree = json.loads(text)
    for tokens in ([], ["x"], [1], [tree["tokens"][0], "a.b.c"]):
        with pytest.raises(BadInput):
            SignedAct.from_text(json.dumps({**tree, "tokens": tokens}))
    with pytest.raises(BadInput):
        SignedAct.from_text("{")
    other = json.loads(sign(desk, "ana", "lift", "--scope", "all").read_text())
    with pytest.raises(BadInput, match="different acts"):
        SignedAct.from_text(json.dumps({**tree, "tokens": [*tree["tokens"], *other["tokens"]]}))


def test_any_body_gives_a_history(desk):
    """Whoever holds the log's key can write entries of these kinds with any body; none of them raises."""
    history = ControlHistory("local", "halo-store:x")
    for kind in ("mode", "authority", "lift", "stop"):
        for body in (
            {},
            {"to": "observe", "until_us": "x", "signed": 3},
            {"act": "enrol", "role": "operator", "key": 1},
        ):
            history.add(kind, body, at_us=1, entry="a-1")
    assert history.list_live() == []


def test_a_refused_answer_is_an_entry(home):
    request = ask(home)
    enrolled(home)
    with at(home) as store:
        key = people(home).signer("approver-user.ana").public_key
        enrol_approver(
            store,
            Authorities(home),
            name="user:ana",
            public_key=key,
            by="admin",
            now_us=store.clock.now_us(),
        )
    assert refused(home, request, "eve") == "approver_not_enrolled"
    answers(home, request)
    assert refused(home, request) == "not_pending"
    entries = [item.entry for item in found(home, EntryKind.ACCESS)]
    assert [(item.body["refused"], item.body["code"], item.body["actor"]) for item in entries] == [
        ("approve", "approver_not_enrolled", "eve"),
        ("approve", "not_pending", "mia"),
    ]
    assert all(item.body["what"]["request"] == request for item in entries)
    assert verified(home) == 0


def test_reading_and_revealing_content_are_entries_without_the_content(desk):
    decision = found(desk, EntryKind.DECISION)[0].entry.id
    for options in ((), ("--reveal",), ("--json",)):
        ok("show", decision, *options, home=desk)
    entries = [item.entry for item in found(desk, EntryKind.ACCESS)]
    assert [item.body["act"] for item in entries] == ["read", "reveal", "read"]
    assert all(item.body["what"] == {"entry": decision} and item.body["authn"] == "os-user" for item in entries)
    assert verified(desk) == 0


def test_an_export_and_a_copy_are_entries(desk, tmp_path):
    ok("home", "export", str(tmp_path / "bundle"), "--key", str(tmp_path / "key"), home=desk)
    ok("store", "copy", f"sqlite:///{desk / 'halo.db'}", f"sqlite:///{tmp_path / 'copy.db'}", home=desk)
    assert [body["act"] for body in bodies(desk, EntryKind.ACCESS)] == ["export", "export"]
    assert verified(desk) == 0


def test_a_copy_of_a_store_has_its_floor_and_its_waiver(desk, tmp_path):
    enrol_apart(desk, "ana")
    ok("enforce", home=desk)
    ok("observe", "--signed", str(sign(desk, "ana", "waive", "--for", "1h", "--why", "x")), home=desk)
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    ok("store", "copy", f"sqlite:///{desk / 'halo.db'}", url, home=desk)
    copied = json.loads(ok("status", "--json", "--db", url, home=desk))["local"]["control"]
    assert (copied["floor"], copied["waiver"]["signers"]) == ("enforce", ["ana"])
    assert cli("verify", "--db", url, home=desk)[0] == 0


def test_what_cannot_be_recorded_is_said(desk):
    decision = found(desk, EntryKind.DECISION)[0].entry.id
    (desk / "log.key").rename(desk / "log.away")
    code, out, err = cli("show", decision, "--reveal", home=desk)
    assert (code, "decision" in out) == (0, True)
    assert "the reveal is not recorded" in err
    assert not (desk / "log.key").exists()


@pytest.mark.parametrize(("lasts", "why"), [("30m", "it's down; $(date)"), ("2h", "test")])
def test_the_command_that_a_refusal_proposes_signs_what_was_asked_for(desk, lasts, why):
    enrol_apart(desk, "ana")
    ok("enforce", home=desk)
    code, _, err = cli("observe", "--for", lasts, "--why", why, home=desk)
    assert (code, "[signatures_needed]" in err) == (10, True)
    words = shlex.split(" ".join(err.split()).partition("`halo operator sign waive ")[2].partition("`; a second")[0])
    assert words[:4] == ["--for", lasts, "--why", why]
