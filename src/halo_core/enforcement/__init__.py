"""Room: the policy enforcement point. Takes: calls. Gives: results, denials, pauses. Never: knows a framework.

Room: custody, which passports a session holds. Takes: a transaction, a session's state. Gives: its live chain.
"""

from halo_core.enforcement.call import ABILITIES, Call, Preparer
from halo_core.enforcement.delegation_terms import HandOff, is_no_wider, make_handback_body, make_issuer_facts
from halo_core.enforcement.enforcer import Enforcer, Health, Surface, Ticket
from halo_core.enforcement.jobs import Verdict
from halo_core.enforcement.lookups import LiveLink
from halo_core.enforcement.passport_reader import PassportReader
from halo_core.enforcement.passport_store import ActiveChain, PassportStore

__all__ = [
    "ABILITIES",
    "ActiveChain",
    "Call",
    "Enforcer",
    "HandOff",
    "Health",
    "LiveLink",
    "PassportReader",
    "PassportStore",
    "Preparer",
    "Surface",
    "Ticket",
    "Verdict",
    "is_no_wider",
    "make_handback_body",
    "make_issuer_facts",
]
