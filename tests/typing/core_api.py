"""Type checks of what `halo_core` itself offers: errors, values, the base of every `Halo`, the helpers for tests.

The files of this folder are checked by mypy and pyright (`make types`) as a user's code would be, and never run. They
import public names only. A line with `# type: ignore[...]` must fail in both: an ignore that nothing needs is an error.
"""

from __future__ import annotations

from typing import Any, assert_type

import halo_core
from halo_core import (
    ActionKind,
    BadInput,
    CannotDecide,
    ConfigError,
    Denied,
    Gap,
    HaloBase,
    HaloError,
    Impact,
    Mode,
    NotVerified,
    Pending,
    PolicyError,
    Resource,
    Reversal,
    Tampered,
)
from halo_core.testing import CountingIds, FixedClock


def local() -> None:
    with HaloBase.local("desk") as halo:
        assert_type(halo, HaloBase)
        assert_type(halo.agent, str)
        assert_type(halo.mode, Mode)
    assert_type(
        HaloBase.local(
            agent="desk",
            user="ana@bank",
            mode="enforce",
            tenant="bank",
            home="home",
            db="sqlite:///halo.db",
            grants={"pay": {}},
            policy="policy",
            quiet=True,
            deadline_s=1.0,
            clock=FixedClock(),
            ids=CountingIds(),
        ),
        HaloBase,
    )
    HaloBase.local()  # type: ignore[call-arg]
    HaloBase.local("desk", "ana@bank")  # type: ignore[call-arg]
    HaloBase.local("desk", mode=True)  # type: ignore[arg-type]
    HaloBase.local("desk", colour="red")  # type: ignore[call-arg]
    HaloBase.local("desk", clock=CountingIds())  # type: ignore[arg-type]


def session(halo: HaloBase) -> None:
    with halo.session() as opened:
        assert_type(opened.id, str)
        assert_type(opened.user, str)
        assert_type(opened.request, str)
    with halo.session("case-7", user="ana@bank", request="Pay 90 to ACC-1"):
        pass
    with halo.hand_off("researcher", task="what is open?", give=None) as handle:
        assert_type(handle, str)
    halo.session("case-7", "ana@bank")  # type: ignore[call-arg]
    halo.session(user=7)  # type: ignore[arg-type]


def errors(denied: Denied, pending: Pending, config: ConfigError) -> None:
    assert_type(denied.reason, str)
    assert_type(denied.decision_id, str)
    assert_type(denied.earlier, str | None)
    assert_type(pending.pending_id, str)
    refused: PermissionError = denied
    caught: Denied = pending
    every: tuple[HaloError, ...] = (denied, caught, config)
    classes: list[type[HaloError]] = [BadInput, CannotDecide, Gap, NotVerified, PolicyError, Tampered]
    denied.pending_id  # type: ignore[attr-defined]
    waits: Pending = denied  # type: ignore[assignment]


def resource() -> None:
    pay = Resource(id="pay", kind=ActionKind.TOOL_CALL, impact=Impact.PAYMENT, targets=("account",), amount="amount")
    assert_type(pay.impact, Impact)
    assert_type(pay.reversal, Reversal)
    assert_type(pay.source_trust, int | None)
    # Known gap: a word is turned into an `Impact` at run time, and the README writes one; the field does not say so.
    Resource(impact="payment")  # type: ignore[arg-type]
    Resource(labels="pii")  # type: ignore[arg-type]
    Resource(source_trust="high")  # type: ignore[arg-type]
    Resource(colour="red")  # type: ignore[call-arg]


def names() -> None:
    halo_core.Nonsense  # type: ignore[attr-defined]
    assert_type(halo_core.Denied, type[Denied])


def testing(clock: FixedClock, ids: CountingIds) -> None:
    assert_type(clock.now_us(), int)
    assert_type(clock.mono_us(), int)
    clock.advance(1.5)
    assert_type(ids.new_token_id(), str)
    assert_type(ids.new_short_id(), str)
    clock.advance("1.5")  # type: ignore[arg-type]


def registering(halo: HaloBase, schema: dict[str, Any]) -> None:
    assert_type(halo.register(ActionKind.TOOL_CALL, "pay", schema=schema), Resource)
