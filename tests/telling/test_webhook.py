"""Signed webhooks: who sent it can be checked, and it goes nowhere else."""

from __future__ import annotations

import base64
import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import VerifyKey
from telling_world import (
    EVIL,
    OTHER,
    SECRET,
    alert,
    body,
    certificate,
    genuine,
    home_with,
    secret_file,
    webhook,
)

from halo_core.alerts.connections import DeliveryError, make_tls_context
from halo_core.alerts.signatures import make_hmac_signer
from halo_core.alerts.webhook import Webhook, encode_payload
from halo_core.clock import SystemClock
from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_world import SURFACE, Calls, cli, policy_folder, tool


@pytest.fixture
def home(tmp_path):
    return home_with(tmp_path / "home", body(), body(kind="session", risk=None))


@pytest.fixture
def secret(tmp_path):
    return ("--secret-file", str(secret_file(tmp_path)))


def test_the_example_of_the_reference_library():
    # From the tests of standard-webhooks (JavaScript): secret, id, time and payload with their signature.
    sign = make_hmac_signer([base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")])
    signed = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    assert sign(signed) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_is_signed_and_another_secret_does_not_verify(home, secret):
    with webhook() as (url, got):
        code, out, err = cli("alerts", "send", "--webhook", url, *secret, home=home)
        assert code == 0, err
        assert out.startswith("2 alerts accepted by http://127.0.0.1:")
        assert "token" not in out + err
    assert [genuine(item, SECRET) for item in got] == [True, True]
    assert [genuine(item, OTHER) for item in got] == [False, False]
    got[0].data += b" "
    got[1].headers["webhook-timestamp"] = str(int(got[1].headers["webhook-timestamp"]) + 1)
    assert [genuine(item, SECRET) for item in got] == [False, False]
    assert got[0].path == "/hook?token=abc"


def test_what_it_says_is_what_halo_alerts_shows(home, secret):
    with webhook() as (url, got):
        cli("alerts", "send", "--webhook", url, *secret, home=home)
    shown = json.loads(cli("alerts", "--json", home=home)[1])["alerts"]
    for item, listed in zip(got, shown, strict=True):
        told = json.loads(item.data)
        assert item.headers["webhook-id"] == listed["id"]
        assert item.headers["content-type"] == "application/json"
        assert told["type"] == f"halo.alert.{listed['kind']}"
        del listed["judged"], listed["acknowledged_us"]
        assert told["data"] == {**listed, "tenant": "local"}


def test_two_secrets_sign_while_one_is_being_replaced(home, tmp_path):
    path = secret_file(tmp_path, OTHER, SECRET)
    with webhook() as (url, got):
        assert cli("alerts", "send", "--webhook", url, "--secret-file", str(path), home=home)[0] == 0
    assert all(genuine(item, SECRET) and genuine(item, OTHER) for item in got)


def test_without_a_secret_the_homes_own_key_signs(home):
    told = cli("alerts", "key", home=home)[1].strip()
    assert json.loads(cli("alerts", "key", "--json", home=home)[1]) == {"public_key": told}
    key = VerifyKey(base64.b64decode(told.removeprefix("whpk_")))
    with webhook() as (url, got):
        assert cli("alerts", "send", "--webhook", url, home=home)[0] == 0
    for item in got:
        form, _, signature = item.headers["webhook-signature"].partition(",")
        signed = f"{item.headers['webhook-id']}.{item.headers['webhook-timestamp']}.".encode() + item.data
        assert form == "v1a"
        key.verify(signed, base64.b64decode(signature))
    assert "alerts that are sent to webhooks" in cli("keys", "report", home=home)[1]


@given(name=st.text(max_size=50) | st.sampled_from(EVIL))
def test_no_name_leaves_its_string(name):
    data = encode_payload(alert(agent=name, resource=name, session=name, tenant=name))
    assert data.isascii()
    assert b"\n" not in data
    told = json.loads(data)
    assert set(told) == {"data", "timestamp", "type"}
    assert told["data"]["agent"] == told["data"]["resource"] == told["data"]["session"] == name


def test_what_an_entry_holds_beside_is_not_sent_and_names_are_bounded(tmp_path, secret):
    more = body(agent="y" * 5000, resource=EVIL[3], args={"to": "ana@bank.example"}, note="sealed")
    home = home_with(tmp_path / "home", more)
    with webhook() as (url, got):
        assert cli("alerts", "send", "--webhook", url, *secret, home=home)[0] == 0
    assert b"ana@bank" not in got[0].data
    assert b"sealed" not in got[0].data
    assert json.loads(got[0].data)["data"]["agent"] == "y" * 1000 + "…"


def test_a_redirect_is_not_followed(home, secret):
    with webhook() as (elsewhere, reached), webhook(lambda _: (307, {"Location": elsewhere})) as (url, got):
        code, _, err = cli("alerts", "send", "--webhook", url, *secret, "--tries", "1", home=home)
    assert (code, reached, "redirects are not followed" in err) == (1, [], True)
    assert got


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "http://10.0.0.1/", "http://localhost.example/", "ftp://127.0.0.1/", "127.0.0.1",
        "https://u:p@example.com/", "https://example.com/#x", "https://example.com/a b", "https:///x",
        "http://127.0.0.1.nip.io/", "https://example.com/\r\nx: y",
    ],
)  # fmt: skip
def test_no_alert_leaves_this_machine_unencrypted_or_for_what_is_no_address(home, secret, url):
    code, _, err = cli("alerts", "send", "--webhook", url, *secret, home=home)
    assert (code, "not_private" in err or "bad_url" in err) == (64, True), err


