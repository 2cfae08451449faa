"""Chooses the engine by the URL of a database; only the one in use is imported."""

from __future__ import annotations

from importlib import import_module

from halo_core.errors import ConfigError
from halo_core.store.engine import Engine, is_postgres


def open_database(url: str, *, tenant: str = "", read_only: bool = False) -> Engine:
    """Open the database of a URL, creating missing tables (unless `read_only`).

    Args:
        url: `sqlite:///path` or `postgresql://…`.
        tenant: whose transactions will be opened; empty for a reader.
        read_only: never write.

    Raises:
        ConfigError: not a usable URL, no database there, another schema, or a driver that is not installed.
        CannotDecide: it cannot be opened or written.
    """
    if not is_postgres(url):
        from halo_core.store.database import Database  # noqa: PLC0415  only the engine in use is imported

        return Database(url, read_only=read_only)
    import_postgres()
    from halo_core.store.postgres import PostgresDatabase  # noqa: PLC0415  likewise

    return PostgresDatabase(url, tenant=tenant, read_only=read_only)


def import_postgres() -> None:
    """Import the engine for PostgreSQL.

    Raises:
        ConfigError: `no_driver`, the driver is not installed.
    """
    try:
        import_module("halo_core.store.postgres")
    except ModuleNotFoundError as exc:
        if exc.name != "psycopg":
            raise
        raise ConfigError(
            "no_driver",
            "the driver for PostgreSQL is not installed",
            field="db",
            remedy="run `pip install '.[postgres]'` in the checkout of Halo",
        ) from exc
