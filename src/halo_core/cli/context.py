"""What the verbs share: their options, and the store that a verb works on.

`@store_verb()` gives a verb the options `--db`, `--home`, `--tenant` and `--json` (and `--by`), and hands it one
`StoreContext` as `store` instead; a verb of a group is registered with it:

    @store_verb(tenant=False)
    def status(*, store: StoreContext) -> None: ...

    @store_verb(app, "list")
    def list_approvers(*, store: StoreContext) -> None: ...

A verb returns its exit code, or None for `Exit.OK`.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.progress import Progress, ProgressColumn
from typer import Option

from halo_core.authorities import Authorities
from halo_core.cli.rendering import console, print_json, safe_text
from halo_core.crypto.keys import KeyStore
from halo_core.durations import SECOND_US
from halo_core.errors import CannotDecide, ConfigError, Denied, HaloError, make_write_error
from halo_core.files import replace_file
from halo_core.home import default_home, default_url
from halo_core.model import Actor
from halo_core.os_user import describe_os_user
from halo_core.oversight.access import record_access, record_refusal
from halo_core.quick_dataclass import dataclass
from halo_core.store.engine import is_postgres
from halo_core.store.reader import Reader, SealedContents, select_tenant
from halo_core.views import NO_LEDGER_CODES

if TYPE_CHECKING:
    from halo_core.store.store import Store
    from halo_core.store.transaction import Transaction

_WAIT_S: Final = 60.0
"""How long a verb waits for a ledger that other processes are writing, seconds; an agent's call waits far less."""
_BUSY_REMEDY: Final = "`halo doctor` lists the processes that write it: stop or pause one of them, then run this again"
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_KEYS_OF_A_LOG: Final = frozenset({"content", "digest", "log", "sketch"})
_MAX_DURATION_S: Final = 36_500 * 86_400
_DURATION: Final = re.compile(r"([0-9]{1,7})([smhd])")

ApproverKeyHomeOption = Annotated[
    Path | None,
    Option("--key-home", help="Folder of the approver's key (default: the home, which agents can read)."),
]
KeyHomeOption = Annotated[Path | None, Option("--key-home", help="Folder of the signing key (default: the home).")]
KeysHomeOption = Annotated[Path | None, Option("--key-home", help="Folder of the keys (default: the home).")]
ManifestOption = Annotated[
    Path | None,
    Option("--manifest", help="The manifest (default: agents.yaml in the home, else in the working directory)."),
]
WhyOption = Annotated[str, Option("--why", help="The reason; it is recorded in the ledger.")]

SignedOption = Annotated[
    Path | None, Option("--signed", help="File with the signatures of people, from `halo operator sign`.")
]


def _require_name(name: str) -> str:
    if not name:
        remedy = "add `--as NAME`; `halo approver list` shows who is enrolled, `halo approver enrol NAME` adds a person"
        raise ConfigError("no_approver_named", "no approver is given", field="as", remedy=remedy)
    return name


AsOption = Annotated[str, Option("--as", help="The approver's enrolled name.", callback=_require_name)]

SignAsOption = Annotated[
    list[str] | None,
    Option("--as", help="Sign as this enrolled person, with the key in --key-home; may be repeated."),
]

_STORE_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "db": (
        Annotated[str, Option("--db", metavar="URL", help="SQLAlchemy URL of the store.", show_default=False)],
        "",
    ),
    "home": (
        Annotated[
            Path | None,
            Option("--home", help="Folder with keys, trusted keys and anchor (default: HALO_HOME, else .halo)."),
        ],
        None,
    ),
    "tenant": (
        Annotated[str | None, Option("--tenant", help="Tenant of the log; required if the store has several.")],
        None,
    ),
    "json": (Annotated[bool, Option("--json", help="Print JSON.")], False),
    "by": (Annotated[str, Option("--by", help="Your name (default: the user of this shell).")], ""),
}


