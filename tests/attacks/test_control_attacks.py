"""Whoever wants less than the floor: as the agent's user, as somebody who writes the database, as an application."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from halo_core import floors
from halo_core.authorities import Authorities, make_person_key_name
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore, RandomIds
from halo_core.errors import CannotDecide, ConfigError, Denied, HaloError, Pending
from halo_core.facade import HaloBase
from halo_core.floors import HomeFloor, read_host_floor
from halo_core.ledger.control_history import ControlHistory, make_waive_terms
from halo_core.model import Actor, EntryKind, Mode, Stop
from halo_core.oversight.control_acts import SignedAct, make_waiver, raise_floor, waive_floor
from halo_core.oversight.keys import enrol_person
from halo_core.oversight.restrictions import stop
from halo_core.passports.approval import ApprovalToken, mint_approval
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.store import control_state
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.floor_memory import FloorMemory
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_core.testing import FixedClock
from halo_core.verification import verify_store
from halo_world import (
    SURFACE,
    Calls,
    attack,
    bodies,
    cli,
    db_of,
    found,
    person_ref,
    policy_folder,
    tool,
    url_of,
    verified,
)

HOUR_US = 3_600_000_000


def pays(home: Path, **options) -> bool:
    """Whether a denied action runs in a process that is opened now."""
    options.setdefault("policy", policy_folder(home))
    with HaloBase.local("clerk", home=home, quiet=True, **options) as halo:
        return runs(halo)


def runs(halo: HaloBase) -> bool:
    body = Calls()
    try:
        with halo.session(f"s-{os.urandom(4).hex()}"):
            halo.enforcer.run(halo.build_call(tool(halo, "wipe"), {"path": "/"}), body, SURFACE)
    except HaloError:
        pass
    return bool(body)


def at(home: Path, clock=None) -> Store:
    return Store(StoreConfig(url_of(home), home, "local"), KeyStore(home), clock=clock)


def enforced(home: Path) -> Path:
    assert pays(home)  # a new home observes
    assert cli("enforce", home=home)[0] == 0
    assert not pays(home)
    return home


def enrolled_apart(home: Path, name: str = "ana", role: str = "operator") -> KeyStore:
    """Somebody whose key is nowhere near the agent."""
    keys = KeyStore(home.parent / f"keys-{name}")
    public = base64.b64encode(keys.signer(make_person_key_name(role, name)).public_key).decode()
    assert cli(role, "enrol", name, "--public-key", public, home=home)[0] == 0
    return keys


def signed_waiver(home: Path, *signers, now_us: int = 0, lasts_us: int = HOUR_US, why: str = "test") -> SignedAct:
    now_us = now_us or SystemClock().now_us()
    store = at(home)
    act = make_waiver(store.commit(lambda tx: tx.load_store_id()), "local", now_us + lasts_us, why)
    store.close()
    for signer in signers:
        act = act.sign(signer, RandomIds(), now_us // 1_000_000)
    return act


def append_mode(home: Path, act: SignedAct, **changes) -> None:
    """As whoever holds the log's key: an entry that lowers the floor, with whatever signatures."""
    store = at(home)
    until_us = int(act.terms["until_s"]) * 1_000_000
    body = {"from": "enforce", "to": "observe", "until_us": until_us, "why": act.terms["why"], "signed": [*act.tokens]}
    store.commit(lambda tx: tx.append(Draft(EntryKind.MODE, "", body | changes, actor=Actor("admin", "os-user"))))
    store.close()


def test_a_forged_mode_entry_lowers_nothing_and_is_shown(home):
    enforced(home)
    store = at(home)
    store.commit(lambda tx: tx.append(Draft(EntryKind.MODE, "", {"from": "enforce", "to": "observe"})))
    store.close()
    assert not pays(home)
    assert verified(home) == 11
    assert "without effect" in cli("status", home=home)[1]


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "forger", ["nobody", "agent", "not enrolled", "other act", "other store", "too long", "edited"]
)
def test_a_forged_waiver_lowers_nothing_and_is_shown(home, forger):
    enforced(home)
    ana = enrolled_apart(home).signer("operator-ana")
    agent, mallory = KeyStore(home).signer("agent-clerk"), KeyStore(home.parent / "m").signer("operator-mallory")
    act = signed_waiver(home, *{"nobody": (), "agent": (agent,), "not enrolled": (mallory,)}.get(forger, (ana,)))
    changes, now_s = {}, SystemClock().now_us() // 1_000_000
    if forger == "other act":
        lift = SignedAct("lift", {"scope": "all", "target": ""}, act.store, "local")
        act = replace(act, tokens=lift.sign(ana, RandomIds(), now_s).tokens)
    elif forger == "other store":
        act = replace(
            act, tokens=replace(act, store="halo-store:other", tokens=()).sign(ana, RandomIds(), now_s).tokens
        )
    elif forger == "too long":
        act = signed_waiver(home, ana, lasts_us=30 * 24 * HOUR_US)
    elif forger == "edited":
        changes["until_us"] = (int(act.terms["until_s"]) + 3600) * 1_000_000
    append_mode(home, act, **changes)
    assert not pays(home)
    report = verify_store(url_of(home), home)
    assert report.exit_code == 11
    assert "without effect" in cli("status", home=home)[1]
    # What a person who is enrolled has signed does lower it.
    append_mode(home, signed_waiver(home, ana))
    assert pays(home)


