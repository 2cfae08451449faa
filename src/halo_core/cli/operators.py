"""`halo operator`: people who sign control acts, with keys that can be on another host; and `Signing` for other verbs.

halo operator sign waive --for 1h --why "..." --store ID --tenant local --as ana --key-home DIR --out act.json
halo operator countersign act.json --as ben --key-home DIR
halo observe --signed act.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from halo_core.authorities import Authorities, TrustedKeys, make_person_key_name, parse_public_key
from halo_core.cli.context import (
    ApproverKeyHomeOption,
    SignAsOption,
    SignedOption,
    StoreContext,
    parse_duration,
    store_verb,
    warn_unwritten,
    write_text_file,
)
from halo_core.cli.rendering import print_note, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Ed25519Signer, KeyStore, RandomIds, encode_base64
from halo_core.durations import SECOND_US
from halo_core.errors import BadInput, ConfigError
from halo_core.ledger.control_history import (
    make_enforce_terms,
    make_enrol_terms,
    make_lift_terms,
    make_waive_terms,
    make_withdraw_terms,
)
from halo_core.os_user import describe_os_user
from halo_core.oversight.access import recording_refusals
from halo_core.oversight.control_acts import (
    SignedAct,
    describe_signing,
    describe_unconfirmed,
    list_key_holders,
    load_person_signer,
)
from halo_core.oversight.keys import enrol_person, record_withdrawal
from halo_core.quick_dataclass import dataclass
from halo_core.store.image import STORE_ID_PREFIX
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_core.views import select_fields

app = typer.Typer(help="Enrol people who sign control acts, and sign acts on any host.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class Signing:
    """Signatures of an act: from a file, or made with keys at hand.

    Args:
        store: the store of the verb.
        opened: the same store, open for writing.
        signed: file with signatures.
        sign_as: names of those who sign here.
        key_home: folder of their keys; None means the home.
    """

    store: StoreContext
    opened: Store
    signed: Path | None
    sign_as: Sequence[str] | None
    key_home: Path | None

    def sign(self, act: SignedAct, *, needed: int) -> SignedAct:
        """Collect the signatures of an act: those of the file, and of the people who sign here.

        Where a signature is needed and nobody is named, the only enrolled person whose key is available signs. In a
        home where nobody is enrolled, an operator is enrolled on the spot, which proves nothing and is printed as such.

        Args:
            act: the act to sign.
            needed: number of signatures that the act takes at least.

        Returns:
            The act with its signatures. End and reason of a waiver are those that the file was signed for.

        Raises:
            BadInput: `bad_signed_act`.
            ConfigError: `no_operator_key`.
            Denied: `not_enrolled`.
        """
        if self.signed is not None:
            act = _join(act, _read_signed(self.signed))
        names = list(self.sign_as or ())
        authorities = Authorities(self.store.home)
        now_us, keys = self.opened.clock.now_us(), KeyStore(self.key_home or self.store.home)
        trusted = authorities.load(self.opened.tenant)
        if not names and not act.tokens and needed:
            if not trusted.list_people(now_us):
                names = [self._enrol_here(authorities, now_us)]
                trusted = authorities.load(self.opened.tenant)
            elif len(holders := list_key_holders(keys, trusted, now_us)) == 1:
                names = holders
        for name in names:
            signer = load_person_signer((keys, self.store.keys), trusted, name, now_us)
            act = act.sign(signer, self.opened.ids, now_us // SECOND_US)
        return act

    def _enrol_here(self, authorities: Authorities, now_us: int) -> str:
        name = self.store.actor.name
        key = self.store.keys.signer(make_person_key_name("operator", name)).public_key
        enrol_person(
            self.opened, authorities, name=name, public_key=key, by=self.store.actor, now_us=now_us, role="operator"
        )
        say("enrolled operator ", safe_text(name), " with a key in this home: [yellow]unproven (dev)[/]")
        return name


def _read_signed(path: Path) -> SignedAct:
    try:
        return SignedAct.from_text(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        problem, remedy = f"cannot read `{path}`", "give a file that `halo operator sign` wrote"
        raise ConfigError("no_file", problem, field="signed", remedy=remedy) from exc


def _join(act: SignedAct, second: SignedAct) -> SignedAct:
    """The signed act of a file, which must be `act`, except that a waiver's end and reason may be others.

    Raises:
        BadInput: `bad_signed_act`, the file is signed for another act.
    """
    if second.act != act.act:
        problem = f"the file is signed for `{second.act}`, and this is `{act.act}`"
    elif second.store != act.store:
        problem = f"the file is signed for the store `{second.store}`, and this is `{act.store}`"
    elif second.tenant != act.tenant:
        problem = f"the file is signed for the tenant `{second.tenant}`, and this is `{act.tenant}`"
    elif act.act != "waive" and dict(second.terms) != dict(act.terms):
        problem = f"the file is signed for {_format_terms(second)}, and this is for {_format_terms(act)}"
    else:
        return second
    terms = second.terms if second.act == act.act == "waive" else act.terms
    remedy = describe_signing(act.act, terms, act.store, act.tenant)
    raise BadInput("bad_signed_act", problem[:500], remedy=remedy)


def _format_terms(act: SignedAct) -> str:
    return ", ".join(f"{key} `{value}`" for key, value in act.terms.items() if value) or "nothing"


def enrol(
    store: StoreContext,
    name: str,
    *,
    role: str,
    public_key: str,
    key_home: Path | None,
    signed: Path | None,
    sign_as: Sequence[str] | None,
) -> None:
    """Enrol somebody as `approver` or `operator`, and print it; see `halo_core.oversight.keys.enrol_person`."""
    owner, place = store.resolve_tenant(), key_home or store.home
    key = (
        parse_public_key(public_key)
        if public_key
        else KeyStore(place).signer(make_person_key_name(role, name)).public_key
    )
    with store.open_store(owner) as opened:
        now_us = opened.clock.now_us()
        terms = make_enrol_terms({"role": role, "key": encode_base64(key)})
        act = SignedAct("enrol", terms, opened.commit(lambda tx: tx.load_store_id()), owner)
        act = Signing(store, opened, signed, sign_as, key_home).sign(act, needed=0)
        with recording_refusals(opened, "enrol", store.actor, {"role": role}):
            kid = enrol_person(
                opened,
                Authorities(store.home),
                name=name,
                public_key=key,
                by=store.actor,
                now_us=now_us,
                role=role,
                signed=act.tokens,
                is_here=not public_key,
            )
    if store.print_json({"kid": kid, "name": name, "tenant": owner}):
        return
    say_plainly(f"enrolled {name} for tenant {owner}: public key {encode_base64(key)}, thumbprint {kid}")
    if not public_key:
        say_plainly(f"  the key is in {place / make_person_key_name(role, name)}.key")
        if place.resolve() == store.home.resolve():
            say("  [yellow]the agents' process can read it there[/]: use --key-home or --public-key for people")


def withdraw(store: StoreContext, name: str, *, role: str, signed: Path | None) -> None:
    """Withdraw somebody, and print it; in force through authorities.json even if the ledger cannot be written.

    Where the person is withdrawn already without a needed signature, `signed` adds that signature.
    """
    owner = store.resolve_trusted_tenant()
    now_us = SystemClock().now_us()
    act = None if signed is None else _read_signed(signed)
    tokens = () if act is None else act.tokens
    authorities, waiting = Authorities(store.home), list[str]()
    confirmed = "" if act is None or act.act != "withdraw" else str(act.terms["kid"])
    if _is_withdrawn(authorities.load(owner), name, role, confirmed):
        kids = [confirmed]
    else:
        kids = authorities.withdraw_person(owner, name, now_us, role=role)
    say_plainly(f"withdrawn {name}: {', '.join(kids)}")

    def job(tx: Transaction) -> None:
        record_withdrawal(tx, kids, name=name, by=store.actor, now_us=now_us, role=role, signed=tokens)
        waiting.extend(describe_unconfirmed(tx, kids))

    problem = store.try_commit(job, owner)
    if problem:
        warn_unwritten("the withdrawal is in force through authorities.json", problem)
    for remedy in waiting:
        say("  [yellow]still one of those who have to sign[/]: nobody proven has signed the withdrawal")
        say_plainly(f"  somebody who is proven can {remedy}")


def _is_withdrawn(trusted: TrustedKeys, name: str, role: str, kid: str) -> bool:
    people = trusted.approvers if role == "approver" else trusted.operators
    return kid in people and people[kid].name == name and people[kid].until_us is not None


@store_verb(app, "enrol", by=True)
def enrol_operator(
    name: Annotated[str, Argument(help="Name of the person, for example ana@bank.example.")],
    *,
    public_key: Annotated[
        str, Option("--public-key", help="Public key in base64 (default: a new key pair is generated).")
    ] = "",
    key_home: ApproverKeyHomeOption = None,
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    store: StoreContext,
) -> None:
    """Enrol an operator, who signs control acts: enrolments, lifts of stops, and waivers of the floor.

    Make the key on the operator's own host with `halo operator key`, and enrol its public key here.
    """
    enrol(store, name, role="operator", public_key=public_key, key_home=key_home, signed=signed, sign_as=sign_as)


@store_verb(app, "list")
def list_operators(*, store: StoreContext) -> None:
    """List current and former operators."""
    list_people(store, "operator")


def list_people(store: StoreContext, role: str) -> None:
    """List everybody who is or was enrolled as `approver` or `operator`."""
    owner = store.resolve_trusted_tenant()
    trusted = Authorities(store.home).load(owner)
    enrolled = trusted.approvers if role == "approver" else trusted.operators
    live = trusted.list_people(SystemClock().now_us())
    people = sorted(enrolled.items(), key=lambda pair: (pair[1].name, pair[1].since_us))
    names = ("name", "since_us", "until_us")
    if store.print_json([select_fields(item, *names) | {"kid": kid, "live": kid in live} for kid, item in people]):
        return
    for kid, item in people:
        until = f", withdrawn {format_iso(item.until_us)}" if item.until_us is not None else ""
        say_plainly(f"{item.name}  thumbprint {kid}  since {format_iso(item.since_us)}{until}")
    if not people:
        say_plainly(f"tenant {owner} has no {role}; run `halo {role} enrol NAME`")


@store_verb(app, "withdraw", json=False, by=True)
def withdraw_operator(
    name: Annotated[str, Argument(help="The enrolled name.")],
    *,
    signed: SignedOption = None,
    store: StoreContext,
) -> None:
    """Withdraw an operator. Waivers that the person signed end."""
    withdraw(store, name, role="operator", signed=signed)


@app.command("key")
def show_key(
    name: Annotated[str, Argument(help="Name of the person.")],
    *,
    key_home: Annotated[Path, Option("--key-home", help="Folder of the key, made there if there is none.")],
) -> None:
    """Make an operator's key on this host, print its public key, and its thumbprint on stderr."""
    signer = KeyStore(key_home).signer(make_person_key_name("operator", name))
    say_plainly(encode_base64(signer.public_key))
    print_note(f"thumbprint {signer.key_id}")


