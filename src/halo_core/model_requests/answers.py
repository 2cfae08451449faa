"""Finds what a tool run by the provider put into a model's answer: its calls, its results and its citations.

    find_provider_blocks(response.output)    # (ProviderBlock("web_search_call", "web_search", ("ACME prices",)), ...)

Blocks of OpenAI (responses and chat completions), Anthropic, Google, Bedrock, Mistral, Groq and Perplexity, and the
forms in which frameworks pass them on. Calls that the client runs itself (`tool_use`, `function_call`) are left out,
and so are citations of documents that the request contained.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from halo_core.model_requests.hosted_names import find_bearing_tool, make_tool_name
from halo_core.model_requests.known_fields import normalize_field
from halo_core.model_requests.plain_trees import SCALAR_TYPES, is_absent, is_scalar, to_plain_node
from halo_core.quick_dataclass import dataclass

_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 32
_MAX_BLOCKS: Final = 256
_MAX_CHARS: Final = 262_144
"""Of the texts of one answer's blocks; of more than that, the rest is left out and the last text says so."""


@dataclass(frozen=True, slots=True)
class ProviderBlock:
    """One call, result or citation of a provider's tool.

    Args:
        kind: the provider's word for it, `web_search_call`; of a citation `citation`.
        name: name of the tool, as `hosted:<name>` grants it: `web_search`, `mcp:crm`.
        texts: what it holds: what the tool was asked, what it found, without ids and encrypted parts.
        id: the provider's id of the call, empty if it has none.
    """

    kind: str
    name: str
    texts: tuple[str, ...] = ()
    id: str = ""


_SERVED: Final = re.compile(
    r"server_tool_(?:use|call|result)\w*|mcp_(?:tool_use|tool_result|call|list_tools|approval_request)"
    r"|\w+_tool_result(?:_error|_block\w*)?"
    r"|(?:web_search|web_fetch|file_search|code_interpreter|code_execution|image_generation|tool_search|url_context"
    r"|google_search|x_search|browser_search|collections_search|computer_use|retrieval)(?:_(?:call|output|result|results))"
    r"|tool[._]execution|tool_reference|executable_code|nova_grounding\w*"
)
"""Types of blocks that a provider's tool makes."""
_CLIENT_TYPES: Final = frozenset({"custom_tool_result", "client_tool_result", "function_tool_result"})
_MEMBERS: Final = {
    normalize_field(name): tool
    for tool, names in {
        "google_search": "grounding_metadata",
        "url_context": "url_context_metadata",
        "code_interpreter": "executable_code code_execution_result",
        "web_search": "search_results search_queries web_search_results web_search",
        "tool_server": "executed_tools server_tool_calls mcp_calls built_in_tool_calls",
        "data_source": "citations_content",
    }.items()
    for name in names.split()
}
"""Members of an answer that hold what a provider's tool did, by the tool."""
_CITATIONS: Final = frozenset({"annotations", "citations", "references"})
_PLACES: Final = ("url", "uri", "source")
_FOUND_TYPES: Final = frozenset({"url_citation", "web_search_result_location", "web_search_result", "url_context"})
_FILE_TYPES: Final = frozenset({"file_citation", "container_file_citation", "file_path"})
_HIDDEN: Final = frozenset(
    normalize_field(name)
    for name in (
        "id type status object index start_index end_index signature encrypted_content encrypted_index tool_use_id "
        "tool_call_id call_id container_id file_id data b64_json thought_signature thoughtSignature logprobs role "
        "response_id item_id output_index caller"
    ).split()
)
"""Members that hold no words."""


def find_provider_blocks(answer: Any) -> tuple[ProviderBlock, ...]:
    """Blocks of a provider's tools in an answer; never raises, and takes bounded time.

    Args:
        answer: the provider's answer as trees of mappings, lists and objects with fields, or several of them in a list.
    """
    reader = _AnswerReader()
    try:
        reader.read(answer, "", 0)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - an object that misbehaves when it is read
        reader.blocks.append(ProviderBlock("unreadable", "unreadable"))
    return tuple(reader.name_results())


