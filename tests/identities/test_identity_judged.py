"""What becomes of an alert about a person: listed, shown, sent on, judged, and heeded by the next import."""

from __future__ import annotations

import json
import shutil
import sqlite3

import pytest
from alert_world import (
    ALERT,
    BOB,
    FEEDBACK,
    NEXT,
    alerts,
    erase,
    in_the_clear,
    judge,
    listed,
    prints_of,
    score,
    strange,
)
from identity_world import ANA, csv_file, event, history

from halo_core.cli.context import StoreContext
from halo_core.facade import HaloBase
from halo_core.identities.baseline import IDENTITIES
from halo_core.model import EntryKind
from halo_core.store.drafts import Draft
from halo_world import bodies, cli, db_of, found, url_of, verified


@pytest.fixture(scope="session")
def alerted_home(lived_in_home, tmp_path_factory):
    home = shutil.copytree(lived_in_home, tmp_path_factory.mktemp("alerted") / "home")
    told = score(home, [strange(), strange(NEXT + 1), strange(identity=BOB)])
    assert told["written"] == 3
    return home


@pytest.fixture
def kept(alerted_home, home):
    """A home with alerts about Ana on two days and about Bob on one."""
    return shutil.copytree(alerted_home, home)


def index_of(home, identity=ANA, day="2026-02-02"):
    wanted = prints_of(home).fingerprint_of(identity), day
    return next(row["index"] for row in listed(home) if (row["identity"], row["day"]) == wanted)


def imported(home, events, *more):
    path = csv_file(home.parent / "more.csv", sorted(events))
    code, out, err = cli("identity", "import", str(path), *more, "--json", home=home)
    assert code == 0, (out, err)
    return json.loads(out)


def test_it_is_listed_and_shown_with_a_name(kept):
    out = cli("alerts", home=kept)[1]
    assert out.count(ANA) == 2
    assert "read on crm" in out
    assert "day 2026-02-02" in out
    assert "from a country hardly or never seen: BR" in out
    row = listed(kept)[0]
    assert (row["kind"], row["session"], row["judged"]) == ("identity", "", None)
    shown = cli("show", str(index_of(kept)), home=kept)[1]
    assert "from a country hardly or never seen (" in shown
    assert ANA not in shown
    assert ANA in cli("show", str(index_of(kept)), "--reveal", home=kept)[1]
    (plain,) = json.loads(cli("show", str(index_of(kept)), "--json", home=kept)[1])
    assert ANA not in json.dumps(plain["entry"])


def test_it_is_judged_counted_and_no_longer_open(kept):
    assert len(listed(kept, "--open")) == 3
    judge(kept, index_of(kept), "attack")
    assert "attack" in cli("alerts", home=kept)[1]
    assert len(listed(kept, "--open")) == 2
    judge(kept, index_of(kept, BOB), "ordinary")
    told = json.loads(cli("alerts", "--json", home=kept)[1])["errors"]
    assert told == {
        f"identity:{prints_of(kept).fingerprint_of(ANA)}": {"attack": 1, "ordinary": 0},
        f"identity:{prints_of(kept).fingerprint_of(BOB)}": {"attack": 0, "ordinary": 1},
    }
    assert [item["session"] for item in bodies(kept, FEEDBACK)] == ["", ""]
    assert verified(kept, signatures=True) == 0


LATER = [
    *(event(NEXT, 9 + i) for i in range(3)),  # Ana's own, on the day of the attack
    strange(),
    event(NEXT + 1),
    event(NEXT, identity=BOB),
]


def test_days_of_an_attack_are_left_out_and_ordinary_ones_count(kept):
    past = len(history())
    assert imported(kept, LATER, "--add", "--dry-run")["left_out"] == 0
    judge(kept, index_of(kept), "attack")
    judge(kept, index_of(kept, BOB), "ordinary")
    dry = imported(kept, LATER, "--add", "--dry-run")
    assert (dry["left_out"], dry["events"]) == (4, past + 2)
    told = imported(kept, [*history(), *LATER])
    assert (told["left_out"], told["events"]) == (4, past + 2)
    assert bodies(kept, EntryKind.BASELINE)[-1]["left_out"] == 4
    out = cli("identity", "import", str(kept.parent / "more.csv"), home=kept)[1]
    assert "left out       4 events of days that were judged an attack" in out
    assert verified(kept) == 0


def test_the_last_judgement_wins(kept):
    for verdict, left_out in (("attack", 4), ("ordinary", 0), ("attack", 4)):
        judge(kept, index_of(kept), verdict)
        assert imported(kept, LATER, "--add", "--dry-run")["left_out"] == left_out


def test_what_was_erased_is_left_out_all_the_same(kept):
    judge(kept, index_of(kept), "attack")
    erase(kept)
    assert imported(kept, LATER, "--add", "--dry-run")["left_out"] == 4


