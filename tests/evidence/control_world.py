"""A desk whose record shows no gap, and ways to plant one: forged entries, left-out steps, and acts of people."""

from __future__ import annotations

import copy
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.clock import Clock
from halo_core.crypto.keys import KeyStore
from halo_core.decision.record_parts import make_part
from halo_core.enforcement.model_inputs import Message, ModelInput
from halo_core.errors import Denied, Pending
from halo_core.evidence.answers import Answer, Period, Verdict
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import CHECK_CLASSES, run_checks
from halo_core.evidence.incidents import add_to_incident, open_incident, read_incidents, record_report, waive_control
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Actor, EntryKind, Resource, Stop
from halo_core.oversight import restrictions
from halo_core.oversight.approvals import answer
from halo_core.oversight.keys import enrol_approver
from halo_core.store.config import StoreConfig
from halo_core.store.control_state import put_policy_in_force
from halo_core.store.drafts import Draft
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_world import READ, SURFACE, Calls, cli, policy_folder, schema, url_of

MANIFEST = """version: 1
tools:
  lookup: {impact: read, source_trust: 600, labels: [chd]}
  pay: {impact: payment, amount: amount, unit: USD, source_trust: 600, targets: [to]}
  wipe: {impact: read, source_trust: 600}
  letters: {impact: read, source_trust: 100}
models:
  gpt: {}
agents:
  desk:
    owner: owen@bank
    purpose: looks up customers and pays refunds
    regulated: [pci]
    data_scope: [chd]
    tools: [lookup, pay, wipe, letters]
    models: [gpt]
    budgets:
      USD: {per_action: "9000.00", session: "20000.00", ceiling: "30000.00", per_day: "90000.00"}
    approvers: [mia@bank]
"""
TEXT = {"type": "string"}
DAY_US = 86_400_000_000
ADMIN = Actor("root", "os-user")


class NamedKind(str):
    """A kind of entry by its name, for entries whose form other tests hold."""

    __slots__ = ()

    @property
    def value(self) -> str:
        return str(self)


def people(home: Path) -> Path:
    """Where people keep their keys, away from the agents'."""
    return home.parent / "people"


@contextmanager
def store_of(home: Path, clock: Clock | None = None) -> Iterator[Store]:
    config = StoreConfig(url_of(home), home, "local")
    store = Store(config, KeyStore(home)) if clock is None else Store(config, KeyStore(home), clock=clock)
    try:
        yield store
        store.checkpoint()
    finally:
        store.close()


def commit(home: Path, job: Callable[[Transaction], Any], clock: Clock | None = None) -> Any:
    with store_of(home, clock) as store:
        return store.commit(job)


def append(home: Path, kind: Any, body: Mapping[str, Any], *, session: str = "", actor: Actor | None = ADMIN) -> str:
    """Append an entry as somebody with the keys of the home could."""
    written = commit(home, lambda tx: tx.append(Draft(kind, session, body, actor=actor)))
    return str(written.entry.id)


@contextmanager
def desk(home: Path, **options: Any) -> Iterator[HaloBase]:
    given = {"mode": "enforce", "policy": policy_folder(home), "quiet": True, **options}
    with HaloBase.local("desk", home=home, **given) as halo:
        yield halo


def tools(halo: HaloBase) -> dict[str, Resource]:
    return {
        "lookup": halo.register(ActionKind.TOOL_CALL, "lookup", schema=schema({"q": TEXT})),
        "letters": halo.register(ActionKind.TOOL_CALL, "letters", schema=schema({"q": TEXT})),
        "wipe": halo.register(ActionKind.TOOL_CALL, "wipe", schema=schema({"path": TEXT})),
        "pay": halo.register(ActionKind.TOOL_CALL, "pay", schema=schema({"amount": {"type": "integer"}, "to": TEXT})),
        "gpt": halo.register(ActionKind.INFERENCE, "gpt", resource=READ),
    }


def run(halo: HaloBase, resource: Resource, args: Mapping[str, Any], **changes: Any) -> str:
    """What became of a call: `ran`, the id of its question, or the code of its refusal."""
    try:
        halo.enforcer.run(replace(halo.build_call(resource, args), **changes), Calls(), SURFACE)
    except Pending as error:
        return error.pending_id
    except Denied as error:
        return error.code
    return "ran"


