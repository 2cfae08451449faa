"""Which arguments of a call are objects, and which of them have to do with the request."""

from __future__ import annotations

import pytest

from halo_core.enforcement import behaviour_events, session_behaviour
from halo_core.enforcement.behaviour_events import _is_prose
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource
from halo_world import SURFACE, Calls


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("status", "in review"),
        ("status", "closed"),
        ("text", "papers are missing"),
        ("month", "month 0"),
        ("reference", "refund ln-5502"),
        ("name", "loan ln-5502"),
    ],
)
def test_a_few_words_are_no_object(name, text):
    assert _is_prose(text, name, is_target=False)
    assert not _is_prose(text, name, is_target=True)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("application_id", "ln-5502"),
        ("login", "ana"),
        ("customer", "acme"),
        ("name", "ana schmidt"),
        ("q", "ana.keller"),
        ("host", "srv-759"),
    ],
)
def test_what_identifies_something_is_an_object(name, text):
    assert not _is_prose(text, name, is_target=False)


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
def test_an_object_is_related_if_the_request_names_it(run_call, args, unrelated):
    event = run_call(Resource(impact=Impact.WRITE, source_trust=900), args, "Please handle LN-1")
    assert sum(not item.is_related for item in event.objects) == unrelated


@pytest.mark.parametrize(
    ("args", "is_note"),
    [
        ({"title": "Month June 2026", "text": "June: 90 hires, 4 open"}, True),
        ({"path": "planning/month", "text": "travel costs of the month are paid"}, True),
        ({"title": "For Kim", "text": "LN-1 comes for the trailer"}, True),
        ({"id": "LN-1", "text": "paid, nothing is open any more"}, False),
        ({"level": "low"}, False),
        ({"terms": "30 days net"}, False),
    ],
)
def test_a_note_has_a_text_and_no_argument_that_names_a_record(run_call, args, is_note):
    assert run_call(Resource(impact=Impact.WRITE, source_trust=900), args, "LN-1: note it").is_note is is_note


@pytest.mark.parametrize("more", [{"impact": Impact.READ}, {"impact": Impact.WRITE, "labels": ("pii",)}])
def test_what_is_labelled_or_no_write_is_no_note(run_call, more):
    args = {"title": "Month June 2026", "text": "June: 90 hires, 4 open"}
    assert not run_call(Resource(**more, source_trust=900), args, "Note it").is_note


@pytest.mark.parametrize(
    ("path", "is_page"),
    [
        ("planning/month", True),
        ("planning/2026-06", True),
        ("month-end/2026/06.txt", True),
        ("customers/C1145", False),
        ("cases/4711", False),
        ("patients/513939/2026", False),
        ("accounts/room-12", False),
    ],
)
def test_a_page_has_no_number_but_that_of_a_date(run_call, path, is_page):
    event = run_call(Resource(impact=Impact.WRITE, source_trust=900), {"path": path}, "Note it")
    assert [item.is_page for item in event.objects] == [is_page]


@pytest.mark.parametrize(
    ("key", "unrelated"),
    [("20-early", 0), ("20-late", 1), ("21-early", 1), ("20-21", 1), ("week-20-harbour", 0), ("8a", 0), ("8b", 1)],
)
def test_a_key_put_together_of_words_of_the_request_is_related(run_call, key, unrelated):
    request = "Swap an early shift on harbour in week 20, of class 8a"
    event = run_call(Resource(impact=Impact.WRITE, source_trust=900), {"slot_id": key}, request)
    assert sum(not item.is_related for item in event.objects) == unrelated


@pytest.mark.parametrize(
    ("args", "objects"),
    [
        ({"query": {"mrn": 471122}}, 1),
        ({"query": {"customer_ids": [17, 18]}}, 2),
        ({"booking": {"patient": {"mrn": 471122}, "slot_of_week": 14}}, 1),
        ({"q": 471122}, 1),  # a long whole number is one wherever it stands
        ({"limit": 471122}, 0),
        ({"address": {"zip": 80331, "city": "Berlin"}}, 0),
        ({"page": {"first_name": 7, "ticket_no": 12}}, 1),  # names of fields are none
        ({"accounts": {"LN-4711": True}}, 1),  # but identifiers in their place are
    ],
)
def test_identifiers_are_found_in_nested_arguments_and_among_numbers(run_call, args, objects):
    event = run_call(Resource(impact=Impact.READ, source_trust=900), args, "Please handle LN-1")
    assert len(event.objects) == objects


@pytest.mark.parametrize(
    ("labels", "args", "objects"),
    [
        (("pii",), {"q": "falcon"}, 1),
        (("pii",), {"q": "falcon", "format": "csv"}, 1),
        (("pii",), {"q": "falcon", "id": "LN-4711"}, 1),  # the identifier says whose data it is
        ((), {"q": "falcon"}, 0),
    ],
)
def test_a_word_is_an_object_where_nothing_else_says_whose_labelled_data_is_read(run_call, labels, args, objects):
    event = run_call(Resource(impact=Impact.READ, source_trust=900, labels=labels), args, "Please handle LN-1")
    assert len(event.objects) == objects


def test_an_amount_is_no_record_number(run_call):
    resource = Resource(impact=Impact.PAYMENT, source_trust=900, amount="sum_due")
    assert not run_call(resource, {"sum_due": 471122}, "Please handle LN-1").objects


@pytest.mark.parametrize(
    ("declared", "amount"),
    [
        ({"impact": Impact.WRITE}, None),
        ({"impact": Impact.READ}, None),
        ({"impact": Impact.WRITE, "amount": "value", "unit": "EUR"}, 4411_0000),
        ({"impact": Impact.PAYMENT, "targets": ("to",), "amount": "value"}, 4411_0000),
        ({"impact": Impact.SEND, "targets": ("to",), "amount": "value"}, 4411_0000),
    ],
)
def test_a_number_that_is_written_down_is_no_money(run_call, declared, amount):
    event = run_call(Resource(source_trust=900, **declared), {"to": "ana", "value": 4411}, "Save 4411 of the meter")
    assert event.amount == amount


@pytest.fixture
def run_call(home, monkeypatch):
    """Run one call of a tool and give the event that was made of it."""
    events = []

    def build(*given):
        events.append(behaviour_events.build_event(*given))
        return events[-1]

    def run(resource, args, request):
        with HaloBase.local("clerk", home=home, mode="observe", quiet=True) as halo:
            tool = halo.register(ActionKind.TOOL_CALL, "note", resource=resource, schema={"type": "object"})
            with halo.session("s", user="ana@corp.example", request=request):
                halo.enforcer.run(halo.build_call(tool, args), Calls("done"), SURFACE)
        (event,) = events
        return event

    monkeypatch.setattr(session_behaviour, "build_event", build)
    return run
