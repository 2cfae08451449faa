"""The user account of this process, as the actor of what the process does by itself."""

from __future__ import annotations

import os
import pwd
from functools import lru_cache

from halo_core.model import Actor


def describe_os_user() -> Actor:
    """The account of the effective user id; environment variables do not count, since anybody can set them."""
    return _describe(os.geteuid())


@lru_cache(maxsize=8)
def _describe(uid: int) -> Actor:
    try:
        return Actor(pwd.getpwuid(uid).pw_name, "os-user")
    except KeyError:
        return Actor(f"uid-{uid}", "os-user")
