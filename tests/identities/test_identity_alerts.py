"""Alerts about people: one for each identity and day, whatever is scored how often, and nobody's name in the clear."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from alert_world import (
    ALERT,
    BOB,
    NEXT,
    alerts,
    erase,
    high_days,
    in_the_clear,
    listed,
    prints_of,
    score,
    strange,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from identity_world import ANA, CLERKS, KEY, at, csv_file, event

from counts import count
from halo_core.alerts.identity_days import BATCH, KnownAlerts, write_alerts
from halo_core.cli.context import StoreContext
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.facade import HaloBase
from halo_core.identities import event_factors
from halo_core.identities.day_alerts import (
    CONTENT_FIELD,
    FACTOR_WORDS,
    AlertedEvent,
    DayAlert,
    HighRiskDay,
    IdentityFingerprints,
)
from halo_core.identities.event import IdentityEvent, IdentityKind, Outcome
from halo_core.identities.event_risk import ComparisonBasis, EventFactor, ScoredEvent
from halo_core.ledger import read_subject
from halo_core.store.reader import Reader, SealedContents
from halo_world import attack, cli, db_of, found, url_of, verified
from preloaded_python import find_python

NONE = dict.fromkeys(("erased", "forged", "known", "risen", "written"), 0)


@pytest.fixture
def kept(lived_in_home, home):
    return shutil.copytree(lived_in_home, home)


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Path:
    """A ledger that hypothesis writes to again and again."""
    home = tmp_path_factory.mktemp("shared") / "home"
    HaloBase.local("desk", home=home, quiet=True).close()
    return home


def test_nothing_is_written_unasked(kept, tmp_path):
    path = csv_file(tmp_path / "later.csv", [strange()])
    out = json.loads(cli("identity", "score", str(path), "--json", home=kept)[1])
    assert len(out["events"]) == 1
    assert "alerts" not in out
    assert alerts(kept) == []


def test_a_burst_is_one_alert_of_its_strongest_event(kept):
    burst = [strange(minute=i) for i in range(7)]
    worst = strange(hour=4, system="vault", action="wipe")
    quiet = [event(NEXT), event(NEXT, identity=BOB), event(NEXT + 1, hour=11)]
    assert score(kept, [*burst, worst, *quiet]) == {**NONE, "written": 1}
    (found,) = alerts(kept)
    body = found.entry.body
    assert (body["kind"], body["day"], body["high"]) == ("identity", "2026-02-02", 8)
    assert (body["first_us"], body["last_us"]) == (at(NEXT, 3), at(NEXT, 4))
    assert body["risk"] > body["running"] > 0  # an ordinary event came after
    assert {item["id"] for item in body["factors"]} >= {"system_new"}
    assert body["baseline"].startswith("sha256:")
    assert found.entry.session == ""
    with Reader(url_of(kept)) as reader:
        named = AlertedEvent.from_content(
            SealedContents.with_home_key(reader, KeyStore(kept)).open(found.entry, CONTENT_FIELD)
        )
    assert (named.identity, named.summary, named.ts_us) == (ANA, "wipe on vault", worst.ts_us)
    assert verified(kept, signatures=True) == 0
    assert cli("replay", "--all", home=kept)[0] == 0


def test_what_is_high_is_high_against_the_baseline_that_it_names(kept):
    score(kept, [strange()])
    body = alerts(kept)[0].entry.body
    names = [item.entry.body["hash"] for item in found(kept) if item.entry.kind.value == "baseline"]
    assert body["baseline"] == names[-1]


def test_the_same_file_again_writes_nothing(kept):
    events = [strange(), strange(NEXT + 1), strange(identity=BOB)]
    assert score(kept, events)["written"] == 3
    assert score(kept, events) == {**NONE, "known": 3}
    assert score(kept, [*events, strange(NEXT + 2)]) == {**NONE, "known": 3, "written": 1}
    assert len(alerts(kept)) == 4
    assert verified(kept) == 0


def test_it_is_said_how_many_were_known(kept, tmp_path):
    path = csv_file(tmp_path / "later.csv", [strange(), strange(NEXT + 1)])
    assert "2 alerts written; see `halo alerts`" in cli("identity", "score", str(path), "--alert", home=kept)[1]
    assert "0 alerts written, 2 were already there" in cli("identity", "score", str(path), "--alert", home=kept)[1]


def test_a_day_that_got_worse_has_another_alert(kept, tmp_path):
    both = [strange(), strange(hour=4, system="vault", action="wipe")]
    path = csv_file(tmp_path / "later.csv", both)
    assert score(kept, [strange()])["written"] == 1
    assert "1 of them for days that already had" in cli("identity", "score", str(path), "--alert", home=kept)[2]
    first, second = (DayAlert.from_body(item.entry.body) for item in alerts(kept))
    assert first.identity_day == second.identity_day
    assert first.risk < second.risk
    assert score(kept, [strange()]) == score(kept, both) == {**NONE, "known": 1}
    assert verified(kept) == 0


def test_more_than_a_transaction_holds(kept):
    events = [strange(identity=f"new-{i}@bank.example", system="vault") for i in range(BATCH * 2 + 7)]
    assert score(kept, events)["written"] == BATCH * 2 + 7
    assert score(kept, events)["known"] == BATCH * 2 + 7
    assert verified(kept) == 0


def test_two_processes_at_once_write_each_alert_once(kept, tmp_path):
    many = BATCH * 3
    events = [strange(identity=f"new-{i}@bank.example", system="vault") for i in range(many)]
    path = csv_file(tmp_path / "later.csv", events)
    line = [*("identity", "score", str(path), "--alert", "--json"), "--home", str(kept)]
    run = [*find_python(), "-c", "from halo_core.cli import main; main()", *line]
    both = [subprocess.Popen(run, stdout=subprocess.PIPE) for _ in range(2)]
    told = [json.loads(one.communicate(timeout=120)[0])["alerts"] for one in both]
    assert sum(item["written"] for item in told) == many
    assert sum(item["known"] for item in told) == many
    assert len({DayAlert.from_body(item.entry.body).identity_day for item in alerts(kept)}) == len(alerts(kept)) == many
    assert verified(kept) == 0


_DAY_EVENTS = st.builds(
    lambda day, hour, who, odd: strange(NEXT + day, hour, identity=who) if odd else event(NEXT + day, 11, identity=who),
    st.integers(0, 2),
    st.sampled_from([0, 3, 23]),
    st.sampled_from(CLERKS[:3]),
    st.booleans(),
)


@settings(max_examples=count(25))
@given(files=st.lists(st.lists(_DAY_EVENTS, min_size=1, max_size=6), min_size=1, max_size=5))
@example(files=[[strange()], [strange()]])
@example(files=[[strange(NEXT, 23), strange(NEXT + 1, 0)]])
def test_one_alert_for_an_identity_and_day_whatever_is_scored_in_which_order(shared, files):
    # Fingerprints of their own for each example: the same ledger, other people.
    prints = IdentityFingerprints(Digester(KEY), f"local-{len(alerts(shared))}")
    before = KnownAlerts()
    wanted: set[tuple[str, str]] = set()
    with StoreContext(shared, url_of(shared)).open_committer() as run:
        for i, events in enumerate(files):
            days = high_days(events, KEY)
            wanted |= {(prints.fingerprint_of(day.identity), day.day) for day in days}
            told, read = run(lambda tx, days=days: write_alerts(tx, days, prints, "sha256:00", before))
            assert told.written + told.known == len(days)
            if i % 2:
                before.merge(read)
    people = {prints.fingerprint_of(name) for name in CLERKS}
    written = [DayAlert.from_body(item.entry.body) for item in alerts(shared)]
    assert sorted(item.identity_day for item in written if item.fingerprint in people) == sorted(wanted)


_NAMES = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=40).map(lambda text: f"Kx7q{text}")


@settings(max_examples=count(40))
@given(
    identity=_NAMES,
    action=_NAMES,
    system=_NAMES,
    network=_NAMES,
    role=_NAMES,
    asn=st.integers(10**8, 10**9).map(str),
    country=st.just("QZ"),
    ids=st.lists(st.sampled_from([*sorted(FACTOR_WORDS), "something_later"]), max_size=3),
)
@example(
    identity="Kx7q\u0435ve@bank.example",
    action='Kx7q"\\',
    system="Kx7q'",
    network="Kx7q[bold]",
    role="Kx7q🙂",
    asn="123456789",
    country="QZ",
    ids=["country_new"],
)
def test_no_value_of_an_event_stands_in_the_clear(shared, identity, action, system, network, role, asn, country, ids):
    event_ = IdentityEvent(
        at(0, 3), identity, action, system, network, country, asn, Outcome.SUCCESS, IdentityKind.SERVICE, role
    )
    values = (identity, action, system, network, role, asn, country)
    factors = tuple(EventFactor(id_, 500, f"words with {' '.join(values)}") for id_ in ids)
    day = HighRiskDay(
        ScoredEvent(event_, ComparisonBasis.OWN_HISTORY, 900, 2, factors, 900), 1, event_.ts_us, event_.ts_us, 900
    )
    prints = prints_of(shared)
    told, _ = StoreContext(shared, url_of(shared)).commit(
        lambda tx: write_alerts(tx, [day], prints, "sha256:00", KnownAlerts())
    )
    stored = in_the_clear(shared)
    for spelt in (str, lambda text: json.dumps(text)[1:-1]):
        for value in values[:-1]:
            assert spelt(value).encode() not in stored
    body = day.to_alert(prints, "sha256:00").to_body()
    assert "QZ" not in json.dumps(body)
    assert DayAlert.from_body(body).identity_day == (prints.fingerprint_of(identity), "2026-01-05")
    named = AlertedEvent.from_content(day.to_content())
    assert (named.identity, named.action, named.system, named.network) == (identity, action, system, network)
    assert told.written + told.known == 1


def test_each_factor_has_words_without_a_value():
    source = Path(event_factors.__file__).read_text()
    named = set(re.findall(r'(?:_make_factor\(\s*Dimension\.\w+,\s*|EventFactor\(\s*)"(\w+)"', source))
    assert named == set(FACTOR_WORDS)


def test_whose_data_was_erased_is_not_named_again(kept):
    score(kept, [strange(), strange(identity=BOB)])
    erase(kept)
    rows = {row["identity"]: row for row in listed(kept)}
    assert rows[prints_of(kept).fingerprint_of(ANA)]["event"] is None
    assert rows[prints_of(kept).fingerprint_of(ANA)]["closed"] == "erased"
    assert rows[prints_of(kept).fingerprint_of(BOB)]["event"]["identity"] == BOB
    assert "(erased)" in cli("alerts", home=kept)[1]
    assert ANA not in cli("alerts", home=kept)[1]
    assert score(kept, [strange(), strange(NEXT + 1)]) == {**NONE, "erased": 1, "known": 1, "written": 1}
    assert alerts(kept)[-1].entry.content == ()
    assert ANA.encode() not in in_the_clear(kept)
    assert [row["closed"] for row in listed(kept)] == ["erased", "", "erased"]
    code, out, _ = cli("show", str(alerts(kept)[0].index), "--reveal", home=kept)
    assert code == 0
    assert "erased" in out
    assert ANA not in out
    assert verified(kept, signatures=True) == 0


def test_two_tenants_share_no_fingerprint(home):
    assert prints_of(home, "one").fingerprint_of(ANA) != prints_of(home, "two").fingerprint_of(ANA)
    assert prints_of(home, "one").key_fingerprint != prints_of(home, "two").fingerprint_of("")


# attacks


def forged_alert(home):
    """The alert's day edited in the store."""
    connection = attack(db_of(home))
    edit = "CAST(replace(CAST(body AS TEXT), '2026-02-02', '2026-02-03') AS BLOB)"
    assert connection.execute(f"UPDATE entry SET body={edit} WHERE kind='alert'").rowcount == 1
    connection.close()


