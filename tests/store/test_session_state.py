"""A session's state as bytes, and the memory that saves parsing them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from halo_core.crypto.keys import Digester
from halo_core.model import Envelope, SessionView
from halo_core.references import References
from halo_core.store.image import MAX_STATES, TenantImage
from halo_core.store.session_state import Account, SessionState

_COUNT = st.integers(min_value=0, max_value=2**53 - 2)
_NAME = st.text(st.characters(codec="utf-8"), max_size=12)
_SPENT = st.lists(st.tuples(_NAME, _COUNT, _COUNT), max_size=3).map(tuple)
_ENVELOPES = st.builds(Envelope, _NAME, _COUNT, _COUNT, _COUNT, _COUNT, _SPENT)
_ACCOUNTS = st.builds(Account, _NAME, _NAME, _NAME, _NAME, _NAME, _ENVELOPES)
_VIEWS = st.builds(
    SessionView, _NAME, _COUNT, _COUNT, _COUNT, _COUNT, st.booleans(), st.lists(_NAME, max_size=3).map(tuple)
)
_STATES = st.builds(
    SessionState,
    view=_VIEWS,
    pending=_COUNT,
    chunks=_COUNT,
    saturated=st.booleans(),
    links=st.lists(_ACCOUNTS, max_size=3).map(tuple),
    sources=st.lists(_NAME, max_size=3).map(tuple),
    risk=_COUNT,
    watched=_NAME,
    refused=_COUNT,
)


def make_image() -> TenantImage:
    return TenantImage(bytes(32), bytes(128), References(Digester(bytes(32))))


@given(_STATES)
def test_a_state_that_was_written_is_remembered_as_it_would_be_read(state: SessionState) -> None:
    data = state.to_bytes()
    image = make_image()
    image.put_session(state)
    remembered, read = image.parse_session(state.view.id, data), SessionState.from_bytes(data)
    assert remembered == read == state == image.states.get(state.view.id)
    assert repr(remembered) == repr(read)
    assert remembered.to_bytes() == read.to_bytes() == data
    assert remembered.make_commitment() == read.make_commitment()


@given(_STATES, _STATES)
def test_a_row_that_somebody_changed_is_read_and_not_remembered(one: SessionState, other: SessionState) -> None:
    other = replace(other, view=replace(other.view, id=one.view.id))
    image = make_image()
    image.put_session(one)
    image.expire()
    assert one.view.id not in image.current_sessions
    assert image.parse_session(one.view.id, other.to_bytes()) == other == image.states.get(one.view.id)
    assert image.parse_session(one.view.id, one.to_bytes()) == one
    assert image.parse_session(one.view.id, None) is None is image.states.get(one.view.id)
    assert one.view.id in image.current_sessions


@given(_STATES, _COUNT)
def test_a_state_after_a_step_has_bytes_of_its_own(state: SessionState, time_us: int) -> None:
    before = state.to_bytes()
    after = state.with_decision(time_us)
    assert SessionState.from_bytes(after.to_bytes()) == after
    assert after.to_bytes() != before == state.to_bytes()
    assert (after.view.version, after.view.steps) == (state.view.version + 1, state.view.steps + 1)
    assert after.view.high_water_us >= state.view.high_water_us
    settled = after.with_update()
    assert (settled.view.version, settled.view.steps) == (after.view.version + 1, after.view.steps)


def test_the_memory_of_states_is_bounded() -> None:
    image = make_image()
    for number in range(3 * MAX_STATES):
        image.put_session(SessionState.create(f"s{number}", 1))
        image.parse_session(f"new{number}", None)
    assert len(image.states) == MAX_STATES
    assert len(image.current_sessions) <= 2 * MAX_STATES
    assert "s0" not in image.current_sessions
