"""Jobs that wait for a transaction, and what a thread prepares for them."""

from __future__ import annotations

import gc
import sys
import threading

import pytest

from halo_core.store import deferred
from halo_core.store.deferred import DeferredJob, DeferredJobs, Preparation, PreparationThread

WAIT_S = 20.0


class Work:
    """Counts how often it was done, by which threads; waits for `go` if there is one."""

    def __init__(self, go: threading.Event | None = None) -> None:
        self.begun = threading.Event()
        self.threads: list[int] = []
        self._go = go

    def __call__(self) -> str:
        self.threads.append(threading.get_ident())
        self.begun.set()
        assert self._go is None or self._go.wait(WAIT_S)
        return "done"


@pytest.fixture
def thread():
    opened = PreparationThread()
    yield opened
    opened.close()


def wait_until(condition):
    for _ in range(4000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to be")


def test_work_is_done_once_and_by_the_thread(thread):
    work = Work()
    preparation = Preparation(work)
    thread.add(preparation, WAIT_S)
    wait_until(lambda: preparation.is_done)
    assert preparation.finish(WAIT_S)
    assert preparation.result == "done"
    assert len(work.threads) == 1
    assert work.threads[0] != threading.get_ident()


def test_whoever_needs_it_first_does_it(thread):
    go = threading.Event()
    first, second = Work(go), Work()
    thread.add(Preparation(first), WAIT_S)
    assert first.begun.wait(WAIT_S)
    preparation = Preparation(second)
    thread.add(preparation, WAIT_S)  # behind one that takes its time
    assert preparation.finish(WAIT_S)
    go.set()
    assert second.threads == [threading.get_ident()]


def test_whoever_comes_second_waits_within_bounds(thread):
    go = threading.Event()
    work = Work(go)
    preparation = Preparation(work)
    thread.add(preparation, WAIT_S)
    assert work.begun.wait(WAIT_S)
    assert not preparation.finish(0.01)
    assert preparation.result is None
    go.set()
    assert preparation.finish(WAIT_S)
    assert (preparation.result, len(work.threads)) == ("done", 1)


def test_an_error_is_kept_and_the_thread_goes_on(thread):
    failing, next_one = Preparation(lambda: 1 // 0), Preparation(Work())
    thread.add(failing, WAIT_S)
    thread.add(next_one, WAIT_S)
    wait_until(lambda: next_one.is_done)
    assert failing.is_done
    assert isinstance(failing.error, ZeroDivisionError)


def test_interrupted_work_is_left_for_the_next():
    interrupts = [KeyboardInterrupt()]

    def work() -> str:
        if interrupts:
            raise interrupts.pop()
        return "done"

    preparation = Preparation(work)
    with pytest.raises(KeyboardInterrupt):
        preparation.finish(WAIT_S)
    assert not preparation.is_done
    assert preparation.finish(0.0)
    assert preparation.result == "done"


def test_a_caller_does_the_work_itself_where_too_much_waits(thread, monkeypatch):
    monkeypatch.setattr(deferred, "MAX_UNPREPARED", 1)
    go = threading.Event()
    first, queued, own = Work(go), Work(), Work()
    thread.add(Preparation(first), WAIT_S)
    assert first.begun.wait(WAIT_S)
    thread.add(Preparation(queued), WAIT_S)
    thread.add(Preparation(own), WAIT_S)
    assert own.threads == [threading.get_ident()]
    assert queued.threads == []
    go.set()


def test_short_work_is_left_to_whoever_always_comes_before_the_thread(thread):
    go = threading.Event()
    thread.add(Preparation(Work(go), is_long=True), WAIT_S)
    for _ in range(deferred._MAX_LATE):
        hasty = Preparation(Work())
        thread.add(hasty, WAIT_S)
        assert hasty.finish(WAIT_S)
    left = [Work() for _ in range(1 + deferred._LEFT_OUT)]
    for work in left:
        thread.add(Preparation(work), WAIT_S)
    long, later = Work(), Work()
    thread.add(Preparation(long, is_long=True), WAIT_S)
    thread.add(Preparation(later), WAIT_S)  # then the thread gets another chance
    go.set()
    assert later.begun.wait(WAIT_S)
    assert len(long.threads) == 1
    assert not any(work.threads for work in left)


def test_where_no_thread_can_start_the_caller_does_the_work(thread, monkeypatch):
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    work = Work()
    thread.add(Preparation(work), WAIT_S)
    assert work.threads == [threading.get_ident()]


def test_the_thread_ends_with_its_owner():
    owner = PreparationThread()
    owner.add(Preparation(Work()), WAIT_S)
    thread = owner._thread
    del owner
    gc.collect()
    thread.join(WAIT_S)
    assert not thread.is_alive()


def job(session, preparation=None):
    return DeferredJob(lambda tx: None, session, preparation)


def test_a_long_preparation_of_another_session_holds_nobody_up():
    jobs = DeferredJobs()
    reading = Preparation(Work(), is_long=True)
    items = [job("a"), job("b", reading), job("a"), job("b"), job(""), job("", Preparation(Work(), is_long=True))]
    assert all(map(jobs.add, items))
    # INVARIANT: VOUCH - of the session that is decided in, nothing is passed over.
    assert jobs.select(["b"]) == items[:5]
    assert jobs.select(None) == items
    # Of another one, what comes after the unfinished one waits as well: a session's jobs stay in order.
    assert jobs.select(["a"]) == jobs.select(()) == [items[0], items[2], items[4]]
    reading.finish(0.0)
    assert jobs.select(["a"]) == items[:5]


def test_a_short_preparation_is_waited_for_by_all():
    jobs = DeferredJobs()
    items = [job("a", Preparation(Work()))]
    assert all(map(jobs.add, items))
    assert jobs.select(()) == items


def test_what_was_run_is_removed_and_the_rest_keeps_its_order():
    jobs = DeferredJobs()
    items = [job("a"), job("b"), job("c")]
    assert all(map(jobs.add, items))
    jobs.remove([items[1]])
    assert (jobs.select(None), len(jobs)) == ([items[0], items[2]], 2)


def test_too_many_are_dropped(monkeypatch):
    monkeypatch.setattr(deferred, "_MAX_DEFERRED", 1)
    jobs = DeferredJobs()
    assert jobs.add(job("a"))
    assert not jobs.add(job("a"))


def test_an_interrupt_at_any_line_leaves_nobody_waiting():
    """A long text that is read and not marked as read would make the next decision look for it for ever."""

    def interrupt_at(line):
        def trace(frame, event, _):
            if frame.f_code is not Preparation.finish.__code__:
                return None
            if event == "line" and frame.f_lineno == line:
                raise KeyboardInterrupt
            return trace

        return trace

    lines = {line for *_, line in Preparation.finish.__code__.co_lines() if line is not None}
    previous = sys.gettrace()
    for line in sorted(lines):
        preparation = Preparation(Work(), is_long=True)
        sys.settrace(interrupt_at(line))
        try:
            preparation.finish(WAIT_S)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(previous)
        if not preparation._lock.locked():  # else the interrupt came on the very line that gives it back
            assert preparation.finish(0.0)
            assert (preparation.is_done, preparation.result) == (True, "done")
