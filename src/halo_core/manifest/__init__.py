"""The manifest `agents.yaml`: what each agent of a tenant is, may do, spend and lose.

`load_manifest(text)` reads it strictly and reports every error at once, with line, column and remedy;
`Manifest.build_passport_spec` says what the passport of an agent grants, given the tools that are registered.
"""

from halo_core.manifest.agents import PRIVILEGES, Agent
from halo_core.manifest.limits import (
    DEFAULT_BUDGETS,
    DEFAULT_CEILINGS,
    DEFAULT_DECAY,
    DEFAULT_LIFETIME_S,
    DEFAULT_SESSION_LIFETIME_S,
    DEFAULT_TERMS,
)
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
