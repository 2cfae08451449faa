"""`halo drill`: attacks planted into an operator's own application, with the bodies of its tools and models replaced.

`run_drill` takes the driver that an adapter made of an application, plans attacks and honest twins from the tools'
declarations and schemas (`plans`), plays each in a fresh copy of the home (`copies`, `running`), and returns a
`DrillResult` (`scoring`) that names each hole with its fix (`diagnosis`).
"""

from __future__ import annotations

from halo_core.drill.cases import AttackClass, ModeChange, Step, Turn
from halo_core.drill.copies import HomeCopies
from halo_core.drill.desk import Desk
from halo_core.drill.plans import RecordedSession, plan_drill
from halo_core.drill.running import CaseResult, CaseStatus
from halo_core.drill.scoring import ClassScore, DrillResult, Share
from halo_core.drill.session import DrillOptions, run_drill
from halo_core.drill.stubs import FunctionStubs
from halo_core.drill.tools import CannotPlant, DrillDriver, ToolFacts

__all__ = [
    "AttackClass",
    "CannotPlant",
    "CaseResult",
    "CaseStatus",
    "ClassScore",
    "Desk",
    "DrillDriver",
    "DrillOptions",
    "DrillResult",
    "FunctionStubs",
    "HomeCopies",
    "ModeChange",
    "RecordedSession",
    "Share",
    "Step",
    "ToolFacts",
    "Turn",
    "plan_drill",
    "run_drill",
]
