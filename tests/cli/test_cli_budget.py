"""`halo budget` and `halo authority`: what a session spent and may still do, as text, as JSON, as a picture."""

from __future__ import annotations

import json
from contextvars import copy_context
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.cli.sessions import draw_bar
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.hand_offs import HandOff
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import Budget, Decay, EntryKind, Impact, Quota, SessionTerms
from halo_core.oversight.approvals import answer
from halo_core.oversight.keys import enrol_approver
from halo_core.testing import FixedClock
from halo_world import POLICY, SURFACE, Calls, attack, bodies, cli, db_of, policy_folder, session_ref, tool

HOUR = 3600
FLOORS = {
    "admin": 600_000,
    "delete": 500_000,
    "execute": 500_000,
    "payment": 500_000,
    "read": 20_000,
    "send": 300_000,
    "unknown": 400_000,
    "write": 200_000,
}
LIMITS = Limits(
    terms=SessionTerms(
        budgets=(
            Budget("USD", 300_00, 400_00, 2),
            Budget("risk", 500, 500),
            Budget("step", 60, 60),
            Budget("time", 8 * HOUR, 8 * HOUR),
        ),
        decay=Decay(1_000_000, 4 * HOUR, 100, 2_000, 20_000, tuple(sorted(FLOORS.items()))),
        lifetime_s=30 * 24 * HOUR,
    ),
    quotas=(Quota("USD", 1_000_00, 2),),
    ceilings=(
        Budget("USD", 300_00, 900_00, 2),
        Budget("risk", 1_500, 1_500),
        Budget("step", 180, 180),
        Budget("time", 24 * HOUR, 24 * HOUR),
    ),
)


def run(halo, resource, args):
    try:
        halo.enforcer.run(halo.build_call(resource, args), Calls(), SURFACE)
    except Pending as waits:
        return waits.pending_id
    except Denied:
        pass
    return ""


def work(home):
    """A session of five hours: a hand-off within a hand-off, a payment that stops, a second epoch."""
    clock = FixedClock()
    with HaloBase.local(
        "desk", home=home, mode="enforce", policy=policy_folder(home, POLICY), quiet=True, clock=clock, limits=LIMITS
    ) as halo:
        pay = tool(halo, "pay", impact=Impact.PAYMENT, unit="USD", targets=("to",))
        look = tool(halo, "lookup")
        with halo.session("early"):
            run(halo, pay, {"amount": 70, "to": "ACC-1"})
            with halo.hand_off("reader"):
                run(halo, look, {"q": "first"})
        with halo.session("long", request="pay ACC-1"):
            for _ in range(4):
                clock.advance(20 * 60)
                run(halo, look, {"q": "x"})
            run(halo, pay, {"amount": 90, "to": "ACC-1"})
            small = HandOff(budgets=(Budget("USD", 50_00, 50_00, 2), Budget("step", 9, 9)))
            with halo.hand_off("planner", give=small):
                clock.advance(15 * 60)
                run(halo, pay, {"amount": 20, "to": "ACC-1"})
                with halo.hand_off("reader"):
                    clock.advance(15 * 60)
                    run(halo, look, {"q": "y"})
            clock.advance(2 * HOUR)
            request = run(halo, pay, {"amount": 10, "to": "ACC-1"})
            allow(halo, home, request, clock)
            clock.advance(10 * 60)
            run(halo, pay, {"amount": 10, "to": "ACC-1"})
            with halo.hand_off("planner", give=small):
                clock.advance(HOUR / 2)
                run(halo, look, {"q": "z"})
                halo.store.flush()
                yield home


