"""Remembered answers: what they settle, what they never settle, how long, how often, and for whom. Invariant: BIND."""

from __future__ import annotations

import json

import pytest
from oversight_world import answers, at, enrolled, people

from halo_core.crypto.keys import Digester
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Impact, Reversal
from halo_core.oversight.remembered import RememberTerms, grant_break_glass
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, attack, bodies, cli, codes, db_of, found, policy_folder, tool, verified

POLICY = """
@id("base") permit (principal, action, resource);
@id("target") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"send");
@id("unseen") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"pay");
@id("large") @effect("challenge") @reason("large_amount")
forbid (principal, action, resource == Tool::"pay")
when { context has amount && context.amount.greaterThan(decimal("1000.0")) };
@id("grave") @effect("challenge") @reason("grave_impact") forbid (principal, action, resource == Tool::"wipe");
@id("ran") @effect("challenge") @reason("grave_impact") forbid (principal, action, resource == Tool::"shell");
@id("read") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"fetch");
@id("odd") @effect("challenge") @reason("risk_high") forbid (principal, action, resource == Tool::"note");
"""
NOW_US = 1_800_000_000_000_000
MAIL = {"to": "Eva@Partner.example", "text": "hello"}


def opened(home, clock=None, agent="clerk", **more):
    more.setdefault("user", "user:ana")
    folder = policy_folder(home, POLICY)
    return HaloBase.local(agent, home=home, mode="enforce", policy=folder, quiet=True, clock=clock, **more)


def send(halo):
    return halo_tool(halo, "send", {"to": {"type": "string"}, "text": {"type": "string"}}, Impact.SEND, ("to",))


def pay(halo):
    properties = {"to": {"type": "string"}, "amount": {"type": "number"}}
    return halo_tool(halo, "pay", properties, Impact.PAYMENT, ("to",), amount="amount")


def wipe(halo):
    properties = {"path": {"type": "string"}, "mode": {"type": "string"}}
    return halo_tool(halo, "wipe", properties, Impact.DELETE, ("path",), reversal=Reversal.IRREVERSIBLE)


def halo_tool(halo, name, properties, impact, targets, **more):
    from halo_core.model import ActionKind, Resource

    more.setdefault("reversal", Reversal.COMPENSATE)
    declared = Resource(impact=impact, targets=targets, source_trust=600, **more)
    schema = {"type": "object", "properties": properties}
    return halo.register(ActionKind.TOOL_CALL, name, resource=declared, schema=schema)


def run(halo, resource, body, session="s", **args):
    with halo.session(session):
        return halo.enforcer.run(halo.build_call(resource, args), body, SURFACE)


def question(halo, resource, session="s", **args):
    with pytest.raises(Pending) as caught:
        run(halo, resource, Calls(), session, **args)
    return caught.value.pending_id


def remembered(home, request, name="mia", **terms):
    return answers(home, request, name, terms=RememberTerms(**terms)).remembered


def test_a_yes_is_remembered_for_its_target_in_every_session_and_spelling(home):
    body = Calls()
    with opened(home) as halo:
        mail = send(halo)
        request = question(halo, mail, **MAIL)
        enrolled(home)
        assert remembered(home, request)
        run(halo, mail, body, "another", to="eva@partner.example", text="another text")
        assert question(halo, mail, "another", to="eva@partner.example.org", text="hello")
        assert question(halo, mail, "another", to="ev\u0430@partner.example", text="hello")  # a Cyrillic letter
    assert [item["to"] for item in body] == ["eva@partner.example"]
    assert cli("approvals", "remembered", home=home)[0] == 0
    assert [item["what"] for item in bodies(home, EntryKind.ACCESS)] == [{"command": "approvals remembered"}]
    reasons = codes(found(home, EntryKind.DECISION)[-3].entry.body)
    assert {"remembered", "untrusted_target"} <= set(reasons)
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_once_remembers_nothing(home):
    with opened(home) as halo:
        mail = send(halo)
        request = question(halo, mail, **MAIL)
        enrolled(home)
        assert not answers(home, request).remembered
        run(halo, mail, Calls(), **MAIL)
        assert question(halo, mail, **MAIL) != request
    assert verified(home) == 0


def test_it_never_settles_a_limit_or_behaviour(home):
    with opened(home) as halo:
        payment = pay(halo)
        enrolled(home)
        remembered(home, question(halo, payment, to="DE89370400440532013000", amount=500))
        body = Calls()
        run(halo, payment, body, "t", to="DE89 3704 0044 0532 0130 00", amount=600)
        assert len(body) == 1
        with pytest.raises(Pending) as caught:
            run(halo, payment, body, "t", to="DE89370400440532013000", amount=2000)
        assert caught.value.reason == "large_amount"
        note = tool(halo, "note")
        first = question(halo, note, q="x")
        assert not remembered(home, first)  # nothing to remember: the question is about behaviour
        run(halo, note, body, q="x")
        assert question(halo, note, q="x") != first
    assert verified(home) == 0


