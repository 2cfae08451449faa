"""Enforcement: decides every call of an adapter, runs it as decided, and records the outcome."""

from halo_core.enforcement.call import ABILITIES, Call
from halo_core.enforcement.enforcer import Enforcer, Surface, Ticket
from halo_core.enforcement.hand_offs import HandOff, make_issuer_facts
from halo_core.enforcement.preparer import Preparer
from halo_core.values.languages import find_sql_language

__all__ = [
    "ABILITIES",
    "Call",
    "Enforcer",
    "HandOff",
    "Preparer",
    "Surface",
    "Ticket",
    "find_sql_language",
    "make_issuer_facts",
]
