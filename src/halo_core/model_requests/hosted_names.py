"""Which names in a model request offer a tool that the provider runs.

Names of fields (`{"web_search_options": ...}`), types of tools, and names of models whose provider runs tools unasked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from halo_core.model_requests.known_fields import normalize_field
from halo_core.model_requests.plain_trees import is_absent

_BEARING: Final = {
    normalize_field(field): tool
    for tool, fields in {
        "agent": "agent agents agent_id agent_ids assistant assistant_id assistants subagents sub_agents multi_agent",
        "apply_patch": "apply_patch",
        "browser": "browser browser_use browse browsing browser_search",
        "code_interpreter": "code_execution code_interpreter code_sandbox container containers execution python_tool",
        "computer_use": "computer computer_use computer_use_preview",
        "connector": "connector connectors connector_id connector_ids",
        "data_source": "data_source data_sources datasource datasources knowledge knowledge_base knowledge_bases "
        "knowledge_base_id knowledge_base_ids collections collection_ids indexes rag rag_config rag_resources",
        "file_search": "file_search file_search_store_names vector_store vector_stores vector_store_ids file_ids",
        "function": "functions function_declarations",
        "google_maps": "google_maps maps_grounding",
        "google_search": "google_search google_search_retrieval grounding grounding_config grounding_source "
        "enterprise_web_search dynamic_retrieval_config dynamic_retrieval",
        "image_generation": "image_generation",
        "mcp": "mcp mcp_server mcp_servers mcp_tools mcp_config mcp_connector mcp_connectors mcp_toolset mcp_toolsets",
        "plugin": "plugin plugins extensions",
        "retrieval": "retrieval retriever retrieval_tool retrieve search_queries_only",
        "shell": "shell local_shell bash",
        "skill": "skill skills",
        "tool_server": "server_tools server_tool servers tool_servers tool_resources toolset toolsets hosted_tools "
        "hosted_tool built_in_tools builtin_tools built_in_tool builtin_tool native_tools provider_tools "
        "remote_tools tool_ids enabled_tools compound_custom",
        "url_context": "url_context web_fetch fetch_url",
        "web_search": "web_search web_search_options web_search_preview web_search_config websearch search "
        "search_parameters search_options search_config search_settings search_mode search_domain_filter "
        "search_recency_filter search_after_date_filter search_before_date_filter search_context_size "
        "enable_search enable_web_search live_search online return_images return_related_questions x_search "
        "enable_citations enable_source return_citations use_search search_info",
    }.items()
    for field in fields.split()
}
"""Normalized name of a field → the tool that it offers."""
_STORED: Final = frozenset({normalize_field("cached_content")})
_OFF_WORDS: Final = frozenset({"", "none", "off", "no", "false", "disabled", "disable", "never", "0", "null"})
_VERSION: Final = re.compile(r"(?:[_-](?:preview|beta|v\d+|\d{4}[_-]?\d{2}[_-]?\d{2}|\d{6,8}))+$")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.:/@-]+")
_MAX_NAME: Final = 96
_MODEL_PATTERNS: Final = (
    ("web_search", re.compile(r"-search-preview|-search-api\b|gpt-[\w.]+-search\b|:online\b|\bsonar(?:-[\w.-]+)?$")),
    ("web_search", re.compile(r"sonar-.*-online|\bpplx-\d+b-online|deepsearch|\bgrok-[\w.-]*search")),
    ("deep_research", re.compile(r"\bdeep-research\b|-deep-research(?:-|$)")),
    ("computer_use", re.compile(r"computer-use")),
    *(
        (tool, re.compile(r"(?:^|/)compound(?:-beta)?(?:-mini)?(?:-[\d-]+)?$"))
        for tool in ("code_interpreter", "web_search")
    ),
    ("web_search", re.compile(r"\bweb-(?:smart|search|express)\b")),
    ("retrieval", re.compile(r"(?:^|/)aqa$")),
    # What is stored at the provider has settings and tools of its own.
    (
        "agent",
        re.compile(r"^arn:[^/]*:(?:agent|agent-alias|flow|prompt|inline-agent)/|(?:^|/)(?:agents?|assistants?)/"),
    ),
)
"""Models whose provider runs a tool without being asked for it."""


@lru_cache(maxsize=4096)
def find_bearing_tool(field: str) -> str:
    """The tool that a field with this name offers; empty if it offers none."""
    return _BEARING.get(normalize_field(field), "")


def names_stored_content(field: str) -> bool:
    """Whether a field with this name names content that the provider keeps, perhaps with tools of its own."""
    return normalize_field(field) in _STORED


def make_tool_name(text: str) -> str:
    """A tool's name as part of a resource id: without its version, other characters replaced by `_`."""
    cleaned = _UNFIT.sub("_", text.strip())
    return (_VERSION.sub("", cleaned) or cleaned)[:_MAX_NAME] or "unnamed"


def is_off(value: object) -> bool:
    """Whether a value switches off what a field offers."""
    if is_absent(value) or value is False:
        return True
    if isinstance(value, str):
        return value.strip().lower() in _OFF_WORDS
    return isinstance(value, list | tuple | set | frozenset) and not value


def find_model_tools(model: str) -> list[str]:
    """Tools that the provider runs unasked for a model with this name."""
    name = model.strip().lower()
    if name.startswith("ft:"):
        name = name.split(":")[1] if name.count(":") > 1 else name
    return list(dict.fromkeys(tool for tool, pattern in _MODEL_PATTERNS if pattern.search(name) is not None))
