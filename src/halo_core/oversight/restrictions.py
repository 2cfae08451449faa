"""Stops and revocations, as jobs for `Store.commit`.

A stop can be lifted, a revocation is permanent. The entry records who, what and why; the next decision reads the row.
"""

from __future__ import annotations

from typing import Final

from halo_core.content.redaction import Redactor
from halo_core.errors import ConfigError
from halo_core.model import EntryKind, Stop
from halo_core.stop_files import SCOPES
from halo_core.store import Draft, Transaction
from halo_core.store.rows import RestrictionTable

REVOCABLE: Final = ("agent", "key", "link", "session", "tenant")
"""Scopes of a revocation; its target is an id, a key's thumbprint, or a token's hash."""

_MAX_REASON: Final = 500


def stop(tx: Transaction, stop: Stop, by: str, why: str) -> bool:
    """Stop from the next decision on; False where it is stopped already.

    Raises:
        ConfigError: `bad_stop`.
    """
    _check_target(stop.scope, stop.target, SCOPES, "bad_stop")
    if not RestrictionTable(tx).add("stop", stop.scope, stop.target, stop.since_us):
        return False
    body = {"by": by, "scope": stop.scope, "since_us": stop.since_us, "target": stop.target, "why": mask_reason(why)}
    tx.append(Draft(EntryKind.STOP, "", body))
    return True


def lift(tx: Transaction, scope: str, target: str, by: str, why: str, *, filed: bool = False) -> bool:
    """Lift a stop; False where there is none.

    Args:
        tx: the transaction.
        scope: of the stop.
        target: of the stop.
        by: who lifts it.
        why: in their words.
        filed: the stop is in a file too, which the caller removes; recorded even where there is no row.
    """
    _check_target(scope, target, SCOPES, "bad_stop")
    removed = RestrictionTable(tx).remove("stop", scope, target)
    if removed or filed:
        body = {"by": by, "filed": filed, "scope": scope, "target": target, "why": mask_reason(why)}
        tx.append(Draft(EntryKind.LIFT, "", body))
    return removed or filed


def revoke(tx: Transaction, scope: str, target: str, by: str, why: str) -> bool:
    """Revoke a link, key, agent, session or tenant permanently; False where it is revoked already.

    Raises:
        ConfigError: `bad_revocation`.
    """
    _check_target(scope, target, REVOCABLE, "bad_revocation")
    since = tx.clock.now_us()
    if not RestrictionTable(tx).add("revocation", scope, target, since):
        return False
    body = {"by": by, "scope": scope, "since_us": since, "target": target, "why": mask_reason(why)}
    tx.append(Draft(EntryKind.REVOCATION, "", body))
    return True


def mask_reason(text: str) -> str:
    """A person's reason as entries may hold it: with secrets and personal data masked, and shortened."""
    masked = Redactor.for_views().mask(text)
    return masked if len(masked) <= _MAX_REASON else masked[: _MAX_REASON - 1] + "…"


def _check_target(scope: str, target: str, scopes: tuple[str, ...], code: str) -> None:
    if scope not in scopes or (scope == "all") == bool(target):
        raise ConfigError(
            code, f"`{scope[:32]}` with target `{target[:64]}` is not valid", remedy=f"use one of {', '.join(scopes)}"
        )
