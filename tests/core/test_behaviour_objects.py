"""Which arguments of a call are objects, and which of them have to do with the request."""

from __future__ import annotations

import pytest

from halo_core.enforcement import behaviour_events, session_behaviour
from halo_core.enforcement.behaviour_events import _is_prose
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource
from halo_world import SURFACE, Calls
from profile_world import text_schema


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/status", "in review"),
        ("/status", "closed"),
        ("/text", "papers are missing"),
        ("/month", "month 0"),
        ("/reference", "refund ln-5502"),
        ("/name", "loan ln-5502"),
    ],
)
def test_a_few_words_are_no_object(pointer, text):
    assert _is_prose(text, pointer, is_target=False)
    assert not _is_prose(text, pointer, is_target=True)


@pytest.mark.parametrize(
    ("pointer", "text"),
    [
        ("/application_id", "ln-5502"),
        ("/login", "ana"),
        ("/customer", "acme"),
        ("/name", "ana schmidt"),
        ("/q", "ana.keller"),
        ("/host", "srv-759"),
    ],
)
def test_what_identifies_something_is_an_object(pointer, text):
    assert not _is_prose(text, pointer, is_target=False)


@pytest.mark.parametrize(
    ("args", "unrelated"),
    [
        ({"id": "LN-1", "text": "papers are missing"}, 0),
        ({"id": "LN-1", "text": "joint with LN-1."}, 0),
        ({"id": "LN-1", "text": "joint with LN-4711."}, 1),
        ({"id": "LN-4711", "text": "done"}, 1),
        ({"id": "LN-1", "path": "/desk/LN-1.txt"}, 0),
        ({"id": "LN-1", "path": "/desk/LN-4711.txt"}, 1),
    ],
)
def test_an_object_is_related_if_the_request_names_it(home, monkeypatch, args, unrelated):
    events = []

    def build(*given):
        events.append(behaviour_events.build_event(*given))
        return events[-1]

    monkeypatch.setattr(session_behaviour, "build_event", build)
    with HaloBase.local("clerk", home=home, mode="observe", quiet=True) as halo:
        resource = Resource(impact=Impact.WRITE, source_trust=900)
        note = halo.register(ActionKind.TOOL_CALL, "note", resource=resource, schema=text_schema("id", "text", "path"))
        with halo.session("s", user="ana@corp.example", request="Please handle LN-1"):
            halo.enforcer.run(halo.build_call(note, args), Calls("done"), SURFACE)
    (event,) = events
    assert sum(not item.is_related for item in event.objects) == unrelated
