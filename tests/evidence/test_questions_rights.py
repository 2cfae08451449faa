"""Raises, what a retired agent did, versions of the policy, what people decided: against the raw notes of the month."""

from __future__ import annotations

import json
import shutil
import statistics
import threading
import time
from contextlib import closing, suppress
from functools import partial

import pytest
from month import GAPS, Player, play_month

from halo_core.authorities import Authorities
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied
from halo_core.evidence.answers import Period
from halo_core.evidence.audit_log import AuditLog, ask
from halo_core.evidence.questions_oversight import answer_stop_drill
from halo_core.evidence.questions_rights import answer_policy_history
from halo_core.facade import HaloBase
from halo_core.ledger import decode_entry
from halo_core.model import Actor, EntryKind, Stop
from halo_core.oversight import restrictions
from halo_core.oversight.control_acts import load_person_signer, make_policy_approval, record_policy_approval
from halo_core.policy import PolicyBundle
from halo_core.stop_files import StopFiles
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_world import SURFACE, Calls, attack, bodies, cli, found, policy_folder, tool, url_of


@pytest.fixture(scope="module")
def month(tmp_path_factory):

    def after(player: Player, day: int) -> None:
        player.notes.add("review", day=day)

    return play_month(tmp_path_factory.mktemp("month"), seed=11, days=6, sessions=2, after_day=after)


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    planted = [gap for gap in GAPS if gap != "unsequenced"]
    return play_month(tmp_path_factory.mktemp("gaps"), seed=12, days=5, sessions=1, customers=3, gaps=planted)


def answer(month, *argv):
    code, said = month.halo(*argv, "--from", month.start, "--to", month.end, "--json")
    tree = json.loads(said)
    assert tree["exit_code"] == code
    return tree


def in_month(month, what, **facts):
    return [row for row in month.notes.select(what, **facts) if month.start <= row["at"][:10] < month.end]


def test_the_month_can_be_extended(month):
    assert [row["day"] for row in month.notes.select("review")] == list(range(6))


def test_raises_are_those_that_people_made(month):
    found = answer(month, "passport", "history", "--raises")
    widened = [(row["agent"], row["by"], "wider passport") for row in in_month(month, "passport")]
    renewed = [(row["agent"], row["by"], "session re-authorized, epoch 2") for row in in_month(month, "reauthorize")]
    assert found["verdict"] == "holds"
    assert [(row["agent"], row["approved_by"], row["what"]) for row in found["rows"]] == widened + renewed
    (raised,) = [row["raised"] for row in found["rows"] if row["agent"] == "collections"]
    assert [text.split(":")[0] for text in raised] == ["+ card_statement", "~ data labels"]
    assert all(row["raised"] for row in found["rows"])
    one = answer(month, "passport", "history", "--agent", "collections", "--raises")
    assert {row["agent"] for row in one["rows"]} == {"collections"}


def test_a_passport_that_a_process_made_for_itself_is_a_finding(month):
    code, said = month.halo("passport", "history", "--raises", "--to", month.start, "--json")
    tree = json.loads(said)
    made = [row for row in tree["rows"] if not row["approved_by"]]
    assert (code, tree["verdict"], len(tree["findings"])) == (1, "fails", len(made))
    assert {row["agent"] for row in made} == {row["agent"] for row in month.notes.select("passport")}


def test_a_retired_agent_only_tried(month):
    found = answer(month, "passport", "history", "archive-bot", "--after-revocation")
    (revoked,) = month.notes.select("revoke")
    tried = [row for row in month.notes.select("attempt", agent="archive-bot") if row["at_us"] > revoked["at_us"]]
    ran = [row for row in month.notes.select("ran", agent="archive-bot") if row["at_us"] > revoked["at_us"]]
    assert (found["verdict"], found["population"]["counted"], ran) == ("holds", len(tried), [])
    assert [row["action"] for row in found["rows"]] == [f"tool_call {row['tool']}" for row in tried]
    assert not any(row["ran"] for row in found["rows"])


