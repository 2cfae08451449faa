"""Fitting a detector on recorded sessions and measuring it: used by `detection.py` and the `train_*.py` scripts."""