def infer(halo: HaloBase, resource: Resource) -> str:
    return run(
        halo,
        resource,
        {"messages": 1},
        model=ModelInput(provider="openai", version="gpt-5", messages=(Message("user", "hello"),)),
    )


def approve(home: Path, request: str) -> None:
    with store_of(home) as store:
        now_us = store.clock.now_us()
        answer(
            store,
            KeyStore(people(home)),
            home,
            request_id=request,
            approver="mia@bank",
            approve=True,
            why="it is due",
            now_us=now_us,
        )


def make_home(home: Path) -> Path:
    """A home whose record shows no gap: issued passports, people with keys of their own, enforce mode, and work."""
    home.mkdir(mode=0o700, parents=True)
    (home / "agents.yaml").write_text(MANIFEST)
    for line in (("passport", "issue", "desk"), ("enforce",)):
        code, out, err = cli(*line, home=home)
        assert code == 0, out + err
    KeyStore(people(home))
    (home / "issuer.key").rename(people(home) / "issuer.key")
    with store_of(home) as store:
        key = KeyStore(people(home)).signer(make_approver_key_name("mia@bank")).public_key
        now_us = store.clock.now_us()
        enrol_approver(store, Authorities(home), name="mia@bank", public_key=key, by=ADMIN, now_us=now_us)
    pay = {"amount": 5000, "to": "ACC-1"}
    with desk(home) as halo, halo.session("one", user="ana@bank", request="pay 5000 to ACC-1"):
        made = tools(halo)
        assert infer(halo, made["gpt"]) == "ran"
        assert [run(halo, made["lookup"], {"q": name}) for name in ("a", "b", "c")] == ["ran"] * 3
        assert run(halo, made["wipe"], {"path": "/"}) == "grave_impact"
        question = run(halo, made["pay"], pay)
        approve(home, question)
        assert run(halo, made["pay"], pay) == "ran"
    with desk(home) as halo, halo.session("two", user="bob@bank"):
        made = tools(halo)
        assert run(halo, made["lookup"], {"q": "d"}) == "ran"
    with desk(home) as halo, halo.session("three", user="bob@bank"):
        made = tools(halo)
        assert [run(halo, made[name], {"q": "e"}) for name in ("letters", "letters")] == [
            "ran"
        ] * 2  # the second one exposed
        commit(home, lambda tx: restrictions.stop(tx, Stop("tool", "letters", tx.clock.now_us()), ADMIN, "a trial"))
        assert run(halo, made["letters"], {"q": "f"}) == "stopped"
    commit(home, lambda tx: restrictions.lift(tx, "tool", "letters", ADMIN, "the trial is over"))
    oversee(home)
    return home


def oversee(home: Path) -> None:
    """What people do: a stop that is lifted, an alert that is judged, a drill, an incident, reports, reading."""
    commit(home, lambda tx: restrictions.stop(tx, Stop("agent", "other", tx.clock.now_us()), ADMIN, "a trial"))
    commit(home, lambda tx: restrictions.lift(tx, "agent", "other", ADMIN, "the trial is over"))
    alert = append(home, EntryKind.ALERT, {"agent": "desk", "kind": "volume"}, actor=None)
    append(home, EntryKind.FEEDBACK, {"alert": alert, "attack": False, "session": "", "why": "known work"})
    append(home, EntryKind.DRILL, {"application": "x", "classes": {}, "passed": True})
    append(home, EntryKind.ACCESS, {"act": "read", "what": {}})
    incident = commit(home, lambda tx: open_case(tx, severity="serious"))
    report_case(home, incident, "report")
    report_case(home, incident, "close")
    commit(home, report_day)


def set_waiver(home: Path, control: str, *, days: int = 30, why: str = "no server yet") -> str:
    """Waive a control from now on."""

    def job(tx: Transaction) -> str:
        now_us = tx.clock.now_us()
        until_us = now_us + days * DAY_US
        return waive_control(
            tx, control=control, owner="olga@bank", until_us=until_us, why=why, by=ADMIN, now_us=now_us
        )

    return str(commit(home, job))


def report_day(tx: Transaction) -> str:
    now_us = tx.clock.now_us()
    return record_report(
        tx, framework="pci-dss-4.0.1", period_us=(0, now_us + DAY_US), form="json", digest="0", rows={}, by=ADMIN
    )


def open_case(tx: Transaction, severity: str) -> str:
    now_us = tx.clock.now_us()
    return open_incident(
        tx, severity=severity, known_us=now_us, text="a wrong payment", decisions=(), by=ADMIN, now_us=now_us
    )


