"""Checks of what an application passes to `Halo.local`, so that a wrong value is reported where it was given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from halo_core.enforcement.agent_credentials import Limits
from halo_core.errors import ConfigError
from halo_core.model import Constraint

_MAX_NAME: Final = 200


def check_names(agent: object, user: object, tenant: object) -> None:
    """Check the names of agent, user and tenant; the store checks the form of the tenant's name.

    Raises:
        ConfigError: `not_a_text`, `bad_agent`.
    """
    for field, name in (("agent", agent), ("user", user), ("tenant", tenant)):
        if not isinstance(name, str):
            problem = f"`{field}` must be a text, not {type(name).__name__}"
            raise ConfigError("not_a_text", problem, field=field, remedy=f'pass a name, such as {field}="ana"')
    if not isinstance(agent, str) or not agent or len(agent) > _MAX_NAME or not agent.isprintable():
        problem = f"the name of an agent must have 1 to {_MAX_NAME} printable characters"
        remedy = 'pass a short name, such as agent="reporter"'
        raise ConfigError("bad_agent", problem, field="agent", remedy=remedy)


def check_places(home: object, db: object, policy: object) -> None:
    """Check the folder of the home, the URL of the store and the folder of the policy.

    Raises:
        ConfigError: `bad_parameter`, of another type; `no_policy`, there is no such folder.
    """
    for field, path in (("home", home), ("policy", policy)):
        if path is not None and not isinstance(path, str | os.PathLike):
            raise _make_type_error(field, path, "a folder", f'pass a path, such as {field}=".halo"')
    if db is not None and not isinstance(db, str):
        raise _make_type_error("db", db, "a database URL", "for example sqlite:///.halo/halo.db")
    if isinstance(policy, str | os.PathLike) and not Path(policy).exists():
        problem, remedy = f"there is no folder `{policy}`", "create it, or omit `policy`"
        raise ConfigError("no_policy", problem, field="policy", remedy=remedy)


def check_terms(grants: object, limits: object) -> None:
    """Check the grants and limits of a passport made here.

    Raises:
        ConfigError: `bad_parameter`, of another type.
    """
    if limits is not None and not isinstance(limits, Limits):
        raise _make_type_error("limits", limits, "`Limits`", "pass `halo_core.facade.Limits(...)`, or omit it")
    if grants is not None and not _are_grants(grants):
        remedy = 'for example grants={"send_report": {"recipient": Constraint(ConstraintKind.WILDCARD)}}, or omit it'
        raise _make_type_error("grants", grants, "a mapping of resource ids to constraints of arguments", remedy)


def check_waits(deadline_s: object, answer_wait_s: object) -> None:
    """Check the waiting times, in seconds.

    Raises:
        ConfigError: `bad_wait`.
    """
    for field, seconds in (("deadline_s", deadline_s), ("answer_wait_s", answer_wait_s)):
        if seconds is None and field == "answer_wait_s":
            continue
        if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
            problem, remedy = f"`{field}` must be more than 0 seconds", "give a number of seconds, or omit it"
            raise ConfigError("bad_wait", problem, field=field, remedy=remedy)


def _are_grants(grants: Any) -> bool:
    return isinstance(grants, Mapping) and all(
        isinstance(name, str)
        and isinstance(arguments, Mapping)
        and all(isinstance(key, str) and isinstance(item, Constraint) for key, item in arguments.items())
        for name, arguments in grants.items()
    )


def _make_type_error(field: str, value: object, wanted: str, remedy: str) -> ConfigError:
    return ConfigError(
        "bad_parameter", f"`{field}` must be {wanted}, not {type(value).__name__}", field=field, remedy=remedy
    )
