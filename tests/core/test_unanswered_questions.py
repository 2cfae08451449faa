"""An agent whose harmful acts a policy alone stops is told of, and begins the next session with less."""

from __future__ import annotations

import shutil

import pytest

from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Impact
from halo_world import bodies, cli
from profile_world import USERS, Desk, text_schema


class Office(Desk):
    """A desk that now and then gives somebody a right, which the starter policy asks about."""

    def __init__(self, halo):
        super().__init__(halo)
        schema = text_schema("user", "right")
        self.tools["give_right"] = self._add("give_right", schema, impact=Impact.ADMIN, targets=("user",))

    def give(self, name, user=USERS[1], right="approve"):
        """A session that looks a customer up, and gives a right that nobody asked for."""
        with self.halo.session(name, user=user, request="Please look up customer C-1"):
            self.run("find_customer", {"id": "C-1"}, "C-1 has one open order")
            return self.run("give_right", {"user": f"{name}@corp.example", "right": right})


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A home with a history in which a right was given now and then."""
    home = tmp_path_factory.mktemp("office") / "home"
    with HaloBase.local("clerk", home=home, mode="observe", quiet=True) as opened:
        desk = Office(opened)
        for number in range(70):
            desk.ordinary(number)
            if number % 9 == 0:
                assert desk.give(f"right-{number}", USERS[number % 3]) == "ran"
    return home


def refusal_alerts(home):
    found = [factor["id"] for body in bodies(home, EntryKind.ALERT) for factor in body.get("factors", ())]
    return [name for name in found if name.startswith("refusals")]


def copy_of(home, tmp_path):
    return shutil.copytree(home, tmp_path / "home")


def test_what_a_policy_stops_again_and_again_raises_an_alarm_and_carries_over(learned, tmp_path):
    home = copy_of(learned, tmp_path)
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as opened:
        desk = Office(opened)
        assert {desk.give(f"try-{number}") for number in range(14)}.isdisjoint({"ran"})
    assert "refusals_recent" in refusal_alerts(home)
    summaries = [one for body in bodies(home, EntryKind.PROFILE) for one in body.get("sessions", ())]
    assert summaries[-1]["verdict"] == "alarm"
    assert summaries[-1]["severity"] > 0


def test_acts_that_people_allow_raise_no_alert(learned, tmp_path):
    home = copy_of(learned, tmp_path)
    assert cli("approver", "enrol", "dana", home=home)[0] == 0
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as opened:
        desk = Office(opened)
        for number in range(14):
            name = f"try-{number}"
            with opened.session(name, user=USERS[1], request="Please look up customer C-1"):
                desk.run("find_customer", {"id": "C-1"}, "C-1 has one open order")
                args = {"user": f"{name}@corp.example", "right": "approve"}
                assert desk.run("give_right", args) != "ran"
                assert cli("approvals", "approve", desk.questions[-1], "--as", "dana", home=home)[0] == 0
                assert desk.run("give_right", args) == "ran"
    assert not refusal_alerts(home)
