"""`halo pack`: evidence packs, which others check without Halo, and receipts for single entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer import Argument, Option

from halo_core.cli.context import StoreContext, store_verb, write_file
from halo_core.cli.evidence import FromOption, ToOption, read_period
from halo_core.cli.rendering import Exit, build_field_table, safe_text, say, say_plainly
from halo_core.clock import format_iso
from halo_core.errors import ConfigError, make_read_error
from halo_core.evidence import halo_verify
from halo_core.evidence.answers import Period
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.controls import load_framework, load_frameworks
from halo_core.evidence.pack import PackRequest, PackScope, make_pack
from halo_core.evidence.proofs import (
    find_newest_checkpoint,
    make_consistency_receipt,
    make_inclusion_receipt,
    read_tree,
    require_covered,
    require_root,
)
from halo_core.evidence.report_page import render_files
from halo_core.ledger import log_origin, make_vkey
from halo_core.store.entry_lookup import find_entry
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.reader import NO_END, Reader

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer

app = typer.Typer(no_args_is_help=True, help="Evidence that others check without Halo: packs, and receipts of entries.")
_MAX_FINDINGS: Final = 20

OutputOption = Annotated[Path, Option("--output", help="The file to write.")]


@store_verb(app, "make")
def make(
    *,
    output: OutputOption,
    from_: FromOption = "",
    to: ToOption = "",
    reveal: Annotated[
        list[str] | None,
        Option("--reveal", metavar="ID", help="Also open the content of this entry in the pack; can be repeated."),
    ] = None,
    reveal_session: Annotated[
        list[str] | None, Option("--reveal-session", help="Also open the content of this session's entries.")
    ] = None,
    sealed: Annotated[
        bool, Option("--sealed/--no-sealed", help="Put in content that stays sealed, so that its digests are checked.")
    ] = True,
    framework: Annotated[
        list[str] | None,
        Option("--framework", help="Also put in the report on this framework, or on all; may be repeated."),
    ] = None,
    store: StoreContext,
) -> None:
    """Write all entries of a period, with all that it takes to check them without Halo, into one file.

    Content stays sealed, except for what --reveal names. With both times given and without reports, a log gives the
    same bytes again.
    """
    signer = _load_log_signer(store)
    period = read_period(from_, to)
    if output.exists():
        problem = f"`{output}` already exists"
        raise ConfigError("file_exists", problem, field="output", remedy="choose another name, or move it away")
    reports = [partial(_build_reports, store, framework, period)] if framework else []
    with store.open_log() as (reader, tenant):
        revealed = _find_revealed(reader, tenant, reveal or (), reveal_session or ())
    access: dict[str, str | int] = {"pack": output.name, "from_us": period.from_us, "to_us": period.to_us}
    if revealed:
        store.record_access("reveal", access | {"entries": ", ".join(item.id for item in revealed.values())}, tenant)
    store.record_access("export", access, tenant)
    request = PackRequest((period.from_us, period.to_us), frozenset(revealed), sealed)
    with store.open_reader() as reader:
        contents = store.open_contents(reader, is_shown=False) if "content" in store.keys.names() else None
        summary = make_pack(reader, tenant, signer, output, request, contents=contents, extra_files=reports)
    if store.print_json(summary):
        return
    scope = summary.scope
    rows = (
        ("entries", f"{summary.entries:,} (positions {scope.first} to {scope.end - 1})"),
        ("as of", f"{format_iso(scope.as_of_us)}, the time of the last one"),
        ("from before", f"{summary.context:,}"),
        ("content", f"{summary.sealed:,} sealed, {summary.revealed:,} of them revealed"),
        ("parts", f"{summary.parts:,}"),
        ("checkpoint", f"{scope.size:,} entries, root {scope.root}"),
        ("file", f"{output} ({summary.bytes:,} bytes, sha256:{summary.sha256})"),
    )
    say(build_field_table((name, safe_text(text)) for name, text in rows))
    say_plainly("VERIFY.md in it says how to check it; give its reader the key of the log by another way:")
    say_plainly(f"  {load_trusted_keys(store.home).get(tenant, '')}")


def _build_reports(store: StoreContext, names: Sequence[str], period: Period, scope: PackScope) -> dict[str, bytes]:
    """Reports on frameworks as members of a pack, with the control map that they were made by."""
    frameworks = load_frameworks() if "all" in names else [load_framework(name) for name in dict.fromkeys(names)]
    with store.open_reader() as reader:  # without names: people stay references
        log = AuditLog(reader, scope.tenant, home=store.home, now_us=period.to_us)
        return render_files(log, period, frameworks)


def _find_revealed(reader: Reader, tenant: str, ids: Iterable[str], sessions: Iterable[str]) -> dict[int, Any]:
    """Position → entry of what is to be revealed."""
    entries_by_index = {item.index: item.entry for item in (find_entry(reader, tenant, name) for name in ids)}
    for session in sessions:
        reference = reader.find_session(tenant, session)
        if not reader.has_session(tenant, reference):
            problem = f"there is no session `{session}`"
            raise ConfigError("no_such_session", problem, field="reveal-session", remedy="see `halo log`")
        rows = reader.entry_rows(tenant, (), reference, (0, NO_END), (0, NO_END))
        entries = (find_entry(reader, tenant, str(row[0])) for row in rows)
        entries_by_index |= {item.index: item.entry for item in entries if item.entry.content}
    return entries_by_index


@store_verb(app, "check", db=False, tenant=False)
def check(
    file: Annotated[Path, Argument(metavar="FILE", help="The pack.")],
    *,
    key: Annotated[
        str, Option("--key", metavar="VKEY", help="The log's verifier key (default: the one that the home trusts).")
    ] = "",
    store: StoreContext,
) -> int:
    """Check a pack as its own `halo_verify.py` does. Exit 0: it holds, 1: something is wrong, 2: cannot tell."""
    findings, code, counts = _check_file(file, key, store.home)
    if not store.print_json({"counts": counts, "exit_code": int(code), "findings": findings}):
        for name, count in sorted(counts.items()):
            say(safe_text(f"{name}: {count:,}"))
        for finding in findings[:_MAX_FINDINGS]:
            say("[bold red]wrong[/] " if code is Exit.FAILED else "[yellow]note[/] ", safe_text(finding))
        say(_VERDICTS[code])
    return code


_VERDICTS: Final = {
    Exit.OK: "[bold green]verified[/]: nothing was changed, removed or added",
    Exit.FAILED: "[bold red]not verified[/]",
    Exit.CANNOT_TELL: "[bold yellow]cannot tell[/]",
}


def _run(checker: halo_verify.Checker) -> None:
    """Run all checks of a pack; one after which no other is possible ends the run."""
    try:
        for _ in checker.run():
            pass
    except halo_verify.Wrong as exc:
        checker.report(exc)


def _check_file(file: Path, key: str, home: Path) -> tuple[list[str], Exit, dict[str, int]]:
    """What is wrong with a pack, the exit code, and how much was checked."""
    try:
        trusted_key = halo_verify.Key.read(key, "--key") if key else None
    except (halo_verify.Wrong, *halo_verify.MALFORMED) as exc:  # the key is wrong, not the pack
        remedy = "copy all of it, as the operator gave it to you"
        raise ConfigError("bad_vkey", "it is no verifier key", field="key", remedy=remedy) from exc
    try:
        with file.open("rb") as opened:
            pack = halo_verify.Pack(halo_verify.Archive(opened), trusted_key)
            checker = halo_verify.Checker(pack)
            _run(checker)
        trusted = load_trusted_keys(home).get(pack.tenant)
        if trusted_key is None and trusted is not None and halo_verify.Key.read(trusted, "trust.json") != pack.key:
            return ["the pack is signed by another key than the one that the home trusts"], Exit.FAILED, {}
    except halo_verify.Wrong as exc:
        code = Exit.CANNOT_TELL if exc.code == "unknown_version" else Exit.FAILED
        return [str(exc)], code, {}
    except halo_verify.MALFORMED as exc:
        return [f"the pack has another form: {exc!r} (bad_pack)"], Exit.FAILED, {}
    except OSError as exc:
        raise make_read_error(file, exc, field="FILE", remedy="give a file that `halo pack make` wrote") from exc
    if checker.findings:
        return list(map(str, checker.findings)), Exit.FAILED, dict(checker.counts)
    if trusted_key is None and trusted is None:
        text = f"nothing says that the key {pack.key.name}+{pack.key.hash.hex()} is the right one: give it with `--key`"
        return [text], Exit.CANNOT_TELL, dict(checker.counts)
    return [], Exit.OK, dict(checker.counts)


@store_verb(app, "receipt")
def receipt(
    id: Annotated[  # noqa: A002  the word users expect
        str, Argument(help="An entry: its index (#), its id, or the first characters of the id.")
    ] = "",
    *,
    output: OutputOption,
    entry: Annotated[Path | None, Option("--entry", help="Also write the entry's signed note, of which it is.")] = None,
    from_size: Annotated[
        int, Option("--from-size", min=0, help="In place of an entry: that the log continues its first N entries.")
    ] = 0,
    store: StoreContext,
) -> None:
    """Write a COSE receipt (RFC 9942): that the log holds an entry, or continues an earlier state of itself."""
    if bool(id) == bool(from_size):
        raise ConfigError("usage", "give an entry or `--from-size`", field="ID", remedy="`halo pack receipt ID`")
    signer = _load_log_signer(store)
    with store.open_log() as (reader, tenant):
        index = find_entry(reader, tenant, id).index if id else from_size - 1
    store.record_access("export", {"receipt": id or f"size {from_size}"}, tenant)
    with store.open_reader() as reader:
        head = find_newest_checkpoint(reader, tenant, make_vkey(log_origin(tenant), signer.public_key)).head
        require_covered([index], head.size)
        tree = read_tree(reader, tenant, head.size)
        require_root(tree, head)
        note = reader.note_at_index(tenant, index) or b""
    if id:
        data = make_inclusion_receipt(signer, tenant, tree, index, head.size)
    else:
        data = make_consistency_receipt(signer, tenant, tree, from_size, head.size)
    write_file(output, data, "output")
    if entry is not None and id:
        write_file(entry, note, "entry")
    result = {"bytes": len(data), "file": str(output), "index": index, "root": head.root.hex(), "size": head.size}
    if not store.print_json(result):
        proven_part = f"the entry at position {index}" if id else f"the first {from_size:,} entries"
        say(
            safe_text(
                f"{output}: a receipt of {len(data)} bytes for {proven_part}, in the log of {head.size:,} entries"
            )
        )


def _load_log_signer(store: StoreContext) -> Signer:
    """The log's key, which is never made here.

    Raises:
        ConfigError: `no_log_key`.
    """
    if "log" not in store.keys.names():
        remedy = "run this in the home of the application, which signs its checkpoints"
        raise ConfigError(
            "no_log_key", "this home has no log.key, so nothing can be signed", field="home", remedy=remedy
        )
    return store.keys.signer("log")
