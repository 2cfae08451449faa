"""A second wall under the stubs of a drill: `block_effects` refuses what an application would change outside of it.

Tools and models are replaced, so nothing of them runs. Other code of the application may still run (a middleware, a
prompt function). While a drill runs, an audit hook (PEP 578) refuses connections, programs and changes of files that
are not in the drill's own folder, and notes each.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_NETWORK: Final = frozenset(("socket.connect", "socket.getaddrinfo", "socket.sendmsg", "socket.sendto"))
_PROGRAMS: Final = frozenset((
    "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn", "subprocess.Popen",
))  # fmt: skip
_FILES: Final = frozenset((
    "os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate",
    "sqlite3.connect",
))  # fmt: skip
_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES: Final = ("/dev/null", "/dev/tty")
_MAX_NOTED: Final = 100
_MAX_TEXT: Final = 200


class EffectBlocked(PermissionError):
    """Raised where an application would reach out of a drill."""


class _Wall:
    """What is refused now. An audit hook cannot be removed, so it asks this."""

    def __init__(self) -> None:
        self.folder = ""
        self.noted: list[str] = []
        self.is_installed = False
        self.lock = threading.Lock()

    def hear(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event in _NETWORK or event in _PROGRAMS:
            self.refuse(event, args)
        elif event == "open":
            if isinstance(args[2], int) and args[2] & _WRITES and not self.is_inside(args[0]):
                self.refuse(event, args[:1])
        elif event in _FILES:
            folder = _find_folder(args[-1]) if isinstance(args[-1], int) else ""
            if not all(self.is_inside(item, folder) for item in args if isinstance(item, (str, bytes, Path))):
                self.refuse(event, args)

    def is_inside(self, path: Any, folder: str = "") -> bool:
        if isinstance(path, int):  # an open descriptor
            return True
        text = os.path.join(folder, os.fsdecode(path))  # noqa: PTH118  a hook makes as few objects as it can
        if text in _DEVICES or text == ":memory:" or text.startswith("file::memory:"):
            return True
        text = text.removeprefix("file:").partition("?")[0]
        return f"{os.path.realpath(text)}{os.sep}".startswith(f"{self.folder}{os.sep}")

    def refuse(self, event: str, args: tuple[Any, ...]) -> None:
        text = f"{event} {', '.join(str(item) for item in args if isinstance(item, (str, bytes, tuple, Path)))}"
        with self.lock:
            if len(self.noted) < _MAX_NOTED:
                self.noted.append(text[:_MAX_TEXT])
        raise EffectBlocked(f"a drill has no effects: {text[:_MAX_TEXT]}")


def _find_folder(descriptor: int) -> str:
    """The folder of a descriptor that a name is relative to; empty where there is none, or it cannot be told."""
    try:
        return str(Path(f"/proc/self/fd/{descriptor}").readlink()) if descriptor >= 0 else ""
    except OSError:
        return ""


_WALL: Final = _Wall()


@contextmanager
def block_effects(folder: Path) -> Iterator[list[str]]:
    """Refuse effects outside of a folder, in every thread, until the block ends.

    Args:
        folder: what may be changed.

    Yields:
        What was refused so far, in words.
    """
    if not _WALL.is_installed:
        sys.addaudithook(_WALL.hear)
        _WALL.is_installed = True
    _WALL.noted = []
    # No cache files of modules that are imported meanwhile.
    had_caches, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _WALL.folder = os.path.realpath(folder)
    try:
        yield _WALL.noted
    finally:
        _WALL.folder, sys.dont_write_bytecode = "", had_caches