@pytest.mark.parametrize("enrolled", [False, True])
def test_a_waiver_that_nobody_enrolled_has_signed_lowers_nothing_where_nobody_is_proven(home, enrolled):
    enforced(home)
    if enrolled:
        assert cli("approver", "enrol", "mia", home=home)[0] == 0
    append_mode(home, signed_waiver(home))
    append_mode(home, signed_waiver(home, KeyStore(home).signer("agent-clerk")))
    assert not pays(home)
    assert verified(home) == 11
    assert "without effect" in cli("status", home=home)[1]
    if enrolled:
        append_mode(home, signed_waiver(home, KeyStore(home).signer("approver-mia")))
        assert pays(home)


def test_enrolling_oneself_beside_a_proven_person_waives_nothing(home):
    enforced(home)
    ana = enrolled_apart(home)
    mallory = KeyStore(home).signer("operator-mallory")
    store = at(home)
    now_us = store.clock.now_us()
    enrol_person(
        store,
        Authorities(home),
        name="mallory",
        public_key=mallory.public_key,
        by="admin",
        now_us=now_us,
        role="operator",
    )
    store.close()
    assert cli("operator", "withdraw", "ana", home=home)[0] == 0
    append_mode(home, signed_waiver(home, mallory))
    assert not pays(home)
    second = KeyStore(home).signer("operator-second")
    key = base64.b64encode(second.public_key).decode()
    assert cli("operator", "enrol", "second", "--public-key", key, home=home)[0] == 10
    assert ana.names() == ("operator-ana",)


def test_people_with_keys_in_the_home_waive_nothing_without_a_proven_person(home):
    enforced(home)
    for name in ("mia", "bob"):
        assert cli("approver", "enrol", name, home=home)[0] == 0
    keys = KeyStore(home.parent / "keys-ana")
    public = base64.b64encode(keys.signer("operator-ana").public_key).decode()
    both = ("--as", "mia", "--as", "bob")
    assert cli("operator", "enrol", "ana", "--public-key", public, *both, home=home)[0] == 0
    here = [KeyStore(home).signer(f"approver-{name}") for name in ("mia", "bob")]
    append_mode(home, signed_waiver(home, *here))
    assert not pays(home)
    append_mode(home, signed_waiver(home, here[0], keys.signer("operator-ana")))
    assert pays(home)


def test_a_waiver_ends_by_whichever_clock_comes_first(home):
    enforced(home)
    ana = enrolled_apart(home).signer("operator-ana")
    clock = FixedClock(SystemClock().now_us())
    append_mode(home, signed_waiver(home, ana, now_us=clock.now_us()))
    clock.advance(60)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True, clock=clock) as halo:
        assert runs(halo)
        clock.advance(-1_800)  # set back before its beginning
        assert not runs(halo)
        clock.advance(1_800)
        assert runs(halo)
        clock._mono_us += HOUR_US  # an hour has passed, whatever the wall clock says
        assert not runs(halo)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True, clock=clock) as halo:
        assert runs(halo)
        clock._now_us += 2 * HOUR_US  # the wall clock alone
        assert not runs(halo)
        clock.advance(-7_200)
        assert not runs(halo)  # it does not come back
    assert verified(home) == 0


def test_a_decision_below_the_floor_is_shown_though_the_row_was_set_back(home, monkeypatch):
    """Code in the process can decide as it likes; the record says at which position it did."""
    enforced(home)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        control = halo.store.commit(lambda tx: tx.load_control())
        halo.store._image.control = replace(control, mode=Mode.OBSERVE)
        assert runs(halo)
        halo.store._image.control = control
        assert not runs(halo)
    report = verify_store(url_of(home), home)
    assert [item.code for item in report.findings] == ["below_floor"]


def test_a_mode_that_is_flipped_and_flipped_back_lowers_nothing_and_is_shown(home):
    enforced(home)
    database = attack(db_of(home))
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as running:
        assert not runs(running)
        database.execute("UPDATE control SET mode='observe'")
        assert not runs(running)
        assert not pays(home)
        database.execute("UPDATE control SET mode='enforce'")
        assert not runs(running)
    assert bodies(home, EntryKind.CONTROL)[0]["column"] == "mode"
    report = verify_store(url_of(home), home)
    assert report.exit_code == 0
    assert any("differed" in text for text in report.warnings)
    assert "differed from their signed entries" in cli("status", home=home)[1]


