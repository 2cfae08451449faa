"""Receivers of alerts: syslog servers (RFC 5424) and signed webhooks (Standard Webhooks 1.0), and connections to them.

A webhook is signed with `v1` (HMAC-SHA-256 with a secret that both sides have) or `v1a` (Ed25519 with the home's key).
INVARIANT: every exchange ends at its deadline, whatever the other side sends or does not send.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import http.client
import ipaddress
import json
import os
import re
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from halo_core.alerts.records import AnyAlert
from halo_core.clock import Clock, format_iso
from halo_core.crypto.keys import Signer
from halo_core.errors import ConfigError, HaloError

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
    """A TLS context that checks the other side's certificate and name, against `authorities` where given.

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
    """Shut the socket down after `seconds`, whatever the other side sends or does not send.

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
    """Send over TCP or TLS, and wait for the other side to close: had it not read to the end, it would reset.

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
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
        family, kind, number, _, socket_address = found[0]
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
    """Convert a network error, without the text that the other side sent."""
    why = (exc.strerror or str(exc) if isinstance(exc, OSError) else "") or type(exc).__name__
    is_unknown = isinstance(exc, ssl.SSLCertVerificationError)
    first = "give its certificate authority with `--ca`" if is_unknown else "check that it is listening"
    problem, remedy = f"cannot send to {address.name}: {why}", f"{first}; {OWED_REMEDY}"
    return DeliveryError("receiver_down", problem, remedy=remedy, alert_specific=alert_specific)


_MAX_FILE: Final = 4096
_KEY_PREFIX: Final = "whsec_"
_MIN_SECRET_BYTES: Final = 24
_MAX_SECRET_BYTES: Final = 64


def read_private(path: Path, field: str) -> list[str]:
    """Read the lines of a file that only its owner can read.

    Raises:
        ConfigError: `secret_file`, it cannot be read, is empty or too long; `secret_permissions`, others can read it.
    """

    def refuse(message: str, remedy: str, code: str = "secret_file") -> ConfigError:
        return ConfigError(code, message, field=field, remedy=remedy)

    try:
        # Non-blocking, so that a FIFO in its place cannot hang the process.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        remedy = "give a file that contains it and that only you can read"
        raise refuse(f"cannot read `{path}`: {exc.strerror}", remedy) from exc
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise refuse(f"`{path}` is not a regular file", "give a regular file")
        if status.st_mode & 0o077:
            raise refuse(f"`{path}` can be read by others", f"run `chmod 600 {path}`", "secret_permissions")
        data = file.read(_MAX_FILE + 1)
    lines = data.decode("ascii", "replace").split()
    if not lines or len(data) > _MAX_FILE:
        raise refuse(f"`{path}` is empty or too long", "write one secret per line")
    return lines


def read_secrets(path: Path) -> list[bytes]:
    """Read the webhook secrets of a file, one a line: the new one first while an old one is being replaced.

    Raises:
        ConfigError: see `read_private`; `bad_secret`.
    """
    return [_decode_secret(line, path) for line in read_private(path, "secret-file")]


def _decode_secret(line: str, path: Path) -> bytes:
    try:
        key = base64.b64decode(line.removeprefix(_KEY_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not line.startswith(_KEY_PREFIX) or not _MIN_SECRET_BYTES <= len(key) <= _MAX_SECRET_BYTES:
        # From None: the error beneath may quote the line.
        problem = f"`{path}` has a line that is not a webhook secret"
        remedy = f"write `{_KEY_PREFIX}` and {_MIN_SECRET_BYTES} to {_MAX_SECRET_BYTES} random bytes in base64"
        raise ConfigError("bad_secret", problem, field="secret-file", remedy=remedy) from None
    return key


def make_hmac_signer(secrets: Sequence[bytes]) -> Callable[[bytes], str]:
    """A function that signs with `v1` signatures, one for each secret."""
    return lambda content: " ".join(f"v1,{_encode_base64(hmac.digest(key, content, 'sha256'))}" for key in secrets)


def make_ed25519_signer(signer: Signer) -> Callable[[bytes], str]:
    """A function that signs with a `v1a` signature."""
    return lambda content: f"v1a,{_encode_base64(signer.sign(content))}"


def format_public_key(signer: Signer) -> str:
    """The public key with which a receiver verifies `v1a`."""
    return f"whpk_{_encode_base64(signer.public_key)}"


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


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


_WEBHOOK_PORTS: Final = {"http": 80, "https": 443}
_SECOND_US: Final = 1_000_000
_ACCEPTED: Final = range(200, 300)
_MOVED: Final = range(300, 400)
_LATER: Final = frozenset({408, 425, 429})
_BROKEN: Final = 500
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
            if status not in _ACCEPTED:
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
        sent_s = str(self.clock.now_us() // _SECOND_US)
        return {
            "Content-Type": "application/json",
            "User-Agent": "halo",
            "webhook-id": alert.id,
            "webhook-signature": self.sign(f"{alert.id}.{sent_s}.".encode("ascii") + body),
            "webhook-timestamp": sent_s,
        }

    def _make_refusal(self, status: int, wait: str) -> DeliveryError:
        retryable = status in _LATER or status >= _BROKEN
        remedy = OWED_REMEDY
        if status in _MOVED:
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
