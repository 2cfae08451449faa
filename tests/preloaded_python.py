"""Runs Python programs as forks of a process that has imported what they need: `halo` starts in a few milliseconds.

    subprocess.run([*find_python("halo_langchain"), "script.py", "argument"])     # or "-c", "code"

Each program has a process of its own, with the folder, environment, umask and files of the one that started it, and
ends with its own exit code. It differs from a program that starts from nothing in three ways: it does not import from
the start, `PYTHONHASHSEED` and other settings of the interpreter are the server's, and where a test kills what it
started, the program may run for a moment longer. A test that is about one of these uses `sys.executable`.
`make test-thorough` starts all programs from nothing.

This file is three things: what tests call, the server, and the small client that a command runs, which therefore
imports only what is built in.
"""

from __future__ import annotations

import _socket
import marshal
import posix
import sys

_SIZE = 4
_INT = 4
_FILES = 3


def run_client(path, argv):
    """Ask the server to run a program with this process's files, wait, and end as the program did."""
    umask = posix.umask(0)
    posix.umask(umask)
    environ = dict(posix.environ)
    request = marshal.dumps((argv, posix.getcwd(), environ, umask))
    rights = b"".join(number.to_bytes(_INT, sys.byteorder) for number in range(_FILES))
    with_server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    with_server.connect(path)
    ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)]
    with_server.sendmsg([len(request).to_bytes(_SIZE, "big")], ancillary)
    with_server.sendall(request)
    answer = with_server.recv(_INT)
    code = int.from_bytes(answer, "big", signed=True) if answer else 1
    if code < 0:
        posix.kill(posix.getpid(), -code)
    posix._exit(code)


if __name__ == "__main__" and sys.argv[1] == "client":
    run_client(sys.argv[2], sys.argv[3:])

import atexit  # noqa: E402  the client is to start fast
import contextlib  # noqa: E402
import fcntl  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402
import pkgutil  # noqa: E402
import selectors  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import types  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple, NoReturn, Self  # noqa: E402


def find_python(adapter: str = "") -> list[str]:
    """The beginning of a command that runs a program.

    Args:
        adapter: package of the adapter that the program uses; none for a program of the core.

    Returns:
        A client of a server that has imported `halo_core` and the adapter, each with all modules. It is started when a
        process of this test run first needs it. In a thorough run, and where a fork is not to be trusted, the
        interpreter.
    """
    if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" or sys.platform != "linux":
        return [sys.executable]
    if adapter not in _clients:
        _clients[adapter] = _find_server(["halo_core", *filter(None, [adapter])])
    return _clients[adapter]


_SOURCE = Path(__file__).resolve().parents[1] / "src"
_FOLDER = "TESTS_PRELOADED"
"""Environment variable that names the folder of the servers, which all workers of a test run share."""
_END = "end"
"""A pipe in that folder, open for writing in the process that made it: servers end when its other end does."""
_clients: dict[str, list[str]] = {}
"""By the adapter that the server has imported."""
_started: list[subprocess.Popen[bytes]] = []


def share_servers() -> Callable[[], None]:
    """Let this process and those that it starts share servers. Returns what ends them, and what they still run."""
    if _FOLDER in os.environ:  # a worker
        return lambda: None
    folder = os.environ[_FOLDER] = tempfile.mkdtemp(prefix="preloaded-", dir="/tmp")
    os.mkfifo(f"{folder}/{_END}")
    writable = os.open(f"{folder}/{_END}", os.O_RDWR | os.O_CLOEXEC)

    def end() -> None:
        os.close(writable)
        for server in _started:
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        del os.environ[_FOLDER]
        _started.clear()
        _clients.clear()

    return end


