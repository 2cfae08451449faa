"""`Desk`, to which the stubs of a drill report: it records which tools ran, answers for them, and directs models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import field
from typing import Any, Final

from halo_core.drill.cases import DrillCase, Step
from halo_core.quick_dataclass import dataclass

_PLAIN_ANSWER: Final = "ok"
_NOTHING: Final = "nothing"


@dataclass(slots=True)
class Script:
    """The steps of a scripted model in one run; past the end it says that it is done."""

    steps: Sequence[Step | None]
    place: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take_step(self) -> Step | None:
        """The next step; None past the end."""
        with self.lock:
            step = self.steps[self.place] if self.place < len(self.steps) else None
            self.place += 1
            return step

    @property
    def last_step(self) -> Step | None:
        """The step that was taken last."""
        return self.steps[self.place - 1] if 0 < self.place <= len(self.steps) else None


_SCRIPT: Final[ContextVar[Script | None]] = ContextVar("halo_drill_script", default=None)


@dataclass(frozen=True, slots=True)
class ToolRun:
    """A replaced body that was called."""

    tool: str
    arguments: Mapping[str, Any]


class Desk:
    """Collects what happens in one case at a time.

    Attributes:
        case: the case that runs.
        runs: bodies of tools that would have run, in order.
        model_requests: how many requests reached a model.
        run_inner: makes a call that the body of a tool makes; of the adapter. It takes the owner and the step.
    """

    def __init__(self) -> None:
        self.case: DrillCase | None = None
        self.runs: list[ToolRun] = []
        self.model_requests = 0
        self.run_inner: Callable[[str, Step], Any] = lambda _owner, _step: None
        self._lock = threading.Lock()

    def begin(self, case: DrillCase) -> None:
        """Start a case."""
        self.case, self.runs, self.model_requests = case, [], 0

    @contextmanager
    def follow(self, steps: Sequence[Step | None]) -> Iterator[Script]:
        """Let models in this context follow these steps."""
        script = Script(steps)
        token = _SCRIPT.set(script)
        try:
            yield script
        finally:
            _SCRIPT.reset(token)

    def take_model_request(self) -> Step | None:
        """Note a request to a model; returns the model's next step, None for no tool call."""
        with self._lock:
            self.model_requests += 1
        script = _SCRIPT.get()
        return script.take_step() if script is not None else None

    def take_tool_call(self, names: Sequence[str], arguments: Mapping[str, Any]) -> Any:
        """Note the call of a body; returns the answer for it.

        Args:
            names: tools whose body this is; several may share one.
            arguments: arguments, by parameter name.
        """
        script = _SCRIPT.get()
        step = script.last_step if script is not None else None
        name = step.tool if step is not None and step.tool in names else names[0]
        with self._lock:
            self.runs.append(ToolRun(name, dict(arguments)))
        if step is not None and step.tool == name and step.inner is not None:
            return self.run_inner(name, step.inner)
        if step is not None and step.tool == name and step.answer is not None:
            return step.answer
        return self._answer(name)

    def _answer(self, name: str) -> str:
        case = self.case
        if case is None or name not in case.answers:
            return _PLAIN_ANSWER
        have_run = {item.tool for item in self.runs}
        is_kept = name != case.source and case.needs
        return case.answers[name] if not is_kept or case.needs <= have_run else _NOTHING
