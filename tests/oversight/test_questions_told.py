"""Questions are told as they are asked: a log line each, and a signed webhook that delays no decision."""

from __future__ import annotations

import logging

import pytest

from halo_core.enforcement.guarded_calls import make_unread_question_error
from halo_core.errors import ConfigError, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.reasons import REASONS
from halo_world import SURFACE, Calls, cli, found, policy_folder, tool


def opened(home, **more):
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, **more)


def ask(halo, **args):
    halo.enforcer.run(halo.build_call(tool(halo, "pay"), args), Calls(), SURFACE)


def pending(halo, **args):
    with pytest.raises(Pending) as caught:
        ask(halo, **args)
    return caught.value


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self):
        super().__init__()
        self.kept = []

    def emit(self, record):
        self.kept.append(record)


@pytest.fixture
def records():
    handler, logger = Records(), logging.getLogger("halo.questions")
    logger.addHandler(handler)
    yield handler.kept
    logger.removeHandler(handler)


def test_each_question_is_one_log_line_with_the_command_that_answers(home, records):
    with opened(home) as halo, halo.session("s", user="ana@bank"):
        first = pending(halo, amount=500, to="b")
        assert pending(halo, amount=500, to="b").pending_id == first.pending_id
        second = pending(halo, amount=501, to="b")
        ask(halo, amount=5, to="b")
    assert [item.halo_pending for item in records] == [first.pending_id, second.pending_id]
    assert {(item.levelname, item.halo_agent, item.halo_resource) for item in records} == {("WARNING", "clerk", "pay")}
    assert f"`halo approvals approve {first.pending_id} --as NAME`" in records[0].getMessage()
    # What is asked stands sealed in the log. The id may hold any digits.
    assert "500" not in records[0].getMessage().replace(first.pending_id, "")
    assert "ana" not in records[0].getMessage()


def test_how_long_a_run_waits_unread_is_said_by_the_application_else_the_manifest(home):
    with opened(home) as halo:
        assert halo.answer_wait_s == 60
    (home / "agents.yaml").write_text(
        "version: 1\nprincipal: bank\nagents:\n  clerk:\n    answer_wait: 5m\n    tools: [pay]\ntools:\n"
        "  pay: {impact: payment}\n"
    )
    with opened(home) as halo:
        assert halo.answer_wait_s == 300
    with opened(home, answer_wait_s=0.5) as halo:
        assert halo.answer_wait_s == 0.5
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ConfigError):
            opened(home, answer_wait_s=wrong)


def test_the_error_of_an_unread_run_says_what_to_do(home):
    with opened(home) as halo, halo.session("s"):
        question = pending(halo, amount=500, to="b")
    error = make_unread_question_error(question, 60)
    assert error.reason in REASONS
    assert (error.pending_id, error.decision_id) == (question.pending_id, question.decision_id)
    assert f"halo approvals approve {question.pending_id} --as NAME" in error.remedy
    assert "60 s" in str(error)


def test_a_question_is_still_open_after_that(home):
    with opened(home) as halo, halo.session("s"):
        question = pending(halo, amount=500, to="b")
        make_unread_question_error(question, 60)
        assert halo.enforcer.find_question_status(question.pending_id) == "pending"
    assert len(found(home, EntryKind.APPROVAL_REQUEST)) == 1
    assert question.pending_id in cli("approvals", "list", home=home)[1]
