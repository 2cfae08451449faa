"""Room: arguments that policies cannot see whole. Takes: arguments, what is read. Gives: reasons. Never: decides.

What looks like a secret is replaced before anything is decided (`halo_core.redact`), and the tool gets the real text. A
rule on the rest has then not seen what runs, and a made-up secret could hide it, so a person looks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.model import Effect, Reason
from halo_core.policy.encode import escape_key
from halo_core.policy.mentions import ALL

__all__ = ["sealed_reasons"]

_SEALED: Final = "halo:secret:"


def sealed_reasons(args: Mapping[str, Any], read: frozenset[str]) -> tuple[Reason, ...]:
    """A challenge for each argument that the policies read and that is sealed in part."""
    if not read:
        return ()
    return tuple(
        Reason("sealed_argument", "policy", name[:64], Effect.CHALLENGE.value)
        for name, value in sorted(args.items())
        if (ALL in read or escape_key(name) in read) and _sealed(value)
    )


def _sealed(value: Any) -> bool:
    if isinstance(value, str):
        return _SEALED in value
    if isinstance(value, Mapping):
        return any(_sealed(key) or _sealed(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(_sealed, value))
