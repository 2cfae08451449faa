"""Enforcement: every call of an adapter is decided here, run with what was decided, and recorded."""

from halo_core.enforcement.call import ABILITIES, Call, Preparer
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.enforcer import Enforcer, Health, Surface, Ticket
from halo_core.enforcement.lookups import LiveLink
from halo_core.enforcement.passport_reader import (
    HandOff,
    PassportReader,
    is_no_wider,
    make_handback_body,
    make_issuer_facts,
)
from halo_core.enforcement.passport_store import ActiveChain, PassportStore
from halo_core.values.languages import find_sql_language

__all__ = [
    "ABILITIES",
    "ActiveChain",
    "Call",
    "DecisionContext",
    "Enforcer",
    "HandOff",
    "Health",
    "LiveLink",
    "PassportReader",
    "PassportStore",
    "Preparer",
    "Surface",
    "Ticket",
    "find_sql_language",
    "is_no_wider",
    "make_handback_body",
    "make_issuer_facts",
]
