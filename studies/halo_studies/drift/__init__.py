"""Streams of sessions with and without a change, and the axes that tell them apart: used by `drift.py`."""
