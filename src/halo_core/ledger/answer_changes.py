"""What an entry does to a remembered answer, an override or an order to reverse: it grants it, or ends it for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_GRANTS: Final = frozenset({"grant", "request"})
_ENDS: Final = frozenset({"begin", "revoke"})


def gives_answer(body: Mapping[str, Any]) -> bool:
    """Whether an entry with this body creates an answer."""
    return body.get("op") in _GRANTS


def ends_answer(body: Mapping[str, Any]) -> bool:
    """Whether an entry with this body ends an answer: by revoking it, beginning the reversal, or a review."""
    return body.get("op") in _ENDS or (body.get("op") == "review" and body.get("ends") is True)
