"""Room: alerts as syslog. Takes: alerts, an address. Gives: RFC 5424 messages, sent. Never: lets a name end a field.

Over TCP (RFC 6587) and TLS (RFC 5425) each message has its length in front; over UDP (RFC 5426) it is a datagram.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Sequence
from typing import Final, Self

from halo_core.clock import iso
from halo_core.errors import ConfigError
from halo_core.telling.person import AnyAlert
from halo_core.telling.wire import Place, datagrams, parse_place, stream

__all__ = ["Syslog", "message"]

_PORTS: Final = {"udp": 514, "tcp": 0, "tls": 6514}
_FACILITY: Final = 13  # log audit
_SEVERITY: Final = {"action": 4, "session": 4, "identity": 4, "drift": 5}  # warnings, notice
_NOTICE: Final = 5
_SD_ID: Final = "halo@32473"
"""32473 is the enterprise number for examples (RFC 5612); Halo has none of its own."""
_MOST_VALUE: Final = 255
_MOST_TEXT: Final = 700
_SPECIAL: Final = re.compile(r'["\\\]]')  # RFC 5424 section 6.3.3
_HOST: Final = re.compile(r"[!-~]{1,255}")
_BATCH: Final = 100


class Syslog:
    """A receiver of syslog.

    Args:
        place: where.
        context: TLS, for `tls`.
        timeout_s: for one batch.
        host: this machine, as messages name it.
    """

    batch = _BATCH

    def __init__(self, place: Place, context: ssl.SSLContext | None, timeout_s: float, host: str) -> None:
        self._place = place
        self._context = context if place.scheme == "tls" else None
        self._host = host
        self._timeout_s = timeout_s

    @classmethod
    def at(cls, url: str, context: ssl.SSLContext, timeout_s: float) -> Self:
        """The receiver at `tcp://host:port`, `udp://...` or `tls://...`.

        Raises:
            ConfigError: `bad_url`.
        """
        place = parse_place(url, _PORTS, "syslog")
        if place.path != "/":
            raise ConfigError("bad_url", "syslog has no path", field="syslog", remedy="end it after the port")
        return cls(place, context, timeout_s, socket.gethostname())

    @property
    def name(self) -> str:
        """As messages to people name it."""
        return self._place.name

    @property
    def confirms(self) -> bool:
        """Whether it says yes."""
        return self._place.scheme != "udp"

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send them all.

        Raises:
            NotTold: the receiver has not taken all of them.
        """
        messages = [message(alert, self._host) for alert in alerts]
        if not self.confirms:
            datagrams(self._place, messages, self._timeout_s)
            return
        framed = b"".join(b"%d %b" % (len(item), item) for item in messages)
        stream(self._place, framed, self._context, self._timeout_s)


def message(alert: AnyAlert, host: str) -> bytes:
    """One message (RFC 5424 section 6): names in structured data, a sentence in ASCII for people.

    INVARIANT: whatever a name holds, there is one line, one element, and each value ends where it ends.
    """
    data = "".join(f' {name}="{_value(text)}"' for name, text in alert.values().items())
    priority = _FACILITY * 8 + _SEVERITY.get(alert.kind, _NOTICE)
    where = host if _HOST.fullmatch(host) else "-"
    head = f"<{priority}>1 {iso(alert.ts_us)} {where} halo - ALERT [{_SD_ID}{data}] "
    return (head + _sentence(alert)).encode("utf-8")


def _value(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", _shown(text)[:_MOST_VALUE])


def _shown(text: str) -> str:
    """What acts on a terminal, ends a line or reorders text is shown by its number."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _sentence(alert: AnyAlert) -> str:
    return _shown(alert.sentence).encode("ascii", "backslashreplace").decode("ascii")[:_MOST_TEXT]
