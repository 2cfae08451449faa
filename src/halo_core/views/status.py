"""The status of each tenant of a store: mode, floor and who set them, and what was decided so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from halo_core.floors import read_host_floor
from halo_core.store.reader import Reader, summarize
from halo_core.store.writer_chains import load_trusted_keys
from halo_core.views import View, select_fields
from halo_core.views.control import ControlView, load_control


@dataclass(frozen=True, slots=True)
class TenantStatus(View):
    """The mode of a tenant, and what was decided so far.

    `control` is None where the home trusts no log of the tenant; the mode is then that of an unproven row.
    """

    control: ControlView | None
    decisions: dict[str, int]
    effects: dict[str, int]
    mode: str
    sessions: int
    sightings: int
    store: str
    store_id: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        tree = select_fields(self, "decisions", "effects", "mode", "sightings", "store", "store_id")
        return {**tree, "control": None if self.control is None else self.control.to_json()}


def load_statuses(url: str, home: Path, now_us: int) -> dict[str, TenantStatus]:
    """The status of every tenant of a store, with the mode as the signed entries say it.

    Args:
        url: of the store.
        home: folder of trusted keys.
        now_us: microseconds since the epoch.
    """
    statuses, host = {}, read_host_floor()
    with Reader(url) as reader:
        reader.use_names(home)
        for tenant in reader.tenants():
            row, counts = reader.control(tenant), summarize(reader, tenant)
            control = None
            if tenant in load_trusted_keys(home):
                control = load_control(reader, home, tenant, host, now_us)
            statuses[tenant] = TenantStatus(
                control=control,
                decisions=dict(counts.decisions),
                effects=dict(counts.effects),
                mode=control.mode if control is not None else str(row[2]) if row else "",
                sessions=counts.sessions,
                sightings=counts.sightings,
                store=url,
                store_id=str(row[1]) if row else "",
            )
    return statuses
