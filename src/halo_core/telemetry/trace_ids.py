"""The trace that a call belongs to, read from OpenTelemetry where the application has loaded it."""

from __future__ import annotations

import sys
from typing import Any


def read_trace_id() -> str:
    """Trace id of the current span (W3C Trace Context), 32 lowercase hex digits; empty for none.

    Never imports OpenTelemetry: an application that traces has loaded it.
    """
    trace: Any = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return ""
    try:
        context = trace.get_current_span().get_span_context()
    except Exception:  # noqa: BLE001  a tracer costs no decision
        return ""
    return f"{context.trace_id:032x}" if context.is_valid else ""
