"""`halo home`: giving other hosts of a store what they share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.rendering import safe_text, say, say_plainly
from halo_core.home_bundle import HomeBundle, export_home, import_home

app = typer.Typer(no_args_is_help=True, help="Give other hosts of a store its keys, authorities and policy.")

BundleArgument = Annotated[Path, Argument(metavar="FILE", help="The bundle.")]
KeyOption = Annotated[
    Path, Option("--key", help="File with the key that opens the bundle; keep the two apart.", show_default=False)
]


@store_verb(app, "export", db=False, tenant=False)
def export(
    path: BundleArgument,
    *,
    key: KeyOption,
    agent: Annotated[
        list[str] | None, Option("--agent", help="Include the key of an agent that runs on several hosts; repeatable.")
    ] = None,
    issuer: Annotated[
        bool, Option("--issuer", help="Include the issuer's key, for hosts that make passports themselves.")
    ] = False,
    store: StoreContext,
) -> None:
    """Seal what the hosts of a store share into a new file. Makes the key file if there is none."""
    bundle = export_home(store.home, path, key, agents=agent or (), with_issuer=issuer)
    for tenant in bundle.logs:
        store.record_access("export", {"keys of": "home", "file": path.name}, tenant)
    if not store.print_json(bundle):
        _print_bundle(bundle)
        say("[bold green]exported[/] ", safe_text(f"{path}, opened by {key}; send them by different ways"))


@store_verb(app, "import", db=False, tenant=False)
def import_(
    path: BundleArgument,
    *,
    key: KeyOption,
    update: Annotated[
        bool, Option("--update", help="Replace policy, manifest and authorities of this home. Keys are never replaced.")
    ] = False,
    store: StoreContext,
) -> None:
    """Unpack a bundle into this home: all of it, or nothing if the home has other keys."""
    bundle = import_home(store.home, path, key, update=update)
    if not store.print_json(bundle):
        _print_bundle(bundle)
        written = ", ".join(bundle.written) or "nothing: all of it was there"
        say("[bold green]imported[/] ", safe_text(f"into {store.home}: {written}"))


def _print_bundle(bundle: HomeBundle) -> None:
    say_plainly(f"files: {', '.join(bundle.files)}")
    for tenant, vkey in bundle.logs.items():
        say_plainly(f"log of tenant {tenant}: {vkey}")
