"""Room: `halo show` and `halo log`. Takes: a store. Gives: one decision, or the story of a session. Never: writes.

Content is masked; `--reveal` shows it, to whoever holds the content key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import orjson
import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from halo_core.cli.common import (
    EFFECT_STYLE,
    DbOption,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    where,
)
from halo_core.cli.identity_alert import about_identity, identity_rows
from halo_core.cli.risk_words import alert_rows, score_rows
from halo_core.cli.words import amount, cell
from halo_core.clock import iso
from halo_core.errors import PassportError
from halo_core.keys import KeyStore
from halo_core.model import Entry, EntryKind
from halo_core.passport.codec import payload_of
from halo_core.query import Contents, Found, entries, find, one_tenant, related
from halo_core.redact import Redactor
from halo_core.store.reader import Reader
from halo_core.telling.alert import agent_alert

__all__ = ["log", "show"]

_TITLES: Final = ("action", "resource", "effect", "ran", "why")


def show(
    id: Annotated[str, typer.Argument(help="Index (#), or id or its start, of an entry.")],  # noqa: A002  the word users expect
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show content unmasked.")] = False,
    json: JsonOption = False,
) -> int:
    """Show one entry in full: who, what, why, what came of it."""
    folder, url = where(home, db)
    with Reader(url) as reader:
        name = one_tenant(reader, tenant)
        found = find(reader, name, id)
        contents = Contents.at(reader, KeyStore(folder))
        parts = [found, *(related(reader, found) if found.entry.kind is EntryKind.DECISION else [])]
        opened = [_contents(contents, part, reveal=reveal) for part in parts]
        decimals = _decimals(reader, name, found.entry)
    if json:
        rows = zip(parts, opened, strict=True)
        print_json([{"content": c, "entry": dict(p.entry.to_plain()), "index": p.index} for p, c in rows])
        return 0
    for part, content in zip(parts, opened, strict=True):
        _card(part, content, decimals)
    return 0


def _decimals(reader: Reader, tenant: str, entry: Entry) -> dict[str, int]:
    """Decimals of the units that a decision charged, as its passport says; for reading, so nothing is verified here."""
    chain = entry.body["snapshot"]["chain"] if entry.kind is EntryKind.DECISION else []
    data = reader.blob(tenant, chain[-1]) if chain else None
    try:
        budgets = payload_of(data.decode("ascii", "replace"))["halo"]["bud"] if data is not None else {}
        return {unit: int(item["decimals"]) for unit, item in budgets.items()}
    except (PassportError, KeyError, TypeError, ValueError):
        return {}


def _contents(contents: Contents, found: Found, *, reveal: bool) -> dict[str, str]:
    redactor = Redactor.for_views()
    shown = {}
    for field in sorted(found.entry.content):
        data = contents.open(found.entry, field)
        if data is None:
            shown[field] = "(erased, or the content key is not at hand)"
        else:
            text = data.decode("utf-8", "replace")
            shown[field] = text if reveal else redactor.mask(text)
    return shown


def _card(found: Found, content: dict[str, str], decimals: Mapping[str, int]) -> None:
    entry, view = found.entry, console()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in [*_head(found), *_body(found, decimals), *((f"content {k}", v) for k, v in content.items())]:
        style = EFFECT_STYLE.get(value, "") if key == "effect" else ""
        table.add_row(key, f"[{style}]{value}[/]" if style else escape(value))
    view.print(f"[bold]{'sighting' if entry.kind is EntryKind.SHADOW else entry.kind.value}[/] {entry.id}")
    view.print(table)
    view.print()


def _head(found: Found) -> list[tuple[str, str]]:
    entry = found.entry
    return [
        ("time", iso(entry.ts_us)),
        ("tenant / session", f"{entry.tenant} / {entry.session or '-'}"),
        ("place", f"index {found.index}, writer {entry.writer} seq {entry.seq}"),
        ("assurance", entry.assurance),
    ]


def _body(found: Found, decimals: Mapping[str, int]) -> list[tuple[str, str]]:
    entry = found.entry
    if entry.kind is EntryKind.SHADOW:
        said = [(key, _short(value)) for key, value in sorted(entry.body.items()) if key != "refused"]
        return [*said, ("ran", _ran(entry))]
    if about_identity(entry):
        return identity_rows(entry)
    if entry.kind is EntryKind.ALERT and (alert := agent_alert(found)) is not None:
        return alert_rows(alert)
    if entry.kind is not EntryKind.DECISION:
        return [(key, _short(value)) for key, value in sorted(entry.body.items())]
    body = entry.body
    request, snapshot, decision = body["request"], body["snapshot"], body["decision"]
    resource = request["resource"]
    return [
        ("who", " → ".join(request["subject"]["chain"])),
        ("what", f"{request['kind']} `{resource['id']}` ({resource['impact']}, {resource['system'] or 'no system'})"),
        ("labels", ", ".join(resource["labels"]) or "-"),
        ("from", _origin(request["context"]["origin"])),
        ("trigger", f"{request['context']['trigger']['kind']} {request['context']['turn']}".strip()),
        ("effect", decision["effect"]),
        ("why", body["justification"]),
        ("mode", f"{snapshot['mode']}, {'let run' if body['dispatched'] else 'not run'}"),
        ("provenance", _provenance(snapshot)),
        ("session", f"step {snapshot['session']['steps'] + 1}, tainted {snapshot['session']['tainted']}"),
        *score_rows(body),
        ("authority", _authority(body)),
        (
            "charged",
            ", ".join(f"{unit} {amount(n, decimals.get(unit, 0))}" for unit, n in decision["charges"]) or "nothing",
        ),
        ("spent", _spent(body, decimals)),
        ("obligations", _short(decision["obligations"]) if decision["obligations"] else "-"),
        ("policy", snapshot["policy"]),
        *((f"passport {i}", name) for i, name in enumerate(snapshot["chain"])),
        ("args digest", request["args_digest"]),
    ]


def _origin(origin: Mapping[str, Any]) -> str:
    return f"{origin['host'] or 'an unknown host'}, {origin['process'] or 'an unknown program'} (pid {origin['pid']})"


def _provenance(snapshot: Mapping[str, Any]) -> str:
    """Where each argument value came from, and from which results."""
    sources = {pointer: f" (from {', '.join(names)})" for pointer, names in snapshot.get("sources", ())}
    return (
        ", ".join(f"{pointer} {origin}{sources.get(pointer, '')}" for pointer, origin in snapshot["provenance"]) or "-"
    )


def _authority(body: Mapping[str, Any]) -> str:
    before, after = body["snapshot"]["authority"], body["after"]["authority"]
    if before is None or after is None:
        return "-"
    return f"{before / 10_000:.4g}% before, {after / 10_000:.4g}% after"


def _spent(body: Mapping[str, Any], decimals: Mapping[str, int]) -> str:
    """Units of the session link, and how many links below it were charged too; reserved amounts in brackets."""
    accounts = body["snapshot"]["envelopes"]
    if not accounts:
        return "-"
    own = [item[1:] for item in body["after"]["budgets"] if item[0] == accounts[0]["link"]]
    units = [
        f"{unit} {amount(done, places)}" + (f" (+{amount(held, places)} reserved)" if held else "")
        for unit, held, done in own
        for places in (decimals.get(unit, 0),)
    ]
    below = f"; {len(accounts) - 1} below" if len(accounts) > 1 else ""
    return f"epoch {accounts[0]['epoch']}: {', '.join(units) or 'nothing'}{below}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _sighting(found: Found) -> list[str | Text]:
    """The line of something that nobody decided."""
    body = found.entry.body
    what = [cell(str(body.get(name, ""))) for name in ("kind", "name")]
    why = cell(": ".join(filter(None, ("unguarded", str(body.get("where", ""))))))
    return [str(found.index), iso(found.entry.ts_us), "-", *what, Text("none", "bold red"), _ran(found.entry), why]


def _ran(sighting: Entry) -> str:
    return "no" if sighting.body.get("refused") else "yes"


def log(
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    session: Annotated[str, typer.Option("--session", help="Only this session.")] = "",
    last: Annotated[int, typer.Option("--last", help="Only the newest N.")] = 50,
    json: JsonOption = False,
) -> int:
    """List decisions, and what was seen without one, in log order: one line each."""
    _, url = where(home, db)
    with Reader(url) as reader:
        name = one_tenant(reader, tenant)
        found = list(entries(reader, name, (EntryKind.DECISION, EntryKind.SHADOW), session))[-last:]
    if json:
        print_json([{"index": item.index, **item.entry.to_plain()} for item in found])
        return 0
    console().print(_table(found))
    return 0


def _table(found: Sequence[Found]) -> Table:
    """One line each; who acted is said where more than one did."""
    several = len({_agent(item) for item in found} - {"-"}) > 1
    table = Table(box=None, pad_edge=False)
    for title in ("#", "time", "session", *(("agent",) if several else ()), *_TITLES):
        table.add_column(title, no_wrap=title not in ("why", "resource", "session"), overflow="fold")
    for item in found:
        cells: list[str | Text] = list(_sighting(item) if item.entry.kind is EntryKind.SHADOW else _decided(item))
        if several:
            cells.insert(3, escape(_agent(item)))
        table.add_row(*cells)
    return table


def _agent(item: Found) -> str:
    return "-" if item.entry.kind is EntryKind.SHADOW else str(item.entry.body["request"]["subject"]["agent"])


def _decided(item: Found) -> tuple[str, ...]:
    body = item.entry.body
    effect = body["decision"]["effect"]
    return (
        str(item.index),
        iso(item.entry.ts_us),
        escape(item.entry.session),
        body["request"]["kind"],
        escape(body["request"]["resource"]["id"]),
        f"[{EFFECT_STYLE[effect]}]{effect}[/]",
        "yes" if body["dispatched"] else "no",
        ", ".join(dict.fromkeys(reason["code"] for reason in body["decision"]["reasons"])),
    )
