"""An application of `test_reversals_cli`: a Halo over the home of the environment, with a tool that can be undone."""

from __future__ import annotations

import os
from pathlib import Path

from acts_world import opened, tool

from halo_core.model import Reversal

HOME = Path(os.environ["HALO_HOME"])
halo = opened(HOME)


def refund(act):
    if act.args["amount"] == 13:
        raise RuntimeError("the bank is closed")
    with (HOME / "undone").open("a") as file:
        file.write(f"{act.decision}\n")
    return "refunded"


tool(halo, "pay", refund, Reversal.COMPENSATE)
