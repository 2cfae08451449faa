"""The facade that the adapters' `Halo` extends: one governed agent, its sessions and its registered resources.

`HaloBase.local` needs no setup: it makes keys, a starter policy, a store, and a passport with grants for what is
guarded (assurance `dev`).
"""

from __future__ import annotations

from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.delegation import HandOff
from halo_core.facade.base import HaloBase
from halo_core.facade.registration import HostedTool, guard_all, make_hosted_tool_error, make_schema_error
from halo_core.home import default_home, default_url

__all__ = [
    "HaloBase",
    "HandOff",
    "HostedTool",
    "Limits",
    "default_home",
    "default_url",
    "guard_all",
    "make_hosted_tool_error",
    "make_schema_error",
]
