"""Room: taint. Takes: a resource. Gives: the origin of what comes back from it. Never: I/O, a clock."""

from __future__ import annotations

from typing import Final

from halo_core.model import ActionKind, Provenance, Resource

__all__ = ["TRUST_FLOOR", "origin_of_result"]

TRUST_FLOOR: Final = 500
"""Source trust (0..1000) from which content counts as the system's own; below it, it taints the session."""


def origin_of_result(resource: Resource) -> Provenance:
    """`system` or `untrusted`, by how the resource was registered and never by what the content says of itself.

    A model's words are `novel`: they are no source. What it repeats was marked when it was shown it.
    """
    if resource.kind is ActionKind.INFERENCE:
        return Provenance.NOVEL
    return Provenance.SYSTEM if resource.trust >= TRUST_FLOOR else Provenance.UNTRUSTED
