"""The protocol of an action: each driver does the same, and no step can be left out."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
from dataclasses import replace

import pytest

from halo_core.enforcement import flow, step_methods, steps
from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Provenance
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
        def pause_for_approval(self, call, pending):
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
    def procedure():
        yield (fails,)

    def fails():
        raise error

    with pytest.raises(type(error)) as raised:
        steps.drive(procedure())
    assert raised.value is error


@pytest.mark.parametrize("drive", [steps.drive, lambda procedure: asyncio.run(steps.adrive(procedure))])
def test_a_procedure_may_answer_what_a_step_raises(drive):
    def procedure():
        try:
            yield int, "x"
        except ValueError:
            return (yield int, "7")

    assert drive(procedure()) == 7


def test_a_result_that_can_be_awaited_is_returned_as_it_was_recorded(halo):
    class Starts(Later):
        async def execute(self, ticket):
            return asyncio.ensure_future(asyncio.sleep(60, "later"))

    async def go():
        result = await asyncio.wait_for(flow.arun(Starts(halo)), 10)
        assert isinstance(result, asyncio.Future)
        assert not result.done()
        result.cancel()

    asyncio.run(go())
    assert outcomes(halo) == ["success"]


def test_a_finish_that_is_interrupted_before_it_records_is_recorded(halo):
    class Interrupted(Later):
        async def finish(self, ticket, result):
            raise asyncio.CancelledError

    async def go():
        with pytest.raises(asyncio.CancelledError):
            await flow.arun(Interrupted(halo))

    asyncio.run(go())
    assert outcomes(halo) == ["cancelled"]


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
    with contextlib.closing(steps.stream(flow.govern_stream(action))) as stream:
        for part in stream:
            got.append(part)
            if len(got) == count:
                break
    return got


def aread(action, count=10):
    async def go():
        got = []
        async with contextlib.aclosing(steps.astream(flow.govern_stream(action))) as stream:
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


def raw_errors(raised):
    """Names of locals in the frames of a traceback that hold an error which was withheld."""
    found, place = [], raised.__traceback__
    while place is not None:
        values = place.tb_frame.f_locals.items()
        found += [name for name, value in values if isinstance(value, BaseException) and "broke" in str(value)]
        place = place.tb_next
    return found


def test_no_frame_of_a_withheld_error_holds_the_original(halo, reader):
    kind, read_all = reader

    class Quiet(kind):
        def finish_failed(self, ticket, error):
            super().finish_failed(ticket, error)
            return RuntimeError("withheld")

    with pytest.raises(RuntimeError) as raised:
        read_all(Quiet(halo, fails=True))
    assert raw_errors(raised.value) == []
    assert raised.value.__context__ is None


def test_a_source_that_can_only_be_iterated_is_read(halo):
    class Iterable:
        def __aiter__(self):
            return self.parts()

        async def parts(self):
            for part in "ab":
                yield part

    class Held(LaterParts):
        def execute(self, ticket):
            return Iterable()

    assert aread(Held(halo)) == ["a", "b"]


# procedures


async def later(value):
    return value


def doubled(number):
    first = yield steps.TwoWayStep(int, later, number)
    return first * 2


def test_a_method_is_made_in_either_form_of_one_procedure():
    method = step_methods.make_method(doubled, doubled, is_async=False)
    async_method = step_methods.make_method(doubled, doubled, is_async=True)
    assert not asyncio.iscoroutinefunction(method)
    assert asyncio.iscoroutinefunction(async_method)
    assert (method(2), asyncio.run(async_method(2)), method.__name__) == (4, 4, "doubled")


def test_a_procedure_runs_an_action(halo):
    def procedure(action):
        return (yield flow.run_step(action))

    assert steps.drive(procedure(Action(halo))) == "done"
    assert asyncio.run(steps.adrive(procedure(Later(halo)))) == "done"


PLACE = contextvars.ContextVar("place", default="outside")


def visits(log):
    token = PLACE.set("inside")
    try:
        log.append(f"begun {PLACE.get()}")
        yield steps.Emit("value")
    except ZeroDivisionError:
        log.append("failed")
        raise
    finally:
        PLACE.reset(token)
        yield log.append, "ended"


async def enter(log, error):
    async with step_methods.StepScope(visits(log)) as value:
        log.append((value, PLACE.get()))
        if error is not None:
            raise error


def enter_in_thread(log, error):
    with step_methods.StepScope(visits(log)) as value:
        log.append((value, PLACE.get()))
        if error is not None:
            raise error


@pytest.mark.parametrize("run", [enter_in_thread, lambda log, error: asyncio.run(enter(log, error))])
@pytest.mark.parametrize("error", [None, ZeroDivisionError()])
def test_a_block_stands_where_a_procedure_emits(run, error):
    log = []
    with pytest.raises(ZeroDivisionError) if error is not None else contextlib.nullcontext() as caught:
        run(log, error)
    assert log == ["begun inside", ("value", "inside"), *(["failed"] if error is not None else []), "ended"]
    assert error is None or caught.value is error
    assert PLACE.get() == "outside"


def test_a_stream_with_a_context_of_its_own_sets_nothing_for_its_reader():
    for context, seen in ((contextvars.copy_context(), "outside"), (None, "inside")):
        with contextlib.closing(steps.stream(visits([]), context)) as stream:
            next(stream)
            assert PLACE.get() == seen
        assert PLACE.get() == "outside"

    async def go():
        async with contextlib.aclosing(steps.astream(visits([]), contextvars.copy_context())) as stream:
            await anext(stream)
            assert PLACE.get() == "outside"

    asyncio.run(go())


def test_parts_are_passed_on_each_inside_a_scope_and_their_source_is_closed():
    log = []

    def parts():
        try:
            yield PLACE.get()
            yield PLACE.get()
        finally:
            log.append("closed")

    @contextlib.contextmanager
    def scope():
        token = PLACE.set("inside")
        yield
        PLACE.reset(token)

    assert list(steps.stream(steps.emit_parts(parts(), scope))) == ["inside", "inside"]
    with contextlib.closing(steps.stream(steps.emit_parts(parts()))) as stream:
        assert next(stream) == "outside"
    assert log == ["closed", "closed"]


@pytest.mark.parametrize("shown", [False, True])
def test_the_loop_does_not_read_a_long_text(halo, shown):
    """A user who pastes a document does not hold up the other agents of the loop."""
    text = " ".join(f"Please send order INV-{number} to anna{number}@shop.example." for number in range(200))
    texts = {"request": "", "shown_texts": ((text, Provenance.USER),)} if shown else {"request": text}
    calls = 0

    def count_calls(frame, event, _arg):
        nonlocal calls
        calls += event == "call" and "halo_core/values" in frame.f_code.co_filename

    async def act(call):
        nonlocal calls
        calls = 0
        sys.setprofile(count_calls)  # of this thread
        try:
            (await halo.enforcer.abegin(call)).succeed("x", SURFACE)
        finally:
            sys.setprofile(None)
        return calls

    async def go():
        first = halo.build_call(tool(halo, "lookup"), {"q": "x"})
        await act(first)
        return await act(replace(first, call_id="long", **texts))

    assert asyncio.run(go()) < 50
