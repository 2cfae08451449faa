"""What an approval is good for: the digest of one exact question.

INVARIANT: BIND - an approval serves one digest, over who asks, on whose passport and in which epoch, what exactly is
done to what, and under which policy. Another argument, another epoch or another rule is another question.
"""

from __future__ import annotations

from collections.abc import Sequence

from halo_core.crypto import canonical
from halo_core.model import AccessRequest, Link
from halo_core.passports import approval

_MAX_NAME = 256


def session_claim(session: str) -> str:
    """`txn` of a session's links and `ses` of its approvals: its id, or a digest of one that a claim cannot hold."""
    fits_claim = 0 < len(session) <= _MAX_NAME and session.isprintable()
    return session if fits_claim else canonical.digest("halo/session", session.encode("utf-8", "surrogatepass"))


def call_binding(request: AccessRequest, chain: Sequence[Link], rules: str) -> str:
    """Digest of one exact call, under the rules of that name.

    The framework's call id and turn are not in it, so that it may be asked again; nor what else a process happens to
    have registered, so that it may be asked in one process and run in another.
    """
    tree = {
        "args": request.args_digest,
        "kind": request.kind.value,
        "passport": [[link.agent, link.txn if link.depth else "", link.epoch] for link in chain],
        "policy": rules,
        "resource": request.resource.to_plain(),
        "session": request.context.session,
        "subject": request.subject.to_plain(),
    }
    return canonical.digest("halo/binding/call/v1", canonical.dumps(tree))


def reauthorization_binding(tenant: str, session: str, agent: str, epoch: int) -> str:
    """Digest of the question whether an agent's session may go on into `epoch`."""
    return approval.reauthorization_binding(tenant, session_claim(session), agent, epoch)
