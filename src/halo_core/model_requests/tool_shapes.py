"""Finds the tools that the provider would run in a request's lists of tools, tool choices and lists of servers.

`list_offered_tools` also finds those that a message offers in the middle of a conversation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from halo_core.model_requests.hosted_names import find_bearing_tool, is_off, make_tool_name
from halo_core.model_requests.known_fields import normalize_field
from halo_core.model_requests.plain_trees import is_absent, is_scalar, to_plain_node

_CLIENT_TYPES: Final = (None, "function", "custom")
_DECLARATIONS: Final = frozenset({"functiondeclarations", "toolspec"})
_MARKS: Final = frozenset({"cachepoint", "cachecontrol"})
"""Entries of a list of tools that only say what to cache."""
_PLAIN_CHOICES: Final = frozenset(
    {"auto", "none", "any", "required", "function", "tool", "custom", "validated", "mode"}
)
_HOSTED_WORDS: Final = frozenset(
    {"web_search_preview", "file_search", "code_interpreter", "computer_use_preview", "image_generation", "mcp"}
)
"""Bare words of a choice that name a provider's tool; `web_search` is as often the name of a function."""
_MAX_SERVERS: Final = 64
_SCHEMA_FIELDS: Final = frozenset(
    normalize_field(name) for name in ("parameters", "input_schema", "function", "custom", "properties", "schema")
)
"""Fields of a tool that describe its arguments, so that any name may stand in them."""


def find_listed_tools(value: Any) -> Iterator[str]:
    """Names of the tools in a list that the provider would run."""
    node = to_plain_node(value)
    if is_off(node):
        return
    for item in node if isinstance(node, list) else [node]:
        yield from _find_item_tools(item)


def _find_item_tools(item: Any) -> Iterator[str]:
    tool = to_plain_node(item)
    if isinstance(tool, type) or (callable(tool) and not isinstance(tool, Mapping)):
        return  # a class or a function describes a tool of the client
    if not isinstance(tool, Mapping):
        if not is_absent(tool):
            yield tool if isinstance(tool, str) else type(tool).__name__
        return
    present = {name: value for name, value in tool.items() if not is_absent(value)}
    names = {normalize_field(str(name)) for name in present}
    if names <= _MARKS:
        return
    is_named = bool(names & {"name", "function"}) or {"title", "properties"} <= names
    if names - _MARKS <= _DECLARATIONS or (is_named and tool.get("type") in _CLIENT_TYPES):
        for name, value in present.items():
            if normalize_field(str(name)) not in _SCHEMA_FIELDS:
                yield from _find_beside(str(name), value)
        return
    yield from _name_tool(present)


def _find_beside(name: str, value: Any) -> Iterator[str]:
    """Tools offered by a field next to a function's name."""
    tool = find_bearing_tool(name)
    if tool and tool != "function" and not is_off(value):
        yield from name_servers(tool, value)


def _name_tool(tool: Mapping[Any, Any]) -> Iterator[str]:
    """Names of a tool that the provider runs: by its type, or by its fields if it has no type."""
    kind = tool.get("type")
    if isinstance(kind, str) and kind:
        tool_name = find_bearing_tool(make_tool_name(kind)) or make_tool_name(kind)
        yield from name_servers("mcp", tool) if tool_name == "mcp" else (tool_name,)
        return
    fields = [str(name) for name in tool if normalize_field(str(name)) not in _DECLARATIONS | _MARKS]
    for name in fields or ["unnamed"]:
        yield from name_servers(find_bearing_tool(name) or make_tool_name(name), tool.get(name))


def list_offered_tools(parts: Iterable[Any]) -> Iterator[Any]:
    """List the tools that items of an input, or blocks of a message's content, add to those of the request.

    Args:
        parts: items or blocks. Those that offer tools look like `{"type": "additional_tools", "tools": [...]}` or
            `{"type": "tool_addition", "tool": {...}}`.
    """
    for part in parts:
        node = part if type(part) is dict else to_plain_node(part)
        if not isinstance(node, Mapping) or _OFFERING_NAMES.isdisjoint(node):
            continue  # so end nearly all parts; each model call reads those of the whole conversation
        for items in map(node.get, _PART_LISTS):
            if isinstance(items, list | tuple):
                yield from list_offered_tools(items)
        if node.get("type") == "non_standard":  # how LangChain writes what only one provider has
            yield from list_offered_tools([node.get("value")])
        tools, tool = node.get("tools"), to_plain_node(node.get("tool"))
        if isinstance(tools, Iterable) and not isinstance(tools, str | bytes | Mapping):
            yield from tools
        if isinstance(tool, Mapping) and tool.get("type") != "tool_reference":
            yield tool.get("definition", tool)


