"""Room: manifest, `agents.yaml`. Takes: text. Gives: what each agent is, may do, spend and lose. Never: I/O, signing.

text ──▶ tree ──▶ tools, agents (constraints, limits) ──▶ Manifest ──standing(agent, what is registered)──▶ Issue
"""

from halo_core.manifest.agents import PRIVILEGES, Agent
from halo_core.manifest.defaults import (
    DEFAULT_BUDGETS,
    DEFAULT_CEILINGS,
    DEFAULT_DECAY,
    DEFAULT_LIFETIME_S,
    DEFAULT_SESSION_LIFETIME_S,
    DEFAULT_TERMS,
)
from halo_core.manifest.edit import grants_text, with_grants
from halo_core.manifest.findings import Finding, ManifestError
from halo_core.manifest.issue import Issue, Offered
from halo_core.manifest.manifest import Manifest, load

__all__ = [
    "DEFAULT_BUDGETS",
    "DEFAULT_CEILINGS",
    "DEFAULT_DECAY",
    "DEFAULT_LIFETIME_S",
    "DEFAULT_SESSION_LIFETIME_S",
    "DEFAULT_TERMS",
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
