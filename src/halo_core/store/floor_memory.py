"""What a process remembers of the floor of its mode and of restrictions, whatever the database says later."""

from __future__ import annotations

from dataclasses import dataclass, field

from halo_core.errors import ConfigError
from halo_core.floors import HostFloorFile, read_host_floor
from halo_core.ledger.control_history import ControlChange, ControlHistory, RestrictionKey
from halo_core.model import Mode


@dataclass(slots=True)
class FloorMemory:
    """A process's memory of floors; unlike the rest of the image, it is never forgotten.

    Args:
        host: floor of the host.
        home: floor of the home, as its file kept it, or as an entry has raised it since.
        latest_us: the latest time that was seen, so that a clock that is set back does not prolong a waiver.
        deadlines: entry of a waiver → when it ends by the monotonic clock, microseconds.
        ended: entries of waivers that have ended.
        restrictions: stop or revocation in force, as committed entries said → (since when, the lifts of it until then).
        remembered: the history from which `restrictions` was brought up to date last.
        store: id of the store, once it was read.
        host_file: tells when the file of the host's floor has changed.
    """

    host: Mode = Mode.OBSERVE
    home: Mode = Mode.OBSERVE
    latest_us: int = 0
    deadlines: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    restrictions: dict[RestrictionKey, tuple[int, frozenset[str]]] = field(default_factory=dict)
    remembered: ControlHistory | None = field(default=None, compare=False)
    store: str = field(default="", compare=False)
    host_file: HostFloorFile = field(default_factory=HostFloorFile, compare=False)

    def follow_host(self) -> Mode:
        """The floor of the host, reread if its file changed.

        INVARIANT: FLOOR - a process that runs follows a floor that is raised, and none that is lowered.
        """
        if self.host is not Mode.ENFORCE and self.host_file.has_changed():
            try:
                self.host = read_host_floor().mode
            except ConfigError:
                self.host = Mode.ENFORCE  # INVARIANT: FAILCLOSED - what cannot be read is not taken for none
        return self.host

    def list_restrictions(self, history: ControlHistory) -> dict[RestrictionKey, int]:
        """The restrictions in force → since when.

        INVARIANT: REV - what this process knew to be in force ends by a new lift, and not because its entry is missing.
        """
        in_force = {
            key: since_us
            for key, (since_us, lifts) in self.restrictions.items()
            if lifts.issuperset(history.lifts.get(key, ()))
        }
        return {**in_force, **history.restrictions}

    def remember_restrictions(self, history: ControlHistory) -> None:
        """Remember the restrictions in force according to committed entries."""
        if history is not self.remembered:
            self.restrictions = {
                key: (since_us, frozenset(history.lifts.get(key, ())))
                for key, since_us in self.list_restrictions(history).items()
            }
            self.remembered = history

    def lasts(self, waiver: ControlChange, now_us: int, mono_us: int) -> bool:
        """Whether a waiver is in force.

        INVARIANT: FLOOR - it ends at its time by the wall clock or by the monotonic one, whichever comes first, and
        does not come back; before its own beginning it is not in force.
        """
        self.latest_us = max(self.latest_us, now_us)
        deadline_us = self.deadlines.setdefault(waiver.entry, mono_us + waiver.until_us - now_us)
        if self.latest_us >= waiver.until_us or mono_us >= deadline_us:
            self.ended.add(waiver.entry)
        return waiver.entry not in self.ended and waiver.at_us <= now_us
