"""What is taken out of a result: every shape that tools, retrievers and models answer in, and both ways to run them."""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import json
from datetime import date
from decimal import Decimal
from enum import Enum
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware.types import ExtendedModelResponse, ModelResponse
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import StructuredTool, tool
from langgraph.types import Command, Send
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.obligations import WITHHELD_NOTICE
from halo_core.enforcement.result_texts import DROPPED_NOTICE
from halo_core.errors import ConfigError, Denied
from halo_core.model import EntryKind, Impact
from halo_core.store.reader import Reader, SealedContents
from halo_langchain import Resource
from halo_langchain._results import (
    DOCUMENTS_SURFACE,
    MODEL_SURFACE,
    TOOL_RESULT_SURFACE,
    make_documents_surface,
    make_model_surface,
    make_tool_surface,
    redact_value,
)
from halo_langchain.testing import ScriptedModel, call

pytestmark = pytest.mark.share(1)  # a case costs next to nothing

PAN = "4111111111111111"
SAID = f"card {PAN} of ana@bank.example"
READ = Resource(impact=Impact.READ, source_trust=900, idempotent=True)
PICTURE = base64.b64encode(bytes(range(256))).decode()
mask = Redactor.for_views().hide


class Colour(Enum):
    RED = "red"
    CARD = PAN


class Pair(NamedTuple):
    a: str
    b: Any


class Report(BaseModel):
    model_config = ConfigDict(extra="allow")
    title: str
    count: int = 0
    inner: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    name: str
    more: Any = None


class Opaque:
    pass


# redaction, shape by shape

QUIET = [
    None,
    True,
    1,
    1.5,
    1700000000000,
    Decimal("1.5"),
    float("nan"),
    Decimal("NaN"),
    Colour.RED,
    PurePosixPath("/tmp/a"),
    "text",
    b"text",
    [],
    {},
    {"a": [1, ("b", {"c"})]},
    Pair("a", 1),
    Report(title="a", more="b"),
    Row("a"),
    Document("a", metadata={"n": 1}),
    ToolMessage("a", tool_call_id="1", artifact={"x": 1}),
    AIMessage("a", id="1", tool_calls=[{"name": "pay", "args": {"card": "4111"}, "id": "c", "type": "tool_call"}]),
    AIMessage("a", id="lc_run--019ab1c2-1234-7567-8901-234567890123", response_metadata={"logprobs": [{"token": "a"}]}),
    ToolMessage([{"type": "image", "base64": PICTURE}], tool_call_id=PAN),
    Command(update={"messages": [ToolMessage("a", tool_call_id="1")]}, goto=[Send("n", {"x": 1})]),
    ModelResponse([AIMessage("a")]),
    ChatResult(generations=[ChatGeneration(message=AIMessage("a"))]),
    LLMResult(generations=[[Generation(text="a")]], llm_output={"token_usage": {"total_tokens": 7}}),
]


@pytest.mark.parametrize("value", QUIET, ids=lambda v: type(v).__name__)
def test_nothing_to_hide_is_the_same_object(value):
    assert redact_value(value, mask) is value


