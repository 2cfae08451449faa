"""Copying a store, with the logs of all its tenants, into an empty database of either engine: `copy_store`.

Entries, sealed content, parts, sessions, envelopes, approvals, passports and checkpoints keep their bytes, so the roots
of the logs stay the same. The source and the copy are verified, and compared row by row, before the copy counts as a
store. The home serves both: its anchor knows a log by the id of its store, which is copied too.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, CannotDecide, ConfigError, Gap, Tampered
from halo_core.failpoints import hit_failpoint
from halo_core.ledger import Report, read_anchors
from halo_core.processes import count_cores
from halo_core.quick_dataclass import dataclass
from halo_core.store.config import StoreConfig
from halo_core.store.copying import CopyTarget, Progress, copy_rows, digest_rows
from halo_core.store.engine import is_postgres
from halo_core.store.engines import import_postgres
from halo_core.store.log_checkpoints import list_anchor_names, select_anchors, update_anchor
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_core.verification import find_anchors, verify_reader


@dataclass(frozen=True, slots=True)
class CopiedLog:
    """The log of one tenant, identical in the source and in the copy.

    Args:
        entries: number of entries.
        root: root of the tree over them, 64 hex digits.
    """

    entries: int
    root: str


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """The copied and verified logs.

    Args:
        logs: tenant → its log.
        rows: table → digest of its rows.
        is_in_use: whether the source had writers that were not closed, so it may have entries that the copy lacks.
    """

    logs: Mapping[str, CopiedLog]
    rows: Mapping[str, str]
    is_in_use: bool


@dataclass(frozen=True, slots=True)
class _LogState:
    entries: int
    covered: int
    open_writers: int

    @property
    def is_covered(self) -> bool:
        return self.entries <= self.covered


def copy_store(
    source: str,
    target: str,
    home: Path,
    *,
    in_use: bool = False,
    restart: bool = False,
    progress: Progress = lambda _table, _done, _total: None,
) -> StoreCopy:
    """Copy a store into an empty database, and verify both.

    A source with writers of killed processes, or with entries that no checkpoint covers, is opened and closed first,
    which recovers those writers and signs a checkpoint.

    Args:
        source: SQLAlchemy URL of the store.
        target: SQLAlchemy URL of an empty database, or of a file that does not exist.
        home: folder of the source's keys, trusted keys and anchor.
        in_use: copy one moment of a store that is in use. What is written there later is not in the copy.
        restart: remove first what an earlier copy that was not finished left in the target.
        progress: called with a table (or a pass of verification), the rows done, and how many there are (0: unknown).

    Raises:
        ConfigError: `store_in_use` (without `in_use`), `store_not_empty`, `copy_unfinished` (without `restart`),
            `copy_running`, or there is no such store.
        NotVerified: the source or the copy is not whole; the copy is removed.
        CannotDecide: a database cannot be read or written.
    """
    _settle(source, home, in_use=in_use)
    # Read before the source, since the anchor of a store in use moves on.
    anchors_by_store = read_anchors(home / "anchor.json")
    with Reader(source) as reader:
        states = _read_states(reader)
        _require_closed(states, in_use=in_use)
        anchors = find_anchors(reader, home, anchors_by_store)
        heads = _verify(reader, home, anchors, "source", progress)
        _require_covered(states)
        with closing(_open_target(target, restart=restart)) as copy:
            try:
                digests = copy_rows(reader, copy, progress)
                hit_failpoint("copied")
                # What the home remembers of an earlier store at this place must not be lost.
                expected = {**anchors, **select_anchors(anchors_by_store, target, home)}
                with Reader(target, database=copy.open_for_reading()) as copied:
                    _require_same(copied, heads, _verify(copied, home, expected, "copy", progress), digests, progress)
                if not in_use:
                    _require_unchanged(source, states)
                hit_failpoint("before_finish")
                copy.finish()
            except BaseException:
                copy.remove()
                raise
    _anchor(target, home)
    return StoreCopy(heads, digests, any(state.open_writers for state in states.values()))


def _settle(source: str, home: Path, *, in_use: bool) -> None:
    """Open and close each log that has an open writer or entries without a checkpoint."""
    with Reader(source) as reader:
        states = _read_states(reader)
    for tenant, state in states.items():
        if not state.is_covered or (state.open_writers and not in_use):
            with closing(Store(StoreConfig(source, home, tenant), KeyStore(home))) as store:
                store.open()


def _read_states(reader: Reader) -> dict[str, _LogState]:
    tenants = reader.tenants()
    if not tenants:
        raise ConfigError("no_store", "the source has no log", field="source", remedy="check the URL of the source")

    def count(statement: str, tenant: str) -> int:
        return int(next(reader.stream(statement, tenant))[0] or 0)

    return {
        tenant: _LogState(
            count("SELECT count(*) FROM entry WHERE tenant=?", tenant),
            count("SELECT max(size) FROM checkpoint WHERE tenant=?", tenant),
            count("SELECT count(*) FROM writer WHERE tenant=? AND closed_us IS NULL", tenant),
        )
        for tenant in tenants
    }


def _require_closed(states: Mapping[str, _LogState], *, in_use: bool) -> None:
    for tenant, state in states.items():
        if state.open_writers and not in_use:
            raise _make_in_use_error(f"{state.open_writers} writers of tenant `{tenant}` are not closed")


def _require_covered(states: Mapping[str, _LogState]) -> None:
    """Require checkpoints over all entries: without one, PostgreSQL's have no position, which SQLite needs."""
    for tenant, state in states.items():
        if not state.is_covered:
            waiting = state.entries - state.covered
            raise CannotDecide(
                "store_in_use",
                f"{waiting} entries of tenant `{tenant}` are not under a checkpoint yet",
                remedy="try again, or stop the processes that use the source",
            )


