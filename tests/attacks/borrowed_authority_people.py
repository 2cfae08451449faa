"""Attacks on people and evidence: what an approver sees, who is named in the log, who may switch enforcement off."""

from __future__ import annotations

import contextlib
import http.server
import json
import sqlite3
import threading
from typing import Any

from agents import Agent, ModelSettings, OpenAIChatCompletionsModel
from borrowed_authority_runs import case
from borrowed_authority_tools import INVITE, LOOKUP, PAY, PAY_NOTE, SEND, WEBHOOK, paying, sending
from borrowed_authority_world import EVIL, Tool, World, langchain_run, openai_run
from openai import AsyncOpenAI

from halo_langchain import Resource
from halo_langchain.testing import ScriptedModel, call


def _asked(world: World, tool: Tool, step: Any, request: str = "Do it", words: str = "", **more: Any) -> str:
    """The page of the only question that a call leaves."""
    with world.open(**more) as halo:
        guarded = halo.guard(world.function(tool), resource=tool.resource)
        langchain_run(halo, [guarded], [call(words, step, id="m1")], [("user", request)], "sync")
    waiting = json.loads(world.cli("approvals", "list", "--json")[1])
    assert len(waiting) == 1, waiting
    return world.cli("approvals", "show", waiting[0]["id"])[1]


@case("approver: a telephone number is masked")
def masked_phone(world: World) -> bool:
    sms = Tool("send_sms", "phone: str, text: str", "Send a text.", Resource(impact="send", targets=("phone",)))
    return "+49 170 5550001" not in _asked(world, sms, ("send_sms", {"phone": "+49 170 5550001", "text": "hi"}))


@case("approver: the second address of a list is masked")
def masked_list(world: World) -> bool:
    many = Tool("send_mail", "to: list, text: str", "Send.", SEND.resource)
    page = _asked(world, many, sending(["ana@corp.example", "eve.long.name@evil.example"]))
    return "eve.long.name@evil.example" not in page


@case("approver: the key of a URL's path is masked")
def masked_url(world: World) -> bool:
    url = "https://hooks.evil.example/services/T0AB/B99/xyzzy-123"
    return url not in _asked(world, WEBHOOK, ("add_webhook", {"url": url, "event": "orders"}))


@case("approver: two cards of one bank look the same in a payment")
def masked_card(world: World) -> bool:
    # Card numbers are kept nowhere (ADR 2); the page has the first six digits and the last four, as on a receipt.
    page = _asked(world, PAY, paying("4111111111111111", 5000.0))
    return "411111" not in page or "1111]" not in page


@case("approver: the amount of a payment is not shown")
def masked_amount(world: World) -> bool:
    page = _asked(world, PAY, paying("ACC-9", 4711.5))
    return "4711.5" not in page and "4,711.5" not in page


def _forged(page: str, head: str, words: str) -> bool:
    return any(line.strip().startswith(head) and words in line for line in page.splitlines())


for _name, _end in (
    ("a line separator", "\u2028"),
    ("a next line", "\x85"),
    ("a carriage return", "\r"),
    ("a form feed", "\x0c"),
):

    @case(f"approver: {_name} in the model's words forges a line")
    def forged_words(world: World, end: str = _end) -> bool:
        return _forged(
            _asked(world, PAY, paying("ACC-9", 5000.0), words=f"ok{end}why               approved before by mia"),
            "why",
            "approved before",
        )


@case("approver: a line end in an argument forges a line")
def forged_argument(world: World) -> bool:
    memo = "rent\nwhere it came from  the user wrote it"
    return _forged(_asked(world, PAY_NOTE, paying("ACC-9", 5000.0, memo=memo)), "where it came", "the user wrote it")


@case("approver: a line end in the request forges a line")
def forged_request(world: World) -> bool:
    request = "Pay rent\nwhy               approved before by mia"
    return _forged(_asked(world, PAY, paying("ACC-9", 5000.0), request), "why", "approved before")


@case("approver: an escape sequence reaches the terminal")
def escape_sequence(world: World) -> bool:
    return "\x1b" in _asked(world, PAY_NOTE, paying("ACC-9", 5000.0, memo="rent \x1b[2K\x1b[1A paid"))


@case("approver: a right-to-left mark turns the account round")
def bidi(world: World) -> bool:
    return "\u202e" in _asked(world, INVITE, ("invite_member", {"member": "\u202eeve", "team": "lab"}))


def _stored(world: World, *names: str) -> bool:
    found = b"".join(file.read_bytes() for file in world.home.rglob("*") if file.is_file() and "vault" not in file.name)
    return any(name.encode() in found for name in names)


@case("evidence: a thread id that is a person's name")
def named_thread(world: World) -> bool:
    from langchain.agents import create_agent
    from langgraph.checkpoint.memory import InMemorySaver

    with world.open() as halo:
        look = halo.guard(world.function(Tool("look", "q: str", "Look.", LOOKUP)), resource=LOOKUP)
        made = create_agent(
            ScriptedModel(script=[call("", ("look", {"q": "z"}), id="m1")]),
            [look],
            middleware=[halo.middleware()],
            checkpointer=InMemorySaver(),
        )
        made.invoke({"messages": [("user", "look")]}, {"configurable": {"thread_id": "ana.lima@example.org"}})
    return _stored(world, "ana.lima@example.org")


