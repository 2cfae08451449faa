"""A planted gap turns exactly the checks red that look for it, and with them exactly the controls of the map."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from control_world import (
    ADMIN,
    DAY_US,
    NamedKind,
    append,
    change_part,
    check,
    commit,
    copy_home,
    desk,
    find_decision,
    forge,
    make_home,
    open_case,
    people,
    red,
    run,
    store_of,
    tools,
)

from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import CHECK_CLASSES, TESTED_CHECKS, run_checks
from halo_core.evidence.controls import Coverage, load_frameworks
from halo_core.model import Actor, EntryKind, Stop
from halo_core.oversight import restrictions
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader
from halo_core.testing import FixedClock
from halo_world import attack, cli, db_of, found, url_of, verified
from preloaded_python import find_python

_KILLED = """
import os, sys
from pathlib import Path
from halo_core.crypto.keys import KeyStore
from halo_core.model import EntryKind
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.store import Store
home = Path(sys.argv[1])
store = Store(StoreConfig(f"sqlite:///{home}/halo.db", home, "local"), KeyStore(home))
body = {"act": "read", "what": {}, "actor": "x", "authn": "os-user"}
store.commit(lambda tx: tx.append(Draft(EntryKind.ACCESS, "", body)))
os._exit(0)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make_home(tmp_path_factory.mktemp("whole") / "home")


