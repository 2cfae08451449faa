"""Room: graphs, copies of compiled ones whose agents are entered by decisions. Takes: graphs. Gives: copies.

Never: decides, changes the original.
"""
