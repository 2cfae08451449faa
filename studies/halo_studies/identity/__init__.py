"""Synthetic people and service accounts: used by `identity.py`."""
