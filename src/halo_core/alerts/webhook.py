"""Sending alerts as signed webhooks (Standard Webhooks 1.0)."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from halo_core.alerts.connections import (
    OWED_REMEDY,
    Address,
    DeliveryError,
    deadline,
    make_delivery_error,
    parse_address,
)
from halo_core.alerts.messages import AnyAlert
from halo_core.clock import Clock, format_iso
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError

_WEBHOOK_PORTS: Final = {"http": 80, "https": 443}
_ACCEPTED_STATUSES: Final = range(200, 300)
_REDIRECTS: Final = range(300, 400)
_RETRIED_STATUSES: Final = frozenset({408, 425, 429})
_FIRST_SERVER_ERROR: Final = 500
_MAX_WAIT_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, repr=False)  # an address may be a secret
class Webhook:
    """A receiver of signed webhooks (Standard Webhooks 1.0).

    `webhook-id` is the same however often an alert is sent, so that the receiver recognizes a second copy. Redirects
    are not followed.

    Args:
        address: its address.
        sign: returns the value of `webhook-signature` for the signed bytes.
        context: TLS context for `https`.
        clock: time of attempts.
        timeout_s: seconds for one attempt.
    """

    address: Address
    sign: Callable[[bytes], str]
    context: ssl.SSLContext
    clock: Clock
    timeout_s: float
    batch = 1
    confirms = True

    @classmethod
    def from_url(
        cls, url: str, sign: Callable[[bytes], str], context: ssl.SSLContext, clock: Clock, timeout_s: float
    ) -> Self:
        """Make the receiver of a URL.

        Raises:
            ConfigError: `bad_url`, or `not_private`: it is another machine and not `https`.
        """
        address = parse_address(url, _WEBHOOK_PORTS, "webhook")
        if address.scheme != "https" and not address.is_loopback:
            problem = "`http` is allowed only for this machine"
            raise ConfigError("not_private", problem, field="webhook", remedy="use `https`")
        return cls(address, sign, context, clock, timeout_s)

    @property
    def name(self) -> str:
        """Its address in messages, without the path, which may be a secret."""
        return self.address.name

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send alerts one by one.

        Raises:
            DeliveryError: the receiver did not answer 2xx.
        """
        for alert in alerts:
            status, wait = self._post(alert)
            if status not in _ACCEPTED_STATUSES:
                raise self._make_refusal(status, wait)

    def _post(self, alert: AnyAlert) -> tuple[int, str]:
        body = encode_payload(alert)
        address = self.address
        seconds = self.timeout_s
        connection = (
            http.client.HTTPSConnection(address.host, address.port, timeout=seconds, context=self.context)
            if address.scheme == "https"
            else http.client.HTTPConnection(address.host, address.port, timeout=seconds)
        )
        is_connected = False
        try:
            connection.connect()
            is_connected = True
            with deadline(connection.sock, seconds):
                connection.request("POST", address.path, body, self._headers(alert, body))
                # The body is not read: nothing of it is needed, and it could be endless.
                answer = connection.getresponse()
                return answer.status, answer.headers.get("retry-after", "")
        except (OSError, http.client.HTTPException) as exc:
            # Once connected, this alert may be what the receiver fails on.
            raise make_delivery_error(address, exc, alert_specific=is_connected) from exc
        finally:
            connection.close()

    def _headers(self, alert: AnyAlert, body: bytes) -> dict[str, str]:
        sent_s = str(self.clock.now_us() // SECOND_US)
        return {
            "Content-Type": "application/json",
            "User-Agent": "halo",
            "webhook-id": alert.id,
            "webhook-signature": self.sign(f"{alert.id}.{sent_s}.".encode("ascii") + body),
            "webhook-timestamp": sent_s,
        }

    def _make_refusal(self, status: int, wait: str) -> DeliveryError:
        retryable = status in _RETRIED_STATUSES or status >= _FIRST_SERVER_ERROR
        remedy = OWED_REMEDY
        if status in _REDIRECTS:
            remedy = f"redirects are not followed: give the new address; {OWED_REMEDY}"
        elif not retryable:
            remedy = f"check the receiver's log; {OWED_REMEDY}"
        is_number = wait.isascii() and wait.isdigit() and len(wait) <= _MAX_WAIT_DIGITS
        return DeliveryError(
            "receiver_busy" if retryable else "receiver_refused",
            f"{self.name} answered {status}",
            remedy=remedy,
            retryable=retryable,
            alert_specific=True,
            retry_after_s=int(wait) if is_number else 0,
        )


def encode_payload(alert: AnyAlert) -> bytes:
    """The body of a webhook as JSON in ASCII."""
    event = {"data": alert.to_plain(), "timestamp": format_iso(alert.ts_us), "type": f"halo.alert.{alert.kind}"}
    return json.dumps(event, separators=(",", ":"), sort_keys=True).encode("ascii")
