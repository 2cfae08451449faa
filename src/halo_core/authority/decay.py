"""How the authority of a link falls with time, steps and risk. Authority is an integer 0..1_000_000.

    age = ceil(dt·M / half_life_s) + ceil(steps·M / half_life_steps) + ceil(risk·M / half_life_risk)
    k, f = divmod(age, M); high = a0 >> k; low = a0 >> (k + 1)
    A = high - ceil((high - low)·f / M)          0 when k ≥ 64
    E = min of A over the decaying links of the live chain

The line between two halvings lies at most 6.15% above the exponential curve and never rounds up. The minimum over the
live chain makes hand-offs safe: whatever a child asks for, it has no more than its ancestors have at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from halo_core.model import AUTHORITY_ONE, Decay, Envelope, Impact, Link

_MAX_HALVINGS: Final = 64


def _divide_up(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)


def halve_authority(authority: int, halvings: int) -> int:
    """Authority after an age of `halvings` millionths of a half-life. INVARIANT: MONO - it never rises with age."""
    halving_count, fraction = divmod(max(halvings, 0), AUTHORITY_ONE)
    if halving_count >= _MAX_HALVINGS:
        return 0
    high, low = authority >> halving_count, authority >> (halving_count + 1)
    return high - _divide_up((high - low) * fraction, AUTHORITY_ONE)


def compute_age(decay: Decay, lived_us: int, steps: int, risk: int) -> int:
    """Age in millionths of a half-life: microseconds lived, steps and risk points of the link's whole subtree."""
    return (
        _divide_up(max(lived_us, 0), decay.half_life_s)  # µs·M / (s·10⁶)
        + _divide_up(max(steps, 0) * AUTHORITY_ONE, decay.half_life_steps)
        + _divide_up(max(risk, 0) * AUTHORITY_ONE, decay.half_life_risk)
    )


def compute_authority(decay: Decay, account: Envelope, time_us: int, *, steps: int = 0, risk: int = 0) -> int:
    """Authority of one link at `time_us`, were `steps` and `risk` charged on top; 0..1_000_000."""
    points = account.total("risk") + risk - account.base_risk
    age_units = compute_age(
        decay, time_us - account.since_us, account.total("step") + steps - account.base_step, points
    )
    authority = min(halve_authority(decay.authority, age_units), AUTHORITY_ONE)
    for band, ceiling in decay.bands:
        if points >= band and ceiling < authority:
            authority = ceiling
    return authority


def compute_effective_authority(
    chain: Sequence[Link], accounts: Sequence[Envelope], time_us: int, charges: Iterable[tuple[str, int]] = ()
) -> int:
    """E, the least authority of the decaying links of a chain, after `charges` (INVARIANT: CLOSE).

    Raises:
        ValueError: a decaying link has no account, or there is no decaying link: then nobody knows.
    """
    due = dict(charges)
    decaying = [link.decay for link in chain if link.decay is not None]
    if not decaying:
        raise ValueError("no link of the chain decays")
    steps, risk = due.get("step", 0), due.get("risk", 0)
    pairs = zip(decaying, accounts, strict=True)
    return min([compute_authority(decay, account, time_us, steps=steps, risk=risk) for decay, account in pairs])


def find_floor(chain: Iterable[Link], impact: Impact) -> int:
    """Authority that an action of this impact needs, the highest floor of the decaying links.

    INVARIANT: FAILCLOSED - a class that a link says nothing of needs full authority.
    """
    floors = [
        max(link.decay.reauthorize_below, dict(link.decay.floors).get(impact.value, AUTHORITY_ONE))
        for link in chain
        if link.decay is not None
    ]
    return max(floors, default=AUTHORITY_ONE)