@dataclass(frozen=True, slots=True)
class StoreContext:
    """The store of a verb, and how its output is printed.

    Args:
        home: folder of keys, trust and anchor.
        url: SQLAlchemy URL of the store.
        tenant: tenant of the log, as given; None means the only one of the store.
        json: whether to print JSON.
        by: name of who runs the command, as given.
        given: names of the options that were given.
        command: the command without `halo`, for example `known list`.
        recorded: acts of access (`read`) that this command has recorded already.
    """

    home: Path
    url: str
    tenant: str | None = None
    json: bool = False
    by: str = ""
    given: frozenset[str] = frozenset()
    command: str = ""
    recorded: set[str] = field(default_factory=set, compare=False)

    @property
    def actor(self) -> Actor:
        """Who does it: as given, else the account that this process runs as."""
        if self.by:
            return Actor(self.by, "asserted")
        return describe_os_user()

    def print_json(self, value: Any) -> bool:
        """Print a value as JSON if `--json` was given; returns whether it was."""
        if self.json:
            print_json(value)
        return self.json

    @property
    def keys(self) -> KeyStore:
        """Keys of the home."""
        return KeyStore(self.home)

    @contextmanager
    def open_log(self) -> Iterator[tuple[Reader, str]]:
        """A reader of the store, and the tenant whose log is asked for.

        Raises:
            ConfigError: `no_database`, `no_store`, `which_tenant`.
        """
        with self.open_reader() as reader:
            reader.use_names(self.home)
            yield reader, select_tenant(reader, self.tenant)

    def open_reader(self) -> Reader:
        """A reader of the store. On PostgreSQL entries that wait for a position get one first, if this home can.

        Raises:
            ConfigError: `no_database`, `no_store`.
        """
        if is_postgres(self.url):
            from halo_core.store.sequencer import place_waiting_entries  # noqa: PLC0415  nothing waits on SQLite

            place_waiting_entries(self.url, self.home)
        return Reader(self.url)

    def open_contents(self, reader: Reader, *, is_shown: bool = True) -> SealedContents:
        """Sealed contents, opened with the home's key where it is there.

        That a command opens content is recorded once, with the name of the command.

        Args:
            reader: the store.
            is_shown: False if the command shows none of the content, or records itself what it shows
                (`record_access`).
        """
        contents = SealedContents.with_home_key(reader, self.keys)
        if is_shown:
            contents.on_open = self.record_reading
        return contents

    def record_reading(self, tenant: str) -> None:
        """Record once that the command shows sealed content."""
        if "read" not in self.recorded:
            self.recorded.add("read")
            self.record_access("read", {"command": self.command}, tenant)

    def record_refusal(self, exc: Denied, terms: Mapping[str, str | int] | None = None) -> None:
        """Record that a command was refused, unless whoever refused it has recorded that; never raises.

        Args:
            exc: why it was refused.
            terms: what was tried: names, no content.
        """
        if exc.is_recorded or not set(self.keys.names()) >= _KEYS_OF_A_LOG:
            return
        try:
            with self.open_store(self.resolve_tenant()) as store:
                record_refusal(store, self.command, exc, by=self.actor, terms=terms)
        except HaloError as error:
            if error.code not in NO_LEDGER_CODES:
                warn_unwritten("the refusal is not recorded", error.message)

    def commit(self, job: Callable[[Transaction], Any], tenant: str | None = None) -> Any:
        """Run a job on an existing store, durably and under a checkpoint.

        Raises:
            ConfigError: `no_database`, `no_store`, `which_tenant`.
            CannotDecide: it could not be made durable.
        """
        with self.open_committer(tenant) as run:
            return run(job)

    def record_access(self, act: str, details: Mapping[str, str | int], tenant: str | None = None) -> None:
        """Record that content is about to be read or exported; where that is not possible, print a note.

        Reading is not refused then: whoever has the content key can read without this command.

        Args:
            act: `read`, `reveal` or `export`.
            details: names of what is read; no content.
            tenant: tenant of the log; None means the one that was given, or the only one.
        """
        missing = sorted(_KEYS_OF_A_LOG - set(self.keys.names()))
        if missing:  # a home without keys is a copy for an auditor; opening the store to write would make new ones
            text = f"note: the {act} is not recorded, since this home has no {missing[0]}.key"
            console(stderr=True).print(text, markup=False)
            return
        try:
            self.commit(lambda tx: record_access(tx, act, details, self.actor), tenant)
        except HaloError as exc:
            if exc.code not in NO_LEDGER_CODES:
                warn_unwritten(f"the {act} is not recorded", exc.message)

    @property
    def can_record(self) -> bool:
        """Whether the home has every key with which entries are written, which a copy for an auditor does not."""
        return set(self.keys.names()) >= _KEYS_OF_A_LOG

    def try_commit(self, job: Callable[[Transaction], Any], tenant: str) -> str:
        """Like `commit`, to record what is in force already; returns what went wrong, empty for nothing."""
        try:
            self.commit(job, tenant)
        except Exception as exc:  # noqa: BLE001  what was done is in force, whatever is wrong with the ledger
            return str(exc)
        return ""

    @contextmanager
    def open_committer(self, tenant: str | None = None) -> Iterator[Callable[[Callable[[Transaction], Any]], Any]]:
        """Like `commit`, for several jobs: each has its own transaction, and one checkpoint covers them all."""
        with self.open_store(self.resolve_tenant(tenant)) as store:
            yield store.commit

    def resolve_tenant(self, tenant: str | None = None) -> str:
        """The tenant given, or the only one of the store, which must be there.

        Raises:
            ConfigError: `no_database`, `no_store`, `which_tenant`.
        """
        try:
            with Reader(self.url) as reader:
                return select_tenant(reader, tenant or self.tenant)
        except ConfigError as exc:
            if exc.code in NO_LEDGER_CODES:
                exc.remedy = "run your app once, or `halo passport issue AGENT`, or check `--db` and `--home`"
            raise

    def resolve_trusted_tenant(self) -> str:
        """The tenant given, the only one of authorities.json, or the only one of the store.

        Raises:
            ConfigError: as `resolve_tenant`, or authorities.json cannot be read.
        """
        tenants = Authorities(self.home).tenants()
        if self.tenant is not None:
            return self.tenant
        return tenants[0] if len(tenants) == 1 else self.resolve_tenant()

    @contextmanager
    def open_store(self, tenant: str) -> Iterator[Store]:
        """The store for writing; a checkpoint is signed at the end.

        An operator's command must not fail because agents are writing: it waits for up to a minute, with a note.

        Raises:
            CannotDecide: `ledger_busy`, another process has kept the ledger locked for all that time.
        """
        # Imported only here: most verbs only read, and the import would take longer than they do.
        from halo_core.store.config import StoreConfig  # noqa: PLC0415
        from halo_core.store.store import Store  # noqa: PLC0415

        config = StoreConfig(self.url, self.home, tenant, deadline_s=_WAIT_S, on_wait=_print_waiting)
        with closing(Store(config, self.keys)) as store:
            try:
                yield store
                store.checkpoint()
            except CannotDecide as exc:
                if exc.code == "ledger_busy":
                    exc.remedy = _BUSY_REMEDY
                raise