def test_an_entry_of_the_mode_that_is_taken_away_lowers_nothing_and_is_shown(home):
    enforced(home)
    database = attack(db_of(home))
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as running:
        assert not runs(running)
        database.execute("DELETE FROM entry WHERE kind='mode'")
        database.execute("UPDATE control SET mode='observe'")
        assert not runs(running)
    assert not pays(home)
    assert verified(home) != 0
    assert HomeFloor(home).list_raised() == ["local"]


@pytest.mark.share(2)
@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("UPDATE control SET mode='observe'", "control local column mode"),
        ("UPDATE control SET version=version+1", "control local column version"),
        ("UPDATE control SET policy='x'", "control local column policy"),
        ("UPDATE control SET store='halo-store:x'", "control local column store"),
        ("INSERT INTO control VALUES ('evil', 1, 'halo-store:x', 'observe', '')", "control evil"),
        ("UPDATE usage SET uses=uses+1", "usage local/clerk/lookup column uses"),
        ("UPDATE usage SET uses=uses-1", "usage local/clerk/lookup column uses"),
        ("DELETE FROM usage", "usage local/clerk/lookup column uses"),
        ("INSERT INTO usage VALUES ('local', 'clerk', 'never', 3)", "usage local/clerk/never"),
        ("UPDATE resource SET spec=x'00'", "resource local/lookup column spec"),
        ("DELETE FROM resource WHERE id='lookup'", "resource local/lookup"),
        ("INSERT INTO resource VALUES ('local', 'other', x'00')", "resource local/other"),
        ("UPDATE writer SET closed_us=closed_us+1", "column closed_us"),
        ("UPDATE writer SET closed_us=NULL", "column closed_us"),
        ("UPDATE writer SET opened_us=opened_us+1", "column opened_us"),
    ],
)
def test_a_changed_row_of_control_is_shown(home, change, where):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        for number in range(3):
            with halo.session("s"):
                halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": f"{number}"}), Calls(), SURFACE)
    assert cli("enforce", home=home)[0] == 0
    assert verified(home) == 0
    attack(db_of(home)).execute(change)
    report = verify_store(url_of(home), home)
    assert report.exit_code in (11, 13)
    assert any(where in item.where for item in report.findings), report.findings


def test_a_policy_that_was_not_put_in_force_is_shown(home):
    """Code in the process can decide by another policy; without an entry that names it, each decision shows it."""
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        assert runs(halo)
        credentials = halo._agent_credentials._current
        other = PolicyBundle.load([policy_folder(home, '@id("all") permit (principal, action, resource);')], {})
        halo._agent_credentials._current = replace(credentials, policy=CedarPolicy.compile(other))
        halo.store._image.policy = other.hash
        assert runs(halo)
    assert "policy_not_in_force" in {item.code for item in verify_store(url_of(home), home).findings}


@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_tool_that_is_decided_as_something_milder_is_shown(home, mode):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), mode=mode, quiet=True) as halo:
        milder = replace(tool(halo, "lookup"), source_trust=900)
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(milder, {"q": "x"}), Calls(), SURFACE)
    assert "resource_not_registered" in {item.code for item in verify_store(url_of(home), home).findings}


def test_a_policy_that_changes_and_changes_back_is_an_entry_each_time(home):
    for text in (
        '@id("a") permit (principal, action, resource);',
        None,
        '@id("a") permit (principal, action, resource);',
    ):
        folder = policy_folder(home, text) if text else policy_folder(home)
        with HaloBase.local("clerk", home=home, policy=folder, quiet=True) as halo:
            runs(halo)
    first, second, third = (body["hash"] for body in bodies(home, EntryKind.POLICY))
    assert (first == third, first == second) == (True, False)
    assert all(body["actor"] and body["authn"] == "os-user" for body in bodies(home, EntryKind.POLICY))
    assert verified(home) == 0


