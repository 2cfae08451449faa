"""Terms of a hand-off, the share that its receiver gets, and how entries describe links."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from halo_core.crypto.keys import Signer, encode_base64
from halo_core.errors import BadInput
from halo_core.model import Budget, Decay, Grants, Link
from halo_core.passports import (
    grants_within,
    intersect_grants,
    intersect_labels,
    tighter_budgets,
    tighter_decay,
)
from halo_core.quick_dataclass import dataclass
from halo_core.store.session_state import Account


@dataclass(frozen=True, slots=True)
class HandOff:
    """How much of its own authority an agent gives to another; None gives all of it.

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
        """Refuse terms that no link can hold when they are written, not in the middle of a decision.

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
            raise BadInput("bad_handoff", "these terms do not fit into a link", field="give", remedy="see `HandOff`")


@dataclass(frozen=True, slots=True)
class GivenShare:
    """Everything that a link gives."""

    grants: Grants
    labels: tuple[str, ...] | None
    to: tuple[str, ...]
    budgets: tuple[Budget, ...]
    decay: Decay | None

    @classmethod
    def from_link(cls, link: Link) -> GivenShare:
        """The share that an existing link gives."""
        return cls(link.grants, link.labels, link.hand_off_to, link.budgets, link.decay)


def compute_share(parent: Link, terms: HandOff, receiver_passport: Link | None) -> GivenShare:
    """The part of `parent` that these terms give; `receiver_passport` is the receiver's own, if one was issued.

    INVARIANT: SUB - within the parent, and within what the receiver was issued: nobody makes an agent do, by handing
    it more, what it was not made for.
    """
    grants, labels, to = parent.grants, parent.labels, parent.hand_off_to
    for limit_grants in (terms.grants, None if receiver_passport is None else receiver_passport.grants):
        # Only where nobody said less are the parent's handed on by reference: those grow with the parent's.
        grants = grants if limit_grants is None else intersect_grants(grants, limit_grants)
    for limit in (terms.labels, None if receiver_passport is None else receiver_passport.labels):
        labels = labels if limit is None else intersect_labels(labels, limit)
    for names in (terms.to, None if receiver_passport is None else receiver_passport.hand_off_to):
        to = to if names is None else tuple(sorted(set(names) & set(to)))
    return GivenShare(
        grants,
        labels,
        to,
        tighter_budgets(parent.budgets, terms.budgets) if terms.budgets else parent.budgets,
        parent.decay if terms.decay is None or parent.decay is None else tighter_decay(parent.decay, terms.decay),
    )


def is_no_wider(link: Link, wider: Link) -> bool:
    """Whether a link allows nothing beyond another link of the same agent.

    What is left of their limits is not compared: each is charged for what was done under it.
    """
    if link.decay is None or wider.decay is None or link.expires_at_s > wider.expires_at_s:
        return False
    return (
        {*link.hand_off_to} <= {*wider.hand_off_to}
        and intersect_labels(link.labels, wider.labels) == intersect_labels(link.labels, link.labels)
        and tighter_budgets(link.budgets, wider.budgets) == tuple(link.budgets)
        and {item.unit for item in link.budgets} == {item.unit for item in wider.budgets}
        and tighter_decay(link.decay, wider.decay) == tighter_decay(link.decay, link.decay)
        and grants_within(link.grants, wider.grants) is None
    )


def make_handback_body(closed: Sequence[Account], to: Account) -> dict[str, Any]:
    """Body of the entry that records links handed back."""
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


def make_issuer_facts(signer: Signer) -> dict[str, str]:
    """The issuer's key for an entry, so that a passport can be verified after the key is gone."""
    return {"key": encode_base64(signer.public_key), "kid": signer.key_id}
