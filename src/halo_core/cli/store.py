"""`halo store`: copying a store as a whole."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from typer import Argument, Option

from halo_core.cli.context import StoreContext, show_progress, store_verb
from halo_core.cli.rendering import safe_text, say, say_plainly
from halo_core.store.reader import Reader
from halo_core.store_copy import copy_store
from halo_core.views.wording import format_entries

app = typer.Typer(no_args_is_help=True, help="Copy a store into another database.")


@store_verb(app, "copy", db=False, tenant=False)
def copy(
    source: Annotated[str, Argument(metavar="SOURCE", help="SQLAlchemy URL of the store.")],
    target: Annotated[
        str, Argument(metavar="TARGET", help="SQLAlchemy URL of an empty database, or of a file that does not exist.")
    ],
    *,
    in_use: Annotated[
        bool, Option("--in-use", help="Copy one moment of a store in use; the copy lacks what is written later.")
    ] = False,
    restart: Annotated[
        bool, Option("--restart", help="First remove what an unfinished copy left in the target.")
    ] = False,
    store: StoreContext,
) -> None:
    """Copy a store, SQLite or PostgreSQL, into an empty database of either, and verify both."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    exported = replace(store, url=source)
    with Reader(source) as reader:
        tenants = reader.tenants()
    if not in_use:  # a store in use may belong to a host with another home, whose keys are needed to record it
        for tenant in tenants:
            exported.record_access("export", {"store": "copy"}, tenant)
    with show_progress(*columns) as bar:
        progress = partial(_show_step, bar)
        result = copy_store(source, target, store.home, in_use=in_use, restart=restart, progress=progress)
    if store.print_json(result):
        return
    for tenant, log in result.logs.items():
        say(
            safe_text(tenant, "bold"),
            f": {format_entries(log.entries)}, root {log.root[:16]}…, the same in both",
        )
    say("[bold green]copied[/]: source and copy are whole, and every row is the same")
    if result.is_in_use:
        say("[yellow]note[/]: the source is in use; what was written there since is not in the copy")
    say_plainly("use the copy from now on, and let no process write to the source: it would be another log")


def _show_step(bar: Progress, name: str, done: int, total: int) -> None:
    """Show the progress of one table or pass, in rows, in place of the one before."""
    current = bar.tasks[-1] if bar.tasks else None
    if current is None or current.description != name:
        if current is not None:
            bar.remove_task(current.id)
        bar.add_task(name, total=total or None, completed=done)
    else:
        bar.update(current.id, completed=done)
