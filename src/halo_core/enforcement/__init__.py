"""Enforcement: decides every call of an adapter, runs it as decided, and records the outcome."""

from halo_core.values.programs.languages import find_sql_language

__all__ = ["find_sql_language"]
