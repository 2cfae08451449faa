"""Parts of entries: what many entries have in common, stored once by digest.

A part is a canonical tree, and its name is a digest over its bytes, so an entry that names a part is bound to it. A
part may name others: a frame names its host, a model its system prompt and its tools.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from halo_core.crypto import canonical
from halo_core.errors import Tampered
from halo_core.model import ModelCall, Origin, Resource, read_digest

PART_DOMAIN: Final = "halo/part/v2"
ReadPart = Callable[[str], Mapping[str, Any]]
"""Digest of a part → its tree."""
Part = tuple[str, bytes]
"""Digest and bytes."""
MESSAGES_PER_PART: Final = 16
"""Messages of a model call that stand in one part, shared with the later calls of the conversation."""

_MAX_PARTS: Final = 4096
_PLAIN: Final = "sha256:"
_REFERENCE_CHARS: Final = 22


class HostPart(NamedTuple):
    """The part `host`: what all decisions of a process share; `Context` and `Snapshot` explain the members."""

    tenant: str
    user_assurance: str
    session_source: str
    origin: Origin
    assurance: str
    abilities: tuple[str, ...]
    policy: str
    mode: str
    control_version: int
    model_hash: str


@lru_cache(maxsize=4096)
def encode_resource(resource: Resource) -> Part:
    """Encode a resource."""
    return make_part(resource.to_plain())


@lru_cache(maxsize=4096)
def encode_host(host: HostPart) -> Part:
    """Encode what all decisions of a process share."""
    tree = host._asdict() | {"abilities": list(host.abilities), "origin": host.origin.to_plain()}
    return make_part(tree)


@lru_cache(maxsize=4096)
def encode_frame(agent: str, user: str, acting: tuple[str, ...], chain: tuple[str, ...], host: str) -> Part:
    """Encode what all decisions of an agent in a session share: the part `frame`.

    Args:
        agent: who acts.
        user: whom it acts for, empty for nobody.
        acting: who acts, from that person down to the agent.
        chain: hashes of its passports, root first.
        host: name of the part of `encode_host`.
    """
    tree: dict[str, Any] = {"agent": agent, "chain": [pack_digest(name) for name in chain], "host": host}
    if user:
        tree["user"] = user
    if acting != make_default_acting(user, agent):
        tree["acting"] = list(acting)
    return make_part(tree)


def make_default_acting(user: str, agent: str) -> tuple[str, ...]:
    """Make the members `acting` of a frame if nobody stands between a person and the agent."""
    return (user, agent) if user else (agent,)


class Frame(NamedTuple):
    """A decoded frame: its tree, and its host's."""

    tree: Mapping[str, Any]
    host: Mapping[str, Any]

    @classmethod
    def read(cls, name: str, read_part: ReadPart) -> Frame:
        """Read the frame with this name."""
        tree = read_part(name)
        return cls(tree, read_part(tree["host"]))


def encode_model(model: ModelCall) -> tuple[dict[str, Any], list[Part]]:
    """Encode a model call: the members that record it, and the parts they refer to.

    Parts of its texts are stored by the caller.

    Messages stand in order: `MESSAGES_PER_PART` of them in a part, for as many parts as are full, then the rest.
    """
    tree: dict[str, Any] = {}
    if model.parameters:
        tree["parameters"] = dict(model.parameters)
    texts = {"provider": model.provider, "version": model.version}
    names = {"system": pack_digest(model.system), "tools": pack_digest(model.tools)}
    tree.update((name, text) for name, text in (texts | names).items() if text)
    parts = [make_part(tree)]
    body: dict[str, Any] = {"model": parts[0][0]}
    if model.messages:
        full = len(model.messages) // MESSAGES_PER_PART * MESSAGES_PER_PART
        shared = [
            encode_messages(model.messages[at : at + MESSAGES_PER_PART]) for at in range(0, full, MESSAGES_PER_PART)
        ]
        parts += shared
        body["messages"] = [*(name for name, _ in shared), *model.messages[full:]]
    return body, parts


@lru_cache(maxsize=1024)
def encode_messages(messages: tuple[str, ...]) -> Part:
    """Encode the references of messages."""
    return make_part({"messages": list(messages)})


def encode_text(text: str) -> Part:
    """Encode a recurring text, such as a system prompt."""
    return make_part({"text": text})


def expand_model(body: Mapping[str, Any], read_part: ReadPart) -> dict[str, Any] | None:
    """Return the tree of the `ModelCall` in a decision's record; None if it records none."""
    if "model" not in body:
        return None
    tree = read_part(body["model"])
    messages: list[str] = []
    for item in body.get("messages", ()):
        messages += (item,) if len(item) == _REFERENCE_CHARS else read_part(item)["messages"]
    return {
        "messages": messages,
        "parameters": tree.get("parameters", {}),
        "provider": tree.get("provider", ""),
        "system": unpack_digest(tree.get("system", "")),
        "tools": unpack_digest(tree.get("tools", "")),
        "version": tree.get("version", ""),
    }


def iter_part_names(body: Mapping[str, Any], read_part: ReadPart) -> Iterator[str]:
    """Iterate over the names of all parts of a decision: those needed to read it, and those of its texts."""
    yield body["resource"]
    yield body["frame"]
    yield read_part(body["frame"])["host"]
    if "model" in body:
        yield body["model"]
        yield from (item for item in body.get("messages", ()) if len(item) != _REFERENCE_CHARS)
        tree = read_part(body["model"])
        yield from (tree[name] for name in ("system", "tools") if name in tree)


def make_part(tree: Mapping[str, Any]) -> Part:
    """Make the part of a tree."""
    data = canonical.dumps(tree)
    return pack_digest(canonical.digest(PART_DOMAIN, data)), data


def pack_digest(digest: str) -> str:
    """Pack a digest into the form that entries hold: base64 of its 32 bytes; an empty one stays empty."""
    return binascii.b2a_base64(read_digest(digest), newline=False).decode("ascii") if digest else ""


def unpack_digest(packed: str, kind: str = _PLAIN) -> str:
    """Inverse of `pack_digest`; ValueError for anything else."""
    if not packed:
        return ""
    data = binascii.a2b_base64(packed, strict_mode=True)
    if len(data) != 32:
        raise ValueError("a digest has 32 bytes")
    return kind + data.hex()


class PartReader:
    """Reads parts by digest, and caches a bounded number of parsed ones.

    Args:
        load_blob: hash → bytes, None if there are none.
    """

    def __init__(self, load_blob: Callable[[str], bytes | None]) -> None:
        self._load_blob = load_blob
        self._trees: dict[str, Mapping[str, Any]] = {}

    def __call__(self, name: str) -> Mapping[str, Any]:
        """The tree of a part.

        Raises:
            Tampered: `part_missing` or `part_altered`.
        """
        tree = self._trees.get(name)
        if tree is None:
            tree = self._parse(name)
            if len(self._trees) >= _MAX_PARTS:
                self._trees.clear()
            self._trees[name] = tree
        return tree

    def _parse(self, name: str) -> Mapping[str, Any]:
        full_name = unpack_digest(name)
        data = self._load_blob(full_name)
        if data is None:
            raise Tampered("part_missing", f"blob {full_name}, which an entry names, is missing")
        if canonical.digest(PART_DOMAIN, data) != full_name:
            raise Tampered("part_altered", f"blob {full_name} does not have this hash")
        tree: Mapping[str, Any] = orjson.loads(data)
        return tree
