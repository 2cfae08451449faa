"""RFC 5424 messages: whatever a name holds, it ends where it ends."""

from __future__ import annotations

import re
import socket
import threading

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from telling_world import (
    EVIL,
    alert,
    body,
    certificate,
    frames,
    free_port,
    home_with,
    more,
    parsed,
    syslog_datagrams,
    syslog_stream,
)

from halo_core.alerts.connections import DeliveryError, make_tls_context
from halo_core.alerts.syslog import Syslog, format_message
from halo_core.risk.model import Factor
from halo_world import cli

NAMES = st.text(max_size=300) | st.text(alphabet='"\\]=[ \n\r\t\0\u202e\u2028<>1', max_size=40) | st.sampled_from(EVIL)
VALUES = ["id", "index", "tenant", "kind", "agent", "resource", "session", "risk", "session_risk", "factors", "leaf"]


def shown(text: str) -> str:
    """What is left of a name: unprintable characters by their numbers, cut after 255."""
    numbered = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return numbered[:255]


@given(
    agent=NAMES,
    resource=NAMES,
    session=NAMES,
    tenant=NAMES,
    kind=NAMES,
    words=NAMES,
    risk=st.none() | st.integers(0, 1000),
)
@example(agent=EVIL[0], resource=EVIL[1], session=EVIL[2], tenant=EVIL[3], kind=EVIL[4], words=EVIL[5], risk=None)
@example(agent="y" * 254 + '"]', resource="", session="", tenant="", kind="", words="", risk=None)
@example(agent=EVIL[6], resource=EVIL[7], session=EVIL[8], tenant=EVIL[9], kind=EVIL[10], words=EVIL[11], risk=0)
def test_no_name_forges_a_line_an_element_or_a_value(agent, resource, session, tenant, kind, words, risk):
    told = alert(
        agent=agent,
        resource=resource,
        session=session,
        tenant=tenant,
        kind=kind,
        risk=risk,
        factors=(Factor("naming_new", 1, 1, words),),
    )
    data = format_message(told, "host")
    head, elements, text = parsed(data)
    assert (head["version"], head["app"], head["msgid"], head["host"]) == ("1", "halo", "ALERT", "host")
    assert list(elements) == ["halo@32473"]
    values = elements["halo@32473"]
    assert list(values) == VALUES
    for name, given_ in {
        "agent": agent,
        "resource": resource,
        "session": session,
        "tenant": tenant,
        "kind": kind,
    }.items():
        assert values[name] == shown(given_)
    assert not re.search(rb"[\x00-\x1f\x7f]", data)
    assert text.isascii()
    assert len(data) <= 8192


@given(host=st.text(max_size=20))
@example(host="a b")
@example(host="h\n")
@example(host="x" * 256)
def test_a_host_that_is_no_name_is_left_out(host):
    head, _, _ = parsed(format_message(alert(), host))
    assert head["host"] == (host if re.fullmatch(r"[!-~]{1,255}", host) else "-")


@pytest.mark.parametrize(
    ("kind", "priority"), [("action", "108"), ("session", "108"), ("drift", "109"), ("new", "109")]
)
def test_facility_and_severity(kind, priority):
    assert parsed(format_message(alert(kind=kind), "h"))[0]["pri"] == priority


@pytest.fixture
def home(tmp_path):
    return home_with(tmp_path / "home", body(agent=EVIL[2]), body(kind="session", resource=EVIL[1]), body(kind="drift"))


def agents(data: bytes) -> list[str]:
    return [parsed(item)[1]["halo@32473"]["agent"] for item in frames(data)]


def test_over_tcp_each_has_its_length_in_front_and_once_is_enough(home):
    with syslog_stream() as (url, got):
        code, out, err = cli("alerts", "send", "--syslog", url, home=home)
        assert (code, out.strip()) == (0, f"3 alerts accepted by {url}"), err
        assert agents(got[0]) == [shown(EVIL[2]), "desk", "desk"]
        assert cli("alerts", "send", "--syslog", url, home=home)[1].startswith("0 alerts")
        more(home, body(agent="new"))
        assert cli("alerts", "send", "--syslog", url, home=home)[0] == 0
        assert agents(got[1]) == ["new"]
    assert len(got) == 2