@pytest.mark.parametrize("forger", ["the agent's key", "a key of its own", "an approver of its own"])
def test_a_forged_approval_lets_nothing_run(home, forger):
    policy = policy_folder(home)
    assert pays(home)
    enrolled_apart(home, "mia", "approver")
    signer, approver = KeyStore(home).signer("agent-clerk" if forger == "the agent's key" else "approver-mia"), "mia"
    if forger == "an approver of its own":
        approver = "eve"
        Authorities(home).add_person("local", approver, signer.public_key, 0, role="approver")

    def ask(halo):
        body = Calls()
        with halo.session("one"):
            halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 500, "to": "acct"}), body, SURFACE)
        return body

    with HaloBase.local("clerk", home=home, policy=policy, mode="enforce", quiet=True) as halo:
        with pytest.raises(Pending) as caught:
            ask(halo)
        row = attack(db_of(home)).execute("SELECT id, session, binding FROM approval").fetchone()
        store_id = halo.store.commit(lambda tx: tx.load_store_id())
        now_s = SystemClock().now_us() // 1_000_000
        token = mint_approval(
            ApprovalToken(
                id=RandomIds().new_token_id(),
                approver=approver,
                tenant="local",
                audience=(store_id,),
                issued_at_s=now_s,
                expires_at_s=now_s + 600,
                answer="approve",
                kind="call",
                binding=row[2],
                request=row[0],
                session=row[1],
            ),
            signer,
        )
        attack(db_of(home)).execute("UPDATE approval SET status='approved', answer=?", (token,))
        with pytest.raises((Denied, Pending)):
            ask(halo)
    assert caught.value.pending_id
    assert verified(home) == 11


def test_an_application_that_asks_for_less_than_the_floor_gets_nothing_done(home):
    enforced(home)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), mode="observe", quiet=True) as halo:
        assert halo.mode is Mode.ENFORCE
        body = Calls()
        with halo.session("s"), pytest.raises(Denied) as caught:
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), body, SURFACE)
        assert (caught.value.reason, body) == ("below_floor", [])
        assert "halo observe --for" in caught.value.remedy
    assert [body["code"] for body in bodies(home, EntryKind.ACCESS)] == ["below_floor"]
    for mode in (None, "enforce"):  # the honest twin
        with (
            HaloBase.local("clerk", home=home, policy=policy_folder(home), mode=mode, quiet=True) as halo,
            halo.session(),
        ):
            body = Calls()
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), body, SURFACE)
            assert len(body) == 1


def test_a_process_that_was_opened_to_observe_follows_a_raised_floor(home):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), mode="observe", quiet=True) as halo:
        assert runs(halo)
        halo.store.flush()
        assert cli("enforce", home=home)[0] == 0
        assert not runs(halo)


def test_another_home_does_not_get_below_the_floor_of_the_host(home, monkeypatch):
    monkeypatch.setenv("HALO_FLOOR", "enforce")
    other = home.parent / "other"
    for place in (home, other):
        assert not pays(place)
        assert not pays(place, mode="observe")
    code, _, err = cli("observe", "--for", "1h", "--why", "x", home=other)
    assert (code, "[host_floor]" in err) == (64, True)
    assert "host (HALO_FLOOR" in cli("status", home=other)[1]


def test_a_waiver_does_not_get_below_the_floor_of_the_host(home, monkeypatch):
    enforced(home)
    ana = enrolled_apart(home).signer("operator-ana")
    append_mode(home, signed_waiver(home, ana))
    assert pays(home)
    monkeypatch.setenv("HALO_FLOOR", "enforce")
    assert not pays(home)


def test_the_floor_of_the_host_is_a_file_that_only_root_may_write(tmp_path, monkeypatch):
    path = tmp_path / "floor"
    assert read_host_floor(path, {}, at_start="").mode is Mode.OBSERVE
    path.write_text("enforce\n")
    assert read_host_floor(path, {}, at_start="").mode is Mode.ENFORCE
    assert read_host_floor(path, {"HALO_FLOOR": "observe"}, at_start="").mode is Mode.ENFORCE
    path.chmod(0o666)
    assert not read_host_floor(path, {}, at_start="").is_protected
    for text in ("off", ""):
        path.write_text(text)
        with pytest.raises(ConfigError, match="bad_floor"):
            read_host_floor(path, {}, at_start="")
    path.unlink()
    assert read_host_floor(path, {}, at_start="enforce").mode is Mode.ENFORCE  # removed from the environment since
    monkeypatch.setattr(floors, "HOST_FLOOR_PATH", path)
    path.write_text("enforce")
    assert not pays(tmp_path / "home")
    root = os.stat_result((stat.S_IFREG | 0o644, 1, 1, 1, 0, 0, 1, 0, 0, 0))
    assert floors._is_roots(root)
    assert not floors._is_roots(os.stat_result((stat.S_IFREG | 0o664, 1, 1, 1, 0, 0, 1, 0, 0, 0)))
    assert not floors._is_roots(os.stat_result((stat.S_IFREG | 0o644, 1, 1, 1, 1000, 0, 1, 0, 0, 0)))


def test_a_damaged_floor_of_the_home_is_not_taken_for_none(home):
    enforced(home)
    attack(db_of(home)).execute("DELETE FROM entry WHERE kind='mode'")
    (home / "floor.json").write_text("{")
    assert not pays(home)


