"""Alerts of a real score, sent on: what somebody needs to look, and nothing of what was said, given or brought."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading

import pytest
from score_world import act, history, in_force, model_file, opened

from halo_core.alerts.identity_days import KnownAlerts, write_alerts
from halo_core.cli.context import StoreContext
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import Pending
from halo_core.identities.day_alerts import HighRiskDay, IdentityFingerprints
from halo_core.identities.event import IdentityEvent
from halo_core.identities.event_risk import ComparisonBasis, EventFactor, ScoredEvent
from halo_world import cli, url_of, verified

CANARY = "canary-7f3a"


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    history(home)
    in_force(home)
    with (
        opened(home, user=f"{CANARY}@bank.example") as halo,
        halo.session("new", request=f"share {CANARY} with the team"),
    ):
        act(halo, "inbox", f"{CANARY} is the password", q=CANARY)
        with pytest.raises(Pending):
            act(halo, "share", to=f"{CANARY}@elsewhere.example", file=f"/etc/{CANARY}")
    return home


@contextlib.contextmanager
def receivers():
    got: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append(str(self.headers).encode() + self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with (
        http.server.HTTPServer(("127.0.0.1", 0), Handler) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog,
    ):
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(10)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", f"udp://127.0.0.1:{syslog.getsockname()[1]}", got, syslog
        server.shutdown()


def test_nothing_of_a_call_its_user_or_its_result_is_sent(home):
    shown = cli("alerts", "--json", home=home)[1]
    assert CANARY not in shown
    with receivers() as (webhook, udp, got, syslog):
        code, _, err = cli("alerts", "send", "--webhook", webhook, "--syslog", udp, home=home)
        assert code == 0, err
        line = syslog.recv(65_536)
    (posted,) = got
    for sent in (posted, line):
        assert CANARY.encode() not in sent
        assert b"share" in sent
        assert b"desk" in sent
    (alert,) = json.loads(shown)["alerts"]
    assert alert["id"].encode() in line
    assert alert["id"].encode() in posted
    assert verified(home, signatures=True) == 0


def test_an_alert_about_a_person_changes_nothing_of_an_agents(home):
    fit = ("baseline", "fit", "desk", "--model", str(model_file(home.parent)), "--dry-run", "--json")
    before = [cli(*verb, home=home)[1] for verb in (fit, ("risk", "--json"), ("log", "--json"))]
    chart = home.parent / "risk.svg"
    assert cli("risk", "desk", "--svg", str(chart), home=home)[0] == 0
    drawn = chart.read_text()
    event = IdentityEvent(1_770_001_200_000_000, CANARY, "wipe", "vault")
    scored = ScoredEvent(
        event, ComparisonBasis.OWN_HISTORY, 900, 2, (EventFactor("hour_unusual", 400, "at night"),), 900
    )
    day = HighRiskDay(scored, 1, event.ts_us, event.ts_us, 900)
    prints = IdentityFingerprints(Digester(KeyStore(home).secret("digest")), "local")
    StoreContext(home, url_of(home)).commit(lambda tx: write_alerts(tx, [day], prints, "sha256:00", KnownAlerts()))
    index = json.loads(cli("alerts", "--json", home=home)[1])["alerts"][-1]["index"]
    assert cli("judge", str(index), "--attack", home=home)[0] == 0
    assert [cli(*verb, home=home)[1] for verb in (fit, ("risk", "--json"), ("log", "--json"))] == before
    assert cli("risk", "desk", "--svg", str(chart), home=home)[0] == 0
    assert chart.read_text() == drawn
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0
