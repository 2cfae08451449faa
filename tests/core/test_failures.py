"""Errors under an obligation: what is raised instead contains nothing of the original."""

from __future__ import annotations

import asyncio
import sys

import pytest

from halo_core.enforcement.enforcer import FunctionAction
from halo_core.enforcement.flow import arun, run
from halo_core.enforcement.obligations import WITHHELD_ERROR, build_failure
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Obligation, Resource
from halo_world import SURFACE, policy_folder, schema

PAN = "4111111111111111"
SOURCE = Resource("kb", ActionKind.TOOL_CALL, Impact.READ, source_trust=900)
HOLD, MASK, DROP = Obligation("hold_output"), Obligation("redact_output"), Obligation("drop_documents", "", 901)
LABEL = Obligation("drop_labels", "chd")
RULES = """@id("base") permit (principal, action, resource);
@id("r") @effect("restrict") @obligation("{}") forbid (principal, action, resource);"""


class Plain(LookupError):
    pass


class Coded(ConnectionError):
    def __init__(self, message, code):
        super().__init__(message, code)


class Looking(Exception):
    """Takes a text, and looks at what is being handled."""

    def __init__(self, message):
        super().__init__(message)
        self.seen = sys.exc_info()[1]


class Speaking(ValueError):
    def __str__(self):
        return f"card {PAN}"


class Meta(type):
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.seen = sys.exc_info()[1]
        return made


class Made(Exception, metaclass=Meta):
    pass


def unreadable():
    return UnicodeDecodeError("utf-8", PAN.encode(), 0, 1, PAN)


def reach(error):
    """Everything that hangs on an error, as one text."""
    tied = [error.__cause__, error.__context__]
    own = [str(error), repr(error), repr(error.args), repr(vars(error)), repr(getattr(error, "__notes__", ""))]
    return " ".join([*own, *(reach(item) for item in tied if item is not None)])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError(PAN), ValueError),
        (Exception(PAN), Exception),
        (KeyError(PAN), KeyError),
        (OSError(5, PAN, PAN), OSError),
        (Plain(PAN, PAN), Plain),
        (Coded(PAN, 3), ConnectionError),
        (Looking(PAN), TimeoutError),
        (Speaking(), ValueError),
        (Made(PAN), TimeoutError),
        (unreadable(), UnicodeError),
        (ExceptionGroup(PAN, [ValueError(PAN)]), TimeoutError),
    ],
    ids=lambda item: type(item).__name__ if isinstance(item, Exception) else "",
)
@pytest.mark.parametrize("obligation", [HOLD, MASK, DROP, LABEL], ids=lambda item: item.kind)
def test_it_is_of_its_class_or_the_nearest_that_is_made_of_a_text(error, kind, obligation):
    error.add_note(PAN)
    try:
        raise error  # noqa: TRY301  it is being handled
    except Exception as caught:  # noqa: BLE001  the class may look at it
        raised = build_failure(caught, [obligation], SOURCE, fallback=TimeoutError).error
    assert type(raised) is kind
    assert PAN not in reach(raised)
    assert obligation is MASK or raised.args == (WITHHELD_ERROR,)


@pytest.mark.parametrize("obligations", [[], [Obligation("clamp", "k", 3)], [Obligation("drop_documents", "", 900)]])
def test_an_error_that_nothing_takes_from_is_itself(obligations):
    error = Coded(PAN, 3)
    ended = build_failure(error, obligations, SOURCE)
    assert ended.error is error
    assert ended.recorded_text == str(error)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, SystemExit])
def test_what_ends_a_program_or_a_task_goes_on(kind):
    error = kind(PAN)
    ended = build_failure(error, [HOLD], SOURCE)
    assert (ended.error, ended.recorded_text, ended.readable_text) == (error, "", PAN)


def test_what_is_raised_can_be_raised_again():
    once = build_failure(Coded(f"see {PAN}", 3), [MASK], SOURCE).error
    again = build_failure(once, [MASK], SOURCE).error
    assert (type(again), again.args) == (type(once), once.args)


def test_a_denial_of_ours_goes_on_without_what_led_to_it():
    error = Denied("stopped", "deny `x`")
    try:
        try:
            raise ValueError(PAN)  # noqa: TRY301  it is being handled
        except ValueError:
            raise error  # noqa: B904  as a tool's own handler would
    except Denied:
        ended = build_failure(error, [HOLD], SOURCE)
    assert ended.error is error
    assert PAN not in reach(error)


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("obligation", ["hold_output()", "redact_output()", "drop_documents(901)", "drop_labels(chd)"])
def test_nothing_of_it_leaves_the_enforcement_point(home, obligation, awaited):
    def fail(_args):
        raise Plain(f"see {PAN}")

    async def afail(_args):
        fail(_args)

    with HaloBase.local(
        "clerk", home=home, mode="enforce", policy=policy_folder(home, RULES.format(obligation)), quiet=True
    ) as halo:
        declared = Resource(impact=Impact.READ, source_trust=900)
        tool = halo.register(ActionKind.TOOL_CALL, "read", resource=declared, schema=schema({"q": {"type": "string"}}))
        with halo.session("s"):
            call = halo.build_call(tool, {"q": "a"})
            action = FunctionAction(halo.enforcer, call, afail if awaited else fail, SURFACE)
            with pytest.raises(Plain) as failed:
                asyncio.run(arun(action)) if awaited else run(action)
    assert PAN not in reach(failed.value)