def test_a_retired_agent_that_acted_is_found(gaps):
    found = answer(gaps, "passport", "history", "archive-bot", "--after-revocation")
    (revoked,) = gaps.notes.select("revoke")
    ran = [row for row in gaps.notes.select("ran", agent="archive-bot") if row["at_us"] > revoked["at_us"]]
    assert (found["verdict"], len(found["findings"])) == ("fails", len(ran))
    assert sum(row["ran"] for row in found["rows"]) == len(ran) > 0


def test_of_an_agent_that_was_not_revoked_nothing_is_claimed(month):
    for agent in ("loan-desk", "no-such-agent", "<b>x</b>\x1b[31m"):
        found = answer(month, "passport", "history", "--agent", agent, "--after-revocation")
        assert (found["verdict"], found["exit_code"]) == ("cannot_tell", 2)


def test_versions_of_the_policy_are_those_that_were_written(month):
    found = answer(month, "policy", "history", "--separation")
    written = list(month.notes.select("policy"))
    approved = list(month.notes.select("policy_approval"))
    assert found["verdict"] == "holds"
    assert [row["approved_by"] for row in found["rows"]] == [[row["by"]] for row in approved]
    assert [row["author"] for row in found["rows"]] == [row["author"] for row in approved]
    assert [row["put_in_force_by"] for row in found["rows"]] == [[f"{row['by']} (os-user)"] for row in written]
    changed = written[1]["n"]
    tries = in_month(month, "attempt")
    hand_offs = in_month(month, "handoff")
    before = sum(1 for row in [*tries, *hand_offs] if row["n"] < changed)
    assert [row["decisions"] for row in found["rows"]] == [before, len(tries) + len(hand_offs) - before]


def test_a_policy_that_its_author_approved_is_a_finding(gaps):
    found = answer(gaps, "policy", "history", "--separation")
    alone = [row for row in gaps.notes.select("policy_approval") if row["by"] == row["author"]]
    assert (found["verdict"], len(found["findings"]), len(alone)) == ("fails", 1, 1)
    assert alone[0]["by"] in found["findings"][0]


def test_an_approval_of_a_policy_takes_the_key_of_the_person(month):
    code, said = month.halo("policy", "approve", "--as", "nobody@bank.example", "--key-home", str(month.people))
    assert code != 0
    code, said = month.halo("policy", "approve", "--as", "mia@bank.example", "--key-home", str(month.folder))
    assert code != 0, said