def test_an_alert_that_somebody_edited_silences_none(kept, tmp_path):
    score(kept, [strange()])
    forged_alert(kept)
    path = csv_file(tmp_path / "later.csv", [strange(), strange(NEXT + 1)])
    code, out, err = cli("identity", "score", str(path), "--alert", home=kept)
    assert code == 0
    assert "2 alerts written; " in out
    assert "1 of them were already in the store without a valid signature: run `halo verify`" in err
    assert verified(kept) == 11


def test_an_alert_without_its_form_hides_no_other(kept):
    score(kept, [strange(), strange(identity=BOB)])
    connection = attack(db_of(kept))
    edit = "CAST(replace(CAST(body AS TEXT), '\"high\":1', '\"high\":null') AS BLOB)"
    connection.execute(
        f"UPDATE entry SET body={edit} WHERE kind='alert' AND ws=(SELECT min(ws) FROM entry WHERE kind='alert')"
    )
    connection.close()
    code, out, _ = cli("alerts", home=kept)
    assert (code, "(altered: run `halo verify`)" in out, BOB in out) == (0, True, True)
    assert len(listed(kept)) == 2
    assert cli("show", str(alerts(kept)[0].index), home=kept)[0] == 11
    assert score(kept, [strange()])["written"] == 1
    assert verified(kept) == 11