def store_verb(
    group: typer.Typer | None = None,
    name: str = "",
    *,
    db: bool = True,
    tenant: bool = True,
    json: bool = True,
    by: bool = False,
    takes_dashes: bool = False,
) -> Callable[[Callable[..., int | None]], Any]:
    """Give a verb the options of its store; it receives them as `store`.

    Args:
        group: the group in which the verb is registered; a verb without a group is listed in `main.VERBS`.
        name: name of the verb in the group.
        db: whether the verb has `--db`.
        tenant: whether the verb has `--tenant`.
        json: whether the verb has `--json`.
        by: whether the verb has `--by`, for acts that are recorded with a name.
        takes_dashes: whether its argument may begin with a dash, as one thumbprint of a key in 64 does.
    """
    wanted = {"db": db, "home": True, "tenant": tenant, "json": json, "by": by}

    def decorate(verb: Callable[..., int | None]) -> Callable[..., int | None]:
        parameters = inspect.signature(verb, eval_str=True).parameters.values()
        own_parameters = [item for item in parameters if item.name != "store"]
        has_context = any(item.name == "context" for item in own_parameters)

        @functools.wraps(verb)
        def run(*args: Any, **options: Any) -> int | None:
            # A verb may define an option of its own under one of these names, if it did not ask for the shared one.
            shared = {
                option: options.pop(option, default) if wanted[option] else default
                for option, (_, default) in _STORE_OPTIONS.items()
            }
            context = options.get("context") if has_context else options.pop("context", None)
            store = _make_store_context(shared, context)
            try:
                return verb(*args, **options, store=store)
            except Denied as exc:
                # INVARIANT: AUDIT - what somebody was refused is part of the record.
                store.record_refusal(exc)
                raise

        names = [option for option in _STORE_OPTIONS if wanted[option]]
        _set_parameters(run, own_parameters, names, adds_context=not has_context)
        settings = {"ignore_unknown_options": True} if takes_dashes else None
        return run if group is None else group.command(name, context_settings=settings)(run)

    return decorate


def _make_store_context(shared: Mapping[str, Any], context: typer.Context | None) -> StoreContext:
    """Make the store of a verb from the values of the shared options and the context of the command."""
    home = shared["home"] if shared["home"] is not None else default_home()
    url = shared["db"] or default_url(home)
    given = frozenset(name for name, value in shared.items() if value)
    command = "" if context is None else context.command_path.partition(" ")[2]
    return StoreContext(home, url, shared["tenant"], shared["json"], shared["by"], given, command)


