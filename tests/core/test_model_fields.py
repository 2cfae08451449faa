"""What is decided of the fields of a model request: provider's tools by grant, unknown fields by question."""

from __future__ import annotations

import pytest

from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.model_requests import judge_model_fields
from halo_world import SURFACE, Calls, bodies, cli, verified

SEARCH = {"web_search_options": {}}
ODD = {"temperature": 0, "odd": 1}


def open_halo(home, mode="enforce", **options):
    return HaloBase.local("desk", home=home, mode=mode, quiet=True, **options)


def ask(halo, fields, name="gpt", session="s"):
    """Call a model with these fields; returns whether it was reached."""
    model = halo.register(ActionKind.INFERENCE, name, resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": 1, "tools": [], **judge_model_fields(fields, "ChatOpenAI").to_arguments()}
    body = Calls("hello")
    with halo.session(session):
        halo.enforcer.run(halo.build_call(model, args), body, SURFACE)
    return bool(body)


def last(home):
    return bodies(home, EntryKind.DECISION)[-1]


def reasons(home):
    return [(item["code"], item["detail"], item["effect"]) for item in last(home)["decision"]["reasons"]]


def test_an_ordinary_request_is_decided_as_before(home):
    with open_halo(home) as halo:
        assert ask(halo, {"temperature": 0.2, "max_tokens": 9, "metadata": {"a": "b"}})
    assert reasons(home) == [("granted", "", "allow")]


def test_a_providers_tool_is_refused_by_name(home):
    with open_halo(home) as halo, pytest.raises(Denied) as denied:
        ask(halo, SEARCH)
    assert denied.value.code == "hosted_tool"
    assert reasons(home) == [("hosted_tool", "web_search", "deny")]
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_observe_mode_names_both_and_runs(home):
    with open_halo(home, mode="observe") as halo:
        assert ask(halo, {**SEARCH, **ODD})
    assert reasons(home) == [
        ("hosted_tool", "web_search", "deny"),
        ("unknown_model_field", "ChatOpenAI.odd", "challenge"),
    ]


def grant_hosted(halo, *names):
    for name in names:
        resource = Resource(impact=Impact.READ, source_trust=0)
        halo.register(ActionKind.TOOL_CALL, f"hosted:{name}", resource=resource)


def test_a_granted_one_goes_out_and_is_named_in_the_log(home):
    with open_halo(home) as halo:
        grant_hosted(halo, "web_search", "mcp:crm@crm.example")
        assert ask(halo, SEARCH)
        assert reasons(home) == [("hosted_tool_offered", "web_search", "monitor")]
        server = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.example/mcp"}
        assert ask(halo, {"extra_body": {"tools": [server]}}, session="t")
        with pytest.raises(Denied):
            ask(halo, {"extra_body": {"tools": [{**server, "server_url": "https://evil.example/mcp"}]}}, session="t")
        with pytest.raises(Denied):
            ask(halo, {**SEARCH, "code_execution": {}}, session="t")
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_an_exposed_session_may_use_what_was_granted(home):
    with open_halo(home) as halo:
        grant_hosted(halo, "mcp:crm@crm.example")
        mail = halo.register(ActionKind.TOOL_CALL, "mail", resource=Resource(impact=Impact.READ, source_trust=100))
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(mail, {}), Calls("see https://crm.example and a@crm.example"), SURFACE)
        server = {"type": "url", "name": "crm", "url": "https://crm.example/mcp"}
        assert ask(halo, {"mcp_servers": [server]})


def test_an_unknown_field_is_one_question(home):
    with open_halo(home) as halo:
        with pytest.raises(Pending) as pending:
            ask(halo, ODD)
        assert pending.value.code == "unknown_model_field"
        with pytest.raises(Pending) as again:
            ask(halo, ODD)
        assert again.value.pending_id == pending.value.pending_id
        assert cli("known", "add", "model_field", "ChatOpenAI.odd", home=home)[0] == 0
        assert ask(halo, ODD)
        assert ask(halo, {**ODD, "odd": {"deeper": 2}}, name="other", session="t")
        with pytest.raises(Pending):
            ask(halo, {"odder": 1}, session="t")
        assert cli("known", "revoke", "model_field", "ChatOpenAI.odd", home=home)[0] == 0
        with pytest.raises(Pending):
            ask(halo, ODD, session="u")
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_an_approved_question_accepts_the_field(home):
    with open_halo(home) as halo:
        assert cli("approver", "enrol", "mia@bank", home=home)[0] == 0
        with pytest.raises(Pending) as pending:
            ask(halo, ODD)
        code, *output = cli("approvals", "approve", pending.value.pending_id, "--as", "mia@bank", home=home)
        assert code == 0, output
        assert ask(halo, ODD)
        assert ask(halo, ODD, name="other", session="t")
    assert len(bodies(home, EntryKind.KNOWN)) == 1
    assert verified(home) == 0


def test_a_refused_question_accepts_nothing(home):
    with open_halo(home) as halo:
        assert cli("approver", "enrol", "mia@bank", home=home)[0] == 0
        with pytest.raises(Pending) as pending:
            ask(halo, ODD)
        assert cli("approvals", "deny", pending.value.pending_id, "--as", "mia@bank", "--why", "no", home=home)[0] == 0
        with pytest.raises((Denied, Pending)):
            ask(halo, ODD)


def test_a_stop_of_a_providers_tool_holds(home):
    with open_halo(home) as halo:
        grant_hosted(halo, "web_search")
        assert ask(halo, SEARCH)
        assert cli("stop", "--tool", "hosted:web_search", "--why", "odd", "--by", "mia", home=home)[0] == 0
        with pytest.raises(Denied) as denied:
            ask(halo, SEARCH)
        assert denied.value.code == "stopped"
        assert ask(halo, {})


def test_the_plan_of_an_ordinary_call_says_nothing_of_such_a_request(home):
    with open_halo(home) as halo:
        assert all(ask(halo, {}) for _ in range(3))
        with pytest.raises(Denied):
            ask(halo, SEARCH)
        with pytest.raises(Pending):
            ask(halo, ODD)
