"""What stands in the less obvious parts of a result is read, masked and dropped with the rest of it."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from li_world import CARD, Shelf, trusted
from llama_index.core.base.llms.types import DocumentBlock, ImageBlock, TextBlock
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import Document, MediaResource, Node, TextNode
from llama_index.core.tools import AsyncBaseTool, FunctionTool, ToolMetadata, ToolOutput

SECRET = "password: hunter2-XyZ9876543 api_key=sk-abcdef0123456789abcdef0123456789"


def cut(said: str) -> Any:
    node = SentenceSplitter().get_nodes_from_documents([Document(text="Some words.", metadata={"contact": said})])[0]
    node.metadata = {}
    return node


NODES = {
    "related": cut,
    "image": lambda said: Node(text_resource=MediaResource(text="a"), image_resource=MediaResource(text=said)),
    "video": lambda said: Node(text_resource=MediaResource(text="a"), video_resource=MediaResource(text=said)),
    "template": lambda said: TextNode(text="a", text_template="{content} " + said),
}


@pytest.mark.parametrize("part", NODES)
def test_what_a_document_says_elsewhere_is_masked(world, part):
    retriever = world.halo.guard(Shelf(NODES[part](f"card {CARD}")), resource=trusted("masked"))
    found = retriever.retrieve("q")
    assert len(found) == 1
    assert CARD not in found[0].model_dump_json()


@pytest.mark.parametrize("part", NODES)
def test_what_a_document_says_elsewhere_drops_it(world, part):
    retriever = world.halo.guard(Shelf(NODES[part](SECRET), TextNode(text="public")), resource=trusted("labelled"))
    assert [item.node.get_content() for item in retriever.retrieve("q")] == ["public"]


class Failing(AsyncBaseTool):
    @property
    def metadata(self) -> ToolMetadata:
        return ToolMetadata(name="t", description="d")

    def call(self, input: str = "") -> ToolOutput:  # noqa: A002  the framework's name
        error = ValueError(f"card {CARD}")
        return ToolOutput(content="failed", tool_name="t", raw_input={}, raw_output="", is_error=True, exception=error)

    async def acall(self, input: str = "") -> ToolOutput:  # noqa: A002  the framework's name
        return self.call(input)


def test_an_error_beside_what_a_tool_gives_says_no_more_than_that(world):
    output = world.halo.guard(Failing(), resource=trusted("masked")).call("x")
    assert output.content == "failed"
    assert output.exception is None
    assert isinstance(world.halo.guard(Failing(), resource=trusted(id="u")).call("x").exception, ValueError)


def giving(block: Any) -> FunctionTool:
    def give(q: str) -> Any:
        """Give."""
        return [TextBlock(text="here"), block]

    tool = FunctionTool.from_defaults(give)
    if not any(isinstance(item, type(block)) for item in tool.call(q="x").blocks):
        pytest.skip(f"this release of the framework hands on no {type(block).__name__}")
    return tool


def test_words_in_a_blocks_data_are_masked(world):
    block = DocumentBlock(data=f"card {CARD}".encode(), document_mimetype="text/plain", title="t")
    output = world.halo.guard(giving(block), resource=trusted("masked")).call(q="x")
    data = next(item.data for item in output.blocks if isinstance(item, DocumentBlock))
    assert CARD not in base64.b64decode(data).decode()
    assert base64.b64decode(data).decode().startswith("card ")


@pytest.mark.parametrize("block", [DocumentBlock(data=b"\xff\x00%PDF", title="t"), ImageBlock(image=b"\x89PNG\xff")])
def test_data_that_nobody_can_read_passes_no_mask_and_no_label(world, block):
    output = world.halo.guard(giving(block), resource=trusted("masked")).call(q="x")
    assert not any(isinstance(item, type(block)) for item in output.blocks)
    output = world.halo.guard(giving(block), resource=trusted("labelled", id="u")).call(q="x")
    assert not any(isinstance(item, type(block)) for item in output.blocks)
    output = world.halo.guard(giving(block), resource=trusted(id="v")).call(q="x")
    assert any(isinstance(item, type(block)) for item in output.blocks)


def test_facts_beside_an_answer_drop_it(world):
    def answer(q: str) -> Any:
        """Answer."""
        return AgentChatResponse(response="ok", metadata={"leak": SECRET})

    output = world.halo.guard(answer, resource=trusted("labelled")).call(q="x")
    assert "hunter2" not in str(getattr(output.raw_output, "metadata", ""))