def set_members(**members: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda body, _put: body.update(members)


def set_seen(**members: Any) -> Callable[[dict[str, Any], Any], None]:
    return lambda body, _put: body["seen"].update(members)


def unsequence(home: Path) -> None:
    with closing(attack(db_of(home))) as database:
        database.execute("UPDATE entry SET idx=idx+5 WHERE idx=(SELECT max(idx) FROM entry)")


def kill_a_process(home: Path) -> None:
    subprocess.run([*find_python(), "-c", _KILLED, str(home)], check=True)
    append(home, EntryKind.ACCESS, {"act": "read", "what": {}})


def test_a_process_that_was_killed_is_no_open_one(whole, tmp_path):
    """On its own host, where its lock is free, before anybody else has opened the log; a past period stays as it is."""
    home = copy_home(whole, tmp_path / "home")
    subprocess.run([*find_python(), "-c", _KILLED, str(home)], check=True)
    code, said, _ = cli("report", "--check", "lifecycle", home=home)
    assert (code, "has ended without closing the log; the next process that opens" in said) == (1, True)
    with store_of(home) as store:  # this one notices, and is open itself
        store.commit(lambda tx: tx.append(Draft(EntryKind.ACCESS, "", {"act": "read", "what": {}}, actor=ADMIN)))
        answer = check(home, "lifecycle")["lifecycle"]
    assert [finding.partition("; ")[2][:7] for finding in answer.findings] == ["noticed"]
    assert [row["cause"] for row in answer.rows][-1] == "open"


def act_on_a_later_day(home: Path) -> None:
    forge(home, clock=FixedClock(time.time_ns() // 1000 + 3 * DAY_US))


def act_after_retirement(home: Path) -> None:
    commit(home, lambda tx: restrictions.revoke(tx, "agent", "desk", ADMIN, "retired"))
    forge(home)


def act_after_expiry(home: Path) -> None:
    """More than a year later, when one of the grants has not been used for long either."""
    forge(home, clock=FixedClock(time.time_ns() // 1000 + 400 * DAY_US))


def act_after_a_stop(home: Path) -> None:
    commit(home, lambda tx: restrictions.stop(tx, Stop("tool", "lookup", tx.clock.now_us()), ADMIN, "no more"))
    forge(home)


def pay_too_much(home: Path) -> None:
    def change(body: dict[str, Any], _put: Any) -> None:
        body["seen"]["accounts"][0]["spent"] = {"USD": 1_999_999}

    forge(home, change, resource="pay")


def change_answer(**members: Any) -> Callable[[Path], None]:
    """An action that ran on another answer than the one that was given; without members on none."""

    def change(body: dict[str, Any], _put: Any) -> None:
        approval = body["seen"].pop("approval")
        if members:
            body["seen"]["approval"] = {**approval, **members}

    return lambda home: forge(home, change, resource="pay")


def run_beside_halo(home: Path) -> None:
    with desk(home) as halo:
        halo.record_shadow("tool", "raw_transfer", "app.py: transfer")


def drop_the_model(home: Path) -> None:
    forge(home, lambda body, _put: body.pop("model"), resource="gpt")


def lose_the_owner(home: Path) -> None:
    body = {"agent": "desk", "hash": "sha256:0", "kind": "standing", "origin": "issued"}
    append(home, EntryKind.PASSPORT, body)


def approve_an_own_policy(home: Path) -> None:
    body = {"act": "policy", "approver": "ana", "author": "ana", "policy": "sha256:0", "role": "policy"}
    append(home, EntryKind.AUTHORITY, body)


def answer_as(name: str) -> Callable[[Path], None]:
    def plant(home: Path) -> None:
        request = found(home, EntryKind.APPROVAL_REQUEST)[0].entry.id
        body = {"answer": "approve", "request": request}
        append(home, EntryKind.APPROVAL, body, actor=Actor(name, "approver-key"))

    return plant


def answer_as_a_later_owner(home: Path) -> None:
    """An answer by the owner whom the agent's next passport names, after one by somebody else under the first one."""
    manifest = home / "agents.yaml"
    manifest.write_text(manifest.read_text().replace("owen@bank", "otto@bank"))
    (people(home) / "issuer.key").rename(home / "issuer.key")
    code, out, err = cli("passport", "issue", "desk", home=home)
    assert code == 0, out + err
    (home / "issuer.key").rename(people(home) / "issuer.key")
    with desk(home) as halo, halo.session("later", user="bob@bank"):
        question = run(halo, tools(halo)["pay"], {"amount": 7000, "to": "ACC-2"})
    append(home, EntryKind.APPROVAL, {"answer": "deny", "request": question}, actor=Actor("otto@bank", "approver-key"))


def change_what_was_approved(home: Path) -> None:
    other = find_decision(home, "lookup")[1]["args"]
    forge(home, set_members(args=other), resource="pay")


def waive_the_floor_alone(home: Path) -> None:
    until_us = time.time_ns() // 1000 + 3_600_000_000
    append(home, EntryKind.MODE, {"from": "enforce", "to": "observe", "until_us": until_us, "why": "a look"})


def add_outcome(resource: str, *, ran: bool = True) -> Callable[[Path], None]:
    """One more outcome: of an action that has one, or of one that did not run."""

    def plant(home: Path) -> None:
        entry = find_decision(home, resource, ran=ran)[0].entry
        body = {"decision": {"w": entry.writer, "ws": entry.seq}}
        append(home, EntryKind.OUTCOME, body, session=entry.session, actor=None)

    return plant


def write_an_hour_ago(home: Path) -> None:
    clock = FixedClock(time.time_ns() // 1000 - 3_600_000_000)
    commit(home, lambda tx: tx.append(Draft(EntryKind.ACCESS, "", {"act": "read", "what": {}}, actor=ADMIN)), clock)


def issue_as_nobody(home: Path) -> None:
    body = {"agent": "desk", "hash": "sha256:0", "kind": "standing", "origin": "issued", "owner": "owen@bank"}
    append(home, EntryKind.PASSPORT, body, actor=None)


def answer_an_alert_late(home: Path) -> None:
    alert = append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    body = {"alert": alert, "attack": False, "session": "", "why": "known work"}
    clock = FixedClock(time.time_ns() // 1000 + 2 * DAY_US)
    commit(home, lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", body, actor=ADMIN)), clock)


def bring_the_key_home(home: Path) -> None:
    (people(home) / "issuer.key").rename(home / "issuer.key")


def let_run(code: str, effect: str) -> Callable[[dict[str, Any], Any], None]:
    reason = {"code": code, "effect": effect}
    return set_members(decision={"effect": effect, "reasons": [reason]}, dispatched=True)


def run_on(code: str, *entries: tuple[EntryKind, dict[str, Any]]) -> Callable[[Path], None]:
    """An action that ran on the signed answer `a1`, after some entries about such answers."""
    reason = {"code": code, "detail": "a1", "effect": "monitor", "source": "answer"}

    def change(body: dict[str, Any], _put: Any) -> None:
        body |= {"decision": {"effect": "monitor", "reasons": [reason]}, "dispatched": True}
        body["seen"]["answer_scope"] = "s"

    def plant(home: Path) -> None:
        for kind, body in entries:
            append(home, kind, body)
        forge(home, change)

    return plant


GIVEN = {"answer": "a1", "expires_s": 2**40, "op": "grant", "scope": "s"}
OVERRIDE = {
    "answer": "o1",
    "direction": "allow",
    "links": [["overrides", "x-1"]],
    "op": "grant",
    "review_by_us": 2**52,
    "why": "it is known",
}
REQUEST = {
    "attempt": 0,
    "expires_s": 2**40,
    "method": "undo",
    "op": "request",
    "resource": "pay.undo",
    "reverses": {"w": "x", "ws": 1},
    "why": "paid twice",
}
HOLD = {"op": "set", "scope": "subject", "target": "customer"}
REVIEW = {"due_us": 2**52, "grants": {}, "id": "r-1", "op": "open", "reviewer": "rita"}
PLANTS: dict[str, tuple[Callable[[Path], Any], int, set[str]]] = {
    "an unsequenced entry": (unsequence, 0, {"population"}),
    "a decision without its origin": (
        lambda home: forge(home, change_part(home, "host", origin={"host": "", "pid": 1, "process": ""})),
        0,
        {"record_fields"},
    ),
    "a missing outcome": (lambda home: forge(home, outcome=False), 0, {"pairs"}),
    "a verdict that does not compute": (
        lambda home: forge(home, let_run("first_use", "monitor")),
        0,
        {"replay"},
    ),
    "a clock that ran back": (lambda home: forge(home, back_us=3_600_000_000), 0, {"time"}),
    "a process that was killed": (kill_a_process, 0, {"lifecycle"}),
    "an action on a failed decision": (
        lambda home: forge(home, let_run("score_unavailable", "monitor")),
        0,
        {"failures", "replay"},
    ),
    "an access by nobody": (
        lambda home: append(home, EntryKind.ACCESS, {"act": "read", "what": {}}, actor=None),
        0,
        {"log_access"},
    ),
    "a day that nobody looked at": (act_on_a_later_day, 5, {"log_review"}),
    "an action that was not granted": (
        lambda home: forge(home, change_part(home, "resource", id="transfer_all")),
        0,
        {"least_privilege", "replay"},
    ),
    "a denied action that ran": (
        lambda home: forge(home, set_members(dispatched=True), resource="wipe", ran=False),
        0,
        {"refusals"},
    ),
    "an action that untrusted content aimed": (
        lambda home: forge(home, let_run("untrusted_target", "challenge")),
        0,
        {"refusals", "replay", "untrusted_content"},
    ),
    "an agent with another one's passport": (
        lambda home: forge(home, change_part(home, "frame", agent="other")),
        0,
        {"passports", "replay"},
    ),
    "a retired agent that acts": (act_after_retirement, 0, {"revocations"}),
    "an action after a stop": (act_after_a_stop, 0, {"stops"}),
    "an application below the floor": (
        lambda home: forge(home, change_part(home, "host", mode="observe")),
        0,
        {"mode_floor"},
    ),
    "authority that rises": (lambda home: forge(home, set_seen(authority=1_000_000)), 0, {"decay"}),
    "a payment beyond the limit": (pay_too_much, 0, {"budgets", "replay"}),
    "an agent without an owner": (lose_the_owner, 0, {"inventory"}),
    "an app beside Halo": (run_beside_halo, 0, {"ungoverned"}),
    "a grant that nobody uses": (lambda _home: None, 91, {"unused_grants"}),
    "a model call without its model": (drop_the_model, 0, {"components"}),
    "an answer that nobody gave": (change_answer(id="000000000000-7"), 0, {"approvals", "replay"}),
    "an answer that had expired": (change_answer(expires_us=1), 0, {"approvals", "replay"}),
    "an approved action without an answer": (change_answer(), 0, {"approvals", "replay"}),
    "a remembered answer that nobody gave": (
        lambda home: forge(home, let_run("remembered", "monitor")),
        0,
        {"approvals", "replay"},
    ),
    "an override that nobody made": (run_on("override_allowed"), 0, {"approvals", "replay"}),
    "the order of a reversal that nobody gave": (run_on("reversal_ordered"), 0, {"approvals", "replay"}),
    "a remembered answer that was revoked": (
        run_on(
            "remembered",
            (EntryKind.STANDING_ANSWER, GIVEN),
            (EntryKind.STANDING_ANSWER, {"answer": "a1", "op": "revoke"}),
        ),
        0,
        {"approvals", "replay"},
    ),
    "a remembered answer that had expired": (
        run_on("remembered", (EntryKind.STANDING_ANSWER, {**GIVEN, "expires_s": 1})),
        0,
        {"approvals", "replay"},
    ),
    "another remembered answer than the one given": (
        run_on("break_glass", (EntryKind.STANDING_ANSWER, {**GIVEN, "answer": "a2"})),
        0,
        {"approvals", "replay"},
    ),
    "an answer by the owner of a later passport": (answer_as_a_later_owner, 0, {"separation_of_duties"}),
    "a self-approved policy": (approve_an_own_policy, 0, {"separation_of_duties"}),
    "a policy that was not put in force": (lambda home: forge(home, policy=False), 0, {"policy_changes"}),
    "an act of nobody": (
        lambda home: append(home, EntryKind.KNOWN, {"op": "add", "values": []}, actor=None),
        0,
        {"admin_acts"},
    ),
    "an answer by the person it is for": (answer_as("ana@bank"), 0, {"separation_of_duties"}),
    "an answer by the agent's owner": (answer_as("owen@bank"), 0, {"separation_of_duties"}),
    "other arguments than those approved": (change_what_was_approved, 0, {"approvals", "replay"}),
    "a waiver of the floor that nobody signed": (waive_the_floor_alone, 0, {"admin_acts", "mode_floor"}),
    "a row of control that was put back": (
        lambda home: append(home, EntryKind.CONTROL, {"column": "mode", "entry": "enforce", "row": "observe"}),
        0,
        {"admin_acts"},
    ),
    "an expired passport that acts": (act_after_expiry, 0, {"revocations", "unused_grants"}),
    "an action without any outcome": (lambda home: forge(home, outcome=False, is_run=False), 0, {"pairs"}),
    "a second outcome": (add_outcome("lookup"), 0, {"pairs"}),
    "an outcome of what did not run": (add_outcome("wipe", ran=False), 0, {"pairs"}),
    "an outcome of nothing": (
        lambda home: append(home, EntryKind.OUTCOME, {"decision": {"w": "x", "ws": 1}}, session="s", actor=None),
        0,
        {"pairs"},
    ),
    "a host whose clock is wrong": (write_an_hour_ago, 0, {"time"}),
    "a passport that nobody issued": (issue_as_nobody, 0, {"admin_acts", "passports"}),
    "a refusal without a reason": (
        lambda home: forge(home, set_members(decision={"effect": "deny", "reasons": []}), resource="wipe", ran=False),
        0,
        {"record_fields", "refusals", "replay"},
    ),
    "an action that left more authority than there was": (
        lambda home: forge(home, set_members(left=600_000)),
        0,
        {"decay"},
    ),
    "a payment that is too large for one action": (
        lambda home: forge(home, set_members(decision={"charges": {"USD": 950_000}}), resource="pay"),
        0,
        {"budgets", "replay"},
    ),
    "an issuer's key in the home": (bring_the_key_home, 0, {"key_custody"}),
    "an alert without an answer": (
        lambda home: append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None),
        2,
        {"alerts"},
    ),
    "an alert that was answered late": (answer_an_alert_late, 0, {"alerts"}),
    "a review that was finished late": (
        lambda home: [
            append(home, NamedKind("review"), {**REVIEW, "due_us": 1}),
            append(home, NamedKind("review"), {"id": "r-1", "op": "close"}),
        ],
        0,
        {"access_reviews"},
    ),
    "an override without a reason": (
        lambda home: append(home, NamedKind("override"), {**OVERRIDE, "why": ""}),
        0,
        {"overrides"},
    ),
    "an override that its maker reviewed": (
        lambda home: [
            append(home, NamedKind("override"), OVERRIDE),
            append(home, NamedKind("override"), {"answer": "o1", "op": "review", "verdict": "upheld"}),
        ],
        0,
        {"overrides"},
    ),
    "an overdue incident": (lambda home: commit(home, lambda tx: open_case(tx, "serious")), 16, {"incidents"}),
    "a drill that did not pass": (
        lambda home: append(home, EntryKind.DRILL, {"application": "x", "classes": {}, "passed": False}),
        0,
        {"drills"},
    ),
}
"""Gap → what plants it, as of how many days later, and the checks that turn red."""


def test_the_record_without_a_gap_is_green(whole):
    answers = check(whole)
    assert red(answers) == set()
    assert {name for name, item in answers.items() if item.verdict is Verdict.HOLDS} >= TESTED_CHECKS - set(LATER)
    assert verified(whole) == 0


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_gap_turns_exactly_its_checks_red(name, whole, tmp_path):
    plant, days, expected = PLANTS[name]
    home = copy_home(whole, tmp_path)
    plant(home)
    answers = check(home, days=days)
    assert red(answers) == expected, [answers[item].findings for item in red(answers) ^ expected]


LATER: dict[str, tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, dict[str, Any]]]]] = {
    "access_reviews": (
        [("review", REVIEW), ("review", {"id": "r-1", "op": "close", "passports": {}})],
        [("review", {**REVIEW, "due_us": 1})],
    ),
    "inventory": (
        [("inventory", {"digest": "x", "missing": [], "op": "compare", "source": "gateway"})],
        [("inventory", {"digest": "x", "missing": ["batch-scorer"], "op": "compare", "source": "gateway"})],
    ),
    "overrides": (
        [("override", OVERRIDE)],
        [("override", {**OVERRIDE, "review_by_us": 1})],
    ),
    "reversals": (
        [("reversal", REQUEST)],
        [("reversal", REQUEST), ("reversal", {**REQUEST, "decision": {"w": "x", "ws": 2}, "op": "begin"})],
    ),
    "retention": (
        [("legal_hold", HOLD), ("erasure", {"names": [], "subject": "somebody else"})],
        [("legal_hold", HOLD), ("erasure", {"names": ["customer"], "subject": "c-1"})],
    ),
}
"""Check → entries without a gap, and entries with one: acts of people that the desk above does not have."""


@pytest.mark.parametrize("name", LATER)
def test_a_gap_in_what_people_do_turns_its_check_red(name, whole, tmp_path):
    verdicts = []
    for number, entries in enumerate(LATER[name]):
        home = copy_home(whole, tmp_path / str(number))
        for kind, body in entries:
            append(home, NamedKind(kind), body)
        answers = check(home)
        verdicts.append(answers[name].verdict)
        assert red(answers) == ({name} if number else set())
    assert verdicts == [Verdict.HOLDS, Verdict.FAILS]


def test_nothing_is_green_that_was_never_tried(whole):
    """A rule that nothing met, a stop under which nothing was tried, duties that nobody had: none of it is shown."""
    letters = [item.entry.ts_us for item in found(whole, EntryKind.DECISION)][-3]
    lifted = found(whole, EntryKind.LIFT)[0].entry.ts_us
    answered = found(whole, EntryKind.APPROVAL)[-1].entry.ts_us
    spans = {
        "separation_of_duties": Period(answered + 1, 2**60),
        "stops": Period(lifted + 1, 2**60),
        "untrusted_content": Period(0, letters + 1),
    }
    with Reader(url_of(whole)) as reader:
        reader.use_names(whole)
        for name, span in spans.items():
            log = AuditLog(reader, "local", home=whole, now_us=2**60)
            (answer,) = run_checks(log, span, [name]).values()
            assert (answer.verdict, answer.population.counted > 0) == (Verdict.CANNOT_TELL, name[:3] != "sep"), answer
            (answer,) = run_checks(log, Period(0, 2**60), [name]).values()
            assert answer.verdict is Verdict.HOLDS, answer


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("suspended", Verdict.HOLDS), ("stopped", Verdict.HOLDS), ("grave_impact", Verdict.CANNOT_TELL)],
)
def test_what_a_stop_or_a_suspension_refused_shows_that_it_holds(whole, tmp_path, code, verdict):
    home = copy_home(whole, tmp_path)
    stop = Stop("agent", "desk", time.time_ns() // 1000)
    commit(home, lambda tx: restrictions.stop(tx, stop, ADMIN, "a trial"))
    reason = {"code": code, "effect": "deny"}
    forge(home, set_members(decision={"effect": "deny", "reasons": [reason]}, dispatched=False), outcome=False)
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        log = AuditLog(reader, "local", home=home, now_us=2**60)
        (answer,) = run_checks(log, Period(stop.since_us, 2**60), ["stops"]).values()
    assert answer.verdict is verdict, answer


def test_a_review_that_was_only_opened_shows_nothing(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    append(home, NamedKind("review"), REVIEW)
    (answer,) = check(home, "access_reviews").values()
    assert (answer.verdict, answer.population.counted) == (Verdict.CANNOT_TELL, 1)


def test_a_standing_answer_that_was_given_holds(whole, tmp_path):
    """The honest twin of answers that nobody gave."""
    home = copy_home(whole, tmp_path)
    run_on("override_allowed", (EntryKind.OVERRIDE, {**OVERRIDE, **GIVEN}))(home)
    answers = check(home, "approvals", "overrides")
    assert {name: item.verdict for name, item in answers.items()} == dict.fromkeys(answers, Verdict.HOLDS)
    code, said, _ = cli("approvals", "stats", "--json", home=home)
    assert code == 1  # of the desk's own answer it is not recorded what was shown
    assert any(
        "1 action ran on a remembered or emergency answer or an override" in note for note in json.loads(said)["notes"]
    )


def test_a_reversal_that_nobody_ordered_is_named(whole, tmp_path):
    begin = {**REQUEST, "decision": {"w": "x", "ws": 2}, "op": "begin"}
    for ordered in (False, True):
        home = copy_home(whole, tmp_path / str(ordered))
        for body in ([REQUEST] if ordered else []) + [begin]:
            append(home, NamedKind("reversal"), body)
        (answer,) = check(home, "reversals").values()
        assert any("nobody had ordered it" in text for text in answer.findings) is not ordered


def test_each_check_that_counts_as_planted_has_its_plant():
    assert set().union(*(expected for _, _, expected in PLANTS.values())) | set(LATER) == TESTED_CHECKS
    assert set(CHECK_CLASSES) >= TESTED_CHECKS


def test_full_and_partial_rows_have_a_check_with_a_plant_or_are_printed_as_supports():
    for framework in load_frameworks():
        for control in framework.controls:
            assert set(control.checks) <= set(CHECK_CLASSES), control.id
            printed = control.limit_coverage(TESTED_CHECKS)
            if printed in (Coverage.FULL, Coverage.PARTIAL):
                assert TESTED_CHECKS.intersection(control.checks), control.id
            else:
                assert printed in (Coverage.SUPPORTS, Coverage.NONE)
            # Without any plant nothing is claimed.
            assert control.limit_coverage(frozenset()) in (Coverage.SUPPORTS, Coverage.NONE)


def test_an_entry_of_the_future_is_a_finding(whole):
    with Reader(url_of(whole)) as reader:
        log = AuditLog(reader, "local", home=whole, now_us=10**15)
        answer = run_checks(log, Period(0, 2**60), ["time"])["time"]
    assert answer.verdict is Verdict.FAILS
    assert "in the future" in answer.findings[0]
