"""Sending alerts to a syslog server (RFC 5424)."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from halo_core.alerts.connections import Address, parse_address, send_datagrams, send_stream
from halo_core.alerts.messages import AnyAlert
from halo_core.clock import format_iso
from halo_core.errors import ConfigError

_SYSLOG_PORTS: Final = {"udp": 514, "tcp": 0, "tls": 6514}
_FACILITY: Final = 13  # log audit
_SEVERITY: Final = {"action": 4, "session": 4, "identity": 4, "drift": 5}  # warnings, notice
_NOTICE: Final = 5
_SD_ID: Final = "halo@32473"
"""32473 is the enterprise number for examples (RFC 5612); Halo has none of its own."""
_MAX_VALUE: Final = 255
_MAX_SENTENCE: Final = 700
_SPECIAL: Final = re.compile(r'["\\\]]')  # RFC 5424 section 6.3.3
_HOST: Final = re.compile(r"[!-~]{1,255}")
_SYSLOG_BATCH: Final = 100


@dataclass(frozen=True, slots=True, repr=False)
class Syslog:
    """A syslog server.

    Over TCP (RFC 6587) and TLS (RFC 5425) each message has its length in front; over UDP (RFC 5426) it is a datagram.

    Args:
        address: its address.
        context: TLS context for `tls`.
        timeout_s: seconds for one batch.
        host: name of this machine in messages.
    """

    address: Address
    context: ssl.SSLContext | None
    timeout_s: float
    host: str
    batch = _SYSLOG_BATCH

    @classmethod
    def from_url(cls, url: str, context: ssl.SSLContext, timeout_s: float) -> Self:
        """Make the receiver of `tcp://host:port`, `udp://...` or `tls://...`.

        Raises:
            ConfigError: `bad_url`.
        """
        address = parse_address(url, _SYSLOG_PORTS, "syslog")
        if address.path != "/":
            problem, remedy = "a syslog address has no path", "remove everything after the port"
            raise ConfigError("bad_url", problem, field="syslog", remedy=remedy)
        return cls(address, context if address.scheme == "tls" else None, timeout_s, socket.gethostname())

    @property
    def name(self) -> str:
        """Its address in messages."""
        return self.address.name

    @property
    def confirms(self) -> bool:
        """Whether it confirms what it accepts."""
        return self.address.scheme != "udp"

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send alerts.

        Raises:
            DeliveryError: the receiver has not accepted all of them.
        """
        messages = [format_message(alert, self.host) for alert in alerts]
        if not self.confirms:
            send_datagrams(self.address, messages, self.timeout_s)
            return
        framed = b"".join(b"%d %b" % (len(item), item) for item in messages)
        send_stream(self.address, framed, self.context, self.timeout_s)


def format_message(alert: AnyAlert, host: str) -> bytes:
    """Format one message (RFC 5424 section 6): values in structured data, then a sentence in ASCII.

    INVARIANT: whatever characters a name holds, the message is one line with one element, and no value ends early.
    """
    data = "".join(f' {name}="{_escape_value(text)}"' for name, text in alert.to_syslog_values().items())
    priority = _FACILITY * 8 + _SEVERITY.get(alert.kind, _NOTICE)
    where = host if _HOST.fullmatch(host) else "-"
    head = f"<{priority}>1 {format_iso(alert.ts_us)} {where} halo - ALERT [{_SD_ID}{data}] "
    return (head + _format_sentence(alert)).encode("utf-8")


def _escape_value(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", _escape_unprintable(text)[:_MAX_VALUE])


def _escape_unprintable(text: str) -> str:
    """Escape characters that act on a terminal, end a line or reorder text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _format_sentence(alert: AnyAlert) -> str:
    return _escape_unprintable(alert.sentence).encode("ascii", "backslashreplace").decode("ascii")[:_MAX_SENTENCE]
