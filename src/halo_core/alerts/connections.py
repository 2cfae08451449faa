"""Addresses of receivers of alerts, and connections to them.

INVARIANT: every exchange ends at its deadline, whatever the other side sends or does not send.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from halo_core.errors import ConfigError, HaloError
from halo_core.quick_dataclass import dataclass

OWED_REMEDY: Final = "alerts that were not accepted are sent again by the next `halo alerts send`, or by `--follow`"
_CHUNK: Final = 4096
_MAX_RESPONSE: Final = 65_536
_MAX_URL: Final = 2000
_MAX_PORT: Final = 65_535
_COMPLAINT_S: Final = 0.2
"""How long to wait for a host to report that nobody listens on the port of a datagram."""


Tls = ssl.SSLContext
"""The type that `make_tls_context` returns."""


class DeliveryError(HaloError):
    """A receiver did not accept alerts.

    Attributes:
        retryable: whether to try again at once.
        alert_specific: whether this alert alone may be the cause, which then must not hold up others.
        retry_after_s: seconds that the receiver asked to wait.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        remedy: str,
        retryable: bool = True,
        alert_specific: bool = False,
        retry_after_s: int = 0,
    ) -> None:
        super().__init__(code, message, remedy=remedy)
        self.retryable = retryable
        self.alert_specific = alert_specific
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Address:
    """Address of a receiver; only its `name` is ever shown, since the path may hold a secret."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """Scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether the host is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_address(url: str, ports: dict[str, int], field: str) -> Address:
    """Parse an address.

    Args:
        url: printable ASCII without user, password and fragment.
        ports: allowed schemes with their default ports, 0 for none.
        field: the option that errors name.

    Raises:
        ConfigError: `bad_url`.
    """

    def refuse(message: str, remedy: str = "") -> ConfigError:
        scheme = list(ports)[-1]
        example = f"for example `{scheme}://alerts.example:{ports[scheme] or 601}`"
        return ConfigError("bad_url", message, field=field, remedy=remedy or example)

    if not 0 < len(url) <= _MAX_URL or not all("!" <= character <= "~" for character in url):
        raise refuse("an address must be printable ASCII without blanks", "percent-encode it")
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise refuse("this is not a valid address", "check its brackets") from exc
    if parts.scheme not in ports:
        raise refuse(f"not an address with {', '.join(ports)}")
    if parts.username is not None or parts.password is not None:
        raise refuse("a name or password in an address is visible in process lists", "remove it")
    if parts.fragment or not parts.hostname:
        raise refuse("the address has no host, or has a fragment")
    try:
        port = parts.port or ports[parts.scheme]
    except ValueError as exc:
        raise refuse("the port is not a number", f"use 1 to {_MAX_PORT}") from exc
    if not port:
        raise refuse(f"`{parts.scheme}` has no default port", "give the port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, parts.hostname, port, path)


def make_tls_context(authorities: Path | None) -> ssl.SSLContext:
    """A TLS context that verifies the other side's certificate and name, against `authorities` if given.

    Raises:
        ConfigError: `bad_ca`.
    """
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError) as exc:
        problem = f"cannot read certificates from `{authorities}`"
        raise ConfigError("bad_ca", problem, field="ca", remedy="give a PEM file") from exc


@contextmanager
def deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Shut the socket down after `seconds`, whatever the other side does.

    Raises:
        TimeoutError: it took longer; what was read until then must not be used.
    """
    timed_out = threading.Event()

    def abort() -> None:
        timed_out.set()
        try:
            # Not the TLS socket's own `shutdown`, after which further data would be read as plain text.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            return  # closed already

    timer = threading.Timer(seconds, abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if timed_out.is_set():
            raise TimeoutError(f"no answer in {seconds:g} s")


def send_stream(address: Address, data: bytes, context: ssl.SSLContext | None, seconds: float) -> None:
    """Send over TCP or TLS, and wait for the other side to close, which shows that it has read everything.

    Raises:
        DeliveryError: it did not accept the data.
    """
    try:
        with ExitStack() as stack:
            sock = stack.enter_context(socket.create_connection((address.host, address.port), seconds))
            if context is not None:
                sock = stack.enter_context(context.wrap_socket(sock, server_hostname=address.host))
            stack.enter_context(deadline(sock, seconds))
            sock.sendall(data)
            if isinstance(sock, ssl.SSLSocket):
                # Wait for the TLS close alert of the other side, since anybody could end the TCP connection.
                sock.unwrap()
            else:
                sock.shutdown(socket.SHUT_WR)
                count = 0
                while answer := sock.recv(_CHUNK):
                    count += len(answer)
                    if count > _MAX_RESPONSE:
                        raise ConnectionError("its answer is too long")
    except OSError as exc:
        raise make_delivery_error(address, exc) from exc


def send_datagrams(address: Address, messages: list[bytes], seconds: float) -> None:
    """Send each message as a datagram. None is confirmed, but a host may report that nobody listens.

    Raises:
        DeliveryError: a message cannot be sent, or nobody listens.
    """
    try:
        addresses = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        family, kind, number, _, socket_address = addresses[0]
        with socket.socket(family, kind, number) as sock:
            sock.settimeout(seconds)
            sock.connect(socket_address)
            for message in messages:
                sock.send(message)
            sock.settimeout(_COMPLAINT_S)
            try:
                sock.recv(1)
            except TimeoutError:
                return
    except OSError as exc:
        raise make_delivery_error(address, exc) from exc


def make_delivery_error(address: Address, exc: Exception, *, alert_specific: bool = False) -> DeliveryError:
    """Convert a network error, without any text from the other side."""
    why = (exc.strerror or str(exc) if isinstance(exc, OSError) else "") or type(exc).__name__
    is_unknown = isinstance(exc, ssl.SSLCertVerificationError)
    first = "give its certificate authority with `--ca`" if is_unknown else "check that it is listening"
    problem, remedy = f"cannot send to {address.name}: {why}", f"{first}; {OWED_REMEDY}"
    return DeliveryError("receiver_down", problem, remedy=remedy, alert_specific=alert_specific)