@app.command("sign")
def sign(
    act: Annotated[str, Argument(help="What is signed: waive, lift, erase, enrol, withdraw or enforce.")],
    *,
    store_id: Annotated[str, Option("--store", help="Id of the store, as `halo status` shows it.")],
    tenant: Annotated[str, Option("--tenant", help="Tenant of the log.")] = "local",
    name: Annotated[str, Option("--as", help="Your enrolled name (default: the user of this shell).")] = "",
    key_home: Annotated[Path, Option("--key-home", help="Folder of your key.")],
    out: Annotated[Path, Option("--out", help="File that is written.")],
    lasts: Annotated[str, Option("--for", help="Of a waiver: how long, at most 7d.")] = "",
    why: Annotated[str, Option("--why", help="Of a waiver: the reason.")] = "",
    scope: Annotated[
        str,
        Option("--scope", help="Of a lift: agent, session, tool, tenant or all; of an erasure as the refusal says."),
    ] = "",
    target: Annotated[str, Option("--target", help="Of a lift: what was stopped; of a session its reference.")] = "",
    role: Annotated[str, Option("--role", help="Of an enrolment: approver or operator.")] = "operator",
    public_key: Annotated[str, Option("--public-key", help="Of an enrolment: the key in base64.")] = "",
    kid: Annotated[str, Option("--key", help="Of a withdrawal: thumbprint of the key.")] = "",
) -> None:
    """Sign a control act with your key, on any host; the file is then given to the verb that does it."""
    now_s = SystemClock().now_us() // SECOND_US
    if not store_id.startswith(STORE_ID_PREFIX):
        problem = f"`{store_id[:100]}` is not the id of a store, which begins with `{STORE_ID_PREFIX}`"
        raise ConfigError("bad_store_id", problem, field="store", remedy="use the id that `halo status` shows")
    if act == "waive" and not (lasts and why.strip()):
        raise ConfigError("no_reason", "a waiver needs an end and a reason", field="for", remedy="give --for and --why")
    until_us = (now_s + (parse_duration(lasts, "for") if lasts else 0)) * SECOND_US
    terms = {
        "enforce": lambda: make_enforce_terms({}),
        "erase": lambda: make_lift_terms({"scope": scope, "target": target}),
        "enrol": lambda: make_enrol_terms({"role": role, "key": encode_base64(parse_public_key(public_key))}),
        "lift": lambda: make_lift_terms({"scope": scope, "target": target}),
        "waive": lambda: make_waive_terms({"until_us": until_us, "why": mask_reason(why)}),
        "withdraw": lambda: make_withdraw_terms({"kid": kid}),
    }
    if act not in terms:
        problem = f"`{act[:32]}` is not a control act"
        raise ConfigError("bad_act", problem, field="act", remedy=f"use one of {', '.join(terms)}")
    signed = SignedAct(act, terms[act](), store_id, tenant)
    _sign_file(signed, name, key_home, out)


