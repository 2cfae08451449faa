"""The manifest `agents.yaml`: what each agent of a tenant is, may do, spend and lose.

`load_manifest(text)` reads it strictly and reports every error at once, with line, column and remedy;
`Manifest.build_passport_spec` says what the passport of an agent grants, given the tools that are registered.
"""

from halo_core.manifest.agents import DEFAULT_TERMS
from halo_core.manifest.manifest import MANIFEST_DOMAIN, Manifest, format_grants, load_manifest, replace_grants
from halo_core.manifest.nodes import ManifestError
from halo_core.manifest.passport_spec import PassportSpec

__all__ = [
    "DEFAULT_TERMS",
    "MANIFEST_DOMAIN",
    "Manifest",
    "ManifestError",
    "PassportSpec",
    "format_grants",
    "load_manifest",
    "replace_grants",
]