TOLD = [
    SAID,
    SAID.encode(),
    bytearray(SAID.encode()),
    [SAID, 1],
    (SAID, 1),
    {SAID},
    frozenset([SAID]),
    Pair(SAID, [SAID]),
    {"a": {"b": SAID}},
    {SAID: 1},
    {b"k": SAID, 7: SAID, None: SAID},
    int(PAN),
    {"n": float(PAN)},
    [Decimal(PAN)],
    Report(title=SAID),
    Report(title="a", inner=Report(title=SAID)),
    Report(title="a", extra=SAID),
    Row(SAID),
    Row("a", [SAID]),
    Document(SAID, metadata={"by": SAID, "n": int(PAN)}, id="d"),
    [Document("a"), Document(SAID)],
    (SAID, [Document(SAID)]),
    ToolMessage(SAID, tool_call_id="1", artifact=[SAID]),
    ToolMessage([{"type": "text", "text": SAID}, SAID], tool_call_id="1"),
    AIMessage(SAID, id="1"),
    AIMessage("", additional_kwargs={"reasoning_content": SAID}),
    AIMessage("a", name=PAN, id=PAN),
    AIMessage("a", response_metadata={"citations": [SAID]}),
    AIMessage([{"type": "text", "text": "card 4111 1111 "}, {"type": "text", "text": f"1111 1111 {SAID}"}]),
    AIMessage([{"type": "reasoning", "summary": [{"text": "4111 1111"}, {"text": "1111 1111"}]}, SAID]),
    AIMessage([{"type": "image_url", "image_url": {"url": f"https://x.example/?c={PAN}"}}]),
    AIMessage([{"type": "file", "source": {"type": "base64", "data": base64.b64encode(SAID.encode()).decode()}}]),
    AIMessage([{"type": "server_tool_call", "name": "x", "args": {"q": SAID}}]),
    ToolMessage([{"type": "file", "data": PAN}, {"type": "tool_use", "input": SAID, "name": SAID}], tool_call_id="1"),
    ToolMessage("a", tool_call_id="1", additional_kwargs={"tool_calls": [SAID], "function_call": {"name": SAID}}),
    {int(PAN): 1, float(PAN) + 0.0: 2} | {Decimal(PAN): 3},
    ["4111 1111", " 1111 1111"],
    ("4111", "1111", "1111", "1111", SAID),
    AIMessage([{"type": "thinking", "thinking": SAID}]),
    AIMessage(SAID, response_metadata={"logprobs": {"content": [{"token": "4111"}, {"token": PAN}]}}),
    AIMessageChunk(SAID),
    Command(update={"messages": [ToolMessage(SAID, tool_call_id="1")], "note": SAID}),
    Command(update=[("note", SAID)], resume=SAID, goto=[Send("n", {"x": SAID})]),
    ModelResponse([AIMessage(SAID)], structured_response=Report(title=SAID)),
    ExtendedModelResponse(ModelResponse([AIMessage(SAID)]), Command(update={"x": SAID})),
    ChatResult(generations=[ChatGeneration(message=AIMessage(SAID), generation_info={"logprobs": [PAN]})]),
    LLMResult(generations=[[ChatGeneration(message=AIMessage(SAID)), Generation(text=SAID)]]),
    LLMResult(generations=[[ChatGenerationChunk(message=AIMessageChunk(SAID))]]),
]


@pytest.mark.parametrize("value", TOLD, ids=lambda v: type(v).__name__)
def test_every_shape_is_made_again_without_its_secrets(value):
    before = copy.deepcopy(value)
    made = redact_value(value, mask)
    assert PAN not in repr(made)
    assert "ana@bank" not in repr(made)
    assert value == before
    assert type(made) is type(value) or isinstance(value, int)
    assert redact_value(made, mask) is made


def asking(name: str) -> AIMessage:
    """A message that asks for a call, in every place that a provider says so."""
    text = json.dumps({"card": PAN})
    content = [
        {"type": "text", "text": SAID},
        {"type": "tool_use", "id": PAN, "name": name, "input": {"card": PAN}},
        {"type": "function_call", "call_id": PAN, "name": name, "arguments": text},
    ]
    added = {
        "tool_calls": [{"id": PAN, "type": "function", "function": {"name": name, "arguments": text}}],
        "function_call": {"name": name, "arguments": text},
    }
    calls = [{"name": name, "args": {"card": PAN}, "id": PAN, "type": "tool_call"}]
    broken = [{"name": name, "args": text, "id": PAN, "error": "e", "type": "invalid_tool_call"}]
    return AIMessage(content, id="7", tool_calls=calls, invalid_tool_calls=broken, additional_kwargs=added)


def test_what_a_message_asks_a_tool_for_is_the_decision_of_the_tool():
    asked = asking("pay")
    made = redact_value(asked, mask, {"pay"}.__contains__)
    assert made.content[0]["text"] == mask(SAID)
    assert made.content[1:] == asked.content[1:]
    for name in ("tool_calls", "invalid_tool_calls", "additional_kwargs", "id"):
        assert getattr(made, name) == getattr(asked, name)


