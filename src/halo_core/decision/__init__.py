"""The pure decision: `decide(request, snapshot)`, its record, and what approvals are bound to.

    decide(request, snapshot)   # Decision(effect=DENY, reasons=(...), ...)

Nothing here reads a clock, a store or a file, so that a recorded decision can be made again. Begin with `checks`.
"""
