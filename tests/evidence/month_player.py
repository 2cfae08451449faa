"""The days of the seeded month: agents at work on guarded tools, people who answer, and acts of control."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from month_desk import (
    ADMIN,
    APPROVERS,
    ARCHIVE,
    AUDITOR,
    AUTHOR,
    COLLECTIONS,
    DAILY_QUOTA,
    DEPLOYER,
    DESK,
    GRANTED,
    LABELS,
    LARGE,
    LARGE_LATER,
    POLICY,
    RESEARCH,
    SCHEMAS,
    USERS,
    Customer,
    RawNotes,
    Systems,
    write_manifest,
)

from halo_core import os_user
from halo_core.cli.main import run as run_command
from halo_core.clock import SystemClock
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.model_inputs import Message, ModelInput
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Actor

MIN_DAYS: Final = 5
_US: Final = 1_000_000
_HOUR_S: Final = 3600
_SURFACE: Final[Surface[str]] = Surface(text=str)
_ANSWERS: Final = ("yes", "no", "late", "yes", "never", "yes", "yes")
"""What becomes of one question after the other."""
_SYSTEM_PROMPT: Final = "You are the loan desk of Example Bank. Answer briefly."


class MonthClock:
    """The month's wall clock, which moves only when told to, beside the monotonic clock of the process."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """Wall clock, microseconds since the epoch."""
        return self._now_us

    def mono_us(self) -> int:
        """Monotonic clock, for deadlines of the process."""
        return time.monotonic_ns() // 1000

    def move_to(self, now_us: int) -> None:
        """Move forward; an earlier time leaves the clock as it is."""
        self._now_us = max(self._now_us, now_us)

    def advance_s(self, seconds: float) -> None:
        """Move forward by seconds."""
        self._now_us += round(seconds * _US)


@contextlib.contextmanager
def at_time(clock: MonthClock, account: str = ADMIN) -> Iterator[None]:
    """Everything in this process reads the month's clock and runs as an account of the month."""
    with (
        patch.object(SystemClock, "now_us", lambda _: clock.now_us()),
        patch.object(os_user, "_describe", lambda _: Actor(account, "os-user")),
    ):
        yield


@dataclass(slots=True)
class Month:
    """What was played.

    Args:
        folder: of all its files.
        clock: stands at its end.
        notes: what happened.
        customers: of the bank.
        days: the working days, as (year, month, day).
        gaps: what was planted.
        url: of the database.
    """

    folder: Path
    clock: MonthClock
    notes: RawNotes
    customers: tuple[Customer, ...]
    days: tuple[datetime, ...]
    gaps: frozenset[str]
    url: str
    rng: random.Random = field(default_factory=random.Random)
    systems: Systems | None = None

    @property
    def home(self) -> Path:
        """Folder of keys, policy, manifest and (with SQLite) the ledger."""
        return self.folder / "home"

    @property
    def people(self) -> Path:
        """Folder of the keys of approvers."""
        return self.folder / "people"

    @property
    def start(self) -> str:
        """The first instant of the month, ISO."""
        return self.days[0].date().isoformat()

    @property
    def end(self) -> str:
        """The first instant after the month, ISO."""
        return (self.days[-1] + timedelta(days=1)).date().isoformat()

    def copy(self, folder: Path) -> Month:
        """The same month with copies of its files in a new folder, where others go on; of SQLite only."""
        shutil.copytree(self.folder, folder)
        copied = copy.deepcopy(self)
        copied.folder, copied.url = folder, f"sqlite:///{folder / 'home' / 'halo.db'}"
        return copied

    def halo(self, *argv: str, account: str = ADMIN) -> tuple[int, str]:
        """Run `halo` in this process at the month's present time; exit code, and all that it printed."""
        out = io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)
        store = () if self.url.startswith("sqlite") else ("--db", self.url)
        with at_time(self.clock, account), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = run_command([*argv, "--home", str(self.home), *store])
        out.flush()
        return int(code), out.buffer.getvalue().decode()  # type: ignore[attr-defined]

    def must(self, *argv: str, account: str = ADMIN) -> str:
        """As `halo`, for what has to work."""
        code, said = self.halo(*argv, account=account)
        if code:
            raise RuntimeError(f"halo {' '.join(argv)}: {code} {said[-800:]}")
        return said


