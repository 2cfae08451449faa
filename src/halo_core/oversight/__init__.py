"""Oversight: what people do about agents, and what later decisions read of it.

Stops and revocations (`restrictions`), challenges and their answers (`requests`, `approvals`), and the keys of those
who issue passports and answer challenges (`keys`).
"""

from halo_core.oversight.approvals import ApprovalAnswer, answer
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.requests import ApprovalRequest, Spending, list_requests, load_request

__all__ = [
    "ApprovalAnswer",
    "ApprovalRequest",
    "Spending",
    "answer",
    "enrol_approver",
    "list_requests",
    "load_request",
]