_PART_LISTS: Final = ("built_in_tool_calls", "content", "tool_outputs")
"""Members of a message that hold parts. In the first and the last, adapters keep what a model answered."""
_OFFERING_NAMES: Final = frozenset((*_PART_LISTS, "tool", "tools", "value"))
"""Members of parts that can offer tools."""


def find_choice_tools(value: Any, function_names: Collection[str]) -> Iterator[str]:
    """Names of the provider's tools that a tool choice demands.

    Args:
        value: the choice.
        function_names: names of functions that the client runs.
    """
    choice = to_plain_node(value)
    if is_scalar(choice):
        if isinstance(choice, str) and choice in _HOSTED_WORDS and choice not in function_names:
            yield find_bearing_tool(choice)
        return
    if isinstance(choice, list):
        for item in choice:
            yield from find_choice_tools(item, function_names)
        return
    if not isinstance(choice, Mapping):
        yield type(choice).__name__
        return
    kind = choice.get("type")
    if isinstance(kind, str) and kind not in _PLAIN_CHOICES and kind != "allowed_tools":
        yield from _name_tool(choice)
    for name, item in choice.items():
        field = normalize_field(str(name))
        if field in ("tools", "allowedtools"):
            yield from find_choice_tools(item, function_names)
        elif field not in ("function", "functioncallingconfig", "retrievalconfig", "type", "name", "any", "auto"):
            yield from _find_beside(str(name), item)


def name_servers(tool: str, value: Any) -> Iterator[str]:
    """Names of what a field offers: of servers one each, with label and host; of anything else the tool itself.

    Args:
        tool: what the field offers, `mcp` for servers.
        value: value of the field.
    """
    node = to_plain_node(value)
    if tool != "mcp":
        if not _is_switched_off(node):
            yield tool
        return
    if isinstance(node, Mapping) and not _describes_server(node):
        servers = [_with_label(str(label), item) for label, item in node.items()]
    else:
        servers = list(node) if isinstance(node, list) else [node]
    if not servers:
        yield tool
    for number, server in enumerate(servers):
        if number >= _MAX_SERVERS:
            yield "mcp:too_many"
            return
        yield _name_server(to_plain_node(server))


def _is_switched_off(node: Any) -> bool:
    """Whether settings switch off what they are for: `{"mode": "off"}`."""
    if not isinstance(node, Mapping):
        return is_off(node)
    switches = [node[name] for name in ("enabled", "enable", "mode", "type") if name in node]
    return bool(switches) and any(map(is_off, switches))


_SERVER_FIELDS: Final = frozenset({"url", "serverurl", "serverlabel", "connectorid", "command", "name", "type"})


def _describes_server(node: Mapping[Any, Any]) -> bool:
    return not _SERVER_FIELDS.isdisjoint(normalize_field(str(name)) for name in node)


def _with_label(label: str, item: Any) -> Any:
    node = to_plain_node(item)
    if isinstance(node, Mapping):
        return {**node, "name": label}
    return {"name": label, "url": node if isinstance(node, str) else ""}


def _name_server(server: Any) -> str:
    if not isinstance(server, Mapping):
        return f"mcp:{make_tool_name(server)}" if isinstance(server, str) and server else "mcp"
    fields = {normalize_field(str(name)): value for name, value in server.items()}
    labels = (fields.get(name) for name in ("serverlabel", "label", "name", "id"))
    label = next((text for text in labels if isinstance(text, str) and text), "")
    places = (fields.get(name) for name in ("serverurl", "url", "connectorid", "command"))
    place = next((text for text in places if isinstance(text, str) and text), "")
    host = urlsplit(place).netloc.rpartition("@")[2] if "://" in place else place
    name = "@".join(filter(None, (label, host)))
    return f"mcp:{make_tool_name(name)}" if name else "mcp"
