"""Room: oversight, what people do about agents. Takes: a store, keys, a person's word. Gives: signed answers, entries.

Stops and revocations (`actions`), challenges and their answers (`questions`, `approvals`), and the keys of those who
issue and answer (`enrolment`, `issuers`, `keyring`). Never: decides an action; it changes what the next decision reads.
"""

from halo_core.oversight.actions import lift, revoke, stop
from halo_core.oversight.approvals import Answered, answer
from halo_core.oversight.enrolment import enrol, withdraw
from halo_core.oversight.issuers import retire, rotate, sweep
from halo_core.oversight.keyring import KeyFile, TrustedKey, key_files, trusted_keys, warnings
from halo_core.oversight.questions import Question, Spending, ask, questions

__all__ = [
    "Answered",
    "KeyFile",
    "Question",
    "Spending",
    "TrustedKey",
    "answer",
    "ask",
    "enrol",
    "key_files",
    "lift",
    "questions",
    "retire",
    "revoke",
    "rotate",
    "stop",
    "sweep",
    "trusted_keys",
    "warnings",
    "withdraw",
]
