"""The facade that the adapters' `Halo` extends: one governed agent, its sessions and its registered resources.

`HaloBase.local` needs no key ceremony: keys, starter policy, store and a passport with grants for what is guarded are
made on the spot (assurance `dev`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from halo_core.clock import Clock, SystemClock
from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import Digester, IdSource, KeyStore, RandomIds
from halo_core.enforcement import ABILITIES, Call, Enforcer, Preparer
from halo_core.enforcement.activities import (
    current_activity,
    current_run_activity,
    find_began_us,
    find_block_began_us,
    register_clock,
)
from halo_core.enforcement.agent_credentials import AgentCredentials, Limits
from halo_core.enforcement.decision_context import AnswerTerms
from halo_core.enforcement.delegation import DelegationMixin, DelegationTerms, HandOff
from halo_core.enforcement.flow import Steps, adrive, drive
from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA, TOOL_KINDS, choose_resource_id
from halo_core.enforcement.guesses import NO_HINTS, ServerHints, guess_tool
from halo_core.enforcement.held_acts import ReleasedAct, Runner, is_loop_running, release_steps, require_no_loop
from halo_core.enforcement.mcp_listings import McpListings
from halo_core.enforcement.registry import RegisteredResource, Registry, complete_resource
from halo_core.enforcement.session_context import (
    NO_SESSION,
    Session,
    TriggeringMessage,
    current_delegation,
    current_delegation_session,
    current_session,
    current_triggering_message,
    is_raw_thread,
    mark_lineage,
    session_scope,
)
from halo_core.enforcement.shadow_activity import ShadowActivity
from halo_core.errors import CannotDecide, ConfigError, Denied, HaloError, Held, Pending
from halo_core.floors import read_host_floor
from halo_core.home import Declarations, default_home, default_url, describe_process, find_relocation, parse_mode
from halo_core.log_output import get_logger
from halo_core.model import ActionKind, Constraint, HistoryItem, Mode, Principal, Resource, Stop
from halo_core.os_user import describe_os_user
from halo_core.oversight.access import record_refusal
from halo_core.reasons import get_reason_text
from halo_core.references import References
from halo_core.stop_files import StopFiles
from halo_core.store import Drained, Readiness, Store, StoreConfig
from halo_core.telemetry import ActionObserver, read_trace_id
from halo_core.values.mail_hosts import find_own_domain

__all__ = ["HaloBase", "HandOff", "HostedTool", "Limits", "default_home", "default_url", "guard_all"]

_LOG: Final = get_logger("facade")


class HostedTool(ConfigError):
    """A tool that the model's provider runs: nothing in this process can decide it, so it is refused by name."""


def make_hosted_tool_error(name: str) -> HostedTool:
    """The refusal of a tool that the model's provider runs."""
    message = f"`{name}` is run by the model's provider, so Halo cannot control it"
    return HostedTool("hosted_tool", message, field="x", remedy="use a tool that runs in this process")


def make_schema_error(hosted_names: Sequence[str]) -> ConfigError:
    """The refusal of a dict in place of a tool; `hosted_names`: what of it the model's provider runs."""
    if hosted_names:
        return make_hosted_tool_error(hosted_names[0])
    message, remedy = "a schema without a function cannot be guarded", "guard the tool or function that runs"
    return ConfigError("nothing_to_guard", message, field="x", remedy=remedy)


def refer_stops(stops: tuple[Stop, ...], references: References) -> tuple[Stop, ...]:
    """Stops of files, in which a session may stand under its name; decisions know it by its reference."""
    # INVARIANT: REV - a name has the form of a reference only by chance, so such a stop holds either way.
    named = [item for item in stops if item.scope == "session"]
    return (*stops, *(replace(item, target=references.of_session(item.target)) for item in named)) if named else stops


def guard_all(
    guard: Callable[..., Any],
    items: Sequence[Any],
    resource: Resource | None,
    find_refusal: Callable[[Any], ConfigError | None],
) -> list[Any]:
    """Guard each of a list: all or none.

    Args:
        guard: the adapter's `Halo.guard`.
        items: what to guard.
        resource: what each of them is.
        find_refusal: why an item of the framework cannot be guarded; asked before the first is registered.

    Raises:
        ConfigError: one of them cannot be guarded, or they would share an id.
    """
    if resource is not None and resource.id and len(items) > 1:
        message = f"`{resource.id}` cannot be the id of {len(items)} objects"
        remedy = "omit `id`, or guard them one by one"
        raise ConfigError("resource_id_taken", message, field="resource", remedy=remedy)
    for item in items:
        refusal = find_refusal(item)
        if refusal is not None:
            raise refusal
    return [guard(item, resource=resource) for item in items]


