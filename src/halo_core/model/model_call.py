"""What is recorded of a model call: which model, with which parameters, and digests of what it was given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One call of a model, as its decision records it. Texts are named by digest and never repeated.

    Args:
        provider: who runs the model, such as `openai`; empty where unknown.
        version: the model's version as its provider names it; empty where unknown.
        messages: reference of each message in order (`halo_core.references`, 22 characters).
        system: digest of the part that holds the system prompt, empty for none.
        tools: digest of the part that holds the tools' schemas, empty for none.
        parameters: temperature and the like, a canonical tree.
    """

    provider: str = ""
    version: str = ""
    messages: tuple[str, ...] = ()
    system: str = ""
    tools: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "messages": list(self.messages),
            "parameters": dict(self.parameters),
            "provider": self.provider,
            "system": self.system,
            "tools": self.tools,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> ModelCall:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "messages": tuple(tree["messages"])})
