"""Room: people and service accounts. Takes: imported events. Gives: what is ordinary for each, a risk for each event.

Nothing here decides an action: these events have happened already, elsewhere. Never: I/O beyond a stream that it is
handed, a clock, floats in a score.
"""
