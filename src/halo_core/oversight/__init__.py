"""Oversight: what people do about agents, and what the next decision then reads.

Stops and revocations (`restrictions`), challenges and their answers (`requests`, `approvals`), and the keys of those
who issue passports and answer challenges (`keys`).
"""

from halo_core.oversight.approvals import ApprovalAnswer, answer
from halo_core.oversight.keys import (
    KeyFile,
    TrustedKey,
    enrol_approver,
    list_key_files,
    list_trusted_keys,
    list_warnings,
    remove_expired_keys,
    retire_issuer,
    rotate_issuer,
    withdraw_approver,
)
from halo_core.oversight.requests import ApprovalRequest, Spending, list_requests, load_request
from halo_core.oversight.restrictions import lift, revoke, stop

__all__ = [
    "ApprovalAnswer",
    "ApprovalRequest",
    "KeyFile",
    "Spending",
    "TrustedKey",
    "answer",
    "enrol_approver",
    "lift",
    "list_key_files",
    "list_requests",
    "list_trusted_keys",
    "list_warnings",
    "load_request",
    "remove_expired_keys",
    "retire_issuer",
    "revoke",
    "rotate_issuer",
    "stop",
    "withdraw_approver",
]
