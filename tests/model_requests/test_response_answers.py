"""Blocks of providers' tools in answers of models, in the shapes of the providers' APIs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pydantic
import pytest

from halo_core.model_requests import find_provider_blocks

WORD = "findings"
BLOCKS = {
    # OpenAI, responses
    "web_search_call": (
        {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": WORD}},
        "web_search",
    ),
    "file_search_call": (
        {"type": "file_search_call", "id": "fs_1", "queries": ["q"], "results": [{"text": WORD, "filename": "a.txt"}]},
        "file_search",
    ),
    "code_interpreter_call": (
        {"type": "code_interpreter_call", "code": "1", "outputs": [{"type": "logs", "logs": WORD}]},
        "code_interpreter",
    ),
    "mcp_call": (
        {"type": "mcp_call", "id": "m", "name": "wire", "server_label": "crm", "arguments": "{}", "output": WORD},
        "mcp:crm",
    ),
    "mcp_list_tools": (
        {"type": "mcp_list_tools", "server_label": "crm", "tools": [{"name": "wire", "description": WORD}]},
        "mcp:crm",
    ),
    "image_generation_call": (
        {"type": "image_generation_call", "revised_prompt": WORD, "result": "x"},
        "image_generation",
    ),
    "url citation": (
        {
            "type": "message",
            "content": [
                {
                    "type": "output_text",
                    "text": "own",
                    "annotations": [{"type": "url_citation", "url": "https://e.example", "title": WORD}],
                }
            ],
        },
        "web_search",
    ),
    "file citation": ({"annotations": [{"type": "file_citation", "filename": WORD}]}, "file_search"),
    # OpenAI, chat completions with search
    "chat citation": (
        {"annotations": [{"type": "url_citation", "url_citation": {"url": "https://e.example", "title": WORD}}]},
        "web_search",
    ),
    # Anthropic
    "server_tool_use": (
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": WORD}},
        "web_search",
    ),
    "web_search_tool_result": (
        {
            "type": "web_search_tool_result",
            "tool_use_id": "s",
            "content": [{"type": "web_search_result", "title": WORD, "url": "https://e", "encrypted_content": "zzz"}],
        },
        "web_search",
    ),
    "web_fetch_tool_result": (
        {"type": "web_fetch_tool_result", "content": {"type": "web_fetch_result", "content": {"title": WORD}}},
        "url_context",
    ),
    "bash_code_execution_tool_result": (
        {"type": "bash_code_execution_tool_result", "content": {"stdout": WORD}},
        "code_interpreter",
    ),
    "mcp_tool_use": (
        {"type": "mcp_tool_use", "id": "m", "name": "wire", "server_name": "crm", "input": {"to": WORD}},
        "mcp:crm",
    ),
    "search citation": (
        {"type": "text", "text": "own", "citations": [{"type": "web_search_result_location", "cited_text": WORD}]},
        "web_search",
    ),
    # Google
    "grounding": (
        {"grounding_metadata": {"grounding_chunks": [{"web": {"uri": "https://e", "title": WORD}}]}},
        "google_search",
    ),
    "groundingMetadata": ({"groundingMetadata": {"webSearchQueries": [WORD]}}, "google_search"),
    "executable code": (
        {"executable_code": {"code": "1"}, "code_execution_result": {"output": WORD}},
        "code_interpreter",
    ),
    "url context": ({"url_context_metadata": {"url_metadata": [{"retrieved_url": WORD}]}}, "url_context"),
    # Bedrock, Mistral, Groq, Perplexity
    "tool execution": ({"type": "tool.execution", "name": "web_search", "arguments": WORD}, "web_search"),
    "tool reference": ({"type": "tool_reference", "tool": "web_search", "title": WORD}, "web_search"),
    "executed tools": ({"executed_tools": [{"type": "search", "output": WORD}]}, "tool_server"),
    "search results": ({"search_results": [{"title": WORD, "url": "https://e"}]}, "web_search"),
    "citation list": ({"citations": [f"https://e.example/{WORD}"]}, "web_search"),
    # LangChain's own forms
    "server_tool_call": (
        {"type": "server_tool_call", "id": "s", "name": "code_interpreter", "args": {"code": WORD}},
        "code_interpreter",
    ),
    "citation with a place": ({"annotations": [{"type": "citation", "url": "https://e", "title": WORD}]}, "web_search"),
    "non standard": (
        {"type": "non_standard", "value": {"type": "web_search_call", "action": {"query": WORD}}},
        "web_search",
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"content": [{"type": "text"}, x]}])
def test_a_block_is_found_with_its_tool_and_its_words(name, wrap):
    tree, tool = BLOCKS[name]
    found = find_provider_blocks(wrap(tree))
    assert {block.name for block in found} == {tool}
    assert any(WORD in text for block in found for text in block.texts)
    assert not any("zzz" in text for block in found for text in block.texts)


@dataclasses.dataclass
class Held:
    type: str
    action: dict[str, Any]


class Output(pydantic.BaseModel):
    output: list[Any]


def test_objects_of_a_client_are_read_as_trees():
    answer = Output(output=[Held("web_search_call", {"query": WORD})])
    (block,) = find_provider_blocks(answer)
    assert (block.kind, block.name) == ("web_search_call", "web_search")
    assert WORD in block.texts


def test_a_result_has_the_name_of_its_call():
    answer = [
        {"type": "mcp_tool_use", "id": "m1", "name": "wire", "server_name": "crm", "input": {}},
        {"type": "mcp_tool_result", "tool_use_id": "m1", "content": [{"type": "text", "text": WORD}]},
        {"type": "server_tool_call", "id": "s1", "name": "web_search", "args": {}},
        {"type": "server_tool_result", "tool_call_id": "s1", "output": WORD},
    ]
    assert [block.name for block in find_provider_blocks(answer)] == ["mcp:crm", "mcp:crm", "web_search", "web_search"]


OWN = {
    "text": {"type": "text", "text": "web_search_call"},
    "client tool call": {"type": "tool_use", "id": "t", "name": "web_search", "input": {"type": "web_search_call"}},
    "function call": {"type": "function_call", "name": "f", "arguments": '{"type": "web_search_call"}'},
    "chat tool calls": {"tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}]},
    "LangChain tool call": {"type": "tool_call", "name": "f", "args": {"citations": ["https://e"]}},
    "reasoning": {"type": "reasoning", "summary": [{"type": "summary_text", "text": "I should search"}]},
    "thinking": {"type": "thinking", "thinking": "web_search_tool_result", "signature": "x"},
    "own document": {"type": "text", "citations": [{"type": "char_location", "cited_text": "a", "document_index": 0}]},
    "own page": {"type": "text", "citations": [{"type": "page_location", "cited_text": "a"}]},
    "own search result": {"citations": [{"type": "search_result_location", "cited_text": "a", "source": ""}]},
    "no grounding": {"grounding_metadata": {}, "annotations": [], "citations": None, "search_results": []},
    "recitation": {"citation_metadata": {"citation_sources": [{"start_index": 1, "uri": "https://e"}]}},
    "usage": {"usage": {"server_tool_use": None, "input_tokens": 1}, "model": "gpt-4o"},
    "usage counts": {"usage": {"server_tool_use": {"web_search_requests": 0}}},
    "empty": {},
}


@pytest.mark.parametrize("name", OWN)
def test_what_the_model_said_itself_is_no_block(name):
    assert find_provider_blocks([OWN[name]]) == ()


def test_large_and_deep_answers_are_read_in_bounded_steps_and_never_count_as_clean():
    many = [{"type": "web_search_call", "action": {"query": "q"}}] * 5_000
    found = find_provider_blocks(many)
    assert len(found) <= 300
    assert "unread" in {block.kind for block in found}
    deep: Any = {"type": "web_search_call"}
    for _ in range(200):
        deep = {"content": [deep]}
    assert [block.kind for block in find_provider_blocks(deep)] == ["unread"]
    circle: dict[str, Any] = {}
    circle["content"] = [circle]
    assert [block.kind for block in find_provider_blocks(circle)] == ["unread"]
    (long, *_rest) = find_provider_blocks({"type": "web_search_call", "action": {"query": "x" * 1_000_000}})
    assert sum(map(len, long.texts)) <= 262_144


def test_an_object_that_misbehaves_is_a_block():
    class Odd(dict):
        def items(self):
            raise RuntimeError("odd")

    assert [block.kind for block in find_provider_blocks({"content": [Odd(a=1)]})] == ["unreadable"]
