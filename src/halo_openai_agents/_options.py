"""Room: a run's configuration, with Halo in it. Takes: the host's own. Gives: keyword arguments for a runner.

Never: decides, changes the host's configuration.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from agents import Model, RunConfig
from agents.run_config import ToolErrorFormatterArgs
from agents.run_internal.model_provider_lifecycle import _normalize_run_config_for_runner

from halo_openai_agents._models.guard import GuardedProvider, guard_model
from halo_openai_agents._running import current_run

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["HaloRunConfig", "configured"]


@dataclasses.dataclass
class HaloRunConfig(RunConfig):
    """A configuration that Halo has seen to.

    Args:
        halo: who decides.
        pausing: whether the host keeps the state of a run that pauses, and goes on with it.
        made: the provider where the host named none; each run then has one of its own, closed when it ends.
    """

    halo: Any = None
    pausing: bool = False
    made: Any = None

    def __deepcopy__(self, _memo: dict[int, Any]) -> HaloRunConfig:
        """What decides is one thing, however often a configuration is copied."""
        return dataclasses.replace(self)

    @property
    def lends(self) -> bool:
        """Whether the host named no provider, when this was made or since."""
        return self.made is not None and self.model_provider is self.made

    def lent(self) -> HaloRunConfig:
        """For one run, with a provider that is its own; runs inside of it use that one."""
        provider = GuardedProvider(self.halo, RunConfig().model_provider)
        return dataclasses.replace(self, model_provider=provider, made=None)


def configured(halo: Halo, given: RunConfig | dict[str, Any] | None, *, tells: bool, pausing: bool) -> HaloRunConfig:
    """The host's configuration with guarded models.

    Args:
        halo: who decides.
        given: the host's.
        tells: whether a model hears of calls that reach no tool, and the run goes on; else the host's setting counts.
        pausing: see `HaloRunConfig`.
    """
    config, lends = _normalize_run_config_for_runner(given)
    if isinstance(config, HaloRunConfig) and config.halo is halo:
        return config
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(RunConfig)}
    model, provider = config.model, config.model_provider
    if isinstance(model, Model):
        values["model"] = guard_model(halo, model, None)
    if not isinstance(provider, GuardedProvider):
        values["model_provider"] = GuardedProvider(halo, provider)
    elif provider.halo is not halo:  # whoever guards the agent decides what it asks, whosever configuration it is
        values["model_provider"] = GuardedProvider(halo, provider.inner)
    if tells:
        values["tool_not_found_behavior"] = "return_error_to_model"
    values["tool_error_formatter"] = _formatter(halo, config.tool_error_formatter)
    return HaloRunConfig(**values, halo=halo, pausing=pausing, made=values["model_provider"] if lends else None)


def _formatter(halo: Halo, inner: Any) -> Any:
    """What a model is told of a call that reaches no tool: why it was refused."""

    def told(args: ToolErrorFormatterArgs[Any]) -> Any:
        run = current_run(halo)
        if args.kind == "tool_not_found" and run is not None and args.call_id in run.refused:
            return run.refused[args.call_id]
        return inner(args) if inner is not None else None

    return told
