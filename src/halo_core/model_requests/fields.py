"""Judges the fields of an outgoing model request: which offer a tool that the provider runs, and which are unknown.

    judge_model_fields({"temperature": 0, "web_search_options": {}}, "ChatOpenAI").hosted    # one tool, `web_search`

INVARIANT: FAILCLOSED - a field, or a value of one, that is on no list is asked about (`unknown`). A field that offers a
tool is found at any depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import lru_cache
from typing import Any, Final

from halo_core.model_requests.hosted_names import find_bearing_tool, find_model_tools, is_off, make_tool_name
from halo_core.model_requests.known_fields import (
    BETA_HEADERS,
    HARMLESS_BETAS,
    HARMLESS_HEADERS,
    FieldShape,
    list_known_fields,
    normalize_field,
)
from halo_core.model_requests.plain_trees import is_absent, is_scalar, to_plain_node
from halo_core.model_requests.tool_shapes import find_choice_tools, find_listed_tools, name_servers
from halo_core.quick_dataclass import dataclass

_MAX_NODES: Final = 20_000
_MAX_DEPTH: Final = 32
_MAX_NAMES: Final = 64
_MAX_KEPT_FIELDS: Final = 16
_MAX_KEPT_CHARS: Final = 256
_PLAIN_TYPES: Final = frozenset((str, int, float, bool, type(None)))


@dataclass(frozen=True, slots=True, order=True)
class HostedTool:
    """A tool in a request that the model's provider would run.

    Args:
        name: without `hosted:`, which the resource that grants it begins with.
        pointer: JSON pointer (RFC 6901) of what offers it.
    """

    name: str
    pointer: str


@dataclass(frozen=True, slots=True)
class ModelFields:
    """The judged fields of a model request.

    Args:
        hosted: tools that the provider would run, sorted.
        unknown: fields that no list knows, each as `Class.field`, sorted.
    """

    hosted: tuple[HostedTool, ...] = ()
    unknown: tuple[str, ...] = ()

    def to_arguments(self) -> dict[str, list[str]]:
        """The arguments to decide; empty for an ordinary request."""
        names = sorted({tool.name for tool in self.hosted}) if self.hosted else []
        arguments = {"hosted_tools": names} if names else {}
        return arguments | ({"model_fields": list(self.unknown)} if self.unknown else {})


def judge_model_fields(
    fields: Mapping[str, Any], provider_class: str, function_names: Iterable[str] = ()
) -> ModelFields:
    """Judge the fields of a request as sent; never raises.

    Args:
        fields: of the request, extras merged or in their own fields (`extra_body`), without the function tools whose
            calls are guarded. Texts (`messages`, `input`) are no settings and are not looked at.
        provider_class: name of the class that sends it, `ChatOpenAI`. It says which provider's fields are known.
        function_names: names of the function tools that were left out: a choice of one of them is no provider's tool.
    """
    plain_fields = _list_plain_fields(fields)
    if plain_fields is not None:
        return _judge_plain_fields(plain_fields, provider_class, frozenset(function_names))
    return _judge(fields, provider_class, frozenset(function_names))


def _list_plain_fields(fields: Mapping[str, Any]) -> tuple[tuple[str, type, Any], ...] | None:
    """Names, types and values of a few short, immutable fields; None for any others."""
    if type(fields) is not dict or len(fields) > _MAX_KEPT_FIELDS:
        return None
    items = []
    for name, value in fields.items():
        kind = type(value)
        if type(name) is not str or kind not in _PLAIN_TYPES:
            return None
        if len(name) > _MAX_KEPT_CHARS or (kind is str and len(value) > _MAX_KEPT_CHARS):
            return None
        items.append((name, kind, value))
    return tuple(items)


@lru_cache(maxsize=256)
def _judge_plain_fields(
    items: tuple[tuple[str, type, Any], ...], provider_class: str, function_names: frozenset[str]
) -> ModelFields:
    """Like `_judge`, cached, since an application sends the same few fields with each request."""
    return _judge({name: value for name, _, value in items}, provider_class, function_names)


def _judge(fields: Mapping[str, Any], provider_class: str, function_names: frozenset[str]) -> ModelFields:
    reader = _FieldReader(make_tool_name(provider_class), function_names)
    try:
        reader.read_body(fields, "", 0)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - an object that misbehaves when it is read
        reader.add_unknown("", "unreadable")
    return reader.finish()


@dataclass(slots=True)
class _FieldReader:
    """Reads one request."""

    provider_class: str
    function_names: frozenset[str]
    hosted: set[HostedTool] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    beta_tools: set[HostedTool] = field(default_factory=set)
    nodes: int = 0

    def finish(self) -> ModelFields:
        """The fields found; above a limit of names, a note that there are too many."""
        # A trial feature does nothing by itself: whoever grants the tool that is offered by it grants it too.
        offered = {tool.name.partition(":")[0] for tool in self.hosted}
        self.hosted |= {tool for tool in self.beta_tools if tool.name not in offered}
        if len(self.hosted) + len(self.unknown) > _MAX_NAMES:
            return ModelFields((HostedTool("too_many_fields", ""),))
        return ModelFields(tuple(sorted(self.hosted)), tuple(sorted(self.unknown)))

    def add_hosted(self, names: Iterable[str], pointer: str) -> None:
        """Note tools at a place."""
        self.hosted.update(HostedTool(make_tool_name(name), pointer) for name in names)

    def add_unknown(self, pointer: str, name: str) -> None:
        """Note a field at a place that is in no list."""
        path = [part for part in (*pointer.split("/"), name) if part and not part.isdigit()]
        path = [part for part in path if normalize_field(part) not in _MERGED_NAMES] or path
        self.unknown.add(make_tool_name(".".join((self.provider_class, *path))))

    def _count(self, depth: int) -> bool:
        """Whether one more node may be read."""
        self.nodes += 1
        return self.nodes <= _MAX_NODES and depth <= _MAX_DEPTH

    def read_body(self, body: Any, pointer: str, depth: int) -> None:
        """Read the fields of the request, or of what is merged into it."""
        members = to_plain_node(body)
        if not isinstance(members, Mapping) or not self._count(depth):
            if not is_off(members):
                self.add_unknown(pointer, "")
            return
        known = list_known_fields(self.provider_class)
        for name, value in members.items():
            if not isinstance(name, str):
                self.add_unknown(pointer, "unnamed")
            elif not is_absent(value):
                self._read_field(name, value, known.get(normalize_field(name)), f"{pointer}/{_escape(name)}", depth)

    def _read_field(  # noqa: C901  one branch for each shape
        self, name: str, value: Any, shape: FieldShape | None, pointer: str, depth: int
    ) -> None:
        parent = pointer.rpartition("/")[0]
        if shape is None:
            self._read_unlisted(name, value, parent, depth)
        elif shape is FieldShape.BODY:
            if not is_off(value):
                self.read_body(value, pointer, depth + 1)
        elif shape is FieldShape.TOOLS:
            self.add_hosted(find_listed_tools(value), pointer)
        elif shape is FieldShape.CHOICE:
            self.add_hosted(find_choice_tools(value, self.function_names), pointer)
        elif shape is FieldShape.MODEL:
            self._read_models(value, pointer, depth)
        elif shape is FieldShape.BETAS:
            self._read_betas(value, pointer)
        elif shape is FieldShape.HEADERS:
            self._read_headers(value, pointer)
        elif shape is FieldShape.CONTENT:
            self._read_content(name, value, parent)
        elif shape is FieldShape.FORMAT:
            self._read_format(value, pointer, depth + 1)
        elif shape is FieldShape.SCALARS:
            self._read_scalars(value, pointer, depth + 1)
        else:
            self._read_settings(value, pointer, depth + 1)

    def _read_unlisted(self, name: str, value: Any, pointer: str, depth: int) -> None:
        """Read a field that is in no list: note the tools it offers, else that it is unknown."""
        tool = find_bearing_tool(name)
        if not tool:
            self._walk(value, f"{pointer}/{_escape(name)}", depth + 1)
            self.add_unknown(pointer, name)
        elif not is_off(value):
            self.add_hosted(name_servers(tool, value), f"{pointer}/{_escape(name)}")

    def _read_models(self, value: Any, pointer: str, depth: int) -> None:
        node = to_plain_node(value)
        for item in node if isinstance(node, list) else [node]:
            if isinstance(item, str):
                self.add_hosted(find_model_tools(item), pointer)
            elif not is_absent(item):
                self.read_body(item, pointer, depth + 1)

    def _read_betas(self, value: Any, pointer: str) -> None:
        node = to_plain_node(value)
        for item in node if isinstance(node, list) else [node]:
            if not isinstance(item, str):
                self.add_unknown(pointer, "")
                continue
            for beta in filter(None, map(str.strip, item.split(","))):
                self._read_beta(beta.lower(), pointer)

    def _read_beta(self, beta: str, pointer: str) -> None:
        if HARMLESS_BETAS.fullmatch(beta):
            return
        words = make_tool_name(beta)
        tool = find_bearing_tool(words) or next((name for mark, name in _BETA_TOOLS if mark in beta), "")
        if tool:
            self.beta_tools.add(HostedTool(tool, pointer))
        else:
            self.add_unknown(pointer, words)

    def _read_headers(self, value: Any, pointer: str) -> None:
        node = to_plain_node(value)
        if not isinstance(node, Mapping):
            self.add_unknown(pointer, "")
            return
        for name, text in node.items():
            header = normalize_field(str(name))
            if header in BETA_HEADERS:
                self._read_betas(text, pointer)
            elif header not in HARMLESS_HEADERS and not is_absent(text):
                tool = find_bearing_tool(header) or find_bearing_tool(header.removeprefix("x"))
                if tool:
                    self.add_hosted([tool], f"{pointer}/{_escape(str(name))}")
                else:
                    self.add_unknown(pointer, str(name).lower())

    def _read_content(self, name: str, value: Any, pointer: str) -> None:
        # A prompt that the provider stores brings settings of its own, tools among them.
        if isinstance(to_plain_node(value), Mapping) and normalize_field(name) == "prompt":
            self.add_unknown(pointer, name)

    def _read_format(self, value: Any, pointer: str, depth: int) -> None:
        node = to_plain_node(value)
        if is_scalar(node) or isinstance(node, type) or not self._count(depth):
            return
        if isinstance(node, list):
            if not all(map(is_scalar, node)):
                self.add_unknown(pointer, "")
            return
        if not isinstance(node, Mapping):
            self.add_unknown(pointer, "")
            return
        for name, item in node.items():
            word = normalize_field(str(name))
            if word in ("format", "jsonschema") and isinstance(to_plain_node(item), Mapping):
                self._read_format(item, f"{pointer}/{_escape(str(name))}", depth + 1)
            elif word not in _SCHEMA_WORDS:
                self._read_unlisted(str(name), item, pointer, depth + 1)

    def _read_scalars(self, value: Any, pointer: str, depth: int) -> None:
        node = to_plain_node(value)
        if is_scalar(node) or not self._count(depth):
            return
        if isinstance(node, Mapping):
            for name, item in node.items():
                tool = find_bearing_tool(str(name)) if not is_scalar(item) else ""
                if tool and not is_off(item):
                    self.add_hosted(name_servers(tool, item), f"{pointer}/{_escape(str(name))}")
        items = list(node.values()) if isinstance(node, Mapping) else node
        if isinstance(items, list) and all(is_scalar(item) or _is_scalar_list(item) for item in items):
            return
        self._walk(node, pointer, depth + 1)
        self.add_unknown(pointer, "")

    def _read_settings(self, value: Any, pointer: str, depth: int) -> None:
        """Read settings of any depth, and note tools in them."""
        if not self._walk(value, pointer, depth):
            self.add_unknown(pointer, "")

    def _walk(self, value: Any, pointer: str, depth: int) -> bool:
        """Find tools in a tree; returns whether all of it could be read."""
        node = to_plain_node(value)
        if is_scalar(node) or isinstance(node, type):
            return True
        if not self._count(depth) or not isinstance(node, Mapping | list):
            return False
        if isinstance(node, list):
            return not [item for item in node if not self._walk(item, pointer, depth + 1)]
        kind = node.get("type")
        if isinstance(kind, str) and find_bearing_tool(make_tool_name(kind)):
            self.add_hosted(find_listed_tools(node), pointer)
        return not [name for name, item in node.items() if not self._walk_member(name, item, pointer, depth)]

    def _walk_member(self, name: Any, value: Any, pointer: str, depth: int) -> bool:
        place, word = f"{pointer}/{_escape(str(name))}", normalize_field(str(name))
        tool = find_bearing_tool(str(name))
        if word == "tools":
            self.add_hosted(find_listed_tools(value), place)
        elif word == "toolchoice":
            self.add_hosted(find_choice_tools(value, self.function_names), place)
        elif tool and not is_off(value):
            self.add_hosted(name_servers(tool, value), place)
        elif word in _MODEL_WORDS:
            self._read_models(value, place, depth)
        elif word in ("schema", "jsonschema"):
            return True
        else:
            return self._walk(value, place, depth + 1)
        return True


_BETA_TOOLS: Final = (
    ("mcp", "mcp"),
    ("web-search", "web_search"),
    ("web-fetch", "url_context"),
    ("code-execution", "code_interpreter"),
    ("computer-use", "computer_use"),
    ("skills", "skill"),
    ("tool-use", "tool_server"),
    ("tool-search", "tool_server"),
    ("files-api", "file_search"),
    ("assistants", "agent"),
    ("agents", "agent"),
)
"""What stands in the name of a trial feature → the tool that it switches on."""
_MODEL_WORDS: Final = frozenset({"model", "models", "modelname", "modelid"})
_SCHEMA_WORDS: Final = frozenset(
    normalize_field(word)
    for word in (
        "type name strict description schema verbosity grammar regex choice syntax definition mime_type backend "
        "$schema $id $defs $ref definitions title properties required additionalProperties items enum const anyOf "
        "oneOf allOf not default examples minProperties maxProperties patternProperties propertyOrdering nullable "
        "minItems maxItems minimum maximum pattern json structural_tag"
    ).split()
)
"""Members of a format of answers, and keywords of JSON Schema; what stands below them describes an answer."""
_MERGED_NAMES: Final = frozenset(name for name, shape in list_known_fields("").items() if shape is FieldShape.BODY)
"""Fields whose members are fields of the request, and are named as such."""


def _is_scalar_list(value: Any) -> bool:
    node = to_plain_node(value)
    return isinstance(node, list) and all(map(is_scalar, node))


def _escape(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
