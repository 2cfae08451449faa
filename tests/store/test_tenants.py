"""Two tenants on one PostgreSQL server: each read and write is tried with the other's credentials. Invariant: TENANT.

Each tenant has a schema, two roles (one owns the tables, one decides) and a home of its own, all in one database, as
docs/operations.md says. What the other's credentials try is refused or shows nothing, and the tenant's rows stay as
they are; with its own credentials the same works.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from postgres_server import Server, start_server

from counts import is_thorough
from halo_core.cli.main import VERBS, app
from halo_core.crypto.keys import KeyStore
from halo_core.errors import CannotDecide, ConfigError, HaloError, Pending
from halo_core.facade import HaloBase
from halo_core.ledger import Stream
from halo_core.model import ActionKind, EntryKind, Impact, Mode, Resource
from halo_core.oversight.approvals import answer
from halo_core.store import postgres_schema
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_world import SURFACE, cli, policy_folder, schema, session_ref, tool

pytestmark = pytest.mark.disk

PAYEE = "DE89370400440532013000"
_SHARE = 1 if is_thorough() else 8
"""One verb in so many is tried by default."""


@dataclass
class Tenant:
    """A tenant with its credentials.

    Args:
        name: of the tenant, its schema and its owner.
        server: where its schema is.
        database: URL of the database as its administrator sees it.
        home: folder with its keys.
        secrets: words that nobody else may see.
        decision: id of a decision.
        question: id of an open question.
        alert: id of an alert.
    """

    name: str
    server: Server
    database: str
    home: Path
    secrets: tuple[str, ...] = ()
    decision: str = ""
    question: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        return f"{self.name}_{self.database_name}"

    @property
    def agent(self) -> str:
        return f"{self.owner}_agent"

    @property
    def database_name(self) -> str:
        return self.database.partition("?")[0].rpartition("/")[2]

    def url(self, *, role: str = "", schema: str = "") -> str:
        """The database, as a role sees it: as the one that decides, in the tenant's own schema, unless given."""
        mark = "&" if "?" in self.database else "?"
        return (
            self.database.replace("//postgres", f"//{role or self.agent}", 1)
            + f"{mark}options=-csearch_path%3D{schema or self.owner}"
        )

    def run(self, statement: str, *values: object, role: str = "") -> list[tuple]:
        """Run a statement as a role; as the one that decides unless given."""
        return self.server.run(statement, *values, database=self.url(role=role))

    def dump(self) -> dict[str, list[tuple]]:
        """All rows of its tables, as the administrator sees them."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return {
                name: connection.execute(f"SELECT t::text FROM {self.owner}.{name} t ORDER BY 1").fetchall()
                for name in postgres_schema.list_tables()
            }

    def open(self) -> HaloBase:
        return HaloBase.local(
            "clerk",
            home=self.home,
            db=self.url(),
            tenant=self.name,
            mode="enforce",
            policy=policy_folder(self.home),
            quiet=True,
        )

    def cli(self, *words: str) -> tuple[int, str, str]:
        return cli(*words, "--db", self.url(), home=self.home)


def make_tenant(name: str, server: Server, database: str, folder: Path) -> Tenant:
    """A tenant with its schema and its roles, and some work done."""
    made = Tenant(name, server, database, folder / name)
    server.run(f"CREATE ROLE {made.owner} LOGIN", database=database)
    server.run(f"CREATE ROLE {made.agent} LOGIN", database=database)
    server.run(f"CREATE SCHEMA {made.owner} AUTHORIZATION {made.owner}", database=database)
    Store(StoreConfig(made.url(role=made.owner), made.home, name), KeyStore(made.home)).commit(lambda tx: None)
    for statement in postgres_schema.grant_statements(made.agent, made.owner):
        made.run(statement, role=made.owner)
    work(made)
    return made


def work(made: Tenant) -> None:
    """A lookup with its answer, an open question, a known value, an approver and a stop that was lifted."""
    user, answered = f"ana@{made.name}.example", f"order 4711 of {made.name} is late"
    with made.open() as halo, halo.session(f"{made.name}-case", user=user, request=f"What of {made.name} is late?"):
        look = halo.register(
            ActionKind.TOOL_CALL,
            f"{made.name}_orders",
            resource=Resource(impact=Impact.READ, source_trust=900),
            schema=schema({"q": {"type": "string"}}),
        )
        halo.enforcer.run(halo.build_call(look, {"q": f"{made.name} late orders"}), lambda _: answered, SURFACE)
        pay = tool(halo, "pay", impact=Impact.PAYMENT, targets=("to",))
        with pytest.raises(Pending) as caught:
            halo.enforcer.run(halo.build_call(pay, {"amount": 900, "to": PAYEE}), lambda _: "", SURFACE)
    made.question, made.decision = caught.value.pending_id, caught.value.decision_id
    made.secrets = (user, answered, f"{made.name}_orders", f"{made.name} late orders", f"mia@{made.name}.example")
    for words in (
        ("approver", "enrol", f"mia@{made.name}.example"),
        ("known", "add", "account", PAYEE),
        ("stop", "--agent", "nobody"),
    ):
        code, out, err = made.cli(*words)
        assert code == 0, out + err
    made.extra = {
        "blob": made.run("SELECT hash FROM blob LIMIT 1")[0][0],
        "subject": made.run("SELECT subject FROM vault WHERE tenant<>'' LIMIT 1")[0][0],
    }


@pytest.fixture(scope="module")
def server() -> Server:
    return start_server()


@pytest.fixture(scope="module")
def tenants(server, tmp_path_factory) -> Iterator[tuple[Tenant, Tenant]]:
    """Two tenants in one database."""
    database, folder = server.make_database(), tmp_path_factory.mktemp("tenants")
    made = [make_tenant(name, server, database, folder) for name in ("acme", "bolt")]
    yield made[0], made[1]
    for item in made:
        for role in (item.agent, item.owner):
            server.run(f"DROP OWNED BY {role} CASCADE", database=database)
            server.run(f"DROP ROLE {role}", database=database)


@pytest.fixture
def acme(tenants) -> Iterator[Tenant]:
    """The tenant whose data are tried; whatever was tried, they are as they were."""
    before = tenants[0].dump()
    yield tenants[0]
    assert tenants[0].dump() == before


@pytest.fixture
def bolt(tenants) -> Tenant:
    """The tenant that tries."""
    return tenants[1]


# statements


def list_statements(table: str) -> list[str]:
    """Reads and writes of a table."""
    return [
        f"SELECT count(*) FROM {table}",
        f"SELECT * FROM {table} LIMIT 1",
        f"TABLE {table}",
        f"COPY {table} TO STDOUT",
        f"SELECT t::text FROM {table} t",
        f"INSERT INTO {table} SELECT * FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET tenant=tenant",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"LOCK TABLE {table}",
        f"CREATE INDEX x ON {table} ((1))",
        f"CREATE TRIGGER x BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        f"CREATE RULE x AS ON INSERT TO {table} DO INSTEAD NOTHING",
        f"CREATE POLICY x ON {table}",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} DISABLE TRIGGER ALL",
        f"ALTER TABLE {table} OWNER TO CURRENT_USER",
        f"GRANT ALL ON {table} TO CURRENT_USER",
        f"DROP TABLE {table}",
        f"CREATE VIEW mine AS SELECT * FROM {table}",
    ]


@pytest.mark.parametrize("kind", ["owner", "agent"])
def test_no_table_is_read_or_written_with_a_role_of_the_other(acme, bolt, kind):
    with psycopg.connect(bolt.url(role=getattr(bolt, kind)), autocommit=True) as connection:
        for table in postgres_schema.list_tables():
            for statement in list_statements(f"{acme.owner}.{table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(statement)


def test_each_table_is_read_with_the_own_role(tenants):
    """The honest twin; what a role writes, `work` has written with it."""
    for one in tenants:
        rows = {table: one.run(f"SELECT count(*) FROM {table}")[0][0] for table in postgres_schema.list_tables()}
        assert all(rows[table] for table in ("approval", "blob", "entry", "hold", "position", "session", "vault")), rows


@pytest.mark.parametrize("kind", ["owner", "agent"])
def test_no_role_takes_what_belongs_to_the_other(acme, bolt, kind):
    schema, sequence = acme.owner, f"{acme.owner}.entry_tick_seq"
    statements = [
        f"CREATE TABLE {schema}.mine (a int)",
        f"CREATE FUNCTION {schema}.halo_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end'",
        f"DROP FUNCTION {schema}.halo_refuse_change()",
        f"SELECT {schema}.halo_refuse_change()",
        f"DROP SCHEMA {schema} CASCADE",
        f"ALTER SCHEMA {schema} RENAME TO mine",
        f"GRANT USAGE ON SCHEMA {schema} TO CURRENT_USER",
        f"SELECT nextval('{sequence}')",
        f"SELECT setval('{sequence}', 1)",
        f"SET ROLE {acme.owner}",
        f"SET ROLE {acme.agent}",
        f"SET SESSION AUTHORIZATION {acme.agent}",
        f"GRANT {acme.agent} TO CURRENT_USER",
        f"ALTER ROLE {acme.agent} PASSWORD 'mine'",
        f"DROP OWNED BY {acme.owner}",
        f"REASSIGN OWNED BY {acme.owner} TO CURRENT_USER",
        "ALTER SYSTEM SET fsync=off",
        "SET session_replication_role=replica",
        "SELECT pg_read_file('PG_VERSION')",
    ]
    with (
        psycopg.connect(acme.url(), autocommit=True) as theirs,
        psycopg.connect(bolt.url(role=getattr(bolt, kind)), autocommit=True) as connection,
    ):
        process = theirs.info.backend_pid
        for statement in (
            *statements,
            f"SELECT pg_terminate_backend({process})",
            f"SELECT pg_cancel_backend({process})",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        theirs.execute("SELECT 1")
        # What the server tells everybody has no content: no statement, no value of a column.
        seen = str(connection.execute("SELECT * FROM pg_stat_activity").fetchall())
        seen += str(connection.execute("SELECT * FROM pg_stats WHERE schemaname=%s", (schema,)).fetchall())
        assert not [word for word in acme.secrets if word in seen]


# the store and the reader


def list_foreign_urls(acme: Tenant, bolt: Tenant) -> list[str]:
    """The tenant's schema, with the roles of the other."""
    return [bolt.url(role=role, schema=acme.owner) for role in (bolt.owner, bolt.agent)]


