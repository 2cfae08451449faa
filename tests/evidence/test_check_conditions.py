"""Each condition of a check: an entry that it alone finds, and the honest one beside it that it must not find.

The planted gaps show that a check looks at all; these show that none of its conditions can be left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
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
    report_case,
    tools,
)
from test_planted_gaps import OVERRIDE, REQUEST, REVIEW, let_run, set_members, set_seen

from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import run_checks
from halo_core.evidence.incidents import open_incident
from halo_core.model import EntryKind, Stop
from halo_core.oversight import restrictions
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader
from halo_core.store.transaction import Transaction
from halo_core.testing import FixedClock
from halo_world import SURFACE, cli, found, url_of

FAILS, HOLDS, OPEN = Verdict.FAILS, Verdict.HOLDS, Verdict.CANNOT_TELL


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make_home(tmp_path_factory.mktemp("whole") / "home")


def now_us() -> int:
    return time.time_ns() // 1000


def settle(resource: str, *, ran: bool = True, seq: int | None = None) -> Callable[[Path], Any]:
    """Another outcome of the last decision on a resource, or of one that is not there."""

    def plant(home: Path) -> None:
        entry = find_decision(home, resource, ran=ran)[0].entry
        place = {"leaf": "", "w": entry.writer, "ws": entry.seq if seq is None else seq}
        append(home, EntryKind.OUTCOME, {"decision": place})

    return plant


def add(kind: str, *bodies: dict[str, Any]) -> Callable[[Path], Any]:
    def plant(home: Path) -> None:
        for body in bodies:
            append(home, NamedKind(kind), body)

    return plant


def add_each(*entries: tuple[str, dict[str, Any]]) -> Callable[[Path], Any]:
    return lambda home: [append(home, NamedKind(kind), body) for kind, body in entries]


ERASURE: dict[str, Any] = {"names": [], "subject": "c-1"}


def stop_and_act(scope: str, target: str, *, lifted: bool = False, refused: bool = False) -> Callable[[Path], Any]:
    def plant(home: Path) -> None:
        commit(home, lambda tx: restrictions.stop(tx, Stop(scope, target, tx.clock.now_us()), ADMIN, "no more"))
        if lifted:
            commit(home, lambda tx: restrictions.lift(tx, scope, target, ADMIN, "over"))
        forge(home, refuse("stopped"), outcome=False) if refused else forge(home)

    return plant


def revoke_and_act(scope: str, target: str = "", *, refused: bool = False) -> Callable[[Path], Any]:
    def plant(home: Path) -> None:
        chain = find_decision(home, "lookup")[0].entry.body["snapshot"]["chain"]
        session = find_decision(home, "lookup")[0].entry.session
        wanted = {"link": chain[0], "session": session}.get(scope, target)
        commit(home, lambda tx: restrictions.revoke(tx, scope, wanted, ADMIN, "no more"))
        forge(home, refuse("revoked"), outcome=False) if refused else forge(home)

    return plant


def observe_and_act(*, over: bool = False) -> Callable[[Path], Any]:
    """A refused action that ran in observe mode, under a signed waiver or after its end."""

    def plant(home: Path) -> None:
        as_mia = ("--as", "mia@bank", "--key-home", str(people(home)))
        code, out, err = cli("observe", "--for", "30m", "--why", "a fault", *as_mia, home=home)
        assert code == 0, out + err
        clock = FixedClock(now_us() + DAY_US) if over else None

        def change(body: dict[str, Any], put: Any) -> None:
            refuse("grave_impact")(body, put)
            change_part(home, "host", mode="observe")(body, put)
            body["dispatched"] = True

        forge(home, change, clock=clock)

    return plant


def use_everything(home: Path) -> None:
    """Every grant is used two months later."""
    clock = FixedClock(now_us() + 60 * DAY_US)
    for resource in ("lookup", "letters", "pay", "gpt"):
        forge(home, resource=resource, clock=clock)
    forge(home, set_members(dispatched=True), resource="wipe", ran=False, clock=clock)


def report_late(home: Path) -> None:
    """An incident that was known for twenty days, of a class with fifteen."""

    def job(tx: Transaction) -> str:
        at_us = tx.clock.now_us()
        return open_incident(
            tx,
            severity="serious",
            known_us=at_us - 20 * DAY_US,
            text="a payment",
            decisions=(),
            by=ADMIN,
            now_us=at_us,
        )

    report_case(home, commit(home, job), "report")


def pay_on_a_no(home: Path) -> None:
    request = found(home, EntryKind.APPROVAL_REQUEST)[0].entry.id
    append(home, EntryKind.APPROVAL, {"answer": "deny", "request": request})
    forge(home, resource="pay")


def run_on_a_remembered_answer(*, is_given: bool) -> Callable[[Path], Any]:
    def change(body: dict[str, Any], put: Any) -> None:
        let_run("remembered", "monitor")(body, put)
        body["seen"]["answer_scope"] = "s"

    def plant(home: Path) -> None:
        if is_given:
            append(home, EntryKind.STANDING_ANSWER, {"answer": "a", "op": "grant", "scope": "s"})
        forge(home, change)

    return plant


def refuse_a_model_call(home: Path) -> None:
    def change(body: dict[str, Any], put: Any) -> None:
        body.pop("model")
        refuse("tool_not_granted")(body, put)

    forge(home, change, resource="gpt", outcome=False)


def late_case(act: str) -> Callable[[Path], Any]:
    def plant(home: Path) -> None:
        case = commit(home, lambda tx: open_case(tx, severity="serious"))
        report_case(home, case, act)

    return plant


def pay(**spent: Any) -> Callable[[dict[str, Any], Any], None]:
    def change(body: dict[str, Any], _put: Any) -> None:
        body["seen"]["accounts"][0]["spent"] = spent

    return change


def refuse(code: str) -> Callable[[dict[str, Any], Any], None]:
    reason = {"code": code, "effect": "deny"}
    return set_members(decision={"effect": "deny", "reasons": [reason]}, dispatched=False)


def no_state(body: dict[str, Any], _put: Any) -> None:
    body["seen"] = []


def begin_epoch(body: dict[str, Any], _put: Any) -> None:
    accounts = [{**item, "epoch": 2} for item in body["seen"]["accounts"]]
    body["seen"].update(accounts=accounts, authority=600_000)


def drop(name: str) -> Callable[[dict[str, Any], Any], None]:
    return lambda body, _put: body.pop(name, None)


def report(name: str, *, after_days: int = 0, from_us: int = 0) -> Callable[[Path], Any]:
    def plant(home: Path) -> None:
        forge(home, clock=FixedClock(now_us() + 3 * DAY_US))
        until_us = now_us() + 5 * DAY_US
        body = {"form": "json", "framework": name, "from_us": from_us, "to_us": until_us}
        clock = FixedClock(now_us() + (3 + after_days) * DAY_US)
        commit(home, lambda tx: tx.append(Draft(EntryKind.REPORT, "", body, actor=ADMIN)), clock)

    return plant


def _judge_late(home: Path) -> None:
    alert = append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    clock = FixedClock(now_us() + 2 * DAY_US)
    body = {"alert": alert, "attack": False, "session": "", "why": "known"}
    commit(home, lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", body, actor=ADMIN)), clock)


def _acknowledge(home: Path) -> None:
    alert = append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    append(home, EntryKind.ACKNOWLEDGEMENT, {"alert": alert, "why": "seen"})


CASES: dict[str, tuple[str, Callable[[Path], Any], int, Verdict]] = {
    "fields: no session": ("record_fields", lambda home: forge(home, session=""), 0, FAILS),
    "fields: no passport": ("record_fields", lambda home: forge(home, change_part(home, "frame", chain=[])), 0, FAILS),
    "fields: no passport, refused": (
        "record_fields",
        lambda home: forge(home, change_part(home, "frame", chain=[]), resource="wipe", ran=False),
        0,
        HOLDS,
    ),
    "fields: no digest": ("record_fields", lambda home: forge(home, set_members(args="x")), 0, FAILS),
    "fields: no impact": (
        "record_fields",
        lambda home: forge(home, change_part(home, "resource", impact="")),
        0,
        FAILS,
    ),
    "fields: no id": ("record_fields", lambda home: forge(home, change_part(home, "resource", id="")), 0, FAILS),
    "fields: no messages": ("record_fields", lambda home: forge(home, drop("messages"), resource="gpt"), 0, FAILS),
    "fields: no messages of a call of a tool": ("record_fields", lambda home: forge(home, drop("messages")), 0, HOLDS),
    "pairs: an outcome of nothing": ("pairs", settle("lookup", seq=9_999), 0, FAILS),
    "pairs: an outcome of what was refused": ("pairs", settle("wipe", ran=False), 0, FAILS),
    "pairs: a second outcome": ("pairs", settle("lookup"), 0, FAILS),
    "pairs: an outcome of another kind of entry": ("pairs", settle("lookup", seq=0), 0, FAILS),
    "access: it does not say how the reader is known": (
        "log_access",
        lambda home: append(home, EntryKind.ACCESS, {"act": "read", "actor": "x", "what": {}}, actor=None),
        0,
        FAILS,
    ),
    "access: it does not say who": (
        "log_access",
        lambda home: append(home, EntryKind.ACCESS, {"act": "read", "authn": "os-user", "what": {}}, actor=None),
        0,
        FAILS,
    ),
    "failures: nothing ran on it": (
        "failures",
        lambda home: forge(home, refuse("policy_error"), outcome=False),
        0,
        HOLDS,
    ),
    "content: held, and not run": (
        "untrusted_content",
        lambda home: forge(home, refuse("untrusted_target"), outcome=False),
        0,
        HOLDS,
    ),
    "content: a person said yes": (
        "untrusted_content",
        lambda home: forge(home, let_run("untrusted_target", "monitor")),
        0,
        HOLDS,
    ),
    "content: refused for something else, and run": (
        "untrusted_content",
        lambda home: forge(home, let_run("grave_impact", "deny")),
        0,
        HOLDS,
    ),
    "review: in time": ("log_review", report("pci-dss-4.0.1"), 6, HOLDS),
    "review: too late": ("log_review", report("pci-dss-4.0.1", after_days=3), 9, FAILS),
    "review: of another time": ("log_review", report("pci-dss-4.0.1", from_us=now_us() + 4 * DAY_US), 6, FAILS),
    "retention: an erasure of nobody who is held": (
        "retention",
        lambda home: [
            append(home, NamedKind("legal_hold"), {"op": "set", "scope": "subject", "target": "c-1"}),
            append(home, NamedKind("legal_hold"), {"op": "lift", "scope": "subject", "target": "c-1"}),
            append(home, NamedKind("erasure"), {"names": [], "subject": "c-1"}),
        ],
        0,
        HOLDS,
    ),
    "retention: somebody else is held": (
        "retention",
        add_each(("legal_hold", {"op": "set", "scope": "subject", "target": "c-2"}), ("erasure", ERASURE)),
        0,
        HOLDS,
    ),
    "retention: an agent of the subject's name is held": (
        "retention",
        add_each(("legal_hold", {"op": "set", "scope": "agent", "target": "c-1"}), ("erasure", ERASURE)),
        0,
        HOLDS,
    ),
    "retention: everything is held": (
        "retention",
        lambda home: [
            append(home, NamedKind("legal_hold"), {"op": "set", "scope": "all", "target": ""}),
            append(home, NamedKind("erasure"), {"names": [], "subject": "c-1"}),
        ],
        0,
        FAILS,
    ),
    "retention: the subject is held": (
        "retention",
        lambda home: [
            append(home, NamedKind("legal_hold"), {"op": "set", "scope": "subject", "target": "c-1"}),
            append(home, NamedKind("erasure"), {"names": [], "subject": "c-1"}),
        ],
        0,
        FAILS,
    ),
    "privilege: a label that the passport does not allow": (
        "least_privilege",
        lambda home: forge(home, change_part(home, "resource", labels=["chd", "secret"])),
        0,
        FAILS,
    ),
    "privilege: no passport": (
        "least_privilege",
        lambda home: forge(home, change_part(home, "frame", chain=[])),
        0,
        FAILS,
    ),
    "privilege: what was refused needs no grant": (
        "least_privilege",
        lambda home: forge(home, change_part(home, "resource", id="other"), resource="wipe", ran=False),
        0,
        HOLDS,
    ),
    "passports: none": ("passports", lambda home: forge(home, change_part(home, "frame", chain=[])), 0, FAILS),
    "passports: nobody issued it": (
        "passports",
        add("passport", {"agent": "x", "hash": "sha256:1", "kind": "standing", "origin": "issued", "owner": "o"}),
        0,
        HOLDS,
    ),
    "refusals: without a reason": (
        "refusals",
        lambda home: forge(
            home, set_members(decision={"effect": "deny", "reasons": []}, dispatched=False), outcome=False
        ),
        0,
        FAILS,
    ),
    "stops: the agent": ("stops", stop_and_act("agent", "desk"), 0, FAILS),
    "stops: another agent": ("stops", stop_and_act("agent", "another"), 0, HOLDS),
    "stops: everything": ("stops", stop_and_act("all", ""), 0, FAILS),
    "stops: another tool": ("stops", stop_and_act("tool", "wipe"), 0, HOLDS),
    "stops: lifted": ("stops", stop_and_act("tool", "lookup", lifted=True), 0, HOLDS),
    "stops: refused": ("stops", stop_and_act("agent", "desk", refused=True), 0, HOLDS),
    "stops: a revocation is none": ("stops", revoke_and_act("agent", "desk"), 0, HOLDS),
    "revocations: a stop is none": ("revocations", stop_and_act("agent", "desk"), 0, HOLDS),
    "revocations: refused": ("revocations", revoke_and_act("agent", "desk", refused=True), 0, HOLDS),
    "floor: under a waiver": ("mode_floor", observe_and_act(), 0, HOLDS),
    "floor: after a waiver": ("mode_floor", observe_and_act(over=True), 0, FAILS),
    "refusals: under a waiver": ("refusals", observe_and_act(), 0, HOLDS),
    "refusals: after a waiver": ("refusals", observe_and_act(over=True), 0, FAILS),
    "floor: refused in observe mode": (
        "mode_floor",
        lambda home: forge(home, change_part(home, "host", mode="observe"), resource="wipe", ran=False),
        0,
        HOLDS,
    ),
    "decay: it rose in another epoch": ("decay", lambda home: [forge(home), forge(home, begin_epoch)], 0, HOLDS),
    "revocations: the passport": ("revocations", revoke_and_act("link"), 0, FAILS),
    "revocations: the session": ("revocations", revoke_and_act("session"), 0, FAILS),
    "revocations: another agent": ("revocations", revoke_and_act("agent", "another"), 0, HOLDS),
    "decay: more is left than there was": (
        "decay",
        lambda home: forge(home, set_members(left=900_000)),
        0,
        FAILS,
    ),
    "decay: it stayed": ("decay", lambda home: [forge(home), forge(home)], 0, HOLDS),
    "decay: it rose": ("decay", lambda home: [forge(home), forge(home, set_seen(authority=600_000))], 0, FAILS),
    "budgets: within": ("budgets", lambda home: forge(home, pay(USD=1), resource="pay"), 0, HOLDS),
    "components: a call that was refused": (
        "components",
        lambda home: forge(home, drop("model"), resource="wipe", ran=False),
        0,
        HOLDS,
    ),
    "components: no provider": (
        "components",
        lambda home: forge(home, change_part(home, "model", provider=""), resource="gpt"),
        0,
        FAILS,
    ),
    "components: a tool of a server that nobody accepted": (
        "components",
        lambda home: forge(home, let_run("mcp_tool_not_accepted", "monitor")),
        0,
        FAILS,
    ),
    "policy: put in force by nobody": (
        "policy_changes",
        lambda home: append(home, EntryKind.POLICY, {"hash": "sha256:1", "sources": []}, actor=None),
        0,
        FAILS,
    ),
    "policy: its text is not stored": (
        "policy_changes",
        lambda home: append(home, EntryKind.POLICY, {"sources": [], "unstored": "sha256:1"}),
        0,
        FAILS,
    ),
    "acts: it does not say how the person is known": (
        "admin_acts",
        lambda home: append(home, EntryKind.FEEDBACK, {"actor": "x", "alert": "y", "attack": False}, actor=None),
        0,
        FAILS,
    ),
    "acts: a row of control was changed": ("admin_acts", add("control", {"column": "mode"}), 0, FAILS),
    "acts: a passport of a session": ("admin_acts", add("passport", {"hash": "x", "kind": "session"}), 0, HOLDS),
    "alerts: answered late": ("alerts", _judge_late, 3, FAILS),
    "alerts: not due yet": ("alerts", add("alert", {"agent": "desk", "kind": "volume"}), 0, HOLDS),
    "alerts: acknowledged": ("alerts", _acknowledge, 3, HOLDS),
    "alerts: never answered": ("alerts", add("alert", {"agent": "desk", "kind": "volume"}), 2, FAILS),
    "reviews: overdue": ("access_reviews", add("review", {**REVIEW, "due_us": 1}), 0, FAILS),
    "reviews: closed late": (
        "access_reviews",
        add("review", {**REVIEW, "due_us": 1}, {"id": "r-1", "op": "close", "passports": {}}),
        0,
        FAILS,
    ),
    "reviews: closed with an open grant": (
        "access_reviews",
        add(
            "review",
            {**REVIEW, "grants": {"desk": [["tool_call", "lookup"]]}},
            {"id": "r-1", "op": "close", "passports": {}},
        ),
        0,
        FAILS,
    ),
    "overrides: no reason": ("overrides", add("override", {**OVERRIDE, "why": ""}), 0, FAILS),
    "overrides: a review that nobody signed": (
        "overrides",
        add("override", OVERRIDE, {"answer": "o1", "op": "review", "signed": [], "verdict": "upheld"}),
        0,
        FAILS,
    ),
    "overrides: a second entry moves no due date": (
        "overrides",
        add("override", {**OVERRIDE, "review_by_us": 1}, OVERRIDE),
        0,
        FAILS,
    ),
    "reversals: ordered, and nobody carried it out": (
        "reversals",
        add("reversal", {**REQUEST, "expires_s": 1}),
        0,
        HOLDS,
    ),
    "reversals: a finding that nobody signed": (
        "reversals",
        add(
            "reversal",
            REQUEST,
            {**REQUEST, "decision": {"w": "x", "ws": 2}, "op": "begin"},
            {**REQUEST, "finding": "done", "op": "confirm", "signed": []},
        ),
        0,
        FAILS,
    ),
    "incidents: closed without a report": ("incidents", late_case("close"), 0, FAILS),
    "incidents: not due yet": ("incidents", lambda home: commit(home, lambda tx: open_case(tx, "serious")), 1, HOLDS),
    "incidents: without a deadline": (
        "incidents",
        lambda home: commit(home, lambda tx: open_case(tx, "other")),
        400,
        HOLDS,
    ),
    "ungoverned: refused": (
        "ungoverned",
        add("shadow", {"framework": "x", "kind": "tool", "name": "y", "refused": True, "where": "z"}),
        0,
        HOLDS,
    ),
    "inventory: no passport at all": (
        "inventory",
        lambda home: forge(home, change_part(home, "frame", agent="ghost", chain=[])),
        0,
        FAILS,
    ),
    "inventory: nobody issued the passport": (
        "inventory",
        add("passport", {"agent": "desk", "hash": "x", "kind": "standing", "origin": "derived", "owner": "o"}),
        0,
        FAILS,
    ),
    "grants: each used since": ("unused_grants", use_everything, 40, HOLDS),
    "incidents: reported late": ("incidents", report_late, 0, FAILS),
    "approvals: a no": ("approvals", pay_on_a_no, 0, FAILS),
    "approvals: an answer to nothing": (
        "approvals",
        add("approval", {"answer": "approve", "request": "x-1"}),
        0,
        FAILS,
    ),
    "approvals: a remembered answer": ("approvals", run_on_a_remembered_answer(is_given=True), 0, HOLDS),
    "approvals: one that nobody gave": ("approvals", run_on_a_remembered_answer(is_given=False), 0, FAILS),
    "acts: a waiver of no control": (
        "admin_acts",
        add(
            "control_waiver", {"control": "x y", "op": "waive", "owner": "o", "until_us": now_us() + DAY_US, "why": "w"}
        ),
        0,
        FAILS,
    ),
    "duties: a policy that another approved": (
        "separation_of_duties",
        add("authority", {"act": "policy", "approver": "bo", "author": "ana", "policy": "x", "role": "policy"}),
        0,
        HOLDS,
    ),
    "duties: an enrolment is no approval": (
        "separation_of_duties",
        add("authority", {"act": "enrol", "approver": "ana", "author": "ana", "role": "x"}),
        0,
        HOLDS,
    ),
    "components: an unaccepted tool, refused": (
        "components",
        lambda home: forge(home, refuse("mcp_tool_not_accepted"), outcome=False),
        0,
        HOLDS,
    ),
    "components: a model call, refused": ("components", refuse_a_model_call, 0, HOLDS),
    "time: one process, ten seconds back": ("time", lambda home: forge(home, back_us=10_000_000), 0, FAILS),
    "passports: another agent's, refused": (
        "passports",
        lambda home: forge(home, change_part(home, "frame", agent="other"), resource="wipe", ran=False),
        0,
        HOLDS,
    ),
    "fields: no state": ("record_fields", lambda home: forge(home, no_state), 0, FAILS),
    "time: within the tolerance": ("time", lambda home: forge(home, back_us=2_000_000), 0, HOLDS),
}
"""Name → check, what is planted, as of how many days later, and the verdict."""


@pytest.mark.share(2)
@pytest.mark.parametrize("name", CASES)
def test_a_condition_of_a_check(name, whole, tmp_path):
    check_name, plant, days, verdict = CASES[name]
    home = copy_home(whole, tmp_path)
    plant(home)
    answer = check(home, check_name, days=days)[check_name]
    assert answer.verdict is verdict, (answer.findings, answer.notes)


def test_codes_of_one_decision_are_named_in_their_order(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    codes = ["score_unavailable", "ledger_busy", "policy_error", "decision_error", "ledger_unreachable"]
    reasons = [{"code": code, "effect": "deny"} for code in codes]
    forge(home, set_members(decision={"effect": "deny", "reasons": reasons}, dispatched=True))
    findings = check(home, "failures")["failures"].findings
    assert [item.rpartition(": ")[2] for item in findings] == sorted(codes)


FAILURES = (
    *("decision_error", "ledger_behind_anchor", "ledger_busy", "ledger_closed", "ledger_unreachable"),
    *("ledger_unwritable", "obligation_unknown", "policy_error", "score_unavailable"),
)


def test_each_code_of_a_decision_that_failed_is_looked_for(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    for code in FAILURES:
        forge(home, let_run(code, "deny"))
    answer = check(home, "failures")["failures"]
    assert answer.verdict is FAILS
    assert {row["code"] for row in answer.rows} == set(FAILURES)


ACTS = (
    *("acknowledgement", "erasure", "feedback", "incident", "inventory", "known", "legal_hold", "override", "report"),
    *("retention", "reversal", "review", "standing_answer", "control_waiver", "manifest", "approval"),
)


def test_an_act_of_each_kind_names_who_did_it(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    before = check(home, "admin_acts")["admin_acts"]
    assert before.verdict is HOLDS
    ids = {append(home, NamedKind(kind), {"op": "x"}, actor=None) for kind in ACTS}
    answer = check(home, "admin_acts")["admin_acts"]
    assert len([item for item in answer.findings if item.endswith("does not say who did it")]) == len(ids)
    assert answer.population.counted == before.population.counted + len(ids)


def test_checks_count_what_they_say(whole):
    """Populations against the entries themselves."""
    decisions = len(found(whole, EntryKind.DECISION))
    counts = dict.fromkeys(("record_fields", "failures", "pairs", "refusals"), decisions)
    counts |= {"alerts": len(found(whole, EntryKind.ALERT)), "log_access": len(found(whole, EntryKind.ACCESS))}
    answers = check(whole, *counts)
    assert {name: item.population.counted for name, item in answers.items()} == counts


def answer_from(home: Path, name: str, from_us: int, to_us: int, *, days: int = 0) -> Any:
    """The answer of a check about a period, asked some days after its end."""
    with Reader(url_of(home)) as reader:
        log = AuditLog(reader, "local", home=home, now_us=to_us + days * DAY_US)
        return run_checks(log, Period(from_us, to_us), [name])[name]


def test_an_outcome_of_a_decision_before_the_period_is_no_second_one(whole):
    outcome = found(whole, EntryKind.OUTCOME)[0].entry
    decision = next(
        item.entry for item in found(whole, EntryKind.DECISION) if item.entry.seq == outcome.body["decision"]["ws"]
    )
    assert decision.ts_us < outcome.ts_us
    assert answer_from(whole, "pairs", outcome.ts_us, now_us() + 1).verdict is HOLDS


def test_an_action_that_may_still_run_is_no_missing_outcome_and_one_of_yesterday_is(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    with desk(home) as halo, halo.session("running", user="ana@bank"):
        ticket = halo.enforcer.begin(halo.build_call(tools(halo)["lookup"], {"q": "z"}))
        halo.store.checkpoint()
        young, old = now_us() + 1, now_us() + DAY_US
        assert "1 action may still be running" in answer_from(home, "pairs", 0, young).notes
        assert answer_from(home, "pairs", 0, young).verdict is HOLDS
        assert "has no outcome" in answer_from(home, "pairs", 0, old).findings[0]
        ticket.succeed("done", SURFACE)


def test_no_other_check_asks_for_what_the_cases_leave_out(whole):
    """The home of the cases holds every check that a case expects to fail."""
    names = {item[0] for item in CASES.values() if item[3] is FAILS}
    answers = check(whole, *names)
    assert {name for name in names if answers[name].verdict is FAILS} == set()
    assert found(whole, EntryKind.DECISION)


@pytest.mark.parametrize("kind", [EntryKind.ACKNOWLEDGEMENT, EntryKind.FEEDBACK])
@pytest.mark.parametrize(("answered_h", "verdict"), [(0, FAILS), (20, HOLDS), (30, FAILS)])
def test_an_alert_of_the_last_hours_of_a_period_is_judged_when_its_day_is_over(
    kind, answered_h, verdict, whole, tmp_path
):
    home = copy_home(whole, tmp_path)
    alert = append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    end_us = now_us() + 1
    if answered_h:
        clock = FixedClock(end_us + answered_h * DAY_US // 24)
        body = {"alert": alert, "attack": False, "session": "", "why": "known"}
        commit(home, lambda tx: tx.append(Draft(kind, "", body, actor=ADMIN)), clock)
    verdicts = [answer_from(home, "alerts", 0, end_us, days=days).verdict for days in (0, 2, 40)]
    assert verdicts == [FAILS if answered_h == 30 else HOLDS, verdict, verdict]


def test_a_report_that_is_made_long_after_a_period_changes_nothing_in_it(whole, tmp_path):
    home = copy_home(whole, tmp_path)
    start_us = now_us()
    end_us = start_us + 4 * DAY_US
    forge(home, clock=FixedClock(start_us + 3 * DAY_US))
    before = answer_from(home, "log_review", start_us, end_us, days=40)
    clock = FixedClock(end_us + 30 * DAY_US)
    body = {"form": "json", "framework": "pci-dss-4.0.1", "from_us": 0, "to_us": end_us}
    commit(home, lambda tx: tx.append(Draft(EntryKind.REPORT, "", body, actor=ADMIN)), clock)
    after = answer_from(home, "log_review", start_us, end_us, days=40)
    assert (after.verdict, after.findings, after.rows) == (before.verdict, before.findings, before.rows)
    assert before.verdict is OPEN
