"""Room: connections to receivers. Takes: an address, bytes. Gives: whether they arrived. Never: waits for ever.

INVARIANT: an exchange ends at its deadline, whatever the other side sends or does not send.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from halo_core.errors import ConfigError, HaloError

OWED_REMEDY: Final = "alerts that were not accepted are sent again by the next `halo alerts send`, or by `--follow`"
_CHUNK: Final = 4096
_MAX_RESPONSE: Final = 65_536
_MAX_URL: Final = 2000
_MAX_PORT: Final = 65_535
_COMPLAINT_S: Final = 0.2
"""How long a host that answers a datagram with "nobody listens" is given to say so."""


Tls = ssl.SSLContext
"""What `trusted` gives."""


class DeliveryError(HaloError):
    """A receiver did not say yes.

    Attributes:
        retryable: worth trying again at once.
        alert_specific: it may be about this alert alone, which then must not hold up others.
        retry_after_s: how long it asked to be left alone.
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
    """An address; `name` is what may be shown of it, since a path may hold a secret."""

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
        """Whether it is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_address(url: str, ports: dict[str, int], field: str) -> Address:
    """An address, of one of these schemes with their ports; 0 where there is no usual one.

    Raises:
        ConfigError: `bad_url`.
    """
    if not 0 < len(url) <= _MAX_URL or not all("!" <= character <= "~" for character in url):
        raise _bad_url(field, "an address must be printable ASCII without blanks", "percent-encode it")
    parts = _split_url(url, field)
    if parts.scheme not in ports:
        raise _bad_url(field, f"not an address with {', '.join(ports)}", "for example " + _example_address(ports))
    if parts.username is not None or parts.password is not None:
        raise _bad_url(field, "a name or password in an address is visible in process lists", "remove it")
    if parts.fragment or not parts.hostname:
        raise _bad_url(field, "the address has no host, or has a fragment", "for example " + _example_address(ports))
    port = _parse_port(parts, field) or ports[parts.scheme]
    if not port:
        raise _bad_url(field, f"`{parts.scheme}` has no default port", "give the port")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, parts.hostname, port, path)


def _split_url(url: str, field: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as exc:
        raise _bad_url(field, "this is not a valid address", "check its brackets") from exc


def _parse_port(parts: SplitResult, field: str) -> int:
    try:
        return parts.port or 0
    except ValueError as exc:
        raise _bad_url(field, "the port is not a number", f"use 1 to {_MAX_PORT}") from exc


def _example_address(ports: dict[str, int]) -> str:
    scheme = list(ports)[-1]
    return f"`{scheme}://alerts.example:{ports[scheme] or 601}`"


def _bad_url(field: str, message: str, remedy: str) -> ConfigError:
    return ConfigError("bad_url", message, field=field, remedy=remedy)


def make_tls_context(authorities: Path | None) -> ssl.SSLContext:
    """TLS that checks the other side's certificate and name; there is no other.

    Raises:
        ConfigError: `bad_ca`.
    """
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError) as exc:
        raise ConfigError(
            "bad_ca", f"cannot read certificates from `{authorities}`", field="ca", remedy="give a PEM file"
        ) from exc


@contextmanager
def deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Ends whatever is done with a socket after so long.

    Raises:
        TimeoutError: it took longer; what was read until then counts for nothing.
    """
    timed_out = threading.Event()

    def abort() -> None:
        timed_out.set()
        try:
            # Past the TLS layer: its own `shutdown` would let what comes next be read as plain text.
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


@contextmanager
def _connect(address: Address, context: ssl.SSLContext | None, seconds: float) -> Iterator[socket.socket]:
    """A connection, of TLS where a context is given."""
    with socket.create_connection((address.host, address.port), seconds) as raw:
        if context is None:
            yield raw
            return
        with context.wrap_socket(raw, server_hostname=address.host) as sock:
            yield sock


def send_stream(address: Address, data: bytes, context: ssl.SSLContext | None, seconds: float) -> None:
    """Send over TCP or TLS, and see the other side close after us: it has read to the end, or it would have reset.

    Raises:
        NotTold: it did not.
    """
    try:
        with _connect(address, context, seconds) as sock, deadline(sock, seconds):
            sock.sendall(data)
            if isinstance(sock, ssl.SSLSocket):
                # Both say goodbye under TLS: an end of the connection alone could be anybody's doing.
                sock.unwrap()
            else:
                sock.shutdown(socket.SHUT_WR)
                _drain_until_closed(sock)
    except OSError as exc:
        raise make_delivery_error(address, exc) from exc


def _drain_until_closed(sock: socket.socket) -> None:
    """Read to the end."""
    count = 0
    while data := sock.recv(_CHUNK):
        count += len(data)
        if count > _MAX_RESPONSE:
            raise ConnectionError("its answer is too long")


def send_datagrams(address: Address, messages: list[bytes], seconds: float) -> None:
    """Send each as a datagram. Nobody says yes to one; a host that says that nobody listens is heard.

    Raises:
        NotTold: it cannot be sent, or nobody listens.
    """
    try:
        family, kind, number, _, socket_address = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_DGRAM
        )[0]
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
    """An error of the network as ours; what the other side said stays out of it."""
    why = type(exc).__name__
    if isinstance(exc, OSError):
        why = exc.strerror or str(exc) or why
    first = (
        "give its certificate authority with `--ca`"
        if isinstance(exc, ssl.SSLCertVerificationError)
        else "check that it is listening"
    )
    return DeliveryError(
        "receiver_down",
        f"cannot send to {address.name}: {why}",
        remedy=f"{first}; {OWED_REMEDY}",
        alert_specific=alert_specific,
    )
