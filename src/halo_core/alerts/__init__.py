"""Alerts in the ledger, and sending them to a webhook or a syslog server, at least once.

`Delivery(receiver, cursor, ...).run(log)` sends what has not been sent yet. It runs in a process of its own, so that a
receiver that is down delays no decision. It writes nothing to the ledger, sends no content of a call, and sends names
of people only on request. This is the only package of the core that opens sockets.
"""