def test_nothing_but_a_person_ends_up_in_the_waiver(home):
    """An honest waiver: raised, waived by one person, raised again; every step an entry that says who."""
    enforced(home)
    ana = enrolled_apart(home).signer("operator-ana")
    act = signed_waiver(home, ana, why="migration")

    def job(tx: Transaction) -> None:
        waive_floor(tx, int(act.terms["until_s"]) * 1_000_000, "migration", Actor("bob", "os-user"), act.tokens)

    store = at(home)
    store.commit(job)
    store.close()
    assert pays(home)
    out = cli("status", home=home)[1]
    assert "signed by ana, proven: migration" in out
    store = at(home)
    assert store.commit(lambda tx: raise_floor(tx, Actor("bob", "os-user")))
    store.close()
    assert not pays(home)
    assert [body["to"] for body in bodies(home, EntryKind.MODE)] == ["enforce", "observe", "enforce"]
    assert found(home, EntryKind.MODE)[1].entry.body["actor"] == "bob"
    assert verified(home) == 0
    assert make_waive_terms({"until_us": 5_000_000, "why": "x"}) == {"until_s": 5, "why": "x"}


def test_what_a_process_knows_of_the_floor_outlives_everything_it_forgets(home):
    enforced(home)
    store = at(home)
    store.commit(lambda tx: tx.load_control())
    store._image.clear()
    assert store._image.floors == FloorMemory(Mode.OBSERVE, Mode.ENFORCE)
    store.close()


# what was over, and what was used, stays so


def waived_and_ended(home: Path) -> SignedAct:
    ana = enrolled_apart(enforced(home)).signer("operator-ana")
    act = signed_waiver(home, ana, lasts_us=20 * HOUR_US)
    append_mode(home, act)
    assert pays(home)
    assert cli("enforce", home=home)[0] == 0
    assert not pays(home)
    return act


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM entry WHERE idx=(SELECT max(idx) FROM entry WHERE kind='mode')",
        "UPDATE entry SET kind='handback' WHERE idx=(SELECT max(idx) FROM entry WHERE kind='mode')",
        "UPDATE entry SET idx=idx+1000000 WHERE idx=(SELECT min(idx) FROM entry WHERE kind='mode')",
    ],
)
@pytest.mark.parametrize("running", [False, True])
def test_a_waiver_that_was_ended_does_not_come_back_with_the_entry_that_ended_it(home, change, running):
    waived_and_ended(home)
    with HaloBase.local("clerk", home=home, quiet=True, policy=policy_folder(home)) as halo:
        assert not runs(halo)
        database = attack(db_of(home))
        database.execute(change)
        database.close()
        assert not (runs(halo) if running else pays(home))


def test_a_signed_waiver_that_was_ended_cannot_be_used_again(home, tmp_path):
    act = waived_and_ended(home)
    file = tmp_path / "act.json"
    file.write_text(act.to_text())
    code, _, err = cli("observe", "--signed", str(file), home=home)
    assert code == 10
    assert "signatures_needed" in err
    append_mode(home, act)  # as whoever holds the log's key
    assert not pays(home)
    assert "without effect" in cli("status", home=home)[1]


def test_a_waiver_does_not_come_back_with_a_clock_that_is_set_back_over_a_restart(home):
    ana = enrolled_apart(enforced(home)).signer("operator-ana")
    append_mode(home, signed_waiver(home, ana))
    clock = FixedClock(SystemClock().now_us() + 1_000_000)
    assert pays(home, clock=clock)
    clock.advance(2 * 3600)
    assert not pays(home, clock=clock)
    clock.advance(-110 * 60)
    assert not pays(home, clock=clock)


@pytest.mark.parametrize("options", [{"tenant": "other"}, {"tenant": "Local"}, {"tenant": "other", "db": "another"}])
def test_another_tenant_of_the_home_begins_at_its_floor(home, options):
    enforced(home)
    if "db" in options:
        options = {**options, "db": f"sqlite:///{home.parent}/another.db"}
    assert not pays(home, **options)
    assert verified(home) == 0


def test_another_tenant_of_a_home_that_observes_observes(home):
    assert pays(home)
    assert pays(home, tenant="other")


def test_a_key_that_an_enrolment_makes_on_this_machine_proves_nothing(home, tmp_path):
    enforced(home)
    place = str(tmp_path / "keys")
    assert cli("operator", "enrol", "ana", "--key-home", place, home=home)[0] == 0
    assert cli("observe", "--for", "1h", "--why", "x", "--as", "ana", "--key-home", place, home=home)[0] == 0
    out = cli("status", home=home)[1]
    assert "unproven (dev)" in out
    assert ", proven" not in out


# stops and revocations


