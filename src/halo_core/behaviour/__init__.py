"""Behaviour of identities across sessions, as pure functions in integers.

A session's measures are tallied (`tally`), compared with the limits of its identity (`assessment`), and folded into the
identity's profile when the session ends (`profile`). Alarms leave a risk for the next sessions (`carried`).
"""

from halo_core.behaviour.assessment import BehaviourAssessment, assess
from halo_core.behaviour.axes import ALARM, Axis
from halo_core.behaviour.carried import CarriedRisk, SessionSummary, SessionVerdict, summarize_session
from halo_core.behaviour.event import BehaviourEvent, CallShape, Destination, TouchedObject, describe_call
from halo_core.behaviour.limits import SHIPPED_PRIOR, RolePrior
from halo_core.behaviour.measures import MEASURES, Measure
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import FOLD_FORM
from halo_core.behaviour.seen import SeenKind
from halo_core.behaviour.tally import SessionTally, TallyAlarm
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

__all__ = [
    "ALARM",
    "FOLD_FORM",
    "MEASURES",
    "NEW_PROFILE",
    "SHIPPED_PRIOR",
    "Axis",
    "BehaviourAssessment",
    "BehaviourEvent",
    "CallShape",
    "CarriedRisk",
    "Destination",
    "IdentityProfile",
    "Measure",
    "RolePrior",
    "SeenKind",
    "SessionSummary",
    "SessionTally",
    "SessionVerdict",
    "TallyAlarm",
    "TenantProfile",
    "TouchedObject",
    "assess",
    "decode_tally",
    "describe_call",
    "encode_tally",
    "summarize_session",
]
