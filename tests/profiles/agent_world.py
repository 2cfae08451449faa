"""Made-up agents with varied ordinary work, and what a rogue one does, as behaviour events.

Nothing here is tuned to the package: counts are heavy-tailed, days differ, tools are rare, months end.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import summarize_session
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject
from halo_core.behaviour.limits import SHIPPED_PRIOR, RolePrior
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
START_US = 19_700 * DAY_US


@dataclass
class Desk:
    """One kind of work.

    Args:
        name: of the desk.
        reads: tools that read, with their system and labels.
        acts: tools that act, with their system and impact.
        cases: mean number of cases in a session.
        spread: how heavy the tail of a session's size is (1 is regular).
        per_case: least and most reads of a case.
        unrelated: share of objects that the request has nothing to do with.
        new_outside: share of sends that go to an address outside that nobody vouched for.
        hosts: number of hosts; 0 is a new one each day.
        hours: of work.
        amount: median of payments, and how far they spread.
        failing: share of actions that fail.
        refused: share of actions that are denied.
        act_share: half the share of cases with an act.
        principals: number of people it acts for.
        month_end: how many times more cases there are at the end of a month.
        text: least and most bytes of a message.
    """

    name: str
    reads: tuple[tuple[str, str, tuple[str, ...]], ...]
    acts: tuple[tuple[str, str, str], ...]
    cases: float = 2.0
    spread: float = 1.0
    per_case: tuple[int, int] = (1, 4)
    unrelated: float = 0.1
    new_outside: float = 0.02
    hosts: int = 1
    hours: tuple[int, int] = (8, 18)
    amount: tuple[float, float] = (0.0, 0.0)
    failing: float = 0.03
    refused: float = 0.01
    act_share: float = 0.4
    principals: int = 5
    month_end: float = 2.0
    text: tuple[int, int] = (200, 1500)


DESKS = (
    Desk(
        "clerk",
        (("read_application", "crm", ("pii",)), ("read_rate", "rates", ()), ("read_mail", "mail", ())),
        (("send_letter", "mail", "send"), ("transfer", "bank", "payment"), ("note", "crm", "write")),
        cases=1.5,
        amount=(300.0, 0.8),
        new_outside=0.01,
    ),
    Desk(
        "researcher",
        (("search", "web", ()), ("open_page", "web", ()), ("read_note", "notes", ())),
        (("write_note", "notes", "write"),),
        cases=4,
        spread=1.6,
        unrelated=0.4,
        act_share=0.15,
        hosts=0,
        hours=(0, 24),
    ),
    Desk(
        "bulk",
        (("read_row", "warehouse", ("pii",)), ("list_rows", "warehouse", ())),
        (("update_row", "warehouse", "write"),),
        cases=14,
        spread=0.5,
        per_case=(1, 2),
        unrelated=0.02,
        principals=1,
    ),
    Desk(
        "support",
        (("read_ticket", "desk", ("pii",)), ("search_help", "help", ())),
        (("reply", "mail", "send"), ("close", "desk", "write"), ("refund", "bank", "payment")),
        cases=3,
        spread=1.2,
        new_outside=0.8,
        amount=(40.0, 1.0),
        failing=0.08,
    ),
    Desk(
        "operator",
        (("read_log", "cloud", ()), ("list_hosts", "cloud", ()), ("read_secret", "vault", ("secret",))),
        (("restart", "cloud", "admin"), ("run_command", "cloud", "execute"), ("remove_host", "cloud", "delete")),
        cases=2,
        spread=1.4,
        failing=0.15,
        refused=0.05,
        hosts=4,
        hours=(0, 24),
    ),
)


@dataclass
class World:
    """One agent of a desk, with its own habits drawn once."""

    desk: Desk
    seed: int
    sessions_per_day: float = 3.0
    random: random.Random = field(init=False)
    day: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(f"{self.desk.name}:{self.seed}")
        r = self.random
        self.cases = self.desk.cases * r.uniform(0.6, 1.6)
        self.rare = [(f"rare_{at}", "crm" if at % 2 else self.desk.reads[0][1], ()) for at in range(4)]
        self.known_places = [r.getrandbits(60) for _ in range(12)]
        self.left_today = 0

    def next_session(self) -> tuple[int, str]:
        """Start time and principal of the next session."""
        r = self.random
        if self.left_today <= 0:
            self.day += 1
            self.left_today = max(1, round(r.expovariate(1 / self.sessions_per_day)))
        self.left_today -= 1
        low, high = self.desk.hours
        hour = r.uniform(low, high) if r.random() > 0.02 else r.uniform(0, 24)
        start = START_US + self.day * DAY_US + int(hour * HOUR_US)
        return start, f"user{r.randrange(self.desk.principals)}"

    def size(self) -> int:
        """Cases of an ordinary session."""
        r, spread = self.random, self.desk.spread
        mean = self.cases
        if self.day % 30 >= 28:
            mean *= self.desk.month_end
        if r.random() < 0.04:
            mean *= 2.5  # a busy day
        return max(1, round(r.lognormvariate(0, 0.55 * spread) * mean))

    def ordinary(self) -> list[BehaviourEvent]:
        """Events of an ordinary session."""
        r, desk = self.random, self.desk
        at, principal = self.next_session()
        request = r.randrange(12) + 1
        host = f"host-{self.day}" if not desk.hosts else f"host-{r.randrange(desk.hosts)}"
        events = []
        for _ in range(self.size()):
            own = r.getrandbits(60)
            for _ in range(r.randint(*desk.per_case)):
                at += int(r.expovariate(1 / 8e6))
                tool, system, labels = r.choice(desk.reads) if r.random() > 0.01 else r.choice(self.rare)
                related = r.random() >= desk.unrelated
                number = own if related and r.random() < 0.6 else r.getrandbits(60)
                events.append(
                    self.event(
                        at,
                        principal,
                        host,
                        request,
                        tool,
                        system,
                        "read",
                        labels,
                        objects=(TouchedObject(number, related, r.random() < 0.2),),
                    )
                )
            if r.random() < desk.act_share * 2:
                at += int(r.expovariate(1 / 8e6))
                tool, system, impact = r.choice(desk.acts)
                places, out, amount = (), 0, None
                if impact == "send":
                    new = r.random() < desk.new_outside
                    place = r.getrandbits(60) if new else r.choice(self.known_places)
                    places, out = (Destination(place, not new and r.random() < 0.5, not new),), r.randint(*desk.text)
                if impact == "payment":
                    amount = int(r.lognormvariate(0, desk.amount[1]) * desk.amount[0]) * 10_000
                events.append(
                    self.event(
                        at,
                        principal,
                        host,
                        request,
                        tool,
                        system,
                        impact,
                        (),
                        objects=(TouchedObject(own, True, True),),
                        destinations=places,
                        bytes_out=out,
                        amount=amount,
                        unit="EUR" if amount else "",
                    )
                )
        return events

    def event(self, at, principal, host, request, tool, system, impact, labels, **more) -> BehaviourEvent:
        return BehaviourEvent(
            tool=tool,
            impact=impact,
            system=system,
            labels=labels,
            ts_us=at,
            host=host,
            process="agent",
            principal=principal,
            request=request,
            resource=tool,
            session_risk=int(self.random.expovariate(1 / 40)),
            **more,
        )

    def draw_outcome(self, event: BehaviourEvent) -> dict[str, object]:
        """What becomes of an action."""
        r = self.random
        return {
            "failed": r.random() < self.desk.failing,
            "refused": r.random() < self.desk.refused,
            "result_bytes": r.randint(100, 3000),
            "labels": event.labels,
        }


@dataclass
class Ran:
    """What a session came to: its tally, the first action asked about, and the actions that ran."""

    tally: SessionTally
    stopped_at: int | None
    ran: set[int]


@dataclass
class Store:
    """The profiles that sessions read and move."""

    profile: IdentityProfile = NEW_PROFILE
    tenant: TenantProfile = field(default_factory=TenantProfile)
    prior: RolePrior = SHIPPED_PRIOR
    count: int = 0

    def run(
        self, world: World, events: list[BehaviourEvent], *, answers: bool = True, refused: Iterable[int] = ()
    ) -> Ran:
        """Run a session.

        Args:
            world: draws what becomes of its actions.
            events: its actions.
            answers: a person says yes to what it asks; else nothing runs that is asked about.
            refused: actions that something else denies.
        """
        tally, stopped, ran = SessionTally(), None, set()
        for at, event in enumerate(events):
            after = tally.advance(event)
            found = assess(self.profile, after, event, prior=self.prior, tenant=self.tenant)
            is_asked = found.volume >= 1000 or (found.drift >= 1000 and event.impact != "read")
            if is_asked and stopped is None:
                stopped = at
            runs = (answers or not is_asked) and at not in refused
            tally = after if runs else tally
            if found.is_notable:
                tally = tally.with_findings(found)
            for axis in found.alarms if is_asked and answers else ():
                tally = tally.with_allowance(axis.id)
            if runs:
                ran.add(at)
                tally = tally.with_outcome(**world.draw_outcome(event))
            elif at in refused:
                tally = tally.with_outcome(refused=True)
        return Ran(tally, stopped, ran)

    def fold(self, ran: Ran, *, cleared: bool = True) -> None:
        """Fold a session; `cleared`: a person found its alarms ordinary."""
        self.count += 1
        summary = summarize_session(f"s{self.count}", ran.tally, cleared=cleared)
        self.profile = self.profile.fold(ran.tally, verdict=summary.verdict, summary=summary)
        self.tenant = self.tenant.fold(ran.tally, verdict=summary.verdict)


def learn(world: World, sessions: int = 150) -> Store:
    """A store after so many ordinary sessions."""
    store = Store()
    for _ in range(sessions):
        ran = store.run(world, world.ordinary())
        store.fold(ran)
    return store
