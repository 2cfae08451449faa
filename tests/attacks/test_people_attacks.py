"""Withdrawals and names of people who sign control acts, as the agent's user would change them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from test_control_attacks import append_mode, approve, asks, at, enforced, enrolled_apart, pays, signed_waiver

from halo_core.authorities import Authorities
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore, RandomIds
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.ledger.control_history import ControlHistory
from halo_core.oversight.control_acts import SignedAct
from halo_core.verification import verify_store
from halo_world import cli, person_ref, policy_folder, url_of, verified


def signed(home: Path, name: str, act: str, terms: dict[str, str], *signers) -> str:
    """A file with an act that people have signed elsewhere."""
    store = at(home)
    given = SignedAct(act, terms, store.commit(lambda tx: tx.load_store_id()), "local")
    store.close()
    for signer in signers:
        given = given.sign(signer, RandomIds(), SystemClock().now_us() // 1_000_000)
    path = home.parent / name
    path.write_text(given.to_text())
    return str(path)


@pytest.fixture
def two(home: Path):
    """A home in enforce mode with two proven people, and the keys of both."""
    enforced(home)
    ana = enrolled_apart(home).signer("operator-ana")
    ben = KeyStore(home.parent / "keys-ben").signer("operator-ben")
    key = base64.b64encode(ben.public_key).decode()
    act = signed(home, "enrol.json", "enrol", {"role": "operator", "key": key}, ana)
    assert cli("operator", "enrol", "ben", "--public-key", key, "--signed", act, home=home)[0] == 0
    return home, ana, ben


def lift(home: Path, *signers) -> int:
    assert cli("stop", "--all", "--why", "test", home=home)[0] == 0
    return cli("lift", "--all", "--signed", signed(home, "lift.json", "lift", LIFT, *signers), home=home)[0]


LIFT = {"scope": "all", "target": ""}


def test_a_withdrawal_that_nobody_proven_has_signed_can_be_confirmed_by_who_remains(two):
    home, ana, ben = two
    code, out, _ = cli("operator", "withdraw", "ana", home=home)
    assert code == 0
    assert "halo operator sign withdraw --key" in out
    assert lift(home, ben) == 10  # ana still counts
    assert "one more has to sign each act" in cli("status", home=home)[1]
    assert lift(home, ana, ben) == 10  # and signs no more
    act = signed(home, "withdraw.json", "withdraw", {"kid": ana.key_id}, ben)
    code, out, err = cli("operator", "withdraw", "ana", "--signed", act, home=home)
    assert (code, "still one of those" in out) == (0, False), err
    assert lift(home, ben) == 0
    # The next one is enrolled by who remains, and counts.
    cyd = KeyStore(home.parent / "keys-cyd").signer("operator-cyd")
    key = base64.b64encode(cyd.public_key).decode()
    act = signed(home, "enrol.json", "enrol", {"role": "operator", "key": key}, ben)
    assert cli("operator", "enrol", "cyd", "--public-key", key, "--signed", act, home=home)[0] == 0
    assert (lift(home, ben), lift(home, ben, cyd)) == (10, 0)


@pytest.mark.parametrize("signer", ["nobody", "ana herself", "somebody unproven"])
def test_nobody_else_confirms_it(two, signer):
    home, ana, ben = two
    assert cli("operator", "withdraw", "ana", home=home)[0] == 0
    mallory = KeyStore(home).signer("operator-mallory")
    signers = {"nobody": (), "ana herself": (ana,), "somebody unproven": (mallory,)}[signer]
    if signers:
        act = signed(home, "withdraw.json", "withdraw", {"kid": ana.key_id}, *signers)
        assert cli("operator", "withdraw", "ana", "--signed", act, home=home)[0] == 0
    else:
        assert cli("operator", "withdraw", "ana", home=home)[0] != 0
    assert lift(home, ben) == 10
    append_mode(home, signed_waiver(home, ben))
    assert not pays(home)


def test_a_withdrawal_that_somebody_proven_signs_at_once_needs_no_confirmation(two):
    """The honest twin."""
    home, ana, ben = two
    act = signed(home, "withdraw.json", "withdraw", {"kid": ana.key_id}, ben)
    code, out, _ = cli("operator", "withdraw", "ana", "--signed", act, home=home)
    assert (code, "still one of those" in out) == (0, False)
    assert lift(home, ben) == 0
    assert verified(home) == 0


# names


def rename(home: Path, old: str, new: str) -> None:
    path = home / "authorities.json"
    text = path.read_text()
    assert f'"{old}"' in text
    path.write_text(text.replace(f'"{old}"', f'"{new}"'))


def test_a_name_in_the_file_makes_nobody_the_signer(home):
    enforced(home)
    mallory = enrolled_apart(home, "mallory")
    append_mode(home, signed_waiver(home, mallory.signer("operator-mallory")))
    shown = cli("status", home=home)[1]
    assert "signed by mallory, proven" in " ".join(shown.split())
    assert "another name" not in shown
    rename(home, "mallory", "ceo@bank.example")
    shown = " ".join(cli("status", home=home)[1].split())
    assert "ceo" not in shown
    assert "signed by mallory, proven" in shown
    assert "under another name than enrolled" in shown


@pytest.mark.parametrize("build", ["ours", "theirs"])
def test_an_approver_under_another_name_answers_nothing(home, monkeypatch, build):
    """Whoever owns the agent may not approve; another name in the file makes nobody else of the same key."""
    policy = policy_folder(home)
    assert pays(home)
    keys = enrolled_apart(home, "mia", "approver")
    (home.parent / "keys-noa").mkdir()
    key = keys.home / "approver-mia.key"
    (home.parent / "keys-noa" / "approver-noa.key").write_bytes(key.read_bytes())
    (home.parent / "keys-noa" / "approver-noa.key").chmod(0o600)
    (home.parent / "keys-noa").chmod(0o700)
    with HaloBase.local("clerk", home=home, policy=policy, mode="enforce", quiet=True) as halo:
        with pytest.raises(Pending) as caught:
            asks(halo)
        rename(home, "mia", "noa")
        if build == "theirs":
            people = {keys.signer("approver-mia").key_id: person_ref(home, "noa")}
            with monkeypatch.context() as patched:
                patched.setattr(ControlHistory, "map_approvers", lambda _: people)
                assert approve(home, caught.value.pending_id, "noa")[0] == 0
        else:
            code, _, err = approve(home, caught.value.pending_id, "noa")
            assert (code, "under another name" in err) == (10, True)
        with pytest.raises((Denied, Pending)):
            asks(halo)
        rename(home, "noa", "mia")
        if build == "ours":  # the honest twin
            assert approve(home, caught.value.pending_id, "mia")[0] == 0
            assert asks(halo)
    expected = {"signer_not_enrolled"} if build == "theirs" else set()
    assert {item.code for item in verify_store(url_of(home), home).findings} == expected
    assert Authorities(home).load("local").approvers
