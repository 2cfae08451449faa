"""Access reviews and the inventory over a month of the loan desk, compared with its raw notes."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from month import play_month

from halo_core.cli.grants import issue_grants
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.evidence.questions_inventory import read_foreign_list, suggest_tier
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Actor, EntryKind
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_core.views.passports import load_current_passport
from halo_world import SURFACE, Calls, bodies, cli, tool

pytestmark = pytest.mark.xdist_group("month")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    return play_month(tmp_path_factory.mktemp("month"), seed=5, days=5, sessions=1, gaps=("app_beside",))


@pytest.fixture
def month(usual_month, tmp_path):
    return usual_month.copy(tmp_path / "month")


def asked(month, *argv, account="root-admin"):
    code, out = month.halo(*argv, "--json", account=account)
    return code, json.loads(out[out.index("{") :] if "{" in out else out)


def grants_of(month, agent):
    with Reader(month.url) as reader:
        return load_current_passport(reader, reader.tenants()[0], agent).links[0].grants


def test_a_review_ends_with_narrower_passports_and_says_what_was_used(month):
    code, opened = asked(month, "review", "open", "--agent", "collections", "--reviewer", "vera", "--due", "14d")
    assert code == 0
    review = opened["review"]
    code, shown = asked(month, "review", "show", review)
    ran = Counter(row["tool"] for row in month.notes.select("ran") if row["agent"] == "collections")
    tools = {row["grant"][1]: row for row in shown["evidence"] if row["grant"][0] == ActionKind.TOOL_CALL.value}
    assert {name: row["calls"] for name, row in tools.items() if row["calls"]} == {
        n: c for n, c in ran.items() if n in tools
    }
    unused = next((name for name, row in sorted(tools.items()) if not row["calls"]), None)
    gone = unused or min(tools)
    assert month.halo("review", "answer", review, "--revoke", gone, account="root-admin")[0] == 10
    assert month.halo("review", "answer", review, "--revoke", gone, account="vera")[0] == 64  # without a reason
    assert month.halo("review", "close", review, "--yes")[0] == 64
    month.must("review", "answer", review, "--keep", "*", "--revoke", gone, "--why", "not needed", account="vera")
    assert gone in grants_of(month, "collections")[ActionKind.TOOL_CALL]
    code, closed = asked(month, "review", "close", review)
    assert code == 0, closed
    assert gone not in grants_of(month, "collections").get(ActionKind.TOOL_CALL, {})
    refused = sum(row[3] for item in closed["played"] for row in item["refused"])
    assert refused == ran[gone]
    code, status = asked(month, "review", "status", "--to", "2026-07-01")
    assert (code, status["verdict"]) == (0, "holds")
    assert status["rows"][0]["revoked"] == 1
    assert month.halo("verify")[0] == 0
    assert [body["op"] for body in bodies(month.home, EntryKind.REVIEW)][-1] == "close"
    assert month.halo("review", "answer", review, "--keep", "*", account="vera")[0] == 64


@pytest.fixture
def under_review(month):
    """A review of `collections` by vera, in which she revoked one grant: its id, the grant, and the store."""
    _, opened = asked(month, "review", "open", "--agent", "collections", "--reviewer", "vera", "--due", "14d")
    gone = min(grants_of(month, "collections")[ActionKind.TOOL_CALL])
    month.must(
        *("review", "answer", opened["review"], "--keep", "*", "--revoke", gone, "--why", "not needed"), account="vera"
    )
    store = Store(StoreConfig(month.url, month.home, "local"), KeyStore(month.home), clock=month.clock)
    yield month, opened["review"], gone, store
    store.close()


def append(store, *bodies, by="vera"):
    """What code in a process of the home can do: entries of its own, under a name that it asserts."""
    for body in bodies:
        store.commit(lambda tx, body=body: tx.append(Draft(EntryKind.REVIEW, "", body, actor=Actor(by))))


def test_only_the_reviewer_answers_whoever_writes_the_entry(under_review):
    month, review, gone, store = under_review
    grant = [ActionKind.TOOL_CALL.value, gone]
    keep = {"agent": "collections", "grant": grant, "id": review, "op": "keep"}
    again = {"due_us": 2**52, "grants": {"collections": [grant]}, "id": review, "of": "grants", "op": "open"}
    append(store, keep, {**keep, "grant": ["tool_call", "another"]}, {**again, "reviewer": "mallory"}, by="mallory")
    _, shown = asked(month, "review", "show", review)
    assert {row["grant"][1]: row["verdict"] for row in shown["evidence"]}[gone] == "revoke"
    assert asked(month, "review", "close", review)[0] == 0
    assert gone not in grants_of(month, "collections").get(ActionKind.TOOL_CALL, {})
    append(store, keep)  # after the end, even by herself
    code, status = asked(month, "review", "status", "--to", "2026-07-01")
    assert (code, status["rows"][0]["revoked"]) == (0, 1)


@pytest.mark.parametrize("passports", ["current", "unknown", "none"])
def test_a_review_that_ends_without_the_removal_does_not_hold(under_review, passports):
    month, review, gone, store = under_review
    with Reader(month.url) as reader:
        current = load_current_passport(reader, "local", "collections").links[0].hash
    named = {"current": {"collections": current}, "unknown": {"collections": "sha256:" + "0" * 64}, "none": {}}
    append(store, {"id": review, "op": "close", "passports": named[passports]})
    code, status = asked(month, "review", "status", "--to", "2026-07-01")
    assert (code, status["verdict"]) == (1, "fails")
    assert gone in status["findings"][0]
    code, checked = asked(month, "report", "--check", "access_reviews", "--to", "2026-07-01")
    assert (code, checked["verdict"]) == (1, "fails")


def test_an_answer_that_changes_while_the_review_ends_is_not_passed_over(under_review, monkeypatch):
    month, review, gone, _ = under_review
    agent_grants = grants_of(month, "collections")[ActionKind.TOOL_CALL]
    other = max(agent_grants)
    assert other != gone

    def revoke_another(*args, **more):
        again = ("review", "answer", review, "--revoke", other, "--why", "this one too")
        month.must(*again, account="vera")
        return issue_grants(*args, **more)

    monkeypatch.setattr("halo_core.cli.reviews.issue_grants", revoke_another)
    code, out = month.halo("review", "close", review, "--yes")
    assert code == 64, out
    monkeypatch.undo()
    assert month.halo("review", "close", review, "--yes")[0] == 0
    assert not {gone, other} & set(grants_of(month, "collections").get(ActionKind.TOOL_CALL, {}))
    assert asked(month, "review", "status", "--to", "2026-07-01")[0] == 0


def test_what_a_restart_would_grant_again_is_not_closed_over(home):
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        tool(halo, "look")
        halo.enforcer.run(halo.build_call(tool(halo, "note"), {}), Calls(), SURFACE)
    opened = json.loads(
        cli("review", "open", "--reviewer", "vera", "--by", "root", "--due", "14d", "--json", home=home)[1]
    )
    by = ("--by", "vera", "--why", "not needed")
    assert cli("review", "answer", opened["review"], "--keep", "*", "--revoke", "note", *by, home=home)[0] == 0
    code, _, err = cli("review", "close", opened["review"], "--yes", home=home)
    assert code == 64
    assert "not_issued" in err
    assert json.loads(cli("review", "list", "--json", home=home)[1])[0]["closed_us"] == 0
    assert cli("review", "answer", opened["review"], "--keep", "note", *by, home=home)[0] == 0
    assert cli("review", "close", opened["review"], "--yes", home=home)[0] == 0  # the honest twin: nothing is removed


def test_a_log_without_a_review_cannot_tell_and_says_what_was_read(month):
    code, status = asked(month, "review", "status")
    population = status["population"]
    assert (code, status["verdict"], population["counted"], population["what"]) == (2, "cannot_tell", 0, "reviews")
    assert population["root"]
    assert population["last_index"] > 0


def test_an_overdue_review_is_an_exception_and_reminded_of(month):
    code, status = asked(month, "review", "status", "--to", "2026-07-01")
    assert (code, status["verdict"]) == (2, "cannot_tell")
    _, opened = asked(month, "review", "open", "--reviewer", "vera", "--due", "2d")
    assert month.halo("review", "remind", "--within", "1h")[0] == 0
    assert month.halo("review", "remind")[0] == 1
    month.clock.advance_s(3 * 86_400)
    code, out = month.halo("review", "remind", "--within", "1h")
    assert code == 1
    assert "vera" in out
    code, status = asked(month, "review", "status", "--to", "2026-07-01")
    assert (code, status["verdict"]) == (1, "fails")
    assert opened["review"] in status["findings"][0]


def test_the_inventory_is_the_notes_and_names_what_ran_beside(played):
    code, answer = asked(played, "inventory", "show", "--to", "2026-07-01")
    rows = {row["agent"]: row for row in answer["rows"]}
    noted = Counter(row["agent"] for row in played.notes.select("attempt"))
    assert {name: rows[name]["decisions"] for name in noted if name != "loan-desk"} == {
        name: count for name, count in noted.items() if name != "loan-desk"
    }
    labels = {label for row in played.notes.select("attempt") if row["agent"] == "loan-desk" for label in row["labels"]}
    assert set(rows["loan-desk"]["labels"]) == labels
    assert rows["loan-desk"]["suggested"] == "high"
    assert code == 1
    assert any("wire_transfer" in finding for finding in answer["findings"])
    assert rows["(ungoverned)"]["decisions"] == 1


def test_another_systems_list_shows_who_is_missing(played):
    code, answer = asked(
        played, "inventory", "show", "--to", "2026-07-01", "--compare", str(played.folder / "gateway.csv")
    )
    assert code == 1
    assert any("batch-scorer" in finding for finding in answer["findings"])
    (entry,) = [body for body in bodies(played.home, EntryKind.INVENTORY) if body["op"] == "compare"]
    assert entry["missing"] == ["batch-scorer"]


def test_a_lower_class_than_the_suggested_needs_a_reason(played):
    assert played.halo("inventory", "classify", "loan-desk", "low")[0] == 64
    played.must("inventory", "classify", "loan-desk", "medium", "--why", "reads only, by contract")
    assert played.halo("inventory", "classify", "loan-desk", "extreme")[0] == 64
    assert played.halo("inventory", "classify", "nobody-knows", "low")[0] == 64
    _, answer = asked(played, "inventory", "show", "--to", "2026-07-01")
    assert next(row for row in answer["rows"] if row["agent"] == "loan-desk")["tier"] == "medium"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("agent,calls\na,1\nb,2\na,3\n", ["a", "b"]),
        ("\ufeffid,Agent\n1,a\n", ["a"]),
        ("agent\n=cmd()\n", ["=cmd()"]),
        ("agent\n", []),
    ],
)
def test_lists_of_others_are_read(text, names):
    assert read_foreign_list(text) == names


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ('agent\n"a', "no CSV"),
        ("loan-desk\nghost\n", "no column `agent` in its first line; its columns are: loan-desk"),
        ("name;agent\nx;a\n", "its columns are: name;agent"),
        ("agent,Agent\na,b\n", "several columns `agent`"),
    ],
)
def test_a_bad_list_is_refused(text, said):
    with pytest.raises(ConfigError, match=said) as refused:
        read_foreign_list(text)
    assert refused.value.remedy
    assert refused.value.field == "compare"


def test_classes_are_suggested_by_what_an_agent_could_do():
    assert suggest_tier({"read"}, set(), ()) == "low"
    assert suggest_tier({"read", "write"}, set(), ()) == "medium"
    assert suggest_tier({"read"}, {"chd"}, ()) == "high"
    assert suggest_tier({"payment"}, set(), ()) == "high"
    assert suggest_tier({"read"}, set(), ("core banking",)) == "high"