def _set_parameters(run: Any, own_parameters: list[inspect.Parameter], names: list[str], *, adds_context: bool) -> None:
    """Give a verb the signature from which typer reads its options: its own, and the shared ones with these names."""
    added = []
    for name in names:
        option, default = _STORE_OPTIONS[name]
        added.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=option))
    if adds_context:
        added.append(inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context))
    run.__signature__ = inspect.Signature([*own_parameters, *added])
    run.__annotations__ = {item.name: item.annotation for item in (*own_parameters, *added)}
    del run.__wrapped__  # else its options would be read from the verb


def parse_duration(text: str, field: str) -> int:
    """A duration such as `90s`, `30m`, `1h` or `7d`, in seconds; at most a hundred years, so that dates stay valid.

    Args:
        text: the duration.
        field: the option's name, for an error.

    Raises:
        ConfigError: `bad_duration`.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        problem = f"`{text[:32]}` is not a duration"
        raise ConfigError("bad_duration", problem, field=field, remedy="for example 30m, 1h or 7d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > _MAX_DURATION_S:
        problem = f"`{text}` is longer than a hundred years"
        raise ConfigError("bad_duration", problem, field=field, remedy="for example 30m, 1h or 7d")
    return seconds


def parse_time(text: str, default: int, field: str, now_us: int | None = None) -> int:
    """An ISO 8601 date or time, in UTC if it names no offset, as microseconds since 1970.

    Args:
        text: the time; with `now_us` also a duration before that, such as `30m`.
        default: the result for an empty text.
        field: the option's name, for an error.
        now_us: the present, microseconds since 1970.

    Raises:
        ConfigError: `bad_time`.
    """
    if not text:
        return default
    if now_us is not None and _DURATION.fullmatch(text):
        return now_us - parse_duration(text, field) * SECOND_US
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * SECOND_US)
    except (ValueError, OverflowError) as exc:
        problem, remedy = f"`{text[:32]}` is not a time", "for example 2026-11-01 or 2026-11-01T08:30"
        remedy += "" if now_us is None else ", or 30m, 2h, 7d ago"
        raise ConfigError("bad_time", problem, field=field, remedy=remedy) from exc


def parse_end(text: str, field: str, now_us: int) -> int:
    """A time to come, as microseconds since 1970: a date, or a duration from `now_us` on.

    Raises:
        ConfigError: `bad_time`, `bad_duration`.
    """
    if text.endswith(tuple(_UNITS)):
        return now_us + parse_duration(text, field) * SECOND_US
    return parse_time(text, 0, field)


def write_text_file(path: Path, text: str, field: str) -> None:
    """Like `write_file`, for a text, in UTF-8."""
    write_file(path, text.encode(), field)


def write_file(path: Path, data: bytes, field: str, *, mode: int = 0o666) -> None:
    """Write a file that an option (`field`) names; `mode` are the permissions of a new file, less the umask.

    A file of that name is replaced once the new one is whole. A device or a pipe is written to as it is.

    Raises:
        ConfigError: `no_file`, it cannot be written; an old file is still there.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace_whole(path.resolve(), data, mode)
    except OSError as exc:
        raise make_write_error(path, exc, field=field) from exc


def _replace_whole(path: Path, data: bytes, mode: int) -> None:
    if path.exists():
        os.close(os.open(path, os.O_WRONLY | os.O_CLOEXEC))  # a file that is write-protected stays as it is
        mode &= path.stat().st_mode  # nobody may read the new file who could not read the old one
    replace_file(path, data, mode=mode)


def show_progress(*columns: ProgressColumn) -> Progress:
    """A progress bar on stderr, on a terminal only: elsewhere it would leave an empty line."""
    out = console(stderr=True)
    return Progress(*columns, console=out, transient=True, disable=not out.is_terminal)


def _print_waiting() -> None:
    text = f"waiting for the ledger, which other processes are writing (at most {_WAIT_S:.0f} s)"
    console(stderr=True).print(text, markup=False, style="dim")


def warn_unwritten(what_holds: str, problem: str) -> None:
    """Print a warning that an act is in force and could not be recorded."""
    out = console(stderr=True)
    out.print("[bold red]THE LEDGER COULD NOT BE WRITTEN[/]: ", safe_text(f"{what_holds} ({problem})"), sep="")
    out.print("  try: run this again when the ledger can be written, so that it is recorded")
