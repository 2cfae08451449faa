"""Room: alerts as signed webhooks. Takes: an alert, an address, keys. Gives: a POST that was taken. Never: follows.

Standard Webhooks 1.0: `webhook-id` is the same however often an alert is sent, so a receiver can tell a second copy.
"""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Sequence
from typing import Final, Self

from halo_core.clock import Clock, iso
from halo_core.errors import ConfigError
from halo_core.telling.person import AnyAlert
from halo_core.telling.wire import OWED, NotTold, Place, deadline, not_told, parse_place

__all__ = ["Webhook", "payload"]

_PORTS: Final = {"http": 80, "https": 443}
_SECOND_US: Final = 1_000_000
_TAKEN: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_LATER: Final = frozenset({408, 425, 429})
_BROKEN: Final = 500
_MOST_WAIT_DIGITS: Final = 6


class Webhook:
    """A receiver of webhooks.

    Args:
        place: where.
        sign: the value of `webhook-signature` for what is signed.
        context: TLS, for `https`.
        clock: of attempts.
        timeout_s: for one attempt.
    """

    batch = 1
    confirms = True

    def __init__(
        self, place: Place, sign: Callable[[bytes], str], context: ssl.SSLContext, clock: Clock, timeout_s: float
    ) -> None:
        self._place = place
        self._sign = sign
        self._context = context
        self._clock = clock
        self._timeout_s = timeout_s

    @classmethod
    def at(
        cls, url: str, sign: Callable[[bytes], str], context: ssl.SSLContext, clock: Clock, timeout_s: float
    ) -> Self:
        """The receiver at an address.

        Raises:
            ConfigError: `bad_url`, or `not_private`: it is elsewhere and not `https`.
        """
        place = parse_place(url, _PORTS, "webhook")
        if place.scheme != "https" and not place.loopback:
            raise ConfigError(
                "not_private", "alerts go over `http` to this machine only", field="webhook", remedy="use `https`"
            )
        return cls(place, sign, context, clock, timeout_s)

    @property
    def name(self) -> str:
        """As messages to people name it: the path may be a secret."""
        return self._place.name

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send them, one by one.

        Raises:
            NotTold: the receiver did not answer 2xx.
        """
        for alert in alerts:
            status, wait = self._post(alert)
            if status not in _TAKEN:
                raise self._refusal(status, wait)

    def _post(self, alert: AnyAlert) -> tuple[int, str]:
        body = payload(alert)
        place = self._place
        seconds = self._timeout_s
        connection = (
            http.client.HTTPSConnection(place.host, place.port, timeout=seconds, context=self._context)
            if place.scheme == "https"
            else http.client.HTTPConnection(place.host, place.port, timeout=seconds)
        )
        reached = False
        try:
            connection.connect()
            reached = True
            with deadline(connection.sock, seconds):
                connection.request("POST", place.path, body, self._headers(alert, body))
                # What it says beyond the status is not read: nothing of it is needed, and it could be without end.
                answer = connection.getresponse()
                return answer.status, answer.headers.get("retry-after", "")
        except (OSError, http.client.HTTPException) as exc:
            # Once it is reached, it may be this alert that it falls over.
            raise not_told(place, exc, alone=reached) from exc
        finally:
            connection.close()

    def _headers(self, alert: AnyAlert, body: bytes) -> dict[str, str]:
        sent_s = str(self._clock.now_us() // _SECOND_US)
        return {
            "Content-Type": "application/json",
            "User-Agent": "halo",
            "webhook-id": alert.id,
            "webhook-signature": self._sign(f"{alert.id}.{sent_s}.".encode("ascii") + body),
            "webhook-timestamp": sent_s,
        }

    def _refusal(self, status: int, wait: str) -> NotTold:
        again = status in _LATER or status >= _BROKEN
        remedy = OWED
        if status in _MOVED:
            remedy = f"redirects are not followed: name the address that it moved to; {OWED}"
        elif not again:
            remedy = f"see in its log what it wants; {OWED}"
        plain = wait.isascii() and wait.isdigit() and len(wait) <= _MOST_WAIT_DIGITS
        code = "receiver_busy" if again else "receiver_refused"
        after_s = int(wait) if plain else 0
        return NotTold(code, f"{self.name} answered {status}", remedy=remedy, again=again, alone=True, after_s=after_s)


def payload(alert: AnyAlert) -> bytes:
    """The body: ASCII, so that no character of a name acts on whoever reads it."""
    told = {"data": alert.to_plain(), "timestamp": iso(alert.ts_us), "type": f"halo.alert.{alert.kind}"}
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode("ascii")
