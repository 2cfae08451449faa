"""Room: `halo show` and `halo log`. Takes: a store. Gives: one decision, or the story of a session. Never: writes.

Content is masked; `--reveal` shows it, to whoever holds the content key.

Room: `halo verify`. Takes: a store and the keys beside it. Gives: the numbered checks. Never: writes.

Room: `halo replay`. Takes: a store. Gives: which decisions come out the same when decided again. Never: writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from halo_core.alerts.records import read_agent_alert
from halo_core.cli.context import (
    EFFECT_STYLE,
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.clock import format_iso
from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError, PassportError
from halo_core.ledger import LIMITS, Report
from halo_core.model import EntryKind, LedgerEntry
from halo_core.passports.codec import read_payload
from halo_core.replay import Replayer, ReplayResult, ReplayStatus
from halo_core.store.log import (
    LoggedEntry,
    SealedContents,
    find_entry,
    find_related,
    read_entries,
    select_tenant,
    summarize,
)
from halo_core.store.reader import Reader
from halo_core.verification import verify_store
from halo_core.views.alerts import build_identity_rows, is_about_identity
from halo_core.views.risk_chart import build_alert_rows, build_score_rows
from halo_core.views.wording import format_amount, safe_text

__all__ = [
    "log",
    "replay",
    "show",
    "verify",
]


_TITLES: Final = ("action", "resource", "effect", "ran", "why")


def show(
    id: Annotated[str, typer.Argument(help="An entry: its index (#), its id, or the first characters of the id.")],  # noqa: A002  the word users expect
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show content unmasked.")] = False,
    json: JsonOption = False,
) -> int:
    """Show one entry in full: who did what, why it was decided so, and the outcome."""
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        name = select_tenant(reader, tenant)
        record = find_entry(reader, name, id)
        contents = SealedContents.with_home_key(reader, KeyStore(folder))
        parts = [record, *(find_related(reader, record) if record.entry.kind is EntryKind.DECISION else [])]
        opened = [_open_contents(contents, part, reveal=reveal) for part in parts]
        decimals = _load_decimals(reader, name, record.entry)
    if json:
        rows = zip(parts, opened, strict=True)
        print_json([{"content": c, "entry": dict(p.entry.to_plain()), "index": p.index} for p, c in rows])
        return 0
    for part, content in zip(parts, opened, strict=True):
        _print_entry(part, content, decimals)
    return 0


def _load_decimals(reader: Reader, tenant: str, entry: LedgerEntry) -> dict[str, int]:
    """Decimals of the units that a decision charged, as its passport says; for reading, so nothing is verified here."""
    chain = entry.body["snapshot"]["chain"] if entry.kind is EntryKind.DECISION else []
    data = reader.blob(tenant, chain[-1]) if chain else None
    try:
        budgets = read_payload(data.decode("ascii", "replace"))["halo"]["bud"] if data is not None else {}
        return {unit: int(item["decimals"]) for unit, item in budgets.items()}
    except (PassportError, KeyError, TypeError, ValueError):
        return {}


def _open_contents(contents: SealedContents, record: LoggedEntry, *, reveal: bool) -> dict[str, str]:
    redactor = Redactor.for_views()
    texts = {}
    for field in sorted(record.entry.content):
        data = contents.open(record.entry, field)
        if data is None:
            texts[field] = "(erased, or the content key is not available)"
        else:
            text = data.decode("utf-8", "replace")
            texts[field] = text if reveal else redactor.mask(text)
    return texts


def _print_entry(record: LoggedEntry, content: dict[str, str], decimals: Mapping[str, int]) -> None:
    entry, view = record.entry, console()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in [
        *_build_head_rows(record),
        *_build_body_rows(record, decimals),
        *((f"content {k}", v) for k, v in content.items()),
    ]:
        style = EFFECT_STYLE.get(value, "") if key == "effect" else ""
        table.add_row(key, f"[{style}]{value}[/]" if style else escape(value))
    view.print(f"[bold]{'sighting' if entry.kind is EntryKind.SHADOW else entry.kind.value}[/] {entry.id}")
    view.print(table)
    view.print()


def _build_head_rows(record: LoggedEntry) -> list[tuple[str, str]]:
    entry = record.entry
    return [
        ("time", format_iso(entry.ts_us)),
        ("tenant / session", f"{entry.tenant} / {entry.session or '-'}"),
        ("place", f"index {record.index}, writer {entry.writer} seq {entry.seq}"),
        ("assurance", entry.assurance),
    ]


def _build_body_rows(record: LoggedEntry, decimals: Mapping[str, int]) -> list[tuple[str, str]]:
    entry = record.entry
    if entry.kind is EntryKind.SHADOW:
        rows = [(key, _format_value(value)) for key, value in sorted(entry.body.items()) if key != "refused"]
        return [*rows, ("ran", _format_ran(entry))]
    if is_about_identity(entry):
        return build_identity_rows(entry)
    if entry.kind is EntryKind.ALERT and (alert := read_agent_alert(record)) is not None:
        return build_alert_rows(alert)
    if entry.kind is not EntryKind.DECISION:
        return [(key, _format_value(value)) for key, value in sorted(entry.body.items())]
    body = entry.body
    request, snapshot, decision = body["request"], body["snapshot"], body["decision"]
    resource = request["resource"]
    return [
        ("who", " → ".join(request["subject"]["chain"])),
        ("what", f"{request['kind']} `{resource['id']}` ({resource['impact']}, {resource['system'] or 'no system'})"),
        ("labels", ", ".join(resource["labels"]) or "-"),
        ("from", _format_origin(request["context"]["origin"])),
        ("trigger", f"{request['context']['trigger']['kind']} {request['context']['turn']}".strip()),
        ("effect", decision["effect"]),
        ("why", body["justification"]),
        ("mode", f"{snapshot['mode']}, {'let run' if body['dispatched'] else 'not run'}"),
        ("provenance", _format_provenance(snapshot)),
        ("session", f"step {snapshot['session']['steps'] + 1}, tainted {snapshot['session']['tainted']}"),
        *build_score_rows(body),
        ("authority", _format_authority(body)),
        (
            "charged",
            ", ".join(f"{unit} {format_amount(n, decimals.get(unit, 0))}" for unit, n in decision["charges"])
            or "nothing",
        ),
        ("spent", _format_spent(body, decimals)),
        ("obligations", _format_value(decision["obligations"]) if decision["obligations"] else "-"),
        ("policy", snapshot["policy"]),
        *((f"passport {i}", name) for i, name in enumerate(snapshot["chain"])),
        ("args digest", request["args_digest"]),
    ]


def _format_origin(origin: Mapping[str, Any]) -> str:
    return f"{origin['host'] or 'an unknown host'}, {origin['process'] or 'an unknown program'} (pid {origin['pid']})"


def _format_provenance(snapshot: Mapping[str, Any]) -> str:
    """Where each argument value came from, and from which results."""
    sources = {pointer: f" (from {', '.join(names)})" for pointer, names in snapshot.get("sources", ())}
    return (
        ", ".join(f"{pointer} {origin}{sources.get(pointer, '')}" for pointer, origin in snapshot["provenance"]) or "-"
    )


def _format_authority(body: Mapping[str, Any]) -> str:
    before, after = body["snapshot"]["authority"], body["after"]["authority"]
    if before is None or after is None:
        return "-"
    return f"{before / 10_000:.4g}% before, {after / 10_000:.4g}% after"


def _format_spent(body: Mapping[str, Any], decimals: Mapping[str, int]) -> str:
    """Units of the session link, and how many links below it were charged too; reserved amounts in brackets."""
    accounts = body["snapshot"]["envelopes"]
    if not accounts:
        return "-"
    session_sums = [item[1:] for item in body["after"]["budgets"] if item[0] == accounts[0]["link"]]
    units = [
        f"{unit} {format_amount(done, places)}"
        + (f" (+{format_amount(reserved, places)} reserved)" if reserved else "")
        for unit, reserved, done in session_sums
        for places in (decimals.get(unit, 0),)
    ]
    children_text = f"; {len(accounts) - 1} below" if len(accounts) > 1 else ""
    return f"epoch {accounts[0]['epoch']}: {', '.join(units) or 'nothing'}{children_text}"


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _build_shadow_row(record: LoggedEntry) -> list[str | Text]:
    """The line of something that nobody decided."""
    body = record.entry.body
    subject_cells = [safe_text(str(body.get(name, ""))) for name in ("kind", "name")]
    why = safe_text(": ".join(filter(None, ("unguarded", str(body.get("where", ""))))))
    return [
        str(record.index),
        format_iso(record.entry.ts_us),
        "-",
        *subject_cells,
        Text("none", "bold red"),
        _format_ran(record.entry),
        why,
    ]


def _format_ran(entry: LedgerEntry) -> str:
    return "no" if entry.body.get("refused") else "yes"


def log(
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    session: Annotated[str, typer.Option("--session", help="Only this session.")] = "",
    last: Annotated[int, typer.Option("--last", help="Only the newest N entries.")] = 50,
    json: JsonOption = False,
) -> int:
    """List decisions, and actions that ran without a decision, in log order."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        name = select_tenant(reader, tenant)
        records = list(read_entries(reader, name, (EntryKind.DECISION, EntryKind.SHADOW), session))[-last:]
    if json:
        print_json([{"index": item.index, **item.entry.to_plain()} for item in records])
        return 0
    console().print(_build_table(records))
    return 0


