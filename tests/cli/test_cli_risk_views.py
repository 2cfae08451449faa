"""`halo risk`: who, why, since when, and what was done, of agents over their sessions and of people."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import Impact
from halo_world import SURFACE, Calls, attack, cli, db_of, tool

ANA, BOB = "ana@bank.example", "bob@bank.example"
ORDINARY = 70


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A desk with ordinary sessions, and one in which it reads what nobody asked for."""
    home = tmp_path_factory.mktemp("desk") / "home"
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
        look = tool(halo, "lookup", impact=Impact.READ)
        for number in range(ORDINARY + 1):
            is_rogue = number == ORDINARY - 1
            user = (ANA, BOB)[number % 2]
            with halo.session(f"ticket-{number}", user=user, request=f"look up customer-{number}"):
                for place in range(60 if is_rogue else 2):
                    query = f"customer-{number}" if not is_rogue else f"customer-9{place:03}"
                    with contextlib.suppress(Denied, Pending):
                        halo.enforcer.run(halo.build_call(look, {"q": query}), Calls(), SURFACE)
    return home


@pytest.fixture
def home(desk, tmp_path):
    shutil.copytree(desk, tmp_path / "home")
    return tmp_path / "home"


def risk(home, *more):
    code, out, err = cli("risk", *more, home=home)
    assert code == 0, (out, err)
    return out


def plain(home, *more):
    return json.loads(risk(home, *more, "--json"))


def test_an_agent_is_shown_with_what_it_carries_and_why(home):
    (row,) = plain(home)["behaviour"]
    assert row["agent"] == "clerk"
    assert row["sessions"] == ORDINARY + 1
    alarmed = [point for point in row["timeline"] if point["alarms"]]
    assert [point["session"] for point in alarmed] == [f"ticket-{ORDINARY - 1}"]
    assert alarmed[0]["share"] >= 1000
    assert row["risk"] > 0
    assert row["since_us"] == alarmed[0]["ts_us"]
    assert row["why"]
    assert row["carried"] == {BOB: row["carried"][BOB]}  # for whom it acted, and for nobody else
    text = risk(home, "clerk")
    assert f"{row['risk']} of 1000" in text
    assert BOB in text
    assert row["why"][0][:30] in " ".join(text.split())
    for part in ("behaviour", "entitlement", "context", "scope"):
        assert part in text


def test_limits_stand_beside_what_was_used(home):
    (row,) = plain(home, "clerk")["behaviour"]
    limits = {item["id"]: item for item in row["limits"]}
    assert limits["actions"]["last"] == 2
    assert 2 <= limits["actions"]["limit"] < 60
    assert "is usual" in risk(home, "clerk")


def test_what_was_done_is_shown_with_who_did_it(home):
    assert cli("stop", "--agent", "clerk", "--why", "reads too much", "--by", "mia", home=home)[0] == 0
    assert cli("lift", "--agent", "clerk", "--why", "talked to ana", "--by", "mia", home=home)[0] == 0
    done = plain(home, "clerk")["behaviour"][0]["done"]
    assert [(item["what"], item["by"]) for item in done] == [
        ("stopped: reads too much", "mia"),
        ("the stop was lifted: talked to ana", "mia"),
    ]
    assert "by mia" in risk(home, "clerk")


def test_a_verdict_changes_what_is_shown(home):
    code, out, _ = cli("alerts", "--json", home=home)
    (alert, *_) = [item for item in json.loads(out)["alerts"] if item["kind"] in ("volume", "behaviour", "drift")]
    assert cli("judge", str(alert["index"]), "--ordinary", home=home)[0] == code == 0
    (row,) = plain(home, "clerk")["behaviour"]
    assert row["risk"] == 0
    assert row["timeline"][-2]["verdict"] == "cleared"
    assert "judged ordinary" in risk(home, "clerk")


@pytest.mark.parametrize("kind", ["timeline", "drift", "parts"])
def test_the_charts_are_written(home, tmp_path, kind):
    path = tmp_path / "chart.svg"
    risk(home, "clerk", "--svg", str(path), "--chart", kind)
    assert "clerk" in path.read_text()
    assert cli("risk", "--svg", str(path), "--chart", kind, home=home)[0] == 64  # which agent
    assert cli("risk", "nobody", "--svg", str(path), "--chart", kind, home=home)[0] == 64


def test_a_chart_that_is_none_names_those_that_are(home, tmp_path):
    code, _, err = cli("risk", "clerk", "--svg", str(tmp_path / "x.svg"), "--chart", "pie", home=home)
    assert code == 64
    assert "timeline, drift, parts" in err


def test_without_a_score_the_timeline_is_drawn(home, tmp_path):
    path = tmp_path / "chart.svg"
    risk(home, "clerk", "--svg", str(path))
    assert "Carried risk" in path.read_text()


def test_a_first_day_says_what_to_do(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, quiet=True):
        pass
    assert "halo baseline fit" in risk(home)
    assert "halo identity follow" in risk(home, "--people")
    code, out, _ = cli("risk", "--person", ANA, home=home)
    assert (code, "halo risk --people" in out) == (1, True)
    assert plain(home)["behaviour"] == plain(home)["people"] == []


def follow(home, *events):
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        return halo.identity_events(events)


def test_people_are_shown_with_their_names_and_the_rest_is_counted(home):
    crowd = [
        {"time": "2026-02-02T10:00:00Z", "identity": f"clerk-{n}@bank.example", "action": "read", "country": "AT"}
        for n in range(12)
    ]
    odd = {"time": "2026-02-02T11:00:00Z", "identity": ANA, "action": "export", "system": "vault", "country": "BR"}
    follow(home, *crowd, odd, {**odd, "time": "2026-02-02T11:05:00Z", "action": "delete"})
    people = {item["name"]: item for item in plain(home, "--people")["people"]}
    assert people[ANA]["band"] >= 1
    assert people[ANA]["why"]
    assert people[ANA]["since_us"] > 0
    text = risk(home)
    assert ANA in text
    assert "12 more people and services" in text
    detail = risk(home, "--person", ANA)
    assert "halo identity clear" in detail
    assert cli("identity", "clear", ANA, "--why", "asked her", "--by", "mia", home=home)[0] == 0
    assert "asked her, by mia" in " ".join(risk(home, "--person", ANA).split())


def test_a_row_that_was_changed_is_said_not_hidden(home):
    follow(home, {"time": "2026-02-02T10:00:00Z", "identity": ANA, "action": "read"})
    database = attack(db_of(home))
    database.execute("UPDATE identity SET proof='x'")
    database.commit()
    database.close()
    (row,) = plain(home, "--people")["people"]
    assert (row["risk"], row["problem"]) == (1000, "bad_principal_risk")
    assert "halo verify" in risk(home, "--person", row["reference"])