def test_caps_in_count_and_amount_and_the_end_hold(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        payment, mail = pay(halo), send(halo)
        enrolled(home)
        answer_at = {"now_us": NOW_US}
        asked = question(halo, payment, to="ACC-1234567", amount=100)
        answers(home, asked, terms=RememberTerms(max_amount=3_000_000), **answer_at)
        body = Calls()
        run(halo, payment, body, "a", to="ACC-1234567", amount=200)
        run(halo, payment, body, "b", to="ACC-1234567", amount=100)
        assert question(halo, payment, "c", to="ACC-1234567", amount=1)  # 300 are spent
        answers(home, question(halo, mail, **MAIL), terms=RememberTerms(max_uses=1, lifetime_s=3600), **answer_at)
        run(halo, mail, body, "d", **MAIL)
        assert question(halo, mail, "e", **MAIL)
        other = {**MAIL, "to": "bo@partner.example"}
        answers(home, question(halo, mail, **other), terms=RememberTerms(lifetime_s=3600), **answer_at)
        clock.advance(3600)
        assert question(halo, mail, "f", **other)
    assert len(body) == 3
    assert verified(home) == 0


def test_a_grave_act_needs_its_object_and_two_people(home):
    body = Calls()
    with opened(home) as halo:
        erase = wipe(halo)
        enrolled(home)
        enrolled(home, "bo")
        act = {"path": "/srv/old", "mode": "tree"}
        remembered(home, question(halo, erase, **act))
        run(halo, erase, body, **act)  # the yes for this one call
        second = question(halo, erase, "t", **act)  # one person is not enough to remember it
        remembered(home, second, "bo")
        run(halo, erase, body, "t", **act)
        run(halo, erase, body, "u", **act)
        assert question(halo, erase, "u", path="/srv/old", mode="force")
        assert question(halo, erase, "u", path="/srv/new", mode="tree")
    assert len(body) == 3
    assert verified(home) == 0


@pytest.mark.parametrize(
    ("shown", "other"),
    [
        ("#reboot", "reboot"),
        ("cat notes # old ones: rm notes", "cat notes # old ones:\nrm notes"),
        ("echo 'a b' > kept", "echo 'a  b' > kept"),
        ("if ok:\n  a()\nb()", "if ok:\n  a()\n  b()"),
        ("/bin/a\n#/bin/b", "/bin/a\n/bin/b"),
    ],
)
@pytest.mark.parametrize("programs", [(("command", "shell"),), ()])
def test_a_yes_to_a_program_is_for_no_program_that_reads_alike(home, shown, other, programs):
    with opened(home) as halo:
        properties = {"host": {"type": "string"}, "command": {"type": "string"}}
        shell = halo_tool(halo, "shell", properties, Impact.EXECUTE, ("host",), programs=programs)
        enrolled(home)
        body = Calls()
        assert remembered(home, question(halo, shell, host="db1", command=shown))
        run(halo, shell, body, "another", host="db1", command=f" {shown}\n")
        assert len(body) == 1
        assert question(halo, shell, "another", host="db1", command=other)
    assert verified(home) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"url": "https://ok.example/a,https://evil.example/b"},
        {"url": "https://ok.example/a\nhttps://evil.example/b"},
        {"url": "https://ok.example:8443/a"},
        {"url": "http://ok.example/a"},
        {"url": "https://ok.example/a", "proxy": "evil.example"},
        {"url": "https://ok.example/a", "report_to": "eve@evil.example"},
        {"url": "https://ok.example/a", "proxy": "https://user:word@evil.example/"},
    ],
)
def test_a_yes_to_a_host_is_for_that_host_alone(home, other):
    with opened(home) as halo:
        properties = {name: {"type": "string"} for name in ("url", "proxy", "report_to")}
        fetch = halo_tool(halo, "fetch", properties, Impact.READ, ("url",), reversal=Reversal.NONE_NEEDED)
        enrolled(home)
        body = Calls()
        assert remembered(home, question(halo, fetch, url="https://ok.example/a"))
        run(halo, fetch, body, "another", url="https://OK.example:443/b?c=d")
        assert len(body) == 1
        assert question(halo, fetch, "another", **other)
    assert verified(home) == 0


