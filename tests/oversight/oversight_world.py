"""What the tests of oversight share: an agent that asked, people who may answer, their verbs."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase, Limits
from halo_core.manifest import DEFAULT_TERMS
from halo_core.oversight.approvals import answer
from halo_core.oversight.keys import enrol_approver
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_world import SURFACE, Calls, policy_folder, tool, url_of

PAN = "4111 1111 1111 1111"
TIRING = Limits(replace(DEFAULT_TERMS, decay=replace(DEFAULT_TERMS.decay, half_life_steps=20)))


def opened(home: Path, **more) -> HaloBase:
    more.setdefault("user", "user:ana")
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, **more)


def opened_tiring(home: Path) -> HaloBase:
    """The same, with sessions that have to be re-authorized after about a hundred payments."""
    return opened(home, limits=TIRING)


def pay(halo: HaloBase, session: str = "one", amount: int = 5000, to: str = f"acct {PAN}") -> Calls:
    """Try to pay; the calls that ran."""
    body = Calls()
    with halo.session(session):
        halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": amount, "to": to}), body, SURFACE)
    return body


def ask(home: Path, session: str = "one", **more) -> str:
    """A payment that waits for an answer; the id of its request."""
    with opened(home) as halo, pytest.raises(Pending) as caught:
        pay(halo, session, **more)
    return caught.value.pending_id


@contextmanager
def at(home: Path, tenant: str = "local"):
    """The store of a home, open."""
    store = Store(StoreConfig(url_of(home), home, tenant), KeyStore(home))
    try:
        yield store
    finally:
        store.close()


def people(home: Path) -> KeyStore:
    """Where people keep their keys, away from the agents'."""
    return KeyStore(home.parent / "people")


def enrolled(home: Path, name: str = "mia") -> KeyStore:
    mine = people(home)
    with at(home) as store:
        key = mine.signer(make_approver_key_name(name)).public_key
        enrol_approver(store, Authorities(home), name=name, public_key=key, by="admin", now_us=store.clock.now_us())
    return mine


def answers(home: Path, request: str, name: str = "mia", **more):
    more.setdefault("approve", True)
    with at(home) as store:
        more.setdefault("now_us", store.clock.now_us())
        return answer(store, people(home), home, request_id=request, approver=name, **more)


def refused(home: Path, request: str, name: str = "mia", **more) -> str:
    with pytest.raises(Denied) as caught:
        answers(home, request, name, **more)
    return caught.value.reason