def test_what_is_asked_for_by_no_tool_is_an_answer_and_is_masked():
    made = redact_value(asking("Pay"), mask, {"pay"}.__contains__)
    hidden = {"card": "[pan …1111]"}
    assert made.tool_calls == [{"name": "Pay", "args": hidden, "id": PAN, "type": "tool_call"}]
    assert json.loads(made.invalid_tool_calls[0]["args"]) == hidden
    assert made.content[1] == {"type": "tool_use", "id": PAN, "name": "Pay", "input": hidden}
    assert json.loads(made.content[2]["arguments"]) == hidden
    (added,) = made.additional_kwargs["tool_calls"]
    assert json.loads(added["function"]["arguments"]) == hidden
    assert json.loads(made.additional_kwargs["function_call"]["arguments"]) == hidden
    chunk = AIMessageChunk("", tool_call_chunks=[{"name": "Pay", "args": f'{{"pin": "{PAN}"}}', "id": "1", "index": 0}])
    made = redact_value(chunk, mask)
    assert json.loads(made.tool_call_chunks[0]["args"]) == made.tool_calls[0]["args"] == {"pin": "[secret]"}


@pytest.mark.parametrize("key", ["text", "error", "note"])
def test_a_call_says_nothing_else(key):
    asked = AIMessage([{"type": "tool_use", "id": "1", "name": "pay", "input": {}, key: SAID}])
    assert PAN not in repr(redact_value(asked, mask, lambda _: True))


def test_only_a_model_asks_for_calls():
    block = {"type": "tool_use", "id": "1", "name": "pay", "input": {"card": PAN}}
    added = {"function_call": {"name": "pay", "arguments": {"card": PAN}}}
    for message in (ToolMessage([block], tool_call_id="1", additional_kwargs=added), HumanMessage([block])):
        assert PAN not in str(redact_value(message, mask, lambda _: True).model_dump())
    assert PAN not in repr(redact_value([block], mask, lambda _: True))


def test_facts_that_nobody_can_read_are_left_out():
    answer = LLMResult(generations=[[Generation(text="a")]], llm_output={"odd": Opaque(), "model_name": "m"})
    assert redact_value(answer, mask).llm_output == {"model_name": "m"}
    made = redact_value(AIMessage("a", response_metadata={"odd": Opaque(), "stop_reason": "end"}), mask)
    assert made.response_metadata == {"stop_reason": "end"}


def test_words_in_pieces_are_masked_as_one():
    blocks = [{"type": "text", "text": "a"}, {"type": "image", "base64": PICTURE}]
    split = [{"type": "text", "text": "card 4111 1111 "}, {"type": "text", "text": "1111 1111."}]
    assert redact_value(AIMessage([*blocks, *split]), mask).content == [
        *blocks,
        {"type": "text", "text": "card [pan …1111]."},
    ]
    assert redact_value(ToolMessage(["my password=hun", "ter2"], tool_call_id="1"), mask).content == [
        "my password=[secret]"
    ]
    assert redact_value(["4111 1111", "1111 1111"], mask) == ["[pan …1111]", ""]
    rows = ["10023", "10024", "2024-01-02", "2024-01-03"]
    assert redact_value(rows, mask) is rows


def test_bytes_of_an_image_are_left():
    url = f"data:image/png;base64,{PICTURE}"
    block = {"type": "image", "base64": PICTURE, "url": url, "data": bytes(range(256)), "caption": SAID}
    made = redact_value(HumanMessage([block, {"type": "image_url", "image_url": {"url": url}}]), mask)
    assert made.content[0] == {**block, "caption": mask(SAID)}
    assert made.content[1] == {"type": "image_url", "image_url": {"url": url}}
    assert PAN not in repr(redact_value(HumanMessage([{"type": "image", "base64": PAN, "url": f"x/{PAN}"}]), mask))


def test_what_a_name_says_is_a_credential_goes_whole():
    found = {
        "password": "hunter2",
        "pin": 1234,
        "rows": [{"name": "token", "value": "abc"}, ["Cookie", "a=b"]],
        "ok": "x",
    }
    assert redact_value(found, mask) == {
        "password": "[secret]",
        "pin": "[secret]",
        "rows": [{"name": "token", "value": "[secret]"}, ["Cookie", "[secret]"]],
        "ok": "x",
    }
    assert redact_value(SecretStr("hunter2"), mask).get_secret_value() == "[secret]"


