"""Room: entry points with several prompts that a model's class has made anew. Takes: its class. Gives: decided methods.

Nobody knows which of the framework's methods such a one calls, how often, or whether any: it is decided where it is
entered, all of its prompts at once, and what it calls for each of them takes that decision along. Never: decides
itself, holds anything of one model.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from typing import Any

from halo_core.pep.gate import required
from halo_langchain._models.call import entry
from halo_langchain._models.run import arun, run
from halo_langchain._own import own
from halo_langchain._values.answers import ANSWERS, GENERATED

__all__ = ["anew", "first", "prompts"]


def first(config: Any) -> Any:
    """The configuration of a batch, of one with several its first."""
    return next(iter(config), None) if isinstance(config, list | tuple) else config


def prompts(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """How many prompts a call has."""
    return len(args[0] if args else kwargs.get("messages", kwargs.get("prompts", ())))


def anew(kind: type[Any]) -> dict[str, Any]:
    """Entry points with several prompts that a class has made anew: one decision, handed down to each of the calls."""

    def generate_prompt(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, runs=prompts(args, kwargs)):
            return run(gate, self, functools.partial(kind.generate_prompt, self), GENERATED, *args, **kwargs)

    async def agenerate_prompt(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, runs=prompts(args, kwargs)):
            return await arun(gate, self, functools.partial(kind.agenerate_prompt, self), GENERATED, *args, **kwargs)

    def batch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        gate, (shown, mine) = required(self), _converted(self, inputs)

        def inner(_shown: Any, *args: Any, **more: Any) -> Any:
            return kind.batch(self, mine, *args, **more)

        with entry(gate, self, first(config), runs=len(shown)):
            return run(gate, self, inner, ANSWERS, shown, config, **kwargs)

    async def abatch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        gate, (shown, mine) = required(self), _converted(self, inputs)

        async def inner(_shown: Any, *args: Any, **more: Any) -> Any:
            return await kind.abatch(self, mine, *args, **more)

        with entry(gate, self, first(config), runs=len(shown)):
            return await arun(gate, self, inner, ANSWERS, shown, config, **kwargs)

    made = {
        "generate_prompt": generate_prompt,
        "agenerate_prompt": agenerate_prompt,
        "batch": batch,
        "abatch": abatch,
    }
    return {name: functools.wraps(getattr(kind, name))(way) for name, way in made.items() if own(kind, name)}


def _converted(model: Any, inputs: Any) -> tuple[list[Any], Any]:
    """What the inputs of a batch show to a model, and the inputs as nobody else holds them."""
    mine = copy.deepcopy(inputs)
    return [model._convert_input(item) for item in mine], mine  # noqa: SLF001  as its entry points do
