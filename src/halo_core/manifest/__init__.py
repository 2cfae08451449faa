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
    from halo_core.manifest.manifest import MANIFEST_DOMAIN, Manifest, format_grants, load_manifest, replace_grants
    from halo_core.manifest.nodes import ManifestError, ManifestFinding
    from halo_core.manifest.passport_spec import PassportSpec, RegisteredResource

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
    "Manifest",
    "ManifestError",
    "ManifestFinding",
    "PassportSpec",
    "RegisteredResource",
    "format_grants",
    "load_manifest",
    "replace_grants",
]

_MODULE_OF = {
    "MANIFEST_DOMAIN": "manifest",
    "PRIVILEGES": "agents",
    "Agent": "agents",
    "ManifestFinding": "nodes",
    "PassportSpec": "passport_spec",
    "Manifest": "manifest",
    "ManifestError": "nodes",
    "RegisteredResource": "passport_spec",
    "format_grants": "manifest",
    "load_manifest": "manifest",
    "replace_grants": "manifest",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    module = _MODULE_OF.get(name)
    if module is None:
        raise AttributeError(f"module `halo_core.manifest` has no public name `{name}`")
    return getattr(import_module(f"halo_core.manifest.{module}"), name)
