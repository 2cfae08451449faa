"""Room: oversight, what people do about agents. Takes: a store, keys, a person's word. Gives: signed answers, entries.

Stops and revocations (`actions`), challenges and their answers (`questions`, `approvals`), and the keys of those who
issue and answer (`enrolment`, `issuers`, `keyring`). Never: decides an action; it changes what the next decision reads.
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
