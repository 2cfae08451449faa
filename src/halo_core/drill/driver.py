"""What a drill asks of an adapter: `DrillDriver`, which knows how its framework runs agents, tools and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from halo_core.drill.cases import Step, Turn
from halo_core.drill.desk import Desk
from halo_core.drill.stubs import FunctionStubs
from halo_core.drill.tools import ToolFacts


class CannotPlant(Exception):
    """Raised where a case cannot be played in an application."""


class DrillDriver(Protocol):
    """One application, ready for a drill.

    Attributes:
        tools: facts of its tools, those in the bodies of other tools too.
        code: the application's own code that runs beside tools and models, in words.
        problem: why no drill is possible; empty where one is.
    """

    tools: Sequence[ToolFacts]
    code: Sequence[str]
    problem: str

    def install(self, stubs: FunctionStubs, desk: Desk) -> None:
        """Replace the bodies of tools and models by ones that report to the desk."""
        ...

    def expand(self, steps: Sequence[Step]) -> Sequence[Step | None]:
        """Steps as the models of the application take them, one for each request; None says that it is done."""
        ...

    def run_turn(self, turn: Turn) -> None:
        """Run the agent once with what the user says; models follow the script of this context."""
        ...

    def run_hosted(self, turn: Turn, fields: Mapping[str, Any]) -> None:
        """Send a model request with these fields beside the application's own.

        Raises:
            CannotPlant: its models take no fields.
        """
        ...
