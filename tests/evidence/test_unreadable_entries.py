"""Signed entries whose bodies have not the form of their kind: every check and question names them, and none breaks."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from control_world import ADMIN, NamedKind, commit, copy_home, make_home
from test_planted_gaps import HOLD, LATER, OVERRIDE, REQUEST, REVIEW

from halo_core.crypto.keys import KeyStore
from halo_core.evidence.answers import Answer, Period, Verdict
from halo_core.evidence.audit_log import AuditLog, DecisionFilter, ask
from halo_core.evidence.checks import CHECK_CLASSES, run_checks
from halo_core.evidence.grant_uses import count_uses, list_unused_grants
from halo_core.evidence.questions_access import answer_access_log, answer_reach, answer_sample, answer_who_touched
from halo_core.evidence.questions_inventory import answer_inventory, answer_reviews
from halo_core.evidence.questions_operation import answer_denials, answer_failures
from halo_core.evidence.questions_oversight import answer_alert_times, answer_metrics
from halo_core.evidence.questions_raises import answer_raises
from halo_core.evidence.questions_rights import (
    answer_after_revocation,
    answer_approvals,
    answer_policy_history,
)
from halo_core.evidence.reversals import answer_reversals
from halo_core.evidence.subjects import answer_explain_subject
from halo_core.model import EntryKind
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, SealedContents
from halo_core.store.transaction import Transaction
from halo_world import bodies, url_of

ODD: tuple[Any, ...] = (None, 7, "x", [], {}, [[]], {"w": 3})
KINDS = sorted({kind.value for kind in EntryKind} - {"decision", "writer_open", "writer_close"})

UNREAD = frozenset({"handback", "identity"})
"""Kinds that no check and no question reads."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    return make_home(tmp_path_factory.mktemp("whole") / "home")