class Numbered(BaseModel):
    number: int


@pytest.mark.parametrize(
    "value",
    [
        Opaque(),
        [Opaque()],
        (part for part in [SAID]),
        Colour.CARD,
        PurePosixPath(f"/{PAN}"),
        MappingProxyType({"a": SAID}),
        {PAN: 1, "[pan …1111]": 2},
        Numbered(number=int(PAN)),
        type("Words", (list,), {})([SAID]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_made_again_is_said_to_be_so(value):
    with pytest.raises(TypeError):
        redact_value(value, mask)


# notices, shape by shape

WITHHELD = [
    (TOOL_RESULT_SURFACE, SAID, WITHHELD_NOTICE),
    (TOOL_RESULT_SURFACE, b"x", WITHHELD_NOTICE.encode()),
    (TOOL_RESULT_SURFACE, 5, WITHHELD_NOTICE),
    (TOOL_RESULT_SURFACE, None, WITHHELD_NOTICE),
    (TOOL_RESULT_SURFACE, [SAID], [WITHHELD_NOTICE]),
    (TOOL_RESULT_SURFACE, {"a": SAID}, {"notice": WITHHELD_NOTICE}),
    (TOOL_RESULT_SURFACE, Opaque(), WITHHELD_NOTICE),
    (TOOL_RESULT_SURFACE, [Document(SAID)], [Document(WITHHELD_NOTICE)]),
    (DOCUMENTS_SURFACE, [Document(SAID), Document("b")], [Document(WITHHELD_NOTICE)]),
    (DOCUMENTS_SURFACE, [], [Document(WITHHELD_NOTICE)]),
]


@pytest.mark.parametrize(("surface", "value", "left"), WITHHELD)
def test_a_notice_has_the_shape_of_the_result(surface, value, left):
    assert surface.withhold(value, WITHHELD_NOTICE) == left


def test_a_notice_of_a_message_keeps_its_place_and_asks_for_nothing():
    found = ToolMessage(SAID, tool_call_id="1", id="m", name="t", artifact=[SAID], additional_kwargs={"x": SAID})
    made = TOOL_RESULT_SURFACE.withhold(found, WITHHELD_NOTICE)
    assert (made.content, made.tool_call_id, made.id, made.name, made.artifact) == (
        WITHHELD_NOTICE,
        "1",
        "m",
        "t",
        None,
    )
    said = AIMessage(
        SAID,
        id="m",
        tool_calls=[{"name": "pay", "args": {"card": PAN}, "id": "c", "type": "tool_call"}],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"model_name": "n", "logprobs": [PAN]},
        additional_kwargs={"tool_calls": [PAN]},
    )
    made = MODEL_SURFACE.withhold(said, WITHHELD_NOTICE)
    assert (made.content, made.id, made.tool_calls, made.usage_metadata) == (
        WITHHELD_NOTICE,
        "m",
        [],
        said.usage_metadata,
    )
    assert made.response_metadata == {"model_name": "n"}
    assert PAN not in repr(made)
    assert said.tool_calls


def test_a_notice_of_a_command_leads_where_it_led_and_writes_nothing_else():
    found = Command(
        update={"messages": [ToolMessage(SAID, tool_call_id="1")], "note": SAID},
        resume=SAID,
        goto=["bob", Send("n", SAID)],
        graph=Command.PARENT,
    )
    made = TOOL_RESULT_SURFACE.withhold(found, WITHHELD_NOTICE)
    assert PAN not in repr(made)
    assert (list(made.update), made.goto, made.graph) == (["messages"], ["bob"], Command.PARENT)
    assert made.update["messages"][0].content == WITHHELD_NOTICE
    assert TOOL_RESULT_SURFACE.withhold(Command(update=[("note", SAID)], goto="bob"), WITHHELD_NOTICE).goto == ["bob"]


@pytest.mark.parametrize(
    "answer",
    [
        AIMessage(SAID),
        AIMessageChunk(SAID),
        ModelResponse([AIMessage(SAID), ToolMessage(SAID, tool_call_id="1")], structured_response=SAID),
        ExtendedModelResponse(ModelResponse([AIMessage(SAID)]), Command(update={"x": SAID})),
        ChatResult(generations=[ChatGeneration(message=AIMessage(SAID))], llm_output={"raw": SAID, "model_name": "n"}),
        LLMResult(generations=[[Generation(text=SAID)], [ChatGenerationChunk(message=AIMessageChunk(SAID))]]),
    ],
    ids=lambda answer: type(answer).__name__,
)
def test_every_answer_of_a_model_can_be_held_back(answer):
    made = MODEL_SURFACE.withhold(answer, WITHHELD_NOTICE)
    assert type(made) is type(answer)
    assert WITHHELD_NOTICE in repr(made)
    assert PAN not in repr(made)
    assert PAN in repr(answer)


# documents


def chd(text: str, _labels: tuple[str, ...], _id: str) -> bool:
    return PAN not in text


@pytest.mark.parametrize(
    ("value", "left", "dropped"),
    [
        ([Document("a"), Document(SAID)], [Document("a")], 1),
        ([Document("a", metadata={"by": SAID})], [], 1),
        (["a", SAID, {"x": SAID}], ["a"], 2),
        ("a", "a", 0),
        ({"a": 1}, {"a": 1}, 0),
    ],
)
def test_only_the_documents_that_may_not_be_used_go(value, left, dropped):
    before = copy.deepcopy(value)
    assert TOOL_RESULT_SURFACE.filter(value, chd) == (left, dropped)
    assert value == before


@pytest.mark.parametrize(
    "value", [SAID, {"a": SAID}, (SAID, "b"), Row(SAID), Command(update={"note": SAID}), AIMessage(SAID)]
)
def test_what_is_no_list_goes_whole(value):
    left, dropped = TOOL_RESULT_SURFACE.filter(value, chd)
    assert dropped
    assert PAN not in repr(left)


def test_content_goes_with_the_artifact_it_tells_of():
    surface = make_tool_surface(
        StructuredTool.from_function(
            lambda: ("", None), name="t", description="d", response_format="content_and_artifact"
        )
    )
    assert surface.filter(("a b", [Document("a"), Document(SAID)]), chd)[0][1] == [Document("a")]
    content, artifact = surface.filter((SAID, [Document(SAID)]), chd)[0]
    assert PAN not in content
    assert artifact is None
    assert surface.filter(("a", [Document("a")]), chd) == (("a", [Document("a")]), 0)
    assert surface.filter((SAID, [Document("a")]), chd)[0][0] != SAID
    message = ToolMessage("a", tool_call_id="1", artifact=[Document("a"), Document(SAID)])
    left, dropped = surface.filter(message, chd)
    assert (left.artifact, left.tool_call_id, dropped) == ([Document("a")], "1", 1)


@pytest.mark.parametrize(
    "value", [Opaque(), {"a": Opaque()}, (part for part in [SAID]), SecretStr(SAID), map(str, [SAID])]
)
def test_what_nobody_can_read_could_carry_any_label(value):
    def keep(_text: str, _labels: tuple[str, ...], _id: str) -> bool:
        return True

    assert TOOL_RESULT_SURFACE.filter(["a", value], keep) == (["a"], 1)
    left, dropped = TOOL_RESULT_SURFACE.filter(value, keep)
    assert dropped
    assert left in (DROPPED_NOTICE, {"notice": DROPPED_NOTICE})
    assert DOCUMENTS_SURFACE.filter([Document("a", metadata={"x": value}), Document("b")], keep) == ([Document("b")], 1)


@pytest.mark.parametrize("value", [*QUIET[:10], date(2024, 1, 2), UUID(int=1), Row("a", [Report(title="b")])])
def test_what_can_be_read_stays(value):
    assert TOOL_RESULT_SURFACE.filter([value], lambda _text, _labels, _id: True) == ([value], 0)


@pytest.mark.parametrize("labels", [lambda _: [1], lambda _: 1 / 0, lambda _: None])
def test_a_document_whose_labels_nobody_can_tell_is_dropped(labels):
    assert make_documents_surface(labels).filter([Document("a")], lambda _text, _labels, _id: True) == ([], 1)


# end to end

RULES = """
@id("t.base")
permit (principal, action, resource);
@id("t.r")
@effect("restrict")
@obligation("{}")
forbid (principal, action in Action::"{}", resource);
"""


def kept(world: Any) -> str:
    """Everything the ledger keeps of results, opened."""
    outcomes = world.entries(EntryKind.OUTCOME)
    home = world.home / "halo"
    with world.reading():
        contents = SealedContents.with_home_key(Reader(f"sqlite:///{home / 'halo.db'}"), KeyStore(home))
        return "\n".join((contents.open(entry, "output") or b"").decode() for entry in outcomes)


def both(halo: Any, target: Any, value: Any) -> list[Any]:
    """A result the plain and the asynchronous way."""

    async def later() -> Any:
        with halo.session("b"):
            return await target.ainvoke(value)

    with halo.session("a"):
        return [target.invoke(value), asyncio.run(later())]


OUTPUT = ["redact_output()", "hold_output()", "drop_labels(chd)"]


@tool
def read(q: str) -> str:
    """Read a record."""
    return SAID


@tool
async def aread(q: str) -> str:
    """Read a record."""
    return SAID


@pytest.mark.parametrize("obligation", OUTPUT)
def test_what_a_tool_may_not_say_reaches_nobody(make_world, obligation):
    world = make_world(policy=RULES.format(obligation, "tool_call"))
    for result in both(world.halo, world.halo.guard(read, resource=READ), {"q": "x"}):
        assert PAN not in result
        assert "ana@" not in result
    guarded = world.halo.guard(aread, resource=READ)
    with world.halo.session("c"):
        assert PAN not in asyncio.run(guarded.ainvoke({"q": "x"}))
    assert PAN not in kept(world)
    assert world.outcomes() == ["success"] * 3


@pytest.mark.parametrize("obligation", OUTPUT)
def test_what_a_tool_may_not_say_reaches_no_model(make_world, obligation):
    world = make_world(policy=RULES.format(obligation, "tool_call"))
    model = ScriptedModel(script=[call("look", ("read", {"q": "x"}), id="m1"), AIMessage("done")])
    built = create_agent(model, [world.halo.guard(read, resource=READ)], middleware=[world.halo.middleware()])
    for state in both(world.halo, built, {"messages": [("user", "read it")]}):
        assert PAN not in repr(state["messages"])
        assert state["messages"][-1].content == "done"
    assert PAN not in kept(world)


def test_observe_mode_says_all_of_it(make_world):
    world = make_world("observe", policy=RULES.format("hold_output()", "tool_call"))
    assert both(world.halo, world.halo.guard(read, resource=READ), {"q": "x"}) == [SAID, SAID]


class Shelf(BaseRetriever):
    asked: list[str] = Field(default_factory=list)

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.asked.append(query)
        return [Document("plain"), Document(SAID), Document("mine", metadata={"owner": "me"})]


@pytest.mark.parametrize(
    ("obligation", "left"),
    [
        ("drop_labels(chd)", ["plain", "mine"]),
        ("drop_labels(pii)", ["plain", "mine"]),
        ("drop_labels(secret)", ["plain", SAID, "mine"]),
        ("drop_labels(owned)", ["plain", SAID]),
        ("drop_labels(shelf)", []),
        ("redact_output()", ["plain", mask(SAID), "mine"]),
        ("hold_output()", [WITHHELD_NOTICE]),
    ],
)
def test_what_a_retriever_may_not_find_reaches_nobody(make_world, obligation, left):
    world = make_world(policy=RULES.format(obligation, "retrieval"))
    resource = Resource(id="shelf", impact=Impact.READ, source_trust=900, idempotent=True, labels=("shelf",))
    guarded = world.halo.guard(
        Shelf(), resource=resource, labels=lambda found: ["owned"] if "owner" in found.metadata else []
    )
    for documents in both(world.halo, guarded, "x"):
        assert [found.page_content for found in documents] == left
    assert (PAN in kept(world)) is (SAID in left)


def test_labels_stay_with_a_retriever_that_is_guarded_again(make_world):
    world = make_world(policy=RULES.format("drop_labels(own)", "retrieval"))
    once = world.halo.guard(Shelf(), resource=READ, labels=lambda _: ["own"])
    with world.halo.session("s"):
        assert world.halo.guard(once).invoke("x") == []
        assert world.halo.guard(once, resource=READ).invoke("y") == []


def test_labels_that_are_a_text_drop_the_document(make_world):
    world = make_world(policy=RULES.format("drop_labels(owned)", "retrieval"))
    guarded = world.halo.guard(Shelf(), resource=READ, labels=lambda _: "owned")
    with world.halo.session("s"):
        assert guarded.invoke("x") == []


@pytest.mark.parametrize("thing", [read, [read], lambda q: q])
def test_labels_are_for_retrievers(world, thing):
    with pytest.raises(ConfigError) as refused:
        world.halo.guard(thing, resource=READ, labels=lambda _: [])
    assert refused.value.code == "no_documents"


def test_a_callback_drops_documents_by_label_and_redacts_nothing(make_world):
    world = make_world(policy=RULES.format("drop_labels(chd)", "retrieval"))
    shelf = Shelf(name="shelf")
    world.halo.guard(shelf, resource=Resource(id="shelf", impact=Impact.READ, source_trust=900, idempotent=True))
    with world.halo.session("s"):
        found = shelf.invoke("x", {"callbacks": [world.halo.callback()]})
    assert [item.page_content for item in found] == ["plain", "mine"]
    assert PAN not in kept(world)
    world = make_world(policy=RULES.format("redact_output()", "retrieval"))
    world.halo.guard(shelf, resource=Resource(id="shelf", impact=Impact.READ, source_trust=900, idempotent=True))
    with world.halo.session("s"), pytest.raises(Denied) as denied:
        shelf.invoke("x", {"callbacks": [world.halo.callback()]})
    assert denied.value.reason == "needs_guard"


@pytest.mark.parametrize("obligation", ["redact_output()", "hold_output()"])
def test_what_a_model_may_not_say_reaches_nobody(make_world, obligation):
    world = make_world(policy=RULES.format(obligation, "inference"))
    built = create_agent(ScriptedModel(script=[AIMessage(SAID)]), [], middleware=[world.halo.middleware()])
    for state in both(world.halo, built, {"messages": [("user", "who pays?")]}):
        assert len(state["messages"]) == 2
        assert PAN not in repr(state)
    assert PAN not in kept(world)


def test_a_model_that_is_held_back_asks_for_no_tool(make_world):
    ran: list[str] = []

    @tool
    def note(q: str) -> str:
        """Note something."""
        ran.append(q)
        return q

    world = make_world(policy=RULES.format("hold_output()", "inference"))
    model = ScriptedModel(script=[call("look", ("note", {"q": PAN}), id="m1")])
    built = create_agent(model, [world.halo.guard(note, resource=READ)], middleware=[world.halo.middleware()])
    with world.halo.session("s"):
        (_, said) = built.invoke({"messages": [("user", "note it")]})["messages"]
    assert (said.content, said.id, said.tool_calls) == (WITHHELD_NOTICE, "m1", [])
    assert not ran


# arguments


class Payment(BaseModel):
    note: str
    to: Row


@pytest.mark.parametrize("how", ["sync", "async"])
def test_a_redacted_argument_keeps_the_class_that_the_function_expects(make_world, how):
    ran: list[Any] = []

    @tool
    def record(payment: Payment, tags: list[str], q: str = "") -> str:
        """Write a record."""
        ran.append((payment, tags, q))
        return "ok"

    world = make_world(policy=RULES.format("redact(payment)", "tool_call"))
    guarded = world.halo.guard(record, resource=READ)
    args = {"payment": {"note": SAID, "to": {"name": SAID, "more": [1]}}, "tags": [PAN], "q": SAID}
    with world.halo.session("s"):
        asyncio.run(guarded.ainvoke(args)) if how == "async" else guarded.invoke(args)
    ((payment, tags, q),) = ran
    assert isinstance(payment, Payment)
    assert isinstance(payment.to, Row)
    assert payment.note == payment.to.name == mask(SAID)
    assert (payment.to.more, tags, q) == ([1], [PAN], SAID)


def test_a_retriever_is_asked_the_redacted_query(make_world):
    world = make_world(policy=RULES.format("redact(query)", "retrieval"))
    shelf = Shelf(asked=[])
    both(world.halo, world.halo.guard(shelf, resource=READ), SAID)
    assert shelf.asked == [mask(SAID), mask(SAID)]


def test_a_surface_has_all_that_an_obligation_asks_for():
    for surface in (DOCUMENTS_SURFACE, TOOL_RESULT_SURFACE, make_documents_surface(lambda _: [])):
        assert isinstance(surface, Surface)
        assert None not in (surface.filter, surface.redact, surface.withhold)


def test_what_a_redacted_model_asks_for_is_recorded_masked(make_world):
    world = make_world(policy=RULES.format("redact_output()", "inference"))
    model = ScriptedModel(script=[call(SAID, ("read", {"q": PAN}), id="m1"), AIMessage("done")])
    built = create_agent(model, [world.halo.guard(read, resource=READ)], middleware=[world.halo.middleware()])
    with world.halo.session("s"):
        messages = built.invoke({"messages": [("user", "read it")]})["messages"]
    assert messages[1].tool_calls[0]["args"] == {"q": PAN}
    first = kept(world).split("done")[0].split("card " + PAN)[0]
    assert "[pan …1111]" in first
    assert PAN not in first


class Pay(BaseModel):
    """Pay with a card."""

    card: str


class Answering(ScriptedModel):
    def bind_tools(self, tools, **kwargs):
        return self.bind(tools=tools)

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for name, args in (("Pay", '{"card": "4111 1111 '), (None, '1111 1111"}')):
            part = {"name": name, "args": args, "id": name and "m1", "index": 0}
            yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[part]))


