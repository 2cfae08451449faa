"""The manifest `agents.yaml`: what each agent of a tenant is, what it may do and spend, and when it loses its rights.

`load_manifest(text)` reads it strictly and reports every error at once, with line, column and remedy.
`Manifest.build_passport_spec` says what the passport of an agent grants, given the tools that are registered.

The YAML parser is loaded on first use, since few programs have a manifest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from halo_core.manifest.defaults import (
    DEFAULT_ANSWER_WAIT_S,
    DEFAULT_HOLD_S,
    DEFAULT_TERMS,
    MIN_SUSPENSION_RISK,
    SuspensionRule,
    UnusedGrants,
)

if TYPE_CHECKING:
    from halo_core.manifest.editing import format_declaration, format_grants, replace_declarations, replace_grants
    from halo_core.manifest.manifest import MANIFEST_DOMAIN, Manifest, load_manifest
    from halo_core.manifest.nodes import ManifestError
    from halo_core.manifest.passport_spec import PassportSpec

__all__ = [
    "DEFAULT_ANSWER_WAIT_S",
    "DEFAULT_HOLD_S",
    "DEFAULT_TERMS",
    "MANIFEST_DOMAIN",
    "MIN_SUSPENSION_RISK",
    "Manifest",
    "ManifestError",
    "PassportSpec",
    "SuspensionRule",
    "UnusedGrants",
    "format_declaration",
    "format_grants",
    "load_manifest",
    "replace_declarations",
    "replace_grants",
]

if not TYPE_CHECKING:
    _MODULES = {
        "MANIFEST_DOMAIN": "manifest",
        "Manifest": "manifest",
        "ManifestError": "nodes",
        "PassportSpec": "passport_spec",
        "load_manifest": "manifest",
    }

    def __getattr__(name: str) -> Any:
        """Load a name on first use (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module `halo_core.manifest` has no public name `{name}`")
        module = _MODULES.get(name, "editing")
        return getattr(import_module(f"halo_core.manifest.{module}"), name)
