"""What facts about a call are found from, besides the call itself and the sketch of its session."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class FactSources:
    """Sources of facts besides the call and the sketch of its session.

    Args:
        pointed: numbers of the sources whose results the user pointed at: each was returned by an action that
            named something, and only what the user wrote.
        labelled: numbers of the sources whose resource is labelled (`pii`, `chd` and the like).
        is_own_domain: whether a mail domain is declared as the tenant's own.
        is_established: the agent's baseline knows every target of the call, from several principals.
        knows_places: the agent's baseline knows the host, the mail domain and the folder of every value of the call.
        paid_today: of a payment, what was paid to its targets within the last day, in units of its currency.
        payment_request: the newest message of the user that asks for a payment.
        find_payment_text: finds the newest one that speaks of a payment, be it in a question; else the newest one.
            Asked only where a source may have named the amount.
        is_exposed: the session may have read an untrusted source.
        names: of the sources with a number of their own, in its order from 1.
        paid_before: of a payment, what was paid to its targets already for the same message of the user, likewise.
        own_address: the e-mail address of the user, in canonical form; empty where the host names none.
        ordered_pointers: of the leaves that a listed order of the user gives; None if the call carries out none.
        lists_orders: the host lists what the user ordered.
    """

    pointed: frozenset[int] = frozenset()
    labelled: frozenset[int] = frozenset()
    is_own_domain: Callable[[str], bool] = lambda _domain: False
    is_established: bool = False
    knows_places: bool = False
    paid_before: Decimal = Decimal(0)
    paid_today: Decimal = Decimal(0)
    payment_request: str = ""
    find_payment_text: Callable[[], str] = lambda: ""
    names: tuple[str, ...] = ()
    is_exposed: bool = True
    own_address: str = ""
    ordered_pointers: frozenset[str] | None = None
    lists_orders: bool = False


NO_SOURCES: Final = FactSources()