def _build_table(records: Sequence[LoggedEntry]) -> Table:
    """One line each; who acted is said where more than one did."""
    several = len({_find_agent(item) for item in records} - {"-"}) > 1
    table = Table(box=None, pad_edge=False)
    for title in ("#", "time", "session", *(("agent",) if several else ()), *_TITLES):
        table.add_column(title, no_wrap=title not in ("why", "resource", "session"), overflow="fold")
    for item in records:
        cells: list[str | Text] = list(
            _build_shadow_row(item) if item.entry.kind is EntryKind.SHADOW else _build_decision_row(item)
        )
        if several:
            cells.insert(3, escape(_find_agent(item)))
        table.add_row(*cells)
    return table


def _find_agent(item: LoggedEntry) -> str:
    return "-" if item.entry.kind is EntryKind.SHADOW else str(item.entry.body["request"]["subject"]["agent"])


def _build_decision_row(item: LoggedEntry) -> tuple[str, ...]:
    body = item.entry.body
    effect = body["decision"]["effect"]
    return (
        str(item.index),
        format_iso(item.entry.ts_us),
        escape(item.entry.session),
        body["request"]["kind"],
        escape(body["request"]["resource"]["id"]),
        f"[{EFFECT_STYLE[effect]}]{effect}[/]",
        "yes" if body["dispatched"] else "no",
        ", ".join(dict.fromkeys(reason["code"] for reason in body["decision"]["reasons"])),
    )


