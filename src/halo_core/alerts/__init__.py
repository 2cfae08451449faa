"""Alerts in the ledger, and sending them to a webhook or a syslog server, at least once.

`Delivery(receiver, cursor, ...).run(log)` sends what has not been sent yet. It runs in a process of its own, so that a
receiver that is down delays no decision; it writes nothing to the ledger and sends no content of a call, and names of
people only where that was asked for. This is the only package of the core that opens sockets.
"""