def test_a_second_person_confirms_the_same_question(home):
    body = Calls()
    with opened(home) as halo:
        erase = wipe(halo)
        enrolled(home)
        enrolled(home, "bo")
        act = {"path": "/srv/old", "mode": "tree"}
        asked = question(halo, erase, **act)
        keys = ("--key-home", str(people(home).home))
        code, out, _ = cli("approvals", "approve", asked, "--as", "mia", *keys, home=home)
        assert code == 0
        assert f"halo approvals approve {asked} --as SECOND" in out.replace("\n", " ")
        assert cli("approvals", "approve", asked, "--as", "mia", *keys, home=home)[0] != 0  # one is not two
        assert cli("approvals", "approve", asked, "--as", "bo", "--once", *keys, home=home)[0] != 0
        code, out, _ = cli("approvals", "approve", asked, "--as", "bo", *keys, home=home)
        assert code == 0
        assert "confirmed by bo" in out
        assert "it counts now (approved by mia and bo)" in out
        assert "valid once" not in out
        run(halo, erase, body, "t", **act)
        run(halo, erase, body, "u", **act)
    assert len(body) == 2
    assert verified(home) == 0


def test_two_answers_of_one_person_are_no_two_people(home):
    with opened(home) as halo:
        erase = wipe(halo)
        enrolled(home)
        act = {"path": "/srv/old", "mode": "tree"}
        remembered(home, question(halo, erase, **act))
        run(halo, erase, Calls(), **act)
        remembered(home, question(halo, erase, **act))
        run(halo, erase, Calls(), **act)
        assert question(halo, erase, **act)


def test_revoked_withdrawn_and_foreign_answers_serve_nothing(home):
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        kept = remembered(home, question(halo, mail, **MAIL))
        run(halo, mail, Calls(), "a", **MAIL)
        code, out, err = cli("approvals", "revoke", kept[:12], "--why", "no longer", home=home)
        assert code == 0, (out, err)
        asked = question(halo, mail, "b", **MAIL)
        kept = remembered(home, asked)
        run(halo, mail, Calls(), "c", **MAIL)
        assert cli("approver", "withdraw", "mia", home=home)[0] == 0
        assert question(halo, mail, "d", **MAIL)
    with opened(home, agent="other") as halo:
        assert question(halo, send(halo), "e", **MAIL)  # another role
    assert verified(home) == 0


def test_who_is_in_the_chain_answers_nothing(home):
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        remembered(home, question(halo, mail, **MAIL))
    with opened(home, user="mia") as halo:
        assert question(halo, send(halo), "t", **MAIL)


def test_agents_of_one_role_share_answers(home):
    manifest = "version: 1\nagents:\n  clerk: {role: desk}\n  other: {role: desk}\n  third: {}\n"
    home.mkdir(exist_ok=True)
    (home / "agents.yaml").write_text(manifest)
    with opened(home) as halo:
        enrolled(home)
        remembered(home, question(halo, send(halo), **MAIL))
    body = Calls()
    with opened(home, agent="other") as halo:
        run(halo, send(halo), body, "t", **MAIL)
    with opened(home, agent="third") as halo:
        assert question(halo, send(halo), "u", **MAIL)
    assert len(body) == 1


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE standing_answer SET status='active'",
        "UPDATE standing_answer SET scope='blake2b-256:00'",
        "UPDATE standing_answer SET token='x'",
        "DELETE FROM standing_answer",
        "DELETE FROM quota WHERE account LIKE 'answer:%'",
        "UPDATE quota SET state=x'7b7d' WHERE account LIKE 'answer:%'",
    ],
)
def test_a_changed_row_is_tampering(home, statement):
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        kept = remembered(home, question(halo, mail, **MAIL))
        run(halo, mail, Calls(), **MAIL)
        run(halo, mail, Calls(), "again", **MAIL)
    assert cli("approvals", "revoke", kept, home=home)[0] == 0
    assert verified(home) == 0
    attack(db_of(home)).execute(statement)
    assert verified(home) in (11, 13)


def test_an_answer_whose_uses_were_taken_away_serves_no_more_than_it_may(home):
    body = Calls()
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        remembered(home, question(halo, mail, **MAIL), max_uses=1)
        run(halo, mail, body, **MAIL)  # on the yes to this call
        run(halo, mail, body, "again", **MAIL)
    attack(db_of(home)).execute("DELETE FROM quota WHERE account LIKE 'answer:%'")
    with opened(home) as halo:
        assert question(halo, send(halo), "later", **MAIL)
    assert len(body) == 2