def test_an_approval_of_a_policy_takes_the_signature_of_exactly_that(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    home, mia = tmp_path / "home", "mia@bank.example"
    with closing(Store(StoreConfig(f"sqlite:///{home / 'halo.db'}", home, "local"), KeyStore(home))) as store:
        now_us = store.clock.now_us()
        signer = load_person_signer([KeyStore(month.people)], Authorities(home).load("local"), mia, now_us)
        act = store.commit(lambda tx: make_policy_approval(tx, "sha256:aa", "paula"))
        tokens = act.sign(signer, store.ids, now_us // 1_000_000).tokens
        for rules, author, name, given in (
            ("sha256:bb", "paula", mia, tokens),
            ("sha256:aa", "somebody", mia, tokens),
            ("sha256:aa", "paula", "omar@bank.example", tokens),
            ("sha256:aa", "paula", mia, ()),
        ):
            with pytest.raises(Denied) as caught:
                store.commit(partial(record_policy_approval, rules=rules, author=author, approver=name, tokens=given))
            assert caught.value.reason == "signatures_needed"
        store.commit(lambda tx: record_policy_approval(tx, "sha256:aa", "paula", mia, tokens))
    assert cli("verify", home=home)[0] == 0


@pytest.mark.parametrize(
    "change", [{"approver": "AAAAAAAAAAAAAAAAAAAAAA"}, {"author": ""}, {"signed": []}, {"signed": ["x"]}]
)
def test_an_approval_that_nobody_signed_approves_nothing(month, tmp_path, change):
    """What code of an agent's process could write into the log."""
    shutil.copytree(month.home, tmp_path / "home")
    home = tmp_path / "home"
    (home / "policy" / "more.cedar").write_text('@id("more") permit (principal, action, resource);')
    approval = next(dict(b) for b in bodies(home, EntryKind.AUTHORITY) if b.get("act") == "policy")
    rules = PolicyBundle.load([home / "policy"], {}).rules
    body = {name: approval[name] for name in ("act", "role", "signed")}
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        (raw,) = [decode_entry(note).body for _, note in reader.notes("local", ("authority",)) if b"mia" not in note][
            -1:
        ]
    body |= {"approver": raw["approver"], "author": raw["author"], "policy": rules, **change}
    with HaloBase.local("loan-desk", home=home, quiet=True) as halo:
        with halo.session("late"), suppress(Denied):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
        halo.store.commit(lambda tx: tx.append(Draft(EntryKind.AUTHORITY, "", body, actor=Actor("mallory"))))
    code, said, _ = cli("policy", "history", "--separation", "--json", home=home)
    tree = json.loads(said)
    assert (code, tree["rows"][-1]["approved_by"]) == (2, [])


def test_questions_to_people_are_those_that_were_asked(month):
    found = answer(month, "approvals", "stats")
    asked = [row for row in month.notes.select("attempt", came="asked") if month.start <= row["at"][:10] < month.end]
    given = {row["question"]: row for row in month.notes.select("answer", ok=True)}
    assert (found["verdict"], len(found["rows"])) == ("holds", len(asked))
    for row, note in zip(found["rows"], asked, strict=True):
        answered = given.get(note["question"])
        assert row["entry"] == note["question"]
        assert row["action"] == note["tool"]
        assert row["decided_by"] == ([answered["by"]] if answered else [])
        assert bool(row["shown"]) is bool(answered)
        if answered:
            assert row["after_s"] == answered["after_s"]
            assert row["status"] == ("approved" if answered["approve"] else "denied")
        else:
            assert row["status"] in ("expired", "open")


def test_what_observe_mode_ran_without_the_person_it_needed_is_found(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, mode="observe", policy=policy_folder(home), quiet=True) as halo:
        lookup, pay = tool(halo, "lookup"), tool(halo, "pay")
        with halo.session("one", user="ana"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
            code, said, _ = cli("approvals", "stats", "--json", home=home)
            # Nobody was asked, and nothing needed anybody: there is nothing that the claim could be about.
            assert (code, json.loads(said)["verdict"]) == (2, "cannot_tell")
            halo.enforcer.run(halo.build_call(pay, {"amount": 5_000_000, "to": "x"}), Calls(), SURFACE)
    (ran,) = (item for item in found(home, EntryKind.DECISION) if item.entry.body["request"]["resource"]["id"] == "pay")
    code, said, _ = cli("approvals", "stats", "--json", home=home)
    tree = json.loads(said)
    assert (code, tree["verdict"]) == (1, "fails")
    assert [ran.entry.id in finding for finding in tree["findings"]] == [True]


def test_figures_of_approvers(month):
    found = answer(month, "approvals", "stats", "--by-approver")
    rows = {row["approver"]: row for row in found["rows"]}
    for name in {row["by"] for row in month.notes.select("answer")}:
        given = list(month.notes.select("answer", by=name, ok=True))
        assert rows[name]["yes"] == sum(row["approve"] for row in given)
        assert rows[name]["no"] == sum(not row["approve"] for row in given)
        assert rows[name]["refused"] == sum(1 for _ in month.notes.select("answer", by=name, ok=False))
        assert rows[name]["median_s"] == statistics.median(row["after_s"] for row in given)


def test_a_drill_says_how_long_it_took(month, tmp_path):
    shutil.copytree(month.folder, tmp_path / "copy")
    home, people = tmp_path / "copy" / "home", str(tmp_path / "copy" / "people")
    more = ("--as", "mia@bank.example", "--as", "omar@bank.example", "--key-home", people)
    code, said, err = cli(
        "stop", "--agent", "loan-desk", "--drill", "--watch", "0s", "--lift", *more, "--json", home=home
    )
    assert code == 2, err  # nothing was tried, so it is not shown that the stop holds
    tree = json.loads(said)
    assert tree["verdict"] == "cannot_tell"
    assert "nothing was tried" in tree["findings"][0]
    assert "time to zero: 0.000 s" in tree["notes"][0]
    assert "loan-desk" not in cli("lift", "--agent", "loan-desk", "--json", home=home)[1]
    assert cli("verify", home=home)[0] == 0
    assert cli("stop", "--agent", "nobody", "--drill", home=home)[0] == 64
    assert cli("stop", "--agent", "loan-desk", "--lift", home=home)[0] == 64


def test_a_drill_counts_what_was_running_and_what_was_refused(home):
    release, running = threading.Event(), threading.Event()

    def slow(_):
        running.set()
        release.wait(30)
        return "done"

    def work():
        with halo.session("one"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), slow, SURFACE)
            for _ in range(3):
                try:
                    halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "b"}), Calls(), SURFACE)
                except halo.Denied:
                    time.sleep(0.01)

    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        with halo.session("zero"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "0"}), Calls(), SURFACE)
        thread = threading.Thread(target=work)
        thread.start()
        running.wait(30)
        threading.Timer(0.3, release.set).start()
        code, said, err = cli("stop", "--agent", "clerk", "--drill", "--watch", "2s", "--json", home=home)
        thread.join()
    assert code == 0, err
    tree = json.loads(said)
    assert [row["ran"] for row in tree["rows"]] == [True, False, False, False]
    assert "tried and refused after it: 3" in tree["notes"][1]
    assert "time to zero: 0.000 s" not in tree["notes"][0]


