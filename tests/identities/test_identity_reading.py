"""Files of events: what is read of them, and what is said of those that are wrong."""

from __future__ import annotations

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_world import csv_file, event, history

from halo_core.errors import BadInput
from halo_core.identities.event import (
    FIELDS,
    IdentityEvent,
    IdentityKind,
    Outcome,
    find_network,
    parse_event,
    parse_time,
)
from halo_core.identities.event_file import MAX_LINE, parse_column_mapping, read_events

HEADER = "time,identity,action,outcome\n"
GOOD = "2026-01-05T10:00:00Z,ana,read,success\n"


def csv_of(text, **more):
    return read_events(io.BytesIO(text.encode() if isinstance(text, str) else text), "csv", **more)


def ocsf_of(*events, **more):
    lines = "\n".join(item if isinstance(item, str) else json.dumps(item) for item in events)
    return read_events(io.BytesIO(lines.encode()), "ocsf", **more)


def refused(call, *args, **more):
    with pytest.raises(BadInput) as caught:
        call(*args, **more)
    assert caught.value.remedy
    return caught.value


def test_what_was_written_is_read(tmp_path):
    events = history(3)
    with csv_file(tmp_path / "events.csv", events).open("rb") as stream:
        assert list(read_events(stream, "csv").events) == events


def test_columns_have_other_names_and_other_order():
    text = "who,x,when,what\nana,1,2026-01-05T10:00:00+01:00,read\n"
    found = csv_of(text, mapping=parse_column_mapping(["identity=who", "time=when", "action=what"])).events
    assert found == (IdentityEvent(parse_time("2026-01-05T09:00:00Z"), "ana", "read"),)


def test_quotes_byte_order_marks_and_blank_lines_are_read():
    text = "\ufeff" + HEADER + '\n2026-01-05T10:00:00Z,"ana, of the\tdesk",read,\n'.replace("\t", " ")
    assert csv_of(text).events[0].identity == "ana, of the desk"


