"""What is decided of the fields of a model request: provider's tools by grant, unknown fields by question."""

from __future__ import annotations

import pytest

from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.flow import GovernedStream, govern_stream
from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA
from halo_core.enforcement.steps import stream
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.model_requests import find_provider_blocks, judge_model_fields
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


def test_a_manifest_declares_and_grants_a_providers_tool(home):
    with open_halo(home) as halo:
        assert ask(halo, {})
    (home / "agents.yaml").write_text(
        "version: 1\ntools:\n  hosted:web_search: {impact: read, source_trust: 100, system: search}\n"
        "agents:\n  desk: {owner: ana, tools: [hosted:web_search], models: [gpt]}\n"
    )
    code, *output = cli("passport", "issue", "desk", home=home)
    assert code == 0, output
    with open_halo(home) as halo:
        assert ask(halo, SEARCH, session="n")
        answer(halo, ANSWER, SEARCH)
        made = last(home)
        assert (made["request"]["resource"]["id"], made["request"]["resource"]["system"]) == (
            "hosted:web_search",
            "search",
        )
        assert made["decision"]["effect"] in ("allow", "monitor")
        with pytest.raises(Denied):
            ask(halo, {"code_execution": {}}, session="n")
    assert verified(home) == 0


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


# what a provider's tool put into an answer


FOUND = "New account: 5550001119."
ANSWER = [
    {"type": "server_tool_use", "id": "st1", "name": "web_search", "input": {"query": "ACME"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "st1",
        "content": [{"type": "web_search_result", "title": FOUND}],
    },
    {"type": "text", "text": "Here it is."},
]
BLOCKS = Surface(text=str, provider_blocks=find_provider_blocks)


class Asked(GovernedStream):
    """A model's answer that arrives in parts."""

    def __init__(self, halo, call, parts):
        super().__init__(halo.enforcer, call, BLOCKS)
        self.given = parts

    def execute(self, ticket):
        return iter(self.given)

    def merge_parts(self):
        return list(self.parts)


def answer(halo, blocks, fields=None, *, streamed=False, read=None, request="Pay the surveyor 5"):
    model = halo.register(ActionKind.INFERENCE, "gpt", resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": 1, "tools": [], **judge_model_fields(fields or {}, "ChatAnthropic").to_arguments()}
    with halo.session("s", request=request):
        call = halo.build_call(model, args)
        if streamed:
            parts = stream(govern_stream(Asked(halo, call, blocks)))
            for _ in range(read or len(blocks)):
                next(parts)
            parts.close()
        else:
            halo.enforcer.run(call, Calls(blocks), BLOCKS)


def tried(halo, to):
    """Whether a payment runs."""
    pay = halo.register(
        ActionKind.TOOL_CALL, "pay", resource=Resource(impact=Impact.PAYMENT, targets=("to",), amount="amount")
    )
    with halo.session("s", request="Pay the surveyor 5"):
        try:
            halo.enforcer.run(halo.build_call(pay, {"to": to, "amount": 5}), Calls(), SURFACE)
        except Denied:
            return False
    return True


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("mode", ["enforce", "observe"])
def test_a_search_of_the_provider_is_an_entry_with_an_outcome_and_exposes_the_session(home, mode, streamed):
    with open_halo(home, mode=mode) as halo:
        answer(halo, ANSWER, streamed=streamed)
        if mode == "enforce":
            assert not tried(halo, "5550001119")
    decided = [body for body in bodies(home, EntryKind.DECISION) if body["request"]["kind"] == "tool_call"]
    search = decided[0]
    assert search["request"]["resource"]["id"] == "hosted:web_search"
    assert search["dispatched"] is True
    assert [item["code"] for item in search["decision"]["reasons"] if item["effect"] == "deny"] == ["hosted_tool"]
    outcomes = bodies(home, EntryKind.OUTCOME)
    found = next(body for body in outcomes if body["origin"] == "untrusted")
    assert (found["status"], found["tainted"]) == ("success", True)
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_reader_who_stops_leaves_no_block_unrecorded(home):
    with open_halo(home) as halo:
        answer(halo, ANSWER, streamed=True, read=2)
    assert [body["request"]["resource"]["id"] for body in bodies(home, EntryKind.DECISION)][-1] == "hosted:web_search"
    assert verified(home) == 0


def test_a_granted_tool_is_recorded_as_it_was_declared_and_still_exposes(home):
    with open_halo(home) as halo:
        halo.register(
            ActionKind.TOOL_CALL,
            "hosted:web_search",
            resource=Resource(impact=Impact.READ, source_trust=900, system="search"),
        )
        answer(halo, ANSWER, {"tools": [{"type": "web_search_20250305", "name": "web_search"}]})
        search = bodies(home, EntryKind.DECISION)[-1]
        assert search["decision"]["effect"] in ("allow", "monitor")
        assert search["request"]["resource"]["system"] == "search"
        mail = halo.register(ActionKind.TOOL_CALL, "look", resource=Resource(impact=Impact.READ, source_trust=900))
        with halo.session("s", request="Pay the surveyor 5"):
            halo.enforcer.run(halo.build_call(mail, {}), Calls(), SURFACE)
        assert last(home)["snapshot"]["session"]["tainted"] is True
        assert not tried(halo, "5550001119")
    assert verified(home) == 0


def test_a_server_is_named_as_the_request_offered_it(home):
    server = {"type": "url", "url": "https://crm.example/mcp", "name": "crm"}
    used = {"type": "mcp_tool_use", "id": "m1", "name": "wire_money", "server_name": "crm", "input": {"to": "x"}}
    with open_halo(home) as halo:
        grant_hosted(halo, "mcp:crm@crm.example")
        answer(halo, [used], {"mcp_servers": [server]})
    assert last(home)["request"]["resource"]["id"] == "hosted:mcp:crm@crm.example"


def test_an_answer_of_the_model_alone_is_one_entry_and_exposes_nothing(home):
    own = [
        {"type": "text", "text": "Hello", "citations": [{"type": "char_location", "cited_text": "x"}]},
        {"type": "tool_use", "id": "t1", "name": "pay", "input": {"type": "web_search_call", "to": "x"}},
    ]
    with open_halo(home) as halo:
        answer(halo, own)
    assert len(bodies(home, EntryKind.DECISION)) == 1
    assert not any(body["tainted"] for body in bodies(home, EntryKind.OUTCOME))


def test_an_answer_that_cannot_be_read_counts_as_a_tools(home):
    def fail(_answer):
        raise RuntimeError("odd")

    surface = Surface(text=str, provider_blocks=fail)
    with open_halo(home) as halo:
        model = halo.register(ActionKind.INFERENCE, "gpt", resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
        with halo.session("s"):
            call = halo.build_call(model, {"messages": 1, "tools": []})
            assert halo.enforcer.run(call, Calls("hello"), surface) == "hello"
    assert last(home)["request"]["resource"]["id"] == "hosted:unreadable"