@app.command("countersign")
def countersign(
    path: Annotated[Path, Argument(help="File that somebody else signed.")],
    *,
    name: Annotated[str, Option("--as", help="Your enrolled name (default: the user of this shell).")] = "",
    key_home: Annotated[Path, Option("--key-home", help="Folder of your key.")],
) -> None:
    """Add your signature to an act that somebody else has signed, after showing what it is."""
    signed = _read_signed(path)
    terms = ", ".join(f"{key} {value}" for key, value in signed.terms.items())
    say_plainly(f"{signed.act}: {terms} (store {signed.store}, tenant {signed.tenant})")
    _sign_file(signed, name, key_home, path)


def _sign_file(signed: SignedAct, name: str, key_home: Path, path: Path) -> None:
    signer = _load_own_key(KeyStore(key_home), name or describe_os_user().name)
    signed = signed.sign(signer, RandomIds(), SystemClock().now_us() // SECOND_US)
    write_text_file(path, signed.to_text(), "out")
    say_plainly(
        f"signed {signed.act} with the key of thumbprint {signer.key_id}; {len(signed.tokens)} signature(s) in {path}"
    )


def _load_own_key(keys: KeyStore, name: str) -> Ed25519Signer:
    for role in ("operator", "approver"):
        if make_person_key_name(role, name) in keys.names():
            return keys.signer(make_person_key_name(role, name))
    problem = f"`{keys.home}` has no key of `{name[:64]}`"
    raise ConfigError("no_operator_key", problem, field="key-home", remedy="make one with `halo operator key NAME`")
