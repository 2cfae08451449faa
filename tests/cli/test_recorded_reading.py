"""What a command reads of sealed content, and what it was refused, is an entry, whichever command it is."""

from __future__ import annotations

import base64

import pytest

from halo_core.crypto.keys import KeyStore
from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact
from halo_world import SURFACE, Calls, bodies, cli, found, policy_folder, schema, tool, verified

PAYEE = "DE89370400440532013000"


@pytest.fixture
def desk(home):
    """A home with a decision, an open question, a known value, a remembered answer and an enrolled approver."""
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), mode="enforce", quiet=True) as halo:
        look, pay = tool(halo, "lookup"), tool(halo, "pay", impact=Impact.PAYMENT, targets=("to",))
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(look, {"q": "x"}), Calls(), SURFACE)
            with pytest.raises(Pending):
                halo.enforcer.run(halo.build_call(pay, {"amount": 500, "to": PAYEE}), Calls(), SURFACE)
    assert cli("known", "add", "account", PAYEE, home=home)[0] == 0
    keys = KeyStore(home.parent / "keys-mia")
    public = base64.b64encode(keys.signer("approver-mia").public_key).decode()
    assert cli("approver", "enrol", "mia", "--public-key", public, home=home)[0] == 0
    as_mia = ("--as", "mia", "--key-home", str(keys.home))
    assert cli("break-glass", "clerk", "--minutes", "5", "--reason", "a test", *as_mia, home=home)[0] == 0
    return home


def accesses(home):
    return [(body["act"], body.get("code", ""), dict(body["what"])) for body in bodies(home, EntryKind.ACCESS)]


def test_a_command_that_shows_content_is_an_entry_once(desk):
    decision = found(desk, EntryKind.DECISION)[-1].entry.id
    commands = [("known", "list"), ("policy", "explain", decision), ("known", "list", "--json"), ("approvals", "list")]
    for number, words in enumerate(commands):
        assert cli(*words, home=desk)[0] == 0
        command = " ".join(words[:2])
        assert accesses(desk)[number:] == [("read", "", {"command": command})]
    text = str(bodies(desk, EntryKind.ACCESS))
    assert PAYEE not in text
    assert verified(desk) == 0


@pytest.mark.parametrize(
    "words", [("status",), ("log",), ("verify",), ("replay", "--all"), ("approvals", "list", "--json"), ("mcp", "list")]
)
def test_a_command_that_shows_none_is_not(desk, words):
    """The honest twin."""
    assert cli(*words, home=desk)[0] == 0
    assert accesses(desk) == []


def test_a_plan_of_the_first_day_is_read_by_somebody(home):
    with HaloBase.local("clerk", home=home, quiet=True) as halo, halo.session("s"):
        fetch = halo.register(ActionKind.TOOL_CALL, "fetch", schema=schema({"q": {"type": "string"}}))
        halo.enforcer.run(halo.build_call(fetch, {"q": "x"}), Calls(), SURFACE)
    assert cli("enforce", "--plan", "--json", home=home)[0] == 0
    assert accesses(home) == [("read", "", {"command": "enforce"})]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("break-glass", "clerk", "--minutes", "5", "--reason", "x", "--as", "nobody"), "approver_not_enrolled"),
        (("observe", "--for", "1h", "--why", "x", "--as", "nobody"), "not_enrolled"),
        (("lift", "--all", "--as", "nobody"), "not_enrolled"),
    ],
)
def test_a_command_that_is_refused_is_an_entry_once(desk, words, code):
    assert cli("enforce", home=desk)[0] == 0
    assert cli("stop", "--all", home=desk)[0] == 0
    before = len(accesses(desk))
    assert cli(*words, home=desk)[0] == 10
    ((act, recorded, _),) = accesses(desk)[before:]
    assert (act, recorded) == ("refused", code)
    assert bodies(desk, EntryKind.ACCESS)[-1]["refused"] == words[0]
    assert verified(desk) == 0
