"""What a model that was trained on a ledger records about its data, as a member of `RiskModel.about`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput, CanonicalError
from halo_core.quick_dataclass import dataclass

ABOUT: Final = "ledger"
"""Name of the member of `RiskModel.about`."""


@dataclass(frozen=True, slots=True)
class ModelOrigin:
    """The sessions of a ledger that a model was trained on.

    Args:
        log: id of the store and name of the tenant, joined by `/`.
        positions: first and last position in the log of the sessions' actions.
        period_us: time of the first and of the last action, microseconds since the epoch.
        size: number of entries under the newest checkpoint at that time.
        head: its root hash, base64; empty if there was none.
        margins: role → highest margins of its ordinary sessions, in micro-units, rising. Each is of a model that was
            fitted without the session's task: of sessions that a model has learnt from, its own margins are too low.
    """

    log: str
    positions: tuple[int, int]
    period_us: tuple[int, int]
    size: int
    head: str
    margins: Mapping[str, Sequence[int]]

    def to_about(self) -> dict[str, str]:
        """The entry for `RiskModel.about`, under `ABOUT`."""
        plain = {**asdict(self), "positions": list(self.positions), "period_us": list(self.period_us)}
        plain["margins"] = {role: list(margins) for role, margins in self.margins.items()}
        return {ABOUT: canonical.dumps(plain).decode()}

    @classmethod
    def from_about(cls, about: Mapping[str, str]) -> ModelOrigin | None:
        """Inverse of `to_about`; None for a model that was not trained on a ledger.

        Raises:
            BadInput: `bad_model`, it is something else.
        """
        if ABOUT not in about:
            return None
        try:
            plain: Any = canonical.loads(about[ABOUT].encode())
            (first, last), (since, until) = plain["positions"], plain["period_us"]
            margins = {str(role): tuple(map(_require_number, some)) for role, some in plain["margins"].items()}
            return cls(
                log=str(plain["log"]),
                positions=(_require_number(first), _require_number(last)),
                period_us=(_require_number(since), _require_number(until)),
                size=_require_number(plain["size"]),
                head=str(plain["head"]),
                margins=margins,
            )
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            problem, remedy = "not what a training wrote about its data", "train it again with `halo train`"
            raise BadInput("bad_model", problem, field="model", remedy=remedy) from exc


def _require_number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value
