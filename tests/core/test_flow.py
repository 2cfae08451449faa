"""The protocol of an action: each driver does the same, and no step can be left out."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from halo_core.enforcement import Surface, flow
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import SURFACE, bodies, policy_folder, tool


@pytest.fixture
def halo(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, policy=policy_folder(home), mode="enforce", quiet=True) as opened:
        yield opened


def outcomes(halo):
    halo.close()
    return [body["status"] for body in bodies(halo.home, EntryKind.OUTCOME)]


class Action(flow.GovernedAction):
    def __init__(self, halo, name="lookup", args=None, result="done", error=None):
        args = {"q": "x"} if args is None else args
        super().__init__(halo.enforcer, halo.build_call(tool(halo, name), args), SURFACE)
        self.result, self.error, self.ran = result, error, []

    def execute(self, ticket):
        self.ran.append(dict(ticket.args))
        if self.error is not None:
            raise self.error
        return self.result


class Later(Action):
    async def execute(self, ticket):
        await asyncio.sleep(0)
        return Action.execute(self, ticket)


DRIVERS = {"run": (Action, flow.run), "arun": (Later, lambda action: asyncio.run(flow.arun(action)))}


@pytest.fixture(params=DRIVERS.values(), ids=DRIVERS.keys())
def driver(request):
    return request.param


def test_a_result_is_recorded_and_returned(halo, driver):
    kind, run = driver
    assert run(kind(halo)) == "done"
    assert outcomes(halo) == ["success"]


@pytest.mark.parametrize("error", [ValueError("x"), StopAsyncIteration(), asyncio.CancelledError()])
def test_an_error_is_recorded_and_raised_as_it_is(halo, driver, error):
    kind, run = driver
    with pytest.raises(type(error)):
        run(kind(halo, error=error))
    assert outcomes(halo) == ["cancelled" if isinstance(error, asyncio.CancelledError) else "error"]


@pytest.mark.parametrize("error", [StopIteration(1), KeyboardInterrupt(), GeneratorExit()])
def test_an_error_that_would_end_the_protocol_itself_is_raised_too(halo, error):
    with pytest.raises(type(error)) as raised:
        flow.run(Action(halo, error=error))
    assert raised.value is error
    assert outcomes(halo) == ["error" if isinstance(error, StopIteration) else "cancelled"]


def test_what_is_denied_or_pending_does_not_run(halo, driver):
    kind, run = driver
    for name, args, raises in (("wipe", {"path": "/"}, Denied), ("pay", {"amount": 5000, "to": "a"}, Pending)):
        action = kind(halo, name, args)
        with pytest.raises(raises):
            run(action)
        assert action.ran == []
    assert outcomes(halo) == []


def test_a_denial_may_be_answered_by_the_surface(halo, driver):
    kind, run = driver

    class Answers(kind):
        def return_denied(self, denied):
            return f"refused: {denied.reason}"

    assert run(Answers(halo, "wipe", {"path": "/"})) == "refused: grave_impact"


def test_a_framework_that_was_resumed_with_a_no_records_it(halo, driver):
    kind, run = driver

    class Refused(kind):
        def wait_for_answer(self, call, pending):
            return True

    action = Refused(halo, "pay", {"amount": 5000, "to": "a"})
    with pytest.raises(Denied) as denied:
        run(action)
    assert denied.value.reason == "challenge_withdrawn"
    assert action.ran == []


def test_an_error_that_says_less_does_not_carry_the_original(halo, driver):
    kind, run = driver

    class Quiet(kind):
        def finish_failed(self, ticket, error):
            super().finish_failed(ticket, error)
            return RuntimeError("withheld")

    with pytest.raises(RuntimeError) as raised:
        run(Quiet(halo, error=ValueError("secret")))
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def test_a_failure_before_the_action_runs_is_recorded(halo, driver):
    kind, run = driver

    class Broken(kind):
        def accept(self, ticket):
            raise Denied("needs_guard", "cannot be passed on")

    action = Broken(halo)
    with pytest.raises(Denied):
        run(action)
    assert action.ran == []
    assert outcomes(halo) == ["error"]


@pytest.mark.parametrize("error", [StopIteration(1), ValueError("x")])
def test_what_a_step_raises_leaves_a_procedure_as_it_is(error):
    def steps():
        yield (fails,)

    def fails():
        raise error

    with pytest.raises(type(error)) as raised:
        flow.drive(steps())
    assert raised.value is error


@pytest.mark.parametrize("drive", [flow.drive, lambda steps: asyncio.run(flow.adrive(steps))])
def test_a_procedure_may_answer_what_a_step_raises(drive):
    def steps():
        try:
            yield int, "x"
        except ValueError:
            return (yield int, "7")

    assert drive(steps()) == 7


# streams


class Parts(flow.GovernedStream):
    def __init__(self, halo, *, withheld=False, fails=False):
        super().__init__(halo.enforcer, halo.build_call(tool(halo, "lookup"), {"q": "x"}), Surface(text="".join))
        self.withheld, self.fails, self.closed = withheld, fails, False

    def withholds(self, ticket):
        return self.withheld

    def execute(self, ticket):
        return self._source()

    def _source(self):
        try:
            yield from "ab"
            if self.fails:
                raise ValueError("broke")
        finally:
            self.closed = True

    def merge_parts(self):
        return list(self.parts)

    def split_result(self, result):
        return result


class LaterParts(Parts):
    async def _source(self):
        try:
            for part in "ab":
                yield part
            if self.fails:
                raise ValueError("broke")
        finally:
            self.closed = True

    async def add_part(self, ticket, part):
        return Parts.add_part(self, ticket, part)


def read(action, count=10):
    """The parts that a reader gets who stops after some; the stream is closed."""
    got = []
    with contextlib.closing(flow.stream(action)) as stream:
        for part in stream:
            got.append(part)
            if len(got) == count:
                break
    return got


def aread(action, count=10):
    async def go():
        got = []
        async with contextlib.aclosing(flow.astream(action)) as stream:
            async for part in stream:
                got.append(part)
                if len(got) == count:
                    break
        return got

    return asyncio.run(go())


READERS = {"stream": (Parts, read), "astream": (LaterParts, aread)}


@pytest.fixture(params=READERS.values(), ids=READERS.keys())
def reader(request):
    return request.param


@pytest.mark.parametrize("withheld", [False, True])
def test_all_parts_arrive_and_the_whole_is_recorded_once(halo, reader, withheld):
    kind, read_all = reader
    action = kind(halo, withheld=withheld)
    assert read_all(action) == ["a", "b"]
    assert action.closed
    assert outcomes(halo) == ["success"]


def test_a_reader_who_stops_early_is_recorded_and_the_source_is_closed(halo, reader):
    kind, read_some = reader
    action = kind(halo)
    assert read_some(action, 1) == ["a"]
    assert action.closed
    assert outcomes(halo) == ["cancelled"]


@pytest.mark.parametrize("withheld", [False, True])
def test_a_stream_that_breaks_raises_and_is_recorded(halo, reader, withheld):
    kind, read_all = reader
    action = kind(halo, withheld=withheld, fails=True)
    with pytest.raises(ValueError, match="broke"):
        read_all(action)
    assert action.closed
    assert outcomes(halo) == ["error"]
