"""Room: the policy enforcement point. Takes: calls. Gives: results, denials, pauses. Never: knows a framework."""

from halo_core.pep.call import ABILITIES, Call, Preparer
from halo_core.pep.enforcer import Enforcer, Health, Surface, Ticket
from halo_core.pep.jobs import Verdict
from halo_core.pep.links import Live

__all__ = ["ABILITIES", "Call", "Enforcer", "Health", "Live", "Preparer", "Surface", "Ticket", "Verdict"]