def test_over_https_to_who_has_the_certificate_only(home, secret, tmp_path):
    ca, context = certificate(tmp_path / "tls")
    with webhook(context=context) as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret, "--tries", "1")
        code, _, err = cli(*line, home=home)
        assert (code, got, "--ca" in err) == (1, [], True)
        assert cli(*line, "--ca", str(ca), home=home)[0] == 0
        assert len(got) == 2


def sender(url):
    return Webhook.from_url(url, make_hmac_signer([bytes(32)]), make_tls_context(None), SystemClock(), 0.4)


@pytest.mark.parametrize("drip", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_who_answers_without_end_is_left_at_the_deadline(drip):
    ended = threading.Event()

    def serve(server):
        sock, _ = server.accept()
        with sock:
            sock.sendall(drip)
            while not ended.wait(0.05):
                try:
                    sock.sendall(b"x: y\r\n" if drip.endswith(b"OK\r\n") else drip or b"H")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        with pytest.raises(DeliveryError):
            sender(f"http://127.0.0.1:{server.getsockname()[1]}/").send([alert()])
        ended.set()
        thread.join()


def test_an_answer_without_end_is_not_read():
    def endless(sock):
        sock.recv(65_536)
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                sock.sendall(b"x" * 65_536)
        except OSError:
            return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: endless(server.accept()[0]), daemon=True)
        thread.start()
        sender(f"http://127.0.0.1:{server.getsockname()[1]}/").send([alert()])
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_that_others_can_read_is_refused(home, tmp_path, mode):
    path = secret_file(tmp_path)
    path.chmod(mode)
    code, _, err = cli("alerts", "send", "--webhook", "https://a.example/", "--secret-file", str(path), home=home)
    assert (code, "secret_permissions" in err) == (64, True)


@pytest.mark.parametrize(
    "text", ["", "hunter2hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_####", "whsec_" + "A" * 200, "\xff"]
)
def test_what_is_no_secret_is_refused_and_not_shown(home, tmp_path, text):
    path = tmp_path / "bad"
    path.write_text(text)
    path.chmod(0o600)
    code, out, err = cli("alerts", "send", "--webhook", "https://a.example/", "--secret-file", str(path), home=home)
    assert (code, "secret" in err) == (64, True)
    hidden = text.removeprefix("whsec_")
    assert not hidden or hidden not in out + err


def test_an_address_may_be_in_a_private_file(home, secret, tmp_path):
    path = tmp_path / "url"
    with webhook() as (url, got):
        path.write_text(url + "\n")
        path.chmod(0o644)
        assert cli("alerts", "send", "--webhook-file", str(path), *secret, home=home)[0] == 64
        path.chmod(0o600)
        assert cli("alerts", "send", "--webhook-file", str(path), *secret, home=home)[0] == 0
    assert len(got) == 2


def test_questions_are_sent_where_that_is_asked_for(tmp_path, secret):
    home = tmp_path / "asking"
    options = {"home": home, "mode": "enforce", "policy": policy_folder(home), "quiet": True}
    with HaloBase.local("clerk", **options) as halo, halo.session("case 7"):
        for amount in (500, 7_000_111_222_333):  # long: no id and no time holds these digits by chance
            with pytest.raises(Pending) as asked:
                halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": amount, "to": "b"}), Calls(), SURFACE)
    with webhook() as (url, got):
        assert cli("alerts", "send", "--webhook", url, *secret, home=home)[0] == 0
        assert got == []
        code, out, err = cli("alerts", "send", "--webhook", url, *secret, "--questions", home=home)
        assert code == 0, err
        assert out.startswith("2 alerts accepted by")
        assert cli("alerts", "send", "--webhook", url, *secret, "--questions", home=home)[1].startswith("0 alerts")
    sent = [json.loads(item.data) for item in got]
    assert {item["type"] for item in sent} == {"halo.alert.question"}
    assert sent[1]["data"]["id"] == got[1].headers["webhook-id"] == asked.value.pending_id
    assert sent[1]["data"]["answer_with"] == f"halo approvals approve {asked.value.pending_id} --as NAME"
    assert (sent[1]["data"]["resource"], sent[1]["data"]["reasons"]) == ("pay", ["large_amount"])
    for item in got:  # neither what is asked, nor for whom
        assert b"7000111222333" not in item.data
        assert b"case 7" not in item.data


def test_a_webhook_that_hangs_delays_no_decision(tmp_path, secret):
    home = tmp_path / "asking"
    options = {"home": home, "mode": "enforce", "policy": policy_folder(home), "quiet": True}
    with (
        HaloBase.local("clerk", **options) as halo,
        halo.session("s"),
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        resource = tool(halo, "pay")

        def ask(amount):
            halo.enforcer.run(halo.build_call(resource, {"amount": amount, "to": "b"}), Calls(), SURFACE)

        with pytest.raises(Pending):
            ask(500)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(
                cli, "alerts", "send", "--webhook", url, *secret, "--questions", "--tries", "1", home=home
            )
            connection, _ = silent.accept()  # it has been called, and says nothing
            silent.close()  # what else it is sent is refused at once
            with connection:
                for amount in (501, 502):
                    with pytest.raises(Pending):
                        ask(amount)
                ask(5)
                assert not sending.done()
            assert sending.result()[0] == 1