def test_many_go_in_several_connections(tmp_path):
    home = home_with(tmp_path / "home", *(body(agent=f"a{i}") for i in range(250)))
    with syslog_stream() as (url, got):
        assert cli("alerts", "send", "--syslog", url, home=home)[0] == 0
    assert [len(frames(data)) for data in got] == [100, 100, 50]
    assert [name for data in got for name in agents(data)] == [f"a{i}" for i in range(250)]


def test_over_tls_it_is_taken_by_who_has_the_certificate(home, tmp_path):
    ca, context = certificate(tmp_path / "tls")
    with syslog_stream(context) as (url, got):
        code, out, err = cli("alerts", "send", "--syslog", url, "--ca", str(ca), home=home)
        assert (code, "3 alerts accepted" in out) == (0, True), err
    assert len(frames(got[0])) == 3


@pytest.mark.parametrize("name", ["untrusted", "elsewhere"])
def test_over_tls_nobody_else_gets_it(home, tmp_path, name):
    mine, _ = certificate(tmp_path / "mine")
    other, context = certificate(tmp_path / "other", "elsewhere.example" if name == "elsewhere" else "localhost")
    ca = other if name == "elsewhere" else mine
    with syslog_stream(context) as (url, got):
        code, _, err = cli("alerts", "send", "--syslog", url, "--ca", str(ca), "--tries", "1", home=home)
    assert (code, got) == (1, [])
    assert "--ca" in err


def test_over_tls_an_end_without_goodbye_is_not_a_yes(home, tmp_path):
    ca, context = certificate(tmp_path / "tls")

    def read_and_cut(sock):
        read = b""
        while not read.endswith(b"names nobody has named"):
            chunk = sock.recv(1000)
            assert chunk, "the message ended otherwise"
            read += chunk
        socket.socket.shutdown(sock, socket.SHUT_RDWR)

    with syslog_stream(context, read_and_cut) as (url, _):
        line = ("alerts", "send", "--syslog", url, "--ca", str(ca), "--tries", "1")
        assert cli(*line, home=home)[0] == 1
    assert not list((home / "alerts").glob("*.json"))


def test_a_reset_is_not_a_yes(home):
    def leave_unread(sock):
        sock.recv(10)

    with syslog_stream(last=leave_unread) as (url, _):
        code, _, err = cli("alerts", "send", "--syslog", url, "--tries", "1", home=home)
    assert (code, "receiver_down" in err) == (1, True)
    assert not list((home / "alerts").glob("*.json"))


def test_who_never_closes_is_left_at_the_deadline_and_that_is_not_a_yes():
    hold = threading.Event()

    def keep(sock):
        while sock.recv(1000):
            pass
        hold.wait(30)

    with syslog_stream(last=keep) as (url, _):
        receiver = Syslog.from_url(url, make_tls_context(None), 0.3)
        with pytest.raises(DeliveryError):
            receiver.send([alert()])
        hold.set()


def test_who_talks_without_end_is_left():
    def talk(sock):
        while True:
            sock.sendall(b"x" * 10_000)

    with syslog_stream(last=talk) as (url, _), pytest.raises(DeliveryError, match="answer is too long"):
        Syslog.from_url(url, make_tls_context(None), 5).send([alert()])


def test_over_udp_each_is_a_datagram_and_nobody_says_yes(home):
    with syslog_datagrams() as (url, read):
        code, out, _ = cli("alerts", "send", "--syslog", url, home=home)
        assert (code, "without confirmation" in out) == (0, True)
        assert [parsed(item)[1]["halo@32473"]["kind"] for item in read(3)] == ["action", "session", "drift"]


def test_over_udp_a_host_that_says_nobody_listens_is_heard(home):
    code, _, err = cli("alerts", "send", "--syslog", f"udp://127.0.0.1:{free_port()}", "--tries", "1", home=home)
    assert (code, "receiver_down" in err) == (1, True)


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "url",
    [
        "", "host", "http://host", "tcp://host", "tcp://", "tls://u:p@host", "udp://host:0x", "udp://host:99999",
        "tls://[::1", "tls://ho st", "tls://hö.example", "tls://host#x", "tls://host/x", "tls://host?x=1",
        "tls://host\n:1", "x" * 3000,
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(home, url):
    code, _, err = cli("alerts", "send", "--syslog", url, home=home)
    assert (code, bool(re.search("bad_url|no_receiver", err))) == (64, True), err
