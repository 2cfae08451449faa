"""Typed answers to questions about a store: what a session did, what a passport allows, how risky an agent is.

A view is a dataclass that is loaded from a store and knows its JSON (`to_json`). Views render nothing and write
nothing: the command line, reports and pages bind them to a form.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

__all__ = ["NO_LEDGER_CODES", "View"]

NO_LEDGER_CODES: Final = ("no_database", "no_store")
"""Codes of the `ConfigError` where there is no store yet."""


class View:
    """A dataclass whose fields are the keys of its JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]