class Player:
    """Plays the days of a month: agents at work, people who answer, and acts of control.

    Args:
        month: it.
    """

    def __init__(self, month: Month) -> None:
        self.month = month
        self.clock, self.notes, self.rng = month.clock, month.notes, month.rng
        self.systems = month.systems or Systems(month.notes, month.customers)
        self._facades: dict[str, HaloBase] = {}
        self._sessions = 0
        self._asked = 0
        self._warned: set[tuple[str, int]] = set()
        self._day = -1
        self.late_questions: list[tuple[int, str]] = []

    # the application

    def facade(self, agent: str) -> HaloBase:
        """The agent's process: opened at its first action of the day."""
        if agent not in self._facades:
            with at_time(self.clock, DEPLOYER):
                halo = HaloBase.local(
                    agent, home=self.month.home, db=self.month.url, quiet=True, clock=self.clock, deadline_s=30.0
                )
                for tool in SCHEMAS:
                    schema = {"type": "object", "properties": {k: {"type": v} for k, v in SCHEMAS[tool].items()}}
                    halo.register(ActionKind.TOOL_CALL, tool, schema=schema)
                halo.register_model("desk-gpt", None)
            self._facades[agent] = halo
        return self._facades[agent]

    def close_facades(self) -> None:
        """End the processes of the day."""
        with at_time(self.clock, DEPLOYER):
            for halo in self._facades.values():
                halo.close()
        self._facades.clear()

    @contextlib.contextmanager
    def session(self, agent: str, user: str, request: str = "") -> Iterator[str]:
        """A session of an agent for a person; its name."""
        self._sessions += 1
        name = f"{agent}-{self._sessions:04d}"
        self.notes.add("session", agent=agent, user=user, session=name)
        with at_time(self.clock, DEPLOYER), self.facade(agent).session(name, user=user, request=request):
            yield name

    def call(self, session: str, tool: str, *, agent: str = "", by: str = "", user: str = "", **args: Any) -> str:
        """One action: what was tried, and what came of it, is noted. `ran`, or the code of the refusal.

        Args:
            session: its name.
            tool: what is called; `desk-gpt` is the model.
            agent: whose process.
            by: the agent that acts, where another one handed off to it.
            user: for whom.
            args: of the tool.
        """
        self.clock.advance_s(self.rng.randint(5, 90))
        acting = by or agent
        row = self.notes.add("attempt", agent=acting, user=user, session=session, tool=tool, args=dict(args))
        row |= {"labels": list(LABELS.get(tool, ())), "came": "ran", "code": "", "question": ""}
        halo = self.facade(agent)
        self.systems.acting = (acting, session, user)
        resource = halo.find_registered(tool)
        if resource is None:
            raise LookupError(tool)
        with at_time(self.clock, DEPLOYER):
            try:
                if tool == "desk-gpt":
                    halo.enforcer.run(self._build_model_call(halo, resource, args), self._answer_model, _SURFACE)
                else:
                    call = replace(halo.build_call(resource, args), network="10.7.0.12")
                    halo.enforcer.run(call, lambda decided: self.systems.run(tool, decided), _SURFACE)
            except Pending as exc:
                row |= {"came": "asked", "question": exc.pending_id}
            except Denied as exc:
                row |= {"came": "denied", "code": exc.reason}
            halo.store.flush()
        if tool == "pay_out" and row["came"] == "ran":
            self._note_quota_alert(user)
        return str(row["code"] or row["came"])

    def _build_model_call(self, halo: HaloBase, resource: Any, args: Mapping[str, Any]) -> Any:
        model = ModelInput(
            messages=[Message("system", _SYSTEM_PROMPT), Message("user", f"{args.get('prompt', '')} {self._sessions}")],
            system=_SYSTEM_PROMPT,
            tools=['{"name": "pay_out", "parameters": {}}'],
            provider="example",
            version="desk-gpt-2026-05",
            parameters={"temperature": 0},
        )
        return replace(halo.build_call(resource, {"messages": 2, "tools": ["pay_out"]}), model=model)

    def _answer_model(self, _: Mapping[str, Any]) -> str:
        self.systems.note("desk-gpt", {})
        return "I will look into it."

    # ordinary work

    def handle_application(self, user: str) -> None:
        """A customer's application: read, scored, sometimes paid out or handed on."""
        one, rng = self.rng.choice(self.month.customers), self.rng
        at = {"agent": DESK, "user": user}
        amount = rng.choice([45, 90, 120, 180, 250, 340, 420, 650, 900])
        with self.session(DESK, user, f"Handle {one.application} of {one.id}, account {one.account}") as name:
            self.call(name, "desk-gpt", prompt=f"Handle {one.application}", **at)
            self.call(name, "read_letter", customer_id=one.id, **at)
            self.call(name, "get_application", application_id=one.application, customer_id=one.id, **at)
            self.call(name, "credit_score", customer_id=one.id, **at)
            if rng.random() < 0.4:
                self.call(name, "card_statement", customer_id=one.id, **at)
            if rng.random() < 0.35:
                self.hand_off(name, one, user)
            if rng.random() < 0.15:
                self.call(name, "delete_application", application_id=one.application, **at)
            if rng.random() < 0.12:
                self.call(name, "export_cards", table="cardholders", **at)
            if rng.random() < 0.7:
                self.pay(name, one, amount, user)
            self.call(name, "set_status", application_id=one.application, status="in review", **at)

    def pay(self, session: str, one: Customer, amount: int, user: str) -> None:
        """Pay a refund; above the limit a person is asked, and answers, late or not at all."""
        args = {"account": one.account, "amount": amount, "reference": f"refund {one.application}"}
        if self.call(session, "pay_out", agent=DESK, user=user, **args) != "asked":
            return
        question = self._last_question()
        what = _ANSWERS[self._asked % len(_ANSWERS)]
        self._asked += 1
        if what in ("yes", "no"):
            self.answer(question, self.rng.choice(APPROVERS), approve=what == "yes", after_s=self.rng.randint(60, 2400))
        if what == "yes":
            self.call(session, "pay_out", agent=DESK, user=user, **args)
        if what == "late":
            self.late_questions.append((self._day, question))

    def _last_question(self) -> str:
        return next(str(row["question"]) for row in reversed(self.notes.rows) if row.get("question"))

    def hand_off(self, session: str, one: Customer, user: str) -> None:
        """The desk hands a look into the archive to research."""
        halo = self.facade(DESK)
        self.clock.advance_s(20)
        self.notes.add("handoff", agent=DESK, to=RESEARCH, session=session, user=user)
        with at_time(self.clock, DEPLOYER), halo.hand_off(RESEARCH, task=f"look up {one.id}"):
            self.call(session, "archive_search", agent=DESK, by=RESEARCH, user=user, customer_id=one.id)

    def remind(self, user: str) -> None:
        """Collections looks at accounts and writes to a customer."""
        one, at = self.rng.choice(self.month.customers), {"agent": COLLECTIONS, "user": user}
        with self.session(COLLECTIONS, user, f"Remind {one.id} at {one.email}") as name:
            self.call(name, "list_accounts", limit=self.rng.choice([20, 40, 200]), **at)
            self.call(name, "card_statement", customer_id=one.id, **at)
            self.call(name, "send_reminder", to=one.email, text="Please pay.", customer_id=one.id, **at)

    def tidy_archive(self) -> None:
        """The night job of the archive bot, which nobody asks for."""
        with self.session(ARCHIVE, "") as name:
            for one in self.rng.sample(self.month.customers, 2):
                self.call(name, "archive_search", agent=ARCHIVE, customer_id=one.id)

    # people

    def answer(self, question: str, approver: str, *, approve: bool, after_s: int) -> None:
        """An approver answers with a key of their own; what was refused is noted too."""
        self.clock.advance_s(after_s)
        verb, why = ("approve", "seen the papers") if approve else ("deny", "not ours to pay")
        options = ("--once",) if approve else ()
        command = ("approvals", verb, question, "--as", approver, *options, "--why", why)
        code, said = self.month.halo(*command, "--key-home", str(self.month.people))
        answer = {"question": question, "by": approver, "approve": approve, "after_s": after_s}
        self.notes.add("answer", **answer, ok=code == 0, said="" if code == 0 else said.strip()[:160])

    def answer_late(self, number: int) -> None:
        """Questions of two days ago, which somebody answers only when their time is over."""
        self._day = number
        due = [question for day, question in self.late_questions if day <= number - 2]
        self.late_questions = [item for item in self.late_questions if item[1] not in due]
        for question in due:
            self.answer(question, APPROVERS[0], approve=True, after_s=60)

    def issue(self, agent: str, why: str) -> None:
        """Issue an agent's passport from the manifest as it is now."""
        self.clock.advance_s(30)
        self.must("passport", "issue", agent)
        self.notes.add("passport", act="issue", agent=agent, by=ADMIN, why=why)

    def must(self, *argv: str, account: str = ADMIN) -> str:
        """Run a command that has to work, as somebody."""
        return self.month.must(*argv, account=account)

    def write_policy(self, large: int) -> None:
        """Put another policy into the folder; processes that open later decide by it."""
        folder = self.month.home / "policy"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "desk.cedar").write_text(POLICY.format(large=large), encoding="utf-8")
        self.notes.add("policy", large=large, by=DEPLOYER)

    def approve_policy(self, approver: str, author: str) -> None:
        """An approver signs the rules that are in the folder now."""
        self.clock.advance_s(60)
        people = str(self.month.people)
        self.must("policy", "approve", "--as", approver, "--author", author, "--key-home", people)
        self.notes.add("policy_approval", by=approver, author=author)

    def signed(self) -> tuple[str, ...]:
        """Options by which both approvers sign an act."""
        return ("--as", APPROVERS[0], "--as", APPROVERS[1], "--key-home", str(self.month.people))

    # the days

    def set_up(self) -> None:
        """The Friday before: a trial in observe mode, the people, the passports, and enforce mode."""
        self.write_policy(LARGE)
        (self.month.home / "agents.yaml").write_text(write_manifest(), encoding="utf-8")
        one = self.month.customers[0]
        for agent in GRANTED:
            with self.session(agent, USERS[0]) as name:
                self.call(name, "archive_search", agent=agent, user=USERS[0], customer_id=one.id)
        self.close_facades()
        people = str(self.month.people)
        self.must("approver", "enrol", APPROVERS[0], "--key-home", people)
        self.notes.add("enrol", person=APPROVERS[0], role="approver", by=ADMIN)
        self.must("approver", "enrol", APPROVERS[1], "--key-home", people, "--as", APPROVERS[0])
        self.notes.add("enrol", person=APPROVERS[1], role="approver", by=ADMIN)
        self.approve_policy(APPROVERS[0], AUTHOR)
        for agent in GRANTED:
            self.issue(agent, "first")
        self.must("enforce", "--yes", *self.signed())
        self.notes.add("mode", to="enforce", by=ADMIN, until_us=0)

    def play_day(self, number: int, last: int, sessions: int) -> None:
        """One working day, with the act of control that belongs to it."""
        acts: Mapping[int, Callable[[], None]] = {
            0: self.answer_own_question,
            1: self.stop_and_lift,
            2: self.change_policy_and_waive,
            3: self.raise_and_retire,
        }
        for _ in range(sessions):
            self.handle_application(self.rng.choice(USERS))
        self.remind(USERS[2])
        if number <= MIN_DAYS - 1:  # on the last of these nights the bot is retired, and its job was forgotten
            self.tidy_archive()
        if number in acts:
            acts[number]()
        if number % 5 == MIN_DAYS - 1:
            self.reauthorize()
        if number == last:
            self.use_up_quota()
        self.close_facades()

    def stop_and_lift(self) -> None:
        """Collections is stopped, tries twice, and goes on after the lift."""
        self.must("stop", "--agent", COLLECTIONS, "--why", "complaints about reminders")
        self.notes.add("stop", scope="agent", target=COLLECTIONS, by=ADMIN)
        self.remind(USERS[0])
        self.clock.advance_s(_HOUR_S)
        self.must("lift", "--agent", COLLECTIONS, "--why", "template mended", *self.signed())
        self.notes.add("lift", scope="agent", target=COLLECTIONS, by=ADMIN)
        self.remind(USERS[0])

    def change_policy_and_waive(self) -> None:
        """A stricter limit for payments; then two hours in which the floor is waived."""
        self.close_facades()
        self.write_policy(LARGE_LATER)
        self.approve_policy(APPROVERS[1], AUTHOR)
        self.handle_application(USERS[1])
        self.must("observe", "--for", "2h", "--why", "migration of the core", *self.signed())
        until_us = (self.clock.now_us() // _US + 2 * _HOUR_S) * _US
        self.notes.add("mode", to="observe", by=ADMIN, until_us=until_us)
        with self.session(DESK, USERS[0]) as name:
            self.call(name, "export_cards", agent=DESK, user=USERS[0], table="cardholders")
        self.clock.move_to(until_us + _US)
        self.notes.add("mode", to="enforce", by="", until_us=0)
        with self.session(DESK, USERS[0]) as name:
            self.call(name, "export_cards", agent=DESK, user=USERS[0], table="cardholders")

    def raise_and_retire(self) -> None:
        """Collections may read card statements from now on; the archive bot is retired."""
        self.close_facades()
        self.month.home.joinpath("agents.yaml").write_text(
            write_manifest(collections_reads_cards=True), encoding="utf-8"
        )
        self.issue(COLLECTIONS, "raise: card_statement, chd")
        self.remind(USERS[1])
        self.clock.advance_s(60)
        self.must("revoke", "--agent", ARCHIVE, "--why", "retired")
        self.notes.add("revoke", scope="agent", target=ARCHIVE, by=ADMIN)

    def reauthorize(self) -> None:
        """A long session uses up its steps, and an approver lets it go on."""
        at = {"agent": DESK, "user": USERS[1]}
        with self.session(DESK, USERS[1], "Go through all of today's letters") as name:
            for one in (self.month.customers * 20)[:20]:
                if self.call(name, "read_letter", customer_id=one.id, **at) != "ran":
                    break
            question = self._last_question()
            self.answer(question, APPROVERS[1], approve=True, after_s=300)
            self.notes.add("reauthorize", session=name, by=APPROVERS[1], agent=DESK)
            self.call(name, "read_letter", customer_id=self.month.customers[0].id, **at)

    def answer_own_question(self) -> None:
        """Somebody in the chain tries to approve the payment that they asked for."""
        one, user = self.month.customers[0], APPROVERS[1]
        with self.session(DESK, user, f"Refund {one.id}, account {one.account}") as name:
            args = {"account": one.account, "amount": 990, "reference": "own"}
            self.call(name, "pay_out", agent=DESK, user=user, **args)
            self.answer(self._last_question(), user, approve=True, after_s=30)

    def use_up_quota(self) -> None:
        """Small payments, until the day's quota is nearly spent; the alert is judged an hour later."""
        one, user = self.month.customers[1], USERS[0]
        with self.session(DESK, user, f"Refund the fees of {one.id}, account {one.account}, in parts of 290") as name:
            while self.paid_today(user) * 10 < DAILY_QUOTA * 8:
                args = {"account": one.account, "amount": 290, "reference": "fee"}
                if self.call(name, "pay_out", agent=DESK, user=user, **args) != "ran":
                    return
        self.clock.advance_s(_HOUR_S)
        listed: list[dict[str, Any]] = []
        for _ in range(100):
            listed = json.loads(self.must("alerts", "--json"))["alerts"]
            if listed:
                break
            time.sleep(0.1)  # on PostgreSQL, as above
        self.must("judge", str(listed[-1]["index"]), "--ordinary", "--why", "month end", account="mia")
        self.notes.add("judge", by="mia", attack=False)

    def paid_today(self, user: str) -> int:
        """What the desk has paid out for somebody on this day, by the notes; quotas are counted like this."""
        day = self.clock.now_us() // (86_400 * _US)
        rows = self.notes.select("ran", tool="pay_out", user=user)
        return sum(int(row["args"]["amount"]) for row in rows if row["at_us"] // (86_400 * _US) == day)

    def _note_quota_alert(self, user: str) -> None:
        """Note the alert that is due from four fifths of the quota on, once a day for each person."""
        key = user, self.clock.now_us() // (86_400 * _US)
        if key not in self._warned and self.paid_today(user) * 10 >= DAILY_QUOTA * 8:
            self._warned.add(key)
            self.notes.add("alert", kind="quota", agent=DESK, user=user)

    def audit(self) -> None:
        """An auditor reads the log, and one entry with its content."""
        self.must("log", account="vera")
        self.must("show", "40", "--reveal", account="vera")
        self.notes.add("read", by="vera", person=AUDITOR, act="reveal", entry="40")