def test_a_row_under_another_scope_answers_nothing(home):
    """BIND: the token names its scope, so moving the row moves nothing."""
    other = {**MAIL, "to": "eve@evil.example"}
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        remembered(home, question(halo, mail, **MAIL))
        kept = remembered(home, question(halo, mail, **other))
        run(halo, mail, Calls(), "t", **other)
        cli("approvals", "revoke", kept, home=home)
    scopes = [body["scope"] for body in bodies(home, EntryKind.STANDING_ANSWER) if body["op"] == "grant"]
    attack(db_of(home)).execute("UPDATE standing_answer SET scope=? WHERE status='active'", (scopes[1],))
    with opened(home) as halo:
        assert question(halo, send(halo), "v", **other)


def test_answers_are_listed_and_shown_where_they_were_used(home):
    with opened(home) as halo:
        mail = send(halo)
        enrolled(home)
        kept = remembered(home, question(halo, mail, **MAIL))
        run(halo, mail, Calls(), "t", **MAIL)
    code, out, _ = cli("approvals", "remembered", home=home)
    assert code == 0
    for word in (kept, "active", "Eva@Partner.example", "1 of 100 uses", "mia"):
        assert word in out
    used = found(home, EntryKind.DECISION)[-1].entry.id
    assert kept in cli("show", used, home=home)[1]


@pytest.mark.parametrize("terms", [{"lifetime_s": 0}, {"lifetime_s": 400 * 86_400}, {"max_uses": 0}])
def test_terms_out_of_range_are_refused(home, terms):
    with opened(home) as halo:
        asked = question(halo, send(halo), **MAIL)
    enrolled(home)
    with pytest.raises(ConfigError):
        remembered(home, asked, **terms)


def test_break_glass_answers_everything_but_money_for_some_minutes(home):
    clock = FixedClock(NOW_US)
    body = Calls()
    with opened(home, clock) as halo:
        mail, payment, note = send(halo), pay(halo), tool(halo, "note")
        question(halo, mail, **MAIL)
        enrolled(home)
        with at(home) as store:

            def grant(**more):
                terms = {"agent": "clerk", "approver": "mia", "lifetime_s": 600, "why": "outage", "now_us": NOW_US}
                return grant_break_glass(store, people(home), home, **{**terms, **more})

            for wrong in ({"lifetime_s": 3601}, {"lifetime_s": 0}, {"why": " "}, {"agent": "nobody"}):
                with pytest.raises(ConfigError):
                    grant(**wrong)
            with pytest.raises(Denied):
                grant(approver="nobody")
            granted = grant()
        run(halo, mail, body, "a", **MAIL)
        run(halo, note, body, "a", q="x")
        assert question(halo, payment, "a", to="ACC-1234567", amount=1)
        clock.advance(600)
        assert question(halo, mail, "b", **MAIL)
    assert len(body) == 2
    assert [item["kind"] for item in bodies(home, EntryKind.ALERT)] == ["break_glass"]
    assert verified(home) == 0
    listed = json.loads(cli("approvals", "remembered", "--all", "--json", home=home)[1])
    assert [(item["id"], item["kind"]) for item in listed] == [(granted, "break_glass")]


def test_a_digest_of_another_home_is_no_scope_here(home):
    """The scope is keyed: nobody without the home's key can tell a target from it."""
    with opened(home) as halo:
        enrolled(home)
        remembered(home, question(halo, send(halo), **MAIL))
    body = bodies(home, EntryKind.STANDING_ANSWER)[0]
    assert "Partner" not in json.dumps(body)
    assert body["scope"] != Digester(bytes(32)).digest("halo/answer-scope/v1", b"")


def test_a_key_that_only_a_file_names_lets_nothing_pass_later(home, monkeypatch):
    """Whoever writes authorities.json can name a key there, but not enrol it in the log."""
    with opened(home) as halo:
        erase = wipe(halo)
        asked = question(halo, erase, path="/srv/old", mode="tree")
        enrolled(home)
        enrolled(home, "bo")
        remembered(home, asked)
        forger = halo.store.keys.signer("forger")
    monkeypatch.setattr("halo_core.oversight.remembered.load_signer", lambda *_: forger)
    monkeypatch.setattr("halo_core.oversight.approvals.load_signer", lambda *_: forger)
    with at(home) as store:
        terms = {"agent": "clerk", "approver": "mia", "lifetime_s": 600, "why": "outage", "now_us": NOW_US}
        with pytest.raises(Denied) as caught:
            grant_break_glass(store, people(home), home, **terms)
        assert caught.value.reason == "approver_not_enrolled"
    with pytest.raises(Denied) as caught:
        remembered(home, asked, "bo")
    assert caught.value.reason == "approver_not_enrolled"