_MAX_FINDINGS: Final = 20
_VERDICT: Final = {
    Exit.OK: "[bold green]whole[/]: nothing was changed, removed or added",
    Exit.CANNOT_TELL: "[bold yellow]cannot tell[/]",
    Exit.TAMPERED: "[bold red]TAMPERED[/]: data was changed after it was written",
    Exit.GAP: "[bold red]GAP[/]: data that was written is missing",
}


def verify(
    *,
    db: DbOption = "",
    home: HomeOption = None,
    signatures: Annotated[bool, typer.Option("--signatures", help="Also check every writer signature.")] = False,
    json: JsonOption = False,
) -> int:
    """Verify the ledger: hashes, chains, tree, checkpoints, anchor, content.

    Exit 0: whole. 11: something was changed. 13: something is missing. 2: cannot tell.
    """
    folder, url = resolve_store(home, db)
    out = console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as bar:
        task = bar.add_task("verifying")
        report = verify_store(
            url,
            folder,
            signatures=signatures,
            progress=lambda name, rows: bar.update(task, description=f"verifying {name}: {rows:,} rows"),
        )
    if json:
        print_json(_report_to_json(report))
    else:
        _print_report(report)
    return report.exit_code


def _print_report(report: Report) -> None:
    view = console()
    for check in report.checks:
        mark = "[bold red]✗[/]" if check.failed else "[green]✓[/]" if check.passed else "[dim]-[/]"
        skipped = f", {check.skipped:,} not checked" if check.skipped else ""
        failed = f", [bold red]{check.failed:,} wrong[/]" if check.failed else ""
        view.print(f"{mark} ({check.number}) {check.title}  [dim]{check.passed:,} right{skipped}[/]{failed}")
    for finding in report.findings[:_MAX_FINDINGS]:
        view.print(f"[bold red]{finding.kind}[/] ", end="")
        view.print(f"{finding.where}: {finding.what} ({finding.code}) {finding.entry}", markup=False)
    if report.total > _MAX_FINDINGS:
        view.print(f"… and {report.total - _MAX_FINDINGS} more findings")
    for line in (*report.warnings[:_MAX_FINDINGS], *report.undetermined):
        view.print(f"note: {line}", markup=False)
    for tenant, head in report.heads.items():
        view.print(
            f"{tenant}: {head.size:,} entries, {head.covered:,} under a checkpoint, root {head.root.hex()[:16]}…"
        )
    view.print(_VERDICT[Exit(report.exit_code)])
    for limit in LIMITS:
        view.print(f"[dim]not detected: {limit}[/]")


