"""The risk model: forests whose margins are averaged, and a calibration from margin to risk 0..1000.

A model is read from bytes that come from elsewhere. Bytes that are not a model over a list of features that this
version knows are refused.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import CanonicalError
from halo_core.quick_dataclass import dataclass
from halo_core.risk.feature_catalogue import COUNT_BY_HASH, FEATURES, hash_features
from halo_core.risk.forest import Forest, make_model_error, require_number


@lru_cache(maxsize=4096)
def log2_ratio_in_sixteenths(likely: int, ordinary: int) -> int:
    """log2(likely / ordinary) in sixteenths, rounded down; 0 where it is no more likely. Both above 0."""
    return (likely**16 // ordinary**16).bit_length() - 1 if likely > ordinary else 0


MODEL_FORM: Final = "halo-behaviour-1"
MAX_RISK: Final = 1000
MAX_FACTORS: Final = 3
_MIN_DOUBT: Final = 10
_NAT: Final = 43_322  # ln 2 / 16, in micro-units
MAX_MODEL_BYTES: Final = 4_000_000
"""Bytes of a model, packed or not."""


@dataclass(frozen=True, slots=True)
class Factor:
    """One of the features that moved a score.

    Args:
        id: id of the feature.
        value: it had.
        moved: thousandths of the margin, positive towards risk.
        words: what it says.
    """

    id: str
    value: int
    moved: int
    words: str


@dataclass(frozen=True)
class RiskModel:
    """A trained model.

    Args:
        forests: (weight in thousandths, forest).
        curve: (margin, risk), both rising: risk between two points is interpolated.
        limits: name of a cut → the margin above which it flags, set on ordinary sessions.
        usual_margins: highest margins of ordinary sessions of the training data, at 0, 1, .. 100 hundredths: what an
            identity without a history of its own is compared with (`blend_threshold`).
        tails: margins that an ordinary action passes with probability 1, 1/2, 1/4, ..: rising.
        about: what it was trained on.
        feature_count: how many features of the list there were when it was trained; it reads none after them.
    """

    forests: tuple[tuple[int, Forest], ...]
    curve: tuple[tuple[int, int], ...]
    limits: Mapping[str, int]
    usual_margins: tuple[int, ...]
    tails: tuple[int, ...]
    about: Mapping[str, str]
    feature_count: int = len(FEATURES)

    @cached_property
    def _margins(self) -> list[int]:
        return [margin for margin, _ in self.curve]

    def compute_margin(self, values: Sequence[int]) -> int:
        """Weighted mean of the forests' margins, in micro-units."""
        total_weight = sum(weight for weight, _ in self.forests)
        return sum(weight * forest.compute_margin(values) for weight, forest in self.forests) // total_weight

    def risk_of(self, margin: int) -> int:
        """Calibrated risk of a margin, 0..1000."""
        index = bisect_right(self._margins, margin)
        if index == 0:
            return self.curve[0][1]
        if index == len(self.curve):
            return self.curve[-1][1]
        (low, risk_below), (high, risk_above) = self.curve[index - 1], self.curve[index]
        return risk_below + (risk_above - risk_below) * (margin - low) // (high - low)

    @cached_property
    def margin_per_sixteenth(self) -> int:
        """Margin that a sixteenth of a bit of other evidence is worth, above 0.

        Boosted margins are no log-odds; how much wider they spread is read off the calibration, between the first and
        the last of its points that are sure of nothing.
        """
        sure = [
            (margin, log2_ratio_in_sixteenths(risk, MAX_RISK - risk) - log2_ratio_in_sixteenths(MAX_RISK - risk, risk))
            for margin, risk in self.curve
            if _MIN_DOUBT <= risk <= MAX_RISK - _MIN_DOUBT
        ]
        if len(sure) < 2 or sure[-1][1] <= sure[0][1]:
            return _NAT
        (low, evidence_below), (high, evidence_above) = sure[0], sure[-1]
        return max((high - low) // (evidence_above - evidence_below), 1)

    def surprise_of(self, margin: int) -> int:
        """-log2 of the probability of such a margin in ordinary work, in sixteenths of a bit (`update_wealth`)."""
        index = bisect_right(self.tails, margin)
        if index == 0 or index == len(self.tails):
            return 16 * max(index - 1, 0)
        low, high = self.tails[index - 1], self.tails[index]
        return 16 * (index - 1) + 16 * (margin - low) // max(high - low, 1)

    def find_factors(self, values: Sequence[int]) -> tuple[Factor, ...]:
        """The three features that moved the margin most towards risk. Costs more than ten times as much as a margin."""
        contributions: dict[int, int] = {}
        for weight, forest in self.forests:
            for index, amount in forest.path_shares(values).items():
                contributions[index] = contributions.get(index, 0) + weight * amount
        total_weight = sum(weight for weight, _ in self.forests)
        ranked = sorted((-amount, index) for index, amount in contributions.items() if amount > 0)
        return tuple(
            Factor(FEATURES[index].id, values[index], -amount // total_weight // 1000, FEATURES[index].words)
            for amount, index in ranked[:MAX_FACTORS]
        )

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "about": dict(self.about),
                "curve": [list(point) for point in self.curve],
                "features": hash_features(self.feature_count),
                "forests": [[weight, forest.to_plain()] for weight, forest in self.forests],
                "form": MODEL_FORM,
                "limits": dict(self.limits),
                "tails": list(self.tails),
                "usual": list(self.usual_margins),
            }
        )

    @classmethod
    def from_packed(cls, data: bytes) -> RiskModel:
        """Inverse of `to_bytes`, of bytes compressed with zlib; never unpacks more than a model may hold.

        Raises:
            BadInput: as `from_bytes`.
        """
        unpacker = zlib.decompressobj()
        try:
            unpacked = unpacker.decompress(data, MAX_MODEL_BYTES + 1)
        except zlib.error as exc:
            raise make_model_error("not compressed as one") from exc
        if unpacker.unconsumed_tail or not unpacker.eof or unpacker.unused_data:
            raise make_model_error("cut off, or more than a model")
        return cls.from_bytes(unpacked)

    @classmethod
    def from_bytes(cls, data: bytes) -> RiskModel:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: no model, one of another version, or one that reads other features.
        """
        if len(data) > MAX_MODEL_BYTES:
            raise make_model_error(f"larger than {MAX_MODEL_BYTES} bytes")
        try:
            members: Any = canonical.loads(data)
            if not isinstance(members, dict) or members.get("form") != MODEL_FORM:
                raise make_model_error(f"its form is not {MODEL_FORM}")
            if members["features"] not in COUNT_BY_HASH:
                raise make_model_error("it uses features that this version does not have")
            return _parse_model(members)
        except CanonicalError as exc:
            raise make_model_error(f"not canonical JSON ({exc.code})") from exc
        except (KeyError, TypeError, ValueError, AttributeError) as exc:
            raise make_model_error(type(exc).__name__) from exc


def _parse_model(members: Mapping[str, Any]) -> RiskModel:
    count = COUNT_BY_HASH[members["features"]]
    forests = tuple((_parse_weight(weight), Forest.from_plain(tree, count)) for weight, tree in members["forests"])
    curve = tuple((require_number(margin), require_number(risk)) for margin, risk in members["curve"])
    rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(curve))
    if not forests or not curve or not rising or not all(0 <= risk <= MAX_RISK for _, risk in curve):
        raise make_model_error("a calibration that does not rise from 0 to 1000")
    limits = {str(name): require_number(risk) for name, risk in members["limits"].items()}
    usual = tuple(map(require_number, members["usual"]))
    if len(usual) != 101 or list(usual) != sorted(usual):
        raise make_model_error("no hundredths of ordinary risks")
    tails = tuple(map(require_number, members["tails"]))
    if not tails or list(tails) != sorted(tails):
        raise make_model_error("no tail of ordinary actions")
    about = {str(name): str(text) for name, text in members["about"].items()}
    return RiskModel(forests, curve, limits, usual, tails, about, count)


def _parse_weight(weight: Any) -> int:
    if type(weight) is not int or not 0 < weight <= MAX_RISK:
        raise ValueError(weight)
    return weight
