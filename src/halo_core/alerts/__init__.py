"""Alerts in the ledger, and sending them to a webhook or a syslog server, at least once.

`Delivery(receiver, cursor, ...).run(log)` sends what has not been sent yet. It runs in a process of its own, so that a
receiver that is down delays no decision; it writes nothing to the ledger and sends no content of a call, and names of
people only where that was asked for. This is the only package of the core that opens sockets.
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
