"""Alerts about people, sent on: a fingerprint, and a name only where somebody asked for it and it is still there."""

from __future__ import annotations

import json

import pytest
from telling_world import body, frames, parsed, syslog_datagrams, syslog_stream, webhook

from halo_core.alerts.identity_days import KnownAlerts, write_alerts
from halo_core.cli.context import StoreContext
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.facade import HaloBase
from halo_core.identities.day_alerts import HighRiskDay, IdentityFingerprints
from halo_core.identities.event import IdentityEvent, IdentityKind
from halo_core.identities.event_risk import ComparisonBasis, EventFactor, ScoredEvent
from halo_core.model import EntryKind
from halo_core.store.drafts import Draft
from halo_world import attack, cli, db_of, url_of

EVIL = 'eve" forged="1] [x@1 a="b'
WHO, SYSTEM, NETWORK, COUNTRY = "canary-ana@bank.example", "canary-vault", "203.0.113.0/24", "QZ"
CANARIES = (WHO.encode(), SYSTEM.encode(), NETWORK.encode(), b"QZ", b"canary-wipe")
AT = 1_770_001_200_000_000


def person(home, identity):
    """The day's alert of one identity, written."""
    event = IdentityEvent(AT, identity, "canary-wipe", SYSTEM, NETWORK, COUNTRY, kind=IdentityKind.HUMAN)
    factor = EventFactor("country_new", 544, f"from a country hardly or never seen: {COUNTRY}")
    day = HighRiskDay(
        ScoredEvent(event, ComparisonBasis.OWN_HISTORY, 725, 2, (factor,), 725), 3, AT, AT + 60_000_000, 634
    )
    prints = IdentityFingerprints(Digester(KeyStore(home).secret("digest")), "local")
    StoreContext(home, url_of(home)).commit(lambda tx: write_alerts(tx, [day], prints, "sha256:00", KnownAlerts()))
    return prints.fingerprint_of(identity)


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    HaloBase.local("desk", home=home, mode="enforce", quiet=True).close()
    return home


def sent(home, *more):
    """(webhook bodies, syslog datagrams) of one run."""
    count = len(json.loads(cli("alerts", "--json", home=home)[1])["alerts"])
    with webhook() as (url, got), syslog_datagrams() as (udp, read):
        code, _, err = cli("alerts", "send", "--webhook", url, "--syslog", udp, *more, home=home)
        assert code == 0, err
        return [item.data for item in got], read(count)


def test_unasked_nobody_is_named(home):
    print_ = person(home, WHO)
    posted, lines = sent(home)
    for data in (*posted, *lines):
        assert print_.encode() in data
        assert not any(canary in data for canary in CANARIES)
    told = json.loads(posted[0])
    assert told["type"] == "halo.alert.identity"
    data = told["data"]
    assert (data["identity"], data["day"], data["risk"], data["high"]) == (print_, "2026-02-02", 725, 3)
    assert data["event"] is None
    assert data["factors"] == [{"id": "country_new", "points": 544, "words": "from a country hardly or never seen"}]
    head, elements, text = parsed(lines[0])
    assert (head["pri"], elements["halo@32473"]["name"]) == ("108", "-")
    assert text.startswith("risk 725 of 1000, identity blake2b-256:")


def test_asked_for_names_are_sent(home):
    person(home, WHO)
    posted, lines = sent(home, "--names")
    event = json.loads(posted[0])["data"]["event"]
    assert (event["identity"], event["system"], event["network"], event["country"]) == (WHO, SYSTEM, NETWORK, COUNTRY)
    values = parsed(lines[0])[1]["halo@32473"]
    assert (values["name"], values["action"], values["system"]) == (WHO, "canary-wipe", SYSTEM)
    assert f"identity `{WHO}`: canary-wipe on {SYSTEM} on 2026-02-02" in parsed(lines[0])[2]


@pytest.mark.parametrize("how", ["erased", "altered", "lost"])
def test_who_cannot_be_named_any_more_is_told_without_a_name(home, how):
    print_ = person(home, WHO)
    if how == "lost":
        (home / "content.key").unlink()
    else:
        change = {
            "erased": "UPDATE vault SET dek_wrapped=x'', erased_at_us=1 WHERE subject LIKE 'identity:%'",
            "altered": "UPDATE entry SET sealed=CAST(substr(sealed, 2) AS BLOB) WHERE kind='alert'",
        }[how]
        connection = attack(db_of(home))
        assert connection.execute(change).rowcount == 1
        connection.close()
    posted, lines = sent(home, "--names")
    for data in (*posted, *lines):
        assert print_.encode() in data
        assert not any(canary in data for canary in CANARIES)


def test_both_kinds_go_in_the_order_of_the_log(home):
    person(home, WHO)
    StoreContext(home, url_of(home)).commit(lambda tx: tx.append(Draft(EntryKind.ALERT, "s", body())))
    person(home, EVIL)
    with syslog_stream() as (url, got):
        assert cli("alerts", "send", "--syslog", url, "--names", home=home)[0] == 0
        told = [parsed(item)[1]["halo@32473"] for item in frames(got[0])]
    assert [item["kind"] for item in told] == ["identity", "action", "identity"]
    assert [item.get("agent") for item in told] == [None, "desk", None]
    assert told[2]["name"] == EVIL
    with syslog_stream() as (url, _):
        again = cli("alerts", "send", "--syslog", url, home=home)[1]
    assert again.startswith("3 alerts")


def test_a_body_without_its_form_is_refused_as_ever(home):
    StoreContext(home, url_of(home)).commit(lambda tx: tx.append(Draft(EntryKind.ALERT, "", {"kind": "identity"})))
    with webhook() as (url, got):
        code, _, err = cli("alerts", "send", "--webhook", url, home=home)
    assert (code, "bad_alert" in err, got) == (11, True, [])
