"""Signing checkpoints over one tenant's log: when one is due, and how an engine's log is signed."""

from __future__ import annotations

from typing import Final

from halo_core.clock import Clock
from halo_core.crypto.keys import Signer
from halo_core.store import log_checkpoints
from halo_core.store.config import StoreConfig
from halo_core.store.engine import Engine
from halo_core.store.sequencer import Sequencer

_INTERVAL_S: Final = 1.0
_MAX_UNSIGNED: Final = 256
"""Entries without a checkpoint from which on one is due at once."""


class CheckpointSigner:
    """Signs a store's checkpoints, and counts the entries without one. Not thread-safe: the store locks.

    Args:
        config: config of the store.
        log: signs for the log.
        clock: says how old the newest checkpoint is.

    Attributes:
        unsigned: number of entries of this process that no checkpoint covers.
    """

    def __init__(self, config: StoreConfig, log: Signer, clock: Clock) -> None:
        self._config = config
        self._log = log
        self._clock = clock
        self._signed_at_s = 0.0
        self._sequencer: Sequencer | None = None
        self.unsigned = 0

    def is_due(self) -> bool:
        """Whether so many or so old entries wait that a checkpoint is due."""
        if not self.unsigned:
            return False
        return self.unsigned >= _MAX_UNSIGNED or self._clock.mono_us() / 1e6 - self._signed_at_s >= _INTERVAL_S

    def sign(self, database: Engine, *, wait_s: float = 0.0) -> bytes | None:
        """Sign a checkpoint over everything appended so far.

        An engine with many writers first gets its entries placed, on a connection of the sequencer's own; so this needs
        the store's lock only for another engine.

        Args:
            database: holds the log.
            wait_s: how long to wait for another process that places entries (`Sequencer.run`).

        Returns:
            The signed checkpoint; None if there is nothing to sign, or another process does it.
        """
        covered = self.unsigned
        if database.has_many_writers:
            note, is_complete = self._find_sequencer().run(wait_s=wait_s)
        else:
            config, is_complete = self._config, True
            note = log_checkpoints.sign_next_checkpoint(database, config.tenant, self._log, config.deadline_s)
        if is_complete:  # else another process is at it
            self.unsigned -= covered
            self._signed_at_s = self._clock.mono_us() / 1e6
        return note

    def _find_sequencer(self) -> Sequencer:
        if self._sequencer is None:
            config = self._config
            self._sequencer = Sequencer(config.url, config.tenant, self._log, config.deadline_s)
        return self._sequencer

    def close(self) -> None:
        """Close the sequencer's connection, if there is one."""
        if self._sequencer is not None:
            self._sequencer.close()

    def abandon(self) -> None:
        """Leave the sequencer's connection to the parent after a fork, if there is one."""
        if self._sequencer is not None:
            self._sequencer.abandon()
