"""Receivers as they are elsewhere, on this machine: HTTP, syslog over UDP, TCP and TLS; alerts put into a log.

Signatures are verified by the reference library; what reads syslog is written from the standards, not from our code.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from halo_core.alerts.messages import AgentAlert
from halo_core.cli.context import StoreContext
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.risk.model import Factor
from halo_core.store.drafts import Draft
from halo_world import url_of

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(32)).decode()
EVIL = [
    'x" forged="1',
    "x] [forged@1 a=b",
    "x\n<13>1 2026-01-01T00:00:00Z h halo - ALERT - forged",
    "x\r\nwebhook-id: forged",
    "back\\slash\\",
    "\u202edesrever\u202c",
    "\x00\x1b[2J\x7f\x85\u2028",
    "שלום عليكم 你好 🙂",
    "'; DROP TABLE alert; --",
    '{"a": "b"}',
    "y" * 5000,
    "y" * 254 + '"]',
    "\ud800",
]


def body(**changes: Any) -> dict[str, Any]:
    return {
        "agent": "desk",
        "decision": {"leaf": "sha256:00", "w": "writer", "ws": 4},
        "factors": [{"id": "naming_new", "moved": 1500, "value": 3, "words": "names nobody has named"}],
        "kind": "action",
        "resource": "share",
        "risk": 900,
        "session_risk": 900,
        **changes,
    }


def alert(**changes: Any) -> AgentAlert:
    plain = {
        "id": "0199-1d",
        "index": 7,
        "tenant": "local",
        "session": "s",
        "ts_us": 1_767_225_600_000_000,
        "kind": "action",
        "agent": "desk",
        "resource": "share",
        "risk": 900,
        "session_risk": 900,
        "leaf": "sha256:00",
        "writer": "w",
        "seq": 4,
        "factors": (Factor("naming_new", 3, 1500, "names nobody has named"),),
        **changes,
    }
    return AgentAlert(**plain)


def home_with(home: Path, *bodies: dict[str, Any]) -> Path:
    """A home whose log holds these alerts."""
    HaloBase.local("desk", home=home, mode="enforce", quiet=True).close()
    more(home, *bodies)
    return home


def more(home: Path, *bodies: dict[str, Any]) -> None:
    def record(tx: Any) -> None:
        for i, item in enumerate(bodies):
            tx.append(Draft(EntryKind.ALERT, f"s-{i}", item))

    if bodies:
        StoreContext(home, url_of(home)).commit(record)


def secret_file(folder: Path, *secrets: str) -> Path:
    path = folder / "webhook.secret"
    path.write_text("".join(f"{item}\n" for item in secrets or (SECRET,)))
    path.chmod(0o600)
    return path


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


# HTTP


class Received:
    """One request as it came."""

    def __init__(self, path: str, headers: dict[str, str], data: bytes) -> None:
        self.path, self.headers, self.data = path, headers, data


@contextlib.contextmanager
def webhook(
    answer: Callable[[Received], tuple[int, dict[str, str]]] = lambda _: (204, {}),
    context: ssl.SSLContext | None = None,
) -> Iterator[tuple[str, list[Received]]]:
    """An HTTP server: its URL, and what it received."""
    got: list[Received] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            got.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, data))
            status, headers = answer(got[-1])
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        scheme, host = ("http", "127.0.0.1") if context is None else ("https", "localhost")
        yield f"{scheme}://{host}:{server.server_address[1]}/hook?token=abc", got


@contextlib.contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def genuine(item: Received, secret: str) -> bool:
    """Whether a receiver that uses the reference library of Standard Webhooks accepts this request."""
    try:
        standardwebhooks.Webhook(secret).verify(item.data, item.headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


# syslog


@contextlib.contextmanager
def syslog_stream(
    context: ssl.SSLContext | None = None, last: Callable[[socket.socket], None] | None = None
) -> Iterator[tuple[str, list[bytes]]]:
    """A TCP or TLS listener: its URL, and what each connection sent.

    Args:
        context: TLS.
        last: instead of reading to the end and closing.
    """
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        ended = threading.Event()

        def read(sock: socket.socket) -> None:
            if last is not None:
                last(sock)
                return
            data = b""
            while chunk := sock.recv(1000):
                data += chunk
            got.append(data)
            if isinstance(sock, ssl.SSLSocket):
                sock.unwrap()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                    sock = stack.enter_context(server.accept()[0])
                    sock.settimeout(10)
                    if context is not None:
                        sock = stack.enter_context(context.wrap_socket(sock, server_side=True))
                    read(sock)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            scheme, host = ("tcp", "127.0.0.1") if context is None else ("tls", "localhost")
            yield f"{scheme}://{host}:{server.getsockname()[1]}", got
        finally:
            ended.set()
            thread.join()


@contextlib.contextmanager
def syslog_datagrams() -> Iterator[tuple[str, Callable[[int], list[bytes]]]]:
    """A UDP listener: its URL, and what reads so many datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield f"udp://127.0.0.1:{sock.getsockname()[1]}", lambda count: [sock.recv(65_536) for _ in range(count)]


def frames(data: bytes) -> list[bytes]:
    """RFC 6587 section 3.4.1: a length, a blank, so many octets."""
    found = []
    while data:
        length, _, data = data.partition(b" ")
        assert re.fullmatch(rb"[1-9][0-9]*", length)
        assert len(data) >= int(length)
        found.append(data[: int(length)])
        data = data[int(length) :]
    return found


def parsed(data: bytes) -> tuple[dict[str, str], dict[str, dict[str, str]], str]:
    """RFC 5424 section 6 by its grammar: header, structured data, message."""
    text = data.decode("utf-8")
    head = re.match(
        r"<(?P<pri>[0-9]{1,3})>(?P<version>[1-9][0-9]{0,2}) (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z)"
        r" (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<proc>[!-~]{1,128}) (?P<msgid>[!-~]{1,32}) ",
        text,
    )
    assert head, text
    rest = text[head.end() :]
    elements: dict[str, dict[str, str]] = {}
    while rest.startswith("["):
        name = re.match(r'\[([!-~]{1,32})(?<![="\]])', rest)
        assert name, rest
        rest = rest[name.end() :]
        values: dict[str, str] = {}
        while not rest.startswith("]"):
            pair = re.match(r' ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\["\\\]])*)"', rest)
            assert pair, rest
            assert pair[1] not in values
            values[pair[1]] = re.sub(r'\\(["\\\]])', r"\1", pair[2])
            rest = rest[pair.end() :]
        elements[name[1]] = values
        rest = rest[1:]
    assert rest.startswith(" "), rest
    return head.groupdict(), elements, rest[1:]


# certificates


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """A certificate that is its own authority, and a server that has it."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    folder.mkdir(exist_ok=True)
    public, private = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"),
            *("-addext", "keyUsage=critical,keyCertSign,digitalSignature", "-out", public, "-keyout", private),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return public, context


def sender(home: Path, *argv: str, point: str = "", python: Sequence[str] = (sys.executable,)) -> list[str]:
    """The command line of `halo alerts send`, killed at a failpoint if one is named.

    It can be interrupted also where the tests run in the background, whose children ignore interrupts.
    """
    arm = (
        "import os\nfrom halo_core import failpoints\n"
        f"failpoints.arm_failpoints(lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == {point!r} else None)\n"
    )
    heed = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code = f"{heed}{arm if point else ''}from halo_core.cli import main\nmain()"
    return [*python, "-c", code, "alerts", "send", *argv, "--home", str(home)]
