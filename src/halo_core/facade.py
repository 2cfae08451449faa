"""Room: the facade, what the adapters' `Halo` stands on. Takes: an agent's name. Gives: an enforcer with credentials.

`local()` needs no ceremony: keys, starter policy, store and a passport with grants from the guarded tools are made on
the spot (assurance `dev`, said loudly). Never: decides; knows a framework.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self

from halo_core.classify import complete
from halo_core.clock import Clock, SystemClock
from halo_core.errors import ConfigError
from halo_core.handing import HandingOff, HandOff
from halo_core.home import Declarations, default_home, default_url, here, parse_mode
from halo_core.ids import IdSource, RandomIds
from halo_core.keys import Digester, KeyStore
from halo_core.model import ActionKind, Constraint, Mode, Principal, Resource
from halo_core.pep import ABILITIES, Call, Enforcer, Preparer
from halo_core.pep.handoff import Terms
from halo_core.redact import Redactor
from halo_core.registry import Registered, Registry
from halo_core.session import (
    Session,
    begin_lineage,
    current_acting,
    current_asking,
    current_session,
    in_session,
    inside_agent,
    is_raw_thread,
)
from halo_core.sightings import Sightings
from halo_core.standing import Limits, Standing
from halo_core.stopfiles import StopFiles
from halo_core.store import Store, StoreConfig

__all__ = ["HaloBase", "HandOff", "Limits", "default_home", "default_url"]


class HaloBase(HandingOff):
    """One agent, governed. Adapters add `guard` and the framework's hooks.

    Attributes:
        agent: the acting agent's id.
        enforcer: the one enforcement point.
    """

    framework = ""

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
    ) -> None:
        self.agent = agent
        self.home = home
        self._quiet = quiet
        self._ids = ids
        self._process_session = ""
        self._said: set[str] = set()
        self._lock = threading.Lock()
        keys = KeyStore(home)
        digester = self._digester = Digester(keys.secret("digest"))
        self.store = Store(StoreConfig(url, home, tenant, "dev", deadline_s), keys, clock=clock, ids=ids)
        self._sightings = Sightings(self.store, agent, self.framework)
        self._entered = {}
        self._registry = Registry()
        self._standing = Standing(
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
                principal=Principal(tenant, agent, user, "asserted", (user, agent) if user else (agent,)),
                origin=here(self.framework),
                assurance="dev",
                digester=digester,
                redactor=Redactor(digester),
                sketch_key=keys.secret("sketch"),
                fresh_id=ids.short,
            ),
            digester,
            lambda: self._standing.current(self._registry),
            mode,
            ready=lambda: self._standing.ready(self._registry),
            stops=lambda: stops.read(tenant),
        )
        self._mode = mode
        self._declarations = Declarations(self.store, home, agent)

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
        clock: Clock | None = None,
        ids: IdSource | None = None,
    ) -> Self:
        """Open Halo in this process, over SQLite in `.halo/`, with keys made on the spot (assurance `dev`).

        Args:
            agent: the acting agent's id.
            user: whom it acts for, as you assert it; recorded, and grants nothing by itself.
            mode: `observe` or `enforce`; None follows the mode stored beside the database (initially observe).
            tenant: whose log.
            home: folder of keys, policy and anchor (default `HALO_HOME`, else `.halo`).
            db: SQLAlchemy URL (default SQLite in `home`).
            grants: exact grants by resource id; None grants what is guarded.
            policy: folder of Cedar files (default `home`/policy, filled with the starter policy).
            limits: budgets, decay and quotas of the passport that is made from what is guarded; generous by default.
                An issued passport (`halo passport issue`) brings its own.
            quiet: say nothing on stderr.
            deadline_s: how long a decision may wait for the ledger, seconds.
            clock: source of time.
            ids: source of ids.

        Raises:
            ConfigError: a parameter is wrong.
            PolicyError: the policy does not parse.
            CannotDecide: the store cannot be used.
        """
        if not agent or len(agent) > 200 or not agent.isprintable():
            raise ConfigError("bad_agent", "an agent needs a printable name of at most 200 characters", field="agent")
        chosen = parse_mode(mode)
        if policy is not None and not Path(policy).exists():
            raise ConfigError(
                "no_policy", f"there is no folder `{policy}`", field="policy", remedy="make it, or leave `policy` out"
            )
        folder = Path(home) if home is not None else default_home()
        halo = cls(
            agent=agent,
            user=user,
            tenant=tenant,
            home=folder,
            url=db or default_url(folder),
            mode=chosen,
            grants=grants,
            policy=Path(policy) if policy is not None else None,
            clock=clock or SystemClock(),
            ids=ids or RandomIds(),
            quiet=quiet,
            deadline_s=deadline_s,
            limits=limits,
        )
        halo.store.open()
        halo._standing.check_policy()
        halo._declarations.refresh()
        begin_lineage()
        halo._announce()
        return halo

    def _announce(self) -> None:
        mode = self.mode
        acts = "actions RUN whatever is decided" if mode is Mode.OBSERVE else "what is denied does not run"
        self._say(f"{mode.value} mode: {acts}; assurance dev: keys in {self.home}, made on this machine")

    def _say(self, text: str) -> None:
        if not self._quiet and text not in self._said:
            self._said.add(text)
            sys.stderr.write(f"halo: {text}\n")

    @property
    def mode(self) -> Mode:
        """The mode in force now."""
        return self._mode or self.store.commit(lambda tx: tx.control()).mode

    def close(self) -> None:
        """Write what is queued and close the ledger."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    # sessions

    @contextmanager
    def session(self, id: str = "", *, user: str = "", request: str = "") -> Iterator[Session]:  # noqa: A002  the word users expect
        """Open a session where a request begins.

        Args:
            id: its id; empty makes one.
            user: whom the agent acts for in this session, as asserted.
            request: the user's own words; values in them count as the user's.

        Raises:
            ConfigError: one of them is not text, or an agent that acts under a link in another session is at work here.
        """
        for field, value in (("id", id), ("user", user), ("request", request)):
            if not isinstance(value, str):
                raise ConfigError(
                    "bad_session", f"`{field}` is a {type(value).__name__}, not text", field=field, remedy="pass a str"
                )
        under = inside_agent()
        if under is not None and under != id:
            # INVARIANT: SUB - in a session of its own an agent would act with all that the facade's has.
            raise ConfigError(
                "session_inside_agent",
                "an agent that was handed to opens no session of its own",
                field="id",
                remedy="open sessions where a request begins; what runs here belongs to the session at hand",
            )
        with in_session(Session(id or f"s-{self._ids.short()}", "host", user, request)) as opened:
            yield opened

    def find_session(self) -> Session:
        """The session of this context, else the process's own (said once); one without an id in a raw thread."""
        found = current_session()
        if found is not None:
            return found
        if is_raw_thread():
            # INVARIANT: FAILCLOSED - it may work for anybody's request, so it shares no session with others.
            self._say("a thread of its own has no session, and what it asks for is refused in enforce mode")
            return Session("", "none")
        with self._lock:
            if not self._process_session:
                self._process_session = f"process-{self._ids.short()}"
                self._say(
                    "no session around this call: one per process is used; open one with "
                    "`with halo.session(user=...)` where a request begins"
                )
        return Session(self._process_session, "process")

    # what runs beside Halo

    def sighted(self, kind: str, name: str, where: str, *, refused: bool = False) -> None:
        """Note something that runs without a guard; written with the next commit, or within 50 ms.

        Each is noted once for a process, and at most 1,000 of them are; what runs is said on stderr too. Waits for no
        disk.

        Args:
            kind: what it is: `tool`, `retriever`, `model`, `agent`.
            name: its name.
            where: where it was seen, for people.
            refused: whether it was kept from running, for want of a guard.
        """
        said = self._sightings.note(kind, name, where, refused=refused)
        if said:
            self._say(said)

    def word(self, text: str) -> str:
        """A word that only this home can make: its keyed digest, to be recognised where others can write too."""
        return self._digester.digest("halo/word", text.encode())

    # what adapters ask of it

    @functools.cached_property
    def terms(self) -> Terms:
        """How much each agent that is handed to is given."""
        return Terms()

    def acting_agent(self) -> str:
        """Who acts in this context: this Halo's agent, or whom it, or one below it, handed off to."""
        under = current_acting(self.agent, self.find_session().id)
        return under.agents[-1] if under is not None else self.agent

    def tell(self, text: str) -> None:
        """Say something to whoever runs this, once, on stderr."""
        self._say(text)

    def run_session(self) -> str:
        """A fresh id for the session of one run of an agent."""
        return f"run-{self._ids.short()}"

    def argument_defaults(self, name: str) -> dict[str, Any]:
        """What the schema of a registered resource gives to arguments that a call leaves out."""
        found = self._registry.get(name)
        properties = found.schema.get("properties", {}) if found else {}
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
    ) -> Resource:
        """Register a tool, retriever, model or agent; what was not declared is guessed and said.

        Raises:
            ConfigError: the id is taken by another kind.
        """
        if resource is None:
            resource = self.declared(name, kind)
        known = dict(schema or {})
        _check_arguments(name, resource, known)
        full = complete(
            resource, kind=kind, name=name, description=description, arguments=sorted(known.get("properties", {}))
        )
        if full.classified != "declared" and kind is ActionKind.TOOL_CALL:
            where = f", target {', '.join(full.targets)}" if full.targets else ""
            where += f", amount {full.amount}" if full.amount else ""
            self._say(
                f"`{full.id}` classified as {full.impact.value} ({full.classified}{where}); "
                "declare it with resource=Resource(impact=..., targets=...)"
            )
        return self._registry.add(Registered(full, known))

    def declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """What the manifest says of a name, under the first of these kinds that it declares it as.

        That is the manifest which the agent's passport was issued from; `agents.yaml` in the home until one was.
        """
        manifest = self._declarations.current()
        if manifest is None:
            return None
        return next((found for kind in kinds if (found := manifest.resource(name, kind)) is not None), None)

    def registered(self, name: str) -> Resource | None:
        """The registration of a resource id."""
        found = self._registry.get(name)
        return found.resource if found else None

    def arguments(self, name: str) -> list[str] | None:
        """Names of the arguments that a registered resource takes; None of one that is not registered."""
        found = self._registry.get(name)
        return found.arguments() if found else None

    def may_restrict_output(self, kind: ActionKind) -> bool:
        """Whether some policy could ask to narrow or hold back what actions of a kind return; True where in doubt.

        Of the policy as it was last read, by the heads of its rules alone: whether one does, only a decision says
        (`Ticket.holds_output`).
        """
        return self._standing.may_restrict_output(kind, self._registry)

    def call(
        self,
        resource: Resource,
        args: Mapping[str, Any],
        *,
        call_id: str = "",
        problem: str = "",
        abilities: tuple[str, ...] = ABILITIES,
        seen: tuple[tuple[str, Any], ...] = (),
    ) -> Call:
        """A call in this context: session and asking message are taken from the context variables."""
        session = self.find_session()
        asked = current_asking()
        call = Call(
            resource=resource,
            args=args,
            session=session.id,
            session_source=session.source,
            user=session.user,
            call_id=call_id,
            problem=problem,
            abilities=abilities,
            request=session.request,
            seen=seen,
        )
        under = current_acting(self.agent, session.id)
        if under is not None:
            call = replace(call, acting=under.handle, agents=under.agents)
        if asked is None:
            return call
        return replace(
            call,
            turn=asked.turn,
            call_id=call_id or asked.call_id,
            trigger=asked.kind,
            trigger_text=asked.text,
        )


def _check_arguments(name: str, resource: Resource | None, schema: Mapping[str, Any]) -> None:
    """A target or an amount that no argument is called would never be looked at."""
    arguments = schema.get("properties")
    if resource is None or not arguments or schema.get("additionalProperties"):
        return
    told = [("targets", word) for word in resource.targets] + [("amount", resource.amount)] * bool(resource.amount)
    for field, word in told:
        if word not in arguments:
            close = get_close_matches(word, arguments, 1)
            hint = f"did you mean `{close[0]}`" if close else f"its arguments are {', '.join(sorted(arguments))}"
            raise ConfigError("no_such_argument", f"`{name}` has no argument `{word}`", field=field, remedy=hint)
