"""Typed answers to questions about a store: what a session did, what a passport allows, how risky an agent is.

A view is a dataclass that is loaded from a store and has a form in JSON (`to_json`). Views render nothing and write
nothing; the command line, reports and pages do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any, Final

__all__ = ["NO_LEDGER_CODES", "View", "select_fields", "to_json"]

NO_LEDGER_CODES: Final = ("no_database", "no_store")
"""Codes of the `ConfigError` where there is no store yet."""


class View:
    """A dataclass whose fields are the keys of its JSON."""

    __slots__ = ()

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]


def to_json(value: Any) -> Any:
    """A value as JSON values: views, dataclasses and named tuples become mappings, also within lists and mappings."""
    if isinstance(value, View):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, Mapping):
        return {key: to_json(item) for key, item in value.items()}
    return [to_json(item) for item in value] if isinstance(value, list | tuple) else value


def select_fields(value: Any, *names: str) -> dict[str, Any]:
    """Some attributes of a value, by name."""
    return {name: getattr(value, name) for name in names}