def _report_to_json(report: Report) -> dict[str, Any]:
    fields = asdict(report)
    fields["heads"] = {t: {"covered": h.covered, "root": h.root.hex(), "size": h.size} for t, h in report.heads.items()}
    fields["exit_code"] = report.exit_code
    return fields


_MAX_DIFFERENCES = 20


def replay(
    *,
    id: Annotated[  # noqa: A002  the word users expect
        str, typer.Argument(help="A decision: its index (#), its id, or the first characters of the id.")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Replay all decisions.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Recompute recorded decisions and compare the bytes.

    Exit 0: identical. 12: a decision differs (the first such field is shown). 2: cannot tell (erased or unreadable).
    """
    if bool(id) == all_:
        raise ConfigError(
            "usage", "give one decision, or `--all`", field="id", remedy="run `halo replay ID` or `halo replay --all`"
        )
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        name = select_tenant(reader, tenant)
        replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(folder)), name)
        results = [replayer.replay(_find_decision(reader, name, id))] if id else _replay_all(reader, replayer, name)
    counts = Counter(item.status for item in results)
    odd = [item for item in results if item.status is not ReplayStatus.IDENTICAL]
    if json:
        print_json(
            {"counts": {k.value: n for k, n in counts.items()}, "odd": [_replayed_to_json(i) for i in odd[:1000]]}
        )
    else:
        _print_replay(len(results), counts, odd)
    if counts[ReplayStatus.DIFFERS]:
        return Exit.REPLAY_DIFFERS
    return Exit.CANNOT_TELL if odd or not results else Exit.OK


def _find_decision(reader: Reader, tenant: str, id: str) -> LoggedEntry:  # noqa: A002  as above
    record = find_entry(reader, tenant, id)
    if record.entry.kind is not EntryKind.DECISION:
        raise ConfigError(
            "not_a_decision",
            f"`{id}` is not a decision but an entry of kind {record.entry.kind.value}",
            field="id",
            remedy="see `halo log`",
        )
    return record


def _replay_all(reader: Reader, replayer: Replayer, tenant: str) -> list[ReplayResult]:
    total = sum(summarize(reader, tenant).decisions.values())
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    out = console(stderr=True)
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        return list(bar.track(replayer.replay_all(), total=total))


def _print_replay(total: int, counts: Counter[ReplayStatus], odd: list[ReplayResult]) -> None:
    view = console()
    same = counts[ReplayStatus.IDENTICAL]
    share = f"{100 * same / total:.2f}%" if total else "nothing to replay"
    view.print(f"replayed {total:,} decisions: [bold]{same:,} identical[/] ({share})")
    for item in odd[:_MAX_DIFFERENCES]:
        view.print(f"  {item.id} [bold red]{item.status.value}[/] ", end="")
        differs = f"{item.where} recorded {item.recorded!r}, now {item.computed!r}"
        view.print(
            differs if item.status is ReplayStatus.DIFFERS else item.computed or "its content was erased", markup=False
        )


def _replayed_to_json(item: ReplayResult) -> dict[str, str]:
    return {
        "computed": repr(item.computed),
        "id": item.id,
        "recorded": repr(item.recorded),
        "status": item.status.value,
        "where": item.where,
    }
