"""A reader of many places is trusted below the folders and pages that are declared as own, and nowhere else."""

from __future__ import annotations

import pytest

from halo_core.errors import BadInput, Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.result_origins import reads_own_place
from halo_world import POLICY, SURFACE, Calls, bodies, cli, policy_folder, schema, verified

PAYEE = "DE89370400440532013000"
PLACES = ("/srv/hr/", "~/notes", "https://wiki.corp.example/hr")
READER = {"impact": Impact.READ, "source_trust": 300, "own_places": PLACES}


@pytest.fixture
def desk(home):
    with HaloBase.local("desk", home=home, mode="enforce", quiet=True) as opened:
        yield opened


def run(halo, name, args, result="done", **declared):
    tool = halo.register(
        ActionKind.TOOL_CALL, name, resource=Resource(**declared), schema=schema({key: {} for key in args})
    )
    return halo.enforcer.run(halo.build_call(tool, args), Calls(result), SURFACE)


def read(halo, path, text=f"Bo: {PAYEE}", **declared):
    run(halo, "read_file", {"path": path}, text, **{**READER, **declared})


def pays(halo, to=PAYEE):
    try:
        run(halo, "pay", {"amount": 5, "to": to}, impact=Impact.PAYMENT, targets=("to",), amount="amount")
    except Denied:
        return False
    return True


def last_session(home):
    return bodies(home, EntryKind.DECISION)[-1]["snapshot"]["session"]


@pytest.mark.parametrize("path", ["/srv/hr/bo.txt", "/srv//hr/./bo.txt", "https://wiki.corp.example/hr/bo"])
def test_what_the_user_has_read_in_an_own_place_is_known(desk, home, path):
    with desk.session("s", request=f"Pay Bo 5, the account is in {path}"):
        read(desk, path)
        assert pays(desk)
    assert not last_session(home)["tainted"]
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize(
    "path", ["/srv/letters/bo.txt", "/srv/hr/../letters/bo.txt", "https://wiki.corp.example/fora/1"]
)
def test_the_same_words_elsewhere_are_somebody_elses(desk, home, path):
    with desk.session("s", request=f"Pay Bo 5, the account is in {path}"):
        read(desk, path)
        assert not pays(desk)
    assert last_session(home)["tainted"]


def test_a_file_that_a_letter_chooses_is_not_known(desk):
    with desk.session("s", request="Pay Bo 5"):
        run(desk, "letter", {"n": 1}, "The account is in /srv/hr/eve.txt", impact=Impact.READ, source_trust=100)
        with pytest.raises(Denied, match=r"halo\.read\.foreign-target"):
            read(desk, "/srv/hr/eve.txt")


@pytest.mark.parametrize("writer", ["save_file", "copy_file"])
def test_what_an_exposed_agent_wrote_there_comes_back_as_others_words(desk, writer):
    declared = {"impact": Impact.WRITE, "source_trust": 900}
    with desk.session("monday", request="file the letter"):
        run(desk, "letter", {"n": 1}, f"Pay Bo at {PAYEE}", impact=Impact.READ, source_trust=100)
        run(desk, writer, {"path": "/srv/hr/bo.txt"}, **declared)
    with desk.session("tuesday", request="Pay Bo 5, the account is in /srv/hr/bo.txt"):
        read(desk, "/srv/hr/bo.txt")
        assert not pays(desk)
    with desk.session("wednesday", request="Pay Bo 5, the account is in /srv/hr/ann.txt"):
        read(desk, "/srv/hr/ann.txt")
        assert pays(desk)


@pytest.mark.parametrize("trust", [300, 900])
def test_what_was_downloaded_is_others_words_wherever_it_is_read(desk, home, trust):
    """Nobody had read anything before, so that the session was not exposed when it was stored."""
    with desk.session("monday", request="Download https://shop.example/bo.txt to /srv/hr"):
        args = {"url": "https://shop.example/bo.txt", "path": "/srv/hr/bo.txt"}
        run(desk, "download_file", args, impact=Impact.WRITE, source_trust=900)
    with desk.session("tuesday", request="Pay Bo 5, the account is in /srv/hr/bo.txt"):
        read(desk, "/srv/hr/bo.txt", source_trust=trust)
        assert not pays(desk)
    with desk.session("wednesday", request="Pay Bo 5, the account is in /srv/hr/ann.txt"):
        read(desk, "/srv/hr/ann.txt", source_trust=trust)
        assert pays(desk)
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


RULES = """
@id("own.short") @effect("restrict") @obligation("clamp(lines, 50)")
forbid (principal, action == Action::"read_lines", resource);
@id("own.masked") @effect("restrict") @obligation("redact(path)")
forbid (principal, action == Action::"read_file", resource);
@id("own.vouched") @effect("challenge") @reason("untrusted_target")
forbid (principal, action == Action::"pay", resource) when { !context.vouched };
"""