@pytest.mark.parametrize("how", ["shortened", "changed", "another subject", "of another alert"])
def test_a_name_that_somebody_edited_is_not_shown(kept, how):
    score(kept, [strange(), strange(identity=BOB)])
    connection = attack(db_of(kept))
    (mine, other) = (prints_of(kept).fingerprint_of(name) for name in (ANA, BOB))
    sealed = {read_subject(row[0]): row[0] for row in connection.execute("SELECT sealed FROM entry WHERE kind='alert'")}
    good, others = sealed[f"identity:{mine}"], sealed[f"identity:{other}"]
    bad = {
        "shortened": b"\0",
        "changed": good[:-1] + bytes([good[-1] ^ 1]),
        "another subject": good.replace(mine.encode(), other.encode()),
        "of another alert": others,
    }[how]
    connection.execute("UPDATE entry SET sealed=? WHERE sealed=?", (bad, good))
    connection.close()
    rows = {row["identity"]: row for row in listed(kept)}
    assert (rows[mine]["event"], rows[mine]["closed"]) == (None, "altered: run `halo verify`")
    assert rows[other]["event"]["identity"] == BOB
    assert verified(kept) == 11


def test_without_the_content_key_it_is_said(kept):
    score(kept, [strange()])
    (kept / "content.key").unlink()
    assert listed(kept)[0]["closed"] == "the content key is not available"