STORE_CALLS: Mapping[str, Callable[[Store], Any]] = {
    "check_readiness": lambda store: require_ready(store.check_readiness()),
    "checkpoint": lambda store: store.checkpoint(),
    "commit": lambda store: store.commit(write_note),
    "commit_group": lambda store: store.commit_group([write_note]),
    "find_mode": lambda store: store.find_mode(Mode.ENFORCE),
    "flush": lambda store: (store.defer(write_note), store.flush()),
    "open": lambda store: store.open(),
    "open_reader": lambda store: store.open_reader().close(),
    "purge_deleted": lambda store: store.purge_deleted(),
}


def write_note(tx: Any) -> None:
    tx.append(Draft(EntryKind.FEEDBACK, "", {"name": "mine"}))


def require_ready(found: Any) -> None:
    if found.code:
        raise CannotDecide(found.code, found.message, remedy="")


@pytest.mark.parametrize("call", STORE_CALLS)
def test_no_store_works_with_a_role_of_the_other(acme, bolt, call):
    for url in list_foreign_urls(acme, bolt):
        for home, name in ((bolt.home, bolt.name), (bolt.home, acme.name), (acme.home, acme.name)):
            with closing(Store(StoreConfig(url, home, name, deadline_s=1.0), KeyStore(home))) as store:
                with pytest.raises(HaloError) as refused:
                    STORE_CALLS[call](store)
                assert refused.value.code in ("ledger_unwritable", "no_store")
    assert bolt.run("SELECT count(*) FROM entry WHERE tenant=%s", acme.name) == [(0,)]