def allow(halo, home, request, clock):
    people = KeyStore(home.parent / "people")
    key = people.signer(make_approver_key_name("mia")).public_key
    enrol_approver(halo.store, Authorities(home), name="mia", public_key=key, by="admin", now_us=clock.now_us())
    answer(halo.store, people, home, request_id=request, approver="mia", approve=True, now_us=clock.now_us())


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The second hand-off is live while the tests look, in a context of its own."""
    context, working = copy_context(), work(tmp_path_factory.mktemp("budget") / "home")
    yield context.run(next, working)
    context.run(working.close)


def told(home, *line):
    code, out, err = cli(*line, "--json", home=home)
    assert code == 0, out + err
    return json.loads(out)


# budget


def test_a_budget_is_a_tree_of_what_is_spent_and_left(home):
    code, out, err = cli("budget", "long", home=home)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].startswith("session long, open for 4 hours 10 minutes, 13 decisions")
    for row in (
        "USD today    190.00            1,000.00",
        "USD        120.00              400.00     900.00",
        "└ planner  hand-off, authority",
        "└ planner  hand-off, handed back; desk spent this too",
        "└ reader  hand-off, handed back; planner and desk spent this too",
        "time      4:10:00             8:00:00   24:00:00",
        "416 above",
    ):
        assert row in out
    stops = "about 6 more decisions until payment stops"
    assert lines[-1] == f"runs out first: authority of planner's hand-off link, {stops}"
    assert max(map(len, lines)) <= 100


def test_a_budget_in_json_has_every_link_with_its_numbers(home):
    found = told(home, "budget", "long")
    assert (found["session"], found["agents"], found["steps"]) == ("long", ["desk", "planner"], 13)
    standing = found["standing"][0]
    assert standing["quotas"] == [{"decimals": 2, "left": 810_00, "per_day": 1_000_00, "unit": "USD", "used": 190_00}]
    session = standing["links"][0]
    assert (session["kind"], session["epoch"], session["debits"], session["status"]) == ("session", 2, [], "live")
    usd = session["units"][0]
    assert usd == {
        "ceiling": 900_00,
        "committed": 120_00,
        "decimals": 2,
        "left": 280_00,
        "limit": 400_00,
        "per_action": 300_00,
        "reserved": 0,
        "unit": "USD",
    }
    live, back = session["links"]
    assert (live["status"], live["authority"] <= session["authority"]) == ("live", True)
    assert (back["status"], back["authority"]) == ("handed back", None)
    assert back["links"][0]["debits"] == ["desk", "planner"]
    # What was spent below is part of what was spent above.
    for unit, own in zip(session["units"], back["units"], strict=True):
        assert unit["committed"] >= own["committed"]


def test_without_a_name_the_newest_session_is_shown_and_all_on_request(home):
    assert told(home, "budget")["session"] == "long"
    assert [one["session"] for one in told(home, "budget", "--all")] == ["early", "long"]
    code, out, _ = cli("budget", "--all", home=home)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["session", "early", "long"]
    assert told(home, "budget", "ear")["session"] == "early"
    assert told(home, "budget", "--agent", "planner")["session"] == "long"
    assert told(home, "budget", "--agent", "nobody") is None


@pytest.mark.parametrize("verb", ["budget", "authority"])
def test_an_unknown_session_is_named_with_what_there_is(home, verb):
    code, _, err = cli(verb, "lang", home=home)
    assert code == 64
    assert "no session is named `lang`" in err
    assert "did you mean `long`" in err
    assert "the newest are long, early" in cli(verb, "zzz", home=home)[2]


@pytest.mark.parametrize("verb", ["budget", "authority"])
def test_where_nothing_ran_that_is_what_is_said(tmp_path, verb):
    HaloBase.local("desk", home=tmp_path / "new", quiet=True).close()
    code, out, err = cli(verb, home=tmp_path / "new")
    assert (code, out.startswith("no session has a ")) == (0, True), err
    assert told(tmp_path / "new", verb) is None
    assert cli(verb, home=tmp_path / "none")[0] == 64


@pytest.mark.parametrize("verb", ["budget", "authority"])
def test_a_session_row_that_cannot_be_read_is_tampering(tmp_path, verb):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, policy=policy_folder(home), quiet=True) as halo, halo.session("one"):
        run(halo, tool(halo, "lookup"), {"q": "x"})
    with attack(db_of(home)) as database:
        database.execute("UPDATE session SET state=x'7b7d'")
    code, _, err = cli(verb, home=home)
    assert code == 11
    assert f"the row of session `{session_ref(home, 'one')}` cannot be read" in err


def test_a_bar_shows_whatever_was_spent_and_never_more_than_its_width():
    assert draw_bar(0, 0, 100, 10) == "░" * 10
    assert draw_bar(1, 0, 1_000, 10) == "█" + "░" * 9
    assert draw_bar(50, 20, 100, 10) == "█████▒▒░░░"
    assert draw_bar(500, 20, 100, 10) == "█" * 10
    assert draw_bar(0, 0, 0, 10) == "░" * 10


# authority


def test_a_curve_is_what_the_entries_say_with_the_decay_between(home):
    found = told(home, "authority", "long")
    points = found["points"]
    decisions = [
        body
        for body in bodies(home, EntryKind.DECISION)
        if body["request"]["context"]["session"] == session_ref(home, "long")
    ]
    assert len(points) == len(decisions) == 13
    for point, body in zip(points, decisions, strict=True):
        # What a hand-off has left is never more than its session has.
        assert body["after"]["authority"] <= point["after"] <= point["before"]
    for one, two in pairwise(points):
        assert two["before"] <= one["after"] or two["epoch"] > one["epoch"]
    assert [item["epoch"] for item in found["epochs"]] == [1, 2]
    assert [item["approver"] for item in found["epochs"]] == ["", "mia"]
    assert [(item["agent"], item["back_us"] is None) for item in found["hand_offs"]] == [
        ("planner", False),
        ("reader", False),
        ("planner", True),
    ]


def test_floors_say_until_when_something_is_possible(home):
    found = told(home, "authority", "long")
    floors = {item["impact"]: item for item in found["floors"]}
    assert [item["level"] for item in found["floors"]] == sorted(FLOORS.values(), reverse=True)
    pay = floors["payment"]
    assert (pay["used"], pay["possible"], floors["admin"]["used"]) == (True, True, False)
    assert 3 * HOUR < pay["seconds"] < 4 * HOUR
    assert pay["seconds"] < floors["read"]["seconds"]
    assert pay["actions"] < floors["read"]["actions"]
    assert found["next"].startswith("payment actions stop in 3 hours ")


@pytest.mark.parametrize("axis", ["time", "decisions"])
def test_a_chart_fits_in_a_hundred_columns_and_names_the_floors(home, axis):
    code, out, err = cli("authority", "long", "--by", axis, home=home)
    assert code == 0, err
    lines = out.splitlines()
    assert max(map(len, lines)) <= 100
    for word in ("60% admin", "50% payment delete execute", "2% read", "epoch 2, mia", "now", "planner, handed back"):
        assert word in out
    assert ("hours since the session opened" in out) is (axis == "time")
    assert any("⠀" < letter <= "⣿" for letter in out)


@pytest.mark.parametrize("axis", ["time", "decisions"])
def test_the_picture_is_one_document_with_the_floors_in_it(home, tmp_path, axis):
    file = tmp_path / "decay.svg"
    code, out, err = cli("authority", "long", "--by", axis, "--svg", str(file), home=home)
    assert code == 0, err
    assert f"written to {file}" in out
    text = file.read_text()
    root = ET.fromstring(text)
    tags = {item.tag.rpartition("}")[2] for item in root.iter()}
    assert {"title", "desc", "path", "style"} <= tags
    assert not tags & {"script", "foreignObject", "image", "use"}
    assert "href" not in text
    assert "url(" not in text
    assert root.attrib["role"] == "img"
    words = ["".join(item.itertext()) for item in root.iter() if item.tag.endswith("}text")]
    for label in ("60% admin", "50% payment, delete, execute", "2% read", "authority left", "planner, acts for it"):
        assert label in words
    assert any("epoch 2, re-authorized by mia" in item for item in words)


def test_labels_of_floors_keep_apart(home, tmp_path):
    file = tmp_path / "decay.svg"
    assert cli("authority", "long", "--svg", str(file), home=home)[0] == 0
    root = ET.parse(file).getroot()
    right = [item for item in root.iter() if item.tag.endswith("}text") and "%" in "".join(item.itertext())]
    places = sorted(float(item.attrib["y"]) for item in right if float(item.attrib.get("x", 0)) > 720)
    assert len(places) == 6
    assert all(two - one >= 15 for one, two in pairwise(places))


def test_somebody_elses_words_are_text_in_the_picture(tmp_path):
    evil = '<script>x</script>&"\x1b[31m'
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, policy=policy_folder(home), quiet=True) as halo, halo.session(evil):
        run(halo, tool(halo, "lookup"), {"q": "x"})
    file = tmp_path / "decay.svg"
    code, out, err = cli("authority", "--svg", str(file), home=home)
    assert code == 0, err
    assert "\x1b" not in out
    assert "\x1b" not in cli("budget", home=home)[1]
    root = ET.fromstring(file.read_text())
    assert not [item for item in root.iter() if "script" in item.tag]
    assert "<script>x</script>" in "".join(root.itertext())


def test_a_picture_that_cannot_be_written_is_said(home, tmp_path):
    code, _, err = cli("authority", "long", "--svg", str(tmp_path / "no" / "x.svg"), home=home)
    assert code == 64
    assert "cannot write" in err


def test_what_has_stopped_is_said(tmp_path):
    home = tmp_path / "home"
    clock = FixedClock()
    with HaloBase.local(
        "desk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, clock=clock, limits=LIMITS
    ) as halo:
        pay, look = tool(halo, "pay", impact=Impact.PAYMENT, unit="USD"), tool(halo, "lookup")
        with halo.session("old"):
            run(halo, pay, {"amount": 1, "to": "x"})
            clock.advance(5 * HOUR)
            run(halo, look, {"q": "x"})
    found = told(home, "authority")
    assert not next(item for item in found["floors"] if item["impact"] == "payment")["possible"]
    assert found["next"].startswith(
        "payment actions are stopped until an approver re-authorizes the session; read actions follow in "
    )
    assert "✗payment delete execute" in cli("authority", home=home)[1]


def test_a_long_wait_is_cut_short_and_said(tmp_path):
    clock = FixedClock(1_700_000_000_000_000)
    old = tmp_path / "home"
    opened = HaloBase.local("desk", home=old, policy=policy_folder(old), quiet=True, clock=clock)
    with opened as halo, halo.session("once"):
        for _ in range(3):
            run(halo, tool(halo, "lookup"), {"q": "x"})
            clock.advance(10)
    file = tmp_path / "decay.svg"
    code, out, err = cli("authority", "--by", "time", "--svg", str(file), home=old)
    assert code == 0, err
    assert "days later" in out
    assert "the session's passport has expired" in out
    assert "not to scale" in file.read_text()


@pytest.mark.parametrize("impact", ["read", "payment"])
def test_what_runs_out_first_is_what_stops(tmp_path, impact):
    home = tmp_path / "home"
    clock = FixedClock(1_800_000_000_000_000)
    decay = Decay(1_000_000, 24 * HOUR, 20, 10_000, 20_000, tuple(sorted(FLOORS.items())))
    terms = SessionTerms((Budget("risk", 1_000_000, 1_000_000), Budget("step", 100_000, 100_000)), decay, 24 * HOUR)
    options = {"home": home, "mode": "enforce", "policy": policy_folder(home), "limits": Limits(terms)}
    with HaloBase.local("desk", quiet=True, clock=clock, **options) as halo, halo.session("s"):
        used = tool(halo, "lookup", impact=Impact(impact))
        for _ in range(5):
            halo.enforcer.run(halo.build_call(used, {"q": "a"}), Calls(), SURFACE)
            clock.advance(1)
        first = json.loads(cli("budget", "s", "--json", home=home)[1])["first"]
        assert (first["unit"], first["impact"]) == ("authority", impact)
        for _ in range(first["actions"]):
            halo.enforcer.run(halo.build_call(used, {"q": "a"}), Calls(), SURFACE)
            clock.advance(1)
        with pytest.raises(Pending) as stopped:
            halo.enforcer.run(halo.build_call(used, {"q": "a"}), Calls(), SURFACE)
        assert stopped.value.reason == "authority_decayed"
        assert "nothing runs until the session is re-authorized" in cli("budget", "s", home=home)[1]


def test_quotas_are_counted_for_each_user_of_an_agent_whatever_the_session(tmp_path, capsys):
    home = tmp_path / "home"
    quota = Limits(quotas=(Quota("step", 5, 0),))
    options = {"home": home, "mode": "enforce", "policy": policy_folder(home), "limits": quota}
    with HaloBase.local("desk", **options) as halo:
        used = tool(halo, "lookup")

        def look(session, user):
            with halo.session(session, user=user):
                halo.enforcer.run(halo.build_call(used, {"q": "a"}), Calls(), SURFACE)

        for i in range(5):
            look(f"s{i}", "ana")
            look("t", "")
        for session, user in (("another", "ana"), ("t", ""), ("u", "")):
            with pytest.raises(Denied) as stopped:
                look(session, user)
            assert stopped.value.reason == "quota_exceeded"
        look("s0", "bob")  # what one user has used up is not missing for another
    told = [line for line in capsys.readouterr().err.splitlines() if "today's quota" in line]
    assert told == ["halo: agent `desk`: 4 of 5 step of today's quota are used"] * 2
    alerts = [body for body in bodies(home, EntryKind.ALERT) if body["kind"] == "quota"]
    assert [item["factors"][0]["words"] for item in alerts] == ["4 of 5 step of today's quota are used"] * 2
    assert "step today" in cli("budget", "s4", home=home)[1]
    assert cli("alerts", home=home)[1].count("of today's quota are used") == 2
    assert cli("verify", "--signatures", home=home)[0] == 0