def list_bodies(home: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Kind and body of entries as they should be, at least one of each kind that checks read."""
    for kind in EntryKind:
        yield from ((kind.value, body) for body in bodies(home, kind)[:1])
    yield from (("override", OVERRIDE), ("reversal", REQUEST), ("review", REVIEW), ("legal_hold", HOLD))
    yield "reversal", {**REQUEST, "decision": {"w": "x", "ws": 2}, "op": "begin"}
    yield "reversal", {**REQUEST, "finding": "done", "op": "confirm", "signed": ["x"]}
    yield "review", {"agent": "desk", "grant": ["tool_call", "lookup"], "id": "r-1", "op": "keep", "why": "x"}
    yield "override", {"answer": "x", "op": "review", "signed": ["x"], "verdict": "upheld"}
    yield "grants", {"agent": "desk", "grants": [["tool_call", "lookup"]], "op": "remove", "before": "x"}
    yield "retention", {"class": "decisions", "keep_days": 400, "op": "set"}
    yield "inventory", {"agent": "desk", "op": "classify", "tier": "high"}
    yield "shadow", {"framework": "x", "kind": "tool", "name": "y", "where": "z"}
    yield "control_waiver", {"control": "x y", "op": "waive", "owner": "o", "until_us": 2**52, "why": "w"}
    yield "alert", {"agent": "desk", "decision": {"w": "x", "ws": 1}, "kind": "volume"}
    yield "acknowledgement", {"alert": "x", "why": "seen"}
    yield "revocation", {"scope": "agent", "target": "other", "why": "retired"}
    yield "held", {"held": "x", "op": "hold", "request": "y"}
    yield "known", {"op": "add", "values": ["x"]}
    yield "baseline", {"agent": "desk", "hash": "sha256:0"}
    yield "control", {"column": "mode", "was": "enforce"}
    yield "standing_answer", {"answer": "x", "op": "grant", "scope": "s", "token": "sha256:0"}
    yield "standing_answer", {"answer": "x", "op": "revoke"}
    for before, after in LATER.values():
        yield from (*before, *after)


def mutate(body: Mapping[str, Any], draw: random.Random) -> Iterator[dict[str, Any]]:
    """The empty body; the body without each member; and with another value of each."""
    yield {}
    for name in body:
        yield {other: value for other, value in body.items() if other != name}
        changed = dict(copy.deepcopy(body))
        changed[name] = draw.choice(ODD)
        yield changed


def plant(home: Path, entries: list[tuple[str, Mapping[str, Any]]]) -> None:
    def job(tx: Transaction) -> None:
        for kind, body in entries:
            tx.append(Draft(NamedKind(kind), "", body, actor=None if "actor" in body else ADMIN))  # type: ignore[arg-type]

    commit(home, job)


def ask_everything(home: Path) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """The answers of all checks, and of all questions."""
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        now_us = int(next(reader.stream("SELECT max(ts_us) FROM entry"))[0]) + 1
        log, period = AuditLog(reader, "local", home=home, now_us=now_us), Period(0, now_us)
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        wanted = DecisionFilter(period)
        questions = {
            "access-log": answer_access_log,
            "after-revocation": partial(answer_after_revocation, agent="desk"),
            "alerts sla": answer_alert_times,
            "approvals stats": answer_approvals,
            "denials": partial(answer_denials, wanted=wanted, with_disposition=True),
            "explain": partial(answer_explain_subject, subject="ACC-1", contents=contents),
            "failures": answer_failures,
            "inventory": answer_inventory,
            "metrics": partial(answer_metrics, wanted=wanted),
            "policy history": answer_policy_history,
            "raises": answer_raises,
            "reach": partial(answer_reach, agent="desk"),
            "reversals": answer_reversals,
            "reviews": answer_reviews,
            "sample": partial(answer_sample, wanted=wanted, n=5, seed="s"),
            "who-touched": partial(answer_who_touched, wanted=DecisionFilter(period, label="chd"), prove=True),
        }
        count_uses(log, 0)
        list_unused_grants(log, now_us)
        return run_checks(log, period, CHECK_CLASSES), {
            name: ask(log, period, item) for name, item in questions.items()
        }


@pytest.mark.parametrize("seed", range(2))
def test_no_body_of_any_kind_breaks_a_check_or_a_question(seed, whole, tmp_path):
    draw = random.Random(seed)
    home = copy_home(whole, tmp_path)
    entries = [(kind, body) for kind, good in list_bodies(home) if kind in KINDS for body in mutate(good, draw)]
    assert {kind for kind, _ in entries} >= set(KINDS) - UNREAD
    plant(home, draw.sample(entries, len(entries)))
    checks, questions = ask_everything(home)
    assert checks["population"].verdict is Verdict.HOLDS, checks["population"].findings
    assert {item.verdict for item in (*checks.values(), *questions.values())} <= set(Verdict)
    honest = {"components", "decay", "failures", "key_custody", "least_privilege", "mode_floor", "record_fields"}
    assert not [name for name in honest if "unreadable" in str(checks[name].findings)]


UNREADABLE: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "approvals": ("standing_answer", {"op": "grant", "scope": "s"}, ""),
    "grants": ("grants", {}, "unused_grants"),
    "incident": ("incident", {"known_us": "soon", "op": "open"}, "incidents"),
    "inventory": ("inventory", {"op": "compare"}, "inventory"),
    "override": ("override", {"links": 7, "op": "grant"}, "overrides"),
    "passport": ("passport", {"kind": "standing"}, "unused_grants"),
    "policy": ("policy", {"hash": "sha256:0", "sources": 7}, "policy_changes"),
    "reversal": ("reversal", {"op": "begin"}, "reversals"),
    "schedule": ("retention", {"op": "set"}, "retention"),
    "an enrolment, which enrols nobody": ("authority", {"act": "enrol", "role": "approver"}, ""),
}
"""Name → kind and body of an entry, and the check that cannot read it; empty where it takes what it can."""


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_entry_is_named_and_only_where_it_is_read(name, whole, tmp_path):
    kind, body, check = UNREADABLE[name]
    home = copy_home(whole, tmp_path)
    plant(home, [(kind, body)])
    checks, _ = ask_everything(home)
    named = {item for item, answer in checks.items() if "unreadable entry" in str(answer.findings)}
    assert named == ({check} if check else set())
    if check:
        assert checks[check].verdict is Verdict.FAILS
        assert kind in checks[check].findings[0]


@pytest.mark.parametrize(
    ("kind", "body", "question"),
    [
        ("approval_request", {}, "approvals stats"),
        ("outcome", {}, "who-touched"),
        ("passport", {"agent": "desk", "kind": "standing"}, "raises"),
        ("override", {"op": "grant"}, "reversals"),
    ],
)
def test_a_question_that_cannot_read_an_entry_cannot_tell_and_names_it(kind, body, question, whole, tmp_path):
    home = copy_home(whole, tmp_path)
    plant(home, [(kind, body)])
    _, questions = ask_everything(home)
    answer = questions[question]
    assert answer.verdict is Verdict.CANNOT_TELL
    assert "entry" in answer.findings[0]
    assert "-" in answer.findings[0]