@pytest.mark.parametrize("call", STORE_CALLS)
def test_a_store_works_with_its_own_role(tenants, call):
    """The honest twin."""
    one = tenants[1]
    with closing(Store(StoreConfig(one.url(), one.home, one.name), KeyStore(one.home))) as store:
        STORE_CALLS[call](store)


def test_a_role_of_the_own_schema_with_keys_of_the_other_writes_nothing(acme, bolt):
    """Somebody who got the password of the database, and has a home of another tenant."""
    for call in STORE_CALLS.values():
        with closing(
            Store(StoreConfig(acme.url(), bolt.home, acme.name, deadline_s=1.0), KeyStore(bolt.home))
        ) as store:
            if call is STORE_CALLS["open_reader"]:
                continue
            with pytest.raises(HaloError) as refused:
                call(store)
            assert refused.value.code in ("content_key_changed", "foreign_store", "log_key_changed")


def list_reader_calls() -> list[tuple[str, Callable[..., Any]]]:
    """Public methods of a reader that take a tenant."""
    methods = inspect.getmembers(Reader, inspect.isfunction)
    return [
        (name, method)
        for name, method in methods
        if not name.startswith("_") and "tenant" in inspect.signature(method).parameters
    ]


def call_reader(reader: Reader, method: Callable[..., Any], of: Tenant) -> Any:
    """What a method says about a tenant, asked for what is really there."""
    writer, _, seq = of.decision.rpartition("-")
    every, session = (0, 2**62), session_ref(of.home, f"{of.name}-case")
    known = {
        "tenant": of.name,
        "kinds": tuple(kind.value for kind in EntryKind),
        "kind": "decision" if "count" in method.__name__ else "agent",
        "session": session,
        "reference": session,
        "span": every,
        "period_us": every,
        "index": 0,
        "writer": writer,
        "seq": seq if "by_id" in method.__name__ else int(seq),
        "entry_id": of.decision,
        "name": of.extra["blob"],
        "subject": of.extra["subject"] if method.__name__ == "vault" else "clerk",
        "account": "a",
        "scope": "session",
        "target": session,
        "ts_us": 0,
    }
    names = [name for name in inspect.signature(method).parameters if name in known]
    found = method(reader, **{name: known[name] for name in names})
    return list(found) if isinstance(found, Iterator) else found