def report_case(home: Path, incident: str, act: str) -> None:
    with Reader(url_of(home)) as reader:
        log = AuditLog(reader, "local", home=home, now_us=2**61)
        file = read_incidents(log.entries((EntryKind.INCIDENT,), Period(0, 2**62)))[incident]
    commit(home, lambda tx: add_to_incident(tx, file, act, text="done", decisions=(), by=ADMIN))


def copy_home(home: Path, place: Path) -> Path:
    """A home and the keys of its people, to plant something in."""
    shutil.copytree(home, place / "home")
    shutil.copytree(people(home), place / "people")
    shutil.copytree(home.parent / "home-policy", place / "home-policy")
    return place / "home"


def check(home: Path, *names: str, days: int = 0) -> dict[str, Answer]:
    """The answers of checks over the whole log, as of some days from now."""
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        now_us = reader.stream("SELECT max(ts_us) FROM entry").__next__()[0] + 1 + days * DAY_US
        log = AuditLog(reader, "local", home=home, now_us=now_us)
        return run_checks(log, Period(0, now_us), names or CHECK_CLASSES)


def red(answers: Mapping[str, Answer]) -> set[str]:
    """Names of the checks that fail."""
    return {name for name, item in answers.items() if item.verdict is Verdict.FAILS}


def find_decision(
    home: Path, resource: str, *, ran: bool = True
) -> tuple[LoggedEntry, dict[str, Any], dict[str, bytes]]:
    """The last decision on a resource: expanded, its stored body, and its content."""
    with Reader(url_of(home)) as reader:
        from halo_core.ledger import decode_entry

        found = [
            item
            for item in read_entries(reader, "local", (EntryKind.DECISION,))
            if item.entry.body["request"]["resource"]["id"] == resource and item.entry.body["dispatched"] == ran
        ][-1]
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        body = dict(decode_entry(found.note).body)
        return found, copy.deepcopy(body), dict(contents.open_all(found.entry))


def read_part(home: Path, name: str) -> dict[str, Any]:
    with Reader(url_of(home)) as reader:
        return dict(reader.part_reader("local")(name))


def forge(
    home: Path,
    change: Callable[[dict[str, Any], Callable[[dict[str, Any]], str]], None] = lambda _body, _put: None,
    *,
    resource: str = "lookup",
    ran: bool = True,
    outcome: bool = True,
    policy: bool = True,
    is_run: bool = True,
    back_us: int = 0,
    clock: Clock | None = None,
    session: str | None = None,
) -> str:
    """Append a decision that nobody made, like an earlier one but for a change, as somebody with all keys could."""
    like, body, content = find_decision(home, resource, ran=ran)
    body.pop("state", None)
    body["left"] = body["seen"]["authority"] = 500_000  # less than any decision before it left
    body["seen"].setdefault("time_us", like.entry.ts_us)

    def job(tx: Transaction) -> str:
        if policy:
            put_policy_in_force(tx, like.entry.body["snapshot"]["policy"])

        def put(tree: dict[str, Any]) -> str:
            name, data = make_part(tree)
            tx.put_part(name, data)
            return name

        change(body, put)
        of = like.entry.session if session is None else session
        runs = body.get("dispatched", body.get("decision", {}).get("effect", "allow") in ("allow", "monitor"))
        digest = secrets.token_hex(32)
        key = tx.make_run_key(of, digest, once=True) if runs and is_run else b""
        now_us = tx.clock.now_us() - back_us
        draft = Draft(EntryKind.DECISION, of, body, content, "forged", run=key, ts_us=now_us)
        written = tx.append(draft).entry
        if runs and outcome:
            tx.append(Draft(EntryKind.OUTCOME, of, {"decision": written.seq}, settles=(written.writer, written.seq)))
        return written.id

    return str(commit(home, job, clock))


def change_part(home: Path, member: str, **changes: Any) -> Callable[[dict[str, Any], Any], None]:
    """A change of a decision's part: `resource`, `frame`, or `host` of its frame."""

    def change(body: dict[str, Any], put: Callable[[dict[str, Any]], str]) -> None:
        if member == "host":
            frame = read_part(home, body["frame"])
            body["frame"] = put({**frame, "host": put({**read_part(home, frame["host"]), **changes})})
        else:
            body[member] = put({**read_part(home, body[member]), **changes})

    return change
