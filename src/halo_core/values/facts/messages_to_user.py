"""Whether a message goes to nobody but the user.

Such a message tells the user what the agent's answer could also say, so nobody has to ask for it. That does not hold
for a message with a link, an address or an account that only others have named.
"""

from __future__ import annotations

from collections.abc import Collection

from halo_core.model import Impact
from halo_core.values.facts.call_view import CallView
from halo_core.values.facts.carried_facts import names_foreign
from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.provenance.traced_leaves import TracedLeaf

__all__ = ["goes_to_user_alone"]


def goes_to_user_alone(view: CallView, targets: Collection[TracedLeaf], own_address: str) -> bool:
    """Whether a declared message has the user's own address as its only target, and names nothing foreign.

    INVARIANT: VOUCH - the address is the one that the host asserts, as a whole; `a+b@` and a look-alike are not it.

    Args:
        view: the call.
        targets: leaves that say where something goes, files included.
        own_address: of the user, in canonical form; empty where the host names none.
    """
    resource = view.resource
    if not own_address or not targets or not resource.targets:
        return False
    if resource.impact is not Impact.SEND or resource.classified != "declared":
        return False
    return all(
        not leaf.flags and canonicalize_email(view.texts.get(leaf.pointer, "")) == own_address for leaf in targets
    ) and not names_foreign(view)
