"""Driving recorded sessions through a framework with Halo in front: used by `redrive.py` and `memory.py`."""
