"""`block_effects` refuses effects of an application beyond the tools and models that a drill replaces.

Replaced tools and models do nothing, but other code of the application may still run (a middleware, a prompt function).
While a drill runs, an audit hook (PEP 578) refuses connections, programs and changes of files outside the drill's own
folder, and records each. Connections and files that were open before can still be written to.

A run that did not end continues when the drill is over. `keep_blocking` refuses effects of its threads from then on.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_NETWORK: Final = frozenset((
    "socket.bind", "socket.connect", "socket.getaddrinfo", "socket.sendmsg", "socket.sendto",
))  # fmt: skip
_PROGRAMS: Final = frozenset((
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn",
    "signal.pthread_kill", "subprocess.Popen",
))  # fmt: skip
_FILES: Final = frozenset((
    "os.chflags", "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.removexattr", "os.rename", "os.rmdir",
    "os.setxattr", "os.symlink", "os.truncate", "os.utime", "sqlite3.connect",
))  # fmt: skip
_NOWHERE: Final = "\0"  # a folder that no path is in
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES: Final = ("/dev/null", "/dev/tty")
_MAX_NOTED: Final = 100
_MAX_TEXT: Final = 200


class EffectBlocked(PermissionError):
    """Raised when an application tries to reach out of a drill."""


class _Wall:
    """The effects refused now. It exists because an audit hook cannot be removed."""

    def __init__(self) -> None:
        self.folder = ""
        self.left: set[threading.Thread] = set()
        self.noted: list[str] = []
        self.is_installed = False
        self.watches_starts = False
        self.lock = threading.Lock()

    def check_event(self, event: str, args: tuple[Any, ...]) -> None:
        """Refuse an audit event that would reach out of the drill's folder.

        Raises:
            EffectBlocked: it would.
        """
        folder = self.folder
        if self.left and threading.current_thread() in self.left:
            folder = _NOWHERE  # the drill is over, and its folder gone
        if not folder:
            return
        if event in _NETWORK or event in _PROGRAMS:
            self.refuse(event, args)
        elif event == "open":
            if isinstance(args[2], int) and args[2] & _WRITES and not is_inside(folder, args[0]):
                self.refuse(event, args[:1])
        elif event in _FILES:
            parent = _find_folder(args[-1]) if isinstance(args[-1], int) else ""
            if not all(is_inside(folder, item, parent) for item in args if isinstance(item, (str, bytes, Path))):
                self.refuse(event, args)

    def refuse(self, event: str, args: tuple[Any, ...]) -> None:
        """Note an event in words, and raise `EffectBlocked`."""
        text = f"{event} {', '.join(str(item) for item in args if isinstance(item, (str, bytes, tuple, Path)))}"
        with self.lock:
            if len(self.noted) < _MAX_NOTED:
                self.noted.append(text[:_MAX_TEXT])
        raise EffectBlocked(f"a drill has no effects: {text[:_MAX_TEXT]}")


def is_inside(folder: str, path: Any, parent: str = "") -> bool:
    """Whether a path, perhaps relative to `parent`, is inside a folder or keeps nothing (such as a null device)."""
    if isinstance(path, int):  # an open descriptor
        return True
    text = os.path.join(parent, os.fsdecode(path))  # noqa: PTH118  a hook makes as few objects as it can
    if text in _DEVICES or text == ":memory:" or text.startswith("file::memory:"):
        return True
    text = text.removeprefix("file:").partition("?")[0]
    return f"{os.path.realpath(text)}{os.sep}".startswith(f"{folder}{os.sep}")


def _find_folder(descriptor: int) -> str:
    """The folder of a descriptor that a name is relative to; empty if there is none, or it is unknown."""
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink()) if descriptor >= 0 else ""
    except OSError:
        return ""


_WALL: Final = _Wall()


@contextmanager
def block_effects(folder: Path) -> Iterator[list[str]]:
    """Refuse effects outside a folder, in every thread, until the block ends.

    Args:
        folder: what may be changed.

    Yields:
        What was refused so far, in words.
    """
    if not _WALL.is_installed:
        sys.addaudithook(_WALL.check_event)
        _WALL.is_installed = True
    _WALL.noted = []
    # No cache files of modules that are imported meanwhile.
    had_caches, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _WALL.folder = os.path.realpath(folder)
    try:
        yield _WALL.noted
    finally:
        _WALL.folder, sys.dont_write_bytecode = "", had_caches


def keep_blocking(threads: Iterable[threading.Thread]) -> None:
    """Refuse every effect of some threads permanently, including starting other threads.

    INVARIANT: a run of a drill that did not end has no effects, however long it goes on.
    """
    _WALL.left = {item for item in (*_WALL.left, *threads) if item.is_alive()}
    if _WALL.left and not _WALL.watches_starts:
        _WALL.watches_starts = True
        threading.Thread.start = _watch_starts(threading.Thread.start)  # type: ignore[method-assign, assignment]


def _watch_starts(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def start_thread(thread: threading.Thread) -> None:
        """Start a thread, unless a left-over thread does so, since the new one would be unknown."""
        if threading.current_thread() in _WALL.left:
            _WALL.refuse("threading.Thread.start", ())
        start(thread)

    return start_thread