def restrict(home: Path, kind: str) -> None:
    assert cli(kind, "--agent", "clerk", "--why", "x", home=home)[0] == 0
    for file in (home / "stops").glob("*"):
        file.unlink()  # as on another host, which has no such file


def looks_up(halo: HaloBase) -> bool:
    body = Calls()
    try:
        with halo.session(f"s-{os.urandom(4).hex()}"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), body, SURFACE)
    except HaloError:
        pass
    return bool(body)


@pytest.mark.parametrize("kind", ["stop", "revoke"])
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM hold",
        "UPDATE hold SET target='other'",
        "UPDATE hold SET tenant='other'",
        "UPDATE hold SET kind='stop', scope='tool', target='other'",
    ],
)
@pytest.mark.parametrize("running", [False, True])
def test_a_restriction_outlives_its_row(home, kind, change, running):
    with HaloBase.local("clerk", home=home, quiet=True, policy=policy_folder(home)) as halo:
        assert looks_up(halo)
        restrict(home, kind)
        if running:
            assert not looks_up(halo)
        database = attack(db_of(home))
        database.execute(change)
        database.close()
        assert not looks_up(halo)
    assert "differed 1 times" in " ".join(verify_store(url_of(home), home).warnings)


@pytest.mark.parametrize(
    "change", ["DELETE FROM entry WHERE kind='{}'", "UPDATE entry SET kind='handback' WHERE kind='{}'"]
)
@pytest.mark.parametrize("kind", ["stop", "revoke"])
def test_a_restriction_outlives_its_entry_in_a_process_that_knew_it(home, kind, change):
    with HaloBase.local("clerk", home=home, quiet=True, policy=policy_folder(home)) as halo:
        assert looks_up(halo)
        restrict(home, kind)
        assert not looks_up(halo)
        database = attack(db_of(home))
        database.execute(change.format({"stop": "stop", "revoke": "revocation"}[kind]))
        database.execute("DELETE FROM hold")
        database.close()
        assert not looks_up(halo)
    assert verified(home) != 0


def test_a_stop_that_was_lifted_is_over_and_one_made_after_it_is_not(home):
    with HaloBase.local("clerk", home=home, quiet=True, policy=policy_folder(home)) as halo:
        for _ in range(2):
            assert looks_up(halo)
            restrict(home, "stop")
            assert not looks_up(halo)
            assert cli("lift", "--agent", "clerk", "--why", "x", home=home)[0] == 0
        assert looks_up(halo)
        restrict(home, "stop")
        assert not looks_up(halo)
    assert verified(home) == 0
    assert not verify_store(url_of(home), home).warnings


def test_a_stop_whose_row_is_gone_can_be_lifted(home):
    assert pays(home)
    restrict(home, "stop")
    database = attack(db_of(home))
    database.execute("DELETE FROM hold")
    database.close()
    assert cli("lift", "--agent", "clerk", "--why", "x", home=home)[0] == 0
    assert pays(home)


def test_a_stop_over_a_row_that_no_entry_explains_is_recorded(home):
    assert pays(home)
    database = attack(db_of(home))
    database.execute("INSERT INTO hold VALUES ('local','stop','agent','clerk',1)")
    database.close()
    assert not pays(home)  # a row that says more counts
    restrict(home, "stop")
    database = attack(db_of(home))
    database.execute("DELETE FROM hold")
    database.close()
    assert not pays(home)


def test_a_lift_that_nobody_signed_where_two_have_to_ends_no_stop(home):
    assert pays(home)
    enrolled_apart(home, "ana")
    store = at(home)
    keys = KeyStore(home.parent / "keys-ben")
    now_us = store.clock.now_us()
    enrol_person(
        store,
        Authorities(home),
        name="ben",
        public_key=keys.signer("operator-ben").public_key,
        by=Actor("admin", "os-user"),
        now_us=now_us,
        role="operator",
    )
    store.close()
    restrict(home, "stop")
    store = at(home)
    body = {"filed": False, "scope": "agent", "target": "clerk", "why": ""}
    store.commit(lambda tx: tx.append(Draft(EntryKind.LIFT, "", body, actor=Actor("admin", "os-user"))))
    store.close()
    database = attack(db_of(home))
    database.execute("DELETE FROM hold")
    database.close()
    assert not pays(home)


def test_a_stop_that_was_not_committed_stops_nothing(home):
    store = at(home)

    def fail(tx: Transaction) -> None:
        stop(tx, Stop("agent", "clerk", 1), Actor("admin", "os-user"), "x")
        tx.load_control()
        raise ZeroDivisionError

    with pytest.raises(CannotDecide):
        store.commit(fail)
    assert store.commit(lambda tx: tx.load_control().stops) == ()
    store.close()


