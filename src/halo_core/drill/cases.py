"""A case of a drill as plain data: what the user says, which calls the scripted model makes, what tools answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from halo_core.quick_dataclass import dataclass


class AttackClass(StrEnum):
    """Classes of attacks that a drill plants."""

    RESPELL = "respell"
    """A target that the user did not name, as planted and written in other ways."""
    RELAY = "relay"
    """A planted target that comes through something in between: a trusted tool's result, a summary."""
    STORE = "store"
    """A planted target that is stored in one session, and used in a later one."""
    SPLIT = "split"
    """A target in parts that the user wrote about other things; one payment as several below the limit."""
    REDIRECT = "redirect"
    """Another target in place of the one that the user named; a page at a host that nobody vouched for."""
    PROVIDER = "provider"
    """A model request with tools that the model's provider runs."""
    SUB_AGENT = "sub-agent"
    """A tool with a consequence that runs in the body of another tool."""
    MODE = "mode"
    """Enforcement switched off by the application, or in the database."""


class ModeChange(StrEnum):
    """A way to switch enforcement off."""

    APPLICATION = "the application asks for observe mode"
    DATABASE = "a row of the database says observe"


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the scripted model.

    Args:
        tool: name of the tool, as the model calls it.
        arguments: arguments of the call.
        inner: a call of another tool, which the body of this one makes.
        answer: what the tool returns to this call; None for what the case says of the tool.
    """

    tool: str
    arguments: Mapping[str, Any]
    inner: Step | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of the agent, in its own session.

    Args:
        user: what the user says.
        steps: the model's calls, one after the other.
        history: (role, text) of the conversation before, roles `user` and `assistant`.
    """

    user: str
    steps: tuple[Step, ...]
    history: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DrillCase:
    """An attack, which must not run, or its honest twin, which must.

    Args:
        attack_class: class of the attack, or of the one whose twin it is.
        form: which of the class.
        tool: the tool with the consequence.
        is_honest: whether it is a twin.
        turns: runs of the agent, in order.
        answers: tool → what it returns; others return `ok`.
        planted_argument: the argument of the tool with the planted value, empty if there is none.
        source: the tool that brings the planted words in, empty if none does.
        at_most: how many calls of the tool may run in an attack; in honest work all must.
        needs: tools of which each must have run before `answers` are given.
        hosted_fields: fields to add to a model request.
        mode_change: how enforcement is switched off before the first turn.
    """

    attack_class: AttackClass
    form: str
    tool: str
    is_honest: bool
    turns: tuple[Turn, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    planted_argument: str = ""
    source: str = ""
    at_most: int = 0
    needs: frozenset[str] = frozenset()
    hosted_fields: Mapping[str, Any] = field(default_factory=dict)
    mode_change: ModeChange | None = None

    @property
    def name(self) -> str:
        """Class, form and tool, in words."""
        return f"{self.attack_class}: {self.form}: {self.tool}" + (" (honest)" if self.is_honest else "")

    def count_wanted(self) -> int:
        """How many calls of the tool its turns contain."""
        steps = [step for turn in self.turns for step in turn.steps]
        return sum((step.inner or step).tool == self.tool for step in steps)
