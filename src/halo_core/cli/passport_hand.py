"""Room: `halo passport attenuate | export`. Takes: a chain, the holder's key. Gives: a chain. Never: asks a store.

Whoever holds the last link's key may hand on less than it has, offline; a verifier sees it link by link.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, DecimalException
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final

import typer

from halo_core.authorities import parse_public_key
from halo_core.cli.common import DbOption, Exit, HomeOption, TenantOption, console, where
from halo_core.cli.passport_files import chain_at, peek, read_tokens, write_tokens
from halo_core.cli.passport_view import chain_table
from halo_core.cli.words import cell
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.ids import RandomIds
from halo_core.keys import KeyStore, agent_key_name
from halo_core.model import Budget, EntryKind, Grants, Link, LinkKind
from halo_core.passport import mint_handoff
from halo_core.query import entries, one_tenant
from halo_core.store.reader import Reader

__all__ = ["attenuate", "export"]

_US: Final = 1_000_000

KeyHomeOption = Annotated[Path | None, typer.Option("--key-home", help="Folder of the signing key, if not the home.")]


def attenuate(
    file: Annotated[Path, typer.Argument(metavar="TOKEN_FILE", help="A session's chain: `halo passport export`.")],
    *,
    to: Annotated[str, typer.Option("--to", metavar="AGENT", help="Who receives the narrower link.")],
    to_key: Annotated[str, typer.Option("--to-key", help="Their public key, base64; else their key in the home.")] = "",
    tools: Annotated[list[str] | None, typer.Option("--tools", help="Only this resource; may be repeated.")] = None,
    budget: Annotated[list[str] | None, typer.Option("--budget", help="UNIT=AMOUNT; may be repeated.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for the longer chain (default: print it).")] = None,
    home: HomeOption = None,
    key_home: KeyHomeOption = None,
) -> int:
    """Derive a narrower link for another agent, offline: only the last holder's key is needed."""
    folder, _ = where(home, "")
    tokens = read_tokens(file)
    links = peek(tokens)
    parent = links[-1]
    if parent.kind is LinkKind.STANDING:
        raise ConfigError(
            "bad_depth",
            "only a session's link can be handed on",
            field="TOKEN_FILE",
            remedy="export the session's chain: `halo passport export SESSION`",
        )
    keys = KeyStore(key_home or folder)
    token = mint_handoff(
        parent=parent,
        parent_token=tokens[-1],
        signer=keys.signer(_known_key(keys, parent.agent)),
        now_s=SystemClock().now_us() // _US,
        jti=RandomIds().entry(),
        agent=to,
        holder_public_key=parse_public_key(to_key) if to_key else keys.signer(_known_key(keys, to)).public_key,
        grants=_only(parent, tools) if tools else None,
        budgets=_lowered(parent, budget) if budget else None,
        hand_off_to=sorted(set(parent.hand_off_to) - {to}),
    )
    longer = [*tokens, token]
    chain = peek(longer)
    text = write_tokens(out, longer, chain)
    view = console(stderr=out is None)
    view.print(chain_table(chain[-2:]))
    if out is None:
        sys.stdout.write(text)
    else:
        view.print("written to ", cell(str(out)), sep="")
    return Exit.OK


def _known_key(keys: KeyStore, agent: str) -> str:
    name = agent_key_name(agent)
    if name not in keys.names():
        raise ConfigError(
            "no_key",
            f"`{keys.home}` holds no key of `{agent[:64]}`",
            field="key-home",
            remedy="name the folder of the key with `--key-home`, or give the receiver's public key with `--to-key`",
        )
    return name


def _only(parent: Link, tools: Sequence[str]) -> Grants:
    known = {name for resources in parent.grants.values() for name in resources}
    for name in tools:
        if name not in known:
            close = get_close_matches(name, known, 1)
            remedy = f"did you mean `{close[0]}`" if close else "see `halo passport inspect FILE`"
            raise ConfigError("tool_not_granted", f"the chain grants no `{name[:64]}`", field="tools", remedy=remedy)
    chosen = {
        kind: {name: rules for name, rules in tools_.items() if name in tools} for kind, tools_ in parent.grants.items()
    }
    return {kind: resources for kind, resources in chosen.items() if resources}


def _lowered(parent: Link, wanted: Sequence[str]) -> tuple[Budget, ...]:
    limits = {item.unit: item for item in parent.budgets}
    for text in wanted:
        unit, _, value = text.partition("=")
        if unit not in limits:
            raise ConfigError(
                "unknown_unit",
                f"the chain has no budget of `{unit[:32]}`",
                field="budget",
                remedy=f"use {', '.join(limits)}",
            )
        most = _units(value, limits[unit].decimals)
        least = most if unit == "time" else min(limits[unit].per_action, most)
        limits[unit] = replace(limits[unit], subtree=most, per_action=least)
    return tuple(limits.values())


def _units(text: str, decimals: int) -> int:
    try:
        scaled = Decimal(text).scaleb(decimals)
        whole = int(scaled)
    except (DecimalException, ValueError, OverflowError):
        scaled, whole = Decimal(0), -1
    if whole < 0 or whole != scaled or whole >= 2**53:
        raise ConfigError("bad_amount", f"`{text[:64]}` is no amount", field="budget", remedy="for example step=10")
    return whole


def export(
    session: Annotated[str, typer.Argument(help="A session.")],
    *,
    agent: Annotated[str, typer.Option("--agent", help="The agent whose chain (default: the last that acted).")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="File for the chain (default: print it).")] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Write out the chain of a session, as its last decision had it. It is of no use without the holder's key."""
    _, url = where(home, db)
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        hashes: list[str] = []
        for found in entries(reader, whose, (EntryKind.DECISION,), session):
            if agent in ("", found.entry.body["request"]["subject"]["agent"]):
                hashes = found.entry.body["snapshot"]["chain"] or hashes
        kept = chain_at(reader, whose, hashes[-1]) if hashes else None
    if kept is None:
        raise ConfigError(
            "no_such_session", f"no decision of session `{session[:64]}`", field="session", remedy="see `halo log`"
        )
    text = write_tokens(out, list(kept.tokens), kept.links)
    if out is None:
        sys.stdout.write(text)
    return Exit.OK
