"""Room: names and registrations that every adapter uses. Takes: what a framework calls a thing. Gives: resources.

Never: decides, registers.
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["MODEL_RESOURCE", "MODEL_SCHEMA", "clean_name", "unknown"]

_NAME: Final = re.compile(r"[^A-Za-z0-9_.:/@ -]")
_MAX_NAME: Final = 128
MODEL_RESOURCE: Final = Resource(
    impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True, classified="guessed"
)
"""What a model is that nobody declared."""
MODEL_SCHEMA: Final[dict[str, Any]] = {
    "properties": {"messages": {"type": "integer"}, "tools": {"items": {"type": "string"}, "type": "array"}},
    "type": "object",
}
"""What a model call is decided on: how many messages, and the names of the tools it may ask for."""


@functools.lru_cache(maxsize=4096)
def clean_name(text: str) -> str:
    """A name as resource ids may be: what they may not hold becomes `_`, at most 128 characters."""
    return _NAME.sub("_", text)[:_MAX_NAME].strip(" ") or "unnamed"


def unknown(name: str, kind: ActionKind) -> Resource:
    """A resource that nobody registered: nobody granted it, so the decision is no."""
    return Resource(id=clean_name(name), kind=kind, source_trust=0, classified="unknown")