@case("evidence: message and call ids that name a person")
def named_ids(world: World) -> bool:
    with world.open(user="ana.user@example.com") as halo:
        look = halo.guard(world.function(Tool("look", "q: str", "Look.", LOOKUP)), resource=LOOKUP)
        langchain_run(
            halo, [look], [call("", ("look", {"q": "z"}), id="ana.lima@example.org")], [("user", "x")], "sync"
        )
    return _stored(world, "ana.lima@example.org", "ana.user@example.com")


def _pays(world: World, mode: str | None, agent: str = "clerk") -> bool:
    before = world.count("pay")
    with contextlib.suppress(Exception), world.open(agent=agent, mode=mode) as halo:
        pays = halo.guard(world.function(PAY), resource=PAY.resource)
        with halo.session(request="Pay ACC-1"):
            pays.invoke({"account": EVIL, "amount": 5000.0})
    return world.count("pay") > before


def _enforced(world: World) -> None:
    assert not _pays(world, "enforce")
    world.cli("enforce", "--yes")
    assert not _pays(world, None)


@case("mode: another agent of the home asks for observe")
def other_agent(world: World) -> bool:
    _enforced(world)
    return _pays(world, "observe", "stranger")


def _edited(world: World, statement: str) -> None:
    with sqlite3.connect(world.home / "halo.db") as db:
        db.execute(statement)
    db.close()


@case("mode: the row of the tool says read, and back")
def resource_row(world: World) -> bool:
    _enforced(world)
    with sqlite3.connect(world.home / "halo.db") as db:
        columns = [row[1] for row in db.execute("pragma table_info(resource)")]
        rows = db.execute("select * from resource").fetchall()
    db.close()
    assert columns
    assert rows
    for column in columns:
        with contextlib.suppress(sqlite3.Error):
            _edited(world, f"update resource set {column} = replace({column}, 'payment', 'read')")
    if not _pays(world, None):
        return False
    for column in columns:
        with contextlib.suppress(sqlite3.Error):
            _edited(world, f"update resource set {column} = replace({column}, 'read', 'payment')")
    return world.cli("verify")[0] == 0


@case("mode: the rows of usage are deleted")
def usage_rows(world: World) -> bool:
    with world.open() as halo:
        pays = halo.guard(world.function(PAY), resource=PAY.resource)
        with halo.session(request="Pay 90 euro to ACC-1"):
            pays.invoke({"account": "ACC-1", "amount": 90.0})
    with contextlib.suppress(sqlite3.Error):
        _edited(world, "delete from usage")
        return world.cli("verify")[0] == 0
    return False


@case("mode: the policy folder is a permit of the application")
def own_policy(world: World) -> bool:
    _enforced(world)
    folder = world.home.parent / "lax"
    folder.mkdir()
    (folder / "all.cedar").write_text('@id("lax.base")\npermit (principal, action, resource);\n')
    before = world.count("pay")
    with contextlib.suppress(Exception), world.open(mode=None, policy=folder) as halo:
        pays = halo.guard(world.function(PAY), resource=PAY.resource)
        with halo.session(request="Pay ACC-1"):
            pays.invoke({"account": EVIL, "amount": 5000.0})
    return world.count("pay") > before and "policy" not in world.cli("log", "--json")[1]


class _Provider(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(asked)  # type: ignore[attr-defined]
        body = json.dumps(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt",
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}
                ],
                "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None: ...


def sent(world: World, **settings: Any) -> list[dict[str, Any]]:
    """What a provider gets of a model call with these settings."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    server.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    with world.open("openai") as halo:
        model = OpenAIChatCompletionsModel(model="gpt", openai_client=AsyncOpenAI(api_key="x", base_url=url))
        made = halo.guard(Agent(name="desk", model=model, model_settings=ModelSettings(**settings)))
        with contextlib.suppress(Exception):
            openai_run(halo, made, "hi", "sync")
    server.shutdown()
    server.server_close()
    return server.seen  # type: ignore[attr-defined]


for _name, _settings in (
    ("functions of the old form", {"extra_body": {"functions": [{"name": "wire"}]}}),
    ("connectors", {"extra_body": {"connectors": [{"id": "mail"}]}}),
    (
        "nested tools",
        {"extra_body": {"metadata": {"tools": [{"type": "web_search"}]}, "tool_choice": "auto", "tools": []}},
    ),
    ("a search field in a header", {"extra_headers": {"x-enable-tools": "web_search"}}),
    ("a query that turns a plugin on", {"extra_query": {"plugins": "web"}}),
    ("data sources", {"extra_body": {"data_sources": [{"type": "azure_search"}]}}),
):

    @case(f"provider: {_name}")
    def provider(world: World, settings: dict[str, Any] = _settings) -> bool:
        return bool(sent(world, **settings))


class _Fielded(ScriptedModel):
    web_search_options: dict | None = None
    server_tools: list | None = None


for _name, _fields, _bound in (
    ("a field of the model's class", {"server_tools": [{"type": "code_execution"}]}, {}),
    ("search options of the model's class", {"web_search_options": {"depth": 1}}, {}),
    ("a bound list of servers", {}, {"mcp_servers": [{"url": "https://x.example"}]}),
    ("a bound container with tools", {}, {"container": {"skills": [{"type": "custom"}]}}),
):

    @case(f"provider: {_name}, langchain")
    def fielded(world: World, fields: dict[str, Any] = _fields, bound: dict[str, Any] = _bound) -> bool:
        with world.open() as halo, contextlib.suppress(Exception):
            model = _Fielded(script=["hello"], **fields)
            made = halo.guard(model.bind(**bound)) if bound else halo.guard(model)
            return bool(made.invoke("hi").text)
        return False
