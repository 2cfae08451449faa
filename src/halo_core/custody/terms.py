"""Room: terms of a hand-off, and how entries speak of links. Takes: values. Gives: values. Never: I/O."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from halo_core.errors import BadInput
from halo_core.keys import Signer
from halo_core.model import Budget, Decay, Grants
from halo_core.store import Account

__all__ = ["HandOff", "handback_body", "issuer_facts"]


@dataclass(frozen=True, slots=True)
class HandOff:
    """How much of its own an agent gives to another; None gives what it has.

    Args:
        grants: action kind → resource id → argument → constraint; what the giver lacks is not given.
        labels: data labels.
        budgets: limits; units not named keep the giver's.
        decay: how the authority given falls.
        lifetime_s: seconds.
        to: whom the receiver may hand off to.
    """

    grants: Grants | None = None
    labels: tuple[str, ...] | None = None
    budgets: tuple[Budget, ...] = ()
    decay: Decay | None = None
    lifetime_s: int | None = None
    to: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Refuse terms that no link can hold, where they are written and not in the middle of a decision.

        Raises:
            BadInput: `bad_handoff`.
        """
        life = 1 if self.lifetime_s is None else self.lifetime_s
        budgets = all(0 <= item.per_action <= item.subtree < 2**53 for item in self.budgets)
        lives = (
            ()
            if self.decay is None
            else (self.decay.half_life_s, self.decay.half_life_steps, self.decay.half_life_risk)
        )
        if life < 1 or not budgets or any(not 1 <= item < 2**53 for item in lives):
            raise BadInput("bad_handoff", "no link can hold these terms", field="give", remedy="see `HandOff`")


def handback_body(closed: Sequence[Account], to: Account) -> dict[str, Any]:
    """What an entry says of links that were handed back."""
    return {
        "closed": [
            {
                "agent": item.agent,
                "handle": item.handle,
                "hash": item.hash,
                "spent": [list(s) for s in item.envelope.spent],
            }
            for item in closed
        ],
        "to": {"agent": to.agent, "handle": to.handle},
    }


def issuer_facts(signer: Signer) -> dict[str, str]:
    """How an entry names the key that issued a passport, so that it can be verified when the key is gone."""
    return {"key": base64.b64encode(signer.public_key).decode("ascii"), "kid": signer.key_id}