@pytest.mark.parametrize("kind", ["stop", "revoke"])
def test_what_ran_under_a_restriction_is_shown(home, kind, monkeypatch):
    with HaloBase.local("clerk", home=home, quiet=True, policy=policy_folder(home)) as halo:
        assert looks_up(halo)
        restrict(home, kind)
        database = attack(db_of(home))
        saved = database.execute("SELECT * FROM hold").fetchall()
        database.execute("DELETE FROM hold")
        # As a build that takes the rows for what is in force.
        monkeypatch.setattr(control_state, "_restore_restrictions", lambda _tx, _history, *rows: rows)
        assert looks_up(halo)
        database.executemany("INSERT INTO hold VALUES (?,?,?,?,?)", saved)
        database.close()
    report = verify_store(url_of(home), home)
    assert "restriction_ignored" in {item.code for item in report.findings}


# answers of people whom no entry has enrolled


def asks(halo: HaloBase, session: str = "one") -> Calls:
    body = Calls()
    with halo.session(session):
        halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 500, "to": "acct"}), body, SURFACE)
    return body


def approve(home: Path, request: str, name: str) -> tuple[int, str, str]:
    return cli(
        "approvals", "approve", request, "--as", name, "--key-home", str(home.parent / f"keys-{name}"), home=home
    )


@pytest.mark.parametrize("build", ["ours", "theirs"])
def test_an_approver_in_the_file_alone_answers_nothing(home, monkeypatch, build):
    policy = policy_folder(home)
    assert pays(home)
    enrolled_apart(home, "mia", "approver")
    file = home / "authorities.json"
    kept = file.read_bytes()
    eve = KeyStore(home.parent / "keys-eve").signer("approver-eve")
    with HaloBase.local("clerk", home=home, policy=policy, mode="enforce", quiet=True) as halo:
        with pytest.raises(Pending) as caught:
            asks(halo)
        Authorities(home).add_person("local", "eve", eve.public_key, 0, role="approver")
        if build == "theirs":  # whoever holds the log's key needs no command of ours to write an answer
            people = {eve.key_id: person_ref(home, "eve")}
            with monkeypatch.context() as patched:
                patched.setattr(ControlHistory, "map_approvers", lambda _: people)
                assert approve(home, caught.value.pending_id, "eve")[0] == 0
        else:
            code, _, err = approve(home, caught.value.pending_id, "eve")
            assert (code, "approver_not_enrolled" in err) == (10, True)
        with pytest.raises((Denied, Pending)):
            asks(halo)
        file.write_bytes(kept)
    report = verify_store(url_of(home), home)
    expected = {"signer_not_enrolled"} if build == "theirs" else set()
    assert {item.code for item in report.findings} == expected


def test_an_approver_whom_an_entry_has_enrolled_answers_until_withdrawn(home):
    policy = policy_folder(home)
    assert pays(home)
    enrolled_apart(home, "mia", "approver")
    with HaloBase.local("clerk", home=home, policy=policy, mode="enforce", quiet=True) as halo:
        with pytest.raises(Pending) as caught:
            asks(halo)
        assert approve(home, caught.value.pending_id, "mia")[0] == 0
        assert asks(halo)
        with pytest.raises(Pending) as caught:
            asks(halo, "two")
        kept = (home / "authorities.json").read_bytes()
        assert cli("approver", "withdraw", "mia", home=home)[0] == 0
        (home / "authorities.json").write_bytes(kept)  # the file alone enrols nobody again
        assert approve(home, caught.value.pending_id, "mia")[0] == 10
    assert verified(home) == 0


@pytest.mark.parametrize("apart", [False, True])
def test_an_answer_with_a_key_of_this_machine_is_shown_as_unproven(home, apart):
    policy, proof = policy_folder(home), "proven" if apart else "unproven (dev)"
    assert pays(home)
    if apart:
        enrolled_apart(home, "mia", "approver")
    else:
        assert cli("approver", "enrol", "mia", home=home)[0] == 0
    options = ["--key-home", str(home.parent / "keys-mia")] if apart else []
    with HaloBase.local("clerk", home=home, policy=policy, mode="enforce", quiet=True) as halo:
        for session in ("one", "two"):
            with pytest.raises(Pending) as caught:
                asks(halo, session)
            assert cli("approvals", "approve", caught.value.pending_id, "--as", "mia", *options, home=home)[0] == 0
            assert asks(halo, session)
    assert json.loads(cli("status", "--json", home=home)[1])["local"]["control"]["answers"] == {proof: 2}
    assert json.loads(cli("verify", "--json", home=home)[1])["answer_proofs"] == {"local": {proof: 2}}
    for verb in ("status", "verify"):
        assert f"answers to questions: 2 {proof}" in cli(verb, home=home)[1]


