"""`halo grants`: what nobody uses is proposed, removed after a notice where the manifest says so, and restored."""

from __future__ import annotations

import json

import pytest

from halo_core.clock import SystemClock
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, bodies, cli, tool, verified

DAY_US = 86_400_000_000
MANIFEST = """version: 1
tools:
  lookup: {impact: read}
  note: {impact: read}
  query: {impact: read}
agents:
  # the desk
  desk:
    owner: ana@bank
    UNUSED
    tools:
      lookup: any
      note: {q: {one_of: [a, b]}}
      query: any
"""
REMOVE = "unused_grants: {after_days: 30, action: remove, notice_days: 7}"


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    return folder


def set_up(home, unused=REMOVE):
    (home / "agents.yaml").write_text(MANIFEST.replace("UNUSED", unused))
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert code == 0, err
    use(home, "lookup", {"q": "a"})


def opened(home):
    return HaloBase.local("desk", home=home, quiet=True, mode="enforce")


def use(home, name, args):
    with opened(home) as halo, halo.session(f"s-{name}-{args}", request=f"{name} {args}"):
        return halo.enforcer.run(halo.build_call(tool(halo, name), args), Calls(), SURFACE)


@pytest.fixture
def after(monkeypatch):
    def move(days):
        clock = FixedClock(SystemClock().now_us() + days * DAY_US)
        monkeypatch.setattr("halo_core.cli.grants.SystemClock", lambda: clock)

    return move


def unused(home, *more):
    code, out, err = cli("grants", "unused", "--json", *more, home=home)
    assert code == 0, (out, err)
    return json.loads(out)


def names(told):
    return [item["name"] for agent in told["agents"] for item in agent["unused"]]


def test_what_was_not_used_for_long_is_proposed_and_stays(home, after):
    set_up(home, "purpose: answers")
    assert names(unused(home)) == []
    assert "none has been held for so long" in cli("grants", "unused", home=home)[1]
    after(89)
    assert names(unused(home)) == []
    after(91)
    assert names(unused(home)) == ["lookup", "note", "query"]
    assert unused(home, "--apply")["removed"] == 0
    assert bodies(home, EntryKind.GRANTS) == []
    _, out, _ = cli("grants", "unused", home=home)
    assert "halo grants remove desk" in out
    assert "none has been held for so long" not in out


def test_what_was_used_is_not_proposed(home, after):
    set_up(home)
    after(31)
    assert set(names(unused(home))) == {"lookup", "note", "query"}
    after(0)
    assert names(unused(home, "--days", "1")) == []


def test_notice_comes_before_the_removal_and_a_use_ends_it(home, after, monkeypatch):
    set_up(home)
    after(31)
    assert unused(home, "--apply")["removed"] == 0
    (notice,) = bodies(home, EntryKind.GRANTS)
    assert (notice["op"], len(notice["grants"])) == ("notice", 3)
    assert unused(home, "--apply")["removed"] == 0
    assert len(bodies(home, EntryKind.GRANTS)) == 1  # once
    use(home, "lookup", {"q": "a"})  # ends the notice of this one
    after(31 + 8)
    told = unused(home, "--apply")
    assert told["removed"] == 2
    again, removal = bodies(home, EntryKind.GRANTS)[1:]
    assert (again["op"], again["grants"]) == ("notice", [["tool_call", "lookup"]])  # unused for long once more
    assert (removal["op"], removal["grants"]) == ("remove", [["tool_call", "note"], ["tool_call", "query"]])
    assert use(home, "lookup", {"q": "b"}) == "done"
    with pytest.raises(Denied):
        use(home, "note", {"q": "a"})
    text = (home / "agents.yaml").read_text()
    assert "one_of" not in text
    assert "# the desk" in text
    assert REMOVE in text
    assert verified(home, signatures=True) == 0


def test_a_person_restores_with_the_constraints_that_were_there(home, after):
    set_up(home)
    after(31)
    unused(home, "--apply")
    after(31 + 8)
    assert unused(home, "--apply")["removed"] == 3
    code, out, err = cli("grants", "restore", "desk", "note", "--yes", "--by", "mia", home=home)
    assert code == 0, (out, err)
    assert bodies(home, EntryKind.GRANTS)[-1]["actor"] == "mia"
    assert use(home, "note", {"q": "a"}) == "done"
    with pytest.raises(Denied):
        use(home, "note", {"q": "other"})
    with pytest.raises(Denied):
        use(home, "query", {"q": "a"})
    assert cli("grants", "restore", "desk", "note", "--yes", home=home)[0] == 1  # it was
    assert cli("grants", "restore", "desk", "--json", home=home)[0] == 0
    assert use(home, "query", {"q": "a"}) == "done"
    assert verified(home, signatures=True) == 0


def test_a_person_removes_at_once(home, after):
    set_up(home, "purpose: answers")
    after(91)
    assert cli("grants", "remove", "desk", "--yes", home=home)[0] == 0
    with pytest.raises(Denied):
        use(home, "lookup", {"q": "a"})
    assert cli("grants", "remove", "desk", "--yes", home=home)[0] == 1


def test_a_passport_that_follows_the_code_is_only_reported(home, after):
    use(home, "lookup", {"q": "a"})
    after(91)
    assert names(unused(home)) == ["lookup"]
    code, _, err = cli("grants", "remove", "desk", "--yes", home=home)
    assert code == 64
    assert "halo enforce --grants" in err


def test_a_store_without_agents_says_what_to_do(home):
    with opened(home):
        pass
    code, out, _ = cli("grants", "unused", home=home)
    assert code == 0
    assert "halo passport issue" in out or "desk" in out


@pytest.mark.parametrize(
    "text", ["unused_grants: {action: delete}", "unused_grants: {after_days: 0}", "unused_grants: 9"]
)
def test_a_field_that_is_wrong_is_named(home, text):
    (home / "agents.yaml").write_text(MANIFEST.replace("UNUSED", text))
    code, _, err = cli("passport", "issue", "desk", home=home)
    assert code == 64
    assert "agents.yaml:10" in err