def _find_server(packages: list[str]) -> list[str]:
    """The client of a server that has imported some packages; it is started unless another worker has done so."""
    path, here = f"{os.environ[_FOLDER]}/{packages[-1]}", str(Path(__file__).resolve())
    with Path(f"{path}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not Path(path).exists():
            _start_server(here, path, packages)
    return [sys.executable, "-I", "-S", here, "client", path]


def _start_server(here: str, path: str, packages: list[str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HALO_", "COV_"))}
    with Path(os.environ[_FOLDER], _END).open("rb") as end:
        server = subprocess.Popen(
            [sys.executable, here, "server", path, *packages],
            env={**kept, "PYTHONPATH": os.pathsep.join([str(_SOURCE), os.environ.get("PYTHONPATH", "")])},
            stdin=end,
            stdout=subprocess.PIPE,
        )
    _started.append(server)
    assert server.stdout is not None
    with server.stdout as said:
        assert said.readline() == b"ready\n", "the server of preloaded programs did not start"


class _Program(NamedTuple):
    argv: list[str]
    folder: str
    environ: dict[bytes, bytes]
    umask: int
    files: list[int]


def serve(path: str, packages: list[str]) -> _Program | None:
    """Answer clients until standard input ends. Returns None then, and in each fork the program that it is to run."""
    sys.path.pop(0)  # the folder of this file
    for package in packages:
        _import_all(package)
    assert threading.active_count() == 1, "a thread does not survive a fork"
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, _ChildSignal() as ended:
        listener.bind(path)
        listener.listen(64)
        os.write(1, b"ready\n")
        return _Loop(listener, ended).run()


class _ChildSignal:
    """A file that is readable when a child may have ended."""

    def __enter__(self) -> Self:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before = signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._write.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, self._before)
        self._read.close()
        self._write.close()

    def fileno(self) -> int:
        return self._read.fileno()

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._read.recv(4096)


class _Loop:
    """What the server waits for: its end, clients, ends of programs, and clients that were killed."""

    def __init__(self, listener: socket.socket, ended: _ChildSignal) -> None:
        self._listener = listener
        self._ended = ended
        self._running: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        for readable in (0, listener, ended):
            self._selector.register(readable, selectors.EVENT_READ)

    def run(self) -> _Program | None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == 0:
                    self._kill_all()
                    return None
                if key.fileobj is self._ended:
                    self._ended.clear()
                    self._report_ends()
                elif key.fileobj is self._listener:
                    if (program := self._start()) is not None:
                        return program
                elif key.data in self._running:
                    self._selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)

    def _start(self) -> _Program | None:
        """Fork; the program in the child, None in the server."""
        connection, _ = self._listener.accept()
        program = _receive(connection)
        number = os.fork()
        if number == 0:
            self._selector.close()
            for item in (connection, *self._running.values()):
                item.close()
            return program
        for file in program.files:
            os.close(file)
        self._running[number] = connection
        self._selector.register(connection, selectors.EVENT_READ, number)
        return None

    def _report_ends(self) -> None:
        while self._running:
            number, status = os.waitpid(-1, os.WNOHANG)
            if not number:
                return
            connection = self._running.pop(number)
            with contextlib.suppress(KeyError):
                self._selector.unregister(connection)
            with contextlib.suppress(OSError), connection:
                connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(_INT, "big", signed=True))

    def _kill_all(self) -> None:
        for number in self._running:
            os.kill(number, signal.SIGKILL)


def _import_all(package: str) -> None:
    found = importlib.import_module(package)
    for module in pkgutil.walk_packages(getattr(found, "__path__", ()), f"{package}.", onerror=lambda _: None):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(Exception):  # a program that needs it says why it cannot be imported
                importlib.import_module(module.name)


def _receive(connection: socket.socket) -> _Program:
    head, files, _, _ = socket.recv_fds(connection, _SIZE, _FILES)
    size, data = int.from_bytes(head, "big"), b""
    while len(data) < size:
        data += connection.recv(size - len(data))
    argv, folder, environ, umask = marshal.loads(data)
    return _Program(argv, folder, environ, umask, files)


def run_program(program: _Program) -> NoReturn:
    """Become this program: `-c` with code, or a script, with arguments.

    It ends as an interpreter does, except that objects are not freed one by one: that would copy the server's memory.
    """
    code = 0
    try:
        _execute(program)
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else int(exc.code is not None)
        if not isinstance(exc.code, int | None):
            sys.stderr.write(f"{exc.code}\n")
    except BaseException as exc:  # noqa: BLE001  as the interpreter
        sys.excepthook(type(exc), exc, exc.__traceback__)
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF)


def _open_stream(file: int, errors: str) -> io.TextIOWrapper:
    raw = open(file, "wb", buffering=0, closefd=False)  # noqa: SIM115  open to the end
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)


def _execute(program: _Program) -> None:
    os.environ.clear()
    os.environb.update(program.environ)
    os.chdir(program.folder)
    os.umask(program.umask)
    for number, file in enumerate(program.files):
        os.dup2(file, number)
        os.close(file)
    # The server's streams know of its own files whether these can seek.
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  open to the end
    sys.stdout = sys.__stdout__ = _open_stream(1, "strict")
    sys.stderr = sys.__stderr__ = _open_stream(2, "backslashreplace")
    time.tzset()
    tempfile.tempdir = None
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    main: Any = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    if program.argv[0] == "-c":
        sys.argv = ["-c", *program.argv[2:]]
        sys.path.insert(0, "")
        code = compile(program.argv[1], "<string>", "exec")
    else:
        script = Path(program.argv[0])
        sys.argv = list(program.argv)
        sys.path.insert(0, str(script.resolve().parent))
        main.__file__ = program.argv[0]
        code = compile(script.read_bytes(), program.argv[0], "exec")
    exec(code, main.__dict__)


if __name__ == "__main__":
    if (started := serve(sys.argv[2], sys.argv[3:])) is not None:
        run_program(started)
    os._exit(0)  # objects are not freed one by one
