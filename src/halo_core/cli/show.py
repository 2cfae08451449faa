"""`halo show`: one entry in full.

Content is masked unless `--reveal` is given, which needs the content key.
"""

from __future__ import annotations

from typing import Annotated

from rich.markup import escape
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.evidence import open_log, print_log_head, read_log_head
from halo_core.cli.rendering import EFFECT_STYLE, build_field_table, say
from halo_core.model import EntryKind
from halo_core.views.entries import load_entry


@store_verb()
def show(
    id: Annotated[str, Argument(help="An entry: its index (#), its id, or the first characters of the id.")],  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, Option("--reveal", help="Show content unmasked.")] = False,
    store: StoreContext,
) -> int:
    """Show one entry in full: who did what, why it was decided so, and the outcome.

    Exit 0: the log verifies. 2: it does not, so nobody can tell whether the entry is what was signed.
    """
    with store.open_log() as (reader, tenant):
        parts = load_entry(reader, store.open_contents(reader, is_shown=False), tenant, id, reveal=reveal)
        entry_id = parts[0].record.entry.id
        query = f"halo show {entry_id}{' --reveal' * reveal}"
        head = read_log_head(open_log(store, reader, tenant, query), (len(parts), "entries"))
    store.record_access("reveal" if reveal else "read", {"entry": entry_id}, tenant)
    if store.print_json(parts):
        return head.verdict.exit_code
    print_log_head(head)
    say()
    for part in parts:
        entry = part.record.entry
        say(f"[bold]{'sighting' if entry.kind is EntryKind.SHADOW else entry.kind.value}[/] {entry.id}")
        say(build_field_table((name, _style_value(name, value)) for name, value in part.describe()))
        say()
    return head.verdict.exit_code


def _style_value(name: str, value: str) -> str:
    """Return a value as markup; an effect has the style of its kind."""
    style = EFFECT_STYLE.get(value, "") if name == "effect" else ""
    return f"[{style}]{value}[/]" if style else escape(value)