@pytest.mark.parametrize("name", ["ana\tidentities", "\tidentities", "ana\x1b[31m", "ana\u202e", "a" * 513])
def test_a_name_that_would_act_on_something_is_not_taken(kept, tmp_path, name):
    path = tmp_path / "later.csv"
    path.write_text(f'time,identity,action\n2026-02-02T03:00:00Z,"x{name}",read\n', encoding="utf-8")
    code, _, err = cli("identity", "score", str(path), "--alert", home=kept)
    assert (code, "bad_text" in err) == (64, True)
    assert alerts(kept) == []


def test_a_name_of_markup_and_of_a_subject_is_a_name(kept):
    evil = ["[bold red]x[/]", f"identity:{prints_of(kept).fingerprint_of(ANA)}", "user:ana", '{"kind":"identity"}']
    assert score(kept, [strange(identity=name, system="vault") for name in evil])["written"] == len(evil)
    out = cli("alerts", home=kept)[1]
    assert all(name in out for name in evil if len(name) < 30)  # a longer one is folded
    assert {row["event"]["identity"] for row in listed(kept)} == set(evil)
    assert verified(kept) == 0


def test_a_day_with_odd_text_from_a_program_is_sealed_and_shown_harmless(kept):
    day = high_days([strange()], KEY)[0]
    event_ = replace(day.worst_event.event, identity="a\x1b[2J\tb\u202e", system="\x07")
    odd = replace(day, worst_event=replace(day.worst_event, event=event_))
    StoreContext(kept, url_of(kept)).commit(
        lambda tx: write_alerts(tx, [odd], prints_of(kept), "sha256:00", KnownAlerts())
    )
    out = cli("alerts", home=kept)[1]
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", out)
    assert found(kept, ALERT)
