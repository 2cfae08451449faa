"""Room: authority. Takes: links, accounts, a request. Gives: what is left and what an action costs. Never: I/O."""

from halo_core.authority.decay import AUTHORITY_ONE, age, authority_of, effective, floor_of, halved
from halo_core.authority.envelope import Shortfall, charged, recharged, settled, shortfalls
from halo_core.authority.price import REFUSED_POINTS, RISK_POINTS, Price, price, refusal, to_units

__all__ = [
    "AUTHORITY_ONE",
    "REFUSED_POINTS",
    "RISK_POINTS",
    "Price",
    "Shortfall",
    "age",
    "authority_of",
    "charged",
    "effective",
    "floor_of",
    "halved",
    "price",
    "recharged",
    "refusal",
    "settled",
    "shortfalls",
    "to_units",
]