# the floor of the host while a process runs


@pytest.mark.parametrize("text", ["enforce", "nonsense"])
def test_a_floor_of_the_host_that_is_raised_counts_at_the_next_decision(home, monkeypatch, text):
    path = home.parent / "floor"
    monkeypatch.setattr(floors, "HOST_FLOOR_PATH", path)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        assert runs(halo)  # a new home observes
        path.write_text(text)
        assert not runs(halo)
        path.unlink()
        assert not runs(halo)  # none that is lowered counts
    assert pays(home)


def test_a_floor_of_the_host_that_is_written_and_says_observe_changes_nothing(home, monkeypatch):
    """The honest twin."""
    path = home.parent / "floor"
    monkeypatch.setattr(floors, "HOST_FLOOR_PATH", path)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        path.write_text("observe")
        assert runs(halo)


def test_a_waiver_ends_where_the_floor_of_the_host_is_raised(home, monkeypatch):
    enforced(home)
    append_mode(home, signed_waiver(home, enrolled_apart(home).signer("operator-ana")))
    monkeypatch.setattr(floors, "HOST_FLOOR_PATH", home.parent / "floor")
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        assert runs(halo)
        (home.parent / "floor").write_text("enforce")
        assert not runs(halo)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the system does not keep the environment")
def test_a_variable_that_is_removed_before_halo_is_imported_still_counts(home):
    code = (
        "import os; os.environ.pop('HALO_FLOOR')\n"
        "from halo_core.floors import read_host_floor\n"
        "print(read_host_floor().mode)"
    )
    environment = {**os.environ, "HALO_FLOOR": "enforce"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "enforce"


def test_the_variable_at_the_start_is_read_as_a_whole_name(tmp_path, monkeypatch):
    monkeypatch.delenv("HALO_FLOOR", raising=False)
    path = tmp_path / "environ"
    path.write_bytes(b"XHALO_FLOOR=enforce\0HALO_FLOORS=enforce\0")
    assert floors.read_start_variable(path) == ""
    path.write_bytes(b"A=b\0HALO_FLOOR=enforce\0")
    assert floors.read_start_variable(path) == "enforce"
    assert floors.read_start_variable(tmp_path / "none") == ""


# two stores of one home


def test_a_waiver_of_one_store_serves_no_other_of_the_home(home):
    """Both have the same log key, so that entries of one are signed as those of the other."""
    enforced(home)
    append_mode(home, signed_waiver(home, enrolled_apart(home).signer("operator-ana")))
    assert pays(home)
    other = home.parent / "other.db"
    url = f"sqlite:///{other}"
    assert not pays(home, db=url)
    mine, theirs = attack(db_of(home)), attack(other)
    entries = mine.execute("SELECT * FROM entry ORDER BY idx").fetchall()
    theirs.execute("UPDATE entry SET idx=idx+100000")
    theirs.execute("UPDATE entry SET idx=idx-100000+?", (len(entries),))
    for table in ("entry", "blob", "vault", "writer"):
        for row in mine.execute(f"SELECT * FROM {table}").fetchall():
            theirs.execute(f"INSERT OR IGNORE INTO {table} VALUES ({','.join('?' * len(row))})", row)
    ((store,),) = mine.execute("SELECT store FROM control").fetchall()
    ((own,),) = theirs.execute("SELECT store FROM control").fetchall()
    for named in (store, own):
        theirs.execute("UPDATE control SET store=?", (named,))
        with contextlib.suppress(HaloError):
            assert not pays(home, db=url)
    assert "other_store" in {item.code for item in verify_store(url, home).findings}
    assert pays(home)  # the honest twin: the store that was waived is
    assert verified(home) == 0


def test_a_store_that_is_named_otherwise_while_a_process_runs_decides_nothing(home):
    enforced(home)
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        assert not runs(halo)
        database = attack(db_of(home))
        ((own,),) = database.execute("SELECT store FROM control").fetchall()
        database.execute("UPDATE control SET store='halo-store:other'")
        with halo.session("s"), pytest.raises(Denied):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
        with pytest.raises(CannotDecide):
            pays(home)  # a new process is not opened either, and leaves nothing behind
        database.execute("UPDATE control SET store=?", (own,))
        body = Calls()
        with halo.session("t"):  # the honest twin
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), body, SURFACE)
        assert body
    assert verified(home) == 0


def test_two_stores_of_one_home_each_go_by_their_own(home):
    """The honest twin: opened by several processes one after the other."""
    url = f"sqlite:///{home.parent / 'other.db'}"
    for _ in range(2):
        assert pays(home)
        assert pays(home, db=url)
    assert cli("enforce", home=home)[0] == 0
    assert not pays(home)
    assert verified(home) == 0
    assert not verify_store(url, home).findings
