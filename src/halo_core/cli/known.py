"""`halo known`: payees, contacts and own domains that the operator vouches for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import StoreContext, WhyOption, store_verb
from halo_core.cli.rendering import Exit, safe_text, say, say_plainly
from halo_core.clock import format_iso
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.enforcement.registry import RegisteredResource
from halo_core.errors import ConfigError
from halo_core.oversight.known import (
    KnownValue,
    add_known,
    clear_stores,
    list_known,
    make_known_value,
    read_known_file,
    revoke_known,
)
from halo_core.store.entry_lookup import find_entry
from halo_core.values.facts.answer_scope import list_declarable
from halo_core.values.provenance.leaves import extract_texts
from halo_core.views.wording import escape_unprintable, format_count

app = typer.Typer(help="Payees, contacts and own domains that you vouch for.", no_args_is_help=True)

_MAX_SHOWN: Final = 20
KindArgument = Annotated[str, Argument(help="account, domain, email, handle, host, model_field; or payee, contact.")]


@store_verb(app, "import", by=True)
def import_file(
    file: Annotated[Path, Argument(help="CSV with the columns kind (as of `halo known add`), value and perhaps name.")],
    *,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Import values from a CSV file, all or none."""
    values = read_known_file(file)
    _add(store, values, why)


@store_verb(app, "add", by=True)
def add_one(
    kind: KindArgument = "",
    value: Annotated[str, Argument(help="The value, for example ana@corp.example.")] = "",
    *,
    name: Annotated[str, Option("--name", help="Whose it is, for people.")] = "",
    decision: Annotated[str, Option("--decision", metavar="ID", help="Instead: the targets of this decision.")] = "",
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Declare a value as known, or the targets of a decision that was denied because nobody vouched for them."""
    if bool(decision) == bool(kind or value):
        problem = "give a kind and a value, or `--decision ID`"
        remedy = "for example `halo known add email ana@corp.example`"
        raise ConfigError("bad_known", problem, field="value", remedy=remedy)
    values = _read_targets(store, decision) if decision else [make_known_value(kind, value, name)]
    _add(store, values, why)


def _read_targets(store: StoreContext, decision: str) -> list[KnownValue]:
    with store.open_log() as (reader, tenant):
        entry = find_entry(reader, tenant, decision).entry
        sealed = store.open_contents(reader).open(entry, "args")
    body = entry.body
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None and "request" in body else {}
    names = body["request"]["resource"]["targets"] if args else []
    texts = [text for name in names for text in extract_texts(args.get(name, ""))]
    values = [make_known_value(*item) for text in texts for item in list_declarable(text)]
    if not values:
        problem = f"`{decision[:64]}` has no target that can be read"
        raise ConfigError("bad_known", problem, field="decision", remedy="give a kind and a value")
    return values


def _add(store: StoreContext, values: Sequence[KnownValue], why: str) -> None:
    digester = Digester(store.keys.secret("digest"))
    count = store.commit(lambda tx: add_known(tx, digester, values, by=store.actor, why=why))
    if store.print_json({"added": count, "given": len(values)}):
        return
    say_plainly(f"{count} of {len(values)} values are new")
    for value in values if len(values) <= _MAX_SHOWN else ():
        say(safe_text(escape_unprintable(f"  {value.kind} {value.form}")))


@store_verb(app, "list")
def list_values(*, store: StoreContext) -> None:
    """List what is known."""
    with store.open_log() as (reader, tenant):
        items = list(list_known(reader, store.home, tenant, opener=store.open_contents(reader).open))
    if store.print_json(
        [
            {
                "by": item.by,
                "kind": item.value.kind,
                "name": item.value.name,
                "since_us": item.since_us,
                "value": item.value.form,
                "why": item.why,
            }
            for item in items
        ]
    ):
        return
    for item in items:
        form = item.value.form or "(erased)"
        name = f" ({item.value.name})" if item.value.name else ""
        text = f"{item.value.kind} {form}{name}  since {format_iso(item.since_us)}, by {item.by}"
        say(safe_text(escape_unprintable(text)))
    if not items:
        say("nothing is known; add a payee with `halo known add account ...`, or import a CSV file")


@store_verb(app, "revoke", by=True)
def revoke_one(
    kind: KindArgument,
    value: Annotated[str, Argument(help="The value.")],
    *,
    why: WhyOption = "",
    store: StoreContext,
) -> int:
    """Take a value back, from the next decision on. Exit 2: it was not known, and nothing was changed."""
    known_value = make_known_value(kind, value)
    digester = Digester(store.keys.secret("digest"))
    count = store.commit(lambda tx: revoke_known(tx, digester, [known_value], by=store.actor, why=why))
    if not store.print_json({"revoked": count}):
        absence = f"this {known_value.kind} was not known, and nothing was changed; `halo known list` shows what is"
        say_plainly(f"revoked {known_value.kind}" if count else absence)
    return Exit.OK if count else Exit.CANNOT_TELL


@store_verb(app, "clear", by=True)
def clear_store(
    tool: Annotated[str, Argument(help="A tool or retriever that reads the store, for example recall_notes.")],
    *,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Let what was stored after exposure come back as trusted, once you have looked at what the store holds."""
    with store.open_log() as (reader, tenant):
        specs = [RegisteredResource.from_bytes(data) for _, data in reader.resources(tenant)]
    resource = next((spec.resource for spec in specs if spec.resource.id == tool), None)
    if resource is None:
        tool_names = ", ".join(sorted(spec.resource.id for spec in specs)[:_MAX_SHOWN])
        problem = f"`{tool[:64]}` is not registered"
        raise ConfigError("no_resource", problem, field="tool", remedy=f"use one of {tool_names}" if tool_names else "")
    names = store.commit(lambda tx: clear_stores(tx, resource, by=store.actor, why=why))
    if not store.print_json({"cleared": list(names)}):
        say_plainly(f"cleared {format_count(len(names), 'store')} that {tool} reads:")
        for name in names:
            say(safe_text(escape_unprintable(f"  {_describe_store(name)}")))
        say_plainly(f"what exposed sessions wrote up to now is trusted again where {tool} returns it")


def _describe_store(name: str) -> str:
    """What a store is, by its name: a declared system, or what the names of tools speak of."""
    kind, _, about = name.partition(":")
    if kind == "system":
        return f"the system `{about}`"
    writers = "tools of declared systems" if kind == "declared" else "tools without a declared system"
    subject = "without a name that says about what" if about == "*" else f"about `{about}`"
    return f"what {writers} write {subject}"
