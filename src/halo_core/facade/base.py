"""`HaloBase`: opening Halo over a home, its mode, and its end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from halo_core.clock import Clock, SystemClock
from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import Digester, IdSource, KeyStore, RandomIds
from halo_core.enforcement.activities import register_clock
from halo_core.enforcement.agent_credentials import AgentCredentials, Limits
from halo_core.enforcement.body_threads import follow_threads
from halo_core.enforcement.delegation import DelegationMixin, DelegationTerms
from halo_core.enforcement.enforcer import Enforcer
from halo_core.enforcement.held_acts import Runner
from halo_core.enforcement.mcp_listings import McpListings
from halo_core.enforcement.preparer import Preparer
from halo_core.enforcement.registry import Registry
from halo_core.enforcement.reversals import Reverser
from halo_core.enforcement.session_context import mark_lineage
from halo_core.enforcement.shadow_activity import ShadowActivity
from halo_core.errors import CannotDecide, Denied, Held, Pending
from halo_core.facade.declarations import Declarations
from halo_core.facade.parameters import check_names, check_places, check_terms, check_waits
from halo_core.facade.registration import RegistrationMixin
from halo_core.floors import read_host_floor
from halo_core.home import default_home, default_url, describe_process, find_relocation, parse_mode
from halo_core.log_output import get_logger
from halo_core.model import Constraint, Mode, Principal, Stop
from halo_core.os_user import describe_os_user
from halo_core.oversight.access import record_refusal
from halo_core.reasons import get_reason_text
from halo_core.references import References
from halo_core.stop_files import StopFiles
from halo_core.store.config import StoreConfig
from halo_core.store.database import make_url_absolute
from halo_core.store.draining import Drained, Readiness
from halo_core.store.known_values import KnownTable
from halo_core.store.store import Store
from halo_core.telemetry import ActionObserver

if TYPE_CHECKING:
    from halo_core.identity_feed import FeedReport, IdentityFeed

__all__ = ["HaloBase"]

_LOG: Final = get_logger("facade")


def refer_stops(stops: tuple[Stop, ...], references: References) -> tuple[Stop, ...]:
    """Stop files with references in place of the session and user names, which decisions do not know."""
    # INVARIANT: REV - a name has the form of a reference only by chance, so such a stop holds either way.
    refer = {"session": references.of_session, "user": references.of_person}
    named = [item for item in stops if item.scope in refer]
    return (*stops, *(replace(item, target=refer[item.scope](item.target)) for item in named)) if named else stops


class HaloBase(RegistrationMixin, DelegationMixin):
    """One agent, governed. Adapters add `guard` and the framework's hooks.

    Attributes:
        agent: the acting agent's id.
        enforcer: the one enforcement point.
        delegation_terms: how much each agent that is handed to is given.
        mcp_listings: what MCP servers list, and what of it was accepted.
    """

    framework = ""
    Denied = Denied
    Held = Held
    Pending = Pending

    _options: Mapping[str, Any]

    def __new__(cls, **options: Any) -> Self:
        """Keep the options of `__init__`, which `reopen` reuses."""
        halo = super().__new__(cls)
        halo._options = options
        return halo

    def __init__(
        self,
        *,
        agent: str,
        user: str,
        tenant: str,
        home: Path,
        url: str,
        mode: Mode | None,
        grants: Mapping[str, Mapping[str, Constraint]] | None,
        policy: Path | None,
        clock: Clock,
        ids: IdSource,
        quiet: bool,
        deadline_s: float,
        limits: Limits | None = None,
        answer_wait_s: float | None = None,
    ) -> None:
        self.agent = agent
        # INVARIANT: REV, FLOOR - whatever folder the process goes to, its stops, trusted keys and log are the same.
        self._shown_home, home, url = home, home.absolute(), make_url_absolute(url)
        self.home = home
        self._mode = mode
        self._quiet = quiet
        self._ids = ids
        self._answer_wait_s = answer_wait_s
        self._lock = threading.Lock()
        # Filled later: by registering, by notices that were logged, and as sessions and identity events come.
        self.delegation_terms = DelegationTerms()
        self._registry = Registry()
        self._reversers: dict[str, Reverser] = {}
        self._runners: dict[str, Runner] = {}
        self._claimed_links = {}
        self._notices: set[str] = set()
        self._own_domains: frozenset[str] = frozenset()  # digests of those that were declared when this was opened
        self._release_due = False
        self._identity_feed: IdentityFeed | None = None
        keys = KeyStore(home)
        self._digester = Digester(keys.secret("digest"))
        self.store = Store(StoreConfig(url, home, tenant, "dev", deadline_s), keys, clock=clock, ids=ids)
        register_clock(self, clock)
        self._shadow_activity = ShadowActivity(self.store, agent, self.framework)
        policy_dir = policy.absolute() if policy is not None else home / "policy"
        self._declarations = Declarations(self.store, home, agent)
        self._agent_credentials = AgentCredentials(
            self.store,
            keys,
            agent=agent,
            user=user,
            grants=grants,
            policy_dir=policy_dir,
            limits=limits,
            read_manifest=self._declarations.current,
        )
        self.enforcer = self._make_enforcer(self._make_preparer(keys, tenant, user), tenant)
        self.mcp_listings = McpListings(self.store, self._digester, mode, self.record_shadow)

    def _make_enforcer(self, preparer: Preparer, tenant: str) -> Enforcer:
        stop_files = StopFiles(self.home)
        enforcer = Enforcer(
            self.store,
            preparer,
            partial(self._agent_credentials.current, self._registry),
            self._mode,
            are_credentials_ready=partial(self._agent_credentials.is_ready, self._registry),
            read_stops=lambda: refer_stops(stops, self.store.references) if (stops := stop_files.read(tenant)) else (),
            find_resource=self._find_known_resource,
        )
        enforcer.is_quiet = self._quiet
        return enforcer

    def _make_preparer(self, keys: KeyStore, tenant: str, user: str) -> Preparer:
        references = self.store.references
        chain = (user, self.agent) if user else (self.agent,)
        return Preparer(
            principal=Principal(tenant, self.agent, user, "asserted", chain, references.of_person(user)),
            origin=describe_process(self.framework),
            assurance="dev",
            digester=self._digester,
            references=references,
            redactor=Redactor(self._digester),
            sketch_key=keys.secret("sketch"),
            make_call_id=self._ids.new_short_id,
            find_terms=self._find_terms,
        )

    @classmethod
    def local(
        cls,
        agent: str,
        *,
        user: str = "",
        mode: str | None = None,
        tenant: str = "local",
        home: str | Path | None = None,
        db: str | None = None,
        grants: Mapping[str, Mapping[str, Constraint]] | None = None,
        policy: str | Path | None = None,
        limits: Limits | None = None,
        quiet: bool = False,
        deadline_s: float = 5.0,
        answer_wait_s: float | None = None,
        clock: Clock | None = None,
        ids: IdSource | None = None,
    ) -> Self:
        """Open Halo in this process, over SQLite in `.halo/` or over `db`, with keys generated here (assurance `dev`).

        Args:
            agent: the acting agent's id.
            user: the person that it acts for, as you assert it; recorded, and grants nothing by itself.
            mode: `observe` or `enforce`; None follows the home's floor (initially observe). An application may ask for
                more than the floor; if it asks for less, each of its actions is refused with `below_floor`.
            tenant: the tenant whose log is written.
            home: folder of keys, policy and anchor (default `HALO_HOME`, else `.halo`).
            db: SQLAlchemy URL (default SQLite in `home`).
            grants: resource id → argument → constraint, exactly what is granted; None grants what is guarded.
            policy: folder of Cedar files (default `home`/policy, filled with the starter policy).
            limits: budgets, decay and quotas of the passport that is derived from what is guarded; generous by default.
                An issued passport (`halo passport issue`) has its own.
            quiet: log no notices (the mode at the start, guesses, what runs without a guard). Questions and quotas are
                still logged, but not printed if the host has no handler of its own.
            deadline_s: how long a decision may wait for the ledger, seconds.
            answer_wait_s: how long a run waits for an answer while nobody reads its questions, seconds; None takes the
                manifest's `answer_wait`, or 60.
            clock: source of time.
            ids: source of ids.

        Raises:
            ConfigError: a parameter is wrong.
            PolicyError: the policy does not parse.
            CannotDecide: the store cannot be used.
        """
        check_names(agent, user, tenant)
        check_places(home, db, policy)
        check_terms(grants, limits)
        check_waits(deadline_s, answer_wait_s)
        parsed_mode = parse_mode(mode)
        folder = Path(home) if home is not None else default_home()
        url, relocation = db or default_url(folder), find_relocation()
        if relocation is not None:
            folder, url = relocation.locate(folder, url)
        halo = cls(
            agent=agent,
            user=user,
            tenant=tenant,
            home=folder,
            url=url,
            mode=parsed_mode,
            grants=grants,
            policy=Path(policy) if policy is not None else None,
            clock=clock or SystemClock(),
            ids=ids or RandomIds(),
            quiet=quiet,
            deadline_s=deadline_s,
            limits=limits,
            answer_wait_s=answer_wait_s,
        )
        halo._require_floor()
        halo._agent_credentials.check_policy()
        halo._declarations.refresh()
        if relocation is not None:
            relocation.add(halo)
        mark_lineage()
        follow_threads()
        halo._announce()
        halo._propose_own_domain(user)
        return halo

    def _require_floor(self) -> None:
        """Open the store; if the requested mode is below the floor, refuse every action with `below_floor`.

        Raises:
            CannotDecide: the store cannot be used.
        """
        if self._mode is not Mode.OBSERVE or self.store.find_mode(self._mode) is not Mode.ENFORCE:
            self.store.open()
            return
        host = read_host_floor()
        where = f"this host ({host.source})" if host.mode is Mode.ENFORCE else f"`{self._shown_home}`"
        message = f'the application asks for `mode="observe"`, below the floor of {where}, which is `enforce`'
        refusal = CannotDecide("below_floor", message, remedy=get_reason_text("below_floor").remedy)
        self.enforcer.refuse_below_floor(refusal)
        _LOG.error("%s: every action is refused; %s", message, refusal.remedy, extra={"halo_event": "below_floor"})
        record_refusal(self.store, "observe", refusal, by=describe_os_user(), terms={"agent": self.agent})

    @classmethod
    def connect(cls, db: str, agent: str, **options: Any) -> Self:
        """Open Halo over a database that several hosts share, such as `postgresql://halo@db.example/halo`.

        The result is the same as from `local`, with the same invariants: budgets, stops and runs are those of the
        database. The home holds the keys of the store, which are the same on every host (log, content, digest and
        sketch keys, authorities, trust.json), and this host's own anchor.

        Args:
            db: URL of the database; the password may come from PGPASSWORD or a password file, as libpq reads them.
            agent: the acting agent's id.
            options: like those of `local`.

        Raises:
            See `local`.
        """
        return cls.local(agent, db=db, **options)

    def reopen(self, home: Path, url: str, *, mode: Mode | None) -> None:
        """Close, and go on over another home with all that is registered; guarded objects stay as they are.

        For drills, which run each case in a fresh copy of a home. Nothing may run meanwhile.

        Args:
            home: folder of keys, policy and anchor.
            url: SQLAlchemy URL of its database.
            mode: mode to request in place of the one at opening.

        Raises:
            See `local`.
        """
        registered, reversers, runners, terms, options = (
            self._registry.items(),
            self._reversers,
            self._runners,
            self.delegation_terms,
            self._options,
        )
        self.store.close()
        changed = {"home": home, "url": url, "mode": mode or options["mode"], "quiet": True}
        self.__init__(**{**options, **changed})  # type: ignore[misc]
        self.delegation_terms = terms
        for item in registered:
            self._registry.add(item)
        self._reversers.update(reversers)
        self._runners.update(runners)
        self.store.open()
        self._agent_credentials.check_policy()
        self._declarations.refresh()

    def _announce(self) -> None:
        if not self._quiet:
            self._own_domains = self.store.commit(lambda tx: KnownTable(tx).list_digests("domain"))
        mode = self.mode
        consequence = "actions RUN whatever the decision" if mode is Mode.OBSERVE else "denied actions do not run"
        self.notify_once(
            f"{mode.value} mode: {consequence}; assurance dev: keys in {self._shown_home}, generated on this machine"
        )

    @property
    def policy_dir(self) -> Path:
        """Folder of the Cedar files in force."""
        return self._agent_credentials.policy_dir

    @property
    def fixed_mode(self) -> Mode | None:
        """The requested mode; None follows the home's. `mode` is the one in force."""
        return self._mode

    @property
    def mode(self) -> Mode:
        """The mode in force now."""
        return self.store.find_mode(self._mode)

    def ready(self) -> Readiness:
        """Whether a decision could be made now; true in a condition if so. For a readiness probe of this process.

        Not while it drains, after it was closed, or where the ledger cannot be locked in time.
        """
        return self.store.check_readiness()

    def drain(self, deadline_s: float = 30.0) -> Drained:
        """Decide nothing more, wait for running actions and their outcomes, then close; for a graceful end.

        Calls from now on are denied with `ledger_closed` (in observe mode they run without a record, as after `close`),
        so send a process no work first.

        Args:
            deadline_s: how long to wait, seconds.

        Returns:
            What was left: actions that still run, results not read, outcomes not durable. It is logged as an error.
        """
        return self.store.drain(deadline_s)

    def identity_events(self, events: Iterable[Any]) -> FeedReport:
        """Take events of people and service accounts, and move the risk that decisions read for whom agents act.

        Args:
            events: objects with the fields of an event (`time`, `identity`, `action`, …) or OCSF events, each a mapping
                or JSON text. What is no event is left out, and is in `bad` of the report.

        Raises:
            BadInput: the tenant has too many identities, or a stored row was changed.
            CannotDecide: the store cannot be written.
        """
        from halo_core.identity_feed import IdentityFeed, parse_records  # noqa: PLC0415  few applications need it

        parsed = parse_records(events)
        with self._lock:
            if self._identity_feed is None:
                self._identity_feed = IdentityFeed(
                    self.store.commit, KeyStore(self.home), self.store.tenant, self.store.clock, "call"
                )
            report = self._identity_feed.take([event for _, event in parsed.events])
        report.bad, report.skipped = parsed.bad, parsed.skipped
        return report

    def add_observer(self, observer: ActionObserver) -> None:
        """Notify an observer of decisions and outcomes from now on; it decides and delays nothing.

        Args:
            observer: for example `halo_core.telemetry.otel.OpenTelemetryObserver()`.
        """
        self.enforcer.observers.add(observer)

    def close(self) -> None:
        """Write what is queued and close the ledger; the outcome of what still runs is recorded as unknown."""
        self.enforcer.folds.end_all()
        self.store.close()
        self.enforcer.observers.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # what runs beside Halo

    def record_shadow(self, kind: str, name: str, where: str, *, refused: bool = False) -> None:
        """Record something that runs without a guard; written with the next commit, or within 50 ms.

        Each is noted once for a process, and at most 1,000 of them are; what runs is logged as well. Waits for no disk.

        Args:
            kind: what it is: `tool`, `retriever`, `model`, `agent`.
            name: its name.
            where: where it was seen, for people.
            refused: whether it was kept from running, for want of a guard.
        """
        notice = self._shadow_activity.record(kind, name, where, refused=refused)
        if notice:
            self.notify_once(notice)

    def make_keyed_digest(self, text: str) -> str:
        """Keyed digest of a text, which only this home can make, to recognise it where others can write."""
        return self._digester.digest("halo/word", text.encode())