def is_nothing(found: Any) -> bool:
    return found in (None, 0, False, [], "") or not isinstance(found, (list, tuple, bytes, int, str))


_SELDOM = {
    "baselines",
    "count_unplaced",
    "find_session",
    "is_pending",
    "part_reader",
    "profile",
    "profiles",
    "quota",
    "show_session",
}
"""Methods that say nothing of this little log, nothing that depends on the store, or only what they were asked."""


def test_a_reader_shows_nothing_of_the_other(acme, bolt):
    for url in list_foreign_urls(acme, bolt):
        with pytest.raises(ConfigError) as caught:
            Reader(url)
        assert caught.value.code == "no_store"
    calls = list_reader_calls()
    assert len(calls) > 25
    with Reader(bolt.url()) as reader, Reader(acme.url()) as own:
        for name, method in calls:
            if name not in _SELDOM:
                found = call_reader(reader, method, acme)  # asked for the other's in one's own schema
                assert is_nothing(found), (name, found)
                assert not is_nothing(call_reader(own, method, acme)), name


def test_no_stream_has_a_row_of_the_other(acme, bolt):
    with Reader(bolt.url()) as reader:
        assert reader.tenants() == [bolt.name]
        rows = [*reader.rows_by_position(), *(row for stream in Stream for row in reader.rows(stream))]
    assert acme.name not in {row[0] for row in rows}
    assert not [word for word in acme.secrets if word in repr(rows)]


# verbs


def list_verbs() -> list[tuple[str, ...]]:
    """Every verb that has a store, with the names of its parameters behind it."""

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        if hasattr(command, "commands"):
            for name, child in sorted(command.commands.items()):
                yield from walk(child, (*words, name))
        elif "db" in {item.name for item in command.params}:
            yield words, command

    group = typer.main.get_command(app)
    found = [item for name in sorted(VERBS) for item in walk(group.get_command(None, name), (name,))]
    return [words for words, _ in found if words not in _LEFT_OUT]


_LEFT_OUT = {("alerts", "send"), ("identity", "follow"), ("demo",), ("doctor",), ("drill",), ("train",)}
"""They wait, import an application or train."""


