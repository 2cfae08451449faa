"""Room: changed arguments as objects. Takes: an argument, its plain form as it may run. Gives: an object of that form.

Never: changes what it is given, hands out anything that does not read exactly as it was decided.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from halo_core.pep.objects import is_model, is_secret, secret, with_fields
from halo_core.pep.plain import plain, unchanged

__all__ = ["mended"]


def mended(own: Any, wanted: Any) -> Any:
    """An argument of the class that its function expects and of the form that was decided.

    Where there is no such object, the plain value itself: the function may refuse it, but runs with nothing else.
    """
    try:
        made = _made(own, wanted)
        # INVARIANT: what runs was decided.
        return made if unchanged(plain(made), wanted) else wanted
    except Exception:  # noqa: BLE001  an object that cannot be made anew
        return wanted


def _made(own: Any, wanted: Any) -> Any:
    if unchanged(plain(own), wanted):
        return own
    if isinstance(own, list | tuple) and isinstance(wanted, list) and len(own) == len(wanted):
        items = [_made(item, new) for item, new in zip(own, wanted, strict=True)]
        return items if isinstance(own, list) else tuple(items)
    if isinstance(own, dict):
        return {key: _made(own[key], new) for key, new in wanted.items()}
    if is_secret(own):
        return secret(own, wanted["secret"])
    return _object(own, wanted) if isinstance(wanted, Mapping) else wanted


def _object(own: Any, wanted: Mapping[str, Any]) -> Any:
    fields = {name: _made(getattr(own, name), new) for name, new in wanted.items()}
    return with_fields(own, fields) if is_model(own) else dataclasses.replace(own, **fields)
