"""Room: telling, alerts sent on to where people look. Takes: alerts, a receiver. Gives: deliveries, at least once.

It reads what the enforcement wrote, in a process of its own: a receiver that is down holds up no decision. The only
room that opens a socket. Never: decides, writes to the ledger, sends content of a call, names a person unasked.
"""

from halo_core.telling.alert import Alert
from halo_core.telling.cursor import Cursor, Sent
from halo_core.telling.delivery import Delivery, Receiver, Retry, Told
from halo_core.telling.log import LedgerLog
from halo_core.telling.person import PersonAlert
from halo_core.telling.signing import keyed, public_key, read_private, secrets_of, signed_by
from halo_core.telling.syslog import Syslog
from halo_core.telling.webhook import Webhook
from halo_core.telling.wire import NotTold, Tls, trusted

__all__ = [
    "Alert",
    "Cursor",
    "Delivery",
    "LedgerLog",
    "NotTold",
    "PersonAlert",
    "Receiver",
    "Retry",
    "Sent",
    "Syslog",
    "Tls",
    "Told",
    "Webhook",
    "keyed",
    "public_key",
    "read_private",
    "secrets_of",
    "signed_by",
    "trusted",
]
