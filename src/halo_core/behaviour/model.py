"""Room: the behaviour model. Takes: features. Gives: risk 0..1000 and what moved it, in words. Never: I/O, floats.

A model is forests whose margins are averaged, a calibration from margin to risk, and the margins at which alarms
start. It is read from bytes that somebody else fetched; bytes that are not a model of these very features are
refused.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.bits import sixteenths_of
from halo_core.behaviour.features import FEATURES
from halo_core.behaviour.tables import Forest, refused, whole
from halo_core.errors import CanonicalError

__all__ = ["FORM", "LARGEST", "Factor", "Model", "features_hash"]

FORM: Final = "halo-behaviour-1"
TOP: Final = 1000
_DOUBT: Final = 10
_NAT: Final = 43_322  # ln 2 / 16, in micro-units
LARGEST: Final = 4_000_000
"""Bytes of a model, packed or not."""


def features_hash() -> str:
    """Digest of the features' ids in order: a model fits one list only."""
    return sha256("\n".join(feature.id for feature in FEATURES).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Factor:
    """One of the features that moved a score.

    Args:
        id: of the feature.
        value: it had.
        moved: thousandths of the margin, positive towards risk.
        words: what it says.
    """

    id: str
    value: int
    moved: int
    words: str

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {"id": self.id, "moved": self.moved, "value": self.value, "words": self.words}


@dataclass(frozen=True)
class Model:
    """See the module.

    Args:
        forests: (weight in thousandths, forest).
        curve: (margin, risk), both rising: risk between two points is interpolated.
        limits: name of a cut → the margin above which it flags, set on ordinary sessions.
        usual: highest margins of ordinary sessions of the training data, at 0, 1, .. 100 hundredths: what an identity
            without a history of its own is compared with (`adapt.suited`).
        tails: margins that an ordinary action passes with probability 1, 1/2, 1/4, ..: rising.
        about: what it was trained on.
    """

    forests: tuple[tuple[int, Forest], ...]
    curve: tuple[tuple[int, int], ...]
    limits: Mapping[str, int]
    usual: tuple[int, ...]
    tails: tuple[int, ...]
    about: Mapping[str, str]

    @cached_property
    def _margins(self) -> list[int]:
        return [margin for margin, _ in self.curve]

    def margin(self, values: Sequence[int]) -> int:
        """Weighted mean of the forests' margins, in micro-units."""
        return sum(weight * forest.margin(values) for weight, forest in self.forests) // sum(w for w, _ in self.forests)

    def risk(self, values: Sequence[int]) -> int:
        """Calibrated risk, 0..1000."""
        return self.risk_of(self.margin(values))

    def risk_of(self, margin: int) -> int:
        """Risk of a margin."""
        at = bisect_right(self._margins, margin)
        if at == 0:
            return self.curve[0][1]
        if at == len(self.curve):
            return self.curve[-1][1]
        (low, below), (high, above) = self.curve[at - 1], self.curve[at]
        return below + (above - below) * (margin - low) // (high - low)

    @cached_property
    def sixteenth(self) -> int:
        """Margin that a sixteenth of a bit of other evidence is worth, above 0.

        Boosted margins are no log-odds; how much wider they spread is read off the calibration, between the first and
        the last of its points that are sure of nothing.
        """
        sure = [
            (margin, sixteenths_of(risk, TOP - risk) - sixteenths_of(TOP - risk, risk))
            for margin, risk in self.curve
            if _DOUBT <= risk <= TOP - _DOUBT
        ]
        if len(sure) < 2 or sure[-1][1] <= sure[0][1]:
            return _NAT
        (low, below), (high, above) = sure[0], sure[-1]
        return max((high - low) // (above - below), 1)

    def surprise(self, margin: int) -> int:
        """How unlikely such a margin is in ordinary work: -log2 of the chance, in sixteenths of a bit (`drift.bet`)."""
        at = bisect_right(self.tails, margin)
        if at == 0 or at == len(self.tails):
            return 16 * max(at - 1, 0)
        low, high = self.tails[at - 1], self.tails[at]
        return 16 * (at - 1) + 16 * (margin - low) // max(high - low, 1)

    def factors(self, values: Sequence[int], most: int = 3) -> tuple[Factor, ...]:
        """What moved the score most, towards risk first. Costs about as much as the score twice over."""
        moved: dict[int, int] = {}
        for weight, forest in self.forests:
            for index, much in forest.path_shares(values).items():
                moved[index] = moved.get(index, 0) + weight * much
        whole = sum(weight for weight, _ in self.forests)
        ranked = sorted((-much, index) for index, much in moved.items() if much > 0)
        return tuple(
            Factor(FEATURES[index].id, values[index], -much // whole // 1000, FEATURES[index].words)
            for much, index in ranked[:most]
        )

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "about": dict(self.about),
                "curve": [list(point) for point in self.curve],
                "features": features_hash(),
                "forests": [[weight, forest.to_plain()] for weight, forest in self.forests],
                "form": FORM,
                "limits": dict(self.limits),
                "tails": list(self.tails),
                "usual": list(self.usual),
            }
        )

    @cached_property
    def hash(self) -> str:
        """Content address; a decision's snapshot records it."""
        return "sha256:" + sha256(self.to_bytes()).hexdigest()

    def packed(self) -> bytes:
        """`to_bytes`, compressed: what is shipped."""
        return zlib.compress(self.to_bytes(), 9)

    @classmethod
    def from_packed(cls, data: bytes) -> Model:
        """Inverse of `packed`, never unpacking more than a model may hold.

        Raises:
            BadInput: as `from_bytes`.
        """
        unpacker = zlib.decompressobj()
        try:
            plain = unpacker.decompress(data, LARGEST + 1)
        except zlib.error as exc:
            raise refused("not compressed as one") from exc
        if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
            raise refused("cut off, or more than a model")
        return cls.from_bytes(plain)

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: no model, one of another version, or one that reads other features.
        """
        if len(data) > LARGEST:
            raise refused(f"larger than {LARGEST} bytes")
        try:
            plain = _parsed(data)
            if not isinstance(plain, dict) or plain.get("form") != FORM:
                raise refused(f"its form is not {FORM}")
            if plain["features"] != features_hash():
                raise refused("it reads other features than this version has")
            return _read(plain)
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise refused(type(exc).__name__) from exc


def _parsed(data: bytes) -> Any:
    """The parsed bytes; a model is larger than what `canonical.loads` takes of an entry."""
    try:
        return canonical.loads(data)
    except CanonicalError as exc:
        raise refused(f"not canonical JSON ({exc.code})") from exc


def _read(plain: Mapping[str, Any]) -> Model:
    forests = tuple((_share(weight), Forest.from_plain(tree, len(FEATURES))) for weight, tree in plain["forests"])
    curve = tuple((whole(margin), whole(risk)) for margin, risk in plain["curve"])
    rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(curve))
    if not forests or not curve or not rising or not all(0 <= risk <= TOP for _, risk in curve):
        raise refused("a calibration that does not rise from 0 to 1000")
    limits = {str(name): whole(risk) for name, risk in plain["limits"].items()}
    usual = tuple(map(whole, plain["usual"]))
    if len(usual) != 101 or list(usual) != sorted(usual):
        raise refused("no hundredths of ordinary risks")
    tails = tuple(map(whole, plain["tails"]))
    if not tails or list(tails) != sorted(tails):
        raise refused("no tail of ordinary actions")
    return Model(forests, curve, limits, usual, tails, {str(name): str(text) for name, text in plain["about"].items()})


def _share(weight: Any) -> int:
    if type(weight) is not int or not 0 < weight <= TOP:
        raise ValueError(weight)
    return weight
