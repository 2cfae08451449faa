"""The orders of the user that a host lists for a block of a session, and the calls that took them."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import Final

from halo_core.model import Order

_MAX_SESSIONS: Final = 1_024


class SessionOrders:
    """Orders of one block of a session. Thread-safe.

    One order is for one call. A call takes an order when it is decided, and gives it back if it may not run. The same
    call may be made again; a call with other arguments needs an order of its own. So an ordered payment is not made
    twice under two spellings. Whether the same payment may be made twice is judged by what was paid.

    A call that could not be decided keeps its order.

    Args:
        orders: as the host lists them.
        earlier: those of the block before in the same session, where the user has written nothing since. What was taken
            there stays taken.
    """

    __slots__ = ("_digests", "_lock", "_takers", "_used", "orders")

    def __init__(self, orders: tuple[Order, ...], earlier: SessionOrders | None = None) -> None:
        self.orders = orders
        self._digests: dict[int, str] = {}
        self._takers: Counter[int] = Counter()
        self._used: set[int] = set()
        self._lock = threading.Lock()
        if earlier is not None:
            self._keep_uses(earlier)

    def _keep_uses(self, earlier: SessionOrders) -> None:
        """Mark the orders as used that were used in an earlier block."""
        with earlier._lock:
            used = [(earlier.orders[place], earlier._digests[place]) for place in sorted(earlier._used)]
        for order, digest in used:
            places = (place for place, item in enumerate(self.orders) if item == order and place not in self._used)
            place = next(places, None)
            if place is not None:
                self._digests[place] = digest
                self._used.add(place)

    def list_open(self, args_digest: str) -> list[tuple[int, Order]]:
        """List the orders that a call can take, each with its place; those that it has taken before come first.

        Args:
            args_digest: digest of the call's arguments.
        """
        with self._lock:
            digests = dict(self._digests)
        places = [place for place in range(len(self.orders)) if digests.get(place, args_digest) == args_digest]
        places.sort(key=lambda place: place not in digests)
        return [(place, self.orders[place]) for place in places]

    def take(self, place: int, args_digest: str) -> bool:
        """Take an order for a call; False if a call with other arguments has taken it meanwhile."""
        with self._lock:
            if self._digests.setdefault(place, args_digest) != args_digest:
                return False
            self._takers[place] += 1
            return True

    def end(self, place: int, *, runs: bool) -> None:
        """Note whether a call that took an order may run. If no call that took it may, it is given back.

        Args:
            place: of the order.
            runs: the call may run.
        """
        with self._lock:
            self._takers[place] -= 1
            if runs:
                self._used.add(place)
            elif place not in self._used and not self._takers[place]:
                self._digests.pop(place, None)


NO_ORDERS: Final = SessionOrders(())
"""Of a block that lists none in a session in which orders were listed before."""


class LatestOrders:
    """The newest orders of each named session, in the memory of this process. Thread-safe.

    The session that was used least recently is forgotten first.
    """

    def __init__(self) -> None:
        self._latest: OrderedDict[tuple[str, str], tuple[str, SessionOrders]] = OrderedDict()
        self._lock = threading.Lock()

    def open_block(
        self, session: str, user: str, request: str, orders: tuple[Order, ...] | None
    ) -> SessionOrders | None:
        """Open a block; returns its orders, and none if the host has never listed any in the session.

        Args:
            session: id of the session, as the host named it; empty for a session of this block alone.
            user: whom it is for.
            request: the user's words. With the words of the block before, the user has written nothing since.
            orders: as the host lists them; None if it lists none.
        """
        if not session:
            return None if orders is None else SessionOrders(orders)
        key = (session, user)
        with self._lock:
            earlier_request, earlier = self._latest.get(key, ("", None))
            if orders is None:
                return None if earlier is None else NO_ORDERS
            listed = SessionOrders(orders, earlier if request == earlier_request else None)
            self._latest[key] = (request, listed)
            self._latest.move_to_end(key)
            if len(self._latest) > _MAX_SESSIONS:
                self._latest.popitem(last=False)
            return listed