def _require_unchanged(source: str, states: Mapping[str, _LogState]) -> None:
    """Require that the store did not change while it was copied: the copy would lack entries."""
    with Reader(source) as reader:
        if _read_states(reader) != states:
            raise _make_in_use_error("the source was written while it was copied")


def _make_in_use_error(problem: str) -> ConfigError:
    return ConfigError(
        "store_in_use",
        problem,
        field="source",
        remedy="stop the processes that use the source, or copy one moment of it with `--in-use`",
    )


def _verify(
    reader: Reader, home: Path, anchors: Mapping[str, bytes], name: str, progress: Progress
) -> dict[str, CopiedLog]:
    """Verify a store like `halo verify`.

    Raises:
        NotVerified: it is not whole.
    """
    report = verify_reader(
        reader,
        home,
        anchors=anchors,
        processes=count_cores(),
        progress=lambda step, rows: progress(f"verifying {name}: {step}", rows, 0),
    )
    if report.exit_code:
        raise _make_not_whole_error(report, name)
    return {tenant: CopiedLog(head.size, head.root.hex()) for tenant, head in report.heads.items()}


def _make_not_whole_error(report: Report, name: str) -> Exception:
    if not report.findings:
        why = "; ".join(report.undetermined)
        return BadInput("not_verified", f"the {name} cannot be verified: {why}", field=name, remedy="run `halo verify`")
    first = report.findings[0]
    kind = Tampered if report.tampered else Gap
    text = f"the {name} is not whole: {first.where}: {first.what} ({report.total} findings)"
    return kind(first.code, text, remedy=f"run `halo verify` on the {name}" if name == "source" else "copy again")


def _require_same(
    copied: Reader,
    heads: Mapping[str, CopiedLog],
    copied_heads: Mapping[str, CopiedLog],
    digests: Mapping[str, str],
    progress: Progress,
) -> None:
    """Refuse a copy that differs in a row or in a root."""
    # Of a writer whose entries all have positions, one engine may say so where the other does not.
    digests_of_copy = digest_rows(copied, digests.keys() - {"sequenced"}, progress)
    different = sorted(name for name, digest in digests_of_copy.items() if digest != digests[name])
    if copied_heads != heads or different:
        raise Tampered(
            "copy_differs",
            f"the copy differs from the source: {', '.join(different) or 'roots'}",
            remedy="check the disk and the server of the target, and copy again",
        )


def _anchor(target: str, home: Path) -> None:
    """Move the home's anchor for the copy forward to its newest checkpoint."""
    with Reader(target) as reader:
        for tenant in reader.tenants():
            row = next(
                reader.stream("SELECT note FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1", tenant), None
            )
            config = StoreConfig(target, home, tenant)
            if row is not None:
                update_anchor(list_anchor_names(reader.database, config), config, bytes(row[0]))


def _open_target(url: str, *, restart: bool) -> CopyTarget:
    """Create the tables of a store that is marked as unfinished.

    Args:
        url: URL of an empty database.
        restart: remove first what an earlier copy that was not finished left there.

    Raises:
        ConfigError: `store_not_empty`, `copy_unfinished` (without `restart`), `copy_running`, or not a usable URL.
        CannotDecide: it cannot be opened or written.
    """
    if is_postgres(url):
        import_postgres()
        from halo_core.store.postgres_target import PostgresCopyTarget  # noqa: PLC0415  only the engine in use

        return PostgresCopyTarget(url, restart=restart)
    from halo_core.store.sqlite_target import SqliteCopyTarget  # noqa: PLC0415  likewise

    return SqliteCopyTarget(url, restart=restart)