def test_a_drill_counts_what_the_file_of_the_stop_refused_before_its_entry(home):
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("one"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
            order = Stop("agent", "clerk", SystemClock().now_us())
            StopFiles(home).set(order, "root", "drill")
            with pytest.raises(Denied):
                halo.enforcer.run(halo.build_call(lookup, {"q": "b"}), Calls(), SURFACE)
        actor = Actor("root", "os-user")
        halo.store.commit(lambda tx: restrictions.stop(tx, order, actor, "drill", is_drill=True))
    stop = found(home, EntryKind.STOP)[-1].entry
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        period = Period(order.since_us, stop.ts_us + 1)
        log = AuditLog(reader, "local", home=home, now_us=period.to_us)
        got = answer_stop_drill(log, period, scope="agent", target="clerk", stop_id=stop.id)
    assert (got.verdict.value, got.findings) == ("holds", ())
    assert [row["effect"] for row in got.rows if not row["ran"]] == ["deny"]
    assert "tried and refused after it: 1" in got.notes[1]


def test_a_tampered_log_is_told_nothing_about(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    with attack(tmp_path / "home" / "halo.db") as database:
        changed = "CAST(replace(CAST(body AS TEXT), 'retired', 'resting') AS BLOB)"
        database.execute(f"UPDATE entry SET body={changed} WHERE kind='revocation'")
    for verb in (
        ("passport", "history", "--raises"),
        ("passport", "history", "archive-bot", "--after-revocation"),
        ("policy", "history"),
        ("approvals", "stats"),
    ):
        code, said, _ = cli(*verb, "--json", home=tmp_path / "home")
        assert (code, json.loads(said)["verdict"]) == (2, "cannot_tell"), verb


def test_a_period_without_entries_and_a_reader_without_trust(month, tmp_path):
    code, said = month.halo("approvals", "stats", "--from", "2030-01-01", "--to", "2030-02-01", "--json")
    assert (code, json.loads(said)["verdict"]) == (2, "cannot_tell")
    shutil.copy(month.home / "halo.db", tmp_path / "halo.db")
    code, _, _ = cli("policy", "history", "--json", home=tmp_path)
    assert code == 2


def test_without_keys_people_are_references(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    for name in ("content", "digest"):
        (tmp_path / "home" / f"{name}.key").unlink()
    with Reader(f"sqlite:///{tmp_path / 'home' / 'halo.db'}") as reader:
        reader.use_names(tmp_path / "home")
        log = AuditLog(reader, "local", home=tmp_path / "home", now_us=0)
        found = ask(log, Period(0, 2**62), answer_policy_history, separation=True)
    text = json.dumps(found.to_json())
    assert found.verdict.value == "holds"
    assert "paula" not in text
    assert "mia@" not in text
