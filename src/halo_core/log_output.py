"""Log output of the library: the loggers `halo.*`, and a default handler for people.

The library writes through `logging` only, with structured fields in `extra` whose names begin with `halo_`. As a
library it adds a `NullHandler` to the logger `halo` and sets no level. When a store is opened, a handler is added that
prints a record as `halo: <message>` on stderr, so that a person who starts an agent sees in which mode it runs. It
prints nothing once the host has configured logging, that is, once any other handler receives the record.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

_ROOT: Final = logging.getLogger("halo")
_ROOT.addHandler(logging.NullHandler())


def get_logger(name: str) -> logging.Logger:
    """The logger `halo.<name>`."""
    return _ROOT.getChild(name)


class DefaultHandler(logging.StreamHandler[TextIO]):
    """Prints `halo: <message>` on stderr for records that no handler of the host receives."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)  # the stream is whatever stderr is when a record comes
        self.setFormatter(logging.Formatter("halo: %(message)s"))

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        """The current `sys.stderr`."""
        return sys.stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record, unless it comes from a Halo opened with `quiet`."""
        if getattr(record, "halo_quiet", False):
            return
        if not _has_host_handler(logging.getLogger(record.name)):
            super().emit(record)


def _has_host_handler(logger: logging.Logger | None) -> bool:
    while logger is not None:
        if any(not isinstance(item, logging.NullHandler | DefaultHandler) for item in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


def install_default_handler() -> None:
    """Add the default handler to the logger `halo`, unless it is already there."""
    if not any(isinstance(item, DefaultHandler) for item in _ROOT.handlers):
        _ROOT.addHandler(DefaultHandler())
