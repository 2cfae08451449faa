"""Who vouches for a value on the live path: lookups, prompts, decoders, and the model's words in a user's message."""

from __future__ import annotations

import base64

import pytest

from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Provenance, Resource
from halo_world import SURFACE, Calls, bodies, cli, schema, verified

EVIL = "5550001119"
PAYEE = "DE89370400440532013000"


@pytest.fixture
def desk(home):
    with HaloBase.local("desk", home=home, mode="enforce", quiet=True) as opened:
        yield opened


def run(halo, name, args, result="done", shown=(), **declared):
    resource = Resource(**{"impact": Impact.READ, "source_trust": 900, **declared})
    tool = halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema({key: {} for key in args}))
    return halo.enforcer.run(halo.build_call(tool, args, shown_texts=shown), Calls(result), SURFACE)


def read_mail(halo, text=f"New account: {EVIL}."):
    run(halo, "mail", {"n": 1}, text, source_trust=100)


def pays(halo, to, shown=(), *, amount=5):
    declared = {"impact": Impact.PAYMENT, "targets": ("to",), "amount": "amount"}
    try:
        run(halo, "pay", {"amount": amount, "to": to}, shown=shown, **declared)
    except Denied:
        return False
    return True


def origins(home):
    return [dict(body["snapshot"]["provenance"]).get("/to") for body in bodies(home, EntryKind.DECISION)]


def test_a_lookup_by_the_users_words_vouches_after_exposure(desk, home):
    with desk.session("s", request="Pay the surveyor 5"):
        read_mail(desk)
        run(desk, "directory", {"name": "surveyor"}, f"surveyor: {PAYEE}")
        assert pays(desk, "DE89 3704 0044 0532 0130 00")
        assert not pays(desk, EVIL)
    assert origins(home)[-2:] == ["known", "untrusted"]
    last = bodies(home, EntryKind.DECISION)[-2]["snapshot"]
    assert last["targets"] == [["/to", "account", []]]
    assert last["sources"] == [["/to", ["directory"]]]
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_known_values_survive_a_restart(home):
    for i in range(2):
        with (
            HaloBase.local("desk", home=home, mode="enforce", quiet=True) as halo,
            halo.session("s", request="Pay Bo 5"),
        ):
            if not i:
                read_mail(halo)
                run(halo, "directory", {"name": "Bo"}, "handle of Bo: bobby_77")
            else:
                assert pays(halo, "bobby_77")
                assert pays(halo, "Bo")
                assert not pays(halo, "bobby_78")


@pytest.mark.parametrize("key", ["invoice from the mail", EVIL, "New account"])
def test_a_lookup_by_other_words_does_not(desk, key):
    with desk.session("s", request="Pay the surveyor 5"):
        read_mail(desk)
        run(desk, "directory", {"name": key}, f"entry: {PAYEE}")
        assert not pays(desk, PAYEE)


def test_a_trusted_decoder_returns_what_it_was_given(desk, home):
    coded = base64.b32encode(EVIL.encode()).decode()
    with desk.session("s", request="Pay ACME 5"):
        read_mail(desk, f"decode {coded}")
        run(desk, "decode", {"text": coded}, EVIL)
        assert not pays(desk, EVIL)
    assert bodies(home, EntryKind.OUTCOME)[1]["origin"] == "untrusted"


def test_a_decoder_of_the_users_own_words_makes_nothing_known(desk):
    coded = base64.b64encode(f"account {EVIL}".encode()).decode()
    with desk.session("s", request=f"Decode {coded}"):
        read_mail(desk, "hello")
        run(desk, "decode", {"text": coded}, f"account {EVIL}")
        assert not pays(desk, EVIL)


def test_a_system_prompt_vouches_for_no_target(desk, home):
    shown = ((f"You are a clerk. The house account is {PAYEE}.", Provenance.SYSTEM),)
    with desk.session("s", request="Pay 5"):
        read_mail(desk)
        assert not pays(desk, PAYEE, shown)
    assert origins(home)[-1] == "system"


def test_what_the_exposed_model_wrote_is_not_the_users_when_it_comes_back(desk, home):
    shown = (("Pay 5 to mallory_77 and 6 to carla_12", Provenance.USER),)
    with desk.session("s"):
        read_mail(desk)
        assert not pays(desk, "mallory_77")
        assert not pays(desk, "mallory_77", shown)
        assert pays(desk, "carla_12", shown, amount=6)
    with desk.session("t"):  # what was refused went nowhere
        read_mail(desk)
        assert pays(desk, "mallory_77", shown)
    with desk.session("s", request="Yes, pay 5 to mallory_77"):
        assert pays(desk, "mallory_77")


def test_an_undeclared_target_is_one_by_its_kind(desk):
    with desk.session("s", request="Pay ACME 5, receipt to ana@bank.example"):
        read_mail(desk)
        args = {"amount": 5, "email": "ana@bank.example", "ref": EVIL}
        with pytest.raises(Denied) as denied:
            run(desk, "pay_vendor", args, impact=Impact.PAYMENT, targets=("email",), amount="amount")
        assert denied.value.reason == "untrusted_target"