@pytest.mark.parametrize(
    ("row", "line", "code"),
    [
        ("2026-01-05T10:00:00,ana,read,ok", "line 3, time", "no_zone"),
        ("yesterday,ana,read,ok", "line 3, time", "bad_time"),
        ("2026-02-31T10:00:00Z,ana,read,ok", "line 3, time", "bad_time"),
        ("9999999999,ana,read,ok", "line 3, time", "bad_time"),
        (",ana,read,ok", "line 3, time", "missing"),
        ("2026-01-05T10:00:00Z,,read,ok", "line 3, identity", "missing"),
        ("2026-01-05T10:00:00Z,ana,,ok", "line 3, action", "missing"),
        ("2026-01-05T10:00:00Z,ana,read,perhaps", "line 3, outcome", "bad_outcome"),
        (f"2026-01-05T10:00:00Z,{'a' * 513},read,ok", "line 3, identity", "bad_text"),
        ("2026-01-05T10:00:00Z,a\u202ena,read,ok", "line 3, identity", "bad_text"),
        ("2026-01-05T10:00:00Z,ana,read", "line 3", "bad_row"),
        ("2026-01-05T10:00:00Z,ana,read,ok,more", "line 3", "bad_row"),
        ('2026-01-05T10:00:00Z,"ana,read,ok', "line 3", "bad_csv"),
        ('2026-01-05T10:00:00Z,"ana"x,read,ok', "line 3", "bad_csv"),
        ("a" * (MAX_LINE + 1), "line 3", "too_long"),
        (b"2026-01-05T10:00:00Z,\xff,read,ok", "line 3", "bad_text"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_read(row, line, code):
    row = row if isinstance(row, bytes) else row.encode()
    error = refused(csv_of, (HEADER + GOOD).encode() + row)
    assert (error.field, error.code) == (line, code)


@pytest.mark.parametrize(
    ("header", "mapping", "field", "code"),
    [
        ("when,identity,action", {}, "time", "no_column"),
        ("time,identity,action", {"system": "sys"}, "system", "no_column"),
        ("time,identity,identity,action", {}, "line 1", "bad_header"),
        ("", {}, "file", "no_events"),
        ("time,identity,action", {}, "file", "no_events"),
    ],
)
def test_a_header_that_does_not_do_is_named(header, mapping, field, code):
    error = refused(csv_of, header + "\n", mapping=mapping)
    assert (error.field, error.code) == (field, code)


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_columns_that_no_comma_separates_are_told(mark):
    assert "with commas" in refused(csv_of, f"time{mark}identity{mark}action\n").remedy
    assert "--map" in refused(csv_of, "when,identity,action\n").remedy


@pytest.mark.parametrize("pair", ["time", "time=", "tenant=x", "=x"])
def test_a_mapping_that_maps_nothing_is_refused(pair):
    assert refused(parse_column_mapping, [pair]).code == "bad_map"
    assert refused(parse_column_mapping, ["time=a", "time=b"]).code == "bad_map"


def test_the_tenant_is_not_the_files_to_choose():
    assert "tenant" not in FIELDS


def test_a_cell_of_many_lines_is_bounded():
    cell = '"' + ("a" * 1_000 + "\n") * 1_000
    assert refused(csv_of, HEADER + "2026-01-05T10:00:00Z," + cell).code == "bad_csv"


def test_there_are_only_so_many_events():
    assert len(csv_of(HEADER + GOOD * 3, most=3).events) == 3
    assert refused(csv_of, HEADER + GOOD * 4, most=3).code == "too_many"


@given(st.permutations([event(0, 9), event(0, 9), event(0, 10), event(0, 10, action="send")]))
def test_the_order_of_rows_does_not_matter(tmp_path_factory, order):
    path = csv_file(tmp_path_factory.mktemp("order") / "events.csv", order)
    with path.open("rb") as stream:
        assert list(read_events(stream, "csv").events) == sorted(order)


@given(st.binary(max_size=300), st.sampled_from(["csv", "ocsf"]))
def test_any_bytes_are_read_or_refused(data, form):
    with contextlib.suppress(BadInput):
        assert read_events(io.BytesIO(data), form).events


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
def test_any_texts_are_an_event_or_refused(said):
    with contextlib.suppress(BadInput):
        assert parse_event(said).ts_us >= 0


@pytest.mark.parametrize(
    ("text", "ts_us"),
    [
        ("2026-01-05T10:00:00Z", 1_767_607_200_000_000),
        ("2026-01-05 11:00:00+01:00", 1_767_607_200_000_000),
        ("2026-01-05T10:00:00.123456789Z", 1_767_607_200_123_456),
        ("2026-01-05T10:00:00,5Z", 1_767_607_200_500_000),
        ("1767607200", 1_767_607_200_000_000),
        ("1767607200123", 1_767_607_200_123_000),
        ("1767607200123456", 1_767_607_200_123_456),
    ],
)
def test_times(text, ts_us):
    assert parse_time(text) == ts_us


@pytest.mark.parametrize(
    ("origin", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("Desk-7.Bank.Example", "desk-7.bank.example"),
        ("-", ""),
        ("", ""),
    ],
)
def test_networks(origin, network):
    assert find_network(origin) == network


AUTHENTICATION = {
    "class_uid": 3002,
    "activity_id": 1,
    "time": 1_767_607_200_123,
    "status_id": 2,
    "user": {"uid": "u-7", "name": "ana", "type_id": 2},
    "actor": {"user": {"name": "the identity provider"}},
    "service": {"name": "vpn"},
    "src_endpoint": {
        "ip": "203.0.113.9",
        "location": {"country": "at"},
        "autonomous_system": {"number": 64496},
    },
}
API = {
    "class_uid": 6003,
    "activity_id": 2,
    "time_dt": "2026-01-05T10:00:00Z",
    "status": "Success",
    "actor": {"user": {"uid": "arn:aws:sts::1:assumed-role/ci/7", "type": "AssumedRole"}},
    "api": {"operation": "GetObject", "service": {"name": "s3.amazonaws.com"}},
    "src_endpoint": {"hostname": "Build-1"},
}
ACCOUNT = {
    "class_uid": 3001,
    "activity_id": 7,
    "time": 1_767_607_200_000,
    "status_id": 1,
    "actor": {"user": {"email_addr": "ana@bank.example", "type_id": 1}},
    "user": {"name": "bob"},
    "metadata": {"product": {"name": "directory"}},
}


def test_an_authentication_is_of_whoever_logs_on():
    (found,) = ocsf_of(AUTHENTICATION).events
    assert found == IdentityEvent(
        1_767_607_200_123_000,
        "u-7",
        "logon",
        "vpn",
        "203.0.113.0/24",
        "AT",
        "64496",
        Outcome.FAILURE,
        IdentityKind.HUMAN,
        "admin",
    )


def test_a_call_is_of_its_actor():
    (found,) = ocsf_of(API).events
    assert (found.identity, found.kind) == ("arn:aws:sts::1:assumed-role/ci/7", IdentityKind.ROLE)
    assert (found.action, found.system, found.network) == ("GetObject", "s3.amazonaws.com", "build-1")
    assert (found.ts_us, found.outcome) == (1_767_607_200_000_000, Outcome.SUCCESS)


def test_a_change_of_an_account_is_of_whoever_made_it():
    (found,) = ocsf_of(ACCOUNT).events
    assert (found.identity, found.action, found.system) == ("ana@bank.example", "account: attach policy", "directory")


def test_an_array_and_lines_read_the_same():
    plain = [AUTHENTICATION, API, ACCOUNT]
    assert ocsf_of(*plain) == ocsf_of(json.dumps(plain, indent=2))


def test_other_classes_are_counted_and_left_out():
    found = ocsf_of({"class_uid": 4001}, API, {"class_uid": 4001}, {"class_uid": 1007})
    assert (len(found.events), found.skipped) == (1, {4001: 2, 1007: 1})
    assert refused(ocsf_of, {"class_uid": 4001}).code == "no_events"


def without(plain, name, **more):
    return {key: value for key, value in plain.items() if key != name} | more


@pytest.mark.parametrize(
    ("plain", "field", "code"),
    [
        ("{", "line 2", "bad_json"),
        ("7", "line 2", "bad_event"),
        ('{"a": 1e999}', "line 2", "bad_json"),
        ({"time": 1}, "line 2, class_uid", "missing"),
        ({"class_uid": "3002"}, "line 2, class_uid", "missing"),
        ({"class_uid": True}, "line 2, class_uid", "missing"),
        (without(without(API, "actor"), "user"), "line 2, actor.user", "missing"),
        (without(API, "actor", actor=[]), "line 2, actor.user", "missing"),
        (without(AUTHENTICATION, "user", actor={}), "line 2, user", "missing"),
        (without(AUTHENTICATION, "time"), "line 2, time", "missing"),
        (without(AUTHENTICATION, "time", time=True), "line 2, time", "missing"),
        (without(AUTHENTICATION, "time", time=-1), "line 2, time", "bad_time"),
        (without(AUTHENTICATION, "time", time=10**18), "line 2, time", "bad_time"),
        (without(AUTHENTICATION, "activity_id"), "line 2, activity_id", "missing"),
        (without(API, "api", activity_id=0), "line 2, api.operation", "missing"),
        ("[" * 5_000, "line 2", "bad_json"),
    ],
)
def test_a_bad_event_is_named_and_nothing_is_read(plain, field, code):
    error = refused(ocsf_of, API, plain)
    assert (error.field, error.code) == (field, code)


def test_a_bad_event_of_an_array_is_named_by_its_place():
    assert refused(ocsf_of, json.dumps([API, {"class_uid": 6003}])).field == "event 2, actor.user"


def test_a_long_array_is_refused(monkeypatch):
    from halo_core.identities import event_file

    monkeypatch.setattr(event_file, "MAX_ARRAY", 2_000)
    assert refused(ocsf_of, "[\n" + json.dumps([API] * 20)[1:]).code == "too_long"
