"""Fields of model requests: ordinary parameters of the providers pass, tools are found, and the rest is a question."""

from __future__ import annotations

import dataclasses
import string
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.model_requests import judge_model_fields

SCHEMA = {
    "type": "object",
    "properties": {"tools": {"type": "array"}, "agents": {}, "mcp_servers": {"type": "web_search"}},
}
FUNCTION = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA, "strict": True}}
FLAT_FUNCTION = {"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}


class Answer(pydantic.BaseModel):
    plugins: list[str]


@dataclasses.dataclass
class Thinking:
    type: str
    budget_tokens: int


class NotGiven:
    """As a client's mark of an argument that was not given."""


ORDINARY: dict[str, tuple[str, dict[str, Any]]] = {
    "OpenAI chat": (
        "ChatOpenAI",
        {
            "model": "gpt-4.1-mini-2025-04-14",
            "messages": [{"role": "user", "content": [{"type": "web_search_call"}]}],
            "temperature": 0.1,
            "top_p": 1,
            "n": 1,
            "stop": ["\n"],
            "max_tokens": 100,
            "max_completion_tokens": 100,
            "presence_penalty": 0,
            "frequency_penalty": 0.5,
            "logit_bias": {"50256": -100},
            "logprobs": True,
            "top_logprobs": 3,
            "seed": 7,
            "user": "u-1",
            "safety_identifier": "u-1",
            "service_tier": "flex",
            "store": True,
            "metadata": {"team": "desk", "tools": "none"},
            "stream": True,
            "stream_options": {"include_usage": True},
            "reasoning_effort": "low",
            "verbosity": "low",
            "modalities": ["text"],
            "audio": {"voice": "alloy", "format": "wav"},
            "prediction": {"type": "content", "content": "x"},
            "prompt_cache_key": "k",
            "prompt_cache_retention": "24h",
            "parallel_tool_calls": False,
            "tools": [FUNCTION],
            "tool_choice": {"type": "function", "function": {"name": "web_search"}},
            "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}},
            "timeout": 30,
            "extra_headers": {"OpenAI-Organization": "o", "X-Request-ID": "1"},
            "extra_body": None,
            "extra_query": None,
        },
    ),
    "OpenAI responses": (
        "OpenAIResponsesModel",
        {
            "model": "gpt-5-mini",
            "input": "hello",
            "instructions": "be brief",
            "previous_response_id": "resp_1",
            "conversation": {"id": "conv_1"},
            "include": ["reasoning.encrypted_content", "web_search_call.action.sources"],
            "max_output_tokens": 10,
            "max_tool_calls": 3,
            "reasoning": {"effort": "medium", "summary": "auto"},
            "text": {
                "format": {"type": "json_schema", "name": "a", "schema": SCHEMA, "strict": True},
                "verbosity": "low",
            },
            "truncation": "auto",
            "background": False,
            "tools": [FLAT_FUNCTION, {"type": "custom", "name": "c", "format": {"type": "text"}}],
            "tool_choice": "required",
            "top_logprobs": 0,
            "temperature": NotGiven(),
        },
    ),
    "Azure": ("AzureChatOpenAI", {"model": "desk-online", "azure_deployment": "search-helper", "max_tokens": 9}),
    "fine-tuned": ("ChatOpenAI", {"model": "ft:gpt-4o-mini-2024-07-18:acme:sonar-search-api:abc"}),
    "Anthropic": (
        "ChatAnthropic",
        {
            "model": "claude-sonnet-4-5",
            "max_tokens": 1024,
            "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
            "stop_sequences": ["x"],
            "temperature": 1,
            "top_k": 5,
            "thinking": {"type": "enabled", "budget_tokens": 2000},
            "metadata": {"user_id": "u"},
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
            "tools": [
                {"name": "f", "description": "d", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
                {"type": "custom", "name": "g", "input_schema": SCHEMA},
            ],
            "betas": ["prompt-caching-2024-07-31", "interleaved-thinking-2025-05-14", "context-1m-2025-08-07"],
            "context_management": {
                "edits": [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 3}}]
            },
            "service_tier": "auto",
            "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
            "mcp_servers": None,
            "container": None,
        },
    ),
    "Anthropic header": ("Anthropic", {"extra_headers": {"anthropic-beta": "token-efficient-tools-2025-02-19"}}),
    "Anthropic choice": ("Anthropic", {"tool_choice": {"type": "tool", "name": "web_search"}}),
    "Google": (
        "ChatGoogleGenerativeAI",
        {
            "model": "models/gemini-2.5-flash",
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 3,
            "candidate_count": 1,
            "max_output_tokens": 10,
            "stop_sequences": ["x"],
            "safety_settings": [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "threshold": "BLOCK_NONE"}],
            "response_mime_type": "application/json",
            "response_schema": SCHEMA,
            "response_modalities": ["TEXT"],
            "thinking_config": {"thinking_budget": 0, "include_thoughts": False},
            "tools": [{"function_declarations": [{"name": "f", "parameters": SCHEMA}]}],
            "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}},
            "labels": {"team": "desk"},
        },
    ),
    "Google config": (
        "GoogleGenAI",
        {
            "config": {
                "system_instruction": "x",
                "temperature": 0,
                "generation_config": {"max_output_tokens": 1},
                "automatic_function_calling": {"disable": True},
                "tools": [{"functionDeclarations": [{"name": "f"}]}],
                "http_options": {"timeout": 10},
                "seed": 1,
            }
        },
    ),
    "Bedrock": (
        "ChatBedrockConverse",
        {
            "modelId": "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "inferenceConfig": {"maxTokens": 10, "temperature": 0, "topP": 1, "stopSequences": []},
            "additionalModelRequestFields": {"top_k": 5, "thinking": {"type": "enabled", "budget_tokens": 1024}},
            "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1", "trace": "enabled"},
            "performanceConfig": {"latency": "optimized"},
            "requestMetadata": {"a": "b"},
            "toolConfig": {
                "tools": [
                    {"toolSpec": {"name": "f", "inputSchema": {"json": SCHEMA}}},
                    {"cachePoint": {"type": "default"}},
                ],
                "toolChoice": {"auto": {}},
            },
        },
    ),
    "Mistral": (
        "ChatMistralAI",
        {
            "safe_prompt": True,
            "random_seed": 1,
            "prompt_mode": "reasoning",
            "prediction": {"type": "content", "content": ""},
        },
    ),
    "Cohere": (
        "ChatCohere",
        {
            "p": 0.9,
            "k": 0,
            "safety_mode": "NONE",
            "citation_options": {"mode": "OFF"},
            "preamble": "x",
            "connectors": [],
        },
    ),
    "Groq": ("ChatGroq", {"reasoning_format": "hidden", "service_tier": "on_demand", "max_completion_tokens": 9}),
    "Ollama": (
        "ChatOllama",
        {
            "options": {
                "num_ctx": 4096,
                "num_predict": 10,
                "mirostat": 0,
                "repeat_last_n": 2,
                "tfs_z": 1,
                "stop": ["x"],
            },
            "keep_alive": "5m",
            "format": {"type": "object", "properties": {"tools": {"type": "string"}}, "required": ["tools"]},
            "think": False,
            "stream": True,
        },
    ),
    "vLLM": (
        "VLLMOpenAI",
        {
            "extra_body": {
                "guided_json": SCHEMA,
                "guided_choice": ["a", "b"],
                "min_p": 0.1,
                "repetition_penalty": 1.1,
                "chat_template_kwargs": {"enable_thinking": False},
                "use_beam_search": False,
                "skip_special_tokens": True,
            }
        },
    ),
    "vLLM by OpenAI's class": (
        "ChatOpenAI",
        {"extra_body": {"top_k": 20, "chat_template_kwargs": {"enable_thinking": False}}},
    ),
    "LiteLLM": (
        "LitellmModel",
        {"num_retries": 2, "drop_params": True, "metadata": {"tags": ["a"]}, "fallbacks": ["gpt-4o"]},
    ),
    "OpenRouter": (
        "ChatOpenRouter",
        {
            "models": ["anthropic/claude-sonnet-4", "openai/gpt-4o"],
            "provider": {"order": ["anthropic"], "allow_fallbacks": False, "data_collection": "deny"},
            "transforms": ["middle-out"],
            "usage": {"include": True},
            "reasoning": {"max_tokens": 10, "exclude": True},
        },
    ),
    "Grok": ("ChatXAI", {"search_parameters": {"mode": "off"}, "deferred": False}),
    "Hugging Face": (
        "ChatHuggingFace",
        {"max_new_tokens": 5, "do_sample": True, "return_full_text": False, "details": True},
    ),
    "unknown class": ("MyModel", {"temperature": 0, "max_tokens": 5, "stop": None, "user": "u", "metadata": {"a": 1}}),
    "classes as formats": ("ChatOpenAI", {"response_format": Answer, "text_format": Answer}),
    "objects": ("ChatAnthropic", {"thinking": Thinking("enabled", 5), "tools": [Answer, print]}),
    "switched off": (
        "ChatOpenAI",
        {
            "web_search": False,
            "plugins": [],
            "mcp_servers": (),
            "web_search_options": None,
            "enable_search": "off",
            "tools": [],
        },
    ),
    "gpt-oss": ("ChatGroq", {"model": "openai/gpt-oss-120b", "tool_choice": "none"}),
    "sonar-like words": (
        "MyModel",
        {"model": "acme/personar", "engine": "compound-interest", "deployment": "research-deep"},
    ),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_requests_offer_nothing_and_ask_nothing(name):
    provider_class, fields = ORDINARY[name]
    judged = judge_model_fields(fields, provider_class)
    assert (judged.hosted, judged.unknown) == ((), ())
    assert judged.to_arguments() == {}