def make_words(verb: tuple[str, ...], of: Tenant, folder: Path) -> list[str]:
    """A call of a verb, about what is really there."""
    command: Any = typer.main.get_command(app)
    for word in verb:
        command = command.get_command(None, word)
    file = folder / "file"
    file.write_text("{}")
    known = {
        "ids": of.question,
        "decision": of.decision,
        "id": of.question if verb[0] == "approvals" else of.decision,
        "agent": "clerk",
        "agents": "clerk",
        "session": f"{of.name}-case",
        "subject": f"ana@{of.name}.example",
        "name": "mia",
        "why": "a test",
        "reason": "a test",
        "minutes": "5",
        "by": "eve",
        "kind": "account",
        "value": PAYEE,
        "what": "issuer",
        "kid": "a" * 43,
        "tool": "pay",
        "server": "files",
        "control": "AU-2",
        "reviewer": "eve",
        "due": "2099-01-01",
        "record_class": "content",
        "keep": "400d",
        "tier": "limited",
        "everything": "",
        "label": "customer",
        "webhook": "https://a.example",
        "lasts": "1h",
        "scope": "agent",
    }
    words = list(verb)
    for item in command.params:
        is_path = item.name in ("file", "files", "path", "output", "out", "folder", "cases", "new", "to", "key")
        if item.param_type_name == "argument":
            words.append(str(file) if is_path else known.get(item.name, of.decision))
        elif item.required or item.name in ("why", "reason", "lasts", "approve", "once", "label", "user"):
            value = str(folder / f"{item.name}.out") if is_path else known.get(item.name, "x")
            words += [item.opts[0], *(() if getattr(item, "is_flag", False) else (value,))]
    return words


@pytest.mark.share(2)
@pytest.mark.parametrize("verb", list_verbs()[::_SHARE], ids=" ".join)
def test_no_verb_reads_or_writes_with_the_credentials_of_the_other(acme, bolt, tmp_path, monkeypatch, verb):
    monkeypatch.chdir(tmp_path)
    words = make_words(verb, acme, tmp_path)
    attempts = [(url, bolt.home, ()) for url in list_foreign_urls(acme, bolt)]
    attempts += [(bolt.url(), bolt.home, ("--tenant", acme.name)), (acme.url(), bolt.home, ())]
    for url, home, more in attempts:
        if more and not has_tenant(verb):
            continue
        code, out, err = cli(*words, *more, "--db", url, home=home)
        shown = "".join(path.read_text("utf-8", "replace") for path in tmp_path.glob("*.out")) + out + err
        leaked = [word for word in acme.secrets if word in shown and word not in words]
        assert leaked == [], (code, shown)
        assert "Traceback" not in shown


def has_tenant(verb: tuple[str, ...]) -> bool:
    command: Any = typer.main.get_command(app)
    for word in verb:
        command = command.get_command(None, word)
    return "tenant" in {item.name for item in command.params}


@pytest.mark.parametrize(
    "words",
    [
        ("log", "--json"),
        ("show", "DECISION"),
        ("approvals", "list"),
        ("approvals", "show", "QUESTION", "--reveal"),
        ("known", "list"),
        ("approver", "list"),
        ("explain", "--subject", PAYEE),
        ("verify", "--signatures"),
    ],
    ids=" ".join,
)
def test_a_verb_works_with_the_own_credentials(tenants, words):
    """The honest twin: each sees what is its own."""
    for one in tenants:
        named = {"DECISION": one.decision, "QUESTION": one.question}
        code, out, err = one.cli(*(named.get(word, word) for word in words))
        assert code == 0, out + err


def test_a_copy_takes_nothing_with_a_role_of_the_other(acme, bolt, tmp_path):
    for url in list_foreign_urls(acme, bolt):
        code, out, err = cli("store", "copy", url, f"sqlite:///{tmp_path / 'copy.db'}", home=bolt.home)
        assert code != 0, out
        code, out, err = cli("store", "copy", bolt.url(), url, home=bolt.home)
        assert code != 0, out + err


def test_the_answer_of_an_approver_of_the_other_serves_nothing(acme, bolt):
    with closing(Store(StoreConfig(bolt.url(), bolt.home, bolt.name), KeyStore(bolt.home))) as store:
        given = answer(
            store,
            KeyStore(bolt.home),
            bolt.home,
            request_id=bolt.question,
            approver=f"mia@{bolt.name}.example",
            approve=True,
            why="seen",
            now_us=store.clock.now_us(),
        )
    for token in ("UPDATE approval SET status='approved', answer=%s", "UPDATE approval SET answer=%s"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            bolt.server.run(
                token.replace("approval", f"{acme.owner}.approval"), given.token, database=bolt.url(role=bolt.owner)
            )


def test_a_database_of_its_own_cannot_even_be_connected_to(server, tenants):
    """What docs/operations.md recommends for tenants that do not trust each other."""
    stranger = tenants[1].owner
    database = server.make_database()
    name = database.partition("?")[0].rpartition("/")[2]
    server.run(f'REVOKE CONNECT, TEMPORARY ON DATABASE "{name}" FROM PUBLIC')
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(database.replace("//postgres", f"//{stranger}", 1))
