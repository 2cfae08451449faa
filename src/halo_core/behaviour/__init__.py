"""Behaviour of identities across sessions, as pure functions in integers.

A session's measures are tallied (`tally`), compared with the limits of its identity (`assessment`), and folded into the
identity's profile when the session ends (`profile`). Alarms leave a risk for the next sessions (`carried`).
"""
