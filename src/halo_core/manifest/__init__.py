"""Room: manifest, `agents.yaml`. Takes: text. Gives: what each agent is, may do, spend and lose. Never: I/O, signing.

text ──▶ tree ──▶ tools, agents (constraints, limits) ──▶ Manifest ──standing(agent, what is registered)──▶ Issue

Names load on first use, so that who needs only the defaults never loads a YAML parser.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from halo_core.manifest.defaults import (
    DEFAULT_BUDGETS,
    DEFAULT_CEILINGS,
    DEFAULT_DECAY,
    DEFAULT_LIFETIME_S,
    DEFAULT_SESSION_LIFETIME_S,
    DEFAULT_TERMS,
)

if TYPE_CHECKING:
    from halo_core.manifest.agents import PRIVILEGES, Agent
    from halo_core.manifest.edit import grants_text, with_grants
    from halo_core.manifest.findings import Finding, ManifestError
    from halo_core.manifest.issue import Issue, Offered
    from halo_core.manifest.manifest import MANIFEST_DOMAIN, Manifest, load

__all__ = [
    "DEFAULT_BUDGETS",
    "DEFAULT_CEILINGS",
    "DEFAULT_DECAY",
    "DEFAULT_LIFETIME_S",
    "DEFAULT_SESSION_LIFETIME_S",
    "DEFAULT_TERMS",
    "MANIFEST_DOMAIN",
    "PRIVILEGES",
    "Agent",
    "Finding",
    "Issue",
    "Manifest",
    "ManifestError",
    "Offered",
    "grants_text",
    "load",
    "with_grants",
]

_ROOM_OF = {
    "MANIFEST_DOMAIN": "manifest",
    "PRIVILEGES": "agents",
    "Agent": "agents",
    "Finding": "findings",
    "Issue": "issue",
    "Manifest": "manifest",
    "ManifestError": "findings",
    "Offered": "issue",
    "grants_text": "edit",
    "load": "manifest",
    "with_grants": "edit",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module `halo_core.manifest` has no public name `{name}`")
    return getattr(import_module(f"halo_core.manifest.{room}"), name)