SERVER = {"type": "mcp", "server_label": "crm", "server_url": "https://mcp.example/sse", "require_approval": "never"}
TOOLS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "search options": ({"web_search_options": {}}, {"web_search"}),
    "search options with words": ({"web_search_options": {"search_context_size": "low"}}, {"web_search"}),
    "servers": (
        {"mcp_servers": [{"type": "url", "url": "https://mcp.example/x", "name": "crm"}]},
        {"mcp:crm@mcp.example"},
    ),
    "servers by name": ({"mcp_servers": {"crm": {"url": "https://mcp.example/x"}}}, {"mcp:crm@mcp.example"}),
    "server tool": ({"tools": [SERVER]}, {"mcp:crm@mcp.example"}),
    "connector": (
        {"tools": [{"type": "mcp", "server_label": "mail", "connector_id": "connector_gmail"}]},
        {"mcp:mail@connector_gmail"},
    ),
    "user information in an address": (
        {"tools": [{**SERVER, "server_url": "https://a:b@mcp.example/"}]},
        {"mcp:crm@mcp.example"},
    ),
    "plugins": ({"plugins": [{"id": "web"}]}, {"plugin"}),
    "search tool": ({"tools": [FUNCTION, {"type": "web_search_preview"}]}, {"web_search"}),
    "dated search tool": (
        {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 2}]},
        {"web_search"},
    ),
    "code tool": ({"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]}, {"code_interpreter"}),
    "file search": ({"tools": [{"type": "file_search", "vector_store_ids": ["v"]}]}, {"file_search"}),
    "image tool": ({"tools": [{"type": "image_generation"}]}, {"image_generation"}),
    "computer tool": ({"tools": [{"type": "computer_use_preview", "display_width": 1}]}, {"computer_use"}),
    "a tool nobody knows": ({"tools": [{"type": "teleport_2"}]}, {"teleport_2"}),
    "a name as a tool": ({"tools": ["web_search"]}, {"web_search"}),
    "google search": ({"tools": [{"google_search": {}}]}, {"google_search"}),
    "google code": ({"tools": [{"code_execution": {}}, {"url_context": {}}]}, {"code_interpreter", "url_context"}),
    "google mixed": ({"tools": [{"function_declarations": [{"name": "f"}], "google_search": {}}]}, {"google_search"}),
    "bedrock": ({"toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}}, {"systemTool"}),
    "functions": ({"functions": [{"name": "f", "parameters": {}}]}, {"function"}),
    "container": ({"container": {"skills": [{"type": "anthropic", "skill_id": "pptx"}]}}, {"code_interpreter"}),
    "data sources": ({"data_sources": [{"type": "azure_search"}]}, {"data_source"}),
    "grok search": ({"search_parameters": {"mode": "auto"}}, {"web_search"}),
    "qwen search": ({"enable_search": True}, {"web_search"}),
    "cohere connectors": ({"connectors": [{"id": "web-search"}]}, {"connector"}),
    "agents": ({"agent_id": "a"}, {"agent"}),
    "assistant": ({"assistant_id": "a"}, {"agent"}),
    "tool resources": ({"tool_resources": {"file_search": {"vector_store_ids": ["v"]}}}, {"tool_server"}),
    "built-in tools": ({"built_in_tools": [{"type": "web_search"}]}, {"tool_server"}),
    "choice": ({"tool_choice": {"type": "web_search_preview"}}, {"web_search"}),
    "choice of a server": ({"tool_choice": {"type": "mcp", "server_label": "crm"}}, {"mcp:crm"}),
    "choice among": (
        {
            "tool_choice": {
                "type": "allowed_tools",
                "mode": "auto",
                "tools": [{"type": "function", "name": "f"}, {"type": "mcp", "server_label": "crm"}],
            }
        },
        {"mcp:crm"},
    ),
    "beta": ({"betas": ["mcp-client-2025-04-04"]}, {"mcp"}),
    "beta in a header": (
        {"extra_headers": {"anthropic-beta": "prompt-caching-2024-07-31,code-execution-2025-05-22"}},
        {"code_interpreter"},
    ),
    "beta with its field": (
        {"betas": ["mcp-client-2025-04-04"], "mcp_servers": [{"url": "https://mcp.example", "name": "crm"}]},
        {"mcp:crm@mcp.example"},
    ),
    "header": ({"extra_headers": {"X-MCP-Servers": "crm"}}, {"mcp"}),
    "search model": ({"model": "gpt-4o-mini-search-preview-2025-03-11"}, {"web_search"}),
    "search api": ({"model": "gpt-5-search-api"}, {"web_search"}),
    "research model": ({"model": "o4-mini-deep-research"}, {"deep_research"}),
    "online": ({"model": "openai/gpt-4o:online"}, {"web_search"}),
    "sonar": ({"model": "sonar"}, {"web_search"}),
    "sonar pro": ({"model": "perplexity/sonar-reasoning-pro"}, {"web_search"}),
    "compound": ({"model": "groq/compound-mini"}, {"code_interpreter", "web_search"}),
    "compound beta": ({"model_name": "compound-beta"}, {"code_interpreter", "web_search"}),
    "computer model": ({"model": "computer-use-preview"}, {"computer_use"}),
    "fallback model": ({"models": ["gpt-4o", "perplexity/sonar"]}, {"web_search"}),
    "fallback with fields": ({"fallbacks": [{"model": "gpt-4o", "plugins": [{"id": "web"}]}]}, {"plugin"}),
}


def nested(fields: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The same fields wherever an extra may carry them."""
    return {
        "plain": fields,
        "extra_body": {"extra_body": fields},
        "extra_args": {"temperature": 0, "extra_args": fields},
        "model_kwargs": {"model_kwargs": {"extra_body": fields}},
        "additional fields": {"additionalModelRequestFields": fields},
        "config": {"config": {"generation_config": fields}},
    }


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("provider_class", ["ChatOpenAI", "Anthropic", "GoogleGenAI", "MyModel"])
def test_a_providers_tool_is_found_wherever_it_stands(name, provider_class):
    fields, names = TOOLS[name]
    for place, tree in nested(fields).items():
        judged = judge_model_fields(tree, provider_class)
        assert {tool.name for tool in judged.hosted} == names, place
        assert judged.unknown == (), place
        assert judged.to_arguments()["hosted_tools"] == sorted(names)
        assert all(tool.pointer.startswith("/") for tool in judged.hosted)


def spell(name: str) -> list[str]:
    """A field's name as others would write it."""
    camel = "".join(word.capitalize() for word in name.split("_"))
    return [name, name.upper(), camel, camel[:1].lower() + camel[1:], name.replace("_", "-"), name.replace("_", "")]


@pytest.mark.parametrize("field", ["web_search_options", "mcp_servers", "plugins", "code_execution", "tool_resources"])
def test_another_spelling_of_a_field_is_the_same_field(field):
    for name in spell(field):
        assert judge_model_fields({name: {"a": 1}}, "ChatOpenAI").hosted, name


HOLDERS = ["metadata", "reasoning", "audio", "thinking", "stream_options", "prediction", "safety_settings", "provider"]
CARRIED = [
    {"tools": [{"type": "web_search"}]},
    {"web_search_options": {}},
    {"extra_body": {"mcp_servers": [{"name": "crm", "url": "https://e.example"}]}},
    {"a": [{"b": {"plugins": [{"id": "web"}]}}]},
    {"type": "web_search_20250305"},
    {"tool_choice": {"type": "code_interpreter"}},
    {"model": "perplexity/sonar"},
]


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("carried", CARRIED, ids=str)
def test_a_tool_inside_of_an_allowed_field_is_found(holder, carried):
    assert judge_model_fields({holder: {"x": carried}}, "ChatOpenRouter").hosted
    assert judge_model_fields({holder: [carried]}, "ChatOpenRouter").hosted


UNKNOWN = {
    "a field": ({"odd": 1}, "odd"),
    "an empty field": ({"odd": {}}, "odd"),
    "an extra": ({"extra_body": {"odd": 1}}, "odd"),
    "nested metadata": ({"metadata": {"a": {"b": 1}}}, "metadata"),
    "a stored prompt": ({"prompt": {"id": "pmpt_1", "variables": {}}}, "prompt"),
    "a format with more": (
        {"response_format": {"type": "json_schema", "json_schema": {}, "odd": 1}},
        "response_format.odd",
    ),
    "a schema with more": (
        {"response_format": {"type": "object", "properties": {}, "hook": "x"}},
        "response_format.hook",
    ),
    "a header": ({"extra_headers": {"X-Odd": "1"}}, "extra_headers.x-odd"),
    "a beta": ({"betas": ["time-travel-2031-01-01"]}, "betas.time-travel"),
    "a query": ({"extra_query": {"odd": "1"}}, "odd"),
    "another server": ({"base_url": "https://e.example"}, "base_url"),
    "an object": ({"temperature": object()}, "temperature"),
    "an object in settings": ({"reasoning": {"a": object()}}, "reasoning"),
    "documents": ({"documents": [{"text": "x"}]}, "documents"),
    "stored content": ({"cached_content": "cachedContents/1"}, "cached_content"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_no_list_knows_is_a_question_by_class_and_field(name):
    fields, path = UNKNOWN[name]
    judged = judge_model_fields(fields, "ChatOpenAI")
    assert judged.hosted == ()
    assert judged.to_arguments() == {"model_fields": [f"ChatOpenAI.{path}"]}
    assert judge_model_fields(fields, "Other").unknown == (f"Other.{path}",)


@pytest.mark.parametrize(
    ("model", "is_stored"),
    [
        ("arn:aws:bedrock:us-east-1:1:prompt/XYZ:1", True),
        ("arn:aws:bedrock:us-east-1:1:agent-alias/A/B", True),
        ("agents/my-agent", True),
        ("projects/x/locations/y/agents/z", True),
        ("groq/compound-mini-2025-08-01", True),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude", False),
        ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2", False),
        ("models/gemini-2.5-flash", False),
    ],
)
def test_what_is_stored_at_the_provider_brings_tools_of_its_own(model, is_stored):
    assert bool(judge_model_fields({"model": model}, "ChatBedrockConverse").hosted) is is_stored


def test_a_function_may_have_any_name():
    assert judge_model_fields({"tool_choice": "web_search"}, "ChatOpenAI").hosted == ()
    assert judge_model_fields({"tool_choice": "file_search"}, "ChatOpenAI", ["file_search"]).hosted == ()
    assert judge_model_fields({"tool_choice": "file_search"}, "ChatOpenAI").hosted
    assert judge_model_fields({"metadata": {"mcp_servers": ["crm"]}}, "ChatOpenAI").hosted


def test_a_field_of_one_provider_is_a_question_elsewhere():
    assert judge_model_fields({"safe_prompt": True}, "ChatMistralAI").unknown == ()
    assert judge_model_fields({"safe_prompt": True}, "MyModel").unknown == ("MyModel.safe_prompt",)


@pytest.mark.parametrize("beside", ["mcp_servers", "plugins", "web_search_options"])
def test_a_function_tool_with_a_tool_beside_it_is_no_function(beside):
    judged = judge_model_fields({"tools": [{**FLAT_FUNCTION, beside: [{"name": "x"}]}]}, "ChatOpenAI")
    assert judged.hosted


def test_large_deep_and_circular_requests_are_judged_in_bounded_steps():
    circle: dict[str, Any] = {"temperature": 0}
    circle["extra_body"] = circle
    circle["reasoning"] = [circle]
    assert judge_model_fields(circle, "ChatOpenAI").unknown
    deep: Any = {"tools": [{"type": "web_search"}]}
    for _ in range(500):
        deep = {"reasoning": deep}
    assert judge_model_fields(deep, "ChatOpenAI").unknown
    wide = judge_model_fields({f"odd{i}": 1 for i in range(5_000)}, "ChatOpenAI")
    assert wide.to_arguments() == {"hosted_tools": ["too_many_fields"]}
    many = judge_model_fields({"mcp_servers": [{"name": f"s{i}"} for i in range(10_000)]}, "ChatOpenAI")
    assert many.hosted
    long = judge_model_fields({"x" * 1_000_000: 1, "tools": [{"type": "y" * 1_000_000}]}, "Z" * 1_000_000)
    assert all(len(name) <= 128 for name in [*long.unknown, *(tool.name for tool in long.hosted)])
    assert judge_model_fields({"metadata": {f"k{i}": [1] * 100 for i in range(1_000)}}, "ChatOpenAI").hosted == ()


class Hostile(dict):
    def items(self):
        raise RuntimeError("odd")

    values = items


@pytest.mark.parametrize("value", [Hostile(a=1), [Hostile(a=1)], {"a": Hostile(a=1)}])
def test_an_object_that_misbehaves_is_a_question(value):
    for fields in ({"metadata": value}, {"extra_body": value}, {"tools": value}, {"reasoning": value}):
        judged = judge_model_fields(fields, "ChatOpenAI")
        assert judged.unknown or judged.hosted


names = st.text(string.ascii_letters + string.digits + "_-./ \u00e9\u4e00", max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(names, values, max_size=5), names)
def test_any_request_is_judged_the_same_way_each_time(fields, provider_class):
    judged = judge_model_fields(fields, provider_class)
    assert judged == judge_model_fields(dict(reversed(fields.items())), provider_class)
    arguments = judged.to_arguments()
    assert all(name.isascii() and name.isprintable() for items in arguments.values() for name in items)


@given(
    st.sampled_from(sorted(TOOLS)),
    st.dictionaries(names, values, max_size=4),
    st.sampled_from(["extra_body", "", "model_kwargs"]),
)
def test_no_other_field_hides_a_tool(name, others, place):
    fields, expected = TOOLS[name]
    if len(fields) > 1:
        return  # a trial feature is named by the field that needs it
    tree = {**others, **fields}
    judged = judge_model_fields({**others, place: tree} if place else tree, "ChatOpenAI")
    assert (
        expected <= {tool.name for tool in judged.hosted} or "too_many_fields" in judged.to_arguments()["hosted_tools"]
    )


@given(st.sampled_from(sorted(ORDINARY)))
def test_a_new_field_beside_ordinary_ones_is_one_question(name):
    provider_class, fields = ORDINARY[name]
    assert judge_model_fields({**fields, "odd": 1}, provider_class).unknown == (f"{provider_class}.odd",)


def test_equal_values_of_other_types_are_judged_for_themselves():
    # `False` switches a search off; 0 and 0.0 are no words of that field, however equal.
    judged = [judge_model_fields({"enable_search": value}, "ChatOpenAI").hosted for value in (False, 0, 0.0, True, 1)]
    assert [bool(hosted) for hosted in judged] == [False, True, True, True, True]
    fields = {"temperature": 1, "enable_search": False}
    assert not judge_model_fields(fields, "ChatOpenAI").hosted
    fields["enable_search"] = True
    assert judge_model_fields(fields, "ChatOpenAI").hosted