class HaloBase(DelegationMixin):
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
        """Keep the options of `__init__`, with which `reopen` starts again."""
        made = super().__new__(cls)
        made._options = options
        return made

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
        self._answer_wait_s = answer_wait_s
        self.agent = agent
        self.home = home
        self._quiet = quiet
        self._ids = ids
        self._notices: set[str] = set()
        self._lock = threading.Lock()
        keys = KeyStore(home)
        digester = self._digester = Digester(keys.secret("digest"))
        self.store = Store(StoreConfig(url, home, tenant, "dev", deadline_s), keys, clock=clock, ids=ids)
        register_clock(self, clock)
        self._shadow_activity = ShadowActivity(self.store, agent, self.framework)
        self._claimed_links = {}
        self.delegation_terms = DelegationTerms()
        self._registry = Registry()
        self._runners: dict[str, Runner] = {}
        self._release_due = False
        self._agent_credentials = AgentCredentials(
            self.store,
            keys,
            agent=agent,
            user=user,
            grants=grants,
            policy_dir=policy or home / "policy",
            limits=limits,
        )
        stops = StopFiles(home)
        self.enforcer = Enforcer(
            self.store,
            Preparer(
                principal=Principal(
                    tenant,
                    agent,
                    user,
                    "asserted",
                    (user, agent) if user else (agent,),
                    self.store.references.of_person(user),
                ),
                origin=describe_process(self.framework),
                assurance="dev",
                digester=digester,
                references=self.store.references,
                redactor=Redactor(digester),
                sketch_key=keys.secret("sketch"),
                make_call_id=ids.new_short_id,
                find_terms=self._find_terms,
            ),
            partial(self._agent_credentials.current, self._registry),
            mode,
            are_credentials_ready=partial(self._agent_credentials.is_ready, self._registry),
            read_stops=lambda: refer_stops(stops.read(tenant), self.store.references),
            find_resource=self._find_known_resource,
        )
        self.enforcer.is_quiet = quiet
        self._mode = mode
        self._declarations = Declarations(self.store, home, agent)
        self.mcp_listings = McpListings(self.store, digester, mode, self.record_shadow)

    def _find_terms(self, agent: str) -> AnswerTerms:
        """How answers to an agent's questions are kept, by the manifest in force."""
        manifest = self._declarations.current()
        section = manifest.agents.get(agent) if manifest is not None else None
        if section is None:
            return AnswerTerms(agent)
        return AnswerTerms(section.role, section.hold_for_s, section.answer_wait_s)

    @property
    def answer_wait_s(self) -> float:
        """Seconds that a run waits for an answer where nobody reads that it waits; then it ends with an error."""
        return self._answer_wait_s if self._answer_wait_s is not None else self._find_terms(self.agent).answer_wait_s

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
        """Open Halo in this process, over SQLite in `.halo/` or `db`, with keys made on the spot (assurance `dev`).

        Args:
            agent: the acting agent's id.
            user: whom it acts for, as you assert it; recorded, and grants nothing by itself.
            mode: `observe` or `enforce`; None follows the home's floor (initially observe). An application may ask for
                more than the floor; if it asks for less, each of its actions is refused with `below_floor`.
            tenant: whose log.
            home: folder of keys, policy and anchor (default `HALO_HOME`, else `.halo`).
            db: SQLAlchemy URL (default SQLite in `home`).
            grants: exact grants by resource id; None grants what is guarded.
            policy: folder of Cedar files (default `home`/policy, filled with the starter policy).
            limits: budgets, decay and quotas of the passport that is made from what is guarded; generous by default.
                An issued passport (`halo passport issue`) brings its own.
            quiet: log no notices (the mode at the start, guesses, what runs without a guard). Questions and quotas are
                still logged, but not printed where the host has no handler of its own.
            deadline_s: how long a decision may wait for the ledger, seconds.
            answer_wait_s: how long a run waits for the answer to a question where nobody reads that it waits, seconds;
                None is what the manifest says (`answer_wait`), or 60.
            clock: source of time.
            ids: source of ids.

        Raises:
            ConfigError: a parameter is wrong.
            PolicyError: the policy does not parse.
            CannotDecide: the store cannot be used.
        """
        if not agent or len(agent) > 200 or not agent.isprintable():
            raise ConfigError(
                "bad_agent", "the name of an agent must have 1 to 200 printable characters", field="agent"
            )
        parsed_mode = parse_mode(mode)
        if policy is not None and not Path(policy).exists():
            raise ConfigError(
                "no_policy", f"there is no folder `{policy}`", field="policy", remedy="create it, or omit `policy`"
            )
        if answer_wait_s is not None and not answer_wait_s > 0:
            problem, remedy = "a run must wait more than 0 seconds", "give seconds, or omit it"
            raise ConfigError("bad_wait", problem, field="answer_wait_s", remedy=remedy)
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
        halo._announce()
        halo._propose_own_domain(user)
        return halo

    def _require_floor(self) -> None:
        """Open the store; where a mode below the floor was asked for, refuse every action with `below_floor`.

        Raises:
            CannotDecide: the store cannot be used.
        """
        if self._mode is not Mode.OBSERVE or self.store.find_mode(self._mode) is not Mode.ENFORCE:
            self.store.open()
            return
        host = read_host_floor()
        where = f"this host ({host.source})" if host.mode is Mode.ENFORCE else f"`{self.home}`"
        message = f'the application asks for `mode="observe"`, below the floor of {where}, which is `enforce`'
        refusal = CannotDecide("below_floor", message, remedy=get_reason_text("below_floor").remedy)
        self.enforcer.refuse_below_floor(refusal)
        _LOG.error("%s: every action is refused; %s", message, refusal.remedy, extra={"halo_event": "below_floor"})
        record_refusal(self.store, "observe", refusal.code, by=describe_os_user(), terms={"agent": self.agent})

    @classmethod
    def connect(cls, db: str, agent: str, **options: Any) -> Self:
        """Open Halo over a database that several hosts share, such as `postgresql://halo@db.example/halo`.

        The same object as `local` gives, with the same invariants: budgets, stops and runs are those of the database.
        The home holds this host's keys, which are the store's on every host (log, content, digest and sketch keys,
        authorities, trust.json), and its own anchor.

        Args:
            db: URL of the database; the password may come from PGPASSWORD or a password file, as libpq reads them.
            agent: the acting agent's id.
            options: as `local`.

        Raises:
            See `local`.
        """
        return cls.local(agent, db=db, **options)

    def reopen(self, home: Path, url: str, *, mode: Mode | None = None) -> None:
        """Close, and go on over another home with all that is registered; guarded objects stay as they are.

        For drills, which run each case in a fresh copy of a home. Nothing may run meanwhile.

        Args:
            home: folder of keys, policy and anchor.
            url: SQLAlchemy URL of its database.
            mode: to ask for in place of the one that this was opened with.

        Raises:
            See `local`.
        """
        registered, runners, terms, options = (
            self._registry.items(),
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
        self._runners.update(runners)
        self.store.open()
        self._agent_credentials.check_policy()
        self._declarations.refresh()

    def _announce(self) -> None:
        mode = self.mode
        consequence = "actions RUN whatever the decision" if mode is Mode.OBSERVE else "denied actions do not run"
        self.notify_once(
            f"{mode.value} mode: {consequence}; assurance dev: keys in {self.home}, generated on this machine"
        )

    @property
    def policy_dir(self) -> Path:
        """Folder of the Cedar files in force."""
        return self._agent_credentials.policy_dir

    @property
    def fixed_mode(self) -> Mode | None:
        """The mode this was asked for; None follows the home's. What is in force is `mode`."""
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

    def add_observer(self, observer: ActionObserver) -> None:
        """Tell an observer of decisions and outcomes from now on; it decides and delays nothing.

        Args:
            observer: for example `halo_core.telemetry.otel.OpenTelemetryObserver()`.
        """
        self.enforcer.observers.add(observer)

    def close(self) -> None:
        """Write what is queued and close the ledger; the outcome of what still runs is recorded as unknown."""
        self.store.close()
        self.enforcer.observers.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _propose_own_domain(self, user: str) -> None:
        """Propose the domain of a user's address as the operator's own; it counts only once somebody adds it."""
        domain = find_own_domain(user)
        if domain:
            self.notify_once(f"is `{domain}` your own domain? then run `halo known add domain {domain}`")

    # sessions

    @contextmanager
    def session(
        self,
        id: str = "",  # noqa: A002  the word users expect
        *,
        user: str = "",
        request: str = "",
        vouch_history: bool = False,
    ) -> Iterator[Session]:
        """Open a session where a request begins.

        Args:
            id: its id; empty makes one.
            user: whom the agent acts for in this session, as asserted.
            request: the user's own words; values in them count as the user's, and those in no other message do.
            vouch_history: say that the conversation so far, as far as nobody here has seen it, holds nothing but the
                user's words and this agent's, so that accounts and addresses in it are known. What is known to have
                been made while exposed stays so.

        Raises:
            ConfigError: one of them is not text, or an agent that acts under a link in another session is at work here.
        """
        for field, value in (("id", id), ("user", user), ("request", request)):
            if not isinstance(value, str):
                raise ConfigError(
                    "bad_session",
                    f"`{field}` must be text, not {type(value).__name__}",
                    field=field,
                    remedy="pass a str",
                )
        delegation_session = current_delegation_session()
        if delegation_session is not None and delegation_session != id:
            # INVARIANT: SUB - in a session of its own an agent would act with all that the facade's has.
            raise ConfigError(
                "session_inside_agent",
                "an agent that work was handed off to cannot open a session",
                field="id",
                remedy="open sessions where a request begins; this code belongs to the current session",
            )
        self._propose_own_domain(user)
        began_us = find_block_began_us(self.store.clock)
        opened = Session(id or f"s-{self._ids.new_short_id()}", "host", user, request, vouch_history, began_us)
        if self._release_due and self._runners:
            self._release_quietly("")
        with session_scope(opened):
            yield opened
        if opened.id in self.enforcer.held_sessions:
            self.enforcer.held_sessions.discard(opened.id)
            self._release_quietly(opened.id)

    def find_session(self) -> Session:
        """The session of this context, else that of the activity at hand; without an id in a raw thread.

        See `halo_core.enforcement.activities` for what an activity is. No session is shared by a process.
        """
        session = current_session()
        if session is not None:
            return session
        if is_raw_thread():
            # INVARIANT: FAILCLOSED - it may work for anybody's request, so it shares no session with others.
            self.notify_once(
                "a thread that you start yourself has no session, and its actions are denied in enforce mode"
            )
            return NO_SESSION
        activity = current_activity()
        # INVARIANT: SUB - a run inside of an agent that was handed to has no session in which that agent is the first.
        delegation_session = current_delegation_session(self.agent)
        if delegation_session is not None:
            return Session(delegation_session, activity.source)
        session_id = activity.get_session_id(self, partial(self._make_activity_session_id, activity.source))
        return Session(session_id, activity.source)

    def _make_activity_session_id(self, source: str) -> str:
        if source == "run":
            return self.make_run_session_id()
        self.notify_once(
            "no session around this call: what this task or thread does in this context is one; open one with "
            "`with halo.session(user=...)` where a request begins"
        )
        return f"call-{self._ids.new_short_id()}"

    # held acts

    def register_runner(self, resource: Resource, function: Callable[..., Any] | None) -> None:
        """Note the function of a tool that can wait, so that its held acts can be run; others pause.

        Args:
            resource: as registered.
            function: of plain values, by name; None where there is none.
        """
        if not resource.can_wait:
            return
        runner = Runner.for_function(function)
        if runner is None:
            self.notify_once(f"`{resource.id}` cannot be held: its function takes more than plain values by name")
            return
        self._runners[resource.id] = runner
        hold_for_s = self._find_terms(self.agent).hold_for_s
        self.notify_once(f"`{resource.id}` can wait: it is held for an answer up to {hold_for_s // 3600} h (hold_for)")
        self._release_due = True

    def release(self, session: str = "") -> list[ReleasedAct]:
        """Run the held acts that were answered with yes, once, after deciding each again.

        Args:
            session: only those of this session; empty for all whose tool this process has.

        Raises:
            ConfigError: `loop_running`, an event loop runs in this thread.
            CannotDecide: the store cannot be used.
        """
        require_no_loop()
        released: list[ReleasedAct] = drive(self._release_steps(session))
        return released

    async def arelease(self, session: str = "") -> list[ReleasedAct]:
        """As `release`, without blocking the event loop."""
        released: list[ReleasedAct] = await adrive(self._release_steps(session))
        return released

    def _release_steps(self, session: str) -> Steps[list[ReleasedAct]]:
        self._release_due = False
        return release_steps(self.enforcer, self._runners, self.find_registered, session or None)

    def _release_quietly(self, session: str) -> None:
        """Release what was answered, where nothing else waits for it; problems are logged."""
        try:
            if not is_loop_running():
                self.release(session)
        except HaloError as exc:
            _LOG.warning("held acts were not released: %s", exc, extra={"halo_event": "not_released"})

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

    # what adapters ask of it

    def find_acting_agent(self) -> str:
        """The agent that acts in this context: this Halo's, or the receiver of a hand-off."""
        delegation = current_delegation(self.agent, self.find_session().id)
        return delegation.agents[-1] if delegation is not None else self.agent

    def notify_once(self, text: str) -> None:
        """Log a notice for whoever runs this, once; nothing under `quiet`."""
        if not self._quiet and text not in self._notices:
            self._notices.add(text)
            _LOG.warning(
                "%s", text, extra={"halo_event": "notice", "halo_agent": self.agent, "halo_tenant": self.store.tenant}
            )

    def make_run_session_id(self) -> str:
        """A fresh id for the session of one run of an agent."""
        return f"run-{self._ids.new_short_id()}"

    def get_argument_defaults(self, name: str) -> dict[str, Any]:
        """Defaults of a registered resource's arguments, by its schema."""
        registered = self._registry.get(name)
        properties = registered.schema.get("properties", {}) if registered else {}
        return {key: spec["default"] for key, spec in properties.items() if "default" in spec}

    # registering and calling

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
        hints: ServerHints = NO_HINTS,
    ) -> Resource:
        """Register a tool, retriever, model or agent; what was not declared is guessed, with a notice.

        Args:
            kind: the action kind that reaches it.
            name: its id where the declaration has none.
            resource: its declaration; None takes the manifest's, or guesses.
            description: as the model reads it.
            schema: JSON schema of its arguments.
            hints: what its server says of it; they can only raise a guess.

        Raises:
            ConfigError: the id is taken by another kind.
        """
        if resource is None:
            resource = self.find_declared(name, kind)
        argument_schema = dict(schema or {})
        _check_arguments(name, resource, argument_schema)
        guess = guess_tool(name, description, argument_schema, hints)
        arguments = sorted(argument_schema.get("properties", {}))
        completed = complete_resource(resource, guess, kind=kind, name=name, arguments=arguments)
        why = ""
        if completed.classified != "declared" and kind is ActionKind.TOOL_CALL:
            why = guess.why
            where = f", target {', '.join(completed.targets)}" if completed.targets else ""
            where += f", amount {completed.amount}" if completed.amount else ""
            self.notify_once(
                f"`{completed.id}` classified as {completed.impact.value} ({completed.classified}{where}): {why}; "
                "`halo enforce` asks you about it, or declare it with resource=Resource(impact=..., targets=...)"
            )
        return self._registry.add(RegisteredResource(completed, argument_schema, why))

    def register_tool(
        self,
        name: str,
        resource: Resource | None,
        description: str,
        schema: Mapping[str, Any],
        hints: ServerHints = NO_HINTS,
    ) -> Resource:
        """Register a tool as what it was said or declared to be: a tool call, or a retrieval; arguments as `register`.

        Raises:
            ConfigError: its name can name no resource, or belongs to one of another kind.
        """
        resource_id = choose_resource_id(resource, name)
        resource = resource or self.find_declared(resource_id, *TOOL_KINDS)
        kind = resource.kind if resource is not None and resource.kind in TOOL_KINDS else ActionKind.TOOL_CALL
        return self.register(kind, resource_id, resource=resource, description=description, schema=schema, hints=hints)

    def register_model(self, name: str, resource: Resource | None) -> Resource:
        """Register a model; raises as `register_tool`."""
        resource_id = choose_resource_id(resource, name)
        declared = resource or self.find_declared(resource_id, ActionKind.INFERENCE) or MODEL_RESOURCE
        return self.register(ActionKind.INFERENCE, resource_id, resource=declared, schema=MODEL_SCHEMA)

    def find_declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """The manifest's declaration of a name, under the first of these kinds that it has.

        That is the manifest which the agent's passport was issued from; `agents.yaml` in the home until one was.
        """
        manifest = self._declarations.current()
        if manifest is None:
            return None
        return next((resource for kind in kinds if (resource := manifest.find_resource(name, kind)) is not None), None)

    def _find_known_resource(self, name: str) -> Resource | None:
        """The resource of a tool, as it was registered or declared; a declaration alone registers nothing."""
        registered = self.find_registered(name)
        if registered is not None:
            return registered
        with suppress(HaloError):  # two patterns of the manifest apply equally
            declared = self.find_declared(name, ActionKind.TOOL_CALL)
            return None if declared is None else replace(declared, id=name, source_trust=declared.trust)
        return None

    def find_registered(self, name: str) -> Resource | None:
        """The registration of a resource id."""
        registered = self._registry.get(name)
        return registered.resource if registered else None

    def get_argument_names(self, name: str) -> list[str] | None:
        """Names of the arguments that a registered resource takes; None of one that is not registered."""
        registered = self._registry.get(name)
        return registered.argument_names() if registered else None

    def may_restrict_output(self, kind: ActionKind) -> bool:
        """Whether a policy could restrict what actions of a kind return; True if unsure.

        Of the policy as it was last read, by the heads of its rules alone: whether one does, only a decision says
        (`Ticket.holds_output`).
        """
        return self._agent_credentials.may_restrict_output(kind, self._registry)

    def build_call(
        self,
        resource: Resource,
        args: Mapping[str, Any],
        *,
        call_id: str = "",
        problem: str = "",
        abilities: tuple[str, ...] = ABILITIES,
        shown_texts: tuple[tuple[str, Any], ...] = (),
        history: tuple[HistoryItem, ...] = (),
    ) -> Call:
        """A call in this context: session and asking message are taken from the context variables."""
        session = self.find_session()
        message = current_triggering_message() or TriggeringMessage()
        delegation = current_delegation(self.agent, session.id)
        run = current_run_activity() if message.turn else None
        return Call(
            resource=resource,
            args=args,
            session=session.id,
            session_source=session.source,
            user=session.user,
            turn=message.turn,
            call_id=call_id or message.call_id,
            trigger=message.kind,
            trigger_text=message.text,
            request=session.request,
            shown_texts=shown_texts,
            history=history,
            vouches_history=session.vouches_history,
            problem=problem,
            abilities=(*abilities, "hold") if self._can_hold(resource, args, abilities) else abilities,
            acting_handle=delegation.handle if delegation is not None else "",
            agents=delegation.agents if delegation is not None else (),
            trace_id=self.find_trace_id(),
            answer_requests=run.find_answer_requests(message.turn) if run is not None else None,
            began_us=find_began_us(self.store.clock),
        )

    def find_trace_id(self) -> str:
        """Id of the trace that a call belongs to, 32 lowercase hex digits; empty for none."""
        return read_trace_id()

    def _can_hold(self, resource: Resource, args: Mapping[str, Any], abilities: tuple[str, ...]) -> bool:
        if not resource.can_wait or "pause" not in abilities:
            return False
        runner = self._runners.get(resource.id)
        return runner is not None and runner.accepts(args)


def _check_arguments(name: str, resource: Resource | None, schema: Mapping[str, Any]) -> None:
    """Refuse a target, an amount or a program that names no argument of the tool."""
    arguments = schema.get("properties")
    if resource is None or not arguments or schema.get("additionalProperties"):
        return
    references = [("targets", argument) for argument in resource.targets]
    references += [("amount", resource.amount)] if resource.amount else []
    references += [("programs", argument) for argument, _ in resource.programs]
    for field, argument in references:
        if argument not in arguments:
            similar = get_close_matches(argument, arguments, 1)
            hint = f"did you mean `{similar[0]}`" if similar else f"its arguments are {', '.join(sorted(arguments))}"
            raise ConfigError("no_such_argument", f"`{name}` has no argument `{argument}`", field=field, remedy=hint)