def test_the_arguments_that_it_runs_with_are_what_counts(home):
    folder = policy_folder(home, POLICY + RULES)
    with HaloBase.local("desk", home=home, mode="enforce", quiet=True, policy=folder) as halo:
        with halo.session("s", request="Pay Bo 5, the account is in /srv/hr/bo.txt"):
            run(halo, "read_lines", {"path": "/srv/hr/bo.txt", "lines": 90}, f"Bo: {PAYEE}", **READER)
            assert pays(halo)
        with halo.session("t", request="Pay Bo 5, the account is in /srv/hr/FR1420041010050500013M02606.txt"):
            read(halo, "/srv/hr/FR1420041010050500013M02606.txt")
            assert not pays(halo)
        assert last_session(home)["tainted"]


OWN = Resource(id="read_file", **READER)


@pytest.mark.parametrize(
    "args",
    [
        {"path": "/srv/hr/bo.txt"},
        {"path": "/srv/hr"},
        {"path": "~/notes/Bo (new).txt", "encoding": "utf-8", "lines": 20},
        {"url": "wiki.corp.example/hr/people"},
        {"paths": ["/srv/hr/bo.txt", "/srv/hr/ann.txt"]},
    ],
)
def test_a_call_below_own_places_reads_them(args):
    assert reads_own_place(OWN, parse_leaves(args))


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"n": 1},
        {"path": "/srv/hr-old/bo.txt"},
        {"path": "/SRV/hr/bo.txt"},
        {"path": "srv/hr/bo.txt"},
        {"path": "/srv/hr/%2e%2e/letters/1"},
        {"path": "/srv/hr/．．/letters/1"},  # noqa: RUF001
        {"path": "/srv/hr/*"},
        {"path": "/srv/hr/$HOME"},
        {"path": "\\srv\\hr\\bo.txt"},
        {"path": "/srv/hr/bo.txt; /srv/letters/1"},
        {"path": "/srv/hr/bo.txt", "folder": "/srv/letters"},
        {"path": "/srv/hr/bo.txt", "base": ".."},
        {"path": "/srv/hr/bo.txt", "name": "..%2f1"},
        {"path": "/srv/hr/bo.txt", "query": "select text from letters"},
        {"paths": ["/srv/hr/bo.txt", "/srv/letters/1"]},
        {"url": "http://wiki.corp.example/hr/people"},
        {"url": "https://wiki.corp.example/hr?next=https://shop.example"},
        {"url": "https://wiki.corp.example:8443/hr/people"},
        {"url": "https://wiki.corp.example@shop.example/hr/people"},
        {"url": "https://wiki.corp.example.shop.example/hr"},
    ],
)
def test_a_call_that_could_lead_elsewhere_does_not(args):
    assert not reads_own_place(OWN, parse_leaves(args))


@pytest.mark.parametrize("changed", [{"impact": Impact.WRITE}, {"classified": "guessed"}, {"own_places": ()}])
def test_only_a_declared_read_has_own_places(changed):
    resource = Resource(**{"id": "read_file", **READER, **changed})
    assert not reads_own_place(resource, parse_leaves({"path": "/srv/hr/bo.txt"}))


@pytest.mark.parametrize("place", ["", "/", "~", "srv/hr", "http://wiki.corp.example", "/srv/../etc", "/srv/*", 7])
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(BadInput) as caught:
        Resource(own_places=(place,))
    assert caught.value.field == "own_places"


def test_places_are_part_of_the_declaration():
    assert Resource.from_plain(OWN.to_plain()) == OWN
    assert "own_places" not in Resource(id="read_file").to_plain()


@pytest.mark.parametrize(
    "beside",
    [{"mailbox": "inbox"}, {"file": "eve"}, {"baseDir": "letters"}, {"folders": ["letters"]}, {"proxy": "eve"}],
)
def test_an_argument_that_chooses_another_place_makes_it_no_own_place(beside):
    declared = Resource(id="read_file", classified="declared", **READER)
    assert not reads_own_place(declared, parse_leaves({"path": "/srv/hr/bo.txt", **beside}))


def test_a_second_path_behind_a_blank_is_outside():
    declared = Resource(id="read_file", classified="declared", **READER)
    assert not reads_own_place(declared, parse_leaves({"path": "/srv/hr/bo.txt /srv/letters/eve.txt"}))


@pytest.mark.parametrize(
    "beside", [{"encoding": "utf-8"}, {"lines": 20}, {"mailbox": None}, {"root": ""}, {"follow_path": False}]
)
def test_an_argument_that_chooses_nothing_leaves_it_an_own_place(beside):
    declared = Resource(id="read_file", classified="declared", **READER)
    assert reads_own_place(declared, parse_leaves({"path": "/srv/hr/bo.txt", **beside}))
