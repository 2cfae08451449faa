"""How many examples, runs and cases a test takes: few by default, all of them with `HYPOTHESIS_PROFILE=thorough`.

@settings(max_examples=count(400))
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_DEFAULT = "default"
_THOROUGH = "thorough"
_SHARE = 16
_FEWEST = 8

# Nothing asserts wall-clock: a busy machine must not fail a test.
settings.register_profile(
    _DEFAULT, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=12
)
settings.register_profile(_THOROUGH, deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or _DEFAULT)


def is_thorough() -> bool:
    return settings.get_current_profile_name() == _THOROUGH


def count(thorough: int, *, fewest: int = _FEWEST) -> int:
    """The full count of the thorough profile; otherwise a sixteenth of it, but no fewer than `fewest`."""
    return thorough if is_thorough() else min(thorough, max(fewest, thorough // _SHARE))
