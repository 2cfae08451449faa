"""Room: custody, which passports a session holds. Takes: a transaction, a session's state. Gives: its live chain."""

from halo_core.custody.custody import Custody, Held
from halo_core.custody.passports import Passports
from halo_core.custody.terms import HandOff, handback_body, issuer_facts, no_wider

__all__ = ["Custody", "HandOff", "Held", "Passports", "handback_body", "issuer_facts", "no_wider"]
