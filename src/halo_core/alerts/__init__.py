"""Room: telling, alerts sent on to where people look. Takes: alerts, a receiver. Gives: deliveries, at least once.

It reads what the enforcement wrote, in a process of its own: a receiver that is down holds up no decision. The only
room that opens a socket. Never: decides, writes to the ledger, sends content of a call, names a person unasked.
"""

from halo_core.alerts.connections import DeliveryError, Tls, make_tls_context
from halo_core.alerts.delivery import Delivery, DeliveryCursor, DeliveryResult, DeliveryState, Receiver, RetryPolicy
from halo_core.alerts.receivers import (
    Syslog,
    Webhook,
    ed25519_signer,
    format_public_key,
    hmac_signer,
    read_private,
    read_secrets,
)
from halo_core.alerts.records import AgentAlert, LedgerAlertLog, PersonAlert

__all__ = [
    "AgentAlert",
    "Delivery",
    "DeliveryCursor",
    "DeliveryError",
    "DeliveryResult",
    "DeliveryState",
    "LedgerAlertLog",
    "PersonAlert",
    "Receiver",
    "RetryPolicy",
    "Syslog",
    "Tls",
    "Webhook",
    "ed25519_signer",
    "format_public_key",
    "hmac_signer",
    "make_tls_context",
    "read_private",
    "read_secrets",
]