def test_an_attack_alone_makes_no_baseline(kept):
    judge(kept, index_of(kept), "attack")
    path = csv_file(kept.parent / "attack.csv", [strange(), strange(hour=4)])
    for more in ((), ("--add",)):
        code, _, err = cli("identity", "import", str(path), *more, home=kept)
        assert (code, "nothing_left" in err) == (64, True)
    assert len(bodies(kept, EntryKind.BASELINE)) == 1


def test_with_another_key_nothing_is_taken_for_ordinary(kept):
    path = csv_file(kept.parent / "all.csv", [*history(), *LATER])
    judge(kept, index_of(kept), "attack")
    at_hand = index_of(kept)
    (kept / "digest.key").unlink()
    code, _, err = cli("identity", "import", str(path), home=kept)
    assert (code, "other_key" in err) == (64, True)
    judge(kept, at_hand, "ordinary")
    assert cli("identity", "import", str(path), home=kept)[0] == 0


def test_a_verdict_on_another_tenants_alert_says_nothing_here(kept):
    HaloBase.local("desk", home=kept, quiet=True, tenant="other").close()
    mine = next(item.entry.id for item in found(kept, ALERT))
    code, _, err = cli("judge", mine, "--attack", "--tenant", "other", home=kept)
    assert (code, "no_such_entry" in err) == (64, True)
    body = {"alert": mine, "attack": True, "actor": "eve", "session": "", "why": ""}
    StoreContext(kept, url_of(kept), "other").commit(lambda tx: tx.append(Draft(FEEDBACK, "", body)))
    for tenant in ("local", "other"):
        path = csv_file(kept.parent / "all.csv", [*history(), *LATER])
        code, out, _ = cli("identity", "import", str(path), "--tenant", tenant, "--json", home=kept)
        assert (code, json.loads(out)["left_out"]) == (0, 0)
    assert verified(kept) == 0


def test_a_verdict_without_its_form_says_nothing(kept):
    for body in ({"alert": 7, "attack": True}, {"attack": True}, {"alert": found(kept, ALERT)[0].entry.id}):
        StoreContext(kept, url_of(kept)).commit(lambda tx, body=body: tx.append(Draft(FEEDBACK, "", body)))
    assert imported(kept, LATER, "--add", "--dry-run")["left_out"] == 0


def test_alerts_of_agents_are_not_heeded_here(kept):
    body = {"agent": "desk", "kind": "action", "factors": [], "resource": "share", "risk": 900, "session_risk": 900}
    StoreContext(kept, url_of(kept)).commit(lambda tx: tx.append(Draft(ALERT, "s", body)))
    judge(kept, alerts(kept)[-1].index, "attack")
    assert imported(kept, LATER, "--add", "--dry-run")["left_out"] == 0


def test_why_and_who_judged_is_all_that_a_verdict_adds(kept):
    before = in_the_clear(kept)
    judge(kept, index_of(kept), "attack")
    assert ANA.encode() not in before + in_the_clear(kept)
    with sqlite3.connect(db_of(kept)) as connection:
        assert connection.execute("SELECT count(*) FROM baseline WHERE agent=?", (IDENTITIES,)).fetchone() == (1,)


def test_a_verdict_that_comes_after_the_import_says_so(kept):
    index = str(index_of(kept))
    assert "already" not in cli("judge", index, "--attack", home=kept)[2]
    assert cli("judge", index, "--ordinary", home=kept)[0] == 0
    imported(kept, [strange()], "--add")
    code, _, err = cli("judge", index, "--attack", home=kept)
    assert (code, "import all files again, without `--add`" in " ".join(err.split())) == (0, True)


def test_another_spelling_of_a_name_does_not_evade_a_verdict(kept):
    assert cli("judge", str(index_of(kept)), "--attack", home=kept)[0] == 0
    told = imported(kept, [strange(identity=ANA.upper()), *history()])
    assert told["left_out"] == 1


ODD = (
    {},
    {"agent": "a"},
    {"agent": 5, "decision": {}, "factors": [{}], "kind": "action", "resource": "x", "risk": 1, "session_risk": 1},
    {"kind": ["identity"]},
    {"kind": "identity"},
    {"first_us": "x", "kind": "identity"},
)


@pytest.mark.share(2)
@pytest.mark.parametrize("body", ODD)
def test_an_odd_alert_hides_none_of_the_others(kept, body):
    StoreContext(kept, url_of(kept)).commit(lambda tx: tx.append(Draft(EntryKind.ALERT, "", body)))
    StoreContext(kept, url_of(kept)).commit(lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", {"alert": {}})))
    index = str(found(kept, EntryKind.ALERT)[-1].index)
    out = cli("alerts", home=kept)[1]
    assert (out.count(ANA), "run `halo verify`" in " ".join(out.split())) == (2, True)
    for verb in (("alerts", "--json"), ("judge", index, "--attack"), ("risk",)):
        code, _, err = cli(*verb, home=kept)
        assert code == 0, (verb, err)
    assert cli("show", index, home=kept)[0] == (11 if body.get("kind") == "identity" else 0)
    if body.get("kind") != "identity":
        assert imported(kept, history())["left_out"] == 0