@pytest.mark.parametrize("how", ["invoke", "stream", "ainvoke"])
def test_a_structured_answer_is_an_answer(make_world, how):
    world = make_world(policy=RULES.format("redact_output()", "inference"))
    said: list[Any] = []

    class Listening(BaseCallbackHandler):
        def on_llm_end(self, response: Any, **_: Any) -> None:
            said.append(response)

    model = world.halo.guard(Answering(script=[call("", ("Pay", {"card": PAN}), id="m1")]))
    answering = model.with_structured_output(Pay)
    config = {"callbacks": [Listening()]}
    with world.halo.session("s"):
        if how == "stream":
            (*_, got) = answering.stream("q", config)
        else:
            got = asyncio.run(answering.ainvoke("q", config)) if how == "ainvoke" else answering.invoke("q", config)
    assert got == Pay(card="[pan …1111]")
    assert said
    assert PAN not in repr(said)
    assert PAN not in kept(world)


def test_a_guarded_model_hands_a_registered_tool_what_it_asked_for(make_world):
    world = make_world(policy=RULES.format("redact_output()", "inference"))
    world.halo.guard(read, resource=READ)
    model = world.halo.guard(ScriptedModel(script=[call(SAID, ("read", {"q": PAN}), ("other", {"q": PAN}), id="m1")]))
    with world.halo.session("s"):
        got = model.invoke("q")
    assert [item["args"]["q"] for item in got.tool_calls] == [PAN, "[pan …1111]"]
    assert got.text == mask(SAID)


def test_only_calls_of_what_is_registered_are_decided_later(world):
    world.halo.guard(read, resource=READ)
    surface = make_model_surface(world.halo)
    assert surface.redact(asking("read"), mask).tool_calls == asking("read").tool_calls
    assert PAN not in repr(surface.redact(asking("Pay"), mask).tool_calls[0]["args"])


class Splitting(ScriptedModel):
    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        for text in ("4111 1111", " 1111 1111"):
            yield ChatGenerationChunk(message=AIMessageChunk(content=[{"type": "text", "text": text}]))


def test_a_stream_in_blocks_is_masked_as_one(make_world):
    world = make_world(policy=RULES.format("redact_output()", "inference"))
    model = world.halo.guard(Splitting(script=[AIMessage("x")]))
    with world.halo.session("s"):
        assert "".join(part.text for part in model.stream("q")) == "[pan …1111]"