@dataclass(slots=True)
class _AnswerReader:
    """Reads one answer."""

    blocks: list[ProviderBlock] = field(default_factory=list)
    names_by_id: dict[str, str] = field(default_factory=dict)
    nodes: int = 0
    chars: int = 0

    def name_results(self) -> Iterator[ProviderBlock]:
        """The blocks; a result that only refers to its call gets the call's name."""
        for block in self.blocks:
            name = self.names_by_id.get(block.id, "tool_server") if block.name == _BY_CALL else block.name
            yield ProviderBlock(block.kind, name, block.texts, block.id)

    def read(self, value: Any, member: str, depth: int) -> None:
        """Find the blocks in a tree; `member` is the name of the member that holds it."""
        node = to_plain_node(value)
        if is_scalar(node) or isinstance(node, type):
            return
        self.nodes += 1
        if self.nodes > _MAX_NODES or depth > _MAX_DEPTH or len(self.blocks) > _MAX_BLOCKS:
            self._add_unread()
            return
        if isinstance(node, list):
            for item in node:
                self._read_item(item, member, depth)
        elif isinstance(node, Mapping):
            self._read_mapping(node, member, depth)

    def _add_unread(self) -> None:
        """Note once that part of the answer was not read: any of it may come from a tool."""
        if not any(block.kind == "unread" for block in self.blocks):
            self.blocks.append(ProviderBlock("unread", "unread"))

    def _read_item(self, item: Any, member: str, depth: int) -> None:
        if member in _CITATIONS and isinstance(item, str):
            self._add("citation", "web_search", item)  # a list of addresses
        else:
            self.read(item, member, depth + 1)

    def _read_mapping(self, node: Mapping[Any, Any], member: str, depth: int) -> None:
        kind = node.get("type")
        kind = kind if isinstance(kind, str) else ""
        if _SERVED.fullmatch(kind) is not None and kind not in _CLIENT_TYPES:
            self._add(kind, _name_block(kind, node), node, _find_id(kind, node))
            return
        if self._is_citation(kind, node, member):
            self._add("citation", "file_search" if kind in _FILE_TYPES else "web_search", node)
            return
        for name, item in node.items():
            word = normalize_field(str(name))
            if word in _MEMBERS and not _is_empty(item):
                self._add(str(name), _MEMBERS[word], item)
            elif word not in _ARGUMENTS and type(item) not in SCALAR_TYPES:  # these hold nothing, and are most
                self.read(item, word, depth + 1)

    @staticmethod
    def _is_citation(kind: str, node: Mapping[Any, Any], member: str) -> bool:
        if kind in _FOUND_TYPES or kind in _FILE_TYPES:
            return True
        return member in _CITATIONS and any(isinstance(node.get(name), str) and node.get(name) for name in _PLACES)

    def _add(self, kind: str, name: str, value: Any, block_id: str = "") -> None:
        if len(self.blocks) > _MAX_BLOCKS:
            self._add_unread()
            return
        texts = tuple(self._iterate_texts(value, 0))
        if block_id and name != _BY_CALL:
            self.names_by_id.setdefault(block_id, name)
        self.blocks.append(ProviderBlock(kind, name, texts, block_id))

    def _iterate_texts(self, value: Any, depth: int) -> Iterator[str]:
        node = to_plain_node(value)
        self.nodes += 1
        if self.nodes > _MAX_NODES or depth > _MAX_DEPTH:
            self._add_unread()
        elif isinstance(node, str):
            room = _MAX_CHARS - self.chars
            self.chars += len(node)
            if room > 0 and node:
                yield node[:room]
            if len(node) > room:
                self._add_unread()
        elif isinstance(node, list):
            for item in node:
                yield from self._iterate_texts(item, depth + 1)
        elif isinstance(node, Mapping):
            for name, item in node.items():
                if normalize_field(str(name)) not in _HIDDEN:
                    yield from self._iterate_texts(item, depth + 1)


_BY_CALL: Final = "\0by call"
_ARGUMENTS: Final = frozenset(
    {"arguments", "args", "input", "parsed", "toolcalls", "functioncall", "additionalmodelresponse"}
)
"""Members in which the model's own words stand, as it wrote them for a tool of the client."""


def _is_empty(value: Any) -> bool:
    node = to_plain_node(value)
    if isinstance(node, Mapping):
        return all(map(_is_empty, node.values()))
    return is_absent(node) or node in ("", [], False)


def _name_block(kind: str, node: Mapping[Any, Any]) -> str:
    """Name of the tool that a block comes from."""
    if kind.startswith("mcp"):
        label = _find_text(node, "server_label", "server_name")
        if not label and kind == "mcp_tool_result":
            return _BY_CALL
        return f"mcp:{make_tool_name(label)}" if label else "mcp"
    name = _find_text(node, "name", "tool")
    if not name and kind.startswith(("server_tool_result", "tool_result")):
        return _BY_CALL
    return _name_tool(name or re.sub(r"_(?:tool_result\w*|call|output|results?)$", "", kind))


def _name_tool(word: str) -> str:
    cleaned = make_tool_name(word)
    if "code_execution" in cleaned or cleaned == "executable_code":
        return "code_interpreter"
    return find_bearing_tool(cleaned) or ("tool_server" if cleaned.startswith("tool_search") else cleaned)


def _find_id(kind: str, node: Mapping[Any, Any]) -> str:
    """Id of the call that a block is or answers."""
    names = ("tool_use_id", "tool_call_id", "call_id", "id") if "result" in kind else ("id", "call_id")
    return _find_text(node, *names)


def _find_text(node: Mapping[Any, Any], *names: str) -> str:
    """The first non-empty text among these members; empty if there is none."""
    texts = (node.get(name) for name in names)
    return next((text for text in texts if isinstance(text, str) and text), "")
